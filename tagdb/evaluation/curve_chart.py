"""Chart of a learning curve: a line per contestant over the number of photos."""

import math
from itertools import pairwise
from pathlib import Path

from PIL import Image

from tagdb.evaluation import drawing
from tagdb.evaluation.curve import Curve
from tagdb.evaluation.drawing import EDGE, GRID, MARK, QUIET, WIDTH, Drawing, width
from tagdb.evaluation.reports import MAIN

TOP, HEIGHT, BOTTOM = 84, 360, 60
LINE = 18
"""Least distance between two labels."""
OTHERS = ("#d97706", "#059669", "#9333ea", "#dc2626", "#0891b2", "#6b7280")
LONGEST = 30


def draw(curve: Curve, path: Path) -> None:
    """Draw nDCG@10 of every contestant over the number of photos, and save the chart.

    Raises
    ------
    EvaluationError
        The suffix is not that of a supported image format, or the file cannot be written.
    """
    drawing.save(_picture(curve), path)


def _picture(curve: Curve) -> Image.Image:
    lines = {
        row.label: [next(one for one in point.rows if one.label == row.label) for point in curve.points]
        for row in curve.points[-1].rows
    }
    labels = {label: label if len(label) <= LONGEST else label[: LONGEST - 1] + "…" for label in lines}
    photos = [max(point.photos, 1) for point in curve.points]
    ticks = drawing.ticks(max(row.metrics[MAIN].mean for each in lines.values() for row in each))
    left = EDGE + width("0.00", 13) + 12
    right = WIDTH - EDGE - max(width(f"{label} 0.000", 13) for label in labels.values()) - 18
    bottom = TOP + HEIGHT
    pen = Drawing(bottom + BOTTOM)

    def across(number: float) -> float:
        """Doubling the photos is the same distance anywhere."""
        span = math.log(photos[-1] / photos[0]) or 1.0
        return left + 12 + (right - left - 24) * math.log(number / photos[0]) / span

    def up(value: float) -> float:
        return bottom - HEIGHT * value / ticks[-1]

    pen.title(
        "What more photos are worth",
        f"{MAIN} on the same {curve.queries:,} held-out photos, by the number of photos learned from",
    )
    for tick in ticks:
        pen.line(left, up(tick), right, up(tick), GRID, 1)
        pen.text(left - 8, up(tick), f"{tick:g}", 13, QUIET, "rm")
    for number in photos:
        pen.line(across(number), bottom, across(number), bottom + 5, QUIET, 1)
        pen.text(across(number), bottom + 16, f"{number:,}", 13, QUIET, "mm")
    pen.text((left + right) / 2, bottom + 40, "photos learned from", 13, QUIET, "mm")

    inks = dict(zip((label for label in lines if label != curve.label), OTHERS * len(lines), strict=False))
    inks[curve.label] = MARK
    best_first = sorted(lines, key=lambda label: -lines[label][-1].metrics[MAIN].mean)
    places = _apart([up(lines[label][-1].metrics[MAIN].mean) for label in best_first], bottom)
    for label, place in zip(best_first, places, strict=True):
        values = [row.metrics[MAIN].mean for row in lines[label]]
        ends = [(across(number), up(value)) for number, value in zip(photos, values, strict=True)]
        thickness = 3 if label == curve.label else 1.5
        for (x, y), (to_x, to_y) in pairwise(ends):
            pen.line(x, y, to_x, to_y, inks[label], thickness)
        for x, y in ends:
            pen.dot(x, y, inks[label], 4 if label == curve.label else 3)
        pen.text(right + 8, place, f"{labels[label]} {values[-1]:.3f}", 13, inks[label], "lm")
    return pen.picture


def _apart(places: list[float], lowest: float) -> list[float]:
    """Move the places of labels, which ascend, so far apart that none covers another."""
    for n in range(1, len(places)):
        places[n] = max(places[n], places[n - 1] + LINE)
    for n in reversed(range(len(places))):
        places[n] = min(places[n], lowest - LINE * (len(places) - 1 - n))
    return places
