"""Where the data lies: damage, room, and what makes the server stop."""

import os
from collections.abc import Iterator
from pathlib import Path

from tagdb.doctor.findings import Examination, Finding, counted, shown
from tagdb.store import examining

FULL = 512 << 20
"""Bytes that must be free for the server to go on: logs of a busy while."""
HELD = 1 << 30
"""Bytes of log that may be kept for somebody who does not fetch them."""
OLD = 1_000_000_000
"""Age of a transaction number that autovacuum, at 200 million, should have dealt with long ago."""
ENDS = 1_900_000_000
"""Age from which on the server will soon refuse to write, at two thousand million."""


def checksums(one: Examination) -> Iterator[Finding]:
    """Damaged pages would be noticed, and none was."""
    setting = one.setting("data_checksums")
    (row,) = examining.found(one.connection, "doctor/storage")
    if row["checksum_failures"]:
        number = row["checksum_failures"]
        yield Finding(
            check="damaged pages",
            severity="wrong",
            sentence=f"reads of this database found {counted(number, 'damaged page', 'damaged pages')}, last "
            f"on {row['checksum_last_failure']:%Y-%m-%d %H:%M}: check the disk, and restore a backup on "
            f"another one",
            remedy="tagdb restore FILE",
            figures={"checksum_failures": number},
        )
    elif setting and setting.value == "off":
        where = row["data_directory"] or "DIRECTORY"
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


def room(one: Examination) -> Iterator[Finding]:
    """The disk that the data lies on has room for the log, a vector index and a backup."""
    (row,) = examining.found(one.connection, "doctor/storage")
    if not one.here or row["data_directory"] is None:
        why = "whose location your login may not know" if one.here else "which runs on another machine"
        yield Finding(check="disk", severity="skipped", sentence=f"the disk of the server, {why}")
        return
    try:
        # the log may lie elsewhere, behind a link
        folders = {Path(row["data_directory"], name).resolve() for name in ("", "pg_wal")}
        least, folder = min((free(folder), folder) for folder in folders)
    except OSError as error:
        yield Finding(
            check="disk", severity="skipped", sentence=f"the disk that holds the data: {error.strerror}"
        )
        return
    size = row["bytes"] or 0
    figures: dict[str, float] = {"free_bytes": least, "database_bytes": size}
    said = f"{shown(least)} are free on the disk that holds the data ({folder})"
    if least < FULL:
        yield Finding(
            check="disk",
            severity="wrong",
            sentence=f"the disk is nearly full: {said}; free some space, or nothing more can be stored",
            figures=figures,
        )
    elif least < size:
        yield Finding(
            check="disk",
            severity="advice",
            sentence=f"{said}, and the database takes {shown(size)}: there may be no room to rebuild the "
            "vector index or for a backup on that disk",
            figures=figures,
        )
    else:
        yield Finding(check="disk", severity="ok", sentence=f"{shown(least)} free", figures=figures)


def log(one: Examination) -> Iterator[Finding]:
    """The log is not kept for somebody who never fetches it."""
    for row in examining.found(one.connection, "doctor/slots"):
        if row["bytes"] > HELD:
            yield Finding(
                check=f"replication slot {row['name']}",
                severity="advice",
                sentence=f"the replication slot {row['name']} is not in use, but the server keeps "
                f"{shown(row['bytes'])} of its log for it, and the log will grow",
                remedy=f"SELECT pg_drop_replication_slot('{row['name']}')",
                figures={"bytes": row["bytes"]},
            )


def ages(one: Examination) -> Iterator[Finding]:
    """Transaction numbers do not run out."""
    (row,) = examining.found(one.connection, "doctor/storage")
    age = max(row["age"], row["multixact_age"])
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


def order(one: Examination) -> Iterator[Finding]:
    """Text is ordered as it was when the indexes were built."""
    (row,) = examining.found(one.connection, "doctor/storage")
    built, now = row["ordered_by"], row["orders_by"]
    if built is not None and now is not None and built != now:
        name = one.connection.info.dbname.replace('"', '""')
        yield Finding(
            check="order of text",
            severity="wrong",
            sentence=f"text indexes were built with another collation of the operating system ({built}, now "
            f"{now}): stored rows may not be found, and may be stored twice",
            remedy=f'REINDEX DATABASE "{name}"; ALTER DATABASE "{name}" REFRESH COLLATION VERSION',
            value=built,
            recommended=now,
        )


def folder_of_data(one: Examination) -> Path | None:
    """The server's data directory, if it is on this machine and this login may know it."""
    (row,) = examining.found(one.connection, "doctor/storage")
    return Path(row["data_directory"]) if one.here and row["data_directory"] is not None else None


def free(folder: Path) -> int:
    """Bytes that may still be written to the disk that a folder lies on."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
