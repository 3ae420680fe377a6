"""A client in another language: Node, with ``pg``."""

from __future__ import annotations

import json
import re

from tests.support.clients import NODE, QUERY, Place, Program, columns

KINDS = {
    "integer": "Number",
    "bigint": "String",
    "double precision": "Number",
    "text": "String",
    "boolean": "Boolean",
    "timestamp with time zone": "Date",
    "date": "Date",
    "text[]": "Array",
    "jsonb": "Object",
    "bytea": "Buffer",
}
"""What ``pg`` makes of PostgreSQL's types."""


def test_a_client_in_node(place: Place, node: Program) -> None:
    done = node(NODE / "client.js", stdin=QUERY, DATABASE_URL=place.reader)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    query = "SELECT rank, hashtag, score FROM tagdb.recommend_for_embedding(%s, 4)"
    expected = [dict(zip(("rank", "hashtag", "score"), row, strict=True)) for row in place.rows(query, QUERY)]
    assert found["answers"] == [expected[:3]] * 8
    query = "SELECT hashtag FROM tagdb.recommend_for_embedding(%s, 3, known => ARRAY[%s])"
    others = [hashtag for (hashtag,) in place.rows(query, QUERY, expected[0]["hashtag"])]
    assert [each["hashtag"] for each in found["others"]] == others
    assert expected[0]["hashtag"] not in others
    assert found["prepared"] == [{"name": "recommend_for_embedding"}]

    assert list(found["views"]) == place.views()
    for view, types in columns(place).items():
        shown = found["views"][view]
        assert shown["rows"] == place.rows(f"SELECT count(*) FROM tagdb.{view}")[0][0] > 0
        for column, kinds in shown["kinds"].items():
            assert set(kinds) - {"null"} <= {KINDS[types[column]]}, f"{view}.{column}"

    assert found["top"] == {"code": "22023", "message": "top must be 1 or more, not 0"}
    assert found["short"] == {"code": "22023", "message": "embedding must have 1280 dimensions, not 2"}
    assert found["array"]["code"] == "22P02"
    assert found["table"]["code"] == "42501"
    assert found["again"] == expected[:3], "an error leaves the pool usable"


def test_a_wrong_password_is_refused(place: Place, node: Program) -> None:
    wrong = re.sub(r":[^:@]+@", ":wrong@", place.reader, count=1)
    done = node(NODE / "client.js", stdin=QUERY, DATABASE_URL=wrong)
    assert done.returncode == 1
    assert "28P01" in done.stderr


def test_the_lock_file_names_no_registry() -> None:
    """Whoever installs has a registry of their own; what is fetched there is known by its hash."""
    lock = (NODE / "package-lock.json").read_text()
    assert "://" not in lock
    packages = {name: package for name, package in json.loads(lock)["packages"].items() if name}
    assert "node_modules/pg" in packages
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
