"""Sources of an ingest: which photos there are, and what is known about them.

Nothing here reads a photo. Sources are read lazily. An error in one row becomes a ``Rejection`` instead of an
exception, so the other rows are still read.
"""

import hashlib
import io
import re
import stat
import sys
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from tagdb.errors import ReasonCode, RejectedInput, SourceError, UnreadableInput
from tagdb.hashtags import printable
from tagdb.photos.fields import (
    check,
    own_metadata,
    path_of,
    text_of,
    why,
)
from tagdb.photos.files import File, Held, Local, explained
from tagdb.photos.folders import LeftOut, identity, walk
from tagdb.photos.formats import Beside, Format, Lists, format_of
from tagdb.photos.formats.look import Look
from tagdb.photos.json_rows import json_lines
from tagdb.photos.manifests import Row
from tagdb.photos.places import Root
from tagdb.photos.remote import RemoteRoot, file_of
from tagdb.photos.shards import Shard
from tagdb.photos.uris import PUBLIC_ONLY, Allowed, is_remote, public
from tagdb.photos.usable import (
    MAX_COLLECTION,
    Usable,
    collection_of,
    split_row,
    usable_hashtags,
    usable_text,
    usable_time,
)

MAX_LOCATION = 2000
"""Longest location of a source, in characters; it must fit into an index, too."""

_REMOTE = re.compile(r"(?!file:)(?:[a-z][a-z0-9+.-]*://|data:)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Record:
    """A photo to ingest, with what its source says about it."""

    file: File
    """The photo."""
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
    refused: tuple[str, ...] = ()
    """Why fields of it cannot be used; the photo can."""

    @property
    def path(self) -> Path:
        """Path of a file on this machine."""
        assert isinstance(self.file, Local)
        return self.file.path


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row or file that cannot be ingested. All strings contain printable characters only."""

    origin: str
    line: int | None
    reason: str
    reason_code: ReasonCode
    unreadable: bool = field(default=False, compare=False)
    """Whether nobody knows which photo this is, because something could not be read."""


class Source(ABC):
    """Records to ingest; can be iterated more than once, except for standard input."""

    name: str
    """For messages, in printable characters."""
    format: str = "records"
    """Name of its format."""
    what: str = ""
    """What that is."""
    how: str = ""
    """By what its format is known."""
    location: str = "-"
    """Its URI, whatever name it was given by; of a photo, that of its folder. ``-`` for standard input."""
    complete: bool = False
    """Whether it has all that is there, so that what it does not have is gone."""
    whole: bool = False
    """Whether all photos below its location are in it, in whatever folder."""
    empty: bool = False
    """Whether it is known to have no rows."""
    left_out: LeftOut = LeftOut()
    """What is left out of a folder; known once it was counted."""
    shard: Shard | None = None
    """The shard that it is of the source, if that is shared out."""

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


@dataclass(frozen=True, slots=True)
class Reading:
    """How sources are read."""

    format: str | None = None
    """Name of the format; None: by what the source looks like."""
    collection: str | None = None
    """Collection of the photos for which the source names none."""
    hashtags: tuple[str, ...] = ()
    """Hashtags of every photo, besides those that the source says."""
    allow_outside: bool = False
    """Allow records to name files, and links to lead, outside the source's folder."""
    fetch: bool = False
    """Read the photos that rows name by the URI of an object or of a file on the web."""
    allowed: Allowed = PUBLIC_ONLY
    """What may be fetched from the web besides public addresses by https."""
    shard: Shard | None = None
    """The only photos that are read; None for all."""

    def __post_init__(self) -> None:
        """Reject what no record could have."""
        if self.collection is not None and not 0 < len(self.collection) <= MAX_COLLECTION:
            raise SourceError(f"the name of a collection has 1 to {MAX_COLLECTION} characters")


def open_source(
    source: str, reading: Reading = Reading(), *, stdin: BinaryIO | None = None, allow_outside: bool = False
) -> Source:
    """Return the source with a given name.

    Parameters
    ----------
    source
        A folder or file of any format of :mod:`tagdb.photos.formats`, its URI if it is in an object store or
        on the web, or ``-`` for JSON Lines on standard input.
    reading
        How it is read.
    stdin
        Stream to read instead of the process's standard input.
    allow_outside
        In place of the same field of ``reading``.

    Raises
    ------
    SourceError
        The source does not exist, cannot be read, is empty, or is not of the format.
    """
    if allow_outside:
        reading = replace(reading, allow_outside=True)
    opened = _open(source, reading, stdin)
    if reading.shard is not None:
        opened.shard, opened.complete = reading.shard, False
    return opened


def _open(source: str, reading: Reading, stdin: BinaryIO | None) -> Source:
    if not source:
        raise SourceError("the name of the source is empty")
    if source == "-":
        stream = _piped(stdin if stdin is not None else sys.stdin.buffer)
        root = Root(Path.cwd(), "the current directory", reading.allow_outside)
        return Rows(
            "standard input", root, reading, lambda: json_lines(stream, "standard input"), counted=False
        )
    if is_remote(source):
        from tagdb.photos.remote_sources import open_remote  # which knows this module

        return open_remote(source, reading)
    path, name = Path(source).absolute(), printable(source)
    try:
        if ".." in path.parts:
            path = path.resolve()  # so that a file has one URI
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise SourceError(
                f"{name} is neither a folder nor a regular file; save it as one, "
                "or pipe JSON Lines to standard input and name it -"
            )
        known, how = format_of(path, reading.format)
        opened = _opened(known, path, name, reading)
        opened.format, opened.what, opened.how = known.name, known.what, how
        opened.complete = path.is_dir() or not isinstance(known, Beside)
        opened.whole = path.is_dir() and isinstance(known, Beside)
        opened.location = location_of((path if opened.complete else path.parent).resolve().as_uri())
        return opened
    except (FileNotFoundError, NotADirectoryError):
        raise SourceError(f"no such file or folder: {name}") from None
    except (OSError, RuntimeError, ValueError) as error:  # symlink loops; NUL characters
        raise SourceError(f"cannot read {name}: {why(error)}") from error


def _piped(stdin: BinaryIO) -> BinaryIO:
    """Return standard input, if it begins like JSON Lines.

    Raises
    ------
    SourceError
        It begins with a line without any object, such as the header of a table.
    """
    stream = stdin if isinstance(stdin, io.BufferedReader) else io.BufferedReader(stdin)  # type: ignore[type-var]
    try:
        with explained():
            first = stream.peek().lstrip(b"\r\n\t ").partition(b"\n")[0]
    except RejectedInput as error:
        raise SourceError(f"the source - cannot be used: {error}") from error
    if first and b"{" not in first:
        raise SourceError(
            "standard input is not JSON Lines, an object a line; save a table or a JSON list as a file, "
            "and name that"
        )
    return stream


def location_of(uri: str) -> str:
    """Return a URI in a form that fits into an index."""
    return uri if len(uri) <= MAX_LOCATION else f"sha256:{hashlib.sha256(uri.encode()).hexdigest()}"


def _opened(known: Format, path: Path, name: str, reading: Reading) -> "Source":
    if isinstance(known, Beside):
        if path.is_dir():
            return _Photos(
                name, path, Root(path, "the folder", reading.allow_outside), reading, known
            ).required()
        return _Photos(name, path, Root(path.parent, "", allow_outside=True), reading, known)
    assert isinstance(known, Lists)
    if reading.format is not None and path.is_dir() and not known.claim(Look(path)):
        raise SourceError(f"{name} is not what the format {known.name} is: {known.what}")
    folder = known.root(path)
    what = "the manifest's folder" if folder == path.parent else f"the {printable(folder.name)} folder"
    root = Root(folder, what, reading.allow_outside)
    opened = Rows(name, root, reading, lambda: known.rows(path), whole=path.is_dir())
    if known.eager:  # report an unreadable file or a wrong header before anything is done
        opened.empty = next(known.rows(path), None) is None
    return opened


class Described(Source):
    """A source whose records are made of rows."""

    def __init__(self, name: str, root: Root | RemoteRoot, reading: Reading) -> None:
        self.name, self._root, self._reading = name, root, reading

    def _has(self, name: str) -> bool:
        """Whether a photo of that name within the source is one of those that are read."""
        return self._reading.shard is None or self._reading.shard.has(name)

    def _record(self, origin: str, line: int | None, row: Any, file: File | None = None) -> Record:
        """Return the record of a row, which names its file unless that is given."""
        if isinstance(row, RejectedInput):
            raise UnreadableInput(str(row), row.reason_code) from row
        if isinstance(row, dict) and isinstance(row.get("file"), Held):
            file = row.pop("file")
        if not isinstance(row, dict):
            check(row, "the row")
            raise RejectedInput(f"not an object but {printable(repr(row), 40)}", "invalid_record")
        own = own_metadata(row)
        known, metadata = split_row(row)
        usable = Usable()
        for name in ("file_name", "uri"):
            check(known[name], name)  # without them there is no photo
        metadata = usable.fields(metadata if own is None else own)
        uri = text_of(known, "uri")
        if file is None:
            file, uri = self._named(text_of(known, "file_name"), uri)
        if uri is None:
            assert file.uri is not None
            uri = file.uri
        collection = usable(lambda: collection_of(known))
        source_ref = usable(lambda: usable_text(known, "source_ref"))
        return Record(
            file,
            public(uri),
            (*(usable(lambda: usable_hashtags(known)) or ()), *self._reading.hashtags),
            collection or self._reading.collection,
            source_ref,
            usable(lambda: usable_time(known)),
            metadata,
            origin,
            line,
            usable.size + file.size,
            tuple(usable.refused),
        )

    def _named(self, name: str | None, uri: str | None) -> tuple[File, str | None]:
        if name is None:
            if uri is None:
                raise RejectedInput("neither file_name nor uri is given", "invalid_record")
            if _REMOTE.match(uri) or (uri.lower().startswith("file:") and isinstance(self._root, RemoteRoot)):
                return self._elsewhere(uri), uri
            name, uri = (path_of(uri), uri) if uri.lower().startswith("file:") else (uri, None)
        return self._root.file(name), uri

    def _elsewhere(self, uri: str) -> File:
        if isinstance(self._root, RemoteRoot) and (name := self._root.inside(uri)) is not None:
            return self._root.file(name)
        if is_remote(uri) and not self._reading.fetch:
            raise UnreadableInput(
                "uris are fetched only with --fetch; or add file_name with a local copy", "not_allowed"
            )
        return file_of(uri, self._reading.allowed)


class _Photos(Described):
    """A photo, or all photos below a folder, with what lies beside them."""

    def __init__(self, name: str, path: Path, root: Root, reading: Reading, form: Beside) -> None:
        super().__init__(name, root, reading)
        self._path, self._form, self._folder = path, form, root

    def required(self) -> "_Photos":
        """Return the source itself, if there is a photo.

        Raises
        ------
        SourceError
            There is none.
        """
        outside, left_out = self._folder.allow_outside, LeftOut(own=self._form.own)
        if next(walk(self._path, outside), None) is None:  # in whatever shard
            deque(walk(self._path, outside, left_out), 0)
            named, others = left_out.named_lists(), str(left_out)
            also = f"; there is {named}: name it as SOURCE" if named else ""
            raise SourceError(f"no photos in {self.name}{also}" + (f"; left out: {others}" if others else ""))
        return self

    def count(self) -> int:
        self.left_out = LeftOut(own=self._form.own)
        return sum(1 for _ in self._find(self.left_out))

    def __iter__(self) -> Iterator[Record | Rejection]:
        describe = self._form.describe(self._folder)
        for entry, reason in self._find_readable():
            origin = printable(str(entry))
            try:
                if reason is not None:
                    raise UnreadableInput(reason)
                file = self._folder.file(entry)
                said, row = describe(entry)
                record = self._record(printable(str(said)), None, row, file)
            except RejectedInput as error:
                yield Rejection(
                    origin, None, str(error), error.reason_code, isinstance(error, UnreadableInput)
                )
            else:
                yield record

    def _find_readable(self) -> Iterator[tuple[Path, str | None]]:
        try:
            yield from self._find()
        except OSError as error:
            raise SourceError(f"cannot read {self.name}: {why(error)}") from error

    def _find(self, left_out: LeftOut | None = None) -> Iterator[tuple[Path, str | None]]:
        """Yield the photos, and folders that cannot be read with the reason."""
        if self._path.is_dir():
            return walk(self._path, self._folder.allow_outside, left_out, self._mine)
        return iter([(self._path, None)] if self._mine(self._path) else [])

    def _mine(self, path: str | Path) -> bool:
        """Whether a file belongs to what is read, by its name within the folder."""
        return self._has(Path(path).relative_to(self._folder.folder).as_posix())


class Rows(Described):
    """Rows of lists, each of which names a photo."""

    def __init__(
        self,
        name: str,
        root: Root | RemoteRoot,
        reading: Reading,
        read: Callable[[], Iterator[Row]],
        *,
        counted: bool = True,
        whole: bool = False,
    ) -> None:
        """Create a source; with ``whole`` it stands for its folder, of which nothing is to be missed."""
        super().__init__(name, root, reading)
        whole = whole and reading.shard is None  # other shards name other files of the folder
        self._read, self._counted, self._whole = read, counted, whole

    def count(self) -> int | None:
        """Return the number of rows, unless they can be read only once."""
        return sum(1 for _ in self._rows()) if self._counted else None

    def _rows(self) -> Iterator[Row]:
        """Yield the rows that belong to what is read."""
        shard = self._reading.shard
        return self._read() if shard is None else filter(shard.has_row, self._read())

    def __iter__(self) -> Iterator[Record | Rejection]:
        named, lists = set[int](), set[str]()
        try:
            for origin, line, row in self._rows():
                if self._whole and origin not in lists:
                    lists.add(origin)
                    named |= _identities(origin)
                try:
                    record = self._record(origin, line, row)
                except RejectedInput as error:
                    yield Rejection(
                        origin, line, str(error), error.reason_code, isinstance(error, UnreadableInput)
                    )
                    continue
                if self._whole and isinstance(record.file, Local):
                    named |= _identities(record.file.path)
                yield record
            if self._whole and isinstance(self._root, Root):
                self.left_out = self._root.unnamed(named)
        except OSError as error:
            raise SourceError(f"cannot read {self.name}: {why(error)}") from error


def _identities(path: str | Path) -> set[int]:
    with suppress(OSError):
        return {hash(identity(path))}
    return set()
