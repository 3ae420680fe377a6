"""Fields of a manifest's row: what may be stored, and hashtags, names and times as programs write them."""

import ast
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
from tagdb.hashtags import printable, written

MAX_HASHTAGS = 1_000
"""Maximum number of hashtags per row."""

FIELDS = ("file_name", "uri", "hashtags", "collection", "source_ref", "taken_at")
"""What a row says about its photo in columns of its own; everything else is metadata."""

DIGEST, METADATA = "content_sha256", "metadata"
"""Columns that lists of tagdb's own have: all that is metadata is in the second."""

_MAX_DEPTH = 64  # of nested JSON; far below what overflows the stack when it is written again
# Shorter numbers in a string may mean a year or a day; nine digits reach back to 1973.
_UNIX_TIME = re.compile(r"-?\d{9,}(?:\.\d+)?", re.ASCII)
_PARTS = {13: 1e3, 16: 1e6, 19: 1e9}  # of a second, in a Unix time with so many digits
_COMPACT = re.compile(
    r"((?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]))((?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?)", re.ASCII
)
_DAY = re.compile(r"(\d{4})[:/.](\d\d)[:/.](\d\d)\b", re.ASCII)  # EXIF has colons in it
_FIRST_PHOTO = datetime(1826, 1, 1, tzinfo=UTC)
_SURROGATE = re.compile("[\ud800-\udfff]")
NOT_UTF_8 = re.compile("[\udc80-\udcff]")  # what the bytes were decoded to
# What pandas, databases and Excel write where there is no value.
NO_VALUE = frozenset(["", "NaN", "nan", "NaT", "None", "null", "NULL", "<NA>", "\\N", "n/a", "N/A", "#N/A"])
NO_VALUE |= {"#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!"}
_NO_TIME = NO_VALUE | {"-", "?", "unknown", "NA", "0000-00-00 00:00:00", "0000:00:00 00:00:00"}
# Lists as Python, JSON and PostgreSQL write them: ['sea', "sun"], {sea,sun}, ('sea',); and as NumPy and R do:
# array(['sea'], dtype=object), c("sea", "sun")
_CALL = re.compile(r"(?:array|c|frozenset|list|set|tuple)\((.*?)(?:, dtype=\S+)?\)", re.DOTALL)
_LIST = re.compile(r"""\[([^][]*)]|\{([^{}]*)}|\((\s*['"][^()]*)\)""")
_LIST_ITEM = re.compile(
    r"""("[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*')|([^\s,"'][^\s,]*)""", re.DOTALL
)
_MAX_LIST = 1 << 18  # characters; for this, MAX_HASHTAGS would be long ones
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
        raise RejectedInput(f"nested too deeply: {where}")
    if isinstance(value, str):
        if NOT_UTF_8.search(value):
            raise RejectedInput(f"not valid UTF-8: {where}; save the file as UTF-8")
        if "\0" in value and not in_hashtags:
            raise RejectedInput(f"a NUL character in {where}")
        if _SURROGATE.search(value) and not in_hashtags:
            raise RejectedInput(f"not valid UTF-8: {where}")
        size += len(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise RejectedInput(f"not a finite number: {where}")
    elif isinstance(value, Duplicate):
        raise RejectedInput(f"key given twice in one object: {value.name}")
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
    """Return a string field of a row, or None if it is empty or missing."""
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise RejectedInput(f"{name} must be a string: {as_json(value)}")
    return value or None


def hashtags_of(value: object) -> tuple[str, ...]:
    """Return hashtags, not folded, from a list of strings or from one string, which is split."""
    if value is None:
        return ()
    hashtags = _words(repaired(value).strip()) if isinstance(value, str) else value
    # None is a missing value, as in a column of numbers
    if not isinstance(hashtags, list) or not all(isinstance(one, str | None) for one in hashtags):
        raise RejectedInput(f"hashtags must be a list of strings, or one string: {as_json(value)}")
    if len(hashtags) > MAX_HASHTAGS:
        raise RejectedInput(f"{len(hashtags)} hashtags; at most {MAX_HASHTAGS} are allowed")
    return tuple(repaired(hashtag) for hashtag in hashtags if hashtag is not None)


def _words(text: str) -> list[str]:
    """Return the items of a written list, or the hashtags of another text."""
    if len(text) > _MAX_LIST:
        return written(text)
    if called := _CALL.fullmatch(text):
        text = called[1] if called[1][:1] in ("[", "{", "(") else f"({called[1]})"
    if not (listed := _LIST.fullmatch(text)):
        return written(text)
    items = _LIST_ITEM.findall(listed[listed.lastindex or 0])
    return [_unquoted(quoted) if quoted else bare for quoted, bare in items if quoted or bare not in NO_VALUE]


def _unquoted(text: str) -> str:
    """Return the string that a literal of JSON, Python or PostgreSQL stands for."""
    if "\\" not in text:
        return text[1:-1]
    for read in (json.loads, ast.literal_eval):  # JSON first: it pairs surrogates
        try:
            return str(read(text))
        except (SyntaxError, ValueError):
            pass
    return re.sub(r"\\(.)", r"\1", text[1:-1])


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
        raise RejectedInput(f"not a valid uri: {printable(uri, 200)}") from None
    if parts.netloc not in ("", "localhost"):
        raise RejectedInput(f"file on another machine: {printable(uri, 200)}")
    return url2pathname(parts.path)


def time_of(value: object) -> datetime | None:
    """Return a time in UTC from a date and time (UTC if it has no zone) or Unix time; None for no value.

    Dates are written as in ISO 8601 or EXIF, with the year first. Unix time is in seconds, or in milli-,
    micro- or nanoseconds if it has 13, 16 or 19 digits; twelve or fourteen are date and time.
    """
    if isinstance(value, str):
        value = value.strip()
    if value is None or (isinstance(value, str) and value in _NO_TIME):
        return None
    if not isinstance(value, bool) and (compact := _COMPACT.fullmatch(str(value))):
        value = f"{compact[1]}T{compact[2]}"
    try:
        if isinstance(value, str) and not _UNIX_TIME.fullmatch(value):
            time = datetime.fromisoformat(_DAY.sub(r"\1-\2-\3", value, count=1))
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            digits = len(str(value).lstrip("-").partition(".")[0])
            return datetime.fromtimestamp(float(value) / _PARTS.get(digits, 1), UTC)
    except (OSError, OverflowError, ValueError):
        pass
    raise RejectedInput(f"taken_at must be a time as in ISO 8601, or Unix time: {as_json(value)}")


def plausible(time: datetime) -> bool:
    """Whether a photo can be of that time: not before the first one, nor later than tomorrow."""
    return _FIRST_PHOTO <= time <= datetime.now(UTC) + timedelta(days=1)


def as_json(value: object) -> str:
    """Return the beginning of a value as JSON, for messages."""
    return printable(json.dumps(value, ensure_ascii=False), 40)


def why(error: Exception) -> str:
    """Return the message of an error, in printable characters."""
    return printable(getattr(error, "strerror", None) or str(error), 200)
