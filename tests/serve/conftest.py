"""Services on a small gallery of drawn photos."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tagdb.serve.options import Options
from tests.support.postgres import Postgres
from tests.support.served import Serve, Served, fill, serving


@pytest.fixture(scope="session")
def gallery(postgres: Postgres, run_folder: Path) -> str:
    """The name of a database with drawn photos of four collections and factors."""
    return postgres.built("gallery", lambda connection: fill(connection, run_folder / "gallery", run_folder))


@pytest.fixture
def gallery_url(gallery: str, postgres: Postgres) -> Iterator[str]:
    """The URL of a copy of it, of this test's own."""
    with postgres.database(gallery) as url:
        yield url


@pytest.fixture(scope="session")
def drawn(gallery: str, run_folder: Path) -> Path:
    """The folder of its photos."""
    return run_folder / "gallery"


@pytest.fixture
def serve(gallery_url: str, run_folder: Path) -> Iterator[Serve]:
    """A function that starts a service on a copy of the gallery, with options."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(
            serving(gallery_url, run_folder, Options(**{"port": 0, "workers": 1} | options))
        )


@pytest.fixture
def served(serve: Serve) -> Served:
    """A service of this test's own."""
    return serve()


@pytest.fixture(scope="session")
def shared(gallery: str, postgres: Postgres, run_folder: Path) -> Iterator[Served]:
    """A service that tests only read from."""
    # of a copy: what is copied must not be in use
    with postgres.database(gallery) as url, serving(url, run_folder, Options(port=0, workers=1)) as served:
        yield served
