"""The learning curve: what is learned from fewer photos."""

import numpy as np
import pytest

from tagdb.errors import EvaluationError
from tagdb.evaluation import curve as curves
from tagdb.evaluation.curve import Gain, curve
from tagdb.evaluation.evaluate import evaluate, load
from tagdb.evaluation.holdout import fewer, split
from tagdb.evaluation.metrics import Paired
from tagdb.evaluation.reports import MAIN
from tagdb.postgres.database import Connection
from tests.support.evaluated import fill


@pytest.fixture(autouse=True)
def photos(connection: Connection) -> int:
    return len(fill(connection))


def test_smaller_sizes_are_within_larger_ones(connection: Connection) -> None:
    data = load(connection)
    found = split(data)
    held_out = found.folds == 0
    before = np.zeros(len(held_out), bool)
    for size in (1, 10, 0.3, 60, 0.9, 1.0):
        chosen = fewer(found, held_out, size)
        asked = size if isinstance(size, int) else size * (~held_out).sum()
        assert asked - 1 <= chosen.sum() <= asked + 1, "whole posts, which are of two photos at most here"
        assert not (chosen & held_out).any()
        assert not np.isin(found.groups[chosen], found.groups[~chosen & ~held_out]).any()
        assert (before <= chosen).all()
        before = chosen
    assert (before == ~held_out).all()


def test_all_photos_give_what_an_evaluation_gives(connection: Connection) -> None:
    found = curve(connection, (0.5, 20), folds=3, settings=["factors=4"], quiet=True)
    whole = evaluate(connection, folds=3, settings=["factors=4"], quiet=True)
    assert [point.photos for point in found.points] == pytest.approx([20, 40, 80], abs=2)
    for one, other in zip(found.points[-1].rows, whole.rows, strict=True):
        assert one.label == other.label
        assert one.metrics[MAIN].mean == pytest.approx(other.metrics[MAIN].mean, abs=0.01), "SQL's sample"
    few, most = ({row.label: row.metrics[MAIN].mean for row in found.points[n].rows} for n in (0, -1))
    assert few["vote"] < most["vote"]
    assert found.label == "shipped defaults"
    difference = (
        most[found.label] - {r.label: r.metrics[MAIN].mean for r in found.points[1].rows}[found.label]
    )
    assert found.photos.paired.difference == pytest.approx(difference)
    assert found.settings is not None
    others = {label: most[label] - most[found.label] for label in ("ancestor", "factors=4")}
    assert found.settings.paired.difference == pytest.approx(max(others.values()))


def test_from_one_photo_its_hashtags_are_learned_and_otherwise_nothing(connection: Connection) -> None:
    found = curve(connection, (1,), settings=["min_images=2"], quiet=True)
    first = {row.label: row.metrics[MAIN].mean for row in found.points[0].rows}
    assert first["shipped defaults"] == pytest.approx(first["vote"], abs=0.02)
    assert first["min_images=2"] == 0
    assert first["vote"] > 0


def test_the_numbers_of_hashtags_tell_nothing(connection: Connection) -> None:
    """Equal scores are many, and the number of a hashtag tells how early it came."""
    data = load(connection)
    for seed in (0, 1):
        other = data.renumbered(seed)
        pairs = {}
        for old, new in zip(
            data.interactions.hashtag_ids.tolist(), other.interactions.hashtag_ids.tolist(), strict=True
        ):
            assert pairs.setdefault(old, new) == new
        assert sorted(pairs.values()) == list(range(len(pairs)))
        assert list(pairs.values()) != sorted(pairs.values())
        np.testing.assert_array_equal(other.interactions.image_ids, data.interactions.image_ids)
        named = [pairs.get(number, -1) for number in data.collections.tolist()]
        np.testing.assert_array_equal(other.collections, named)


@pytest.mark.parametrize(
    ("difference", "low", "words"),
    [(0.03, 0.02, "would pay"), (0.03, -0.01, "would hardly pay"), (0.001, 0.0005, "would hardly pay")],
)
def test_what_pays_is_neither_chance_nor_too_little(difference: float, low: float, words: str) -> None:
    gain = Gain("more", Paired(difference, low, 0.04, None, None, None))
    nothing = Gain("other", Paired(-0.1, -0.2, 0.0, None, None, None))
    assert f"more photos {words}: more, " in curves._sentence(gain, nothing)
    assert "tagdb tune" in curves._sentence(gain, nothing)
    assert f"other settings {words}: more, " in curves._sentence(nothing, gain)


def test_sizes_that_make_no_curve_are_a_sentence(connection: Connection) -> None:
    with pytest.raises(EvaluationError, match="there are only 96 photos to learn from"):
        curve(connection, (500, 1.0), quiet=True)
    with pytest.raises(EvaluationError, match="at least 1"):
        curve(connection, (0, 10), quiet=True)
