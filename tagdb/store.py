"""Every query that Python makes. The SQL lies in ``tagdb/sql``, one statement a file.

Functions take an open connection in autocommit mode (see :mod:`tagdb.database`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any, LiteralString, cast

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from tagdb import pgcopy
from tagdb.als import Fit, Parameters
from tagdb.backbone import Identity
from tagdb.database import Connection

INDEX_FROM = 20_000
"""Embeddings from which on an HNSW index pays: below, an exact scan takes 20 ms or less."""


@cache
def statement(name: str) -> LiteralString:
    """The text of ``tagdb/sql/NAME.sql``. Ours, never made from input, hence literal."""
    return resources.files("tagdb").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


# --- backbones -----------------------------------------------------------------------------------


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


# --- ingest --------------------------------------------------------------------------------------


@dataclass(slots=True)
class Image:
    """One image of a batch. ``embedding`` is None where the content is known already."""

    content_sha256: bytes
    uri: str
    hashtags: Sequence[str]
    """Folded."""
    collection: str | None = None
    source_ref: str | None = None
    taken_at: datetime | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    media_type: str | None = None
    width: int | None = None
    height: int | None = None
    byte_count: int | None = None
    embedding: NDArray[np.float32] | None = None
    """float32 (1280,), of length 1"""
    thumbnail: bytes | None = None
    original: bytes | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """What could not be used."""

    origin: str
    line: int | None
    reason: str


@dataclass(slots=True)
class Counts:
    """What an ingest did, in images (``rejected``: in records, photos and hashtags)."""

    new: int = 0
    known: int = 0
    updated: int = 0
    rejected: int = 0

    def add(self, other: "Counts") -> None:
        """Add another batch's counts to these."""
        self.new += other.new
        self.known += other.known
        self.updated += other.updated
        self.rejected += other.rejected


def begin_ingest_run(connection: Connection, sources: Sequence[str]) -> int:
    """Note that an ingest begins, and make the landing place of its batches."""
    connection.execute(statement("incoming"))
    row = connection.execute(statement("begin_ingest_run"), {"sources": list(sources)}).fetchone()
    assert row is not None
    return cast(int, row[0])


def finish_ingest_run(connection: Connection, ingest_run_id: int) -> None:
    """Note that an ingest went through to its end."""
    connection.execute(statement("finish_ingest_run"), {"ingest_run_id": ingest_run_id})


def known_hashes(connection: Connection, backbone_id: int, hashes: Sequence[bytes]) -> set[bytes]:
    """Which contents are stored with an embedding by this backbone."""
    rows = connection.execute(
        statement("known_hashes"), {"backbone_id": backbone_id, "hashes": list(hashes)}, binary=True
    )
    return {cast(bytes, row[0]) for row in rows}


def save_batch(
    connection: Connection,
    ingest_run_id: int,
    backbone_id: int,
    images: Sequence[Image],
    rejected: Sequence[Rejected],
) -> Counts:
    """Store a batch in one transaction: all of it, or nothing. Returns what it changed."""
    with connection.transaction(), connection.cursor() as cursor:
        _land(connection, images)
        run = {"ingest_run_id": ingest_run_id}
        new = {row[0] for row in cursor.execute(statement("insert_images"), run)}
        _save_content(connection, backbone_id, images)
        touched = {row[0] for row in cursor.execute(statement("update_images"))}
        cursor.execute(statement("insert_hashtags"))
        touched |= {row[0] for row in cursor.execute(statement("insert_image_hashtags"))}
        _copy(
            connection,
            "COPY tagdb_store.ingest_errors (ingest_run_id, origin, line, reason) FROM STDIN",
            ((ingest_run_id, r.origin, r.line, r.reason) for r in rejected),
        )
        updated = len(touched - new)
        counts = Counts(len(new), len(images) - len(new) - updated, updated, len(rejected))
        cursor.execute(statement("count_ingest_run"), run | asdict(counts))
    return counts


def _copy(connection: Connection, command: LiteralString, rows: Iterable[Sequence[object]]) -> None:
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        for row in rows:
            copy.write_row(row)


def _land(connection: Connection, images: Sequence[Image]) -> None:
    _copy(
        connection,
        "COPY pg_temp.incoming_images FROM STDIN",
        (
            (
                *(i.content_sha256, i.uri, i.media_type, i.width, i.height, i.byte_count),
                *(i.collection, i.source_ref, i.taken_at, Jsonb(i.metadata)),
            )
            for i in images
        ),
    )
    _copy(
        connection,
        "COPY pg_temp.incoming_hashtags FROM STDIN",
        ((i.content_sha256, hashtag) for i in images for hashtag in i.hashtags),
    )


def _save_content(connection: Connection, backbone_id: int, images: Sequence[Image]) -> None:
    """Embeddings and files of the images that have none."""
    by_hash = {i.content_sha256: i for i in images if i.embedding is not None}
    missing = connection.execute(
        statement("missing_embeddings"), {"hashes": list(by_hash), "backbone_id": backbone_id}, binary=True
    ).fetchall()
    if not missing:
        return
    ids = np.array([row[0] for row in missing], np.int64)
    vectors = [vector for row in missing if (vector := by_hash[row[1]].embedding) is not None]
    embeddings = np.stack(vectors).astype(np.float16)
    columns = (np.full(len(ids), backbone_id, np.int32), ids, embeddings)
    _copy_arrays(connection, sql.SQL("COPY tagdb_store.embeddings FROM STDIN (FORMAT binary)"), columns)
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY tagdb_store.image_files (image_id, original, thumbnail) FROM STDIN (FORMAT binary)"
        ) as copy,
    ):
        copy.set_types(["int8", "bytea", "bytea"])
        for image_id, content, has_files in missing:
            if not has_files:
                image = by_hash[content]
                copy.write_row((image_id, image.original, image.thumbnail))


def _copy_arrays(
    connection: Connection, command: sql.SQL | sql.Composed, columns: tuple[pgcopy.Column, ...]
) -> None:
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        for chunk in pgcopy.encode(*columns):
            copy.write(chunk)


def ensure_vector_index(connection: Connection, backbone_id: int) -> bool:
    """Build the HNSW index over a backbone's embeddings once there are enough. True if it did.

    Built concurrently: readers and ingests go on. An index that an interrupted build left behind
    is not valid and is built anew.
    """
    partition = f"embeddings_{backbone_id}"
    connection.execute(sql.SQL("ANALYZE tagdb_store.{}").format(sql.Identifier(partition)))
    row = connection.execute(statement("vector_index"), {"partition": partition}).fetchone()
    if row is None or row[1] or cast(int, row[0]) < INDEX_FROM:
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
        "SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'vector'"
    ).fetchone()
    assert row is not None
    return cast(str, row[0])


# --- factors -------------------------------------------------------------------------------------


def interactions(connection: Connection) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Every hashtag on every image: image ids int64 (n,) and hashtag ids int32 (n,)."""
    with connection.cursor() as cursor, cursor.copy(statement("interactions")) as copy:
        data = b"".join(copy)
    image_ids, hashtag_ids = pgcopy.decode(data, "i8", "i4")
    return cast(NDArray[np.int64], image_ids), cast(NDArray[np.int32], hashtag_ids)


def begin_factor_run(
    connection: Connection,
    parameters: Parameters,
    neighbours: int,
    similarity_exponent: float,
    versions: Mapping[str, str],
) -> int:
    """Note that factors are being computed, and make the run's tables."""
    values = asdict(parameters) | {
        "neighbours": neighbours,
        "similarity_exponent": similarity_exponent,
        "versions": Jsonb(versions),
    }
    row = connection.execute(statement("begin_factor_run"), values).fetchone()
    assert row is not None
    return cast(int, row[0])


def save_factor_run(connection: Connection, factor_run_id: int, fit: Fit, seconds: float) -> None:
    """Store a run's factors and make it the active one, in one transaction."""
    with connection.transaction():
        for kind, ids, factors in (
            ("image_factors", fit.image_ids, fit.image_factors),
            ("hashtag_factors", fit.hashtag_ids, fit.hashtag_factors),
        ):
            table = sql.Identifier("tagdb_store", f"{kind}_{factor_run_id}")
            columns = (np.full(len(ids), factor_run_id, np.int32), ids, factors)
            _copy_arrays(connection, sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(table), columns)
        connection.execute(
            statement("finish_factor_run"),
            {
                "factor_run_id": factor_run_id,
                "images": len(fit.image_ids),
                "hashtags": len(fit.hashtag_ids),
                "interactions": fit.interactions,
                "seconds": seconds,
            },
        )
        connection.execute("SELECT tagdb_store.activate_factor_run(%s)", (factor_run_id,))


def discard_factor_run(connection: Connection, factor_run_id: int) -> None:
    """Mark a run as failed and drop its tables."""
    connection.execute("SELECT tagdb_store.discard_factor_run(%s)", (factor_run_id,))


def factor_runs(connection: Connection) -> list[dict[str, Any]]:
    """Every factor run with its parameters and counts, oldest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("list_factor_runs")).fetchall()


# --- recommending --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A hashtag, without '#', and its score: the dot product of the two models."""

    rank: int
    hashtag: str
    score: float


@dataclass(frozen=True, slots=True)
class SimilarImage:
    """A stored image and its cosine similarity."""

    rank: int
    image_id: int
    uri: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Readiness:
    """What there is to recommend from."""

    images: bool
    hashtags: bool
    factors: bool


def readiness(connection: Connection) -> Readiness:
    """Whether the database holds images, hashtags on them, and an active factor run."""
    with connection.cursor(row_factory=class_row(Readiness)) as cursor:
        found = cursor.execute(statement("readiness")).fetchone()
    assert found is not None
    return found


def _halfvec(embedding: NDArray[np.float32]) -> str:
    return "[" + ",".join(map(repr, embedding.astype(np.float16).tolist())) + "]"


def recommend(
    connection: Connection,
    embedding: NDArray[np.float32],
    top: int = 10,
    neighbours: int | None = None,
    known: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> list[Recommendation]:
    """Call ``tagdb.recommend_for_embedding``: float32 (1280,) in, the best hashtags out."""
    values = {
        "embedding": _halfvec(embedding),
        "top": top,
        "neighbours": neighbours,
        "known": list(known),
        "exclude": list(exclude),
    }
    with connection.cursor(row_factory=class_row(Recommendation)) as cursor:
        return cursor.execute(statement("recommend"), values).fetchall()


def similar(connection: Connection, embedding: NDArray[np.float32], top: int = 10) -> list[SimilarImage]:
    """Call ``tagdb.similar_images``: float32 (1280,) in, the nearest images out."""
    with connection.cursor(row_factory=class_row(SimilarImage)) as cursor:
        return cursor.execute(statement("similar"), {"embedding": _halfvec(embedding), "top": top}).fetchall()
