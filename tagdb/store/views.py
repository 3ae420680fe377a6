"""What the public views consist of."""

from dataclasses import dataclass

from tagdb.postgres.database import Connection
from tagdb.store.statements import fetch_all


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a public view."""

    view: str
    view_description: str
    name: str
    type: str
    description: str


def columns(connection: Connection) -> list[Column]:
    """Return the columns of all public views, those of a view together and in their order."""
    return fetch_all(connection, Column, "views/columns")
