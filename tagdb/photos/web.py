"""Files on the web, whose addresses strangers may have written.

An address is checked after its host was resolved, and that very address is connected to: nobody can answer
one query with a harmless address and the next with another. Every redirect is checked in the same way. No
proxy is used, because it would resolve the host itself.
"""

import base64
import ipaddress
import random
import socket
import ssl
import time
from contextlib import suppress
from functools import cache
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from threading import Timer
from typing import IO
from urllib.parse import quote, unquote, urljoin, urlsplit

from tagdb.errors import RejectedInput, UnreadableInput
from tagdb.photos.images import MAX_BYTES
from tagdb.photos.uris import PUBLIC_ONLY, WEB, Allowed

REDIRECTS = 5
"""Most redirects that are followed."""
SECONDS = 60.0
"""Longest time that a photo may take, with all redirects and repetitions."""
PAUSE = 0.5
"""Seconds before a request is repeated for the first time; doubled every time."""
_ATTEMPTS = 5
_CONNECTING = 10.0
_AGAIN = (408, 429, 500, 502, 503, 504)
_CHUNK = 1 << 16
_WRITTEN = "/%:@!$&'()*+,;=~[]"  # what stays as it is written in a path; all else is percent-encoded
# Behind these, too, clouds have secrets of the machine; not every Python knows that the first is private.
_METADATA = [ipaddress.IPv4Network(net) for net in ("192.0.0.0/24", "168.63.129.16/32")]
_IPV4_WITHIN = [ipaddress.IPv6Network(net) for net in ("64:ff9b::/96", "::/96")]


class _Again(Exception):
    """A failure that may pass; its text is the reason."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


def copy(
    uri: str,
    into: IO[bytes],
    allowed: Allowed = PUBLIC_ONLY,
    limit: int = MAX_BYTES,
    seconds: float | None = None,
) -> None:
    """Fetch a file of the web into a local one.

    Raises
    ------
    RejectedInput
        It may not be fetched, there is none, it is too large, or it takes too long.
    """
    until, pause = time.monotonic() + (seconds or SECONDS), PAUSE
    for attempt in range(_ATTEMPTS):
        into.seek(0)
        into.truncate()
        try:
            _follow(uri, into, allowed, limit, until)
        except _Again as failure:
            wait = max(failure.wait, pause * random.uniform(0.5, 1))  # noqa: S311  (not a secret)
            if attempt == _ATTEMPTS - 1 or time.monotonic() + wait > until:
                raise UnreadableInput(str(failure)) from None
            time.sleep(wait)
            pause *= 2
        else:
            return


def _follow(uri: str, into: IO[bytes], allowed: Allowed, limit: int, until: float) -> None:
    """Send a request, and further ones while the answer is a redirect."""
    first = _host(uri)
    for _ in range(REDIRECTS + 1):
        with _Request(uri, allowed, until, with_login=_host(uri) == first) as request:
            answer = request.answer
            if answer.status not in (301, 302, 303, 307, 308):
                _take(answer, into, limit)
                return
            place = answer.headers.get("Location")
            if not place:
                raise UnreadableInput("redirected to nowhere")
            uri = urljoin(uri, place)
    raise UnreadableInput(f"redirected more than {REDIRECTS} times")


def _host(uri: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(uri)
        return parts.scheme, parts.hostname, parts.port
    except ValueError:
        raise UnreadableInput("not a valid uri", "invalid_record") from None


class _Request:
    """A request, ended at a certain time whatever it is doing then; a context manager that closes it."""

    def __init__(self, uri: str, allowed: Allowed, until: float, with_login: bool) -> None:
        scheme, host, port = _host(uri)
        if scheme not in WEB or not host:
            raise UnreadableInput("only https: is fetched, and what it redirects to by https:", "not_allowed")
        if scheme == "http" and not allowed.http:
            raise UnreadableInput(
                "http: is not fetched, as anyone on the way can change it (--allow-http)", "not_allowed"
            )
        parts = urlsplit(uri)
        target = quote(parts.path or "/", safe=_WRITTEN)
        if parts.query:
            target += "?" + quote(parts.query, safe=_WRITTEN + "?")
        headers = {
            "User-Agent": "tagdb",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        if with_login and parts.username:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
        self._until, self._late = until, False
        self._socket: socket.socket | None = None
        self._connection = HTTPSConnection(host, port) if scheme == "https" else HTTPConnection(host, port)
        try:
            self._socket = _connected(host, self._connection.port, allowed, until)
            self._timer = Timer(max(0.0, until - time.monotonic()), self._give_up)
            self._timer.daemon = True
            self._timer.start()
        except OSError as error:
            raise _Again(f"cannot be reached: {_why(error)}") from None
        try:
            self._socket.settimeout(_CONNECTING * 3)
            if scheme == "https":
                self._socket = tls = _tls().wrap_socket(
                    self._socket, server_hostname=host, do_handshake_on_connect=False
                )
                tls.do_handshake()
            self._connection.sock = self._socket
            self._connection.request("GET", target, headers=headers)
            self.answer = self._connection.getresponse()
        except (OSError, HTTPException, UnicodeError) as error:
            self.__exit__(type(error), error, None)

    def __enter__(self) -> "_Request":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self._timer.cancel()
        self._connection.close()
        if self._socket is not None:
            self._socket.close()
        if self._late:
            raise UnreadableInput("took too long") from None
        if isinstance(error, ssl.SSLCertVerificationError):
            raise UnreadableInput("its certificate is not valid") from None
        if isinstance(error, (OSError, HTTPException)):
            raise _Again(f"the connection broke: {_why(error)}") from None
        if isinstance(error, UnicodeError):
            raise UnreadableInput("not a valid uri", "invalid_record") from None

    def _give_up(self) -> None:
        self._late = True
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _take(answer: HTTPResponse, into: IO[bytes], limit: int) -> None:
    """Write an answer's body into a file."""
    status = answer.status
    if status in _AGAIN:
        wait = answer.headers.get("Retry-After", "")
        raise _Again(_named(status), float(wait) if wait.isdecimal() and len(wait) < 4 else 0.0)
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise RejectedInput(_named(status), "missing")
    if status != HTTPStatus.OK:
        raise UnreadableInput(_named(status))
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnreadableInput("sent compressed, which was not asked for")
    if answer.length is not None and answer.length > limit:
        raise RejectedInput(f"larger than {limit >> 20} MB", "too_large")
    expected, size = answer.length, 0
    while chunk := answer.read(_CHUNK):
        size += into.write(chunk)
        if size > limit:
            raise RejectedInput(f"larger than {limit >> 20} MB", "too_large")
    if expected is not None and size != expected:
        raise OSError("the transfer ended early")


def _named(status: int) -> str:
    try:
        return f"the server answered {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"the server answered {status}"


def _connected(host: str, port: int, allowed: Allowed, until: float) -> socket.socket:
    """Connect to one of a host's addresses that are allowed."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        raise _Again("there is no such host") from None
    places = [(each[0], each[4]) for each in found if allowed.private or is_public(str(each[4][0]))]
    if not places:
        raise UnreadableInput(
            "its host has a private address, which is not fetched from (--allow-private)", "not_allowed"
        )
    failure: OSError | None = None
    for family, place in places[:4]:
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.settimeout(max(0.1, min(_CONNECTING, until - time.monotonic())))
            opened.connect(place)
        except OSError as error:
            opened.close()
            failure = error
        else:
            return opened
    raise failure or OSError("no address")


def is_public(address: str) -> bool:
    """Whether an address is of the public internet."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        within = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if not within and any(ip in net for net in _IPV4_WITHIN):
            within = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if within:
            return is_public(str(within))
    if ip.is_multicast or ip.is_reserved or any(ip in net for net in _METADATA):
        return False
    return ip.is_global


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or type(error).__name__
