"""Hashtags for a photo, and photos like it. Python embeds; the database answers."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tagdb import images, store
from tagdb.backbone import Backbone, Identity
from tagdb.database import Connection
from tagdb.errors import FactorsError, RejectedInput, TagdbError

Answer = TypeVar("Answer")


def read(photo: str) -> bytes:
    """The content of a file, or of standard input for ``-``.

    Raises
    ------
    RejectedInput
        The file cannot be read.
    """
    try:
        return sys.stdin.buffer.read() if photo == "-" else Path(photo).read_bytes()
    except OSError as error:
        raise RejectedInput(f"cannot be read: {error.strerror}") from error


def each(
    backbone: Backbone, photos: Sequence[str], ask: Callable[[bytes, NDArray[np.float32]], list[Answer]]
) -> Iterator[tuple[str, list[Answer] | RejectedInput]]:
    """For each photo, in order: what is answered for it, or why it was rejected.

    Parameters
    ----------
    ask : gets the SHA-256 of the photo's content and its embedding, float32 (1280,).
    """
    for photo in photos:
        try:
            decoded = images.decode(read(photo), backbone.identity.input_size)
        except RejectedInput as error:
            yield photo, error
        else:
            yield photo, ask(decoded.sha256, backbone.embed(decoded.pixels))


def recommend(
    connection: Connection, backbone: Backbone, photos: Sequence[str], query: store.Query = store.Query()
) -> Iterator[tuple[str, list[store.Recommendation] | RejectedInput]]:
    """For each photo its recommended hashtags, or why it was rejected.

    What feedback has rejected for a photo that is stored is not recommended for it again.
    """

    def ask(content: bytes, embedding: NDArray[np.float32]) -> list[store.Recommendation]:
        rejected = store.rejected_hashtags(connection, content)
        asked = replace(query, exclude=[*query.exclude, *rejected])
        return store.recommend(connection, embedding, asked)

    return each(backbone, photos, ask)


def similar(
    connection: Connection, backbone: Backbone, photos: Sequence[str], top: int = 10
) -> Iterator[tuple[str, list[store.SimilarImage] | RejectedInput]]:
    """For each photo the stored images most like it, or why it was rejected."""
    return each(backbone, photos, lambda content, embedding: store.similar(connection, embedding, top))


def backbone_of(connection: Connection) -> Identity | None:
    """The identity of the backbone that made the database's embeddings."""
    stored = store.active_backbone(connection)
    return stored.identity if stored else None


def require_images(connection: Connection) -> None:
    """Raise TagdbError, saying what to do next, in a database without images."""
    if not store.readiness(connection).images:
        raise TagdbError("the database holds no images yet; run: tagdb ingest SOURCE")


def require_collection(connection: Connection, collection: str) -> None:
    """Raise an error that names the collections there are, if there is none of that name."""
    there = store.collections(connection)
    if collection not in there:
        names = ", ".join(there[:10]) or "none"
        raise TagdbError(f"there is no collection {collection!r}; there are: {names}")


def require_factors(connection: Connection) -> None:
    """Raise an error that says what to do next, unless there are images and active factors."""
    require_images(connection)
    ready = store.readiness(connection)
    if not ready.factors and not ready.hashtags:
        raise FactorsError("none of the stored images carries a hashtag to learn from; ingest some that do")
    if not ready.factors:
        raise FactorsError("there are no factors yet; run: tagdb factors compute")
