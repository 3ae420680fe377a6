"""Cost of the SQL interface on a large synthetic database: first pages of all views, and recommending.

    python benchmarks/sql_surface.py [--images 100000] [--hashtags 20000] [--factors 128]

Creates a separate database (on the embedded server, or the one named by --database-url) and fills it
directly, without photos. It times the first page of every view, unordered and in the usual order, then
recommends with pgbench, one client, prepared, with another embedding for each call, and shows whether the
vector index was used. Run it on an idle machine.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import numpy as np
from psycopg import sql

from tagdb import config, store
from tagdb.embedding.backbone import Identity
from tagdb.learning.als import Weighting
from tagdb.learning.model import Maps, Model
from tagdb.learning.settings import FactorSettings
from tagdb.postgres import database, pgcopy
from tagdb.postgres.database import Connection
from tagdb.postgres.server import Server

DATABASE = "tagdb_benchmark"
KINDS = 64
QUERIES = 200
PAGES = {
    "hashtag_stats": "images DESC",
    "hashtag_pairs": "images DESC",
    "hashtag_trend_weekly": "starts_on DESC",
    "images": "ingested_at DESC",
    "hashtags": "hashtag",
    "collection_stats": "images DESC",
    "ingest_errors": "ingest_error_id DESC",
}
"""Usual order of the views with many rows."""


def copy(connection: Connection, table: str, *columns: pgcopy.Column) -> None:
    """Fill a table of tagdb_store."""
    command = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier("tagdb_store", table))
    with connection.cursor() as cursor, cursor.copy(command) as stream:
        for chunk in pgcopy.encode(*columns):
            stream.write(chunk)


def embeddings(rng: np.random.Generator, kinds: np.ndarray, count: int) -> np.ndarray:
    """Draw embeddings like real ones, float16 (count, 1280): mixtures of kinds, never negative."""
    mixture = rng.dirichlet(np.full(KINDS, 0.1), count).astype(np.float32)
    noise = 0.35 * rng.standard_normal((count, 1280), np.float32)
    drawn = np.maximum(mixture @ kinds + noise, 0)
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float16)


def fill(connection: Connection, images: int, hashtags: int, factors: int, per_image: int) -> None:
    """Store images of ten collections over three years, hashtags by Zipf's law, and random factors."""
    rng = np.random.default_rng(0)
    kinds = np.abs(rng.standard_normal((KINDS, 1280))).astype(np.float32)
    backbone_id = store.backbones.add(connection, Identity("benchmark", 160, bytes(32)))
    run_id = store.ingest_runs.begin(connection, ["benchmark"])
    connection.execute(
        "INSERT INTO tagdb_store.images (content_sha256, uri, media_type, width, height, bytes,"
        " collection, taken_at, ingest_run_id)"
        " SELECT sha256(n::text::bytea), 'file:///photos/' || n || '.jpg', 'image/jpeg', 640, 480, 80000,"
        " 'collection' || mod(n, 10), timestamptz '2023-01-01' + n * interval '3 years' / %(images)s, %(run)s"
        " FROM generate_series(1, %(images)s) n",
        {"images": images, "run": run_id},
    )
    connection.execute(
        "INSERT INTO tagdb_store.ingest_errors (ingest_run_id, origin, line, reason, reason_code)"
        " SELECT %s, 'photos.csv', n, 'no such file', 'missing' FROM generate_series(1, 5000) n",
        (run_id,),
    )
    store.ingest_runs.finish(connection, run_id)
    connection.execute(
        "INSERT INTO tagdb_store.hashtags (hashtag)"
        " SELECT substr(md5(n::text), 1, 2) || 'tag' || n FROM generate_series(1, %s) n",
        (hashtags,),
    )
    # the most used hashtags have small ids, because they are stored first
    popularity = 1 / (np.arange(hashtags) + 20.0)
    drawn = rng.choice(hashtags, (images, per_image), p=popularity / popularity.sum()) + 1
    links = np.unique(np.arange(1, images + 1)[:, None] * (hashtags + 1) + drawn)
    connection.execute("CREATE TEMP TABLE link (image_id bigint, hashtag_id integer)")
    with connection.cursor() as cursor, cursor.copy("COPY link FROM STDIN (FORMAT binary)") as stream:
        for chunk in pgcopy.encode(links // (hashtags + 1), (links % (hashtags + 1)).astype(np.int32)):
            stream.write(chunk)
    connection.execute(
        "INSERT INTO tagdb_store.image_hashtags (image_id, hashtag_id) SELECT image_id, hashtag_id FROM link"
    )
    for start in range(0, images, 20_000):
        ids = np.arange(start, min(start + 20_000, images), dtype=np.int64) + 1
        column = np.full(len(ids), backbone_id, np.int32)
        copy(connection, "embeddings", column, ids, embeddings(rng, kinds, len(ids)))
    plan = FactorSettings(factors=factors, min_hashtags=1)
    model = Model(
        plan,
        np.arange(1, images + 1, dtype=np.int64),
        (0.1 * rng.standard_normal((images, factors))).astype(np.float16),
        np.arange(1, hashtags + 1, dtype=np.int32),
        (0.1 * rng.standard_normal((hashtags, factors))).astype(np.float16),
        np.bincount(links % (hashtags + 1), minlength=hashtags + 1)[1:].astype(np.int32),
        len(links),
        Maps(np.eye(factors, dtype=np.float32), Weighting("none", images, 1.0, 1.0, 1.0), None),
    )
    factor_run_id = store.runs.begin(connection, plan, {})
    store.runs.save(connection, factor_run_id, model, 0.0)
    store.runs.activate(connection, factor_run_id)
    # a few aliases and bans, as in a real database
    connection.execute("SELECT tagdb_store.refresh_statistics()")
    names = [row[0] for row in connection.execute("SELECT hashtag FROM tagdb.hashtags LIMIT 30")]
    connection.execute("SELECT tagdb_store.edit_hashtags('merge', %s, %s)", (names[20:25], names[5]))
    connection.execute("SELECT tagdb_store.edit_hashtags('ban', %s)", (names[25:30],))
    print("vector index …", file=sys.stderr)
    store.index.ensure(connection, backbone_id)
    connection.execute("VACUUM ANALYZE")


def milliseconds(connection: Connection, query: str) -> float:
    """Return the median of five runs, including fetching."""
    taken = []
    for _ in range(5):
        started = time.perf_counter()
        connection.execute(query.encode()).fetchall()
        taken.append(1000 * (time.perf_counter() - started))
    return sorted(taken)[2]


def pages(connection: Connection) -> Iterator[tuple[str, float, float | None]]:
    """Yield (view, ms of its first page, ms of its first page in order) for every public view."""
    views = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'tagdb'::regnamespace ORDER BY 1"
    ).fetchall()
    for (view,) in views:
        page = f"SELECT * FROM tagdb.{view}"
        ordered = f"{page} ORDER BY {PAGES[view]} LIMIT 100" if view in PAGES else None
        plain = milliseconds(connection, f"{page} LIMIT 100")
        yield view, plain, milliseconds(connection, ordered) if ordered else None


def make_queries(connection: Connection) -> None:
    """Store the query embeddings for pgbench in a table."""
    connection.execute("DROP TABLE IF EXISTS public.query")
    connection.execute(
        "CREATE TABLE public.query AS SELECT row_number() OVER () AS n, e.embedding"
        " FROM (SELECT embedding FROM tagdb_store.embeddings ORDER BY image_id DESC LIMIT %s) e",
        (QUERIES,),
    )
    connection.execute("CREATE UNIQUE INDEX ON public.query (n)")
    connection.execute("VACUUM ANALYZE public.query")


def pgbench(url: str, program: str, seconds: int) -> dict[str, float]:
    """Measure the latency of tagdb.recommend_for_embedding with pgbench, in ms: p50, p95 and mean."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "recommend.sql"
        script.write_text(
            f"\\set q random(1, {QUERIES})\n"
            "SELECT r.* FROM public.query q, tagdb.recommend_for_embedding(q.embedding) r WHERE q.n = :q;\n"
        )
        command = [
            program,
            "-n",
            "-M",
            "prepared",
            "-c",
            "1",
            "-T",
            str(seconds),
            "-l",
            "-f",
            str(script),
            url,
        ]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        log = next(Path(folder).glob("pgbench_log.*")).read_text().splitlines()
    taken = np.array([int(line.split()[2]) for line in log])[10:] / 1000  # microseconds, warmed up
    return {
        "p50": float(np.median(taken)),
        "p95": float(np.percentile(taken, 95)),
        "mean": float(taken.mean()),
    }


def index_scans(connection: Connection) -> dict[str, int]:
    """Return how often the vector index and whole tables were read."""
    connection.execute("SELECT pg_stat_force_next_flush()")
    rows = connection.execute(
        "SELECT indexrelname, idx_scan FROM pg_stat_user_indexes"
        " WHERE indexrelname ~ '^search_vectors_[0-9]+_hnsw$'"
        " UNION ALL SELECT relname || ' as a whole', coalesce(seq_scan, 0) FROM pg_stat_user_tables"
        " WHERE relname IN ('embeddings_1', 'image_factors_1', 'images', 'image_hashtags')"
    )
    return dict(rows.fetchall())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--hashtags", type=int, default=20_000)
    parser.add_argument("--factors", type=int, default=128)
    parser.add_argument("--per-image", type=int, default=14, help="hashtags drawn per image")
    parser.add_argument("--seconds", type=int, default=20, help="duration of the pgbench run")
    parser.add_argument("--database-url")
    parser.add_argument("--keep", action="store_true", help="keep the database, and reuse an existing one")
    args = parser.parse_args()
    settings = config.load(database_url=args.database_url)
    server = database.ensure_url(settings, lambda text: print(text, file=sys.stderr))
    url = urlunsplit(urlsplit(server)._replace(path=f"/{DATABASE}"))
    program = shutil.which("pgbench") or str(Server(settings.home).program("pgbench"))
    with database.connect(server) as connection:
        there = (
            connection.execute("SELECT FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
            is not None
        )
    if not (args.keep and there):
        database.make_database(server, DATABASE)
        database.migrate(url)
        with database.connect(url) as connection:
            started = time.monotonic()
            fill(connection, args.images, args.hashtags, args.factors, args.per_image)
            print(f"filled in {time.monotonic() - started:.0f} s", file=sys.stderr)
    with database.connect(url) as connection:
        connection.execute("SET stats_fetch_consistency = none")
        make_queries(connection)
        result: dict[str, object] = {"cores": os.cpu_count(), "postgresql": connection.info.server_version}
        counts = connection.execute(
            "SELECT images, hashtags, (SELECT count(*) FROM tagdb_store.image_hashtags),"
            " (SELECT count(*) FROM tagdb_store.hashtag_pairs) FROM tagdb.coverage"
        ).fetchone()
        assert counts is not None
        result |= dict(zip(("images", "hashtags", "interactions", "pairs"), counts, strict=True))
        result["views_ms"] = {view: {"first page": a, "ordered": b} for view, a, b in pages(connection)}
        result["refresh_seconds"] = refresh_seconds(connection)
        before = index_scans(connection)
    result["recommend_ms"] = pgbench(url, program, args.seconds)
    with database.connect(url) as connection:
        after = index_scans(connection)
        result["read_by_pgbench"] = {name: after[name] - before[name] for name in after}
    if not args.keep:
        database.drop_database(server, DATABASE)
    print(json.dumps(result, indent=1))


def refresh_seconds(connection: Connection) -> float:
    """Return the seconds of refreshing the statistics when nothing has changed."""
    started = time.perf_counter()
    connection.execute("SELECT tagdb_store.refresh_statistics()")
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
