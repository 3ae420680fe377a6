"""The demo: tagdb at work on photos that it draws itself, in a separate database.

Only the photos are special. They are written as files in the ancestor's layout and go through the same
ingest, factors and SQL function as any other photos.
"""

import html
import json
import os
import shutil
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from tagdb import factors, ingest, scenes, store
from tagdb.config import Settings
from tagdb.embedding.backbone import BUNDLED, Backbone, resolve
from tagdb.photos import images
from tagdb.photos.sources import open_source
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.postgres.server import Server
from tagdb.progress import track

DATABASE = "tagdb_demo"
HELD_OUT_OF = 5
"""One photo in five is held out of the database, to recommend for."""
TOP = 10
YEAR = 365
"""In days; the photos are from two of them."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A held-out photo with its hashtags and the recommended ones."""

    photo: Path
    collection: str
    hashtags: tuple[str, ...]
    recommended: tuple[store.answers.Recommendation, ...]

    @property
    def hit(self) -> bool:
        """Whether the hashtag of its collection is among the first three."""
        return self.collection in [one.hashtag for one in self.recommended[:3]]


@dataclass(frozen=True, slots=True)
class Shown:
    """Result of a demo."""

    url: str
    folder: Path
    sheet: Path
    ingested: ingest.Summary
    computed: factors.Computed
    tried: Sequence[Tried]
    seconds: float


def folder_of(settings: Settings) -> Path:
    """Return the folder of the demo's photos and contact sheet."""
    return settings.home / "demo"


def url_of(server: Server) -> str:
    """Return the URL of the demo's database on the embedded server."""
    return server.url().replace("/tagdb?", f"/{DATABASE}?")


def run(
    settings: Settings,
    photos: int = 500,
    seed: int = 0,
    quiet: bool = False,
    notify: Callable[[str], None] = print,
) -> Shown:
    """Draw photos, ingest them, compute factors, recommend for the held-out ones, write the contact sheet.

    Uses the database ``tagdb_demo`` on the embedded server, which is recreated.

    Parameters
    ----------
    settings
        Only the home is used.
    photos
        Number of photos to draw, spread over the ten collections.
    seed
        Another seed draws other photos.
    quiet
        Show no progress.
    notify
        Prints notes.
    """
    started = time.monotonic()
    server = Server(settings.home)
    _start(settings, notify)
    folder = folder_of(settings)
    shutil.rmtree(folder, ignore_errors=True)
    held_out = _draw(folder, photos, seed, quiet)
    database.make_database(server.url(), DATABASE)
    url = url_of(server)
    database.migrate(url)
    with database.connect(url) as connection, database.translated(connection):
        backbone = resolve(BUNDLED, None, None, settings.backbone_cache)
        ingested = ingest.run(
            connection, backbone, [open_source(str(folder / "photos"))], ingest.Options(quiet=quiet)
        )
        computed = factors.compute(connection, quiet=quiet)
        tried = _try(connection, backbone, held_out)
    sheet = folder / "contact-sheet.html"
    sheet.write_text(contact_sheet(tried), encoding="utf-8")
    return Shown(url, folder, sheet, ingested, computed, tried, time.monotonic() - started)


def remove(settings: Settings) -> None:
    """Drop the demo's database and delete its folder."""
    server = Server(settings.home)
    _start(settings, lambda note: None)
    database.drop_database(server.url(), DATABASE)
    shutil.rmtree(folder_of(settings), ignore_errors=True)


def _start(settings: Settings, notify: Callable[[str], None]) -> None:
    database.ensure_url(replace(settings, database_url=None), notify)


def _draw(folder: Path, photos: int, seed: int, quiet: bool) -> list[tuple[Path, scenes.Scene]]:
    """Draw the photos in the ancestor's layout under ``photos``; return the held-out ones."""
    wanted = [
        (scenes.COLLECTIONS[i % len(scenes.COLLECTIONS)], i // len(scenes.COLLECTIONS)) for i in range(photos)
    ]
    now = datetime.now(UTC)
    listed: dict[str, list[dict[str, object]]] = {collection: [] for collection in scenes.COLLECTIONS}
    held_out = []
    with ThreadPoolExecutor(os.cpu_count()) as pool, track("drawing", photos, "photos", quiet) as report:
        drawn = pool.map(lambda which: scenes.scene(which[0], which[1], seed), wanted)
        for done, (scene, (_, number)) in enumerate(zip(drawn, wanted, strict=True), start=1):
            keep = number % HELD_OUT_OF == HELD_OUT_OF - 1
            path = folder / ("held-out" if keep else f"photos/data/{scene.collection}") / f"{scene.name}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            scene.picture.save(path, quality=90)
            if keep:
                held_out.append((path, scene))
            else:
                listed[scene.collection].append(
                    {
                        "post_link": None,
                        "image": None,
                        "search_hashtag": scene.collection,
                        "hashtags": [f"#{tag}" for tag in scene.hashtags],
                        "image_local_name": path.name,
                        "taken_at": taken_at(scene.collection, number, seed, now).isoformat(),
                    }
                )
            report(done)
    metadata = folder / "photos" / "metadata"
    metadata.mkdir(parents=True, exist_ok=True)
    for collection, records in listed.items():
        (metadata / f"{collection}.json").write_text(json.dumps(records, indent=1), encoding="utf-8")
    return held_out


def taken_at(collection: str, number: int, seed: int, now: datetime) -> datetime:
    """Return when a photo was taken, in the two years before now.

    Each year there are more photos, and each collection has its season, so that trends show something.
    """
    place = scenes.COLLECTIONS.index(collection)
    rng = np.random.default_rng((seed, place, number, YEAR))
    while True:
        taken = now - timedelta(days=2 * YEAR * (1 - np.sqrt(rng.random())))
        season = np.cos(2 * np.pi * (taken.timetuple().tm_yday / YEAR - place / len(scenes.COLLECTIONS)))
        if rng.random() < 0.55 + 0.45 * season:
            return taken.replace(microsecond=0)


def _try(
    connection: Connection, backbone: Backbone, held_out: Sequence[tuple[Path, scenes.Scene]]
) -> list[Tried]:
    tried = []
    for path, scene in held_out:
        photo = images.decode(path.read_bytes(), backbone.identity.input_size)
        answer = store.answers.recommend(
            connection, backbone.embed(photo.pixels), store.answers.Query(top=TOP)
        )
        tried.append(Tried(path, scene.collection, scene.hashtags, tuple(answer)))
    return tried


def contact_sheet(tried: Sequence[Tried]) -> str:
    """Return an HTML page of the photos, with recommended hashtags marked right or wrong."""
    hits = sum(one.hit for one in tried)
    cards = "\n".join(map(_card, tried))
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>tagdb demo</title>
<style>
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 2rem; background: #f6f6f4; color: #222 }}
main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); gap: 1rem }}
article {{ background: #fff; border-radius: .5rem; overflow: hidden; box-shadow: 0 1px 3px #0002 }}
img {{ width: 100%; height: 12rem; object-fit: cover; display: block }}
p {{ margin: .6rem .8rem }}
.right {{ color: #176c2e; font-weight: 600 }}
.wrong {{ color: #8a8a86 }}
.own {{ color: #8a8a86; font-size: 85% }}
</style>
<h1>tagdb demo</h1>
<p>{len(tried)} photos that are new to the database, with the ten hashtags recommended for each.
<span class="right">Right</span>: the photo has it. <span class="wrong">Wrong</span>: it does not.
{hits} of {len(tried)} have the hashtag of their collection among the first three.</p>
<main>
{cards}
</main>
</html>
"""


def _verdict(one: Tried, hashtag: str) -> str:
    return "right" if hashtag in one.hashtags else "wrong"


def _card(one: Tried) -> str:
    thumbnail = b64encode(images.decode(one.photo.read_bytes(), 32).thumbnail).decode()
    tags = " ".join(
        f'<span class="{_verdict(one, each.hashtag)}">#{html.escape(each.hashtag)}</span>'
        for each in one.recommended
    )
    own = " ".join(f"#{html.escape(tag)}" for tag in one.hashtags)
    return (
        f'<article><img alt="{html.escape(one.collection)}" src="data:image/jpeg;base64,{thumbnail}">'
        f'<p>{tags}</p><p class="own">has {own}</p></article>'
    )
