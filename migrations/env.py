"""Alembic's entry point, for ``tagdb init`` and for ``alembic`` typed by hand.

All revisions of one upgrade run in a single transaction under an advisory lock, so that several
machines may start it at once and a failure leaves the schema as it was.
"""

import os

from alembic import context
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql.base import ischema_names

from tagdb.database import engine
from tagdb.models import metadata

ischema_names["halfvec"] = HALFVEC  # autogenerate must know the type to compare it

LOCK = 7_420_110_117
"""Key of the advisory lock that migrations hold."""


def include_name(name: str | None, kind: str, parents: dict[str, str | None]) -> bool:
    """Compare only what migrations make: not other schemas, nor partitions made at run time."""
    if kind == "schema":
        return name == "tagdb_store"
    if kind == "table" and name is not None:
        return name == "alembic_version" or name in {table.name for table in metadata.tables.values()}
    return True


def run(connection: Connection) -> None:
    """Migrate on an open connection."""
    connection.execute(text("SET LOCAL lock_timeout = '30s'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    connection.execute(text("SET LOCAL client_min_messages = warning"))
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS tagdb_store"))
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
    # Objects name pgvector's types and operators plainly; they are resolved once, here, by the
    # schema that the extension really is in, and stored by identity.
    connection.execute(
        text(
            "SELECT set_config('search_path', 'pg_catalog, ' || quote_ident(n.nspname), true)"
            " FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector'"
        )
    )
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table_schema="tagdb_store",
        include_schemas=True,
        include_name=include_name,
        compare_server_default=False,
    )
    with context.begin_transaction():
        context.run_migrations()


def main() -> None:
    """Use the caller's connection, or connect to the URL that was given."""
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
