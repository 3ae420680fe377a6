"""Decisions about hashtags: aliases, merges, bans, and undoing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tagdb.postgres.database import Connection
from tagdb.store.statements import fetch_all, fetch_one, fetch_value


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
    """A decision about one or several hashtags; can be undone by its number."""

    edit_id: int
    kind: str
    hashtags: list[str]
    into_hashtag: str | None


def edit(connection: Connection, kind: str, hashtags: Sequence[str], into_hashtag: str | None = None) -> Edit:
    """Decide that hashtags count as another one (kind ``alias`` or ``merge``) or as none (``ban``).

    Applies at once to what is recommended and to the statistics of these hashtags.
    """
    number: int = fetch_value(
        connection, "tags/edit", kind=kind, hashtags=list(hashtags), into_hashtag=into_hashtag
    )
    return _edit(connection, number)


def all_by_edit(connection: Connection, edit_id: int) -> bool:
    """Return whether photos count for what an alias or a merge led to, and all of them because of it."""
    return fetch_value(connection, "tags/all_by_edit", edit_id=edit_id) is True


def undo(connection: Connection, edit_id: int | None = None) -> Edit:
    """Undo an edit; the last one, unless its number is given."""
    number: int = fetch_value(connection, "tags/undo", edit_id=edit_id)
    return _edit(connection, number)


def decisions(connection: Connection) -> list[Decision]:
    """Return every hashtag that is an alias or banned, aliases first."""
    return fetch_all(connection, Decision, "tags/decisions")


def _edit(connection: Connection, edit_id: int) -> Edit:
    return fetch_one(connection, Edit, "tags/get_edit", edit_id=edit_id)
