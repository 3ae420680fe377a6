"""Clients as people have them: another program, logged in as a reader with a password, on a URL."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.support import history
from tests.support.clients import NODE, Place, Program, execute, logged_in
from tests.support.postgres import Postgres, named


@pytest.fixture(scope="session")
def place(postgres: Postgres) -> Iterator[Place]:
    """The database that clients read. None of them changes it."""
    owner = named(postgres.url, postgres.built("history", history.fill))
    with logged_in(owner, "tagdb_reader") as reader:
        yield Place(owner, reader)


@pytest.fixture(scope="session")
def node() -> Program:
    """Runs a program with Node, which finds ``pg``; the test skips where either is missing."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("needs Node")
    if not (NODE / "node_modules" / "pg").is_dir():
        pytest.skip("needs pg from npm: run make test, or npm ci in tests/clients/node")

    def run(*arguments: object, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        return execute([program, *arguments], stdin, NODE_PATH=str(NODE / "node_modules"), **environment)

    return run
