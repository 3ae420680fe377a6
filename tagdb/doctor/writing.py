"""Settings that count when much is written."""

from collections.abc import Iterator

from tagdb.doctor.findings import Examination, Finding, shown
from tagdb.store import health

WAL = 4 << 30
"""Bytes of log that a large ingest and an index build write without forcing checkpoints."""
FORCED = 3
"""A few forced checkpoints are no reason to change anything."""


def checkpoints(one: Examination) -> Iterator[Finding]:
    """Checkpoints are made in their time, not because the log is full."""
    setting = one.setting("max_wal_size")
    if setting is None or setting.bytes is None:
        return
    seen = health.checkpoints(one.connection)
    # the log forces one when about half of that has been written; others are backups and new databases
    forced = min(seen.requested, 2 * seen.logged_bytes // setting.bytes)
    if setting.bytes >= WAL or forced < max(FORCED, seen.timed):
        yield Finding(check=setting.name, severity="ok", sentence=setting.name, value=setting.value)
        return
    since = f" since {seen.counted_since:%Y-%m-%d}" if seen.counted_since else ""
    yield Finding(
        check=setting.name,
        severity="advice",
        sentence=f"max_wal_size is {shown(setting.bytes)}, and {shown(seen.logged_bytes)} were logged: "
        f"{seen.requested:,} of {seen.timed + seen.requested:,} checkpoints{since} came early, up to "
        f"{forced:,} of them because of this; after each, whole pages are logged again",
        remedy=one.change(setting, "4GB"),
        value=setting.value,
        recommended="4GB",
        figures={
            "timed": seen.timed,
            "requested": seen.requested,
            "logged_bytes": seen.logged_bytes,
            "forced_at_most": forced,
        },
    )


def autovacuum(one: Examination) -> Iterator[Finding]:
    """Somebody keeps the planner's statistics up to date."""
    for name in ("autovacuum", "track_counts"):
        setting = one.setting(name)
        if setting and setting.value == "off":
            yield Finding(
                check=name,
                severity="advice",
                sentence=f"{name} is off: dead rows are not cleaned up, and plans follow old statistics",
                remedy=one.change(setting, "on"),
                value="off",
                recommended="on",
            )
