"""The SQL reference says what is so: every example is run, every description is the database's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tagdb.postgres import database
from tests import sql_docs
from tests.support import showcase
from tests.support.postgres import Postgres, named

TEXT = sql_docs.DOCUMENT.read_text("utf-8")
EXAMPLES = sql_docs.examples(TEXT)
NUMBER = re.compile(r"-?\d+\.\d+$")


@pytest.fixture(scope="module")
def example_url(postgres: Postgres) -> str:
    """The database that the examples are run on; none of them changes it."""
    return named(postgres.url, postgres.built("showcase", showcase.fill))


def cells(output: str) -> list[list[str]]:
    """A table by psql without its frame."""
    lines = [line for line in output.splitlines() if not re.fullmatch(r"[-+]+", line)]
    return [[cell.strip() for cell in line.split("|")] for line in lines]


def alike(shown: str, found: str) -> bool:
    """The same, but for the last digit of a number: factors differ a little from machine to machine."""
    if NUMBER.match(shown) and NUMBER.match(found):
        step = 10.0 ** -len(shown.partition(".")[2])
        return abs(float(shown) - float(found)) < 1.5 * step
    return shown == found


@pytest.mark.parametrize(
    ("name", "sql", "output"), EXAMPLES, ids=[f"{i}-{name}" for i, (name, _, _) in enumerate(EXAMPLES)]
)
def test_an_example_prints_what_the_page_shows(
    postgres: Postgres, example_url: str, name: str, sql: str, output: str
) -> None:
    assert name in sql
    found = sql_docs.psql(Path(postgres.program("psql")), example_url)(sql)
    shown, new = cells(output), cells(found)
    assert len(new) > 1, "an example without a row"
    same = [len(a) == len(b) and all(map(alike, a, b)) for a, b in zip(shown, new, strict=False)]
    assert len(shown) == len(new), f"now:\n{found}\nrun: python -m tests.sql_docs"
    assert all(same), f"now:\n{found}\nrun: python -m tests.sql_docs"


def test_descriptions_are_the_databases_own(example_url: str) -> None:
    with database.connect(example_url) as connection:
        described = sql_docs.described(connection)
    parts = sql_docs.SECTION.split(TEXT)
    written = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert list(written) == list(described), "run: python -m tests.sql_docs"
    for name, description in described.items():
        assert written[name].startswith(f"\n\n{description}\n```sql\n"), (
            f"{name}: run: python -m tests.sql_docs"
        )


def test_a_wrong_output_is_noticed() -> None:
    shown = " rank | score\n------+-------\n    1 |  0.38\n"
    assert cells(shown) == [["rank", "score"], ["1", "0.38"]]
    assert alike("0.38", "0.39")
    assert not alike("0.38", "0.40")
    assert not alike("1", "2")
    assert not alike("food", "foodie")
