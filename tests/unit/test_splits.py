"""Which photos belong together, and which fold they are in."""

import hashlib

import numpy as np
import pytest
from numpy.typing import NDArray

from tagdb.evaluation import splits


def hashes(*numbers: int) -> list[bytes]:
    return [hashlib.sha256(b"%d" % number).digest() for number in numbers]


def apart(count: int) -> NDArray[np.float16]:
    """Vectors that are not alike at all."""
    return np.eye(count, dtype=np.float16)


def together(label: NDArray[np.int64]) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(label == one).tolist()) for one in label.tolist()}


def test_photos_of_one_source_are_together() -> None:
    found = splits.groups(hashes(*range(5)), ["a", None, "b", "a", None], apart(5))
    assert together(found) == {frozenset({0, 3}), frozenset({1}), frozenset({2}), frozenset({4})}
    assert sorted(set(found.tolist())) == [0, 1, 2, 3]


def test_near_duplicates_are_together_and_so_are_their_sources() -> None:
    vectors = np.array([[1, 0, 0], [1, 0.3, 0], [0, 0, 1], [1, 0.5, 0]], np.float16)
    # cosines with the first: .958, 0 and .894; of the second with the last .985: a chain
    found = splits.groups(hashes(*range(4)), [None, None, "a", "a"], vectors)
    assert together(found) == {frozenset({0, 1, 2, 3})}
    found = splits.groups(hashes(*range(3)), [None] * 3, vectors[[0, 2, 3]])
    assert len(together(found)) == 3


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((60, 3)).astype(np.float16)
    vectors[7] = 0
    refs = [f"post {n // 2}" if n % 4 < 2 else None for n in range(60)]
    wide = vectors.astype(np.float64)
    length = np.linalg.norm(wide, axis=1)
    alike = wide @ wide.T >= 0.95 * np.maximum(np.outer(length, length), 1e-9)
    linked = alike | np.array([[a is not None and a == b for a in refs] for b in refs])
    slow = np.linalg.matrix_power((linked | np.eye(60, dtype=bool)).astype(float), 60) > 0
    expected = {frozenset(np.flatnonzero(row).tolist()) for row in slow}
    for block in (7, 60, 2048):
        monkeypatch.setattr(splits, "BLOCK", block)
        assert together(splits.groups(hashes(*range(60)), refs, vectors)) == expected


def test_a_group_has_one_fold_and_all_folds_are_used() -> None:
    contents = hashes(*range(20_000))
    label = np.arange(20_000) // 2
    fold = splits.folds(contents, label, count=5)
    assert (fold[::2] == fold[1::2]).all()
    # 10,000 groups; 4 standard deviations of a binomial of 1/5
    assert np.bincount(fold) == pytest.approx(np.full(5, 4000), abs=2 * 4 * 40)
    held = splits.folds(contents, label, fraction=0.3)
    assert set(held.tolist()) == {-1, 0}
    assert (held == 0).mean() == pytest.approx(0.3, abs=0.02)


def test_the_place_is_what_the_documentation_says() -> None:
    key = hashes(3)[0]
    number = int.from_bytes(hashlib.sha256(b"17" + key).digest()[:8]) / 2**64
    assert splits.places([key], 17) == pytest.approx([number])
    contents = hashes(1, 2, 3)
    assert splits.keys(contents, np.array([0, 1, 0])) == [min(contents[0], contents[2]), contents[1]]


def test_folds_stay_when_photos_are_added_and_whatever_their_order() -> None:
    contents = hashes(*range(100))
    before = splits.folds(contents, splits.groups(contents, [None] * 100, apart(100)))
    more = hashes(*range(150))[::-1]
    after = splits.folds(more, splits.groups(more, [None] * 150, apart(150)))
    assert dict(zip(contents, before, strict=True)).items() <= dict(zip(more, after, strict=True)).items()


def test_another_seed_is_another_split() -> None:
    contents, label = hashes(*range(200)), np.arange(200)
    assert (splits.folds(contents, label, seed=1) != splits.folds(contents, label, seed=2)).any()
