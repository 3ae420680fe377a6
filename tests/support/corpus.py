"""Photos of every kind that tagdb reads, whole and damaged, made by code from a seed."""

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
import pillow_jxl  # noqa: F401  it registers itself
from PIL import Image, ImageCms, PngImagePlugin

from tagdb.photos.kinds import PHOTO_SUFFIXES
from tests.support.cameras import box, deep_heic, heic, raw, said_to_be
from tests.support.pictures import picture

SIZE = (44, 36)
EXTREMES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


# --- Whole ones ---------------------------------------------------------------------------------------


def samples() -> dict[str, bytes]:
    """A whole photo of every kind, by a file name that fits."""
    colours, grey, clear = picture(1, SIZE), picture(2, SIZE).convert("L"), picture(3, SIZE).convert("RGBA")
    clear.putalpha(grey)
    inks, bits, few = colours.convert("CMYK"), grey.convert("1"), colours.quantize(16)
    deep = Image.fromarray(np.asarray(grey, np.uint16) * 257)
    frames = [picture(number, SIZE) for number in range(4, 8)]
    several = {"save_all": True, "append_images": frames}
    pages = {
        "save_all": True,
        "append_images": [frame.copy() for frame in frames],
    }  # JPEG leaves a mark on them
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker" * 5
    exif.get_ifd(0x8769)[0x9003] = "2019:06:16 12:00:00"
    jpegs = {
        "baseline": encoded(colours, "JPEG", exif=exif),
        "progressive": encoded(colours, "JPEG", progressive=True, icc_profile=profile),
        "grey": encoded(grey, "JPEG"),
        "cmyk": encoded(inks, "JPEG", icc_profile=profile),
        "ycck": _ycck(encoded(inks, "JPEG")),
        "restarts": encoded(colours, "JPEG", restart_marker_blocks=2),
        "mpo": encoded(colours, "MPO", **several),
    }
    pngs = {
        "rgb": encoded(colours, "PNG", exif=exif, icc_profile=profile),
        "1": encoded(bits, "PNG"),
        "8": encoded(grey, "PNG"),
        "16": encoded(deep, "PNG"),
        "palette": encoded(few, "PNG"),
        "palette-alpha": encoded(few, "PNG", transparency=bytes(range(16))),
        "alpha": encoded(clear, "PNG"),
        "grey-alpha": encoded(clear.convert("LA"), "PNG"),
        "interlaced": interlaced(colours),
        "animated": encoded(colours, "PNG", **several),
        "text": encoded(colours, "PNG", pnginfo=_texts()),
    }
    webps = {
        "lossy": encoded(colours, "WEBP", exif=exif),
        "lossless": encoded(clear, "WEBP", lossless=True, icc_profile=profile),
        "animated": encoded(clear, "WEBP", **several),
    }
    gifs = {"still": encoded(few, "GIF"), "animated": encoded(few, "GIF", transparency=3, **several)}
    bmps = {name: encoded(one, "BMP") for name, one in (("rgb", colours), ("1", bits), ("palette", few))}
    whole = exif.tobytes()
    values = np.asarray(colours, np.uint16) * 257
    heics = {
        "rgb": heic(colours, exif=whole),
        "alpha": heic(clear),
        "grey": heic(grey),
        "tiled": heic(picture(1, (150, 100)), tile_size=64),
        "several": heic(colours, *frames, primary_index=2),
        "deep": deep_heic(values),
        "hdr": deep_heic(values, 12, color_primaries=9, transfer_characteristics=16),
    }
    avifs = {
        "rgb": encoded(colours, "AVIF", exif=whole, icc_profile=profile),
        "alpha": encoded(clear, "AVIF"),
        "sequence": encoded(colours, "AVIF", **several),
    }
    jxls = {
        "lossy": encoded(colours, "JXL"),
        "lossless": encoded(clear, "JXL", lossless=True),
        "box": encoded(colours, "JXL", use_container=True, exif=whole),
        "16": encoded(deep, "JXL"),
    }
    raws = {
        "preview": raw(jpegs["baseline"], orientation=6),
        "preview-big-endian": raw(jpegs["grey"], order=">"),
        "plain": raw(colours, orientation=3),
        "none": raw(),
    }
    colours = colours.copy()
    tiffs = {
        "raw": encoded(colours, "TIFF", exif=exif),
        "pages": encoded(colours, "TIFF", **pages),
        "big": encoded(colours, "TIFF", big_tiff=True),
        "16": encoded(deep, "TIFF"),
        "cmyk": encoded(inks, "TIFF", icc_profile=profile),
        "alpha": encoded(clear, "TIFF", compression="tiff_lzw"),
        "fax": encoded(bits, "TIFF", compression="group4"),
        **{name: encoded(colours, "TIFF", compression=name) for name in ("tiff_lzw", "packbits", "jpeg")},
        "deflate": encoded(colours, "TIFF", compression="tiff_adobe_deflate"),
    }
    kinds = {
        "jpg": jpegs, "png": pngs, "webp": webps, "gif": gifs, "bmp": bmps, "tif": tiffs, "heic": heics,
        "avif": avifs, "jxl": jxls, "dng": raws,
    }  # fmt: skip
    return {f"{name}.{suffix}": content for suffix, kind in kinds.items() for name, content in kind.items()}


def _ycck(cmyk: bytes) -> bytes:
    """Inks said to be YCCK, as Adobe's programs write them."""
    at = cmyk.index(b"Adobe") + 11
    return cmyk[:at] + b"\2" + cmyk[at + 1 :]


def _texts() -> PngImagePlugin.PngInfo:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "x" * 500, zip=True)
    texts.add_itxt("Title", "ü" * 100, "de", "Titel", zip=True)
    return texts


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(
    width: int, height: int, depth: int, colour: int, data: bytes, *more: bytes, interlace: int = 0
) -> bytes:
    """A PNG of compressed data, with further chunks before them."""
    head = chunk(b"IHDR", struct.pack(">2I5B", width, height, depth, colour, 0, 0, interlace))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def interlaced(image: Image.Image) -> bytes:
    """An RGB image as a PNG in Adam7's order, which Pillow reads but does not write."""
    pixels = np.asarray(image.convert("RGB"))
    passes = (
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    )
    rows = [b"\0" + row.tobytes() for y, x, down, right in passes for row in pixels[y::down, x::right]]
    return png(*image.size, 8, 2, zlib.compress(b"".join(rows)), interlace=1)


# --- Damaged ones -------------------------------------------------------------------------------------

Mutation = Callable[[random.Random, bytearray, list[bytes]], None]


def _flip(rng: random.Random, content: bytearray, others: list[bytes]) -> None:
    reach = rng.choice((32, 200, len(content)))  # headers are where damage is interesting
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        content[rng.randrange(4, min(reach, len(content)))] ^= 1 << rng.randrange(8)


def _extreme(rng: random.Random, content: bytearray, others: list[bytes]) -> None:
    order, width = rng.choice("<>"), rng.choice((1, 2, 4))
    for _ in range(rng.choice((1, 2))):
        at = rng.randrange(4, min(rng.choice((64, 300, len(content))), len(content) - width))
        value = rng.choice(EXTREMES) & ((1 << 8 * width) - 1)
        content[at : at + width] = value.to_bytes(width, "little" if order == "<" else "big")


def _truncate(rng: random.Random, content: bytearray, others: list[bytes]) -> None:
    del content[rng.randrange(len(content)) :]


def _splice(rng: random.Random, content: bytearray, others: list[bytes]) -> None:
    other = rng.choice(others)
    start, at = rng.randrange(len(other)), rng.randrange(len(content))
    piece = other[start : start + rng.choice((4, 16, 64, 400))]
    content[at : at + (len(piece) if rng.random() < 0.5 else 0)] = piece


def _swap_header(rng: random.Random, content: bytearray, others: list[bytes]) -> None:
    length = rng.choice((2, 4, 8, 16, 64))
    content[:length] = rng.choice(others)[:length]


def _cut(rng: random.Random, content: bytearray, others: list[bytes]) -> None:
    at = rng.randrange(len(content))
    del content[at : at + rng.choice((1, 2, 16, 200))]


def _repeat(rng: random.Random, content: bytearray, others: list[bytes]) -> None:
    at = rng.randrange(len(content))
    content[at:at] = content[at : at + rng.choice((4, 64, 400))] * rng.choice((1, 2, 50))


def _blank(rng: random.Random, content: bytearray, others: list[bytes]) -> None:
    at, length = rng.randrange(len(content)), rng.choice((4, 32, 300))
    length = min(length, len(content) - at)
    content[at : at + length] = bytes([rng.choice((0, 255))]) * length


def _dimensions(rng: random.Random, content: bytearray, others: list[bytes]) -> None:
    """Other sizes where the format has them."""
    width, height = (rng.choice((0, 1, 7, 45, 3000, 0x3FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)) for _ in "wh")
    for kind, at, packed in (
        (b"\x89PNG", 16, struct.pack(">2I", width, height)),
        (b"GIF8", 6, struct.pack("<2H", width & 0xFFFF, height & 0xFFFF)),
        (b"BM", 18, struct.pack("<2I", width, height)),
    ):
        if content.startswith(kind):
            content[at : at + len(packed)] = packed
    for marker in (b"\xff\xc0", b"\xff\xc2"):
        if content.startswith(b"\xff\xd8") and (at := content.find(marker)) > 0:
            content[at + 5 : at + 9] = struct.pack(">2H", height & 0xFFFF, width & 0xFFFF)
    for tag, value in ((256, width), (257, height), (rng.choice((273, 278, 279, 258, 277)), width)):
        if content.startswith(b"II*") and (at := content.find(struct.pack("<H", tag))) > 0:
            content[at + 8 : at + 12] = struct.pack("<I", value)
    if content[4:8] == b"ftyp" and (at := content.find(b"ispe")) > 0:
        content[at + 8 : at + 16] = struct.pack(">2I", width, height)
    if content.startswith(b"\xff\x0a"):
        content[2:6] = struct.pack("<I", width)
    if content.startswith(b"RIFF"):
        content[24:30] = struct.pack("<2I", width, height)[:6]


MUTATIONS: tuple[Mutation, ...] = (
    _flip, _flip, _extreme, _extreme, _truncate, _splice, _swap_header, _cut, _repeat, _blank, _dimensions,
)  # fmt: skip


def with_sums(content: bytes) -> bytes:
    """A damaged PNG whose check sums are right again, so that the damage is met further inside."""
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return content
    out, at = bytearray(content[:8]), 8
    while at + 12 <= len(content):
        length = struct.unpack_from(">I", content, at)[0]
        if length > len(content) - at - 12:
            break
        out += chunk(content[at + 4 : at + 8], content[at + 8 : at + 8 + length])
        at += 12 + length
    return bytes(out) + content[at:]


def mutants(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Damaged photos, by a name that mostly fits; of every kind as many."""
    rng, whole = random.Random(seed), samples()
    names, others = list(whole), list(whole.values())
    for number in range(count):
        name = names[number % len(names)]
        content = bytearray(whole[name])
        for _ in range(rng.choice((1, 1, 2, 3))):
            if len(content) > 16:
                rng.choice(MUTATIONS)(rng, content, others)
        damaged = with_sums(bytes(content)) if rng.random() < 0.7 else bytes(content)
        stem, _, suffix = name.rpartition(".")
        if rng.random() < 0.1:
            suffix = rng.choice(sorted(PHOTO_SUFFIXES))[1:]
        yield f"{number:06}-{stem}.{suffix}", damaged


# --- Made to harm -------------------------------------------------------------------------------------


def tiff(*entries: tuple[int, int, int, int], after: int = 0, data: bytes = b"", order: str = "<") -> bytes:
    """A TIFF (or, the same, EXIF) of one directory: entries of tag, type, count and value."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    rows = b"".join(struct.pack(order + "2H2I", *entry) for entry in entries)
    return head + struct.pack(order + "H", len(entries)) + rows + struct.pack(order + "I", after) + data


def exifs() -> dict[str, bytes]:
    """EXIF that leads nowhere, or round in circles."""
    return {
        "loop": tiff((0x0112, 3, 1, 6), after=8),
        "loop-inside": tiff((0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xA005, 4, 1, 8)),
        "beyond": tiff((0x8769, 4, 1, 0x7FFFFFFF), (0x010F, 2, 100, 0x7FFFFFFF)),
        "many": tiff((0x010F, 2, 0xFFFFFFFF, 8), (0x9003, 5, 0x7FFFFFFF, 8)),
        "types": tiff((0x0112, 0, 1, 6), (0x0112, 99, 1, 6), (0x9003, 11, 1, 8)),
        "entries": b"II*\0\x08\0\0\0\xff\xff" + b"\xff" * 600,
        "orientation-0": tiff((0x0112, 3, 1, 0)),
        "orientation-9": tiff((0x0112, 3, 1, 9)),
        "orientation-65535": tiff((0x0112, 3, 1, 65535)),
        "orientation-text": tiff((0x0112, 2, 4, 0x00363636)),
        "orientations": tiff((0x0112, 3, 2, 0x00060006)),
        "resolution": tiff((0x011A, 5, 1, 26), data=bytes(8)),
        "big-endian": tiff((0x0112, 3, 1, 6 << 16), order=">"),
        "nothing": b"",
        "noise": bytes(range(256)) * 200,
    }


def profiles() -> dict[str, bytes]:
    """Colour profiles that are none, or are another mode's."""
    whole = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    tags = bytearray(whole)
    tags[128:132] = b"\xff" * 4  # how many tags there are
    return {
        "none": b"none", "zeros": bytes(500), "half": whole[: len(whole) // 2], "lab": lab,
        "tags": bytes(tags), "grey": whole[:16] + b"GRAY" + whole[20:],
        "inks": whole[:16] + b"CMYK" + whole[20:], "huge": whole + bytes(3 << 20),
    }  # fmt: skip


@lru_cache
def _zeros(length: int) -> bytes:
    packer = zlib.compressobj(9)
    piece = bytes(1 << 20)
    parts = [packer.compress(piece) for _ in range(length >> 20)] + [
        packer.compress(bytes(length % (1 << 20)))
    ]
    return b"".join(parts) + packer.flush()


def harmful() -> dict[str, bytes]:
    """What is made to harm: bombs, circles, lies about sizes; and what is merely at an end of the scale."""
    one, colours = Image.new("RGB", (1, 1), (200, 30, 60)), picture(9, SIZE)
    whole = samples()
    found = {
        f"one-pixel.{kind.lower()}": encoded(one, kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP")
    }
    found["one-pixel.tif"] = encoded(one, "TIFF")
    found |= {f"line-{w}.png": encoded(picture(1, (w, h)), "PNG") for w, h in ((1, 5000), (5000, 1))}
    found |= {f"exif-{name}.jpg": encoded(colours, "JPEG", exif=exif) for name, exif in exifs().items()}
    found |= {f"exif-{name}.heic": heic(colours, exif=exif) for name, exif in exifs().items() if exif}
    found |= {
        f"exif-{name}.png": encoded(colours, "PNG", exif=exif) for name, exif in exifs().items() if exif
    }
    for name, profile in profiles().items():
        for mode in ("CMYK", "RGB", "L"):
            image = colours.convert(mode)
            found[f"profile-{name}-{mode}.jpg"] = encoded(image, "JPEG", icc_profile=profile)
        found[f"profile-{name}.png"] = encoded(colours, "PNG", icc_profile=profile)
    found |= {
        "empty.jpg": b"", "byte.png": b"\x89", "text.jpg": b"milk, bread", "page.jpg": b"<html><body>",
        "archive.png": b"PK\3\4" + bytes(50), "svg.png": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "mislabelled.jpg": whole["rgb.png"] + b" ", "mislabelled.png": whole["baseline.jpg"] + b" ",
        "mislabelled.gif": whole["lossy.webp"] + b"  ",
        # gigapixels by their headers
        "vast.png": png(60_000, 60_000, 1, 0, _zeros(4 << 20)),
        "vaster.png": png(0x7FFFFFFF, 0x7FFFFFFF, 16, 6, _zeros(1 << 20)),
        "vast.gif": b"GIF89a" + struct.pack("<2H", 65535, 65535) + whole["still.gif"][10:],
        "vast.bmp": whole["rgb.bmp"][:18] + struct.pack("<2i", 2**31 - 1, -(2**31)) + whole["rgb.bmp"][26:],
        "vast.tif": tiff((256, 4, 1, 2**31), (257, 4, 1, 2**31), (258, 3, 1, 8), (262, 3, 1, 1),
                         (273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, 2**31), (279, 4, 1, 2**31)),
        # many pixels that are allowed, in few bytes
        "large.png": png(8_000, 8_000, 8, 0, _zeros(8_001 * 8_000)),
        "large-16.png": png(5_000, 5_000, 16, 4, _zeros(20_001 * 5_000)),
        # more than the header says, and things beside the picture that unpack to far more than they are
        "more.png": png(10, 10, 8, 0, _zeros(128 << 20)),
        "ztxt.png": png(10, 10, 8, 0, _zeros(110), chunk(b"zTXt", b"Comment\0\0" + _zeros(128 << 20))),
        "itxt.png": png(10, 10, 8, 0, _zeros(110), chunk(b"iTXt", b"Title\0\1\0en\0T\0" + _zeros(128 << 20))),
        "iccp.png": png(10, 10, 8, 0, _zeros(110), chunk(b"iCCP", b"profile\0\0" + _zeros(128 << 20))),
        "texts.png": png(10, 10, 8, 0, _zeros(110), chunk(b"tEXt", b"a\0" + b"x" * 900) * 5_000),
        "empties.png": png(10, 10, 8, 0, _zeros(110), chunk(b"IDAT", b"") * 20_000),
        # circles and lies in TIFF
        "loop.tif": tiff((256, 4, 1, 4), (257, 4, 1, 4), (258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8),
                         (277, 3, 1, 1), (278, 4, 1, 4), (279, 4, 1, 16), after=8),
        "strip.tif": tiff((256, 4, 1, 4), (257, 4, 1, 4), (258, 3, 1, 8), (259, 3, 1, 5), (262, 3, 1, 1),
                          (273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, 4), (279, 4, 1, 0xFFFFFFF0)),
        "strips.tif": tiff((256, 4, 1, 4), (257, 4, 1, 4), (258, 3, 1, 8), (262, 3, 1, 1),
                           (273, 4, 0x10000000, 8), (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, 0x10000000, 8)),
        "samples.tif": tiff((256, 4, 1, 4), (257, 4, 1, 4), (258, 3, 65535, 8), (262, 3, 1, 2),
                            (273, 4, 1, 8), (277, 3, 1, 65535), (278, 4, 1, 4), (279, 4, 1, 16)),
        "float.tif": encoded(Image.new("F", (8, 8), 0.5), "TIFF"),
        # the same in boxes
        "vast.heic": said_to_be(whole["rgb.heic"], 60_000, 60_000),
        "vast.avif": said_to_be(whole["rgb.avif"], 60_000, 60_000),
        "lie.heic": said_to_be(whole["rgb.heic"], 9_000, 9_000),
        "lie.avif": said_to_be(whole["rgb.avif"], 5_000, 5_000),
        "grid.heic": _grid(whole["tiled.heic"], 255, 255, 65_535, 65_535),
        "grid-of-few.heic": _grid(whole["tiled.heic"], 255, 255, 9_000, 9_000),
        "grid-of-none.heic": _grid(whole["tiled.heic"], 0, 0, 0, 0),
        "free.heic": whole["rgb.heic"][:28] + box(b"free") * 200_000 + whole["rgb.heic"][28:],
        "free.avif": box(b"ftyp", b"avif" * 3) + box(b"meta", bytes(4) + box(b"iprp", box(b"free") * 99_999)),
        "brands.heic": box(b"ftyp", b"heic" + bytes(4) + b"heic" * 100_000),
        "deep.avif": box(b"ftyp", b"avif" * 3) + _nested(b"meta", 3_000),
        "deep.heic": box(b"ftyp", b"heic" * 3) + _nested(b"meta", 3_000),
        "size.heic": whole["rgb.heic"][:28] + struct.pack(">I4sQ", 1, b"meta", 2**63) + bytes(64),
        "sequence.heic": box(b"ftyp", b"msf1" + bytes(4) + b"hevc") + box(b"moov", bytes(200)),
        "video.heic": box(b"ftyp", b"qt  " + bytes(4)) + box(b"moov", bytes(200)),
        "large.avif": encoded(Image.new("L", (3_000, 3_000)), "AVIF", speed=10),
        "large.jxl": encoded(Image.new("L", (8_000, 8_000)), "JXL", lossless=True, effort=1),
        "vast.jxl": encoded(Image.new("L", (20_000, 20_000)), "JXL", lossless=True, effort=1),
        # camera RAW: no preview, none where it should be, vast ones, ones in themselves
        "beyond.dng": whole["preview.dng"][:6_000],
        "vast-inside.dng": raw().replace(struct.pack("<2HI", 256, 4, 1) + struct.pack("<I", 64),
                                        struct.pack("<2HI", 256, 4, 1) + struct.pack("<I", 60_000)),
        "in-itself.dng": raw(whole["baseline.jpg"]).replace(whole["baseline.jpg"], raw()[:2_000]),
        "circle.dng": tiff((330, 4, 1, 8), (50706, 1, 4, 1), (262, 3, 1, 32803), after=8),
        "head.cr2": b"II*\0\x10\0\0\0CR\2\0" + bytes(500), "head.cr3": box(b"ftyp", b"crx " * 3) + bytes(99),
        "head.raf": b"FUJIFILMCCD-RAW " + b"\xff" * 500, "head.orf": b"IIRO\x08\0\0\0" + b"\xff" * 500,
        "head.rw2": b"IIU\0\x08\0\0\0" + b"\xff" * 500, "head.x3f": b"FOVb" + b"\xff" * 500,
        # many of something
        "comments.jpg": b"\xff\xd8" + b"\xff\xfe\0\x04hi" * 20_000 + whole["baseline.jpg"][2:],
        "frames.gif": whole["animated.gif"][:-1] + whole["animated.gif"][800:-1] * 300 + b";",
        "scans.jpg": _scans(300),
        "trailing.jpg": whole["grey.jpg"] + bytes(5 << 20),
    }  # fmt: skip
    return found


def _grid(tiled: bytes, rows: int, columns: int, width: int, height: int) -> bytes:
    """A HEIC of tiles, said to be of so many."""
    with_size = said_to_be(tiled, width, height)
    grid = bytes([0, 0, 1, 2]) + struct.pack(">2H", 150, 100)  # two rows of three tiles
    assert grid in with_size
    return with_size.replace(grid, bytes([0, 0, rows, columns]) + struct.pack(">2H", width, height))


def _nested(name: bytes, depth: int) -> bytes:
    content = b""
    for _ in range(depth):
        content = box(name, bytes(4) + content)
    return content


def _scans(count: int) -> bytes:
    """A progressive JPEG that refines its last coefficients again and again."""
    content = encoded(picture(3, (1_200, 1_000)), "JPEG", progressive=True, quality=20)
    last = content.rindex(b"\xff\xda")
    return content[:-2] + content[last:-2] * count + b"\xff\xd9"
