"""A connection pool for several threads."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg

from tagdb.errors import DatabaseError, DatabaseGone
from tagdb.postgres.database import Connection, gone, translated

Result = TypeVar("Result")


class Pool:
    """Opens a connection when none is idle, and keeps it for the next caller."""

    def __init__(self, connect: Callable[[], Connection], revive: Callable[[], None] = lambda: None) -> None:
        """Create an empty pool.

        Parameters
        ----------
        connect
            Opens a connection.
        revive
            Called when the server went away, before it is asked again; it may start it.
        """
        self._connect, self._revive = connect, revive
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._closed = False
        self.lent = 0
        """Number of connections that are lent."""

    @property
    def idle(self) -> int:
        """Number of open connections that nobody uses."""
        return len(self._idle)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend a connection to this thread. It is closed if the block leaves it in a transaction."""
        with self._lock:
            if self._closed:
                raise DatabaseError("this database was closed")
            connection = self._idle.pop() if self._idle else None
        if connection is None or connection.closed:
            connection = self._connect()
        with self._lock:
            self.lent += 1
        try:
            yield connection
        finally:
            idle = not connection.closed and connection.info.transaction_status == 0
            with self._lock:
                self.lent -= 1
                if idle and not self._closed:
                    self._idle.append(connection)
                    connection = None
            if connection is not None:
                connection.close()

    def ask(self, action: Callable[[Connection], Result], again: bool = True) -> Result:
        """Run an action on a connection, on another one if that broke. Errors become one sentence.

        Parameters
        ----------
        again
            Whether the action may be run twice. One that may not begins on a connection that answers.
        """
        with translated():
            begun = False
            try:
                with self.connection() as connection:
                    if not again:
                        connection.execute("SELECT 1")
                    begun = True
                    return action(connection)
            except (psycopg.OperationalError, psycopg.InterfaceError, DatabaseGone) as error:
                broken = isinstance(error, DatabaseGone) or gone(connection, error)
                if not broken or (begun and not again):
                    raise
            self.forget()
            self._revive()
            with self.connection() as connection:
                return action(connection)

    def forget(self) -> None:
        """Close idle connections, for example because the server went away."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def close(self) -> None:
        """Close idle connections now, and lent ones when they are returned."""
        self._closed = True
        self.forget()
