"""The boxes of which HEIC, AVIF and JPEG XL files consist (ISO/IEC 14496-12)."""

import struct
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

MOST = 10_000
"""A file may have so many boxes beside each other; further ones are not looked at."""

_Box = tuple[bytes, int, int]
"""Name, and where the content starts and ends."""


def boxes(content: bytes, start: int = 0, end: int | None = None) -> Iterator[_Box]:
    """Yield the boxes that lie beside each other, up to the first one that is damaged."""
    return islice(_all(content, start, len(content) if end is None else end), MOST)


def _all(content: bytes, at: int, end: int) -> Iterator[_Box]:
    while at + 8 <= end:
        size, name = struct.unpack_from(">I4s", content, at)
        head = 8
        if size == 1 and at + 16 <= end:
            (size,) = struct.unpack_from(">Q", content, at + 8)
            head = 16
        elif size == 0:  # the last one
            size = end - at
        if not head <= size <= end - at:
            return
        yield name, at + head, at + size
        at += size


def brands(content: bytes) -> set[bytes]:
    """Return what a file says that it conforms to, in its first box."""
    name, start, end = next(boxes(content), (b"", 0, 0))
    return {content[at : at + 4] for at in range(start, end, 4)} if name == b"ftyp" else set()


def sizes(content: bytes) -> list[tuple[int, int]]:
    """Return width and height of all pictures in a file, of their tiles, too, as they are decoded."""
    with suppress(struct.error, IndexError):  # damaged
        return [
            struct.unpack_from(">2I", content, start + 4)
            for name, start, _ in _Pictures(content).properties
            if name == b"ispe"
        ]
    return []


def colour(content: bytes) -> tuple[int, int] | None:
    """Return the primaries and the transfer function of the primary picture, numbered as in ITU-T H.273.

    None where the file does not tell. Other pictures in it, such as gain maps, may have others.
    """
    with suppress(struct.error, IndexError):  # damaged
        pictures = _Pictures(content)
        for number in pictures.of_primary():
            name, start, _ = pictures.properties[number - 1]
            if name == b"colr" and content[start : start + 4] == b"nclx":
                primaries, transfer = struct.unpack_from(">HH", content, start + 4)
                return primaries, transfer
    return None


class _Pictures:
    """What a file says of its pictures; raises IndexError or struct.error where it is damaged."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        start, end = _first(content, b"meta")
        self._meta = start + 4, end
        self._inside = _first(content, b"iprp", *self._meta)
        self.properties = list(boxes(content, *_first(content, b"ipco", *self._inside)))

    def of_primary(self) -> Iterator[int]:
        """Yield the numbers of the properties that the primary picture has, counted from 1."""
        content = self._content
        at, _ = _first(content, b"pitm", *self._meta)
        (primary,) = struct.unpack_from(">I" if content[at] else ">H", content, at + 4)
        at, end = _first(content, b"ipma", *self._inside)
        item, number = (">I" if content[at] else ">H"), (">H" if content[at + 3] & 1 else ">B")
        at += 8
        for _ in range(MOST):
            if at >= end:
                return
            (one,) = struct.unpack_from(item, content, at)
            at += struct.calcsize(item)
            count = content[at]
            at += 1
            for _ in range(count):
                (found,) = struct.unpack_from(number, content, at)
                found &= 0x7FFF if number == ">H" else 0x7F  # the first bit says that it is essential
                if one == primary and found:
                    yield found
                at += struct.calcsize(number)


def _first(content: bytes, wanted: bytes, start: int = 0, end: int | None = None) -> tuple[int, int]:
    """Return where the first box of a name starts and ends."""
    for name, *place in boxes(content, start, end):
        if name == wanted:
            return place[0], place[1]
    raise IndexError(wanted)
