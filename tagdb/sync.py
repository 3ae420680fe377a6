"""Synchronise with a source: store what it has and says now, and remove what is gone from it.

Nothing is removed where it may be the source that is gone: when nothing of it, or not all, can be read.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tagdb import corrections, ingest, store
from tagdb.embedding.backbone import Backbone
from tagdb.errors import SourceError, TagdbError
from tagdb.folding_in import FoldingIn
from tagdb.ingest import Options, Summary
from tagdb.photos.sources import Source
from tagdb.postgres.database import Connection
from tagdb.store.batches import Rejected
from tagdb.store.ingest_runs import Counts
from tagdb.store.sources import SourceImage

DEFAULT = Options()
MOST = 0.5
"""Share of a source's images of which more are not removed without their number."""


@dataclass(frozen=True, slots=True)
class Gone:
    """An image that is gone from a source."""

    image_id: int
    uri: str
    elsewhere: bool
    """Whether another source has it, so that it stays."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What a source has and says now, compared with what is stored of it."""

    counts: Counts
    images: int
    """Number of images that the source had before."""
    found: int
    """Number of photos that it has now."""
    unreadable: int
    """Number of files, folders and rows that are there, but could not be read."""
    gone: list[Gone]

    @property
    def removable(self) -> list[Gone]:
        """Those gone that no other source has."""
        return [each for each in self.gone if not each.elsewhere]

    @property
    def nothing(self) -> bool:
        """Whether source and database agree."""
        return not (self.counts.new or self.counts.updated or self.gone)


@dataclass(frozen=True, slots=True)
class Synchronised:
    """Result of synchronising."""

    summary: Summary
    removed: int
    kept: int
    """Number of images gone from the source that other sources have."""


Agreement = Callable[[Difference], None]
"""Raises TagdbError unless what is gone may be removed."""


def up_to_half(difference: Difference) -> None:
    """Agree to removing no more than half of the source's images."""
    number = len(difference.removable)
    if number > MOST * difference.images:
        raise TagdbError(
            f"{number} of the {difference.images} images of the source are gone from it, more than half; "
            f"nothing was removed; if that is right, name their number: --remove {number}"
        )


def _exactly(number: int) -> Agreement:
    """Agree to removing a number of images."""

    def agree(difference: Difference) -> None:
        if len(difference.removable) != number:
            raise TagdbError(
                f"{len(difference.removable)} images are gone from the source, not {number}; "
                "nothing was removed"
            )

    return agree


def no_others(shown: Difference) -> Agreement:
    """Agree to removing images that were shown, but no others."""

    def agree(difference: Difference) -> None:
        others = {each.image_id for each in difference.removable} - {
            each.image_id for each in shown.removable
        }
        if others:
            raise TagdbError(
                f"{len(others)} more images are gone from the source since you were asked; "
                "nothing was removed; run the same command again"
            )

    return agree


def compare(
    connection: Connection,
    source: Source,
    options: Options = DEFAULT,
    on_rejected: Callable[[Rejected], None] = lambda rejected: None,
) -> Difference:
    """Compare a source with what is stored, and change nothing.

    Raises
    ------
    SourceError
        It is not a source that can be compared.
    """
    _require_complete(source)
    images = len(_images(connection, source))
    options = replace(options, dry_run=True, update=True)
    summary = ingest.run(connection, None, [source], options, on_rejected)
    return _difference(connection, source, summary, images)


def run(
    connection: Connection,
    backbone: Backbone,
    source: Source,
    agree: Agreement = up_to_half,
    options: Options = DEFAULT,
    on_rejected: Callable[[Rejected], None] = lambda rejected: None,
    reconnect: Callable[[], Connection] | None = None,
    *,
    remove: int | None = None,
) -> Synchronised:
    """Ingest a source, and remove what is gone from it in one transaction at the end.

    Parameters
    ----------
    agree
        Asked before anything is removed.
    remove
        Number of images to remove, in place of ``agree``; if it is wrong, nothing is changed at all.

    Raises
    ------
    SourceError
        It is not a source that can be compared, or too little of it can be read to remove anything.
    TagdbError
        Nobody agreed; what the source has and says is stored nevertheless.
    """
    _require_complete(source)
    if options.limit is not None or options.dry_run:
        raise ValueError("all of the source must be ingested")
    if remove is not None:
        agree = _exactly(remove)
        agree(compare(connection, source, options))
    images = len(_images(connection, source))
    summary = ingest.run(
        connection, backbone, [source], replace(options, update=True), on_rejected, reconnect
    )
    if connection.broken and reconnect is not None:
        with reconnect() as another:
            return _remove(another, source, summary, images, agree)
    return _remove(connection, source, summary, images, agree)


def _remove(
    connection: Connection, source: Source, summary: Summary, images: int, agree: Agreement
) -> Synchronised:
    difference = _difference(connection, source, summary, images)
    if not difference.gone:
        return Synchronised(summary, 0, 0)
    require_readable(source, difference)
    agree(difference)
    folding_in = FoldingIn(connection)
    gone = {each.image_id for each in difference.gone}
    removable = {each.image_id for each in difference.removable}

    def remove() -> tuple[int, int]:
        with connection.transaction():
            store.corrections.claim(connection, list(gone))
            # again, now that nobody changes them: another source may have got some in the meantime
            images = [each for each in _images(connection, source) if each.image_id in gone]
            kept = [each for each in images if each.elsewhere or each.image_id not in removable]
            number = _number(connection, source)
            unsaid = {(each.image_id, number): set(each.hashtag_ids) for each in kept}
            folding_in.again(store.sources.unsay(connection, unsaid, True))
            store.sources.leave(connection, number, [each.image_id for each in kept])
            there = {each.image_id for each in kept}
            removed = [each.image_id for each in images if each.image_id not in there]
            return store.corrections.remove(connection, removed), len(kept)

    removed, kept = corrections.again(connection, remove)
    folding_in.finish()
    store.statistics.refresh_if_due(connection)
    return Synchronised(summary, removed, kept)


def require_readable(source: Source, difference: Difference) -> None:
    """Raise SourceError if so little of a source can be read that nobody knows what is gone from it."""
    if not difference.found:
        raise SourceError(
            f"none of the photos of {source.name} can be found, as if a disk were missing; nothing was "
            "removed (to remove its images: tagdb remove --uri PREFIX)"
        )
    if difference.unreadable:
        raise SourceError(
            f"{difference.unreadable} files, folders or rows of {source.name} cannot be read, so nobody "
            "knows what is gone; nothing was removed; make them readable, and run the same command again"
        )


def _require_complete(source: Source) -> None:
    if not source.complete:
        raise SourceError(
            f"{source.name} cannot be synchronised with, because it does not say what is gone; "
            "name a folder or a list"
        )


def _difference(connection: Connection, source: Source, summary: Summary, images: int) -> Difference:
    number = _number(connection, source)
    gone = [
        Gone(each.image_id, each.uri, each.elsewhere)
        for each in _images(connection, source)
        if (number, each.content_sha256) not in summary.seen
    ]
    return Difference(summary.counts, images, len(summary.seen), summary.unreadable, gone)


def _number(connection: Connection, source: Source) -> int:
    """Return the number of a source; 0 if nothing was ever ingested from it."""
    return store.sources.ids(connection, [source.location], add=False).get(source.location, 0)


def _images(connection: Connection, source: Source) -> list[SourceImage]:
    number = _number(connection, source)
    return store.sources.images(connection, number, source.location, source.whole)
