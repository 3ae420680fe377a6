"""Recommending uses the vector index and looks up only what it needs, also with a generic plan."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tagdb.migrations
from psycopg import sql

from tagdb import database, store
from tagdb.database import Connection
from tagdb.store import backbones
from tests import seed
from tests.conftest import administer, named

IMAGES = 6000
FILES = Path(tagdb.migrations.__file__).parent / "sql"


@pytest.fixture(scope="module")
def large(run: dict[str, str]) -> Iterator[Connection]:
    """A database with a vector index; nothing here changes it."""
    name = f"tagdb_test_{uuid.uuid4().hex[:12]}"
    administer(run["url"], f"CREATE DATABASE {{}} TEMPLATE {run['template']}", name)
    try:
        with database.connect(named(run["url"], name)) as connection, pytest.MonkeyPatch.context() as patch:
            backbone_id = store.add_backbone(connection, seed.identity()).backbone_id
            image_ids = seed.add_images(connection, IMAGES)
            seed.add_embeddings(connection, backbone_id, image_ids, seed.clustered(IMAGES))
            hashtag_ids = seed.add_hashtags(connection, [f"tag{n}" for n in range(500)])
            rng = np.random.default_rng(1)
            image_factors = rng.standard_normal((IMAGES, 64)).astype(np.float16)
            hashtag_factors = rng.standard_normal((500, 64)).astype(np.float16)
            # Without factors for one image in ten, as where an image has no hashtag.
            kept = np.arange(IMAGES) % 10 > 0
            seed.add_run(connection, image_ids[kept], image_factors[kept], hashtag_ids, hashtag_factors)
            patch.setattr(backbones, "INDEX_FROM", IMAGES // 2)
            assert store.ensure_vector_index(connection, backbone_id)
            connection.execute("ANALYZE")
            connection.execute("SET stats_fetch_consistency = none")
            yield connection
    finally:
        administer(run["url"], "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def generic_plan(connection: Connection, function: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
    """Every node of the plan that the newest revision of a function's body gets, unaware of its arguments.

    ``parameters`` maps the text that stands for an argument, in order, to its type.
    """
    text = max(FILES.glob(f"{function}.r*.sql")).read_text("utf-8")
    head, body = text.split("BEGIN ATOMIC\n")
    body = body[: body.rindex("END;")].rstrip().removesuffix(";")
    for number, argument in enumerate(parameters, 1):
        body, times = re.subn(rf"(?<![.\w]){re.escape(argument)}(?![.\w])", f"${number}", body)
        assert times, f"{function} does not use {argument}"
    with connection.transaction(force_rollback=True):
        for setting, value in re.findall(r"^SET ([\w.]+) = (.+)$", head, re.MULTILINE):
            if setting != "search_path":
                connection.execute(sql.SQL(f"SET LOCAL {setting} = {value}"))
        connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        connection.execute(f"PREPARE asked ({', '.join(parameters.values())}) AS {body}")
        nulls = ", ".join("NULL" for _ in parameters)
        row = connection.execute(f"EXPLAIN (FORMAT JSON) EXECUTE asked ({nulls})").fetchone()
        connection.execute("DEALLOCATE asked")
    assert row is not None
    plan = row[0] if isinstance(row[0], list) else json.loads(row[0])
    nodes = []
    pending = [plan[0]["Plan"]]
    while pending:
        node = pending.pop()
        pending += node.get("Plans", [])
        nodes.append(node)
    return nodes


RECOMMEND = {
    "query": "halfvec",
    "itself": "bigint",
    "top": "integer",
    "recommend.neighbours": "integer",
    "known": "text[]",
    "exclude": "text[]",
}
SIMILAR = {"query": "halfvec", "itself": "bigint", "top": "integer"}


@pytest.mark.parametrize(("function", "parameters"), [("recommend", RECOMMEND), ("similar", SIMILAR)])
def test_the_plan(large: Connection, function: str, parameters: dict[str, str]) -> None:
    nodes = generic_plan(large, function, parameters)
    shown = json.dumps(nodes[0], indent=1)
    assert "embeddings_1_hnsw" in {node.get("Index Name") for node in nodes}, shown
    read = {(node.get("Relation Name"), node["Node Type"]) for node in nodes if "Relation Name" in node}
    assert ("embeddings_1", "Index Scan") in read, shown
    if function == "recommend":
        assert ("image_factors_1", "Index Scan") in read, shown
        look_up = next(node for node in nodes if node.get("Relation Name") == "image_factors_1")
        assert "image_id" in look_up["Index Cond"], shown
    scanned = {table for table, how in read if how != "Index Scan"}
    # Of the small tables the planner may do what it likes; every hashtag's factors are read on purpose.
    assert scanned <= {"hashtag_factors_1", "hashtags", "backbones", "factor_runs"}, shown
    assert {node["Node Type"] for node in nodes}.isdisjoint({"Hash Join", "Merge Join"}), shown


def scans(connection: Connection) -> dict[str, int]:
    """How often each table was scanned as a whole, and each index used, so far."""
    connection.execute("SELECT pg_stat_force_next_flush()")
    rows = connection.execute(
        "SELECT relname, coalesce(seq_scan, 0) FROM pg_stat_user_tables UNION ALL"
        " SELECT indexrelname, idx_scan FROM pg_stat_user_indexes"
    )
    return dict(rows.fetchall())


@pytest.mark.parametrize(
    ("question", "neighbours"),
    [
        ("SELECT * FROM tagdb.recommend_for_embedding(%(query)s)", 50),
        ("SELECT * FROM tagdb.recommend_for_embedding(%(query)s, neighbours => 200)", 200),
        ("SELECT * FROM tagdb.recommend_for_image(17)", 50),
        ("SELECT * FROM tagdb.similar_images(%(query)s)", 0),
        ("SELECT * FROM tagdb.similar_images_to(17)", 0),
    ],
)
def test_what_is_read(large: Connection, question: str, neighbours: int) -> None:
    """PostgreSQL's own count, over enough calls that it may have gone over to a generic plan."""
    query = {"query": seed.literal(seed.features(1, 5)[0])}
    calls = 7
    before = scans(large)
    for _ in range(calls):
        assert len(large.execute(question, query, prepare=True).fetchall()) == 10
    after = scans(large)
    done = {name: after[name] - before.get(name, 0) for name in after}
    assert done["embeddings_1_hnsw"] == calls
    assert done["embeddings_1"] == done["image_factors_1"] == done["images"] == 0
    # One look-up for each candidate; one in ten has no factors, and a few are read ahead.
    assert done["image_factors_1_pkey"] <= calls * (neighbours * 1.5 + 64) * bool(neighbours)
    assert done["image_factors_1_pkey"] >= calls * neighbours


def test_the_index_finds_what_is_there(large: Connection) -> None:
    """An image is what is most similar to itself, up to the few that an approximate index may miss."""
    found = large.execute(
        "SELECT e.image_id = s.image_id FROM tagdb_store.embeddings e,"
        " tagdb.similar_images(e.embedding, 1) s WHERE e.image_id %% 150 = 7",
        {},
    ).fetchall()
    assert len(found) == IMAGES // 150
    assert found.count((True,)) >= 0.9 * len(found)


def test_all_neighbours_can_be_asked_for(large: Connection) -> None:
    """The search goes on past the first 100 candidates that the index offers."""
    query = seed.literal(seed.features(1, 5)[0])
    rows = large.execute("SELECT similarity FROM tagdb.similar_images(%s, 1000)", (query,)).fetchall()
    assert len(rows) == 1000
    assert rows == sorted(rows, reverse=True)
