"""Fills a database directly, without photos: what tests of the store and of the SQL start from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from tagdb import store
from tagdb.embedding.backbone import Identity
from tagdb.learning.als import Weighting
from tagdb.learning.model import Maps, Model
from tagdb.learning.settings import FactorSettings
from tagdb.postgres import pgcopy
from tagdb.postgres.database import Connection

DIMENSIONS = 1280


def identity(number: int = 0) -> Identity:
    """A backbone that nobody has."""
    return Identity(f"test {number}", 96, hashlib.sha256(b"%d" % number).digest())


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float16]:
    """Vectors brought to length 1, as they are stored."""
    wide = np.asarray(vectors, np.float64)
    lengths = np.linalg.norm(wide, axis=-1, keepdims=True)
    return (wide / np.where(lengths > 0, lengths, 1)).astype(np.float16)


def features(count: int, seed: int = 0) -> NDArray[np.float16]:
    """Embeddings like MobileNet's, float16 (count, 1280): none negative, a third zero, of length 1."""
    drawn = np.random.default_rng(seed).standard_normal((count, DIMENSIONS))
    return unit(np.maximum(drawn + 0.4, 0))


def clustered(count: int, seed: int = 0) -> NDArray[np.float16]:
    """Embeddings of photos of 64 kinds, as real ones are: there are near neighbours to find."""
    rng = np.random.default_rng(seed)
    kinds = np.abs(rng.standard_normal((64, DIMENSIONS)))
    mixture = rng.dirichlet(np.full(64, 0.1), count)
    return unit(np.maximum(mixture @ kinds + 0.35 * rng.standard_normal((count, DIMENSIONS)), 0))


def image(number: int, *hashtags: str, embedded: bool = True, **said: object) -> store.batches.Image:
    """One image of a batch; the number stands for its content."""
    digest = hashlib.sha256(b"photo %d" % number).digest()
    found = store.batches.Image(digest, f"file:///{number}.jpg", hashtags)
    if embedded:
        found.media_type, found.width, found.height, found.byte_count = "image/jpeg", 40, 30, 1000 + number
        found.embedding = features(1, number)[0].astype(np.float32)
        found.thumbnail, found.original = b"thumbnail %d" % number, b"original %d" % number
    for name, value in said.items():
        setattr(found, name, value)
    return found


def active_backbone(connection: Connection) -> int:
    """The number of the active backbone."""
    found = store.backbones.active(connection)
    assert found is not None
    return found.backbone_id


def add_images(connection: Connection, count: int) -> NDArray[np.int64]:
    """Store images without anything; returns their ids."""
    rows = connection.execute(
        "INSERT INTO tagdb_store.images (content_sha256, uri, media_type, width, height, bytes)"
        " SELECT sha256(n::text::bytea), 'file:///' || n || '.jpg', 'image/jpeg', 40, 30, 1000"
        " FROM generate_series(1, %s) n RETURNING image_id",
        (count,),
    )
    return np.array([row[0] for row in rows], np.int64)


def add_hashtags(connection: Connection, names: Sequence[str]) -> NDArray[np.int32]:
    """Store hashtags; returns their ids."""
    rows = connection.execute(
        "INSERT INTO tagdb_store.hashtags (hashtag) SELECT unnest(%s::text[]) RETURNING hashtag_id",
        (list(names),),
    )
    return np.array([row[0] for row in rows], np.int32)


def copy(connection: Connection, table: str, *columns: pgcopy.Column) -> None:
    """Fill the first columns of a table of tagdb_store; the others get their defaults."""
    names = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = format('tagdb_store.%%I', %s::text)::regclass"
        " AND attnum > 0 AND NOT attisdropped ORDER BY attnum LIMIT %s",
        (table, len(columns)),
    ).fetchall()
    command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier("tagdb_store", table), sql.SQL(", ").join(sql.Identifier(name) for (name,) in names)
    )
    with connection.cursor() as cursor, cursor.copy(command) as stream:
        for chunk in pgcopy.encode(*columns):
            stream.write(chunk)


def add_embeddings(
    connection: Connection, backbone_id: int, image_ids: NDArray[np.int64], vectors: NDArray[np.float16]
) -> None:
    """Store embeddings as they are."""
    copy(connection, "embeddings", np.full(len(image_ids), backbone_id, np.int32), image_ids, vectors)


def begin_run(
    connection: Connection, factors: int, neighbours: int = 50, similarity_exponent: float = 8.0
) -> int:
    """A factor run in status building."""
    plan = FactorSettings(
        factors=factors,
        min_hashtags=1,
        neighbours=neighbours,
        contrast=0,
        similarity_exponent=similarity_exponent,
    )
    return store.runs.begin(connection, plan, {})


def add_run(
    connection: Connection,
    image_ids: NDArray[np.int64],
    image_factors: NDArray[np.float16],
    hashtag_ids: NDArray[np.int32],
    hashtag_factors: NDArray[np.float16],
    neighbours: int = 50,
    similarity_exponent: float = 8.0,
    hashtag_images: NDArray[np.int32] | None = None,
) -> int:
    """A factor run, stored and made the active one."""
    run = begin_run(connection, hashtag_factors.shape[1], neighbours, similarity_exponent)
    model = Model(
        FactorSettings(min_hashtags=1, contrast=0),
        image_ids,
        image_factors,
        hashtag_ids,
        hashtag_factors,
        np.ones(len(hashtag_ids), np.int32) if hashtag_images is None else hashtag_images,
        len(image_ids),
        Maps(
            np.eye(hashtag_factors.shape[1], dtype=np.float32),
            Weighting("none", len(image_ids), 1.0, 1.0, 1.0),
            None,
        ),
    )
    store.runs.save(connection, run, model, 0.0)
    store.runs.activate(connection, run)
    return run


@dataclass(frozen=True, slots=True)
class World:
    """What :func:`world` has stored."""

    backbone_id: int
    image_ids: NDArray[np.int64]
    embeddings: NDArray[np.float16]
    hashtags: list[str]
    hashtag_ids: NDArray[np.int32]
    image_factors: NDArray[np.float16]
    hashtag_factors: NDArray[np.float16]
    factor_run_id: int


def world(
    connection: Connection,
    images: int = 20,
    hashtags: int = 8,
    factors: int = 4,
    seed: int = 1,
    add_run: Callable[..., int] = add_run,
) -> World:
    """A database to recommend from: every image with an embedding, hashtags and factors."""
    rng = np.random.default_rng(seed)
    backbone_id = store.backbones.add(connection, identity())
    image_ids = add_images(connection, images)
    embeddings = features(images, seed)
    add_embeddings(connection, backbone_id, image_ids, embeddings)
    names = [f"tag{n}" for n in range(hashtags)]
    hashtag_ids = add_hashtags(connection, names)
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO tagdb_store.image_hashtags (image_id, hashtag_id) VALUES (%s, %s)",
            [(int(i), int(hashtag_ids[n % hashtags])) for n, i in enumerate(image_ids)],
        )
    image_factors = rng.standard_normal((images, factors)).astype(np.float16)
    hashtag_factors = rng.standard_normal((hashtags, factors)).astype(np.float16)
    run = add_run(connection, image_ids, image_factors, hashtag_ids, hashtag_factors)
    return World(backbone_id, image_ids, embeddings, names, hashtag_ids, image_factors, hashtag_factors, run)


def literal(vector: NDArray[np.floating]) -> str:
    """A halfvec as PostgreSQL reads it."""
    return "[" + ",".join(map(repr, np.asarray(vector, np.float16).tolist())) + "]"


def add_index(connection: Connection, backbone_id: int) -> int:
    """Build the vector index, however few embeddings there are, and note a check of it; its number."""
    projection_id = store.index.build(connection, backbone_id)
    connection.execute(
        "INSERT INTO tagdb_store.index_checks"
        " (projection_id, checked_at, images, queries, neighbours, candidates, ef_search, recall,"
        " milliseconds)"
        " SELECT %s, '2026-06-01 12:00:04+00', count(*), 200, 50, 200, 200, 0.98, 1.5"
        " FROM tagdb_store.embeddings WHERE backbone_id = %s",
        (projection_id, backbone_id),
    )
    return projection_id
