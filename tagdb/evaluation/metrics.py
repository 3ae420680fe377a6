"""Quality of ranked hashtags, with confidence intervals. Pure: arrays in, numbers out.

Figures per query compare the hashtags recommended for a photo with those it has. Intervals come from
resampling *groups* of photos, not photos: photos of one post are almost the same observation, and counting
them as several would make the intervals too narrow.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
LEVELS = (2.5, 97.5)
"""Percentiles at the ends of a 95 % interval."""


def hits(
    recommended: NDArray[np.int64], rows: NDArray[np.int64], hashtag_ids: NDArray[np.integer]
) -> NDArray[np.bool_]:
    """Return which recommendations are right, bool (q, c).

    Parameters
    ----------
    recommended : int64 (q, c)
        Hashtag ids, best first, -1 where there is none.
    rows, hashtag_ids : (t,)
        Truth in pairs: the place of a query and a hashtag that it has.
    """
    span = int(max(recommended.max(initial=0), hashtag_ids.max(initial=0))) + 1
    asked = np.arange(len(recommended))[:, None] * span + recommended
    return np.isin(asked, rows * span + hashtag_ids.astype(np.int64)) & (recommended >= 0)


def per_query(hit: NDArray[np.bool_], truth: NDArray[np.integer]) -> dict[str, NDArray[np.float64]]:
    """Return P@1, P@5, P@10, R@5, R@10, nDCG@10 and hit@5 of each query, float64 (q,) each.

    Precision divides by the length of the requested list, even if fewer hashtags were returned. The gain of
    nDCG is 1 for a right hashtag, discounted by log2(1 + rank); the ideal list starts with min(10, truth)
    right hashtags.

    Parameters
    ----------
    hit : bool (q, c)
        From :func:`hits`; columns after the tenth are ignored.
    truth : (q,)
        Number of right hashtags, at least 1.
    """
    right = np.zeros((len(hit), 10))
    right[:, : min(hit.shape[1], 10)] = hit[:, :10]
    discount = 1 / np.log2(np.arange(2, 12))
    ideal = np.cumsum(discount)[np.minimum(truth, 10) - 1]
    return {
        "P@1": right[:, 0],
        "P@5": right[:, :5].sum(axis=1) / 5,
        "P@10": right.sum(axis=1) / 10,
        "R@5": right[:, :5].sum(axis=1) / truth,
        "R@10": right.sum(axis=1) / truth,
        "nDCG@10": right @ discount / ideal,
        "hit@5": right[:, :5].any(axis=1).astype(np.float64),
    }


def coverage(recommended: NDArray[np.int64], known: NDArray[np.integer]) -> float:
    """Return the share of known hashtags, (h,) distinct ids, that are recommended, (q, c), at all."""
    return float(np.isin(known, recommended).mean()) if len(known) else 0.0


def popularity(
    recommended: NDArray[np.int64], hashtag_ids: NDArray[np.integer], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean share of images that have the recommended hashtags, float64 (q,); NaN for none.

    Parameters
    ----------
    recommended : int64 (q, c)
        Hashtag ids, -1 where there is none.
    hashtag_ids, share : (h,)
        Ascending ids, and the share of training images that have each.
    """
    place = np.minimum(np.searchsorted(hashtag_ids, recommended), len(hashtag_ids) - 1)
    used = np.where(hashtag_ids[place] == recommended, share[place], 0.0)
    count = (recommended >= 0).sum(axis=1)
    return np.where(count > 0, used.sum(axis=1) / np.maximum(count, 1), np.nan)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % interval, which is None if the mean could not be resampled."""

    mean: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Paired:
    """Difference of two means over the same queries, absolute and relative, with 95 % intervals."""

    difference: float
    low: float
    high: float
    relative: float | None
    relative_low: float | None
    relative_high: float | None
    """None if the second mean is 0, overall or in a resample."""


@dataclass(frozen=True, slots=True)
class Means:
    """Means of m columns: over all queries, float64 (m,), and per resample, float64 (resamples, m)."""

    all: NDArray[np.float64]
    resampled: NDArray[np.float64]

    def estimate(self, column: int) -> Estimate:
        """Return the mean of a column with its interval; 0 without one if no query counts."""
        if np.isnan(self.all[column]):
            return Estimate(0.0)
        return Estimate(float(self.all[column]), *_interval(self.resampled[:, column]))

    def paired(self, one: int, other: int) -> Paired:
        """Return the difference between the means of two columns."""
        low, high = _interval(self.resampled[:, one] - self.resampled[:, other])
        difference = float(self.all[one] - self.all[other])
        if not self.all[other] or not np.nan_to_num(self.resampled[:, other]).all():
            return Paired(difference, low, high, None, None, None)
        relative = self.resampled[:, one] / self.resampled[:, other] - 1
        return Paired(difference, low, high, float(self.all[one] / self.all[other] - 1), *_interval(relative))


def bootstrap(
    values: NDArray[np.float64],
    groups: NDArray[np.integer],
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Callable[[int], None] = lambda done: None,
) -> Means:
    """Return the means of columns, over all queries and over resamples of whole groups.

    All columns use the same resamples, so differences between columns are paired.

    Parameters
    ----------
    values : float64 (q, m)
        NaN where a query does not count for a column.
    groups : int (q,)
        Group of each query; the queries of a group are resampled together.
    resamples
        Number of resamples.
    seed
        Seed of the resamples.
    progress
        Called with the number of resamples done.
    """
    group = np.unique(groups, return_inverse=True)[1]
    size = int(group.max(initial=-1)) + 1
    there = ~np.isnan(values)
    totals = np.zeros((size, 2 * values.shape[1]))
    np.add.at(totals, group, np.concatenate([np.where(there, values, 0), there], axis=1))
    rng = np.random.default_rng(seed)
    drawn = np.empty((resamples, totals.shape[1]))
    for n in range(resamples):
        times = np.bincount(rng.integers(0, size, size), minlength=size)
        drawn[n] = times @ totals
        progress(n + 1)
    return Means(_ratio(totals.sum(axis=0)), _ratio(drawn))


def _ratio(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    total, count = np.split(sums, 2, axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _interval(drawn: NDArray[np.float64]) -> tuple[float, float]:
    # a resample without a query that counts is left out
    low, high = np.percentile(drawn[~np.isnan(drawn)], LEVELS)
    return float(low), float(high)
