"""tagdb's own lists, and Hugging Face's image folders."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tagdb.hashtags import written
from tagdb.photos.csv_rows import read_csv
from tagdb.photos.fields import hashtags_of
from tagdb.photos.formats import Fields, Lists
from tagdb.photos.formats.look import Look
from tagdb.photos.json_rows import read_json
from tagdb.photos.kinds import MANIFEST_SUFFIXES
from tagdb.photos.manifests import Row, column, converted

_TABLES = frozenset([".csv", ".tsv", ".txt"])  # the last as Excel names its Unicode text
_METADATA = ("metadata.jsonl", "metadata.csv")
"""Lists of the photos in a folder; the first counts."""
_SPLITS = re.compile(r"(train|training|test|testing|eval|evaluation|dev|valid|validation)\b.*", re.IGNORECASE)
_HASHTAGS = ("tags", "keywords", "labels", "label", "category", "categories")
_CAPTIONS = ("caption", "captions", "text", "description", "title")


def _manifest(look: Look) -> str:
    suffix = look.path.suffix.lower()
    return (
        f"its name ends with {suffix}"
        if not look.is_folder and suffix in MANIFEST_SUFFIXES | {".txt"}
        else ""
    )


def _rows(path: Path) -> Iterator[Row]:
    return read_csv(path) if path.suffix.lower() in _TABLES else read_json(path)


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

        rows = read_csv(each, needs_hashtags=False) if each.suffix == ".csv" else read_json(each)
        yield from converted(rows, fields)


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
