"""How the database and the service are: status, views, doctor, factor runs, metrics."""

from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from tagdb import __version__, factors, store
from tagdb.errors import TagdbError
from tagdb.hashtags import printable
from tagdb.postgres.database import Connection
from tagdb.serve.bodies import Text
from tagdb.serve.problems import NoSuch
from tagdb.serve.routes.common import Asked, Reader, Writer
from tagdb.serve.routes.photos import Answer
from tagdb.serve.service import Service
from tagdb.store.answers import State

router = APIRouter(tags=["state"])


class Window(BaseModel):
    """Which rows of a view."""

    model_config = ConfigDict(extra="forbid")
    limit: Annotated[int, Field(ge=1, le=10_000)] = 100
    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0


@router.get("/healthz", summary="Whether the service runs")
async def healthz() -> Answer:
    """Answered as long as the service runs, whatever the database does. Takes no token."""
    return {"status": "ok"}


@router.get("/readyz", summary="Whether it can recommend", responses={503: {}})
async def readyz(service: Asked, response: Response) -> Answer:
    """Whether the database answers and hashtags can be recommended. Takes no token."""
    try:
        ready = await service.ask("reader", store.answers.readiness)
    except TagdbError:
        response.status_code = 503
        return {"ready": False, "reason": "the database does not answer"}
    if not ready.factors:
        response.status_code = 503
        return {"ready": False, "reason": "there are no factors to recommend from"}
    return {"ready": True, "reason": None}


@router.get("/status", summary="What is stored, and how busy the service is")
async def status(service: Asked, caller: Reader) -> Answer:
    """Numbers of images and hashtags, the backbone, the active factor run, the queue, the vector index."""
    state = await service.ask(caller.role, store.answers.state)
    run = {"factor_run_id": state.factor_run_id, "computed_at": state.computed_at}
    return {
        "version": __version__,
        "images": state.images,
        "hashtags": state.hashtags,
        "backbone": state.backbone,
        "factor_run": run if state.factor_run_id is not None else None,
        "statistics": {"refreshed_at": state.refreshed_at},
        "index": {"recall": state.recall, "checked_at": state.checked_at} if state.checked_at else None,
        "queue": {"photos": service.photos, "workers": service.workers},
    }


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(service: Asked, caller: Reader) -> Response:
    """Requests, latencies by step, the queue, rejected photos, connections, images, the factor run."""
    with suppress(TagdbError):  # what the service knows of itself can be told without the database
        _measure(service, await service.ask(caller.role, store.answers.state))
    return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _measure(service: Service, state: State) -> None:
    metrics = service.metrics
    metrics.images.set(state.images)
    metrics.run.set(state.factor_run_id or 0)
    if state.computed_at:
        metrics.run_age.set((datetime.now(UTC) - state.computed_at).total_seconds())
    if state.recall is not None:
        metrics.recall.set(state.recall)
    for (role, doing), number in service.connections().items():
        metrics.connections.labels(role, doing).set(number)


@router.get("/collections", summary="Collections")
async def collections(service: Asked, caller: Reader) -> Answer:
    """The rows of ``tagdb.collection_stats``."""
    return {
        "collections": await service.ask(caller.role, lambda c: store.answers.view(c, "collection_stats"))
    }


@router.get("/views/{view}", summary="Rows of a view")
async def view(
    service: Asked,
    caller: Reader,
    view: Annotated[Text, Path(description="A view of schema tagdb: coverage, factor_runs, …")],
    window: Annotated[Window, Query()],
) -> Answer:
    """Rows of a view of schema ``tagdb``, the newest first; as in SQL."""

    def ask(connection: Connection) -> Answer:
        if view not in store.answers.views(connection):
            raise NoSuch(f"there is no view {printable(view)} in schema tagdb")
        return {"rows": store.answers.view_page(connection, view, window.limit, window.offset)}

    return await service.ask(caller.role, ask)


@router.get("/doctor", summary="What is wrong with the database")
async def doctor(service: Asked, caller: Writer) -> Answer:
    """The findings of ``tagdb doctor``; may take seconds."""
    return {"findings": [asdict(finding) for finding in await service.examine()]}


@router.post("/factor_runs/{factor_run_id}/activate", summary="Recommend from another factor run")
async def activate(
    service: Asked, caller: Writer, factor_run_id: Annotated[int, Path(ge=1, le=2**31 - 1)]
) -> Answer:
    """Recommend from a run that is stored; an earlier one rolls back. As ``tagdb factors activate``."""
    await service.ask(caller.role, lambda c: factors.activate(c, factor_run_id), again=False)
    return {"factor_run_id": factor_run_id}
