"""Batches of images going in: all of a batch in one transaction, or nothing of it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg.types.json import Jsonb

from tagdb.postgres.database import Connection
from tagdb.store import backbones, index, ingest_runs
from tagdb.store.ingest_runs import Counts
from tagdb.store.statements import (
    copy_arrays,
    execute,
    fetch_column,
    fetch_map,
    statement,
)


@dataclass(slots=True)
class Image:
    """One image of a batch. ``embedding`` is None where the content is known already."""

    content_sha256: bytes
    uri: str
    hashtags: Sequence[str]
    """Folded."""
    collection: str | None = None
    source_ref: str | None = None
    taken_at: datetime | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    media_type: str | None = None
    width: int | None = None
    height: int | None = None
    byte_count: int | None = None
    embedding: NDArray[np.float32] | None = None
    """float32 (1280,), of length 1"""
    thumbnail: bytes | None = None
    original: bytes | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """What could not be used."""

    origin: str
    line: int | None
    reason: str

    def __str__(self) -> str:
        """Return where it was found, and why it could not be used."""
        place = self.origin if self.line is None else f"{self.origin}:{self.line}"
        return f"{place}: {self.reason}"


class AlreadyStored(Exception):
    """A batch that was tried again had been stored the first time."""


def prepare(connection: Connection) -> None:
    """Make the landing place of batches, once for each connection."""
    execute(connection, "ingest/prepare")


def known_contents(connection: Connection, backbone_id: int, hashes: Sequence[bytes]) -> set[bytes]:
    """Return which contents are stored with an embedding by this backbone."""
    return {
        *fetch_column(
            connection, "ingest/known_contents", binary=True, backbone_id=backbone_id, hashes=list(hashes)
        )
    }


def save(
    connection: Connection,
    ingest_run_id: int,
    backbone_id: int,
    images: Sequence[Image],
    rejected: Sequence[Rejected],
    fold: Callable[[Collection[int]], None] = lambda image_ids: None,
    batch: int | None = None,
) -> Counts:
    """Store a batch in one transaction: all of it, or nothing. Returns what it changed.

    Parameters
    ----------
    fold
        Called within the transaction with the images that got hashtags.
    batch
        How many batches of this run are stored before it, for one that may have to be tried again.

    Raises
    ------
    AlreadyStored
        This batch of the run is stored; nothing was changed.
    BackboneMismatch
        Another backbone has become active; nothing was changed.
    """
    with connection.transaction():
        _land(connection, images)
        new = fetch_map(connection, "ingest/insert_images", binary=True, ingest_run_id=ingest_run_id)
        _save_content(connection, backbone_id, images, new)
        touched: set[int] = set()
        if len(images) > len(new):  # or else all that is said of the images went in with them
            touched = {*fetch_column(connection, "ingest/update_images")}
        linked = _save_hashtags(connection, images, new)
        fold(linked)
        touched |= linked
        if rejected:
            rows = ((ingest_run_id, r.origin, r.line, r.reason) for r in rejected)
            _copy(connection, "ingest/copy_errors", rows)
        updated = len(touched.difference(new.values()))
        counts = Counts(len(new), len(images) - len(new) - updated, updated, len(rejected))
        if not ingest_runs.add_batch(connection, ingest_run_id, counts, batch):
            raise AlreadyStored
    return counts


def embed_stored(
    connection: Connection, backbone_id: int, vectors: Mapping[bytes, NDArray[np.float32]]
) -> int:
    """Store embeddings, float32 (1280,) by content, of images that are stored; how many were missing.

    The backbone need not be the active one.
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
        )
        for i in images
    )
    _copy(connection, "ingest/copy_images", rows)


def _save_content(
    connection: Connection, backbone_id: int, images: Sequence[Image], new: Mapping[bytes, int]
) -> None:
    """Embeddings and files of the images that have none. ``new`` are the images of this very batch."""
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
    rows = ((image_id, image.original, image.thumbnail) for image_id, image in without_files)
    _copy(connection, "ingest/copy_files", rows, ["int8", "bytea", "bytea"])


def _missing(
    connection: Connection, backbone_id: int, hashes: Sequence[bytes]
) -> list[tuple[int, bytes, bool]]:
    """Those of the stored contents that a backbone has not embedded: image, content, whether it has files.

    Nobody else embeds them until the caller's transaction ends.
    """

    def look() -> list[Any]:
        return execute(
            connection,
            "ingest/missing_embeddings",
            binary=True,
            hashes=list(hashes),
            backbone_id=backbone_id,
        ).fetchall()

    # Another one may have stored them while this one waited for the lock: only a new look can tell.
    return look() if hashes and look() else []


def _save_embeddings(
    connection: Connection, backbone_id: int, vectors: Mapping[int, NDArray[np.float32] | None]
) -> None:
    """Embeddings, float32 (1280,) by image, and their search vectors."""
    ids = np.array(list(vectors), np.int64)
    embeddings = np.stack([vector for vector in vectors.values() if vector is not None]).astype(np.float16)
    backbone = np.full(len(ids), backbone_id, np.int32)
    copy_arrays(connection, "ingest/copy_embeddings", backbone, ids, embeddings)
    index.add_search_vectors(connection, backbone_id, ids, embeddings)


def _save_hashtags(connection: Connection, images: Sequence[Image], new: Mapping[bytes, int]) -> set[int]:
    """Hashtags of images, and which of these images had not all of theirs before.

    Numbers are looked up here and not by joins: a join would read all images and all hashtags, each time.
    """
    hashtags = list({hashtag for i in images for hashtag in i.hashtags})
    if not hashtags:
        return set()
    ids = dict(new)
    if older := list({i.content_sha256 for i in images if i.hashtags} - ids.keys()):
        ids |= fetch_map(connection, "ingest/image_ids", binary=True, hashes=older)
    execute(connection, "ingest/insert_hashtags", hashtags=hashtags)
    numbers = fetch_map(connection, "ingest/hashtag_ids", binary=True, hashtags=hashtags)
    pairs = [
        (ids[i.content_sha256], numbers[h]) for i in images if i.content_sha256 in ids for h in i.hashtags
    ]
    return {
        *fetch_column(
            connection,
            "ingest/insert_image_hashtags",
            image_ids=[image_id for image_id, _ in pairs],
            hashtag_ids=[hashtag_id for _, hashtag_id in pairs],
        )
    }
