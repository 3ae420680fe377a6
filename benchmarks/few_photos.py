"""How good recommendations are after learning from few photos, or from photos with few hashtags.

    python benchmarks/few_photos.py [--database-url URL] [--splits 2] [LESSON …]

Holds out stored photos, fold by fold, learns from some of the others, and prints a Markdown table of mean
nDCG@10 of the held-out ones: the most used hashtags, the votes of neighbours, the ancestor's settings, the
defaults before 2026-12-01, and the defaults. A lesson is a number of photos, or ``all``; ``20/0.1`` are 20
photos with a tenth of their hashtags, by chance; ``20:10`` are 20 photos of a collection that knows 10 of the
80 most used hashtags, where only those are right. Each difference has its 95 % interval, from resamples of
groups of photos. Hashtags get new numbers by chance, split by split, so that what is equally good comes in no
order. Nothing is stored.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace

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

BEFORE = FactorSettings().parsed("contrast=0,regularization=0.01,min_hashtags=3").settled()
CONTESTANTS: dict[str, Contestant] = {
    "popular": POPULAR, "vote": VOTE, "ancestor": ANCESTOR, "before": BEFORE, "defaults": FactorSettings()
}  # fmt: skip
LESSONS = (
    "5 7 10 15 20 50 100 300 600 1200 all all/0.5 all/0.1 300/0.1 100/0.1 50/0.1 30/0.2 20/0.2 15/0.2 "
    "10:10 20:10 20:20 50:20 200:20 200:80 500:80"
)
USED = 80
"""The most used hashtags, of which a small vocabulary is drawn."""


@dataclass(frozen=True)
class Lesson:
    """What is learned from."""

    name: str
    photos: int | float
    """Their number, or a share of those that are not held out."""
    share: float = 1.0
    """The share of their hashtags."""
    vocabulary: int = 0
    """The number of all hashtags that are known; 0: all."""

    @staticmethod
    def parsed(text: str) -> "Lesson":
        photos, _, vocabulary = text.partition(":")
        photos, _, share = photos.partition("/")
        name = "all" if photos == "all" else f"{int(photos):,}"
        if share:
            name += f", {float(share):.0%} of the hashtags"
        if vocabulary:
            name += f", {vocabulary} hashtags in all"
        number = 1.0 if photos == "all" else int(photos)
        return Lesson(name, number, float(share or 1), int(vocabulary or 0))

    def hashtags(self, data: Data, seed: int) -> NDArray[np.int64]:
        """Return the hashtags that are known, int64 (h,)."""
        images = np.bincount(data.interactions.hashtag_ids)
        if not self.vocabulary:
            return np.flatnonzero(images)
        return np.random.default_rng(seed).choice(np.argsort(-images)[:USED], self.vocabulary, replace=False)


def learned(data: Data, split: Split, lesson: Lesson, seed: int) -> Iterator[tuple[Side, NDArray[np.int64]]]:
    """Yield what is learned from in each fold, and the places of its queries, int64 (q,)."""
    rng = np.random.default_rng(seed)
    known = data.interactions.only(np.isin(data.interactions.hashtag_ids, lesson.hashtags(data, seed)))
    bare = ~np.isin(data.embeddings.image_ids, known.image_ids)
    fold_of = split.folds[split.queries]
    for fold in np.unique(fold_of):
        chosen = holdout.fewer(split, bare | (split.folds == fold), lesson.photos)
        side = holdout.side(data.embeddings, known, ~chosen)
        if lesson.share < 1:
            some = side.interactions.only(rng.random(len(side.interactions.image_ids)) < lesson.share)
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
        right = np.isin(split.truth, lesson.hashtags(data, seed))
        told = replace(split, rows=split.rows[right], truth=split.truth[right])
        found = np.column_stack([per_query(told, one)[MAIN] for one in recommended.values()])
        asked = ~np.isnan(found).any(axis=1)
        values.append(found[asked])
        groups.append(split.groups[split.queries][asked])
    return np.concatenate(values), np.concatenate(groups)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--database-url")
    parser.add_argument("--splits", type=int, default=2, help="splits into folds, which are put together")
    parser.add_argument("lessons", nargs="*", default=LESSONS.split(), metavar="LESSON", help="see above")
    given = parser.parse_args()
    settings = config.load(database_url=given.database_url)
    with database.connect(database.ensure_url(settings, lambda note: None)) as connection:
        data = evaluate.load(connection)
    names = list(CONTESTANTS)
    others = ("before", "vote", "popular")
    print(f"| photos | {' | '.join(names)} | {' | '.join(f'against {name}' for name in others)} |")
    print("| ---: " * (1 + len(names) + len(others)) + "|")
    for lesson in map(Lesson.parsed, given.lessons):
        values, groups = measured(data, lesson, given.splits)
        means = metrics.bootstrap(values, groups)
        cells = [f"{means.estimate(n).mean:.3f}" for n in range(len(names))]
        for other in others:
            paired = means.paired(names.index("defaults"), names.index(other))
            cells.append(f"{paired.difference:+.4f} [{paired.low:+.4f}, {paired.high:+.4f}]")
        print(f"| {lesson.name} | {' | '.join(cells)} |".replace("-0", "−0"), flush=True)


if __name__ == "__main__":
    main()
