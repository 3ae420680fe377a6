"""What is printed does nothing to a terminal and gives no secret away; what is named is never fetched."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import psycopg
import pytest
from click.testing import Result
from psycopg import conninfo, sql

from tagdb.demo import Tried, contact_sheet
from tagdb.postgres import database
from tagdb.store.answers import Recommendation
from tests.support import evaluated
from tests.support.commands import invoke
from tests.support.pictures import photo
from tests.support.postgres import PASSWORD, Postgres, named
from tests.support.processes import children
from tests.support.programs import drawn, finished, started

EVIL = "\x1b]0;evil\x07\x1b[31m\x9b2J\u202eevil\u2028\x7f\r\nError: forged"
"""A title, colours, a C1 control, a right-to-left override, a line separator, and a line of its own."""
HTML = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"

Run = Callable[..., Result]


@pytest.fixture
def tagdb(home: Path) -> Run:
    """Runs a command on a database."""

    def run(url: str, *arguments: object, stdin: str | None = None, **more: str) -> Result:
        settings = {"TAGDB_DATABASE_URL": url, "TAGDB_HOME": str(home), **more}
        return invoke(*arguments, stdin=stdin, **settings)

    return run


# --- terminals ------------------------------------------------------------------------------------------


@pytest.fixture
def evil_url(postgres: Postgres) -> Iterator[str]:
    """The URL of a database whose name is evil, too."""
    name = f"tagdb_test_{uuid.uuid4().hex[:8]}\x1b[31m\n\x9b1m"
    with postgres.database(name=name):
        yield conninfo.make_conninfo(postgres.url, dbname=name)


@pytest.fixture
def evil_login(postgres: Postgres, evil_url: str) -> Iterator[str]:
    """A reader of that database whose name is evil."""
    name = f"tagdb_test_{uuid.uuid4().hex[:8]}\x1b[31m\x9b1m"
    with psycopg.connect(postgres.url, autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE tagdb_reader").format(sql.Identifier(name)))
        yield name
        owner.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def shows_nothing_else(done: Result, *given: object) -> None:
    """That what was printed is printable, and no line begins as the evil one would."""
    for text in (done.stdout, done.stderr):
        strange = {c for c in text if not (c.isprintable() or c in "\n\u200c\u200d")}
        assert not strange, (given, strange, text)
        assert not re.search("^ *Error: forged", text, re.MULTILINE), (given, text)
    assert "has a bug" not in done.stderr, (given, done.stderr)


def test_no_command_sends_anything_to_the_terminal(
    evil_url: str, evil_login: str, tagdb: Run, chosen: tuple[object, ...], tmp_path: Path
) -> None:
    folder = tmp_path / "photos \x1b[31m\u202e"
    manifest, asked = drawn(folder, 12), folder / "photo \x1b[2J\n.jpg"
    asked.write_bytes(photo(7))
    rows = [
        {"file_name": f"{n}.jpg", "uri": f"https://example.org/{n}{EVIL}", "collection": f"c{n % 2}{EVIL}",
         "hashtags": ["a", "b", f"n{n % 3}"], "source_ref": EVIL, "kept": EVIL}
        for n in range(12)
    ]  # fmt: skip
    rows += [
        {"file_name": f"{EVIL}.jpg"}, {"file_name": "0.jpg", "hashtags": [EVIL]}, {EVIL: EVIL},
        {"uri": f"http://h/{EVIL}"}, {"file_name": "1.jpg", "taken_at": EVIL}, {"file_name": [EVIL]},
    ]  # fmt: skip
    lists = folder / f"list{EVIL.replace('/', '')}.jsonl"
    lists.write_text("".join(f"{json.dumps(row)}\n" for row in rows) + f"{{{EVIL}\n", "utf-8")
    broken = folder / "broken \x1b[31m.csv"
    broken.write_text(f"{EVIL},{EVIL}\n1,2\n", "utf-8")
    (folder / "bad \x1b[31m.jpg").write_bytes(b"no photo")
    outputs = [
        tagdb(evil_url, "ingest", lists, *chosen),
        tagdb(evil_url, "ingest", broken, *chosen),
        tagdb(evil_url, "ingest", manifest, folder / "bad \x1b[31m.jpg", *chosen),
        tagdb(evil_url, "ingest", f"{EVIL}.csv", *chosen),
    ]
    assert [done.exit_code for done in outputs] == [3, 1, 3, 1], [done.output for done in outputs]
    with psycopg.connect(evil_url, autocommit=True) as owner:
        owner.execute("UPDATE tagdb_store.hashtags SET hashtag = %s || hashtag", [EVIL])
        owner.execute("UPDATE tagdb_store.backbones SET name = %s || name", [EVIL])
    outputs.append(tagdb(evil_url, "factors", "compute", "--factors", 4, "--min-images", 1))
    assert outputs[-1].exit_code == 0, outputs[-1].output
    tagdb(evil_url, "factors", "compute", "--factors", 3, "--min-images", 1)
    with psycopg.connect(evil_url, autocommit=True) as owner:
        owner.execute("SELECT tagdb_store.edit_hashtags('ban', '{banned}')")
        owner.execute(
            "INSERT INTO tagdb_store.hashtag_edits (kind, hashtags, into_hashtag, before, made_by)"
            " VALUES ('alias', ARRAY[%s], %s, '[]', %s)",
            [EVIL, EVIL, EVIL],
        )
        owner.execute("UPDATE tagdb_store.hashtag_edits SET made_by = %s", [EVIL])
        owner.execute("UPDATE tagdb_store.hashtags SET hashtag = %s WHERE hashtag = 'banned'", [f"{EVIL}x"])
        indexed = "CREATE INDEX {} ON tagdb_store.embeddings_1 USING hnsw"
        indexed += " (embedding public.halfvec_cosine_ops)"
        owner.execute(sql.SQL(indexed).format(sql.Identifier(f"{EVIL}_hnsw")))
        owner.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid::regclass::text ~ '_hnsw'")
    stored = folder / "0.jpg"
    commands: list[tuple[object, ...]] = [
        ("recommend", asked, *chosen), ("recommend", asked, stored, *chosen),
        ("recommend", asked, *chosen, "--format", "hashtags"), ("recommend", asked, *chosen, "--json"),
        ("recommend", asked, *chosen, "--collection", EVIL), ("recommend", f"{EVIL}.jpg", stored, *chosen),
        ("recommend", asked, *chosen, "--known", EVIL), ("recommend", asked, "--backbone", EVIL),
        ("similar", asked, stored, *chosen), ("similar", asked, *chosen, "--json"),
        ("similar", folder / "bad \x1b[31m.jpg", *chosen),
        ("feedback", stored, "--accepted", "fine"), ("feedback", asked, "--accepted", "fine"),
        ("feedback", stored, "--accepted", EVIL), ("feedback",), ("feedback", "--json"),
        ("tags", "list"), ("tags", "list", "--json"), ("tags", "alias", "one", "two"), ("tags", "undo"),
        ("tags", "undo"), ("tags", "undo", "--json"), ("tags", "ban", EVIL),
        ("stats", "refresh"), ("factors", "list"), ("factors", "list", "--json"),
        ("factors", "diff", 1, 2), ("factors", "diff", 1, 2, "--json"), ("factors", "activate", 99),
        ("factors", "compute", "--weighting", EVIL), ("index", "status"), ("index", "check"),
        ("index", "build"), ("doctor",), ("doctor", "--json"), ("db", "status"), ("db", "status", "--json"),
        ("db", "url", "--role", "reader"), ("db", "url", "--role", "writer", "--login", evil_login),
        ("db", "grant", evil_login, "--role", "reader"), ("init",), ("evaluate", "--setting", EVIL),
        ("backbone", "list"), ("backbone", "list", "--json"), ("backup", tmp_path / "kept \x1b[31m"),
        ("restore", folder / "bad \x1b[31m.jpg"), ("restore", tmp_path / "kept \x1b[31m", "--check"),
        ("evil \x1b[31m",), ("tags", "evil \x1b[31m"), ("tags", "--evil\x1b[31m"), ("--evil\x1b[31m",),
        ("--verbose", "recommend", asked, "--backbone", EVIL), ("recommend", "--top", EVIL, asked),
    ]  # fmt: skip
    outputs += [tagdb(evil_url, *given) for given in commands]
    given_url = database.connect(evil_url).info.dsn
    outputs.append(tagdb(f"{given_url}x", "init"))  # there is no such database
    outputs.append(tagdb(conninfo.make_conninfo(evil_url, user="no \x1b[31m body"), "db", "status"))
    for done, given in zip(outputs[-len(commands) - 2 :], [*commands, (), ()], strict=True):
        shows_nothing_else(done, *given)
    for done in outputs:
        shows_nothing_else(done)
    seen = "".join(done.output for done in outputs)
    assert r"\x1b]0;evil\x07\x1b[31m" in seen  # escaped, not left out
    assert sum(done.exit_code == 0 for done in outputs) > len(outputs) / 2
    print(f"{len(outputs)} commands in a world of escapes; {len(seen)} characters, all of them printable")


def test_json_says_what_is_stored(database_url: str, tagdb: Run) -> None:
    """Escaped for the terminal, and the same once it is parsed."""
    with database.connect(database_url) as owner:
        evaluated.fill(owner, 10)
        owner.execute(
            "UPDATE tagdb_store.hashtags SET hashtag = %s WHERE hashtag_id = 1",
            [f"{EVIL}\U000e0041👨\u200d👩"],
        )
        owner.execute("UPDATE tagdb_store.hashtags SET banned = true WHERE hashtag_id = 1")
    done = tagdb(database_url, "tags", "list", "--json")
    shows_nothing_else(done)
    assert json.loads(done.stdout)[0]["hashtag"] == f"{EVIL}\U000e0041👨\u200d👩"
    assert "👨\u200d👩" in tagdb(database_url, "tags", "list").stdout  # a hashtag as any other


def test_the_contact_sheet_is_text_only(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo(1))
    one = Tried(path, HTML, (HTML, "a"), (Recommendation(1, HTML, 0.5), Recommendation(2, "a", 0.4)))
    page = contact_sheet([one])
    assert HTML not in page
    assert page.count("&lt;script&gt;") == 3
    found: list[tuple[str, list[str]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, [name for name, _ in attrs]))

    Reader().feed(page)
    assert [names for tag, names in found if tag == "img"] == [["alt", "src"]]
    assert {tag for tag, _ in found} <= {
        "html", "meta", "title", "style", "h1", "p", "span", "main", "article", "img",
    }  # fmt: skip


# --- secrets --------------------------------------------------------------------------------------------


SECRET = "s3kr1t+p%w"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("command", ["ingest", "backup", "shell"])
def test_no_process_shows_a_password(
    login: Callable[..., str],
    database_url: str,
    home: Path,
    chosen: tuple[object, ...],
    tmp_path: Path,
    command: str,
) -> None:
    """Neither the program, nor whatever it starts: workers, pg_dump, psql."""
    with database.connect(database_url) as owner:
        owner.execute("SET search_path = public, pg_catalog")
        evaluated.fill(owner, 10) if command != "ingest" else None
    url = conninfo.make_conninfo(login(database_url, "tagdb_writer"), sslpassword=SECRET)
    if command == "backup":
        url = conninfo.make_conninfo(database_url, password=PASSWORD, sslpassword=SECRET)
    arguments = {
        "ingest": ("ingest", drawn(tmp_path / "photos", 40), *chosen),
        "backup": ("backup", tmp_path / "kept"),
        "shell": ("db", "shell", "--", "-c", "SELECT pg_sleep(0.5)"),
    }[command]
    program = started(*arguments, TAGDB_DATABASE_URL=url, TAGDB_HOME=str(home))
    seen: set[tuple[str, ...]] = set()
    told: set[int] = set()
    while program.poll() is None:
        for pid in [program.pid, *children(program.pid)]:
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
                seen.add(tuple(words))
                if "tagdb.embedding.worker" in words:
                    environment = Path(f"/proc/{pid}/environ").read_bytes().decode()
                    if PASSWORD in environment:
                        told.add(pid)
            except OSError:
                continue  # it has ended
        time.sleep(0.002)
    finished(program)
    text = "\n".join(" ".join(words) for words in seen)
    for secret in (PASSWORD, "a+b", SECRET):
        assert secret not in text, text
    assert not told
    started_by_it = {"ingest": "tagdb.embedding.worker", "backup": "pg_dump", "shell": "psql"}[command]
    assert started_by_it in text, text
    print(f"{len(seen)} different command lines seen")


AT = "127.0.0.1:1/x"
URLS = (
    f"postgresql://me:{SECRET.replace('%', '%25')}@{AT}",
    f"postgresql://me:{SECRET}@{AT}",  # a percent sign that is none
    f"postgresql+psycopg://me:{SECRET.replace('%', '%25')}@{AT}",
    f"postgresql://me@{AT}?password={SECRET.replace('%', '%25')}",
    f"postgresql://me@{AT}?sslmode=verify-full&sslpassword={SECRET.replace('%', '%25')}",
    f"postgresql://me:{SECRET.replace('%', '%25')}@127.0.0.1:port/x",
    f"postgresql://me:{SECRET.replace('%', '%25')}@[::1/x",
    f"postgresql://me:{SECRET.replace('%', '%25')}@{AT}?nonsense=1",
    f"postgresql://me:{SECRET.replace('%', '%25')}@{AT}?sslmode=nonsense",
    f"postgresql://me:{SECRET.replace('%', '%25')}@127.0.0.1,127.0.0.1:1,2,3/x",
    f"host=127.0.0.1 port=1 user=me password={SECRET}",
    f"host=127.0.0.1 port=1 user=me password='{SECRET}",
    f"host=127.0.0.1 port=1 password {SECRET}",
    f"host=127.0.0.1 port=1 passwrd={SECRET}",
    f"http://me:{SECRET}@{AT}",
    f"me:{SECRET}@{AT}",
    SECRET,
)
COMMANDS: tuple[tuple[object, ...], ...] = (
    ("init",), ("doctor", "--json"), ("db", "status"), ("db", "status", "--json"), ("db", "shell"),
    ("db", "url", "--role", "reader"), ("db", "grant", "bi", "--role", "reader"), ("recommend", "x.jpg"),
    ("backup", "kept"),
)  # fmt: skip


def test_no_error_tells_a_secret(
    tagdb: Run, database_url: str, login: Callable[..., str], tmp_path: Path
) -> None:
    """Whatever is wrong with a URL, and with a traceback, too."""
    reached = conninfo.conninfo_to_dict(login(database_url, "tagdb_reader"))
    urls = [*URLS, conninfo.make_conninfo("", **reached | {"password": SECRET})]  # which is the wrong one
    service = tmp_path / "services"
    service.write_text(f"[mine]\nhost=127.0.0.1\nport=1\nuser=me\npassword={SECRET}\n")
    tried = 0
    for url in [*urls, "service=mine", "service=other"]:
        for command in COMMANDS:
            done = tagdb(url, "--verbose", *command, PGSERVICEFILE=str(service))
            assert done.exit_code == 1, (url, command, done.output)
            assert "has a bug" not in done.output, (url, command, done.output)
            for secret in (SECRET, "s3kr1t", PASSWORD):
                assert secret not in done.output, (url, command, done.output)
            tried += 1
    print(f"{tried} failures, of which none tells the password")


def test_no_result_tells_a_secret(tagdb: Run, database_url: str, login: Callable[..., str]) -> None:
    """Nor does what succeeds, but for the URL that is asked for."""
    with database.connect(database_url) as owner:
        evaluated.fill(owner, 10)
    url = login(database_url, "tagdb_writer")
    for command in (
        ("db", "status"), ("db", "status", "--json"), ("doctor",), ("doctor", "--json"), ("init",),
        ("tags", "list"), ("factors", "list", "--json"), ("index", "status", "--json"),
    ):  # fmt: skip
        done = tagdb(url, *command)
        assert done.exit_code == 0 or command[0] == "doctor", done.output
        assert PASSWORD not in done.output
        assert "a+b" not in done.output


def test_the_servers_log_tells_no_secret(postgres: Postgres, home: Path) -> None:
    """After everything that these tests do with passwords: wrong ones, new ones, refused ones."""
    if os.environ.get("TAGDB_TEST_DATABASE_URL"):
        pytest.skip("looks at the embedded server's log")
    name = f"tagdb_test_{uuid.uuid4().hex[:8]}"
    settings = {"TAGDB_DATABASE_URL": named(postgres.url, "postgres"), "TAGDB_HOME": str(home)}
    grant = ("db", "grant", name, "--role", "reader", "--prompt")
    made = invoke(*grant, stdin=f"{SECRET}\n{SECRET}\n", **settings)
    assert made.exit_code == 1  # there is no schema in it
    log = postgres.home / "postgresql" / "server.log"
    assert log.stat().st_mode & 0o077 == 0
    text = log.read_text(errors="replace")
    assert SECRET not in text
    assert "PASSWORD '" not in text.replace("PASSWORD 'SCRAM-SHA-256$", "").replace(
        "PASSWORD 'sesame'", ""
    ).replace(f"PASSWORD '{PASSWORD.replace(chr(39), chr(39) * 2)}'", "")


def test_a_passfile_that_others_can_read_is_closed(tmp_path: Path) -> None:
    from tagdb.access import Passfile

    path = tmp_path / "pgpass"
    path.write_text("db.example:5432:photos:bi:secret\n")
    path.chmod(0o644)
    assert Passfile(path).find(("db.example", "5432", "photos")) == {"bi": "secret"}
    assert path.stat().st_mode & 0o777 == 0o600


# --- addresses ------------------------------------------------------------------------------------------


def test_no_address_is_ever_fetched(
    database_url: str, tagdb: Run, chosen: tuple[object, ...], tmp_path: Path
) -> None:
    """Not by ingesting it, nor by recommending for it, nor by anything else that is given one."""
    folder = drawn(tmp_path / "photos", 12).parent
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        listening.setblocking(False)
        here = f"127.0.0.1:{listening.getsockname()[1]}"
        addresses = [
            f"http://{here}/0.jpg", f"HTTPS://{here}/0.jpg", f"ftp://{here}/0.jpg", f"file://{here}/0.jpg",
            f"//{here}/photos/0.jpg", f"\\\\{here}\\photos\\0.jpg", f"smb://{here}/photos/0.jpg",
            f"data:image/jpeg;base64,//{here}", f"jar:http://{here}/0.jpg!/0", f"gopher://{here}/1",
        ]  # fmt: skip
        rows = [
            {"file_name": f"{n}.jpg", "uri": uri, "hashtags": ["a", "b"]} for n, uri in enumerate(addresses)
        ]
        rows += [{"uri": uri, "hashtags": ["a"]} for uri in addresses]
        rows += [{"file_name": uri, "hashtags": ["a"]} for uri in addresses]
        listed = folder / "listed.jsonl"
        listed.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        done = tagdb(database_url, "ingest", listed, "--allow-outside", *chosen)
        assert done.exit_code == 3, done.output
        assert f"{len(addresses)} new" in done.stdout
        assert f"{2 * len(addresses)} rejected" in done.stdout
        assert tagdb(database_url, "factors", "compute", "--factors", 2).exit_code == 0
        for given in (
            ("similar", folder / "0.jpg", *chosen, "--json"), ("recommend", folder / "0.jpg", *chosen),
            ("feedback", folder / "0.jpg", "--accepted", "a"),
        ):  # fmt: skip
            found = tagdb(database_url, *given)
            assert found.exit_code == 0, found.output
        for address in addresses:
            for command in ("recommend", "similar"):
                assert tagdb(database_url, command, address, *chosen).exit_code == 1
            assert tagdb(database_url, "ingest", address, *chosen).exit_code in (1, 3)
            assert tagdb(database_url, "feedback", address, "--accepted", "a").exit_code == 1
            assert tagdb(database_url, "recommend", "x.jpg", "--backbone", address).exit_code == 1
        with pytest.raises(BlockingIOError):
            listening.accept()
        print(f"{len(rows)} rows and {5 * len(addresses)} commands with addresses; nobody called")


def test_the_program_opens_no_connection_but_the_databases(
    database_url: str, home: Path, chosen: tuple[object, ...], tmp_path: Path
) -> None:
    """Whatever libraries do: with sockets that go nowhere but to the database, everything works."""
    only = tmp_path / "only.py"
    only.write_text(
        "import socket, sys\n"
        "real = socket.socket.connect\n"
        "def connect(self, address):\n"
        "    sys.stderr.write(f'CONNECTED {address}\\n')\n"
        "    return real(self, address)\n"
        "socket.socket.connect = socket.socket.connect_ex = connect\n"
        "socket.getaddrinfo = lambda *asked, **more: connect(None, asked)\n"
        "sys.argv[0] = 'tagdb'\n"
        "from tagdb.cli import main\nmain()\n"
    )
    program = subprocess.run(
        [sys.executable, str(only), "ingest", str(drawn(tmp_path / "photos", 5)), *map(str, chosen)],
        env=os.environ | {"TAGDB_DATABASE_URL": database_url, "TAGDB_HOME": str(home)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert program.returncode == 0, program.stderr
    assert "CONNECTED" not in program.stderr
