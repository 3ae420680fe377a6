"""What a hashtag is, in SQL and in Python: the same rule, written twice.

``tagdb_store.fold_hashtag`` folds anything, ``tagdb_store.hashtag_problem`` says why a folded text is no
hashtag, and ``tagdb.fold_hashtag`` is both, as ``tagdb.hashtags.fold`` is.
"""

from __future__ import annotations

import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterable

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tagdb.migrations import objects

from tagdb import hashtags
from tagdb.errors import RejectedInput
from tagdb.hashtags import MAX_LENGTH, fold
from tagdb.postgres.database import Connection
from tests.support.shared import ROOT

# Letters whose case or compatibility folding is peculiar, and what hashtags are framed by.
pytestmark = pytest.mark.read_only

PECULIAR = (
    "ßẞİıIſǰΐᾳᾼ\u0345\u0301\u0307\u0308¨ﬀŀ·ªŉÅKΣςꭰᏸᎠ가각㍿①Ⅷ😀❤🏽\u200d\ufe0e\ufe0f_Aa1"
    "#＃﹟ \u00a0\u3000\u0085\u2028\x1f"
)

UNSEEN = set(map(chr, [*hashtags._INVISIBLE, *hashtags._VARIATIONS, *hashtags._TAGS]))
"""What is folded away, wherever it is; tags are kept behind a black flag."""
PICKED = [
    "#sea\u200b",
    "\u200e#beach\u2066\u2069\u00ad\ufeff",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "x\U000e0067",
    "\u3164sea\uffa0",
    "葛\U000e0100城",
    "\u200dsea\u200c",
    "sea\u200dsun",
    "👩\u200d",
    "\u200d#sea",
    "ß\u200dx",
    "ａ\u200d\u0301b",
    "〰\ufe0f",
    "ᠮᠣ\u180bᠩ",
    "東京・大阪",
    "ﾄﾛ･ﾏｸﾞﾛ",
    "צה״ל",
    "בית־ספר",
    "བོད་ཡིག",
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
NONE = [
    "",
    " # ",
    "\ufe0f",
    "_",
    "·\u200d",
    "\u0301",
    "x y",
    "no!",
    "a#b",
    "a-b",
    "$",
    "½\u2044",
    "#\u2028cat",
    "x\u0085x",
    "x\U0010ffff",
    "x" * (MAX_LENGTH + 1),
    "!" * (MAX_LENGTH + 1),
    "ﷺ" * 9,
]
REASON = re.compile(
    r"empty hashtag"
    r"|hashtag of \d+ characters; at most \d+ are allowed"
    r"|U\+[0-9A-F]{4,6} cannot be part of a hashtag"
    r"|no letter, number or symbol in the hashtag"
)


Expected = tuple[str | None, str | None]
"""A folded hashtag, or the reason why there is none."""


def in_python(text: str) -> Expected:
    """What ``tagdb.hashtags.fold`` makes of a text; of its messages, what the SQL ones say too."""
    try:
        return fold(text), None
    except RejectedInput as error:
        message = re.sub(r"^(U\+[0-9A-F]+) \([^)]*\)", r"\1", str(error))  # SQL knows no names
    reason = REASON.match(message)
    assert reason, message
    return None, reason[0]


def in_sql(connection: Connection, texts: Iterable[str]) -> list[str]:
    rows = connection.execute(
        "SELECT tagdb_store.fold_hashtag(t.text)"
        " FROM unnest(%s::text[]) WITH ORDINALITY t (text, n) ORDER BY t.n",
        (list(texts),),
    )
    return [row[0] for row in rows]


def problems(connection: Connection, texts: Iterable[str]) -> list[str | None]:
    rows = connection.execute(
        "SELECT tagdb_store.hashtag_problem(t.text)"
        " FROM unnest(%s::text[]) WITH ORDINALITY t (text, n) ORDER BY t.n",
        (list(texts),),
    )
    return [row[0] for row in rows]


def in_public(connection: Connection, texts: Iterable[str]) -> list[Expected]:
    """What ``tagdb.fold_hashtag`` makes of texts, its errors caught."""
    connection.execute("""
        CREATE OR REPLACE FUNCTION pg_temp.attempt(hashtag text, OUT folded text, OUT refused text)
        LANGUAGE plpgsql AS $$
        BEGIN
            folded := tagdb.fold_hashtag(hashtag);
        EXCEPTION WHEN invalid_parameter_value THEN
            refused := SQLERRM;
        END
        $$""")
    rows = connection.execute(
        "SELECT a.folded, a.refused FROM unnest(%s::text[]) WITH ORDINALITY t (text, n)"
        " CROSS JOIN LATERAL pg_temp.attempt(t.text) a ORDER BY t.n",
        (list(texts),),
    )
    prefix = "not a hashtag: "
    found = list(rows)
    assert all(refused is None or refused.startswith(prefix) for _, refused in found)
    return [(folded, refused and refused.removeprefix(prefix)) for folded, refused in found]


def assigned() -> Iterable[str]:
    """Every character there is: newer servers fold some that this Python does not know yet."""
    everything = map(chr, range(1, sys.maxunicode + 1))
    return (character for character in everything if unicodedata.category(character) not in ("Cn", "Cs"))


@pytest.fixture
def newer(connection: Connection) -> frozenset[str]:
    """Characters that this Python takes and SQL does not, for its ranges are of an older Unicode.

    None at all where the two are of the same Unicode, as on Python 3.11.
    """
    written = re.search(r"\(Unicode (\S+)\)", objects.read("tagdb_store.hashtag_problem"))
    assert written
    if written[1] == unicodedata.unidata_version:
        return frozenset()
    taken = [f"x{character}x" for character in assigned() if in_python(f"x{character}x")[0]]
    doubtful = [text for text, problem in zip(taken, problems(connection, taken), strict=True) if problem]
    refused = problems(connection, in_sql(connection, doubtful))
    return frozenset(text[1] for text, problem in zip(doubtful, refused, strict=True) if problem)


def differing(texts: Iterable[str], found: Iterable[object], expected: Iterable[object]) -> list[object]:
    """The first few differences, readable in whatever script."""
    triples = zip(texts, found, expected, strict=True)
    return [(text[:40].encode("unicode_escape"), f, e) for text, f, e in triples if f != e][:10]


def test_picked_hashtags_fold_as_in_python(connection: Connection) -> None:
    assert dict(zip(PICKED, in_sql(connection, PICKED), strict=True)) == {text: fold(text) for text in PICKED}
    assert in_public(connection, PICKED) == [(fold(text), None) for text in PICKED]


def test_picked_texts_are_refused_as_in_python(connection: Connection) -> None:
    expected = [in_python(text) for text in NONE]
    assert all(reason for _, reason in expected)
    assert dict(zip(NONE, in_public(connection, NONE), strict=True)) == dict(zip(NONE, expected, strict=True))


def test_the_error_says_which_character(connection: Connection) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue) as caught:
        connection.execute("SELECT tagdb.fold_hashtag('no!')")
    assert caught.value.diag.message_primary == "not a hashtag: U+0021 cannot be part of a hashtag"


def test_readers_fold_without_other_rights(connection: Connection) -> None:
    """Readers fold and are told why not, without any right to what is behind it."""
    with connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL ROLE tagdb_reader")
        assert connection.execute("SELECT tagdb.fold_hashtag('#Straße')").fetchone() == ("strasse",)
        with pytest.raises(psycopg.errors.InvalidParameterValue), connection.transaction():
            connection.execute("SELECT tagdb.fold_hashtag('#')")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute("SELECT tagdb_store.fold_hashtag('#')")


def test_long_texts_fold_fast_as_in_python(connection: Connection) -> None:
    """What is dropped from the ends does not count, and what is far too long is not normalised."""
    space = [character for character in assigned() if character.isspace()]
    texts = [
        "x" * MAX_LENGTH,
        "e\u0301" * MAX_LENGTH,
        "e\u0301" * (MAX_LENGTH + 1),
        "ß" * (MAX_LENGTH // 2),
        "ß" * (MAX_LENGTH // 2 + 1),
        "·" * MAX_LENGTH,
        *("#" * n + "x" for n in (10 * MAX_LENGTH - 1, 10 * MAX_LENGTH)),
        *("# " * n + "x" for n in (5 * MAX_LENGTH - 1, 5 * MAX_LENGTH)),
        *("\ufe0f" * n + "x" for n in (1, 20 * MAX_LENGTH)),
        *(character * 20 * MAX_LENGTH + "x" + character for character in space),
        *(character * 20 * MAX_LENGTH for character in space),
        *("#" * (10 * MAX_LENGTH - 1) + "x" + character for character in space),
        "x" + "\u0301\u0323" * (5 * MAX_LENGTH - 1),
        "x" + "\u0301\u0323" * 100_000,  # minutes, if it were normalised
    ]
    assert not differing(texts, in_public(connection, texts), map(in_python, texts))


def test_every_character_folds_as_in_python(connection: Connection, newer: frozenset[str]) -> None:
    """Every character that folding does something to, alone and behind a letter; of the others, some."""
    texts = []
    for character in assigned():
        ordinary = unicodedata.normalize("NFKC", character) == character.casefold()
        if (not ordinary or ord(character) % 29 == 0) and character not in newer:
            texts += [character, "x" + character]
    expected = [in_python(text) for text in texts]
    assert len([folded for folded, _ in expected if folded]) > 20_000
    folded = in_sql(connection, texts)
    found = [(None if p else f, p) for f, p in zip(folded, problems(connection, folded), strict=True)]
    assert not differing(texts, found, expected)


@pytest.mark.parametrize("function", ["fold_hashtag", "hashtag_problem", "spelled_hashtag"])
def test_what_is_generated_is_up_to_date(function: str) -> None:
    written = (ROOT / f"migrations/sql/tagdb_store/{function}.sql").read_text("utf-8")
    if f"Unicode {unicodedata.unidata_version}" not in written:
        pytest.skip("this Python has another version of Unicode")
    made = subprocess.run(
        [sys.executable, str(ROOT / "tools/make_fold_sql.py"), function],
        capture_output=True, check=True, encoding="utf-8",
    )  # fmt: skip
    assert written == made.stdout


def test_problem_of_every_character(connection: Connection, newer: frozenset[str]) -> None:
    """Every character that there can be in a folded text, alone and behind a letter.

    Of those without meaning, which are most, some, and the first and last of every gap.
    """
    categories = [unicodedata.category(chr(code)) for code in range(sys.maxunicode + 1)]
    texts = []
    for code in range(1, sys.maxunicode + 1):
        around = set(categories[code - 1 : code + 2])
        if "Cs" in around or (around <= {"Cn", "Co"} and len(around) == 1 and code % 29):
            continue
        character = chr(code)
        for text in (character, "x" + character):
            is_folded = unicodedata.normalize("NFKC", text.casefold()) == text
            # These are folded away, so that Python would not judge them.
            bare = hashtags._IDLE_JOINERS.sub("", text.strip().lstrip("#"))
            framed = text != bare or character in UNSEEN
            if is_folded and not framed and character not in newer:
                texts.append(text)
    expected = [in_python(text) for text in texts]
    assert len(texts) > 280_000
    assert all(folded in (text, None) for text, (folded, _) in zip(texts, expected, strict=True))
    assert not differing(texts, problems(connection, texts), [reason for _, reason in expected])


SOME = st.characters(exclude_categories=("Cs", "Cn"), exclude_characters="\0")
LIKELY = st.characters(categories=("L", "M", "N", "So"), include_characters="_·\u200c\u200d")
TEXTS = (
    st.text(SOME, max_size=12)
    | st.text(LIKELY, max_size=12)
    | st.text(PECULIAR, max_size=8)
    | st.text(SOME | LIKELY | st.sampled_from(PECULIAR), min_size=MAX_LENGTH - 20, max_size=MAX_LENGTH + 5)
    | st.builds(str.__mul__, st.text(LIKELY | st.sampled_from(PECULIAR), max_size=4), st.integers(1, 500))
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(TEXTS, min_size=1, max_size=8))
def test_any_text_folds_as_in_python(connection: Connection, newer: frozenset[str], texts: list[str]) -> None:
    """What is accepted is folded alike, and is folded already; what is not, is not for the same reason."""
    texts = [text for text in texts if newer.isdisjoint(text)]
    expected = [in_python(text) for text in texts]
    assert not differing(texts, in_public(connection, texts), expected)
    folded = {text: done for text, (done, _) in zip(texts, expected, strict=True) if done}
    assert in_sql(connection, folded) == list(folded.values())
    assert in_sql(connection, folded.values()) == list(folded.values())
    assert problems(connection, folded.values()) == [None] * len(folded)


def test_of_null_and_nothing(connection: Connection) -> None:
    row = connection.execute(
        "SELECT tagdb_store.fold_hashtag(NULL), tagdb_store.fold_hashtag(' # '),"
        " tagdb_store.hashtag_problem(NULL), tagdb.fold_hashtag(NULL)"
    ).fetchone()
    assert row == (None, "", None, None)
