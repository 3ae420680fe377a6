"""``tagdb bi superset`` in Superset itself: imported, looked at in a browser, and compared with SQL.

It runs where ``TAGDB_TEST_SUPERSET`` names a Superset, in an environment of its own::

    python -m venv superset
    superset/bin/pip install apache-superset psycopg2-binary rich cachetools "Flask-Caching==2.3.1"
    TAGDB_TEST_SUPERSET=superset/bin/superset python -m pytest -s tests/clients/test_superset.py

``TAGDB_TEST_SHOTS`` names a folder for pictures of the dashboard.
"""

from __future__ import annotations

import io
import os
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest
from playwright.sync_api import BrowserContext

from tagdb.bi import charts, queries
from tagdb.bi.charts import NONE, Chart
from tests.support.browser import COUNTING, chromium
from tests.support.clients import PASSWORD, listening, url_of
from tests.support.commands import invoke
from tests.support.superset import BOTTOM, Dashboard, Superset, look, program, sign_in, superset

EMPTY = "No results were returned for this query"
ALL = 1_000_000
"""Bars, lines or rows: more than there are."""
NOW = datetime.now(UTC)
SINCE, UNTIL = (NOW - timedelta(days=days) for days in (150, 20))
Rows = list[tuple[object, ...]]
COLLECTIONS = "SELECT collection FROM tagdb.collection_stats"
HASHTAGS = "SELECT hashtag FROM tagdb.hashtag_stats"
COLUMNS = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'tagdb'"


@dataclass(frozen=True, slots=True)
class Imported:
    """The dashboard in Superset, and how it came there."""

    superset: Superset
    reader: str
    """URL of the login that Superset has."""
    archive: bytes = field(repr=False)
    refused: httpx.Response
    """Answer to the import without the password."""
    answer: httpx.Response
    began: float


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    program()
    began = time.monotonic()
    with superset(tmp_path_factory.mktemp("superset")) as server:
        note("Superset answers", began)
        with listening() as (home, owner):
            written = time.monotonic()
            for words, typed in (
                ("db grant bi --role reader --prompt", f"{PASSWORD}\n" * 2),
                ("bi superset", ""),
            ):
                done = invoke(*words.split(), stdin=typed, TAGDB_HOME=str(home))
                assert done.exit_code == 0, done.output
            assert done.stderr == "on import, Superset asks for the password of bi\n"
            archive = done.stdout_bytes
            refused = server.load_dashboard(archive)
            answer = server.load(archive, PASSWORD)
            note("the dashboard is imported", written)
            yield Imported(server, url_of(owner, "bi", PASSWORD), archive, refused, answer, began)


def note(what: str, since: float) -> None:
    print(f"\n{what}: {time.monotonic() - since:.1f} s", end="")


@pytest.fixture(scope="module")
def window(imported: Imported) -> Iterator[BrowserContext]:
    """A browser where somebody has signed in; it reaches this machine only."""
    with chromium("--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1") as browser:
        context = browser.new_context(viewport={"width": 1500, "height": 2400}, reduced_motion="reduce")
        context.add_init_script(COUNTING)
        sign_in(context, imported.superset)
        yield context


@pytest.fixture(scope="module")
def reader(imported: Imported) -> Iterator[psycopg.Connection]:
    with psycopg.connect(imported.reader, options="-c timezone=utc", autocommit=True) as connection:
        yield connection


def walk(seen: Dashboard, name: str = "all") -> dict[str, str]:
    """Look at all tabs; what each chart says instead of showing something."""
    said = {}
    for page in charts.PAGES:
        said |= seen.show(page.title, [chart.title for chart in page.charts])
        if folder := os.environ.get("TAGDB_TEST_SHOTS"):
            seen.page.wait_for_timeout(1500)  # charts grow into their places
            shot = {"x": 0, "y": 0, "width": 1500, "height": seen.page.evaluate(BOTTOM) + 20}
            seen.page.screenshot(path=Path(folder) / f"{name}-{page.title}.png".lower(), clip=shot)
    return said


# --- rows, as Superset and as SQL has them -------------------------------------------------------


def plain(value: object) -> object:
    """A value that can be compared: times as milliseconds, numbers without what types do to their ends."""
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000, 3)
    if isinstance(value, date):
        return plain(datetime(value.year, value.month, value.day, tzinfo=UTC))
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return round(float(value), 6) if abs(value) < 1e9 else round(float(value), 3)
    return value


def shown(chart: Chart, data: list[dict[str, Any]]) -> Rows:
    """The rows of Superset's answer, as those of SQL."""
    metrics = [f"total {metric.name}" for metric in chart.metrics]
    if chart.kind == "table":
        names = [name for name, _ in chart.columns]
    elif chart.time and chart.by:  # a column for each line
        return [
            (plain(row[chart.time]), line, plain(value))
            for row in data
            for line, value in row.items()
            if line != chart.time and value is not None
        ]
    else:
        apart = [f"{by}_shown" if f"{by}_shown" in data[0] else by for by in chart.by] if data else []
        names = [*((chart.time,) if chart.time else apart), *metrics]
    return [tuple(plain(row[name]) for name in names) for row in data]


def by_sql(reader: psycopg.Connection, chart: Chart, period: str = "month", *conditions: str) -> Rows:
    query = queries.sql(chart, f"'{period}'", conditions)
    found = reader.execute(query.encode()).fetchall()
    first = 1 if chart.time else 0
    rows: Rows = []
    for row in found:
        names = [NONE if name is None else name for name in row[first : first + len(chart.by)]]
        if chart.time and chart.by:
            names = [str(*names)]  # of a line
            if row[-1] is None:
                continue
        rows.append((*map(plain, row[:first]), *names, *map(plain, row[first + len(names) :])))
    return rows


def amounts(chart: Chart, rows: Rows) -> list[float]:
    """The values of bars, cells or whole lines: what chance at the limit cannot change."""
    if chart.kind == "table":
        return [0] * len(rows)
    if not (chart.time and chart.by):
        return sorted(float(str(row[-1])) for row in rows if row[-1] is not None)
    lines: dict[object, float] = {}
    for _, line, value in rows:
        lines[line] = lines.get(line, 0) + float(str(value))
    return sorted(round(value, 6) for value in lines.values())


def assert_same(
    reader: psycopg.Connection,
    chart: Chart,
    data: list[dict[str, Any]],
    said: str,
    period: str = "month",
    *conditions: str,
) -> None:
    """That a chart has the same rows, and says something instead only if there are none."""
    rows = shown(chart, data)
    everything = by_sql(reader, replace(chart, most=ALL), period, *conditions)
    among = by_sql(reader, chart, period, *conditions)
    assert set(rows) <= set(everything), chart.title
    assert len(set(rows)) == len(rows)
    assert amounts(chart, rows) == amounts(chart, among), chart.title
    if among == everything:
        assert set(rows) == set(everything), chart.title
    assert said == ("" if rows else EMPTY), chart.title


# --- the tests -----------------------------------------------------------------------------------


def test_the_password_is_given_on_import_only(imported: Imported) -> None:
    assert imported.refused.status_code == 422, imported.refused.text
    (error,) = imported.refused.json()["errors"]
    assert error["extra"]["databases/tagdb.yaml"] == {"_schema": ["Must provide a password for the database"]}
    assert (imported.answer.status_code, imported.answer.json()) == (200, {"message": "OK"})
    with zipfile.ZipFile(io.BytesIO(imported.archive)) as packed:
        text = b"".join(map(packed.read, packed.namelist()))
    assert b"postgresql+psycopg2://bi:XXXXXXXXXX@127.0.0.1:" in text
    assert PASSWORD.encode() not in text
    assert quote(PASSWORD, safe="").encode() not in text


def test_another_import_changes_nothing(imported: Imported) -> None:
    server = imported.superset
    before = server.exported()
    assert {name.partition("/")[0] for name in before} == {"charts", "dashboards", "databases", "datasets"}
    for answer in (
        server.load(imported.archive, PASSWORD),
        server.load_dashboard(imported.archive, PASSWORD),
    ):
        assert (answer.status_code, answer.json()) == (200, {"message": "OK"})
        assert server.exported() == before


def test_every_chart_shows_what_sql_has(
    imported: Imported, window: BrowserContext, reader: psycopg.Connection
) -> None:
    began = time.monotonic()
    seen = look(window, imported.superset, "tagdb")
    note("the dashboard is there", began)
    said = walk(seen)
    note("all its tabs were seen", began)
    note("from an installed Superset to here", imported.began)
    answers = seen.answers()
    assert seen.tabs == [page.title for page in charts.PAGES]
    assert set(said) == set(answers) == {chart.title for chart in charts.charts()}
    for chart in charts.charts():
        assert_same(reader, chart, answers[chart.title], said[chart.title])
    assert not any(said.values())
    names = [{str(name) for (name,) in reader.execute(query)} for query in (COLLECTIONS, HASHTAGS)]
    assert [each for each in names if each not in seen.choices()] == []
    assert seen.problems == []


FILTERS = {
    "Collection": (
        {"filters": [{"col": "collection", "op": "IN", "val": ["travel"]}]},
        "collection = 'travel'",
    ),
    "Hashtag": ({"filters": [{"col": "hashtag", "op": "IN", "val": ["sun"]}]}, "hashtag = 'sun'"),
    "Time": (
        {"time_range": f"{SINCE:%Y-%m-%d} : {UNTIL:%Y-%m-%d}"},
        f"{{}} >= '{SINCE:%Y-%m-%d}' AND {{}} < '{UNTIL:%Y-%m-%d}'",
    ),
    "Period": ({"time_grain_sqla": "P1W"}, ""),
}
"""What each filter says to Superset when something is chosen, and the same in SQL."""


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter(imported: Imported, window: BrowserContext, reader: psycopg.Connection, name: str) -> None:
    chosen, condition = FILTERS[name]
    seen = look(window, imported.superset, "tagdb", **{name: chosen})
    said = walk(seen, name)
    answers = seen.answers()
    columns = {(view, column) for view, column in reader.execute(COLUMNS).fetchall()}
    changed = set()
    for chart in charts.charts():
        time_of = chart.time or charts.TIMES.get(chart.view)
        meant = {
            "Collection": (chart.view, "collection") in columns,
            "Hashtag": (chart.view, "hashtag") in columns,
            "Time": time_of is not None,
            "Period": chart.time is not None,
        }[name]
        conditions = [condition.format(time_of, time_of)] if meant and condition else []
        period = "week" if meant and name == "Period" else "month"
        assert_same(reader, chart, answers[chart.title], said[chart.title], period, *conditions)
        if by_sql(reader, chart, period, *conditions) != by_sql(reader, chart):
            changed.add(chart.title)
    assert len(changed) > 4
    assert seen.problems == []
