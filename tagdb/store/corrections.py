"""Corrections of what is stored: removing images, and giving and taking hashtags."""

from collections.abc import Sequence
from dataclasses import dataclass

from tagdb.postgres.database import Connection
from tagdb.store.statements import fetch_all, fetch_column, fetch_value


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored image."""

    image_id: int
    uri: str


def by_id(connection: Connection, image_ids: Sequence[int]) -> list[Stored]:
    """Return the images with some numbers, those of them that there are."""
    return fetch_all(connection, Stored, "corrections/by_id", image_ids=list(image_ids))


def by_content(connection: Connection, content_sha256: bytes) -> list[Stored]:
    """Return the image of a file, by the SHA-256 of its bytes."""
    return fetch_all(connection, Stored, "corrections/by_content", content_sha256=content_sha256)


def by_uri(connection: Connection, uri: str) -> list[Stored]:
    """Return the images at a place; if the file there was changed, there may be several."""
    return fetch_all(connection, Stored, "corrections/by_uri", uri=uri)


def of_collection(connection: Connection, collection: str) -> list[Stored]:
    """Return the images of a collection."""
    return fetch_all(connection, Stored, "corrections/of_collection", collection=collection)


def below(connection: Connection, prefix: str) -> list[Stored]:
    """Return the images whose URIs begin with a prefix."""
    return fetch_all(connection, Stored, "corrections/below_uri", prefix=prefix)


def remove(connection: Connection, image_ids: Sequence[int]) -> int:
    """Remove images with all that belongs to them; return how many there were."""
    number: int = fetch_value(connection, "corrections/remove", image_ids=list(image_ids))
    return number


def claim(connection: Connection, image_ids: Sequence[int]) -> list[int]:
    """Return those of some images that there are, for the caller's transaction to remove them."""
    return fetch_column(connection, "corrections/claim", image_ids=list(image_ids))


def tag(connection: Connection, image_id: int, hashtags: Sequence[str]) -> list[str]:
    """Give an image hashtags, spelt as they are given; return those that it did not have, folded."""
    return fetch_column(connection, "corrections/tag", image_id=image_id, hashtags=list(hashtags))


def untag(connection: Connection, image_id: int, hashtags: Sequence[str]) -> list[str]:
    """Take hashtags from an image, and those that count as the same ones; return what it had of them."""
    return fetch_column(connection, "corrections/untag", image_id=image_id, hashtags=list(hashtags))
