"""Logins of other users: their roles, their passwords, and the URLs to give to them.

A password reaches the server only as a SCRAM verifier, so neither its log nor its statistics ever show it. A
generated password is kept in ``pgpass`` in tagdb's home, in the format of libpq's passfile. A password typed
by a person is not stored.
"""

import os
import re
import secrets
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from psycopg import conninfo

from tagdb import store
from tagdb.config import Settings
from tagdb.errors import ConfigError, DatabaseError, ServerError
from tagdb.postgres.database import Connection, Notify, reason
from tagdb.postgres.server import Server
from tagdb.postgres.urls import SECRETS, libpq_url

GROUPS = {
    "asker": "tagdb_asker",
    "reader": "tagdb_reader",
    "analyst": "tagdb_analyst",
    "writer": "tagdb_writer",
}
"""Name of a role in tagdb, and its name in PostgreSQL. Each includes those before it."""
PORT = 5433
"""Port that is suggested if none is set."""

_RESERVED = {"tagdb", "postgres", "public", "none", *GROUPS.values()}
_OWNERS = {"user", "passfile", *SECRETS}  # parts of a URL that are not for others


@dataclass(frozen=True, slots=True)
class Passfile:
    """Passwords by place (host, port, database) and login, in libpq's format, readable by the owner only."""

    path: Path

    def find(self, place: Sequence[str]) -> dict[str, str]:
        """Return the passwords of a place's logins; the one written last comes last."""
        fields = [self._parse(line) for line in self._lines()]
        return {each[3]: each[4] for each in fields if each[:3] == [*place] and len(each) == 5}

    def anywhere(self, login: str) -> str | None:
        """Return the password that a login has got last on the embedded server."""
        fields = [self._parse(line) for line in self._lines()]
        known = [each[4] for each in fields if each[:2] == ["*", "*"] and each[3:4] == [login]]
        return known[-1] if known else None

    def write(self, place: Sequence[str], login: str, password: str | None) -> None:
        """Set a login's password, or remove it."""
        old = self._lines()
        lines = [line for line in old if self._parse(line)[:4] != [*place, login]]
        if password is not None:
            # libpq uses the first matching line: lines that match everywhere must come last
            at = next((i for i, line in enumerate(lines) if line.startswith("*:") and place[0] != "*"), None)
            escaped = (re.sub(r"([:\\])", r"\\\1", field) for field in (*place, login, password))
            lines.insert(len(lines) if at is None else at, ":".join(escaped))
        if lines == old:
            return
        with self._explained("write"):
            self.path.parent.mkdir(0o700, parents=True, exist_ok=True)
            # private from the first byte on, and never written through a link
            descriptor, name = tempfile.mkstemp(prefix=".pgpass-", dir=self.path.parent)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as stream:
                    stream.writelines(f"{line}\n" for line in lines)
                    stream.flush()
                    os.fsync(stream.fileno())
                Path(name).replace(self.path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

    def _lines(self) -> list[str]:
        with self._explained("read"), suppress(FileNotFoundError):
            descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            with os.fdopen(descriptor, encoding="utf-8", errors="surrogateescape") as stream:
                if os.fstat(descriptor).st_mode & 0o077:  # libpq would ignore it
                    os.fchmod(descriptor, 0o600)
                return [line for line in stream.read().split("\n") if line]
        return []

    @staticmethod
    def _parse(line: str) -> list[str]:
        return [re.sub(r"\\(.)", r"\1", field) for field in re.findall(r"(?:^|:)((?:[^:\\]|\\.)*)", line)]

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ConfigError(
                f"cannot {what} {self.path}, where passwords are kept: {error.strerror}"
            ) from error


@dataclass(frozen=True, slots=True)
class Address:
    """Where other logins connect to tagdb's database."""

    parts: Mapping[str, str]
    """Connection parameters of libpq, without user and secrets."""
    place: tuple[str, str, str]
    """The same in a passfile: host, port and database."""
    passfile: Passfile

    def password(self, login: str) -> str | None:
        """Return a login's password if tagdb generated it; on the embedded server, for whichever database."""
        known = self.passfile.find(self.place).get(login)
        if known is None and self.place[0] == "*":
            known = self.passfile.anywhere(login)
        return known

    def url(self, login: str, password: str | None = None) -> str:
        """Return a login's URL."""
        rest = dict(self.parts)
        database, host = rest.pop("dbname"), rest.get("host", "")
        where = quote(login, safe="") + (f":{quote(password, safe='')}" if password else "") + "@"
        if host and not re.search("^[/@]|,", host):  # sockets and several hosts are passed as parameters
            encoded = quote(rest.pop("host"), safe=":")
            where += (f"[{encoded}]" if ":" in host else encoded) + f":{rest.pop('port')}"
        query = urlencode(rest, quote_via=quote, safe="")
        return f"postgresql://{where}/{quote(database, safe='')}" + (f"?{query}" if query else "")


@dataclass(frozen=True, slots=True)
class Granted:
    """Result of a grant."""

    role: str
    """Role of the login now: a writer that is granted the role reader stays a writer."""
    created: bool
    renewed: bool
    """Whether an existing login got a new password."""


def address(connection: Connection, settings: Settings) -> Address:
    """Return where other logins connect to this database.

    Raises
    ------
    ServerError
        It is the embedded one and listens on no port; its socket is for its owner only.
    """
    passfile = Passfile(settings.home / "pgpass")
    database = connection.info.dbname
    server = Server(settings.home)
    if settings.database_url is None or _is_embedded(server, connection):
        port = server.status().port
        if port is None:
            raise ServerError(
                f"the embedded PostgreSQL listens on no port, so no other login can connect; "
                f"give it a port: tagdb db start --port {settings.port or PORT}"
            )
        parts = {"host": "127.0.0.1", "port": str(port), "dbname": database}
        return Address(parts, ("*", "*", database), passfile)  # the port may change
    given = conninfo.conninfo_to_dict(libpq_url(settings.database_url))
    parts = {name: str(value) for name, value in given.items() if name not in _OWNERS}
    # as libpq took them from the environment and its defaults; the socket's folder is left to each libpq
    parts |= {"port": parts.get("port") or str(connection.info.port), "dbname": database}
    if not parts.get("host") and not connection.info.host.startswith("/"):
        parts["host"] = connection.info.host
    host, port_ = parts.get("host") or "localhost", parts["port"]
    place = (
        ("*", "*", database) if "," in host else (host, port_, database)
    )  # several hosts with the same database
    return Address(parts, place, passfile)


def _is_embedded(server: Server, connection: Connection) -> bool:
    """Whether a URL leads to the embedded server by its socket, as that of the demo does."""
    if not server.status().running:
        return False
    return conninfo.conninfo_to_dict(server.url())["host"] == connection.info.host


def login_with(
    connection: Connection, where: Address, role: str, notify: Notify, login: str | None = None
) -> str:
    """Return the login that has a role.

    If there are several and none is named, it is the one whose password was generated last, and a note says
    so.

    Raises
    ------
    DatabaseError
        No login has the role, the named one does not have it, or it is unclear which of several is meant.
    """
    roles = store.logins.list_all(connection)
    if login is not None:
        if (has := roles.get(login)) == role:
            return login
        elsewise = (
            f"run: tagdb db grant {shlex.quote(login)} --role {role}"
            if has is None
            else f"it has the role {has}"
        )
        raise DatabaseError(f"the login {login!r} does not have the role {role}; {elsewise}")
    having = [name for name, has in roles.items() if has == role]
    if not having:
        raise DatabaseError(f"no login has the role {role} yet; run: tagdb db grant NAME --role {role}")
    known = [name for name in where.passfile.find(where.place) if name in having]
    if len(having) > 1 and not known:
        raise DatabaseError(
            f"several logins have the role {role}; choose one with --login: {', '.join(having)}"
        )
    taken = (known or having)[-1]
    if others := [name for name in having if name != taken]:
        notify(f"using the login {taken}; others with the role {role}, for --login: {', '.join(others)}")
    return taken


def grant(
    connection: Connection,
    where: Address,
    login: str,
    role: str,
    *,
    password: str | None = None,
    renew: bool = False,
) -> Granted:
    """Grant a login a role, and create the login if it does not exist. All or nothing.

    Parameters
    ----------
    connection
        The database.
    where
        Where the login will connect.
    login
        Name of the login.
    role
        A key of ``GROUPS``.
    password
        New password, which is not stored. Without it, a new login gets a generated password, which is kept in
        the passfile, and an existing login keeps its own.
    renew
        Generate a new password for an existing login.

    Raises
    ------
    DatabaseError
        The name is reserved or belongs to a role that must not get one of tagdb's, or your login may not do
        this.
    """
    _check(login, password)
    with _privileged(login, role), connection.transaction():
        store.logins.lock(connection)
        present = store.logins.get(connection, login)
        if present and (present.privileged or not present.may_log_in):
            why = (
                "administers this server or database"
                if present.may_log_in
                else "is a role that cannot log in"
            )
            raise DatabaseError(f"{login!r} {why}; choose another login")
        kept = None
        if password is None and (renew or not present):
            password = kept = secrets.token_urlsafe(24)
        if password is not None:
            store.logins.set_password(connection, login, password, create=not present)
        store.logins.grant(connection, login, GROUPS[role])
        if not store.logins.has_role(connection, login, GROUPS[role]):
            raise DatabaseError(
                f"{login!r} does not inherit the rights of its roles (NOINHERIT); choose another login"
            )
        highest = [name for name, group in GROUPS.items() if store.logins.has_role(connection, login, group)][
            -1
        ]
        if password is not None:  # last: a password that cannot be stored must not be changed
            where.passfile.write(where.place, login, kept)
    return Granted(highest, not present, bool(present) and password is not None)


def _check(login: str, password: str | None) -> None:
    if login.lower() in _RESERVED or login.lower().startswith("pg_"):
        raise DatabaseError(f"{login!r} is reserved by tagdb or PostgreSQL; choose another name")
    if (
        not login.isprintable() or not 0 < len(login.encode(errors="replace")) <= 63
    ):  # a longer one would be cut off
        raise DatabaseError("a login's name must be 1 to 63 bytes of printable characters")
    if password is not None and not (password and password.isprintable()):
        raise DatabaseError("a password must consist of printable characters")


@contextmanager
def _privileged(login: str, role: str) -> Iterator[None]:
    """Translate a refusal: the usual message, for readers and writers, does not fit here."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise DatabaseError(
            f"your login may not grant {login!r} the role {role}: {reason(error)}; "
            "ask the database's administrator"
        ) from error
