"""Several backbones in one database: switching, what waits for that, dropping; and that no reader notices."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tagdb import factors, folding_in, reembed, store
from tagdb.errors import BackboneError, BackboneMismatch, DatabaseError
from tagdb.learning.settings import FactorSettings
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.store.runs import maps as factor_maps
from tests.support import seed
from tests.support.programs import SOAK
from tests.support.seed import active_backbone
from tests.support.waiting import blocked

IMAGES = 30
BOTH = """
SELECT (SELECT array_agg((s.image_id, s.similarity) ORDER BY s.rank)
        FROM tagdb.similar_images_to(%s) s)::text,
       (SELECT array_agg((r.hashtag, r.score) ORDER BY r.rank)
        FROM tagdb.recommend_for_image(%s) r)::text
"""


def another(connection: Connection, world: seed.World, number: int = 1, images: int | None = None) -> int:
    """A second backbone beside that of a world, to which other images are similar; its number."""
    backbone_id = store.backbones.add(connection, seed.identity(number))
    ids = world.image_ids[:images]
    seed.add_embeddings(connection, backbone_id, ids, seed.features(len(ids), 100 + number))
    return backbone_id


def ask(connection: Connection, image_id: int) -> tuple[str, str]:
    """What is similar and what is recommended, in one statement."""
    row = connection.execute(BOTH, (image_id, image_id), prepare=True).fetchone()
    assert row is not None
    assert row[0] is not None
    assert row[1] is not None
    return row


# --- nobody notices --------------------------------------------------------------------------------


@pytest.mark.parametrize("indexed", [False, True], ids=["scanned", "indexed"])
def test_readers_see_one_backbone_or_the_other(
    database_url: str, connection: Connection, indexed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is switched back and forth and a third one comes and goes: no mixture, no error, no gap."""
    world = seed.world(connection, images=IMAGES)
    numbers = (world.backbone_id, another(connection, world))
    if indexed:
        monkeypatch.setattr(store.index, "INDEX_FROM", 10)
        assert all(store.index.ensure(connection, number) for number in numbers)
    asked = [int(i) for i in world.image_ids[:5]]
    expected: dict[int, list[tuple[str, str]]] = {}
    for number in numbers:
        assert store.backbones.activate(connection, number, ()) == 0
        expected[number] = [ask(connection, image_id) for image_id in asked]
    for one, other in zip(*expected.values(), strict=True):
        assert one[0] != other[0]
        assert one[1] != other[1]
    readers, rounds = 5, 40 * SOAK
    done = threading.Event()
    seen: list[set[int]] = [set() for _ in range(readers)]
    counts, wrong = [0] * readers, []

    def read(reader: int) -> None:
        rng = np.random.default_rng(reader)
        try:
            with database.connect(database_url) as own:
                while not done.is_set():
                    place = int(rng.integers(len(asked)))
                    answer = ask(own, asked[place])
                    of = [number for number in numbers if expected[number][place] == answer]
                    if len(of) != 1:
                        wrong.append((asked[place], answer))
                    seen[reader].update(of)
                    counts[reader] += 1
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=read, args=(reader,)) for reader in range(readers)]
    for thread in threads:
        thread.start()
    dropped = 0
    try:
        for turn in range(rounds):
            assert store.backbones.activate(connection, numbers[turn % 2], ()) == 0
            if turn % 4 == 3:
                third = store.backbones.add_beside(connection, seed.identity(7))
                while third is None:
                    third = store.backbones.add_beside(connection, seed.identity(7))
                seed.add_embeddings(connection, third, world.image_ids, seed.features(IMAGES, 9))
                reembed.drop(connection, third)
                dropped += 1
    finally:
        done.set()
        for thread in threads:
            thread.join()
    print(f"{rounds} switches, {dropped} backbones added and dropped, {sum(counts)} answers")
    assert wrong == []
    assert set().union(*seen) == set(numbers)
    assert min(counts) > 5


def test_a_reader_in_a_transaction(connection: Connection, database_url: str) -> None:
    """It keeps a backbone from being added, because it could not see its embeddings; and sees a switch."""
    world = seed.world(connection, images=IMAGES)
    with database.connect(database_url) as reader:
        with reader.transaction():
            old = ask(reader, 1)
            assert store.backbones.add_beside(connection, seed.identity(1), 50) is None
        added = store.backbones.add_beside(connection, seed.identity(1), 50)
        assert added is not None
        seed.add_embeddings(connection, added, world.image_ids, seed.features(IMAGES, 101))
        with reader.transaction():
            assert ask(reader, 1) == old
            assert store.backbones.activate(connection, added, ()) == 0
            new = ask(reader, 1)
            assert new != old
        with reader.transaction():
            reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            assert ask(reader, 1) == new
            assert store.backbones.activate(connection, world.backbone_id, ()) == 0
            assert ask(reader, 1) == new
            assert not store.backbones.drop(connection, added, 50)
            assert ask(reader, 1) == new
        assert ask(reader, 1) == old
        assert store.backbones.drop(connection, added, 50)
        assert ask(reader, 1) == old


# --- switching -------------------------------------------------------------------------------------


def test_images_that_are_missing(connection: Connection) -> None:
    world = seed.world(connection, images=IMAGES)
    other = another(connection, world, images=IMAGES - 3)
    last = [int(i) for i in world.image_ids[-3:]]
    assert store.backbones.activate(connection, other, ()) == 3
    assert store.backbones.activate(connection, other, last[:2]) == 1
    assert active_backbone(connection) == world.backbone_id
    with pytest.raises(BackboneError, match=f"backbone {other} has not embedded 3 of 30 images"):
        reembed.use(connection, other)
    assert store.backbones.activate(connection, other, last) == 0
    assert active_backbone(connection) == other
    assert store.backbones.activate(connection, world.backbone_id, ()) == 0
    reembed.use(connection, other, allow_missing=True)
    assert active_backbone(connection) == other


def test_no_such_backbone(connection: Connection) -> None:
    seed.world(connection)
    with pytest.raises(DatabaseError, match=r"^there is no backbone 9$"), database.translated():
        store.backbones.activate(connection, 9, None)
    with pytest.raises(DatabaseError, match=r"^there is no backbone 9$"), database.translated():
        store.backbones.drop(connection, 9)
    with pytest.raises(DatabaseError, match=r"^backbone 1 is active$"), database.translated():
        store.backbones.drop(connection, 1)


def test_each_searches_as_hard_as_it_should(connection: Connection) -> None:
    world = seed.world(connection, images=IMAGES)
    other = another(connection, world)
    store.index_checks.set_effort(connection, other, store.index_checks.Effort(90, 333))
    settings = "SELECT proconfig::text FROM pg_proc WHERE proname = 'candidates'"
    for number, effort in ((other, 333), (world.backbone_id, 200)):
        assert store.backbones.activate(connection, number, ()) == 0
        row = connection.execute(settings).fetchone()
        assert row is not None
        assert f"hnsw.ef_search={effort}" in row[0]


def test_the_vector_index_of_one_that_is_not_active(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Built beside that of the active one, which stays; batches of both are found."""
    monkeypatch.setattr(store.index, "INDEX_FROM", 10)
    world = seed.world(connection, images=IMAGES)
    assert store.index.ensure(connection, world.backbone_id)
    other = another(connection, world, images=IMAGES - 1)
    assert store.index.ensure(connection, other)
    assert not store.index.ensure(connection, other)
    last = int(world.image_ids[-1])
    row = connection.execute(
        "SELECT content_sha256 FROM tagdb_store.images WHERE image_id = %s", (last,)
    ).fetchone()
    assert row is not None
    vector = seed.features(1, 5)[0].astype(np.float32)
    assert store.batches.embed_stored(connection, other, {row[0]: vector}) == 1
    assert store.batches.embed_stored(connection, other, {row[0]: vector}) == 0  # it has one
    for number in (world.backbone_id, other):
        status = store.index.status(connection, number)
        assert status is not None
        assert (status.backbone_id, status.search_vectors > 0) == (number, True)
    counts = "SELECT projection_id, count(*) FROM tagdb_store.search_vectors GROUP BY 1 ORDER BY 1"
    assert connection.execute(counts).fetchall() == [(1, IMAGES), (2, IMAGES)]
    assert store.backbones.activate(connection, other, ()) == 0
    assert store.answers.similar(connection, vector, 1)[0].image_id == last
    assert store.backbones.activate(connection, world.backbone_id, ()) == 0
    assert store.backbones.drop(connection, other)
    assert connection.execute(counts).fetchall() == [(1, IMAGES)]
    left = "SELECT relname FROM pg_class WHERE relname ~ '^(search_vectors|embeddings)_[0-9]+$'"
    assert {row[0] for row in connection.execute(left)} == {"embeddings_1", "search_vectors_1"}


# --- whoever stores --------------------------------------------------------------------------------


def test_a_switch_waits_for_a_batch_and_sees_it(connection: Connection, database_url: str) -> None:
    world = seed.world(connection, images=IMAGES)
    other = another(connection, world)
    with database.connect(database_url) as ingest, database.connect(database_url) as switching:
        run = store.ingest_runs.begin(ingest, ["here"])
        begun = ingest.transaction()
        begun.__enter__()
        assert store.batches.save(ingest, run, world.backbone_id, [seed.image(1, "a")], []).new == 1
        assert store.backbones.activate(switching, other, (), 50) is None
        with blocked(
            connection, switching, lambda: store.backbones.activate(switching, other, (), 10_000)
        ) as switched:
            begun.__exit__(None, None, None)
            assert switched.result() == 1
    assert active_backbone(connection) == world.backbone_id


def test_a_batch_that_comes_after_a_switch(connection: Connection) -> None:
    world = seed.world(connection, images=IMAGES)
    other = another(connection, world)
    run = store.ingest_runs.begin(connection, ["here"])
    assert store.backbones.activate(connection, other, ()) == 0
    said = "the backbone of this database was changed to test 1 .* meanwhile"
    with pytest.raises(BackboneMismatch, match=said):
        store.batches.save(connection, run, world.backbone_id, [seed.image(1, "a"), seed.image(2)], [])
    assert connection.execute("SELECT count(*) FROM tagdb.images").fetchone() == (IMAGES,)
    # what is known needs no backbone
    assert store.batches.save(connection, run, other, [seed.image(1, "a")], []).new == 1
    again = [seed.image(1, "b", embedded=False)]
    assert store.batches.save(connection, run, world.backbone_id, again, []).updated == 1
    # nor does one that was dropped make a difference
    assert store.backbones.drop(connection, world.backbone_id)
    with pytest.raises(BackboneMismatch, match=said):
        store.batches.save(connection, run, world.backbone_id, [seed.image(2)], [])


# --- factors ---------------------------------------------------------------------------------------

KNOWN = ("sea", "sun", "sand", "city", "night", "dog")
PLAN = FactorSettings(factors=3, min_hashtags=1, min_images=1, ridge=0.25, refit_penalty=0.0, iterations=5)


def fold(connection: Connection, backbone_id: int, number: int) -> str:
    """Factors that an image of two hashtags gets when it is ingested."""
    run = store.ingest_runs.begin(connection, ["here"])
    fresh = folding_in.FoldingIn(connection)
    store.batches.save(connection, run, backbone_id, [seed.image(number, "sea", "sun")], [], fresh.images)
    fresh.finish()
    row = connection.execute(
        "SELECT f.factors::text FROM tagdb_store.image_factors f JOIN tagdb_store.images i USING (image_id)"
        " WHERE i.content_sha256 = %s AND f.folded_in",
        (seed.image(number).content_sha256,),
    ).fetchone()
    assert row is not None
    return str(row[0])


def test_another_backbones_embeddings_are_not_what_factors_are_predicted_from(
    make_database: Callable[[bool], str],
) -> None:
    """After a switch images are folded in by their hashtags alone: as in a run without a ridge regression."""
    found = {}
    for plan in (PLAN, replace(PLAN, ridge=0.0)):
        with database.connect(make_database(True)) as connection:
            backbone_id = store.backbones.add(connection, seed.identity())
            run = store.ingest_runs.begin(connection, ["here"])
            batch = [seed.image(n, *(KNOWN[(n * k) % 6] for k in (1, 2, 3))) for n in range(12)]
            store.batches.save(connection, run, backbone_id, batch, [])
            done = factors.compute(connection, plan, quiet=True)
            maps = factor_maps(connection, done.factor_run_id)
            assert maps is not None
            assert maps.backbone_id == backbone_id
            before = fold(connection, backbone_id, 100)
            other = store.backbones.add(connection, seed.identity(1))
            assert store.backbones.activate(connection, other, None) == 0
            found[plan.ridge] = before, fold(connection, other, 101)
    with_ridge, without = found[0.25], found[0.0]
    assert without[0] == without[1]
    assert with_ridge[0] != with_ridge[1]
    # ALS itself does not know of the ridge regression, so that the half-step is the same
    assert with_ridge[1] == without[1]


def test_a_run_whose_backbone_was_dropped(connection: Connection) -> None:
    world = seed.world(connection, images=IMAGES)
    other = another(connection, world)
    done = factors.compute(connection, replace(PLAN, min_images=2), quiet=True)
    assert store.backbones.activate(connection, other, ()) == 0
    assert store.backbones.drop(connection, world.backbone_id)
    maps = factor_maps(connection, done.factor_run_id)
    assert maps is not None
    assert maps.ridge is not None
    assert maps.backbone_id is None
    assert folding_in.fold_in_missing(connection) == 0
    assert ask(connection, 1)
    assert factors.compute(connection, replace(PLAN, min_images=2), quiet=True).active
    maps = factor_maps(connection, done.factor_run_id + 1)
    assert maps is not None
    assert maps.backbone_id == other
