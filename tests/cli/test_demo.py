"""``tagdb demo`` from nothing to hashtags, in a home of its own."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tagdb import demo, scenes
from tagdb.postgres.server import Server
from tagdb.store.answers import Recommendation
from tests.support.postgres import temporary_home


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    folder = temporary_home()
    yield folder
    Server(folder).stop()
    shutil.rmtree(folder)


def tagdb(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TAGDB_")}
    return subprocess.run(
        [sys.executable, "-m", "tagdb", *arguments],
        env=environment | {"TAGDB_HOME": str(home)},
        capture_output=True,
        text=True,
    )


def databases(home: Path) -> set[str]:
    with psycopg.connect(Server(home).url()) as connection:
        return {row[0] for row in connection.execute("SELECT datname FROM pg_database")}


def test_the_demo_recommends_and_cleans_up(home: Path, step: Callable[[str], None]) -> None:
    step("the demo itself")
    done = tagdb(home, "demo", "--photos", "150", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["images"] == 120
    assert result["tried"] == 30
    assert result["hits"] >= 18
    sheet = Path(result["contact_sheet"]).read_text()
    assert sheet.count("<article>") == 30
    assert 'class="right"' in sheet
    with psycopg.connect(result["database_url"]) as connection:
        assert connection.execute("SELECT count(*) FROM tagdb.images").fetchone() == (120,)
        taken = connection.execute(
            "SELECT max(taken_at) <= now(), max(taken_at) > now() - interval '60 days',"
            " min(taken_at) < now() - interval '1 year', count(DISTINCT date_trunc('month', taken_at)) > 12"
            " FROM tagdb.images"
        )
        assert taken.fetchone() == (True, True, True, True), (
            "two years, up to now: trends have something to show"
        )
    with psycopg.connect(Server(home).url()) as connection:  # the home's own database is untouched
        own = connection.execute("SELECT FROM pg_namespace WHERE nspname LIKE 'tagdb%'").fetchone()
        assert own is None
    assert "tagdb_demo" in databases(home)
    step("the doctor finds nothing wrong with it")
    doctor = tagdb(home, "doctor", "--database-url", result["database_url"])
    assert doctor.returncode == 0, doctor.stdout
    assert "advice:" not in doctor.stdout
    assert "not checked:" not in doctor.stdout

    step("removed")
    gone = tagdb(home, "demo", "--remove")
    assert gone.returncode == 0, gone.stderr
    assert "tagdb_demo" not in databases(home)
    assert not (home / "demo").exists()
    assert tagdb(home, "demo", "--remove").returncode == 0


def test_the_demo_shows_what_to_type_next(home: Path) -> None:
    done = tagdb(home, "demo", "--photos", "50", "--quiet")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for line in ("tagdb ingest PHOTOS.csv --backbone bundled", "tagdb recommend PHOTO", "Look at them:"):
        assert line in done.stdout
    last = shlex.split(done.stdout.splitlines()[-1])
    assert last[:3] == ["tagdb", "serve", "--database-url"]
    said = served(home, *last[1:], "--listen", "127.0.0.1:0", "--workers", "1")
    assert re.fullmatch(r"tagdb is at http://127\.0\.0\.1:\d+/; stop it with Ctrl-C\n", said)


def served(home: Path, *arguments: str) -> str:
    """What a service says when it answers; then it is ended."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TAGDB_")}
    with subprocess.Popen(
        [sys.executable, "-m", "tagdb", *arguments],
        env=environment | {"TAGDB_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stderr is not None
        said = program.stderr.readline()
        program.terminate()
    return said


def test_the_contact_sheet_escapes(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    scenes.scene("food", 0).picture.save(photo)
    evil = "<script>alert(1)</script>"
    page = demo.contact_sheet([demo.Tried(photo, evil, (evil,), (Recommendation(1, evil, 1.0),))])
    assert "<script" not in page
