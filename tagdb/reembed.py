"""Changing the backbone: every stored image is embedded by another one, beside the embeddings in use.

Until the switch everybody goes on with the old backbone, and so do ingests: what they bring meanwhile is
embedded as well before the switch, which excludes batches and is one transaction. A batch of embeddings is
one, too, so that whoever was interrupted goes on where it was.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tagdb import images, indexing, store
from tagdb.backbone import Backbone
from tagdb.database import Connection
from tagdb.errors import BackboneError, DatabaseError, RejectedInput
from tagdb.ingest import BATCH, CHUNK, WINDOW, WINDOW_BYTES, read_file
from tagdb.manifests import path_of
from tagdb.progress import Report, track
from tagdb.worker import Workers

FETCHED_TOGETHER = 32
"""Contents that are fetched by one query, unless they come to more than ``FETCHED_BYTES``."""
FETCHED_BYTES = 8 << 20
PATIENCE = 60.0
"""Seconds for which whoever is in the way is waited for, in short attempts."""
PAUSE = 0.3
"""Seconds between two attempts."""

Found = TypeVar("Found")


@dataclass(slots=True)
class Summary:
    """What became of the images."""

    backbone_id: int
    embedded: int = 0
    """By this very run."""
    rejected: dict[int, store.Rejected] = field(default_factory=dict)
    """By image: what could not be embedded, and why."""
    indexed: bool = False
    """Whether the vector index was built."""
    switched: bool = False
    """Whether it has become the active backbone."""
    active: bool = False
    """Whether it is the active backbone now."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of an image: its embedding, or why there is none."""

    image: store.Unembedded
    embedding: NDArray[np.float32] | None
    reason: str | None = None


class _Reembedding:
    """One run."""

    def __init__(
        self,
        connection: Connection,
        backbone: Backbone,
        quiet: bool,
        on_rejected: Callable[[store.Rejected], None],
    ) -> None:
        self.connection = connection
        self.backbone = backbone
        self.quiet = quiet
        self.on_rejected = on_rejected
        self.summary = Summary(_added(connection, backbone))
        self.batch: dict[bytes, NDArray[np.float32]] = {}

    def run(self, switch: bool, allow_missing: bool) -> Summary:
        started = time.monotonic()
        summary = self.summary
        with store.filling(self.connection, summary.backbone_id) as alone:
            if not alone:
                raise BackboneError(
                    f"another process is embedding by {self.backbone.identity}, or dropping it; "
                    "wait for it, or end it, and run the same command again"
                )
            self._embed_missing()
            with indexing.phases("vectors", self.quiet) as progress:
                summary.indexed = store.ensure_vector_index(self.connection, summary.backbone_id, progress)
            summary.active = _is_active(self.connection, summary.backbone_id)
            if switch and not summary.active and (allow_missing or not summary.rejected):
                while _switched(self.connection, summary.backbone_id, summary.rejected):
                    self._embed_missing()  # what came in the meantime
                summary.active = summary.switched = True
        summary.seconds = time.monotonic() - started
        return summary

    def _embed_missing(self) -> None:
        """Embed what is missing, again and again until nothing is but what was rejected."""
        known = next(b for b in store.backbones(self.connection) if b.backbone_id == self.summary.backbone_id)
        missing = known.of_images - known.images - len(self.summary.rejected)
        threads = os.cpu_count() or 1
        pool = ThreadPoolExecutor(threads, thread_name_prefix="tagdb-reembed")
        workers = Workers(self.backbone, self.backbone.identity.input_size, threads)
        before = self.summary.embedded
        with track("embedding", max(missing, 0), "photos", self.quiet) as report:
            try:
                while self._pass(pool, workers, lambda done: report(done - before), threads):
                    pass
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
                workers.close()
                pool.shutdown()

    def _pass(self, pool: ThreadPoolExecutor, workers: Workers, report: Report, threads: int) -> int:
        """Go through all images once; how many were looked at."""
        before = self._looked_at
        waiting: deque[tuple[Future[_Outcome], int]] = deque()
        held = 0
        for image, content in self._contents():
            size = len(content or b"")
            waiting.append((pool.submit(_embedded, workers, image, content), size))
            held += size
            while len(waiting) > WINDOW or (held > WINDOW_BYTES and len(waiting) > threads):
                held -= self._take(*waiting.popleft(), report)
        while waiting:
            self._take(*waiting.popleft(), report)
        self._store(report)
        return self._looked_at - before

    @property
    def _looked_at(self) -> int:
        return self.summary.embedded + len(self.summary.rejected)

    def _contents(self) -> Iterator[tuple[store.Unembedded, bytes | None]]:
        """The images that are missing, and their contents where those are stored."""
        after = 0
        while chunk := store.images_without(self.connection, self.summary.backbone_id, after, CHUNK):
            after = chunk[-1].image_id
            together: list[store.Unembedded] = []
            size = 0
            for image in chunk:
                if image.image_id in self.summary.rejected:
                    continue
                together.append(image)
                size += image.original_bytes or 0
                if len(together) >= FETCHED_TOGETHER or size >= FETCHED_BYTES:
                    yield from self._fetched(together)
                    together, size = [], 0
            yield from self._fetched(together)

    def _fetched(self, together: list[store.Unembedded]) -> Iterator[tuple[store.Unembedded, bytes | None]]:
        stored = [image.image_id for image in together if image.original_bytes is not None]
        found = store.originals(self.connection, stored) if stored else {}
        for image in together:
            yield image, found.pop(image.image_id, None)

    def _take(self, work: Future[_Outcome], size: int, report: Report) -> int:
        """Put what became of an image into the batch; returns the size that is not held any more."""
        outcome = work.result()
        if outcome.embedding is not None:
            self.batch[outcome.image.content_sha256] = outcome.embedding
        else:
            rejected = store.Rejected(outcome.image.uri, None, outcome.reason or "")
            self.summary.rejected[outcome.image.image_id] = rejected
            self.on_rejected(rejected)
        if len(self.batch) >= BATCH:
            self._store(report)
        return size

    def _store(self, report: Report) -> None:
        if self.batch:
            self.summary.embedded += store.embed_stored(self.connection, self.summary.backbone_id, self.batch)
        self.batch = {}
        report(self.summary.embedded)


def run(
    connection: Connection,
    backbone: Backbone,
    switch: bool = True,
    allow_missing: bool = False,
    quiet: bool = False,
    on_rejected: Callable[[store.Rejected], None] = lambda rejected: None,
) -> Summary:
    """Embed all stored images by a backbone, build its vector index if there are many, and switch to it.

    Where an image's content is not stored, its file is read, if it is still there and the same. What
    cannot be embedded is reported, and nothing is switched then, because it would not be found any more.

    Parameters
    ----------
    switch : whether the backbone becomes the active one.
    allow_missing : switch even if images could not be embedded.
    on_rejected : called for each of these.

    Raises
    ------
    BackboneError
        The database has no images, or another process does the same right now.
    DatabaseError
        Somebody was in the way for too long, or the database went away; what was stored stays.
    """
    if store.active_backbone(connection) is None:
        raise BackboneError("there is nothing to embed yet; run: tagdb ingest SOURCE --backbone NAME|PATH")
    return _Reembedding(connection, backbone, quiet, on_rejected).run(switch, allow_missing)


def use(connection: Connection, backbone_id: int, allow_missing: bool = False) -> None:
    """Switch to a backbone that has embedded the images already.

    Raises
    ------
    BackboneError
        There is no such backbone, or images are missing and ``allow_missing`` does not allow that.
    DatabaseError
        Batches were in the way for too long.
    """
    known = find(connection, backbone_id)
    if known.active:
        return
    if lacking := _switched(connection, backbone_id, None if allow_missing else ()):
        raise BackboneError(
            f"backbone {backbone_id} has not embedded {lacking} of {known.of_images} images, which would not "
            f"be found any more; embed them: tagdb backbone reembed {backbone_id}, or say --allow-missing"
        )


def drop(connection: Connection, backbone_id: int) -> None:
    """Drop a backbone that is not active, and all it has made.

    Raises
    ------
    BackboneError
        There is no such backbone, or it is the active one.
    DatabaseError
        Somebody used it for too long.
    """
    if find(connection, backbone_id).active:
        raise BackboneError(
            f"backbone {backbone_id} is the active one; switch to another before: tagdb backbone use N"
        )
    _patiently(
        lambda: store.drop_backbone(connection, backbone_id) or None,
        f"backbone {backbone_id} could not be dropped: a transaction or command elsewhere may still use it; "
        "try again when that has ended",
    )


def find(connection: Connection, backbone_id: int) -> store.ListedBackbone:
    """The backbone of a number.

    Raises
    ------
    BackboneError
        There is none.
    """
    found = next((b for b in store.backbones(connection) if b.backbone_id == backbone_id), None)
    if found is None:
        raise BackboneError(f"there is no backbone {backbone_id}; see: tagdb backbone list")
    return found


def _added(connection: Connection, backbone: Backbone) -> int:
    for known in store.backbones(connection):
        if known.identity.same(backbone.identity):
            return known.backbone_id
    return _patiently(
        lambda: store.add_backbone_beside(connection, backbone.identity),
        f"{backbone.identity} could not be added: a transaction that is open elsewhere uses the embeddings; "
        "run the same command again when that has ended",
    ).backbone_id


def _is_active(connection: Connection, backbone_id: int) -> bool:
    active = store.active_backbone(connection)
    return active is not None and active.backbone_id == backbone_id


def _switched(connection: Connection, backbone_id: int, may_lack: Collection[int] | None) -> int:
    """Switch, unless images are missing that may not: how many."""
    return _patiently(
        lambda: store.activate_backbone(connection, backbone_id, may_lack),
        "the backbone could not be switched: a transaction that is open elsewhere stores images or changes "
        "settings; run the same command again when that has ended",
    )


def _patiently(attempt: Callable[[], Found | None], complaint: str) -> Found:
    """What an attempt gives that is not None; until then it is repeated for some time."""
    until = time.monotonic() + PATIENCE
    while (found := attempt()) is None:
        if time.monotonic() > until:
            raise DatabaseError(complaint)
        time.sleep(PAUSE)
    return found


def _embedded(workers: Workers, image: store.Unembedded, content: bytes | None) -> _Outcome:
    """Have an image embedded, from its file where its content is not stored. Runs in the pool."""
    try:
        pixels = _of_file(image) if content is None else content
        if images.content_hash(pixels) != image.content_sha256:
            raise RejectedInput(
                "its file has another content by now" if content is None else "its stored content is damaged"
            )
        return _Outcome(image, workers.embed(pixels).embedding)
    except RejectedInput as error:
        return _Outcome(image, None, str(error))


def _of_file(image: store.Unembedded) -> bytes:
    if not image.uri.lower().startswith("file:"):
        raise RejectedInput("its content is not stored, and its uri names no file here")
    try:
        return read_file(Path(path_of(image.uri)))
    except (RejectedInput, ValueError) as error:
        raise RejectedInput(f"its content is not stored, and its file: {error}") from error
