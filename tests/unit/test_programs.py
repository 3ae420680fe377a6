"""Running PostgreSQL's programs."""

import os
import subprocess

import pytest

from tagdb.errors import BackupError
from tagdb.postgres.programs import running, send


@pytest.mark.parametrize("pieces", [1, 5, 9, 100])
def test_a_program_that_ends_early_is_what_is_said(pieces: int) -> None:
    """Whatever was not sent by then: a piece fits into a buffer, which is flushed once more at the end."""
    command = ["sh", "-c", "echo 'psql: error: it had enough' >&2; exit 3"]

    def run() -> None:
        with running(command, os.environ, subprocess.PIPE) as process:
            process.wait()
            for _ in range(pieces):
                send(process, b"x" * 1000)

    with pytest.raises(BackupError, match="it had enough"):
        run()
