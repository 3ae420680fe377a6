"""Nobody in: who may do what, by trying."""

from __future__ import annotations

import hashlib
import re
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tagdb.errors import DatabaseError
from tagdb.postgres import database
from tagdb.serve.options import Options, parse_listen
from tests.support.served import Serve, Served

CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    # call: the role that it takes, and what is sent
    "GET /status": ("reader", "", {}),
    "GET /images": ("reader", "", {}),
    "GET /images/1": ("reader", "", {}),
    "GET /images/1/recommend": ("reader", "", {}),
    "GET /images/1/similar": ("reader", "", {}),
    "GET /images/1/explain?hashtag=food": ("reader", "", {}),
    "GET /hashtags": ("reader", "", {}),
    "GET /hashtags/food": ("reader", "", {}),
    "GET /pairs": ("reader", "", {}),
    "GET /edits": ("reader", "", {}),
    "GET /collections": ("reader", "", {}),
    "GET /views/coverage": ("reader", "", {}),
    "GET /metrics": ("reader", "", {}),
    "POST /recommend": ("reader", "photo", {}),
    "POST /embed": ("reader", "photo", {}),
    "POST /similar": ("reader", "photo", {}),
    "POST /recommend_for_embedding": ("reader", "json", {"embedding": [0.1] * 1280}),
    "POST /similar_to_embedding": ("reader", "json", {"embedding": [0.1] * 1280}),
    "POST /explain_embedding": ("reader", "json", {"embedding": [0.1] * 1280, "hashtag": "food"}),
    "GET /images/1/thumbnail": ("analyst", "", {}),
    "GET /images/1/original": ("writer", "", {}),
    "GET /doctor": ("writer", "", {}),
    "GET /jobs": ("writer", "", {}),
    "POST /jobs": ("writer", "json", {"kind": "factors"}),
    "POST /images": ("writer", "photo", {}),
    "POST /images/2/feedback": ("writer", "json", {"accepted": ["sea"]}),
    "POST /images/2/feedback/withdraw": ("writer", "json", {"hashtags": ["sea"]}),
    "POST /images/2/hashtags": ("writer", "json", {"add": ["more"]}),
    "POST /edits": ("writer", "json", {"kind": "ban", "hashtags": ["love"]}),
    "POST /edits/1/undo": ("writer", "json", {}),
    "POST /factor_runs/1/activate": ("writer", "json", {}),
    "DELETE /images/3": ("writer", "", {}),
}
ROLES = ("reader", "analyst", "writer")


def ask(client: httpx.Client, call: str, photo: bytes) -> int:
    """The status of the answer."""
    method, path = call.split(" ")
    _, kind, sent = CALLS[call]
    more: dict[str, Any] = {"content": photo} if kind == "photo" else {"json": sent} if kind == "json" else {}
    return client.request(method, path, **more).status_code


def test_every_call_is_tried(shared: Served) -> None:
    with shared.client() as client:
        paths = client.get("/openapi.json").json()["paths"]
    there = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    free = {"GET /v1/healthz", "GET /v1/readyz", "GET /v1/session", "POST /v1/session", "DELETE /v1/session"}
    tried = {call.split("?")[0] for call in CALLS}
    for number in "123":
        tried = {call.replace(f"/{number}", "/{}") for call in tried}
    tried = {call.replace("/hashtags/food", "/hashtags/{}").replace("coverage", "{}") for call in tried}
    told = {" /v1".join(call.split(" ")) for call in tried}
    assert {re.sub(r"\{\w+\}", "{}", call) for call in there} - free == told


@pytest.mark.parametrize("beyond", [False, True])
def test_who_may_what(serve: Serve, drawn: Path, beyond: bool) -> None:
    """A table of all calls by all callers; on this machine alone, and where others can ask."""
    photo = (drawn / "food-01.jpg").read_bytes()
    served = serve(names=("tags.example.org",)) if beyond else serve()
    callers: list[tuple[str, httpx.Client]] = [("nobody", served.client())]
    callers += [(role, served.client(served.token(role))) for role in ROLES]
    if not beyond:
        callers.append(("page", served.page()))
    for who, client in callers:
        with client:
            for call, (role, *_) in CALLS.items():
                got = ask(client, call, photo)
                has = {"nobody": None if beyond else "analyst", "page": "writer"}.get(who, who)
                if has is not None and ROLES.index(has) >= ROLES.index(role):
                    assert got < 300 or got in (404, 409, 422), (who, call, got)
                else:
                    refused = 401 if who == "nobody" else 403
                    assert got == refused, (who, call, got)


def test_postgresql_itself_refuses(served: Served) -> None:
    """Whatever a route forgets to check, a query runs as the caller's role."""
    pools = served.service._pools
    for role, query, fine in (
        ("reader", "SELECT count(*) FROM tagdb.images", True),
        ("reader", "SELECT tagdb.thumbnail(1)", False),
        ("analyst", "SELECT tagdb.thumbnail(1)", True),
        ("analyst", "SELECT tagdb.remove_image(1)", False),
        ("analyst", "SELECT count(*) FROM tagdb_store.image_files", False),
        ("writer", "SELECT count(*) FROM tagdb_store.tokens", False),
        ("writer", "DROP TABLE tagdb_store.tokens", False),
    ):
        with pools[role].connection() as connection:
            if fine:
                assert connection.execute(query.encode()).fetchone()
                continue
            with pytest.raises(DatabaseError, match="may not do this"), database.translated():
                connection.execute(query.encode())


def test_a_token_is_shown_once_and_kept_as_a_hash(served: Served) -> None:
    token = served.token("reader")
    assert token.startswith("tagdb_")
    ((kept,),) = served.rows("SELECT token_sha256 FROM tagdb_store.tokens")
    assert kept == hashlib.sha256(token.encode()).digest()
    everything = served.rows("SELECT t::text FROM tagdb_store.tokens t")
    assert token.removeprefix("tagdb_") not in str(everything)
    with served.client(token) as client:
        assert client.get("/session").json() == {"name": "reader 0", "role": "reader", "needs_token": False}
    assert served.rows("SELECT last_used_on = current_date FROM tagdb_store.tokens") == [(True,)]


def test_a_revoked_token_is_of_no_use_a_second_later(served: Served) -> None:
    with served.client(served.token("writer")) as client:
        assert client.get("/jobs").status_code == 200
        served.rows("DELETE FROM tagdb_store.tokens RETURNING name")
        time.sleep(1.1)
        answer = client.get("/jobs")
    assert answer.status_code == 401
    assert answer.json()["detail"] == "the token is not valid, or was revoked"


def test_guessing_tokens(served: Served) -> None:
    with served.client("tagdb_wrong") as client:
        codes = [client.get("/status").status_code for _ in range(12)]
    assert codes[:10] == [401] * 10
    assert codes[-1] == 429
    with served.client() as client:
        assert client.get("/status").status_code == 200  # others on this machine are not locked out


HOSTS = {
    "127.0.0.1:1": 200,
    "localhost": 200,
    "LOCALHOST:9": 200,
    "[::1]:80": 200,
    "192.168.1.7": 200,  # an address cannot be made to mean another machine
    "evil.example": 400,
    "127.0.0.1.evil.example": 400,
    "localhost.evil.example:8000": 400,
    "": 400,
    "[": 400,
    "a b": 400,
}


@pytest.mark.parametrize("host", HOSTS)
def test_rebinding(shared: Served, host: str) -> None:
    with shared.client(Host=host) as client:
        answer = client.get("/status")
    assert answer.status_code == HOSTS[host], answer.text


def test_other_sites_pages(served: Served, drawn: Path) -> None:
    photo = (drawn / "food-01.jpg").read_bytes()
    cookie = served.page_cookie()
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "https://evil.example", "Cookie": cookie},
        {"Origin": "null", "Cookie": cookie},
        {"Origin": served.url.replace("127.0.0.1", "localhost"), "Cookie": cookie},
        {"Sec-Fetch-Site": "cross-site", "Cookie": cookie},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
    ):
        with served.client(**headers) as client:
            assert client.post("/recommend", content=photo).status_code == 403, headers
            assert client.post("/images", content=photo).status_code == 403, headers
            assert client.get("/images/1/thumbnail").status_code in (200, 403)
    with served.client(**{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}) as client:
        assert client.get("/status").status_code == 200  # following a link is fine
        assert client.post("/recommend", content=photo).status_code == 403
    with served.client(Cookie=cookie) as client:  # the cookie alone, as a program would send it
        assert client.post("/images", content=photo).status_code == 401
    with served.client(Origin=served.url) as client:  # the origin alone
        assert client.post("/images", content=photo).status_code == 401


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host", "Via"])
def test_through_a_proxy_it_takes_a_token(served: Served, header: str) -> None:
    """Behind a proxy on this machine, everybody seems to be on this machine."""
    with served.client(**{header: "203.0.113.9"}) as client:
        assert client.get("/images").status_code == 401
    with served.client(served.token("reader"), **{header: "203.0.113.9"}) as client:
        assert client.get("/images").status_code == 200


def test_signing_in(serve: Serve) -> None:
    served = serve(names=("tags.example.org",))
    token = served.token("writer")
    with served.client(Host="tags.example.org", Origin="https://tags.example.org") as client:
        assert client.get("/session").json() == {"name": None, "role": None, "needs_token": True}
        assert client.post("/session", json={"token": "tagdb_wrong"}).status_code == 401
        answer = client.post("/session", json={"token": token}, headers={"X-Forwarded-Proto": "https"})
        assert answer.json()["role"] == "writer"
        said = answer.headers["set-cookie"].lower()
        assert all(word in said for word in ("httponly", "samesite=strict", "secure"))
        cookie = {"Cookie": f"{served.access.token_cookie_name}={token}"}
        assert (
            client.post("/edits", json={"kind": "ban", "hashtags": ["a"]}, headers=cookie).status_code == 201
        )
        elsewhere = cookie | {"Origin": "https://evil.example"}
        assert client.post("/edits", json={}, headers=elsewhere).status_code == 403
    with served.client(Host="tags.example.org", **cookie) as client:  # no page of ours leaves the origin out
        assert client.post("/edits", json={"kind": "ban", "hashtags": ["b"]}).status_code == 403
        assert client.get("/status").status_code == 200


def test_every_answer_has_the_headers(shared: Served) -> None:
    with shared.client() as client:
        for path in ("/status", "/nosuch", "/images/1/thumbnail", "/healthz"):
            headers = client.get(path).headers
            assert "default-src 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert headers["cross-origin-resource-policy"] == "same-origin"
            assert "server" not in headers
        assert client.get("/status").headers["cache-control"] == "no-store"


def test_who_trusts_whom() -> None:
    assert Options().trusting
    assert Options(host="::1").trusting
    assert Options(host="localhost").trusting
    assert not Options(host="0.0.0.0").trusting
    assert not Options(host="192.168.1.7").trusting
    assert not Options(names=("a.example",)).trusting
    assert (Options().limit, Options(host="0.0.0.0").limit, Options(rate=5).limit) == (None, 100, 5)
    assert parse_listen("8000") == ("127.0.0.1", 8000)
    assert parse_listen(":80") == ("127.0.0.1", 80)
    assert parse_listen("[::1]:80") == ("::1", 80)
    assert parse_listen("0.0.0.0:0") == ("0.0.0.0", 0)


def test_strangers_take_no_places(serve: Serve) -> None:
    """Who needs a token shows it before a body is read; signing in has places of its own, and little time."""
    served = serve(names=("tags.example.org",))
    token = served.token("reader")
    port = int(served.url.rpartition(":")[2])
    head = "POST {} HTTP/1.1\r\nHost: tags.example.org\r\nContent-Length: 100\r\n\r\n"
    with ExitStack() as open_:
        for path in ["/v1/session"] * 40 + ["/v1/edits"] * 3:
            raw = open_.enter_context(socket.create_connection(("127.0.0.1", port)))
            raw.sendall(head.format(path).encode() + b"{")
        raw.settimeout(10)
        assert raw.recv(100).startswith(b"HTTP/1.1 401 ")
        with served.client(token, Host="tags.example.org") as client:
            assert client.get("/status").status_code == 200
            assert client.get("/session").json()["role"] == "reader"
            assert client.post("/session", json={"token": token}).status_code == 503  # these places are taken


def test_a_cookie_that_is_no_use_does_no_harm(serve: Serve) -> None:
    served = serve()
    cookie = {"Cookie": f"{served.access.token_cookie_name}=tagdb_old"}
    with served.client(**cookie) as client:
        assert client.get("/status").status_code == 200
        assert client.get("/session").json()["role"] == "analyst"
    with served.client(**cookie, Via="1.1 proxy") as client:
        assert client.get("/status").status_code == 401
