"""Queries of those who answer the photos that come by SQL: see ``migrations/sql/tagdb/submit_photo.sql``."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from psycopg.types.json import Jsonb

from tagdb.postgres.database import Connection
from tagdb.store.answers import Recommendation
from tagdb.store.statements import execute, fetch_all, fetch_one, fetch_value

PATIENCE = 300
"""Seconds after which a worker hangs that still has a request: decoding has a minute, twice."""
TRIES = 3
"""How often a photo is taken at most. Killing workers now and then hits some photo twice,
but hardly thrice."""
HOPELESS = "three workers ended or hung while they had this photo"
"""Why a photo is refused that nobody lives to answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """A photo that somebody wants hashtags for."""

    request_id: int
    photo: bytes
    arguments: dict[str, Any]
    """Arguments of :class:`tagdb.store.answers.Query`."""
    store: dict[str, Any] | None
    """How to store the photo: its hashtags, name and collection; None: not."""
    tries: int
    """How often it was taken, this time included."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Requests that nobody has taken."""

    waiting: int
    seconds: float
    """For how long the first one has waited."""
    workers: int
    """Number of workers that live."""


def begin(connection: Connection, worker: int) -> bool:
    """Make this session that of a worker, which hears of requests; return False if the number is taken."""
    execute(connection, "requests/prepare")
    return bool(fetch_value(connection, "requests/begin", worker=worker))


def take(connection: Connection, worker: int, most: int, again: bool = False) -> list[Request]:
    """Take requests that nobody has, the oldest first.

    Parameters
    ----------
    again
        Take those whose worker is gone, instead of new ones.
    """
    taken = fetch_all(
        connection, Request, "requests/take",
        binary=True, worker=worker, most=most, again=again, patience=PATIENCE, tries=TRIES,
    )  # fmt: skip
    return sorted(taken, key=lambda each: each.request_id)


def answer(
    connection: Connection, request: Request, hashtags: Sequence[Recommendation], image_id: int | None
) -> bool:
    """Answer a request; return False if another worker has it by now, or nobody wants it any more."""
    return _answer(connection, request, Jsonb([asdict(each) for each in hashtags]), None, image_id)


def refuse(connection: Connection, request: Request, reason: str) -> bool:
    """Refuse a request; return as :func:`answer`."""
    return _answer(connection, request, None, reason, None)


def _answer(
    connection: Connection,
    request: Request,
    hashtags: Jsonb | None,
    refused: str | None,
    image_id: int | None,
) -> bool:
    cursor = execute(
        connection, "requests/answer",
        request_id=request.request_id, tries=request.tries,
        hashtags=hashtags, refused=refused, image_id=image_id,
    )  # fmt: skip
    return cursor.rowcount > 0


def release(connection: Connection, request: Request) -> None:
    """Give a request back, as if it had not been taken."""
    execute(connection, "requests/release", request_id=request.request_id, tries=request.tries)


def refuse_hopeless(connection: Connection) -> int:
    """Refuse what so many workers had when they ended; return how many there were."""
    return execute(
        connection, "requests/refuse_hopeless", patience=PATIENCE, tries=TRIES, reason=HOPELESS
    ).rowcount


def clean(connection: Connection) -> None:
    """Delete what is too old."""
    execute(connection, "requests/clean")


def waiting(connection: Connection) -> Waiting:
    """Return how many requests wait for a worker to take them."""
    return fetch_one(connection, Waiting, "requests/waiting")
