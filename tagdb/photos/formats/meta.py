"""What Instagram and Facebook give their users: posts and albums in JSON, with the photos' paths.

All their texts are UTF-8 written as if each byte were a character.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tagdb.errors import RejectedInput
from tagdb.hashtags import printable, written
from tagdb.photos import files
from tagdb.photos.formats import Fields, Lists
from tagdb.photos.formats.look import Look
from tagdb.photos.json_rows import decoded
from tagdb.photos.kinds import is_video
from tagdb.photos.manifests import Row

_LISTS = (
    "media.json",  # Instagram, until 2019
    "content/posts_*.json",
    "your_instagram_activity/*/posts_*.json",
    "posts/your_posts*.json",  # Facebook
    "posts/album/*.json",
    "your_*activity*facebook/posts/your_posts*.json",
    "your_facebook_activity/posts/your_posts*.json",
    "your_facebook_activity/posts/album/*.json",
    "your_activity_across_facebook/posts/album/*.json",
)
_TEXTS = ("title", "caption", "description", "post", "name")


def _lists(path: Path) -> list[Path]:
    found = {each for pattern in _LISTS for each in path.glob(pattern) if each.is_file()}
    return sorted(found)


def _claim(look: Look) -> str:
    lists = _lists(look.path) if look.is_folder else []
    return f"{lists[0].relative_to(look.path)} is one of Instagram's or Facebook's export" if lists else ""


def _rows(path: Path) -> Iterator[Row]:
    for each in _lists(path):
        origin = printable(str(each))
        try:
            value = decoded(files.read(each))
        except (RejectedInput, ValueError, RecursionError) as error:
            code = error.reason_code if isinstance(error, RejectedInput) else "invalid_record"
            yield origin, None, RejectedInput(f"cannot be read as JSON: {printable(str(error), 100)}", code)
            continue
        number = 0
        for album, post in _posts(value):
            for row in _photos(post, album):
                number += 1
                yield origin, number, row


def _posts(value: Any) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """Yield albums' names and posts, from a list of posts, an object with such lists, or an album."""
    lists: Iterable[Any] = [value] if isinstance(value, list) else []
    album = None
    if isinstance(value, dict):
        lists = [each for each in value.values() if isinstance(each, list)]
        album = _mended(value.get("name")) if isinstance(value.get("photos"), list) else None
        lists = lists or [[value]]
    for each in lists:
        for post in each:
            if isinstance(post, dict):
                yield album, post


def _photos(post: dict[str, Any], album: str | None) -> Iterator[Fields]:
    said = [_mended(post.get(name)) for name in _TEXTS]
    said += [_mended(each.get("post")) for each in _objects(post.get("data"))]
    media = [*_media(post)]
    first = next((_place(each) for each in media), None)
    for medium in media:
        place = _place(medium)
        if place is None or is_video(place) or place.startswith(("http:", "https:")):
            continue
        texts = dict.fromkeys([*said, *(_mended(medium.get(name)) for name in _TEXTS)])
        caption = "\n".join(filter(None, texts))
        time = next((each.get(name) for each in (medium, post) for name in _TIMES if each.get(name)), None)
        row: Fields = {
            "file_name": place, "hashtags": written(caption) if "#" in caption else [], "taken_at": time,
            "collection": album, "source_ref": first,
        }  # fmt: skip
        yield row | ({"caption": caption} if caption else {})


_TIMES = ("creation_timestamp", "taken_at", "timestamp", "creation_time")


def _media(post: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the objects that name a file: the post itself, its media, or those of its attachments."""
    if _place(post):
        yield post
        return
    yield from (each for each in _objects(post.get("media")) if _place(each))
    for attachment in _objects(post.get("attachments")):
        for each in _objects(attachment.get("data")):
            medium = each.get("media")
            if isinstance(medium, dict) and _place(medium):
                yield medium


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _place(medium: dict[str, Any]) -> str | None:
    place = medium.get("uri") or medium.get("path")
    return place if isinstance(place, str) else None


def _mended(text: object) -> str:
    """Return a text whose UTF-8 was written byte by byte, as it was meant."""
    if not isinstance(text, str):
        return ""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


FORMAT = Lists("meta", "Instagram's or Facebook's export of one's own posts", _claim, _rows)
