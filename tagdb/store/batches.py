"""Store batches of images, each in one transaction."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg.types.json import Jsonb

from tagdb.errors import ReasonCode
from tagdb.postgres.database import Connection
from tagdb.store import backbones, descriptions, index, ingest_runs
from tagdb.store.ingest_runs import Counts
from tagdb.store.sources import Comparison
from tagdb.store.statements import (
    copy_arrays,
    execute,
    fetch_column,
    fetch_map,
    statement,
)


@dataclass(slots=True)
class Image:
    """An image of a batch. ``embedding`` is None if the content is already known."""

    content_sha256: bytes
    uri: str
    hashtags: Sequence[str]
    """Folded hashtags."""
    collection: str | None = None
    source_ref: str | None = None
    taken_at: datetime | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    media_type: str | None = None
    width: int | None = None
    height: int | None = None
    byte_count: int | None = None
    embedding: NDArray[np.float32] | None = None
    """float32 (1280,) of length 1."""
    thumbnail: bytes | None = None
    original: bytes | None = None
    kept_at: str | None = None
    """URI of the original, if it stays there and is to be read again."""
    etag: str | None = None
    """Version of the object at ``uri``, by which its content is known without being read."""
    spellings: Mapping[str, str] = field(default_factory=dict)
    """How those hashtags are written that are not written as they are folded."""
    source_id: int | None = None
    """Which source says this; None for nobody who could say something else later."""
    said: int = 0
    """Hash of all that the source says, without hashtags."""
    fields: Sequence[str] = ()
    """Names of the fields that the source says, with keys of the metadata."""
    own: Collection[str] = ()
    """Hashtags that are written in the photo itself, which no source can take back."""
    first: bool = True
    """Whether the source says something of this content for the first time in its ingest."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A rejected input."""

    origin: str
    line: int | None
    reason: str
    reason_code: ReasonCode
    unreadable: bool = field(default=False, compare=False)
    """Whether it is there, but could not be read."""

    def __str__(self) -> str:
        """Return its place and the reason."""
        place = self.origin if self.line is None else f"{self.origin}:{self.line}"
        return f"{place}: {self.reason}"


class AlreadyStored(Exception):
    """A repeated batch was already stored by the first attempt."""


def known_contents(connection: Connection, backbone_id: int, hashes: Sequence[bytes]) -> set[bytes]:
    """Return the contents that are stored with an embedding by this backbone."""
    return {
        *fetch_column(
            connection, "ingest/known_contents", binary=True, backbone_id=backbone_id, hashes=list(hashes)
        )
    }


def known_objects(
    connection: Connection, backbone_id: int, listed: Sequence[tuple[str | None, str | None, int | None]]
) -> dict[str, bytes]:
    """Return the contents, by URI, of objects that are stored with an embedding by this backbone.

    Parameters
    ----------
    listed
        URI, version and size of each object.
    """
    return fetch_map(
        connection,
        "ingest/known_objects",
        binary=True,
        backbone_id=backbone_id,
        uris=[each[0] for each in listed],
        etags=[each[1] for each in listed],
        sizes=[each[2] for each in listed],
    )


def save(
    connection: Connection,
    ingest_run_id: int,
    backbone_id: int | None,
    images: Sequence[Image],
    rejected: Sequence[Rejected],
    fold: Callable[[Collection[int]], None] = lambda image_ids: None,
    batch: int | None = None,
    comparison: Comparison | None = None,
) -> Counts:
    """Store a batch in one transaction. Return what changed.

    Parameters
    ----------
    backbone_id
        The active backbone; None if there are rejected inputs only.
    fold
        Called in the transaction with the images that got hashtags.
    batch
        Number of batches of this run stored before it, if the batch may have to be repeated.
    comparison
        Says whether what is said now replaces what is stored, and learns what differs.

    Raises
    ------
    AlreadyStored
        The batch was already stored; nothing was changed.
    BackboneMismatch
        Another backbone was activated; nothing was changed.
    """
    comparison = comparison or Comparison()
    with connection.transaction():
        known = _held(connection, {i.content_sha256 for i in images}, comparison.replace)
        _land(connection, images)
        new = fetch_map(connection, "ingest/insert_images", binary=True, ingest_run_id=ingest_run_id)
        if backbone_id is not None:
            _save_content(connection, backbone_id, images, new)
        # others that somebody else has inserted just before
        late = {i.content_sha256 for i in images if i.media_type} - known.keys() - new.keys()
        ids = known | new | _held(connection, late, comparison.replace)
        done = descriptions.save(connection, images, ids, {*new.values()}, comparison)
        fold(done.linked)
        if rejected:
            rows = ((ingest_run_id, r.origin, r.line, r.reason, r.reason_code) for r in rejected)
            _copy(connection, "ingest/copy_errors", rows)
        counts = Counts(
            len(new),
            len(images) - len(new) - len(done.changed),
            len(done.changed),
            len(rejected),
            len(done.differing - comparison.differing),
        )
        if not ingest_runs.add_batch(connection, ingest_run_id, counts, batch):
            raise AlreadyStored
    done.note(comparison)
    return counts


def compare(connection: Connection, images: Sequence[Image], comparison: Comparison) -> Counts:
    """Return what storing a batch of known images would change, and change nothing."""
    with connection.transaction(force_rollback=True):
        ids = _held(connection, {i.content_sha256 for i in images}, comparison.replace)
        _land(connection, images)
        done = descriptions.save(connection, images, ids, set(), comparison)
    differing = len(done.differing - comparison.differing)
    done.note(comparison)
    return Counts(known=len(images) - len(done.changed), updated=len(done.changed), differing=differing)


def _held(connection: Connection, contents: Collection[bytes], change: bool) -> dict[bytes, int]:
    """Return the numbers of stored contents, which nobody removes until the transaction ends.

    With ``change``, nobody changes them either.
    """
    if not contents:
        return {}
    name = "ingest/lock_images" if change else "ingest/hold_images"
    return fetch_map(connection, name, binary=True, hashes=list(contents))


def embed_stored(
    connection: Connection, backbone_id: int, vectors: Mapping[bytes, NDArray[np.float32]]
) -> int:
    """Store embeddings, float32 (1280,) by content, of stored images; return the number that were missing.

    The backbone need not be active.
    """
    with connection.transaction():
        missing = _missing(connection, backbone_id, list(vectors))
        if missing:
            _save_embeddings(connection, backbone_id, {row[0]: vectors[row[1]] for row in missing})
    return len(missing)


def _copy(
    connection: Connection, name: str, rows: Iterable[Sequence[object]], types: Sequence[str] = ()
) -> None:
    with connection.cursor() as cursor, cursor.copy(statement(name)) as copy:
        if types:
            copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def _land(connection: Connection, images: Sequence[Image]) -> None:
    rows = (
        (
            *(i.content_sha256, i.uri, i.media_type, i.width, i.height, i.byte_count),
            *(i.collection, i.source_ref, i.taken_at, Jsonb(i.metadata)),
            *(i.source_id, i.said, i.first, i.etag),
        )
        for i in images
    )
    execute(connection, "ingest/prepare")  # for each batch: behind a pooler, this session may be another one
    _copy(connection, "ingest/copy_images", rows)


def _save_content(
    connection: Connection, backbone_id: int, images: Sequence[Image], new: Mapping[bytes, int]
) -> None:
    """Store embeddings and files of images without them. ``new`` are the new images of this batch."""
    by_hash = {i.content_sha256: i for i in images if i.embedding is not None}
    missing = [(new[content], content, False) for content in by_hash if content in new]
    missing += _missing(connection, backbone_id, [content for content in by_hash if content not in new])
    if not missing:
        return
    backbones.hold(connection, backbone_id)
    vectors = {image_id: by_hash[content].embedding for image_id, content, _ in missing}
    _save_embeddings(connection, backbone_id, vectors)
    without_files = (
        (image_id, by_hash[content]) for image_id, content, has_files in missing if not has_files
    )
    rows = ((image_id, image.original, image.kept_at, image.thumbnail) for image_id, image in without_files)
    _copy(connection, "ingest/copy_files", rows, ["int8", "bytea", "text", "bytea"])


def _missing(
    connection: Connection, backbone_id: int, hashes: Sequence[bytes]
) -> list[tuple[int, bytes, bool]]:
    """Return stored contents without an embedding by a backbone: image, content, whether it has files.

    No other session embeds them until the caller's transaction ends.
    """

    def look() -> list[Any]:
        return execute(
            connection,
            "ingest/missing_embeddings",
            binary=True,
            hashes=list(hashes),
            backbone_id=backbone_id,
        ).fetchall()

    # Another session may have stored them while this one waited for the lock, so query again.
    return look() if hashes and look() else []


def _save_embeddings(
    connection: Connection, backbone_id: int, vectors: Mapping[int, NDArray[np.float32] | None]
) -> None:
    """Store embeddings, float32 (1280,) by image, and their search vectors."""
    ids = np.array(list(vectors), np.int64)
    embeddings = np.stack([vector for vector in vectors.values() if vector is not None]).astype(np.float16)
    backbone = np.full(len(ids), backbone_id, np.int32)
    copy_arrays(connection, "ingest/copy_embeddings", backbone, ids, embeddings)
    index.add_search_vectors(connection, backbone_id, ids, embeddings)
