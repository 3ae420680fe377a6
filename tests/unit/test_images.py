"""How photos are decoded; every picture is drawn here."""

import hashlib
import io
import random
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
        ("2019:06:16 12:30:05", "rubbish", datetime(2019, 6, 16, 12, 30, 5, tzinfo=UTC)),
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
        (b"GIF", "not an image in a supported format (JPEG, PNG, WebP, GIF, BMP, TIFF)"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image in a supported format"),
        (encode(Image.new("RGB", (8, 8)), "PPM"), "not an image in a supported format"),
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
