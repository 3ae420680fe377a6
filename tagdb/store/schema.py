"""The schema as the migrations create it: find and recreate what is missing or was changed.

Views, functions and triggers hold no data, so they can be recreated from their files. A lost table cannot.
"""

from dataclasses import dataclass
from functools import cache

import psycopg

from tagdb.errors import DatabaseError
from tagdb.migrations import objects
from tagdb.postgres.database import (
    LOCK_TIMEOUT,
    MIGRATION_LOCK,
    Connection,
    reason,
    require_writable,
    translated,
)
from tagdb.store.distribution import is_distributed
from tagdb.store.statements import execute


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """A view, function, table or trigger: ``tagdb.images``; a trigger with its table."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.lower()} {self.name}"


@cache
def expected(distributed: bool = False) -> dict[Item, str]:
    """Return everything that should exist, with the text of its file; tables are described elsewhere."""
    from tagdb.postgres.tables import metadata

    tables = {Item("TABLE", name): "" for name in metadata.tables}
    texts = (objects.read(name, distributed) for name in objects.OBJECTS)
    return tables | {Item(*objects.made_by(text)): text for text in texts}


@dataclass(frozen=True, slots=True)
class Deviations:
    """Differences between a database's catalog and the files."""

    missing: list[Item]
    changed: list[Item]
    """Functions with another body, as far as PostgreSQL keeps the original text."""
    added: list[str]
    """Functions with a name of tagdb's but other arguments, which may be called by mistake."""


def deviations(connection: Connection) -> Deviations:
    """Compare the catalog with the files. For any login."""
    there: dict[Item, list[tuple[str, str]]] = {}
    for kind, name, called, body in execute(connection, "doctor/objects"):
        there.setdefault(Item(kind, name), []).append((called, body))
    wanted = expected(is_distributed(connection))
    return Deviations(
        sorted(wanted.keys() - there.keys()),
        sorted(
            item for item, text in wanted.items() if any(body not in text for _, body in there.get(item, ()))
        ),
        sorted(called for item in wanted for called, _ in there.get(item, ())[1:]),
    )


def repair(connection: Connection) -> list[Item]:
    """Recreate views, functions and triggers, and restore the rights of the roles; all or nothing.

    For their owner. Returns what was missing or changed, except tables.

    Raises
    ------
    DatabaseError
        An object cannot be created, or exists with other arguments or columns.
    """
    require_writable(connection)
    with translated(), connection.transaction():
        execute(connection, "schema/lock", key=MIGRATION_LOCK)
        execute(connection, "session/set", setting="lock_timeout", value=LOCK_TIMEOUT, local=True)
        found = deviations(connection)
        for name, text in objects.statements(is_distributed(connection)):
            try:
                connection.execute(text)
            except (psycopg.errors.LockNotAvailable, psycopg.OperationalError):
                raise
            except psycopg.errors.InsufficientPrivilege as error:
                raise DatabaseError(
                    f"your login may not recreate {name}: {reason(error)}; "
                    "the schema's owner can run: tagdb init --repair"
                ) from error
            except psycopg.Error as error:
                raise DatabaseError(
                    f"{name} cannot be recreated: {reason(error)}; restore a backup"
                ) from error
    return [item for item in (*found.missing, *found.changed) if item.kind != "TABLE"]
