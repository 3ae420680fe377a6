"""As the pages have it from the first line: a server with a port, a login, its URL, a client."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import psycopg
import pytest

from tagdb.postgres import database
from tagdb.postgres.server import Server
from tests.support import history
from tests.support.clients import NODE, QUERY, Program
from tests.support.commands import invoke
from tests.support.postgres import FAST, free_ports, temporary_home


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A reader's URL, from ``tagdb db url``."""
    home = temporary_home()
    monkeypatch.setenv("TAGDB_HOME", str(home))
    server = Server(home, FAST | {"shared_buffers": "32MB"})
    try:
        server.start(port=free_ports(1)[0])
        database.migrate(server.url())
        with database.connect(server.url()) as connection:
            history.fill(connection)
        for arguments in (
            ("grant", "svc", "--role", "reader"),
            ("url", "--role", "reader", "--login", "svc"),
        ):
            done = invoke("db", *arguments)
            assert done.exit_code == 0, done.output
        yield done.stdout.strip()
    finally:
        server.stop()
        shutil.rmtree(home)


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
