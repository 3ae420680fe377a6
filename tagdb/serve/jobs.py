"""Long work in a process of its own, so that it takes no time from those who wait for an answer."""

import asyncio
import json
import os
import sys
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from tagdb.config import Settings
from tagdb.hashtags import printable
from tagdb.serve.problems import Problem

COMMANDS = {"factors": ("factors", "compute", "--json"), "evaluate": ("evaluate", "--json")}
"""What each kind of job runs."""
REMEMBERED = 20
"""Jobs whose results are kept."""


@dataclass(slots=True)
class Job:
    """Something that takes long."""

    job_id: int
    kind: str
    state: str = "running"
    """``running``, ``done`` or ``failed``."""
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    finished_at: datetime | None = None
    output: str | None = None
    """The last that it has said: its progress, or why it failed."""
    result: Any = None

    def shown(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


class Jobs:
    """The jobs of a service, of which one runs at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._jobs: deque[Job] = deque(maxlen=REMEMBERED)
        self._numbers = count(1)
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    def all(self) -> list[Job]:
        """Return all, the newest first."""
        return list(reversed(self._jobs))

    async def start(self, kind: str) -> Job:
        """Start one.

        Raises
        ------
        Problem
            409: another one runs.
        """
        if self._task is not None and not self._task.done():
            raise Problem(409, f"job {self._jobs[-1].job_id} is still running; wait for it")
        job = Job(next(self._numbers), kind)
        self._jobs.append(job)
        self._task = asyncio.create_task(self._run(job))
        return job

    async def _run(self, job: Job) -> None:
        settings = self._settings
        environment = os.environ | {"TAGDB_HOME": str(settings.home)}
        if settings.database_url is not None:
            environment["TAGDB_DATABASE_URL"] = (
                settings.database_url
            )  # not on the command line: it has a password
        try:
            process = self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "tagdb", *COMMANDS[job.kind], env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert process.stdout is not None
            assert process.stderr is not None
            result, _ = await asyncio.gather(process.stdout.read(), self._listen(job, process.stderr))
            code = await process.wait()
            if code in (0, 3):
                with suppress(ValueError):
                    job.result = json.loads(result)
            job.state = "done" if code in (0, 3) else "failed"
        except OSError as error:
            job.state, job.output = "failed", f"it cannot be started: {error.strerror}"
        finally:
            job.finished_at = datetime.now(UTC)
            if job.state == "running":
                job.state = "failed"

    @staticmethod
    async def _listen(job: Job, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            if text := line.decode(errors="replace").strip():
                job.output = printable(text.removeprefix("Error: "), 1000)

    async def close(self) -> None:
        """End what runs; nothing is half-written."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
        if self._task is not None:
            await self._task
