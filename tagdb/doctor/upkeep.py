"""Upkeep: outdated factors and statistics, tables to clean up, and left-overs of interrupted work."""

import shlex
from collections.abc import Iterator
from typing import Any

from psycopg import sql

from tagdb import store
from tagdb.doctor.findings import Examination, Finding, count_noun, format_bytes, list_names
from tagdb.learning.folding_in import STALE
from tagdb.store import doctor as queries

LAG = 0.1
"""Share of images missing from the statistics from which to refresh them."""
DEAD = 0.5
"""Dead rows per live row from which cleaning up is overdue."""
MANY = 10_000
"""Smaller numbers of rows are not worth cleaning up or analysing."""
IDLE = 900.0
"""Seconds after which an idle session that blocks others counts as forgotten."""
WAITING = 60.0
"""Seconds after which a photo that came by SQL has waited too long."""
BUILDING = "building"


def factors(examination: Examination) -> Iterator[Finding]:
    """There are factors, and they include most images and hashtags."""
    if not examination.complete:
        return
    run = store.runs.active(examination.connection)
    if run is None:
        ready = store.answers.readiness(examination.connection)
        if ready.images and ready.hashtags:
            yield Finding(
                check="factor run",
                severity="advice",
                sentence="there are images and hashtags, but no factors: nothing can be recommended",
                remedy="tagdb factors compute",
            )
        return
    number, settings = run.factor_run_id, run.settings
    parameters = {
        "factor_run_id": number,
        "min_hashtags": settings.min_hashtags,
        "min_images": settings.min_images,
    }
    (lag,) = queries.rows(examination.connection, "factors_lag", **parameters)
    late, images = lag.folded_in + lag.without, lag.images + lag.without
    parts = []
    if late > STALE * images:
        parts.append(
            f"{late:,} of {count_noun(images, 'image', 'images')} are newer ({lag.folded_in:,} folded "
            f"in, {lag.without:,} not used as neighbours)"
        )
    if lag.hashtags_without > STALE * lag.hashtags:
        parts.append(
            f"{lag.hashtags_without:,} of {count_noun(lag.hashtags, 'hashtag', 'hashtags')} are never "
            f"recommended"
        )
    figures = lag._asdict()
    if parts:
        yield Finding(
            check="factor run",
            severity="advice",
            sentence=f"the factors (run {number}) are out of date: {'; '.join(parts)}",
            remedy="tagdb factors compute",
            figures=figures,
        )
    else:
        yield Finding(check="factor run", severity="ok", sentence=f"factors (run {number})", figures=figures)


def statistics(examination: Examination) -> Iterator[Finding]:
    """The hashtag statistics include most images."""
    if not examination.complete:
        return
    lag = store.statistics.lag(examination.connection)
    images, changed = lag.images, lag.changed
    if changed and changed > LAG * images:
        yield Finding(
            check="statistics",
            severity="advice",
            sentence=f"the hashtag statistics are out of date: {changed:,} of {images:,} images are new, "
            "changed or removed",
            remedy="tagdb stats refresh",
            figures={"images": images, "changed": changed},
        )
    else:
        yield Finding(check="statistics", severity="ok", sentence="statistics")


def partitions(examination: Examination) -> Iterator[Finding]:
    """Each backbone, projection and factor run has its tables, and interrupted work left nothing behind."""
    if not examination.complete:
        return
    rows = queries.rows(examination.connection, "partitions")
    for row in rows:
        if row.state in ("active", "kept") and not row.attached:
            yield _lost(row)
    emptied = sorted(
        {row.number for row in rows if row.state in ("ready", "retired") and not row.there
         and row.parent in ("image_factors", "hashtag_factors")}
    )  # fmt: skip
    if emptied:
        yield Finding(
            check="emptied factor runs",
            severity="advice",
            sentence=f"going back to these runs would fail, because their tables are gone: run "
            f"{list_names([str(n) for n in emptied])}",
            remedy="; ".join(f"SELECT tagdb_store.prune_factor_run({number})" for number in emptied),
        )
    abandoned = [row for row in rows if row.state == BUILDING and not row.at_work]
    if abandoned:
        numbers = sorted({row.number for row in abandoned})
        yield Finding(
            check="abandoned factor runs",
            severity="advice",
            sentence=f"computing factors was interrupted and is not running: run "
            f"{list_names([str(n) for n in numbers])}",
            remedy="SELECT tagdb_store.discard_abandoned_factor_runs()",
        )
    retired = [
        row for row in rows
        if row.parent == "search_vectors" and row.state == "retired" and not row.at_work
    ]  # fmt: skip
    if retired:
        size = sum(row.bytes for row in retired)
        yield Finding(
            check="left-over search vectors",
            severity="advice",
            sentence=f"unused search vectors take up {format_bytes(size)}: another index has replaced them, "
            "or building theirs was interrupted",
            remedy="SELECT tagdb_store.drop_projections()",
            figures={"bytes": size},
        )
    over = [row for row in rows if row.there and row.state in ("gone", "failed", "pruned")]
    if over:
        names = [f"{row.parent}_{row.number}" for row in over]
        size = sum(row.bytes for row in over)
        yield Finding(
            check="left-over tables",
            severity="advice",
            sentence=f"left-over tables take up {format_bytes(size)}: {list_names(names)}",
            remedy="; ".join(f"DROP TABLE tagdb_store.{name}" for name in names),
            figures={"bytes": size},
        )


def _lost(row: Any) -> Finding:
    """Return the finding for a table in use that is missing or not attached."""
    parent, number, there = row.parent, row.number, row.there
    name = f"{parent}_{number}"
    if there:
        state = "not attached, so it is not read"
        remedy = (
            f"ALTER TABLE tagdb_store.{parent} ATTACH PARTITION tagdb_store.{name} FOR VALUES IN ({number})"
        )
    elif parent == "embeddings":
        state = "missing; create it and ingest the photos again"
        remedy = f"CREATE TABLE tagdb_store.{name} PARTITION OF tagdb_store.{parent} FOR VALUES IN ({number})"
    else:
        state = "missing"
        remedy = "tagdb index build" if parent == "search_vectors" else "tagdb factors compute"
    return Finding(check=name, severity="wrong", sentence=f"the table {name} is {state}", remedy=remedy)


def cleaning(examination: Examination) -> Iterator[Finding]:
    """The planner has current statistics, and dead rows are cleaned up."""
    if not examination.complete:
        return
    rows = queries.rows(examination.connection, "upkeep")

    def listed(names: list[str]) -> str:
        tables = (sql.Identifier("tagdb_store", name).as_string(examination.connection) for name in names)
        return ", ".join(tables)

    unknown = [
        row.name for row in rows
        if row.bytes and row.rows >= MANY and (row.never_looked_at or row.changed > row.rows)
    ]  # fmt: skip
    if unknown:
        yield Finding(
            check="planner's statistics",
            severity="advice",
            sentence=f"the planner has no current statistics of {list_names(unknown)} and may choose slow "
            "plans",
            remedy=f"ANALYZE {listed(unknown)}",
            figures={"tables": len(unknown)},
        )
    behind = [row for row in rows if row.dead >= MANY and row.dead > DEAD * row.rows]
    if behind:
        names = [row.name for row in behind]
        dead = sum(row.dead for row in behind)
        yield Finding(
            check="dead rows",
            severity="advice",
            sentence=f"{dead:,} dead rows have not been cleaned up yet, in {list_names(names)}",
            remedy=f"VACUUM (ANALYZE) {listed(names)}",
            figures={"dead": dead},
        )
    if not (unknown or behind):
        yield Finding(check="dead rows", severity="ok", sentence="tables are cleaned up")


def sessions(examination: Examination) -> Iterator[Finding]:
    """No forgotten session blocks others or autovacuum."""
    if not examination.readable:
        return
    if not examination.facts.may_monitor:
        yield Finding(
            check="sessions",
            severity="skipped",
            sentence="the sessions of other logins (yours needs pg_read_all_stats)",
        )
        return
    for row in queries.rows(examination.connection, "sessions", seconds=IDLE):
        how = "in an open transaction" if row.in_transaction else "while holding a lock of tagdb's"
        minutes = f"{row.seconds / 60:,.0f} minutes"
        blocked = count_noun(row.waiting, "session waits for it", "sessions wait for it")
        yield Finding(
            check=f"session {row.pid}",
            severity="wrong" if row.waiting else "advice",
            sentence=f"a session of {row.login} ({row.application}) has done nothing for {minutes} "
            f"{how}: " + (blocked if row.waiting else "cleaning up may wait for it"),
            remedy=f"SELECT pg_terminate_backend({row.pid})",
            figures={"seconds": row.seconds, "waiting": row.waiting},
        )


def ingests(examination: Examination) -> Iterator[Finding]:
    """Interrupted ingests were run again."""
    if not examination.complete:
        return
    rows = queries.rows(examination.connection, "ingests")
    if rows:
        commands = [f"tagdb ingest {shlex.join(row.sources)}" for row in rows if "-" not in row.sources]
        yield Finding(
            check="ingests",
            severity="advice",
            sentence=f"{count_noun(len(rows), 'ingest was', 'ingests were')} interrupted and not run again, "
            f"the last on {rows[0].started_at:%Y-%m-%d %H:%M}; to continue from what was stored, run it "
            "again",
            remedy=commands[0] if commands else "",
            figures={"ingests": len(rows)},
        )


def requests(examination: Examination) -> Iterator[Finding]:
    """Photos that came by SQL do not wait without a worker, or for long."""
    if not examination.complete:
        return
    waiting = store.requests.waiting(examination.connection)
    figures = {"waiting": waiting.waiting, "seconds": waiting.seconds, "workers": waiting.workers}
    they = count_noun(waiting.waiting, "photo waits", "photos wait")
    if waiting.waiting and (not waiting.workers or waiting.seconds > WAITING):
        yield Finding(
            check="requests",
            severity="advice",
            sentence=f"{they} for hashtags, the first for {waiting.seconds:,.0f} s, and "
            + ("the workers have too much to do" if waiting.workers else "no worker answers"),
            remedy="tagdb work",
            figures=figures,
        )
    else:
        yield Finding(check="requests", severity="ok", sentence="photos by SQL", figures=figures)
