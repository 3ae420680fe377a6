"""Start-up time of `tagdb recommend`, and the cost of keeping it running or of many photos per call.

    python benchmarks/startup.py [--backbone WEIGHTS] [--stored 500] [--runs 15] [--database-url URL]

Scenes are drawn and stored in a separate database, and factors computed. Then it measures, for scenes that
are not stored:

* fresh processes of `tagdb recommend PHOTO`, compared with `python -c pass`, the minimum for a Python
program, and
  with `import tensorflow`, where a program that embeds with Keras starts,
* one process of `tagdb recommend -`, which gets each name after it has answered the one before, and
* one `tagdb recommend` for all of them.

Wall time and memory of a process are measured by a small process that starts it, because Linux counts the
memory of the starting process as the new one's. The database is dropped at the end.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import results

from tagdb import config, factors, ingest, scenes
from tagdb.embedding.backbone import BUNDLED, Identity, resolve
from tagdb.photos.sources import open_source
from tagdb.postgres import database

DATABASE = "tagdb_benchmark_startup"
ASKED = 100
"""Number of photos for the running process, and for the call with many."""
TAGDB = (sys.executable, "-m", "tagdb", "recommend")
LAUNCHER = """
import os, sys, time
nowhere = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
started = time.perf_counter()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=nowhere)
_, status, usage = os.wait4(pid, 0)
print(time.perf_counter() - started, usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def drawn(folder: Path, first: int, count: int) -> list[str]:
    """Draw scenes of all collections into a folder with a manifest; return their paths."""
    rows = []
    for n in range(first, first + count):
        one = scenes.scene(scenes.COLLECTIONS[n % 10], n // 10)
        path = folder / f"{one.name}.jpg"
        one.picture.save(path, quality=90)
        rows.append({"file_name": path.name, "hashtags": list(one.hashtags)})
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "photos.jsonl").write_text(lines, "utf-8")
    return [str(folder / str(row["file_name"])) for row in rows]


@contextmanager
def filled(server: str, manifest: Path, backbone: str, cache: Path) -> Iterator[tuple[str, Identity]]:
    """Yield the URL of a database with photos and factors, and its backbone; drop it afterwards."""
    database.make_database(server, DATABASE)
    url = urlunsplit(urlsplit(server)._replace(path=f"/{DATABASE}"))
    try:
        database.migrate(url)
        network = resolve(backbone, None, None, cache)
        with database.connect(url) as connection:
            ingest.run(connection, network, [open_source(str(manifest))], ingest.Options(quiet=True))
            factors.compute(connection, quiet=True)
            connection.execute("VACUUM ANALYZE")
        yield url, network.identity
    finally:
        database.drop_database(server, DATABASE)


def fresh(command: tuple[str, ...], runs: int) -> dict[str, float]:
    """Return seconds and MiB of processes started one after another, with files already cached."""
    found = []
    for _ in range(runs + 1):
        launched = [sys.executable, "-I", "-S", "-c", LAUNCHER, *command]
        done = subprocess.run(launched, capture_output=True, text=True, check=True)
        found.append([float(word) for word in done.stdout.split()])
    seconds, resident = np.array(found[1:]).T
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return {
        "p50_s": float(np.percentile(seconds, 50)),
        "p95_s": float(np.percentile(seconds, 95)),
        "resident_mib": float(resident.max()) * unit / (1 << 20),
        "runs": runs,
    }


def warm(photos: list[str]) -> list[float]:
    """Return the seconds until each photo is answered by a running process, through a pipe."""
    command = [*TAGDB, "-", "--format", "hashtags"]
    seconds = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for photo in photos:
            started = time.perf_counter()
            process.stdin.write(f"{photo}\n")
            process.stdin.flush()
            assert process.stdout.readline().startswith("#")
            seconds.append(time.perf_counter() - started)
        process.stdin.close()
        assert process.wait() == 0
    return seconds[1:]  # the first one includes starting the process


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--backbone", default=BUNDLED, help="bundled, imagenet, or a weights or LiteRT file")
    parser.add_argument("--stored", type=int, default=500, help="drawn scenes in the database")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--database-url")
    given = parser.parse_args()
    settings = config.load(database_url=given.database_url)
    server = database.ensure_url(settings, lambda note: None)
    with tempfile.TemporaryDirectory() as name:
        stored, asked = Path(name) / "stored", Path(name) / "asked"
        stored.mkdir()
        asked.mkdir()
        drawn(stored, 0, given.stored)
        photos = drawn(asked, given.stored, ASKED)
        manifest = stored / "photos.jsonl"
        with filled(server, manifest, given.backbone, settings.backbone_cache) as (url, identity):
            os.environ["TAGDB_DATABASE_URL"] = url
            one = fresh((*TAGDB, photos[0]), given.runs)
            least = fresh((sys.executable, "-c", "pass"), given.runs)
            tensorflow = None
            if importlib.util.find_spec("tensorflow"):
                os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
                tensorflow = fresh((sys.executable, "-c", "import tensorflow"), 3)
            each = [second for _ in range(3) for second in warm(photos)]
            many = fresh((*TAGDB, *photos), 5)
    kept = {"p50_ms": 1e3 * statistics.median(each), "p95_ms": 1e3 * float(np.percentile(each, 95))}
    rates = {
        "one_call": len(photos) / many["p50_s"],
        "kept_running": 1 / statistics.mean(each),
        "fresh_processes": 1 / one["p50_s"],
    }
    reached = {"0.7 s": one["p50_s"] <= 0.7, "300 MB": one["resident_mib"] * (1 << 20) <= 300e6}
    beside = f"`python -c pass` {least['p50_s']:.2f} s"
    if tensorflow:
        beside += (
            f", `import tensorflow` {tensorflow['p50_s']:.1f} s and {tensorflow['resident_mib']:.0f} MiB"
        )
    results.record(
        "startup",
        f"`tagdb recommend PHOTO`: p50 {one['p50_s']:.2f} s, p95 {one['p95_s']:.2f} s, "
        f"{one['resident_mib']:.0f} MiB ({beside}); kept running p50 {kept['p50_ms']:.0f} ms per photo; "
        f"{len(photos)} photos in one call {rates['one_call']:.0f}/s, one after another "
        f"{rates['kept_running']:.0f}/s kept running, {rates['fresh_processes']:.1f}/s as fresh processes",
        {"stored": given.stored, "backbone": identity.name, "input_size": identity.input_size,
         "fresh": one, "python": least, "import_tensorflow": tensorflow, "kept_running": kept,
         "many": many | {"photos": len(photos)}, "photos_per_second": rates},
        aim="; ".join(f"at most {aim}: {'reached' if yes else 'missed'}" for aim, yes in reached.items()),
        packages=("ai-edge-litert", "numpy", "pillow", "psycopg"),
    )  # fmt: skip


if __name__ == "__main__":
    main()
