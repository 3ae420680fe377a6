"""The paint box: shapes, textures and lights on a canvas.

Lengths are in units of the shorter side, from the upper left corner. Everything is drawn at twice the size
and sampled down at the end.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from tagdb.scenes.paints import SQUARES, Colour, Paint, field, mix, rgb, to_byte

T = TypeVar("T")
Point = tuple[float, float]

_SAMPLES = 2
_OUTLINE = np.linspace(0, 2 * np.pi, 48, endpoint=False)
_GLOW = 255 * np.clip(1 - np.sqrt(SQUARES), 0, 1) ** 1.6


class Canvas:
    """An image that is being drawn, with its random numbers."""

    def __init__(self, width: int, height: int, rng: np.random.Generator) -> None:
        self.rng = rng
        self.size = width, height
        short = min(width, height)
        self.w, self.h = width / short, height / short
        self.unit = short * _SAMPLES
        self.noted: list[str] = []
        self._start(Image.new("RGB", (width * _SAMPLES, height * _SAMPLES)))

    def _start(self, image: Image.Image) -> None:
        self.image = image
        self._draw = ImageDraw.Draw(image)

    # Random numbers

    def u(self, low: float, high: float) -> float:
        """Return a random number."""
        return low + (high - low) * self.rng.random()

    def n(self, low: int, high: int) -> int:
        """Return a random whole number, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        """Return True with a given probability."""
        return bool(self.rng.random() < probability)

    def pick(self, options: Sequence[T]) -> T:
        """Return a random element."""
        return options[int(self.rng.integers(len(options)))]

    def vary(self, colour: str | Colour, amount: float = 0.1) -> Colour:
        """Return a random colour close to another one."""
        r, g, b = rgb(colour)
        x, y, z = self.rng.normal(0, 100 * amount, 3).tolist()
        return to_byte(r + x), to_byte(g + y), to_byte(b + z)

    def spread(self, count: int, *box: float) -> Iterator[tuple[float, float, float]]:
        """Yield random points in a box (left, top, right, bottom), each with another number in 0..1."""
        left, top, right, bottom = box
        for x, y, z in self.rng.random((count, 3)).tolist():
            yield left + (right - left) * x, top + (bottom - top) * y, z

    def rows(self, count: int, *box: float) -> list[tuple[float, float, float]]:
        """Return points as ``spread()``, with those farther away (higher up) first."""
        return sorted(self.spread(count, *box), key=lambda spot: spot[1])

    def note(self, *hashtags: str) -> None:
        """Add hashtags of what is drawn."""
        self.noted.extend(hashtags)

    # Shapes

    def poly(self, points: Sequence[Point], paint: Paint) -> None:
        """Draw a polygon."""
        spots = [(x * self.unit, y * self.unit) for x, y in points]
        if not callable(paint):
            self._draw.polygon(spots, fill=rgb(paint))
            return
        left, top = (int(min(axis)) for axis in zip(*spots, strict=True))
        right, bottom = (int(max(axis)) + 1 for axis in zip(*spots, strict=True))
        mask = Image.new("L", (max(right - left, 2), max(bottom - top, 2)))
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in spots], fill=255)
        self.image.paste(paint(self.rng, *mask.size), (left, top), mask)

    def rect(self, left: float, top: float, right: float, bottom: float, paint: Paint) -> None:
        """Draw a rectangle."""
        self.poly([(left, top), (right, top), (right, bottom), (left, bottom)], paint)

    def box(self, x0: float, y0: float, x1: float, y1: float, radius: float, paint: Paint) -> None:
        """Draw a rectangle with round corners."""
        r = min(radius, abs(x1 - x0) / 2, abs(y1 - y0) / 2)
        points = []
        for cx, cy, start in (
            (x1 - r, y1 - r, 0.0),
            (x0 + r, y1 - r, 0.5),
            (x0 + r, y0 + r, 1.0),
            (x1 - r, y0 + r, 1.5),
        ):
            for step in range(6):
                angle = np.pi * (start + step / 10)
                points.append((cx + r * float(np.cos(angle)), cy + r * float(np.sin(angle))))
        self.poly(points, paint)

    def fill(self, paint: Paint) -> None:
        """Paint the whole canvas."""
        self.rect(0, 0, self.w, self.h, paint)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, paint: Paint, angle: float = 0.0, bumps: float = 0.0
    ) -> None:
        """Draw an ellipse, rotated clockwise by an angle in radians; ``bumps`` makes its outline uneven."""
        a, b = rx * np.cos(_OUTLINE), ry * np.sin(_OUTLINE)
        if bumps:
            waves = sum(
                np.sin(k * _OUTLINE + self.u(0, 6.3)) * self.u(0.3, 1) / np.sqrt(k) for k in range(2, 8)
            )
            a, b = a * (1 + bumps * waves / 2), b * (1 + bumps * waves / 2)
        c, s = float(np.cos(angle)), float(np.sin(angle))
        self.poly(list(zip((x + a * c - b * s).tolist(), (y + a * s + b * c).tolist(), strict=True)), paint)

    def disc(self, x: float, y: float, radius: float, paint: Paint) -> None:
        """Draw a disc."""
        self.ellipse(x, y, radius, radius, paint)

    def shape(self, points: Sequence[Point], paint: Paint) -> None:
        """Draw a closed smooth curve through points."""
        p = np.array(points)
        t = np.linspace(0, 1, 8, endpoint=False)[None, :, None]
        before, after, beyond = np.roll(p, 1, 0), np.roll(p, -1, 0), np.roll(p, -2, 0)
        p0, p1, p2, p3 = (q[:, None, :] for q in (before, p, after, beyond))
        curve = p1 + 0.5 * t * (
            (p2 - p0) + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0))
        )
        self.poly([(x, y) for x, y in curve.reshape(-1, 2).tolist()], paint)

    def line(self, points: Sequence[Point], width: float, paint: str | Colour) -> None:
        """Draw a stroke with round ends."""
        colour, spots = rgb(paint), [(x * self.unit, y * self.unit) for x, y in points]
        thick = max(1, round(width * self.unit))
        self._draw.line(spots, fill=colour, width=thick, joint="curve" if len(spots) > 2 else None)
        if thick > 4:
            for x, y in (spots[0], spots[-1]):
                r = thick / 2
                self._draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    def arc(
        self, x: float, y: float, rx: float, ry: float, ends: Point, width: float, paint: str | Colour
    ) -> None:
        """Draw part of an ellipse's outline, between two angles in degrees, clockwise from the right."""
        turns = np.radians(np.linspace(*ends, 24))
        points = zip((x + rx * np.cos(turns)).tolist(), (y + ry * np.sin(turns)).tolist(), strict=True)
        self.line(list(points), width, paint)

    def strokes(
        self,
        count: int,
        where: tuple[float, float, float, float],
        length: float,
        angle: float,
        *paints: Paint,
    ) -> None:
        """Draw fur, hay or grass: short strokes within the ellipse at x, y with the radii rx, ry."""
        x, y, rx, ry = where
        turn, far = self.rng.random((2, count))
        far = np.sqrt(far)
        a, b = x + rx * far * np.cos(6.2832 * turn), y + ry * far * np.sin(6.2832 * turn)
        aims = angle + self.rng.normal(0, 0.35, count)
        c, d = a + length * np.cos(aims), b + length * np.sin(aims)
        colours = [rgb(paint) for paint in paints if not callable(paint)]
        rows = (np.stack([a, b, c, d], 1) * self.unit).tolist()
        for place, row in enumerate(rows):
            self._draw.line(row, fill=colours[place % len(colours)], width=2)

    # Light and air

    def glow(
        self, x: float, y: float, radius: float, colour: str | Colour, strength: float, flat: float = 1.0
    ) -> None:
        """Draw a soft spot of light, or of shadow if dark; ``flat`` is its height per width."""
        width, height = round(2 * radius * self.unit), round(2 * radius * flat * self.unit)
        mask = Image.fromarray((_GLOW * strength).astype(np.uint8)).resize(
            (max(width, 2), max(height, 2)), Image.Resampling.BILINEAR
        )
        corner = round((x - radius) * self.unit), round((y - radius * flat) * self.unit)
        self.image.paste(rgb(colour), (*corner, corner[0] + mask.width, corner[1] + mask.height), mask)

    def shadow(self, x: float, y: float, rx: float, ry: float, strength: float = 0.6) -> None:
        """Draw a soft shadow."""
        self.glow(x, y, rx, "#0a0808", strength, ry / rx)

    def mottle(
        self,
        colour: str | Colour,
        strength: float,
        cells: float,
        stretch: float = 1.0,
        box: tuple[float, float, float, float] | None = None,
        cut: float = 0.0,
    ) -> None:
        """Draw an uneven veil over a box (or everything): clouds, foam, stains; ``cut`` leaves gaps."""
        left, top, right, bottom = (round(v * self.unit) for v in box or (0, 0, self.w, self.h))
        mask = field(self.rng, max(right - left, 2), max(bottom - top, 2), cells, stretch, 4)
        steps = np.clip((np.arange(256) / 255 - cut) / (1 - cut), 0, 1) * 255 * strength
        mask = mask.point(steps.round().astype(int).tolist())
        self.image.paste(rgb(colour), (left, top, left + mask.width, top + mask.height), mask)

    def defocus(self, radius: float) -> None:
        """Blur everything drawn so far, as a background."""
        small = self.image.reduce(4)
        small = small.filter(ImageFilter.GaussianBlur(radius * self.unit / 4))
        self._start(small.resize(self.image.size, Image.Resampling.BICUBIC))

    def bokeh(self, count: int, top: float, bottom: float, colours: Sequence[str | Colour]) -> None:
        """Draw lights far out of focus."""
        for x, y, z in self.spread(count, 0, top, self.w, bottom):
            radius = 0.015 + 0.05 * z
            colour = rgb(self.pick(colours))
            under = self.image.getpixel(
                (
                    min(int(x * self.unit), self.image.width - 1),
                    min(int(y * self.unit), self.image.height - 1),
                )
            )
            assert isinstance(under, tuple)
            self.disc(x, y, radius, mix((under[0], under[1], under[2]), colour, 0.45))
            self.disc(x, y, radius * 0.8, mix((under[0], under[1], under[2]), colour, 0.6))
