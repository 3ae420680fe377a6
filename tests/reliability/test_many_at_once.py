"""Many at once: overlapping ingests, computations, edits and readers; no error reaches anybody."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tagdb import corrections, store
from tagdb.postgres import database
from tagdb.store.doctor import orphans
from tests.support.programs import SOAK, contents, drawn, finished, started, stray

SECONDS = 6 if SOAK == 1 else 75
READERS = 16
INGESTS = 4
HASHTAGS = [f"tag{n}" for n in range(40)]


def lists(folder: Path, seed: int) -> list[Path]:
    """Manifests that overlap in photos and hashtags, so that ingests wait for each other if they can."""
    manifest = drawn(folder, 260)
    header, *rows = manifest.read_text().splitlines()
    rng = random.Random(seed)
    made = []
    for n in range(INGESTS):
        chosen = rng.sample(rows, 200)
        made.append(folder / f"list{n}.csv")
        more = [row.replace("#tag", f"#new{n}of", 1) if k % 3 == 0 else row for k, row in enumerate(chosen)]
        made[-1].write_text("\n".join([header, *more]) + "\n")
    return made


class Together:
    """Runs things in threads until it is told to stop, and keeps what went wrong in them."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.wrong: list[BaseException] = []
        self.done: dict[str, int] = {}
        self.threads: list[threading.Thread] = []

    def run(self, name: str, what: Callable[[], object], again: bool = True) -> None:
        def work() -> None:
            try:
                while not self.ended.is_set():
                    what()
                    self.done[name] = self.done.get(name, 0) + 1
                    if not again:
                        return
            except BaseException as error:
                self.wrong.append(error)
                self.ended.set()

        self.threads.append(threading.Thread(target=work, name=name))

    def all(self, seconds: float) -> None:
        for thread in self.threads:
            thread.start()
        self.ended.wait(seconds)
        self.ended.set()
        for thread in self.threads:
            thread.join()
        print(self.done)
        if self.wrong:
            raise self.wrong[0]


def reading(url: str, seed: int) -> Callable[[], None]:
    """Recommends on a connection of its own, and looks whether that is an answer of one run."""
    connection = database.connect(url)
    rng = random.Random(seed)

    def read() -> None:
        (last,) = connection.execute("SELECT max(image_id) FROM tagdb.images").fetchone() or (1,)
        image = rng.randint(1, last)
        found = connection.execute(
            "SELECT r.rank, r.hashtag, r.score FROM tagdb.images i, tagdb.recommend_for_image(i.image_id) r"
            " WHERE i.image_id = %s",
            (image,),
        ).fetchall()
        if found:
            assert [row[0] for row in found] == list(range(1, len(found) + 1))
            scores = [row[2] for row in found]
            assert scores == sorted(scores, reverse=True)
            assert len({row[1] for row in found}) == len(found)
        else:
            assert not connection.execute(
                "SELECT FROM tagdb.images WHERE image_id = %s", (image,)
            ).fetchall(), f"nothing for image {image}"
        connection.execute("SELECT * FROM tagdb.related_hashtags('tag1')").fetchall()

    return read


def editing(url: str, seed: int) -> Callable[[], None]:
    """Makes aliases and bans, and takes them all back."""
    connection = database.connect(url)
    rng = random.Random(seed)

    def edit() -> None:
        first, second = rng.sample(HASHTAGS, 2)
        number = store.tags.edit(connection, "alias", [first], second).edit_id
        time.sleep(rng.uniform(0, 0.05))
        store.tags.undo(connection, number)

    return edit


@pytest.mark.parametrize("seed", range(1 if SOAK == 1 else 2))
def test_ingests_computations_edits_and_readers_at_once(
    seed: int,
    database_url: str,
    make_database: Callable[[bool], str],
    tmp_path: Path,
    chosen: tuple[object, ...],
    here: Callable[[str], dict[str, str]],
    step: Callable[[str], None],
) -> None:
    print(f"seed {seed}")
    step("one after the other, in a database of its own")
    sources = lists(tmp_path / "photos", seed)
    serial = make_database(True)
    for source in sources:
        finished(started("ingest", source, *chosen, **here(serial)))

    step("something to begin with")
    first = drawn(tmp_path / "first", 40, seed=99)
    for url in (serial, database_url):
        finished(started("ingest", first, *chosen, **here(url)))
        finished(started("factors", "compute", "--factors", 16, **here(url)))

    step("all at once")
    together = Together()
    environment = here(database_url)

    def ingest(source: Path) -> Callable[[], object]:
        return lambda: finished(started("ingest", source, *chosen, **environment))

    def compute() -> object:
        return finished(started("factors", "compute", "--factors", 16, "--iterations", 3, **environment))

    def prune() -> None:
        finished(started("factors", "prune", "--keep", 2, **environment))
        time.sleep(0.5)

    for n, source in enumerate(sources):
        together.run(f"ingest {n}", ingest(source))
    for n in range(2):
        together.run(f"compute {n}", compute)
    together.run("prune", prune)
    together.run("edit", editing(database_url, seed))
    for n in range(READERS):
        together.run("recommend", reading(database_url, 100 * seed + n))
    together.all(SECONDS)

    step("the same in the end")
    with database.connect(database_url) as one, database.connect(serial) as other:
        for source in sources:
            finished(started("ingest", source, *chosen, **environment))  # those that were not begun in time
        finished(started("stats", "refresh", **environment))
        finished(started("stats", "refresh", **here(serial)))
        assert contents(one) == contents(other)
        counted: Any = "SELECT hashtag, images FROM tagdb.hashtag_stats ORDER BY 1"
        assert one.execute(counted).fetchall() == other.execute(counted).fetchall()
        assert stray(one) == []
        active = "SELECT count(*) FROM tagdb.factor_runs WHERE status = 'active'"
        assert one.execute(active).fetchone() == (1,)


def test_removals_beside_ingests_computations_and_index_builds(
    database_url: str,
    tmp_path: Path,
    chosen: tuple[object, ...],
    here: Callable[[str], dict[str, str]],
) -> None:
    """Nobody hears of the others, and no row is left of an image that is gone."""
    manifest = drawn(tmp_path / "photos", 200)
    environment = here(database_url)
    finished(started("ingest", manifest, *chosen, **environment))
    finished(started("factors", "compute", "--factors", 16, **environment))
    together = Together()

    def program(*arguments: object) -> Callable[[], object]:
        return lambda: finished(started(*arguments, **environment))

    def removing(seed: int) -> Callable[[], None]:
        connection, rng = database.connect(database_url), random.Random(seed)

        def remove() -> None:
            rows = connection.execute("SELECT image_id FROM tagdb.images").fetchall()
            corrections.remove(connection, [row[0] for row in rng.sample(rows, len(rows) // 10)])
            time.sleep(0.1)

        return remove

    for n in range(2):
        together.run(f"ingest {n}", program("ingest", manifest, "--update", *chosen))
        together.run(f"remove {n}", removing(n))
    together.run("compute", program("factors", "compute", "--factors", 16, "--iterations", 3))
    together.run("index", program("index", "build"))
    together.all(SECONDS)
    with database.connect(database_url) as connection:
        assert stray(connection) == []
        assert orphans(connection) == []
    finished(started("ingest", manifest, *chosen, **environment))
    finished(started("doctor", **environment))
