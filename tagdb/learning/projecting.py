"""Search vectors: embeddings in fewer numbers, near each other where the embeddings are. Pure.

The axes are the eigenvectors of the embeddings' second moments with the greatest eigenvalues: of all
projections to so few numbers the one that keeps most of the embeddings' squared length. The mean is not
taken off first, and search vectors are brought to length 1 again: on photos that finds more of the true
neighbours than principal components of the centred embeddings do.
"""

import numpy as np
from numpy.typing import NDArray

from tagdb.learning.ranking import unit

DIMENSIONS = 192
SAMPLE = 20_000
"""Embeddings to learn axes from: more changed nothing that could be measured."""
OWN = 0.6
"""Share of a crossed query's numbers that are from the first image. With 0.6 as many true neighbours are
found among a million images as for held-out photos, or a little less; with 0.5 far less, and with 0.75 all,
whatever the effort. benchmarks/recommend.py compares the two."""


def learn(embeddings: NDArray[np.float16]) -> tuple[NDArray[np.float16], float]:
    """Axes, and what share of the squared length they keep.

    Parameters
    ----------
    embeddings : float16 (n, d), of length 1.

    Returns
    -------
    float16 (192, d), of length 1 and at right angles, and the share, from 0 to 1.
    """
    wide = embeddings.astype(np.float32)
    values, vectors = np.linalg.eigh(wide.T @ wide)
    axes = vectors[:, ::-1][:, :DIMENSIONS].T
    kept = float(values[-DIMENSIONS:].sum() / values.sum())
    return np.ascontiguousarray(axes, np.float16), kept


def project(axes: NDArray[np.float16], embeddings: NDArray[np.float16]) -> NDArray[np.float16]:
    """Search vectors of embeddings: float16 (192, d) and (n, d) in, float16 (n, 192) of length 1 out."""
    projected = embeddings.astype(np.float32) @ axes.astype(np.float32).T
    return unit(projected).astype(np.float16)


def crossed(embeddings: NDArray[np.float16]) -> NDArray[np.float16]:
    """Return queries that are about as hard to find as new photos, each crossed from two stored embeddings.

    A stored embedding would be found too easily, because the index leads to it. With some numbers from one
    image and the others from another it is about as hard to find as that of a new photo: see ``OWN``.

    Parameters
    ----------
    embeddings
        float16 (2n or 2n + 1, d)

    Returns
    -------
    float16 (n, d), of length 1
    """
    wide = embeddings.astype(np.float32)
    half = len(wide) // 2
    first, second = wide[:half], wide[half : 2 * half]
    own = np.random.default_rng(0).random(first.shape) < OWN
    return unit(np.where(own, first, second)).astype(np.float16)
