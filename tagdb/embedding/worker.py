"""Decode and embed in separate processes, so that no photo can crash the ingest.

Decoders are large C programs, and photos come from anywhere. A photo that makes a decoder crash, hang or use
up all memory ends one worker; the photo is rejected, and the next one gets a new worker. Threads share the
workers: a thread takes one, sends it the bytes of a photo, and waits for the answer.

``python -m tagdb.embedding.worker DESCRIPTOR`` is the other end of the socket. Its first message contains the
worker's settings.
"""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagdb.embedding.backbone import Backbone, Identity
from tagdb.errors import RejectedInput, TagdbError
from tagdb.photos import images, keywords
from tagdb.photos.images import Photo

SECONDS = 60
"""Time limit per photo, in seconds. The largest accepted photos take a few."""
GRACE = 5
"""Seconds after the time limit until a worker that has not ended itself is killed."""
START = 60
"""Seconds that a process may take to start, on a busy machine, too."""
MEMORY = 3 << 30
"""Memory limit of a worker, in bytes: enough for 100 million pixels with transparency, or for
the coefficients of a progressive JPEG (``images.MAX_HELD``)."""
_GONE = (EOFError, OSError)
_KEPT_MEMORY = {
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
    "MALLOC_MMAP_THRESHOLD_": str(16 << 20),
    "MALLOC_TOP_PAD_": str(4 << 20),
}
"""Lets glibc keep what one photo has needed for the next one: giving pages back and getting others takes a
tenth of the time of decoding. What large photos need is given back."""
_HEAD = struct.Struct("<II")
"""Of an answer: the sizes of its description and its thumbnail; the rest is the embedding."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A photo and its embedding."""

    photo: Photo
    embedding: NDArray[np.float32] | None
    """float32 (1280,) of length 1; None without a backbone."""

    def required(self) -> NDArray[np.float32]:
        """Return the embedding; for a worker that has a backbone."""
        if self.embedding is None:
            raise ValueError("there is no backbone to embed by")
        return self.embedding


class Workers:
    """One worker per calling thread, each started when it is first needed.

    A worker ends with the thread that started it, so the threads must live as long as the workers are used.
    """

    def __init__(self, backbone: Backbone | None, size: int, threads: int) -> None:
        self._all = [Worker(backbone, size) for _ in range(threads)]
        self._idle = list(self._all)

    def embed(self, content: bytes) -> Embedded:
        """Decode a photo and embed it; see :meth:`Worker.embed`."""
        worker = self._idle.pop()  # the one used last: workers that are never needed never start
        try:
            return worker.embed(content)
        finally:
            self._idle.append(worker)

    def close(self) -> None:
        """End all workers, including busy ones; threads waiting for them get an error."""
        for worker in self._all:
            worker.close()


@dataclass(frozen=True, slots=True)
class _Running:
    """A process that works, and the way to it."""

    process: subprocess.Popen[bytes]
    connection: Connection


class Worker:
    """A process that decodes and embeds, started when first needed. Used by one thread at a time."""

    def __init__(self, backbone: Backbone | None, size: int) -> None:
        self._backbone, self._size = backbone, size
        self._running: _Running | None = None
        self._closed = False

    def embed(self, content: bytes) -> Embedded:
        """Decode a photo and embed it.

        Raises
        ------
        RejectedInput
            The photo cannot be decoded, or it has ended two workers.
        TagdbError
            Workers end before they get a photo, or were closed.
        """
        for last in (False, True):
            running = self._running or self._start()
            try:
                running.connection.send_bytes(content)
                return _received(running.connection)
            except BlockingIOError:  # not even its alarm ended it
                self._ended(running, 0)
                raise RejectedInput(f"decoding took longer than {SECONDS} s", "failed") from None
            except _GONE:
                code = self._ended(running)
                if code == -signal.SIGALRM:
                    raise RejectedInput(f"decoding took longer than {SECONDS} s", "failed") from None
                if last:  # the first time, something else may be the cause, such as a lack of memory
                    raise RejectedInput(f"decoding crashed ({_exit_reason(code)})", "failed") from None
        raise AssertionError

    def close(self) -> None:
        """End the process for good, from any thread."""
        self._closed = True  # set before the process is read; _start() does it the other way round
        if running := self._running:
            running.process.kill()
            running.process.wait()

    def _start(self) -> _Running:
        ours, theirs = socket.socketpair()
        _set_patience(ours, START)
        connection = Connection(ours.detach())
        with theirs:
            try:
                # Modules are imported from where this process imports them, and never from the current
                # folder, which may belong to anybody.
                process = subprocess.Popen(
                    [sys.executable, "-P", "-m", __name__, str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    env=_environment(),
                )  # fmt: skip
            except OSError as error:
                connection.close()
                raise TagdbError(f"cannot start the process that decodes photos: {error.strerror}") from error
        running = self._running = _Running(process, connection)
        if self._closed:
            self._ended(running, 0)
        try:
            orders = {"size": self._size, "seconds": SECONDS, "memory": MEMORY}
            connection.send_bytes(json.dumps(orders).encode())
            connection.send_bytes(self._backbone.content if self._backbone else b"")
            connection.recv_bytes()
            with socket.socket(fileno=os.dup(connection.fileno())) as ours:
                _set_patience(ours, SECONDS + GRACE)
        except BlockingIOError:
            self._ended(running, 0)
            raise TagdbError(f"the process that decodes photos did not start within {START} s") from None
        except _GONE:
            how = _exit_reason(self._ended(running))
            raise TagdbError(f"the process that decodes photos ended at once ({how})") from None
        return running

    def _ended(self, running: _Running, patience: float = 1) -> int:
        """Wait for the process to end, then kill it. Return its exit code."""
        self._running = None
        running.connection.close()
        try:
            code = running.process.wait(patience)
        except subprocess.TimeoutExpired:
            running.process.kill()
            code = running.process.wait()
        if self._closed:
            raise TagdbError("decoding was stopped")
        return code


def _set_patience(connection: socket.socket, seconds: int) -> None:
    """Let sending and receiving raise BlockingIOError after so many seconds."""
    limit = struct.pack("ll", seconds, 0)  # a C timeval
    for waiting in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        connection.setsockopt(socket.SOL_SOCKET, waiting, limit)


def _environment() -> dict[str, str]:
    """Environment of a worker, without the database's settings, which may contain its password."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TAGDB_", "PG"))}
    path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return kept | path | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"} | _KEPT_MEMORY


def _exit_reason(code: int) -> str:
    """Name of the signal that ended a process, or its exit code."""
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"exit code {code}"


def _received(connection: Connection) -> Embedded:
    """Receive an answer of :func:`_answer`."""
    answer = connection.recv_bytes()
    size, thumbnail_size = _HEAD.unpack_from(answer)
    thumbnail_at = _HEAD.size + size
    embedding_at = thumbnail_at + thumbnail_size
    head: dict[str, Any] = json.loads(answer[_HEAD.size : thumbnail_at])
    if "rejected" in head:
        raise RejectedInput(head["rejected"], head["reason_code"])
    thumbnail, embedding = answer[thumbnail_at:embedding_at], answer[embedding_at:]
    taken_at = head["taken_at"] and datetime.fromisoformat(head["taken_at"])
    photo = Photo(
        bytes.fromhex(head["sha256"]), head["media_type"], head["width"], head["height"], taken_at,
        np.empty((0, 0, 3), np.uint8), thumbnail, keywords.from_json(head["description"]),
    )  # fmt: skip
    return Embedded(photo, np.frombuffer(embedding, np.float32) if embedding else None)


def embedded(content: bytes, backbone: Backbone | None, size: int) -> Embedded:
    """Decode a photo and embed it, here.

    Raises
    ------
    RejectedInput
        The photo is unusable.
    """
    photo = images.decode(content, size)
    return Embedded(photo, backbone.embed(photo.pixels) if backbone else None)


def _answer(content: bytes, backbone: Backbone | None, size: int) -> bytes:
    """Decode and embed a photo; return the answer, which is one message."""
    try:
        done = embedded(content, backbone, size)
    except RejectedInput as error:
        return _message({"rejected": str(error), "reason_code": error.reason_code})
    photo = done.photo
    embedding = b"" if done.embedding is None else done.embedding.tobytes()
    head = {
        "sha256": photo.sha256.hex(), "media_type": photo.media_type, "width": photo.width,
        "height": photo.height, "taken_at": photo.taken_at and photo.taken_at.isoformat(),
        "description": keywords.as_json(photo.description),
    }  # fmt: skip
    return _message(head, photo.thumbnail, embedding)


def _message(head: dict[str, Any], thumbnail: bytes = b"", embedding: bytes = b"") -> bytes:
    text = json.dumps(head).encode()
    return b"".join((_HEAD.pack(len(text), len(thumbnail)), text, thumbnail, embedding))


def _limit(memory: int) -> None:
    """Limit memory, leave no core dumps or orphans, and leave Ctrl-C to the main program."""
    import resource

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for which, most in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_CORE, 0)):
        with suppress(OSError, ValueError):  # a lower limit is set already, or limits are not supported here
            resource.setrlimit(which, (most, most))
    if sys.platform == "linux":  # elsewhere, a hanging worker outlives a killed program by up to a minute
        import ctypes

        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0)  # PR_SET_PDEATHSIG


def serve(descriptor: int) -> None:
    """Answer requests until the other end is closed."""
    connection = Connection(descriptor)
    orders = json.loads(connection.recv_bytes())
    size, seconds = orders["size"], orders["seconds"]
    _limit(orders["memory"])
    signal.alarm(seconds)  # the kernel ends a hanging worker even if nobody waits for it
    network = connection.recv_bytes()
    backbone = Backbone(Identity("", size, b""), network) if network else None
    if backbone:
        backbone.embed(np.full((size, size, 3), 127, np.uint8))  # loads it
    answer = b""
    while True:
        signal.alarm(0)
        connection.send_bytes(answer)
        content = connection.recv_bytes()
        signal.alarm(seconds)
        answer = _answer(content, backbone, size)


if __name__ == "__main__":
    with suppress(*_GONE):
        serve(int(sys.argv[1]))
