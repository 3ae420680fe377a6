"""Colours and paints for shapes: gradients, balls, noise textures."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from PIL import Image, ImageColor

Colour = tuple[int, int, int]
Fill = Callable[[np.random.Generator, int, int], Image.Image]
"""Paints a rectangle of a given size in pixels, of which the shape shows a part."""
Paint = str | Colour | Fill

_GRID = np.linspace(-1, 1, 64)
SQUARES = _GRID[None, :] ** 2 + _GRID[:, None] ** 2
_BALL = np.clip(
    40 + 150 * np.sqrt(np.clip(1 - SQUARES, 0, 1)) - 70 * (0.6 * _GRID[None, :] + 0.8 * _GRID[:, None]),
    0,
    255,
).astype(np.uint8)


def rgb(colour: str | Colour) -> Colour:
    if isinstance(colour, str):
        red, green, blue = ImageColor.getrgb(colour)[:3]
        return red, green, blue
    return colour


def mix(start: str | Colour, goal: str | Colour, share: float) -> Colour:
    """Return the colour at a given share of the way from one colour to another."""
    (r, g, b), (x, y, z) = rgb(start), rgb(goal)
    return to_byte(r + (x - r) * share), to_byte(g + (y - g) * share), to_byte(b + (z - b) * share)


def to_byte(value: float) -> int:
    return 0 if value < 0 else 255 if value > 255 else round(value)


def dark(colour: str | Colour, share: float = 0.4) -> Colour:
    return mix(colour, "#000010", share)


def light(colour: str | Colour, share: float = 0.4) -> Colour:
    return mix(colour, "#fffff4", share)


@cache
def _shares(colours: int, steps: int) -> np.ndarray:
    """Return the share of each colour at each step of a ramp."""
    places, goals = np.linspace(0, 1, colours), np.linspace(0, 1, steps)
    return np.stack([np.interp(goals, places, unit) for unit in np.eye(colours)], 1)


def _ramp(colours: Sequence[str | Colour], steps: int) -> np.ndarray:
    mixed: np.ndarray = _shares(len(colours), steps) @ np.array([rgb(colour) for colour in colours])
    return mixed.round().astype(np.uint8)


def _stretched(pixels: np.ndarray) -> Fill:
    image = Image.fromarray(pixels)
    return lambda _, width, height: image.resize((width, height), Image.Resampling.BILINEAR)


def down(*colours: str | Colour) -> Fill:
    """Return a gradient from top to bottom."""
    return _stretched(_ramp(colours, 64)[:, None])


def across(*colours: str | Colour) -> Fill:
    """Return a gradient from left to right."""
    return _stretched(_ramp(colours, 64)[None])


def ball(colour: str | Colour, depth: float = 0.45) -> Fill:
    """Return the paint of something round, lit from the upper left."""
    return _stretched(_ramp((dark(colour, depth), colour, light(colour, depth * 0.8)), 256)[_BALL])


def field(
    rng: np.random.Generator, width: int, height: int, cells: float, stretch: float, octaves: int
) -> Image.Image:
    """Return grey noise of several scales; the coarsest has this many cells, ``stretch`` times as wide."""
    half = max(width // 2, 2), max(height // 2, 2)
    total = None
    for octave in range(octaves):
        columns = max(2, min(round(cells * 2**octave), half[0]))
        rows = max(2, min(round(cells * 2**octave * stretch * height / width), half[1]))
        grid = Image.fromarray(rng.integers(0, 256, (rows, columns), dtype=np.uint8))
        smooth = Image.Resampling.BILINEAR if octave else Image.Resampling.BICUBIC
        grid = grid.resize(half, smooth)
        total = grid if total is None else Image.blend(total, grid, 0.4)
    assert total is not None
    return total.resize((width, height), Image.Resampling.BILINEAR)


def grain(*colours: str | Colour, cells: float = 6, stretch: float = 1.0, octaves: int = 4) -> Fill:
    """Return noise between colours, for fur, lawn, wood (with ``stretch``), cloth or stone."""
    table = _ramp(colours, 256).T.ravel().tolist()

    def paint(rng: np.random.Generator, width: int, height: int) -> Image.Image:
        grey = field(rng, width, height, cells, stretch, octaves)
        return Image.merge("RGB", (grey, grey, grey)).point(table)

    return paint
