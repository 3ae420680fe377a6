"""How hashtags are folded and split."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagdb.errors import RejectedInput
from tagdb.hashtags import MAX_LENGTH, fold, printable, spelled, split, written
from tagdb.hashtags import given as given_by_hand

# Letters whose case or compatibility folding is peculiar, and what hashtags are framed by.
PECULIAR = "ßẞİıſǰΐᾳᾼ\u0345\u0301\u0307ﬀŀ·ªŉÅKΣςꭰᏸ가각 ㍿①Ⅷ😀🏽\u200d\ufe0f_#＃﹟ \u00b4\u202e\x00\ud800"


@pytest.mark.parametrize(
    ("raw", "folded"),
    [
        ("#Cat", "cat"),
        ("  ##cat\n", "cat"),
        ("# cat", "cat"),
        ("＃ＣＡＴ", "cat"),
        ("Straße", "strasse"),
        ("STRASSE", "strasse"),
        ("cafe\u0301", "caf\u00e9"),
        ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
        ("x²", "x2"),
        ("a_b", "a_b"),
        ("col·lecció", "col·lecció"),
        ("coŀlecció", "col·lecció"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("👍🏽", "👍🏽"),
        ("1\ufe0f\u20e3", "1\u20e3"),
        ("❤\ufe0f", "❤"),
        ("\ufe0f ❤\ufe0e ", "❤"),
        ("e\ufe0f\u0301", "é"),
        ("🇩🇪", "🇩🇪"),
        ("हिन्दी", "हिन्दी"),
        ("a" * MAX_LENGTH, "a" * MAX_LENGTH),
        ("2019", "2019"),
    ],
)
def test_hashtags_fold(raw: str, folded: str) -> None:
    assert fold(raw) == folded


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "empty hashtag"),
        (" # ", "empty hashtag"),
        ("#\ufe0f", "empty hashtag"),
        ("a" * (MAX_LENGTH + 1), "hashtag of 151 characters; at most 150"),
        ("ß" * 76, "hashtag of 152 characters"),
        ("\u0301" * 100_000, "hashtag of 100000 characters"),
        ("a b", "U+0020 (SPACE)"),
        ("a#b", "U+0023"),
        ("wow!", "U+0021 (EXCLAMATION MARK)"),
        ("a\x00b", "U+0000 cannot"),
        ("a\x1b[31m", "U+001B"),
        ("a\ud800", "U+D800"),
        ("\u200b\u202e#\u2060", "empty hashtag"),
        ("\u115f\u3164", "empty hashtag"),
        ("caf\ufffd", "U+FFFD (REPLACEMENT CHARACTER)"),
        ("・", "no letter, number or symbol"),
        ("\U000e0067\U000e007f", "empty hashtag"),
        ("a\ue000", "U+E000"),
        ("a-b", "U+002D"),
        ("a$", "U+0024"),
        ("___", "no letter, number or symbol in the hashtag: U+005F U+005F U+005F"),
        ("\u0301\u200d", "no letter, number or symbol"),
    ],
)
def test_what_is_no_hashtag_is_refused_with_a_reason(raw: str, reason: str) -> None:
    with pytest.raises(RejectedInput) as caught:
        fold(raw)
    assert reason in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("raw", "folded"),
    [
        ("#sea\u200b", "sea"),
        ("\u200e#beach", "beach"),
        ("#\u2066sun\u2069", "sun"),
        ("#\u0634\u0627\u0637\u0626\u200f", "\u0634\u0627\u0637\u0626"),
        ("sand\ufeff", "sand"),
        ("a\u00adb\u202ec", "abc"),
        ("\u3164sea\uffa0\u2800", "sea"),  # blanks that count as letters or symbols
        ("葛\U000e0100城", "葛城"),
        ("東京・大阪", "東京・大阪"),
        ("\u200dsea\u200c", "sea"),  # joiners that join nothing
        ("sea\u200dsun", "seasun"),
        ("👩\u200d", "👩"),
        ("\u200d#sea", "sea"),
        ("sea\U000e0001", "sea"),
        ("⤴\ufe0f", "⤴"),
        ("ﾄﾛ･ﾏｸﾞﾛ", "トロ・マグロ"),
        ("#צה״ל", "צה״ל"),
        ("བོད་ཡིག", "བོད་ཡིག"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # this joiner is part of the word
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", None),
        ("🏴\u200d☠\ufe0f", "🏴\u200d☠"),
        ("x\U000e0067", "x"),  # without a flag nobody sees it
    ],
)
def test_what_nobody_sees_is_dropped_and_flags_are_kept(raw: str, folded: str | None) -> None:
    assert fold(raw) == (raw if folded is None else folded)
    assert fold(fold(raw)) == fold(raw)


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        ("#NewYork", "NewYork"),
        (" ＃น้ำตก", "น้ำตก"),
        ("ελλάς", "ελλάς"),
        ("straße", "straße"),
        ("ㅋㅋㅋ", "ㅋㅋㅋ"),
        ("cafe\u0301\u200b", "café"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("ﷺ" * 20, "ﷺ" * 20),
    ],
)
def test_hashtags_are_shown_as_they_are_written(raw: str, written: str) -> None:
    if len(written) < 20:
        assert fold(spelled(raw)) == fold(raw)
    assert spelled(raw) == written


@settings(max_examples=500, deadline=None)
@given(st.text() | st.text(alphabet=PECULIAR, max_size=12))
def test_folding_is_idempotent_and_safe(raw: str) -> None:
    try:
        folded = fold(raw)
    except RejectedInput as error:
        folded, reason = "", str(error)
    if not folded:
        assert reason.isprintable()
        return
    assert fold(folded) == folded
    assert fold("#" + folded) == folded
    assert unicodedata.is_normalized("NFKC", folded)
    assert 1 <= len(folded) <= MAX_LENGTH
    folded.encode()


def test_every_character_folds_once() -> None:
    for character in map(chr, range(0x30000)):
        try:
            folded = fold(character)
        except RejectedInput:
            continue
        assert fold(folded) == folded, f"U+{ord(character):04X}"


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("#a#b", ["a", "b"]),
        ("a, b;c|d e\tf\ng", ["a", "b", "c", "d", "e", "f", "g"]),
        ("＃a＃B", ["a", "B"]),
        (" ,#;|", []),
        ("", []),
        ("wow! #x", ["wow!", "x"]),
        ("海、太陽，空；雨。雪､風｡｜x", ["海", "太陽", "空", "雨", "雪", "風", "x"]),
        ("بحر، شمس؛ رمل۔", ["بحر", "شمس", "رمل"]),
    ],
)
def test_texts_are_split_into_hashtags(text: str, pieces: list[str]) -> None:
    assert split(text) == pieces
    if "#" not in text and "＃" not in text:
        assert written(text) == pieces


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Lunch #sea, #sun! (#sand)", ["sea", "sun", "sand"]),
        ("#a#b", ["a", "b"]),
        ("＃a ##b", ["a", "b"]),
        ("#sea sun", ["sea"]),
        ("#夏、#海。#空」", ["夏", "海", "空"]),
        ("#rock'n'roll #c++ #a-b #5$ #…", ["rock", "c", "a", "5"]),
        ("#col·lecció #a_b #a＿b #می‌خواهم.", ["col·lecció", "a_b", "a＿b", "می‌خواهم"]),
        ("#❤️! #👍🏽, #👩‍👧. #1️⃣)", ["❤️", "👍🏽", "👩‍👧", "1️⃣"]),
        ("#rock&#39;n #roll&amp; it&#39;s at HTTPS://x.example/#top #sea", ["rock", "roll", "sea"]),
        ("#a\0b #a\u202eb #\ud800", ["a\0b", "a\u202eb", "\ud800"]),
        ("C# or # 5", []),
    ],
)
def test_only_words_with_a_number_sign_count_in_a_caption(text: str, words: list[str]) -> None:
    assert written(text) == words


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=PECULIAR + "a,. ", max_size=12))
def test_what_is_folded_is_the_same_word_in_a_caption(raw: str) -> None:
    try:
        folded = fold(raw)
    except RejectedInput:
        return
    assert written(f"(#{folded}).") == [folded]


def test_all_words_count_that_a_person_gives() -> None:
    assert (
        given_by_hand("sea sun") == given_by_hand("#sea #sun") == given_by_hand("#sea sun") == ["sea", "sun"]
    )
    assert given_by_hand(["海、太陽", "#a"]) == ["海", "太陽", "a"]


def test_texts_are_made_printable() -> None:
    assert printable("a\x1b[1m\u202e\udcff é😀") == "a\\x1b[1m\\u202e\\udcff é😀"
    assert printable("abcdef", 3) == "abc…"
    assert printable("abc", 3) == "abc"
