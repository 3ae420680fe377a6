"""Cost and benefit of folding in, on photos with hashtags.

    python benchmarks/fold_in.py SOURCE --backbone WEIGHTS [--photos 1000] [--repeat 3]

Stores all photos of SOURCE but the last ones, computes factors, and makes two copies: one with its active
factor run, one without a run. Then the last photos are ingested into both, in turns, each time into fresh
copies. At the end, the recommendations with the folded-in photos are compared with those after a full
computation of all photos. So are the run without them, and another seed of the full computation. Uses
separate databases on tagdb's embedded server, or on the one named by --database-url.
"""

import argparse
import json
import random
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

from psycopg import sql

from tagdb import config, factors, ingest
from tagdb.embedding.backbone import Backbone, resolve
from tagdb.learning.settings import FactorSettings
from tagdb.photos.sources import Record, Rejection, Source, open_source
from tagdb.postgres import database
from tagdb.postgres.database import Connection

BASE, WITH_RUN, WITHOUT = "tagdb_fold_in_base", "tagdb_fold_in_run", "tagdb_fold_in_plain"


def named(url: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def made(owner: Connection, name: str, template: str | None = None) -> None:
    """Recreate a database, empty or as a copy of another."""
    owner.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    command = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template:
        command += sql.SQL(" TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(template))
    owner.execute(command)


@contextmanager
def opened(url: str, name: str) -> Iterator[Connection]:
    """Connect to one of the databases."""
    with database.connect(named(url, name)) as connection:
        yield connection


class Shuffled(Source):
    """The records of a source in an order that does not depend on what they show."""

    def __init__(self, source: str) -> None:
        self.name = source
        self.records = list(open_source(source))
        random.Random(0).shuffle(self.records)

    def count(self) -> int:
        """Return the number of records."""
        return len(self.records)

    def __iter__(self) -> Iterator[Record | Rejection]:
        """Yield the records."""
        return iter(self.records)


def ingested(connection: Connection, backbone: Backbone, source: Source, limit: int | None) -> float:
    """Ingest and return the seconds it took."""
    options = ingest.Options(originals="none", limit=limit, quiet=True)
    return ingest.run(connection, backbone, [source], options).seconds


def overlap(connection: Connection, before: int, after: int) -> float:
    """Return the share of the ten recommended hashtags that two runs share, on 500 stored images."""
    return factors.difference(connection, before, after, images=500).overlap


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("source")
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--database-url")
    given = parser.parse_args()
    settings = config.load(database_url=given.database_url, backbone=given.backbone)
    url = database.ensure_url(settings, lambda note: None)
    with database.connect(named(url, "postgres")) as owner:
        source = Shuffled(given.source)
        total = source.count()
        assert total > given.photos, "the source has too few photos"
        made(owner, BASE)
        database.migrate(named(url, BASE))
        backbone = resolve(settings.backbone, None, None, settings.backbone_cache)
        with opened(url, BASE) as connection:
            ingested(connection, backbone, source, total - given.photos)
        seconds: dict[str, list[float]] = {WITH_RUN: [], WITHOUT: []}
        for turn in range(given.repeat):
            for name in (WITH_RUN, WITHOUT) if turn % 2 else (WITHOUT, WITH_RUN):
                made(owner, name, BASE)
                with opened(url, name) as connection:
                    if name == WITH_RUN:
                        factors.compute(connection, quiet=True)
                    seconds[name].append(ingested(connection, backbone, source, None))
        with opened(url, WITH_RUN) as connection:
            coverage = connection.execute(
                "SELECT c.images, c.images_folded_in, c.hashtags_folded_in FROM tagdb.coverage c"
            ).fetchone()
            assert coverage is not None
            full = factors.compute(connection, activate=False, quiet=True).factor_run_id
            other = factors.compute(connection, replace(FactorSettings(), seed=1), False, True).factor_run_id
            agreement = {
                "folded in": overlap(connection, 1, full),
                "another seed": overlap(connection, other, full),
            }
            connection.execute("DELETE FROM tagdb_store.image_factors WHERE folded_in")
            connection.execute("DELETE FROM tagdb_store.hashtag_factors WHERE folded_in")
            agreement["without the new photos"] = overlap(connection, 1, full)
        for name in (BASE, WITH_RUN, WITHOUT):
            owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    with_run, without = (statistics.median(seconds[name]) for name in (WITH_RUN, WITHOUT))
    result = {
        "images": coverage[0],
        "images_folded_in": coverage[1],
        "hashtags_folded_in": coverage[2],
        "seconds_with_run": seconds[WITH_RUN],
        "seconds_without": seconds[WITHOUT],
        "ratio": with_run / without,
        "overlap_at_10_with_full_computation": agreement,
    }
    json.dump(result, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
