"""The benchmarks run, each in a small form: it measures nothing, but shows that they still fit the code."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.benchmarks import BENCHMARKS
from tests.support.pictures import photo
from tests.support.postgres import Postgres

pytestmark = pytest.mark.long
SMALL = {
    "by_size.py": "--sizes 300 600 --factors 8 --turns 1 --seconds 2 --photos many",
    "export.py": "--images 600 --hashtags 60 --factors 8",
    "object_store.py": "--photos 6 --turns 1",
    "factors.py": "--images 300 --hashtags 60 --interactions 3000 --turns 1 --no-peers",
    "fold_in.py": "photos.jsonl --backbone bundled --photos 10 --repeat 1",
    "fold_in_sizes.py": "photos.jsonl --backbone bundled --repeat 1 --asked 10",
    "growth.py": "many --to 1000 --turns 1",
    "index.py": "--images 600 --more 100 --photos photos",
    "ingest.py": "photos --turns 1",
    "recommend.py": "--images 600 --hashtags 60 --factors 8 --seconds 3 --no-peers --photos many",
    "sizes.py": "photos.jsonl --backbone bundled --sizes 160",
    "sql_surface.py": "--images 600 --hashtags 60 --factors 8 --seconds 1",
}


@pytest.mark.parametrize(
    "script",
    [pytest.param(name, marks=[pytest.mark.tensorflow] * (name == "ingest.py")) for name in SMALL],
)
def test_a_benchmark_runs(script: str, tmp_path: Path, postgres: Postgres) -> None:
    """A copy of it, so that figures of this machine do not come into the results."""
    benchmarks = shutil.copytree(BENCHMARKS, tmp_path / "benchmarks")
    for folder, count in (("photos", 40), ("many", 450)):  # 300 of the many are held out
        (tmp_path / folder).mkdir()
        for n in range(count):
            (tmp_path / folder / f"{n}.jpg").write_bytes(photo(n, size=(96, 72)))
    rows = [{"file_name": f"photos/{n}.jpg", "hashtags": ["sea", "sun", f"tag{n % 7}"]} for n in range(40)]
    (tmp_path / "photos.jsonl").write_text("\n".join(map(json.dumps, rows)))

    command = [sys.executable, benchmarks / script, *SMALL[script].split(), "--database-url", postgres.url]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
