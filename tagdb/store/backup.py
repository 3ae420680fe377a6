"""Queries of backing up and restoring."""

from dataclasses import dataclass

from tagdb.postgres.database import Connection
from tagdb.store.statements import fetch_one, fetch_value


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of rows in a database."""

    images: int
    hashtags: int
    embeddings: int
    factor_run: int | None
    """Number of the active factor run."""


@dataclass(frozen=True, slots=True)
class Server:
    """Server and snapshot of a backup."""

    postgresql: str
    pgvector: str
    vector_schema: str
    snapshot: str


@dataclass(frozen=True, slots=True)
class Target:
    """Target of a restore."""

    vector_schema: str | None
    outside: list[str]
    """Objects outside tagdb's schemas that depend on them."""
    images: str | None
    """``table``, ``other``, or None."""
    roles: list[str]


def counts(connection: Connection) -> Counts:
    """Return the numbers of rows."""
    return Counts(**fetch_value(connection, "backup/counts"))


def size(connection: Connection) -> int:
    """Return the approximate size of a backup in bytes."""
    size: int = fetch_value(connection, "backup/size")
    return size


def server(connection: Connection) -> Server:
    """Return facts about the server, and export the transaction's snapshot."""
    return fetch_one(connection, Server, "backup/server")


def target(connection: Connection) -> Target:
    """Return what stands in the way of a restore, and what is missing."""
    return fetch_one(connection, Target, "backup/restore_target")


def has_images(connection: Connection) -> bool:
    """Return whether the database holds images."""
    return bool(fetch_value(connection, "backup/has_images"))
