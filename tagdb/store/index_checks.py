"""Measure recall and speed of the vector index."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from tagdb.learning import projecting, ranking
from tagdb.postgres.database import Connection
from tagdb.store import answers, index
from tagdb.store.index import Progress, no_progress
from tagdb.store.statements import execute


@dataclass(frozen=True, slots=True)
class Effort:
    """Search effort for 50 neighbours; see the columns of the table ``backbones``."""

    candidates: int
    ef_search: int


@dataclass(frozen=True, slots=True)
class IndexCheck:
    """Measurement of one effort."""

    candidates: int
    ef_search: int
    recall: float
    """Share of the true nearest images found."""
    milliseconds: float
    """Median time of a search, as seen by the program."""


def sample_queries(
    connection: Connection, backbone_id: int, embeddings: int, queries: int
) -> NDArray[np.float16]:
    """Return embeddings to search for, float16 (at most ``queries``, 1280).

    Each is crossed from two stored embeddings; see :func:`tagdb.learning.projecting.crossed`.
    """
    one_in = embeddings // (4 * queries)
    return projecting.crossed(index.sample_embeddings(connection, backbone_id, one_in, 2 * queries))


def true_neighbours(
    connection: Connection,
    backbone_id: int,
    queries: NDArray[np.float16],
    neighbours: int,
    progress: Progress = no_progress,
    embeddings: int = 0,
) -> NDArray[np.int64]:
    """Return the true nearest images of each query by cosine similarity, int64 (n, neighbours)."""
    nearest = ranking.Nearest.of(len(queries))
    seen = 0
    for ids, vectors in index.embedding_chunks(connection, "index/embeddings_after", backbone_id=backbone_id):
        nearest = nearest.with_more(queries, ids, vectors, neighbours)
        seen += len(ids)
        progress("comparing with all embeddings", seen, max(embeddings, seen))
    return nearest.ids


def measure(
    connection: Connection,
    backbone_id: int,
    effort: Effort,
    queries: NDArray[np.float16],
    truth: NDArray[np.int64],
) -> IndexCheck:
    """Measure an effort, set for this session only, against ``true_neighbours``."""
    hits, seconds = 0, []
    with connection.transaction(force_rollback=True):
        set_effort(connection, backbone_id, effort)
        for query, true in zip(queries, truth, strict=True):
            started = time.perf_counter()
            images = answers.similar(connection, query, len(true))
            seconds.append(time.perf_counter() - started)
            hits += len(np.intersect1d([image.image_id for image in images], true))
    milliseconds = 1000 * float(np.median(seconds))
    return IndexCheck(effort.candidates, effort.ef_search, hits / truth.size, milliseconds)


def note(
    connection: Connection,
    projection_id: int,
    images: int,
    queries: int,
    neighbours: int,
    checks: Sequence[IndexCheck],
) -> None:
    """Record measurements in the view ``tagdb.index_checks``."""
    with connection.transaction():
        for check in checks:
            execute(
                connection,
                "index/note_check",
                projection_id=projection_id,
                images=images,
                queries=queries,
                neighbours=neighbours,
                **asdict(check),
            )


def set_effort(connection: Connection, backbone_id: int, effort: Effort) -> None:
    """Use this effort from now on."""
    execute(connection, "index/set_effort", backbone_id=backbone_id, **asdict(effort))
