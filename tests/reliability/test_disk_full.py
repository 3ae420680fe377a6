"""The disk may fill: a clean error, and nothing acknowledged is missing once there is space again.

On a file system of this test's own, in memory; that takes root's rights, on Linux.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tagdb.errors import TagdbError
from tagdb.postgres import database
from tagdb.postgres.server import Server
from tests.support.commands import invoke
from tests.support.postgres import temporary_home
from tests.support.programs import SOAK, contents, drawn, finished, started, stray

SIZE = 192
"""Megabytes of the file system: an empty server with its log takes about 100."""
TRIALS = 2 * SOAK


@pytest.fixture
def small() -> Iterator[Path]:
    """A home on a small file system."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting takes root's rights, on Linux")
    home = temporary_home()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}m,mode=0711", "tmpfs", str(home)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        home.rmdir()
        pytest.skip("nothing can be mounted here")
    try:
        yield home
    finally:
        Server(home).stop()
        subprocess.run(["umount", "-l", str(home)], check=True)
        home.rmdir()


def fill(home: Path, leave: int) -> Path:
    """A file that leaves so many megabytes."""
    ballast = home / "ballast"
    free = os.statvfs(home).f_bavail * os.statvfs(home).f_frsize
    with ballast.open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, max(1, free - (leave << 20)))
    return ballast


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A manifest of photos that come to some 25 MB, in small files that do not get smaller."""
    manifest = drawn(tmp_path / "photos", 384)
    for photo in manifest.parent.glob("*.jpg"):
        with photo.open("ab") as stream:
            stream.write(random.Random(photo.name).randbytes(64 << 10))  # after the picture's end
    return manifest


def test_an_ingest_onto_a_full_disk_loses_nothing(
    small: Path,
    backbone_file: Path,
    database_url: str,
    manifest: Path,
    chosen: tuple[object, ...],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: Callable[[str], None],
) -> None:
    step("an ingest where there is room")
    finished(started("ingest", manifest, *chosen, TAGDB_DATABASE_URL=database_url, TAGDB_HOME=str(home)))
    with database.connect(database_url) as connection:
        expected = contents(connection)
    (small / "backbones").mkdir()
    (small / "backbones" / backbone_file.name).symlink_to(backbone_file)
    monkeypatch.setenv("TAGDB_HOME", str(small))
    monkeypatch.setattr(database, "PATIENCE", 3)

    def run() -> Result:
        return invoke("ingest", manifest, *chosen)

    full = 0
    for trial in range(TRIALS):
        step(f"an ingest onto a full disk, seed {trial}")
        server = Server(small)
        server.start()
        with database.connect(server.url()) as connection:
            connection.execute("DROP SCHEMA IF EXISTS tagdb, tagdb_store CASCADE")
            connection.execute("CHECKPOINT")
        leave = random.Random(trial).randint(2, 30)
        ballast = fill(small, leave)
        done = run()
        print(f"seed {trial}, {leave} MB left: exit code {done.exit_code}: {done.output[-300:]}")
        assert "Traceback" not in done.output
        assert "tagdb has a bug" not in done.output
        assert done.exit_code in (0, 1)
        if done.exit_code:
            full += 1
            assert "space" in done.output, done.output
        step(f"nothing acknowledged is missing, seed {trial}")
        ballast.unlink()
        server.start()  # if it is down
        try:
            with database.connect(server.url()) as connection:
                row = connection.execute("SELECT sum(images_new) FROM tagdb_store.ingest_runs").fetchone()
                acknowledged = connection.execute("SELECT count(*) FROM tagdb_store.images").fetchone()
                assert row is not None
                assert acknowledged == (row[0] or 0,)
        except (TagdbError, database.psycopg.errors.UndefinedTable):
            pass  # not even the schema fitted
        step(f"the same ingest with room again, seed {trial}")
        again = run()
        assert again.exit_code == 0, again.output
        with database.connect(server.url()) as connection:
            stored: list[Any] = contents(connection)
            assert stored == expected
            assert stray(connection) == []
    assert full
