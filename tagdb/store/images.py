"""Stored images, as pages of them and one by one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from tagdb.postgres.database import Connection
from tagdb.store.statements import fetch_all, fetch_column, fetch_optional, fetch_value

Order = Literal["stored", "taken"]
RARE = 3000
"""Images of a hashtag up to which they are looked up by it; those of others come soon in any order."""
RARE_AMONG = 20_000
"""The same where a collection or a time is given as well, in which even a frequent hashtag may be rare."""


@dataclass(frozen=True, slots=True)
class Image:
    """A stored image: a row of ``tagdb.images``."""

    image_id: int
    content_sha256: str
    uri: str
    media_type: str
    width: int
    height: int
    bytes: int
    collection: str | None
    source_ref: str | None
    taken_at: datetime | None
    ingested_at: datetime

    @property
    def time(self) -> datetime:
        """When it was taken, or else stored."""
        return self.taken_at or self.ingested_at


@dataclass(frozen=True, slots=True)
class WholeImage(Image):
    """The same, with all that is known of it."""

    ingest_run_id: int | None
    metadata: dict[str, Any]
    has_embedding: bool
    has_factors: bool


@dataclass(frozen=True, slots=True)
class Carried:
    """A hashtag of an image."""

    hashtag: str
    source: str
    """Where it came from: ``ingest``, ``photo``, ``feedback`` or ``tag``."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which images to list; None: all."""

    collection: str | None = None
    hashtag: str | None = None
    """Folded."""
    content_sha256: bytes | None = None
    taken_from: datetime | None = None
    taken_to: datetime | None = None


def page(
    connection: Connection, which: Filter, order: Order, limit: int, after: tuple[datetime, int] | None
) -> list[Image]:
    """Return a page of images, the newest first.

    Parameters
    ----------
    after
        Time and number of the last image of the page before.
    """
    ids, hashtag = _among(connection, which)
    return fetch_all(
        connection,
        Image,
        f"images/{order}",
        prepare=False,
        image_ids=ids,
        hashtag=hashtag,
        collection=which.collection,
        taken_from=which.taken_from,
        taken_to=which.taken_to,
        before_time=after and after[0],
        before_id=after and after[1],
        limit=limit,
    )


def _among(connection: Connection, which: Filter) -> tuple[list[int] | None, str | None]:
    """Return the only images that there can be, None for all, and the hashtag to look each up for."""
    ids: list[int] | None = None
    if which.content_sha256 is not None:
        found = fetch_value(connection, "images/of_content", content_sha256=which.content_sha256)
        ids = [] if found is None else [found]
    if which.hashtag is None or ids is not None:
        return ids, which.hashtag
    rare = RARE_AMONG if which.collection or which.taken_from or which.taken_to else RARE
    having = fetch_column(connection, "images/with_hashtag", hashtag=which.hashtag, limit=rare + 1)
    return (None, which.hashtag) if len(having) > rare else (having, None)


def get(connection: Connection, image_id: int) -> WholeImage | None:
    """Return an image, if it is there."""
    return fetch_optional(connection, WholeImage, "images/get", image_id=image_id)


def exists(connection: Connection, image_id: int) -> bool:
    """Return whether there is an image."""
    return bool(fetch_value(connection, "images/exists", image_id=image_id))


def hashtags(connection: Connection, image_id: int) -> list[Carried]:
    """Return the hashtags of an image."""
    return fetch_all(connection, Carried, "images/hashtags", image_id=image_id)


def thumbnail(connection: Connection, image_id: int) -> bytes | None:
    """Return the thumbnail of an image, a JPEG."""
    return _bytes(fetch_value(connection, "images/thumbnail", image_id=image_id))


def original(connection: Connection, image_id: int) -> bytes | None:
    """Return the file of an image, if it is kept in the database."""
    return _bytes(fetch_value(connection, "images/original", image_id=image_id))


def _bytes(value: object) -> bytes | None:
    return value if isinstance(value, bytes) else None


def has_original(connection: Connection, image_id: int) -> bool:
    """Return whether the file of an image is kept in the database. For writers."""
    return bool(fetch_value(connection, "images/has_original", image_id=image_id))
