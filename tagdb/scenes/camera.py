"""Take the photo of a finished canvas: framing, lens, light and sensor."""

import numpy as np
from PIL import Image, ImageFilter

from tagdb.scenes.canvas import Canvas


def take(canvas: Canvas, *, mirror: bool = True) -> Image.Image:
    """Return the photo, slightly turned, cropped, tinted, vignetted and noisy."""
    c = canvas
    width, height = c.image.size
    turn = float(np.clip(c.rng.normal(0, 0.025), -0.07, 0.07))
    aspect = max(width / height, height / width)
    zoom = min(c.u(0.86, 1.0), 1 / (np.cos(turn) + aspect * abs(np.sin(turn))))
    room_x, room_y = width * (1 - zoom) * 0.3, height * (1 - zoom) * 0.3
    center = np.array([width / 2 + c.u(-room_x, room_x), height / 2 + c.u(-room_y, room_y)])
    corners = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]]) * [width * zoom / 2, height * zoom / 2]
    if mirror and c.chance(0.5):
        corners[:, 0] *= -1
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    frame = np.clip(corners @ rotation + center, 0, [width, height])
    image = c.image.transform(
        c.size, Image.Transform.QUAD, frame.ravel().tolist(), Image.Resampling.BILINEAR
    ).filter(ImageFilter.BoxBlur(c.u(0.3, 0.75)))
    return Image.fromarray(_expose(c, np.asarray(image, np.float32)))


def _expose(c: Canvas, light: np.ndarray) -> np.ndarray:
    rows, columns = light.shape[:2]
    across = np.linspace(-1, 1, columns, dtype=np.float32)[None, :, None]
    along = np.linspace(-1, 1, rows, dtype=np.float32)[:, None, None]
    warmth, green = float(c.rng.normal(0, 0.04)), float(c.rng.normal(0, 0.02))
    gains = np.array([1 + warmth, 1 + green, 1 - warmth], np.float32) * c.u(0.85, 1.15)
    slope = c.u(-0.1, 0.1) * across + c.u(-0.1, 0.1) * along
    out = light * ((1 + slope - c.u(0.02, 0.16) * (across**2 + along**2)) * gains)
    middle = out.mean()
    out = (out - middle) * np.float32(c.u(0.88, 1.15)) + middle
    if c.chance(0.25):  # a filter of the app
        grey = out.mean(2, keepdims=True)
        out += (grey - out) * np.float32(c.u(-0.25, 0.28))
        out = out * np.float32(0.92) + np.array([c.u(0, 26), c.u(0, 18), c.u(0, 30)], np.float32)
    noise = c.rng.standard_normal((rows, columns), np.float32)
    out += (c.u(1.0, 5.0) * noise)[:, :, None]
    out += c.u(0.5, 2.5) * np.stack([np.roll(noise, shift, 0) for shift in (7, 29, 53)], 2)
    pixels: np.ndarray = np.clip(out, 0, 255).astype(np.uint8)
    return pixels
