"""What the database answers: hashtags for an embedding, and images like it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagdb.postgres.database import Connection
from tagdb.store.statements import fetch_all, fetch_column, fetch_map, fetch_one


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

    def parameters(self) -> dict[str, Any]:
        """Return the arguments of the SQL functions."""
        return asdict(self) | {"known": list(self.known), "exclude": list(self.exclude)}


ANYTHING = Query()
"""The best hashtags, without any steering."""


def readiness(connection: Connection) -> Readiness:
    """Return whether the database holds images, hashtags on them, and an active factor run."""
    return fetch_one(connection, Readiness, "answers/readiness")


def collections(connection: Connection) -> list[str]:
    """Return the names of all collections, the largest first."""
    return fetch_column(connection, "answers/collections")


def recommend(
    connection: Connection, embedding: NDArray[np.float32], query: Query = ANYTHING
) -> list[Recommendation]:
    """Call ``tagdb.recommend_for_embedding``: float32 (1280,) in, the best hashtags out."""
    return fetch_all(
        connection,
        Recommendation,
        "answers/recommend",
        embedding=_halfvec(embedding),
        **query.parameters(),
    )


def similar(connection: Connection, embedding: NDArray[np.floating], top: int = 10) -> list[SimilarImage]:
    """Call ``tagdb.similar_images``: float (1280,) in, the nearest images out."""
    return fetch_all(connection, SimilarImage, "answers/similar", embedding=_halfvec(embedding), top=top)


def recommend_sample(
    connection: Connection, factor_run_id: int, images: int, top: int
) -> dict[int, list[str]]:
    """Return what a factor run recommends for a sample of the stored images, by image."""
    return fetch_map(
        connection, "answers/recommend_sample", factor_run_id=factor_run_id, images=images, top=top
    )


def recommend_held_out(
    connection: Connection, factor_run_id: int, image_ids: NDArray[np.int64], top: int
) -> dict[int, list[int]]:
    """Return what a factor run recommends for stored images: hashtag ids by image, the best first.

    Images that something was rejected for are left out, and those that nothing is recommended for.
    """
    return fetch_map(
        connection,
        "answers/recommend_held_out",
        factor_run_id=factor_run_id,
        image_ids=image_ids.tolist(),
        top=top,
    )


def _halfvec(embedding: NDArray[np.floating]) -> str:
    return "[" + ",".join(map(repr, embedding.astype(np.float16).tolist())) + "]"
