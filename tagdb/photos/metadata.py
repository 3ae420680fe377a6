"""What is written about a photo in its file: as XMP, IPTC (IIM) and EXIF."""

from collections import defaultdict
from contextlib import suppress

from PIL import Image, TiffImagePlugin

from tagdb.errors import RejectedInput
from tagdb.photos import xmp
from tagdb.photos.keywords import NOTHING, Description, description, rating_in, time_in

_IPTC_RESOURCE, _IPTC_TAG = 0x0404, 33723
# Of EXIF; Windows writes the last three.
_CAPTION, _RATING, _XP_TITLE, _XP_KEYWORDS = 0x010E, 0x4746, 0x9C9B, 0x9C9E
# Of IPTC: record and number of a dataset.
_IPTC_CHARSET, _IPTC_TITLE, _IPTC_KEYWORD, _IPTC_DATE, _IPTC_TIME, _IPTC_CAPTION = (
    (1, 90), (2, 5), (2, 25), (2, 55), (2, 60), (2, 120)
)  # fmt: skip
_UTF_8 = b"\x1b%G"
_DATASET = 0x1C


def embedded(image: Image.Image) -> Description:
    """Return what is written in a photo; where its parts disagree, XMP counts before IPTC and EXIF."""
    found = NOTHING
    for part in (_xmp, _iptc, _exif):
        with suppress(Exception):  # as in images.decode(); the others are fine
            found |= part(image)
    return found


def _xmp(image: Image.Image) -> Description:
    packet = image.info.get("xmp")
    try:
        return xmp.read(packet if isinstance(packet, bytes) else str(packet).encode()) if packet else NOTHING
    except RejectedInput as error:
        return Description(refused=(f"keywords in its XMP cannot be read: {error}",))


def iptc(datasets: bytes) -> Description:
    """Return what IPTC's datasets say, as far as they are whole."""
    values, at = defaultdict[tuple[int, int], list[bytes]](list), 0
    while at + 5 <= len(datasets) and datasets[at] == _DATASET:
        name, size = (datasets[at + 1], datasets[at + 2]), int.from_bytes(datasets[at + 3 : at + 5])
        at += 5
        if size & 0x8000:  # the size of the size
            start, at = at, at + (size & 0x7FFF)
            size = int.from_bytes(datasets[start:at])
        if at + size > len(datasets):
            break
        values[name].append(datasets[at : at + size])
        at += size
    # Most programs write UTF-8 without saying so, and older ones whatever Windows uses.
    utf_8 = values[_IPTC_CHARSET][:1] in ([], [_UTF_8])

    def texts(name: tuple[int, int]) -> list[str]:
        return [_text(each, utf_8) for each in values[name]]

    date, time = (next(iter(texts(name)), "") for name in (_IPTC_DATE, _IPTC_TIME))
    return description(
        filter(None, texts(_IPTC_KEYWORD)),
        captions=texts(_IPTC_CAPTION),
        title=next(iter(texts(_IPTC_TITLE)), None),
        taken_at=time_in(f"{date}T{time}" if time else date),
    )


def _text(value: bytes, utf_8: bool = True) -> str:
    value = value.partition(b"\0")[0]  # NULs fill up fields
    if utf_8:
        try:
            return value.decode().strip()
        except UnicodeDecodeError:
            pass
    return value.decode("cp1252", "replace").strip()


def _iptc(image: Image.Image) -> Description:
    """Return what the datasets in a JPEG or TIFF say."""
    datasets: bytes | None = None
    if resources := image.info.get("photoshop"):
        datasets = resources.get(_IPTC_RESOURCE)
    elif isinstance(image, TiffImagePlugin.TiffImageFile):
        # As bytes, like Pillow's own getiptcinfo(): programs say that it is one number, or several.
        datasets = image.tag_v2._tagdata.get(_IPTC_TAG)
    return iptc(datasets) if datasets else NOTHING


def _exif(image: Image.Image) -> Description:
    exif = image.getexif()
    values = [exif.get(tag) for tag in (_CAPTION, _RATING, _XP_TITLE, _XP_KEYWORDS)]
    if not any(values):
        return NOTHING
    caption, rating, title, keywords = values
    return description(
        filter(None, (each.strip() for each in _utf_16(keywords).split(";"))),
        # which Pillow has read as Latin-1
        captions=[_text(caption.encode("latin-1", "replace"))] if isinstance(caption, str) else (),
        title=_utf_16(title),
        rating=rating_in(str(rating)),
    )


def _utf_16(value: object) -> str:
    if isinstance(value, bytes | tuple):
        return bytes(value).decode("utf-16-le", "ignore").partition("\0")[0]
    return ""
