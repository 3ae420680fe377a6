"""Recommending on arrays, against the plainest way to compute the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tagdb.learning import ranking

Floats = NDArray[np.float64]


def vectors(count: int, number: int, dimensions: int = 16) -> NDArray[np.float16]:
    rng = np.random.default_rng(number)
    return (rng.standard_normal((count, dimensions)) * rng.uniform(0.1, 9, (count, 1))).astype(np.float16)


def cosines(queries: NDArray[np.float16], pool: NDArray[np.float16]) -> Floats:
    wide, other = queries.astype(np.float64), pool.astype(np.float64)
    length = np.linalg.norm(wide, axis=1)[:, None] * np.linalg.norm(other, axis=1)
    return np.asarray(wide @ other.T / np.where(length > 0, length, 1))


# --- the nearest -----------------------------------------------------------------------------------


@pytest.mark.parametrize("block", [1, 3, 7, 4096])
@pytest.mark.parametrize("count", [1, 5, 19, 20, 21, 100])
def test_the_nearest_are_those_of_numpy(count: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "BLOCK", block)
    pool, queries = vectors(20, 1), vectors(6, 2)
    places, similarity = ranking.nearest(queries, pool, count)
    expected = cosines(queries, pool)
    order = np.argsort(-expected, axis=1)[:, :count]
    assert places.dtype == np.int64
    assert similarity.dtype == np.float32
    assert places.tolist() == order.tolist()
    np.testing.assert_allclose(similarity, np.take_along_axis(expected, order, 1), atol=1e-5)


@pytest.mark.parametrize("block", [2, 4096])
def test_a_query_does_not_find_itself(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "BLOCK", block)
    pool = vectors(9, 1)
    itself = np.array([4, 0, -1, 8])
    places, similarity = ranking.nearest(pool[[4, 0, 2, 8]], pool, 3, itself)
    expected = cosines(pool[[4, 0, 2, 8]], pool)
    for row, own in enumerate(itself):
        if own >= 0:
            expected[row, own] = -np.inf
    assert places.tolist() == np.argsort(-expected, axis=1)[:, :3].tolist()
    assert np.isfinite(similarity).all()
    assert places[2, 0] == 2
    assert similarity[2, 0] == pytest.approx(1, abs=1e-3)


def test_what_is_left_out_weighs_nothing_where_all_are_asked_for() -> None:
    pool = vectors(5, 1)
    places, similarity = ranking.nearest(pool, pool, 50, np.arange(5))
    assert places.shape == (5, 5)
    assert places[:, -1].tolist() == [0, 1, 2, 3, 4]
    assert (similarity[:, -1] == -np.inf).all()
    weight = ranking.weights(similarity, 2.0)
    assert (weight[:, -1] == 0).all()
    assert (ranking.weights(similarity, 0.0) == np.float32([0.25, 0.25, 0.25, 0.25, 0])).all()


def test_ties_go_to_the_first() -> None:
    pool = np.repeat(vectors(3, 1), 4, axis=0)
    places, _ = ranking.nearest(pool[:1], pool, 4)
    assert places.tolist() == [[0, 1, 2, 3]]


def test_nothing_to_compare_with() -> None:
    places, similarity = ranking.nearest(vectors(3, 1), vectors(0, 1), 5)
    assert places.shape == similarity.shape == (3, 0)
    assert ranking.weights(similarity, 8.0).shape == (3, 0)
    places, similarity = ranking.nearest(vectors(0, 1), vectors(3, 1), 2)
    assert places.shape == similarity.shape == (0, 2)


def test_vectors_of_nothing_are_like_nothing() -> None:
    pool = vectors(4, 1)
    pool[2] = 0
    places, similarity = ranking.nearest(np.zeros((1, 16), np.float16), pool, 4)
    assert sorted(places[0].tolist()) == [0, 1, 2, 3]
    assert (similarity == 0).all()
    assert (ranking.weights(similarity, 1.0) == 0).all()


# --- weights ---------------------------------------------------------------------------------------


def formula(similarity: list[float], exponent: float) -> list[float]:
    """As in ``neighbours.r02.sql``, one case after the other; -inf is no neighbour."""
    there = [one for one in similarity if one != -math.inf]
    best = max(there, default=0)
    raw = []
    for one in similarity:
        if one == -math.inf:
            raw.append(0.0)
        elif exponent == 0:
            raw.append(1.0)
        elif one <= 0 or exponent * math.log(one / best) < -60:
            raw.append(0.0)
        else:
            raw.append((one / best) ** exponent)
    total = sum(raw)
    return [one / total if total else 0.0 for one in raw]


similarities = st.lists(
    st.one_of(st.floats(-1, 1, width=32), st.sampled_from([0.0, -math.inf, 1.0, 0.5])), max_size=12
)


@settings(max_examples=300)
@given(similarities, st.sampled_from([0.0, 0.5, 1.0, 8.0, 100.0, 1000.0]))
def test_weights_follow_the_formula(similarity: list[float], exponent: float) -> None:
    with np.errstate(over="ignore"):  # see below
        found = ranking.weights(np.array([similarity], np.float32).reshape(1, -1), exponent)
    assert found.dtype == np.float32
    expected = formula(similarity, exponent)
    np.testing.assert_allclose(found[0], expected, rtol=1e-4, atol=1e-25)
    assert found.sum() == pytest.approx(1 if any(expected) else 0, abs=1e-5)


def test_each_row_has_weights_of_its_own() -> None:
    similarity = np.array([[0.9, 0.8, -0.2], [0.0, -0.5, -np.inf], [1e-3, 1e-3, 1e-3]], np.float32)
    found = ranking.weights(similarity, 8.0)
    for row, one in zip(similarity.tolist(), found, strict=True):
        np.testing.assert_allclose(one, formula(row, 8.0), rtol=1e-5)


def test_weights_that_are_far_too_small_are_none() -> None:
    found = ranking.weights(np.array([[1.0, np.exp(-0.0599), np.exp(-0.0601)]], np.float32), 1000.0)
    assert found[0, 1] > 0
    assert found[0, 2] == 0


def test_what_has_no_weight_is_not_computed() -> None:
    similarity = np.array([[0.4, 0.3, -np.inf]], np.float32)
    with np.errstate(over="raise"):
        found = ranking.weights(similarity, 1000.0)
    np.testing.assert_allclose(found[0], [1, 0, 0])


# --- averages, scores, the best --------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 300])
def test_averages_are_weighted_sums(count: int) -> None:
    rng = np.random.default_rng(3)
    factors = vectors(40, 4, 6)
    places = rng.integers(0, 40, (count, 7))
    weight = rng.dirichlet(np.ones(7), count).astype(np.float32).reshape(count, 7)
    found = ranking.averages(places, weight, factors)
    expected = (weight.astype(np.float64)[:, :, None] * factors.astype(np.float64)[places]).sum(axis=1)
    assert found.dtype == np.float16
    assert found.shape == (count, 6)
    np.testing.assert_allclose(found.astype(np.float64), expected, rtol=2**-10, atol=1e-4)


def test_an_average_without_neighbours_is_nothing() -> None:
    factors = vectors(4, 4, 6)
    assert (ranking.averages(np.zeros((2, 0), int), np.zeros((2, 0), np.float32), factors) == 0).all()
    assert (ranking.averages(np.zeros((1, 3), int), np.zeros((1, 3), np.float32), factors) == 0).all()


def test_scores_are_dot_products() -> None:
    average, hashtags = vectors(5, 1, 6), vectors(9, 2, 6)
    found = ranking.scores(average, hashtags)
    assert found.dtype == np.float32
    np.testing.assert_allclose(
        found, average.astype(np.float64) @ hashtags.astype(np.float64).T, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("top", [0, 1, 4, 11, 12, 50])
def test_the_best_come_first(top: int) -> None:
    score = np.random.default_rng(1).standard_normal((7, 12)).astype(np.float32)
    found = ranking.best(score, top)
    assert found.dtype == np.int64
    assert found.tolist() == np.argsort(-score, axis=1, kind="stable")[:, :top].tolist()


def test_the_best_of_none() -> None:
    assert ranking.best(np.zeros((3, 0), np.float32), 5).shape == (3, 0)
    assert ranking.best(np.zeros((0, 4), np.float32), 3).shape == (0, 3)


def test_the_best_of_equals_come_in_order() -> None:
    score = np.array([[1.0, 2.0, 2.0, 2.0, 0.0]], np.float32)
    assert ranking.best(score, 5).tolist() == [[1, 2, 3, 0, 4]]


# --- off the mean


def test_a_centring_is_of_what_differs() -> None:
    rng = np.random.default_rng(1)
    vectors = ranking.unit(rng.random((50, 8))).astype(np.float16)
    centring = ranking.Centring.of(vectors)
    assert centring is not None
    wide = vectors.astype(np.float64)
    np.testing.assert_allclose(centring.mean, wide.mean(axis=0), rtol=1e-3)
    off = wide - wide.mean(axis=0)
    off /= np.linalg.norm(off, axis=1, keepdims=True)
    pairs = (off @ off.T)[np.triu_indices(50, 1)]
    assert centring.spread == pytest.approx(pairs.std(), rel=1e-2)
    np.testing.assert_allclose(centring.off(vectors).astype(float), off, atol=2e-3)
    near = np.array([[3, 7, 9], [1, 2, 3]])
    similarity = np.take_along_axis((wide @ wide.T)[:2], near, 1).astype(np.float32)
    closeness = centring.closeness(similarity, vectors[:2], vectors[near])
    np.testing.assert_allclose(closeness, np.take_along_axis((off @ off.T)[:2], near, 1), atol=5e-3)


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_nothing_can_be_measured_off_the_mean_of_equals(count: int) -> None:
    one = np.full((1, 4), 0.5, np.float16)
    assert ranking.Centring.of(np.repeat(one, count, axis=0)) is None


def test_contrast_weighs_by_differences() -> None:
    closeness = np.array([[0.3, 0.1, -np.inf], [0.5, 0.5, 0.5], [-np.inf] * 3, [1.0, -9.0, 0.9]])
    weight = ranking.contrasted(closeness, 10.0)
    share = np.exp(-2) / (1 + np.exp(-2))
    np.testing.assert_allclose(weight[0], [1 - share, share, 0], rtol=1e-6)
    np.testing.assert_allclose(weight[1], [1 / 3] * 3, rtol=1e-6)
    assert weight[2].tolist() == [0, 0, 0]
    assert weight[3, 1] == 0, "below e^-60 of the largest"
