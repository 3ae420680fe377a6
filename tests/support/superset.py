"""Apache Superset, from nothing: a server of its own, its API, and its dashboard in a browser."""

from __future__ import annotations

import io
import json
import os
import secrets
import subprocess
import time
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, Response

from tests.support.postgres import free_ports

USER, PASSWORD = "admin", "sesame"
DATA = "/api/v1/chart/data"
LOADING = "document.querySelectorAll('[data-test=loading-indicator], .loading, [aria-busy=true]').length"
SAYING = """
() => [...document.querySelectorAll("[data-test=chart-grid-component]")]
  .filter((chart) => chart.offsetParent)
  .map((chart) => [chart.dataset.testChartName,
    [...chart.querySelectorAll("[role=alert], .ant-alert, [data-test=error-message]")]
      .map((one) => one.innerText).concat(chart.innerText.match(/No results.*/) ?? []).join(" ")])
"""
"""Charts on the screen by their names, and what they say instead of showing something."""
BOTTOM = """
Math.max(...[...document.querySelectorAll("[data-test=chart-grid-component]")]
  .map((chart) => chart.getBoundingClientRect().bottom))
"""
"""Where the charts on the screen end."""


def program() -> Path:
    """The program ``superset``; the test skips where none is named."""
    named = os.environ.get("TAGDB_TEST_SUPERSET")
    if not named:
        pytest.skip("needs Superset: TAGDB_TEST_SUPERSET names its program, such as .venv/bin/superset")
    return Path(named) / "superset" if Path(named).is_dir() else Path(named)


@dataclass(frozen=True, slots=True)
class Superset:
    """A server that runs, and its administrator."""

    url: str
    client: httpx.Client

    def load(self, archive: bytes, password: str | None = None) -> httpx.Response:
        """Import a file, with this password of the database."""
        return self._load("assets", "bundle", archive, password)

    def load_dashboard(self, archive: bytes, password: str | None = None) -> httpx.Response:
        """The same as people do it, by "Import dashboards" on the page of dashboards."""
        return self._load("dashboard", "formData", archive, password, overwrite="true")

    def _load(
        self, kind: str, name: str, archive: bytes, password: str | None, **more: str
    ) -> httpx.Response:
        given = {"passwords": json.dumps({"databases/tagdb.yaml": password})} if password else {}
        file = ("tagdb.zip", archive, "application/zip")
        return self.client.post(f"/api/v1/{kind}/import/", files={name: file}, data=given | more)

    def exported(self) -> dict[str, str]:
        """All that it has, as it exports it: text by name."""
        packed = self.client.get("/api/v1/assets/export/").raise_for_status().content
        with zipfile.ZipFile(io.BytesIO(packed)) as files:
            texts = {name.partition("/")[2]: files.read(name).decode() for name in files.namelist()}
        return {name: text for name, text in texts.items() if name != "metadata.yaml"}  # which has the time

    def held(self, kind: str) -> dict[str, Any]:
        """What it has of a kind, such as ``chart``: all that it says of each, by its number."""
        answer = self.client.get(f"/api/v1/{kind}/", params={"q": "(page_size:100)"}).raise_for_status()
        return {each["id"]: each for each in answer.json()["result"]}


@contextmanager
def superset(folder: Path) -> Iterator[Superset]:
    """A new server for the block, with its defaults; all that it keeps is in the folder."""
    named = program()
    (port,) = free_ports(1)
    config = folder / "superset_config.py"
    config.write_text(
        f"SECRET_KEY = {secrets.token_urlsafe(42)!r}\n"
        f"SQLALCHEMY_DATABASE_URI = 'sqlite:///{folder}/superset.db?check_same_thread=false'\n"
    )
    environment = {
        "PATH": f"{named.parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "SUPERSET_HOME": str(folder),
        "SUPERSET_CONFIG_PATH": str(config),
        "FLASK_APP": "superset.app:create_app()",
        "SCARF_ANALYTICS": "false",
    }
    who = f"--username {USER} --firstname A --lastname B --email a@example.com --password {PASSWORD}"
    for words in ("db upgrade", f"fab create-admin {who}", "init"):
        done = subprocess.run(
            [named, *words.split()], env=environment, cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
    serve = (
        f"gunicorn -w 1 -k gthread --threads 8 --timeout 120 -b 127.0.0.1:{port} superset.app:create_app()"
    )
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(serve.split(), env=environment, cwd=folder, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120, trust_env=False) as client:
            _wait(client, server, folder / "server.log")
            _enter(client)
            yield Superset(str(client.base_url), client)
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()


def _wait(client: httpx.Client, server: subprocess.Popen[bytes], log: Path) -> None:
    last = time.monotonic() + 120
    while True:
        try:
            client.get("/health").raise_for_status()
        except httpx.HTTPError:
            assert server.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() < last, "it never answered"
            time.sleep(0.2)
        else:
            return


def _enter(client: httpx.Client) -> None:
    said = {"username": USER, "password": PASSWORD, "provider": "db"}
    token = client.post("/api/v1/security/login", json=said).raise_for_status().json()["access_token"]
    client.headers.update(
        {"Accept": "application/json", "Authorization": f"Bearer {token}", "Referer": str(client.base_url)}
    )
    forged = client.get("/api/v1/security/csrf_token/").raise_for_status().json()["result"]
    client.headers["X-CSRFToken"] = forged


# --- the dashboard in a browser ------------------------------------------------------------------


@dataclass
class Dashboard:
    """A dashboard that somebody looks at."""

    page: Page
    tabs: list[str] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    """To the queries of charts and filters."""
    problems: list[str] = field(default_factory=list)

    def hear(self, kind: str, text: str) -> None:
        """Note an error; Superset asks another machine for a pixel, which it does not get here."""
        if kind == "error" and "net::ERR_NAME_NOT_RESOLVED" not in text:
            self.problems.append(text)

    def asked(self) -> list[str]:
        """The names of the charts whose queries were answered, as often as they were."""
        return [self._numbers[n] for each in self.responses if (n := _form(each).get("slice_id"))]

    def answers(self) -> dict[str, list[dict[str, Any]]]:
        """What the charts were answered, by their names: the rows."""
        found: dict[str, list[dict[str, Any]]] = {}
        for each in self.responses:
            assert each.status == 200, each.text()
            if number := _form(each).get("slice_id"):
                (result,) = each.json()["result"][:1]
                found[self._numbers[number]] = result["data"]
        return found

    def choices(self) -> list[set[str]]:
        """What filters were given to choose from."""
        given = [
            each.json()["result"][0]["data"] for each in self.responses if "native_filter_id" in _form(each)
        ]
        return [{str(next(iter(row.values()))) for row in rows} for rows in given]

    _numbers: dict[int, str] = field(default_factory=dict)

    def show(self, tab: str, charts: Collection[str]) -> dict[str, str]:
        """Go to a tab, and wait until it shows its charts; what each says instead of showing something."""
        self.page.locator("[role=tab]", has_text=tab).click()
        last = time.monotonic() + 60
        calm = 0
        while calm < 5:
            self.page.wait_for_timeout(100)
            settled = set(charts) <= set(self.asked()) and self.page.evaluate(f"!{LOADING} && !window.asking")
            calm = calm + 1 if settled else 0
            assert time.monotonic() < last, (
                f"{tab} waits for {set(charts) - set(self.asked()) or 'something'}"
            )
        return dict(self.page.evaluate(SAYING))


def _form(response: Response) -> dict[str, Any]:
    asked = response.request.post_data_json
    return dict(asked.get("form_data") or {}) if asked else {}


def sign_in(context: BrowserContext, superset: Superset) -> None:
    """Sign in as a person does."""
    page = context.new_page()
    page.goto(f"{superset.url}/login/")
    page.fill("[data-test=username-input]", USER)
    page.fill("[data-test=password-input]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    page.close()


def look(context: BrowserContext, superset: Superset, slug: str, **chosen: dict[str, Any]) -> Dashboard:
    """Open a dashboard; ``chosen`` is what filters of these names add to queries."""
    names = {number: chart["slice_name"] for number, chart in superset.held("chart").items()}
    seen = Dashboard(context.new_page(), _numbers=names)
    page = seen.page
    page.on("response", lambda each: seen.responses.append(each) if DATA in each.url else None)
    page.on("pageerror", lambda error: seen.problems.append(str(error)))
    page.on("console", lambda said: seen.hear(said.type, said.text))
    page.goto(f"{superset.url}/superset/dashboard/{slug}/?{_query(superset, slug, chosen)}")
    page.wait_for_selector("[data-test=chart-grid-component]")
    seen.tabs = [text.strip() for text in page.locator("[role=tab]").all_inner_texts()]
    return seen


def _query(superset: Superset, slug: str, chosen: dict[str, dict[str, Any]]) -> str:
    said = (
        superset.client.get(f"/api/v1/dashboard/{slug}").raise_for_status().json()["result"]["json_metadata"]
    )
    ids = {each["name"]: each["id"] for each in json.loads(said)["native_filter_configuration"]}
    masks = {
        ids[name]: {"extraFormData": added, "filterState": {"value": _value(added)}, "ownState": {}}
        for name, added in chosen.items()
    }
    return str(
        httpx.QueryParams({"expand_filters": "1"} | ({"native_filters": _rison(masks)} if masks else {}))
    )


def _value(added: dict[str, Any]) -> Any:
    (value,) = added.values()
    if isinstance(value, list):
        return value[0]["val"]
    return [value] if "time_grain_sqla" in added else value


def _rison(value: Any) -> str:
    """Superset's way to write JSON in a URL."""
    if isinstance(value, dict):
        return "(" + ",".join(f"{name}:{_rison(each)}" for name, each in value.items()) + ")"
    if isinstance(value, list):
        return "!(" + ",".join(map(_rison, value)) + ")"
    return "'" + str(value).replace("!", "!!").replace("'", "!'") + "'"
