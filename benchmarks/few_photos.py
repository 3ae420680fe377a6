"""How good recommendations are after learning from few photos, or from photos with few hashtags.

    python benchmarks/few_photos.py [--database-url URL] [--splits 2] [--photos 5 … all] [--shares 0.5 0.1]

Holds out stored photos, fold by fold, learns from some of the others, or from all with a share of their
hashtags, and prints a Markdown table of mean nDCG@10 of the held-out ones: the most used hashtags, the votes
of neighbours, the ancestor's settings, the defaults before 2026-12-01, and the defaults. Each difference has
its 95 % interval, from resamples of groups of photos. Hashtags get new numbers by chance, split by split, so
that what is equally good comes in no order. Nothing is stored.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagdb import config
from tagdb.errors import FactorsError
from tagdb.evaluation import evaluate, holdout, metrics
from tagdb.evaluation.contestants import POPULAR, TOP, VOTE, Contestant, answer
from tagdb.evaluation.holdout import Data, Side, Split
from tagdb.evaluation.reports import MAIN, per_query
from tagdb.learning.model import Embeddings
from tagdb.learning.settings import ANCESTOR, FactorSettings
from tagdb.postgres import database

BEFORE = FactorSettings().parsed("contrast=0,regularization=0.01,factors=128,min_images=2,min_hashtags=3")
CONTESTANTS: dict[str, Contestant] = {
    "popular": POPULAR, "vote": VOTE, "ancestor": ANCESTOR, "before": BEFORE, "defaults": FactorSettings()
}  # fmt: skip
PHOTOS = ["5", "7", "10", "15", "20", "50", "100", "300", "600", "1200", "all"]


@dataclass(frozen=True)
class Lesson:
    """What is learned from."""

    name: str
    photos: int | float = 1.0
    """Their number, or a share of those that are not held out."""
    hashtags: float = 1.0
    """The share of their hashtags."""


def learned(data: Data, split: Split, lesson: Lesson, seed: int) -> Iterator[tuple[Side, NDArray[np.int64]]]:
    """Yield what is learned from in each fold, and the places of its queries, int64 (q,)."""
    rng = np.random.default_rng(seed)
    fold_of = split.folds[split.queries]
    for fold in np.unique(fold_of):
        chosen = holdout.fewer(split, split.folds == fold, lesson.photos)
        side = holdout.side(data.embeddings, data.interactions, ~chosen)
        if lesson.hashtags < 1:
            some = side.interactions.only(rng.random(len(side.interactions.image_ids)) < lesson.hashtags)
            left = np.isin(side.embeddings.image_ids, some.image_ids)
            side = Side(Embeddings(side.embeddings.image_ids[left], side.embeddings.vectors[left]), some)
        yield side, np.flatnonzero(fold_of == fold)


def measured(stored: Data, lesson: Lesson, splits: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return nDCG@10 of each contestant and query, float64 (q, c), and the group of each query."""
    values, groups = [], []
    for seed in range(splits):
        data = stored.renumbered(seed)
        split = holdout.split(data, seed=seed)
        recommended = {name: np.full((len(split.queries), TOP), -1, np.int64) for name in CONTESTANTS}
        for side, here in learned(data, split, lesson, seed):
            vectors = data.embeddings.vectors[split.queries[here]]
            for name, contestant in CONTESTANTS.items():
                try:
                    recommended[name][here] = answer(contestant, side, vectors, {}).recommended
                except FactorsError:  # no hashtag is on two photos: nothing is recommended
                    continue
        values.append(np.column_stack([per_query(split, one)[MAIN] for one in recommended.values()]))
        groups.append(split.groups[split.queries])
    return np.concatenate(values), np.concatenate(groups)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--database-url")
    parser.add_argument("--splits", type=int, default=2, help="splits into folds, which are put together")
    parser.add_argument("--photos", nargs="*", default=PHOTOS, metavar="N", help="numbers of photos, or all")
    parser.add_argument("--shares", nargs="*", type=float, default=[0.5, 0.1], help="shares of the hashtags")
    given = parser.parse_args()
    settings = config.load(database_url=given.database_url)
    with database.connect(database.ensure_url(settings, lambda note: None)) as connection:
        data = evaluate.load(connection)
    lessons = [Lesson(count, 1.0 if count == "all" else int(count)) for count in given.photos]
    lessons += [Lesson(f"{share:.0%} of the hashtags", hashtags=share) for share in given.shares]
    names = list(CONTESTANTS)
    others = ("before", "vote", "popular")
    print(f"| photos | {' | '.join(names)} | {' | '.join(f'against {name}' for name in others)} |")
    print("| ---: " * (1 + len(names) + len(others)) + "|")
    for lesson in lessons:
        values, groups = measured(data, lesson, given.splits)
        means = metrics.bootstrap(values, groups)
        cells = [f"{means.estimate(n).mean:.3f}" for n in range(len(names))]
        for other in others:
            paired = means.paired(names.index("defaults"), names.index(other))
            cells.append(f"{paired.difference:+.4f} [{paired.low:+.4f}, {paired.high:+.4f}]")
        print(f"| {lesson.name} | {' | '.join(cells)} |".replace("-0", "−0"), flush=True)


if __name__ == "__main__":
    main()
