"""Roles of a test's own. Roles are the whole cluster's, hence their names, and that they are dropped."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import conninfo, sql

PASSWORD = "a+b c'd://"


@pytest.fixture
def role(run: dict[str, str]) -> Iterator[Callable[..., str]]:
    """A function that makes a role, a member of the ones named, and returns its name.

    Ask for it before a database: what the role leaves in there must be gone before the role can be.
    """
    made: list[str] = []
    with psycopg.connect(run["url"], autocommit=True) as connection:

        def make(*member_of: str, password: str | None = None) -> str:
            name = f"tagdb_test_{uuid.uuid4().hex[:12]}"
            command = sql.SQL("CREATE ROLE {}").format(sql.Identifier(name))
            if password is not None:
                command += sql.SQL(" LOGIN PASSWORD {}").format(sql.Literal(password))
            connection.execute(command)
            made.append(name)
            for group in member_of:
                granted = sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(name))
                connection.execute(granted)
            return name

        yield make
        for name in made:
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
def login(role: Callable[..., str]) -> Callable[..., str]:
    """A function that makes a login and returns a database's URL with it; else as ``role``."""

    def make(url: str, *member_of: str) -> str:
        try:
            name = role(*member_of, password=PASSWORD)
        except psycopg.errors.InsufficientPrivilege:
            pytest.skip("logins cannot be made here")
        return conninfo.make_conninfo(url, user=name, password=PASSWORD)

    return make
