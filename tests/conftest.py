"""Fixtures: a real PostgreSQL for all tests, and a database of its own for every test that wants one.

One server serves a whole run, also of several workers, and starts when the first test asks for it:
tagdb's own embedded one in a temporary home, or the one that ``TAGDB_TEST_DATABASE_URL`` names (a
login that may create databases). The schema is migrated once into a template; a test gets a clone of it.
"""

from __future__ import annotations

import os
import shutil
import signal
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import psycopg
import pytest
from psycopg import conninfo, sql

from tagdb.embedding.backbone import Backbone, Identity
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tests.support import backbones, surface
from tests.support.once import once
from tests.support.postgres import PASSWORD, Postgres, named, temporary_home
from tests.support.shared import SHARED, has_tensorflow

STEPS = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder that all workers of this run share; PostgreSQL starts in there when a test asks."""
    if not hasattr(config, "workerinput"):
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # or else the server would be left behind
        config.tagdb_folder = temporary_home()  # type: ignore[attr-defined]
        config.add_cleanup(lambda: shutil.rmtree(config.tagdb_folder, ignore_errors=True))  # type: ignore[attr-defined]
        config.add_cleanup(lambda: Postgres.ended(config.tagdb_folder))  # type: ignore[attr-defined]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what takes TensorFlow, leave it out where there is none, and put the long tests first."""
    for item in items:
        if "keras" in getattr(item, "fixturenames", ()):
            item.add_marker("tensorflow")
        if item.get_closest_marker("tensorflow") and not has_tensorflow():
            item.add_marker(pytest.mark.skip(reason="needs TensorFlow"))
    items.sort(key=_short)  # or else one worker would be busy with them at the end, and the others idle


def _short(item: pytest.Item) -> bool:
    named = (item.get_closest_marker(name) for name in ("long", "tensorflow", "torch"))
    return "reliability" not in item.path.parts and not any(named)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two workers more than there are cores: tests wait for servers and programs again and again."""
    return (os.cpu_count() or 1) + 2


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell a worker of pytest-xdist about the folder."""
    node.workerinput["folder"] = str(node.config.tagdb_folder)  # type: ignore[attr-defined]


@pytest.fixture
def step(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """A function that says what a long test does next; a report of its failure names the step."""
    steps = request.node.stash.setdefault(STEPS, [])
    return steps.append  # type: ignore[no-any-return]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Name the step that failed."""
    report = yield
    if report.failed and (steps := item.stash.get(STEPS, [])):
        report.sections.append((f"Failed in step {len(steps)}", steps[-1]))
    return report


@pytest.fixture(scope="session")
def run_folder(request: pytest.FixtureRequest) -> Path:
    """A folder that all workers of this run share, and that goes with it."""
    given = getattr(request.config, "workerinput", {}).get("folder")
    return Path(given) if given else request.config.tagdb_folder  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def postgres(run_folder: Path) -> Postgres:
    """The server that all workers of this run share."""
    return Postgres.started(run_folder)


@pytest.fixture
def make_database(postgres: Postgres) -> Iterator[Callable[[bool], str]]:
    """A function that makes a database, with the schema or empty, and returns its URL."""
    with ExitStack() as made:
        yield lambda with_schema=True: made.enter_context(postgres.database(empty=not with_schema))


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database with the schema: of this test's own, unless it is marked ``read_only``."""
    if request.node.get_closest_marker("read_only"):
        return request.getfixturevalue("schema_url")  # type: ignore[no-any-return]
    return request.getfixturevalue("make_database")(True)  # type: ignore[no-any-return]


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


@pytest.fixture(scope="session")
def schema_url(postgres: Postgres) -> str:
    """The URL of a database with the schema that no test changes."""
    return named(postgres.url, postgres.built("schema", lambda connection: None))


@pytest.fixture
def populated_url(postgres: Postgres) -> Iterator[str]:
    """The URL of a database of this test's own, with something of everything in it."""
    with postgres.database(postgres.built("surface", surface.fill)) as url:
        yield url


@pytest.fixture
def populated(populated_url: str) -> Iterator[Connection]:
    """A connection to it."""
    with database.connect(populated_url) as opened:
        opened.execute("RESET search_path")
        yield opened


@pytest.fixture
def shared() -> Path:
    """The folder of real photos and weights that development may read; the test skips without it."""
    if not SHARED.is_dir():
        pytest.skip("needs the development data")
    return SHARED


@pytest.fixture(scope="session")
def random_weights(run_folder: Path) -> Path:
    """A weights file that tagdb has exported already, and so never looks into: its bytes are random."""
    return once(
        run_folder / "random.weights.h5", lambda file: file.write_bytes(np.random.default_rng(1).bytes(1000))
    )


@pytest.fixture(scope="session")
def backbone_file(run_folder: Path, random_weights: Path) -> Path:
    """What stands for its export: a network for photos of 96 px, in a cache of tagdb's."""

    def make(cache: Path) -> None:
        cache.mkdir()
        backbones.cached(cache, 96, random_weights).write_bytes(backbones.at_96_px())

    return backbones.cached(once(run_folder / "backbones", make), 96, random_weights)


@pytest.fixture(scope="session")
def random_backbone(backbone_file: Path) -> Backbone:
    """That network as a backbone that no command knows."""
    return Backbone(Identity("random", 96, bytes(32)), backbone_file.read_bytes())


@pytest.fixture
def home(tmp_path: Path, backbone_file: Path) -> Path:
    """A TAGDB_HOME of this test's own that has the random weights' backbone already."""
    cache = tmp_path / "home" / "backbones"
    cache.mkdir(parents=True)
    (cache / backbone_file.name).symlink_to(backbone_file)
    return cache.parent


@pytest.fixture(scope="session")
def chosen(random_weights: Path) -> tuple[object, ...]:
    """The flags that choose the random weights."""
    return ("--backbone", random_weights, "--input-size", 96)


@pytest.fixture(scope="session")
def keras(run_folder: Path) -> Path:
    """A folder with what Keras itself makes of photos and weights, once for all workers."""
    return once(run_folder / "keras", backbones.made_by_keras)


@pytest.fixture(scope="session")
def real_weights() -> Path:
    """MobileNetV2's ImageNet weights; the test skips without them."""
    if not backbones.REAL.is_file():
        pytest.skip("needs the development data")
    return backbones.REAL


@pytest.fixture(scope="session")
def real_cache(real_weights: Path, keras: Path) -> Path:
    """A cache of backbones that holds the real weights at tagdb's own 160 px."""
    return keras / "backbones"


@pytest.fixture
def role(postgres: Postgres) -> Iterator[Callable[..., str]]:
    """A function that makes a role, a member of the ones named, and returns its name.

    Ask for it before a database: what the role leaves in there must be gone before the role can be.
    """
    made: list[str] = []
    with psycopg.connect(postgres.url, autocommit=True) as connection:

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
