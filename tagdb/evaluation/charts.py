"""Chart of an evaluation: a dot with its 95 % interval per contestant."""

from pathlib import Path

from PIL import Image

from tagdb.evaluation import drawing
from tagdb.evaluation.drawing import EDGE, GRID, INK, MARK, QUIET, WIDTH, Drawing, width
from tagdb.evaluation.metrics import Estimate
from tagdb.evaluation.reports import MAIN, Report

ROW, TOP, BOTTOM = 34, 84, 56
LONGEST = 48
"""Maximum length of a label, in characters."""


def draw(report: Report, path: Path) -> None:
    """Draw nDCG@10 of every contestant and save the chart in the format named by the suffix.

    Raises
    ------
    EvaluationError
        The suffix is not that of a supported image format, or the file cannot be written.
    """
    drawing.save(_picture(report), path)


def _picture(report: Report) -> Image.Image:
    lines = [(_short(row.label), row.metrics[MAIN]) for row in report.rows]
    left = EDGE + max(width(label, 15) for label, _ in lines) + 16
    right = WIDTH - EDGE - width("0.000", 15) - 16
    bottom = TOP + ROW * len(lines)
    pen = Drawing(bottom + BOTTOM)
    ticks = drawing.ticks(max(_high(value) for _, value in lines))

    def across(value: float) -> float:
        return left + (right - left) * value / ticks[-1]

    held = f"{report.fraction:.0%} held out" if report.fraction is not None else f"{report.folds} folds"
    pen.title(
        "How good recommendations are",
        f"{MAIN} on {report.queries:,} held-out photos of {report.images:,}, {held}, with 95 % intervals",
    )
    for tick in ticks:
        pen.line(across(tick), TOP, across(tick), bottom, GRID, 1)
        pen.text(across(tick), bottom + 14, f"{tick:g}", 13, QUIET, "mm")
    pen.text((left + right) / 2, bottom + 36, f"{MAIN} (higher is better)", 13, QUIET, "mm")
    for n, (label, value) in enumerate(lines):
        y = TOP + ROW * (n + 0.5)
        pen.text(left - 16, y, label, 15, INK, "rm")
        if value.low is not None and value.high is not None:
            pen.line(across(value.low), y, across(value.high), y, MARK, 2)
            for end in (value.low, value.high):
                pen.line(across(end), y - 4, across(end), y + 4, MARK, 1.5)
        pen.dot(across(value.mean), y, MARK)
        pen.text(WIDTH - EDGE, y, f"{value.mean:.3f}", 15, INK, "rm")
    return pen.picture


def _high(value: Estimate) -> float:
    return max(value.mean, value.high or 0.0)


def _short(label: str) -> str:
    return label if len(label) <= LONGEST else label[: LONGEST - 1] + "…"
