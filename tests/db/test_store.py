"""Batches of images and factor runs going into the database, also several at once."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import numpy as np
import psycopg
import pytest

from tagdb import store
from tagdb.learning import projecting
from tagdb.learning.als import Weighting
from tagdb.learning.model import Maps, Model
from tagdb.learning.settings import FactorSettings
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.store import index
from tagdb.store.batches import Rejected
from tagdb.store.ingest_runs import Counts
from tests.support import seed
from tests.support.postgres import rows
from tests.support.seed import image


@pytest.fixture
def backbone_id(connection: Connection) -> int:
    return store.backbones.add(connection, seed.identity())


@pytest.fixture
def save(connection: Connection, backbone_id: int) -> Callable[..., Counts]:
    """A function that saves images as one batch of an ingest run of its own."""
    run = store.ingest_runs.begin(connection, ["here"])

    def save_images(*images: store.batches.Image, rejected: tuple[Rejected, ...] = ()) -> Counts:
        return store.batches.save(connection, run, backbone_id, images, rejected)

    return save_images


def hashtags(connection: Connection) -> dict[str, set[str]]:
    """The hashtags of each image by its URI."""
    found: dict[str, set[str]] = {uri: set() for (uri,) in rows(connection, "SELECT uri FROM tagdb.images")}
    for uri, hashtag in rows(
        connection,
        "SELECT i.uri, ih.hashtag FROM tagdb.image_hashtags ih JOIN tagdb.images i USING (image_id)",
    ):
        found[uri].add(hashtag)
    return found


# --- batches -------------------------------------------------------------------------------------


def test_new_known_and_updated(connection: Connection, save: Callable[..., Counts]) -> None:
    assert save(image(1, "a"), image(2, "a", "b"), image(3)) == Counts(new=3)
    assert save(image(1, "a"), image(2, embedded=False), image(4, "c")) == Counts(new=1, known=2)
    assert save(image(1, "new"), image(2, "b"), image(3, "a", embedded=False)) == Counts(known=1, updated=2)
    assert hashtags(connection) == {
        "file:///1.jpg": {"a", "new"},
        "file:///2.jpg": {"a", "b"},
        "file:///3.jpg": {"a"},
        "file:///4.jpg": {"c"},
    }
    assert rows(
        connection, "SELECT images_new, images_known, images_updated, rejected FROM tagdb.ingest_runs"
    ) == [(4, 3, 2, 0)]


def test_an_empty_batch(save: Callable[..., Counts]) -> None:
    assert save() == Counts()


def test_what_is_stored_of_an_image(connection: Connection, save: Callable[..., Counts]) -> None:
    taken = datetime(2020, 2, 29, 12, tzinfo=UTC)
    metadata = {"likes": 3, "nested": {"a": [1, None, "é\\ \" '"]}, "tab\there": "line\nline"}
    one = image(
        1, "a", collection="cats", source_ref="https://example.org/?a=%20b", taken_at=taken, metadata=metadata
    )
    one.uri = "file:///tab\tand\\backslash%20.jpg"
    save(one)
    assert rows(
        connection,
        "SELECT content_sha256, uri, media_type, width, height, bytes, collection, source_ref, taken_at,"
        " metadata, ingest_run_id FROM tagdb.images",
    ) == [
        (
            *(one.content_sha256.hex(), one.uri, "image/jpeg", 40, 30, 1001, "cats", one.source_ref),
            *(taken, metadata, 1),
        )
    ]
    assert rows(connection, "SELECT original, thumbnail FROM tagdb_store.image_files") == [
        (b"original 1", b"thumbnail 1")
    ]


def test_originals_are_optional(connection: Connection, save: Callable[..., Counts]) -> None:
    save(image(1, original=None), image(2))
    assert rows(connection, "SELECT original, thumbnail FROM tagdb_store.image_files ORDER BY image_id") in (
        [(None, b"thumbnail 1"), (b"original 2", b"thumbnail 2")],
        [(b"original 2", b"thumbnail 2"), (None, b"thumbnail 1")],
    )


def test_embeddings_are_stored_as_float16(connection: Connection, save: Callable[..., Counts]) -> None:
    given = {n: image(n) for n in range(5)}
    save(*given.values())
    stored = rows(
        connection,
        "SELECT i.uri, e.embedding::real[]"
        " FROM tagdb_store.embeddings e JOIN tagdb_store.images i USING (image_id)",
    )
    assert len(stored) == 5
    for uri, numbers in stored:
        embedding = given[int(uri[8:-4])].embedding
        assert embedding is not None
        np.testing.assert_array_equal(np.array(numbers, np.float32), embedding.astype(np.float16))


def test_what_is_empty_is_filled_and_nothing_overwritten(
    connection: Connection, save: Callable[..., Counts]
) -> None:
    early, late = datetime(2001, 1, 1, tzinfo=UTC), datetime(2022, 2, 2, tzinfo=UTC)
    asked = "SELECT uri, collection, source_ref, taken_at, metadata, width FROM tagdb.images"
    save(image(1, metadata={"a": 1}))
    first = rows(connection, asked)
    added = image(1, collection="cats", taken_at=late, metadata={"a": 2, "b": 3}, width=999)
    added.uri = "file:///copy.jpg"
    assert save(added) == Counts(updated=1)
    assert rows(connection, asked) == [(first[0][0], "cats", None, late, {"a": 1, "b": 3}, 40)]
    other = image(
        1, embedded=False, collection="dogs", source_ref="post", taken_at=early, metadata={"b": None}
    )
    assert save(other) == Counts(updated=1)
    assert rows(connection, asked) == [(first[0][0], "cats", "post", late, {"a": 1, "b": 3}, 40)]
    assert save(other, added) == Counts(known=2)


def test_one_content_several_times_in_a_batch(connection: Connection, save: Callable[..., Counts]) -> None:
    copies = [
        image(1, "a", "b", collection="cats", metadata={"x": 1}),
        image(1, "b", "c", source_ref="post", metadata={"y": 2}),
        image(1, embedded=False),
    ]
    assert save(*copies, image(2)) == Counts(new=2, known=2)
    assert hashtags(connection)["file:///1.jpg"] == {"a", "b", "c"}
    assert rows(
        connection, "SELECT collection, source_ref, metadata FROM tagdb.images WHERE bytes = 1001"
    ) == [("cats", "post", {"x": 1, "y": 2})]
    assert rows(connection, "SELECT count(*) FROM tagdb_store.embeddings") == [(2,)]


def test_content_said_to_be_known_that_is_not(connection: Connection, save: Callable[..., Counts]) -> None:
    """Somebody deleted the image after it was looked up: there is nothing to store, and no error."""
    assert save(image(1, "a", embedded=False)).new == 0
    assert hashtags(connection) == {}


@pytest.mark.parametrize("what", ["embedding", "hashtag", "rejected", "thumbnail"])
def test_a_failure_leaves_nothing(connection: Connection, save: Callable[..., Counts], what: str) -> None:
    save(image(1, "a"))
    tables = (
        "images",
        "hashtags",
        "image_hashtags",
        "embeddings",
        "image_files",
        "ingest_errors",
        "ingest_runs",
    )
    contents = [rows(connection, f"SELECT * FROM tagdb_store.{table}") for table in tables]
    bad, rejected = image(3, "b"), (Rejected("m", 1, "bad", "failed"),)
    if what == "embedding":
        bad.embedding = np.ones(7, np.float32)
    elif what == "hashtag":
        bad.hashtags = ["x" * 151]
    elif what == "rejected":
        rejected = (Rejected("m", 1, "a NUL: \0", "invalid_record"),)
    else:
        bad.thumbnail = None
    with pytest.raises((psycopg.Error, ValueError)):
        save(image(2, "new"), bad, image(1, "more"), rejected=rejected)
    assert [rows(connection, f"SELECT * FROM tagdb_store.{table}") for table in tables] == contents
    assert save(image(2, "new"), rejected=(Rejected("m", 1, "bad", "failed"),)) == Counts(new=1, rejected=1)


def test_hashtags_of_any_characters(connection: Connection, save: Callable[..., Counts]) -> None:
    odd = ["a,b", 'a"b', "a'b", "a\\b", "{a}", "null", " ", "é", "📷", "$1", "%s", "a" * 150]
    save(image(1, *odd), image(2, *odd, "more"))
    uris = [image(n).uri for n in (1, 2)]
    assert hashtags(connection) == {uris[0]: set(odd), uris[1]: {*odd, "more"}}


def test_known_images_get_hashtags_beside_new_ones(
    connection: Connection, save: Callable[..., Counts]
) -> None:
    save(image(1, "a"), image(2, "a"))
    batch = image(1, "a", "b", embedded=False), image(3, "b"), image(2, "a", embedded=False), image(3, "c")
    assert save(*batch) == Counts(new=1, known=2, updated=1)
    uris = [image(n).uri for n in (1, 2, 3)]
    assert hashtags(connection) == {uris[0]: {"a", "b"}, uris[1]: {"a"}, uris[2]: {"b", "c"}}


def test_rejections_are_stored_as_they_are(connection: Connection, save: Callable[..., Counts]) -> None:
    rejected = (
        Rejected("photos.jsonl", 7, "tab\t, backslash \\N and 'quotes'", "invalid_record"),
        Rejected("x.jpg", None, "é", "damaged"),
    )
    assert save(rejected=rejected) == Counts(rejected=2)
    assert rows(
        connection,
        "SELECT origin, line, reason, reason_code FROM tagdb.ingest_errors ORDER BY ingest_error_id",
    ) == [(one.origin, one.line, one.reason, one.reason_code) for one in rejected]
    assert rows(connection, "SELECT rejected, finished_at FROM tagdb.ingest_runs") == [(2, None)]
    store.ingest_runs.finish(connection, 1)
    assert rows(connection, "SELECT finished_at >= started_at FROM tagdb.ingest_runs") == [(True,)]


def test_known_contents_are_told_by_backbone(
    connection: Connection, backbone_id: int, save: Callable[..., Counts]
) -> None:
    save(image(1), image(2))
    asked = [image(n).content_sha256 for n in (1, 2, 3)]
    assert store.batches.known_contents(connection, backbone_id, asked) == set(asked[:2])
    assert store.batches.known_contents(connection, backbone_id, []) == set()
    other = store.backbones.add(connection, seed.identity(2))
    assert store.batches.known_contents(connection, other, asked) == set()


def test_a_second_backbone_embeds_what_is_stored(
    connection: Connection, backbone_id: int, save: Callable[..., Counts]
) -> None:
    save(image(1), image(2))
    other = store.backbones.add(connection, seed.identity(2))
    make_active(connection, other)
    again = image(1, original=None)
    again.thumbnail = b"not stored again"
    assert store.batches.save(connection, 1, other, [again, image(3)], []) == Counts(new=1, known=1)
    counts = "SELECT backbone_id, count(*) FROM tagdb_store.embeddings GROUP BY 1 ORDER BY 1"
    assert rows(connection, counts) == [(backbone_id, 2), (other, 2)]
    assert rows(connection, "SELECT count(*), count(original) FROM tagdb_store.image_files") == [(3, 3)]


def make_active(connection: Connection, backbone_id: int) -> None:
    """Switch to a backbone that has not embedded all images, as nobody should."""
    for active in (False, True):
        connection.execute(
            "UPDATE tagdb_store.backbones SET active = %s WHERE (backbone_id = %s) = %s",
            (active, backbone_id, active),
        )


def test_the_first_backbone_added_is_active(connection: Connection) -> None:
    assert store.backbones.active(connection) is None
    first = store.backbones.add(connection, seed.identity(1))
    second = store.backbones.add(connection, seed.identity(2))
    assert store.backbones.add(connection, seed.identity(1)) == first != second
    active = store.backbones.active(connection)
    assert active is not None
    assert (active.backbone_id, active.identity) == (first, seed.identity(1))


# --- several ingests at once ---------------------------------------------------------------------


def at_once(*work: Callable[[], object]) -> None:
    """Start all at the same moment, and raise what goes wrong in one."""
    barrier = threading.Barrier(len(work))

    def started(one: Callable[[], object]) -> None:
        barrier.wait()
        one()

    with ThreadPoolExecutor(len(work)) as pool:
        for future in [pool.submit(started, one) for one in work]:
            future.result(60)


@pytest.fixture
def two(database_url: str) -> Iterator[list[Connection]]:
    """Two more connections that would learn of a deadlock soon, each with a place for its batches."""
    with database.connect(database_url) as one, database.connect(database_url) as other:
        for connection in (one, other):
            connection.execute("SET deadlock_timeout = '100ms'")
            store.ingest_runs.begin(connection, ["here"])
        yield [one, other]


@pytest.mark.parametrize("known", [False, True])
def test_overlapping_batches_at_once(
    connection: Connection, backbone_id: int, two: list[Connection], known: bool
) -> None:
    """However batches lie to each other, none waits in a circle, and the result is the union."""
    embedding = image(0).embedding
    rng = np.random.default_rng(1)
    for turn in range(12):
        numbers = range(turn * 20, turn * 20 + 20)
        if known:
            before = [image(n, embedding=embedding) for n in numbers]
            store.batches.save(two[0], 1, backbone_id, before, [])
        batches = []
        for side in range(2):
            batch = [image(n, embedded=not known) for n in rng.permutation(numbers).tolist()]
            for one in batch:
                names = [f"{turn}-{n}" for n in rng.integers(0, 12, 4)]
                one.hashtags = sorted(set(names), reverse=bool(side))
                one.embedding = None if known else embedding
                if rng.random() < 0.5:
                    one.collection = f"side {side}"
                if rng.random() < 0.5:
                    one.source_ref = f"side {side}"
            batches.append(batch)
        at_once(
            partial(store.batches.save, two[0], 1, backbone_id, batches[0], []),
            partial(store.batches.save, two[1], 2, backbone_id, batches[1], []),
        )
        found = hashtags(connection)
        for n in numbers:
            said = [one for batch in batches for one in batch if one.uri == f"file:///{n}.jpg"]
            assert found[said[0].uri] == {hashtag for one in said for hashtag in one.hashtags}
            fields = "SELECT collection, source_ref FROM tagdb.images WHERE uri = %s"
            collection, source_ref = rows(connection, fields, said[0].uri)[0]
            assert collection in ({one.collection for one in said} - {None} or {None})
            assert source_ref in ({one.source_ref for one in said} - {None} or {None})
    assert rows(connection, "SELECT count(*) FROM tagdb_store.embeddings") == [(240,)]


def test_updating_an_image_does_not_hold_up_its_hashtags(
    connection: Connection, backbone_id: int, two: list[Connection]
) -> None:
    """One ingest is about to wait for a hashtag of the other's, which goes on to an image of the first's."""
    store.batches.save(two[0], 1, backbone_id, [image(1), image(2)], [])
    update = image(1, "x", embedded=False, collection="cats")
    with two[1].transaction():
        two[1].execute("INSERT INTO tagdb_store.hashtags (hashtag) VALUES ('x')")
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(store.batches.save, two[0], 1, backbone_id, [update], [])
            while not rows(connection, "SELECT FROM pg_locks WHERE NOT granted"):
                assert not waiting.done()
            two[1].execute("SET LOCAL lock_timeout = '5s'")
            two[1].execute(
                "INSERT INTO tagdb_store.image_hashtags (image_id, hashtag_id)"
                " SELECT i.image_id, h.hashtag_id FROM tagdb_store.images i, tagdb_store.hashtags h"
            )
            two[1].execute("COMMIT")
            assert waiting.result(30) == Counts(updated=1)
    assert hashtags(connection) == {"file:///1.jpg": {"x"}, "file:///2.jpg": {"x"}}


def test_one_image_embedded_by_two_at_once(connection: Connection, two: list[Connection]) -> None:
    """Both find that a stored image lacks an embedding by a new backbone; one of them stores it."""
    first = store.backbones.add(connection, seed.identity(1))
    for turn in range(8):
        batch = [image(n) for n in range(3)]
        make_active(connection, first)
        store.batches.save(two[0], 1, first, batch, [])
        other = store.backbones.add(connection, seed.identity(10 + turn))
        make_active(connection, other)
        at_once(
            partial(store.batches.save, two[0], 1, other, batch, []),
            partial(store.batches.save, two[1], 2, other, batch[::-1], []),
        )
        embedded = "SELECT count(*) FROM tagdb_store.embeddings WHERE backbone_id = %s"
        assert rows(connection, embedded, other) == [(3,)]


def test_backbones_added_at_once(connection: Connection, two: list[Connection]) -> None:
    at_once(*(partial(store.backbones.add, one, seed.identity()) for one in two))
    assert rows(connection, "SELECT count(*) FROM tagdb.backbones") == [(1,)]


# --- factor runs ---------------------------------------------------------------------------------


def tables(connection: Connection) -> set[str]:
    """The tables that hold factors of runs."""
    named = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '_factors_\\d+$'"
    return {name for (name,) in rows(connection, named)}


def statuses(connection: Connection) -> list[str]:
    return [run.status for run in store.runs.list_all(connection)]


def model(world: seed.World, factors: int = 3, value: float = 1) -> Model:
    """A model in which every number is the same."""
    return Model(
        FactorSettings(factors=factors, min_hashtags=2),
        world.image_ids,
        np.full((len(world.image_ids), factors), value, np.float16),
        world.hashtag_ids.copy(),
        np.full((len(world.hashtag_ids), factors), value, np.float16),
        np.arange(len(world.hashtag_ids), dtype=np.int32) + 3,
        5,
        Maps(np.eye(factors, dtype=np.float32), Weighting("none", 20, 1.0, 1.0, 2.0), None),
    )


def test_a_building_run_is_invisible(connection: Connection) -> None:
    world = seed.world(connection)
    query = world.embeddings[0].astype(np.float32)
    before = store.answers.recommend(connection, query)
    run = seed.begin_run(connection, 3)
    assert statuses(connection) == ["active", "building"]
    seed.copy(
        connection,
        f"image_factors_{run}",
        np.full(20, run, np.int32),
        world.image_ids,
        model(world).image_factors,
    )
    assert store.answers.recommend(connection, query) == before
    assert rows(connection, "SELECT count(*) FROM tagdb_store.image_factors") == [(20,)]


def test_activation_is_atomic(connection: Connection, two: list[Connection]) -> None:
    """A reader sees the old run until all is in place, whatever has been written by then."""
    world = seed.world(connection)
    query = world.embeddings[0].astype(np.float32)
    before = store.answers.recommend(connection, query)
    run = seed.begin_run(connection, 3)
    two[1].execute("SET lock_timeout = '5s'")
    with two[0].transaction():
        store.runs.save(two[0], run, model(world), 1.5)
        assert statuses(two[0]) == ["active", "ready"]
        assert store.answers.recommend(two[0], query) == before
        store.runs.activate(two[0], run)
        assert store.answers.recommend(two[1], query) == before
        assert statuses(two[1]) == ["active", "building"]
    assert statuses(two[1]) == ["retired", "active"]
    assert [r.score for r in store.answers.recommend(two[1], query)] == pytest.approx([3.0] * 8)
    newest = store.runs.list_all(connection)[-1]
    counted = {name: getattr(newest, name) for name in ("images", "hashtags", "interactions", "seconds")}
    assert counted == {"images": 20, "hashtags": 8, "interactions": 5, "seconds": 1.5}
    assert (newest.settings.factors, newest.settings.min_hashtags) == (
        3,
        2,
    )  # as it was used, not as it was asked for
    noted = rows(
        connection,
        "SELECT images, folded_in FROM tagdb_store.hashtag_factors WHERE factor_run_id = %s ORDER BY 1",
        run,
    )
    assert noted == [(n, False) for n in range(3, 11)]


def test_readers_never_see_two_runs_mixed(connection: Connection, two: list[Connection]) -> None:
    """Every answer is one run's: all of its scores are the run's one number of factors, squared values."""
    world = seed.world(connection)
    values = (1.0, 2.0, 4.0)
    for value in values:
        run = seed.begin_run(connection, 1)
        store.runs.save(connection, run, model(world, 1, value), 0)
        store.runs.activate(connection, run)
    ids = [run.factor_run_id for run in store.runs.list_all(connection)][1:]
    query = world.embeddings[0].astype(np.float32)
    done = threading.Event()

    def switch() -> None:
        try:
            for turn in range(40):
                two[0].execute("SELECT tagdb_store.activate_factor_run(%s)", (ids[turn % 3],))
        finally:
            done.set()

    def read() -> None:
        while not done.is_set():
            scores = {r.score for r in store.answers.recommend(two[1], query)}
            assert len(scores) == 1, scores
            assert scores <= {value**2 for value in values}

    at_once(switch, read)


def test_a_run_that_fails(connection: Connection) -> None:
    world = seed.world(connection)
    before = tables(connection)
    run = seed.begin_run(connection, 3)
    assert tables(connection) == before | {f"image_factors_{run}", f"hashtag_factors_{run}"}
    store.runs.discard(connection, run)
    assert statuses(connection) == ["active", "failed"]
    assert tables(connection) == before
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="failed"):
        connection.execute("SELECT tagdb_store.activate_factor_run(%s)", (run,))
    store.runs.discard(connection, world.factor_run_id)  # not while it is in use
    assert statuses(connection) == ["active", "failed"]
    assert tables(connection) == before


def test_a_run_that_cannot_be_saved_or_activated_leaves_the_old_one(connection: Connection) -> None:
    world = seed.world(connection)
    query = world.embeddings[0].astype(np.float32)
    before = store.answers.recommend(connection, query)
    run = seed.begin_run(connection, 3)
    twice = model(world)
    twice.hashtag_ids[:] = world.hashtag_ids[0]
    store.runs.save(connection, run, twice, 0)
    with pytest.raises(psycopg.errors.UniqueViolation):
        store.runs.activate(connection, run)
    assert statuses(connection) == ["active", "ready"]
    store.runs.discard(connection, run)
    run = seed.begin_run(connection, 3)
    broken = model(world)
    broken.hashtag_factors[-1] = np.nan
    with pytest.raises(psycopg.errors.DataException):
        store.runs.save(connection, run, broken, 0)
    assert statuses(connection) == ["active", "failed", "building"]
    assert rows(connection, f"SELECT count(*) FROM tagdb_store.image_factors_{run}") == [(0,)]
    store.runs.discard(connection, run)
    assert store.answers.recommend(connection, query) == before
    assert rows(connection, "SELECT factor_run_id FROM tagdb_store.factor_maps") == [(1,)]


def test_interactions_are_the_stored_links(connection: Connection, save: Callable[..., Counts]) -> None:
    save(image(1, "a", "b"), image(2, "b"))
    found = store.runs.interactions(connection)
    pairs = rows(connection, "SELECT image_id, hashtag_id FROM tagdb.image_hashtags")
    assert sorted(zip(found.image_ids.tolist(), found.hashtag_ids.tolist(), strict=True)) == sorted(pairs)
    assert found.accepted.tolist() == [0] * 3
    assert found.image_ids.dtype == np.int64
    assert found.hashtag_ids.dtype == found.accepted.dtype == np.int32


def test_interactions_of_nothing(connection: Connection) -> None:
    found = store.runs.interactions(connection)
    assert [len(column) for column in (found.image_ids, found.hashtag_ids, found.accepted)] == [0, 0, 0]
    assert store.runs.embeddings(connection).vectors.shape == (0, seed.DIMENSIONS)


def test_readiness_says_what_is_there(connection: Connection) -> None:
    assert store.answers.readiness(connection) == store.answers.Readiness(
        images=False, hashtags=False, factors=False
    )
    seed.world(connection)
    assert store.answers.readiness(connection) == store.answers.Readiness(
        images=True, hashtags=True, factors=True
    )


# --- the vector index ----------------------------------------------------------------------------


def vector_indexes(connection: Connection) -> list[tuple[str, bool]]:
    return rows(
        connection,
        "SELECT indexrelid::regclass::text, indisvalid FROM pg_index JOIN pg_class c ON c.oid = indexrelid"
        " JOIN pg_am a ON a.oid = c.relam WHERE amname = 'hnsw'",
    )


def test_few_embeddings_get_no_vector_index(connection: Connection) -> None:
    world = seed.world(connection)
    assert not store.index.ensure(connection, world.backbone_id)
    assert vector_indexes(connection) == []


def test_the_planner_looks_again_where_much_came_in(connection: Connection) -> None:
    """Not after every photo: of a million images that takes seconds."""
    backbone_id = store.backbones.add(connection, seed.identity())
    ids, vectors = seed.add_images(connection, 200), seed.features(200)

    def known_after(chosen: slice) -> int:
        seed.add_embeddings(connection, backbone_id, ids[chosen], vectors[chosen])
        store.index.ensure(connection, backbone_id)
        name = f"tagdb_store.embeddings_{backbone_id}"
        return int(rows(connection, "SELECT reltuples FROM pg_class WHERE oid = %s::regclass", name)[0][0])

    assert known_after(slice(0, 100)) == 100
    assert known_after(slice(100, 101)) == 100
    assert known_after(slice(101, 200)) == 200


def test_many_embeddings_get_a_vector_index(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    world = seed.world(connection)
    monkeypatch.setattr(index, "INDEX_FROM", 20)
    assert store.index.ensure(connection, world.backbone_id)
    assert vector_indexes(connection) == [("tagdb_store.search_vectors_1_hnsw", True)]
    assert not store.index.ensure(connection, world.backbone_id)


def test_the_vector_index_is_built_anew_as_the_collection_grows(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its axes are learned again from four times as many, until they were from a whole sample."""
    monkeypatch.setattr(index, "INDEX_FROM", 20)
    monkeypatch.setattr(projecting, "SAMPLE", 300)
    backbone_id = store.backbones.add(connection, seed.identity())
    ids, vectors = seed.add_images(connection, 1300), seed.features(1300)
    stored = 0

    def grown_to(count: int) -> tuple[bool, int | None, int | None]:
        nonlocal stored
        chosen = slice(stored, count)
        seed.add_embeddings(connection, backbone_id, ids[chosen], vectors[chosen])
        store.index.add_search_vectors(connection, backbone_id, ids[chosen], vectors[chosen])
        stored = count
        connection.execute("ANALYZE")
        built = store.index.ensure(connection, backbone_id)
        connection.execute("ANALYZE")
        status = store.index.status(connection, backbone_id)
        assert status is not None
        assert status.search_vectors == (stored if status.projection_id else 0)
        return built, status.projection_id, status.learned_from

    assert grown_to(19) == (False, None, None)
    assert grown_to(25) == (True, 1, 25)
    assert grown_to(99) == (False, 1, 25)
    assert grown_to(100) == (True, 2, 100)
    built, projection_id, learned_from = grown_to(400)
    assert (built, projection_id) == (True, 3)
    assert learned_from is not None
    assert 270 <= learned_from <= 300
    assert grown_to(1300) == (False, 3, learned_from)
    assert vector_indexes(connection) == [("tagdb_store.search_vectors_3_hnsw", True)]


def test_seeds_are_what_they_say() -> None:
    """The helpers' own promises, which the other tests rely on."""
    vectors = seed.features(5)
    assert (vectors >= 0).all()
    np.testing.assert_allclose(np.linalg.norm(vectors.astype(float), axis=1), 1, atol=1e-3)
    assert image(1).content_sha256 == hashlib.sha256(b"photo 1").digest()
