"""Reaching a database: URLs, what is said when it cannot be reached, and what its errors become."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo

from tagdb.config import Settings
from tagdb.errors import DatabaseBusy, DatabaseError, DatabaseGone, SchemaError
from tagdb.postgres import database, urls
from tagdb.postgres.database import Connection
from tests.support import seed
from tests.support.postgres import Postgres, become

SECRET = "pass+word/@:'%"


@pytest.fixture
def url(postgres: Postgres) -> str:
    """The URL of a database that is just there, without a schema; nothing here changes it."""
    return postgres.url


@pytest.fixture
def plain(url: str) -> Iterator[Connection]:
    """A connection to it."""
    with database.connect(url) as connection:
        yield connection


def with_parts(url: str, **parts: str | int) -> str:
    return conninfo.make_conninfo(url, **parts)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://me@db/photos", "postgresql://me@db/photos"),
        ("postgres://me@db/photos", "postgres://me@db/photos"),
        ("postgresql+psycopg://me:a+b@db/photos?x=1", "postgresql://me:a+b@db/photos?x=1"),
        ("postgresql+psycopg2://db/a", "postgresql://db/a"),
        ("host=/run/a+b dbname=x", "host=/run/a+b dbname=x"),
        ("password=a+b://c", "password=a+b://c"),
    ],
)
def test_urls_of_sqlalchemy_become_libpqs(url: str, expected: str) -> None:
    assert urls.libpq_url(url) == expected


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:secret@db.example:5433/photos", "database photos at db.example"),
        ("postgresql+psycopg://me:secret@db.example/photos", "database photos at db.example"),
        ("postgresql://me:secret@/", "database me at the local socket"),
        ("postgresql://", "database postgres at the local socket"),
        ("host=db dbname=photos password=secret", "database photos at db"),
        ("postgresql://me:secret@[broken/photos", "the given database URL"),
        ("secret nonsense", "the given database URL"),
    ],
)
def test_a_url_is_described_without_its_password(url: str, shown: str) -> None:
    assert urls.describe(url) == shown


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("postgresql://me:a%2Bb%20c@db:5433/photos?connect_timeout=3", "a+b c"),
        ("postgresql+psycopg://me:secret@db/photos", "secret"),
        ("postgresql://me@db/photos?password=secret", "secret"),
        ("host=db dbname=photos password='a b'", "a b"),
        ("postgresql://me@db/photos", None),
        ("postgresql://me:@db/photos", None),
    ],
)
def test_a_password_is_taken_out_of_a_url(url: str, password: str | None) -> None:
    bare, found = urls.without_password(url)
    assert (found or None) == password
    parts = conninfo.conninfo_to_dict(urls.libpq_url(url))
    parts.pop("password", None)
    assert conninfo.conninfo_to_dict(bare) == parts
    assert password is None or password not in bare


def test_a_connection_commits_at_once_and_says_who_it_is(database_url: str) -> None:
    with database.connect(database_url) as connection:
        assert connection.autocommit
        assert connection.info.encoding == "utf-8"
        named = connection.execute(
            "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        )
        assert named.fetchone() == ("tagdb",)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"host": "nowhere.invalid"}, "nowhere.invalid"),
        ({"host": "127.0.0.1", "port": "1"}, "Connection refused"),
        ({"host": "/nonexistent"}, "No such file or directory"),
        ({"dbname": "tagdb_test_no_such"}, 'database "tagdb_test_no_such" does not exist'),
        ({"connect_timeout": "soon"}, "connect_timeout"),
    ],
)
def test_what_cannot_be_reached(url: str, wrong: dict[str, str], why: str) -> None:
    url = with_parts(url, **{"password": SECRET, "connect_timeout": "3"} | wrong)
    with pytest.raises(DatabaseError) as caught:
        database.connect(url)
    message = str(caught.value)
    assert message.startswith("cannot connect to database ")
    assert why in message
    assert message.endswith("; check --database-url or TAGDB_DATABASE_URL")
    assert len(message.splitlines()) == 1
    assert SECRET not in message


def test_a_wrong_password(login: Callable[..., str], url: str) -> None:
    url = login(url)
    try:
        database.connect(with_parts(url, password="another")).close()
        pytest.skip("the server trusts everybody")
    except DatabaseError:
        pass
    with database.connect(url):
        pass
    with pytest.raises(DatabaseError, match="password authentication failed") as caught:
        database.connect(with_parts(url, password=SECRET))
    assert SECRET not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("url", ["secret", "mysql://me:secret@db/x", "postgresql://me:secret@[x/y"])
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(DatabaseError, match="URL is not valid; check --database-url or") as caught:
        database.connect(url)
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "password", ["p@SECRET", "SECRET/x", "x/SECRET@y", "SECRET?x", "SECRET#x", "SE:CRET/y", "x%SECRET"]
)
def test_a_password_that_should_have_been_encoded(password: str) -> None:
    """No part of it is shown as a host, a port or a database."""
    for url in (
        f"postgresql://me:{password}@127.0.0.1:1/photos",
        f"postgresql+psycopg://me:{password}@127.0.0.1/x",
    ):
        with pytest.raises(DatabaseError) as caught:
            database.connect(f"{url}?connect_timeout=2")
        assert "SECRET" not in str(caught.value)
        assert "CRET" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me%40corp:p%40%2F@127.0.0.1:1/photos",
        "postgresql://me:a:b@127.0.0.1:1,[::1]:2/photos?user=me@corp",
        "postgresql://[::1]:1/x",
        "postgresql://@/x?host=/tmp",
        "postgresql:///x",
        "host=127.0.0.1 port=1 user=me@corp",
    ],
)
def test_urls_that_are_fine(url: str) -> None:
    with pytest.raises(DatabaseError, match="cannot connect to"):
        database.connect(url)


def test_time_to_connect(url: str) -> None:
    """Ten seconds, unless the URL says otherwise."""
    with database.connect(url) as connection:
        assert connection.info.get_parameters()["connect_timeout"] == "10"
    with database.connect(with_parts(url, connect_timeout=7)) as connection:
        assert connection.info.get_parameters()["connect_timeout"] == "7"


# --- what errors become --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "error", "message"),
    [
        ("SELECT 1/0", DatabaseError, "the database refused: division by zero"),
        (
            "SELECT FROM nothing",
            SchemaError,
            'tagdb schema is incomplete \\(relation "nothing" does not exist\\)',
        ),
        ("SELECT nothing()", SchemaError, "is incomplete .*; run: tagdb init"),
        ("SELECT FROM no_schema.x", SchemaError, "is incomplete"),
        (
            "SET ROLE pg_monitor; SELECT * FROM pg_authid",
            DatabaseError,
            "permission denied for [^;]+; ask the database's owner for the role tagdb_reader or tagdb_writer",
        ),
        ("DO $$ BEGIN RAISE SQLSTATE '53100'; END $$", DatabaseError, "out of space: .*; free some"),
        (
            "DO $$ BEGIN RAISE SQLSTATE '57P01'; END $$",
            DatabaseGone,
            "connection to the database broke: .*again",
        ),
        *(
            (
                f"DO $$ BEGIN RAISE SQLSTATE '{code}'; END $$",
                DatabaseBusy,
                "other sessions were in the way: .*again",
            )
            for code in ("55P03", "57014", "40P01", "40001")
        ),
        ("DO $$ BEGIN RAISE 'two\nlines'; END $$", DatabaseError, "the database refused: two"),
    ],
)
def test_errors_of_psycopg_become_one_sentence(
    plain: Connection, command: str, error: type[DatabaseError], message: str
) -> None:
    with pytest.raises(DatabaseError, match=message) as caught, database.translated():
        plain.execute(command)
    assert type(caught.value) is error
    assert len(str(caught.value).splitlines()) == 1
    assert isinstance(caught.value.__cause__, psycopg.Error)


def test_a_connection_that_is_cut(plain: Connection, url: str) -> None:
    with database.connect(url) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (plain.info.backend_pid,))
    for _ in range(2):
        with pytest.raises(DatabaseError, match="connection to the database broke"), database.translated():
            plain.execute("SELECT 1")


def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match="ours"), database.translated():
        raise ValueError("ours")


# --- the schema's revision -----------------------------------------------------------------------


def test_revision_as_a_reader(role: Callable[..., str], connection: Connection) -> None:
    """Who may not look into tagdb_store cannot read the revision, but sees that there is a schema."""
    become(connection, role("tagdb_reader"))
    assert database.revision(connection) == database.SCHEMA_REVISION
    database.check_revision(connection)


def test_revision_of_an_empty_version_table(connection: Connection) -> None:
    connection.execute("DELETE FROM tagdb_store.alembic_version")
    assert database.revision(connection) is None


def test_opening_a_database_checks_and_translates(
    database_url: str, empty_database_url: str, tmp_path: Path
) -> None:
    said: list[str] = []
    settings = Settings(database_url=database_url, home=tmp_path)
    with database.open_database(
        Settings(database_url=database_url, home=tmp_path), said.append
    ) as connection:
        seed.world(connection)
    with (
        pytest.raises(DatabaseError, match="division by zero"),
        database.open_database(settings, said.append) as connection,
    ):
        connection.execute("SELECT 1/0")
    with (
        pytest.raises(SchemaError, match="no tagdb schema yet"),
        database.open_database(Settings(database_url=empty_database_url, home=tmp_path), said.append),
    ):
        pass
    assert said == []
