"""Folding in: what comes after a factor run is recommended from at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tagdb import factors, folding_in, ingest, store
from tagdb.embedding.backbone import Identity
from tagdb.embedding.worker import Embedded
from tagdb.learning.settings import FactorSettings
from tagdb.photos import images
from tagdb.photos.files import Local
from tagdb.photos.sources import Record, Rejection, Source
from tagdb.postgres.database import Connection
from tagdb.store.runs import maps as factor_maps
from tests.support import seed
from tests.support.pictures import photo

Floats = NDArray[np.float64]

PLAN = FactorSettings(
    factors=4, alpha=2.0, regularization=0.1, min_images=2, min_hashtags=2, ridge=0.0, neighbours=5
).settled()
KNOWN = ("sea", "sun", "sand", "city", "night", "street", "dog")


def ingested(
    connection: Connection, *images: store.batches.Image, using: folding_in.FoldingIn | None = None
) -> None:
    """One batch, and the end of its ingest unless a folding is given."""
    backbone_id = store.backbones.add(connection, seed.identity())
    ingest_run = store.ingest_runs.begin(connection, ["test"])
    mine = using or folding_in.FoldingIn(connection)
    store.batches.save(connection, ingest_run, backbone_id, images, [], mine.images)
    if using is None:
        mine.finish()


def base(connection: Connection, plan: FactorSettings | None = PLAN) -> None:
    """Twelve photos of three hashtags each, and a run of them."""
    ingested(
        connection,
        *(seed.image(n, *(KNOWN[(n * 3 + m) % 7] for m in (0, 1, 3))) for n in range(12)),
    )
    if plan is not None:
        factors.compute(connection, plan, quiet=True)


def number_of(connection: Connection, number: int) -> int:
    """The id of an image of :func:`seed.image`."""
    query = "SELECT image_id FROM tagdb_store.images WHERE uri = %s"
    row = connection.execute(query, (f"file:///{number}.jpg",)).fetchone()
    assert row is not None
    return int(row[0])


def vector(text: object) -> Floats:
    return np.array([float(part) for part in str(text).strip("[]").split(",")])


def image_factors(connection: Connection, number: int) -> tuple[Floats, bool] | None:
    """An image's factors in the active run, and whether they were folded in."""
    row = connection.execute(
        "SELECT f.factors, f.folded_in FROM tagdb_store.image_factors f"
        " JOIN tagdb_store.factor_runs r USING (factor_run_id)"
        " WHERE r.status = 'active' AND f.image_id = %s",
        (number_of(connection, number),),
    ).fetchone()
    return None if row is None else (vector(row[0]), row[1])


def hashtag_factors(connection: Connection, hashtag: str) -> tuple[Floats, bool, int] | None:
    """The same of a hashtag, and on how many images it is."""
    row = connection.execute(
        "SELECT f.factors, f.folded_in, f.images FROM tagdb_store.hashtag_factors f"
        " JOIN tagdb_store.factor_runs r USING (factor_run_id) JOIN tagdb_store.hashtags h USING (hashtag_id)"
        " WHERE r.status = 'active' AND h.hashtag = %s",
        (hashtag,),
    ).fetchone()
    return None if row is None else (vector(row[0]), row[1], row[2])


def coverage(connection: Connection) -> tuple[int, int, int, int]:
    row = connection.execute(
        "SELECT images_without_factors, images_folded_in, hashtags_without_factors, hashtags_folded_in"
        " FROM tagdb.coverage"
    ).fetchone()
    assert row is not None
    return row


def known_factors(connection: Connection) -> dict[str, Floats]:
    """The hashtag factors of the active run that it has computed itself."""
    rows = connection.execute(
        "SELECT h.hashtag, f.factors FROM tagdb_store.hashtag_factors f"
        " JOIN tagdb_store.factor_runs r USING (factor_run_id) JOIN tagdb_store.hashtags h USING (hashtag_id)"
        " WHERE r.status = 'active' AND NOT f.folded_in"
    )
    return {hashtag: vector(text) for hashtag, text in rows}


def half_step(
    connection: Connection, hashtags: Sequence[str], confidence: Sequence[float], regularization: float
) -> Floats:
    """(YᵀCY + λ)⁻¹ YᵀCp over all hashtags, where C is 1 and p is 0 for those not on the photo."""
    known = known_factors(connection)
    names = sorted(known)
    wide = np.array([known[name] for name in names])
    weight, present = np.ones(len(names)), np.zeros(len(names))
    for hashtag, one in zip(hashtags, confidence, strict=True):
        weight[names.index(hashtag)], present[names.index(hashtag)] = one, 1
    left = (wide.T * weight) @ wide + regularization * np.eye(wide.shape[1])
    return np.linalg.solve(left, wide.T @ (weight * present))


# --- photos ----------------------------------------------------------------------------------------


def test_a_new_photo_is_a_neighbour_at_once(connection: Connection) -> None:
    base(connection)
    assert coverage(connection) == (0, 0, 0, 0)
    ingested(connection, seed.image(100, "sea", "sun"), seed.image(101, "city", "night", "street"))
    assert coverage(connection) == (0, 2, 0, 0)
    for number in (100, 101):
        found = connection.execute(
            "SELECT image_id, similarity FROM tagdb.explain_recommendation(%s, 'sea') LIMIT 1",
            (seed.literal(seed.features(1, number)[0]),),
        ).fetchone()
        assert found is not None
        assert found == (number_of(connection, number), pytest.approx(1, abs=1e-3))


def test_a_photo_of_one_kind_is_recommended_that_kind(connection: Connection) -> None:
    """Only the folded-in photo is like the question: what it carries comes first."""
    base(connection)
    ingested(connection, seed.image(100, "sea", "sun"))
    own = image_factors(connection, 100)
    assert own is not None
    rows = connection.execute(
        "SELECT hashtag, score FROM tagdb.recommend_for_embedding(%s, neighbours => 1, top => 7)",
        (seed.literal(seed.features(1, 100)[0]),),
    ).fetchall()
    scores = {name: float(factors @ own[0]) for name, factors in known_factors(connection).items()}
    assert dict(rows) == pytest.approx(scores, abs=2e-3)
    assert {row[0] for row in rows[:3]} >= {"sea", "sun"}


@pytest.mark.parametrize("alpha", [1.0, 2.0, 40.0])
def test_a_new_image_gets_the_factors_of_the_closed_formula(connection: Connection, alpha: float) -> None:
    base(connection, replace(PLAN, alpha=alpha))
    ingested(
        connection, seed.image(100, "sea", "sun"), seed.image(101, "city", "dog", "sand", "nobody knows")
    )
    for number, hashtags in ((100, ("sea", "sun")), (101, ("city", "dog", "sand"))):
        found = image_factors(connection, number)
        assert found is not None
        assert found[1]
        expected = half_step(connection, hashtags, [alpha] * len(hashtags), 0.1)
        np.testing.assert_allclose(found[0], expected, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("weighting", ["bm25", "tfidf"])
def test_the_formula_with_weights(connection: Connection, weighting: str) -> None:
    """Weighted as the run has weighted its own interactions."""
    base(connection, replace(PLAN, weighting=weighting))
    ingested(connection, seed.image(100, "sea", "sun", "dog"))
    counts = dict(
        connection.execute(
            "SELECT hashtag, count(*) FROM tagdb.image_hashtags WHERE image_id <> %s GROUP BY 1",
            (number_of(connection, 100),),
        ).fetchall()
    )
    assert sum(counts.values()) == 36

    def plain(hashtag: str, carried: int) -> float:
        weight = np.log(12 / (1 + counts[hashtag]))
        if weighting == "bm25":
            weight *= 2.2 / (1.2 * (0.25 + 0.75 * carried / 3) + 1)
        return float(weight)

    mean = sum(plain(name, 3) * count for name, count in counts.items()) / 36
    confidence = [2.0 * plain(name, 3) / mean for name in ("sea", "sun", "dog")]
    found = image_factors(connection, 100)
    assert found is not None
    expected = half_step(connection, ("sea", "sun", "dog"), confidence, 0.1)
    np.testing.assert_allclose(found[0], expected, rtol=2e-3, atol=2e-4)


def test_the_formula_blended_with_the_ridge_regression(connection: Connection) -> None:
    base(connection, replace(PLAN, ridge=0.25))
    ingested(connection, seed.image(100, "sea", "sun"))
    run = store.runs.active_id(connection)
    assert run is not None
    maps = factor_maps(connection, run)
    assert maps is not None
    assert maps.ridge is not None
    embedding = seed.features(1, 100)[0].astype(np.float64)
    predicted = (embedding - maps.ridge.mean) @ maps.ridge.matrix + maps.ridge.offset
    expected = 0.75 * half_step(connection, ("sea", "sun"), (2.0, 2.0), 0.1) + 0.25 * predicted
    found = image_factors(connection, 100)
    assert found is not None
    np.testing.assert_allclose(found[0], expected, rtol=2e-3, atol=2e-4)


def test_an_image_of_the_run_folded_in_again_would_get_what_it_has(connection: Connection) -> None:
    """ALS that has converged: the half-step gives the factors that the run has computed."""
    base(connection, replace(PLAN, iterations=100, refit_penalty=0.0))
    own = image_factors(connection, 3)
    hashtags = [KNOWN[(9 + m) % 7] for m in (0, 1, 3)]
    assert own is not None
    assert not own[1]
    ingested(connection, seed.image(100, *hashtags))
    found = image_factors(connection, 100)
    assert found is not None
    np.testing.assert_allclose(found[0], own[0], atol=5e-3)


def test_accepted_hashtags_weigh_more(connection: Connection) -> None:
    base(connection, replace(PLAN, accepted_weight=3.0))
    ingested(connection, seed.image(100, "sea", "sun"))
    store.feedback.give(connection, seed.image(100).content_sha256, ["sun", "dog"], [])
    ingested(connection, seed.image(100, "sand"))
    found = image_factors(connection, 100)
    assert found is not None
    expected = half_step(connection, ("sea", "sun", "dog", "sand"), (2.0, 6.0, 6.0, 2.0), 0.1)
    np.testing.assert_allclose(found[0], expected, rtol=2e-3, atol=2e-4)


def test_what_is_passed_over(connection: Connection) -> None:
    base(connection)
    ingested(
        connection,
        seed.image(100, "sea"),  # too few
        seed.image(101, "never", "heard", "of"),  # none that the run knows
        seed.image(
            102, "sea", "sun", embedded=False, media_type="image/jpeg", width=1, height=1, byte_count=1
        ),
        seed.image(103),
        seed.image(104, "sea", "never"),  # two, of which one is known
    )
    assert [image_factors(connection, n) for n in (100, 101, 102, 103)] == [None] * 4
    found = image_factors(connection, 104)
    assert found is not None
    np.testing.assert_allclose(found[0], half_step(connection, ["sea"], [2.0], 0.1), rtol=2e-3, atol=2e-4)
    assert coverage(connection)[:2] == (4, 1)


def test_what_the_run_has_computed_is_left_alone(connection: Connection) -> None:
    base(connection)
    before = image_factors(connection, 0)
    assert before is not None
    ingested(connection, seed.image(0, "dog", "night", "street"), seed.image(100, "sea", "sun"))
    after = image_factors(connection, 0)
    assert after is not None
    assert after[0].tolist() == before[0].tolist()
    assert not after[1]
    assert coverage(connection)[:2] == (0, 1)


def test_a_photo_that_gains_hashtags_is_folded_in_anew(connection: Connection) -> None:
    base(connection)
    ingested(connection, seed.image(100, "sea"))
    assert image_factors(connection, 100) is None
    ingested(connection, seed.image(100, "sun"))
    first = image_factors(connection, 100)
    ingested(connection, seed.image(100, "city", "night"))
    second = image_factors(connection, 100)
    assert first is not None
    assert second is not None
    for found, hashtags in ((first, ("sea", "sun")), (second, ("sea", "sun", "city", "night"))):
        expected = half_step(connection, hashtags, [2.0] * len(hashtags), 0.1)
        np.testing.assert_allclose(found[0], expected, rtol=2e-3, atol=2e-4)
    assert coverage(connection)[:2] == (0, 1)


def test_known_photos_cost_nothing(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is ingested once more and says nothing new is not looked at."""
    base(connection)
    ingested(connection, seed.image(100, "sea", "sun"))

    def never(*arguments: object) -> None:
        raise AssertionError

    monkeypatch.setattr("tagdb.store.folding_in.basis", never)
    monkeypatch.setattr("tagdb.folding_in.fold_in_images", never)
    ingested(connection, seed.image(100, "sun", "sea"), seed.image(0))


# --- hashtags --------------------------------------------------------------------------------------


def folded_hashtag(
    connection: Connection, numbers: Sequence[int], alpha: float, regularization: float
) -> Floats:
    """The half-step of a hashtag over all images that were fitted, these, which carry it, and a mean one."""
    run = store.runs.active_id(connection)
    assert run is not None
    maps = factor_maps(connection, run)
    assert maps is not None
    near = np.array([found[0] for n in numbers if (found := image_factors(connection, n)) is not None])
    gram = maps.image_gram.astype(np.float64)
    mean = np.trace(gram) / maps.weighting.images
    left = gram + (regularization + alpha * mean) * np.eye(near.shape[1]) + alpha * near.T @ near
    return np.linalg.solve(left, alpha * near.sum(axis=0))


def test_new_hashtags_get_factors_when_they_are_on_enough_photos(connection: Connection) -> None:
    base(connection)
    ingested(
        connection, seed.image(100, "sea", "sun", "kite", "rare"), seed.image(101, "sea", "city", "kite")
    )
    found = hashtag_factors(connection, "kite")
    assert found is not None
    assert found[1:] == (True, 2)
    np.testing.assert_allclose(
        found[0], folded_hashtag(connection, (100, 101), 2.0, 0.1), rtol=4e-3, atol=4e-4
    )
    assert hashtag_factors(connection, "rare") is None
    assert coverage(connection) == (0, 2, 1, 1)
    names = "SELECT hashtag FROM tagdb.recommend_for_embedding(%s, 100)"
    rows = connection.execute(names, (seed.literal(seed.features(1, 100)[0]),))
    assert {row[0] for row in rows} == {*KNOWN, "kite"}


def test_the_images_of_a_run_sum_up_to_its_gram(connection: Connection) -> None:
    """What hashtags are folded in by is the sum over all images that were fitted, without the blend."""
    base(connection, replace(PLAN, refit_penalty=0.0))
    stored = np.array([found[0] for n in range(12) if (found := image_factors(connection, n)) is not None])
    run = store.runs.active_id(connection)
    assert run is not None
    maps = factor_maps(connection, run)
    assert maps is not None
    assert len(stored) == 12
    np.testing.assert_allclose(maps.image_gram, stored.T @ stored, rtol=5e-3, atol=5e-3)


def test_a_hashtag_becomes_known_in_a_later_ingest(connection: Connection) -> None:
    base(connection)
    ingested(connection, seed.image(100, "sea", "sun", "kite"))
    assert hashtag_factors(connection, "kite") is None
    ingested(connection, seed.image(101, "sea", "city", "kite"))
    found = hashtag_factors(connection, "kite")
    assert found is not None
    assert found[1:] == (True, 2)
    ingested(connection, seed.image(102, "dog", "city", "kite"))
    again = hashtag_factors(connection, "kite")
    assert again is not None
    assert again[1:] == (True, 3)
    np.testing.assert_allclose(
        again[0], folded_hashtag(connection, (100, 101, 102), 2.0, 0.1), rtol=4e-3, atol=4e-4
    )


def test_a_hashtag_in_several_batches(connection: Connection) -> None:
    base(connection)
    fresh = folding_in.FoldingIn(connection)
    ingested(connection, seed.image(100, "sea", "sun", "kite"), using=fresh)
    ingested(connection, seed.image(101, "sea", "city", "kite"), using=fresh)
    assert hashtag_factors(connection, "kite") is None
    fresh.finish()
    found = hashtag_factors(connection, "kite")
    assert found is not None
    assert found[1:] == (True, 2)


def test_a_new_hashtag_on_an_old_and_a_new_photo(connection: Connection) -> None:
    base(connection)
    ingested(connection, seed.image(0, "kite"), seed.image(100, "sea", "city", "kite"))
    found = hashtag_factors(connection, "kite")
    assert found is not None
    assert found[1:] == (True, 2)
    np.testing.assert_allclose(found[0], folded_hashtag(connection, (0, 100), 2.0, 0.1), rtol=4e-3, atol=4e-4)


def test_a_new_hashtag_on_old_photos_only(connection: Connection) -> None:
    base(connection)
    ingested(connection, *(seed.image(n, "kite") for n in range(6)))
    assert hashtag_factors(connection, "kite") is not None


def test_the_runs_own_hashtags_are_left_alone(connection: Connection) -> None:
    base(connection)
    before = known_factors(connection)
    ingested(connection, *(seed.image(100 + n, "sea", "sun", "kite") for n in range(3)))
    after = known_factors(connection)
    assert {name: factors.tolist() for name, factors in after.items()} == {
        name: factors.tolist() for name, factors in before.items()
    }


# --- decisions -------------------------------------------------------------------------------------


def test_what_counts_as_none_or_another(connection: Connection) -> None:
    base(connection)
    ingested(connection, seed.image(99, "meer", "never"))
    store.tags.edit(connection, "alias", ["meer"], "sea")
    store.tags.edit(connection, "ban", ["night"])
    ingested(
        connection,
        seed.image(100, "meer", "sun"),  # counts as sea
        seed.image(101, "sea", "meer"),  # counts once: too few
        seed.image(102, "night", "sun"),  # counts for sun only: too few
        seed.image(103, "night", "sun", "dog"),
    )
    assert [image_factors(connection, n) for n in (101, 102)] == [None, None]
    for number, hashtags in ((100, ("sea", "sun")), (103, ("sun", "dog"))):
        found = image_factors(connection, number)
        assert found is not None
        expected = half_step(connection, hashtags, (2.0, 2.0), 0.1)
        np.testing.assert_allclose(found[0], expected, rtol=2e-3, atol=2e-4)


def test_new_hashtags_that_count_as_none_or_another(connection: Connection) -> None:
    base(connection)
    ingested(connection, seed.image(98, "kite"), seed.image(99, "dragon", "spam"))
    store.tags.edit(connection, "alias", ["dragon"], "kite")
    store.tags.edit(connection, "ban", ["spam"])
    ingested(
        connection,
        seed.image(100, "sea", "sun", "kite", "spam"),
        seed.image(101, "sea", "sand", "dragon", "spam"),
    )
    found = hashtag_factors(connection, "kite")
    assert found is not None
    assert found[1:] == (True, 2)
    assert hashtag_factors(connection, "dragon") is hashtag_factors(connection, "spam") is None


def test_what_was_rejected_for_a_photo_does_not_count_on_it(connection: Connection) -> None:
    base(connection)
    ingested(connection, seed.image(100, "sea"))
    store.feedback.give(connection, seed.image(100).content_sha256, [], ["night", "kite"])
    ingested(
        connection, seed.image(100, "sun", "night", "kite"), seed.image(101, "sea", "sun", "kite"),
    )  # fmt: skip
    found = image_factors(connection, 100)
    assert found is not None
    expected = half_step(connection, ("sea", "sun"), (2.0, 2.0), 0.1)
    np.testing.assert_allclose(found[0], expected, rtol=2e-3, atol=2e-4)
    assert hashtag_factors(connection, "kite") is None  # on one photo only


def test_a_rejected_alias_does_not_count_either(connection: Connection) -> None:
    base(connection)
    ingested(connection, seed.image(100, "sun"), seed.image(99, "meer"))
    store.tags.edit(connection, "alias", ["meer"], "sea")
    store.feedback.give(connection, seed.image(100).content_sha256, [], ["meer"])
    ingested(connection, seed.image(100, "sea", "dog"))
    found = image_factors(connection, 100)
    assert found is not None
    expected = half_step(connection, ("sun", "dog"), (2.0, 2.0), 0.1)
    np.testing.assert_allclose(found[0], expected, rtol=2e-3, atol=2e-4)


# --- runs ------------------------------------------------------------------------------------------


def test_the_next_run_replaces_all(connection: Connection) -> None:
    base(connection)
    ingested(connection, seed.image(100, "sea", "sun", "kite"), seed.image(101, "sea", "sand", "kite"))
    assert coverage(connection) == (0, 2, 0, 1)
    done = factors.compute(connection, PLAN, quiet=True)
    assert (done.images, done.hashtags) == (14, 8)
    assert coverage(connection) == (0, 0, 0, 0)
    found = image_factors(connection, 100)
    assert found is not None
    assert not found[1]


def test_without_an_active_run_nothing_happens(connection: Connection) -> None:
    base(connection, None)
    ingested(connection, seed.image(100, "sea", "sun"))
    assert coverage(connection)[:2] == (13, 0)
    factors.compute(connection, PLAN, activate=False, quiet=True)
    ingested(connection, seed.image(101, "sea", "sun"))
    assert coverage(connection)[:2] == (14, 0)
    assert folding_in.fold_in_missing(connection) == 0


def test_activating_folds_in_what_came_after(connection: Connection) -> None:
    base(connection)
    run = factors.compute(connection, PLAN, activate=False, quiet=True).factor_run_id
    ingested(connection, *(seed.image(100 + n, "sea", "sun", "kite") for n in range(3)))
    assert coverage(connection) == (0, 3, 0, 1)
    factors.activate(connection, run)
    assert coverage(connection) == (0, 3, 0, 1)
    assert factors.rollback(connection) == 1
    assert coverage(connection) == (0, 3, 0, 1)


def test_many_are_missing(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are folded in bit by bit."""
    monkeypatch.setattr("tagdb.folding_in.TOGETHER", 2)
    base(connection)
    backbone_id = store.backbones.add(connection, seed.identity())
    ingest_run = store.ingest_runs.begin(connection, ["here"])
    batch = [seed.image(100 + n, "sea", "sun", f"kite{n // 4}") for n in range(7)]
    store.batches.save(connection, ingest_run, backbone_id, batch, [])
    assert coverage(connection) == (7, 0, 2, 0)
    assert folding_in.fold_in_missing(connection) == 7
    assert coverage(connection) == (0, 7, 0, 2)
    assert folding_in.fold_in_missing(connection) == 0


@pytest.mark.parametrize("before", [True, False], ids=["with a run before", "without"])
def test_a_run_that_becomes_active_within_an_ingest_loses_nobody(
    connection: Connection, before: bool
) -> None:
    """It was computed before the ingest began, and does not know what the first batches brought."""
    base(connection, PLAN if before else None)
    later = factors.compute(connection, PLAN, activate=False, quiet=True).factor_run_id
    fresh = folding_in.FoldingIn(connection)
    ingested(connection, seed.image(100, "sea", "sun", "kite"), using=fresh)
    assert coverage(connection)[1] == before
    store.runs.activate(connection, later)
    ingested(connection, seed.image(101, "sea", "sand", "kite"), using=fresh)
    fresh.finish()
    assert coverage(connection) == (0, 2, 0, 1)


def test_a_run_that_becomes_active_after_the_last_batch_loses_nobody(connection: Connection) -> None:
    base(connection)
    later = factors.compute(connection, PLAN, activate=False, quiet=True).factor_run_id
    fresh = folding_in.FoldingIn(connection)
    ingested(connection, seed.image(100, "sea", "sun", "kite"), using=fresh)
    ingested(connection, seed.image(101, "sea", "sand", "kite"), using=fresh)
    store.runs.activate(connection, later)
    fresh.finish()
    assert coverage(connection) == (0, 2, 0, 1)


def test_a_batch_that_fails_leaves_no_factors(connection: Connection) -> None:
    base(connection)
    backbone_id = store.backbones.add(connection, seed.identity())
    fresh = folding_in.FoldingIn(connection)
    ingest_run = store.ingest_runs.begin(connection, ["test"])
    broken = [store.batches.Rejected("a", 1, "NUL\0", "invalid_record")]  # which no text can hold
    with pytest.raises(Exception, match=r"NUL|0x00"):
        store.batches.save(
            connection, ingest_run, backbone_id, [seed.image(100, "sea", "sun")], broken, fresh.images
        )
    assert coverage(connection)[:2] == (0, 0)


# --- a whole ingest --------------------------------------------------------------------------------


class Fake:
    """A backbone that embeds a photo by its mean colour."""

    identity = Identity("fake", 32, b"f" * 32)
    network_sha256 = b"n" * 32
    to_carry = None

    def embed(self, pixels: NDArray[np.floating]) -> NDArray[np.float32]:
        mean = np.asarray(pixels, np.float64).reshape(-1, 3).mean(axis=0)
        return seed.unit(np.resize(np.abs(mean) + 0.01, seed.DIMENSIONS)).astype(np.float32)


class FakeWorkers:
    """Stands for processes that decode and embed."""

    def __init__(self, backbone: Fake, size: int, threads: int) -> None:
        self.backbone, self.size = backbone, size

    def embed(self, content: bytes) -> Embedded:
        photo = images.decode(content, self.size)
        return Embedded(photo, self.backbone.embed(photo.pixels))

    def close(self) -> None:
        pass


class Photos(Source):
    """Drawn photos with hashtags."""

    name = "drawn"

    def __init__(self, folder: Path, said: dict[int, tuple[str, ...]]) -> None:
        self.folder, self.said = folder, said
        for number in said:
            (folder / f"{number}.jpg").write_bytes(photo(number, size=(40, 30)))

    def count(self) -> int:
        return len(self.said)

    def __iter__(self) -> Iterator[Record | Rejection]:
        for number, hashtags in self.said.items():
            path = self.folder / f"{number}.jpg"
            yield Record(
                Local(path), f"file:///{number}.jpg", hashtags, None, None, None, {}, str(path), None
            )


def test_a_whole_ingest(connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagdb.embedding.pipeline.Workers", FakeWorkers)

    def run(said: dict[int, tuple[str, ...]]) -> store.ingest_runs.Counts:
        options = ingest.Options(quiet=True)
        return ingest.run(connection, Fake(), [Photos(tmp_path, said)], options).counts  # type: ignore[arg-type]

    run({n: tuple(KNOWN[(n * 3 + m) % 7] for m in (0, 1, 3)) for n in range(12)})
    factors.compute(connection, PLAN, quiet=True)
    assert run({100: ("#Sea", "#SUN", "kite"), 101: ("sea", "sand", "kite"), 102: ("dog",)}).new == 3
    assert coverage(connection) == (1, 2, 0, 1)
    assert run({102: ("city", "kite"), 0: ("dog", "sea")}).updated == 2
    assert coverage(connection) == (0, 3, 0, 1)
    found = hashtag_factors(connection, "kite")
    assert found is not None
    assert found[1:] == (True, 3)
