"""Backups: what is restored is what was backed up, and whatever goes wrong leaves everything as it was."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import psycopg
import pytest
from click.testing import Result
from psycopg import sql

from tagdb import archive, backup, store
from tagdb.config import Settings
from tagdb.errors import BackupError, SchemaError, TagdbError
from tagdb.postgres import database
from tagdb.postgres.database import SCHEMA_REVISION, Connection
from tagdb.postgres.server import Server
from tests.support import seed
from tests.support.commands import complaint, invoke
from tests.support.migrating import Later
from tests.support.postgres import PASSWORD, Postgres, rows, temporary_home
from tests.support.programs import LIMIT, SOAK, finished, started

Make = Callable[[bool], str]
Tagdb = Callable[..., Result]

BATCH = 8
NOWHERE = "postgresql://nobody@nowhere.invalid/none"
TABLES = """
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = 'tagdb_store'::regnamespace AND c.relkind = 'r' ORDER BY 1
"""
SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'tagdb_store' ORDER BY 1"


def stored(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, partitions one by one, and every sequence."""
    with database.connect(url) as connection:
        connection.execute("SET timezone = 'UTC'")
        found = {"sequences": rows(connection, SEQUENCES)}
        for (table,) in rows(connection, TABLES):
            every = sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(
                sql.Identifier("tagdb_store", table)
            )
            found[table] = connection.execute(every).fetchall()
    return found


def answers(url: str) -> list[Any]:
    """What a database recommends, by each way to ask: exact numbers."""
    embedding = seed.literal(seed.features(1, 99)[0])
    query = store.answers.Query(known=["#TAG1"], diversity=0.5, popularity_discount=0.5, min_score=0)
    with database.connect(url) as connection:
        return [
            [rows(connection, "SELECT * FROM tagdb.recommend_for_image(%s)", n) for n in (1, 3, 20)],
            rows(connection, "SELECT * FROM tagdb.recommend_for_embedding(%s, top => 12)", embedding),
            store.answers.recommend(connection, seed.features(1, 98)[0].astype(np.float32), query),
            rows(connection, "SELECT * FROM tagdb.similar_images(%s, 20)", embedding),
            rows(connection, "SELECT * FROM tagdb.similar_images_to(3)"),
            rows(connection, "SELECT * FROM tagdb.related_hashtags('tag1')"),
            rows(connection, "SELECT * FROM tagdb.explain_recommendation(%s, 'tag2')", embedding),
            rows(connection, "SELECT * FROM tagdb.complete_hashtags('t', known => '{tag1}')"),
            rows(connection, "SELECT * FROM tagdb.hashtag_stats ORDER BY hashtag"),
            rows(connection, "SELECT * FROM tagdb.hashtag_pairs ORDER BY 1, 2"),
            rows(connection, "SELECT * FROM tagdb.acceptance"),
            rows(connection, "SELECT * FROM tagdb.hashtag_edits ORDER BY 1"),
        ]


def fill(url: str, images: int = 40) -> None:
    """A collection with all there can be: edits, feedback, statistics, rejections, and runs of all kinds."""
    with database.connect(url) as connection:
        world = seed.world(connection, images=images, hashtags=12, factors=8)
        store.backbones.add(connection, seed.identity(), b"network")
        run = store.ingest_runs.begin(connection, ["somewhere"])
        batch = [seed.image(n, "tag1", "tag2", "évian", "海", collection="travel") for n in range(3)]
        store.batches.save(
            connection,
            run,
            world.backbone_id,
            batch,
            [store.batches.Rejected("a\u202eb", 3, "bad", "failed")],
        )
        store.ingest_runs.finish(connection, run)
        seed.add_run(
            connection, world.image_ids, world.image_factors * np.float16(0.5), world.hashtag_ids[:9],
            world.hashtag_factors[:9],
        )  # fmt: skip
        store.runs.discard(connection, seed.begin_run(connection, 3))
        seed.begin_run(connection, 3)
        store.tags.edit(connection, "alias", ["tag3"], "tag4")
        store.tags.edit(connection, "ban", ["tag5"])
        connection.execute("SELECT tagdb.give_feedback(1, '{tag6,new}', '{tag7}')")
        store.statistics.refresh(connection, 1)


@pytest.fixture
def collection(database_url: str) -> str:
    """The URL of a database with all there can be in it."""
    fill(database_url)
    return database_url


@pytest.fixture
def at(tmp_path: Path) -> Callable[[str], Settings]:
    """Settings for a database by its URL."""
    return lambda url: Settings(tmp_path / "home", database_url=url)


@pytest.fixture
def saved(collection: str, at: Callable[[str], Settings], tmp_path: Path) -> Path:
    """A backup of that collection."""
    file = tmp_path / "photos.tagdb"
    backup.back_up(at(collection), file, print, quiet=True)
    return file


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tagdb:
    """Runs a command on a database, in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TAGDB_HOME", str(tmp_path / "home"))

    def run(url: str, *arguments: object) -> Result:
        monkeypatch.setenv("TAGDB_DATABASE_URL", url)
        return invoke(*arguments)

    return run


@pytest.fixture
def bundled(postgres: Postgres) -> Callable[..., str]:
    """A function that runs one of the bundle's programs."""

    def ran(name: str, *arguments: object) -> str:
        words = [postgres.program(name), *map(str, arguments)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if "version mismatch" in done.stderr:
            pytest.skip("the server is newer than the bundled programs")
        assert done.returncode == 0, done.stderr
        return done.stdout

    return ran


@pytest.fixture
def schema(bundled: Callable[..., str]) -> Callable[[str], str]:
    """A function that tells a database's schema, with its rights."""

    def told(url: str) -> str:
        said = bundled("pg_dump", "--schema-only", "--no-owner", "--schema=tagdb*", url)
        return "\n".join(line for line in said.splitlines() if not line.startswith(("\\", "--")))

    return told


# --- the same again ------------------------------------------------------------------------------


def test_a_restored_database_is_the_same(
    collection: str,
    saved: Path,
    empty_database_url: str,
    at: Callable[[str], Settings],
    schema: Callable[[str], str],
) -> None:
    """Row by row, object by object with its rights, and to the last digit of what is recommended."""
    done = backup.restore(at(empty_database_url), saved, print, quiet=True)
    assert done.schema == SCHEMA_REVISION
    assert stored(empty_database_url) == stored(collection)
    assert schema(empty_database_url) == schema(collection)
    before = answers(collection)
    assert all(before)
    assert answers(empty_database_url) == before
    with database.connect(empty_database_url) as connection:
        known = "SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'tagdb_store'"
        assert {("images",), ("embeddings",), ("embeddings_1",)} <= set(rows(connection, known))


def test_a_restored_database_lives_on(
    saved: Path, make_database: Make, at: Callable[[str], Settings]
) -> None:
    """Ingest, feedback, edits, factors, a vector index: all goes on as if nothing had been."""
    found = []
    for url in (make_database(False), make_database(False)):
        backup.restore(at(url), saved, print, quiet=True)
        with database.connect(url) as connection:
            backbone = store.backbones.active(connection)
            assert backbone is not None
            run = store.ingest_runs.begin(connection, ["here"])
            batch = [seed.image(n, "tag1", "new too") for n in range(2, 5)]
            counts = store.batches.save(connection, run, backbone.backbone_id, batch, [])
            assert counts.new == 2
            store.tags.undo(connection)
            connection.execute("SELECT tagdb.give_feedback(2, '{tag6}', '{tag8}')")
            assert store.runs.discard_abandoned(connection) == 1
            connection.execute("SELECT tagdb_store.activate_factor_run(1)")
            store.statistics.refresh(connection)
            seed.add_index(connection, backbone.backbone_id)
        found.append(answers(url)[:7])
    assert found[0] == found[1]


def test_what_waits_for_an_answer_is_not_kept(
    collection: str, empty_database_url: str, program: Tagdb, tmp_path: Path
) -> None:
    """Neither photos that came by SQL nor answers: nobody would be there to ask for them."""
    with database.connect(collection) as connection:
        connection.execute("SELECT tagdb.submit_photo('photo')")
    assert program(collection, "backup", tmp_path / "file.tagdb").exit_code == 0
    assert program(empty_database_url, "restore", tmp_path / "file.tagdb").exit_code == 0
    with database.connect(empty_database_url) as connection:
        assert rows(connection, "SELECT count(*) FROM tagdb_store.requests") == [(0,)]
        assert rows(connection, "SELECT tagdb.submit_photo('photo')") == [(2,)]


def test_with_a_vector_index(
    collection: str, empty_database_url: str, at: Callable[[str], Settings], tmp_path: Path
) -> None:
    """It is built anew, and searched."""
    with database.connect(collection) as connection:
        seed.add_index(connection, 1)
    backup.back_up(at(collection), tmp_path / "file", print, quiet=True)
    backup.restore(at(empty_database_url), tmp_path / "file", print, quiet=True)
    assert answers(empty_database_url) == answers(collection)
    with database.connect(empty_database_url) as connection:
        hnsw = "SELECT count(*) FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid"
        hnsw += " JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'hnsw' AND x.indisvalid"
        assert rows(connection, hnsw) == [(1,)]


def test_plain_pg_dump_and_pg_restore(
    collection: str, empty_database_url: str, bundled: Callable[..., str], tmp_path: Path
) -> None:
    """They set an empty search_path, in which functions, triggers and indexes must work."""
    bundled("pg_dump", "--format=custom", f"--file={tmp_path / 'plain.dump'}", collection)
    bundled("pg_restore", "--exit-on-error", f"--dbname={empty_database_url}", tmp_path / "plain.dump")
    assert stored(empty_database_url) == stored(collection)
    assert answers(empty_database_url) == answers(collection)
    with database.connect(empty_database_url) as connection:
        connection.execute("SET search_path = ''")
        store.statistics.refresh(connection)
        assert store.backbones.add(connection, seed.identity(2)) == 2
        assert rows(connection, "SELECT count(*) FROM tagdb.recommend_for_image(3)") != [(0,)]


def test_the_dump_inside_is_pg_dumps(
    saved: Path, collection: str, empty_database_url: str, bundled: Callable[..., str], tmp_path: Path
) -> None:
    """Whoever has no tagdb any more still gets at everything, with unzip and PostgreSQL's own programs."""
    with zipfile.ZipFile(saved) as opened:
        assert opened.testzip() is None
        opened.extractall(tmp_path)
        assert json.loads(opened.read("backup.json"))["counts"]["images"] == 43
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE EXTENSION vector")
    bundled("pg_restore", "--exit-on-error", f"--dbname={empty_database_url}", tmp_path / "database.dump")
    assert stored(empty_database_url) == stored(collection)


def test_a_backup_of_an_older_tagdb_is_upgraded(
    saved: Path,
    collection: str,
    make_database: Make,
    later: Later,
    at: Callable[[str], Settings],
    tmp_path: Path,
) -> None:
    """It is the same as what is upgraded in its place; and nobody goes back."""
    before = answers(collection)
    target = make_database(False)
    said = finished(later.started("restore", saved, TAGDB_DATABASE_URL=target))
    assert f"upgraded the schema from {SCHEMA_REVISION} to {later.revision}\n" in said
    assert answers(target) == before
    # before an upgrade, say
    older, newer = tmp_path / "older", tmp_path / "newer"
    finished(later.started("backup", older, TAGDB_DATABASE_URL=collection))
    assert backup.check(older, quiet=True).schema == SCHEMA_REVISION
    finished(later.started("init", TAGDB_DATABASE_URL=collection))
    assert stored(target) == stored(collection)
    finished(later.started("backup", newer, TAGDB_DATABASE_URL=collection))
    with pytest.raises(SchemaError, match=f"has schema {later.revision}, newer than this tagdb knows"):
        backup.restore(at(target), newer, print, replace=True, quiet=True)


def test_pgvector_in_another_schema(
    make_database: Make, at: Callable[[str], Settings], tmp_path: Path
) -> None:
    source, target, other = (make_database(False) for _ in range(3))
    with psycopg.connect(source) as connection:
        connection.execute('CREATE SCHEMA "Our ext"; CREATE EXTENSION vector SCHEMA "Our ext"')
    database.migrate(source)
    fill(source)
    done = backup.back_up(at(source), tmp_path / "file", print, quiet=True)
    assert done.pgvector_schema == "Our ext"
    backup.restore(at(target), tmp_path / "file", print, quiet=True)
    assert stored(target) == stored(source)
    assert answers(target) == answers(source)
    database.migrate(other)
    with pytest.raises(
        BackupError, match=r"has pgvector in schema public, but the backup has it in Our ext; move"
    ):
        backup.restore(at(other), tmp_path / "file", print, quiet=True)


def test_rights_are_restored_for_the_roles_that_exist(
    role: Callable[..., str],
    make_database: Make,
    at: Callable[[str], Settings],
    schema: Callable[[str], str],
    tmp_path: Path,
) -> None:
    """Those of the groups and of who is there come along; whoever is not there is named and left out."""
    here, gone = role(), role()
    source, target = make_database(True), make_database(False)
    with psycopg.connect(source) as connection:
        for name in (here, gone):
            connection.execute(f'GRANT SELECT ON tagdb.images TO "{name}"')
            connection.execute(f'GRANT UPDATE (candidates) ON tagdb_store.backbones TO "{name}"')
    backup.back_up(at(source), tmp_path / "file", print, quiet=True)
    before = schema(source)
    with psycopg.connect(source) as connection:
        connection.execute(f'DROP OWNED BY "{gone}"; ALTER ROLE "{gone}" RENAME TO "{gone}_renamed"')
    said = list[str]()
    try:
        backup.restore(at(target), tmp_path / "file", said.append, quiet=True)
    finally:
        with psycopg.connect(source) as connection:
            connection.execute(f'ALTER ROLE "{gone}_renamed" RENAME TO "{gone}"')
    assert said == [f"left out the rights of roles missing here: {gone}"]
    lines = [line for line in before.splitlines() if gone not in line]
    assert len(lines) == len(before.splitlines()) - 2
    assert schema(target).splitlines() == lines


def test_onto_the_embedded_server_from_nothing(saved: Path, collection: str) -> None:
    """A machine where tagdb has just been installed: no server runs, and nobody has made the group roles."""
    home = temporary_home()
    try:
        assert "started the embedded" in finished(started("restore", saved, TAGDB_HOME=str(home)))
        url = Server(home).url()
        assert stored(url) == stored(collection)
        assert answers(url) == answers(collection)
        with psycopg.connect(url) as connection:
            member = "SELECT pg_has_role('tagdb_writer', 'tagdb_analyst', 'MEMBER')"
            assert connection.execute(member).fetchone() == (True,)
            member = "SELECT pg_has_role('tagdb_reader', 'tagdb_asker', 'MEMBER')"
            assert connection.execute(member).fetchone() == (True,)
    finally:
        Server(home).stop()
        shutil.rmtree(home)


# --- while others write --------------------------------------------------------------------------


@contextmanager
def ingesting(url: str) -> Iterator[Callable[[], int]]:
    """An ingest that goes on beside the block; a function tells how many batches it has stored."""
    stop, done, failed = threading.Event(), [0], list[BaseException]()

    def ingest() -> None:
        try:
            with database.connect(url) as connection:
                backbone_id = store.backbones.add(connection, seed.identity())
                run = store.ingest_runs.begin(connection, ["here"])
                while not stop.wait(0.02):  # or a soak would back up ever more
                    numbers = range(done[0] * BATCH, (done[0] + 1) * BATCH)
                    batch = [seed.image(n, f"tag{n % 7}", f"own{n}") for n in numbers]
                    store.batches.save(connection, run, backbone_id, batch, [])
                    done[0] += 1
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=ingest)
    thread.start()
    try:
        yield lambda: done[0]
    finally:
        stop.set()
        thread.join()
    assert not failed, failed


def test_while_an_ingest_writes(
    database_url: str, make_database: Make, at: Callable[[str], Settings], tmp_path: Path
) -> None:
    """What is restored is what there was at one moment: whole batches, every image with all that it has."""
    trials = 3 * SOAK
    seen = []
    with ingesting(database_url) as batches:
        for trial in range(trials):
            before, deadline = batches(), time.monotonic() + LIMIT
            while batches() < before + 2:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            backup.back_up(at(database_url), tmp_path / f"{trial}", print, quiet=True)
            seen.append((before, batches()))
    for trial, (before, after) in enumerate(seen):
        target = make_database(False)
        done = backup.restore(at(target), tmp_path / f"{trial}", print, quiet=True)
        assert before * BATCH <= done.counts.images <= after * BATCH
        with database.connect(target) as connection:
            images = done.counts.images
            assert images % BATCH == 0
            for table, count in (("images", images), ("image_files", images), ("image_hashtags", images * 2)):
                assert rows(connection, f"SELECT count(*) FROM tagdb_store.{table}") == [(count,)], table
            embedded = "SELECT count(*) FROM tagdb_store.images JOIN tagdb_store.embeddings USING (image_id)"
            assert rows(connection, embedded) == [(images,)]
            orphans = "SELECT count(*) FROM tagdb_store.hashtags h WHERE NOT EXISTS (SELECT"
            orphans += " FROM tagdb_store.image_hashtags x WHERE x.hashtag_id = h.hashtag_id)"
            assert rows(connection, orphans) == [(0,)]
    print(f"{trials} backups beside an ingest: {seen}")
    assert any(after > before + 2 for before, after in seen)  # it did go on meanwhile


def test_a_table_that_goes_before_it_is_locked(
    collection: str, at: Callable[[str], Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of a run that is pruned meanwhile: pg_dump begins anew."""
    running, begun = backup.running, list[int]()

    @contextmanager
    def failing(*arguments: Any) -> Iterator[Any]:
        begun.append(1)
        if len(begun) < 3:
            raise BackupError('pg_dump failed: relation "tagdb_store.image_factors_1" does not exist')
        with running(*arguments) as process:
            yield process

    monkeypatch.setattr(backup, "running", failing)
    backup.back_up(at(collection), tmp_path / "file", print, quiet=True)
    assert len(begun) == 3
    backup.check(tmp_path / "file", quiet=True)


def test_others_are_not_waited_for_for_ever(
    saved: Path,
    collection: str,
    at: Callable[[str], Settings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backup, "PATIENCE", "100ms")
    before = stored(collection)
    with database.connect(collection) as connection, connection.transaction():
        connection.execute("LOCK TABLE tagdb_store.hashtags")
        with pytest.raises(BackupError, match="other sessions have locked tagdb's tables"):
            backup.back_up(at(collection), tmp_path / "file", print, quiet=True)
        with pytest.raises(BackupError, match=r"other sessions have locked .* the database is as it was"):
            backup.restore(at(collection), saved, print, replace=True, quiet=True)
    assert stored(collection) == before
    assert not (tmp_path / "file").exists()


# --- damage --------------------------------------------------------------------------------------


def damaged(content: bytes, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """Every kind of damage, at random places."""
    for _ in range(150 * SOAK):
        at, bit = rng.randrange(len(content)), rng.randrange(8)
        changed = bytearray(content)
        changed[at] ^= 1 << bit
        yield f"bit {bit} of byte {at} flipped", bytes(changed)
    for _ in range(50 * SOAK):
        length = rng.randrange(len(content))
        yield f"{length} bytes left", content[:length]
    for at in (*range(0, 100, 9), *range(len(content) - 300, len(content), 19)):  # zip's own parts
        changed = bytearray(content)
        changed[at] ^= 0xFF
        yield f"byte {at} inverted", bytes(changed)
    for size in (1, 63, 64, 65, 5000):
        yield f"{size} bytes of garbage", rng.randbytes(size)
        yield f"{size} bytes of garbage before", rng.randbytes(size) + content
        yield f"{size} bytes of garbage behind", content + rng.randbytes(size)
        yield f"{size} zeros at the end", content[:-size] + bytes(size)
    yield "nothing", b""
    yield "twice", content * 2


def test_damage_is_found_before_anything_is_touched(
    saved: Path, make_database: Make, at: Callable[[str], Settings], tmp_path: Path
) -> None:
    number = random.SystemRandom().randrange(1 << 32)
    print(f"seed {number}")
    target = make_database(True)
    fill(target, 20)
    before, file, trials = stored(target), tmp_path / "damaged", 0
    for what, content in damaged(saved.read_bytes(), random.Random(number)):
        file.write_bytes(content)
        with pytest.raises(BackupError) as refused:
            backup.restore(
                at("postgresql://nobody@nowhere.invalid/none"), file, print, replace=True, quiet=True
            )
        assert str(file) in str(refused.value), what
        trials += 1
    with pytest.raises(BackupError):
        backup.restore(at(target), file, print, replace=True, quiet=True)
    assert stored(target) == before
    print(f"{trials} damaged backups refused")


def test_damage_that_comes_after_the_check(
    saved: Path,
    make_database: Make,
    at: Callable[[str], Settings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The file changes while it is restored: all of it is undone."""
    monkeypatch.setattr(archive, "_check_sum", lambda *arguments: None)
    number = random.SystemRandom().randrange(1 << 32)
    print(f"seed {number}")
    rng, content, target = random.Random(number), saved.read_bytes(), make_database(True)
    fill(target, 20)
    before, file = stored(target), tmp_path / "damaged"
    for _ in range(8 * SOAK):
        changed = bytearray(content)
        at_byte = rng.randrange(200, len(content) - 1200)  # in the dump
        changed[at_byte] ^= 1 << rng.randrange(8)
        file.write_bytes(changed)
        with pytest.raises(TagdbError):
            backup.restore(at(target), file, print, replace=True, quiet=True)
        assert stored(target) == before, at_byte


def rewritten(saved: Path, target: Path, **changes: Any) -> Path:
    """The same backup with another description, and checksums that fit."""
    with archive.opened(saved, quiet=True) as found:
        archive.write(target, found.dump(), replace(found.description, **changes), force=True)
    return target


def test_files_of_others(
    saved: Path, collection: str, program: Tagdb, tmp_path: Path, bundled: Callable[..., str]
) -> None:
    """Each has a sentence of its own; the database is not even asked."""

    def said(file: Path) -> str:
        return complaint(program(NOWHERE, "restore", file)).replace(str(file), "FILE")

    assert said(tmp_path / "gone") == "Error: cannot read FILE: No such file or directory"
    assert said(tmp_path) == "Error: cannot read FILE: Is a directory"
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("photo.jpg", b"x" * 1000)
    (tmp_path / "words").write_text("file_name,hashtags\n" * 50)
    for name in ("other.zip", "words"):
        assert said(tmp_path / name) == "Error: FILE is not a tagdb backup"
    bundled("pg_dump", "--format=custom", f"--file={tmp_path / 'plain'}", collection)
    assert said(tmp_path / "plain") == "Error: FILE was written by pg_dump; restore it with pg_restore"
    file = rewritten(saved, tmp_path / "newer", schema="9999")
    knows = f"newer than this tagdb knows ({SCHEMA_REVISION}); upgrade tagdb"
    assert said(file) == f"Error: FILE has schema 9999, {knows}"
    file = rewritten(saved, tmp_path / "newest", format=3)
    assert said(file) == "Error: FILE has format 3, newer than this tagdb can read (2); upgrade tagdb"
    file = rewritten(saved, tmp_path / "unreleased", format=1)
    assert said(file) == (
        "Error: FILE was made by a development version of tagdb and cannot be restored; "
        "ingest the photos again"
    )
    for strange in ({"schema": 5}, {"pgvector_schema": None}, {"counts": replace_counts(saved, images="1")}):
        file = rewritten(saved, tmp_path / "strange", **strange)
        assert said(file) == "Error: FILE is damaged or incomplete; use another copy"


def replace_counts(saved: Path, **changes: Any) -> store.backup.Counts:
    with archive.opened(saved, quiet=True) as found:
        return replace(found.description.counts, **changes)


def test_what_comes_out_must_be_what_went_in(
    saved: Path, make_database: Make, at: Callable[[str], Settings], tmp_path: Path
) -> None:
    """Compared before anybody sees it."""
    target = make_database(True)
    fill(target, 20)
    before = stored(target)
    for changes in ({"images": 44}, {"hashtags": 0}, {"embeddings": 42}, {"factor_run": None}):
        file = rewritten(saved, tmp_path / "other", counts=replace_counts(saved, **changes))
        with pytest.raises(BackupError, match=r"is not what went in: .*; the database is as it was"):
            backup.restore(at(target), file, print, replace=True, quiet=True)
        assert stored(target) == before


# --- nothing is overwritten ----------------------------------------------------------------------


def test_what_only_some_servers_know_is_left_out() -> None:
    """But not of the rows, whatever these say."""
    rows = b"COPY a.b (c) FROM stdin;\nALTER TABLE ONLY a.b ALTER COLUMN c SET (pg_attver=12);\n\\.\n"
    script = b"""SET statement_timeout = 0;
SET transaction_timeout = 0;
ALTER TABLE ONLY a.b ALTER COLUMN c SET (pg_attver=12);
ALTER TABLE ONLY a.b ALTER COLUMN c SET (n_distinct=-0.5, pg_attver=12);
ALTER TABLE ONLY a.b ALTER COLUMN c SET (pg_attver=12, n_distinct=-0.5);
ALTER TABLE ONLY a.b ALTER COLUMN c SET (x=1, pg_attver=12, n_distinct=-0.5);
"""
    assert (
        b"".join(backup._portable(io.BytesIO(script + rows)))
        == b"""SET statement_timeout = 0;
ALTER TABLE ONLY a.b ALTER COLUMN c SET (n_distinct=-0.5);
ALTER TABLE ONLY a.b ALTER COLUMN c SET (n_distinct=-0.5);
ALTER TABLE ONLY a.b ALTER COLUMN c SET (x=1, n_distinct=-0.5);
"""
        + rows
    )


def test_a_check_of_a_database_that_cannot_be_reached(saved: Path, at: Callable[[str], Settings]) -> None:
    said: list[str] = []
    checked = backup.check(saved, at("postgresql://127.0.0.1:1/nowhere"), said.append, quiet=True)
    assert checked.counts.images == 43
    assert "whether the database can take it was not checked: cannot connect" in said[0]


def test_a_file_is_not_overwritten(collection: str, program: Tagdb, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        done = program(collection, "backup", "photos.tagdb", "--json")
    finally:
        os.umask(old)
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    file = tmp_path / "photos.tagdb"
    with zipfile.ZipFile(file) as opened:
        assert json.loads(opened.read("backup.json")) == json.loads(done.stdout)
    facts = json.loads(done.stdout)
    assert facts["counts"] == {"images": 43, "hashtags": 15, "embeddings": 43, "factor_run": 2}
    assert file.stat().st_mode & 0o777 == 0o600
    content = file.read_bytes()
    exists = "Error: photos.tagdb exists; name another file, or replace it with --force"
    assert complaint(program(collection, "backup", "photos.tagdb")) == exists
    assert file.read_bytes() == content
    again = program(collection, "backup", "photos.tagdb", "--force")
    assert again.exit_code == 0, again.output
    assert again.stdout.startswith("photos.tagdb: 43 images, 15 hashtags, 43 embeddings, factor run 2; 0.")
    assert file.read_bytes() != content
    assert "is a folder; name a file in it" in complaint(program(collection, "backup", tmp_path))
    missing = complaint(program(collection, "backup", tmp_path / "no" / "where"))
    assert "no does not exist; create it first" in missing
    os.mkfifo(tmp_path / "pipe")
    assert "is not a regular file; name another" in complaint(
        program(collection, "backup", "--force", "pipe")
    )
    assert "a backup needs a file" in complaint(program(collection, "backup", "-"))
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    assert "link is not a regular file" in complaint(program(collection, "backup", "--force", "link"))
    (tmp_path / "newest").symlink_to(file)
    assert "newest exists" in complaint(program(collection, "backup", "newest"))
    content = file.read_bytes()
    assert program(collection, "backup", "--force", "newest").exit_code == 0
    assert (tmp_path / "newest").is_symlink()  # what it leads to is replaced
    assert file.read_bytes() != content
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_file_that_comes_meanwhile(
    collection: str, at: Callable[[str], Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = backup._dump

    def slow(*arguments: Any) -> Iterator[bytes]:
        yield from dump(*arguments)
        (tmp_path / "file").write_text("somebody's")

    monkeypatch.setattr(backup, "_dump", slow)
    with pytest.raises(BackupError, match="was created by another program in the meantime"):
        backup.back_up(at(collection), tmp_path / "file", print, quiet=True)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["file"]
    assert (tmp_path / "file").read_text() == "somebody's"


def test_a_back_up_that_is_killed_leaves_no_file(
    collection: str, at: Callable[[str], Settings], tmp_path: Path
) -> None:
    """What it had written is taken away by the next one, but nothing of one that runs is."""
    folder = tmp_path / "backups"
    folder.mkdir()
    process = started("backup", folder / "file", TAGDB_DATABASE_URL=collection, TAGDB_HOME=str(tmp_path))
    deadline = time.monotonic() + LIMIT
    while not list(folder.iterdir()):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)
    time.sleep(0.01)
    process.send_signal(signal.SIGSTOP)
    (partial,) = folder.iterdir()
    assert partial.stat().st_mode & 0o777 == 0o600
    archive._remove_abandoned(folder)
    assert list(folder.iterdir()) == [partial]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert list(folder.iterdir()) == [partial]
    backup.back_up(at(collection), folder / "file", print, quiet=True)
    assert [path.name for path in folder.iterdir()] == ["file"]


def test_what_no_restore_would_accept_is_not_backed_up(collection: str, program: Tagdb) -> None:
    with database.connect(collection) as connection:
        try:
            connection.execute("SET session_replication_role = replica")
        except psycopg.errors.InsufficientPrivilege:
            pytest.skip("needs a superuser")
        connection.execute("DELETE FROM tagdb_store.ingest_runs")
    said = complaint(program(collection, "backup", "photos.tagdb"))
    assert said.startswith("Error: 3 rows of images have lost the ingest run they belong to, so no restore")
    assert not Path("photos.tagdb").exists()


def test_a_restore_into_a_read_only_database(saved: Path, make_database: Make, program: Tagdb) -> None:
    target = make_database(True)
    name = psycopg.conninfo.conninfo_to_dict(target)["dbname"]
    with database.connect(target) as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
    for command in (("restore", saved), ("restore", saved, "--check")):
        said = complaint(program(target, *command))
        assert said.endswith(f"run: ALTER DATABASE {name} RESET default_transaction_read_only")


def test_a_database_is_not_overwritten(
    saved: Path, collection: str, database_url: str, make_database: Make, program: Tagdb
) -> None:
    target = make_database(True)
    with database.connect(target) as connection:
        seed.world(connection, images=10)
    before = stored(target)
    holds = (
        "already holds images; name an empty one with --database-url, or replace everything tagdb has in it"
    )
    assert f"{holds} with --replace" in complaint(program(target, "restore", saved))
    assert stored(target) == before
    done = program(target, "restore", saved, "--replace")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"restored {saved} of 20")
    assert stored(target) == stored(collection)
    # where there is a schema without images there is nothing to lose
    initialised = make_database(True)
    done = program(initialised, "restore", saved, "--json")
    assert json.loads(done.stdout)["counts"]["images"] == 43
    assert stored(initialised) == stored(collection)


def test_images_that_come_meanwhile_are_not_dropped(
    saved: Path, make_database: Make, at: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    target, examined = make_database(True), backup._examined

    def late(connection: Connection, *arguments: Any) -> Any:
        found = examined(connection, *arguments)
        seed.add_images(connection, 3)
        return found

    monkeypatch.setattr(backup, "_examined", late)
    with pytest.raises(BackupError, match="has got images meanwhile; the database is as it was"):
        backup.restore(at(target), saved, print, quiet=True)
    with database.connect(target) as connection:
        assert rows(connection, "SELECT count(*) FROM tagdb.images") == [(3,)]


def test_a_view_in_place_of_the_images(
    saved: Path, collection: str, empty_database_url: str, at: Callable[[str], Settings]
) -> None:
    """Reading it could run somebody's function with our rights: it is not read."""
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE SCHEMA tagdb_store; CREATE VIEW tagdb_store.images AS SELECT 1/0")
    with pytest.raises(BackupError, match="images is none of tagdb's tables"):
        backup.restore(at(empty_database_url), saved, print, quiet=True)
    backup.restore(at(empty_database_url), saved, print, replace=True, quiet=True)
    assert stored(empty_database_url) == stored(collection)


def test_what_others_built_on_it_is_not_dropped_along(saved: Path, collection: str, program: Tagdb) -> None:
    with psycopg.connect(collection) as connection:
        connection.execute(
            "CREATE SCHEMA bi; CREATE VIEW bi.mine AS SELECT * FROM tagdb.images;"
            'CREATE TABLE bi."Notes" (image_id bigint REFERENCES tagdb_store.images);'
            "CREATE FUNCTION bi.f() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM tagdb.images; END"
        )
    before = stored(collection)
    said = complaint(program(collection, "restore", saved, "--replace"))
    assert 'would also drop what uses them: bi."Notes", bi.f(), bi.mine; drop or move it first' in said
    assert stored(collection) == before
    with psycopg.connect(collection) as connection:
        connection.execute("DROP SCHEMA bi CASCADE")
    assert program(collection, "restore", saved, "--replace").exit_code == 0


def test_a_restore_that_is_killed_leaves_the_old_content(
    database_url: str, make_database: Make, at: Callable[[str], Settings], tmp_path: Path
) -> None:
    """Killed at random moments: there is all of the old, or all of the new, and the next one succeeds."""
    fill(database_url, 1000)
    backup.back_up(at(database_url), tmp_path / "file", print, quiet=True)
    target = make_database(True)
    fill(target, 20)
    old, new = stored(target), stored(database_url)
    number = random.SystemRandom().randrange(1 << 32)
    rng, here = random.Random(number), {"TAGDB_DATABASE_URL": target, "TAGDB_HOME": str(tmp_path)}
    begun = time.monotonic()
    finished(started("restore", "--check", tmp_path / "file", **here))
    start = time.monotonic() - begun
    print(f"seed {number}")
    hits = 0
    for trial in range(3 * SOAK):
        process = started("restore", "--replace", tmp_path / "file", **here)
        wait_for(target, process)
        delay = 0.0 if trial == 0 else rng.uniform(0, 2 * start)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        wait_for_nobody(target)
        now = stored(target)
        assert now in (old, new)
        hits += now == old
        print(f"killed {delay:.2f} s after it had begun: {'as it was' if now == old else 'done already'}")
        if now == new:
            old = new
    assert hits
    finished(started("restore", "--replace", tmp_path / "file", **here))
    assert stored(target) == new


def test_what_psql_hears_of_a_killed_restore_commits_nothing(
    saved: Path,
    make_database: Make,
    at: Callable[[str], Settings],
    bundled: Callable[..., str],
    postgres: Postgres,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its input ends: after any statement, in the middle of rows, before the last word."""
    heard, send = bytearray(), backup.send

    def overheard(process: Any, data: bytes, end: bool = False) -> None:
        heard.extend(data)
        send(process, data, end)

    monkeypatch.setattr(backup, "send", overheard)
    target = make_database(True)
    backup.restore(at(target), saved, print, replace=True, quiet=True)
    new = stored(target)
    assert heard.endswith(b"COMMIT;\n")
    number = random.SystemRandom().randrange(1 << 32)
    print(f"seed {number}")
    rng = random.Random(number)
    ends = [place for place in range(len(heard)) if heard[place - 1 : place + 1] == b"\n\n"]
    cuts = [len(heard) - len(b"COMMIT;\n"), *rng.sample(ends, 8 * SOAK)]
    cuts += [rng.randrange(len(heard)) for _ in range(4 * SOAK)]
    psql = [postgres.program("psql"), *backup._PSQL, f"--dbname={target}"]
    for cut in cuts:
        subprocess.run(psql, input=bytes(heard[:cut]), capture_output=True, check=False)
        assert stored(target) == new, cut


AT_WORK = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'tagdb' AND pid <> pg_backend_pid()"
)


def wait_for(url: str, process: subprocess.Popen[str]) -> None:
    """Until psql is at work."""
    deadline = time.monotonic() + LIMIT
    with database.connect(url) as connection:
        while rows(connection, AT_WORK + " AND xact_start IS NOT NULL AND state <> 'idle'") == [(0,)]:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.005)


def wait_for_nobody(url: str) -> None:
    """Until whoever was at work has noticed that nobody listens."""
    deadline = time.monotonic() + LIMIT
    with database.connect(url) as connection:
        while rows(connection, AT_WORK) != [(0,)]:
            assert time.monotonic() < deadline
            time.sleep(0.02)


# --- who may, and who sees what ------------------------------------------------------------------


@contextmanager
def watched() -> Iterator[list[bytes]]:
    """The arguments of all processes that there are beside the block."""
    stop, seen = threading.Event(), set[bytes]()

    def watch() -> None:
        while not stop.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(path.read_bytes())
                except OSError:
                    continue

    found: list[bytes] = []
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()
        found += seen


def test_no_password_in_arguments(
    login: Callable[..., str],
    saved: Path,
    postgres: Postgres,
    make_database: Make,
    tmp_path: Path,
) -> None:
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("needs /proc")
    owner = login(make_database(True))
    name = psycopg.conninfo.conninfo_to_dict(owner)["user"]
    with psycopg.connect(postgres.url) as connection:
        connection.execute(f'ALTER ROLE "{name}" SUPERUSER')
    here = {"TAGDB_DATABASE_URL": owner, "TAGDB_HOME": str(tmp_path)}
    with watched() as seen:
        finished(started("restore", saved, **here))
        finished(started("backup", tmp_path / "again", **here))
    text = b"\n".join(seen)
    assert b"pg_dump" in text
    assert b"psql" in text
    for spelling in (PASSWORD, quote(PASSWORD), quote(PASSWORD, safe=""), PASSWORD.replace("'", "\\'")):
        assert spelling.encode() not in text
    assert PASSWORD.split("'")[0].encode() not in text


def test_who_may_not(login: Callable[..., str], saved: Path, collection: str, program: Tagdb) -> None:
    """A reader and a writer are told so, in one sentence, and that no role of tagdb's is enough."""
    before = stored(collection)
    for group in ("tagdb_asker", "tagdb_reader", "tagdb_analyst", "tagdb_writer"):
        theirs = login(collection, group)
        for command in (("backup", "theirs"), ("restore", saved, "--replace")):
            said = complaint(program(theirs, *command))
            assert "your login may not do this" in said
            assert "use the database owner's login" in said
    assert stored(collection) == before


# --- at the command line -------------------------------------------------------------------------


def test_what_a_newcomer_types(saved: Path, empty_database_url: str, program: Tagdb) -> None:
    assert "Missing argument 'FILE'" in program(empty_database_url, "backup").stderr
    nothing = complaint(program(empty_database_url, "backup", "new"))
    assert nothing == "Error: the database has no tagdb schema yet; run: tagdb init"
    checked = program(NOWHERE, "restore", "--check", saved)
    assert checked.exit_code == 0, checked.output
    assert checked.stdout.startswith(f"{saved} of 20")
    assert f"43 images, 15 hashtags, 43 embeddings, factor run 2; schema {SCHEMA_REVISION}" in checked.stdout
    rude = rewritten(saved, saved.with_name("rude"), tagdb="\x1b[2J", schema="\x1b0")
    assert "\x1b" not in program(NOWHERE, "restore", "--check", rude).output
    both = program(NOWHERE, "restore", "--check", "--replace", saved)
    assert both.exit_code == 2


def test_a_newer_server_needs_newer_programs(
    collection: str, program: Tagdb, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """They are looked for on the path."""
    from tagdb.postgres import programs

    monkeypatch.setattr(programs.Server, "program", lambda self, name: Path("/bin/false"))
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    said = complaint(program(collection, "backup", "new"))
    assert "this needs pg_dump of PostgreSQL" in said
    fake = folder / "pg_dump"
    fake.write_text(
        "#!/bin/sh\nif [ $1 = --version ]; then echo 'pg_dump (PostgreSQL) 99.1'; else echo me; fi\n"
    )
    fake.chmod(0o755)
    assert program(collection, "backup", tmp_path / "new").exit_code == 0
    assert backup.check(tmp_path / "new", quiet=True).pg_dump == "99.1"
    for flag in ("--check", "--replace"):
        said = complaint(program(collection, "restore", flag, tmp_path / "new"))
        assert "this needs pg_restore of PostgreSQL 99 or newer" in said


def test_a_newer_schema_is_refused_politely(
    database_url: str, at: Callable[[str], Settings], tmp_path: Path
) -> None:
    with database.connect(database_url) as connection:
        connection.execute("UPDATE tagdb_store.alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaError, match="newer than this tagdb knows"):
        backup.back_up(at(database_url), tmp_path / "file", print, quiet=True)
    assert [path.name for path in tmp_path.iterdir()] == []
