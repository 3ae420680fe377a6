"""Figures of recommendations, by hand and by a slow implementation."""

import math

import numpy as np
import pytest

from tagdb.evaluation import metrics


def test_figures_of_one_list_by_hand() -> None:
    # right at ranks 1, 3 and 7; 4 hashtags would have been right
    hit = np.zeros((1, 10), bool)
    hit[0, [0, 2, 6]] = True
    found = {name: value[0] for name, value in metrics.per_query(hit, np.array([4])).items()}
    gain = 1 + 1 / 2 + 1 / 3
    ideal = 1 + 1 / math.log2(3) + 1 / 2 + 1 / math.log2(5)
    assert found == pytest.approx(
        {"P@1": 1, "P@5": 0.4, "P@10": 0.3, "R@5": 0.5, "R@10": 0.75, "nDCG@10": gain / ideal, "hit@5": 1}
    )


def test_a_perfect_list_of_more_truth_than_places_is_ideal() -> None:
    found = metrics.per_query(np.ones((1, 10), bool), np.array([25]))
    assert found["nDCG@10"] == pytest.approx([1])
    assert found["R@10"] == pytest.approx([0.4])


def test_a_short_list_counts_as_one_with_nothing_behind_it() -> None:
    found = metrics.per_query(np.array([[True, True]]), np.array([2]))
    assert found["P@5"] == pytest.approx([0.4])
    assert found["nDCG@10"] == pytest.approx([1])


def test_hits_like_sets() -> None:
    rng = np.random.default_rng(1)
    recommended = np.array([rng.permutation(30)[:10] for _ in range(20)])
    recommended[3:6, 7:] = -1
    truth = [set(rng.permutation(40)[: rng.integers(1, 12)].tolist()) for _ in range(20)]
    rows = np.array([n for n, own in enumerate(truth) for _ in own])
    ids = np.array([one for own in truth for one in own], np.int32)
    slow = [[one in own for one in line] for line, own in zip(recommended.tolist(), truth, strict=True)]
    assert metrics.hits(recommended, rows, ids).tolist() == slow


def test_coverage_and_popularity_by_hand() -> None:
    recommended = np.array([[1, 2], [2, -1], [-1, -1]])
    assert metrics.coverage(recommended, np.array([1, 2, 3, 4])) == 0.5
    used = metrics.popularity(recommended, np.array([2, 5]), np.array([0.4, 0.9]))
    assert used[:2] == pytest.approx([0.2, 0.4])  # 1 is on no training photo
    assert np.isnan(used[2])


def test_resampling_like_a_slow_one() -> None:
    rng = np.random.default_rng(2)
    values, groups = rng.random((9, 2)), np.array([5, 5, 2, 2, 2, 7, 1, 1, 9])
    values[1, 1] = np.nan
    found = metrics.bootstrap(values, groups, resamples=50, seed=3)
    draws, names = np.random.default_rng(3), np.unique(groups)
    for line in found.resampled:
        chosen = names[draws.integers(0, len(names), len(names))]
        rows = np.concatenate([np.flatnonzero(groups == one) for one in chosen])
        assert line == pytest.approx(np.nanmean(values[rows], axis=0))
    assert found.all == pytest.approx(np.nanmean(values, axis=0))


def test_photos_of_a_group_are_one_observation() -> None:
    """Ten copies of every photo in its group make no interval narrower; as photos of their own they do."""
    values = np.random.default_rng(4).random((40, 1))
    alone = metrics.bootstrap(values, np.arange(40)).estimate(0)
    copied = np.repeat(values, 10, axis=0)
    grouped = metrics.bootstrap(copied, np.repeat(np.arange(40), 10)).estimate(0)
    taken_apart = metrics.bootstrap(copied, np.arange(400)).estimate(0)
    assert (grouped.mean, grouped.low, grouped.high) == pytest.approx((alone.mean, alone.low, alone.high))
    assert alone.low is not None
    assert alone.high is not None
    assert taken_apart.low is not None
    assert taken_apart.high is not None
    assert taken_apart.high - taken_apart.low < 0.5 * (alone.high - alone.low)


def test_the_interval_is_about_two_standard_errors() -> None:
    values = np.random.default_rng(5).standard_normal((2000, 1))
    found = metrics.bootstrap(values, np.arange(2000)).estimate(0)
    assert found.low == pytest.approx(found.mean - 1.96 / math.sqrt(2000), abs=0.004)
    assert found.high == pytest.approx(found.mean + 1.96 / math.sqrt(2000), abs=0.004)


def test_differences_are_paired() -> None:
    one = np.random.default_rng(6).random(30)
    means = metrics.bootstrap(np.column_stack([one + 0.1, one, 2 * one]), np.arange(30))
    paired = means.paired(0, 1)
    assert (paired.difference, paired.low, paired.high) == pytest.approx((0.1, 0.1, 0.1))
    twice = means.paired(2, 1)
    assert (twice.relative, twice.relative_low, twice.relative_high) == pytest.approx((1, 1, 1))


def test_nothing_is_relative_to_zero() -> None:
    means = metrics.bootstrap(np.column_stack([np.ones(5), np.zeros(5)]), np.arange(5))
    assert means.paired(0, 1).relative is None


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(7).random((20, 1))
    one, same, other = (metrics.bootstrap(values, np.arange(20), seed=seed).estimate(0) for seed in (1, 1, 2))
    assert one == same
    assert one != other
