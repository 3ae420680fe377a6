"""Ingesting, compared with the ancestor's way and with the floor: the same work without a database.

    python benchmarks/ingest.py [PHOTOS] [--backbone WEIGHTS] [--turns 5] [--database-url URL]
    python benchmarks/ingest.py [PHOTOS] [--backbone WEIGHTS] --memory 100000

PHOTOS is any source of ``tagdb ingest``; without it, scenes are drawn into a temporary folder. In turns:

* the ancestor's way: Keras's MobileNetV2 of the same input size with ``predict`` for one photo per call, in a
  separate process, on some of the photos (loading them is timed, storing is not; a LiteRT file has no Keras
  weights, so random ones are used, which take as long),
* the floor: tagdb's own decoding and LiteRT calls in as many threads as an ingest has, and nothing else,
* an ingest into a fresh database, from start to end, including statistics, and
* the same ingest again, when all photos are known.

``--memory N`` instead ingests N different photos: copies of PHOTOS with a number appended, each written
shortly before it is read and deleted shortly after. It reports the rate and the memory of the process and its
workers every 10,000 photos, and the peak, sampled five times per second. Databases are created on tagdb's
embedded server, or at
--database-url, and dropped at the end.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from platform import machine
from unittest.mock import patch
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import results

from tagdb import config, ingest, scenes, store
from tagdb.embedding.backbone import BUNDLED, Backbone, resolve
from tagdb.photos import images
from tagdb.photos.files import Local
from tagdb.photos.sources import Record, Rejection, Source, open_source
from tagdb.postgres import database

DATABASE = "tagdb_benchmark_ingest"
TENSORFLOW = "tensorflow-cpu" if sys.platform == "linux" and machine() == "x86_64" else "tensorflow"
"""Distributions from ``pyproject.toml`` whose versions matter."""
DRAWN = 500
BY_KERAS = 48
KEPT = 2000
"""Copies that exist at a time: more than an ingest reads ahead."""
STEP = 10_000
PACKAGES = ("ai-edge-litert", "pillow", "psycopg")


class Records(Source):
    """Records read beforehand, so that reading a manifest costs the same for all."""

    def __init__(self, name: str, records: list[Record]) -> None:
        self.name, self.records = name, records

    def count(self) -> int:
        """Return the number of records."""
        return len(self.records)

    def __iter__(self) -> Iterator[Record | Rejection]:
        """Yield the records."""
        return iter(self.records)


class Copies(Source):
    """Many photos with different content, made from a few; records time and memory on the way."""

    def __init__(self, records: list[Record], total: int, folder: Path) -> None:
        self.name, self.records, self.total, self.folder = "copies", records, total, folder
        self.contents = [record.path.read_bytes() for record in records]
        self.noted: list[tuple[int, float, float]] = []

    def count(self) -> int:
        """Return the number of photos."""
        return self.total

    def __iter__(self) -> Iterator[Record | Rejection]:
        """Write a photo, yield its record, and delete an old one."""
        kept: deque[Path] = deque()
        for n in range(self.total):
            if n % STEP == 0:
                self.note(n)
            which = n % len(self.records)
            path = self.folder / f"{n}.jpg"
            path.write_bytes(self.contents[which] + b"%d" % n)
            kept.append(path)
            yield replace(self.records[which], file=Local(path), uri=path.as_uri())
            if len(kept) > KEPT:
                kept.popleft().unlink()
        self.note(self.total)

    def note(self, photos: int) -> None:
        """Record the number of photos, the time and the memory."""
        self.noted.append((photos, time.monotonic(), memory()))


def memory(process: str = "self") -> float:
    """Return the resident memory of a process and its children in MiB; needs Linux."""
    size = 0.0
    with suppress(OSError):  # the process may have ended
        statm = Path(f"/proc/{process}/statm").read_text()
        size = int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
        for task in Path(f"/proc/{process}/task").glob("*/children"):
            size += sum(map(memory, task.read_text().split()))
    return size


@contextmanager
def highest() -> Iterator[list[float]]:
    """Record the peak memory during the block, in MiB."""
    most, ended = [memory()], threading.Event()

    def look() -> None:
        while not ended.wait(0.2):
            most[0] = max(most[0], memory())

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield most
    finally:
        ended.set()
        looking.join()


def drawn(folder: Path, count: int = DRAWN) -> list[Record]:
    """Draw scenes into a folder."""
    records = []
    for n in range(count):
        one = scenes.scene(scenes.COLLECTIONS[n % 10], n // 10)
        path = folder / f"{one.name}.jpg"
        one.picture.save(path, quality=90)
        records.append(
            Record(Local(path), path.as_uri(), one.hashtags, one.collection, None, None, {}, str(path), None)
        )
    return records


def by_keras(weights: str, size: int, paths: list[str]) -> float:
    """Return photos per second of the ancestor's way. Runs in a separate process."""
    import keras

    found = None if weights == "random" else weights
    network = keras.applications.MobileNetV2((size, size, 3), include_top=False, pooling="avg", weights=found)

    def embed(path: str) -> None:
        pixels = keras.utils.img_to_array(keras.utils.load_img(path, target_size=(size, size)))
        network.predict(keras.applications.mobilenet_v2.preprocess_input(pixels[np.newaxis]), verbose=0)

    for path in paths[:3]:
        embed(path)  # the first one compiles
    started = time.perf_counter()
    for path in paths:
        embed(path)
    return len(paths) / (time.perf_counter() - started)


def ancestor(weights: str, size: int, records: list[Record]) -> float:
    """Measure photos per second of the ancestor's way in a separate process."""
    chosen = [str(record.path) for record in records[:: max(1, len(records) // BY_KERAS)][:BY_KERAS]]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, __file__, "--by-keras", weights, str(size)]
    done = subprocess.run(
        command,
        input=json.dumps(chosen),
        env=os.environ | quiet,
        text=True,
        stdout=subprocess.PIPE,
        check=True,
    )
    return float(done.stdout.splitlines()[-1])


def floor(backbone: Backbone, records: list[Record]) -> float:
    """Return photos per second without a database."""

    def work(record: Record) -> None:
        backbone.embed(images.decode(record.path.read_bytes(), backbone.identity.input_size).pixels)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        started = time.perf_counter()
        for _ in pool.map(work, records):
            pass
        return len(records) / (time.perf_counter() - started)


@contextmanager
def fresh(url: str) -> Iterator[database.Connection]:
    """Connect to a new database, which is dropped afterwards."""
    database.make_database(url, DATABASE)
    own = urlunsplit(urlsplit(url)._replace(path=f"/{DATABASE}"))
    try:
        database.migrate(own)
        with database.connect(own) as connection:
            yield connection
    finally:
        database.drop_database(url, DATABASE)


@contextmanager
def finishing() -> Iterator[list[float]]:
    """Record the seconds that ingests spend on the index and the statistics, after the last batch."""
    seconds: list[float] = [0.0]

    def timed(function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            started = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                seconds[0] += time.perf_counter() - started

        return call

    index, statistics_ = store.index, store.statistics
    with (
        patch.object(index, "ensure", timed(index.ensure)),
        patch.object(statistics_, "refresh_if_due", timed(statistics_.refresh_if_due)),
    ):
        yield seconds


def side_by_side(url: str, backbone: Backbone, weights: str, records: list[Record], turns: int) -> None:
    """Measure everything in turns; return the median of each."""
    size, source = backbone.identity.input_size, Records("photos", records)
    figures: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        figures.setdefault(name, []).append(value)
        print(f"{name}: {value:.1f}", file=sys.stderr, flush=True)

    def ingesting() -> None:
        with fresh(url) as connection, finishing() as seconds:
            first = ingest.run(connection, backbone, [source], ingest.Options(quiet=True))
            note("ingest", first.counts.new / first.seconds)
            note("ingest_before_statistics", first.counts.new / (first.seconds - seconds[0]))
            again = ingest.run(connection, backbone, [source], ingest.Options(quiet=True))
            assert again.counts.new == 0
            note("known", again.records / again.seconds)

    floor(backbone, records[:100])  # warms up
    for turn in range(turns):
        if turn < 3:
            note("ancestor", ancestor(weights, size, records))
        for way in (ingesting, None) if turn % 2 else (None, ingesting):
            if way is None:
                note("floor", floor(backbone, records))
            else:
                way()
    found = {name: statistics.median(values) for name, values in figures.items()}
    times, share = found["ingest"] / found["ancestor"], found["ingest"] / found["floor"]
    share_before = found["ingest_before_statistics"] / found["floor"]
    reached = {
        "25 times Keras": times >= 25,
        "85 % of the floor": share >= 0.85,
        "2,000 known files/s": found["known"] >= 2000,
    }
    results.record(
        "ingest",
        f"{found['ingest']:.0f} photos/s at {size} px: {times:.0f} × Keras with one image per call "
        f"({found['ancestor']:.1f}/s), {share:.0%} of the same decoding and LiteRT calls without a database "
        f"({found['floor']:.0f}/s; {share_before:.0%} without the statistics at the end); "
        f"{found['known']:.0f} known files/s",
        {"photos": len(records), "input_size": size, "backbone": backbone.identity.name,
         "weights_in_keras": Path(weights).name, "threads": os.cpu_count(), "turns": turns,
         "per_second": found, "every_turn": figures,
         "times_ancestor": times, "share_of_floor": share, "share_of_floor_before_statistics": share_before},
        aim="; ".join(f"{aim}: {'reached' if yes else 'missed'}" for aim, yes in reached.items()),
        packages=(*PACKAGES, "keras", TENSORFLOW),
    )  # fmt: skip


def growing(url: str, backbone: Backbone, records: list[Record], total: int) -> None:
    """Measure rate and memory of one large ingest."""
    with (
        tempfile.TemporaryDirectory() as folder,
        fresh(url) as connection,
        finishing() as seconds,
        highest() as most,
    ):
        source = Copies(records, total, Path(folder))
        before = memory()
        done = ingest.run(connection, backbone, [source], ingest.Options(quiet=True))
    assert done.counts.new == total, done.counts
    steps = [
        {"photos": there, "per_second": (there - here) / (then - now), "resident_mib": mib}
        for (here, now, _), (there, then, mib) in zip(source.noted, source.noted[1:], strict=False)
    ]
    rates = [float(step["per_second"]) for step in steps]
    results.record(
        f"ingest-{total}",
        f"{total:,} photos in {done.seconds:.0f} s, {seconds[0]:.0f} s of which for index and statistics "
        f"at the end; {rates[0]:.0f} photos/s among the first {min(STEP, total):,}, {rates[-1]:.0f} among "
        f"the last; at most {most[0]:.0f} MiB resident, workers included",
        {"photos": total, "files": len(records), "mean_bytes": statistics.mean(map(len, source.contents)),
         "input_size": backbone.identity.input_size, "seconds": done.seconds,
         "seconds_for_index_and_statistics": seconds[0], "resident_before_mib": before,
         "resident_highest_mib": most[0], "steps": steps},
        aim=f"under 1,200 MiB: {'reached' if most[0] < 1200 else 'missed'}",
        packages=PACKAGES,
    )  # fmt: skip


def main() -> None:
    if sys.argv[1:2] == ["--by-keras"]:
        print(by_keras(sys.argv[2], int(sys.argv[3]), json.load(sys.stdin)))
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", nargs="?", help="folder or manifest; drawn scenes if not given")
    parser.add_argument("--backbone", default=BUNDLED, help="bundled, imagenet, or a weights or LiteRT file")
    parser.add_argument("--input-size", type=int)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--memory", type=int, metavar="N", help="ingest N photos and watch rate and memory")
    parser.add_argument("--database-url")
    given = parser.parse_args()
    settings = config.load(database_url=given.database_url)
    url = database.ensure_url(settings, lambda note: None)
    backbone = resolve(given.backbone, given.input_size, None, settings.backbone_cache)
    weights = "random" if given.backbone == BUNDLED or given.backbone.endswith(".tflite") else given.backbone
    with tempfile.TemporaryDirectory() as folder:
        if given.photos:
            records = [each for each in open_source(given.photos) if isinstance(each, Record)]
        else:
            records = drawn(Path(folder))
        if given.memory:
            growing(url, backbone, records, given.memory)
        else:
            side_by_side(url, backbone, weights, records, given.turns)


if __name__ == "__main__":
    main()
