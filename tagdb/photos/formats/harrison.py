"""The HARRISON data set's layout: photos in ``data_list.txt`` and hashtags in ``tag_list.txt``, by line."""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from tagdb.errors import RejectedInput
from tagdb.hashtags import printable
from tagdb.photos.formats import Lists
from tagdb.photos.formats.look import Look
from tagdb.photos.manifests import Row

PHOTOS, HASHTAGS = "data_list.txt", "tag_list.txt"


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _claim(look: Look) -> str:
    folder = _folder(look.path)
    named = look.is_folder or look.path.name in (PHOTOS, HASHTAGS)
    both = (folder / PHOTOS).is_file() and (folder / HASHTAGS).is_file()
    return f"there are {PHOTOS} and {HASHTAGS}" if named and both else ""


def _rows(path: Path) -> Iterator[Row]:
    folder = _folder(path)
    origin = printable(str(folder / PHOTOS))
    with (
        (folder / PHOTOS).open(encoding="utf-8-sig", errors="surrogateescape") as photos,
        (folder / HASHTAGS).open(encoding="utf-8-sig", errors="surrogateescape") as hashtags,
    ):
        for number, (photo, tags) in enumerate(zip_longest(photos, hashtags), 1):
            if photo is None or tags is None:
                if (photo or tags).strip():
                    lacking = PHOTOS if photo is None else HASHTAGS
                    yield origin, number, RejectedInput(f"{lacking} has no line {number}", "invalid_record")
            elif photo.strip():
                yield origin, number, {"file_name": photo.strip(), "hashtags": tags.split()}


FORMAT = Lists("harrison", f"{PHOTOS} and {HASHTAGS}, line by line", _claim, _rows, _folder)
