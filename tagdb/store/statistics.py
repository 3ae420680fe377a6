"""Hashtag statistics, computed in the database."""

from dataclasses import dataclass
from datetime import datetime

from tagdb.postgres.database import Connection
from tagdb.store.statements import execute, fetch_one, fetch_value

ANEW_FROM = 0.06
"""Share of changed images from which computing all statistics anew is faster; as in count_changed_images."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """When the statistics were computed, and from what; see the view ``tagdb.statistics``."""

    refreshed_at: datetime
    seconds: float
    images: int
    min_images: int


@dataclass(frozen=True, slots=True)
class Lag:
    """Number of images, and of those that came, went or changed since the statistics were computed."""

    images: int
    changed: int


def current(connection: Connection) -> Statistics:
    """Return the age of the statistics."""
    return fetch_one(connection, Statistics, "statistics/current")


def lag(connection: Connection) -> Lag:
    """Return how many images the statistics are behind."""
    return fetch_one(connection, Lag, "statistics/lag")


def refresh(connection: Connection, min_images: int | None = None) -> Statistics:
    """Compute the statistics anew. Readers see the old ones until it is done.

    Parameters
    ----------
    min_images
        Images that two hashtags must share to count as a pair; None keeps the last value.
    """
    execute(connection, "statistics/analyze_sources")
    execute(connection, "statistics/refresh", min_images=min_images)
    execute(connection, "statistics/analyze_results")
    return current(connection)


def refresh_if_due(connection: Connection) -> None:
    """Bring the statistics up to date, at a cost that grows with the number of images that have changed."""
    anew: bool | None = fetch_value(connection, "statistics/anew", share=ANEW_FROM)
    if anew:
        refresh(connection)
    elif anew is not None:
        execute(connection, "statistics/update")
