"""The XMP packet within a JPEG. The picture itself, and everything else in the file, stays bit by bit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tagdb.errors import RejectedInput
from tagdb.export import packets

SIGNATURE = b"http://ns.adobe.com/xap/1.0/\0"
_APP0, _APP1, _SOS = 0xE0, 0xE1, 0xDA
_MOST = 0xFFFF - 2 - len(SIGNATURE)
"""Largest packet: the length of a segment is two bytes."""


@dataclass(frozen=True, slots=True)
class _Segment:
    """A segment of a JPEG, before the picture's data."""

    marker: int
    start: int
    end: int
    payload: bytes


def is_jpeg(content: bytes) -> bool:
    """Whether a file is a JPEG by its beginning."""
    return content.startswith(b"\xff\xd8\xff")


def with_keywords(content: bytes, keywords: Sequence[str]) -> bytes:
    """Return a JPEG whose packet has these keywords, too; the same bytes if it has them already.

    Raises
    ------
    RejectedInput
        The file or its packet is damaged, or the packet becomes too large.
    """
    segments = list(_segments(content))
    for each in segments:
        if each.marker == _APP1 and each.payload.startswith(SIGNATURE):
            old = each.payload[len(SIGNATURE) :]
            packet = packets.with_keywords(old, keywords)
            if packet == old:
                return content
            return content[: each.start] + _written(packet) + content[each.end :]
    if not keywords:
        return content
    at = 2
    for each in segments:  # behind JFIF and EXIF, which come first
        if each.start != at or not _is_head(each):
            break
        at = each.end
    return content[:at] + _written(packets.new(keywords, embedded=True)) + content[at:]


def without_packet(content: bytes) -> bytes:
    """Return a JPEG without its packet: what is the same before and after keywords were embedded.

    Raises
    ------
    RejectedInput
        The file is damaged.
    """
    pieces, at = list[bytes](), 0
    for each in _segments(content):
        if each.marker == _APP1 and each.payload.startswith(SIGNATURE):
            pieces.append(content[at : each.start])
            at = each.end
    return b"".join(pieces) + content[at:]


def _is_head(segment: _Segment) -> bool:
    return segment.marker == _APP0 or (segment.marker == _APP1 and segment.payload.startswith(b"Exif\0"))


def _written(packet: bytes) -> bytes:
    if len(packet) > _MOST:
        raise RejectedInput(
            f"the packet would be larger than {_MOST} bytes, the most that a JPEG holds", "too_large"
        )
    payload = SIGNATURE + packet
    return b"\xff\xe1" + (len(payload) + 2).to_bytes(2, "big") + payload


def _segments(content: bytes) -> Iterator[_Segment]:
    at = 2
    while True:
        start = at
        while content[at : at + 2] == b"\xff\xff":  # fill bytes
            at += 1
        if content[at : at + 1] != b"\xff" or at + 4 > len(content):
            raise RejectedInput("this JPEG is damaged", "damaged")
        marker, end = content[at + 1], at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == _SOS:
            return
        if end > len(content) or end < at + 4:
            raise RejectedInput("this JPEG is damaged", "damaged")
        yield _Segment(marker, start, end, content[at + 4 : end])
        at = end
