"""Feedback: what was right for a photo, what was not, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tagdb import factors, store
from tagdb.learning.settings import FactorSettings
from tagdb.postgres.database import Connection
from tests.support import seed
from tests.support.postgres import become

GIVE = "SELECT * FROM tagdb.give_feedback(%s, %s, %s, %s)"


def give(
    connection: Connection,
    image_id: int = 1,
    accepted: list[str | None] | None = None,
    rejected: list[str | None] | None = None,
    run: int | None = None,
) -> tuple[int, int]:
    row = connection.execute(GIVE, (image_id, accepted or [], rejected or [], run)).fetchone()
    assert row is not None
    return row


def carried(connection: Connection, image_id: int = 1) -> dict[str, str]:
    """What an image carries, and where that is known from."""
    query = (
        "SELECT h.hashtag, ih.source FROM tagdb_store.image_hashtags ih"
        " JOIN tagdb_store.hashtags h USING (hashtag_id) WHERE ih.image_id = %s"
    )
    return dict(connection.execute(query, (image_id,)).fetchall())


def counting(connection: Connection, image_id: int = 1) -> dict[str, bool]:
    """What factors are computed of: an image's hashtags, and whether they were accepted."""
    query = (
        "SELECT h.hashtag, i.accepted FROM tagdb_store.interactions i"
        " JOIN tagdb_store.hashtags h USING (hashtag_id) WHERE i.image_id = %s"
    )
    return dict(connection.execute(query, (image_id,)).fetchall())


def recommended(connection: Connection, image_id: int = 1, top: int = 100) -> list[str]:
    query = "SELECT hashtag FROM tagdb.recommend_for_image(%s, %s)"
    return [row[0] for row in connection.execute(query, (image_id, top))]


def rejected(connection: Connection, image_id: int = 1) -> list[str]:
    row = connection.execute("SELECT content_sha256 FROM tagdb_store.images WHERE image_id = %s", (image_id,))
    found = row.fetchone()
    assert found is not None
    return store.feedback.rejected_hashtags(connection, bytes(found[0]))


def words(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) FROM tagdb_store.feedback").fetchone()
    assert row is not None
    return int(row[0])


def hashtags(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) FROM tagdb_store.hashtags").fetchone()
    assert row is not None
    return int(row[0])


# --- what comes of it ------------------------------------------------------------------------------


def test_accepted_hashtags_are_carried(connection: Connection) -> None:
    """Image 1 carries tag0 already; tag3 is known, the last one is new."""
    seed.world(connection)
    assert give(connection, 1, ["#Tag3", "tag0", "＃ＮＥＷ"]) == (3, 0)
    assert carried(connection) == {"tag0": "ingest", "tag3": "feedback", "new": "feedback"}
    assert counting(connection) == {"tag0": True, "tag3": True, "new": True}
    assert counting(connection, 2) == {"tag1": False}
    public = "SELECT hashtag, source FROM tagdb.image_hashtags WHERE image_id = 1"
    assert dict(connection.execute(public).fetchall()) == carried(connection)


def test_rejected_hashtags_are_not_recommended_for_that_image(connection: Connection) -> None:
    world = seed.world(connection)
    plain, other = recommended(connection), recommended(connection, 2)
    assert give(connection, 1, [], [plain[0], plain[3]]) == (0, 2)
    assert recommended(connection) == [name for name in plain if name not in (plain[0], plain[3])]
    assert recommended(connection, top=3) == [plain[1], plain[2], plain[4]]
    assert recommended(connection, 2) == other
    literal = seed.literal(world.embeddings[0])
    query = "SELECT hashtag FROM tagdb.recommend_for_embedding(%s, 100)"
    assert plain[0] in [row[0] for row in connection.execute(query, (literal,))]
    assert rejected(connection) == sorted([plain[0], plain[3]])
    assert rejected(connection, 2) == []
    assert store.feedback.rejected_hashtags(connection, b"0" * 32) == []


@pytest.mark.parametrize(
    "steered",
    ["known => '{tag5}'", "diversity => 0.5", "popularity_discount => 0.5", "min_score => -99", "top => 2"],
)
def test_rejected_hashtags_are_not_recommended_however_it_is_steered(
    connection: Connection, steered: str
) -> None:
    seed.world(connection)
    query = f"SELECT hashtag FROM tagdb.recommend_for_image(1, {steered})".encode()
    before = [row[0] for row in connection.execute(query)]
    give(connection, 1, [], before[:2])
    after = [row[0] for row in connection.execute(query)]
    assert after
    assert not {*before[:2]} & {*after}


def test_what_was_ingested_and_rejected_stays_but_does_not_count(connection: Connection) -> None:
    seed.world(connection)
    give(connection, 1, [], ["tag0"])
    assert carried(connection) == {"tag0": "ingest"}
    assert counting(connection) == {}


def test_the_newest_word_counts(connection: Connection) -> None:
    seed.world(connection)
    best = recommended(connection)[0]
    give(connection, 1, [], [best])
    give(connection, 1, [best], [])
    assert best in recommended(connection)
    assert rejected(connection) == []
    assert carried(connection)[best] == "feedback" if best != "tag0" else "ingest"
    assert counting(connection)[best]
    give(connection, 1, [], [best])
    assert best not in recommended(connection)
    assert rejected(connection) == [best]
    assert best not in counting(connection)
    assert words(connection) == 3


def test_taking_back_what_was_accepted(connection: Connection) -> None:
    """It is taken off where it was there for nothing else."""
    seed.world(connection)
    give(connection, 1, ["tag3", "tag0"])
    give(connection, 1, [], ["tag3", "tag0"])
    assert carried(connection) == {"tag0": "ingest"}
    assert counting(connection) == {}
    give(connection, 1, ["tag3"])
    assert carried(connection) == {"tag0": "ingest", "tag3": "feedback"}
    assert counting(connection) == {"tag3": True}


def test_saying_the_same_twice(connection: Connection) -> None:
    """It counts once, until something else was said in between."""
    seed.world(connection)
    for _ in range(2):
        assert give(connection, 1, ["tag3", "#TAG3", None], ["tag4", "Tag4", None]) == (1, 1)
    assert carried(connection) == {"tag0": "ingest", "tag3": "feedback"}
    assert words(connection) == 2
    give(connection, 1, [], ["tag3"])
    give(connection, 1, ["tag3"], [])
    assert words(connection) == 4


def test_a_word_on_one_image_is_none_on_another(connection: Connection) -> None:
    seed.world(connection)
    give(connection, 1, ["tag3"], ["tag4"])
    assert counting(connection, 4) == {"tag3": False}
    assert counting(connection, 5) == {"tag4": False}
    assert "tag4" in recommended(connection, 2)


def test_an_ingest_does_not_bring_back_what_was_rejected(connection: Connection) -> None:
    backbone_id = store.backbones.add(connection, seed.identity())
    ingest_run = store.ingest_runs.begin(connection, ["test"])
    for said in (("sea",), ("sea", "snow")):
        store.batches.save(connection, ingest_run, backbone_id, [seed.image(1, *said)], [])
        found = store.feedback.give(connection, seed.image(1).content_sha256, [], ["snow"])
        assert found is not None
        assert counting(connection, found.image_id) == {"sea": False}


def test_the_next_run_learns_from_it(connection: Connection) -> None:
    """An accepted hashtag has a greater confidence; a rejected one is as if it were not there."""
    seed.world(connection, images=24)
    plan = FactorSettings(
        factors=4, alpha=2.0, accepted_weight=10.0, ridge=0.0, refit_penalty=0.0, min_images=1, min_hashtags=1
    )
    give(connection, 1, ["tag0", "tag5"], ["tag7"])
    give(connection, 2, [], ["tag1"])
    done = factors.compute(connection, plan, quiet=True)
    assert (done.images, done.interactions) == (23, 24)

    def score(image_id: int, hashtag: str) -> float:
        row = connection.execute(
            "SELECT -(f.factors <#> g.factors)"
            " FROM tagdb_store.image_factors f, tagdb_store.hashtag_factors g"
            " JOIN tagdb_store.hashtags h USING (hashtag_id) WHERE h.hashtag = %s AND f.image_id = %s"
            " AND f.factor_run_id = %s AND g.factor_run_id = f.factor_run_id",
            (hashtag, image_id, done.factor_run_id),
        ).fetchone()
        assert row is not None
        return float(row[0])

    assert score(1, "tag0") > score(9, "tag0")


# --- aliases, bans ---------------------------------------------------------------------------------


def test_an_alias_is_what_it_counts_as(connection: Connection) -> None:
    seed.world(connection)
    store.tags.edit(connection, "alias", ["tag3"], "tag4")
    give(connection, 1, [], ["#TAG3"])
    assert "tag4" not in recommended(connection)
    assert rejected(connection) == ["tag4"]
    give(connection, 1, ["tag4"])
    assert rejected(connection) == []
    give(connection, 2, ["tag3"])
    assert counting(connection, 2) == {"tag1": False, "tag4": True}


def test_an_alias_made_later(connection: Connection) -> None:
    """The newest word on either is the word on both; undoing that brings each one's own back."""
    seed.world(connection)
    give(connection, 1, ["tag3"])
    give(connection, 1, [], ["tag4"])
    assert counting(connection) == {"tag0": False, "tag3": True}
    edit = store.tags.edit(connection, "alias", ["tag3"], "tag4")
    assert counting(connection) == {"tag0": False}
    assert "tag4" not in recommended(connection)
    store.tags.undo(connection, edit.edit_id)
    assert counting(connection) == {"tag0": False, "tag3": True}


def test_taking_back_another_spelling(connection: Connection) -> None:
    seed.world(connection)
    store.tags.edit(connection, "alias", ["tag3"], "tag4")
    for yes, no in (("tag4", "tag3"), ("tag3", "tag4")):
        give(connection, 1, [yes])
        give(connection, 1, [], [no])
        assert counting(connection) == {"tag0": False}
        assert carried(connection) == {"tag0": "ingest"}


def test_a_banned_hashtag_is_accepted_in_vain(connection: Connection) -> None:
    seed.world(connection)
    store.tags.edit(connection, "ban", ["tag3"])
    assert give(connection, 1, ["tag3"]) == (1, 0)
    assert counting(connection) == {"tag0": False}
    assert "tag3" not in recommended(connection)


# --- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ((1, ["fine", "not one!"], [], None), "^not a hashtag: "),
        ((1, ["fine"], [""], None), "hashtag"),
        ((1, ["fine"], ["#"], None), "hashtag"),
        ((1, ["tag3", "fine"], ["#TAG3"], None), "^#tag3 cannot be both accepted and rejected"),
        ((1, ["fine"], ["fine"], None), "^#fine cannot be both accepted and rejected"),
        ((1, ["tag5", "fine"], ["tag6"], None), "^#tag5 cannot be both accepted and rejected"),
        ((999, ["fine"], [], None), "^there is no image 999"),
        ((None, ["fine"], [], None), "^there is no image NULL"),
        ((1, ["fine"], [], 9), "^there is no factor run 9"),
        ((1, ["fine"] * 10_000, ["other"], None), "^10001 hashtags are given; at most 10000 are allowed"),
        ((1, None, ["fine"] * 10_001, None), "^10001 hashtags are given; at most 10000 are allowed"),
    ],
)
def test_what_cannot_be_is_refused_whole(
    connection: Connection, values: tuple[object, ...], complaint: str
) -> None:
    seed.world(connection)
    store.tags.edit(connection, "alias", ["tag5"], "tag6")
    known = hashtags(connection)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=complaint):
        connection.execute(GIVE, values)
    assert words(connection) == 0
    assert hashtags(connection) == known
    assert carried(connection) == {"tag0": "ingest"}


def test_saying_nothing_stores_nothing(connection: Connection) -> None:
    seed.world(connection)
    assert give(connection, 1) == (0, 0)
    assert connection.execute(GIVE, (1, None, None, None)).fetchone() == (0, 0)
    assert words(connection) == 0


def test_an_image_that_is_not_stored(connection: Connection) -> None:
    seed.world(connection)
    assert store.feedback.give(connection, b"0" * 32, ["tag1"], []) is None
    assert words(connection) == 0


# --- how recommendations were received -------------------------------------------------------------


def test_acceptance_by_run_and_week(connection: Connection) -> None:
    """Against counting by hand; a word that was taken back counts, too."""
    world = seed.world(connection)
    before = store.runs.begin(connection, FactorSettings(factors=2), {})
    give(connection, 1, ["tag1", "tag2", "tag3"], ["tag4"])
    give(connection, 2, [], ["tag5"])
    give(connection, 2, ["tag5"], [])
    give(connection, 3, ["tag1"], ["tag2"], before)
    connection.execute("UPDATE tagdb_store.factor_runs SET status = 'retired' WHERE status = 'active'")
    give(connection, 4, [], ["tag6"])
    today = datetime.now(UTC).date()
    monday = today - timedelta(days=today.weekday())
    found = store.feedback.acceptance(connection)
    assert found == [
        store.feedback.Acceptance(run, monday, images, yes, no, yes / (yes + no))
        for run, images, yes, no in ((world.factor_run_id, 2, 4, 2), (before, 1, 1, 1), (None, 1, 0, 1))
    ]  # fmt: skip


def test_weeks_begin_on_monday_in_utc(connection: Connection) -> None:
    seed.world(connection)
    give(connection, 1, ["tag1", "tag2", "tag3", "tag4"])
    moments = (
        "2026-01-04 23:59:59+00",  # a Sunday
        "2026-01-05 00:00:00+00",
        "2026-01-11 23:30:00+00",
        "2026-01-12 01:30:00+02",  # which is still Sunday in UTC
    )
    for n, moment in enumerate(moments, 1):
        connection.execute(
            "UPDATE tagdb_store.feedback SET given_at = %s WHERE feedback_id = %s", (moment, n)
        )
    connection.execute("SET timezone = 'Pacific/Auckland'")
    weeks = [(str(row.week), row.accepted) for row in store.feedback.acceptance(connection)]
    assert weeks == [("2025-12-29", 1), ("2026-01-05", 3)]


def test_feedback_outlives_its_run(connection: Connection) -> None:
    """Pruning drops factors, not what people said of them; a deleted image takes its own along."""
    world = seed.world(connection)
    give(connection, 1, ["tag1"], ["tag2"])
    give(connection, 2, ["tag3"])
    seed.add_run(connection, world.image_ids, world.image_factors, world.hashtag_ids, world.hashtag_factors)
    assert factors.prune(connection, 1, quiet=True).pruned == [world.factor_run_id]
    assert [row.factor_run_id for row in store.feedback.acceptance(connection)] == [world.factor_run_id]
    assert rejected(connection) == ["tag2"]
    connection.execute("DELETE FROM tagdb_store.images WHERE image_id = 1")
    assert [row.accepted for row in store.feedback.acceptance(connection)] == [1]


# --- who may ---------------------------------------------------------------------------------------


def test_writers_give_feedback_and_readers_do_not(role: Callable[..., str], connection: Connection) -> None:
    """A writer gives feedback; a reader sees how recommendations were received, and no more."""
    seed.world(connection)
    writer, reader = role("tagdb_writer"), role("tagdb_reader")
    become(connection, writer)
    assert give(connection, 1, ["fresh"], ["tag2"]) == (1, 1)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("UPDATE tagdb_store.feedback SET accepted = true")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM tagdb_store.feedback")
    become(connection, reader)
    for query in (
        "SELECT tagdb.give_feedback(1, '{tag1}')",
        "SELECT * FROM tagdb_store.feedback",
        "SELECT * FROM tagdb_store.verdicts",
        "SELECT * FROM tagdb_store.interactions",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(query.encode())
    assert [(row.accepted, row.rejected) for row in store.feedback.acceptance(connection)] == [(1, 1)]
    assert "tag2" not in recommended(connection)
    connection.execute("RESET ROLE")
    content = connection.execute(
        "SELECT content_sha256 FROM tagdb_store.images WHERE image_id = 1"
    ).fetchone()
    assert content is not None
    become(connection, reader)
    assert store.feedback.rejected_hashtags(connection, bytes(content[0])) == ["tag2"]
    connection.execute("RESET ROLE")
    row = connection.execute("SELECT DISTINCT given_by = session_user FROM tagdb_store.feedback").fetchone()
    assert row == (True,)
