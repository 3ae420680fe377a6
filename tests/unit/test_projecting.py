"""Search vectors: the axes keep as much of the embeddings as any projection to as few numbers can."""

import numpy as np
import pytest

from tagdb.learning import projecting
from tests.support import seed


@pytest.mark.parametrize("images", [5, 100, 600])
def test_the_axes_keep_as_much_as_any(images: int) -> None:
    embeddings = seed.clustered(images)
    axes, kept = projecting.learn(embeddings)
    wide = axes.astype(np.float64)
    assert axes.shape == (projecting.DIMENSIONS, seed.DIMENSIONS)
    np.testing.assert_allclose(wide @ wide.T, np.eye(len(axes)), atol=2e-3)
    lengths = np.linalg.svd(embeddings.astype(np.float64), compute_uv=False) ** 2
    best = lengths[: projecting.DIMENSIONS].sum() / lengths.sum()
    assert kept == pytest.approx(best, abs=1e-3)
    own = np.sum((embeddings.astype(np.float64) @ wide.T) ** 2) / lengths.sum()
    assert own == pytest.approx(kept, abs=2e-3)


def test_search_vectors_of_near_embeddings_are_near() -> None:
    embeddings = seed.clustered(300)
    axes, _ = projecting.learn(embeddings)
    shortened = projecting.project(axes, embeddings).astype(np.float64)
    np.testing.assert_allclose(np.linalg.norm(shortened, axis=1), 1, atol=1e-3)
    wide = embeddings.astype(np.float64)
    for n in range(0, 300, 30):
        nearest = np.argsort(-wide @ wide[n])[1:6]
        assert len(np.intersect1d(nearest, np.argsort(-shortened @ shortened[n])[:30])) >= 4
