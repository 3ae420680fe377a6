"""Keywords for other programs: in sidecars beside the photos, in sidecars in a folder, or in the photos."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from tagdb.errors import RejectedInput
from tagdb.export import jpegs, packets
from tagdb.export.rows import Row
from tagdb.export.targets import Folder, replace
from tagdb.hashtags import printable
from tagdb.photos import files
from tagdb.photos.fields import path_of
from tagdb.photos.images import content_hash
from tagdb.store.exports import StoredImage


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
    """The photos' own files: their sidecars, or the packets in JPEGs."""

    def __init__(self, embed: bool, original: Callable[[int], bytes | None]) -> None:
        """Write beside photos, or with ``embed`` into them; ``original`` gives what is stored of an image."""
        self._embed, self._original = embed, original

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
        if not self._is_photo(content, row.image):
            raise RejectedInput("the photo has changed since it was ingested", "missing")
        try:
            if self._embed and jpegs.is_jpeg(content):
                return _embedded(path, content, row.keywords)
            return _beside(path, row.keywords)
        except OSError as error:
            raise RejectedInput(f"cannot be written: {error.strerror or error}", "failed") from error

    def _is_photo(self, content: bytes, image: StoredImage) -> bool:
        """Whether a file is the photo that was ingested, but for a packet that was embedded since."""
        if content_hash(content) == image.content_sha256:
            return True
        original = self._original(image.image_id) if jpegs.is_jpeg(content) else None
        return (
            original is not None
            and jpegs.is_jpeg(original)
            and jpegs.without_packet(content) == jpegs.without_packet(original)
        )


def is_local(uri: str) -> bool:
    """Whether a URI names a file, on this machine as far as it says."""
    return uri.lower().startswith("file:")


def own_file(uri: str) -> Path:
    """Return the file on this machine that a URI names.

    Raises
    ------
    RejectedInput
        It names none.
    """
    if not is_local(uri):
        raise RejectedInput("its URI names no file on this machine", "missing")
    return Path(path_of(uri))


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
        raise RejectedInput(f"{printable(path.name)}: {error}", error.reason_code) from None
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
