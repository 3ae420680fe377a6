"""Hashtags for a photo, and photos like it. Python embeds; the database answers."""

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
"""Photos per thread that are being embedded, or wait for the database, at most."""

Answer = TypeVar("Answer")
Embedding = NDArray[np.float32]
Content = Callable[[str], bytes]
"""Gives the content of a photo that is named."""
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
    """Yield for each photo, in order, its recommended hashtags, or why it was rejected.

    What feedback has rejected for a photo that is stored is not recommended for it again.

    Parameters
    ----------
    photos
        Names of photos; ``-`` is a photo on standard input.
    content
        Gives the content of a photo.
    apart
        Whether photos are decoded in processes of their own; see :class:`Pipeline`.
    at_once
        Whether each photo is answered before the next one's name is asked for.
    reconnect
        Gives another connection when the one in use broke; it may wait for the database.

    Raises
    ------
    BackboneMismatch
        The database's embeddings are another backbone's by now.
    """
    with Session(connection, reconnect) as session:

        def ask(sha256: bytes, embedding: Embedding) -> list[Recommendation]:
            return session.trying(lambda open_: recommend_one(open_, backbone, sha256, embedding, query))

        yield from _answers(backbone, photos, ask, content, apart, at_once)


def recommend_one(
    connection: Connection, backbone: Backbone, sha256: bytes, embedding: Embedding, query: Query = ANYTHING
) -> list[Recommendation]:
    """Return the hashtags recommended for a photo, given the hash of its content and its embedding."""
    rejected = store.feedback.rejected_hashtags(connection, sha256)
    query = replace(query, exclude=[*query.exclude, *rejected])
    return _checked(connection, backbone, store.answers.recommend(connection, embedding, query))


def similar(
    connection: Connection,
    backbone: Backbone,
    photos: Iterable[str],
    top: int = 10,
    content: Content = files.read_named,
    apart: bool = True,
) -> Iterator[tuple[str, list[SimilarImage] | RejectedInput]]:
    """Yield for each photo the stored images most like it, or why it was rejected; see :func:`recommend`."""

    def ask(sha256: bytes, embedding: Embedding) -> list[SimilarImage]:
        return similar_to_one(connection, backbone, embedding, top)

    yield from _answers(backbone, photos, ask, content, apart)


def similar_to_one(
    connection: Connection, backbone: Backbone, embedding: Embedding, top: int = 10
) -> list[SimilarImage]:
    """Return the stored images most like a photo, given its embedding."""
    return _checked(connection, backbone, store.answers.similar(connection, embedding, top))


def _checked(connection: Connection, backbone: Backbone, answer: list[Answer]) -> list[Answer]:
    """The answer, unless it was, perhaps, looked for among another backbone's embeddings."""
    stored = backbone_of(connection)
    if stored is None or not stored.same(backbone.identity):
        raise BackboneMismatch("the backbone of this database was changed; run the same command again")
    return answer


def _answers(
    backbone: Backbone,
    photos: Iterable[str],
    ask: Callable[[bytes, Embedding], list[Answer]],
    content: Content,
    apart: bool,
    at_once: bool = False,
) -> Iterator[tuple[str, list[Answer] | RejectedInput]]:
    """For each photo, in order: what is answered for it, or why it was rejected.

    Photos are embedded by the pipeline, while this thread asks the database about those before.
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
    """Raise TagdbError, saying what to do next, in a database without images."""
    if not store.answers.readiness(connection).images:
        raise TagdbError("the database holds no images yet; run: tagdb ingest SOURCE")


def require_collection(connection: Connection, collection: str) -> None:
    """Raise an error that names the collections there are, if there is none of that name."""
    there = store.answers.collections(connection)
    if collection not in there:
        names = ", ".join(there[:10]) or "none"
        raise TagdbError(f"there is no collection {collection!r}; there are: {names}")


def require_factors(connection: Connection) -> None:
    """Raise an error that says what to do next, unless there are images and active factors."""
    require_images(connection)
    ready = store.answers.readiness(connection)
    if not ready.factors and not ready.hashtags:
        raise FactorsError("none of the stored images has a hashtag to learn from; ingest some that do")
    if not ready.factors:
        raise FactorsError("there are no factors yet; run: tagdb factors compute")
