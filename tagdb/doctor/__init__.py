"""What is wrong with a database, and what holds it back: one check after the other, each of one thing.

A check is a function that takes an :class:`~tagdb.doctor.findings.Examination` and yields findings; to add
one, write it and put it into ``CHECKS``. Nothing is changed, and whatever says by how much was measured, or
is a number of bytes.
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
from tagdb.doctor.findings import DAMAGE, UNDEFINED, WAITED, Check, Examination, Finding, said
from tagdb.postgres.database import Connection
from tagdb.postgres.machine import Machine, runs_postgres, this_machine
from tagdb.store import examining, health

CHECKS: tuple[Check, ...] = (
    server.versions,
    server.schema,
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
"""In the order in which people read them."""
PATIENCE = 10.0
"""Seconds after which a question is given up."""

__all__ = ["CHECKS", "Examination", "Finding", "examine"]


def examine(
    connection: Connection,
    machine: Machine | None = None,
    home: Path | None = None,
    embedded: bool = False,
) -> tuple[Examination, list[Finding]]:
    """Run all checks. The connection only reads afterwards.

    Parameters
    ----------
    machine
        What the server has to itself; None finds out if it runs on this machine, else does without.
    home
        Tagdb's home on this machine, whose files are looked at, too.
    embedded
        Whether the server is the one of that home.

    Raises
    ------
    psycopg.OperationalError
        The connection broke. Whatever else goes wrong becomes a finding.
    """
    health.only_read(connection)
    examining.patience(connection, PATIENCE)
    facts = health.server_facts(connection)
    here = embedded or _is_here(connection, facts.pid)
    if machine is None and here:
        machine = this_machine(facts.pid)
    one = Examination(connection, facts, machine, here, home)
    return one, [finding for check in CHECKS for finding in _guarded(check, one)]


def _guarded(check: Check, one: Examination) -> Iterator[Finding]:
    """The findings of a check; one that fails says so, and the others go on."""
    name = f"{check.__module__.rpartition('.')[2]}.{check.__name__}"
    try:
        yield from check(one)
    except (psycopg.errors.InsufficientPrivilege, *WAITED) as error:
        if isinstance(error, psycopg.errors.QueryCanceled):
            why = f"it took more than {PATIENCE:g} s"
        elif isinstance(error, psycopg.errors.LockNotAvailable):
            why = "another session has locked it"
        else:
            why = f"your login may not do this: {said(error)}"
        yield Finding(check=name, severity="skipped", sentence=f"{name} ({why})")
    except DAMAGE as error:
        yield Finding(
            check=name,
            severity="wrong",
            sentence=f"the database is damaged: {said(error)}; check the disk, and restore a backup on "
            f"another one",
            remedy="tagdb restore FILE",
        )
    except UNDEFINED as error:
        sentence = f"{name} (the schema is incomplete: {said(error)})"
        yield Finding(check=name, severity="skipped", sentence=sentence)
    except Exception as error:
        if one.connection.broken:
            raise
        yield Finding(
            check=name,
            severity="wrong",
            sentence=f"{name} could not be checked: {type(error).__name__}: {said(error)}",
        )


def _is_here(connection: Connection, pid: int) -> bool:
    """Whether the server runs on this machine, for certain: its process can be seen, and it was reached here.

    A port of this machine's may lead to a container or through a tunnel; then that number is another
    process, or none.
    """
    host = connection.info.host
    near = host.startswith("/") or host in ("", "localhost", "127.0.0.1", "::1")
    return near and runs_postgres(pid)
