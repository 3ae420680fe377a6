"""A database whose large tables are on many machines answers as one machine does.

Citus itself is tried where ``TAGDB_TEST_CITUS`` names an empty database on a coordinator with workers, by a
login that may do everything there. Everywhere else, the functions that such a database has are tried on one
machine.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tagdb.migrations import objects

from tagdb.errors import DatabaseError, DatabaseGone
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.store import distribution
from tagdb.store.statements import execute
from tests.reliability.test_pooler import FAILING, LEFT_OUT, fill
from tests.reliability.test_upgrades import CALLS
from tests.serve.test_access import CALLS as SERVED
from tests.sql.test_seam import READING
from tests.support.commands import draw, invoke
from tests.support.postgres import Postgres, rows
from tests.support.served import serving
from tests.support.surface import ASKING, PUBLIC, WRITING, call

CALLING_CITUS = {"tagdb_store.spread", "tagdb_store.stored", "tagdb_store.follow_ef_search"}


def pretend(connection: Connection, *left_out: str) -> None:
    """Give a database the functions of a distributed one, though all of it is on one machine."""
    with connection.transaction():
        connection.execute(objects.read("search_path"))
        for name in objects.different():
            if name not in left_out:
                connection.execute(objects.read(name, distributed=True))
        execute(connection, "distribution/loosen")


# --- everywhere ------------------------------------------------------------------------------------------


def answers(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    """What all views and all functions that only read answer."""
    others = WRITING | ASKING | {"request_state", "answer"}  # requests are in no backup
    asked = [call("tagdb", name) for name in PUBLIC if name not in others]
    asked += [call("tagdb_store", name) for name in sorted(READING)]
    asked += [f"SELECT * FROM tagdb.{name}" for (name,) in rows(connection, VIEWS)]
    return {query: sorted(connection.execute(query).fetchall(), key=repr) for query in asked}


VIEWS = "SELECT viewname FROM pg_views WHERE schemaname = 'tagdb'"


def test_its_functions_answer_as_those_of_one_machine(populated: Connection) -> None:
    before = answers(populated)
    pretend(populated, *CALLING_CITUS)
    assert answers(populated) == before
    assert sum(map(bool, before.values())) > 40


@pytest.mark.parametrize("name", objects.different())
def test_its_functions_are_called_and_described_alike(name: str) -> None:
    """Only what is between is different, so that replacing one by the other changes nothing for callers."""
    one, many = (objects.read(name, distributed).split("LANGUAGE")[0] for distributed in (False, True))
    assert one.partition("CREATE OR REPLACE")[2].split() == many.partition("CREATE OR REPLACE")[2].split()


def test_a_backup_of_it_is_restored_as_a_database_of_one_machine(
    populated: Connection, populated_url: str, empty_database_url: str, tmp_path: Path
) -> None:
    before = answers(populated)
    pretend(populated)
    assert distribution.is_distributed(populated)
    for words, url in (("backup", populated_url), ("restore", empty_database_url)):
        done = invoke(words, str(tmp_path / "file"), TAGDB_DATABASE_URL=url)
        assert done.exit_code == 0, done.stderr
    with database.connect(empty_database_url) as restored:
        restored.execute("RESET search_path")
        assert not distribution.is_distributed(restored)
        assert answers(restored) == before
    assert "wrong" not in invoke("doctor", TAGDB_DATABASE_URL=empty_database_url).stdout


def test_without_citus_a_sentence(connection: Connection, database_url: str) -> None:
    for words in (("db", "distribute"), ("init", "--distribute"), ("db", "distribute", "--shards", "4")):
        done = invoke(*words, TAGDB_DATABASE_URL=database_url)
        assert done.exit_code == 1
        assert "Error: the database has no extension citus; install it" in done.stderr
    with pytest.raises(DatabaseError, match="no extension citus"):
        distribution.distribute(connection)
    assert "--shards is for --distribute" in invoke("init", "--shards", "3").stderr


SAID = (
    ("08006", "connection to the remote node postgres@127.0.0.1:6002 failed: refused"),
    ("08006", "connection to the remote node 127.0.0.1:6002 failed: timeout"),
    ("08006", "failed to connect to 127.0.0.1:6002"),
    ("XX000", "failure on connection marked as essential: 127.0.0.1:6002"),
)
"""What Citus says of a worker that is down, by SQLSTATE."""


@pytest.mark.parametrize(("state", "message"), SAID)
def test_a_worker_that_is_down_is_named(connection: Connection, state: str, message: str) -> None:
    with (
        pytest.raises(
            DatabaseGone, match=r"^the worker 127\.0\.0\.1:6002 .* does not answer; start it and run"
        ),
        database.translated(connection),
    ):
        connection.execute(
            "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '" + state + "', MESSAGE = '" + message + "'; END $$"
        )


def test_a_worker_that_ends_in_the_middle_is_named(connection: Connection) -> None:
    """Then only the context of an internal error names it."""
    name = '"while executing command on 127.0.0.1:6002"'
    connection.execute(
        f"CREATE FUNCTION pg_temp.{name}() RETURNS void LANGUAGE plpgsql AS "
        "'BEGIN RAISE EXCEPTION USING ERRCODE = ''XX000'', MESSAGE = ''SSL SYSCALL error: EOF''; END'"
    )
    with (
        pytest.raises(DatabaseGone, match=r"^the worker 127\.0\.0\.1:6002 .* does not answer"),
        database.translated(connection),
    ):
        connection.execute(f"SELECT pg_temp.{name}()")


# --- with Citus ------------------------------------------------------------------------------------------


@pytest.fixture
def coordinator() -> Iterator[str]:
    """The URL of an empty database on a coordinator."""
    url = os.environ.get("TAGDB_TEST_CITUS")
    if url is None:
        pytest.skip("needs Citus: TAGDB_TEST_CITUS names an empty database on a coordinator with workers")
    empty(url)
    yield url
    empty(url)


def empty(url: str) -> None:
    """Drop everything of tagdb's."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS tagdb, tagdb_store CASCADE")


@pytest.fixture
def citus(coordinator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same, distributed, with photos that are in ``photos`` and two factor runs."""
    monkeypatch.setenv("TAGDB_HOME", str(tmp_path / "home"))
    done = invoke("init", "--distribute", TAGDB_DATABASE_URL=coordinator)
    assert done.exit_code == 0, done.stderr
    fill(coordinator, tmp_path / "photos", tmp_path / "home")
    return coordinator


def test_a_repair_keeps_it_distributed(citus: str) -> None:
    with psycopg.connect(citus, autocommit=True) as connection:
        connection.execute("DROP FUNCTION tagdb.embedding")
    done = invoke("init", "--repair", TAGDB_DATABASE_URL=citus)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "recreated: function tagdb.embedding")
    with database.connect(citus) as connection:
        assert distribution.is_distributed(connection)
        assert connection.execute("SELECT count(tagdb.embedding(image_id)) FROM tagdb.images").fetchone() == (
            60,
        )


def test_workers_walk_the_index_as_far_as_the_coordinator(citus: str) -> None:
    with psycopg.connect(citus, autocommit=True) as connection:
        connection.execute("UPDATE tagdb_store.backbones SET ef_search = 123 WHERE active")
        found = "SELECT result FROM run_command_on_all_nodes('SHOW hnsw.ef_search')"
        assert {value for (value,) in connection.execute(found).fetchall()} == {"123"}


def test_every_command(citus: str, tmp_path: Path) -> None:
    for words in CALLS:
        if words in LEFT_OUT | {"work"}:  # which goes on until it is ended
            continue
        folder = tmp_path / "a folder"
        draw(folder, range(58, 63))
        text = words.replace("PHOTO", str(tmp_path / "photos" / "07.jpg"))
        text += " --yes" * (words == "index drop")  # it was built before
        done = invoke(
            *[word.replace("FOLDER", str(folder)) for word in text.split()], TAGDB_DATABASE_URL=citus
        )
        if words not in FAILING:
            assert done.exit_code == 0, (words, done.stderr)
        shutil.rmtree(folder)
    found = invoke("doctor", TAGDB_DATABASE_URL=citus)
    assert "could not be checked" not in found.stdout, found.stdout


def test_every_call_of_the_service(citus: str, tmp_path: Path) -> None:
    picture = (tmp_path / "photos" / "03.jpg").read_bytes()
    with serving(citus, tmp_path / "home") as served, served.client(served.token("writer")) as client:
        for one, (_, kind, body) in SERVED.items():
            method, path = one.replace("food", "beach").split()
            more = {"photo": {"content": picture}, "json": {"json": body}, "": {}}[kind]
            answer = client.request(method, path, **more)  # type: ignore[arg-type]
            assert answer.is_success or answer.status_code in (404, 409, 422), (one, answer.text)


def test_it_answers_as_one_machine_does(
    citus: str, postgres: Postgres, empty_database_url: str, tmp_path: Path
) -> None:
    """All views and functions, from a back-up restored on one machine; and the other way."""
    for words, url in (("backup", citus), ("restore", empty_database_url)):
        done = invoke(words, str(tmp_path / "file"), TAGDB_DATABASE_URL=url)
        assert done.exit_code == 0, done.stderr
    with psycopg.connect(citus) as many, psycopg.connect(empty_database_url) as one:
        there, here = (both_ways(connection) for connection in (many, one))
    assert there == here
    empty(citus)
    for again in (("restore", str(tmp_path / "file")), ("db", "distribute", "--shards", "5")):
        done = invoke(*again, TAGDB_DATABASE_URL=citus)
        assert done.exit_code == 0, done.stderr
    with psycopg.connect(citus) as many:
        assert both_ways(many) == here
    assert "distributed already" in invoke("db", "distribute", TAGDB_DATABASE_URL=citus).stderr


def both_ways(connection: psycopg.Connection) -> list[object]:
    """What is recommended for every image, what is like it and why, and what the views say of it."""
    found: list[object] = []
    images = connection.execute("SELECT image_id, has_embedding, has_factors FROM tagdb.images ORDER BY 1")
    for image in images.fetchall():
        for query in (
            "SELECT * FROM tagdb.recommend_for_image(%s, 20)",
            "SELECT image_id, similarity FROM tagdb.similar_images_to(%s, 20)",
            "SELECT image_id, contribution FROM tagdb.explain_recommendation_for_image(%s, 'beach')",
            "SELECT tagdb.embedding(%s)",
        ):
            found.append((image, sorted(connection.execute(query, image[:1]).fetchall(), key=repr)))
    found.append(
        connection.execute("SELECT images_without_factors, images_folded_in FROM tagdb.coverage").fetchall()
    )
    return found
