"""Learning from a sample: against learning from all, and against half-steps of ALS, image by image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tagdb.learning import als, memory, sampling
from tagdb.learning import model as modelling
from tagdb.learning.als import Counts, Interactions
from tagdb.learning.model import Embeddings, Model
from tagdb.learning.settings import FactorSettings

SETTINGS = FactorSettings(factors=6, min_images=2, min_hashtags=2, neighbours=5)
IMAGES = 240


def photos(images: int = IMAGES, seed: int = 1) -> tuple[Interactions, Embeddings]:
    """Images of six topics, each with hashtags of its topic, one of few and one that nobody else has."""
    rng = np.random.default_rng(seed)
    topics = rng.integers(0, 6, images)
    centres = np.abs(rng.standard_normal((6, 32)))
    vectors = np.abs(centres[topics] + 0.3 * rng.standard_normal((images, 32)))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    pairs: set[tuple[int, int]] = set()
    for n in range(images):
        own = topics[n] * 10 + rng.choice(10, 4, replace=False)
        pairs |= {(n, int(h)) for h in own} | {(n, 100 + int(rng.integers(0, images // 3))), (n, 1000 + n)}
    rows, columns = np.array(sorted(pairs)).T
    accepted = np.zeros(len(rows), np.int32)
    ids = np.arange(images, dtype=np.int64) * 3 + 7
    return Interactions(ids[rows], columns.astype(np.int32), accepted), Embeddings(
        ids, vectors.astype(np.float16)
    )


def scores(model: Model) -> NDArray[np.float32]:
    return model.image_factors.astype(np.float32) @ model.hashtag_factors.astype(np.float32).T


@pytest.mark.parametrize("sample", [0.5, 0.1, 60])
def test_every_image_and_hashtag_has_factors_near_those_of_the_whole(sample: float) -> None:
    interactions, embeddings = photos()
    whole = modelling.fit(interactions, embeddings, SETTINGS)
    model = sampling.fit_arrays(interactions, embeddings, replace(SETTINGS, sample=sample))
    for name in ("image_ids", "hashtag_ids", "hashtag_images", "interactions"):
        assert np.array_equal(getattr(model, name), getattr(whole, name)), name
    assert replace(model.settings, sample=0) == whole.settings
    assert np.corrcoef(scores(model).ravel(), scores(whole).ravel())[0, 1] > 0.95
    again = sampling.fit_arrays(interactions, embeddings, replace(SETTINGS, sample=sample))
    assert np.array_equal(model.image_factors, again.image_factors)
    assert np.array_equal(model.hashtag_factors, again.hashtag_factors)


def test_a_sample_of_all_is_the_whole() -> None:
    interactions, embeddings = photos()
    whole = modelling.fit(interactions, embeddings, SETTINGS)
    for sample in (0, 1, IMAGES, 10 * IMAGES):
        model = sampling.fit_arrays(interactions, embeddings, replace(SETTINGS, sample=sample))
        assert np.array_equal(model.hashtag_factors, whole.hashtag_factors)


@pytest.mark.parametrize(
    "changed",
    [{}, {"alpha": 20.0}, {"weighting": "tfidf"}, {"weighting": "bm25", "alpha": 5.0}, {"accepted": True}],
    ids=str,
)
def test_the_last_round_is_that_of_als(changed: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    interactions, embeddings = photos()
    if changed.pop("accepted", False):
        interactions.accepted[::7] = 1
    settings = replace(SETTINGS, ridge=0.0, refit_penalty=0.0, min_hashtags=1, **changed)  # type: ignore[arg-type]
    collection = sampling.Arrays(interactions, embeddings)
    counts = sampling.count(collection)
    monkeypatch.setattr(sampling, "STEPS", 40)  # until it has converged
    monkeypatch.setattr(sampling, "TOGETHER", 50)
    solution = als.fit(interactions, settings, all_images=counts)
    walk = sampling._Walk(collection, counts, solution.weighting, settings, lambda images: None)
    assert np.array_equal(walk.ids, solution.hashtag_ids)
    before = solution.hashtag_factors
    parts = list(walk.parts(before))
    images = np.concatenate([part.factors for part in parts])
    weights = solution.weighting.weights(
        interactions.accepted, *(np.ones_like(interactions.accepted) for _ in range(2))
    )
    assert len(weights) == len(interactions.image_ids)

    def half(other: NDArray[np.float32], by: NDArray[np.int64], to: NDArray[np.int64], count: int) -> object:
        confidence = np.concatenate([part.confidence for part in parts])
        lists = [to[by == n] for n in range(count)]
        own = [confidence[by == n] / settings.alpha for n in range(count)]
        return als.fold_in(other, other.T @ other, lists, own, settings.alpha, settings.regularization)

    starts = np.cumsum([0, *(len(part.image_ids) for part in parts)])
    rows = np.concatenate([part.rows + start for part, start in zip(parts, starts, strict=False)])
    columns = np.concatenate([part.columns for part in parts])
    assert images == pytest.approx(half(before, rows, columns, len(images)), abs=1e-4)
    hashtags, carried, pairs = sampling._last_round(walk, before)
    assert hashtags == pytest.approx(half(images, columns, rows, len(before)), abs=2e-3)
    assert pairs == len(rows)
    assert carried.sum() == len(images)


def test_counts_are_those_of_all_images() -> None:
    interactions, embeddings = photos()
    counts = sampling.count(sampling.Arrays(interactions, embeddings))
    ids, images = np.unique(interactions.hashtag_ids, return_counts=True)
    assert np.array_equal(counts.hashtag_ids, ids)
    assert np.array_equal(counts.hashtag_images, images)
    assert (counts.images, counts.interactions) == (IMAGES, len(interactions.image_ids))


@pytest.mark.parametrize(
    ("sample", "images"), [(0, 100), (1, 100), (0.25, 25), (0.001, 2), (2, 2), (40, 40), (400, 100)]
)
def test_the_size_of_a_sample(sample: float, images: int) -> None:
    assert sampling.size_of(sample, 100) == images


def test_the_largest_sample_fits() -> None:
    sizes = (13_000_000, 1_000_000, 100_000, 128)
    room = memory.whole(*sizes, 1_000_000) / 2
    sample = memory.largest_sample(room, *sizes)
    assert 100_000 < sample < 500_000
    assert memory.largest_sample(room / 2, *sizes) < sample
    assert memory.largest_sample(0, *sizes) == memory.LEAST


def test_images_without_embedding_and_parts_without_hashtags_that_count() -> None:
    interactions, embeddings = photos()
    few = Embeddings(embeddings.image_ids[::2], embeddings.vectors[::2])
    model = sampling.fit_arrays(interactions, few, replace(SETTINGS, sample=0.5))
    assert len(model.image_ids) == IMAGES
    none = Embeddings(embeddings.image_ids[:0], embeddings.vectors[:0])
    model = sampling.fit_arrays(interactions, none, replace(SETTINGS, sample=0.5))
    assert model.maps.ridge is None
    assert isinstance(sampling.count(sampling.Arrays(interactions, none)), Counts)
