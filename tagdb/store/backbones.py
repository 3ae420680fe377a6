"""Queries about the backbone of a database and the index over its embeddings."""

from dataclasses import dataclass
from typing import cast

from psycopg import sql

from tagdb.backbone import Identity
from tagdb.database import Connection
from tagdb.store.statements import statement

INDEX_FROM = 20_000
"""Embeddings from which on an HNSW index pays: below, an exact scan takes 20 ms or less."""


@dataclass(frozen=True, slots=True)
class StoredBackbone:
    """The backbone that a database remembers."""

    backbone_id: int
    identity: Identity


def active_backbone(connection: Connection) -> StoredBackbone | None:
    """The backbone that recommending searches; None in a database without embeddings."""
    row = connection.execute(statement("active_backbone")).fetchone()
    if row is None:
        return None
    backbone_id, name, input_size, weights = cast(tuple[int, str, int, bytes], row)
    return StoredBackbone(backbone_id, Identity(name, input_size, weights))


def add_backbone(connection: Connection, identity: Identity) -> StoredBackbone:
    """Register a backbone; the first one becomes active."""
    row = connection.execute(
        "SELECT tagdb_store.add_backbone(%s, %s, %s)",
        (identity.name, identity.input_size, identity.weights_sha256),
    ).fetchone()
    assert row is not None
    return StoredBackbone(cast(int, row[0]), identity)


def ensure_vector_index(connection: Connection, backbone_id: int) -> bool:
    """Build the HNSW index over a backbone's embeddings once there are enough. True if it did.

    Call it after embeddings came in: it also refreshes the planner's statistics of them.

    Built concurrently: readers and ingests go on. An index that an interrupted build left behind
    is not valid and is built anew. A login that does not own the tables leaves all this to their owner.
    """
    partition = f"embeddings_{backbone_id}"
    connection.execute(sql.SQL("ANALYZE tagdb_store.{}").format(sql.Identifier(partition)))
    row = connection.execute(statement("vector_index"), {"partition": partition}).fetchone()
    if row is None:
        return False
    embeddings, indexed, owned = cast(tuple[int, bool, bool], row)
    if embeddings < INDEX_FROM or indexed or not owned:
        return False
    index = sql.Identifier("tagdb_store", f"{partition}_hnsw")
    connection.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(index))
    command = "CREATE INDEX CONCURRENTLY {} ON tagdb_store.{} USING hnsw (embedding {}.halfvec_cosine_ops)"
    names = f"{partition}_hnsw", partition, vector_schema(connection)
    connection.execute(sql.SQL(command).format(*map(sql.Identifier, names)))
    return True


def vector_schema(connection: Connection) -> str:
    """The schema that the pgvector extension is in."""
    row = connection.execute(
        "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
        " WHERE e.extname = 'vector'"
    ).fetchone()
    assert row is not None
    return cast(str, row[0])
