"""What the charts of evaluations have in common: a sheet, its colours and ticks, and saving it."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from PIL.ImageFont import FreeTypeFont
from PIL.ImageFont import ImageFont as BitmapFont

from tagdb.errors import EvaluationError

SCALE = 2
"""Pixels per unit, so that text is sharp on any screen."""
WIDTH, EDGE = 820, 24
INK, QUIET, GRID, MARK = "#1f2430", "#6b7280", "#e5e7eb", "#2563eb"
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2)


class Drawing:
    """A white sheet to draw on, in units of ``SCALE`` pixels."""

    def __init__(self, height: float) -> None:
        self.picture = Image.new("RGB", (WIDTH * SCALE, round(height * SCALE)), "white")
        self._pen = ImageDraw.Draw(self.picture)

    def title(self, title: str, about: str) -> None:
        """Write the two lines at the top."""
        self.text(EDGE, 30, title, 19, INK, "lm")
        self.text(EDGE, 57, about, 13, QUIET, "lm")

    def text(self, x: float, y: float, words: str, size: int, ink: str, anchor: str) -> None:
        """Write a line of text; the anchor is Pillow's."""
        self._pen.text((x * SCALE, y * SCALE), words, fill=ink, font=_font(size), anchor=anchor)

    def line(self, x: float, y: float, to_x: float, to_y: float, ink: str, thickness: float) -> None:
        """Draw a straight line."""
        ends = (x * SCALE, y * SCALE, to_x * SCALE, to_y * SCALE)
        self._pen.line(ends, fill=ink, width=round(thickness * SCALE))

    def dot(self, x: float, y: float, ink: str, radius: float = 5) -> None:
        """Draw a dot."""
        size = radius * SCALE
        middle_x, middle_y = x * SCALE, y * SCALE
        self._pen.ellipse((middle_x - size, middle_y - size, middle_x + size, middle_y + size), fill=ink)


def width(words: str, size: int) -> float:
    """Return how wide a text is."""
    return _font(size).getlength(words) / SCALE


def ticks(highest: float) -> list[float]:
    """Return at most ten round numbers from 0 to at least the highest value."""
    step = next((step for step in STEPS if highest / step <= 8), STEPS[-1])
    return [n * step for n in range(max(int(highest / step + 0.999), 1) + 1)]


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


def save(picture: Image.Image, path: Path) -> None:
    """Save a chart in the format named by the suffix.

    Raises
    ------
    EvaluationError
        The suffix is not that of a supported image format, or the file cannot be written.
    """
    check(path)
    try:
        picture.save(path)
    except OSError as error:
        raise EvaluationError(f"the chart {path} cannot be saved: {error.strerror or error}") from error


def _font(size: int) -> FreeTypeFont | BitmapFont:
    return ImageFont.load_default(size=size * SCALE)
