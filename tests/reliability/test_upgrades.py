"""Upgrades: of every released revision, several at once, not for ever, and killed in the middle."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tagdb.migrations
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from numpy.typing import NDArray
from psycopg.types.json import Jsonb

from tagdb import folding, store
from tagdb.cli import COMMANDS, cli
from tagdb.errors import DatabaseError, SchemaError
from tagdb.learning.als import Weighting
from tagdb.learning.settings import FactorSettings
from tagdb.postgres import database
from tagdb.postgres.database import SCHEMA_REVISION, Connection
from tests.support import seed
from tests.support.pictures import photo
from tests.support.programs import SOAK, finished, started

RELEASED = ("0001", "0002", "0003", "0004")
TRIALS = 3 * SOAK
"""Kills of each kind."""
SCHEMA = """
SELECT 'table', c.oid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace::regnamespace::text ~ '^tagdb' AND c.relkind IN ('r', 'p', 'v')
UNION ALL
SELECT 'function', p.oid::regprocedure::text, p.prosrc || p.proconfig::text, pg_get_function_sqlbody(p.oid)
FROM pg_proc p WHERE p.pronamespace::regnamespace::text ~ '^tagdb'
UNION ALL
SELECT 'constraint', c.conname, c.conrelid::regclass::text, pg_get_constraintdef(c.oid)
FROM pg_constraint c WHERE c.connamespace::regnamespace::text ~ '^tagdb'
ORDER BY 1, 2, 3, 4
"""


def alembic(url: str, action: Callable[..., object], revision: str) -> None:
    """Run one of Alembic's commands."""
    config = Config()
    config.set_main_option("script_location", str(Path(tagdb.migrations.__file__).parent))
    with database.engine(url).begin() as connection:
        config.attributes["connection"] = connection
        action(config, revision)


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query).fetchall()


def schema(connection: Connection) -> list[tuple[Any, ...]]:
    """Everything in the schemas, as text."""
    with connection.transaction():
        connection.execute("SET LOCAL search_path = pg_catalog")  # which says what names are shown with
        return rows(connection, SCHEMA)


def add_run(
    connection: Connection,
    image_ids: NDArray[np.int64],
    image_factors: NDArray[np.float16],
    hashtag_ids: NDArray[np.int32],
    hashtag_factors: NDArray[np.float16],
) -> int:
    """A factor run, stored and activated in a way that every revision knows."""
    size = hashtag_factors.shape[1]
    newer = rows(connection, "SELECT FROM pg_proc WHERE proname = 'finish_factor_run'")
    if newer:
        settings = Jsonb(asdict(FactorSettings(factors=size, min_hashtags=1, ridge=0.5)))
        found = connection.execute("SELECT tagdb_store.new_factor_run(%s, '{}')", (settings,)).fetchone()
    else:
        begin = "SELECT tagdb_store.new_factor_run(%s, 1.0, 0.01, 15, 2, 42, 50, 8.0, '{}')"
        found = connection.execute(begin, (size,)).fetchone()
    assert found is not None
    run = int(found[0])
    for kind, ids, vectors in (
        ("image", image_ids, image_factors),
        ("hashtag", hashtag_ids, hashtag_factors),
    ):
        seed.copy(connection, f"{kind}_factors_{run}", np.full(len(ids), run, np.int32), ids, vectors)
    if newer:
        connection.execute("SELECT tagdb_store.finish_factor_run(%s, 20, 8, 20, 0.1, 1)", (run,))
        gram, ridge = np.eye(size, dtype="<f4"), np.zeros(1280 + size + 1280 * size, "<f4")
        weighting = Jsonb(asdict(Weighting("none", 20, 1.0, 1.0, 1.0)))
        connection.execute(
            "INSERT INTO tagdb_store.factor_maps (factor_run_id, image_gram, weighting, ridge)"
            " VALUES (%s, %s, %s, %s)",
            (run, gram.tobytes(), weighting, ridge.tobytes()),
        )
    connection.execute("SELECT tagdb_store.activate_factor_run(%s)", (run,))
    return run


def answers(connection: Connection) -> list[Any]:
    """What is recommended and similar, for some images."""
    return [
        rows(connection, f"SELECT * FROM tagdb.{function}({image})")
        for image in (1, 3, 7)
        for function in ("recommend_for_image", "similar_images_to")
    ]


@pytest.fixture
def old(empty_database_url: str) -> Callable[[str], str]:
    """A function that makes a database of a revision, with data in it, and returns its URL."""

    def make(revision: str) -> str:
        alembic(empty_database_url, command.upgrade, revision)
        with database.connect(empty_database_url) as connection:
            seed.world(connection, add_run=add_run)
        return empty_database_url

    return make


def test_the_released_revisions_are_tried_here() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(tagdb.migrations.__file__).parent))
    known = [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()]
    assert sorted(known) == [*RELEASED, SCHEMA_REVISION]


@pytest.mark.parametrize("revision", RELEASED)
def test_each_revision_with_data_in_it(
    old: Callable[[str], str], connection: Connection, revision: str
) -> None:
    """It answers as before, has the schema of a fresh one, and takes what comes."""
    url = old(revision)
    with database.connect(url) as upgraded:
        before = answers(upgraded)
        assert all(before)
    assert database.migrate(url) == (revision, SCHEMA_REVISION)
    seed.world(connection, add_run=add_run)
    with database.connect(url) as upgraded:
        database.check_revision(upgraded)
        assert answers(upgraded) == before
        assert schema(upgraded) == schema(connection)
        ridges = "SELECT backbone_id FROM tagdb_store.factor_maps"
        assert rows(upgraded, ridges) == ([(1,)] if revision > "0002" else [])
        run = store.ingest_runs.begin(upgraded, ["here"])
        batch = [seed.image(n, "tag1", "tag2", "fresh") for n in range(3)]
        fresh = folding.Folding(upgraded)
        assert store.batches.save(upgraded, run, 1, batch, [], fresh.images).new == 3
        fresh.finish()
        assert rows(upgraded, "SELECT images FROM tagdb.coverage") == [(23,)]


# --- a schema that is newer than the program -------------------------------------------------------


CALLS = (
    "init", "ingest PHOTO", "ingest PHOTO --dry-run", "factors compute", "factors list", "factors activate 1",
    "factors rollback", "factors prune", "factors diff 1 2", "recommend PHOTO", "recommend --watch FOLDER",
    "feedback", "feedback PHOTO --accepted a", "evaluate", "tune --minutes 1", "similar PHOTO", "tags list",
    "tags ban a", "tags alias a b", "tags merge a --into b", "tags undo", "stats refresh", "backbone list",
    "backbone reembed bundled", "backbone use 1", "backbone drop 1", "index build", "index status",
    "index check", "index drop",
)  # fmt: skip
"""Every command that opens the database, so that it would begin; but for those that say what they find."""
OTHERS = {"demo", "doctor", "db", "backup", "restore"}
NEWER = (
    f"Error: the database's schema has revision 9999, newer than this tagdb knows ({SCHEMA_REVISION}); "
    "upgrade tagdb\n"
)


def test_a_newer_schema_is_refused_by_every_command(
    database_url: str, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a sentence; and nothing is changed in it."""
    monkeypatch.setenv("TAGDB_DATABASE_URL", database_url)
    monkeypatch.setenv("TAGDB_HOME", str(tmp_path / "home"))
    (tmp_path / "photo.jpg").write_bytes(photo(1))
    connection.execute("UPDATE tagdb_store.alembic_version SET version_num = '9999'")
    before = schema(connection)
    for call in CALLS:
        words = call.replace("PHOTO", str(tmp_path / "photo.jpg")).replace("FOLDER", str(tmp_path)).split()
        done = CliRunner().invoke(cli, words, prog_name="tagdb")
        assert (done.exit_code, done.stdout, done.stderr) == (1, "", NEWER), call
    assert {call.split()[0] for call in CALLS} | OTHERS >= set(COMMANDS)
    assert schema(connection) == before
    assert rows(connection, "SELECT count(*) FROM tagdb.images") == [(0,)]


def test_a_newer_tagdb_that_was_quicker(old: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It upgraded while this one waited for its turn."""
    url = old("0004")
    check_server = database.check_server

    def quicker(connection: Connection) -> None:
        check_server(connection)
        connection.execute("UPDATE tagdb_store.alembic_version SET version_num = '9999'")

    monkeypatch.setattr(database, "check_server", quicker)
    with pytest.raises(SchemaError, match="of revision 9999, newer than this tagdb knows"):
        database.migrate(url)


# --- at once, and against time ---------------------------------------------------------------------


@pytest.mark.parametrize("revision", [None, "0001"])
def test_several_machines_at_once(
    revision: str | None, old: Callable[[str], str], empty_database_url: str, connection: Connection
) -> None:
    url = old(revision) if revision else empty_database_url
    programs = [started("init", TAGDB_DATABASE_URL=url) for _ in range(4)]
    for program in programs:
        assert SCHEMA_REVISION in finished(program)
    with database.connect(url) as upgraded:
        if revision:
            seed.world(connection, add_run=add_run)
        assert schema(upgraded) == schema(connection)


def test_an_upgrade_does_not_wait_for_ever(old: Callable[[str], str]) -> None:
    """For whoever uses what it changes; nothing is changed then, and it can be tried again."""
    url = old("0004")
    with database.connect(url) as connection:
        before = schema(connection)
        with database.connect(url) as reader, reader.transaction():
            reader.execute("SELECT count(*) FROM tagdb_store.ingest_runs")
            reader.execute("SELECT count(*) FROM tagdb_store.factor_maps")
            begun = time.monotonic()
            said = (
                "other sessions have locked tagdb's tables for 200ms, and the schema is unchanged; "
                "end them and run again"
            )
            with pytest.raises(DatabaseError, match=said):
                database.migrate(url, lock_timeout="200ms")
            assert time.monotonic() - begun < 20
        assert database.revision(connection) == "0004"
        assert schema(connection) == before
        assert database.migrate(url) == ("0004", SCHEMA_REVISION)


# --- killed ----------------------------------------------------------------------------------------

MARK = """
import sys
import alembic.command
upgrade = alembic.command.upgrade
def marked(*arguments):
    print("begins", flush=True)
    upgrade(*arguments)
    print("ends", flush=True)
alembic.command.upgrade = marked
from tagdb.cli import main
sys.argv = ["tagdb", "init"]
main()
"""


def interrupted(number: int, url: str, within: float) -> bool:
    """Start ``tagdb init`` and kill it some time after it begins to migrate; whether it was at that."""
    delay = random.Random(number).uniform(0, within)
    process = subprocess.Popen(
        [sys.executable, "-c", MARK],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
        env=os.environ | {"TAGDB_DATABASE_URL": url},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "begins\n"
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    out, _ = process.communicate()
    hit = process.returncode == -signal.SIGKILL and "ends" not in out
    print(f"seed {number}: init killed {delay:.3f} s after it began to migrate: {hit}")
    return hit


@pytest.mark.parametrize("revision", [None, "0001"])
def test_a_killed_upgrade(
    revision: str | None,
    old: Callable[[str], str],
    make_database: Callable[[bool], str],
    connection: Connection,
) -> None:
    """It leaves the old schema or the new one, and the next one finishes."""
    hits = 0
    for number in range(TRIALS):
        url = make_database(False)
        if revision:
            alembic(url, command.upgrade, revision)
        with database.connect(url) as killed:
            if revision:
                seed.world(killed, add_run=add_run)
            before = schema(killed)
            hits += interrupted(number, url, 0.3 if revision else 0.5)
            # whatever PostgreSQL was doing for it ends soon, and holds the lock until then
            killed.execute("SELECT pg_advisory_lock(7420110117), pg_advisory_unlock(7420110117)")
            after = database.revision(killed)
            assert after in (revision, SCHEMA_REVISION)
            if after == revision:
                assert schema(killed) == before
            finished(started("init", TAGDB_DATABASE_URL=url))
            if revision and number == 0:
                seed.world(connection, add_run=add_run)
            assert schema(killed) == schema(connection)
            assert not revision or all(answers(killed))
    assert hits
