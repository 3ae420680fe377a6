"""All SQL that Python runs on tagdb's schemas, with one module per kind of stored data.

The statements are in ``sql``, one per file, in a folder per module (``index`` also contains those of
``index_checks``); :mod:`tagdb.store.statements` runs them. Functions take an open connection in autocommit
mode (see :mod:`tagdb.postgres.database`) and are called by module: ``store.runs.activate(connection, 3)``.
"""

from tagdb.store import (
    answers,
    backbones,
    backup,
    batches,
    corrections,
    evaluation,
    exports,
    feedback,
    folding_in,
    hashtags,
    images,
    index,
    index_checks,
    ingest_runs,
    logins,
    requests,
    run_parts,
    runs,
    sampling,
    sources,
    statistics,
    tags,
    tokens,
    views,
)

__all__ = [
    "answers",
    "backbones",
    "backup",
    "batches",
    "corrections",
    "evaluation",
    "exports",
    "feedback",
    "folding_in",
    "hashtags",
    "images",
    "index",
    "index_checks",
    "ingest_runs",
    "logins",
    "requests",
    "run_parts",
    "runs",
    "sampling",
    "sources",
    "statistics",
    "tags",
    "tokens",
    "views",
]
