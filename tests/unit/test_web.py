"""Files of the web: what is never fetched, what is too much, and what is tried again. All on loopback."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from tagdb.errors import RejectedInput
from tagdb.photos import web
from tagdb.photos.remote import OnWeb
from tagdb.photos.uris import Allowed, is_remote, public
from tests.support.stores import Environ, Respond, hang_up, serving

ALL = Allowed(private=True, http=True)
LOCAL = Allowed(http=True)

Page = Callable[[Environ, Respond], Iterable[bytes]]


class Site:
    """A web server whose pages a test writes."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[Environ] = []
        self.port = 0

    def __call__(self, environ: Environ, respond: Respond) -> Iterable[bytes]:
        self.asked.append(environ)
        return self.pages[environ["PATH_INFO"].encode("latin-1").decode()](environ, respond)

    def uri(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def answer(self, path: str, status: str = "200 OK", body: bytes = b"", **headers: str) -> None:
        """Have a page answer so."""

        def page(environ: Environ, respond: Respond) -> Iterable[bytes]:
            named = [(name.replace("_", "-"), value) for name, value in headers.items()]
            respond(status, [("Content-Length", str(len(body))), *named])
            return [body]

        self.pages[path] = page


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site on loopback."""
    monkeypatch.setattr(web, "PAUSE", 0.01)
    made = Site()
    with serving(made) as port:
        made.port = port
        yield made


def fetched(uri: str, allowed: Allowed = ALL, **limits: Any) -> bytes:
    into = io.BytesIO()
    web.copy(uri, into, allowed, **limits)
    return into.getvalue()


def refusal(uri: str, allowed: Allowed = ALL, **limits: Any) -> str:
    with pytest.raises(RejectedInput) as caught:
        fetched(uri, allowed, **limits)
    return str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.100.100.200", "168.63.129.16", "192.0.0.192", "224.0.0.1", "255.255.255.255", "240.0.0.1",
        "::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "::127.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:c0a8:101::1",
        "2001:0:5ef5:79fd:0:59d:80ff:fffe", "", "localhost",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not web.is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101"])
def test_addresses_that_are_public(address: str) -> None:
    assert web.is_public(address)


def test_a_file_is_fetched(site: Site) -> None:
    site.answer("/ä b/1.jpg", body=b"content")
    assert fetched(site.uri("/ä b/1.jpg?x=ü y#part")) == b"content"
    assert site.asked[0]["QUERY_STRING"] == "x=%C3%BC%20y"
    assert fetched(site.uri("/%C3%A4%20b/1.jpg")) == b"content"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_private_addresses_are_not_fetched_from(site: Site, host: str) -> None:
    assert refusal(site.uri("/1.jpg", host), LOCAL) == (
        "its host has a private address, which is not fetched from (--allow-private)"
    )
    assert site.asked == []


def test_http_is_not_fetched_unless_that_is_said(site: Site) -> None:
    assert "--allow-http" in refusal(site.uri("/1.jpg"), Allowed(private=True))
    assert site.asked == []


@pytest.mark.parametrize("uri", ["ftp://127.0.0.1/1.jpg", "file:///etc/passwd", "https:///x", "http://[x/"])
def test_other_uris_are_not_fetched(uri: str) -> None:
    assert "only https: is fetched" in refusal(uri) or "not a valid uri" in refusal(uri)


def test_the_address_that_was_checked_is_the_one_that_is_asked(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers with a public address first and with a private one the next time gains nothing."""
    answers = iter(["127.0.0.1", "10.0.0.1"])
    monkeypatch.setattr(web, "is_public", lambda address: address == "127.0.0.1")
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, port, **_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))],
    )
    site.answer("/1.jpg", body=b"content")
    assert fetched(site.uri("/1.jpg", "rebinding.test"), LOCAL) == b"content"
    assert next(answers) == "10.0.0.1"  # nobody asked a second time


def test_of_several_addresses_only_public_ones_are_tried(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "is_public", lambda address: address == "127.0.0.1")
    tried = ["10.0.0.1", "169.254.169.254", "127.0.0.1"]
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, port, **_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in tried],
    )
    site.answer("/1.jpg", body=b"content")
    assert fetched(site.uri("/1.jpg", "several.test"), LOCAL) == b"content"


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("http://10.0.0.1/1.jpg", "private address"),
        ("http://169.254.169.254/latest/meta-data/", "private address"),
        ("//[::1]/1.jpg", "private address"),
        ("file:///etc/passwd", "only https: is fetched"),
        ("", "redirected to nowhere"),
        ("/again", "redirected more than 5 times"),
    ],
)
def test_redirects_are_checked(site: Site, monkeypatch: pytest.MonkeyPatch, place: str, reason: str) -> None:
    monkeypatch.setattr(web, "is_public", lambda address: address == "127.0.0.1")
    site.answer("/again", "302 Found", Location=place)
    assert reason in refusal(site.uri("/again"), LOCAL)
    assert len(site.asked) == (6 if place == "/again" else 1)


def test_a_redirect_is_followed(site: Site) -> None:
    site.answer("/old", "301 Moved Permanently", Location="/new")
    site.answer("/new", body=b"content")
    assert fetched(site.uri("/old")) == b"content"


def test_a_login_goes_to_its_own_server_only(site: Site) -> None:
    site.answer("/own", "302 Found", Location="/there")
    site.answer("/there", "302 Found", Location=site.uri("/elsewhere", "localhost"))
    site.answer("/elsewhere", body=b"content")
    assert fetched(site.uri("/own", "me:p%40ss@127.0.0.1")) == b"content"
    assert [one.get("HTTP_AUTHORIZATION") for one in site.asked] == ["Basic bWU6cEBzcw=="] * 2 + [None]


def test_a_file_that_is_too_large(site: Site) -> None:
    site.answer("/1.jpg", body=b"x" * (3 << 20))
    assert refusal(site.uri("/1.jpg"), limit=2 << 20) == "larger than 2 MB"


def test_a_file_that_is_too_large_and_does_not_say_so(site: Site) -> None:
    def endless(environ: Environ, respond: Respond) -> Iterable[bytes]:
        respond("200 OK", [])
        return iter(lambda: b"x" * 65536, b"")

    site.pages["/1.jpg"] = endless
    assert refusal(site.uri("/1.jpg"), limit=2 << 20) == "larger than 2 MB"


def test_a_server_that_keeps_one_waiting(site: Site) -> None:
    """Every byte comes in time, but not all of them."""

    def dripping(environ: Environ, respond: Respond) -> Iterable[bytes]:
        respond("200 OK", [("Content-Length", "1000")])
        for _ in range(1000):
            time.sleep(0.05)
            yield b"x"

    site.pages["/1.jpg"] = dripping
    began = time.monotonic()
    assert refusal(site.uri("/1.jpg"), seconds=0.5) == "took too long"
    assert time.monotonic() - began < 5


def test_a_server_that_drips_its_headers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        began = time.monotonic()
        assert refusal(f"http://127.0.0.1:{port}/1.jpg", seconds=0.5) == "took too long"
        assert refusal(f"https://127.0.0.1:{port}/1.jpg", seconds=0.5) == "took too long"
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("fault", ["503 Service Unavailable", "429 Too Many Requests", "drop", "cut"])
def test_failures_that_may_pass_are_tried_again(site: Site, fault: str) -> None:
    def page(environ: Environ, respond: Respond) -> Iterable[bytes]:
        if len(site.asked) < 3:
            if fault == "drop":
                hang_up(environ)
            if fault != "cut":
                respond(fault, [("Content-Length", "0")])
                return [b""]
        body = b"content" if len(site.asked) > 2 else b"cont"
        respond("200 OK", [("Content-Length", "7")])
        return [body] if len(body) == 7 else cut(body, environ)

    def cut(body: bytes, environ: Environ) -> Iterator[bytes]:
        yield body
        hang_up(environ)

    site.pages["/1.jpg"] = page
    assert fetched(site.uri("/1.jpg")) == b"content"
    assert len(site.asked) == 3


def test_other_failures_are_not(site: Site) -> None:
    site.answer("/1.jpg", "404 Not Found")
    assert refusal(site.uri("/1.jpg")) == "the server answered 404 Not Found"
    site.answer("/2.jpg", body=b"x", Content_Encoding="gzip")
    assert refusal(site.uri("/2.jpg")) == "sent compressed, which was not asked for"
    assert len(site.asked) == 2


@pytest.mark.parametrize(
    ("path", "code"),
    [("/gone", "missing"), ("/secret", "unreadable"), ("/large", "too_large"),
     ("http://[x/", "invalid_record"), ("ftp://x.test/1.jpg", "not_allowed")],
)  # fmt: skip
def test_each_failure_has_a_code(site: Site, path: str, code: str) -> None:
    site.answer("/gone", "410 Gone")
    site.answer("/secret", "403 Forbidden")
    site.answer("/large", body=b"x" * 9)
    with pytest.raises(RejectedInput) as caught:
        fetched(site.uri(path) if path.startswith("/") else path, limit=8)
    assert caught.value.reason_code == code


def test_a_server_that_is_not_there(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert refusal(f"http://127.0.0.1:{port}/1.jpg").startswith("cannot be reached: ")


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://x.test/1.jpg", "https://x.test/1.jpg"),
        ("https://x.test/show?id=5&size=large", "https://x.test/show?id=5&size=large"),
        ("https://me:secret@x.test/1.jpg", "https://x.test/1.jpg"),
        ("https://me:sec@ret@x.test/a@b.jpg", "https://x.test/a@b.jpg"),
        ("https://b.s3.amazonaws.com/1.jpg?X-Amz-Date=1&X-Amz-Signature=secret", "https://b.s3.amazonaws.com/1.jpg"),
        ("https://b.test/1.jpg?AWSAccessKeyId=a&Signature=secret&Expires=1", "https://b.test/1.jpg"),
        ("https://a.blob.core.windows.net/c/1.jpg?sv=2024&sp=r&sig=secret", "https://a.blob.core.windows.net/c/1.jpg"),
        ("https://storage.googleapis.com/b/1.jpg?X-Goog-Signature=secret", "https://storage.googleapis.com/b/1.jpg"),
        ("https://x.test/1.jpg?access_token=secret", "https://x.test/1.jpg"),
        ("https://x.test/1.jpg?id=1&%61pi_key=secret#secret", "https://x.test/1.jpg"),
        ("s3://bucket/a?b#c@d.jpg", "s3://bucket/a?b#c@d.jpg"),
        ("s3://key:secret@bucket/1.jpg", "s3://bucket/1.jpg"),
    ],
)  # fmt: skip
def test_what_a_uri_is_stored_as(uri: str, expected: str) -> None:
    assert public(uri) == expected
    assert "secret" not in public(uri)


def test_what_only_a_secret_opens_cannot_be_kept() -> None:
    assert OnWeb("https://x.test/1.jpg?id=1", ALL).uri == "https://x.test/1.jpg?id=1"
    assert OnWeb("https://x.test/1.jpg?sig=1", ALL).uri is None
    assert "sig" not in repr(OnWeb("https://x.test/1.jpg?sig=1", ALL))


def test_a_name_leads_nowhere() -> None:
    assert OnWeb("https://x.test/a/..%2F..%2Fetc%2Fcron.csv", ALL).name == "cron.csv"
    assert OnWeb("https://x.test/a/..%5C..%5Ccron.csv", ALL).name == "cron.csv"
    assert OnWeb("https://x.test/..", ALL).name == ""


def test_what_is_elsewhere() -> None:
    assert is_remote("S3://bucket/x")
    assert not any(map(is_remote, ["data:image/png;base64,", "file:///x", "ftp://x/y", "C:\\x", "s3:x", "x"]))
