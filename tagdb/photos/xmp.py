"""What an XMP packet says about a photo, embedded or in a sidecar.

XMP is RDF in XML. Only what a packet says about the photo itself is read, not what it says about photos that
this one was made of. Nothing is expanded or fetched: a document type is refused. A packet may be continued in
further segments of a JPEG; programs put keywords into the first, so these are not read.
"""

import codecs
import re
from collections import defaultdict
from html import unescape

from tagdb.errors import RejectedInput
from tagdb.hashtags import printable
from tagdb.photos.keywords import MAX_KEYWORDS, Description, Path, description, levels, rating_in, time_in

MAX_BYTES = 4 << 20
"""Largest packet, in bytes."""
MAX_DEPTH = 64
"""Most elements within each other."""

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_NAMESPACES = {
    "http://purl.org/dc/elements/1.1": "dc",
    "http://ns.adobe.com/lightroom/1.0": "lr",
    "http://www.digikam.org/ns/1.0": "digikam",
    "http://ns.microsoft.com/photo/1.0": "microsoftphoto",
    "http://ns.iview-multimedia.com/mediapro/1.0": "mediapro",
    "http://ns.acdsee.com/iptc/1.0": "acdsee",
    "http://ns.adobe.com/xap/1.0": "xmp",
    "http://ns.adobe.com/exif/1.0": "exif",
    "http://ns.adobe.com/photoshop/1.0": "photoshop",
}
_PATHS = {
    "lr:hierarchicalsubject": "|",
    "digikam:tagslist": "/",
    "microsoftphoto:lastkeywordxmp": "/",
    "mediapro:catalogsets": "|",
}
_TIMES = ("exif:datetimeoriginal", "photoshop:datecreated", "xmp:createdate")  # the best first
_BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
    b"<\0": "utf-16-le",
    b"\0<": "utf-16-be",
}
# XML has none of these; NUL fills up packets.
_FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CATEGORY = re.compile(r'<Category Assigned="([01])"[^<>]*>([^<>]*)|</Category>')


def read(content: bytes) -> Description:
    """Return what a packet says.

    Raises
    ------
    RejectedInput
        It is no XMP, or too large.
    """
    # Imported for photos that have a packet only: it imports XML's parser a second time.
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser, ParseError

    if len(content) > MAX_BYTES:
        raise RejectedInput(f"larger than {MAX_BYTES >> 20} MB", "too_large")
    packet = _Packet()
    parser = DefusedXMLParser(target=packet, forbid_dtd=True)
    try:
        parser.feed(_text(content))
        parser.close()
    except DefusedXmlException:
        raise RejectedInput("it has a document type, which XMP never has", "invalid_field") from None
    except (ParseError, ValueError) as error:
        raise RejectedInput(f"no valid XML: {printable(str(error), 100)}", "invalid_field") from None
    return packet.description()


def _text(content: bytes) -> str:
    encoding = next((each for mark, each in _BOMS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = content.decode("utf-8" if encoding != "utf-8" else "cp1252", "replace")
    return _FORBIDDEN.sub("", text).strip("\ufeff \t\r\n")


class _Packet:
    """Target of a parser: the values of the properties of the photo."""

    def __init__(self) -> None:
        self._values: dict[str, list[str]] = defaultdict(list)
        self._depth = self._rdf = 0
        self._property, self._text, self._first = "", list[str](), False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an element. In ``rdf:RDF`` are nodes, and in these their properties."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise RejectedInput(f"more than {MAX_DEPTH} elements within each other", "invalid_field")
        if not self._rdf:
            self._rdf = self._depth if tag == f"{_RDF}RDF" else 0
        elif self._depth == self._rdf + 1:
            for name, value in attributes.items():
                self._add(_name(name), value)
        elif self._depth == self._rdf + 2:
            self._property = _name(tag)
        self._text.clear()
        self._first = attributes.get(_LANGUAGE) == "x-default"

    def data(self, text: str) -> None:
        """Go on with a text."""
        if self._property:
            self._text.append(text)

    def end(self, tag: str) -> None:
        """End an element."""
        ends_property = self._depth == self._rdf + 2
        if self._property and (ends_property or tag in (f"{_RDF}li", f"{_RDF}value")):
            self._add(self._property, "".join(self._text))
        self._text.clear()
        if ends_property:
            self._property = ""
        elif self._depth == self._rdf:
            self._rdf = 0
        self._depth -= 1

    def _add(self, name: str, text: str) -> None:
        if name and (value := text.strip()):
            values = self._values[name]
            values.insert(0 if self._first else len(values), value)

    def description(self) -> Description:
        """Return what the properties say."""
        values = self._values
        paths = [levels(each, separator) for name, separator in _PATHS.items() for each in values[name]]
        paths += [path for text in values["acdsee:categories"] for path in _categories(text)]
        ratings = [rating_in(each) for each in values["xmp:rating"]]
        ratings += [rating_in(each, percent=True) for each in values["microsoftphoto:rating"]]
        times = (time_in(each) for name in _TIMES for each in values[name])
        return description(
            values["dc:subject"],
            filter(None, dict.fromkeys(paths)),
            values["dc:description"],
            next(iter(values["dc:title"]), None),
            next(filter(None, ratings), None),
            next(filter(None, times), None),
        )


def _name(tag: str) -> str:
    """Return a known property as ``dc:subject``; programs differ in upper and lower case."""
    namespace, _, name = tag[1:].rpartition("}")
    prefix = _NAMESPACES.get(namespace.rstrip("/"))
    return f"{prefix}:{name.lower()}" if prefix else ""


def _categories(text: str) -> list[Path]:
    """Return the paths that ACDSee writes as XML within a text."""
    paths, above = list[Path](), list[str]()
    for category in _CATEGORY.finditer(text):
        if category[1] is None:
            del above[-1:]
            continue
        above.append(unescape(category[2]).strip())
        if len(above) > MAX_DEPTH or len(paths) > MAX_KEYWORDS:
            break
        if category[1] == "1":
            paths.append(tuple(filter(None, above)))
    return paths
