"""Folders to which the names of photos are relative, and what lies in them."""

import os
import stat
from collections.abc import Set
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from tagdb.errors import RejectedInput, UnreadableInput
from tagdb.hashtags import printable
from tagdb.photos.fields import spellings, why
from tagdb.photos.files import Local
from tagdb.photos.folders import LeftOut, identity, walk
from tagdb.photos.kinds import LIST


class _Missing(RejectedInput):
    """There is no such file."""


class Root:
    """Folder to which file names are relative."""

    def __init__(self, folder: Path, what: str, allow_outside: bool) -> None:
        self.folder, self.allow_outside = folder, allow_outside
        self._what, self._real = what, folder.resolve()
        self._parent = lru_cache(maxsize=64)(
            Path.resolve
        )  # most photos lie in the same folder as the last one

    def file(self, name: str | Path) -> Local:
        """Return an existing regular file, without opening it.

        If it is not there as its name is written, it may be there as the name was meant.

        Raises
        ------
        RejectedInput
            There is none that may be used.
        """
        # checked again when it is opened: a link may have been planted since
        within = None if self.allow_outside else self._real
        try:
            return Local(self._located(name), within)
        except _Missing:
            for other in spellings(str(name)):
                with suppress(_Missing):
                    return Local(self._located(other), within)
            raise

    def beside(self, path: Path) -> Local | None:
        """Return a file that says something about a photo, if it is there and may be used."""
        with suppress(RejectedInput):
            return self.file(path) if os.path.exists(path) else None  # noqa: PTH110  (Path.exists may raise)
        return None

    def _located(self, name: str | Path) -> Path:
        path, shown = self.folder / name, printable(str(name), 200)
        try:
            str(path).encode()
            real = self._parent(path.parent) / path.name
            if path.name == ".." or real.is_symlink():
                real = path.resolve()
            if not self.allow_outside and not real.is_relative_to(self._real):
                raise RejectedInput(f"outside {self._what} (use --allow-outside): {shown}", "not_allowed")
            mode = path.stat().st_mode
        except UnicodeEncodeError:
            raise RejectedInput(f"the file's name is not valid UTF-8: {shown}", "invalid_record") from None
        except (FileNotFoundError, NotADirectoryError):
            raise _Missing(f"no such file: {shown}", "missing") from None
        except OSError as error:
            raise UnreadableInput(f"cannot read {shown}: {why(error)}") from None
        except (RuntimeError, ValueError) as error:  # symlink loops; NUL characters
            raise RejectedInput(f"cannot read {shown}: {why(error)}", "unreadable") from None
        if not stat.S_ISREG(mode):
            raise RejectedInput(f"not a regular file: {shown}", "not_a_photo")
        return path.resolve() if ".." in path.parts else path

    def unnamed(self, named: Set[int]) -> LeftOut:
        """Return what lies in the folder, but for the files with certain hashes of their identities."""

        def is_named(path: str | Path) -> bool:
            try:
                return hash(identity(path)) in named
            except OSError:
                return False

        left_out = LeftOut(own=is_named)
        for path, _ in walk(self.folder, self.allow_outside, left_out):
            left_out.file(str(path), "photo that no usable row names")
        if others := left_out.counts.pop(LIST, 0):
            left_out.counts["list that is not read"] = others
        left_out.lists.clear()
        return left_out


def folder_of(path: Path) -> Path:
    """Return a folder itself, or that of a file."""
    return path if os.path.isdir(path) else path.parent  # noqa: PTH112  (Path.is_dir raises for some names)
