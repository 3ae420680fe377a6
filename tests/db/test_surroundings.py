"""What a server, a database or a role is set to, and what a login may not do."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tagdb import doctor
from tagdb.config import Settings
from tagdb.errors import DatabaseError
from tagdb.postgres import database, session_settings
from tagdb.store import schema
from tests.support import surface
from tests.support.postgres import administer, named, rows

AWKWARD = {
    "DateStyle": "German",
    "IntervalStyle": "sql_standard",
    "TimeZone": "Asia/Kathmandu",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "array_nulls": "off",
    "transform_null_equals": "on",
    "quote_all_identifiers": "on",
    "default_transaction_isolation": "serializable",
    "statement_timeout": "1ms",
    "idle_session_timeout": "1s",
    "exit_on_error": "on",
    "jit": "on",
    "jit_above_cost": "0",
    "enable_indexscan": "off",
    "enable_bitmapscan": "off",
    "enable_nestloop": "off",
    "join_collapse_limit": "1",
    "plan_cache_mode": "force_custom_plan",
    "search_path": "nowhere",
    "client_min_messages": "debug1",
    "client_encoding": "LATIN1",
}


def test_what_a_database_is_set_to_does_not_matter(make_database: Callable[[bool], str]) -> None:
    plain, awkward = make_database(True), make_database(True)
    name = psycopg.conninfo.conninfo_to_dict(awkward)["dbname"]
    with psycopg.connect(plain, autocommit=True) as connection:
        for setting, value in AWKWARD.items():
            connection.execute(
                sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                    sql.Identifier(str(name)), sql.Identifier(setting), sql.Literal(value)
                )
            )
    found = []
    for url in (plain, awkward):
        with database.connect(url) as connection:
            surface.fill(connection)
            found.append(
                [
                    rows(connection, "SELECT * FROM tagdb.recommend_for_image(3)"),
                    rows(
                        connection,
                        "SELECT hashtag, starts_on, images FROM tagdb.hashtag_trend_weekly ORDER BY 1, 2",
                    ),
                    rows(connection, "SELECT '2026-11-30 12:00+01'::timestamptz, '{NULL}'::text[]"),
                ]
            )
            shown = {
                name: rows(connection, "SELECT current_setting(%s, true)", name)[0][0]
                for name in session_settings.PINNED
            }
            known = {name: value for name, value in shown.items() if value is not None}
            assert known == {name: session_settings.PINNED[name] for name in known}
    assert found[0] == found[1]


@pytest.mark.parametrize("limit", ["idle_session_timeout", "statement_timeout"])
def test_a_time_limit_that_is_over_at_once(make_database: Callable[[bool], str], limit: str) -> None:
    """Before the statement arrives that lifts it, or while it runs."""
    url = make_database(True)
    name = str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])
    administer(url, f"ALTER DATABASE {{}} SET {limit} = 1", name)
    for _ in range(20):
        with database.connect(url) as connection:
            assert rows(connection, "SELECT pg_sleep(0.01)::text, 1") == [("", 1)]


@pytest.fixture
def setting(make_database: Callable[[bool], str]) -> Callable[[str], str]:
    """A function that makes a database for which something is set, and returns its URL."""

    def make(what: str) -> str:
        url = make_database(True)
        try:
            administer(
                url, f"ALTER DATABASE {{}} SET {what}", str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])
            )
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedObject) as error:
            pytest.skip(str(error))
        return url

    return make


def test_a_database_where_views_are_restricted(setting: Callable[[str], str]) -> None:
    with database.connect(setting("restrict_nonsystem_relation_kind = 'view'")) as connection:
        assert rows(connection, "SELECT count(*) FROM tagdb.images") == [(0,)]


def test_a_database_where_foreign_keys_are_switched_off(
    login: Callable[..., str], setting: Callable[[str], str]
) -> None:
    url = setting("session_replication_role = replica")
    with database.connect(url) as connection:
        assert rows(connection, "SHOW session_replication_role") == [("origin",)]
        _, found = doctor.examine(connection)
        (finding,) = [each for each in found if each.check == "session_replication_role"]
        assert finding.severity == "wrong"
        name = connection.info.dbname
    with pytest.raises(
        DatabaseError, match=f"ask .* to run: ALTER DATABASE {name} RESET session_replication"
    ):
        database.connect(login(url, "tagdb_writer"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(finding.remedy.encode())
    with database.connect(url) as connection:
        assert "session_replication_role" not in [each.check for each in doctor.examine(connection)[1]]


def test_a_database_that_is_set_to_read_only(setting: Callable[[str], str]) -> None:
    url = setting("default_transaction_read_only = on")
    reset = f"run: ALTER DATABASE {psycopg.conninfo.conninfo_to_dict(url)['dbname']} RESET default_transac"
    with (
        pytest.raises(DatabaseError, match=f"^default_transaction_read_only is on, .*{reset}"),
        database.open_database(Settings(Path("/nowhere"), url), print) as connection,
    ):
        surface.fill(connection)
    with database.connect(url) as connection, pytest.raises(DatabaseError, match=reset):
        schema.repair(connection)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute("DROP SCHEMA tagdb, tagdb_store CASCADE")
    with pytest.raises(DatabaseError, match=reset):
        database.migrate(url)


def test_a_login_whose_sessions_run_as_another_role(
    role: Callable[..., str], login: Callable[..., str], make_database: Callable[[bool], str]
) -> None:
    """What it makes belongs to that role; what that role may not do is said of it."""
    owner, weak = role(), role()
    url = make_database(False)
    user = login(url, owner, weak)
    name = str(psycopg.conninfo.conninfo_to_dict(user)["user"])
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION vector")
        connection.execute(f"ALTER ROLE {name} SET role = {owner}".encode())
    database_name = str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])
    with pytest.raises(DatabaseError, match=f"GRANT CREATE ON DATABASE {database_name} TO {owner}$"):
        database.migrate(user)
    administer(url, f"ALTER DATABASE {{}} OWNER TO {owner}", database_name)
    database.migrate(user)
    with psycopg.connect(url, autocommit=True) as connection:
        owners = "SELECT DISTINCT tableowner::text FROM pg_tables WHERE schemaname = 'tagdb_store'"
        assert rows(connection, owners) == [(owner,)]
        connection.execute(f"ALTER ROLE {name} SET role = {weak}".encode())
    undoing = f"run as the role {weak}, which may not do this: .*; run: ALTER ROLE {name} RESET role$"
    with (
        pytest.raises(DatabaseError, match=undoing),
        database.open_database(Settings(Path("/nowhere"), user), print) as connection,
    ):
        rows(connection, "SELECT * FROM tagdb.images")
    with database.connect(user) as connection, pytest.raises(DatabaseError, match="owner can run: tagdb"):
        schema.repair(connection)


def test_functions_do_without_jit(connection: psycopg.Connection) -> None:
    """For others' sessions, too: compiling the plans of a search takes fifty times as long as the search."""
    lacking = rows(
        connection,
        "SELECT p.oid::regprocedure::text FROM pg_proc p"
        " WHERE p.pronamespace IN ('tagdb'::regnamespace, 'tagdb_store'::regnamespace)"
        " AND p.proconfig IS NOT NULL AND NOT 'jit=off' = ANY (p.proconfig)",
    )
    assert lacking == []


@pytest.fixture
def owned(login: Callable[..., str], make_database: Callable[[bool], str]) -> Callable[[str], str]:
    """The URL of an empty database of a login that may make nothing else, after some commands in it."""
    url = make_database(False)
    owner = login(url)
    user = str(psycopg.conninfo.conninfo_to_dict(owner)["user"])

    def made(commands: str) -> str:
        administer(
            url, f"ALTER DATABASE {{}} OWNER TO {user}", str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])
        )
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(commands.encode())
        return owner

    return made


def test_an_owner_who_may_make_no_roles(owned: Callable[[str], str]) -> None:
    """The roles are there, made by another database's tagdb or by an administrator."""
    assert database.migrate(owned("CREATE EXTENSION vector")) == (None, database.SCHEMA_REVISION)


def test_an_owner_who_may_not_make_the_extension(owned: Callable[[str], str]) -> None:
    with pytest.raises(DatabaseError, match=r"administrator to run: CREATE EXTENSION vector$"):
        database.migrate(owned("SELECT 1"))


def test_roles_that_are_missing(owned: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    from tagdb.migrations import objects

    read = objects.read
    monkeypatch.setattr(objects, "read", lambda *of: read(*of).replace("tagdb_reader", "tagdb_nobody"))
    with pytest.raises(DatabaseError, match=r"permission denied to create role; ask .*: CREATE ROLE tagdb_"):
        database.migrate(owned("CREATE EXTENSION vector"))


def test_a_database_without_a_schema_for_extensions(owned: Callable[[str], str]) -> None:
    with pytest.raises(DatabaseError, match=r"no schema for pgvector; make one: CREATE SCHEMA extensions"):
        database.migrate(owned("DROP SCHEMA public"))
    hidden = owned("CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions")
    with pytest.raises(DatabaseError, match="run: GRANT USAGE ON SCHEMA extensions TO tagdb_test_"):
        database.migrate(hidden)
    database.migrate(owned("GRANT USAGE ON SCHEMA extensions TO PUBLIC"))


def test_an_encoding_that_cannot_hold_hashtags(postgres, login: Callable[..., str]) -> None:
    command = "CREATE DATABASE {} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
    administer(postgres.url, command, "tagdb_test_latin")
    try:
        with pytest.raises(DatabaseError, match="the database's encoding is LATIN1, which cannot hold"):
            database.migrate(named(postgres.url, "tagdb_test_latin"))
    finally:
        administer(postgres.url, "DROP DATABASE {} WITH (FORCE)", "tagdb_test_latin")
