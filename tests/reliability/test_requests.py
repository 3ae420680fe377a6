"""Photos by SQL while workers are killed: every request is answered once, and as it should be."""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable

import psycopg

from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tests.support.pictures import photo
from tests.support.postgres import Postgres, rows
from tests.support.processes import until
from tests.support.programs import SOAK, finished, started

REQUESTS, KILLS = 200 * SOAK, 5 * SOAK
PHOTOS = 20
ASKERS = 4
Here = Callable[[str], dict[str, str]]


class Asker(threading.Thread):
    """A session that asks again and again, every other time by the procedure."""

    def __init__(self, url: str, requests: int, seed: int, enough: threading.Event) -> None:
        super().__init__()
        self.url, self.requests, self.random = url, requests, random.Random(seed)
        self.enough = enough
        self.answers: list[tuple[int, object]] = []
        """Number of the photo, and what was said."""
        self.refused = 0
        """Photos that three workers in turn were killed with; they were asked about again."""
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with psycopg.connect(self.url, autocommit=True) as connection:
                while len(self.answers) < self.requests or not self.enough.is_set():
                    number = self.random.randrange(PHOTOS)
                    self.answers.append((number, self.asked(connection, photo(number))))
        except BaseException as error:
            self.error = error

    def asked(self, connection: psycopg.Connection[tuple[object, ...]], content: bytes) -> object:
        if self.random.random() < 0.5:
            return self.called(connection, content)
        request = connection.execute("SELECT tagdb.submit_photo(%b)", (content,)).fetchone()
        for _ in range(6000):
            query = "SELECT state, hashtags FROM tagdb.request_state(%s)"
            state, hashtags = connection.execute(query, request).fetchone() or ("", None)
            if state == "refused":
                self.refused += 1
                return self.asked(connection, content)
            if state != "waiting":
                return hashtags
            time.sleep(0.01)
        return None

    def called(self, connection: psycopg.Connection[tuple[object, ...]], content: bytes) -> object:
        """Call the procedure, again where both workers were just killed, or three in turn with this photo."""
        for _ in range(600):
            try:
                call = "CALL tagdb.recommend_photo(%b, seconds => 60)"
                return (connection.execute(call, (content,)).fetchone() or (None,))[0]
            except psycopg.errors.ObjectNotInPrerequisiteState as error:
                if "no worker answers; start one" not in str(error):
                    raise
                time.sleep(0.1)
            except psycopg.errors.InvalidParameterValue as error:
                if "three workers ended or hung" not in str(error):
                    raise
                self.refused += 1
        return None


def test_every_request_is_answered_once(
    ingested: str, postgres: Postgres, here: Here, step: Callable[[str], None]
) -> None:
    with postgres.database(ingested.rpartition("/")[2].partition("?")[0]) as url:
        place = here(url)
        finished(started("factors", "compute", "--factors", "8", "--quiet", **place))
        begun: list[subprocess.Popen[str]] = []

        def start() -> subprocess.Popen[str]:
            begun.append(started("work", "--workers", 1, **place))
            return begun[-1]

        try:
            with database.connect(url) as connection:
                ask_while_workers_are_killed(url, connection, step, start)
        finally:
            for process in begun:
                process.kill()
                process.wait()


def ask_while_workers_are_killed(
    url: str,
    connection: Connection,
    step: Callable[[str], None],
    start: Callable[[], subprocess.Popen[str]],
) -> None:
    begun = time.monotonic()
    step("two workers start")
    workers, luck = [start(), start()], random.Random(KILLS)
    while rows(connection, "SELECT tagdb.workers()") == [(0,)]:
        time.sleep(0.01)
    connection.execute("LISTEN tagdb_answers")
    enough = threading.Event()
    askers = [Asker(url, REQUESTS // ASKERS, seed, enough) for seed in range(ASKERS)]
    for asker in askers:
        asker.start()
    step("they are killed")
    killed = 0
    while any(asker.is_alive() for asker in askers):
        time.sleep(luck.uniform(0.1, 1.0))
        # now and then one that only starts, but mostly when there are two: somebody must get on
        alive = rows(connection, "SELECT tagdb.workers()")[0][0]
        if killed == KILLS:
            enough.set()
        elif alive == 2 or luck.random() < 0.15:
            which = luck.randrange(2)
            workers[which].kill()
            workers[which].communicate()
            workers[which] = start()
            killed += 1
    step("everything is answered")
    for asker in askers:
        asker.join()
        left = "SELECT request_id, taken_by, taken_at, tries, clock_timestamp() FROM tagdb_store.requests"
        left += " WHERE answered_at IS NULL"
        assert asker.error is None, rows(connection, left)
    counts = "SELECT count(*), count(*) FILTER (WHERE refused IS NOT NULL), max(tries),"
    counts += " count(*) FILTER (WHERE photo IS NOT NULL) FROM tagdb_store.requests"
    ((requests, refused, tries, kept),) = rows(connection, counts)
    interrupted = rows(connection, "SELECT count(*) FROM tagdb_store.requests WHERE tries > 1")[0][0]
    told = Counter(heard.payload for heard in connection.notifies(timeout=1))
    print(
        f"{requests} requests, {killed} kills, {interrupted} photos interrupted, {tries} tries at most,"
        f" {refused} refused, {time.monotonic() - begun:.0f} s"
    )
    assert refused == sum(asker.refused for asker in askers) <= KILLS // 3
    assert requests - refused == sum(len(asker.answers) for asker in askers) >= REQUESTS
    assert (kept, killed) == (0, KILLS)
    assert len(told) == requests
    assert {*told.values()} == {1}
    answers: dict[int, object] = {}
    for number, said in (each for asker in askers for each in asker.answers):
        assert said
        assert said == answers.setdefault(number, said)
    step("workers stop")
    until(lambda: rows(connection, "SELECT tagdb.workers()") == [(2,)])  # one may only be starting
    for worker in workers:
        worker.terminate()
        finished(worker)
