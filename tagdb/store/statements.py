"""Run the statements of ``tagdb/store/sql``: rows to dataclasses, columns to arrays, and back.

The name of a statement is its file without suffix (``runs/list``). Parameters appear in it as
``%(factor_run_id)s`` and are passed as keyword arguments. Tables named at run time appear as ``{table}``;
their names are passed in ``names``.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any, LiteralString, TypeVar

import psycopg
from numpy.typing import NDArray
from psycopg import Cursor, sql
from psycopg.rows import kwargs_row

from tagdb.postgres import pgcopy
from tagdb.postgres.database import Connection

Kind = TypeVar("Kind")
Result = TypeVar("Result")
Names = Mapping[str, str | tuple[str, ...]]
"""Replacement of ``{table}``: an identifier, or several to be joined by dots."""


@cache
def statement(name: str) -> LiteralString:
    """Return the text of ``tagdb/store/sql/NAME.sql``. Never made from input, so it is a literal."""
    return resources.files("tagdb.store").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def _query(name: str, names: Names | None) -> sql.SQL | sql.Composed:
    text = sql.SQL(statement(name))
    if names is None:
        return text
    parts = {key: [value] if isinstance(value, str) else value for key, value in names.items()}
    return text.format(**{key: sql.Identifier(*value) for key, value in parts.items()})


def execute(
    connection: Connection,
    name: str,
    /,
    *,
    names: Names | None = None,
    binary: bool = False,
    **parameters: Any,
) -> Cursor[tuple[Any, ...]]:
    """Run a statement; rows are tuples.

    Parameters
    ----------
    binary
        Fetch rows in PostgreSQL's binary format, which is faster for long ``bytea``.
    """
    # Without parameters, a file may contain several statements, and "%" is literal.
    return connection.execute(_query(name, names), parameters or None, binary=binary)


def fetch_all(
    connection: Connection,
    kind: Callable[..., Kind],
    name: str,
    /,
    *,
    binary: bool = False,
    prepare: bool | None = None,
    **parameters: Any,
) -> list[Kind]:
    """Return the rows of a statement as objects: ``kind`` called with the columns as keyword arguments.

    Parameters
    ----------
    prepare
        False: plan it each time for its values, of which NULL may make a condition void.
    """
    with connection.cursor(row_factory=kwargs_row(kind), binary=binary) as cursor:
        return cursor.execute(statement(name), parameters or None, prepare=prepare).fetchall()


def fetch_optional(
    connection: Connection, kind: Callable[..., Kind], name: str, /, **parameters: Any
) -> Kind | None:
    """Return the only row of a statement, or None."""
    rows = fetch_all(connection, kind, name, **parameters)
    return rows[0] if rows else None


def fetch_one(connection: Connection, kind: Callable[..., Kind], name: str, /, **parameters: Any) -> Kind:
    """Return the only row of a statement that always has one.

    Raises
    ------
    psycopg.ProgrammingError
        The statement returned no row.
    """
    row = fetch_optional(connection, kind, name, **parameters)
    if row is None:
        raise psycopg.ProgrammingError(f"the statement {name} has returned no row")
    return row


def fetch_column(
    connection: Connection, name: str, /, *, binary: bool = False, **parameters: Any
) -> list[Any]:
    """Return the first column of a statement."""
    return [row[0] for row in execute(connection, name, binary=binary, **parameters)]


def fetch_value(connection: Connection, name: str, /, **parameters: Any) -> Any:
    """Return the first column of the only row of a statement, or None."""
    row = execute(connection, name, **parameters).fetchone()
    return None if row is None else row[0]


def fetch_map(
    connection: Connection, name: str, /, *, binary: bool = False, **parameters: Any
) -> dict[Any, Any]:
    """Return the second column of a statement by its first."""
    return dict(execute(connection, name, binary=binary, **parameters).fetchall())


def fetch_arrays(
    connection: Connection, name: str, /, *types: str | tuple[str, int], **parameters: Any
) -> tuple[NDArray[Any], ...]:
    """Return the columns of a binary ``COPY … TO STDOUT`` as arrays; see :func:`pgcopy.decode`."""
    with connection.cursor() as cursor, cursor.copy(statement(name), parameters or None) as copy:
        return pgcopy.decode_stream(copy, *types)


def fetch_packed(
    connection: Connection, name: str, /, *types: str, **parameters: Any
) -> tuple[NDArray[Any], ...]:
    """Return the numbers of rows packed into a bytea as arrays; see :func:`pgcopy.decode_packed`."""
    with connection.cursor() as cursor, cursor.copy(statement(name), parameters or None) as copy:
        return pgcopy.decode_packed(copy, *types)


def copy_arrays(
    connection: Connection, name: str, /, *columns: pgcopy.Column, names: Names | None = None
) -> None:
    """Run a binary ``COPY … FROM STDIN`` with arrays of equal length as its columns."""
    with connection.cursor() as cursor, cursor.copy(_query(name, names)) as copy:
        for chunk in pgcopy.encode(*columns):
            copy.write(chunk)


def unless_locked(
    connection: Connection, wait_ms: int, action: Callable[[], Result], blocked: Result
) -> Result:
    """Run an action in a separate transaction; return ``blocked`` if other sessions hold a lock for too long.

    Readers wait behind it, so ``wait_ms`` must be short; try again instead.
    """
    try:
        with connection.transaction():
            execute(connection, "session/set", setting="lock_timeout", value=f"{wait_ms}ms", local=True)
            return action()
    except psycopg.errors.LockNotAvailable:
        return blocked
