"""``tagdb db`` and the embedded server, by real processes; and databases that are named by a URL."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tagdb.postgres.database import SCHEMA_REVISION
from tests.support.commands import Process, Run, complaint, parsed
from tests.support.pictures import photo
from tests.support.postgres import free_ports


def facts(process: Process, home: Path) -> dict[str, object]:
    done = process("db", "status", "--json", TAGDB_HOME=str(home))
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_the_embedded_server_from_nothing_to_its_end(
    fresh: Path, tagdb_process: Process, step: Callable[[str], None]
) -> None:
    settings = {"TAGDB_HOME": str(fresh)}
    step("status before anything is there")
    before = facts(tagdb_process, fresh)
    assert (before["embedded"], before["running"], before["pid"]) == (True, False, None)
    assert "schema" not in before
    assert not (fresh / "postgresql").exists()  # asking starts nothing

    step("the first command starts the server")
    first = tagdb_process("factors", "list", **settings)
    assert first.returncode == 0
    notes = first.stderr.splitlines()
    assert notes == [
        f"started the embedded PostgreSQL in {fresh}; it runs until: TAGDB_HOME={fresh} tagdb db stop",
        "no factor run yet; compute one: tagdb factors compute",
    ]
    assert tagdb_process("factors", "list", **settings).stderr.splitlines() == notes[1:]

    step("status while it runs")
    after = facts(tagdb_process, fresh)
    assert after["running"] is True
    assert isinstance(after["pid"], int)
    assert after["schema"] == after["schema_needed"] == SCHEMA_REVISION
    assert after["data_directory"] == str(fresh / "postgresql")
    text = tagdb_process("db", "status", **settings).stdout
    assert {"running: yes", f"schema: {SCHEMA_REVISION}", "port: none"} <= set(text.splitlines())

    step("what a running server is used for")
    assert tagdb_process("db", "start", **settings).stdout == f"already running: PostgreSQL in {fresh}\n"
    url = tagdb_process("db", "url", **settings)
    assert (url.returncode, url.stderr) == (0, "")
    assert url.stdout.count("\n") == 1
    with psycopg.connect(url.stdout.strip()) as connection:
        row = connection.execute("SELECT count(*) FROM tagdb.images").fetchone()
        assert row == (0,)

    shell = tagdb_process("db", "shell", "--", "-At", "-c", "select 1, current_user", **settings)
    assert (shell.returncode, shell.stdout, shell.stderr) == (0, "1|tagdb\n", "")
    shell = tagdb_process("db", "shell", "--", "-c", "nonsense", **settings)
    assert shell.returncode == 1
    assert "syntax error" in shell.stderr
    init = tagdb_process("init", **settings)
    assert init.stdout.startswith("the schema in database tagdb at ")
    assert init.stdout.endswith(f" is up to date, revision {SCHEMA_REVISION}\n")

    step("stopped, and started again")
    assert tagdb_process("db", "stop", **settings).stdout == "stopped\n"
    assert tagdb_process("db", "stop", **settings).stdout == "it was not running\n"
    assert facts(tagdb_process, fresh)["running"] is False
    assert tagdb_process("db", "start", **settings).stdout == f"started: PostgreSQL in {fresh}\n"


def test_the_port_of_the_settings(fresh: Path, tagdb_process: Process) -> None:
    """Every start listens there; a server that was started without it is as good for a command."""
    port, other = free_ports(2)
    settings = {"TAGDB_HOME": str(fresh)}

    def started(*arguments: object, **more: str) -> tuple[str, list[str]]:
        done = tagdb_process("db", "start", *arguments, **settings, **more)
        assert done.returncode == 0, done.stderr
        assert f": PostgreSQL in {fresh}" in done.stdout
        return done.stdout.split(":")[0], done.stderr.splitlines()

    assert started("--port", other) == ("started", [])
    assert facts(tagdb_process, fresh)["port"] == other
    assert started("--port", other) == ("already running", [])

    def stop() -> None:
        assert tagdb_process("db", "stop", **settings).stdout == "stopped\n"

    stop()
    assert tagdb_process("factors", "list", **settings).returncode == 0  # starts it, on the port it had
    assert facts(tagdb_process, fresh)["port"] == other
    (fresh / "tagdb.toml").write_text(f'backbone = "bundled"\n port=  {other}')
    lost = f"URLs with port {other} that were given to others no longer hold"
    assert started("--port", port) == ("restarted", [f"{lost}; tagdb db url --role prints the new ones"])
    assert facts(tagdb_process, fresh)["port"] == port
    assert (fresh / "tagdb.toml").read_text() == f'backbone = "bundled"\nport = {port}\n'
    (fresh / "tagdb.toml").write_text(f"port = {other}\n")
    needed = tagdb_process("factors", "list", **settings)
    assert (needed.returncode, needed.stderr.splitlines()) == (
        0, ["no factor run yet; compute one: tagdb factors compute"],
    )  # fmt: skip
    lost = f"URLs with port {port} that were given to others no longer hold"
    assert started("--no-port") == ("restarted", [lost])
    assert facts(tagdb_process, fresh)["port"] is None
    assert (fresh / "tagdb.toml").read_text() == ""
    stop()
    assert started(TAGDB_PORT=str(other)) == ("started", [])
    assert facts(tagdb_process, fresh)["port"] == other
    lost = f"URLs with port {other} that were given to others no longer hold"
    new = f"{lost}; tagdb db url --role prints the new ones"
    assert started(TAGDB_PORT=str(port)) == ("restarted", [new])
    assert facts(tagdb_process, fresh)["port"] == port
    assert started() == ("already running", [])


def test_a_url_holds_when_the_port_changes(fresh: Path, tagdb_process: Process) -> None:
    port = free_ports(1)[0]
    settings = {"TAGDB_HOME": str(fresh)}
    urls = []
    for command, shown in (
        (("start", "--port", port), f"started: PostgreSQL in {fresh}, on port {port}\n"),
        (("start",), f"already running: PostgreSQL in {fresh}, on port {port}\n"),
        (("stop",), "stopped\n"),
        (("start",), f"started: PostgreSQL in {fresh}, on port {port}\n"),
        (("start", "--no-port"), f"restarted: PostgreSQL in {fresh}\n"),
        (("start", "--port", port), f"restarted: PostgreSQL in {fresh}, on port {port}\n"),
    ):
        assert tagdb_process("db", *command, **settings).stdout == shown
        if command != ("stop",):
            urls.append(tagdb_process("db", "url", **settings).stdout.strip())
    assert len(set(urls)) == 1
    with psycopg.connect(urls[0]) as connection:
        assert connection.execute("SHOW port").fetchone() == (str(port),)


def test_a_port_that_is_taken_while_it_runs(fresh: Path, tagdb_process: Process) -> None:
    """The server goes on as it was, and does not remember that port."""
    settings = {"TAGDB_HOME": str(fresh)}
    assert tagdb_process("db", "start", **settings).returncode == 0
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = tagdb_process("db", "start", "--port", taken.getsockname()[1], **settings)
    assert (done.returncode, done.stdout) == (1, "")
    assert "the embedded PostgreSQL did not start" in done.stderr
    assert facts(tagdb_process, fresh)["running"] is True
    assert not (fresh / "tagdb.toml").exists()


def test_a_port_that_is_taken(fresh: Path, tagdb_process: Process) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = {"TAGDB_HOME": str(fresh), "TAGDB_PORT": str(taken.getsockname()[1])}
        for command in (("factors", "list"), ("db", "start")):
            done = tagdb_process(*command, **settings)
            assert (done.returncode, done.stdout) == (1, "")
            assert "the embedded PostgreSQL did not start" in done.stderr


def test_two_commands_at_once_in_a_fresh_home(fresh: Path, tagdb_process: Process) -> None:
    """Both would start the server and make the schema."""
    with ThreadPoolExecutor(2) as pool:
        running = [
            pool.submit(tagdb_process, "factors", "list", "--json", TAGDB_HOME=str(fresh)) for _ in range(2)
        ]
    done = [one.result() for one in running]
    assert [(one.returncode, one.stdout) for one in done] == [(0, "[]\n")] * 2, done
    assert sum("started the embedded PostgreSQL" in one.stderr for one in done) == 1


@pytest.mark.parametrize("command", [("start",), ("stop",)])
def test_a_server_that_is_not_tagdbs(tagdb: Run, home: Path, command: tuple[str, ...]) -> None:
    """With a URL there is nothing to start or stop."""
    message = complaint(tagdb("db", *command))
    assert "a database URL is set" in message
    assert "TAGDB_DATABASE_URL" in message
    assert not (home / "postgresql").exists()


def test_a_named_database(tagdb: Run, database_url: str, home: Path) -> None:
    assert tagdb("db", "url").stdout == f"{database_url}\n"
    found = parsed(tagdb("db", "status", "--json"))
    assert found["embedded"] is False
    assert found["running"] is True
    assert found["schema"] == SCHEMA_REVISION
    assert psycopg.conninfo.conninfo_to_dict(database_url)["dbname"] in found["database"]
    assert not (home / "postgresql").exists()


def test_init_makes_the_schema_that_commands_ask_for(tagdb: Run, empty_database_url: str) -> None:
    flags = ("--database-url", empty_database_url)
    assert parsed(tagdb("db", "status", "--json", *flags))["schema"] is None
    for command in (("factors", "list"), ("factors", "compute"), ("db", "shell")):
        assert complaint(tagdb(*command, *flags)).endswith("no tagdb schema yet; run: tagdb init")
    done = tagdb("init", *flags)
    assert done.stdout.startswith(f"created the schema, revision {SCHEMA_REVISION}, in database ")
    assert (done.exit_code, done.stderr) == (0, "")
    again = tagdb("init", *flags)
    assert "is up to date" in again.stdout
    assert tagdb("factors", "list", *flags).exit_code == 0


def test_the_flag_may_stand_before_and_after_the_command(tagdb: Run, empty_database_url: str) -> None:
    for arguments in (
        ("--database-url", empty_database_url, "db", "url"),
        ("db", "url", "--database-url", empty_database_url),
    ):
        assert tagdb(*arguments).stdout == f"{empty_database_url}\n"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3cret@127.0.0.1:9/db",
        "postgresql+psycopg://me:s3cret@127.0.0.1:9/db",
        "postgresql://127.0.0.1:9/db?user=me&password=s3cret",
        "host=127.0.0.1 port=9 user=me password=s3cret",
        "postgresql://me:s3cret@127.0.0.1:nine/db",
        "postgresql://me:s3cret@127.0.0.1:9/db?nonsense=1",
        "host=127.0.0.1 port=9 password='s3cret",
    ],
)
def test_no_password_is_ever_shown(tagdb: Run, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("TAGDB_DATABASE_URL", url)
    for command in (
        ("db", "status"),
        ("db", "status", "--json"),
        ("db", "shell"),
        ("init",),
        ("db", "start"),
    ):
        for flags in ((), ("--verbose",)):
            done = tagdb(*command, *flags)
            assert done.exit_code == 1
            assert "s3cret" not in done.output, done.output
        complaint(tagdb(*command))


def test_a_password_is_not_shown_by_a_running_database(tagdb: Run, database_url: str) -> None:
    url = f"{database_url}{'&' if '?' in database_url else '?'}password=s3cret"
    for command in (("db", "status"), ("db", "status", "--json"), ("init",)):
        done = tagdb(*command, "--database-url", url)
        assert done.exit_code == 0, done.output
        assert "s3cret" not in done.output


def test_the_shell_hides_the_password(database_url: str, tmp_path: Path) -> None:
    """It goes to psql through the environment: everybody may see a program's arguments."""
    psql = tmp_path / "bin" / "psql"
    psql.parent.mkdir()
    psql.write_text('#!/bin/sh\necho "$PGPASSWORD"\nfor argument; do echo "$argument"; done\n')
    psql.chmod(0o755)
    url = f"{database_url}{'&' if '?' in database_url else '?'}password=s3cret"
    environment = os.environ | {
        "PATH": f"{psql.parent}:{os.environ['PATH']}", "TAGDB_DATABASE_URL": url, "TAGDB_HOME": str(tmp_path),
    }  # fmt: skip
    command = [sys.executable, "-m", "tagdb", "db", "shell", "--", "-c", "select 1"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    password, *arguments = done.stdout.splitlines()
    assert password == "s3cret"
    assert not any("s3cret" in argument for argument in arguments)
    assert arguments[:2] == ["-v", "ON_ERROR_STOP=1"]  # in a pipe; at a prompt errors go on
    assert arguments[-2:] == ["-c", "select 1"]


def test_a_bad_settings_file(tagdb: Run, home: Path) -> None:
    (home / "tagdb.toml").write_text("colour = 'blue'")
    assert "colour is not a setting" in complaint(tagdb("db", "url"))


AWKWARD = {
    "PGCHANNELBINDING": "require",
    "PGHOSTADDR": "127.0.0.1",
    "PGSERVICE": "another",
    "PGSERVICEFILE": "/nowhere",
    "PGGSSENCMODE": "require",
    "PGTARGETSESSIONATTRS": "standby",
    "PGSSLMODE": "verify-full",
    "PGREQUIREAUTH": "scram-sha-256",
    "PGREQUIREPEER": "somebody",
    "PGLOADBALANCEHOSTS": "nonsense",
    "PGOPTIONS": "-c search_path=nowhere -c statement_timeout=1 -c nonsense=1",
    "PGPORT": "1",
    "PGDATABASE": "nowhere",
    "PGUSER": "nobody",
    "PGCLIENTENCODING": "nonsense",
    "PGDATESTYLE": "German",
    "PGTZ": "Asia/Tokyo",
    "PGCONNECT_TIMEOUT": "nonsense",
    "PGMINPROTOCOLVERSION": "nonsense",
}


def test_what_is_set_for_other_servers_does_not_matter(
    fresh: Path, tagdb_process: Process, chosen: tuple[object, ...], tmp_path: Path, backbone_file: Path
) -> None:
    """Each alone, and all at once: neither for the commands nor for the programs that they start."""
    (fresh / "backbones").mkdir(parents=True)
    (fresh / "backbones" / backbone_file.name).symlink_to(backbone_file)
    photos, file, settings = tmp_path / "1.jpg", tmp_path / "file", {"TAGDB_HOME": str(fresh)}
    photos.write_bytes(photo(1))
    for command in (
        ("ingest", photos, *chosen),
        ("db", "shell", "--", "-Atc", "SELECT count(*) FROM tagdb.images"),
        ("backup", file),
        ("restore", "--replace", file),
    ):
        done = tagdb_process(*command, **settings, **AWKWARD)
        assert done.returncode == 0, done.stderr
    for name, value in AWKWARD.items():
        done = tagdb_process("tags", "list", **settings, **{name: value})
        assert done.returncode == 0, (name, done.stderr)
