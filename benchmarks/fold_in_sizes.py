"""What folding in does to recommendations, from a few photos to many.

    python benchmarks/fold_in_sizes.py SOURCE --backbone WEIGHTS [--repeat 4] [--database-url URL]

Computes factors of some photos, folds in some more, and recommends hashtags for 300 others: with the first
photos alone (before), with the others folded in, and after a full computation. Prints a Markdown table of
mean nDCG@10, by settings. Photos are stored in a separate database on tagdb's embedded server, or on the
one named by --database-url.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import numpy as np
from numpy.typing import NDArray

from tagdb import config, ingest, store
from tagdb.embedding.backbone import resolve
from tagdb.errors import FactorsError
from tagdb.evaluation import metrics
from tagdb.learning import als, folding_in, model, ranking
from tagdb.learning.settings import PRESETS, FactorSettings
from tagdb.photos.sources import open_source
from tagdb.postgres import database

DATABASE = "tagdb_fold_in_sizes"
SIZES = ((3, 3), (10, 5), (10, 30), (40, 10), (40, 100), (120, 30), (200, 400), (800, 500))
ASKED = 300


@dataclass(frozen=True)
class Photos:
    """Photos with hashtags and embeddings, numbered from 0."""

    hashtags: list[set[int]]
    embeddings: NDArray[np.float16]

    def interactions(self, some: NDArray[np.int64]) -> als.Interactions:
        """Return the hashtags of some of the photos, ascending."""
        pairs = np.array([(n, hashtag) for n in np.sort(some) for hashtag in sorted(self.hashtags[n])])
        none = np.zeros(len(pairs), np.int32)
        return als.Interactions(pairs[:, 0].astype(np.int64), pairs[:, 1].astype(np.int32), none)

    def embedded(self, some: NDArray[np.int64]) -> model.Embeddings:
        """Return the embeddings of some of the photos."""
        return model.Embeddings(np.sort(some), self.embeddings[np.sort(some)], 1)


@dataclass(frozen=True)
class Factors:
    """What recommending needs."""

    image_ids: NDArray[np.int64]
    images: NDArray[np.float16]
    hashtag_ids: NDArray[np.int32]
    hashtags: NDArray[np.float16]
    centring: ranking.Centring | None
    settings: FactorSettings
    """As used."""


def computed(
    photos: Photos, some: NDArray[np.int64], settings: FactorSettings
) -> tuple[model.Model, Factors]:
    """Compute factors of some of the photos."""
    pairs = photos.interactions(some)
    fit = model.fit(pairs, photos.embedded(some), pairs.followed_by(settings))
    return fit, Factors(
        fit.image_ids, fit.image_factors, fit.hashtag_ids, fit.hashtag_factors, fit.centring, fit.settings
    )


def folded_in(photos: Photos, fit: model.Model, old: NDArray[np.int64], new: NDArray[np.int64]) -> Factors:
    """Fold photos into factors of others, as :mod:`tagdb.folding_in` does with what is stored."""
    basis = folding_in.Basis(
        1, fit.settings, fit.maps, fit.hashtag_ids, fit.hashtag_factors.astype(np.float32), fit.hashtag_images
    )
    pairs = photos.interactions(new)
    carried = folding_in.Carried(pairs.image_ids, pairs.hashtag_ids, pairs.accepted, pairs.accepted)
    images = folding_in.foldable(basis, carried)
    vectors = photos.embedded(images.image_ids)
    factors = folding_in.image_factors(basis, images, vectors.image_ids, vectors.vectors)
    image_ids = np.concatenate([fit.image_ids, images.image_ids])
    order = np.argsort(image_ids)
    image_ids, factors = image_ids[order], np.concatenate([fit.image_factors, factors])[order]

    everything = photos.interactions(np.concatenate([old, new]))
    unknown = list(folding_in.unknown_hashtags(basis, carried))
    asked = np.isin(everything.hashtag_ids, unknown) & np.isin(everything.image_ids, image_ids)
    rows = np.flatnonzero(asked)
    rows = rows[np.argsort(everything.hashtag_ids[rows], kind="stable")]
    of, carriers = everything.hashtag_ids[rows], everything.image_ids[rows]
    places = np.searchsorted(image_ids, carriers)
    hashtag_ids, hashtags, _ = folding_in.hashtag_factors(basis, of, carriers, factors[places])
    return Factors(
        image_ids,
        factors,
        np.concatenate([fit.hashtag_ids, hashtag_ids]),
        np.concatenate([fit.hashtag_factors, hashtags]),
        fit.centring,
        fit.settings,
    )


def recommended(photos: Photos, asked: NDArray[np.int64], factors: Factors) -> tuple[float, float]:
    """Recommend for photos; return the mean nDCG@10 and the largest score."""
    pool = photos.embeddings[factors.image_ids]
    places, weight = ranking.neighbours(
        photos.embeddings[asked],
        pool,
        factors.settings.neighbours,
        factors.settings.contrast,
        factors.settings.similarity_exponent,
        factors.centring,
    )
    average = ranking.averages(places, weight, factors.images).astype(np.float32)
    scores = average @ factors.hashtags.astype(np.float32).T
    best = factors.hashtag_ids[np.argsort(-scores, axis=1)[:, :10]]
    truth = [(row, hashtag) for row, n in enumerate(asked) for hashtag in photos.hashtags[n]]
    rows, hashtag_ids = np.array(truth, np.int64).T
    hit = metrics.hits(best.astype(np.int64), rows, hashtag_ids)
    quality = metrics.per_query(hit, np.bincount(rows, minlength=len(asked)))["nDCG@10"]
    return float(quality.mean()), float(np.abs(scores).max())


@dataclass(frozen=True)
class Compared:
    """nDCG@10 and largest score before, folded in, and after a full computation."""

    before: tuple[float, float]
    folded_in: tuple[float, float]
    full: tuple[float, float]


def compare(
    photos: Photos, size: tuple[int, int], asked: int, settings: FactorSettings, seed: int
) -> Compared | None:
    """Draw photos to ask for, to compute from, and to fold in; None if no hashtag can be learned from."""
    rng = np.random.default_rng(seed)
    rich = [n for n, hashtags in enumerate(photos.hashtags) if len(hashtags) >= 3]
    aside = rng.permutation(rich)[:asked]
    rest = rng.permutation(np.setdiff1d(np.arange(len(photos.hashtags)), aside))
    old, new = rest[: size[0]], rest[size[0] : sum(size)]
    try:
        fit, before = computed(photos, old, settings)
    except FactorsError:
        return None
    after = folded_in(photos, fit, old, new)
    full = computed(photos, rest[: sum(size)], settings)[1]
    return Compared(*(recommended(photos, aside, factors) for factors in (before, after, full)))


def stored(url: str, source: str, weights: str, cache: Path) -> Photos:
    """Ingest photos and read what was stored."""
    with database.connect(url) as connection:
        options = ingest.Options(originals="none", quiet=True)
        ingest.run(connection, resolve(weights, None, None, cache), [open_source(source)], options)
        pairs, vectors = store.runs.interactions(connection), store.runs.embeddings(connection)
    hashtags: dict[int, set[int]] = {int(image_id): set() for image_id in vectors.image_ids}
    for image_id, hashtag_id in zip(pairs.image_ids.tolist(), pairs.hashtag_ids.tolist(), strict=True):
        if image_id in hashtags:
            hashtags[image_id].add(hashtag_id)
    return Photos(list(hashtags.values()), vectors.vectors)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("source")
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--repeat", type=int, default=4, help="drawings of photos that are averaged")
    parser.add_argument("--asked", type=int, default=ASKED, help="photos that hashtags are recommended for")
    parser.add_argument("--database-url")
    given = parser.parse_args()
    settings = config.load(database_url=given.database_url)
    server = database.ensure_url(settings, lambda note: None)
    database.make_database(server, DATABASE)
    own = urlunsplit(urlsplit(server)._replace(path=f"/{DATABASE}"))
    try:
        database.migrate(own)
        photos = stored(own, given.source, given.backbone, settings.backbone_cache)
    finally:
        database.drop_database(server, DATABASE)
    shipped = PRESETS["shipped"]
    tried = [
        ("shipped", shipped),
        *((f"{count} factors", replace(shipped, factors=count)) for count in (4, 256)),
        ("ancestor", PRESETS["ancestor"]),
    ]
    print("| photos | settings | before | folded in | full computation | largest score |")
    print("| --- | --- | --- | --- | --- | --- |")
    for size in SIZES:
        if sum(size) + given.asked > len(photos.hashtags):
            continue
        for name, plan in tried:
            drawn = [compare(photos, size, given.asked, plan, seed) for seed in range(given.repeat)]
            if not any(drawn):
                continue
            three = np.mean([(one.before, one.folded_in, one.full) for one in drawn if one], axis=0)
            print(
                f"| {size[0]:,} + {size[1]:,} | {name} | {three[0][0]:.3f} | {three[1][0]:.3f} "
                f"| {three[2][0]:.3f} | {three[1][1]:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
