"""Queries of learning from a sample: images in parts, each read several times and never all at once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagdb.embedding.backbone import DIMENSIONS
from tagdb.learning import projecting
from tagdb.learning.als import Interactions
from tagdb.learning.model import EXACT, Embeddings
from tagdb.learning.sampling import TOGETHER
from tagdb.learning.settings import FactorSettings
from tagdb.postgres.database import Connection
from tagdb.store import backbones, index
from tagdb.store.statements import (
    copy_arrays,
    execute,
    fetch_arrays,
    fetch_one,
    fetch_packed,
    fetch_value,
)

ASKED = 1 << 16
"""Images whose interactions or vectors are asked for in one statement."""
PAIRS = ("i8", "i4", "i4")


@dataclass(frozen=True, slots=True)
class Sizes:
    """About how much there is to learn from."""

    interactions: int
    images: int
    hashtags: int


def sizes(connection: Connection) -> Sizes:
    """Return about how much there is to learn from, without counting."""
    return fetch_one(connection, Sizes, "runs/sizes")


def sample(
    connection: Connection, images: int, rare: NDArray[np.int32], settings: FactorSettings
) -> NDArray[np.int64]:
    """Choose so many images with hashtags, int64 ascending; see :func:`tagdb.learning.sampling.choose`."""
    (ids,) = fetch_arrays(
        connection,
        "runs/sample",
        "i8",
        images=images,
        rare=rare.tolist(),
        min_images=settings.min_images,
        seed=settings.seed,
    )
    return np.sort(ids)


class Stored:
    """The images of a database, as a :class:`tagdb.learning.sampling.Collection`."""

    def __init__(self, connection: Connection) -> None:
        """Prepare to read; without a vector index, learn the axes of search vectors from some embeddings."""
        self._connection = connection
        backbone = backbones.active(connection)
        self._backbone_id = backbone.backbone_id if backbone else None
        self._projection_id: int | None = None
        self._axes: NDArray[np.float16] | None = None
        if self._backbone_id is None or (count := index.count(connection, self._backbone_id)) <= EXACT:
            return
        self._projection_id = fetch_value(connection, "index/searched", backbone_id=self._backbone_id)
        if self._projection_id is not None:
            (self._axes,) = fetch_arrays(
                connection, "index/axes", ("f2", DIMENSIONS), projection_id=self._projection_id
            )
        else:
            part = index.sample_embeddings(
                connection, self._backbone_id, count // projecting.SAMPLE, projecting.SAMPLE
            )
            self._axes, _ = projecting.learn(part)

    def parts(self) -> Iterator[Interactions]:
        """Yield all interactions, those of some images at a time."""
        after = 0
        while True:
            last = fetch_value(self._connection, "runs/last_of_next", after=after, images=TOGETHER)
            if last is None:
                return
            part = Interactions(
                *fetch_packed(self._connection, "runs/interactions", *PAIRS, after=after, last=last)
            )
            after = last
            if len(part.image_ids):
                yield part

    def interactions(self, image_ids: NDArray[np.int64]) -> Interactions:
        """Return the interactions of some images."""
        parts = [
            fetch_packed(self._connection, "runs/interactions_of", *PAIRS, image_ids=some)
            for some in _parts(image_ids)
        ]
        return Interactions(*map(np.concatenate, zip(*parts, strict=True)))

    def vectors(self, image_ids: NDArray[np.int64]) -> Embeddings:
        """Return the embeddings of those of some images that have one, or their search vectors."""
        parts = [self._vectors(some) for some in _parts(image_ids)]
        ids, vectors = map(np.concatenate, zip(*parts, strict=True))
        return Embeddings(ids, vectors, self._backbone_id, self._axes)

    def _vectors(self, image_ids: list[int]) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        if self._projection_id is not None and self._backbone_id is not None:
            with self._connection.transaction():  # in which the index stays, if it is still the same
                execute(self._connection, "index/attached_projections", backbone_id=self._backbone_id)
                now = fetch_value(self._connection, "index/searched", backbone_id=self._backbone_id)
                if now == self._projection_id:
                    vector = ("f2", projecting.DIMENSIONS)
                    ids, vectors = fetch_arrays(
                        self._connection,
                        "index/search_vectors_of",
                        "i8",
                        vector,
                        projection_id=now,
                        image_ids=image_ids,
                    )
                    return ids, vectors
        ids, vectors = fetch_arrays(
            self._connection,
            "folding_in/embeddings",
            "i8",
            ("f2", DIMENSIONS),
            backbone_id=self._backbone_id,
            image_ids=image_ids,
        )
        return ids, vectors if self._axes is None else projecting.project(self._axes, vectors)


def _parts(image_ids: NDArray[np.int64]) -> Iterator[list[int]]:
    for start in range(0, max(len(image_ids), 1), ASKED):
        yield image_ids[start : start + ASKED].tolist()


def add_images(
    connection: Connection,
    factor_run_id: int,
    image_ids: NDArray[np.int64],
    factors: NDArray[np.float16],
) -> None:
    """Store factors of images in a run that is being built, int64 (n,) and float16 (n, k)."""
    run = np.full(len(image_ids), factor_run_id, np.int32)
    table = ("tagdb_store", f"image_factors_{factor_run_id}")
    copy_arrays(connection, "runs/copy_image_factors", run, image_ids, factors, names={"table": table})
