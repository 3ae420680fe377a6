"""Stored images: listing, looking, recommending, and correcting."""

import base64
import binascii
import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tagdb import corrections, feedback, recommend, store
from tagdb.embedding.backbone import Backbone
from tagdb.embedding.worker import Embedded
from tagdb.errors import RejectedInput
from tagdb.hashtags import fold, given
from tagdb.photos.uris import file_name
from tagdb.postgres.database import Connection
from tagdb.serve import bodies
from tagdb.serve.bodies import BODY, Count, ImageId, Sha256, Steering, Text
from tagdb.serve.problems import NoSuch, Problem
from tagdb.serve.routes.common import Analyst, Asked, Reader, Writer
from tagdb.serve.routes.photos import Answer, Top, each, explanation
from tagdb.store.images import Filter, Image
from tagdb.storing import store_photo

router = APIRouter(prefix="/images", tags=["images"])

Number = Annotated[ImageId, Path(description="Number of the image.")]
_FOREVER = "private, max-age=86400, immutable"
"""A number's image never changes."""


class Listing(BaseModel):
    """Which images to list."""

    model_config = ConfigDict(extra="forbid")
    collection: Text | None = None
    hashtag: Text | None = None
    taken_from: AwareDatetime | None = Field(None, description="Taken then or later; stored, if unknown.")
    taken_to: AwareDatetime | None = Field(None, description="Taken before.")
    content_sha256: Sha256 | None = None
    order: Literal["stored", "taken"] = "stored"
    limit: Annotated[int, Field(ge=1, le=500)] = 60
    cursor: Text | None = Field(None, description="next of the page before.")


class Explained(BaseModel):
    """A hashtag and the number of neighbours."""

    model_config = ConfigDict(extra="forbid")
    hashtag: Text
    neighbours: Count | None = None


class Verdicts(BaseModel):
    """Which recommended hashtags were right."""

    model_config = ConfigDict(extra="forbid")
    accepted: list[Text] = []
    rejected: list[Text] = []
    factor_run_id: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class Withdrawal(BaseModel):
    """Hashtags on which feedback is taken back."""

    model_config = ConfigDict(extra="forbid")
    hashtags: list[Text]


class Retagging(BaseModel):
    """Hashtags to give to an image and to take from it."""

    model_config = ConfigDict(extra="forbid")
    add: list[Text] = []
    remove: list[Text] = []


class New(BaseModel):
    """What is known of photos that are to be stored."""

    model_config = ConfigDict(extra="forbid")
    hashtags: list[Text] = []
    collection: Text | None = None
    name: Text | None = Field(None, description="Name of a photo that is the body.")


def _bytes_of(media_type: str) -> dict[int | str, dict[str, Any]]:
    """Return how an answer of bytes is described."""
    return {
        200: {"content": {media_type: {"schema": {"type": "string", "format": "binary"}}}},
        304: {"description": "The browser has it."},
    }


@router.get("", summary="List images")
async def images(service: Asked, caller: Reader, which: Annotated[Listing, Query()]) -> Answer:
    """A page of images, the newest first; ``next`` is the cursor of the next one."""
    after = _place(which.cursor) if which.cursor else None
    sha256 = bytes.fromhex(which.content_sha256) if which.content_sha256 else None
    wanted = Filter(
        which.collection,
        fold(which.hashtag) if which.hashtag else None,
        sha256,
        which.taken_from,
        which.taken_to,
    )
    rows = await service.ask(
        caller.role, lambda c: store.images.page(c, wanted, which.order, which.limit + 1, after)
    )
    shown = rows[: which.limit]
    return {
        "images": [_shown(row) for row in shown],
        "next": _cursor(shown[-1]) if len(rows) > which.limit else None,
    }


@router.post(
    "",
    status_code=201,
    responses={200: {"description": "All were stored before."}},
    openapi_extra=BODY,
    summary="Store photos",
)
async def add(
    request: Request, response: Response, service: Asked, caller: Writer, new: Annotated[New, Query()]
) -> Answer:
    """Store a photo with its hashtags, or the photos of a form. 200 if all were stored before."""
    photos = await bodies.read(request)
    said: New = photos.parsed(New, new)

    async def stored(photo: bodies.Photo) -> Answer:
        def save(connection: Connection, backbone: Backbone, done: Embedded) -> Answer:
            one = store_photo(
                connection, backbone, photo.content, done, said.hashtags,
                name=photo.name or said.name or "photo", collection=said.collection,
            )  # fmt: skip
            service.settler.stored()
            return {"image_id": one.image_id, "new": one.new, "refused": list(one.refused)}

        alone = bodies.Photos([photo], alone=True)
        try:
            return await each(request, service, caller, alone, save)
        except RejectedInput as error:
            if photos.alone:
                raise
            return {"photo": photo.name, "error": str(error), "reason_code": error.reason_code}

    answers = [await stored(photo) for photo in photos.photos]  # one by one: they may be the same photo
    if not any(answer.get("new") for answer in answers):
        response.status_code = 200 if any("image_id" in answer for answer in answers) else 422
    return answers[0] if photos.alone else {"photos": answers}


@router.get("/{image_id}", summary="An image")
async def image(service: Asked, caller: Reader, image_id: Number) -> Answer:
    """All that is known of an image, with its hashtags; ``original``: whether you can have its file."""

    def ask(connection: Connection) -> Answer:
        found = store.images.get(connection, image_id)
        if found is None:
            raise _no(image_id)
        hashtags = [asdict(each) for each in store.images.hashtags(connection, image_id)]
        more = {"ingest_run_id": found.ingest_run_id, "metadata": found.metadata}
        more |= {"has_embedding": found.has_embedding, "has_factors": found.has_factors}
        more["original"] = caller.may("writer") and store.images.has_original(connection, image_id)
        return {**_shown(found), **more, "hashtags": hashtags}

    return await service.ask(caller.role, ask)


@router.delete("/{image_id}", status_code=204, summary="Remove an image")
async def remove(service: Asked, caller: Writer, image_id: Number) -> None:
    """Remove an image with all that belongs to it; as ``tagdb remove``."""
    removed = await service.ask(caller.role, lambda c: corrections.remove(c, [image_id]))
    if not removed.images:
        raise _no(image_id)


@router.get(
    "/{image_id}/thumbnail",
    summary="Its thumbnail",
    response_class=Response,
    responses=_bytes_of("image/jpeg"),
)
async def thumbnail(request: Request, service: Asked, caller: Analyst, image_id: Number) -> Response:
    """A small JPEG."""
    return await _file(request, service, caller.role, image_id, original=False)


@router.get(
    "/{image_id}/original", summary="Its file", response_class=Response, responses=_bytes_of("image/*")
)
async def original(request: Request, service: Asked, caller: Writer, image_id: Number) -> Response:
    """The photo's file, if it is kept in the database."""
    return await _file(request, service, caller.role, image_id, original=True)


@router.get("/{image_id}/recommend", summary="Recommend hashtags for an image")
async def recommend_for_image(
    service: Asked, caller: Reader, image_id: Number, steering: Annotated[Steering, Query()]
) -> Answer:
    """Hashtags for a stored image; as ``tagdb.recommend_for_image`` in SQL."""
    query = steering.query()

    def ask(connection: Connection) -> Answer:
        rows = store.answers.recommend_for_image(connection, image_id, query)
        if not rows:
            _require(connection, image_id)
            recommend.require_ready(connection, query.collection)
        return {"image_id": image_id, "hashtags": [asdict(row) for row in rows]}

    return await service.ask(caller.role, ask)


@router.get("/{image_id}/similar", summary="Images like an image")
async def similar(
    service: Asked, caller: Reader, image_id: Number, wanted: Annotated[Top, Query()]
) -> Answer:
    """Stored images most like a stored image; as ``tagdb.similar_images_to`` in SQL."""

    def ask(connection: Connection) -> Answer:
        rows = store.answers.similar_to_image(connection, image_id, wanted.top)
        if not rows:
            _require(connection, image_id)
        return {"image_id": image_id, "images": [asdict(row) for row in rows]}

    return await service.ask(caller.role, ask)


@router.get("/{image_id}/explain", summary="Why a hashtag has its score for an image")
async def explain(
    service: Asked, caller: Reader, image_id: Number, wanted: Annotated[Explained, Query()]
) -> Answer:
    """The neighbours and what each adds to the score."""
    hashtag = fold(wanted.hashtag)

    def ask(connection: Connection) -> Answer:
        _require(connection, image_id)
        rows = store.answers.explain_for_image(connection, image_id, hashtag, wanted.neighbours)
        return explanation(hashtag, rows)

    return await service.ask(caller.role, ask)


@router.post("/{image_id}/feedback", summary="Say which hashtags were right")
async def give_feedback(service: Asked, caller: Writer, image_id: Number, verdicts: Verdicts) -> Answer:
    """Record accepted and rejected hashtags; as ``tagdb feedback``."""

    def ask(connection: Connection) -> Answer:
        _require(connection, image_id)
        done = feedback.give_by_content(
            connection, store.answers.content_sha256(connection, image_id), f"image {image_id}",
            given(verdicts.accepted), given(verdicts.rejected), verdicts.factor_run_id,
        )  # fmt: skip
        return {"hashtags_accepted": done.accepted, "hashtags_rejected": done.rejected}

    return await service.ask(caller.role, ask, again=False)


@router.post("/{image_id}/feedback/withdraw", summary="Take feedback back")
async def withdraw(service: Asked, caller: Writer, image_id: Number, which: Withdrawal) -> Answer:
    """Take back the last feedback on some hashtags; as ``tagdb feedback --withdraw``."""

    def ask(connection: Connection) -> Answer:
        _require(connection, image_id)
        return {"withdrawn": feedback.withdraw(connection, image_id, given(which.hashtags)).hashtags}

    return await service.ask(caller.role, ask, again=False)


@router.post("/{image_id}/hashtags", summary="Give and take hashtags")
async def retag(service: Asked, caller: Writer, image_id: Number, change: Retagging) -> Answer:
    """Give hashtags to an image and take others from it; as ``tagdb tag`` and ``tagdb untag``."""

    def ask(connection: Connection) -> Answer:
        _require(connection, image_id)
        there = corrections.find_one(connection, image_id)
        added = corrections.tag(connection, there, change.add).added if change.add else []
        removed = corrections.untag(connection, there, change.remove).removed if change.remove else []
        return {"added": added, "removed": removed}

    return await service.ask(caller.role, ask)


def _shown(row: Image) -> Answer:
    shown: dict[str, Any] = asdict(row)
    return {name: shown[name] for name in Image.__dataclass_fields__} | {"name": unquote(file_name(row.uri))}


def _require(connection: Connection, image_id: int) -> None:
    if not store.images.exists(connection, image_id):
        raise _no(image_id)


def _no(image_id: int) -> Problem:
    return NoSuch(f"there is no image {image_id}")


def _cursor(row: Image) -> str:
    place = json.dumps([row.time.isoformat(), row.image_id])
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[datetime, int]:
    try:
        time, image_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        place = datetime.fromisoformat(time), int(image_id)
        if place[0].tzinfo is None or not 0 < place[1] < 2**63:
            raise ValueError
    except (ValueError, TypeError, OverflowError, binascii.Error):
        raise Problem(422, "cursor: not one that a page before has given as next") from None
    return place


async def _file(request: Request, service: Asked, role: str, image_id: int, original: bool) -> Response:
    """Return the bytes of an image. They never change, so a browser may keep them."""

    def ask(connection: Connection) -> tuple[bytes | None, str, str]:
        found = store.images.get(connection, image_id)
        if found is None:
            raise _no(image_id)
        etag = f'"{found.content_sha256[:32]}-{"original" if original else "thumbnail"}"'
        if request.headers.get("if-none-match") == etag:
            return None, "", etag
        content = (store.images.original if original else store.images.thumbnail)(connection, image_id)
        if content is None:
            raise NoSuch(f"the file of image {image_id} is not kept in the database")
        return content, found.media_type if original else "image/jpeg", etag

    content, media_type, etag = await service.ask(role, ask)
    headers = {"etag": etag, "cache-control": _FOREVER}
    if content is None:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)
