"""Ingest runs: one row per ingest, with its counts so far."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from tagdb.postgres.database import Connection
from tagdb.store.statements import execute, fetch_one, fetch_optional, fetch_value


@dataclass(slots=True)
class Counts:
    """Counts of an ingest in images (``rejected``: in records, photos and hashtags).

    ``differing`` are those known or updated of which a source says something else, which was not taken over.
    """

    new: int = 0
    known: int = 0
    updated: int = 0
    rejected: int = 0
    differing: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.new + other.new,
            self.known + other.known,
            self.updated + other.updated,
            self.rejected + other.rejected,
            self.differing + other.differing,
        )

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(
            self.new - other.new,
            self.known - other.known,
            self.updated - other.updated,
            self.rejected - other.rejected,
            self.differing - other.differing,
        )


def begin(connection: Connection, sources: Sequence[str]) -> int:
    """Record the start of an ingest; return its number."""
    number: int = fetch_value(connection, "ingest/begin", sources=list(sources))
    return number


def of_uploads(connection: Connection, source: str) -> int:
    """Return the number of today's run of photos that come one by one; prepare for them if it is to begin.

    One run for each photo would be a million rows that say nothing.
    """
    number: int | None = fetch_value(connection, "ingest/upload_run", source=source)
    if number is None:
        with connection.transaction():
            execute(connection, "ingest/lock_uploads")
            number = fetch_value(connection, "ingest/upload_run", source=source)  # somebody came first
            number = begin(connection, [source]) if number is None else number
    return number


@dataclass(frozen=True, slots=True)
class Progress:
    """When a run began, and how many batches it has stored."""

    started_at: datetime
    batches: int


def progress(connection: Connection, ingest_run_id: int) -> Progress | None:
    """Return how far a run is; None if there is no such run."""
    return fetch_optional(connection, Progress, "ingest/progress", ingest_run_id=ingest_run_id)


def counts(connection: Connection, ingest_run_id: int) -> Counts:
    """Return the counts of all stored batches of a run."""
    return fetch_one(connection, Counts, "ingest/counts", ingest_run_id=ingest_run_id)


def add_batch(connection: Connection, ingest_run_id: int, counts: Counts, batch: int | None) -> bool:
    """Add a batch to the counts in the caller's transaction; return False if it was added before.

    Parameters
    ----------
    batch
        Number of batches of the run before it; None adds it in any case.
    """
    cursor = execute(
        connection, "ingest/count_batch", ingest_run_id=ingest_run_id, batch=batch, **asdict(counts)
    )
    return cursor.rowcount > 0


def finish(connection: Connection, ingest_run_id: int, counts: Counts | None = None) -> None:
    """Record that an ingest finished, with its counts of known images if the end has changed them."""
    execute(
        connection,
        "ingest/finish",
        ingest_run_id=ingest_run_id,
        known=counts.known if counts else None,
        updated=counts.updated if counts else None,
        differing=counts.differing if counts else None,
    )
