"""What sources say of images, over several ingests; and corrections while others are at work."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pytest

from tagdb import corrections, folding_in, store
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.store import index
from tagdb.store.batches import Image
from tagdb.store.doctor import Orphans
from tagdb.store.ingest_runs import Counts
from tagdb.store.sources import Comparison
from tests.support import seed
from tests.support.postgres import rows
from tests.support.waiting import blocked

LIST, OTHER = "file:///list.csv", "file:///other.csv"


@pytest.fixture
def world(connection: Connection) -> seed.World:
    """A database to recommend from."""
    return seed.world(connection)


@pytest.fixture
def sources(connection: Connection) -> dict[str, int]:
    """The numbers of two sources."""
    return store.sources.ids(connection, [LIST, OTHER])


class Ingest:
    """Ingests of a source, each of some images in batches; the last keeps its comparison."""

    def __init__(self, connection: Connection, backbone_id: int, source_id: int) -> None:
        self.connection, self.backbone_id, self.source_id = connection, backbone_id, source_id
        self.comparison = Comparison()

    def __call__(self, *batches: list[Image], update: bool = False) -> Counts:
        run = store.ingest_runs.begin(self.connection, ["here"])
        self.comparison, counts = Comparison(update), Counts()
        seen: set[bytes] = set()
        for batch in batches:
            for image in batch:
                image.source_id, image.first = self.source_id, image.content_sha256 not in seen
                image.said = hash((image.uri, image.collection, str(image.metadata)))
                image.fields = [*image.metadata, *(["collection"] if image.collection else [])]
                seen.add(image.content_sha256)
            counts += store.batches.save(
                self.connection, run, self.backbone_id, batch, [], comparison=self.comparison
            )
        return counts

    def lost(self) -> list[int]:
        """The images that lose hashtags, and do if it was an update."""
        return store.sources.unsay(self.connection, self.comparison.unsaid, self.comparison.replace)


@pytest.fixture
def ingest(connection: Connection, world: seed.World, sources: dict[str, int]) -> Ingest:
    """Ingests of one source."""
    return Ingest(connection, world.backbone_id, sources[LIST])


@pytest.fixture
def ingest_other(connection: Connection, world: seed.World, sources: dict[str, int]) -> Ingest:
    """Ingests of another source."""
    return Ingest(connection, world.backbone_id, sources[OTHER])


def described(connection: Connection, number: int = 1) -> tuple[str, str | None, dict[str, object], set[str]]:
    """URI, collection, metadata and hashtags of the image of a number."""
    content = seed.image(number).content_sha256
    asked = (
        "SELECT i.uri, i.collection, i.metadata, array_agg(h.hashtag) FROM tagdb_store.images i"
        " LEFT JOIN tagdb_store.image_hashtags ih USING (image_id)"
        " LEFT JOIN tagdb_store.hashtags h USING (hashtag_id)"
        " WHERE i.content_sha256 = %s GROUP BY i.image_id"
    )
    uri, collection, metadata, hashtags = rows(connection, asked, content)[0]
    return uri, collection, metadata, {*hashtags} - {None}


def image(*hashtags: str, uri: str = "file:///a.jpg", **said: object) -> Image:
    return seed.image(1, *hashtags, uri=uri, **said)


# --- Updating -----------------------------------------------------------------------------------------


def test_what_a_source_says_now_replaces_what_it_said(connection: Connection, ingest: Ingest) -> None:
    ingest([image("a", "b", collection="cats", metadata={"x": 1, "y": 1})])
    now = {"uri": "file:///moved.jpg", "collection": "dogs", "metadata": {"x": 2}}
    assert ingest([image("b", "c", **now)]) == Counts(updated=1, differing=1)  # c is added
    assert len(ingest.lost()) == 1
    assert described(connection) == ("file:///a.jpg", "cats", {"x": 1, "y": 1}, {"a", "b", "c"})
    assert ingest([image("b", "c", **now)], update=True) == Counts(updated=1)
    assert len(ingest.lost()) == 1
    assert described(connection) == ("file:///moved.jpg", "dogs", {"x": 2}, {"b", "c"})
    assert ingest([image("b", "c", **now)], update=True) == Counts(known=1)
    assert ingest.lost() == []


def test_what_is_no_longer_said_is_emptied(connection: Connection, ingest: Ingest) -> None:
    ingest([image("a", collection="cats", metadata={"x": 1})])
    ingest([image()], update=True)
    assert ingest.lost()
    assert described(connection) == ("file:///a.jpg", None, {}, set())


def test_what_another_source_says_stays(connection: Connection, ingest: Ingest, ingest_other: Ingest) -> None:
    ingest([image("a", "b", collection="cats", metadata={"x": 1})])
    ingest_other([image("b", "c", metadata={"y": 1})])
    ingest([image(metadata={"z": 1})], update=True)
    assert ingest.lost()
    assert described(connection) == ("file:///a.jpg", None, {"y": 1, "z": 1}, {"b", "c"})
    ingest_other([image("c", metadata={"y": 1})], update=True)
    assert ingest_other.lost()
    assert described(connection)[3] == {"c"}


def test_two_sources_that_disagree_do_not_take_turns(ingest: Ingest, ingest_other: Ingest) -> None:
    mine, theirs = image(collection="cats"), image(collection="dogs", uri="file:///b.jpg")
    ingest([mine])
    assert ingest_other([theirs]) == Counts(known=1, differing=1)
    assert ingest_other([theirs], update=True) == Counts(updated=1)
    assert ingest([mine], update=True) == Counts(known=1)
    assert ingest_other([theirs], update=True) == Counts(known=1)
    assert ingest([mine]) == Counts(known=1)


def test_a_copy_elsewhere_does_not_differ(
    connection: Connection, ingest: Ingest, ingest_other: Ingest
) -> None:
    """But an update moves the image there."""
    ingest([image("a")])
    assert ingest_other([image(uri="file:///copy.jpg")]) == Counts(known=1)
    assert ingest_other([image(uri="file:///copy.jpg")]) == Counts(known=1)
    assert ingest_other([image(uri="file:///copy.jpg")], update=True) == Counts(updated=1)
    assert described(connection)[0] == "file:///copy.jpg"


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("update", [True, False])
def test_copies_in_one_source_say_what_they_say_together(
    connection: Connection, ingest: Ingest, together: bool, update: bool
) -> None:
    def copies() -> list[list[Image]]:
        first = image("a", collection="cats", metadata={"x": 1})
        second = image("b", collection="dogs", metadata={"y": 1}, uri="file:///copy.jpg")
        return [[first, second]] if together else [[first], [second]]

    ingest(*copies())
    expected = ("file:///a.jpg", "cats", {"x": 1, "y": 1}, {"a", "b"})
    assert described(connection) == expected
    assert ingest(*copies(), update=update) == Counts(known=2)
    assert ingest.lost() == []
    assert described(connection) == expected


def test_given_and_accepted_hashtags_stay(connection: Connection, ingest: Ingest) -> None:
    ingest([image("a", "b", "c")])
    (number,) = rows(connection, "SELECT image_id FROM tagdb.images WHERE uri = 'file:///a.jpg'")[0]
    connection.execute("SELECT tagdb.tag_image(%s, '{a}')", (number,))
    connection.execute("SELECT tagdb.give_feedback(%s, '{b}')", (number,))
    ingest([image()], update=True)
    assert ingest.lost() == [number]
    asked = "SELECT hashtag, source FROM tagdb.image_hashtags WHERE image_id = %s ORDER BY 1"
    assert rows(connection, asked, number) == [("a", "tag"), ("b", "feedback")]


def test_an_untagged_hashtag_comes_back_with_its_source(connection: Connection, ingest: Ingest) -> None:
    ingest([image("a")])
    (number,) = rows(connection, "SELECT image_id FROM tagdb.images WHERE uri = 'file:///a.jpg'")[0]
    connection.execute("SELECT tagdb.untag_image(%s, '{a}')", (number,))
    assert ingest([image("a")]) == Counts(updated=1)
    assert described(connection)[3] == {"a"}


def test_comparing_changes_nothing(connection: Connection, ingest: Ingest, world: seed.World) -> None:
    ingest([image("a", collection="cats")])
    now = image("b", collection="dogs", source_id=ingest.source_id, said=1)
    comparison = Comparison(replace=True)
    assert store.batches.compare(connection, [now], comparison) == Counts(updated=1)
    assert store.sources.unsay(connection, comparison.unsaid, False)
    assert described(connection) == ("file:///a.jpg", "cats", {}, {"a"})
    assert rows(connection, "SELECT count(*) FROM tagdb_store.hashtags WHERE hashtag = 'b'") == [(0,)]


# --- While others are at work -------------------------------------------------------------------------


@pytest.fixture
def other(database_url: str) -> Iterator[Connection]:
    """Another connection, that learns of a deadlock soon."""
    with database.connect(database_url) as opened:
        opened.execute("SET deadlock_timeout = '100ms'")
        yield opened


def orphans(connection: Connection) -> list[Orphans]:
    """What the doctor says of rows that have lost their image."""
    return store.doctor.orphans(connection)


def test_removing_waits_for_a_batch_of_the_image(
    connection: Connection, other: Connection, ingest: Ingest
) -> None:
    ingest([image("a")])
    (number,) = rows(connection, "SELECT image_id FROM tagdb.images WHERE uri = 'file:///a.jpg'")[0]
    connection.execute("BEGIN")
    ingest([image("b", embedded=False)])
    with blocked(connection, other, lambda: corrections.remove(other, [number])) as waiting:
        connection.execute("SELECT tagdb.tag_image(%s, '{c}')", (number,))  # the batch does not wait
        connection.execute("COMMIT")
        assert waiting.result(20).images == 1  # type: ignore[attr-defined]
    assert orphans(connection) == []


def test_a_batch_waits_for_the_removal_of_its_image(
    connection: Connection, other: Connection, ingest: Ingest, world: seed.World
) -> None:
    ingest([image("a"), seed.image(2, "a")])
    (number,) = rows(connection, "SELECT image_id FROM tagdb.images WHERE uri = 'file:///a.jpg'")[0]
    run = store.ingest_runs.begin(other, ["there"])
    batch = [image("b", embedded=False, source_id=ingest.source_id), seed.image(2, "b", embedded=False)]
    connection.execute("BEGIN")
    store.corrections.remove(connection, [number])
    save = lambda: store.batches.save(other, run, world.backbone_id, batch, [])  # noqa: E731
    with blocked(connection, other, save) as waiting:
        connection.execute("COMMIT")
        assert waiting.result(20) == Counts(known=1, updated=1)  # the removed one is not there any more
    assert orphans(connection) == []


def test_removing_waits_for_an_image_that_is_folded_in(
    connection: Connection, other: Connection, world: seed.World
) -> None:
    numbers = [int(each) for each in world.image_ids[:3]]
    basis = store.folding_in.basis(connection)
    assert basis is not None
    connection.execute("DELETE FROM tagdb_store.image_factors")
    connection.execute("BEGIN")
    folding_in.fold_in_images(connection, basis, numbers)
    with blocked(connection, other, lambda: corrections.remove(other, numbers)) as waiting:
        connection.execute("COMMIT")
        waiting.result(20)
    assert orphans(connection) == []


def test_factors_of_images_removed_while_they_were_computed(
    connection: Connection, other: Connection, world: seed.World
) -> None:
    """Also of one that is being removed while the run is activated."""
    first, second = (int(each) for each in world.image_ids[:2])
    run = seed.begin_run(connection, 4)
    factors = world.image_factors.astype(np.float16)
    seed.copy(
        connection, f"image_factors_{run}", np.full(len(factors), run, np.int32), world.image_ids, factors
    )
    connection.execute("UPDATE tagdb_store.factor_runs SET status = 'ready' WHERE factor_run_id = %s", (run,))
    store.corrections.remove(connection, [first])
    connection.execute("BEGIN")
    store.corrections.remove(connection, [second])
    activate = lambda: store.statements.execute(other, "runs/activate", factor_run_id=run)  # noqa: E731
    with blocked(connection, other, activate) as waiting:
        connection.execute("COMMIT")
        waiting.result(20)
    assert orphans(connection) == []
    left = rows(connection, "SELECT count(*) FROM tagdb_store.image_factors WHERE factor_run_id = %s", run)
    assert left == [(len(world.image_ids) - 2,)]


def test_an_image_removed_while_the_vector_index_is_built(
    connection: Connection, other: Connection, world: seed.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each of its steps: when search vectors are made, attached, added and activated."""
    victims = [int(each) for each in world.image_ids]
    copy, execute = index._copy, index.execute

    def copying(connection: Connection, table: str, *rest: Any) -> None:
        store.corrections.remove(other, [victims.pop(0)])
        copy(connection, table, *rest)

    def executing(connection: Connection, name: str, /, **parameters: Any) -> object:
        if name in ("index/build", "index/attach", "index/activate"):
            store.corrections.remove(other, [victims.pop(0)])
        if name == "index/attach":  # and some come in, of which one is removed before it is added
            run = store.ingest_runs.begin(other, ["there"])
            store.batches.save(other, run, world.backbone_id, [seed.image(n) for n in range(3)], [])
            victims.insert(0, rows(other, "SELECT max(image_id) FROM tagdb.images")[0][0])
        if name == "index/activate":  # some come in after all were added: they add themselves
            run = store.ingest_runs.begin(other, ["there"])
            store.batches.save(other, run, world.backbone_id, [seed.image(n) for n in range(10, 13)], [])
        return execute(connection, name, **parameters)

    monkeypatch.setattr(index, "_copy", copying)
    monkeypatch.setattr(index, "execute", executing)
    index.build(connection, world.backbone_id)
    assert orphans(connection) == []
    embedded, searched = (
        rows(connection, f"SELECT image_id FROM tagdb_store.{table} ORDER BY 1")
        for table in ("embeddings", "search_vectors")
    )
    assert embedded == searched


def test_attaching_search_vectors_waits_for_a_removal(
    connection: Connection, other: Connection, world: seed.World
) -> None:
    number, _ = index._new_projection(other, world.backbone_id, 20)
    vectors = np.ones((len(world.image_ids), 192), np.float16)
    index._copy(other, f"search_vectors_{number}", number, world.image_ids, vectors)
    index.execute(other, "index/build", projection_id=number)
    connection.execute("BEGIN")
    store.corrections.remove(connection, [int(world.image_ids[0])])
    attach = lambda: index.execute(other, "index/attach", projection_id=number)  # noqa: E731
    with blocked(connection, other, attach) as waiting:
        connection.execute("COMMIT")
        waiting.result(20)
    assert orphans(connection) == []


def test_corrections_at_once_reach_their_end(
    connection: Connection, database_url: str, ingest: Ingest, world: seed.World
) -> None:
    """Batches and removals of the same images, in any order: a deadlock is tried again."""
    numbers = range(100, 140)
    ingest([seed.image(n, "a") for n in numbers])

    def work(worker: int) -> None:
        rng = np.random.default_rng(worker)
        with database.connect(database_url) as mine:
            run = store.ingest_runs.begin(mine, ["there"])
            for turn in range(15):
                some = [int(n) for n in rng.permutation(numbers)[:20]]
                if worker % 2:
                    contents = [seed.image(n).content_sha256 for n in some]
                    asked = "SELECT image_id FROM tagdb.images WHERE content_sha256 = ANY (%s)"
                    hexed = [content.hex() for content in contents]
                    corrections.remove(mine, [number for (number,) in rows(mine, asked, hexed)])
                else:
                    batch = [seed.image(n, f"b{turn}", source_id=ingest.source_id) for n in some]
                    save = partial(
                        store.batches.save, mine, run, world.backbone_id, batch, [],
                        comparison=Comparison(replace=turn % 2 > 0),
                    )  # fmt: skip
                    corrections.again(mine, save)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert orphans(connection) == []
