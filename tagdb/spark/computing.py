"""Compute a factor run on a Spark cluster.

What :func:`tagdb.factors.compute` does in one process, on executors that read and write the database
themselves, part by part. This process holds hashtag factors, the averages that these are refitted to, and a
few matrices. ALS is MLlib's.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagdb import factors, folding_in, store
from tagdb.errors import FactorsError
from tagdb.factors import Computed
from tagdb.learning import als, parts, ranking
from tagdb.learning.model import Maps, Model, refit_sample, refitted, weights
from tagdb.learning.ranking import Nearest
from tagdb.learning.settings import FactorSettings
from tagdb.postgres import snapshots
from tagdb.postgres.database import Connection, require_writable
from tagdb.postgres.pooled import require_session
from tagdb.progress import track
from tagdb.spark import cluster, executors, ratings
from tagdb.spark.cluster import Cluster
from tagdb.spark.executors import Origin
from tagdb.store.run_parts import Part, VectorSource

BLOCK = 250_000
"""Interactions of a block of ALS; a block's factors are in the memory of one task."""
BLOCKS = (4, 1000)
"""Least and most blocks. They depend on the data alone, because the first factors are drawn by block."""
LARGEST_ID = (1 << 31) - 1
"""The largest number of an image that MLlib's ALS can name."""


def compute(
    connection: Connection,
    master: str,
    settings: FactorSettings = FactorSettings(),
    activate: bool = True,
    quiet: bool = False,
) -> Computed:
    """Compute a run on the cluster with a master's URL; otherwise as :func:`tagdb.factors.compute`.

    The same data and seed give the same factors, up to the order in which Spark adds numbers up.

    Raises
    ------
    FactorsError
        There is nothing to compute from, the settings mean nothing to Spark, the factors are not finite, or
        Spark has failed.
    """
    started = time.monotonic()
    require_writable(connection)
    require_session(connection, "computing factors")
    if settings.sample not in (0, 1):
        raise FactorsError("Spark learns from all images; leave --sample or --engine out")
    settings = replace(settings, sample=0.0)
    if settings.weighting == "none":  # otherwise the data decide
        ratings.require_expressible(settings.alpha)
    store.runs.discard_abandoned(connection)
    with (
        cluster.started(master) as spark,
        _input(connection, settings) as data,
        track("computing factors on Spark", None, "tasks", quiet) as report,
        spark.watched(report),
    ):
        job = _Job(spark, data, settings)
        job.count()
        with factors.building(connection, job.settings, settings, "pyspark") as run_id:
            with closing(spark):  # before the run is discarded, if anything fails
                model, images = job.fit(run_id)
            store.runs.save(connection, run_id, model, time.monotonic() - started, images)
            if activate:
                store.runs.activate(connection, run_id)
    if activate:
        folding_in.fold_in_missing(connection)  # images added during the computation
    return factors.computed(run_id, model, images, activate, started)


@dataclass(frozen=True, slots=True)
class _Input:
    origin: Origin
    parts: list[Part]
    source: VectorSource | None


@contextmanager
def _input(connection: Connection, settings: FactorSettings) -> Iterator[_Input]:
    """Yield what is computed from, as it is now; it stays so in the block."""
    url, source = snapshots.address(connection), None
    with ExitStack() as stack:
        with connection.transaction():
            store.run_parts.hold_index(connection)  # until it has been read from in the snapshot
            holder, snapshot = stack.enter_context(snapshots.exported(url))
            if settings.ridge or settings.refit_penalty:
                source = store.run_parts.vector_source(holder)
        yield _Input(Origin(url, snapshot), store.run_parts.parts(holder), source)


class _Job:
    """The jobs on the cluster, in their order."""

    def __init__(self, spark: Cluster, data: _Input, settings: FactorSettings) -> None:
        self.spark, self.context, self.settings = spark, spark.context, settings
        self.origin, self.parts = data.origin, data.parts
        self.source = self.context.broadcast(data.source)
        self.embedded = data.source is not None
        # several for each task that runs at a time, so that none is waited for in the end
        self.slices = min(len(self.parts), 4 * self.context.defaultParallelism)

    def count(self) -> None:
        """Count what there is, and raise FactorsError unless it can be computed from."""
        if not self.parts:
            raise FactorsError(als.NOTHING)
        if self.parts[-1].last > LARGEST_ID:
            raise FactorsError(
                f"an image has the number {self.parts[-1].last}, and Spark's ALS knows none above "
                f"{LARGEST_ID}; leave --engine out"
            )
        read = partial(executors.read, self.origin)
        self.interactions = self._spread(self.parts).mapPartitions(read).persist(_storage("MEMORY_AND_DISK"))
        counts = self._sum(self.interactions, executors.count_hashtags)
        if not len(counts.hashtag_ids):
            raise FactorsError(als.NOTHING)
        images = self.interactions.map(executors.count_images).sum()
        self.settings = als.following(self.settings, images, counts.images)
        self.hashtags = counts.at_least(self.settings.min_images)
        if not len(self.hashtags.hashtag_ids):
            raise FactorsError(als.too_rare(self.settings.min_images))
        self.known = self.context.broadcast(self.hashtags)
        totals = self._sum(self.interactions, partial(executors.count_fitted, self.known))
        basis = parts.weighting_of(replace(self.settings, accepted_weight=1.0), totals, 1.0)
        weigh = partial(executors.weigh, self.known, basis, self.settings.accepted_weight)
        sums, least = zip(*self.interactions.mapPartitions(weigh).collect(), strict=True)
        mean = sum(sums) / totals.interactions
        ratings.require_expressible(self.settings.alpha * min(least) / mean)
        self.totals, self.weighting = totals, parts.weighting_of(self.settings, totals, mean)

    def fit(self, factor_run_id: int) -> tuple[Model, int]:
        """Compute a model and store its image factors; return it without them, and their number."""
        settings = replace(self.settings, min_hashtags=als.min_hashtags(self.settings, self.totals.carried))
        hashtag_factors, fitted = self._alternate()
        source = self.source if settings.ridge else self.context.broadcast(None)
        sums = self._sum(fitted, partial(executors.fit_sums, self.origin, source))
        ridge = None
        if settings.ridge and sums.ridge is not None and sums.ridge.images > 1:
            ridge = sums.ridge.solved(settings.ridge_penalty, self.source.value.axes)
        blend = partial(
            executors.blend,
            self.origin,
            self.source,
            self.context.broadcast(ridge),
            settings.ridge,
            settings.min_hashtags,
        )
        stored = fitted.mapPartitions(blend).persist(_storage("MEMORY_AND_DISK"))
        write = partial(executors.write, self.origin, factor_run_id)
        numbers, images, found = zip(*sorted(stored.mapPartitions(write).collect()), strict=True)
        if settings.refit_penalty:
            hashtag_factors = self._refit(hashtag_factors, stored, dict(zip(numbers, found, strict=True)))
        backbone_id = self.source.value.backbone_id if ridge else None
        model = Model(
            settings,
            np.empty(0, np.int64),
            np.empty((0, settings.factors), np.float16),
            self.hashtags.hashtag_ids,
            als.checked(hashtag_factors).astype(np.float16),
            self.hashtags.images,
            self.totals.interactions,
            Maps(sums.gram.astype(np.float32), self.weighting, ridge, backbone_id),
        )
        return model, sum(images)

    def _alternate(self) -> tuple[NDArray[np.float32], Any]:
        """Fit by MLlib's ALS; return factors of hashtags, float32 (h, k), and those of images, by part."""
        from pyspark.ml.recommendation import ALS

        settings = self.settings
        blocks = int(np.clip(self.totals.interactions // BLOCK, *BLOCKS))
        rated = partial(executors.rated, self.known, self.weighting, settings.alpha)
        frame = self.spark.session.createDataFrame(
            self.interactions.mapPartitions(rated), "image int, hashtag int, rating float", verifySchema=False
        )
        model = ALS(
            rank=settings.factors,
            maxIter=settings.iterations,
            # MLlib multiplies it by the number of a row's interactions
            regParam=settings.regularization / self.weighting.mean_hashtags,
            alpha=ratings.ALPHA,
            implicitPrefs=True,
            seed=settings.seed,
            numUserBlocks=blocks,
            numItemBlocks=blocks,
            userCol="image",
            itemCol="hashtag",
            ratingCol="rating",
        ).fit(frame)
        self.interactions.unpersist()
        ids, rows = zip(*model.itemFactors.rdd.mapPartitions(executors.packed).collect(), strict=True)
        order = np.argsort(np.concatenate(ids))
        fitted = (
            model.userFactors.rdd.mapPartitions(partial(executors.by_part, self.parts))
            .partitionBy(self.slices, partial(_slice, len(self.parts), self.slices))
            .mapPartitions(partial(executors.gathered, self.parts))
            .persist(_storage("MEMORY_AND_DISK_2"))  # a lost executor then does not cost all of ALS
        )
        return als.checked(np.concatenate(rows)[order]), fitted

    def _refit(
        self, hashtag_factors: NDArray[np.float32], stored: Any, found: dict[int, int]
    ) -> NDArray[np.float32]:
        """Fit hashtag factors again, as :func:`tagdb.learning.model.refitted`; ``found``: images by part."""
        from scipy.sparse import csr_matrix

        settings, pool = self.settings, sum(found.values())
        if pool < 2:
            return hashtag_factors
        sample = refit_sample(pool, settings.seed)
        before = parts.before(list(found.values()))
        of = np.searchsorted(before, sample, side="right") - 1
        places = {number: sample[of == n] - before[n] for n, number in enumerate(found) if (of == n).any()}
        ask = partial(executors.ask, self.origin, self.source, self.known, self.context.broadcast(places))
        asked = sorted(stored.mapPartitions(ask).collect(), key=lambda one: one.part)
        starts = parts.before([len(one.image_ids) for one in asked])
        rows = np.concatenate([one.rows + start for one, start in zip(asked, starts, strict=True)])
        columns = np.concatenate([one.columns for one in asked])
        shape = (len(sample), len(hashtag_factors))
        carried = csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
        vectors = np.concatenate([one.vectors for one in asked])
        centring = ranking.Centring.of(vectors) if settings.contrast else None
        queries = self.context.broadcast(vectors if centring is None else centring.off(vectors))
        count = settings.neighbours + 1  # with itself
        merge = partial(_merged, count)
        shared = self.context.broadcast(centring)
        find = partial(executors.find, self.origin, self.source, queries, shared, count)
        nearest = parts.but_itself(
            stored.mapPartitions(find).treeReduce(merge), np.concatenate([one.image_ids for one in asked])
        )
        weight = weights(nearest.similarity, settings, centring)
        neighbours = self.context.broadcast((nearest.ids, weight))
        average = self._sum(stored, partial(executors.average, neighbours)).astype(np.float16)
        return refitted(hashtag_factors, carried, average, pool, settings.refit_penalty)

    def _spread(self, items: list[Part]) -> Any:
        return self.context.parallelize(items, self.slices)

    def _sum(self, spread: Any, function: Any) -> Any:
        return spread.mapPartitions(function).treeReduce(add)


def _storage(level: str) -> Any:
    from pyspark import StorageLevel

    return getattr(StorageLevel, level)


def _slice(parts_: int, slices: int, number: int) -> int:
    """Return the slice of a part, so that each has parts in a row."""
    return number * slices // parts_


def _merged(count: int, one: Nearest, other: Nearest) -> Nearest:
    return one.merged(other, count)
