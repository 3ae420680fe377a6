"""The nearest in similar clusters, against comparing with all."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tagdb.learning import clusters, ranking


def vectors(count: int, kinds: int = 40, dimensions: int = 24) -> NDArray[np.float16]:
    """Vectors around as many directions as there are kinds."""
    rng = np.random.default_rng(count)
    centres = rng.standard_normal((kinds, dimensions))
    drawn = centres[rng.integers(0, kinds, count)] + 0.5 * rng.standard_normal((count, dimensions))
    return ranking.unit(drawn).astype(np.float16)


@pytest.mark.parametrize("size", [1, 16, 256])
def test_compared_with_all_they_are_the_nearest(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "SIZE", size)
    monkeypatch.setattr(clusters, "COMPARED", 600)
    some, asked = vectors(600), np.array([0, 3, 4, 200, 599])
    places, similarities = clusters.nearest(some, np.arange(len(some)), asked, 7)
    expected, near = ranking.nearest(some[asked], some, 7, asked)
    for row in range(len(asked)):
        assert set(places[row].tolist()) == set(expected[row].tolist())
    np.testing.assert_allclose(np.sort(similarities), np.sort(near), atol=1e-3)


def test_compared_with_a_tenth_nearly_all_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "SIZE", 64)
    monkeypatch.setattr(clusters, "COMPARED", 600)
    some, asked = vectors(6000), np.arange(0, 6000, 7)
    places, similarities = clusters.nearest(some, np.arange(len(some)), asked, 20)
    expected, _ = ranking.nearest(some[asked], some, 20, asked)
    shared = [len(set(a) & set(b)) for a, b in zip(places.tolist(), expected.tolist(), strict=True)]
    assert sum(shared) / expected.size > 0.9
    assert not (places == asked[:, None]).any()
    assert np.isfinite(similarities).all()
    again, _ = clusters.nearest(some, np.arange(len(some)), asked, 20)
    assert np.array_equal(places, again)


def test_vectors_that_are_all_the_same() -> None:
    """Of equal centres any may come first; nobody finds itself all the same."""
    same = np.repeat(vectors(1), 3000, axis=0)
    asked = np.arange(3000)
    places, similarities = clusters.nearest(same, asked, asked, 5)
    assert not (places == asked[:, None]).any()
    np.testing.assert_allclose(similarities, 1, atol=2e-3)


def test_only_the_pool_is_looked_among() -> None:
    some = vectors(4000)
    pool, asked = np.arange(1, 4000, 2), np.array([0, 5, 1999])
    places, similarities = clusters.nearest(some, pool, asked, 6)
    expected, near = clusters.nearest(some[pool], np.arange(len(pool)), asked, 6)
    assert np.array_equal(places, expected)
    assert np.array_equal(similarities, near)
