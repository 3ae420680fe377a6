"""The machine and the terminal: a sentence each, never a bug of tagdb's, and output that degrades."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tagdb.cli import conditions
from tests.support.commands import Run, complaint, parsed
from tests.support.pictures import photo


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "a file, cannot be written: No space left on device; make room",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/x/y"),
            "cannot use /x/y: Permission denied; check its owner",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", b"/x"),
            "cannot use /x: Read-only file system; name another",
        ),
        (OSError(errno.EMFILE, "Too many open files"), "raise the limit on open files (ulimit -n)"),
        (OSError("odd"), "cannot be written: odd"),
        (MemoryError(), "not enough memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "not enough memory"),
        (ImportError("x.so: failed to map segment from shared object"), "not enough memory"),
        (RuntimeError("std::bad_alloc"), "not enough memory"),
        (RuntimeError("can't start new thread"), "no more threads can be started"),
        (RuntimeError("Could not determine home directory."), "this user has no home folder; set HOME"),
        (ImportError("libgomp.so.1: cannot open shared object file: No such file"), "install libgomp1"),
        (ImportError("libGL.so.1: cannot open shared object file"), "install the package that has it"),
    ],
)
def test_conditions_of_the_machine(error: Exception, said: str) -> None:
    assert said in (conditions.sentence(error) or "")


@pytest.mark.parametrize(
    "error", [KeyError("x"), RuntimeError("x"), ImportError("no module"), ValueError("x")]
)
def test_what_is_a_bug_stays_one(error: Exception) -> None:
    assert conditions.sentence(error) is None


@pytest.fixture
def worded(tagdb: Run, tmp_path: Path, chosen: tuple[object, ...]) -> Path:
    """A photo of a database whose hashtags few terminals can show."""
    rows = []
    for n in range(3):
        (tmp_path / f"{n}.jpg").write_bytes(photo(n))
        rows.append(json.dumps({"file_name": f"{n}.jpg", "hashtags": ["🍕", "カフェ", "café"]}))
    (tmp_path / "photos.jsonl").write_text("\n".join(rows))
    assert tagdb("ingest", tmp_path / "photos.jsonl", *chosen).exit_code == 0
    assert tagdb("factors", "compute", "--factors", 4).exit_code == 0
    return tmp_path / "0.jpg"


@pytest.fixture
def program(database_url: str, home: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Runs a command in a process of its own, on this test's database."""

    def run(
        *command: object, stdout: object = subprocess.PIPE, **own: str
    ) -> subprocess.CompletedProcess[bytes]:
        environment = os.environ | {"TAGDB_DATABASE_URL": database_url, "TAGDB_HOME": str(home)} | own
        words = [sys.executable, "-m", "tagdb", *map(str, command)]
        return subprocess.run(words, stdout=stdout, stderr=subprocess.PIPE, env=environment, check=False)

    return run


# Click writes UTF-8 where Python says ASCII, which nearly always means that nobody has set a locale
@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "koi8-r", "utf-16"])
def test_a_terminal_that_lacks_characters(worded: Path, tagdb: Run, program, encoding: str) -> None:
    for form in ([], ["--json"], ["--format", "hashtags"]):
        done = program("recommend", worded, *form, PYTHONIOENCODING=encoding)
        assert done.returncode == 0, done.stderr
        text = done.stdout.decode(encoding)
        if "--json" in form:
            assert json.loads(text) == parsed(tagdb("recommend", worded, "--json"))
        else:
            assert ("🍕" if encoding == "utf-16" else r"\U0001f355") in text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_full_disk_behind_a_redirection(worded: Path, program, form: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = program("recommend", worded, *form, stdout=full)
    assert done.returncode == 1
    assert done.stderr.startswith(
        b"Error: the output, or a file, cannot be written: No space left on device; make"
    )


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-"])
def test_a_stream_that_is_closed(worded: Path, database_url: str, home: Path, closed: str) -> None:
    environment = os.environ | {"TAGDB_DATABASE_URL": database_url, "TAGDB_HOME": str(home)}
    script = f'"$0" -m tagdb recommend "$1" {closed}'
    command = ["/bin/sh", "-c", script, sys.executable, str(worded)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if closed == "1>&-":
        said = "Error: standard output is closed; send it to a file, or to /dev/null\n"
        assert (done.returncode, done.stderr) == (1, said)
    else:
        assert done.returncode == 0, done.stdout + done.stderr
        assert "1  #" in done.stdout


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("ingest -", "Error: the source - cannot be used: standard input is closed\n"),
        ("recommend -", "Error: standard input is closed\n"),
        ("similar -", "rejected -: standard input is closed\n"),
    ],
)
def test_standard_input_that_is_closed(
    worded: Path, database_url: str, home: Path, command: str, said: str
) -> None:
    environment = os.environ | {"TAGDB_DATABASE_URL": database_url, "TAGDB_HOME": str(home)}
    shell = ["/bin/sh", "-c", f'"$0" -m tagdb {command} <&-', sys.executable]
    done = subprocess.run(shell, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (1, said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    ("command", "redirection", "code"),
    [
        ("--version", ">/dev/full", 1),
        ("--help", ">/dev/full", 1),
        ("ingest --help", ">/dev/full", 1),
        ("--version", ">&-", 1),
        ("--version", ">&- 2>&-", 1),
        ("--version", "2>&-", 0),
        ("tags alias --bogus", "2>/dev/full", 2),
        ("tags alias --bogus", "2>&-", 2),
        ("--bogus", ">&- <&- 2>&-", 2),
        ("factors list", "2>/dev/full", 0),
    ],
)
def test_streams_that_take_nothing(database_url: str, command: str, redirection: str, code: int) -> None:
    """The exit code is the documented one, and there is one sentence where it can be said."""
    environment = os.environ | {"TAGDB_DATABASE_URL": database_url}
    words = ["/bin/sh", "-c", f'"$0" -m tagdb {command} {redirection}', sys.executable]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == code
    assert len(done.stderr.splitlines()) == (1 if code == 1 and "2>" not in redirection else 0), done.stderr


def test_a_pipe_that_is_closed(worded: Path, program) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = program("recommend", *[worded] * 50, stdout=writing)
    os.close(writing)
    assert done.stderr == b""


def test_the_current_folder_was_removed(program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    done = program("ingest", "one.jpg", "--backbone", "bundled", PYTHONPATH=os.pathsep.join(sys.path))
    assert done.returncode == 1
    assert done.stderr.startswith(b"Error: the current folder was removed; go to another one (cd ~)")
    done = program("db", "shell", "--", "-Atc", "SELECT 17", PYTHONPATH=os.pathsep.join(sys.path))
    assert (done.returncode, done.stdout) == (0, b"17\n"), done.stderr


def test_a_home_that_cannot_be_written(
    tagdb: Run, random_weights: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Only where something is to be exported: the network of a database is used from there."""
    (tmp_path / "0.jpg").write_bytes(photo(0))
    given = ("ingest", tmp_path / "0.jpg", "--backbone", random_weights, "--input-size", 96)
    home = os.environ["TAGDB_HOME"]
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("TAGDB_HOME", str(tmp_path / "file/home"))
    said = complaint(tagdb(*given))
    assert f"cannot write the exported backbone into {tmp_path}/file/home/backbones: Not a directory;" in said
    monkeypatch.setenv("TAGDB_HOME", home)
    assert tagdb(*given).exit_code == 0
    monkeypatch.setenv("TAGDB_HOME", str(tmp_path / "file/home"))
    assert tagdb("similar", tmp_path / "0.jpg").exit_code == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_a_user_without_a_name_and_a_home() -> None:
    code = (
        "import tagdb.config, platformdirs, os; os.setgid(65534); os.setuid(123456)\n"
        "print(tagdb.config.load({}).home)"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert done.stdout == "/nonexistent/home-of-123456/tagdb\n", done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="macOS limits no addresses")
def test_addresses_are_limited(worded: Path, database_url: str, home: Path) -> None:
    """OpenBLAS, left to itself, would end the program with a line of its own or hang."""
    environment = os.environ | {"TAGDB_DATABASE_URL": database_url, "TAGDB_HOME": str(home)}
    command = ["/bin/sh", "-c", 'ulimit -v 400000; "$0" -m tagdb factors compute -q', sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)
    said = "Error: there is not enough memory; end other programs, or use a machine with more memory\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)


def interrupted_while(doing: str, *command: str, again: str = "pass") -> "subprocess.CompletedProcess[str]":
    """Run a command, and send it Ctrl-C when a module is imported, and again when that is dealt with."""
    code = f"""
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {doing!r}:
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                {again}
                raise

sys.meta_path.insert(0, Finder())
sys.argv[0] = "tagdb"
from tagdb.__main__ import main
main()
"""
    words = [sys.executable, "-c", code, *command]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("module", ["click", "tagdb.cli.common"])
def test_ctrl_c_at_the_beginning(module: str) -> None:
    done = interrupted_while(module, "--version")
    assert (done.returncode, done.stdout + done.stderr) == (-signal.SIGINT, "")


def test_a_second_ctrl_c_ends_it() -> None:
    once = interrupted_while("tagdb.cli.tags", "tags", "ban", "x")
    assert (once.returncode, once.stderr) == (1, "Error: interrupted; nothing is half-written\n")
    twice = interrupted_while(
        "tagdb.cli.tags", "tags", "ban", "x", again="os.kill(os.getpid(), signal.SIGINT)"
    )
    assert (twice.returncode, twice.stdout + twice.stderr) == (-signal.SIGINT, "")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_fifo_is_not_waited_for(worded: Path, tagdb: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.jpg")
    os.mkfifo(tmp_path / "x.tflite")
    rejected = f"rejected {tmp_path / 'x.jpg'}: a FIFO, which would be waited for; name a file"
    for verb in ("recommend", "similar"):
        assert complaint(tagdb(verb, tmp_path / "x.jpg")) == rejected
    for command in (
        ("feedback", tmp_path / "x.jpg", "--accepted", "sea"),
        ("restore", tmp_path / "x.jpg", "--check"),
        ("restore", tmp_path / "x.jpg"),
        ("ingest", tmp_path / "x.jpg"),
        ("ingest", worded, "--backbone", tmp_path / "x.tflite"),
        ("backbone", "reembed", tmp_path / "x.tflite"),
    ):
        assert complaint(tagdb(*command)).startswith("Error: ")
    reading, writing = os.pipe()  # as a shell's <(…)
    os.write(writing, worded.read_bytes())
    os.close(writing)
    assert "1  #" in tagdb("recommend", f"/dev/fd/{reading}").stdout
    os.close(reading)


def test_ctrl_c(tagdb: Run, worded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tagdb.factors.compute", interrupted)
    assert complaint(tagdb("factors", "compute")) == "Error: interrupted; nothing is half-written"
