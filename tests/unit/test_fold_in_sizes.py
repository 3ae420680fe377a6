"""Folding in at every size: never worse than leaving the new photos out."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tagdb.learning import als, folding_in, model
from tagdb.learning.settings import PRESETS
from tests.support.benchmarks import loaded

sizes = loaded("fold_in_sizes")

MARGIN = 0.03
"""Of nDCG@10; the largest loss that was seen, of three photos, is .018."""
SIZES = [(3, 3), (3, 60), (10, 5), (10, 30), (40, 10), (40, 100), (120, 30), (300, 300), (1500, 500)]


@cache
def photos():
    """2,200 photos of 12 topics: six hashtags each, of the topic or of all, as often as Zipf's law says."""
    rng = np.random.default_rng(7)
    topics = rng.integers(0, 12, 2200)
    centres = np.maximum(rng.standard_normal((12, 64)), 0)
    embeddings = np.maximum(centres[topics] + 0.8 * rng.standard_normal((2200, 64)), 0)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    place = np.minimum(rng.zipf(1.3, (2200, 6)), 40)
    own = rng.random((2200, 6)) < 0.7
    hashtags = np.where(own, 100 + 40 * topics[:, None] + place, place)
    return sizes.Photos([set(row) for row in hashtags.tolist()], embeddings.astype(np.float16))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("factors", [4, 64, 256])
@pytest.mark.parametrize("size", SIZES)
def test_recommendations_get_no_worse(size: tuple[int, int], factors: int, preset: str) -> None:
    settings = replace(PRESETS[preset], factors=factors)
    seeds = range(4 if sum(size) < 1000 else 1)
    drawn = [sizes.compare(photos(), size, 150, settings, seed) for seed in seeds]
    before, after, full = np.mean([(d.before, d.folded_in, d.full) for d in drawn if d], axis=0)

    assert after[0] >= before[0] - MARGIN
    assert after[1] <= 2 * max(before[1], full[1], 1), "scores are as long as elsewhere"


@pytest.mark.parametrize("preset", PRESETS)
def test_in_any_order_of_arrival(preset: str) -> None:
    """A hashtag that comes photo by photo ends where it would have been at once, and never is long."""
    settings = PRESETS[preset].following(30, 100, 0.5)
    fit, _ = sizes.computed(photos(), np.arange(30), settings)
    basis = folding_in.Basis(
        1, fit.settings, fit.maps, fit.hashtag_ids, fit.hashtag_factors.astype(np.float32), fit.hashtag_images
    )
    rng = np.random.default_rng(1)
    length = np.linalg.norm(fit.image_factors.astype(np.float32), axis=1).mean()
    new = (length * rng.standard_normal((20, settings.factors)) / settings.factors**0.5).astype(np.float16)
    ids = np.arange(1000, 1020)
    for count in range(settings.min_images, 21):
        _, factors, images = folding_in.hashtag_factors(
            basis, np.full(count, 9999, np.int32), ids[:count], new[:count]
        )
        assert images == [count]
        assert np.abs(new.astype(np.float32) @ factors[0].astype(np.float32)).max() < 2
    order = rng.permutation(20)
    _, again, _ = folding_in.hashtag_factors(basis, np.full(20, 9999, np.int32), ids[order], new[order])
    np.testing.assert_allclose(again.astype(float), factors.astype(float), rtol=2e-2, atol=1e-3)


def test_what_the_runs_images_have_nothing_of_does_not_explode() -> None:
    """As on a run of few photos: the direction of the new ones is not in its gram."""
    gram = np.diag([4.0, 0.0]).astype(np.float32)
    maps = model.Maps(gram, als.Weighting("none", 4, 3.0, 1.0, 2.0), None)
    settings = replace(PRESETS["shipped"], factors=2, regularization=0.01)
    none = np.empty(0, np.int32)
    basis = folding_in.Basis(1, settings, maps, none, np.empty((0, 2), np.float32), none)
    new = np.array([[0.0, 0.1], [0.0, 0.2]], np.float16)

    _, factors, _ = folding_in.hashtag_factors(basis, np.array([7, 7], np.int32), np.array([8, 9]), new)

    # x / (Σx² + λ + the mean squared length of the run's images, which is 1)
    np.testing.assert_allclose(factors, [[0, 0.3 / (0.05 + 0.01 + 1)]], rtol=1e-3)
