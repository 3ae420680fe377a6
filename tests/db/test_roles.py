"""Who may do what: nobody, a reader, a writer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from psycopg import errors

from tagdb import factors, folding_in, store
from tagdb.errors import DatabaseError
from tagdb.learning.settings import FactorSettings
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.store import index
from tests.support import golden, seed
from tests.support.postgres import become, rows
from tests.support.surface import ANALYSING, ASKING, PUBLIC, VIEWING, WRITING, call

NO_ROLE, ASKER, READER, ANALYST, WRITER, OWNER = (
    "no role",
    "tagdb_asker",
    "tagdb_reader",
    "tagdb_analyst",
    "tagdb_writer",
    "owner",
)
READ_ONLY = {"alembic_version", "factor_runs", "hashtag_edits", "projections", "statistics"} | {
    f"hashtag_{statistic}" for statistic in ("counts", "collections", "pairs", "trend")
}
"""Tables that a writer changes through functions only."""


def everything(connection: Connection, schema: str, kinds: str) -> list[str]:
    """Queries that read each relation of a schema."""
    named = (
        "SELECT format('%%I.%%I', n.nspname, c.relname) FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relkind::text = ANY (%s)"
    )
    found = rows(connection, named, schema, list(kinds))
    assert found
    return [f"SELECT * FROM {name}" for (name,) in found]


# --- what each login may do, by trying -----------------------------------------------------------

LEGEND = """\
What each login may do, by trying. "no role" is any login, and so what PUBLIC may.
r SELECT  i INSERT  u UPDATE  d DELETE  t TRUNCATE  n nextval  x EXECUTE
U USAGE of a schema  C CREATE in it  o DROP, as owners may
"""


KINDS = {"v": "VIEW", "m": "MATERIALIZED VIEW", "f": "FOREIGN TABLE", "S": "SEQUENCE"}


class Object(NamedTuple):
    """Something in the schemas, or one of them."""

    schema: str
    group: str
    name: str


Attempts = dict[str, list[str]]
"""Commands by letter: whoever has the right to one of them gets the letter."""


def objects(connection: Connection) -> dict[Object, Attempts]:
    """Everything that there is in the schemas, in order, and how to try what may be done with it."""
    found: dict[Object, Attempts] = {}
    for schema in ("tagdb", "tagdb_store"):
        found[Object(schema, "the schema", schema)] = {
            "U": [f"SELECT '{schema}.nothing'::regclass"],
            "C": [f"CREATE TABLE {schema}.probe ()"],
            "o": [f"DROP SCHEMA {schema}"],
        }
    relations = rows(
        connection,
        "SELECT n.nspname, c.relname, c.relkind::text, c.relispartition,"
        " array_agg(a.attname ORDER BY a.attnum) FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE n.nspname IN ('tagdb', 'tagdb_store') AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')"
        " GROUP BY 1, 2, 3, 4 ORDER BY 1, 2",
    )
    for schema, name, letter, is_partition, columns in relations:
        kind, this = KINDS.get(letter, "TABLE"), f"{schema}.{name}"
        attempts = {"r": [f"SELECT FROM {this}"]}  # of no column: a right to any of them is enough
        if kind == "SEQUENCE":
            attempts["n"] = [f"SELECT nextval('{this}')"]
        else:
            attempts["i"] = [f"INSERT INTO {this} DEFAULT VALUES"]
            attempts["u"] = [f"UPDATE {this} SET {column} = DEFAULT WHERE false" for column in columns]
            attempts["d"] = [f"DELETE FROM {this} WHERE false"]
            attempts["t"] = [f"TRUNCATE {this}"]
        attempts["o"] = [f"DROP {kind} {this}"]
        group = f"{kind.lower()}s"
        if is_partition:
            group = "partitions"
        elif kind == "TABLE" and name[-1].isdigit():
            group = "tables in the making"
        found[Object(schema, group, name)] = attempts
    functions = rows(
        connection,
        "SELECT n.nspname, p.proname, p.prokind = 'p'"
        " FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname IN ('tagdb', 'tagdb_store')"
        " AND p.prorettype <> 'trigger'::regtype"  # which nobody can call
        " ORDER BY 1, 2",
    )
    for schema, name, procedure in functions:
        this = Object(schema, "functions", name)
        assert this not in found, f"two functions {schema}.{name}: try them both"
        found[this] = {
            "x": [call(schema, name)],
            "o": [f"DROP {'PROCEDURE' if procedure else 'FUNCTION'} {schema}.{name}"],
        }
    return found


def may(connection: Connection, command: str) -> bool:
    """Whether the current role has the right to a command, also to one that fails; it is undone."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(command)
    except errors.InsufficientPrivilege:
        return False
    except (errors.ObjectNotInPrerequisiteState, errors.GeneratedAlways, errors.WrongObjectType):
        return False  # nobody may write to a view of a join or to a view's identity, or truncate a view
    except errors.FeatureNotSupported:
        # Nobody may update what a view computes; but only who may truncate a table hears of foreign keys.
        return command.startswith("TRUNCATE")
    except (
        errors.IntegrityError,
        errors.DependentObjectsStillExist,
        errors.InvalidParameterValue,
        errors.InvalidTransactionTermination,
    ):
        return True
    except errors.UndefinedTable:
        return command.endswith("nothing'::regclass")  # whoever may use a schema hears that
    return True


def tried(connection: Connection, login: str | None, let_in: bool = False) -> dict[Object, str]:
    """The letters of a login, or of the owner; ``let_in``: as if it had USAGE of both schemas."""
    found = objects(connection)
    with connection.transaction(force_rollback=True):
        if let_in:
            connection.execute(f"GRANT USAGE ON SCHEMA tagdb, tagdb_store TO {login}")
        if login is not None:
            connection.execute(f"SET LOCAL ROLE {login}")
        return {
            this: "".join(
                letter
                for letter, commands in attempts.items()
                if any(may(connection, command) for command in commands)
            )
            for this, attempts in found.items()
        }


def table(columns: dict[str, dict[Object, str]]) -> str:
    """What was tried, a group for each kind of object of a schema and a line for each object."""
    lines = LEGEND.splitlines()
    group = ""
    for this in sorted(
        columns[OWNER], key=lambda that: (that.schema, that.group != "the schema", that.group)
    ):
        if group != (group := f"{this.schema}: {this.group}"):
            lines += ["", f"{group:52}" + "".join(f"{login:14}" for login in columns).rstrip()]
        name = re.sub(r"_\d+$", "_N", this.name)  # of whatever backbone or factor run
        cells = "".join(f"{found[this] or '-':14}" for found in columns.values()).rstrip()
        lines.append(f"  {name:50}{cells}")
    return "\n".join(lines) + "\n"


def test_public_has_no_rights(connection: Connection) -> None:
    """By the catalog, also those that are not tried."""
    seed.world(connection)
    seed.begin_run(connection, 3)
    rights = (
        "SELECT o.name, a.privilege_type FROM ("
        " SELECT n.nspname::text AS name, coalesce(n.nspacl, acldefault('n', n.nspowner)) AS acl"
        " FROM pg_namespace n WHERE n.nspname ~ '^tagdb'"
        " UNION ALL SELECT c.oid::regclass::text, coalesce(c.relacl, acldefault('r', c.relowner))"
        " FROM pg_class c WHERE c.relnamespace::regnamespace::text ~ '^tagdb' AND c.relkind::text ~ '[rpvmf]'"
        " UNION ALL SELECT c.oid::regclass::text, coalesce(c.relacl, acldefault('s', c.relowner))"
        " FROM pg_class c WHERE c.relnamespace::regnamespace::text ~ '^tagdb' AND c.relkind = 'S'"
        " UNION ALL SELECT p.oid::regprocedure::text, coalesce(p.proacl, acldefault('f', p.proowner))"
        " FROM pg_proc p WHERE p.pronamespace::regnamespace::text ~ '^tagdb'"
        ") o, aclexplode(o.acl) a WHERE a.grantee = 0"
    )
    assert rows(connection, rights) == []


def test_the_permissions_of_every_login_are_as_agreed(
    role: Callable[..., str], populated: Connection
) -> None:
    """``pytest tests/db/test_roles.py -k permissions -s`` shows them."""
    logins = (
        {NO_ROLE: role()} | {group: role(group) for group in (ASKER, READER, ANALYST, WRITER)} | {OWNER: None}
    )
    found = table({name: tried(populated, login) for name, login in logins.items()})
    print(f"\n{found}")
    golden.compare("permissions.txt", found)


def test_without_a_role_nothing(role: Callable[..., str], populated: Connection) -> None:
    """Not even the schemas; and nothing in them either, should somebody grant those."""
    login = role()
    assert set(tried(populated, login).values()) == {""}
    found = tried(populated, login, let_in=True)
    assert {this.name for this, letters in found.items() if letters} == {"tagdb", "tagdb_store"}


def test_an_asker_only_asks(role: Callable[..., str], populated: Connection) -> None:
    may = {"workers", "request_state", "answer"} | ASKING
    login = role(ASKER)
    for this, letters in tried(populated, login).items():
        assert letters == ("x" if this.name in may else "U" if this.name == "tagdb" else ""), this
    for this, letters in tried(populated, login, let_in=True).items():
        assert this.schema == "tagdb" or letters == "U" * (this.group == "the schema"), this


def test_a_reader_only_reads_and_asks(role: Callable[..., str], populated: Connection) -> None:
    login = role(READER)
    expected = {("tagdb", "the schema"): "U", ("tagdb", "views"): "r", ("tagdb", "functions"): "x"}
    for this, letters in tried(populated, login).items():
        if this.schema == "tagdb" and this.name in WRITING | ANALYSING:
            assert letters == "", this
        else:
            assert letters == expected.get((this.schema, this.group), ""), this
    for this, letters in tried(populated, login, let_in=True).items():
        own = {"the schema": "U", "functions": "x" * (this.name in VIEWING)}.get(this.group, "")
        assert this.schema == "tagdb" or letters == own, this


def test_a_reader_sees_what_the_owner_sees(role: Callable[..., str], populated: Connection) -> None:
    queries = everything(populated, "tagdb", "v") + [
        call("tagdb", name) for name in PUBLIC if name not in WRITING | ANALYSING | ASKING
    ]
    seen = [populated.execute(query).fetchall() for query in queries]
    assert all(seen)
    become(populated, role(READER))
    assert [populated.execute(query).fetchall() for query in queries] == seen


def test_an_analyst_is_a_reader_who_gets_vectors_and_thumbnails(
    role: Callable[..., str], populated: Connection
) -> None:
    reader, analyst = tried(populated, role(READER)), tried(populated, role(ANALYST))
    more = {this for this in analyst if analyst[this] != reader[this]}
    assert {(this.schema, this.name) for this in more} == {("tagdb", name) for name in ANALYSING}
    assert {analyst[this] for this in more} == {"x"}
    queries = [call("tagdb", name) for name in ANALYSING]
    seen = [populated.execute(query).fetchall() for query in queries]
    become(populated, role(ANALYST))
    assert [populated.execute(query).fetchall() for query in queries] == seen
    assert all(answer is not None for ((answer,),) in seen)


def test_what_a_writer_must_not(role: Callable[..., str], populated: Connection) -> None:
    found = tried(populated, role(WRITER))
    for this, letters in found.items():
        assert not set(letters) & set("tCo"), this
        if this.schema == "tagdb" and this.group == "views":
            assert letters == "r", this
        if this.group == "sequences":
            assert letters == "", this
    tables = {this.name: letters for this, letters in found.items() if this.group == "tables"}
    assert {name: tables[name] for name in READ_ONLY} == dict.fromkeys(READ_ONLY, "r")
    assert tables["tokens"] == ""


def test_a_writer_ingests_and_decides(role: Callable[..., str], connection: Connection) -> None:
    become(connection, role(WRITER))
    backbone_id = store.backbones.add(connection, seed.identity())
    run = store.ingest_runs.begin(connection, ["here"])
    batch = [seed.image(n, f"tag{n % 3}", "all") for n in range(6)]
    rejected = [store.batches.Rejected("m", 1, "bad", "invalid_record")]
    assert store.batches.save(connection, run, backbone_id, batch, rejected).new == 6
    more = [seed.image(1, "more", embedded=False, collection="cats")]
    assert store.batches.save(connection, run, backbone_id, more, []).updated == 1
    store.ingest_runs.finish(connection, run)
    pairs = store.runs.interactions(connection)
    images, hashtags = np.unique(pairs.image_ids), np.unique(pairs.hashtag_ids)
    store.runs.discard(connection, seed.begin_run(connection, 2))
    for _ in range(2):
        seed.add_run(
            connection,
            images,
            np.ones((len(images), 2), np.float16),
            hashtags,
            np.ones((len(hashtags), 2), np.float16),
        )
    for query in everything(connection, "tagdb", "v") + everything(connection, "tagdb_store", "p"):
        connection.execute(query)
    embedding = seed.features(1, 1)[0].astype(np.float32)
    assert len(store.answers.recommend(connection, embedding)) == 5
    assert [run.status for run in store.runs.list_all(connection)] == ["failed", "retired", "active"]


def test_a_writer_computes_and_gives_feedback(role: Callable[..., str], connection: Connection) -> None:
    """Everything that the life of factor runs needs; factors are folded in by an ingest, too."""
    become(connection, role(WRITER))
    backbone_id = store.backbones.add(connection, seed.identity())
    run = store.ingest_runs.begin(connection, ["here"])
    batch = [seed.image(n, f"tag{n % 3}", "all") for n in range(9)]
    store.batches.save(connection, run, backbone_id, batch[:6], [])
    plan = FactorSettings(factors=2, min_hashtags=1)
    first, second = (factors.compute(connection, plan, quiet=True).factor_run_id for _ in range(2))
    store.runs.note_metrics(connection, second, {"precision": 0.5})
    store.batches.save(connection, run, backbone_id, batch[6:], [])
    assert folding_in.fold_in_missing(connection) == 3
    given = store.feedback.give(connection, batch[0].content_sha256, ["fine"], ["all"])
    assert given is not None
    assert (given.accepted, given.rejected) == (1, 1)
    assert store.feedback.rejected_hashtags(connection, batch[0].content_sha256) == ["all"]
    assert store.feedback.acceptance(connection)[0].factor_run_id == second
    assert factors.rollback(connection) == first
    assert factors.difference(connection, first, second).images == 9
    assert factors.prune(connection, 1, quiet=True) == factors.Pruned([second], [])
    store.runs.save_defaults(connection, FactorSettings(factors=3), {})
    assert store.runs.default_settings(connection) == FactorSettings(factors=3)
    assert store.runs.forget_defaults(connection)
    for table in ("factor_runs", "feedback"):
        for command in (
            f"UPDATE tagdb_store.{table} SET factor_run_id = DEFAULT",
            f"DELETE FROM tagdb_store.{table}",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(command)  # type: ignore[call-overload]


def test_a_writer_builds_the_vector_index(
    role: Callable[..., str], connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever ingests builds it."""
    monkeypatch.setattr(index, "INDEX_FROM", 10)
    world = seed.world(connection)
    connection.execute("ANALYZE tagdb_store.embeddings_1")  # as autovacuum does: a writer may not
    become(connection, role(WRITER))
    assert store.index.ensure(connection, world.backbone_id)
    status = store.index.status(connection)
    assert status is not None
    assert status.search_vectors == status.embeddings > 0
    assert store.index.drop(connection, world.backbone_id)


def test_a_writer_says_how_hard_to_search(
    login: Callable[..., str], database_url: str, connection: Connection
) -> None:
    """In a session that has not met a vector yet: pgvector's settings are not known there."""
    world = seed.world(connection)
    with database.connect(login(database_url, WRITER)) as writer:
        store.index_checks.set_effort(writer, world.backbone_id, store.index_checks.Effort(120, 345))
    settings = "SELECT 'hnsw.ef_search=345' = ANY (proconfig) FROM pg_proc WHERE proname = 'candidates'"
    assert rows(connection, settings) == [(True,)]
    status = store.index.status(connection)
    assert status is not None
    assert (status.candidates, status.ef_search) == (120, 345)


def test_logins_get_their_rights_through_the_group_only(
    login: Callable[..., str], database_url: str, connection: Connection
) -> None:
    """As the logins that they are for: with a password, and rights through the group only."""
    world = seed.world(connection)
    embedding = world.embeddings[0].astype(np.float32)
    expected = store.answers.recommend(connection, embedding)
    with database.connect(login(database_url, READER)) as reader, database.translated():
        assert database.revision(reader) == database.SCHEMA_REVISION
        database.check_revision(reader)
        assert store.answers.recommend(reader, embedding) == expected
        assert store.answers.readiness(reader).factors
        refused = (
            "permission denied for schema tagdb_store; ask the database's owner for the role tagdb_writer$"
        )
        with pytest.raises(DatabaseError, match=refused), database.translated():
            store.backbones.add(reader, seed.identity(2))
    with database.connect(login(database_url, WRITER)) as writer, database.translated():
        database.check_revision(writer)
        assert store.answers.recommend(writer, embedding) == expected
        run = store.ingest_runs.begin(writer, ["here"])
        assert store.batches.save(writer, run, world.backbone_id, [seed.image(1, "a")], []).new == 1
    with database.connect(login(database_url)) as nobody:
        refused = "permission denied for schema tagdb; ask the database's owner for the role tagdb_reader$"
        with pytest.raises(DatabaseError, match=refused), database.translated():
            store.answers.recommend(nobody, embedding)
