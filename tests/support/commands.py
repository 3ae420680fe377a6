"""Running tagdb's commands: what they get, and what they print."""

import csv
import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from tagdb.cli import cli
from tests.support.pictures import photo

Run = Callable[..., Result]
Process = Callable[..., "subprocess.CompletedProcess[str]"]

TAGS = ("#Beach #sun", "#beach #SEA", "#city #night", "#City #street", "#beach #sun #sea", "#night #street")
"""Hashtags of drawn photos, in turn; folded: beach, sun, sea, city, night, street."""


def invoke(*arguments: object, stdin: str | bytes | None = None, **environment: str) -> Result:
    """Run a command in this process, with these variables besides."""
    words = list(map(str, arguments))
    return CliRunner().invoke(cli, words, input=stdin, prog_name="tagdb", env=environment)


def draw(folder: Path, numbers: Sequence[int]) -> None:
    """Draw photos ``00.jpg``, ``01.jpg`` …, each another picture."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        (folder / f"{number:02}.jpg").write_bytes(photo(number))


def write_csv(path: Path, header: list[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])


def parsed(result: Result) -> Any:
    """What a command printed on standard output, which is JSON and nothing else."""
    return json.loads(result.stdout)


def complaint(result: Result, code: int = 1) -> str:
    """The one line on standard error of a command that failed."""
    assert result.exit_code == code, result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.output
    return lines[0]
