"""Queries of feedback: which recommendations people took, and which they did not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.rows import class_row, dict_row

from tagdb.postgres.database import Connection
from tagdb.store.statements import statement


@dataclass(frozen=True, slots=True)
class Feedback:
    """How many hashtags were accepted and rejected for an image."""

    image_id: int
    uri: str
    accepted: int
    rejected: int


def give_feedback(
    connection: Connection,
    content_sha256: bytes,
    accepted: Sequence[str],
    rejected: Sequence[str],
    factor_run_id: int | None = None,
) -> Feedback | None:
    """Note what was accepted and rejected for the image of a content; None if it is not stored.

    Raises
    ------
    DatabaseError
        Something is no hashtag, or both accepted and rejected, or there is no such factor run.
    """
    values = {
        "content_sha256": content_sha256,
        "accepted": list(accepted),
        "rejected": list(rejected),
        "factor_run_id": factor_run_id,
    }
    with connection.cursor(row_factory=class_row(Feedback)) as cursor:
        return cursor.execute(statement("give_feedback"), values).fetchone()


def rejected_hashtags(connection: Connection, content_sha256: bytes) -> list[str]:
    """What feedback has rejected for the image of a content; nothing for one that is not stored."""
    values = {"content_sha256": content_sha256}
    return [row[0] for row in connection.execute(statement("rejected_hashtags"), values)]


def acceptance(connection: Connection) -> list[dict[str, Any]]:
    """The view ``tagdb.acceptance``: accepted and rejected hashtags by factor run and week."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("acceptance")).fetchall()
