"""tagdb's own lists, and Hugging Face's image folders."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tagdb.errors import SourceError
from tagdb.hashtags import printable, written
from tagdb.photos.csv_rows import read_csv
from tagdb.photos.fields import hashtags_of
from tagdb.photos.formats import Fields, Lists
from tagdb.photos.formats.look import Look, head_of
from tagdb.photos.json_rows import read_json
from tagdb.photos.kinds import (
    JSON,
    MANIFEST_SUFFIXES,
    PICTURE_SUFFIXES,
    SUFFIXES,
    ZEROS,
    advice,
    begins,
    foreign,
)
from tagdb.photos.manifests import Row, column, converted

_TABLES = frozenset([".csv", ".tsv", ".tab", ".psv", ".txt"])  # the last as Excel names its Unicode text
_SPREADSHEETS = {
    **dict.fromkeys([".xls", ".xlsx", ".xlsm", ".xlsb"], "an Excel workbook"),
    ".ods": "an OpenDocument spreadsheet",
    ".numbers": "a Numbers spreadsheet",
}
_NO_LISTS = frozenset(["an Office document", "a ZIP archive", "a gzip file", "an SQLite database"])
"""What may be meant as a list, and is not read; see ``foreign``."""
_METADATA = ("metadata.jsonl", "metadata.csv")
"""Lists of the photos in a folder; the first counts."""
_SPLITS = re.compile(r"(train|training|test|testing|eval|evaluation|dev|valid|validation)\b.*", re.IGNORECASE)
_HASHTAGS = ("tags", "keywords", "labels", "label", "category", "categories")
_CAPTIONS = ("caption", "captions", "text", "description", "title")


def _manifest(look: Look) -> str:
    suffix = look.path.suffix.lower()
    if look.is_folder or suffix in PICTURE_SUFFIXES:
        return ""
    if suffix in MANIFEST_SUFFIXES | _SPREADSHEETS.keys() | {".txt"}:
        return f"its name ends with {suffix}"
    what = foreign(look.head)
    if what in _NO_LISTS:
        return f"it is {what}"
    is_text = look.head and b"\0" not in look.head and begins(look.head[:16]) is None
    return "it is text" if is_text and suffix not in SUFFIXES and what in (None, JSON) else ""


def _rows(path: Path) -> Iterator[Row]:
    return _read(path, needs_hashtags=True)


def _read(path: Path, needs_hashtags: bool) -> Iterator[Row]:
    """Yield the rows of a table or of JSON; where the name does not say which, the beginning does.

    Raises
    ------
    SourceError
        It is neither.
    """
    suffix, what = path.suffix.lower(), foreign(head_of(path))
    if what not in (None, JSON, ZEROS):
        named = _SPREADSHEETS.get(suffix, str(what))
        raise SourceError(f"{printable(str(path))} is {named}{advice(named, 'save it as CSV')}")
    is_table = suffix in _TABLES if suffix in MANIFEST_SUFFIXES | _TABLES else what != JSON
    return read_csv(path, needs_hashtags) if is_table else read_json(path)


MANIFEST = Lists(
    "manifest",
    "JSON Lines, JSON, CSV or TSV with file_name or uri, and hashtags",
    _manifest,
    _rows,
    eager=True,
)


def _metadata(path: Path) -> list[Path]:
    """Return the lists of an image folder: its own, or one for each split."""
    folders = [path]
    for below in (path, path / "data"):
        if below.is_dir():
            folders += sorted(
                each for each in below.iterdir() if each.is_dir() and _SPLITS.fullmatch(each.name)
            )
    found = [next((each / name for name in _METADATA if (each / name).is_file()), None) for each in folders]
    lists = [each for each in found if each is not None]
    return lists[:1] if found[0] is not None else lists


def _imagefolder(look: Look) -> str:
    if not look.is_folder or not (lists := _metadata(look.path)):
        return ""
    names = [str(each.relative_to(look.path)) for each in lists]
    return f"there is {' and '.join(names[:3])}" + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _labelled(path: Path) -> Iterator[Row]:
    for each in _metadata(path):
        folder = each.parent.relative_to(path)
        split = folder.name if folder.parts else ""

        def fields(row: dict[str, Any], folder: Path = folder, split: str = split) -> Fields:
            return _fields(row, folder, split)

        yield from converted(_read(each, needs_hashtags=False), fields)


def _fields(row: Fields, folder: Path, split: str) -> Fields:
    if folder.parts and isinstance(row.get("file_name"), str):
        row["file_name"] = str(folder / row["file_name"])
    if split:
        row.setdefault("split", split)
    return free_fields(row)


def free_fields(row: Fields) -> Fields:
    """Return a row whose columns are free, with the hashtags of whichever column has some."""
    if not any(column(name) == "hashtags" for name in row):
        for name in _HASHTAGS:
            if isinstance(value := row.get(name), str | list) and value:
                row["hashtags"] = list(hashtags_of(value))
                break
        else:
            captions = [value for name in _CAPTIONS if isinstance(value := row.get(name), str)]
            row["hashtags"] = [word for text in captions if "#" in text for word in written(text)]
    return row


IMAGEFOLDER = Lists(
    "imagefolder",
    "Hugging Face's: metadata.jsonl or metadata.csv beside photos, or in the folder of each split",
    _imagefolder,
    _labelled,
    eager=True,
)
