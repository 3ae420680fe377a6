"""Keywords for other programs: in sidecars beside the photos, in sidecars in a folder, or in the photos."""

import os
from collections.abc import Sequence
from pathlib import Path

from tagdb.errors import RejectedInput
from tagdb.export import jpegs, packets
from tagdb.export.rows import Row
from tagdb.export.targets import Folder, replace
from tagdb.hashtags import printable
from tagdb.photos import files
from tagdb.photos.fields import path_of
from tagdb.photos.images import content_hash


class Sidecars:
    """A folder of new sidecars, named for the photos: ``IMG.jpg.xmp``."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def __enter__(self) -> "Sidecars":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def write(self, row: Row) -> int:
        """Write a sidecar, if there is something to say."""
        if row.keywords:
            self._folder.put(f"{row.name}.xmp", packets.new(row.keywords))
        return bool(row.keywords)


class Beside:
    """The photos' own files: their sidecars, or with ``embed`` the packets in JPEGs."""

    def __init__(self, embed: bool) -> None:
        self._embed = embed

    def __enter__(self) -> "Beside":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def write(self, row: Row) -> int:
        """Add the keywords that are missing; return 0 if none is."""
        if not row.keywords:
            return 0
        path = own_file(row.image.uri)
        content = files.read(path)
        if not is_photo(content, row):
            raise RejectedInput("the photo has changed since it was ingested")
        try:
            if self._embed and jpegs.is_jpeg(content):
                return _embedded(path, content, row.keywords)
            return _beside(path, row.keywords)
        except OSError as error:
            raise RejectedInput(f"cannot be written: {error.strerror or error}") from error


def own_file(uri: str) -> Path:
    """Return the file on this machine that a URI names.

    Raises
    ------
    RejectedInput
        It names none.
    """
    if not uri.lower().startswith("file:"):
        raise RejectedInput("its URI names no file on this machine")
    return Path(path_of(uri))


def is_photo(content: bytes, row: Row) -> bool:
    """Whether a file is the photo that was ingested, but for a packet that may have been embedded since."""
    if content_hash(content) == row.image.content_sha256:
        return True
    both = row.photo is not None and jpegs.is_jpeg(content) and jpegs.is_jpeg(row.photo)
    return both and jpegs.without_packet(content) == jpegs.without_packet(row.photo or b"")


def sidecar_of(photo: Path) -> Path:
    """Return a photo's sidecar: ``IMG.jpg.xmp``, or Lightroom's ``IMG.xmp`` if there is only that.

    ``IMG.xmp`` is left alone if there is another photo that it may be of, such as ``IMG.CR2``.
    """
    whole, stem = photo.name, photo.stem
    names = {each.lower(): each for each in os.listdir(photo.parent) if each.startswith(stem)}  # noqa: PTH208
    if f"{whole}.xmp".lower() in names:
        return photo.with_name(names[f"{whole}.xmp".lower()])
    short = names.get(f"{stem}.xmp".lower())
    same = {each for each in names if Path(each).stem == stem.lower()}
    if short is not None and same == {whole.lower(), short.lower()}:
        return photo.with_name(short)
    return photo.with_name(f"{whole}.xmp")


def _beside(photo: Path, keywords: Sequence[str]) -> int:
    path = sidecar_of(photo)
    if not path.exists():
        replace(path, packets.new(keywords))
        return 1
    try:
        old = files.read(path)
        content = packets.with_keywords(old, keywords)
    except RejectedInput as error:
        raise RejectedInput(f"{printable(path.name)}: {error}") from None
    if content == old:
        return 0
    replace(path, content)
    return 1


def _embedded(path: Path, content: bytes, keywords: Sequence[str]) -> int:
    changed = jpegs.with_keywords(content, keywords)
    if changed == content:
        return 0
    replace(path, changed, like=path)
    return 1
