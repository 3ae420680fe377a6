"""Which hashtags keywords come to."""

from datetime import UTC, datetime

import pytest

from tagdb.errors import ConfigError
from tagdb.hashtags import fold, joined
from tagdb.photos import keywords
from tagdb.photos.keywords import NOTHING, Description, Hierarchy, description, levels

PATHS = (("Places", "Italy", "Lake Como"), ("food",))


def hashtags(one: Description, hierarchy: Hierarchy = "leaf") -> list[str]:
    """The hashtags of a description of which all can be used."""
    found, refused = one.hashtags(hierarchy)
    assert refused == []
    return sorted(found)


@pytest.mark.parametrize(
    ("text", "hashtag"),
    [
        ("New York", "NewYork"),
        ("golden gate bridge", "goldengatebridge"),
        ("Rock 'n' Roll", "RocknRoll"),
        ("semi-detached", "semidetached"),
        ("Washington D.C.", "WashingtonDC"),
        ("Côte d’Azur", "CôtedAzur"),
        ("„Zitat“", "Zitat"),
        ("snake_case", "snake_case"),
        ("東京　タワー", "東京タワー"),
        ("I ♥ NY 👩‍💻", "I♥NY👩‍💻"),
        ("soft\u00adhyphen", "softhyphen"),
        ("½ l", "l"),  # NFKC makes a slash of it
        ("!?", ""),
    ],
)
def test_a_keyword_is_one_hashtag(text: str, hashtag: str) -> None:
    assert joined(text) == hashtag
    if hashtag:
        fold(hashtag)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("sea,sun; wind", ["sea", "sun", "wind"]),
        ("海、太陽；風", ["太陽", "海", "風"]),
        ("#sea #sun", ["sea", "sun"]),
        ("#sea", ["sea"]),
        ("#1 dad", ["1dad"]),
        (" , ;", []),
    ],
)
def test_several_keywords_in_one_item_are_split(item: str, expected: list[str]) -> None:
    assert hashtags(description([item])) == expected


def test_what_comes_to_nothing_is_refused_alone_and_by_name() -> None:
    found, refused = description(["sea", "?!", "?!", "_", "x" * 151]).hashtags("leaf")
    assert found == ["sea"]
    assert [str(each) for each in refused] == [
        "keyword '?!': nothing in it can be part of a hashtag",
        "keyword '_': no letter, number or symbol in the hashtag: U+005F",
        f"keyword '{'x' * 40}…': hashtag of 151 characters; at most 150 are allowed: '{'x' * 40}…'",
    ]
    assert {each.reason_code for each in refused} == {"invalid_hashtag"}


def test_the_leaf_of_a_path_or_all_of_it() -> None:
    one = description(["Places", "ITALY", "Lake Como", "food", "holiday"], PATHS)
    assert hashtags(one) == ["LakeComo", "food", "holiday"]
    assert hashtags(one, "path") == ["Italy", "LakeComo", "Places", "food", "holiday"]


def test_what_lies_above_one_keyword_may_be_another() -> None:
    assert hashtags(description(["dog", "animal"], [("animal", "dog"), ("animal",)])) == ["animal", "dog"]


def test_a_path_as_a_flat_keyword() -> None:
    """As Windows writes it, which uses a slash, and other programs."""
    assert hashtags(description(["Places/Italy/Lake Como", "black/white"], PATHS)) == [
        "LakeComo",
        "blackwhite",
        "food",
    ]
    assert hashtags(description(["Places|Italy|Rome"])) == ["Rome"]
    assert hashtags(description(["Places|Italy|Rome"]), "path") == ["Italy", "Places", "Rome"]


def test_a_comma_in_a_level_separates_nothing() -> None:
    one = description(["Washington, D.C."], [("Places", "Washington, D.C.")])
    assert hashtags(one) == ["WashingtonDC"]


def test_what_programs_note_about_the_file_is_left_out() -> None:
    internal = ("_Digikam_Internal_Tags_/Color Label Red", "_Digikam_root_tag_/Orte/Zürich")
    paths = [levels(each, "/") for each in internal] + [("darktable", "format", "jpg")]
    one = description(["Color Label Red", "jpg", "darktable", "sea"], paths)
    assert hashtags(one) == ["Zürich", "sea"]
    assert hashtags(one, "path") == ["Orte", "Zürich", "sea"]


def test_hashtags_of_a_caption_count_and_its_words_do_not() -> None:
    one = description(captions=["Lunch #sea, (#sun)!", "Dinner by the lake", "＃海"])
    assert hashtags(one) == ["sea", "sun", "海"]


def test_the_first_of_two_descriptions_counts_more() -> None:
    time = datetime(2020, 1, 2, tzinfo=UTC)
    one = Description(keywords=("a",), title="first", refused=("because",))
    other = Description(keywords=("b",), paths=(("c", "d"),), title="second", rating=3, taken_at=time)
    assert one | other == Description(("a", "b"), (("c", "d"),), (), "first", 3, time, ("because",))
    assert NOTHING | one == one | NOTHING == one


def test_a_description_has_limits() -> None:
    most = keywords.MAX_KEYWORDS
    one = description((f"k{number}" for number in range(most + 2)), [("a", "b")], ["#c"])
    assert len(one.keywords) == most
    assert one.refused == ("too many keywords: 4 are left out; at most 1000, and 65536 characters, are read",)
    long = description(["sea", "x" * keywords.MAX_CHARACTERS, "sun"])
    assert long.keywords == ("sea", "sun")
    assert long.refused[0].startswith("too many keywords: 1 are left out")
    joined_ = description([",".join(map(str, range(2 * most)))])
    found, refused = joined_.hashtags("leaf")
    assert len(found) == most
    assert [str(each) for each in refused] == [f"{2 * most} keywords; only the first {most} are used"]


def test_a_title_can_be_stored() -> None:
    assert description(title="a\0b\ud800\r\nc ").title == "a b c"
    assert description(title=" \0").title is None
    assert len(description(title="x" * 5_000).title or "") == keywords.MAX_TITLE


@pytest.mark.parametrize(
    ("text", "percent", "rating"),
    [
        ("5", False, 5), ("-1", False, -1), ("3.0", False, 3), ("0", False, None), ("6", False, None),
        ("", False, None), ("five", False, None), ("nan", False, None), ("inf", False, None),
        ("1", True, 1), ("25", True, 2), ("50", True, 3), ("75", True, 4), ("99", True, 5), ("0", True, None),
    ],
)  # fmt: skip
def test_ratings(text: str, percent: bool, rating: int | None) -> None:
    assert keywords.rating_in(text, percent) == rating


def test_json_gives_the_same_description() -> None:
    one = Description(("a",), (("b", "c"),), ("d",), "title", 3, None, ("because",))
    assert keywords.from_json(keywords.as_json(one)) == one
    assert keywords.as_json(NOTHING) is None
    assert keywords.from_json(None) == NOTHING


def test_unknown_choices_are_refused() -> None:
    keywords.check("sidecar", "path")
    with pytest.raises(ConfigError, match="keywords must be one of all, sidecar, none, not 'no'"):
        keywords.check("no", "leaf")
    with pytest.raises(ConfigError, match="hierarchy must be one of leaf, path, not 'root'"):
        keywords.check("all", "root")
