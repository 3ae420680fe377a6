"""Running tagdb's commands, on drawn photos and with the random weights."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import Result

from tests.support.commands import TAGS, Process, Run, draw, invoke, write_csv


@pytest.fixture
def tagdb(database_url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process, on this test's database."""
    monkeypatch.setenv("TAGDB_DATABASE_URL", database_url)
    monkeypatch.setenv("TAGDB_HOME", str(home))

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
def ingest(tagdb: Run, chosen: tuple[object, ...]) -> Run:
    """Runs ``tagdb ingest`` with the random weights."""

    def run(*arguments: object, stdin: str | bytes | None = None) -> Result:
        return tagdb("ingest", *arguments, *chosen, stdin=stdin)

    return run


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of twelve drawn photos and ``photos.csv``, which tells their hashtags."""
    folder = tmp_path / "photos"
    draw(folder, range(12))
    rows = [[f"{i:02}.jpg", TAGS[i % len(TAGS)], f"page/{i}"] for i in range(12)]
    write_csv(folder / "photos.csv", ["file_name", "hashtags", "source_ref"], rows)
    return folder


@pytest.fixture
def filled(ingest: Run, tagdb: Run, photos: Path) -> Path:
    """The twelve photos, stored and with factors computed; their folder."""
    assert ingest(photos / "photos.csv", "--quiet").exit_code == 0
    done = tagdb("factors", "compute", "--factors", 8, "--quiet")
    assert done.exit_code == 0, done.output
    return photos


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No command depends on where it is run, unless a file name says so."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
