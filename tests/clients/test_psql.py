"""psql, as a reader who has logged in with a password: scripts that stop at the first error."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from urllib.parse import quote

import pytest
from psycopg import conninfo

from tests.support.clients import PASSWORD, QUERY, Place, execute
from tests.support.postgres import Postgres

Psql = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def psql(postgres: Postgres, place: Place) -> Psql:
    """Runs the bundled psql, the password in its environment and not in its arguments."""
    program = postgres.program("psql")
    secret = f":{quote(PASSWORD, safe='')}@"
    assert secret in place.reader

    def run_psql(*arguments: object, password: str = PASSWORD) -> CompletedProcess[str]:
        url = place.reader.replace(secret, "@")
        command = [program, "-X", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-d", url, *arguments]
        return execute(command, PGPASSWORD=password)

    return run_psql


def said(done: CompletedProcess[str]) -> str:
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_everything_is_described(psql: Psql, place: Place) -> None:
    shown = said(psql("-A", "-f", Path(__file__).parent / "describe.sql"))
    comments = place.rows(
        "SELECT obj_description(oid, 'pg_class') FROM pg_class"
        " WHERE relnamespace = 'tagdb'::regnamespace AND relkind = 'v'"
        " UNION ALL SELECT obj_description(oid, 'pg_proc') FROM pg_proc"
        " WHERE pronamespace = 'tagdb'::regnamespace"
        " UNION ALL SELECT col_description(attrelid, attnum) FROM pg_attribute"
        " WHERE attrelid = 'tagdb.hashtag_stats'::regclass AND attnum > 0"
        " UNION ALL SELECT obj_description('tagdb'::regnamespace, 'pg_namespace')"
    )
    assert len(comments) > 30
    for (comment,) in comments:
        assert comment is not None
        assert str(comment) in shown
    assert str(conninfo.conninfo_to_dict(place.reader)["user"]) in shown


def test_every_function_is_called_from_psql(psql: Psql, place: Place) -> None:
    shown = said(psql("-v", f"embedding={QUERY}", "-f", Path(__file__).parent / "calls.sql"))
    parts = dict(part.split("\n", 1) for part in ("\n" + shown).split("\n# ")[1:])
    found = {title: [",".join(row) for row in csv.reader(text.splitlines())] for title, text in parts.items()}

    query = "SELECT rank || ',' || hashtag FROM tagdb.recommend_for_embedding(%s, 3)"
    best = ["rank,hashtag", *(str(line) for (line,) in place.rows(query, QUERY))]
    assert len(best) == 4
    assert found["named arguments"] == best * 2
    assert found["defaults"] == ["count", "10", "count", "0", "count", "0"]
    each = [line.split(",")[:2] for line in found["for each of some images"][1:]]
    assert len({image for image, _ in each}) == 5
    assert [rank for _, rank in each] == ["1", "2"] * 5
    assert found["with the hashtags that they have"] == ["carried_already", "0"]
    assert found["prepared"] == best * 3
    assert found["photos alike"] == ["count,itself", "4,f"]
    assert found["a temporary view, as BI tools make them"] == ["weeks", "t"]


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("SELECT * FROM tagdb.recommend_for_image(1, top => 0)", "22023", "top must be 1 or more, not 0"),
        (
            "SELECT * FROM tagdb.recommend_for_embedding('[1]')",
            "22023",
            "embedding must have 1280 dimensions, not 1",
        ),
        ("SELECT * FROM tagdb_store.images", "42501", "permission denied for schema tagdb_store"),
        ("DELETE FROM tagdb.images", "42501", "permission denied for view images"),
    ],
)
def test_what_is_refused(psql: Psql, query: str, code: str, message: str) -> None:
    done = psql("-v", "VERBOSITY=verbose", "-c", query)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == f"ERROR:  {code}: {message}"


def test_a_wrong_password(psql: Psql) -> None:
    done = psql("-c", "SELECT 1", password="wrong")
    assert done.returncode == 2
    assert "password authentication failed" in done.stderr
