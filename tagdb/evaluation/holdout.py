"""Which photos are held out, which are learned from, and making sure that the two never meet. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagdb.errors import EvaluationError
from tagdb.evaluation import splits
from tagdb.learning.als import Interactions
from tagdb.learning.model import Embeddings

MIN_TRUTH = 3
"""Photos with fewer hashtags are no queries: there is too little to be right about."""
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Data:
    """The images that can take part: those with an embedding and a hashtag that counts."""

    embeddings: Embeddings
    interactions: Interactions
    hashes: list[bytes]
    source_refs: list[str | None]
    collections: NDArray[np.int64]
    """int64 (n,), the hashtag that each image's collection is named after, or -1"""


@dataclass(frozen=True, slots=True)
class Split:
    """Who is held out when, and who is asked about."""

    groups: NDArray[np.int64]
    """int64 (n,)"""
    folds: NDArray[np.int64]
    """int64 (n,), the fold in which each image is held out, -1 for never"""
    queries: NDArray[np.int64]
    """int64 (q,), places of the images that are asked about"""
    rows: NDArray[np.int64]
    """int64 (t,), the place among the queries of each pair of the truth"""
    truth: NDArray[np.int64]
    """int64 (t,), its hashtag"""
    count: int
    """Folds that hold queries."""


@dataclass(frozen=True, slots=True)
class Side:
    """The training photos of one fold."""

    embeddings: Embeddings
    interactions: Interactions

    def popularity(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Hashtags, int64 (h,) ascending, and the share of the photos that carry each, float64 (h,)."""
        ids, counts = np.unique(self.interactions.hashtag_ids, return_counts=True)
        return ids.astype(np.int64), counts / max(len(self.embeddings.image_ids), 1)


def split(
    data: Data, folds: int = FOLDS, fraction: float | None = None, seed: int = 0, photos: int | None = None
) -> Split:
    """Decide who is held out when; of more than ``photos`` queries those with the least hashes stay.

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
            "ingest more"
        )
    if photos is not None and len(queries) > photos:
        queries = np.array(sorted(sorted(queries, key=data.hashes.__getitem__)[:photos]), np.int64)
    asked = np.full(len(ids), -1, np.int64)
    asked[queries] = np.arange(len(queries))
    own = asked[place] >= 0
    truth = interactions.hashtag_ids[own].astype(np.int64)
    return Split(groups, fold, queries, asked[place][own], truth, len(np.unique(fold[queries])))


def side(embeddings: Embeddings, interactions: Interactions, held_out: NDArray[np.bool_]) -> Side:
    """Everything but the held-out photos: bool (n,), in the order of the embeddings."""
    ids = embeddings.image_ids[~held_out]
    kept = np.isin(interactions.image_ids, ids)
    return Side(
        Embeddings(ids, embeddings.vectors[~held_out]),
        Interactions(
            interactions.image_ids[kept], interactions.hashtag_ids[kept], interactions.accepted[kept]
        ),
    )


def check_no_leak(
    image_ids: NDArray[np.int64],
    groups: NDArray[np.int64],
    held_out: NDArray[np.bool_],
    used: NDArray[np.int64],
) -> None:
    """Make sure that no held-out image, nor one of its group, has had a part in an answer.

    Parameters
    ----------
    image_ids, groups, held_out : (n,), all images, ids ascending
    used : int64, ids of images that something was fitted to, that have factors, or that are neighbours

    Raises
    ------
    EvaluationError
        One of them is held out, or belongs together with one that is, or is not known at all.
    """
    used = np.unique(used)
    place = np.minimum(np.searchsorted(image_ids, used), len(image_ids) - 1)
    strange = used[image_ids[place] != used]
    if len(strange):
        raise EvaluationError(f"image {strange[0]} was used but is not in the split; please report this")
    if held_out[place].any():
        found = used[held_out[place]][0]
        raise EvaluationError(f"image {found} is held out but was used for recommending; please report this")
    shared = np.isin(groups[place], groups[held_out])
    if shared.any():
        found = used[shared][0]
        raise EvaluationError(
            f"image {found} belongs together with a held-out image but was used for recommending; "
            "please report this"
        )
