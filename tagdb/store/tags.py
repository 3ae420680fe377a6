"""Edits of hashtags: aliases, merges and bans, and undoing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tagdb.postgres.database import Connection
from tagdb.store.statements import fetch_all, fetch_column, fetch_one, fetch_value


@dataclass(frozen=True, slots=True)
class Decision:
    """A hashtag that counts as another one or is banned."""

    hashtag: str
    alias_of: str | None
    banned: bool
    edit_id: int | None
    made_at: datetime | None
    made_by: str | None


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit of one or several hashtags; its number is needed to undo it."""

    edit_id: int
    kind: str
    hashtags: list[str]
    into_hashtag: str | None


def edit(connection: Connection, kind: str, hashtags: Sequence[str], into_hashtag: str | None = None) -> Edit:
    """Make hashtags count as another one (kind ``alias`` or ``merge``) or ban them (``ban``).

    Takes effect at once in recommendations and in the statistics of these hashtags.
    """
    number: int = fetch_value(
        connection, "tags/edit", kind=kind, hashtags=list(hashtags), into_hashtag=into_hashtag
    )
    return _edit(connection, number)


def all_by_edit(connection: Connection, edit_id: int) -> bool:
    """Return whether an edit's target has images, all of them because of the edit."""
    return fetch_value(connection, "tags/all_by_edit", edit_id=edit_id) is True


def undo(connection: Connection, edit_id: int | None = None) -> Edit:
    """Undo an edit, by default the last one."""
    number: int = fetch_value(connection, "tags/undo", edit_id=edit_id)
    return _edit(connection, number)


def decisions(connection: Connection) -> list[Decision]:
    """Return all aliases and banned hashtags, aliases first."""
    return fetch_all(connection, Decision, "tags/decisions")


def unknown(connection: Connection, hashtags: Sequence[str]) -> list[str]:
    """Return which of some folded hashtags no image has ever had."""
    return fetch_column(connection, "tags/unknown", hashtags=list(hashtags)) if hashtags else []


def _edit(connection: Connection, edit_id: int) -> Edit:
    return fetch_one(connection, Edit, "tags/get_edit", edit_id=edit_id)
