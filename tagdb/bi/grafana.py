"""A dashboard for Grafana, to import: the same charts, each with its query.

The format is that of Grafana's classic dashboards, ``schemaVersion`` 41, as ``@grafana/schema`` describes it.
On import, Grafana asks which PostgreSQL data source it is for, and fills in ``DS_TAGDB``.
"""

import json
from typing import Any

from tagdb.bi import charts, queries
from tagdb.bi.charts import Chart, Format

Content = dict[str, Any]

_SOURCE = {"type": "grafana-postgresql-datasource", "uid": "${DS_TAGDB}"}
_UNITS: dict[Format, Content] = {
    "count": {"unit": "short", "decimals": 0}, "decimal": {"unit": "short", "decimals": 2},
    "score": {"unit": "short", "decimals": 3}, "share": {"unit": "percentunit", "decimals": 1},
    "percent": {"unit": "percent", "decimals": 1}, "bytes": {"unit": "decbytes"}, "seconds": {"unit": "s"},
    "milliseconds": {"unit": "ms"}, "time": {"unit": "dateTimeAsIso"}, "text": {},
}  # fmt: skip
_KINDS = {
    "number": "stat", "bars": "barchart", "heat map": "table", "table": "table",
    "lines": "timeseries", "columns": "timeseries", "area": "timeseries",
}  # fmt: skip
_PANELS = {"stat": "Stat", "barchart": "Bar chart", "timeseries": "Time series", "table": "Table"}
_HEIGHTS = {"number": 4, "bars": 12}
"""Of panels; others have 10."""
_LEGEND = {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []}


def dashboard() -> str:
    """Return the dashboard as JSON."""
    panels: list[Content] = []
    y = 0
    for page in charts.PAGES:
        place = {"x": 0, "y": y, "w": 24, "h": 1}
        panels.append(
            {
                "id": len(panels) + 1,
                "type": "row",
                "title": page.title,
                "gridPos": place,
                "collapsed": False,
                "panels": [],
            }
        )
        y += 1
        for row in charts.rows(page):
            x, height = 0, max(_HEIGHTS.get(chart.kind, 10) for chart in row)
            for chart in row:
                width = 2 * chart.width  # of 24
                panels.append(
                    {
                        "id": len(panels) + 1,
                        "gridPos": {"x": x, "y": y, "w": width, "h": height},
                        **_panel(chart),
                    }
                )
                x += width
            y += height
    written: Content = {
        "__inputs": [
            {
                "name": "DS_TAGDB", "label": "tagdb", "description": "The PostgreSQL with tagdb, as a reader",
                "type": "datasource", "pluginId": _SOURCE["type"], "pluginName": "PostgreSQL",
            }
        ],
        "__elements": {},
        "__requires": [
            {"type": "grafana", "id": "grafana", "name": "Grafana", "version": "11.0.0"},
            {"type": "datasource", "id": _SOURCE["type"], "name": "PostgreSQL", "version": "1.0.0"},
            *({"type": "panel", "id": kind, "name": name, "version": ""} for kind, name in _PANELS.items()),
        ],
        "id": None,
        "uid": "tagdb",
        "title": "tagdb",
        "description": "Images, hashtags and recommendations: what is there, and how good it is.",
        "tags": ["tagdb"],
        "schemaVersion": 41,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "timezone": "utc",
        "time": {"from": "now-2y", "to": "now"},
        "annotations": {"list": []},
        "templating": {"list": _VARIABLES},
        "panels": panels,
    }  # fmt: skip
    return json.dumps(written, ensure_ascii=False, indent=2) + "\n"


def query(chart: Chart) -> str:
    """Return the query of a panel, with Grafana's macros and variables."""
    conditions = []
    when = chart.time or charts.TIMES.get(chart.view)
    if when and not chart.so_far:
        conditions.append(f"$__timeFilter({when})")
    if chart.view in charts.COLLECTED:
        conditions.append(f"{_shown('collection')} IN (${{collection:sqlstring}})")
    if chart.one:
        conditions.append(f"{chart.one} = ${{{chart.one}:sqlstring}}")
    asked = queries.sql(chart, "'${period}'", tuple(conditions))
    if chart.time:  # Grafana leaves a session the server's time zone, and takes times without one as UTC
        utc = "::timestamp" if chart.time in charts.DAYS else " AT TIME ZONE 'UTC'"
        asked = asked.replace(f"('${{period}}', {chart.time})", f"('${{period}}', {chart.time}{utc})")
    if chart.kind == "number":
        return asked
    for by in chart.by:  # in a list of columns: a series without a name has none in the legend
        asked = asked.replace(f"SELECT {by},", f"SELECT {_shown(by)} AS {by},")
        asked = asked.replace(f" AS time, {by},", f" AS time, {_shown(by)} AS metric,")
    return asked


def _shown(column: str) -> str:
    return f"coalesce({column}::text, '{charts.NONE}')"


def _panel(chart: Chart) -> Content:
    kind = _KINDS[chart.kind]
    overrides = []
    unit = _UNITS[chart.metrics[0].format] if chart.metrics else {}
    options, custom = _LOOKS[kind](chart)
    if chart.kind == "heat map":
        overrides = [
            _by_name(
                chart.metrics[0].name,
                **{"custom.cellOptions": {"type": "color-background", "mode": "gradient"}},
            )
        ]
    elif chart.kind == "table":
        overrides = [_by_name(name, **_UNITS[style]) for name, style in chart.columns if _UNITS[style]]
    return {
        "type": kind,
        "title": chart.title,
        "description": chart.about,
        "datasource": _SOURCE,
        "targets": [
            {
                "refId": "A", "datasource": _SOURCE, "editorMode": "code", "rawQuery": True,
                "format": "time_series" if kind == "timeseries" else "table", "rawSql": query(chart),
            }
        ],
        "fieldConfig": {"defaults": {**unit, "custom": custom}, "overrides": overrides},
        "options": options,
    }  # fmt: skip


def _by_name(column: str, **properties: object) -> Content:
    return {
        "matcher": {"id": "byName", "options": column},
        "properties": [{"id": name, "value": value} for name, value in properties.items()],
    }


def _stat(chart: Chart) -> tuple[Content, Content]:
    values = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    return {
        "reduceOptions": values, "orientation": "auto", "colorMode": "value", "graphMode": "none",
        "justifyMode": "auto", "textMode": "value", "wideLayout": True,
    }, {}  # fmt: skip


def _bar_chart(chart: Chart) -> tuple[Content, Content]:
    return {
        "orientation": "horizontal", "showValue": "always", "stacking": "none", "barWidth": 0.8,
        "groupWidth": 0.7, "fullHighlight": False, "xTickLabelMaxLength": 30, "xTickLabelRotation": 0,
        "xField": chart.by[0],
        "legend": {**_LEGEND, "showLegend": False}, "tooltip": {"mode": "single", "sort": "none"},
    }, {"fillOpacity": 80, "lineWidth": 0}  # fmt: skip


def _time_series(chart: Chart) -> tuple[Content, Content]:
    stacked = {"stacking": {"mode": "normal", "group": "A"}}
    custom: dict[str, Content] = {
        "lines": {"drawStyle": "line", "showPoints": "always"},
        "columns": {"drawStyle": "bars", "fillOpacity": 80, "lineWidth": 1, **stacked},
        "area": {"drawStyle": "line", "fillOpacity": 25, "showPoints": "never", **stacked},
    }
    return {"legend": _LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}}, custom[chart.kind]


def _table(chart: Chart) -> tuple[Content, Content]:
    return {"showHeader": True, "cellHeight": "sm", "frameIndex": 0}, {"align": "auto", "filterable": True}


_LOOKS = {"stat": _stat, "barchart": _bar_chart, "timeseries": _time_series, "table": _table}
_PERIODS = ("day", "week", "month")
_VARIABLES: list[Content] = [
    {
        "name": "collection", "label": "Collection", "type": "query", "hide": 0, "skipUrlSync": False,
        "datasource": _SOURCE, "refresh": 1, "sort": 1, "multi": True, "includeAll": True, "regex": "",
        "query": f"SELECT {_shown('collection')} FROM tagdb.collection_stats ORDER BY 1",  # noqa: S608
        "current": {"text": ["All"], "value": ["$__all"]}, "options": [],
    },
    {
        "name": "hashtag", "label": "Hashtag", "type": "textbox", "hide": 0, "skipUrlSync": False,
        "query": "", "current": {"text": "", "value": ""}, "options": [],
    },
    {
        "name": "period", "label": "Period", "type": "custom", "hide": 0, "skipUrlSync": False,
        "query": ",".join(_PERIODS), "multi": False, "includeAll": False,
        "current": {"text": "month", "value": "month"},
        "options": [{"text": each, "value": each, "selected": each == "month"} for each in _PERIODS],
    },
]  # fmt: skip
