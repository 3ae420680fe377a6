"""Nobody becomes more than they are, and nobody's objects run with another's rights."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import psycopg
import pytest
from click.testing import Result
from psycopg import conninfo, errors, sql

from tagdb import config
from tagdb.cli import COMMANDS
from tagdb.embedder import Embedder
from tagdb.errors import SchemaError
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.requests import RequestWorker
from tests.support import evaluated
from tests.support.commands import invoke
from tests.support.postgres import become
from tests.support.programs import drawn
from tests.support.surface import INTERNAL, PUBLIC, call

ROOT = Path(__file__).parents[2]
SOURCES = [*ROOT.glob("tagdb/store/sql/**/*.sql"), *ROOT.glob("migrations/**/*.sql")]
SOURCES += [*ROOT.glob("tagdb/**/*.py"), *ROOT.glob("migrations/**/*.py")]
WORDS = sorted(
    {word for path in SOURCES for word in re.findall(r"\b[a-z][a-z0-9_]+\b", path.read_text("utf-8"))}
)
"""Whatever the program's statements may name."""

# Every function and operator that the program may name, with arguments that fit better than PostgreSQL's own
# (of types that PostgreSQL has to convert or calls anyelement), under the same name and in {schemas}; types,
# and views in front of the catalogs. Whatever is run does {what}.
PLANTS = """
DO $plant$
DECLARE
    kinds text[] := {kinds}::text[];
    seconds text[] := '{text,int4,int8,text[],int4[],bool,oid,float8}';
    place text; one text; other text; named text;
BEGIN
    FOREACH place IN ARRAY {schemas}::text[] LOOP
        FOREACH one IN ARRAY kinds LOOP
            FOREACH other IN ARRAY (seconds || one) LOOP
                EXECUTE format('CREATE OR REPLACE FUNCTION %1$s.planted(%2$s, %3$s) RETURNS bool {how}',
                               place, one, other);
                FOREACH named IN ARRAY '{=,<>,<,>,<=,>=,||,~,+,-,*,@>,&&,<=>,<#>}'::text[] LOOP
                    BEGIN
                        EXECUTE format('CREATE OPERATOR %1$s.%2$s (LEFTARG = %3$s, RIGHTARG = %4$s,'
                                       ' FUNCTION = %1$s.planted)', place, named, one, other);
                    EXCEPTION WHEN duplicate_function THEN NULL; -- pgvector's own, in public
                    END;
                END LOOP;
            END LOOP;
        END LOOP;
        FOR named IN SELECT DISTINCT p.proname FROM pg_proc p WHERE p.proname = ANY ({words}::text[])
                     AND p.pronamespace = 'pg_catalog'::regnamespace LOOP
            EXECUTE format('CREATE FUNCTION %1$s.%2$I() RETURNS text {how}', place, named);
            FOREACH one IN ARRAY kinds LOOP
                BEGIN
                    EXECUTE format('CREATE FUNCTION %1$s.%2$I(%3$s) RETURNS %3$s {how}', place, named, one);
                    FOREACH other IN ARRAY '{text,int4,float8}'::text[] LOOP
                        EXECUTE format('CREATE FUNCTION %1$s.%2$I(%3$s, %4$s) RETURNS %3$s {how}',
                                       place, named, one, other);
                    END LOOP;
                EXCEPTION WHEN duplicate_function THEN NULL;
                END;
            END LOOP;
        END LOOP;
        FOREACH named IN ARRAY '{text,jsonb,oid,name,regclass,bytea,timestamptz,halfvec,vector}'::text[] LOOP
            BEGIN
                EXECUTE format('CREATE DOMAIN %1$s.%2$I AS pg_catalog.text CHECK (%1$s.planted(1, 1))',
                               place, named);
            EXCEPTION WHEN duplicate_object THEN NULL;
            END;
        END LOOP;
        FOR named IN SELECT c.relname FROM pg_class c WHERE c.relname = ANY ({words}::text[])
                     AND c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind IN ('r', 'v') LOOP
            BEGIN
                EXECUTE format('CREATE VIEW %1$s.%2$I AS SELECT * FROM pg_catalog.%2$I'
                               ' WHERE %1$s.planted(1, 1)', place, named);
            EXCEPTION WHEN invalid_table_definition THEN NULL; -- a column of type anyarray
            END;
        END LOOP;
    END LOOP;
END
$plant$
"""


KINDS = (
    "text,varchar,name,int4,int8,int2,float4,float8,bool,bytea,jsonb,timestamptz,oid,regclass,"
    "text[],int4[],int8[],float4[],name[],public.halfvec,public.vector"
)


def plant(connection: Connection, what: str, *schemas: str, kinds: str = KINDS) -> int:
    """Put lookalikes for some types into schemas, as the connection's role; how many there are."""
    how = f"LANGUAGE plpgsql AS $f$BEGIN {what}; RETURN NULL; END$f$".replace("'", "''").replace("%", "%%")
    text = PLANTS.replace("{how}", how)
    for name, value in (("{schemas}", list(schemas)), ("{words}", WORDS), ("{kinds}", kinds.split(","))):
        text = text.replace(name, sql.quote(value))
    with connection.transaction():
        connection.execute("SET LOCAL search_path = pg_catalog, pg_temp")
        connection.execute(text)  # type: ignore[call-overload]
    query = "SELECT count(*) FROM pg_catalog.pg_proc WHERE proowner = current_user::pg_catalog.regrole"
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


# --- a planted search path ------------------------------------------------------------------------------


class Planted:
    """Databases in which somebody has planted what they could."""

    def __init__(self, role: Callable[..., str]) -> None:
        self.hostile = role()

    def plant(self, url: str, *schemas: str) -> None:
        """Let a role that may create in public, and in a schema of its own, do its worst."""
        with psycopg.connect(url, autocommit=True) as owner:
            name = sql.Identifier(self.hostile)
            owner.execute(sql.SQL("CREATE SCHEMA evil AUTHORIZATION {}").format(name))
            owner.execute(sql.SQL("GRANT CREATE, USAGE ON SCHEMA public TO {}").format(name))
            owner.execute("GRANT USAGE ON SCHEMA evil TO PUBLIC")
            become(owner, self.hostile)
            owner.execute("CREATE SEQUENCE evil.marker")
            owner.execute(
                "CREATE FUNCTION evil.caught() RETURNS void LANGUAGE sql SECURITY DEFINER AS"
                " $$SELECT pg_catalog.nextval('evil.marker')$$"
            )
            planted = plant(owner, "PERFORM evil.caught()", *schemas)
            owner.execute("RESET ROLE")
            path = sql.SQL("ALTER DATABASE {} SET search_path = evil, public, pg_catalog")
            owner.execute(path.format(sql.Identifier(owner.info.dbname)))
        assert planted > 1000
        print(f"{planted} functions planted")
        for path, bait in (("evil, public, pg_catalog", "lower('A'::text)"), ("public", "array_agg(1)")):
            if path.split(",")[0] in schemas:
                assert self.caught(url, path, bait) > 0  # or else they would prove nothing

    def caught(self, url: str, path: str = "pg_catalog", bait: str = "1") -> int:
        """How often anything that was planted has run until now; a bait starts anew."""
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute(sql.SQL("SET search_path = {}").format(sql.SQL(path)))  # type: ignore[arg-type]
            owner.execute(f"SELECT {bait}")  # type: ignore[call-overload]
            owner.execute("SET search_path = pg_catalog")
            row = owner.execute(
                "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM evil.marker"
            ).fetchone()
            owner.execute("ALTER SEQUENCE evil.marker RESTART")
        assert row is not None
        return int(row[0])


@pytest.fixture
def planted(role: Callable[..., str]) -> Planted:
    """Somebody who plants. Ask for them before a database."""
    return Planted(role)


def run(url: str, home: Path, *arguments: object) -> Result:
    """Run a command on a database."""
    return invoke(*arguments, TAGDB_DATABASE_URL=url, TAGDB_HOME=str(home))


def test_no_command_runs_what_was_planted(
    planted: Planted,
    make_database: Callable[[bool], str],
    home: Path,
    chosen: tuple[object, ...],
    tmp_path: Path,
) -> None:
    """Neither from public, where it fits better, nor from a schema that comes before PostgreSQL's own."""
    photos, more = drawn(tmp_path / "photos", 12), drawn(tmp_path / "more", 3, seed=1)
    photo = photos.parent / "0.jpg"
    stored, measured = make_database(True), make_database(True)
    with database.connect(measured) as connection:
        evaluated.fill(connection, 60)
    for url in (stored, measured):
        planted.plant(url, "evil", "public")
    commands: list[tuple[str, tuple[object, ...]]] = [
        (stored, ("init",)),
        (stored, ("ingest", photos, *chosen)),
        (stored, ("stats", "refresh")),
        (stored, ("stats", "show")),
        (stored, ("bi", "grafana")),
        (stored, ("factors", "compute", "--factors", 4, "--min-images", 1)),
        (stored, ("ingest", more, *chosen)),
        (stored, ("recommend", photo, *chosen, "--known", "a", "--diversity", "0.5")),
        (stored, ("similar", photo, *chosen)),
        (stored, ("feedback", photo, "--accepted", "fine", "--rejected", "odd")),
        (stored, ("feedback",)),
        (stored, ("tags", "alias", "fine", "good")),
        (stored, ("tags", "ban", "odd")),
        (stored, ("tags", "list")),
        (stored, ("tags", "undo")),
        (stored, ("index", "build")),
        (stored, ("index", "status")),
        (stored, ("index", "check", "--queries", 3, "--neighbours", 3, "--apply")),
        (stored, ("index", "drop", "--yes")),
        (stored, ("db", "status")),
        (stored, ("db", "grant", planted.hostile, "--role", "reader")),  # refused: it cannot log in
        (stored, ("backbone", "list")),
        (stored, ("export", tmp_path / "kept.jsonl", "--where", "hashtags > 0", "--recommend", 2)),
        (stored, ("originals", tmp_path / "originals")),
        (stored, ("tag", photo, "more")),
        (stored, ("untag", photo, "more")),
        (stored, ("sync", photos, *chosen, "--dry-run")),
        (stored, ("serve", "token", "add", "shop", "--role", "reader")),
        (stored, ("serve", "token", "list")),
        (stored, ("serve", "token", "revoke", "shop")),
        (stored, ("remove", photo, "--yes")),
        (stored, ("backup", tmp_path / "kept")),
        (measured, ("factors", "compute", "--factors", 4)),
        (measured, ("factors", "compute", "--factors", 4, "--activate-if-better")),
        (measured, ("factors", "list")),
        (measured, ("factors", "diff", 1, 2)),
        (measured, ("factors", "activate", 2)),
        (measured, ("factors", "rollback")),
        (measured, ("factors", "prune", "--keep", 1)),
        (measured, ("evaluate", "--folds", 2)),
        (measured, ("tune", "--minutes", 0.02)),
        (measured, ("doctor",)),
    ]
    # the first two make databases, the last ingests what it finds elsewhere
    assert {given[0] for _, given in commands} | {"demo", "restore", "collect", "work"} >= set(COMMANDS)
    for url, given in commands:
        done = run(url, home, *given)
        expected = 1 if "grant" in given or given == ("doctor",) else 0
        assert done.exit_code in (0, expected), (given, done.output)
        assert "bug" not in done.output, (given, done.output)
        assert planted.caught(url) == 0, given
    print(f"{len(commands)} commands, nothing that was planted has run")


def test_photos_by_sql_run_nothing_that_was_planted(
    planted: Planted,
    make_database: Callable[[bool], str],
    home: Path,
    chosen: tuple[object, ...],
    tmp_path: Path,
) -> None:
    """Neither the worker does, nor the procedure, which begins with its caller's rights and search path."""
    photos, url = drawn(tmp_path / "photos", 12), make_database(True)
    assert run(url, home, "ingest", photos, *chosen, "--quiet").exit_code == 0
    planted.plant(url, "evil", "public")
    settings = config.load({"TAGDB_HOME": str(home), "TAGDB_DATABASE_URL": url})
    embedder = Embedder(settings, print, threads=1)
    worker = RequestWorker(embedder, partial(database.reconnect, settings, print, patience=0), print)
    thread = threading.Thread(target=worker.run)
    thread.start()
    photo = (photos.parent / "0.jpg").read_bytes()
    try:
        for path in "public", "pg_catalog, evil, public":
            with psycopg.connect(url, autocommit=True) as asker:
                asker.execute(sql.SQL("SET search_path = {}").format(sql.SQL(path)))  # type: ignore[arg-type]
                while asker.execute("SELECT tagdb.workers()").fetchone() == (0,):
                    pass
                call = (
                    "CALL tagdb.recommend_photo(%b, store => true, hashtags => ARRAY['a'::pg_catalog.text])"
                )
                assert asker.execute(call, (photo,)).fetchone() == ([],)
                with pytest.raises(errors.ObjectNotInPrerequisiteState):
                    asker.execute("CALL tagdb.recommend_photo(%b, seconds => 0)", (photo,))
                with pytest.raises(errors.InvalidParameterValue):
                    asker.execute("CALL tagdb.recommend_photo(%b)", (b"no photo",))
                assert planted.caught(url) == 0
    finally:
        worker.stop()
        thread.join()
        embedder.close()


def test_a_migration_runs_nothing_that_was_planted(
    planted: Planted, make_database: Callable[[bool], str], home: Path
) -> None:
    """What could be taken for PostgreSQL's own is refused; what only comes before it is passed by."""
    url, plain = make_database(False), make_database(True)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("CREATE EXTENSION vector SCHEMA public")
    planted.plant(url, "evil", "public")
    said = f"belongs to '{planted.hostile}' and could be taken for PostgreSQL's own"
    with pytest.raises(SchemaError, match=said):
        database.migrate(url)
    assert planted.caught(url) == 0
    with database.connect(url) as connection:
        assert database.revision(connection) is None
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("CREATE SCHEMA vectors")
        owner.execute("ALTER EXTENSION vector SET SCHEMA vectors")  # as the sentence says
    database.migrate(url)
    assert planted.caught(url) == 0
    defined = (
        "SELECT p.oid::regprocedure::text, replace(pg_get_functiondef(p.oid), 'vectors.', 'public.')"
        " FROM pg_proc p WHERE p.pronamespace::regnamespace::text IN ('tagdb', 'tagdb_store') ORDER BY 2"
    )
    with database.connect(url) as one, database.connect(plain) as other:
        found, expected = (sorted(row[1] for row in each.execute(defined)) for each in (one, other))
    assert found == expected


def test_a_schema_of_somebody_else_is_not_upgraded(role: Callable[..., str], empty_database_url: str) -> None:
    """Triggers in it, say, would run with the rights of whoever upgrades it."""
    hostile = role()
    with psycopg.connect(empty_database_url, autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE SCHEMA tagdb_store AUTHORIZATION {}").format(sql.Identifier(hostile)))
        become(owner, hostile)
        owner.execute("CREATE TABLE tagdb_store.alembic_version (version_num varchar(32) PRIMARY KEY)")
        owner.execute("INSERT INTO tagdb_store.alembic_version VALUES ('0000')")
        owner.execute("COMMENT ON TABLE tagdb_store.alembic_version IS 'as if it were tagdb''s'")
    with pytest.raises(SchemaError, match=f"^the schema tagdb_store belongs to '{hostile}'"):
        database.migrate(empty_database_url)


def test_every_connection_looks_names_up_where_nobody_can_put_any(
    role: Callable[..., str], database_url: str
) -> None:
    name = conninfo.conninfo_to_dict(database_url)["dbname"]
    with psycopg.connect(database_url, autocommit=True) as owner:
        path = sql.SQL("ALTER DATABASE {} SET search_path = public, pg_catalog")
        owner.execute(path.format(sql.Identifier(str(name))))
    with database.connect(database_url) as connection:
        assert connection.execute("SHOW search_path").fetchone() == ("pg_catalog, pg_temp",)
    with database.engine(database_url).connect() as engaged:
        assert engaged.exec_driver_sql("SHOW search_path").scalar() == "pg_catalog, pg_temp"


# --- a writer stays one -----------------------------------------------------------------------------------


def test_temporary_objects_shadow_nothing(login: Callable[..., str], populated_url: str) -> None:
    """What a writer puts into its session is never run with the owner's rights, whatever is called."""
    with psycopg.connect(login(populated_url, "tagdb_writer"), autocommit=True) as writer:
        ran: list[str] = []
        writer.add_notice_handler(lambda notice: ran.append(notice.message_primary or ""))
        # of few types: the end of a session locks all that is temporary, and the server has room for some
        # thousand locks, which are everybody's
        few = "text,int4,public.halfvec"
        planted = plant(writer, "RAISE WARNING 'ran as %', current_user", "pg_temp", kinds=few)
        assert planted > 1000
        for (name,) in writer.execute(
            "SELECT DISTINCT relname FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'v')"
            " AND relnamespace::pg_catalog.regnamespace::pg_catalog.text IN ('tagdb', 'tagdb_store')"
        ).fetchall():
            writer.execute(sql.SQL("CREATE TEMP TABLE {} ()").format(sql.Identifier(name)))
        writer.execute("SET search_path = pg_catalog, pg_temp")
        assert writer.execute("SELECT pg_temp.lower('A'::pg_catalog.text)").fetchone() == (None,)
        mine = f"ran as {writer.info.user}"
        assert ran == [mine]  # as whom it must run
        calls = [call("tagdb", name) for name in PUBLIC] + [call("tagdb_store", name) for name in INTERNAL]
        calls.append("UPDATE tagdb_store.backbones SET ef_search = 7")
        done = 0
        for command in calls:
            try:
                with writer.transaction(force_rollback=True):
                    writer.execute(command)  # type: ignore[call-overload]
                done += 1
            except errors.UndefinedFunction:
                raise  # it was not even found
            except psycopg.Error:
                continue  # arguments that are refused, mostly
        writer.execute("DISCARD TEMP")
    assert set(ran) <= {mine}, set(ran)
    assert done > len(calls) / 2
    print(f"{planted} functions planted, {len(calls)} calls, {done} without an error")


@pytest.mark.parametrize("kind", ["table", "view"])
def test_a_table_that_refreshing_statistics_makes_is_its_own(
    role: Callable[..., str], populated: Connection, kind: str
) -> None:
    """A trigger on it, or a view in its place, would run the session's code with the owner's rights."""
    ran: list[str] = []
    populated.add_notice_handler(lambda notice: ran.append(notice.message_primary or ""))
    become(populated, role("tagdb_writer"))
    columns = "0::bigint AS image_id, ''::text AS collection, now() AS seen_at, 1 AS hashtag_id"
    populated.execute(
        "CREATE FUNCTION pg_temp.ran() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE WARNING 'ran as %', current_user; RETURN NEW; END$$"
    )
    for name in ("tagdb_counted", "tagdb_moved"):
        populated.execute(f"CREATE TEMP {kind} {name} AS SELECT {columns}")  # type: ignore[call-overload]
        if kind == "table":
            populated.execute(
                f"CREATE TRIGGER ran BEFORE INSERT ON {name} FOR EACH ROW EXECUTE FUNCTION pg_temp.ran()"  # type: ignore[call-overload]
            )
    for command in ("refresh_statistics()", "edit_hashtags('ban', '{tag3}')", "undo_hashtag_edit()"):
        with pytest.raises(errors.DuplicateTable):
            populated.execute(f"SELECT tagdb_store.{command}")  # type: ignore[call-overload]
    assert ran == []


FORBIDDEN = (
    "SET SESSION AUTHORIZATION {owner}",
    "SET ROLE {owner}",
    "CREATE ROLE more",
    "GRANT tagdb_writer TO tagdb_reader",
    "ALTER ROLE tagdb_writer SUPERUSER",
    "ALTER EXTENSION vector UPDATE",
    "COPY tagdb_store.images TO PROGRAM 'cat'",
    "COPY tagdb_store.images TO '/tmp/images'",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT pg_reload_conf()",
    "ALTER SYSTEM SET work_mem = '1GB'",
    "CREATE FUNCTION tagdb_store.more() RETURNS void LANGUAGE sql AS ''",
    "CREATE FUNCTION tagdb.more() RETURNS void LANGUAGE sql AS ''",
    "CREATE FUNCTION pg_temp.more() RETURNS void LANGUAGE c AS 'vector'",
    "CREATE OR REPLACE FUNCTION tagdb_store.active_run() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "ALTER FUNCTION tagdb_store.active_run() SECURITY DEFINER",
    "ALTER FUNCTION tagdb_store.candidates RESET ALL",
    "ALTER FUNCTION tagdb_store.active_run() OWNER TO tagdb_writer",
    "CREATE TRIGGER more BEFORE INSERT ON tagdb_store.images FOR EACH ROW EXECUTE FUNCTION"
    " pg_catalog.suppress_redundant_updates_trigger()",
    "CREATE RULE more AS ON INSERT TO tagdb_store.images DO NOTHING",
    "CREATE POLICY more ON tagdb_store.images USING (true)",
    "CREATE INDEX ON tagdb_store.images ((uri || uri))",
    "ALTER TABLE tagdb_store.images ALTER COLUMN uri SET DEFAULT 'x'",
    "ALTER TABLE tagdb_store.images DISABLE TRIGGER ALL",
    "CREATE TABLE tagdb_store.embeddings_7 PARTITION OF tagdb_store.embeddings FOR VALUES IN (7)",
    "CREATE STATISTICS tagdb_store.more ON uri, collection FROM tagdb_store.images",
    "CREATE VIEW tagdb.more AS SELECT 1",
    "COMMENT ON TABLE tagdb_store.images IS 'mine'",
    "UPDATE tagdb_store.alembic_version SET version_num = '9999'",
    "UPDATE tagdb_store.hashtag_edits SET before = '[]'",
    "SET session_replication_role = replica",
    "SET log_statement = 'all'",
    "LOAD '/tmp/more.so'",
)
"""What would make more of a writer, or leave something behind for others to run."""


def test_a_writer_stays_one(login: Callable[..., str], database_url: str) -> None:
    owner = conninfo.conninfo_to_dict(database_url).get("user") or "postgres"
    with psycopg.connect(login(database_url, "tagdb_writer"), autocommit=True) as writer:
        for command in FORBIDDEN:
            with pytest.raises(errors.InsufficientPrivilege):
                writer.execute(command.replace("{owner}", str(owner)))  # type: ignore[call-overload]


@pytest.mark.parametrize("number", [-1, 0, 2147483647])
def test_numbers_name_no_other_table(role: Callable[..., str], populated: Connection, number: int) -> None:
    """The functions that make and drop tables are given numbers; nothing else can be named."""
    tables = "SELECT oid, relname FROM pg_class WHERE relkind IN ('r', 'p', 'i', 'S', 'v') ORDER BY 1"
    before = populated.execute(tables).fetchall()
    become(populated, role("tagdb_writer"))
    for name in ("attach_projection", "index_projection", "attach_factor_run", "activate_factor_run",
                 "discard_factor_run", "prune_factor_run", "retire_projection"):  # fmt: skip
        with suppress(errors.UndefinedTable, errors.InvalidParameterValue):
            populated.execute(f"SELECT tagdb_store.{name}({number})")  # type: ignore[call-overload]
    assert populated.execute(tables).fetchall() == before


def test_readers_have_no_way_to_originals(connection: Connection) -> None:
    """No view and no function of theirs depends on them; see also the matrix in tests/db/test_roles.py.

    Thumbnails, which lie beside them, are for analysts.
    """
    query = (
        "WITH RECURSIVE above AS ("
        " SELECT 'tagdb_store.image_files'::regclass::oid AS oid"
        " UNION SELECT coalesce(r.ev_class, d.objid) FROM above a JOIN pg_depend d ON d.refobjid = a.oid"
        " AND d.deptype = 'n' LEFT JOIN pg_rewrite r ON r.oid = d.objid)"
        " SELECT c.oid::regclass::text FROM above a JOIN pg_class c USING (oid)"
        " WHERE c.relnamespace = 'tagdb'::regnamespace"
        " UNION ALL SELECT p.oid::regprocedure::text FROM above a JOIN pg_proc p USING (oid)"
    )
    assert connection.execute(query).fetchall() == [("thumbnail(bigint)",)]
    column = (
        "SELECT count(*) FROM pg_depend d"
        " JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid"
        " WHERE a.attrelid = 'tagdb_store.image_files'::regclass AND a.attname = 'original'"
        "   AND d.classid <> 'pg_constraint'::regclass"
    )
    assert connection.execute(column).fetchall() == [(0,)]
    bodies = (
        "SELECT proname FROM pg_proc WHERE pronamespace = 'tagdb'::regnamespace AND prosrc ~ 'image_files'"
    )
    assert connection.execute(bodies).fetchall() == [("remove_images",)]  # for writers
