"""Held-out and training photos, and a check that they never mix. Pure."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tagdb.errors import EvaluationError
from tagdb.evaluation import splits
from tagdb.learning.als import Interactions
from tagdb.learning.model import Embeddings
from tagdb.learning.settings import FactorSettings

MIN_TRUTH = 3
"""Photos with fewer hashtags are not used as queries: they have too little to get right."""
FOLDS = 5
Size = float | int
"""How many photos to learn from: their number, or as a float, a share of those that are not held out."""


@dataclass(frozen=True, slots=True)
class Data:
    """The images that take part: those with an embedding and a hashtag that counts."""

    embeddings: Embeddings
    interactions: Interactions
    hashes: list[bytes]
    source_refs: list[str | None]
    collections: NDArray[np.int64]
    """int64 (n,): hashtag that the image's collection is named after, or -1."""

    def settled(self, settings: FactorSettings) -> FactorSettings:
        """Return what a run of all these images would use, to be used with any number of them."""
        return self.interactions.followed_by(settings).settled()

    def renumbered(self, seed: int) -> "Data":
        """Return the same with other numbers for the hashtags, by chance.

        The stored ones tell how early a hashtag came, so how often it is on photos that are not learned from,
        and they decide between equal scores, of which there are many after learning from a few photos.
        """
        stored = np.unique(self.interactions.hashtag_ids)
        number = np.full(1 + max(stored.max(initial=0), self.collections.max(initial=0)), -1)
        number[stored] = np.random.default_rng(seed).permutation(len(stored))
        hashtag_ids = number[self.interactions.hashtag_ids].astype(np.int32)
        return replace(
            self,
            interactions=replace(self.interactions, hashtag_ids=hashtag_ids),
            collections=np.where(self.collections < 0, -1, number[self.collections]),
        )


@dataclass(frozen=True, slots=True)
class Split:
    """Groups, folds and queries of an evaluation."""

    groups: NDArray[np.int64]
    """int64 (n,): group of each image."""
    folds: NDArray[np.int64]
    """int64 (n,): fold in which each image is held out, -1 for never."""
    queries: NDArray[np.int64]
    """int64 (q,): places of the images that are used as queries."""
    rows: NDArray[np.int64]
    """int64 (t,): place among the queries of each pair of the truth."""
    truth: NDArray[np.int64]
    """int64 (t,): hashtag of each pair."""
    count: int
    """Number of folds that contain queries."""
    order: NDArray[np.float64]
    """float64 (n,): a number for the group of each image, by chance; the lowest are learned from first."""


@dataclass(frozen=True, slots=True)
class Side:
    """The training photos of one fold."""

    embeddings: Embeddings
    interactions: Interactions

    def popularity(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return hashtags, int64 (h,) ascending, and the share of photos that have each, float64 (h,)."""
        ids, counts = np.unique(self.interactions.hashtag_ids, return_counts=True)
        return ids.astype(np.int64), counts / max(len(self.embeddings.image_ids), 1)


def split(
    data: Data, folds: int = FOLDS, fraction: float | None = None, seed: int = 0, photos: int | None = None
) -> Split:
    """Assign photos to folds and choose the queries: at most ``photos``, those with the smallest hashes.

    Raises
    ------
    EvaluationError
        There are too few photos to hold some out.
    """
    ids, interactions = data.embeddings.image_ids, data.interactions
    groups = splits.groups(data.hashes, data.source_refs, data.embeddings.vectors)
    fold = splits.folds(data.hashes, groups, seed, folds, fraction)
    place = np.searchsorted(ids, interactions.image_ids)
    carried = np.bincount(place, minlength=len(ids))
    queries = np.flatnonzero((fold >= 0) & (carried >= MIN_TRUTH))
    held = np.unique(fold[queries])
    if len(held) < (2 if fraction is None else 1) or (fold == held[0]).all():
        raise EvaluationError(
            f"there are too few photos to hold some out: {int((carried >= MIN_TRUTH).sum())} with an "
            f"embedding have {MIN_TRUTH} hashtags or more, and photos that belong together stay together; "
            + ("ingest more that have" if fraction is None else "ingest more that have, or raise --fraction")
        )
    if photos is not None and len(queries) > photos:
        queries = np.array(sorted(sorted(queries, key=data.hashes.__getitem__)[:photos]), np.int64)
    asked = np.full(len(ids), -1, np.int64)
    asked[queries] = np.arange(len(queries))
    own = asked[place] >= 0
    truth = interactions.hashtag_ids[own].astype(np.int64)
    # another seed than that of the folds, of which this must not depend
    order = splits.places(splits.keys(data.hashes, groups), ~seed)[groups]
    return Split(groups, fold, queries, asked[place][own], truth, len(np.unique(fold[queries])), order)


def side(embeddings: Embeddings, interactions: Interactions, held_out: NDArray[np.bool_]) -> Side:
    """Return the photos that are not held out; ``held_out`` is bool (n,) in the order of the embeddings."""
    ids = embeddings.image_ids[~held_out]
    kept = np.isin(interactions.image_ids, ids)
    return Side(
        replace(embeddings, image_ids=ids, vectors=embeddings.vectors[~held_out]),
        Interactions(
            interactions.image_ids[kept], interactions.hashtag_ids[kept], interactions.accepted[kept]
        ),
    )


def fewer(split: Split, held_out: NDArray[np.bool_], size: Size) -> NDArray[np.bool_]:
    """Return the photos to learn from if there were fewer, bool (n,).

    Groups stay whole, so there are a few more than asked for. Those of a smaller size are among those of a
    larger one.
    """
    order = np.sort(split.order[~held_out])
    photos = round(size * len(order)) if isinstance(size, float) else size
    last = min(max(photos, 1), len(order)) - 1
    chosen: NDArray[np.bool_] = ~held_out & (split.order <= order[last])
    return chosen


def check_no_leak(
    image_ids: NDArray[np.int64],
    groups: NDArray[np.int64],
    held_out: NDArray[np.bool_],
    used: NDArray[np.int64],
) -> None:
    """Check that neither a held-out image nor another one of its group contributed to an answer.

    Parameters
    ----------
    image_ids, groups, held_out : (n,)
        All images, by ascending id.
    used : int64 (u,)
        Ids of images that something was fitted to, that have factors, or that are neighbours.

    Raises
    ------
    EvaluationError
        A used image is held out, belongs to the group of one that is, or is unknown.
    """
    used = np.unique(used)
    place = np.minimum(np.searchsorted(image_ids, used), len(image_ids) - 1)
    unknown = used[image_ids[place] != used]
    if len(unknown):
        raise EvaluationError(f"image {unknown[0]} was used but is not in the split; please report this")
    if held_out[place].any():
        image_id = used[held_out[place]][0]
        raise EvaluationError(
            f"image {image_id} is held out but was used for recommending; please report this"
        )
    shared = np.isin(groups[place], groups[held_out])
    if shared.any():
        image_id = used[shared][0]
        raise EvaluationError(
            f"image {image_id} belongs together with a held-out image but was used for recommending; "
            "please report this"
        )
