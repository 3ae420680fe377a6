"""Factor runs in parts: what is read of a snapshot, and that each part is written once."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import psycopg
import pytest

from tagdb import store
from tagdb.errors import DatabaseError, FactorsError
from tagdb.learning import als, parts, projecting, ranking
from tagdb.learning import model as modelling
from tagdb.learning.model import Embeddings
from tagdb.learning.parts import HashtagCounts, Known
from tagdb.learning.settings import FactorSettings
from tagdb.postgres import database, snapshots
from tagdb.postgres.database import Connection
from tagdb.spark import executors
from tagdb.spark.executors import Fitted, Origin
from tagdb.store import run_parts
from tests.support import seed

IMAGES = 60
PLAN = FactorSettings(
    factors=4, alpha=2.0, regularization=0.1, iterations=5, min_hashtags=2, ridge=0.5, neighbours=5
)


@pytest.fixture
def backbone_id(connection: Connection) -> int:
    """Images with two hashtags or more, but the last, which has one; the first is not embedded."""
    number = store.backbones.add(connection, seed.identity())
    ids = seed.add_images(connection, IMAGES)
    seed.add_embeddings(connection, number, ids[1:], seed.clustered(IMAGES)[1:])
    hashtags = seed.add_hashtags(connection, [f"word{n}" for n in range(9)])
    for n, image_id in enumerate(ids.tolist()):
        for m in (0, 1, 3)[: 1 if n == IMAGES - 1 else 2 + n % 2]:
            connection.execute(
                "INSERT INTO tagdb_store.image_hashtags (image_id, hashtag_id) VALUES (%s, %s)",
                (image_id, int(hashtags[(n * n + m) % 9])),
            )
    return number


def rows(connection: Connection, run: int) -> list[int]:
    query = f"SELECT image_id FROM tagdb_store.image_factors_{run} ORDER BY 1"
    return [row[0] for row in connection.execute(query)]


# --- reading ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("backbone_id")
def test_every_image_is_in_one_part(connection: Connection) -> None:
    found = run_parts.parts(connection)
    assert [part.number for part in found] == list(range(len(found)))
    assert len(found) == run_parts.PARTS - 1  # 60 images, 4 in each
    assert [part.after for part in found] == [0, *(part.last for part in found[:-1])]
    whole, some = store.runs.interactions(connection), [run_parts.interactions(connection, p) for p in found]
    pairs = [
        set(zip(one.image_ids.tolist(), one.hashtag_ids.tolist(), strict=True)) for one in [whole, *some]
    ]
    assert pairs[0] == set().union(*pairs[1:])
    source = run_parts.vector_source(connection)
    vectors = [run_parts.vectors(connection, source, part) for part in found]
    expected = store.runs.vectors(connection)
    assert np.array_equal(np.concatenate([one.image_ids for one in vectors]), expected.image_ids)
    assert np.array_equal(np.concatenate([one.vectors for one in vectors]), expected.vectors)


@pytest.mark.parametrize("indexed", [False, True])
def test_many_images_are_read_as_search_vectors(
    connection: Connection, backbone_id: int, indexed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("store.run_parts", "store.runs"):
        monkeypatch.setattr(f"tagdb.{module}.EXACT", 20)
    if indexed:
        seed.add_index(connection, backbone_id)
    source = run_parts.vector_source(connection)
    assert source is not None
    assert (source.projection_id is not None) == indexed
    assert source.dimensions == projecting.DIMENSIONS
    found = [run_parts.vectors(connection, source, part) for part in run_parts.parts(connection)]
    expected = store.runs.vectors(connection)
    assert np.array_equal(np.concatenate([one.image_ids for one in found]), expected.image_ids)
    vectors = np.concatenate([one.vectors for one in found])
    np.testing.assert_allclose(vectors, expected.vectors, atol=1e-3)


def test_nothing_to_read(connection: Connection) -> None:
    assert run_parts.parts(connection) == []
    assert run_parts.vector_source(connection) is None
    part = run_parts.Part(0, 0, 10)
    assert not len(run_parts.vectors(connection, None, part).image_ids)
    assert not len(run_parts.interactions(connection, part).image_ids)


@pytest.mark.usefixtures("backbone_id")
def test_a_snapshot_stays_as_it_is(connection: Connection) -> None:
    url = snapshots.address(connection)
    with snapshots.exported(url) as (holder, name):
        (part, *_) = run_parts.parts(holder)
        before = run_parts.interactions(holder, part)
        connection.execute("DELETE FROM tagdb_store.images")
        with Origin(url, name).reading() as other:
            found = run_parts.interactions(other, part)
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                other.execute("DELETE FROM tagdb_store.images")
    assert sorted(found.image_ids) == sorted(before.image_ids)
    assert not len(run_parts.interactions(connection, part).image_ids)
    with pytest.raises(DatabaseError), Origin(url, name).reading():
        pass  # it went with its transaction


def test_the_url_is_never_shown(connection: Connection) -> None:
    url = snapshots.address(connection)
    with database.connect(url) as other:
        assert other.info.dbname == connection.info.dbname
    assert url not in repr(Origin(url, "1"))


def test_executors_with_another_tagdb(connection: Connection) -> None:
    with pytest.raises(FactorsError, match="install the same there"):
        Origin(snapshots.address(connection), "1", "0.0.0").reading()


# --- writing ----------------------------------------------------------------------------------------------

PART = run_parts.Part(3, 0, 10)
IDS = np.array([1, 2], np.int64)
FACTORS = np.ones((2, 4), np.float16)


def test_a_part_is_written_once(connection: Connection) -> None:
    run = seed.begin_run(connection, 4)
    assert run_parts.save(connection, run, PART, IDS, FACTORS)
    assert not run_parts.save(connection, run, PART, IDS, FACTORS)
    assert run_parts.save(connection, run, PART._replace(number=4), IDS + 2, FACTORS)
    assert rows(connection, run) == [1, 2, 3, 4]


@pytest.mark.parametrize("ends", ["commit", "rollback"])
def test_the_second_waits_for_the_first(connection: Connection, database_url: str, ends: str) -> None:
    """Whichever of them dies, the part is written once in the end."""
    run, answers = seed.begin_run(connection, 4), []

    def second() -> None:
        with database.connect(database_url) as other:
            answers.append(run_parts.save(other, run, PART, IDS, FACTORS))

    thread = threading.Thread(target=second)
    with connection.transaction(force_rollback=ends == "rollback"):
        assert run_parts.save(connection, run, PART, IDS, FACTORS)
        thread.start()
        thread.join(0.3)
        assert not answers
    thread.join(10)
    assert answers == [ends == "rollback"]
    assert rows(connection, run) == [1, 2]


def test_a_straggler_writes_nothing(connection: Connection) -> None:
    """Into a run that is finished, discarded, or none."""
    finished, discarded = seed.begin_run(connection, 4), seed.begin_run(connection, 4)
    assert run_parts.save(connection, finished, PART, IDS, FACTORS)
    connection.execute("SELECT tagdb_store.finish_factor_run(%s, 2, 1, 1, 1, 1)", [finished])
    store.runs.discard(connection, discarded)
    for run in (finished, discarded, 1000):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="is not being computed"):
            run_parts.save(connection, run, PART, IDS, FACTORS)
    assert rows(connection, finished) == [1, 2]
    assert connection.execute("SELECT FROM tagdb_store.factor_parts").fetchall() == []


# --- all of it, but for Spark -----------------------------------------------------------------------------


@dataclass
class Shared:
    """What Spark would give to all executors."""

    value: Any


def summed(function: Any, items: Iterable[Any]) -> Any:
    """What Spark would add up, if every item were on a machine of its own."""
    return reduce(add, (each for item in items for each in function([item])))


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.usefixtures("backbone_id")
def test_the_executors_compute_what_one_process_does(
    connection: Connection, exact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given the same factors from ALS."""
    for module in ("store.run_parts", "store.runs"):
        monkeypatch.setattr(f"tagdb.{module}.EXACT", 5000 if exact else 20)
    interactions, vectors = store.runs.interactions(connection), store.runs.vectors(connection)
    expected = modelling.fit(interactions, vectors, PLAN)
    fit = als.fit(interactions, PLAN)

    url = snapshots.address(connection)
    with snapshots.exported(url) as (holder, name):
        origin, some = Origin(url, name), run_parts.parts(holder)
        source = Shared(run_parts.vector_source(holder))
        read = [one for part in some for one in executors.read(origin, [part])]
        hashtags = Shared(summed(executors.count_hashtags, read).at_least(PLAN.min_images))
        totals = summed(lambda one: executors.count_fitted(hashtags, one), read)
        assert als.min_hashtags(PLAN, totals.carried) == expected.settings.min_hashtags
        weighting = parts.weighting_of(PLAN, totals, 1.0)
        triples = [each for one in read for each in executors.rated(hashtags, weighting, PLAN.alpha, [one])]
        assert len(triples) == expected.interactions
        assert [rating for *_, rating in triples] == pytest.approx([1e6] * len(triples))

        images = [
            {"id": image, "features": row.tolist()}
            for image, row in zip(fit.image_ids.tolist(), fit.image_factors, strict=True)
        ][::-1]
        fitted: list[Fitted] = list(executors.gathered(some, executors.by_part(some, images)))
        assert np.array_equal(np.concatenate([one.image_ids for one in fitted]), fit.image_ids)
        sums = summed(lambda one: executors.fit_sums(origin, source, one), fitted)
        np.testing.assert_allclose(sums.gram, expected.maps.image_gram, rtol=1e-4, atol=1e-5)
        ridge = Shared(sums.ridge.solved(PLAN.ridge_penalty, source.value.axes))
        arguments = (origin, source, ridge, PLAN.ridge, expected.settings.min_hashtags)
        stored = [each for one in fitted for each in executors.blend(*arguments, [one])]
        assert np.array_equal(np.concatenate([one.image_ids for one in stored]), expected.image_ids)
        factors = np.concatenate([one.factors for one in stored])
        np.testing.assert_allclose(factors, expected.image_factors, rtol=5e-3, atol=2e-3)

        run = store.runs.begin(connection, PLAN, {})
        written = [each for one in stored * 2 for each in executors.write(origin, run, [one])]
        assert rows(connection, run) == expected.image_ids.tolist()
        assert sum(count for _, count, _ in written) == 2 * len(expected.image_ids)
        pool = {number: count for number, _, count in written}

        places = Shared({number: np.arange(count) for number, count in pool.items() if count})
        asked = list(executors.ask(origin, source, hashtags, places, stored))
        asked_vectors = np.concatenate([one.vectors for one in asked])
        centring = ranking.Centring.of(asked_vectors)
        assert centring is not None
        queries, shared = Shared(centring.off(asked_vectors)), Shared(centring)
        count = PLAN.neighbours + 1
        found = [
            each for one in stored for each in executors.find(origin, source, queries, shared, count, [one])
        ]
        ids = np.concatenate([one.image_ids for one in asked])
        nearest = parts.but_itself(reduce(lambda one, other: one.merged(other, count), found), ids)
        weight = modelling.weights(nearest.similarity, PLAN, centring)
        neighbours = Shared((nearest.ids, weight))
        average = summed(lambda one: executors.average(neighbours, one), stored).astype(np.float16)
    embeddings = Embeddings(vectors.image_ids, vectors.vectors, vectors.backbone_id, vectors.axes)
    solo = modelling.fit(interactions, embeddings, replace(PLAN, refit_penalty=0.0))
    from scipy.sparse import csr_matrix

    starts = parts.before([len(one.image_ids) for one in asked])
    at = np.concatenate([one.rows + start for one, start in zip(asked, starts, strict=True)])
    columns = np.concatenate([one.columns for one in asked])
    carried = csr_matrix(
        (np.ones(len(at), np.float32), (at, columns)), shape=(len(ids), len(fit.hashtag_ids))
    )
    refit = modelling.refitted(fit.hashtag_factors, carried, average, len(ids), PLAN.refit_penalty)
    np.testing.assert_allclose(refit, expected.hashtag_factors, rtol=1e-2, atol=3e-3)
    assert not np.allclose(solo.hashtag_factors, expected.hashtag_factors, atol=3e-3)


def test_the_packed_factors_of_hashtags() -> None:
    rows = [{"id": 3, "features": [1.0, 2.0]}, {"id": 1, "features": [3.0, 4.0]}]
    ((ids, factors),) = executors.packed(rows)
    assert (ids.tolist(), factors.tolist()) == ([3, 1], [[1, 2], [3, 4]])
    assert list(executors.packed([])) == []


def test_known_leaves_out_what_is_rare() -> None:
    one = als.Interactions(np.array([5, 5, 6]), np.array([1, 2, 9], np.int32), np.array([0, 1, 0], np.int32))
    known = Known.of(one, HashtagCounts(np.array([2, 3], np.int32), np.array([7, 8], np.int32)))
    assert (known.image_ids.tolist(), known.columns.tolist(), known.accepted.tolist()) == ([5], [0], [1])
    assert (known.hashtag_images.tolist(), known.image_hashtags.tolist()) == ([7], [1])
