"""Queries of an evaluation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagdb import hashtags
from tagdb.errors import RejectedInput
from tagdb.postgres.database import Connection
from tagdb.store.statements import execute, fetch_map


@dataclass(frozen=True, slots=True)
class EvaluatedImages:
    """What splitting and measuring need to know about images, by ascending id."""

    image_ids: NDArray[np.int64]
    """int64 (n,), ascending."""
    hashes: list[bytes]
    """SHA-256 of each content."""
    source_refs: list[str | None]
    collections: NDArray[np.int64]
    """int64 (n,): hashtag that the image's collection is named after, or -1."""


def images(connection: Connection, image_ids: NDArray[np.int64]) -> EvaluatedImages:
    """Return facts about images; those that no longer exist are left out."""
    cursor = execute(connection, "evaluation/images", binary=True, image_ids=image_ids.tolist())
    rows = cursor.fetchall()
    ids, hashes, source_refs, collections = zip(*rows, strict=True) if rows else ((), (), (), ())
    folded = {name: _folded(name) for name in collections}
    names = sorted({hashtag for hashtag in folded.values() if hashtag})
    numbers = fetch_map(connection, "evaluation/counting_as", hashtags=names)
    return EvaluatedImages(
        np.array(ids, np.int64),
        [bytes(content) for content in hashes],
        list(source_refs),
        np.array([numbers.get(folded[name], -1) for name in collections], np.int64),
    )


def _folded(collection: str | None) -> str | None:
    try:
        return hashtags.fold(collection) if collection is not None else None
    except RejectedInput:
        return None
