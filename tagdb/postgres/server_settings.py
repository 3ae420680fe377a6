"""Which settings PostgreSQL should have for what tagdb does, on a machine of some size.

That is: building HNSW indexes of some hundred bytes for each image, storing rows of 2.6 KB by COPY, and for
each recommendation walking that index, fetching a hundred or two of those rows by primary key, and reading up
to all factors of hashtags, in a few milliseconds and by as many sessions as there are callers.

What makes storing safe is not for sale: ``fsync``, ``full_page_writes`` and ``synchronous_commit`` stay on,
and so do data checksums. What PostgreSQL chooses well by itself is not set; see docs/performance.md.
"""

from tagdb.postgres.machine import Machine

MB = 1 << 20


def recommended(machine: Machine, lz4: bool = False) -> dict[str, str]:
    """The settings that differ from PostgreSQL's own, as one writes them into its configuration.

    Parameters
    ----------
    machine
        What PostgreSQL has to itself.
    lz4
        Whether this PostgreSQL has been built with LZ4.
    """
    return {
        # A quarter, as the manual advises: the rest serves as the operating system's cache, for sessions
        # and for index builds. Beyond 8 GB it would take from the other programs of somebody's machine.
        "shared_buffers": _mb(shared_buffers(machine)),
        # How much of what is read again and again is likely in memory: the planner dares to use indexes.
        "effective_cache_size": _mb(max(128 * MB, machine.memory * 3 // 4)),
        # One session builds the vector index at a time. What does not fit is inserted on disk, row by row.
        "maintenance_work_mem": _mb(maintenance_memory(machine)),
        # Statistics sort and hash the pairs of hashtags; a hundred sessions at once must still fit.
        "work_mem": _mb(max(4 * MB, min(machine.memory // 128, 32 * MB))),
        # Compiling a plan takes longer than any recommendation, and it would be done for each.
        "jit": "off",
        # Reading a page at random from an SSD, or from memory, costs hardly more than the next one.
        "random_page_cost": "1.1",
        # A large ingest writes gigabytes, and each checkpoint makes it write whole pages again afterwards.
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        # Most of a page is numbers and JPEG, which do not get smaller: PostgreSQL's own method would only
        # cost 2 ms for each image that is added to the vector index after a checkpoint. LZ4 gives up soon.
        "wal_compression": "lz4" if lz4 else "off",
        # All cores build an index, and they share its memory.
        "max_worker_processes": str(machine.cores + 8),
        "max_parallel_workers": str(machine.cores),
        "max_parallel_maintenance_workers": str(machine.cores),
        # Usually in /dev/shm; where that is small, as the 64 MB in containers, it is set aside at the start.
        # Pages that nobody uses take no memory.
        "min_dynamic_shared_memory": _mb(set_aside(machine)),
    }


def shared_buffers(machine: Machine) -> int:
    """Bytes of memory for PostgreSQL's own cache."""
    return max(128 * MB, min(machine.memory // 4, 8192 * MB))


def maintenance_memory(machine: Machine) -> int:
    """Bytes of memory for building an index: an eighth, from 64 MB to 2 GB."""
    return max(64 * MB, min(machine.memory // 8, 2048 * MB))


def set_aside(machine: Machine) -> int:
    """Bytes of shared memory that building an index needs and /dev/shm does not have."""
    need = maintenance_memory(machine) + 8 * MB
    return 0 if machine.shared_memory is None or machine.shared_memory > 2 * need else need


def _mb(size: int) -> str:
    return f"{size // MB}MB"
