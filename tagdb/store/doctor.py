"""What ``tagdb doctor`` asks of a server and of a database. Everything here only reads."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import namedtuple_row

from tagdb.postgres.database import Connection
from tagdb.store.backbones import vector_schema
from tagdb.store.statements import execute, fetch_all, fetch_column, fetch_one, fetch_value, statement

ALL = 128 << 20
"""Bytes of vectors up to which all are looked at: some 50,000 embeddings."""
SOME = 64 << 20
"""Bytes of vectors that are looked at where there are more."""
PATIENCE = 5.0
"""Seconds after which enough has been timed."""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server is, and what this database has been through."""

    version: str
    major: int
    database: str
    login: str
    pid: int
    jit_available: bool
    pgvector_available: str | None
    pgvector: str | None
    may_read: bool
    """Whether this login may use the schema tagdb."""
    may_store: bool
    """Whether it may read the tables behind it."""
    may_monitor: bool
    """Whether it sees the sessions of others."""
    counted_since: datetime | None
    temp_files: int
    temp_bytes: int


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as it is in this session. ``bytes`` is None where it is no size."""

    name: str
    value: str
    context: str
    source: str
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Checkpoints made in their time, and those asked for before; how much was written to the log."""

    timed: int
    requested: int
    logged_bytes: int
    counted_since: datetime | None


@dataclass(frozen=True, slots=True)
class Hot:
    """A table that recommending reads, with its indexes; pages that were in the cache, and that were not."""

    what: str
    bytes: int
    hits: int
    reads: int
    rows: int


@dataclass(frozen=True, slots=True)
class VectorIndex:
    """An HNSW index."""

    name: str
    bytes: int
    valid: bool
    building: bool


@dataclass(frozen=True, slots=True)
class Timing:
    """A recommendation: how long it took in the database, and the pages it looked at."""

    milliseconds: float
    hits: int
    reads: int


@dataclass(frozen=True, slots=True)
class Trial:
    """The same recommendations with a session's settings and with others: medians, in milliseconds."""

    before_ms: float
    after_ms: float
    calls: int
    """Timed with each."""
    each_round: tuple[tuple[float, float], ...]
    """The medians of each round."""


def only_read(connection: Connection) -> None:
    """Let the session change nothing from now on."""
    execute(connection, "session/only_read")


def limit_time(connection: Connection, seconds: float) -> None:
    """Let no statement of the session take longer, nor wait for a lock for more than a fifth of that."""
    for name, limit in (("statement_timeout", seconds), ("lock_timeout", seconds / 5)):
        execute(connection, "session/set", setting=name, value=f"{limit * 1000:.0f}", local=False)


def rows(connection: Connection, name: str, **parameters: object) -> list[Any]:
    """Return the rows of ``doctor/NAME.sql``, columns as attributes.

    Where the statement names ``{vector}``, that is the schema that pgvector is in.
    """
    text = statement(f"doctor/{name}")
    query = sql.SQL(text)
    if "{vector}" in text:
        query = query.format(vector=sql.Identifier(vector_schema(connection)))  # type: ignore[assignment]
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(query, parameters or None).fetchall()


def share(connection: Connection, table: str) -> float:
    """Return which percentage of a table's pages to look at."""
    size = fetch_value(connection, "doctor/table_size", table=table) or 0
    return 100.0 if size <= ALL else 100.0 * SOME / size


def server_facts(connection: Connection) -> ServerFacts:
    """What the server is."""
    return fetch_one(connection, ServerFacts, "doctor/server_facts")


def server_settings(connection: Connection, names: Sequence[str]) -> dict[str, Setting]:
    """Settings by name; those that this PostgreSQL does not know are missing."""
    settings = fetch_all(connection, Setting, "doctor/server_settings", settings=list(names))
    return {setting.name: setting for setting in settings}


def checkpoints(connection: Connection) -> Checkpoints:
    """How often the server has written everything out."""
    name = "checkpoints" if connection.info.server_version >= 170_000 else "checkpoints_16"
    return fetch_one(connection, Checkpoints, f"doctor/{name}")


def hot_set(connection: Connection) -> list[Hot]:
    """What recommending reads, the largest first. For a login that may read."""
    return fetch_all(connection, Hot, "doctor/hot_set")


def vector_indexes(connection: Connection) -> list[VectorIndex]:
    """All HNSW indexes of tagdb's tables."""
    return fetch_all(connection, VectorIndex, "doctor/vector_indexes")


def sample_images(connection: Connection, images: int) -> list[int]:
    """Up to so many stored images at random. For a login that may read."""
    return fetch_column(connection, "doctor/images", images=images)


def recommend_timed(connection: Connection, image_ids: Sequence[int]) -> list[Timing]:
    """Recommend for each image, and say how that went; for fewer of them where it takes long."""
    timings: list[Timing] = []
    started = time.monotonic()
    for image_id in image_ids:
        (explained,) = fetch_value(connection, "doctor/recommend", image_id=image_id)
        plan = explained["Plan"]
        timings.append(
            Timing(explained["Execution Time"], plan["Shared Hit Blocks"], plan["Shared Read Blocks"])
        )
        if time.monotonic() - started > PATIENCE:
            break
    return timings


def trial(
    connection: Connection, image_ids: Sequence[int], settings: Mapping[str, str], rounds: int = 3
) -> Trial | None:
    """Time recommendations with the session's settings and with others, in turn.

    None where the login may not set one of them, or a recommendation takes too long to be tried.
    """
    taken: list[tuple[list[float], list[float]]] = []
    try:
        for turn in range(rounds):
            ways: dict[bool, list[float]] = {}
            for changed in (False, True) if turn % 2 == 0 else (True, False):
                ways[changed] = _timed(connection, image_ids, settings if changed else {})
            taken.append((ways[False], ways[True]))
    except (psycopg.errors.QueryCanceled, psycopg.errors.InsufficientPrivilege):
        return None
    finally:
        execute(connection, "session/discard_plans")
    before, after = ([each for one in taken for each in one[side]] for side in (0, 1))
    medians = tuple((statistics.median(one), statistics.median(other)) for one, other in taken)
    return Trial(statistics.median(before), statistics.median(after), min(len(before), len(after)), medians)


def _timed(connection: Connection, image_ids: Sequence[int], settings: Mapping[str, str]) -> list[float]:
    """Milliseconds of each recommendation under some settings, which end with it."""
    with connection.transaction():
        for name, value in {"statement_timeout": "30s", **settings}.items():
            execute(connection, "session/set", setting=name, value=value, local=True)
        execute(connection, "session/discard_plans")  # made under other settings, and kept for the functions
        recommend_timed(connection, image_ids[:2])  # makes the plans
        return [each.milliseconds for each in recommend_timed(connection, image_ids)]
