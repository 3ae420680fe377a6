"""Find what is wrong with a database and which settings cost speed.

A check is a function that takes an :class:`~tagdb.doctor.findings.Examination` and yields findings about one
thing. To add a check, write it and add it to ``CHECKS``. Checks change nothing, and every figure is measured
or a number of bytes.
"""

from collections.abc import Iterator
from pathlib import Path

import psycopg

from tagdb.doctor import (
    catalog,
    contents,
    memory,
    planning,
    safety,
    search,
    server,
    storage,
    upkeep,
    writing,
)
from tagdb.doctor.findings import DAMAGE, UNDEFINED, WAITED, Check, Examination, Finding
from tagdb.postgres.database import Connection, reason
from tagdb.postgres.machine import Machine, runs_postgres, this_machine
from tagdb.store import doctor as queries

CHECKS: tuple[Check, ...] = (
    server.versions,
    server.schema,
    server.workers,
    server.durability,
    storage.checksums,
    storage.room,
    storage.log,
    storage.ages,
    storage.order,
    catalog.objects,
    catalog.tables,
    catalog.indexes,
    safety.rights,
    safety.owners,
    safety.files,
    contents.readable,
    contents.recommending,
    upkeep.partitions,
    contents.orphans,
    contents.gaps,
    contents.embeddings,
    contents.search_vectors,
    contents.factors,
    upkeep.factors,
    upkeep.statistics,
    upkeep.cleaning,
    upkeep.sessions,
    upkeep.ingests,
    upkeep.requests,
    search.indexes,
    search.recall,
    memory.shared_buffers,
    memory.index_builds,
    memory.shared_memory,
    memory.spilling,
    planning.planner,
    writing.checkpoints,
    writing.autovacuum,
)
"""All checks, in the order in which their findings are printed."""
PATIENCE = 10.0
"""Time limit per query, in seconds."""

__all__ = ["CHECKS", "Examination", "Finding", "examine"]


def examine(
    connection: Connection,
    machine: Machine | None = None,
    home: Path | None = None,
    embedded: bool = False,
) -> tuple[Examination, list[Finding]]:
    """Run all checks. The connection is read-only afterwards.

    Parameters
    ----------
    connection
        The database.
    machine
        What the server can use. None: determined if the server runs on this machine, otherwise unknown.
    home
        tagdb's home on this machine, whose files are checked too.
    embedded
        Whether the server is the embedded one of that home.

    Raises
    ------
    psycopg.OperationalError
        The connection broke. Every other error becomes a finding.
    """
    queries.only_read(connection)
    queries.limit_time(connection, PATIENCE)
    facts = queries.server_facts(connection)
    here = embedded or _is_here(connection, facts.pid)
    if machine is None and here:
        machine = this_machine(facts.pid)
    examination = Examination(connection, facts, machine, here, home)
    return examination, [finding for check in CHECKS for finding in _guarded(check, examination)]


def _guarded(check: Check, examination: Examination) -> Iterator[Finding]:
    """Yield the findings of a check. If the check fails, that is its finding."""
    name = f"{check.__module__.rpartition('.')[2]}.{check.__name__}"
    try:
        yield from check(examination)
    except (psycopg.errors.InsufficientPrivilege, *WAITED) as error:
        if isinstance(error, psycopg.errors.QueryCanceled):
            why = f"it took more than {PATIENCE:g} s"
        elif isinstance(error, psycopg.errors.LockNotAvailable):
            why = "another session has locked it"
        else:
            why = f"your login may not do this: {reason(error)}"
        yield Finding(check=name, severity="skipped", sentence=f"{name} ({why})")
    except DAMAGE as error:
        yield Finding(
            check=name,
            severity="wrong",
            sentence=f"the database is damaged: {reason(error)}; check the disk, and restore a backup on "
            f"another one",
            remedy="tagdb restore FILE",
        )
    except UNDEFINED as error:
        sentence = f"{name} (the schema is incomplete: {reason(error)})"
        yield Finding(check=name, severity="skipped", sentence=sentence)
    except Exception as error:
        if examination.connection.broken:
            raise
        yield Finding(
            check=name,
            severity="wrong",
            sentence=f"{name} could not be checked: {type(error).__name__}: {reason(error)}",
        )


def _is_here(connection: Connection, pid: int) -> bool:
    """Whether the server certainly runs on this machine: it was reached here, and its process is visible.

    A port of this machine may lead to a container or through a tunnel; then the process id belongs to another
    process, or to none.
    """
    host = connection.info.host
    near = host.startswith("/") or host in ("", "localhost", "127.0.0.1", "::1")
    return near and runs_postgres(pid)
