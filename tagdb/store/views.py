"""What the public views consist of."""

from dataclasses import dataclass
from typing import Any

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


def rows(connection: Connection, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the columns' names and the rows of a query on views, which is not made of input."""
    with connection.cursor() as cursor:
        cursor.execute(query.encode())
        return [column.name for column in cursor.description or ()], cursor.fetchall()
