"""Hashtags for a photo, and photos like it. Python embeds; the database answers."""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import psycopg
from numpy.typing import NDArray

from tagdb import store
from tagdb.embedding.backbone import Backbone, Identity
from tagdb.errors import BackboneMismatch, FactorsError, RejectedInput, TagdbError
from tagdb.photos import images
from tagdb.postgres.database import Connection

Answer = TypeVar("Answer")

AHEAD = 3
"""Photos for each thread that are being embedded, or wait for the database, at most."""


def read(photo: str) -> bytes:
    """The content of a file, or of standard input for ``-``; of what is too large, not all.

    Raises
    ------
    RejectedInput
        The file cannot be read.
    """
    try:
        if photo == "-":
            return sys.stdin.buffer.read(images.MAX_BYTES + 1)
        with Path(photo).open("rb") as file:
            return file.read(images.MAX_BYTES + 1)
    except OSError as error:
        raise RejectedInput(f"cannot be read: {error.strerror}") from error
    except ValueError as error:  # a NUL character in the name
        raise RejectedInput(f"cannot be read: {error}") from error


def each(
    backbone: Backbone,
    photos: Iterable[str],
    ask: Callable[[bytes, NDArray[np.float32]], list[Answer]],
    at_once: bool = False,
    content: Callable[[str], bytes] = read,
    apart: bool = False,
) -> Iterator[tuple[str, list[Answer] | RejectedInput]]:
    """For each photo, in order: what is answered for it, or why it was rejected.

    Photos are decoded and embedded in one thread a core, while the database is asked for those before.

    Parameters
    ----------
    photos : paths; "-" is a photo on standard input.
    ask : gets the SHA-256 of the photo's content and its embedding, float32 (1280,).
    at_once : whether each photo is answered before the next one's name is asked for.
    content : gives the content of a photo.
    apart : whether photos are decoded in processes of their own, which costs a quarter of a second at first:
        then one that makes a decoder crash or hang is rejected, and the others are answered.
    """
    threads, size = os.cpu_count() or 1, backbone.identity.input_size
    workers = None
    if apart:
        from tagdb.embedding.worker import Workers

        workers = Workers(backbone, size, threads)

    def embedded(photo: str) -> tuple[bytes, NDArray[np.float32]]:
        if workers is None:
            decoded = images.decode(content(photo), size)
            return decoded.sha256, backbone.embed(decoded.pixels)
        done = workers.embed(content(photo))
        assert done.embedding is not None
        return done.photo.sha256, done.embedding

    def answered(photo: str, work: Future[tuple[bytes, NDArray[np.float32]]]) -> list[Answer] | RejectedInput:
        try:
            return ask(*work.result())
        except RejectedInput as error:
            return error

    waiting: deque[tuple[str, Future[tuple[bytes, NDArray[np.float32]]]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="tagdb-embed") as pool:
        try:
            for photo in photos:
                waiting.append((photo, pool.submit(embedded, photo)))
                if at_once or len(waiting) > AHEAD * threads:
                    first, work = waiting.popleft()
                    yield first, answered(first, work)
            for first, work in waiting:
                yield first, answered(first, work)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            if workers is not None:
                workers.close()  # before threads are waited for, which may wait for workers


def recommend(
    connection: Connection,
    backbone: Backbone,
    photos: Sequence[str],
    query: store.Query = store.Query(),
    content: Callable[[str], bytes] = read,
) -> Iterator[tuple[str, list[store.Recommendation] | RejectedInput]]:
    """For each photo its recommended hashtags, or why it was rejected; see :func:`each`.

    What feedback has rejected for a photo that is stored is not recommended for it again.

    Raises
    ------
    BackboneMismatch
        The database's embeddings are another backbone's by now.
    """
    return each(
        backbone, photos, _asking(connection, backbone, query), content=content, apart=len(photos) > 1
    )


def keep_recommending(
    reconnect: Callable[[], Connection],
    backbone: Backbone,
    photos: Iterable[str],
    query: store.Query = store.Query(),
) -> Iterator[tuple[str, list[store.Recommendation] | RejectedInput]]:
    """The same for photos that are named one by one, for as long as that goes on.

    Parameters
    ----------
    reconnect : gives a connection, at first and whenever one has broken; it may wait for the database.

    Raises
    ------
    BackboneMismatch
        The database's embeddings are another backbone's by now.
    """
    connection = reconnect()

    def ask(sha256: bytes, embedding: NDArray[np.float32]) -> list[store.Recommendation]:
        nonlocal connection
        try:
            return once(sha256, embedding)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            if not connection.closed:
                raise
            connection = reconnect()
            return once(sha256, embedding)

    def once(sha256: bytes, embedding: NDArray[np.float32]) -> list[store.Recommendation]:
        return _asking(connection, backbone, query)(sha256, embedding)

    return each(backbone, photos, ask, at_once=True, apart=True)


def _require_same(connection: Connection, backbone: Backbone) -> None:
    """Raise BackboneMismatch if an answer was, perhaps, looked for among another backbone's embeddings."""
    stored = backbone_of(connection)
    if stored is None or not stored.same(backbone.identity):
        raise BackboneMismatch("the backbone of this database was changed; run the same command again")


def _asking(
    connection: Connection, backbone: Backbone, query: store.Query
) -> Callable[[bytes, NDArray[np.float32]], list[store.Recommendation]]:
    def ask(sha256: bytes, embedding: NDArray[np.float32]) -> list[store.Recommendation]:
        rejected = store.rejected_hashtags(connection, sha256)
        asked = replace(query, exclude=[*query.exclude, *rejected])
        found = store.recommend(connection, embedding, asked)
        _require_same(connection, backbone)
        return found

    return ask


def similar(
    connection: Connection, backbone: Backbone, photos: Sequence[str], top: int = 10
) -> Iterator[tuple[str, list[store.SimilarImage] | RejectedInput]]:
    """For each photo the stored images most like it, or why it was rejected; see :func:`recommend`."""

    def ask(sha256: bytes, embedding: NDArray[np.float32]) -> list[store.SimilarImage]:
        found = store.similar(connection, embedding, top)
        _require_same(connection, backbone)
        return found

    return each(backbone, photos, ask, apart=len(photos) > 1)


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
        raise FactorsError("none of the stored images has a hashtag to learn from; ingest some that do")
    if not ready.factors:
        raise FactorsError("there are no factors yet; run: tagdb factors compute")
