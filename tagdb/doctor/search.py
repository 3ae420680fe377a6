"""The vector index."""

import statistics
from collections.abc import Iterator

import psycopg

from tagdb import store
from tagdb.doctor.findings import Examination, Finding
from tagdb.store import health

ENOUGH = 0.95
"""Recall that is good enough."""


def indexes(one: Examination) -> Iterator[Finding]:
    """Every vector index can be used, and a large collection has one."""
    found = health.vector_indexes(one.connection)
    for index in found:
        if not index.valid and not index.building:
            yield Finding(
                check="vector index",
                severity="wrong",
                sentence=f"the index {index.name} is invalid and not used: building it was interrupted",
                remedy=f'DROP INDEX tagdb_store."{index.name}"',
            )
    images = one.rows("embeddings")
    if any(index.valid for index in found):
        yield Finding(check="vector index", severity="ok", sentence="vector index")
    elif images >= store.index.INDEX_FROM and one.timings:
        p50 = statistics.median(each.milliseconds for each in one.timings)
        yield Finding(
            check="vector index",
            severity="advice",
            sentence=f"there is no vector index: every search scans all {images:,} embeddings; "
            f"recommending takes {p50:.1f} ms here (p50 of {len(one.timings)})",
            remedy="tagdb index build",
            figures={"images": images, "p50_ms": p50},
        )


def recall(one: Examination) -> Iterator[Finding]:
    """The vector index finds what is near, as far as that was measured with the settings in use."""
    if not one.readable:
        return
    try:
        found = store.index.status(one.connection)
    except psycopg.errors.InsufficientPrivilege:
        return  # a reader sees the history only: tagdb.index_checks
    if found is None or found.projection_id is None:
        return
    if found.recall is not None and found.recall < ENOUGH:
        sentence = f"the vector index finds {found.recall:.0%} of the nearest images, measured with "
        sentence += f"{found.checked_images:,} images"
    elif found.check_due:
        sentence = f"the recall of the vector index was never measured with {found.embeddings:,} images"
    else:
        yield Finding(check="recall", severity="ok", sentence="recall")
        return
    yield Finding(
        check="recall",
        severity="advice",
        sentence=sentence,
        remedy="tagdb index check --apply",
        figures={} if found.recall is None else {"recall": found.recall},
    )
