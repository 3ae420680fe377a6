"""Hashtags with their statistics, and which go together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from tagdb.postgres.database import Connection
from tagdb.store.statements import fetch_all, fetch_optional

Order = Literal["images", "growing", "hashtag"]
_ORDERS = {"images": "by_images", "growing": "growing", "hashtag": "by_name"}


@dataclass(frozen=True, slots=True)
class Hashtag:
    """A hashtag with its statistics: a row of ``tagdb.hashtag_stats``."""

    hashtag: str
    """Folded."""
    spelling: str
    images: int
    image_share: float
    first_seen: datetime | None
    last_seen: datetime | None
    collections: int
    in_active_run: bool
    banned: bool
    alias_of: str | None
    score: float | None
    """How well it completes a prefix."""
    growth: float | None
    """How many times as large its share of the last three months' images is as before."""


@dataclass(frozen=True, slots=True)
class WholeHashtag(Hashtag):
    """The same, with its aliases and collections."""

    aliases: list[str] | None
    collection_names: list[str] | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two hashtags on the same images."""

    hashtag: str
    with_hashtag: str
    images: int
    confidence: float
    lift: float


@dataclass(frozen=True, slots=True)
class Month:
    """Images of a month with a hashtag."""

    starts_on: date
    images: int


def ranking(connection: Connection, order: Order, limit: int, offset: int) -> list[Hashtag]:
    """Return hashtags with their statistics, in an order."""
    return fetch_all(connection, Hashtag, f"hashtags/{_ORDERS[order]}", limit=limit, offset=offset)


def complete(connection: Connection, prefix: str, known: Sequence[str], limit: int) -> list[Hashtag]:
    """Return hashtags that begin with a prefix, first those that go with the known ones."""
    return fetch_all(connection, Hashtag, "hashtags/complete", prefix=prefix, known=list(known), limit=limit)


def get(connection: Connection, hashtag: str) -> WholeHashtag | None:
    """Return a hashtag by its folded spelling, if there is one."""
    return fetch_optional(connection, WholeHashtag, "hashtags/get", hashtag=hashtag)


def trend(connection: Connection, hashtag: str) -> list[Month]:
    """Return the images of a hashtag, by the month in which they were taken."""
    return fetch_all(connection, Month, "hashtags/trend", hashtag=hashtag)


def pairs_of(connection: Connection, hashtag: str, limit: int) -> list[Pair]:
    """Return the hashtags that go with one, the most frequent first."""
    return fetch_all(connection, Pair, "hashtags/pairs_of", hashtag=hashtag, limit=limit)


def pairs(connection: Connection, limit: int) -> list[Pair]:
    """Return hashtags that go together, the most frequent first."""
    return fetch_all(connection, Pair, "hashtags/pairs", limit=limit)
