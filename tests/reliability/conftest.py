"""Fixtures of the reliability tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.programs import drawn

PHOTOS = 400


@pytest.fixture
def home(tmp_path: Path, backbone_file: Path) -> Path:
    """A TAGDB_HOME of this test's own that has the random weights' backbone already."""
    cache = tmp_path / "home" / "backbones"
    cache.mkdir(parents=True)
    (cache / backbone_file.name).symlink_to(backbone_file)
    return cache.parent


@pytest.fixture
def chosen(random_weights: Path) -> tuple[object, ...]:
    """The flags that choose the random weights."""
    return ("--backbone", random_weights, "--input-size", 96)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A manifest of a few hundred small photos: several batches."""
    return drawn(tmp_path / "photos", PHOTOS)


@pytest.fixture
def here(home: Path) -> Callable[[str], dict[str, str]]:
    """A function that gives the environment in which the program uses a database."""
    return lambda url: {"TAGDB_DATABASE_URL": url, "TAGDB_HOME": str(home)}
