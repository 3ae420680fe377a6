"""The vector index: search vectors, the HNSW index over them, and what is searched.

:func:`ensure` decides when an ingest builds it, :mod:`tagdb.indexing` with how much memory a person does. See
also the SQL files ``projections``, ``search_vectors`` and ``candidates`` of the migrations.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import psycopg
from numpy.typing import NDArray

from tagdb.embedding.backbone import DIMENSIONS
from tagdb.learning import projecting
from tagdb.postgres import pooled
from tagdb.postgres.database import Connection
from tagdb.postgres.session_settings import settle
from tagdb.store.statements import (
    copy_arrays,
    execute,
    fetch_arrays,
    fetch_optional,
    fetch_value,
    unless_locked,
)

INDEX_FROM = 2000
"""Number of embeddings from which there is an index. A scan of as many embeddings takes as long as a search
by the index, and longer with each more (benchmarks/by_size.py)."""
OUTGROWN = 4
"""An index is built anew when there are so many times as many embeddings as its axes were learned from,
unless those were a whole sample already."""
CHECK_FROM = 80_000
"""Number of embeddings from which recall should be measured; with fewer, the first settings find enough."""
ROWS = 20_000
"""Embeddings read at a time for search vectors: 50 MB."""
MEMORY_PER_VECTOR = 1150
"""Memory that building the index needs per search vector, in bytes; 1,099 were measured."""

Progress = Callable[[str, int, int], None]
"""Called with the phase, the work done, and the total."""


def no_progress(phase: str, done: int, total: int) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True)
class SearchStatus:
    """State of searching a backbone's embeddings."""

    backbone_id: int
    candidates: int
    """Candidates that are ranked exactly for 50 neighbours."""
    ef_search: int
    """Size of the index's candidate list during a search."""
    projection_id: int | None
    created_at: datetime | None
    learned_from: int | None
    kept: float | None
    build_seconds: float | None
    embeddings: int
    embeddings_bytes: int
    search_vectors: int
    search_vectors_bytes: int
    index_bytes: int
    checked_at: datetime | None
    """When recall was last measured; the next three fields belong to this measurement."""
    checked_images: int | None
    recall: float | None
    milliseconds: float | None

    @property
    def check_due(self) -> bool:
        """Whether there is an index over more than four times as many images as in the last check."""
        grown = max((self.checked_images or 0) * 4, CHECK_FROM)
        return self.projection_id is not None and self.embeddings > grown

    @property
    def build_due(self) -> bool:
        """Whether an ingest should build the index: there is none, or its axes are from too few images."""
        if self.projection_id is None or self.learned_from is None:
            return self.embeddings >= INDEX_FROM
        # A sample of 20,000 comes out a little smaller by chance.
        whole = self.learned_from >= 0.9 * projecting.SAMPLE
        return not whole and self.embeddings >= max(OUTGROWN * self.learned_from, INDEX_FROM)


def status(connection: Connection, backbone_id: int | None = None) -> SearchStatus | None:
    """Return the state for a backbone, or for the active one; None without a backbone."""
    return fetch_optional(connection, SearchStatus, "index/status", backbone_id=backbone_id)


# --- building -------------------------------------------------------------------------------------------


def build(
    connection: Connection,
    backbone_id: int,
    progress: Progress = no_progress,
    memory: int | None = None,
) -> int:
    """Rebuild the vector index of a backbone and use it from then on; return the projection's number.

    A new projection is created next to the one in use, in a separate table, so that searches and ingests
    continue; activating it takes a moment. If anything fails, the old one stays in use.

    Parameters
    ----------
    memory
        Memory for the build in bytes; None for as much as it needs, within the server's setting. With less it
        takes several times as long. All of it is allocated first, so too much also costs time.
    """
    drop_unused(connection)
    embeddings = count(connection, backbone_id)
    started = datetime.now()
    if memory is None:
        memory = min(memory_needed(embeddings), memory_set(connection))
    work_mem = "maintenance_work_mem"
    execute(connection, "session/set", setting=work_mem, value=f"{memory >> 10}kB", local=False)
    projection_id, axes = _new_projection(connection, backbone_id, embeddings)
    try:
        done = 0
        for ids, vectors in embedding_chunks(connection, "index/embeddings_after", backbone_id=backbone_id):
            table = f"search_vectors_{projection_id}"
            _copy(connection, table, projection_id, ids, projecting.project(axes, vectors))
            done += len(ids)
            progress("making search vectors", done, max(embeddings, done))
        with _watched(connection, progress):
            execute(connection, "index/build", projection_id=projection_id)
        execute(connection, "index/attach", projection_id=projection_id)
        _add_unsearched(connection, backbone_id, projection_id, axes)
        seconds = (datetime.now() - started).total_seconds()
        execute(connection, "index/activate", projection_id=projection_id, seconds=seconds)
    finally:
        if not connection.broken:
            execute(connection, "session/reset", names={"setting": work_mem})
            execute(connection, "index/unlock", projection_id=projection_id)
            drop_unused(connection)
    return projection_id


def _add_unsearched(
    connection: Connection, backbone_id: int, projection_id: int, axes: NDArray[np.float16]
) -> None:
    """Add the images that came in while the index was built; again if one of them was removed meanwhile."""
    while True:
        try:
            for ids, vectors in embedding_chunks(
                connection,
                "index/embeddings_unsearched",
                backbone_id=backbone_id,
                projection_id=projection_id,
            ):
                _copy(connection, "search_vectors", projection_id, ids, projecting.project(axes, vectors))
        except (psycopg.errors.ForeignKeyViolation, psycopg.errors.DeadlockDetected):
            continue
        return


def ensure(connection: Connection, backbone_id: int, progress: Progress = no_progress) -> bool:
    """Build the vector index of a backbone if there are enough embeddings; return whether it was built.

    While there are few, it is built anew as they grow in number, with axes learned from more of them. Call it
    after storing embeddings: it also refreshes their planner statistics, if the login may do that and many
    are new; with a million images that takes seconds, however few are new. Through a pooler nothing is built.
    """
    if fetch_value(connection, "index/embeddings_outgrown", backbone_id=backbone_id):
        partition = ("tagdb_store", f"embeddings_{backbone_id}")
        execute(connection, "index/analyze_embeddings", names={"table": partition})
    searched = status(connection, backbone_id)
    if searched is None or not searched.build_due or pooled.is_pooled(connection):
        return False
    build(connection, backbone_id, progress)
    return True


def memory_needed(embeddings: int) -> int:
    """Return the memory for building the index over a number of embeddings, with a margin, in bytes."""
    return embeddings * MEMORY_PER_VECTOR + (16 << 20)


def memory_set(connection: Connection) -> int:
    """Return the memory that the server allows a session for building an index by default, in bytes."""
    size: int = fetch_value(connection, "index/memory_set")
    return size


def embedding_chunks(
    connection: Connection, name: str, **parameters: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
    """Read embeddings in chunks; the statement must not return any of them twice."""
    after = 0
    while True:
        ids, vectors = fetch_arrays(
            connection, name, "i8", ("f2", DIMENSIONS), image_id=after, images=ROWS, **parameters
        )
        if not len(ids):
            return
        after = int(ids[-1])
        yield ids, vectors


def _new_projection(
    connection: Connection, backbone_id: int, embeddings: int
) -> tuple[int, NDArray[np.float16]]:
    """Learn a projection from a sample and register it; return its number and axes, float16 (192, 1280)."""
    sample = sample_embeddings(connection, backbone_id, embeddings // projecting.SAMPLE, projecting.SAMPLE)
    axes, kept = projecting.learn(sample)
    projection_id: int = fetch_value(
        connection, "index/new_projection", backbone_id=backbone_id, learned_from=len(sample), kept=kept
    )
    number = np.full(len(axes), projection_id, np.int32)
    copy_arrays(connection, "index/copy_axes", number, np.arange(len(axes), dtype=np.int32), axes)
    return projection_id, axes


def sample_embeddings(
    connection: Connection, backbone_id: int, one_in: int, images: int
) -> NDArray[np.float16]:
    """Read a fixed sample of embeddings, float16 (at most ``images``, 1280)."""
    (sample,) = fetch_arrays(
        connection,
        "index/embeddings_sample",
        ("f2", DIMENSIONS),
        backbone_id=backbone_id,
        one_in=max(1, one_in),
        images=images,
    )
    return sample


def count(connection: Connection, backbone_id: int) -> int:
    """Return the number of embeddings by a backbone."""
    number: int = fetch_value(connection, "index/count_embeddings", backbone_id=backbone_id)
    return number


def read_search_vectors(
    connection: Connection, backbone_id: int
) -> tuple[NDArray[np.float16], NDArray[np.int64], NDArray[np.float16]] | None:
    """Read the search vectors of a backbone, in the caller's transaction.

    Returns
    -------
    axes : float16 (192, 1280)
    image_ids : int64 (n,), in any order
    vectors : float16 (n, 192)
        None, instead of these, if the backbone has no vector index.
    """
    execute(connection, "index/attached_projections", backbone_id=backbone_id)  # from here on, they stay
    number: int | None = fetch_value(connection, "index/searched", backbone_id=backbone_id)
    if number is None:
        return None
    (axes,) = fetch_arrays(connection, "index/axes", ("f2", DIMENSIONS), projection_id=number)
    vector = ("f2", projecting.DIMENSIONS)
    ids, vectors = fetch_arrays(connection, "index/search_vectors", "i8", vector, projection_id=number)
    return axes, ids, vectors


def _copy(
    connection: Connection,
    table: str,
    projection_id: int,
    ids: NDArray[np.int64],
    vectors: NDArray[np.float16],
) -> None:
    number = np.full(len(ids), projection_id, np.int32)
    names = {"table": ("tagdb_store", table)}
    copy_arrays(connection, "index/copy_search_vectors", number, ids, vectors, names=names)


@contextmanager
def _watched(connection: Connection, progress: Progress) -> Iterator[None]:
    """Report how much of the index this connection has built, by queries on another connection."""
    stop = threading.Event()
    info = connection.info

    def watch() -> None:
        try:
            connect = pooled.Connection.connect
            with connect(info.dsn, password=info.password or None, autocommit=True) as other:
                settle(other)
                while not stop.wait(0.5):
                    row = execute(other, "index/progress", pid=info.backend_pid).fetchone()
                    if row is not None:
                        progress("building the vector index", row[0], row[1])
        except psycopg.Error:
            return  # it only shows progress

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


# --- its life -------------------------------------------------------------------------------------------


def drop_unused(connection: Connection, wait_ms: int = 200) -> bool:
    """Drop unused projections, unless they are in use for too long; return whether none is left.

    The next build or ingest tries again.
    """

    def attempt() -> bool:
        execute(connection, "index/drop_unused")
        return True

    return unless_locked(connection, wait_ms, attempt, False)


def drop(connection: Connection, backbone_id: int) -> bool:
    """Scan all embeddings from now on; return whether there was an index."""
    retired = fetch_value(connection, "index/retire", backbone_id=backbone_id)
    drop_unused(connection)
    return bool(retired)


_AXES: WeakKeyDictionary[Connection, tuple[int, NDArray[Any]]] = WeakKeyDictionary()
"""Last axes used by each connection; those of a projection never change."""


def add_search_vectors(
    connection: Connection,
    backbone_id: int,
    image_ids: NDArray[np.int64],
    embeddings: NDArray[np.float16],
) -> None:
    """Add embeddings that the caller's transaction has stored, (n,) and (n, 1280), to the vector index.

    Does nothing if the backbone has no vector index.
    """
    numbers: list[int] = fetch_value(connection, "index/attached_projections", backbone_id=backbone_id)
    for number in numbers:
        known = _AXES.get(connection)
        if known is None or known[0] != number:
            (axes,) = fetch_arrays(connection, "index/axes", ("f2", DIMENSIONS), projection_id=number)
            known = _AXES[connection] = number, axes
        _copy(connection, "search_vectors", number, image_ids, projecting.project(known[1], embeddings))
