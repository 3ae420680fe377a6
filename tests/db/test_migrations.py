"""Making the schema, taking it away, and what it promises: comments, types, the same after a restore."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tagdb.migrations
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from tagdb.migrations import sqlfiles

from tagdb import database, store
from tagdb.database import SCHEMA_REVISION, Connection
from tagdb.errors import DatabaseError, SchemaError
from tagdb.server import Server
from tagdb.store import backbones
from tests import seed

CHECKOUT = Path(__file__).parents[2]


def configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(tagdb.migrations.__file__).parent))
    return config


def alembic(url: str, action: Callable[..., object], *arguments: str) -> None:
    """Run one of Alembic's commands as ``tagdb init`` does."""
    config = configuration()
    with database.engine(url).begin() as connection:
        config.attributes["connection"] = connection
        action(config, *arguments)


@pytest.fixture
def dump(run: dict[str, str], tmp_path: Path) -> Callable[..., str]:
    """A function that runs the bundle's pg_dump."""
    program = Server(Path(run["home"])).program("pg_dump")

    def dumped(url: str, *options: str) -> str:
        done = subprocess.run([program, *options, url], capture_output=True, text=True, check=False)
        if "version mismatch" in done.stderr:
            pytest.skip("the server is newer than the bundled pg_dump")
        assert done.returncode == 0, done.stderr
        return "\n".join(line for line in done.stdout.splitlines() if not line.startswith(("\\", "--")))

    return dumped


def rows(connection: Connection, query: str, *values: object) -> list[tuple[Any, ...]]:
    return connection.execute(query, values).fetchall()  # type: ignore[arg-type]


def schemas(connection: Connection) -> list[str]:
    return [name for (name,) in rows(connection, "SELECT nspname FROM pg_namespace WHERE nspname ~ '^tagdb'")]


def recommendations(connection: Connection) -> list[Any]:
    """What a world recommends, by each way to ask."""
    query = seed.features(1, 99)[0]
    return [
        rows(connection, "SELECT * FROM tagdb.recommend_for_embedding(%s)", seed.literal(query)),
        rows(connection, "SELECT * FROM tagdb.recommend_for_image(3, known => '{#TAG1,ﬁ}')"),
        rows(connection, "SELECT * FROM tagdb.similar_images(%s)", seed.literal(query)),
        rows(connection, "SELECT * FROM tagdb.similar_images_to(3)"),
        store.recommend(connection, query.astype("float32")),
    ]


# --- up and down ---------------------------------------------------------------------------------


def test_down_and_up_again(database_url: str, dump: Callable[..., str]) -> None:
    before = dump(database_url, "--schema-only")
    assert "CREATE FUNCTION tagdb.recommend_for_embedding" in before
    alembic(database_url, command.downgrade, "base")
    alembic(database_url, command.upgrade, "head")
    assert dump(database_url, "--schema-only") == before


def test_what_is_left_of_a_database_in_use(database_url: str, connection: Connection) -> None:
    seed.world(connection)
    seed.begin_run(connection, 3)
    store.discard_factor_run(connection, seed.begin_run(connection, 3))
    alembic(database_url, command.downgrade, "base")
    assert schemas(connection) == ["tagdb_store"]
    objects = "SELECT {0}name FROM pg_{1} WHERE {0}namespace = 'tagdb_store'::regnamespace"
    assert rows(connection, objects.format("rel", "class") + " ORDER BY 1") == [
        ("alembic_version",),
        ("alembic_version_pkc",),
    ]
    assert rows(connection, objects.format("pro", "proc")) == []
    assert rows(connection, "SELECT * FROM tagdb_store.alembic_version") == []
    rights = (
        "SELECT r.rolname, d.classid::regclass::text, d.objid FROM pg_shdepend d"
        " JOIN pg_roles r ON r.oid = d.refobjid WHERE d.refclassid = 'pg_authid'::regclass"
        " AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND r.rolname IN ('tagdb_reader', 'tagdb_writer')"
    )
    assert rows(connection, rights) == []
    named = "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname IN ('tagdb_reader', 'tagdb_writer')"
    assert sorted(rows(connection, named)) == [("tagdb_reader", False), ("tagdb_writer", False)]
    # and nothing of before is in the way of what comes after
    assert database.migrate(database_url) == (None, SCHEMA_REVISION)
    seed.world(connection)
    assert len(recommendations(connection)[0]) == 8


def test_the_head_is_what_the_program_works_with() -> None:
    assert ScriptDirectory.from_config(configuration()).get_current_head() == SCHEMA_REVISION


def test_models_and_migrations_agree(database_url: str, connection: Connection) -> None:
    """Also where backbones and runs have made partitions, which are nobody's models."""
    alembic(database_url, command.check)
    seed.world(connection)
    seed.begin_run(connection, 3)
    alembic(database_url, command.check)


def test_models_and_migrations_can_disagree(database_url: str, connection: Connection) -> None:
    connection.execute("ALTER TABLE tagdb_store.images ADD COLUMN surprise text")
    with pytest.raises(command.util.AutogenerateDiffsDetected, match="surprise"):
        alembic(database_url, command.check)


def test_the_alembic_program(empty_database_url: str) -> None:
    """From the checkout, by either way to name the database."""
    program = [sys.executable, "-m", "alembic"]
    environment = {name: value for name, value in os.environ.items() if name != "TAGDB_DATABASE_URL"}
    unnamed: dict[str, Any] = {"env": environment, "cwd": CHECKOUT, "capture_output": True, "text": True}
    named = unnamed | {"env": environment | {"TAGDB_DATABASE_URL": empty_database_url}}
    subprocess.run([*program, "upgrade", "head"], check=True, **named)
    by_option = [*program, "-x", f"url={empty_database_url}", "current"]
    done = subprocess.run(by_option, check=True, **unnamed)
    assert done.stdout.split() == [SCHEMA_REVISION, "(head)"]
    done = subprocess.run([*program, "current"], check=False, **unnamed)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "name the database: TAGDB_DATABASE_URL=postgresql://… or alembic -x url=postgresql://…"
    )


# --- migrate() -----------------------------------------------------------------------------------


def test_migrate(empty_database_url: str) -> None:
    with database.connect(empty_database_url) as connection:
        with pytest.raises(SchemaError, match="no tagdb schema yet; run: tagdb init"):
            database.check_revision(connection)
        assert database.migrate(empty_database_url) == (None, SCHEMA_REVISION)
        database.check_revision(connection)
        assert database.migrate(empty_database_url) == (SCHEMA_REVISION, SCHEMA_REVISION)


def test_other_revisions(database_url: str, connection: Connection) -> None:
    connection.execute("UPDATE tagdb_store.alembic_version SET version_num = '0000'")
    older = f"of revision 0000, this tagdb needs {SCHEMA_REVISION}; run: tagdb init"
    with pytest.raises(SchemaError, match=older):
        database.check_revision(connection)
    connection.execute("UPDATE tagdb_store.alembic_version SET version_num = '9999'")
    newer = f"of revision 9999, newer than this tagdb knows \\({SCHEMA_REVISION}\\); upgrade tagdb"
    with pytest.raises(SchemaError, match=newer):
        database.check_revision(connection)
    with pytest.raises(SchemaError, match=newer):
        database.migrate(database_url)


def test_several_at_once(empty_database_url: str) -> None:
    code = "import sys; from tagdb import database; print(*database.migrate(sys.argv[1]))"
    migrate = [sys.executable, "-c", code, empty_database_url]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    started = [subprocess.Popen(migrate, **pipes) for _ in range(3)]
    for process in started:
        said, why = process.communicate(timeout=120)
        assert process.returncode == 0, why
        assert said.split()[-1] == SCHEMA_REVISION
    with database.connect(empty_database_url) as connection:
        database.check_revision(connection)


def test_a_failing_migration_leaves_nothing(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> str:
        return "SELECT 1/0" if name.startswith("grants") else read(name)

    read = sqlfiles.read
    with monkeypatch.context() as patch:
        patch.setattr(sqlfiles, "read", broken)
        with pytest.raises(DatabaseError, match=r"^the database refused: division by zero$"):
            database.migrate(empty_database_url)
    with database.connect(empty_database_url) as connection:
        assert database.revision(connection) is None
        assert schemas(connection) == []
        assert rows(connection, "SELECT FROM pg_extension WHERE extname = 'vector'") == []
    assert database.migrate(empty_database_url) == (None, SCHEMA_REVISION)


# --- where pgvector is, and restores -------------------------------------------------------------


def test_pgvector_in_another_schema(
    empty_database_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backbones, "INDEX_FROM", 10)
    answers = []
    for url in (database_url, empty_database_url):
        with database.connect(url) as connection:
            if url == empty_database_url:
                connection.execute('CREATE SCHEMA "Our ext"; CREATE EXTENSION vector SCHEMA "Our ext"')
                database.migrate(url)
            world = seed.world(connection)
            assert store.ensure_vector_index(connection, world.backbone_id)
            answers.append(recommendations(connection))
            run = store.begin_ingest_run(connection, ["here"])
            batch = [seed.image(1, "a"), seed.image(2, "b")]
            assert store.save_batch(connection, run, world.backbone_id, batch, []) == store.Counts(new=2)
            alembic(url, command.check)
    assert answers[0] == answers[1]


def test_restored(
    run: dict[str, str],
    connection: Connection,
    database_url: str,
    empty_database_url: str,
    tmp_path: Path,
    dump: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """pg_restore works with an empty search_path; what it makes must be whole and give the same answers."""
    monkeypatch.setattr(backbones, "INDEX_FROM", 10)
    world = seed.world(connection)
    assert store.ensure_vector_index(connection, world.backbone_id)
    seed.begin_run(connection, 3)
    answers = recommendations(connection)
    file = tmp_path / "database.dump"
    dump(database_url, "--format=custom", f"--file={file}")
    program = Server(Path(run["home"])).program("pg_restore")
    restore = [program, "--exit-on-error", "--dbname", empty_database_url, file]
    subprocess.run(restore, check=True, capture_output=True)
    assert dump(empty_database_url, "--schema-only") == dump(database_url, "--schema-only")
    with database.connect(empty_database_url) as restored:
        database.check_revision(restored)
        assert recommendations(restored) == answers
        assert store.add_backbone(restored, seed.identity(2)).backbone_id == 2


# --- what the public schema promises -------------------------------------------------------------


def test_everything_public_is_described(connection: Connection) -> None:
    described = rows(
        connection,
        "SELECT c.oid::regclass::text, obj_description(c.oid, 'pg_class') FROM pg_class c"
        " WHERE c.relnamespace = 'tagdb'::regnamespace"
        " UNION ALL SELECT p.oid::regprocedure::text, obj_description(p.oid, 'pg_proc') FROM pg_proc p"
        " WHERE p.pronamespace = 'tagdb'::regnamespace"
        " UNION ALL SELECT n.nspname, obj_description(n.oid, 'pg_namespace') FROM pg_namespace n"
        " WHERE n.nspname IN ('tagdb', 'tagdb_store')",
    )
    assert len(described) > 10
    assert [name for name, comment in described if not comment or not comment.endswith(".")] == []


def test_the_public_schema_is_views_and_functions(connection: Connection) -> None:
    kinds = "SELECT DISTINCT relkind::text FROM pg_class WHERE relnamespace = 'tagdb'::regnamespace"
    assert rows(connection, kinds) == [("v",)]
    vectors = rows(
        connection,
        "SELECT a.attrelid::regclass::text, a.attname FROM pg_attribute a"
        " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid"
        " WHERE c.relnamespace = 'tagdb'::regnamespace AND t.typname ~ 'vec'",
    )
    assert vectors == []


def test_no_function_can_be_led_astray(connection: Connection) -> None:
    """Whatever runs with its owner's rights has a search_path of its own."""
    loose = rows(
        connection,
        "SELECT p.oid::regprocedure::text FROM pg_proc p"
        " WHERE p.pronamespace IN ('tagdb'::regnamespace, 'tagdb_store'::regnamespace) AND p.prosecdef"
        " AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)",
    )
    assert loose == []


def test_too_old_a_pgvector(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PGVECTOR_AT_LEAST", (99, 0))
    with pytest.raises(DatabaseError, match="this PostgreSQL has pgvector"):
        database.migrate(empty_database_url)
    monkeypatch.setattr(database, "POSTGRES_AT_LEAST", 99)
    with pytest.raises(DatabaseError, match="tagdb needs 99 or newer"):
        database.migrate(empty_database_url)


def test_a_login_that_may_not_migrate(login: Callable[..., str], empty_database_url: str) -> None:
    """One sentence, and nothing is left behind."""
    with pytest.raises(DatabaseError, match="permission denied for database"):
        database.migrate(login(empty_database_url))
    with database.connect(empty_database_url) as connection:
        assert schemas(connection) == []
