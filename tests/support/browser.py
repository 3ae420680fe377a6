"""A browser, and pages in it that may do nothing wrong."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support.clients import NODE

expect.set_options(timeout=30_000)  # a busy machine needs more than five seconds
NAMES = ("chromium", "chromium-browser", "google-chrome")
PROGRAM = next((found for name in NAMES if (found := shutil.which(name))), None)
AXE = NODE / "node_modules" / "axe-core" / "axe.min.js"
COUNTING = """
window.asking = 0;
const ask = window.fetch;
window.fetch = async (...given) => {
  window.asking += 1;
  try { return await ask(...given); } finally { window.asking -= 1; }
};
"""
DROPPING = """
([files, event]) => {
  const carried = new DataTransfer();
  for (const {name, bytes} of files) {
    carried.items.add(new File([new Uint8Array(bytes)], name, {type: "image/jpeg"}));
  }
  const how = {bubbles: true, cancelable: true};
  const given = {...how, dataTransfer: carried};
  if (event === "paste") {
    document.body.dispatchEvent(new ClipboardEvent("paste", {...how, clipboardData: carried}));
  } else for (const type of ["dragenter", "dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(type, given));
  }
}
"""
WIDER = """
() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
    .map((one) => `${one.tagName}.${one.className}#${one.id}`).slice(-5)
"""
QUIET = "window.asking === 0 && !document.querySelector('[aria-busy=true], .loading')"
SWITCHES = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


@contextmanager
def chromium(*switches: str) -> Iterator[Browser]:
    """Chromium, for the block, with these switches besides."""
    if PROGRAM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=[*SWITCHES, *switches])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visitor:
    """Somebody with a browser. Errors of scripts, of the console and of the policy are noted."""

    browser: Browser
    url: str
    problems: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)
    """Statuses of answers that are meant to be refused; browsers write them to the console."""
    contexts: list[BrowserContext] = field(default_factory=list)

    def context(self, width: int = 1280, **options: Any) -> BrowserContext:
        """A window of this width, with nothing remembered."""
        given: dict[str, Any] = {"viewport": {"width": width, "height": 800}, "reduced_motion": "reduce"}
        context = self.browser.new_context(**given | options)
        context.set_default_timeout(60_000)
        context.add_init_script(COUNTING)
        self.contexts.append(context)
        return context

    def page(
        self, path: str, width: int = 1280, within: BrowserContext | None = None, **options: Any
    ) -> Page:
        """A page that has settled."""
        page = (within or self.context(width, **options)).new_page()
        page.on("pageerror", lambda error: self.problems.append(f"{path}: {error}"))
        page.on("console", lambda message: self._hear(path, message.type, message.text))
        page.on("requestfailed", lambda request: self._failed(path, request.url, request.failure))
        page.goto(self.url + path)
        settle(page)
        return page

    def _hear(self, path: str, kind: str, text: str) -> None:
        refused = text.startswith("Failed to load resource") and any(
            f"status of {n}" in text for n in self.expected
        )
        if kind in ("error", "warning") and not refused:
            self.problems.append(f"{path}: {text}")

    def _failed(self, path: str, url: str, why: str | None) -> None:
        if why != "net::ERR_ABORTED":  # questions that are given up for newer ones
            self.problems.append(f"{path}: {url} {why}")

    def close(self) -> None:
        """Close all windows."""
        for context in self.contexts:
            context.unroute_all(behavior="ignoreErrors")  # one may still be on its way
            context.close()


def until(page: Page, condition: str, seconds: float = 60) -> None:
    """Wait until an expression is true. Playwright's own way is stopped by the policy: it needs eval."""
    last = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < last, f"it never came true: {condition}"
        page.wait_for_timeout(50)


def settle(page: Page) -> None:
    """Wait until a page shows what it has to show: it asks nothing, and nothing in it waits."""
    page.wait_for_selector("#page:not([hidden]), #sign-in:not([hidden])")
    page.evaluate("window.calm = 0")
    until(page, f"(window.calm = {QUIET} ? window.calm + 1 : 0) > 2")


def drop(page: Page, photos: Sequence[Path], event: str = "drop") -> None:
    """Drop photos on a page, or paste them."""
    files = [{"name": photo.name, "bytes": list(photo.read_bytes())} for photo in photos]
    page.evaluate(DROPPING, [files, event])
    settle(page)


def wider_than_window(page: Page) -> list[str]:
    """What makes a page scroll sideways."""
    return page.evaluate(WIDER)  # type: ignore[no-any-return]


def violations(page: Page, rules: str = "") -> list[str]:
    """Rules of accessibility that a page breaks, as axe sees it; its context has to bypass the policy.

    ``rules`` names the only rule that is tried, or with a minus the one that is not: to tell the contrast of
    each word takes longer than everything else.
    """
    if not AXE.exists():
        pytest.skip("needs axe-core: make test installs it where there is npm")
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules.startswith("-"):
        options["rules"] = {rules[1:]: {"enabled": False}}
    elif rules:
        options["runOnly"] = [rules]
    page.add_script_tag(path=AXE)
    found = page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{each['id']}: {each['help']}: {node['html'][:160]}"
        for each in found["violations"]
        for node in each["nodes"][:3]
    ]
