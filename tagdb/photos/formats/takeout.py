"""Google Takeout's photos: ``PHOTO.json`` or ``PHOTO.supplemental-metadata.json`` beside each.

Names of these files are cut off at 46 characters before ``.json``; the number of a second ``IMG.jpg`` comes
after the suffix, ``IMG.jpg(1).json`` for ``IMG(1).jpg``; edited photos have none of their own.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from tagdb.hashtags import written
from tagdb.photos.formats import Beside, Describe, Fields
from tagdb.photos.formats.look import Look, json_of
from tagdb.photos.places import Root

_CUT = 46
_ADDED = ".supplemental-metadata"
_NUMBER = re.compile(r"\((\d+)\)$")
_BY_YEAR = re.compile(r".*\b(19|20)\d\d")  # "Photos from 2019", in any language
_EDITED = re.compile(r"-(edited|bearbeitet|modifié|editado|modificato|bewerkt|edytowane|編集済み)$")

_Name = tuple[str, str]
"""Name of a photo without its number, and the number."""


def _claim(look: Look) -> str:
    for path, value in look.objects:
        if "photoTakenTime" in value:
            return f"{path.name} was written by Google Takeout"
    return ""


def _described(json_name: str) -> _Name:
    """Return which photo a JSON file is about; the name may be cut off."""
    name = json_name[: -len(".json")]
    number = ""
    if found := _NUMBER.search(name):
        number, name = found[1], name[: found.start()]
    at = name.rfind(".")
    if at > 0 and len(name) - at > 1 and _ADDED.startswith(name[at:].lower()):
        name = name[:at]
    return name, number


def _named(photo: str) -> _Name:
    stem, dot, suffix = photo.rpartition(".")
    found = _NUMBER.search(stem)
    return (stem[: found.start()] + dot + suffix, found[1]) if found else (photo, "")


def _describe(root: Root) -> Describe:
    @lru_cache(maxsize=16)
    def in_folder(folder: Path) -> dict[_Name, Path]:
        return {_described(each.name): each for each in sorted(folder.glob("*.json"))}

    def of(photo: Path) -> Path | None:
        there = in_folder(photo.parent)
        original = photo.with_name(_EDITED.sub("", photo.stem) + photo.suffix)
        for name, number in (_named(photo.name), _named(original.name)):
            if found := there.get((name, number)):
                return found
            for (cut, other), path in there.items() if len(name) >= _CUT - 5 else ():
                if other == number and len(cut) >= _CUT - 10 and name.startswith(cut):
                    return path
        return None

    def describe(photo: Path) -> tuple[Path, Fields]:
        folder = photo.parent.name
        row: Fields = (
            {} if _BY_YEAR.fullmatch(folder) or photo.parent == root.folder else {"collection": folder}
        )
        beside = of(photo)
        if beside and (file := root.beside(beside)) and isinstance(value := json_of(file), dict):
            return beside, row | _fields(value)
        return photo, row

    return describe


def _fields(value: dict[str, Any]) -> Fields:
    description, taken = value.get("description"), value.get("photoTakenTime")
    caption = description if isinstance(description, str) else ""
    said: Fields = {
        "hashtags": written(caption) if "#" in caption else [],
        "taken_at": taken.get("timestamp") if isinstance(taken, dict) else None,
        "title": value.get("title"),
        "description": caption,
        "favorited": value.get("favorited"),
        "url": value.get("url"),
    }
    return {name: each for name, each in said.items() if each not in (None, "")}


def _own(path: str) -> bool:
    return path.lower().endswith(".json")


FORMAT = Beside("takeout", "Google Takeout's photos", _claim, _describe, _own)
