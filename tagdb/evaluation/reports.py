"""What an evaluation tells: its report, and the figures in it. Pure."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tagdb.evaluation import metrics
from tagdb.evaluation.contestants import TOP, Contestant, without
from tagdb.evaluation.holdout import Data, Split
from tagdb.evaluation.metrics import Estimate, Paired
from tagdb.learning.settings import ANCESTOR, FactorSettings

MAIN = "nDCG@10"
"""The figure that decides."""
BEYOND = "beyond the collection nDCG@10"
"""The same without the photo's own search hashtag, which its collection is named after."""
COVERAGE, POPULARITY = "coverage", "popularity"


@dataclass(frozen=True, slots=True)
class Row:
    """How good one setting is."""

    label: str
    plan: str | None
    """How it differs from what tagdb ships; None for what is no factor run."""
    metrics: dict[str, Estimate]
    against_ancestor: Paired | None
    """nDCG@10 compared with the student project's settings, on the same queries."""
    seconds: float


@dataclass(frozen=True, slots=True)
class SqlSample:
    """How the SQL functions answered, compared with the arrays."""

    label: str
    queries: int
    agreement: float
    """Share of the queries with the same hashtags in the same order."""
    ndcg_difference: float
    """Mean absolute difference of nDCG@10."""


@dataclass(frozen=True, slots=True)
class Report:
    """What an evaluation found."""

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
    """What was found for one contestant, query by query."""

    recommended: NDArray[np.int64]
    popularity: NDArray[np.float64]
    known: list[NDArray[np.int64]] = field(default_factory=list)
    seconds: float = 0.0


def per_query(
    found: Split, recommended: NDArray[np.int64], own: NDArray[np.int64] | None = None
) -> dict[str, NDArray[np.float64]]:
    """The figures of each query, float64 (q,) each; NaN where there is no truth left without ``own``."""
    rows, truth = found.rows, found.truth
    if own is not None:
        others = truth != own[rows]
        rows, truth = rows[others], truth[others]
        recommended = without(recommended, own)
    sizes = np.bincount(rows, minlength=len(found.queries))
    hit = metrics.hits(recommended[:, : TOP - 1], rows, truth)
    figures = metrics.per_query(hit, np.maximum(sizes, 1))
    return {name: np.where(sizes > 0, values, np.nan) for name, values in figures.items()}


def rows(
    data: Data, found: Split, contestants: dict[str, Contestant], results: dict[Contestant, Result]
) -> list[Row]:
    own = data.collections[found.queries]
    columns: list[NDArray[np.float64]] = []
    names: list[str] = []
    place: dict[Contestant, int] = {}
    for one, result in results.items():
        figures = per_query(found, result.recommended) | {
            POPULARITY: result.popularity,
            BEYOND: per_query(found, result.recommended, own)[MAIN],
        }
        names, place[one] = list(figures), len(columns)
        columns += figures.values()
    means = metrics.bootstrap(np.column_stack(columns), found.groups[found.queries])
    told_rows = []
    for label, one in contestants.items():
        result, start = results[one], place[one]
        told = {name: means.estimate(start + n) for n, name in enumerate(names)}
        first = result.recommended[:, : TOP - 1]
        told[COVERAGE] = Estimate(metrics.coverage(first, np.unique(np.concatenate(result.known))))
        main = names.index(MAIN)
        paired = None if one == ANCESTOR else means.paired(start + main, place[ANCESTOR] + main)
        plan = one.difference() if isinstance(one, FactorSettings) else None
        told_rows.append(Row(label, plan, told, paired, result.seconds))
    return told_rows
