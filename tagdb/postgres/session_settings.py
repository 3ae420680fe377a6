"""Settings that tagdb's own connections rely on."""

import os
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from tagdb.errors import DatabaseError
from tagdb.postgres.pooled import Connection, local

SAFE_PATH: LiteralString = "SET search_path = pg_catalog, pg_temp"
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
    "tcp_user_timeout": "0",
    "exit_on_error": "off",
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
    # foreign keys are triggers, which a replica does not run; only a superuser may change this
    "session_replication_role": "origin",
    # with "view", none of tagdb's views can be read
    "restrict_nonsystem_relation_kind": "",
}
"""What tagdb's own connections rely on, whatever a server, a database, a role or the environment sets."""
WITHOUT_LIMITS = "-c statement_timeout=0 -c idle_session_timeout=0"
"""Options of libpq for a session whose time limits are too short for a first statement."""
_OTHERWISE = sql.SQL(
    "FROM (VALUES {}) pinned (name, value)"
    " WHERE current_setting(name, true) <> value"  # the setting of a newer server is null here
).format(sql.SQL(", ").join(sql.SQL("({}, {})").format(*each) for each in PINNED.items()))
_PIN = sql.SQL("SELECT set_config(name, value, false) ") + _OTHERWISE
_TO_PIN = sql.SQL("SELECT name, value ") + _OTHERWISE


def settle(connection: Connection) -> None:
    """Give a session, or each transaction where a pooler lends them, the settings that tagdb relies on.

    Raises
    ------
    DatabaseError
        Foreign keys are switched off for this login, which may not switch them on.
    """
    pooled = os.environ.get("TAGDB_POOLER") != "session" and connection.answered_by_pooler()
    try:
        if pooled:
            connection.begin_with([sql.SQL(SAFE_PATH.replace("SET", "SET LOCAL"))])
            connection.begin_with([local(*each) for each in connection.execute(_TO_PIN)])
            connection.execute("SELECT 1")
        else:
            connection.execute(SAFE_PATH)
            connection.execute(_PIN)
    except psycopg.errors.InsufficientPrivilege as error:
        name = "session_replication_role"
        raise DatabaseError(
            f"{name} is set for your sessions, which switches foreign keys off; your login may not change "
            f"it; ask the database's administrator to {undoing(connection, name)}"
        ) from error


def undoing(connection: psycopg.Connection[Any], name: str) -> str:
    """Return what undoes a setting that sessions of this login begin with."""
    row = connection.execute(
        "SELECT CASE WHEN setrole <> 0 AND setdatabase <> 0 THEN format('ROLE %%I IN DATABASE %%I', r, d)"
        " WHEN setrole <> 0 THEN format('ROLE %%I', r) WHEN setdatabase <> 0 THEN format('DATABASE %%I', d)"
        " ELSE 'ROLE ALL' END"
        " FROM pg_db_role_setting, current_database() d, session_user r"
        " WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = d))"
        " AND setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = r))"
        " AND EXISTS (SELECT FROM unnest(setconfig) each WHERE starts_with(each, %s || '='))"
        " ORDER BY setrole <> 0 DESC, setdatabase <> 0 DESC LIMIT 1",
        [name],
    ).fetchone()
    if row is None:
        return f"take {name} out of the server's configuration, PGOPTIONS or the URL"
    return f"run: ALTER {row[0]} RESET {name}"
