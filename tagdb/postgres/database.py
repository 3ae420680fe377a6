"""The database: connecting, the revision of its schema, migrating it, and its errors."""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import conninfo, sql

from tagdb.config import Settings
from tagdb.errors import DatabaseBusy, DatabaseError, DatabaseGone, InvalidArgument, SchemaError, ServerError
from tagdb.hashtags import printable
from tagdb.postgres import pooled
from tagdb.postgres.server import Server, embedded, run_by_account
from tagdb.postgres.session_settings import WITHOUT_LIMITS, settle, undoing
from tagdb.postgres.urls import describe, libpq_url, misread

if TYPE_CHECKING:
    from sqlalchemy import Engine

MIGRATIONS = Path(str(resources.files("tagdb.migrations")))
SCHEMA_REVISION = max(file.name[:4] for file in MIGRATIONS.glob("versions/[0-9]*.py"))
"""Newest revision, which this program needs."""
UNRELEASED = "unreleased"
"""In place of a revision: a schema that a development version made, before revisions were counted anew."""
POSTGRES_AT_LEAST = 15
PGVECTOR_AT_LEAST = (0, 8)

PATIENCE = 60.0
"""How long to wait for a database that went away, in seconds."""
PAUSE = 0.5
"""Seconds between two attempts to reconnect."""

MIGRATION_LOCK = 7_420_110_117
"""Key of the advisory lock held while the schema is changed."""
LOCK_TIMEOUT = "30s"
"""How long an upgrade waits for locks; other sessions wait behind it in the meantime."""


_ENVIRONMENT = threading.Lock()
_WORKER = re.compile(
    r"(?:to the remote node (?:\S+@)?|marked as essential: |failed to connect to |"
    r"while executing command on )(\S+:\d+)"
)
"""In what Citus says of a worker that does not answer."""

Connection = psycopg.Connection[tuple[Any, ...]]
Notify = Callable[[str], None]


@contextmanager
def translated(connection: Connection | None = None, *, by_owner: bool = False) -> Iterator[None]:
    """Turn psycopg's errors into one sentence. Only this function knows PostgreSQL's error classes.

    Given the connection, it also says which of its settings are in the way. ``by_owner`` is for what only the
    database's owner may do.
    """
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        if connection is not None and (role := _other_role(connection)):
            raise DatabaseError(
                f"your sessions run as the role {role}, which may not do this: {reason(error)}; "
                f"{undoing(connection, 'role')}"
            ) from error
        if by_owner:
            raise DatabaseError(
                f"your login may not do this: {reason(error)}; use the database owner's login"
            ) from error
        raise DatabaseError(
            f"your login may not do this: {reason(error)}; "
            f"ask the database's owner for the role {_lacking(reason(error))}"
        ) from error
    except (
        psycopg.errors.UndefinedTable,
        psycopg.errors.UndefinedFunction,
        psycopg.errors.InvalidSchemaName,
    ) as error:
        raise SchemaError(
            f"the database's tagdb schema is incomplete ({reason(error)}); run: tagdb init"
        ) from error
    except (psycopg.errors.DiskFull, psycopg.errors.OutOfMemory) as error:
        raise DatabaseError(
            f"the database is out of space: {reason(error)}; free some and run the same command again"
        ) from error
    except (
        psycopg.errors.LockNotAvailable,
        psycopg.errors.QueryCanceled,
        psycopg.errors.DeadlockDetected,
        psycopg.errors.SerializationFailure,
    ) as error:
        raise DatabaseBusy(
            f"other sessions were in the way: {reason(error)}; run the same command again"
        ) from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        _require_workers(error)
        raise DatabaseGone(
            f"the connection to the database broke: {reason(error)}; run the same command again"
        ) from error
    except psycopg.errors.ReadOnlySqlTransaction as error:
        if connection is not None and not connection.closed:
            require_writable(connection)
        raise DatabaseError(
            f"the server is read-only: {reason(error)}; name the primary if this is a standby, "
            "or see: SHOW default_transaction_read_only"
        ) from error
    except psycopg.errors.InvalidParameterValue as error:  # the message of a function of tagdb's
        raise InvalidArgument(reason(error)) from error
    except UnicodeEncodeError as error:  # of psycopg: a text with bytes of a file name that is not UTF-8
        raise InvalidArgument(
            f"'{printable(str(error.object), 60)}' is not UTF-8, as every text in the database is"
        ) from error
    except psycopg.Error as error:
        _require_workers(error)
        raise DatabaseError(f"the database refused: {reason(error)}") from error


def _require_workers(error: psycopg.Error) -> None:
    """Raise DatabaseGone if an error comes from a worker of a distributed database that does not answer."""
    said = reason(error)
    if isinstance(error, (psycopg.OperationalError, psycopg.InternalError)):  # no SQLSTATE came from there
        said += f"; {error.diag.context}"
    if found := _WORKER.search(said):
        raise DatabaseGone(
            f"the worker {found[1]} of the database does not answer; start it and run the same command again"
        ) from error


def _other_role(connection: Connection) -> str | None:
    """Return the role as which a login's sessions run by a setting, if it is another than the login."""
    if connection.closed or connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        return None
    row = connection.execute("SELECT current_user WHERE current_user <> session_user").fetchone()
    return str(row[0]) if row else None


def is_standby(connection: Connection) -> bool:
    """Whether the server follows another one, so that nothing can be written to it."""
    return connection.info.parameter_status("in_hot_standby") == "on"


def require_writable(connection: Connection) -> None:
    """Raise DatabaseError if nothing can be written by this login here."""
    if is_standby(connection):
        raise DatabaseError("the server is read-only, a standby; name the primary instead")
    if connection.info.parameter_status("default_transaction_read_only") == "on":
        name = "default_transaction_read_only"
        raise DatabaseError(f"{name} is on, so nothing can be written; {undoing(connection, name)}")


def reason(error: BaseException) -> str:
    """Return the first line of an error's message; for one of PostgreSQL's, without its context."""
    message = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return ((message or str(error)).strip().splitlines() or ["no reason given"])[0]


def _lacking(refusal: str) -> str:
    """Return the role that is missing. Without any role, access to the schema itself is refused."""
    found = re.search(" schema (tagdb|tagdb_store)$", refusal)
    roles = {"tagdb": "tagdb_reader", "tagdb_store": "tagdb_writer"}
    return roles[found[1]] if found else "tagdb_reader or tagdb_writer"


def connect(url: str) -> Connection:
    """Open a connection in autocommit mode with a safe ``search_path``, whatever the database's settings.

    Raises
    ------
    DatabaseError
        The database cannot be reached, or refuses the login.
    """
    try:
        conninfo.conninfo_to_dict(libpq_url(url))
    except psycopg.Error:  # its message contains the URL with the password
        raise DatabaseError(
            "the database URL is not valid; check --database-url or TAGDB_DATABASE_URL "
            "(for example postgresql://USER@HOST/DATABASE)"
        ) from None
    if misread(url):
        raise DatabaseError(
            "the database URL is not valid; in a name or a password, write @ as %40, / as %2F, : as %3A, "
            "? as %3F, # as %23 and % as %25"
        )
    try:
        return _opened(url)
    except psycopg.Error as error:
        why = re.sub("^connection (?:failed|is bad): ", "", reason(error))
        raise DatabaseGone(
            f"cannot connect to {describe(url)}: {why}; check --database-url or TAGDB_DATABASE_URL"
        ) from error


def _opened(url: str) -> Connection:
    defaults: dict[str, Any] = {"application_name": "tagdb", "connect_timeout": "10"}
    if trusts_us(url):
        defaults["require_auth"] = "none"  # a server that asks for a password is an impostor
    given = conninfo.conninfo_to_dict(libpq_url(url))
    parts = defaults | given | {"client_encoding": "utf8"}
    with _environment(url):
        connection = pooled.Connection.connect(**parts, autocommit=True)
        try:
            settle(connection)
        except psycopg.OperationalError:
            # A time limit was over before it was lifted. PgBouncer refuses options, so they are not given at
            # once.
            connection.close()
            own = parts.get("options") or os.environ.get("PGOPTIONS", "")
            parts["options"] = f"{own} {WITHOUT_LIMITS}"
            connection = pooled.Connection.connect(**parts, autocommit=True)
            settle(connection)
    return connection


@contextmanager
def _environment(url: str) -> Iterator[None]:
    """Hide libpq's variables from it while it connects to an embedded server."""
    if not embedded(libpq_url(url)):
        yield
        return
    with _ENVIRONMENT:
        hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PG")}
        try:
            yield
        finally:
            os.environ.update(hidden)


def trusts_us(url: str) -> bool:
    """Whether this is root connecting to its embedded server, to which libpq must not send a password."""
    parts = conninfo.conninfo_to_dict(libpq_url(url))
    owner = parts.get("user") == "tagdb" and "password" not in parts
    return owner and psycopg.pq.version() >= 160_000 and run_by_account(str(parts.get("host", "")))


def revision(connection: Connection) -> str | None:
    """The schema's revision, or None where there is no tagdb schema. For any login.

    It is :data:`UNRELEASED` where the table of the revision is without the comment that the first released
    revision makes.
    """
    with translated(connection):
        known = connection.execute(
            "SELECT obj_description(c.oid, 'pg_class')"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = 'tagdb_store' AND c.relname = 'alembic_version'"
            " AND c.relkind = 'r' AND NOT c.relrowsecurity"  # reading such a table runs no code of others
        ).fetchone()
        if known is None:
            return None
        try:
            row = connection.execute("SELECT version_num FROM tagdb_store.alembic_version").fetchone()
        except psycopg.errors.InsufficientPrivilege:
            row = (SCHEMA_REVISION,)  # a reader sees only the public schema, which exists
    if row is None:
        return None
    return str(row[0]) if known[0] else UNRELEASED


def check_revision(connection: Connection) -> None:
    """Raise SchemaError unless the schema has this program's revision."""
    found = revision(connection)
    if found is None:
        raise SchemaError("the database has no tagdb schema yet; run: tagdb init")
    if found == UNRELEASED:
        raise SchemaError(
            "the database was made by a development version of tagdb and cannot be upgraded; name a new one "
            "(with --database-url, or TAGDB_HOME for the embedded one) and ingest the photos again"
        )
    if found < SCHEMA_REVISION:
        raise SchemaError(
            f"the database's schema has revision {found}, this tagdb needs {SCHEMA_REVISION}; run: tagdb init"
        )
    if found > SCHEMA_REVISION:
        raise SchemaError(
            f"the database's schema has revision {found}, newer than this tagdb knows ({SCHEMA_REVISION}); "
            "upgrade tagdb"
        )


def engine(url: str) -> "Engine":
    """Return an SQLAlchemy engine that connects like :func:`connect`, for migrations."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    def creator() -> Connection:
        connection = _opened(url)
        connection.autocommit = False
        return connection

    return create_engine("postgresql+psycopg://", creator=creator, poolclass=NullPool)


def migrate(url: str, lock_timeout: str = LOCK_TIMEOUT) -> tuple[str | None, str]:
    """Create the schema or upgrade it to the newest revision. Return the revisions before and after.

    Can run in several places at once: it holds an advisory lock and is one transaction.

    Raises
    ------
    SchemaError
        The schema is newer than this program, or a development version made it.
    DatabaseError
        PostgreSQL or pgvector is too old or missing, the login may not create schemas, or other sessions used
        the tables for longer than ``lock_timeout``. The schema is unchanged.
    """
    with connect(url) as connection:
        before = revision(connection)
        if before is not None and (before == UNRELEASED or before > SCHEMA_REVISION):
            check_revision(connection)
        if before == SCHEMA_REVISION:
            return before, SCHEMA_REVISION
        check_server(connection)
        require_writable(connection)
        pooled.require_session(connection, "changing the schema")

    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError
    from sqlalchemy.exc import DBAPIError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with engine(url).begin() as connection_:
            config.attributes |= {"connection": connection_, "lock_timeout": lock_timeout}
            command.upgrade(config, "head")
    except CommandError:  # unknown revision: a newer tagdb has just upgraded the schema
        with connect(url) as connection:
            check_revision(connection)
        raise
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):  # no role of tagdb's grants this
            raise DatabaseError(
                f"your login may not create or upgrade the tagdb schema: {reason(error.orig)}; "
                f"ask the database's administrator to run: {_remedy(url, error.orig)}"
            ) from error
        if isinstance(error.orig, psycopg.errors.LockNotAvailable):
            raise DatabaseError(
                f"other sessions have locked tagdb's tables for {lock_timeout}, and the schema is unchanged; "
                "end them and run again: tagdb init"
            ) from error
        with translated():
            raise error.orig or error from error
    return before, SCHEMA_REVISION


def _remedy(url: str, refusal: psycopg.Error) -> str:
    """Return what an administrator can do so that the owner of a database can create the schema."""
    if refusal.diag.message_hint and "CREATE ROLE" in refusal.diag.message_hint:
        return refusal.diag.message_hint
    what = re.search('permission denied for (database|schema) (?:"(.*)"|(.*))$', reason(refusal))
    if "extension" in reason(refusal):
        return "CREATE EXTENSION vector"
    if what:
        with connect(url) as connection:  # by a setting, its sessions may run as another role
            login = connection.execute("SELECT quote_ident(current_user)").fetchone() or ("",)
        right = "CREATE" if what[1] == "database" else "USAGE, CREATE"
        return f"GRANT {right} ON {what[1].upper()} {_quoted(what[2] or what[3])} TO {login[0]}"
    return "tagdb init"


def _quoted(name: str) -> str:
    return name if re.fullmatch("[a-z_][a-z0-9_]*", name) else '"{}"'.format(name.replace('"', '""'))


def make_database(url: str, name: str) -> None:
    """Create an empty database on a URL's server, replacing one of the same name."""
    drop_database(url, name)
    with connect(url) as connection, translated(connection):
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def drop_database(url: str, name: str) -> None:
    """Drop a database on a URL's server, if it exists."""
    with connect(url) as connection, translated(connection):
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def check_server(connection: Connection) -> None:
    """Raise DatabaseError if PostgreSQL or pgvector is too old, or pgvector is missing."""
    version = connection.info.server_version // 10_000
    if version < POSTGRES_AT_LEAST:
        raise DatabaseError(f"this is PostgreSQL {version}; tagdb needs {POSTGRES_AT_LEAST} or newer")
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise DatabaseError(
            f"the database's encoding is {encoding}, which cannot hold all hashtags; make another: "
            "CREATE DATABASE photos ENCODING 'UTF8' TEMPLATE template0"
        )
    row = connection.execute(
        "SELECT coalesce(installed_version, default_version) FROM pg_available_extensions"
        " WHERE name = 'vector'"
    ).fetchone()
    if row is None:
        raise DatabaseError(
            "this PostgreSQL does not have pgvector; install the package postgresql-NN-pgvector"
        )
    found = tuple(int(part) for part in str(row[0]).split(".")[:2])
    if found < PGVECTOR_AT_LEAST:
        raise DatabaseError(
            f"this PostgreSQL has pgvector {row[0]}; tagdb needs 0.8 or newer (ALTER EXTENSION vector UPDATE)"
        )


def ensure_url(settings: Settings, notify: Notify) -> str:
    """Return the database's URL. Start the embedded server if that is used and not running."""
    if settings.database_url:
        return settings.database_url
    server = Server(settings.home)
    try:
        started = server.start(port=settings.port)
    except ServerError:
        if not server.status().running:
            raise
        started = False  # it runs without that port, which the socket does not need
    if started:
        stop = f"{settings.here}tagdb db stop"
        notify(f"started the embedded PostgreSQL in {settings.home}; it runs until: {stop}")
    return server.url()


@contextmanager
def open_database(settings: Settings, notify: Notify) -> Iterator[Connection]:
    """Connect to a database with the right schema. The embedded one is initialised on first use.

    PostgreSQL's errors inside the block become one sentence (see :func:`translated`).
    """
    url = ensure_url(settings, notify)
    with connect(url) as connection:
        if settings.database_url is None and revision(connection) is None:
            migrate(url)
        check_revision(connection)
        with translated(connection):
            yield connection


def gone(connection: Connection, error: psycopg.Error) -> bool:
    """Whether an error means that the connection broke, so that the query may be repeated."""
    ending = (psycopg.errors.AdminShutdown, psycopg.errors.CrashShutdown, psycopg.errors.CannotConnectNow)
    return connection.closed or isinstance(error, ending)


def reconnect(
    settings: Settings, notify: Notify, *, writable: bool = True, patience: float = PATIENCE
) -> Connection:
    """Reconnect to a database that went away, waiting for it for up to ``patience`` seconds.

    The embedded server is restarted if it crashed, but not if it was stopped.

    Parameters
    ----------
    writable
        Wait until it can be written to, which a standby can after its promotion.

    Raises
    ------
    DatabaseError
        The database did not come back.
    SchemaError
        It came back with another schema.
    """
    notify("the connection to the database broke; reconnecting")
    until = time.monotonic() + patience
    while True:
        try:
            url, server = settings.database_url, Server(settings.home)
            if url is None:
                if server.crashed():
                    server.start(port=settings.port)
                url = server.url()
            connection = connect(url)
            with translated(connection):
                if writable and connection.execute("SHOW transaction_read_only").fetchone() == ("on",):
                    connection.close()
                    raise DatabaseError("the server is read-only, such as a standby")
                check_revision(connection)
            return connection
        except SchemaError:
            raise
        except DatabaseError as error:
            if time.monotonic() > until:
                raise DatabaseError(f"the database did not come back: {error}") from error
            time.sleep(PAUSE)
