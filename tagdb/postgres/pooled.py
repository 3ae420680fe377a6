"""Connections through a pooler that lends a session for one transaction at a time, such as PgBouncer.

Such a connection has no session of its own: the next transaction may run in any other one, and whatever it
leaves behind is found by somebody else. So nothing is left: every statement runs in a transaction that begins
with the settings that it relies on, nothing is prepared, and what needs a session of its own is refused.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from tagdb.errors import DatabaseError


class PooledCursor(psycopg.Cursor[Any]):
    """A cursor whose statements run in transactions."""

    def execute(self, *arguments: Any, **named: Any) -> "PooledCursor":
        """Run a statement, in a transaction of its own if none has begun."""
        with self._own_transaction():
            super().execute(*arguments, **named)
        return self

    def executemany(self, *arguments: Any, **named: Any) -> None:
        """Run a statement for each parameters, in one transaction."""
        with self._own_transaction():
            super().executemany(*arguments, **named)

    @contextmanager
    def copy(self, *arguments: Any, **named: Any) -> Iterator[psycopg.Copy]:
        """Copy, in a transaction of its own if none has begun."""
        with self._own_transaction(), super().copy(*arguments, **named) as copy:
            yield copy

    @contextmanager
    def _own_transaction(self) -> Iterator[None]:
        if self.connection.info.transaction_status == TransactionStatus.IDLE:
            with self.connection.transaction():
                yield
        else:
            yield


class Connection(psycopg.Connection[Any]):
    """A connection that becomes a pooled one when it is found to be."""

    pooled = False

    def answered_by_pooler(self) -> bool:
        """Whether a pooler answers, which names another process than the one that runs the query."""
        row = self.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
        return row is None or row[0] != self.info.backend_pid

    def begin_with(self, settings: Sequence[sql.Composable]) -> None:
        """Run these statements at the beginning of every transaction from now on; more may be added."""
        if not self.pooled:
            self.pooled, self._first = True, list[sql.Composable]()
            self.prepare_threshold = None
            self.cursor_factory = PooledCursor
        self._first += settings

    @contextmanager
    def transaction(
        self, savepoint_name: str | None = None, force_rollback: bool = False
    ) -> Iterator[psycopg.Transaction]:
        """Begin a transaction, or a savepoint in one."""
        outermost = self.info.transaction_status == TransactionStatus.IDLE
        with super().transaction(savepoint_name, force_rollback) as transaction:
            if self.pooled and outermost:
                self.execute(sql.SQL("; ").join(self._first))
            yield transaction


def local(name: str, value: str) -> sql.Composed:
    """Return the statement that sets a setting until the transaction ends."""
    return sql.SQL("SET LOCAL {} = {}").format(sql.Identifier(name), value)


def is_pooled(connection: psycopg.Connection[Any]) -> bool:
    """Whether each transaction may run in another session."""
    return isinstance(connection, Connection) and connection.pooled


def set_for_session(connection: psycopg.Connection[Any], name: str, value: str) -> None:
    """Set a setting for all transactions of a connection."""
    if isinstance(connection, Connection) and connection.pooled:
        connection.begin_with([local(name, value)])
    else:
        connection.execute("SELECT pg_catalog.set_config(%s, %s, false)", [name, value])


def require_session(connection: psycopg.Connection[Any], what: str) -> None:
    """Raise DatabaseError if a connection has no session of its own, which something needs."""
    if is_pooled(connection):
        raise DatabaseError(
            f"{what} needs a session of its own, and this URL leads to a connection pooler; "
            "name the server itself (or set TAGDB_POOLER=session, if it lends whole sessions)"
        )
