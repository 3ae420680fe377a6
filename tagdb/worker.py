"""Decoding and embedding in processes of their own, so that no photo can take an ingest along.

Decoders are large programs in C, and photos come from anywhere. One that makes them crash, hang or ask for
all memory ends a worker; the photo is rejected, and the next one gets a new worker. Every worker belongs to
one thread, which sends it the bytes of a photo and waits for what comes back.

``python -m tagdb.worker DESCRIPTOR`` is the other end: a socket, over which it first gets its orders.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagdb import images
from tagdb.backbone import Backbone, Identity
from tagdb.errors import RejectedInput, TagdbError
from tagdb.images import Photo

SECONDS = 60
"""What a photo may take. The largest ones that are read take a few."""
MEMORY = 3 << 30
"""Bytes that a worker may have: what 100 million pixels with transparency need, and some."""
_GONE = (EOFError, ConnectionError, BrokenPipeError)


@dataclass(frozen=True, slots=True)
class Embedded:
    """A photo, and its embedding by the worker's backbone."""

    photo: Photo
    embedding: NDArray[np.float32] | None
    """float32 (1280,), of length 1; None without a backbone."""


class Worker:
    """A process that decodes and embeds, started when there is something to do. Not for several threads."""

    def __init__(self, backbone: Backbone | None, size: int) -> None:
        self._backbone, self._size = backbone, size
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    def embed(self, content: bytes) -> Embedded:
        """Decode a photo and embed it.

        Raises
        ------
        RejectedInput
            The photo is unusable, or it ended two workers.
        TagdbError
            Workers end before they get a photo.
        """
        for last in (False, True):
            connection = self._connection or self._start()
            try:
                connection.send_bytes(content)
                return _received(connection)
            except _GONE:
                code = self._ended()
                if code == -signal.SIGALRM:
                    raise RejectedInput(f"decoding it took longer than {SECONDS} s") from None
                if last:  # the first time it may have been somebody else's doing: memory was short, say
                    raise RejectedInput(f"decoding it crashed ({_named(code)})") from None
        raise AssertionError

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._ended()

    def _start(self) -> Connection:
        ours, theirs = socket.socketpair()
        with theirs:
            # Python's modules are found as here; signals of the terminal are for the program itself.
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env=_environment(),
            )  # fmt: skip
        connection = Connection(ours.detach())
        try:
            connection.send_bytes(json.dumps({"size": self._size}).encode())
            connection.send_bytes(self._backbone.content if self._backbone else b"")
            connection.recv_bytes()
        except _GONE:
            raise TagdbError(f"a process that decodes photos ended at once ({_named(self._ended())})") from None
        self._connection = connection
        return connection

    def _ended(self) -> int:
        """Wait for the process, whose connection is broken; how it ended."""
        if self._connection is not None:
            self._connection.close()
        process, self._process, self._connection = self._process, None, None
        assert process is not None
        with suppress(subprocess.TimeoutExpired):
            return process.wait(1)
        process.kill()
        return process.wait()


def _environment() -> dict[str, str]:
    """What a worker may know: nothing of the database, whose password may be among it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TAGDB_", "PG"))}
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _named(code: int) -> str:
    """How a process ended, in a word."""
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"exit code {code}"


def _received(connection: Connection) -> Embedded:
    """An answer of :func:`_answer`."""
    head: dict[str, Any] = json.loads(connection.recv_bytes())
    if "rejected" in head:
        raise RejectedInput(head["rejected"])
    thumbnail, embedding = connection.recv_bytes(), connection.recv_bytes()
    taken_at = head["taken_at"] and datetime.fromisoformat(head["taken_at"])
    photo = Photo(
        bytes.fromhex(head["sha256"]), head["media_type"], head["width"], head["height"], taken_at,
        np.empty((0, 0, 3), np.uint8), thumbnail,
    )  # fmt: skip
    return Embedded(photo, np.frombuffer(embedding, np.float32) if embedding else None)


def _answer(connection: Connection, content: bytes, backbone: Backbone | None, size: int) -> None:
    """Decode, embed, and send back what is to be stored."""
    try:
        photo = images.decode(content, size)
        embedding = backbone.embed(photo.pixels).tobytes() if backbone else b""
    except RejectedInput as error:
        connection.send_bytes(json.dumps({"rejected": str(error)}).encode())
        return
    head = {
        "sha256": photo.sha256.hex(), "media_type": photo.media_type, "width": photo.width,
        "height": photo.height, "taken_at": photo.taken_at and photo.taken_at.isoformat(),
    }  # fmt: skip
    connection.send_bytes(json.dumps(head).encode())
    connection.send_bytes(photo.thumbnail)
    connection.send_bytes(embedding)


def _limit() -> None:
    """Take no more than a worker needs, leave nothing behind, and leave Ctrl-C to the program."""
    import resource

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for which, most in ((resource.RLIMIT_DATA, MEMORY), (resource.RLIMIT_CORE, 0)):
        with suppress(OSError, ValueError):  # there is a lower one already, or it cannot be limited here
            resource.setrlimit(which, (most, most))


def serve(descriptor: int) -> None:
    """Answer until the other end is closed."""
    _limit()
    connection = Connection(descriptor)
    size = json.loads(connection.recv_bytes())["size"]
    network = connection.recv_bytes()
    backbone = Backbone(Identity("", size, b""), network) if network else None
    if backbone:
        backbone.embed(np.full((size, size, 3), 127, np.uint8))  # loads it
    connection.send_bytes(b"")
    while True:
        content = connection.recv_bytes()
        signal.alarm(SECONDS)  # the kernel ends what hangs, also where nobody waits for it any more
        _answer(connection, content, backbone, size)
        signal.alarm(0)


if __name__ == "__main__":
    with suppress(*_GONE):
        serve(int(sys.argv[1]))
