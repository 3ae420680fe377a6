"""The schema as the migrations' SQL files make it: what there should be, and making anew what is missing.

Views, functions and triggers hold no data, so that one that was dropped or changed can be made again from its
file. A table cannot: what it held is gone.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg
from psycopg import sql

from tagdb import migrations
from tagdb.errors import DatabaseError
from tagdb.postgres.database import Connection, translated
from tagdb.store.statements import statement

FOLDER = Path(migrations.__file__).parent / "sql"
LOCK = 7_420_110_117
"""Key of the advisory lock that migrations hold."""

_MADE = re.compile(
    r"^CREATE (?:OR REPLACE )?(VIEW|FUNCTION|TABLE) (tagdb\w*\.\w+)"
    r"|^CREATE (TRIGGER) (\w+)[^;]*? ON (tagdb\w*\.\w+)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """A view, function, table or trigger: ``tagdb.images``; a trigger with its table."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.lower()} {self.name}"


@cache
def expected() -> dict[Item, str]:
    """Everything that the newest revision of each file makes, with the text of that file."""
    found: dict[Item, str] = {}
    for text in _newest().values():
        for kind, name, trigger, its, table in _MADE.findall(text):
            found[Item(kind or trigger, name or f"{its} ON {table}")] = text
    return found


@dataclass(frozen=True, slots=True)
class Deviations:
    """In what a database's catalog is not as the files have it."""

    missing: list[Item]
    changed: list[Item]
    """Functions with another body, as far as PostgreSQL keeps it as it was written."""
    added: list[str]
    """Functions of a name of tagdb's with other arguments, which calls may take for tagdb's."""


def deviations(connection: Connection) -> Deviations:
    """Compare the catalog with the files. For any login."""
    there: dict[Item, list[tuple[str, str]]] = {}
    for kind, name, called, body in connection.execute(statement("doctor/objects")):
        there.setdefault(Item(kind, name), []).append((called, body))
    wanted = expected()
    return Deviations(
        sorted(wanted.keys() - there.keys()),
        sorted(
            item for item, text in wanted.items() if any(body not in text for _, body in there.get(item, ()))
        ),
        sorted(called for item in wanted for called, _ in there.get(item, ())[1:]),
    )


def repair(connection: Connection) -> list[Item]:
    """Make views, functions and triggers anew, and give the roles their rights; all or nothing.

    For their owner. Tables are passed over. Returns what was made.

    Raises
    ------
    DatabaseError
        One cannot be made; or it is there with other arguments or columns.
    """
    with translated(), connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        connection.execute(
            "SELECT set_config('search_path', 'pg_catalog, ' || quote_ident(n.nspname), true)"
            " FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector'"
        )
        found = deviations(connection)
        waiting = [item for item in (*found.missing, *found.changed) if item.kind != "TABLE"]
        made: list[Item] = []
        while waiting:  # what uses another one that is missing comes after it
            failed: dict[Item, psycopg.Error] = {}
            for item in waiting:
                try:
                    with connection.transaction():
                        connection.execute(_again(expected()[item]))
                    made.append(item)
                except psycopg.Error as error:
                    failed[item] = error
            if len(failed) == len(waiting):
                item, why = next(iter(failed.items()))
                said = (why.diag.message_primary or str(why)).splitlines()[0]
                raise DatabaseError(f"the {item} cannot be made anew: {said}; restore a backup") from why
            waiting = list(failed)
        for name in ("roles", *(name for name in _newest() if name.endswith("_grants"))):
            connection.execute(_again(_newest()[name]))
        # a trigger tells it to the function candidates, which may have been made anew
        connection.execute("UPDATE tagdb_store.backbones SET ef_search = ef_search WHERE active")
    return made


@cache
def _newest() -> dict[str, str]:
    """The text of the newest revision of each file, by its name without that."""
    files = {file.name.partition(".")[0]: file for file in sorted(FOLDER.glob("*.sql"))}
    return {name: file.read_text(encoding="utf-8") for name, file in files.items()}


def _again(text: str) -> sql.SQL:
    """A file's text, for what may be there already."""
    replacing = re.sub(
        r"^CREATE (VIEW|FUNCTION|TRIGGER)\b", r"CREATE OR REPLACE \1", text, flags=re.MULTILINE
    )
    return sql.SQL(replacing)
