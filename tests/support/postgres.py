"""PostgreSQL for tests: one server for a whole run, databases on it, and what is asked of them."""

from __future__ import annotations

import os
import socket
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.postgres.server import Server
from tests.support.once import once

PASSWORD = "a+b c'd://"
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "256MB"}
TEMPLATE = "tagdb_template"


def named(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def administer(url: str, command: str, name: str) -> None:
    """Run a command about a database, such as ``CREATE DATABASE {}``."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL(command).format(sql.Identifier(name)))  # type: ignore[arg-type]


def rows(connection: Connection, query: str, *values: object) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    return connection.execute(query.encode(), values or None).fetchall()


def become(connection: Connection, role: str) -> None:
    """Go on as another role."""
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))


def fast_folder() -> Path | None:
    """A file system in memory with room for servers, where databases are copied ten times as fast."""
    folder = Path("/dev/shm")
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        return None
    system = os.statvfs(folder)
    fits = system.f_bavail * system.f_frsize > 4 << 30 and not system.f_flag & os.ST_NOEXEC
    return folder if fits else None


def temporary_home() -> Path:
    """A home for an embedded server; open to traverse, for the account that it runs under for root."""
    home = Path(tempfile.mkdtemp(prefix="tagdb-test-", dir=fast_folder()))
    home.chmod(0o711)
    return home


def free_ports(count: int) -> list[int]:
    """TCP ports where nothing listens."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


@dataclass(frozen=True, slots=True)
class Postgres:
    """The server that all workers of a run share."""

    home: Path
    """The folder of the run, the home of the embedded server."""
    url: str
    """Of a database that tests leave alone; its login may create others."""

    @property
    def template(self) -> str:
        """The name of a database that has the schema and nothing else."""
        return f"{TEMPLATE}_{self.home.name[-8:]}"

    def program(self, name: str) -> str:
        """One of PostgreSQL's own programs, such as ``psql``."""
        return str(Server(self.home).program(name))

    @contextmanager
    def database(self, template: str = "", *, empty: bool = False, name: str = "") -> Iterator[str]:
        """The URL of a database for the block alone: with the schema, a copy of another one, or empty."""
        name = name or f"tagdb_test_{uuid.uuid4().hex[:12]}"
        self._create(name, None if empty else template or self.template)
        try:
            yield named(self.url, name)
        finally:
            administer(self.url, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def built(self, name: str, build: Callable[[Connection], object]) -> str:
        """The name of a database that the first to ask fills, for all workers, to be read or copied only."""
        name = f"{self.template}_{name}"

        def make(note: Path) -> None:
            administer(self.url, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
            self._create(name, self.template)
            with database.connect(named(self.url, name)) as connection:
                build(connection)
            note.touch()

        once(self.home / f"{name}.built", make)
        return name

    def _create(self, name: str, template: str | None) -> None:
        command = "CREATE DATABASE {}"
        if template is not None:
            command += f" TEMPLATE {template} STRATEGY FILE_COPY"  # twice as fast here
        administer(self.url, command, name)

    @classmethod
    def started(cls, folder: Path) -> Self:
        """The server of the run that has this folder; the first to ask starts it.

        It is tagdb's own embedded one, or the one that ``TAGDB_TEST_DATABASE_URL`` names.
        """

        def start(note: Path) -> None:
            url = os.environ.get("TAGDB_TEST_DATABASE_URL")
            if not url:
                server = Server(folder, FAST)
                server.start()
                url = server.url()
            (folder / TEMPLATE).touch()
            template = cls(folder, url).template
            administer(url, "CREATE DATABASE {}", template)
            database.migrate(named(url, template))
            note.write_text(url)

        return cls(folder, once(folder / "postgres.url", start).read_text())

    @classmethod
    def ended(cls, folder: Path) -> None:
        """Leave nothing behind of the server of a run, or on it, if any test has asked for one."""
        url = os.environ.get("TAGDB_TEST_DATABASE_URL")
        if not url:
            Server(folder).stop()
        elif (folder / TEMPLATE).exists():
            with psycopg.connect(url) as connection:
                query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
                names = rows(connection, query, cls(folder, url).template)
            for (name,) in names:
                administer(url, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
