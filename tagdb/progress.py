"""Progress of long work: a bar on a terminal, plain lines elsewhere, nothing when quiet."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

LINE_EVERY = 5.0
"""Seconds between lines."""


class Report(Protocol):
    """Reports the number of units done."""

    def __call__(self, done: int) -> None:
        """Report the number of units done."""


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _speed(rate: float, unit: str) -> str:
    return f"{rate:.0f} {unit}/s" if rate >= 10 else f"{rate:.2g} {unit}/s"


@contextmanager
def track(what: str, total: int | None, unit: str, quiet: bool = False) -> Iterator[Report]:
    """Show progress on standard error, with rate and time left.

    Parameters
    ----------
    what
        The work, e.g. ``ingesting``.
    total
        Number of units, or None if unknown.
    unit
        Name of the units in the plural, e.g. ``photos``.
    quiet
        Show nothing.
    """
    if quiet:
        yield lambda done: None
    elif sys.stderr.isatty():
        yield from _bar(what, total, unit)
    else:
        yield from _lines(what, total, unit)


def _lines(what: str, total: int | None, unit: str) -> Iterator[Report]:
    started = last = time.monotonic()

    def report(done: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < LINE_EVERY or not done:
            return
        last = now
        rate = done / (now - started)
        text = f"{what}: {done} of {total} {unit}" if total else f"{what}: {done} {unit}"
        text += f", {_speed(rate, unit)}"
        if total and total > done:
            text += f", {_duration((total - done) / rate)} left"
        print(text, file=sys.stderr, flush=True)

    yield report


def _bar(what: str, total: int | None, unit: str) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    started = time.monotonic()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total, rate="")

        def report(done: int) -> None:
            rate = done / max(time.monotonic() - started, 1e-9)
            bar.update(task, completed=done, rate=_speed(rate, unit))

        yield report
