"""Photos with keywords in them, and sidecars, written byte by byte as programs do."""

import io
import struct
from collections.abc import Iterable

import pillow_heif
from PIL import Image, PngImagePlugin, TiffImagePlugin

from tests.support.pictures import picture

NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "MicrosoftPhoto": "http://ns.microsoft.com/photo/1.0/",
    "mediapro": "http://ns.iview-multimedia.com/mediapro/1.0/",
    "acdsee": "http://ns.acdsee.com/iptc/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
}
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DECLARED = f'xmlns:rdf="{RDF}" ' + " ".join(f'xmlns:{name}="{uri}"' for name, uri in NAMESPACES.items())

LIGHTROOM = (("Places", "Italy", "Lake Como", "food"), ("Places|Italy|Lake Como", "food"))
"""What Lightroom writes for two keywords, one of which lies below others: flat ones and paths."""


def bag(name: str, items: Iterable[str], kind: str = "Bag") -> str:
    """A property with several values."""
    listed = "".join(f"<rdf:li>{item}</rdf:li>" for item in items)
    return f"<{name}><rdf:{kind}>{listed}</rdf:{kind}></{name}>"


def language(name: str, text: str) -> str:
    """A property with a value for each language, of which there is one."""
    return f'<{name}><rdf:Alt><rdf:li xml:lang="x-default">{text}</rdf:li></rdf:Alt></{name}>'


def described(properties: str = "", attributes: str = "") -> str:
    """The description of a photo."""
    return f'<rdf:Description rdf:about="" {attributes}>{properties}</rdf:Description>'


def rdf(*descriptions: str) -> str:
    """A packet without anything around it."""
    return f"<rdf:RDF {DECLARED}>{''.join(descriptions)}</rdf:RDF>"


def packet(properties: str = "", attributes: str = "") -> bytes:
    """A packet as Adobe writes it, with room at its end."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="tests">{rdf(described(properties, attributes))}'
        f"</x:xmpmeta>\n{' ' * 100}\n"
        '<?xpacket end="w"?>'
    ).encode()


def keywords(*flat: str, paths: Iterable[str] = ()) -> bytes:
    """A packet with keywords as Lightroom writes them."""
    below = bag("lr:hierarchicalSubject", paths) if paths else ""
    return packet(bag("dc:subject", flat) + below)


def datasets(*values: tuple[int, int, bytes]) -> bytes:
    """IPTC's datasets: record, number, value."""
    return b"".join(struct.pack(">BBBH", 0x1C, *value[:2], len(value[2])) + value[2] for value in values)


def exif(**values: str | int) -> Image.Exif:
    """What Windows writes: ``title``, ``keywords``, ``rating``, and a ``caption``."""
    tags = {"caption": 0x010E, "rating": 0x4746, "title": 0x9C9B, "keywords": 0x9C9E}
    made = Image.Exif()
    for name, value in values.items():
        windows = tags[name] > 0x9000
        text = f"{value}\0".encode("utf-16-le" if windows else "utf-8")
        made[tags[name]] = value if isinstance(value, int) else text
    return made


def with_xmp(xmp: bytes, kind: str = "JPEG", seed: int = 1) -> bytes:
    """A photo with a packet."""
    options: dict[str, object] = {"xmp": xmp}
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", xmp.decode())
        options = {"pnginfo": text}
    elif kind == "TIFF":
        options = {"tiffinfo": {700: xmp}}
    return saved(kind, seed, **options)


def with_iptc(iptc: bytes, kind: str = "JPEG", seed: int = 1) -> bytes:
    """A photo with IPTC's datasets; in a TIFF they are said to be numbers."""
    if kind == "TIFF":
        filled = iptc.ljust(-(-len(iptc) // 4) * 4, b"\0")
        info = TiffImagePlugin.ImageFileDirectory_v2()
        info.tagtype[33723] = 7
        info[33723] = filled
        content = saved(kind, seed, tiffinfo=info)
        entry = struct.pack("<HHI", 33723, 7, len(filled))
        assert content.count(entry) == 1
        return content.replace(entry, struct.pack("<HHI", 33723, 4, len(filled) // 4))
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc + b"\0" * (len(iptc) % 2)
    body = b"Photoshop 3.0\0" + resource
    jpeg = saved(kind, seed)
    return jpeg[:2] + b"\xff\xed" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def saved(kind: str = "JPEG", seed: int = 1, **options: object) -> bytes:
    """A photo, saved with options."""
    stream = io.BytesIO()
    if kind == "HEIF":
        pillow_heif.from_pillow(picture(seed)).save(stream, **options)
    else:
        picture(seed).save(stream, kind, **options)
    return stream.getvalue()
