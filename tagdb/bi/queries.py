"""A chart's query, for what asks by SQL. All of its text is from ``charts``, none from input."""

from tagdb.bi.charts import Chart


def sql(chart: Chart, period: str = "'month'", conditions: tuple[str, ...] = ()) -> str:
    """Return the query of a chart.

    Parameters
    ----------
    period
        ``day``, ``week`` or ``month`` as an SQL literal, by which times are told apart.
    conditions
        Further conditions on the rows, in SQL.

    Returns
    -------
    str
        Its columns are the time, if it has one, then ``by``, then the metrics by their names; of a table, its
        columns.
    """
    source = f"FROM tagdb.{chart.view}{_where(chart.where, *conditions)}"
    if chart.kind == "table":
        names = ", ".join(name for name, _ in chart.columns)
        return f"SELECT {names}\n{source}\nORDER BY {', '.join(chart.order)}\nLIMIT {chart.most}"
    metrics = [f'{metric.sql} AS "{metric.name}"' for metric in chart.metrics]
    first = f'"{chart.metrics[0].name}" DESC'
    if chart.time is None:
        shown = _select(*chart.by, *metrics, source)
        most = f"\nLIMIT {chart.most}"
        return (
            shown + _by("GROUP BY", *chart.by) + _by("ORDER BY", first, *chart.by) + most
            if chart.by
            else shown
        )
    time = f"date_trunc({period}, {chart.time})"
    if chart.so_far:
        metrics = [f'sum({each.sql}) OVER (ORDER BY {time}) AS "{each.name}"' for each in chart.metrics]
    for by in chart.by:  # the largest
        largest = f"{_select(f'{by} AS value', metrics[0], source)} GROUP BY 1 ORDER BY {first}, 1"
        among = (
            f"EXISTS (SELECT FROM ({largest} LIMIT {chart.most}) l WHERE l.value IS NOT DISTINCT FROM {by})"  # noqa: S608
        )
        source = f"FROM tagdb.{chart.view}{_where(chart.where, *conditions, among)}"
    shown = _select(f"{time} AS time", *chart.by, *metrics, source)
    return shown + _by("GROUP BY", "time", *chart.by) + _by("ORDER BY", "time", *chart.by)


def _select(*listed: str) -> str:
    *columns, source = listed
    return f"SELECT {', '.join(columns)}\n{source}"


def _where(*conditions: str | None) -> str:
    given = [each for each in conditions if each]
    return f"\nWHERE {' AND '.join(given)}" if given else ""


def _by(words: str, *columns: str) -> str:
    return f"\n{words} {', '.join(columns)}"
