"""Alembic's entry point, for ``tagdb init`` and for ``alembic`` on the command line.

All revisions of an upgrade run in one transaction under an advisory lock, so several machines may start it at
the same time, and a failure leaves the schema unchanged.
"""

import os

from alembic import context
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from tagdb.migrations import objects

from tagdb.errors import SchemaError
from tagdb.postgres.database import (
    LOCK_TIMEOUT,
    MIGRATION_LOCK,
    UNRELEASED,
    check_revision,
    engine,
    revision,
)
from tagdb.postgres.session_settings import SAFE_PATH
from tagdb.postgres.tables import metadata

ischema_names["halfvec"] = HALFVEC  # autogenerate needs the type to compare it

ANOTHER = "10min"
"""How long to wait for another migration, which does the same and gives up by itself."""
STRANGER = """
SELECT r.rolname
FROM pg_namespace n
JOIN pg_roles r ON r.oid = n.nspowner
JOIN pg_database d ON d.datname = current_database()
JOIN pg_roles me ON me.rolname = current_user
WHERE n.nspname = 'tagdb_store'
  AND NOT r.rolsuper
  AND r.oid <> d.datdba
  AND (me.rolsuper OR NOT pg_has_role(me.oid, r.oid, 'MEMBER'))
"""
"""Owner of the schema if its triggers and functions must not run with our rights: neither we, nor a
superuser, the database's owner or a role of ours (not counted for superusers, members of all)."""
NOWHERE = "SELECT pg_catalog.current_schema() IS NULL"
CLOSED = """
SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'vector' AND NOT has_schema_privilege(n.oid, 'USAGE')
"""
"""The schema of pgvector if we may not use it, and with it none of its types."""
LOOKALIKES = """
WITH own AS (
    SELECT d.classid, d.objid
    FROM pg_depend d
    JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
    WHERE d.deptype = 'e'
), objects AS (
    SELECT 'the function ' || p.oid::regprocedure AS what, p.proname AS name, 'f' AS kind,
           p.pronamespace AS namespace, p.proowner AS owner,
           EXISTS (SELECT FROM own WHERE own.classid = 'pg_proc'::regclass AND own.objid = p.oid) AS extension
    FROM pg_proc p
    UNION ALL
    SELECT 'the operator ' || o.oid::regoperator, o.oprname, 'o', o.oprnamespace, o.oprowner,
           EXISTS (SELECT FROM own WHERE own.classid = 'pg_operator'::regclass AND own.objid = o.oid)
    FROM pg_operator o
)
SELECT o.what, r.rolname
FROM objects o
JOIN pg_roles r ON r.oid = o.owner
WHERE o.namespace = (SELECT e.extnamespace FROM pg_extension e WHERE e.extname = 'vector')
  AND NOT o.extension
  AND NOT r.rolsuper
  AND r.rolname <> current_user
  AND EXISTS (SELECT FROM objects k
              WHERE k.kind = o.kind AND k.name = o.name
                AND (k.namespace = 'pg_catalog'::regnamespace OR k.extension))
ORDER BY 1
LIMIT 1
"""
"""Objects of other owners in pgvector's schema with names of PostgreSQL's or pgvector's own. They could match
a call better, and functions that run with their owner's rights are resolved there."""


def include_name(name: str | None, kind: str, parents: dict[str, str | None]) -> bool:
    """Compare only what migrations create: no other schemas, and no partitions created at run time."""
    if kind == "schema":
        return name == "tagdb_store"
    if kind == "table" and name is not None:
        return name == "alembic_version" or name in {table.name for table in metadata.tables.values()}
    return True


def run(connection: Connection) -> None:
    """Migrate on an open connection."""
    _safely(connection)
    connection.execute(text("SET LOCAL client_min_messages = warning"))
    waiting = text("SELECT set_config('lock_timeout', :time, true)")
    connection.execute(waiting, {"time": ANOTHER})
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    connection.execute(waiting, {"time": context.config.attributes.get("lock_timeout", LOCK_TIMEOUT)})
    if owner := connection.scalar(text(STRANGER)):
        raise SchemaError(
            f"the schema tagdb_store belongs to {owner!r}, and what is in it could run with your rights: "
            "run tagdb init as its owner, or drop it if it is none of tagdb's"
        )
    driver = connection.connection.driver_connection
    if revision(driver) == UNRELEASED:
        check_revision(driver)
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS tagdb_store"))
    installed = connection.scalar(text("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector')"))
    connection.execute(text("SET LOCAL search_path TO DEFAULT"))  # determines the schema of an extension
    if not installed and connection.scalar(text(NOWHERE)):
        connection.execute(text("SET LOCAL search_path = public"))  # the default may name none that exists
        if connection.scalar(text(NOWHERE)):
            raise SchemaError(
                "the database has no schema for pgvector; make one: "
                "CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions"
            )
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
    _check_lookalikes(connection)
    if closed := connection.scalar(text(CLOSED)):
        raise SchemaError(
            f"pgvector is in the schema {closed}, which your login may not use; ask its owner to run: "
            f"GRANT USAGE ON SCHEMA {closed} TO {connection.scalar(text('SELECT quote_ident(current_user)'))}"
        )
    execute = connection.execution_options(no_parameters=True).exec_driver_sql
    execute(objects.read("search_path"))
    steps: list[bool] = []  # whether each was an upgrade
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table_schema="tagdb_store",
        include_schemas=True,
        include_name=include_name,
        compare_server_default=False,
        on_version_apply=lambda step, **_: steps.append(step.is_upgrade),
    )
    with context.begin_transaction():
        context.run_migrations()
        if any(steps):
            distributed = bool(execute(objects.read("is_distributed")).scalar())
            for _, statements in objects.statements(distributed):
                execute(statements)
    _check_lookalikes(connection)  # otherwise one could be added in between


def _safely(connection: Connection) -> None:
    connection.execute(text(SAFE_PATH.replace("SET", "SET LOCAL")))


def _check_lookalikes(connection: Connection) -> None:
    """Raise SchemaError if another owner's function or operator could be called instead of PostgreSQL's."""
    _safely(connection)
    if found := connection.execute(text(LOOKALIKES)).first():
        raise SchemaError(
            f"{found[0]} belongs to {found[1]!r} and could be taken for PostgreSQL's own by tagdb's "
            "functions; drop it, or move pgvector to another schema (ALTER EXTENSION vector SET SCHEMA ...)"
        )


def main() -> None:
    """Use the caller's connection, or connect to the given URL."""
    connection = context.config.attributes.get("connection")
    if connection is not None:
        run(connection)
        return
    url = (
        context.get_x_argument(as_dictionary=True).get("url")
        or os.environ.get("TAGDB_DATABASE_URL")
        or context.config.get_main_option("sqlalchemy.url")
    )
    if not url:
        raise SystemExit(
            "name the database: TAGDB_DATABASE_URL=postgresql://… or alembic -x url=postgresql://…"
        )
    with engine(url).begin() as connection:
        run(connection)


main()
