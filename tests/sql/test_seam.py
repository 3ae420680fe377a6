"""Tables with a vector for every image are read in a few places, so that they can be put on many machines."""

from __future__ import annotations

import re

import pytest

from tagdb.postgres.database import Connection
from tests.support.postgres import rows

pytestmark = pytest.mark.read_only

LARGE = {"embeddings", "search_vectors", "image_factors"}
SEAM = {"candidates", "candidates_among", "exact_neighbours"}
"""What combines the large tables with each other and with others."""
READING = SEAM | {
    "embedding_of",
    "factors_of",
    "has_embedding",
    "has_factors",
    "has_few_factors",
    "count_vectors",
}
"""All that depends on a large table. These read one; which backbone and which run, they look up first."""
SMALL = {"backbones", "factor_runs"}


def test_little_depends_on_the_large_tables(connection: Connection) -> None:
    """Views, and functions whose bodies PostgreSQL has parsed."""
    found = rows(
        connection,
        "SELECT DISTINCT coalesce(p.proname, v.relname) FROM pg_depend d"
        " JOIN pg_class t ON d.refclassid = 'pg_class'::regclass AND t.oid = d.refobjid"
        " LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid"
        " LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid"
        " LEFT JOIN pg_class v ON v.oid = r.ev_class"
        " WHERE t.relname = ANY (%s) AND t.relnamespace = 'tagdb_store'::regnamespace"
        " AND (p.oid IS NOT NULL OR v.oid IS NOT NULL)",
        sorted(LARGE),
    )
    assert {name for (name,) in found} == READING


def statements(connection: Connection) -> list[tuple[str, str]]:
    """The statements of all functions, with the names of their functions."""
    bodies = rows(
        connection,
        "SELECT p.proname, coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) FROM pg_proc p"
        " WHERE p.pronamespace IN ('tagdb'::regnamespace, 'tagdb_store'::regnamespace)",
    )
    return [(name, statement) for name, body in bodies for statement in body.split(";")]


def tables(statement: str) -> set[str]:
    """The tables that a statement reads or changes, those that are made for a number too."""
    named = r"(?:FROM|JOIN|USING|INTO|UPDATE|ONLY)\s+(?:ONLY\s+)?\(*\s*tagdb_store\.(?:(\w+)|%\d?\$?I)"
    return {re.sub(r"_\d+$", "", found) or "a part of a large one" for found in re.findall(named, statement)}


def test_no_other_statement_joins_a_large_table_with_others(connection: Connection) -> None:
    """Sets of numbers may be compared, as by EXCEPT; rows are not looked up in one for the other."""
    large = LARGE | {"a part of a large one"}
    looked_at = []
    for name, statement in statements(connection):
        used = tables(statement)
        if used & large and name not in READING:
            looked_at.append(name)
            assert len(used - SMALL) == 1 or "EXCEPT" in statement, (name, statement)
    assert {"remove_images", "activate_backbone", "attach_projection", "attach_factor_run"} <= set(looked_at)
