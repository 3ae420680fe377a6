"""``docs/services.md``, from a photo's bytes to hashtags: its programs print what the command line does."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

import tagdb
from tagdb.postgres import database
from tagdb.postgres.server import Server
from tagdb.serve.options import Options
from tests.support import history, languages
from tests.support.clients import execute
from tests.support.commands import invoke
from tests.support.documents import blocks, program
from tests.support.pictures import photo
from tests.support.postgres import FAST, free_ports, temporary_home
from tests.support.served import Served, serving

PROGRAMS = {
    "python": ("by_http.py", "by_sql.py"),
    "js": ("by_http.mjs", "by_sql.mjs"),
    "go": ("by_http.go", "by_sql.go"),
    "java": ("ByHttp.java", "BySql.java"),
}
EACH = [pytest.param(language, name, id=name) for language, names in PROGRAMS.items() for name in names]


@dataclass(frozen=True, slots=True)
class Site:
    """A database and a service as the page has them, and what its programs are given."""

    served: Served
    file: Path
    """A photo that is not stored."""
    expected: str
    """What is to be printed for it."""
    environment: dict[str, str]
    """As the page exports it."""

    def run(self, language: str, name: str, given: Path, folder: Path) -> tuple[int, str, str]:
        """Run one of the page's programs for a file."""
        file = program("services.md", language, name, folder)
        return languages.run(language, file, given, **self.environment)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A server with a port, as the page starts one, and a service of it, which also answers photos by SQL."""
    home = temporary_home()
    server = Server(home, FAST | {"shared_buffers": "32MB"})
    try:
        server.start(port=free_ports(1)[0])
        database.migrate(server.url())
        with database.connect(server.url()) as connection:
            history.fill(connection)

        def said(*arguments: object) -> str:
            done = invoke(*arguments, TAGDB_HOME=str(home))
            assert done.exit_code == 0, done.output
            return done.stdout.strip()

        file = home / "photo.jpg"
        file.write_bytes(photo(3))
        (answer,) = json.loads(said("recommend", file, "-n", 5, "--json"))
        assert len(answer["hashtags"]) == 5
        said("db", "grant", "svc", "--role", "asker")
        environment = {
            "DATABASE_URL": said("db", "url", "--role", "asker", "--login", "svc"),
            "TAGDB_TOKEN": said("serve", "token", "add", "svc", "--role", "reader"),
        }
        with serving(server.url(), home, Options(port=0, workers=1)) as served:
            with database.connect(server.url()) as connection:
                while connection.execute("SELECT tagdb.workers()").fetchone() == (0,):
                    time.sleep(0.01)
            yield Site(served, file, lines(answer["hashtags"]), environment | {"TAGDB_URL": served.url})
    finally:
        server.stop()
        shutil.rmtree(home)


def lines(hashtags: list[dict[str, object]]) -> str:
    """What every program prints of them."""
    return "".join(f"{each['rank']} #{each['hashtag']} {each['score']}\n" for each in hashtags)


@pytest.mark.parametrize(("language", "name"), EACH)
def test_a_photo(site: Site, language: str, name: str, tmp_path: Path) -> None:
    assert site.run(language, name, site.file, tmp_path) == (0, site.expected, "")


@pytest.mark.parametrize(("language", "name"), EACH)
def test_no_photo(site: Site, language: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("no photo")
    with (
        tagdb.connect(site.served.database_url, home=site.served.home) as db,
        pytest.raises(tagdb.RejectedInput) as refused,
    ):
        db.embed(b"no photo")
    assert site.run(language, name, tmp_path / "bad", tmp_path) == (1, "", f"{refused.value}\n")


@pytest.mark.parametrize("name", PROGRAMS["go"])
def test_the_programs_in_go_are_formatted(name: str, tmp_path: Path) -> None:
    file = program("services.md", "go", name, tmp_path)
    done = subprocess.run([languages.needed("gofmt"), "-d", file], capture_output=True, text=True, check=True)
    assert done.stdout == ""


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_wrong_token(site: Site, language: str, tmp_path: Path) -> None:
    file = program("services.md", language, PROGRAMS[language][0], tmp_path)
    wrong = site.environment | {"TAGDB_TOKEN": "tagdb_wrong"}
    code, printed, said = languages.run(language, file, site.file, **wrong)
    assert (code, printed) == (1, "")
    assert "token" in said
    assert said.count("\n") == 1


def test_in_psql(site: Site) -> None:
    (script,) = (text for text in blocks("services.md", "sql") if "recommend_photo" in text)
    script = re.sub("`xxd -p photo.jpg .*`", photo(3).hex(), script)  # which not every machine has
    psql = Server(site.served.home).program("psql")
    done = subprocess.run(
        [psql, "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", site.environment["DATABASE_URL"]],
        input=script, capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    assert lines(json.loads(done.stdout)) == site.expected


def test_the_embedding_of_a_photo(site: Site, tmp_path: Path) -> None:
    """The page's ways to get one, and what its programs make of it."""
    for needed in ("curl", "jq", "bash"):
        languages.needed(needed)
    (block,) = (text for text in blocks("services.md", "sh") if "/v1/embed" in text)
    by_http, by_python = block.replace("python -c", f"{sys.executable} -c").splitlines()
    here = site.environment | {"TAGDB_HOME": str(site.served.home)}
    (tmp_path / "photo.jpg").symlink_to(site.file)
    for line in (by_http, by_python):
        command = ["bash", "-euo", "pipefail", "-c", f"cd {tmp_path}; {line}"]
        embedding = execute(command, PYTHONPATH=os.pathsep.join(sys.path), **here).stdout
        for language, name in (("python", "hashtags.py"), ("js", "hashtags.mjs")):
            file = program("services.md", language, name, tmp_path)
            done = languages.run(language, file, stdin=embedding, DATABASE_URL=site.served.database_url)
            assert done == (0, site.expected, ""), line


def test_by_curl(site: Site, tmp_path: Path) -> None:
    (line,) = (
        line
        for block in blocks("services.md", "sh")
        for line in block.splitlines()
        if "/v1/recommend" in line
    )
    (tmp_path / "photo.jpg").symlink_to(site.file)
    command = [languages.needed("bash"), "-c", f"cd {tmp_path}; {line}"]
    languages.needed("curl")
    answer = json.loads(execute(command, **site.environment).stdout)
    assert lines(answer["hashtags"]) == site.expected


def test_a_transaction_as_drivers_begin_it(site: Site) -> None:
    url = site.environment["DATABASE_URL"]
    with (
        psycopg.connect(url) as connection,
        pytest.raises(psycopg.errors.InvalidTransactionTermination) as said,
    ):
        connection.execute("CALL tagdb.recommend_photo('photo')")
    assert "outside of a transaction" in str(said.value)
    with (
        psycopg.connect(url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InvalidTransactionTermination, match="outside of a transaction"),
    ):
        connection.execute("SELECT 1; CALL tagdb.recommend_photo('photo')")
