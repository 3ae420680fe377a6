"""The vector index."""

import statistics
from collections.abc import Iterator

import psycopg

from tagdb import store
from tagdb.doctor.findings import Examination, Finding
from tagdb.store import doctor as queries

ENOUGH = 0.95
"""Recall that is good enough."""


def indexes(examination: Examination) -> Iterator[Finding]:
    """Every vector index is valid, and a large database has one."""
    indexes = queries.vector_indexes(examination.connection)
    for index in indexes:
        if not index.valid and not index.building:
            yield Finding(
                check="vector index",
                severity="wrong",
                sentence=f"the index {index.name} is invalid and not used: building it was interrupted",
                remedy=f'DROP INDEX tagdb_store."{index.name}"',
            )
    images = examination.rows("embeddings")
    if any(index.valid for index in indexes):
        yield Finding(check="vector index", severity="ok", sentence="vector index")
    elif images >= store.index.INDEX_FROM and examination.timings:
        p50 = statistics.median(each.milliseconds for each in examination.timings)
        yield Finding(
            check="vector index",
            severity="advice",
            sentence=f"there is no vector index: every search scans all {images:,} embeddings; "
            f"recommending takes {p50:.1f} ms here (p50 of {len(examination.timings)})",
            remedy="tagdb index build",
            figures={"images": images, "p50_ms": p50},
        )


def recall(examination: Examination) -> Iterator[Finding]:
    """The recall of the vector index was measured with the settings in use and is high enough."""
    if not examination.readable:
        return
    try:
        status = store.index.status(examination.connection)
    except psycopg.errors.InsufficientPrivilege:
        return  # a reader can only see the history, tagdb.index_checks
    if status is None or status.projection_id is None:
        return
    if status.recall is not None and status.recall < ENOUGH:
        sentence = f"the vector index finds {status.recall:.0%} of the nearest images, measured with "
        sentence += f"{status.checked_images:,} images"
    elif status.check_due:
        sentence = f"the recall of the vector index was never measured with {status.embeddings:,} images"
    else:
        yield Finding(check="recall", severity="ok", sentence="recall")
        return
    yield Finding(
        check="recall",
        severity="advice",
        sentence=sentence,
        remedy="tagdb index check --apply",
        figures={} if status.recall is None else {"recall": status.recall},
    )
