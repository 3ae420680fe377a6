"""The nearest of many vectors, looked for in similar clusters only. Pure.

Comparing thousands of vectors with all others would take longer than everything else in computing factors.
Nearly all of a vector's neighbours lie in its own cluster and in those beside it.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from tagdb.learning import ranking

SIZE = 256
"""Mean number of vectors in a cluster, while there are fewer than ``MOST``."""
MOST = 1024
"""Maximum number of clusters."""
SAMPLED = 16
"""Vectors of the sample per cluster."""
ROUNDS = 5
"""Rounds of k-means."""
COMPARED = 2048
"""Number of vectors that each is compared with, or slightly more."""
TOGETHER = 256
"""Vectors of a cluster whose neighbours are looked for at a time: clusters may be large."""
PART = 8192
"""Vectors that are assigned to clusters at a time."""


def nearest(
    vectors: NDArray[np.float16], pool: NDArray[np.int64], asked: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find nearly all of the nearest vectors of some, without themselves, by cosine similarity.

    Parameters
    ----------
    vectors : float16 (n, d)
        Of length 1.
    pool : int64 (p,)
        Places of those among which is looked, more than ``count``.
    asked : int64 (m,)
        Places in the pool of those whose neighbours are looked for.
    count
        Number of neighbours of each.

    Returns
    -------
    places : int64 (m, count)
        In the pool, in any order.
    similarities : float32 (m, count)
    """
    from threadpoolctl import threadpool_limits

    centres = _centres(vectors, pool)
    order, starts = _by_cluster(vectors, pool, centres)
    sizes = np.diff(starts)
    # in the order of their clusters, so that each is a slice, and widened only once
    wide = np.empty((len(pool), vectors.shape[1]), np.float32)
    for start in range(0, len(pool), PART):
        wide[start : start + PART] = vectors[pool[order[start : start + PART]]]
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    at = place[asked]
    cluster = np.searchsorted(starts, at, side="right") - 1
    beside = np.argsort(-(centres @ centres.T), axis=1, kind="stable")
    places = np.empty((len(asked), count), np.int64)
    similarities = np.empty((len(asked), count), np.float32)

    def look(one: int) -> None:
        rows = np.flatnonzero(cluster == one)
        reached = np.cumsum(sizes[beside[one]])
        enough = int(np.searchsorted(reached, max(COMPARED, 4 * count))) + 1
        slices = [slice(starts[other], starts[other + 1]) for other in beside[one, :enough]]
        compared = np.concatenate([np.arange(some.start, some.stop) for some in slices])
        for start in range(0, len(rows), TOGETHER):
            part = rows[start : start + TOGETHER]
            similarity = np.concatenate([wide[at[part]] @ wide[some].T for some in slices], axis=1)
            similarity[compared == at[part, None]] = -np.inf
            best = np.argpartition(-similarity, count - 1, axis=1)[:, :count]
            places[part] = order[compared[best]]
            similarities[part] = np.take_along_axis(similarity, best, 1)

    # a thread for each core looks into clusters; of BLAS, more than one each would only be in the way
    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(look, np.unique(cluster).tolist()))
    return places, similarities


def _centres(vectors: NDArray[np.float16], pool: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return centres of clusters, float32 (c, d), by k-means of directions in a sample."""
    from scipy.sparse import csr_matrix

    number = max(1, min(MOST, len(pool) // SIZE))
    chosen = np.random.default_rng(0).permutation(len(pool))[: SAMPLED * number]
    sample = ranking.unit(vectors[pool[chosen]])
    centres = sample[:number]
    for _ in range(ROUNDS):
        cluster = np.argmax(sample @ centres.T, axis=1)
        ones = np.ones(len(sample), np.float32)
        members = csr_matrix((ones, (cluster, np.arange(len(sample)))), shape=(number, len(sample)))
        centres = ranking.unit(members @ sample + 1e-3 * centres)  # what is nobody's stays where it is
    return centres


def _by_cluster(
    vectors: NDArray[np.float16], pool: NDArray[np.int64], centres: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return places in the pool in the order of clusters, and where each cluster starts, int64 (c + 1,)."""
    parts = [
        np.argmax(vectors[pool[start : start + PART]].astype(np.float32) @ centres.T, axis=1)
        for start in range(0, len(pool), PART)
    ]
    cluster = np.concatenate(parts)
    order = np.argsort(cluster, kind="stable")
    starts = np.searchsorted(cluster[order], np.arange(len(centres) + 1))
    return order, starts
