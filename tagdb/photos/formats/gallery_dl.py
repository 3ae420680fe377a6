"""Downloads by gallery-dl: ``PHOTO.json`` or ``PHOTO.txt`` beside each photo, or ``data.jsonl`` for a folder.

Sites name things differently. The names here are those of gallery-dl's extractors, in the order in which
they are preferred.
"""

import html
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from tagdb.hashtags import joined, written
from tagdb.photos.fields import hashtags_of
from tagdb.photos.formats import Beside, Describe, Fields
from tagdb.photos.formats.look import Look, json_of, text_of
from tagdb.photos.json_rows import read_json
from tagdb.photos.places import Root

_NAMES = ("name", "tag", "text", "raw")
_TAGS = ("tags", "hashtags", "tag_string", "keywords")
_CAPTIONS = ("description", "content", "caption", "text", "selftext", "title")
_DATES = ("date", "post_date", "created_at", "taken_at")
_POSTS = ("post_url", "permalink", "uri", "webpage_url")
_IDS = ("post_id", "tweet_id", "status_id", "shortcode", "id")
_LONGEST = 10_000
"""Longest text that is kept as metadata, in characters."""
_MARKUP = re.compile(r"<br\s*/?>|</p>|<[^>]*>", re.IGNORECASE)
_DATA = ("data.jsonl", "metadata.jsonl", "info.jsonl")


def _claim(look: Look) -> str:
    for path, value in look.objects:
        if "category" in value and ("subcategory" in value or "extension" in value):
            return f"{path.name} was written by gallery-dl"
    for path in look.names:
        if path.name == "data.jsonl":
            _, _, first = next(read_json(path), (None, None, None))
            if isinstance(first, dict) and "category" in first:
                return f"{path.name} was written by gallery-dl"
    return ""


def _describe(root: Root) -> Describe:
    @lru_cache(maxsize=16)
    def in_folder(folder: Path) -> dict[str, tuple[Path, Fields]]:
        """Return the rows of a folder's list by the name of their file."""
        rows: dict[str, tuple[Path, Fields]] = {}
        for name in _DATA:
            if root.beside(folder / name):
                for _, _, row in read_json(folder / name):
                    if isinstance(row, dict) and row.get("filename"):
                        rows[f"{row['filename']}.{row.get('extension')}"] = folder / name, row
        return rows

    def describe(photo: Path) -> tuple[Path, Fields]:
        for beside in (photo.with_name(f"{photo.name}.json"), photo.with_suffix(".json")):
            if (file := root.beside(beside)) and isinstance(row := json_of(file), dict):
                return beside, fields(row)
        if found := in_folder(photo.parent).get(photo.name):
            return found[0], fields(found[1])
        for beside in (photo.with_name(f"{photo.name}.txt"), photo.with_suffix(".txt")):
            if (file := root.beside(beside)) and (text := text_of(file)) is not None:
                return beside, {"hashtags": [_joined(line) for line in text.splitlines() if line.strip()]}
        return photo, {}

    return describe


def fields(row: dict[str, Any]) -> Fields:
    """Return what gallery-dl's metadata says about a photo."""
    original = row["reblog"] if isinstance(row.get("reblog"), dict) else row
    said: Fields = {
        "hashtags": _hashtags(row),
        "source_ref": _post(original),
        "taken_at": next((row[name] for name in _DATES if row.get(name)), None),
        "collection": row.get("search_tags") or None,
    }
    used = {"filename", "extension", "uri", *_DATES, *said}  # "uri": the post's, which is no photo's
    return said | {
        name: value
        for name, value in row.items()
        if name not in used and not name.startswith("_") and _is_plain(value)
    }


def _is_plain(value: object) -> bool:
    return isinstance(value, bool | int | float) or (isinstance(value, str) and 0 < len(value) <= _LONGEST)


def _hashtags(row: dict[str, Any]) -> list[str]:
    for name in _TAGS:
        if tags := _words(row.get(name)):
            return tags
    captions = [text for name in _CAPTIONS if isinstance(text := row.get(name), str) and "#" in text]
    return [word for text in captions for word in written(html.unescape(_MARKUP.sub(_gap, text)))]


def _gap(markup: re.Match[str]) -> str:
    """Return what markup leaves between words: those of a hashtag may be marked within it."""
    return "" if markup[0].lower().startswith(("<a", "</a", "<span", "</span")) else " "


def _words(tags: object) -> list[str]:
    if isinstance(tags, str):
        separated = "," in tags and "#" not in tags  # then words of one may be apart
        return [_joined(each) for each in tags.split(",")] if separated else [*hashtags_of(tags)]
    if isinstance(tags, dict):  # by language, or by kind
        tags = [each for value in tags.values() for each in (value if isinstance(value, list) else [value])]
    if not isinstance(tags, list):
        return []
    names = (next(filter(None, map(tag.get, _NAMES)), None) if isinstance(tag, dict) else tag for tag in tags)
    return [_joined(name) for name in names if isinstance(name, str)]


def _joined(words: str) -> str:
    return joined(words) or words  # what comes to nothing is refused by its name


def _post(row: dict[str, Any]) -> str | None:
    """Return what the photos of one post, and re-posts of it, have in common."""
    for name in _POSTS:
        if isinstance(row.get(name), str) and row[name]:
            return str(row[name])
    if code := row.get("post_shortcode"):
        return f"https://www.instagram.com/p/{code}/"
    number = row.get("retweet_id") or next((row[name] for name in _IDS if row.get(name)), None)
    return f"{row.get('category', 'post')}:{number}" if isinstance(number, int | str) else None


def _own(path: str) -> bool:
    return path.lower().endswith((".json", ".txt", ".jsonl"))


FORMAT = Beside("gallery-dl", "photos with gallery-dl's metadata beside them", _claim, _describe, _own)
