"""Chart of an evaluation: a dot with its 95 % interval per contestant."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from PIL.ImageFont import FreeTypeFont
from PIL.ImageFont import ImageFont as BitmapFont

from tagdb.errors import EvaluationError
from tagdb.evaluation.metrics import Estimate
from tagdb.evaluation.reports import MAIN, Report

SCALE = 2
"""Pixels per unit, so that text is sharp on any screen."""
WIDTH, ROW, TOP, BOTTOM, EDGE = 820, 34, 84, 56, 24
LONGEST = 48
"""Maximum length of a label, in characters."""
INK, QUIET, GRID, MARK = "#1f2430", "#6b7280", "#e5e7eb", "#2563eb"
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2)


def check(path: Path) -> None:
    """Check that a chart can be saved with this name.

    Raises
    ------
    EvaluationError
        The suffix is not that of a supported image format.
    """
    known = Image.registered_extensions()
    if known.get(path.suffix.lower()) not in Image.SAVE:
        raise EvaluationError(f"a chart cannot be saved as {path.name!r}; use .png, .webp or .jpg")


def draw(report: Report, path: Path) -> None:
    """Draw nDCG@10 of every contestant and save the chart in the format named by the suffix.

    Raises
    ------
    EvaluationError
        The suffix is not that of a supported image format, or the file cannot be written.
    """
    check(path)
    picture = _picture(report)
    try:
        picture.save(path)
    except OSError as error:
        raise EvaluationError(f"the chart {path} cannot be saved: {error.strerror or error}") from error


def _picture(report: Report) -> Image.Image:
    lines = [(_short(row.label), row.metrics[MAIN]) for row in report.rows]
    plain, small, large = (_font(size) for size in (15, 13, 19))
    left = EDGE + max(_width(label, plain) for label, _ in lines) + 16
    right = WIDTH - EDGE - _width("0.000", plain) - 16
    bottom = TOP + ROW * len(lines)
    picture = Image.new("RGB", (WIDTH * SCALE, (bottom + BOTTOM) * SCALE), "white")
    pen = ImageDraw.Draw(picture)

    highest = max(_high(value) for _, value in lines)
    step = next((step for step in STEPS if highest / step <= 8), STEPS[-1])
    ticks = int(highest / step + 0.999)
    span = max(ticks, 1) * step

    def across(value: float) -> float:
        return left + (right - left) * value / span

    def text(x: float, y: float, words: str, font: FreeTypeFont | BitmapFont, ink: str, anchor: str) -> None:
        pen.text((x * SCALE, y * SCALE), words, fill=ink, font=font, anchor=anchor)

    def line(x: float, y: float, to_x: float, to_y: float, ink: str, width: float) -> None:
        ends = (x * SCALE, y * SCALE, to_x * SCALE, to_y * SCALE)
        pen.line(ends, fill=ink, width=round(width * SCALE))

    text(EDGE, 30, "How good recommendations are", large, INK, "lm")
    held = f"{report.fraction:.0%} held out" if report.fraction is not None else f"{report.folds} folds"
    about = f"{MAIN} on {report.queries:,} held-out photos of {report.images:,}, {held}, with 95 % intervals"
    text(EDGE, 57, about, small, QUIET, "lm")
    for n in range(max(ticks, 1) + 1):
        x = across(n * step)
        line(x, TOP, x, bottom, GRID, 1)
        text(x, bottom + 14, f"{n * step:g}", small, QUIET, "mm")
    text((left + right) / 2, bottom + 36, f"{MAIN} (higher is better)", small, QUIET, "mm")
    for n, (label, value) in enumerate(lines):
        y = TOP + ROW * (n + 0.5)
        text(left - 16, y, label, plain, INK, "rm")
        if value.low is not None and value.high is not None:
            line(across(value.low), y, across(value.high), y, MARK, 2)
            for end in (value.low, value.high):
                line(across(end), y - 4, across(end), y + 4, MARK, 1.5)
        x, size = across(value.mean) * SCALE, 5 * SCALE
        pen.ellipse((x - size, y * SCALE - size, x + size, y * SCALE + size), fill=MARK)
        text(WIDTH - EDGE, y, f"{value.mean:.3f}", plain, INK, "rm")
    return picture


def _font(size: int) -> FreeTypeFont | BitmapFont:
    return ImageFont.load_default(size=size * SCALE)


def _width(words: str, font: FreeTypeFont | BitmapFont) -> float:
    return font.getlength(words) / SCALE


def _high(value: Estimate) -> float:
    return max(value.mean, value.high or 0.0)


def _short(label: str) -> str:
    return label if len(label) <= LONGEST else label[: LONGEST - 1] + "…"
