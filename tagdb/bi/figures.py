"""The figures of the charts, as the database has them now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from tagdb import store
from tagdb.bi import queries
from tagdb.bi.charts import Chart, Format, Page
from tagdb.postgres.database import Connection


@dataclass(frozen=True, slots=True)
class Figures:
    """What a chart shows."""

    chart: Chart
    names: list[str]
    rows: list[tuple[Any, ...]]
    """The largest or the first ones first; over time, the earliest."""

    @property
    def formats(self) -> list[Format]:
        """How each column is written."""
        if self.chart.kind == "table":
            return [style for _, style in self.chart.columns]
        apart: list[Format] = ["time"] if self.chart.time else []
        apart += ["text"] * len(self.chart.by)
        return apart + [metric.format for metric in self.chart.metrics]

    def records(self) -> list[dict[str, Any]]:
        """Return the rows with their columns' names, for JSON."""
        return [
            {name: _plain(value) for name, value in zip(self.names, row, strict=True)} for row in self.rows
        ]


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def read(connection: Connection, pages: Iterable[Page], period: str) -> dict[str, list[Figures]]:
    """Return what the charts of pages show, by the pages' titles.

    Parameters
    ----------
    period
        ``day``, ``week`` or ``month``, by which times are told apart.
    """
    return {
        page.title: [
            Figures(chart, *store.views.rows(connection, queries.sql(chart, f"'{period}'")))
            for chart in page.charts
        ]
        for page in pages
    }


def written(value: Any, style: Format) -> str:
    """Return a value as people read it."""
    if value is None:
        return "0" if style in {"count", "bytes"} else "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if style in {"time", "text"}:
        return value.strftime("%Y-%m-%d") if isinstance(value, date) else str(value)
    number = float(value)
    if style == "bytes":
        units = [unit for unit in ("GB", "MB", "kB") if number >= _UNITS[unit]] or ["B"]
        return f"{number / _UNITS[units[0]]:,.{'0' if units[0] == 'B' else '1'}f} {units[0]}"
    if style == "share":
        return f"{number:.1%}"
    return f"{number:,.{_DIGITS[style]}f}"


_UNITS = {"GB": 1e9, "MB": 1e6, "kB": 1e3, "B": 1.0}
_DIGITS: dict[Format, int] = {
    "count": 0, "decimal": 2, "score": 3, "percent": 1, "seconds": 1, "milliseconds": 1,
}  # fmt: skip


def first(figures: Figures, most: int) -> Sequence[tuple[Any, ...]]:
    """Return the rows that say most: the first ones; over time, the latest, of these the largest amounts."""
    if not figures.chart.time:
        return figures.rows[:most]
    if not figures.chart.by:
        return figures.rows[-most:]
    amount = 1 + len(figures.chart.by)
    return sorted(figures.rows, key=lambda row: (row[0], row[amount] or 0), reverse=True)[:most]
