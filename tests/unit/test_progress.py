"""Progress of long work, by a clock that the tests turn."""

import io
import sys
from types import SimpleNamespace

import pytest

from tagdb import progress
from tagdb.progress import LINE_EVERY, track


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=made.monotonic))
    return made


class Terminal(io.StringIO):
    """A standard error that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def test_lines_tell_rate_and_time_left(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with track("ingesting", 1000, "photos") as report:
        clock.now += 10
        report(200)
        clock.now += 10
        report(400)
    assert capsys.readouterr() == (
        "",
        "ingesting: 200 of 1000 photos, 20 photos/s, 40 s left\n"
        "ingesting: 400 of 1000 photos, 20 photos/s, 30 s left\n",
    )


def test_long_times_are_in_minutes(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with track("ingesting", 10_000, "photos") as report:
        clock.now += 100
        report(1000)
    assert capsys.readouterr().err == "ingesting: 1000 of 10000 photos, 10 photos/s, 15 min 0 s left\n"


def test_slow_work_has_a_rate_too(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with track("computing factors", 15, "iterations") as report:
        clock.now += 20
        report(5)
    said = "computing factors: 5 of 15 iterations, 0.25 iterations/s, 40 s left\n"
    assert capsys.readouterr().err == said


def test_a_line_at_most_every_few_seconds(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with track("ingesting", 1000, "photos") as report:
        for done in range(1, 101):
            clock.now += 0.5
            report(done)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 50 / LINE_EVERY
    assert lines[0].startswith("ingesting: 10 of 1000 photos, 2 photos/s")


def test_work_that_is_soon_done_says_nothing(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with track("ingesting", 10, "photos") as report:
        clock.now += LINE_EVERY / 2
        report(10)
    assert capsys.readouterr() == ("", "")


def test_an_unknown_total(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with track("ingesting", None, "photos") as report:
        clock.now += 10
        report(500)
    assert capsys.readouterr().err == "ingesting: 500 photos, 50 photos/s\n"


def test_nothing_is_left_at_the_end_or_beyond(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with track("ingesting", 100, "photos") as report:
        for done in (100, 120):
            clock.now += 10
            report(done)
    assert "left" not in capsys.readouterr().err


def test_nothing_done_yet(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with track("ingesting", 100, "photos") as report:
        clock.now += 10
        report(0)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("terminal", [False, True])
def test_quiet_prints_nothing(clock: Clock, monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with track("ingesting", 100, "photos", quiet=True) as report:
        clock.now += 100
        report(50)
    assert stream.getvalue() == ""


@pytest.mark.parametrize("total", [100, None])
def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch, total: int | None) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with track("ingesting", total, "photos") as report:
        report(50)
    shown = stream.getvalue()
    assert "ingesting" in shown
    assert "50/" in shown
    assert "photos/s" in shown


@pytest.mark.parametrize("terminal", [False, True])
def test_errors_of_the_work_come_through(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal() if terminal else io.StringIO())
    with pytest.raises(KeyError), track("ingesting", 1, "photos"):
        raise KeyError
