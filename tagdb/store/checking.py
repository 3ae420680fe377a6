"""Measuring what share of the true nearest images the vector index finds, and how long that takes."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from tagdb.embedding.backbone import DIMENSIONS
from tagdb.learning.ranking import nearest, unit
from tagdb.postgres.database import Connection
from tagdb.store.factors import fetch_arrays
from tagdb.store.indexing import Progress, embedding_chunks
from tagdb.store.recommending import similar
from tagdb.store.statements import statement

OWN = 0.6
"""Share of a crossed query's numbers that are from the first image. With 0.6 as many true neighbours are
found among a million images as for held-out photos, or a little less; with 0.5 far less, and with 0.75 all,
whatever the effort. benchmarks/recommend.py compares the two."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard searching tries, for 50 neighbours; see the SQL file ``backbones_search``."""

    candidates: int
    ef_search: int


@dataclass(frozen=True, slots=True)
class IndexCheck:
    """What one effort found."""

    candidates: int
    ef_search: int
    recall: float
    """Share of the true nearest images that were found."""
    milliseconds: float
    """Median time of a search, as the program saw it."""


def sample_queries(
    connection: Connection, backbone_id: int, embeddings: int, queries: int
) -> NDArray[np.float16]:
    """Embeddings to search for, float16 (at most ``queries``, 1280), each crossed from two stored ones.

    A stored embedding would be found too easily, because the index leads to it. With some numbers from one
    image and the others from another it is about as hard to find as that of a new photo: see ``OWN``.
    """
    asked = {"backbone_id": backbone_id, "one_in": max(1, embeddings // (4 * queries)), "images": 2 * queries}
    (found,) = fetch_arrays(connection, statement("embeddings_sample"), asked, ("f2", DIMENSIONS))
    wide = found.astype(np.float32)
    half = len(wide) // 2
    one, other = wide[:half], wide[half : 2 * half]
    own = np.random.default_rng(0).random(one.shape) < OWN
    return unit(np.where(own, one, other)).astype(np.float16)


def true_neighbours(
    connection: Connection,
    backbone_id: int,
    queries: NDArray[np.float16],
    neighbours: int,
    progress: Progress = lambda what, done, total: None,
    embeddings: int = 0,
) -> NDArray[np.int64]:
    """The nearest images of each query by cosine, by comparing it with all: int64 (n, neighbours)."""
    similarity = np.zeros((len(queries), 0), np.float32)
    named = np.zeros((len(queries), 0), np.int64)
    seen = 0
    for ids, vectors in embedding_chunks(connection, "embeddings_after", {"backbone_id": backbone_id}):
        places, found = nearest(queries, vectors, neighbours)
        similarity = np.concatenate([similarity, found], axis=1)
        named = np.concatenate([named, ids[places]], axis=1)
        best = np.argsort(-similarity, axis=1, kind="stable")[:, :neighbours]
        similarity, named = np.take_along_axis(similarity, best, 1), np.take_along_axis(named, best, 1)
        seen += len(ids)
        progress("comparing with all embeddings", seen, max(embeddings, seen))
    return named


def measure(
    connection: Connection,
    backbone_id: int,
    effort: Effort,
    queries: NDArray[np.float16],
    truth: NDArray[np.int64],
) -> IndexCheck:
    """Search with an effort that nobody else comes to see: what it finds of ``true_neighbours``."""
    found, seconds = 0, []
    with connection.transaction(force_rollback=True):
        set_search_effort(connection, backbone_id, effort)
        for query, true in zip(queries, truth, strict=True):
            started = time.perf_counter()
            images = similar(connection, query, len(true))
            seconds.append(time.perf_counter() - started)
            found += len(np.intersect1d([image.image_id for image in images], true))
    return IndexCheck(
        effort.candidates, effort.ef_search, found / truth.size, 1000 * float(np.median(seconds))
    )


def note_index_checks(
    connection: Connection,
    projection_id: int,
    images: int,
    queries: int,
    neighbours: int,
    checks: Sequence[IndexCheck],
) -> None:
    """Put measurements on record: the view ``tagdb.index_checks``."""
    facts = {"projection_id": projection_id, "images": images, "queries": queries, "neighbours": neighbours}
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(statement("note_index_check"), [facts | asdict(check) for check in checks])


def set_search_effort(connection: Connection, backbone_id: int, effort: Effort) -> None:
    """Search with this effort from now on."""
    values = {"backbone_id": backbone_id, **asdict(effort)}
    connection.execute(statement("set_search_effort"), values)
