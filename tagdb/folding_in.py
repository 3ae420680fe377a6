"""Fold new images and hashtags into the active factor run, so that a new photo can be a neighbour at once.

Folded-in rows are marked; the next run replaces them.
"""

from collections.abc import Collection

import numpy as np

from tagdb import store
from tagdb.learning import folding_in as computing
from tagdb.learning.folding_in import Basis
from tagdb.postgres.database import Connection

TOGETHER = 1000
"""Images folded in at a time if many are missing."""


class FoldingIn:
    """Folds the images of an ingest into the active run, batch by batch."""

    def __init__(self, connection: Connection, basis: Basis | None = None) -> None:
        """Prepare for images.

        Parameters
        ----------
        basis
            What was read on this connection before. It counts while its run is active.
        """
        self.connection = connection
        self.basis = basis
        self.unknown: set[int] = set()
        """Hashtags of new images that are unknown to the run."""
        self._run_id: int | None = basis.factor_run_id if basis else None
        self._looked = self._overtaken = False

    def reconnected(self, connection: Connection) -> None:
        """Continue with another connection."""
        self.connection = connection

    def images(self, image_ids: Collection[int]) -> None:
        """Fold in the images of a batch, in its transaction."""
        if not image_ids:
            return
        self._look()
        if self.basis is not None:
            self.unknown |= fold_in_images(self.connection, self.basis, image_ids)

    def again(self, image_ids: Collection[int]) -> None:
        """Fold in images that have lost hashtags, in the caller's transaction."""
        if not image_ids:
            return
        self._look()
        if self.basis is not None and store.folding_in.hold(self.connection, self.basis):
            store.folding_in.forget_images(self.connection, self.basis, image_ids)
            self.unknown |= fold_in_images(self.connection, self.basis, image_ids)

    def finish(self) -> None:
        """Fold in the new hashtags, and all images if another run became active in between.

        That run may lack images that were added during its computation and folded into the run before.
        """
        if self._looked:
            self._look()
        if self._overtaken:
            fold_in_missing(self.connection)
        elif self.basis is not None:
            fold_in_hashtags(self.connection, self.basis, self.unknown)

    def _look(self) -> None:
        active = store.runs.active_id(self.connection)
        if active != self._run_id:
            self._overtaken |= self._looked
            self._run_id, self.basis = active, store.folding_in.basis(self.connection)
        self._looked = True


def fold_in_images(connection: Connection, basis: Basis, image_ids: Collection[int]) -> set[int]:
    """Compute factors of images where possible, in the caller's transaction.

    That is for images with an embedding by the active backbone that
    :func:`tagdb.learning.folding_in.foldable` accepts; for none if another run became active.

    Returns
    -------
    set
        Hashtags of these images that the run does not know.
    """
    if not image_ids or not store.folding_in.hold(connection, basis):
        return set()
    carried = store.folding_in.hashtags_of(connection, basis, image_ids)
    unknown = computing.unknown_hashtags(basis, carried)
    embedded = store.folding_in.embedded_images(connection, np.unique(carried.image_ids))
    images = computing.foldable(basis, carried.only(embedded))
    if len(images.image_ids):
        factors = computing.image_factors(
            basis, images, *store.folding_in.embeddings(connection, basis, images.image_ids)
        )
        store.folding_in.save_images(connection, basis, images.image_ids, factors)
    return unknown


def fold_in_hashtags(connection: Connection, basis: Basis, hashtag_ids: Collection[int]) -> int:
    """Compute factors of new hashtags if enough of their images have factors; return their number."""
    if not hashtag_ids:
        return 0
    with connection.transaction():
        if not store.folding_in.hold(connection, basis):
            return 0
        pairs = store.folding_in.image_factors(connection, basis, hashtag_ids)
        ids, computed, images = computing.hashtag_factors(basis, *pairs)
        if len(ids):
            store.folding_in.save_hashtags(connection, basis, ids, computed, images)
    return len(ids)


def fold_in_missing(connection: Connection) -> int:
    """Fold in all images newer than the active run; return how many were considered."""
    looked_at = 0
    while (basis := store.folding_in.basis(connection)) is not None:
        missing = store.folding_in.missing_images(connection, basis)
        unknown: set[int] = set()
        for start in range(0, len(missing), TOGETHER):
            with connection.transaction():
                unknown |= fold_in_images(connection, basis, missing[start : start + TOGETHER])
        fold_in_hashtags(connection, basis, unknown)
        looked_at += len(missing)
        if store.runs.active_id(connection) == basis.factor_run_id:
            break  # otherwise another run became active, and images newer than that are missing
    return looked_at
