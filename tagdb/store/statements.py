"""The SQL files that Python runs, and arrays into tables."""

from functools import cache
from importlib import resources
from typing import LiteralString

from psycopg import sql

from tagdb.postgres import pgcopy
from tagdb.postgres.database import Connection


@cache
def statement(name: str) -> LiteralString:
    """The text of ``tagdb/store/sql/NAME.sql``. Ours, never made from input, hence literal."""
    return resources.files("tagdb.store").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def copy_arrays(
    connection: Connection, command: sql.SQL | sql.Composed, columns: tuple[pgcopy.Column, ...]
) -> None:
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        for chunk in pgcopy.encode(*columns):
            copy.write(chunk)
