"""Distributing the large tables over many machines, by the extension Citus.

Embeddings, search vectors and image factors are spread over the workers by image; everything else stays on
the coordinator. The few functions that read them get other bodies (migrations/sql/citus), with the same
answers.
"""

from tagdb.errors import DatabaseError
from tagdb.migrations import objects
from tagdb.postgres.database import MIGRATION_LOCK, Connection, require_writable, translated
from tagdb.postgres.pooled import require_session
from tagdb.store.statements import execute, fetch_value

TABLES = ("embeddings", "search_vectors", "image_factors")
"""The tables that are distributed; they have no foreign keys then."""
CITUS_AT_LEAST = 13
"""From this version on, Citus repeats ALTER DATABASE … SET on the workers."""


def is_distributed(connection: Connection) -> bool:
    """Return whether the database is distributed. For any login."""
    row = connection.execute(objects.read("is_distributed")).fetchone()
    return row is not None and bool(row[0])


def distribute(connection: Connection, shards: int | None = None) -> int:
    """Distribute the large tables, with what they hold, in one transaction; return the number of shards.

    Vector indexes are left out: workers build them faster anew than row by row. Every table is divided into
    as many shards. Without a number there is one for each worker: few large ones answer fastest, more can be
    spread over workers that are added later.

    Raises
    ------
    DatabaseError
        The extension Citus is not there, it has no workers, or the database is distributed already.
    """
    require_writable(connection)
    require_session(connection, "distributing a database")
    with translated(), connection.transaction():
        execute(connection, "schema/lock", key=MIGRATION_LOCK)
        found = fetch_value(connection, "distribution/citus_version")
        if found is None:
            raise DatabaseError(
                "the database has no extension citus; install it on the coordinator and its workers, and run "
                "there: CREATE EXTENSION citus"
            )
        if int(str(found).split("-")[0].split(".")[0]) < CITUS_AT_LEAST:
            raise DatabaseError(f"this is Citus {found}; tagdb needs {CITUS_AT_LEAST} or newer")
        if is_distributed(connection):
            raise DatabaseError("the database is distributed already")
        workers = fetch_value(connection, "distribution/workers")
        if not workers:
            raise DatabaseError(
                "Citus has no workers; add them first: SELECT citus_add_node('worker.example', 5432)"
            )
        for setting, value in (
            ("citus.enable_ddl_propagation", "off"),
            ("citus.shard_replication_factor", "1"),
        ):
            execute(connection, "session/set", setting=setting, value=value, local=True)
        connection.execute(objects.read("search_path"))
        for name in objects.different():
            connection.execute(objects.read(name, distributed=True))
        execute(connection, "session/set", setting="citus.enable_ddl_propagation", value="on", local=True)
        execute(connection, "distribution/loosen")
        execute(connection, "distribution/retire")
        shards = shards or int(workers)
        execute(connection, "session/set", setting="citus.shard_count", value=str(shards), local=True)
        execute(connection, "distribution/distribute")
        execute(connection, "distribution/let_writers_in")
        connection.execute(objects.read("ef_search"))
    return shards
