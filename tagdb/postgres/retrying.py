"""Doing something again where the connection broke."""

from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

import psycopg

from tagdb.postgres.database import Connection, gone

TRIES = 5
"""How often the same is tried before it counts as what breaks the connection."""

Result = TypeVar("Result")


class Session:
    """A connection, and another one in its place when it breaks. A context that closes the replacement."""

    def __init__(
        self,
        connection: Connection,
        reconnect: Callable[[], Connection] | None,
        reconnected: Callable[[Connection], None] = lambda connection: None,
    ) -> None:
        """Make a session of an open connection, which stays its owner's.

        Parameters
        ----------
        reconnect
            Gives another connection; it may wait for the database. None lets errors through.
        reconnected
            Called with it before anything is tried again.
        """
        self.connection = self._first = connection
        self._reconnect, self._reconnected = reconnect, reconnected

    def trying(self, action: Callable[[Connection], Result]) -> Result:
        """Do what may be done twice; again if the connection broke or PostgreSQL ended a deadlock by it."""
        tried = 1
        while True:
            try:
                return action(self.connection)
            except psycopg.errors.DeadlockDetected:
                if tried == TRIES:
                    raise
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                if tried == TRIES or self._reconnect is None or not gone(self.connection, error):
                    raise
                self.connection.close()
                self.connection = self._reconnect()
                self._reconnected(self.connection)
            tried += 1

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.connection is not self._first:
            self.connection.close()
