"""Formats of sources: one module each, and a small contract for all.

A format says by what it knows a place (``claim``), and gives rows: objects with the fields of a manifest
(``file_name``, ``uri``, ``hashtags``, ``collection``, ``source_ref``, ``taken_at``; all else is metadata).
Whatever all sources have in common, such as finding and checking files, is done with the rows in
:mod:`tagdb.photos.sources`. There are two kinds of format: in one, lists name photos; in the other, photos
have something beside them that says more.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tagdb.errors import SourceError
from tagdb.photos.formats.look import Look
from tagdb.photos.manifests import Row
from tagdb.photos.places import Root, folder_of

Fields = dict[str, Any]
"""What a format says about a photo: the fields of a manifest's row, by name, and metadata."""
Describe = Callable[[Path], tuple[Path, Fields]]
"""Returns what is said about a photo, and in which file. May raise RejectedInput."""


@dataclass(frozen=True, slots=True)
class Format:
    """What all formats have."""

    name: str
    """As in ``--format``."""
    what: str
    """What it is, for people."""
    claim: Callable[[Look], str]
    """Return by what a place is known to be of this format; empty if it is not."""


@dataclass(frozen=True, slots=True)
class Lists(Format):
    """Lists that name photos."""

    rows: Callable[[Path], Iterator[Row]]
    """Yield the rows of a place, lazily."""
    root: Callable[[Path], Path] = folder_of
    """Return the folder to which names of files are relative."""
    eager: bool = False
    """Whether the first row is read at once, so that a file that is no list is reported before all else."""


@dataclass(frozen=True, slots=True)
class Beside(Format):
    """Photos of a folder, each with something beside it."""

    describe: Callable[[Root], Describe]
    """Return what describes the photos of a folder."""
    own: Callable[[str], bool] = lambda path: False
    """Whether a file's path is of one that describes photos, and so not left out."""


def formats() -> dict[str, Format]:
    """Return all formats by name, in the order in which they are tried."""
    from tagdb.photos.formats import (
        ancestor,
        gallery_dl,
        harrison,
        instaloader,
        lists,
        meta,
        parquet,
        photos,
        takeout,
    )

    every: list[Format] = [
        ancestor.FORMAT, harrison.FORMAT, parquet.FORMAT, lists.MANIFEST, meta.FORMAT, lists.IMAGEFOLDER,
        instaloader.FORMAT, takeout.FORMAT, gallery_dl.FORMAT, photos.FOLDERS, photos.FORMAT,
    ]  # fmt: skip
    return {each.name: each for each in every}


def format_of(path: Path, name: str | None = None) -> tuple[Format, str]:
    """Return the format of a place and by what it is known: the named one, or the first that claims it.

    Raises
    ------
    SourceError
        There is no format of that name.
    """
    known = formats()
    if name is not None:
        if name not in known:
            raise SourceError(f"no format is called {name}; there are {', '.join(known)}")
        return known[name], "as told"
    look = Look(path)
    for each in known.values():
        if how := each.claim(look):
            return each, how
    return known["photos"], "nothing else was recognised"
