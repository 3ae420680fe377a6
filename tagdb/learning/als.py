"""ALS factors of images and hashtags. Pure: arrays in, arrays out.

Hu, Koren, Volinsky: *Collaborative Filtering for Implicit Feedback Datasets*, ICDM 2008, as implemented by
the ``implicit`` library. Images take the place of users and hashtags that of items; a hashtag on a photo is
an interaction with confidence ``alpha`` times its weight.
"""

import mmap
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from tagdb.errors import FactorsError
from tagdb.learning.settings import FactorSettings

NOTHING = "no image has a hashtag yet; ingest a manifest with hashtags (see: tagdb ingest --help)"
BM25_K1, BM25_B = 1.2, 0.75


@dataclass(frozen=True, slots=True)
class Interactions:
    """Pairs of images and the hashtags that count for them, in any order, without repetition."""

    image_ids: NDArray[np.int64]
    """int64 (n,)."""
    hashtag_ids: NDArray[np.int32]
    """int32 (n,)"""
    accepted: NDArray[np.int32]
    """int32 (n,): 1 if feedback accepted the hashtag, otherwise 0."""

    def followed_by(self, settings: FactorSettings) -> FactorSettings:
        """Return the settings to learn from these with."""
        return following(settings, len(np.unique(self.image_ids)), np.bincount(self.hashtag_ids))

    def only(self, kept: NDArray[np.bool_]) -> "Interactions":
        """Return some of them; ``kept`` is bool (n,)."""
        return Interactions(self.image_ids[kept], self.hashtag_ids[kept], self.accepted[kept])


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of all images, of which the interactions are a sample."""

    hashtag_ids: NDArray[np.int32]
    """int32 (h,), ascending."""
    hashtag_images: NDArray[np.int64]
    """int64 (h,): number of images of each."""
    images: int
    interactions: int


@dataclass(frozen=True, slots=True)
class Weighting:
    """Parameters of the weight of an interaction; folding in needs them again."""

    kind: str
    images: int
    """Number of images."""
    mean_hashtags: float
    """Mean number of hashtags per image."""
    scale: float
    """Scales the mean weight to 1, so that alpha means the same with every weighting."""
    accepted: float
    """Weight of a hashtag accepted by feedback."""

    def weights(
        self,
        accepted: NDArray[np.int32],
        hashtag_images: NDArray[np.integer],
        image_hashtags: NDArray[np.integer],
    ) -> NDArray[np.float32]:
        """Return the weights of n interactions, float32 (n,).

        TF-IDF: the square root of the frequency, 1 here, times log(N / (1 + images of the hashtag)).
        BM25: Robertson, Zaragoza: *The Probabilistic Relevance Framework*, 2009, with that same
        logarithm, as in ``implicit.nearest_neighbours``.

        Parameters
        ----------
        accepted : (n,)
            0 or 1.
        hashtag_images : (n,)
            Number of images with the hashtag.
        image_hashtags : (n,)
            Number of hashtags of the image.
        """
        weight = np.full(len(accepted), self.scale)
        if self.kind != "none":
            weight *= np.maximum(np.log(self.images / (1 + hashtag_images)), 1e-3)
        if self.kind == "bm25":
            length = (1 - BM25_B) + BM25_B * image_hashtags / self.mean_hashtags
            weight *= (BM25_K1 + 1) / (BM25_K1 * length + 1)
        return (weight * np.where(accepted, self.accepted, 1)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Fit:
    """Factors, one row per id. Ids ascend."""

    image_ids: NDArray[np.int64]
    """int64 (images,)."""
    image_factors: NDArray[np.float32]
    """float32 (images, factors)."""
    hashtag_ids: NDArray[np.int32]
    """int32 (hashtags,)."""
    hashtag_factors: NDArray[np.float32]
    """float32 (hashtags, factors)."""
    hashtag_images: NDArray[np.int32]
    """int32 (hashtags,): number of images of each."""
    rows: NDArray[np.int64]
    """int64 (interactions,): place in ``image_ids`` of each interaction used."""
    columns: NDArray[np.int64]
    """int64 (interactions,): place in ``hashtag_ids``."""
    weighting: Weighting


def fit(
    interactions: Interactions,
    settings: FactorSettings,
    progress: Callable[[int], None] = lambda iterations: None,
    all_images: Counts | None = None,
) -> Fit:
    """Compute factors from interactions.

    The same interactions and seed give the same factors, whatever the order of the interactions.

    Parameters
    ----------
    interactions
        The hashtags of images.
    settings
        Settings of the factor run.
    progress
        Called after each iteration with the number of iterations done.
    all_images
        Counts of the images that the interactions are a sample of. They count for ``min_images`` and weights.

    Raises
    ------
    FactorsError
        No hashtag is on ``min_images`` images, or the factors are not finite numbers.
    """
    hashtags, column, counts = np.unique(interactions.hashtag_ids, return_inverse=True, return_counts=True)
    if all_images is not None:
        counts = all_images.hashtag_images[np.searchsorted(all_images.hashtag_ids, hashtags)]
    enough = counts >= settings.min_images
    kept = enough[column]
    if not kept.any():
        raise FactorsError(too_rare(settings.min_images))
    column = (np.cumsum(enough) - 1)[column[kept]]
    images, row, lengths = np.unique(interactions.image_ids[kept], return_inverse=True, return_counts=True)
    hashtags, images_of = hashtags[enough], counts[enough].astype(np.int32)
    accepted = interactions.accepted[kept]
    basis = Weighting(settings.weighting, len(images), float(lengths.mean()), 1.0, 1.0)
    if all_images is not None:
        mean_hashtags = all_images.interactions / all_images.images
        basis = Weighting(settings.weighting, all_images.images, mean_hashtags, 1.0, 1.0)
    plain = basis.weights(np.zeros_like(accepted), images_of[column], lengths[row])
    mean = float(np.sort(plain).mean(dtype=np.float64))  # sorted, so that the order does not matter
    weighting = Weighting(
        settings.weighting, basis.images, basis.mean_hashtags, 1 / mean, settings.accepted_weight
    )
    values = weighting.weights(accepted, images_of[column], lengths[row])
    image_factors, hashtag_factors = _alternate(
        values, row, column, (len(images), len(hashtags)), settings, progress
    )
    return Fit(
        images, image_factors, hashtags.astype(np.int32), hashtag_factors, images_of, row, column, weighting
    )


def following(settings: FactorSettings, images: int, hashtag_images: NDArray[np.integer]) -> FactorSettings:
    """Return the settings to learn with from so many images, and so many images of each hashtag, int (h,)."""
    shared = hashtag_images[hashtag_images > 1]
    share = float(shared.sum()) / max(float(hashtag_images.sum()), 1.0)
    return settings.following(images, len(shared), share)


def min_hashtags(settings: FactorSettings, carried: NDArray[np.int64]) -> int:
    """Return how many hashtags make a neighbour, if so many images carry 0, 1, 2, … hashtags, int64 (n,).

    As asked for, but at least half of the images are neighbours. If nobody asked, no more than half of what
    images carry on average, by the median or the mean, whichever is more.
    """
    after = np.cumsum(carried)
    # the median is the mean of the two in the middle
    median = int(np.searchsorted(after, [(after[-1] - 1) // 2, after[-1] // 2], side="right").mean())
    wanted = settings.min_hashtags
    if not settings.is_chosen("min_hashtags"):
        mean = int(carried @ np.arange(len(carried))) // int(after[-1])
        wanted = min(wanted, max((median + 1) // 2, mean // 2))
    return max(1, min(wanted, median))


def too_rare(min_images: int) -> str:
    """Return a sentence for that every hashtag is on fewer images."""
    return (
        f"no hashtag is on {min_images} images or more; ingest more photos with hashtags, "
        "or lower --min-images"
    )


def _require_room() -> None:
    """Raise MemoryError where libraries would get too few addresses (ulimit -v).

    OpenBLAS ends the program then, or waits for ever. It was measured to need 235 MB with one thread, and up
    to 145 MB for each other one.
    """
    size = (100 + 145 * (os.cpu_count() or 1)) << 20
    try:
        mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANON, prot=0).close()
    except OSError as error:
        raise MemoryError from error


def prepare() -> None:
    """Import what fitting needs, which takes a while: call it where something else is waited for.

    An error is left to :func:`fit`.
    """
    with suppress(MemoryError, ImportError):
        _require_room()
        for name in ("implicit.cpu.als", "scipy.sparse", "threadpoolctl"):
            import_module(name)


def _alternate(
    values: NDArray[np.float32],
    row: NDArray[np.int64],
    column: NDArray[np.int64],
    shape: tuple[int, int],
    settings: FactorSettings,
    progress: Callable[[int], None],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    _require_room()
    from implicit.cpu.als import AlternatingLeastSquares
    from implicit.recommender_base import ModelFitError
    from scipy.sparse import csr_matrix
    from threadpoolctl import threadpool_limits

    matrix = csr_matrix((values, (row, column)), shape=shape)
    matrix.sort_indices()  # the order of summation, and with it the last bits, must not vary
    # implicit has its own threads; BLAS's threads would compete with them for the cores
    with threadpool_limits(limits=1, user_api="blas"):
        model = AlternatingLeastSquares(
            factors=settings.factors,
            regularization=settings.regularization,
            alpha=settings.alpha,
            iterations=settings.iterations,
            random_state=settings.seed,
            dtype=np.float32,
        )
        with suppress(ModelFitError):  # raised for NaN, which is checked below
            model.fit(matrix, show_progress=False, callback=lambda iteration, *_: progress(iteration + 1))
    return checked(np.asarray(model.user_factors)), checked(np.asarray(model.item_factors))


def checked(factors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Check that the factors are finite, also as float16; otherwise raise FactorsError."""
    with np.errstate(over="ignore"):
        if not np.isfinite(factors.astype(np.float16)).all():
            raise FactorsError(
                "the factors are not finite numbers; raise --regularization or lower --alpha, and "
                "compute again"
            )
    return factors


def fold_in(
    other: NDArray[np.float32],
    gram: NDArray[np.float32],
    lists: Sequence[NDArray[np.integer]],
    weights: Sequence[NDArray[np.float32]],
    alpha: float,
    regularization: float,
) -> NDArray[np.float32]:
    """Compute factors of new images from those of hashtags, or the other way round: a half-step of ALS.

    x = (G + λI + Σ (c - 1) y yᵀ)⁻¹ Σ c y with c = alpha times the weight, as in implicit's
    ``recalculate_user``.

    Parameters
    ----------
    other : float32 (m, k)
        Factors of the other side that are referred to.
    gram : float32 (k, k)
        G, the sum of y yᵀ over all of the other side.
    lists
        For each new row, the places in ``other`` that it interacts with.
    weights
        For each new row, the weights of these interactions.

    Returns
    -------
    float32 (len(lists), k)
        The new factors.
    """
    size = other.shape[1]
    base = gram.astype(np.float64) + regularization * np.eye(size)
    if alpha == 1 and all((one == 1).all() for one in weights):  # every c is 1, so all share one matrix
        right = np.array([other[places].sum(axis=0, dtype=np.float64) for places in lists])
        return np.linalg.solve(base, right.reshape(-1, size).T).T.astype(np.float32)
    result = np.empty((len(lists), size), np.float32)
    for n, (places, weight) in enumerate(zip(lists, weights, strict=True)):
        near = other[places].astype(np.float64)
        confidence = alpha * weight.astype(np.float64)
        result[n] = np.linalg.solve(base + near.T @ ((confidence - 1)[:, None] * near), confidence @ near)
    return result
