"""The whole model: a ridge regression and a refit around ALS, against closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tagdb.errors import FactorsError
from tagdb.learning import als, projecting
from tagdb.learning import model as modelling
from tagdb.learning.als import Interactions
from tagdb.learning.model import Embeddings, Model
from tagdb.learning.settings import FactorSettings

Floats = NDArray[np.float64]

DIMENSIONS = 24
PLAN = FactorSettings(
    factors=4, alpha=2.0, regularization=0.1, iterations=8, min_images=2, min_hashtags=2, ridge=0.0,
    refit_penalty=0.0, neighbours=5, contrast=0.0, similarity_exponent=3.0,
)  # fmt: skip


def interactions(images: int = 30, hashtags: int = 9, seed: int = 5) -> Interactions:
    """Image ids from 1000 on, hashtag ids from 10 on; each image carries two hashtags or more."""
    rng = np.random.default_rng(seed)
    matrix = rng.random((images, hashtags)) < 0.3
    for n in range(2):
        matrix[np.arange(images), (np.arange(images) + n) % hashtags] = True
    rows, columns = np.nonzero(matrix)
    accepted = np.zeros(len(rows), np.int32)
    return Interactions(rows.astype(np.int64) + 1000, columns.astype(np.int32) + 10, accepted)


def embeddings(images: int = 30, seed: int = 6) -> Embeddings:
    rng = np.random.default_rng(seed)
    drawn = np.abs(rng.standard_normal((images, DIMENSIONS)))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return Embeddings(np.arange(images, dtype=np.int64) + 1000, drawn.astype(np.float16))


def without(of: Embeddings, *image_ids: int) -> Embeddings:
    kept = ~np.isin(of.image_ids, image_ids)
    return Embeddings(of.image_ids[kept], of.vectors[kept])


def rows(model: Model) -> dict[int, Floats]:
    return dict(zip(model.image_ids.tolist(), model.image_factors.astype(np.float64), strict=True))


def same(one: Model, other: Model) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("image_ids", "image_factors", "hashtag_ids", "hashtag_factors", "hashtag_images")
    )


FULL = replace(PLAN, ridge=0.5, refit_penalty=8.0)


def test_shapes_and_types() -> None:
    model = modelling.fit(interactions(), embeddings(), FULL)
    assert model.image_ids.tolist() == list(range(1000, 1030))
    assert model.hashtag_ids.tolist() == list(range(10, 19))
    assert model.image_factors.shape == (30, 4)
    assert model.hashtag_factors.shape == (9, 4)
    assert model.image_factors.dtype == model.hashtag_factors.dtype == np.float16
    assert model.image_ids.dtype == np.int64
    assert model.hashtag_ids.dtype == model.hashtag_images.dtype == np.int32
    data = interactions()
    assert model.interactions == len(data.image_ids)
    counts = np.unique(data.hashtag_ids, return_counts=True)[1]
    assert model.hashtag_images.tolist() == counts.tolist()
    assert model.settings == FULL


def test_the_same_data_gives_the_same_model_in_any_order() -> None:
    data = interactions(200, 40)
    first = modelling.fit(data, embeddings(200), FULL)
    shuffled = np.random.default_rng(1).permutation(len(data.image_ids))
    again = modelling.fit(
        Interactions(data.image_ids[shuffled], data.hashtag_ids[shuffled], data.accepted[shuffled]),
        embeddings(200),
        FULL,
    )
    assert same(first, again)
    assert not same(first, modelling.fit(data, embeddings(200), replace(FULL, seed=1)))


def test_without_either_it_is_als() -> None:
    found, model = als.fit(interactions(), PLAN), modelling.fit(interactions(), embeddings(), PLAN)
    assert np.array_equal(model.image_factors, found.image_factors.astype(np.float16))
    assert np.array_equal(model.hashtag_factors, found.hashtag_factors.astype(np.float16))
    assert model.maps.ridge is None
    wide = found.image_factors.astype(np.float64)
    np.testing.assert_allclose(model.maps.image_gram, wide.T @ wide, rtol=1e-4)


# --- ridge -----------------------------------------------------------------------------------------


def regression(vectors: NDArray[np.float16], factors: NDArray[np.float32], penalty: float) -> Floats:
    """Predictions of a ridge regression with an intercept that is not penalised: by augmented rows."""
    wide, own = vectors.astype(np.float64), factors.astype(np.float64)
    centred = wide - wide.mean(axis=0)
    left = np.vstack([centred, np.sqrt(penalty) * np.eye(wide.shape[1])])
    right = np.vstack([own - own.mean(axis=0), np.zeros((wide.shape[1], own.shape[1]))])
    return np.asarray(centred @ np.linalg.lstsq(left, right, rcond=None)[0] + own.mean(axis=0))


@pytest.mark.parametrize("penalty", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("share", [0.25, 1.0])
def test_a_share_of_the_factors_is_predicted(share: float, penalty: float) -> None:
    given = embeddings()
    found = als.fit(interactions(), PLAN)
    model = modelling.fit(interactions(), given, replace(PLAN, ridge=share, ridge_penalty=penalty))
    predicted = regression(given.vectors, found.image_factors, penalty)
    expected = (1 - share) * found.image_factors.astype(np.float64) + share * predicted
    np.testing.assert_allclose(model.image_factors.astype(np.float64), expected, rtol=2e-3, atol=1e-3)
    assert model.maps.ridge is not None
    np.testing.assert_allclose(model.maps.ridge.predict(given.vectors), predicted, rtol=1e-3, atol=1e-4)
    assert np.array_equal(model.hashtag_factors, found.hashtag_factors.astype(np.float16))
    wide = found.image_factors.astype(np.float64)
    np.testing.assert_allclose(model.maps.image_gram, wide.T @ wide, rtol=1e-4)


def test_a_great_penalty_predicts_the_mean() -> None:
    found = als.fit(interactions(), PLAN)
    model = modelling.fit(interactions(), embeddings(), replace(PLAN, ridge=1.0, ridge_penalty=1e9))
    mean = np.tile(found.image_factors.mean(axis=0), (30, 1))
    np.testing.assert_allclose(model.image_factors.astype(np.float64), mean, rtol=2e-3, atol=1e-3)


def test_images_without_an_embedding_keep_what_als_found() -> None:
    """And nothing is learned from them by the regression."""
    found = als.fit(interactions(), PLAN)
    given = without(embeddings(), 1000, 1017, 1029)
    model = modelling.fit(interactions(), given, replace(PLAN, ridge=1.0))
    place = np.isin(found.image_ids, given.image_ids)
    predicted = regression(given.vectors, found.image_factors[place], PLAN.ridge_penalty)
    for image_id, expected in zip(given.image_ids.tolist(), predicted, strict=True):
        np.testing.assert_allclose(rows(model)[image_id], expected, rtol=2e-3, atol=1e-3)
    for image_id in (1000, 1017, 1029):
        own = found.image_factors[image_id - 1000].astype(np.float16)
        assert rows(model)[image_id].tolist() == own.astype(np.float64).tolist()


def test_embeddings_of_other_images_do_not_matter() -> None:
    given = embeddings()
    rng = np.random.default_rng(1)
    ids = np.concatenate([[3, 999], given.image_ids, [2**40]])
    more = np.concatenate([rng.random((2, DIMENSIONS)), given.vectors, rng.random((1, DIMENSIONS))]).astype(
        np.float16
    )
    assert same(
        modelling.fit(interactions(), given, FULL), modelling.fit(interactions(), Embeddings(ids, more), FULL)
    )


@pytest.mark.parametrize("count", [0, 1])
def test_hardly_any_embedding(count: int) -> None:
    """Nothing can be learned from none or one: it is ALS's."""
    given = Embeddings(embeddings().image_ids[:count], embeddings().vectors[:count])
    model = modelling.fit(interactions(), given, FULL)
    assert same(model, modelling.fit(interactions(), given, PLAN))
    assert model.maps.ridge is None


# --- refit -----------------------------------------------------------------------------------------


def refitted(
    data: Interactions,
    model: Model,
    given: Embeddings,
    settings: FactorSettings,
    asked: NDArray[np.int64] | None = None,
) -> Floats:
    """Hashtag factors by least squares over one great system of equations.

    The rows of A are averages over each image's neighbours, without itself; the penalty is rows of its
    own: √(penalty · mean |a|²) · D = 0.
    """
    found = als.fit(data, settings)
    pool = [n for n, i in enumerate(model.image_ids.tolist()) if i in given.image_ids]
    ids = model.image_ids[pool]
    wide = given.vectors[np.searchsorted(given.image_ids, ids)].astype(np.float64)
    stored = model.image_factors[pool].astype(np.float64)
    unit = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    chosen = range(len(ids)) if asked is None else asked
    average = []
    for n in chosen:
        near = np.argsort(-similarity[n])[: min(settings.neighbours, len(ids) - 1)]
        weight = similarity[n, near] ** settings.similarity_exponent
        average.append(weight @ stored[near] / weight.sum())
    a = np.array(average).astype(np.float16).astype(np.float64)
    carried = set(zip(data.image_ids.tolist(), data.hashtag_ids.tolist(), strict=True))
    r = np.array([[(int(ids[n]), h) in carried for h in found.hashtag_ids.tolist()] for n in chosen], float)
    own = found.hashtag_factors.astype(np.float64)
    size = settings.factors
    penalty = settings.refit_penalty * (a**2).sum(axis=1).mean() * len(a) / len(ids)
    left = np.vstack([a, np.sqrt(penalty) * np.eye(size)])
    right = np.vstack([r - a @ own.T, np.zeros((size, len(own)))])
    return np.asarray(own + np.linalg.lstsq(left, right, rcond=None)[0].T)


@pytest.mark.parametrize("neighbours", [1, 5, 500])
@pytest.mark.parametrize("penalty", [0.1, 8.0])
def test_hashtag_factors_are_refitted_to_averages(penalty: float, neighbours: int) -> None:
    data, given = interactions(), without(embeddings(), 1003, 1020)
    settings = replace(PLAN, ridge=0.5, refit_penalty=penalty, neighbours=neighbours)
    model = modelling.fit(data, given, settings)
    expected = refitted(data, model, given, settings)
    np.testing.assert_allclose(model.hashtag_factors.astype(np.float64), expected, rtol=5e-3, atol=3e-3)
    before = als.fit(data, settings).hashtag_factors
    assert np.abs(expected - before).max() > 0.05


def test_refitting_leaves_images_alone() -> None:
    plain = modelling.fit(interactions(), embeddings(), replace(FULL, refit_penalty=0.0))
    model = modelling.fit(interactions(), embeddings(), FULL)
    assert np.array_equal(model.image_factors, plain.image_factors)
    assert not np.array_equal(model.hashtag_factors, plain.hashtag_factors)


def test_a_great_penalty_changes_nothing() -> None:
    plain = modelling.fit(interactions(), embeddings(), replace(FULL, refit_penalty=0.0))
    model = modelling.fit(interactions(), embeddings(), replace(FULL, refit_penalty=1e9))
    np.testing.assert_allclose(model.hashtag_factors, plain.hashtag_factors, atol=2e-3)


def test_only_those_that_may_be_neighbours_are_averaged() -> None:
    data, given = interactions(), embeddings()
    settings = replace(FULL, min_hashtags=4)
    model = modelling.fit(data, given, settings)
    assert 15 <= len(model.image_ids) < 30
    expected = refitted(data, model, given, settings)
    np.testing.assert_allclose(model.hashtag_factors.astype(np.float64), expected, rtol=5e-3, atol=3e-3)


def test_what_has_nothing_in_common_cannot_be_refitted() -> None:
    given = Embeddings(embeddings().image_ids, np.eye(30, dtype=np.float16))
    plain = modelling.fit(interactions(), given, PLAN)
    assert same(plain, modelling.fit(interactions(), given, replace(PLAN, refit_penalty=8.0)))


def test_of_many_images_a_sample_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 30 images 12, the seed's; all are compared with, and the penalty counts for 12 of 30."""
    data, given = interactions(), embeddings()
    monkeypatch.setattr(modelling, "REFIT_IMAGES", 12)
    model = modelling.fit(data, given, FULL)
    asked = np.sort(np.random.default_rng(FULL.seed).choice(30, 12, replace=False))
    expected = refitted(data, model, given, FULL, asked)
    np.testing.assert_allclose(model.hashtag_factors.astype(np.float64), expected, rtol=5e-3, atol=3e-3)
    assert same(model, modelling.fit(data, given, FULL))
    monkeypatch.setattr(modelling, "REFIT_IMAGES", 30)
    full = modelling.fit(data, given, FULL)
    np.testing.assert_allclose(
        full.hashtag_factors.astype(np.float64), refitted(data, full, given, FULL), rtol=5e-3, atol=3e-3
    )
    assert not same(model, full)


@pytest.mark.parametrize("part", [1, 7, 29])
def test_the_size_of_parts_does_not_matter(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = modelling.fit(interactions(), embeddings(), FULL)
    monkeypatch.setattr(modelling, "PART", part)
    model = modelling.fit(interactions(), embeddings(), FULL)
    for one, other in (
        (model.image_factors, whole.image_factors),
        (model.hashtag_factors, whole.hashtag_factors),
    ):
        np.testing.assert_allclose(one.astype(np.float64), other.astype(np.float64), rtol=2e-3, atol=1e-3)


# --- many embeddings -------------------------------------------------------------------------------


def test_many_embeddings_are_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is that of their search vectors, and predicts from embeddings as from these."""
    data, given = interactions(), embeddings()
    exact = modelling.fit(data, given, FULL)
    monkeypatch.setattr(projecting, "DIMENSIONS", 12)
    short = given.shortened()
    assert short.vectors.shape == (30, 12)
    assert short.axes is not None
    assert np.array_equal(short.vectors, projecting.project(short.axes, given.vectors))
    monkeypatch.setattr(modelling, "EXACT", 30)
    assert same(modelling.fit(data, given, FULL), exact)
    monkeypatch.setattr(modelling, "EXACT", 29)
    model = modelling.fit(data, given, FULL)
    assert same(model, modelling.fit(data, short, FULL))
    assert not same(model, exact)
    assert model.maps.ridge is not None
    found = als.fit(data, FULL).image_factors
    expected = regression(short.vectors, found, FULL.ridge_penalty)
    predicted = model.maps.ridge.predict(given.vectors)
    np.testing.assert_allclose(predicted, expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(
        model.hashtag_factors.astype(np.float64), refitted(data, model, short, FULL), rtol=5e-3, atol=1e-2
    )


def test_axes_are_learned_from_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    learned: list[int] = []
    learn = projecting.learn

    def counted(some: NDArray[np.float16]) -> tuple[NDArray[np.float16], float]:
        learned.append(len(some))
        return learn(some)

    monkeypatch.setattr(projecting, "DIMENSIONS", 12)
    monkeypatch.setattr(projecting, "learn", counted)
    monkeypatch.setattr(projecting, "SAMPLE", 20)
    one, other = embeddings().shortened(), embeddings().shortened()
    assert learned == [20, 20]
    assert np.array_equal(one.vectors, other.vectors)


# --- who may be a neighbour ------------------------------------------------------------------------


def numbers(*carried: int) -> Interactions:
    """Images that carry so many of the same hashtags each."""
    ids = np.repeat(np.arange(len(carried)) + 1000, carried).astype(np.int64)
    hashtags = np.concatenate([np.arange(count) for count in carried]).astype(np.int32) + 10
    return Interactions(ids, hashtags, np.zeros(len(ids), np.int32))


@pytest.mark.parametrize(
    ("carried", "asked", "used"),
    [
        ((1, 2, 3, 4, 5), 2, 2),
        ((1, 2, 3, 4, 5), 3, 3),
        ((1, 2, 3, 4, 5), 4, 3),  # the median
        ((1, 2, 3, 4), 100, 2),  # 2.5
        ((1, 1, 1, 5), 3, 1),
        ((5, 5, 5), 5, 5),
        ((1, 2, 3, 4, 5), None, 2),  # half of the median
        ((1, 4, 4, 9), None, 2),
        ((1, 2, 2, 9), None, 1),
        ((1, 1, 1, 5), None, 1),
        ((2, 6, 6, 6), None, 3),  # the default
        ((1, 1, 2, 2, 14), None, 2),  # half of the mean
        ((1, 1, 1, 2, 15), None, 1),  # the median
    ],
)
def test_at_least_half_of_the_images_stay(carried: tuple[int, ...], asked: int | None, used: int) -> None:
    settings = replace(PLAN, min_hashtags=3, min_images=1)
    if asked is not None:
        settings = settings.changed(min_hashtags=asked)
    model = modelling.fit(numbers(*carried), embeddings(len(carried)), settings)
    assert model.settings == replace(settings, min_hashtags=used)
    assert model.image_ids.tolist() == [1000 + n for n, count in enumerate(carried) if count >= used]
    assert 2 * len(model.image_ids) >= len(carried)


def test_images_that_are_no_neighbours_are_learned_from() -> None:
    data = numbers(1, 2, 3, 4, 5)
    found = als.fit(data, replace(PLAN, min_images=1))
    model = modelling.fit(data, embeddings(5), replace(PLAN, min_images=1).changed(min_hashtags=3))
    assert model.interactions == 15
    assert np.array_equal(model.image_factors, found.image_factors[2:].astype(np.float16))
    wide = found.image_factors.astype(np.float64)
    np.testing.assert_allclose(model.maps.image_gram, wide.T @ wide, rtol=1e-4)


def test_hashtags_that_were_left_out_count_for_being_a_neighbour() -> None:
    """Rare hashtags have no factors, but an image that carries them says something of itself."""
    data = numbers(2, 2, 2, 5)  # hashtags 12, 13 and 14 are on one image only
    model = modelling.fit(data, embeddings(4), replace(PLAN, min_hashtags=2))
    assert model.hashtag_ids.tolist() == [10, 11]
    assert model.image_ids.tolist() == [1000, 1001, 1002, 1003]
    assert model.interactions == 8


# --- what cannot be --------------------------------------------------------------------------------


def test_nothing_but_rare_hashtags() -> None:
    with pytest.raises(FactorsError, match="no hashtag is on 99 images or more"):
        modelling.fit(interactions(), embeddings(), replace(PLAN, min_images=99))


def test_progress_is_told() -> None:
    told: list[int] = []
    modelling.fit(interactions(), embeddings(), FULL, told.append)
    assert told == list(range(1, 9))
