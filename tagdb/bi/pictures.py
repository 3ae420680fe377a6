"""A picture of all pages: the main chart of each, drawn by Matplotlib."""

import warnings
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagdb.bi import charts
from tagdb.bi.figures import Figures, written
from tagdb.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 2
SUFFIXES = (".svg", ".png", ".pdf")
LONGEST = 40
"""Of a name, in characters."""
_BARS = 15
"""More cannot be read."""


def check(path: Path) -> None:
    """Check that a picture can be drawn, and saved with this name.

    Raises
    ------
    ConfigError
        Matplotlib is not installed, or the suffix is none of ``SUFFIXES``.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"a picture cannot be saved as {path.name!r}; use {', '.join(SUFFIXES)}")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ConfigError(
            "pictures are drawn by Matplotlib; install it with: pip install 'tagdb[plot]'"
        ) from None


def draw(figures: Mapping[str, Sequence[Figures]], path: Path) -> None:
    """Draw the main chart of each page, and save them as one picture.

    Raises
    ------
    ConfigError
        It cannot be saved.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    pages = [page for page in charts.PAGES if page.title in figures]
    across = min(COLUMNS, len(pages))
    lines = -(-len(pages) // across)
    sheet = Figure(figsize=(7 * across, 4.5 * lines), layout="constrained")
    axes = sheet.subplots(lines, across, squeeze=False).ravel()
    for page, place in zip(pages, axes, strict=False):
        (main,) = (each for each in figures[page.title] if each.chart.title == page.main)
        _chart(place, main)
        place.set_title(f"{page.title}: {page.main}", loc="left", fontsize=11, fontweight="bold")
        place.spines[["top", "right"]].set_visible(False)
    for place in axes[len(pages) :]:
        place.set_axis_off()
    try:
        # text stays text, which a browser shows in whatever script it is; another font may lack some of it
        with rc_context({"svg.fonttype": "none"}), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph")
            sheet.savefig(path)
    except OSError as error:
        raise ConfigError(f"the picture {path} cannot be saved: {error.strerror or error}") from error


def _chart(place: "Axes", figures: Figures) -> None:
    if not figures.rows:
        place.text(0.5, 0.5, "nothing yet", ha="center", va="center", color="gray")
        place.set_xticks([])
        place.set_yticks([])
    elif figures.chart.time:
        _over_time(place, figures)
    else:
        _bars(place, figures)


def _bars(place: "Axes", figures: Figures) -> None:
    from matplotlib.ticker import MaxNLocator

    shown = figures.rows[:_BARS][::-1]
    names = [_short(row[0]) for row in shown]
    drawn = place.barh(range(len(shown)), [float(row[1]) for row in shown])
    place.set_yticks(range(len(shown)), names, parse_math=False)
    place.set_xlabel(figures.names[1], fontsize=8)
    if figures.formats[1] == "count":
        place.xaxis.set_major_locator(MaxNLocator(integer=True))
    place.bar_label(drawn, [written(row[1], figures.formats[1]) for row in shown], padding=3, fontsize=8)


def _over_time(place: "Axes", figures: Figures) -> None:
    """Lines, or columns on each other: one for each metric, or for each value of ``by``."""
    from matplotlib.ticker import MaxNLocator

    by = len(figures.chart.by)
    series: dict[str, dict[Any, float]] = {}
    for time, *rest in figures.rows:
        names = [_short(rest[0])] if by else figures.names[1:]
        for name, value in zip(names, rest[by:], strict=True):
            series.setdefault(name, {})[time] = float(value or 0)
    times = sorted({row[0] for row in figures.rows})
    width = min((later - earlier for earlier, later in pairwise(times)), default=None)
    below = [0.0] * len(times)
    for name, values in series.items():
        heights = [values.get(time, 0.0) for time in times]
        if figures.chart.kind == "lines":
            place.plot(list(values), list(values.values()), marker="o", markersize=3, label=name)
        else:
            place.bar(times, heights, width=width * 0.9 if width else 20, bottom=below, label=name)
            below = [low + height for low, height in zip(below, heights, strict=True)]
    place.set_ylim(bottom=0)
    if figures.formats[-1] == "count":
        place.yaxis.set_major_locator(MaxNLocator(integer=True))
    place.tick_params(axis="x", labelrotation=30)
    title = charts.words(figures.chart.by[0]) if by else None
    legend = place.legend(fontsize=8, frameon=False, title=title, title_fontsize=8)
    for text in legend.get_texts():
        text.set_parse_math(False)


def _short(value: Any) -> str:
    text = charts.NONE if value is None else written(value, "text")
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
