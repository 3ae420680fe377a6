"""Changing the backbone, killed at random moments, and while photos come in."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tagdb import store
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tests.support.programs import SOAK, drawn, embedded, finished, started, stray
from tests.support.seed import active_backbone

KILLS = 3 * SOAK
PHOTOS = 300
OTHER = ("--backbone", "bundled")
REEMBED = ("backbone", "reembed", "bundled")
Here = Callable[[str], dict[str, str]]


def killed(number: int, connection: Connection, *arguments: object, **environment: str) -> bool:
    """Start the program and kill it a moment after it has embedded so many; whether it was at work."""
    rng = random.Random(number)
    enough, moment = rng.randrange(PHOTOS + 1), rng.uniform(0, 0.2)
    process = started(*arguments, **environment)
    count = "SELECT count(*) FROM tagdb_store.embeddings WHERE backbone_id = 2"
    while connection.execute(count).fetchone()[0] < enough and process.poll() is None:  # type: ignore[index]
        time.sleep(0.005)
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def test_a_killed_reembedding_goes_on_and_the_old_backbone_serves(
    database_url: str,
    make_database: Callable[[bool], str],
    connection: Connection,
    tmp_path: Path,
    chosen: tuple[object, ...],
    here: Here,
    step: Callable[[str], None],
) -> None:
    """In the end all is embedded as if ingested by that backbone; until then the old one serves."""
    step("two ingests, one by each backbone")
    manifest = drawn(tmp_path / "photos", PHOTOS)
    finished(started("ingest", manifest, *chosen, **here(database_url)))
    other = make_database(True)
    finished(started("ingest", manifest, *OTHER, **here(other)))
    with database.connect(other) as fresh:
        expected = embedded(fresh, 1)
    before = embedded(connection, 1)
    asked = (
        "SELECT s.* FROM tagdb.images i, tagdb.similar_images_to(i.image_id) s"
        " WHERE i.image_id % 10 = 0 ORDER BY i.image_id, s.rank"
    )
    similar = connection.execute(asked).fetchall()
    hits = 0
    for number in range(KILLS):
        step(f"kill {number}")
        hit = killed(number, connection, *REEMBED, **here(database_url))
        hits += hit
        now, switched = embedded(connection, 2), active_backbone(connection) == 2
        print(f"seed {number}: killed: {hit}; {len(now)} embedded, switched: {switched}")
        assert now.items() <= expected.items()
        if switched:
            assert len(now) == PHOTOS
            finished(started("backbone", "use", 1, **here(database_url)))
        assert connection.execute(asked).fetchall() == similar
        if len(now) == PHOTOS:  # something is to be left to do
            connection.execute("DELETE FROM tagdb_store.embeddings WHERE backbone_id = 2")
    assert hits
    step("to the end")
    finished(started(*REEMBED, **here(database_url)))
    assert active_backbone(connection) == 2
    assert embedded(connection, 2) == expected
    assert embedded(connection, 1) == before
    assert stray(connection) == []
    step("back to the old backbone")
    finished(started("backbone", "use", 1, **here(database_url)))
    assert connection.execute(asked).fetchall() == similar
    finished(started("backbone", "drop", 2, **here(database_url)))
    assert len(store.backbones.list_all(connection)) == 1


def test_while_photos_come_in(
    database_url: str, connection: Connection, tmp_path: Path, chosen: tuple[object, ...], here: Here
) -> None:
    """Two ingests run beside it. The switch may stop them; nothing that they stored is left behind."""
    manifests = [drawn(tmp_path / f"photos{number}", 100, number) for number in range(3)]
    finished(started("ingest", manifests[0], *chosen, **here(database_url)))
    ingests = [started("ingest", manifest, **here(database_url)) for manifest in manifests[1:]]
    said = finished(started(*REEMBED, **here(database_url)))
    assert "is active" in said
    for ingest in ingests:
        out, err = ingest.communicate(timeout=120)
        assert "Traceback" not in err
        assert ingest.returncode == 0 or "the backbone of this database was changed to bundled" in err, (
            out + err
        )
        print(f"an ingest beside it ended with {ingest.returncode}")
    lacking = connection.execute("SELECT images, images_without_embedding FROM tagdb.coverage").fetchone()
    assert lacking is not None
    assert lacking[1] == 0
    for manifest in manifests[1:]:
        finished(started("ingest", manifest, **here(database_url)))
    counts = "SELECT images, images_without_embedding FROM tagdb.coverage"
    assert connection.execute(counts).fetchone() == (300, 0)
