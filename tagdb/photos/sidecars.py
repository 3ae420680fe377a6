"""What is written about a photo in files beside it, as programs do that leave photos as they are."""

import os
from pathlib import Path

from tagdb.errors import RejectedInput
from tagdb.hashtags import printable
from tagdb.photos import files, xmp
from tagdb.photos.files import File, Local
from tagdb.photos.keywords import NOTHING, Description


def read(photo: File) -> Description:
    """Return what the sidecars of a photo say: those of ``IMG.jpg`` are ``IMG.jpg.xmp`` and ``IMG.xmp``.

    Where they disagree, the first counts. One that cannot be used is refused by its name. They must lie where
    the photo must lie.
    """
    found = NOTHING
    if not isinstance(photo, Local):
        return found
    for name in dict.fromkeys((str(photo.path), os.path.splitext(photo.path)[0])):  # noqa: PTH122
        for path in (f"{name}.xmp", f"{name}.XMP"):
            if os.path.isfile(path):  # noqa: PTH113  asked four times a photo
                found |= _read(Path(path), photo.within)
                break  # on many disks both names are one file
    return found


def _read(path: Path, within: Path | None) -> Description:
    try:
        return xmp.read(files.read(path, within, xmp.MAX_BYTES))
    except RejectedInput as error:
        return Description(refused=(f"{printable(path.name)}: {error}",))
