"""ALS factors of images and hashtags. Pure: arrays in, arrays out; knows no database.

Hu, Koren, Volinsky: *Collaborative Filtering for Implicit Feedback Datasets*, ICDM 2008, as
implemented by the ``implicit`` library: images take the place of users, hashtags of items, and a
hashtag on a photo is an interaction of confidence ``alpha``.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagdb.errors import FactorsError


@dataclass(frozen=True, slots=True)
class Parameters:
    """What decides the factors."""

    factors: int = 128
    alpha: float = 1.0
    regularization: float = 0.01
    iterations: int = 15
    min_images: int = 2
    """Hashtags on fewer images are left out."""
    seed: int = 42


@dataclass(frozen=True, slots=True)
class Fit:
    """Factors, one row for each id. Ids ascend."""

    image_ids: NDArray[np.int64]
    """int64 (images,)"""
    image_factors: NDArray[np.float16]
    """float16 (images, factors)"""
    hashtag_ids: NDArray[np.int32]
    """int32 (hashtags,)"""
    hashtag_factors: NDArray[np.float16]
    """float16 (hashtags, factors)"""
    interactions: int
    """Pairs that were used."""


def fit(
    image_ids: NDArray[np.int64],
    hashtag_ids: NDArray[np.int32],
    parameters: Parameters,
    progress: Callable[[int], None] = lambda iterations: None,
) -> Fit:
    """Compute factors from interactions.

    Parameters
    ----------
    image_ids, hashtag_ids : (n,), one pair for each interaction, in any order, no pair twice.
    progress : called after each iteration with the number done.

    The same interactions and seed give the same factors, whatever their order.

    Raises
    ------
    FactorsError
        No hashtag is on ``min_images`` images, or the factors are not finite numbers.
    """
    hashtags, column, counts = np.unique(hashtag_ids, return_inverse=True, return_counts=True)
    enough = counts >= parameters.min_images
    kept = enough[column]
    if not kept.any():
        raise FactorsError(
            f"no hashtag is on {parameters.min_images} images or more; ingest more photos with hashtags, "
            "or lower --min-images"
        )
    column = (np.cumsum(enough) - 1)[column[kept]]
    images, row = np.unique(image_ids[kept], return_inverse=True)
    hashtags = hashtags[enough]

    from implicit.cpu.als import AlternatingLeastSquares
    from implicit.recommender_base import ModelFitError
    from scipy.sparse import csr_matrix
    from threadpoolctl import threadpool_limits

    matrix = csr_matrix((np.ones(len(row), np.float32), (row, column)), shape=(len(images), len(hashtags)))
    matrix.sort_indices()  # the order of summation, and with it the last bits, must not vary
    # implicit has threads of its own; BLAS's would fight with them for the cores
    with threadpool_limits(limits=1, user_api="blas"):
        model = AlternatingLeastSquares(
            factors=parameters.factors,
            regularization=parameters.regularization,
            alpha=parameters.alpha,
            iterations=parameters.iterations,
            random_state=parameters.seed,
            dtype=np.float32,
        )
        with suppress(ModelFitError):  # it found NaN; so do we
            model.fit(matrix, show_progress=False, callback=lambda iteration, *_: progress(iteration + 1))
    with np.errstate(over="ignore"):
        image_factors = np.asarray(model.user_factors).astype(np.float16)
        hashtag_factors = np.asarray(model.item_factors).astype(np.float16)
    if not (np.isfinite(image_factors).all() and np.isfinite(hashtag_factors).all()):
        raise FactorsError(
            "the factors are not finite numbers; raise --regularization or lower --alpha, and compute again"
        )
    return Fit(images, image_factors, hashtags.astype(np.int32), hashtag_factors, len(row))
