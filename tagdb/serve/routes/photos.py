"""Photos that need not be stored, and their embeddings."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from tagdb import recommend, store
from tagdb.embedding.backbone import Backbone
from tagdb.embedding.worker import Embedded
from tagdb.errors import RejectedInput
from tagdb.hashtags import fold, printable
from tagdb.postgres.database import Connection
from tagdb.serve import bodies
from tagdb.serve.access import Caller
from tagdb.serve.bodies import BODY, Count, Numbers, Photo, Photos, Sha256, Steering, Text
from tagdb.serve.problems import NoSuch
from tagdb.serve.routes.common import Asked, Reader
from tagdb.serve.service import Service
from tagdb.store.answers import Contribution

router = APIRouter(tags=["photos"])

AT_ONCE = 4
"""Photos of one form that are embedded at once, so that others get their turn."""
Answer = dict[str, Any]


class Top(BaseModel):
    """How many to return."""

    model_config = ConfigDict(extra="forbid")
    top: Count = Field(10, description="Number of images.")


class Nothing(BaseModel):
    """No parameters."""

    model_config = ConfigDict(extra="forbid")


class SteeredEmbedding(Steering):
    """An embedding and what steers its recommendation."""

    embedding: Numbers
    content_sha256: Sha256 | None = Field(
        None, description="Of the photo's file: what feedback rejected for it is left out."
    )


class TopOfEmbedding(Top):
    """An embedding and how many images to return."""

    embedding: Numbers


class ExplainedEmbedding(BaseModel):
    """An embedding, a hashtag, and the number of neighbours."""

    model_config = ConfigDict(extra="forbid")
    embedding: Numbers
    hashtag: Text
    neighbours: Count | None = None


@router.post("/recommend", openapi_extra=BODY, summary="Recommend hashtags for photos")
async def recommend_photos(
    request: Request, service: Asked, caller: Reader, steering: Annotated[Steering, Query()]
) -> Answer:
    """Hashtags for a photo, best first; as ``tagdb recommend``.

    A photo as the body is answered by one object, a form by ``{"photos": [...]}``, in which a photo that
    cannot be used has an ``error``.
    """
    given = await bodies.read(request)
    query = given.parsed(Steering, steering).query()
    if not service.ready:
        await service.ask(caller.role, lambda c: recommend.require_ready(c, query.collection))
        service.ready = True

    def ask(connection: Connection, backbone: Backbone, done: Embedded) -> Answer:
        rows = recommend.recommend_one(connection, backbone, done.photo.sha256, done.required(), query)
        if not rows:  # looked up only then, because it takes as long as recommending
            recommend.require_ready(connection, query.collection)
        return {"hashtags": [asdict(row) for row in rows]}

    return await each(request, service, caller, given, ask)


@router.post("/similar", openapi_extra=BODY, summary="Stored images like photos")
async def similar(
    request: Request, service: Asked, caller: Reader, wanted: Annotated[Top, Query()]
) -> Answer:
    """Stored images most like a photo, nearest first; as ``tagdb similar``."""
    given = await bodies.read(request)
    top: int = given.parsed(Top, wanted).top
    await service.ask(caller.role, recommend.require_images)

    def ask(connection: Connection, backbone: Backbone, done: Embedded) -> Answer:
        rows = recommend.similar_to_one(connection, backbone, done.required(), top)
        return {"images": [asdict(row) for row in rows]}

    return await each(request, service, caller, given, ask)


@router.post("/embed", openapi_extra=BODY, summary="The embeddings of photos")
async def embed(
    request: Request, service: Asked, caller: Reader, nothing: Annotated[Nothing, Query()]
) -> Answer:
    """The 1280 numbers of a photo, for ``tagdb.recommend_for_embedding`` and its like."""
    given = await bodies.read(request)
    given.parsed(Nothing, nothing)

    def ask(connection: Connection, backbone: Backbone, done: Embedded) -> Answer:
        if recommend.backbone_of(connection) is not None:  # before the first photo, any is the right one
            recommend.require_backbone(connection, backbone)
        return {"backbone": str(backbone.identity), "embedding": done.required().tolist()}

    return await each(request, service, caller, given, ask)


@router.post("/recommend_for_embedding", summary="Recommend hashtags for an embedding")
async def recommend_for_embedding(service: Asked, caller: Reader, given: SteeredEmbedding) -> Answer:
    """Hashtags for an embedding; as ``tagdb.recommend_for_embedding`` in SQL."""
    asked = given.query()

    def ask(connection: Connection) -> Answer:
        query = asked
        if given.content_sha256 is not None:
            query = recommend.without_rejected(connection, bytes.fromhex(given.content_sha256), asked)
        rows = store.answers.recommend(connection, _array(given.embedding), query)
        if not rows:
            recommend.require_ready(connection, query.collection)
        return {"hashtags": [asdict(row) for row in rows]}

    return await service.ask(caller.role, ask)


@router.post("/similar_to_embedding", summary="Stored images like an embedding")
async def similar_to_embedding(service: Asked, caller: Reader, given: TopOfEmbedding) -> Answer:
    """Stored images nearest to an embedding; as ``tagdb.similar_images`` in SQL."""
    rows = await service.ask(
        caller.role, lambda c: store.answers.similar(c, _array(given.embedding), given.top)
    )
    return {"images": [asdict(row) for row in rows]}


@router.post("/explain_embedding", summary="Why a hashtag has its score for an embedding")
async def explain_embedding(service: Asked, caller: Reader, given: ExplainedEmbedding) -> Answer:
    """The neighbours and what each adds to a hashtag's score; as ``tagdb.explain_recommendation`` in SQL."""
    hashtag = fold(given.hashtag)
    rows = await service.ask(
        caller.role, lambda c: store.answers.explain(c, _array(given.embedding), hashtag, given.neighbours)
    )
    return explanation(hashtag, rows)


def explanation(hashtag: str, rows: list[Contribution]) -> Answer:
    """Return why a hashtag has its score.

    Raises
    ------
    NoSuch
        The active factor run does not know the hashtag.
    """
    if not rows:
        raise NoSuch(f"the active factor run does not know #{printable(hashtag)}, or there is none")
    score = sum(row.contribution for row in rows)
    return {"hashtag": hashtag, "score": score, "contributions": [asdict(row) for row in rows]}


async def each(
    request: Request,
    service: Service,
    caller: Caller,
    given: Photos,
    ask: Callable[[Connection, Backbone, Embedded], Answer],
    again: bool = True,
) -> Answer:
    """Return the answer for the photo that is the body, or for each photo of a form."""

    async def one(photo: Photo) -> Answer:
        def answer(connection: Connection, backbone: Backbone, done: Embedded) -> Answer:
            sha256 = done.photo.sha256.hex()
            return {"photo": photo.name, "content_sha256": sha256, **ask(connection, backbone, done)}

        return await service.embedded(request, caller.role, photo.content, answer, again)

    if given.alone:
        return await one(given.photos[0])
    turns = asyncio.Semaphore(AT_ONCE)

    async def in_turn(photo: Photo) -> Answer:
        async with turns:
            try:
                return await one(photo)
            except RejectedInput as error:
                return {"photo": photo.name, "error": printable(str(error)), "reason_code": error.reason_code}

    return {"photos": await together([in_turn(photo) for photo in given.photos])}


async def together(works: list[Awaitable[Answer]]) -> list[Answer]:
    """Return all answers in order; if one fails, the others are given up."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


def _array(numbers: list[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(numbers, np.float64)
