"""What every request goes through before a route sees it, and every answer on its way back.

Plain ASGI, because bodies pass through it byte for byte.
"""

import asyncio
import socket
import time
from urllib.parse import urlsplit

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tagdb.errors import TagdbError
from tagdb.hashtags import printable
from tagdb.serve import problems
from tagdb.serve.access import Access, check_origin
from tagdb.serve.limits import Rates
from tagdb.serve.metrics import Metrics
from tagdb.serve.options import BODY_SECONDS, IN_PROGRESS, REQUEST_BYTES, Options, is_address
from tagdb.serve.problems import Busy, Problem, document

HEADERS = {
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        b"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
}
"""Sent with every answer."""
_UNLIMITED = ("/v1/healthz", "/v1/readyz")
SIGN_IN = "/v1/session"
SIGNING_IN = 16
"""Attempts to sign in that are answered at once: they have no token yet, so they get few places."""
SIGN_IN_BYTES, SIGN_IN_SECONDS = 4096, 5.0
"""And little room and time."""
_FREE = (*_UNLIMITED, SIGN_IN, "/v1/openapi.json")
"""What takes no token anywhere."""


class Guard:
    """Checks host and origin, limits rate, size, time and number of requests, and measures them."""

    def __init__(self, app: ASGIApp, access: Access, options: Options, metrics: Metrics) -> None:
        self._app, self._access, self._options, self._metrics = app, access, options, metrics
        self._rates = Rates(options.limit, 2 * options.limit) if options.limit else None
        self._in_progress = self._signing_in = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        started = time.perf_counter()
        request = Request(scope)
        signs_in = _signs_in(request)
        self._in_progress += not signs_in
        self._signing_in += signs_in
        self._metrics.in_progress.inc()
        try:
            try:
                self._admit(request)
                await self._know(request)
            except (Problem, TagdbError) as error:
                why = problems.of(error) if isinstance(error, TagdbError) else error
                await document(why.status, why.detail, why.headers)(scope, receive, answer.send)
            else:
                limits = (SIGN_IN_BYTES, SIGN_IN_SECONDS) if signs_in else (REQUEST_BYTES, BODY_SECONDS)
                body = _Body(receive, request, *limits)
                await self._app(scope, body.receive, answer.send)
        finally:
            self._in_progress -= not signs_in
            self._signing_in -= signs_in
            self._metrics.in_progress.dec()
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(scope["method"], route, answer.status).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - started)

    def _admit(self, request: Request) -> None:
        self._check_host(request)
        check_origin(request)
        if request.url.path in _UNLIMITED:
            return
        full = self._signing_in > SIGNING_IN if _signs_in(request) else self._in_progress > IN_PROGRESS
        if full:
            self._metrics.turned_away.labels("requests").inc()
            raise Busy("too many requests are being answered; try again in a second")
        client = request.headers.get("authorization") or (request.client.host if request.client else "")
        if self._rates is not None and (wait := self._rates.take(client)):
            self._metrics.turned_away.labels("rate").inc()
            raise Busy(f"more than {self._options.limit:g} requests in a second; wait {wait} s", wait, 429)

    async def _know(self, request: Request) -> None:
        """Refuse whoever has no token where one is needed, before a byte of the body is read."""
        path = request.url.path
        if self._options.trusting or not path.startswith("/v1/") or path in _FREE:
            return
        if await self._access.identified(request) is None:
            await self._access.caller(request, "reader")  # which says why

    def _check_host(self, request: Request) -> None:
        """Refuse a name that somebody else may have pointed at this machine (DNS rebinding)."""
        options, given = self._options, request.headers.get("host", "")
        try:
            host = (urlsplit(f"//{given}").hostname or "").lower()
        except ValueError:
            host = ""
        ours = {"localhost", *(name.lower() for name in options.names)}
        if not options.loopback:
            ours.add(socket.gethostname().lower())
        if host not in ours and not is_address(host):
            raise Problem(
                400,
                f"this service does not know itself as {printable(host)!r}; start it with --host "
                f"{printable(host) or 'NAME'} if that is its name",
            )


def _signs_in(request: Request) -> bool:
    return request.url.path == SIGN_IN and request.method == "POST"


class _Answer:
    """Adds headers to an answer, and knows its status."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 499
        """Until there is one, the client that went away before."""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = message.setdefault("headers", [])
            there = {name.lower() for name, _ in headers}
            message["headers"] = [
                *headers,
                *((name, value) for name, value in HEADERS.items() if name not in there),
                *([] if b"cache-control" in there else [(b"cache-control", b"no-store")]),
            ]
        await self._send(message)


class _Body:
    """A body that may not be too large, and may not take too long."""

    def __init__(self, receive: Receive, request: Request, most: int, seconds: float) -> None:
        self._receive = receive
        self._most, self._seconds = most, seconds
        self._left = most
        self._until = time.monotonic() + seconds
        self._over = False
        given = request.headers.get("content-length", "0")
        if given.isdecimal() and int(given) > most:
            self._left = -1

    def _too_large(self) -> Problem:
        return Problem(413, f"the body has more than {self._most >> 20 or self._most / (1 << 20):g} MiB")

    async def receive(self) -> Message:
        if self._over:
            return await self._receive()  # of a client that goes away while it waits for the answer
        if self._left < 0:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._until - time.monotonic()):
                message = await self._receive()
        except TimeoutError:
            raise Problem(408, f"the body did not arrive within {self._seconds:g} s") from None
        self._left -= len(message.get("body", b""))
        self._over = not message.get("more_body", False)
        if self._left < 0:
            self._over = False
            raise self._too_large()
        return message
