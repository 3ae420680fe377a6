"""The whole model of a factor run: ALS factors, improved with embeddings. Pure.

Recommending averages the factors of neighbours and multiplies the average by the hashtags' factors. Two
closed-form steps prepare the factors for that. They improve what is stored and cost nothing in a query
(docs/evaluation.md shows what each contributes):

* **Ridge.** A share of each image's factors is replaced by a ridge regression's prediction from its
  embedding. It supplies hashtags that a photo's author happened not to write, but authors of similar photos
  did.
* **Refit.** ALS fits the hashtags' factors to those of each image, but recommending multiplies them by
  averages over neighbours, which are shorter and smoother. So the hashtags' factors Y are fitted again, to
  the averages A that recommending would compute for the images themselves, each without itself:
  Y + argmin_D |R - A (Y + D)ᵀ|² + penalty · mean |a|² · |D|², where R has a 1 for each hashtag on each image
  and a is a row of A.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tagdb.learning import als, clusters, projecting, ranking
from tagdb.learning.als import Interactions, Weighting
from tagdb.learning.settings import FactorSettings

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

EXACT = 5000
"""Up to so many embeddings are compared and learned from as they are, more as search vectors, which have a
seventh of the numbers."""
REFIT_IMAGES = 10_000
"""Maximum number of images whose averages hashtags are refitted to; of more, a sample is used."""
PART = 1024
"""Images whose vectors are computed with at a time."""


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Embeddings of images by ascending id, or their search vectors."""

    image_ids: NDArray[np.int64]
    """int64 (n,)."""
    vectors: NDArray[np.float16]
    """float16 (n, 1280), or (n, d) for search vectors."""
    backbone_id: int | None = None
    """Number of their backbone, if they come from a database."""
    axes: NDArray[np.float16] | None = None
    """float16 (d, 1280): the axes of search vectors; None for embeddings themselves."""

    def shortened(self) -> "Embeddings":
        """Return search vectors of embeddings, by axes that are learned from a sample of them."""
        count = len(self.image_ids)
        sample = np.arange(count)
        if count > projecting.SAMPLE:
            sample = np.sort(np.random.default_rng(0).choice(count, projecting.SAMPLE, replace=False))
        axes, _ = projecting.learn(self.vectors[sample])
        parts = [projecting.project(axes, self.vectors[part]) for part in _parts(np.arange(count))]
        return Embeddings(self.image_ids, np.concatenate(parts), self.backbone_id, axes)


@dataclass(frozen=True, slots=True)
class Ridge:
    """Predicts an image's factors from its embedding, or from its search vector."""

    mean: NDArray[np.float32]
    """float32 (d,): mean embedding or search vector."""
    offset: NDArray[np.float32]
    """float32 (k,): mean factors."""
    matrix: NDArray[np.float32]
    """float32 (d, k)."""
    axes: NDArray[np.float16] | None = None
    """float16 (d, 1280): the axes of search vectors; None if d is 1280, for embeddings themselves."""

    def predict(self, embeddings: NDArray[np.float16]) -> NDArray[np.float32]:
        """Predict factors, float32 (n, k), from embeddings (n, 1280)."""
        return self.predict_short(
            embeddings if self.axes is None else projecting.project(self.axes, embeddings)
        )

    def predict_short(self, vectors: NDArray[np.float16]) -> NDArray[np.float32]:
        """Predict factors, float32 (n, k), from what it was learned from, (n, d)."""
        centred = vectors.astype(np.float32) - self.mean
        return np.asarray(centred @ self.matrix + self.offset, np.float32)


@dataclass(frozen=True, slots=True)
class Maps:
    """What folding in needs besides the factors of a run."""

    image_gram: NDArray[np.float32]
    """float32 (k, k): the sum of f·fᵀ over all fitted images."""
    weighting: Weighting
    ridge: Ridge | None
    backbone_id: int | None = None
    """Number of the backbone whose embeddings ``ridge`` takes."""


@dataclass(frozen=True, slots=True)
class Model:
    """The result of a factor run. Ids ascend."""

    settings: FactorSettings
    """As used: ``min_hashtags`` may be lower than requested."""
    image_ids: NDArray[np.int64]
    """int64 (images,): images that may be neighbours."""
    image_factors: NDArray[np.float16]
    """float16 (images, k)."""
    hashtag_ids: NDArray[np.int32]
    """int32 (hashtags,)."""
    hashtag_factors: NDArray[np.float16]
    """float16 (hashtags, k)."""
    hashtag_images: NDArray[np.int32]
    """int32 (hashtags,)."""
    interactions: int
    """Number of pairs used."""
    maps: Maps
    centring: ranking.Centring | None = None
    """Of the embeddings of the images that may be neighbours; None if it is not known from these."""


def fit(
    interactions: Interactions,
    embeddings: Embeddings,
    settings: FactorSettings,
    progress: Callable[[int], None] = lambda iterations: None,
) -> Model:
    """Compute the model of a factor run.

    The same data and seed give the same model on the same machine. Images without an embedding keep the
    factors from ALS; they are not neighbours until they have one.

    Raises
    ------
    FactorsError
        No hashtag is on ``min_images`` images, or the factors are not finite numbers.
    """
    solution = als.fit(interactions, settings, progress)
    wanted = settings.ridge or settings.refit_penalty
    if wanted and embeddings.axes is None and len(embeddings.image_ids) > EXACT:
        embeddings = embeddings.shortened()
    own = solution.image_factors
    gram = own.T @ own
    carried = _hashtags_of(solution.image_ids, interactions.image_ids)
    settings = replace(settings, min_hashtags=als.min_hashtags(settings, np.bincount(carried)))
    chosen = carried >= settings.min_hashtags

    place = np.searchsorted(embeddings.image_ids, solution.image_ids)
    place = np.minimum(place, max(len(embeddings.image_ids) - 1, 0))
    embedded = np.zeros(len(place), bool)
    if len(embeddings.image_ids):
        embedded = embeddings.image_ids[place] == solution.image_ids
    image_factors, ridge = own, None
    if settings.ridge and embedded.sum() > 1:
        ridge = _ridge(embeddings, place[embedded], own[embedded], settings.ridge_penalty)
        image_factors = own.copy()
        for rows in _parts(np.flatnonzero(embedded)):
            predicted = ridge.predict_short(embeddings.vectors[place[rows]])
            image_factors[rows] = (1 - settings.ridge) * own[rows] + settings.ridge * predicted
    stored = als.checked(image_factors).astype(np.float16)
    hashtag_factors = solution.hashtag_factors
    pool, centring = np.flatnonzero(chosen & embedded), None
    if settings.contrast and embeddings.axes is None:
        centring = ranking.Centring.of(embeddings.vectors, place[pool])
    if settings.refit_penalty:
        hashtag_factors = refit(solution, pool, embeddings.vectors, place, stored, settings, len(pool))
    return Model(
        settings,
        solution.image_ids[chosen],
        stored[chosen],
        solution.hashtag_ids,
        als.checked(hashtag_factors).astype(np.float16),
        solution.hashtag_images,
        len(solution.rows),
        Maps(gram, solution.weighting, ridge, embeddings.backbone_id if ridge or centring else None),
        centring,
    )


def _hashtags_of(image_ids: NDArray[np.int64], of: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of hashtags of each image, including those left out."""
    ids, counts = np.unique(of, return_counts=True)
    return counts[np.searchsorted(ids, image_ids)].astype(np.int64)


def _parts(rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [rows[start : start + PART] for start in range(0, len(rows), PART)]


def _ridge(
    embeddings: Embeddings, place: NDArray[np.int64], factors: NDArray[np.float32], penalty: float
) -> Ridge:
    vectors, parts = embeddings.vectors, _parts(np.arange(len(place)))
    mean = sum(vectors[place[part]].sum(axis=0, dtype=np.float64) for part in parts) / len(place)
    mean = np.asarray(mean, np.float32)
    offset = factors.mean(axis=0)
    if len(place) < vectors.shape[1]:  # equivalent, but a smaller system: of images instead of dimensions
        centred = (vectors[place].astype(np.float32) - mean).astype(np.float64)
        system = centred @ centred.T + penalty * np.eye(len(centred))
        matrix = centred.T @ np.linalg.solve(system, factors - offset)
        return Ridge(mean, offset, matrix.astype(np.float32), embeddings.axes)
    gram = penalty * np.eye(vectors.shape[1])
    right = np.zeros((vectors.shape[1], factors.shape[1]))
    for part in parts:
        centred = vectors[place[part]].astype(np.float32) - mean
        gram += centred.T @ centred
        right += centred.T @ (factors[part] - offset)
    return Ridge(mean, offset, np.linalg.solve(gram, right).astype(np.float32), embeddings.axes)


def _neighbours(
    vectors: NDArray[np.float16], pool: NDArray[np.int64], asked: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return places in the pool and similarities of neighbours; of nearly all of them in a large pool."""
    if len(pool) > max(EXACT, count):
        return clusters.nearest(vectors, pool, asked, count)
    compared = vectors[pool]
    found = [ranking.nearest(compared[part], compared, count, part) for part in _parts(asked)]
    places, similarities = zip(*found, strict=True)
    return np.concatenate(places), np.concatenate(similarities)


def refit(
    solution: als.Fit,
    pool: NDArray[np.int64],
    vectors: NDArray[np.float16],
    place: NDArray[np.int64],
    stored: NDArray[np.float16],
    settings: FactorSettings,
    images: int,
) -> NDArray[np.float32]:
    """Return hashtag factors that are fitted to averages over neighbours, float32 (h, k); see above.

    Parameters
    ----------
    solution
        Factors of hashtags, and the interactions of images.
    pool : int64 (p,)
        Places in the solution of images that may be neighbours, and of which averages are computed.
    vectors, place
        Embeddings or search vectors, and for each image of the solution its place among them.
    stored : float16 (n, k)
        Factors of the images of the solution.
    images
        Number of images that may be neighbours, of which the pool may be a part.
    """
    from scipy.sparse import csr_matrix

    if len(pool) < 2:
        return solution.hashtag_factors
    asked = refit_sample(len(pool), settings.seed)
    shape = (len(solution.image_ids), len(solution.hashtag_ids))
    ones = np.ones(len(solution.rows), np.float32)
    carried = csr_matrix((ones, (solution.rows, solution.columns)), shape=shape)[pool[asked]]
    at = place[pool]
    centring = ranking.Centring.of(vectors, at) if settings.contrast else None
    if centring is not None:
        vectors, at = centring.off(vectors, at), np.arange(len(pool))
    places, similarity = _neighbours(vectors, at, asked, settings.neighbours)
    weight = weights(similarity, settings, centring)
    average = ranking.averages(pool[places], weight, stored)
    return refitted(solution.hashtag_factors, carried, average, images, settings.refit_penalty)


def weights(
    similarity: NDArray[np.float32], settings: FactorSettings, centring: ranking.Centring | None
) -> NDArray[np.float32]:
    """Return the weights of neighbours, (q, c), by similarities that are off the mean with a centring."""
    if centring is None:
        return ranking.weights(similarity, settings.similarity_exponent)
    return ranking.contrasted(similarity, settings.contrast / centring.spread)


def refit_sample(pool: int, seed: int) -> NDArray[np.int64]:
    """Return which images of a pool of a given size hashtags are refitted to, int64 (m,), ascending."""
    if pool <= REFIT_IMAGES:
        return np.arange(pool)
    return np.sort(np.random.default_rng(seed).choice(pool, REFIT_IMAGES, replace=False))


def refitted(
    factors: NDArray[np.float32],
    carried: "csr_matrix",
    average: NDArray[np.float16],
    images: int,
    refit_penalty: float,
) -> NDArray[np.float32]:
    """Fit hashtag factors again, to averages of neighbours; see above.

    Parameters
    ----------
    factors : float32 (h, k)
        Hashtag factors from ALS.
    carried : (m, h)
        A 1 for each hashtag on each image of the sample.
    average : float16 (m, k)
        The average that recommending would compute for each of these images.
    images
        Number of images that may be neighbours, of which these are a sample.

    Returns
    -------
    float32 (h, k)
    """
    wide = average.astype(np.float64)
    gram = wide.T @ wide
    right = carried.T @ average.astype(np.float32) - factors @ gram
    penalty = refit_penalty * np.trace(gram) / len(average)  # the trace is the sum of |a|²
    if not penalty:
        return factors
    # The penalty is meant for all images; in a fit to a sample it counts for as much less.
    gram += penalty * len(average) / images * np.eye(len(gram))
    return factors + np.linalg.solve(gram, right.T).T.astype(np.float32)
