"""Logins of a database and their roles."""

from dataclasses import dataclass

from psycopg import sql

from tagdb.postgres import pooled
from tagdb.postgres.database import Connection
from tagdb.store.statements import execute, fetch_map, fetch_optional, fetch_value, statement


@dataclass(frozen=True, slots=True)
class Login:
    """Properties of a PostgreSQL role that matter for granting it one of tagdb's."""

    may_log_in: bool
    privileged: bool
    """Whether it administers the server or database."""


def list_all(connection: Connection) -> dict[str, str]:
    """Return all logins with a role of tagdb's, with the higher one; superusers are left out."""
    return fetch_map(connection, "logins/list")


def get(connection: Connection, login: str) -> Login | None:
    """Return a role, or None if it does not exist."""
    return fetch_optional(connection, Login, "logins/login", login=login)


def lock(connection: Connection) -> None:
    """Prevent other sessions from granting roles until the caller's transaction ends."""
    execute(connection, "logins/lock")


def set_password(connection: Connection, login: str, password: str, *, create: bool) -> None:
    """Set a login's password, and optionally create the login. The server only gets a SCRAM verifier."""
    verifier = connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256")
    command = statement("logins/create" if create else "logins/set_password")
    connection.execute(
        sql.SQL(command).format(login=sql.Identifier(login), verifier=sql.Literal(verifier.decode()))
    )


def grant(connection: Connection, login: str, role: str) -> None:
    """Grant a login a role and let it connect to this database."""
    execute(connection, "logins/grant_role", names={"role": role, "login": login})
    # only if PUBLIC may not connect: a right of its own would prevent dropping the login
    if not fetch_value(connection, "logins/may_connect", login=login):
        names = {"database": connection.info.dbname, "login": login}
        execute(connection, "logins/grant_connect", names=names)


def has_role(connection: Connection, login: str, role: str) -> bool:
    """Return whether a login has the rights of a role."""
    return bool(fetch_value(connection, "logins/has_role", login=login, role=role))


def may_act_as(connection: Connection, role: str) -> bool:
    """Return whether this session may act as a role."""
    return bool(fetch_value(connection, "logins/may_act_as", role=role))


def act_as(connection: Connection, role: str) -> None:
    """Go on with the rights of a role, and no others; no statement may take longer than half a minute."""
    if isinstance(connection, pooled.Connection) and connection.pooled:
        connection.begin_with([sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role))])
        connection.begin_with([pooled.local("statement_timeout", "30s")])
        connection.execute("SELECT 1")
    else:
        execute(connection, "logins/act_as", names={"role": role})
