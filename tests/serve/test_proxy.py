"""Behind nginx and Caddy, as ``docs/serving.md`` sets them up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import pytest

from tagdb.serve.access import REMEMBERED
from tagdb.serve.guard import HEADERS
from tagdb.serve.options import Options
from tests.support.postgres import Postgres
from tests.support.proxies import NAME, Proxied, caddy, nginx
from tests.support.served import Serve, Served, serving


class Proxy(Protocol):
    """Starts a proxy in front of an address."""

    def __call__(self, upstream: str, folder: Path) -> AbstractContextManager[Proxied]: ...


@pytest.fixture(scope="module", params=[nginx, caddy], ids=["nginx", "caddy"])
def proxy(request: pytest.FixtureRequest) -> Proxy:
    """Each of the proxies."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def behind(gallery: str, postgres: Postgres, run_folder: Path, proxy: Proxy) -> Iterator[Served]:
    """A service that is known by the proxy's name."""
    options = Options(port=0, workers=1, names=(NAME,))
    with postgres.database(gallery) as url, serving(url, run_folder, options) as served:
        yield served


@pytest.fixture(scope="module")
def proxied(behind: Served, proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    """A proxy in front of it."""
    with proxy(behind.url.removeprefix("http://"), tmp_path_factory.mktemp("proxy")) as started:
        yield started


def test_a_token_is_needed_and_enough(behind: Served, proxied: Proxied, drawn: Path) -> None:
    photo = (drawn / "cars-01.jpg").read_bytes()
    with proxied.client() as nobody:
        assert nobody.get("/healthz").status_code == 200
        assert nobody.get("/session").json() == {"name": None, "role": None, "needs_token": True}
        for refused in (nobody.get("/status"), nobody.post("/recommend", content=photo)):
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"].startswith("Bearer")
    with proxied.client(behind.token("reader")) as reader:
        assert reader.post("/recommend", content=photo).json()["hashtags"]
        assert reader.post("/images", files={"photo": photo}).status_code == 403


def test_a_photo_is_stored_through_it(behind: Served, proxied: Proxied, drawn: Path) -> None:
    photo = (drawn / "cars-01.jpg").read_bytes() + bytes(3_000_000)  # more than nginx takes if it is not told
    with proxied.client(behind.token("writer")) as writer:
        answer = writer.post("/images", files={"photo": ("new.jpg", photo)}, data={"hashtags": "#sea"})
    assert answer.status_code == 201, answer.text
    (stored,) = answer.json()["photos"]
    query = "SELECT bytes FROM tagdb.images WHERE image_id = %s"
    assert behind.rows(query, stored["image_id"]) == [(len(photo),)]


def test_headers_pass_through(proxied: Proxied) -> None:
    with proxied.client() as client:
        for path in ("../", "/healthz", "/status"):
            answer = client.get(path)
            for name, value in HEADERS.items():
                assert answer.headers[name.decode()] == value.decode(), (path, name)


def test_the_page_signs_in(behind: Served, proxied: Proxied) -> None:
    token = behind.token("writer")
    change = {"add": ["summer"]}
    with proxied.client(Origin=proxied.origin) as page:
        signed_in = page.post("/session", json={"token": token})
        assert signed_in.status_code == 200, signed_in.text
        cookie = signed_in.headers["set-cookie"].lower()
        assert all(word in cookie for word in ("httponly", "samesite=strict", "secure"))
        kept = {"Cookie": signed_in.headers["set-cookie"].partition(";")[0]}
        assert page.post("/images/42/hashtags", json=change, headers=kept).json()["added"] == ["summer"]
    for origin in ("https://evil.example", f"https://{NAME}", f"https://{NAME}.evil.example:{proxied.port}"):
        with proxied.client(Origin=origin) as other:
            refused = other.post("/images/42/hashtags", json=change, headers=kept)
            assert refused.status_code == 403, origin


def test_another_name_is_refused(behind: Served, proxied: Proxied) -> None:
    with proxied.client(behind.token("reader"), host="evil.example") as client:
        answer = client.get("/status")
    assert answer.status_code == 400
    assert "does not know itself as 'evil.example'" in answer.json()["detail"]


def test_a_proxy_that_the_service_was_not_told_of(served: Served, proxy: Proxy, tmp_path: Path) -> None:
    """It is on the same machine, but those who ask are not."""
    with served.client() as here, proxy(served.url.removeprefix("http://"), tmp_path) as proxied:
        assert here.get("/status").status_code == 200
        with proxied.client() as client:
            assert client.get("/status").status_code == 400
        with proxied.client(host=f"127.0.0.1:{proxied.port}") as client:
            assert client.get("/status").status_code == 401


def test_a_guesser_does_not_shut_out_who_shares_the_proxy(serve: Serve, tmp_path: Path) -> None:
    behind = serve(names=(NAME,))
    with (
        nginx(behind.url.removeprefix("http://"), tmp_path) as proxied,
        proxied.client(behind.token("reader")) as reader,
        proxied.client("tagdb_wrong") as guesser,
    ):
        assert reader.get("/status").status_code == 200
        assert [guesser.get("/status").status_code for _ in range(12)] == [401] * 10 + [429] * 2
        time.sleep(REMEMBERED + 0.1)  # now it is looked up again
        assert reader.get("/status").status_code == 200
