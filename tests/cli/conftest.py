"""Running tagdb's commands, on drawn photos and with the random weights."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import Result

from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.postgres.server import Server
from tests.support.commands import TAGS, Process, Run, draw, invoke, write_csv
from tests.support.postgres import Postgres, named, temporary_home


@pytest.fixture
def tagdb(database_url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process, on this test's database."""
    monkeypatch.setenv("TAGDB_DATABASE_URL", database_url)
    monkeypatch.setenv("TAGDB_HOME", str(home))
    # no line of progress among the messages, however slow the machine is
    monkeypatch.setattr("tagdb.progress.LINE_EVERY", float("inf"))

    def run(*arguments: object, stdin: str | bytes | None = None) -> Result:
        return invoke(*arguments, stdin=stdin)

    return run


@pytest.fixture
def tagdb_process() -> Process:
    """Runs the real program, with these settings in its environment."""

    def run(
        *arguments: object, program: Sequence[str] = ("-m", "tagdb"), **settings: str
    ) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, *program, *map(str, arguments)]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=os.environ | settings,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )

    return run


@pytest.fixture
def fresh() -> Iterator[Path]:
    """A home where nothing is yet; whatever server runs there is stopped."""
    home = temporary_home()
    try:
        yield home
    finally:
        Server(home).stop()
        shutil.rmtree(home)


@pytest.fixture
def ingest(tagdb: Run, chosen: tuple[object, ...]) -> Run:
    """Runs ``tagdb ingest`` with the random weights."""

    def run(*arguments: object, stdin: str | bytes | None = None) -> Result:
        return tagdb("ingest", *arguments, *chosen, stdin=stdin)

    return run


def draw_twelve(folder: Path) -> None:
    """Twelve drawn photos and ``photos.csv``, which tells their hashtags."""
    draw(folder, range(12))
    rows = [[f"{i:02}.jpg", TAGS[i % len(TAGS)], f"page/{i}"] for i in range(12)]
    write_csv(folder / "photos.csv", ["file_name", "hashtags", "source_ref"], rows)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of twelve drawn photos and ``photos.csv``, which tells their hashtags."""
    draw_twelve(tmp_path / "photos")
    return tmp_path / "photos"


@pytest.fixture(scope="session")
def stored(postgres: Postgres, run_folder: Path, backbone_file: Path, chosen: tuple[object, ...]) -> str:
    """The name of a database in which the twelve photos are stored, with factors."""
    photos = run_folder / "photos"

    def build(connection: Connection) -> None:
        draw_twelve(photos)
        place = {
            "TAGDB_DATABASE_URL": named(postgres.url, connection.info.dbname),
            "TAGDB_HOME": str(backbone_file.parents[1]),
        }
        for command in (
            ("ingest", photos / "photos.csv", *chosen),
            ("factors", "compute", "--factors", 8),
        ):
            done = invoke(*command, "--quiet", **place)
            assert done.exit_code == 0, done.output

    return postgres.built("stored", build)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, postgres: Postgres) -> Iterator[str]:
    """The URL of a database of this test's own, with the schema; for ``filled``, with the photos."""
    template = request.getfixturevalue("stored") if "filled" in request.fixturenames else ""
    with postgres.database(template) as url:
        yield url


@pytest.fixture
def filled(run_folder: Path, photos: Path, database_url: str) -> Path:
    """The twelve photos, stored and with factors computed; their folder."""
    with database.connect(database_url) as connection:
        places = ((run_folder / "photos").as_uri(), photos.as_uri())
        connection.execute("UPDATE tagdb_store.images SET uri = replace(uri, %s, %s)", places)
        connection.execute("UPDATE tagdb_store.sources SET location = replace(location, %s, %s)", places)
        sources = [str(photos / "photos.csv")]
        connection.execute("UPDATE tagdb_store.ingest_runs SET sources = %s", (sources,))
    return photos


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No command depends on where it is run, unless a file name says so."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
