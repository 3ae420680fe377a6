"""``docs/services.md`` says what is so: its programs are run, and what it says of errors is tried."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from pgvector import HalfVector
from pgvector.psycopg import register_vector
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from tagdb.postgres import database
from tests.support import history
from tests.support.clients import QUERY, Place, logged_in
from tests.support.documents import DOCS, blocks, program
from tests.support.languages import run

CALL = "SELECT rank, hashtag, score FROM tagdb.recommend_for_embedding(%s, top => %s)"


@pytest.mark.parametrize(("language", "name"), [("python", "hashtags.py"), ("js", "hashtags.mjs")])
def test_hashtags_for_an_embedding(place: Place, language: str, name: str, tmp_path: Path) -> None:
    file = program("services.md", language, name, tmp_path)
    rows = place.rows(CALL, QUERY, 5)
    assert len(rows) == 5
    expected = "".join(f"{rank} #{hashtag} {score}\n" for rank, hashtag, score in rows)
    assert run(language, file, stdin=QUERY, DATABASE_URL=place.reader) == (0, expected, "")
    refused = (1, "", "embedding must have 1280 dimensions, not 2\n")
    assert run(language, file, stdin="[1,2]", DATABASE_URL=place.reader) == refused


def test_what_psycopg_sends_of_an_embedding(place: Place) -> None:
    numbers = json.loads(QUERY)
    with psycopg.connect(place.reader, autocommit=True) as reader:
        register_vector(reader)
        expected = place.rows(CALL, QUERY, 3)
        for embedding in (QUERY, str(numbers), HalfVector(numbers), np.array(numbers, np.float32)):
            assert reader.execute(CALL, [embedding, 3]).fetchall() == expected
        with pytest.raises(psycopg.errors.UndefinedFunction):
            reader.execute(CALL, [numbers, 3])


NUMBERS = 1280


@pytest.mark.parametrize(
    ("embedding", "top", "code"),
    [
        (QUERY, 0, "22023"),
        ("[1,2]", 3, "22023"),
        ("nonsense", 3, "22P02"),
        ("{" + ",".join(["0.1"] * NUMBERS) + "}", 3, "22P02"),
        ("[" + ",".join(["1e9"] * NUMBERS) + "]", 3, "22003"),
        ("[" + ",".join(["NaN"] * NUMBERS) + "]", 3, "22000"),
        ([0.1] * NUMBERS, 3, "42883"),
    ],
    ids=["top", "short", "text", "array", "large", "nan", "list"],
)
def test_the_code_of_a_bad_argument(place: Place, embedding: object, top: int, code: str) -> None:
    with psycopg.connect(place.reader) as reader, pytest.raises(psycopg.Error) as caught:
        reader.execute(CALL, [embedding, top])
    assert caught.value.sqlstate == code
    documented(code)


def documented(code: str) -> None:
    """Fail unless the page tells of the code."""
    table = (DOCS / "services.md").read_text("utf-8").partition("## What can go wrong")[2]
    codes = {each for row in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE) for each in row.split(", ")}
    assert code in codes


def test_its_statuses_are_those_of_the_page_on_http() -> None:
    wrong, serving = ((DOCS / page).read_text("utf-8") for page in ("services.md", "serving.md"))
    wrong = wrong.partition("## What can go wrong")[2]
    statuses = {
        each
        for row in re.findall(r"^\| [^|]+ \| ([345][^|]+) \|", wrong, re.MULTILINE)
        for each in row.split(", ")
    }
    assert statuses == {"422", "413", "408", "401", "403", "409", "429", "503"}
    told = {
        each
        for row in re.findall(r"^\| ([45][^|]+) \|", serving, re.MULTILINE)
        for each in re.findall(r"\d+", row)
    }
    assert statuses <= told


@pytest.mark.parametrize("embedding", [None, "[" + ",".join(["0"] * NUMBERS) + "]"], ids=["null", "zeros"])
def test_no_rows_are_no_error(place: Place, embedding: str | None) -> None:
    with psycopg.connect(place.reader) as reader:
        assert reader.execute(CALL, [embedding, 3]).fetchall() == []
        assert reader.execute("SELECT * FROM tagdb.recommend_for_image(-1)").fetchall() == []


def test_a_wrong_password(place: Place) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(place.reader, password="wrong")


def test_a_login_without_the_role(place: Place) -> None:
    with logged_in(place.owner) as stranger, psycopg.connect(stranger) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as caught:
            connection.execute(CALL, [QUERY, 3])
        assert caught.value.sqlstate == "42501"
    documented("42501")


def test_a_statement_that_takes_too_long(place: Place) -> None:
    slow = "SELECT count(*) FROM generate_series(1, 100000) n, tagdb.recommend_for_embedding(%s, n)"
    with (
        psycopg.connect(place.reader, options="-c statement_timeout=50") as reader,
        pytest.raises(psycopg.errors.QueryCanceled) as caught,
    ):
        reader.execute(slow, [QUERY])
    assert caught.value.sqlstate == "57014"
    documented("57014")


@pytest.fixture
def replaced(database_url: str) -> Iterator[tuple[database.Connection, str]]:
    """The owner of a database that a test may change, and a reader's URL of it."""
    with database.connect(database_url) as owner, logged_in(database_url, "tagdb_reader") as reader:
        history.fill(owner)
        yield owner, reader


def test_readers_go_on_while_a_factor_run_is_replaced(replaced: tuple[database.Connection, str]) -> None:
    """Also with a prepared statement, and while the activation is not committed yet."""
    owner, reader = replaced
    settings = {"autocommit": True, "prepare_threshold": 0, "options": "-c statement_timeout=5000"}
    with ConnectionPool(reader, min_size=1, max_size=1, kwargs=settings) as pool, pool.connection() as asking:
        before = asking.execute(CALL, [QUERY, 3]).fetchall()
        with owner.transaction():
            history.compute(owner, 4)
            assert asking.execute(CALL, [QUERY, 3]).fetchall() == before
            raise psycopg.Rollback
        computed = history.compute(owner, 16)
        after = asking.execute(CALL, [QUERY, 3]).fetchall()
        assert asking.execute("SELECT factor_run_id FROM tagdb.coverage").fetchone() == (computed,)
    assert len(before) == len(after) == 3
    assert before != after
    assert after == owner.execute(CALL, [QUERY, 3]).fetchall()


def test_the_pages_feedback_statement_is_for_writers_only(
    replaced: tuple[database.Connection, str], database_url: str
) -> None:
    """The page's own statement, by the login that it names and by no other."""
    owner, reader = replaced
    (statement,) = (text for text in blocks("services.md", "sql") if "give_feedback" in text)
    with psycopg.connect(reader) as asking, pytest.raises(psycopg.errors.InsufficientPrivilege):
        asking.execute(statement)  # type: ignore[call-overload]
    settings: dict[str, Any] = {"autocommit": True, "row_factory": dict_row}
    with (
        logged_in(database_url, "tagdb_writer") as login,
        psycopg.connect(login, **settings) as writer,
        psycopg.connect(reader, **settings) as asking,
    ):

        def hashtags() -> set[str]:
            query = "SELECT hashtag FROM tagdb.image_hashtags WHERE image_id = 42"
            return {row["hashtag"] for row in asking.execute(query)}

        def recommended(query: str, *values: object) -> set[str]:
            return {row["hashtag"] for row in asking.execute(query, values)}  # type: ignore[call-overload]

        before = hashtags()
        assert writer.execute(statement).fetchall() == [  # type: ignore[call-overload]
            {"hashtags_accepted": 2, "hashtags_rejected": 1}
        ]
        assert hashtags() == before | {"sea", "summer"}
        given = "SELECT given_by FROM tagdb_store.feedback WHERE image_id = 42"
        assert {row[0] for row in owner.execute(given)} == {writer.info.user}
        by_run = "SELECT accepted, rejected FROM tagdb.acceptance WHERE factor_run_id = 2"
        assert asking.execute(by_run).fetchall() == [{"accepted": 4, "rejected": 3}]

        by_image = "SELECT hashtag FROM tagdb.recommend_for_image(42, 100)"
        there = recommended(by_image)
        assert "night" in there
        writer.execute("SELECT tagdb.give_feedback(42, rejected => '{#NIGHT}')")
        assert recommended(by_image) == there - {"night"}
        sha256 = bytes.fromhex(
            asking.execute("SELECT content_sha256 FROM tagdb.images WHERE image_id = 42").fetchone()[  # type: ignore[index]
                "content_sha256"
            ]
        )
        left_out = "exclude => ARRAY(SELECT tagdb.rejected_hashtags($2))"
        assert left_out in (DOCS / "services.md").read_text("utf-8")
        by_embedding = "SELECT hashtag FROM tagdb.recommend_for_embedding(%s, 100, {})"
        unaware = recommended(by_embedding.format("exclude => '{}'"), QUERY)
        assert recommended(by_embedding.format(left_out.replace("$2", "%s")), QUERY, sha256) == unaware - {
            *("snow", "night")
        }
        writer.execute("SELECT tagdb.give_feedback(42, accepted => '{night}')")
        assert recommended(by_image) == there
        assert "night" in hashtags()
        for wrong in ("-1, '{a}'", "42, '{not a hashtag!}'", "42, '{a}', '{a}'", "42, '{a}', run => 99"):
            with pytest.raises(psycopg.Error) as caught:
                writer.execute(f"SELECT tagdb.give_feedback({wrong})".encode())
            assert caught.value.sqlstate == "22023", wrong
    documented("22023")


def test_a_transaction_keeps_its_factor_run(replaced: tuple[database.Connection, str]) -> None:
    owner, reader = replaced
    with psycopg.connect(reader) as asking:
        asking.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        before = asking.execute(CALL, [QUERY, 3]).fetchall()
        history.compute(owner, 16)
        assert len(before) == 3
        assert asking.execute(CALL, [QUERY, 3]).fetchall() == before
        asking.commit()
        after = asking.execute(CALL, [QUERY, 3]).fetchall()
    assert after == owner.execute(CALL, [QUERY, 3]).fetchall()


def test_a_transaction_that_reads_what_is_committed_keeps_a_run(
    replaced: tuple[database.Connection, str],
) -> None:
    owner, reader = replaced
    with psycopg.connect(reader) as asking:
        assert len(asking.execute(CALL, [QUERY, 3]).fetchall()) == 3
        history.compute(owner, 16)
        assert len(asking.execute(CALL, [QUERY, 3]).fetchall()) == 3
