"""Queries of folding in.

:mod:`tagdb.folding_in` decides when to fold in, :mod:`tagdb.learning.folding_in` computes.
"""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from tagdb.embedding.backbone import DIMENSIONS
from tagdb.learning.folding_in import Basis, Carried
from tagdb.postgres import pgcopy
from tagdb.postgres.database import Connection
from tagdb.store import runs
from tagdb.store.statements import copy_arrays, execute, fetch_arrays, fetch_column


def _land(connection: Connection, name: str, *columns: pgcopy.Column) -> None:
    execute(connection, "folding_in/prepare")  # each time: behind a pooler, this session may be another one
    copy_arrays(connection, name, *columns)


def basis(connection: Connection) -> Basis | None:
    """Read what folding needs of the active run; None without an active run."""
    while (run := runs.active(connection)) is not None:
        number = run.factor_run_id
        maps = runs.maps(connection, number)
        ids, factors, images = fetch_arrays(
            connection,
            "folding_in/hashtag_factors",
            "i4",
            ("f2", run.settings.factors),
            "i4",
            factor_run_id=number,
        )
        if (
            runs.active_id(connection) == number
        ):  # otherwise it was replaced in the meantime, and perhaps pruned
            return Basis(number, run.settings, maps, ids, factors.astype(np.float32), images)
    return None


def hold(connection: Connection, basis: Basis) -> bool:
    """Return whether a run is still active; if so, its tables stay until the transaction ends."""
    execute(connection, "folding_in/hold")
    return runs.active_id(connection) == basis.factor_run_id


def hashtags_of(connection: Connection, basis: Basis, image_ids: Collection[int]) -> Carried:
    """Read the hashtags that count for images, and which of the images the run itself computed."""
    columns = fetch_arrays(
        connection,
        "folding_in/hashtags_of_images",
        "i8",
        "i4",
        "i4",
        "i4",
        factor_run_id=basis.factor_run_id,
        image_ids=list(image_ids),
    )
    return Carried(*columns)


def embedded_images(connection: Connection, image_ids: NDArray[np.int64]) -> list[int]:
    """Return the images that have an embedding by the active backbone.

    Nobody can remove these until the transaction ends.
    """
    return fetch_column(connection, "folding_in/embedded_images", image_ids=image_ids.tolist())


def embeddings(
    connection: Connection, basis: Basis, image_ids: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """Read embeddings of images by the run's backbone, by ascending id.

    Images embedded only by another, newer backbone are missing; for a run that does not use embeddings, all
    are.
    """
    if basis.maps.ridge is None:
        return np.empty(0, np.int64), np.empty((0, DIMENSIONS), np.float16)
    ids, vectors = fetch_arrays(
        connection,
        "folding_in/embeddings",
        "i8",
        ("f2", DIMENSIONS),
        backbone_id=basis.maps.backbone_id,
        image_ids=image_ids.tolist(),
    )
    return ids, vectors


def image_factors(
    connection: Connection, basis: Basis, hashtag_ids: Collection[int]
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float16]]:
    """Read the factors of images with given hashtags.

    Returns
    -------
    hashtags : int32 (n,)
        Ascending.
    image_ids : int64 (n,)
    factors : float16 (n, k)
    """
    of, image_ids, factors = fetch_arrays(
        connection,
        "folding_in/image_factors",
        "i4",
        "i8",
        ("f2", basis.settings.factors),
        factor_run_id=basis.factor_run_id,
        hashtag_ids=list(hashtag_ids),
    )
    return of, image_ids, factors


def missing_images(connection: Connection, basis: Basis) -> list[int]:
    """Return images that could be neighbours but have no factors in the run."""
    return fetch_column(
        connection,
        "folding_in/missing_images",
        factor_run_id=basis.factor_run_id,
        min_hashtags=basis.settings.min_hashtags,
    )


def save_images(
    connection: Connection, basis: Basis, image_ids: NDArray[np.int64], factors: NDArray[np.float16]
) -> None:
    """Store factors of images, int64 (n,) and float16 (n, k), in the caller's transaction."""
    run = np.full(len(image_ids), basis.factor_run_id, np.int32)
    _land(connection, "folding_in/copy_image_factors", run, image_ids, factors)
    execute(connection, "folding_in/save_images")


def forget_images(connection: Connection, basis: Basis, image_ids: Collection[int]) -> None:
    """Take away folded-in factors of images, in the caller's transaction."""
    execute(
        connection,
        "folding_in/forget_images",
        factor_run_id=basis.factor_run_id,
        image_ids=list(image_ids),
    )


def save_hashtags(
    connection: Connection,
    basis: Basis,
    hashtag_ids: NDArray[np.int32],
    factors: NDArray[np.float16],
    images: NDArray[np.int32],
) -> None:
    """Store factors of hashtags and their numbers of images, in the caller's transaction."""
    run = np.full(len(hashtag_ids), basis.factor_run_id, np.int32)
    _land(connection, "folding_in/copy_hashtag_factors", run, hashtag_ids, factors, images)
    execute(connection, "folding_in/save_hashtags")
