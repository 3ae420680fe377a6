"""Photos and steering, from bodies, forms and query parameters."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, get_origin

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.datastructures import UploadFile

from tagdb.hashtags import given, printable
from tagdb.serve.options import PHOTO_BYTES
from tagdb.serve.problems import Problem
from tagdb.store.answers import Query

FILES = 100
"""Most photos in a form."""
_FORM = "multipart/form-data"
_PICTURES = ("image/", "application/octet-stream", "binary/", "application/x-www-form-urlencoded")
"""What a body may be called. The last is what curl --data-binary calls everything."""


def _storable(text: str) -> str:
    """Refuse what PostgreSQL cannot store."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("contains a character that cannot be stored")
    return text


def _numbers(values: Sequence[float]) -> Sequence[float]:
    """Refuse numbers that are not finite or do not fit into half precision."""
    if not all(math.isfinite(value) and abs(value) < 65504 for value in values):
        raise ValueError("has a number that is not finite or too large")
    return values


Text = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_storable)]
Count = Annotated[int, Field(ge=1, le=10_000)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Numbers = Annotated[list[float], Field(min_length=1280, max_length=1280), AfterValidator(_numbers)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")]
ImageId = Annotated[int, Field(ge=1, le=2**63 - 1)]


class Steering(BaseModel):
    """What steers a recommendation; the arguments of ``tagdb.recommend_for_embedding``."""

    model_config = ConfigDict(extra="forbid")

    top: Count = Field(10, description="Number of hashtags.")
    neighbours: Count | None = Field(None, description="Nearest images to average; as in the factor run.")
    known: list[Text] = Field([], description="Hashtags that the photo already has; repeatable.")
    exclude: list[Text] = Field([], description="Hashtags not to recommend; repeatable.")
    known_weight: Share | None = Field(None, description="How strongly known steers; 0.5 if not given.")
    diversity: Share | None = Field(None, description="0: the best; 1: as different as possible.")
    popularity_discount: Share | None = Field(None, description="0: none; 1: as if all were equally rare.")
    min_score: Annotated[float, Field(allow_inf_nan=False)] | None = Field(
        None, description="Leave out hashtags with a lower score."
    )
    collection: Text | None = Field(None, description="Average only images of this collection.")

    def query(self) -> Query:
        """Return the arguments of the SQL function.

        Raises
        ------
        RejectedInput
            One of the hashtags is none.
        """
        return Query(
            self.top,
            self.neighbours,
            given(self.known),
            given(self.exclude),
            self.known_weight,
            self.diversity,
            self.popularity_discount,
            self.min_score,
            self.collection,
        )


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo of a request."""

    name: str | None
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Photos:
    """The photos of a request."""

    photos: list[Photo]
    alone: bool
    """Whether the body is one photo, and no form."""
    fields: dict[str, list[str]] = field(default_factory=dict)
    """What else is in the form."""

    def parsed(self, model: type[BaseModel], query: BaseModel) -> Any:
        """Return the query parameters, with fields of the form in their place.

        Raises
        ------
        RequestValidationError
            A field is unknown or not valid.
        """
        if not self.fields:
            return query
        lists = {name for name, each in model.model_fields.items() if get_origin(each.annotation) is list}
        values: dict[str, Any] = {
            name: each if name in lists else each[-1] for name, each in self.fields.items()
        }
        values = {name: value for name, value in values.items() if value != ""}  # a field left empty
        try:
            return model.model_validate(query.model_dump(exclude_unset=True) | values)
        except ValidationError as error:
            raise RequestValidationError(
                [{**each, "loc": ("form", *each["loc"])} for each in error.errors()]
            ) from error


async def read(request: Request) -> Photos:
    """Read the photos of a request: the body, or the files of a form in its field ``photo``.

    Raises
    ------
    Problem
        There is none, it is too large, or the body is something else.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _FORM:
        return await _form(request)
    if kind and not kind.startswith(_PICTURES):
        raise Problem(
            415, f"the body is {printable(kind)}; send a photo's bytes, or a form with the file photo"
        )
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > PHOTO_BYTES:
            raise Problem(413, f"the photo has more than {PHOTO_BYTES >> 20} MiB")
    if not size:
        raise Problem(422, "the body is empty; send a photo's bytes, or a form with the file photo")
    return Photos([Photo(None, b"".join(parts))], alone=True)


async def _form(request: Request) -> Photos:
    photos: list[Photo] = []
    fields: dict[str, list[str]] = {}
    async with request.form(max_files=FILES, max_fields=1000) as form:
        for name, value in form.multi_items():
            if not isinstance(value, UploadFile):
                fields.setdefault(name, []).append(value)
                continue
            if name != "photo":
                raise Problem(422, f"the form has a file {printable(name)}; photos are in its field photo")
            if (value.size or 0) > PHOTO_BYTES:
                raise Problem(
                    413, f"{printable(value.filename or 'a photo')} has more than {PHOTO_BYTES >> 20} MiB"
                )
            photos.append(Photo(value.filename or None, await value.read()))
    if not photos:
        raise Problem(422, "the form has no file; photos are in its field photo")
    return Photos(photos, alone=False, fields=fields)


BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A photo's bytes, or a form with photos, in which fields stand for query parameters.",
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            _FORM: {
                "schema": {
                    "type": "object",
                    "required": ["photo"],
                    "properties": {
                        "photo": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "minItems": 1,
                        }
                    },
                }
            },
        },
    }
}
"""The same for OpenAPI."""
