"""A kill loses nothing and doubles nothing: ``kill -9`` at random moments, then the same command again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tagdb import store
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tests.support import seed
from tests.support.programs import SOAK, contents, drawn, finished, killed, started, stray, undisturbed

Here = Callable[[str], dict[str, str]]
Make = Callable[[bool], str]
Step = Callable[[str], None]

KILLS = 3 * SOAK
"""Of each command."""


def fold(path: str) -> int:
    """A seed that differs from test to test and is the same every time."""
    return sum(map(ord, path)) * 1000


def test_a_killed_ingest_goes_on_where_it_was(
    database_url: str,
    make_database: Make,
    connection: Connection,
    manifest: Path,
    chosen: tuple[object, ...],
    here: Here,
    step: Step,
) -> None:
    other = make_database(True)
    command = ("ingest", manifest, *chosen)
    step("undisturbed")
    seconds = undisturbed(*command, **here(other))
    step("killed again and again")
    hits = sum(killed(fold("ingest") + n, seconds / 2, *command, **here(database_url)) for n in range(KILLS))
    assert hits
    step("to the end")
    said = finished(started(*command, **here(database_url)))
    assert "0 rejected" in said
    with database.connect(other) as undisturbed_one:
        assert contents(connection) == contents(undisturbed_one)
        counts = "SELECT images, min_images FROM tagdb.statistics"
        assert connection.execute(counts).fetchall() == undisturbed_one.execute(counts).fetchall()
    assert stray(connection) == []
    stored = "SELECT sum(images_new), count(*) FILTER (WHERE finished_at IS NOT NULL) FROM tagdb.ingest_runs"
    new, ended = connection.execute(stored).fetchall()[0]
    assert new == 400
    assert ended >= 1
    step("once more")
    assert "nothing changed" in finished(started(*command, **here(database_url)))


def factors(connection: Connection) -> list[Any]:
    """The active run's factors, to the last bit, by image and hashtag."""
    return [
        connection.execute(query).fetchall()
        for query in (
            "SELECT f.image_id, f.factors::text FROM tagdb_store.image_factors f"
            " WHERE f.factor_run_id = tagdb_store.active_run() ORDER BY 1",
            "SELECT f.hashtag_id, f.images, f.factors::text FROM tagdb_store.hashtag_factors f"
            " WHERE f.factor_run_id = tagdb_store.active_run() ORDER BY 1",
        )
    ]


@pytest.fixture
def filled(database_url: str, connection: Connection) -> str:
    """A database with images, hashtags and embeddings, but without factors; its URL."""
    backbone_id = store.backbones.add(connection, seed.identity())
    run = store.ingest_runs.begin(connection, ["seed"])
    vectors = seed.clustered(600)
    for start in range(0, 600, 100):
        batch = [
            seed.image(n, *(f"tag{(n * 7 + m * m) % 60}" for m in range(6)))
            for n in range(start, start + 100)
        ]
        for n, image in enumerate(batch, start):
            image.embedding = vectors[n].astype("float32")
        store.batches.save(connection, run, backbone_id, batch, [])
    store.ingest_runs.finish(connection, run)
    return database_url


@pytest.mark.parametrize("sample", ["all", "0.2"])
def test_a_killed_computation_leaves_the_old_factors(
    sample: str, filled: str, connection: Connection, here: Here, step: Step
) -> None:
    command = ("factors", "compute", "--factors", 16, "--sample", sample)
    step("undisturbed")
    seconds = undisturbed(*command, **here(filled))
    expected = factors(connection)
    assert len(expected[0]) == 600
    hits = 0
    for n in range(KILLS):
        step(f"kill {n}")
        hits += killed(fold("factors") + n, seconds, *command, **here(filled))
        active = connection.execute(
            "SELECT count(*), min(status) FROM tagdb.factor_runs WHERE status = 'active'"
        ).fetchone()
        assert active == (1, "active")
        assert factors(connection) == expected  # the old one, or a new one that is complete
    assert hits
    step("to the end")
    finished(started(*command, **here(filled)))
    assert factors(connection) == expected
    assert stray(connection) == []
    unfinished = "SELECT count(*) FROM tagdb.factor_runs WHERE status = 'building'"
    assert connection.execute(unfinished).fetchone() == (0,)
    step("pruning")
    finished(started("factors", "prune", "--keep", 1, **here(filled)))
    left = "SELECT count(*) FROM pg_class WHERE relname ~ '^image_factors_[0-9]+$' AND relkind = 'r'"
    assert connection.execute(left).fetchone() == (1,)


def nearly(answers: list[tuple[object, ...]], expected: list[tuple[object, ...]]) -> bool:
    """With the index, candidates come from search vectors: the last ranked off the mean may differ."""
    return len({row[:2] for row in answers} & {row[:2] for row in expected}) >= 0.9 * len(expected)


def test_a_killed_index_build_leaves_the_old_answers(
    filled: str, connection: Connection, here: Here, step: Step
) -> None:
    finished(started("factors", "compute", "--factors", 8, **here(filled)))
    asked = "SELECT i, r.hashtag, r.score FROM generate_series(1, 20) i, tagdb.recommend_for_image(i) r"
    expected = connection.execute(asked).fetchall()
    command = ("index", "build")
    step("undisturbed")
    seconds = undisturbed(*command, **here(filled))
    hits = 0
    for n in range(KILLS):
        step(f"kill {n}")
        hits += killed(fold("index") + n, seconds, *command, **here(filled))
        with_index = connection.execute("SELECT EXISTS (SELECT FROM tagdb_store.search_vectors)").fetchone()
        answers = connection.execute(asked).fetchall()
        assert nearly(answers, expected) if with_index == (True,) else answers == expected
    assert hits
    step("to the end")
    finished(started(*command, **here(filled)))
    assert nearly(connection.execute(asked).fetchall(), expected)
    assert connection.execute("SELECT count(*) FROM tagdb_store.search_vectors").fetchone() == (600,)
    assert stray(connection) == []
    tables = "SELECT count(*) FROM pg_class WHERE relname ~ '^search_vectors_[0-9]+$' AND relkind = 'r'"
    assert connection.execute(tables).fetchone() == (1,)
    invalid = "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid OR NOT indisready"
    assert connection.execute(invalid).fetchall() == []


def test_killed_feedback_is_stored_once_or_not_at_all(
    database_url: str,
    make_database: Make,
    connection: Connection,
    manifest: Path,
    chosen: tuple[object, ...],
    here: Here,
    step: Step,
) -> None:
    other = make_database(True)
    for url in (database_url, other):
        finished(started("ingest", manifest, *chosen, "--limit", 20, **here(url)))
    command = ("feedback", manifest.parent / "3.jpg", "--accepted", "sea,sun", "--rejected", "snow")
    step("undisturbed")
    seconds = undisturbed(*command, **here(other))
    step("killed again and again")
    hits = sum(killed(fold("feedback") + n, seconds, *command, **here(database_url)) for n in range(KILLS))
    assert hits
    step("to the end")
    finished(started(*command, **here(database_url)))
    said = (
        "SELECT i.content_sha256, h.hashtag, f.accepted, f.factor_run_id, f.given_by"
        " FROM tagdb_store.feedback f JOIN tagdb_store.images i USING (image_id)"
        " JOIN tagdb_store.hashtags h USING (hashtag_id) ORDER BY f.feedback_id"
    )
    with database.connect(other) as undisturbed_one:
        assert connection.execute(said).fetchall() == undisturbed_one.execute(said).fetchall()
        assert contents(connection) == contents(undisturbed_one)


def test_a_killed_removal_removes_all_or_nothing(
    filled: str, connection: Connection, here: Here, step: Step
) -> None:
    command = ("remove", "--collection", "some", "--yes")
    mark = "UPDATE tagdb_store.images SET collection = 'some' WHERE image_id % 2 = 0"
    left = (
        "SELECT (SELECT count(*) FROM tagdb_store.images), (SELECT count(*) FROM tagdb_store.embeddings),"
        " (SELECT count(*) FROM tagdb_store.image_files),"
        " (SELECT count(DISTINCT image_id) FROM tagdb_store.image_hashtags)"
    )
    connection.execute(mark)
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    hits = 0
    for n in range(KILLS):
        step(f"kill {n}")
        hits += killed(fold("remove") + n, 1, *command, **here(filled))
        while connection.execute(others).fetchone() != (0,):  # the server ends what was begun
            time.sleep(0.05)
        number = connection.execute(left).fetchone()
        assert number in ((600,) * 4, (300,) * 4)
    assert hits
    step("to the end")
    if connection.execute(left).fetchone() == (600,) * 4:
        finished(started(*command, **here(filled)))
    finished(started("stats", "refresh", **here(filled)))
    assert connection.execute(left).fetchone() == (300,) * 4
    assert stray(connection) == []


def test_a_killed_synchronisation_goes_on_where_it_was(
    database_url: str,
    connection: Connection,
    tmp_path: Path,
    chosen: tuple[object, ...],
    here: Here,
    step: Step,
) -> None:
    """The list changes: half of its photos say something else, and a tenth are gone."""
    manifest = drawn(tmp_path / "photos", 200)
    finished(started("ingest", manifest, *chosen, **here(database_url)))
    header, *rows = manifest.read_text().splitlines()
    changed = [row.replace("#tag", "#other") if n % 2 else row for n, row in enumerate(rows) if n % 10]
    manifest.write_text("\n".join([header, *changed]) + "\n")
    command = ("sync", manifest, *chosen, "--yes")
    for n in range(KILLS):
        step(f"kill {n}")
        killed(fold("sync") + n, 2, *command, **here(database_url))
        number = connection.execute("SELECT count(*) FROM tagdb.images").fetchone()
        assert number in ((len(rows),), (len(changed),))
    step("to the end")
    finished(started(*command, **here(database_url)))
    assert connection.execute("SELECT count(*) FROM tagdb.images").fetchone() == (len(changed),)
    mixed = (
        "SELECT count(*) FROM (SELECT image_id FROM tagdb.image_hashtags GROUP BY image_id"
        " HAVING bool_or(hashtag LIKE 'tag%') AND bool_or(hashtag LIKE 'other%')) m"
    )
    assert connection.execute(mixed).fetchone() == (0,)
    assert stray(connection) == []
    said = finished(started("sync", manifest, "--dry-run", **here(database_url)))
    assert "nothing to do" in said


def test_a_killed_refresh_is_made_good_by_the_next(
    filled: str, connection: Connection, here: Here, step: Step
) -> None:
    command = ("stats", "refresh")
    step("undisturbed")
    seconds = undisturbed(*command, **here(filled))
    counted = "SELECT * FROM tagdb_store.hashtag_pairs ORDER BY 1, 2"
    expected = connection.execute(counted).fetchall()
    assert expected
    for n in range(KILLS):
        step(f"kill {n}")
        connection.execute("DELETE FROM tagdb_store.hashtag_pairs WHERE hashtag_id % 3 = 0")
        killed(fold("stats") + n, seconds, *command, **here(filled))
    step("to the end")
    finished(started(*command, **here(filled)))
    assert connection.execute(counted).fetchall() == expected
