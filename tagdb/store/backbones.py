"""Queries about the backbone of a database."""

from dataclasses import dataclass
from typing import cast

from tagdb.backbone import Identity
from tagdb.database import Connection
from tagdb.store.statements import statement


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


def vector_schema(connection: Connection) -> str:
    """The schema that the pgvector extension is in."""
    row = connection.execute(
        "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
        " WHERE e.extname = 'vector'"
    ).fetchone()
    assert row is not None
    return cast(str, row[0])
