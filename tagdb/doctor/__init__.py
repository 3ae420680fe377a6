"""What is wrong with a database, and what holds it back: one check after the other, each of one thing.

A check is a function that takes an :class:`~tagdb.doctor.findings.Examination` and yields findings; to add
one, write it and put it into ``CHECKS``. Nothing is changed, and whatever says by how much was measured, or
is a number of bytes.
"""

from tagdb import store
from tagdb.database import Connection
from tagdb.doctor import memory, planning, search, server, writing
from tagdb.doctor.findings import Check, Examination, Finding
from tagdb.machine import Machine, runs_postgres, this_machine
from tagdb.store import health

CHECKS: tuple[Check, ...] = (
    server.versions,
    server.schema,
    server.durability,
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
SAMPLE = 20
"""Recommendations that are timed at a time."""

__all__ = ["CHECKS", "Examination", "Finding", "examine"]


def examine(connection: Connection, machine: Machine | None = None) -> tuple[Examination, list[Finding]]:
    """Run all checks. The connection only reads afterwards.

    Parameters
    ----------
    machine : what the server has to itself; None finds out if it runs on this machine, else does without.
    """
    health.only_read(connection)
    facts = health.server_facts(connection)
    if machine is None and _is_here(connection, facts.pid):
        machine = this_machine(facts.pid)
    one = Examination(connection, facts, machine)
    if one.readable and store.readiness(connection).factors:
        images = health.sample_images(connection, SAMPLE)
        one.timings = health.recommend_timed(connection, images)
        one.images = images[: len(one.timings)]
    return one, [finding for check in CHECKS for finding in check(one)]


def _is_here(connection: Connection, pid: int) -> bool:
    """Whether the server runs on this machine, for certain: its process can be seen, and it was reached here.

    A port of this machine's may lead to a container or through a tunnel; then that number is another
    process, or none.
    """
    host = connection.info.host
    near = host.startswith("/") or host in ("", "localhost", "127.0.0.1", "::1")
    return near and runs_postgres(pid)
