"""Finds what is to be ingested: photos, and what is known about them.

Nothing here opens a photo or knows the database. Sources are read lazily, and whatever is wrong with one
row becomes a ``Rejection`` instead of an exception, so that the other rows go on.
"""

import csv
import io
import json
import math
import os
import re
import stat
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, TextIO
from urllib.parse import urlsplit

from tagdb.errors import RejectedInput, SourceError
from tagdb.hashtags import printable, split

PHOTO_SUFFIXES = frozenset(
    [".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"]
)
MANIFEST_SUFFIXES = frozenset([".jsonl", ".ndjson", ".json", ".csv", ".tsv"])
MAX_LINE = 10_000_000
"""Longest line of a manifest, in bytes, and longest object in a JSON list, in characters."""

_MAX_DEPTH = 64  # of nested JSON; far below what would overflow the stack when it is written again
_REMOTE = re.compile(r"(?!file:)(?:[a-z][a-z0-9+.-]*://|data:)", re.IGNORECASE)
# Shorter numbers in a text may be meant as a year or a day; nine digits reach back to 1973.
_UNIX_TIME = re.compile(r"-?\d{9,}(?:\.\d+)?", re.ASCII)
_FIELDS = ("file_name", "uri", "hashtags", "collection", "source_ref", "taken_at")
_FIRST_ITEM = re.compile(r"[ \t\r\n]*\[[ \t\r\n]*(\]?)")
_FURTHER_ITEM = re.compile(r"[ \t\r\n]*([,\]])[ \t\r\n]*")
_ITEM_END = re.compile(r"[ \t\r\n]*[,\]]")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Record:
    """One photo to ingest, and what its source says about it."""

    path: Path
    """The photo's file, absolute; it was a regular file a moment ago."""
    uri: str
    """How the photo will be known: the URI that its source gives, else the file's ``file://`` URI."""
    hashtags: tuple[str, ...]
    """As they are in the source, not folded."""
    collection: str | None
    source_ref: str | None
    """For example the link of the post."""
    taken_at: datetime | None
    """In UTC."""
    metadata: dict[str, object]
    """Everything else; can be written as JSON and held by PostgreSQL."""
    origin: str
    """The file it was read from, manifest or photo, in printable characters."""
    line: int | None
    """1-based line of a manifest, or position in a JSON list; none for a photo without a manifest."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row or file that cannot be ingested. All texts are in printable characters."""

    origin: str
    line: int | None
    reason: str


class Source(ABC):
    """What is to be ingested; can be iterated more than once, except for standard input."""

    name: str
    """For messages, in printable characters."""

    @abstractmethod
    def count(self) -> int | None:
        """Return how many records and rejections there will be; none if it cannot be known beforehand."""

    @abstractmethod
    def __iter__(self) -> Iterator[Record | Rejection]:
        """Yield records and rejections in the source's order, lazily.

        Raises:
            SourceError: the source became unreadable.
        """


def open_source(source: str, *, stdin: BinaryIO | None = None, allow_outside: bool = False) -> Source:
    """Find out what a source is.

    Args:
        source: a folder (with ``metadata/*.json`` beside ``data/``, with ``metadata.jsonl`` or
            ``metadata.csv``, or just of photos), a manifest (JSON Lines, JSON, CSV, TSV), a photo, or
            ``-`` for JSON Lines from standard input.
        stdin: read instead of the process's standard input.
        allow_outside: let records name files outside of the source's folder.

    Raises:
        SourceError: there is no such source, it cannot be read, or there is nothing in it.
    """
    if not source:
        raise SourceError("the name of the source is empty")
    if source == "-":
        stream = stdin if stdin is not None else sys.stdin.buffer
        root = _Root(Path.cwd(), "the current directory", allow_outside)
        return _Rows("standard input", lambda: _json_lines(stream, "standard input"), root, countable=False)
    path, name = Path(source).absolute(), printable(source)
    try:
        if ".." in path.parts:
            path = path.resolve()  # one file shall have one URI
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            if path.suffix.lower() in MANIFEST_SUFFIXES:
                return _manifest(path, name, allow_outside)
            return _Photos(name, path, _Root(path.parent, "", allow_outside=True))
        if not stat.S_ISDIR(mode):
            raise SourceError(f"{name} is neither a folder nor a regular file")
        return _folder(path, name, allow_outside)
    except (FileNotFoundError, NotADirectoryError):
        raise SourceError(f"no such file or folder: {name}") from None
    except (OSError, RuntimeError, ValueError) as error:  # symlink loops; NUL characters
        raise SourceError(f"cannot read {name}: {_why(error)}") from error


def _folder(path: Path, name: str, allow_outside: bool) -> Source:
    data = path / "data"
    if data.is_dir() and (lists := sorted((path / "metadata").glob("*.json"))):
        root = _Root(data, "the data folder", allow_outside)
        return _Rows(name, lambda: chain.from_iterable(map(_read_json, lists)), root, _ancestor_fields)
    for manifest in (path / "metadata.jsonl", path / "metadata.csv"):
        if manifest.is_file():
            return _manifest(manifest, printable(str(manifest)), allow_outside)
    photos = _Photos(name, path, _Root(path, "the folder", allow_outside))
    if next(photos.find(), None) is None:
        raise SourceError(f"no photos in {name}")
    return photos


def _manifest(path: Path, name: str, allow_outside: bool) -> Source:
    read = _read_csv if path.suffix.lower() in (".csv", ".tsv") else _read_json
    next(read(path), None)  # an unreadable file or a wrong header shall be an error before anything is done
    return _Rows(name, lambda: read(path), _Root(path.parent, "the manifest's folder", allow_outside))


class _Root:
    """The folder that file names are relative to."""

    def __init__(self, folder: Path, what: str, allow_outside: bool) -> None:
        self._folder, self._what, self._allow_outside = folder, what, allow_outside
        self._real = folder.resolve()

    def locate(self, name: str | Path) -> Path:
        """Return the absolute path of an existing regular file, which is not opened."""
        path, shown = self._folder / name, printable(str(name), 200)
        try:
            str(path).encode()
            if not self._allow_outside and not path.resolve().is_relative_to(self._real):
                raise RejectedInput(f"outside {self._what} (use --allow-outside): {shown}")
            mode = path.stat().st_mode
        except UnicodeEncodeError:
            raise RejectedInput(f"the file's name is not valid UTF-8: {shown}") from None
        except (FileNotFoundError, NotADirectoryError):
            raise RejectedInput(f"no such file: {shown}") from None
        except (OSError, RuntimeError, ValueError) as error:  # symlink loops; NUL characters
            raise RejectedInput(f"cannot read {shown}: {_why(error)}") from None
        if not stat.S_ISREG(mode):
            raise RejectedInput(f"not a regular file: {shown}")
        return path.resolve() if ".." in path.parts else path


class _Photos(Source):
    """A photo, or all photos below a folder."""

    def __init__(self, name: str, path: Path, root: _Root) -> None:
        self.name, self._path, self._root = name, path, root

    def count(self) -> int:
        return sum(1 for _ in self.find())

    def __iter__(self) -> Iterator[Record | Rejection]:
        for found in self.find():
            if isinstance(found, Rejection):
                yield found
                continue
            origin = printable(str(found))
            try:
                path = self._root.locate(found)
            except RejectedInput as error:
                yield Rejection(origin, None, str(error))
            else:
                yield Record(path, path.as_uri(), (), None, None, None, {}, origin, None)

    def find(self) -> Iterator[Path | Rejection]:
        """Yield what is named like a photo, sorted; memory is needed for the names of few folders at once."""
        if not self._path.is_dir():
            yield self._path
            return
        pending = _entries(self._path)
        while pending:
            entry = pending.pop()
            try:
                if entry.is_dir(follow_symlinks=False):
                    pending += _entries(entry.path)
                elif Path(entry.name).suffix.lower() in PHOTO_SUFFIXES:
                    yield Path(entry.path)
            except OSError as error:
                yield Rejection(printable(entry.path), None, f"cannot read the folder: {_why(error)}")


def _entries(folder: str | Path) -> list[os.DirEntry[str]]:
    with os.scandir(os.fspath(folder)) as entries:
        shown = (entry for entry in entries if not entry.name.startswith("."))
        return sorted(shown, key=lambda entry: entry.name, reverse=True)


# --- Rows ---------------------------------------------------------------------------------------------

_Row = tuple[str, int, Any]  # origin, line, and what was read there, maybe a RejectedInput
_Fields = Callable[[dict[str, Any]], tuple[dict[str, Any], dict[str, Any]]]  # to known fields and metadata


def _manifest_fields(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    known = {name: row.pop(name, None) for name in _FIELDS}
    return known, row


def _ancestor_fields(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    known = dict.fromkeys(_FIELDS)
    folder, file = (_text(row, name) for name in ("search_hashtag", "image_local_name"))
    if not folder or not file:
        raise RejectedInput("search_hashtag and image_local_name, which name the file, are not both given")
    known |= {"file_name": f"{folder}/{file}", "collection": folder}
    known |= {"source_ref": row.pop("post_link", None), "hashtags": row.pop("hashtags", None)}
    dropped = {"search_hashtag", "image_local_name"} | ({"image"} if row.get("image") is None else set())
    return known, {name: value for name, value in row.items() if name not in dropped}


class _Rows(Source):
    """Rows that name photos."""

    def __init__(
        self,
        name: str,
        read: Callable[[], Iterator[_Row]],
        root: _Root,
        fields: _Fields = _manifest_fields,
        *,
        countable: bool = True,
    ) -> None:
        self.name, self._read, self._root, self._fields, self._countable = name, read, root, fields, countable

    def count(self) -> int | None:
        return sum(1 for _ in self._read()) if self._countable else None

    def __iter__(self) -> Iterator[Record | Rejection]:
        try:
            for origin, line, row in self._read():
                try:
                    record = self._record(origin, line, row)
                except RejectedInput as error:
                    yield Rejection(origin, line, str(error))
                else:
                    yield record
        except OSError as error:
            raise SourceError(f"cannot read {self.name}: {_why(error)}") from error

    def _record(self, origin: str, line: int, row: Any) -> Record:
        if isinstance(row, RejectedInput):
            raise row
        _check(row, "the row")
        if not isinstance(row, dict):
            raise RejectedInput(f"not an object but {printable(repr(row), 40)}")
        known, metadata = self._fields(row)
        file_name, uri = _text(known, "file_name"), _text(known, "uri")
        if file_name is None:
            if uri is None:
                raise RejectedInput("neither file_name nor uri is given")
            if _REMOTE.match(uri):
                raise RejectedInput("a uri is never fetched: add file_name with a local copy")
            file_name, uri = (_file_of(uri), uri) if uri.lower().startswith("file:") else (uri, None)
        hashtags = known["hashtags"]
        if isinstance(hashtags, str):
            hashtags = split(hashtags)
        elif hashtags is None:
            hashtags = []
        elif not isinstance(hashtags, list) or not all(isinstance(hashtag, str) for hashtag in hashtags):
            raise RejectedInput(f"hashtags must be a list of texts, or a text: {_shown(hashtags)}")
        collection, source_ref = _text(known, "collection"), _text(known, "source_ref")
        taken_at = _time(known["taken_at"])
        path = self._root.locate(file_name)
        uri = uri or path.as_uri()
        return Record(path, uri, tuple(hashtags), collection, source_ref, taken_at, metadata, origin, line)


def _text(row: dict[str, Any], name: str) -> str | None:
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise RejectedInput(f"{name} must be a text: {_shown(value)}")
    return value or None


def _file_of(uri: str) -> str:
    from urllib.request import url2pathname  # takes all of HTTP along, for a rare case

    try:
        parts = urlsplit(uri)
    except ValueError:
        raise RejectedInput(f"not a valid uri: {printable(uri, 200)}") from None
    if parts.netloc not in ("", "localhost"):
        raise RejectedInput(f"a file on another machine: {printable(uri, 200)}")
    return url2pathname(parts.path)


def _time(value: object) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str) and not _UNIX_TIME.fullmatch(value):
            time = datetime.fromisoformat(value)
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            return datetime.fromtimestamp(float(value), UTC)
    except (OSError, OverflowError, ValueError):
        pass
    raise RejectedInput(f"taken_at must be an ISO 8601 time, or Unix seconds: {_shown(value)}")


def _check(value: Any, where: str, depth: int = 0) -> None:
    """Reject what PostgreSQL's text and jsonb cannot hold, and what JSON does not allow."""
    if depth > _MAX_DEPTH:
        raise RejectedInput(f"nested too deeply: {where}")
    if isinstance(value, str):
        if "\0" in value:
            raise RejectedInput(f"a NUL character in {where}")
        if _SURROGATE.search(value):
            raise RejectedInput(f"not valid UTF-8: {where}")
    elif isinstance(value, float) and not math.isfinite(value):
        raise RejectedInput(f"not a finite number: {where}")
    elif isinstance(value, _Duplicate):
        raise RejectedInput(f"twice in one object: {value.name}")
    elif isinstance(value, list):
        for item in value:
            _check(item, where, depth + 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check(name, "the name of a field", depth + 1)
            _check(item, printable(name, 40), depth + 1)


def _shown(value: object) -> str:
    return printable(json.dumps(value, ensure_ascii=False), 40)


def _why(error: Exception) -> str:
    return printable(getattr(error, "strerror", None) or str(error), 200)


# --- Files of rows ------------------------------------------------------------------------------------


def _lines(stream: BinaryIO) -> Iterator[tuple[int, str | RejectedInput]]:
    """Yield lines; bytes that are not UTF-8 become surrogates, which _check() finds."""
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) <= MAX_LINE:
            text = line.decode("utf-8", "surrogateescape")
            yield number, text.removeprefix("\ufeff") if number == 1 else text
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(1 << 16)
        yield number, RejectedInput(f"longer than {MAX_LINE // 1_000_000} MB")


def _read_json(path: Path) -> Iterator[_Row]:
    origin = printable(str(path))
    with path.open("rb") as stream:
        if (
            path.suffix.lower() == ".json"
            and stream.peek().removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["
        ):
            yield from _json_list(io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape"), origin)
        else:
            yield from _json_lines(stream, origin)


def _json_lines(stream: BinaryIO, origin: str) -> Iterator[_Row]:
    for number, text in _lines(stream):
        if isinstance(text, RejectedInput):
            yield origin, number, text
        elif text.strip():
            try:
                yield origin, number, _DECODER.decode(text)
            except (ValueError, RecursionError) as error:
                yield origin, number, _invalid(error)


def _json_list(stream: TextIO, origin: str) -> Iterator[_Row]:
    """Yield a list's items while it is read; there is no going on behind an item that is not JSON."""
    buffer, at, number, ended = "", 0, 0, False
    while True:
        try:
            start = (_FURTHER_ITEM if number else _FIRST_ITEM).match(buffer, at)
            if start and start[1] == "]":
                if (buffer[start.end() :] + stream.read(1 << 16)).strip():
                    yield origin, number + 1, RejectedInput("invalid JSON: something follows the list")
                return
            item, end = _DECODER.raw_decode(buffer, start.end() if start else len(buffer))
            # Without what follows it, an item may be the first half of one: 12 of 123.
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


def _read_csv(path: Path) -> Iterator[_Row]:
    origin = printable(str(path))
    too_long: list[RejectedInput] = []

    def texts(stream: BinaryIO) -> Iterator[str]:
        for _, text in _lines(stream):
            if isinstance(text, RejectedInput):
                too_long.append(text)
            yield "\n" if isinstance(text, RejectedInput) else text

    with path.open("rb") as stream:
        # strict, as otherwise a quotation mark that is never closed would swallow all further rows
        delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
        reader = csv.reader(texts(stream), delimiter=delimiter, strict=True)
        try:
            header = [name.strip() for name in next(reader, [])]
        except csv.Error as error:
            raise SourceError(f"{origin} has no readable header: {_why(error)}") from None
        missing = [] if {"file_name", "uri"} & set(header) else ["file_name (or uri)"]
        missing += [] if "hashtags" in header else ["hashtags"]
        if missing:
            has = printable(", ".join(header), 200) or "nothing"
            raise SourceError(f"the header of {origin} lacks {' and '.join(missing)}; it has {has}")
        names = [name for name in header if name]  # a nameless column is the index that pandas writes
        name, times = _most_frequent(names)
        if times > 1:
            raise SourceError(f"the header of {origin} has {printable(name, 40)} {times} times")
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield origin, line, RejectedInput(f"invalid CSV: {_why(error)}")
                continue
            if too_long:
                yield origin, line, too_long[0]
                too_long.clear()
            elif len(cells) == len(header):
                yield (
                    origin,
                    line,
                    {name: cell for name, cell in zip(header, cells, strict=True) if name and cell},
                )
            elif cells:
                yield origin, line, RejectedInput(f"{len(cells)} cells where the header has {len(header)}")


@dataclass(frozen=True, slots=True)
class _Duplicate:
    """Stands for an object that has a name twice. Raised only by _check(), so that decoding goes on."""

    name: str


def _object(pairs: list[tuple[str, Any]]) -> Any:
    fields = dict(pairs)
    if len(fields) == len(pairs):
        return fields
    return _Duplicate(printable(_most_frequent(name for name, _ in pairs)[0], 40))


def _most_frequent(names: Iterable[str]) -> tuple[str, int]:
    return Counter(names).most_common(1)[0]


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


def _invalid(error: Exception) -> RejectedInput:
    if isinstance(error, RecursionError):
        return RejectedInput("nested too deeply")
    return RejectedInput(f"invalid JSON: {printable(getattr(error, 'msg', str(error)), 100)}")
