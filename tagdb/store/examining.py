"""What ``tagdb doctor`` asks of a database. Everything here only reads."""

from collections.abc import Mapping
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row

from tagdb.postgres.database import Connection
from tagdb.store.backbones import vector_schema
from tagdb.store.statements import execute, fetch_value, statement

ALL = 128 << 20
"""Bytes of vectors up to which all are looked at: some 50,000 embeddings."""
SOME = 64 << 20
"""Bytes of vectors that are looked at where there are more."""

Row = dict[str, Any]
"""Columns by name."""


def found(connection: Connection, name: str, values: Mapping[str, object] | None = None) -> list[Row]:
    """The rows that a statement finds; for one that uses pgvector's functions, see :func:`measured`."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement(name), values).fetchall()


def measured(connection: Connection, name: str, values: Mapping[str, object]) -> list[Row]:
    """The rows of a statement that names ``{vector}``, the schema that pgvector is in."""
    query = sql.SQL(statement(name)).format(vector=sql.Identifier(vector_schema(connection)))
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values).fetchall()


def share(connection: Connection, table: str) -> float:
    """Which percentage of a table's pages to look at."""
    size = fetch_value(connection, "doctor/table_size", table=table) or 0
    return 100.0 if size <= ALL else 100.0 * SOME / size


def patience(connection: Connection, seconds: float) -> None:
    """Let no statement of the session take longer, or wait for a lock for more than a part of that."""
    for name, limit in (("statement_timeout", seconds), ("lock_timeout", seconds / 5)):
        execute(connection, "session/set", setting=name, value=f"{limit * 1000:.0f}", local=False)
