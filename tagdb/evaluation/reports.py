"""The report of an evaluation and its figures. Pure."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tagdb.evaluation import metrics
from tagdb.evaluation.contestants import TOP, Contestant, without
from tagdb.evaluation.holdout import Data, Split
from tagdb.evaluation.metrics import Estimate, Paired
from tagdb.learning.settings import ANCESTOR, FactorSettings

MAIN = "nDCG@10"
"""The figure that decides which settings are better."""
BEYOND = "beyond the collection nDCG@10"
"""The same figure without the hashtag that the photo's collection is named after."""
COVERAGE, POPULARITY = "coverage", "popularity"


@dataclass(frozen=True, slots=True)
class Row:
    """Figures of one contestant."""

    label: str
    plan: str | None
    """Settings that differ from the shipped ones; None for a baseline."""
    metrics: dict[str, Estimate]
    against_ancestor: Paired | None
    """nDCG@10 compared with the ancestor's settings, on the same queries."""
    against_best: Paired | None
    """The same compared with the best of all, for which it is None."""
    seconds: float
    failed: str | None = None
    """Why nothing could be learned, in one fold at least, where it recommended nothing."""


@dataclass(frozen=True, slots=True)
class SqlSample:
    """Answers of the SQL functions compared with those computed on arrays."""

    label: str
    queries: int
    agreement: float
    """Share of the queries with the same hashtags in the same order, equal scores aside."""
    ndcg_difference: float
    """Mean absolute difference of nDCG@10."""


@dataclass(frozen=True, slots=True)
class Report:
    """Result of an evaluation."""

    images: int
    groups: int
    queries: int
    folds: int
    fraction: float | None
    seed: int
    min_truth: int
    rows: list[Row]
    sql: SqlSample | None


@dataclass(slots=True)
class Result:
    """Answers of one contestant, per query."""

    recommended: NDArray[np.int64]
    popularity: NDArray[np.float64]
    known: list[NDArray[np.int64]] = field(default_factory=list)
    photos: list[int] = field(default_factory=list)
    """Number of photos learned from, fold by fold."""
    seconds: float = 0.0
    failed: str | None = None
    """Why nothing could be learned, in one fold at least."""


def per_query(
    split: Split, recommended: NDArray[np.int64], own: NDArray[np.int64] | None = None
) -> dict[str, NDArray[np.float64]]:
    """Return the figures of each query, float64 (q,) each; NaN where no truth is left without ``own``."""
    rows, truth = split.rows, split.truth
    if own is not None:
        others = truth != own[rows]
        rows, truth = rows[others], truth[others]
        recommended = without(recommended, own)
    sizes = np.bincount(rows, minlength=len(split.queries))
    hit = metrics.hits(recommended[:, : TOP - 1], rows, truth)
    figures = metrics.per_query(hit, np.maximum(sizes, 1))
    return {name: np.where(sizes > 0, values, np.nan) for name, values in figures.items()}


def rows(
    data: Data, split: Split, contestants: dict[str, Contestant], results: dict[Contestant, Result]
) -> list[Row]:
    """Return one row per contestant, with intervals from the same resamples."""
    own = data.collections[split.queries]
    columns: list[NDArray[np.float64]] = []
    names: list[str] = []
    place: dict[Contestant, int] = {}
    for contestant, result in results.items():
        figures = per_query(split, result.recommended) | {
            POPULARITY: result.popularity,
            BEYOND: per_query(split, result.recommended, own)[MAIN],
        }
        names, place[contestant] = list(figures), len(columns)
        columns += figures.values()
    means = metrics.bootstrap(np.column_stack(columns), split.groups[split.queries])
    main = names.index(MAIN)
    best = max(place, key=lambda one: means.estimate(place[one] + main).mean)
    table = []
    for label, contestant in contestants.items():
        result, start = results[contestant], place[contestant]
        estimates = {name: means.estimate(start + n) for n, name in enumerate(names)}
        first = result.recommended[:, : TOP - 1]
        estimates[COVERAGE] = Estimate(metrics.coverage(first, np.unique(np.concatenate(result.known))))
        paired, behind = (
            None if contestant == other else means.paired(start + main, place[other] + main)
            for other in (ANCESTOR, best)
        )
        plan = contestant.difference() if isinstance(contestant, FactorSettings) else None
        table.append(Row(label, plan, estimates, paired, behind, result.seconds, result.failed))
    return table
