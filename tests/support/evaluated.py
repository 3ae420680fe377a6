"""Fills a database with photos of a few kinds, so that there is something to recommend and to measure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagdb import store
from tagdb.postgres.database import Connection
from tests.support import seed

KINDS = 5


def fill(connection: Connection, images: int = 120) -> NDArray[np.int64]:
    """Images of five kinds, of 3 to 6 hashtags each, mostly of their kind's own; their ids.

    Every tenth comes from the same post as the one before it. The collection of every other is its
    kind's first hashtag.
    """
    rng = np.random.default_rng(7)
    backbone_id = store.backbones.add(connection, seed.identity())
    image_ids = seed.add_images(connection, images)
    kind = np.arange(images) % KINDS
    vectors = seed.unit(0.8 * seed.features(KINDS, 100)[kind] + seed.features(images, 101))
    seed.add_embeddings(connection, backbone_id, image_ids, vectors)
    ids = seed.add_hashtags(connection, [f"kind{n // 8}no{n % 8}" for n in range(8 * KINDS)])
    for n, image_id in enumerate(image_ids.tolist()):
        chosen = {*(8 * kind[n] + rng.permutation(8)[: 3 + n % 3]), rng.integers(len(ids))}
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO tagdb_store.image_hashtags (image_id, hashtag_id) VALUES (%s, %s)",
                [(image_id, int(ids[place])) for place in sorted(chosen)],
            )
        connection.execute(
            "UPDATE tagdb_store.images SET source_ref = %s, collection = %s WHERE image_id = %s",
            (f"post {n - (n % 10 == 9)}", f"#Kind{kind[n]}no0" if n % 2 else None, image_id),
        )
    return image_ids
