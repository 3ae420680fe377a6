"""Recommending in the database, compared with the same three steps in process with hnswlib and FAISS.

    python benchmarks/recommend.py [--images 100000] [--hashtags 20000] [--factors 128]
        [--photos FOLDER --backbone WEIGHTS] [--keep | --again]

Creates a database on tagdb's server (or the one named by --database-url) and fills it with synthetic
embeddings (see synthetic.py). It computes factors, builds the index, checks it and applies the suggested
settings, as the commands do. Then it measures

* recall@50 of the neighbours of held-out photos, against an exact search in NumPy,
* latency of tagdb.recommend_for_embedding with pgbench, prepared: one client, then eight,
* for comparison, in this process and on the same data: the neighbours by hnswlib and by FAISS's HNSW, with
the
  lowest search effort that reaches the same recall, the average of their factors and the dot products in
  NumPy. Peers that are not installed are left out; --no-peers leaves out all.
"""

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import results
import synthetic

from tagdb import config, factors, indexing, store
from tagdb.embedding.backbone import Backbone
from tagdb.learning.settings import FactorSettings
from tagdb.postgres import database, pgcopy
from tagdb.postgres.database import Connection
from tagdb.postgres.machine import this_machine
from tagdb.postgres.server import Server
from tagdb.store.index import embedding_chunks

NEIGHBOURS = 50
QUERIES = 300
EFFORTS = (50, 75, 100, 150, 200, 300, 400, 600, 800)


class Exact:
    """The true neighbours of queries among embeddings that arrive in chunks."""

    def __init__(self, queries: np.ndarray) -> None:
        self.queries = queries.astype(np.float16).astype(np.float32)
        self.ids = np.zeros((len(queries), 0), np.int64)
        self.similarity = np.zeros((len(queries), 0), np.float32)

    def see(self, ids: np.ndarray, embeddings: np.ndarray) -> None:
        wide = embeddings.astype(np.float32)
        found = self.queries @ (wide / np.linalg.norm(wide, axis=1, keepdims=True)).T
        every = np.concatenate([self.similarity, found], 1)
        named = np.concatenate([self.ids, np.broadcast_to(ids, found.shape)], 1)
        wanted = min(NEIGHBOURS, every.shape[1])
        best = np.argpartition(-every, wanted - 1, 1)[:, :wanted]
        self.similarity, self.ids = np.take_along_axis(every, best, 1), np.take_along_axis(named, best, 1)

    def recall(self, answers: list[np.ndarray]) -> float:
        shares = [len(np.intersect1d(a, b)) / len(b) for a, b in zip(answers, self.ids, strict=True)]
        return float(np.mean(shares))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def literal(embedding: np.ndarray) -> str:
    return "[" + ",".join(map(repr, embedding.astype(np.float16).tolist())) + "]"


def neighbours(connection: Connection, queries: np.ndarray) -> list[np.ndarray]:
    """The 50 nearest images according to the database, by cosine: of runs without contrast."""
    query = "SELECT n.image_id FROM tagdb_store.neighbours(tagdb_store.active_run(), %s, NULL, %s, NULL) n"
    with connection.transaction(force_rollback=True):
        connection.execute("UPDATE tagdb_store.factor_runs SET contrast = 0")
        return [
            np.array([row[0] for row in connection.execute(query, (literal(q), NEIGHBOURS), prepare=True)])
            for q in queries
        ]


ASKED = "tagdb.recommend_for_embedding(q.embedding)"


def pgbench(url: str, program: str, clients: int, seconds: int, asked: str = ASKED) -> dict[str, float]:
    """Measure latency in ms and calls per second of a question about a held-out photo ``q``."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "recommend.sql"
        script.write_text(
            f"\\set q random(1, {QUERIES})\nSELECT r.* FROM public.query q, {asked} r WHERE q.n = :q;\n"
        )
        command = [program, "-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-T", str(seconds), "-l"]
        done = subprocess.run([*command, "-f", str(script), url], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        lines = [
            line.split()
            for log in Path(folder).glob("pgbench_log.*")
            for line in log.read_text().splitlines()
        ]
    calls = np.array([[float(x[4]) + float(x[5]) / 1e6, float(x[2]) / 1000] for x in lines])
    calls = calls[calls[:, 0] > calls[:, 0].min() + 1]  # the first second fills caches and makes plans
    return {
        "clients": clients,
        "p50_ms": float(np.median(calls[:, 1])),
        "p95_ms": float(np.percentile(calls[:, 1], 95)),
        "calls_per_second": len(calls) / float(np.ptp(calls[:, 0])),
    }


def read(connection: Connection, query: str, *types: str | tuple[str, int]) -> tuple[np.ndarray, ...]:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT binary)".encode()) as copy,
    ):
        return pgcopy.decode_stream(copy, *types)


def in_process(
    name: str,
    search: Callable[[np.ndarray, int], np.ndarray],
    exact: Exact,
    wanted: float,
    rest: Callable[..., None],
) -> dict[str, Any]:
    """Find the lowest effort with the wanted recall; return the time of all three steps with it, in ms."""
    for effort in EFFORTS:
        found = [search(query, effort) for query in exact.queries]
        recall = exact.recall(found)
        if recall >= wanted:
            break
    taken = []
    for query in exact.queries:
        started = time.perf_counter()
        rest(query, search(query, effort))
        taken.append(1000 * (time.perf_counter() - started))
    return {"with": name, "effort": effort, "recall": recall, "p50_ms": float(np.median(taken))}


def peers(connection: Connection, exact: Exact, wanted: float, factor_count: int) -> list[dict[str, Any]]:
    """Recommend with hnswlib and FAISS, one thread each, from the stored embeddings and factors."""
    ids, embeddings = read(
        connection, "SELECT image_id, embedding FROM tagdb_store.embeddings ORDER BY 1", "i8", ("f2", 1280)
    )
    run, factors_of = read(
        connection,
        "SELECT image_id, factors FROM tagdb_store.image_factors"
        " WHERE factor_run_id = tagdb_store.active_run() ORDER BY 1",
        "i8",
        ("f2", factor_count),
    )
    assert np.array_equal(run, ids)
    (hashtags,) = read(
        connection,
        "SELECT factors FROM tagdb_store.hashtag_factors WHERE factor_run_id = tagdb_store.active_run()",
        ("f2", factor_count),
    )
    image_factors, hashtag_factors = factors_of.astype(np.float32), hashtags.astype(np.float32)
    wide = embeddings.astype(np.float32)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)

    def rest(query: np.ndarray, found: np.ndarray) -> None:
        place = found - 1  # ids are 1 to n here
        weight = np.maximum(wide[place] @ query, 0) ** 8
        average = (weight / weight.sum()) @ image_factors[place]
        scores = hashtag_factors @ average
        best = np.argpartition(-scores, 10)[:10]
        best[np.argsort(-scores[best])]

    compared = []
    if importlib.util.find_spec("hnswlib"):
        import hnswlib

        index = hnswlib.Index("ip", 1280)
        index.init_index(len(ids), M=16, ef_construction=100)
        index.add_items(wide, ids)
        index.set_num_threads(1)

        def by_hnswlib(query: np.ndarray, effort: int) -> np.ndarray:
            index.set_ef(effort)
            return index.knn_query(query[None], NEIGHBOURS)[0][0].astype(np.int64)

        compared.append(in_process("hnswlib + NumPy", by_hnswlib, exact, wanted, rest))
        del index
    if importlib.util.find_spec("faiss"):
        import faiss

        graph = faiss.IndexHNSWFlat(1280, 16, faiss.METRIC_INNER_PRODUCT)
        graph.hnsw.efConstruction = 100
        graph.add(wide)
        faiss.omp_set_num_threads(1)

        def by_faiss(query: np.ndarray, effort: int) -> np.ndarray:
            graph.hnsw.efSearch = effort
            return graph.search(query[None], NEIGHBOURS)[1][0] + 1

        compared.append(in_process("FAISS + NumPy", by_faiss, exact, wanted, rest))
    return compared


def make(
    connection: Connection,
    backbone: Backbone,
    like: np.ndarray,
    queries: np.ndarray,
    args: argparse.Namespace,
    figures: dict[str, object],
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Fill a database, compute factors, build the index; yield the ids and embeddings of each chunk."""
    say("filling …")
    yield from synthetic.fill(connection, backbone, like, args.images, args.hashtags)
    say("computing factors …")
    computed = factors.compute(connection, FactorSettings(factors=args.factors))
    figures |= {"interactions": computed.interactions, "hashtags_with_factors": computed.hashtags}
    figures["factors_seconds"] = computed.seconds
    connection.execute("VACUUM ANALYZE")
    if args.images >= store.index.INDEX_FROM:
        say("building the index …")
        machine = this_machine() if args.database_url is None else None
        indexing.build(connection, indexing.memory_for(connection, args.images, machine, None))
    connection.execute("CREATE TABLE public.query (n integer PRIMARY KEY, embedding public.halfvec(1280))")
    command = b"COPY public.query FROM STDIN (FORMAT binary)"
    with connection.cursor() as cursor, cursor.copy(command) as stream:
        for chunk in pgcopy.encode(np.arange(1, QUERIES + 1, dtype=np.int32), queries.astype(np.float16)):
            stream.write(chunk)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--hashtags", type=int, default=20_000)
    parser.add_argument("--factors", type=int, default=128)
    parser.add_argument("--photos", help="photos to model the embeddings on; drawn scenes if not given")
    parser.add_argument("--backbone", default="bundled", help="backbone that embeds these photos")
    parser.add_argument("--seconds", type=int, default=20, help="duration of each pgbench run")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--database-url")
    parser.add_argument("--again", action="store_true", help="use the database left by a run with --keep")
    parser.add_argument("--keep", action="store_true", help="keep the database")
    args = parser.parse_args()
    like, backbone = synthetic.photos(args.photos, args.backbone)
    aside = np.random.default_rng(2).permutation(len(like))
    queries, like = like[aside[:QUERIES]], like[aside[QUERIES:]]
    settings = config.load(database_url=args.database_url)
    server = database.ensure_url(settings, say)
    name = f"tagdb_benchmark_{args.images}"
    url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    figures: dict[str, object] = {"images": args.images, "hashtags": args.hashtags, "factors": args.factors}
    exact = Exact(queries)
    if not args.again:
        database.make_database(server, name)
        database.migrate(url)
    with database.connect(url) as connection:
        if args.again:
            say("reading the embeddings …")
            backbone_id = indexing.status(connection).backbone_id
            for ids, embeddings in embedding_chunks(
                connection, "index/embeddings_after", backbone_id=backbone_id
            ):
                exact.see(ids, embeddings)
        else:
            for ids, embeddings in make(connection, backbone, like, queries, args, figures):
                exact.see(ids, embeddings)
        if args.images >= store.index.INDEX_FROM:
            started = time.monotonic()
            checked = indexing.check(connection)
            assert checked is not None
            indexing.apply(connection, checked.suggested)
            figures["index_check_seconds"] = time.monotonic() - started
            figures["index_check"] = asdict(checked.suggested)
        status = indexing.status(connection)
        figures["index_build_seconds"] = status.build_seconds
        figures["index_bytes_per_image"] = status.index_bytes / args.images
        figures["search_vector_bytes_per_image"] = status.search_vectors_bytes / args.images
        connection.execute("VACUUM ANALYZE")
        figures["recall_at_50"] = recall = exact.recall(neighbours(connection, queries))
        version = connection.info.parameter_status("server_version")
    program = shutil.which("pgbench") or str(Server(settings.home).program("pgbench"))
    one, eight = (pgbench(url, program, clients, args.seconds) for clients in (1, 8))
    figures |= {"one_client": one, "eight_clients": eight}
    figures["throughput_ratio"] = eight["calls_per_second"] / one["calls_per_second"]
    compared = []
    if not args.no_peers:
        say("peers …")
        with database.connect(url) as connection:
            compared = peers(connection, exact, recall, args.factors)
        for peer in compared:
            peer["times_as_slow"] = one["p50_ms"] / peer["p50_ms"]
        figures["peers"] = compared
    if not args.keep and not args.again:
        database.drop_database(server, name)
    beside = ", ".join(f"{p['with']} {p['p50_ms']:.1f} ms ({p['times_as_slow']:.1f} ×)" for p in compared)
    results.record(
        f"recommend-{args.images}",
        f"recommend_for_embedding at {args.images:,} images, {args.hashtags:,} hashtags, {args.factors} "
        f"factors: p50 {one['p50_ms']:.1f} ms, recall@50 {figures['recall_at_50']:.3f}, 8 clients "
        f"{figures['throughput_ratio']:.2f} times the calls of one"
        + (f"; in process, at that recall or more: {beside}" if beside else ""),
        figures,
        aim="p50 ≤ 8 ms at 100,000 × 20,000 and ≤ 20 ms at 1,000,000 × 100,000, recall ≥ .95, 8 clients "
        "≥ 1.6 times one, no more than 5 times as slow as in process",
        packages=tuple(p for p in ("numpy", "hnswlib", "faiss-cpu") if compared or p == "numpy"),
        versions={"PostgreSQL": str(version), "pgvector": _pgvector(server)},
    )


def _pgvector(server: str) -> str:
    with database.connect(server) as connection:
        row = connection.execute(
            "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'"
        ).fetchone()
    return str(row[0]) if row else "?"


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
