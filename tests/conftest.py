"""Fixtures: a real PostgreSQL for all tests, and a database of its own for every test that wants one.

One server serves a whole run, also of several workers: tagdb's own embedded one in a temporary
home, or the one that ``TAGDB_TEST_DATABASE_URL`` names (a login that may create databases). The
schema is migrated once into a template; a test gets a clone of it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo, sql

from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.postgres.server import Server
from tests.support.once import once
from tests.support.postgres import FAST, PASSWORD, administer, named, temporary_home
from tests.support.shared import ROOT, SHARED, has_tensorflow

# On a terminal or not, with whatever settings: tests see only what they set.
KEPT = ("TAGDB_TEST_", "TAGDB_SOAK")
for name in [name for name in os.environ if name.startswith("TAGDB_") and not name.startswith(KEPT)]:
    del os.environ[name]


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start the server and make the template, once for all workers."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    home = temporary_home()
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    url = os.environ.get("TAGDB_TEST_DATABASE_URL")
    if not url:
        server = Server(home, FAST)
        server.start()
        config.add_cleanup(lambda: server.stop())
        url = server.url()
    template = f"tagdb_template_{uuid.uuid4().hex[:8]}"
    administer(url, "CREATE DATABASE {}", template)
    config.add_cleanup(lambda: administer(url, "DROP DATABASE IF EXISTS {}", template))
    database.migrate(named(url, template))
    config.tagdb = {"url": url, "template": template, "home": str(home)}  # type: ignore[attr-defined]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are cores: tests wait for servers and programs again and again."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell a worker of pytest-xdist about the server."""
    node.workerinput["tagdb"] = node.config.tagdb  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def run(request: pytest.FixtureRequest) -> dict[str, str]:
    """What all workers of this run share: ``url``, ``template`` and ``home``."""
    found: dict[str, str] = getattr(request.config, "workerinput", {}).get("tagdb") or request.config.tagdb
    return found


@pytest.fixture
def make_database(run: dict[str, str]) -> Iterator[Callable[[bool], str]]:
    """A function that makes a database, with the schema or empty, and returns its URL."""
    made: list[str] = []

    def make(with_schema: bool = True) -> str:
        name = f"tagdb_test_{uuid.uuid4().hex[:12]}"
        command = "CREATE DATABASE {}"
        if with_schema:
            command += f" TEMPLATE {run['template']} STRATEGY FILE_COPY"  # twice as fast here
        administer(run["url"], command, name)
        made.append(name)
        return named(run["url"], name)

    yield make
    for name in made:
        administer(run["url"], "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


@pytest.fixture
def database_url(make_database: Callable[[bool], str]) -> str:
    """The URL of a database of this test's own, with the schema."""
    return make_database(True)


@pytest.fixture
def empty_database_url(make_database: Callable[[bool], str]) -> str:
    """The URL of a database of this test's own, with nothing in it."""
    return make_database(False)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A connection to this test's own database."""
    with database.connect(database_url) as opened:
        opened.execute("RESET search_path")  # tests name pgvector's types plainly, as people do
        yield opened


@pytest.fixture
def shared() -> Path:
    """The folder of real photos and weights that development may read; the test skips without it."""
    if not SHARED.is_dir():
        pytest.skip("needs the development data")
    return SHARED


@pytest.fixture(scope="session")
def random_weights(run: dict[str, str]) -> Path:
    """A Keras weights file of MobileNetV2 with random weights, made once for all workers.

    Without TensorFlow, as on Python 3.14: any bytes, with the bundled backbone, at 96 px, as their export.
    """
    import fcntl

    target = Path(run["home"]) / "random.weights.h5"
    with (Path(run["home"]) / "random.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists() and not has_tensorflow():
            target.write_bytes(b"random")
            digest = hashlib.sha256(target.read_bytes()).hexdigest()
            cache = Path(run["home"]) / "backbones"
            cache.mkdir()
            network = (ROOT / "tagdb/embedding/bundled/backbone.tflite").read_bytes()
            sizes = (struct.pack("<4i", 1, side, side, 3) for side in (160, 96))
            (cache / f"mobilenetv2-96-{digest[:32]}.tflite").write_bytes(network.replace(*sizes))
        elif not target.exists():
            code = (
                "import keras, sys; keras.utils.set_random_seed(1); "
                "keras.applications.MobileNetV2((96, 96, 3), include_top=False, pooling='avg', weights=None)"
                ".save_weights(sys.argv[1])"
            )
            partial = target.with_name("partial.weights.h5")
            subprocess.run([sys.executable, "-c", code, str(partial)], check=True, capture_output=True)
            partial.rename(target)
    return target


@pytest.fixture(scope="session")
def backbone_file(run: dict[str, str], random_weights: Path) -> Path:
    """A LiteRT backbone at 96 px with random weights, exported once for all workers by tagdb itself."""
    import fcntl

    from tagdb.embedding.backbone import resolve

    cache = Path(run["home"]) / "backbones"
    with (Path(run["home"]) / "random.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        resolve(str(random_weights), 96, None, cache)
    return next(cache.glob("mobilenetv2-96-*.tflite"))


@pytest.fixture(scope="session")
def real_weights() -> Path:
    """MobileNetV2's ImageNet weights; the test skips without them."""
    weights = SHARED / "weights" / "mobilenetv2_imagenet_1.0_no_top.weights.h5"
    if not weights.is_file():
        pytest.skip("needs the development data")
    return weights


@pytest.fixture(scope="session")
def real_cache(run: dict[str, str], real_weights: Path) -> Path:
    """A cache of backbones that holds the real weights at tagdb's own 160 px, once for all workers."""
    if not has_tensorflow():
        pytest.skip("needs TensorFlow")
    from tagdb.embedding.backbone import resolve

    def export(cache: Path) -> None:
        resolve(str(real_weights), None, None, cache)

    return once(Path(run["home"]) / "real-backbones", export)


@pytest.fixture
def role(run: dict[str, str]) -> Iterator[Callable[..., str]]:
    """A function that makes a role, a member of the ones named, and returns its name.

    Ask for it before a database: what the role leaves in there must be gone before the role can be.
    """
    made: list[str] = []
    with psycopg.connect(run["url"], autocommit=True) as connection:

        def make(*member_of: str, password: str | None = None) -> str:
            name = f"tagdb_test_{uuid.uuid4().hex[:12]}"
            command = sql.SQL("CREATE ROLE {}").format(sql.Identifier(name))
            if password is not None:
                command += sql.SQL(" LOGIN PASSWORD {}").format(sql.Literal(password))
            connection.execute(command)
            made.append(name)
            for group in member_of:
                granted = sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(name))
                connection.execute(granted)
            return name

        yield make
        for name in made:
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
def login(role: Callable[..., str]) -> Callable[..., str]:
    """A function that makes a login and returns a database's URL with it; else as ``role``."""

    def make(url: str, *member_of: str) -> str:
        try:
            name = role(*member_of, password=PASSWORD)
        except psycopg.errors.InsufficientPrivilege:
            pytest.skip("logins cannot be made here")
        return conninfo.make_conninfo(url, user=name, password=PASSWORD)

    return make
