"""The application, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from tagdb import __version__
from tagdb.serve import page, problems
from tagdb.serve.access import Access
from tagdb.serve.guard import Guard
from tagdb.serve.jobs import Jobs
from tagdb.serve.routes import hashtags, images, jobs, photos, session, state
from tagdb.serve.service import Service

_DESCRIPTION = (
    "Hashtag recommendations for pictures, computed inside PostgreSQL. Every answer is that of a function "
    "or a view of schema tagdb. Errors are problem documents (RFC 9457) whose detail is one sentence."
)
_PROBLEM = {
    "description": "A problem document.",
    "content": {problems.MEDIA_TYPE: {"schema": {"type": "object"}}},
}
_PROBLEMS = dict.fromkeys((400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503), _PROBLEM)


def build(service: Service, access: Access) -> ASGIApp:
    """Return the application of a service, which ends with it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await service.prepare()
        yield
        await app.state.jobs.close()
        service.close()

    app = FastAPI(
        title="tagdb",
        version=__version__,
        description=_DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.service, app.state.access, app.state.jobs = service, access, Jobs(service.settings)
    problems.install(app)
    api = APIRouter(prefix="/v1", responses=_PROBLEMS)  # type: ignore[arg-type]
    for routes in (photos, images, hashtags, state, jobs, session):
        api.include_router(routes.router)
    for route in api.routes:
        if isinstance(route, APIRoute):  # docstrings are for people who read code
            route.description = route.description.replace("``", "`")
    app.include_router(api)
    page.install(app)
    return Guard(app, access, service.options, service.metrics)
