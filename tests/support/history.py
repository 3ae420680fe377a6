"""A database as services and BI tools meet it: some weeks of photos, ingests, factor runs and decisions.

The times are those of a collection in use: the last photo is from today.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from tagdb import factors, store
from tagdb.embedding import backbone
from tagdb.learning import model as modelling
from tagdb.learning.settings import FactorSettings
from tagdb.postgres.database import Connection
from tests.support import seed

IMAGES = 120
COLLECTIONS = {
    "travel": ("travel", "beach", "sea", "sun", "holiday"),
    "city": ("city", "night", "street", "newyork", "nyc"),
    "food": ("food", "coffee", "dinner", "dessert", "homemade"),
    None: ("sun", "food", "night", "coffee", "sea"),
}
"""Each collection's hashtags; some photos are in none."""


def fill(connection: Connection) -> None:
    """Store it all: as ``tagdb ingest``, ``factors compute``, ``tags`` and ``stats refresh`` would."""
    bundled = backbone.resolve(backbone.BUNDLED, None, None, Path())
    backbone_id = store.backbones.add(connection, bundled.identity)
    rng = np.random.default_rng(1)
    embeddings = seed.clustered(IMAGES, 1).astype(np.float32)
    now = datetime.now(UTC)
    photos = []
    for number in range(IMAGES):
        collection = list(COLLECTIONS)[number % len(COLLECTIONS)]
        words = list(rng.choice(COLLECTIONS[collection], 3, replace=False))
        if number % 7 == 0:
            words += ["followme"]
        if 100 < number < 110:
            words += ["brandnew", f"once{number}"]
        if number < 20 and number % 9:
            words += ["lastseason"]
        photos.append(
            seed.image(
                number,
                *(words if number % 30 else []),
                collection=collection,
                # three quarters of a year, a photo each second day, and more of them lately
                taken_at=now - timedelta(days=(IMAGES - 1 - number) ** 1.17) if number % 9 else None,
                source_ref=f"page/{number}" if number % 2 else None,
                metadata={"author": f"author {number % 5}", "likes": number} if number % 3 else {},
                embedding=embeddings[number],
            )
        )
    rejected = [
        store.batches.Rejected(
            "photos.csv", 17, "099.jpg: cannot be read: No such file or directory", "missing"
        ),
        store.batches.Rejected(
            "photos.csv", 52, "098.jpg: cannot be read: No such file or directory", "missing"
        ),
        store.batches.Rejected("097.jpg", None, "not an image in a format that tagdb reads", "not_a_photo"),
    ]
    first = store.ingest_runs.begin(connection, ["photos.csv"])
    store.batches.save(connection, first, backbone_id, photos[:100], rejected)
    store.ingest_runs.finish(connection, first)
    second = store.ingest_runs.begin(connection, ["more/", "-"])
    store.batches.save(connection, second, backbone_id, photos[100:], [])
    store.ingest_runs.finish(connection, second)
    store.ingest_runs.begin(connection, ["interrupted/"])
    connection.execute(
        "UPDATE tagdb_store.images SET ingested_at = now() - interval '40 days' WHERE ingest_run_id = %s",
        (first,),
    )
    connection.execute(
        "UPDATE tagdb_store.ingest_runs SET started_at = now() - interval '40 days',"
        " finished_at = now() - interval '40 days' + interval '3 minutes' WHERE ingest_run_id = %s",
        (first,),
    )
    compute(connection, 4)
    compute(connection, 8)
    assert factors.prune(connection, 1, quiet=True).pruned == [1]  # waits, such as for an autovacuum
    store.runs.discard(connection, seed.begin_run(connection, 2))
    seed.add_images(connection, 2)  # which the backbone is still to embed
    feedback = "SELECT tagdb.give_feedback(%s, %s, %s)"
    connection.execute(feedback, (3, ["dinner"], ["sun", "night"]))
    connection.execute(feedback, (5, ["sea"], []))
    store.tags.edit(connection, "alias", ["nyc"], "newyork")
    store.tags.edit(connection, "ban", ["followme"])
    store.tags.edit(connection, "ban", ["homemade"])
    store.tags.undo(connection)
    seed.add_index(connection, backbone_id)
    connection.execute("SELECT tagdb_store.refresh_statistics()")
    connection.execute("ANALYZE")


def compute(connection: Connection, factors: int) -> int:
    """A factor run of what is stored, the active one from now on."""
    plan = FactorSettings(factors=factors, iterations=3, neighbours=10)
    model = modelling.fit(store.runs.interactions(connection), store.runs.embeddings(connection), plan)
    factor_run_id = store.runs.begin(connection, plan, {"tagdb": "0"})
    store.runs.save(connection, factor_run_id, model, 0.1)
    store.runs.activate(connection, factor_run_id)
    evaluated = {"nDCG@10": {"mean": 0.375, "low": 0.36, "high": 0.39}}
    store.runs.note_metrics(connection, factor_run_id, evaluated)
    return factor_run_id
