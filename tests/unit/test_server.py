"""The embedded PostgreSQL, with real servers."""

import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

import tagdb.postgres.server
from tagdb.errors import ServerError
from tagdb.postgres.server import Server
from tests.support.postgres import free_ports

ROOT = os.geteuid() == 0
FAST = {"fsync": "off", "shared_buffers": "16MB"}
START = f"""
import sys; from pathlib import Path; from tagdb.postgres.server import Server
print(Server(Path(sys.argv[1]), {FAST!r}).start())
"""
as_root = pytest.mark.skipif(not ROOT, reason="only root's server runs under another account")

Parents = Callable[[], Path]


def start_elsewhere(home: Path) -> "subprocess.Popen[str]":
    """Start the server from a process of its own."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", START, str(home)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment)


def postgres_id() -> int:
    """The user ID that PostgreSQL runs under."""
    return pwd.getpwnam("tagdb").pw_uid if ROOT else os.geteuid()


def mode(path: Path) -> int:
    """The permissions of a path."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(scope="module")
def parents() -> Iterator[Parents]:
    """Make folders that other accounts may enter, unlike pytest's, and end what was started in them."""
    made: list[Path] = []

    def make() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="tagdb-test-", dir="/tmp")).resolve())
        made[-1].chmod(0o711)
        return made[-1]

    yield make
    for parent in made:
        for home in ("home", "deeper/home"):
            Server(parent / home).stop()
        shutil.rmtree(parent)


@pytest.fixture(scope="module")
def template(parents: Parents) -> Path:
    """A home whose server was made and stopped; beside a half-made data directory at first."""
    home = parents() / "home"
    (home / ".new-killed").mkdir(parents=True)
    home.chmod(0o755)
    (home / ".new-killed" / "PG_VERSION").write_text("18\n")
    server = Server(home, FAST)
    assert server.start()
    assert server.stop()
    return home


@pytest.fixture
def spare(template: Path) -> Iterator[Path]:
    """The same home, for tests that start its server themselves."""
    yield template
    Server(template).stop()


@pytest.fixture(scope="module")
def server(parents: Parents, template: Path) -> Server:
    """A running server, for tests that leave it as it is."""
    home = parents() / "home"
    subprocess.run(["cp", "-a", template, home], check=True)
    server = Server(home, FAST)
    assert server.start()
    return server


def test_the_first_start_makes_the_server(template: Path) -> None:
    data = template / "postgresql"
    assert sorted(each.name for each in template.iterdir()) == ["postgresql", "run", "server.lock"]
    assert (mode(data), data.stat().st_uid) == (0o700, postgres_id())
    assert (mode(template / "run"), (template / "run").stat().st_uid) == (0o700, postgres_id())
    assert mode(template) == 0o755  # as it was found


def test_a_stopped_server_says_so(template: Path) -> None:
    server = Server(template)
    status = server.status()
    assert (status.running, status.pid, status.port) == (False, None, None)
    assert status.data_directory == template / "postgresql"
    assert server.stop() is False


def test_a_server_that_was_never_started_leaves_nothing(parents: Parents) -> None:
    home = parents() / "home"
    server = Server(home)
    assert server.stop() is False
    assert server.status().running is False
    assert server.url().startswith("postgresql://tagdb@/tagdb?host=%2F")
    assert not home.exists()


def test_a_running_server_is_found(server: Server) -> None:
    status = server.status()
    assert (status.running, status.port) == (True, None)
    assert re.fullmatch(r"18\.\d+", status.version)
    assert status.socket_directory == server.home / "run"
    assert status.pid is not None
    assert os.getsid(status.pid) == status.pid
    assert server.start() is False
    with psycopg.connect(server.url()) as connection:
        pid = connection.execute("SELECT pg_postmaster_start_time() IS NOT NULL").fetchone()
    assert pid == (True,)


def test_spelling_of_home(server: Server) -> None:
    assert Server(server.home / ".." / "home").status() == server.status()


def test_owner_is_superuser(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "1")  # for some other server of the user's
    with psycopg.connect(server.url()) as connection:
        query = """
            SELECT current_user, current_database(), rolsuper, current_setting('data_checksums'),
                   pg_encoding_to_char(encoding), datlocprovider, datlocale
            FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()
        """
        got = connection.execute(query).fetchone()
        assert got == ("tagdb", "tagdb", True, "on", "UTF8", "b", "C.UTF-8")
        connection.execute("CREATE EXTENSION vector")
        assert connection.execute("SELECT '[3,4]'::vector <-> '[0,0]'").fetchone() == (5.0,)
        connection.rollback()


def test_a_server_runs_with_tagdbs_settings(server: Server) -> None:
    expected = {
        "jit": "off",
        "work_mem": "32MB",
        "max_wal_size": "4GB",
        "listen_addresses": "",
        "cluster_name": "tagdb",
        "fsync": "off",  # the test's own
        "shared_buffers": "16MB",  # the test's own, over tagdb's
        "unix_socket_permissions": "0700",
    }
    with psycopg.connect(server.url()) as connection:
        query = "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)"
        assert dict(connection.execute(query, [list(expected)]).fetchall()) == expected
        assert connection.execute("SELECT * FROM pg_file_settings WHERE error IS NOT NULL").fetchall() == []


def test_settings_follow_the_machines_memory() -> None:
    settings = tagdb.postgres.server._settings()
    megabytes = {name: int(settings[name][:-2]) for name in ("shared_buffers", "maintenance_work_mem")}
    assert 128 <= megabytes["shared_buffers"] <= 8192
    assert 64 <= megabytes["maintenance_work_mem"] <= 2048


def test_who_may_enter(server: Server) -> None:
    with psycopg.connect(server.url()) as connection:
        rules = connection.execute(
            "SELECT database, type, user_name, address, auth_method, options, error FROM pg_hba_file_rules"
        ).fetchall()
        people = connection.execute("SELECT map_name, sys_name, pg_username FROM pg_ident_file_mappings")
        owner = pwd.getpwuid(os.geteuid()).pw_name
        account = "tagdb" if os.geteuid() == 0 else owner
        assert people.fetchall() == [("owner", owner, "tagdb"), ("server", account, "tagdb")]
    assert rules == [
        (["all"], "local", ["tagdb"], None, "peer", ["map=owner"], None),
        (["replication"], "local", ["tagdb"], None, "peer", ["map=server"], None),
        (["all"], "local", ["all"], None, "scram-sha-256", None, None),
        (["all", "replication"], "host", ["tagdb"], "all", "reject", None, None),
        (["all", "replication"], "host", ["all"], "127.0.0.1", "scram-sha-256", None, None),
    ]


@as_root
@pytest.mark.parametrize("name", ["nobody", "tagdb"])
def test_others_are_refused(server: Server, name: str) -> None:
    who = pwd.getpwnam(name)
    folder = server.status().socket_directory
    psql = server._programs() / "psql"
    command = [psql, "-w", "-h", folder, "-U", "tagdb", "-c", "SELECT 1", "tagdb"]

    def enter() -> str:
        person = {"user": who.pw_uid, "group": who.pw_gid}
        done = subprocess.run(command, **person, extra_groups=[], cwd="/", capture_output=True, text=True)  # type: ignore[call-overload]
        assert done.returncode != 0
        return str(done.stderr)

    refusal = enter()
    if name == "nobody":
        assert "Permission denied" in refusal
    paths = {folder: 0o711, folder / ".s.PGSQL.5432": 0o777}
    before = {path: mode(path) for path in paths}
    try:  # even a socket that everybody reaches lets nobody else in
        for path, opened in paths.items():
            path.chmod(opened)
        assert 'Peer authentication failed for user "tagdb"' in enter()
    finally:
        for path, closed in before.items():
            path.chmod(closed)


def test_two_at_once_then_stop(parents: Parents) -> None:
    home = parents() / "deeper" / "home"
    both = [start_elsewhere(home), start_elsewhere(home)]
    said = [each.communicate(timeout=60) for each in both]
    assert sorted(out.strip() for out, _ in said) == ["False", "True"], said
    assert mode(home) == (0o711 if ROOT else 0o700)
    server = Server(home)
    assert server.status().running  # it outlives the two
    assert server.stop() is True
    assert server.stop() is False
    assert server.status().running is False


def test_killed_server_starts_again(spare: Path) -> None:
    server = Server(spare, FAST)
    with start_elsewhere(server.home) as starter:
        assert starter.communicate(timeout=60)[0].strip() == "True"  # and its pipes were closed
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        connection.commit()
        connection.execute("CHECKPOINT")
    pid = server.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while server.status().running and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.status().running is False
    assert server.stop() is False
    assert server.start() is True
    with psycopg.connect(server.url()) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_stale_pid_file(spare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda _: sleep(0.01))  # nothing was killed here
    server = Server(spare, FAST)
    assert server.start()
    pid_file = server.home / "postgresql" / "postmaster.pid"
    text = pid_file.read_text()
    rest = text.split("\n", 1)[1]
    assert server.stop()
    user = postgres_id() if ROOT else None
    with subprocess.Popen(["sleep", "60"], user=user) as bystander:
        for stale in (text, f"{bystander.pid}\n{rest}", f"{os.getpid()}\n{rest}", ""):
            pid_file.write_text(stale)
            os.chown(pid_file, postgres_id(), -1)
            assert server.status().running is False
            assert server.stop() is False
            assert server.start() is True, stale
            assert server.stop() is True
        assert bystander.poll() is None
        bystander.kill()


def test_a_server_listens_on_a_port(spare: Path) -> None:
    server, port = Server(spare, FAST), free_ports(1)[0]
    assert server.start(port=port) is True
    assert server.status().port == port
    assert server.start() is False
    assert server.start(port=port) is False
    with pytest.raises(ServerError, match="runs without port 1; stop it first"):
        server.start(port=1)
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE ROLE guest LOGIN PASSWORD 'sesame'")
        connection.execute("ALTER ROLE tagdb PASSWORD 'sesame'")
        shown = connection.execute("SHOW listen_addresses").fetchone()
        assert shown == ("127.0.0.1",)

    def enter(user: str, password: str) -> None:
        address = f"host=127.0.0.1 port={port} dbname=tagdb user={user} password={password}"
        psycopg.connect(address, connect_timeout=10).close()

    enter("guest", "sesame")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        enter("guest", "wrong")
    with pytest.raises(psycopg.OperationalError, match="rejects connection"):
        enter("tagdb", "sesame")


def test_a_long_home_has_its_socket_elsewhere(spare: Path) -> None:
    home = spare.parent / ("long" * 25)
    spare.rename(home)
    server = Server(home, FAST)
    folder = server.status().socket_directory
    assert folder.parent == Path(tempfile.gettempdir()).resolve()
    try:
        assert server.start()
        assert (mode(folder), folder.stat().st_uid) == (0o700, postgres_id())
        with psycopg.connect(server.url()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert server.stop()
        if ROOT:
            os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
            with pytest.raises(ServerError, match="belongs to another user"):
                server.start()
            with pytest.raises(ServerError, match="belongs to another user"):
                server.url()
    finally:
        if ROOT:
            os.chown(folder, postgres_id(), -1)
        server.stop()
        shutil.rmtree(folder)
        home.rename(spare)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_home_that_cannot_be_made() -> None:
    with pytest.raises(ServerError) as caught:
        Server(Path("/proc/x")).start()
    assert str(caught.value) == (
        "the embedded PostgreSQL cannot use /proc/x: No such file or directory; set another TAGDB_HOME"
    )


@as_root
def test_a_parent_that_is_closed_to_the_account_is_refused(parents: Parents) -> None:
    parent = parents()
    parent.chmod(0o700)
    with pytest.raises(
        ServerError, match=f"^the account tagdb cannot enter {parent}; set another TAGDB_HOME"
    ):
        Server(parent / "home").start()
    assert list(parent.iterdir()) == []


@as_root
def test_closed_home_is_opened(parents: Parents) -> None:
    home = parents() / "home"
    home.mkdir(0o700)
    with Server(home)._locked():
        assert mode(home) == 0o711


@as_root
def test_closed_programs_are_copied(spare: Path, parents: Parents, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = parents()
    closed.chmod(0o700)
    bundle = closed / "pginstall18"
    bundle.symlink_to(tagdb.postgres.server._bundle())
    monkeypatch.setattr(tagdb.postgres.server, "_bundle", lambda: bundle)
    server = Server(spare, FAST)
    assert server.start()
    (copy,) = server.home.glob("postgresql-bin-18.*")
    assert str(copy).endswith(server.status().version)
    files = list(copy.rglob("*"))
    assert all(each.stat().st_uid == 0 and mode(each) in (0o755, 0o644) for each in [copy, *files])
    pid = server.status().pid
    assert Path(f"/proc/{pid}/exe").readlink() == copy / "bin" / "postgres"
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE EXTENSION vector")
        connection.rollback()
    assert server.stop()
    shutil.rmtree(copy)


def test_a_setting_that_postgresql_refuses_is_a_sentence(spare: Path) -> None:
    server = Server(spare, {"no_such_setting": "it's"})
    log = server.home / "postgresql" / "server.log"
    message = f'"no_such_setting" .* contains errors \\(see {log}\\)$'
    with pytest.raises(ServerError, match=message) as caught:
        server.start()
    assert "\n" not in str(caught.value)


def test_other_major_version(spare: Path) -> None:
    version = spare / "postgresql" / "PG_VERSION"
    version.write_text("17\n")
    try:
        with pytest.raises(
            ServerError, match=r"belongs to PostgreSQL 17, not 18\.\d+; set another TAGDB_HOME"
        ):
            Server(spare).start()
    finally:
        version.write_text("18\n")


def test_a_home_with_a_dollar_is_refused(parents: Parents) -> None:
    with pytest.raises(ServerError, match="must not contain the character '\\$'"):
        Server(parents() / "$HOME").start()


def test_home_is_a_file(parents: Parents) -> None:
    home = parents() / "home"
    home.write_text("")
    server = Server(home)
    for method in (server.start, server.stop, server.status, server.url):
        with pytest.raises(ServerError, match=f"cannot use {home}"):
            method()
    home.unlink()


def test_without_the_bundle_every_call_says_what_to_install(
    parents: Parents, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(parents() / "home")
    tagdb.postgres.server._bundle.cache_clear()
    tagdb.postgres.server._pg_config.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(importlib.util, "find_spec", lambda _: None)
        for method in (server.start, server.stop, server.status, server.url, lambda: server.program("psql")):
            with pytest.raises(ServerError, match=r"is not available on this platform; give --database-url$"):
                method()
    assert not server.home.exists()


def test_programs_of_the_bundle_are_found(server: Server) -> None:
    done = subprocess.run([server.program("pg_dump"), "--version"], capture_output=True, text=True)
    assert done.stdout.startswith("pg_dump (PostgreSQL) 18.")


def test_without_an_account_root_starts_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", unknown)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ServerError, match="does not run as root"):
        tagdb.postgres.server._account()
