"""Process many photos at once, in order.

One thread per core reads and hashes, and has a process that decodes and embeds (see
:mod:`tagdb.embedding.worker`). In the meantime the calling thread stores the results, or queries the database
for them. The queue, and with it memory, is bounded.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import ParamSpec, TypeVar

from tagdb.embedding.backbone import Backbone
from tagdb.embedding.worker import Embedded, Workers, embedded

WINDOW = 64
"""Maximum number of photos in the queue."""
WINDOW_BYTES = 64 << 20
"""Maximum size of their files in bytes, but at least one photo per thread."""

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")
Work = tuple[Future[Result] | Result, int]
"""A result or its future, and the bytes it holds until it is processed."""


class Pipeline:
    """Threads and their worker processes; a context manager that ends both."""

    def __init__(
        self, backbone: Backbone | None, input_size: int, apart: bool = True, threads: int | None = None
    ) -> None:
        """Create a pipeline.

        Parameters
        ----------
        backbone
            Computes embeddings; None: only decode.
        input_size
            Side of the square to which photos are scaled, in pixels.
        apart
            Whether photos are decoded in separate processes, so that only the photo that makes a decoder
            crash or hang is lost. Starting the processes takes a quarter of a second.
        threads
            Number of threads, each with a process of its own; None: one per core.
        """
        self.threads = threads or os.cpu_count() or 1
        self._backbone, self._input_size = backbone, input_size
        self._workers = Workers(backbone, input_size, self.threads) if apart else None
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="tagdb")

    def embed(self, content: bytes) -> Embedded:
        """Decode a photo and embed it. For threads of the pipeline.

        Raises
        ------
        RejectedInput
            The photo cannot be decoded.
        """
        if self._workers is None:
            return embedded(content, self._backbone, self._input_size)
        return self._workers.embed(content)

    def submit(
        self, function: Callable[Arguments, Result], *given: Arguments.args, **named: Arguments.kwargs
    ) -> Future[Result]:
        """Run something in a thread; return its future."""
        return self._pool.submit(function, *given, **named)

    def results(self, works: Iterable[Work[Result]], window: int = WINDOW) -> Iterator[Result]:
        """Yield the results of works in order, with a bounded number of them in progress.

        Parameters
        ----------
        window
            How many may be in progress; with 0, each result is yielded before the next work is taken.
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

    def retire(self) -> None:
        """End both, without waiting for it, once everything that was submitted is done."""
        self._pool.shutdown(wait=False)
        threading.Thread(target=self._end, name="tagdb-retiring", daemon=True).start()

    def _end(self) -> None:
        self._pool.shutdown()
        if self._workers is not None:
            self._workers.close()

    def __enter__(self) -> "Pipeline":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._workers is not None:
            self._workers.close()  # before waiting for threads, which may wait for workers
        self._pool.shutdown()
