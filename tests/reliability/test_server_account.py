"""Root's embedded server runs under the account ``tagdb``, which must not become a way to root's things."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tagdb.errors import DatabaseError, ServerError
from tagdb.postgres import database
from tagdb.postgres.server import Server

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="only root's server runs under another account"
)

FAST = {"fsync": "off", "shared_buffers": "16MB"}
SECRET = "root's own words"
READ = ("postmaster.pid", "PG_VERSION", "server.log")
WRITTEN = ("pg_hba.conf", "pg_ident.conf", "tagdb.conf")

# Says that it wants a password in the clear, and notes down whatever it is told.
IMPOSTOR = """
import os, socket, sys
path, notes = sys.argv[1:3]
listening = socket.socket(socket.AF_UNIX)
listening.bind(path); os.chmod(path, 0o777); listening.listen(8)
print('ready', flush=True)
while True:
    one, _ = listening.accept()
    with one:
        one.settimeout(2)
        try:
            said = one.recv(4096)
            if said[4:8] in (b'\\x04\\xd2\\x16\\x2f', b'\\x04\\xd2\\x16\\x30'):  # asks for TLS or GSS
                one.sendall(b'N')
                said += one.recv(4096)
            one.sendall(b'R\\0\\0\\0\\x08\\0\\0\\0\\x03')
            said += one.recv(4096)
        except OSError:
            pass
        open(notes, 'ab').write(said)
"""


def account() -> pwd.struct_passwd:
    return pwd.getpwnam("tagdb")


def as_account(*command: str | Path, name: str = "tagdb") -> subprocess.CompletedProcess[str]:
    """Run a program as the account, or as another one."""
    who = pwd.getpwnam(name)
    how: dict[str, Any] = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": [], "cwd": "/"}
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **how)


@pytest.fixture(scope="module")
def parent() -> Iterator[Path]:
    """A folder that other accounts may enter."""
    made = Path(tempfile.mkdtemp(prefix="tagdb-test-", dir="/tmp")).resolve()
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def home(parent: Path) -> Iterator[Path]:
    """A home whose server was made and stopped."""
    server = Server(parent / "home", FAST)
    assert server.start()
    (server.home / "pgpass").write_text(SECRET)
    (server.home / "pgpass").chmod(0o600)
    yield server.home
    server.stop()


@pytest.fixture
def stopped(home: Path) -> Iterator[Server]:
    """Its server, which does not run."""
    server = Server(home, FAST)
    server.stop()
    yield server
    server.stop()


@pytest.fixture
def secret(parent: Path) -> Iterator[Path]:
    """A file of root's."""
    path = parent / "secret"
    path.write_text(f"4194304\n{SECRET}\n")
    path.chmod(0o600)
    before = path.stat()
    yield path
    after = path.stat()
    assert (after.st_uid, after.st_mode, after.st_mtime_ns) == (0, before.st_mode, before.st_mtime_ns)


@pytest.mark.parametrize("name", ["tagdb", "nobody"])
def test_the_home_is_roots(home: Path, name: str) -> None:
    """Nothing can be put into it, taken out of it, or read in it that is root's."""
    before = sorted((each.name, each.lstat().st_ino, each.lstat().st_mtime_ns) for each in home.iterdir())
    tried = [
        ("touch", home / "new"), ("mkdir", home / "new"), ("ln", "-s", "/etc", home / "new"),
        ("mv", home / "postgresql", home / "other"), ("mv", home / "run", home / "other"),
        ("rm", home / "server.lock"), ("cat", home / "pgpass"), ("rm", "-f", home / "pgpass"),
        ("sh", "-c", f"echo >>'{home}/server.lock'"), ("sh", "-c", f"echo >>'{home}/pgpass'"), ("ls", home),
    ]  # fmt: skip
    if name == "nobody":
        data = home / "postgresql"
        tried += [
            ("ls", data),
            ("ls", home / "run"),
            ("cat", data / "server.log"),
            ("cat", data / "pg_hba.conf"),
        ]
    for command in tried:
        done = as_account(*command, name=name)
        assert done.returncode != 0, command
        assert SECRET not in done.stdout
    assert before == sorted(
        (each.name, each.lstat().st_ino, each.lstat().st_mtime_ns) for each in home.iterdir()
    )


def attempts(server: Server) -> None:
    """Everything that root does with a server. It may fail, in a sentence."""
    for method in (server.status, server.url, server.start, server.status, server.stop):
        said = ""
        try:
            method()
        except ServerError as error:
            said = str(error)
        assert "\n" not in said
        assert SECRET not in said


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name in READ for kind in ("link", "hard link", "pipe", "folder", "device")]
    + [(name, kind) for name in WRITTEN for kind in ("link", "pipe")],
)
def test_root_follows_nothing_that_the_account_has_planted(
    stopped: Server, secret: Path, name: str, kind: str
) -> None:
    """In its own folder it may do what it likes: root reads and writes nothing else, and never waits."""
    data = stopped.home / "postgresql"
    path, kept = data / name, data / f"{name}.kept"
    as_account("mv", path, kept)
    plant: dict[str, tuple[str | Path, ...]] = {
        "link": ("ln", "-s", secret, path), "hard link": ("ln", secret, path), "pipe": ("mkfifo", path),
        "folder": ("mkdir", path), "device": ("ln", "-s", "/dev/zero", path),
    }  # fmt: skip
    try:
        if as_account(*plant[kind]).returncode != 0 and kind == "hard link":
            path.hardlink_to(secret)  # where the kernel does not protect them
        assert os.path.lexists(path)
        started = time.monotonic()
        attempts(stopped)
        assert time.monotonic() - started < 60
        found = as_account("grep", "-rl", "-D", "skip", SECRET, data)
        assert [
            line for line in found.stdout.splitlines() if Path(line).stat().st_ino != secret.stat().st_ino
        ] == []
    finally:
        as_account("rm", "-rf", path, data / f"{name}.new")
        if path.exists():  # a hard link that root made
            path.unlink()
        as_account("mv", kept, path)
        stopped.stop()
    assert stopped.start()  # and it is as it was


@pytest.fixture
def forged(stopped: Server) -> Iterator[Callable[..., None]]:
    """A function that has the account write a postmaster.pid; a process that looks like a server's lives."""
    data = stopped.home / "postgresql"
    who = account()
    how: dict[str, Any] = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": [], "cwd": "/"}
    command = ["sh", "-c", "sleep 60; :", "-D", str(data), "x"]
    process = subprocess.Popen(command, start_new_session=True, **how)

    def forge(pid: object = process.pid, port: object = 5432, folder: object = "", address: str = "") -> None:
        text = f"{pid}\n{data}\n1\n{port}\n{folder}\n{address}\n1 1\nready\n"
        assert as_account("sh", "-c", f'printf %s "$1" >"{data}/postmaster.pid"', "sh", text).returncode == 0

    yield forge
    os.killpg(process.pid, 9)
    process.wait()
    as_account("rm", "-f", data / "postmaster.pid")


@pytest.fixture
def impostor(parent: Path) -> Iterator[tuple[Path, Path]]:
    """A server of the account's, which is none; its folder, and what it was told."""
    folder = Path(tempfile.mkdtemp(prefix="impostor-", dir=parent))
    os.chown(folder, account().pw_uid, -1)
    notes = folder / "notes"
    who = account()
    how: dict[str, Any] = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": [], "cwd": "/"}
    command = [
        shutil.which("python3", path="/usr/bin:/bin") or "python3",
        "-c",
        IMPOSTOR,
        folder / ".s.PGSQL.5432",
        notes,
    ]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True, **how) as process:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            pytest.skip("no Python that the account may run")
        yield folder, notes
        process.kill()


def test_a_forged_server_is_told_nothing(
    stopped: Server, forged: Callable[..., None], impostor: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    """Root's passwords are for other servers; the account's knows root by the kernel's word."""
    folder, notes = impostor
    forged(folder=folder)
    passfile = tmp_path / "pgpass"
    passfile.write_text(f"*:*:*:*:{SECRET}\n")
    passfile.chmod(0o600)
    for name, value in (("PGPASSWORD", SECRET), ("PGPASSFILE", str(passfile))):
        monkeypatch.setenv(name, value)
        assert stopped.status().socket_directory == folder  # taken for the server
        with pytest.raises(DatabaseError, match="authentication"):
            database.connect(stopped.url())
        assert b"tagdb" in notes.read_bytes()  # it was asked
        assert SECRET.encode() not in notes.read_bytes()
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    "lines",
    [
        {"port": "5432&host=127.0.0.1&port=1"},
        {"port": "5432&passfile=/etc/passwd"},
        {"port": "-5432"},
        {"pid": "/tmp"},
        {"pid": "../../tmp"},
        {"pid": "-1"},
        {"pid": "1\x7f"},
        {"pid": "9" * 400},
        {"folder": "/tmp"},
    ],
)
def test_a_forged_note_of_the_server_leads_nowhere_else(
    stopped: Server, forged: Callable[..., None], lines: dict[str, str]
) -> None:
    forged(**{"folder": stopped.home / "run", **lines})
    try:
        url = stopped.url()
    except ServerError as error:
        assert "belongs to another user" in str(error) or "cannot use" in str(error)  # noqa: PT017
    else:
        run = f"{stopped.home}/run".replace("/", "%2F")
        assert url == f"postgresql://tagdb@/tagdb?host={run}&port=5432"
        assert stopped.status().running is False


def test_a_link_in_the_temporary_folder_is_not_given_away(
    home: Path, parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a home's name is too long for a socket, its folder is in the temporary one, as anybody's."""
    temporary, victim = parent / "tmp", parent / "victim"
    for folder in (temporary, victim):
        folder.mkdir()
    temporary.chmod(0o1777)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    Server(home).stop()
    long = parent / ("long" * 25)
    home.rename(long)
    try:
        server = Server(long, FAST)
        folder = server._socket(None)[0]
        assert folder.parent == temporary
        assert as_account("ln", "-s", victim, folder).returncode == 0
        before = victim.stat()
        with pytest.raises(ServerError, match="cannot use"):
            server.start()
        after = victim.stat()
        assert (after.st_uid, stat.S_IMODE(after.st_mode)) == (0, stat.S_IMODE(before.st_mode))
        as_account("rm", folder)
        assert server.start()
        assert server.stop()
        shutil.rmtree(folder)
    finally:
        long.rename(home)
