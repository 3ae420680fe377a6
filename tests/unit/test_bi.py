"""The charts of the dashboards: what holds for all of them, whatever tool shows them."""

from __future__ import annotations

from collections import Counter

import pytest

from tagdb.bi import charts
from tagdb.bi.charts import Chart, Page

CHARTS = list(charts.charts())
EACH = pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.title)


def test_titles_are_unique() -> None:
    assert [title for title, times in Counter(chart.title for chart in CHARTS).items() if times > 1] == []
    assert len({page.title for page in charts.PAGES}) == len(charts.PAGES)


def test_a_metric_is_the_same_in_all_charts_of_a_view() -> None:
    """A data set of Superset has one of each name."""
    found: dict[tuple[str, str], set[object]] = {}
    for chart in CHARTS:
        for metric in chart.metrics:
            found.setdefault((chart.view, metric.name), set()).add(metric)
    assert [name for name, metrics in found.items() if len(metrics) > 1] == []


@pytest.mark.parametrize("page", charts.PAGES, ids=lambda page: page.title)
def test_a_page(page: Page) -> None:
    rows = list(charts.rows(page))
    assert [chart for row in rows for chart in row] == [*page.charts]
    assert [sum(chart.width for chart in row) for row in rows] == [12] * len(rows)
    assert page.main in [chart.title for chart in page.charts]


@EACH
def test_a_chart_has_what_its_kind_shows(chart: Chart) -> None:
    assert chart.about.endswith(".")
    assert bool(chart.columns) == bool(chart.order) == (chart.kind == "table") == (not chart.metrics)
    assert (chart.time is not None) == (chart.kind in {"lines", "columns", "area"})
    apart = {"number": {0}, "table": {0}, "bars": {1}, "heat map": {2}}.get(chart.kind, {0, 1})
    assert len(chart.by) in apart
    assert len(chart.metrics) == 1 or chart.kind == "table" or (chart.time and not chart.by)
    assert not chart.so_far or (chart.time and not chart.by)
    assert len({metric.format for metric in chart.metrics}) <= 1  # they share an axis
