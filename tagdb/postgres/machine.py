"""What a process may use of this machine: memory, cores, and memory to share with other processes.

A container or a service is often allowed less than the machine has, by a control group. Those lie in one
another, and the least limit on the way to the root is the one that holds.
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
    """What PostgreSQL has to itself."""

    memory: int
    """In bytes."""
    cores: int
    shared_memory: int | None = None
    """Size of /dev/shm in bytes, where parallel workers share what they build; None if nothing bounds it."""


def this_machine(pid: int | None = None, proc: Path = PROC, groups: Path = GROUPS) -> Machine:
    """What this process may use, or another one of this machine's.

    Parameters
    ----------
    pid
        Number of the process; None for this one.
    proc
        Where Linux tells about processes.
    groups
        Where it tells about control groups, of version 2 or 1.
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
    """Whether that process of this machine is a PostgreSQL, as far as it can be seen (on Linux)."""
    with suppress(OSError):
        return (proc / str(pid) / "cmdline").read_bytes().startswith(b"postgres")
    return False


def _groups(listed: Path, groups: Path) -> Iterator[Path]:
    """The folders of a process's control groups, and of all that those lie in."""
    with suppress(OSError):
        for line in listed.read_text().splitlines():  # such as "0::/a/b" or "4:memory:/a/b"
            _, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            if controllers and not {"memory", "cpu"} & set(controllers.split(",")):
                continue
            roots = [groups / name for name in ("memory", "cpu") if name in controllers.split(",")]
            inside = Path(path.lstrip("/"))
            for root in roots or [groups]:
                # in a container the path may be the host's, of which only the root can be seen
                yield from (root / each for each in (inside, *inside.parents))


def _numbers(file: Path) -> list[int]:
    """The numbers in a file; none where it does not exist or says "max"."""
    with suppress(OSError, ValueError):
        return [int(word) for word in file.read_text().split()]
    return []
