"""Queries of evaluating: what is known of images, and what a run recommends for held-out ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagdb import hashtags
from tagdb.errors import RejectedInput
from tagdb.postgres.database import Connection
from tagdb.store.statements import statement


@dataclass(frozen=True, slots=True)
class EvaluatedImages:
    """What splitting and measuring need to know of images, in the order of their ids."""

    image_ids: NDArray[np.int64]
    """int64 (n,), ascending"""
    hashes: list[bytes]
    """SHA-256 of each content"""
    source_refs: list[str | None]
    collections: NDArray[np.int64]
    """int64 (n,), the hashtag that each image's collection is named after, or -1"""


def evaluated_images(connection: Connection, image_ids: NDArray[np.int64]) -> EvaluatedImages:
    """What is known of these images; those that are gone are left out."""
    rows = connection.execute(
        statement("evaluated_images"), {"image_ids": image_ids.tolist()}, binary=True
    ).fetchall()
    folded = {row[3]: _folded(row[3]) for row in rows if row[3] is not None}
    ids = _hashtag_ids(connection, sorted(set(filter(None, folded.values()))))
    return EvaluatedImages(
        np.array([row[0] for row in rows], np.int64),
        [bytes(row[1]) for row in rows],
        [row[2] for row in rows],
        np.array([ids.get(folded.get(row[3]) or "", -1) for row in rows], np.int64),
    )


def recommend_held_out(
    connection: Connection, factor_run_id: int, image_ids: NDArray[np.int64], top: int
) -> dict[int, list[int]]:
    """What a factor run recommends for stored images: hashtag ids by image, the best first.

    Images that something was rejected for are left out, and those that nothing is recommended for.
    """
    values = {"factor_run_id": factor_run_id, "image_ids": image_ids.tolist(), "top": top}
    return dict(connection.execute(statement("recommend_held_out"), values).fetchall())


def _folded(collection: str) -> str | None:
    try:
        return hashtags.fold(collection)
    except RejectedInput:
        return None


def _hashtag_ids(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """By which id hashtags count, aliases resolved."""
    query = (
        "SELECT h.hashtag, coalesce(h.alias_of, h.hashtag_id) FROM tagdb_store.hashtags h"
        " WHERE h.hashtag = ANY (%s)"
    )
    return dict(connection.execute(query, (list(names),)).fetchall())
