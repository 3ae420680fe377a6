"""Sources that are elsewhere: folders, lists and photos in object stores, and lists and photos on the web.

A list is transferred and then read like any other; the files that it names stay where they are until the
ingest reads them. A folder is listed page by page while its photos are ingested.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from tagdb.errors import RejectedInput, SourceError
from tagdb.hashtags import printable
from tagdb.photos import object_stores
from tagdb.photos.fields import why
from tagdb.photos.folders import LeftOut, kind_of
from tagdb.photos.formats import Format, Lists, format_of, formats
from tagdb.photos.kinds import MANIFEST_SUFFIXES, PHOTO
from tagdb.photos.manifests import Row
from tagdb.photos.object_stores import Bucket, Object
from tagdb.photos.remote import InStore, OnWeb, Remote, RemoteRoot
from tagdb.photos.sources import Described, Reading, Record, Rejection, Rows, Source, location_of
from tagdb.photos.uris import WEB, file_name, public, scheme_of, shown, split_object

MAX_LIST = 1 << 30
"""Largest list that is transferred, in bytes."""
LIST_SECONDS = 600.0
"""Longest time that a list on the web may take."""
_LISTS = MANIFEST_SUFFIXES | {".txt", ".parquet"}
_METADATA = ("metadata.jsonl", "metadata.csv")
_SPLITS = ("", "train/", "validation/", "test/")


def open_remote(source: str, reading: Reading) -> Source:
    """Return the source with a URI.

    Raises
    ------
    SourceError
        It cannot be read, or is empty.
    """
    name = shown(source)
    try:
        if scheme_of(source) in WEB:
            return _file(OnWeb(source, reading.allowed), source, name, reading)
        scheme, bucket_name, key = split_object(source)
        bucket = object_stores.bucket(scheme, bucket_name)
        if key and not key.endswith("/") and (found := bucket.head(key)):
            return _file(InStore(bucket, key, found), source, name, reading)
        return _folder(bucket, key.rstrip("/"), name, reading)
    except RejectedInput as error:
        raise SourceError(f"cannot read {name}: {error}") from None
    except OSError as error:  # no room for a list
        raise SourceError(f"cannot read {name}: {why(error)}") from error


def _file(file: Remote, uri: str, name: str, reading: Reading) -> Source:
    root = RemoteRoot(_parent(uri), reading.allowed, reading.allow_outside)
    form = formats().get(reading.format or "")
    if isinstance(form, Lists) or (form is None and PurePosixPath(file.name).suffix.lower() in _LISTS):
        copied = _Copied(_parent(shown(uri)))
        copied.add(file, file.name)
        return copied.source(copied.path / file.name, name, root, reading, public(uri))
    known, how = _of_photos(reading, "it is a single file")
    one = _Photo(name, root, reading, file)
    one.format, one.what, one.how = known.name, known.what, how
    one.location = location_of(_parent(public(uri)).rstrip("/"))
    return one


def _folder(bucket: Bucket, folder: str, name: str, reading: Reading) -> Source:
    uri = bucket.uri_of(folder).rstrip("/") + "/"
    root = RemoteRoot(uri, reading.allowed, reading.allow_outside)
    if reading.format in (None, "imagefolder"):
        copied = _Copied(uri)
        for split in _SPLITS:
            for each in _METADATA:
                path = f"{folder}/{split}{each}".lstrip("/")
                if not (copied.path / split / each).exists() and (found := bucket.head(path)):
                    copied.add(InStore(bucket, path, found), split + each)
                    break
            if copied.any and not split:
                break
        if copied.any:
            return copied.source(copied.path, name, root, reading, uri.rstrip("/"))
    known, how = _of_photos(reading, "nothing else was recognised")
    objects = _Objects(name, root, reading, bucket, folder)
    objects.format, objects.what, objects.how = known.name, known.what, how
    objects.location, objects.complete, objects.whole = location_of(uri.rstrip("/")), True, True
    return objects.required()


def _of_photos(reading: Reading, how: str) -> tuple[Format, str]:
    """Return the format of photos that are read where they are."""
    if reading.format not in (None, "photos", "folders"):
        raise RejectedInput(
            f"{printable(reading.format, 40)} is not read from elsewhere; copy it to this machine first",
            "not_allowed",
        )
    return formats()[reading.format or "photos"], "as told" if reading.format else how


def _parent(uri: str) -> str:
    """Return the URI of the folder in which a file is, with a slash at the end and without a query."""
    if scheme_of(uri) in WEB:
        uri = re.split(r"[?#]", uri, maxsplit=1)[0]
    return uri.rpartition("/")[0] + "/"


class _Copied:
    """A folder with copies of lists, which lasts as long as the source that reads them."""

    def __init__(self, uri: str) -> None:
        self._uri, self._folder, self.any = uri, TemporaryDirectory(prefix="tagdb-"), False
        self.path = Path(self._folder.name)

    def add(self, file: Remote, name: str) -> None:
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as copy:
            if isinstance(file, OnWeb):
                file.copy(copy, MAX_LIST, LIST_SECONDS)
            else:
                file.copy(copy, MAX_LIST)
        self.any = True

    def source(self, path: Path, name: str, root: RemoteRoot, reading: Reading, uri: str) -> Source:
        known, how = format_of(path, reading.format)
        assert isinstance(known, Lists)
        opened = Rows(name, root, reading, lambda: self._rows(known, path))
        if known.eager:
            opened.empty = next(self._rows(known, path), None) is None
        opened.format, opened.what, opened.how = known.name, known.what, how
        opened.location, opened.complete = location_of(uri), True
        return opened

    def _rows(self, known: Lists, path: Path) -> Iterator[Row]:
        """Yield rows as if they were read where the list is."""
        here, local = str(self.path) + "/", self.path.as_uri() + "/"
        try:
            for origin, line, row in known.rows(path):
                if isinstance(row, dict) and str(row.get("uri", "")).startswith(local):
                    row["uri"] = self._uri + row["uri"].removeprefix(local)  # a photo within the list
                yield origin.replace(here, self._uri), line, row
        except SourceError as error:
            raise SourceError(str(error).replace(here, self._uri)) from None


class _Photo(Described):
    """A single photo."""

    def __init__(self, name: str, root: RemoteRoot, reading: Reading, file: Remote) -> None:
        super().__init__(name, root, reading)
        self._file = file

    def count(self) -> int:
        return int(self._has(self._file.name))

    def __iter__(self) -> Iterator[Record | Rejection]:
        if self._has(self._file.name):
            yield self._record(self.name, None, {"uri": self._file.uri or self.name}, self._file)


class _Objects(Described):
    """The photos below a folder of an object store, known by their names."""

    def __init__(self, name: str, root: RemoteRoot, reading: Reading, bucket: Bucket, folder: str) -> None:
        super().__init__(name, root, reading)
        self._bucket, self._top = bucket, folder

    def required(self) -> "_Objects":
        """Return the source itself, if there is a photo.

        Raises
        ------
        SourceError
            There is none.
        """
        if next(self._photos(lambda name: True), None) is None:
            also = str(self.left_out)
            raise SourceError(f"no photos in {self.name}" + (f"; left out: {also}" if also else ""))
        return self

    def count(self) -> None:
        return None  # that would be a listing of its own

    def __iter__(self) -> Iterator[Record | Rejection]:
        try:
            for each in self._photos(self._has):
                file = InStore(self._bucket, each.key, each)
                origin = shown(str(file.uri))
                try:
                    record = self._record(origin, None, self._said(each.key) | {"uri": file.uri}, file)
                except RejectedInput as error:
                    yield Rejection(origin, None, str(error), error.reason_code)
                else:
                    yield record
        except RejectedInput as error:
            raise SourceError(f"cannot list {self.name}: {error}") from None

    def _photos(self, mine: Callable[[str], bool]) -> Iterator[Object]:
        self.left_out = LeftOut()
        for each in self._bucket.objects(self._top):
            inner = each.key.removeprefix(self._top).lstrip("/")
            if not mine(inner):
                continue
            hidden = any(part.startswith(".") for part in inner.split("/"))
            kind = "hidden file" if hidden else kind_of(each.key, regular=False)
            if kind == PHOTO:
                yield each
            elif inner and not (
                each.size == 0 and not PurePosixPath(inner).suffix
            ):  # which stands for a folder
                self.left_out.file(self._bucket.uri_of(each.key), kind)

    def _said(self, key: str) -> dict[str, Any]:
        """Return what the folders say in which a photo lies, if they are to say something."""
        if self.format != "folders":
            return {}
        label = file_name(key.rpartition("/")[0]) or self._bucket.uri.rpartition("/")[2]
        return {"hashtags": [label.replace(" ", "")], "collection": label}
