"""From a source's record to the hash of its content and an image to store, or to a rejection."""

from collections.abc import Sequence
from dataclasses import dataclass

from tagdb import hashtags
from tagdb.errors import RejectedInput
from tagdb.photos import images
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


Content = tuple[bytes, int]
"""Hash and size of a file."""


def hashes(records: Sequence[Record | Rejection]) -> list[Content | Rejected]:
    """Return the content of each record, or why there is none."""
    return [_hash(record) for record in records]


def _hash(record: Record | Rejection) -> Content | Rejected:
    if isinstance(record, Rejection):
        return Rejected(record.origin, record.line, record.reason)
    try:
        content = record.file.read()
    except RejectedInput as error:
        return rejected(record, error)
    return images.content_hash(content), len(content)


def rejected(record: Record, error: RejectedInput) -> Rejected:
    """Return the reason, with the photo's name unless the record comes from the photo itself."""
    reason = str(error) if record.line is None else f"{hashtags.printable(record.file.name)}: {error}"
    return Rejected(record.origin, record.line, reason)


def image_of(record: Record, content_sha256: bytes) -> tuple[Image, list[Rejected]]:
    """Return what a record says about a content, with folded hashtags, and rejections of what is invalid."""
    folded: dict[str, str] = {}
    refused = [Rejected(record.origin, record.line, reason) for reason in record.refused]
    for raw in record.hashtags:
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
        record.taken_at,
        record.metadata,
        spellings={hashtag: spelling for hashtag, spelling in folded.items() if spelling != hashtag},
    )
    return image, refused
