"""Folding in: factors of images and hashtags newer than a factor run, computed from the run's factors.

Uses the half-step of ALS that would have computed them (:func:`tagdb.learning.als.fold_in`), and for images
the same share of the ridge prediction as in the run. Pure: arrays in, arrays out.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tagdb.learning import als
from tagdb.learning.model import Maps
from tagdb.learning.settings import FactorSettings

PENALTY = 0.1
"""The most regularization for what is folded in: docs/evaluation.md.

Of a new photo's hashtags the run knows only a part. With all of the run's regularization, its factors
would be short beside those of others.
"""

STALE = 0.2
"""Share of images newer than a run, or of hashtags that it does not know, from which to compute another."""


@dataclass(frozen=True)
class Basis:
    """The parts of a factor run that folding in needs."""

    factor_run_id: int
    settings: FactorSettings
    maps: Maps
    hashtag_ids: NDArray[np.int32]
    """int32 (hashtags,): the hashtags computed by the run itself, ascending."""
    hashtag_factors: NDArray[np.float32]
    """float32 (hashtags, k)."""
    hashtag_images: NDArray[np.int32]
    """int32 (hashtags,): number of images of each."""

    @cached_property
    def gram(self) -> NDArray[np.float32]:
        """float32 (k, k): the sum of y·yᵀ over all hashtag factors y."""
        return self.hashtag_factors.T @ self.hashtag_factors

    def places(self, hashtag_ids: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the place of each hashtag in the run, int64 (n,); -1 for unknown ones."""
        if not len(self.hashtag_ids):
            return np.full(len(hashtag_ids), -1, np.int64)
        place = np.minimum(np.searchsorted(self.hashtag_ids, hashtag_ids), len(self.hashtag_ids) - 1)
        return np.where(self.hashtag_ids[place] == hashtag_ids, place, -1).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Carried:
    """Pairs of images, ascending, and the hashtags that count for them."""

    image_ids: NDArray[np.int64]
    """int64 (n,)."""
    hashtag_ids: NDArray[np.int32]
    """int32 (n,)."""
    accepted: NDArray[np.int32]
    """int32 (n,): 1 if feedback accepted the hashtag, otherwise 0."""
    settled: NDArray[np.int32]
    """int32 (n,): 1 if the run itself computed the factors of the image, otherwise 0."""

    def only(self, image_ids: Collection[int]) -> "Carried":
        """Return the pairs of some of the images."""
        kept = np.isin(self.image_ids, list(image_ids))
        return Carried(self.image_ids[kept], self.hashtag_ids[kept], self.accepted[kept], self.settled[kept])


@dataclass(frozen=True, slots=True)
class Foldable:
    """Images that can be folded in, with the input of ALS for each."""

    image_ids: NDArray[np.int64]
    """int64 (n,), ascending."""
    places: list[NDArray[np.int64]]
    """For each image, the places of its hashtags in the basis."""
    weights: list[NDArray[np.float32]]
    """For each image, the weights of these."""


def unknown_hashtags(basis: Basis, carried: Carried) -> set[int]:
    """Return the hashtags that the run does not know."""
    return set(np.unique(carried.hashtag_ids[basis.places(carried.hashtag_ids) < 0]).tolist())


def foldable(basis: Basis, carried: Carried) -> Foldable:
    """Return the images that can be folded in.

    Images computed by the run itself cannot, nor those with fewer hashtags than neighbours need, or with none
    that the run knows.
    """
    waiting = carried.settled == 0
    place = basis.places(carried.hashtag_ids[waiting])
    accepted = carried.accepted[waiting]
    ids, starts, counts = np.unique(carried.image_ids[waiting], return_index=True, return_counts=True)
    chosen: list[int] = []
    places: list[NDArray[np.int64]] = []
    weights: list[NDArray[np.float32]] = []
    for n in np.flatnonzero(counts >= basis.settings.min_hashtags).tolist():
        own = slice(starts[n], starts[n] + counts[n])
        known = place[own] >= 0
        if not known.any():
            continue
        chosen.append(n)
        places.append(place[own][known])
        length = np.full(len(places[-1]), len(places[-1]))
        images = basis.hashtag_images[places[-1]]
        weights.append(basis.maps.weighting.weights(accepted[own][known], images, length))
    return Foldable(ids[chosen], places, weights)


def image_factors(
    basis: Basis,
    images: Foldable,
    embedded: NDArray[np.int64],
    vectors: NDArray[np.float16],
) -> NDArray[np.float16]:
    """Compute factors of images, float16 (n, k).

    Parameters
    ----------
    embedded : int64 (m,)
        The images that have an embedding by the run's backbone, ascending.
    vectors : float16 (m, 1280)
        Their embeddings. Ignored if the run has no ridge regression.

    Raises
    ------
    FactorsError
        The factors are not finite numbers.
    """
    settings = basis.settings
    factors = als.fold_in(
        basis.hashtag_factors,
        basis.gram,
        images.places,
        images.weights,
        settings.alpha,
        min(settings.regularization, PENALTY),
    )
    if basis.maps.ridge is not None:
        rows = np.searchsorted(images.image_ids, embedded)
        predicted = basis.maps.ridge.predict(vectors)
        factors[rows] = (1 - settings.ridge) * factors[rows] + settings.ridge * predicted
    return als.checked(factors).astype(np.float16)


def hashtag_factors(
    basis: Basis, of: NDArray[np.int32], image_ids: NDArray[np.int64], factors: NDArray[np.float16]
) -> tuple[NDArray[np.int32], NDArray[np.float16], NDArray[np.int32]]:
    """Compute factors of hashtags that the run does not know, if enough images have them.

    The run's setting ``min_images`` says how many are enough.

    Two things keep the factors of a hashtag on a few photos small where the run has seen little. Its images
    join the run's own in the half-step: factors that the run's images have nothing of would otherwise be
    divided by next to nothing. And the penalty counts as one more photo of mean length, in every direction,
    that lacks the hashtag. docs/evaluation.md has the figures.

    Parameters
    ----------
    of : int32 (n,)
        Hashtag of each pair of a hashtag and an image with it, ascending.
    image_ids : int64 (n,)
        Image of each pair.
    factors : float16 (n, k)
        Factors of the image of each pair.

    Returns
    -------
    hashtags : int32 (h,)
        The hashtags that got factors.
    factors : float16 (h, k)
        Their factors.
    images : int32 (h,)
        Number of images of each.

    Raises
    ------
    FactorsError
        The factors are not finite numbers.
    """
    ids, starts, images = np.unique(of, return_index=True, return_counts=True)
    chosen = np.flatnonzero((images >= basis.settings.min_images) & (basis.places(ids) < 0))
    pairs = [np.arange(starts[n], starts[n] + images[n]) for n in chosen]
    wide = factors.astype(np.float32)
    each_once = wide[np.unique(image_ids, return_index=True)[1]]
    maps, settings = basis.maps, basis.settings
    computed = als.fold_in(
        wide,
        maps.image_gram + each_once.T @ each_once,
        pairs,
        [np.ones(len(each), np.float32) for each in pairs],
        settings.alpha,
        min(settings.regularization, PENALTY)
        + settings.alpha * float(np.trace(maps.image_gram)) / maps.weighting.images,
    )
    return ids[chosen], als.checked(computed).astype(np.float16), images[chosen].astype(np.int32)
