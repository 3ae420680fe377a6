"""A service that runs in a thread of the test, and what it is asked by."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import psycopg

from tagdb import tokens
from tagdb.config import Settings
from tagdb.embedding.backbone import resolve
from tagdb.factors import compute
from tagdb.ingest import Options as Ingest
from tagdb.ingest import run as ingest
from tagdb.learning.settings import FactorSettings
from tagdb.photos.sources import Reading, open_source
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.serve.access import Access
from tagdb.serve.options import Options
from tagdb.serve.running import Server, listen
from tagdb.serve.service import Service

COLLECTIONS = ("food", "travel", "animals", "cars")
PER_COLLECTION = 12


def draw(folder: Path) -> None:
    """Drawn photos of four collections, and ``photos.csv``, which tells their hashtags."""
    from tagdb.scenes import scene

    folder.mkdir()
    lines = ["file_name,hashtags,collection,taken_at"]
    for kind in COLLECTIONS:
        for number in range(PER_COLLECTION):
            drawn = scene(kind, number)
            name = f"{kind}-{number:02}.jpg"
            drawn.picture.save(folder / name)
            tags = " ".join(f"#{tag}" for tag in drawn.hashtags)
            lines.append(f"{name},{tags},{kind},2025-{number + 1:02}-03T10:00:00Z")
    (folder / "photos.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def fill(connection: Connection, folder: Path, home: Path) -> None:
    """Store drawn photos by the bundled backbone, and compute factors."""
    draw(folder)
    backbone = resolve("bundled", None, None, home / "backbones", lambda note: None)
    ingest(connection, backbone, [open_source(str(folder / "photos.csv"), Reading())], Ingest(quiet=True))
    compute(connection, FactorSettings(factors=16), quiet=True)


@dataclass(frozen=True, slots=True)
class Served:
    """A service that runs."""

    url: str
    """``http://127.0.0.1:PORT``."""
    database_url: str
    service: Service
    access: Access
    home: Path

    def client(self, token: str | None = None, **headers: str) -> httpx.Client:
        """Somebody who asks it, on this machine and without a token if none is given."""
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return httpx.Client(base_url=f"{self.url}/v1", headers=headers, timeout=60, trust_env=False)

    def page(self) -> httpx.Client:
        """The service's own page."""
        return httpx.Client(
            base_url=f"{self.url}/v1",
            headers={
                "Origin": self.url,
                "Cookie": self.page_cookie(),
                "Sec-Fetch-Site": "same-origin",
            },
            timeout=60,
            trust_env=False,
        )

    def page_cookie(self) -> str:
        """The page's cookie."""
        return f"{self.access.page_cookie_name}={self.access.page_cookie}"

    def token(self, role: str) -> str:
        """A new token."""
        with database.connect(self.database_url) as connection:
            number = connection.execute("SELECT count(*) FROM tagdb_store.tokens").fetchone()
            assert number is not None
            return tokens.add(connection, f"{role} {number[0]}", role).token

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """What SQL says, on a connection of its own, as the owner."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return connection.execute(query.encode(), values or None).fetchall()


@contextmanager
def serving(url: str, home: Path, options: Options | None = None) -> Iterator[Served]:
    """A service of a database, for the block."""
    options = options or Options(port=0)
    with listen(options) as listening:
        options = replace(options, port=listening.getsockname()[1])
        service = Service(Settings(home, url), options, lambda note: None)
        server = Server(service)
        ready = threading.Event()
        server.noted = ready.set
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            assert ready.wait(60), "the service did not start"
            yield Served(f"http://127.0.0.1:{options.port}", url, service, server.access, home)
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive(), "the service did not end"


Serve = Callable[..., Served]
