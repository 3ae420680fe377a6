"""Adding images to the vector index, compared with rebuilding it afterwards.

    python benchmarks/index.py [--images 50000] [--more 10000] [--photos FOLDER --backbone WEIGHTS]

Creates a database on tagdb's server (or the one named by --database-url) with synthetic embeddings (see
synthetic.py), builds the index, adds search vectors in batches as in an ingest, and rebuilds the index with
all of them. From the three times follows the number of new images, as a share of the existing ones, from
which dropping the index and rebuilding it is faster.
"""

import argparse
import time
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import results
import synthetic
from psycopg import sql

from tagdb import config, indexing
from tagdb.postgres import database, pgcopy
from tagdb.postgres.machine import this_machine
from tagdb.store.index import add_search_vectors

DATABASE = "tagdb_benchmark_index"
BATCH = 128


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--more", type=int, default=10_000)
    parser.add_argument("--photos", help="photos to model the embeddings on; drawn scenes if not given")
    parser.add_argument("--backbone", default="bundled")
    parser.add_argument("--database-url")
    given = parser.parse_args()
    like, backbone = synthetic.photos(given.photos, given.backbone, 500)
    server = database.ensure_url(config.load(database_url=given.database_url), lambda note: None)
    url = urlunsplit(urlsplit(server)._replace(path=f"/{DATABASE}"))
    machine = this_machine() if given.database_url is None else None
    total = given.images + given.more
    database.make_database(server, DATABASE)
    try:
        database.migrate(url)
        with database.connect(url) as connection:
            for _ in synthetic.fill(connection, backbone, like, total, 100, each=1):
                pass
            backbone_id = indexing.status(connection).backbone_id
            ids = np.arange(given.images + 1, total + 1, dtype=np.int64)
            partition = sql.Identifier("tagdb_store", f"embeddings_{backbone_id}")
            taken = sql.SQL("DELETE FROM {} WHERE image_id > %s").format(partition)
            later, _ = synthetic.Embeddings(like, seed=1).draw(given.more)
            connection.execute(taken, (given.images,))
            connection.execute("VACUUM ANALYZE")
            memory = indexing.memory_for(connection, total, machine, None)
            first = indexing.build(connection, memory, quiet=True).build_seconds
            columns = (np.full(given.more, backbone_id, np.int32), ids, later)
            command = sql.SQL("COPY {} (backbone_id, image_id, embedding) FROM STDIN (FORMAT binary)")
            with connection.cursor() as cursor, cursor.copy(command.format(partition)) as stream:
                for chunk in pgcopy.encode(*columns):
                    stream.write(chunk)
            started = time.perf_counter()
            for start in range(0, given.more, BATCH):
                part = slice(start, start + BATCH)
                with connection.transaction():
                    add_search_vectors(connection, backbone_id, ids[part], later[part])
            adding = time.perf_counter() - started
            again = indexing.build(connection, memory, quiet=True).build_seconds
    finally:
        database.drop_database(server, DATABASE)
    assert first is not None
    assert again is not None
    each, built = adding / given.more, again / total
    # adding m images takes m × each, building n + m takes (n + m) × built
    share = built / (each - built) if each > built else float("inf")
    results.record(
        "index" if given.images == 50_000 else f"index-{given.images}",
        f"vector index of {total:,} images: built in {again:.1f} s, {1000 * built:.2f} ms per image; adding "
        f"to it {1000 * each:.2f} ms per image; dropping it and building it afterwards is faster for "
        f"additions of more than {share:.0%} of the images",
        {"images": given.images, "more": given.more, "build_seconds": first, "adding_seconds": adding,
         "build_again_seconds": again, "break_even_share": share, "memory_bytes": memory.used},
        packages=("numpy",),
    )  # fmt: skip


if __name__ == "__main__":
    main()
