"""Answers of the database: hashtags for an embedding, and images like it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Cursor

from tagdb.embedding.backbone import DIMENSIONS
from tagdb.errors import TagdbError
from tagdb.learning.model import Embeddings
from tagdb.postgres.database import Connection
from tagdb.store import backbones
from tagdb.store.statements import (
    execute,
    fetch_all,
    fetch_arrays,
    fetch_column,
    fetch_map,
    fetch_one,
    fetch_value,
)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A hashtag, without '#', and its score."""

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
class Contribution:
    """A neighbour of a photo and its contribution to a hashtag's score."""

    rank: int
    image_id: int
    uri: str
    similarity: float
    weight: float
    """Weight in the average; all weights add up to 1."""
    carries: bool
    """Whether it has the hashtag."""
    contribution: float
    """Contribution to the score; all contributions add up to it."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether there is data to recommend from."""

    images: bool
    hashtags: bool
    factors: bool


@dataclass(frozen=True, slots=True)
class State:
    """What a service is asked about its database."""

    images: int
    hashtags: int
    """Hashtags on images."""
    refreshed_at: datetime
    """When the statistics were computed."""
    backbone: str | None
    factor_run_id: int | None
    computed_at: datetime | None
    """When the active run was computed."""
    recall: float | None
    """Of the vector index, when it was last measured."""
    checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Query:
    """Arguments of a recommendation; see ``tagdb.recommend_for_embedding``."""

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
"""The best hashtags, without steering."""


def readiness(connection: Connection) -> Readiness:
    """Return whether the database holds images, hashtags on them, and an active factor run."""
    return fetch_one(connection, Readiness, "answers/readiness")


def state(connection: Connection) -> State:
    """Return numbers of images and hashtags, the backbone, the active factor run, the index's recall."""
    return fetch_one(connection, State, "answers/state")


def collections(connection: Connection) -> list[str]:
    """Return the names of all collections, the largest first."""
    return fetch_column(connection, "answers/collections")


def recommend(
    connection: Connection, embedding: NDArray[np.floating], query: Query = ANYTHING
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


def recommend_for_image(
    connection: Connection, image_id: int, query: Query = ANYTHING
) -> list[Recommendation]:
    """Call ``tagdb.recommend_for_image`` for a stored image."""
    return fetch_all(
        connection, Recommendation, "answers/recommend_for_image", image_id=image_id, **query.parameters()
    )


def similar_to_image(connection: Connection, image_id: int, top: int = 10) -> list[SimilarImage]:
    """Call ``tagdb.similar_images_to`` for a stored image."""
    return fetch_all(connection, SimilarImage, "answers/similar_to", image_id=image_id, top=top)


def explain(
    connection: Connection, embedding: NDArray[np.floating], hashtag: str, neighbours: int | None = None
) -> list[Contribution]:
    """Call ``tagdb.explain_recommendation``: float (1280,) and a hashtag in, neighbours out."""
    return fetch_all(
        connection,
        Contribution,
        "answers/explain",
        embedding=_halfvec(embedding),
        hashtag=hashtag,
        neighbours=neighbours,
    )


def explain_for_image(
    connection: Connection, image_id: int, hashtag: str, neighbours: int | None = None
) -> list[Contribution]:
    """Call ``tagdb.explain_recommendation_for_image`` for a stored image."""
    return fetch_all(
        connection,
        Contribution,
        "answers/explain_for_image",
        image_id=image_id,
        hashtag=hashtag,
        neighbours=neighbours,
    )


def related(connection: Connection, hashtag: str, top: int = 10) -> list[Recommendation]:
    """Call ``tagdb.related_hashtags``."""
    return fetch_all(connection, Recommendation, "answers/related", hashtag=hashtag, top=top)


def complete(
    connection: Connection, prefix: str, known: Sequence[str] = (), top: int = 10
) -> list[Recommendation]:
    """Call ``tagdb.complete_hashtags``."""
    return fetch_all(
        connection, Recommendation, "answers/complete", prefix=prefix, known=list(known), top=top
    )


def views(connection: Connection) -> list[str]:
    """Return the names of the views of schema ``tagdb``."""
    return fetch_column(connection, "answers/views")


def view(connection: Connection, name: str) -> list[dict[str, Any]]:
    """Return all rows of a view of schema ``tagdb``, columns by name.

    Raises
    ------
    TagdbError
        The view does not exist.
    """
    if name not in (there := views(connection)):
        raise TagdbError(f"there is no view {name!r} in schema tagdb; there are: {', '.join(there)}")
    return _by_name(execute(connection, "answers/view", names={"view": ("tagdb", name)}))


def view_page(connection: Connection, name: str, limit: int, offset: int) -> list[dict[str, Any]]:
    """Return some rows of a view that exists, ordered by its first column, downwards."""
    names = {"view": ("tagdb", name)}
    return _by_name(execute(connection, "answers/view_page", names=names, limit=limit, offset=offset))


def _by_name(cursor: Cursor[tuple[Any, ...]]) -> list[dict[str, Any]]:
    columns = [column.name for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor]


def content_sha256(connection: Connection, image_id: int) -> bytes:
    """Return the SHA-256 of a stored image's content.

    Raises
    ------
    TagdbError
        The image does not exist.
    """
    content: bytes | None = fetch_value(connection, "answers/content", image_id=image_id)
    if content is None:
        raise TagdbError(f"there is no image {image_id}")
    return content


def embedding(connection: Connection, image_id: int) -> NDArray[np.float32]:
    """Return the active backbone's embedding of a stored image, float32 (1280,).

    Raises
    ------
    TagdbError
        The image does not exist, or has no embedding yet.
    """
    _, vectors = fetch_arrays(
        connection,
        "folding_in/embeddings",
        "i8",
        ("f2", DIMENSIONS),
        backbone_id=_active(connection),
        image_ids=[image_id],
    )
    if not len(vectors):
        raise TagdbError(f"there is no image {image_id}, or it has no embedding yet")
    return np.asarray(vectors[0], np.float32)


def embeddings(connection: Connection) -> Embeddings:
    """Return the embeddings of all images by the active backbone, by ascending id."""
    backbone_id = _active(connection)
    ids, vectors = fetch_arrays(
        connection, "answers/embeddings", "i8", ("f2", DIMENSIONS), backbone_id=backbone_id
    )
    return Embeddings(ids, vectors, backbone_id)


def _active(connection: Connection) -> int | None:
    active = backbones.active(connection)
    return active.backbone_id if active else None


def recommend_sample(
    connection: Connection, factor_run_id: int, images: int, top: int
) -> dict[int, list[str]]:
    """Return the hashtags that a factor run recommends for a sample of the stored images, by image."""
    return fetch_map(
        connection, "answers/recommend_sample", factor_run_id=factor_run_id, images=images, top=top
    )


def recommend_held_out(
    connection: Connection, factor_run_id: int, image_ids: NDArray[np.int64], top: int
) -> dict[int, list[int]]:
    """Return the hashtag ids that a factor run recommends for stored images, by image, best first.

    Images with rejected hashtags are left out, and those without recommendations.
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
