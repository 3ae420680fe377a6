"""Corrections by SQL: ``tagdb.remove_image``, ``remove_images``, ``tag_image`` and ``untag_image``."""

from __future__ import annotations

import pytest
from psycopg import errors

from tagdb import store
from tagdb.hashtags import spelled
from tagdb.postgres.database import Connection
from tests.support import seed
from tests.support.postgres import rows

REFERRING = """
    SELECT DISTINCT conrelid::regclass::text FROM pg_constraint
    WHERE contype = 'f' AND confrelid = 'tagdb_store.images'::regclass AND conparentid = 0
    UNION SELECT 'tagdb_store.image_factors'
    UNION SELECT 'tagdb_store.images'
"""
"""Every table that holds something of an image."""


def left(connection: Connection, image_id: int) -> dict[str, int]:
    """The number of rows that each table has of an image."""
    return {
        table: rows(connection, f"SELECT count(*) FROM {table} WHERE image_id = {image_id}")[0][0]
        for (table,) in rows(connection, REFERRING)
    }


def tags(connection: Connection, image_id: int) -> dict[str, tuple[str, str | None]]:
    """The hashtags of an image, with where they come from and how they are spelt."""
    asked = (
        "SELECT h.hashtag, ih.source, ih.spelling FROM tagdb_store.image_hashtags ih"
        " JOIN tagdb_store.hashtags h USING (hashtag_id) WHERE ih.image_id = %s ORDER BY 1"
    )
    return {row[0]: row[1:] for row in rows(connection, asked, image_id)}


def test_nothing_is_left_of_a_removed_image(populated: Connection) -> None:
    (image_id,) = rows(populated, "SELECT image_id FROM tagdb.images WHERE collection = 'cats' LIMIT 1")[0]
    (source,) = store.sources.ids(populated, ["file:///list.csv"]).values()
    populated.execute(
        "INSERT INTO tagdb_store.image_sources VALUES (%s, %s, 1, '{1}', '{}')", (image_id, source)
    )
    populated.execute("SELECT tagdb.give_feedback(%s, '{tag1}')", (image_id,))
    run = rows(populated, "SELECT tagdb_store.active_run()")[0][0]
    populated.execute(
        "INSERT INTO tagdb_store.image_factors SELECT %s, %s, '[1,2,3,4]'"
        " WHERE NOT EXISTS (SELECT FROM tagdb_store.image_factors WHERE image_id = %s)",
        (run, image_id, image_id),
    )
    before = left(populated, image_id)
    assert min(before.values()) >= 1, before
    others = "SELECT image_id, factors::text FROM tagdb_store.image_factors WHERE image_id <> %s ORDER BY 1"
    factors = rows(populated, others, image_id)
    assert rows(populated, "SELECT tagdb.remove_image(%s)", image_id) == [(True,)]
    assert set(left(populated, image_id).values()) == {0}
    assert rows(populated, others, image_id) == factors
    assert rows(populated, "SELECT tagdb.remove_image(%s)", image_id) == [(False,)]
    assert rows(populated, "SELECT tagdb.remove_image(NULL)") == [(False,)]


def test_many_are_removed_at_once(populated: Connection) -> None:
    assert rows(populated, "SELECT tagdb.remove_images('{1,2,2,NULL,999}')") == [(2,)]
    assert rows(populated, "SELECT tagdb.remove_images('{}')") == [(0,)]
    assert rows(populated, "SELECT tagdb.remove_images(NULL)") == [(0,)]
    assert rows(populated, "SELECT count(*) FROM tagdb.images WHERE image_id IN (1, 2)") == [(0,)]


def test_removing_looks_up_what_refers_to_an_image(connection: Connection) -> None:
    """Every column that refers to images leads an index, or else the cascade scans a table for each image."""
    asked = """
        SELECT c.conrelid::regclass::text FROM pg_constraint c
        JOIN pg_class t ON t.oid = c.conrelid AND t.relkind IN ('r', 'p')
        WHERE c.contype = 'f' AND c.confrelid = 'tagdb_store.images'::regclass
          AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.conrelid AND x.indkey[0] = c.conkey[1])
    """
    world = seed.world(connection)
    seed.add_index(connection, world.backbone_id)
    assert rows(connection, asked) == []


def test_hashtags_are_given_and_taken(connection: Connection) -> None:
    world = seed.world(connection)
    image = int(world.image_ids[0])
    given = "SELECT t FROM tagdb.tag_image(%s, %s) t"
    assert rows(connection, given, image, ["#Sea", "SEA", "tag0", None, "Straße"]) == [("sea",), ("strasse",)]
    assert tags(connection, image) == {
        "sea": ("tag", "Sea"), "strasse": ("tag", "Straße"), "tag0": ("tag", None),
    }  # fmt: skip
    assert rows(connection, given, image, ["sea"]) == []
    taken = "SELECT t FROM tagdb.untag_image(%s, %s) t"
    assert rows(connection, taken, image, ["#SEA", "nothing", None]) == [("sea",)]
    assert rows(connection, taken, image, []) == []
    assert set(tags(connection, image)) == {"strasse", "tag0"}


def test_taking_a_hashtag_takes_its_aliases(connection: Connection) -> None:
    world = seed.world(connection)
    image = int(world.image_ids[0])
    connection.execute("SELECT tagdb.tag_image(%s, '{nyc,newyork}')", (image,))
    store.tags.edit(connection, "alias", ["nyc"], "newyork")
    assert rows(connection, "SELECT * FROM tagdb.untag_image(%s, '{newyork}')", image) == [
        ("newyork",),
        ("nyc",),
    ]


@pytest.mark.parametrize("function", ["tag_image", "untag_image"])
def test_what_cannot_be(connection: Connection, function: str) -> None:
    world = seed.world(connection)
    for image, hashtags, said in (
        (999, ["a"], "there is no image 999"),
        (None, ["a"], "there is no image NULL"),
        (int(world.image_ids[0]), ["a b"], "not a hashtag"),
        (int(world.image_ids[0]), ["a"] * 10001, "10001 hashtags are given; at most 10000"),
    ):
        with pytest.raises(errors.InvalidParameterValue, match=said):
            connection.execute(f"SELECT tagdb.{function}(%s, %s)", (image, hashtags))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["#Sea", " ＃Sea ", "Stra\u00dfe", "e\u0301", "a\u00adb", "\u200bx", "\u2764\ufe0f", "# #x", "ǅ" * 80,
     "x" + "\ufe0f" * 160,
     "\U0001f3f4\U000e0067\U000e0062\U000e007f", "a\U000e0067b", "İ",
     "\u200dsea\u200c", "sea\u200dsun", "👩\u200d", "a\U000e0001", "می\u200cخ", "\u00a0Sea\u3000"],
)  # fmt: skip
def test_sql_spells_as_python_does(connection: Connection, text: str) -> None:
    assert rows(connection, "SELECT tagdb_store.spelled_hashtag(%s)", text) == [(spelled(text),)]


def test_only_writers_correct(populated: Connection) -> None:
    calls = (
        "SELECT tagdb.remove_image(1)",
        "SELECT tagdb.remove_images('{2}')",
        "SELECT tagdb.tag_image(3, '{a}')",
        "SELECT tagdb.untag_image(3, '{a}')",
    )
    populated.execute("SET ROLE tagdb_reader")
    for call in calls:
        with pytest.raises(errors.InsufficientPrivilege):
            populated.execute(call)
    populated.execute("SET ROLE tagdb_writer")
    for call in calls:
        populated.execute(call)
    populated.execute("RESET ROLE")
    assert rows(populated, "SELECT count(*) FROM tagdb.images WHERE image_id IN (1, 2)") == [(0,)]
