"""Decisions about hashtags: aliases, merges, bans, and undoing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from psycopg.rows import class_row

from tagdb.postgres.database import Connection
from tagdb.store.statements import statement


@dataclass(frozen=True, slots=True)
class Decision:
    """A hashtag that counts as another one, or as none."""

    hashtag: str
    alias_of: str | None
    banned: bool
    edit_id: int | None
    made_at: datetime | None
    made_by: str | None


@dataclass(frozen=True, slots=True)
class Edit:
    """One decision about one hashtag or several; can be undone by its number."""

    edit_id: int
    kind: str
    hashtags: list[str]
    into_hashtag: str | None


def edit_hashtags(
    connection: Connection, kind: str, hashtags: Sequence[str], into_hashtag: str | None = None
) -> Edit:
    """Decide that hashtags count as another one (kind ``alias`` or ``merge``) or as none (``ban``).

    Applies at once to what is recommended and to the statistics of these hashtags.
    """
    row = connection.execute(
        "SELECT tagdb_store.edit_hashtags(%s, %s, %s)", (kind, list(hashtags), into_hashtag)
    ).fetchone()
    assert row is not None
    return _edit(connection, cast(int, row[0]))


def all_by_edit(connection: Connection, edit_id: int) -> bool:
    """Whether photos count for what an alias or a merge led to, and all of them because of it."""
    return connection.execute(statement("all_by_edit"), (edit_id,)).fetchone() == (True,)


def undo_hashtag_edit(connection: Connection, edit_id: int | None = None) -> Edit:
    """Take an edit back, the last one unless told which."""
    row = connection.execute("SELECT tagdb_store.undo_hashtag_edit(%s)", (edit_id,)).fetchone()
    assert row is not None
    return _edit(connection, cast(int, row[0]))


def hashtag_decisions(connection: Connection) -> list[Decision]:
    """Every hashtag that is an alias or banned, aliases first."""
    with connection.cursor(row_factory=class_row(Decision)) as cursor:
        return cursor.execute(statement("list_hashtag_decisions")).fetchall()


def _edit(connection: Connection, edit_id: int) -> Edit:
    with connection.cursor(row_factory=class_row(Edit)) as cursor:
        query = "SELECT edit_id, kind, hashtags, into_hashtag FROM tagdb.hashtag_edits WHERE edit_id = %s"
        found = cursor.execute(query, (edit_id,)).fetchone()
    assert found is not None
    return found
