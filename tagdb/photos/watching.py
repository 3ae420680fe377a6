"""Names of photos as they come: lines of standard input, and files that appear in a folder."""

import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from tagdb.errors import TagdbError
from tagdb.photos import images
from tagdb.photos.sources import PHOTO_SUFFIXES

EVERY = 0.5
"""Seconds between two looks at a folder."""
LONGEST = 1 << 16
"""Bytes of a line; no file has a name of so many."""
HEAD = 16
"""Bytes by which a picture is told from names of pictures."""

_State = tuple[int, int]
"""Size and time of change, in bytes and nanoseconds."""


def named(stream: BinaryIO) -> bytes | Iterator[str]:
    """What comes on a stream: a picture's bytes, or the lines that name photos, each as it comes."""
    head = b""
    while len(head) < HEAD and (byte := stream.read(1)):
        head += byte
        # A line is not waited for beyond its end. A BMP or WebP may have that byte in its size.
        size = (head[:2] == b"BM" and len(head) <= 6) or (head[:4] == b"RIFF" and len(head) <= 8)
        if byte == b"\n" and not size and not images.begins_picture(head):
            break
    if not head or images.begins_picture(head):
        return head + stream.read(images.MAX_BYTES + 1)
    return _lines(head, stream)


def _lines(head: bytes, stream: BinaryIO) -> Iterator[str]:
    whole, last = head[: head.rfind(b"\n") + 1], head[head.rfind(b"\n") + 1 :]
    rest = last + _line(stream) if last else b""
    for line in (*whole.splitlines(), *([rest] if rest else [])):
        yield from _name(line)
    while line := _line(stream):
        yield from _name(line)


def _line(stream: BinaryIO) -> bytes:
    """The next line; of one that is too long for a name, the beginning."""
    line = rest = stream.readline(LONGEST)
    while len(rest) == LONGEST and not rest.endswith(b"\n"):
        rest = stream.readline(LONGEST)
    return line


def _name(line: bytes) -> Iterator[str]:
    if name := line.strip(b"\r\n"):
        yield os.fsdecode(name)


def new_photos(folder: Path, pause: Callable[[float], None] = time.sleep) -> Iterator[str]:
    """Photos that come into a folder or change there from this call on, once they do not change any more.

    A file is taken for finished if two looks in a row find the same size and time of change. Files in
    folders within are not looked at. Goes on for ever.

    Raises
    ------
    TagdbError
        The folder is none, cannot be read, or has gone.
    """
    return _changes(folder, _look(folder), pause)  # looked at now, not when the first photo is asked for


def _changes(folder: Path, known: dict[str, _State], pause: Callable[[float], None]) -> Iterator[str]:
    before = dict(known)
    while True:
        pause(EVERY)
        now = _look(folder)
        for path, state in sorted(now.items()):
            if known.get(path) != state and before.get(path) == state:
                known[path] = state
                yield path
        known = {path: state for path, state in known.items() if path in now}
        before = now


def _look(folder: Path) -> dict[str, _State]:
    """The photos in a folder, and what they look like from outside."""
    found = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if Path(entry.name).suffix.lower() not in PHOTO_SUFFIXES:
                    continue
                try:
                    facts = entry.stat()
                except OSError:
                    continue  # gone since, or a link that leads nowhere
                if stat.S_ISREG(facts.st_mode):  # opening a FIFO would wait for ever
                    found[entry.path] = (facts.st_size, facts.st_mtime_ns)
    except OSError as error:
        raise TagdbError(f"cannot watch {folder}: {error.strerror}") from error
    return found
