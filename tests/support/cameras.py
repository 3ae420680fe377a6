"""Files as cameras and phones write them: camera RAW, and HEIC with lies in its boxes; made by code."""

import io
import struct
from collections.abc import Iterable, Sequence

import numpy as np
import pillow_heif
from PIL import Image

_TYPES = {1: "B", 2: "s", 3: "H", 4: "I", 5: "II", 7: "B", 10: "ii"}

Values = bytes | Sequence[int] | Sequence[tuple[int, int]]
Entry = tuple[int, int, Values]
"""Tag, type and values of a TIFF's directory."""


class Tiff:
    """A TIFF that grows: what lies in it, and then the directories that say where."""

    def __init__(self, order: str = "<") -> None:
        self.order = order
        self._content = bytearray(b"II*\0\0\0\0\0" if order == "<" else b"MM\0*\0\0\0\0")

    def put(self, data: bytes) -> int:
        """Append data; return where it lies."""
        at = len(self._content)
        self._content += data + b"\0" * (len(data) % 2)
        return at

    def directory(self, entries: Iterable[Entry], after: int = 0) -> int:
        rows = []
        for tag, kind, values in sorted(entries):
            data = self._packed(kind, values)
            place = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack(self.order + "I", self.put(data))
            rows.append(struct.pack(self.order + "2HI", tag, kind, len(values)) + place)
        head, tail = struct.pack(self.order + "H", len(rows)), struct.pack(self.order + "I", after)
        return self.put(head + b"".join(rows) + tail)

    def _packed(self, kind: int, values: Values) -> bytes:
        if isinstance(values, bytes):
            return values
        each = [value if isinstance(value, tuple) else (value,) for value in values]
        return b"".join(struct.pack(self.order + _TYPES[kind], *value) for value in each)

    def content(self, first: int) -> bytes:
        struct.pack_into(self.order + "I", self._content, 4, first)
        return bytes(self._content)


def raw(
    preview: bytes | Image.Image = b"",
    *,
    orientation: int = 1,
    time: bytes = b"2019:06:16 12:30:05\0",
    offset: bytes = b"",
    make: bytes = b"Drawn\0",
    xmp: bytes = b"",
    dng: bool = True,
    size: tuple[int, int] = (64, 48),
    order: str = "<",
) -> bytes:
    """A camera RAW file: a tiny picture as all TIFFs have it, a sensor's data, and a preview, JPEG or not."""
    file, (width, height) = Tiff(order), size
    sensor = (np.arange(width * height, dtype=order + "u2") * 5 % 4096).tobytes()
    inside = [
        file.directory([
            (254, 4, [0]), (256, 4, [width]), (257, 4, [height]), (258, 3, [16]), (259, 3, [1]),
            (262, 3, [32803]), (273, 4, [file.put(sensor)]), (277, 3, [1]), (278, 4, [height]),
            (279, 4, [len(sensor)]), (33421, 3, [2, 2]), (33422, 1, [0, 1, 1, 2]), (50717, 4, [4095]),
        ])
    ]  # fmt: skip
    if preview:
        jpeg = isinstance(preview, bytes)
        with Image.open(io.BytesIO(preview)) if isinstance(preview, bytes) else preview as image:
            wide, high = image.size
            data = preview if isinstance(preview, bytes) else image.tobytes()
        inside.append(
            file.directory([
                (254, 4, [1]), (256, 4, [wide]), (257, 4, [high]), (258, 3, [8, 8, 8]),
                (259, 3, [7 if jpeg else 1]), (262, 3, [6 if jpeg else 2]), (273, 4, [file.put(data)]),
                (277, 3, [3]), (278, 4, [high]), (279, 4, [len(data)]),
            ])
        )  # fmt: skip
    times: list[Entry] = [(0x9003, 2, time)] + ([(0x9011, 2, offset)] if offset else [])
    entries: list[Entry] = [
        (254, 4, [1]), (256, 4, [8]), (257, 4, [6]), (258, 3, [8, 8, 8]), (259, 3, [1]), (262, 3, [2]),
        (271, 2, make), (272, 2, b"By code\0"), (273, 4, [file.put(bytes(144))]), (274, 3, [orientation]),
        (277, 3, [3]), (278, 4, [6]), (279, 4, [144]), (330, 4, inside), (34665, 4, [file.directory(times)]),
    ]  # fmt: skip
    entries += [(700, 1, xmp)] if xmp else []
    if dng:
        one, none = (1, 1), (0, 1)
        entries += [
            (50706, 1, [1, 4, 0, 0]), (50708, 2, b"Drawn by code\0"), (50728, 5, [one] * 3), (50778, 3, [21]),
            (50721, 10, [one, none, none, none, one, none, none, none, one]),
        ]  # fmt: skip
    return file.content(file.directory(entries))


def heic(image: Image.Image, *more: Image.Image, **options: object) -> bytes:
    """A HEIC of one or more pictures."""
    stream = io.BytesIO()
    pillow_heif.from_pillow(image).save(
        stream,
        append_images=[pillow_heif.from_pillow(each)[0] for each in more],
        **{"quality": 95, "chroma": 444} | options,
    )
    return stream.getvalue()


def deep_heic(values: np.ndarray, bits: int = 10, **options: object) -> bytes:
    """A HEIC of more than 8 bits, of values of 16 bits: of one channel or three."""
    stream, (height, width) = io.BytesIO(), values.shape[:2]
    kept = pillow_heif.options.SAVE_HDR_TO_12_BIT
    pillow_heif.options.SAVE_HDR_TO_12_BIT = bits == 12
    try:
        pillow_heif.encode(
            "RGB;16" if values.ndim == 3 else "I;16",
            (width, height),
            np.ascontiguousarray(values, np.uint16).tobytes(),
            stream,
            **{"quality": 95, "chroma": 444} | options,
        )
    finally:
        pillow_heif.options.SAVE_HDR_TO_12_BIT = kept
    return stream.getvalue()


def said_to_be(content: bytes, width: int, height: int) -> bytes:
    """The same HEIC or AVIF, said to be of another size."""
    parts = content.split(b"ispe")
    said = struct.pack(">2I", width, height)
    return b"ispe".join([parts[0], *(part[:4] + said + part[12:] for part in parts[1:])])


def box(name: bytes, content: bytes = b"", size: int | None = None) -> bytes:
    """A box of ISO's base media format."""
    return struct.pack(">I4s", len(content) + 8 if size is None else size, name) + content
