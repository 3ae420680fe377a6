"""Search vectors: shortened embeddings that are near each other if the embeddings are. Pure.

The axes are the eigenvectors of the embeddings' second moments with the largest eigenvalues. Of all
projections to as few numbers, this one preserves most of the embeddings' squared length. The mean is not
subtracted first, and search vectors are normalised: with photos, this finds more of the true neighbours than
principal components of centred embeddings.
"""

import numpy as np
from numpy.typing import NDArray

from tagdb.learning.ranking import unit

DIMENSIONS = 192
SAMPLE = 20_000
"""Number of embeddings from which axes are learned; more made no measurable difference."""
OWN = 0.6
"""Share of a crossed query's numbers that come from the first image. With 0.6, about as many true neighbours
are found among a million images as for held-out photos, or slightly fewer; with 0.5 far fewer, and with 0.75
all of them at any effort. benchmarks/recommend.py compares the two."""


def learn(embeddings: NDArray[np.float16]) -> tuple[NDArray[np.float16], float]:
    """Learn axes.

    Parameters
    ----------
    embeddings : float16 (n, d)
        Of length 1.

    Returns
    -------
    axes : float16 (192, d)
        Orthonormal.
    kept
        Share of the squared length that they preserve, 0 to 1.
    """
    from scipy.linalg import eigh  # here, because ingests of few photos do not need it

    wide = embeddings.astype(np.float32)
    moments = wide.T @ wide
    size = len(moments)
    # Only these: finding all eigenvectors takes three times as long.
    values, vectors = eigh(moments, subset_by_index=(size - DIMENSIONS, size - 1))
    axes = vectors[:, ::-1].T
    total = float(np.trace(moments))
    kept = min(float(values.sum()) / total, 1.0) if total else 1.0
    return np.ascontiguousarray(axes, np.float16), kept


def project(axes: NDArray[np.float16], embeddings: NDArray[np.float16]) -> NDArray[np.float16]:
    """Return search vectors, float16 (n, 192) of length 1, for axes (192, d) and embeddings (n, d)."""
    projected = embeddings.astype(np.float32) @ axes.astype(np.float32).T
    return unit(projected).astype(np.float16)


def crossed(embeddings: NDArray[np.float16]) -> NDArray[np.float16]:
    """Return queries that are about as hard to find as new photos, each crossed from two stored embeddings.

    A stored embedding would be too easy to find, because it is in the index. With some numbers from one image
    and the others from another, it is about as hard to find as that of a new photo: see ``OWN``.

    Parameters
    ----------
    embeddings : float16 (2n or 2n + 1, d)
        Of length 1.

    Returns
    -------
    float16 (n, d)
        Of length 1.
    """
    wide = embeddings.astype(np.float32)
    half = len(wide) // 2
    first, second = wide[:half], wide[half : 2 * half]
    own = np.random.default_rng(0).random(first.shape) < OWN
    return unit(np.where(own, first, second)).astype(np.float16)
