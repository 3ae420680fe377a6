"""Read what is exported: images with all that is known of them, in one state of the database."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql
from psycopg.pq import ExecStatus

from tagdb.embedding.backbone import DIMENSIONS
from tagdb.errors import ExportError
from tagdb.hashtags import printable
from tagdb.postgres.database import Connection, reason
from tagdb.store.answers import Recommendation
from tagdb.store.statements import execute, fetch_all, fetch_arrays, fetch_map, fetch_one, statement


@dataclass(frozen=True, slots=True)
class Selection:
    """Which images; by default, all."""

    collection: str | None = None
    where: str | None = None
    """A condition in SQL on the columns of the view ``tagdb.images``."""


ALL = Selection()
"""Every image."""


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image, without its bytes and vectors."""

    image_id: int
    content_sha256: bytes
    uri: str
    media_type: str
    width: int
    height: int
    byte_count: int
    collection: str | None
    source_ref: str | None
    taken_at: datetime | None
    metadata: str
    """JSON as PostgreSQL writes it, so that no number is rounded."""
    hashtags: list[str]
    """As the image spells them."""
    kept_at: str | None = None
    """URI of its original, if it was kept there."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """Whose vectors images have."""

    backbone_id: int | None
    factor_run_id: int | None
    factors: int | None
    """Number of factors of the run."""


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """Read one state of the database. Whatever was set in the meantime, also by a condition, is undone."""
    with connection.transaction(force_rollback=True):
        execute(connection, "exports/begin")
        yield


def select(connection: Connection, selection: Selection) -> NDArray[np.int64]:
    """Return the numbers of images, ascending, int64 (n,).

    Raises
    ------
    ExportError
        The condition is none.
    """
    rows = execute(connection, "exports/selected", binary=True, collection=selection.collection)
    ids = np.fromiter((row[0] for row in rows), np.int64)
    if selection.where is not None:
        ids = np.intersect1d(ids, _where(connection, selection.where), assume_unique=True)
    return ids


def _where(connection: Connection, condition: str) -> NDArray[np.int64]:
    """Return the images for which a user's condition holds.

    It is text in a statement. The extended protocol takes one statement only; parsing it in two surroundings
    makes sure that it is one expression; and it runs in a transaction that only reads, with the login's own
    rights.
    """
    try:
        execute(connection, "exports/path")
        _parse(connection, _surrounded("exports/surrounded", condition))
        with connection.cursor(binary=True) as cursor:
            rows = cursor.stream(_surrounded("exports/selected_where", condition))
            ids = np.fromiter((row[0] for row in rows), np.int64)
        execute(connection, "exports/safe_path")
    except (psycopg.Error, UnicodeEncodeError) as error:
        if connection.closed:
            raise
        raise ExportError(
            f"this is no condition on the columns of tagdb.images: {printable(condition, 200)} "
            f"({printable(reason(error), 200)})"
        ) from error
    return ids


def _surrounded(name: str, condition: str) -> sql.Composed:
    return sql.SQL(statement(name)).format(condition=sql.SQL(condition))


def _parse(connection: Connection, query: sql.Composed) -> None:
    """Have the server parse a statement and look up its names, without running it."""
    result = connection.pgconn.prepare(b"", query.as_bytes(connection))
    if result.status != ExecStatus.COMMAND_OK:
        raise psycopg.errors.error_from_result(result, connection.info.encoding)


def images(connection: Connection, image_ids: Sequence[int]) -> list[StoredImage]:
    """Return images by their numbers, ascending."""
    return fetch_all(connection, StoredImage, "exports/images", binary=True, image_ids=list(image_ids))


def originals(connection: Connection, image_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the stored contents of images, by image; those whose content is not stored are missing."""
    return fetch_map(connection, "backbones/originals", binary=True, image_ids=list(image_ids))


def accepted(connection: Connection, image_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the hashtags that feedback accepted, by image."""
    return fetch_map(connection, "exports/accepted", image_ids=list(image_ids))


def recommended(
    connection: Connection, image_ids: Sequence[int], top: int, min_score: float | None
) -> dict[int, list[Recommendation]]:
    """Return what ``tagdb.recommend_for_image`` recommends, by image."""
    rows: list[tuple[Any, ...]] = execute(
        connection, "exports/recommended", image_ids=list(image_ids), top=top, min_score=min_score
    ).fetchall()
    return {
        image_id: [Recommendation(*row[1:]) for row in of_image]
        for image_id, of_image in groupby(rows, lambda row: row[0])
    }


def vectors(connection: Connection) -> Vectors:
    """Return whose vectors there are."""
    return fetch_one(connection, Vectors, "exports/vectors")


def embeddings(
    connection: Connection, of: Vectors, image_ids: Sequence[int]
) -> dict[int, NDArray[np.float16]]:
    """Return embeddings, float16 (1280,) by image."""
    ids, found = fetch_arrays(
        connection,
        "folding_in/embeddings",
        "i8",
        ("f2", DIMENSIONS),
        backbone_id=of.backbone_id,
        image_ids=list(image_ids),
    )
    return dict(zip(ids.tolist(), found, strict=True))


def factors(connection: Connection, of: Vectors, image_ids: Sequence[int]) -> dict[int, NDArray[np.float16]]:
    """Return factors, float16 (k,) by image."""
    if of.factors is None:
        return {}
    ids, found = fetch_arrays(
        connection,
        "exports/factors",
        "i8",
        ("f2", of.factors),
        factor_run_id=of.factor_run_id,
        image_ids=list(image_ids),
    )
    return dict(zip(ids.tolist(), found, strict=True))
