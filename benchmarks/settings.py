"""Effect of the embedded server's settings: the same work with them and with PostgreSQL's defaults.

    python benchmarks/settings.py [--images 20000] [--hashtags 5000] [--factors 64]

Starts two embedded servers in temporary homes, one as tagdb starts it, one with the default of every setting
that tagdb chooses, and fills the same database on each. Then it does the same on both, in turns: copies
embeddings into a table with a key, builds the vector index, refreshes statistics, and recommends with
pgbench. The effect of just-in-time compilation is measured separately, and so is an index that does not fit
into memory. Run it on an idle machine.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import results
import sql_surface

from tagdb import store
from tagdb.postgres import database, machine, server_settings
from tagdb.postgres.database import Connection
from tagdb.postgres.server import Server

TUNED, DEFAULTS = "tagdb's settings", "PostgreSQL's defaults"
WITHOUT_JIT = "defaults but for jit = off"
LITTLE = "a third of the memory"


@contextmanager
def server(settings: dict[str, str]) -> Iterator[Server]:
    """Run a temporary embedded server."""
    home = Path(tempfile.mkdtemp(prefix="tagdb-benchmark-"))
    home.chmod(0o711)  # for the account that root's server runs under
    running = Server(home, settings)
    try:
        running.start()
        yield running
    finally:
        running.stop()
        shutil.rmtree(home)


def defaults(connection: Connection) -> dict[str, str]:
    """Return PostgreSQL's default for each setting that tagdb chooses."""
    names = list(server_settings.recommended(machine.this_machine()))
    rows = connection.execute("SELECT name, boot_val FROM pg_settings WHERE name = ANY(%s)", (names,))
    return dict(rows.fetchall())


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def copied(connection: Connection, vectors: np.ndarray) -> float:
    """Return the seconds to copy embeddings into a table like tagdb's, with its key."""
    connection.execute("CREATE TABLE tagdb_store.copied (LIKE tagdb_store.embeddings_1 INCLUDING ALL)")
    connection.execute("ALTER TABLE tagdb_store.copied ALTER COLUMN embedding SET STORAGE PLAIN")
    ids = np.arange(1, len(vectors) + 1, dtype=np.int64)

    def copy() -> None:
        for batch in np.array_split(np.arange(len(vectors)), max(1, len(vectors) // 1000)):
            columns = (np.ones(len(batch), np.int32), ids[batch], vectors[batch])
            with connection.transaction():
                sql_surface.copy(connection, "copied", *columns)

    taken = seconds(copy)
    connection.execute("DROP TABLE tagdb_store.copied")
    return taken


def built(connection: Connection, memory: str | None = None) -> float:
    """Return the seconds to index the search vectors with a given maintenance_work_mem."""
    with connection.transaction():
        if memory:
            connection.execute("SELECT set_config('maintenance_work_mem', %s, true)", (memory,))
        (vectors,) = connection.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'tagdb_store.search_vectors'::regclass"
        ).fetchone() or ("",)
        connection.execute(
            f"CREATE TABLE public.searched AS SELECT vector FROM tagdb_store.{vectors}".encode()
        )
        command = b"CREATE INDEX ON public.searched USING hnsw (vector halfvec_ip_ops)"
        taken = seconds(lambda: connection.execute(command + b" WITH (m = 16, ef_construction = 100)"))
        connection.execute("DROP TABLE public.searched")
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--hashtags", type=int, default=5_000)
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--per-image", type=int, default=14)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="duration of each pgbench run")
    args = parser.parse_args()
    rng = np.random.default_rng(3)
    kinds = np.abs(rng.standard_normal((sql_surface.KINDS, 1280))).astype(np.float32)
    vectors = sql_surface.embeddings(rng, kinds, args.images)
    taken: dict[str, dict[str, list[float]]] = {}

    def note(what: str, under: str, value: float) -> None:
        taken.setdefault(what, {}).setdefault(under, []).append(value)
        print(f"{what}, {under}: {value:.3g}", file=sys.stderr)

    with ExitStack() as stack:
        tuned = stack.enter_context(server({}))
        with database.connect(tuned.url()) as connection:
            usual = defaults(connection)
            version = str(connection.info.parameter_status("server_version"))
        servers = {TUNED: tuned, DEFAULTS: stack.enter_context(server(usual))}
        opened: dict[str, Connection] = {}
        for under, one in servers.items():
            database.migrate(one.url())
            connection = opened[under] = stack.enter_context(database.connect(one.url()))
            sql_surface.fill(connection, args.images, args.hashtags, args.factors, args.per_image)
            sql_surface.make_queries(connection)
            connection.execute("CHECKPOINT")
        for _ in range(args.rounds):
            for under, connection in opened.items():
                note("copy_seconds", under, copied(connection, vectors))
                note("index_seconds", under, built(connection))
                note("statistics_seconds", under, sql_surface.refresh_seconds(connection))
            need = store.index.MEMORY_PER_VECTOR * args.images
            note("index_seconds", LITTLE, built(opened[TUNED], f"{need // 3 // 1024}kB"))
            for under, url in (
                *((under, one.url()) for under, one in servers.items()),
                (WITHOUT_JIT, servers[DEFAULTS].url() + "&options=-c%20jit%3Doff"),
            ):
                program = str(tuned.program("pgbench"))
                note("recommend_ms", under, sql_surface.pgbench(url, program, args.seconds)["p50"])
        chosen: dict[str, dict[str, str]] = {
            under: dict(connection.execute(
                "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)", (list(usual),)
            ).fetchall())
            for under, connection in opened.items()
        }  # fmt: skip
        status = store.index.status(opened[TUNED])
    middle = {what: {under: statistics.median(v) for under, v in by.items()} for what, by in taken.items()}

    def change(what: str, digits: int, unit: str) -> str:
        before, after = middle[what][DEFAULTS], middle[what][TUNED]
        return f"{before:.{digits}f} → {after:.{digits}f} {unit}"

    results.record(
        "settings",
        f"{args.images:,} images × {args.hashtags:,} hashtags × {args.factors} factors, from PostgreSQL's "
        f"defaults to tagdb's settings: recommending p50 {change('recommend_ms', 1, 'ms')} (with jit = off "
        f"alone {middle['recommend_ms'][WITHOUT_JIT]:.1f}), vector index {change('index_seconds', 1, 's')} "
        f"(in {LITTLE} it needs {middle['index_seconds'][LITTLE]:.1f}), copying embeddings "
        f"{change('copy_seconds', 2, 's')}, statistics {change('statistics_seconds', 2, 's')}; "
        f"medians of {args.rounds}",
        {
            "images": args.images,
            "hashtags": args.hashtags,
            "factors": args.factors,
            "search_vectors": status.search_vectors if status else 0,
            "medians": middle,
            "each": taken,
            "settings": chosen,
        },
        packages=("numpy",),
        versions={"PostgreSQL": version},
    )


if __name__ == "__main__":
    main()
