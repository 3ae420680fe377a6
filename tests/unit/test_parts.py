"""Sums over parts of the images give what the whole model computes at once."""

from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np
import pytest

from tagdb.learning import als, parts, ranking
from tagdb.learning import model as modelling
from tagdb.learning.als import Interactions
from tagdb.learning.model import Embeddings
from tagdb.learning.parts import HashtagCounts, Known, RidgeSums, Totals
from tagdb.learning.ranking import Nearest
from tagdb.learning.settings import FactorSettings

RNG = np.random.default_rng(3)


def drawn(images: int = 40, hashtags: int = 12) -> Interactions:
    """Images from 100 on with differing numbers of hashtags, of which some are rare; some accepted."""
    rng = np.random.default_rng(5)
    rows, columns = np.nonzero(rng.random((images, hashtags)) < np.linspace(0.02, 0.6, hashtags))
    order = rng.permutation(len(rows))
    accepted = (rng.random(len(rows)) < 0.2).astype(np.int32)
    return Interactions(rows[order].astype(np.int64) + 100, columns[order].astype(np.int32) + 7, accepted)


def cut(whole: Interactions, at: int = 117) -> list[Interactions]:
    """The same in two parts by image, and one part without any."""
    chosen = (whole.image_ids < at, whole.image_ids >= at, whole.image_ids < 0)
    return [Interactions(whole.image_ids[c], whole.hashtag_ids[c], whole.accepted[c]) for c in chosen]


@pytest.mark.parametrize("kind", ["none", "bm25", "tfidf"])
def test_weights_are_those_of_the_whole(kind: str) -> None:
    settings = FactorSettings(
        factors=2, iterations=1, weighting=kind, min_images=3, accepted_weight=2.5, ridge=0, refit_penalty=0
    )
    some = cut(drawn())
    hashtags = reduce(add, map(HashtagCounts.of, some)).at_least(3)
    totals = reduce(add, (Totals.of(one, hashtags) for one in some))
    expected = als.fit(drawn(), settings)
    assert hashtags.hashtag_ids.tolist() == expected.hashtag_ids.tolist()
    assert hashtags.images.tolist() == expected.hashtag_images.tolist()
    assert (totals.images, totals.interactions) == (len(expected.image_ids), len(expected.rows))
    basis = parts.weighting_of(FactorSettings(weighting=kind, accepted_weight=1.0), totals, 1.0)
    known = [Known.of(one, hashtags) for one in some]
    mean = sum(one.weights(basis).sum(dtype=np.float64) for one in known) / totals.interactions
    weighting = parts.weighting_of(settings, totals, mean)
    for name in ("kind", "images", "accepted"):
        assert getattr(weighting, name) == getattr(expected.weighting, name)
    assert weighting.mean_hashtags == pytest.approx(expected.weighting.mean_hashtags)
    assert weighting.scale == pytest.approx(expected.weighting.scale)


@pytest.mark.parametrize("wanted", [None, 1, 3, 5, 1000])
@pytest.mark.parametrize("at", [100, 117, 140])
def test_half_of_the_images_stay_neighbours(wanted: int | None, at: int) -> None:
    settings = FactorSettings(factors=2, iterations=1, ridge=0, refit_penalty=0)
    settings = settings if wanted is None else settings.changed(min_hashtags=wanted)
    model = modelling.fit(drawn(), Embeddings(np.empty(0, np.int64), np.empty((0, 4), np.float16)), settings)
    hashtags = HashtagCounts.of(drawn()).at_least(settings.min_images)
    totals = reduce(add, (Totals.of(one, hashtags) for one in cut(drawn(), at)))
    assert als.min_hashtags(settings, totals.carried) == model.settings.min_hashtags


def test_hashtags_of_images_of_which_some_have_none() -> None:
    one = Interactions(np.array([5, 7, 5]), np.array([1, 1, 2], np.int32), np.zeros(3, np.int32))
    assert parts.hashtags_of(np.array([4, 5, 6, 7, 8]), one).tolist() == [0, 2, 0, 1, 0]
    assert parts.hashtags_of(np.array([4]), cut(drawn())[2]).tolist() == [0]


@pytest.mark.parametrize("images", [9, 200])  # fewer and more than dimensions
def test_the_ridge_regression_is_that_of_the_whole(images: int) -> None:
    vectors = ranking.unit(np.abs(RNG.standard_normal((images, 24)))).astype(np.float16)
    own = RNG.standard_normal((images, 5)).astype(np.float32)
    expected = modelling._ridge(Embeddings(np.arange(images), vectors), np.arange(images), own, 0.5)
    sums = RidgeSums.of(vectors[:4], own[:4]) + RidgeSums.of(vectors[4:], own[4:])
    found = sums.solved(0.5, None)
    for name in ("mean", "offset", "matrix"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-3, atol=1e-4)
        assert getattr(found, name).dtype == np.float32


def test_neighbours_and_averages_are_those_of_the_whole() -> None:
    vectors = ranking.unit(RNG.standard_normal((90, 16))).astype(np.float16)
    factors = RNG.standard_normal((90, 3)).astype(np.float16)
    ids, asked = np.arange(90, dtype=np.int64) * 2 + 50, np.array([0, 31, 89])
    pieces = [slice(0, 30), slice(30, 30), slice(30, 90)]
    some = [parts.nearest(vectors[asked], ids[one], vectors[one], 8) for one in pieces]
    found = parts.but_itself(reduce(lambda a, b: a.merged(b, 8), some[::-1]), ids[asked])
    places, similarity = ranking.nearest(vectors[asked], vectors, 7, asked)
    assert found.ids.tolist() == ids[places].tolist()
    np.testing.assert_allclose(found.similarity, similarity, rtol=1e-5)
    weight = ranking.weights(found.similarity, 8.0)
    sums = [parts.average_sums(found.ids, weight, ids[one], factors[one]) for one in pieces]
    expected = ranking.averages(places, weight, factors)
    np.testing.assert_allclose(reduce(add, sums).astype(np.float16), expected, rtol=2e-3, atol=1e-3)


def test_equally_near_ones_do_not_depend_on_the_order() -> None:
    one = Nearest(np.array([[4, 9]]), np.array([[0.5, 0.25]], np.float32))
    other = Nearest(np.array([[2, 1]]), np.array([[0.5, 0.25]], np.float32))
    for found in (one.merged(other, 3), other.merged(one, 3)):
        assert found.ids.tolist() == [[2, 4, 1]]


def test_one_that_is_not_among_its_nearest_loses_the_last() -> None:
    found = Nearest(np.array([[4, 9, 1]]), np.array([[0.5, 0.25, 0.1]], np.float32))
    assert parts.but_itself(found, np.array([7])).ids.tolist() == [[4, 9]]
    assert parts.but_itself(found, np.array([4])).ids.tolist() == [[9, 1]]


def test_nothing_to_average() -> None:
    nobody = Nearest.of(2)
    sums = parts.average_sums(nobody.ids, nobody.similarity, np.array([1]), np.ones((1, 3), np.float16))
    assert sums.tolist() == [[0, 0, 0]] * 2
