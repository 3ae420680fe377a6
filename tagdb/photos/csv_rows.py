"""Rows in CSV, TSV and other tables with a header."""

import csv
import re
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from tagdb.errors import RejectedInput, SourceError
from tagdb.hashtags import printable
from tagdb.photos import manifests
from tagdb.photos.cells import is_empty
from tagdb.photos.fields import FIELDS, NOT_UTF_8, why
from tagdb.photos.kinds import PICTURE_SUFFIXES
from tagdb.photos.manifests import Row, column, most_frequent, numbered_lines, recoded

_TITLES = 5
"""Most lines with something else above a header."""
_AS_TEXT = re.compile(r'^="([^"]*)"$')  # so that Excel takes it for a text
_SEPARATOR = re.compile(r'"?sep=([^\w\s"\0]|\t)"?\s*', re.IGNORECASE)


def read_csv(path: Path, needs_hashtags: bool = True) -> Iterator[Row]:
    """Yield the rows of a CSV or TSV file as objects without empty cells.

    Parameters
    ----------
    needs_hashtags
        Whether there must be a column of hashtags.

    Raises
    ------
    SourceError
        The header is missing or lacks a column.
    """
    origin = printable(str(path))
    csv.field_size_limit(manifests.MAX_LINE)  # of the whole process; a cell may be as long as a line
    with path.open("rb") as file:
        usual = "," if path.suffix.lower() == ".csv" else "\t"
        delimiter, numbered = _delimited(numbered_lines(recoded(file)), usual, needs_hashtags)
        lines = _CsvLines(numbered)
        # strict: otherwise a quotation mark that is never closed would swallow all further rows
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            header = [column(name) for name in next(reader, [])]
        except csv.Error as error:
            raise SourceError(f"{origin} has no readable header: {why(error)}") from None
        if any("\0" in name or NOT_UTF_8.search(name) for name in header):  # UTF-16 without a mark has NULs
            raise SourceError(f"the header of {origin} is not valid UTF-8; save the file as UTF-8")
        if missing := _missing(header, needs_hashtags):
            has = printable(", ".join(header), 200) or "nothing"
            advice = "is the header missing?" if _names_a_photo(header) else "rename the columns"
            raise SourceError(f"the header of {origin} lacks {' and '.join(missing)}; it has {has}; {advice}")
        names = [name for name in header if name]  # the nameless column is the index that pandas writes
        name, times = most_frequent([name for name in names if name in FIELDS])
        if times > 1:
            raise SourceError(f"the header of {origin} has the column {printable(name, 40)} {times} times")
        header, first_row = _numbered(header), True
        while True:
            lines.begin_row()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                number, first = lines.taken[0]
                if isinstance(first, str) and (found := _otherwise(first, delimiter, len(header))):
                    yield origin, number, _named(header, found)
                else:
                    invalid = RejectedInput(f"invalid CSV: {why(error)}", "invalid_record")
                    yield origin, number, first if isinstance(first, RejectedInput) else invalid
                lines.put_back()
                continue
            number, alone = lines.taken[0][0], len(lines.taken) == 1
            if first_row and len(cells) == len(header) + 1 and _has_row_names(header, cells):
                header.insert(0, "")
            first_row = False
            while len(cells) > len(header) and not cells[-1].strip():  # commas too many
                cells.pop()
            if not any(map(str.strip, cells)):
                continue  # a blank row, as Excel writes them
            if alone and len(cells) < len(header) and (len(cells) > 1 or _names_a_photo(cells)):
                cells += [""] * (len(header) - len(cells))  # Excel leaves out empty cells at the end
            if alone and len(cells) != len(header):
                first = lines.taken[0][1]
                cells = _otherwise(str(first), delimiter, len(header)) or cells
            if len(cells) == len(header):
                yield origin, number, _named(header, cells)
            else:
                reason = f"{len(cells)} cells where the header has {len(header)}"
                yield origin, number, RejectedInput(reason, "invalid_record")
                lines.put_back()


def _numbered(header: list[str]) -> list[str]:
    """Return a header in which names that occur again are numbered, as pandas does."""
    seen = Counter[str]()
    numbered = []
    for name in header:
        numbered.append(f"{name}.{seen[name]}" if name and seen[name] else name)
        seen[name] += 1
    return numbered


def _named(header: list[str], cells: list[str]) -> dict[str, str]:
    """Return a row by the names of its columns, without those that have no name or no value."""
    texts = (_AS_TEXT.sub(r"\1", cell) for cell in cells)
    return {name: cell for name, cell in zip(header, texts, strict=True) if name and not is_empty(cell)}


def _has_row_names(header: list[str], cells: list[str]) -> bool:
    """Whether a row begins with its name, as R writes them: each cell stands one further than its column."""
    at = next(n for n, name in enumerate(header) if name in ("file_name", "uri"))
    return _names_a_photo(cells[at + 1 : at + 2]) and not _names_a_photo(cells[at : at + 1])


def _otherwise(line: str, delimiter: str, width: int) -> list[str] | None:
    """Return the cells of a line that is no CSV, if it has as many as needed in other ways of writing it.

    R and MySQL write a backslash before quotation marks; in TSV of databases these mean nothing; people write
    blanks behind commas.
    """
    ways: list[dict[str, Any]] = [{"strict": True, "skipinitialspace": True}]
    if '\\"' in line:
        ways.append({"strict": True, "escapechar": "\\", "doublequote": False})
    if delimiter == "\t":
        ways.append({"quoting": csv.QUOTE_NONE})
    for way in ways:
        try:
            (cells,) = csv.reader([line], delimiter=delimiter, **way)
        except (csv.Error, ValueError):
            continue
        if len(cells) == width:
            return cells
    return None


def _missing(header: Collection[str], needs_hashtags: bool) -> list[str]:
    missing = [] if {"file_name", "uri"} & set(header) else ["file_name (or uri)"]
    return missing if "hashtags" in header or not needs_hashtags else [*missing, "hashtags"]


def _names_a_photo(cells: Iterable[str]) -> bool:
    return any(cell.lower().endswith(tuple(PICTURE_SUFFIXES)) for cell in cells)


def _delimited(
    lines: Iterator[tuple[int, str | RejectedInput]], usual: str, needs_hashtags: bool
) -> tuple[str, Iterator[tuple[int, str | RejectedInput]]]:
    """Return what separates cells, and the lines from the header on.

    It is what makes a header of one of the first lines: programs write titles and comments above it. If none
    is one, the first line is, with what makes most cells of it. Excel says in a line of its own what it is.
    """
    said, above = "", list[tuple[int, str | RejectedInput]]()

    def best(text: str) -> str:
        return said or max(usual, *",;\t|", key=lambda each: _fitness(text[: 1 << 16], each, needs_hashtags))

    for number, text in lines:
        if isinstance(text, str) and (separator := _SEPARATOR.fullmatch(text)):
            said = separator[1]
        elif isinstance(text, RejectedInput):
            return said or usual, chain([*above, (number, text)], lines)
        elif _fitness(text[: 1 << 16], best(text), needs_hashtags)[0]:
            return best(text), chain([(number, text)], lines)
        elif text.strip():
            above.append((number, text))
        if len(above) > _TITLES:
            break
    return best(str(above[0][1])) if above else usual, chain(above, lines)


def _fitness(line: str, delimiter: str, needs_hashtags: bool) -> tuple[bool, int]:
    try:
        header = [column(name) for name in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return False, 0
    return not _missing(header, needs_hashtags), len(header)


class _CsvLines(Iterator[str]):
    """Lines for a CSV reader; those of an invalid row can be put back.

    After a quotation mark that is never closed, many rows look like one. Only the line with that mark should
    be lost, so the lines after it are put back and read again. In total at most four times as much is put
    back as is read: otherwise a file could keep the reader busy for ever.
    """

    def __init__(self, lines: Iterator[tuple[int, str | RejectedInput]]) -> None:
        self._lines = lines
        self._again: deque[tuple[int, str | RejectedInput]] = deque()
        self.taken: list[tuple[int, str | RejectedInput]] = []
        """Lines of the current row, with their numbers."""
        self._length, self._to_spare = 0, 1 << 20

    def begin_row(self) -> None:
        """Start a new row with the next line."""
        self.taken.clear()
        self._length = 0

    def put_back(self) -> None:
        """Put back all lines of the row but the first, unless too much has been put back already."""
        rest = self.taken[1:]
        length = sum(len(text) for _, text in rest if isinstance(text, str))
        if length <= self._to_spare:
            self._to_spare -= length
            self._again.extendleft(reversed(rest))

    def __next__(self) -> str:
        if self._again:
            number, text = self._again.popleft()
        else:
            number, text = next(self._lines)
            self._to_spare += 4 * len(text) if isinstance(text, str) else 0
        self.taken.append((number, text))
        if isinstance(text, RejectedInput):
            raise csv.Error(str(text))
        self._length += len(text)
        if self._length > manifests.MAX_LINE:
            raise csv.Error(f"a row larger than {manifests.MAX_LINE // 1_000_000} MB")
        return text
