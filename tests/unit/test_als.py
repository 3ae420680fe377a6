"""ALS, on matrices whose right answer is known, and against the ``implicit`` library's own."""

import math
from itertools import pairwise

import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from implicit.nearest_neighbours import bm25_weight, tfidf_weight
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from tagdb.errors import FactorsError
from tagdb.learning.als import BM25_B, BM25_K1, Fit, Interactions, Weighting, fit, fold_in
from tagdb.learning.settings import FactorSettings

Numbers = NDArray[np.float64]


def pairs(matrix: NDArray[np.bool_], accepted: NDArray[np.bool_] | None = None) -> Interactions:
    """Interactions: image ids from 1000 on, hashtag ids from 10 on."""
    rows, columns = np.nonzero(matrix)
    words = np.zeros_like(matrix) if accepted is None else accepted
    return Interactions(
        rows.astype(np.int64) + 1000, columns.astype(np.int32) + 10, words[rows, columns].astype(np.int32)
    )


def plain(image_ids: list[int], hashtag_ids: list[int]) -> Interactions:
    """Interactions of these ids, none of them accepted."""
    return Interactions(
        np.array(image_ids, np.int64), np.array(hashtag_ids, np.int32), np.zeros(len(image_ids), np.int32)
    )


def random_matrix(images: int = 14, hashtags: int = 9) -> NDArray[np.bool_]:
    matrix = np.random.default_rng(5).random((images, hashtags)) < 0.4
    matrix[np.arange(images), np.arange(images) % hashtags] = True
    return matrix


def vectors(found: Fit) -> tuple[Numbers, Numbers]:
    return found.image_factors.astype(float), found.hashtag_factors.astype(float)


def scores(found: Fit) -> Numbers:
    images, hashtags = vectors(found)
    return images @ hashtags.T


def half_step(others: Numbers, confidence: Numbers, regularization: float) -> Numbers:
    """One row's best factors, by the closed formula: (YᵀCY + λ)⁻¹ YᵀCp.

    ``confidence`` is 0 where p is 0, which the formula's C counts as 1.
    """
    all_of_them = np.where(confidence, confidence, 1.0)
    left = (others.T * all_of_them) @ others + regularization * np.eye(others.shape[1])
    return np.linalg.solve(left, others.T @ confidence)


def test_hashtags_of_a_group_are_liked_within_it() -> None:
    """Two groups that share nothing: each image wears all but one of its group's five hashtags."""
    matrix = np.zeros((20, 10), bool)
    for image in range(20):
        group = slice(0, 5) if image < 10 else slice(5, 10)
        matrix[image, group] = True
        matrix[image, group.start + image % 5] = False
    got = scores(fit(pairs(matrix), FactorSettings(factors=2, regularization=0.01, iterations=30)))
    within = np.kron(np.eye(2, dtype=bool), np.ones((10, 5), bool))
    assert got[within].min() > 0.6  # also of the hashtag that an image does not wear
    assert np.abs(got[~within]).max() < 0.05


def test_enough_factors_reconstruct_the_matrix() -> None:
    matrix = random_matrix()
    settings = FactorSettings(factors=16, regularization=1e-3, iterations=60, min_images=1)
    np.testing.assert_allclose(scores(fit(pairs(matrix), settings)), matrix, atol=0.02)


def test_one_factor_by_hand() -> None:
    """Everybody wears everything: x = n·y/(n·y² + λ) with n hashtags, and the other way round."""
    settings = FactorSettings(factors=1, regularization=0.5, iterations=100, min_images=1)
    got = fit(pairs(np.ones((4, 4), bool)), settings)
    # x = y by symmetry: 4x² + 0.5 = 4, each score x²
    assert scores(got) == pytest.approx(np.full((4, 4), 3.5 / 4), abs=1e-5)


@pytest.mark.parametrize("alpha", [1.0, 2.0, 40.0])
@pytest.mark.parametrize("accepted_weight", [1.0, 3.0])
def test_factors_agree_with_the_closed_formula(alpha: float, accepted_weight: float) -> None:
    """Hashtags by the last half-step, images because it has converged; accepted ones weigh more."""
    matrix = random_matrix()
    accepted = np.random.default_rng(8).random(matrix.shape) < 0.3
    settings = FactorSettings(
        factors=3,
        alpha=alpha,
        regularization=0.1,
        iterations=1000,
        min_images=1,
        accepted_weight=accepted_weight,
    )
    images, hashtags = vectors(fit(pairs(matrix, accepted), settings))
    confidence = alpha * matrix * np.where(accepted, accepted_weight, 1)
    for column in range(matrix.shape[1]):
        expected = half_step(images, confidence[:, column], 0.1)
        np.testing.assert_allclose(hashtags[column], expected, atol=1e-3)
    for row in range(matrix.shape[0]):
        expected = half_step(hashtags, confidence[row], 0.1)
        np.testing.assert_allclose(images[row], expected, atol=1e-3)


def test_alpha_is_the_confidence_itself() -> None:
    """Not the paper's 1 + alpha: the closed formula with that would give something else."""
    matrix = random_matrix()
    settings = FactorSettings(factors=3, alpha=2.0, regularization=0.1, iterations=1000, min_images=1)
    images, hashtags = vectors(fit(pairs(matrix), settings))
    assert np.abs(hashtags[0] - half_step(images, 3.0 * matrix[:, 0], 0.1)).max() > 0.03


def test_shapes_and_types() -> None:
    matrix = random_matrix()
    found = fit(pairs(matrix), FactorSettings(factors=5, min_images=1))
    assert found.image_factors.shape == (14, 5)
    assert found.hashtag_factors.shape == (9, 5)
    assert found.image_factors.dtype == found.hashtag_factors.dtype == np.float32
    assert found.image_ids.dtype == np.int64
    assert found.hashtag_ids.dtype == found.hashtag_images.dtype == np.int32
    assert found.hashtag_images.tolist() == matrix.sum(axis=0).tolist()
    np.testing.assert_array_equal(np.stack([found.rows, found.columns]), np.nonzero(matrix))


def test_ids_ascend_and_name_their_rows() -> None:
    """Ids that are neither dense nor in order, also beyond 32 bits."""
    given = plain([2**40, 7, 2**40, 7, 99, 99], [300, 5, 301, 6, 5, 6])
    found = fit(given, FactorSettings(factors=2, min_images=1, iterations=30, regularization=0.01))
    assert found.image_ids.tolist() == [7, 99, 2**40]
    assert found.hashtag_ids.tolist() == [5, 6, 300, 301]
    expected = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]])
    np.testing.assert_allclose(scores(found), expected, atol=0.05)
    assert found.image_ids[found.rows].tolist() == given.image_ids.tolist()
    assert found.hashtag_ids[found.columns].tolist() == given.hashtag_ids.tolist()


def same(one: Fit, other: Fit) -> bool:
    return (
        np.array_equal(one.image_factors, other.image_factors)
        and np.array_equal(one.hashtag_factors, other.hashtag_factors)
        and np.array_equal(one.image_ids, other.image_ids)
        and np.array_equal(one.hashtag_ids, other.hashtag_ids)
    )


def test_the_same_seed_gives_the_same_factors_in_any_order() -> None:
    matrix = random_matrix(300, 80)
    given = pairs(matrix, np.random.default_rng(9).random(matrix.shape) < 0.1)
    settings = FactorSettings(factors=32, weighting="bm25")
    first = fit(given, settings)
    for seed in range(4):
        at = np.random.default_rng(seed).permutation(len(given.image_ids))
        shuffled = Interactions(given.image_ids[at], given.hashtag_ids[at], given.accepted[at])
        with threadpool_limits(1 + seed % 2, user_api="openmp"):  # with one thread and with several
            assert same(first, fit(shuffled, settings))


def test_another_seed_gives_other_factors() -> None:
    given = pairs(random_matrix())
    one, other = (fit(given, FactorSettings(factors=4, min_images=1, seed=seed)) for seed in (1, 2))
    assert not same(one, other)


def test_rare_hashtags_are_left_out() -> None:
    matrix = np.zeros((5, 4), bool)
    for column, images in enumerate((1, 2, 3, 5)):
        matrix[:images, column] = True
    for min_images, expected in ((1, [10, 11, 12, 13]), (3, [12, 13]), (5, [13])):
        found = fit(pairs(matrix), FactorSettings(factors=2, min_images=min_images))
        assert found.hashtag_ids.tolist() == expected
        assert len(found.rows) == len(found.columns) == matrix[:, np.array(expected) - 10].sum()


def test_images_left_with_rare_hashtags_only_are_left_out() -> None:
    found = fit(plain([1, 2, 3, 3], [8, 8, 9, 7]), FactorSettings(factors=2, min_images=2))
    assert found.image_ids.tolist() == [1, 2]
    assert found.hashtag_ids.tolist() == [8]
    assert found.rows.tolist() == [0, 1]
    assert found.columns.tolist() == [0, 0]


@pytest.mark.parametrize("matrix", [np.eye(4, dtype=bool), np.zeros((0, 0), bool)])
def test_nothing_but_rare_hashtags(matrix: NDArray[np.bool_]) -> None:
    with pytest.raises(FactorsError, match=r"no hashtag is on 2 images.* --min-images"):
        fit(pairs(matrix), FactorSettings())


@pytest.mark.parametrize(
    "settings",
    [
        FactorSettings(factors=4, alpha=1e38),  # overflows while it is computed
        FactorSettings(factors=4, alpha=math.inf),
    ],
    ids=["too large", "infinite"],
)
def test_factors_that_are_not_finite(settings: FactorSettings) -> None:
    matrix = np.kron(np.eye(2, dtype=bool), np.ones((3, 3), bool))
    with pytest.raises(FactorsError, match=r"not finite numbers; raise --regularization or lower --alpha"):
        fit(pairs(matrix), settings)


def test_factors_that_a_halfvec_cannot_hold() -> None:
    """Finite as float32: one hashtag that starts next to zero, and nothing that holds its images back."""
    settings = FactorSettings(factors=1, regularization=0.0, iterations=1, seed=80)
    with pytest.raises(FactorsError, match="not finite numbers"):
        fit(plain([1, 2], [1, 1]), settings)


def test_progress_is_told_after_each_iteration() -> None:
    told: list[int] = []
    fit(pairs(random_matrix()), FactorSettings(factors=2, iterations=5, min_images=1), told.append)
    assert told == [1, 2, 3, 4, 5]


# --- weighting -----------------------------------------------------------------------------------


def skewed_matrix() -> NDArray[np.bool_]:
    """60 images, 12 hashtags from rare to frequent; one is on every image, so that its logarithm is < 0."""
    matrix = np.random.default_rng(6).random((60, 12)) < np.linspace(0.05, 0.8, 12)
    matrix[:3, 0] = True
    matrix[:, 11] = True
    return matrix


def weights_of(matrix: NDArray[np.bool_], weighting: Weighting, accepted: object = 0) -> Numbers:
    """The weight of each cell of the matrix; 0 where there is no interaction."""
    rows, columns = np.nonzero(matrix)
    words = np.broadcast_to(np.asarray(accepted, np.int32), matrix.shape)[rows, columns]
    result = np.zeros(matrix.shape)
    result[rows, columns] = weighting.weights(words, matrix.sum(axis=0)[columns], matrix.sum(axis=1)[rows])
    return result


@pytest.mark.parametrize("kind", ["tfidf", "bm25"])
def test_weights_are_those_of_implicit(kind: str) -> None:
    """Up to a scale, and to a hashtag that is on nearly every image: it still weighs something."""
    matrix = skewed_matrix()
    theirs = {
        "tfidf": lambda counts: tfidf_weight(counts),
        "bm25": lambda counts: bm25_weight(counts, BM25_K1, BM25_B),
    }[kind](csr_matrix(matrix.astype(np.float64))).toarray()
    ours = weights_of(matrix, fit(pairs(matrix), FactorSettings(factors=2, weighting=kind)).weighting)
    np.testing.assert_array_equal(ours > 0, matrix)
    assert ours[matrix].mean() == pytest.approx(1)
    assert (theirs[:, 11] < 0).all()
    assert ours[:, 11].max() < 0.01 * ours[matrix].mean()
    usual = theirs > 0
    assert (matrix[:, :11] == usual[:, :11]).all()
    np.testing.assert_allclose(ours[usual] / theirs[usual], (ours[usual] / theirs[usual]).mean(), rtol=1e-5)


def test_without_weighting_everything_weighs_the_same() -> None:
    matrix = skewed_matrix()
    weighting = fit(pairs(matrix), FactorSettings(factors=2)).weighting
    np.testing.assert_array_equal(weights_of(matrix, weighting), matrix)


def test_a_rarer_hashtag_and_a_shorter_list_weigh_more() -> None:
    matrix = skewed_matrix()
    for kind in ("tfidf", "bm25"):
        weighting = fit(pairs(matrix), FactorSettings(factors=2, weighting=kind)).weighting
        none = np.zeros(20, np.int32)
        by_hashtag = weighting.weights(none, np.arange(1, 21), np.full(20, 5))
        assert all(one > other for one, other in pairwise(by_hashtag))
        by_image = weighting.weights(none, np.full(20, 5), np.arange(1, 21))
        assert all(one > other if kind == "bm25" else one == other for one, other in pairwise(by_image))


@pytest.mark.parametrize("kind", ["none", "tfidf", "bm25"])
def test_what_was_accepted_weighs_more(kind: str) -> None:
    matrix = skewed_matrix()
    accepted = np.random.default_rng(7).random(matrix.shape) < 0.2
    found = fit(pairs(matrix, accepted), FactorSettings(factors=2, weighting=kind, accepted_weight=2.5))
    before = weights_of(matrix, found.weighting)
    np.testing.assert_allclose(
        weights_of(matrix, found.weighting, accepted), before * np.where(accepted, 2.5, 1), rtol=1e-6
    )
    # the others weigh what they would without any feedback
    unheard = fit(pairs(matrix), FactorSettings(factors=2, weighting=kind)).weighting
    np.testing.assert_array_equal(before, weights_of(matrix, unheard))


# --- folding in ----------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [1.0, 5.0])
@pytest.mark.parametrize("weigh", ["one", "mixed"])
@pytest.mark.parametrize("side", ["images", "hashtags"])
def test_folding_in_is_what_implicit_recalculates(alpha: float, weigh: str, side: str) -> None:
    rng = np.random.default_rng(11)
    matrix = random_matrix(40, 25)
    values = np.where(matrix, rng.uniform(0.2, 3, matrix.shape) if weigh == "mixed" else 1, 0)
    model = AlternatingLeastSquares(factors=6, alpha=alpha, regularization=0.05, random_state=3)
    model.fit(csr_matrix(values.astype(np.float32)), show_progress=False)
    rows = rng.permutation(25)[:9] if side == "hashtags" else rng.permutation(40)[:9]
    if side == "images":
        given, other = values[rows], model.item_factors
        expected = model.recalculate_user(rows, csr_matrix(given.astype(np.float32)))
    else:
        given, other = values.T[rows], model.user_factors
        expected = model.recalculate_item(rows, csr_matrix(given.astype(np.float32)))
    lists = [np.flatnonzero(row) for row in given]
    weights = [row[places].astype(np.float32) for row, places in zip(given, lists, strict=True)]
    # only what the new ones refer to need be there, in any order
    used = rng.permutation(np.unique(np.concatenate(lists)))
    place = {int(one): n for n, one in enumerate(used)}
    moved = [np.array([place[int(one)] for one in row]) for row in lists]
    found = fold_in(other[used], other.T @ other, moved, weights, alpha, 0.05)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=2e-5)
    one_by_one = [
        fold_in(other[used], other.T @ other, [row], [weight], alpha, 0.05)[0]
        for row, weight in zip(moved, weights, strict=True)
    ]
    np.testing.assert_allclose(found, one_by_one, rtol=1e-5, atol=1e-6)


def test_folding_in_what_was_fitted_gives_it_back() -> None:
    """The hashtags' half-step is the last one that fitting does."""
    matrix = random_matrix(30, 12)
    settings = FactorSettings(
        factors=4, alpha=3.0, regularization=0.1, iterations=300, min_images=1, weighting="bm25"
    )
    found = fit(pairs(matrix), settings)
    weights = weights_of(matrix, found.weighting)
    for mine, other, given in (
        (found.image_factors, found.hashtag_factors, weights),
        (found.hashtag_factors, found.image_factors, weights.T),
    ):
        lists = [np.flatnonzero(row) for row in given]
        each = [row[places].astype(np.float32) for row, places in zip(given, lists, strict=True)]
        again = fold_in(other, other.T @ other, lists, each, settings.alpha, settings.regularization)
        np.testing.assert_allclose(again, mine, atol=2e-3)


def test_nothing_to_fold_in() -> None:
    other = np.ones((3, 4), np.float32)
    for alpha in (1.0, 5.0):
        assert fold_in(other, other.T @ other, [], [], alpha, 0.1).shape == (0, 4)
