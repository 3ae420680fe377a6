"""The vector index: search vectors, the HNSW index over them, and what is searched.

See the SQL files ``projections``, ``search_vectors`` and ``candidates`` of the migrations;
:mod:`tagdb.indexing` says when an index is built and with how much memory.
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
from tagdb.postgres.database import SAFE_PATH, Connection
from tagdb.store.statements import (
    copy_arrays,
    execute,
    fetch_arrays,
    fetch_optional,
    fetch_value,
    unless_locked,
)

INDEX_FROM = 20_000
"""Embeddings from which on there is an index: an exact scan takes some 2.5 ms for each thousand."""
ROWS = 20_000
"""Embeddings read at once while search vectors are made: 50 MB."""
MEMORY_PER_VECTOR = 1150
"""Bytes that building the index needs for each search vector; 1,099 were measured."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


def no_progress(phase: str, done: int, total: int) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True)
class SearchStatus:
    """How a backbone's embeddings are searched."""

    backbone_id: int
    candidates: int
    """Images that are ranked exactly for 50 neighbours."""
    ef_search: int
    """Images that the index's walk keeps in sight."""
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
    """When the index's recall was last measured; the next three are of what was in use then."""
    checked_images: int | None
    recall: float | None
    milliseconds: float | None

    @property
    def check_due(self) -> bool:
        """Whether there is an index whose recall is not known, the collection having grown fourfold."""
        grown = max(self.checked_images or 0, INDEX_FROM) * 4
        return self.projection_id is not None and self.embeddings > grown


def status(connection: Connection, backbone_id: int | None = None) -> SearchStatus | None:
    """Return how images are searched by a backbone, or by the active one; None if there is none."""
    return fetch_optional(connection, SearchStatus, "index/status", backbone_id=backbone_id)


# --- building -------------------------------------------------------------------------------------------


def build(
    connection: Connection,
    backbone_id: int,
    progress: Progress = no_progress,
    memory: int | None = None,
) -> int:
    """Build the vector index of a backbone anew and search by it from then on; the projection's number.

    A new projection is made beside the one that is searched, in a table of its own, so that searches and
    ingests continue; making it the active one takes a moment. If anything fails, what was searched before
    still is.

    Parameters
    ----------
    memory
        Bytes that building may use; None for what it needs, as far as the server's setting allows. With
        less than it needs it takes several times as long; all of it is set aside beforehand, so more than
        it needs costs time, too.
    """
    drop_unused(connection)
    count: int = fetch_value(connection, "index/count_embeddings", backbone_id=backbone_id)
    started = datetime.now()
    if memory is None:
        memory = min(memory_needed(count), memory_set(connection))
    work_mem = "maintenance_work_mem"
    execute(connection, "session/set", setting=work_mem, value=f"{memory >> 10}kB", local=False)
    projection_id, axes = _new_projection(connection, backbone_id, count)
    try:
        done = 0
        for ids, vectors in embedding_chunks(connection, "index/embeddings_after", backbone_id=backbone_id):
            table = f"search_vectors_{projection_id}"
            _copy(connection, table, projection_id, ids, projecting.project(axes, vectors))
            done += len(ids)
            progress("making search vectors", done, max(count, done))
        with _watched(connection, progress):
            execute(connection, "index/build", projection_id=projection_id)
        execute(connection, "index/attach", projection_id=projection_id)
        for ids, vectors in embedding_chunks(
            connection, "index/embeddings_unsearched", backbone_id=backbone_id, projection_id=projection_id
        ):
            _copy(connection, "search_vectors", projection_id, ids, projecting.project(axes, vectors))
        seconds = (datetime.now() - started).total_seconds()
        execute(connection, "index/activate", projection_id=projection_id, seconds=seconds)
    finally:
        if not connection.broken:
            execute(connection, "session/reset", names={"setting": work_mem})
            execute(connection, "index/unlock", projection_id=projection_id)
            drop_unused(connection)
    return projection_id


def ensure(connection: Connection, backbone_id: int, progress: Progress = no_progress) -> bool:
    """Build the vector index of a backbone once there are enough embeddings. True if it did.

    Call it after embeddings came in: it also refreshes the planner's statistics of them, where the login
    may do that and much came in: of a million images that takes seconds, however few are new.
    """
    if fetch_value(connection, "index/embeddings_outgrown", backbone_id=backbone_id):
        partition = ("tagdb_store", f"embeddings_{backbone_id}")
        execute(connection, "index/analyze_embeddings", names={"table": partition})
    searched = status(connection, backbone_id)
    if searched is None or searched.projection_id is not None or searched.embeddings < INDEX_FROM:
        return False
    build(connection, backbone_id, progress)
    return True


def memory_needed(embeddings: int) -> int:
    """Return the bytes of memory in which the index over so many can be built, and over some more."""
    return embeddings * MEMORY_PER_VECTOR + (16 << 20)


def memory_set(connection: Connection) -> int:
    """Return the bytes that the server lets a session use for building an index by default."""
    size: int = fetch_value(connection, "index/memory_set")
    return size


def embedding_chunks(
    connection: Connection, name: str, **parameters: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
    """Read embeddings in chunks; the statement must not give again what was given before."""
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
    """Learn a projection from a sample and register it; its number and axes, float16 (192, 1280)."""
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
    """Read one in so many embeddings, float16 (at most ``images``, 1280), always the same ones."""
    (sample,) = fetch_arrays(
        connection,
        "index/embeddings_sample",
        ("f2", DIMENSIONS),
        backbone_id=backbone_id,
        one_in=max(1, one_in),
        images=images,
    )
    return sample


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
    """Report how much of the index this connection has built, by asking on another one."""
    stop = threading.Event()
    info = connection.info

    def watch() -> None:
        try:
            with psycopg.connect(info.dsn, password=info.password or None, autocommit=True) as other:
                other.execute(SAFE_PATH)
                while not stop.wait(0.5):
                    row = execute(other, "index/progress", pid=info.backend_pid).fetchone()
                    if row is not None:
                        progress("building the vector index", row[0], row[1])
        except psycopg.Error:
            return  # it is only a picture of what happens

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


# --- its life -------------------------------------------------------------------------------------------


def drop_unused(connection: Connection, wait_ms: int = 200) -> bool:
    """Drop what is no longer searched, unless somebody uses it for longer; True if nothing is left.

    What is left is tried again by the next build or ingest.
    """

    def attempt() -> bool:
        execute(connection, "index/drop_unused")
        return True

    return unless_locked(connection, wait_ms, attempt, False)


def drop(connection: Connection, backbone_id: int) -> bool:
    """Search all embeddings from now on; returns whether there was an index."""
    retired = fetch_value(connection, "index/retire", backbone_id=backbone_id)
    drop_unused(connection)
    return bool(retired)


_AXES: WeakKeyDictionary[Connection, tuple[int, NDArray[Any]]] = WeakKeyDictionary()
"""The axes that each connection has used last; those of a projection never change."""


def add_search_vectors(
    connection: Connection,
    backbone_id: int,
    image_ids: NDArray[np.int64],
    embeddings: NDArray[np.float16],
) -> None:
    """Make embeddings findable that the caller's transaction has stored: int64 (n,), float16 (n, 1280).

    Nothing to do where the backbone has no vector index.
    """
    number: int | None = fetch_value(connection, "index/searched_projection", backbone_id=backbone_id)
    if number is None:
        return
    known = _AXES.get(connection)
    if known is None or known[0] != number:
        (axes,) = fetch_arrays(connection, "index/axes", ("f2", DIMENSIONS), projection_id=number)
        known = _AXES[connection] = number, axes
    _copy(connection, "search_vectors", number, image_ids, projecting.project(known[1], embeddings))
