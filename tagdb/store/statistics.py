"""Statistics of hashtags: computed in the database, at a moment."""

from dataclasses import dataclass
from datetime import datetime

from tagdb.postgres.database import Connection
from tagdb.store.statements import execute, fetch_one

SMALL = 5_000
"""Images up to which computing the statistics takes less than a second: it is done after every ingest."""
LAG_SHARE = 0.1
"""Share of a larger collection that may come in before an ingest computes them again."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """When the statistics were computed, and of what; see the view ``tagdb.statistics``."""

    refreshed_at: datetime
    seconds: float
    images: int
    min_images: int


@dataclass(frozen=True, slots=True)
class Lag:
    """How many images there are, and how many came or changed since the statistics were computed."""

    images: int
    changed: int


def current(connection: Connection) -> Statistics:
    """Return how fresh the statistics are."""
    return fetch_one(connection, Statistics, "statistics/current")


def lag(connection: Connection) -> Lag:
    """Return how far the statistics are behind."""
    return fetch_one(connection, Lag, "statistics/lag")


def refresh(connection: Connection, min_images: int | None = None) -> Statistics:
    """Compute the statistics again. Concurrent readers see the old ones until it is done.

    Parameters
    ----------
    min_images
        How many images two hashtags must share to be a pair; None keeps the number.
    """
    execute(connection, "statistics/analyze_sources")
    execute(connection, "statistics/refresh", min_images=min_images)
    execute(connection, "statistics/analyze_results")
    return current(connection)


def refresh_if_due(connection: Connection) -> bool:
    """After an ingest: compute the statistics again, unless few images were added to many.

    What it costs grows with the collection, so doing it after every photo would slow down a large one.

    Returns
    -------
    Whether they are up to date now.
    """
    behind = lag(connection)
    if behind.images > SMALL and 0 < behind.changed < LAG_SHARE * behind.images:
        return False
    if behind.changed:
        refresh(connection)
    return True
