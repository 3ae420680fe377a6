"""Factor runs in parts of the images: what the machines of a cluster read and write."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagdb.embedding.backbone import DIMENSIONS
from tagdb.learning import projecting
from tagdb.learning.als import Interactions
from tagdb.learning.model import EXACT, Embeddings
from tagdb.postgres.database import Connection
from tagdb.store import backbones, index
from tagdb.store.statements import copy_arrays, execute, fetch_arrays, fetch_packed, fetch_value

IMAGES = 16_384
"""Most images of a part: 42 MB of embeddings."""
PARTS = 16
"""Parts of a small collection."""


class Part(NamedTuple):
    """The images of a range of numbers."""

    number: int
    """Counts from 0."""
    after: int
    last: int


@dataclass(frozen=True, slots=True)
class VectorSource:
    """What the vectors of images are: embeddings of a backbone, or their search vectors."""

    backbone_id: int
    axes: NDArray[np.float16] | None = None
    """float16 (192, 1280): the axes of search vectors; None for embeddings themselves."""
    projection_id: int | None = None
    """Where search vectors are stored; None if they are made of embeddings."""

    @property
    def dimensions(self) -> int:
        """Numbers of a vector."""
        return DIMENSIONS if self.axes is None else len(self.axes)


def hold_index(connection: Connection) -> None:
    """Keep vector indexes from being replaced until the caller's transaction ends."""
    execute(connection, "index/attached_projections", backbone_id=None)


def parts(connection: Connection) -> list[Part]:
    """Return all images in parts, as many for the same number of images."""
    images: int = fetch_value(connection, "run_parts/count_images")
    size = max(1, min(IMAGES, -(-images // PARTS)))
    found: list[Part] = []
    after = 0
    while (last := fetch_value(connection, "runs/last_of_next", after=after, images=size)) is not None:
        found.append(Part(len(found), after, last))
        after = last
    return found


def vector_source(connection: Connection) -> VectorSource | None:
    """Return what :func:`tagdb.store.runs.vectors` would read; None without a backbone.

    In the caller's transaction, until whose end the vectors stay.
    """
    backbone = backbones.active(connection)
    if backbone is None:
        return None
    number = backbone.backbone_id
    projection: int | None = fetch_value(connection, "index/searched", backbone_id=number)
    if projection is not None:
        (axes,) = fetch_arrays(connection, "index/axes", ("f2", DIMENSIONS), projection_id=projection)
        # reading from its table also keeps that from being dropped
        some = fetch_value(
            connection, "run_parts/count_search_vectors", projection_id=projection, most=EXACT + 1
        )
        return VectorSource(number, axes, projection) if some > EXACT else VectorSource(number)
    count = index.count(connection, number)
    if count <= EXACT:
        return VectorSource(number)
    sample = index.sample_embeddings(connection, number, count // projecting.SAMPLE, projecting.SAMPLE)
    return VectorSource(number, projecting.learn(sample)[0])


def interactions(connection: Connection, part: Part) -> Interactions:
    """Read the hashtags that count for the images of a part."""
    columns = fetch_packed(
        connection, "runs/interactions", "i8", "i4", "i4", after=part.after, last=part.last
    )
    return Interactions(*columns)


def vectors(connection: Connection, source: VectorSource | None, part: Part) -> Embeddings:
    """Read the vectors of the images of a part by ascending id; none without a source."""
    if source is None:
        return Embeddings(np.empty(0, np.int64), np.empty((0, DIMENSIONS), np.float16))
    bounds = {"after": part.after, "last": part.last}
    if source.projection_id is not None:
        ids, short = fetch_arrays(
            connection,
            "run_parts/search_vectors",
            "i8",
            ("f2", source.dimensions),
            projection_id=source.projection_id,
            **bounds,
        )
        return Embeddings(ids, short, source.backbone_id, source.axes)
    ids, wide = fetch_arrays(
        connection, "run_parts/embeddings", "i8", ("f2", DIMENSIONS), backbone_id=source.backbone_id, **bounds
    )
    if source.axes is not None:
        wide = projecting.project(source.axes, wide)
    return Embeddings(ids, wide, source.backbone_id, source.axes)


def save(
    connection: Connection,
    factor_run_id: int,
    part: Part,
    image_ids: NDArray[np.int64],
    factors: NDArray[np.float16],
) -> bool:
    """Store the factors of the images of a part, (n,) and (n, k); return False if they were stored already.

    However often and by however many it is tried, each part is stored once.
    """
    with connection.transaction():
        if not fetch_value(connection, "run_parts/claim", factor_run_id=factor_run_id, part=part.number):
            return False
        run = np.full(len(image_ids), factor_run_id, np.int32)
        table = ("tagdb_store", f"image_factors_{factor_run_id}")
        copy_arrays(connection, "runs/copy_image_factors", run, image_ids, factors, names={"table": table})
    return True
