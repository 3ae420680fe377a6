"""From a source's record to the hash of its content and an image to store, or to a rejection."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tagdb import hashtags
from tagdb.errors import RejectedInput, UnreadableInput
from tagdb.photos import images, sidecars
from tagdb.photos.keywords import NOTHING, Description, Hierarchy, Where
from tagdb.photos.remote import Remote
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
    kept: bytes | None = field(default=None, repr=False)
    """The file, so that it is not read again."""


def hashes(
    records: Sequence[Record | Rejection], where: Where = "none", keep: int = 0
) -> list[Content | Rejected]:
    """Return the content of each record, or why there is none.

    Parameters
    ----------
    where
        Sidecars are read unless this is ``none``.
    keep
        How many bytes of files on this machine are kept, those of the first ones.
    """
    contents = []
    for record in records:
        content = _hash(record, where, keep)
        if isinstance(content, Content) and content.kept is not None:
            keep -= content.size
        contents.append(content)
    return contents


def _hash(record: Record | Rejection, where: Where, keep: int) -> Content | Rejected:
    if isinstance(record, Rejection):
        return Rejected(record.origin, record.line, record.reason, record.reason_code, record.unreadable)
    try:
        content = record.file.read()
    except RejectedInput as error:
        return rejected(record, error)
    beside = NOTHING if where == "none" else sidecars.read(record.file)
    kept = content if len(content) <= keep and record.file.size == 0 else None
    return Content(images.content_hash(content), len(content), beside, kept)


def rejected(record: Record, error: RejectedInput) -> Rejected:
    """Return the reason, with the photo's name unless the record comes from the photo itself."""
    reason = str(error) if record.line is None else f"{hashtags.printable(record.file.name)}: {error}"
    return Rejected(record.origin, record.line, reason, error.reason_code, isinstance(error, UnreadableInput))


class Seen:
    """Which contents the sources of an ingest have, in 64 bits each: there may be millions."""

    def __init__(self) -> None:
        self._hashes: set[int] = set()

    def __contains__(self, place: tuple[int, bytes]) -> bool:
        return hash(place) in self._hashes

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, place: tuple[int, bytes]) -> bool:
        """Add a content of a source; return whether it is the first time."""
        before = len(self._hashes)
        self._hashes.add(hash(place))
        return len(self._hashes) > before


@dataclass(frozen=True, slots=True)
class Said:
    """A record of a source, and what is written beside its photo."""

    record: Record
    beside: Description = NOTHING
    source_id: int | None = None
    first: bool = True
    """Whether the source says something of this content for the first time."""


def image_of(
    said: Said, content_sha256: bytes, within: Description = NOTHING, hierarchy: Hierarchy = "leaf"
) -> tuple[Image, list[Rejected]]:
    """Return what is said about a content, with folded hashtags, and rejections of what is invalid.

    What is written in and beside the photo counts where the record says nothing. What is written in it is not
    what a source says, because it cannot change.
    """
    record, beside = said.record, said.beside
    refused = [Rejected(record.origin, record.line, reason, "invalid_field") for reason in record.refused]
    everything = beside | within
    keywords, unusable = everything.hashtags(hierarchy) if everything != NOTHING else ([], [])
    refused += [rejected(record, error) for error in unusable]
    folded: dict[str, str] = {}
    for raw in (*record.hashtags, *keywords):
        try:
            folded.setdefault(hashtags.fold(raw), hashtags.spelled(raw))
        except RejectedInput as error:
            refused.append(Rejected(record.origin, record.line, str(error), error.reason_code))
    taken_at, metadata = record.taken_at or beside.taken_at, beside.metadata | record.metadata
    image = Image(
        content_sha256,
        record.uri,
        list(folded),
        record.collection,
        record.source_ref,
        taken_at or within.taken_at,
        within.metadata | metadata,
        spellings={hashtag: spelling for hashtag, spelling in folded.items() if spelling != hashtag},
        own={*map(hashtags.fold, within.hashtags(hierarchy)[0])} if within != NOTHING else (),
        source_id=said.source_id,
        said=_digest(record, taken_at, metadata),
        fields=_named(record, metadata),
        # a sidecar that cannot be used takes nothing back
        first=said.first and not beside.refused,
        etag=record.file.etag if isinstance(record.file, Remote) and record.file.uri == record.uri else None,
    )
    return image, refused


def _digest(record: Record, taken_at: datetime | None, metadata: Mapping[str, object]) -> int:
    """Return a hash of what a record says besides hashtags, 64 bits with a sign."""
    time = taken_at and taken_at.isoformat()
    said = [record.uri, record.collection, record.source_ref, time, metadata]
    text = json.dumps(said, sort_keys=True).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), signed=True)


def _named(record: Record, metadata: Iterable[str]) -> list[str]:
    """Return the names of the fields that a record has, with the keys of its metadata."""
    given = {"collection": record.collection, "source_ref": record.source_ref}
    return [*(name for name, value in given.items() if value is not None), *metadata]
