"""Decode photos from bytes.

Nothing here reads files, and every function can be called from several threads at once.
"""

import hashlib
import io
import logging
import re
import warnings
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import numpy.typing as npt

# These plug-ins are imported here; otherwise Pillow would load all of its plug-ins, inside the first
# threads that decode.
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from tagdb.errors import RejectedInput
from tagdb.hashtags import printable
from tagdb.photos import boxes, colours, jxl, mending, metadata, raws
from tagdb.photos.fields import plausible
from tagdb.photos.keywords import NOTHING, Description
from tagdb.photos.kinds import HEAD, JXL, PHOTO, RAW, advice, begins, extra_of, foreign, is_readable

MAX_BYTES = 256 << 20
"""Largest file, in bytes; larger ones are rejected."""
MAX_PIXELS = 100_000_000
"""Largest image, in pixels as they are decoded: those of a large JPEG at a reduced scale."""
MAX_SIDE = 65_500
"""Largest side of a JPEG, in pixels; libjpeg decodes no larger ones."""
MAX_HELD = 1536 << 20
"""Most that libjpeg may hold of a JPEG with several scans, in bytes: enough for 268 megapixels."""

THUMBNAIL_SIZE = 256
"""Longest side of a thumbnail, in pixels."""

_UNSUPPORTED = (
    "not an image in a supported format (JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC, AVIF, JPEG XL, camera RAW)"
)
_PLUGINS = (BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin)
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
# Pillow calls a JPEG with more than one image an MPO.
_MEDIA_TYPES = {"MPO": "image/jpeg", "HEIF": "image/heif"} | {
    name: f"image/{name.lower()}" for name in (*_FORMATS, "AVIF")
}
_OF_BOXES = ("AVIF", "HEIF")
_HEIC = frozenset([b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"])

# decode() compares the size with MAX_PIXELS itself; Pillow's own limit is lower and warns.
Image.MAX_IMAGE_PIXELS = None
# Pillow warns and logs about damaged metadata, which does not concern the user. Both are silenced for good,
# because warnings.catch_warnings() does not work with threads. Only libtiff's own output about damaged
# compressed TIFFs gets through: Pillow does not expose its error handler.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").setLevel(logging.CRITICAL)

_ORIENTATION, _EXIF_IFD = 0x0112, 0x8769
# DateTimeOriginal and DateTimeDigitized (of a scanned photo, say), each with its offset.
_TIMES = ((0x9003, 0x9011), (0x9004, 0x9012))
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# As EXIF has it, or as in ISO 8601, which some programs write.
_EXIF_TIME = re.compile(
    r"(\d{4})([:/.-])(\d\d)\2(\d\d)[ T](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?([^\0]*)", re.ASCII
)
_EXIF_OFFSET = re.compile(r"\s*([+-])(\d\d?):?(\d\d)[\s\0]*", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A decoded photo."""

    sha256: bytes
    """SHA-256 of the content, 32 bytes."""
    media_type: str
    """For example ``image/jpeg``; determined by the content, not by the file's name."""
    width: int
    """Width of the full image in pixels, once it is upright."""
    height: int
    """Height of the full image in pixels, once it is upright."""
    taken_at: datetime | None
    """EXIF's DateTimeOriginal, or DateTimeDigitized, otherwise that of XMP or IPTC, in UTC; a time without an
    offset is taken as UTC."""
    pixels: npt.NDArray[np.uint8]
    """Input of the backbone: the image squashed to a square; uint8 (size, size, 3), RGB, read-only."""
    thumbnail: bytes
    """JPEG without metadata, at most ``THUMBNAIL_SIZE`` pixels on its longest side."""
    description: Description = NOTHING
    """What is written in it, but for the time."""


def content_hash(content: bytes) -> bytes:
    """Return the SHA-256 of a photo's content, 32 bytes."""
    return hashlib.sha256(content).digest()


def decode(content: bytes, size: int) -> Photo:
    """Decode a photo; of several pictures only the first, or the one that the file says is the primary one.

    The image is rotated upright, transparency becomes white, and a high dynamic range a standard one. Large
    JPEGs are decoded at a reduced scale, but never below twice ``size`` (or 320 pixels) on either side. Of
    camera RAW the camera's own picture in it is taken.

    Parameters
    ----------
    content
        Content of the file.
    size
        Width and height of ``Photo.pixels``, in pixels.

    Raises
    ------
    RejectedInput
        The content cannot be decoded as a photo; the message is a short phrase.
    """
    if not content:
        raise RejectedInput("empty file", "damaged")
    if len(content) > MAX_BYTES:
        raise RejectedInput(f"larger than {MAX_BYTES >> 20} MB", "too_large")
    try:
        return _decoded(content, content, size)
    except RejectedInput:
        raise
    except MemoryError:
        raise RejectedInput("not enough memory to decode it", "failed") from None
    except Exception as error:
        # On hostile input Pillow raises nearly anything: OSError, SyntaxError, struct.error, KeyError …
        return _mended(content, size, error)


def _decoded(file: bytes, content: bytes, size: int) -> Photo:
    if (media_type := raws.media_type(file)) is not None:
        _check_extra(RAW)
        return _of_raw(raws.opened(file), content, size, media_type)
    if begins(file[:16]) == JXL:
        _check_extra(JXL)
        return _of_jxl(file, content, size)
    with Image.open(io.BytesIO(file), formats=_formats(file)) as image:
        return _photo(image, content, size)


def _check_extra(kind: str) -> None:
    if not is_readable(kind):
        raise RejectedInput(f"{kind}, which needs pip install 'tagdb[{extra_of(kind)}]'", "needs_package")


def _of_raw(preview: raws.Preview, content: bytes, size: int, media_type: str) -> Photo:
    if isinstance(preview.picture, Image.Image):
        photo = _photo(preview.picture, content, size)
    elif preview.picture.startswith(b"\xff\xd8"):
        photo = decode(preview.picture, size)
    else:
        raise ValueError("its preview cannot be read")
    taken_at, description = photo.taken_at, photo.description
    # Many are like TIFF, and say more than their preview.
    with suppress(Exception), Image.open(io.BytesIO(content), formats=["TIFF"]) as image:
        taken_at = taken_at or _exif(image)[1]
        description |= metadata.embedded(image)
    return replace(
        photo,
        sha256=content_hash(content),
        media_type=media_type,
        width=preview.width,
        height=preview.height,
        taken_at=taken_at or description.taken_at or preview.taken_at,
        description=replace(description, taken_at=None),
    )


def _of_jxl(file: bytes, content: bytes, size: int) -> Photo:
    width, height = jxl.size(file) or (0, 0)
    _check_pixels(width, height, width * height)
    picture = jxl.opened(file)
    photo = decode(picture, size) if isinstance(picture, bytes) else _photo(picture, content, size)
    return replace(photo, sha256=content_hash(content), media_type="image/jxl")


def _formats(file: bytes) -> tuple[str, ...]:
    """Return the names that Pillow's plug-ins for a file have."""
    if file[4:8] != b"ftyp" or begins(file[:16]) != PHOTO:
        return _FORMATS
    # These are imported when they are needed, and get one thread: there is a process for each core already.
    if file[8:12] not in _HEIC and boxes.brands(file) & {b"avif", b"avis"}:
        from PIL import AvifImagePlugin

        AvifImagePlugin.DEFAULT_MAX_THREADS = 1
        return ("AVIF",)
    import pillow_heif

    pillow_heif.register_heif_opener(decode_threads=0, depth_images=False, aux_images=False)
    return ("HEIF",)


def _mended(content: bytes, size: int, error: Exception) -> Photo:
    """Decode a file without its metadata, or reject it for the error that there was with it."""
    try:
        file = mending.mended(content, MAX_PIXELS // 2) if raws.media_type(content) is None else None
        if file is not None and file != content:
            return _decoded(file, content, size)
    except RejectedInput:
        raise
    except MemoryError:
        raise RejectedInput("not enough memory to decode it", "failed") from None
    except Exception:  # noqa: S110  the first error tells more
        pass
    raise _rejection(content, error) from error


def _rejection(content: bytes, error: Exception) -> RejectedInput:
    detail = printable(str(error).rstrip("."), 100) or type(error).__name__
    if isinstance(error, UnidentifiedImageError):
        if (kind := begins(content[:16])) != PHOTO:
            if kind is None and (what := foreign(content[:HEAD])):
                return RejectedInput(f"{what}, not an image" + advice(what), "not_a_photo")
            return RejectedInput(_UNSUPPORTED + (f", but {kind}" if kind else ""), "not_a_photo")
        detail = "its header cannot be read"
    return RejectedInput(f"truncated or damaged: {detail}", "damaged")


def _check_size(width: int, height: int, image: Image.Image, content: bytes) -> None:
    """Reject what would take too much memory, before any of it is decoded."""
    _check_pixels(width, height, image.width * image.height)
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        return
    if max(width, height) > MAX_SIDE:
        raise RejectedInput(
            f"too large: {width} × {height} pixels; at most {MAX_SIDE} on a side are allowed", "too_large"
        )
    if (held := mending.held(content)) > MAX_HELD:
        raise RejectedInput(
            f"too large: {width} × {height} pixels in a progressive JPEG take {held >> 20} MB of memory;"
            f" at most {MAX_HELD >> 20} MB are allowed",
            "too_large",
        )


def _check_pixels(width: int, height: int, pixels: int) -> None:
    if width < 1 or height < 1:
        raise RejectedInput("truncated or damaged: no pixels", "damaged")
    if pixels > MAX_PIXELS:
        raise RejectedInput(
            f"too large: {width} × {height} pixels; at most {MAX_PIXELS // 1_000_000} million are allowed",
            "too_large",
        )


def _photo(image: Image.Image, content: bytes, size: int) -> Photo:
    width, height = image.size
    media_type = _MEDIA_TYPES.get(str(image.format), "")
    if media_type == "image/heif" and boxes.brands(content) & _HEIC:
        media_type = "image/heic"
    least = max(2 * size, 320)
    if image.format in _OF_BOXES:
        # What is decoded may be larger than what is shown of it. A draft is an embedded thumbnail.
        sizes = [image.size, *boxes.sizes(content)]
        across, down = max(sizes, key=lambda each: each[0] * each[1])
        if across * down <= MAX_PIXELS or image.draft(None, (least, least)) is None:
            _check_pixels(across, down, across * down)
    else:
        image.draft(None, (least, least))  # only JPEG supports drafts
    _check_size(width, height, image, content)
    image.load()
    orientation, taken_at = _exif(image)
    description = metadata.embedded(image)
    rgb = colours.rgb(image)
    # Comments and profiles would be copied into the thumbnail; no converter needs them from here on.
    rgb.info = {}
    squashed = rgb.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=3.0)
    scale = min(1.0, THUMBNAIL_SIZE / max(width, height))
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    # As sharp as BICUBIC when scaled down, from half as many pixels; saves a tenth of the decoding time.
    thumbnail = rgb.resize(small, Image.Resampling.HAMMING, reducing_gap=2.0)
    if orientation in _TRANSPOSITIONS:
        # Rotating the small images is far faster than rotating the large one.
        squashed = squashed.transpose(_TRANSPOSITIONS[orientation])
        thumbnail = thumbnail.transpose(_TRANSPOSITIONS[orientation])
        if orientation >= 5:
            width, height = height, width
    if image.format in _OF_BOXES:
        colour = boxes.colour(content)
        squashed, thumbnail = colours.standard(squashed, colour), colours.standard(thumbnail, colour)
    jpeg = io.BytesIO()
    thumbnail.save(jpeg, "JPEG", quality=85)
    return Photo(
        sha256=content_hash(content),
        media_type=media_type,
        width=width,
        height=height,
        taken_at=taken_at or description.taken_at,
        pixels=np.asarray(squashed),
        thumbnail=jpeg.getvalue(),
        description=replace(description, taken_at=None) if description.taken_at else description,
    )


def _exif(image: Image.Image) -> tuple[int, datetime | None]:
    """Return orientation (1 to 8) and time; EXIF that cannot be parsed counts as absent."""
    orientation, taken_at = 1, None
    try:
        exif = image.getexif()
        value = exif.get(_ORIENTATION)
        if value in _TRANSPOSITIONS:
            orientation = int(value)
        taken_at = _taken_at(exif)
    except Exception:  # as in decode(); only the pixels matter, and they are fine
        return orientation, None
    return orientation, taken_at


def _taken_at(exif: Image.Exif) -> datetime | None:
    details = exif.get_ifd(_EXIF_IFD)
    times = (_exif_time(str(details.get(time)), str(details.get(offset))) for time, offset in _TIMES)
    return next(filter(None, times), None)


def _exif_time(time: str, offset: str) -> datetime | None:
    match = _EXIF_TIME.match(time)
    if not match:
        return None
    *day_and_time, seconds, behind = match.group(1, 3, 4, 5, 6, 7, 8)
    zone = timedelta()
    if signed := _EXIF_OFFSET.fullmatch(behind) or _EXIF_OFFSET.fullmatch(offset):
        zone = timedelta(hours=int(signed[2]), minutes=int(signed[3])) * (-1 if signed[1] == "-" else 1)
    second = 59 if seconds == "60" else int(seconds or 0)  # a leap second
    try:
        taken_at = datetime(*map(int, day_and_time), second, tzinfo=timezone(zone)).astimezone(UTC)  # type: ignore[arg-type,misc]
    except (ValueError, OverflowError):  # cameras without a clock write 0000:00:00 00:00:00
        return None
    return taken_at if plausible(taken_at) else None
