"""The benchmarks run: each in a small form, which measures nothing but shows that the code still fits tagdb's."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.postgres import Postgres

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SMALL = {
    "factors.py": ("--images=300", "--hashtags=60", "--interactions=3000", "--turns=1", "--no-peers"),
    "index.py": ("--images=600", "--more=100"),
    "ingest.py": ("--turns=1",),
    "recommend.py": ("--images=600", "--hashtags=60", "--factors=8", "--seconds=1", "--no-peers"),
    "sql_surface.py": ("--images=600", "--hashtags=60", "--factors=8", "--seconds=1"),
    "startup.py": ("--stored=20", "--runs=1"),
}


@pytest.mark.parametrize("script", SMALL)
def test_a_benchmark_runs(script: str, tmp_path: Path, postgres: Postgres) -> None:
    """A copy of it, so that the figures of this machine do not come into its results."""
    folder = shutil.copytree(BENCHMARKS, tmp_path / "benchmarks")
    command = [sys.executable, folder / script, *SMALL[script], "--database-url", postgres.url]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)

    assert done.returncode == 0, done.stderr
    assert "at least" not in done.stdout or done.stdout
