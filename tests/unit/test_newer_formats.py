"""HEIC, AVIF, JPEG XL and camera RAW; every file is made here."""

import io
import re
import struct
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pillow_heif
import pillow_jxl  # noqa: F401  it registers itself
import pytest
from PIL import Image

from tagdb.embedding.worker import Worker
from tagdb.errors import RejectedInput
from tagdb.photos import boxes, images, jxl, kinds, raws
from tagdb.photos.images import Photo, content_hash, decode
from tests.support import corpus
from tests.support.cameras import box, deep_heic, heic, raw, said_to_be
from tests.support.corpus import encoded
from tests.support.described import bag, packet
from tests.support.pictures import photo, picture

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255,) * 3, (0,) * 3
# pytest undoes the filter that tagdb.photos.images sets
pytestmark = pytest.mark.filterwarnings(r"ignore::UserWarning:PIL\.")
UPRIGHT = {
    1: [RED, GREEN, BLUE, WHITE], 2: [GREEN, RED, WHITE, BLUE], 3: [WHITE, BLUE, GREEN, RED],
    4: [BLUE, WHITE, RED, GREEN], 5: [RED, BLUE, GREEN, WHITE], 6: [BLUE, RED, WHITE, GREEN],
    7: [WHITE, GREEN, BLUE, RED], 8: [GREEN, WHITE, RED, BLUE],
}  # fmt: skip
"""The quarters by EXIF's orientation, once they are upright."""
KINDS = ["HEIF", "AVIF", "JXL"]
TYPES = {"HEIF": "image/heic", "AVIF": "image/avif", "JXL": "image/jxl"}
EXACT: dict[str, dict[str, object]] = {
    "HEIF": {"quality": 95, "chroma": 444},
    "AVIF": {"quality": 95, "subsampling": "4:4:4"},
    "JXL": {"lossless": True},
}


@pytest.fixture(autouse=True, scope="module")
def _writing() -> None:
    pillow_heif.register_heif_opener()


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    return encoded(image, kind, **EXACT[kind] | options)


def quarters(width: int = 64, height: int = 48) -> Image.Image:
    """Red, green / blue, white."""
    image = Image.new("RGB", (width, height), WHITE)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    return image


def corners(photo: Photo) -> list[tuple[int, ...]]:
    """The colours in the middle of the four quarters."""
    low, high = len(photo.pixels) // 4, len(photo.pixels) * 3 // 4
    return [tuple(map(int, photo.pixels[y, x])) for y in (low, high) for x in (low, high)]


def close(photo: Photo, expected: list[tuple[int, ...]], tolerance: int = 12) -> bool:
    return bool(np.abs(np.array(corners(photo)) - np.array(expected)).max() <= tolerance)


def exif(orientation: int = 1, time: str = "2019:06:16 12:30:05", offset: str = "+02:00") -> bytes:
    found = Image.Exif()
    found[0x0112], found[0x010F] = orientation, "Drawn"
    found.get_ifd(0x8769).update({0x9003: time, 0x9011: offset})
    return found.tobytes()


TAKEN = datetime(2019, 6, 16, 10, 30, 5, tzinfo=UTC)


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_is_decoded(kind: str) -> None:
    content = encode(quarters(), kind, exif=exif())
    photo = decode(content, 32)
    assert photo.media_type == TYPES[kind]
    assert (photo.width, photo.height, photo.taken_at) == (64, 48, TAKEN)
    assert close(photo, UPRIGHT[1])
    assert photo.sha256 == content_hash(content)
    with Image.open(io.BytesIO(photo.thumbnail)) as thumbnail:
        assert (thumbnail.format, thumbnail.mode, thumbnail.size) == ("JPEG", "RGB", (64, 48))
        assert not thumbnail.getexif()


@pytest.mark.parametrize("kind", KINDS)
def test_transparent_becomes_white_and_grey_rgb(kind: str) -> None:
    image = Image.new("RGBA", (64, 48), (0, 0, 0, 255))
    image.paste((9, 9, 9, 0), (32, 0, 64, 48))
    for mode in ("RGBA", "LA"):
        assert close(decode(encode(image.convert(mode), kind), 16), [BLACK, WHITE] * 2)
    assert close(decode(encode(Image.new("L", (40, 40), 100), kind), 16), [(100,) * 3] * 4, 2)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_pictures_are_turned_once(kind: str, orientation: int) -> None:
    """By their boxes; EXIF says the same again, and does not count."""
    content = encode(quarters(), kind, exif=exif(orientation))
    assert (b"irot" in content or b"imir" in content) == (orientation > 1)
    photo = decode(content, 32)
    assert close(photo, UPRIGHT[orientation])
    assert (photo.width, photo.height) == ((64, 48) if orientation < 5 else (48, 64))
    assert photo.taken_at == TAKEN
    with Image.open(io.BytesIO(photo.thumbnail)) as thumbnail:
        assert thumbnail.size == (photo.width, photo.height)


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_exif_alone_turns_nothing(kind: str) -> None:
    """Writers know the tag, so that it is put in afterwards."""
    tag, unknown = b"\x01\x12\0\3\0\0\0\1\0", b"\x01\x13\0\3\0\0\0\1\0"
    content = encode(quarters(), kind, exif=exif().replace(tag + b"\1", unknown + b"\6"))
    marked = content.replace(unknown, tag)
    assert marked != content
    assert close(decode(marked, 32), UPRIGHT[1])


def test_exif_does_not_turn_jpeg_xl() -> None:
    photo = decode(encode(quarters(), "JXL", exif=exif(6)), 32)
    assert close(photo, UPRIGHT[1])
    assert (photo.width, photo.height, photo.taken_at) == (64, 48, TAKEN)
    skipped = encode(quarters(), "JXL", exif=bytes(4) + exif(6))
    assert decode(skipped, 32).taken_at == TAKEN
    assert close(decode(encode(quarters(), "JXL", exif=b"rubbish"), 32), UPRIGHT[1])


def test_keywords_in_jpeg_xl() -> None:
    content = encode(quarters(), "JXL", xmp=packet(bag("dc:subject", ["sun"])), exif=exif())
    assert decode(content, 8).description.keywords == ("sun",)
    assert decode(content, 8).taken_at == TAKEN


def test_of_jpeg_xl_that_was_jpeg_the_jpeg_is_decoded(tmp_path: Path) -> None:
    """With its orientation, and at a reduced scale."""
    (tmp_path / "a.jpg").write_bytes(encoded(quarters(), "JPEG", quality=95, subsampling=0, exif=exif(6)))
    stream = io.BytesIO()
    with Image.open(tmp_path / "a.jpg") as image:
        image.save(stream, "JXL", lossless_jpeg=True)
    photo = decode(stream.getvalue(), 32)
    assert close(photo, UPRIGHT[6])
    assert (photo.media_type, photo.width, photo.height) == ("image/jxl", 48, 64)
    assert photo.taken_at == TAKEN
    assert photo.sha256 == content_hash(stream.getvalue())


@pytest.mark.parametrize("bits", [10, 12])
def test_more_than_eight_bits_become_eight(bits: int) -> None:
    values = np.repeat(np.array([[65535, 0], [32768, 257]], np.uint16), 24, 0).repeat(32, 1)
    expected = [WHITE, BLACK, (128,) * 3, (1,) * 3]
    assert close(decode(deep_heic(values, bits), 40), expected, 3)
    assert close(decode(deep_heic(np.stack([values] * 3, axis=2), bits), 40), expected, 3)


def test_sixteen_bits_of_jpeg_xl_become_eight() -> None:
    values = np.repeat(np.array([[65535, 0], [32768, 257]], np.uint16), 24, 0).repeat(32, 1)
    photo = decode(encode(Image.fromarray(values), "JXL"), 40)
    assert corners(photo) == [WHITE, BLACK, (128,) * 3, (1,) * 3]


# --- High dynamic range -------------------------------------------------------------------------------


def pq(light: float) -> float:
    """The value of a luminance, that of white paper being 1 (SMPTE ST 2084)."""
    power = (203 * light / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def hlg(light: float) -> float:
    """The same as ITU-R BT.2100 has it."""
    scene = 0.2650 * light ** (1 / 1.2)
    return (
        (3 * scene) ** 0.5 if scene <= 1 / 12 else 0.17883277 * np.log(12 * scene - 0.28466892) + 0.55991073
    )


def hdr(value: float) -> np.ndarray:
    return np.full((48, 64, 3), round(value * 65535), np.uint16)


@pytest.mark.parametrize(("transfer", "curve"), [(16, pq), (18, hlg)])
@pytest.mark.parametrize(("light", "grey"), [(0.0, 0), (0.2, 124), (0.5, 188), (1.0, 237)])
def test_a_high_dynamic_range_becomes_standard(transfer: int, curve, light: float, grey: int) -> None:
    """Middle tones look as they do in sRGB; without a conversion they would be flat."""
    content = deep_heic(hdr(curve(light)), color_primaries=9, transfer_characteristics=transfer)
    assert boxes.colour(content) == (9, transfer)
    photo = decode(content, 16)
    assert close(photo, [(grey,) * 3] * 4, 5)
    with Image.open(io.BytesIO(photo.thumbnail)) as thumbnail:
        assert abs(thumbnail.getpixel((32, 24))[0] - grey) <= 5


def test_lights_are_told_apart() -> None:
    greys = [
        corners(decode(deep_heic(hdr(pq(light)), color_primaries=9, transfer_characteristics=16), 8))[0][0]
        for light in (1, 2, 5, 20)
    ]
    assert greys == sorted(set(greys))
    assert greys[-1] > 250


def test_colours_of_bt_2020_become_srgb() -> None:
    """The red of sRGB, in the wider primaries."""
    values = np.zeros((48, 64, 3), np.uint16)
    values[:] = [round(pq(each * 0.5) * 65535) for each in (0.6274, 0.0691, 0.0164)]
    photo = decode(deep_heic(values, color_primaries=9, transfer_characteristics=16), 8)
    assert close(photo, [(188, 0, 0)] * 4, 25)


def test_the_colours_of_avif_are_read_from_its_boxes() -> None:
    """Those of the primary picture only: a gain map's do not count."""
    grey = Image.new("RGB", (64, 48), (round(255 * pq(0.2)),) * 3)
    plain = encode(grey, "AVIF")
    at = plain.index(b"colrnclx")
    assert boxes.colour(plain) == struct.unpack(">HH", plain[at + 8 : at + 12])
    marked = plain[: at + 8] + struct.pack(">HH", 9, 16) + plain[at + 12 :]
    assert close(decode(plain, 8), [grey.getpixel((0, 0))] * 4, 3)
    assert close(decode(marked, 8), [(124,) * 3] * 4, 6)
    others = plain.replace(b"pitm\0\0\0\0\0\1", b"pitm\0\0\0\0\0\2")
    assert boxes.colour(others) is None


# --- Several pictures in one file ---------------------------------------------------------------------


@pytest.mark.parametrize("primary", [0, 1, 2])
def test_the_primary_picture_is_taken(primary: int) -> None:
    colours = [RED, GREEN, BLUE]
    pictures = [Image.new("RGB", (64, 48), colour) for colour in colours]
    photo = decode(heic(*pictures, primary_index=primary), 8)
    assert close(photo, [colours[primary]] * 4)


def test_of_a_sequence_the_first_picture_is_taken() -> None:
    frames = [Image.new("RGB", (64, 48), colour) for colour in (RED, BLUE)]
    content = encode(frames[0], "AVIF", save_all=True, append_images=frames[1:])
    assert content[8:12] == b"avis"
    photo = decode(content, 8)
    assert close(photo, [RED] * 4)
    assert photo.media_type == "image/avif"


def test_brands_say_what_it_is() -> None:
    content = heic(quarters())
    for major, rest, media_type in (
        (b"mif1", b"heic", "image/heic"),
        (b"mif1", b"mif1", "image/heif"),
        (b"heix", b"mif1", "image/heic"),
    ):
        said = content[:8] + major + content[12:16] + rest * 3 + content[28:]
        assert content[4:8] == b"ftyp"
        assert struct.unpack(">I", content[:4])[0] == 28
        assert decode(said, 8).media_type == media_type
    avif = encode(quarters(), "AVIF")
    assert decode(avif[:8] + b"mif1" + avif[12:], 8).media_type == "image/avif"


# --- Sizes --------------------------------------------------------------------------------------------


def test_sizes_are_known_before_anything_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 3_000)
    monkeypatch.setattr(jxl, "opened", lambda content: pytest.fail("decoded"))
    for kind in KINDS:
        with pytest.raises(RejectedInput, match=r"^too large: 64 × (48|64) pixels; at most 0 million"):
            decode(encode(quarters(), kind), 8)


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
@pytest.mark.parametrize("side", [12_000, 60_000, 0xFFFFFFFF])
def test_a_size_that_is_a_lie(kind: str, side: int) -> None:
    """Where the library itself does not refuse it, we do."""
    content = said_to_be(encode(quarters(), kind), side, side)
    with pytest.raises(RejectedInput, match=rf"^(too large: {side} × {side} pixels|truncated or damaged: )"):
        decode(content, 8)
    if kind == "HEIF":  # which has a part cut out, of a size that may be decoded
        with pytest.raises(RejectedInput, match=f"^too large: {side} × {side} pixels"):
            decode(said_to_be(heic(quarters(44, 36)), side, side), 8)


@pytest.mark.parametrize("side", [1, 8, 256, 257, 513, 3_000, 70_000])
@pytest.mark.parametrize("container", [False, True])
def test_the_header_of_jpeg_xl(side: int, container: bool) -> None:
    for shape in ((side, 8), (8, side), (side, 3), (min(side, 3_000),) * 2):
        content = encoded(Image.new("L", shape), "JXL", use_container=container, lossless=True, effort=1)
        assert jxl.size(content) == shape
    assert jxl.size(b"\0\0\0\x0cJXL \r\n\x87\n") is None
    assert jxl.size(b"\0\0\0\x0cJXL \r\n\x87\n" + box(b"jxlc", b"rubbish")) is None


def test_of_what_is_too_large_the_embedded_thumbnail_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """As phones put it into their pictures of 200 megapixels; otherwise nobody looks at it."""
    content = heic(quarters(480, 360), thumbnails=[440], chroma=420)
    seen = []
    monkeypatch.setattr(images, "_check_size", lambda width, height, image, _: seen.append(image.size))
    decode(content, 8)
    monkeypatch.setattr(images, "MAX_PIXELS", 160_000)
    photo = decode(content, 8)
    assert seen == [(480, 360), (440, 330)]
    assert (photo.width, photo.height) == (480, 360)
    assert close(photo, UPRIGHT[1])


# --- Damaged ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*KINDS, "RAW"])
def test_truncated_ones_are_refused(kind: str) -> None:
    """With a reason; of RAW the preview may be whole."""
    content = raw(photo(1)) if kind == "RAW" else encode(picture(1), kind)
    for part in (0.1, 0.4, 0.9):
        with pytest.raises(RejectedInput, match=r"^(truncated or damaged: |not an image)") as caught:
            decode(content[: int(len(content) * part)], 8)
        assert str(caught.value).isprintable()


def test_damaged_ones_are_decoded_or_refused() -> None:
    """No decoder crashes; many more of them are in the reliability tests."""
    worker, reasons, decoded = Worker(None, 8), [], 0
    try:
        for name, content in corpus.mutants(3, 400):
            if name.endswith((".heic", ".avif", ".jxl", ".dng")):
                try:
                    decoded += worker.embed(content).photo.width > 0
                except RejectedInput as error:
                    reasons.append(str(error))
    finally:
        worker.close()
    assert decoded > 10
    assert len(reasons) > 30
    assert not [reason for reason in reasons if not reason.isprintable() or re.search("crashed|took", reason)]


def test_boxes_that_lead_nowhere() -> None:
    whole = box(b"ftyp", b"mif1") + box(b"free")
    assert [name for name, *_ in boxes.boxes(whole)] == [b"ftyp", b"free"]
    for damaged in (
        box(b"free", size=7), box(b"free", size=2**31), box(b"free", size=1), b"\0\0", b"",
        struct.pack(">I4sQ", 1, b"free", 3), struct.pack(">I4sQ", 1, b"free", 2**63),
    ):  # fmt: skip
        assert [name for name, *_ in boxes.boxes(whole + damaged)] == [b"ftyp", b"free"]
    assert list(boxes.boxes(box(b"mdat", b"12", size=0))) == [(b"mdat", 8, 10)]
    assert list(boxes.boxes(struct.pack(">I4sQ", 1, b"mdat", 18) + b"12")) == [(b"mdat", 16, 18)]
    assert len(list(boxes.boxes(box(b"free") * (boxes.MOST + 5)))) == boxes.MOST


def test_colours_of_damaged_boxes() -> None:
    content = encode(quarters(), "AVIF")
    end = content.index(b"mdat")
    for cut in range(0, end, 3):
        boxes.colour(content[:cut])
        boxes.colour(content[:cut] + b"\xff" * 12 + content[cut + 12 :])
    assert boxes.colour(b"") is None


# --- Camera RAW ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", "<>")
def test_of_camera_raw_the_preview_is_taken(order: str) -> None:
    preview = encoded(quarters(320, 240), "JPEG", quality=95, subsampling=0)
    content = raw(preview, order=order, offset=b"+02:00\0")
    found = decode(content, 32)
    assert close(found, UPRIGHT[1])
    assert (found.media_type, found.width, found.height) == ("image/x-adobe-dng", 64, 48)
    assert found.taken_at == TAKEN
    assert found.sha256 == content_hash(content)
    with Image.open(io.BytesIO(found.thumbnail)) as thumbnail:
        assert thumbnail.size == (256, 192)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_camera_raw_is_turned_as_it_says(orientation: int) -> None:
    bare = encoded(quarters(320, 240), "JPEG", quality=95, subsampling=0)
    marked = encoded(quarters(320, 240), "JPEG", quality=95, subsampling=0, exif=exif(orientation))
    for preview in (bare, marked, marked[:2] + marked[20:]):  # the last one begins as cameras' do
        found = decode(raw(preview, orientation=orientation, offset=b"+02:00\0"), 32)
        assert close(found, UPRIGHT[orientation])
        assert (found.width, found.height) == ((64, 48) if orientation < 5 else (48, 64))
        assert found.taken_at == TAKEN
    found = decode(raw(quarters(320, 240), orientation=orientation), 32)
    assert close(found, UPRIGHT[orientation])
    assert decode(raw(marked[:2] + marked[20:], time=b"1999:01:01 00:00:00\0"), 32).taken_at == TAKEN


def test_what_is_written_in_camera_raw_counts() -> None:
    """Besides what is written in its preview."""
    marked = io.BytesIO()
    quarters(320, 240).save(marked, "JPEG", xmp=packet(bag("dc:subject", ["sea"])))
    for content, keywords in (
        (raw(photo(1), xmp=packet(bag("dc:subject", ["sun"]))), ("sun",)),
        (raw(xmp=packet(bag("dc:subject", ["sun"]))), ("sun",)),
        (raw(marked.getvalue(), xmp=packet(bag("dc:subject", ["sun"]))), ("sea", "sun")),
        (raw(photo(1), xmp=b"rubbish"), ()),
    ):
        assert decode(content, 8).description.keywords == keywords


def test_without_a_preview_the_data_are_developed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = decode(raw(orientation=6), 32)
    assert (found.width, found.height) == (48, 64)
    assert found.pixels.std() > 1  # the tiny picture that all of it begins with is black
    assert found.taken_at == datetime(2019, 6, 16, 12, 30, 5, tzinfo=UTC)
    monkeypatch.setattr(raws, "MAX_SENSOR", 64 * 48 - 1)
    with pytest.raises(RejectedInput, match="too large: 64 × 48 pixels of camera RAW without a preview"):
        decode(raw(), 32)
    assert decode(raw(photo(1)), 32)


@pytest.mark.parametrize(
    ("make", "media_type"),
    [
        (b"NIKON CORPORATION\0", "image/x-nikon-nef"),
        (b"SONY\0", "image/x-sony-arw"),
        (b"PENTAX Corporation\0", "image/x-pentax-pef"),
        (b"Drawn by nobody\0", "image/x-raw"),
    ],
)
def test_what_begins_like_tiff_is_known_by_its_tags(make: bytes, media_type: str) -> None:
    assert raws.media_type(raw(make=make, dng=False)) == media_type
    assert raws.media_type(raw(make=make)) == "image/x-adobe-dng"


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"\0\0\0\x18ftypcrx \0\0\0\1", "image/x-canon-cr3"),
        (b"II*\0\x10\0\0\0CR\2\0", "image/x-canon-cr2"),
        (b"II\x1a\0\0\0HEAPCCDR", "image/x-canon-crw"),
        (b"FUJIFILMCCD-RAW ", "image/x-fuji-raf"),
        (b"IIRO\x08\0\0\0", "image/x-olympus-orf"),
        (b"IIU\0\x18\0\0\0", "image/x-panasonic-rw2"),
        (b"FOVb\0\0\0\0", "image/x-sigma-x3f"),
        (b"\0MRM\0\0\0\0", "image/x-minolta-mrw"),
    ],
)
def test_what_begins_like_no_other_picture(head: bytes, media_type: str) -> None:
    assert raws.media_type(head) == media_type
    with pytest.raises(RejectedInput, match=r"^truncated or damaged: "):
        decode(head + bytes(500), 8)


def test_real_tiffs_are_none() -> None:
    for options in ({}, {"compression": "tiff_lzw"}, {"save_all": True, "append_images": [picture(2)]}):
        assert raws.media_type(encoded(picture(1), "TIFF", **options)) is None
    assert raws.media_type(photo(1)) is None
    for damaged in (b"II*\0", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff", b"MM\0*\0\0\0\x08\0\1"):
        assert raws.media_type(damaged) is None


def test_directories_in_a_circle() -> None:
    one = b"II*\0\x08\0\0\0" + struct.pack("<H2HIII", 1, 330, 4, 1, 8, 8)
    assert raws.media_type(one) is None
    many = b"II*\0\x08\0\0\0" + struct.pack("<H2HIII", 1, 330, 4, 0xFFFFFFF, 8, 9)
    assert raws.media_type(many) is None


# --- Extras, and what they cost -----------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "extra"), [("JPEG XL", "jxl"), ("camera RAW", "raw")])
def test_without_its_extra_it_is_refused(monkeypatch: pytest.MonkeyPatch, kind: str, extra: str) -> None:
    monkeypatch.setattr(kinds, "_installed", lambda module: False)
    for content in [encode(quarters(), "JXL"), b"\xff\x0a"] if extra == "jxl" else [raw(), raw(dng=False)]:
        with pytest.raises(RejectedInput) as caught:
            decode(content, 8)
        assert str(caught.value) == f"{kind}, which needs pip install 'tagdb[{extra}]'"
        assert caught.value.reason_code == "needs_package"


def test_decoders_are_loaded_when_they_are_needed(tmp_path: Path) -> None:
    """Each in one thread, as there is a process for each core already."""
    (tmp_path / "a.jpg").write_bytes(photo(1))
    (tmp_path / "b.heic").write_bytes(heic(picture(1)))
    (tmp_path / "c.avif").write_bytes(encode(picture(1), "AVIF"))
    program = """
import pathlib, sys
from tagdb.photos.images import decode
lazy = ("pillow_heif", "PIL.AvifImagePlugin", "rawpy", "pillow_jxl")
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    decode(path.read_bytes(), 8)
    print(path.name, *(name for name in lazy if name in sys.modules))
import pillow_heif
from PIL import AvifImagePlugin
print(pillow_heif.options.DECODE_THREADS, AvifImagePlugin.DEFAULT_MAX_THREADS)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "a.jpg", "b.heic pillow_heif", "c.avif pillow_heif PIL.AvifImagePlugin", "0 1"
    ]  # fmt: skip
    assert done.stderr == ""


@pytest.mark.parametrize("major", [b"isom", b"mp42", b"qt  ", b"M4V ", b"3gp4", b"avc1"])
def test_videos_are_named(major: bytes) -> None:
    with pytest.raises(RejectedInput, match=r"^not an image in a supported format \(.*\), but video$"):
        decode(box(b"ftyp", major + bytes(4)) + box(b"moov", bytes(100)), 8)


def test_a_motion_photo_is_its_jpeg() -> None:
    video = box(b"ftyp", b"mp42" + bytes(4)) + box(b"mdat", bytes(5_000))
    assert np.array_equal(decode(photo(1) + video, 32).pixels, decode(photo(1), 32).pixels)
    assert decode(photo(1) + video, 32).media_type == "image/jpeg"


def test_all_supported_formats_are_named() -> None:
    for content, but in ((b"milk, bread", ""), (b"8BPS\0\1", ", but Photoshop")):
        with pytest.raises(RejectedInput) as caught:
            decode(content, 8)
        assert re.fullmatch(r"not an image in a supported format \((.*)\)" + but, str(caught.value))[1] == (
            "JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC, AVIF, JPEG XL, camera RAW"
        )
