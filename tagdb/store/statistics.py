"""Hashtag statistics, computed in the database."""

from dataclasses import dataclass
from datetime import datetime

from tagdb.postgres.database import Connection
from tagdb.store.statements import execute, fetch_one

SMALL = 5_000
"""Number of images up to which statistics take less than a second and are refreshed after every ingest."""
LAG_SHARE = 0.1
"""Share of new images from which an ingest refreshes them if there are more images."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """When the statistics were computed, and from what; see the view ``tagdb.statistics``."""

    refreshed_at: datetime
    seconds: float
    images: int
    min_images: int


@dataclass(frozen=True, slots=True)
class Lag:
    """Number of images, and of those new or changed since the statistics were computed."""

    images: int
    changed: int


def current(connection: Connection) -> Statistics:
    """Return the age of the statistics."""
    return fetch_one(connection, Statistics, "statistics/current")


def lag(connection: Connection) -> Lag:
    """Return how many images are missing from the statistics."""
    return fetch_one(connection, Lag, "statistics/lag")


def refresh(connection: Connection, min_images: int | None = None) -> Statistics:
    """Refresh the statistics. Readers see the old ones until it is done.

    Parameters
    ----------
    min_images
        Images that two hashtags must share to count as a pair; None keeps the last value.
    """
    execute(connection, "statistics/analyze_sources")
    execute(connection, "statistics/refresh", min_images=min_images)
    execute(connection, "statistics/analyze_results")
    return current(connection)


def refresh_if_due(connection: Connection, changed: int = 0) -> bool:
    """Refresh the statistics after an ingest or a correction, unless few of many images have changed.

    The cost grows with the number of images, so refreshing after every photo would slow down large ingests.

    Parameters
    ----------
    changed
        Images that a correction has changed, of which there is no record.

    Returns
    -------
    bool
        Whether they are up to date now.
    """
    behind = lag(connection)
    changed = max(changed, behind.changed)
    if behind.images > SMALL and 0 < changed < LAG_SHARE * behind.images:
        return False
    if changed:
        refresh(connection)
    return True
