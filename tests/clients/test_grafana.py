"""``tagdb bi grafana``: what Grafana's own types say of it, and what its queries give a reader.

No Grafana runs here. Its macros and variables are written out as its documentation says.
"""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tagdb.bi import charts, grafana
from tests.support.clients import NODE, Place, execute

DASHBOARD: dict[str, Any] = json.loads(grafana.dashboard())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
VARIABLES = {each["name"]: each for each in DASHBOARD["templating"]["list"]}
EVERYTHING = {"collection": [], "period": "month", "from": "1970-01-01", "to": "2100-01-01"}


# --- the format ----------------------------------------------------------------------------------

Complaints = Callable[[object], str]


@pytest.fixture
def complaints(tmp_path: Path) -> Complaints:
    """A function that returns what Grafana's types have against a dashboard."""
    program, compiler = shutil.which("node"), NODE / "node_modules" / "typescript" / "bin" / "tsc"
    if program is None:
        pytest.skip("needs Node")
    if not compiler.is_file() or not (NODE / "node_modules" / "@grafana" / "schema").is_dir():
        pytest.skip("needs Grafana's types from npm: run make test, or npm ci in tests/clients/node")
    shutil.copy(NODE / "dashboard.ts", tmp_path)
    (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    switches = "--noEmit --strict --skipLibCheck --target es2022 --module preserve --moduleResolution bundler"

    def complain(dashboard: object) -> str:
        written = 'import type { Exported } from "./dashboard";\nexport const dashboard: Exported = {};'
        (tmp_path / "given.ts").write_text(written.replace("{}", json.dumps(dashboard, indent=1)), "utf-8")
        done = execute([program, compiler, *switches.split(), tmp_path / "given.ts"])
        assert bool(done.returncode) == bool(done.stdout), done.stderr
        return done.stdout

    return complain


def test_it_is_what_grafana_calls_a_dashboard(complaints: Complaints) -> None:
    assert complaints(DASHBOARD) == ""


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("panels 1 options colorMode", "colourful"),
        ("panels 1 gridPos", {"x": 0, "y": 1, "w": "6", "h": 4}),
        ("panels 5 options barWidht", 0.8),
        ("panels 1 type", "number"),
        ("templating list 0 refresh", 7),
        ("schemaVersion", None),
    ],
)
def test_those_types_refuse_others(complaints: Complaints, path: str, value: object) -> None:
    other: Any = copy.deepcopy(DASHBOARD)
    *way, last = (int(word) if word.isdigit() else word for word in path.split())
    place = other
    for step in way:
        place = place[step]
    place[last] = value
    if value is None:
        del place[last]
    assert "given.ts" in complaints(other)


def test_panels_have_places_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        x, y, width, height = (panel["gridPos"][name] for name in "xywh")
        assert x + width <= 24
        place = {(column, row) for column in range(x, x + width) for row in range(y, y + height)}
        assert len(place) == width * height > 0
        assert not place & taken, panel["title"]
        taken |= place
    assert [panel["title"] for panel in PANELS] == [chart.title for chart in charts.charts()]


def test_everything_is_of_the_data_source_that_is_chosen() -> None:
    def sources(part: object) -> Iterator[object]:
        if isinstance(part, Mapping):
            if "datasource" in part:
                yield part["datasource"]
            for each in part.values():
                yield from sources(each)
        elif isinstance(part, list):
            for each in part:
                yield from sources(each)

    found = list(sources(DASHBOARD))
    assert len(found) == 2 * len(PANELS) + 1
    (given,) = DASHBOARD["__inputs"]
    assert given["name"] == "DS_TAGDB"
    assert all(each == {"type": given["pluginId"], "uid": "${DS_TAGDB}"} for each in found)
    needed = {each["id"] for each in DASHBOARD["__requires"]}
    assert needed == {"grafana", given["pluginId"]} | {panel["type"] for panel in PANELS}


# --- the queries ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reader(place: Place) -> Iterator[psycopg.Connection]:
    with psycopg.connect(place.reader, autocommit=True) as connection:
        yield connection


def ask(reader: psycopg.Connection, query: str, chosen: Mapping[str, Any]) -> tuple[list[str], list[Any]]:
    """Names and rows, as if these were chosen in Grafana."""
    listed = ", ".join("'" + name.replace("'", "''") + "'" for name in chosen["collection"])
    query = query.replace("${collection:sqlstring}", listed).replace("${period}", chosen["period"])
    query = query.replace("${hashtag:sqlstring}", f"'{chosen.get('hashtag', 'coffee')}'")
    within = rf"\1 BETWEEN '{chosen['from']}T00:00:00Z' AND '{chosen['to']}T00:00:00Z'"
    query = re.sub(r"\$__timeFilter\(([a-z_]+)\)", within, query)
    assert "$" not in query
    cursor = reader.execute(query.encode())
    return [column.name for column in cursor.description or []], cursor.fetchall()


def everything(reader: psycopg.Connection) -> dict[str, Any]:
    """All collections, as Grafana takes them from the variable's query."""
    names, rows = ask(reader, VARIABLES["collection"]["query"], EVERYTHING)
    assert len(names) == 1
    return EVERYTHING | {"collection": [name for (name,) in rows]}


def test_the_variables(reader: psycopg.Connection) -> None:
    assert everything(reader)["collection"] == ["(none)", "city", "food", "travel"]
    assert VARIABLES["period"]["query"] == "day,week,month"


ASKED = [
    (panel, period)
    for panel in PANELS
    for period in ("day", "week", "month")
    if period == "month" or "${period}" in panel["targets"][0]["rawSql"]
]


@pytest.mark.parametrize(
    ("panel", "period"), ASKED, ids=[f"{panel['title']}-{each}" for panel, each in ASKED]
)
def test_a_panel(place: Place, reader: psycopg.Connection, panel: dict[str, Any], period: str) -> None:
    (target,) = panel["targets"]
    names, rows = ask(reader, target["rawSql"], everything(reader) | {"period": period})
    assert rows
    assert len(set(names)) == len(names)
    for row in rows:
        assert not [value for value in row if isinstance(value, list | dict | bytes)]
    with psycopg.connect(place.reader, options="-c timezone=Pacific/Auckland") as elsewhere:
        assert ask(elsewhere, target["rawSql"], everything(reader) | {"period": period}) == (names, rows)
    (chart,) = (chart for chart in charts.charts() if chart.title == panel["title"])
    metrics = [metric.name for metric in chart.metrics]
    assert (target["format"] == "time_series") == (panel["type"] == "timeseries")
    if panel["type"] == "timeseries":
        assert names == ["time", *("metric" for _ in chart.by), *metrics]
        assert all(isinstance(row[0], datetime) for row in rows)
        assert [row[0] for row in rows] == sorted(row[0] for row in rows)
        assert all(isinstance(row[1], str) for row in rows if chart.by)
    elif panel["type"] == "stat":
        assert (names, len(rows)) == (metrics, 1)
    elif panel["type"] == "barchart":
        assert names == [panel["options"]["xField"], *metrics]
        assert all(isinstance(row[0], str) for row in rows)
        assert len(rows) <= chart.most
    else:
        assert names == ([*chart.by, *metrics] if chart.by else [name for name, _ in chart.columns])
        for override in panel["fieldConfig"]["overrides"]:
            assert override["matcher"]["options"] in names


def test_what_is_chosen_counts(reader: psycopg.Connection) -> None:
    """A collection, and a range of time, take away exactly from the panels that know them."""
    whole = everything(reader)
    less = {
        "${collection": whole | {"collection": ["food", "it's"]},
        "$__timeFilter": whole | {"from": "2000-01-01", "to": "2000-12-31"},
    }
    for panel in PANELS:
        query = panel["targets"][0]["rawSql"]
        (chart,) = (chart for chart in charts.charts() if chart.title == panel["title"])
        for word, chosen in less.items():
            same = ask(reader, query, chosen) == ask(reader, query, whole)
            assert same == (word not in query), panel["title"]
        assert ("$__timeFilter" in query) == (
            not chart.so_far and bool(chart.time or chart.view in charts.TIMES)
        )
        assert ("${collection" in query) == (chart.view in charts.COLLECTED)


def test_images_without_a_collection_can_be_chosen(place: Place, reader: psycopg.Connection) -> None:
    (panel,) = (panel for panel in PANELS if panel["title"] == "Images")
    _, rows = ask(reader, panel["targets"][0]["rawSql"], EVERYTHING | {"collection": ["(none)"]})
    assert rows == place.rows("SELECT count(*) FROM tagdb.images WHERE collection IS NULL")
