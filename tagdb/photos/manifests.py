"""Lists of photos as text: JSON and tables have in common how their lines, encodings and columns are read.

A row comes with its file and its line or position there. An error in one row takes its place as a
``RejectedInput``, so the other rows are still read.
"""

import codecs
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, BinaryIO

from tagdb.errors import RejectedInput
from tagdb.photos.fields import FIELDS

MAX_LINE = 10_000_000
"""Longest line of a manifest, in bytes, and longest object in a JSON list, in characters."""
Row = tuple[str, int | None, Any]
"""Origin, line or None for a whole file, and the value read there or a RejectedInput."""
_PADDING = b"\0\x1a \t\r\n"  # behind the last line, of old systems and of disks that filled up
_LINE_END = re.compile(rb"\n|(?<!\r)(\r++)[^\n]")


class _Utf8(io.RawIOBase):
    """A text as UTF-8 without a byte order mark, from UTF-8 or UTF-16 that has one.

    If the first line ends with a carriage return, as on old Macs, all lines end with line feeds instead.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._chunks, self._rest = self._chunked(getattr(stream, "read1", stream.read)), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or next(self._chunks, b"")
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)

    @staticmethod
    def _chunked(read: Callable[[int], bytes]) -> Iterator[bytes]:
        """Yield pieces, none of which is empty, as soon as they are read."""
        start = b""
        while len(start) < 4 and (more := read(1 << 16)):
            start += more
        chunks: Iterator[bytes] = chain([start], iter(lambda: read(1 << 16), b""))
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            chunks = _from_utf16(chunks)
        start = next(chunks, b"")
        while start.startswith(
            codecs.BOM_UTF8
        ):  # more than one, where a program added it to a file that had it
            start = start.removeprefix(codecs.BOM_UTF8)
        while not (end := _LINE_END.search(start)) and len(start) < 1 << 16 and (more := next(chunks, b"")):
            start += more
        for chunk in chain([start], chunks):
            if chunk:
                yield chunk.replace(b"\r", b"\n") if end and end[1] else chunk


def _from_utf16(chunks: Iterable[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-16")("surrogatepass")
    for chunk in chunks:
        if text := decoder.decode(chunk):
            yield text.encode("utf-8", "surrogatepass")
    if decoder.getstate()[0]:
        yield b"\xff"  # half a character


def recoded(stream: BinaryIO) -> io.BufferedReader:
    """Return a text as UTF-8, whatever it is in."""
    return io.BufferedReader(_Utf8(stream), 1 << 16)


def numbered_lines(stream: BinaryIO) -> Iterator[tuple[int, str | RejectedInput]]:
    """Yield lines; bytes that are not UTF-8 become surrogates, which check() rejects."""
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) <= MAX_LINE:
            if line.strip(_PADDING):
                yield number, line.decode("utf-8", "surrogateescape")
            else:
                yield number, "\n"
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(1 << 16)
        yield number, RejectedInput(f"longer than {MAX_LINE // 1_000_000} MB", "invalid_record")


def converted(rows: Iterable[Row], convert: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterator[Row]:
    """Yield rows with their objects converted; where that raises RejectedInput, it takes the row's place."""
    for origin, line, row in rows:
        if isinstance(row, dict):
            try:
                yield origin, line, convert(row)
            except RejectedInput as error:
                yield origin, line, error
        else:
            yield origin, line, row


def column(name: str) -> str:
    """Return the field that a column stands for, however it is quoted and in whatever case, or its name."""
    name = name.strip().strip("\"'").strip()
    return folded if (folded := name.casefold()) in FIELDS else name


def most_frequent(names: Iterable[str]) -> tuple[str, int]:
    """Return the name that is most often there, and how often."""
    return Counter(names).most_common(1)[0]
