"""Factors on Spark: in threads of this machine, and on a cluster whose executors are killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import pytest

from tagdb import factors, store
from tagdb.errors import FactorsError
from tagdb.learning.settings import FactorSettings
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.spark import cluster, computing, executors
from tests.support import seed
from tests.support.postgres import Postgres, free_ports
from tests.support.processes import alive, children, until
from tests.support.shared import without_spark

WITHOUT = without_spark()
pytestmark = [pytest.mark.long, pytest.mark.skipif(bool(WITHOUT), reason=WITHOUT)]

IMAGES = 240
PLAN = FactorSettings(factors=6, iterations=3, neighbours=10, regularization=2.5)
LOCAL = "local[2]"
SECRET = "not-for-others"


def fill(connection: Connection) -> None:
    """Images in clusters, each cluster with hashtags of its own besides those by chance; some feedback."""
    number = store.backbones.add(connection, seed.identity())
    ids = seed.add_images(connection, IMAGES)
    seed.add_embeddings(connection, number, ids, seed.clustered(IMAGES))
    hashtags = seed.add_hashtags(connection, [f"word{n}" for n in range(40)])
    rng = np.random.default_rng(4)
    rows, columns = np.nonzero(rng.random((IMAGES, 40)) < np.linspace(0.3, 0.02, 40))
    seed.copy(connection, "image_hashtags", ids[rows], hashtags[columns])
    connection.execute("SELECT tagdb.give_feedback(%s, '{word0}', '{word1}')", [int(ids[0])])


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Spark's configuration: nothing listens to others, and everything is logged."""
    (tmp_path / "events").mkdir()
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.port": "0",
        "spark.executor.memory": "512m",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": (tmp_path / "events").as_uri(),
    }
    lines = "".join(f"{name} {value}\n" for name, value in settings.items())
    (tmp_path / "spark-defaults.conf").write_text(lines)
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    return tmp_path


@pytest.fixture
def filled(postgres: Postgres) -> Iterator[str]:
    """The URL of a database with the images, with a password that the server does not ask for."""
    with postgres.database(postgres.built("spark", fill)) as url:
        parts = urlsplit(url)
        user, _, rest = parts.netloc.partition("@")
        yield urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:{SECRET}@{rest}"))


@pytest.fixture
def connection(filled: str) -> Iterator[Connection]:
    """A connection to it."""
    with database.connect(filled) as opened:
        yield opened


def tables(connection: Connection) -> list[Any]:
    """The tables of runs' factors, and what is left of parts."""
    query = "SELECT relname FROM pg_class WHERE relname ~ '^(image|hashtag)_factors_[0-9]+$' ORDER BY 1"
    parts = connection.execute("SELECT factor_run_id FROM tagdb_store.factor_parts").fetchall()
    return [row[0] for row in connection.execute(query)] + parts


def statuses(connection: Connection) -> list[str]:
    return [run.status for run in store.runs.list_all(connection)]


# --- in this process --------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighting", ["none", "bm25"])
def test_it_computes_what_one_process_does(
    connection: Connection, weighting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the factors that ALS begins with. It leaves no trace of the password."""
    seen: list[str] = []
    watched = cluster.Cluster.watched

    @contextmanager
    def shown(self: cluster.Cluster, report: Callable[[int], None]) -> Iterator[None]:
        with watched(self, report):
            yield
            seen.append(str(self.context.getConf().getAll()))

    monkeypatch.setattr(cluster.Cluster, "watched", shown)
    before = signal.getsignal(signal.SIGINT)
    plan = replace(PLAN, weighting=weighting, alpha=1.0 if weighting == "none" else 20.0)
    first = factors.compute(connection, plan, quiet=True)
    second = computing.compute(connection, LOCAL, plan, quiet=True)
    again = computing.compute(connection, LOCAL, plan, activate=False, quiet=True)
    assert signal.getsignal(signal.SIGINT) is before
    for name in ("images", "hashtags", "interactions", "settings"):
        assert getattr(second, name) == getattr(first, name)
    assert statuses(connection) == ["retired", "active", "ready"]
    runs = [store.runs.get(connection, each.factor_run_id) for each in (first, second)]
    assert runs[0].settings == runs[1].settings
    assert set(runs[1].versions) == {"tagdb", "pyspark", "numpy"}
    one, two, three = (store.runs.factors(connection, each.factor_run_id) for each in (first, second, again))
    assert one.image_ids.tolist() == two.image_ids.tolist()
    assert sorted(one.hashtags) == sorted(two.hashtags)
    np.testing.assert_allclose(two.image_factors, three.image_factors, rtol=0.02, atol=0.01)
    np.testing.assert_allclose(two.hashtag_factors, three.hashtag_factors, rtol=0.02, atol=0.01)
    maps = [store.runs.maps(connection, each.factor_run_id) for each in (first, second)]
    assert maps[0].weighting.scale == pytest.approx(maps[1].weighting.scale)
    assert maps[0].backbone_id == maps[1].backbone_id
    assert factors.difference(connection, 1, 2).overlap > 0.6
    assert seen
    assert SECRET not in str(seen)


def test_many_rounds(connection: Connection) -> None:
    """Spark nests them in each other: with Java's usual stack, 15 failed now and then, and so many always."""
    plan = replace(PLAN, iterations=40, ridge=0, refit_penalty=0)
    assert computing.compute(connection, LOCAL, plan, quiet=True).active


def test_an_interrupted_run_leaves_nothing(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        assert connection.execute("SELECT FROM tagdb_store.image_factors_1 LIMIT 1").fetchone() is not None
        raise KeyboardInterrupt

    monkeypatch.setattr(computing._Job, "_refit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        computing.compute(connection, LOCAL, PLAN, quiet=True)
    assert statuses(connection) == ["failed"]
    assert tables(connection) == []


def test_what_fails_on_executors_is_one_sentence(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Iterator[None]:
        raise FactorsError("that cannot be")

    monkeypatch.setattr(executors, "average", fail)
    with pytest.raises(FactorsError, match="that cannot be"):
        computing.compute(connection, LOCAL, PLAN, quiet=True)
    assert statuses(connection) == ["failed"]
    assert tables(connection) == []


def test_what_there_is_nothing_to_compute_from(
    connection: Connection, make_database: Callable[[bool], str]
) -> None:
    with database.connect(make_database(True)) as empty, pytest.raises(FactorsError, match="no image has"):
        computing.compute(empty, LOCAL, PLAN, quiet=True)
    with pytest.raises(FactorsError, match="no hashtag is on 1000 images"):
        computing.compute(connection, LOCAL, replace(PLAN, min_images=1000), quiet=True)
    with pytest.raises(FactorsError, match="leave --sample or --engine out"):
        computing.compute(connection, LOCAL, replace(PLAN, sample=0.5), quiet=True)
    with pytest.raises(FactorsError, match="Spark knows no confidence below 1"):
        computing.compute(connection, LOCAL, replace(PLAN, weighting="tfidf"), quiet=True)
    assert statuses(connection) == []


# --- on a cluster -----------------------------------------------------------------------------------------


class Standalone:
    """A master, and workers that register with it, on this machine."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self._stack = folder, stack
        (self.port,) = free_ports(1)
        self.url = f"spark://127.0.0.1:{self.port}"
        self._start("master.Master", "--port", self.port)
        until(self._answers)

    def add_worker(self) -> subprocess.Popen[bytes]:
        """Start a worker of one core."""
        return self._start("worker.Worker", "-c", 1, "-m", "1g", "-d", self.folder / "work", self.url)

    def _answers(self) -> bool:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        return False

    def _start(self, name: str, *arguments: object) -> subprocess.Popen[bytes]:
        from pyspark.find_spark_home import _find_spark_home

        words = [str(Path(_find_spark_home()) / "bin/spark-class"), f"org.apache.spark.deploy.{name}"]
        words += ["--host", "127.0.0.1", "--webui-port", "0", *map(str, arguments)]
        log = self._stack.enter_context((self.folder / f"{name}.log").open("ab"))
        process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self._stack.callback(process.wait)
        self._stack.callback(process.terminate)
        return process


@pytest.fixture
def standalone(loopback: Path) -> Iterator[Standalone]:
    """A cluster without workers."""
    with ExitStack() as stack:
        yield Standalone(loopback, stack)


def test_a_cluster_without_workers(
    connection: Connection, standalone: Standalone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 2.0)
    with pytest.raises(FactorsError, match="has had no executor for 2 s; see whether workers"):
        computing.compute(connection, standalone.url, PLAN, quiet=True)
    nobody = f"spark://127.0.0.1:{free_ports(1)[0]}"
    with pytest.raises(FactorsError, match=f"no Spark master answers at {nobody}"):
        computing.compute(connection, nobody, PLAN, quiet=True)
    assert statuses(connection) == []


def test_executors_are_killed(
    filled: str, connection: Connection, standalone: Standalone, step: Callable[[str], None]
) -> None:
    """While ALS runs, and when something is written. The run is complete, and nobody saw the password."""
    expected = factors.compute(connection, PLAN, quiet=True)
    workers = [standalone.add_worker() for _ in range(2)]
    command = ["factors", "compute", "--engine", "spark", "--master", standalone.url, "--json"]
    flags = [f"--{name}={getattr(PLAN, name)}" for name in ("factors", "iterations", "neighbours")]
    step("computing")
    program = subprocess.Popen(
        [sys.executable, "-m", "tagdb", *command, *flags],
        env=os.environ | {"TAGDB_DATABASE_URL": filled},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    killed: list[int] = []

    def kill() -> bool:
        for worker in workers:
            for executor in children(worker.pid)[:1]:
                if executor not in killed and alive(executor):
                    os.kill(executor, signal.SIGKILL)
                    killed.append(executor)
                    return True
        return False

    def writing() -> bool:
        query = (
            "SELECT FROM pg_locks WHERE NOT granted AND relation = 'tagdb_store.image_factors_2'::regclass"
        )
        return connection.execute(query).fetchone() is not None

    try:
        until(lambda: statuses(connection)[1:], 180)
        until(kill)
        with connection.transaction():
            connection.execute("LOCK TABLE tagdb_store.image_factors_2 IN SHARE MODE")
            step("writing")
            until(writing, 180)
            until(kill)
        step("ending")
        out, err = program.communicate(timeout=300)
    finally:
        program.kill()
    assert program.returncode == 0, err
    assert len(killed) == 2
    answer = json.loads(out)
    assert answer["active"]
    assert answer["images"] == expected.images
    assert answer["hashtags"] == expected.hashtags
    rows = connection.execute("SELECT count(*), count(DISTINCT image_id) FROM tagdb_store.image_factors_2")
    assert rows.fetchone() == (expected.images, expected.images)
    assert statuses(connection) == ["retired", "active"]
    assert connection.execute("SELECT FROM tagdb_store.factor_parts").fetchone() is None
    assert store.answers.recommend_sample(connection, 2, 3, 3)
    logs = [path for path in standalone.folder.rglob("*") if path.is_file() and path.suffix != ".jar"]
    assert any("events" in path.parts for path in logs)
    assert any(path.name == "stderr" for path in logs)
    for path in logs:
        assert SECRET.encode() not in path.read_bytes(), path
