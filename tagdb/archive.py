"""The file of a backup: a zip archive with ``database.dump`` and ``backup.json``, nothing compressed twice.

Its comment is the SHA-256 of all bytes before it, so that no bit can change unnoticed; the description
contains that of the dump. Any zip program can extract ``database.dump``, which ``pg_restore`` reads.
"""

import hashlib
import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO, BinaryIO

from tagdb.errors import BackupError
from tagdb.hashtags import printable
from tagdb.progress import track
from tagdb.store.backup import Counts

if sys.platform != "win32":
    import fcntl

FORMAT = 2
"""Format that this program writes and reads. Development versions wrote 1; their schemas are too old."""
DUMP, DESCRIPTION = "database.dump", "backup.json"
CHUNK = 1 << 20

_SUM = hashlib.sha256().digest_size * 2
_PARTIAL = ".tagdb-backup-"  # prefix of unfinished files
_MOST = 1 << 20  # maximum size of a description in bytes


@dataclass(frozen=True, slots=True)
class Description:
    """Contents of a backup, and the size and checksum of its dump."""

    format: int
    created_at: datetime
    tagdb: str
    schema: str
    """Revision of the schema."""
    postgresql: str
    pg_dump: str
    pgvector: str
    pgvector_schema: str
    counts: Counts
    dump_bytes: int = 0
    dump_sha256: str = ""

    def facts(self) -> dict[str, object]:
        """Return the contents of ``backup.json``."""
        return asdict(self) | {"created_at": self.created_at.isoformat()}

    @staticmethod
    def of(facts: object) -> "Description":
        """Parse the contents of ``backup.json``; raise ValueError if they do not have this format."""
        if not isinstance(facts, dict) or not isinstance(facts.get("counts"), dict):
            raise ValueError("no description")
        try:
            counts = Counts(**facts["counts"])
            created_at = datetime.fromisoformat(facts["created_at"])
            description = Description(**facts | {"counts": counts, "created_at": created_at})
        except (KeyError, TypeError) as error:
            raise ValueError(str(error)) from error
        numbers = (counts.images, counts.hashtags, counts.embeddings, description.dump_bytes)
        versions = (
            description.tagdb,
            description.schema,
            description.postgresql,
            description.pg_dump,
            description.pgvector,
        )
        texts = (*versions, description.pgvector_schema, description.dump_sha256)
        if not (
            all(type(number) is int for number in numbers)
            and isinstance(counts.factor_run, int | None)
            and all(isinstance(text, str) for text in texts)
        ):
            raise ValueError("a value is of the wrong type")
        return description


class _Summed:
    """A stream that is only appended to; its last characters are replaced by its checksum."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._sum, self._last = stream, hashlib.sha256(), b""

    def write(self, data: bytes) -> int:
        both = self._last + data
        keep = max(0, len(both) - _SUM)
        self._sum.update(both[:keep])
        self._stream.write(both[:keep])
        self._last = both[keep:]
        return len(data)

    def flush(self) -> None:
        """Do nothing: only seeking to the end is used."""

    def end(self) -> None:
        self._stream.write(self._sum.hexdigest().encode())


def write(file: Path, dump: Iterable[bytes], description: Description, force: bool) -> Description:
    """Write a backup. The file appears, or replaces the old one, once everything is on disk.

    Parameters
    ----------
    description
        Without the size and checksum of the dump, which are added.
    force
        Replace an existing file.

    Raises
    ------
    BackupError
        The file exists or cannot be written.
    """
    with _named_last(file, force) as stream:
        summed = _Summed(stream)
        with zipfile.ZipFile(summed, "w") as archive:  # type: ignore[call-overload]
            digest, size = hashlib.sha256(), 0
            with archive.open(_entry(DUMP), "w", force_zip64=True) as entry:
                for chunk in dump:
                    digest.update(chunk)
                    size += len(chunk)
                    entry.write(chunk)
            done = replace(description, dump_bytes=size, dump_sha256=digest.hexdigest())
            archive.writestr(
                _entry(DESCRIPTION), json.dumps(done.facts(), indent=2, ensure_ascii=False) + "\n"
            )
            archive.comment = b"0" * _SUM
        summed.end()
    return done


def place(file: Path, force: bool) -> Path:
    """Return the path to write to, following links. Raise BackupError if it cannot be written or exists."""
    name = printable(str(file))
    if str(file) == "-":
        raise BackupError("a backup needs a file, because it is renamed when it is complete; name one")
    try:
        is_folder = file.is_dir()
    except OSError as error:  # the name is too long, or a folder cannot be entered
        raise BackupError(f"{printable(str(file), 200)} cannot be written: {error.strerror}") from error
    if is_folder:
        raise BackupError(f"{name} is a folder; name a file in it")
    if not file.parent.is_dir():
        raise BackupError(f"the folder {printable(str(file.parent))} does not exist; create it first")
    if os.path.lexists(file):
        if not file.is_file():
            raise BackupError(f"{name} is not a regular file; name another")
        if not force:
            raise BackupError(f"{name} exists; name another file, or replace it with --force")
    return file.resolve()


@contextmanager
def _named_last(file: Path, force: bool) -> Iterator[BinaryIO]:
    file = place(file, force)
    try:
        _remove_abandoned(file.parent)
        descriptor, name = tempfile.mkstemp(prefix=_PARTIAL, dir=file.parent)  # private to its owner
        try:
            with os.fdopen(descriptor, "wb") as stream:
                with suppress(OSError):  # not every file system has locks
                    _lock(descriptor)
                yield stream
                stream.flush()
                os.fsync(descriptor)
                if force:
                    Path(name).replace(file)
                else:
                    _rename_to_new(name, file)
        finally:
            Path(name).unlink(missing_ok=True)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise BackupError(f"cannot write {printable(str(file))}: {error.strerror or error}") from error


def _rename_to_new(name: str, file: Path) -> None:
    try:
        os.link(name, file)
    except FileExistsError:
        raise BackupError(
            f"{printable(str(file))} was created by another program in the meantime; name another file"
        ) from None
    except OSError:  # a file system without links
        place(file, False)
        Path(name).replace(file)


def _lock(descriptor: int) -> None:
    if sys.platform != "win32":
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _remove_abandoned(folder: Path) -> None:
    """Remove files left by killed backups, which nobody has locked."""
    for path in folder.glob(f"{_PARTIAL}*"):
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            try:
                _lock(descriptor)
                path.unlink()
            finally:
                os.close(descriptor)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, datetime.now().timetuple()[:6])
    entry.external_attr = 0o600 << 16
    return entry


class Archive:
    """An intact backup in a format that this program reads."""

    def __init__(self, file: Path, archive: zipfile.ZipFile, description: Description) -> None:
        self.file, self.description, self._archive = file, description, archive

    def dump(self) -> Iterator[bytes]:
        """Yield the dump, checked again, because the file may change while it is read.

        Raises
        ------
        BackupError
            The content has changed.
        """
        digest, size = hashlib.sha256(), 0
        try:
            with self._archive.open(DUMP) as entry:
                while chunk := entry.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    yield chunk
        except (zipfile.BadZipFile, EOFError, OSError) as error:
            raise _damaged(self.file) from error
        if (size, digest.hexdigest()) != (self.description.dump_bytes, self.description.dump_sha256):
            raise _damaged(self.file)


@contextmanager
def opened(file: Path, quiet: bool = False) -> Iterator[Archive]:
    """Open a backup after reading all of it once.

    Raises
    ------
    BackupError
        The file cannot be read, is not a backup, is damaged or incomplete, or has another format.
    """
    try:
        if file.exists() and not (file.is_file() or file.is_dir()):  # opening a FIFO would block
            raise BackupError(f"{printable(str(file))} is not a regular file; name one")
        stream = file.open("rb")
    except OSError as error:
        raise BackupError(f"cannot read {printable(str(file))}: {error.strerror}") from error
    with stream:
        try:
            _check_sum(file, stream, quiet)
        except OSError as error:
            raise BackupError(f"cannot read {printable(str(file))}: {error.strerror}") from error
        try:
            with zipfile.ZipFile(stream) as archive:
                yield Archive(file, archive, _description(file, archive))
        except (zipfile.BadZipFile, NotImplementedError) as error:
            # NotImplementedError: an entry's compression or version is one that zipfile does not know
            raise _damaged(file) from error


def _check_sum(file: Path, stream: IO[bytes], quiet: bool) -> None:
    name = printable(str(file))
    begin = stream.read(30 + len(DUMP))
    if begin[:5] == b"PGDMP":
        raise BackupError(f"{name} was written by pg_dump; restore it with pg_restore")
    if begin and not (begin[:4] == b"PK\3\4" and begin[30:] == DUMP.encode()):
        raise BackupError(f"{name} is not a tagdb backup")
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    digest, left = hashlib.sha256(), size - _SUM
    with track("checking", size // 10**6, "MB", quiet) as report:
        while left > 0 and (chunk := stream.read(min(CHUNK, left))):
            digest.update(chunk)
            left -= len(chunk)
            report((size - left) // 10**6)
    if left or stream.read() != digest.hexdigest().encode():
        raise _damaged(file)


def _description(file: Path, archive: zipfile.ZipFile) -> Description:
    entries = {entry.filename: entry for entry in archive.infolist()}
    if not entries.keys() >= {DUMP, DESCRIPTION} or entries[DESCRIPTION].file_size > _MOST:
        raise _damaged(file)
    try:
        facts = json.loads(archive.read(DESCRIPTION))
        version = facts.get("format") if isinstance(facts, dict) else None
        if isinstance(version, int) and version < FORMAT:
            raise BackupError(
                f"{printable(str(file))} was made by a development version of tagdb and cannot be restored; "
                "ingest the photos again"
            )
        if isinstance(version, int) and version > FORMAT:
            raise BackupError(
                f"{printable(str(file))} has format {version}, newer than this tagdb can read ({FORMAT}); "
                "upgrade tagdb"
            )
        description = Description.of(facts)
    except (ValueError, RecursionError) as error:
        raise _damaged(file) from error
    if entries[DUMP].file_size != description.dump_bytes:
        raise _damaged(file)
    return description


def _damaged(file: Path) -> BackupError:
    return BackupError(f"{printable(str(file))} is damaged or incomplete; use another copy")
