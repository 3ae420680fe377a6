"""Ten machines ingest one list into one database, and two of them die: it is as if one had done it."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tests.support.programs import LIMIT, contents, finished, started, stray

OF = 10
KILLED = (3, 8)


def test_ten_at_once_two_of_them_killed(
    database_url: str,
    connection: Connection,
    manifest: Path,
    ingested: str,
    tmp_path: Path,
    chosen: tuple[object, ...],
    here: Callable[[str], dict[str, str]],
    step: Callable[[str], None],
) -> None:
    bad = manifest.with_name("bad.csv")
    bad.write_text(manifest.read_text() + "".join(f"gone{n}.jpg,#sea,\n" for n in range(OF)) + "a,b,c,d\n")

    def shard(number: int) -> subprocess.Popen[str]:
        return started("ingest", bad, *chosen, "--shard", f"{number}/{OF}", **here(database_url))

    def begun(number: int) -> bool:
        query = "SELECT count(*) FROM tagdb.ingest_runs WHERE sources = %s"
        return connection.execute(query, ([f"{bad}, shard {number}/{OF}"],)).fetchone() != (0,)

    step("all at once")
    running = {number: shard(number) for number in range(1, OF + 1)}
    limit = time.monotonic() + LIMIT
    waited = set(KILLED)
    while waited and time.monotonic() < limit:
        for number in [each for each in waited if begun(each)]:
            running[number].send_signal(signal.SIGKILL)
            waited.remove(number)
        time.sleep(0.02)
    for number in KILLED:
        out, err = running.pop(number).communicate()
        print(number, out, err)
    unfinished = "SELECT count(*) FROM tagdb.ingest_runs WHERE finished_at IS NULL"
    said = [process.communicate(timeout=LIMIT) for process in running.values()]
    assert all("Traceback" not in err for _, err in said), said
    assert {process.returncode for process in running.values()} <= {0, 3}, said
    assert connection.execute(unfinished).fetchone() == (len(KILLED),)

    step("the two again")
    for number in KILLED:
        out, err = shard(number).communicate(timeout=LIMIT)
        assert out.startswith(f"shard {number}/{OF}: "), err
    finished(started("stats", "refresh", **here(database_url)))
    with database.connect(ingested) as one:
        assert contents(connection) == contents(one)
        counted = "SELECT hashtag, images FROM tagdb.hashtag_stats ORDER BY 1"
        assert connection.execute(counted).fetchall() == one.execute(counted).fetchall()
    assert stray(connection) == []
    rejected = (
        "SELECT e.line FROM tagdb.ingest_errors e JOIN tagdb.ingest_runs r USING (ingest_run_id)"
        " WHERE r.finished_at IS NOT NULL ORDER BY e.line"
    )
    assert connection.execute(rejected).fetchall() == [(line,) for line in range(402, 413)]
