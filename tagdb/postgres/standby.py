"""Standbys: embedded servers that follow another server and answer what only reads."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tagdb.errors import ServerError
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.postgres.server import Server
from tagdb.postgres.urls import describe, libpq_url, without_password

OWN = {"postgresql", "run", "server.lock"}
"""What an attempt to make a server leaves in its home."""


@dataclass(frozen=True, slots=True)
class Following:
    """How far a standby is: seconds behind its primary, None while nobody knows."""

    connected: bool
    behind_seconds: float | None


def make(url: str, home: Path) -> Server:
    """Copy a running server into an empty folder and start the copy as its standby.

    Parameters
    ----------
    url
        The server to follow, of the embedded server's major version, with a login that may replicate.
    home
        Becomes the standby's TAGDB_HOME.

    Raises
    ------
    ServerError
        The folder has a server or other files already, the login may not replicate, or copying failed.
    """
    server = require_place(home)
    slot = "tagdb_" + hashlib.sha256(str(server.home).encode()).hexdigest()[:16]
    with database.connect(url) as primary:
        _check(primary, server, url)
        _free(primary, slot)
        plain, password = without_password(libpq_url(url))
        try:
            server.follow(plain, slot, password)
        except ServerError:
            _free(primary, slot)
            raise
    return server


def require_place(home: Path) -> Server:
    """Return the server that is to be in a folder, or raise ServerError if something else is there."""
    server = Server(home)
    if server.exists():
        raise ServerError(f"{server.home} has a server already; name another folder")
    if server.home.is_dir() and {file.name for file in server.home.iterdir()} - OWN:
        raise ServerError(f"{server.home} is not empty; name another folder")
    return server


def following(connection: Connection) -> Following | None:
    """Return how far this server is behind the one that it follows; None if it is not a standby."""
    row = connection.execute(
        "SELECT r.connected,"
        " CASE WHEN NOT r.connected THEN NULL WHEN pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()"
        " THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())"
        " ELSE 0 END::double precision"
        " FROM (SELECT EXISTS (SELECT FROM pg_stat_wal_receiver r WHERE r.status = 'streaming')) r(connected)"
        " WHERE pg_is_in_recovery()"
    ).fetchone()
    return None if row is None else Following(*row)


def _check(primary: Connection, server: Server, url: str) -> None:
    row = primary.execute(
        "SELECT current_setting('server_version_num')::integer / 10000,"
        " (SELECT rolsuper OR rolreplication FROM pg_roles WHERE rolname = session_user)"
    ).fetchone()
    assert row is not None
    major, may = row
    own = server.status().version
    if str(major) != own.split(".")[0]:
        raise ServerError(f"{describe(url)} is PostgreSQL {major}, and a standby of it cannot be {own}")
    if not may:
        raise ServerError(
            "this login may not replicate; on the server to follow, "
            'run: tagdb db shell -- -c "ALTER ROLE … REPLICATION"'
        )


def _free(primary: Connection, slot: str) -> None:
    """Drop the slot that an earlier attempt has left."""
    primary.execute(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
        " WHERE slot_name = %s AND NOT active",
        (slot,),
    )
