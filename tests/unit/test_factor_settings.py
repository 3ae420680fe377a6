"""Settings of a factor run, in words."""

import json
import math
from dataclasses import fields, replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tagdb.errors import FactorsError
from tagdb.learning.settings import ANCESTOR, PRESETS, SETTINGS, FactorSettings
from tagdb.postgres import tables

WHOLE = [field.name for field in fields(FactorSettings) if field.type is int]
BROKEN = [field.name for field in fields(FactorSettings) if field.type is float]
NUMBERS = [*WHOLE, *BROKEN]


def any_plan(whole_to: float = math.inf, digits: int = 17) -> st.SearchStrategy[FactorSettings]:
    """Plans with any values that are allowed; numbers of so many digits at most."""

    def short(value: float) -> float:
        return float(f"{value:.{digits}g}")

    return st.builds(
        FactorSettings,
        weighting=st.sampled_from(SETTINGS["weighting"].choices),
        **{
            name: st.integers(int(SETTINGS[name].low), int(min(SETTINGS[name].high, whole_to)))
            for name in WHOLE
        },
        **{
            name: st.floats(SETTINGS[name].low, SETTINGS[name].high, allow_subnormal=False)
            .map(short)
            .map(lambda value, whole=SETTINGS[name].whole_from: value if value < whole else float(int(value)))
            for name in BROKEN
        },
    )


def test_every_setting_has_limits() -> None:
    for name in NUMBERS:
        assert SETTINGS[name].low < SETTINGS[name].high
    assert [*SETTINGS, "chosen"] == [field.name for field in fields(FactorSettings)]
    assert {*SETTINGS} - {*NUMBERS} == {"weighting"}
    for settings in PRESETS.values():
        assert settings.changed(**settings.values()).values() == settings.values()


def test_what_nobody_chose_follows_the_images_and_the_hashtags_that_they_share() -> None:
    default = FactorSettings()
    few = {
        "regularization": 0.1, "min_images": 1, "min_hashtags": 1, "refit_penalty": 0, "contrast": 0,
        "similarity_exponent": 2,
    }  # fmt: skip
    small = {"regularization": 1, "neighbours": 35, "contrast": 0.9}
    tidy = {"regularization": 0.3, "min_images": 1, "contrast": 0.9}
    assert default.following(500, 10, 0.1) == default.following(250, 3, 0.3) == default
    assert default.following(250, 10, 0.1) == default.following(499, 500, 0.66)
    assert default.following(499, 500, 0.66) == replace(default, neighbours=35)
    assert default.following(249, 10, 0.1) == default.following(249, 500, 0.66) == replace(default, **small)
    assert default.following(249, 10, 0.67) == default.following(249, 9, 0.3) == replace(default, **tidy)
    assert default.following(12, 10, 0.1) == replace(default, factors=12, **small)
    assert default.following(11, 9, 0.29) == replace(default, factors=11, **few)
    assert default.following(5000, 9, 0.29) == replace(default, **few)
    assert default.following(5000, 1, 1) == default
    assert ANCESTOR.following(3, 0, 0) == ANCESTOR
    other = default.changed(alpha=5, factors=64, min_images=2, contrast=0.6, refit_penalty=8)
    assert other.following(3, 0, 0) == replace(
        other, regularization=0.1, min_hashtags=1, similarity_exponent=2
    )
    assert other.following(3, 0, 0).settled().following(5000, 99, 1) == other.following(3, 0, 0).settled()
    assert other.changed(min_images=3).changed(min_images=2).chosen == {
        "min_images",
        "contrast",
        "refit_penalty",
    }


@pytest.mark.parametrize(
    "settings", [FactorSettings(), ANCESTOR, FactorSettings().changed(alpha=5, contrast=0.6)], ids=str
)
def test_what_is_stored_is_restored(settings: FactorSettings) -> None:
    assert FactorSettings.restored(json.loads(json.dumps(settings.stored()))) == settings
    assert FactorSettings.restored(settings.values()).values() == settings.values()


def test_every_setting_is_a_column_of_factor_runs() -> None:
    columns = tables.metadata.tables["tagdb_store.factor_runs"].columns
    assert {*SETTINGS} <= {*columns.keys()}
    for name in SETTINGS:
        assert not columns[name].nullable


def test_what_tune_tries_is_allowed() -> None:
    for name, setting in SETTINGS.items():
        for value in setting.tried:
            FactorSettings().changed(**{name: value})


# --- reading ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", FactorSettings()),
        (" , ,", FactorSettings()),
        ("factors=64", FactorSettings(factors=64)),
        ("factors=64,alpha=2.5", FactorSettings(factors=64, alpha=2.5)),
        (" factors = 64 , weighting = bm25 ,", FactorSettings(factors=64, weighting="bm25")),
        ("min-images=3,similarity-exponent=0", FactorSettings(min_images=3, similarity_exponent=0.0)),
        ("alpha=1e-3,factors=1e3", FactorSettings(alpha=0.001, factors=1000)),
        ("factors=8,factors=9", FactorSettings(factors=9)),
        ("shipped", FactorSettings()),
        ("ancestor", ANCESTOR),
        ("ancestor,factors=20,weighting=tfidf", replace(ANCESTOR, factors=20, weighting="tfidf")),
    ],
)
def test_settings_are_read_from_text(text: str, expected: FactorSettings) -> None:
    found = FactorSettings().parsed(text)
    assert found == expected
    assert all(type(getattr(found, name)) is int for name in WHOLE)
    assert all(type(getattr(found, name)) is float for name in BROKEN)


def test_what_is_not_said_is_as_before() -> None:
    before = FactorSettings(factors=7, weighting="bm25", seed=3)
    assert before.parsed("alpha=9") == replace(before, alpha=9.0)
    assert before.parsed("") == before
    assert before.parsed("shipped,alpha=9") == FactorSettings(alpha=9.0)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("factor=8", "there is no setting 'factor'; there are: factors, alpha, "),
        ("factors", "'factors' is not a setting: write name=value,name=value, or shipped or ancestor"),
        ("mine", "'mine' is not a setting"),
        ("factors=8,ancestor", "'ancestor' is not a setting"),
        ("factors=many", "'many' is not a number for factors"),
        ("factors=", "'' is not a number for factors"),
        ("alpha=1=2", "'1=2' is not a number for alpha"),
        ("=3", "there is no setting ''"),
        ("weighting=plain", "weighting must be none, bm25 or tfidf"),
        ("factors=0", "factors must be from 1 to 4000, not 0"),
        ("factors=4001", "factors must be from 1 to 4000, not 4001"),
        ("ridge=1.5", "ridge must be from 0 to 1, not 1.5"),
        ("ridge=-0.1", "ridge must be from 0 to 1, not -0.1"),
        ("alpha=nan", "alpha must be from 1e-06 to 1e[+]06, not nan"),
        ("alpha=inf", "alpha must be from 1e-06 to 1e[+]06, not inf"),
        ("factors=nan", "factors must be from 1 to 4000, not nan"),
        ("seed=-1", "seed must be from 0 to "),
    ],
)
def test_what_cannot_be_read(text: str, complaint: str) -> None:
    with pytest.raises(FactorsError, match=complaint):
        FactorSettings().parsed(text)


def test_a_broken_number_for_a_whole_one() -> None:
    with pytest.raises(FactorsError, match="factors"):
        FactorSettings().parsed("factors=12.75")


@pytest.mark.parametrize("name", NUMBERS)
def test_the_limits_themselves_are_allowed(name: str) -> None:
    for value in (SETTINGS[name].low, SETTINGS[name].high):
        assert getattr(FactorSettings().changed(**{name: value}), name) == value
        below_or_above = value - 1 if value == SETTINGS[name].low else value * 2
        with pytest.raises(FactorsError, match=f"^{name} must be from "):
            FactorSettings().changed(**{name: below_or_above})


# --- writing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "base", "expected"),
    [
        (FactorSettings(), FactorSettings(), ""),
        (ANCESTOR, ANCESTOR, ""),
        (FactorSettings(factors=64), FactorSettings(), "factors=64"),
        (FactorSettings(weighting="bm25", alpha=2.5), FactorSettings(), "alpha=2.5,weighting=bm25"),
        (replace(ANCESTOR, neighbours=7), ANCESTOR, "neighbours=7"),
        (FactorSettings(), FactorSettings(ridge=0.25, seed=1), "ridge=0.5,seed=42"),
    ],
)
def test_what_sets_plans_apart(settings: FactorSettings, base: FactorSettings, expected: str) -> None:
    assert settings.difference(base) == expected


@given(any_plan(999_999, 6), any_plan(999_999, 6))
@example(ANCESTOR, FactorSettings())
@example(FactorSettings(), ANCESTOR)
def test_what_is_written_is_read_back(settings: FactorSettings, base: FactorSettings) -> None:
    assert base.parsed(settings.difference(base)).values() == settings.values()
    assert FactorSettings().parsed(settings.difference()) == settings


@pytest.mark.parametrize(
    "settings",
    [FactorSettings(seed=1_234_567), FactorSettings(alpha=0.123_456_7), FactorSettings(seed=2**32 - 1)],
    ids=str,
)
def test_what_is_written_is_read_back_to_the_last_digit(settings: FactorSettings) -> None:
    assert FactorSettings().parsed(settings.difference()) == settings
