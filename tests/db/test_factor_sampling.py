"""Factors from a sample of a database's images: what is read, what is chosen, and what is stored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tagdb import factors, folding_in, store
from tagdb.errors import FactorsError
from tagdb.learning import projecting, sampling
from tagdb.learning.als import Interactions
from tagdb.learning.settings import FactorSettings
from tagdb.postgres.database import Connection
from tests.support import seed

IMAGES = 60
SETTINGS = FactorSettings(factors=4, min_hashtags=2, neighbours=5, sample=20.0)


@pytest.fixture
def backbone_id(connection: Connection) -> int:
    """Images with three of seven hashtags each; every two also have one that only they have."""
    number = store.backbones.add(connection, seed.identity())
    ids = seed.add_images(connection, IMAGES)
    seed.add_embeddings(connection, number, ids, seed.clustered(IMAGES))
    hashtags = seed.add_hashtags(connection, [f"word{n}" for n in range(7 + IMAGES // 2)])
    pairs = [(n, (n + m) % 7) for n in range(IMAGES) for m in (0, 1, 3)]
    pairs += [(n, 7 + n // 2) for n in range(IMAGES)]
    rows, columns = np.array(pairs).T
    seed.copy(connection, "image_hashtags", ids[rows], hashtags[columns])
    connection.execute("SELECT tagdb.give_feedback(%s, '{word2}', '{word0}')", (int(ids[0]),))
    return number


def triples(found: Interactions) -> list[tuple[int, ...]]:
    columns = (found.image_ids, found.hashtag_ids, found.accepted)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("together", [1, 7, 1000])
@pytest.mark.usefixtures("backbone_id")
def test_images_are_read_in_parts(
    connection: Connection, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.sampling, "TOGETHER", together)
    monkeypatch.setattr(store.sampling, "ASKED", together)
    collection, every = store.sampling.Stored(connection), store.runs.interactions(connection)
    assert triples(every) == sorted(pair for part in collection.parts() for pair in triples(part))
    some = np.unique(every.image_ids)[::4]
    assert triples(collection.interactions(some)) == triples(every.only(np.isin(every.image_ids, some)))
    assert not len(collection.interactions(some[:0]).image_ids)
    counts = sampling.count(collection)
    ids, images = np.unique(every.hashtag_ids, return_counts=True)
    assert np.array_equal(counts.hashtag_ids, ids)
    assert np.array_equal(counts.hashtag_images, images)


def test_vectors_are_the_same_whatever_becomes_of_the_index(
    connection: Connection, backbone_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = store.runs.embeddings(connection)
    some = stored.image_ids[::3]
    found = store.sampling.Stored(connection).vectors(some)
    assert found.axes is None
    assert np.array_equal(found.image_ids, some)
    assert np.array_equal(found.vectors, stored.vectors[::3])
    monkeypatch.setattr(store.sampling, "EXACT", IMAGES - 1)
    seed.add_index(connection, backbone_id)
    collection = store.sampling.Stored(connection)
    for _ in range(2):
        found = collection.vectors(some)
        assert found.axes is not None
        assert np.array_equal(found.image_ids, some)
        expected = projecting.project(found.axes, stored.vectors[::3])
        np.testing.assert_allclose(found.vectors, expected, atol=1e-5)  # in parts of another size
        store.index.drop(connection, backbone_id)
    found = store.sampling.Stored(connection).vectors(some)
    assert found.vectors.shape == (len(some), projecting.DIMENSIONS)


@pytest.mark.usefixtures("backbone_id")
def test_the_database_chooses_by_the_same_rule(connection: Connection) -> None:
    """Half of the sample has as many of the rare hashtags as there is room for; the seed decides the rest."""
    counts = sampling.count(store.sampling.Stored(connection))
    rare = sampling.rare(counts, 20, 2)
    none = rare[:0]
    every = store.runs.interactions(connection)

    def kept(image_ids: np.ndarray) -> int:
        some = every.only(np.isin(every.image_ids, image_ids))
        ids, images = np.unique(some.hashtag_ids, return_counts=True)
        return int(np.isin(ids[images >= 2], rare).sum())

    one, again, other, chance = (
        store.sampling.sample(connection, 20, hashtags, replace(SETTINGS, seed=seed))
        for hashtags, seed in ((rare, 1), (rare, 1), (rare, 2**32 - 1), (none, 1))
    )
    assert len(np.unique(one)) == len(np.unique(chance)) == 20
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert not np.array_equal(one, chance)
    least = min(kept(sampling.choose(every, 20, rare, replace(SETTINGS, seed=seed))) for seed in range(20))
    assert kept(one) >= least
    assert len(store.sampling.sample(connection, 10 * IMAGES, rare, SETTINGS)) == IMAGES


@pytest.mark.parametrize("indexed", [False, True])
def test_a_run_has_factors_of_all_images(
    connection: Connection, backbone_id: int, indexed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are computed from the same images in memory, to the last bit."""
    if indexed:
        monkeypatch.setattr(store.sampling, "EXACT", IMAGES - 1)
        seed.add_index(connection, backbone_id)
    monkeypatch.setattr(store.sampling, "TOGETHER", 13)
    done = factors.compute(connection, SETTINGS, quiet=True)
    assert (done.sample, done.images, done.active) == (20, IMAGES, True)
    run = store.runs.get(connection, done.factor_run_id)
    used = SETTINGS.following(IMAGES, 1000, 1)
    assert (run.settings, run.plan, run.images, run.status) == (used, SETTINGS, IMAGES, "active")
    assert folding_in.fold_in_missing(connection) == 0
    stored = store.runs.factors(connection)
    collection = store.sampling.Stored(connection)
    counts = sampling.count(collection)
    sample = store.sampling.sample(connection, 20, sampling.rare(counts, 20, 2), used)
    kept: list[tuple[np.ndarray, np.ndarray]] = []
    solution = sampling.solve(collection, counts, sample, used)
    everything = np.unique(store.runs.interactions(connection).image_ids)
    model = sampling.extend(collection, counts, solution, everything, used, lambda *one: kept.append(one))
    ids, computed = map(np.concatenate, zip(*kept, strict=True))
    assert np.array_equal(stored.image_ids, ids)
    assert np.array_equal(stored.image_factors, computed)
    assert np.array_equal(stored.hashtag_factors, model.hashtag_factors)
    maps = store.runs.maps(connection, done.factor_run_id)
    assert np.array_equal(maps.image_gram, model.maps.image_gram)
    assert maps.backbone_id == backbone_id


@pytest.mark.usefixtures("backbone_id")
def test_images_that_come_in_between_are_folded_in(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if they bring hashtags that nobody has counted."""
    count = sampling.count

    def counting(*arguments: object) -> object:
        counts = count(*arguments)  # type: ignore[arg-type]
        run = store.ingest_runs.begin(connection, ["later"])
        late = [seed.image(IMAGES + n, "word1", "word2", "newest") for n in range(3)]
        store.batches.save(connection, run, store.backbones.active(connection).backbone_id, late, [])  # type: ignore[union-attr]
        return counts

    monkeypatch.setattr(sampling, "count", counting)
    done = factors.compute(connection, replace(SETTINGS, sample=0.4), quiet=True)
    stored = store.runs.factors(connection, done.factor_run_id)
    assert len(stored.image_ids) == IMAGES + 3
    assert "newest" not in stored.hashtags  # until the next run


@pytest.mark.usefixtures("backbone_id")
def test_a_failed_run_leaves_the_one_before(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    before = factors.compute(connection, replace(SETTINGS, sample=0.0), quiet=True).factor_run_id
    add = store.sampling.add_images

    def failing(*arguments: object) -> None:
        add(*arguments)  # type: ignore[arg-type]
        raise FactorsError("the factors are not finite numbers")

    monkeypatch.setattr(store.sampling, "add_images", failing)
    with pytest.raises(FactorsError, match="not finite"):
        factors.compute(connection, SETTINGS, quiet=True)
    assert [run.status for run in store.runs.list_all(connection)] == ["active", "failed"]
    assert store.runs.active_id(connection) == before
    left = "SELECT count(*) FROM pg_class WHERE relname ~ '^image_factors_[0-9]+$' AND relkind = 'r'"
    assert connection.execute(left).fetchone() == (1,)


def test_nothing_to_learn_from_is_said_as_always(connection: Connection) -> None:
    with pytest.raises(FactorsError, match="no image has a hashtag yet"):
        factors.compute(connection, SETTINGS, quiet=True)
