"""Lists without photos: CSV, and JSON Lines."""

import csv
import io
from typing import BinaryIO

from tagdb.export.rows import Row, as_json
from tagdb.photos.fields import METADATA


class _Lines:
    """Text in UTF-8, written to a stream of bytes that stays open."""

    def __init__(self, stream: BinaryIO) -> None:
        self._text = io.TextIOWrapper(stream, "utf-8", newline="", write_through=False)

    def __exit__(self, *error: object) -> None:
        self._text.flush()
        self._text.detach()


class JsonLines(_Lines):
    """One JSON object a line; ``metadata`` is an object in it."""

    def __enter__(self) -> "JsonLines":
        return self

    def write(self, row: Row) -> int:
        """Write a row."""
        fields = row.fields()
        metadata = fields.pop(METADATA)
        # as it is: no number is read and written again
        self._text.write(f'{as_json(fields)[:-1]}, "{METADATA}": {metadata}}}\n')
        return 1


class Csv(_Lines):
    """A row a line; what is no text or number is JSON in its cell."""

    def __init__(self, stream: BinaryIO, recommended: bool = False) -> None:
        """Begin a table, with a column for recommended hashtags or without."""
        super().__init__(stream)
        self._rows = csv.writer(self._text, lineterminator="\n")
        self._quoted = csv.writer(self._text, lineterminator="\n", quoting=csv.QUOTE_ALL)
        self._rows.writerow([*COLUMNS, *(["recommended"] if recommended else []), METADATA])

    def __enter__(self) -> "Csv":
        return self

    def write(self, row: Row) -> int:
        """Write a row."""
        values = row.fields().values()
        cells = [as_json(value) if isinstance(value, list) else value for value in values]
        # a return alone ends a line for many readers, and csv does not quote it
        returns = any(isinstance(cell, str) and "\r" in cell for cell in cells)
        (self._quoted if returns else self._rows).writerow(cells)
        return 1


COLUMNS = (
    "image_id", "content_sha256", "uri", "hashtags", "collection", "source_ref", "taken_at", "media_type",
    "width", "height", "bytes",
)  # fmt: skip
"""Columns of a table before those that are further."""
