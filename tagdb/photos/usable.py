"""What can be used of a row: its fields and metadata. A field that is wrong costs itself, not its photo."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from tagdb.errors import RejectedInput
from tagdb.photos.fields import FIELDS, as_json, check, hashtags_of, plausible, text_of, time_of
from tagdb.photos.manifests import column

MAX_COLLECTION = 500
"""Longest name of a collection, in characters; it must fit into an index."""

Value = TypeVar("Value")


def split_row(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a row's fields and its metadata."""
    for name in [name for name in row if name not in FIELDS and column(name) in FIELDS]:
        if column(name) not in row:
            row[column(name)] = row.pop(name)
    known = {name: row.pop(name, None) for name in FIELDS}
    return known, row


class Usable:
    """What can be used of a row, and why not the rest: a field that is wrong costs itself."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.size = 500  # of a record without anything in it, in bytes

    def __call__(self, value: Callable[[], Value]) -> Value | None:
        """Return a value, or None if it raises RejectedInput."""
        try:
            return value()
        except RejectedInput as error:
            self.refused.append(str(error))
            return None

    def fields(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the fields that can be stored as they are."""
        usable: dict[str, Any] = {}
        for name, value in values.items():
            size = self(lambda name=name, value=value: check({name: value}, "the row"))  # type: ignore[misc]
            if size is not None:
                self.size += size
                usable[name] = value
        return usable


def usable_text(known: dict[str, Any], name: str) -> str | None:
    """Return a field that is a text; raise RejectedInput if it is none."""
    check(known[name], name)
    return text_of(known, name)


def collection_of(known: dict[str, Any]) -> str | None:
    """Return the name of the collection; raise RejectedInput if it cannot be one."""
    collection = usable_text(known, "collection")
    if collection is not None and len(collection) > MAX_COLLECTION:
        raise RejectedInput(f"collection name of more than {MAX_COLLECTION} characters", "invalid_record")
    return collection


def usable_hashtags(known: dict[str, Any]) -> tuple[str, ...]:
    """Return the hashtags, not folded; raise RejectedInput if there are none to be made of the field."""
    check({"hashtags": known["hashtags"]}, "the row")
    return hashtags_of(known["hashtags"])


def usable_time(known: dict[str, Any]) -> datetime | None:
    """Return the time in UTC; raise RejectedInput if no photo can be of it."""
    check(known["taken_at"], "taken_at")
    taken_at = time_of(known["taken_at"])
    if taken_at is not None and not plausible(taken_at):
        given = as_json(known["taken_at"])
        raise RejectedInput(
            f"taken_at can be no photo's time: {given} is {taken_at.date()}", "invalid_record"
        )
    return taken_at
