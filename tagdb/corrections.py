"""Corrections: remove images, and give and take hashtags of stored ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tagdb import store
from tagdb.errors import RejectedInput, TagdbError
from tagdb.folding_in import FoldingIn
from tagdb.hashtags import fold, printable, spelled, split
from tagdb.photos import files
from tagdb.photos.images import content_hash
from tagdb.postgres.database import Connection
from tagdb.postgres.retrying import Session
from tagdb.store.corrections import Stored

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Removed:
    """Result of removing images."""

    images: int


@dataclass(frozen=True, slots=True)
class Tagged:
    """Hashtags given to an image, folded."""

    image_id: int
    uri: str
    added: list[str]
    already: list[str]
    """Those that it had before."""


@dataclass(frozen=True, slots=True)
class Untagged:
    """Hashtags taken from an image, folded."""

    image_id: int
    uri: str
    removed: list[str]
    absent: list[str]
    """Those that it did not have."""


def find(connection: Connection, photo: str | Path | int) -> list[Stored]:
    """Return the image of a photo: by its number, the content of its file, or else its place.

    Several were ingested from one place if the file there has changed.

    Raises
    ------
    TagdbError
        It is not stored.
    """
    if isinstance(photo, int):
        found = store.corrections.by_id(connection, [photo])
        if not found:
            raise TagdbError(f"there is no image {photo}")
        return found
    path, name = Path(photo), printable(str(photo))
    try:
        found = store.corrections.by_content(connection, content_hash(files.read_named(str(photo))))
    except RejectedInput:  # it was deleted, or is the URI of a photo
        found = []
    for uri in (str(photo), path.absolute().as_uri()):
        found = found or (store.corrections.by_uri(connection, uri) if _storable(uri) else [])
    if not found:
        raise TagdbError(f"{name} is not stored, neither by its content nor by its place")
    return found


def find_one(connection: Connection, photo: str | Path | int) -> Stored:
    """Return the image of a photo, if there is just one.

    Raises
    ------
    TagdbError
        It is not stored, or several were ingested from there.
    """
    found = find(connection, photo)
    if len(found) > 1:
        numbers = ", ".join(str(each.image_id) for each in found[:10])
        raise TagdbError(f"several images were ingested from {printable(str(photo))}; name one: {numbers}")
    return found[0]


def of_collection(connection: Connection, collection: str) -> list[Stored]:
    """Return the images of a collection.

    Raises
    ------
    TagdbError
        There is no such collection.
    """
    found = store.corrections.of_collection(connection, collection) if _storable(collection) else []
    if not found:
        names = ", ".join(map(repr, store.answers.collections(connection)[:10])) or "none"
        raise TagdbError(f"there is no collection {collection!r}; there are: {names}")
    return found


def below(connection: Connection, prefix: str) -> list[Stored]:
    """Return the images whose URIs begin with a prefix.

    Raises
    ------
    TagdbError
        There are none.
    """
    found = store.corrections.below(connection, prefix) if prefix and _storable(prefix) else []
    if not found:
        raise TagdbError(f"no image has a URI that begins with '{printable(prefix)}'")
    return found


def _storable(text: str) -> bool:
    """Whether a database can have a text; file names that are not UTF-8 are none."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def remove(connection: Connection, image_ids: Sequence[int]) -> Removed:
    """Remove images with all that belongs to them, in one transaction, and refresh the statistics.

    Numbers of images that are not there are skipped. What remains keeps its factors.
    """
    images = again(connection, lambda: store.corrections.remove(connection, image_ids))
    store.statistics.refresh_if_due(connection)
    return Removed(images)


def tag(connection: Connection, image: Stored, hashtags: Sequence[str]) -> Tagged:
    """Give an image hashtags, spelt as they are given. They stay, whatever its sources say later.

    Raises
    ------
    RejectedInput
        One of them is not a hashtag, or there is none.
    """
    given = _given(hashtags)
    folding_in = FoldingIn(connection)

    def give() -> list[str]:
        with connection.transaction():
            added = store.corrections.tag(connection, image.image_id, list(given.values()))
            folding_in.images([image.image_id] if added else [])
        return added

    added = again(connection, give)
    _follow(connection, folding_in, bool(added))
    return Tagged(image.image_id, image.uri, added, [each for each in given if each not in added])


def untag(connection: Connection, image: Stored, hashtags: Sequence[str]) -> Untagged:
    """Take hashtags from an image, and those that count as the same ones.

    An ingest of a source that still says them adds them again.

    Raises
    ------
    RejectedInput
        One of them is not a hashtag, or there is none.
    """
    given = _given(hashtags)
    folding_in = FoldingIn(connection)

    def take() -> list[list[str]]:
        with connection.transaction():
            taken = [store.corrections.untag(connection, image.image_id, [each]) for each in given]
            folding_in.again([image.image_id] if any(taken) else [])
        return taken

    taken = again(connection, take)
    _follow(connection, folding_in, any(taken))
    removed = sorted(hashtag for each in taken for hashtag in each)
    absent = [each for each, had in zip(given, taken, strict=True) if not had and each not in removed]
    return Untagged(image.image_id, image.uri, removed, absent)


def again(connection: Connection, action: Callable[[], Result]) -> Result:
    """Do what may be done twice; again if PostgreSQL ended a deadlock with another session by it."""
    return Session(connection, None).trying(lambda _: action())


def _given(texts: Sequence[str]) -> dict[str, str]:
    """Return hashtags that a person gave, as they are spelt, by their folded spelling."""
    given: dict[str, str] = {}
    for text in texts:
        pieces = split(text)
        if not pieces:
            raise RejectedInput(f"no hashtag in '{printable(text, 40)}'", "invalid_hashtag")
        for piece in pieces:
            given.setdefault(fold(piece), spelled(piece))
    if not given:
        raise RejectedInput("no hashtag is given", "invalid_hashtag")
    return given


def _follow(connection: Connection, folding_in: FoldingIn, changed: bool) -> None:
    """Let factors and statistics follow a change of hashtags."""
    if changed:
        folding_in.finish()
        store.statistics.refresh_if_due(connection)
