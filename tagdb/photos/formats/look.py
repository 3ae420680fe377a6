"""A first look at a place: enough of it to recognise its format."""

import lzma
import os
from collections import deque
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from tagdb.errors import RejectedInput
from tagdb.photos.files import Local
from tagdb.photos.json_rows import decoded
from tagdb.photos.kinds import HEAD
from tagdb.photos.manifests import MAX_LINE

ENTRIES = 5_000
"""How many files are looked at, by name."""
OPENED = 20
"""How many JSON files are opened."""


class Look:
    """What a place looks like. Nothing is read before it is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_folder = path.is_dir()

    @cached_property
    def names(self) -> list[Path]:
        """Paths of the first files in a folder, those of shallow folders first; none for a file."""
        found: list[Path] = []
        for path in _files(self.path) if self.is_folder else []:
            found.append(path)
            if len(found) == ENTRIES:
                break
        return found

    @cached_property
    def head(self) -> bytes:
        """The beginning of a file; empty for a folder and for what cannot be read."""
        return b"" if self.is_folder else head_of(self.path)

    @cached_property
    def objects(self) -> list[tuple[Path, dict[str, Any]]]:
        """The first JSON objects among these files, each the whole of its file."""
        found: list[tuple[Path, dict[str, Any]]] = []
        paths = [each for each in self.names if each.name.lower().endswith((".json", ".json.xz"))]
        for path in paths[:OPENED]:
            value = json_of(Local(path))
            if isinstance(value, dict):
                found.append((path, value))
        return found


def head_of(path: Path) -> bytes:
    """Return the beginning of a file; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError:
        return b""


def json_of(file: Local) -> Any:
    """Return the value in a JSON file, which may be compressed by xz; None for none and for a huge one."""
    try:
        content = file.read()
        if file.path.suffix.lower() == ".xz":
            content = lzma.LZMADecompressor(memlimit=64 << 20).decompress(content, MAX_LINE + 1)
        if len(content) > MAX_LINE:
            return None
        return decoded(content)
    except (RejectedInput, lzma.LZMAError, ValueError, RecursionError):
        return None


def text_of(file: Local) -> str | None:
    """Return a small text file's content; None if there is none."""
    try:
        content = file.read()
    except RejectedInput:
        return None
    return content.decode("utf-8-sig", "replace") if len(content) <= MAX_LINE else None


def _files(top: Path) -> Iterator[Path]:
    folders = deque([top])
    while folders:
        try:
            with os.scandir(folders.popleft()) as entries:
                for entry in sorted(entries, key=lambda each: each.name):
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(Path(entry.path))
                    elif entry.is_file():
                        yield Path(entry.path)
        except OSError:
            continue
