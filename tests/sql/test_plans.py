"""Whole tables are read only where looking up would be dearer, and searches use the vector index."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from psycopg import sql
from tagdb.migrations import objects

from tagdb import store
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.store import index
from tests.support import seed
from tests.support.postgres import Postgres

EMBEDDED = 5000
"""Images that have an embedding and hashtags."""
Vector = NDArray[np.float16]
IMAGES = 20_000
USED = 20_000
"""Hashtags that images have, and that have factors."""
HASHTAGS = 40_000
FIRST = 4000
"""More hashtags than are looked at, before all, to find out how good one must be."""
FEW = 2000
"""More rows than a question here should read of any table; a table that it might scan has far more."""


def build(connection: Connection) -> None:
    """Fill a database so far that looking up pays, and make the vector index."""
    # The planner's statistics are of every row, lest the plans depend on which ones were drawn.
    connection.execute("SET default_statistics_target = 1000")
    rng = np.random.default_rng(1)
    backbone_id = store.backbones.add(connection, seed.identity())
    image_ids = seed.add_images(connection, IMAGES)[:EMBEDDED]
    connection.execute(
        "UPDATE tagdb_store.images SET collection = 'collection ' || image_id %% 8,"
        " taken_at = timestamptz '2025-01-01 12:00Z' + image_id %% 700 * interval '1 day'"
        " WHERE image_id = ANY (%s)",
        (image_ids.tolist(),),
    )
    seed.add_embeddings(connection, backbone_id, image_ids, seed.clustered(EMBEDDED))
    hashtag_ids = seed.add_hashtags(connection, [f"tag{n}" for n in range(HASHTAGS)])
    image_factors = rng.standard_normal((EMBEDDED, 64)).astype(np.float16)
    hashtag_factors = rng.standard_normal((USED, 64)).astype(np.float16)
    # Without factors for one image in ten, as where an image has no hashtag.
    kept = np.arange(EMBEDDED) % 10 > 0
    seed.add_run(connection, image_ids[kept], image_factors[kept], hashtag_ids[:USED], hashtag_factors)
    # Up to five on each image. A few hashtags are on many images, most on a few.
    carried = hashtag_ids[(USED * rng.random((EMBEDDED, 5)) ** 4).astype(int)]
    connection.execute(
        "INSERT INTO tagdb_store.image_hashtags (image_id, hashtag_id)"
        " SELECT DISTINCT * FROM unnest(%s::bigint[], %s::integer[])",
        (np.repeat(image_ids, 5).tolist(), carried.ravel().tolist()),
    )
    # What people said of three hashtags of each image.
    connection.execute(
        "INSERT INTO tagdb_store.feedback (image_id, hashtag_id, accepted, factor_run_id)"
        " SELECT i, n, n %% 2 = 0, 1 FROM unnest(%s::bigint[]) i, generate_series(1001, 1003) n",
        (image_ids.tolist(),),
    )
    connection.execute("ANALYZE")
    store.tags.edit(connection, "ban", ["tag3", "tag30"])
    store.tags.edit(connection, "alias", ["tag11", "tag12"], "tag7")
    store.statistics.refresh(connection)
    # As if the other hashtags were on images, too.
    connection.execute(
        "INSERT INTO tagdb_store.hashtag_counts SELECT hashtag_id, 1, now(), now(), 0, 0"
        " FROM tagdb_store.hashtags ON CONFLICT DO NOTHING"
    )
    connection.execute(
        "INSERT INTO tagdb_store.hashtag_pairs SELECT hashtag_id, hashtag_id + n, 1"
        " FROM tagdb_store.hashtags, generate_series(1, 2) n ON CONFLICT DO NOTHING"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "INDEX_FROM", EMBEDDED // 2)
        assert store.index.ensure(connection, backbone_id)
    connection.execute(
        "INSERT INTO tagdb_store.requests (byte_count, arguments, answered_at, hashtags)"
        " SELECT 9, '{}', now(),"
        """ '[{"rank": 1, "hashtag": "tag1", "score": 0.5}]' FROM generate_series(1, 5000)"""
    )
    connection.execute("VACUUM ANALYZE")


@pytest.fixture(scope="module")
def large(postgres: Postgres) -> Iterator[Connection]:
    """A database with a vector index, which the first worker builds; nothing here changes it.

    Each worker takes a copy, in which only its own reading is counted.
    """
    with postgres.database(postgres.built("large", build)) as url, database.connect(url) as connection:
        connection.execute("RESET search_path")  # plans are asked for by pgvector's plain names
        connection.execute("SET stats_fetch_consistency = none")
        yield connection


# --- what is read ----------------------------------------------------------------------------------

VALUES = {"query": seed.literal(seed.features(1, 5)[0]), "known": [f"tag{n}" for n in range(100, 150)]}
MODES = ("force_custom_plan", "force_generic_plan")
"""A function is planned for its arguments or without, by PostgreSQL's version and how often it was called."""


def counters(connection: Connection) -> dict[str, int]:
    """How many rows of each table were read so far, by whatever way, and how often each index was used."""
    connection.execute("SELECT pg_stat_force_next_flush()")
    rows = connection.execute(
        "SELECT t.relname, t.seq_tup_read + coalesce((SELECT sum(i.idx_tup_read)"
        " FROM pg_stat_user_indexes i WHERE i.relid = t.relid), 0)::bigint FROM pg_stat_user_tables t"
        " UNION ALL SELECT indexrelname, idx_scan FROM pg_stat_user_indexes"
    )
    return dict(rows.fetchall())


def reads(connection: Connection, question: str, mode: str) -> tuple[int, dict[str, float]]:
    """How many rows a question gives, and how far the counters go on with it. Asked again and again."""
    calls = 3
    before = counters(connection)
    with connection.transaction():
        connection.execute(f"SET LOCAL plan_cache_mode = {mode}")
        for _ in range(calls):
            rows = len(connection.execute(question, VALUES, prepare=True).fetchall())
    after = counters(connection)
    return rows, {name: (after[name] - before.get(name, 0)) / calls for name in after}


def too_many(read: dict[str, float], **once: int) -> dict[str, float]:
    """What was read too much of; ``once``: tables that may be read as a whole, with their numbers of rows."""
    return {name: count for name, count in read.items() if count > FEW + once.get(name, 0)}


STEERED = (
    "%(query)s, known => '{tag5}', diversity => 0.3, popularity_discount => 0.3, min_score => 0",
    "%(query)s, diversity => 1, top => 5",
)
SEARCHES = [
    ("tagdb.recommend_for_embedding(%(query)s)", 10, 50),
    ("tagdb.recommend_for_embedding(%(query)s, neighbours => 200)", 10, 200),
    ("tagdb.recommend_for_embedding(%(query)s, known => %(known)s, exclude => '{tag12}')", 10, 50),
    ("tagdb.recommend_for_image(17)", 10, 50),
    ("tagdb.recommend_for_image(17) JOIN tagdb.hashtags USING (hashtag)", 10, 50),
    ("tagdb.explain_recommendation(%(query)s, 'tag7')", 50, 50),
    ("tagdb.explain_recommendation_for_image(17, 'tag7')", 50, 50),
    ("tagdb.similar_images(%(query)s)", 10, 0),
    ("tagdb.similar_images_to(17)", 10, 0),
]
"""Questions, how many rows they give, and how many neighbours they average. There are a ban and an alias."""
RANKED = {"hashtag_counts": 2 * HASHTAGS + FEW, "hashtags": HASHTAGS}
"""To rank the hashtags, all of them are read; to rank those of pairs, twice."""
WEEKS = 105
"""A hundred hashtags are ranked in each of them."""
LOOK_UPS: list[tuple[str, int, dict[str, int]]] = [
    ("tagdb.related_hashtags('tag7')", 10, {"hashtag_factors_1": USED + FIRST}),
    ("tagdb.related_hashtags('tag11')", 10, {"hashtag_factors_1": USED + FIRST}),
    ("tagdb.complete_hashtags('tag499')", 10, {}),
    ("tagdb.complete_hashtags('tag499', known => '{tag7}')", 10, {}),
    ("tagdb.complete_hashtags('tag499', known => %(known)s)", 10, {}),
    ("tagdb.fold_hashtag('#Tag7')", 1, {}),
    ("tagdb.rejected_hashtags(sha256('17'))", 2, {}),
    ("tagdb.find_image(sha256('17'))", 1, {}),
    ("tagdb.embedding(17)", 1, {}),
    ("tagdb.thumbnail(17)", 1, {}),
    ("tagdb.network(1)", 1, {}),
    ("tagdb.image_factors(17)", 1, {}),
    ("tagdb.hashtag_factors('tag7')", 1, {}),
    ("tagdb.workers()", 1, {}),
    ("tagdb.request_state(17)", 1, {}),
    ("tagdb.answer(17)", 1, {}),
    ("tagdb.images LIMIT 100", 100, {}),
    ("tagdb.hashtags LIMIT 100", 100, {}),
    ("tagdb.hashtag_stats LIMIT 100", 100, RANKED),
    ("tagdb.hashtag_pairs LIMIT 100", 100, RANKED),
    ("tagdb.hashtag_trend_weekly LIMIT 100", 100, {"hashtag_trend": 100 * WEEKS}),
    ("tagdb.collection_hashtags WHERE collection = 'collection 3' LIMIT 100", 100, {}),
    ("tagdb.images WHERE image_id = 17", 1, {}),
    ("tagdb.image_hashtags WHERE image_id = 17", 1, {}),
    ("tagdb.hashtags WHERE hashtag = 'tag7'", 1, {}),
    ("tagdb.hashtag_stats WHERE hashtag = 'tag7'", 1, RANKED),
    ("(SELECT hashtag, images FROM tagdb.hashtag_stats WHERE hashtag = 'tag7')", 1, {}),
    ("tagdb.hashtag_pairs WHERE hashtag = 'tag7'", 50, RANKED),
    ("(SELECT with_hashtag, lift_low FROM tagdb.hashtag_pairs WHERE hashtag = 'tag7')", 50, {}),
    ("tagdb.hashtag_trend_weekly WHERE hashtag = 'tag7'", 50, {"hashtag_trend": 100 * WEEKS}),
    ("(SELECT starts_on, images FROM tagdb.hashtag_trend_weekly WHERE hashtag = 'tag7')", 50, {}),
    ("tagdb.hashtag_trend('{tag7}')", 50, {}),
    # What counts as what is found by reading all hashtags.
    ("tagdb.image_hashtags LIMIT 100", 100, {"hashtags": HASHTAGS}),
    ("tagdb.image_hashtags WHERE hashtag = 'tag7'", 50, {"hashtags": HASHTAGS}),
]
"""Questions, how many rows they give at least, and what they may read as a whole."""


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("question", "rows", "neighbours"), SEARCHES)
def test_what_a_search_reads(large: Connection, question: str, rows: int, neighbours: int, mode: str) -> None:
    found, read = reads(large, f"SELECT * FROM {question}", mode)
    assert found == rows
    assert read["search_vectors_1_hnsw"] == 1
    # A look-up for each candidate, four for a neighbour, and again for each neighbour; some read ahead.
    most = 6 * max(neighbours, 50) + 200
    assert neighbours <= read["image_factors_1_pkey"] <= most * bool(neighbours)
    # Every hashtag is compared with the average.
    assert too_many(read, hashtag_factors_1=USED + FIRST) == {}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("arguments", STEERED)
def test_what_a_steered_search_reads(large: Connection, arguments: str, mode: str) -> None:
    """Finding the most used hashtag reads all of them once more; each turn of choosing, the candidates."""
    found, read = reads(large, f"SELECT * FROM tagdb.recommend_for_embedding({arguments})", mode)
    assert found == (5 if "top" in arguments else 10)
    assert read["search_vectors_1_hnsw"] == 1
    passes = 2 if "popularity" in arguments else 1
    assert too_many(read, hashtag_factors_1=passes * USED + FIRST) == {}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("question", ["recommend_for_embedding(%(query)s", "recommend_for_image(17"])
def test_what_a_search_in_a_collection_reads(large: Connection, question: str, mode: str) -> None:
    """The search vectors of a small one are looked at as a whole, and nothing else is."""
    asked = f"SELECT * FROM tagdb.{question}, collection => 'collection 3')"
    found, read = reads(large, asked, mode)
    assert found == 10
    assert read["search_vectors_1_hnsw"] == 0
    assert EMBEDDED // 8 <= read["search_vectors_1_pkey"] < EMBEDDED // 8 + 50
    assert read["embeddings_1_pkey"] <= 6 * 50 + 200
    assert too_many(read, hashtag_factors_1=USED + FIRST) == {}
    _, read = reads(large, asked.replace("collection 3", "none"), mode)
    assert too_many(read) == {}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("question", "rows", "once"), LOOK_UPS)
def test_what_is_read(large: Connection, question: str, rows: int, once: dict[str, int], mode: str) -> None:
    found, read = reads(large, f"SELECT * FROM {question}", mode)
    assert found >= rows
    assert too_many(read, **once) == {}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("view", "indexes"),
    [
        ("image_hashtags", {"image_hashtags_hashtag_id"}),
        ("hashtag_stats", {"hashtag_counts_pkey", "hashtag_collections_pkey"}),
        ("hashtag_pairs", {"hashtag_pairs_pkey", "hashtag_pairs_other_id"}),
        ("hashtag_trend_weekly", {"hashtag_trend_pkey"}),
    ],
)
def test_of_one_hashtag(large: Connection, view: str, indexes: set[str], mode: str) -> None:
    """By the index for it; the counters do not show what another index was read through for."""
    _, read = reads(large, f"SELECT * FROM tagdb.{view} WHERE hashtag = 'tag7'", mode)
    assert indexes <= {name for name, count in read.items() if count}


def test_every_function_is_asked(connection: Connection) -> None:
    functions = "SELECT 'tagdb.' || proname FROM pg_proc WHERE pronamespace = 'tagdb'::regnamespace"
    functions += " AND provolatile <> 'v'"  # what writes is no question
    asked = {question.split("(")[0] for question, *_ in SEARCHES + LOOK_UPS}
    assert {name for (name,) in connection.execute(functions)} <= asked


# --- the plans themselves --------------------------------------------------------------------------


def generic_plan(connection: Connection, function: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
    """Every node of the plan that a function's body gets, unaware of its arguments.

    ``parameters`` maps the text that stands for an argument, in order, to its type.
    """
    text = objects.read(f"tagdb_store.{function}")
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
        nodes.append(node)
        # what is done only where there is no index, or it gave too few, is meant to look at everything
        if "One-Time Filter" not in node:
            pending += node.get("Plans", [])
    return nodes


CANDIDATES = {
    "projection": "integer",
    "backbone": "integer",
    "query": "halfvec",
    "itself": "bigint",
    "run": "integer",
    "candidates.collection": "text",
    "candidates.candidates": "integer",
    "centre": "halfvec",
}
AMONG = {
    "projection": "integer",
    "backbone": "integer",
    "query": "halfvec",
    "itself": "bigint",
    "run": "integer",
    "candidates_among.collection": "text",
    "candidates_among.candidates": "integer",
    "centre": "halfvec",
}
EXACT = {
    "backbone": "integer",
    "query": "halfvec",
    "itself": "bigint",
    "run": "integer",
    "exact_neighbours.collection": "text",
    "exact_neighbours.neighbours": "integer",
    "centre": "halfvec",
}


@pytest.mark.parametrize(
    ("function", "parameters", "index"),
    [
        ("candidates", CANDIDATES, "search_vectors_1_hnsw"),
        ("candidates_among", AMONG, "search_vectors_1_pkey"),
        ("exact_neighbours", EXACT, "embeddings_1_pkey"),
    ],
)
def test_searches_use_the_index_and_read_few_rows(
    large: Connection, function: str, parameters: dict[str, str], index: str
) -> None:
    nodes = generic_plan(large, function, parameters)
    shown = json.dumps(nodes[0], indent=1)
    assert index in {node.get("Index Name") for node in nodes}, shown
    read = {(node.get("Relation Name"), node["Node Type"]) for node in nodes if "Relation Name" in node}
    look_ups = [node for node in nodes if node.get("Relation Name") == "image_factors_1"]
    assert look_ups, shown
    assert all("image_id" in node["Index Cond"] for node in look_ups), shown
    scanned = {table for table, how in read if how not in ("Index Scan", "Index Only Scan")}
    # Of the small tables the planner may do what it likes; without an index all are looked at.
    allowed = {"backbones", "factor_runs", "projections", "projection_axes"}
    assert scanned <= allowed | ({"embeddings_1", "images"} if function == "exact_neighbours" else set()), (
        shown
    )
    assert {node["Node Type"] for node in nodes}.isdisjoint({"Hash Join", "Merge Join"}), shown


# --- what the index finds --------------------------------------------------------------------------


def test_the_index_finds_what_is_there(large: Connection) -> None:
    """An image is what is most similar to itself, up to the few that an approximate index may miss."""
    found = large.execute(
        "SELECT e.image_id = s.image_id FROM tagdb_store.embeddings e,"
        " tagdb.similar_images(e.embedding, 1) s WHERE e.image_id %% 100 = 7",
        {},
    ).fetchall()
    assert len(found) == EMBEDDED // 100
    assert found.count((True,)) >= 0.9 * len(found)


def test_what_the_index_does_not_lead_to_is_found(large: Connection) -> None:
    """An approximate index has images that no path leads to; who asks for all gets them nevertheless."""
    query = seed.literal(np.eye(seed.DIMENSIONS, dtype=np.float16)[3])
    stored = (
        "SELECT (SELECT count(*) FROM tagdb_store.embeddings), count(*) FROM tagdb_store.embeddings"
        " JOIN tagdb_store.image_factors USING (image_id)"
    )
    ((embedded, with_factors),) = large.execute(stored).fetchall()
    similar = "SELECT count(*), count(DISTINCT image_id) FROM tagdb.similar_images(%s, %s)"
    assert large.execute(similar, (query, embedded)).fetchall() == [(embedded, embedded)]
    explained = "SELECT count(DISTINCT image_id) FROM tagdb.explain_recommendation(%s, 'tag1', %s)"
    assert large.execute(explained, (query, with_factors)).fetchall() == [(with_factors,)]


def test_all_neighbours_can_be_asked_for(large: Connection) -> None:
    """The search goes on past the first 100 candidates that the index offers."""
    query = seed.literal(seed.features(1, 5)[0])
    rows = large.execute("SELECT similarity FROM tagdb.similar_images(%s, 1000)", (query,)).fetchall()
    assert len(rows) == 1000
    assert rows == sorted(rows, reverse=True)


@pytest.mark.parametrize("neighbours", [20, 100])
def test_where_few_images_have_factors(large: Connection, neighbours: int) -> None:
    """They are looked at as a whole, whatever the index would pass over."""
    few = EMBEDDED // 200
    before = counters(large)
    with large.transaction(force_rollback=True):
        query = "SELECT image_id, embedding::text FROM tagdb_store.embeddings WHERE image_id %% %s = 1"
        kept = np.array([image_id for image_id, _ in large.execute(query, (200,))], np.int64)
        ones = np.ones((few, 2), np.float16)
        seed.add_run(large, kept, ones, seed.add_hashtags(large, ["here"]), ones[:1])
        found = wanted = 0
        for _, embedding in large.execute(query, (500,)).fetchall():
            rows = large.execute(
                "SELECT image_id FROM tagdb.explain_recommendation(%s, 'here', %s)", (embedding, neighbours)
            ).fetchall()
            nearest = large.execute(
                "SELECT image_id FROM tagdb_store.embeddings WHERE image_id = ANY (%s)"
                " ORDER BY (embedding <=> %s) + 0 LIMIT %s",  # + 0, and the index cannot help
                (kept.tolist(), embedding, neighbours),
            ).fetchall()
            assert len(nearest) == min(neighbours, few)
            assert len(rows) == len(nearest)
            found += len(set(rows) & set(nearest))
            wanted += len(nearest)
    assert counters(large)["search_vectors_1_hnsw"] == before["search_vectors_1_hnsw"]
    assert found == wanted


@pytest.mark.parametrize("share", [2, 4, 40])
def test_where_not_all_images_have_factors(large: Connection, share: int) -> None:
    """Few are looked at as a whole; of more, the index offers some until there are enough."""
    with large.transaction(force_rollback=True):
        query = "SELECT image_id FROM tagdb_store.embeddings WHERE image_id %% %s = 1 ORDER BY 1"
        kept = np.array([image_id for (image_id,) in large.execute(query, (share,))], np.int64)
        ones = np.ones((len(kept), 2), np.float16)
        seed.add_run(large, kept, ones, seed.add_hashtags(large, ["here"]), ones[:1])
        found = 0
        for vector in seed.clustered(10):
            found += len(neighbours_found(large, vector, None) & neighbours_exact(large, vector, kept))
    assert found >= 0.95 * 10 * 50


def test_the_nearest_of_a_small_collection(large: Connection) -> None:
    query = "SELECT i.image_id FROM tagdb_store.images i JOIN tagdb_store.image_factors USING (image_id)"
    rows = large.execute(query + " WHERE collection = 'collection 3'", {}).fetchall()
    kept = np.array([image_id for (image_id,) in rows], np.int64)
    assert 400 < len(kept) < 700
    found = 0
    for vector in seed.clustered(10):
        found += len(neighbours_found(large, vector, "collection 3") & neighbours_exact(large, vector, kept))
    assert found >= 0.95 * 10 * 50


def neighbours_found(connection: Connection, vector: Vector, collection: str | None) -> set[int]:
    """The neighbours in the active run that a search finds."""
    query = "SELECT n.image_id FROM tagdb_store.neighbours(tagdb_store.active_run(), %s, NULL, 50, %s) n"
    return {image_id for (image_id,) in connection.execute(query, (seed.literal(vector), collection))}


def neighbours_exact(connection: Connection, vector: Vector, kept: NDArray[np.int64]) -> set[int]:
    """The nearest of given images, by their embeddings."""
    query = (
        "SELECT image_id FROM tagdb_store.embeddings WHERE image_id = ANY (%s)"
        " ORDER BY (embedding <=> %s) + 0 LIMIT 50"  # + 0, and the index cannot help
    )
    return {image_id for (image_id,) in connection.execute(query, (kept.tolist(), seed.literal(vector)))}


@pytest.mark.parametrize("function", ["candidates", "candidates_among", "exact_neighbours"])
def test_no_workers_are_started(large: Connection, function: str) -> None:
    """On a large table, the look at all images would have workers started even where it is not needed.

    That doubled the time of a recommendation among 100,000 images, and does not show on fewer.
    """
    settings = "SELECT proconfig FROM pg_proc WHERE oid = ('tagdb_store.' || %s)::regproc"
    ((found,),) = large.execute(settings, (function,)).fetchall()
    assert "max_parallel_workers_per_gather=0" in found
