"""How fast images are exported, and in how much memory, by format.

    python benchmarks/export.py [--images 100000]

Creates a database on tagdb's server (or the one named by --database-url) with synthetic images (see
synthetic.py) and factors drawn by chance, without photos, and runs the program for each format. Its peak
memory is that of its process; PostgreSQL's is not counted.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import results
import synthetic

from tagdb import config, store
from tagdb.learning.als import Weighting
from tagdb.learning.model import Maps, Model
from tagdb.learning.settings import FactorSettings
from tagdb.postgres import database
from tagdb.postgres.database import Connection

DATABASE = "tagdb_benchmark_export"
EXPORTS = {
    "csv": ("out.csv",),
    "jsonl": ("out.jsonl",),
    "parquet": ("out.parquet", "--no-photos"),
    "parquet_vectors": ("vectors.parquet", "--no-photos", "--vectors"),
}


def add_factors(connection: Connection, images: int, hashtags: int, factors: int) -> None:
    """Store a factor run with factors drawn by chance, and activate it."""
    rng, settings = np.random.default_rng(0), FactorSettings(factors=factors)
    maps = Maps(np.eye(factors, dtype=np.float32), Weighting("none", images, 1.0, 1.0, 1.0), None)
    run = store.runs.begin(connection, settings, {})
    model = Model(
        settings,
        np.arange(1, images + 1, dtype=np.int64),
        rng.standard_normal((images, factors)).astype(np.float16),
        np.arange(1, hashtags + 1, dtype=np.int32),
        rng.standard_normal((hashtags, factors)).astype(np.float16),
        np.ones(hashtags, np.int32),
        images,
        maps,
    )
    store.runs.save(connection, run, model, 0.0)
    store.runs.activate(connection, run)


def measure(url: str, folder: Path, arguments: tuple[str, ...]) -> dict[str, float]:
    """Run one export; return its figures."""
    command = [sys.executable, "-m", "tagdb", "export", *arguments, "--json", "--database-url", url]
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    peak, status = 0.0, Path(f"/proc/{process.pid}/status")
    while process.poll() is None:  # wait4 would count the memory of this process when it forked
        if found := re.search(r"^VmHWM:\s*(\d+) kB", status.read_text(), re.M):
            peak = int(found[1]) / 1024
        time.sleep(0.05)
    assert process.returncode == 0
    assert process.stdout is not None
    printed = json.loads(process.stdout.read())
    return {
        "seconds": round(time.monotonic() - started, 2),
        "images_per_second": printed["images_per_second"],
        "peak_mb": round(peak, 1),
        "file_mb": round((folder / arguments[0]).stat().st_size / 1e6, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--hashtags", type=int, default=20_000)
    parser.add_argument("--factors", type=int, default=128)
    parser.add_argument("--photos", help="photos to model the embeddings on; drawn scenes if not given")
    parser.add_argument("--backbone", default="bundled")
    parser.add_argument("--database-url")
    given = parser.parse_args()
    like, backbone = synthetic.photos(given.photos, given.backbone, 200)
    server = database.ensure_url(config.load(database_url=given.database_url), lambda note: None)
    url = urlunsplit(urlsplit(server)._replace(path=f"/{DATABASE}"))
    database.make_database(server, DATABASE)
    try:
        database.migrate(url)
        with database.connect(url) as connection:
            for _ in synthetic.fill(connection, backbone, like, given.images, given.hashtags):
                pass
            add_factors(connection, given.images, given.hashtags, given.factors)
        with tempfile.TemporaryDirectory() as folder:
            found = {form: measure(url, Path(folder), arguments) for form, arguments in EXPORTS.items()}
    finally:
        database.drop_database(server, DATABASE)
    rates = ", ".join(
        f"{form} {each['images_per_second']:,.0f} images/s in {each['peak_mb']:.0f} MB"
        for form, each in found.items()
    )
    results.record(
        "export",
        f"export of {given.images:,} images: {rates}",
        {"images": given.images, "exports": found},
        packages=("pyarrow",),
    )


if __name__ == "__main__":
    main()
