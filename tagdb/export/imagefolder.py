"""Hugging Face's image folder: photos, and ``metadata.jsonl`` that names them."""

import io

from tagdb.errors import RejectedInput
from tagdb.export.rows import Row, as_json
from tagdb.export.targets import Folder


class ImageFolder:
    """Photos, and a line for each. ``metadata`` is JSON in a text: libraries want one type a column."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._lines = io.TextIOWrapper(folder.open("metadata.jsonl"), "utf-8", newline="")

    def __enter__(self) -> "ImageFolder":
        return self

    def __exit__(self, *error: object) -> None:
        self._lines.close()

    def write(self, row: Row) -> int:
        """Write a row and its photo."""
        if row.photo is None:
            raise RejectedInput("there is no photo", "missing")
        self._folder.put(row.name, row.photo)
        self._lines.write(as_json({"file_name": row.name} | row.fields()) + "\n")
        return 1
