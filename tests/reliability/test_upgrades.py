"""Upgrades: with data, several at once, not for ever, and killed in the middle; and of what is newer."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from click.testing import Result
from psycopg import errors

from tagdb import factors, folding_in, store
from tagdb.cli import COMMANDS
from tagdb.errors import SchemaError
from tagdb.learning.settings import FactorSettings
from tagdb.postgres import database
from tagdb.postgres.database import SCHEMA_REVISION, Connection
from tests.support import seed
from tests.support.commands import invoke
from tests.support.migrating import RUN, Later, alembic
from tests.support.pictures import photo
from tests.support.postgres import rows
from tests.support.programs import SOAK, finished, started

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
SELECT 'rights', c.oid::regclass::text, c.relacl::text, ''
FROM pg_class c WHERE c.relnamespace::regnamespace::text ~ '^tagdb'
UNION ALL
SELECT 'rights', p.oid::regprocedure::text, p.proacl::text, ''
FROM pg_proc p WHERE p.pronamespace::regnamespace::text ~ '^tagdb'
UNION ALL
SELECT 'constraint', c.conname, c.conrelid::regclass::text, pg_get_constraintdef(c.oid)
FROM pg_constraint c WHERE c.connamespace::regnamespace::text ~ '^tagdb'
ORDER BY 1, 2, 3, 4
"""
DOWNGRADE = """
from alembic import command
from tests.support.migrating import alembic
alembic(sys.argv[1], command.downgrade, sys.argv[2])
"""
IMPATIENT = """
from tagdb.errors import DatabaseError
from tagdb.postgres import database
try:
    database.migrate(sys.argv[1], lock_timeout="200ms")
except DatabaseError as error:
    print(error)
"""


def schema(connection: Connection) -> list[tuple[Any, ...]]:
    """Everything in the schemas, as text."""
    with connection.transaction():
        connection.execute("SET LOCAL search_path = pg_catalog")  # which says what names are shown with
        return rows(connection, SCHEMA)


def answers(connection: Connection) -> list[Any]:
    """What is recommended and similar, for some images."""
    return [
        rows(connection, f"SELECT * FROM tagdb.{function}({image})")
        for image in (1, 3, 7)
        for function in ("recommend_for_image", "similar_images_to")
    ]


@pytest.fixture
def fresh(later: Later, make_database: Callable[[bool], str]) -> Iterator[Connection]:
    """A database that the later tagdb has made, with the same data."""
    url = make_database(False)
    finished(later.started("init", TAGDB_DATABASE_URL=url))
    with database.connect(url) as connection:
        seed.world(connection)
        yield connection


def test_an_upgrade_keeps_what_is_stored(
    later: Later, fresh: Connection, connection: Connection, database_url: str
) -> None:
    """It answers as before, has the schema and the rights of a fresh one, and takes what comes."""
    world = seed.world(connection)
    before = answers(connection)
    assert all(before)
    connection.execute("UPDATE tagdb_store.backbones SET ef_search = 333")
    said = finished(later.started("init", TAGDB_DATABASE_URL=database_url))
    assert f" from revision {SCHEMA_REVISION} to {later.revision}\n" in said
    with database.connect(database_url) as upgraded:
        assert answers(upgraded) == before
        assert rows(upgraded, "SELECT count(*), min(note) FROM tagdb_store.notes") == [
            (20, "100%: file:///1.jpg")
        ]
        assert rows(upgraded, "SELECT DISTINCT length FROM tagdb.images") == [(70,)]
        settings = "SELECT 'hnsw.ef_search=333' = ANY (proconfig) FROM pg_proc WHERE proname = 'candidates'"
        assert rows(upgraded, settings) == [(True,)]
        upgraded.execute("UPDATE tagdb_store.backbones SET ef_search = 200")
        assert schema(upgraded) == schema(fresh)
        with pytest.raises(errors.InvalidParameterValue, match=r"^later: top must be 1 or more"):
            upgraded.execute("SELECT tagdb.recommend_for_image(1, 0)")
        run = store.ingest_runs.begin(upgraded, ["here"])
        batch = [seed.image(n, "tag1", "tag2", "fresh") for n in range(3)]
        fresh_images = folding_in.FoldingIn(upgraded)
        assert store.batches.save(upgraded, run, world.backbone_id, batch, [], fresh_images.images).new == 3
        fresh_images.finish()
        assert rows(upgraded, "SELECT images FROM tagdb.coverage") == [(23,)]


def test_a_downgrade_leaves_the_tables_and_the_older_tagdb_makes_the_rest(
    later: Later, connection: Connection, database_url: str
) -> None:
    seed.world(connection)
    before, recommended = schema(connection), answers(connection)
    finished(later.started("init", TAGDB_DATABASE_URL=database_url))
    finished(later.started(database_url, SCHEMA_REVISION, code=DOWNGRADE))
    assert schema(connection) != before
    finished(started("init", "--repair", TAGDB_DATABASE_URL=database_url))
    assert schema(connection) == before
    assert answers(connection) == recommended
    finished(later.started("init", TAGDB_DATABASE_URL=database_url))
    finished(later.started(database_url, "base", code=DOWNGRADE))
    assert {name for kind, name, *_ in schema(connection) if kind == "table"} == {
        "tagdb_store.alembic_version"
    }


def test_runs_that_were_being_computed_at_an_upgrade(
    later: Later, connection: Connection, database_url: str
) -> None:
    """Nobody computes them any more; they can be cleaned up, and nothing is in the way of new ones."""
    seed.world(connection)
    with database.connect(database_url) as computing:
        assert seed.begin_run(computing, 3) == 2
    finished(later.started("init", TAGDB_DATABASE_URL=database_url))
    with pytest.raises(errors.InvalidParameterValue, match="factor run 2 is still being computed"):
        store.runs.activate(connection, 2)
    assert store.runs.discard_abandoned(connection) == 1
    assert rows(connection, "SELECT status FROM tagdb.factor_runs ORDER BY factor_run_id") == [
        ("active",), ("failed",),
    ]  # fmt: skip
    computed = factors.compute(connection, FactorSettings(factors=3, min_hashtags=1), quiet=True)
    assert computed.factor_run_id == 3


# --- a schema that is newer than the program -------------------------------------------------------


CALLS = (
    "init", "ingest PHOTO", "ingest PHOTO --dry-run", "factors compute", "factors list", "factors activate 1",
    "factors rollback", "factors prune", "factors diff 1 2", "recommend PHOTO", "recommend --watch FOLDER",
    "feedback", "feedback PHOTO --accepted a", "evaluate", "tune --minutes 1", "similar PHOTO", "tags list",
    "tags ban a", "tags alias a b", "tags merge a --into b", "tags undo", "stats refresh", "stats show",
    "bi superset", "backbone list",
    "backbone reembed bundled", "backbone use 1", "backbone drop 1", "index build", "index status",
    "index check", "index drop", "init --repair", "backup FOLDER/file", "tag PHOTO a", "untag PHOTO a",
    "remove PHOTO --yes", "sync FOLDER --yes", "export FOLDER/x.jsonl", "originals FOLDER/originals",
    "collect https://mastodon.social/tags/a", "serve --listen 127.0.0.1:0", "serve token add a --role reader",
    "serve token list", "serve token revoke a", "work",
)  # fmt: skip
"""Every command that opens the database, so that it would begin; but for those that say what they find."""
OTHERS = {"demo", "doctor", "db", "restore"}
NEWER = (
    f"Error: the database's schema has revision 9999, newer than this tagdb knows ({SCHEMA_REVISION}); "
    "upgrade tagdb\n"
)
UNRELEASED = (
    "Error: the database was made by a development version of tagdb and cannot be upgraded; name a new one "
    "(with --database-url, or TAGDB_HOME for the embedded one) and ingest the photos again\n"
)


@pytest.fixture
def refusals(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function that sees every command refuse the database with a sentence, and change nothing in it."""
    monkeypatch.setenv("TAGDB_DATABASE_URL", database_url)
    monkeypatch.setenv("TAGDB_HOME", str(tmp_path / "home"))
    (tmp_path / "photo.jpg").write_bytes(photo(1))

    def seen(sentence: str) -> None:
        with database.connect(database_url) as connection:
            images = "SELECT count(*) FROM tagdb_store.images"
            before = schema(connection), rows(connection, images)
            for call in CALLS:
                text = call.replace("PHOTO", str(tmp_path / "photo.jpg")).replace("FOLDER", str(tmp_path))
                done = invoke(*text.split())
                assert (done.exit_code, done.stdout, done.stderr) == (1, "", sentence), call
            assert (schema(connection), rows(connection, images)) == before
        assert sorted(path.name for path in tmp_path.iterdir()) == ["photo.jpg"]

    return seen


def test_every_command_is_tried() -> None:
    assert {call.split()[0] for call in CALLS} | OTHERS >= set(COMMANDS)


def test_a_newer_schema_is_refused_by_every_command(
    connection: Connection, refusals: Callable[[str], None]
) -> None:
    """In a sentence; and nothing is changed in it."""
    connection.execute("UPDATE tagdb_store.alembic_version SET version_num = '9999'")
    refusals(NEWER)


# --- a schema of a development version, which counted its revisions from 0001, too ------------------


@pytest.fixture
def unreleased(connection: Connection) -> Connection:
    """A database with data and without the mark that released revisions make."""
    seed.world(connection)
    connection.execute("COMMENT ON TABLE tagdb_store.alembic_version IS NULL")
    return connection


@pytest.mark.parametrize("revision", ["0001", "0005"])
def test_an_unreleased_schema_is_refused_by_every_command(
    unreleased: Connection, refusals: Callable[[str], None], revision: str
) -> None:
    """Also where its number is that of a released one."""
    unreleased.execute("UPDATE tagdb_store.alembic_version SET version_num = %s", (revision,))
    refusals(UNRELEASED)


def test_what_is_said_of_an_unreleased_schema(
    unreleased: Connection, database_url: str, login: Callable[..., str]
) -> None:
    """By what says how a database is, by Alembic itself, and to a reader, who cannot see the revision."""

    def tagdb(*words: str) -> Result:
        return invoke(*words, "--database-url", database_url)

    assert "schema: unreleased\n" in tagdb("db", "status").stdout
    done = tagdb("doctor")
    assert done.exit_code == 1
    assert "wrong: a development version of tagdb made the schema, which cannot be upgraded" in done.stdout
    with pytest.raises(SchemaError, match="made by a development version of tagdb"):
        alembic(database_url, command.upgrade, "head")
    with (
        database.connect(login(database_url, "tagdb_reader")) as reader,
        pytest.raises(SchemaError, match="made by a development version of tagdb"),
    ):
        database.check_revision(reader)


def test_a_backup_replaces_an_unreleased_schema(
    unreleased: Connection, database_url: str, make_database: Callable[[bool], str], tmp_path: Path
) -> None:
    file = tmp_path / "empty"
    finished(started("backup", file, TAGDB_DATABASE_URL=make_database(True)))
    refused = finished(started("restore", file, TAGDB_DATABASE_URL=database_url), 1)
    assert "already holds images" in refused
    finished(started("restore", "--replace", file, TAGDB_DATABASE_URL=database_url))
    database.check_revision(unreleased)
    assert rows(unreleased, "SELECT count(*) FROM tagdb.images") == [(0,)]


# --- and one that is newer by now ------------------------------------------------------------------


def test_a_newer_tagdb_that_was_quicker(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It upgraded while this one waited for its turn."""
    check_server = database.check_server

    def quicker(connection: Connection) -> None:
        monkeypatch.undo()
        check_server(connection)
        database.migrate(empty_database_url)
        connection.execute("UPDATE tagdb_store.alembic_version SET version_num = '9999'")

    monkeypatch.setattr(database, "check_server", quicker)
    with pytest.raises(SchemaError, match="has revision 9999, newer than this tagdb knows"):
        database.migrate(empty_database_url)


# --- at once, and against time ---------------------------------------------------------------------


@pytest.mark.parametrize("upgraded", [False, True], ids=["created", "upgraded"])
def test_several_machines_at_once(
    upgraded: bool, later: Later, fresh: Connection, make_database: Callable[[bool], str]
) -> None:
    url = make_database(upgraded)
    with database.connect(url) as connection:
        if upgraded:
            seed.world(connection)
        programs = [later.started("init", TAGDB_DATABASE_URL=url) for _ in range(4)]
        for program in programs:
            assert later.revision in finished(program)
        if not upgraded:
            seed.world(connection)
        assert schema(connection) == schema(fresh)


def test_an_upgrade_does_not_wait_for_ever(later: Later, connection: Connection, database_url: str) -> None:
    """For whoever uses what it changes; nothing is changed then, and it can be tried again."""
    seed.world(connection)
    before = schema(connection)
    with database.connect(database_url) as reader, reader.transaction():
        reader.execute("SELECT count(*) FROM tagdb_store.images")
        begun = time.monotonic()
        said = finished(later.started(database_url, code=IMPATIENT))
        assert "other sessions have locked tagdb's tables for 200ms, and the schema is unchanged; end" in said
        assert time.monotonic() - begun < 20
    assert database.revision(connection) == SCHEMA_REVISION
    assert schema(connection) == before
    finished(later.started("init", TAGDB_DATABASE_URL=database_url))
    assert database.revision(connection) == later.revision


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
"""
LOCK = {"key": database.MIGRATION_LOCK}


def interrupted(later: Later, number: int, url: str, within: float) -> bool:
    """Start ``tagdb init`` and kill it some time after it begins to migrate; whether it was at that."""
    delay = random.Random(number).uniform(0, within)
    process = later.started("init", code=MARK + RUN, TAGDB_DATABASE_URL=url)
    assert process.stdout is not None
    assert process.stdout.readline() == "begins\n"
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    out, _ = process.communicate()
    hit = process.returncode == -signal.SIGKILL and "ends" not in out
    print(f"seed {number}: init killed {delay:.3f} s after it began to migrate: {hit}")
    return hit


@pytest.mark.parametrize("upgraded", [False, True], ids=["created", "upgraded"])
def test_a_killed_upgrade(
    upgraded: bool, later: Later, fresh: Connection, make_database: Callable[[bool], str]
) -> None:
    """It leaves the old schema or the new one, and the next one finishes."""
    hits = 0
    for number in range(TRIALS):
        url = make_database(upgraded)
        with database.connect(url) as killed:
            if upgraded:
                seed.world(killed)
            revision, before = database.revision(killed), schema(killed)
            hits += interrupted(later, number, url, 0.3 if upgraded else 0.5)
            # whatever PostgreSQL was doing for it ends soon, and holds the lock until then
            killed.execute("SELECT pg_advisory_lock(%(key)s), pg_advisory_unlock(%(key)s)", LOCK)
            after = database.revision(killed)
            assert after in (revision, later.revision)
            if after == revision:
                assert schema(killed) == before
            finished(later.started("init", TAGDB_DATABASE_URL=url))
            if not upgraded:
                seed.world(killed)
            assert schema(killed) == schema(fresh)
            assert all(answers(killed))
    assert hits
