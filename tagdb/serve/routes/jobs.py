"""Long work that a page can start: computing factors, evaluating. One job at a time."""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from tagdb.serve.jobs import Jobs
from tagdb.serve.routes.common import Asked, Writer
from tagdb.serve.routes.photos import Answer

router = APIRouter(prefix="/jobs", tags=["state"])


class Wanted(BaseModel):
    """What to do."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["factors", "evaluate"]


@router.get("", summary="Long work")
async def jobs(request: Request, caller: Writer) -> Answer:
    """The last jobs, the newest first, with their results."""
    return {"jobs": [job.shown() for job in _jobs(request).all()]}


@router.post("", status_code=202, summary="Start long work")
async def start(request: Request, service: Asked, caller: Writer, wanted: Wanted) -> Answer:
    """Compute factors, or evaluate recommendations, in a process of its own."""
    return (await _jobs(request).start(wanted.kind)).shown()


def _jobs(request: Request) -> Jobs:
    jobs: Jobs = request.app.state.jobs
    return jobs
