"""Settings that tagdb's own connections rely on."""

from typing import Any

import psycopg

SAFE_PATH = "SET search_path = pg_catalog, pg_temp"
"""Restricts names without a schema to schemas in which nobody else can create objects. A function in
another schema, such as public, could match a call better than PostgreSQL's own function of the same name, and
would run with our rights. Set by a statement, because PgBouncer refuses it as a connection parameter."""
PINNED = {
    # how values are written and read, in SQL and by psycopg
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "quote_all_identifiers": "off",
    # what transactions may rely on, and that long work is not ended by limits that are meant for others
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    # compiling plans takes longer than nearly all of tagdb's queries
    "jit": "off",
    "plan_cache_mode": "auto",
    "enable_partition_pruning": "on",
    "cursor_tuple_fraction": "0.1",
    "from_collapse_limit": "8",
    "join_collapse_limit": "8",
    "enable_indexscan": "on",
    "enable_indexonlyscan": "on",
    "enable_bitmapscan": "on",
    "enable_seqscan": "on",
    "enable_nestloop": "on",
    "enable_hashjoin": "on",
    "enable_hashagg": "on",
    "enable_sort": "on",
    "enable_material": "on",
}
"""What tagdb's own connections rely on, whatever a server, a database, a role or the environment sets."""
NEWER = {"transaction_timeout": 17}
"""Settings that came with a version of PostgreSQL newer than the oldest supported."""


def settle(connection: psycopg.Connection[Any]) -> None:
    """Give a session the settings that tagdb relies on."""
    version = connection.info.server_version // 10_000
    pinned = (f"SET {name} = '{value}'" for name, value in PINNED.items() if version >= NEWER.get(name, 0))
    connection.execute("; ".join([SAFE_PATH, *pinned]).encode())
