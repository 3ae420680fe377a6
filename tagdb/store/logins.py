"""Logins of a database: which have a role of tagdb's, and giving them one."""

from dataclasses import dataclass

from psycopg import sql

from tagdb.postgres.database import Connection
from tagdb.store.statements import execute, fetch_map, fetch_optional, fetch_value, statement


@dataclass(frozen=True, slots=True)
class Login:
    """A role of PostgreSQL's, as far as handing out tagdb's roles to it matters."""

    may_log_in: bool
    privileged: bool
    """Whether it may do more than a login that roles are handed out to."""


def list_all(connection: Connection) -> dict[str, str]:
    """Return every login that has a role of tagdb's, with the higher one; superusers are left out."""
    return fetch_map(connection, "logins/list")


def get(connection: Connection, login: str) -> Login | None:
    """Return what a role is; None if there is none of that name."""
    return fetch_optional(connection, Login, "logins/login", login=login)


def lock(connection: Connection) -> None:
    """Let nobody else grant roles until the caller's transaction ends."""
    execute(connection, "logins/lock")


def set_password(connection: Connection, login: str, password: str, *, create: bool) -> None:
    """Give a login a password, making the login if asked to. The server gets a SCRAM verifier only."""
    verifier = connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256")
    command = statement("logins/create" if create else "logins/set_password")
    connection.execute(
        sql.SQL(command).format(login=sql.Identifier(login), verifier=sql.Literal(verifier.decode()))
    )


def grant(connection: Connection, login: str, role: str) -> None:
    """Give a login one of PostgreSQL's roles, and let it connect to this database."""
    execute(connection, "logins/grant_role", names={"role": role, "login": login})
    # only where PUBLIC may not: a right of its own would keep the login from being dropped
    if not fetch_value(connection, "logins/may_connect", login=login):
        names = {"database": connection.info.dbname, "login": login}
        execute(connection, "logins/grant_connect", names=names)


def has_role(connection: Connection, login: str, role: str) -> bool:
    """Return whether a login may do what one of PostgreSQL's roles may."""
    return bool(fetch_value(connection, "logins/has_role", login=login, role=role))
