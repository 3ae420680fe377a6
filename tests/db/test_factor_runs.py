"""The life of factor runs, and that nobody who recommends meanwhile notices any of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from tagdb import factors, folding_in, store
from tagdb.errors import DatabaseError, FactorsError
from tagdb.learning.als import Weighting
from tagdb.learning.model import Maps, Model
from tagdb.learning.settings import FactorSettings
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.store.runs import maps as factor_maps
from tests.support import seed

SMALL = FactorSettings(factors=4, ridge=0.0, refit_penalty=0.0, min_hashtags=1, neighbours=5, contrast=0)
"""Settings that are computed in no time."""


# --- runs to choose from ---------------------------------------------------------------------------


@dataclass
class Place:
    """A database with images and several vocabularies; each run knows one of them."""

    backbone_id: int
    image_ids: NDArray[np.int64]
    embeddings: NDArray[np.float16]
    vocabularies: dict[str, NDArray[np.int32]]


def half(count: int, number: int, upper: bool) -> NDArray[np.float16]:
    """Embeddings in one half of the dimensions: those of the two halves have nothing in common."""
    vectors = seed.features(count, number).astype(np.float64)
    middle = seed.DIMENSIONS // 2
    vectors[:, slice(0, middle) if upper else slice(middle, None)] = 0
    return seed.unit(vectors)


def place(connection: Connection, images: int = 20, kinds: str = "abc", words: int = 7) -> Place:
    """Images with embeddings, and hashtags a0, a1, … and b0, b1, …."""
    backbone_id = store.backbones.add(connection, seed.identity())
    image_ids = seed.add_images(connection, images)
    embeddings = half(images, 1, upper=False)
    seed.add_embeddings(connection, backbone_id, image_ids, embeddings)
    vocabularies = {
        kind: seed.add_hashtags(connection, [f"{kind}{n}" for n in range(words)]) for kind in kinds
    }
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO tagdb_store.image_hashtags (image_id, hashtag_id) VALUES (%s, %s)",
            [
                (int(image_id), int(ids[(n + m) % words]))
                for n, image_id in enumerate(image_ids)
                for ids in vocabularies.values()
                for m in range(2)
            ],
        )
    return Place(backbone_id, image_ids, embeddings, vocabularies)


def ready(connection: Connection, where: Place, kind: str) -> int:
    """A run that knows one vocabulary, with as many factors as no other kind has; not active yet.

    All factors are positive, so that the scores are, and its Gram matrix of images is so large that
    hashtags that are folded in score next to nothing.
    """
    size = 4 + "abcdefgh".index(kind)
    rng = np.random.default_rng(size)
    ids = where.vocabularies[kind]
    plan = FactorSettings(factors=size, min_hashtags=1, min_images=1, neighbours=5, contrast=0)
    run = store.runs.begin(connection, plan, {})
    model = Model(
        plan,
        where.image_ids,
        (0.2 + rng.random((len(where.image_ids), size))).astype(np.float16),
        ids,
        (0.2 + rng.random((len(ids), size))).astype(np.float16),
        np.full(len(ids), 1000, np.int32),
        len(ids),
        Maps(
            1e6 * np.eye(size, dtype=np.float32), Weighting("none", len(where.image_ids), 1.0, 1.0, 1.0), None
        ),
    )
    store.runs.save(connection, run, model, 0.0)
    return run


def statuses(connection: Connection) -> dict[int, str]:
    return {run.factor_run_id: run.status for run in store.runs.list_all(connection)}


def pruned(connection: Connection) -> list[int]:
    return [run.factor_run_id for run in store.runs.list_all(connection) if run.pruned_at is not None]


def tables(connection: Connection) -> list[str]:
    """The tables of factors of single runs."""
    query = "SELECT relname FROM pg_class WHERE relname ~ '^(image|hashtag)_factors_[0-9]+$' ORDER BY 1"
    return [row[0] for row in connection.execute(query)]


ASK = "SELECT r.hashtag, r.score FROM tagdb.recommend_for_embedding(%s, top => 3) r ORDER BY r.rank"


def first(connection: Connection, where: Place) -> str:
    """The kind of the run that is recommended from."""
    rows = connection.execute(ASK, (seed.literal(where.embeddings[0]),)).fetchall()
    kinds = {row[0][0] for row in rows}
    assert len(kinds) == 1
    return str(kinds.pop())


@contextmanager
def reading(database_url: str, where: Place) -> Iterator[Connection]:
    """A connection that has recommended in a transaction that is still open."""
    with database.connect(database_url) as connection, connection.transaction():
        assert first(connection, where)
        yield connection


# --- computing and activating ----------------------------------------------------------------------


def test_computing_without_activating(connection: Connection) -> None:
    where = place(connection)
    one = factors.compute(connection, SMALL, quiet=True)
    assert (one.factor_run_id, one.active) == (1, True)
    before = connection.execute(ASK, (seed.literal(where.embeddings[0]),)).fetchall()
    two = factors.compute(
        connection, FactorSettings(factors=6, ridge=0.0, refit_penalty=0.0), False, quiet=True
    )
    assert (two.factor_run_id, two.active) == (2, False)
    assert statuses(connection) == {1: "active", 2: "ready"}
    assert connection.execute(ASK, (seed.literal(where.embeddings[0]),)).fetchall() == before
    factors.activate(connection, 2)
    assert statuses(connection) == {1: "retired", 2: "active"}
    assert connection.execute(ASK, (seed.literal(where.embeddings[0]),)).fetchall() != before


def test_what_a_run_is_on_record_with(connection: Connection) -> None:
    place(connection)
    plan = FactorSettings(
        factors=5, alpha=2.0, min_hashtags=2, weighting="bm25", accepted_weight=3.0, ridge=0.25, seed=9
    )
    done = factors.compute(connection, plan, quiet=True)
    run = store.runs.active(connection)
    assert run is not None
    assert run.settings == done.settings == plan.following(20, 21, 1)
    assert (run.images, run.hashtags, run.interactions) == (20, 21, 120)
    assert (done.images, done.hashtags, done.interactions, done.settings.min_hashtags) == (20, 21, 120, 2)
    assert 0 < run.seconds <= done.seconds


def test_a_run_keeps_the_min_hashtags_that_it_used(connection: Connection) -> None:
    """Nobody has seven hashtags here: half of the images at least must stay neighbours."""
    place(connection)
    done = factors.compute(
        connection, FactorSettings(factors=4, ridge=0.0, refit_penalty=0.0, min_hashtags=50), quiet=True
    )
    run = store.runs.active(connection)
    assert run is not None
    assert done.settings.min_hashtags == run.settings.min_hashtags == 6
    assert done.images == 20


def test_the_next_defaults_are_what_was_stored(connection: Connection) -> None:
    assert store.runs.default_settings(connection) == FactorSettings()
    store.runs.save_defaults(connection, FactorSettings(factors=32, weighting="bm25"), {"ndcg": 0.5})
    store.runs.save_defaults(connection, FactorSettings(factors=64, weighting="tfidf"), {"ndcg": 0.6})
    assert store.runs.default_settings(connection) == FactorSettings(factors=64, weighting="tfidf")
    kept = connection.execute("SELECT metrics FROM tagdb_store.factor_defaults").fetchone()
    assert kept == ({"ndcg": 0.6},)
    assert store.runs.forget_defaults(connection)
    assert not store.runs.forget_defaults(connection)
    assert store.runs.default_settings(connection) == FactorSettings()


def test_metrics_are_added_to(connection: Connection) -> None:
    run = ready(connection, place(connection), "a")
    store.runs.note_metrics(connection, run, {"ndcg": 0.5, "overlap": 0.1})
    store.runs.note_metrics(connection, run, {"ndcg": 0.7})
    found = store.runs.get(connection, run)
    assert found is not None
    assert found.metrics == {"ndcg": 0.7, "overlap": 0.1}


def test_a_run_that_is_not_there(connection: Connection) -> None:
    where = place(connection)
    with pytest.raises(FactorsError, match="there is no factor run 7; see: tagdb factors list"):
        store.runs.get(connection, 7)
    for number, complaint in ((7, "there is no factor run 7"), (None, "there is no factor run NULL")):
        with pytest.raises(DatabaseError, match=complaint), database.translated():
            factors.activate(connection, number)  # type: ignore[arg-type]
    building = store.runs.begin(connection, SMALL, {})
    with (
        pytest.raises(DatabaseError, match=f"factor run {building} is still being computed"),
        database.translated(),
    ):
        factors.activate(connection, building)
    store.runs.discard(connection, building)
    with pytest.raises(DatabaseError, match=f"factor run {building} failed"), database.translated():
        factors.activate(connection, building)
    assert statuses(connection) == {building: "failed"}
    assert store.runs.active(connection) is None
    run = ready(connection, where, "a")
    factors.activate(connection, run)
    assert first(connection, where) == "a"


def test_activating_the_active_run_again(connection: Connection) -> None:
    where = place(connection)
    run = ready(connection, where, "a")
    for _ in range(2):
        factors.activate(connection, run)
        assert statuses(connection) == {run: "active"}
        assert first(connection, where) == "a"


# --- going back ------------------------------------------------------------------------------------


def test_going_back_to_the_run_before(connection: Connection) -> None:
    where = place(connection)
    a, b, c = (ready(connection, where, kind) for kind in "abc")
    for run in (b, a, c):
        factors.activate(connection, run)
    assert factors.rollback(connection) == a  # active before c, though older than b
    assert first(connection, where) == "a"
    assert statuses(connection) == {a: "active", b: "retired", c: "retired"}
    assert factors.rollback(connection) == c  # which was active before that
    assert first(connection, where) == "c"


def test_nothing_to_go_back_to(connection: Connection) -> None:
    where = place(connection)
    complaint = "there is no earlier run to go back to; see: tagdb factors list"
    with pytest.raises(FactorsError, match=complaint):
        factors.rollback(connection)
    a = ready(connection, where, "a")
    factors.activate(connection, a)
    ready(connection, where, "b")  # was never active
    with pytest.raises(FactorsError, match=complaint):
        factors.rollback(connection)
    c = ready(connection, where, "c")
    factors.activate(connection, c)
    assert factors.prune(connection, 1, quiet=True).pruned
    with pytest.raises(FactorsError, match=complaint):
        factors.rollback(connection)
    assert first(connection, where) == "c"


# --- pruning ---------------------------------------------------------------------------------------


def test_pruning_keeps_the_active_run_and_the_newest(connection: Connection) -> None:
    where = place(connection)
    runs = [ready(connection, where, "abc"[n % 3]) for n in range(5)]
    for run in (*runs[:4], runs[1]):
        factors.activate(connection, run)
    done = factors.prune(connection, 3, quiet=True)
    assert done == factors.Pruned([runs[0], runs[2]], [])
    assert pruned(connection) == [runs[0], runs[2]]
    assert statuses(connection) == dict(
        zip(runs, ("retired", "active", "retired", "retired", "ready"), strict=True)
    )
    kept = [f"{kind}_factors_{run}" for kind in ("hashtag", "image") for run in (runs[1], runs[3], runs[4])]
    assert tables(connection) == sorted(kept)
    assert first(connection, where) == "b"
    assert factors.prune(connection, 3, quiet=True) == factors.Pruned([], [])
    assert factors.prune(connection, 1, quiet=True).pruned == [runs[3], runs[4]]
    assert factors.prune(connection, 0, quiet=True) == factors.Pruned([], [])
    assert first(connection, where) == "b"


def test_pruning_where_no_run_is_active(connection: Connection) -> None:
    where = place(connection)
    a, b = ready(connection, where, "a"), ready(connection, where, "b")
    assert factors.prune(connection, 1, quiet=True).pruned == [a]
    factors.activate(connection, b)
    assert first(connection, where) == "b"


def test_a_pruned_run_cannot_be_used_again(connection: Connection) -> None:
    where = place(connection)
    a, b = ready(connection, where, "a"), ready(connection, where, "b")
    for run in (a, b):
        factors.activate(connection, run)
    assert factors.prune(connection, 1, quiet=True).pruned == [a]
    with (
        pytest.raises(DatabaseError, match=f"^the factors of run {a} were pruned$"),
        database.translated(),
    ):
        factors.activate(connection, a)
    with pytest.raises(DatabaseError, match="were pruned"), database.translated():
        factors.difference(connection, a, b)
    found = store.runs.get(connection, a)
    assert found is not None
    assert (found.status, found.settings.factors, found.images) == ("retired", 4, 20)
    assert statuses(connection)[b] == "active"
    assert connection.execute("SELECT factor_run_id FROM tagdb_store.factor_maps").fetchall() == [(b,)]


def test_a_failed_run_is_none_to_prune(connection: Connection) -> None:
    where = place(connection)
    a = ready(connection, where, "a")
    store.runs.discard(connection, a)
    assert factors.prune(connection, 1, quiet=True) == factors.Pruned([], [])
    assert pruned(connection) == []


def test_a_run_in_use_is_said_to_be(connection: Connection, database_url: str) -> None:
    where = place(connection)
    a, b = ready(connection, where, "a"), ready(connection, where, "b")
    factors.activate(connection, a)
    with reading(database_url, where) as reader:
        factors.activate(connection, b)
        done = factors.prune(connection, 1, quiet=True, seconds=0.3, pause=lambda _: time.sleep(0.05))
        assert done == factors.Pruned([], [a])
        assert pruned(connection) == []
        assert first(reader, where) in "ab"
    assert factors.prune(connection, 1, quiet=True) == factors.Pruned([a], [])


def test_a_run_in_use_is_waited_for(connection: Connection, database_url: str) -> None:
    where = place(connection)
    a, b = ready(connection, where, "a"), ready(connection, where, "b")
    factors.activate(connection, a)
    waits: list[float] = []
    with database.connect(database_url) as reader:
        reader.autocommit = False
        first(reader, where)
        factors.activate(connection, b)

        def pause(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 2:
                reader.commit()

        assert factors.prune(connection, 1, quiet=True, pause=pause) == factors.Pruned([a], [])
    assert len(waits) == 2


def test_readers_hardly_wait_for_pruning(connection: Connection, database_url: str) -> None:
    """Somebody's transaction is in the way of pruning, and pruning is in the way of readers."""
    where = place(connection)
    a, b = ready(connection, where, "a"), ready(connection, where, "b")
    factors.activate(connection, a)
    took: list[float] = []
    stop = threading.Event()

    def read() -> None:
        with database.connect(database_url) as reader:
            while not stop.is_set():
                started = time.monotonic()
                first(reader, where)
                took.append(time.monotonic() - started)

    with reading(database_url, where), ThreadPoolExecutor(2) as pool:
        factors.activate(connection, b)
        readers = [pool.submit(read) for _ in range(2)]
        try:
            done = factors.prune(connection, 1, quiet=True, seconds=1.0, pause=lambda _: time.sleep(0.02))
        finally:
            stop.set()
        for one in readers:
            one.result()
    assert done.in_use == [a]
    assert len(took) > 10
    assert sorted(took)[-3] < 0.5  # two may have waited for something else, such as a processor


def test_who_pruned_leaves_the_lock_timeout_as_it_was(connection: Connection, database_url: str) -> None:
    where = place(connection)
    connection.execute("SET lock_timeout = '17s'")
    a, b = ready(connection, where, "a"), ready(connection, where, "b")
    factors.activate(connection, a)
    with reading(database_url, where):
        factors.activate(connection, b)
        assert store.runs.prune(connection, a) == "in use"
        assert connection.execute("SHOW lock_timeout").fetchone() == ("17s",)
    assert store.runs.prune(connection, a) == "pruned"
    assert connection.execute("SHOW lock_timeout").fetchone() == ("17s",)


def test_a_run_that_becomes_active_meanwhile_is_not_said_to_be_pruned(
    connection: Connection, database_url: str
) -> None:
    where = place(connection)
    a, b = ready(connection, where, "a"), ready(connection, where, "b")
    factors.activate(connection, a)
    with database.connect(database_url) as reader, database.connect(database_url) as other:
        reader.autocommit = False
        first(reader, where)
        factors.activate(connection, b)

        def pause(seconds: float) -> None:
            """The reader is done, and somebody goes back to the run that was to be pruned."""
            reader.rollback()
            factors.activate(other, a)

        done = factors.prune(connection, 1, quiet=True, pause=pause)
    assert statuses(connection)[a] == "active"
    assert pruned(connection) == []
    assert done.pruned == []


# --- two runs side by side -------------------------------------------------------------------------


def test_a_run_does_not_differ_from_itself(connection: Connection) -> None:
    where = place(connection)
    a, again = ready(connection, where, "a"), ready(connection, where, "a")
    assert factors.difference(connection, a, again, top=3) == factors.Difference(20, 3, 1.0, 1.0, [])
    factors.activate(connection, a)
    assert factors.difference(connection, a, a, images=7, top=3) == factors.Difference(7, 3, 1.0, 1.0, [])


def test_how_runs_differ(connection: Connection) -> None:
    """Two runs that have no hashtag in common, against the counts of their recommendations."""
    where = place(connection)
    a, b = ready(connection, where, "a"), ready(connection, where, "b")
    factors.activate(connection, b)
    found = factors.difference(connection, a, b, top=3)
    assert (found.images, found.overlap, found.same_first) == (20, 0.0, 0.0)
    assert sum(one.before for one in found.moved) == sum(one.after for one in found.moved) == 60
    assert all(one.after == 0 for one in found.moved if one.hashtag.startswith("a"))
    assert all(one.before == 0 for one in found.moved if one.hashtag.startswith("b"))
    moves = [(-abs(one.after - one.before), one.hashtag) for one in found.moved]
    assert moves == sorted(moves)
    counts: dict[str, int] = {}
    for image_id in where.image_ids.tolist():
        query = "SELECT hashtag FROM tagdb.recommend_for_image(%s, 3)"
        for (hashtag,) in connection.execute(query, (image_id,)):
            counts[hashtag] = counts.get(hashtag, 0) + 1
    assert {one.hashtag: one.after for one in found.moved if one.after} == counts


def test_comparing_changes_nothing(connection: Connection) -> None:
    """A run that was only compared is no partition, and the active one stays active."""
    where = place(connection)
    a, b = ready(connection, where, "a"), ready(connection, where, "b")
    factors.activate(connection, a)
    factors.difference(connection, a, b)
    assert statuses(connection) == {a: "active", b: "ready"}
    parents = (
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhrelid::regclass::text LIKE '%factors%'"
    )
    attached = {row[0].rpartition(".")[2] for row in connection.execute(parents)}
    assert {name for name in attached if name.endswith(("factors_1", "factors_2"))} == {
        f"image_factors_{a}",
        f"hashtag_factors_{a}",
    }
    assert first(connection, where) == "a"
    factors.activate(connection, b)
    assert first(connection, where) == "b"


def test_nothing_to_compare(connection: Connection) -> None:
    where = place(connection)
    a = ready(connection, where, "a")
    with pytest.raises(DatabaseError, match="there is no factor run 9"), database.translated():
        factors.difference(connection, a, 9)
    connection.execute("DELETE FROM tagdb_store.embeddings")
    with pytest.raises(FactorsError, match="no image for which both runs recommend something"):
        factors.difference(connection, a, a)


# --- computations that were killed -----------------------------------------------------------------


def test_an_abandoned_run_is_cleaned_up(connection: Connection, database_url: str) -> None:
    place(connection)
    with database.connect(database_url) as killed:
        abandoned = store.runs.begin(killed, SMALL, {})
        pid = killed.info.backend_pid
    until = time.monotonic() + 10
    while connection.execute("SELECT FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone() is not None:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert statuses(connection) == {abandoned: "building"}
    assert tables(connection) == [f"hashtag_factors_{abandoned}", f"image_factors_{abandoned}"]
    done = factors.compute(connection, SMALL, quiet=True)
    assert statuses(connection) == {abandoned: "failed", done.factor_run_id: "active"}
    assert not any(name.endswith(f"_{abandoned}") for name in tables(connection))


def test_a_run_that_is_being_computed_is_left_alone(connection: Connection, database_url: str) -> None:
    where = place(connection)
    with database.connect(database_url) as alive:
        building = store.runs.begin(alive, SMALL, {})
        done = factors.compute(connection, SMALL, quiet=True)
        factors.prune(connection, 1, quiet=True)
        assert store.runs.discard_abandoned(connection) == 0
        assert statuses(connection) == {building: "building", done.factor_run_id: "active"}
        ids = where.vocabularies["a"]
        model = Model(
            SMALL,
            where.image_ids,
            np.ones((20, 4), np.float16),
            ids,
            np.ones((len(ids), 4), np.float16),
            np.ones(len(ids), np.int32),
            1,
            Maps(np.eye(4, dtype=np.float32), Weighting("none", 20, 1.0, 1.0, 1.0), None),
        )
        store.runs.save(alive, building, model, 0.0)
        factors.activate(alive, building)
        assert statuses(connection) == {building: "active", done.factor_run_id: "retired"}


def test_a_run_that_fails_leaves_nothing(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    where = place(connection)
    factors.activate(connection, ready(connection, where, "a"))

    def fail(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store.runs, "activate", fail)
    with pytest.raises(KeyboardInterrupt):
        factors.compute(connection, SMALL, quiet=True)
    assert statuses(connection) == {1: "active", 2: "failed"}
    assert not any(name.endswith("_2") for name in tables(connection))
    assert first(connection, where) == "a"


# --- between two looks -----------------------------------------------------------------------------


def replaced(connection: Connection, old: int, new: int) -> None:
    """Another run becomes active, and the old one is pruned at once."""
    factors.activate(connection, new)
    assert store.runs.prune(connection, old) == "pruned"


def far(number: int, *hashtags: str) -> store.batches.Image:
    """A photo that is like none of the place's."""
    return seed.image(number, *hashtags, embedding=half(1, number, upper=True)[0].astype(np.float32))


def test_an_ingest_goes_on_when_its_run_is_replaced_between_batches(
    connection: Connection, database_url: str
) -> None:
    where = place(connection)
    a, b = ready(connection, where, "a"), ready(connection, where, "b")
    factors.activate(connection, a)
    with database.connect(database_url) as other:
        fresh = folding_in.FoldingIn(other)
        ingest_run = store.ingest_runs.begin(other, ["test"])
        store.batches.save(other, ingest_run, where.backbone_id, [far(1000, "a1", "b1")], [], fresh.images)
        replaced(connection, a, b)
        store.batches.save(other, ingest_run, where.backbone_id, [far(1001, "a2", "b2")], [], fresh.images)
        fresh.finish()
    query = "SELECT images_without_factors, images_folded_in FROM tagdb.coverage"
    assert connection.execute(query).fetchone() == (0, 2)


def test_an_ingest_goes_on_when_its_run_is_pruned_within_a_batch(
    connection: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = place(connection)
    a, b = ready(connection, where, "a"), ready(connection, where, "b")
    factors.activate(connection, a)
    with database.connect(database_url) as other:
        fresh = folding_in.FoldingIn(other)
        ingest_run = store.ingest_runs.begin(other, ["test"])
        store.batches.save(other, ingest_run, where.backbone_id, [far(1000, "a1", "b1")], [], fresh.images)
        fold = folding_in.fold_in_images

        def late(*arguments: object) -> object:
            monkeypatch.undo()
            replaced(connection, a, b)
            return fold(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr("tagdb.folding_in.fold_in_images", late)
        store.batches.save(other, ingest_run, where.backbone_id, [far(1001, "a2", "b2")], [], fresh.images)
        fresh.finish()
    query = "SELECT images_without_factors, images_folded_in FROM tagdb.coverage"
    assert connection.execute(query).fetchone() == (0, 2)


def test_an_ingest_goes_on_when_its_run_is_replaced_while_it_is_read(
    connection: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = place(connection)
    a, b = ready(connection, where, "a"), ready(connection, where, "b")
    factors.activate(connection, a)

    def late(*arguments: object) -> object:
        monkeypatch.undo()
        found = factor_maps(*arguments)  # type: ignore[arg-type]
        with database.connect(database_url) as another:
            factors.activate(another, b)
            assert store.runs.prune(another, a) == "in use"
        return found

    monkeypatch.setattr("tagdb.store.runs.maps", late)
    fresh = folding_in.FoldingIn(connection)
    ingest_run = store.ingest_runs.begin(connection, ["test"])
    store.batches.save(connection, ingest_run, where.backbone_id, [far(1000, "a1", "b1")], [], fresh.images)
    fresh.finish()
    query = "SELECT images_without_factors, images_folded_in FROM tagdb.coverage"
    assert connection.execute(query).fetchone() == (0, 1)


def test_folding_in_what_is_missing_goes_on_when_its_run_is_pruned(
    connection: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = place(connection)
    a, b = ready(connection, where, "a"), ready(connection, where, "b")
    factors.activate(connection, a)
    ingest_run = store.ingest_runs.begin(connection, ["test"])
    batch = [far(1000 + n, "a1", "b1") for n in range(3)]
    store.batches.save(connection, ingest_run, where.backbone_id, batch, [])
    monkeypatch.setattr("tagdb.folding_in.TOGETHER", 1)
    fold = folding_in.fold_in_images

    def late(*arguments: object) -> object:
        """The first batch comes after all that."""
        monkeypatch.setattr("tagdb.folding_in.fold_in_images", fold)
        with database.connect(database_url) as other:
            replaced(other, a, b)
        return fold(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("tagdb.folding_in.fold_in_images", late)
    folding_in.fold_in_missing(connection)
    assert connection.execute("SELECT images_without_factors FROM tagdb.coverage").fetchone() == (0,)


def test_an_older_snapshot_still_finds_a_run(connection: Connection, database_url: str) -> None:
    """A transaction looks at something else first, and recommends after a run was replaced and pruned."""
    where = place(connection)
    a, b = ready(connection, where, "a"), ready(connection, where, "b")
    factors.activate(connection, a)
    with database.connect(database_url) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with reader.transaction():
            assert reader.execute("SELECT count(*) FROM tagdb_store.images").fetchone() == (20,)
            factors.activate(connection, b)
            assert factors.prune(connection, 1, quiet=True, seconds=0).in_use == [a]
            rows = reader.execute(ASK, (seed.literal(where.embeddings[0]),)).fetchall()
    assert len(rows) == 3
    assert factors.prune(connection, 1, quiet=True).pruned == [a]


@pytest.mark.parametrize("level", list(psycopg.IsolationLevel), ids=lambda level: level.name)
def test_a_transaction_goes_on_while_runs_change(
    connection: Connection, database_url: str, level: psycopg.IsolationLevel
) -> None:
    """Of one snapshot it goes on with the run that it knows; or else with that one or a later one."""
    where = place(connection)
    runs = [ready(connection, where, kind) for kind in "abc"]
    factors.activate(connection, runs[0])
    with database.connect(database_url) as reader:
        reader.isolation_level = level
        with reader.transaction():
            kinds = first(reader, where)
            for run in (runs[1], runs[2], runs[1]):
                factors.activate(connection, run)
                assert store.runs.prune(connection, runs[0]) == "in use"
                kinds += first(reader, where)
        if level in (psycopg.IsolationLevel.REPEATABLE_READ, psycopg.IsolationLevel.SERIALIZABLE):
            assert kinds == "aaaa"
        assert first(reader, where) == "b"


# --- the hammer ------------------------------------------------------------------------------------

QUESTIONS = {
    "plain": ASK,
    "image": "SELECT r.hashtag, r.score FROM tagdb.recommend_for_image(1, 3) r ORDER BY r.rank",
    "steered": "SELECT r.hashtag, r.score FROM tagdb.recommend_for_embedding(%s, 3, known => '{a6,b6,c6}',"
    " diversity => 0.3, popularity_discount => 0.2, min_score => 0.1) r ORDER BY r.rank",
}
Answer = list[tuple[str, float]]


@dataclass
class Hammer:
    """What the threads share."""

    url: str
    where: Place
    expected: dict[str, dict[str, Answer]]
    """Of each question, the answer of each kind of run."""
    until: float
    wrong: list[str] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def going(self) -> bool:
        return time.monotonic() < self.until and not self.wrong

    def ask(self, who: str, connection: Connection, question: str) -> str | None:
        """Ask, and see whose answer it is; what is nobody's is noted."""
        command = QUESTIONS[question].encode()
        values = (seed.literal(self.where.embeddings[0]),) if b"%s" in command else None
        found = connection.execute(command, values).fetchall()
        self.asked[who] = self.asked.get(who, 0) + 1
        for kind, answer in self.expected[question].items():
            if [row[0] for row in found] == [row[0] for row in answer] and np.allclose(
                [row[1] for row in found], [row[1] for row in answer], rtol=1e-4
            ):
                self.seen.add(kind)
                return kind
        self.wrong.append(f"{who}, {question}: {found}")
        return None


def answers(connection: Connection, where: Place, kinds: Sequence[str]) -> dict[str, dict[str, Answer]]:
    """What each kind of run answers to each question."""
    found: dict[str, dict[str, Answer]] = {name: {} for name in QUESTIONS}
    for kind in kinds:
        factors.activate(connection, ready(connection, where, kind))
        for name, command in QUESTIONS.items():
            values = (seed.literal(where.embeddings[0]),) if "%s" in command else None
            rows = connection.execute(command.encode(), values).fetchall()
            assert len(rows) == 3
            assert {row[0][0] for row in rows} == {kind}
            found[name][kind] = rows
    return found


def autocommitting(hammer: Hammer) -> None:
    with database.connect(hammer.url) as connection:
        while hammer.going():
            for question in QUESTIONS:
                hammer.ask("autocommit", connection, question)


def preparing(hammer: Hammer) -> None:
    with database.connect(hammer.url) as connection:
        connection.prepare_threshold = 0
        connection.execute("SET plan_cache_mode = force_generic_plan")
        while hammer.going():
            for question in QUESTIONS:
                hammer.ask("prepared", connection, question)


def reconnecting(hammer: Hammer) -> None:
    while hammer.going():
        with database.connect(hammer.url) as connection:
            hammer.ask("reconnecting", connection, "plain")


def in_transactions(hammer: Hammer) -> None:
    """Between its statements others go on; each of them must be right all the same."""
    with database.connect(hammer.url) as connection:
        while hammer.going():
            with connection.transaction():
                for question in ("plain", "image", "steered", "plain"):
                    hammer.ask("transaction", connection, question)
                    time.sleep(0.01)


def repeatably_reading(hammer: Hammer) -> None:
    with database.connect(hammer.url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        while hammer.going():
            with connection.transaction():
                for question in ("image", "plain", "steered", "image"):
                    hammer.ask("repeatable read", connection, question)
                    time.sleep(0.01)


def ingesting(hammer: Hammer) -> None:
    """Photos that are like none of the others, so that they change no answer.

    Their hashtags are not those that are known in a question: what has been folded in is no longer
    unknown, and would lead.
    """
    number = 1000
    with database.connect(hammer.url) as connection:
        ingest_run = store.ingest_runs.begin(connection, ["hammer"])
        while hammer.going():
            fresh = folding_in.FoldingIn(connection)
            for _ in range(3):
                vectors = half(4, number, upper=True)
                batch = [
                    seed.image(
                        number + n,
                        *(f"{kind}{n}" for kind in hammer.where.vocabularies),
                        f"new{number}",
                        embedding=vectors[n].astype(np.float32),
                    )
                    for n in range(4)
                ]
                store.batches.save(connection, ingest_run, hammer.where.backbone_id, batch, [], fresh.images)
                number += 4
                hammer.asked["ingest"] = hammer.asked.get("ingest", 0) + 1
            fresh.finish()


def living(hammer: Hammer) -> None:
    """Makes runs, activates them, goes back, prunes; without a pause."""
    rng = np.random.default_rng(1)
    turn = 0
    with database.connect(hammer.url) as connection:
        while hammer.going():
            turn += 1
            run = ready(connection, hammer.where, "abc"[turn % 3])
            factors.activate(connection, run)
            if rng.random() < 0.3:
                factors.rollback(connection)
            if rng.random() < 0.5:
                factors.prune(
                    connection, int(rng.integers(2, 4)), quiet=True, seconds=0, pause=lambda _: None
                )
            hammer.asked["life"] = turn


def test_nobody_notices_that_runs_come_and_go(connection: Connection, database_url: str) -> None:
    """Many who recommend and one who ingests, while runs are made, activated, taken back and pruned.

    Each run's answers are its own, so that nothing but an answer of one of them is right: none may be
    empty, a mixture or an error.
    """
    where = place(connection)
    expected = answers(connection, where, "abc")
    hammer = Hammer(database_url, where, expected, time.monotonic() + 10)
    workers: list[Callable[[Hammer], None]] = [
        autocommitting, preparing, reconnecting, in_transactions, repeatably_reading, ingesting, living,
    ]  # fmt: skip
    with ThreadPoolExecutor(len(workers)) as pool:
        futures = [pool.submit(worker, hammer) for worker in workers]
        for future, worker in zip(futures, workers, strict=True):
            error = future.exception()
            if error is not None:
                hammer.wrong.append(f"{worker.__name__}: {error!r}")
    assert hammer.wrong == []
    assert hammer.seen == {"a", "b", "c"}
    assert min(hammer.asked.values()) >= 3, hammer.asked
    assert len(hammer.asked) == len(workers)
    assert pruned(connection)
