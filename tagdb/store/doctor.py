"""Queries of ``tagdb doctor``. Everything here only reads."""

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
from tagdb.postgres.pooled import is_pooled, set_for_session
from tagdb.store.backbones import vector_schema
from tagdb.store.statements import Names, execute, fetch_all, fetch_column, fetch_one, fetch_value, statement

ALL = 128 << 20
"""Bytes of vectors up to which all are checked: about 50,000 embeddings."""
SOME = 64 << 20
"""Bytes of vectors that are checked if there are more."""
PATIENCE = 5.0
"""Seconds after which timing stops."""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """Facts about a server and this database."""

    version: str
    major: int
    database: str
    login: str
    pid: int
    pgvector_available: str | None
    pgvector: str | None
    may_read: bool
    """Whether the login may use the schema tagdb."""
    may_store: bool
    """Whether it may read the tables of tagdb_store."""
    may_monitor: bool
    """Whether it may see other sessions."""
    counted_since: datetime | None
    temp_files: int
    temp_bytes: int


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting in this session. ``bytes`` is None if it is not a size."""

    name: str
    value: str
    context: str
    source: str
    bytes: int | None
    initial: str = ""
    """What the session began with, as PostgreSQL notes it."""


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Timed and requested checkpoints, and the bytes written to the log."""

    timed: int
    requested: int
    logged_bytes: int
    counted_since: datetime | None


@dataclass(frozen=True, slots=True)
class Hot:
    """A table that recommending reads, with its indexes; pages found in the cache and not."""

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
class Orphans:
    """Rows of a table that have lost what they refer to, and the statement that mends them."""

    table: str
    missing: str
    number: int
    remedy: str

    def __str__(self) -> str:
        rows = "1 row" if self.number == 1 else f"{self.number:,} rows"
        has, they = ("has", "it belongs") if self.number == 1 else ("have", "they belong")
        return f"{rows} of {self.table} {has} lost the {self.missing} {they} to"


@dataclass(frozen=True, slots=True)
class Timing:
    """Time of a recommendation in the database, and the pages it read."""

    milliseconds: float
    hits: int
    reads: int


@dataclass(frozen=True, slots=True)
class Trial:
    """The same recommendations with the session's settings and with others: medians in milliseconds."""

    before_ms: float
    after_ms: float
    calls: int
    """Number of recommendations timed with each."""
    each_round: tuple[tuple[float, float], ...]
    """Medians of each round."""


def only_read(connection: Connection) -> None:
    """Make the session read-only."""
    if is_pooled(connection):
        connection.read_only = True
    else:
        execute(connection, "session/only_read")


def limit_time(connection: Connection, seconds: float) -> None:
    """Limit the time of statements in this session, and of waiting for locks to a fifth of it."""
    for name, limit in (("statement_timeout", seconds), ("lock_timeout", seconds / 5)):
        set_for_session(connection, name, f"{limit * 1000:.0f}")


def orphans(connection: Connection) -> list[Orphans]:
    """Return the rows that have lost what they refer to, of tables that are there."""
    from tagdb.postgres.tables import metadata

    there = {row.name for row in rows(connection, "tables")}
    tables = metadata.sorted_tables
    keys = [(each.parent, each.column) for table in tables for each in table.foreign_keys]
    # factors have no key, because checking every row would take longer than computing it
    images, factors = (metadata.tables[f"tagdb_store.{name}"] for name in ("images", "image_factors"))
    keys.append((factors.c.image_id, images.c.image_id))
    found = []
    for column, of in sorted(keys, key=lambda key: (key[0].table.name, key[0].name)):
        child, parent = column.table, of.table
        if not {child.name, parent.name} <= there:
            continue
        names: Names = {
            "child": ("tagdb_store", child.name), "column": column.name,
            "parent": ("tagdb_store", parent.name), "key": of.name,
        }  # fmt: skip
        ((number,),) = execute(connection, "doctor/orphans", names=names).fetchall()
        if number:
            lost = (
                f"x.{column.name} IS NOT NULL AND NOT EXISTS (SELECT FROM {parent.fullname} o "
                f"WHERE o.{of.name} = x.{column.name})"
            )
            change = (
                f"UPDATE {child.fullname} x SET {column.name} = NULL WHERE {lost}"  # noqa: S608
                if column.nullable
                else f"DELETE FROM {child.fullname} x WHERE {lost}"  # noqa: S608
            )
            found.append(Orphans(child.name, parent.name.removesuffix("s").replace("_", " "), number, change))
    return found


def rows(connection: Connection, name: str, **parameters: object) -> list[Any]:
    """Return the rows of ``doctor/NAME.sql``, columns as attributes.

    In the statement, ``{vector}`` stands for the schema of pgvector.
    """
    text = statement(f"doctor/{name}")
    query = sql.SQL(text)
    if "{vector}" in text:
        query = query.format(vector=sql.Identifier(vector_schema(connection)))  # type: ignore[assignment]
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(query, parameters or None).fetchall()


def share(connection: Connection, table: str) -> float:
    """Return the percentage of a table's pages to check."""
    size = fetch_value(connection, "doctor/table_size", table=table) or 0
    return 100.0 if size <= ALL else 100.0 * SOME / size


def server_facts(connection: Connection) -> ServerFacts:
    """Return facts about the server."""
    return fetch_one(connection, ServerFacts, "doctor/server_facts")


def server_settings(connection: Connection, names: Sequence[str]) -> dict[str, Setting]:
    """Return settings by name; those that this PostgreSQL does not have are missing."""
    settings = fetch_all(connection, Setting, "doctor/server_settings", settings=list(names))
    return {setting.name: setting for setting in settings}


def checkpoints(connection: Connection) -> Checkpoints:
    """Return the numbers of checkpoints."""
    name = "checkpoints" if connection.info.server_version >= 170_000 else "checkpoints_16"
    return fetch_one(connection, Checkpoints, f"doctor/{name}")


def hot_set(connection: Connection) -> list[Hot]:
    """Return the tables that recommending reads, largest first. For a login that may read them."""
    return fetch_all(connection, Hot, "doctor/hot_set")


def vector_indexes(connection: Connection) -> list[VectorIndex]:
    """Return all HNSW indexes of tagdb's tables."""
    return fetch_all(connection, VectorIndex, "doctor/vector_indexes")


def sample_images(connection: Connection, images: int) -> list[int]:
    """Return random stored images. For a login that may read them."""
    return fetch_column(connection, "doctor/images", images=images)


def recommend_timed(connection: Connection, image_ids: Sequence[int]) -> list[Timing]:
    """Time a recommendation for each image; for fewer images if it takes long."""
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

    Returns None if the login may not change one of them, or if a recommendation takes too long.
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
    """Return the milliseconds of each recommendation with settings that are reset afterwards."""
    with connection.transaction():
        for name, value in {"statement_timeout": "30s", **settings}.items():
            execute(connection, "session/set", setting=name, value=value, local=True)
        execute(connection, "session/discard_plans")  # cached for the functions under other settings
        recommend_timed(connection, image_ids[:2])  # fills the plan cache
        return [each.milliseconds for each in recommend_timed(connection, image_ids)]
