"""Hashtags: one rule folds all spellings of a hashtag into one."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain, takewhile

from tagdb.errors import RejectedInput

MAX_LENGTH = 150
"""Longest folded hashtag, in code points."""

# Normalisation takes quadratic time on a long run of combining marks. Composition never shortens a text to
# less than a quarter, so a longer text could not be folded to MAX_LENGTH.
_MAX_RAW_LENGTH = 10 * MAX_LENGTH

# What joins words and syllables, as Unicode's annex 31 and twitter-text have it: low line, middle dot, ZWNJ,
# ZWJ, and the marks of Hebrew, Tibetan, Japanese and Old Cyrillic.
_JOINERS = frozenset("_\u00b7\u200c\u200d\u05be\u05f3\u05f4\u0f0b\u3003\u301c\u30a0\u30fb\ua67e")
# Copied along from apps. All that Unicode calls ignorable (soft hyphen, fillers, marks of direction, …) but
# for the joiners above, and a blank in Braille.
_RANGES = (
    range(0x115F, 0x1161), range(0x17B4, 0x17B6), range(0x200E, 0x2010), range(0x202A, 0x202F),
    range(0x2060, 0x2070), range(0xFFF0, 0xFFF9), range(0x1BCA0, 0x1BCA4), range(0x1D173, 0x1D17B),
)  # fmt: skip
_INVISIBLE = dict.fromkeys(
    chain([0xAD, 0x34F, 0x61C, 0x180E, 0x200B, 0x2800, 0x3164, 0xFEFF, 0xFFA0, 0xE0001], *_RANGES)
)
# Of one character's looks, such as ❤ and ❤️: they are written, and are the same.
_VARIATIONS = (*range(0x180B, 0x180E), 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
_VARIATION_SELECTORS = dict.fromkeys(_VARIATIONS)
_PLACEHOLDERS = frozenset("\ufffc\ufffd")  # of an object, and of what could not be decoded
_BLACK_FLAG = "\U0001f3f4"  # letters of tags behind it make the flags of England, Scotland and Wales
_TAGS = dict.fromkeys(range(0xE0020, 0xE0080))
_SKIN_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_MORE_EMOJI = frozenset("↔⤴⤵◻◼◽◾〰〽")  # which Unicode counts as arrows, shapes and dashes
_IDLE_JOINERS = re.compile("(?:^|(?<=[\0-\x7f]))[\u200c\u200d]+|[\u200c\u200d]+$")
"""Joiners at an end, and behind ASCII, where they join nothing."""
_DELIMITERS = re.compile(r"[\s,;|#＃、，､،；؛。｡۔｜]+")
_NOT_JOINED = re.compile(r"\W+", re.ASCII)
# Addresses and entities of HTML have a # that begins no hashtag.
_IN_CAPTION = re.compile(r"(?:https?://|\bwww\.)\S+|&#\w+;|[#＃]([^\s#＃&]+)", re.IGNORECASE)
_BEGINS_HASHTAG = re.compile(r"(?<![^\W_])[#＃](?=[^\s#＃,;.])")
_COMMAS = re.compile("[,;|]")


@lru_cache(maxsize=1 << 16)  # a few hashtags are on most photos
def fold(text: str) -> str:
    """Return the spelling under which a hashtag is stored and looked up.

    Surrounding white space, leading ``#`` (also full-width), variation selectors and characters that nobody
    sees are removed; the rest is NFKC-normalised and case-folded. The function is idempotent. The result has
    1 to ``MAX_LENGTH`` code points: letters, marks, numbers, emoji, underscores, middle dots and other
    joiners, with at least one letter, number or symbol.

    Raises
    ------
    RejectedInput
        The text is not a hashtag; the message says why, without raw control characters.
    """
    if len(text) > _MAX_RAW_LENGTH:
        raise _too_long(text)
    stripped = _visible(text).translate(_VARIATION_SELECTORS).strip()
    folded = unicodedata.normalize("NFKC", stripped).lstrip("# \u200c\u200d").casefold()
    # Case folding may decompose (ǰ), so normalise again.
    folded = unicodedata.normalize("NFKC", _IDLE_JOINERS.sub("", folded))
    if not folded:
        raise RejectedInput("empty hashtag", "invalid_hashtag")
    if len(folded) > MAX_LENGTH:
        raise _too_long(folded)
    substantial = False
    for character in folded:
        if _is_substantial(character):
            substantial = True
        elif not _joins(character):
            name = unicodedata.name(character, "")
            shown = f"U+{ord(character):04X}" + (f" ({name})" if name else "")
            raise RejectedInput(
                f"{shown} cannot be part of a hashtag: '{printable(folded, 40)}'", "invalid_hashtag"
            )
    if not substantial:
        code_points = " ".join(f"U+{ord(character):04X}" for character in folded[:8])
        raise RejectedInput(f"no letter, number or symbol in the hashtag: {code_points}", "invalid_hashtag")
    return folded


def _is_substantial(character: str) -> bool:
    category = unicodedata.category(character)
    symbol = category == "So" and character not in _PLACEHOLDERS
    return category[0] in "LN" or symbol or character in _SKIN_TONES or character in _MORE_EMOJI


def _joins(character: str) -> bool:
    return unicodedata.category(character)[0] == "M" or character in _JOINERS or ord(character) in _TAGS


def _visible(text: str) -> str:
    seen = text.translate(_INVISIBLE)
    return seen if _BLACK_FLAG in seen else seen.translate(_TAGS)


@lru_cache(maxsize=1 << 16)
def spelled(text: str) -> str:
    """Return a hashtag as it is written, for those who read it: without ``#``, and in NFC.

    It folds to the same, and has at most ``MAX_LENGTH`` code points; a longer one is folded.
    """
    bare = _visible(text).strip().lstrip("#\uff03 \u200c\u200d")
    written = unicodedata.normalize("NFC", _IDLE_JOINERS.sub("", bare))
    return written if len(written) <= MAX_LENGTH else fold(text)


def joined(text: str) -> str:
    """Return a text as one hashtag, without what cannot be in one: ``"Rock 'n' Roll"`` gives ``RocknRoll``.

    It may come to nothing, or to what ``fold`` refuses.
    """
    if text.isascii():
        return _NOT_JOINED.sub("", text)
    return "".join(filter(_fits, _visible(text)))


def _fits(character: str) -> bool:
    return all(_is_substantial(c) or _joins(c) for c in unicodedata.normalize("NFKC", character))


def split(text: str) -> list[str]:
    """Split a text into hashtags, without ``#`` and not yet folded.

    Hashtags end at white space, a comma, a semicolon, a vertical bar, their Chinese, Japanese and Arabic
    sisters, or the ``#`` of the next one: ``"#a#b, c"`` gives ``["a", "b", "c"]``. No piece is empty.
    """
    return [piece for piece in _DELIMITERS.split(text) if piece]


def written(text: str) -> list[str]:
    """Return the hashtags in what somebody wrote under a photo, without ``#`` and not yet folded.

    If there is a ``#``, only words that begin with one count, and they end at white space or punctuation that
    cannot be in a hashtag: ``"Lunch #sea, (#sun)!"`` gives ``["sea", "sun"]``. Otherwise, and if it is only
    within single words, as in ``"c#, dotnet"``, as ``split``.
    """
    if "#" not in text and "＃" not in text:
        return split(text)
    if not _BEGINS_HASHTAG.search(text) and all(len(part.split()) < 2 for part in _COMMAS.split(text)):
        return split(text)
    words = ("".join(takewhile(_goes_on, match[1] or "")) for match in _IN_CAPTION.finditer(text))
    return [word for word in words if word]


def _goes_on(character: str) -> bool:
    """Whether a hashtag goes on there. What is no punctuation does not end it: ``fold`` refuses it."""
    category = unicodedata.category(character)
    if category[0] in "PS" and category != "So" and character not in _SKIN_TONES:
        return unicodedata.normalize("NFKC", character) in _JOINERS
    return True


def given(texts: str | Iterable[str]) -> list[str]:
    """Return the folded hashtags that a person gave, as one text or several: ``"sea, sun"`` is two.

    Raises
    ------
    RejectedInput
        One of them is not a hashtag, or a text has none.
    """
    return [fold(hashtag) for hashtag in unfolded(texts)]


def unfolded(texts: str | Iterable[str]) -> list[str]:
    """Return the hashtags that a person gave, as they were written.

    Raises
    ------
    RejectedInput
        One of them is not a hashtag, or a text has none.
    """
    hashtags: list[str] = []
    for text in [texts] if isinstance(texts, str) else texts:
        pieces = split(text)
        if not pieces:
            raise RejectedInput(f"no hashtag in '{printable(text, 40)}'", "invalid_hashtag")
        hashtags += pieces
    for hashtag in hashtags:
        fold(hashtag)
    return hashtags


def printable(text: str, limit: int | None = None) -> str:
    r"""Return a text that is safe to print, with unprintable characters escaped as in Python's ``repr``.

    Control characters, bidirectional marks and surrogates become ``\x1b``, ``\u202e``, ``\udcff``. A text of
    more than ``limit`` characters is cut off and ends with an ellipsis.
    """
    shown = text if limit is None or len(text) <= limit else text[:limit] + "…"
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown)


def _too_long(text: str) -> RejectedInput:
    return RejectedInput(
        f"hashtag of {len(text)} characters; at most {MAX_LENGTH} are allowed: '{printable(text, 40)}'",
        "invalid_hashtag",
    )
