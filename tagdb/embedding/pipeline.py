"""Many photos at once, in the order in which they came.

One thread a core reads and hashes, and each has a process that decodes and embeds for it (see
:mod:`tagdb.embedding.worker`); the calling thread stores meanwhile what comes out. What waits is bounded,
and so is the memory that it takes.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import ParamSpec, TypeVar

from tagdb.embedding.backbone import Backbone
from tagdb.embedding.worker import Workers

WINDOW = 64
"""Photos that wait for a thread or for being taken."""
WINDOW_BYTES = 64 << 20
"""What their files come to at most, though there is one for each thread."""

Found = TypeVar("Found")
Given = ParamSpec("Given")
Work = tuple[Future[Found] | Found, int]
"""A result, or what will become one, and the bytes that are held until it has been dealt with."""


class Pipeline:
    """Threads, and the processes that work for them; a context that ends both."""

    def __init__(self, backbone: Backbone | None, input_size: int) -> None:
        """``backbone``: what embeds; None only decodes."""
        self.threads = os.cpu_count() or 1
        self.workers = Workers(backbone, input_size, self.threads)
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="tagdb")

    def submit(
        self, function: Callable[Given, Found], *given: Given.args, **named: Given.kwargs
    ) -> Future[Found]:
        """Have a thread do something; its result may be waited for."""
        return self._pool.submit(function, *given, **named)

    def results(self, works: Iterable[Work[Found]]) -> Iterator[Found]:
        """What works give, in their order, while no more of them are begun than may wait."""
        waiting: deque[Work[Found]] = deque()
        held = 0
        for work, size in works:
            waiting.append((work, size))
            held += size
            while len(waiting) > WINDOW or (held > WINDOW_BYTES and len(waiting) > self.threads):
                first, size = waiting.popleft()
                yield first.result() if isinstance(first, Future) else first
                held -= size
        while waiting:
            first, _ = waiting.popleft()
            yield first.result() if isinstance(first, Future) else first

    def __enter__(self) -> "Pipeline":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.workers.close()  # before threads are waited for, which may wait for workers
        self._pool.shutdown()
