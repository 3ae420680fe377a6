"""What all routes share: who asks, and the service that answers."""

from typing import Annotated

from fastapi import Depends, Request

from tagdb.serve.access import Caller
from tagdb.serve.service import Service


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _reader(request: Request) -> Caller:
    return await _caller(request, "reader")


async def _analyst(request: Request) -> Caller:
    return await _caller(request, "analyst")


async def _writer(request: Request) -> Caller:
    return await _caller(request, "writer")


async def _caller(request: Request, role: str) -> Caller:
    caller: Caller = await request.app.state.access.caller(request, role)
    return caller


Asked = Annotated[Service, Depends(_service)]
"""The service that is asked."""
Reader = Annotated[Caller, Depends(_reader)]
Analyst = Annotated[Caller, Depends(_analyst)]
Writer = Annotated[Caller, Depends(_writer)]
"""Who asks, with at least this role."""
