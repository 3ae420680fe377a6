"""Back up tagdb's schemas into one file, and restore them in one transaction.

Uses PostgreSQL's own programs: ``pg_dump`` reads a snapshot, ``pg_restore`` turns it into SQL, and ``psql``
runs it.
"""

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import IO

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from tagdb import __version__, archive, indexing, store
from tagdb.access import GROUPS
from tagdb.archive import CHUNK, Archive, Description
from tagdb.config import Settings
from tagdb.errors import BackupError, DatabaseError, SchemaError
from tagdb.hashtags import printable
from tagdb.postgres import database, session_settings
from tagdb.postgres.database import SCHEMA_REVISION, Connection, Notify
from tagdb.postgres.machine import this_machine
from tagdb.postgres.pooled import require_session
from tagdb.postgres.programs import BUSY, PATIENCE, address, fed, output, program, running, send
from tagdb.progress import track
from tagdb.store.backup import Counts, Target
from tagdb.store.doctor import orphans
from tagdb.store.index import INDEX_FROM
from tagdb.store.statements import statement

SCHEMAS = ("tagdb", "tagdb_store")
TRANSIENT = "tagdb_store.requests"
"""Table of which a backup has no rows: photos that somebody waits for, and answers of an hour."""
COMPRESSION = "gzip:1"
_TRIES = 3
_COLUMN_VERSION = re.compile(rb"\bpg_attver=\d+(, )?|, pg_attver=\d+(?=\))")
"""An option of columns that some minor releases of PostgreSQL set themselves, and that others refuse."""
_RESTORE = ("--format=custom", "--no-owner", "--no-tablespaces", "--no-publications")
_PSQL = ("--no-psqlrc", "--no-password", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-")
_RIGHT = re.compile(r'(?:GRANT|REVOKE) .* (?:TO|FROM) ("(?:[^"]|"")+"|[^" ;]+)(?: WITH GRANT OPTION)?;')


# --- backing up ----------------------------------------------------------------------------------


def back_up(
    settings: Settings, file: Path, notify: Notify, *, force: bool = False, quiet: bool = False
) -> Description:
    """Write a consistent snapshot of all of tagdb's data into one file, while others read and write.

    Parameters
    ----------
    force
        Replace an existing file.

    Raises
    ------
    BackupError
        The file exists or cannot be written, or the login may not read everything.
    SchemaError
        There is no tagdb schema, or it is newer than this program knows, or of a development version.
    """
    file = archive.place(file, force)
    url = database.ensure_url(settings, notify)
    with database.connect(url) as connection, database.translated(connection, by_owner=True):
        schema = database.revision(connection)
        # older ones are allowed, for example to back up before an upgrade
        if schema is None or schema == database.UNRELEASED or schema > SCHEMA_REVISION:
            database.check_revision(connection)
        require_session(connection, "a backup")
        major = connection.info.server_version // 10_000
        pg_dump, version = program("pg_dump", settings.home, major)
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with connection.transaction():
            # this session is idle while pg_dump runs
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            connection.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
            try:
                counts = store.backup.counts(connection)
                server = store.backup.server(connection)
                about = store.backup.size(connection)
                lost = orphans(connection)
            except psycopg.errors.LockNotAvailable as error:
                raise BackupError(BUSY) from error
            if lost:
                raise BackupError(
                    f"{lost[0]}, so no restore would accept the backup; run first: tagdb doctor"
                )
            description = Description(
                format=archive.FORMAT,
                created_at=datetime.now(UTC),
                tagdb=__version__,
                schema=schema or "",
                postgresql=server.postgresql,
                pg_dump=version,
                pgvector=server.pgvector,
                pgvector_schema=server.vector_schema,
                counts=counts,
            )
            command = [
                pg_dump,
                "--format=custom",
                f"--compress={COMPRESSION}",
                f"--snapshot={server.snapshot}",
            ]
            command += [f"--exclude-table-data={TRANSIENT}"]
            command += [f"--lock-wait-timeout={PATIENCE}", *(f"--schema={name}" for name in SCHEMAS)]
            return archive.write(file, _dump(command, url, about, quiet), description, force)


def _dump(command: list[str], url: str, about: int, quiet: bool) -> Iterator[bytes]:
    """Yield the output of pg_dump. It starts again if pruning dropped a table before it was locked."""
    dsn, environment = address(url)
    for attempt in range(_TRIES):
        done = 0
        try:
            with (
                track("backing up", about // 10**6, "MB", quiet) as report,
                running([*command, "--no-password", f"--dbname={dsn}"], environment) as process,
            ):
                while chunk := output(process).read(CHUNK):
                    yield chunk
                    done += len(chunk)
                    report(done // 10**6)
            return
        except BackupError as error:
            if done or "does not exist" not in str(error) or attempt == _TRIES - 1:
                raise


def described(description: Description) -> str:
    """Describe the contents of a backup on one line."""
    counts = description.counts
    run = "no factors" if counts.factor_run is None else f"factor run {counts.factor_run}"
    return f"{counts.images:,} images, {counts.hashtags:,} hashtags, {counts.embeddings:,} embeddings, {run}"


# --- restoring -----------------------------------------------------------------------------------


def check(
    file: Path, settings: Settings | None = None, notify: Notify = print, *, quiet: bool = False
) -> Description:
    """Read and check a whole backup, and whether the database that is named by URL, if any, can take it.

    Raises
    ------
    BackupError, DatabaseError, SchemaError
        As :func:`restore`; but a database that cannot be reached is only mentioned.
    """
    with _opened(file, quiet) as backup:
        if settings is not None and settings.database_url is not None:
            try:
                connection = database.connect(settings.database_url)
            except DatabaseError as error:
                notify(f"whether the database can take it was not checked: {error}")
            else:
                with connection, database.translated(connection, by_owner=True):
                    _prepared(connection, settings, backup.description, replace=True)
        return backup.description


def restore(
    settings: Settings, file: Path, notify: Notify, *, replace: bool = False, quiet: bool = False
) -> Description:
    """Restore a backup into a database, all or nothing, and upgrade its schema to this program's.

    If it fails or is killed, the database stays as it was.

    Parameters
    ----------
    replace
        Drop everything that tagdb has in the database, images included.

    Raises
    ------
    BackupError
        The file is not a backup or is damaged, or the database contains images or objects that depend on
        tagdb's schemas.
    SchemaError
        The backup's schema is newer than this program knows.
    """
    with _opened(file, quiet) as backup:
        url = database.ensure_url(settings, notify)
        with database.connect(url) as connection, database.translated(connection, by_owner=True):
            target, programs = _prepared(connection, settings, backup.description, replace)
            begin = _begin(connection, settings, target, backup.description, replace)
        left_out = _put_back(backup, url, programs, target.roles, begin, notify, quiet)
    if left_out:
        notify(f"left out the rights of roles missing here: {', '.join(map(printable, sorted(left_out)))}")
    if backup.description.schema != SCHEMA_REVISION:
        before, after = database.migrate(url)
        notify(f"upgraded the schema from {before} to {after}")
    return backup.description


@contextmanager
def _opened(file: Path, quiet: bool) -> Iterator[Archive]:
    with archive.opened(file, quiet) as backup:
        schema = backup.description.schema
        if schema > SCHEMA_REVISION:
            raise SchemaError(
                f"{printable(str(file))} has schema {printable(schema, 20)}, newer than this tagdb knows "
                f"({SCHEMA_REVISION}); upgrade tagdb"
            )
        yield backup


def _prepared(
    connection: Connection, settings: Settings, description: Description, replace: bool
) -> tuple[Target, tuple[str, str]]:
    """Return the target and the programs of a restore; raise an error if it would fail."""
    database.check_server(connection)
    database.require_writable(connection)
    require_session(connection, "a restore")
    target = _examined(connection, description, replace)
    return target, _restoring(connection, settings, description)


def _examined(connection: Connection, description: Description, replace: bool) -> Target:
    """Return the target of a restore; raise BackupError if something would be lost."""
    target = store.backup.target(connection)
    where = f"the database {connection.info.dbname}"
    if target.vector_schema not in (None, description.pgvector_schema):
        raise BackupError(
            f"{where} has pgvector in schema {printable(target.vector_schema or '')}, but the backup has "
            f"it in {printable(description.pgvector_schema)}; "
            "move it (ALTER EXTENSION vector SET SCHEMA ...), or restore into an empty database"
        )
    if target.images == "table" and not replace and store.backup.has_images(connection):
        raise BackupError(
            f"{where} already holds images; name an empty one with --database-url, "
            "or replace everything tagdb has in it with --replace"
        )
    if target.outside:
        raise BackupError(
            f"replacing tagdb's schemas in {where} would also drop what uses them: "
            f"{', '.join(map(printable, target.outside))}; drop or move it first"
        )
    return target


def _restoring(connection: Connection, settings: Settings, description: Description) -> tuple[str, str]:
    """Return pg_restore and psql. psql works with any server, but the dump may be too new for pg_restore."""
    made_by = re.match(r"\d+", description.pg_dump)
    at_least = max(int(made_by[0]) if made_by else 0, connection.info.server_version // 10_000)
    return program("pg_restore", settings.home, at_least)[0], program("psql", settings.home, 0)[0]


def _begin(
    connection: Connection, settings: Settings, target: Target, description: Description, replace: bool
) -> str:
    """Return what psql runs before the dump, so that it finds the state that pg_dump expects."""
    from tagdb.migrations import objects

    said = ["BEGIN;", f"{session_settings.SAFE_PATH};", "SET LOCAL client_min_messages = warning;"]
    said += [
        f"SET LOCAL lock_timeout = '{PATIENCE}';",
        f"SELECT pg_advisory_xact_lock({database.MIGRATION_LOCK});",
    ]
    if not replace:
        said.append(statement("backup/restore_guard"))
    said.append("DROP SCHEMA IF EXISTS tagdb, tagdb_store CASCADE;")
    if target.vector_schema is None:
        schema = sql.Identifier(description.pgvector_schema).as_string(connection)
        said.append(f"CREATE SCHEMA IF NOT EXISTS {schema}; CREATE EXTENSION vector SCHEMA {schema};")
    said.append(objects.read("roles"))
    if description.counts.embeddings >= INDEX_FROM:
        machine = this_machine() if settings.database_url is None else None
        memory = indexing.memory_for(connection, description.counts.embeddings, machine, None).used
        said.append(f"SET LOCAL maintenance_work_mem = '{memory >> 10}kB';")
    return "\n".join([*said, ""])


def _end(counts: Counts) -> str:
    """Return what psql runs after the dump: it commits only if the numbers of rows are right.

    What a distributed database has otherwise becomes as in every other one, because here all is in one place.
    """
    from tagdb.migrations import objects

    gathered = [
        f"{objects.read('is_distributed').rstrip()} \\gset\n\\if :distributed",
        *map(objects.read, ("search_path", *objects.different())),
        statement("distribution/tighten"),
        f"{session_settings.SAFE_PATH};\n\\endif\n",
    ]
    restored, wanted = statement("backup/counts"), sql.Literal(Jsonb(asdict(counts))).as_string()
    body = (
        "DECLARE found pg_catalog.jsonb; BEGIN"
        f" found := ({restored}); IF found OPERATOR(pg_catalog.<>) {wanted} THEN"
        " RAISE EXCEPTION 'what came out is not what went in: %', found; END IF; END"
    )
    checked = f"DO {sql.Literal(body).as_string()};\n{statement('backup/restore_analyze')}COMMIT;\n"
    return "\n".join(gathered) + checked


def _put_back(
    backup: Archive,
    url: str,
    programs: tuple[str, str],
    roles: Iterable[str],
    begin: str,
    notify: Notify,
    quiet: bool,
) -> set[str]:
    """Run everything in one transaction, whose last statement is written after all else has succeeded.

    psql commits nothing if its input ends early. Returns the roles that do not exist here.
    """
    pg_restore, psql = programs
    dsn, environment = address(url)
    restore = [pg_restore, *_RESTORE]
    known = {"PUBLIC", *roles, *GROUPS.values()}
    rights, left_out = _rights(backup, restore, environment, known)
    run = [psql, *_PSQL, f"--dbname={dsn}"]
    with running(run, environment, PIPE, DEVNULL) as target:
        send(target, begin.encode())
        with track("restoring", backup.description.dump_bytes // 10**6, "MB", quiet) as report:

            def told(done: int) -> None:
                report(done // 10**6)
                if done == backup.description.dump_bytes and done > 10**8:
                    notify("all rows are restored; building their indexes")

            with fed([*restore, "--file=-", "--no-privileges"], backup.dump(), environment, told) as source:
                for chunk in _portable(output(source)):
                    send(target, chunk)
        end = "".join(f"{right}\n" for right in rights) + _end(backup.description.counts)
        send(target, end.encode())
    return left_out


def _portable(script: IO[bytes]) -> Iterator[bytes]:
    """Yield what pg_restore writes, without what only servers of some versions understand.

    That is before the rows. These may be anything, and are passed on as they are.
    """
    for line in script:
        if line.startswith(b"COPY "):
            yield line
            break
        if line.startswith(b"SET transaction_timeout ="):  # new in PostgreSQL 17
            continue
        if line.startswith(b"ALTER TABLE ONLY "):
            line = _COLUMN_VERSION.sub(b"", line)
        if not line.endswith(b" SET ();\n"):
            yield line
    while chunk := script.read(CHUNK):
        yield chunk


def _rights(
    backup: Archive, restore: list[str], environment: Mapping[str, str], roles: set[str]
) -> tuple[list[str], set[str]]:
    """Return the statements that grant and revoke for existing roles, and the names of other roles."""
    with fed([*restore, "--list"], backup.dump(), environment) as source:
        listed = output(source).read().decode()
    given, left_out = [], set[str]()
    with tempfile.NamedTemporaryFile("w") as chosen:
        chosen.writelines(re.findall(r"^\d+; \d+ \d+ ACL .*\n", listed, re.MULTILINE))
        chosen.flush()
        with fed([*restore, "--file=-", f"--use-list={chosen.name}"], backup.dump(), environment) as source:
            said = output(source).read().decode()
    for line in said.splitlines():
        if not (right := _RIGHT.fullmatch(line)):
            continue
        role = right[1][1:-1].replace('""', '"') if right[1].startswith('"') else right[1]
        if role in roles:
            given.append(line)
        else:
            left_out.add(role)
    return given, left_out
