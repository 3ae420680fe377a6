"""Feedback: which recommended hashtags were right for a photo, and which were not."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tagdb import corrections, store
from tagdb.errors import TagdbError
from tagdb.hashtags import printable
from tagdb.photos import files, images
from tagdb.postgres.database import Connection


def give(
    connection: Connection,
    photo: str,
    accepted: Sequence[str],
    rejected: Sequence[str],
    factor_run_id: int | None = None,
) -> store.feedback.Feedback:
    """Record which hashtags were accepted and rejected for a stored photo, found by its content.

    Raises
    ------
    RejectedInput
        The file cannot be read.
    TagdbError
        The photo is not stored, or a hashtag is not valid, or is both accepted and rejected.
    """
    content = files.read_named(photo)
    return give_by_content(connection, images.content_hash(content), photo, accepted, rejected, factor_run_id)


def give_by_content(
    connection: Connection,
    content_sha256: bytes,
    name: str,
    accepted: Sequence[str],
    rejected: Sequence[str],
    factor_run_id: int | None = None,
) -> store.feedback.Feedback:
    """Record the same for the image of a content; ``name`` is the photo's, for messages."""
    done = store.feedback.give(connection, content_sha256, accepted, rejected, factor_run_id)
    if done is None:
        raise TagdbError(f"{printable(name)} is not stored; run: tagdb ingest {printable(name)}")
    return done


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Result of taking feedback back."""

    image_id: int
    uri: str
    hashtags: list[str]
    """Folded; those that there was feedback on."""


def withdraw(connection: Connection, photo: str | Path | int, hashtags: Sequence[str]) -> Withdrawn:
    """Take back the last feedback on hashtags of a stored photo: what was said before it counts again.

    Parameters
    ----------
    photo
        The photo, or the number of its image.

    Raises
    ------
    TagdbError
        It is not stored.
    """
    image = corrections.find_one(connection, photo)
    return Withdrawn(image.image_id, image.uri, store.feedback.withdraw(connection, image.image_id, hashtags))
