"""What tests of several connections at once share."""

from collections.abc import Iterator

import pytest

from tagdb.postgres import database
from tagdb.postgres.database import Connection


@pytest.fixture
def other(connection: Connection, database_url: str) -> Iterator[Connection]:
    """A second connection, which does not wait for long."""
    with database.connect(database_url) as opened:
        for one in (connection, opened):
            one.execute("SET lock_timeout = '20s'")
            one.execute("SET deadlock_timeout = '100ms'")
        yield opened
