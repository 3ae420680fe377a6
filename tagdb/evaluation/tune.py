"""Search for the settings that recommend best for the stored photos, within a time limit.

First some photos are held out and not used in the search. On the others, settings are compared by
cross-validation: a candidate is the best settings so far with one to three of them changed, mostly to a
neighbouring value. A candidate is dropped as soon as it is worse than the best beyond chance on the folds
tried so far. The winner is then measured on the held-out photos.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from tagdb import store
from tagdb.errors import FactorsError
from tagdb.evaluation import evaluate, holdout, metrics
from tagdb.evaluation.contestants import TOP, answer
from tagdb.evaluation.holdout import Data, Split, check_no_leak, side
from tagdb.evaluation.metrics import Paired
from tagdb.learning.settings import ANCESTOR, SETTINGS, FactorSettings
from tagdb.postgres.database import Connection, require_writable
from tagdb.progress import track

FOLDS = 3
PUT_ASIDE = 0.2
ENOUGH = 250
"""Photos to measure on from which a winner is stored: docs/evaluation.md, "Settings for your own photos"."""
SPACE = {name: setting.tried for name, setting in SETTINGS.items() if setting.tried}
"""Values to try for each setting, in order. Photos cannot tell which value of the others is best."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Settings that were tried."""

    plan: str
    """Settings that differ from the shipped ones."""
    ndcg: float
    """Mean nDCG@10 over the queries tried, on the photos that are not held out."""
    queries: int
    finished: bool
    """Whether all folds were tried; otherwise it was worse, could not be fitted, or time was up."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """Result of a search."""

    plan: FactorSettings
    """As found; what nobody chose in it follows the photos."""
    used: FactorSettings
    """As a run of all photos would use it now."""
    ndcg: float
    """On the photos it was chosen on, and therefore optimistic."""
    trials: list[Trial]
    """In the order in which they were tried."""
    queries: int
    """Held-out photos that were used as queries."""
    held_out: float
    """nDCG@10 on the held-out photos."""
    against_before: Paired
    """Compared with the defaults until now, on the held-out photos."""
    against_ancestor: Paired
    seconds: float
    stored: bool
    """Whether it became the default."""
    not_stored: str | None
    """A sentence if it cannot be, though that may have been asked for."""


class _Search:
    """Photos on which settings are chosen, and the settings tried on them."""

    def __init__(
        self, data: Data, settled: Callable[[FactorSettings], FactorSettings], seed: int, until: float
    ) -> None:
        self.data, self.settled, self.until = data, settled, until
        self.split = holdout.split(data, FOLDS, seed=seed + 1)
        self.rng = np.random.default_rng(seed)
        self.scores: dict[FactorSettings, list[NDArray[np.float64]]] = {}
        self.used: set[FactorSettings] = set()  # as a run of all photos would use those that were tried
        self.best: FactorSettings | None = None

    def mean(self, settings: FactorSettings) -> float:
        """Return nDCG@10 of settings on the folds that were tried."""
        return float(np.concatenate(self.scores[settings]).mean()) if self.scores[settings] else 0.0

    def finished(self, settings: FactorSettings) -> bool:
        """Whether all folds were tried."""
        return len(self.scores[settings]) == self.split.count

    def attempt(self, settings: FactorSettings, whole: bool = False) -> bool:
        """Try settings, with ``whole`` always on all folds. Return whether they are the best now."""
        self.scores[settings] = scores = []
        used = self.settled(settings)
        self.used.add(used)
        for number, fold in enumerate(np.unique(self.split.folds[self.split.queries])):
            try:
                scores.append(_ndcg(used, self.data, self.split, self.split.folds == fold))
            except FactorsError:  # hashtags on too few images, or factors that are not finite
                return False
            if whole or self.best is None:
                continue
            behind = np.concatenate(scores) - np.concatenate(self.scores[self.best][: number + 1])
            if behind.mean() + behind.std() / np.sqrt(len(behind)) < 0 or time.monotonic() > self.until:
                break
        if self.finished(settings) and (self.best is None or self.mean(settings) > self.mean(self.best)):
            self.best = settings
            return True
        return False

    def candidate(self) -> FactorSettings | None:
        """Return a variation of the best settings that was not tried before; None if none is found."""
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
            if self.settled(settings) not in self.used:
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
    """Search for settings and store the winner as the defaults of ``tagdb factors compute``.

    Parameters
    ----------
    connection
        The database.
    minutes
        How long to search.
    seed
        Another seed holds out other photos.
    photos
        Use at most this many images, always the same ones.
    keep
        Store the winner, if there are ``ENOUGH`` photos to choose by.
    quiet
        Show no progress.
    on_better
        Called with new best settings, their nDCG@10, and the number of settings tried.

    Raises
    ------
    EvaluationError
        There are too few photos to hold some out.
    """
    started = time.monotonic()
    if keep:
        require_writable(connection)
    stored = data = evaluate.load(connection)
    if photos is not None and len(data.hashes) > photos:
        order = sorted(range(len(data.hashes)), key=data.hashes.__getitem__)
        data = _only(data, np.isin(np.arange(len(data.hashes)), order[:photos]))
    aside = holdout.split(data, fraction=PUT_ASIDE, seed=seed)
    search = _Search(_only(data, aside.folds < 0), stored.settled, seed, started + 60 * minutes)
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
    values = np.column_stack(
        [_ndcg(stored.settled(settings), data, aside, aside.folds == 0) for settings in contest]
    )
    means = metrics.bootstrap(values, aside.groups[aside.queries])
    against_before = means.paired(0, contest.index(before))
    not_stored = _not_stored(winner, before, len(search.split.queries) + len(aside.queries))
    keep = keep and not_stored is None
    done = Tuned(
        winner,
        stored.settled(winner),
        search.mean(winner),
        [
            Trial(
                settings.difference(), search.mean(settings), sum(map(len, scores)), search.finished(settings)
            )
            for settings, scores in search.scores.items()
        ],
        len(aside.queries),
        means.estimate(0).mean,
        against_before,
        means.paired(0, contest.index(ANCESTOR)),
        time.monotonic() - started,
        keep,
        not_stored,
    )
    if keep:
        measured = {
            "nDCG@10": done.held_out,
            "against_before": asdict(against_before),
            "tried": len(done.trials),
        }
        store.runs.save_defaults(connection, winner, measured)
    return done


def _not_stored(winner: FactorSettings, before: FactorSettings, photos: int) -> str | None:
    """Return a sentence if a winner, found on so many photos, should not become the default."""
    if winner == before:
        return "nothing better was found; the defaults stay as they are"
    if photos >= ENOUGH:
        return None
    return (
        f"not stored: with {photos} photos of {holdout.MIN_TRUTH} hashtags or more, the best is best by "
        f"chance; choosing settings takes {ENOUGH}"
    )


def _ndcg(
    settings: FactorSettings, data: Data, split: Split, held_out: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return nDCG@10 of settings for each query among the held-out photos, fitted to all others."""
    training = side(data.embeddings, data.interactions, held_out)
    numbers = np.flatnonzero(held_out[split.queries])
    given = answer(settings, training, data.embeddings.vectors[split.queries[numbers]], {})
    check_no_leak(data.embeddings.image_ids, split.groups, held_out, given.used)
    of = np.isin(split.rows, numbers)
    rows = np.searchsorted(numbers, split.rows[of])
    hit = metrics.hits(given.recommended[:, : TOP - 1], rows, split.truth[of])
    return metrics.per_query(hit, np.bincount(rows, minlength=len(numbers)))["nDCG@10"]


def _only(data: Data, kept: NDArray[np.bool_]) -> Data:
    """Return the data of some of the images."""
    places = np.flatnonzero(kept)
    some = side(data.embeddings, data.interactions, ~kept)
    return Data(
        some.embeddings,
        some.interactions,
        [data.hashes[n] for n in places],
        [data.source_refs[n] for n in places],
        data.collections[places],
    )
