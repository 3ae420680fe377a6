"""Every query that Python makes. The SQL lies in ``tagdb/sql``, one statement a file.

Functions take an open connection in autocommit mode (see :mod:`tagdb.database`).
"""

from tagdb.store.backbones import (
    INDEX_FROM,
    StoredBackbone,
    active_backbone,
    add_backbone,
    ensure_vector_index,
    vector_schema,
)
from tagdb.store.factors import (
    begin_factor_run,
    discard_factor_run,
    factor_runs,
    interactions,
    save_factor_run,
)
from tagdb.store.ingesting import (
    Counts,
    Image,
    Rejected,
    begin_ingest_run,
    finish_ingest_run,
    known_hashes,
    save_batch,
)
from tagdb.store.recommending import (
    Readiness,
    Recommendation,
    SimilarImage,
    readiness,
    recommend,
    similar,
)
from tagdb.store.statements import (
    statement,
)

__all__ = [
    "INDEX_FROM",
    "Counts",
    "Image",
    "Readiness",
    "Recommendation",
    "Rejected",
    "SimilarImage",
    "StoredBackbone",
    "active_backbone",
    "add_backbone",
    "begin_factor_run",
    "begin_ingest_run",
    "discard_factor_run",
    "ensure_vector_index",
    "factor_runs",
    "finish_ingest_run",
    "interactions",
    "known_hashes",
    "readiness",
    "recommend",
    "save_batch",
    "save_factor_run",
    "similar",
    "statement",
    "vector_schema",
]
