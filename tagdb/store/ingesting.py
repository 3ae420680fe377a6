"""Queries of an ingest: which contents are known, and batches of images going in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import LiteralString, cast

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from tagdb.postgres.database import Connection
from tagdb.store.backbones import hold_backbone
from tagdb.store.folding import Folding
from tagdb.store.indexing import add_search_vectors
from tagdb.store.statements import copy_arrays, statement


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


class AlreadyStored(Exception):
    """A batch that was tried again had been stored the first time."""


@dataclass(slots=True)
class Counts:
    """What an ingest did, in images (``rejected``: in records, photos and hashtags)."""

    new: int = 0
    known: int = 0
    updated: int = 0
    rejected: int = 0

    def add(self, other: "Counts") -> None:
        """Add another batch's counts to these."""
        self.new += other.new
        self.known += other.known
        self.updated += other.updated
        self.rejected += other.rejected

    def less(self, other: "Counts") -> "Counts":
        """What remains of these without another's."""
        return Counts(
            self.new - other.new,
            self.known - other.known,
            self.updated - other.updated,
            self.rejected - other.rejected,
        )


def prepare_batches(connection: Connection) -> None:
    """Make the landing place of batches: once for each connection."""
    connection.execute(statement("incoming"))


def begin_ingest_run(connection: Connection, sources: Sequence[str]) -> int:
    """Note that an ingest begins, and prepare for its batches."""
    prepare_batches(connection)
    row = connection.execute(statement("begin_ingest_run"), {"sources": list(sources)}).fetchone()
    assert row is not None
    return cast(int, row[0])


def finish_ingest_run(connection: Connection, ingest_run_id: int) -> None:
    """Note that an ingest went through to its end."""
    connection.execute(statement("finish_ingest_run"), {"ingest_run_id": ingest_run_id})


def known_hashes(connection: Connection, backbone_id: int, hashes: Sequence[bytes]) -> set[bytes]:
    """Which contents are stored with an embedding by this backbone."""
    rows = connection.execute(
        statement("known_hashes"), {"backbone_id": backbone_id, "hashes": list(hashes)}, binary=True
    )
    return {cast(bytes, row[0]) for row in rows}


def save_batch(
    connection: Connection,
    ingest_run_id: int,
    backbone_id: int,
    images: Sequence[Image],
    rejected: Sequence[Rejected],
    folding: Folding | None = None,
    batch: int | None = None,
) -> Counts:
    """Store a batch in one transaction: all of it, or nothing. Returns what it changed.

    Parameters
    ----------
    folding : gives the images factors in the active factor run, if there is one.
    batch : how many batches of this run are stored before it, for one that may have to be tried again.

    Raises
    ------
    AlreadyStored
        This batch of the run is stored; nothing was changed.
    """
    with connection.transaction():
        _land(connection, images)
        run = {"ingest_run_id": ingest_run_id}
        new: dict[bytes, int] = dict(
            connection.execute(statement("insert_images"), run, binary=True).fetchall()
        )
        _save_content(connection, backbone_id, images, new)
        touched: set[int] = set()
        if len(images) > len(new):  # or else all that is said of the images went in with them
            touched = {row[0] for row in connection.execute(statement("update_images"))}
        linked = _save_hashtags(connection, images, new)
        if folding is not None:
            folding.images(linked)
        touched |= linked
        if rejected:
            _copy(
                connection,
                "COPY tagdb_store.ingest_errors (ingest_run_id, origin, line, reason) FROM STDIN",
                ((ingest_run_id, r.origin, r.line, r.reason) for r in rejected),
            )
        updated = len(touched.difference(new.values()))
        counts = Counts(len(new), len(images) - len(new) - updated, updated, len(rejected))
        counted = connection.execute(
            statement("count_ingest_run"), run | asdict(counts) | {"batch": batch}
        ).fetchone()
        if counted is None:
            raise AlreadyStored
    return counts


def ingest_run_counts(connection: Connection, ingest_run_id: int) -> Counts:
    """What all stored batches of an ingest run did."""
    with connection.cursor(row_factory=class_row(Counts)) as cursor:
        found = cursor.execute(statement("ingest_run_counts"), {"ingest_run_id": ingest_run_id}).fetchone()
    assert found is not None
    return found


def _copy(connection: Connection, command: LiteralString, rows: Iterable[Sequence[object]]) -> None:
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        for row in rows:
            copy.write_row(row)


def _land(connection: Connection, images: Sequence[Image]) -> None:
    _copy(
        connection,
        "COPY pg_temp.incoming_images FROM STDIN",
        (
            (
                *(i.content_sha256, i.uri, i.media_type, i.width, i.height, i.byte_count),
                *(i.collection, i.source_ref, i.taken_at, Jsonb(i.metadata)),
            )
            for i in images
        ),
    )


def _save_content(
    connection: Connection, backbone_id: int, images: Sequence[Image], new: Mapping[bytes, int]
) -> None:
    """Embeddings and files of the images that have none. ``new`` are the images of this very batch."""
    by_hash = {i.content_sha256: i for i in images if i.embedding is not None}
    missing = [(new[content], content, False) for content in by_hash if content in new]
    missing += _missing(connection, backbone_id, [content for content in by_hash if content not in new])
    if not missing:
        return
    hold_backbone(connection, backbone_id)
    vectors = {row[0]: by_hash[row[1]].embedding for row in missing}
    _save_embeddings(connection, backbone_id, cast(Mapping[int, NDArray[np.float32]], vectors))
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY tagdb_store.image_files (image_id, original, thumbnail) FROM STDIN (FORMAT binary)"
        ) as copy,
    ):
        copy.set_types(["int8", "bytea", "bytea"])
        for image_id, content, has_files in missing:
            if not has_files:
                image = by_hash[content]
                copy.write_row((image_id, image.original, image.thumbnail))


def _missing(
    connection: Connection, backbone_id: int, hashes: Sequence[bytes]
) -> list[tuple[int, bytes, bool]]:
    """Those of the stored contents that a backbone has not embedded: image, content, whether it has files.

    Nobody else embeds them until the caller's transaction ends.
    """
    asked = {"hashes": list(hashes), "backbone_id": backbone_id}
    if not hashes or not connection.execute(statement("missing_embeddings"), asked).fetchall():
        return []
    # Another one may have stored them while this one waited for it: only a new look can tell.
    return connection.execute(statement("missing_embeddings"), asked, binary=True).fetchall()


def _save_embeddings(
    connection: Connection, backbone_id: int, vectors: Mapping[int, NDArray[np.float32]]
) -> None:
    """Embeddings, float32 (1280,) by image, and their search vectors."""
    ids = np.array(list(vectors), np.int64)
    embeddings = np.stack(list(vectors.values())).astype(np.float16)
    columns = (np.full(len(ids), backbone_id, np.int32), ids, embeddings)
    copy_arrays(connection, sql.SQL("COPY tagdb_store.embeddings FROM STDIN (FORMAT binary)"), columns)
    add_search_vectors(connection, backbone_id, ids, embeddings)


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


def _save_hashtags(connection: Connection, images: Sequence[Image], new: Mapping[bytes, int]) -> set[int]:
    """Hashtags of images, and which of these images had not all of theirs before.

    Numbers are looked up here and not by joins: a join would read all images and all hashtags, each time.
    """
    ids = dict(new)
    if older := list({i.content_sha256 for i in images if i.hashtags} - ids.keys()):
        ids.update(connection.execute(statement("image_ids"), {"hashes": older}, binary=True))
    names = {"hashtags": list({hashtag for i in images for hashtag in i.hashtags})}
    if not names["hashtags"]:
        return set()
    connection.execute(statement("insert_hashtags"), names)
    numbers: dict[str, int] = dict(
        connection.execute(statement("hashtag_ids"), names, binary=True).fetchall()
    )
    pairs = [
        (ids[i.content_sha256], numbers[h]) for i in images if i.content_sha256 in ids for h in i.hashtags
    ]
    asked = {"image_ids": [pair[0] for pair in pairs], "hashtag_ids": [pair[1] for pair in pairs]}
    return {row[0] for row in connection.execute(statement("insert_image_hashtags"), asked)}
