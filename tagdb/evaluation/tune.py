"""Looking for the settings that recommend best for the stored photos, within a time.

Some photos are put aside first and never looked at while searching. On the others, settings are
compared by cross-validation: a candidate is the best one so far with one to three settings changed,
mostly to a neighbouring value. It is dropped as soon as it is behind the best one beyond chance on the
folds seen so far. What has won is then measured on the photos that were put aside.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from tagdb import store
from tagdb.errors import FactorsError
from tagdb.evaluation import evaluate, metrics
from tagdb.evaluation.contestants import TOP, answer
from tagdb.evaluation.holdout import Data, Split, check_no_leak, side, split
from tagdb.evaluation.metrics import Paired
from tagdb.learning.settings import ANCESTOR, SETTINGS, FactorSettings
from tagdb.postgres.database import Connection
from tagdb.progress import track

FOLDS = 3
PUT_ASIDE = 0.2
SPACE = {name: setting.tried for name, setting in SETTINGS.items() if setting.tried}
"""What is tried for each setting, in order. The others cannot be told from photos."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting that was tried."""

    plan: str
    """How it differs from what tagdb ships."""
    ndcg: float
    """Mean nDCG@10 over the queries that it was asked, on the photos that were not put aside."""
    queries: int
    finished: bool
    """Whether it was tried on all folds; or else it was behind, could not be fitted, or time was over."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a search came to."""

    plan: FactorSettings
    ndcg: float
    """On the photos that it was chosen by, which flatters."""
    trials: list[Trial]
    """In the order in which they were tried."""
    queries: int
    """Photos put aside that were asked about."""
    held_out: float
    """nDCG@10 on the photos that were put aside."""
    against_before: Paired
    """Compared with the settings before, on the photos that were put aside."""
    against_ancestor: Paired
    seconds: float
    stored: bool


class _Search:
    """The photos that settings are chosen by, and what has been tried on them."""

    def __init__(self, data: Data, seed: int, until: float) -> None:
        self.data, self.until = data, until
        self.split = split(data, FOLDS, seed=seed + 1)
        self.rng = np.random.default_rng(seed)
        self.scores: dict[FactorSettings, list[NDArray[np.float64]]] = {}
        self.best: FactorSettings | None = None

    def mean(self, settings: FactorSettings) -> float:
        """nDCG@10 of settings on the folds that they were tried on."""
        return float(np.concatenate(self.scores[settings]).mean()) if self.scores[settings] else 0.0

    def finished(self, settings: FactorSettings) -> bool:
        return len(self.scores[settings]) == self.split.count

    def attempt(self, settings: FactorSettings, whole: bool = False) -> bool:
        """Try settings; whether they are the best now. ``whole``: on all folds, whatever comes out."""
        self.scores[settings] = found = []
        for number, fold in enumerate(np.unique(self.split.folds[self.split.queries])):
            try:
                found.append(_ndcg(settings, self.data, self.split, self.split.folds == fold))
            except FactorsError:  # hashtags on too few images, or factors that are no numbers
                return False
            if whole or self.best is None:
                continue
            behind = np.concatenate(found) - np.concatenate(self.scores[self.best][: number + 1])
            if behind.mean() + behind.std() / np.sqrt(len(behind)) < 0 or time.monotonic() > self.until:
                break
        if self.finished(settings) and (self.best is None or self.mean(settings) > self.mean(self.best)):
            self.best = settings
            return True
        return False

    def candidate(self) -> FactorSettings | None:
        """The best settings with something changed that was not tried before; None if none is found."""
        if self.best is None:
            return None
        for _ in range(200):
            changes: dict[str, float | str] = {}
            for name in self.rng.choice(list(SPACE), self.rng.integers(1, 4), replace=False):
                values, now = SPACE[name], getattr(self.best, name)
                if now in values and self.rng.random() < 0.7:
                    step = values.index(now) + int(self.rng.choice((-1, 1)))
                    changes[name] = values[min(max(step, 0), len(values) - 1)]
                else:
                    changes[name] = values[int(self.rng.integers(len(values)))]
            settings = self.best.changed(**changes)
            if settings not in self.scores:
                return settings
        return None


def tune(
    connection: Connection,
    minutes: float,
    seed: int = 0,
    photos: int | None = None,
    keep: bool = True,
    quiet: bool = False,
    on_better: Callable[[FactorSettings, float, int], None] = lambda settings, ndcg, tried: None,
) -> Tuned:
    """Search for settings, and store the winner as the defaults of the next ``factors compute``.

    Parameters
    ----------
    photos : look at so many images at most, always the same ones
    keep : store the winner
    on_better : called with settings that are the best so far, their nDCG@10, and how many were tried

    Raises
    ------
    EvaluationError
        There are too few photos to hold some out.
    """
    started = time.monotonic()
    data = evaluate.load(connection)
    if photos is not None and len(data.hashes) > photos:
        order = sorted(range(len(data.hashes)), key=data.hashes.__getitem__)
        data = _only(data, np.isin(np.arange(len(data.hashes)), order[:photos]))
    aside = split(data, fraction=PUT_ASIDE, seed=seed)
    search = _Search(_only(data, aside.folds < 0), seed, started + 60 * minutes)
    before = store.runs.default_settings(connection)
    with track("tuning", round(60 * minutes), "seconds", quiet) as report:

        def attempt(settings: FactorSettings, whole: bool = False) -> None:
            if search.attempt(settings, whole):
                on_better(settings, search.mean(settings), len(search.scores))
            report(min(round(time.monotonic() - started), round(60 * minutes)))

        for settings in dict.fromkeys((before, FactorSettings(), ANCESTOR)):
            attempt(settings, whole=True)
        while time.monotonic() < search.until and (candidate := search.candidate()) is not None:
            attempt(candidate)
    winner = search.best
    if winner is None:
        raise FactorsError("none of the settings could be fitted to these photos; ingest more photos")
    contest = list(dict.fromkeys((winner, before, ANCESTOR)))
    values = np.column_stack([_ndcg(settings, data, aside, aside.folds == 0) for settings in contest])
    means = metrics.bootstrap(values, aside.groups[aside.queries])
    against_before = means.paired(0, contest.index(before))
    done = Tuned(
        winner,
        search.mean(winner),
        [
            Trial(
                settings.difference(), search.mean(settings), sum(map(len, found)), search.finished(settings)
            )
            for settings, found in search.scores.items()
        ],
        len(aside.queries),
        means.estimate(0).mean,
        against_before,
        means.paired(0, contest.index(ANCESTOR)),
        time.monotonic() - started,
        keep,
    )
    if keep:
        measured = {
            "nDCG@10": done.held_out,
            "against_before": asdict(against_before),
            "tried": len(done.trials),
        }
        store.runs.save_defaults(connection, winner, measured)
    return done


def _ndcg(
    settings: FactorSettings, data: Data, found: Split, held_out: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """nDCG@10 of settings for each query among the held-out photos, learned from all others."""
    training = side(data.embeddings, data.interactions, held_out)
    numbers = np.flatnonzero(held_out[found.queries])
    given = answer(settings, training, data.embeddings.vectors[found.queries[numbers]], {})
    check_no_leak(data.embeddings.image_ids, found.groups, held_out, given.used)
    of = np.isin(found.rows, numbers)
    rows = np.searchsorted(numbers, found.rows[of])
    hit = metrics.hits(given.recommended[:, : TOP - 1], rows, found.truth[of])
    return metrics.per_query(hit, np.bincount(rows, minlength=len(numbers)))["nDCG@10"]


def _only(data: Data, kept: NDArray[np.bool_]) -> Data:
    """Some of the images."""
    places = np.flatnonzero(kept)
    some = side(data.embeddings, data.interactions, ~kept)
    return Data(
        some.embeddings,
        some.interactions,
        [data.hashes[n] for n in places],
        [data.source_refs[n] for n in places],
        data.collections[places],
    )
