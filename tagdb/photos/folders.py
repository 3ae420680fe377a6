"""Which files in a folder are photos, and what is left out of it.

A file is a photo if it begins like one, whatever its name is, or if its name says so: then decoding tells
what is wrong with it. All others are counted by kind, so that nobody has to wonder where they are.
"""

import os
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from tagdb.hashtags import printable
from tagdb.photos.kinds import (
    LIST,
    MANIFEST_SUFFIXES,
    PHOTO,
    PHOTO_SUFFIXES,
    PICTURE_SUFFIXES,
    RAW,
    SIDECAR,
    SUFFIXES,
    VIDEO,
    begins,
    extra_of,
    is_readable,
    is_unreadable,
)

_NEVER = frozenset(["unfinished download", "thumbnail"])
"""Kinds that stay out even if they begin like a photo."""

# What programs keep beside photos, by the folder's name. All other hidden folders are left out too.
_KEPT = {
    "thumbnail": ["@eaDir", "@__thumb", ".@__thumb", ".thumbnails", "*.lrdata"],
    "file": [
        "#recycle", "@Recycle", "$RECYCLE.BIN", "RECYCLER", ".Trash*", "lost+found", "@tmp",
        ".picasaoriginals", "System Volume Information",
    ],
}  # fmt: skip
_SNAPSHOTS = frozenset(["#snapshot", ".snapshot", ".snapshots", "@recently-snapshot", ".zfs"])
_PLURAL = re.compile("( (in|of|that|without) .*)?$")
_LIBRARIES = (".photoslibrary", ".aplibrary", ".migratedphotolibrary")
_OF_LIBRARIES = frozenset(["resources", "previews", "thumbnails", "database", "private", "scopes"])
_HIDDEN, _OTHER, _SNAPSHOT, _LINKED = "hidden file", "other file", "folder of snapshots", "linked folder"


def kind_of(path: str, regular: bool = True) -> str:
    """Return what a file is: PHOTO, LIST, or a kind of those left out. Only regular ones are opened."""
    name = Path(path).name.casefold()
    suffix = Path(name).suffix
    if name.startswith(".") or name in ("thumbs.db", "ehthumbs.db", "desktop.ini"):  # hidden on Windows
        return _HIDDEN
    kind = SUFFIXES.get(suffix)
    if _names_photo(suffix):
        return PHOTO
    if suffix in MANIFEST_SUFFIXES and not (regular and _begins_picture(path)):
        # photo.jpg.json says something about one photo, in Google's exports
        inner = Path(Path(name).stem).suffix
        about_one = inner in PICTURE_SUFFIXES or SUFFIXES.get(inner) == VIDEO or ".supplemental-" in name
        return "sidecar" if about_one else LIST
    if suffix == ".xmp":
        return SIDECAR if _has_photo(path[: -len(suffix)]) else "XMP sidecar without a photo"
    if kind in _NEVER:
        return str(kind)
    try:
        head = _head(path) if regular else b""
    except OSError:
        return kind or "file that cannot be opened"
    begun = begins(head)
    if is_readable(begun) and not (kind == RAW and head[:2] in (b"II", b"MM")):
        return PHOTO  # many kinds of RAW begin like TIFF
    return kind or begun or _OTHER


def _has_photo(name: str) -> bool:
    """Whether a photo has this name, as far as names tell; a sidecar's may be without the photo's suffix."""
    suffixes = filter(_names_photo, PICTURE_SUFFIXES)
    named = (f"{name}{each}" for suffix in suffixes for each in (suffix, suffix.upper()))
    return any(map(os.path.isfile, (name, *named)))


def _names_photo(suffix: str) -> bool:
    return suffix in PHOTO_SUFFIXES or is_readable(SUFFIXES.get(suffix))


def _begins_picture(path: str) -> bool:
    with suppress(OSError):
        return is_readable(begins(_head(path)))
    return False


def _head(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a FIFO may have taken its place
    try:
        return os.read(descriptor, 16)
    finally:
        os.close(descriptor)


@dataclass(slots=True)
class LeftOut:
    """What is left out of a folder."""

    own: Callable[[str], bool] = field(default=lambda _: False, repr=False)
    """Whether a file belongs to what is taken, such as a list of the photos, and is not left out."""
    counts: Counter[str] = field(default_factory=Counter)
    """Number of files of each kind; of folders, for links."""
    lists: list[str] = field(default_factory=list)
    """The first manifests, in printable characters."""
    advice: str = "use --allow-outside"
    """What to do about links that lead out of the folder."""
    _suffixes: dict[str, set[str]] = field(default_factory=dict)
    _links: list[str] = field(default_factory=list)

    def file(self, path: str, kind: str) -> None:
        """Count a file."""
        if self.own(path):
            return
        self.counts[kind] += 1
        if kind == LIST and len(self.lists) < 3:
            self.lists.append(printable(path))
        suffixes = self._suffixes.setdefault(kind, set())
        if len(suffixes) <= 5 and (suffix := Path(path).suffix):
            suffixes.add(printable(suffix.lower(), 20))

    def link(self, path: str) -> None:
        """Count a link to a folder elsewhere."""
        self.counts[_LINKED] += 1
        if len(self._links) < 3:
            self._links.append(printable(path))

    def named_lists(self) -> str:
        """Return the manifests that were not read, in words; empty if there are none."""
        return _some(self.lists, self.counts[LIST])

    def __str__(self) -> str:
        """All of it but the lists, in one line; empty if there is nothing."""
        kinds = sorted(self.counts.keys() - {LIST, _LINKED}, key=lambda kind: (-self.counts[kind], kind))
        unread = [kind for kind in kinds if is_unreadable(kind)]
        hopeless = ", ".join(self._counted(kind) for kind in unread if not extra_of(kind))
        parts = [f"{hopeless}, which cannot be read yet"] if hopeless else []
        for kind in filter(extra_of, unread):
            need = "needs" if self.counts[kind] == 1 else "need"
            parts.append(f"{self._counted(kind)}, which {need} pip install 'tagdb[{extra_of(kind)}]'")
        others = ", ".join(self._counted(kind) for kind in kinds if not is_unreadable(kind))
        parts += [others] if others else []
        if links := self.counts[_LINKED]:
            leads = "leads" if links == 1 else "lead"
            parts.append(f"{_some(self._links, links)} {leads} out of the folder ({self.advice})")
        return "; ".join(parts)

    def _counted(self, kind: str) -> str:
        """Return the number of files of a kind, with their suffixes where these say more."""
        count, suffixes = self.counts[kind], sorted(self._suffixes.get(kind, ()))
        several = count > 1 and not is_unreadable(kind)
        text = f"{count} " + (_PLURAL.sub(r"s\1", kind, count=1) if several else kind)
        if kind in (RAW, VIDEO, "document", _OTHER) and suffixes:
            text += f" ({', '.join(suffixes[:5])}{', …' if len(suffixes) > 5 else ''})"
        return text


def _some(names: list[str], count: int) -> str:
    return ", ".join(names) + (f" and {count - len(names)} more" if count > len(names) else "")


def walk(
    top: Path,
    allow_outside: bool,
    left_out: LeftOut | None = None,
    mine: Callable[[str], bool] = lambda path: True,
) -> Iterator[tuple[Path, str | None]]:
    """Yield the photos below a folder, sorted, with the names of only a few folders in memory.

    A folder that cannot be read comes with the reason. Links to folders come last: they are followed within
    the folder, or anywhere if that is allowed, and no folder is walked twice.

    Parameters
    ----------
    left_out
        Where to count what is left out.
    mine
        Whether a path is one of those that are wanted; files of others are not opened.

    Raises
    ------
    OSError
        The folder itself cannot be read.
    """
    real, seen, links = Path(os.path.realpath(top)), {identity(top)}, deque[str]()
    pending = [(entry, "") for entry in _entries(top)]
    while pending or links:
        path = kept = ""
        try:
            if not pending:
                path = links.popleft()
                if identity(path) in seen or _in_kept(path, real):
                    continue
                if allow_outside or Path(os.path.realpath(path)).is_relative_to(real):
                    seen.add(identity(path))
                    pending += [(entry, "") for entry in _entries(path)]
                elif not mine(path):
                    pass
                elif _names_photo(Path(path).suffix.lower()):
                    yield Path(path), None
                elif left_out is not None:
                    left_out.link(path)
                continue
            entry, kept = pending.pop()
            path = entry.path
            folder = _holds(entry.is_dir)
            kept = kept or (_kept(path) if folder else "")
            if kept:
                if left_out is None:
                    continue
                if kept != _SNAPSHOT and entry.is_dir(follow_symlinks=False):
                    pending += [(each, kept) for each in _entries(path)]
                elif mine(path):
                    left_out.file(path, kept)
            elif folder and entry.is_symlink():
                links.append(path)
            elif folder:
                if (one := identity(path)) not in seen:
                    seen.add(one)
                    pending += [(each, "") for each in _entries(path)]
            elif not mine(path):
                pass
            elif (kind := kind_of(path, _holds(entry.is_file))) == PHOTO:
                yield Path(path), None
            elif left_out is not None and kind != SIDECAR:
                left_out.file(path, kind)
        except OSError as error:
            if not mine(path):
                pass
            elif not kept:
                yield Path(path), f"cannot read the folder: {error.strerror}"
            elif left_out is not None:
                left_out.file(path, kept)


def _holds(question: Callable[[], bool]) -> bool:
    """Answer a question about an entry; no for a link that leads in circles."""
    try:
        return question()
    except OSError:
        return False


def identity(path: str | Path) -> tuple[int, int]:
    """Return what one file or folder has under all of its names."""
    facts = Path(path).stat()
    return facts.st_dev, facts.st_ino


def _kept(path: str) -> str:
    """Return the kind of the files in a folder that is left out, otherwise an empty text."""
    parent, name = os.path.split(path.casefold())
    if name in _SNAPSHOTS:
        return _SNAPSHOT
    for kind, patterns in _KEPT.items():
        for pattern in patterns:
            if fnmatchcase(name, pattern.casefold()):
                return f"{kind} in {pattern}"
    if name in _OF_LIBRARIES and (suffix := Path(parent).suffix) in _LIBRARIES:
        return f"file in *{suffix}/{name}"
    return _HIDDEN if name.startswith(".") else ""


def _in_kept(path: str, top: Path) -> bool:
    """Whether a link leads to a folder within this one that is left out, and not because it is hidden."""
    target = Path(os.path.realpath(path))
    inside = [target, *target.parents][: len(target.parts) - len(top.parts)]
    return target.is_relative_to(top) and any(_kept(str(each)) not in ("", _HIDDEN) for each in inside)


def _entries(folder: str | Path) -> list[os.DirEntry[str]]:
    with os.scandir(os.fspath(folder)) as entries:
        return sorted(entries, key=lambda entry: entry.name, reverse=True)
