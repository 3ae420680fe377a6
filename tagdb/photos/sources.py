"""Sources of an ingest: which photos there are, and what is known about them.

Nothing here reads a photo. Sources are read lazily. An error in one row becomes a ``Rejection`` instead of an
exception, so the other rows are still read.
"""

import re
import stat
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Set
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from tagdb.errors import RejectedInput, SourceError
from tagdb.hashtags import printable
from tagdb.photos.fields import (
    FIELDS,
    as_json,
    check,
    hashtags_of,
    path_of,
    plausible,
    spellings,
    text_of,
    time_of,
    why,
)
from tagdb.photos.folders import LIST, MANIFEST_SUFFIXES, LeftOut, identity, walk
from tagdb.photos.manifests import Row, column, json_lines, read_csv, read_json

MAX_COLLECTION = 500
"""Longest name of a collection, in characters; it must fit into an index."""

_REMOTE = re.compile(r"(?!file:)(?:[a-z][a-z0-9+.-]*://|data:)", re.IGNORECASE)
_HUGGING_FACE = ("metadata.jsonl", "metadata.csv")
"""Lists of the photos in a folder; the first counts."""


@dataclass(frozen=True, slots=True)
class Record:
    """A photo to ingest, with what its source says about it."""

    path: Path
    """Absolute path of the photo; it was a regular file when it was found."""
    uri: str
    """The URI given by the source, otherwise the file's ``file://`` URI."""
    hashtags: tuple[str, ...]
    """As spelt in the source, not folded."""
    collection: str | None
    source_ref: str | None
    """Where the photo comes from, for example the link of its post."""
    taken_at: datetime | None
    """In UTC."""
    metadata: dict[str, object]
    """Everything else; valid as JSON and as PostgreSQL's jsonb."""
    origin: str
    """File from which the record was read, manifest or photo, in printable characters."""
    line: int | None
    """1-based line in the manifest, or position in a JSON list; None for a photo without a manifest."""
    size: int = field(default=0, compare=False)
    """Approximate memory taken by the fields above, in bytes."""
    within: Path | None = field(default=None, compare=False)
    """Resolved folder in which the file must lie when it is opened; None for anywhere."""
    refused: tuple[str, ...] = ()
    """Why fields of it cannot be used; the photo can."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row or file that cannot be ingested. All strings contain printable characters only."""

    origin: str
    line: int | None
    reason: str


class Source(ABC):
    """Records to ingest; can be iterated more than once, except for standard input."""

    name: str
    """For messages, in printable characters."""
    left_out: LeftOut = LeftOut()
    """What is left out of a folder; known once it was counted."""

    @abstractmethod
    def count(self) -> int | None:
        """Return the number of records and rejections, or None if it is not known beforehand."""

    @abstractmethod
    def __iter__(self) -> Iterator[Record | Rejection]:
        """Yield records and rejections lazily, in the source's order.

        Raises
        ------
        SourceError
            The source became unreadable.
        """


def open_source(source: str, *, stdin: BinaryIO | None = None, allow_outside: bool = False) -> Source:
    """Return the source with a given name.

    Parameters
    ----------
    source
        A folder (with ``metadata/*.json`` beside ``data/``, with ``metadata.jsonl`` or ``metadata.csv``, or
        with photos only), a manifest (JSON Lines, JSON, CSV, TSV), a photo, or ``-`` for JSON Lines on
        standard input.
    stdin
        Stream to read instead of the process's standard input.
    allow_outside
        Allow records to name files outside the source's folder.

    Raises
    ------
    SourceError
        The source does not exist, cannot be read, or is empty.
    """
    if not source:
        raise SourceError("the name of the source is empty")
    if source == "-":
        stream = stdin if stdin is not None else sys.stdin.buffer
        root = _Root(Path.cwd(), "the current directory", allow_outside)
        return _Rows("standard input", lambda: json_lines(stream, "standard input"), root, countable=False)
    path, name = Path(source).absolute(), printable(source)
    try:
        if ".." in path.parts:
            path = path.resolve()  # so that a file has one URI
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            if path.suffix.lower() in MANIFEST_SUFFIXES | {".txt"}:  # as Excel names its Unicode text
                return _manifest(path, name, allow_outside)
            return _Photos(name, path, _Root(path.parent, "", allow_outside=True))
        if not stat.S_ISDIR(mode):
            raise SourceError(f"{name} is neither a folder nor a regular file")
        return _folder(path, name, allow_outside)
    except (FileNotFoundError, NotADirectoryError):
        raise SourceError(f"no such file or folder: {name}") from None
    except (OSError, RuntimeError, ValueError) as error:  # symlink loops; NUL characters
        raise SourceError(f"cannot read {name}: {why(error)}") from error


def _folder(path: Path, name: str, allow_outside: bool) -> Source:
    data = path / "data"
    if data.is_dir() and (lists := _files(path / "metadata", "*.json")):
        root = _Root(data, "the data folder", allow_outside)
        read = lambda: chain.from_iterable(map(read_json, lists))  # noqa: E731
        return _Rows(name, read, root, _ancestor_fields, whole=True)
    for manifest in (path / each for each in _HUGGING_FACE):
        if manifest.is_file():
            return _manifest(manifest, printable(str(manifest)), allow_outside, whole=True)
    photos = _Photos(name, path, _Root(path, "the folder", allow_outside))
    if next(photos.find(), None) is None:
        photos.count()
        named, others = photos.left_out.named_lists(), str(photos.left_out)
        also = f"; there is {named}: name it as SOURCE" if named else ""
        raise SourceError(f"no photos in {name}{also}" + (f"; left out: {others}" if others else ""))
    return photos


def _files(folder: Path, pattern: str) -> list[Path]:
    """Regular files only: opening a FIFO would block."""
    return sorted(path for path in folder.glob(pattern) if path.is_file())


def _manifest(path: Path, name: str, allow_outside: bool, whole: bool = False) -> Source:
    read = read_csv if path.suffix.lower() in (".csv", ".tsv", ".txt") else read_json
    next(read(path), None)  # report an unreadable file or a wrong header before anything is done
    root = _Root(path.parent, "the manifest's folder", allow_outside)
    return _Rows(name, lambda: read(path), root, whole=whole)


class _Missing(RejectedInput):
    """There is no such file."""


class _Root:
    """Folder to which file names are relative."""

    def __init__(self, folder: Path, what: str, allow_outside: bool) -> None:
        self._folder, self._what, self._allow_outside = folder, what, allow_outside
        self._real = folder.resolve()
        self._parent = lru_cache(maxsize=64)(
            Path.resolve
        )  # most photos lie in the same folder as the last one

    @property
    def within(self) -> Path | None:
        """Folder in which a file must still lie when it is opened: a link may have been planted since."""
        return None if self._allow_outside else self._real

    def unnamed(self, named: Set[int]) -> LeftOut:
        """Return what lies in the folder, but for the files with certain hashes of their identities."""
        left_out = LeftOut()
        for path, _ in walk(self._folder, self._allow_outside, left_out):
            with suppress(OSError):
                if hash(identity(path)) not in named:
                    left_out.file(str(path), "photo that no usable row names")
        read = any((self._folder / name).is_file() for name in _HUGGING_FACE)
        if (others := left_out.counts.pop(LIST, 0) - read) > 0:
            left_out.counts["list that is not read"] = others
        left_out.lists.clear()
        return left_out

    def locate(self, name: str | Path) -> Path:
        """Return the absolute path of an existing regular file, without opening it.

        If it is not there as its name is written, it may be there as the name was meant.
        """
        try:
            return self._located(name)
        except _Missing:
            for other in spellings(str(name)):
                with suppress(_Missing):
                    return self._located(other)
            raise

    def _located(self, name: str | Path) -> Path:
        path, shown = self._folder / name, printable(str(name), 200)
        try:
            str(path).encode()
            real = self._parent(path.parent) / path.name
            if path.name == ".." or real.is_symlink():
                real = path.resolve()
            if not self._allow_outside and not real.is_relative_to(self._real):
                raise RejectedInput(f"outside {self._what} (use --allow-outside): {shown}")
            mode = path.stat().st_mode
        except UnicodeEncodeError:
            raise RejectedInput(f"the file's name is not valid UTF-8: {shown}") from None
        except (FileNotFoundError, NotADirectoryError):
            raise _Missing(f"no such file: {shown}") from None
        except (OSError, RuntimeError, ValueError) as error:  # symlink loops; NUL characters
            raise RejectedInput(f"cannot read {shown}: {why(error)}") from None
        if not stat.S_ISREG(mode):
            raise RejectedInput(f"not a regular file: {shown}")
        return path.resolve() if ".." in path.parts else path


class _Photos(Source):
    """A photo, or all photos below a folder."""

    def __init__(self, name: str, path: Path, root: _Root) -> None:
        self.name, self._path, self._root = name, path, root

    def count(self) -> int:
        self.left_out = LeftOut()
        return sum(1 for _ in self.find(self.left_out))

    def __iter__(self) -> Iterator[Record | Rejection]:
        for entry, reason in self._find_readable():
            origin = printable(str(entry))
            try:
                if reason is not None:
                    raise RejectedInput(reason)
                path = self._root.locate(entry)
            except RejectedInput as error:
                yield Rejection(origin, None, str(error))
            else:
                within = self._root.within
                yield Record(path, path.as_uri(), (), None, None, None, {}, origin, None, within=within)

    def _find_readable(self) -> Iterator[tuple[Path, str | None]]:
        try:
            yield from self.find()
        except OSError as error:
            raise SourceError(f"cannot read {self.name}: {why(error)}") from error

    def find(self, left_out: LeftOut | None = None) -> Iterator[tuple[Path, str | None]]:
        """Yield the photos, and folders that cannot be read with the reason."""
        if self._path.is_dir():
            return walk(self._path, self._root.within is None, left_out)
        return iter([(self._path, None)])


# --- Rows ---------------------------------------------------------------------------------------------

_Fields = Callable[[dict[str, Any]], tuple[dict[str, Any], dict[str, Any]]]  # returns fields and metadata


def _manifest_fields(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    for name in [name for name in row if name not in FIELDS and column(name) in FIELDS]:
        if column(name) not in row:
            row[column(name)] = row.pop(name)
    known = {name: row.pop(name, None) for name in FIELDS}
    return known, row


def _ancestor_fields(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    known: dict[str, Any] = dict.fromkeys(FIELDS)
    folder, file = (text_of(row, name) for name in ("search_hashtag", "image_local_name"))
    if not folder or not file:
        raise RejectedInput("search_hashtag and image_local_name must both be given to name the file")
    known |= {"file_name": f"{folder}/{file}", "collection": folder}
    known |= {"source_ref": row.pop("post_link", None), "hashtags": row.pop("hashtags", None)}
    dropped = {"search_hashtag", "image_local_name"} | ({"image"} if row.get("image") is None else set())
    return known, {name: value for name, value in row.items() if name not in dropped}


class _Rows(Source):
    """Rows of manifests, each of which names a photo."""

    def __init__(
        self,
        name: str,
        read: Callable[[], Iterator[Row]],
        root: _Root,
        fields: _Fields = _manifest_fields,
        *,
        countable: bool = True,
        whole: bool = False,
    ) -> None:
        """Create a source; with ``whole`` it stands for its folder, of which nothing is to be missed."""
        self.name, self._read, self._root, self._fields = name, read, root, fields
        self._countable, self._whole = countable, whole

    def count(self) -> int | None:
        return sum(1 for _ in self._read()) if self._countable else None

    def __iter__(self) -> Iterator[Record | Rejection]:
        named: set[int] = set()
        try:
            for origin, line, row in self._read():
                try:
                    record = self._record(origin, line, row)
                except RejectedInput as error:
                    yield Rejection(origin, line, str(error))
                    continue
                if self._whole:
                    with suppress(OSError):
                        named.add(hash(identity(record.path)))
                yield record
            if self._whole:
                self.left_out = self._root.unnamed(named)
        except OSError as error:
            raise SourceError(f"cannot read {self.name}: {why(error)}") from error

    def _record(self, origin: str, line: int, row: Any) -> Record:
        if isinstance(row, RejectedInput):
            raise row
        size = check(row, "the row")
        if not isinstance(row, dict):
            raise RejectedInput(f"not an object but {printable(repr(row), 40)}")
        known, metadata = self._fields(row)
        file_name, uri = text_of(known, "file_name"), text_of(known, "uri")
        if file_name is None:
            if uri is None:
                raise RejectedInput("neither file_name nor uri is given")
            if _REMOTE.match(uri):
                raise RejectedInput("uris are never fetched; add file_name with a local copy")
            file_name, uri = (path_of(uri), uri) if uri.lower().startswith("file:") else (uri, None)
        hashtags = hashtags_of(known["hashtags"])
        collection, source_ref = text_of(known, "collection"), text_of(known, "source_ref")
        if collection is not None and len(collection) > MAX_COLLECTION:
            raise RejectedInput(f"collection name of more than {MAX_COLLECTION} characters")
        refused: tuple[str, ...] = ()
        try:
            taken_at = time_of(known["taken_at"])
            if taken_at is not None and not plausible(taken_at):
                given = as_json(known["taken_at"])
                raise RejectedInput(f"taken_at can be no photo's time: {given} is {taken_at.date()}")
        except RejectedInput as error:  # costs the time, not the photo
            taken_at, refused = None, (str(error),)
        path = self._root.locate(file_name)
        uri = uri or path.as_uri()
        within = self._root.within
        return Record(
            path,
            uri,
            hashtags,
            collection,
            source_ref,
            taken_at,
            metadata,
            origin,
            line,
            size,
            within,
            refused,
        )
