"""Store photos that come one by one, as bytes: by HTTP, and by SQL.

The rest is as in an ingest (:mod:`tagdb.ingest`). What is costly and can wait, statistics and the vector
index, is left to :func:`settle`.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from weakref import WeakKeyDictionary

from tagdb import corrections, records, store
from tagdb.embedding.backbone import Backbone
from tagdb.embedding.worker import Embedded
from tagdb.errors import BackboneMismatch, RejectedInput, TagdbError
from tagdb.folding_in import FoldingIn
from tagdb.hashtags import printable, unfolded
from tagdb.learning.folding_in import Basis
from tagdb.photos.fields import MAX_HASHTAGS
from tagdb.photos.files import Held
from tagdb.photos.sources import Record
from tagdb.photos.usable import collection_of, usable_text, usable_time
from tagdb.postgres.database import Connection
from tagdb.store.batches import Image, Rejected

SOURCE = "upload:"
"""Location of the source of all these photos, and what their URIs begin with: ``upload:SHA256/NAME``."""
MAX_NAME = 200
"""Most characters of a photo's name that are kept."""
PATIENCE = 20
"""Statistics are refreshed when this many times the seconds that it takes have passed since the last time."""

_BASES: WeakKeyDictionary[Connection, Basis] = WeakKeyDictionary()
"""What folding in needs of the active run, by connection: for a large run, reading it takes a second."""


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """A photo that was stored."""

    image_id: int
    new: bool
    """Whether its content was unknown before."""
    refused: tuple[str, ...] = ()
    """Why keywords in the photo cannot be used; the others are its hashtags."""


def store_photo(
    connection: Connection,
    backbone: Backbone,
    content: bytes,
    embedded: Embedded,
    hashtags: str | Sequence[str] = (),
    *,
    name: str = "",
    collection: str | None = None,
    taken_at: datetime | None = None,
    source_ref: str | None = None,
) -> StoredPhoto:
    """Store a photo with hashtags, those among its own keywords included, and fold it into the factors.

    The same content twice is one image with the hashtags of both; fields that were empty are filled. The
    first photo of a database makes its backbone the database's. The day's photos are one ingest run.

    Parameters
    ----------
    connection
        Not within a transaction.
    embedded
        The photo, decoded and embedded by the backbone.
    hashtags
        One text or several, as people give them: ``"sea, sun"`` is two.
    name
        The photo's name, for people. Its URI is ``upload:SHA256/NAME``.
    taken_at
        With a time zone; None for what is written in the photo.
    source_ref
        Where it comes from, such as the link of a post.

    Raises
    ------
    RejectedInput
        A hashtag or a field is not valid; nothing was stored.
    BackboneMismatch
        The database has another backbone; nothing was stored.
    """
    image, refused = _image(content, embedded, _record(name, hashtags, collection, taken_at, source_ref))
    run_id = store.ingest_runs.of_uploads(connection, SOURCE)
    image.source_id = store.sources.ids(connection, [SOURCE])[SOURCE]
    backbone_id = _backbone_id(connection, backbone)

    def save() -> tuple[int, bool, FoldingIn]:
        folding_in = FoldingIn(connection, _BASES.get(connection))
        with connection.transaction():
            counts = store.batches.save(connection, run_id, backbone_id, [image], refused, folding_in.images)
            store.ingest_runs.finish(connection, run_id)  # until the next one
            stored = store.corrections.by_content(connection, image.content_sha256)
            folding_in.finish()
        return stored[0].image_id, bool(counts.new), folding_in

    image_id, new, folding_in = corrections.again(connection, save)
    if folding_in.basis is not None:
        _BASES[connection] = folding_in.basis
    return StoredPhoto(image_id, new, tuple(each.reason for each in refused))


def settle(connection: Connection, *, patience: float = PATIENCE) -> bool:
    """Do what stored photos have made due: refresh the statistics, build the vector index; may take a while.

    For whoever stores photos, now and then and at the end. Nothing is refreshed again too soon.

    Parameters
    ----------
    patience
        How many times the seconds of a refresh must have passed since the last one; 0 for now.

    Returns
    -------
    bool
        Whether something was due.
    """
    before = store.statistics.current(connection)
    rested = datetime.now(UTC) - before.refreshed_at
    if rested < timedelta(seconds=patience * before.seconds):
        return False
    store.statistics.refresh_if_due(connection)
    due = store.statistics.current(connection).refreshed_at != before.refreshed_at
    stored = store.backbones.active(connection)
    return (due and stored is not None and store.index.ensure(connection, stored.backbone_id)) or due


class Settler:
    """Settles now and then after photos were stored, in a thread of its own."""

    def __init__(self, ask: Callable[[Callable[[Connection], bool]], object]) -> None:
        """Make one that has nothing to do yet; ``ask`` runs a query on a connection of a writer."""
        self._ask = ask
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tagdb-settling")
        self._settling: Future[None] | None = None
        self._stored = False

    def stored(self) -> None:
        """Note that a photo was stored."""
        self._stored = True

    def look(self) -> None:
        """Begin to settle, if a photo was stored; to be called about once a second."""
        if self._stored and (self._settling is None or self._settling.done()):
            self._stored = False
            self._settling = self._thread.submit(self._settle, PATIENCE)

    def close(self) -> None:
        """Wait for what was begun, and settle what is left."""
        self._thread.shutdown()
        if self._stored:
            self._settle(0)

    def _settle(self, patience: float) -> None:
        with suppress(TagdbError):  # whoever stores the next photo tries again
            self._ask(lambda connection: settle(connection, patience=patience))


def _record(
    name: str,
    hashtags: str | Sequence[str],
    collection: str | None,
    taken_at: datetime | None,
    source_ref: str | None,
) -> Record:
    """Return a record of what is said of a photo; unlike a manifest's row, it is valid or refused."""
    given = unfolded(hashtags)
    if len(given) > MAX_HASHTAGS:
        raise RejectedInput(f"{len(given)} hashtags; at most {MAX_HASHTAGS} are allowed", "invalid_record")
    said = {"collection": collection, "source_ref": source_ref, "taken_at": taken_at and taken_at.isoformat()}
    return Record(
        Held(printable(name, MAX_NAME), b""),
        SOURCE,
        tuple(given),
        collection_of(said),
        usable_text(said, "source_ref"),
        usable_time(said),
        {},
        SOURCE,
        None,
    )


def _image(content: bytes, embedded: Embedded, record: Record) -> tuple[Image, list[Rejected]]:
    """Return the image to store, and why keywords in the photo cannot be used."""
    photo = embedded.photo
    image, refused = records.image_of(records.Said(record), photo.sha256, photo.description)
    image.uri = f"{SOURCE}{photo.sha256.hex()}/{record.file.name}"
    image.taken_at = image.taken_at or photo.taken_at
    image.media_type, image.width, image.height = photo.media_type, photo.width, photo.height
    image.byte_count = len(content)
    image.embedding, image.thumbnail, image.original = embedded.required(), photo.thumbnail, content
    return image, [Rejected(image.uri, None, each.reason, each.reason_code) for each in refused]


def _backbone_id(connection: Connection, backbone: Backbone) -> int:
    """Return the number of the backbone, which becomes the database's if that has none yet."""
    stored = store.backbones.active(connection)
    if stored is None:
        store.backbones.add(connection, backbone.identity, backbone.to_carry)
        stored = store.backbones.active(connection)
    if stored is None or not stored.made_by(backbone):
        raise BackboneMismatch("the backbone of this database was changed; send the photo again")
    return stored.backbone_id
