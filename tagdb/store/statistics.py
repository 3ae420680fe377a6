"""Statistics of hashtags: computed in the database, at a moment."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from psycopg.rows import class_row

from tagdb.postgres.database import Connection
from tagdb.store.statements import statement

SMALL = 5_000
"""Images up to which computing the statistics takes less than a second: it is done after every ingest."""
LAG = 0.1
"""Share of a larger collection that may come in before an ingest computes them anew."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """When the statistics were computed, and of what; see the view ``tagdb.statistics``."""

    refreshed_at: datetime
    seconds: float
    images: int
    min_images: int


def refresh_statistics(connection: Connection, min_images: int | None = None) -> Statistics:
    """Compute the statistics anew. Readers go on, and see the old ones until it is done.

    ``min_images``: on how many images two hashtags must be together to be a pair; None keeps the number.
    """
    # for the planner, which otherwise knows nothing of what has just come in; a login that does not own
    # the tables is told so and leaves it to their owner
    connection.execute("ANALYZE tagdb_store.images, tagdb_store.image_hashtags, tagdb_store.hashtags")
    connection.execute("SELECT tagdb_store.refresh_statistics(%s)", (min_images,))
    connection.execute(
        "ANALYZE tagdb_store.hashtag_counts, tagdb_store.hashtag_collections, tagdb_store.hashtag_pairs,"
        " tagdb_store.hashtag_trend"
    )
    return statistics(connection)


def statistics(connection: Connection) -> Statistics:
    """How fresh the statistics are."""
    with connection.cursor(row_factory=class_row(Statistics)) as cursor:
        query = "SELECT refreshed_at, seconds, images, min_images FROM tagdb.statistics"
        found = cursor.execute(query).fetchone()
    assert found is not None
    return found


def refresh_statistics_if_due(connection: Connection) -> bool:
    """After an ingest: compute the statistics anew, unless few images have come to many.

    True if they are up to date then.

    What it costs grows with the collection, so that doing it after every photo would slow down a large one.
    """
    row = connection.execute(statement("statistics_lag")).fetchone()
    images, changed = cast(tuple[int, int], row)
    if not changed:
        return True
    if images > SMALL and changed < LAG * images:
        return False
    refresh_statistics(connection)
    return True
