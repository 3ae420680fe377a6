"""Pictures of any mode as 8-bit RGB, and those of high dynamic range as a screen without one shows them."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from tagdb.errors import RejectedInput

PQ, HLG = 16, 18
"""Transfer functions of high dynamic range, as numbered in ITU-T H.273."""
_BT_2020 = 9
_TO_SRGB = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)
_WHITE = 203
"""Luminance of white paper, in cd/m² (ITU-R BT.2408)."""
_KNEE = 0.7
"""Up to here a luminance is kept; what is lighter, even than paper, shares the rest."""


_16_TO_8_BITS = ((np.arange(1 << 16) + 128) // 257).astype(np.uint8)


def rgb(image: Image.Image) -> Image.Image:
    """Convert any mode to RGB."""
    mode = image.mode
    if mode == "F":
        raise RejectedInput("pixels are floating-point numbers of unknown range", "not_a_photo")
    if mode == "I" or mode.startswith("I;16"):
        values = np.asarray(image)
        if mode == "I":
            # 16-bit files may be opened as I too; 32-bit ones have larger values.
            values = np.clip(values >> 15 if values.max() > 0xFFFF else values, 0, 0xFFFF)
        return Image.fromarray(_16_TO_8_BITS[values]).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGB", rgba.size, "white")
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    if mode == "RGB":
        return image  # convert() would copy it
    if mode == "CMYK" and image.info.get("icc_profile"):
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
            srgb = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            converted = None  # a damaged profile, or one for another mode
        if converted is not None:
            return converted
    return image.convert("RGB")


def standard(image: Image.Image, colour: tuple[int, int] | None) -> Image.Image:
    """Return an RGB picture in sRGB if its colours are of high dynamic range, otherwise unchanged.

    Parameters
    ----------
    colour
        Its primaries and its transfer function, as numbered in ITU-T H.273.
    """
    if colour is None or colour[1] not in (PQ, HLG):
        return image
    light = _light(colour[1])[np.asarray(image)]
    if colour[0] == _BT_2020:
        light = np.clip(light @ _TO_SRGB.T, 0, None)
    lightest = light.max(axis=2, keepdims=True)
    over, rest = np.maximum(lightest - _KNEE, 0), 1 - _KNEE
    shown = np.minimum(lightest, _KNEE) + rest * over / (over + rest)
    light *= shown / np.maximum(lightest, 1e-6)
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return Image.fromarray((255 * srgb + 0.5).astype(np.uint8))


def _light(transfer: int) -> npt.NDArray[np.float32]:
    """Return the luminance of each of 256 values, that of white paper being 1."""
    value = np.arange(256) / 255
    if transfer == PQ:
        power = value ** (1 / 78.84375)
        light = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
        light = 10_000 / _WHITE * light ** (1 / 0.1593017578125)
    else:
        dark, bright = value**2 / 3, (np.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12
        scene = np.where(value <= 0.5, dark, bright)
        light = (scene / scene[191]) ** 1.2  # white paper is at 75 %
    return light.astype(np.float32)
