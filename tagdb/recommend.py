"""Hashtags for a photo, and photos like it. Python embeds; the database answers."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tagdb import images, store
from tagdb.backbone import Backbone, Identity
from tagdb.database import Connection
from tagdb.errors import FactorsError, RejectedInput, TagdbError

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of the database for each photo; see ``tagdb.recommend_for_embedding``."""

    top: int = 10
    neighbours: int | None = None
    known: Sequence[str] = ()
    exclude: Sequence[str] = ()


def embed(photo: str, backbone: Backbone) -> NDArray[np.float32]:
    """The embedding, float32 (1280,), of a photo in a file, or on standard input for ``-``.

    Raises
    ------
    RejectedInput
        The file cannot be read or is no photo.
    """
    try:
        content = sys.stdin.buffer.read() if photo == "-" else Path(photo).read_bytes()
    except OSError as error:
        raise RejectedInput(f"cannot be read: {error.strerror}") from error
    return backbone.embed(images.decode(content, backbone.identity.input_size).pixels)


def each(
    backbone: Backbone, photos: Sequence[str], ask: Callable[[NDArray[np.float32]], list[Answer]]
) -> Iterator[tuple[str, list[Answer] | RejectedInput]]:
    """For each photo, in order: what is answered for its embedding, or why the photo was rejected."""
    for photo in photos:
        try:
            embedding = embed(photo, backbone)
        except RejectedInput as error:
            yield photo, error
        else:
            yield photo, ask(embedding)


def recommend(
    connection: Connection, backbone: Backbone, photos: Sequence[str], query: Query = Query()
) -> Iterator[tuple[str, list[store.Recommendation] | RejectedInput]]:
    """For each photo its recommended hashtags, or why it was rejected."""
    q = query
    return each(
        backbone,
        photos,
        lambda embedding: store.recommend(connection, embedding, q.top, q.neighbours, q.known, q.exclude),
    )


def similar(
    connection: Connection, backbone: Backbone, photos: Sequence[str], top: int = 10
) -> Iterator[tuple[str, list[store.SimilarImage] | RejectedInput]]:
    """For each photo the stored images most like it, or why it was rejected."""
    return each(backbone, photos, lambda embedding: store.similar(connection, embedding, top))


def backbone_of(connection: Connection) -> Identity | None:
    """The identity of the backbone that made the database's embeddings."""
    stored = store.active_backbone(connection)
    return stored.identity if stored else None


def require_images(connection: Connection) -> None:
    """Raise TagdbError, saying what to do next, in a database without images."""
    if not store.readiness(connection).images:
        raise TagdbError("the database holds no images yet; run: tagdb ingest SOURCE")


def require_factors(connection: Connection) -> None:
    """Raise an error that says what to do next, unless there are images and active factors."""
    require_images(connection)
    ready = store.readiness(connection)
    if not ready.factors and not ready.hashtags:
        raise FactorsError("none of the stored images carries a hashtag to learn from; ingest some that do")
    if not ready.factors:
        raise FactorsError("there are no factors yet; run: tagdb factors compute")
