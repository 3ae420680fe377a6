"""What a file is by how it begins, and by what its name ends in."""

import codecs
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

PHOTO, LIST, SIDECAR = "photo", "list", "XMP sidecar"
"""Kinds of file that are not left out, or have a note of their own."""
RAW, JXL, VIDEO = "camera RAW", "JPEG XL", "video"

PHOTO_SUFFIXES = frozenset([
    ".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".heic", ".heif",
    ".heics", ".heifs", ".hif", ".avif", ".avifs",
])  # fmt: skip
MANIFEST_SUFFIXES = frozenset([".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".tab", ".psv"])
SUFFIXES = {
    f".{suffix}": kind
    for kind, suffixes in {
        JXL: "jxl",
        "JPEG 2000": "jp2 j2k jpf jpx",
        "Photoshop": "psd psb",
        RAW: "3fr arw cr2 cr3 crw dcr dng erf gpr iiq k25 kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl"
        " sr2 srf srw x3f",
        VIDEO: "3g2 3gp avi flv insv lrv m2ts m4v mkv mov mp4 mpeg mpg mts ogv vob webm wmv",
        "document": "doc docx htm html md odp ods odt pdf ppt pptx rtf txt xls xlsx",
        "unfinished download": "crdownload download part partial tmp",
        "thumbnail": "thm",
    }.items()
    for suffix in suffixes.split()
}
"""Kinds of the other files, by suffix."""
PICTURE_SUFFIXES = PHOTO_SUFFIXES.union(suffix for suffix, kind in SUFFIXES.items() if kind in (JXL, RAW))
"""Those of photos that an extra reads, too, whether it is installed or not."""

_EXTRAS = {JXL: ("jxl", "pillow_jxl"), RAW: ("raw", "rawpy")}
"""The extra of tagdb that reads a kind, and the module in it."""
_NO_DECODER = frozenset(["JPEG 2000", "Photoshop"])

_RAWS = {
    media_type: re.compile(beginning, re.DOTALL)
    for media_type, beginning in {
        "image/x-canon-cr2": rb"II\*\0....CR\x02",
        "image/x-canon-cr3": rb"....ftypcrx ",
        "image/x-canon-crw": rb"II\x1a\0\0\0HEAP",
        "image/x-fuji-raf": rb"FUJIFILMCCD-RAW",
        "image/x-minolta-mrw": rb"\0MRM",
        "image/x-olympus-orf": rb"IIR[OS]|MMOR",
        "image/x-panasonic-rw2": rb"IIU\0",
        "image/x-sigma-x3f": rb"FOVb",
        "image/x-raw": rb"II\*\0....IIII",  # Phase One's
    }.items()
}
_BEGINNINGS = {
    kind: re.compile(beginning, re.DOTALL)
    for kind, beginning in {
        # Two bytes say little about a BMP, so those count too that are always 0.
        PHOTO: rb"\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|II[*+]\0|MM\0[*+]|BM....\0\0\0\0|RIFF....WEBP"
        rb"|....ftyp(hei[cxms]|hev[cxms]|mif1|msf1|avi[fs])",
        JXL: rb"\xff\x0a|\0\0\0\x0cJXL ",
        "JPEG 2000": rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
        "Photoshop": rb"8BPS",
        VIDEO: rb"....ftyp(iso|mp4|avc1|M4V|qt  |3g|MSNV|XAVC|dash)|RIFF....AVI |\x1aE\xdf\xa3",
    }.items()
}

HEAD = 1024
"""Bytes of a file that say what it is, if it is no picture."""
JSON, ZEROS = "JSON", "a file of zeros"
_FOREIGN = {
    what: re.compile(beginning, re.DOTALL | re.IGNORECASE)
    for what, beginning in {
        "a Git LFS pointer": rb"version https://git-lfs",
        "a PDF": rb"%PDF-",
        "an Office document": rb"PK\x03\x04.{26}(\[Content_Types]|docProps/|_rels/|xl/|mimetypeapplication/v)"
        rb"|\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "a ZIP archive": rb"PK(\x03\x04|\x05\x06)",
        "a gzip file": rb"\x1f\x8b\x08",
        "an SQLite database": rb"SQLite format 3\0",
        "an SVG drawing": rb"(<[?!][^<>]*>\s*)*<svg\b",
        "an HTML page": rb"<!doctype html|(<[?!][^<>]*>\s*)*<(html|head|body)\b",
        "an XML document": rb"<\?xml",
        JSON: rb'(\{\s*["}]|\[\s*[]{"])',
        "a picture as base64 text": rb"data:image/[^,;]+;base64,|(/9j/|iVBORw0KGgo|R0lGOD|UklGR)[\w+/=\s]*\Z",
        ZEROS: rb"\0+\Z",
    }.items()
}
_ADVICE = {
    "a Git LFS pointer": "run: git lfs pull",
    "a ZIP archive": "unpack it",
    "a gzip file": "unpack it",
    "a picture as base64 text": "decode it",
    ZEROS: "copy it again",
}


def foreign(head: bytes) -> str | None:
    """Return what it is that lies under the name of a photo or list, by its first ``HEAD`` bytes."""
    head = head.removeprefix(codecs.BOM_UTF8).lstrip()
    return next((what for what, beginning in _FOREIGN.items() if beginning.match(head)), None)


def advice(what: str, otherwise: str = "") -> str:
    """Return what to do about it, behind a semicolon; empty if that is left to the user."""
    remedy = _ADVICE.get(what, otherwise)
    return f"; {remedy}" if remedy else ""


def begins(head: bytes) -> str | None:
    """Return what kind of picture or video begins so; PHOTO for those that need no extra.

    Parameters
    ----------
    head
        The first 16 bytes of a file, or all, if there are fewer.
    """
    if raw_type(head):
        return RAW
    return next((kind for kind, beginning in _BEGINNINGS.items() if beginning.match(head)), None)


def raw_type(head: bytes) -> str | None:
    """Return the media type of a camera RAW file that does not begin like any TIFF, by its first 16 bytes."""
    return next((media_type for media_type, beginning in _RAWS.items() if beginning.match(head)), None)


def is_readable(kind: str | None) -> bool:
    """Whether files of a kind are decoded, by tagdb itself or by an extra that is installed."""
    return kind == PHOTO or (kind in _EXTRAS and _installed(_EXTRAS[kind][1]))


def is_unreadable(kind: str | None) -> bool:
    """Whether it is a kind of picture that is not decoded."""
    return kind in _NO_DECODER or (kind in _EXTRAS and not is_readable(kind))


def extra_of(kind: str) -> str | None:
    """Return the extra of tagdb that reads a kind; None where there is none."""
    return _EXTRAS[kind][0] if kind in _EXTRAS else None


def is_video(name: str) -> bool:
    """Whether a file's name is that of a video."""
    return SUFFIXES.get(Path(name).suffix.lower()) == VIDEO


@cache
def _installed(module: str) -> bool:
    return find_spec(module) is not None
