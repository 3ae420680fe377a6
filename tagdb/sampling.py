"""Learning from a sample of the images, where all of them are too many or somebody wants it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tagdb import store
from tagdb.errors import FactorsError
from tagdb.learning import als, memory, sampling
from tagdb.learning.als import Counts
from tagdb.learning.model import REFIT_IMAGES, Model
from tagdb.learning.settings import FactorSettings
from tagdb.postgres import machine
from tagdb.postgres.database import Connection
from tagdb.progress import track

SHARE = 0.5
"""Share of the machine's memory that learning may take: PostgreSQL and others need the rest."""


def fitting(
    connection: Connection, settings: FactorSettings, limit: int | None = None
) -> tuple[FactorSettings, str | None]:
    """Return settings with a sample that fits into memory, and why; those that name a sample as they are.

    Parameters
    ----------
    limit
        Memory of the machine, in bytes; None for what this one has, or what its control group allows.
    """
    if settings.sample:
        return settings, None
    sizes = store.sampling.sizes(connection)
    limit = machine.this_machine().memory if limit is None else limit
    room = SHARE * limit - memory.PYTHON
    embedded = sizes.images if settings.ridge or settings.refit_penalty else 0
    counts = (sizes.interactions, sizes.images, sizes.hashtags, settings.factors)
    needed = memory.whole(*counts, embedded)
    if needed <= room or sizes.images <= memory.LEAST:
        return settings, None
    sample = memory.largest_sample(room, *counts)
    return replace(settings, sample=float(sample)), (
        f"learned from {sample:,} of about {sizes.images:,} images, and from sums over the others: all "
        f"would take {(needed + memory.PYTHON) / 1e9:.1f} GB, more than half of this machine's "
        f"{limit / 1e9:.1f} GB; to learn from all nevertheless: --sample all"
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is computed from."""

    settings: FactorSettings
    collection: store.sampling.Stored
    counts: Counts
    sample: NDArray[np.int64]
    """int64 (s,), ascending: the images that ALS is computed on."""
    pool: NDArray[np.int64]
    """int64 (p,), ascending: the images that are compared with each other in the refit."""


def plan(connection: Connection, settings: FactorSettings, quiet: bool = False) -> Plan | None:
    """Choose a sample; None if it would be all images.

    Raises
    ------
    FactorsError
        No image has a hashtag.
    """
    collection = store.sampling.Stored(connection)
    with track("counting", store.sampling.sizes(connection).images, "images", quiet) as report:
        counts = sampling.count(collection, report)
    if not counts.images:
        raise FactorsError(als.NOTHING)
    settings = als.following(settings, counts.images, counts.hashtag_images)
    size = sampling.size_of(settings.sample, counts.images)
    if size >= counts.images:
        return None
    sample, pool = (
        store.sampling.sample(connection, each, sampling.rare(counts, each, settings.min_images), settings)
        for each in (size, max(size, REFIT_IMAGES))
    )
    return Plan(settings, collection, counts, sample, pool)


def fit(connection: Connection, factor_run_id: int, plan: Plan, quiet: bool = False) -> tuple[Model, int]:
    """Learn from a sample, and store the factors of all images in a run that is being built.

    Returns
    -------
    model
        Without the factors of images.
    images
        Number of images that have factors now.

    Raises
    ------
    FactorsError
        No hashtag is on ``min_images`` images, or the factors are not finite.
    """
    settings, stored = plan.settings, 0

    def keep(image_ids: NDArray[np.int64], factors: NDArray[np.float16]) -> None:
        nonlocal stored
        store.sampling.add_images(connection, factor_run_id, image_ids, factors)
        stored += len(image_ids)

    walks = sampling.walks(settings)
    with track("computing factors", settings.iterations, "iterations", quiet) as iterated:
        solution = sampling.solve(plan.collection, plan.counts, plan.sample, settings, iterated)
    with track("going through all images", walks * plan.counts.images, "images", quiet) as gone:
        model = sampling.extend(plan.collection, plan.counts, solution, plan.pool, settings, keep, gone)
    return model, stored
