"""Settings of a factor run, in words."""

import math
from dataclasses import asdict, fields, replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tagdb.errors import FactorsError
from tagdb.learning import settings as plans
from tagdb.learning.settings import ANCESTOR, LIMITS, PRESETS, WEIGHTINGS, Plan

WHOLE = [field.name for field in fields(Plan) if field.type is int]
BROKEN = [field.name for field in fields(Plan) if field.type is float]


def any_plan(whole_to: float = math.inf, digits: int = 17) -> st.SearchStrategy[Plan]:
    """Plans with any values that are allowed; numbers of so many digits at most."""

    def short(value: float) -> float:
        return float(f"{value:.{digits}g}")

    return st.builds(
        Plan,
        weighting=st.sampled_from(WEIGHTINGS),
        **{name: st.integers(int(LIMITS[name][0]), int(min(LIMITS[name][1], whole_to))) for name in WHOLE},
        **{name: st.floats(*LIMITS[name], allow_subnormal=False).map(short) for name in BROKEN},
    )


def test_every_setting_has_limits() -> None:
    assert {*WHOLE, *BROKEN} == {*LIMITS}
    assert {field.name for field in fields(Plan)} == {*LIMITS, "weighting"}
    for plan in PRESETS.values():
        assert plans.changed(plan, **asdict(plan)) == plan


# --- reading ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Plan()),
        (" , ,", Plan()),
        ("factors=64", Plan(factors=64)),
        ("factors=64,alpha=2.5", Plan(factors=64, alpha=2.5)),
        (" factors = 64 , weighting = bm25 ,", Plan(factors=64, weighting="bm25")),
        ("min-images=3,similarity-exponent=0", Plan(min_images=3, similarity_exponent=0.0)),
        ("alpha=1e-3,factors=1e3", Plan(alpha=0.001, factors=1000)),
        ("factors=8,factors=9", Plan(factors=9)),
        ("shipped", Plan()),
        ("ancestor", ANCESTOR),
        ("ancestor,factors=20,weighting=tfidf", replace(ANCESTOR, factors=20, weighting="tfidf")),
    ],
)
def test_reading(text: str, expected: Plan) -> None:
    found = plans.parse(text, Plan())
    assert found == expected
    assert all(type(getattr(found, name)) is int for name in WHOLE)
    assert all(type(getattr(found, name)) is float for name in BROKEN)


def test_what_is_not_said_is_as_before() -> None:
    before = Plan(factors=7, weighting="bm25", seed=3)
    assert plans.parse("alpha=9", before) == replace(before, alpha=9.0)
    assert plans.parse("", before) == before
    assert plans.parse("shipped,alpha=9", before) == Plan(alpha=9.0)


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
        plans.parse(text, Plan())


def test_a_broken_number_for_a_whole_one() -> None:
    with pytest.raises(FactorsError, match="factors"):
        plans.parse("factors=12.75", Plan())


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_the_limits_themselves_are_allowed(name: str) -> None:
    for value in LIMITS[name]:
        assert getattr(plans.changed(Plan(), **{name: value}), name) == value
        below_or_above = value - 1 if value == LIMITS[name][0] else value * 2
        with pytest.raises(FactorsError, match=f"^{name} must be from "):
            plans.changed(Plan(), **{name: below_or_above})


# --- writing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "base", "expected"),
    [
        (Plan(), Plan(), ""),
        (ANCESTOR, ANCESTOR, ""),
        (Plan(factors=64), Plan(), "factors=64"),
        (Plan(weighting="bm25", alpha=2.5), Plan(), "alpha=2.5,weighting=bm25"),
        (replace(ANCESTOR, neighbours=7), ANCESTOR, "neighbours=7"),
        (Plan(), Plan(ridge=0.25, seed=1), "ridge=0.5,seed=42"),
    ],
)
def test_what_sets_plans_apart(plan: Plan, base: Plan, expected: str) -> None:
    assert plans.difference(plan, base) == expected


@given(any_plan(999_999, 6), any_plan(999_999, 6))
@example(ANCESTOR, Plan())
@example(Plan(), ANCESTOR)
def test_what_is_written_is_read_back(plan: Plan, base: Plan) -> None:
    assert plans.parse(plans.difference(plan, base), base) == plan


@pytest.mark.parametrize(
    "plan", [Plan(seed=1_234_567), Plan(alpha=0.123_456_7), Plan(seed=2**32 - 1)], ids=str
)
def test_what_is_written_is_read_back_to_the_last_digit(plan: Plan) -> None:
    assert plans.parse(plans.difference(plan), Plan()) == plan
