"""Memory, cores and shared memory that a process may use on this machine.

Control groups often allow a container or service less than the machine has. They are nested, and the lowest
limit on the way to the root applies.
"""

import math
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
GROUPS = Path("/sys/fs/cgroup")
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108


@dataclass(frozen=True, slots=True)
class Machine:
    """Resources that PostgreSQL can use."""

    memory: int
    """Bytes."""
    cores: int
    shared_memory: int | None = None
    """Size in bytes of /dev/shm, which parallel workers share; None if unlimited."""


def this_machine(pid: int | None = None, proc: Path = PROC, groups: Path = GROUPS) -> Machine:
    """Return what a process of this machine may use.

    Parameters
    ----------
    pid
        Id of the process; None for this one.
    proc
        Folder in which Linux describes processes.
    groups
        Folder of the control groups, version 2 or 1.
    """
    memory, cores = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), os.cpu_count() or 1
    with suppress(AttributeError, OSError):  # macOS does not bind processes to cores
        cores = len(os.sched_getaffinity(pid or 0))
    shared = None
    with suppress(OSError):
        shared = shutil.disk_usage(SHARED_MEMORY).total
    for folder in _groups(proc / (str(pid) if pid else "self") / "cgroup", groups):
        for name in ("memory.max", "memory.limit_in_bytes"):
            memory = min([memory, *_numbers(folder / name)[:1]])
        quota, period = [*_numbers(folder / "cpu.max"), 0, 0][:2]
        if not quota:
            quota = next(iter(_numbers(folder / "cpu.cfs_quota_us")), 0)
            period = next(iter(_numbers(folder / "cpu.cfs_period_us")), 0)
        if quota > 0 and period > 0:
            cores = min(cores, max(1, math.ceil(quota / period)))
    return Machine(memory, cores, shared)


def runs_postgres(pid: int, proc: Path = PROC) -> bool:
    """Whether a process of this machine is PostgreSQL, as far as this is visible (on Linux)."""
    with suppress(OSError):
        return (proc / str(pid) / "cmdline").read_bytes().startswith(b"postgres")
    return False


def _groups(listed: Path, groups: Path) -> Iterator[Path]:
    """Yield the folders of a process's control groups and of all their parents."""
    with suppress(OSError):
        for line in listed.read_text().splitlines():  # such as "0::/a/b" or "4:memory:/a/b"
            _, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            if controllers and not {"memory", "cpu"} & set(controllers.split(",")):
                continue
            roots = [groups / name for name in ("memory", "cpu") if name in controllers.split(",")]
            inside = Path(path.lstrip("/"))
            for root in roots or [groups]:
                # in a container, the path may be that of the host, of which only the root is visible
                yield from (root / each for each in (inside, *inside.parents))


def _numbers(file: Path) -> list[int]:
    """Return the numbers in a file; none if it does not exist or contains "max"."""
    with suppress(OSError, ValueError):
        return [int(word) for word in file.read_text().split()]
    return []
