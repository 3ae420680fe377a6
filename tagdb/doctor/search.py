"""The vector index."""

import statistics
from collections.abc import Iterator

from tagdb import store
from tagdb.doctor.findings import Examination, Finding
from tagdb.store import health


def indexes(one: Examination) -> Iterator[Finding]:
    """Every vector index can be used, and a large collection has one."""
    found = health.vector_indexes(one.connection)
    for index in found:
        if not index.valid and not index.building:
            yield Finding(
                check="vector index",
                severity="wrong",
                sentence=f"the index {index.name} is invalid: building it broke off, and it is not searched",
                remedy=f'DROP INDEX tagdb_store."{index.name}"',
            )
    images = one.rows("embeddings")
    if any(index.valid for index in found):
        yield Finding(check="vector index", severity="ok", sentence="vector index")
    elif images >= store.INDEX_FROM and one.timings:
        p50 = statistics.median(each.milliseconds for each in one.timings)
        yield Finding(
            check="vector index",
            severity="advice",
            sentence=f"there is no vector index: each search looks at all {images:,} embeddings; "
            f"recommending takes {p50:.1f} ms here (p50 of {len(one.timings)})",
            figures={"images": images, "p50_ms": p50},
        )
