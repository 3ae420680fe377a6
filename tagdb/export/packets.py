"""Keywords in XMP packets. An edit adds text where it belongs, and leaves every other byte as it is.

Keywords are kept in three properties, and programs read one or another of them: ``dc:subject``,
``digiKam:TagsList`` and ``lr:hierarchicalSubject``. What is there stays.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape

from tagdb.errors import RejectedInput
from tagdb.hashtags import fold, printable

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
MAX_BYTES = 4 << 20
"""Largest packet that is edited."""


@dataclass(frozen=True, slots=True)
class _Property:
    """A property that lists keywords."""

    namespace: str
    prefix: str
    name: str
    container: str
    separator: str
    """Between a keyword and those that it lies below; empty if they are not written."""

    @property
    def key(self) -> tuple[str, str]:
        return self.namespace, self.name


PROPERTIES = (
    _Property("http://purl.org/dc/elements/1.1/", "dc", "subject", "Bag", ""),
    _Property("http://www.digikam.org/ns/1.0/", "digiKam", "TagsList", "Seq", "/"),
    _Property("http://ns.adobe.com/lightroom/1.0/", "lr", "hierarchicalSubject", "Bag", "|"),
)
_BOM = b"\xef\xbb\xbf"
_START_TAG = re.compile(rb"""<[^<>"']*(?:"[^"]*"[^<>"']*|'[^']*'[^<>"']*)*>""")
_BLANK = re.compile(rb"(?:\r?\n)?[ \t]*\Z")
_NEW = b"""\
<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="tagdb">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""/>
 </rdf:RDF>
</x:xmpmeta>
"""
_BEGIN = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'.encode()
_END = b'<?xpacket end="w"?>'


def new(keywords: Sequence[str], embedded: bool = False) -> bytes:
    """Return a packet with keywords: a file of its own, or one to be embedded."""
    content = with_keywords(_NEW, keywords)
    return _BEGIN + content.partition(b"?>\n")[2] + _END if embedded else content


def with_keywords(packet: bytes, keywords: Sequence[str]) -> bytes:
    """Return a packet with those keywords added that it lacks; the same bytes if it lacks none.

    A keyword is there if one folds to the same hashtag, also as the last of a path: ``Places/Paris`` is
    ``paris``.

    Raises
    ------
    RejectedInput
        It is no XMP, or written in a way that cannot be added to.
    """
    if len(packet) > MAX_BYTES:
        raise RejectedInput(f"larger than {MAX_BYTES >> 20} MB", "too_large")
    if b"\0" in packet:  # in UTF-16, where bytes are not what is written
        raise RejectedInput("only UTF-8 can be added to", "invalid_field")
    mark, body = (_BOM, packet[len(_BOM) :]) if packet.startswith(_BOM) else (b"", packet)
    found = _Reader(body)
    edits: list[tuple[int, int, bytes]] = []
    further = b""
    parent = found.description or found.rdf
    indent = _inner(body, parent) + (b"" if found.description else b" ")
    for each in PROPERTIES:
        lists = found.properties.get(each.key)
        there = {_folded(value, each.separator) for one in lists or () for value in one.values}
        lacking = list({_folded(word): word for word in keywords if _folded(word) not in there}.values())
        if not lacking:
            continue
        if lists:
            edits.append(_addition(body, lists[0], each, lacking))
        else:
            further += _written(each, lacking, parent, indent)
    if further:
        if found.description is None:
            name, base = parent.sibling("Description"), _inner(body, parent)
            further = b'%s<%s %s="">%s%s</%s>' % (base, name, parent.sibling("about"), further, base, name)
        edits.append(_within(body, parent, further))
    for start, end, text in sorted(edits, reverse=True):
        body = body[:start] + text + body[end:]
    return mark + body


def _folded(keyword: str, separator: str = "") -> str:
    """Return what keywords have in common that are the same hashtag."""
    last = keyword.rpartition(separator)[2] if separator else keyword
    try:
        return fold("".join(last.split()))
    except RejectedInput:
        return keyword


@dataclass(slots=True)
class _Element:
    """An element and where it is written."""

    qualified: str
    """Its name with prefix."""
    key: tuple[str, str]
    """Its namespace and name."""
    spaces: dict[str, str]
    """Namespaces by prefix."""
    start: int
    inside: int
    """Where its start tag ends."""
    is_empty: bool
    """Whether it is written as one tag."""
    end: int = 0
    """Where its end tag begins, or would."""
    after: int = 0
    last_child: tuple[int, int] | None = None
    """Where its last child begins and ends."""
    container: "_Element | None" = None
    values: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def sibling(self, name: str) -> bytes:
        """Return a name of RDF's with the prefix that it has here."""
        prefixes = [prefix for prefix, space in self.spaces.items() if space == RDF]
        prefix = "rdf" if "rdf" in prefixes else max(prefixes)
        return f"{prefix}:{name}".encode() if prefix else name.encode()


class _Reader:
    """Finds the keywords of a packet and where they are written."""

    def __init__(self, body: bytes) -> None:
        self._body, self._open = body, list[_Element]()
        self._rdf: _Element | None = None
        self.description: _Element | None = None
        self.properties: dict[tuple[str, str], list[_Element]] = {}
        # not by namespaces, which would not say how names are written
        parser = self._parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text
        # without a document type there is nothing to expand or to fetch
        parser.StartDoctypeDeclHandler = self._doctype
        parser.XmlDeclHandler = self._declared
        try:
            parser.Parse(body, True)
        except expat.ExpatError as error:
            raise RejectedInput(f"no valid XML: {printable(str(error), 100)}", "invalid_field") from None
        if self._rdf is None:
            raise RejectedInput("there is no rdf:RDF in it", "invalid_field")

    @property
    def rdf(self) -> _Element:
        """The element in which everything is."""
        assert self._rdf is not None
        return self._rdf

    def _doctype(self, *_: object) -> None:
        raise RejectedInput("it has a document type, which XMP never has", "invalid_field")

    def _declared(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ("utf-8", "utf8", "us-ascii"):
            raise RejectedInput(
                f"it is in {printable(encoding, 40)}; only UTF-8 can be added to", "invalid_field"
            )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        start = self._parser.CurrentByteIndex
        tag = _START_TAG.match(self._body, start)
        if tag is None:  # what is parsed is not what is written
            raise RejectedInput("only UTF-8 can be added to", "invalid_field")
        spaces = self._open[-1].spaces if self._open else {}
        if own := {key[6:]: value for key, value in attributes.items() if key.split(":")[0] == "xmlns"}:
            spaces = spaces | own
        is_empty = tag[0].endswith(b"/>")
        element = _Element(name, _resolved(name, spaces), spaces, start, tag.end(), is_empty)
        self._open.append(element)
        depth = len(self._open)
        if self._rdf is None and element.key == (RDF, "RDF"):
            self._rdf, self._depth = element, depth
        elif self._within(1) and element.key == (RDF, "Description"):
            self.description = self.description or element
            for attribute in attributes:
                self._check_attribute(_resolved(attribute, spaces))
        elif self._within(2) and element.key in _KEYS:
            self.properties.setdefault(element.key, []).append(element)

    def _within(self, levels: int) -> bool:
        return self._rdf is not None and not self._rdf.after and len(self._open) == self._depth + levels

    def _check_attribute(self, key: tuple[str, str]) -> None:
        if key in _KEYS:
            raise RejectedInput(
                f"{key[1]} is written as an attribute, which cannot be added to", "invalid_field"
            )

    def _text(self, text: str) -> None:
        self._open[-1].text.append(text)

    def _end(self, name: str) -> None:
        element = self._open.pop()
        element.end = self._parser.CurrentByteIndex
        if element.is_empty:
            element.after = element.inside
        else:
            element.after = self._body.index(b">", element.end) + 1
        if not self._open:
            return
        parent = self._open[-1]
        parent.last_child = (element.start, element.after)
        owner = self._open[-2] if len(self._open) > 1 else None
        if parent.key in _KEYS and element.key[0] == RDF and element.key[1] in ("Bag", "Seq", "Alt"):
            parent.container = parent.container or element
        if owner is not None and owner.key in _KEYS and element.key == (RDF, "li"):
            owner.values.append("".join(element.text).strip())


_KEYS = frozenset(each.key for each in PROPERTIES)


def _resolved(name: str, spaces: dict[str, str]) -> tuple[str, str]:
    prefix, _, local = name.rpartition(":")
    return spaces.get(prefix, ""), local


def _addition(body: bytes, element: _Element, what: _Property, words: list[str]) -> tuple[int, int, bytes]:
    """Return the edit that adds words to a property that is there."""
    container = element.container
    if container is None:
        if element.last_child or "".join(element.text).strip():
            raise RejectedInput(f"{element.qualified} is no list, and cannot be added to", "invalid_field")
        return _within(body, element, _list(what, words, element, _indentation(body, element) + b" "))
    item = container.sibling("li")
    indent = _inner(body, container)
    return _within(body, container, b"".join(indent + _item(item, word) for word in words))


def _within(body: bytes, element: _Element, text: bytes) -> tuple[int, int, bytes]:
    """Return the edit that puts a text at the end of an element's content."""
    if element.is_empty:
        slash = body.rindex(b"/", element.start, element.inside)
        close = b"%s</%s>" % (_indentation(body, element), element.qualified.encode())
        return slash, element.inside, b">" + text + close
    if element.last_child:
        at = element.last_child[1]
        return at, at, text
    # what is blank already stays in front of the end tag
    blank = b"" if element.end > element.inside else _indentation(body, element)
    return element.inside, element.inside, text + blank


def _written(what: _Property, words: list[str], parent: _Element, indent: bytes) -> bytes:
    """Return a whole property."""
    name = f"{what.prefix}:{what.name}".encode()
    known = parent.spaces.get(what.prefix) == what.namespace
    space = b"" if known else f' xmlns:{what.prefix}="{what.namespace}"'.encode()
    return b"%s<%s%s>%s%s</%s>" % (
        indent, name, space, _list(what, words, parent, indent + b" "), indent, name,
    )  # fmt: skip


def _list(what: _Property, words: list[str], near: _Element, indent: bytes) -> bytes:
    container, item = near.sibling(what.container), near.sibling("li")
    items = b"".join(indent + b" " + _item(item, word) for word in words)
    return b"%s<%s>%s%s</%s>" % (indent, container, items, indent, container)


def _item(name: bytes, word: str) -> bytes:
    return b"<%s>%s</%s>" % (name, escape(word).encode(), name)


def _inner(body: bytes, element: _Element) -> bytes:
    """Return the end of line and the blanks before what is in an element."""
    if element.last_child:
        return _blank_before(body, element.last_child[0])
    return _indentation(body, element) + b" "


def _indentation(body: bytes, element: _Element) -> bytes:
    """Return the end of line and the blanks before an element; nothing if it does not begin a line."""
    blank = _blank_before(body, element.start)
    return blank if b"\n" in blank else b""


def _blank_before(body: bytes, at: int) -> bytes:
    blank = _BLANK.search(body, max(0, at - 1_000), at)
    return blank[0] if blank else b""
