"""JPEG XL, decoded by the extra ``tagdb[jxl]``."""

from contextlib import suppress

from PIL import Image

from tagdb.photos.boxes import boxes

_RATIOS = (None, (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


def opened(content: bytes) -> bytes | Image.Image:
    """Decode a JPEG XL: the JPEG of which it was made, byte by byte, otherwise an upright picture."""
    import pillow_jxl

    try:
        jpeg, about, data, _, _ = pillow_jxl.Decoder(num_threads=0)(content)
    except BaseException as error:
        # Rust's panics are no Exception. Neither they nor libjxl's errors say anything to a user.
        if isinstance(error, RuntimeError) or type(error).__name__ == "PanicException":
            raise ValueError("it cannot be decoded") from None
        raise
    if jpeg:
        return bytes(data)
    mode, pixels = str(about.mode), about.width * about.height
    if mode == "LA" and len(data) == 4 * pixels:  # of 16 bits, for which Pillow has no mode
        data = data[1::2]
    image = Image.frombytes(mode, (about.width, about.height), bytes(data))
    beside = {name: content[start:end] for name, start, end in boxes(content) if name in (b"Exif", b"xml ")}
    if xmp := beside.get(b"xml "):
        image.info["xmp"] = xmp
    if exif := beside.get(b"Exif"):
        bare = exif[:4] in (b"II*\0", b"MM\0*")  # as some write it; a number of bytes to skip is due
        image.info["exif"] = exif if bare else exif[4 + int.from_bytes(exif[:4], "big") :]
        with suppress(Exception):  # it cannot be parsed, so that it counts as absent
            image.getexif().pop(0x0112, None)  # the orientation, which is the one before
    return image


def size(content: bytes) -> tuple[int, int] | None:
    """Return width and height by the header, before they are exchanged to put it upright; None if damaged."""
    if content[:2] != b"\xff\x0a":
        found = ((name, start) for name, start, _ in boxes(content) if name in (b"jxlc", b"jxlp"))
        name, start = next(found, (b"", len(content)))
        content = content[start + (4 if name == b"jxlp" else 0) :][:32]
        if content[:2] != b"\xff\x0a":
            return None
    bits = _Bits(content[2:32])
    small = bits.take(1)
    height = _side(bits, small)
    ratio = _RATIOS[bits.take(3)]
    return (height * ratio[0] // ratio[1] if ratio else _side(bits, small)), height


class _Bits:
    """Numbers of some bits each, the least significant first; zeros behind the end."""

    def __init__(self, content: bytes) -> None:
        self._value = int.from_bytes(content, "little")

    def take(self, count: int) -> int:
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        return value


def _side(bits: _Bits, small: int) -> int:
    if small:
        return 8 * (bits.take(5) + 1)
    return bits.take((9, 13, 18, 30)[bits.take(2)]) + 1
