"""Who is asking: for the page, which signs in with a token where one is needed."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from tagdb.serve.access import Access
from tagdb.serve.bodies import Text
from tagdb.serve.routes.photos import Answer

router = APIRouter(prefix="/session", tags=["session"])


class Given(BaseModel):
    """A token."""

    model_config = ConfigDict(extra="forbid")
    token: Text


@router.get("", summary="Who is asking")
async def session(request: Request) -> Answer:
    """Name and role of whoever asks; a null role means that a token is needed."""
    access = _access(request)
    caller = await access.identified(request)
    return {
        "name": caller.name if caller else None,
        "role": caller.role if caller else None,
        "needs_token": not access.trusts(request),
    }


@router.post("", summary="Sign in")
async def sign_in(request: Request, response: Response, given: Given) -> Answer:
    """Keep a token in a cookie that scripts cannot read and other sites cannot send."""
    access = _access(request)
    caller = await access.holder(request, given.token)
    response.set_cookie(
        access.token_cookie_name,
        given.token,
        httponly=True,
        samesite="strict",
        secure=access.secure(request),
        path="/",
    )
    return {"name": caller.name, "role": caller.role, "needs_token": not access.trusts(request)}


@router.delete("", status_code=204, summary="Sign out")
async def sign_out(request: Request, response: Response) -> None:
    """Forget the token."""
    response.delete_cookie(_access(request).token_cookie_name, path="/")


def _access(request: Request) -> Access:
    access: Access = request.app.state.access
    return access
