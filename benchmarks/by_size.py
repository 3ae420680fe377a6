"""Time of a search by the number of images.

    python benchmarks/by_size.py [--sizes 1000 10000 100000] [--turns 3] [--seconds 4]
        [--name NAME] [--keep | --again] [--beside NAME]
        [--photos FOLDER --backbone WEIGHTS] [--database-url URL]

Creates a database of each size with synthetic embeddings (see synthetic.py), with more hashtags for more
images, computes factors, and does what the end of an ingest does about the index. Then it measures, with
pgbench, prepared, one client, in turns, so that other load on the machine affects all sizes alike:

* recommending for a held-out photo,
* the images similar to it,
* recommending from a collection that has a tenth of the images,
* recommending where one image in ten has factors,

and of each but the second, recall@50 of the neighbours against an exact search in NumPy; also, how many of
ten recommended hashtags are the same as without the index.

To compare two versions of the code, run the older one with --name before --turns 0 --keep, and the newer one
with --beside before: it takes copies of the other's databases with its own functions and index, and measures
both in the same turns.
"""

import argparse
import shutil
import statistics
import time
from dataclasses import dataclass, field

import fold_in
import numpy as np
import recommend
import results
import synthetic
from growth import hashtags_for
from recommend import say

from tagdb import config, factors, indexing, store
from tagdb.embedding.backbone import Backbone
from tagdb.learning.settings import FactorSettings
from tagdb.postgres import database, pgcopy
from tagdb.postgres.database import Connection
from tagdb.postgres.server import Server
from tagdb.store import schema
from tagdb.store.index import embedding_chunks

SIZES = (1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
FEW = 10
"""One image in so many has factors in the second run, and is in the collection that is asked for."""
SOUGHT = 100
"""Photos whose neighbours are compared with the true ones."""
COMPARED = 50
"""Photos whose hashtags are compared with those by an exact search."""
QUESTIONS = {
    "recommend": "tagdb.recommend_for_embedding(q.embedding)",
    "similar": "tagdb.similar_images(q.embedding)",
    "collection": "tagdb.recommend_for_embedding(q.embedding, collection => 'collection3')",
    "few_factors": "tagdb_store.recommend("
    "2, q.embedding, NULL, 10, NULL, '{}', '{}', NULL, NULL, NULL, NULL, NULL)",
}
NEIGHBOURS = {
    "recommend": "tagdb_store.neighbours(1, %s, NULL, 50, NULL)",
    "collection": "tagdb_store.neighbours(1, %s, NULL, 50, 'collection3')",
    "few_factors": "tagdb_store.neighbours(2, %s, NULL, 50, NULL)",
}
AMONG = {"recommend": slice(None), "collection": slice(2, None, FEW), "few_factors": slice(6, None, FEW)}
"""Where the images that can be neighbours are, by number from 1."""


@dataclass(slots=True)
class Size:
    """A database and its measurements, by turn."""

    images: int
    label: str
    url: str
    facts: dict[str, object] = field(default_factory=dict)
    turns: dict[str, list[float]] = field(default_factory=dict)

    def p50(self, question: str) -> float:
        """Return the median of all turns but the first, which warms up."""
        return statistics.median(self.turns[question][1:])


def make(one: Size, backbone: Backbone, like: np.ndarray, queries: np.ndarray, factor_count: int) -> None:
    """Fill a database, as ingests and ``tagdb factors compute`` leave it."""
    hashtags = hashtags_for(one.images)
    database.migrate(one.url)
    with database.connect(one.url) as connection:
        for _ in synthetic.fill(connection, backbone, like, one.images, hashtags):
            pass
        factors.compute(connection, FactorSettings(factors=factor_count), quiet=True)
        with_few_factors(connection)
        connection.execute(
            "CREATE TABLE public.query (n integer PRIMARY KEY, embedding public.halfvec(1280))"
        )
        numbers = np.arange(1, len(queries) + 1, dtype=np.int32)
        command = b"COPY public.query FROM STDIN (FORMAT binary)"
        with connection.cursor() as cursor, cursor.copy(command) as stream:
            for chunk in pgcopy.encode(numbers, queries.astype(np.float16)):
                stream.write(chunk)
        connection.execute("VACUUM ANALYZE")
        index(one, connection)


def index(one: Size, connection: Connection) -> None:
    """Do what the end of an ingest does about the index."""
    started = time.perf_counter()
    if store.index.ensure(connection, indexing.status(connection).backbone_id):
        one.facts["index_seconds"] = time.perf_counter() - started
    connection.execute("VACUUM ANALYZE")
    connection.execute("CHECKPOINT")


def with_few_factors(connection: Connection) -> None:
    """Store a second run, not active, with the factors of one image in ten of the first."""
    run = store.runs.begin(connection, FactorSettings(), {})
    for kind, where in (("image_factors", f"image_id %% {FEW} = 7"), ("hashtag_factors", "true")):
        columns = "image_id, factors" if kind == "image_factors" else "hashtag_id, factors, images"
        connection.execute(
            f"INSERT INTO tagdb_store.{kind}_{run} (factor_run_id, {columns})"
            f" SELECT %s, {columns} FROM tagdb_store.{kind} WHERE factor_run_id = 1 AND {where}"
            + (" ORDER BY norm DESC" if kind == "hashtag_factors" else ""),
            (run,),
        )
    connection.execute(
        "UPDATE tagdb_store.factor_runs SET status = 'ready', factors = (SELECT factors FROM"
        " tagdb_store.factor_runs WHERE factor_run_id = 1), images ="
        f" (SELECT count(*) FROM tagdb_store.image_factors_{run}) WHERE factor_run_id = %s",
        (run,),
    )
    connection.execute("SELECT tagdb_store.attach_factor_run(%s)", (run,))
    assert run == 2


def recalls(connection: Connection, queries: np.ndarray) -> dict[str, float]:
    """Return recall@50 of the neighbours of each kind of search."""
    exact = {name: recommend.Exact(queries) for name in NEIGHBOURS}
    backbone_id = indexing.status(connection).backbone_id
    for ids, embeddings in embedding_chunks(connection, "index/embeddings_after", backbone_id=backbone_id):
        for name, truth in exact.items():
            chosen = np.isin(ids, np.arange(1, ids[-1] + 1)[AMONG[name]])
            truth.see(ids[chosen], embeddings[chosen])
    found = {}
    for name, function in NEIGHBOURS.items():
        question = f"SELECT n.image_id FROM {function} n"
        answers = [connection.execute(question, (recommend.literal(q),)).fetchall() for q in queries]
        found[name] = exact[name].recall([np.array([image for (image,) in rows]) for rows in answers])
    return found


def same_hashtags(connection: Connection, queries: np.ndarray) -> float:
    """Return the share of ten recommended hashtags that are recommended without the index, too."""

    def answers() -> list[set[str]]:
        question = "SELECT r.hashtag FROM tagdb.recommend_for_embedding(%s) r"
        return [
            {hashtag for (hashtag,) in connection.execute(question, (recommend.literal(q),))}
            for q in queries[:COMPARED]
        ]

    by_index = answers()
    with connection.transaction(force_rollback=True):
        connection.execute("UPDATE tagdb_store.projections SET active = false")
        exact = answers()
    return float(np.mean([len(a & b) / len(b) for a, b in zip(by_index, exact, strict=True)]))


def p50(one: Size, program: str, question: str, seconds: int) -> float:
    """Measure a question with pgbench; return its median latency in ms."""
    return recommend.pgbench(one.url, program, 1, seconds, QUESTIONS[question])["p50_ms"]


def table(rows: list[dict[str, object]]) -> str:
    """Return the figures as a Markdown table."""
    head = "| images | version | recommend | similar | in a collection | few with factors "
    head += "| recall | same hashtags | index, s |\n"
    text = head + "| ---: | --- |" + " ---: |" * 7 + "\n"
    for row in rows:
        times = " | ".join(f"{row[name]:.1f}" for name in QUESTIONS)
        text += f"| {row['images']:,} | {row['version']} | {times} | {row['recall']['recommend']:.3f} "  # type: ignore[index]
        text += f"| {row['same_hashtags']:.3f} | {row['index_seconds']:.1f} |\n"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--factors", type=int, default=128)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="duration of each pgbench run")
    parser.add_argument("--photos", help="photos to model the embeddings on; drawn scenes if not given")
    parser.add_argument("--backbone", default="bundled", help="backbone that embeds these photos")
    parser.add_argument("--name", default="now", help="version of the code, part of the databases' names")
    parser.add_argument("--beside", help="also measure the databases that another version left")
    parser.add_argument("--keep", action="store_true", help="keep the databases")
    parser.add_argument("--again", action="store_true", help="use the databases left by a run with --keep")
    parser.add_argument("--database-url")
    given = parser.parse_args()
    settings = config.load(database_url=given.database_url)
    like, backbone = synthetic.photos(given.photos, given.backbone)
    aside = np.random.default_rng(2).permutation(len(like))
    queries, like = like[aside[: recommend.QUERIES]], like[aside[recommend.QUERIES :]]
    server = database.ensure_url(settings, say)
    program = shutil.which("pgbench") or str(Server(settings.home).program("pgbench"))
    labels = [given.beside, given.name] if given.beside else [given.name]
    measured = [
        Size(size, label, fold_in.named(server, f"tagdb_benchmark_{label}_{size}"))
        for size in given.sizes
        for label in labels
    ]
    try:
        for one in measured:
            if one.label == given.name and not given.again:
                say(f"making a database of {one.images:,} images …")
                name = f"tagdb_benchmark_{one.label}_{one.images}"
                if given.beside:
                    with database.connect(server) as owner:
                        fold_in.made(owner, name, f"tagdb_benchmark_{given.beside}_{one.images}")
                    with database.connect(one.url) as connection:
                        schema.repair(connection)
                        index(one, connection)
                else:
                    database.make_database(server, name)
                    make(one, backbone, like, queries, given.factors)
        if not given.turns:
            return
        for one in measured:
            say(f"recall of {one.images:,} images ({one.label}) …")
            with database.connect(one.url) as connection:
                one.facts["recall"] = recalls(connection, queries[:SOUGHT])
                one.facts["same_hashtags"] = same_hashtags(connection, queries)
                if "index_seconds" not in one.facts:  # built by the other version
                    one.facts["index_seconds"] = indexing.status(connection).build_seconds or 0.0
                version = connection.info.parameter_status("server_version")
        for turn in range(given.turns + 1):
            say(f"turn {turn} of {given.turns} …")
            for one in measured if turn % 2 else measured[::-1]:
                for question in QUESTIONS:
                    milliseconds = p50(one, program, question, given.seconds)
                    one.turns.setdefault(question, []).append(milliseconds)
        rows: list[dict[str, object]] = [
            {"images": one.images, "version": one.label}
            | {question: one.p50(question) for question in QUESTIONS}
            | one.facts
            for one in measured
        ]
    finally:
        for one in measured:
            if one.label == given.name and not (given.keep or given.again):
                database.drop_database(server, f"tagdb_benchmark_{one.label}_{one.images}")
    say(table(rows))
    now = [one for one in measured if one.label == given.name]
    slowest, largest = max(now, key=lambda one: one.p50("recommend")), now[-1]
    recall = min(row["recall"]["recommend"] for row in rows if row["version"] == given.name)  # type: ignore[index]
    reached = slowest.p50("recommend") <= largest.p50("recommend") and recall >= 0.98
    results.record(
        "by-size",
        "recommending, p50 by number of images: "
        + ", ".join(
            f"{size:,}: "
            + " → ".join(f"{one.p50('recommend'):.1f}" for one in measured if one.images == size)
            for size in given.sizes
        )
        + (f" ms ({given.beside} → {given.name})" if given.beside else " ms")
        + f"; recall@50 at least {recall:.3f}",
        {"factors": given.factors, "turns": given.turns, "sizes": rows,
         "every_turn": [{"images": one.images, "version": one.label, **one.turns} for one in measured]},
        aim=f"at no size slower than at {largest.images:,} images, recall ≥ .98: "
        + ("reached" if reached else "missed"),
        packages=("numpy",),
        versions={"PostgreSQL": str(version)},
    )  # fmt: skip


if __name__ == "__main__":
    main()
