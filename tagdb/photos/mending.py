"""Files whose picture is whole although something beside it is not.

Pillow refuses a file for a broken text or profile that nobody asked for, and a JPEG for a few missing bytes.
"""

import io
import re
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

LEAST = 50
"""A JPEG may end too early by one in so many parts of its picture."""

_EOI, _SOS, _EXIF, _ADOBE = b"\xff\xd9", 0xDA, 0xE1, 0xEE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset([0xC2, 0xC6, 0xCA, 0xCE])
# The next marker, as libjpeg finds it: no stuffed zero, restart, or other one without content.
_MARKER = re.compile(rb"\xff+([^\x00\x01\xd0-\xd8\xff])", re.DOTALL)
_RESTARTS = [bytes([0xFF, 0xD0 + number]) for number in range(8)]
_FILLER = bytes(range(0x35, 0xF5, 3))
_WEBP_CHUNKS = frozenset([b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"])
_TIFF_TAGS = frozenset([
    *range(254, 260), 262, 266, 273, 274, *range(277, 280), 284, 292, 293, 317, *range(320, 326), 332, 338,
    339, 347, *range(512, 522), *range(529, 533), 34665,
])  # fmt: skip

_Segment = tuple[int, int, bytes, int]
"""Marker, start, content, end."""


def mended(content: bytes, most: int) -> bytes | None:
    """Return a file that could not be decoded without all that is no part of its picture.

    A JPEG gets its missing end, if little else is missing. To find out, it is decoded; with several scans it
    must have at most so many pixels.
    """
    try:
        if content.startswith(b"\xff\xd8"):
            return _jpeg(content, most)
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            return content[:8] + b"".join(_png_chunks(content))
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            chunks = b"WEBP" + b"".join(_webp_chunks(content))
            return b"RIFF" + struct.pack("<I", len(chunks)) + chunks
        if content.startswith((b"II*\0", b"MM\0*")):
            return _tiff(content)
    except (IndexError, struct.error):  # damaged elsewhere, too
        pass
    return None


def held(content: bytes) -> int:
    """Return how much of a JPEG libjpeg holds while it decodes it, in bytes.

    With several scans these are all coefficients, of two bytes each; otherwise next to nothing.
    """
    frame = _frame(content)
    if frame is None or not frame.scans:
        return 0
    width, height = frame.size
    across, down = frame.block
    samples: int = width * height * sum(each[0] * each[1] for each in frame.factors) // (across * down)
    return 2 * samples


# --- JPEG ---------------------------------------------------------------------------------------------


class _Frame:
    """What the header of a JPEG says."""

    def __init__(self, body: bytes, scan: bytes, progressive: bool) -> None:
        height, width, components = struct.unpack(">HHB", body[1:6])
        self.size = width, height
        self.components = body[6 : 6 + 3 * components : 3]
        self.factors = [((each >> 4) or 1, (each & 15) or 1) for each in body[7 : 6 + 3 * components : 3]]
        self.scans = progressive or scan[0] < components
        """Whether there are several scans, which all add to the whole picture."""

    @property
    def block(self) -> tuple[int, int]:
        """Width and height of what is encoded together, in units of 8 pixels, if there is only one scan."""
        return max(across for across, _ in self.factors), max(down for _, down in self.factors)


def _frame(content: bytes) -> _Frame | None:
    """Return what the header says, as far as the first scan; None if it is damaged."""
    body, progressive = b"", False
    for marker, _, found, _ in _segments(content):
        if marker in _FRAMES:
            body, progressive = found, marker in _PROGRESSIVE
        elif marker == _SOS:
            return _Frame(body, found, progressive) if len(body) >= 9 and found else None
    return None


def _segments(content: bytes) -> Iterator[_Segment]:
    """Yield the segments of a JPEG as far as its end, those behind the scans' data too."""
    at = 2
    while (marker := _MARKER.search(content, at)) and marker[1] != _EOI[1:]:
        body = marker.end() + 2
        at = max(body, marker.end() + int.from_bytes(content[body - 2 : body], "big"))
        yield marker[1][0], marker.start(), content[body:at], at


def _jpeg(content: bytes, most: int) -> bytes | None:
    kept = [content[:2]]
    for marker, start, body, end in _segments(content):
        if marker == _SOS:
            bare = b"".join([*kept, content[start:]])
            return bare if content.find(_EOI, end) >= 0 else _ended(bare.rstrip(b"\xff"), most)
        beside = 0xE0 <= marker <= 0xEF or marker == 0xFE
        if not beside or (marker == _EXIF and body[:4] == b"Exif") or (marker == _ADOBE and len(body) >= 12):
            kept.append(content[start:end])
    return None


def _ended(content: bytes, most: int) -> bytes | None:
    """Return a JPEG with an end, unless too much is missing before it.

    What is missing is decoded as grey. After some more bytes it is decoded as something else, from where the
    data ended.
    """
    frame = _frame(content)
    if frame is None or (
        frame.scans and (frame.size[0] * frame.size[1] > most or not _all_scans(content, frame))
    ):
        return None
    ended = content + _EOI
    # At the end of an interval, the decoder waits for the next of the restart markers.
    _, last = max((content.rfind(marker), number) for number, marker in enumerate(_RESTARTS))
    filler = [_FILLER + _RESTARTS[(last + number) % 8] for number in range(1, 9)]
    differ = _pixels(ended, frame) != _pixels(b"".join([content, *filler, _EOI]), frame)
    differ = differ.reshape(*differ.shape[:2], -1).any(axis=2)
    across, down = (8, 8) if frame.scans else frame.block if len(frame.factors) > 1 else (1, 1)
    for axis, step in enumerate((down, across)):
        differ = np.logical_or.reduceat(differ, np.arange(0, differ.shape[axis], step), axis=axis)
    missing = differ.size - int(differ.argmax()) if differ.any() else 0
    return ended if missing * LEAST <= differ.size else None


def _pixels(content: bytes, frame: _Frame) -> npt.NDArray[np.uint8]:
    """Decode a JPEG, with one pixel for 8 × 8 if these come one after the other."""
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
        if not frame.scans:
            image.draft(None, (1, 1))
        return np.asarray(image)


def _all_scans(content: bytes, frame: _Frame) -> bool:
    """Whether all coefficients of all components have come down to their last bit."""
    done = set()
    for marker, _, body, _ in _segments(content):
        if marker == _SOS:
            first, last, bits = body[1 + 2 * body[0] : 4 + 2 * body[0]]
            for component in body[1 : 1 + 2 * body[0] : 2] if not bits & 15 else b"":
                done |= {(component, each) for each in (0, 63) if first <= each <= last}
    return done >= {(component, each) for component in frame.components for each in (0, 63)}


# --- PNG, WebP, TIFF ----------------------------------------------------------------------------------


def _png_chunks(content: bytes) -> Iterator[bytes]:
    at = 8
    while at < len(content):
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        name, checksum = content[at + 4 : at + 8], content[end - 4 : end]
        critical, useful = name[:1].isupper(), name in (b"tRNS", b"eXIf")
        if critical or (useful and zlib.crc32(content[at + 4 : end - 4]).to_bytes(4, "big") == checksum):
            yield content[at:end]
        at = end


def _webp_chunks(content: bytes) -> Iterator[bytes]:
    at = 12
    while at < len(content):
        length = int.from_bytes(content[at + 4 : at + 8], "little")
        end = at + 8 + length + length % 2
        if content[at : at + 4] in _WEBP_CHUNKS:
            yield content[at:end]
        at = end


def _tiff(content: bytes) -> bytes:
    order = "<" if content.startswith(b"II") else ">"
    (first,) = struct.unpack(order + "I", content[4:8])
    (count,) = struct.unpack(order + "H", content[first : first + 2])
    end = first + 2 + 12 * count
    entries = [content[at : at + 12] for at in range(first + 2, end, 12)]
    kept = [each for each in entries if struct.unpack(order + "H", each[:2])[0] in _TIFF_TAGS]
    directory = struct.pack(order + "H", len(kept)) + b"".join(kept)
    return content[:first] + directory.ljust(end + 4 - first, b"\0") + content[end + 4 :]
