"""Fields of a manifest's row: what may be stored, and hashtags, names and times as programs write them."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from unicodedata import normalize
from urllib.parse import urlsplit

from tagdb.errors import RejectedInput
from tagdb.hashtags import printable
from tagdb.photos import cells

MAX_HASHTAGS = 1_000
"""Maximum number of hashtags per row."""

FIELDS = ("file_name", "uri", "hashtags", "collection", "source_ref", "taken_at")
"""What a row says about its photo in columns of its own; everything else is metadata."""

DIGEST, METADATA = "content_sha256", "metadata"
"""Columns that lists of tagdb's own have: all that is metadata is in the second."""

_MAX_DEPTH = 64  # of nested JSON; far below what overflows the stack when it is written again
# Shorter numbers may mean a year, a day, or a day of a spreadsheet; nine digits reach back to 1973.
_UNIX_TIME = re.compile(r"-?(\d{9,})(?:[.,]\d+)?", re.ASCII)
_WRAPPED = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")  # as .NET writes it
_SCIENTIFIC = re.compile(r"\d\.\d+[eE]\+?\d+", re.ASCII)
_PARTS = {11: 1e3, 12: 1e3, 13: 1e3, 15: 1e6, 16: 1e6, 18: 1e9, 19: 1e9}
"""Of a second, in a Unix time with so many digits."""
_COMPACT = re.compile(
    r"((?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]))((?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?)", re.ASCII
)
# EXIF has colons in dates; some programs leave out zeros.
_DATE = re.compile(r"(\d{4})[-:/.](\d\d?)[-:/.](\d\d?)(?:$|[T ]+(\d\d?)(:\d\d.*)$)", re.ASCII)
_ZONE_NAME = re.compile(r"\s*(?:(?:UTC|GMT)$|\[[^]]*\]$)| (?=[+-]\d\d:?\d\d$)")
_FIRST_PHOTO = datetime(1826, 1, 1, tzinfo=UTC)
_SURROGATE = re.compile("[\ud800-\udfff]")
NOT_UTF_8 = re.compile("[\udc80-\udcff]")  # what the bytes were decoded to
_NO_TIME = frozenset(["-", "?", "unknown", "0000-00-00 00:00:00", "0000:00:00 00:00:00"])
_WINDOWS_1252 = {
    ord(char): byte for byte in range(0x80, 0xA0) if (char := bytes([byte]).decode("cp1252", "ignore"))
}
# May be what it seems, as in CAFÉ…, Spaß’ and VÝŠKA, unlike a capital after a lower case letter, zdjÄ™cie.
_UNSURE = re.compile("(?:(?<![a-z])[Ä-Þ]|[ß-ô])[\xa0»‘’“”•–—™›…ŠšŽžŒœŸƒªº]+")


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Takes the place of an object with a repeated key until check() rejects it; decoding continues."""

    name: str


def check(value: Any, where: str, depth: int = 0, *, in_hashtags: bool = False) -> int:
    """Reject what PostgreSQL's text and jsonb cannot hold, and what JSON does not allow.

    Characters of hashtags are left to ``fold``, so that one of them costs its hashtag only.

    Returns
    -------
    int
        Approximate memory taken by the value, in bytes.
    """
    size = 64
    if depth > _MAX_DEPTH:
        raise RejectedInput(f"nested too deeply: {where}", "invalid_record")
    if isinstance(value, str):
        if NOT_UTF_8.search(value):
            raise RejectedInput(f"not valid UTF-8: {where}; save the file as UTF-8", "invalid_record")
        if "\0" in value and not in_hashtags:
            raise RejectedInput(f"a NUL character in {where}", "invalid_record")
        if _SURROGATE.search(value) and not in_hashtags:
            raise RejectedInput(f"half a character in {where}", "invalid_record")
        size += len(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise RejectedInput(f"not a finite number: {where}", "invalid_record")
    elif isinstance(value, Duplicate):
        raise RejectedInput(f"key given twice in one object: {value.name}", "invalid_record")
    elif isinstance(value, list):
        size += sum(check(item, where, depth + 1, in_hashtags=in_hashtags) for item in value)
    elif isinstance(value, dict):
        for name, item in value.items():
            size += check(name, "the name of a field", depth + 1)
            hashtags = depth == 0 and name == "hashtags"
            size += check(item, printable(name, 40), depth + 1, in_hashtags=hashtags)
    return size


def own_metadata(row: dict[str, Any]) -> dict[str, Any] | None:
    """Return the metadata of a row that tagdb exported: an object, or JSON in a text; None for other rows.

    Whatever else such a row has besides ``FIELDS`` tagdb computes itself.
    """
    if DIGEST not in row or not isinstance(metadata := row.get(METADATA), str | dict):
        return None
    if isinstance(metadata, str):
        try:
            metadata = json.loads(metadata)
        except (ValueError, RecursionError):
            return None
    return metadata if isinstance(metadata, dict) else None


def text_of(row: dict[str, Any], name: str) -> str | None:
    """Return a field of a row as a text, which may be a number there, or None if it is empty or missing."""
    value = row.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if value is not None and not isinstance(value, str):
        raise RejectedInput(f"{name} must be a string: {as_json(value)}", "invalid_record")
    return value or None


def hashtags_of(value: object) -> tuple[str, ...]:
    """Return hashtags, not folded, from a list of strings or from one string, which is split."""
    try:
        hashtags = [*(cells.words(repaired(value).strip()) if isinstance(value, str) else cells.items(value))]
    except TypeError:
        raise RejectedInput(
            f"hashtags must be a list of strings, or one string: {as_json(value)}", "invalid_record"
        ) from None
    if len(hashtags) > MAX_HASHTAGS:
        raise RejectedInput(f"{len(hashtags)} hashtags; at most {MAX_HASHTAGS} are allowed", "invalid_record")
    return tuple(map(repaired, hashtags))


def repaired(text: str) -> str:
    """Return a text that was UTF-8 and has been read as Latin-1 or Windows-1252, if that is certain.

    ``cafÃ©`` gives ``café``; other texts are returned as they are.
    """
    if text.isascii() or _UNSURE.sub("", text).isascii():
        return text
    try:
        return text.translate(_WINDOWS_1252).encode("latin-1").decode()
    except UnicodeError:
        return text


def spellings(name: str) -> Iterator[str]:
    """Yield how else a file's name may be written on this disk: with other slashes, accents or encoding."""
    if len(name) > 5_000:  # longer than any path may be
        return
    seen = {name}
    for change in (str.strip, lambda text: text.replace("\\", "/"), repaired):
        name = change(name)
        folder, slash, file = name.rpartition("/")
        normal = product(*([normalize(form, part) for form in ("NFC", "NFD")] for part in (folder, file)))
        for text in (name, *(slash.join(parts) for parts in normal)):
            if text not in seen:
                seen.add(text)
                yield text


def path_of(uri: str) -> str:
    """Return the path that a ``file:`` URI names."""
    from urllib.request import url2pathname  # imports all of HTTP, for a rare case

    try:
        parts = urlsplit(uri)
    except ValueError:
        raise RejectedInput(f"not a valid uri: {printable(uri, 200)}", "invalid_record") from None
    if parts.netloc not in ("", "localhost"):
        raise RejectedInput(f"file on another machine: {printable(uri, 200)}", "not_allowed")
    return url2pathname(parts.path)


def time_of(value: object) -> datetime | None:
    """Return a time in UTC from a date and time (UTC if it has no zone) or Unix time; None for no value.

    Dates are written as in ISO 8601 or EXIF, with the year first. Unix time is in seconds, or in milli-,
    micro- or nanoseconds if it has as many digits; eight, twelve or fourteen are a date, or date and time.
    """
    if isinstance(value, dict) and len(value) == 1:  # {"$date": …}
        (value,) = value.values()
    text = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    if value is None or (isinstance(value, str) and (cells.is_empty(text) or text in _NO_TIME)):
        return None
    try:
        if isinstance(value, float) or _SCIENTIFIC.fullmatch(text):
            text = f"{float(text):.6f}"
        if digits := _UNIX_TIME.fullmatch(_WRAPPED.sub(r"\1", text)):
            number, length = digits[0], len(digits[1])
            if not (length in (12, 14) and digits[1][:2] in ("18", "19", "20")):  # a broken date
                return datetime.fromtimestamp(float(number.replace(",", ".")) / _PARTS.get(length, 1), UTC)
        if date := _DATE.match(text):
            year, month, day, hour, rest = date.groups()
            clock = f"T{hour:0>2}{_ZONE_NAME.sub('', rest)}" if hour else ""
            time = datetime.fromisoformat(f"{year}-{month:0>2}-{day:0>2}{clock}")
        else:
            compact = _COMPACT.fullmatch(text)
            time = datetime.fromisoformat(f"{compact[1]}T{compact[2]}" if compact else text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (OSError, OverflowError, ValueError):
        pass
    raise RejectedInput(
        f"taken_at must be a time as in ISO 8601, or Unix time: {as_json(value)}", "invalid_record"
    )


def plausible(time: datetime) -> bool:
    """Whether a photo can be of that time: not before the first one, nor later than tomorrow."""
    return _FIRST_PHOTO <= time <= datetime.now(UTC) + timedelta(days=1)


def as_json(value: object) -> str:
    """Return the beginning of a value as JSON, for messages."""
    return printable(json.dumps(value, ensure_ascii=False), 40)


def why(error: Exception) -> str:
    """Return the message of an error, in printable characters."""
    return printable(getattr(error, "strerror", None) or str(error), 200)
