"""With few photos, recommendations are no worse than votes of neighbours or the most used hashtags."""

from __future__ import annotations

import numpy as np
import pytest

from tagdb.evaluation.contestants import POPULAR, TOP, VOTE, Contestant, answer
from tagdb.evaluation.holdout import Side
from tagdb.learning.als import Interactions
from tagdb.learning.model import Embeddings
from tagdb.learning.settings import FactorSettings
from tests.support import seed

QUERIES = 60
TOPICS = 3


def drawn(photos: int, number: int, own: int) -> tuple[Side, np.ndarray, list[set[int]]]:
    """Photos of three topics to learn from, and others with their hashtags.

    Each has hashtag 0, three hashtags of its topic by how common they are, and ``own`` that only it has. The
    others have numbers by chance: it is by them that equal scores are put in order.
    """
    rng = np.random.default_rng(number)
    kinds = seed.features(TOPICS, 7).astype(np.float64)
    topics = np.arange(photos + QUERIES) % TOPICS
    vectors = kinds[topics] + 0.03 * np.abs(rng.standard_normal((len(topics), seed.DIMENSIONS)))
    chances = 1 / np.arange(1, 9)
    number = 1 + rng.permutation(8 * TOPICS + own * len(topics))
    carried = [
        {0}
        | {int(number[8 * topic + n]) for n in rng.choice(8, 3, replace=False, p=chances / chances.sum())}
        | set(number[8 * TOPICS + own * n :][:own].tolist())
        for n, topic in enumerate(topics.tolist())
    ]
    pairs = np.array([(n + 1, tag) for n in range(photos) for tag in sorted(carried[n])])
    ids = np.arange(1, photos + 1)
    embeddings = seed.unit(vectors)
    accepted = np.zeros(len(pairs), np.int32)
    side = Side(
        Embeddings(ids, embeddings[:photos]),
        Interactions(pairs[:, 0].astype(np.int64), pairs[:, 1].astype(np.int32), accepted),
    )
    return side, embeddings[photos:], carried[photos:]


def hits(one: Contestant, photos: int, own: int) -> float:
    """The mean share of a photo's hashtags that are among the first four, of eight collections."""
    found = []
    for number in range(8):
        side, queries, truth = drawn(photos, number, own)
        recommended = answer(one, side, queries, {}).recommended[:, :4]
        found += [len(set(row) & tags) / 4 for row, tags in zip(recommended.tolist(), truth, strict=True)]
    return float(np.mean(found))


@pytest.mark.parametrize("own", [0, 2])
@pytest.mark.parametrize("photos", [3, 5, 7, 9, 10, 12, 15, 20, 30, 50])
def test_few_photos(photos: int, own: int) -> None:
    ours, votes, popular = (hits(one, photos, own) for one in (FactorSettings(), VOTE, POPULAR))
    assert ours >= votes - 0.01
    assert ours >= popular - 0.01


@pytest.mark.parametrize("photos", [3, 5, 9, 10, 20, 50])
def test_nothing_but_popular_hashtags(photos: int) -> None:
    """Four hashtags, each on nine photos of ten: whoever has any recommends all."""
    side, queries, _ = drawn(photos, 3, 0)
    rng = np.random.default_rng(photos)
    pairs = np.argwhere(rng.random((photos, 4)) < 0.9)
    interactions = Interactions(pairs[:, 0] + 1, pairs[:, 1].astype(np.int32), np.zeros(len(pairs), np.int32))
    recommended = answer(FactorSettings(), Side(side.embeddings, interactions), queries, {}).recommended
    assert (np.sort(recommended[:, :4], axis=1) == np.arange(4)).all()


def test_one_hashtag_on_everything() -> None:
    for photos in (5, 50):
        side, queries, _ = drawn(photos, 1, 0)
        all_have = side.interactions.hashtag_ids == 0
        only = Side(side.embeddings, side.interactions.only(all_have))
        recommended = answer(FactorSettings(), only, queries, {}).recommended
        assert (recommended[:, 0] == 0).all()
        assert recommended.shape[1] == TOP
        assert (recommended[:, 1:] == -1).all()


def test_photos_that_are_all_the_same() -> None:
    """Nothing is off their mean; the plain similarity counts."""
    side, queries, _ = drawn(20, 2, 0)
    same = np.repeat(side.embeddings.vectors[:1], 20, axis=0)
    alike = Side(Embeddings(side.embeddings.image_ids, same), side.interactions)
    recommended = answer(FactorSettings(), alike, queries, {}).recommended
    assert (recommended[:, 0] == 0).all()
