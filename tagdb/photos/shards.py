"""Shards of a source: which of its photos are whose, where several machines ingest it at the same time."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from unicodedata import normalize

from tagdb.errors import SourceError
from tagdb.photos.files import Held
from tagdb.photos.manifests import Row, column

_WRITTEN = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several shards of a source, from 1.

    A photo belongs to the shard that its name says, whatever else is in the source: machines may list it at
    different times, and in different places.
    """

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Return the shard that is written as ``2/10``.

        Raises
        ------
        SourceError
            There is none.
        """
        written = _WRITTEN.fullmatch(text)
        number, of = map(int, written.groups()) if written else (0, 0)
        if not 1 <= number <= of:
            raise SourceError(f"a shard is I/N with I from 1 to N, such as 2/10, not {text!r}")
        return cls(number, of)

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.number}/{self.of}"

    def has(self, name: str) -> bool:
        """Whether the photo of a name belongs to it; accents may be written in either way, as disks do."""
        digest = hashlib.sha256(normalize("NFC", name).encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") % self.of == self.number - 1

    def has_row(self, row: Row) -> bool:
        """Whether a row belongs to it: by what names the photo there, otherwise by where the row is."""
        origin, line, value = row
        return self.has(_named(value) or f"{PurePath(origin).name}#{line}")


def _named(row: Any) -> str | None:
    """Return what a row names its photo; None if it names none, or has it in itself."""
    if not isinstance(row, dict) or isinstance(row.get("file"), Held):
        return None
    for field in ("file_name", "uri"):
        for name in (field, *(name for name in row if column(name) == field)):
            if value := row.get(name):
                return str(value)
    return None
