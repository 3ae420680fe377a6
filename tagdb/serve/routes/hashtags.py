"""Hashtags: completion, statistics, and decisions about them."""

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from tagdb import store
from tagdb.hashtags import fold, given, printable
from tagdb.postgres.database import Connection
from tagdb.serve.bodies import Text
from tagdb.serve.problems import NoSuch, Problem
from tagdb.serve.routes.common import Asked, Reader, Writer
from tagdb.serve.routes.photos import Answer

router = APIRouter(tags=["hashtags"])

_PAIRS = 20


class Ranking(BaseModel):
    """Which hashtags to list, and in which order."""

    model_config = ConfigDict(extra="forbid")
    prefix: Text | None = Field(None, description="Complete it: best first.")
    known: list[Text] = Field([], description="With prefix: hashtags that the photo already has.")
    order: Literal["images", "growing", "hashtag"] = "images"
    limit: Annotated[int, Field(ge=1, le=1000)] = 50
    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0


class Few(BaseModel):
    """How many to return."""

    model_config = ConfigDict(extra="forbid")
    limit: Annotated[int, Field(ge=1, le=1000)] = _PAIRS


class Edit(BaseModel):
    """An edit of hashtags: an alias of one or several, or a ban."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["alias", "merge", "ban"]
    hashtags: Annotated[list[Text], Field(min_length=1)]
    into: Text | None = None


@router.get("/hashtags", summary="List or complete hashtags")
async def hashtags(service: Asked, caller: Reader, which: Annotated[Ranking, Query()]) -> Answer:
    """Hashtags with their statistics: the most used, those that grow, or those that complete a prefix."""
    known = given(which.known)  # refused where one is no hashtag, whatever is asked for

    def ask(connection: Connection) -> list[store.hashtags.Hashtag]:
        if which.prefix is not None:
            return store.hashtags.complete(connection, which.prefix, known, which.limit)
        return store.hashtags.ranking(connection, which.order, which.limit, which.offset)

    return {"hashtags": [asdict(row) for row in await service.ask(caller.role, ask)]}


@router.get("/hashtags/{hashtag:path}", summary="A hashtag")
async def hashtag(
    service: Asked, caller: Reader, hashtag: Annotated[Text, Path(description="In any spelling.")]
) -> Answer:
    """A hashtag with its statistics, the related ones, its pairs, and its images by month."""
    folded = fold(hashtag)

    def ask(connection: Connection) -> Answer:
        found = store.hashtags.get(connection, folded)
        if found is None:
            raise NoSuch(f"no image has ever had #{printable(folded)}")
        return {
            **asdict(found),
            "aliases": found.aliases or [],
            "collection_names": found.collection_names or [],
            "related": [asdict(row) for row in store.answers.related(connection, folded)],
            "pairs": [asdict(row) for row in store.hashtags.pairs_of(connection, folded, _PAIRS)],
            "trend": [asdict(row) for row in store.hashtags.trend(connection, folded)],
        }

    return await service.ask(caller.role, ask)


@router.get("/pairs", summary="Hashtags that go together")
async def pairs(service: Asked, caller: Reader, few: Annotated[Few, Query()]) -> Answer:
    """Pairs of hashtags on the same images, the most frequent first."""
    rows = await service.ask(caller.role, lambda c: store.hashtags.pairs(c, few.limit))
    return {"pairs": [asdict(row) for row in rows]}


@router.get("/edits", summary="Edits of hashtags")
async def edits(service: Asked, caller: Reader) -> Answer:
    """All aliases, merges and bans, the last first; ``undone_at`` says which were undone."""
    rows = await service.ask(caller.role, lambda c: store.answers.view_page(c, "hashtag_edits", 1000, 0))
    return {"edits": rows}


@router.post("/edits", status_code=201, summary="Alias, merge or ban hashtags")
async def edit(service: Asked, caller: Writer, edit: Edit) -> Answer:
    """Make hashtags count as another one, or ban them; as ``tagdb tags``."""
    if (edit.into is None) != (edit.kind == "ban"):
        raise Problem(
            422, f"into: {'a ban has none' if edit.kind == 'ban' else 'which hashtag they count as'}"
        )
    named = given(edit.hashtags)
    into = fold(edit.into) if edit.into is not None else None
    done = await service.ask(caller.role, lambda c: store.tags.edit(c, edit.kind, named, into), again=False)
    return asdict(done)


@router.post("/edits/{edit_id}/undo", summary="Undo an edit")
async def undo(service: Asked, caller: Writer, edit_id: Annotated[int, Path(ge=1, le=2**63 - 1)]) -> Answer:
    """Undo an alias, merge or ban; as ``tagdb tags undo``."""
    return asdict(await service.ask(caller.role, lambda c: store.tags.undo(c, edit_id), again=False))
