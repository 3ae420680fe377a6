"""Storage: damage, free space, and what makes the server stop."""

import os
from collections.abc import Iterator
from pathlib import Path

from tagdb.doctor.findings import Examination, Finding, count_noun, format_bytes
from tagdb.store import doctor as queries

FULL = 512 << 20
"""Bytes that must be free for the server to continue: the log of a busy period."""
HELD = 1 << 30
"""Bytes of log that may be kept for an unused replication slot."""
OLD = 1_000_000_000
"""Age of transaction numbers that autovacuum should have handled long before, at 200 million."""
ENDS = 1_900_000_000
"""Age shortly before the server refuses to write, at about 2.1 billion."""


def checksums(examination: Examination) -> Iterator[Finding]:
    """No damaged page was found, and damage would be noticed."""
    setting = examination.setting("data_checksums")
    (row,) = queries.rows(examination.connection, "storage")
    if row.checksum_failures:
        number = row.checksum_failures
        yield Finding(
            check="damaged pages",
            severity="wrong",
            sentence=f"reads of this database found {count_noun(number, 'damaged page', 'damaged pages')}, "
            f"last on {row.checksum_last_failure:%Y-%m-%d %H:%M}: check the disk, and restore a backup on "
            f"another one",
            remedy="tagdb restore FILE",
            figures={"checksum_failures": number},
        )
    elif setting and setting.value == "off":
        where = row.data_directory or "DIRECTORY"
        yield Finding(
            check="data_checksums",
            severity="advice",
            sentence="data checksums are off, so disk damage goes unnoticed; stop the server and enable them",
            remedy=f"pg_checksums --enable --pgdata={where}",
            value="off",
            recommended="on",
        )
    else:
        yield Finding(check="data_checksums", severity="ok", sentence="no damaged pages")


def room(examination: Examination) -> Iterator[Finding]:
    """The disk with the data has room for the log, a vector index and a backup."""
    (row,) = queries.rows(examination.connection, "storage")
    if not examination.here or row.data_directory is None:
        why = (
            "whose location your login may not know" if examination.here else "which runs on another machine"
        )
        yield Finding(check="disk", severity="skipped", sentence=f"the disk of the server, {why}")
        return
    try:
        # the log may be on another disk, behind a link
        folders = {Path(row.data_directory, name).resolve() for name in ("", "pg_wal")}
        least, folder = min((free(folder), folder) for folder in folders)
    except OSError as error:
        yield Finding(
            check="disk", severity="skipped", sentence=f"the disk that holds the data: {error.strerror}"
        )
        return
    size = row.bytes or 0
    figures: dict[str, float] = {"free_bytes": least, "database_bytes": size}
    text = f"{format_bytes(least)} are free on the disk that holds the data ({folder})"
    if least < FULL:
        yield Finding(
            check="disk",
            severity="wrong",
            sentence=f"the disk is nearly full: {text}; free some space, or nothing more can be stored",
            figures=figures,
        )
    elif least < size:
        yield Finding(
            check="disk",
            severity="advice",
            sentence=f"{text}, and the database takes {format_bytes(size)}: there may be no room to rebuild "
            "the vector index or for a backup on that disk",
            figures=figures,
        )
    else:
        yield Finding(check="disk", severity="ok", sentence=f"{format_bytes(least)} free", figures=figures)


def log(examination: Examination) -> Iterator[Finding]:
    """No log is kept for an unused replication slot."""
    for row in queries.rows(examination.connection, "slots"):
        if row.bytes > HELD:
            yield Finding(
                check=f"replication slot {row.name}",
                severity="advice",
                sentence=f"the replication slot {row.name} is not in use, but the server keeps "
                f"{format_bytes(row.bytes)} of its log for it, and the log will grow",
                remedy=f"SELECT pg_drop_replication_slot('{row.name}')",
                figures={"bytes": row.bytes},
            )


def ages(examination: Examination) -> Iterator[Finding]:
    """Transaction numbers do not run out."""
    (row,) = queries.rows(examination.connection, "storage")
    age = max(row.age, row.multixact_age)
    if age < OLD:
        yield Finding(
            check="transaction numbers", severity="ok", sentence="transaction numbers", figures={"age": age}
        )
        return
    yield Finding(
        check="transaction numbers",
        severity="wrong" if age >= ENDS else "advice",
        sentence=f"the oldest rows are {age:,} transactions old, and at 2,100,000,000 the server stops "
        "writing: something blocks autovacuum",
        remedy="VACUUM (FREEZE)",
        figures={"age": age},
    )


def order(examination: Examination) -> Iterator[Finding]:
    """Text is sorted as it was when the indexes were built."""
    (row,) = queries.rows(examination.connection, "storage")
    built, now = row.ordered_by, row.orders_by
    if built is not None and now is not None and built != now:
        name = examination.connection.info.dbname.replace('"', '""')
        yield Finding(
            check="order of text",
            severity="wrong",
            sentence=f"text indexes were built with another collation of the operating system ({built}, now "
            f"{now}): stored rows may not be found, and may be stored twice",
            remedy=f'REINDEX DATABASE "{name}"; ALTER DATABASE "{name}" REFRESH COLLATION VERSION',
            value=built,
            recommended=now,
        )


def folder_of_data(examination: Examination) -> Path | None:
    """Return the server's data directory if it is on this machine and visible to this login."""
    (row,) = queries.rows(examination.connection, "storage")
    return Path(row.data_directory) if examination.here and row.data_directory is not None else None


def free(folder: Path) -> int:
    """Return the free space of the disk that contains a folder, in bytes."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize
