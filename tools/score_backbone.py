"""Score backbones by their recommendations: nDCG@10 on held-out photos.

    python tools/score_backbone.py PHOTOS --backbone bundled --backbone imagenet.weights.h5

PHOTOS is a folder in the ancestor's layout. Photos are divided into five parts by the hash of their post (or
content, if the post is unknown), so that no post is on both sides; ``train_backbone.py`` holds part 0 out of
training. There are two scores per backbone, both with the default factors:

* unseen: queries are part 0, the database is the rest;
* seen: queries are part 1 (the bundled backbone was trained on these photos), the database parts 2 to 4.

It uses the product itself: ingest, factors, and the SQL function, on an embedded server in a temporary
folder. The truth of a query is its own hashtags, three or more.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import psycopg
from psycopg import sql

from tagdb import factors, hashtags, ingest, store
from tagdb.config import Settings
from tagdb.embedding.backbone import resolve
from tagdb.learning.settings import FactorSettings
from tagdb.photos import images
from tagdb.photos.sources import Record, Source, open_source
from tagdb.postgres import database
from tagdb.postgres.server import Server

PARTS = 5
AT_LEAST = 3


class Listed(Source):
    """A source with given records."""

    def __init__(self, records: list[Record]) -> None:
        self.name, self.records = "photos", records

    def count(self) -> int:
        return len(self.records)

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self.records)


def part(record: Record) -> int:
    """Return the part of a photo; must agree with train_backbone.is_held_out."""
    key = record.source_ref or hashlib.sha256(record.path.read_bytes()).hexdigest()
    return int(int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) / 2**32 * PARTS)


def ndcg(recommended: list[str], truth: set[str], k: int = 10) -> float:
    """Binary relevance; Järvelin and Kekäläinen, ACM TOIS 2002."""
    gained = sum(1 / math.log2(i + 2) for i, tag in enumerate(recommended[:k]) if tag in truth)
    return gained / sum(1 / math.log2(i + 2) for i in range(min(k, len(truth))))


def score(
    url: str, backbone_name: str, stored: list[Record], queries: list[Record], cache: Path
) -> dict[str, float]:
    """Return the mean nDCG@10 of the queries, and that of the most popular hashtags."""
    name = "score_backbone"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    own = url.replace("/tagdb?", f"/{name}?")
    database.migrate(own)
    popular = Counter(hashtags.fold(tag) for record in stored for tag in set(record.hashtags))
    top = [tag for tag, _ in popular.most_common(10)]
    with database.connect(own) as connection:
        backbone = resolve(backbone_name, None, None, cache)
        ingest.run(connection, backbone, [Listed(stored)], ingest.Options(originals="none", quiet=True))
        factors.compute(connection, FactorSettings(), quiet=True)
        total = baseline = 0.0
        for record in queries:
            truth = {hashtags.fold(tag) for tag in record.hashtags}
            photo = images.decode(record.path.read_bytes(), backbone.identity.input_size)
            answer = store.answers.recommend(connection, backbone.embed(photo.pixels))
            total += ndcg([one.hashtag for one in answer], truth)
            baseline += ndcg(top, truth)
    return {"ndcg_at_10": total / len(queries), "popular": baseline / len(queries), "queries": len(queries)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("photos")
    parser.add_argument("--backbone", action="append", required=True, help="as for tagdb ingest; repeatable")
    args = parser.parse_args()
    records = [replace(r, metadata={}) for r in open_source(args.photos) if isinstance(r, Record)]
    parts = {record.path: part(record) for record in records}
    rich = [r for r in records if len({hashtags.fold(t) for t in r.hashtags}) >= AT_LEAST]
    home = Path(tempfile.mkdtemp(prefix="tagdb-score-"))
    home.chmod(0o711)
    server = Server(home, {"fsync": "off"})
    results: dict[str, dict[str, dict[str, float]]] = {}
    try:
        server.start()
        for name in args.backbone:
            results[name] = {
                "unseen": score(
                    server.url(), name,
                    [r for r in records if parts[r.path] != 0], [r for r in rich if parts[r.path] == 0],
                    Settings(home).backbone_cache,
                ),
                "seen": score(
                    server.url(), name,
                    [r for r in records if parts[r.path] > 1], [r for r in rich if parts[r.path] == 1],
                    Settings(home).backbone_cache,
                ),
            }  # fmt: skip
            print(name, json.dumps(results[name]), file=sys.stderr, flush=True)
    finally:
        server.stop()
        shutil.rmtree(home)
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
