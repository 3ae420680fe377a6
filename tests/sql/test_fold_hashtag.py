"""tagdb_store.fold_hashtag and tagdb.hashtags.fold are the same rule, written twice."""

from __future__ import annotations

import sys
import unicodedata

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagdb.database import Connection
from tagdb.errors import RejectedInput
from tagdb.hashtags import fold

# Letters whose case or compatibility folding is peculiar, and what hashtags are framed by.
PECULIAR = (
    "ßẞİıIſǰΐᾳᾼ\u0345\u0301\u0307\u0308¨ﬀŀ·ªŉÅKΣςꭰᏸᎠ가각㍿①Ⅷ😀❤🏽\u200d\ufe0e\ufe0f_Aa1"
    "#＃﹟ \u00a0\u3000\u0085\u2028\x1f"
)

PICKED = [
    "Straße",
    "STRASSE",
    "İstanbul",
    "ISPARTA",
    "ﬁsh",
    "ﬃ",
    "＃Ｃａｔ１２",
    "# ＃ #cat",
    "#\u00a0cat\u3000",
    "\u2028\x1fcat\u0085",
    "¨x",
    "#¨x",
    "قهوة",
    "ﷴ",
    "می\u200cخواهم",
    "❤",
    "❤\ufe0f",
    "❤\ufe0e",
    "\ufe0f #❤\ufe0f",
    "e\ufe0f\u0301",
    "1\ufe0f\u20e3",
    "👍🏽",
    "👩\u200d👩\u200d👧",
    "🏳\ufe0f\u200d🌈",
    "🇩🇪",
    "cafe\u0301",
    "a\u0323\u0307",
    "a\u0307\u0323",
    "ᎠᎡ",
    "ꭰꭱ",
    "ΣΊΣΥΦΟΣ",
    "σίσυφος",
    "ǰ",
    "J\u030c",
    "ᾳ",
    "α\u0345\u0301",
    "ĳ",
    "Ⅷ",
    "x²",
    "㍿",
    "각",
    "हिन्दी",
    "a_b",
    "coŀlecció",
    "\U00010400",
    "ẛ\u0323",
]


def in_sql(connection: Connection, texts: list[str]) -> list[str]:
    rows = connection.execute(
        "SELECT tagdb_store.fold_hashtag(t.text)"
        " FROM unnest(%s::text[]) WITH ORDINALITY t (text, n) ORDER BY t.n",
        (texts,),
    )
    return [row[0] for row in rows]


def test_picked(connection: Connection) -> None:
    assert dict(zip(PICKED, in_sql(connection, PICKED), strict=True)) == {text: fold(text) for text in PICKED}


def test_every_character(connection: Connection) -> None:
    """Every character that folding does something to, alone and behind a letter; of the others, some."""
    accepted = {}
    for code in range(1, sys.maxunicode + 1):
        character = chr(code)
        if unicodedata.normalize("NFKC", character) == character.casefold() and code % 29:
            continue
        for text in (character, "x" + character):
            try:
                accepted[text] = fold(text)
            except RejectedInput:
                continue
    assert len(accepted) > 20_000
    folded = in_sql(connection, list(accepted))
    wrong = {text for text, found in zip(accepted, folded, strict=True) if found != accepted[text]}
    assert not wrong, [text.encode("unicode_escape") for text in sorted(wrong)[:20]]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(max_size=12) | st.text(alphabet=PECULIAR, max_size=8), min_size=1, max_size=8))
def test_any_text(connection: Connection, texts: list[str]) -> None:
    """Whatever is accepted is folded alike, and is folded already."""
    folded = {}
    for text in texts:
        try:
            folded[text] = fold(text)
        except RejectedInput:
            continue
    assert in_sql(connection, list(folded)) == list(folded.values())
    assert in_sql(connection, list(folded.values())) == list(folded.values())


def test_of_null_and_nothing(connection: Connection) -> None:
    row = connection.execute(
        "SELECT tagdb_store.fold_hashtag(NULL), tagdb_store.fold_hashtag(' # ')"
    ).fetchone()
    assert row == (None, "")
