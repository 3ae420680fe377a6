"""What a check is given and what it says."""

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
from tagdb.store import health
from tagdb.store import schema as objects

Severity = Literal["ok", "advice", "wrong", "skipped"]
"""Whether something is as it should be, could be better, does not work, or could not be looked at."""
DAMAGE = (
    psycopg.errors.DataCorrupted,
    psycopg.errors.IndexCorrupted,
    psycopg.errors.IoError,
    psycopg.errors.UndefinedFile,
)
"""Errors of a database that the disk has not kept."""
UNDEFINED = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedColumn,
)
"""Errors of a schema that is incomplete."""
WAITED = (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)
"""Errors of a question that took too long."""
RESTART, RELOAD, CONNECT = "postmaster", "sighup", "user"
"""When a setting counts: after a restart, once the configuration is read again, in new connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check has to say of one thing."""

    check: str
    """What was looked at, in a word or two; the name of a setting if it is one."""
    severity: Severity
    sentence: str
    """What is the case, what it holds back, and by how much."""
    remedy: str = ""
    """A statement or a command to paste."""
    restart: bool = False
    """Whether the remedy counts only after a restart of the server."""
    value: str | None = None
    recommended: str | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    """What was measured."""


@dataclass
class Examination:
    """A database that is being examined."""

    connection: Connection
    facts: health.ServerFacts
    machine: Machine | None
    """What the server has to itself, if that is known."""
    here: bool = False
    """Whether the server runs on this machine, so that its files can be looked at."""
    home: Path | None = None
    """Where tagdb keeps what is its own, on this machine."""
    images: list[int] = field(default_factory=list)
    """Stored images that recommending was tried with; none where that does not work yet."""
    timings: list[health.Timing] = field(default_factory=list)
    """How recommending for each of them went at first."""

    @cached_property
    def revision(self) -> str | None:
        """The schema's revision, if there is a schema."""
        return database.revision(self.connection)

    @cached_property
    def deviations(self) -> objects.Deviations:
        """In what the catalog differs from what the migrations make."""
        return objects.deviations(self.connection)

    @property
    def complete(self) -> bool:
        """Whether everything is there that the checks of what is stored use, and may be read."""
        return self.readable and self.facts.may_store and not self.deviations.missing

    @property
    def readable(self) -> bool:
        """Whether the schema is the one that this program knows, and this login may read it."""
        return self.facts.may_read and self.revision == database.SCHEMA_REVISION

    @cached_property
    def recommended(self) -> dict[str, str]:
        """The settings for the machine; empty if it is not known."""
        return server_settings.recommended(self.machine) if self.machine else {}

    @cached_property
    def hot(self) -> list[health.Hot]:
        """What recommending reads; nothing for a login that may not look."""
        return health.hot_set(self.connection) if self.readable else []

    def rows(self, what: str) -> int:
        """How many rows a table of the hot set has, as the planner believes."""
        return next((each.rows for each in self.hot if each.what == what), 0)

    def setting(self, name: str) -> health.Setting | None:
        """A setting of the session."""
        return health.server_settings(self.connection, [name]).get(name)

    def change(self, setting: health.Setting, value: str) -> str:
        """The statement that changes a setting, as narrowly as that goes.

        What counts for each session is changed for this database only: that leaves other databases alone, is
        allowed to its owner, and wins over the server's configuration.
        """
        if setting.context not in (CONNECT, "superuser"):
            kind: sql.Composable = sql.SQL("ALTER SYSTEM")
        elif setting.source in ("user", "database user"):  # which wins over the database's
            kind = sql.SQL("ALTER ROLE {} IN DATABASE {}").format(
                sql.Identifier(self.facts.login), sql.Identifier(self.facts.database)
            )
        else:
            kind = sql.SQL("ALTER DATABASE {}").format(sql.Identifier(self.facts.database))
        literal = sql.Literal(value).as_string(self.connection)
        return f"{kind.as_string(self.connection)} SET {setting.name} = {literal}"


Check = Callable[[Examination], Iterator[Finding]]


def shown(size: float) -> str:
    """A number of bytes for people."""
    units = iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while size >= 1024 and unit != "TB":
        size, unit = size / 1024, next(units)
    return f"{size:.0f} {unit}" if size >= 10 or size == int(size) else f"{size:.1f} {unit}"


def said(error: Exception) -> str:
    """What an error says, in one line."""
    text = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return ((text or str(error)).strip().splitlines() or ["no reason given"])[0]


def named(names: Sequence[str], most: int = 3) -> str:
    """Some names for people; of many the first ones."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number:,} {one if number == 1 else many}"


def written(size: float) -> str:
    """A number of bytes as PostgreSQL's configuration has it: whole megabytes, and gigabytes if they are."""
    megabytes = -int(-size // server_settings.MB)
    return f"{megabytes // 1024}GB" if megabytes % 1024 == 0 else f"{megabytes}MB"
