"""Two connections of which one waits for the other."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from tagdb.postgres.database import Connection


@contextmanager
def blocked(by: Connection, waiting: Connection, what: Callable[[], object]) -> Iterator[Future[object]]:
    """Something that another connection has begun and that waits for what the first one holds."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(what)
        deadline = time.monotonic() + 20
        pid = waiting.info.backend_pid
        while by.execute("SELECT pg_blocking_pids(%s)", (pid,)).fetchone() == ([],):
            assert not future.done(), future.result()
            assert time.monotonic() < deadline
            time.sleep(0.005)
        yield future
