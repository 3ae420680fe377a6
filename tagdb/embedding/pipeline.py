"""Many photos at once, in the order in which they came.

One thread per core reads and hashes, and each has a process that decodes and embeds for it (see
:mod:`tagdb.embedding.worker`); the calling thread stores meanwhile what comes out, or asks the database about
it. What waits is bounded, and so is the memory that it takes.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import ParamSpec, TypeVar

from tagdb.embedding.backbone import Backbone
from tagdb.embedding.worker import Embedded, Workers, embedded

WINDOW = 64
"""Photos that wait for a thread or for being taken."""
WINDOW_BYTES = 64 << 20
"""What their files come to at most, though there is one for each thread."""

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")
Work = tuple[Future[Result] | Result, int]
"""A result, or what will become one, and the bytes that are held until it has been dealt with."""


class Pipeline:
    """Threads, and the processes that work for them; a context that ends both."""

    def __init__(self, backbone: Backbone | None, input_size: int, apart: bool = True) -> None:
        """Make a pipeline.

        Parameters
        ----------
        backbone
            What embeds; None only decodes.
        input_size
            Side of the square that photos are brought to, in pixels.
        apart
            Whether photos are decoded in processes of their own, so that a photo that makes a decoder crash
            or hang is rejected and the others go on. Starting them costs a quarter of a second.
        """
        self.threads = os.cpu_count() or 1
        self._backbone, self._input_size = backbone, input_size
        self._workers = Workers(backbone, input_size, self.threads) if apart else None
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="tagdb")

    def embed(self, content: bytes) -> Embedded:
        """Decode a photo and embed it. For threads of the pipeline.

        Raises
        ------
        RejectedInput
            The photo is unusable.
        """
        if self._workers is None:
            return embedded(content, self._backbone, self._input_size)
        return self._workers.embed(content)

    def submit(
        self, function: Callable[Arguments, Result], *given: Arguments.args, **named: Arguments.kwargs
    ) -> Future[Result]:
        """Have a thread do something; its result may be waited for."""
        return self._pool.submit(function, *given, **named)

    def results(self, works: Iterable[Work[Result]], window: int = WINDOW) -> Iterator[Result]:
        """Yield what works give, in their order, while no more of them are begun than may wait.

        Parameters
        ----------
        window
            How many may wait; with 0 each result is yielded before the next work is asked for.
        """
        waiting: deque[Work[Result]] = deque()
        held = 0
        for work, size in works:
            waiting.append((work, size))
            held += size
            while len(waiting) > window or (held > WINDOW_BYTES and len(waiting) > self.threads):
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
        if self._workers is not None:
            self._workers.close()  # before threads are waited for, which may wait for workers
        self._pool.shutdown()
