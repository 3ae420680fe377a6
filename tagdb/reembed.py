"""Change the backbone: embed every stored image with another one, next to the embeddings in use.

Until the switch, the old backbone stays in use and ingests continue. The images they add are embedded too
before the switch, which is one transaction and excludes batches. A batch of embeddings is also one
transaction, so an interrupted run continues where it stopped.
"""

import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tagdb import indexing, store
from tagdb.embedding.backbone import IMAGENET, IMAGENET_SIZE, Backbone, resolve
from tagdb.embedding.pipeline import Pipeline, Work
from tagdb.errors import BackboneError, DatabaseError, RejectedInput
from tagdb.ingest import BATCH, CHUNK, READERS
from tagdb.photos import images, remote
from tagdb.photos.uris import PUBLIC_ONLY, Allowed
from tagdb.postgres.database import Connection, require_writable
from tagdb.postgres.pooled import require_session
from tagdb.postgres.retrying import Session
from tagdb.progress import Report, track
from tagdb.store.backbones import ListedBackbone, Unembedded
from tagdb.store.batches import Rejected

FETCHED_TOGETHER = 32
"""Contents fetched per query, unless they exceed ``FETCHED_BYTES``."""
FETCHED_BYTES = 8 << 20
PATIENCE = 60.0
"""How long to wait for other sessions, in short attempts, in seconds."""
PAUSE = 0.3
"""Seconds between two attempts."""

Found = TypeVar("Found")
Content = bytes | Future[bytes] | None
"""What is stored of an image, or is being read where it was kept."""


@dataclass(slots=True)
class Summary:
    """Result of a run."""

    backbone_id: int
    embedded: int = 0
    """Number of images embedded by this run."""
    rejected: dict[int, Rejected] = field(default_factory=dict)
    """Images that could not be embedded, with the reasons."""
    indexed: bool = False
    """Whether the vector index was built."""
    switched: bool = False
    """Whether it became the active backbone."""
    active: bool = False
    """Whether it is the active backbone now."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Result of an image: its embedding, or why there is none."""

    image: Unembedded
    result: NDArray[np.float32] | Rejected


class _Reembedding:
    """One run."""

    def __init__(
        self,
        connection: Connection,
        backbone: Backbone,
        quiet: bool,
        on_rejected: Callable[[Rejected], None],
        allowed: Allowed,
    ) -> None:
        self.connection = connection
        self.allowed = allowed
        self.readers = ThreadPoolExecutor(READERS, thread_name_prefix="tagdb-reader")
        self.backbone = backbone
        self.quiet = quiet
        self.on_rejected = on_rejected
        self.summary = Summary(_added(connection, backbone))
        self.started = time.monotonic()
        self.was_active = _is_active(connection, self.summary.backbone_id)
        self.batch: dict[bytes, NDArray[np.float32]] = {}

    def run(self, switch: bool, allow_missing: bool) -> Summary:
        summary = self.summary
        with store.backbones.filling(self.connection, summary.backbone_id) as alone:
            if not alone:
                raise BackboneError(
                    f"another process is embedding with {self.backbone.identity} or dropping it; "
                    "wait for it or end it, then run the same command again"
                )
            self._embed_missing()
            with indexing.phases("vectors", self.quiet) as progress:
                summary.indexed = store.index.ensure(self.connection, summary.backbone_id, progress)
            summary.active = _is_active(self.connection, summary.backbone_id)
            if switch and not summary.active and (allow_missing or not summary.rejected):
                while _switched(self.connection, summary.backbone_id, summary.rejected):
                    self._embed_missing()  # images added in the meantime
                summary.active = True
            summary.switched = summary.active and not self.was_active
        summary.seconds = time.monotonic() - self.started
        return summary

    def reconnected(self, connection: Connection) -> None:
        """Continue with another connection; the batch may have been stored although that was not reported."""
        self.connection = connection
        stored = store.batches.known_contents(connection, self.summary.backbone_id, list(self.batch))
        self.summary.embedded += len(stored)
        self.batch = {}

    def _embed_missing(self) -> None:
        """Embed missing images, repeatedly, until only rejected ones are missing."""
        known = next(
            b for b in store.backbones.list_all(self.connection) if b.backbone_id == self.summary.backbone_id
        )
        missing = known.of_images - known.images - len(self.summary.rejected)
        before = self.summary.embedded
        with (
            track("embedding", max(missing, 0), "photos", self.quiet) as report,
            Pipeline(self.backbone, self.backbone.identity.input_size) as pipeline,
        ):
            while self._pass(pipeline, lambda done: report(done - before)):
                pass

    def _pass(self, pipeline: Pipeline, report: Report) -> int:
        """Go through all images once; return how many there were."""
        before = self._looked_at
        works: Iterator[Work[_Outcome]] = (
            (pipeline.submit(_embedded, pipeline, image, content), image.bytes)
            for image, content in self._contents()
        )
        for outcome in pipeline.results(works):
            self._take(outcome, report)
        self._store(report)
        return self._looked_at - before

    @property
    def _looked_at(self) -> int:
        return self.summary.embedded + len(self.summary.rejected)

    def _contents(self) -> Iterator[tuple[Unembedded, Content]]:
        """Yield missing images with their contents, if stored or kept elsewhere."""
        after = 0
        while chunk := store.backbones.images_after(self.connection, self.summary.backbone_id, after, CHUNK):
            after = chunk[-1].image_id
            together: list[Unembedded] = []
            size = 0
            for image in chunk:
                if image.embedded or image.image_id in self.summary.rejected:
                    continue
                together.append(image)
                size += image.bytes if image.stored or image.kept_at else 0
                if len(together) >= FETCHED_TOGETHER or size >= FETCHED_BYTES:
                    yield from self._fetched(together)
                    together, size = [], 0
            yield from self._fetched(together)

    def _fetched(self, together: list[Unembedded]) -> Iterator[tuple[Unembedded, Content]]:
        stored = [image.image_id for image in together if image.stored]
        kept = {
            image.image_id: self.readers.submit(remote.read_kept, image.kept_at, self.allowed)
            for image in together
            if image.kept_at is not None
        }
        found: dict[int, bytes] = store.backbones.originals(self.connection, stored) if stored else {}
        for image in together:
            yield image, found.pop(image.image_id, None) or kept.pop(image.image_id, None)

    def _take(self, outcome: _Outcome, report: Report) -> None:
        """Add the result of an image to the batch."""
        if isinstance(outcome.result, Rejected):
            self.summary.rejected[outcome.image.image_id] = outcome.result
            self.on_rejected(outcome.result)
        else:
            self.batch[outcome.image.content_sha256] = outcome.result
        if len(self.batch) >= BATCH:
            self._store(report)

    def _store(self, report: Report) -> None:
        if self.batch:
            self.summary.embedded += store.batches.embed_stored(
                self.connection, self.summary.backbone_id, self.batch
            )
        self.batch = {}
        report(self.summary.embedded)


def run(
    connection: Connection,
    backbone: Backbone,
    switch: bool = True,
    allow_missing: bool = False,
    quiet: bool = False,
    on_rejected: Callable[[Rejected], None] = lambda rejected: None,
    reconnect: Callable[[], Connection] | None = None,
    allowed: Allowed = PUBLIC_ONLY,
) -> Summary:
    """Embed all stored images with a backbone, build its vector index if there are many, and switch to it.

    An original that was kept at its URI is read there, provided that it still exists and is unchanged.
    Images that cannot be embedded are reported and prevent the switch, because they would no longer be found.

    Parameters
    ----------
    connection
        The database.
    backbone
        The new backbone.
    switch
        Whether to activate the backbone.
    allow_missing
        Switch even if images could not be embedded.
    quiet
        Show no progress.
    on_rejected
        Called for each image that could not be embedded.
    reconnect
        Returns a new connection after the current one broke; it may wait for the database. Without it, a
        broken connection ends the run.
    allowed
        What may be fetched from the web besides public addresses by https.

    Raises
    ------
    BackboneError
        The database has no images, or another process is embedding with this backbone.
    DatabaseError
        Other sessions were in the way for too long, or the database went away; what was stored stays.
    """
    require_writable(connection)
    require_session(connection, "embedding anew")
    if store.backbones.active(connection) is None:
        raise BackboneError("there is nothing to embed yet; run: tagdb ingest SOURCE --backbone NAME|PATH")
    reembedding = _Reembedding(connection, backbone, quiet, on_rejected, allowed)
    try:
        with Session(connection, reconnect, reembedding.reconnected) as session:
            return session.trying(lambda _: reembedding.run(switch, allow_missing))
    finally:
        reembedding.readers.shutdown(wait=False, cancel_futures=True)


def use(connection: Connection, backbone_id: int, allow_missing: bool = False) -> None:
    """Switch to a backbone that has already embedded the images.

    Raises
    ------
    BackboneError
        The backbone does not exist, or it lacks images and ``allow_missing`` is false.
    DatabaseError
        Batches were in the way for too long.
    """
    known = find(connection, backbone_id)
    if known.active:
        return
    if lacking := _switched(connection, backbone_id, None if allow_missing else ()):
        raise BackboneError(
            f"backbone {backbone_id} has not embedded {lacking} of {known.of_images} images, which would no "
            f"longer be found; embed them (tagdb backbone reembed {backbone_id}) or pass --allow-missing"
        )


def drop(connection: Connection, backbone_id: int) -> None:
    """Drop a backbone that is not active, with its embeddings.

    Raises
    ------
    BackboneError
        The backbone does not exist or is active.
    DatabaseError
        Other sessions used it for too long.
    """
    if find(connection, backbone_id).active:
        raise BackboneError(
            f"backbone {backbone_id} is active; switch to another one first: tagdb backbone use N"
        )
    _patiently(
        lambda: store.backbones.drop(connection, backbone_id) or None,
        f"backbone {backbone_id} could not be dropped: a transaction or command elsewhere may still use it; "
        "try again when it has ended",
    )


def network_of(
    connection: Connection, named: str, input_size: int | None, cache: Path, notify: Callable[[str], None]
) -> Backbone:
    """Return the backbone to embed with: as the database has it, if it does.

    Parameters
    ----------
    named
        ``imagenet``, ``imagenet-float32``, ``bundled``, the path of a weights file, or the number of one that
        the database has.

    Raises
    ------
    BackboneError
        It does not exist or cannot be loaded.
    """
    if named.isdecimal():
        return _stored(connection, find(connection, int(named)), input_size, cache, notify)
    carried = [known for known in store.backbones.list_all(connection) if known.network_sha256]
    for known in carried:  # exported elsewhere, perhaps; each export in 8 bits may be another
        if named == known.identity.kind == IMAGENET and (input_size or IMAGENET_SIZE) == known.input_size:
            return _stored(connection, known, input_size, cache, notify)
    backbone = resolve(named, input_size, None, cache, notify)
    for known in carried:
        if known.identity.same(backbone.identity):
            return _stored(connection, known, input_size, cache, notify)
    return backbone


def _stored(
    connection: Connection,
    known: ListedBackbone,
    input_size: int | None,
    cache: Path,
    notify: Callable[[str], None],
) -> Backbone:
    """Return a backbone as the database has it."""
    carried = store.backbones.carried(connection, known)
    return resolve(None, input_size, known.identity, cache, notify, carried)


def find(connection: Connection, backbone_id: int) -> ListedBackbone:
    """Return the backbone with a number.

    Raises
    ------
    BackboneError
        It does not exist.
    """
    found = next((b for b in store.backbones.list_all(connection) if b.backbone_id == backbone_id), None)
    if found is None:
        raise BackboneError(f"there is no backbone {backbone_id}; see: tagdb backbone list")
    return found


def _added(connection: Connection, backbone: Backbone) -> int:
    for known in store.backbones.list_all(connection):
        if known.identity.same(backbone.identity):
            if known.network_sha256 is None and backbone.to_carry is not None:
                store.backbones.add(connection, backbone.identity, backbone.to_carry)
            return known.backbone_id
    return _patiently(
        lambda: store.backbones.add_beside(connection, backbone.identity, network=backbone.to_carry),
        f"{backbone.identity} could not be added: a transaction elsewhere uses the embeddings; "
        "run the same command again when it has ended",
    )


def _is_active(connection: Connection, backbone_id: int) -> bool:
    active = store.backbones.active(connection)
    return active is not None and active.backbone_id == backbone_id


def _switched(connection: Connection, backbone_id: int, may_lack: Collection[int] | None) -> int:
    """Switch, unless images are missing that must not. Return their number."""
    return _patiently(
        lambda: store.backbones.activate(connection, backbone_id, may_lack),
        "the backbone could not be switched: a transaction elsewhere is storing images or changing "
        "settings; run the same command again when that has ended",
    )


def _patiently(attempt: Callable[[], Found | None], complaint: str) -> Found:
    """Repeat an attempt for some time until it returns something other than None; return that."""
    until = time.monotonic() + PATIENCE
    while (found := attempt()) is None:
        if time.monotonic() > until:
            raise DatabaseError(complaint)
        time.sleep(PAUSE)
    return found


def _embedded(pipeline: Pipeline, image: Unembedded, content: Content) -> _Outcome:
    """Embed an image by its content, stored or kept elsewhere. Runs in a thread of the pipeline."""
    kept = isinstance(content, Future)
    try:
        pixels = _of_kept(content) if isinstance(content, Future) else content
        if pixels is None:
            raise RejectedInput("its original was left out (--originals none); ingest it again", "missing")
        if images.content_hash(pixels) != image.content_sha256:
            if kept:
                raise RejectedInput("its original has different content now", "missing")
            raise RejectedInput("its stored content is damaged", "damaged")
        return _Outcome(image, pipeline.embed(pixels).required())
    except RejectedInput as error:
        return _Outcome(image, Rejected(image.uri, None, str(error), error.reason_code))


def _of_kept(content: Future[bytes]) -> bytes:
    try:
        return content.result()
    except (RejectedInput, ValueError) as error:
        reason = f"its original was kept where it was, and reading it failed: {error}"
        code = error.reason_code if isinstance(error, RejectedInput) else "unreadable"
        raise RejectedInput(reason, code) from error
