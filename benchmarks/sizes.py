"""Effect of the backbone's input size, and of quantising it, on quality and time.

    python benchmarks/sizes.py PHOTOS [--backbone WEIGHTS] [--sizes 96 128 …] [--also FILE.tflite …]

PHOTOS are real photos with hashtags, in any form that ``tagdb ingest`` takes. For each input size of the
weights, and for each LiteRT file given by --also (a quantised backbone, for example), a database is created
on tagdb's server and dropped again: ``tagdb ingest`` fills it, and ``tagdb evaluate`` measures nDCG@10 on
held-out photos. Photos per second are those of decoding and embedding alone, in as many threads as an ingest
has: the best of three rounds, in which all take turns.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import results
from ingest import floor

from tagdb import config
from tagdb.embedding.backbone import Backbone, resolve
from tagdb.photos.sources import Record, open_source
from tagdb.postgres import database

DATABASE = "tagdb_benchmark_sizes"
TIMED = 600
TURNS = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A backbone with an input size."""

    name: str
    flags: tuple[str, ...]
    network: Backbone


def tagdb(url: str, *arguments: str) -> dict[str, object]:
    """Run a command and return its JSON. It may reject some photos."""
    command = [sys.executable, "-m", "tagdb", *arguments, "--json", "--quiet", "--database-url", url]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, 3):
        raise SystemExit(done.returncode)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def quality(server: str, photos: str, flags: tuple[str, ...]) -> dict[str, float]:
    """Return nDCG@10 of the shipped settings, with its confidence interval."""
    url = urlunsplit(urlsplit(server)._replace(path=f"/{DATABASE}"))
    database.make_database(server, DATABASE)
    try:
        database.migrate(url)
        tagdb(url, "ingest", photos, "--originals", "none", *flags)
        rows = tagdb(url, "evaluate")["rows"]
        assert isinstance(rows, list)
        (shipped,) = (row for row in rows if row["label"] == "shipped defaults")
        found: dict[str, float] = shipped["metrics"]["nDCG@10"]
        return found
    finally:
        database.drop_database(server, DATABASE)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos")
    parser.add_argument("--backbone", default="imagenet")
    parser.add_argument("--sizes", type=int, nargs="*", default=[96, 128, 160, 192, 224])
    parser.add_argument("--also", nargs="*", default=[], metavar="FILE.tflite")
    parser.add_argument("--database-url")
    given = parser.parse_args()
    settings = config.load(database_url=given.database_url)
    server = database.ensure_url(settings, lambda note: None)
    candidates = []
    for size in given.sizes:
        flags = ("--backbone", given.backbone, "--input-size", str(size))
        network = resolve(given.backbone, size, None, settings.backbone_cache)
        candidates.append(Candidate(f"{size}", flags, network))
    for file in given.also:
        network = resolve(file, None, None, settings.backbone_cache)
        candidates.append(Candidate(Path(file).stem, ("--backbone", file), network))
    records = [each for each in open_source(given.photos) if isinstance(each, Record)]
    timed = list({record.path: record for record in records if record.path.exists()}.values())[:TIMED]
    rates: dict[str, list[float]] = {one.name: [] for one in candidates}
    for _ in range(TURNS):
        for one in candidates:
            rates[one.name].append(floor(one.network, timed))
    rows = []
    for one in candidates:
        found = quality(server, given.photos, one.flags)
        row = {"backbone": one.name, "photos_per_second": max(rates[one.name]), "nDCG@10": found}
        print(row, file=sys.stderr, flush=True)
        rows.append(row)
    each = "; ".join(
        f"{row['backbone']}: {row['nDCG@10']['mean']:.3f}, {row['photos_per_second']:.0f}/s"  # type: ignore[index]
        for row in rows
    )
    results.record(
        "sizes",
        f"nDCG@10 of the shipped settings, and photos decoded and embedded per second, by input size: {each}",
        {"rows": rows, "rates": rates, "photos": len(records)},
        packages=("ai-edge-litert", "pillow"),
    )


if __name__ == "__main__":
    main()
