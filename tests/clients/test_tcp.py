"""As the pages have it from the first line: a server with a port, a login, its URL, a client."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.support.clients import NODE, QUERY, Program, listening
from tests.support.commands import invoke


@pytest.fixture
def url() -> Iterator[str]:
    """A reader's URL, from ``tagdb db url``."""
    with listening() as (home, _):
        for arguments in (
            ("grant", "svc", "--role", "reader"),
            ("url", "--role", "reader", "--login", "svc"),
        ):
            done = invoke("db", *arguments, TAGDB_HOME=str(home))
            assert done.exit_code == 0, done.output
        yield done.stdout.strip()


def test_a_client_in_node_over_tcp(node: Program, url: str) -> None:
    assert "@127.0.0.1:" in url
    done = node(NODE / "client.js", stdin=QUERY, DATABASE_URL=url)
    assert (done.returncode, done.stderr) == (0, "")
    with psycopg.connect(url) as connection:
        assert connection.info.host == "127.0.0.1"
        rows = connection.execute(
            "SELECT hashtag FROM tagdb.recommend_for_embedding(%s, 3)", [QUERY]
        ).fetchall()
    assert len(rows) == 3
    for hashtag in rows:
        assert f'"hashtag":"{hashtag[0]}"' in done.stdout
