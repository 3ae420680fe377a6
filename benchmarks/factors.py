"""Computing factors, compared with implicit's own fit and Spark MLlib's, on the same interactions.

    python benchmarks/factors.py [--images 100000] [--hashtags 20000] [--interactions 1300000]
        [--factors 64] [--iterations 15] [--turns 3] [--no-peers] [--keep]

Creates two databases on tagdb's server (or the one named by --database-url), one of a quarter of the size and
one of the full size, and fills them with hashtags by Zipf's law and embeddings. Then it runs the following,
each in a separate process with its own peak memory:

* the whole command `tagdb factors compute`, with the time of each phase: once without and once with the steps
  beyond ALS (the ridge regression on embeddings and the refit; see docs/evaluation.md),
* implicit's AlternatingLeastSquares.fit on the matrix in memory; only the fit is timed,
* Spark MLlib's ALS, local, on a cached data frame; only the fit is timed. It needs pyspark and Java, and is
left
  out if they are not installed.

All use one thread per core and the same settings. The command without the steps beyond ALS is what compares
ALS with ALS; only tagdb reads embeddings. Interactions are stored in the order of an ingest, image by image.
Memory is compared with the formula of :func:`tagdb.learning.memory.whole`.
"""

import argparse
import importlib.util
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import results
import synthetic
from psycopg import sql

from tagdb import config, store
from tagdb.embedding import backbone
from tagdb.learning import memory as memory_of
from tagdb.learning.settings import FactorSettings
from tagdb.postgres import database, pgcopy
from tagdb.postgres.database import Connection

THREADS = os.cpu_count() or 1
CHUNK = 20_000
MIB = 1 << 20
PHASES = {
    "reading interactions": "tagdb.store.runs.interactions",
    "reading embeddings": "tagdb.store.runs.vectors",
    "ALS, matrix and all": "tagdb.learning.als.fit",
    "implicit's fit in it": "implicit.cpu.als.AlternatingLeastSquares.fit",
    "ridge": "tagdb.learning.model._ridge",
    "refit": "tagdb.learning.model.refit",
    "writing factors": "tagdb.store.runs.save",
    "activating": "tagdb.store.runs.activate",
    "folding in": "tagdb.folding_in.fold_in_missing",
    "all of factors.compute": "tagdb.factors.compute",
}
"""Phases of the command, and the functions that are timed for each."""
INSIDE = "implicit's fit in it"


def peak(process: int | str = "self") -> float:
    """Return the peak memory of a process so far, in bytes."""
    status = Path(f"/proc/{process}/status")
    if status.exists():  # ru_maxrss includes the memory of the parent when it forked
        found = re.search(r"^VmHWM:\s*(\d+) kB", status.read_text(), re.M)
        return int(found[1]) * 1024.0 if found else 0.0
    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def drawn(images: int, hashtags: int, interactions: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw pairs of image and hashtag, int64 and int32 (interactions,), and the topic of each image."""
    rng = np.random.default_rng(1)
    topics = rng.integers(0, synthetic.TOPICS, images)
    ids = np.arange(1, images + 1)[:, None]
    pairs = np.empty(0, np.int64)
    while len(pairs) < interactions:
        more = synthetic.hashtags_of(rng, topics, hashtags, max(1, interactions // images // 2))
        pairs = np.union1d(pairs, ids * (hashtags + 1) + more)
    pairs = np.sort(rng.choice(pairs, interactions, replace=False))
    return pairs // (hashtags + 1), (pairs % (hashtags + 1)).astype(np.int32), topics


def fill(connection: Connection, topics: np.ndarray, hashtags: int, pairs: tuple[np.ndarray, ...]) -> None:
    """Store images, embeddings around the centre of their topic, and hashtags."""
    rng, count = np.random.default_rng(2), len(topics)
    identity = backbone.resolve("bundled", None, None, config.load().backbone_cache).identity
    backbone_id = store.backbones.add(connection, identity)
    run_id = store.ingest_runs.begin(connection, ["synthetic"])
    connection.execute("SET session_replication_role = replica")  # references are valid; do not check them
    connection.execute(
        "INSERT INTO tagdb_store.images"
        " (content_sha256, uri, media_type, width, height, bytes, collection, ingest_run_id)"
        " SELECT sha256(n::text::bytea), 'file:///photos/' || n || '.jpg', 'image/jpeg', 640, 480, 80000,"
        " 'photos', %s FROM generate_series(1, %s) n",
        (run_id, count),
    )
    connection.execute(
        "INSERT INTO tagdb_store.hashtags (hashtag) SELECT 'tag' || n FROM generate_series(1, %s) n",
        (hashtags,),
    )
    centres = rng.standard_normal((synthetic.TOPICS, 1280), np.float32)
    for start in range(0, count, CHUNK):
        ids = np.arange(start + 1, min(start + CHUNK, count) + 1, dtype=np.int64)
        own = centres[topics[ids - 1]]
        vectors = np.maximum(own + rng.standard_normal(own.shape, np.float32), 0)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        backbones = np.full(len(ids), backbone_id, np.int32)
        names = "backbone_id image_id embedding"
        _copy(connection, "embeddings", names, backbones, ids, vectors.astype(np.float16))
    _copy(connection, "image_hashtags", "image_id hashtag_id", *pairs)
    connection.execute("SET session_replication_role = origin")
    store.ingest_runs.finish(connection, run_id)
    connection.execute("VACUUM ANALYZE")
    store.index.ensure(connection, backbone_id)  # as at the end of an ingest


def _copy(connection: Connection, table: str, columns: str, *values: pgcopy.Column) -> None:
    command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier("tagdb_store", table), sql.SQL(", ").join(map(sql.Identifier, columns.split()))
    )
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        for chunk in pgcopy.encode(*values):
            copy.write(chunk)


# The following functions run in separate processes and return their measurements as a dictionary.


def bare() -> dict[str, Any]:
    """Measure the memory of everything that the command imports."""
    import implicit.cpu.als  # noqa: F401
    import scipy.sparse  # noqa: F401
    import threadpoolctl  # noqa: F401

    import tagdb.cli.factors
    import tagdb.factors  # noqa: F401

    return {"peak": peak()}


def command(options: list[str]) -> dict[str, Any]:
    """Run the command and time its phases."""
    import tagdb.factors  # noqa: F401
    from tagdb.cli import main as tagdb_main
    from tagdb.learning import als

    seconds: dict[str, float] = {}

    def timed(phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*args, **named)
            finally:
                seconds[phase] = seconds.get(phase, 0) + time.perf_counter() - started

        return run

    def time_it(phase: str) -> None:
        *names, last = PHASES[phase].split(".")
        owner: Any = sys.modules[names[0]]
        for name in names[1:]:
            owner = getattr(owner, name)
        setattr(owner, last, timed(phase, getattr(owner, last)))

    for phase in PHASES:
        if phase != INSIDE:
            time_it(phase)
    fitting = als.fit

    def fit(*args: Any, **named: Any) -> Any:
        time_it(INSIDE)  # implicit is imported by now, and not before the command itself does so
        return fitting(*args, **named)

    als.fit = fit
    sys.argv = ["tagdb", "factors", "compute", "--quiet", "--json", *options]
    output, sys.stdout = sys.stdout, sys.stderr
    try:
        tagdb_main()
    except SystemExit as ended:
        if ended.code:
            raise
    sys.stdout = output
    return {"phases": seconds, "peak": peak()}


def implicit_fit(file: str, plan: FactorSettings) -> dict[str, Any]:
    """Fit the matrix in memory with implicit alone."""
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix

    pairs = np.load(file)
    ones = np.ones(pairs.shape[1], np.float32)
    matrix = csr_matrix((ones, (pairs[0] - 1, pairs[1] - 1)))
    model = AlternatingLeastSquares(
        factors=plan.factors,
        regularization=plan.regularization,
        alpha=plan.alpha,
        iterations=plan.iterations,
        random_state=plan.seed,
        num_threads=THREADS,
    )
    started = time.perf_counter()
    model.fit(matrix, show_progress=False)
    return {"seconds": time.perf_counter() - started, "peak": peak()}


def spark_fit(file: str, plan: FactorSettings) -> dict[str, Any]:
    """Fit the data frame in memory with Spark MLlib."""
    from pyspark.ml.recommendation import ALS
    from pyspark.sql import SparkSession

    options = {
        "spark.driver.memory": "4g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.log.level": "ERROR",
    }
    builder = SparkSession.builder.master(f"local[{THREADS}]")
    for name, value in options.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    frame = spark.read.schema("image int, hashtag int, weight float").csv(file).cache()
    interactions = frame.count()
    als = ALS(
        rank=plan.factors,
        maxIter=plan.iterations,
        regParam=plan.regularization,
        alpha=plan.alpha,
        implicitPrefs=True,
        seed=plan.seed,
        userCol="image",
        itemCol="hashtag",
        ratingCol="weight",
    )
    started = time.perf_counter()
    als.fit(frame)
    seconds = time.perf_counter() - started
    machine: Any = spark.sparkContext._jvm
    java = machine.ProcessHandle.current().pid()
    memory = peak(java) if Path("/proc/self/status").exists() else 0.0
    spark.stop()
    return {"seconds": seconds, "interactions": interactions, "peak": memory + peak()}


def alone(step: str, url: str, *values: str) -> dict[str, Any]:
    """Run a step in a separate process; return its measurements and its duration."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "TAGDB_DATABASE_URL": url}
    if step == "command":  # it limits BLAS itself where necessary, and uses all of it elsewhere
        environment.pop("OPENBLAS_NUM_THREADS")
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        call = [sys.executable, __file__, "--step", step, "--answer", str(answer), "--", *values]
        done = subprocess.run(call, env=environment, capture_output=True, text=True)
        wall = time.perf_counter() - started
        if done.returncode:
            raise SystemExit(f"{step}: {done.stdout}{done.stderr}")
        measured: dict[str, Any] = json.loads(answer.read_text())
        return measured | {"wall": wall}


@contextmanager
def filled(
    server: str, images: int, hashtags: int, interactions: int, keep: bool
) -> Iterator[tuple[str, np.ndarray, str]]:
    """Yield the URL of a database of a given size and its interactions; drop it at the end."""
    name = f"tagdb_benchmark_factors_{images}"
    url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    database.make_database(server, name)
    try:
        database.migrate(url)
        image, hashtag, topics = drawn(images, hashtags, interactions)
        with database.connect(url) as connection:
            fill(connection, topics, hashtags, (image, hashtag))
            version = connection.info.parameter_status("server_version")
        yield url, np.stack([image, hashtag]), str(version)
    finally:
        if not keep:
            database.drop_database(server, name)


def median(runs: list[dict[str, Any]], name: str = "wall") -> float:
    return float(statistics.median(run[name] for run in runs))


def phases(runs: list[dict[str, Any]]) -> dict[str, float]:
    """Median seconds of each phase; "starting" is everything outside factors.compute."""
    named = {phase: [run["phases"].get(phase, 0.0) for run in runs] for phase in PHASES}
    found = {phase: statistics.median(seconds) for phase, seconds in named.items()}
    return {"starting": median(runs) - found["all of factors.compute"], **found}


def memory(run: dict[str, Any], formula: float) -> dict[str, float]:
    """Return the peak and the result of the formula, in MiB."""
    return {
        "measured_mib": run["peak"] / MIB,
        "formula_mib": formula / MIB,
        "ratio": run["peak"] / formula,
    }


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measure(args: argparse.Namespace) -> None:
    settings = config.load(database_url=args.database_url)
    server = database.ensure_url(settings, say)
    plan = FactorSettings(factors=args.factors, iterations=args.iterations)
    options = [f"--factors={plan.factors}", f"--iterations={plan.iterations}", "--min-images=1"]
    variants = {"als": [*options, "--ridge=0", "--refit-penalty=0"], "shipped": options}
    nothing = alone("bare", server)["peak"]
    sizes: dict[str, dict[str, Any]] = {}
    taken: dict[str, list[dict[str, Any]]] = {"als": [], "shipped": [], "implicit": []}
    spark: dict[str, Any] | None = None
    for part in (4, 1):
        size = (args.images // part, args.hashtags // part, args.interactions // part)
        say(f"filling {size[0]:,} images, {size[1]:,} hashtags, {size[2]:,} interactions …")
        with filled(server, *size, args.keep) as (url, pairs, version), tempfile.TemporaryDirectory() as at:
            images, hashtags = (len(np.unique(one)) for one in pairs)
            formula = {
                variant: nothing + memory_of.whole(size[2], images, hashtags, plan.factors, count)
                for variant, count in (("als", 0), ("shipped", images))
            }
            for variant in variants:
                say(f"memory, {variant} …")
                run = alone("command", url, *variants[variant])
                sizes.setdefault(variant, {})[f"{size[0]}"] = memory(run, formula[variant])
            if part > 1:
                continue
            file, table = Path(at) / "pairs.npy", Path(at) / "pairs.csv"
            np.save(file, pairs)
            given = (str(file), str(plan.factors), str(plan.iterations))
            for turn in range(args.turns):
                say(f"turn {turn + 1} of {args.turns} …")
                taken["als"].append(alone("command", url, *variants["als"]))
                taken["implicit"].append(alone("implicit", url, *given))
                taken["shipped"].append(alone("command", url, *variants["shipped"]))
            if not args.no_peers and importlib.util.find_spec("pyspark") and shutil.which("java"):
                say("Spark …")
                weighted = np.column_stack([*pairs, np.ones(pairs.shape[1], np.int64)])
                np.savetxt(table, weighted, "%d", ",")
                spark = alone("spark", url, str(table), *given[1:])
    ours, fit = median(taken["als"]), median(taken["implicit"], "seconds")
    inside = phases(taken["als"])
    read = args.interactions / inside["reading interactions"]
    written = (images + hashtags) / inside["writing factors"]
    shipped, beyond = median(taken["shipped"]), phases(taken["shipped"])
    embeddings = images / beyond["reading embeddings"]
    figures: dict[str, Any] = {
        "images": images,
        "hashtags": hashtags,
        "interactions": args.interactions,
        "factors": plan.factors,
        "iterations": plan.iterations,
        "threads": THREADS,
        "command_seconds": [run["wall"] for run in taken["als"]],
        "command_phases": inside,
        "shipped_command_seconds": [run["wall"] for run in taken["shipped"]],
        "shipped_command_phases": beyond,
        "implicit_fit_seconds": [run["seconds"] for run in taken["implicit"]],
        "times_implicit": ours / fit,
        "shipped_times_implicit": shipped / fit,
        "interactions_read_per_second": read,
        "factor_rows_written_per_second": written,
        "embeddings_read_per_second": embeddings,
        "bare_mib": nothing / MIB,
        "memory": sizes,
        "implicit_peak_mib": median(taken["implicit"], "peak") / MIB,
    }
    beside = ""
    if spark:
        figures |= {"spark_fit_seconds": spark["seconds"], "spark_peak_mib": spark["peak"] / MIB}
        figures["times_faster_than_spark"] = spark["seconds"] / ours
        figures["shipped_times_faster_than_spark"] = spark["seconds"] / shipped
        beside = f", {spark['seconds'] / ours:.0f} times as fast as Spark MLlib's ({spark['seconds']:.0f} s)"
    ratios = [one["ratio"] for sizes_of in sizes.values() for one in sizes_of.values()]
    results.record(
        f"factors-{args.images}",
        f"`tagdb factors compute` at {images:,} images × {hashtags:,} hashtags, {args.interactions:,} "
        f"interactions, {plan.factors} factors, {plan.iterations} iterations: {ours:.1f} s for ALS alone, "
        f"{ours / fit:.2f} times implicit's fit in memory ({fit:.1f} s){beside}; with ridge and refit, as "
        f"shipped, {shipped:.1f} s ({shipped / fit:.2f} times); {read:,.0f} interactions and "
        f"{embeddings:,.0f} embeddings read and {written:,.0f} factor rows written per second; peak memory "
        f"{min(ratios):.2f} to {max(ratios):.2f} times the formula",
        figures,
        aim="; ".join(
            f"{aim}: {'not measured' if met is None else 'reached' if met else 'missed'}"
            for aim, met in (
                ("the command without ridge and refit ≤ 1.3 times implicit's own fit", ours <= 1.3 * fit),
                ("with them", shipped <= 1.3 * fit),
                ("without ≥ 10 times as fast as Spark MLlib", spark and spark["seconds"] >= 10 * ours),
                ("with them", spark and spark["seconds"] >= 10 * shipped),
                ("≥ 150,000 rows/s of interactions and factors", min(read, written) >= 150_000),
                ("of embeddings, of 2.5 kB each", embeddings >= 150_000),
                ("memory within 25 % of its formula", all(0.8 <= ratio <= 1.25 for ratio in ratios)),
            )
        ),
        packages=("implicit", "numpy", "scipy", *(["pyspark"] if spark else [])),
        versions={"PostgreSQL": version},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--hashtags", type=int, default=20_000)
    parser.add_argument("--interactions", type=int, default=1_300_000)
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--iterations", type=int, default=15)
    parser.add_argument("--turns", type=int, default=3, help="rounds of the command and implicit, in turns")
    parser.add_argument("--no-peers", action="store_true", help="without Spark")
    parser.add_argument("--database-url")
    parser.add_argument("--keep", action="store_true", help="leave the databases")
    parser.add_argument("--step", choices=("bare", "command", "implicit", "spark"), help=argparse.SUPPRESS)
    parser.add_argument("--answer", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("values", nargs="*", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not args.step:
        measure(args)
        return
    if args.step == "bare":
        answer = bare()
    elif args.step == "command":
        answer = command(args.values)
    else:
        file, factors, iterations = args.values
        plan = FactorSettings(factors=int(factors), iterations=int(iterations))
        answer = (implicit_fit if args.step == "implicit" else spark_fit)(file, plan)
    args.answer.write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
