"""Rows of manifests: JSON Lines, lists of JSON objects, CSV and TSV.

A row comes with its file and its line or position there. An error in one row takes its place as a
``RejectedInput``, so the other rows are still read.
"""

import codecs
import csv
import io
import json
import re
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from tagdb.errors import RejectedInput, SourceError
from tagdb.hashtags import printable
from tagdb.photos.cells import is_empty
from tagdb.photos.fields import FIELDS, NOT_UTF_8, Duplicate, why
from tagdb.photos.kinds import PICTURE_SUFFIXES

MAX_LINE = 10_000_000
"""Longest line of a manifest, in bytes, and longest object in a JSON list, in characters."""

MAX_TABLE = 64 << 20
"""Largest file that is read as one JSON object, in bytes."""

Row = tuple[str, int | None, Any]
"""Origin, line or None for a whole file, and the value read there or a RejectedInput."""

_FIRST_ITEM = re.compile(r"[ \t\r\n]*\[[ \t\r\n]*(\]?)")
_FURTHER_ITEM = re.compile(r"[ \t\r\n]*([,\]])[ \t\r\n]*")
_ITEM_END = re.compile(r"[ \t\r\n]*[,\]]")

_PADDING = b"\0\x1a \t\r\n"  # behind the last line, of old systems and of disks that filled up
_LINE_END = re.compile(rb"\n|(?<!\r)(\r++)[^\n]")
_TITLES = 5
"""Most lines with something else above a header."""
_AS_TEXT = re.compile(r'^="([^"]*)"$')  # so that Excel takes it for a text
_SEPARATOR = re.compile(r'"?sep=([^\w\s"\0]|\t)"?\s*', re.IGNORECASE)


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


def _recoded(stream: BinaryIO) -> io.BufferedReader:
    return io.BufferedReader(_Utf8(stream), 1 << 16)


def _lines(stream: BinaryIO) -> Iterator[tuple[int, str | RejectedInput]]:
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
        yield number, RejectedInput(f"longer than {MAX_LINE // 1_000_000} MB")


def read_json(path: Path) -> Iterator[Row]:
    """Yield the rows of a file with a list of JSON objects, or with one JSON object per line."""
    origin = printable(str(path))
    with path.open("rb") as file:
        stream = _recoded(file)
        start = stream.peek().lstrip()
        if start[:1] == b"[" and (path.suffix.lower() == ".json" or start[1:].lstrip()[:1] == b"{"):
            for each in json_list(io.TextIOWrapper(stream, "utf-8", "surrogateescape"), origin):
                yield from _inner(each)
            return
        rows = _json_lines(stream, origin)
        first = next(rows, None)
        if first is None:
            return
        table = None
        if isinstance(first[2], RejectedInput) or (path.suffix.lower() == ".json" and not _is_row(first[2])):
            table = _table(path)
        if table is not None:
            rows = ((origin, number, row) for number, row in enumerate(table, 1))
        else:
            rows = chain([first], rows)
        yield from rows


def _inner(row: Row) -> Iterator[Row]:
    """Yield the rows of a table that is an item of a list, as phpMyAdmin writes it, or the row itself."""
    origin, line, item = row
    data = item.get("data") if isinstance(item, dict) and not _is_row(item) else None
    if isinstance(data, list) and any(map(_is_row, data)):
        yield from ((origin, line, each) for each in data)
    elif not (isinstance(item, dict) and item.get("type") in ("header", "database")):
        yield row


_PHOTO_NAMES = ("file_name", "uri")


def _is_row(value: object) -> bool:
    return isinstance(value, dict) and any(
        column(name) in _PHOTO_NAMES and isinstance(field, str) for name, field in value.items()
    )


def _table(path: Path) -> list[Any] | None:
    """Return the rows of a file with one JSON object, as pandas and PowerShell write tables; None for others.

    The rows are a list in it, or its values, or have to be made of its columns; or there are several objects,
    each over several lines. As nothing of it can be used before its end, a large file is not read.
    """
    if path.stat().st_size > MAX_TABLE:
        return None
    try:
        with path.open("rb") as file:
            values = _values(_recoded(file).read().decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return None
    if len(values) > 1:
        return values
    (table,) = values
    if not isinstance(table, dict):
        return None
    if _is_row(table):
        return [table]  # over several lines
    return next(filter(None, (_split(table), _listed(table), _transposed(table))), None)


def _values(text: str) -> list[Any]:
    """Return the values of a text in JSON, one after the other."""
    values, at = [], 0
    while at < len(text):
        value, at = _DECODER.raw_decode(text, at)
        values.append(value)
        at = len(text) - len(text[at:].lstrip()) if text[at : at + 1].isspace() else at
    return values


def _split(table: dict[str, Any]) -> list[Any] | None:
    """Return the rows of a table in which the names of columns, and lists of cells, stand apart."""
    names = table.get("columns")
    rows = next(
        (table[name] for name in ("data", "rows", "values") if isinstance(table.get(name), list)), None
    )
    if rows is None or not all(isinstance(row, list) for row in rows):
        return None
    if not isinstance(names, list):
        names, *rows = rows or [[]]
    return [dict(zip(map(str, names), row, strict=False)) for row in rows]


def _listed(table: dict[str, Any]) -> list[Any] | None:
    """Return the list of rows in an object."""
    lists = (value for value in table.values() if isinstance(value, list))
    return next((each for each in lists if any(map(_is_row, each))), None)


def _transposed(table: dict[str, Any]) -> list[Any] | None:
    """Return rows made of columns, which are lists or objects, or the rows that are an object's values."""
    named = next((value for name, value in table.items() if column(name) in _PHOTO_NAMES), None)
    if isinstance(named, list) and all(isinstance(value, list) for value in table.values()):
        return [dict(zip(table, cells, strict=False)) for cells in zip(*table.values(), strict=False)]
    if not all(isinstance(value, dict) for value in table.values()):
        return None
    if isinstance(named, dict):
        return [{name: cells[key] for name, cells in table.items() if key in cells} for key in named]
    return list(table.values())


def json_lines(stream: BinaryIO, origin: str) -> Iterator[Row]:
    """Yield the value of each line that is not blank, or the items of a list."""
    recoded = _recoded(stream)
    if recoded.peek(64).lstrip()[:1] == b"[":
        return json_list(io.TextIOWrapper(recoded, "utf-8", "surrogateescape"), origin)
    return _json_lines(recoded, origin)


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


def decoded(content: bytes) -> Any:
    """Return the value of a JSON text, as :func:`read_json` reads it.

    Raises
    ------
    ValueError, RecursionError
        It is none.
    """
    return _DECODER.decode(_recoded(io.BytesIO(content)).read().decode("utf-8", "surrogateescape"))


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


def read_csv(path: Path, needs_hashtags: bool = True) -> Iterator[Row]:
    """Yield the rows of a CSV or TSV file as objects without empty cells.

    Parameters
    ----------
    needs_hashtags
        Whether there must be a column of hashtags.

    Raises
    ------
    SourceError
        The header is missing or lacks a column.
    """
    origin = printable(str(path))
    csv.field_size_limit(MAX_LINE)  # of the whole process; a cell may be as long as a line
    with path.open("rb") as file:
        usual = "," if path.suffix.lower() == ".csv" else "\t"
        delimiter, numbered = _delimited(_lines(_recoded(file)), usual, needs_hashtags)
        lines = _CsvLines(numbered)
        # strict: otherwise a quotation mark that is never closed would swallow all further rows
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            header = [column(name) for name in next(reader, [])]
        except csv.Error as error:
            raise SourceError(f"{origin} has no readable header: {why(error)}") from None
        if any("\0" in name or NOT_UTF_8.search(name) for name in header):  # UTF-16 without a mark has NULs
            raise SourceError(f"the header of {origin} is not valid UTF-8; save the file as UTF-8")
        if missing := _missing(header, needs_hashtags):
            has = printable(", ".join(header), 200) or "nothing"
            advice = "is the header missing?" if _names_a_photo(header) else "rename the columns"
            raise SourceError(f"the header of {origin} lacks {' and '.join(missing)}; it has {has}; {advice}")
        names = [name for name in header if name]  # the nameless column is the index that pandas writes
        name, times = _most_frequent([name for name in names if name in FIELDS])
        if times > 1:
            raise SourceError(f"the header of {origin} has the column {printable(name, 40)} {times} times")
        header, first_row = _numbered(header), True
        while True:
            lines.begin_row()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                number, first = lines.taken[0]
                if isinstance(first, str) and (found := _otherwise(first, delimiter, len(header))):
                    yield origin, number, _named(header, found)
                else:
                    invalid = RejectedInput(f"invalid CSV: {why(error)}")
                    yield origin, number, first if isinstance(first, RejectedInput) else invalid
                lines.put_back()
                continue
            number, alone = lines.taken[0][0], len(lines.taken) == 1
            if first_row and len(cells) == len(header) + 1 and _has_row_names(header, cells):
                header.insert(0, "")
            first_row = False
            while len(cells) > len(header) and not cells[-1].strip():  # commas too many
                cells.pop()
            if not any(map(str.strip, cells)):
                continue  # a blank row, as Excel writes them
            if alone and len(cells) < len(header) and (len(cells) > 1 or _names_a_photo(cells)):
                cells += [""] * (len(header) - len(cells))  # Excel leaves out empty cells at the end
            if alone and len(cells) != len(header):
                first = lines.taken[0][1]
                cells = _otherwise(str(first), delimiter, len(header)) or cells
            if len(cells) == len(header):
                yield origin, number, _named(header, cells)
            else:
                yield origin, number, RejectedInput(f"{len(cells)} cells where the header has {len(header)}")
                lines.put_back()


def _numbered(header: list[str]) -> list[str]:
    """Return a header in which names that occur again are numbered, as pandas does."""
    seen = Counter[str]()
    numbered = []
    for name in header:
        numbered.append(f"{name}.{seen[name]}" if name and seen[name] else name)
        seen[name] += 1
    return numbered


def _named(header: list[str], cells: list[str]) -> dict[str, str]:
    """Return a row by the names of its columns, without those that have no name or no value."""
    texts = (_AS_TEXT.sub(r"\1", cell) for cell in cells)
    return {name: cell for name, cell in zip(header, texts, strict=True) if name and not is_empty(cell)}


def _has_row_names(header: list[str], cells: list[str]) -> bool:
    """Whether a row begins with its name, as R writes them: each cell stands one further than its column."""
    at = next(n for n, name in enumerate(header) if name in ("file_name", "uri"))
    return _names_a_photo(cells[at + 1 : at + 2]) and not _names_a_photo(cells[at : at + 1])


def _otherwise(line: str, delimiter: str, width: int) -> list[str] | None:
    """Return the cells of a line that is no CSV, if it has as many as needed in other ways of writing it.

    R and MySQL write a backslash before quotation marks; in TSV of databases these mean nothing; people write
    blanks behind commas.
    """
    ways: list[dict[str, Any]] = [{"strict": True, "skipinitialspace": True}]
    if '\\"' in line:
        ways.append({"strict": True, "escapechar": "\\", "doublequote": False})
    if delimiter == "\t":
        ways.append({"quoting": csv.QUOTE_NONE})
    for way in ways:
        try:
            (cells,) = csv.reader([line], delimiter=delimiter, **way)
        except (csv.Error, ValueError):
            continue
        if len(cells) == width:
            return cells
    return None


def column(name: str) -> str:
    """Return the field that a column stands for, however it is quoted and in whatever case, or its name."""
    name = name.strip().strip("\"'").strip()
    return folded if (folded := name.casefold()) in FIELDS else name


def _missing(header: Collection[str], needs_hashtags: bool) -> list[str]:
    missing = [] if {"file_name", "uri"} & set(header) else ["file_name (or uri)"]
    return missing if "hashtags" in header or not needs_hashtags else [*missing, "hashtags"]


def _names_a_photo(cells: Iterable[str]) -> bool:
    return any(cell.lower().endswith(tuple(PICTURE_SUFFIXES)) for cell in cells)


def _delimited(
    lines: Iterator[tuple[int, str | RejectedInput]], usual: str, needs_hashtags: bool
) -> tuple[str, Iterator[tuple[int, str | RejectedInput]]]:
    """Return what separates cells, and the lines from the header on.

    It is what makes a header of one of the first lines: programs write titles and comments above it. If none
    is one, the first line is, with what makes most cells of it. Excel says in a line of its own what it is.
    """
    said, above = "", list[tuple[int, str | RejectedInput]]()

    def best(text: str) -> str:
        return said or max(usual, *",;\t|", key=lambda each: _fitness(text[: 1 << 16], each, needs_hashtags))

    for number, text in lines:
        if isinstance(text, str) and (separator := _SEPARATOR.fullmatch(text)):
            said = separator[1]
        elif isinstance(text, RejectedInput):
            return said or usual, chain([*above, (number, text)], lines)
        elif _fitness(text[: 1 << 16], best(text), needs_hashtags)[0]:
            return best(text), chain([(number, text)], lines)
        elif text.strip():
            above.append((number, text))
        if len(above) > _TITLES:
            break
    return best(str(above[0][1])) if above else usual, chain(above, lines)


def _fitness(line: str, delimiter: str, needs_hashtags: bool) -> tuple[bool, int]:
    try:
        header = [column(name) for name in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return False, 0
    return not _missing(header, needs_hashtags), len(header)


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


def _object(pairs: list[tuple[str, Any]]) -> Any:
    fields = dict(pairs)
    if len(fields) == len(pairs):
        return fields
    return Duplicate(printable(_most_frequent(name for name, _ in pairs)[0], 40))


def _most_frequent(names: Iterable[str]) -> tuple[str, int]:
    return Counter(names).most_common(1)[0]


# Python's json writes NaN and Infinity, where there is no value.
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=lambda _: None)


def _invalid(error: Exception) -> RejectedInput:
    if isinstance(error, RecursionError):
        return RejectedInput("nested too deeply")
    return RejectedInput(f"invalid JSON: {printable(getattr(error, 'msg', str(error)), 100)}")
