"""What a check is given and what it returns."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import psycopg
from psycopg import sql

from tagdb.postgres import database, server_settings
from tagdb.postgres.database import Connection
from tagdb.postgres.machine import Machine
from tagdb.store import doctor as queries
from tagdb.store import schema as objects

Severity = Literal["ok", "advice", "wrong", "skipped"]
"""Fine, could be better, does not work, could not be checked."""
DAMAGE = (
    psycopg.errors.DataCorrupted,
    psycopg.errors.IndexCorrupted,
    psycopg.errors.IoError,
    psycopg.errors.UndefinedFile,
)
"""Errors that mean damaged data."""
UNDEFINED = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedColumn,
)
"""Errors that mean an incomplete schema."""
WAITED = (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)
"""Errors that mean a query took too long."""
RESTART, RELOAD, CONNECT = "postmaster", "sighup", "user"
"""When a setting takes effect: after a restart, after a reload, in new connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Result of a check for one thing."""

    check: str
    """What was checked, in a word or two; for a setting, its name."""
    severity: Severity
    sentence: str
    """What is wrong or could be better, and by how much."""
    remedy: str = ""
    """SQL statement or command to paste."""
    restart: bool = False
    """Whether the remedy takes effect only after a restart of the server."""
    value: str | None = None
    recommended: str | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    """Measured figures."""


@dataclass
class Examination:
    """The database that is being examined."""

    connection: Connection
    facts: queries.ServerFacts
    machine: Machine | None
    """What the server can use, if known."""
    here: bool = False
    """Whether the server runs on this machine, so that its files can be checked."""
    home: Path | None = None
    """tagdb's home on this machine."""
    images: list[int] = field(default_factory=list)
    """Stored images for which recommending was tried; empty if it does not work yet."""
    timings: list[queries.Timing] = field(default_factory=list)
    """Times and page counts of the first recommendation for each of them."""

    @cached_property
    def revision(self) -> str | None:
        """Revision of the schema, or None without a schema."""
        return database.revision(self.connection)

    @cached_property
    def deviations(self) -> objects.Deviations:
        """Differences between the catalog and what the migrations create."""
        return objects.deviations(self.connection)

    @property
    def complete(self) -> bool:
        """Whether everything that the checks of stored data need exists and can be read."""
        return self.readable and self.facts.may_store and not self.deviations.missing

    @property
    def readable(self) -> bool:
        """Whether the schema has this program's revision and this login may read it."""
        return self.facts.may_read and self.revision == database.SCHEMA_REVISION

    @cached_property
    def recommended(self) -> dict[str, str]:
        """Recommended settings for the machine; empty if it is unknown."""
        return server_settings.recommended(self.machine) if self.machine else {}

    @cached_property
    def hot(self) -> list[queries.Hot]:
        """Tables and indexes that recommending reads; empty for a login without the right to read them."""
        return queries.hot_set(self.connection) if self.readable else []

    def rows(self, what: str) -> int:
        """Return the planner's estimate of the rows of a table that recommending reads."""
        return next((each.rows for each in self.hot if each.what == what), 0)

    def setting(self, name: str) -> queries.Setting | None:
        """Return a setting of the session."""
        return queries.server_settings(self.connection, [name]).get(name)

    def change(self, setting: queries.Setting, value: str) -> str:
        """Return the statement that changes a setting as narrowly as possible.

        A setting that sessions can change is changed for this database only. That leaves other databases
        alone, is allowed to the database's owner, and overrides the server's configuration.
        """
        if setting.context not in (CONNECT, "superuser"):
            kind: sql.Composable = sql.SQL("ALTER SYSTEM")
        elif setting.source in ("user", "database user"):  # overrides the database's
            kind = sql.SQL("ALTER ROLE {} IN DATABASE {}").format(
                sql.Identifier(self.facts.login), sql.Identifier(self.facts.database)
            )
        else:
            kind = sql.SQL("ALTER DATABASE {}").format(sql.Identifier(self.facts.database))
        literal = sql.Literal(value).as_string(self.connection)
        return f"{kind.as_string(self.connection)} SET {setting.name} = {literal}"


Check = Callable[[Examination], Iterator[Finding]]


def format_bytes(size: float) -> str:
    """Return a number of bytes as text, with a unit."""
    units = iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while size >= 1024 and unit != "TB":
        size, unit = size / 1024, next(units)
    return f"{size:.0f} {unit}" if size >= 10 or size == int(size) else f"{size:.1f} {unit}"


def list_names(names: Sequence[str], most: int = 3) -> str:
    """Return the first few names and the number of the others."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")


def count_noun(number: int, one: str, many: str) -> str:
    """Return a number with its noun in the singular or plural."""
    return f"{number:,} {one if number == 1 else many}"


def format_setting(size: float) -> str:
    """Return a number of bytes in the form of PostgreSQL's configuration, rounded up to megabytes."""
    megabytes = -int(-size // server_settings.MB)
    return f"{megabytes // 1024}GB" if megabytes % 1024 == 0 else f"{megabytes}MB"
