"""Fixtures of the reliability tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.programs import drawn

PHOTOS = 400


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A manifest of a few hundred small photos: several batches."""
    return drawn(tmp_path / "photos", PHOTOS)


@pytest.fixture
def here(home: Path) -> Callable[[str], dict[str, str]]:
    """A function that gives the environment in which the program uses a database."""
    return lambda url: {"TAGDB_DATABASE_URL": url, "TAGDB_HOME": str(home)}
