"""Who may do what: nobody, a reader, a writer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import sql

from tagdb import database, store
from tagdb.database import Connection
from tagdb.errors import DatabaseError
from tagdb.store import backbones
from tests import seed

QUERY = seed.literal(seed.features(1, 99)[0])
CALLS: dict[str, tuple[object, ...]] = {
    "recommend_for_embedding": (QUERY,),
    "recommend_for_image": (1,),
    "similar_images": (QUERY,),
    "similar_images_to": (1,),
}
"""Every public function, and arguments that give rows in a world."""


def rows(connection: Connection, query: str, *values: object) -> list[tuple[Any, ...]]:
    return connection.execute(query, values).fetchall()


def become(connection: Connection, role: str) -> None:
    """Go on as another role."""
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))


def relations(connection: Connection, schema: str, kinds: str) -> list[str]:
    named = (
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relkind::text = ANY (%s)"
    )
    found = [name for (name,) in rows(connection, named, schema, list(kinds))]
    assert found
    return found


def everything(connection: Connection, schema: str, kinds: str) -> list[sql.SQL | sql.Composed]:
    """Queries that read each relation of a schema."""
    return [
        sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, name))
        for name in relations(connection, schema, kinds)
    ]


def functions(connection: Connection, schema: str) -> list[str]:
    named = (
        "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = %s"
    )
    return [name for (name,) in rows(connection, named, schema)]


def calls(connection: Connection) -> list[sql.SQL | sql.Composed]:
    """Queries that call each public function."""
    assert set(functions(connection, "tagdb")) == set(CALLS), "a public function that no test here calls"
    return [
        sql.SQL("SELECT * FROM {}({})").format(
            sql.Identifier("tagdb", name), sql.SQL(", ").join(map(sql.Literal, arguments))
        )
        for name, arguments in CALLS.items()
    ]


def test_public_has_no_rights(connection: Connection) -> None:
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


def test_a_role_without_rights_sees_nothing(role: Callable[..., str], connection: Connection) -> None:
    seed.world(connection)
    queries = everything(connection, "tagdb", "v") + everything(connection, "tagdb_store", "rp")
    queries += calls(connection)
    become(connection, role())
    for query in queries:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(query)


def test_a_reader(role: Callable[..., str], connection: Connection) -> None:
    seed.world(connection)
    expected = [connection.execute(query).fetchall() for query in calls(connection)]
    assert all(expected)
    views, asked = everything(connection, "tagdb", "v"), calls(connection)
    refused = everything(connection, "tagdb_store", "rpS")
    refused += [sql.SQL("DELETE FROM tagdb.images"), sql.SQL("UPDATE tagdb.hashtags SET hashtag = 'x'")]
    hidden = functions(connection, "tagdb_store")
    become(connection, role("tagdb_reader"))
    for query in views:
        connection.execute(query)
    assert [connection.execute(query).fetchall() for query in asked] == expected
    for query in refused:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(query)
    allowed = "SELECT FROM pg_proc WHERE proname = %s AND has_function_privilege(oid, 'EXECUTE')"
    for name in hidden:
        assert rows(connection, allowed, name) == [], name


def test_a_writer(role: Callable[..., str], connection: Connection) -> None:
    become(connection, role("tagdb_writer"))
    backbone_id = store.add_backbone(connection, seed.identity()).backbone_id
    run = store.begin_ingest_run(connection, ["here"])
    batch = [seed.image(n, f"tag{n % 3}", "all") for n in range(6)]
    rejected = [store.Rejected("m", 1, "bad")]
    assert store.save_batch(connection, run, backbone_id, batch, rejected).new == 6
    more = [seed.image(1, "more", embedded=False, collection="cats")]
    assert store.save_batch(connection, run, backbone_id, more, []).updated == 1
    store.finish_ingest_run(connection, run)
    image_ids, hashtag_ids = store.interactions(connection)
    images, hashtags = np.unique(image_ids), np.unique(hashtag_ids)
    store.discard_factor_run(connection, seed.begin_run(connection, 2))
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
    assert len(store.recommend(connection, embedding)) == 5
    assert [run["status"] for run in store.factor_runs(connection)] == ["failed", "retired", "active"]


def test_a_writer_does_not_own_the_schema(role: Callable[..., str], connection: Connection) -> None:
    seed.world(connection)
    become(connection, role("tagdb_writer"))
    for command in (
        "DROP TABLE tagdb_store.images",
        "DROP VIEW tagdb.images",
        "ALTER TABLE tagdb_store.images ADD COLUMN x int",
        "CREATE TABLE tagdb_store.x ()",
        "CREATE VIEW tagdb.x AS SELECT 1",
        "UPDATE tagdb_store.alembic_version SET version_num = '9'",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(command)


def test_a_writer_leaves_the_vector_index_to_the_owner(
    role: Callable[..., str], connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ingest that went well must not fail at the end over what only the owner of a table may do."""
    monkeypatch.setattr(backbones, "INDEX_FROM", 10)
    world = seed.world(connection)
    connection.execute("ANALYZE tagdb_store.embeddings_1")
    become(connection, role("tagdb_writer"))
    assert not store.ensure_vector_index(connection, world.backbone_id)
    connection.execute("RESET ROLE")
    assert store.ensure_vector_index(connection, world.backbone_id)


def test_logging_in(login: Callable[..., str], database_url: str, connection: Connection) -> None:
    """As the logins that they are for: with a password, and rights through the group only."""
    world = seed.world(connection)
    embedding = world.embeddings[0].astype(np.float32)
    expected = store.recommend(connection, embedding)
    with database.connect(login(database_url, "tagdb_reader")) as reader, database.translated():
        assert database.revision(reader) == database.SCHEMA_REVISION
        database.check_revision(reader)
        assert store.recommend(reader, embedding) == expected
        assert store.readiness(reader).factors
        refused = "ask its owner for the role tagdb_reader or tagdb_writer"
        with pytest.raises(DatabaseError, match=refused), database.translated():
            store.add_backbone(reader, seed.identity(2))
    with database.connect(login(database_url, "tagdb_writer")) as writer, database.translated():
        database.check_revision(writer)
        assert store.recommend(writer, embedding) == expected
        run = store.begin_ingest_run(writer, ["here"])
        assert store.save_batch(writer, run, world.backbone_id, [seed.image(1, "a")], []).new == 1
    with database.connect(login(database_url)) as nobody:
        refused = "permission denied for schema tagdb"
        with pytest.raises(DatabaseError, match=refused), database.translated():
            store.recommend(nobody, embedding)
