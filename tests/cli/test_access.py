"""``tagdb db grant`` and ``tagdb db url --role``: logins, their passwords, and the URLs to hand to them."""

import os
import socket
import stat
import sys
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from click.testing import Result
from psycopg import conninfo, sql

from tagdb import access, config
from tagdb.access import Address, Passfile
from tagdb.errors import ConfigError
from tagdb.postgres import database, urls
from tests.support import seed
from tests.support.commands import Process, Run, complaint, invoke, parsed
from tests.support.postgres import Postgres, free_ports

PLACE = ("db.example", "5432", "photos")

Names = Callable[[], str]


@pytest.fixture
def names(postgres: Postgres) -> Iterator[Names]:
    """A function that makes up names for logins, which are dropped in the end if they were made.

    Ask for it before a database: what a login may do in there must be gone before the login can be.
    """
    given: list[str] = []
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        may = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
        if connection.execute(may).fetchone() != (True,):
            pytest.skip("not every kind of login can be made and looked at here")

        def make() -> str:
            given.append(f"tagdb_test {uuid.uuid4().hex[:12]}:\\'\"@é")
            return given[-1]

        yield make
        for name in given:
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))


def execute(url: str, command: str, *roles: str) -> list[tuple[object, ...]]:
    """Run a command about roles, such as ``ALTER ROLE {} CREATEDB``, or a question."""
    with psycopg.connect(url, autocommit=True) as connection:
        done = connection.execute(sql.SQL(command).format(*map(sql.Identifier, roles)))  # type: ignore[arg-type]
        return done.fetchall() if done.description else []


def exists(url: str, login: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [login]).fetchone() is not None


def password_in(url: str) -> str | None:
    found = conninfo.conninfo_to_dict(url.strip()).get("password")
    return None if found is None else str(found)


def granted(done: Result) -> str:
    """The URL that a grant printed."""
    assert done.exit_code == 0, done.output
    url, rest = done.stdout.split("\n")
    assert rest == ""
    return url


def may_read(url: str) -> None:
    assert execute(url, "SELECT count(*) FROM tagdb.images") != []
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        execute(url, "SELECT count(*) FROM tagdb_store.images")


def may_write(url: str) -> None:
    assert execute(url, "SELECT count(*) FROM tagdb.images") != []
    execute(url, "DELETE FROM tagdb_store.images")


# --- granting


def test_a_new_reader(names: Names, tagdb: Run, database_url: str, home: Path) -> None:
    login = names()
    done = tagdb("db", "grant", login, "--role", "reader")
    url = granted(done)
    password = password_in(url)
    assert password is not None
    assert len(password) == 32
    assert done.stderr.splitlines() == [
        f"created the login {login} with the role reader",
        f"its password is in {home / 'pgpass'}",
    ]
    theirs, ours = conninfo.conninfo_to_dict(url), conninfo.conninfo_to_dict(database_url)
    assert theirs == ours | {"user": login, "password": password}
    may_read(url)
    with psycopg.connect(database_url) as connection:
        query = "SELECT rolpassword, rolsuper, rolcreaterole, rolcreatedb, rolinherit FROM pg_authid"
        verifier, *may = connection.execute(query + " WHERE rolname = %s", [login]).fetchone() or [""]
    assert str(verifier).startswith("SCRAM-SHA-256$")
    assert may == [False, False, False, True]
    assert granted(tagdb("db", "url", "--role", "reader", "--login", login)) == url


def test_a_new_writer(names: Names, tagdb: Run) -> None:
    url = granted(tagdb("db", "grant", names(), "--role", "writer"))
    may_write(url)
    assert tagdb("factors", "list", "--database-url", url).exit_code == 0


def test_the_server_is_sent_no_password(names: Names, tagdb: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    execute = psycopg.Connection.execute

    def spy(self: database.Connection, query: object, *rest: object, **more: object) -> object:
        sent.append((query.as_string(self) if isinstance(query, sql.Composable) else str(query)) + str(rest))
        return execute(self, query, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(psycopg.Connection, "execute", spy)
    login = names()
    for arguments, typed in (((), None), (("--new-password",), None), (("--prompt",), "typed\ntyped\n")):
        done = tagdb("db", "grant", login, "--role", "reader", *arguments, stdin=typed)
        password = "typed" if typed else password_in(granted(done))
        assert password is not None
        assert not any(password in each for each in sent)
    assert sum("SCRAM-SHA-256$" in each for each in sent) == 3


def test_json_has_no_password(names: Names, tagdb: Run, database_url: str, home: Path) -> None:
    login = names()
    for created in (True, False):
        done = tagdb("db", "grant", login, "--role", "reader", "--json", "--new-password")
        found = parsed(done)
        password = Passfile(home / "pgpass").find(place_of(database_url, home))[login]
        assert password not in done.output
        assert password_in(found.pop("url")) is None
        assert found == {"login": login, "role": "reader", "created": created}
        assert done.stderr.splitlines()[-1] == f"its password is in {home / 'pgpass'}"


def place_of(url: str, home: Path) -> tuple[str, str, str]:
    with database.connect(url) as connection:
        return access.address(connection, config.Settings(home, url)).place


def test_a_login_that_exists_keeps_its_password(
    names: Names, tagdb: Run, database_url: str, home: Path
) -> None:
    login = names()
    execute(database_url, "CREATE ROLE {} LOGIN PASSWORD 'its own'", login)
    done = tagdb("db", "grant", login, "--role", "reader")
    url = granted(done)
    assert password_in(url) is None
    said = done.stderr.splitlines()
    assert said[0] == f"granted {login} the role reader"
    assert said[1].startswith(f"the password of {login} is not known here; put it into the URL yourself, ")
    assert not (home / "pgpass").exists()
    may_read(conninfo.make_conninfo(url, password="its own"))
    assert tagdb("db", "url", "--role", "reader", "--login", login).stderr.splitlines() == said[1:]

    done = tagdb("db", "grant", login, "--role", "writer", "--new-password")
    may_write(granted(done))
    assert done.stderr.splitlines()[0] == f"granted {login} the role writer and set a new password"
    assert granted(tagdb("db", "grant", login, "--role", "writer")) == granted(done)  # and keeps it


def test_a_password_that_is_typed(names: Names, tagdb: Run, home: Path) -> None:
    """It is printed nowhere and kept nowhere, and what was kept before is forgotten."""
    login, other = names(), names()
    kept = granted(tagdb("db", "grant", other, "--role", "reader"))
    granted(tagdb("db", "grant", login, "--role", "reader"))
    secret = "pass:wörd \\'%"
    done = tagdb("db", "grant", login, "--role", "reader", "--prompt", stdin=f"{secret}\n{secret}\n")
    url = granted(done)
    assert secret not in done.output
    assert done.stderr.splitlines()[-2:] == [
        f"granted {login} the role reader and set a new password",
        "its password is not stored; put it into the URL yourself",
    ]
    assert password_in(url) is None
    may_read(conninfo.make_conninfo(url, password=secret))
    assert login not in (home / "pgpass").read_text()
    again = tagdb("db", "url", "--role", "reader", "--login", login)
    assert granted(again) == url
    assert "--new-password" in again.stderr
    assert granted(tagdb("db", "url", "--role", "reader", "--login", other)) == kept


def test_no_login_for_a_password_that_was_mistyped_or_is_unprintable(
    names: Names, tagdb: Run, database_url: str
) -> None:
    login = names()
    for typed in ("one\ntwo\n", "", "\n\n"):
        assert tagdb("db", "grant", login, "--role", "reader", "--prompt", stdin=typed).exit_code == 1
    unprintable = tagdb("db", "grant", login, "--role", "reader", "--prompt", stdin="a\tb\na\tb\n")
    assert unprintable.stderr.splitlines()[-1] == "Error: a password must consist of printable characters"
    assert not exists(database_url, login)
    typed = "one\ntwo\none\none\n"  # a mistake, then right
    assert tagdb("db", "grant", login, "--role", "reader", "--prompt", stdin=typed).exit_code == 0


def test_a_writer_stays_one(names: Names, tagdb: Run) -> None:
    login = names()
    url = granted(tagdb("db", "grant", login, "--role", "writer"))
    done = tagdb("db", "grant", login, "--role", "reader", "--json")
    assert parsed(done)["role"] == "writer"
    stays = f"{login} is already a writer, which includes reader"
    assert done.stderr.splitlines()[0] == stays
    assert "gave" not in done.stderr
    may_write(url)
    message = complaint(tagdb("db", "url", "--role", "reader", "--login", login))
    assert message.endswith("does not have the role reader; it has the role writer")
    assert granted(tagdb("db", "url", "--role", "writer", "--login", login)) == url
    done = tagdb("db", "grant", login, "--role", "reader", "--new-password")
    assert done.stderr.splitlines()[0] == f"{stays}; its password is new"
    assert granted(done) != url


def test_a_reader_becomes_a_writer(names: Names, tagdb: Run) -> None:
    login = names()
    url = granted(tagdb("db", "grant", login, "--role", "reader"))
    assert granted(tagdb("db", "grant", login, "--role", "writer")) == url
    may_write(url)


def test_an_asker_is_less_than_a_reader(names: Names, tagdb: Run) -> None:
    login = names()
    url = granted(tagdb("db", "grant", login, "--role", "asker"))
    assert execute(url, "SELECT tagdb.submit_photo('photo') > 0") == [(True,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        execute(url, "SELECT count(*) FROM tagdb.images")
    assert granted(tagdb("db", "url", "--role", "asker", "--login", login)) == url
    assert granted(tagdb("db", "grant", login, "--role", "reader")) == url
    done = tagdb("db", "grant", login, "--role", "asker", "--json")
    assert done.stderr.splitlines()[0] == f"{login} is already a reader, which includes asker"
    may_read(url)


def test_an_analyst_is_a_reader_and_less_than_a_writer(names: Names, tagdb: Run) -> None:
    login = names()
    url = granted(tagdb("db", "grant", login, "--role", "reader"))
    thumbnail = "SELECT tagdb.thumbnail(1)"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        execute(url, thumbnail)
    assert granted(tagdb("db", "grant", login, "--role", "analyst")) == url
    assert execute(url, thumbnail) == [(None,)]
    may_read(url)
    assert granted(tagdb("db", "url", "--role", "analyst", "--login", login)) == url
    done = tagdb("db", "grant", login, "--role", "reader", "--json")
    assert parsed(done)["role"] == "analyst"
    assert done.stderr.splitlines()[0] == f"{login} is already an analyst, which includes reader"
    assert granted(tagdb("db", "grant", login, "--role", "writer")) == url
    assert parsed(tagdb("db", "grant", login, "--role", "analyst", "--json"))["role"] == "writer"


def test_connecting_where_not_everybody_may(names: Names, tagdb: Run, database_url: str) -> None:
    name = str(conninfo.conninfo_to_dict(database_url)["dbname"])
    execute(database_url, "REVOKE CONNECT ON DATABASE {} FROM PUBLIC", name)
    may_read(granted(tagdb("db", "grant", names(), "--role", "reader")))


@pytest.mark.parametrize(
    "login",
    [
        "tagdb",
        "TagDB",
        "postgres",
        "tagdb_asker",
        "tagdb_reader",
        "tagdb_analyst",
        "tagdb_writer",
        "pg_monitor",
        "public",
        "none",
        "PG_x",
        "",
        "é" * 32,
        "a\nb",
    ],
)
def test_names_that_are_not_for_logins(tagdb: Run, home: Path, login: str) -> None:
    said = complaint(tagdb("db", "grant", "--role", "reader", "--new-password", "--", login))
    assert "reserved by tagdb or PostgreSQL" in said or "1 to 63 bytes of printable characters" in said
    assert not (home / "pgpass").exists()


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ("LOGIN SUPERUSER", "administers this server or database"),
        ("LOGIN CREATEROLE", "administers this server or database"),
        ("LOGIN REPLICATION", "administers this server or database"),
        ("NOLOGIN", "is a role that cannot log in"),
        ("LOGIN NOINHERIT", "does not inherit the rights of its roles"),
    ],
)
def test_roles_that_are_no_plain_logins(
    names: Names, tagdb: Run, database_url: str, home: Path, attributes: str, says: str
) -> None:
    login = names()
    execute(database_url, f"CREATE ROLE {{}} {attributes}", login)
    assert says in complaint(tagdb("db", "grant", login, "--role", "reader", "--new-password"))
    query = "SELECT rolpassword FROM pg_authid WHERE rolname = %s"
    with psycopg.connect(database_url) as connection:
        assert connection.execute(query, [login]).fetchone() == (None,)
        having = connection.execute("SELECT FROM pg_auth_members WHERE member::regrole::text = %s", [login])
        assert having.fetchall() == []
    assert not (home / "pgpass").exists()


def test_the_owner_of_the_database(names: Names, tagdb: Run, database_url: str) -> None:
    login = names()
    name = str(conninfo.conninfo_to_dict(database_url)["dbname"])
    execute(database_url, "CREATE ROLE {} LOGIN", login)
    execute(database_url, "ALTER DATABASE {} OWNER TO {}", name, login)
    assert "administers this server" in complaint(tagdb("db", "grant", login, "--role", "reader"))
    for role in access.GROUPS:  # nor is it one to be handed out
        assert "does not have the role" in complaint(tagdb("db", "url", "--role", role, "--login", login))


def test_who_may_not_grant(names: Names, tagdb: Run, database_url: str) -> None:
    writer, other = names(), names()
    url = granted(tagdb("db", "grant", writer, "--role", "writer"))
    message = complaint(tagdb("db", "grant", other, "--role", "reader", "--database-url", url))
    assert message.startswith(f"Error: your login may not grant {other!r} the role reader: ")
    assert message.endswith("; ask the database's administrator")
    assert not exists(database_url, other)


def test_no_login_without_a_place_for_its_password(
    names: Names, tagdb: Run, database_url: str, home: Path
) -> None:
    login = names()
    (home / "elsewhere").write_text("precious\n")
    for make in (lambda path: path.mkdir(), lambda path: path.symlink_to(home / "elsewhere")):
        make(home / "pgpass")
        said = complaint(tagdb("db", "grant", login, "--role", "reader"))
        assert f"{home / 'pgpass'}, where passwords are kept: " in said
        assert not exists(database_url, login)
        if (home / "pgpass").is_symlink():
            (home / "pgpass").unlink()
        else:
            (home / "pgpass").rmdir()
    assert (home / "elsewhere").read_text() == "precious\n"


def test_several_grants_at_once(names: Names, database_url: str, home: Path, tagdb_process: Process) -> None:
    logins = [names() for _ in range(4)]
    settings = {"TAGDB_DATABASE_URL": database_url, "TAGDB_HOME": str(home)}

    def one(login: str) -> str:
        return tagdb_process("db", "grant", login, "--role", "reader", **settings).stdout.strip()

    with ThreadPoolExecutor(len(logins)) as pool:
        urls = dict(zip(logins, pool.map(one, logins), strict=True))
    kept = Passfile(home / "pgpass").find(place_of(database_url, home))
    assert kept == {login: password_in(url) for login, url in urls.items()}


def test_usage_errors_of_grant_and_url(tagdb: Run) -> None:
    for arguments, says in (
        (("grant", "bi"), "Missing option '--role'"),
        (("grant", "bi", "--role", "owner"), "'owner' is not one of 'asker', 'reader', 'analyst', 'writer'"),
        (("grant", "bi", "--role", "reader", "--prompt", "--new-password"), "exclude each other"),
        (("url", "--login", "bi"), "--login needs --role"),
    ):
        done = tagdb("db", *arguments)
        assert (done.exit_code, done.stdout) == (2, "")
        assert says in done.stderr


def test_nobody_of_that_name(tagdb: Run) -> None:
    message = complaint(tagdb("db", "url", "--role", "reader", "--login", "no body"))
    assert message.endswith("does not have the role reader; run: tagdb db grant 'no body' --role reader")


# --- the embedded server, from nothing


def test_logins_of_the_embedded_server(fresh: Path) -> None:
    (port,) = free_ports(1)

    def tagdb(*arguments: object, stdin: str | None = None) -> Result:
        return invoke(*arguments, stdin=stdin, TAGDB_HOME=str(fresh))

    # a login could not enter by the socket, so none is made
    message = tagdb("db", "grant", "bi", "--role", "reader").stderr.splitlines()[-1]
    assert message.endswith("give it a port: tagdb db start --port 5433")
    (fresh / "tagdb.toml").write_text(f"port = {port}\n")
    message = complaint(tagdb("db", "grant", "bi", "--role", "reader"))
    assert message.endswith(f"give it a port: tagdb db start --port {port}")
    assert complaint(tagdb("db", "url", "--role", "reader")) == message
    assert not (fresh / "pgpass").exists()

    assert tagdb("db", "stop").exit_code == 0
    message = tagdb("db", "url", "--role", "reader").stderr.splitlines()[-1]  # after that it was started
    nobody = "Error: no login has the role reader yet; run: tagdb db grant NAME --role reader"
    assert message == nobody
    owner = granted(tagdb("db", "url"))
    assert not exists(owner, "bi")

    with database.connect(owner) as connection:
        world = seed.world(connection)
    recommend = f"SELECT * FROM tagdb.recommend_for_image({world.image_ids[0]})"
    expected = execute(owner, recommend)
    assert len(expected) > 1

    url = granted(tagdb("db", "grant", "bi", "--role", "reader"))
    password = password_in(url)
    assert url == f"postgresql://bi:{password}@127.0.0.1:{port}/tagdb"
    assert (fresh / "pgpass").read_text() == f"*:*:tagdb:bi:{password}\n"
    assert stat.S_IMODE((fresh / "pgpass").stat().st_mode) == 0o600
    assert granted(tagdb("db", "url", "--role", "reader")) == url
    assert tagdb("db", "url", "--role", "reader").stderr == ""
    may_read(url)
    assert execute(url, recommend) == expected
    assert execute(url, "SELECT hashtag, images FROM tagdb.hashtag_stats") != []
    assert tagdb("factors", "list", "--database-url", url).exit_code == 0

    here = f"host=127.0.0.1 port={port} dbname=tagdb connect_timeout=10"
    execute(owner, "ALTER ROLE tagdb PASSWORD 'sesame'")
    for who, says in (
        ("user=tagdb password=sesame", "pg_hba.conf rejects connection"),
        ("user=bi password=wrong", "password authentication failed"),
        ("user=bi", "no password supplied"),
        ("user=nobody password=sesame", "password authentication failed"),
    ):
        with pytest.raises(psycopg.OperationalError, match=says):
            psycopg.connect(f"{here} {who} passfile=/dev/null")
    psycopg.connect(f"{here} user=bi passfile={fresh / 'pgpass'}").close()  # libpq reads the file too
    assert listening(port) == ["127.0.0.1"]

    # the writer is no reader to be confused with, another reader is
    writer = granted(tagdb("db", "grant", "ingester", "--role", "writer"))
    assert granted(tagdb("db", "url", "--role", "reader")) == url
    assert granted(tagdb("db", "url", "--role", "writer")) == writer
    with psycopg.connect(writer) as connection:
        connection.execute("DELETE FROM tagdb_store.image_hashtags")
        connection.rollback()
    typed = tagdb("db", "grant", "anna", "--role", "reader", "--prompt", stdin="secret\nsecret\n")
    assert granted(typed) == f"postgresql://anna@127.0.0.1:{port}/tagdb"
    assert granted(tagdb("db", "url", "--role", "reader")) == url  # anna's is not known
    last = granted(tagdb("db", "grant", "zoe", "--role", "reader"))
    taken = tagdb("db", "url", "--role", "reader")
    assert granted(taken) == last
    assert taken.stderr == "using the login zoe; others with the role reader, for --login: anna, bi\n"
    assert tagdb("db", "url", "--role", "writer").stderr == ""
    named = tagdb("db", "url", "--role", "reader", "--login", "bi")
    assert (granted(named), named.stderr) == (url, "")
    renewed = granted(tagdb("db", "grant", "bi", "--role", "reader", "--new-password"))
    assert granted(tagdb("db", "url", "--role", "reader")) == renewed != url
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url)
    may_read(renewed)
    (fresh / "pgpass").unlink()
    message = complaint(tagdb("db", "url", "--role", "reader"))
    assert message.endswith("several logins have the role reader; choose one with --login: anna, bi, zoe")
    execute(owner, "DROP ROLE bi")  # as plainly as that
    execute(owner, "DROP ROLE zoe")
    assert granted(tagdb("db", "url", "--role", "reader")) == granted(typed)


def listening(port: int) -> list[str]:
    """Addresses of this machine that answer on a port."""
    addresses = {"127.0.0.1", "::1"} | ({"127.0.0.2"} if sys.platform == "linux" else set())
    with suppress(OSError):  # it may not know its own name
        addresses |= {str(found[4][0]) for found in socket.getaddrinfo(socket.gethostname(), port)}
    answering = []
    for address in sorted(addresses):
        with suppress(OSError):  # refused, or there is no IPv6
            socket.create_connection((address, port), timeout=5).close()
            answering.append(address)
    return answering


# --- the passfile


@pytest.fixture
def passfile(tmp_path: Path) -> Passfile:
    return Passfile(tmp_path / "new" / "home" / "pgpass")


def test_a_passfile_is_private_from_the_start(passfile: Passfile, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    replace = Path.replace

    def watched(self: Path, target: Path) -> Path:
        modes.append(stat.S_IMODE(self.stat().st_mode))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    before = os.umask(0)
    try:
        passfile.write(PLACE, "bi", "one")
        passfile.path.chmod(0o644)
        passfile.write(PLACE, "bi", "two")
    finally:
        os.umask(before)
    assert modes == [0o600, 0o600]
    assert stat.S_IMODE(passfile.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(passfile.path.parent.stat().st_mode) == 0o700
    assert [each.name for each in passfile.path.parent.iterdir()] == ["pgpass"]


def test_older_lines_are_replaced(passfile: Passfile) -> None:
    other = ("db.example", "5432", "other")
    assert passfile.find(PLACE) == {}
    passfile.write(PLACE, "bi", None)
    assert not passfile.path.exists()  # there was nothing to forget
    passfile.path.parent.mkdir(parents=True)
    passfile.path.write_bytes(b"# mine, \xe9\nnonsense\n")
    for place, login, password in (
        (PLACE, "bi", "1"), (PLACE, "zoe", "2"), (other, "bi", "3"), (PLACE, "bi", "4"),
    ):  # fmt: skip
        passfile.write(place, login, password)
    assert list(passfile.find(PLACE).items()) == [("zoe", "2"), ("bi", "4")]
    assert passfile.find(other) == {"bi": "3"}
    passfile.write(PLACE, "zoe", None)
    assert passfile.find(PLACE) == {"bi": "4"}
    assert passfile.path.read_bytes() == (
        b"# mine, \xe9\nnonsense\ndb.example:5432:other:bi:3\ndb.example:5432:photos:bi:4\n"
    )


def test_a_line_for_every_host_comes_last(passfile: Passfile) -> None:
    """The first line that fits counts for libpq."""
    anywhere = ("*", "*", "photos")
    for place, login in ((anywhere, "bi"), (PLACE, "bi"), (anywhere, "zoe"), (PLACE, "zoe")):
        passfile.write(place, login, "x")
    lines = [line.split(":")[0::3] for line in passfile.path.read_text().splitlines()]
    assert lines == [["db.example", "bi"], ["db.example", "zoe"], ["*", "bi"], ["*", "zoe"]]


@pytest.mark.parametrize("text", ["a:b", "a\\b", ":", "\\", "\\:", "a\\\\::", "#", "é ü", ""])
def test_a_passfile_escapes_colons_and_backslashes(passfile: Passfile, text: str) -> None:
    place = (f"::{text}", "5432", text)
    passfile.write(place, text, text)
    passfile.write(PLACE, "bi", "other")
    assert passfile.find(place) == {text: text}
    assert passfile.find(PLACE) == {"bi": "other"}
    assert len(passfile.path.read_text().splitlines()) == 2
    passfile.write(place, text, "another")
    assert passfile.find(place) == {text: "another"}


def test_libpq_reads_the_passfile(names: Names, tagdb: Run, home: Path) -> None:
    """With the names of logins that these tests make up, of characters to be escaped."""
    url = granted(tagdb("db", "grant", names(), "--role", "reader"))
    without, password = urls.without_password(url)
    assert password
    may_read(conninfo.make_conninfo(without, passfile=str(home / "pgpass")))


def test_a_passfile_that_cannot_be_written(passfile: Passfile) -> None:
    passfile.path.parent.parent.mkdir()
    passfile.path.parent.write_text("no folder")
    with pytest.raises(ConfigError, match=r"^cannot (read|write) .*pgpass, where passwords are kept: "):
        passfile.write(PLACE, "bi", "x")


# --- URLs


def address(parts: dict[str, str]) -> Address:
    return Address(parts, PLACE, Passfile(Path("pgpass")))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"host": "db.example", "port": "5432"}, "db.example:5432/a%2Fb"),
        ({"host": "::1", "port": "5432"}, "[::1]:5432/a%2Fb"),
        ({"host": "h", "port": "1", "sslmode": "verify-full"}, "h:1/a%2Fb?sslmode=verify-full"),
        ({"host": "/a folder", "port": "5432"}, "/a%2Fb?host=%2Fa%20folder&port=5432"),
        ({"host": "a,b", "port": "1,2"}, "/a%2Fb?host=a%2Cb&port=1%2C2"),
        ({"port": "5432", "options": "-c x=y&z"}, "/a%2Fb?port=5432&options=-c%20x%3Dy%26z"),
    ],
)
def test_urls_escape_what_libpq_would_misread(parts: dict[str, str], expected: str) -> None:
    where = address({"dbname": "a/b", **parts})
    assert where.url("bi") == f"postgresql://bi@{expected}"
    login, password = "b i@:/é", "p:@/?#%+ é"
    url = where.url(login, password)
    assert url.endswith(f"@{expected}")
    secret = {"user": login, "password": password}
    assert conninfo.conninfo_to_dict(url) == {**parts, **secret, "dbname": "a/b"}


def test_an_owners_url_in_any_form(database_url: str, tmp_path: Path) -> None:
    """What is said of the place is kept; who the owner is, and every secret, is not."""
    more = {"sslmode": "prefer", "password": "s3cret", "sslpassword": "s3cret", "passfile": "/s3cret"}
    plain = conninfo.make_conninfo(database_url, **more)
    alchemy = database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    for given in (plain, f"{alchemy}{'&' if '?' in alchemy else '?'}sslmode=prefer&password=s3cret"):
        with database.connect(given) as connection:
            found = access.address(connection, config.Settings(tmp_path, given))
        ours = conninfo.conninfo_to_dict(database_url)
        theirs = conninfo.conninfo_to_dict(found.url("bi"))
        assert theirs == ours | {"sslmode": "prefer", "user": "bi"}
        assert found.place == (ours["host"], str(ours.get("port", "5432")), ours["dbname"])


def test_what_the_environment_says_of_the_place(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = conninfo.conninfo_to_dict(database_url)
    for name in ("host", "port", "user", "dbname"):
        if name in parts:
            monkeypatch.setenv(f"PG{name.upper().replace('DBNAME', 'DATABASE')}", str(parts[name]))
    with database.connect("postgresql://") as connection:
        found = access.address(connection, config.Settings(tmp_path, "postgresql://"))
    host = str(parts["host"])
    expected = {"user": "bi", "port": str(parts.get("port", "5432")), "dbname": parts["dbname"]}
    if not host.startswith("/"):  # a socket's folder comes from the reader's own environment
        expected["host"] = host
    assert conninfo.conninfo_to_dict(found.url("bi")) == expected
    assert found.place[0] == (expected.get("host") or "localhost")


def test_several_hosts_are_one_place(database_url: str, tmp_path: Path) -> None:
    parts = conninfo.conninfo_to_dict(database_url)
    host, port = str(parts["host"]), str(parts.get("port", "5432"))
    given = conninfo.make_conninfo(database_url, host=f"{host},{host}", port=f"{port},{port}")
    with database.connect(given) as connection:
        found = access.address(connection, config.Settings(tmp_path, given))
    assert found.place == ("*", "*", parts["dbname"])
    assert conninfo.conninfo_to_dict(found.url("bi"))["host"] == f"{host},{host}"
