"""An ingest from an object store that fails now and then, killed at random moments, then run to its end."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tests.support import stores
from tests.support.programs import SOAK, contents, drawn, finished, killed, started, stray, undisturbed
from tests.support.stores import BUCKET

KILLS = 3 * SOAK
PHOTOS = 300


def flaky(path: str, nth: int) -> str | None:
    """A fifth of all requests fails."""
    chance = random.Random(f"{path} {nth}")
    return chance.choice(("503 Slow Down", "drop", "cut")) if chance.random() < 0.2 else None


def test_a_killed_ingest_from_a_store_goes_on_where_it_was(
    database_url: str,
    make_database: Callable[[bool], str],
    connection: Connection,
    chosen: tuple[object, ...],
    here: Callable[[str], dict[str, str]],
    step: Callable[[str], None],
    tmp_path: Path,
) -> None:
    """Nothing is lost or doubled, and what was stored is not transferred again."""
    drawn(tmp_path, PHOTOS)
    other = make_database(True)
    command = ("ingest", f"s3://{BUCKET}/photos", *chosen, "--originals", "keep")
    with stores.store() as store:
        for path in tmp_path.glob("*.jpg"):
            store.put(f"photos/{path.name}", path.read_bytes())
        step("undisturbed")
        seconds = undisturbed(*command, **here(other), **store.environment)
        step("killed again and again")
        store.faults.answer = flaky
        environment = here(database_url) | store.environment
        hits = sum(killed(7000 + n, seconds / 2, *command, **environment) for n in range(KILLS))
        assert hits
        step("to the end")
        stored = connection.execute("SELECT uri FROM tagdb.images").fetchall()
        store.faults.reset()
        store.faults.answer = flaky
        assert "0 rejected" in finished(started(*command, **environment))
        assert not [uri for (uri,) in stored if store.faults.reads["/" + uri.removeprefix("s3://")]]
        with database.connect(other) as undisturbed_one:
            assert contents(connection) == contents(undisturbed_one)
        assert stray(connection) == []
        assert connection.execute("SELECT sum(images_new) FROM tagdb.ingest_runs").fetchone() == (PHOTOS,)
        step("once more")
        store.faults.reset()
        assert "nothing changed" in finished(started(*command, **environment))
        assert not [path for path in store.faults.reads if path.endswith(".jpg")]
