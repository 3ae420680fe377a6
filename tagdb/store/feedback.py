"""Feedback: which recommended hashtags people accepted, and which they rejected."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tagdb.postgres.database import Connection
from tagdb.store.statements import fetch_all, fetch_column, fetch_optional


@dataclass(frozen=True, slots=True)
class Feedback:
    """How many hashtags were accepted and rejected for an image."""

    image_id: int
    uri: str
    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Acceptance:
    """How recommendations of a factor run were received in a week: a row of ``tagdb.acceptance``."""

    factor_run_id: int | None
    week: date
    """Its Monday."""
    images: int
    accepted: int
    rejected: int
    acceptance: float
    """Share of the accepted ones, 0 to 1."""


def give(
    connection: Connection,
    content_sha256: bytes,
    accepted: Sequence[str],
    rejected: Sequence[str],
    factor_run_id: int | None = None,
) -> Feedback | None:
    """Put on record what was accepted and rejected for the image of a content; None if it is not stored.

    Raises
    ------
    DatabaseError
        Something is no hashtag, or both accepted and rejected, or there is no such factor run.
    """
    return fetch_optional(
        connection,
        Feedback,
        "feedback/give",
        content_sha256=content_sha256,
        accepted=list(accepted),
        rejected=list(rejected),
        factor_run_id=factor_run_id,
    )


def rejected_hashtags(connection: Connection, content_sha256: bytes) -> list[str]:
    """Return what was rejected for the image of a content; nothing for one that is not stored."""
    return fetch_column(connection, "feedback/rejected", content_sha256=content_sha256)


def acceptance(connection: Connection) -> list[Acceptance]:
    """Return how recommendations were received, by factor run and week."""
    return fetch_all(connection, Acceptance, "feedback/acceptance")
