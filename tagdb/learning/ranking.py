"""Recommending on arrays: neighbours, their weights, averages, scores, and the best hashtags.

Computes for many embeddings at once what the SQL functions ``neighbours``, ``recommend`` and
``best_hashtags`` compute for one; a test compares the two. Pure.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 4096
"""Vectors of the pool that are compared at a time."""
CANDIDATES = 4
"""Images that are ranked off the mean for each neighbour that is taken."""
SPREAD_OF = 2000
"""Vectors whose pairs tell how much similarities vary."""
LEAST_SPREAD = 1e-3
"""Below it, all photos are the same to the backbone."""
TINY = 1e-12


def nearest(
    queries: NDArray[np.floating],
    pool: NDArray[np.float16],
    count: int,
    itself: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find the nearest vectors by cosine similarity.

    Parameters
    ----------
    queries : (q, d)
        Vectors to search for.
    pool : (n, d)
        Vectors to search among.
    count
        Number of neighbours per query.
    itself : int64 (q,)
        Place in the pool that each query must not find; -1 for none.

    Returns
    -------
    places : int64 (q, c)
        Places in the pool, nearest first; c is ``count``, or n if that is less.
    similarities : float32 (q, c)
        -inf for a place that the query must not find.
    """
    asked = unit(queries)
    places = np.empty((len(asked), 0), np.int64)
    similarities = np.empty((len(asked), 0), np.float32)
    for start in range(0, len(pool), BLOCK):
        similarity = asked @ unit(pool[start : start + BLOCK]).T
        if itself is not None:
            own = np.flatnonzero((itself >= start) & (itself < start + similarity.shape[1]))
            similarity[own, itself[own] - start] = -np.inf
        here = np.broadcast_to(np.arange(start, start + similarity.shape[1]), similarity.shape)
        if similarities.shape[1] == count:
            here, similarity = _better(similarity, similarities.min(axis=1, initial=np.inf), start)
        similarities = np.concatenate([similarities, similarity], axis=1)
        places = np.concatenate([places, here], axis=1)
        if similarities.shape[1] > count:
            best = np.argpartition(-similarities, count - 1, axis=1)[:, :count]
            similarities, places = (
                np.take_along_axis(similarities, best, 1),
                np.take_along_axis(places, best, 1),
            )
    order = np.lexsort((places, -similarities), axis=1)
    return np.take_along_axis(places, order, 1), np.take_along_axis(similarities, order, 1)


def _better(
    similarity: NDArray[np.float32], least: NDArray[np.float32], start: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the places and similarities above each query's ``least``, (q, few), filled up with -inf."""
    row, column = np.nonzero(similarity > least[:, None])
    counts = np.bincount(row, minlength=len(similarity))
    shape = len(similarity), int(counts.max(initial=0))
    nth = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    places, similarities = np.zeros(shape, np.int64), np.full(shape, -np.inf, np.float32)
    places[row, nth] = column + start
    similarities[row, nth] = similarity[row, column]
    return places, similarities


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest of all images compared so far, nearest first."""

    ids: NDArray[np.int64]
    """int64 (q, c)."""
    similarity: NDArray[np.float32]
    """float32 (q, c)."""

    @staticmethod
    def of(queries: int) -> "Nearest":
        """Return the empty result for a number of queries."""
        return Nearest(np.zeros((queries, 0), np.int64), np.zeros((queries, 0), np.float32))

    def with_more(
        self,
        queries: NDArray[np.floating],
        ids: NDArray[np.int64],
        vectors: NDArray[np.float16],
        count: int,
    ) -> "Nearest":
        """Return the ``count`` nearest after comparing queries (q, d) with more images, (n,) and (n, d)."""
        places, near = nearest(queries, vectors, count)
        return self.merged(Nearest(ids[places], near), count)

    def merged(self, other: "Nearest", count: int) -> "Nearest":
        """Return the ``count`` nearest of these and others to the same queries; the lowest ids of equals."""
        similarity = np.concatenate([self.similarity, other.similarity], axis=1)
        named = np.concatenate([self.ids, other.ids], axis=1)
        best = np.lexsort((named, -similarity), axis=1)[:, :count]
        return Nearest(np.take_along_axis(named, best, 1), np.take_along_axis(similarity, best, 1))


def weights(similarity: NDArray[np.float32], exponent: float) -> NDArray[np.float32]:
    """Return the weight of each neighbour in the average: similarity^exponent, adding up to 1 per row.

    0 if the similarity is not positive, or if the weight is below e^-60 of the largest; a plain mean for
    exponent 0. Rows without weights are all 0.

    Parameters
    ----------
    similarity : (q, c)
        -inf for no neighbour.
    exponent
        Exponent of the similarity.
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


@dataclass(frozen=True, slots=True)
class Centring:
    """What similarities are measured off, and how much they vary.

    The embeddings of photos all point in much the same direction, their mean. What tells them apart is left
    when it is taken away: the cosine of two embeddings less the mean is their similarity off the mean.
    """

    mean: NDArray[np.float16]
    """float16 (d,)."""
    spread: float
    """Standard deviation of the similarities off the mean of all pairs of images."""

    @staticmethod
    def of(vectors: NDArray[np.float16], places: NDArray[np.int64] | None = None) -> "Centring | None":
        """Return the mean and spread of vectors (n, d) of length 1, or of some; None if none differ."""
        places = np.arange(len(vectors)) if places is None else places
        if len(places) < 2:
            return None
        blocks = (places[start : start + BLOCK] for start in range(0, len(places), BLOCK))
        total = sum(vectors[block].sum(axis=0, dtype=np.float64) for block in blocks)
        mean = np.asarray(total / len(places), np.float16)
        some = vectors[places[:: -(-len(places) // SPREAD_OF)]]
        apart = unit(some.astype(np.float32) - mean.astype(np.float32))
        pairs = (apart @ apart.T)[np.triu_indices(len(apart), 1)]
        spread = float(pairs.std(dtype=np.float64))
        return Centring(mean, spread) if spread > LEAST_SPREAD else None

    def off(
        self, vectors: NDArray[np.float16], places: NDArray[np.int64] | None = None
    ) -> NDArray[np.float16]:
        """Return vectors (n, d), or some of them, less the mean, float16, of length 1."""
        places = np.arange(len(vectors)) if places is None else places
        off = np.empty((len(places), vectors.shape[1]), np.float16)
        mean = self.mean.astype(np.float32)
        for start in range(0, len(places), BLOCK):
            block = slice(start, start + BLOCK)
            off[block] = unit(vectors[places[block]].astype(np.float32) - mean)
        return off

    def closeness(
        self, similarity: NDArray[np.float32], queries: NDArray[np.floating], near: NDArray[np.floating]
    ) -> NDArray[np.float64]:
        """Return similarities off the mean, as SQL computes them.

        Parameters
        ----------
        similarity : (q, c)
            Cosines of queries and images.
        queries : (q, d)
        near : (q, c, d)
            The images.
        """
        mean = self.mean.astype(np.float32)
        # the images are as long as half precision lets them be, nearly 1, and SQL takes them as they are
        asked, found = unit(queries) @ mean, near.reshape(-1, near.shape[-1]).astype(np.float32) @ mean
        square = float((mean.astype(np.float64) ** 2).sum())
        q, i = asked.astype(np.float64)[:, None], found.astype(np.float64).reshape(similarity.shape)
        below = np.sqrt(np.maximum((1 - 2 * q + square) * (1 - 2 * i + square), TINY))
        return np.asarray((similarity.astype(np.float64) - q - i + square) / below)


def contrasted(closeness: NDArray[np.floating], sharpness: float) -> NDArray[np.float32]:
    """Return weights e^(sharpness · closeness), adding up to 1 per row.

    0 if the weight is below e^-60 of the largest, or the closeness -inf. Rows without weights are all 0.
    """
    wide = closeness.astype(np.float64)
    best = np.max(wide, axis=1, keepdims=True, initial=-np.inf)
    power = sharpness * (wide - np.where(np.isfinite(best), best, 0))
    raw = np.where(power >= -60, np.exp(np.clip(power, -60, 0)), 0)
    total = raw.sum(axis=1, keepdims=True)
    return (raw / np.where(total > 0, total, 1)).astype(np.float32)


def neighbours(
    queries: NDArray[np.float16],
    pool: NDArray[np.float16],
    count: int,
    contrast: float,
    exponent: float,
    centring: Centring | None,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return places in the pool of each query's neighbours, and their weights, both (q, c).

    With contrast, the nearest by similarity off the mean are taken from four times as many of the nearest by
    cosine, of at least 200, as a vector index gives them.
    """
    if not contrast or centring is None:
        near, similarity = nearest(queries, pool, count)
        return near, weights(similarity, exponent)
    near, similarity = nearest(queries, pool, CANDIDATES * max(count, 50))
    closeness = np.empty(similarity.shape)
    for row in range(len(near)):
        one = slice(row, row + 1)
        closeness[one] = centring.closeness(similarity[one], queries[one], pool[near[one]])
    best = np.argsort(-closeness, axis=1, kind="stable")[:, :count]
    taken = np.take_along_axis(closeness, best, 1)
    return np.take_along_axis(near, best, 1), contrasted(taken, contrast / centring.spread)


def averages(
    places: NDArray[np.int64], weight: NDArray[np.float32], factors: NDArray[np.float16]
) -> NDArray[np.float16]:
    """Return weighted averages of image factors, float16 (q, k), rounded as in SQL.

    Parameters
    ----------
    places, weight : (q, c)
        Places and weights of the neighbours.
    factors : float16 (n, k)
        Factors of all images.
    """
    result = np.empty((len(places), factors.shape[1]), np.float16)
    for start in range(0, len(places), 256):
        part = slice(start, start + 256)
        near = factors[places[part]].astype(np.float32)
        result[part] = np.einsum("qc,qck->qk", weight[part], near, optimize=False)
    return result


def scores(average: NDArray[np.float16], hashtag_factors: NDArray[np.float16]) -> NDArray[np.float32]:
    """Return dot products, float32 (q, h), of averages (q, k) with all hashtag factors (h, k)."""
    return average.astype(np.float32) @ hashtag_factors.astype(np.float32).T


def best(score: NDArray[np.floating], top: int) -> NDArray[np.int64]:
    """Return the columns of the largest scores per row, int64 (q, top or fewer), largest first."""
    top = min(top, score.shape[1])
    if not top:
        return np.empty((len(score), 0), np.int64)
    some = np.argpartition(-score, top - 1, axis=1)[:, :top].astype(np.int64)
    order = np.lexsort((some, -np.take_along_axis(score, some, 1)), axis=1)
    return np.take_along_axis(some, order, 1)


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Normalise vectors (n, d) to length 1, float32; those of length 0 stay."""
    wide = vectors.astype(np.float32)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    length[length == 0] = 1
    wide /= length
    return wide
