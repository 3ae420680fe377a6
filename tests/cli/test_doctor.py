"""``tagdb doctor``: what is wrong, what holds back and by how much, and what can be pasted against it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from tagdb import doctor, store
from tagdb.doctor import Examination, Finding, findings, memory, writing
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.postgres.machine import Machine
from tagdb.store import doctor as queries
from tagdb.store import index
from tests.support import seed
from tests.support.commands import Run, complaint, parsed

GB = 1 << 30
IMAGES = 60


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A TAGDB_HOME with nothing in it."""
    return tmp_path / "home"


@pytest.fixture
def recommending(connection: Connection) -> Connection:
    """A database with images, embeddings and factors."""
    image_ids = seed.add_images(connection, IMAGES)
    backbone_id = store.backbones.add(connection, seed.identity())
    seed.add_embeddings(connection, backbone_id, image_ids, seed.clustered(IMAGES))
    hashtag_ids = seed.add_hashtags(connection, ["sea", "sun", "snow"])
    rng = np.random.default_rng(0)
    factors = [rng.standard_normal((n, 8)).astype(np.float16) for n in (IMAGES, 3)]
    seed.add_run(connection, image_ids, factors[0], hashtag_ids, factors[1])
    connection.execute("ANALYZE tagdb_store.embeddings_1")
    return connection


def examined(connection: Connection, machine: Machine | None = None) -> dict[str, Finding]:
    """The findings by what they are about."""
    _, found = doctor.examine(connection, machine)
    assert len({each.check for each in found}) == len(found)
    return {each.check: each for each in found}


def pretend(monkeypatch: pytest.MonkeyPatch, **settings: tuple[str, int | None]) -> None:
    """Let settings look as if they were others: written so, and of so many bytes."""
    real = queries.server_settings

    def server_settings(connection: Connection, names: list[str]) -> dict[str, queries.Setting]:
        found = real(connection, names)
        for name, (value, size) in settings.items():
            if name in found:
                found[name] = queries.Setting(name, value, found[name].context, "default", size)
        return found

    monkeypatch.setattr(queries, "server_settings", server_settings)


def test_an_empty_database(tagdb: Run) -> None:
    done = tagdb("doctor")
    assert done.exit_code == 0, done.output
    assert not re.search("^wrong", done.stdout, re.MULTILINE)
    (fine,) = re.findall("^fine: (.*)$", done.stdout, re.MULTILINE)
    assert "; pgvector 0." in fine
    assert f"; schema {database.SCHEMA_REVISION}" in fine


def test_a_database_without_a_schema(tagdb: Run, empty_database_url: str) -> None:
    done = tagdb("doctor", "--database-url", empty_database_url)
    assert done.exit_code == 0, done.output
    assert "advice: there is no tagdb schema yet" in done.stdout
    assert "\n  tagdb init\n" in done.stdout


def test_a_schema_of_another_version_is_wrong(tagdb: Run, connection: Connection) -> None:
    connection.execute("UPDATE tagdb_store.alembic_version SET version_num = '0000'")
    done = tagdb("doctor")
    assert done.exit_code == 1
    assert f"wrong: the schema has revision 0000, this tagdb needs {database.SCHEMA_REVISION}" in done.stdout


def test_findings_as_json(tagdb: Run, recommending: Connection) -> None:
    found = parsed(tagdb("doctor", "--json", "--memory", "16GB", "--cores", "4"))
    assert found["machine"] == {"memory": 16 * GB, "cores": 4, "shared_memory": None}
    assert found["postgresql"]
    keys = {"check", "severity", "sentence", "remedy", "restart", "value", "recommended", "figures"}
    assert all(set(each) == keys for each in found["findings"])
    assert {each["severity"] for each in found["findings"]} <= {"ok", "advice", "skipped"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--memory", "16GB"), "give --memory and --cores together"),
        (("--cores", "4"), "give --memory and --cores together"),
        (("--memory", "much", "--cores", "4"), "'much' is not a size such as 16GB"),
        (("--memory", "0GB", "--cores", "4"), "'0GB' is not a size such as 16GB"),
        (("--memory", "16GB", "--cores", "0"), "0 is not in the range"),
    ],
)
def test_usage_errors(tagdb: Run, arguments: tuple[str, ...], says: str) -> None:
    done = tagdb("doctor", *arguments)
    assert done.exit_code == 2
    assert says in done.stderr


@pytest.mark.parametrize(
    ("text", "size"), [("16GB", 16 * GB), ("1.5 TiB", 1536 * GB), ("512m", GB // 2), ("1073741824", GB)]
)
def test_sizes_of_memory_as_people_write_them(tagdb: Run, text: str, size: int) -> None:
    found = parsed(tagdb("doctor", "--json", "--memory", text, "--cores", 2))
    assert found["machine"]["memory"] == size


def test_a_server_that_cannot_be_reached(tagdb: Run) -> None:
    assert "cannot connect" in complaint(tagdb("doctor", "--database-url", "postgresql://127.0.0.1:9/db"))


def test_whether_the_server_runs_here(tagdb: Run, database_url: str) -> None:
    """Its own process tells; one that runs elsewhere is not compared with this machine."""
    found = parsed(tagdb("doctor", "--json"))
    if "host=%2F" in database_url or "host=/" in database_url:
        assert found["machine"]["cores"] >= 1
    else:
        assert found["machine"] is None or found["machine"]["cores"] >= 1


def test_nothing_is_changed(recommending: Connection) -> None:
    doctor.examine(recommending)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        recommending.execute("DELETE FROM tagdb_store.images")


def test_a_setting_that_slows_recommending(recommending: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said of it was measured: with the session's value, and with another one."""

    def trial(*arguments: Any) -> queries.Trial:
        return queries.Trial(12.1, 8.3, 20, ((12.0, 8.2), (12.2, 8.4)))

    pretend(monkeypatch, random_page_cost=("4", None))
    monkeypatch.setattr(queries, "trial", trial)
    found = examined(recommending)["random_page_cost"]
    assert found.severity == "advice"
    assert "recommending takes 12.1 ms → 8.3 ms with 1.1, measured here (p50 of 20 each)" in found.sentence
    assert re.fullmatch(r'ALTER DATABASE "tagdb_test_\w+" SET random_page_cost = \'1.1\'', found.remedy)
    assert found.figures == {"before_ms": 12.1, "after_ms": 8.3, "calls": 20}


def test_a_setting_that_slows_nothing(recommending: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only some rounds were faster, that was chance."""
    trial = queries.Trial(8.4, 8.0, 20, ((8.6, 7.9), (8.1, 8.2)))
    pretend(monkeypatch, random_page_cost=("4", None))
    monkeypatch.setattr(queries, "trial", lambda *arguments: trial)
    found = examined(recommending)["random_page_cost"]
    assert (found.severity, found.remedy) == ("ok", "")
    assert "(1.1 instead of 4 is no faster: 8.4 ms → 8.0 ms)" in found.sentence


def test_trying_a_setting(recommending: Connection) -> None:
    """Each way is timed as often, and the session is as before."""
    images = queries.sample_images(recommending, 5)
    assert 1 <= len(images) <= 5
    drawn = {image_id for _ in range(20) for image_id in queries.sample_images(recommending, 20)}
    assert max(drawn) > IMAGES / 2 > min(drawn)
    recommending.execute("SET work_mem = '5MB'")
    tried = queries.trial(recommending, images, {"work_mem": "64kB", "enable_sort": "off"}, rounds=2)
    assert tried is not None
    assert tried.calls == 2 * len(images)
    assert tried.before_ms > 0
    assert tried.after_ms > 0
    assert recommending.execute("SHOW work_mem").fetchone() == ("5MB",)
    assert recommending.execute("SHOW statement_timeout").fetchone() == ("0",)


def test_shared_buffers_beside_what_is_read(
    recommending: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, shared_buffers=("64kB", 65536))
    hot = sum(each.bytes for each in queries.hot_set(recommending))
    assert hot > IMAGES * 2600
    for machine, recommended in ((None, "128MB"), (Machine(2 * GB, 2), "128MB")):
        found = examined(recommending, machine)["shared_buffers"]
        assert found.severity == "advice"
        assert found.figures["hot_bytes"] == hot
        assert (
            f"{findings.format_bytes(hot - 65536)} come from the operating system's cache" in found.sentence
        )
        assert (found.restart, found.recommended) == (True, recommended)
        assert found.remedy == f"ALTER SYSTEM SET shared_buffers = '{recommended}'"
    pretend(monkeypatch, shared_buffers=("1GB", GB))
    assert examined(recommending)["shared_buffers"].severity == "ok"


def test_shared_buffers_on_a_machine_that_has_no_more(
    recommending: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    hot = [queries.Hot("embeddings", 9 * GB, 900, 100, 3_000_000)]
    pretend(monkeypatch, shared_buffers=("2GB", 2 * GB))
    monkeypatch.setattr(queries, "hot_set", lambda connection: hot)
    found = examined(recommending, Machine(8 * GB, 4))["shared_buffers"]
    assert (found.severity, found.remedy) == ("ok", "")
    assert "7 GB come from" in found.sentence
    assert "so far 90.0 % of the pages were found in shared_buffers" in found.sentence


def test_memory_for_building_the_index(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(
        monkeypatch,
        maintenance_work_mem=("64MB", 64 << 20),
        max_parallel_maintenance_workers=("2", None),
    )
    hot = [queries.Hot("embeddings", 2 * GB, 0, 0, 1_000_000)]
    monkeypatch.setattr(queries, "hot_set", lambda connection: hot)
    one = Examination(connection, queries.server_facts(connection), None)
    (found,) = memory.index_builds(one)
    assert found.severity == "advice"
    assert "1,000,000 images needs 1.1 GB: 941,645 of them do not fit" in found.sentence
    assert found.recommended == "1207MB"
    one = Examination(connection, one.facts, Machine(4 * GB, 8))
    found, workers = memory.index_builds(one)
    assert found.recommended == "512MB"  # all that is to spare
    assert "uses 3 of 8 cores" in workers.sentence
    assert workers.remedy == "ALTER DATABASE " + workers.remedy.split()[2] + (
        " SET max_parallel_maintenance_workers = '8'"
    )


def test_too_little_to_share(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container: an index would be built in parallel, and that fails."""
    monkeypatch.setattr(queries, "hot_set", lambda connection: [queries.Hot("embeddings", GB, 0, 0, 400_000)])
    container = Machine(8 * GB, 4, 64 << 20)
    settings = {
        "maintenance_work_mem": ("1GB", GB),
        "max_parallel_maintenance_workers": ("4", None),
        "min_dynamic_shared_memory": ("0", 0),
    }
    pretend(monkeypatch, **settings)
    one = Examination(connection, queries.server_facts(connection), container)
    (found,) = memory.shared_memory(one)
    assert (found.severity, found.restart) == ("wrong", True)
    assert "workers share 1 GB (maintenance_work_mem), but /dev/shm has 64 MB" in found.sentence
    assert found.remedy == "ALTER SYSTEM SET min_dynamic_shared_memory = '1032MB'"
    pretend(monkeypatch, **settings | {"min_dynamic_shared_memory": ("1032MB", 1032 << 20)})
    assert list(memory.shared_memory(one)) == []
    one.machine = Machine(8 * GB, 4, 4 * GB)
    pretend(monkeypatch, **settings)
    assert list(memory.shared_memory(one)) == []


def test_many_temporary_files_are_noticed(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.execute("SET work_mem = '64kB'")
    connection.execute("SELECT count(*) FROM (SELECT n FROM generate_series(1, 100000) n ORDER BY -n) s")
    connection.execute("SELECT pg_stat_force_next_flush()")
    found = examined(connection)["temporary files"]
    assert found.severity == "advice"
    assert re.search(r"wrote \d+ temporary files.*, [\d.]+ MB in total", found.sentence)


def test_checkpoints_that_the_log_forces_are_noticed(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those count that the log can have forced, not backups and new databases."""
    pretend(monkeypatch, max_wal_size=("1GB", GB))
    one = Examination(connection, queries.server_facts(connection), None)
    for seen, severity in (
        (queries.Checkpoints(10, 2, 100 * GB, None), "ok"),
        (queries.Checkpoints(10, 500, GB, None), "ok"),
        (queries.Checkpoints(10, 50, 100 * GB, None), "advice"),
    ):
        monkeypatch.setattr(queries, "checkpoints", lambda connection, seen=seen: seen)
        (found,) = writing.checkpoints(one)
        assert found.severity == severity, seen
    assert "50 of 60 checkpoints came early" in found.sentence
    assert found.remedy == "ALTER SYSTEM SET max_wal_size = '4GB'"


def test_an_invalid_vector_index_is_wrong(tagdb: Run, recommending: Connection) -> None:
    recommending.execute(
        "CREATE INDEX broken_hnsw ON tagdb_store.embeddings_1 USING hnsw (embedding halfvec_cosine_ops)"
    )
    assert "vector index" in tagdb("doctor").stdout
    try:
        recommending.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'tagdb_store.broken_hnsw'::regclass"
        )
    except psycopg.errors.InsufficientPrivilege:
        pytest.skip("needs a superuser")
    done = tagdb("doctor")
    assert done.exit_code == 1
    assert "wrong: the index broken_hnsw is invalid" in done.stdout
    assert 'DROP INDEX tagdb_store."broken_hnsw";' in done.stdout


def test_a_large_collection_without_an_index(
    recommending: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.index, "INDEX_FROM", IMAGES)
    found = examined(recommending)["vector index"]
    assert found.severity == "advice"
    assert re.search(rf"scans all {IMAGES} embeddings; recommending takes [\d.]+ ms here", found.sentence)


def test_a_server_without_pgvector(connection: Connection) -> None:
    facts = queries.server_facts(connection)
    without = {name: getattr(facts, name) for name in facts.__slots__}
    without |= {"pgvector": None, "pgvector_available": None, "major": 14}
    one = Examination(connection, queries.ServerFacts(**without), None)
    assert [each.severity for each in doctor.CHECKS[0](one)] == ["wrong", "wrong"]
    for installed, available, severity in (
        ("0.7.4", "0.7.4", "wrong"),
        ("0.8.0", "0.10.1", "advice"),
        ("0.10.1", "0.8.0", "ok"),
        (None, "0.8.1", None),
    ):
        without |= {"pgvector": installed, "pgvector_available": available, "major": 18}
        one = Examination(connection, queries.ServerFacts(**without), None)
        said = [each.severity for each in doctor.CHECKS[0](one) if each.check == "pgvector"]
        assert said == ([severity] if severity else []), installed


@pytest.mark.parametrize("roles", [(), ("tagdb_reader",), ("tagdb_writer",)], ids=str)
def test_any_login_may_ask(
    login: Callable[..., str], database_url: str, recommending: Connection, roles: tuple[str, ...]
) -> None:
    with database.connect(login(database_url, *roles)) as guest:
        found = examined(guest, Machine(4 * GB, 2))
    assert not [each for each in found.values() if each.severity == "wrong"]
    assert ("shared_buffers" in found) == bool(roles)
    assert ("may not read" in found["schema"].sentence) == (not roles)


def test_remedies_can_be_pasted(recommending: Connection, database_url: str) -> None:
    """And they win: what a role has is changed for the role."""
    one = Examination(recommending, queries.server_facts(recommending), None)
    name = one.facts.database
    for setting, expected in (
        (
            queries.Setting("work_mem", "4MB", "user", "default", None),
            f"ALTER DATABASE \"{name}\" SET work_mem = 'off'",
        ),
        (
            queries.Setting("work_mem", "4MB", "user", "user", None),
            f'ALTER ROLE "{one.facts.login}" IN DATABASE "{name}" SET work_mem = \'off\'',
        ),
        (queries.Setting("fsync", "on", "sighup", "default", None), "ALTER SYSTEM SET fsync = 'off'"),
    ):
        assert one.change(setting, "off") == expected
    recommending.execute(f"ALTER DATABASE \"{name}\" SET random_page_cost = '3'".encode())
    with database.connect(database_url) as again:
        setting = queries.server_settings(again, ["random_page_cost"])["random_page_cost"]
        assert (setting.value, setting.source) == ("3", "database")
        again.execute(one.change(setting, "1.1").encode())
    with database.connect(database_url) as again:
        assert queries.server_settings(again, ["random_page_cost"])["random_page_cost"].value == "1.1"


def test_sizes_for_people() -> None:
    assert [findings.format_bytes(size) for size in (0, 65536, 1_500_000, 2 * GB, 19 * GB // 10)] == [
        "0 B", "64 kB", "1.4 MB", "2 GB", "1.9 GB",
    ]  # fmt: skip
    assert [findings.format_setting(size) for size in (GB, 3 * GB // 2, 1_048_577)] == [
        "1GB",
        "1536MB",
        "2MB",
    ]


def test_what_the_index_finds(recommending: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Advice once the collection has outgrown what was measured, or too little was found."""
    backbone = store.backbones.active(recommending)
    assert backbone is not None
    assert "recall" not in examined(recommending)
    recommending.execute("SET default_transaction_read_only = off")
    store.index.build(recommending, backbone.backbone_id)
    assert examined(recommending)["recall"].severity == "ok"
    monkeypatch.setattr(index, "CHECK_FROM", IMAGES - 1)
    found = examined(recommending)["recall"]
    assert (found.severity, found.remedy) == ("advice", "tagdb index check --apply")
    assert found.sentence == f"the recall of the vector index was never measured with {IMAGES} images"
    status = store.index.status(recommending)
    assert status is not None
    assert status.projection_id is not None
    check = store.index_checks.IndexCheck(status.candidates, status.ef_search, 0.912, 1.0)
    recommending.execute("SET default_transaction_read_only = off")
    store.index_checks.note(recommending, status.projection_id, IMAGES, 10, 50, [check])
    found = examined(recommending)["recall"]
    assert (
        found.sentence == f"the vector index finds 91% of the nearest images, measured with {IMAGES} images"
    )
