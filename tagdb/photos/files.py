"""Read a photo's file, which may have changed since it was found, without blocking or filling memory."""

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tagdb.errors import RejectedInput, UnreadableInput
from tagdb.photos.images import MAX_BYTES


class File(Protocol):
    """A photo's file, wherever it is."""

    @property
    def name(self) -> str:
        """Its name, for messages."""

    @property
    def uri(self) -> str | None:
        """Where it can be read again; None if nowhere."""

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes between being hashed and being decoded."""

    def read(self) -> bytes:
        """Return its content.

        Raises
        ------
        RejectedInput
            It cannot be read, or is too large.
        """


@dataclass(frozen=True, slots=True)
class Local:
    """A file on this machine; it was a regular one when it was found."""

    path: Path
    """Absolute."""
    within: Path | None = field(default=None, compare=False)
    """Resolved folder in which it must lie when it is opened; None for anywhere."""

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def uri(self) -> str:
        """Where it is."""
        return self.path.as_uri()

    @property
    def size(self) -> int:
        """Nothing: it is read again, unless it is small."""
        return 0

    def read(self) -> bytes:
        """Return its content; see :func:`read`."""
        return read(self.path, self.within)


@dataclass(frozen=True, slots=True)
class Held:
    """A file that is in memory already, such as one from a table."""

    name: str
    content: bytes = field(repr=False)

    @property
    def uri(self) -> None:
        """Nowhere."""
        return None

    @property
    def size(self) -> int:
        """All of it."""
        return len(self.content)

    def read(self) -> bytes:
        """Return its content.

        Raises
        ------
        RejectedInput
            It is too large.
        """
        if len(self.content) > MAX_BYTES:
            raise RejectedInput(f"larger than {MAX_BYTES >> 20} MB", "too_large")
        return self.content


def read(path: Path, within: Path | None = None, most: int = MAX_BYTES) -> bytes:
    """Return the content of a file that is to be stored.

    Parameters
    ----------
    within
        Resolved folder in which the file must lie.
    most
        Largest size, in bytes.

    Raises
    ------
    RejectedInput
        The file cannot be read, is not a regular file, is too large, lies elsewhere, or changed while it was
        being read.
    """
    with explained(), open(path, "rb", opener=_without_waiting) as file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise RejectedInput("no longer a regular file", "not_a_photo")
        if within is not None and not _opened(file.fileno(), path).is_relative_to(within):
            raise RejectedInput("now outside the folder (use --allow-outside)", "not_allowed")
        if before.st_size > most:
            raise RejectedInput(f"larger than {most >> 20} MB", "too_large")
        content = file.read(before.st_size + 1)
        after = os.fstat(file.fileno())
    if (len(content), after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise UnreadableInput("it changed while it was being read; ingest it again when it is complete")
    return content


def read_named(photo: str) -> bytes:
    """Return the content of whatever a person names: a file, a pipe, or ``-`` for standard input.

    Of what is too large only the beginning is read, which decoding rejects.

    Raises
    ------
    RejectedInput
        It cannot be read.
    """
    with explained():
        if photo == "-":
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        path = Path(photo)
        # the shell's <(…) and /dev/stdin are pipes, too, but somebody writes into them
        if path.is_fifo() and not str(path.absolute()).startswith(("/dev/", "/proc/")):
            raise RejectedInput("a FIFO, which would be waited for; name a file", "not_a_photo")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)


@contextmanager
def explained() -> Iterator[None]:
    """Turn errors of reading a file or stream into one phrase."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UnreadableInput(f"cannot be read: {error.strerror}", "missing") from error
    except OSError as error:
        if error.errno == errno.EBADF:
            raise UnreadableInput("standard input is closed") from error
        raise UnreadableInput(f"cannot be read: {error.strerror}") from error
    except ValueError as error:  # a NUL character in the name
        raise RejectedInput(f"cannot be read: {error}", "unreadable") from error


def _opened(descriptor: int, path: Path) -> Path:
    """Path of an open file according to the kernel, or the resolved path where the kernel does not tell."""
    known = Path(f"/proc/self/fd/{descriptor}")
    return known.readlink() if sys.platform == "linux" and known.exists() else path.resolve()


def _without_waiting(path: str, flags: int) -> int:
    """Open without blocking: a FIFO may have taken the file's place, and opening it waits for a writer."""
    return os.open(path, flags | os.O_NONBLOCK)
