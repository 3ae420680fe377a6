"""What goes wrong is said by a problem document, and costs nobody else anything."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from tagdb import factors, store
from tagdb.embedding.pipeline import Pipeline
from tagdb.embedding.worker import Embedded
from tagdb.learning.settings import FactorSettings
from tagdb.postgres import database
from tagdb.serve import guard, service
from tests.support import corpus, pictures
from tests.support.postgres import named
from tests.support.served import Serve, Served

NUMBERS = [0.1] * 1280
JSON: dict[str, Any] = {"headers": {"content-type": "application/json"}}
MISTAKES: dict[str, tuple[str, str, dict[str, Any], int, str]] = {
    # name: method, path, what is sent, status, and what its sentence has
    "nothing there": ("GET", "/nosuch", {}, 404, "there is nothing at /v1/nosuch"),
    "no such image": ("GET", "/images/999", {}, 404, "there is no image 999"),
    "an image that is no number": ("GET", "/images/abc", {}, 422, "image_id: "),
    "too large a number": ("GET", f"/images/{2**63}", {}, 422, "image_id: "),
    "another method": ("PUT", "/images/1", {}, 405, "cannot be asked by PUT"),
    "an unknown parameter": ("GET", "/images/1/recommend?tpo=5", {}, 422, "tpo: "),
    "top of 0": ("GET", "/images/1/recommend?top=0", {}, 422, "top: "),
    "diversity of 2": ("GET", "/images/1/recommend?diversity=2", {}, 422, "diversity: "),
    "NaN": ("GET", "/images/1/recommend?min_score=nan", {}, 422, "min_score: "),
    "no hashtag": ("GET", "/images/1/recommend?known=a!b", {}, 422, "cannot be part of a hashtag"),
    "a NUL": ("GET", "/images?collection=%00", {}, 422, "collection: "),
    "no collection": ("GET", "/images/1/recommend?collection=x", {}, 409, "there is no collection 'x'"),
    "no cursor": ("GET", "/images?cursor=abc", {}, 422, "cursor: "),
    "a time without zone": ("GET", "/images?taken_from=2025-01-01T00:00:00", {}, 422, "taken_from: "),
    "not JSON": ("POST", "/recommend_for_embedding", JSON | {"content": b"{"}, 400, "not JSON"),
    "JSON called otherwise": (
        "POST", "/recommend_for_embedding", {"content": b"{}"}, 415, "application/json",
    ),
    "a list": ("POST", "/recommend_for_embedding", {"json": []}, 415, "no JSON object"),
    "a short embedding": (
        "POST", "/recommend_for_embedding", {"json": {"embedding": [1]}}, 422, "embedding: ",
    ),
    "a huge number": (
        "POST", "/similar_to_embedding", {"json": {"embedding": [1e300] * 1280}}, 422, "embedding: ",
    ),
    "a lone surrogate": (
        "POST", "/explain_embedding",
        {"content": b'{"embedding": ' + str(NUMBERS).encode() + b', "hashtag": "\\ud800"}',
         "headers": {"content-type": "application/json"}},
        422, "hashtag: ",
    ),
    "no body": ("POST", "/recommend", {"content": b""}, 422, "the body is empty"),
    "no picture": ("POST", "/recommend", {"content": b"hello"}, 422, "not an image in a supported format"),
    "JSON for a photo": ("POST", "/recommend", {"json": {}}, 415, "send a photo's bytes"),
    "text for a photo": (
        "POST", "/recommend",
        {"content": b"a", "headers": {"content-type": "text/plain"}}, 415, "text/plain",
    ),
    "a form without a file": ("POST", "/recommend", {"files": {"x": (None, "1")}}, 422, "has no file"),
    "another field": ("POST", "/recommend", {"files": {"image": b"x"}}, 422, "photos are in its field photo"),
    "a broken form": (
        "POST", "/recommend",
        {"content": b"--x\r\nnonsense", "headers": {"content-type": "multipart/form-data; boundary=x"}},
        422, "the form has no file",
    ),
    "no boundary": (
        "POST", "/recommend",
        {"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400, "boundary",
    ),
    "a hashtag with a slash": ("GET", "/hashtags/a/b", {}, 422, "cannot be part of a hashtag"),
    "no such view": ("GET", "/views/pg_shadow", {}, 404, "there is no view pg_shadow"),
    "an injection": ("GET", "/views/images;DROP%20TABLE", {}, 404, "there is no view"),
    "an unknown hashtag": ("GET", "/images/1/explain?hashtag=nobodyhasit", {}, 404, "not know #nobodyhasit"),
}  # fmt: skip
CODES = {
    "no hashtag": "invalid_hashtag", "a hashtag with a slash": "invalid_hashtag", "no picture": "not_a_photo",
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(shared: Served, name: str) -> None:
    method, path, sent, status, sentence = MISTAKES[name]
    with shared.client() as client:
        answer = client.request(method, path, **sent)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) - {"reason_code"} == {"type", "title", "status", "detail"}
    assert problem["status"] == status
    assert problem.get("reason_code") == CODES.get(name)
    assert sentence in problem["detail"], problem["detail"]
    assert "\n" not in problem["detail"]


def test_hostile_photos_cost_nobody_else_anything(shared: Served, drawn: Path) -> None:
    """Good photos between them are all answered, and answered right."""
    hostile = list(corpus.harmful().values()) + [content for _, content in corpus.mutants(7, 20)]
    good = (drawn / "food-02.jpg").read_bytes()
    with shared.client() as client:
        expected = client.post("/recommend", content=good).json()["hashtags"]

        def send(number: int) -> tuple[bool, int, Any]:
            content = good if number % 3 == 0 else hostile[number % len(hostile)]
            answer = client.post("/recommend", content=content)
            return number % 3 == 0, answer.status_code, answer.json()

        with ThreadPoolExecutor(4) as pool:
            for is_good, status, answer in pool.map(send, range(60)):
                assert status == 200 if is_good else status in (200, 422), answer
                if is_good:
                    assert answer["hashtags"] == expected


def test_too_large(shared: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "REQUEST_BYTES", 1000)
    with shared.client() as client:
        said = client.post("/recommend", content=b"x" * 1001)
        unsaid = client.post("/recommend", content=iter([b"x" * 600, b"x" * 600]))
    assert (said.status_code, unsaid.status_code) == (413, 413)


def test_too_slow(shared: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.3)
    with socket.create_connection(("127.0.0.1", int(shared.url.rpartition(":")[2]))) as raw:
        raw.sendall(b"POST /v1/recommend HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc")
        raw.settimeout(10)
        assert raw.recv(1000).startswith(b"HTTP/1.1 408 ")


def test_too_often(serve: Serve) -> None:
    with serve(rate=0.1).client() as client:
        first, second = client.get("/status"), client.get("/status")
        assert client.get("/healthz").status_code == 200
    assert (first.status_code, second.status_code) == (200, 429)
    assert 1 <= int(second.headers["retry-after"]) <= 10


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Photos wait until this is set, as if each took long."""
    go_on = threading.Event()
    embed = Pipeline.embed

    def slow(self: Pipeline, content: bytes) -> Embedded:
        assert go_on.wait(30)
        return embed(self, content)

    monkeypatch.setattr(Pipeline, "embed", slow)
    return go_on


def until(true: Callable[[], bool]) -> None:
    """Wait for something, a while."""
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_full_queue_says_come_back(
    served: Served, drawn: Path, stopped: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "WAITING", 3)
    photo = (drawn / "food-01.jpg").read_bytes()
    with served.client() as client, ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(client.post, "/recommend", content=photo) for _ in range(3)]
        until(lambda: served.service.photos == 3)
        refused = client.post("/recommend", content=photo)
        assert client.get("/images/1/recommend").status_code == 200  # what needs no embedding does not wait
        stopped.set()
        assert [each.result().status_code for each in waiting] == [200] * 3
        assert client.post("/recommend", content=photo).status_code == 200
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")


def test_whoever_goes_away_frees_a_place(
    served: Served, drawn: Path, stopped: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    photo = (drawn / "food-01.jpg").read_bytes()
    for _ in range(4):
        with served.client() as client, pytest.raises(httpx.ReadTimeout):
            client.post("/recommend", content=photo, timeout=0.2)
    until(lambda: served.service.photos == 0)
    stopped.set()
    with served.client() as client:
        assert client.post("/recommend", content=photo).status_code == 200
    assert not caplog.records  # it is no bug


def test_who_hangs_up_in_the_middle_is_no_bug(
    shared: Served, drawn: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = int(shared.url.rpartition(":")[2])
    photo = (drawn / "food-01.jpg").read_bytes()
    head = f"POST /v1/recommend HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(photo)}\r\n\r\n"
    for sent in (photo[:10], photo[:5000], photo):
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(head.encode() + sent)
    with shared.client() as client:
        assert client.post("/recommend", content=photo).status_code == 200
    assert not caplog.records


def test_what_must_not_be_repeated_begins_on_a_connection_that_works(served: Served) -> None:
    name = urlsplit(served.database_url).path[1:]
    with served.page() as page, database.connect(named(served.database_url, "postgres")) as admin:
        assert page.post("/images/5/feedback", json={"accepted": ["first"]}).status_code == 200
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        assert page.post("/images/5/feedback", json={"accepted": ["second"]}).status_code == 200


def test_a_database_that_goes_away_and_comes_back(served: Served, drawn: Path) -> None:
    photo = (drawn / "food-01.jpg").read_bytes()
    name = urlsplit(served.database_url).path[1:]
    elsewhere = named(served.database_url, "postgres")
    with served.client() as client, database.connect(elsewhere) as admin:
        before = client.post("/recommend", content=photo).json()
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        assert client.post("/recommend", content=photo).json() == before  # a broken connection is not noticed
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            for path in ("/status", "/images/1/recommend"):
                answer = client.get(path)
                assert answer.status_code == 503, answer.text
                assert "retry-after" in answer.headers
                assert answer.json()["detail"] == "the database does not answer; try again"
            assert client.post("/recommend", content=photo).status_code == 503
            assert client.get("/healthz").status_code == 200
            assert client.get("/readyz").status_code == 503
            assert client.get("/metrics").status_code in (200, 503)
        finally:
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'.encode())
        assert client.post("/recommend", content=photo).json() == before


def test_another_factor_run_and_another_backbone_are_noticed(served: Served, drawn: Path) -> None:
    photo = (drawn / "food-01.jpg").read_bytes()
    with served.client() as client, database.connect(served.database_url) as connection:
        first = client.post("/recommend", content=photo).json()
        factors.compute(connection, FactorSettings(factors=8), quiet=True)
        assert client.post("/recommend", content=photo).json() != first
        assert client.get("/status").json()["factor_run"]["factor_run_id"] == 2
        loaded = served.service._backbone
        assert loaded is not None
        # as if it had been loaded before a change: what it embeds may not be compared with what is stored
        old = type(loaded)(type(loaded.identity)("old", 160, bytes(32)), loaded.content)
        served.service._backbone = old
        now = store.answers.recommend_for_image(connection, 1)
        assert now
        answer = client.post("/recommend", content=photo)
        assert answer.status_code == 200
        assert served.service._backbone is not old


def test_photos_by_sql_are_answered_here_too(served: Served, drawn: Path) -> None:
    photo = (drawn / "food-01.jpg").read_bytes()
    with served.client() as client:
        by_http = client.post("/recommend?top=3", content=photo).json()["hashtags"]
    assert served.rows("CALL tagdb.recommend_photo(%s, top => 3)", photo) == [(by_http,)]
    for seconds in (-1, 1e9, "NaN"):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="seconds must be from 0 to 3600"):
            served.rows("CALL tagdb.recommend_photo(%s, seconds => %s)", photo, seconds)


def test_what_stored_photos_make_due_is_done(served: Served) -> None:
    with served.client(served.token("writer")) as client:
        answer = client.post("/images", params={"hashtags": "#Fresh #new"}, content=pictures.photo(77))
        assert answer.status_code == 201
        number = answer.json()["image_id"]
        assert client.post("/images", content=pictures.photo(77)).status_code == 200
        until(lambda: client.get("/hashtags/fresh").json().get("images") == 1)
        assert client.get(f"/images/{number}").json()["hashtags"] == [
            {"hashtag": "Fresh", "source": "ingest"},
            {"hashtag": "new", "source": "ingest"},
        ]
        assert client.get(f"/images/{number}/original").content == pictures.photo(77)
        assert (
            client.post("/images", params={"hashtags": "a!b"}, content=pictures.photo(78)).status_code == 422
        )
        assert served.rows("SELECT count(*) FROM tagdb.images") == [(49,)]


def test_feedback_and_its_undoing(served: Served) -> None:
    with served.page() as page:
        before = page.get("/images/5").json()["hashtags"]
        best = page.get("/images/5/recommend").json()["hashtags"]
        yes, no = best[0]["hashtag"], best[1]["hashtag"]
        given = page.post("/images/5/feedback", json={"accepted": [yes, "brandnew"], "rejected": [no]})
        assert given.json() == {"hashtags_accepted": 2, "hashtags_rejected": 1}
        assert no not in {each["hashtag"] for each in page.get("/images/5/recommend").json()["hashtags"]}
        assert "brandnew" in {each["hashtag"] for each in page.get("/images/5").json()["hashtags"]}
        embedding = {"embedding": served.rows("SELECT tagdb.embedding(5)")[0][0]}
        for sha256, seen in ((page.get("/images/5").json()["content_sha256"], False), (None, True)):
            asked = page.post("/recommend_for_embedding", json={**embedding, "content_sha256": sha256})
            assert (no in {each["hashtag"] for each in asked.json()["hashtags"]}) == seen
        undone = page.post("/images/5/feedback/withdraw", json={"hashtags": [yes, no, "brandnew", "never"]})
        assert sorted(undone.json()["withdrawn"]) == sorted([yes, no, "brandnew"])
        assert page.get("/images/5").json()["hashtags"] == before
        assert page.get("/images/5/recommend").json()["hashtags"] == best
