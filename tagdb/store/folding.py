"""Folding in: factors for images and hashtags that came after the active factor run.

They are computed from the run's own factors, by the half-step of ALS that would have computed them
(:func:`tagdb.learning.als.fold_in`), so that a new photo can be a neighbour at once. They are marked, and the
next run replaces them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from tagdb.embedding.backbone import DIMENSIONS
from tagdb.learning import als
from tagdb.learning.model import Maps
from tagdb.learning.settings import FactorSettings
from tagdb.postgres.database import Connection
from tagdb.store.factors import factor_maps, factor_run, fetch_arrays, plan_of
from tagdb.store.statements import copy_arrays, statement

TOGETHER = 1000
"""Images that are folded in at once where many are missing."""


@dataclass(frozen=True, slots=True)
class Basis:
    """A factor run, as far as folding in needs it."""

    factor_run_id: int
    settings: FactorSettings
    maps: Maps
    hashtag_ids: NDArray[np.int32]
    """int32 (hashtags,), ascending"""
    hashtag_factors: NDArray[np.float32]
    """float32 (hashtags, k)"""
    hashtag_images: NDArray[np.int32]
    gram: NDArray[np.float32]
    """float32 (k, k), the sum of y·yᵀ over all hashtag factors y"""


def active_factor_run(connection: Connection) -> int | None:
    """The number of the active run."""
    row = connection.execute(
        "SELECT r.factor_run_id FROM tagdb_store.factor_runs r WHERE r.status = 'active'"
    ).fetchone()
    return None if row is None else cast(int, row[0])


def folding_basis(connection: Connection) -> Basis | None:
    """The active run to fold into; None where there is none, or it knows no hashtags."""
    connection.execute(statement("incoming_factors"))
    while (run := factor_run(connection)) is not None:
        run_id, settings = run["factor_run_id"], plan_of(run)
        maps = factor_maps(connection, run_id)
        ids, factors, images = fetch_arrays(
            connection,
            statement("hashtag_factors"),
            {"factor_run_id": run_id},
            "i4",
            ("f2", settings.factors),
            "i4",
        )
        if active_factor_run(connection) != run_id:
            continue  # replaced while it was read, and perhaps pruned
        if maps is None or not len(ids):
            break
        wide = factors.astype(np.float32)
        return Basis(
            run_id,
            settings,
            maps,
            cast(NDArray[np.int32], ids),
            wide,
            cast(NDArray[np.int32], images),
            wide.T @ wide,
        )
    return None


def fold_in_images(connection: Connection, basis: Basis, image_ids: Collection[int]) -> set[int]:
    """Compute factors of images from those of their hashtags, in the caller's transaction.

    Images that the run itself has computed, that carry too few hashtags to be neighbours, or none
    that the run knows, are passed over; so are all of them if another run has become active.

    Returns
    -------
    Hashtags of these images that the run does not know.
    """
    if not image_ids or not _held(connection, basis):
        return set()
    run = {"factor_run_id": basis.factor_run_id, "image_ids": list(image_ids)}
    of, hashtag, accepted, settled = fetch_arrays(
        connection, statement("foldable"), run, "i8", "i4", "i4", "i4"
    )
    if not len(of):
        return set()
    place = np.minimum(np.searchsorted(basis.hashtag_ids, hashtag), len(basis.hashtag_ids) - 1)
    known = basis.hashtag_ids[place] == hashtag
    unknown = set(np.unique(hashtag[~known]).tolist())
    of, accepted, place, known = (column[settled == 0] for column in (of, accepted, place, known))
    ids, starts, carried = np.unique(of, return_index=True, return_counts=True)
    embedded = [
        row[0] for row in connection.execute(statement("embedded_images"), {"image_ids": ids.tolist()})
    ]
    lists, weights, chosen = [], [], []
    for n in np.flatnonzero((carried >= basis.settings.min_hashtags) & np.isin(ids, embedded)):
        own = slice(starts[n], starts[n] + carried[n])
        places = place[own][known[own]]
        if len(places):
            length = np.full(len(places), len(places))
            images = basis.hashtag_images[places]
            chosen.append(n)
            lists.append(places)
            weights.append(
                basis.maps.weighting.weights(
                    cast(NDArray[np.int32], accepted[own][known[own]]), images, length
                )
            )
    if not chosen:
        return unknown
    settings = basis.settings
    factors = als.fold_in(
        basis.hashtag_factors, basis.gram, lists, weights, settings.alpha, settings.regularization
    )
    if basis.maps.ridge is not None:
        # of its own backbone's embeddings, which an image need not have any more if another is active now
        asked = {"backbone_id": basis.maps.backbone_id, "image_ids": ids[chosen].tolist()}
        images, vectors = fetch_arrays(
            connection, statement("embeddings_of"), asked, "i8", ("f2", DIMENSIONS)
        )
        rows = np.searchsorted(ids[chosen], images)
        predicted = basis.maps.ridge.predict(cast(NDArray[np.float16], vectors))
        factors[rows] = (1 - settings.ridge) * factors[rows] + settings.ridge * predicted
    _land(connection, "image", basis, ids[chosen], factors)
    connection.execute(statement("fold_in_images"))
    return unknown


def fold_in_hashtags(connection: Connection, basis: Basis, hashtag_ids: Collection[int]) -> int:
    """Compute factors of new hashtags from those of their images, where enough images have some.

    Enough is what the run itself has asked for (``min_images``). Returns how many got factors.
    """
    if not hashtag_ids:
        return 0
    asked = {"factor_run_id": basis.factor_run_id, "hashtag_ids": list(hashtag_ids)}
    size = basis.settings.factors
    with connection.transaction():
        if not _held(connection, basis):
            return 0
        of, _, factors = fetch_arrays(
            connection, statement("image_factors_of"), asked, "i4", "i8", ("f2", size)
        )
        ids, starts, images = np.unique(of, return_index=True, return_counts=True)
        chosen = np.flatnonzero(images >= basis.settings.min_images)
        chosen = chosen[~np.isin(ids[chosen], basis.hashtag_ids)]
        if not len(chosen):
            return 0
        lists = [np.arange(starts[n], starts[n] + images[n]) for n in chosen]
        found = als.fold_in(
            factors.astype(np.float32),
            basis.maps.image_gram,
            lists,
            [np.ones(len(one), np.float32) for one in lists],
            basis.settings.alpha,
            basis.settings.regularization,
        )
        _land(connection, "hashtag", basis, ids[chosen], found, images[chosen].astype(np.int32))
        connection.execute(statement("fold_in_hashtags"))
    return len(chosen)


def fold_in_missing(connection: Connection) -> int:
    """Fold in whatever came after the active run; how many images were looked at."""
    looked_at = 0
    while (basis := folding_basis(connection)) is not None:
        asked = {"factor_run_id": basis.factor_run_id, "min_hashtags": basis.settings.min_hashtags}
        missing = [row[0] for row in connection.execute(statement("missing_factors"), asked)]
        unknown: set[int] = set()
        for start in range(0, len(missing), TOGETHER):
            with connection.transaction():
                unknown |= fold_in_images(connection, basis, missing[start : start + TOGETHER])
        fold_in_hashtags(connection, basis, unknown)
        looked_at += len(missing)
        if active_factor_run(connection) == basis.factor_run_id:
            break  # or else another run has become active, and what came after that one is missing
    return looked_at


def _held(connection: Connection, basis: Basis) -> bool:
    """Whether a run is still the active one; its tables stay until the transaction ends, then."""
    connection.execute(
        "LOCK TABLE ONLY tagdb_store.hashtag_factors, ONLY tagdb_store.image_factors IN ACCESS SHARE MODE"
    )
    return active_factor_run(connection) == basis.factor_run_id


class Folding:
    """Folds in what an ingest brings, batch by batch, into whatever run is the active one."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.basis: Basis | None = None
        self.unknown: set[int] = set()
        self._run_id: int | None = None
        self._looked = self._overtaken = False

    def reconnected(self, connection: Connection) -> None:
        """Go on with another connection."""
        connection.execute(statement("incoming_factors"))
        self.connection = connection

    def images(self, image_ids: Collection[int]) -> None:
        """Fold in the images of a batch, in its transaction."""
        if not image_ids:
            return
        self._look()
        if self.basis is not None:
            self.unknown |= fold_in_images(self.connection, self.basis, image_ids)

    def finish(self) -> None:
        """Fold in the new hashtags; and all images, if another run became active in between.

        That run may not know what came while it was computed and was folded into the one before it.
        """
        if self._looked:
            self._look()
        if self._overtaken:
            fold_in_missing(self.connection)
        elif self.basis is not None:
            fold_in_hashtags(self.connection, self.basis, self.unknown)

    def _look(self) -> None:
        active = active_factor_run(self.connection)
        if active != self._run_id:
            self._overtaken |= self._looked
            self._run_id, self.basis = active, folding_basis(self.connection)
        self._looked = True


def _land(
    connection: Connection,
    kind: str,
    basis: Basis,
    ids: NDArray[np.generic],
    factors: NDArray[np.float32],
    images: NDArray[np.int32] | None = None,
) -> None:
    names: Sequence[str] = ["factor_run_id", f"{kind}_id", "factors"]
    run = np.full(len(ids), basis.factor_run_id, np.int32)
    columns = [run, ids, als.checked(factors).astype(np.float16)]
    if images is not None:
        names, columns = [*names, "images"], [*columns, images]
    command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier("pg_temp", f"incoming_{kind}_factors"), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    copy_arrays(connection, command, tuple(columns))  # type: ignore[arg-type]
