"""Errors as problem documents, RFC 9457, with tagdb's own sentences."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from tagdb.errors import (
    BackboneError,
    DatabaseBusy,
    DatabaseGone,
    FactorsError,
    InvalidArgument,
    RejectedInput,
    SchemaError,
    TagdbError,
)
from tagdb.hashtags import printable
from tagdb.serve import page

MEDIA_TYPE = "application/problem+json"
_LOG = logging.getLogger("tagdb.serve")
logging.getLogger("python_multipart").setLevel(logging.ERROR)  # what is wrong with a form, its sender hears


class Problem(Exception):
    """A request that cannot be answered: its status, and one sentence for whoever asked."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None, **more: str) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.more = status, detail, headers or {}, more


class Busy(Problem):
    """There is too much to do; later there is less."""

    def __init__(self, detail: str, seconds: int = 1, status: int = 503) -> None:
        super().__init__(status, detail, {"Retry-After": str(seconds)})


class NoSuch(Problem):
    """There is no such thing."""

    def __init__(self, detail: str) -> None:
        super().__init__(404, detail)


_STATUSES: tuple[tuple[type[TagdbError], int], ...] = (
    (RejectedInput, 422),
    (InvalidArgument, 422),
    (DatabaseGone, 503),
    (DatabaseBusy, 503),
    (SchemaError, 503),
    (BackboneError, 503),
    (FactorsError, 409),
    (TagdbError, 409),
)
_AGAIN = {503: "5"}


def document(status: int, detail: str, headers: dict[str, str] | None = None, **more: Any) -> JSONResponse:
    """Return a problem document."""
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def of(error: TagdbError) -> Problem:
    """Return the problem that one of tagdb's errors is for a client."""
    status = next(status for kind, status in _STATUSES if isinstance(error, kind))
    if isinstance(error, DatabaseGone):  # where it is, and what to check, is for whoever runs the service
        _LOG.warning("%s", printable(str(error)))
        return Problem(status, "the database does not answer; try again", {"Retry-After": _AGAIN[status]})
    headers = {"Retry-After": _AGAIN[status]} if status in _AGAIN else None
    more = {"reason_code": error.reason_code} if isinstance(error, RejectedInput) else {}
    return Problem(status, printable(str(error)), headers, **more)


def install(app: FastAPI) -> None:
    """Answer every error by a problem document."""

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> JSONResponse:
        return document(error.status, error.detail, error.headers, **error.more)

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=499)  # nobody reads it

    @app.exception_handler(TagdbError)
    async def known(request: Request, error: TagdbError) -> JSONResponse:
        return await problem(request, of(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            return document(400, "the body is not JSON")
        if first["type"] == "model_attributes_type" and first["loc"] == ("body",):
            return document(415, "the body is no JSON object sent as application/json")
        where = [str(part) for part in first["loc"][1:]] or ["the body"]
        return document(422, printable(f"{'.'.join(where)}: {_lowered(first['msg'])}"))

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        by_a_browser = "text/html" in request.headers.get("accept", "")
        if error.status_code == 404 and by_a_browser and not request.url.path.startswith("/v1/"):
            return page.missing(request)
        if error.status_code == 404:
            detail = f"there is nothing at {printable(request.url.path)}; see /try"
        elif error.status_code == 405:
            detail = f"{printable(request.url.path)} cannot be asked by {request.method}"
        else:
            detail = str(error.detail)
        return document(error.status_code, detail, dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        _LOG.error("tagdb has a bug: %s %s", request.method, request.url.path, exc_info=error)
        return document(500, f"tagdb has a bug: {type(error).__name__}; please report it with the log")


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:]
