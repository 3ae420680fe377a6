"""``tagdb index``: built, shown, measured, set, dropped."""

import pytest
from psycopg import sql

from tagdb import indexing, store
from tagdb.postgres.database import Connection
from tests.support import seed
from tests.support.commands import Run, complaint, parsed

IMAGES = 600


@pytest.fixture
def clustered(connection: Connection) -> Connection:
    """A database of a few hundred embeddings, without an index."""
    backbone_id = store.backbones.add(connection, seed.identity())
    ids = seed.add_images(connection, IMAGES)
    seed.add_embeddings(connection, backbone_id, ids, seed.clustered(IMAGES))
    partition = sql.Identifier("tagdb_store", f"embeddings_{backbone_id}")
    connection.execute(sql.SQL("ANALYZE {}").format(partition))
    return connection


def effort(connection: Connection) -> tuple[int, int, str]:
    """The settings as the table has them, and as the function does."""
    row = connection.execute(
        "SELECT b.candidates, b.ef_search, p.proconfig::text FROM tagdb_store.backbones b, pg_proc p"
        " WHERE b.active AND p.oid = 'tagdb_store.candidates'::regproc"
    ).fetchone()
    assert row is not None
    return row


def test_the_life_of_an_index(clustered: Connection, tagdb: Run) -> None:
    status = tagdb("index", "status")
    assert status.exit_code == 0
    assert "none: every search scans all embeddings" in status.stdout

    built = tagdb("index", "build")
    assert built.exit_code == 0
    assert f"vector index of {IMAGES} images built" in built.stdout
    assert "MB of memory; the index needs " in built.stderr
    assert "searching is as fast without it" in built.stderr
    facts = parsed(tagdb("index", "status", "--json"))
    assert (facts["search_vectors"], facts["recall"]) == (IMAGES, None)
    assert 0 < facts["bytes_per_image"] < 1500  # whole pages weigh more where there are few

    assert tagdb("index", "drop", "--yes").stdout == "vector index dropped\n"
    assert parsed(tagdb("index", "status", "--json"))["projection_id"] is None
    assert tagdb("index", "drop").stdout == "there is no vector index\n"


def test_dropping_asks_first(clustered: Connection, tagdb: Run) -> None:
    tagdb("index", "build")
    assert tagdb("index", "drop", stdin="n\n").exit_code == 1
    assert parsed(tagdb("index", "status", "--json"))["projection_id"] is not None


def test_memory_that_is_too_little_is_said(clustered: Connection, tagdb: Run) -> None:
    built = tagdb("index", "build", "--memory", "1MB")
    assert built.exit_code == 0
    assert "building with 1 MB of memory takes several times as long" in built.stderr
    assert tagdb("index", "build", "--memory", "much").exit_code == 2


def test_a_check_measures_notes_and_suggests(clustered: Connection, tagdb: Run) -> None:
    tagdb("index", "build", "-q")
    # fewer candidates than are tried: measured, too, and not suggested, however fast
    store.index_checks.set_effort(clustered, 1, store.index_checks.Effort(60, 40))
    before = effort(clustered)
    found = parsed(tagdb("index", "check", "--queries", 20, "--neighbours", 10, "--recall", 0.9, "--json"))
    assert (found["queries"], found["neighbours"], found["applied"]) == (20, 10, False)
    assert (found["now"]["candidates"], found["now"]["ef_search"]) == before[:2]
    assert found["suggested"]["recall"] >= 0.9
    fastest = min(one["milliseconds"] for one in found["tried"][1:] if one["recall"] >= 0.9)
    assert found["suggested"]["milliseconds"] <= 1.1 * fastest
    assert found["suggested"]["candidates"] >= 200
    enough = [one for one in found["tried"][1:] if one["recall"] >= 0.9]
    for one in found["tried"][1:]:  # none is slower than another that finds enough
        easier = [each for each in enough if each is not one and each["candidates"] <= one["candidates"]]
        assert not [each for each in easier if each["ef_search"] <= one["ef_search"]]
    assert effort(clustered) == before
    noted = clustered.execute(
        "SELECT candidates, ef_search, recall FROM tagdb.index_checks ORDER BY index_check_id"
    ).fetchall()
    assert noted == [(one["candidates"], one["ef_search"], one["recall"]) for one in found["tried"]]


def test_what_is_applied_counts_for_everybody(clustered: Connection, tagdb: Run) -> None:
    tagdb("index", "build", "-q")
    done = tagdb("index", "check", "--queries", 10, "--apply", "-q")
    candidates, ef_search, config = effort(clustered)
    assert f"from now on: candidates {candidates}, ef_search {ef_search}\n" in done.stdout
    assert f"hnsw.ef_search={ef_search}" in config.replace('"', "")
    status = tagdb("index", "status")
    assert f"settings        candidates {candidates}, ef_search {ef_search}" in status.stdout
    assert f"of {IMAGES} images" in status.stdout


def test_without_an_index_all_are_found(clustered: Connection, tagdb: Run) -> None:
    assert "recall is 1" in tagdb("index", "check").stdout


@pytest.mark.parametrize("what", ["build", "status", "check", "drop"])
def test_nothing_to_search(connection: Connection, tagdb: Run, what: str) -> None:
    done = tagdb("index", what)
    assert done.exit_code == 1
    assert complaint(done) == "Error: the database holds no images yet; run: tagdb ingest SOURCE"


def test_what_is_suggested() -> None:
    """The fastest that finds enough; where none does, what more time would hardly improve."""
    tried = [
        store.index_checks.IndexCheck(100, 100, 0.900, 1.0),
        store.index_checks.IndexCheck(100, 200, 0.951, 2.0),
        store.index_checks.IndexCheck(200, 200, 0.953, 3.0),
        store.index_checks.IndexCheck(200, 400, 0.990, 4.0),
    ]
    assert indexing.suggested(tried, 0.95) == tried[1]
    assert indexing.suggested(tried, 0.99) == tried[3]
    assert indexing.suggested(tried[:3], 0.99) == tried[1]
    as_fast = store.index_checks.IndexCheck(300, 200, 0.960, 2.1)
    assert indexing.suggested([*tried, as_fast], 0.95) == as_fast
