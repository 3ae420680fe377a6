"""Learning from a sample of the images: memory does not grow with the others. Pure.

ALS is computed on the sample. What follows are sums over images, taken over all of them, part by part: a last
round of ALS, so that every hashtag has factors, also one that the sample lacks; the ridge regression; and the
factors of the images themselves, as ALS would have computed them. Only the refit of the hashtags, which
compares images with each other, is confined to a pool of them. docs/evaluation.md shows what a sample costs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tagdb.learning import als
from tagdb.learning import model as modelling
from tagdb.learning.als import Counts, Interactions, Weighting
from tagdb.learning.model import EXACT, REFIT_IMAGES, Embeddings, Maps, Model, Ridge
from tagdb.learning.ranking import Centring
from tagdb.learning.settings import FactorSettings

TOGETHER = 1 << 14
"""Images whose factors are computed at a time."""
STEPS = 3
"""Steps of conjugate gradients in the last round, where interactions have weights; as many as in implicit."""

Floats = NDArray[np.float32]
Keep = Callable[[NDArray[np.int64], NDArray[np.float16]], None]
"""Called with images that may be neighbours, int64 (n,), and their factors, float16 (n, k)."""


class Collection(Protocol):
    """All images with hashtags, which are never in memory together."""

    def parts(self) -> Iterator[Interactions]:
        """Yield all interactions, those of some images at a time, always in the same order."""

    def interactions(self, image_ids: NDArray[np.int64]) -> Interactions:
        """Return the interactions of some images."""

    def vectors(self, image_ids: NDArray[np.int64]) -> Embeddings:
        """Return the embeddings of those of some images that have one, or their search vectors."""


@dataclass(frozen=True, slots=True)
class Arrays:
    """Images in memory, as for an evaluation."""

    all: Interactions
    embeddings: Embeddings

    def parts(self) -> Iterator[Interactions]:
        """Yield all interactions, those of some images at a time."""
        ids = np.unique(self.all.image_ids)
        for start in range(0, len(ids), TOGETHER):
            yield self.interactions(ids[start : start + TOGETHER])

    def interactions(self, image_ids: NDArray[np.int64]) -> Interactions:
        """Return the interactions of some images."""
        return self.all.only(np.isin(self.all.image_ids, image_ids))

    def vectors(self, image_ids: NDArray[np.int64]) -> Embeddings:
        """Return the vectors of those of some images that have one."""
        kept = np.isin(self.embeddings.image_ids, image_ids)
        return replace(
            self.embeddings, image_ids=self.embeddings.image_ids[kept], vectors=self.embeddings.vectors[kept]
        )


def size_of(sample: float, images: int) -> int:
    """Return of how many images a sample is: of all, unless it is less."""
    if not sample or sample == 1:
        return images
    return min(images, max(2, round(sample * images) if sample < 1 else int(sample)))


def count(collection: Collection, progress: Callable[[int], None] = lambda images: None) -> Counts:
    """Count images, interactions, and the images of each hashtag; ``progress`` gets the images so far."""
    images = pairs = 0
    of = np.zeros(0, np.int64)
    for part in collection.parts():
        more = np.bincount(part.hashtag_ids)
        more[: len(of)] += of[: len(more)]
        of = more if len(more) >= len(of) else np.concatenate([more, of[len(more) :]])
        images += len(np.unique(part.image_ids))
        pairs += len(part.image_ids)
        progress(images)
    ids = np.flatnonzero(of)
    return Counts(ids.astype(np.int32), of[ids], images, pairs)


def rare(counts: Counts, sample: int, min_images: int) -> NDArray[np.int32]:
    """Return the hashtags of which a sample by chance could have too few images, or none."""
    by_chance = counts.hashtag_images * (sample / 2 / max(counts.images, 1))
    enough = counts.hashtag_images >= min_images
    return counts.hashtag_ids[enough & (by_chance < 5 * min_images)]


def choose(
    interactions: Interactions, images: int, rare_hashtags: NDArray[np.int32], settings: FactorSettings
) -> NDArray[np.int64]:
    """Choose images of a collection in memory, int64 ascending; in a database, runs/sample.sql does.

    Up to half of them keep rare hashtags: first ``min_images`` images of each, as far as there is room those
    images that have most of these; then the next ones. The others are by chance.
    """
    ids, row = np.unique(interactions.image_ids, return_inverse=True)
    rng = np.random.default_rng(settings.seed)
    key, chance = rng.permutation(len(ids)), rng.permutation(len(ids))
    pairs = np.flatnonzero(np.isin(interactions.hashtag_ids, rare_hashtags))
    pairs = pairs[np.lexsort((key[row[pairs]], interactions.hashtag_ids[pairs]))]
    _, starts, counts = np.unique(interactions.hashtag_ids[pairs], return_index=True, return_counts=True)
    level = (np.arange(len(pairs)) - np.repeat(starts, counts)) // settings.min_images
    lowest = np.full(len(ids), len(pairs))
    np.minimum.at(lowest, row[pairs], level)
    gain = np.bincount(row[pairs[level == lowest[row[pairs]]]], minlength=len(ids))
    kept = np.lexsort((key, -gain, lowest))[: min(images // 2, int((gain > 0).sum()))]
    others = np.argsort(chance)
    others = others[~np.isin(others, kept)][: images - len(kept)]
    return np.sort(ids[np.concatenate([kept, others])])


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the images, with the hashtags that have factors."""

    image_ids: NDArray[np.int64]
    """int64 (n,), ascending."""
    carried: NDArray[np.int64]
    """int64 (n,): number of hashtags of each, including those left out."""
    rows: NDArray[np.int64]
    """int64 (m,): place of the image of each interaction, ascending."""
    columns: NDArray[np.int64]
    """int64 (m,): place of its hashtag."""
    confidence: Floats
    """float32 (m,): alpha times its weight."""
    factors: Floats
    """float32 (n, k): factors of the images, as the next half-step of ALS computes them."""

    def matrix(self, values: Floats, hashtags: int) -> Any:
        """Return values of the interactions as a sparse matrix, (n, h)."""
        from scipy.sparse import csr_matrix

        return csr_matrix((values, (self.rows, self.columns)), shape=(len(self.image_ids), hashtags))


class _Walk:
    """Goes through all images, part by part."""

    def __init__(
        self,
        collection: Collection,
        counts: Counts,
        weighting: Weighting,
        settings: FactorSettings,
        progress: Callable[[int], None],
    ) -> None:
        enough = counts.hashtag_images >= settings.min_images
        self.ids, self.images_of = counts.hashtag_ids[enough], counts.hashtag_images[enough].astype(np.int32)
        self.collection, self.weighting, self.settings = collection, weighting, settings
        self.done, self.progress = 0, progress

    def parts(self, hashtag_factors: Floats) -> Iterator[_Part]:
        """Yield all images with their factors, given those of the hashtags."""
        wide = hashtag_factors.astype(np.float64)
        base = wide.T @ wide + self.settings.regularization * np.eye(self.settings.factors)
        for some in self.collection.parts():
            part = self._part(some, hashtag_factors, base)
            if len(part.image_ids):
                yield part
            self.done += len(np.unique(some.image_ids))
            self.progress(self.done)

    def _part(self, some: Interactions, hashtag_factors: Floats, base: NDArray[np.float64]) -> _Part:
        order = np.lexsort((some.hashtag_ids, some.image_ids))
        all_ids, all_counts = np.unique(some.image_ids, return_counts=True)
        place = np.minimum(np.searchsorted(self.ids, some.hashtag_ids[order]), len(self.ids) - 1)
        known = self.ids[place] == some.hashtag_ids[order]
        columns, kept = place[known], order[known]
        ids, rows, lengths = np.unique(some.image_ids[kept], return_inverse=True, return_counts=True)
        weights = self.weighting.weights(some.accepted[kept], self.images_of[columns], lengths[rows])
        carried = all_counts[np.searchsorted(all_ids, ids)]
        confidence = (self.settings.alpha * weights).astype(np.float32)
        part = _Part(ids, carried, rows, columns, confidence, np.empty(0, np.float32))
        return replace(part, factors=self._factors(part, hashtag_factors, base))

    def _factors(self, part: _Part, hashtag_factors: Floats, base: NDArray[np.float64]) -> Floats:
        right = part.matrix(part.confidence, len(self.ids)) @ hashtag_factors
        factors = np.linalg.solve(base, right.T.astype(np.float64)).T.astype(np.float32)
        starts = np.searchsorted(part.rows, np.arange(len(part.image_ids) + 1))
        for n in np.unique(part.rows[part.confidence != 1]).tolist():  # these have systems of their own
            own = slice(starts[n], starts[n + 1])
            near = hashtag_factors[part.columns[own]].astype(np.float64)
            system = base + near.T @ ((part.confidence[own] - 1)[:, None] * near)
            factors[n] = np.linalg.solve(system, right[n].astype(np.float64))
        return factors


def fit_arrays(interactions: Interactions, embeddings: Embeddings, settings: FactorSettings) -> Model:
    """Compute the model of a factor run from images in memory, or from a sample if the settings say so.

    Raises
    ------
    FactorsError
        No hashtag is on ``min_images`` images, or the factors are not finite numbers.
    """
    images = len(np.unique(interactions.image_ids))
    size = size_of(settings.sample, images)
    if size >= images:
        return modelling.fit(interactions, embeddings, settings)
    if len(embeddings.image_ids) > EXACT:
        embeddings = embeddings.shortened()
    collection = Arrays(interactions, embeddings)
    counts = count(collection)
    sample, pool = (
        choose(interactions, each, rare(counts, each, settings.min_images), settings)
        for each in (size, max(size, REFIT_IMAGES))
    )
    kept: list[tuple[NDArray[Any], NDArray[Any]]] = []
    solution = solve(collection, counts, sample, settings)
    model = extend(collection, counts, solution, pool, settings, lambda *images: kept.append(images))
    image_ids, factors = map(np.concatenate, zip(*kept, strict=True))
    centring = None
    if settings.contrast and embeddings.axes is None:
        centring = Centring.of(collection.vectors(image_ids).vectors)
    return replace(model, image_ids=image_ids, image_factors=factors, centring=centring)


@dataclass(frozen=True, slots=True)
class Solution:
    """What ALS has found in a sample."""

    hashtag_ids: NDArray[np.int32]
    """int32 (h,), ascending: the sample's hashtags that are on enough of all images."""
    hashtag_factors: Floats
    """float32 (h, k)."""
    weighting: Weighting


def solve(
    collection: Collection,
    counts: Counts,
    sample: NDArray[np.int64],
    settings: FactorSettings,
    progress: Callable[[int], None] = lambda iterations: None,
) -> Solution:
    """Compute the factors of hashtags from a sample, int64 (s,), of images.

    Raises
    ------
    FactorsError
        No hashtag is on ``min_images`` images, or the factors are not finite numbers.
    """
    some = collection.interactions(sample)
    some = some.only(np.isin(some.hashtag_ids, counts.hashtag_ids))  # others are newer than the count
    fit = als.fit(some, settings, progress, counts)
    return Solution(fit.hashtag_ids, fit.hashtag_factors, fit.weighting)


def extend(
    collection: Collection,
    counts: Counts,
    solution: Solution,
    pool: NDArray[np.int64],
    settings: FactorSettings,
    keep: Keep,
    progress: Callable[[int], None] = lambda images: None,
) -> Model:
    """Compute the model of a factor run from a sample's solution; the factors of images go to ``keep``.

    Parameters
    ----------
    collection
        All images.
    counts
        What :func:`count` returned for them.
    pool : int64 (p,)
        Images that are compared with each other in the refit, ascending.
    progress
        Called with the number of images gone through, which is :func:`walks` times that of all.

    Returns
    -------
    Model
        Without image factors, and with the counts of all images.

    Raises
    ------
    FactorsError
        The factors are not finite numbers.
    """
    walk = _Walk(collection, counts, solution.weighting, settings, progress)
    hashtags = np.zeros((len(walk.ids), settings.factors), np.float32)
    hashtags[np.searchsorted(walk.ids, solution.hashtag_ids)] = solution.hashtag_factors
    hashtags, carried, interactions = _last_round(walk, hashtags)
    settings = replace(settings, min_hashtags=als.min_hashtags(settings, carried))
    ridge, backbone_id = _ridge(walk, hashtags)
    gram = np.zeros((settings.factors, settings.factors))
    compared = np.zeros((len(pool), settings.factors), np.float16)
    chosen, total = np.zeros(len(pool), bool), 0
    for part in walk.parts(hashtags):
        factors = part.factors
        gram += factors.T.astype(np.float64) @ factors
        if ridge is not None:
            vectors = collection.vectors(part.image_ids)
            embedded = np.searchsorted(part.image_ids, vectors.image_ids)
            predicted = ridge.predict_short(vectors.vectors)
            factors[embedded] = (1 - settings.ridge) * factors[embedded] + settings.ridge * predicted
        near = part.carried >= settings.min_hashtags
        image_ids, stored = part.image_ids[near], als.checked(factors[near]).astype(np.float16)
        keep(image_ids, stored)
        total += len(image_ids)
        _, here, there = np.intersect1d(pool, image_ids, assume_unique=True, return_indices=True)
        compared[here], chosen[here] = stored[there], True
    if settings.refit_penalty:
        hashtags = _refitted(walk, settings, hashtags, pool[chosen], compared[chosen], total)
    return Model(
        settings,
        np.empty(0, np.int64),
        np.empty((0, settings.factors), np.float16),
        walk.ids,
        als.checked(hashtags).astype(np.float16),
        walk.images_of,
        interactions,
        Maps(gram.astype(np.float32), walk.weighting, ridge, backbone_id),
    )


def walks(settings: FactorSettings) -> int:
    """Return how often all images are gone through, unless feedback has given weights to interactions."""
    plain = settings.weighting == "none" and settings.alpha == 1
    return (1 if plain else 1 + STEPS) + bool(settings.ridge) + 1


def _last_round(walk: _Walk, before: Floats) -> tuple[Floats, NDArray[np.int64], int]:
    """Compute the hashtags' factors from all images: y = (G + λI + Σ (c - 1) x xᵀ)⁻¹ Σ c x.

    Where every c is 1, all hashtags share one matrix. Otherwise each has its own, which are too many to keep:
    a few steps of conjugate gradients, from the factors before and preconditioned by that matrix, need only
    their products with one vector for each hashtag.

    Returns
    -------
    factors : float32 (h, k)
    carried : int64 (n,)
        How many images have 0, 1, 2, … hashtags.
    interactions
        Number of pairs used.
    """
    size, hashtags = walk.settings.factors, len(walk.ids)
    gram, right = np.zeros((size, size)), np.zeros((hashtags, size), np.float32)
    carried, interactions, weighted = np.zeros(1, np.int64), 0, False

    def beyond(part: _Part, direction: Floats) -> Any:
        """Return Σ (c - 1) x (xᵀ d) over the images of a part."""
        rows, columns, more = part.rows, part.columns, part.confidence - 1
        product = np.einsum("ij,ij->i", part.factors[rows], direction[columns])
        return part.matrix(more * product, hashtags).T @ part.factors

    product = np.zeros_like(right)
    for part in walk.parts(before):
        gram += part.factors.T.astype(np.float64) @ part.factors
        right += part.matrix(part.confidence, hashtags).T @ part.factors
        if (part.confidence != 1).any():
            product += beyond(part, before)
            weighted = True
        more = np.bincount(part.carried, minlength=len(carried))
        more[: len(carried)] += carried
        carried, interactions = more, interactions + len(part.rows)
    base = gram + walk.settings.regularization * np.eye(size)

    def solved(values: Floats) -> Floats:
        for start in range(0, len(values), TOGETHER):  # float64 of all hashtags would take more than the rest
            some = values[start : start + TOGETHER].T.astype(np.float64)
            values[start : start + TOGETHER] = np.linalg.solve(base, some).T
        return values

    if not weighted:
        return solved(right), carried, interactions
    factors, left = before.copy(), right - before @ base.astype(np.float32) - product
    del right
    toward = solved(left.copy())
    direction, length = toward, np.einsum("ij,ij->i", left, toward)
    for _ in range(STEPS):
        product = direction @ base.astype(np.float32)
        for part in walk.parts(before):
            product += beyond(part, direction)
        step = length / np.maximum(np.einsum("ij,ij->i", direction, product), 1e-30)
        factors += step[:, None] * direction
        left -= step[:, None] * product
        toward, was = solved(left.copy()), length
        length = np.einsum("ij,ij->i", left, toward)
        direction = toward + (length / np.maximum(was, 1e-30))[:, None] * direction
    return factors, carried, interactions


def _ridge(walk: _Walk, hashtags: Floats) -> tuple[Ridge | None, int | None]:
    """Learn to predict factors from vectors by sums over all images; return the vectors' backbone, too."""
    count = 0
    axes, backbone_id = None, None
    sums: list[Any] = [0.0, 0.0, 0.0, 0.0]  # of v, f, v vᵀ and v fᵀ
    for part in walk.parts(hashtags) if walk.settings.ridge else ():
        known = walk.collection.vectors(part.image_ids)
        axes, backbone_id, count = known.axes, known.backbone_id, count + len(known.image_ids)
        vectors = known.vectors.astype(np.float32)
        factors = part.factors[np.searchsorted(part.image_ids, known.image_ids)]
        both = (
            vectors.sum(0, np.float64),
            factors.sum(0, np.float64),
            vectors.T @ vectors,
            vectors.T @ factors,
        )
        sums = [one + more for one, more in zip(sums, both, strict=True)]
    if count < 2:
        return None, None
    mean, offset = sums[0] / count, sums[1] / count
    system = sums[2] - count * np.outer(mean, mean) + walk.settings.ridge_penalty * np.eye(len(mean))
    matrix = np.linalg.solve(system, sums[3] - count * np.outer(mean, offset))
    mean, offset, matrix = (each.astype(np.float32) for each in (mean, offset, matrix))
    return Ridge(mean, offset, matrix, axes), backbone_id


def _refitted(
    walk: _Walk,
    settings: FactorSettings,
    hashtags: Floats,
    pool: NDArray[np.int64],
    stored: NDArray[np.float16],
    total: int,
) -> Floats:
    """Refit the hashtags to averages over neighbours within a pool of the images."""
    known = walk.collection.vectors(pool)
    kept = np.isin(pool, known.image_ids)
    pool, stored = pool[kept], stored[kept]
    some = walk.collection.interactions(pool)
    place = np.minimum(np.searchsorted(walk.ids, some.hashtag_ids), len(walk.ids) - 1)
    used = walk.ids[place] == some.hashtag_ids
    rows, columns = np.searchsorted(pool, some.image_ids[used]), place[used]
    solution = als.Fit(pool, hashtags[:0], walk.ids, hashtags, walk.images_of, rows, columns, walk.weighting)
    here = np.arange(len(pool))
    return modelling.refit(solution, here, known.vectors, here, stored, settings, total)
