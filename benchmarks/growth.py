"""Cost of ingesting a photo, and time of recommending, as the database grows.

    python benchmarks/growth.py [PHOTOS] [--backbone WEIGHTS] [--to 100000] [--turns 3] [--copy]
        [--picture FILE] [--database-url URL]

Creates databases of 1,000, 2,000, 5,000, … images, up to --to, and fills each with synthetic embeddings and
hashtags (see synthetic.py), with more hashtags for more images. Then it computes factors, builds the index,
checks it and applies the suggested settings, as the commands do. After that it measures the following on each
database, in turns, so that other load on the machine affects all sizes alike:

* ``tagdb ingest`` of new photos with original files and 14 hashtags each, in milliseconds per photo, and the
  part of that in which the statistics are brought up to date,
* the floor: decoding and embedding the same photos without a database,
* storing alone: as many images with synthetic embeddings, in batches as in an ingest, without its threads,
* recommending for a held-out photo, with pgbench, prepared, one client.

PHOTOS is any source of ``tagdb ingest``; without it, scenes are drawn. A first round warms up and does not
count. Figures are medians; the ratio to the smallest size is the median of the ratios of the rounds.
Databases are created on tagdb's embedded server, or at --database-url, and dropped at the end. With --copy
they are copies of those left by ``recommend.py --images N --keep``, where there are any.
"""

import argparse
import itertools
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from unittest.mock import patch

import fold_in
import numpy as np
import recommend
import results
import synthetic
from ingest import Records, drawn, floor

from tagdb import config, factors, folding_in, indexing, ingest, store
from tagdb.embedding.backbone import Backbone
from tagdb.evaluation import drawing
from tagdb.photos import images
from tagdb.photos.sources import Record, open_source
from tagdb.postgres import database, pgcopy
from tagdb.postgres.database import Connection
from tagdb.postgres.machine import this_machine
from tagdb.postgres.server import Server

SIZES = (1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 1_000_000)
MOST = 512
"""Maximum number of photos ingested per round."""
EACH = 14
"""Hashtags drawn per photo."""
PGBENCH_SECONDS = 6


@dataclass(slots=True)
class Size:
    """A database and its measurements, by round."""

    images: int
    name: str
    url: str
    hashtags: int
    prepared: dict[str, object] = field(default_factory=dict)
    turns: dict[str, list[float]] = field(default_factory=dict)

    def note(self, name: str, value: float) -> None:
        """Record a measurement of a round."""
        self.turns.setdefault(name, []).append(value)
        print(f"  {self.images:,}: {name} {value:.2f}", file=sys.stderr, flush=True)

    def median(self, name: str) -> float:
        """Return the median of all rounds but the first, which warms up."""
        return statistics.median(self.turns[name][1:])

    def times(self, smallest: "Size") -> float:
        """Return the cost per photo relative to the smallest database: the median of the rounds' ratios.

        Other load on the machine lasts longer than a round, so it affects both.
        """
        pairs = zip(self.turns["ingest_ms"], smallest.turns["ingest_ms"], strict=True)
        return statistics.median([mine / other for mine, other in pairs][1:])


def hashtags_for(count: int) -> int:
    """Return the number of hashtags for a number of images: 20,000 for 100,000, 100,000 for a million."""
    return 100 * round(200 * (count / 100_000) ** 0.699)


def prepare(
    server: str, size: int, backbone: Backbone, like: np.ndarray, queries: np.ndarray, copy: bool
) -> Size:
    """Create a database of a given size, as the commands leave it."""
    name = f"tagdb_benchmark_growth_{size}"
    one = Size(size, name, fold_in.named(server, name), hashtags_for(size))
    kept = f"tagdb_benchmark_{size}"
    with database.connect(server) as owner:
        there = owner.execute("SELECT 1 FROM pg_database WHERE datname = %s", (kept,)).fetchone()
        if copy and there:
            fold_in.made(owner, name, kept)
            one.prepared["copy_of"] = kept
    if "copy_of" in one.prepared:
        with database.connect(one.url) as connection:
            stored = store.backbones.active(connection)
            assert stored is not None
            if not stored.identity.same(backbone.identity):
                raise SystemExit(f"{kept} has embeddings by {stored.identity}, not {backbone.identity}")
            row = connection.execute("SELECT count(*) FROM tagdb_store.hashtags").fetchone()
            one.hashtags = row[0] if row else 0
            one.prepared["statistics_seconds"] = store.statistics.refresh(connection).seconds
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")
        return one
    database.make_database(server, name)
    database.migrate(one.url)
    with database.connect(one.url) as connection:
        for _ in synthetic.fill(connection, backbone, like, size, one.hashtags, EACH):
            pass
        one.prepared["factors_seconds"] = factors.compute(connection, quiet=True).seconds
        connection.execute("VACUUM ANALYZE")
        if size >= store.index.INDEX_FROM:
            started = time.monotonic()
            indexing.build(connection, indexing.memory_for(connection, size, this_machine(), None), True)
            one.prepared["index_build_seconds"] = time.monotonic() - started
            checked = indexing.check(connection, quiet=True)
            assert checked is not None
            indexing.apply(connection, checked.suggested)
        connection.execute(
            "CREATE TABLE public.query (n integer PRIMARY KEY, embedding public.halfvec(1280))"
        )
        numbers = np.arange(1, len(queries) + 1, dtype=np.int32)
        command = "COPY public.query FROM STDIN (FORMAT binary)"
        with connection.cursor() as cursor, cursor.copy(command) as stream:
            for chunk in pgcopy.encode(numbers, queries.astype(np.float16)):
                stream.write(chunk)
        one.prepared["statistics_seconds"] = store.statistics.refresh(connection).seconds
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    return one


def tagged(records: Sequence[Record], hashtags: int, seed: int) -> list[Record]:
    """Return the same photos with hashtags of a synthetic database."""
    rng = np.random.default_rng(seed)
    drawn = synthetic.hashtags_of(rng, rng.integers(0, 1 << 20, len(records)), hashtags, EACH)
    return [
        replace(record, hashtags=tuple({f"tag{n}": None for n in row}))
        for record, row in zip(records, drawn.tolist(), strict=True)
    ]


def storing(connection: Connection, records: Sequence[Record], vectors: np.ndarray, salt: str) -> float:
    """Return the seconds of storing embedded images in batches, as an ingest does."""
    prepared = []
    for n, (record, vector) in enumerate(zip(records, vectors, strict=True)):
        content = record.path.read_bytes()
        image = store.batches.Image(
            images.content_hash(f"{salt} {n}".encode()), f"file:///{salt}/{n}.jpg", record.hashtags, "growth"
        )
        image.media_type, image.width, image.height, image.byte_count = "image/jpeg", 640, 480, len(content)
        image.thumbnail, image.original = content[:12_000], content
        image.embedding = vector.astype(np.float32)
        prepared.append(image)
    stored = store.backbones.active(connection)
    assert stored is not None
    started = time.perf_counter()
    run_id = store.ingest_runs.begin(connection, ["storing"])
    fresh = folding_in.FoldingIn(connection)
    waiting = iter(prepared)
    while batch := list(islice(waiting, ingest.BATCH)):
        store.batches.save(connection, run_id, stored.backbone_id, batch, [], fresh.images)
    fresh.finish()
    store.ingest_runs.finish(connection, run_id)
    return time.perf_counter() - started


@contextmanager
def refreshing() -> Iterator[list[float]]:
    """Record the seconds that an ingest spends on the statistics."""
    seconds = [0.0]
    refresh = store.statistics.refresh_if_due

    def timed(connection: Connection) -> object:
        started = time.perf_counter()
        try:
            return refresh(connection)
        finally:
            seconds[0] += time.perf_counter() - started

    with patch.object(store.statistics, "refresh_if_due", timed):
        yield seconds


def turn(
    size: Size, n: int, backbone: Backbone, like: np.ndarray, records: list[Record], pgbench: str
) -> None:
    """Measure everything on one database."""
    photos, records = len(records), tagged(records, size.hashtags, n)
    vectors = synthetic.Embeddings(like, 100 + n).draw(photos)[0]
    size.note("floor_ms", 1000 / floor(backbone, records))
    with database.connect(size.url) as connection, refreshing() as seconds:
        done = ingest.run(connection, backbone, [Records("photos", records)], ingest.Options(quiet=True))
    assert done.counts.new == photos, done.counts
    size.note("ingest_ms", 1000 * done.seconds / photos)
    size.note("statistics_ms", 1000 * seconds[0] / photos)
    with database.connect(size.url) as connection:
        size.note("storing_ms", 1000 * storing(connection, records, vectors, f"growth {n}") / photos)
        store.statistics.refresh_if_due(connection)  # or the next ingest would count these, too
    calls = recommend.pgbench(size.url, pgbench, 1, PGBENCH_SECONDS)
    size.note("recommend_p50_ms", calls["p50_ms"])
    size.note("recommend_p95_ms", calls["p95_ms"])


def table(rows: Sequence[dict[str, float]]) -> str:
    """Return the figures as a Markdown table."""
    head = (
        "| images | hashtags | ingest, ms a photo | times the smallest | of that decoding and embedding "
        "| storing alone | statistics | recommend p50, ms | p95, ms |\n" + "| ---: " * 9 + "|\n"
    )
    return head + "".join(
        f"| {r['images']:,} | {r['hashtags']:,} | {r['ingest_ms']:.2f} | {r['times_smallest']:.2f} "
        f"| {r['floor_ms']:.2f} | {r['storing_ms']:.2f} | {r['statistics_ms']:.2f} "
        f"| {r['recommend_p50_ms']:.1f} | {r['recommend_p95_ms']:.1f} |\n"
        for r in rows
    )


def short(images: int) -> str:
    """Return a round number in a few characters: 2k, 1M."""
    return f"{images // 1_000_000}M" if images >= 1_000_000 else f"{images // 1000}k"


def picture(rows: Sequence[dict[str, float]], path: Path) -> None:
    """Draw the cost per photo and the time of recommending."""
    panels = (
        ("Ingest: ms a photo", {"ingest_ms": "ingest", "floor_ms": "decoding and embedding alone"}),
        ("Recommend: ms", {"recommend_p50_ms": "median", "recommend_p95_ms": "95th percentile"}),
    )
    height, top, bottom, edge, gap = 340, 84, 56, 48, 72
    pen = drawing.Drawing(height)
    across = (drawing.WIDTH - 2 * edge - gap) / 2
    for n, (title, series) in enumerate(panels):
        left, base = edge + n * (across + gap), height - bottom
        highest = max(row[name] for row in rows for name in series)
        step = next(step for step in (0.5, 1, 2, 5, 10, 20, 50, 100) if highest / step <= 6)
        ticks = int(highest / step) + 1
        pen.text(left, 26, title, 19, drawing.INK, "lm")
        for tick in range(ticks + 1):
            y = base - (base - top) * tick / ticks
            pen.line(left, y, left + across, y, drawing.GRID, 1)
            pen.text(left - 8, y, f"{tick * step:g}", 13, drawing.QUIET, "rm")
        places = [left + 24 + (across - 48) * i / max(1, len(rows) - 1) for i in range(len(rows))]
        for x, row in zip(places, rows, strict=True):
            pen.text(x, base + 14, short(int(row["images"])), 13, drawing.QUIET, "mm")
        pen.text(left + across / 2, base + 38, "images in the database", 13, drawing.QUIET, "mm")
        key = left
        for (name, words), ink in zip(series.items(), (drawing.MARK, "#9ca3af"), strict=True):
            points = [
                (x, base - (base - top) * row[name] / (ticks * step))
                for x, row in zip(places, rows, strict=True)
            ]
            for (x, y), (to_x, to_y) in itertools.pairwise(points):
                pen.line(x, y, to_x, to_y, ink, 2)
            for x, y in [*points, (key + 4, 57)]:
                pen.dot(x, y, ink, 4)
            pen.text(key + 14, 57, words, 13, drawing.QUIET, "lm")
            key += 34 + drawing.width(words, 13)
    pen.picture.quantize(64).save(path, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", nargs="?", help="folder or manifest; drawn scenes if not given")
    parser.add_argument(
        "--backbone", default="bundled", help="bundled, imagenet, or a weights or LiteRT file"
    )
    parser.add_argument("--to", type=int, default=100_000, help="images in the largest database")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--copy", action="store_true", help="copy what recommend.py --keep left")
    parser.add_argument("--picture", type=Path, help="also draw a chart: a .png file")
    parser.add_argument("--database-url")
    given = parser.parse_args()
    say = lambda words: print(words, file=sys.stderr, flush=True)  # noqa: E731
    settings = config.load(database_url=given.database_url)
    server = database.ensure_url(settings, say)
    pgbench = shutil.which("pgbench") or str(Server(settings.home).program("pgbench"))
    made: list[Size] = []
    with tempfile.TemporaryDirectory() as folder:
        if given.photos:
            records = [each for each in open_source(given.photos) if isinstance(each, Record)]
        else:
            records = drawn(Path(folder), 1000)
        records = list({record.path.read_bytes(): record for record in records}.values())
        like, backbone = synthetic.photos(given.photos or folder, given.backbone)
        aside = np.random.default_rng(2).permutation(len(like))
        queries, like = like[aside[: recommend.QUERIES]], like[aside[recommend.QUERIES :]]
        each = min(MOST, len(records) // (given.turns + 1))
        order = np.random.default_rng(3).permutation(len(records))
        try:
            for count in (size for size in SIZES if size <= given.to):
                say(f"making a database of {count:,} images …")
                made.append(prepare(server, count, backbone, like, queries, given.copy))
            for n in range(given.turns + 1):
                say(f"turn {n} of {given.turns} …")
                part = [records[place] for place in order[n * each : (n + 1) * each]]
                for size in made if n % 2 else made[::-1]:
                    turn(size, n, backbone, like, part, pgbench)
            rows = [
                {
                    "images": size.images,
                    "hashtags": size.hashtags,
                    "times_smallest": size.times(made[0]),
                }
                | {name: size.median(name) for name in size.turns}
                for size in made
            ]
            with database.connect(made[0].url) as connection:
                version = connection.info.parameter_status("server_version")
        finally:
            names = [f"tagdb_benchmark_growth_{size}" for size in SIZES if size <= given.to]
            for name in names:
                database.drop_database(server, name)
    say(table(rows))
    if given.picture:
        picture(rows, given.picture)
    first, last = rows[0], rows[-1]
    reached = "reached" if last["times_smallest"] <= 1.5 else "missed"
    results.record(
        f"growth-{made[-1].images}",
        f"from {first['images']:,} to {last['images']:,} images: ingest {first['ingest_ms']:.2f} to "
        f"{last['ingest_ms']:.2f} ms per photo ({last['times_smallest']:.2f} times), of which decoding and "
        f"embedding {last['floor_ms']:.2f} ms; storing alone {first['storing_ms']:.2f} to "
        f"{last['storing_ms']:.2f} ms; recommending p50 {first['recommend_p50_ms']:.1f} to "
        f"{last['recommend_p50_ms']:.1f} ms",
        {"photos_each_turn": each, "turns": given.turns, "input_size": backbone.identity.input_size,
         "backbone": backbone.identity.name, "sizes": rows,
         "prepared": {size.images: size.prepared for size in made},
         "every_turn": {size.images: size.turns for size in made}},
        aim=f"the millionth image costs at most 1.5 times the thousandth to ingest: {reached}"
        + ("" if last["images"] >= SIZES[-1] else f" as far as {last['images']:,}"),
        packages=("ai-edge-litert", "pillow", "psycopg"),
        versions={"PostgreSQL": str(version)},
    )  # fmt: skip


if __name__ == "__main__":
    main()
