"""What backing up and restoring asks of a database."""

from dataclasses import dataclass

from tagdb.postgres.database import Connection
from tagdb.store.statements import fetch_one, fetch_value


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a database holds."""

    images: int
    hashtags: int
    embeddings: int
    factor_run: int | None
    """The number of the active one."""


@dataclass(frozen=True, slots=True)
class Server:
    """The server that a backup comes from, and the snapshot that it is of."""

    postgresql: str
    pgvector: str
    vector_schema: str
    snapshot: str


@dataclass(frozen=True, slots=True)
class Target:
    """A database to restore into."""

    vector_schema: str | None
    outside: list[str]
    """What uses tagdb's schemas from outside."""
    images: str | None
    """``table``, or ``other``, or nothing."""
    has_roles: bool
    roles: list[str]


def counts(connection: Connection) -> Counts:
    """Return how much there is."""
    return Counts(**fetch_value(connection, "backup/counts"))


def size(connection: Connection) -> int:
    """Return about how many bytes a backup will have."""
    size: int = fetch_value(connection, "backup/size")
    return size


def server(connection: Connection) -> Server:
    """Return what the server is, and export the transaction's snapshot."""
    return fetch_one(connection, Server, "backup/server")


def target(connection: Connection) -> Target:
    """Return what is in the way of a restore, and what is missing."""
    return fetch_one(connection, Target, "backup/restore_target")


def has_images(connection: Connection) -> bool:
    """Return whether the database holds images."""
    return bool(fetch_value(connection, "backup/has_images"))
