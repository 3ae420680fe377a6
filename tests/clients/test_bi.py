"""``docs/bi.md`` says what is so: every query gives rows, every view is in it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import psycopg
import pytest

from tests.support.clients import Place, execute
from tests.support.documents import DOCS, blocks

QUERIES = blocks("bi.md", "sql")
TEXT = (DOCS / "bi.md").read_text("utf-8")
TITLES = re.findall(r"^(.+):\n\n```sql$", TEXT, re.MULTILINE)
"""What stands before each query."""


@pytest.mark.parametrize("query", QUERIES, ids=TITLES)
def test_a_query_of_a_dashboard(place: Place, query: str) -> None:
    with psycopg.connect(place.reader) as reader:
        cursor = reader.execute(query)  # type: ignore[call-overload]
        rows = cursor.fetchall()
        assert rows or query.startswith("-- may be empty")
        names = [column.name for column in cursor.description or []]
    assert len(set(names)) == len(names), "BI tools want another name for each column"
    for row in rows:
        for value in row:
            assert not isinstance(value, list | dict | bytes), "not every BI tool can show that"


def test_there_are_five_dashboards() -> None:
    parts = re.split(r"^### \d\. ", TEXT, flags=re.MULTILINE)[1:]
    assert [3 <= part.count("```sql") <= 5 for part in parts] == [True] * 5


def test_every_view_is_in_the_table_of_charts(place: Place) -> None:
    table = TEXT.partition("## Which view for which chart")[2].partition("## ")[0]
    assert set(re.findall(r"`(\w+)`", table)) >= set(place.views())
    assert f"There are {len(place.views())} views" in TEXT


@pytest.mark.parametrize("number", range(2))
def test_python_examples(place: Place, tmp_path: Path, number: int) -> None:
    """Models with keys, and a notebook."""
    example = blocks("bi.md", "python")[number]
    (tmp_path / "example.py").write_text(example, "utf-8")
    strict = ("-W", "error", "-W", "ignore::ResourceWarning")  # nobody closes an engine in a notebook
    done = execute([sys.executable, *strict, tmp_path / "example.py"], DATABASE_URL=place.reader)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
