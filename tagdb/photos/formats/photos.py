"""Photos alone, and photos whose folders say what they show."""

from pathlib import Path

from tagdb.hashtags import joined
from tagdb.photos.formats import Beside, Describe, Fields
from tagdb.photos.formats.look import Look
from tagdb.photos.places import Root


def _claim(look: Look) -> str:
    return "" if look.is_folder else "it is a single file"


def _nothing(root: Root) -> Describe:
    return lambda photo: (photo, {})


FORMAT = Beside("photos", "photos without a list", _claim, _nothing)


def _labels(root: Root) -> Describe:
    top = root.folder

    def label(photo: Path) -> tuple[Path, Fields]:
        folders = photo.relative_to(top).parts[:-1] or (top.name,)
        return photo, {"hashtags": [joined(folders[-1]) or folders[-1]], "collection": folders[-1]}

    return label


FOLDERS = Beside(
    "folders", "the name of the folder in which a photo lies is its hashtag", lambda look: "", _labels
)
