"""tagdb: hashtag recommendations for pictures, computed inside PostgreSQL.

::

    import tagdb

    with tagdb.connect() as db:
        db.ingest("photos.csv")
        db.compute_factors()
        for each in db.recommend("new.jpg"):
            print(each.hashtag, each.score)

The public Python API is what ``__all__`` lists; everything else may change. Importing tagdb imports nothing
else: a name is loaded when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tagdb.api import Database, connect
    from tagdb.errors import RejectedInput, TagdbError
    from tagdb.learning.settings import FactorSettings
    from tagdb.store.answers import Contribution, Recommendation, SimilarImage
    from tagdb.store.runs import FactorRun, Factors

__version__ = "0.1.0"

_MODULES = {
    "Contribution": "tagdb.store.answers",
    "Database": "tagdb.api",
    "FactorRun": "tagdb.store.runs",
    "FactorSettings": "tagdb.learning.settings",
    "Factors": "tagdb.store.runs",
    "Recommendation": "tagdb.store.answers",
    "RejectedInput": "tagdb.errors",
    "SimilarImage": "tagdb.store.answers",
    "TagdbError": "tagdb.errors",
    "connect": "tagdb.api",
}

__all__ = [
    "Contribution",
    "Database",
    "FactorRun",
    "FactorSettings",
    "Factors",
    "Recommendation",
    "RejectedInput",
    "SimilarImage",
    "TagdbError",
    "__version__",
    "connect",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
