"""Which photos belong together, and which fold each is held out in. Pure.

A photo and its near-duplicate, or two photos of one post, must not be on both sides of a split: the
one would give the other's hashtags away. Hence whole groups are held out.

The split depends on contents alone, not on ids or on the order of ingesting: a group's place is a
hash of the seed and of its key, the least content hash in it. When photos are added, all other groups
stay where they are; a group moves only if it gets a member with a lesser hash, or if a photo joins
two groups into one.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagdb.learning import ranking

NEAR = 0.95
"""Cosine similarity from which two photos count as the same picture."""
BLOCK = 2048
"""Photos on each side that are compared at once."""


def groups(
    hashes: Sequence[bytes],
    source_refs: Sequence[str | None],
    vectors: NDArray[np.float16],
    near: float = NEAR,
) -> NDArray[np.int64]:
    """The group of each photo, int64 (n,), numbered from 0.

    Photos are in one group that have the same source, or whose cosine similarity is ``near`` or more,
    or that both are in one with a third.

    Parameters
    ----------
    hashes : n content hashes · source_refs : n, None where unknown · vectors : float16 (n, d)
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
            # joined block by block: photos that are all alike have too many pairs to keep them
            label = _joined(label, one + top, other + left)
    return label


def keys(hashes: Sequence[bytes], label: NDArray[np.int64]) -> list[bytes]:
    """The key of each group, in the order of its number: the least content hash in it."""
    found: dict[int, bytes] = {}
    for content, group in zip(hashes, label.tolist(), strict=True):
        found[group] = min(content, found.get(group, content))
    return [found[group] for group in range(len(found))]


def places(group_keys: Sequence[bytes], seed: int) -> NDArray[np.float64]:
    """A number in [0, 1) for each group, float64 (g,): the same for the same key and seed."""
    digests = [hashlib.sha256(str(seed).encode() + key).digest()[:8] for key in group_keys]
    # 53 of the 64 bits, which is what a float holds: rounding could give 1 otherwise
    return np.array([(int.from_bytes(digest) >> 11) / 2**53 for digest in digests], np.float64)


def folds(
    hashes: Sequence[bytes],
    label: NDArray[np.int64],
    seed: int = 0,
    count: int = 5,
    fraction: float | None = None,
) -> NDArray[np.int64]:
    """The fold in which each photo is held out, int64 (n,); -1 for never.

    Parameters
    ----------
    label : int64 (n,) as of :func:`groups`
    count : folds 0 to ``count - 1``, in one of which every photo is
    fraction : hold out about this share of the groups in fold 0, and no others
    """
    place = places(keys(hashes, label), seed)
    if fraction is None:
        of_group = (place * count).astype(np.int64)
    else:
        of_group = np.where(place < fraction, 0, -1).astype(np.int64)
    return of_group[label]


def _joined(label: NDArray[np.int64], one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Labels, numbered from 0, after pairs of photos have been put together."""
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
    found: NDArray[np.integer] = connected_components(graph, directed=False)[1]
    return found[label].astype(np.int64)
