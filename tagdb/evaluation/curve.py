"""The learning curve: how good recommendations are after learning from some of the photos, up to all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tagdb.errors import EvaluationError
from tagdb.evaluation import holdout, metrics
from tagdb.evaluation.contestants import Contestant
from tagdb.evaluation.evaluate import ACTIVE, SHIPPED, contestants_of, load
from tagdb.evaluation.holdout import FOLDS, Size, Split
from tagdb.evaluation.measuring import measure_sizes
from tagdb.evaluation.metrics import Paired
from tagdb.evaluation.reports import MAIN, Result, Row, per_query, rows
from tagdb.learning.settings import FactorSettings
from tagdb.postgres.database import Connection

SIZES: tuple[Size, ...] = (0.1, 0.2, 0.5, 1.0)
WORTH = 0.002
"""A difference in nDCG@10 below which nobody would notice."""


@dataclass(frozen=True, slots=True)
class Point:
    """Figures after learning from so many photos."""

    photos: int
    """Mean over the folds."""
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Gain:
    """What a step is worth in nDCG@10."""

    what: str
    """The better settings, or the numbers of photos."""
    paired: Paired

    @property
    def pays(self) -> bool:
        """Whether it is an improvement, not by chance, and large enough to be noticed."""
        return self.paired.low > 0 and self.paired.difference >= WORTH


@dataclass(frozen=True, slots=True)
class Curve:
    """Result of an evaluation by number of photos. The held-out photos are the same at all points."""

    images: int
    queries: int
    folds: int
    fraction: float | None
    seed: int
    label: str
    """The contestant that recommends now."""
    points: list[Point]
    """By ascending number of photos."""
    photos: Gain
    """The last step, to all photos."""
    settings: Gain | None
    """The best other settings of those that were measured, after learning from all photos."""
    sentence: str
    """Whether more photos or other settings would pay."""


def curve(
    connection: Connection,
    sizes: Sequence[Size] = SIZES,
    folds: int = FOLDS,
    fraction: float | None = None,
    seed: int = 0,
    runs: Sequence[int] = (),
    settings: Sequence[str] = (),
    photos: int | None = None,
    quiet: bool = False,
) -> Curve:
    """Compare what :func:`tagdb.evaluation.evaluate.evaluate` compares, by the number of photos.

    Parameters
    ----------
    sizes
        Numbers of photos to learn from, or as floats, shares of those that are not held out. All of them are
        always added.

    Other parameters are those of :func:`tagdb.evaluation.evaluate.evaluate`.

    Raises
    ------
    EvaluationError, FactorsError
        There are too few photos, or a run or setting does not exist.
    """
    contestants = contestants_of(connection, runs, settings)
    label = ACTIVE if ACTIVE in contestants else SHIPPED
    data = load(connection).renumbered(seed)
    split = holdout.split(data, folds, fraction, seed, photos)
    sizes = _ascending(split, sizes)
    measured = measure_sizes(data, split, list(dict.fromkeys(contestants.values())), sizes, quiet)
    points = [Point(_photos(results), rows(data, split, contestants, results)) for results in measured]
    more = _more_photos(split, points, [results[contestants[label]] for results in measured])
    other = _other_settings(split, contestants, label, measured[-1])
    return Curve(
        len(data.hashes),
        len(split.queries),
        split.count,
        fraction,
        seed,
        label,
        points,
        more,
        other,
        _sentence(more, other),
    )


def _ascending(split: Split, sizes: Sequence[Size]) -> list[Size]:
    """Return the sizes that are less than all photos, and all of them, by ascending number of photos."""
    training = float(np.mean([np.sum(split.folds != fold) for fold in np.unique(split.folds[split.queries])]))
    photos = {size * training if isinstance(size, float) else size: size for size in sizes}
    least = min(photos, default=0)
    if least < 1:
        raise EvaluationError("a learning curve needs numbers of photos of at least 1, or shares of them")
    smaller = [photos[number] for number in sorted(photos) if number < training]
    if not smaller:
        raise EvaluationError(
            f"there are only {training:.0f} photos to learn from; a learning curve needs smaller numbers"
        )
    return [*smaller, 1.0]


def _photos(results: dict[Contestant, Result]) -> int:
    return round(float(np.mean(next(iter(results.values())).photos)))


def _paired(split: Split, one: Result, other: Result) -> Paired:
    values = [per_query(split, result.recommended)[MAIN] for result in (one, other)]
    return metrics.bootstrap(np.column_stack(values), split.groups[split.queries]).paired(0, 1)


def _more_photos(split: Split, points: list[Point], results: list[Result]) -> Gain:
    before, after = points[-2].photos, points[-1].photos
    return Gain(f"from {before:,} to {after:,} photos", _paired(split, results[-1], results[-2]))


def _other_settings(
    split: Split, contestants: dict[str, Contestant], label: str, results: dict[Contestant, Result]
) -> Gain | None:
    now = contestants[label]
    gains = [
        Gain(name, _paired(split, results[other], results[now]))
        for name, other in contestants.items()
        if isinstance(other, FactorSettings) and other != now
    ]
    return max(gains, key=lambda gain: gain.paired.difference, default=None)


def _sentence(photos: Gain, settings: Gain | None) -> str:
    """Say whether more photos or other settings would pay."""
    step = f"{photos.what}, {MAIN} changed by {_told(photos.paired)}"
    more = f"more photos would {'pay' if photos.pays else 'hardly pay'}: {step}"
    if settings is None or settings.paired.difference <= 0:
        return f"{more}; no other settings that were measured are better, and tagdb tune tries many"
    if settings.pays:
        return f"{more}; other settings would pay: {settings.what}, {_told(settings.paired)}"
    return f"{more}; other settings would hardly pay: {settings.what}, {_told(settings.paired)}"


def _told(paired: Paired) -> str:
    return f"{paired.difference:+.3f} [{paired.low:+.3f}, {paired.high:+.3f}]"
