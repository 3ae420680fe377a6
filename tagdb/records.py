"""What a source's record comes to: the hash of its content, and an image to store, or what is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

from tagdb import hashtags
from tagdb.errors import RejectedInput
from tagdb.photos import files, images
from tagdb.photos.sources import Record, Rejection
from tagdb.store.batches import Image, Rejected


@dataclass(slots=True)
class Outcome:
    """What became of one record: an image to store or none, and what had to be rejected."""

    image: Image | None
    rejected: list[Rejected]
    record_size: int = 0
    """About how many bytes of memory what the record says takes; the photo's file is not counted."""

    @property
    def size(self) -> int:
        """The same with what had to be rejected."""
        return self.record_size + 300 * len(self.rejected)


Content = tuple[bytes, int]
"""Hash and bytes of a file."""


def hashes(records: Sequence[Record | Rejection]) -> list[Content | Rejected]:
    """The contents that records name, one for each, or why there is none."""
    return [_hash(record) for record in records]


def _hash(record: Record | Rejection) -> Content | Rejected:
    if isinstance(record, Rejection):
        return Rejected(record.origin, record.line, record.reason)
    try:
        content = files.read(record.path, record.within)
    except RejectedInput as error:
        return rejected(record, error)
    return images.content_hash(content), len(content)


def rejected(record: Record, error: RejectedInput) -> Rejected:
    """The reason, with the photo's name unless the record's origin is the photo itself."""
    reason = str(error) if record.line is None else f"{hashtags.printable(record.path.name)}: {error}"
    return Rejected(record.origin, record.line, reason)


def image_of(record: Record, content_sha256: bytes) -> tuple[Image, list[Rejected]]:
    """What a record says of a content: folded hashtags and all else, and the hashtags that are none."""
    folded: dict[str, None] = {}
    refused = []
    for raw in record.hashtags:
        try:
            folded[hashtags.fold(raw)] = None
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
    )
    return image, refused
