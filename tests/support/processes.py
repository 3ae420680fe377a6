"""Looking at a process and those that it has started, from outside; on Linux, where /proc tells."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody asked about does not."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children(pid: int) -> list[int]:
    """The processes that a process has started, and theirs."""
    found: list[int] = []
    for task in (PROC / str(pid) / "task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += [child, *children(child)]
    return found


def resident(pid: int) -> int:
    """Bytes of memory that a process has; what it shares with others is counted with each."""
    try:
        return int((PROC / str(pid) / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something; fail when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.01)


@dataclass
class Peak:
    """The most memory that was seen, in bytes."""

    program: int = 0
    everything: int = 0
    """The program and all that it has started."""

    def __str__(self) -> str:
        return f"{self.program / 1e6:.0f} MB, with workers {self.everything / 1e6:.0f} MB"


@contextmanager
def peak(pid: int) -> Iterator[Peak]:
    """What a process and those that it starts need at most while the block runs, looked at every 10 ms."""
    found, ended = Peak(), threading.Event()

    def look() -> None:
        while not ended.wait(0.01):
            program = resident(pid)
            found.program = max(found.program, program)
            found.everything = max(found.everything, program + sum(map(resident, children(pid))))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()
