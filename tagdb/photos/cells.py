"""Cells of tables: which of them have no value, and lists as programs write them into one."""

import ast
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from tagdb.hashtags import written

# What pandas, R, databases and spreadsheets write where there is no value; the last also in their languages.
_NONE = frozenset(["", "NaN", "nan", "NaT", "None", "null", "NULL", "<NA>", "NA", "\\N", "n/a", "N/A"])
_NONE |= {"undefined", "(null)", "<null>", "#N/A", "#NV", "#N/D", "#N/V"}
_ERROR = re.compile(r"#[A-Z\u00c0-\u00dd0-9_/]+[!?]|Err:\d+")

MAX_LIST = 1 << 18
"""Longest list in a cell, in characters; for this, a thousand hashtags would be long ones."""

# Lists as Python, JSON and PostgreSQL write them, with or without quotation marks: ['sea' sun], {sea,sun}
_LIST = re.compile(r"""\[([^][]*)]|\{([^{}]*)}|\((\s*['"][^()]*)\)""")
_ITEM = re.compile(r"""("[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*')|([^\s,|"'][^\s,|]*)""", re.DOTALL)
# array(['sea'], dtype=object), c("sea", "sun"), Index([...]), frozenset({...})
_CALL = re.compile(r"""[A-Za-z]\w*\(\s*([\[({"'].*?)(?:,\s*\w+=[^\s,]+)*\s*\)""", re.DOTALL)
_SCALAR = re.compile(r"""\bnp\.str_\(('[^'\\]*'|"[^"\\]*")\)""")
_ADJACENT = re.compile(r"""['"]\s+['"]""")
_MARKED = re.compile(r"(?:<[^<>\s]+>)+")
_NAMES = ("name", "tag", "text", "hashtag")


def is_empty(cell: str) -> bool:
    """Whether a cell has no value."""
    cell = cell.strip()
    return cell in _NONE or _ERROR.fullmatch(cell) is not None


def words(text: str) -> list[str]:
    """Return the items of a written list, or the hashtags of another text."""
    if len(text) > MAX_LIST:
        return written(text)
    text = _SCALAR.sub(r"\1", text)
    if called := _CALL.fullmatch(text):
        text = called[1] if called[1][0] in "[({" else f"({called[1]})"
    if text[:1] in ("[", "{", "(", '"', "'") and (value := _value(text)) is not None:
        with suppress(RecursionError, TypeError):
            return [*items(value)]
    if _MARKED.fullmatch(text):
        return text[1:-1].split("><")
    if not (listed := _LIST.fullmatch(text)):
        return written(text)
    pairs = _ITEM.findall(listed[listed.lastindex or 0])
    return [_unquoted(quoted) if quoted else bare for quoted, bare in pairs if quoted or not is_empty(bare)]


def items(value: Any) -> Iterator[str]:
    """Yield the texts of a list, whatever it is made of: numbers, objects with a name, or further lists.

    Raises
    ------
    TypeError
        There is something else in it.
    """
    if isinstance(value, str):
        yield from written(value) if "#" in value[1:] or "," in value else [value]
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from items(each)
    elif isinstance(value, dict):
        name = next((value[name] for name in _NAMES if isinstance(value.get(name), str)), None)
        lists = [each for each in value.values() if isinstance(each, list)]
        yield from items(name or lists or [*value])
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if value == value:  # not NaN
            yield str(value)
    elif value is not None and value is not False:
        raise TypeError(type(value).__name__)


def _value(text: str) -> Any:
    """Return the list or object that a text in JSON or Python stands for; None for others.

    Python's sets are left to the pattern, which keeps their order, and so is what NumPy prints: no commas.
    """
    if _ADJACENT.search(text):
        return None
    for read in (json.loads, ast.literal_eval):  # JSON first: it pairs surrogates
        try:
            value = read(text)
        except (MemoryError, RecursionError, SyntaxError, ValueError):
            continue
        if isinstance(value, str):  # perhaps encoded twice
            return (_value(value) if value[:1] in ("[", "{") else None) or [value]
        return value if isinstance(value, list | tuple | dict) else None
    return None


def _unquoted(text: str) -> str:
    """Return the string that a literal of JSON, Python or PostgreSQL stands for."""
    if "\\" not in text:
        return text[1:-1]
    for read in (json.loads, ast.literal_eval):
        try:
            return str(read(text))
        except (SyntaxError, ValueError):
            pass
    return re.sub(r"\\(.)", r"\1", text[1:-1])
