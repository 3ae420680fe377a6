"""Databases of any size for benchmarks, with embeddings like real ones and matching hashtags.

A synthetic embedding is that of a real photo, mixed with up to a quarter of another's, with noise of the
photos' own covariance, and never negative. With this noise, a held-out photo has neighbours as near as among
real photos, and as many zeros. The hashtags of a synthetic image are drawn by Zipf's law, from those of its
photo's topic and from all.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from psycopg import sql

from tagdb import config, scenes, store
from tagdb.embedding.backbone import Backbone, resolve
from tagdb.errors import RejectedInput
from tagdb.photos import images
from tagdb.postgres import pgcopy
from tagdb.postgres.database import Connection

NOISE = 0.7
LEAST_OWN = 0.75
RANK = 512
CHUNK = 20_000
TOPICS = 500


def photos(folder: str | None, backbone: str, drawn: int = 2000) -> tuple[np.ndarray, Backbone]:
    """Return embeddings of photos in a folder or drawn scenes, float32 (n, 1280), and their backbone."""
    network = resolve(backbone, None, None, config.load().backbone_cache)
    size = network.identity.input_size

    def of_file(path: Path) -> np.ndarray | None:
        try:
            return network.embed(images.decode(path.read_bytes(), size).pixels)
        except (RejectedInput, OSError):
            return None

    def of_scene(n: int) -> np.ndarray | None:
        picture = scenes.scene(scenes.COLLECTIONS[n % 10], n).picture
        return network.embed(np.asarray(picture.resize((size, size))))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        if folder:
            kinds = {".jpg", ".jpeg", ".png", ".webp"}
            paths = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in kinds)
            found = list(pool.map(of_file, paths))
        else:
            found = list(pool.map(of_scene, range(drawn)))
    return np.stack([one for one in found if one is not None]), network


class Embeddings:
    """Draws embeddings like those of given photos."""

    def __init__(self, like: np.ndarray, seed: int = 0) -> None:
        self.like = like
        self.rng = np.random.default_rng(seed)
        _, sizes, axes = np.linalg.svd(like - like.mean(0), full_matrices=False)
        self.covariance = (axes[:RANK] * (sizes[:RANK] / np.sqrt(len(like)))[:, None]).astype(np.float32)

    def draw(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return embeddings, float16 (count, 1280), and the photo each is based on, (count,)."""
        own, other = self.rng.integers(0, len(self.like), (2, count))
        share = self.rng.uniform(LEAST_OWN, 1, (count, 1)).astype(np.float32)
        noise = self.rng.standard_normal((count, len(self.covariance)), np.float32) @ self.covariance
        drawn = np.maximum(share * self.like[own] + (1 - share) * self.like[other] + NOISE * noise, 0)
        return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float16), own


def _zipf(rng: np.random.Generator, hashtags: int, shape: tuple[int, int]) -> np.ndarray:
    """Draw hashtags by popularity, 0 the most used, with density about 1 / (place + 20)."""
    low, high = np.log(20.0), np.log(hashtags + 20.0)
    return np.minimum(np.exp(rng.uniform(low, high, shape)) - 20, hashtags - 1).astype(np.int64)


def hashtags_of(rng: np.random.Generator, like: np.ndarray, hashtags: int, each: int) -> np.ndarray:
    """Draw hashtags of images, int64 (n, each), from 1; two of three depend on the photo's topic."""
    topic = like % TOPICS
    drawn = _zipf(rng, hashtags, (len(like), each))
    own = _zipf(rng, max(hashtags // TOPICS * 4, 50), (len(like), each))
    scattered = (own * 7919 + topic[:, None] * 104_729) % hashtags
    return np.where(rng.random(drawn.shape) < 2 / 3, scattered, drawn) + 1


def _copy(connection: Connection, table: str, columns: str, *values: pgcopy.Column) -> None:
    command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier("tagdb_store", table), sql.SQL(", ").join(map(sql.Identifier, columns.split()))
    )
    with connection.cursor() as cursor, cursor.copy(command) as stream:
        for chunk in pgcopy.encode(*values):
            stream.write(chunk)


def fill(
    connection: Connection, backbone: Backbone, like: np.ndarray, count: int, hashtags: int, each: int = 14
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Store images with embeddings and hashtags; yield the ids and embeddings of each chunk.

    References are not checked, because that is not what is measured.
    """
    source, rng = Embeddings(like), np.random.default_rng(1)
    backbone_id = store.backbones.add(connection, backbone.identity)
    run_id = store.ingest_runs.begin(connection, ["synthetic"])
    connection.execute("SET session_replication_role = replica")
    connection.execute(
        "INSERT INTO tagdb_store.images"
        " (content_sha256, uri, media_type, width, height, bytes, collection, ingest_run_id)"
        " SELECT sha256(n::text::bytea), 'file:///photos/' || n || '.jpg', 'image/jpeg', 640, 480, 80000,"
        " 'collection' || mod(n, 10), %s FROM generate_series(1, %s) n",
        (run_id, count),
    )
    connection.execute(
        "INSERT INTO tagdb_store.hashtags (hashtag) SELECT 'tag' || n FROM generate_series(1, %s) n",
        (hashtags,),
    )
    for start in range(0, count, CHUNK):
        ids = np.arange(start + 1, min(start + CHUNK, count) + 1, dtype=np.int64)
        embeddings, own = source.draw(len(ids))
        _copy(
            connection,
            "embeddings",
            "backbone_id image_id embedding",
            np.full(len(ids), backbone_id, np.int32),
            ids,
            embeddings,
        )
        drawn = np.unique(ids[:, None] * (hashtags + 1) + hashtags_of(rng, own, hashtags, each))
        image, hashtag = drawn // (hashtags + 1), (drawn % (hashtags + 1)).astype(np.int32)
        _copy(connection, "image_hashtags", "image_id hashtag_id", image, hashtag)
        yield ids, embeddings
    connection.execute("SET session_replication_role = origin")
    store.ingest_runs.finish(connection, run_id)
    connection.execute("VACUUM ANALYZE")
