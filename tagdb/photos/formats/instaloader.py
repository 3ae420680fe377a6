"""Downloads by instaloader: ``TIME_UTC.json.xz``, ``.json`` or ``.txt`` beside ``TIME_UTC.jpg``.

The photos of a post with several are numbered, ``TIME_UTC_1.jpg``, and share its file.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from tagdb.hashtags import written
from tagdb.photos.formats import Beside, Describe, Fields
from tagdb.photos.formats.look import Look, json_of, text_of
from tagdb.photos.places import Root

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)_(\d\d-\d\d-\d\d)_UTC(_\d+)?\.(jpe?g|webp|png|heic)", re.IGNORECASE)
_NUMBER = re.compile(r"_\d{1,3}$")


def _claim(look: Look) -> str:
    for path, value in look.objects:
        if isinstance(value.get("instaloader"), dict):
            return f"{path.name} was written by instaloader"
    named = next((path.name for path in look.names if _TIME.fullmatch(path.name)), "")
    return f"{named} is named as instaloader does" if named else ""


def _describe(root: Root) -> Describe:
    @lru_cache(maxsize=64)
    def post(base: Path) -> tuple[Path, Fields] | None:
        """Return what is known about a post by the name that its files have in common."""
        for suffix in (".json.xz", ".json"):
            beside = base.with_name(base.name + suffix)
            if (file := root.beside(beside)) and isinstance(value := json_of(file), dict):
                node = value.get("node", value)
                return beside, _fields(node) if isinstance(node, dict) else {}
        beside = base.with_name(f"{base.name}.txt")
        if (file := root.beside(beside)) and (text := text_of(file)) is not None:
            said = {"hashtags": _hashtags(text), "caption": text, "source_ref": beside.as_uri()}
            return beside, said
        return None

    def describe(photo: Path) -> tuple[Path, Fields]:
        whole = photo.with_suffix("")
        said, row = post(whole) or post(whole.with_name(_NUMBER.sub("", whole.name))) or (photo, {})
        named: Fields = {}
        if time := _TIME.match(photo.name):
            named["taken_at"] = f"{time[1]} {time[2].replace('-', ':')}"
        if photo.parent.name[:1] == "#":  # of a download by hashtag
            named["collection"] = photo.parent.name[1:] or None
        return said, named | row

    return describe


def _fields(node: dict[str, Any]) -> Fields:
    caption = _caption(node)
    code, owner = node.get("shortcode") or node.get("code"), node.get("owner")
    said: Fields = {
        "hashtags": _hashtags(caption),
        "source_ref": f"https://www.instagram.com/p/{code}/" if isinstance(code, str) else None,
        "taken_at": node.get("taken_at_timestamp") or node.get("taken_at") or node.get("date"),
        "caption": caption,
        "username": owner.get("username") if isinstance(owner, dict) else None,
        "likes": _count(node.get("edge_media_preview_like")) or _count(node.get("edge_liked_by")),
        "accessibility_caption": node.get("accessibility_caption"),
    }
    return {name: value for name, value in said.items() if value not in (None, "")}


def _hashtags(caption: str) -> list[str]:
    return written(caption) if "#" in caption or "＃" in caption else []


def _caption(node: dict[str, Any]) -> str:
    edges = node.get("edge_media_to_caption")
    try:
        text = edges["edges"][0]["node"]["text"] if edges else node.get("caption")
    except (IndexError, KeyError, TypeError):
        text = node.get("caption")
    if isinstance(text, dict):
        text = text.get("text")
    return text if isinstance(text, str) else ""


def _count(edge: object) -> int | None:
    count = edge.get("count") if isinstance(edge, dict) else None
    return count if isinstance(count, int) else None


def _own(path: str) -> bool:
    return path.lower().endswith((".json", ".json.xz", ".txt"))


FORMAT = Beside("instaloader", "instaloader's photos, captions and posts", _claim, _describe, _own)
