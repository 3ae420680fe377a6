"""Settings of a factor run: what decides the factors, and how recommending uses them."""

from dataclasses import dataclass, fields, replace
from typing import Any

from tagdb.errors import FactorsError


@dataclass(frozen=True, slots=True)
class Plan:
    """What to compute, and how recommending is to use it. The defaults were chosen by docs/evaluation.md."""

    factors: int = 128
    """Numbers a vector."""
    alpha: float = 1.0
    """Confidence of a hashtag on a photo."""
    regularization: float = 0.01
    """Against overfitting, in ALS."""
    iterations: int = 15
    """Rounds of ALS."""
    min_images: int = 2
    """Hashtags on fewer images are left out."""
    min_hashtags: int = 3
    """Images with fewer hashtags are learned from but are no neighbours; never more than the median has."""
    weighting: str = "none"
    """How interactions are weighted: none, bm25 or tfidf."""
    accepted_weight: float = 2.0
    """How many times the confidence of a hashtag one has that feedback accepted."""
    ridge: float = 0.5
    """Share of an image's factors that is predicted from its embedding, by ridge regression."""
    ridge_penalty: float = 1.0
    """Penalty of that regression."""
    refit_penalty: float = 8.0
    """Penalty of refitting the hashtag factors to averages of neighbours, in units of the mean squared
    length of these averages; 0: they stay as ALS left them."""
    seed: int = 42
    """The same data and seed give the same factors."""
    neighbours: int = 50
    """Nearest images whose factors are averaged."""
    similarity_exponent: float = 8.0
    """A neighbour's weight is its cosine similarity to this power; 0 is the plain mean."""


ANCESTOR = Plan(
    factors=10,
    alpha=40.0,
    regularization=0.1,
    iterations=10,
    min_images=1,
    min_hashtags=1,
    accepted_weight=1.0,
    ridge=0.0,
    refit_penalty=0.0,
    neighbours=5,
    similarity_exponent=0.0,
)
"""The settings of the student project that tagdb grew from."""

PRESETS = {"shipped": Plan(), "ancestor": ANCESTOR}
WEIGHTINGS = ("none", "bm25", "tfidf")
LIMITS: dict[str, tuple[float, float]] = {
    "factors": (1, 4000),
    "alpha": (1e-6, 1e6),
    "regularization": (0, 1e6),
    "iterations": (1, 1000),
    "min_images": (1, 1_000_000),
    "min_hashtags": (1, 1000),
    "accepted_weight": (1e-3, 1000),
    "ridge": (0, 1),
    "ridge_penalty": (1e-6, 1e9),
    "refit_penalty": (0, 1e9),
    "seed": (0, 2**32 - 1),
    "neighbours": (1, 10_000),
    "similarity_exponent": (0, 1000),
}
"""The least and the greatest value of each number."""


def changed(plan: Plan, **values: Any) -> Plan:
    """A plan with other values, checked.

    Raises
    ------
    FactorsError
        There is no such setting, or it cannot have that value.
    """
    kinds = {field.name: field.type for field in fields(Plan)}
    for name, value in values.items():
        if name not in kinds:
            raise FactorsError(f"there is no setting {name!r}; there are: {', '.join(kinds)}")
        if name == "weighting":
            if value not in WEIGHTINGS:
                raise FactorsError(f"weighting must be {', '.join(WEIGHTINGS[:-1])} or {WEIGHTINGS[-1]}")
            continue
        low, high = LIMITS[name]
        if not low <= value <= high:
            raise FactorsError(f"{name} must be from {low:g} to {high:g}, not {value:g}")
        if kinds[name] is int and value != int(value):
            raise FactorsError(f"{name} must be a whole number, not {value:g}")
    return replace(plan, **{name: _typed(kinds[name], value) for name, value in values.items()})


def parse(text: str, base: Plan) -> Plan:
    """A plan from ``name=value,name=value``, a preset's name in front or not.

    Raises
    ------
    FactorsError
        The text is not of that form, or a value cannot be.
    """
    values: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.partition("=")
        name = name.strip().replace("-", "_")
        if not equals and name in PRESETS and not values:
            base = PRESETS[name]
        elif not equals:
            raise FactorsError(
                f"{part!r} is not a setting: write name=value,name=value, or {' or '.join(PRESETS)}"
            )
        elif name == "weighting":
            values[name] = value.strip()
        else:
            try:
                values[name] = float(value)
            except ValueError:
                raise FactorsError(f"{value.strip()!r} is not a number for {name}") from None
    return changed(base, **values)


def difference(plan: Plan, base: Plan = Plan()) -> str:
    """What sets a plan apart from another, as ``parse`` reads it; empty where nothing does."""
    return ",".join(
        f"{field.name}={str(value).removesuffix('.0')}"
        for field in fields(Plan)
        if (value := getattr(plan, field.name)) != getattr(base, field.name)
    )


def _typed(kind: Any, value: Any) -> Any:
    return int(value) if kind is int else float(value) if kind is float else value
