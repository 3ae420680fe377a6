"""What :mod:`tagdb.learning.model` computes, in parts of the images whose results add up. Pure.

For collections that no single process holds: each part is computed where it is read, and what is left of it
is a few sums. Of the images that hashtags are refitted to, a sample, averages are sums, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagdb.learning.als import Interactions, Weighting
from tagdb.learning.model import PART, Ridge
from tagdb.learning.ranking import Nearest
from tagdb.learning.settings import SETTINGS, FactorSettings

MOST = int(SETTINGS["min_hashtags"].high) + 1
"""Images with more hashtags count as if they had so many: what is asked for is never more."""


@dataclass(frozen=True, slots=True)
class HashtagCounts:
    """Numbers of images of hashtags, by ascending id."""

    hashtag_ids: NDArray[np.int32]
    """int32 (h,)."""
    images: NDArray[np.int32]
    """int32 (h,)."""

    @staticmethod
    def of(interactions: Interactions) -> "HashtagCounts":
        """Count the hashtags of a part."""
        ids, counts = np.unique(interactions.hashtag_ids, return_counts=True)
        return HashtagCounts(ids, counts.astype(np.int32))

    def __add__(self, other: "HashtagCounts") -> "HashtagCounts":
        both = np.concatenate([self.hashtag_ids, other.hashtag_ids])
        ids, place = np.unique(both, return_inverse=True)
        counts = np.zeros(len(ids), np.int32)
        np.add.at(counts, place, np.concatenate([self.images, other.images]))
        return HashtagCounts(ids, counts)

    def at_least(self, images: int) -> "HashtagCounts":
        """Return the hashtags on so many images or more."""
        enough = self.images >= images
        return HashtagCounts(self.hashtag_ids[enough], self.images[enough])


@dataclass(frozen=True, slots=True)
class Known:
    """The interactions of a part whose hashtags get factors."""

    image_ids: NDArray[np.int64]
    """int64 (n,)."""
    columns: NDArray[np.int64]
    """int64 (n,): places of the hashtags."""
    accepted: NDArray[np.int32]
    """int32 (n,)"""
    hashtag_images: NDArray[np.int32]
    """int32 (n,): number of images of the hashtag of each."""
    image_hashtags: NDArray[np.int64]
    """int64 (n,): number of such hashtags of the image of each."""

    @staticmethod
    def of(interactions: Interactions, hashtags: HashtagCounts) -> "Known":
        """Return the interactions of a part with one of these hashtags, of which there is one at least."""
        place = np.searchsorted(hashtags.hashtag_ids, interactions.hashtag_ids)
        place = np.minimum(place, len(hashtags.hashtag_ids) - 1)
        kept = hashtags.hashtag_ids[place] == interactions.hashtag_ids
        image_ids, columns = interactions.image_ids[kept], place[kept]
        _, row, lengths = np.unique(image_ids, return_inverse=True, return_counts=True)
        return Known(image_ids, columns, interactions.accepted[kept], hashtags.images[columns], lengths[row])

    def weights(self, weighting: Weighting) -> NDArray[np.float32]:
        """Return their weights, float32 (n,)."""
        return weighting.weights(self.accepted, self.hashtag_images, self.image_hashtags)


@dataclass(frozen=True, slots=True)
class Totals:
    """What is fitted: how much there is of it."""

    images: int
    interactions: int
    carried: NDArray[np.int64]
    """int64 (MOST + 1,): number of images by their number of hashtags, including those left out."""

    @staticmethod
    def of(interactions: Interactions, hashtags: HashtagCounts) -> "Totals":
        """Return the totals of a part."""
        known = Known.of(interactions, hashtags)
        fitted = np.unique(known.image_ids)
        carried = hashtags_of(fitted, interactions)
        return Totals(
            len(fitted),
            len(known.columns),
            np.bincount(np.minimum(carried, MOST), minlength=MOST + 1).astype(np.int64),
        )

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(
            self.images + other.images,
            self.interactions + other.interactions,
            self.carried + other.carried,
        )


def hashtags_of(image_ids: NDArray[np.int64], interactions: Interactions) -> NDArray[np.int64]:
    """Return the number of hashtags of each image of a part, int64 (n,)."""
    ids, counts = np.unique(interactions.image_ids, return_counts=True)
    if not len(ids):
        return np.zeros(len(image_ids), np.int64)
    place = np.minimum(np.searchsorted(ids, image_ids), len(ids) - 1)
    return np.where(ids[place] == image_ids, counts[place], 0).astype(np.int64)


def places_of(image_ids: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of each image among ascending ids, int64 (n,); -1 where it is none of them."""
    if not len(ids):
        return np.full(len(image_ids), -1, np.int64)
    place = np.minimum(np.searchsorted(ids, image_ids), len(ids) - 1)
    return np.where(ids[place] == image_ids, place, -1).astype(np.int64)


@dataclass(frozen=True, slots=True)
class RidgeSums:
    """The sums that a ridge regression of factors on vectors is solved from. All float64."""

    images: int
    vectors: NDArray[np.float64]
    """(d,)."""
    factors: NDArray[np.float64]
    """(k,)."""
    moments: NDArray[np.float64]
    """(d, d): the sum of v·vᵀ."""
    products: NDArray[np.float64]
    """(d, k): the sum of v·fᵀ."""

    @staticmethod
    def of(vectors: NDArray[np.float16], factors: NDArray[np.float32]) -> "RidgeSums":
        """Return the sums of a part: vectors (n, d) and factors (n, k)."""
        (_, d), (_, k) = vectors.shape, factors.shape
        sums = RidgeSums(0, np.zeros(d), np.zeros(k), np.zeros((d, d)), np.zeros((d, k)))
        for start in range(0, len(vectors), PART):
            wide = vectors[start : start + PART].astype(np.float64)
            own = factors[start : start + PART].astype(np.float64)
            sums += RidgeSums(len(wide), wide.sum(axis=0), own.sum(axis=0), wide.T @ wide, wide.T @ own)
        return sums

    def __add__(self, other: "RidgeSums") -> "RidgeSums":
        return RidgeSums(
            self.images + other.images,
            self.vectors + other.vectors,
            self.factors + other.factors,
            self.moments + other.moments,
            self.products + other.products,
        )

    def solved(self, penalty: float, axes: NDArray[np.float16] | None) -> Ridge:
        """Return the regression."""
        mean, offset = self.vectors / self.images, self.factors / self.images
        moments = self.moments - self.images * np.outer(mean, mean) + penalty * np.eye(len(mean))
        matrix = np.linalg.solve(moments, self.products - self.images * np.outer(mean, offset))
        return Ridge(mean.astype(np.float32), offset.astype(np.float32), matrix.astype(np.float32), axes)


@dataclass(frozen=True, slots=True)
class FitSums:
    """The sums over fitted images that the rest of a model needs."""

    gram: NDArray[np.float64]
    """float64 (k, k): the sum of f·fᵀ."""
    ridge: RidgeSums | None
    """Over the images with a vector; None without a ridge regression."""

    def __add__(self, other: "FitSums") -> "FitSums":
        ridge = self.ridge + other.ridge if self.ridge and other.ridge else self.ridge or other.ridge
        return FitSums(self.gram + other.gram, ridge)


def nearest(
    queries: NDArray[np.float16], ids: NDArray[np.int64], vectors: NDArray[np.float16], count: int
) -> Nearest:
    """Return the nearest of a part, (n,) and (n, d), to queries (m, d)."""
    found = [
        Nearest.of(len(part)).with_more(part, ids, vectors, count)
        for start in range(0, len(queries), PART)
        for part in [queries[start : start + PART]]
    ]
    return Nearest(
        np.concatenate([one.ids for one in found]), np.concatenate([one.similarity for one in found])
    )


def but_itself(found: Nearest, itself: NDArray[np.int64]) -> Nearest:
    """Return nearest images but the queries' own, int64 (m,): one less; of similarity -inf what is none."""
    similarity = np.where(found.ids == itself[:, None], -np.inf, found.similarity).astype(np.float32)
    count = max(similarity.shape[1] - 1, 0)
    return Nearest.of(len(itself)).merged(Nearest(found.ids, similarity), count)


def average_sums(
    neighbours: NDArray[np.int64],
    weight: NDArray[np.float32],
    ids: NDArray[np.int64],
    factors: NDArray[np.float16],
) -> NDArray[np.float64]:
    """Return what a part, (n,) and (n, k), has in the averages over neighbours, (m, c): float64 (m, k)."""
    from scipy.sparse import csr_matrix

    place = places_of(neighbours.ravel(), ids)
    here = np.flatnonzero(place >= 0)
    row = here // max(neighbours.shape[1], 1)
    shape = (len(neighbours), len(ids))
    chosen = csr_matrix((weight.ravel()[here].astype(np.float64), (row, place[here])), shape=shape)
    return np.asarray(chosen @ factors.astype(np.float64))


def weighting_of(settings: FactorSettings, totals: Totals, mean: float) -> Weighting:
    """Return the parameters of weights whose mean is to be 1 and was ``mean``."""
    return Weighting(
        settings.weighting,
        totals.images,
        totals.interactions / totals.images,
        1 / mean,
        settings.accepted_weight,
    )


def before(counts: Sequence[int]) -> NDArray[np.int64]:
    """Return how many come before each part, int64 (parts,)."""
    return np.cumsum([0, *counts])[:-1].astype(np.int64)
