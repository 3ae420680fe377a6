"""A standby answers whatever only reads, and says of everything else that it is one."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tagdb import factors, store, tokens
from tagdb.errors import ServerError
from tagdb.postgres import database, standby
from tagdb.postgres.server import Server
from tests.reliability.test_upgrades import CALLS
from tests.serve.test_access import CALLS as SERVED
from tests.support.commands import TAGS, draw, invoke, write_csv
from tests.support.postgres import free_ports, temporary_home
from tests.support.served import serving
from tests.support.surface import ASKING, PUBLIC, WRITING, call

REFUSED = "Error: the server is read-only, a standby; name the primary instead\n"
READING = {
    "factors list", "factors diff 1 2", "recommend PHOTO", "evaluate", "stats show",
    "similar PHOTO", "tags list", "backbone list", "index status", "serve token list",
    "export FOLDER/x.jsonl", "originals FOLDER/originals", "backup FOLDER/file",
}  # fmt: skip
"""Commands that write nothing into the database."""
NOTHING_TO_DO = {"init", "factors prune", "feedback", "backbone use 1", "index drop"}
"""Those that find that there is nothing to write."""
STORING = {
    ("POST", "/images"), ("POST", "/images/2/feedback"), ("POST", "/images/2/feedback/withdraw"),
    ("POST", "/images/2/hashtags"), ("POST", "/edits"), ("POST", "/edits/1/undo"),
    ("POST", "/factor_runs/1/activate"), ("DELETE", "/images/3"),
}  # fmt: skip
"""Calls of the service that write; a job begins, and says so when it fails."""
STAYING = {"recommend --watch FOLDER", "serve --listen 127.0.0.1:0"}
"""Commands that read until they are ended."""


class Pair:
    """A primary with photos and two factor runs, and its standby."""

    def __init__(self, primary: Server, copy: Server, folder: Path) -> None:
        self.primary, self.standby, self.folder = primary, copy, folder

    def tagdb(self, server: Server, *words: str) -> tuple[int, str, str]:
        home = self.folder / "home"
        done = invoke(*words, TAGDB_DATABASE_URL=server.url(), TAGDB_HOME=str(home))
        return done.exit_code, done.stdout, done.stderr

    def done(self, *words: str) -> None:
        """Run a command on the primary, which must succeed."""
        code, _, said = self.tagdb(self.primary, *words)
        assert code == 0, said

    def catch_up(self) -> None:
        with database.connect(self.primary.url()) as one, database.connect(self.standby.url()) as other:
            place = one.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
            limit = time.monotonic() + 30
            while other.execute("SELECT pg_last_wal_replay_lsn() >= %s", place).fetchone() != (True,):
                assert time.monotonic() < limit
                time.sleep(0.02)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder, homes = tmp_path_factory.mktemp("pair"), (temporary_home(), temporary_home())
    one = Pair(Server(homes[0]), Server(homes[1]), folder)
    try:
        one.primary.start()
        database.migrate(one.primary.url())
        draw(folder, range(60))
        listed = [[f"{n:02}.jpg", TAGS[n % len(TAGS)] + f" #kind{n % 3}"] for n in range(60)]
        write_csv(folder / "photos.csv", ["file_name", "hashtags"], listed)
        one.done("ingest", str(folder / "photos.csv"), "--backbone", "bundled")
        for _ in range(2):
            one.done("factors", "compute", "--min-hashtags", "1")
        standby.make(one.primary.url(), homes[1])
        one.catch_up()
        yield one
    finally:
        for server, home in zip((one.standby, one.primary), reversed(homes), strict=True):
            server.stop()
            shutil.rmtree(home, ignore_errors=True)


@pytest.mark.parametrize("words", [words for words in CALLS if words not in STAYING])
def test_every_command(pair: Pair, words: str, tmp_path: Path) -> None:
    """What reads answers as the primary does; what writes says at once that it cannot."""

    def run(server: Server, folder: Path) -> tuple[int, str, str]:
        folder.mkdir(exist_ok=True)
        text = words.replace("PHOTO", str(pair.folder / "00.jpg")).replace("FOLDER", str(folder))
        return pair.tagdb(server, *text.split())

    if words.startswith("sync"):
        draw(tmp_path / "standby", range(3))
    code, printed, said = run(pair.standby, tmp_path / "standby")
    if words in READING | NOTHING_TO_DO:
        assert code == 0, said
        if not words.startswith(("init", "backup", "evaluate", "export", "originals")):
            assert (code, printed) == run(pair.primary, tmp_path / "primary")[:2]
    elif words == "bi superset":
        assert code == 1
        assert "no login has the role reader yet" in said
    elif words == "backbone drop 1":
        assert code == 1
        assert "is active" in said
    else:
        assert code == 1
        assert said.endswith(REFUSED)


def test_every_function(pair: Pair) -> None:
    """Of SQL: the same rows as on the primary, or the error of a server that is read-only."""
    with database.connect(pair.standby.url()) as copy, database.connect(pair.primary.url()) as one:
        for name in PUBLIC:
            query = call("tagdb", name).encode()
            if name == "recommend_photo":  # no worker can be there
                continue
            if name in WRITING | ASKING:
                with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                    copy.execute(query)
            elif name not in ("answer", "request_state"):  # there are no requests either
                assert copy.execute(query).fetchall() == one.execute(query).fetchall(), name


def test_every_call_of_the_service(pair: Pair) -> None:
    """By token, the use of which is noted on a primary only."""
    with database.connect(pair.primary.url()) as one:
        token = tokens.add(one, "writer", "writer").token
        pair.catch_up()
    picture = {"photo": (pair.folder / "00.jpg").read_bytes()}
    with serving(pair.standby.url(), pair.folder / "home") as served, served.client(token) as client:
        for words, (_, kind, body) in SERVED.items():
            method, path = words.replace("food", "beach").split()
            how = {"photo": {"files": picture}, "json": {"json": body}, "": {}}[kind]
            answer = client.request(method, path, **how)  # type: ignore[arg-type]
            if (method, path) in STORING:
                assert answer.status_code == 409, (words, answer.text)
                assert "read-only" in answer.json()["detail"]
            else:
                assert answer.is_success or answer.status_code == 404, (words, answer.text)


def test_a_run_is_in_use_while_a_standby_reads_it(pair: Pair) -> None:
    """Pruning waits for its readers, who are not thrown out."""
    with database.connect(pair.primary.url()) as one, database.connect(pair.standby.url()) as reader:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        query = "SELECT count(*) FROM tagdb.recommend_for_image(1)"
        before = reader.execute(query).fetchone()
        factors.compute(one, store.runs.default_settings(one), quiet=True)
        assert factors.prune(one, 1, quiet=True, seconds=1).in_use
        assert reader.execute(query).fetchone() == before
        reader.execute("COMMIT")
        assert factors.prune(one, 1, quiet=True, seconds=30).in_use == []
        pair.catch_up()
        assert reader.execute(query).fetchone() == before


def test_its_state_is_shown(pair: Pair) -> None:
    pair.done("stats", "refresh")
    pair.catch_up()
    code, printed, _ = pair.tagdb(pair.standby, "db", "status", "--json")
    facts = json.loads(printed)
    assert (code, facts["standby"], facts["connected"]) == (0, True, True)
    assert facts["behind_seconds"] >= 0


def test_a_folder_with_a_server_is_left_alone(pair: Pair) -> None:
    with pytest.raises(ServerError, match="has a server already; name another folder"):
        standby.make(pair.primary.url(), pair.standby.home)


def test_a_folder_with_other_files_is_left_alone(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "00.jpg").touch()
    done = invoke("db", "standby", tmp_path, TAGDB_HOME=str(pair.primary.home))
    assert done.stderr == f"Error: {tmp_path} is not empty; name another folder\n"
    assert [file.name for file in tmp_path.iterdir()] == ["00.jpg"]


def test_from_making_it_to_its_promotion(tmp_path: Path) -> None:
    """By its commands, over TCP by a login of its own, from a primary with more processes than cores."""
    homes = temporary_home(), temporary_home()
    primary = Server(homes[0], {"max_worker_processes": "40"})
    home = {"TAGDB_HOME": str(homes[1])}
    try:
        primary.start(port=(port := free_ports(1)[0]))
        database.migrate(primary.url())
        with database.connect(primary.url()) as one:
            one.execute("CREATE ROLE follower LOGIN PASSWORD 'secret'")
        url = f"postgresql://follower:secret@127.0.0.1:{port}/tagdb"
        done = invoke("db", "standby", homes[1], "--of", url)
        assert (done.exit_code, done.stdout) == (1, "")
        assert "this login may not replicate" in done.stderr
        with database.connect(primary.url()) as one:
            one.execute("ALTER ROLE follower REPLICATION")
        done = invoke("db", "standby", homes[1], "--of", url)
        assert done.exit_code == 0, done.stderr
        assert done.stdout == f"standby: PostgreSQL in {homes[1]} follows database tagdb at 127.0.0.1\n"
        assert "secret" not in done.stderr

        assert invoke("db", "stop", **home).exit_code == 0
        assert invoke("db", "start", **home).exit_code == 0
        assert "standby: yes" in invoke("db", "status", **home).stdout
        assert invoke("tags", "ban", "a", **home).stderr == REFUSED

        done = invoke("db", "promote", **home)
        assert (done.exit_code, done.stdout) == (1, "")
        assert "the primary is there, and this standby is connected to it; stop it first" in done.stderr
        primary.stop()
        assert "behind seconds: none" in invoke("db", "status", **home).stdout
        empty = tmp_path / "nowhere"
        assert "there is no PostgreSQL in" in invoke("db", "promote", TAGDB_HOME=str(empty)).stderr
        done = invoke("db", "promote", **home)
        assert (done.exit_code, done.stderr) == (0, "")
        assert "standby" not in invoke("db", "status", **home).stdout
        assert invoke("db", "promote", **home).stderr.endswith("is not a standby\n")
        assert invoke("ingest", pictures(tmp_path), "--backbone", "bundled", **home).exit_code == 0
    finally:
        for server in (Server(homes[1]), primary):
            server.stop()
            shutil.rmtree(server.home, ignore_errors=True)


def pictures(folder: Path) -> Path:
    draw(folder, range(2))
    return folder
