"""PostgreSQL for tests: servers, their databases, and addresses of them."""

from __future__ import annotations

import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

PASSWORD = "a+b c'd://"
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "256MB"}


def named(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def administer(url: str, command: str, name: str) -> None:
    """Run a command about a database, such as ``CREATE DATABASE {}``."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL(command).format(sql.Identifier(name)))  # type: ignore[arg-type]


def temporary_home() -> Path:
    """A home for an embedded server; open to traverse, for the account that it runs under for root."""
    home = Path(tempfile.mkdtemp(prefix="tagdb-test-"))
    home.chmod(0o711)
    return home


def free_ports(count: int) -> list[int]:
    """TCP ports where nothing listens."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
