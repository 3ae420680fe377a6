"""How photos are decoded; every picture is drawn here."""

import base64
import hashlib
import io
import random
import re
import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

from tagdb.errors import RejectedInput
from tagdb.photos import images, mending
from tagdb.photos.images import Photo, content_hash, decode

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
# pytest undoes the filter that tagdb.photos.images sets; test_nothing_is_printed() is about that one.
pytestmark = pytest.mark.filterwarnings(r"ignore::UserWarning:PIL\.")

INSTAGRAM = Path(__file__).parents[2] / "../shared/data/instagram10"


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def quarters(width: int = 64, height: int = 48) -> Image.Image:
    """Red, green / blue, white."""
    image = Image.new("RGB", (width, height), WHITE)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 2 - 1, height // 2 - 1), fill=RED)
    draw.rectangle((width // 2, 0, width, height // 2 - 1), fill=GREEN)
    draw.rectangle((0, height // 2, width // 2 - 1, height), fill=BLUE)
    return image


def corners(photo: Photo) -> list[tuple[int, ...]]:
    """The colours in the middle of the four quarters: top left, top right, bottom left, bottom right."""
    low, high = len(photo.pixels) // 4, len(photo.pixels) * 3 // 4
    return [tuple(map(int, photo.pixels[y, x])) for y in (low, high) for x in (low, high)]


def close(got: list[tuple[int, ...]], expected: list[tuple[int, ...]], tolerance: int = 6) -> bool:
    return bool(np.abs(np.array(got) - np.array(expected)).max() <= tolerance)


def natural(width: int, height: int) -> Image.Image:
    """Noise whose spectrum falls with the frequency, as that of photos does."""
    generator = np.random.default_rng(7)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    planes = []
    for _ in range(3):
        spectrum = np.fft.rfft2(generator.standard_normal((height, width))) / np.maximum(frequency, 1 / width)
        plane = np.fft.irfft2(spectrum, (height, width))
        planes.append(np.clip(128 + 45 * plane / plane.std(), 0, 255))
    return Image.fromarray(np.stack(planes, axis=2).astype(np.uint8))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_format_is_decoded(kind: str) -> None:
    content = encode(quarters(), kind, **({"subsampling": 0, "quality": 95} if kind == "JPEG" else {}))
    photo = decode(content, 32)
    assert photo.media_type == f"image/{kind.lower()}"
    assert (photo.width, photo.height, photo.taken_at) == (64, 48, None)
    assert photo.pixels.shape == (32, 32, 3)
    assert photo.pixels.dtype == np.uint8
    assert close(corners(photo), [RED, GREEN, BLUE, WHITE], 12)
    assert photo.sha256 == content_hash(content) == hashlib.sha256(content).digest()
    with Image.open(io.BytesIO(photo.thumbnail)) as thumbnail:
        assert (thumbnail.format, thumbnail.mode, thumbnail.size) == ("JPEG", "RGB", (64, 48))


def transparent(mode: str) -> Image.Image:
    """Left half opaque black, right half fully transparent."""
    image = Image.new("RGBA", (64, 48), (0, 0, 0, 255))
    image.paste((9, 9, 9, 0), (32, 0, 64, 48))
    return image.convert(mode)


def palette_with_transparency() -> tuple[Image.Image, dict[str, object]]:
    image = Image.new("P", (64, 48), 0)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.paste(1, (32, 0, 64, 48))
    return image, {"transparency": 1}


@pytest.mark.parametrize(
    ("kind", "mode"),
    [(kind, mode) for kind in ("PNG", "TIFF", "WEBP") for mode in ("RGBA", "LA")]
    + [("GIF", "RGBA"), ("GIF", "P"), ("PNG", "P"), ("WEBP", "P")],
)
def test_transparent_becomes_white(kind: str, mode: str) -> None:
    if mode == "P":
        image, options = palette_with_transparency()
    else:
        image, options = transparent(mode), {}
    if kind == "WEBP":
        image.info.update(options)
        image, options = image.convert("RGBA"), {"lossless": True}
    assert close(corners(decode(encode(image, kind, **options), 16)), [(0, 0, 0), WHITE] * 2)


def test_half_transparent_becomes_half_white() -> None:
    red = Image.new("RGBA", (20, 20), (255, 0, 0, 128))
    assert close(corners(decode(encode(red, "PNG"), 8)), [(255, 127, 127)] * 4, 1)


def test_transparent_palette_of_bytes_and_colour_keys() -> None:
    image, _ = palette_with_transparency()
    content = encode(image, "PNG", transparency=bytes([255, 0]))
    assert close(corners(decode(content, 16)), [(0, 0, 0), WHITE] * 2)
    for mode, key in (("RGB", (255, 0, 0)), ("L", 76)):
        content = encode(image.convert("RGB").convert(mode), "PNG", transparency=key)
        assert close(corners(decode(content, 16)), [(0, 0, 0), WHITE] * 2)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP", "GIF"])
def test_greyscale_becomes_rgb(kind: str) -> None:
    assert close(corners(decode(encode(Image.new("L", (40, 40), 100), kind), 16)), [(100,) * 3] * 4, 1)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_one_bit_becomes_rgb(kind: str) -> None:
    image = Image.new("1", (64, 48), 0)
    image.paste(1, (32, 0, 64, 48))
    assert close(corners(decode(encode(image, kind), 16)), [(0, 0, 0), WHITE] * 2)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_become_eight(kind: str) -> None:
    values = np.repeat(np.array([[0, 65535], [32896, 257]], np.uint16), 20, 0).repeat(20, 1)
    photo = decode(encode(Image.fromarray(values), kind), 40)
    assert corners(photo) == [(0,) * 3, WHITE, (128,) * 3, (1,) * 3]


def test_16_bits_big_endian() -> None:
    values = np.full((20, 20), 32896, ">u2")
    image = Image.frombytes("I;16B", (20, 20), values.tobytes())
    assert corners(decode(encode(image, "TIFF"), 8)) == [(128,) * 3] * 4


@pytest.mark.parametrize(
    ("value", "grey"), [(32896, 128), (65535, 255), (2**31 - 1, 255), (2**30, 127), (-5, 0)]
)
def test_thirty_two_bits_become_eight(value: int, grey: int) -> None:
    image = Image.fromarray(np.full((20, 20), value, np.int32))
    assert image.mode == "I"
    assert close(corners(decode(encode(image, "TIFF"), 8)), [(grey,) * 3] * 4, 1)


def test_16_bits_per_channel() -> None:
    """Pillow cannot write these, hence by hand."""
    rows = b"".join(b"\0" + struct.pack(">3H", 65535, 32896, 0) * 10 for _ in range(10))
    chunks = [
        (b"IHDR", struct.pack(">2I5B", 10, 10, 16, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    assert close(corners(decode(content, 8)), [(255, 128, 0)] * 4, 1)


def test_floating_point_is_rejected() -> None:
    with pytest.raises(RejectedInput, match="floating-point"):
        decode(encode(Image.new("F", (8, 8), 0.5), "TIFF"), 8)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
@pytest.mark.parametrize(
    "profile", [b"", b"damaged", ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()]
)
def test_cmyk_becomes_rgb(kind: str, profile: bytes) -> None:
    """No profile of a press is drawn here; unusable ones must leave Pillow's own conversion."""
    image = Image.new("CMYK", (40, 40), (0, 255, 255, 0))
    image.paste((255, 0, 255, 0), (20, 0, 40, 20))
    content = encode(image, kind, **({"icc_profile": profile} if profile else {}))
    assert close(corners(decode(content, 16)), [RED, GREEN, RED, RED], 12)


def test_lab_becomes_rgb() -> None:
    image = Image.new("LAB", (8, 8), (255, 128, 128))
    assert close(corners(decode(encode(image, "TIFF"), 8)), [WHITE] * 4)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_the_orientation_of_exif_is_applied(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"subsampling": 0, "quality": 95}, "WEBP": {"lossless": True}}.get(kind, {})
    photo = decode(encode(quarters(), kind, exif=exif, **options), 32)
    red, green, blue, white = RED, GREEN, BLUE, WHITE
    expected = {
        1: [red, green, blue, white],
        2: [green, red, white, blue],
        3: [white, blue, green, red],
        4: [blue, white, red, green],
        5: [red, blue, green, white],
        6: [blue, red, white, green],
        7: [white, green, blue, red],
        8: [green, white, red, blue],
    }[orientation]
    assert close(corners(photo), expected, 12)
    assert (photo.width, photo.height) == ((64, 48) if orientation < 5 else (48, 64))
    with Image.open(io.BytesIO(photo.thumbnail)) as thumbnail:
        assert thumbnail.size == (photo.width, photo.height)


@pytest.mark.parametrize(
    ("time", "offset", "expected"),
    [
        ("2019:06:16 12:30:05", None, datetime(2019, 6, 16, 12, 30, 5, tzinfo=UTC)),
        ("2019:06:16 12:30:05", "+02:00", datetime(2019, 6, 16, 10, 30, 5, tzinfo=UTC)),
        ("2019:06:16 12:30:05", "-03:30", datetime(2019, 6, 16, 16, 0, 5, tzinfo=UTC)),
        ("2019:06:16 12:30:05", "+0530", datetime(2019, 6, 16, 7, 0, 5, tzinfo=UTC)),
        ("2019:06:16 12:30:05", "+5:30", datetime(2019, 6, 16, 7, 0, 5, tzinfo=UTC)),
        ("2019:06:16 12:30:05", "-330", datetime(2019, 6, 16, 16, 0, 5, tzinfo=UTC)),
        ("2019:06:16 12:30:05", " +05:30\0", datetime(2019, 6, 16, 7, 0, 5, tzinfo=UTC)),
        ("2019:06:16 12:30:05", "Z", datetime(2019, 6, 16, 12, 30, 5, tzinfo=UTC)),
        ("2019:06:16 12:30:05", "rubbish", datetime(2019, 6, 16, 12, 30, 5, tzinfo=UTC)),
        ("2019-06-16 12:30:05", None, datetime(2019, 6, 16, 12, 30, 5, tzinfo=UTC)),
        ("2019/06/16 12:30:05", "+02:00", datetime(2019, 6, 16, 10, 30, 5, tzinfo=UTC)),
        ("2019-06-16T12:30:05.25+02:00", None, datetime(2019, 6, 16, 10, 30, 5, tzinfo=UTC)),
        ("2019:06:16 12:30", None, datetime(2019, 6, 16, 12, 30, tzinfo=UTC)),
        ("2019:06:16 12:30:  ", None, datetime(2019, 6, 16, 12, 30, tzinfo=UTC)),
        ("2016:12:31 23:59:60", None, datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2019:06:16 12:30:05.25\0", None, datetime(2019, 6, 16, 12, 30, 5, tzinfo=UTC)),
        ("2019:06:16 12:30:61", None, None),
        ("2019:06-16 12:30:05", None, None),
        ("2919:06:16 12:30:05", None, None),
        ("1819:06:16 12:30:05", None, None),
        ("0000:00:00 00:00:00", None, None),
        ("    :  :     :  :  ", None, None),
        ("0001:01:01 00:00:00", "+02:00", None),
        ("yesterday", None, None),
    ],
)
def test_the_time_is_read_from_exif(time: str, offset: str | None, expected: datetime | None) -> None:
    exif = Image.Exif()
    details = {0x9003: time} | ({0x9011: offset} if offset else {})
    exif.get_ifd(0x8769).update(details)
    photo = decode(encode(quarters(), "JPEG", exif=exif), 8)
    assert photo.taken_at == expected
    assert photo.taken_at is None or photo.taken_at.tzinfo is UTC


def test_the_time_of_digitizing_is_the_second_choice() -> None:
    exif = Image.Exif()
    details = exif.get_ifd(0x8769)
    details.update({0x9004: "2004:05:01 12:00:00", 0x9012: "+02:00", 0x9011: "+05:00"})
    assert decode(encode(quarters(), "JPEG", exif=exif), 8).taken_at == datetime(2004, 5, 1, 10, tzinfo=UTC)
    details[0x9003] = "0000:00:00 00:00:00"
    assert decode(encode(quarters(), "JPEG", exif=exif), 8).taken_at == datetime(2004, 5, 1, 10, tzinfo=UTC)
    details[0x9003] = "1999:01:01 00:00:00"
    assert decode(encode(quarters(), "JPEG", exif=exif), 8).taken_at == datetime(1998, 12, 31, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0rubbish", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40, b"Exif\0\0II*\0"]
)
def test_malformed_exif_is_ignored(exif: bytes) -> None:
    photo = decode(encode(quarters(), "JPEG", exif=exif, subsampling=0, quality=95), 32)
    assert close(corners(photo), [RED, GREEN, BLUE, WHITE], 12)
    assert photo.taken_at is None


def test_thumbnail_is_small_and_bare() -> None:
    exif = Image.Exif()
    exif[0x010E] = "private"
    content = encode(natural(900, 300), "JPEG", exif=exif, comment=b"private", icc_profile=b"private")
    thumbnail = decode(content, 64).thumbnail
    assert b"private" not in thumbnail
    with Image.open(io.BytesIO(thumbnail)) as image:
        assert image.size == (256, 85)
        assert not image.getexif()


def test_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, BLUE)]
    for kind in ("GIF", "WEBP", "TIFF", "PNG"):
        content = encode(frames[0], kind, save_all=True, append_images=frames[1:])
        assert close(corners(decode(content, 8)), [RED] * 4)


def test_jpeg_of_several_pictures() -> None:
    content = encode(quarters(), "MPO", save_all=True, append_images=[quarters()], quality=95)
    assert decode(content, 8).media_type == "image/jpeg"


@pytest.mark.parametrize("size", [96, 160, 224])
def test_a_draft_is_close_to_the_full_picture(size: int) -> None:
    picture = natural(2016, 1512)
    content = encode(picture, "JPEG", quality=90)
    with Image.open(io.BytesIO(content)) as image:
        full = np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BILINEAR), np.int16)
    photo = decode(content, size)
    assert (photo.width, photo.height) == (2016, 1512)
    assert np.abs(full - photo.pixels).mean() < 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1)])
def test_thin_pictures_are_decoded(kind: str, shape: tuple[int, int]) -> None:
    photo = decode(encode(Image.new("RGB", shape, WHITE), kind), 16)
    assert (photo.width, photo.height) == shape
    assert close(corners(photo), [WHITE] * 4)


def test_same_bytes_same_pixels_from_many_threads() -> None:
    contents = [encode(natural(300 + 20 * step, 200), "JPEG") for step in range(4)]
    alone = [decode(content, 64) for content in contents]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda content: decode(content, 64), contents * 8))
    for index, photo in enumerate(together):
        assert np.array_equal(photo.pixels, alone[index % 4].pixels)
        assert photo.thumbnail == alone[index % 4].thumbnail


def bomb() -> bytes:
    header = struct.pack(">2I5B", 20000, 20000, 8, 2, 0, 0, 0)
    ihdr = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    return (
        b"\x89PNG\r\n\x1a\n" + ihdr + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"GIF", "not an image in a supported format (JPEG, PNG, "),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing, not an image"),
        (b'<?xml version="1.0"?>\n<!-- a drawing -->\n<svg>', "an SVG drawing, not an image"),
        (b'<?xml version="1.0"?><Error/>', "an XML document, not an image"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html>\n<html>", "an HTML page, not an image"),
        (b"<HTML lang=en>", "an HTML page, not an image"),
        (b'{"error": "not found"}', "JSON, not an image"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "a Git LFS pointer, not an image; run: git lfs pull",
        ),
        (b"%PDF-1.7", "a PDF, not an image"),
        (b"\x1f\x8b\x08\0\0\0", "a gzip file, not an image; unpack it"),
        (b"PK\x03\x04" + bytes(26) + b"a.jpg", "a ZIP archive, not an image; unpack it"),
        (base64.encodebytes(encode(quarters(), "JPEG")), "a picture as base64 text, not an image; decode it"),
        (b"data:image/png;base64,AAAA", "a picture as base64 text, not an image; decode it"),
        (bytes(5_000), "a file of zeros, not an image; copy it again"),
        (b"a < b, <html>", "not an image in a supported format"),
        (encode(Image.new("RGB", (8, 8)), "PPM"), "not an image in a supported format"),
        (b"\0\0\0\x24ftypheic\0\0\0\0mif1heic", "truncated or damaged: its header cannot be read"),
        (b"\xff\xd8\xffmilk, bread", "truncated or damaged: its header cannot be read"),
        (bomb(), "too large: 20000 × 20000 pixels; at most 100 million are allowed"),
        (encode(natural(200, 200), "JPEG")[:3000], "truncated or damaged: "),
        (encode(natural(200, 200), "PNG")[:3000], "truncated or damaged: "),
    ],
)
def test_unusable_files_are_refused_with_a_reason(content: bytes, reason: str) -> None:
    with pytest.raises(RejectedInput) as caught:
        decode(content, 8)
    assert str(caught.value).startswith(reason)
    assert not str(caught.value).endswith(".")


# --- Large ones ---------------------------------------------------------------------------------------


def test_of_a_large_jpeg_the_decoded_pixels_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """The header may say more, as the pictures of phones do."""
    monkeypatch.setattr(images, "MAX_PIXELS", 600_000)
    picture = natural(2000, 1600)
    for options in ({}, {"progressive": True}):
        photo = decode(encode(picture, "JPEG", **options), 160)
        assert (photo.width, photo.height) == (2000, 1600)
    with pytest.raises(RejectedInput, match="too large: 2000 × 1600 pixels; at most 0 million are allowed"):
        decode(encode(picture, "PNG"), 160)
    with pytest.raises(RejectedInput, match="too large: 2000 × 500 pixels"):
        decode(encode(natural(2000, 500), "JPEG"), 160)  # which cannot be reduced so far


def larger(jpeg: bytes, width: int, height: int) -> bytes:
    """The same data, said to be another size."""
    at = max(jpeg.find(b"\xff\xc0"), jpeg.find(b"\xff\xc2"))
    return jpeg[: at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9 :]


@pytest.mark.parametrize(
    ("size", "options", "reason"),
    [
        ((65535, 1), {}, "too large: 65535 × 1 pixels; at most 65500 on a side are allowed"),
        (
            (20000, 20000),
            {"progressive": True, "subsampling": 0},
            "too large: 20000 × 20000 pixels in a progressive JPEG take 2288 MB of memory; at most 1536 MB",
        ),
        ((65500, 65500), {"progressive": True}, "too large: 65500 × 65500 pixels in a progressive JPEG"),
    ],
)
def test_jpegs_that_are_too_large(size: tuple[int, int], options: dict[str, object], reason: str) -> None:
    with pytest.raises(RejectedInput) as caught:
        decode(larger(encode(quarters(), "JPEG", **options), *size), 160)
    assert str(caught.value).startswith(reason)


def planes(jpeg: bytes) -> bytes:
    """A JPEG of one component at a time; only its headers are right."""
    at = jpeg.index(b"\xff\xda")
    return jpeg[:at] + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0" + jpeg[at + 14 :]


def test_what_libjpeg_holds() -> None:
    picture = quarters(64, 48)
    for subsampling, samples in ((0, 3), (1, 2), (2, 1.5)):
        plain = encode(picture, "JPEG", subsampling=subsampling)
        assert mending.held(plain) == 0
        assert mending.held(planes(plain)) == 2 * 64 * 48 * samples
        assert mending.held(encode(picture, "JPEG", subsampling=subsampling, progressive=True)) == (
            2 * 64 * 48 * samples
        )
    assert mending.held(encode(picture.convert("L"), "JPEG", progressive=True)) == 2 * 64 * 48
    assert mending.held(b"\xff\xd8\xff") == mending.held(b"\xff\xd8\xff\xda\0\x08\x01") == 0


# --- Damaged beside the picture -----------------------------------------------------------------------


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def chunk(name: bytes, body: bytes, checksum: int | None = None) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum or zlib.crc32(name + body))


def beside(content: bytes, extra: bytes) -> bytes:
    at = 2 if content.startswith(b"\xff") else 33
    return content[:at] + extra + content[at:]


JPEG_BESIDE = [
    segment(0xE2, b"ICC_PROFILE\0"),
    segment(0xE2, b"ICC_PROFILE\0\x01"),
    segment(0xE0, b"JFIF\0"),
    segment(0xEE, b"Adobe"),
    segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x10ab"),
    b"\xff\xe1\0\0",
]
PNG_BESIDE = [
    chunk(b"tEXt", b"a\0b", 5),
    chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * (3 << 20))),
    chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(b"x" * (3 << 20))),
    chunk(b"iCCP", b"a\0\7rubbish"),
    chunk(b"iCCP", b"a\0\0rubbish", 1),
    chunk(b"eXIf", b"rubbish", 3),
    chunk(b"pHYs", b"a"),
    chunk(b"acTL", b"a"),
    chunk(b"tIME", b"", 3),
]


@pytest.mark.parametrize("extra", JPEG_BESIDE + PNG_BESIDE)
def test_what_is_no_part_of_the_picture_may_be_broken(extra: bytes) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    kind = "JPEG" if extra in JPEG_BESIDE else "PNG"
    whole = encode(
        quarters(), kind, exif=exif, **({"subsampling": 0, "quality": 95} if kind == "JPEG" else {})
    )
    photo = decode(beside(whole, extra), 32)
    assert np.array_equal(photo.pixels, decode(whole, 32).pixels)
    assert close(corners(photo), [WHITE, BLUE, GREEN, RED], 12)  # EXIF that is not broken counts
    assert photo.sha256 == content_hash(beside(whole, extra))


def test_webp_and_tiff_with_broken_metadata() -> None:
    whole = encode(quarters(), "WEBP", exif=b"Exif\0\0rubbish", xmp=b"<x", lossless=True)
    at = whole.index(b"EXIF")
    for broken in (whole[: at + 4] + b"\xff\xff\0\0" + whole[at + 8 :], whole[:-3]):
        assert close(corners(decode(broken, 32)), [RED, GREEN, BLUE, WHITE])
    whole = encode(quarters(), "TIFF", tiffinfo={270: "x" * 50})
    at = whole.index(struct.pack("<H", 270), struct.unpack("<I", whole[4:8])[0])
    broken = whole[:at] + struct.pack("<HHII", 270, 5, 1, 0xFFFFFFF) + whole[at + 12 :]
    assert close(corners(decode(broken, 32)), [RED, GREEN, BLUE, WHITE])


JPEGS: list[dict[str, object]] = [
    {}, {"subsampling": 0}, {"progressive": True}, {"restart_marker_rows": 1}, {"quality": 100}
]  # fmt: skip


@pytest.mark.parametrize("options", JPEGS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_may_lack_its_last_bytes(mode: str, options: dict[str, object]) -> None:
    whole = encode(natural(300, 200).convert(mode), "JPEG", **options)
    pixels = decode(whole, 64).pixels.astype(np.int16)
    for cut in (1, 2, 3, 4):
        photo = decode(whole[:-cut], 64)
        assert photo.sha256 == content_hash(whole[:-cut])
        assert np.abs(photo.pixels - pixels).mean() < (0.01 if cut < 3 else 1)


@pytest.mark.parametrize("options", JPEGS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_may_not_lack_more(mode: str, options: dict[str, object]) -> None:
    """Not even where a scan or an interval ends, after which nothing but the next marker is expected."""
    whole = encode(natural(300, 200).convert(mode), "JPEG", **options)
    markers = [m.start() for m in re.finditer(rb"\xff[\xd0-\xd7\xda]", whole)]
    parts = [int(len(whole) * part) for part in (0.95, 0.9, 0.8, 0.5, 0.3)]
    for end in [*parts, *(at for at in markers if at < 0.95 * len(whole))]:
        for moved in (0, -1, 1):
            with pytest.raises(RejectedInput, match=r"^truncated or damaged: "):
                decode(whole[: end + moved], 64)


def seeds() -> list[bytes]:
    picture = natural(24, 20)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2019:06:16 12:30:05"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "x" * 50, zip=True)
    return [
        encode(picture, "JPEG", exif=exif),
        encode(picture, "JPEG", progressive=True),
        encode(picture.convert("CMYK"), "JPEG"),
        encode(picture, "PNG", pnginfo=text, exif=exif),
        encode(picture.convert("P"), "PNG"),
        encode(picture, "WEBP", exif=exif),
        encode(picture.convert("RGBA"), "WEBP", lossless=True),
        encode(picture, "GIF"),
        encode(picture, "BMP"),
        encode(picture.convert("P"), "BMP"),
        encode(picture, "TIFF", compression="tiff_lzw", exif=exif),
        encode(picture, "TIFF"),
    ]


def test_damaged_files_are_decoded_or_rejected() -> None:
    generator = random.Random(11)
    outcomes = set()
    for content in seeds():
        for _ in range(15):
            mutant = bytearray(content)
            for _ in range(generator.choice((1, 2, 8))):
                # Headers are where the damage is interesting.
                end = generator.choice((64, len(mutant)))
                mutant[generator.randrange(min(end, len(mutant)))] = generator.choice(
                    (0, 1, 127, 255, generator.randrange(256))
                )
            if generator.random() < 0.3:
                del mutant[generator.randrange(len(mutant)) :]
            try:
                photo = decode(bytes(mutant), 8)
            except RejectedInput as error:
                outcomes.add("rejected")
                assert str(error).isprintable()  # noqa: PT017
            else:
                outcomes.add("decoded")
                assert photo.pixels.shape == (8, 8, 3)
    assert outcomes == {"decoded", "rejected"}


def test_nothing_is_printed(tmp_path: Path) -> None:
    """In a process of its own, as pytest has its own handling of warnings."""
    malformed = encode(quarters(), "MPO", save_all=True, append_images=[quarters()]).replace(
        b"MPF\0", b"MPF\0xx", 1
    )
    broken_tiff = encode(natural(24, 20), "TIFF", compression="tiff_lzw")[:-500]
    (tmp_path / "0").write_bytes(malformed)
    (tmp_path / "1").write_bytes(broken_tiff)
    (tmp_path / "2").write_bytes(bomb())
    truncated_exif = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40
    (tmp_path / "3").write_bytes(encode(quarters(), "JPEG", exif=truncated_exif))
    program = """
import pathlib, sys
from tagdb.errors import RejectedInput
from tagdb.photos.images import decode
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        decode(path.read_bytes(), 8)
    except RejectedInput:
        pass
"""
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=True,
    )
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.skipif(not INSTAGRAM.is_dir(), reason="the data set is not here")
def test_real_photos_are_decoded() -> None:
    for path in sorted(INSTAGRAM.glob("data/*/*.jpg"))[::60]:
        photo = decode(path.read_bytes(), 160)
        assert photo.media_type == "image/jpeg"
        assert photo.pixels.std() > 1
