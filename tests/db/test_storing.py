"""Photos that come one by one are stored as an ingest stores them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tagdb import ingest, store, storing
from tagdb.embedding.backbone import Backbone, Identity
from tagdb.embedding.worker import embedded
from tagdb.errors import BackboneMismatch, RejectedInput
from tagdb.photos.sources import open_source
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.storing import StoredPhoto, store_photo
from tests.support import seed
from tests.support.described import keywords, with_xmp
from tests.support.pictures import photo
from tests.support.postgres import rows

Put = Callable[..., StoredPhoto]


@pytest.fixture
def put(connection: Connection, random_backbone: Backbone) -> Put:
    """A function that stores a photo's bytes."""

    def put(content: bytes, hashtags: object = (), **said: object) -> StoredPhoto:
        done = embedded(content, random_backbone, 96)
        return store_photo(connection, random_backbone, content, done, hashtags, **said)  # type: ignore[arg-type]

    return put


def stored(connection: Connection) -> list[tuple[object, ...]]:
    """What is stored of all images that is the same wherever they came from."""
    return rows(
        connection,
        "SELECT i.content_sha256, i.media_type, i.width, i.height, i.bytes, i.collection, i.taken_at,"
        "  i.metadata, e.embedding::text, f.original, f.thumbnail,"
        "  (SELECT array_agg((h.hashtag, ih.source, ih.spelling)::text ORDER BY h.hashtag)"
        "   FROM tagdb_store.image_hashtags ih JOIN tagdb_store.hashtags h USING (hashtag_id)"
        "   WHERE ih.image_id = i.image_id)"
        " FROM tagdb_store.images i JOIN tagdb_store.embeddings e USING (image_id)"
        " JOIN tagdb_store.image_files f USING (image_id) ORDER BY 1",
    )


def carried(connection: Connection) -> list[str]:
    """The hashtags of all images."""
    found = rows(connection, "SELECT DISTINCT hashtag FROM tagdb.image_hashtags ORDER BY 1")
    return [hashtag for (hashtag,) in found]


def test_it_stores_what_an_ingest_stores(
    connection: Connection,
    make_database: Callable[[bool], str],
    put: Put,
    random_backbone: Backbone,
    tmp_path: Path,
) -> None:
    content = with_xmp(keywords("Lago Maggiore", "sun"))
    (tmp_path / "a.jpg").write_bytes(content)
    list_ = tmp_path / "list.csv"
    list_.write_text("file_name,hashtags,collection,taken_at\na.jpg,#Sea #sand,travel,2024-05-06T07:08:09Z\n")
    with database.connect(make_database(True)) as other:
        ingest.run(other, random_backbone, [open_source(str(list_))], ingest.Options(quiet=True))
        expected = stored(other)
    taken_at = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    put(content, ["#Sea", "sand"], name="a.jpg", collection="travel", taken_at=taken_at)
    assert stored(connection) == expected
    assert len(expected) == 1


def test_the_same_photo_twice_is_one_image_with_the_hashtags_of_both(
    connection: Connection, put: Put
) -> None:
    first = put(photo(1), "#sea", name="one.jpg")
    second = put(photo(1), "#Sea #sun", name="two.jpg", collection="later")
    assert first == StoredPhoto(first.image_id, True)
    assert second == StoredPhoto(first.image_id, False)
    assert carried(connection) == ["sea", "sun"]
    assert rows(connection, "SELECT collection, uri FROM tagdb.images") == [
        ("later", f"upload:{embedded(photo(1), None, 96).photo.sha256.hex()}/one.jpg")
    ]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"hashtags": ["sea", "no-pe"]}, "cannot be part of a hashtag"),
        ({"hashtags": "sea \0"}, "cannot be part of a hashtag"),
        ({"hashtags": [f"tag{n}" for n in range(1001)]}, "at most 1000"),
        ({"collection": "x" * 501}, "more than 500 characters"),
        ({"collection": "a\0b"}, "NUL"),
        ({"source_ref": "a\0b"}, "NUL"),
        ({"taken_at": datetime(3024, 1, 1, tzinfo=UTC)}, "can be no photo's time"),
    ],
)
def test_what_is_not_valid_is_refused_and_nothing_stored(
    connection: Connection, put: Put, said: dict[str, object], reason: str
) -> None:
    with pytest.raises(RejectedInput, match=reason):
        put(photo(1), **said)
    for table in "images", "hashtags", "ingest_runs", "backbones":
        assert rows(connection, f"SELECT count(*) FROM tagdb_store.{table}") == [(0,)]


def test_a_name_is_kept_within_limits(connection: Connection, put: Put) -> None:
    put(photo(1), name="a\0b\x1b[31m/../" + "c" * 1000)
    ((uri,),) = rows(connection, "SELECT uri FROM tagdb.images")
    assert uri.isprintable()
    assert len(uri) < 300
    assert uri.endswith("…")


def test_a_keyword_that_cannot_be_used_costs_itself(connection: Connection, put: Put) -> None:
    done = put(with_xmp(keywords("sun", "!!!")))
    assert "nothing in it can be part of a hashtag" in done.refused[0]
    assert carried(connection) == ["sun"]
    assert rows(connection, "SELECT rejected FROM tagdb.ingest_runs") == [(1,)]


def test_a_day_is_one_ingest_run(connection: Connection, put: Put) -> None:
    for number in 1, 2, 2:
        put(photo(number))
    said = (
        "SELECT sources, images_new, images_known, finished_at IS NOT NULL FROM tagdb.ingest_runs ORDER BY 1"
    )
    assert rows(connection, said) == [(["upload:"], 2, 1, True)]
    connection.execute("UPDATE tagdb_store.ingest_runs SET started_at = started_at - interval '1 day'")
    put(photo(3))
    assert rows(connection, "SELECT images_new FROM tagdb.ingest_runs ORDER BY started_at") == [(2,), (1,)]


def test_the_database_keeps_its_backbone(connection: Connection, put: Put, random_backbone: Backbone) -> None:
    put(photo(1))
    assert rows(connection, "SELECT name FROM tagdb_store.backbones") == [("random",)]
    other = Backbone(Identity("other", 96, b"1" * 32), random_backbone.content)
    with pytest.raises(BackboneMismatch):
        store_photo(connection, other, photo(2), embedded(photo(2), other, 96))
    assert rows(connection, "SELECT count(*) FROM tagdb.images") == [(1,)]


def test_many_at_once(database_url: str, connection: Connection, random_backbone: Backbone) -> None:
    photos = [(number, embedded(photo(number), random_backbone, 96)) for number in range(4)]

    def session(seed: int) -> None:
        with database.connect(database_url) as own:
            for each in range(12):
                number, done = photos[(each * seed) % 4]
                store_photo(own, random_backbone, photo(number), done, [f"tag{seed}", f"tag{each}"])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(session, (1, 3, 5, 7)))
    assert rows(
        connection, "SELECT images_new, images_new + images_known + images_updated FROM tagdb.ingest_runs"
    ) == [(4, 48)]


def test_a_photo_is_a_neighbour_at_once(connection: Connection, random_backbone: Backbone) -> None:
    seed.world(connection)
    connection.execute("UPDATE tagdb_store.factor_runs SET min_hashtags = 1")
    identity = store.backbones.active(connection).identity  # type: ignore[union-attr]
    backbone = Backbone(identity, random_backbone.content)
    for number in range(3):  # the second finds what the first has read
        done = embedded(photo(number), backbone, 96)
        stored = store_photo(connection, backbone, photo(number), done, ["tag1", "tag2", "brandnew"])
        found = store.answers.similar(connection, done.required(), 1)
        assert [each.image_id for each in found] == [stored.image_id]
        folded_in = "SELECT folded_in FROM tagdb_store.image_factors WHERE image_id = %s"
        assert rows(connection, folded_in, stored.image_id) == [(True,)]


def test_statistics_follow_now_and_then(connection: Connection, put: Put) -> None:
    counted = "SELECT hashtag, images FROM tagdb.hashtag_stats"
    put(photo(1), "sea")
    assert storing.settle(connection)
    assert rows(connection, counted) == [("sea", 1)]
    put(photo(2), "sea")
    connection.execute("UPDATE tagdb_store.statistics SET seconds = 100")
    assert not storing.settle(connection)  # too soon
    assert rows(connection, counted) == [("sea", 1)]
    assert storing.settle(connection, patience=0)
    assert rows(connection, counted) == [("sea", 2)]
    assert not storing.settle(connection, patience=0)  # nothing is due
