"""Poolers that lend a session for one transaction at a time: PgBouncer, and one that forgets everything."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from tagdb.postgres import pooled
from tagdb.postgres.server import Server
from tests.support.postgres import free_ports

INI = """
[databases]
tagdb = host=127.0.0.1 port={server} dbname=tagdb user=pooled password=secret
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
ignore_startup_parameters = extra_float_digits
"""


@contextmanager
def pgbouncer(server: Server, folder: Path) -> Iterator[str]:
    """The URL of a PgBouncer in front of a server, which is restarted with a port."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("PgBouncer is not installed")
    behind, port = free_ports(2)
    server.start(port=behind)
    with psycopg.connect(server.url(), autocommit=True) as owner:
        owner.execute("CREATE ROLE pooled SUPERUSER LOGIN PASSWORD 'secret'")
    settings = folder / "pgbouncer.ini"
    settings.write_text(INI.format(server=behind, port=port))
    settings.chmod(0o644)
    command = [program, str(settings)]
    if os.geteuid() == 0:
        shutil.copy(settings, public := server.home / "pgbouncer.ini")
        public.chmod(0o644)
        command = [program, "-u", "tagdb", str(public)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            limit = time.monotonic() + 10
            while True:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert process.poll() is None
                assert time.monotonic() < limit
                time.sleep(0.05)
            yield f"postgresql://pooled@127.0.0.1:{port}/tagdb"
        finally:
            process.terminate()


def forget_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every connection be one whose session forgets all between two transactions."""
    transaction = pooled.Connection.transaction

    @contextmanager
    def forgetting(self: pooled.Connection, *arguments: Any, **named: Any) -> Iterator[psycopg.Transaction]:
        outermost = self.info.transaction_status == TransactionStatus.IDLE
        with transaction(self, *arguments, **named) as block:
            yield block
        if outermost and self.pooled and not self.closed:
            psycopg.Cursor(self).execute("DISCARD ALL")

    monkeypatch.setattr(pooled.Connection, "transaction", forgetting)
    monkeypatch.setattr(pooled.Connection, "answered_by_pooler", lambda self: True)
