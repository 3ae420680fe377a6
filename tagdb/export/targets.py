"""Where an export goes: a file, a folder, an object store or standard output.

A file or folder is made beside its place under a hidden name, and renamed when it is complete: all of it
appears at once, or nothing. In an object store that goes for each object; in a folder there, lists come last.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tagdb.errors import ExportError, RejectedInput, SourceError
from tagdb.hashtags import printable
from tagdb.photos.object_stores import Bucket, bucket
from tagdb.photos.uris import STORES, scheme_of, split_object

MARK = ".tagdb-export.json"
"""File in the folder of an export, by which ``--force`` knows that it may replace the folder."""
_PARTIAL = ".tagdb-export-"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that is being filled."""

    path: Path

    def put(self, name: str, content: bytes) -> None:
        """Write a whole file, which must not be there yet."""
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        with path.open("xb") as stream:
            stream.write(content)

    def open(self, name: str) -> BinaryIO:
        """Open a file to write, which must not be there yet."""
        return (self.path / name).open("xb")


@dataclass(frozen=True, slots=True)
class RemoteFolder(Folder):
    """A folder of an object store. What is opened is written on this machine first, in ``path``."""

    bucket: Bucket
    prefix: str

    def put(self, name: str, content: bytes) -> None:
        """Write an object."""
        self.bucket.put(f"{self.prefix}/{name}", content)

    def finish(self) -> None:
        """Write what was opened."""
        for each in sorted(self.path.iterdir()):
            with each.open("rb") as stream:
                self.bucket.put(f"{self.prefix}/{each.name}", stream)


@contextmanager
def file(target: str, force: bool) -> Iterator[BinaryIO]:
    """Yield the stream of a file that appears when all is written; ``-`` is standard output.

    Raises
    ------
    ExportError
        The file exists, or cannot be written.
    """
    if target == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if scheme_of(target) in STORES:
        with _object(target, force) as stream:
            yield stream
        return
    path, shown = _place(target), printable(target)
    if path.is_dir():
        raise ExportError(f"{shown} is a folder; name a file in it")
    if os.path.lexists(path) and not path.is_file():
        raise ExportError(f"{shown} is not a regular file; name another")
    if path.exists() and not force:
        raise ExportError(f"{shown} exists; name another file, or replace it with --force")
    with _explained(shown):
        descriptor, partial = tempfile.mkstemp(prefix=_PARTIAL, dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(descriptor)
            os.chmod(partial, _mode(path))  # noqa: PTH101
            if path.exists() and not force:
                raise ExportError(f"{shown} was created in the meantime; name another file")
            Path(partial).replace(path)
        finally:
            Path(partial).unlink(missing_ok=True)


@contextmanager
def folder(target: str, force: bool, about: dict[str, object]) -> Iterator[Folder]:
    """Yield a folder that appears when all is written.

    Parameters
    ----------
    force
        Replace the folder of an earlier export, with everything in it; no other folder.
    about
        What is noted in the folder, in ``MARK``.

    Raises
    ------
    ExportError
        The folder has something in it, or cannot be written.
    """
    if target == "-":
        raise ExportError("this format is a folder and cannot go to standard output; name a folder")
    if scheme_of(target) in STORES:
        with _remote_folder(target, force, about) as remote:
            yield remote
        return
    path, shown = _place(target), printable(target)
    _check_free(path, shown, force)
    with _explained(shown):
        partial = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=path.parent))
        try:
            made = Folder(partial)
            yield made
            made.put(MARK, json.dumps(about, ensure_ascii=False).encode() + b"\n")
            partial.chmod(0o777 & ~_umask())
            _check_free(path, shown, force)
            if path.is_dir() and any(path.iterdir()):
                old = partial.with_name(f"{partial.name}-old")
                path.rename(old)
                partial.rename(path)
                shutil.rmtree(old, ignore_errors=True)
            else:
                if path.is_dir():
                    path.rmdir()
                partial.rename(path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def _object(target: str, force: bool) -> Iterator[BinaryIO]:
    with _stored(target) as (into, key), tempfile.TemporaryFile() as stream:
        if not key or key.endswith("/"):
            raise ExportError(f"{printable(target)} is a folder; name an object in it")
        if not force and into.head(key) is not None:
            raise ExportError(f"{printable(target)} exists; name another object, or replace it with --force")
        yield stream
        stream.seek(0)
        into.put(key, stream)


@contextmanager
def _remote_folder(target: str, force: bool, about: dict[str, object]) -> Iterator[Folder]:
    with _stored(target) as (into, key), tempfile.TemporaryDirectory() as partial:
        folder, prefix = RemoteFolder(Path(partial), into, key.rstrip("/")), key.rstrip("/")
        shown = printable(target)
        if not prefix:
            raise ExportError(f"{shown} is a whole bucket; name a folder in it")
        if next(into.objects(prefix), None) is not None:
            _check_replaced(shown, force, into.head(f"{prefix}/{MARK}") is not None)
        yield folder
        folder.finish()
        folder.put(MARK, json.dumps(about, ensure_ascii=False).encode() + b"\n")


@contextmanager
def _stored(target: str) -> Iterator[tuple[Bucket, str]]:
    try:
        scheme, name, key = split_object(target)
        yield bucket(scheme, name), key
    except (RejectedInput, SourceError) as error:
        raise ExportError(f"cannot write {printable(target)}: {error}") from error


def _check_free(path: Path, shown: str, force: bool) -> None:
    if os.path.lexists(path) and not path.is_dir():
        raise ExportError(f"{shown} is not a folder; name another")
    with _explained(shown):
        if not path.is_dir() or not any(path.iterdir()):
            return
    _check_replaced(shown, force, (path / MARK).is_file())


def _check_replaced(shown: str, force: bool, is_export: bool) -> None:
    if not force:
        raise ExportError(f"{shown} is not empty; name another folder, or replace an export with --force")
    if not is_export:
        raise ExportError(f"{shown} has something else than an export in it, which --force does not replace")


def replace(path: Path, content: bytes, like: Path | None = None) -> None:
    """Write a file at once, following links.

    Parameters
    ----------
    like
        File whose mode and time of change the new one gets.
    """
    path = path.resolve()
    descriptor, partial = tempfile.mkstemp(prefix=_PARTIAL, dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(descriptor)
        os.chmod(partial, _mode(path))  # noqa: PTH101
        if like is not None:
            shutil.copystat(like, partial)
        if path.exists():
            with suppress(OSError):  # only root may give files away
                os.chown(partial, path.stat().st_uid, path.stat().st_gid)
        Path(partial).replace(path)
    finally:
        Path(partial).unlink(missing_ok=True)


def _place(target: str) -> Path:
    if not target or "\0" in target:
        raise ExportError("the name of the target is empty" if not target else "NUL cannot be in a name")
    path = Path(target)
    with _explained(printable(target, 200)):
        path = path.resolve() if path.exists() else path.absolute()
        if not path.parent.is_dir():
            raise ExportError(f"the folder {printable(str(path.parent))} does not exist; create it first")
    return path


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


@contextmanager
def _explained(shown: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ExportError(f"cannot write {shown}: {error.strerror or error}") from error
