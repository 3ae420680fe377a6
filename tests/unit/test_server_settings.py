"""Settings for machines of all sizes, and what a process is allowed of its machine."""

import os
from pathlib import Path

import pytest

from tagdb import store
from tagdb.postgres import machine, server_settings
from tagdb.postgres.machine import Machine, this_machine

MB, GB = 1 << 20, 1 << 30
SMALL, LAPTOP, LARGE = Machine(512 * MB, 1), Machine(16 * GB, 8), Machine(1024 * GB, 96)


def megabytes(size: Machine, name: str) -> int:
    value = server_settings.recommended(size)[name]
    assert value.endswith("MB")
    return int(value[:-2])


@pytest.mark.parametrize("size", [SMALL, LAPTOP, LARGE], ids=str)
def test_what_is_set_fits_into_memory(size: Machine) -> None:
    have = size.memory // MB
    buffers, upkeep = megabytes(size, "shared_buffers"), megabytes(size, "maintenance_work_mem")
    assert 128 <= buffers <= max(128, have // 4)
    assert 64 <= upkeep <= max(64, have // 8)
    assert buffers + upkeep + 100 * megabytes(size, "work_mem") <= 2 * have
    assert buffers <= megabytes(size, "effective_cache_size") <= have


def test_more_machine_is_never_given_less() -> None:
    for name in ("shared_buffers", "effective_cache_size", "maintenance_work_mem", "work_mem"):
        assert megabytes(SMALL, name) <= megabytes(LAPTOP, name) <= megabytes(LARGE, name)
    workers = [int(server_settings.recommended(x)["max_parallel_workers"]) for x in (SMALL, LAPTOP, LARGE)]
    assert workers == [1, 8, 96]


def test_an_index_of_a_million_images_is_built_in_memory_on_a_laptop() -> None:
    assert 1_000_000 * store.index.MEMORY_PER_VECTOR <= server_settings.maintenance_memory(LAPTOP) <= GB * 2


def test_nothing_that_makes_storing_unsafe() -> None:
    names = set(server_settings.recommended(LAPTOP))
    assert not names & {"fsync", "full_page_writes", "synchronous_commit", "ignore_checksum_failure"}


def test_shared_memory_is_set_aside_only_where_there_is_little() -> None:
    for shared in (None, 8 * GB):
        assert megabytes(Machine(16 * GB, 8, shared), "min_dynamic_shared_memory") == 0
    container = Machine(16 * GB, 8, 64 * MB)
    aside = megabytes(container, "min_dynamic_shared_memory")
    assert (
        megabytes(container, "maintenance_work_mem")
        < aside
        < 2 * megabytes(container, "maintenance_work_mem")
    )


def test_compression_of_the_log_is_what_was_built_in() -> None:
    assert server_settings.recommended(LAPTOP)["wal_compression"] == "off"
    assert server_settings.recommended(LAPTOP, lz4=True)["wal_compression"] == "lz4"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def system(tmp_path: Path) -> tuple[Path, Path]:
    """Folders in the place of /proc and of /sys/fs/cgroup."""
    return tmp_path / "proc", tmp_path / "cgroup"


def test_a_machine_without_limits(system: tuple[Path, Path]) -> None:
    found = this_machine(None, *system)
    assert found.memory == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 1 <= found.cores <= (os.cpu_count() or 1)


def test_limits_of_a_container(system: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """In there, the path that the kernel tells is often the host's, and only the root is to be seen."""
    proc, groups = system
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    write(proc / "self" / "cgroup", "0::/docker/abc\n")
    write(groups / "memory.max", f"{64 * MB}\n")
    write(groups / "cpu.max", "150000 100000\n")
    found = this_machine(None, *system)
    assert (found.memory, found.cores) == (64 * MB, 2)


def test_the_least_limit_of_the_groups_that_lie_in_one_another(system: tuple[Path, Path]) -> None:
    proc, groups = system
    write(proc / str(os.getpid()) / "cgroup", "0::/a/b\n")
    write(groups / "memory.max", "max\n")
    write(groups / "a" / "memory.max", f"{32 * MB}\n")
    write(groups / "a" / "b" / "memory.max", f"{48 * MB}\n")
    write(groups / "a" / "b" / "cpu.max", "max 100000\n")
    write(groups / "other" / "memory.max", "1\n")
    whole = this_machine(None, *system)
    found = this_machine(os.getpid(), *system)
    assert (found.memory, found.cores) == (32 * MB, whole.cores)


def test_limits_of_control_groups_of_version_1(
    system: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    proc, groups = system
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    write(proc / "self" / "cgroup", "9:name=systemd:/\n4:memory:/jobs/7\n3:cpu,cpuacct:/jobs/7\n0::/\n")
    write(groups / "memory" / "memory.limit_in_bytes", "9223372036854771712\n")
    write(groups / "memory" / "jobs" / "memory.limit_in_bytes", f"{96 * MB}\n")
    write(groups / "memory" / "jobs" / "7" / "memory.limit_in_bytes", "9223372036854771712\n")
    write(groups / "cpu" / "jobs" / "7" / "cpu.cfs_quota_us", "50000\n")
    write(groups / "cpu" / "jobs" / "7" / "cpu.cfs_period_us", "100000\n")
    found = this_machine(None, *system)
    assert (found.memory, found.cores) == (96 * MB, 1)
    write(groups / "cpu" / "jobs" / "7" / "cpu.cfs_quota_us", "-1\n")
    assert this_machine(None, *system).cores == 8


def test_which_process_is_postgresql(system: tuple[Path, Path]) -> None:
    proc, _ = system
    write(proc / "1" / "cmdline", "postgres: tagdb tagdb [local] idle\0\0")
    write(proc / "2" / "cmdline", "/bin/sh\0-c\0postgres\0")
    assert machine.runs_postgres(1, proc)
    assert not machine.runs_postgres(2, proc)
    assert not machine.runs_postgres(3, proc)
