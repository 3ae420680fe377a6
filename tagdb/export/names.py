"""Names of files for images: made of their URIs, which may say anything, and never the same twice."""

import re
import unicodedata
from collections import defaultdict
from contextlib import suppress
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from tagdb.photos.kinds import PICTURE_SUFFIXES

MOST = 180
"""Most bytes of a name without its suffix; with a number and ``.xmp`` every file system takes it."""

_SUFFIXES = {
    "image/jpeg": (".jpg", ".jpeg", ".jpe"),
    "image/tiff": (".tif", ".tiff"),
    "image/bmp": (".bmp", ".dib"),
    "image/heic": (".heic", ".heif", ".hif"),
    "image/heif": (".heif", ".heic", ".hif"),
}
_UNUSABLE = re.compile(r'[<>:"/\\|?*\x7f]')
# On Windows these are devices, whatever their suffix.
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


class Names:
    """Gives each image a name that no other has, on any file system: ``IMG.jpg``, then ``IMG-2.jpg``."""

    def __init__(self) -> None:
        self._taken: set[int] = set()  # by hashes, as there may be millions
        self._last: dict[int, int] = defaultdict(lambda: 1)

    def __call__(self, uri: str, media_type: str, image_id: int) -> str:
        """Return the name for an image."""
        name = file_name(uri, media_type) or f"image-{image_id}{_suffixes(media_type)[0]}"
        path, key = PurePosixPath(name), _key(name)
        while _key(name) in self._taken:
            self._last[key] += 1
            name = f"{path.stem}-{self._last[key]}{path.suffix}"
        self._taken.add(_key(name))
        return name


def _key(name: str) -> int:
    """Return the same for names that some file systems take for the same."""
    return hash(unicodedata.normalize("NFC", name).casefold())


def file_name(uri: str, media_type: str) -> str:
    """Return the last part of a URI as a name that any file system takes, with the suffix of its format.

    There is no way out of a folder in it, and nothing that a terminal or another system would stumble over.
    Empty if nothing is left.
    """
    path = uri
    with suppress(ValueError):
        parts = urlsplit(uri)
        if parts.scheme == "data":
            return ""
        path = parts.path if parts.scheme else uri
    last = unquote(path.replace("\\", "/").rstrip("/").rpartition("/")[2], errors="replace")
    clean = unicodedata.normalize("NFC", last)
    clean = "".join(each if each.isprintable() else "_" for each in clean)
    clean = _UNUSABLE.sub("_", clean).strip(" .").lstrip("-")
    suffixes = _suffixes(media_type)
    stem, suffix = PurePosixPath(clean).stem, PurePosixPath(clean).suffix
    is_picture = suffix.lower() in PICTURE_SUFFIXES
    is_raw = media_type.startswith("image/x-")  # whose suffix says more than that
    if suffix.lower() not in suffixes and not (is_raw and is_picture):
        stem, suffix = stem if is_picture else clean, suffixes[0]
    stem = stem.encode()[:MOST].decode(errors="ignore").strip(" .")
    if not stem.strip("_"):
        return ""
    return f"_{stem}{suffix}" if _DEVICE.fullmatch(stem) else f"{stem}{suffix}"


def _suffixes(media_type: str) -> tuple[str, ...]:
    """Return the suffixes of a format, the usual one first: of ``image/x-canon-cr2``, ``.cr2``."""
    return _SUFFIXES.get(media_type) or (f".{re.split('[/-]', media_type)[-1]}",)
