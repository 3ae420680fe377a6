"""The pages, in a browser: everything that people do with them, on a phone, a tablet and a desktop."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from tagdb.photos.images import content_hash
from tagdb.scenes import scene
from tagdb.serve.options import Options
from tests.support.browser import Visitor, chromium, drop, settle, until, violations, wider_than_window
from tests.support.postgres import Postgres
from tests.support.served import Serve, Served, serving

WIDTHS = (360, 768, 1280)
HTML = '<img src=x onerror="hit()"><b>bold</b>'
"""What a name may try to be."""
PAGES = ("/", "/browse", "/images/3", "/hashtags", "/hashtags/food", "/health", "/try")
MISSING = "/nosuch<img src=x onerror=alert()>"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, for all tests of a worker."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def site(gallery: str, postgres: Postgres, run_folder: Path) -> Iterator[Served]:
    """A service for all tests of a worker; each corrects photos and hashtags of its own."""
    with postgres.database(gallery) as url, serving(url, run_folder, Options(port=0, workers=1)) as served:
        yield served


@pytest.fixture(scope="session")
def guarded(site: Served, run_folder: Path) -> Iterator[Served]:
    """A service of the same photos that wants a token."""
    with serving(
        site.database_url, run_folder, Options(port=0, workers=1, names=("photos.example",))
    ) as served:
        yield served


@pytest.fixture
def visitor(browser: Browser, site: Served) -> Iterator[Visitor]:
    """Somebody who visits it, and for whom nothing may go wrong."""
    visitor = Visitor(browser, site.url)
    yield visitor
    visitor.close()
    assert visitor.problems == []


@pytest.fixture(scope="session")
def new(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """A function that draws a photo that is not stored."""
    folder = tmp_path_factory.mktemp("new")

    def draw(number: int) -> Path:
        path = folder / f"new-{number}.jpg"
        if not path.exists():
            scene("travel", 100 + number).picture.save(path)
        return path

    return draw


def chips(page: Page, place: str = "#recommended") -> list[str]:
    """The hashtags that are shown."""
    return page.locator(f"{place} .chip-name").all_text_contents()


def hashtags_of(site: Served, image_id: int) -> set[object]:
    """The hashtags of a stored image."""
    return {
        tag for (tag,) in site.rows("SELECT hashtag FROM tagdb.image_hashtags WHERE image_id = %s", image_id)
    }


# ---- every page ----


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_fit_and_are_accessible(visitor: Visitor, new: Callable[[int], Path], width: int) -> None:
    """No page is wider than its window, and axe has no objection: all its rules, or contrast in the dark."""
    dark, rules = width == 768, {360: "-color-contrast", 768: "color-contrast", 1280: ""}[width]
    context = visitor.context(width, bypass_csp=True, color_scheme="dark" if dark else "light")
    for path in PAGES:
        page = visitor.page(path, within=context)
        if path == "/":
            assert violations(page, rules) == [], path
            page.set_input_files("#files", [new(1), new(2)])
            settle(page)
            page.locator(".chip-take").first.click()
            page.locator(".chip-reject").first.click()
            settle(page)
            page.locator(".chip-why").first.click()
            page.wait_for_selector(".neighbour")
            settle(page)
        assert wider_than_window(page) == [], path
        assert violations(page, rules) == [], path
        assert page.locator("h1:visible").count() == 1, path
        page.close()


def test_an_unknown_address_is_a_page_for_people(visitor: Visitor) -> None:
    visitor.expected.add(404)
    page = visitor.page(MISSING)
    expect(page.get_by_role("heading")).to_have_text("There is nothing here")
    expect(page.locator("main code")).to_contain_text("/nosuch")
    page.get_by_role("link", name="browse", exact=True).click()
    expect(page).to_have_url(f"{visitor.url}/browse")


@pytest.mark.parametrize("path", PAGES)
def test_names_cannot_become_html(visitor: Visitor, new: Callable[[int], Path], path: str) -> None:
    """Every text that the API says is followed by HTML; it is shown as it is."""

    def spoil(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: spoil(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [spoil(one, key) for one in value]
        plain = isinstance(value, str) and not re.fullmatch(
            r"[0-9a-f]{64}|\d{4}-\d\d-\d\d.*|image/jpeg", value
        )
        return value + HTML if plain and key not in ("severity", "status", "state", "kind", "next") else value

    def answer(route: Route) -> None:
        asked = route.request.post_data
        response = route.fetch(
            url=route.request.url.replace(quote_plus(HTML), ""),
            post_data=asked and asked.replace(json.dumps(HTML)[1:-1], ""),
        )
        if response.headers.get("content-type", "").startswith("application/json"):
            route.fulfill(response=response, body=json.dumps(spoil(response.json())))
        else:
            route.fulfill(response=response)

    context = visitor.context()
    context.add_init_script("window.hits = 0; window.hit = () => { window.hits += 1; };")
    context.route(re.compile("/v1/(?!session|openapi|embed)"), answer)
    page = visitor.page(path, within=context)
    if path == "/":
        page.set_input_files("#files", new(1))
        settle(page)
        page.locator(".chip-take").first.click()
        settle(page)
        page.locator(".chip-why").first.click()
        page.wait_for_selector(".neighbour")
        page.fill("#add", "s")
        page.wait_for_selector("[role=option]")
        settle(page)
    if path != "/try":
        assert HTML in page.inner_text("main")
    assert page.evaluate("window.hits") == 0
    assert page.locator("main img[src=x], main b").count() == 0


def test_the_colours_stay_as_they_were_chosen(visitor: Visitor) -> None:
    page = visitor.page("/browse", color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Dark colours").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark
    assert page.get_by_role("button", name="Dark colours").get_attribute("aria-pressed") == "true"


def test_the_keyboard_skips_to_the_content(visitor: Visitor) -> None:
    page = visitor.page("/browse", width=360)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Collection")).to_be_focused()


# ---- tagging ----


def asked_of(page: Page, path: str) -> list[Any]:
    """What a page asks from now on, call by call."""
    asked: list[Any] = []
    page.on("request", lambda one: asked.append(one.post_data_json) if one.url.endswith(path) else None)
    return asked


@pytest.mark.parametrize("width", WIDTHS)
def test_a_photo_is_tagged_by_keyboard(visitor: Visitor, new: Callable[[int], Path], width: int) -> None:
    context = visitor.context(width, permissions=["clipboard-read", "clipboard-write"])
    page = visitor.page("/", within=context)
    embedded: list[str] = []
    page.on("request", lambda one: embedded.append(one.url) if one.url.endswith("/v1/embed") else None)
    asked = asked_of(page, "/recommend_for_embedding")
    drop(page, [new(1)])
    first, second = chips(page)[:2]
    assert page.inner_text("#line") == " ".join(chips(page))

    page.locator(".chip-take").first.focus()
    page.keyboard.press("Enter")
    settle(page)
    assert chips(page, "#chosen") == [first]
    assert page.evaluate("document.activeElement.closest('.chip').dataset.hashtag") == second[1:]
    expect(page.locator("#announcer")).to_have_text(f"{first} accepted")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    settle(page)
    assert chips(page, "#rejected") == [second]
    until(page, f"document.querySelectorAll('#recommended .chip').length === {asked[0]['top']}")
    assert asked[-1]["known"] == [first[1:]]
    assert asked[-1]["exclude"] == [second[1:]]
    assert not {first, second} & set(chips(page))

    page.fill("#top", "3")
    until(page, "document.querySelectorAll('#recommended .chip').length === 3")
    page.focus("#diversity")
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('#diversity-value').textContent === '10%'")
    settle(page)
    page.wait_for_timeout(250)
    assert asked[-1]["diversity"] == 0.1
    assert embedded == [f"{visitor.url}/v1/embed"], "a photo is sent once"

    page.locator(".chip-why").first.press("Enter")
    expect(page.locator(".neighbour")).not_to_have_count(0)
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.locator(".why-panel")).to_be_hidden()
    expect(page.locator(".chip-why").first).to_be_focused()

    page.get_by_role("button", name=f"Do not reject {second}").press("Enter")
    page.get_by_role("button", name="Copy 1").press("Enter")
    expect(page.locator("#copy")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == first
    assert page.locator("#similar .photo").count() == 12
    assert wider_than_window(page) == []


def test_hashtags_are_completed(visitor: Visitor, new: Callable[[int], Path]) -> None:
    page = visitor.page("/")
    drop(page, [new(1)], "paste")
    field = page.get_by_role("combobox", name="Add hashtags you know")
    field.type("tra")
    page.wait_for_selector("[role=option]")
    assert field.get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    marked = page.locator("[role=option][aria-selected=true]")
    assert field.get_attribute("aria-activedescendant") == marked.get_attribute("id")
    taken = marked.locator(".completion-name").inner_text()
    page.keyboard.press("Enter")
    expect(page.locator("#chosen .chip")).to_have_count(1)  # once the service has found it to be a hashtag
    assert chips(page, "#chosen") == [taken]
    expect(field).to_have_value("")
    assert field.get_attribute("aria-expanded") == "false"
    field.type("tra")
    page.wait_for_selector("[role=option]")
    page.keyboard.press("Escape")
    expect(page.locator("[role=listbox]").first).to_be_hidden()
    field.fill("")
    field.type("#Mine Other")
    page.keyboard.press("Enter")
    expect(page.locator("#chosen .chip")).to_have_count(3)
    assert set(chips(page, "#chosen")) == {taken, "#Mine", "#Other"}
    visitor.expected.add(422)
    field.fill("not/a/hashtag")
    page.keyboard.press("Enter")
    expect(page.get_by_text("cannot be part of a hashtag")).to_be_visible()
    expect(field).to_have_value("not/a/hashtag")  # nothing that was typed is lost
    expect(page.locator("#chosen .chip")).to_have_count(3)
    assert chips(page)


def test_a_late_answer_does_not_replace_a_newer_one(visitor: Visitor, new: Callable[[int], Path]) -> None:
    page = visitor.page("/")
    drop(page, [new(1)])
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        given = route.request.post_data_json
        if given["top"] == 4:
            waiting.append(route)  # is answered after the one that follows it
        else:
            route.continue_()

    page.route("**/v1/recommend_for_embedding", hold)
    page.fill("#top", "4")
    page.wait_for_timeout(300)
    page.fill("#top", "6")
    until(page, "document.querySelectorAll('#recommended .chip').length === 6")
    assert waiting
    waiting[0].fulfill(json={"hashtags": [{"rank": 1, "hashtag": "late", "score": 1.0}]})
    page.wait_for_timeout(200)
    assert len(chips(page)) == 6
    assert "#late" not in chips(page)


def test_several_photos_each_with_its_choices(
    visitor: Visitor, site: Served, new: Callable[[int], Path], tmp_path: Path
) -> None:
    """One of them is HEIC, which the browser cannot show, and one is no photo."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    heic, broken = tmp_path / "shown as its name.heic", tmp_path / "broken.jpg"
    Image.open(new(3)).save(heic)
    broken.write_bytes(b"no photo at all")
    context = visitor.context()
    context.add_init_script(
        "window.made = new Set(); const make = URL.createObjectURL, drop = URL.revokeObjectURL;"
        "URL.createObjectURL = (file) => { const url = make.call(URL, file); made.add(url); return url; };"
        "URL.revokeObjectURL = (url) => { made.delete(url); drop.call(URL, url); };"
    )
    page = visitor.page("/", within=context)
    page.set_input_files("#files", [new(1), heic, broken])
    settle(page)
    page.wait_for_selector(".strip-photo.failed")
    until(page, "!document.querySelector('.strip-photo.waiting, .strip-photo.working')")
    page.locator(".chip-take").first.click()
    chosen = chips(page, "#chosen")
    photos = page.get_by_role("list", name="Photos").get_by_role("button")
    photos.nth(1).click()
    settle(page)
    assert chips(page, "#chosen") == []
    assert chips(page)
    expect(page.locator("#photo .placeholder")).to_contain_text("shown as its name.heic")
    photos.nth(2).click()
    expect(page.locator("#recommended [role=alert]")).to_be_visible()
    photos.nth(0).click()
    assert chips(page, "#chosen") == chosen

    assert page.evaluate("made.size") == 3
    page.get_by_role("button", name="Store all 2").click()
    expect(page.locator("#toasts")).to_contain_text("2 photos are stored.")
    for _ in range(3):
        page.get_by_role("button", name="Put away").click()
    expect(page.locator("#work")).to_be_hidden()
    assert page.evaluate("made.size") == 0, "what a photo was shown by is given back"
    stored = site.rows("SELECT count(*) FROM tagdb.images WHERE uri LIKE '%%new-1.jpg' OR uri LIKE '%%.heic'")
    assert stored == [(2,)]
    site.rows("SELECT tagdb.remove_image(image_id) FROM tagdb.images WHERE image_id > 48")


def test_choices_are_stored_with_the_photo_and_then_are_feedback(
    visitor: Visitor, site: Served, new: Callable[[int], Path]
) -> None:
    photo = new(4)
    page = visitor.page("/")
    drop(page, [photo])
    accepted, rejected, later = chips(page)[:3]
    page.get_by_role("button", name=re.compile(f"^Accept {accepted} ")).click()
    page.get_by_role("button", name=f"Reject {rejected}", exact=True).click()
    page.fill("#add", "fromhere")
    page.keyboard.press("Enter")
    page.get_by_label("Collection").fill("new ones")
    page.get_by_role("button", name="Store this photo").click()
    expect(page.locator("#toasts")).to_contain_text("is stored.")
    ((image_id, collection),) = site.rows(
        "SELECT image_id, collection FROM tagdb.images WHERE content_sha256 = %s",
        content_hash(photo.read_bytes()).hex(),
    )
    assert isinstance(image_id, int)
    assert collection == "new ones"
    assert hashtags_of(site, image_id) == {accepted[1:], "fromhere"}
    judged = (
        "SELECT hashtag, accepted FROM tagdb_store.feedback JOIN tagdb.hashtags USING (hashtag_id)"
        " WHERE image_id = %s"
    )
    assert set(site.rows(judged, image_id)) == {(accepted[1:], True), (rejected[1:], False)}

    settle(page)
    page.get_by_role("button", name=re.compile(f"^Accept {later} ")).click()
    expect(page.locator("#toasts")).to_contain_text(f"{later} is on the photo now.")
    assert later[1:] in hashtags_of(site, image_id)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#chosen")).not_to_contain_text(later)
    settle(page)
    assert later[1:] not in hashtags_of(site, image_id)

    page.reload()
    drop(page, [photo])
    expect(page.get_by_role("link", name="Stored: its page")).to_have_attribute("href", f"/images/{image_id}")
    assert set(chips(page, "#chosen")) == {accepted, "#fromhere"}
    site.rows("SELECT tagdb.remove_image(%s)", image_id)


@pytest.mark.parametrize("entered", [True, False])
@pytest.mark.parametrize("slow", ["**/v1/hashtags?*", "**/v1/images"])
def test_what_is_typed_is_stored_however_slow_the_server_is(
    visitor: Visitor, site: Served, new: Callable[[int], Path], slow: str, entered: bool
) -> None:
    """It is still being checked, or was typed without Enter; choices made during the storing count, too."""
    photo = new(40 + entered)
    page = visitor.page("/")
    drop(page, [photo])
    first, second = chips(page)[:2]

    def slowly(route: Route) -> None:
        page.wait_for_timeout(700)
        route.continue_()

    page.route(slow, slowly)
    page.fill("#add", "typed")
    if entered:
        page.keyboard.press("Enter")
    page.get_by_role("button", name="Store this photo").click()
    page.get_by_role("button", name=re.compile(f"^Accept {first} ")).click()
    page.get_by_role("button", name=f"Reject {second}", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("is stored.")
    settle(page)
    rows = site.rows(
        "SELECT image_id FROM tagdb.images WHERE content_sha256 = %s", content_hash(photo.read_bytes()).hex()
    )
    image_id = int(str(rows[0][0]))
    try:
        assert hashtags_of(site, image_id) == {"typed", first[1:]}
        judged = "SELECT accepted FROM tagdb_store.feedback WHERE image_id = %s ORDER BY accepted"
        assert site.rows(judged, image_id) == [(False,), (True,)]
    finally:
        site.rows("SELECT tagdb.remove_image(%s)", image_id)


def test_what_is_no_hashtag_is_not_stored_and_not_lost(
    visitor: Visitor, site: Served, new: Callable[[int], Path]
) -> None:
    visitor.expected.add(422)
    page = visitor.page("/")
    drop(page, [new(42)])
    page.fill("#add", "fine !!!")
    page.get_by_role("button", name="Store this photo").click()
    expect(page.locator("#toasts")).to_contain_text("!!!")
    expect(page.locator("#add")).to_have_value("fine !!!")
    expect(page.get_by_role("button", name="Store this photo")).to_be_enabled()
    digest = content_hash(new(42).read_bytes()).hex()
    assert site.rows("SELECT image_id FROM tagdb.images WHERE content_sha256 = %s", digest) == []


# ---- browsing ----


def test_filters_live_in_the_address(visitor: Visitor, site: Served) -> None:
    page = visitor.page("/browse")
    shown = page.locator("#gallery .photo")
    expect(shown).to_have_count(48)
    page.get_by_label("Collection").select_option("cars")
    expect(shown).to_have_count(12)
    assert page.url.endswith("/browse?collection=cars")
    page.get_by_label("Taken from").fill("2025-03-03")
    page.get_by_label("Taken until").fill("2025-04-03")
    page.get_by_label("Taken until").press("Tab")
    expect(shown).to_have_count(2)
    page.get_by_role("button", name="Clear filters").click()
    expect(shown).to_have_count(48)
    page.get_by_label("Hashtag").fill("food")
    page.get_by_label("Hashtag").press("Enter")
    ((number,),) = site.rows("SELECT count(*) FROM tagdb.image_hashtags WHERE hashtag = 'food'")
    expect(shown).to_have_count(int(str(number)))
    page.go_back()
    expect(shown).to_have_count(48)
    page.go_back()
    expect(shown).to_have_count(2)
    assert page.get_by_label("Collection").input_value() == "cars"
    bookmark = page.url
    page.goto(bookmark)
    expect(shown).to_have_count(2)
    page.goto(f"{visitor.url}/browse?hashtag=nobodyhasthis")
    expect(page.get_by_text("No photo fits these filters")).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_gallery_of_a_hundred_thousand(visitor: Visitor, width: int) -> None:
    """However far somebody scrolls, few thumbnails are in the document, and places stay where they are."""
    context = visitor.context(width)

    def answer(route: Route) -> None:
        first = int(re.search(r"cursor=(\d+)", route.request.url)[1]) if "cursor" in route.request.url else 0  # type: ignore[index]
        images = [
            {"image_id": 100_000 - n, "uri": f"file:///{n}.jpg", "name": f"{n}.jpg"}
            for n in range(first, first + 60)
        ]
        route.fulfill(json={"images": images, "next": str(first + 60)})

    context.route("**/v1/images?*", answer)
    context.route(
        "**/v1/session", partial(_fulfil, {"name": None, "role": "reader", "needs_token": False})
    )  # no thumbnails
    page = visitor.page("/browse", within=context)
    top = page.locator("#gallery a").first
    assert top.get_attribute("href") == "/images/100000"
    until(page, "scrollTo(0, 1e6), document.querySelectorAll('.gallery-page').length > 10")
    pages = page.locator(".gallery-page").count()
    until(page, f"document.querySelectorAll('#gallery .photo').length < 60 * {pages - 2}")
    settle(page)
    height = page.evaluate("document.querySelector('#gallery').scrollHeight")
    page.evaluate("scrollTo(0, 0)")
    expect(top).to_have_attribute("href", "/images/100000")
    assert abs(page.evaluate("document.querySelector('#gallery').scrollHeight") - height) < 4
    before = page.locator(".gallery-page").count()
    page.get_by_role("button", name="Load more").press("Enter")
    until(page, f"document.querySelectorAll('.gallery-page').length > {before}")
    assert page.evaluate("document.activeElement.closest('.gallery-page') !== null"), (
        "focus is on the first new photo"
    )

    visitor.expected.add(404)  # the photos are made up
    photo = page.locator("#gallery a:focus")
    address, top = photo.get_attribute("href"), page.evaluate("scrollY")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{address}")
    settle(page)
    page.go_back()
    settle(page)
    expect(page.locator(f'#gallery a[href="{address}"]')).to_be_in_viewport()
    assert abs(page.evaluate("scrollY") - top) < 400


# ---- a photo ----


@pytest.mark.parametrize(("width", "image_id"), [(360, 10), (768, 11), (1280, 12)])
def test_a_stored_photo_is_corrected(visitor: Visitor, site: Served, width: int, image_id: int) -> None:
    page = visitor.page(f"/images/{image_id}", width=width)
    before = hashtags_of(site, image_id)
    assert {name[1:] for name in page.locator("#hashtags a").all_text_contents()} >= before
    first, second = (name[1:] for name in chips(page)[:2])
    take = page.get_by_role("button", name=re.compile(f"^Accept #{first} "))
    take.press("Enter")
    expect(take).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#toasts")).to_contain_text(f"#{first} accepted")
    assert hashtags_of(site, image_id) == before | {first}
    page.get_by_role("button", name="Undo").click()
    expect(take).to_have_attribute("aria-pressed", "false")
    settle(page)
    assert hashtags_of(site, image_id) == before
    page.get_by_role("button", name=f"Reject #{second}", exact=True).click()
    expect(page.get_by_role("button", name=f"Reject #{second}", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    page.get_by_role("button", name=f"Why #{second}").click()
    expect(page.locator(".neighbour")).not_to_have_count(0)

    page.fill("#add", "added")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="#added")).to_be_visible()
    gone = str(sorted(before, key=str)[0])
    page.get_by_role("button", name=f"Remove #{gone}", exact=True).click()
    expect(page.get_by_role("link", name=f"#{gone}", exact=True)).to_have_count(0)
    assert hashtags_of(site, image_id) == (before | {"added"}) - {gone}
    assert page.locator("#similar .photo").count() == 12
    assert page.locator("#facts").inner_text().count("2025")

    page.get_by_role("button", name="Remove", exact=True).click()
    dialog = page.get_by_role("dialog", name="Remove this photo?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert site.rows("SELECT count(*) FROM tagdb.images WHERE image_id = %s", image_id) == [(1,)]
    if width == 360:
        return
    page.get_by_role("button", name="Remove", exact=True).click()
    dialog.get_by_role("button", name="Remove").click()
    page.wait_for_url("**/browse")
    assert site.rows("SELECT count(*) FROM tagdb.images WHERE image_id = %s", image_id) == [(0,)]


def test_originals_are_shown_to_writers(visitor: Visitor, site: Served, drawn: Path) -> None:
    sha256 = content_hash((drawn / "food-03.jpg").read_bytes()).hex()
    ((image_id,),) = site.rows("SELECT image_id FROM tagdb.images WHERE content_sha256 = %s", sha256)
    page = visitor.page(f"/images/{image_id}")
    shown = page.locator("#photo img")
    expect(shown).to_have_attribute("src", f"/v1/images/{image_id}/original")
    expect(page.get_by_role("link", name="Download the original")).to_be_visible()
    site.rows("UPDATE tagdb_store.image_files SET original = NULL WHERE image_id = %s RETURNING 1", image_id)
    page.reload()
    expect(shown).to_have_attribute("src", f"/v1/images/{image_id}/thumbnail")
    expect(page.get_by_role("link", name="Download the original")).to_have_count(0)


def test_what_is_not_there_is_said(visitor: Visitor) -> None:
    visitor.expected.add(404)
    page = visitor.page("/images/999999")
    expect(page.get_by_text("There is no such photo")).to_be_visible()
    page = visitor.page("/hashtags/nobodyhasthis")
    expect(page.get_by_text("This hashtag is on no photo")).to_be_visible()


# ---- hashtags ----


@pytest.mark.parametrize("width", WIDTHS)
def test_hashtags_are_found_and_corrected(visitor: Visitor, site: Served, width: int) -> None:
    wrong, right, spam = (
        str(tag)
        for (tag,) in site.rows(
            "SELECT hashtag FROM tagdb.hashtag_stats WHERE images BETWEEN 1 AND 5 AND NOT banned"
            " AND alias_of IS NULL ORDER BY hashtag OFFSET %s LIMIT 3",
            4 * WIDTHS.index(width),
        )
    )
    page = visitor.page("/hashtags", width=width)
    most = [
        str(tag)
        for (tag,) in site.rows(
            "SELECT hashtag FROM tagdb.hashtag_stats ORDER BY images DESC, hashtag LIMIT 3"
        )
    ]
    assert page.locator("#list a").first.inner_text() == f"#{most[0]}"
    page.get_by_role("link", name="Growing").click()
    settle(page)
    assert page.url.endswith("order=growing")
    page.get_by_role("link", name="A–Z").click()
    settle(page)
    names = page.locator("#list a").all_inner_texts()
    assert len(names) == 50
    page.get_by_role("button", name="Load more").click()
    until(page, "document.querySelectorAll('#list li').length > 50")
    assert page.locator("#list a").nth(50).evaluate("one => one === document.activeElement")

    page.get_by_label("These").fill(f"#{wrong}")
    page.get_by_label("count as").fill(right)
    page.keyboard.press("Escape")  # on a phone the completion lies over the button
    page.get_by_role("button", name="Make an alias").press("Enter")
    expect(page.locator("#edits")).to_contain_text(f"#{wrong} counts as #{right}")
    page.get_by_role("textbox", name="Hashtags").fill(spam)
    page.get_by_role("button", name="Ban", exact=True).click()
    expect(page.locator("#edits")).to_contain_text(f"#{spam} banned")
    state = "SELECT banned, alias_of FROM tagdb.hashtag_stats WHERE hashtag = %s"
    assert site.rows(state, wrong) == [(False, right)]
    assert site.rows(state, spam) == [(True, None)]
    for told in (f"Undo: #{spam} banned", f"Undo: #{wrong} counts as #{right}"):
        page.get_by_role("button", name=told).click()
        expect(page.get_by_role("button", name=told)).to_have_count(0)
    assert site.rows(state, wrong) == site.rows(state, spam) == [(False, None)]

    field = page.get_by_role("combobox", name="Find a hashtag")
    field.type("foo")
    page.wait_for_selector("[role=option]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/hashtags/foo*")
    settle(page)
    assert page.locator("#examples .photo").count() > 0
    assert page.locator("#trend svg.chart").count() == 1
    page.get_by_text("As a table").first.click()
    expect(page.get_by_role("table").first).to_be_visible()
    assert wider_than_window(page) == []
    page.get_by_role("button", name="Ban", exact=True).click()
    expect(page.get_by_text("It is banned: neither")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("It is banned: neither")).to_be_hidden()


# ---- health ----


def test_health_follows_what_runs(visitor: Visitor, serve: Serve, browser: Browser) -> None:
    """An ingest that runs, factors that are computed, and going back to the run before."""
    served = serve()
    mine = Visitor(browser, served.url, visitor.problems)
    served.rows(
        "INSERT INTO tagdb_store.ingest_runs (sources, images_new) VALUES ('{photos}', 1234) RETURNING 1"
    )
    page = mine.page("/health")
    expect(page.locator("#running")).to_contain_text("1,234 new photos")
    served.rows("UPDATE tagdb_store.ingest_runs SET finished_at = now() RETURNING 1")
    expect(page.locator("#running")).to_be_empty()
    assert page.locator("#coverage .share-row").count() == 4
    assert page.locator(".finding").count() > 10

    page.get_by_role("button", name="Compute factors").click()
    expect(page.get_by_role("button", name="Evaluate")).to_be_disabled()
    expect(page.locator("#jobs .mark")).to_have_text("done", timeout=60_000)
    rows = page.locator("#runs tbody tr")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Roll back to it: run 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Activate").click()
    expect(page.get_by_role("button", name="Activate: run 2")).to_be_visible()
    assert served.rows("SELECT factor_run_id FROM tagdb.factor_runs WHERE status = 'active'") == [(1,)]
    mine.close()


def _fulfil(answer: Any, route: Route) -> None:
    route.fulfill(json=answer)


def test_health_shows_what_was_measured(visitor: Visitor) -> None:
    """Charts of metrics, acceptance and recall, from rows as an older database has them."""
    run = {"created_at": "2026-10-01T10:00:00Z", "factors": 16, "images": 48, "hashtags": 90, "seconds": 1.5}
    given = {"factor_run_id": 1, "images": 1, "rejected": 3}
    views: dict[str, list[dict[str, Any]]] = {
        "acceptance": [given | {"week": f"2026-10-{day:02}", "accepted": day} for day in (5, 12, 19)],
        "index_checks": [
            {"checked_at": f"2026-10-0{n}T10:00:00Z", "recall": 0.9 + n / 100, "milliseconds": 4.25}
            for n in (1, 2, 3)
        ],
        "factor_runs": [
            run
            | {"factor_run_id": n, "status": status, "metrics": {"ndcg@10": 0.3 + n / 100, "recall@10": 0.2}}
            for n, status in ((3, "active"), (2, "retired"), (1, "failed"))
        ],
    }
    context = visitor.context()
    for name, rows in views.items():
        context.route(f"**/v1/views/{name}?*", partial(_fulfil, {"rows": rows}))
    page = visitor.page("/health", within=context)
    expect(page.get_by_role("img", name="Share of accepted hashtags by week")).to_be_visible()
    expect(page.get_by_role("img", name="Recall of the vector index at each check")).to_be_visible()
    expect(page.get_by_role("img", name="ndcg@10 of each factor run")).to_be_visible()
    expect(page.locator("#index")).to_contain_text("93%")
    expect(page.locator("#runs")).to_contain_text("0.330")


# ---- the API ----


@pytest.mark.parametrize("width", WIDTHS)
def test_every_call_can_be_tried(visitor: Visitor, drawn: Path, width: int) -> None:
    page = visitor.page("/try", width=width)
    links = page.locator("#calls a")
    assert links.count() > 20
    broken = page.evaluate(
        """async () => {
          const broken = [];
          for (const link of document.querySelectorAll("#calls a")) {
            link.click();
            await new Promise((done) => setTimeout(done, 10));
            const command = document.querySelector("#form pre").textContent;
            const fits = document.documentElement.scrollWidth <= innerWidth;
            const shown = link.ariaCurrent === "true" && command.startsWith("curl ");
            if (!shown || !fits) broken.push(link.dataset.id);
          }
          return broken;
        }"""
    )
    assert broken == []

    def call(method: str, path: str) -> None:
        link = page.locator(f'#calls a[data-id="{method} {path}"]')
        link.click()
        expect(link).to_have_attribute("aria-current", "true")

    call("get", "/v1/images/{image_id}")
    page.get_by_label("image_id (needed)").fill("3")
    expect(page.locator("#form pre")).to_contain_text("/v1/images/3")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#answer-status")).to_contain_text("200")
    expect(page.locator("#answer pre")).to_contain_text('"image_id": 3')
    call("get", "/v1/images/{image_id}/thumbnail")
    page.get_by_label("image_id (needed)").fill("3")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#answer img")).to_be_visible()
    call("post", "/v1/recommend")
    page.get_by_label("top").fill("3")
    page.get_by_label("photo (needed)").set_input_files(drawn / "food-03.jpg")
    expect(page.locator("#form pre")).to_contain_text("--data-binary @food-03.jpg")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#answer pre")).to_contain_text('"rank": 3')
    page.get_by_label("Body as").select_option("multipart/form-data")
    page.get_by_label("photo (needed)").set_input_files(drawn / "food-03.jpg")
    expect(page.locator("#form pre")).to_contain_text("-F photo=@food-03.jpg")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#answer pre")).to_contain_text('"photo": "food-03.jpg"')
    visitor.expected.add(404)
    call("get", "/v1/hashtags/{hashtag}")
    page.get_by_label("hashtag (needed)").fill("nobodyhasthis")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#answer-status")).to_contain_text("404")
    expect(page.locator("#answer pre")).to_contain_text("no image has ever had")


# ---- signing in ----


@pytest.mark.parametrize("width", WIDTHS)
def test_signing_in_and_out(visitor: Visitor, guarded: Served, browser: Browser, width: int) -> None:
    mine = Visitor(browser, guarded.url, visitor.problems, {401})
    context = mine.context(width, bypass_csp=True)
    page = mine.page("/browse", within=context)
    expect(page.get_by_label("Token")).to_be_focused()
    expect(page.locator("#page")).to_be_hidden()
    assert violations(page) == []
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("token")
    page.get_by_label("Token").fill(guarded.token("reader"))
    page.keyboard.press("Enter")
    expect(page.locator("#gallery .photo")).not_to_have_count(0)
    assert page.locator("#gallery img").count() == 0, "readers see no thumbnails"
    page.goto(f"{guarded.url}/images/3")
    settle(page)
    expect(page.get_by_role("button", name="Remove")).to_be_hidden()
    expect(page.locator(".chip-reject").first).to_be_hidden()
    page.goto(f"{guarded.url}/health")
    settle(page)
    expect(page.get_by_role("button", name="Compute factors")).to_be_hidden()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    mine.close()
