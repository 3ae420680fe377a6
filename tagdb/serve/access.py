"""Who asks, and what they may do.

On this machine alone, everybody may read, and the service's own page may write: it has a cookie that no other
site can send, and its requests say where they come from. Everybody else needs a token, whose role is one of
PostgreSQL's: queries run as that role, so that the database itself refuses what it may not do.
"""

import secrets
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request

from tagdb import tokens
from tagdb.serve.limits import Rates
from tagdb.serve.problems import Busy, Problem
from tagdb.serve.service import Service

REMEMBERED = 1.0
"""Seconds for which a token is not looked up again, and so for which a revoked one still works."""
GUESSES = 10
"""Wrong tokens per minute and address; then the address has to wait."""
_SAFE = ("GET", "HEAD")
_FORWARDED = (
    "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip",
    "x-client-ip", "true-client-ip", "cf-connecting-ip",
)  # fmt: skip
"""Headers by which a proxy can be told. One that adds none, and asks by this machine's name, cannot."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    name: str | None
    """Name of the token; None: somebody on this machine."""
    role: str

    def may(self, role: str) -> bool:
        """Whether this caller has the rights of a role."""
        return tokens.ROLES.index(role) <= tokens.ROLES.index(self.role)


class Access:
    """Decides who asks. For one event loop."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._known: dict[bytes, tuple[float, Caller]] = {}
        self._guesses = Rates(GUESSES / 60, GUESSES)
        # browsers send a cookie to all ports of a host
        self.page_cookie_name = f"tagdb_page_{service.options.port}"
        self.token_cookie_name = f"tagdb_token_{service.options.port}"
        self.page_cookie = secrets.token_urlsafe(24)
        """What the page's cookie holds, made anew with every start."""

    async def caller(self, request: Request, role: str) -> Caller:
        """Return who asks for something that takes a role.

        Raises
        ------
        Problem
            401 without a valid token, 403 if it may not do this, 429 after too many wrong ones.
        """
        caller = await self.identified(request, writes=role == "writer")
        if caller is None:
            raise Problem(401, self._needed(request, role), {"WWW-Authenticate": 'Bearer realm="tagdb"'})
        if not caller.may(role):
            raise Problem(403, f"this takes the role {role}, and the token {caller.name!r} has {caller.role}")
        if role not in self._service.roles:
            raise Problem(
                403, f"this service's own login has not the role {role}, so nobody can do this here"
            )
        return caller

    async def identified(self, request: Request, writes: bool = False) -> Caller | None:
        """Return who asks; None for somebody without a token where one is needed."""
        if token := _bearer(request):
            return await self.holder(request, token)
        if token := request.cookies.get(self.token_cookie_name):
            try:
                return await self.holder(request, token)
            except Problem:
                if not self.trusts(request):  # where none is needed, one that is revoked does no harm
                    raise
        if not self.trusts(request):
            return None
        if self._is_page(request):
            return Caller(None, self._highest("writer"))
        return None if writes else Caller(None, self._highest("analyst"))

    def trusts(self, request: Request) -> bool:
        """Whether the request comes from this machine, and not through a proxy."""
        return self._service.options.trusting and not any(name in request.headers for name in _FORWARDED)

    @staticmethod
    def secure(request: Request) -> bool:
        """Whether the browser's connection is encrypted, as far as this service or its proxy knows."""
        return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))

    def _highest(self, wanted: str) -> str:
        below = tokens.ROLES[: tokens.ROLES.index(wanted) + 1]
        return max((role for role in self._service.roles if role in below), key=tokens.ROLES.index)

    async def holder(self, request: Request, token: str) -> Caller:
        """Return whose token it is.

        Raises
        ------
        Problem
            401 if nobody's, 429 after too many wrong ones.
        """
        key, now = tokens.digest(token), time.monotonic()
        seen, caller = self._known.get(key, (0.0, None))
        if caller is not None and now - seen < REMEMBERED:
            return caller
        address = request.client.host if request.client else ""
        # behind a proxy all have one address, and must not be shut out because one of them guesses
        if caller is None and (wait := self._guesses.empty(address)):
            raise Busy("too many wrong tokens came from this address; wait a minute", wait, 429)
        holder = await self._service.ask(None, lambda connection: tokens.holder(connection, token))
        if holder is None:
            self._known.pop(key, None)
            self._guesses.take(address)
            raise Problem(401, "the token is not valid, or was revoked", {"WWW-Authenticate": "Bearer"})
        if len(self._known) > 1000:
            self._known.clear()
        caller = Caller(holder.name, holder.role)
        self._known[key] = now, caller
        return caller

    def _is_page(self, request: Request) -> bool:
        given = request.cookies.get(self.page_cookie_name, "")
        return secrets.compare_digest(given.encode(), self.page_cookie.encode()) and (
            request.method in _SAFE or _own_origin(request)
        )

    def _needed(self, request: Request, role: str) -> str:
        if self.trusts(request):
            return (
                "without a token only the service's own page may do this; "
                f"to make one: tagdb serve token add NAME --role {role}"
            )
        return (
            "a token is needed, sent as Authorization: Bearer …; "
            f"to make one: tagdb serve token add NAME --role {role}"
        )


def check_origin(request: Request) -> None:
    """Refuse what another site's page makes a browser send.

    Raises
    ------
    Problem
        403: the request says that it comes from elsewhere.
    """
    headers = request.headers
    crossing = headers.get("sec-fetch-site") in ("cross-site", "same-site")
    visit = headers.get("sec-fetch-mode") == "navigate" and request.method in _SAFE
    foreign = "origin" in headers and not _own_origin(request)
    if foreign or (crossing and not visit):
        raise Problem(403, "requests from other sites' pages are not answered")
    cookies = any(name.startswith("tagdb_token_") for name in request.cookies)
    if (
        cookies
        and "authorization" not in headers
        and request.method not in _SAFE
        and not _own_origin(request)
    ):
        raise Problem(403, "a request that writes and has the page's cookie must come from the page")


def _bearer(request: Request) -> str | None:
    """Return the token that a request is sent with."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() or None if kind.lower() == "bearer" else None


def _own_origin(request: Request) -> bool:
    """Whether the request says that it comes from a page of this service."""
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    return origin is not None and urlsplit(origin).netloc.lower() == host.lower() != ""
