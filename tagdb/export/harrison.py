"""The HARRISON data set's layout: ``data_list.txt``, ``tag_list.txt``, and photos in ``photos``."""

import io

from tagdb.errors import RejectedInput
from tagdb.export.rows import Row
from tagdb.export.targets import Folder
from tagdb.hashtags import fold
from tagdb.photos.formats.harrison import HASHTAGS, PHOTOS


class Harrison:
    """Photos and their hashtags, line by line, and nothing else of them."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._photos = io.TextIOWrapper(folder.open(PHOTOS), "utf-8", newline="")
        self._hashtags = io.TextIOWrapper(folder.open(HASHTAGS), "utf-8", newline="")

    def __enter__(self) -> "Harrison":
        return self

    def __exit__(self, *error: object) -> None:
        self._photos.close()
        self._hashtags.close()

    def write(self, row: Row) -> int:
        """Write a photo and a line in each list."""
        if row.photo is None:
            raise RejectedInput("there is no photo", "missing")
        path = f"photos/{row.name}"
        self._folder.put(path, row.photo)
        self._photos.write(f"{path}\n")
        self._hashtags.write(" ".join(map(_one_word, row.image.hashtags)) + "\n")
        return 1


def _one_word(hashtag: str) -> str:
    """Return a hashtag without white space, which separates them: none is left once it is folded."""
    return hashtag if hashtag.split() == [hashtag] else fold(hashtag)
