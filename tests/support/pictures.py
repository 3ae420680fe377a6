"""Photos for tests, drawn by code."""

import io

import numpy as np
from PIL import Image, ImageDraw


def picture(seed: int, size: tuple[int, int] = (200, 160)) -> Image.Image:
    """A picture of blobs on a gradient that differs from seed to seed."""
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0, 1, size[0])[None, :, None] * rng.integers(0, 256, 3)
    pixels = np.broadcast_to(ramp, (size[1], size[0], 3)).astype(np.uint8)
    image = Image.fromarray(pixels.copy())
    draw = ImageDraw.Draw(image)
    for _ in range(8):
        x, y = rng.integers(0, size[0]), rng.integers(0, size[1])
        r = rng.integers(5, 40)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(int(c) for c in rng.integers(0, 256, 3)))
    return image


def photo(seed: int, kind: str = "JPEG", size: tuple[int, int] = (200, 160)) -> bytes:
    """The bytes of a picture's file."""
    buffer = io.BytesIO()
    picture(seed, size).save(buffer, kind)
    return buffer.getvalue()
