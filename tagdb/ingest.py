"""Ingest photos and their hashtags into the database.

A source names a photo, and its bytes are hashed. If the content is known, only its hashtags and metadata are
stored. Otherwise it is decoded and embedded (see :mod:`tagdb.embedding.pipeline`), while the calling thread
stores finished batches. A batch is one transaction: an interrupted ingest keeps every stored batch, and the
next run finds its contents known.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Literal

from tagdb import indexing, records, store
from tagdb.embedding.backbone import DEFAULT_SIZE, Backbone
from tagdb.embedding.pipeline import Pipeline, Work
from tagdb.errors import BackboneMismatch, DatabaseError, RejectedInput, SourceError
from tagdb.folding_in import FoldingIn
from tagdb.learning.folding_in import STALE
from tagdb.photos.keywords import NOTHING, Description, Hierarchy, Where
from tagdb.photos.remote import Remote
from tagdb.photos.shards import Shard
from tagdb.photos.sources import Record, Rejection, Source
from tagdb.postgres.database import Connection, require_writable
from tagdb.postgres.retrying import Session
from tagdb.progress import Report, track
from tagdb.records import Content, Outcome, Said, Seen
from tagdb.store.batches import Image, Rejected
from tagdb.store.ingest_runs import Counts
from tagdb.store.sources import Comparison

CHUNK = 256
"""Records whose hashes are looked up per query."""
CHUNK_BYTES = 16 << 20
"""Approximate memory limit of these records, in bytes."""
HASHED_TOGETHER = 32
"""Records per hashing task."""
KEPT_TOGETHER = 2 << 20
"""Most bytes of these files that are kept for decoding; the others are read again."""
BATCH = 128
"""New images per transaction, unless they exceed ``BATCH_BYTES``."""
BATCH_BYTES = 64 << 20
READERS = 32
"""Threads that read files from elsewhere: they wait most of the time, each for an answer."""
BATCH_KNOWN = 1024
"""Maximum number of records per transaction, including known ones."""


Originals = Literal["copy", "keep", "none"]


@dataclass(frozen=True, slots=True)
class Options:
    """Options of an ingest."""

    originals: Originals = "copy"
    """Where the original photos are to be: in the database, where they are now, or nowhere."""
    limit: int | None = None
    """Maximum number of records."""
    dry_run: bool = False
    """Read, decode and count, but do not embed or store anything."""
    quiet: bool = False
    keywords: Where = "all"
    """Where keywords are read."""
    hierarchy: Hierarchy = "leaf"
    """What of a keyword below others becomes a hashtag."""
    update: bool = False
    """Let what a source says now replace what it said before."""


@dataclass(slots=True)
class Summary:
    """Result of an ingest."""

    counts: Counts = field(default_factory=Counts)
    seconds: float = 0.0
    indexed: bool = False
    """Whether the vector index was built at the end."""
    check_due: bool = False
    """Whether there are so many more images that the vector index's recall should be measured."""
    untagged: bool = False
    """Whether images were added but no image in the database has a hashtag."""
    bare: int = 0
    """Number of usable photos that came without hashtags."""
    outgrown: bool = False
    """Whether so many images with hashtags were added that new factors would pay."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Number of files of each kind that were left out of folders of photos."""

    unreadable: int = 0
    """Number of files, folders and rows that are there but could not be read."""
    seen: Seen = field(default_factory=Seen, repr=False)
    """What was found in each source."""

    @property
    def records(self) -> int:
        """Number of usable images."""
        return self.counts.new + self.counts.known + self.counts.updated


Given = tuple[int, Record | Rejection]
"""The number of a source, and what it says."""
_Hashing = tuple[list[Given], list[Future[list[Content | Rejected]]]]
"""What sources say, and the hashes of the contents being computed."""


class _Ingest:
    """One ingest, from the sources to the database."""

    def __init__(
        self,
        connection: Connection,
        backbone: Backbone | None,
        options: Options,
        on_rejected: Callable[[Rejected], None],
        reconnect: Callable[[], Connection] | None,
    ) -> None:
        self.session = Session(connection, reconnect, self._reconnected)
        self.backbone = backbone
        self.options = options
        self.on_rejected = on_rejected
        size = backbone.identity.input_size if backbone else DEFAULT_SIZE
        self.pipeline = Pipeline(None if options.dry_run else backbone, size)
        self.readers = ThreadPoolExecutor(READERS, thread_name_prefix="tagdb-reader")
        self.summary = Summary()
        self.backbone_id: int | None = None
        self.run_id: int | None = None
        self.begun: store.ingest_runs.Progress | None = None
        self.folding_in = FoldingIn(connection)
        self.comparison = Comparison(options.update)
        self.batch: list[Outcome] = []
        self.batch_new = self.batch_bytes = self.batches = 0
        self.would_be_new: set[bytes] = set()  # of a dry run
        self.shard: Shard | None = None

    def run(self, sources: Sequence[Source]) -> Summary:
        with self.session:
            return self._run(sources)

    def _reconnected(self, connection: Connection) -> None:
        self._check_run(connection, self.batches, self.batches + 1)  # the last may have been stored, or not
        self.folding_in.reconnected(connection)

    def _run(self, sources: Sequence[Source]) -> Summary:
        started = time.monotonic()
        self.shard = next((source.shard for source in sources), None)
        numbers = self._begin(sources)
        said = ((numbers[source.location], each) for source in sources for each in source)
        given = islice(said, self.options.limit)
        what = "ingesting" + (f" shard {self.shard}" if self.shard else "")
        with track(what, _total(sources, self.options.limit), "photos", self.options.quiet) as report:
            try:
                with self.pipeline:
                    for outcome in self.pipeline.results(self._planned(given)):
                        self._take(outcome, report)
            finally:
                self.readers.shutdown(wait=False, cancel_futures=True)
            self._store(report)
        if self.run_id is not None:
            self._finish(self.run_id, self.backbone_id)
        else:
            self._compare_rest(self.session.connection)
        self.summary.left_out = dict(sum((source.left_out.counts for source in sources), Counter()))
        self.summary.seconds = time.monotonic() - started
        return self.summary

    def _finish(self, run_id: int, backbone_id: int | None) -> None:
        """Do what follows once everything is stored; all of it can be repeated."""
        trying, summary = self.session.trying, self.summary
        trying(lambda connection: self._check_run(connection, self.batches))
        trying(self._compare_rest)
        trying(lambda connection: self.folding_in.finish())
        trying(lambda connection: store.ingest_runs.finish(connection, run_id, summary.counts))
        if summary.counts.new and backbone_id is not None:
            with indexing.phases("vectors", self.options.quiet) as progress:
                summary.indexed = trying(
                    lambda connection: store.index.ensure(connection, backbone_id, progress)
                )
            status = trying(store.index.status)
            summary.check_due = status is not None and status.check_due
            summary.untagged = not trying(store.answers.readiness).hashtags
            run = trying(store.runs.active)
            added = summary.counts.new - summary.bare
            summary.outgrown = run is not None and added > STALE * run.images
        # even if nothing is new: an earlier ingest may have been interrupted here
        trying(store.statistics.refresh_if_due)

    def _compare_rest(self, connection: Connection) -> None:
        """Compare, now that all is said, which hashtags the sources no longer say."""
        if self.shard is not None:
            return  # another shard may say them of the same photo
        comparison, counts = self.comparison, self.summary.counts
        stores = comparison.replace and self.run_id is not None
        found = comparison.changed if comparison.replace else comparison.differing
        for part in store.sources.in_parts(comparison.unsaid):
            with connection.transaction():
                images = store.sources.unsay(connection, part, stores)
                if stores:
                    self.folding_in.again(images)
            more = {*images} - found
            found |= more
            if comparison.replace:
                counts.updated += len(more)
                counts.known -= len(more)
            else:
                counts.differing += len(more)

    def _begin(self, sources: Sequence[Source]) -> dict[str, int]:
        """Prepare for the sources; return their numbers. Those that a dry run does not know get others."""
        connection = self.session.connection
        stored = store.backbones.active(connection)
        self.backbone_id = stored.backbone_id if stored else None
        if self.backbone is not None and not self.options.dry_run:
            self._check(stored)
            if stored and not stored.network_sha256 and self.backbone.to_carry:
                self._register(connection)  # again, with its network
            names = [f"{each.name}, shard {each.shard}" if each.shard else each.name for each in sources]
            self.run_id = store.ingest_runs.begin(connection, names)
            self.begun = store.ingest_runs.progress(connection, self.run_id)
        locations = [source.location for source in sources]
        known = store.sources.ids(connection, locations, add=self.run_id is not None)
        return {each: -n for n, each in enumerate(locations, 1)} | known

    def _check_run(self, connection: Connection, *batches: int) -> None:
        """Raise DatabaseError unless this is the database of the beginning, and has what was stored."""
        if self.run_id is None or self.begun is None:
            return
        now = store.ingest_runs.progress(connection, self.run_id)
        if now is None or now.started_at != self.begun.started_at:
            raise DatabaseError(
                "the database that answers now knows nothing of this ingest: it is another one, or it lagged "
                "behind before a failover; check the database URL, and run the same command again"
            )
        if now.batches not in batches:
            raise DatabaseError(
                f"the database has lost {self.batches - now.batches} of the {self.batches} batches that it "
                "had stored, as after a failover to a server that lagged behind; run the same command again"
            )

    def _check(self, stored: store.backbones.StoredBackbone | None) -> None:
        if stored is None or self.backbone is None or stored.made_by(self.backbone):
            return
        if stored.identity.same(self.backbone.identity):
            raise BackboneMismatch(
                f"another ingest has just stored its own export of {stored.identity}; "
                "run the same command again to use that one"
            )
        raise BackboneMismatch(
            f"another ingest has just set this database's backbone to {stored.identity}; "
            f"this one would use {self.backbone.identity}"
        )

    def _register(self, connection: Connection) -> int:
        """Register the backbone, now that there are embeddings; until then any other may be chosen."""
        if self.backbone is not None:
            store.backbones.add(connection, self.backbone.identity, self.backbone.to_carry)
        stored = store.backbones.active(connection)
        assert stored is not None
        self._check(stored)
        return stored.backbone_id

    def _hashing(self, given: Iterator[Given]) -> _Hashing:
        """Take a chunk of records and start hashing their contents."""
        chunk: list[Given] = []
        size = 0
        for source_id, record in islice(given, CHUNK):
            chunk.append((source_id, record))
            size += record.size if isinstance(record, Record) else 0
            if size > CHUNK_BYTES:
                break
        hashing: list[Future[list[Content | Rejected]]] = []
        said, keywords = [record for _, record in chunk], self.options.keywords
        unchanged = self._unchanged(said)
        for remote, group in groupby(said, lambda each: _remote(each) is not None):
            part = list(group)
            if remote:
                hashing += [self._reading(each, unchanged) for each in part]
                continue
            for start in range(0, len(part), HASHED_TOGETHER):
                together = part[start : start + HASHED_TOGETHER]
                hashing.append(self.pipeline.submit(records.hashes, together, keywords, KEPT_TOGETHER))
        return chunk, hashing

    def _unchanged(self, chunk: Sequence[Record | Rejection]) -> dict[str, bytes]:
        """Return the contents of objects, by URI, that a listing shows to be those that are stored."""
        listed = [
            (file.uri, file.etag, file.byte_count) for each in chunk if (file := _remote(each)) and file.etag
        ]
        backbone_id = self.backbone_id
        if not listed or backbone_id is None:
            return {}
        return self.session.trying(
            lambda connection: store.batches.known_objects(connection, backbone_id, listed)
        )

    def _reading(
        self, record: Record | Rejection, unchanged: dict[str, bytes]
    ) -> Future[list[Content | Rejected]]:
        """Start to read a file from elsewhere, unless its content is known without that."""
        assert isinstance(record, Record)
        if (content := unchanged.get(record.file.uri or "")) is None:
            return self.readers.submit(records.hashes, [record])
        known: Future[list[Content | Rejected]] = Future()
        known.set_result([Content(content, record.file.size)])
        return known

    def _planned(self, given: Iterator[Given]) -> Iterator[Work[Outcome]]:
        """Hash a chunk, ask the database which contents are known, and yield the remaining work."""
        chunk, hashing = self._hashing(given)
        while chunk:
            hashed = [content for part in hashing for content in part.result()]
            ahead = self._hashing(given)  # threads continue hashing during the query
            contents = [f.sha256 for f in hashed if not isinstance(f, Rejected)]
            known: set[bytes] = set()
            if self.backbone_id is not None and contents:
                known = self._known(self.backbone_id, contents)
            for (source_id, record), content in zip(chunk, hashed, strict=True):
                if isinstance(content, Rejected) or isinstance(record, Rejection):
                    yield Outcome(None, [content] if isinstance(content, Rejected) else []), 0
                    continue
                first = self.summary.seen.add((source_id, content.sha256))
                said = Said(record, content.sidecar, source_id, first)
                if content.sha256 in known:
                    yield self._outcome(said, content.sha256)[1], record.size
                else:
                    yield self.pipeline.submit(self._decoded, said, content.kept), content.size + record.size
            chunk, hashing = ahead

    def _known(self, backbone_id: int, contents: Sequence[bytes]) -> set[bytes]:
        return self.session.trying(
            lambda connection: store.batches.known_contents(connection, backbone_id, contents)
        )

    def _outcome(
        self, said: Said, content_sha256: bytes, within: Description = NOTHING
    ) -> tuple[Image, Outcome]:
        """Return the image of a record as a result, with nothing of its content."""
        image, refused = records.image_of(said, content_sha256, within, self.options.hierarchy)
        return image, Outcome(image, refused, said.record.size + said.beside.size + within.size)

    def _decoded(self, said: Said, content: bytes | None) -> Outcome:
        """Read a photo unless its file was kept, decode and embed it. Runs in a thread of the pipeline."""
        record, keep = said.record, self.options.originals == "keep"
        try:
            if keep and record.file.uri is None:
                raise RejectedInput(
                    "it has no uri at which it could be kept; use --originals copy", "not_allowed"
                )
            content = record.file.read() if content is None else content
            embedded = self.pipeline.embed(content)
        except RejectedInput as error:
            return Outcome(None, [records.rejected(record, error)])
        photo = embedded.photo
        within = photo.description if self.options.keywords == "all" else NOTHING
        image, outcome = self._outcome(said, photo.sha256, within)
        image.taken_at = image.taken_at or photo.taken_at
        image.media_type, image.width, image.height = photo.media_type, photo.width, photo.height
        image.byte_count = len(content)
        image.embedding, image.thumbnail = embedded.embedding, photo.thumbnail
        image.original = content if self.options.originals == "copy" else None
        image.kept_at = record.file.uri if keep else None
        return outcome

    def _take(self, outcome: Outcome, report: Report) -> None:
        """Add the result of a record to the batch."""
        self.batch.append(outcome)
        self.batch_bytes += outcome.size
        image = outcome.image  # of a known one, what is written in it was read before
        self.summary.bare += image is not None and image.thumbnail is not None and not image.hashtags
        if outcome.image is not None and outcome.image.thumbnail is not None:
            self.batch_new += 1
            self.batch_bytes += len(outcome.image.original or b"")
        full = self.batch_new >= BATCH or self.batch_bytes >= BATCH_BYTES
        if full or len(self.batch) >= BATCH_KNOWN:
            self._store(report)

    def _saved(
        self,
        run_id: int,
        backbone_id: int | None,
        stored: Sequence[Image],
        rejected: Sequence[Rejected],
    ) -> Counts:
        """Store a batch exactly once, even if it takes several attempts. Return what changed."""
        fold, batch = self.folding_in.images, self.batches
        try:
            counts = self.session.trying(
                lambda connection: store.batches.save(
                    connection, run_id, backbone_id, stored, rejected, fold, batch, self.comparison
                )
            )
        except store.batches.AlreadyStored:  # the connection broke before its success was reported
            self.session.trying(lambda connection: self._check_run(connection, self.batches + 1))
            so_far = self.session.trying(lambda connection: store.ingest_runs.counts(connection, run_id))
            counts = so_far - self.summary.counts
        self.batches += 1
        return counts

    def _store(self, report: Report) -> None:
        stored = [outcome.image for outcome in self.batch if outcome.image is not None]
        rejected = [r for outcome in self.batch for r in outcome.rejected]
        if self.run_id is not None:
            if stored and self.backbone_id is None:
                self.backbone_id = self.session.trying(self._register)
            counts = self._saved(self.run_id, self.backbone_id, stored, rejected)
        else:
            new = {
                image.content_sha256 for image in stored if image.media_type is not None
            } - self.would_be_new
            self.would_be_new |= new
            known = [image for image in stored if image.media_type is None]
            counts = Counts(len(new), len(stored) - len(new) - len(known), 0, len(rejected))
            if known:
                counts += self.session.trying(
                    lambda connection: store.batches.compare(connection, known, self.comparison)
                )
        for one in rejected:
            self.on_rejected(one)
            self.summary.unreadable += one.unreadable
        self.summary.counts += counts
        self.batch, self.batch_new, self.batch_bytes = [], 0, 0
        report(self.summary.records + self.summary.counts.rejected)


def run(
    connection: Connection,
    backbone: Backbone | None,
    sources: Sequence[Source],
    options: Options = Options(),
    on_rejected: Callable[[Rejected], None] = lambda rejected: None,
    reconnect: Callable[[], Connection] | None = None,
) -> Summary:
    """Ingest sources into the database.

    Parameters
    ----------
    connection
        The database.
    backbone
        Computes embeddings; may be None for a dry run only.
    sources
        The sources, in order.
    options
        Options of the ingest.
    on_rejected
        Called for every rejection, once it is recorded.
    reconnect
        Returns a new connection after the current one broke; it may wait for the database. Without it, a
        broken connection ends the ingest.

    Raises
    ------
    BackboneMismatch
        The backbone of the database was changed in the meantime.
    DatabaseError
        The database went away; what was stored stays.
    SourceError
        What a shard says is to replace what the whole source said.
    """
    if options.update and any(source.shard for source in sources):
        raise SourceError(
            "what a source no longer says is known only from the whole of it, not from a shard; "
            "leave out --update, or ingest the whole source with it"
        )
    require_writable(connection)
    return _Ingest(connection, backbone, options, on_rejected, reconnect).run(sources)


def _remote(record: Record | Rejection) -> Remote | None:
    """Return the file of a record, if it is elsewhere."""
    if isinstance(record, Record) and isinstance(record.file, Remote):
        return record.file
    return None


def _total(sources: Sequence[Source], limit: int | None) -> int | None:
    counts = [source.count() for source in sources]
    if any(count is None for count in counts):
        return limit
    total = sum(count or 0 for count in counts)
    return total if limit is None else min(total, limit)
