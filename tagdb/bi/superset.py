"""An import file for Apache Superset: the database, a data set for each view, the charts and a dashboard.

The files in it are YAML to Superset; they are written as JSON, which is YAML, too. All identifiers are made
from names, so that a later import replaces what an earlier one made. Tried with Superset 6.1.
"""

import io
import json
import uuid
import zipfile
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import Any

from tagdb.bi import charts
from tagdb.bi.charts import Chart, Format, Metric
from tagdb.store.views import Column

Content = dict[str, Any]

VERSION = "1.0.0"
"""Of the format."""
MASKED = "XXXXXXXXXX"
"""What stands for the password, which Superset asks for on import."""
_NAMES = uuid.uuid5(uuid.NAMESPACE_DNS, "superset.tagdb")
_FORMATS: dict[Format, str] = {
    "count": ",d", "decimal": ",.2f", "score": ".3f", "share": ".1%", "percent": ",.1f",
    "bytes": "MEMORY_DECIMAL", "seconds": ",.1f", "milliseconds": ",.1f", "time": "%Y-%m-%d", "text": "",
}  # fmt: skip
"""Formats of D3, and Superset's own."""
_NAMELESS = ("collection", "factor_run_id")
"""Columns that may be NULL. Superset would leave that line or column out of a chart with a limit."""
_TIMES = {"date", "timestamp with time zone"}
_HEIGHTS = {"number": 20, "bars": 60, "heat map": 80}
"""Of charts, in eighths of what Superset lays out by; others have 50."""


def archive(columns: Sequence[Column], uri: str) -> bytes:
    """Return the import file.

    Parameters
    ----------
    columns
        The columns of the views.
    uri
        SQLAlchemy's URI of the database, with ``MASKED`` for a password.
    """
    files: dict[str, Content] = {
        "metadata": {"version": VERSION, "timestamp": "2026-01-01T00:00:00+00:00"},
        "databases/tagdb": _database(uri),
        "dashboards/tagdb": _dashboard(),
    }
    for view, its in groupby(columns, lambda column: column.view):
        files[f"datasets/tagdb/{view}"] = _data_set(view, list(its))
    for chart in charts.charts():
        files[f"charts/{chart.title.lower().replace(' ', '_')}"] = _chart(chart)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in files.items():
            file = zipfile.ZipInfo(f"tagdb/{name}.yaml", (2026, 1, 1, 0, 0, 0))
            file.compress_type = zipfile.ZIP_DEFLATED
            written.writestr(file, json.dumps(content, ensure_ascii=False, indent=1))
    return packed.getvalue()


def uri(url: str) -> str:
    """Return SQLAlchemy's form of a URL, with the driver that Superset's own documentation installs."""
    return url.replace("postgresql://", "postgresql+psycopg2://", 1)


def _id(*names: str) -> str:
    return str(uuid.uuid5(_NAMES, "/".join(names)))


def _database(uri: str) -> Content:
    return {
        "database_name": "tagdb",
        "sqlalchemy_uri": uri,
        "expose_in_sqllab": True,
        **dict.fromkeys(
            ("allow_run_async", "allow_ctas", "allow_cvas", "allow_dml", "allow_file_upload"), False
        ),
        "extra": {
            "allows_virtual_table_explore": True,
            # days, weeks and months begin by UTC, as those of the views do
            "engine_params": {"connect_args": {"options": "-c timezone=utc"}},
        },
        "uuid": _id("database"),
        "version": VERSION,
    }


# --- data sets -----------------------------------------------------------------------------------


def _data_set(view: str, columns: list[Column]) -> Content:
    metrics = {
        _name(metric): metric for chart in charts.charts() if chart.view == view for metric in chart.metrics
    }
    return {
        "table_name": view,
        "schema": "tagdb",
        "description": columns[0].view_description,
        "main_dttm_col": charts.TIMES.get(view),
        "filter_select_enabled": True,
        "columns": [
            {
                "column_name": column.name,
                "verbose_name": charts.words(column.name),
                "description": column.description,
                "type": "ARRAY" if column.type.endswith("[]") else column.type.upper(),
                "is_dttm": column.type in _TIMES,
                **dict.fromkeys(("is_active", "groupby", "filterable"), True),
            }
            for column in columns
        ]
        + [
            {
                "column_name": _shown(name),
                "verbose_name": charts.words(name),
                "expression": f"coalesce({name}::text, '{charts.NONE}')",
                "type": "TEXT",
                **dict.fromkeys(("is_active", "groupby", "filterable"), True),
            }
            for name in _NAMELESS
            if name in [column.name for column in columns]
        ],
        "metrics": [
            {
                "metric_name": name,
                "verbose_name": charts.words(metric.name),
                "expression": metric.sql,
                "d3format": _FORMATS[metric.format],
            }
            for name, metric in {**metrics, "rows": Metric("rows", "count(*)")}.items()
        ],
        "uuid": _id("data set", view),
        "database_uuid": _id("database"),
        "version": VERSION,
    }


def _name(metric: Metric) -> str:
    """The name of a metric. It must not be that of a column: Superset would take one for the other."""
    return f"total {metric.name}"


def _shown(column: str) -> str:
    """The name of a column that has a word for NULL."""
    return f"{column}_shown" if column in _NAMELESS else column


# --- charts --------------------------------------------------------------------------------------


def _chart(chart: Chart) -> Content:
    kind, shown = _SHOWN[chart.kind](chart)
    timed = [_during(chart.time or charts.TIMES[chart.view])] if _is_timed(chart) else []
    condition = (
        [{"clause": "WHERE", "expressionType": "SQL", "sqlExpression": chart.where}] if chart.where else []
    )
    return {
        "slice_name": chart.title,
        "description": chart.about,
        "viz_type": kind,
        "params": {"viz_type": kind, "adhoc_filters": [*timed, *condition], **shown},
        "uuid": _id("chart", chart.title),
        "dataset_uuid": _id("data set", chart.view),
        "version": VERSION,
    }


def _is_timed(chart: Chart) -> bool:
    return chart.time is not None or chart.view in charts.TIMES


def _during(column: str) -> Content:
    """A condition that a dashboard's range of time replaces."""
    return {
        "clause": "WHERE", "expressionType": "SIMPLE", "subject": column, "operator": "TEMPORAL_RANGE",
        "comparator": "No filter",
    }  # fmt: skip


def _number(chart: Chart) -> tuple[str, Content]:
    (metric,) = chart.metrics
    return "big_number_total", {
        "metric": _name(metric),
        "y_axis_format": _FORMATS[metric.format],
        "header_font_size": 0.4,
    }


def _bars(chart: Chart) -> tuple[str, Content]:
    (metric,) = chart.metrics
    return "echarts_timeseries_bar", {
        "x_axis": _shown(chart.by[0]),
        "metrics": [_name(metric)],
        "groupby": [],
        "orientation": "horizontal",
        "x_axis_sort": _name(metric),
        "x_axis_sort_asc": True,
        "xAxisForceCategorical": True,
        "row_limit": chart.most,
        "order_desc": True,
        "y_axis_format": _FORMATS[metric.format],
        "show_legend": False,
        "show_value": True,
        "rich_tooltip": True,
        "truncateXAxis": False,
    }


def _over_time(chart: Chart) -> tuple[str, Content]:
    kind = {"lines": "echarts_timeseries_line", "columns": "echarts_timeseries_bar", "area": "echarts_area"}
    shown: Content = {
        "x_axis": chart.time,
        "time_grain_sqla": "P1M",
        "metrics": [_name(metric) for metric in chart.metrics],
        "groupby": [*map(_shown, chart.by)],
        "y_axis_format": _FORMATS[chart.metrics[0].format],
        "x_axis_time_format": "smart_date",
        "tooltipTimeFormat": "%Y-%m-%d",
        "row_limit": 50_000,
        "truncateXAxis": False,
        "rich_tooltip": True,
        "show_legend": bool(chart.by) or len(chart.metrics) > 1,
        "legendType": "scroll",
        "legendOrientation": "top",
    }
    if chart.by:
        shown |= {"limit": chart.most, "timeseries_limit_metric": _name(chart.metrics[0]), "order_desc": True}
    if chart.kind != "lines":
        shown["stack"] = "Stack"
    if chart.kind != "columns":  # a single point has no line
        shown |= {"markerEnabled": True, "markerSize": 4}
    if chart.so_far:
        shown["rolling_type"] = "cumsum"
    return kind[chart.kind], shown


def _heat_map(chart: Chart) -> tuple[str, Content]:
    (metric,) = chart.metrics
    across, down = map(_shown, chart.by)
    return "heatmap_v2", {
        "x_axis": across,
        "groupby": down,
        "metric": _name(metric),
        "row_limit": chart.most,
        "sort_x_axis": "alpha_asc",
        "sort_y_axis": "alpha_desc",
        "normalize_across": "heatmap",
        "linear_color_scheme": "superset_seq_1",
        "legend_type": "continuous",
        "show_legend": True,
        "value_bounds": [None, None],
        "y_axis_format": _FORMATS[metric.format],
        "xscale_interval": 1,
        "yscale_interval": 1,
        "x_axis_label_rotation": -45,
        "left_margin": 50,
        "bottom_margin": 50,
        "border_color": {"r": 255, "g": 255, "b": 255, "a": 1},
    }


def _table(chart: Chart) -> tuple[str, Content]:
    order = [each.partition(" ") for each in chart.order]
    numbers = {name: _FORMATS[kind] for name, kind in chart.columns if kind not in {"time", "text"}}
    return "table", {
        "query_mode": "raw",
        "all_columns": [name for name, _ in chart.columns],
        "order_by_cols": [json.dumps([column, not descending]) for column, _, descending in order],
        "row_limit": chart.most,
        "page_length": 20,
        "include_search": True,
        "show_cell_bars": False,
        "table_timestamp_format": _FORMATS["time"],
        "column_config": {name: {"d3NumberFormat": number} for name, number in numbers.items()},
    }


_SHOWN = {
    "number": _number, "bars": _bars, "lines": _over_time, "columns": _over_time, "area": _over_time,
    "heat map": _heat_map, "table": _table,
}  # fmt: skip


# --- the dashboard -------------------------------------------------------------------------------


def _dashboard() -> Content:
    numbers = {chart.title: number for number, chart in enumerate(charts.charts(), 1)}
    return {
        "dashboard_title": "tagdb",
        "description": "Images, hashtags and recommendations: what is there, and how good it is.",
        "slug": "tagdb",
        "published": True,
        "position": _layout(numbers),
        "metadata": {
            "native_filter_configuration": _filters(numbers),
            "color_scheme": "supersetColors",
            "cross_filters_enabled": True,
        },
        "uuid": _id("dashboard"),
        "version": VERSION,
    }


def _layout(numbers: dict[str, int]) -> Content:
    placed: Content = {"DASHBOARD_VERSION_KEY": "v2"}

    def place(kind: str, name: str, parent: str | None, **meta: object) -> str:
        parents = [*placed[parent].get("parents", ()), parent] if parent else []
        placed[name] = {"type": kind, "id": name, "children": [], "parents": parents, "meta": meta}
        if parent:
            placed[parent]["children"].append(name)
        return name

    root = place("ROOT", "ROOT_ID", None)
    placed["GRID_ID"] = {"type": "GRID", "id": "GRID_ID", "children": [], "parents": [root]}
    placed["HEADER_ID"] = {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": "tagdb"}}
    tabs = place("TABS", "TABS-pages", root)
    for page in charts.PAGES:
        tab = place("TAB", f"TAB-{page.title}", tabs, text=page.title)
        for number, charted in enumerate(charts.rows(page)):
            row = place("ROW", f"ROW-{page.title}-{number}", tab, background="BACKGROUND_TRANSPARENT")
            height = max(_HEIGHTS.get(chart.kind, 50) for chart in charted)
            for chart in charted:
                place(
                    "CHART", f"CHART-{numbers[chart.title]}", row, width=chart.width, height=height,
                    chartId=numbers[chart.title], sliceName=chart.title, uuid=_id("chart", chart.title),
                )  # fmt: skip
    return placed


def _filters(numbers: dict[str, int]) -> list[Content]:
    """What is chosen beside the dashboard; each is for the charts whose view knows it."""

    def chosen(name: str, kind: str, about: str, target: Content, of: Iterable[Chart]) -> Content:
        meant = {chart.title for chart in of}
        return {
            "id": f"NATIVE_FILTER-{_id('filter', name)}",
            "name": name,
            "type": "NATIVE_FILTER",
            "filterType": kind,
            "description": about,
            "targets": [target],
            "scope": {
                "rootPath": ["ROOT_ID"],
                "excluded": [n for title, n in numbers.items() if title not in meant],
            },
            "controlValues": {"multiSelect": True, "enableEmptyFilter": False},
            "defaultDataMask": {"extraFormData": {}, "filterState": {}, "ownState": {}},
            "cascadeParentIds": [],
        }

    def having(views: Collection[str]) -> list[Chart]:
        return [chart for chart in charts.charts() if chart.view in views]

    return [
        chosen(
            "Collection", "filter_select", "Charts of images and collections.",
            {"column": {"name": "collection"}, "datasetUuid": _id("data set", "collection_stats")},
            having(charts.COLLECTED),
        ),
        chosen(
            "Hashtag", "filter_select", "Charts of hashtags and pairs.",
            {"column": {"name": "hashtag"}, "datasetUuid": _id("data set", "hashtag_stats")},
            having(charts.OF_HASHTAGS),
        ),
        chosen("Time", "filter_time", "Charts of what has a time.", {}, filter(_is_timed, charts.charts())),
        chosen(
            "Period", "filter_timegrain", "Of charts over time: days, weeks, months and others.",
            {"datasetUuid": _id("data set", "images")},
            [chart for chart in charts.charts() if chart.time],
        ),
    ]  # fmt: skip
