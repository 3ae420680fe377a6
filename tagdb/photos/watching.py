"""Photos as they arrive: lines on standard input, and files that appear in a folder."""

import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from tagdb.errors import TagdbError
from tagdb.photos import images
from tagdb.photos.files import explained
from tagdb.photos.folders import kind_of
from tagdb.photos.kinds import PHOTO, begins, is_unreadable

EVERY = 0.5
"""Seconds between two scans of a folder."""
LONGEST = 1 << 16
"""Longest line, in bytes; no file name is that long."""
HEAD = 16
"""Number of first bytes that distinguish an image from file names."""

_State = tuple[int, int]
"""Size in bytes and modification time in nanoseconds."""


def read_stream(stream: BinaryIO) -> bytes | Iterator[str]:
    """Return the content of a stream: an image's bytes, or the names of photos, line by line."""
    head = b""
    with explained():
        while len(head) < HEAD and (byte := stream.read(1)):
            head += byte
            # Do not wait beyond the end of a line. In a BMP or WebP the byte may belong to the size.
            size = (head[:2] == b"BM" and len(head) <= 6) or (head[:4] == b"RIFF" and len(head) <= 8)
            if byte == b"\n" and not size and not begins(head):
                break
    if not head or begins(head):
        return head + stream.read(images.MAX_BYTES + 1)
    return _lines(head, stream)


def _lines(head: bytes, stream: BinaryIO) -> Iterator[str]:
    head = head.removeprefix(b"\xef\xbb\xbf")  # a BOM
    whole, last = head[: head.rfind(b"\n") + 1], head[head.rfind(b"\n") + 1 :]
    rest = last + _line(stream) if last else b""
    for line in (*whole.splitlines(), *([rest] if rest else [])):
        yield from _name(line)
    while line := _line(stream):
        yield from _name(line)


def _line(stream: BinaryIO) -> bytes:
    """The next line, truncated if it is too long for a name."""
    line = rest = stream.readline(LONGEST)
    while len(rest) == LONGEST and not rest.endswith(b"\n"):
        rest = stream.readline(LONGEST)
    return line


def _name(line: bytes) -> Iterator[str]:
    if name := line.strip(b"\r\n"):
        yield os.fsdecode(name)


def new_photos(folder: Path, pause: Callable[[float], None] = time.sleep) -> Iterator[str]:
    """Yield photos that appear or change in a folder after this call, once they are complete. Never ends.

    A file counts as complete when two scans in a row find the same size and modification time. Subfolders
    are not scanned.

    Raises
    ------
    TagdbError
        The folder does not exist, is not a folder, or cannot be read.
    """
    return _changes(folder, _scan(folder), pause)  # scan now, not when the first photo is requested


def _changes(folder: Path, known: dict[str, _State], pause: Callable[[float], None]) -> Iterator[str]:
    before = dict(known)
    while True:
        pause(EVERY)
        now = _scan(folder)
        for path, state in sorted(now.items()):
            if known.get(path) != state and before.get(path) == state:
                known[path] = state
                kind = kind_of(path)
                if kind == PHOTO or is_unreadable(kind):  # which is refused with its reason
                    yield path
        known = {path: state for path, state in known.items() if path in now}
        before = now


def _scan(folder: Path) -> dict[str, _State]:
    """Return the files in a folder with their states."""
    files = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    facts = entry.stat()
                except OSError:
                    continue  # deleted since, or a broken link
                if stat.S_ISREG(facts.st_mode):  # opening a FIFO would block
                    files[entry.path] = (facts.st_size, facts.st_mtime_ns)
    except OSError as error:
        raise TagdbError(f"cannot watch {folder}: {error.strerror}") from error
    return files
