"""The pictures of the pages in the docs: each page of ``tagdb serve``, with drawn photos.

python tools/make_page_pictures.py docs            # docs/page-*.webp
python tools/make_page_pictures.py /tmp/all --all  # whole pages, at three widths, light and dark, as PNG

It needs Chromium.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tagdb import scenes

COLLECTIONS = ("travel", "food", "animals", "cars", "architecture", "nature")
SHOWN = "cars"
"""The collection of the photo on the picture of a photo's page."""
STORED, NEW = 30, 3
LIMIT = 120_000
"""Largest picture, in bytes."""
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")


def draw(folder: Path) -> list[Path]:
    """Draw photos and their list; returns those that are not in it."""
    folder.mkdir()
    lines, new = ["file_name,hashtags,collection,taken_at"], []
    wanted = [(kind, number) for number in range(STORED + NEW) for kind in COLLECTIONS]
    with ThreadPoolExecutor() as pool:
        for place, drawn in enumerate(pool.map(lambda one: scenes.scene(*one), wanted)):
            path = folder / f"{drawn.name}.jpg"
            drawn.picture.save(path, quality=92)
            if wanted[place][1] >= STORED:
                new.append(path)
                continue
            taken = date(2025, 1, 4) + timedelta(days=(place * 53) % 540)
            tags = " ".join(f"#{tag}" for tag in drawn.hashtags)
            lines.append(f"{path.name},{tags},{drawn.collection},{taken}T10:{place % 60:02}:00Z")
    (folder / "photos.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return new


@contextmanager
def service(home: Path) -> Iterator[tuple[str, list[Path]]]:
    """A service on drawn photos: its address, and photos that are not stored."""
    environment = os.environ | {"TAGDB_HOME": str(home / "home")}
    environment.pop("TAGDB_DATABASE_URL", None)

    def tagdb(*arguments: object) -> None:
        subprocess.run(
            [sys.executable, "-m", "tagdb", *map(str, arguments)],
            env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    new = draw(home / "photos")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    try:
        tagdb("ingest", home / "photos" / "photos.csv", "--backbone", "bundled", "--originals", "copy")
        tagdb("factors", "compute")
        tagdb("tags", "alias", "travelphotography", "travel")
        tagdb("tags", "ban", "picoftheday")
        serving = subprocess.Popen(
            [sys.executable, "-m", "tagdb", "serve", "--listen", f"127.0.0.1:{port}", "--backbone", "bundled"],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait(f"http://127.0.0.1:{port}/v1/readyz")
            yield f"http://127.0.0.1:{port}", new
        finally:
            serving.terminate()
            serving.wait()
    finally:
        tagdb("db", "stop")


def wait(url: str) -> None:
    """Wait until something answers."""
    for _ in range(300):
        with suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.2)
    raise SystemExit(f"{url} does not answer")


def tag(page: Page, new: list[Path]) -> None:
    """Choose photos, accept a hashtag, ask why another one is recommended."""
    page.set_input_files("#files", [new[place] for place in (1, 3, 2, 5)])  # none of people
    page.wait_for_selector(".chip-take")
    page.wait_for_load_state("networkidle")
    page.locator(".chip-take").first.click()
    page.wait_for_timeout(400)
    page.wait_for_load_state("networkidle")
    page.locator(".chip-why").first.click()
    page.wait_for_selector(".neighbour")


def nothing(page: Page, new: list[Path]) -> None:
    """Take the page as it comes."""


PAGES: dict[str, tuple[str, Callable[[Page, list[Path]], None]]] = {
    "tag": ("/", tag),
    "browse": ("/browse?order=taken", nothing),
    "photo": ("/images/{image_id}", nothing),
    "hashtags": ("/hashtags", nothing),
    "hashtag": ("/hashtags/travel", nothing),
    "health": ("/health", nothing),
    "try": ("/try#get%20%2Fv1%2Fimages%2F%7Bimage_id%7D%2Frecommend", nothing),
}


def save(shot: bytes, path: Path) -> None:
    """Write a picture that is small enough."""
    for quality in range(88, 30, -6):
        with Image.open(BytesIO(shot)) as image:
            image.convert("RGB").save(path, quality=quality, method=6)
        if path.stat().st_size < LIMIT:
            return


def main(target: Path, everything: bool) -> None:
    """Take the pictures."""
    if CHROMIUM is None:
        raise SystemExit("needs Chromium: apt-get install chromium")
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        Path(folder).chmod(0o711)
        with service(Path(folder)) as (url, new):
            with urllib.request.urlopen(f"{url}/v1/images?collection={SHOWN}&limit=1") as answer:
                photo = json.load(answer)["images"][0]["image_id"]
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
            sizes = [(360, 740), (768, 1000), (1280, 900)] if everything else [(1280, 860)]
            kinds = [(name, size, scheme) for scheme in ("light", "dark") for size in sizes for name in PAGES]
            if not everything:
                kinds = [kind for kind in kinds if kind[2] == "light"] + [("tag", (390, 844), "dark")]
            for name, (width, height), scheme in kinds:
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if scheme == "dark" else "light",
                    reduced_motion="reduce",
                )
                page = context.new_page()
                path, prepare = PAGES[name]
                page.goto(url + path.replace("{image_id}", str(photo), 1) if name == "photo" else url + path)
                page.wait_for_selector("#page:not([hidden])")
                page.wait_for_load_state("networkidle")
                prepare(page, new)
                page.wait_for_load_state("networkidle")
                page.wait_for_timeout(300)
                if everything:
                    page.screenshot(path=target / f"{name}-{width}-{scheme}.png", full_page=True)
                else:
                    page.mouse.move(0, 0)
                    page.evaluate("scrollTo(0, 0)")
                    phone = "-phone" if width < 500 else ""
                    save(page.screenshot(), target / f"page-{name}{phone}.webp")
                context.close()
            browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--all" in sys.argv)
