"""A connection pool for several threads."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tagdb.errors import DatabaseError
from tagdb.postgres.database import Connection


class Pool:
    """Opens a connection when none is idle, and keeps it for the next caller."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        """Create an empty pool; ``connect`` opens a connection."""
        self._connect = connect
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
