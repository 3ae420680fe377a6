"""The charts of the dashboards know the views as they are."""

from __future__ import annotations

import pytest

from tagdb import store
from tagdb.bi import charts
from tagdb.postgres.database import Connection

TIMES = {"date", "timestamp with time zone"}
SUMS = {"first_seen", "last_seen", "refreshed_at"}
"""Times of rows that sum up many."""
STATES = {"backbones", "coverage", "hashtags"}
"""Views of what is, with times besides."""
Types = dict[tuple[str, str], str]

pytestmark = pytest.mark.read_only


@pytest.fixture
def types(connection: Connection) -> Types:
    """The type of each column of the views."""
    return {(each.view, each.name): each.type for each in store.views.columns(connection)}


def having(types: Types, column: str) -> set[str]:
    return {view for view, name in types if name == column}


def test_what_a_chart_names_is_there(types: Types) -> None:
    for chart in charts.charts():
        order = [each.partition(" ")[0] for each in chart.order]
        for name in (*chart.by, *(name for name, _ in chart.columns), *order):
            assert (chart.view, name) in types, chart.title
        if chart.time:
            assert types[chart.view, chart.time] in TIMES, chart.title


def test_values_are_written_as_their_types_allow(types: Types) -> None:
    for chart in charts.charts():
        for name, style in chart.columns:
            kind = types[chart.view, name]
            assert not kind.endswith("[]"), (chart.title, name)
            assert kind not in {"jsonb", "bytea"}, (chart.title, name)
            assert (style == "time") == (kind in TIMES), (chart.title, name)
            assert style in {"time", "text"} or kind in {"integer", "bigint", "double precision", "numeric"}


def test_views_that_filters_know(types: Types) -> None:
    assert having(types, "collection") == charts.COLLECTED
    assert having(types, "hashtag") == charts.OF_HASHTAGS


def test_every_view_of_what_happened_says_which_time_counts(types: Types) -> None:
    timed = {view for (view, name), kind in types.items() if kind in TIMES and name not in SUMS}
    assert timed == {*charts.TIMES} | STATES
    assert {types[view, column] for view, column in charts.TIMES.items()} == TIMES


def test_days_are_the_times_that_are_dates(types: Types) -> None:
    named = {*charts.TIMES.items(), *((chart.view, chart.time) for chart in charts.charts() if chart.time)}
    assert {name for view, name in named if types[view, name] == "date"} == charts.DAYS
    assert {kind for (_, name), kind in types.items() if name in charts.DAYS} == {"date"}
