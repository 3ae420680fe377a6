"""What clients are given, and what they are compared with."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo, sql

from tagdb.access import Address, Passfile
from tagdb.postgres import database
from tagdb.postgres.server import Server
from tests.support import history, seed
from tests.support.postgres import FAST, administer, free_ports, temporary_home

NODE = Path(__file__).parents[1] / "clients" / "node"
PASSWORD = "a+b c'd://@%"
QUERY = seed.literal(seed.clustered(1, 5)[0])
"""The embedding that clients ask with."""

Program = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True, slots=True)
class Place:
    """A database with :mod:`history` in it, and a login that may read it."""

    owner: str
    reader: str
    """As ``tagdb db url --role reader`` prints it."""

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """What the owner sees."""
        with psycopg.connect(self.owner) as connection:
            return connection.execute(query, values).fetchall()  # type: ignore[arg-type]

    def views(self) -> list[str]:
        """Every view of schema tagdb."""
        query = "SELECT viewname FROM pg_views WHERE schemaname = 'tagdb' ORDER BY 1"
        return [str(name) for (name,) in self.rows(query)]


def url_of(owner: str, login: str, password: str) -> str:
    """The URL of another login, written as tagdb writes it."""
    parts = {k: str(v) for k, v in conninfo.conninfo_to_dict(owner).items() if k not in ("user", "password")}
    with psycopg.connect(owner) as connection:
        parts |= {"host": connection.info.host, "port": str(connection.info.port)}
    return Address(parts, ("*", "*", parts["dbname"]), Passfile(Path("unused"))).url(login, password)


@contextmanager
def logged_in(owner: str, *member_of: str) -> Iterator[str]:
    """The URL of a new login, a member of these roles; the login is dropped in the end."""
    name = f"tagdb_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(owner, autocommit=True) as connection:
        command = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
        try:
            connection.execute(command.format(sql.Identifier(name), sql.Literal(PASSWORD)))
        except psycopg.errors.InsufficientPrivilege:
            pytest.skip("logins cannot be made here")
        for group in member_of:
            command = sql.SQL("GRANT {} TO {}")
            connection.execute(command.format(sql.Identifier(group), sql.Identifier(name)))
    try:
        yield url_of(owner, name, PASSWORD)
    finally:
        administer(owner, "DROP ROLE {}", name)


@contextmanager
def listening() -> Iterator[tuple[Path, str]]:
    """The home of a server with a port, which has :mod:`history`, and the owner's URL."""
    home = temporary_home()
    server = Server(home, FAST | {"shared_buffers": "32MB"})
    try:
        server.start(port=free_ports(1)[0])
        database.migrate(server.url())
        with database.connect(server.url()) as connection:
            history.fill(connection)
        yield home, server.url()
    finally:
        server.stop()
        shutil.rmtree(home)


def execute(
    command: Sequence[object], stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a program with little but this in its environment."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
    return subprocess.run(
        [*map(str, command)],
        capture_output=True,
        encoding="utf-8",
        env=kept | {"LC_ALL": "C.UTF-8"} | environment,
        input=stdin,
        timeout=60,
        check=False,
    )


def columns(place: Place) -> Mapping[str, dict[str, str]]:
    """The SQL types of each view's columns, by view and name."""
    found: dict[str, dict[str, str]] = {}
    query = (
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a"
        " JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'tagdb'::regnamespace"
        " AND c.relkind = 'v' AND a.attnum > 0 ORDER BY c.relname, a.attnum"
    )
    for view, column, kind in place.rows(query):
        found.setdefault(str(view), {})[str(column)] = str(kind)
    return found
