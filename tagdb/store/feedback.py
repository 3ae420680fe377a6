"""Feedback: the recommended hashtags that people accepted or rejected."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tagdb.postgres.database import Connection
from tagdb.store.statements import fetch_all, fetch_column, fetch_optional


@dataclass(frozen=True, slots=True)
class Feedback:
    """Numbers of hashtags accepted and rejected for an image."""

    image_id: int
    uri: str
    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Feedback on recommendations of a factor run in a week: a row of ``tagdb.acceptance``."""

    factor_run_id: int | None
    week: date
    """Monday of the week."""
    images: int
    accepted: int
    rejected: int
    acceptance: float
    """Share of accepted hashtags, 0 to 1."""


def give(
    connection: Connection,
    content_sha256: bytes,
    accepted: Sequence[str],
    rejected: Sequence[str],
    factor_run_id: int | None = None,
) -> Feedback | None:
    """Record the hashtags accepted and rejected for an image, by its content. None if it is not stored.

    Raises
    ------
    DatabaseError
        A hashtag is not valid, or both accepted and rejected, or the factor run does not exist.
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
    """Return the hashtags rejected for an image, by its content; none if it is not stored."""
    return fetch_column(connection, "feedback/rejected", content_sha256=content_sha256)


def withdraw(connection: Connection, image_id: int, hashtags: Sequence[str]) -> list[str]:
    """Take back the last feedback on hashtags of an image; return those that there was any on."""
    return fetch_column(connection, "feedback/withdraw", image_id=image_id, hashtags=list(hashtags))


def acceptance(connection: Connection) -> list[Acceptance]:
    """Return accepted and rejected recommendations by factor run and week."""
    return fetch_all(connection, Acceptance, "feedback/acceptance")
