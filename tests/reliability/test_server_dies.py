"""The server may die: what was acknowledged is there, and commands go on or end with one sentence."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import psycopg
import pytest

import tagdb.store
from tagdb import store
from tagdb.postgres import database
from tagdb.postgres.server import Server
from tests.support.commands import invoke
from tests.support.postgres import temporary_home
from tests.support.programs import SOAK, contents, finished, started, stray

TRIALS = SOAK
OTHERS = (
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'tagdb' AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend'"
)


@pytest.fixture
def own(backbone_file: Path) -> Iterator[Server]:
    """An embedded server of this test's own, with the settings that it has everywhere; it runs."""
    home = temporary_home()
    (home / "backbones").mkdir()
    (home / "backbones" / backbone_file.name).symlink_to(backbone_file)
    server = Server(home)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def expected(ingested: str) -> list[Any]:
    """What an undisturbed ingest stores."""
    with database.connect(ingested) as connection:
        return contents(connection)


def watched(server: Server) -> psycopg.Connection[Any]:
    """A connection that looks on; as another program, so that it is not taken for tagdb."""
    return psycopg.connect(server.url(), autocommit=True)


INGESTED = "SELECT max(images_new) FROM tagdb_store.ingest_runs"
REEMBEDDED = "SELECT count(*) FROM tagdb_store.embeddings WHERE backbone_id > 1"


def some_batches(server: Server, process: subprocess.Popen[str], count: str) -> bool:
    """Wait until the program has stored a batch; whether it is still running then."""
    with watched(server) as connection:
        while process.poll() is None:
            try:
                row = connection.execute(count).fetchone()  # type: ignore[call-overload]
            except psycopg.errors.UndefinedTable:
                row = None
            if row and row[0]:
                return True
            time.sleep(0.005)
    return False


def kill_backend(server: Server) -> None:
    """Kill what serves the program: PostgreSQL then ends all sessions, and recovers."""
    with watched(server) as connection:
        pids = connection.execute(OTHERS).fetchall()
        if pids:
            os.kill(pids[0][0], signal.SIGKILL)


def kill_postmaster(server: Server) -> None:
    """Kill the server itself, which nobody but the program starts again."""
    pid = server.status().pid
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


def stop_and_start(server: Server) -> None:
    """Stop it at once, as before the power goes, and start it again."""
    stop_immediately(server)
    time.sleep(0.5)
    server.start()


def stop_immediately(server: Server) -> None:
    pid = server.status().pid
    if pid is not None:
        os.kill(pid, signal.SIGQUIT)
        while server.status().running:
            time.sleep(0.02)


def struck(
    server: Server, process: subprocess.Popen[str], blow: Callable[[Server], None], seed: int, count: str
) -> bool:
    """Strike a moment after the program has stored a batch; whether it was still at work."""
    if not some_batches(server, process, count):
        return False
    time.sleep(random.Random(seed).uniform(0, 0.15))
    running = process.poll() is None
    blow(server)
    print(f"seed {seed}: {blow.__name__} while the program was at work: {running}")
    return running


BLOWS = [kill_backend, kill_postmaster, stop_and_start]


@pytest.mark.parametrize("blow", BLOWS)
def test_an_ingest_goes_on(
    blow: Callable[[Server], None],
    own: Server,
    expected: list[Any],
    manifest: Path,
    chosen: tuple[object, ...],
    step: Callable[[str], None],
) -> None:
    hits = 0
    for trial in range(TRIALS):
        seed = sum(map(ord, blow.__name__)) * 1000 + trial
        step(f"an ingest that is struck, seed {seed}")
        with watched(own) as connection:
            connection.execute("DROP SCHEMA IF EXISTS tagdb, tagdb_store CASCADE")
        process = started("ingest", manifest, *chosen, TAGDB_HOME=str(own.home))
        hits += struck(own, process, blow, seed, INGESTED)
        said = finished(process)
        assert "400 new, 0 already known, 0 updated, 0 rejected" in said, said
        with database.connect(own.url()) as connection:
            assert contents(connection) == expected
            assert stray(connection) == []
            runs = "SELECT images_new, rejected, finished_at IS NOT NULL FROM tagdb.ingest_runs"
            assert connection.execute(runs).fetchall() == [(400, 0, True)]
    assert hits


def test_changing_the_backbone_goes_on(
    own: Server, manifest: Path, chosen: tuple[object, ...], step: Callable[[str], None]
) -> None:
    environment = {"TAGDB_HOME": str(own.home)}
    finished(started("ingest", manifest, *chosen, **environment))
    hits = 0
    for trial, blow in zip(range(SOAK), cycle(BLOWS)):
        step(f"{blow.__name__} while the backbone is changed, seed {trial}")
        process = started("backbone", "reembed", "bundled", **environment)
        hits += struck(own, process, blow, trial, REEMBEDDED)
        said = finished(process)
        assert "is active: 400 embedded, 0 rejected" in said, said
        with database.connect(own.url()) as connection:
            counts = "SELECT images, images_without_embedding FROM tagdb.coverage"
            assert connection.execute(counts).fetchone() == (400, 0)
            assert stray(connection) == []
            found = store.backbones.active(connection)
        assert found is not None
        step(f"back to the old backbone after seed {trial}")
        for command in (("use", 1), ("drop", found.backbone_id)):
            finished(started("backbone", *command, **environment))
    assert hits


def test_a_server_that_does_not_come_back_ends_an_ingest_with_a_sentence(
    own: Server,
    expected: list[Any],
    manifest: Path,
    chosen: tuple[object, ...],
    monkeypatch: pytest.MonkeyPatch,
    step: Callable[[str], None],
) -> None:
    monkeypatch.setenv("TAGDB_HOME", str(own.home))
    monkeypatch.setattr(database, "PATIENCE", 0.5)
    stored = threading.Event()
    save = tagdb.store.batches.save

    def saving(*arguments: Any) -> Any:
        counts = save(*arguments)
        if not stored.is_set():
            stored.set()
            stop_immediately(own)
        return counts

    monkeypatch.setattr(tagdb.store.batches, "save", saving)
    step("the server is stopped after the first batch")
    done = invoke("ingest", manifest, *chosen)
    assert done.exit_code == 1, done.output
    assert stored.is_set(), done.output
    assert "Traceback" not in done.output
    assert "Error: the database did not come back: cannot connect to" in done.output
    monkeypatch.setattr(tagdb.store.batches, "save", save)
    step("what was acknowledged is there")
    own.start()
    with database.connect(own.url()) as connection:
        acknowledged = connection.execute("SELECT sum(images_new) FROM tagdb.ingest_runs").fetchone()
        assert acknowledged == (128,)
        assert connection.execute("SELECT count(*) FROM tagdb.images").fetchone() == acknowledged
    step("the same ingest again")
    assert "272 new, 128 already known" in finished(
        started("ingest", manifest, *chosen, TAGDB_HOME=str(own.home))
    )
    with database.connect(own.url()) as connection:
        assert contents(connection) == expected


def test_a_computation_ends_with_a_sentence(own: Server, manifest: Path, chosen: tuple[object, ...]) -> None:
    environment = {"TAGDB_HOME": str(own.home)}
    finished(started("ingest", manifest, *chosen, **environment))
    compute = ("factors", "compute", "--factors", 16, "--iterations", 500)
    process = started(*compute, **environment)
    with watched(own) as connection:
        while not connection.execute(
            "SELECT FROM tagdb_store.factor_runs WHERE status = 'building'"
        ).fetchall():
            time.sleep(0.01)
    kill_backend(own)
    said = finished(process, 1)
    assert "the connection to the database broke" in said
    assert "run the same command again" in said
    finished(started("factors", "compute", "--factors", 16, **environment))
    with database.connect(own.url()) as connection:
        states = connection.execute("SELECT status FROM tagdb.factor_runs ORDER BY 1").fetchall()
        assert states == [("active",), ("failed",)]
        assert stray(connection) == []


def test_damage_is_noticed(own: Server) -> None:
    with watched(own) as connection:
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            assert connection.execute(f"SHOW {name}").fetchone() == ("on",)
