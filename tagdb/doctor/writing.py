"""Settings that matter for large writes."""

from collections.abc import Iterator

from tagdb.doctor.findings import Examination, Finding, format_bytes
from tagdb.store import doctor as queries

WAL = 4 << 30
"""max_wal_size, in bytes, at which a large ingest and an index build force no checkpoints."""
FORCED = 3
"""Number of forced checkpoints that is no reason to change anything."""


def checkpoints(examination: Examination) -> Iterator[Finding]:
    """Checkpoints happen on time, not because the log is full."""
    setting = examination.setting("max_wal_size")
    if setting is None or setting.bytes is None:
        return
    seen = queries.checkpoints(examination.connection)
    # the log forces a checkpoint when about half of that is written; others come from backups and new
    # databases
    forced = min(seen.requested, 2 * seen.logged_bytes // setting.bytes)
    if setting.bytes >= WAL or forced < max(FORCED, seen.timed):
        yield Finding(check=setting.name, severity="ok", sentence=setting.name, value=setting.value)
        return
    since = f" since {seen.counted_since:%Y-%m-%d}" if seen.counted_since else ""
    yield Finding(
        check=setting.name,
        severity="advice",
        sentence=f"max_wal_size is {format_bytes(setting.bytes)}, and {format_bytes(seen.logged_bytes)} were "
        f"logged: {seen.requested:,} of {seen.timed + seen.requested:,} checkpoints{since} came early, up to "
        f"{forced:,} of them because of this; after each, whole pages are logged again",
        remedy=examination.change(setting, "4GB"),
        value=setting.value,
        recommended="4GB",
        figures={
            "timed": seen.timed,
            "requested": seen.requested,
            "logged_bytes": seen.logged_bytes,
            "forced_at_most": forced,
        },
    )


def autovacuum(examination: Examination) -> Iterator[Finding]:
    """Autovacuum cleans up and keeps the planner's statistics current."""
    for name in ("autovacuum", "track_counts"):
        setting = examination.setting(name)
        if setting and setting.value == "off":
            yield Finding(
                check=name,
                severity="advice",
                sentence=f"{name} is off: dead rows are not cleaned up, and plans follow old statistics",
                remedy=examination.change(setting, "on"),
                value="off",
                recommended="on",
            )
