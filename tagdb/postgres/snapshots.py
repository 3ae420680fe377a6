"""One snapshot for many connections: whatever they read, and however often, is as it was at one moment."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import conninfo, sql

from tagdb.postgres.database import Connection, connect, translated


def address(connection: Connection) -> str:
    """Return what another machine connects with to the same database as the same login, password and all."""
    options = connection.pgconn.info
    given = {one.keyword.decode(): one.val.decode() for one in options if one.val and one.val != one.compiled}
    given.pop("passfile", None)  # of this machine; what it says is the password
    if connection.info.password:
        given["password"] = connection.info.password
    return conninfo.make_conninfo("", **given)


@contextmanager
def exported(url: str) -> Iterator[tuple[Connection, str]]:
    """Open a connection in a transaction that only reads; yield it and the name of its snapshot.

    Others can use the snapshot until the transaction ends, which it does with the block.
    """
    with connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with translated(connection), connection.transaction():
            row = connection.execute("SELECT pg_export_snapshot()").fetchone()
            assert row is not None
            yield connection, row[0]


@contextmanager
def imported(url: str, snapshot: str) -> Iterator[Connection]:
    """Open a connection in a transaction that reads what a snapshot sees."""
    with connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with translated(connection), connection.transaction():
            connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot))
            yield connection
