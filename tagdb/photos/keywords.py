"""Keywords that are written in or beside a photo, and the hashtags that they come to.

A keyword is a free text, alone or below others: ``Places|Italy|Lake Como``. A hashtag is one word.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from itertools import chain
from typing import Any, Literal, get_args

from tagdb.errors import ConfigError, RejectedInput
from tagdb.hashtags import fold, joined, printable, written
from tagdb.photos.fields import plausible, time_of

MAX_KEYWORDS = 1_000
"""Most keywords of a photo that are used."""
MAX_CHARACTERS = 1 << 16
"""Most characters of its keywords that are read."""
MAX_TITLE = 1_000
"""Most characters of a title that are kept."""

Where = Literal["all", "sidecar", "none"]
"""Where keywords are read: in photos and in sidecars, in sidecars, or nowhere."""
Hierarchy = Literal["leaf", "path"]
"""What of a keyword below others becomes a hashtag: it alone, or each of them."""
Path = tuple[str, ...]
"""A keyword behind those that it lies below, from the top."""

_SEVERAL = re.compile(r"[,;、،，；؛]")
# Branches of digiKam and darktable that say something about the file: labels, its format.
_INTERNAL = frozenset(["_digikam_internal_tags_", "darktable"])
_ROOT = "_Digikam_root_tag_"
_LEAP_SECOND = re.compile(r"(\d\d:\d\d):60\b")
_UNSTORABLE = re.compile("[\0-\x1f\x7f-\x9f\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Description:
    """What is written in or beside a photo about it, within limits."""

    keywords: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()
    """Keywords that lie below others."""
    captioned: tuple[str, ...] = ()
    """Hashtags of its captions, not folded."""
    title: str | None = None
    rating: int | None = None
    """1 to 5, or -1 for a photo that was rejected."""
    taken_at: datetime | None = None
    """In UTC."""
    refused: tuple[str, ...] = ()
    """Why some of it cannot be used: each an ``invalid_field``."""

    def __or__(self, other: "Description") -> "Description":
        """Return both; where there can be one value only, that of the first."""
        if other is NOTHING or self is NOTHING:
            return self if other is NOTHING else other
        pairs = ((getattr(self, each.name), getattr(other, each.name)) for each in fields(self))
        return Description(*((a + b if isinstance(a, tuple) else b if a is None else a) for a, b in pairs))

    @property
    def metadata(self) -> dict[str, object]:
        """What of it is stored as metadata."""
        given = {"title": self.title, "rating": self.rating}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def size(self) -> int:
        """Return the approximate memory that it takes, in bytes."""
        words = (*self.keywords, *self.captioned, *self.refused, *chain.from_iterable(self.paths))
        return sum(64 + len(word) for word in words)

    def hashtags(self, hierarchy: Hierarchy) -> tuple[list[str], list[RejectedInput]]:
        """Return the hashtags, not folded, at most ``MAX_KEYWORDS``, and why others cannot be used."""
        hashtags = dict.fromkeys(self.captioned)
        refused = [RejectedInput(reason, "invalid_field") for reason in self.refused]
        for keyword in dict.fromkeys(self._words(hierarchy)):
            try:
                if not (hashtag := joined(keyword)):
                    raise RejectedInput("nothing in it can be part of a hashtag", "invalid_hashtag")
                fold(hashtag)
                hashtags[hashtag] = None
            except RejectedInput as error:
                reason = f"keyword '{printable(keyword, 40)}': {error}"
                refused.append(RejectedInput(reason, error.reason_code))
        if len(hashtags) > MAX_KEYWORDS:
            reason = f"{len(hashtags)} keywords; only the first {MAX_KEYWORDS} are used"
            refused.append(RejectedInput(reason, "invalid_field"))
        return list(hashtags)[:MAX_KEYWORDS], refused

    def _words(self, hierarchy: Hierarchy) -> Iterator[str]:
        """Yield keywords.

        Programs write the levels of a path as keywords of their own, too. Only the path says which of them
        are wanted.
        """
        paths = [*self.paths, *(levels(each, "|") for each in self.keywords if "|" in each)]
        internal = [path for path in paths if len(path) > 1 and path[0].casefold() in _INTERNAL]
        own = dict.fromkeys(path for path in paths if path and path not in internal)
        known = {joined(each).casefold() for path in paths for each in (*path, "".join(path))}
        for keyword in self.keywords:
            if "|" not in keyword and joined(keyword).casefold() not in known:
                yield from (each for each in _split(keyword) if joined(each).casefold() not in known)
        for path in own:
            yield from path if hierarchy == "path" else path[-1:]


NOTHING = Description()


def as_json(description: Description) -> dict[str, object] | None:
    """Return a description as JSON, without the time; None for nothing."""
    if description == NOTHING:
        return None
    return {name: value for name, value in asdict(description).items() if name != "taken_at"}


def from_json(value: dict[str, Any] | None) -> Description:
    """Return the description that was made JSON."""
    if value is None:
        return NOTHING
    lists = {name: tuple(each) for name, each in value.items() if isinstance(each, list)}
    return Description(**(value | lists | {"paths": tuple(map(tuple, value["paths"]))}))


def description(
    keywords: Iterable[str] = (),
    paths: Iterable[Path] = (),
    captions: Iterable[str] = (),
    title: str | None = None,
    rating: int | None = None,
    taken_at: datetime | None = None,
) -> Description:
    """Return a description within limits; what is beyond them is refused."""
    captioned = (each for text in captions if "#" in text or "＃" in text for each in written(text))
    room = _Room()
    return Description(
        tuple(each for each in keywords if room.holds(each)),
        tuple(path for path in paths if room.holds(*path)),
        tuple(each for each in captioned if room.holds(each)),
        _UNSTORABLE.sub(" ", title or "").strip()[:MAX_TITLE] or None,
        rating,
        taken_at,
        room.refused(),
    )


class _Room:
    """What is left of the limits."""

    def __init__(self) -> None:
        self._keywords, self._characters, self._beyond = MAX_KEYWORDS, MAX_CHARACTERS, 0

    def holds(self, *words: str) -> bool:
        """Take room for a keyword, if there is enough."""
        characters = sum(map(len, words))
        if not self._keywords or characters > self._characters:
            self._beyond += 1
            return False
        self._keywords, self._characters = self._keywords - 1, self._characters - characters
        return True

    def refused(self) -> tuple[str, ...]:
        """Return what was left out, in words."""
        limits = f"{MAX_KEYWORDS}, and {MAX_CHARACTERS} characters, are read"
        return (f"too many keywords: {self._beyond} are left out; at most {limits}",) if self._beyond else ()


def levels(text: str, separator: str) -> Path:
    """Return the path that is written in one text, without what digiKam calls its root."""
    return tuple(each for level in text.split(separator) if (each := level.strip()) not in ("", _ROOT))


def rating_in(text: str, percent: bool = False) -> int | None:
    """Return a rating of 1 to 5 or -1; None for no rating, which is 0.

    Windows writes percent: 1, 25, 50, 75 and 99 for one to five stars.
    """
    with suppress(ValueError, OverflowError):
        value = float(text)
        if percent:
            value = round(value / 25) + 1 if 0 < value < 100 else 0
        if 1 <= value <= 5 or value == -1:
            return int(value)
    return None


def time_in(text: str) -> datetime | None:
    """Return a time in UTC, if it is a photo's."""
    with suppress(RejectedInput):
        if (time := time_of(_LEAP_SECOND.sub(r"\1:59", text))) is not None and plausible(time):
            return time
    return None


def check(where: str, hierarchy: str) -> None:
    """Raise ConfigError unless both are known."""
    for name, value, known in (("keywords", where, Where), ("hierarchy", hierarchy, Hierarchy)):
        if value not in get_args(known):
            raise ConfigError(f"{name} must be one of {', '.join(get_args(known))}, not {value!r}")


def _split(text: str) -> list[str]:
    """Return the keywords of an item into which a program has written several."""
    if text.lstrip().startswith(("#", "＃")) and sum(map(text.count, "#＃")) > 1:
        return written(text)
    return [each for each in _SEVERAL.split(text) if each.strip()]
