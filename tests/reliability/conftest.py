"""Fixtures of the reliability tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tagdb.postgres.database import Connection
from tests.support.migrating import Later
from tests.support.once import once
from tests.support.postgres import Postgres, named
from tests.support.programs import drawn, finished, started

PHOTOS = 400


@pytest.fixture(scope="session")
def manifest(run_folder: Path) -> Path:
    """A manifest of a few hundred small photos: several batches. No test changes them."""
    return once(run_folder / "manifest", lambda folder: drawn(folder, PHOTOS)) / "photos.csv"


@pytest.fixture(scope="session")
def ingested(postgres: Postgres, manifest: Path, backbone_file: Path, chosen: tuple[object, ...]) -> str:
    """The URL of a database that an undisturbed ingest of them has filled, and that no test changes."""

    def build(connection: Connection) -> None:
        url = named(postgres.url, connection.info.dbname)
        home = str(backbone_file.parents[1])
        finished(started("ingest", manifest, *chosen, TAGDB_DATABASE_URL=url, TAGDB_HOME=home))

    return named(postgres.url, postgres.built("ingested", build))


@pytest.fixture
def here(home: Path) -> Callable[[str], dict[str, str]]:
    """A function that gives the environment in which the program uses a database."""
    return lambda url: {"TAGDB_DATABASE_URL": url, "TAGDB_HOME": str(home)}


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Later:
    """A tagdb that knows one revision more."""
    return Later(tmp_path_factory.mktemp("later"))
