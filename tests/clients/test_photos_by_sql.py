"""``docs/services.md``, "Photos by SQL": its programs print what the command line recommends, exactly."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from tagdb import config
from tagdb.embedder import Embedder
from tagdb.postgres import database
from tagdb.requests import RequestWorker
from tests.support.clients import Place, Program, execute, logged_in
from tests.support.commands import invoke
from tests.support.documents import blocks, program
from tests.support.pictures import photo
from tests.support.postgres import Postgres


@pytest.fixture
def asker(place: Place, tmp_path: Path) -> Iterator[str]:
    """The URL of an asker, while a worker runs."""
    settings = config.load({"TAGDB_HOME": str(tmp_path), "TAGDB_DATABASE_URL": place.owner})
    embedder = Embedder(settings, lambda said: None, threads=1)
    connect = partial(database.reconnect, settings, lambda said: None, patience=0)
    worker = RequestWorker(embedder, connect, lambda said: None)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        # others may be at work in this database, too
        while (worker.number,) not in place.rows("SELECT w FROM tagdb_store.live_workers() w"):
            time.sleep(0.01)
        with logged_in(place.owner, "tagdb_asker") as url:
            yield url
    finally:
        worker.stop()
        thread.join()
        embedder.close()


@pytest.fixture
def expected(place: Place, tmp_path: Path) -> str:
    """What the programs are to print for ``photo.jpg``."""
    (tmp_path / "photo.jpg").write_bytes(photo(3))
    here = {"TAGDB_HOME": str(tmp_path), "TAGDB_DATABASE_URL": place.owner}
    said = json.loads(invoke("recommend", tmp_path / "photo.jpg", "-n", 5, "--json", **here).stdout)
    assert len(said[0]["hashtags"]) == 5
    return "".join(f"{each['rank']} #{each['hashtag']} {each['score']}\n" for each in said[0]["hashtags"])


def test_in_node(asker: str, expected: str, node: Program, tmp_path: Path) -> None:
    file = program("services.md", "js", "photo.js", tmp_path)
    done = node(file, tmp_path / "photo.jpg", DATABASE_URL=asker)
    assert (done.stdout, done.stderr) == (expected, "")
    done = node(file, file, DATABASE_URL=asker)
    assert done.returncode == 1
    assert "not an image" in done.stderr


def test_in_python(asker: str, expected: str, tmp_path: Path) -> None:
    file = program("services.md", "python", "photo.py", tmp_path)
    done = execute([sys.executable, file, tmp_path / "photo.jpg"], DATABASE_URL=asker)
    assert (done.stdout, done.stderr) == (expected, "")
    done = execute([sys.executable, file, file], DATABASE_URL=asker)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_in_psql(asker: str, expected: str, postgres: Postgres, tmp_path: Path) -> None:
    (script,) = (text for text in blocks("services.md", "sql") if "recommend_photo" in text)
    script = re.sub("`xxd -p photo.jpg .*`", photo(3).hex(), script)  # which not every machine has
    done = subprocess.run(
        [postgres.program("psql"), "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", asker],
        input=script, capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    said = json.loads(done.stdout)
    assert "".join(f"{each['rank']} #{each['hashtag']} {each['score']}\n" for each in said) == expected


def test_a_transaction_as_drivers_begin_it(asker: str) -> None:
    with (
        psycopg.connect(asker) as connection,
        pytest.raises(psycopg.errors.InvalidTransactionTermination) as said,
    ):
        connection.execute("CALL tagdb.recommend_photo('photo')")
    assert "outside of a transaction" in str(said.value)
    with (
        psycopg.connect(asker, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InvalidTransactionTermination, match="outside of a transaction"),
    ):
        connection.execute("SELECT 1; CALL tagdb.recommend_photo('photo')")
