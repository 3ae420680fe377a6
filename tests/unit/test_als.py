"""ALS, on matrices whose right answer is known."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from tagdb.als import Fit, Parameters, fit
from tagdb.errors import FactorsError

Numbers = NDArray[np.float64]


def pairs(matrix: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Interactions: image ids from 1000 on, hashtag ids from 10 on."""
    rows, columns = np.nonzero(matrix)
    return rows.astype(np.int64) + 1000, columns.astype(np.int32) + 10


def random_matrix(images: int = 14, hashtags: int = 9) -> NDArray[np.bool_]:
    matrix = np.random.default_rng(5).random((images, hashtags)) < 0.4
    matrix[np.arange(images), np.arange(images) % hashtags] = True
    return matrix


def vectors(found: Fit) -> tuple[Numbers, Numbers]:
    return found.image_factors.astype(float), found.hashtag_factors.astype(float)


def scores(found: Fit) -> Numbers:
    images, hashtags = vectors(found)
    return images @ hashtags.T


def half_step(others: Numbers, mine: NDArray[np.bool_], alpha: float, regularization: float) -> Numbers:
    """One row's best factors, by the closed formula: (YᵀCY + λ)⁻¹ YᵀCp, confidence alpha where p is 1."""
    confidence = np.where(mine, alpha, 1.0)
    left = (others.T * confidence) @ others + regularization * np.eye(others.shape[1])
    return np.linalg.solve(left, others.T @ (confidence * mine))


def test_hashtags_of_a_group_are_liked_within_it() -> None:
    """Two groups that share nothing: each image wears all but one of its group's five hashtags."""
    matrix = np.zeros((20, 10), bool)
    for image in range(20):
        group = slice(0, 5) if image < 10 else slice(5, 10)
        matrix[image, group] = True
        matrix[image, group.start + image % 5] = False
    got = scores(fit(*pairs(matrix), Parameters(factors=2, regularization=0.01, iterations=30)))
    within = np.kron(np.eye(2, dtype=bool), np.ones((10, 5), bool))
    assert got[within].min() > 0.6  # also of the hashtag that an image does not wear
    assert np.abs(got[~within]).max() < 0.05


def test_enough_factors_reconstruct_the_matrix() -> None:
    matrix = random_matrix()
    parameters = Parameters(factors=16, regularization=1e-3, iterations=60, min_images=1)
    got = scores(fit(*pairs(matrix), parameters))
    np.testing.assert_allclose(got, matrix, atol=0.02)


def test_one_factor_by_hand() -> None:
    """Everybody wears everything: x = n·y/(n·y² + λ) with n hashtags, and the other way round."""
    parameters = Parameters(factors=1, regularization=0.5, iterations=100, min_images=1)
    got = fit(*pairs(np.ones((4, 4), bool)), parameters)
    # x = y by symmetry: 4x² + 0.5 = 4, each score x²
    assert scores(got) == pytest.approx(np.full((4, 4), 3.5 / 4), abs=2e-3)


@pytest.mark.parametrize("alpha", [1.0, 2.0, 40.0])
def test_factors_agree_with_the_closed_formula(alpha: float) -> None:
    """Hashtags by the last half-step, images because it has converged."""
    matrix = random_matrix()
    parameters = Parameters(factors=3, alpha=alpha, regularization=0.1, iterations=1000, min_images=1)
    found = fit(*pairs(matrix), parameters)
    images, hashtags = vectors(found)
    for column in range(matrix.shape[1]):
        expected = half_step(images, matrix[:, column], alpha, 0.1)
        np.testing.assert_allclose(hashtags[column], expected, atol=0.01)
    for row in range(matrix.shape[0]):
        expected = half_step(hashtags, matrix[row], alpha, 0.1)
        np.testing.assert_allclose(images[row], expected, atol=0.01)


def test_alpha_is_the_confidence_itself() -> None:
    """Not the paper's 1 + alpha: the closed formula with that would give something else."""
    matrix = random_matrix()
    parameters = Parameters(factors=3, alpha=2.0, regularization=0.1, iterations=1000, min_images=1)
    images, hashtags = vectors(fit(*pairs(matrix), parameters))
    assert np.abs(hashtags[0] - half_step(images, matrix[:, 0], 3.0, 0.1)).max() > 0.03


def test_shapes_and_types() -> None:
    matrix = random_matrix()
    found = fit(*pairs(matrix), Parameters(factors=5, min_images=1))
    assert found.image_factors.shape == (14, 5)
    assert found.hashtag_factors.shape == (9, 5)
    assert found.image_factors.dtype == found.hashtag_factors.dtype == np.float16
    assert found.image_ids.dtype == np.int64
    assert found.hashtag_ids.dtype == np.int32
    assert found.interactions == matrix.sum()


def test_ids_ascend_and_name_their_rows() -> None:
    """Ids that are neither dense nor in order, also beyond 32 bits."""
    image_ids = np.array([2**40, 7, 2**40, 7, 99, 99], np.int64)
    hashtag_ids = np.array([300, 5, 301, 6, 5, 6], np.int32)
    found = fit(image_ids, hashtag_ids, Parameters(factors=2, min_images=1, iterations=30))
    assert found.image_ids.tolist() == [7, 99, 2**40]
    assert found.hashtag_ids.tolist() == [5, 6, 300, 301]
    expected = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]])
    np.testing.assert_allclose(scores(found), expected, atol=0.05)


def same(one: Fit, other: Fit) -> bool:
    return (
        np.array_equal(one.image_factors, other.image_factors)
        and np.array_equal(one.hashtag_factors, other.hashtag_factors)
        and np.array_equal(one.image_ids, other.image_ids)
        and np.array_equal(one.hashtag_ids, other.hashtag_ids)
    )


def test_the_same_seed_gives_the_same_factors_in_any_order() -> None:
    matrix = random_matrix(300, 80)
    image_ids, hashtag_ids = pairs(matrix)
    first = fit(image_ids, hashtag_ids, Parameters(factors=32))
    for seed in range(4):
        shuffled = np.random.default_rng(seed).permutation(len(image_ids))
        assert same(first, fit(image_ids[shuffled], hashtag_ids[shuffled], Parameters(factors=32)))


def test_another_seed_gives_other_factors() -> None:
    interactions = pairs(random_matrix())
    parameters = [Parameters(factors=4, min_images=1, seed=seed) for seed in (1, 2)]
    assert not same(fit(*interactions, parameters[0]), fit(*interactions, parameters[1]))


def test_rare_hashtags_are_left_out() -> None:
    matrix = np.zeros((5, 4), bool)
    for column, images in enumerate((1, 2, 3, 5)):
        matrix[:images, column] = True
    for min_images, expected in ((1, [10, 11, 12, 13]), (3, [12, 13]), (5, [13])):
        found = fit(*pairs(matrix), Parameters(factors=2, min_images=min_images))
        assert found.hashtag_ids.tolist() == expected
        assert found.interactions == matrix[:, np.array(expected) - 10].sum()


def test_images_left_with_rare_hashtags_only_are_left_out() -> None:
    found = fit(np.array([1, 2, 3, 3]), np.array([8, 8, 9, 7], np.int32), Parameters(factors=2, min_images=2))
    assert found.image_ids.tolist() == [1, 2]
    assert found.hashtag_ids.tolist() == [8]
    assert found.interactions == 2


@pytest.mark.parametrize("matrix", [np.eye(4, dtype=bool), np.zeros((0, 0), bool)])
def test_nothing_but_rare_hashtags(matrix: NDArray[np.bool_]) -> None:
    with pytest.raises(FactorsError, match=r"no hashtag is on 2 images.* --min-images"):
        fit(*pairs(matrix), Parameters())


@pytest.mark.parametrize(
    "parameters",
    [
        Parameters(factors=4, alpha=1e38),  # overflows while it is computed
        Parameters(factors=4, alpha=math.inf),
    ],
    ids=str,
)
def test_factors_that_are_not_finite(parameters: Parameters) -> None:
    matrix = np.kron(np.eye(2, dtype=bool), np.ones((3, 3), bool))
    with pytest.raises(FactorsError, match=r"not finite numbers; raise --regularization or lower --alpha"):
        fit(*pairs(matrix), parameters)


def test_factors_that_a_halfvec_cannot_hold() -> None:
    """Finite as float32: one hashtag that starts next to zero, and nothing that holds its images back."""
    parameters = Parameters(factors=1, regularization=0.0, iterations=1, seed=80)
    with pytest.raises(FactorsError, match="not finite numbers"):
        fit(np.array([1, 2]), np.array([1, 1], np.int32), parameters)


def test_progress_is_told_after_each_iteration() -> None:
    told: list[int] = []
    fit(*pairs(random_matrix()), Parameters(factors=2, iterations=5, min_images=1), told.append)
    assert told == [1, 2, 3, 4, 5]
