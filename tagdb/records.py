"""From a source's record to the hash of its content and an image to store, or to a rejection."""

from collections.abc import Sequence
from dataclasses import dataclass

from tagdb import hashtags
from tagdb.errors import RejectedInput
from tagdb.photos import images, sidecars
from tagdb.photos.keywords import NOTHING, Description, Hierarchy, Where
from tagdb.photos.sources import Record, Rejection
from tagdb.store.batches import Image, Rejected


@dataclass(slots=True)
class Outcome:
    """Result of a record: an image to store or None, and rejections."""

    image: Image | None
    rejected: list[Rejected]
    record_size: int = 0
    """Approximate memory of the record in bytes, without the photo's file."""

    @property
    def size(self) -> int:
        """Return the same result with rejections."""
        return self.record_size + 300 * len(self.rejected)


@dataclass(frozen=True, slots=True)
class Content:
    """A photo's file, as far as it is known before decoding."""

    sha256: bytes
    size: int
    """In bytes."""
    sidecar: Description = NOTHING
    """What is written beside it."""


def hashes(records: Sequence[Record | Rejection], where: Where = "none") -> list[Content | Rejected]:
    """Return the content of each record, or why there is none; with sidecars unless ``where`` is ``none``."""
    return [_hash(record, where) for record in records]


def _hash(record: Record | Rejection, where: Where) -> Content | Rejected:
    if isinstance(record, Rejection):
        return Rejected(record.origin, record.line, record.reason)
    try:
        content = record.file.read()
    except RejectedInput as error:
        return rejected(record, error)
    beside = NOTHING if where == "none" else sidecars.read(record.file)
    return Content(images.content_hash(content), len(content), beside)


def rejected(record: Record, error: RejectedInput) -> Rejected:
    """Return the reason, with the photo's name unless the record comes from the photo itself."""
    reason = str(error) if record.line is None else f"{hashtags.printable(record.file.name)}: {error}"
    return Rejected(record.origin, record.line, reason)


def image_of(
    record: Record,
    content_sha256: bytes,
    description: Description = NOTHING,
    hierarchy: Hierarchy = "leaf",
) -> tuple[Image, list[Rejected]]:
    """Return what is said about a content, with folded hashtags, and rejections of what is invalid.

    A description is what is written in and beside the photo; it counts where the record says nothing.
    """
    folded: dict[str, str] = {}
    refused = [Rejected(record.origin, record.line, reason) for reason in record.refused]
    keywords, unusable = description.hashtags(hierarchy) if description != NOTHING else ([], [])
    refused += [rejected(record, RejectedInput(reason)) for reason in unusable]
    for raw in (*record.hashtags, *keywords):
        try:
            folded.setdefault(hashtags.fold(raw), hashtags.spelled(raw))
        except RejectedInput as error:
            refused.append(Rejected(record.origin, record.line, str(error)))
    image = Image(
        content_sha256,
        record.uri,
        list(folded),
        record.collection,
        record.source_ref,
        record.taken_at or description.taken_at,
        description.metadata | record.metadata,
        spellings={hashtag: spelling for hashtag, spelling in folded.items() if spelling != hashtag},
    )
    return image, refused
