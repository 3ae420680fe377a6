"""Hashtags are shown as most images write them; folding decides which are the same."""

from collections.abc import Sequence

import pytest

from tagdb import factors, records, store
from tagdb.learning.settings import FactorSettings
from tagdb.photos.sources import Record
from tagdb.postgres.database import Connection
from tests.support import seed
from tests.support.postgres import rows

PLAN = FactorSettings(factors=4, min_images=1, min_hashtags=1, neighbours=5)


def stored(connection: Connection, *written: Sequence[str]) -> None:
    """One image for each list of hashtags, as written in a source."""
    backbone_id = store.backbones.add(connection, seed.identity())
    run = store.ingest_runs.begin(connection, ["test"])
    start = rows(connection, "SELECT count(*) FROM tagdb_store.images")[0][0]
    images = []
    for n, hashtags in enumerate(written, start):
        image = seed.image(n)
        record = Record(None, "", tuple(hashtags), None, None, None, {}, "test", None)
        read, _ = records.image_of(records.Said(record), b"")
        image.hashtags, image.spellings = read.hashtags, read.spellings
        images.append(image)
    store.batches.save(connection, run, backbone_id, images, [])
    store.statistics.refresh(connection)


def shown(connection: Connection) -> dict[str, str]:
    return dict(rows(connection, "SELECT hashtag, spelling FROM tagdb.hashtags"))


def test_a_new_hashtag_is_shown_as_it_is_written(connection: Connection) -> None:
    stored(connection, ["#NewYork", "น้ำตก", "ελλάς", "straße", "ㅋㅋㅋ", "sea"])
    assert set(shown(connection).values()) == {"NewYork", "น้ำตก", "ελλάς", "straße", "ㅋㅋㅋ", "sea"}
    assert shown(connection)["strasse"] == "straße"


def test_most_images_decide(connection: Connection) -> None:
    stored(connection, ["NewYork"], ["newyork"])
    assert shown(connection) == {"newyork": "newyork"}  # as many of each
    stored(connection, ["NewYork"], ["NEWYORK"])
    assert shown(connection) == {"newyork": "NewYork"}
    stored(connection, ["newyork"], ["newyork"], ["newyork"])
    assert shown(connection) == {"newyork": "newyork"}


def test_feedback_has_no_say(connection: Connection) -> None:
    """It is given on what was shown, however it is spelt."""
    stored(connection, ["Sea"], ["sun"], ["sun"])
    for image_id in (2, 3):
        connection.execute("SELECT tagdb.give_feedback(%s, '{sea}')", (image_id,))
    store.statistics.refresh(connection)
    assert shown(connection)["sea"] == "Sea"


def test_functions_return_what_is_shown_and_take_any_spelling(connection: Connection) -> None:
    stored(connection, *[["NewYork", "Straße", "sea"]] * 6)
    factors.compute(connection, PLAN, quiet=True)
    found = {row[1] for row in rows(connection, "SELECT * FROM tagdb.recommend_for_image(1)")}
    assert found == {"NewYork", "Straße", "sea"}
    for known in ("newyork", "NewYork", "#NEWYORK"):
        query = "SELECT * FROM tagdb.recommend_for_image(1, known => ARRAY[%s])"
        assert {row[1] for row in rows(connection, query, known)} == {"Straße", "sea"}
    assert rows(connection, "SELECT hashtag FROM tagdb.related_hashtags('strasse')") != []
    assert rows(connection, "SELECT hashtag FROM tagdb.complete_hashtags('NEW')") == [("NewYork",)]
    assert rows(connection, "SELECT hashtag FROM tagdb.complete_hashtags('STRA')") == [("Straße",)]


@pytest.mark.parametrize("length", [76, 150])
def test_a_long_spelling(connection: Connection, length: int) -> None:
    stored(connection, ["ß" * 70, "A" * length])
    assert {len(spelling) for spelling in shown(connection).values()} == {70, length}
