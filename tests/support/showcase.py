"""A small database that looks like a real one: what the examples of the SQL reference are run on.

The same at every time and on every machine, but for the last digits of the factors.
"""

from __future__ import annotations

import numpy as np
from psycopg.types.json import Jsonb

from tagdb import store
from tagdb.embedding.backbone import Identity
from tagdb.learning import model as modelling
from tagdb.learning.settings import FactorSettings
from tagdb.postgres.database import Connection
from tests.support import seed

COLLECTIONS = {
    "food": "foodie yummy dinner homemade pasta pizza dessert foodporn",
    "travel": "beach sea holiday wanderlust sunset island summer roadtrip",
    "animals": "dog puppy cat pets cute dogsofinstagram wildlife",
    "cars": "car bmw turbo classiccar carporn racing garage",
    "architecture": "building facade skyline newyork nyc concrete design",
    "fitness": "gym workout fit training motivation running yoga",
}
"""Each collection's hashtags, the most used ones first."""
EVERYWHERE = ("photooftheday", "love", "weekend")
IMAGES = 120
FEEDBACK = (
    (3, ("wildlife",), ("photooftheday", "pizza")),
    (7, ("dinner", "homemade"), ("weekend",)),
)
"""What people said: image, accepted and rejected hashtags."""


def fill(connection: Connection) -> None:
    """Images of six collections from March to May 2026, with hashtags, factors, statistics and edits."""
    rng = np.random.default_rng(7)
    backbone_id = store.backbones.add(
        connection, Identity("imagenet", 224, bytes(range(32)), 8), b"\x1c\0\0\0TFL3 and so on"
    )
    run_id = store.ingest_runs.begin(connection, ["photos.csv"])
    kinds = np.abs(rng.standard_normal((len(COLLECTIONS), seed.DIMENSIONS)))
    pairs = []
    names = {name: None for words in COLLECTIONS.values() for name in words.split()}
    names = dict.fromkeys([*COLLECTIONS, *names, *EVERYWHERE])
    hashtag_ids = dict(zip(names, seed.add_hashtags(connection, list(names)).tolist(), strict=True))
    vectors = []
    for number in range(IMAGES):
        kind = number % len(COLLECTIONS)
        collection, words = list(COLLECTIONS.items())[kind]
        connection.execute(
            "INSERT INTO tagdb_store.images (content_sha256, uri, media_type, width, height, bytes,"
            " collection, source_ref, taken_at, ingested_at, ingest_run_id, metadata)"
            " VALUES (sha256(%s), %s, 'image/jpeg', 1080, 810, %s, %s, %s,"
            " timestamptz '2025-12-03 08:00+00' + %s * interval '36 hours', '2026-06-01 12:00+00', %s, %s)",
            (
                b"%d" % number,
                f"file:///photos/{collection}/{number // len(COLLECTIONS) + 1:03}.jpg",
                80_000 + 137 * number,
                collection,
                f"https://example.org/p/{number}" if number % 3 else None,
                number,
                run_id,
                Jsonb({"likes": int(rng.integers(5, 500))}),
            ),
        )
        choices = words.split()
        popularity = 1 / np.arange(1.5, len(choices) + 1)
        chosen = rng.choice(choices, int(rng.integers(2, 5)), replace=False, p=popularity / popularity.sum())
        carried = [collection, *chosen] if number % 20 else []
        if number % 4 == 1 and carried:
            carried.append(EVERYWHERE[number // 4 % len(EVERYWHERE)])
        pairs += [(number + 1, hashtag_ids[name]) for name in carried]
        vectors.append(
            kinds[kind] * rng.uniform(0.7, 1.3) + 0.8 * np.abs(rng.standard_normal(seed.DIMENSIONS))
        )
    image_ids = np.arange(1, IMAGES + 1, dtype=np.int64)
    embedded = image_ids[: IMAGES - 2]  # two are still to be embedded
    seed.add_embeddings(connection, backbone_id, embedded, seed.unit(np.array(vectors))[: len(embedded)])
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO tagdb_store.image_hashtags (image_id, hashtag_id) VALUES (%s, %s)", pairs
        )
    connection.execute(
        "INSERT INTO tagdb_store.ingest_errors (ingest_run_id, origin, line, reason, reason_code) VALUES"
        " (%(run)s, 'photos.csv', 17, 'travel/099.jpg: cannot be read: No such file or directory',"
        " 'missing'),"
        " (%(run)s, 'photos.csv', 52, 'U+0021 (EXCLAMATION MARK) cannot be part of a hashtag: ''wow!''',"
        " 'invalid_hashtag')",
        {"run": run_id},
    )
    connection.execute(
        "UPDATE tagdb_store.ingest_runs SET images_new = %s, rejected = 2,"
        " started_at = '2026-06-01 12:00+00', finished_at = '2026-06-01 12:00:01+00'",
        (IMAGES,),
    )
    connection.execute(
        "INSERT INTO tagdb_store.image_files (image_id, thumbnail)"
        " SELECT image_id, 'a JPEG' FROM tagdb_store.images"
    )
    plan = FactorSettings(factors=16, neighbours=10)
    model = modelling.fit(store.runs.interactions(connection), store.runs.embeddings(connection), plan)
    factor_run_id = store.runs.begin(connection, plan, {})
    store.runs.save(connection, factor_run_id, model, 0.1)
    store.runs.activate(connection, factor_run_id)
    evaluated = {"nDCG@10": {"mean": 0.375, "low": 0.36, "high": 0.39}}
    store.runs.note_metrics(connection, factor_run_id, evaluated)
    store.tags.edit(connection, "alias", ["nyc"], "newyork")
    store.tags.edit(connection, "ban", ["love"])
    for image_id, accepted, rejected in FEEDBACK:
        connection.execute(
            "SELECT tagdb.give_feedback(%s, %s, %s)", (image_id, list(accepted), list(rejected))
        )
    connection.execute("SELECT tagdb.submit_photo('photo')")
    assert store.requests.begin(connection, 1)
    (request,) = store.requests.take(connection, 1, 1)
    answer = store.answers.recommend(connection, np.full(1280, 0.03, np.float32), store.answers.Query(top=3))
    store.requests.answer(connection, request, answer, None)
    connection.execute("SELECT pg_advisory_unlock_all()")
    seed.add_index(connection, backbone_id)
    store.statistics.refresh(connection)
    connection.execute(
        "UPDATE tagdb_store.statistics SET refreshed_at = '2026-06-01 12:00:05+00', seconds = 0.1"
    )
    connection.execute(
        "UPDATE tagdb_store.hashtag_edits SET made_at = '2026-06-01 12:10+00', made_by = 'tagdb'"
    )
    connection.execute(
        "UPDATE tagdb_store.feedback SET given_by = 'tagdb',"
        " given_at = timestamptz '2026-06-01 18:00+00' + image_id * interval '1 day'"
    )
    connection.execute("UPDATE tagdb_store.hashtags SET created_at = '2026-06-01 12:00+00'")
    connection.execute("UPDATE tagdb_store.backbones SET created_at = '2026-06-01 12:00+00'")
    connection.execute(
        "UPDATE tagdb_store.factor_runs SET created_at = '2026-06-01 12:00:02+00',"
        " activated_at = '2026-06-01 12:00:02+00'"
    )
