"""The vector index: search vectors, the HNSW index over them, and its life.

Building makes a new projection beside the one that is searched, in a table of its own that nobody reads
or writes, so that readers and ingests go on; making it the active one is a moment's work. See the SQL
files ``projections``, ``search_vectors`` and ``candidates``.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from weakref import WeakKeyDictionary

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import class_row

from tagdb.embedding.backbone import DIMENSIONS
from tagdb.learning import projecting
from tagdb.postgres.database import SAFE_PATH, Connection
from tagdb.store.factors import fetch_arrays
from tagdb.store.statements import copy_arrays, statement

INDEX_FROM = 20_000
"""Embeddings from which on there is an index: an exact scan takes some 2.5 ms for each thousand."""
ROWS = 20_000
"""Embeddings read at once while search vectors are made: 50 MB."""
MEMORY_PER_VECTOR = 1150
"""Bytes that building the index needs for each search vector; 1,099 were measured."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how far it has come, and of how many."""


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


def search_status(connection: Connection, backbone_id: int | None = None) -> SearchStatus | None:
    """How images are searched by a backbone, or by the active one; None if there is none."""
    with connection.cursor(row_factory=class_row(SearchStatus)) as cursor:
        return cursor.execute(statement("search_status"), {"backbone_id": backbone_id}).fetchone()


def new_projection(
    connection: Connection, backbone_id: int, embeddings: int
) -> tuple[int, NDArray[np.float16]]:
    """Learn a projection from a sample and register it; its number and axes, float16 (192, 1280)."""
    one_in = max(1, embeddings // projecting.SAMPLE)
    asked = {"backbone_id": backbone_id, "one_in": one_in, "images": projecting.SAMPLE}
    (sample,) = fetch_arrays(connection, statement("embeddings_sample"), asked, ("f2", DIMENSIONS))
    axes, kept = projecting.learn(cast(NDArray[np.float16], sample))
    row = connection.execute(
        "SELECT tagdb_store.new_projection(%s, %s, %s)", (backbone_id, len(sample), kept)
    ).fetchone()
    assert row is not None
    projection_id = cast(int, row[0])
    columns = (np.full(len(axes), projection_id, np.int32), np.arange(len(axes), dtype=np.int32), axes)
    copy_arrays(connection, sql.SQL("COPY tagdb_store.projection_axes FROM STDIN (FORMAT binary)"), columns)
    return projection_id, axes


def projection_axes(connection: Connection, projection_id: int) -> NDArray[np.float16]:
    """The axes of a projection, float16 (192, 1280)."""
    values = {"projection_id": projection_id}
    (axes,) = fetch_arrays(connection, statement("projection_axes"), values, ("f2", DIMENSIONS))
    return cast(NDArray[np.float16], axes)


def _copy(
    connection: Connection,
    table: str,
    projection_id: int,
    ids: NDArray[np.int64],
    vectors: NDArray[np.float16],
) -> None:
    command = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier("tagdb_store", table))
    copy_arrays(connection, command, (np.full(len(ids), projection_id, np.int32), ids, vectors))


def embedding_chunks(
    connection: Connection, name: str, values: Mapping[str, int]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
    """Embeddings in chunks; the statement must not give again what has been dealt with."""
    after = 0
    while True:
        asked = {**values, "image_id": after, "images": ROWS}
        ids, vectors = fetch_arrays(connection, statement(name), asked, "i8", ("f2", DIMENSIONS))
        if not len(ids):
            return
        after = int(ids[-1])
        yield cast(NDArray[np.int64], ids), cast(NDArray[np.float16], vectors)


def memory_needed(embeddings: int) -> int:
    """Bytes of memory in which the index over so many can be built, and over some that come meanwhile."""
    return embeddings * MEMORY_PER_VECTOR + (16 << 20)


def build_index(
    connection: Connection,
    backbone_id: int,
    progress: Progress = lambda what, done, total: None,
    memory: int | None = None,
) -> int:
    """Build the vector index of a backbone anew and search by it from then on; the projection's number.

    If anything fails, what was searched before still is.

    Parameters
    ----------
    memory : bytes that building may use; None for what it needs, as far as the server's setting allows. With
        less than it needs it takes several times as long; all of it is set aside beforehand, so that more
        than it needs costs time, too.
    """
    drop_projections(connection)
    count = cast(tuple[int], connection.execute(
        "SELECT count(*) FROM tagdb_store.embeddings e WHERE e.backbone_id = %s", (backbone_id,)
    ).fetchone())[0]  # fmt: skip
    started = datetime.now()
    if memory is None:
        memory = min(memory_needed(count), memory_set(connection))
    connection.execute("SELECT set_config('maintenance_work_mem', %s, false)", (f"{memory >> 10}kB",))
    projection_id, axes = new_projection(connection, backbone_id, count)
    try:
        done = 0
        for ids, vectors in embedding_chunks(connection, "embeddings_after", {"backbone_id": backbone_id}):
            table = f"search_vectors_{projection_id}"
            _copy(connection, table, projection_id, ids, projecting.project(axes, vectors))
            done += len(ids)
            progress("making search vectors", done, max(count, done))
        with _watched(connection, progress):
            connection.execute("SELECT tagdb_store.index_projection(%s)", (projection_id,))
        connection.execute("SELECT tagdb_store.attach_projection(%s)", (projection_id,))
        values = {"backbone_id": backbone_id, "projection_id": projection_id}
        for ids, vectors in embedding_chunks(connection, "embeddings_unsearched", values):
            _copy(connection, "search_vectors", projection_id, ids, projecting.project(axes, vectors))
        seconds = (datetime.now() - started).total_seconds()
        connection.execute("SELECT tagdb_store.activate_projection(%s, %s)", (projection_id, seconds))
    finally:
        if not connection.broken:
            connection.execute("RESET maintenance_work_mem")
            connection.execute(
                "SELECT pg_advisory_unlock(hashtext('tagdb projection'), %s)", (projection_id,)
            )
            drop_projections(connection)
    return projection_id


def memory_set(connection: Connection) -> int:
    """Bytes that the server lets a session use for building an index, unless it asks for others."""
    row = connection.execute("SELECT pg_size_bytes(current_setting('maintenance_work_mem'))").fetchone()
    assert row is not None
    return cast(int, row[0])


@contextmanager
def _watched(connection: Connection, progress: Progress) -> Iterator[None]:
    """Report how far the index that this connection builds has come, by asking on another one."""
    stop = threading.Event()
    info = connection.info

    def watch() -> None:
        try:
            with psycopg.connect(info.dsn, password=info.password or None, autocommit=True) as other:
                other.execute(SAFE_PATH)
                while not stop.wait(0.5):
                    row = other.execute(statement("index_progress"), {"pid": info.backend_pid}).fetchone()
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


def drop_projections(connection: Connection, wait_ms: int = 200) -> bool:
    """Drop what is not searched any more, unless somebody uses it for longer; whether that was all of it.

    While it waits, readers wait, too, so that it must be short; the next build or ingest tries again.
    """
    try:
        with connection.transaction():
            connection.execute("SELECT set_config('lock_timeout', %s, true)", (f"{wait_ms}ms",))
            connection.execute("SELECT tagdb_store.drop_projections()")
    except psycopg.errors.LockNotAvailable:
        return False
    return True


def drop_index(connection: Connection, backbone_id: int) -> bool:
    """Search by looking at all embeddings from now on; whether it was otherwise."""
    row = connection.execute("SELECT tagdb_store.retire_projection(%s)", (backbone_id,)).fetchone()
    drop_projections(connection)
    return bool(row and row[0])


def ensure_vector_index(
    connection: Connection, backbone_id: int, progress: Progress = lambda what, done, total: None
) -> bool:
    """Build the vector index of a backbone once there are enough embeddings. True if it did.

    Call it after embeddings came in: it also refreshes the planner's statistics of them, where the login
    may do that and much came in: of a million images that takes seconds, however few are new.
    """
    row = connection.execute(statement("embeddings_outgrown"), {"backbone_id": backbone_id}).fetchone()
    if row is not None and row[0]:
        partition = sql.Identifier("tagdb_store", f"embeddings_{backbone_id}")
        connection.execute(sql.SQL("ANALYZE {} (backbone_id, image_id)").format(partition))
    status = search_status(connection, backbone_id)
    if status is None or status.projection_id is not None:
        return False
    if status.embeddings < INDEX_FROM:
        return False
    build_index(connection, backbone_id, progress)
    return True


_AXES: WeakKeyDictionary[Connection, tuple[int, NDArray[np.float16]]] = WeakKeyDictionary()
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
    row = connection.execute("SELECT tagdb_store.searched_projection(%s)", (backbone_id,)).fetchone()
    projection_id = cast(int | None, row[0]) if row else None
    if projection_id is None:
        return
    known = _AXES.get(connection)
    if known is None or known[0] != projection_id:
        known = _AXES[connection] = projection_id, projection_axes(connection, projection_id)
    _copy(connection, "search_vectors", projection_id, image_ids, projecting.project(known[1], embeddings))
