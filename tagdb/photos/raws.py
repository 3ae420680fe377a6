"""Camera RAW: the picture that the camera put beside the sensor's data, by the extra ``tagdb[raw]``."""

import io
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PIL import Image

from tagdb.errors import RejectedInput
from tagdb.photos.kinds import raw_type

if TYPE_CHECKING:
    from rawpy import RawPy

MAX_SENSOR = 200_000_000
"""Most pixels of a sensor's data that are developed."""
MOST = 16
"""Directories of a TIFF that are looked at."""

_SUB_DIRECTORIES, _MAKE, _COMPRESSION, _PHOTOMETRIC, _DNG_VERSION = 330, 271, 259, 262, 50706
_SENSOR = frozenset([32803, 34892])
"""Photometric interpretations that only a sensor's data have: colour filters, linear."""
_CODINGS = frozenset([32767, 32769, 32770, 32772, 32867, 34713, 65000, 65535])
"""Compressions of Sony, Epson, Samsung, Kodak, Nikon and Pentax."""
_MAKERS = {
    b"NIKON": "image/x-nikon-nef", b"SONY": "image/x-sony-arw", b"PENTAX": "image/x-pentax-pef",
    b"RICOH": "image/x-pentax-pef", b"SAMSUNG": "image/x-samsung-srw", b"EPSON": "image/x-epson-erf",
    b"HASSELBLAD": "image/x-hasselblad-3fr",
}  # fmt: skip
_FLIPS = {
    1: Image.Transpose.FLIP_LEFT_RIGHT,
    2: Image.Transpose.FLIP_TOP_BOTTOM,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.TRANSPOSE,
    5: Image.Transpose.ROTATE_90,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
}
"""As LibRaw numbers them; 4 stands for a change of width and height."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What stands for the sensor's data."""

    picture: bytes | Image.Image
    """A JPEG, or an upright picture."""
    width: int
    """Of what the sensor took, in pixels, upright."""
    height: int
    taken_at: datetime | None
    """As far as the sensor's file tells it; a time without an offset is taken as UTC."""


def media_type(content: bytes) -> str | None:
    """Return the media type of a camera RAW file; None for all others, such as real TIFFs."""
    if found := raw_type(content[:16]):
        return found
    if content[:4] not in (b"II*\0", b"MM\0*"):
        return None
    sensor, make, dng = False, b"", False
    for entries in _directories(content):
        sensor |= entries.get(_PHOTOMETRIC) in _SENSOR or entries.get(_COMPRESSION) in _CODINGS
        dng |= _DNG_VERSION in entries
        at = entries.get(_MAKE, 0)
        make = make or content[at : at + 10].upper()
    if not sensor:
        return None
    if dng:
        return "image/x-adobe-dng"
    return next((each for maker, each in _MAKERS.items() if make.startswith(maker)), "image/x-raw")


def _directories(content: bytes) -> Iterator[dict[int, int]]:
    """Yield the values, or the places of them, by tag: of the directories of a TIFF, those inside too."""
    order = "<" if content[:2] == b"II" else ">"
    pending, seen = [int.from_bytes(content[4:8], "little" if order == "<" else "big")], set[int]()
    while pending and len(seen) < MOST:
        at = pending.pop(0)
        if at in seen or at < 8:
            continue
        seen.add(at)
        entries = {}
        with suppress(struct.error):  # behind the end
            (count,) = struct.unpack_from(order + "H", content, at)
            for entry in range(at + 2, at + 2 + 12 * count, 12):
                tag, kind, number = struct.unpack_from(order + "HHI", content, entry)
                (value,) = struct.unpack_from(order + ("H2x" if kind == 3 else "I"), content, entry + 8)
                entries[tag] = value
                if tag == _SUB_DIRECTORIES:
                    several = f"{order}{min(number, MOST)}I"
                    pending += struct.unpack_from(several, content, value) if number > 1 else [value]
            pending += struct.unpack_from(order + "I", content, at + 2 + 12 * count)
        yield entries


def opened(content: bytes) -> Preview:
    """Open a camera RAW file. If there is no picture in it, its data are developed, at half their size.

    Raises
    ------
    RejectedInput
        There is no picture in it, and its data are too large.
    ValueError
        It is damaged, or unknown.
    """
    import rawpy

    try:
        with rawpy.imread(io.BytesIO(content)) as raw:
            sizes, taken_at = raw.sizes, None
            with suppress(Exception):  # zero, or beyond what there is; older versions do not tell
                taken_at = raw.other.timestamp.replace(tzinfo=UTC)
            picture = _picture(raw)
    except rawpy.LibRawError as error:
        said = error.args[0]
        raise ValueError(said.decode(errors="replace") if isinstance(said, bytes) else said) from error
    width, height = (sizes.height, sizes.width) if sizes.flip & 4 else (sizes.width, sizes.height)
    if width < 1 or height < 1:
        raise ValueError("no pixels")
    return Preview(picture, width, height, taken_at)


def _picture(raw: "RawPy") -> bytes | Image.Image:
    import rawpy

    sizes = raw.sizes
    try:
        thumbnail = raw.extract_thumb()
    except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError):
        if sizes.raw_width * sizes.raw_height > MAX_SENSOR:
            raise RejectedInput(
                f"too large: {sizes.raw_width} × {sizes.raw_height} pixels of camera RAW without a preview;"
                f" at most {MAX_SENSOR // 1_000_000} million are allowed",
                "too_large",
            ) from None
        return Image.fromarray(raw.postprocess(half_size=True, use_camera_wb=True))
    if isinstance(thumbnail.data, bytes):
        return thumbnail.data
    picture = Image.fromarray(thumbnail.data)
    return picture.transpose(_FLIPS[sizes.flip]) if sizes.flip in _FLIPS else picture
