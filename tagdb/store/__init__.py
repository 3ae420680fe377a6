"""Every statement that Python makes on tagdb's schemas, one module for each thing that is stored.

The SQL lies beside this file in ``sql``, one statement a file, in a folder for each module (``index`` holds
those of ``index_checks``, too); :mod:`tagdb.store.statements` runs it. Functions take an open connection in
autocommit mode (see :mod:`tagdb.postgres.database`) and are called by their module:
``store.runs.activate(connection, 3)``.
"""

from tagdb.store import (
    answers,
    backbones,
    backup,
    batches,
    evaluation,
    feedback,
    folding,
    index,
    index_checks,
    ingest_runs,
    logins,
    runs,
    statistics,
    tags,
)

__all__ = [
    "answers",
    "backbones",
    "backup",
    "batches",
    "evaluation",
    "feedback",
    "folding",
    "index",
    "index_checks",
    "ingest_runs",
    "logins",
    "runs",
    "statistics",
    "tags",
]
