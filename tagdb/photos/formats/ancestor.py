"""Scraped posts: ``metadata/COLLECTION.json`` beside ``data/COLLECTION/``."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from tagdb.errors import RejectedInput
from tagdb.photos.fields import text_of
from tagdb.photos.formats import Fields, Lists
from tagdb.photos.formats.look import Look
from tagdb.photos.json_rows import read_json
from tagdb.photos.manifests import Row, converted


def _lists(path: Path) -> list[Path]:
    """Regular files only: opening a FIFO would block."""
    return sorted(each for each in (path / "metadata").glob("*.json") if each.is_file())


def _claim(look: Look) -> str:
    if not (look.path / "data").is_dir() or not (lists := _lists(look.path)):
        return ""
    return f"metadata/ has {len(lists)} list{'s' * (len(lists) > 1)} beside data/"


def _rows(path: Path) -> Iterator[Row]:
    return converted(chain.from_iterable(map(read_json, _lists(path))), _fields)


def _fields(row: dict[str, Any]) -> Fields:
    folder, file = (text_of(row, name) for name in ("search_hashtag", "image_local_name"))
    if not folder or not file:
        raise RejectedInput(
            "search_hashtag and image_local_name must both be given to name the file", "invalid_record"
        )
    known = {
        "file_name": f"{folder}/{file}",
        "collection": folder,
        "source_ref": row.get("post_link"),
        "hashtags": row.get("hashtags"),
    }
    used = {"search_hashtag", "image_local_name", "post_link", *known}
    used |= {"image"} if row.get("image") is None else set()
    return known | {name: value for name, value in row.items() if name not in used}


FORMAT = Lists(
    "scraped",
    "metadata/COLLECTION.json beside data/COLLECTION/",
    _claim,
    _rows,
    lambda path: path / "data",
)
