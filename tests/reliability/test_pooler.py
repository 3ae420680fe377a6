"""Behind a pooler that lends sessions for a transaction: what works, and what says that it needs its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tagdb.postgres import database
from tagdb.postgres.server import Server
from tests.reliability.test_upgrades import CALLS
from tests.serve.test_access import CALLS as SERVED
from tests.support import pooler
from tests.support.commands import TAGS, draw, invoke, write_csv
from tests.support.postgres import temporary_home
from tests.support.served import serving

NEEDS_A_SESSION = {
    "factors compute": "computing factors", "backbone reembed bundled": "embedding anew",
    "index build": "building the index", "index check": "checking the index",
    "backup FOLDER/file": "a backup", "work": "waiting for photos",
}  # fmt: skip
FAILING = {"tags alias a b", "tags merge a --into b", "backbone drop 1", "bi superset"}
"""What is refused for another reason, without a pooler, too."""
LEFT_OUT = {
    "recommend --watch FOLDER",
    "serve --listen 127.0.0.1:0",
    "collect https://mastodon.social/tags/a",
}


def fill(url: str, folder: Path, home: Path) -> None:
    """Photos and two factor runs, made without a pooler."""
    draw(folder, range(60))
    listed = [[f"{n:02}.jpg", TAGS[n % len(TAGS)] + f" #kind{n % 3}"] for n in range(60)]
    write_csv(folder / "photos.csv", ["file_name", "hashtags"], listed)
    where = {"TAGDB_DATABASE_URL": url, "TAGDB_HOME": str(home)}
    for words in (
        ("ingest", folder / "photos.csv", "--backbone", "bundled"),
        ("factors", "compute", "--min-hashtags", 1),
        ("factors", "compute", "--min-hashtags", 1),
    ):
        done = invoke(*words, **where)
        assert done.exit_code == 0, done.stderr


@pytest.fixture
def bouncer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a database behind PgBouncer, whose photos are in ``photos``."""
    monkeypatch.setenv("TAGDB_HOME", str(tmp_path / "home"))
    server = Server(temporary_home())
    try:
        with pooler.pgbouncer(server, tmp_path) as pooled:
            database.migrate(server.url())
            fill(server.url(), tmp_path / "photos", tmp_path / "home")
            yield pooled
    finally:
        server.stop()
        shutil.rmtree(server.home, ignore_errors=True)


@pytest.fixture
def forgetting(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same with sessions that forget everything, where there is no PgBouncer."""
    monkeypatch.setenv("TAGDB_HOME", str(tmp_path / "home"))
    fill(database_url, tmp_path / "photos", tmp_path / "home")
    pooler.forget_everything(monkeypatch)
    return database_url


@pytest.fixture(params=["bouncer", "forgetting"])
def url(request: pytest.FixtureRequest) -> str:
    """One and the other."""
    return str(request.getfixturevalue(request.param))


def test_every_command(url: str, tmp_path: Path) -> None:
    """It works, or says in one sentence that it needs a session of its own."""
    for words in CALLS:
        if words in LEFT_OUT:
            continue
        folder = tmp_path / "a folder"
        draw(folder, range(58, 63))
        text = words.replace("PHOTO", str(tmp_path / "photos" / "07.jpg"))
        done = invoke(*[word.replace("FOLDER", str(folder)) for word in text.split()], TAGDB_DATABASE_URL=url)
        if what := NEEDS_A_SESSION.get(words):
            assert done.exit_code == 1, words
            assert f"{what} needs a session of its own" in done.stderr, (words, done.stderr)
        elif words not in FAILING:
            assert done.exit_code == 0, (words, done.stderr)
        shutil.rmtree(folder)
    assert invoke("doctor", TAGDB_DATABASE_URL=url).exit_code in (0, 1)


def test_many_at_once(bouncer: str, tmp_path: Path) -> None:
    """Ingests and readers take each other's sessions; every photo is stored once."""
    sources = []
    for number in range(3):
        draw(tmp_path / str(number), range(100 * number, 100 * number + 40))
        sources.append(tmp_path / str(number))
    commands = [("ingest", str(source), "--backbone", "bundled", "--quiet") for source in sources]
    commands += [("recommend", str(tmp_path / "photos"), "--json")] * 2

    def run(words: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tagdb", *words]
        own = os.environ | {"TAGDB_DATABASE_URL": bouncer}
        return subprocess.run(command, env=own, capture_output=True, text=True, timeout=120, check=False)

    with ThreadPoolExecutor(5) as threads:
        for done in threads.map(run, commands):
            assert done.returncode == 0, done.stderr
    with psycopg.connect(bouncer, prepare_threshold=None) as connection:
        stored = connection.execute("SELECT count(*), count(DISTINCT uri) FROM tagdb.images").fetchone()
    assert stored == (140, 140)


def test_every_call_of_the_service(url: str, tmp_path: Path) -> None:
    """By roles, which no session keeps."""
    picture = (tmp_path / "photos" / "03.jpg").read_bytes()
    with serving(url, tmp_path / "home") as served:
        for role in ("reader", "writer"):
            with served.client(served.token(role)) as client:
                for call, (needed, kind, body) in SERVED.items():
                    method, path = call.replace("food", "beach").split()
                    more = {"photo": {"content": picture}, "json": {"json": body}, "": {}}[kind]
                    answer = client.request(method, path, **more)  # type: ignore[arg-type]
                    if needed == "reader" or role == "writer":
                        assert answer.is_success or answer.status_code in (404, 409, 422), (call, answer.text)
                    else:
                        assert answer.status_code == 403, (call, answer.text)


def test_nothing_is_left_behind(bouncer: str) -> None:
    """Whoever gets a session next finds it as it was."""
    with database.connect(bouncer) as connection:
        connection.execute("SELECT count(*) FROM tagdb.images")
    with psycopg.connect(bouncer, autocommit=True, prepare_threshold=None) as other:
        for _ in range(10):
            assert other.execute("SHOW search_path").fetchone() == ('"$user", public',)
            assert other.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
            locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
            assert other.execute(locks).fetchone() == (0,)
