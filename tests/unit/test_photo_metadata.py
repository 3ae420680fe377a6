"""What is written in photos and beside them, whichever program wrote it."""

import io
import os
import shutil
import struct
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pillow_heif import HeifImageFile

from tagdb.embedding.worker import Worker
from tagdb.photos import metadata, sidecars, xmp
from tagdb.photos.files import Held, Local
from tagdb.photos.images import decode
from tagdb.photos.keywords import NOTHING, Description
from tests.support.described import (
    LIGHTROOM,
    bag,
    datasets,
    exif,
    keywords,
    packet,
    saved,
    with_iptc,
    with_xmp,
)

pytestmark = pytest.mark.filterwarnings(r"ignore::UserWarning:PIL\.")

UTF_8 = (1, 90, b"\x1b%G")


def embedded(content: bytes) -> Description:
    """What is written in a photo of any kind that Pillow opens."""
    stream = io.BytesIO(content)
    heic = content[4:12] == b"ftypheic"
    with HeifImageFile(stream) if heic else Image.open(stream) as image:
        image.load()
        return metadata.embedded(image)


# --- In photos ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_xmp_in_every_kind_of_photo(kind: str) -> None:
    one = embedded(with_xmp(keywords(*LIGHTROOM[0], paths=LIGHTROOM[1]), kind))
    assert one.hashtags("leaf") == (["LakeComo", "food"], [])


def test_a_broken_packet_costs_the_keywords_in_it() -> None:
    photo = decode(with_xmp(b"<x:xmpmeta>"), 32)
    assert photo.description.refused == ("keywords in its XMP cannot be read: no valid XML: unbound prefix: "
                                         "line 1, column 0",)  # fmt: skip
    assert replace(photo.description, refused=()) == NOTHING


def test_a_large_packet_is_refused() -> None:
    one = embedded(with_xmp(packet(bag("photoshop:x", ["x"] * 250_000)), "TIFF"))
    assert one.refused == ("keywords in its XMP cannot be read: larger than 4 MB",)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_iptc(kind: str) -> None:
    values = [UTF_8, (2, 5, b"Titel"), (2, 25, "Zürich".encode()), (2, 25, b"a; b"), (2, 55, b"20190203"),
              (2, 60, b"040506+0100"), (2, 120, b"Lunch #sea")]  # fmt: skip
    one = embedded(with_iptc(datasets(*values), kind))
    assert one.hashtags("leaf") == (["sea", "Zürich", "a", "b"], [])
    assert (one.title, one.taken_at) == ("Titel", datetime(2019, 2, 3, 3, 5, 6, tzinfo=UTC))


@pytest.mark.parametrize(
    ("charset", "value"),
    [
        ([UTF_8], "Zürich".encode()),
        ([], "Zürich".encode()),
        ([], "Zürich".encode("latin-1")),
        ([(1, 90, b"\x1b.A")], "Zürich".encode("latin-1")),
        ([UTF_8], "Zürich".encode("latin-1")),  # some programs only say so
    ],
)
def test_charsets_of_iptc(charset: list[tuple[int, int, bytes]], value: bytes) -> None:
    assert metadata.iptc(datasets(*charset, (2, 25, value))).keywords == ("Zürich",)


def test_a_charset_that_is_given_counts() -> None:
    both = "Ã¼".encode("latin-1")  # ü in UTF-8
    assert metadata.iptc(datasets((1, 90, b"\x1b.A"), (2, 25, both))).keywords == ("Ã¼",)


def test_iptc_is_read_as_far_as_it_is_whole() -> None:
    whole = datasets((2, 25, b"sea"))
    extended = b"\x1c\x02\x19\x80\x04" + struct.pack(">I", 3) + b"sun"
    assert metadata.iptc(whole + extended + datasets((2, 25, b"wind"))[:-1]).keywords == ("sea", "sun")
    assert metadata.iptc(whole + b"\x1c\x02\x19\xff\xff" + b"\xff" * 100).keywords == ("sea",)
    assert metadata.iptc(datasets((2, 55, b"20190203"))).taken_at == datetime(2019, 2, 3, tzinfo=UTC)
    leap = metadata.iptc(datasets((2, 55, b"20161231"), (2, 60, b"23:59:60")))
    assert leap.taken_at == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert metadata.iptc(datasets((2, 55, b"00000000"), (2, 60, b"x"))).taken_at is None


@settings(max_examples=200, deadline=1_000)
@given(st.binary(), st.lists(st.tuples(st.sampled_from([1, 2]), st.integers(0, 255), st.binary())))
def test_no_bytes_of_iptc_raise(content: bytes, values: list[tuple[int, int, bytes]]) -> None:
    for each in (content, datasets(*values) + content):
        metadata.iptc(each).hashtags("leaf")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_what_windows_writes(kind: str) -> None:
    written = exif(keywords="New York;naïve; 日本;", title="Titel ü", rating=4, caption="Lunch #sea")
    one = embedded(saved(kind, exif=written))
    assert one.hashtags("leaf") == (["sea", "NewYork", "naïve", "日本"], [])
    assert (one.title, one.rating) == ("Titel ü", 4)


def test_a_caption_in_utf_8_and_one_without_hashtags() -> None:
    assert embedded(saved(exif=exif(caption="Über #Zürich"))).captioned == ("Zürich",)
    assert embedded(saved(exif=exif(caption="OLYMPUS DIGITAL CAMERA"))) == NOTHING


def test_all_parts_are_united_and_xmp_counts_first() -> None:
    values = datasets((2, 25, b"iptc"), (2, 5, b"IPTC's"))
    with Image.open(io.BytesIO(with_iptc(values))) as image:
        image.info["xmp"] = packet(bag("dc:subject", ["xmp"]), 'dc:title="XMP\'s"')
        image.getexif().update(exif(keywords="exif", rating=2))
        one = metadata.embedded(image)
    assert (one.keywords, one.title, one.rating) == (("xmp", "iptc", "exif"), "XMP's", 2)


def test_one_part_that_cannot_be_parsed_leaves_the_others() -> None:
    with Image.open(io.BytesIO(with_iptc(datasets((2, 25, b"iptc"))))) as image:
        image.getexif()[0x9C9E] = (300, 1)  # no bytes
        assert metadata.embedded(image).keywords == ("iptc",)


@pytest.mark.parametrize("camera", [False, True])
def test_the_cameras_time_counts_before_xmp(camera: bool) -> None:
    written = Image.Exif()
    if camera:
        written.get_ifd(0x8769)[0x9003] = "2001:01:01 00:00:00"
    content = saved(exif=written, xmp=packet(attributes='xmp:CreateDate="2002-01-01T00:00:00"'))
    photo = decode(content, 32)
    assert photo.taken_at == datetime(2001 if camera else 2002, 1, 1, tzinfo=UTC)
    assert photo.description == NOTHING


def test_a_photo_without_metadata_has_no_description() -> None:
    for kind in ("JPEG", "PNG", "GIF", "BMP"):
        assert decode(saved(kind), 32).description is NOTHING


def test_a_worker_hands_a_description_on() -> None:
    contents = [with_xmp(keywords(*LIGHTROOM[0], "?!", paths=LIGHTROOM[1])), saved(exif=exif(title="t"))]
    contents += [saved(), with_xmp(b"<")]
    worker = Worker(None, 32)
    try:
        for content in contents:
            assert worker.embed(content).photo.description == decode(content, 32).description
    finally:
        worker.close()


# --- Beside photos ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["IMG.jpg.xmp", "IMG.xmp", "IMG.jpg.XMP", "IMG.XMP"],
)
def test_the_names_of_sidecars(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(keywords("sea"))
    (tmp_path / "IMG2.xmp").write_bytes(keywords("sun"))
    for photo in ("IMG.jpg", *(["IMG.cr2", "IMG"] if "jpg" not in name else [])):
        assert sidecars.read(Local(tmp_path / photo)).keywords == ("sea",)
    assert sidecars.read(Local(tmp_path / "IMG3.jpg")) is NOTHING
    assert sidecars.read(Held("IMG.jpg", b"")) is NOTHING


def test_two_sidecars_are_united(tmp_path: Path) -> None:
    (tmp_path / "IMG.jpg.xmp").write_bytes(packet(bag("dc:subject", ["sea"]), 'xmp:Rating="5"'))
    (tmp_path / "IMG.xmp").write_bytes(packet(bag("dc:subject", ["sun"]), 'xmp:Rating="1" dc:title="t"'))
    one = sidecars.read(Local(tmp_path / "IMG.jpg"))
    assert (one.keywords, one.rating, one.title) == (("sea", "sun"), 5, "t")


def test_sidecars_that_cannot_be_used_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "IMG.jpg.xmp").write_bytes(b"milk, bread")
    (tmp_path / "IMG.xmp").write_bytes(b" " * (xmp.MAX_BYTES + 1))
    assert sidecars.read(Local(tmp_path / "IMG.jpg")).refused == (
        "IMG.jpg.xmp: no valid XML: syntax error: line 1, column 0",
        "IMG.xmp: larger than 4 MB",
    )


def test_a_sidecar_lies_where_its_photo_must_lie(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.xmp").write_bytes(keywords("sea"))
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "IMG.xmp").symlink_to(tmp_path / "elsewhere.xmp")
    photo = folder / "IMG.jpg"
    assert sidecars.read(Local(photo)).keywords == ("sea",)
    assert sidecars.read(Local(photo, folder.resolve())).refused == (
        "IMG.xmp: now outside the folder (use --allow-outside)",
    )


def test_what_is_no_regular_file_is_no_sidecar(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "IMG.xmp")
    (tmp_path / "IMG.jpg.xmp").mkdir()
    (tmp_path / "IMG.XMP").symlink_to(tmp_path / "nowhere")
    assert sidecars.read(Local(tmp_path / "IMG.jpg")) is NOTHING


# --- Another program ----------------------------------------------------------------------------------

STYLES = {
    "Lightroom": (
        ["-XMP-dc:Subject=Places", "-XMP-dc:Subject=Como", "-XMP-lr:HierarchicalSubject=Places|Como"],
        ["Como"],
    ),
    "digiKam": (
        ["-XMP-digiKam:TagsList=A/Zürich", "-XMP-dc:Subject=Zürich", "-XMP-microsoft:LastKeywordXMP=A/B"],
        ["Zürich", "B"],
    ),
    "Windows": (["-EXIF:XPKeywords=New York;naïve"], ["NewYork", "naïve"]),
    "IPTC in Latin-1": (["-IPTC:Keywords=Zürich", "-IPTC:Keywords=sea"], ["Zürich", "sea"]),
    "IPTC in UTF-8": (["-IPTC:CodedCharacterSet=UTF8", "-IPTC:Keywords=日本"], ["日本"]),
}  # fmt: skip


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize("style", STYLES)
def test_what_exiftool_writes_is_read(tmp_path: Path, style: str) -> None:
    written, expected = STYLES[style]
    kinds = {"jpg": "JPEG", "tif": "TIFF"}
    if "IPTC" not in style:
        kinds |= {"png": "PNG", "webp": "WEBP", "avif": "AVIF", "heic": "HEIF"}
    paths = [tmp_path / f"photo.{suffix}" for suffix in kinds]
    for path, kind in zip(paths, kinds.values(), strict=True):
        path.write_bytes(saved(kind))
    subprocess.run(["exiftool", "-q", "-overwrite_original", *written, *paths], check=True)
    for path in paths:
        assert embedded(path.read_bytes()).hashtags("leaf") == (expected, [])
