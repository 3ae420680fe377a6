"""Rows of manifests: JSON Lines, lists of JSON objects, CSV and TSV.

A row comes with its file and its line or position there. An error in one row takes its place as a
``RejectedInput``, so the other rows are still read. The fields of a row are parsed here too.
"""

import ast
import codecs
import csv
import io
import json
import math
import re
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, product
from pathlib import Path
from typing import Any, BinaryIO, TextIO
from unicodedata import normalize
from urllib.parse import urlsplit

from tagdb.errors import RejectedInput, SourceError
from tagdb.hashtags import printable, written
from tagdb.photos.folders import PHOTO_SUFFIXES

MAX_LINE = 10_000_000
"""Longest line of a manifest, in bytes, and longest object in a JSON list, in characters."""

MAX_HASHTAGS = 1_000
"""Maximum number of hashtags per row."""

FIELDS = ("file_name", "uri", "hashtags", "collection", "source_ref", "taken_at")
"""What a row says about its photo in columns of its own; everything else is metadata."""

Row = tuple[str, int, Any]
"""Origin, line, and the value read there or a RejectedInput."""

_MAX_DEPTH = 64  # of nested JSON; far below what overflows the stack when it is written again
# Shorter numbers in a string may mean a year or a day; nine digits reach back to 1973.
_UNIX_TIME = re.compile(r"-?\d{9,}(?:\.\d+)?", re.ASCII)
_COMPACT = re.compile(
    r"((?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]))((?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?)", re.ASCII
)
_FIRST_PHOTO = datetime(1826, 1, 1, tzinfo=UTC)
_FIRST_ITEM = re.compile(r"[ \t\r\n]*\[[ \t\r\n]*(\]?)")
_FURTHER_ITEM = re.compile(r"[ \t\r\n]*([,\]])[ \t\r\n]*")
_ITEM_END = re.compile(r"[ \t\r\n]*[,\]]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_UTF_8 = re.compile("[\udc80-\udcff]")  # what the bytes were decoded to

_LINE_END = re.compile(rb"\n|(?<!\r)(\r++)[^\n]")
_SEPARATOR = re.compile(r'"?sep=([^\w\s"\0]|\t)"?\s*', re.IGNORECASE)
# What pandas and Excel write where there is no value.
_NO_VALUE = frozenset(["", "NaN", "nan", "NaT", "None", "null", "NULL", "<NA>", "#N/A", "#NAME?", "#REF!"])
_NO_VALUE |= {"#VALUE!", "#DIV/0!", "#NULL!", "#NUM!"}
# Lists as Python, JSON and PostgreSQL write them: ['sea', "sun"], {sea,sun}, ('sea',)
_LIST = re.compile(r"""\[([^][]*)]|\{([^{}]*)}|\((\s*['"][^()]*)\)""")
_LIST_ITEM = re.compile(
    r"""("[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*')|([^\s,"'][^\s,]*)""", re.DOTALL
)
_MAX_LIST = 1 << 18  # characters; for this, MAX_HASHTAGS would be long ones
_WINDOWS_1252 = {
    ord(char): byte for byte in range(0x80, 0xA0) if (char := bytes([byte]).decode("cp1252", "ignore"))
}
# May be what it seems, as in CAFÉ…, Spaß’ and VÝŠKA, unlike a capital after a lower case letter, zdjÄ™cie.
_UNSURE = re.compile("(?:(?<![a-z])[Ä-Þ]|[ß-ô])[\xa0»‘’“”•–—™›…ŠšŽžŒœŸƒªº]+")


class _Utf8(io.RawIOBase):
    """A text as UTF-8 without a byte order mark, from UTF-8 or UTF-16 that has one.

    If the first line ends with a carriage return, as on old Macs, all lines end with line feeds instead.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._chunks, self._rest = self._recoded(getattr(stream, "read1", stream.read)), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or next(self._chunks, b"")
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)

    @staticmethod
    def _recoded(read: Callable[[int], bytes]) -> Iterator[bytes]:
        """Yield pieces, none of which is empty, as soon as they are read."""
        start = b""
        while len(start) < 4 and (more := read(1 << 16)):
            start += more
        chunks: Iterator[bytes] = chain([start], iter(lambda: read(1 << 16), b""))
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            chunks = _from_utf16(chunks)
        start = next(chunks, b"").removeprefix(codecs.BOM_UTF8)
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


def _recoded(stream: BinaryIO) -> io.BufferedReader:
    return io.BufferedReader(_Utf8(stream), 1 << 16)


def _lines(stream: BinaryIO) -> Iterator[tuple[int, str | RejectedInput]]:
    """Yield lines; bytes that are not UTF-8 become surrogates, which check() rejects."""
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) <= MAX_LINE:
            yield number, line.decode("utf-8", "surrogateescape")
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(1 << 16)
        yield number, RejectedInput(f"longer than {MAX_LINE // 1_000_000} MB")


def read_json(path: Path) -> Iterator[Row]:
    """Yield the rows of a file with a list of JSON objects, or with one JSON object per line."""
    origin = printable(str(path))
    with path.open("rb") as file:
        stream = _recoded(file)
        if path.suffix.lower() == ".json" and stream.peek().lstrip()[:1] == b"[":
            yield from json_list(io.TextIOWrapper(stream, "utf-8", "surrogateescape"), origin)
        else:
            yield from _json_lines(stream, origin)


def json_lines(stream: BinaryIO, origin: str) -> Iterator[Row]:
    """Yield the value of each line that is not blank."""
    return _json_lines(_recoded(stream), origin)


def _json_lines(stream: BinaryIO, origin: str) -> Iterator[Row]:
    for number, text in _lines(stream):
        if isinstance(text, RejectedInput):
            yield origin, number, text
        elif text.strip():
            try:
                yield origin, number, _DECODER.decode(text)
            except (ValueError, RecursionError) as error:
                yield origin, number, _invalid(error)


def json_list(stream: TextIO, origin: str) -> Iterator[Row]:
    """Yield the items of a list while it is read. After an item that is not JSON, the rest is skipped."""
    buffer, at, number, ended = "", 0, 0, False
    while True:
        try:
            start = (_FURTHER_ITEM if number else _FIRST_ITEM).match(buffer, at)
            if start and start[1] == "]":
                if (buffer[start.end() :] + stream.read(1 << 16)).strip():
                    yield origin, number + 1, RejectedInput("invalid JSON: something follows the list")
                return
            item, end = _DECODER.raw_decode(buffer, start.end() if start else len(buffer))
            # An item at the end of the buffer may be incomplete: 12 of 123.
            if not _ITEM_END.match(buffer, end):
                raise ValueError("',' or ']' is missing")
        except (ValueError, RecursionError) as error:
            too_long, fatal = len(buffer) - at > MAX_LINE, isinstance(error, RecursionError)
            if ended or too_long or fatal:
                reason = (
                    _invalid(error)
                    if ended or fatal
                    else f"longer than {MAX_LINE} characters, or invalid JSON"
                )
                yield origin, number + 1, RejectedInput(f"{reason} (the rest of the file is skipped)")
                return
            more = stream.read(max(1 << 16, len(buffer) - at))
            buffer, at, ended = buffer[at:] + more, 0, not more
        else:
            number, at = number + 1, end
            yield origin, number, item


def read_csv(path: Path) -> Iterator[Row]:
    """Yield the rows of a CSV or TSV file as objects without empty cells.

    Raises
    ------
    SourceError
        The header is missing or lacks a column.
    """
    origin = printable(str(path))
    with path.open("rb") as file:
        usual = "," if path.suffix.lower() == ".csv" else "\t"
        delimiter, numbered = _delimited(_lines(_recoded(file)), usual)
        lines = _CsvLines(numbered)
        # strict: otherwise a quotation mark that is never closed would swallow all further rows
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            header = [column(name) for name in next(reader, [])]
        except csv.Error as error:
            raise SourceError(f"{origin} has no readable header: {why(error)}") from None
        if any("\0" in name or _NOT_UTF_8.search(name) for name in header):  # UTF-16 without a mark has NULs
            raise SourceError(f"the header of {origin} is not valid UTF-8; save the file as UTF-8")
        if missing := _missing(header):
            has = printable(", ".join(header), 200) or "nothing"
            advice = "is the header missing?" if _names_a_photo(header) else "rename the columns"
            raise SourceError(f"the header of {origin} lacks {' and '.join(missing)}; it has {has}; {advice}")
        names = [name for name in header if name]  # the nameless column is the index that pandas writes
        name, times = _most_frequent(names)
        if times > 1:
            raise SourceError(f"the header of {origin} has the column {printable(name, 40)} {times} times")
        while True:
            lines.begin_row()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                number, first = lines.taken[0]
                invalid = RejectedInput(f"invalid CSV: {why(error)}")
                yield origin, number, first if isinstance(first, RejectedInput) else invalid
                lines.put_back()
                continue
            number = lines.taken[0][0]
            if len(cells) == len(header):
                named = zip(header, cells, strict=True)
                yield origin, number, {name: cell for name, cell in named if name and cell not in _NO_VALUE}
            elif cells:
                yield origin, number, RejectedInput(f"{len(cells)} cells where the header has {len(header)}")
                lines.put_back()


def column(name: str) -> str:
    """Return the field that a column stands for, however it is quoted and in whatever case, or its name."""
    name = name.strip().strip("\"'").strip()
    return folded if (folded := name.casefold()) in FIELDS else name


def _missing(header: Collection[str]) -> list[str]:
    missing = [] if {"file_name", "uri"} & set(header) else ["file_name (or uri)"]
    return missing if "hashtags" in header else [*missing, "hashtags"]


def _names_a_photo(cells: Iterable[str]) -> bool:
    return any(cell.lower().endswith(tuple(PHOTO_SUFFIXES)) for cell in cells)


def _delimited(
    lines: Iterator[tuple[int, str | RejectedInput]], usual: str
) -> tuple[str, Iterator[tuple[int, str | RejectedInput]]]:
    """Return what separates cells, and the lines from the header on.

    Excel says it in a line before the header. Otherwise, it is what makes a header of the first line, or most
    cells.
    """
    number, first = next(lines, (1, ""))
    if isinstance(first, str):
        if said := _SEPARATOR.fullmatch(first):
            return said[1], lines
        usual = max(usual, *",;\t|", key=lambda delimiter: _fitness(first[: 1 << 16], delimiter))
    return usual, chain([(number, first)], lines)


def _fitness(line: str, delimiter: str) -> tuple[bool, int]:
    try:
        header = [column(name) for name in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return False, 0
    return not _missing(header), len(header)


class _CsvLines(Iterator[str]):
    """Lines for a CSV reader; those of an invalid row can be put back.

    After a quotation mark that is never closed, many rows look like one. Only the line with that mark should
    be lost, so the lines after it are put back and read again. In total at most four times as much is put
    back as is read: otherwise a file could keep the reader busy for ever.
    """

    def __init__(self, lines: Iterator[tuple[int, str | RejectedInput]]) -> None:
        self._lines = lines
        self._again: deque[tuple[int, str | RejectedInput]] = deque()
        self.taken: list[tuple[int, str | RejectedInput]] = []
        """Lines of the current row, with their numbers."""
        self._length, self._to_spare = 0, 1 << 20

    def begin_row(self) -> None:
        """Start a new row with the next line."""
        self.taken.clear()
        self._length = 0

    def put_back(self) -> None:
        """Put back all lines of the row but the first, unless too much has been put back already."""
        rest = self.taken[1:]
        length = sum(len(text) for _, text in rest if isinstance(text, str))
        if length <= self._to_spare:
            self._to_spare -= length
            self._again.extendleft(reversed(rest))

    def __next__(self) -> str:
        if self._again:
            number, text = self._again.popleft()
        else:
            number, text = next(self._lines)
            self._to_spare += 4 * len(text) if isinstance(text, str) else 0
        self.taken.append((number, text))
        if isinstance(text, RejectedInput):
            raise csv.Error(str(text))
        self._length += len(text)
        if self._length > MAX_LINE:
            raise csv.Error(f"a row larger than {MAX_LINE // 1_000_000} MB")
        return text


@dataclass(frozen=True, slots=True)
class _Duplicate:
    """Takes the place of an object with a repeated key until check() rejects it; decoding continues."""

    name: str


def _object(pairs: list[tuple[str, Any]]) -> Any:
    fields = dict(pairs)
    if len(fields) == len(pairs):
        return fields
    return _Duplicate(printable(_most_frequent(name for name, _ in pairs)[0], 40))


def _most_frequent(names: Iterable[str]) -> tuple[str, int]:
    return Counter(names).most_common(1)[0]


# Python's json writes NaN where pandas has no value.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=lambda name: None if name == "NaN" else float(name)
)


def _invalid(error: Exception) -> RejectedInput:
    if isinstance(error, RecursionError):
        return RejectedInput("nested too deeply")
    return RejectedInput(f"invalid JSON: {printable(getattr(error, 'msg', str(error)), 100)}")


# --- Fields -------------------------------------------------------------------------------------------


def check(value: Any, where: str, depth: int = 0, *, in_hashtags: bool = False) -> int:
    """Reject what PostgreSQL's text and jsonb cannot hold, and what JSON does not allow.

    Characters of hashtags are left to ``fold``, so that one of them costs its hashtag only.

    Returns
    -------
    int
        Approximate memory taken by the value, in bytes.
    """
    size = 64
    if depth > _MAX_DEPTH:
        raise RejectedInput(f"nested too deeply: {where}")
    if isinstance(value, str):
        if _NOT_UTF_8.search(value):
            raise RejectedInput(f"not valid UTF-8: {where}; save the file as UTF-8")
        if "\0" in value and not in_hashtags:
            raise RejectedInput(f"a NUL character in {where}")
        if _SURROGATE.search(value) and not in_hashtags:
            raise RejectedInput(f"not valid UTF-8: {where}")
        size += len(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise RejectedInput(f"not a finite number: {where}")
    elif isinstance(value, _Duplicate):
        raise RejectedInput(f"key given twice in one object: {value.name}")
    elif isinstance(value, list):
        size += sum(check(item, where, depth + 1, in_hashtags=in_hashtags) for item in value)
    elif isinstance(value, dict):
        for name, item in value.items():
            size += check(name, "the name of a field", depth + 1)
            hashtags = depth == 0 and name == "hashtags"
            size += check(item, printable(name, 40), depth + 1, in_hashtags=hashtags)
    return size


def text_of(row: dict[str, Any], name: str) -> str | None:
    """Return a string field of a row, or None if it is empty or missing."""
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise RejectedInput(f"{name} must be a string: {as_json(value)}")
    return value or None


def hashtags_of(value: object) -> tuple[str, ...]:
    """Return hashtags, not folded, from a list of strings or from one string, which is split."""
    if value is None:
        return ()
    hashtags = _words(repaired(value).strip()) if isinstance(value, str) else value
    # None is a missing value, as in a column of numbers
    if not isinstance(hashtags, list) or not all(isinstance(one, str | None) for one in hashtags):
        raise RejectedInput(f"hashtags must be a list of strings, or one string: {as_json(value)}")
    if len(hashtags) > MAX_HASHTAGS:
        raise RejectedInput(f"{len(hashtags)} hashtags; at most {MAX_HASHTAGS} are allowed")
    return tuple(repaired(hashtag) for hashtag in hashtags if hashtag is not None)


def _words(text: str) -> list[str]:
    """Return the items of a written list, or the hashtags of another text."""
    if len(text) > _MAX_LIST or not (listed := _LIST.fullmatch(text)):
        return written(text)
    items = _LIST_ITEM.findall(listed[listed.lastindex or 0])
    return [
        _unquoted(quoted) if quoted else bare for quoted, bare in items if quoted or bare not in _NO_VALUE
    ]


def _unquoted(text: str) -> str:
    """Return the string that a literal of JSON, Python or PostgreSQL stands for."""
    if "\\" not in text:
        return text[1:-1]
    for read in (json.loads, ast.literal_eval):  # JSON first: it pairs surrogates
        try:
            return str(read(text))
        except (SyntaxError, ValueError):
            pass
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def repaired(text: str) -> str:
    """Return a text that was UTF-8 and has been read as Latin-1 or Windows-1252, if that is certain.

    ``cafÃ©`` gives ``café``; other texts are returned as they are.
    """
    if text.isascii() or _UNSURE.sub("", text).isascii():
        return text
    try:
        return text.translate(_WINDOWS_1252).encode("latin-1").decode()
    except UnicodeError:
        return text


def spellings(name: str) -> Iterator[str]:
    """Yield how else a file's name may be written on this disk: with other slashes, accents or encoding."""
    if len(name) > 5_000:  # longer than any path may be
        return
    seen = {name}
    for change in (str.strip, lambda text: text.replace("\\", "/"), repaired):
        name = change(name)
        folder, slash, file = name.rpartition("/")
        normal = product(*([normalize(form, part) for form in ("NFC", "NFD")] for part in (folder, file)))
        for text in (name, *(slash.join(parts) for parts in normal)):
            if text not in seen:
                seen.add(text)
                yield text


def path_of(uri: str) -> str:
    """Return the path that a ``file:`` URI names."""
    from urllib.request import url2pathname  # imports all of HTTP, for a rare case

    try:
        parts = urlsplit(uri)
    except ValueError:
        raise RejectedInput(f"not a valid uri: {printable(uri, 200)}") from None
    if parts.netloc not in ("", "localhost"):
        raise RejectedInput(f"file on another machine: {printable(uri, 200)}")
    return url2pathname(parts.path)


def time_of(value: object) -> datetime | None:
    """Return a time in UTC from ISO 8601 (UTC if it has no zone) or Unix seconds; None for no value.

    Twelve or fourteen digits are date and time: as Unix seconds they would be far in the future.
    """
    if value is None or value == "":
        return None
    if not isinstance(value, bool) and (compact := _COMPACT.fullmatch(str(value))):
        value = f"{compact[1]}T{compact[2]}"
    try:
        if isinstance(value, str) and not _UNIX_TIME.fullmatch(value):
            time = datetime.fromisoformat(value)
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            return datetime.fromtimestamp(float(value), UTC)
    except (OSError, OverflowError, ValueError):
        pass
    raise RejectedInput(f"taken_at must be an ISO 8601 time or Unix seconds: {as_json(value)}")


def plausible(time: datetime) -> bool:
    """Whether a photo can be of that time: not before the first one, nor later than tomorrow."""
    return _FIRST_PHOTO <= time <= datetime.now(UTC) + timedelta(days=1)


def as_json(value: object) -> str:
    """Return the beginning of a value as JSON, for messages."""
    return printable(json.dumps(value, ensure_ascii=False), 40)


def why(error: Exception) -> str:
    """Return the message of an error, in printable characters."""
    return printable(getattr(error, "strerror", None) or str(error), 200)
