"""What others may build on: the columns of the views, the signatures of the functions, and their comments.

Both are listed in tests/sql/golden, so that no change of them goes unseen.
"""

from __future__ import annotations

import pytest
from psycopg import sql

from tagdb.postgres.database import Connection
from tagdb.store.backbones import vector_schema
from tests.support import golden
from tests.support.postgres import rows
from tests.support.surface import ASKING, WRITING

pytestmark = pytest.mark.read_only


@pytest.fixture
def catalog(connection: Connection) -> Connection:
    """A connection to which pgvector's types have no schema, wherever they are."""
    connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(vector_schema(connection))))
    return connection


def test_the_functions_are_as_agreed(catalog: Connection) -> None:
    functions = rows(
        catalog,
        "SELECT p.proname, pg_get_function_arguments(p.oid),"
        " coalesce(pg_get_function_result(p.oid), 'what is INOUT: a procedure'),"
        " CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,"
        " CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END,"
        " p.proisstrict, p.prosecdef, p.proretset, p.prorows FROM pg_proc p"
        " WHERE p.pronamespace = 'tagdb'::regnamespace ORDER BY 1, 2",
    )
    lines = []
    for name, arguments, result, volatility, parallel, strict, definer, many, count in functions:
        kind = [volatility, f"parallel {parallel}", "security definer" if definer else "security invoker"]
        kind += ["strict"] * strict + [f"rows {count:g}"] * many
        # a line for each argument and each column of the result
        takes, gives = arguments.replace(", ", ",\n    "), result.replace(", ", ",\n    ")
        lines += [f"{name}(\n    {takes}\n)", f"returns {gives}", ", ".join(kind), ""]
    golden.compare("functions.txt", "\n".join(lines))


def test_the_views_are_as_agreed(catalog: Connection) -> None:
    columns = rows(
        catalog,
        "SELECT c.relname, array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod)"
        " ORDER BY a.attnum) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
        " WHERE c.relnamespace = 'tagdb'::regnamespace GROUP BY 1 ORDER BY 1",
    )
    lines = [line for name, its in columns for line in (name, *(f"    {column}" for column in its), "")]
    golden.compare("views.txt", "\n".join(lines))


def test_everything_public_has_a_sentence(connection: Connection) -> None:
    described = rows(
        connection,
        "SELECT c.relname, obj_description(c.oid, 'pg_class') FROM pg_class c"
        " WHERE c.relnamespace = 'tagdb'::regnamespace"
        " UNION ALL SELECT c.relname || '.' || a.attname, col_description(c.oid, a.attnum)"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
        " WHERE c.relnamespace = 'tagdb'::regnamespace"
        " UNION ALL SELECT p.oid::regprocedure::text, obj_description(p.oid, 'pg_proc') FROM pg_proc p"
        " WHERE p.pronamespace = 'tagdb'::regnamespace",
    )
    assert len(described) > 100
    assert [name for name, comment in described if not comment or not comment.endswith(".")] == []


def test_views_have_types_that_every_program_knows(connection: Connection) -> None:
    """No vectors, in particular: a chart or a spreadsheet could not show them."""
    types = (
        "SELECT DISTINCT t.typname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " JOIN pg_type t ON t.oid = a.atttypid"
        " WHERE c.relnamespace = 'tagdb'::regnamespace AND a.attnum > 0"
        " AND t.typnamespace <> 'pg_catalog'::regnamespace"
    )
    assert rows(connection, types) == []


def test_functions_only_read_but_for_those_known_to_write(connection: Connection) -> None:
    """As PostgreSQL may take them at their word, and with nothing on the search path to be led astray by."""
    functions = rows(
        connection,
        "SELECT p.proname, p.provolatile, p.proparallel, p.proconfig FROM pg_proc p"
        " WHERE p.pronamespace = 'tagdb'::regnamespace",
    )
    assert functions
    assert {name for name, volatility, *_ in functions if volatility == "v"} == WRITING | ASKING
    for name, volatility, parallel, settings in functions:
        assert (parallel == "s") == (volatility != "v"), name
        if name != "recommend_photo":  # which commits, and sets it for each of its transactions
            assert "search_path=pg_catalog, pg_temp" in (settings or []), name


def test_functions_say_how_many_rows_to_expect(connection: Connection) -> None:
    """PostgreSQL's 1000 would make it read whole tables to join ten rows."""
    unsaid = (
        "SELECT p.oid::regprocedure::text FROM pg_proc p"
        " WHERE p.pronamespace = 'tagdb'::regnamespace AND p.proretset AND p.prorows = 1000"
    )
    assert rows(connection, unsaid) == []
