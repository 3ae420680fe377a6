"""``tagdb doctor``: each thing that can be wrong, what is said of it, and that the remedy mends it."""

import re
import shlex
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tagdb import doctor, store
from tagdb.doctor import Finding, safety, storage, upkeep
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.store import doctor as queries
from tests.support import seed
from tests.support.commands import Run, parsed
from tests.support.postgres import Postgres

BAD = ("wrong", "advice")
OFF = "SET session_replication_role = replica; "


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A TAGDB_HOME with nothing in it."""
    (tmp_path / "home").mkdir(mode=0o700)
    return tmp_path / "home"


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> str:
    """The name of a database with something of everything, and nothing wrong."""

    def build(connection: Connection) -> None:
        world = seed.world(connection)
        seed.add_index(connection, world.backbone_id)
        store.statistics.refresh(connection)
        connection.execute("UPDATE tagdb_store.factor_runs SET min_images = 2")

    return postgres.built("healthy", build)


@pytest.fixture
def database_url(postgres: Postgres, template: str) -> Iterator[str]:
    """The URL of a database of this test's own, a copy of the template."""
    with postgres.database(template) as url:
        yield url


@pytest.fixture
def healthy(connection: Connection) -> Connection:
    """A connection to that database."""
    return connection


def examined(url: str) -> dict[str, Finding]:
    """What is wrong or could be better, but for what the tests' server is set to, by what it is about."""
    with database.connect(url) as connection:
        _, found = doctor.examine(connection)
    settings = ("fsync", "full_page_writes", "autovacuum", "max_wal_size", "work_mem",
                "shared_buffers", "effective_cache_size", "random_page_cost")  # fmt: skip
    return {each.check: each for each in found if each.severity in BAD and each.check not in settings}


def follow(remedy: str, url: str, tagdb: Run) -> None:
    """Do what the doctor says."""
    if remedy.startswith("tagdb "):
        done = tagdb(*shlex.split(remedy)[1:])
        assert done.exit_code == 0, done.output
    elif remedy[0].islower():
        subprocess.run(shlex.split(remedy), check=True)
    else:
        with database.connect(url) as connection:
            for command in remedy.split("; "):
                connection.execute(command.encode())


def broken(connection: Connection, commands: str) -> None:
    """Break something, or skip where that takes a superuser and this is none."""
    try:
        connection.execute(commands.encode())
    except psycopg.errors.InsufficientPrivilege:
        pytest.skip("needs a superuser")
    connection.execute("RESET ALL")
    connection.execute("SELECT pg_stat_force_next_flush()")


CATALOG = {
    "a function is missing": (
        "DROP FUNCTION tagdb.complete_hashtags",
        {"missing objects": "wrong"},
        "the schema is incomplete: there is no function tagdb.complete_hashtags",
    ),
    "a view is missing": (
        "DROP VIEW tagdb.coverage",
        {"missing objects": "wrong"},
        "there is no view tagdb.coverage",
    ),
    "functions that others use are missing": (
        "DROP FUNCTION tagdb_store.refuse CASCADE",
        {"missing objects": "wrong"},
        "there is no function tagdb",
    ),
    "a trigger is missing": (
        "DROP TRIGGER ef_search_followed ON tagdb_store.backbones",
        {"missing objects": "wrong"},
        "there is no trigger ef_search_followed ON tagdb_store.backbones",
    ),
    "a function was changed": (
        "CREATE OR REPLACE FUNCTION tagdb_store.retire_projection(backbone_id integer) RETURNS boolean"
        " LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
        " AS 'BEGIN RETURN false; END'",
        {"changed objects": "wrong"},
        "changed since tagdb created it: function tagdb_store.retire_projection",
    ),
    "a function of the same name": (
        "CREATE FUNCTION tagdb.fold_hashtag(name varchar) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'spam';"
        "REVOKE ALL ON FUNCTION tagdb.fold_hashtag(varchar) FROM PUBLIC;"
        "GRANT EXECUTE ON FUNCTION tagdb.fold_hashtag(varchar) TO tagdb_reader",
        {"added functions": "wrong"},
        "this function has the same name as one of tagdb's and may be called in its place: "
        "tagdb.fold_hashtag(character varying)",
    ),
    "a foreign key is missing": (
        "ALTER TABLE tagdb_store.image_hashtags DROP CONSTRAINT image_hashtags_image_id_fkey",
        {"keys": "wrong"},
        "the tables have lost a key or an index: image_hashtags_image_id_fkey",
    ),
    "a primary key and an index are missing": (
        "ALTER TABLE tagdb_store.images DROP CONSTRAINT images_pkey CASCADE;"
        "DROP INDEX tagdb_store.hashtags_prefix",
        {"keys": "wrong"},
        "the tables have lost a key or an index: hashtags_prefix, images_pkey",
    ),
    "a key is not proven": (
        "ALTER TABLE tagdb_store.image_files DROP CONSTRAINT image_files_image_id_fkey,"
        " ADD CONSTRAINT image_files_image_id_fkey FOREIGN KEY (image_id)"
        " REFERENCES tagdb_store.images ON DELETE CASCADE NOT VALID",
        {"unproven keys": "advice"},
        "it was never validated that all rows satisfy image_files_image_id_fkey",
    ),
    "foreign keys are switched off": (
        "ALTER TABLE tagdb_store.image_hashtags DISABLE TRIGGER ALL",
        {"foreign keys": "wrong"},
        "triggers, and with them foreign keys, are switched off for image_hashtags",
    ),
    "an index is invalid": (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'tagdb_store.images_collection'::regclass",
        {"indexes": "wrong"},
        "invalid and not used: index images_collection",
    ),
    "building an index anew broke off": (
        "CREATE INDEX images_collection_ccnew ON tagdb_store.images (collection);"
        "UPDATE pg_index SET indisvalid = false"
        " WHERE indexrelid = 'tagdb_store.images_collection_ccnew'::regclass",
        {"indexes": "wrong"},
        "invalid and not used: index images_collection_ccnew",
    ),
    "an index is not used": (
        "CREATE INDEX mine ON tagdb_store.images (uri)",
        {"unused indexes": "advice"},
        "not tagdb's, never used, and updated with every change (16 kB): index mine",
    ),
}
CONTENTS = {
    "images are gone": (
        OFF + "DELETE FROM tagdb_store.images WHERE image_id <= 3",
        {
            "orphans in image_hashtags (image)": "wrong",
            "orphans in embeddings (image)": "wrong",
            "orphans in search_vectors (image)": "wrong",
            "orphans in image_factors (image)": "wrong",
            "statistics": "advice",
        },
        "3 rows of image_hashtags have lost the image they belong to",
    ),
    "files and feedback without their image": (
        OFF + "INSERT INTO tagdb_store.image_files (image_id, thumbnail) VALUES (999, '');"
        "INSERT INTO tagdb_store.feedback (image_id, hashtag_id, accepted) VALUES (999, 1, true)",
        {"orphans in image_files (image)": "wrong", "orphans in feedback (image)": "wrong"},
        "1 row of image_files has lost the image it belongs to",
    ),
    "a hashtag is gone": (
        OFF + "DELETE FROM tagdb_store.hashtags WHERE hashtag_id = 8",
        {"orphans in image_hashtags (hashtag)": "wrong"},
        "2 rows of image_hashtags have lost the hashtag they belong to",
    ),
    "a projection and an ingest are gone": (
        OFF + "DELETE FROM tagdb_store.projections;"
        "UPDATE tagdb_store.images SET ingest_run_id = 999 WHERE image_id = 1",
        {
            "orphans in projection_axes (projection)": "wrong",
            "orphans in images (ingest run)": "wrong",
            "left-over tables": "advice",
        },
        "1 row of images has lost the ingest run it belongs to",
    ),
    "search vectors are missing": (
        "DELETE FROM tagdb_store.search_vectors WHERE image_id IN (2, 3)",
        {"search vectors": "wrong"},
        "2 images are not in the vector index, so searches do not find them",
    ),
    "embeddings are missing": (
        "DELETE FROM tagdb_store.embeddings WHERE image_id = 2",
        {"superfluous search vectors": "wrong", "embeddings": "advice"},
        "1 image has no embedding by the backbone test 0",
    ),
    "embeddings of another length": (
        "UPDATE tagdb_store.embeddings SET embedding = embedding operator(public.+) embedding"
        " WHERE image_id < 4",
        {"lengths of embeddings": "wrong"},
        "3 of 20 embeddings do not have length 1 and are compared wrongly",
    ),
    "an embedding of zeros": (
        "UPDATE tagdb_store.embeddings SET embedding = array_fill(0, ARRAY[1280])::public.halfvec"
        " WHERE image_id = 4",
        {"useless embeddings": "wrong", "search vectors' embeddings": "wrong"},
        "1 of 20 embeddings are zero or not finite and never found",
    ),
    "search vectors of other embeddings": (
        "UPDATE tagdb_store.search_vectors v SET vector = o.vector FROM tagdb_store.search_vectors o"
        " WHERE o.image_id = v.image_id % 20 + 1",
        {"search vectors' embeddings": "wrong"},
        "20 of 20 search vectors at random do not match their embeddings",
    ),
    "factors of another size": (
        "UPDATE tagdb_store.hashtag_factors SET factors = '[1,2]' WHERE hashtag_id = 1;"
        "UPDATE tagdb_store.image_factors SET factors = '[1,2]' WHERE image_id < 3",
        {"image factors": "wrong", "hashtag factors": "wrong", "recommending": "wrong"},
        "2 of 20 image factors of run 1 are not finite or not 4 numbers",
    ),
    "factors are absurdly long": (
        "UPDATE tagdb_store.hashtag_factors SET factors = array_fill(300, ARRAY[4])::public.halfvec"
        " WHERE hashtag_id = 3",
        {"lengths of factors": "wrong"},
        "factors of run 1 are so long that scores can reach",
    ),
    "all factors are gone": (
        "DELETE FROM tagdb_store.hashtag_factors",
        {"hashtag factors": "wrong", "factor run": "advice"},
        "the active factor run 1 has lost its hashtag factors: nothing is recommended",
    ),
}
UPKEEP = {
    "the table of a run is gone": (
        "DROP TABLE tagdb_store.image_factors_1",
        {"image_factors_1": "wrong", "image factors": "wrong", "factor run": "advice"},
        "the table image_factors_1 is missing",
    ),
    "the table of embeddings is gone": (
        "DROP TABLE tagdb_store.embeddings_1",
        {"embeddings_1": "wrong", "embeddings": "advice"},
        "the table embeddings_1 is missing; create it and ingest the photos again",
    ),
    "a table is not attached": (
        "ALTER TABLE tagdb_store.search_vectors DETACH PARTITION tagdb_store.search_vectors_1",
        {"search_vectors_1": "wrong", "search vectors": "wrong"},
        "the table search_vectors_1 is not attached, so it is not read",
    ),
    "a run to go back to has no tables": (
        "INSERT INTO tagdb_store.factor_runs (status, factors, alpha, regularization, iterations, min_images,"
        " seed, neighbours, similarity_exponent) VALUES ('retired', 4, 1, 1, 1, 1, 1, 1, 1)",
        {"emptied factor runs": "advice"},
        "going back to these runs would fail, because their tables are gone: run 2",
    ),
    "nobody searches a projection": (
        "SELECT tagdb_store.retire_projection(1)",
        {"left-over search vectors": "advice"},
        "unused search vectors take up",
    ),
    "tables that belong to nothing": (
        "CREATE TABLE tagdb_store.image_factors_77 (n int)",
        {"left-over tables": "advice"},
        "left-over tables take up 0 B: image_factors_77",
    ),
    "no factors": (
        "UPDATE tagdb_store.factor_runs SET status = 'retired'",
        {"factor run": "advice"},
        "there are images and hashtags, but no factors",
    ),
    "factors are behind": (
        "UPDATE tagdb_store.image_factors SET folded_in = true WHERE image_id <= 10;"
        "DELETE FROM tagdb_store.hashtag_factors WHERE hashtag_id <= 4",
        {"factor run": "advice"},
        "the factors (run 1) are out of date: 10 of 20 images are newer (10 folded in, 0 not used as "
        "neighbours); 4 of 8 hashtags are never recommended",
    ),
    "statistics are behind": (
        "INSERT INTO tagdb_store.changed_images (image_id) SELECT generate_series(1, 10)",
        {"statistics": "advice"},
        "the hashtag statistics are out of date: 10 of 20 images are new, changed or removed",
    ),
}
SAFETY = {
    "everybody may execute a function": (
        "GRANT EXECUTE ON FUNCTION tagdb.fold_hashtag TO PUBLIC; GRANT USAGE ON SCHEMA tagdb TO PUBLIC",
        {"rights of PUBLIC": "wrong"},
        "everybody (PUBLIC) has rights in tagdb's schemas that tagdb does not grant: USAGE on tagdb, "
        "EXECUTE on tagdb.fold_hashtag(text)",
    ),
    "readers read tables": (
        "GRANT USAGE ON SCHEMA tagdb_store TO tagdb_reader;"
        "GRANT SELECT ON tagdb_store.images TO tagdb_reader",
        {"rights of tagdb_reader": "wrong"},
        "tagdb_reader has rights in tagdb's schemas that tagdb does not grant: SELECT on tagdb_store.images, "
        "USAGE on tagdb_store",
    ),
    "readers get vectors": (
        "GRANT EXECUTE ON FUNCTION tagdb.embedding TO tagdb_reader",
        {"rights of tagdb_reader": "wrong"},
        "tagdb_reader has rights in tagdb's schemas that tagdb does not grant: "
        "EXECUTE on tagdb.embedding(bigint)",
    ),
    "askers read": (
        "GRANT SELECT ON tagdb.images TO tagdb_asker",
        {"rights of tagdb_asker": "wrong"},
        "tagdb_asker has rights in tagdb's schemas that tagdb does not grant: SELECT on tagdb.images",
    ),
    "askers change hashtags": (
        "GRANT EXECUTE ON FUNCTION tagdb.tag_image TO tagdb_asker",
        {"rights of tagdb_asker": "wrong"},
        "EXECUTE on tagdb.tag_image(bigint,text[])",
    ),
    "askers cannot ask": (
        "REVOKE EXECUTE ON PROCEDURE tagdb.recommend_photo FROM tagdb_asker",
        {"rights that tagdb_asker lacks": "wrong"},
        "tagdb_asker lacks rights that it should have: EXECUTE on tagdb.recommend_photo(",
    ),
    "the procedure is missing": (
        "DROP PROCEDURE tagdb.recommend_photo",
        {"missing objects": "wrong"},
        "there is no procedure tagdb.recommend_photo",
    ),
    "analysts read tables": (
        "GRANT USAGE ON SCHEMA tagdb_store TO tagdb_analyst",
        {"rights of tagdb_analyst": "wrong"},
        "USAGE on tagdb_store",
    ),
    "analysts get no thumbnails": (
        "REVOKE EXECUTE ON FUNCTION tagdb.thumbnail FROM tagdb_analyst",
        {"rights that tagdb_analyst lacks": "wrong"},
        "tagdb_analyst lacks rights that it should have: EXECUTE on tagdb.thumbnail(bigint)",
    ),
    "writers make things": (
        "GRANT CREATE ON SCHEMA tagdb TO tagdb_writer",
        {"rights of tagdb_writer": "wrong"},
        "CREATE on tagdb",
    ),
    "readers cannot read": (
        "REVOKE USAGE ON SCHEMA tagdb FROM tagdb_reader; REVOKE SELECT ON tagdb.images FROM tagdb_reader;"
        "REVOKE EXECUTE ON FUNCTION tagdb.similar_images FROM tagdb_reader",
        {"rights that tagdb_reader lacks": "wrong"},
        "tagdb_reader lacks rights that it should have: ",
    ),
    "writers cannot read": (
        "REVOKE ALL ON SCHEMA tagdb_store FROM tagdb_writer;"
        "REVOKE ALL ON tagdb_store.images FROM tagdb_writer",
        {"rights that tagdb_writer lacks": "wrong"},
        "tagdb_writer lacks rights that it should have: SELECT on tagdb_store.images, "
        "USAGE on schema tagdb_store",
    ),
    "a function without a search path": (
        "ALTER FUNCTION tagdb_store.active_run RESET search_path;"
        "ALTER FUNCTION tagdb.recommend_for_image RESET search_path",
        {"search paths": "wrong"},
        "functions with their owner's rights but the caller's search path: tagdb.recommend_for_image(",
    ),
}


@pytest.mark.parametrize("case", CATALOG | CONTENTS | UPKEEP | SAFETY)
def test_what_is_wrong_is_said_and_mended(
    tagdb: Run, healthy: Connection, database_url: str, case: str
) -> None:
    """Nothing else is said, the exit code tells, and the remedies leave nothing of it."""
    commands, expected, sentence = (CATALOG | CONTENTS | UPKEEP | SAFETY)[case]
    assert examined(database_url) == {}
    broken(healthy, commands)
    found = examined(database_url)
    assert {check: each.severity for check, each in found.items()} == expected
    assert any(sentence in each.sentence for each in found.values()), found
    done = tagdb("doctor")
    assert done.exit_code == (1 if "wrong" in expected.values() else 0), done.output
    assert sentence in done.stdout
    for _ in range(3):  # mending one thing may bring another to light
        for remedy in dict.fromkeys(each.remedy for each in found.values() if each.remedy):
            follow(remedy, database_url, tagdb)
        found = examined(database_url)
        if not [each for each in found.values() if each.remedy]:
            break
    assert not [each for each in found.values() if each.severity == "wrong" or each.remedy], found


def test_nothing_is_wrong(tagdb: Run, healthy: Connection) -> None:
    """As said for people and for programs."""
    done = tagdb("doctor")
    assert done.exit_code == 0, done.output
    assert "wrong:" not in done.stdout
    (fine,) = (line for line in done.stdout.splitlines() if line.startswith("fine: "))
    for part in ("views and functions", "tables and keys", "rights", "recommending", "no orphans",
                 "search vectors", "20 embeddings", "20 image factors", "8 hashtag factors",
                 "factors (run 1)", "statistics", "tables are cleaned up", "files"):  # fmt: skip
        assert part in fine
    found = parsed(tagdb("doctor", "--json"))["findings"]
    assert {each["severity"] for each in found} <= {"ok", "advice", "skipped"}
    assert len({each["check"] for each in found}) == len(found)


def test_a_missing_table_cannot_be_mended(tagdb: Run, healthy: Connection, database_url: str) -> None:
    """The checks that would read it are not made, and repairing says why it cannot."""
    healthy.execute("DROP TABLE tagdb_store.index_checks CASCADE")
    healthy.execute("ALTER TABLE tagdb_store.images DROP COLUMN source_ref CASCADE")
    found = examined(database_url)
    assert set(found) == {"tables", "missing objects", "columns"}
    assert found["tables"].sentence.endswith("there is no table tagdb_store.index_checks; restore a backup")
    assert "no column images.source_ref" in found["columns"].sentence
    done = tagdb("init", "--repair")
    assert done.exit_code == 1
    assert "cannot be recreated" in done.stderr
    assert "restore a backup" in done.stderr


def test_repairing_what_is_whole(tagdb: Run, healthy: Connection) -> None:
    healthy.execute("UPDATE tagdb_store.backbones SET ef_search = 333")
    before = healthy.execute("SELECT oid, relacl FROM pg_class ORDER BY oid").fetchall()
    assert "recreated: nothing" in tagdb("init", "--repair").stdout
    assert healthy.execute("SELECT oid, relacl FROM pg_class ORDER BY oid").fetchall() == before
    healthy.execute("DROP FUNCTION tagdb_store.candidates CASCADE")
    done = tagdb("init", "--repair")
    assert "function tagdb_store.candidates" in done.stdout, done.output
    (row,) = healthy.execute("SELECT proconfig FROM pg_proc WHERE proname = 'candidates'")
    assert "hnsw.ef_search=333" in row[0]


def test_photos_that_must_be_ingested_again(
    tagdb: Run,
    ingest: Run,
    photos: Path,
    make_database: Callable[[bool], str],
    home: Path,
    backbone_file: Path,
    monkeypatch: Any,
) -> None:
    """The command that brings back what broke off or was lost is named."""
    (home / "backbones").mkdir()
    (home / "backbones" / backbone_file.name).symlink_to(backbone_file)
    url = make_database(True)
    monkeypatch.setenv("TAGDB_DATABASE_URL", url)
    assert ingest(photos / "photos.csv", "--quiet").exit_code == 0
    assert tagdb("factors", "compute", "--factors", 4, "--quiet").exit_code == 0
    assert examined(url) == {}
    with database.connect(url) as connection:
        some = "(SELECT image_id FROM tagdb_store.images LIMIT 2)"
        connection.execute(f"DELETE FROM tagdb_store.embeddings WHERE image_id IN {some}".encode())
        connection.execute("UPDATE tagdb_store.ingest_runs SET finished_at = NULL, started_at = '2001-02-03'")
    found = examined(url)
    assert {check: each.severity for check, each in found.items()} == dict.fromkeys(
        ("embeddings", "ingests"), "advice"
    )
    assert "2 images have no embedding by the backbone" in found["embeddings"].sentence
    assert "1 ingest was interrupted and not run again, the last on 2001-02-03" in found["ingests"].sentence
    (remedy,) = {each.remedy for each in found.values()}
    assert remedy == f"tagdb ingest {photos / 'photos.csv'}"
    assert ingest(*shlex.split(remedy)[2:]).exit_code == 0
    assert examined(url) == {}


def test_an_abandoned_factor_run(tagdb: Run, healthy: Connection, database_url: str) -> None:
    """One that a session is at work on is not abandoned."""
    with database.connect(database_url) as other:
        seed.begin_run(other, 4)
        assert examined(database_url) == {}
    found = examined(database_url)
    assert set(found) == {"abandoned factor runs"}
    follow(found["abandoned factor runs"].remedy, database_url, tagdb)
    assert examined(database_url) == {}


@pytest.mark.parametrize(
    ("command", "severity", "says"),
    [
        ("BEGIN", "advice", "in an open transaction: cleaning up may wait for it"),
        ("BEGIN; LOCK TABLE tagdb_store.hashtags", "wrong", "in an open transaction: 1 session waits for it"),
        (
            "SELECT pg_advisory_lock(hashtext('tagdb projection'), 7)",
            "advice",
            "while holding a lock of tagdb's",
        ),
    ],
)
def test_a_forgotten_session(
    tagdb: Run,
    healthy: Connection,
    database_url: str,
    monkeypatch: Any,
    command: str,
    severity: str,
    says: str,
) -> None:
    monkeypatch.setattr(upkeep, "IDLE", 0.0)
    monkeypatch.setattr(doctor, "PATIENCE", 0.5)
    forgotten, waiting = (psycopg.connect(database_url, autocommit=True) for _ in range(2))
    with closing(forgotten), closing(waiting):
        assert examined(database_url) == {}
        forgotten.execute(command.encode())
        if "LOCK" in command:
            waiting.pgconn.send_query(b"DELETE FROM tagdb_store.hashtags WHERE false")
        found = {check: each for check, each in examined(database_url).items() if check.startswith("session")}
        assert set(found) == {f"session {forgotten.info.backend_pid}"}
        (each,) = found.values()
        assert (each.severity, says in each.sentence) == (severity, True), each.sentence
        follow(each.remedy, database_url, tagdb)
        with pytest.raises(psycopg.OperationalError):
            forgotten.execute("SELECT 1")
        assert examined(database_url) == {}


def test_tables_that_nobody_cleans_up(
    tagdb: Run, healthy: Connection, database_url: str, monkeypatch: Any
) -> None:
    healthy.execute("ALTER TABLE tagdb_store.images SET (autovacuum_enabled = off)")
    monkeypatch.setattr(upkeep, "MANY", 15)
    assert examined(database_url) == {}
    broken(healthy, "UPDATE tagdb_store.images SET uri = uri || '?'")
    found = examined(database_url)
    assert set(found) == {"dead rows"}
    assert found["dead rows"].sentence == "20 dead rows have not been cleaned up yet, in images"
    follow(found["dead rows"].remedy, database_url, tagdb)
    assert examined(database_url) == {}
    broken(healthy, "UPDATE tagdb_store.images SET uri = uri || '?' WHERE image_id < 8")
    broken(
        healthy, "UPDATE tagdb_store.images SET uri = uri || '?', metadata = '{\"a\": 1}' WHERE image_id > 4"
    )
    found = examined(database_url)
    assert "planner's statistics" in found
    for each in found.values():
        follow(each.remedy, database_url, tagdb)
    assert examined(database_url) == {}


def test_another_owner_is_noticed(
    role: Callable[..., str], tagdb: Run, healthy: Connection, database_url: str
) -> None:
    """Another owner is no good, and worse of functions that run with the owner's rights."""
    try:
        other = role()
    except psycopg.errors.InsufficientPrivilege:
        pytest.skip("roles cannot be made here")
    for command, severity in (
        ("ALTER VIEW tagdb.coverage OWNER TO {}", "advice"),
        ("ALTER FUNCTION tagdb_store.retire_projection OWNER TO {}", "wrong"),
    ):
        healthy.execute(command.format(other).encode())
        found = examined(database_url)
        assert {check: each.severity for check, each in found.items()} == {"owners": severity}
        assert f"some of their objects belong to {other}" in found["owners"].sentence
        follow(found["owners"].remedy, database_url, tagdb)
        assert examined(database_url) == {}


def test_photos_that_wait(healthy: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    healthy.execute("SELECT tagdb.submit_photo('photo')")
    found = examined(database_url)["requests"]
    assert (found.severity, found.remedy) == ("advice", "tagdb work")
    said = r"1 photo waits for hashtags, the first for \d+ s, and "
    assert re.fullmatch(said + "no worker answers", found.sentence)
    assert store.requests.begin(healthy, 1)
    assert "requests" not in examined(database_url)
    healthy.execute("UPDATE tagdb_store.requests SET asked_at = asked_at - interval '70 s'")
    sentence = examined(database_url)["requests"].sentence
    assert re.fullmatch(said + "the workers have too much to do", sentence)


def test_files_that_others_may_read_are_closed(
    tagdb: Run, healthy: Connection, home: Path, monkeypatch: Any, tmp_path: Path
) -> None:
    """Closed to others; the remedy closes them."""
    (home / "pgpass").write_text("*:*:*:*:secret\n")
    (home / "pgpass").chmod(0o644)
    home.chmod(0o777)
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    data.chmod(0o755)
    monkeypatch.setattr(safety, "folder_of_data", lambda one: data)
    done = tagdb("doctor", "--json")
    assert done.exit_code == 1
    found = [each for each in parsed(done)["findings"] if each["severity"] == "wrong"]
    assert [(each["sentence"], each["remedy"]) for each in found] == [
        (f"other users of this machine may write to {home}", f"chmod 755 {home}"),
        (
            f"other users of this machine may read {home}/pgpass, where passwords are kept",
            f"chmod 600 {home}/pgpass",
        ),
        (f"other users of this machine may read {data}", f"chmod 750 {data}"),
    ]
    for each in found:
        follow(each["remedy"], "", tagdb)
    assert tagdb("doctor").exit_code == 0


def test_a_full_disk(healthy: Connection, database_url: str, monkeypatch: Any) -> None:
    for full, free, severity, says in (
        (
            storage.FULL,
            1 << 20,
            "wrong",
            "the disk is nearly full: 1 MB are free on the disk that holds the data",
        ),
        (storage.FULL, storage.FULL, "ok", "512 MB free"),
        (
            0,
            1 << 20,
            "advice",
            "there may be no room to rebuild the vector index or for a backup on that disk",
        ),
    ):
        monkeypatch.setattr(storage, "FULL", full)
        monkeypatch.setattr(storage, "free", lambda folder, free=free: free)
        with database.connect(database_url) as connection:
            one, found = doctor.examine(connection)
            if storage.folder_of_data(one) is None:
                pytest.skip("the server runs elsewhere")
        (disk,) = (each for each in found if each.check == "disk")
        assert (disk.severity, says in disk.sentence) == (severity, True), disk.sentence


def test_a_replication_slot_that_nobody_uses(
    tagdb: Run, healthy: Connection, database_url: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(storage, "HELD", -1)
    slot = f"tagdb_test_{uuid.uuid4().hex[:12]}"
    try:
        healthy.execute("SELECT pg_create_physical_replication_slot(%s, true)", (slot,))
    except psycopg.Error:
        pytest.skip("slots cannot be made here")
    try:
        found = examined(database_url)[f"replication slot {slot}"]
        assert found.severity == "advice"
        follow(found.remedy, database_url, tagdb)
        assert f"replication slot {slot}" not in examined(database_url)
    finally:
        healthy.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s",
            (slot,),
        )


def test_transaction_numbers_that_run_out(
    tagdb: Run, healthy: Connection, database_url: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(storage, "OLD", -1)
    assert examined(database_url)["transaction numbers"].severity == "advice"
    monkeypatch.setattr(storage, "ENDS", -1)
    found = examined(database_url)["transaction numbers"]
    assert found.severity == "wrong"
    age = "SELECT age(datfrozenxid) FROM pg_database WHERE datname = current_database()"
    before = healthy.execute(age).fetchone()
    follow(found.remedy, database_url, tagdb)
    after = healthy.execute(age).fetchone()
    assert before is not None
    assert after is not None
    assert after[0] <= before[0]


def test_another_order_of_text(tagdb: Run, healthy: Connection, database_url: str) -> None:
    now = (
        "SELECT pg_database_collation_actual_version(oid) FROM pg_database WHERE datname = current_database()"
    )
    if healthy.execute(now).fetchone() == (None,):
        pytest.skip("this server's order of text has no version")
    broken(healthy, "UPDATE pg_database SET datcollversion = '0' WHERE datname = current_database()")
    found = examined(database_url)
    assert set(found) == {"order of text"}
    assert found["order of text"].severity == "wrong"
    follow(found["order of text"].remedy, database_url, tagdb)
    assert examined(database_url) == {}


def test_checksums_that_are_off(healthy: Connection, database_url: str, monkeypatch: Any) -> None:
    real = queries.server_settings

    def server_settings(connection: Connection, names: list[str]) -> Any:
        found = real(connection, names)
        if "data_checksums" in found:
            found["data_checksums"] = replace(found["data_checksums"], value="off")
        return found

    monkeypatch.setattr(queries, "server_settings", server_settings)
    found = examined(database_url)["data_checksums"]
    assert found.severity == "advice"
    assert found.remedy.startswith("pg_checksums --enable --pgdata=/")


def test_a_damaged_page(
    postgres: Postgres,
    tagdb: Run,
    healthy: Connection,
    make_database: Callable[[bool], str],
    monkeypatch: Any,
) -> None:
    """A page of a file that the server has not read yet is overwritten."""
    healthy.execute("CHECKPOINT")
    source = healthy.info.dbname
    where = "SELECT current_setting('data_directory'), pg_relation_filepath('tagdb_store.image_hashtags')"
    try:
        row = healthy.execute(where).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        pytest.skip("needs to know where the data lies")
    assert row is not None
    healthy.close()
    with postgres.database(source) as url:
        with database.connect(url) as connection:
            row = connection.execute(where).fetchone()
        assert row is not None
        file = Path(*row)
        if not file.is_file():
            pytest.skip("the server runs elsewhere")
        content = bytearray(file.read_bytes())
        content[4000:4100] = b"damaged" * 15
        file.write_bytes(content[: file.stat().st_size])
        monkeypatch.setenv("TAGDB_DATABASE_URL", url)
        done = tagdb("doctor")
        assert done.exit_code == 1
        assert "wrong: the database is damaged: invalid page in block 0" in done.stdout
        assert "fine: " in done.stdout
        with database.connect(url) as connection:
            connection.execute("SELECT pg_stat_force_next_flush()")
        found = examined(url)["damaged pages"]
        assert found.severity == "wrong"
        assert "reads of this database found" in found.sentence


def test_a_check_that_fails(tagdb: Run, healthy: Connection, monkeypatch: Any) -> None:
    """It says so, and the others go on."""

    def fails(one: object) -> Iterator[Finding]:
        yield Finding(check="before", severity="ok", sentence="before it failed")
        raise ZeroDivisionError("by nothing")

    fails.__module__ = "tagdb.doctor.contents"
    monkeypatch.setattr(doctor, "CHECKS", (fails, *doctor.CHECKS))
    done = tagdb("doctor")
    assert done.exit_code == 1
    assert "wrong: contents.fails could not be checked: ZeroDivisionError: by nothing" in done.stdout
    assert "fine: before it failed; PostgreSQL" in done.stdout


def test_what_cannot_be_looked_at(
    login: Callable[..., str], tagdb: Run, healthy: Connection, database_url: str, monkeypatch: Any
) -> None:
    """Because of rights, or because another session has it, is said and is not wrong."""
    reader, writer = (login(database_url, f"tagdb_{role}") for role in ("reader", "writer"))
    done = tagdb("doctor", "--database-url", reader)
    assert done.exit_code == 0, done.output
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("not checked: "))
    for part in ("the disk of the server", "the stored data", "the sessions of other logins"):
        assert part in line
    done = tagdb("doctor", "--database-url", writer, "--json")
    assert done.exit_code == 0, done.output
    found = parsed(done)["findings"]
    assert [each["check"] for each in found if each["severity"] == "skipped"] == ["disk", "sessions"]
    monkeypatch.setattr(doctor, "PATIENCE", 1.0)
    with healthy.transaction():
        healthy.execute("LOCK TABLE tagdb_store.images")
        done = tagdb("doctor")
    assert done.exit_code == 0, done.output
    assert "contents.orphans (another session has locked it)" in done.stdout


def test_large_collections_are_sampled(healthy: Connection, database_url: str, monkeypatch: Any) -> None:
    """And what is said tells so."""
    monkeypatch.setattr(queries, "ALL", 8192)
    monkeypatch.setattr(queries, "SOME", 60_000)
    healthy.execute("UPDATE tagdb_store.embeddings SET embedding = embedding operator(public.+) embedding")
    found = examined(database_url)["lengths of embeddings"]
    assert 0 < found.figures["looked_at"] <= 20
    assert "embeddings at random (" in found.sentence


def test_every_check_is_described() -> None:
    described = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text()
    for check in doctor.CHECKS:
        name = f"{check.__module__.rpartition('.')[2]}.{check.__name__}"
        assert f"| `{name}` |" in described, f"docs/doctor.md does not say what {name} looks at"
    assert described.count("\n| `") == len(doctor.CHECKS)
