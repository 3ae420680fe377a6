"""What recommending computes, on arrays: neighbours, their weights, averages, scores, the best.

The same as the SQL functions ``neighbours``, ``recommend`` and ``best_hashtags`` compute for one
embedding, for many at once; a test holds the two against each other. Pure: knows no database.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 4096
"""Vectors of the pool that are compared at once."""


def nearest(
    queries: NDArray[np.floating],
    pool: NDArray[np.float16],
    count: int,
    itself: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The nearest vectors by cosine similarity.

    Parameters
    ----------
    queries : (q, d) · pool : (n, d)
    itself : int64 (q,), the place in the pool that each query must not find; -1 for none.

    Returns
    -------
    Places in the pool, int64 (q, c), the nearest first, and similarities, float32 (q, c), where c is
    ``count`` or all there are; a place that a query had to leave out has a similarity of -inf.
    """
    asked = unit(queries)
    places = np.empty((len(asked), 0), np.int64)
    found = np.empty((len(asked), 0), np.float32)
    for start in range(0, len(pool), BLOCK):
        part = unit(pool[start : start + BLOCK])
        similarity = asked @ part.T
        if itself is not None:
            own = np.flatnonzero((itself >= start) & (itself < start + len(part)))
            similarity[own, itself[own] - start] = -np.inf
        found = np.concatenate([found, similarity], axis=1)
        here = np.broadcast_to(np.arange(start, start + len(part)), similarity.shape)
        places = np.concatenate([places, here], axis=1)
        if found.shape[1] > count:
            best = np.argpartition(-found, count - 1, axis=1)[:, :count]
            found, places = np.take_along_axis(found, best, 1), np.take_along_axis(places, best, 1)
    order = np.lexsort((places, -found), axis=1)
    return np.take_along_axis(places, order, 1), np.take_along_axis(found, order, 1)


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest of all images that were compared so far, the nearest first."""

    ids: NDArray[np.int64]
    """int64 (q, c)"""
    similarity: NDArray[np.float32]
    """float32 (q, c)"""

    @staticmethod
    def of(queries: int) -> "Nearest":
        """Return those of so many queries before anything is compared: none."""
        return Nearest(np.zeros((queries, 0), np.int64), np.zeros((queries, 0), np.float32))

    def with_more(
        self,
        queries: NDArray[np.floating],
        ids: NDArray[np.int64],
        vectors: NDArray[np.float16],
        count: int,
    ) -> "Nearest":
        """Return the ``count`` nearest among these and more images: (q, d), int64 (n,), float16 (n, d)."""
        places, near = nearest(queries, vectors, count)
        similarity = np.concatenate([self.similarity, near], axis=1)
        named = np.concatenate([self.ids, ids[places]], axis=1)
        best = np.argsort(-similarity, axis=1, kind="stable")[:, :count]
        return Nearest(np.take_along_axis(named, best, 1), np.take_along_axis(similarity, best, 1))


def weights(similarity: NDArray[np.float32], exponent: float) -> NDArray[np.float32]:
    """What each neighbour weighs in the average: similarity^exponent, each row adding up to 1.

    Nothing where the similarity is not positive or the weight is below e^-60 of the greatest; a plain
    mean for exponent 0. Rows without any weight are all 0.

    Parameters
    ----------
    similarity : (q, c), -inf for no neighbour.
    """
    wide = similarity.astype(np.float64)
    there = np.isfinite(wide)
    if not exponent:
        raw = there.astype(np.float64)
    else:
        positive = there & (wide > 0)
        best = np.max(np.where(positive, wide, 0), axis=1, keepdims=True, initial=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            power = exponent * np.log(np.where(positive, wide, best) / np.where(best > 0, best, 1))
        power = np.where(positive, power, -np.inf)
        raw = np.where(power >= -60, np.exp(np.maximum(power, -60)), 0)
    total = raw.sum(axis=1, keepdims=True)
    return (raw / np.where(total > 0, total, 1)).astype(np.float32)


def averages(
    places: NDArray[np.int64], weight: NDArray[np.float32], factors: NDArray[np.float16]
) -> NDArray[np.float16]:
    """Weighted averages of image factors, float16 (q, k), as SQL rounds them.

    Parameters
    ----------
    places, weight : (q, c) · factors : float16 (n, k)
    """
    result = np.empty((len(places), factors.shape[1]), np.float16)
    for start in range(0, len(places), 256):
        part = slice(start, start + 256)
        near = factors[places[part]].astype(np.float32)
        result[part] = np.einsum("qc,qck->qk", weight[part], near, optimize=False)
    return result


def scores(average: NDArray[np.float16], hashtag_factors: NDArray[np.float16]) -> NDArray[np.float32]:
    """Dot products of averages (q, k) with every hashtag's factors (h, k): float32 (q, h)."""
    return average.astype(np.float32) @ hashtag_factors.astype(np.float32).T


def best(score: NDArray[np.floating], top: int) -> NDArray[np.int64]:
    """The columns of the greatest scores of each row, int64 (q, top or fewer), the greatest first."""
    top = min(top, score.shape[1])
    if not top:
        return np.empty((len(score), 0), np.int64)
    some = np.argpartition(-score, top - 1, axis=1)[:, :top].astype(np.int64)
    order = np.lexsort((some, -np.take_along_axis(score, some, 1)), axis=1)
    return np.take_along_axis(some, order, 1)


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Vectors (n, d) brought to length 1, float32; those of length 0 stay."""
    wide = vectors.astype(np.float32)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    length[length == 0] = 1
    wide /= length
    return wide
