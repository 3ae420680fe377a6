"""Effect of the backbone's input size, and of computing in 8 bits, on quality and time.

    python benchmarks/sizes.py PHOTOS [--backbone WEIGHTS] [--sizes 224 192 …] [--also FILE.tflite …]
    python -m tagdb.embedding.keras_export WEIGHTS 224 "224 px, 8 bits.tflite" 8

PHOTOS are real photos with hashtags, in any form that ``tagdb ingest`` takes. They are ingested once, into a
database on tagdb's server that is dropped again. Then each input size of the weights, and each LiteRT file
given by --also, embeds them, and what the shipped settings recommend for held-out photos is measured as by
``tagdb evaluate``: all with the same split, so that each is compared with the first on the same photos.

Photos per second are those of decoding and embedding alone, in as many threads as an ingest has: the best of
three rounds, in which all take turns. Beside them, Keras with one image per call, in one process.
"""

import argparse
import hashlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import results
from ingest import ancestor, floor
from numpy.typing import NDArray

from tagdb import config, ingest
from tagdb.embedding.backbone import BUNDLED, IMAGENET_32, Backbone, resolve
from tagdb.embedding.worker import embedded
from tagdb.evaluation import evaluate, holdout, metrics
from tagdb.evaluation.holdout import Data
from tagdb.evaluation.measuring import measure
from tagdb.evaluation.metrics import Means
from tagdb.evaluation.reports import MAIN, per_query
from tagdb.learning.settings import FactorSettings
from tagdb.photos.sources import Record, open_source
from tagdb.postgres import database

DATABASE = "tagdb_benchmark_sizes"
TIMED = 600
TURNS = 3


def loaded(server: str, photos: str, cache: Path) -> Data:
    """Return what an evaluation needs of the photos, but for embeddings that mean something."""
    url = urlunsplit(urlsplit(server)._replace(path=f"/{DATABASE}"))
    database.make_database(server, DATABASE)
    try:
        database.migrate(url)
        with database.connect(url) as connection:
            options = ingest.Options("none", quiet=True)
            ingest.run(connection, resolve(BUNDLED, None, None, cache), [open_source(photos)], options)
            return evaluate.load(connection)
    finally:
        database.drop_database(server, DATABASE)


def embeddings(network: Backbone, contents: list[bytes]) -> NDArray[np.float16]:
    """Embed photos; they are stored in 16 bits."""
    size = network.identity.input_size
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda content: embedded(content, network, size).required(), contents)
        return np.stack(list(found)).astype(np.float16)


def qualities(data: Data, vectors: list[NDArray[np.float16]]) -> Means:
    """Return nDCG@10 of the shipped settings, a column for each set of embeddings."""
    settings = FactorSettings()
    each = [replace(data, embeddings=replace(data.embeddings, vectors=one)) for one in vectors]
    split = holdout.split(each[0])
    columns = []
    for one in each:
        recommended = measure(one, split, [settings], True)[settings].recommended
        columns.append(per_query(split, recommended)[MAIN])
    return metrics.bootstrap(np.column_stack(columns), split.groups[split.queries])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos")
    parser.add_argument("--backbone", default=IMAGENET_32, help="weights, in 32 bits")
    parser.add_argument("--sizes", type=int, nargs="*", default=[224, 192, 160, 128, 96])
    parser.add_argument("--also", nargs="*", default=[], metavar="FILE.tflite")
    parser.add_argument("--keras", type=int, nargs="*", default=[], metavar="SIZE", help="time Keras, too")
    parser.add_argument("--database-url")
    given = parser.parse_args()
    settings = config.load(database_url=given.database_url)
    server = database.ensure_url(settings, lambda note: None)
    cache = settings.backbone_cache
    networks = {f"{size} px": resolve(given.backbone, size, None, cache) for size in given.sizes}
    networks |= {Path(file).stem: resolve(file, None, None, cache) for file in given.also}
    records = [each for each in open_source(given.photos) if isinstance(each, Record)]
    paths = sorted({record.path for record in records if record.path.exists()})
    timed = list({record.path: record for record in records if record.path.exists()}.values())[:TIMED]
    rates: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(TURNS):
        for name, network in networks.items():
            rates[name].append(floor(network, timed))
    keras = {f"{size} px": ancestor(given.backbone, size, timed) for size in given.keras}
    data = loaded(server, given.photos, cache)
    by_hash = {hashlib.sha256(path.read_bytes()).digest(): path for path in paths}
    contents = [by_hash[bytes(digest)].read_bytes() for digest in data.hashes]
    means = qualities(data, [embeddings(network, contents) for network in networks.values()])
    rows = []
    for n, name in enumerate(networks):
        row = {"backbone": name, "photos_per_second": max(rates[name]), MAIN: asdict(means.estimate(n))}
        rows.append(row | {"against_first": asdict(means.paired(n, 0)) if n else None})
        print(rows[-1], file=sys.stderr, flush=True)
    each = "; ".join(
        f"{row['backbone']}: {row[MAIN]['mean']:.3f}, {row['photos_per_second']:.0f}/s"  # type: ignore[index]
        for row in rows
    )
    each += "".join(f"; Keras, one image a call, {name}: {rate:.1f}/s" for name, rate in keras.items())
    results.record(
        "sizes",
        f"{MAIN} of the shipped settings, and photos decoded and embedded per second, by input size: {each}",
        {"rows": rows, "rates": rates, "keras": keras, "photos": len(records)},
        packages=("ai-edge-litert", "pillow"),
    )


if __name__ == "__main__":
    main()
