"""PostgreSQL settings for tagdb's workload on a machine of a given size.

The workload: building HNSW indexes of a few hundred bytes per image, and storing rows of 2.6 KB by COPY. A
recommendation searches the index, fetches a hundred or two of those rows by primary key, and reads up to all
hashtag factors, in a few milliseconds and in as many sessions as there are callers.

Safety is not traded for speed: ``fsync``, ``full_page_writes``, ``synchronous_commit`` and data checksums
stay on. Settings that PostgreSQL chooses well by itself are not set; see docs/performance.md.
"""

from tagdb.postgres.machine import Machine

MB = 1 << 20


def recommended(machine: Machine, lz4: bool = False) -> dict[str, str]:
    """Return the settings that differ from PostgreSQL's defaults, in the form of its configuration.

    Parameters
    ----------
    machine
        What PostgreSQL can use.
    lz4
        Whether this PostgreSQL was built with LZ4.
    """
    return {
        # A quarter, as the manual advises: the rest is left to the operating system's cache, to sessions and
        # to index builds. More than 8 GB would take too much from other programs on the machine.
        "shared_buffers": _mb(shared_buffers(machine)),
        # How much data is likely to be cached: encourages the planner to use indexes.
        "effective_cache_size": _mb(max(128 * MB, machine.memory * 3 // 4)),
        # One session at a time builds the vector index. What does not fit is inserted on disk, row by row.
        "maintenance_work_mem": _mb(maintenance_memory(machine)),
        # Statistics sort and hash pairs of hashtags; a hundred concurrent sessions must still fit.
        "work_mem": _mb(max(4 * MB, min(machine.memory // 128, 32 * MB))),
        # Compiling a plan takes longer than a recommendation, and would be done for every one.
        "jit": "off",
        # Reading a random page from an SSD or from memory costs hardly more than reading the next one.
        "random_page_cost": "1.1",
        # A large ingest writes gigabytes, and after each checkpoint whole pages are logged again.
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        # Pages are mostly numbers and JPEGs, which do not compress: PostgreSQL's own method would only cost 2
        # ms per image added to the vector index after a checkpoint. LZ4 gives up early.
        "wal_compression": "lz4" if lz4 else "off",
        # What a standby has not received yet is kept for it, but one that is gone must not fill the disk.
        "max_slot_wal_keep_size": "16GB",
        # All cores build an index and share its memory.
        "max_worker_processes": str(machine.cores + 8),
        "max_parallel_workers": str(machine.cores),
        "max_parallel_maintenance_workers": str(machine.cores),
        # Usually in /dev/shm; if that is small, such as 64 MB in containers, it is reserved at the start.
        # Unused pages take no memory.
        "min_dynamic_shared_memory": _mb(set_aside(machine)),
    }


def shared_buffers(machine: Machine) -> int:
    """Return the size of PostgreSQL's cache in bytes."""
    return max(128 * MB, min(machine.memory // 4, 8192 * MB))


def maintenance_memory(machine: Machine) -> int:
    """Return the memory for building an index in bytes: an eighth of all, from 64 MB to 2 GB."""
    return max(64 * MB, min(machine.memory // 8, 2048 * MB))


def set_aside(machine: Machine) -> int:
    """Return the shared memory to reserve in bytes, if building an index needs more than /dev/shm has."""
    need = maintenance_memory(machine) + 8 * MB
    return 0 if machine.shared_memory is None or machine.shared_memory > 2 * need else need


def _mb(size: int) -> str:
    return f"{size // MB}MB"
