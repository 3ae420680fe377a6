"""Rows in JSON: JSON Lines, lists of objects, and tables as one object."""

import io
import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from tagdb.errors import RejectedInput
from tagdb.hashtags import printable
from tagdb.photos import manifests
from tagdb.photos.fields import Duplicate
from tagdb.photos.manifests import Row, column, most_frequent, numbered_lines, recoded

MAX_TABLE = 64 << 20
"""Largest file that is read as one JSON object, in bytes."""
_FIRST_ITEM = re.compile(r"[ \t\r\n]*\[[ \t\r\n]*(\]?)")
_FURTHER_ITEM = re.compile(r"[ \t\r\n]*([,\]])[ \t\r\n]*")
_ITEM_END = re.compile(r"[ \t\r\n]*[,\]]")


def read_json(path: Path) -> Iterator[Row]:
    """Yield the rows of a file with a list of JSON objects, or with one JSON object per line."""
    origin = printable(str(path))
    with path.open("rb") as file:
        stream = recoded(file)
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
            values = _values(recoded(file).read().decode("utf-8", "surrogateescape"))
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
    text = recoded(stream)
    if text.peek(64).lstrip()[:1] == b"[":
        return json_list(io.TextIOWrapper(text, "utf-8", "surrogateescape"), origin)
    return _json_lines(text, origin)


def _json_lines(stream: BinaryIO, origin: str) -> Iterator[Row]:
    for number, text in numbered_lines(stream):
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
                    follows = RejectedInput("invalid JSON: something follows the list", "invalid_record")
                    yield origin, number + 1, follows
                return
            item, end = _DECODER.raw_decode(buffer, start.end() if start else len(buffer))
            # An item at the end of the buffer may be incomplete: 12 of 123.
            if not _ITEM_END.match(buffer, end):
                raise ValueError("',' or ']' is missing")
        except (ValueError, RecursionError) as error:
            too_long, fatal = len(buffer) - at > manifests.MAX_LINE, isinstance(error, RecursionError)
            if ended or too_long or fatal:
                reason = (
                    _invalid(error)
                    if ended or fatal
                    else f"longer than {manifests.MAX_LINE} characters, or invalid JSON"
                )
                skipped = f"{reason} (the rest of the file is skipped)"
                yield origin, number + 1, RejectedInput(skipped, "invalid_record")
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
    return _DECODER.decode(recoded(io.BytesIO(content)).read().decode("utf-8", "surrogateescape"))


def _object(pairs: list[tuple[str, Any]]) -> Any:
    fields = dict(pairs)
    if len(fields) == len(pairs):
        return fields
    return Duplicate(printable(most_frequent(name for name, _ in pairs)[0], 40))


# Python's json writes NaN and Infinity, where there is no value.
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=lambda _: None)


def _invalid(error: Exception) -> RejectedInput:
    if isinstance(error, RecursionError):
        return RejectedInput("nested too deeply", "invalid_record")
    return RejectedInput(
        f"invalid JSON: {printable(getattr(error, 'msg', str(error)), 100)}", "invalid_record"
    )
