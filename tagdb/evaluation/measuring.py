"""Let contestants recommend for held-out photos, fold by fold. Pure but for progress."""

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tagdb.errors import FactorsError
from tagdb.evaluation import metrics
from tagdb.evaluation.contestants import TOP, Answer, Contestant, answer
from tagdb.evaluation.holdout import Data, Size, Split, check_no_leak, fewer, side
from tagdb.evaluation.reports import Result
from tagdb.learning.model import Model
from tagdb.learning.settings import FactorSettings
from tagdb.progress import Report, track

Watcher = Callable[[Contestant, NDArray[np.int64], Answer], None]
"""Called with a contestant, the places of the queries and its answer."""


def measure(
    data: Data,
    split: Split,
    contestants: Sequence[Contestant],
    quiet: bool = False,
    watcher: Watcher = lambda *_: None,
) -> dict[Contestant, Result]:
    """Let every contestant answer every query, after learning from all photos that are not held out.

    A contestant that cannot learn from so few recommends nothing.
    """
    with track("evaluating", split.count * len(contestants), "fits", quiet) as report:
        return _measured(data, split, contestants, 1.0, report, watcher)


def measure_sizes(
    data: Data, split: Split, contestants: Sequence[Contestant], sizes: Sequence[Size], quiet: bool = False
) -> list[dict[Contestant, Result]]:
    """Let every contestant answer the same queries after learning from fewer photos, size by size.

    The photos of a smaller size are among those of a larger one. A contestant that cannot learn from so few
    recommends nothing.
    """
    fits = split.count * len(contestants)
    with track("evaluating", fits * len(sizes), "fits", quiet) as report:
        return [
            _measured(data, split, contestants, size, lambda done, n=n: report(n * fits + done))
            for n, size in enumerate(sizes)
        ]


def _measured(
    data: Data,
    split: Split,
    contestants: Sequence[Contestant],
    learn_from: Size,
    report: Report,
    watcher: Watcher = lambda *_: None,
) -> dict[Contestant, Result]:
    ids, size = data.embeddings.image_ids, len(split.queries)
    results = {one: Result(np.full((size, TOP), -1, np.int64), np.full(size, np.nan)) for one in contestants}
    fold_of = split.folds[split.queries]
    # what a run of all photos would use is measured, though a fold learns from some fewer
    everything = isinstance(learn_from, float) and learn_from == 1.0
    plans = {
        one: data.settled(one) if everything and isinstance(one, FactorSettings) else one
        for one in contestants
    }
    done = 0
    for fold in np.unique(fold_of):
        held_out = split.folds == fold
        training = side(data.embeddings, data.interactions, ~fewer(split, held_out, learn_from))
        check_no_leak(ids, split.groups, held_out, training.embeddings.image_ids)
        check_no_leak(ids, split.groups, held_out, training.interactions.image_ids)
        hashtags, share = training.popularity()
        here = np.flatnonzero(fold_of == fold)
        asked = split.queries[here]
        fits: dict[FactorSettings, Model] = {}
        for one, result in results.items():
            started = time.monotonic()
            try:
                given = answer(plans[one], training, data.embeddings.vectors[asked], fits)
            except FactorsError as error:  # there is no hashtag on two photos, say
                result.failed = str(error)
                given = _nothing(len(asked))
            check_no_leak(ids, split.groups, held_out, given.used)
            result.seconds += time.monotonic() - started
            watcher(one, asked, given)
            result.recommended[here] = given.recommended
            result.popularity[here] = metrics.popularity(given.recommended[:, : TOP - 1], hashtags, share)
            result.known.append(given.known)
            result.photos.append(len(training.embeddings.image_ids))
            done += 1
            report(done)
    return results


def _nothing(queries: int) -> Answer:
    none = np.empty(0, np.int64)
    return Answer(np.full((queries, TOP), -1, np.int64), none, none, None)
