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
from tagdb.store.statistics import (
    Statistics,
    refresh_statistics,
    refresh_statistics_if_due,
    statistics,
)
from tagdb.store.tags import (
    Decision,
    Edit,
    edit_hashtags,
    hashtag_decisions,
    undo_hashtag_edit,
)

__all__ = [
    "INDEX_FROM",
    "Counts",
    "Decision",
    "Edit",
    "Image",
    "Readiness",
    "Recommendation",
    "Rejected",
    "SimilarImage",
    "Statistics",
    "StoredBackbone",
    "active_backbone",
    "add_backbone",
    "begin_factor_run",
    "begin_ingest_run",
    "discard_factor_run",
    "edit_hashtags",
    "ensure_vector_index",
    "factor_runs",
    "finish_ingest_run",
    "hashtag_decisions",
    "interactions",
    "known_hashes",
    "readiness",
    "recommend",
    "refresh_statistics",
    "refresh_statistics_if_due",
    "save_batch",
    "save_factor_run",
    "similar",
    "statement",
    "statistics",
    "undo_hashtag_edit",
    "vector_schema",
]
