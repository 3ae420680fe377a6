"""Groups of photos that belong together, and the fold in which each is held out. Pure.

A photo and its near-duplicate, or two photos of one post, must not be on both sides of a split, because one
would give away the other's hashtags. So whole groups are held out.

The split depends on contents only, not on ids or the order of ingesting: a group's place is a hash of the
seed and of its key, which is the smallest content hash in the group. When photos are added, the other groups
stay where they are. A group moves only if it gets a member with a smaller hash, or if a photo joins two
groups.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagdb.learning import ranking

NEAR = 0.95
"""Cosine similarity from which two photos count as the same image."""
BLOCK = 2048
"""Block size of the comparison: this many photos with this many others at a time."""


def groups(
    hashes: Sequence[bytes],
    source_refs: Sequence[str | None],
    vectors: NDArray[np.float16],
    near: float = NEAR,
) -> NDArray[np.int64]:
    """Return the group of each photo, int64 (n,), numbered from 0.

    Photos are in the same group if they have the same source, if their cosine similarity is at least
    ``near``, or if both are in a group with a third photo.

    Parameters
    ----------
    hashes
        n content hashes.
    source_refs
        n sources, None where unknown.
    vectors : float16 (n, d)
        Embeddings.
    near
        Cosine similarity of near-duplicates.
    """
    label = np.arange(len(hashes), dtype=np.int64)
    first: dict[str, int] = {}
    refs = [first.setdefault(ref, n) if ref is not None else n for n, ref in enumerate(source_refs)]
    label = _joined(label, np.arange(len(hashes)), np.array(refs, np.int64))
    for top in range(0, len(vectors), BLOCK):
        rows = ranking.unit(vectors[top : top + BLOCK])
        for left in range(top, len(vectors), BLOCK):
            columns = rows if left == top else ranking.unit(vectors[left : left + BLOCK])
            one, other = np.nonzero(rows @ columns.T >= near)
            # joined block by block: if all photos are alike, there are too many pairs to keep
            label = _joined(label, one + top, other + left)
    return label


def keys(hashes: Sequence[bytes], label: NDArray[np.int64]) -> list[bytes]:
    """Return the key of each group, in order of their numbers: the smallest content hash in it."""
    least: dict[int, bytes] = {}
    for content, group in zip(hashes, label.tolist(), strict=True):
        least[group] = min(content, least.get(group, content))
    return [least[group] for group in range(len(least))]


def places(group_keys: Sequence[bytes], seed: int) -> NDArray[np.float64]:
    """Return a number in [0, 1) per group, float64 (g,), determined by its key and the seed."""
    digests = [hashlib.sha256(str(seed).encode() + key).digest()[:8] for key in group_keys]
    # 53 of the 64 bits, as many as a float holds; otherwise rounding could give 1
    return np.array([(int.from_bytes(digest) >> 11) / 2**53 for digest in digests], np.float64)


def folds(
    hashes: Sequence[bytes],
    label: NDArray[np.int64],
    seed: int = 0,
    count: int = 5,
    fraction: float | None = None,
) -> NDArray[np.int64]:
    """Return the fold in which each photo is held out, int64 (n,); -1 for never.

    Parameters
    ----------
    hashes
        n content hashes.
    label : int64 (n,)
        Groups, from :func:`groups`.
    seed
        Another seed gives another split.
    count
        Number of folds; every photo is in one of them.
    fraction
        Hold out about this share of the groups in fold 0, and no others, instead of using folds.
    """
    place = places(keys(hashes, label), seed)
    if fraction is None:
        of_group = (place * count).astype(np.int64)
    else:
        of_group = np.where(place < fraction, 0, -1).astype(np.int64)
    return of_group[label]


def _joined(label: NDArray[np.int64], one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the labels, numbered from 0, after the groups of pairs of photos are joined."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    if not len(label):
        return label
    size = int(label.max()) + 1
    apart = label[one] != label[other]
    pairs = (label[one[apart]], label[other[apart]])
    if not len(pairs[0]):
        return label
    graph = coo_matrix((np.ones(len(pairs[0]), np.float32), pairs), shape=(size, size))
    component: NDArray[np.integer] = connected_components(graph, directed=False)[1]
    return component[label].astype(np.int64)
