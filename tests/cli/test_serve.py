"""``tagdb serve`` as a command: what it refuses, its tokens, its end. Its answers: ``tests/serve``."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tagdb.postgres.database import Connection
from tests.support.commands import Process, Run, complaint, parsed

WITHOUT = "import sys; sys.modules[{!r}] = None; from tagdb.__main__ import main; main()"


@contextmanager
def started(url: str, home: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The real program and its address, as soon as it says that it answers."""
    program = subprocess.Popen(
        [sys.executable, "-m", "tagdb", "serve", "--listen", "127.0.0.1:0", "--workers", "1", *options],
        env=os.environ | {"TAGDB_DATABASE_URL": url, "TAGDB_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stderr is not None
        said = program.stderr.readline()
        found = re.fullmatch(r"tagdb is at (http://127\.0\.0\.1:\d+)/; stop it with Ctrl-C\n", said)
        assert found, said + program.stderr.read()
        yield program, found[1]
    finally:
        program.kill()
        program.communicate()


@pytest.mark.parametrize("text", ["here:there", "127.0.0.1", "1:2:3", "::1:8000", "127.0.0.1:65536", ""])
def test_an_address_that_is_none(tagdb: Run, text: str) -> None:
    done = tagdb("serve", "--listen", text)
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1] == (
        f"Error: --listen: {text!r} is not an address such as 127.0.0.1:8000"
    )


def test_the_size_of_photos_is_the_databases(tagdb: Run) -> None:
    done = tagdb("serve", "--input-size", 96)
    assert done.exit_code == 2
    assert "the size is the database's" in done.stderr


def test_a_port_that_is_taken(tagdb: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        assert complaint(tagdb("serve", "--listen", address)) == (
            f"Error: cannot listen on {address}: Address already in use; "
            "choose another with --listen HOST:PORT"
        )


def test_an_address_of_another_machine(tagdb: Run) -> None:
    assert tagdb("serve", "token", "add", "me", "--role", "reader").exit_code == 0
    said = complaint(tagdb("serve", "--listen", "192.0.2.1:8000"))
    assert re.match(r"Error: cannot listen on 192\.0\.2\.1:8000: .+; choose another with --listen", said)


@pytest.mark.parametrize(
    "options", [("--listen", "0.0.0.0:0"), ("--listen", "[::]:0"), ("--host", "tags.example.org")]
)
def test_others_than_this_machine_need_a_token(tagdb: Run, home: Path, options: tuple[str, ...]) -> None:
    said = complaint(tagdb("serve", *options))
    assert said == (
        "Error: others than this machine could ask, and there is no token yet; make one first: "
        f"TAGDB_HOME={home} tagdb serve token add NAME --role reader"
    )


def test_tokens_are_made_listed_and_revoked(tagdb: Run, connection: Connection) -> None:
    assert tagdb("serve", "token", "list", "--json").stdout == "[]\n"
    made = tagdb("serve", "token", "add", "shop", "--role", "reader")
    assert made.exit_code == 0, made.output
    secret = made.stdout.strip()
    assert re.fullmatch(r"tagdb_[\w-]{43}", secret)
    assert re.fullmatch(
        r"this is shown once, and for services of the database \S+; send it as: .*: Bearer TOKEN\n",
        made.stderr,
    )
    other = parsed(tagdb("serve", "token", "add", "über uns", "--role", "writer", "--json"))
    assert (other["name"], other["role"]) == ("über uns", "writer")
    assert other["token"] != secret

    listed = tagdb("serve", "token", "list")
    assert re.search(r"^shop +reader +\d{4}-\d\d-\d\d +\S.* +never$", listed.stdout, re.MULTILINE)
    rows = parsed(tagdb("serve", "token", "list", "--json"))
    assert [(row["name"], row["role"], row["last_used_on"]) for row in rows] == [
        ("shop", "reader", None),
        ("über uns", "writer", None),
    ]
    assert secret not in listed.stdout + str(rows)
    stored = connection.execute("SELECT * FROM tagdb_store.tokens WHERE name = 'shop'").fetchall()
    assert secret not in str(stored)
    assert hashlib.sha256(secret.encode()).digest() in stored[0]

    gone = tagdb("serve", "token", "revoke", "shop")
    assert (gone.exit_code, gone.stderr) == (0, "revoked shop\n")
    assert [row["name"] for row in parsed(tagdb("serve", "token", "list", "--json"))] == ["über uns"]
    again = complaint(tagdb("serve", "token", "revoke", "shop"))
    assert again == "Error: there is no token 'shop'; see: tagdb serve token list"


def test_names_of_tokens(tagdb: Run) -> None:
    assert tagdb("serve", "token", "add", "me", "--role", "reader").exit_code == 0
    taken = complaint(tagdb("serve", "token", "add", "me", "--role", "writer"))
    assert taken.startswith("Error: there is a token 'me' already; revoke it, or choose another name")
    for name in ("", " ", "a\nb", "\x1b[31m", "x" * 101):
        wrong = complaint(tagdb("serve", "token", "add", name, "--role", "reader"))
        assert wrong == "Error: a token's name must be 1 to 100 printable characters"
    assert tagdb("serve", "token", "add", "you", "--role", "owner").exit_code == 2
    assert tagdb("serve", "token", "add", "you").exit_code == 2
    assert len(parsed(tagdb("serve", "token", "list", "--json"))) == 1


@pytest.mark.parametrize("package", ["fastapi", "uvicorn", "prometheus_client"])
def test_a_missing_extra_is_one_sentence(
    tagdb_process: Process, database_url: str, home: Path, package: str
) -> None:
    place = {"TAGDB_DATABASE_URL": database_url, "TAGDB_HOME": str(home)}
    without = ("-c", WITHOUT.format(package))
    done = tagdb_process("serve", program=without, **place)
    assert done.returncode == 1
    assert done.stderr == "Error: serving needs more packages; install them: pip install 'tagdb[serve]'\n"
    tokens = tagdb_process("serve", "token", "list", "--json", program=without, **place)
    assert (tokens.returncode, tokens.stdout) == (0, "[]\n"), tokens.stderr  # they are rows


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_told_to(
    filled: Path, database_url: str, home: Path, ending: signal.Signals
) -> None:
    photo = (filled / "04.jpg").read_bytes()
    with started(database_url, home) as (program, url):
        client = httpx.Client(base_url=url, timeout=60, trust_env=False)
        assert client.get("/v1/healthz").json() == {"status": "ok"}
        assert client.get("/v1/readyz").json() == {"ready": True, "reason": None}
        assert client.post("/v1/recommend?top=2", content=photo).json()["hashtags"][0]["rank"] == 1
        program.send_signal(ending)
        stdout, stderr = program.communicate(timeout=40)
    assert (program.returncode, stdout, stderr) == (0, "", "")
