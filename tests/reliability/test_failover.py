"""Another server takes over during an ingest: caught up, lagging behind, another database, read-only."""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import conninfo

from tagdb import ingest, store
from tagdb.config import Settings
from tagdb.embedding.backbone import Backbone
from tagdb.errors import DatabaseError
from tagdb.photos.sources import open_source
from tagdb.postgres import database, standby
from tagdb.postgres.server import Server
from tests.support.postgres import temporary_home
from tests.support.programs import SOAK

PHOTOS, BATCH = 400, 50


@dataclass
class Pair:
    """A primary and its standby, both embedded servers."""

    primary: Server
    standby: Server

    @property
    def url(self) -> str:
        """For libpq, which looks for the one that can be written to."""
        parts = [conninfo.conninfo_to_dict(server.url()) for server in (self.primary, self.standby)]
        hosts, ports = (
            quote(",".join(str(part[key]) for part in parts), safe=",") for key in ("host", "port")
        )
        return f"postgresql://tagdb@/tagdb?host={hosts}&port={ports}&target_session_attrs=read-write"

    def ask(self, server: Server, query: str) -> object:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            cursor = connection.execute(query.encode())
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None

    def until(self, server: Server, query: str) -> None:
        limit = time.monotonic() + 30
        while self.ask(server, query) is not True:
            assert time.monotonic() < limit, query
            time.sleep(0.02)

    def catch_up(self) -> None:
        """Wait until the standby has all that the primary has."""
        place = self.ask(self.primary, "SELECT pg_current_wal_flush_lsn()")
        self.until(self.standby, f"SELECT pg_last_wal_replay_lsn() >= '{place}'")

    def part(self) -> None:
        """Let the standby hear nothing more."""
        self.catch_up()
        self.ask(self.standby, "ALTER SYSTEM SET primary_conninfo = ''")
        self.ask(self.standby, "SELECT pg_reload_conf()")
        self.until(self.standby, "SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver)")

    def lose_primary(self) -> None:
        pid = self.primary.status().pid
        assert pid is not None
        os.kill(pid, signal.SIGQUIT)
        while self.primary.status().running:
            time.sleep(0.02)

    def promote(self) -> None:
        self.standby.promote()


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Both run, and the primary has the schema."""
    homes = temporary_home(), temporary_home()
    one = Pair(*map(Server, homes))
    try:
        one.primary.start()
        database.migrate(one.primary.url())
        standby.make(one.primary.url(), homes[1])
        yield one
    finally:
        for server, home in zip((one.primary, one.standby), homes, strict=True):
            server.stop()
            shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def ingesting(
    pair: Pair, manifest: Path, random_backbone: Backbone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., ingest.Summary]:
    """A function that ingests in batches, and before some of these does something else."""
    monkeypatch.setattr(ingest, "BATCH", BATCH)
    monkeypatch.setattr(database, "PATIENCE", 20.0)
    save = store.batches.save

    def run(before: dict[int, Callable[[], None]]) -> ingest.Summary:
        calls = 0

        def saving(*arguments: object, **named: object) -> store.ingest_runs.Counts:
            nonlocal calls
            calls += 1
            before.get(calls, lambda: None)()
            return save(*arguments, **named)  # type: ignore[arg-type]

        monkeypatch.setattr(store.batches, "save", saving)
        settings = Settings(tmp_path / "home", database_url=pair.url)
        with database.connect(pair.url) as connection, database.translated():
            return ingest.run(
                connection,
                random_backbone,
                [open_source(str(manifest))],
                ingest.Options(quiet=True),
                reconnect=lambda: database.reconnect(settings, lambda note: None),
            )

    return run


def stored(pair: Pair) -> object:
    return pair.ask(pair.standby, "SELECT count(*) FROM tagdb.images")


def test_a_standby_that_has_caught_up(pair: Pair, ingesting: Callable[..., ingest.Summary]) -> None:
    def fail_over() -> None:
        pair.catch_up()
        pair.lose_primary()
        pair.promote()

    assert ingesting({5: fail_over}).counts.new == PHOTOS
    assert stored(pair) == PHOTOS


def test_a_standby_that_lags_behind(pair: Pair, ingesting: Callable[..., ingest.Summary]) -> None:
    """What is acknowledged is lost with the primary; that is said, and the next ingest makes up for it."""

    def fail_over() -> None:
        pair.lose_primary()
        pair.promote()

    with pytest.raises(DatabaseError, match="has lost 3 of the 5 batches that it had stored"):
        ingesting({3: pair.part, 6: fail_over})
    assert stored(pair) == 2 * BATCH
    again = ingesting({})
    assert (again.counts.new, again.counts.known) == (PHOTOS - 2 * BATCH, 2 * BATCH)
    assert stored(pair) == PHOTOS


def test_a_standby_that_lags_behind_at_the_end(
    pair: Pair, ingesting: Callable[..., ingest.Summary], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the last batch: what follows it notices."""
    finish = ingest._Ingest._finish

    def finishing(self: ingest._Ingest, *arguments: object) -> None:
        pair.lose_primary()
        pair.promote()
        finish(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ingest._Ingest, "_finish", finishing)
    with pytest.raises(DatabaseError, match="has lost 2 of the 9 batches"):
        ingesting({8: pair.part})


def test_a_standby_that_never_heard_of_it(pair: Pair, ingesting: Callable[..., ingest.Summary]) -> None:
    """As is another database; also where its last ingest has the same number and as many batches."""
    pair.part()

    def fail_over() -> None:
        pair.lose_primary()
        pair.promote()
        with database.connect(pair.standby.url()) as connection:
            run = store.ingest_runs.begin(connection, ["another"])
            assert run == 1
            connection.execute("UPDATE tagdb_store.ingest_runs SET batches = 2")

    with pytest.raises(DatabaseError, match="knows nothing of this ingest: it is another one, or it lagged"):
        ingesting({3: fail_over})
    assert stored(pair) == 0


CONTENT = """
SELECT count(*), count(e.image_id), md5(string_agg(encode(i.content_sha256, 'hex') || h.hashtags, ','
                                                    ORDER BY i.content_sha256))
FROM tagdb_store.images i
LEFT JOIN tagdb_store.embeddings e ON e.image_id = i.image_id
CROSS JOIN LATERAL (
    SELECT coalesce(string_agg(t.hashtag, ' ' ORDER BY t.hashtag), '') AS hashtags
    FROM tagdb_store.image_hashtags l JOIN tagdb_store.hashtags t ON t.hashtag_id = l.hashtag_id
    WHERE l.image_id = i.image_id) h
"""
"""Number of images and embeddings, and a hash of all contents and their hashtags."""


@pytest.mark.parametrize("seed", range(2 * SOAK))
def test_a_promotion_at_any_moment(
    pair: Pair, ingesting: Callable[..., ingest.Summary], ingested: str, seed: int
) -> None:
    """Caught up or lagging: the same ingest again makes up for what was lost, if anything was."""
    rng = random.Random(seed)
    lagging = seed % 2 == 1

    def fail_over() -> None:
        time.sleep(rng.uniform(0, 0.3))
        if lagging:
            pair.part()
            time.sleep(rng.uniform(0, 0.3))
        pair.lose_primary()
        pair.promote()

    failing = threading.Thread(target=fail_over)
    lost = ""
    try:
        ingesting({1: failing.start})
    except DatabaseError as error:
        lost = str(error)
    failing.join()
    print(f"seed {seed}: lagging {lagging}: {lost or 'nothing was lost'}")
    ingesting({})
    with psycopg.connect(pair.standby.url()) as one, psycopg.connect(ingested) as other:
        assert one.execute(CONTENT).fetchone() == other.execute(CONTENT).fetchone()


def test_a_standby_that_is_not_promoted(
    pair: Pair, ingesting: Callable[..., ingest.Summary], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is waited for; and then it is said that nothing can be written."""
    monkeypatch.setattr(database, "PATIENCE", 1.0)
    url = pair.url.replace("read-write", "any")
    monkeypatch.setattr(Pair, "url", url)

    with pytest.raises(DatabaseError, match="did not come back: the server is read-only"):
        ingesting({3: pair.lose_primary})
    with pytest.raises(DatabaseError, match="the server is read-only, a standby"):
        ingesting({})
