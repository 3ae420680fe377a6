"""Run PostgreSQL's own programs, such as pg_dump.

Passwords are never passed as arguments, which everybody on the machine can see.
"""

import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from tagdb.errors import BackupError, ServerError
from tagdb.hashtags import printable
from tagdb.postgres import database, urls
from tagdb.postgres.server import Server, environment

PATIENCE = "60s"
"""How long a program waits for locks of other sessions before it starts."""
BUSY = f"other sessions have locked tagdb's tables for {PATIENCE}; try again when they have finished"

Process = subprocess.Popen[bytes]


def program(name: str, home: Path, major: int) -> tuple[str, str]:
    """Return the path and version of a program: the bundled one, or a newer one on the path."""
    places: list[str | None] = [shutil.which(name)]
    with suppress(ServerError):  # raised without a bundle
        places.insert(0, str(Server(home).program(name)))
    for place in places:
        if place is not None:
            said = subprocess.run([place, "--version"], capture_output=True, text=True, check=False).stdout
            version = re.search(r"\) ((\d+)\S*)", said)
            if version and int(version[2]) >= major:
                return place, version[1]
    raise BackupError(
        f"this needs {name} of PostgreSQL {major} or newer, which was not found; "
        f"install the client programs of PostgreSQL {major} and put them on the path"
    )


def address(url: str) -> tuple[str, dict[str, str]]:
    """Return a connection string without the password, and an environment that contains it."""
    dsn, password = urls.without_password(url)
    own = {"LC_ALL": "C", "PGAPPNAME": "tagdb", "PGCLIENTENCODING": "UTF8"}
    if password:
        own["PGPASSWORD"] = password
    if database.trusts_us(url):
        own["PGREQUIREAUTH"] = "none"
    return dsn, environment(urls.libpq_url(url)) | own


class Ended(Exception):
    """A program has ended and reads no more; its own output says why."""


@contextmanager
def running(
    command: list[str],
    environment: Mapping[str, str],
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
) -> Iterator[Process]:
    """Run a program during the block; kill it if the block fails.

    Raises
    ------
    BackupError
        The program failed; the message says why.
    """
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=errors, env=environment) as process:
            try:
                yield process
                if process.stdin is not None and not process.stdin.closed:
                    send(process, b"", end=True)
            except BaseException as error:
                if not (isinstance(error, Ended) and error.args[0] is process):
                    process.kill()
                    raise
            finally:
                if process.stdin is not None:
                    with suppress(BrokenPipeError):  # what was not sent, to a program that has ended
                        process.stdin.close()
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace")
    if process.returncode:
        raise BackupError(_reason(Path(command[0]).name, said, process.returncode))


@contextmanager
def fed(
    command: list[str],
    chunks: Iterator[bytes],
    environment: Mapping[str, str],
    told: Callable[[int], None] | None = None,
) -> Iterator[Process]:
    """Run a program that reads chunks. It may stop reading early.

    Parameters
    ----------
    command, environment
        The program.
    chunks
        Its standard input.
    told
        Called with the number of bytes so far. If given, all chunks are read even if the program stops early.

    Raises
    ------
    BackupError
        The program failed; the message says why.
    """
    failed: list[BaseException] = []
    over = threading.Event()

    def feed(process: Process) -> None:
        done, reads = 0, True
        try:
            for chunk in chunks:
                try:
                    if reads:
                        send(process, chunk)
                except Ended:
                    reads = False
                if over.is_set() or not (reads or told):
                    return
                done += len(chunk)
                if told:
                    told(done)
            if reads:
                send(process, b"", end=True)
        except Ended:
            pass
        except BaseException as error:
            failed.append(error)
            process.kill()

    with running(command, environment, subprocess.PIPE) as process:
        feeder = threading.Thread(target=feed, args=[process], daemon=True)
        feeder.start()
        try:
            yield process
        except BaseException:
            over.set()
            process.kill()
            raise
        finally:
            feeder.join()
        if failed:
            raise failed[0]


def output(process: Process) -> IO[bytes]:
    """Return the standard output of a program."""
    assert process.stdout is not None
    return process.stdout


def send(process: Process, data: bytes, end: bool = False) -> None:
    """Write to the standard input of a program, and close it at the end.

    Raises
    ------
    Ended
        The program has ended.
    """
    assert process.stdin is not None
    try:
        process.stdin.write(data)
        if end:
            process.stdin.close()
    except BrokenPipeError as error:
        raise Ended(process) from error


def _reason(program: str, said: str, code: int) -> str:
    """Return a sentence that explains the failure of a program, from its output."""
    found = re.findall(r"(?:error|ERROR|FATAL): +(.*)", said)
    why = re.sub("^.*(?:ERROR|FATAL): +", "", found[0]) if found else f"it ended with code {code}"
    left = "" if program == "pg_dump" else "; the database is as it was"
    if "lock timeout" in why:
        return f"{BUSY}{left}"
    if "permission denied" in why or "must be owner" in why:
        return f"your login may not do this: {printable(why)}; use the database owner's login{left}"
    return f"{program} failed: {printable(why)}{left}"
