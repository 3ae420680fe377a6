"""Ingest runs: one row for each ingest, with what it did so far."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from tagdb.postgres.database import Connection
from tagdb.store.statements import execute, fetch_one, fetch_value


@dataclass(slots=True)
class Counts:
    """What an ingest did, in images (``rejected``: in records, photos and hashtags)."""

    new: int = 0
    known: int = 0
    updated: int = 0
    rejected: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.new + other.new,
            self.known + other.known,
            self.updated + other.updated,
            self.rejected + other.rejected,
        )

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(
            self.new - other.new,
            self.known - other.known,
            self.updated - other.updated,
            self.rejected - other.rejected,
        )


def begin(connection: Connection, sources: Sequence[str]) -> int:
    """Put on record that an ingest of these sources begins, and prepare for its batches; its number."""
    execute(connection, "ingest/prepare")
    number: int = fetch_value(connection, "ingest/begin", sources=list(sources))
    return number


def counts(connection: Connection, ingest_run_id: int) -> Counts:
    """Return what all stored batches of a run did."""
    return fetch_one(connection, Counts, "ingest/counts", ingest_run_id=ingest_run_id)


def add_batch(connection: Connection, ingest_run_id: int, counts: Counts, batch: int | None) -> bool:
    """Add a batch to the counts, in the caller's transaction; False if this batch was added before.

    Parameters
    ----------
    batch
        How many batches of the run come before it; None adds it in any case.
    """
    cursor = execute(
        connection, "ingest/count_batch", ingest_run_id=ingest_run_id, batch=batch, **asdict(counts)
    )
    return cursor.rowcount > 0


def finish(connection: Connection, ingest_run_id: int) -> None:
    """Put on record that an ingest went through to its end."""
    execute(connection, "ingest/finish", ingest_run_id=ingest_run_id)
