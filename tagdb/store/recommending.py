"""Queries that answer: hashtags for an embedding, images like it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from psycopg.rows import class_row

from tagdb.postgres.database import Connection
from tagdb.store.statements import statement


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A hashtag, without '#', and its score: the dot product of the two models."""

    rank: int
    hashtag: str
    score: float


@dataclass(frozen=True, slots=True)
class SimilarImage:
    """A stored image and its cosine similarity."""

    rank: int
    image_id: int
    uri: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Readiness:
    """What there is to recommend from."""

    images: bool
    hashtags: bool
    factors: bool


def readiness(connection: Connection) -> Readiness:
    """Whether the database holds images, hashtags on them, and an active factor run."""
    with connection.cursor(row_factory=class_row(Readiness)) as cursor:
        found = cursor.execute(statement("readiness")).fetchone()
    assert found is not None
    return found


def collections(connection: Connection) -> list[str]:
    """The names of all collections, the largest first."""
    return [row[0] for row in connection.execute(statement("collections"))]


def _halfvec(embedding: NDArray[np.floating]) -> str:
    return "[" + ",".join(map(repr, embedding.astype(np.float16).tolist())) + "]"


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of the database for a photo; see ``tagdb.recommend_for_embedding``."""

    top: int = 10
    neighbours: int | None = None
    known: Sequence[str] = ()
    exclude: Sequence[str] = ()
    known_weight: float | None = None
    diversity: float | None = None
    popularity_discount: float | None = None
    min_score: float | None = None
    collection: str | None = None


def recommend(
    connection: Connection, embedding: NDArray[np.float32], query: Query = Query()
) -> list[Recommendation]:
    """Call ``tagdb.recommend_for_embedding``: float32 (1280,) in, the best hashtags out."""
    values = asdict(query) | {
        "embedding": _halfvec(embedding),
        "known": list(query.known),
        "exclude": list(query.exclude),
    }
    with connection.cursor(row_factory=class_row(Recommendation)) as cursor:
        return cursor.execute(statement("recommend"), values).fetchall()


def recommend_sample(
    connection: Connection, factor_run_id: int, images: int, top: int
) -> dict[int, list[str]]:
    """What a factor run recommends for a sample of the stored images, by image."""
    values = {"factor_run_id": factor_run_id, "images": images, "top": top}
    return dict(connection.execute(statement("recommend_sample"), values).fetchall())


def similar(connection: Connection, embedding: NDArray[np.floating], top: int = 10) -> list[SimilarImage]:
    """Call ``tagdb.similar_images``: float (1280,) in, the nearest images out."""
    with connection.cursor(row_factory=class_row(SimilarImage)) as cursor:
        return cursor.execute(statement("similar"), {"embedding": _halfvec(embedding), "top": top}).fetchall()
