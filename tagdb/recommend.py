"""Hashtags for a photo, and images like it. Python computes the embedding, the database answers."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tagdb import store
from tagdb.embedding.backbone import Backbone, Identity
from tagdb.embedding.pipeline import Pipeline, Work
from tagdb.errors import BackboneMismatch, FactorsError, RejectedInput, TagdbError
from tagdb.photos import files
from tagdb.postgres.database import Connection
from tagdb.postgres.retrying import Session
from tagdb.store.answers import ANYTHING, Query, Recommendation, SimilarImage

AHEAD = 3
"""Maximum number of photos per thread that are being embedded or wait for the database."""

Answer = TypeVar("Answer")
Embedding = NDArray[np.float32]
Content = Callable[[str], bytes]
"""Returns the content of a photo, given its name."""
Reconnect = Callable[[], Connection]
_Embedded = tuple[str, tuple[bytes, Embedding] | RejectedInput]


def recommend(
    connection: Connection,
    backbone: Backbone,
    photos: Iterable[str],
    query: Query = ANYTHING,
    content: Content = files.read_named,
    apart: bool = True,
    at_once: bool = False,
    reconnect: Reconnect | None = None,
) -> Iterator[tuple[str, list[Recommendation] | RejectedInput]]:
    """Yield the recommended hashtags of each photo, in order, or why it was rejected.

    Hashtags that feedback rejected for a stored photo are not recommended for it again.

    Parameters
    ----------
    photos
        Names of photos; ``-`` is a photo on standard input.
    content
        Returns the content of a photo.
    apart
        Whether photos are decoded in separate processes; see :class:`Pipeline`.
    at_once
        Whether each photo is answered before the next name is read.
    reconnect
        Returns a new connection after the current one broke; it may wait for the database.

    Raises
    ------
    BackboneMismatch
        The backbone of the database was changed in the meantime.
    """
    with Session(connection, reconnect) as session:

        def ask(sha256: bytes, embedding: Embedding) -> list[Recommendation]:
            return session.trying(lambda open_: recommend_one(open_, backbone, sha256, embedding, query))

        yield from _answers(backbone, photos, ask, content, apart, at_once)


def recommend_one(
    connection: Connection, backbone: Backbone, sha256: bytes, embedding: Embedding, query: Query = ANYTHING
) -> list[Recommendation]:
    """Return the hashtags recommended for a photo, given the hash of its content and its embedding."""
    query = without_rejected(connection, sha256, query)
    return _checked(connection, backbone, store.answers.recommend(connection, embedding, query))


def without_rejected(connection: Connection, sha256: bytes, query: Query) -> Query:
    """Return a query that leaves out what feedback rejected for a photo, by the hash of its content."""
    rejected = store.feedback.rejected_hashtags(connection, sha256)
    return replace(query, exclude=[*query.exclude, *rejected])


def similar(
    connection: Connection,
    backbone: Backbone,
    photos: Iterable[str],
    top: int = 10,
    content: Content = files.read_named,
    apart: bool = True,
) -> Iterator[tuple[str, list[SimilarImage] | RejectedInput]]:
    """Yield the stored images most like each photo, or why it was rejected; see :func:`recommend`."""

    def ask(sha256: bytes, embedding: Embedding) -> list[SimilarImage]:
        return similar_to_one(connection, backbone, embedding, top)

    yield from _answers(backbone, photos, ask, content, apart)


def similar_to_one(
    connection: Connection, backbone: Backbone, embedding: Embedding, top: int = 10
) -> list[SimilarImage]:
    """Return the stored images most like a photo, given its embedding."""
    return _checked(connection, backbone, store.answers.similar(connection, embedding, top))


def _checked(connection: Connection, backbone: Backbone, answer: list[Answer]) -> list[Answer]:
    """Return the answer, unless it may come from another backbone's embeddings."""
    require_backbone(connection, backbone)
    return answer


def require_backbone(connection: Connection, backbone: Backbone) -> None:
    """Raise BackboneMismatch unless the database's embeddings were made by this backbone."""
    stored = backbone_of(connection)
    if stored is None or not stored.same(backbone.identity):
        raise BackboneMismatch("the backbone of this database was changed; run the same command again")


def _answers(
    backbone: Backbone,
    photos: Iterable[str],
    ask: Callable[[bytes, Embedding], list[Answer]],
    content: Content,
    apart: bool,
    at_once: bool = False,
) -> Iterator[tuple[str, list[Answer] | RejectedInput]]:
    """Yield the answer for each photo, in order, or why it was rejected.

    The pipeline embeds photos while this thread queries the database for earlier ones.
    """
    with Pipeline(backbone, backbone.identity.input_size, apart) as pipeline:

        def embedded(photo: str) -> _Embedded:
            try:
                done = pipeline.embed(content(photo))
            except RejectedInput as error:
                return photo, error
            return photo, (done.photo.sha256, done.required())

        works: Iterator[Work[_Embedded]] = ((pipeline.submit(embedded, photo), 0) for photo in photos)
        window = 0 if at_once else AHEAD * pipeline.threads
        for photo, result in pipeline.results(works, window):
            if isinstance(result, RejectedInput):
                yield photo, result
                continue
            try:
                answer = ask(*result)
            except RejectedInput as error:
                yield photo, error
            else:
                yield photo, answer


def backbone_of(connection: Connection) -> Identity | None:
    """Return the identity of the backbone that made the database's embeddings."""
    stored = store.backbones.active(connection)
    return stored.identity if stored else None


def require_images(connection: Connection) -> None:
    """Raise TagdbError with the next step if the database has no images."""
    if not store.answers.readiness(connection).images:
        raise TagdbError("the database holds no images yet; run: tagdb ingest SOURCE")


def require_collection(connection: Connection, collection: str) -> None:
    """Raise an error that lists the collections if the given one does not exist."""
    there = store.answers.collections(connection)
    if collection not in there:
        names = ", ".join(there[:10]) or "none"
        raise TagdbError(f"there is no collection {collection!r}; there are: {names}")


def require_ready(connection: Connection, collection: str | None) -> None:
    """Raise an error with the next step unless something can be recommended, from this collection."""
    require_factors(connection)
    if collection is not None:
        require_collection(connection, collection)


def require_factors(connection: Connection) -> None:
    """Raise an error with the next step unless there are images and active factors."""
    require_images(connection)
    ready = store.answers.readiness(connection)
    if not ready.factors and not ready.hashtags:
        raise FactorsError("none of the stored images has a hashtag to learn from; ingest some that do")
    if not ready.factors:
        raise FactorsError("there are no factors yet; run: tagdb factors compute")
