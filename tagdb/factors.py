"""Computing ALS factors from the stored hashtags, and making them what recommending uses."""

import time
from dataclasses import dataclass, field
from importlib.metadata import version

from tagdb import als, store
from tagdb.als import Parameters
from tagdb.database import Connection
from tagdb.errors import FactorsError
from tagdb.progress import track


@dataclass(frozen=True, slots=True)
class Plan:
    """What to compute, and how recommending is to use it."""

    parameters: Parameters = field(default_factory=Parameters)
    neighbours: int = 50
    """Nearest images whose factors are averaged."""
    similarity_exponent: float = 8.0
    """A neighbour's weight is its cosine similarity to this power; 0 is the plain mean."""


ANCESTOR = Plan(
    Parameters(factors=10, alpha=40.0, regularization=0.1, iterations=10, min_images=1),
    neighbours=5,
    similarity_exponent=0.0,
)
"""The settings of the student project that tagdb grew from."""


@dataclass(frozen=True, slots=True)
class Computed:
    """What a factor run came to."""

    factor_run_id: int
    images: int
    hashtags: int
    interactions: int
    seconds: float


def compute(connection: Connection, plan: Plan = Plan(), quiet: bool = False) -> Computed:
    """Read the interactions, fit, store a new run and make it active.

    The same interactions and seed give the same factors. The run is invisible to readers until it
    is complete; if anything fails it is marked as failed and its tables are dropped.

    Raises
    ------
    FactorsError
        There is nothing to compute from, or the factors are not finite.
    """
    started = time.monotonic()
    image_ids, hashtag_ids = store.interactions(connection)
    if not len(image_ids):
        raise FactorsError(
            "no image carries a hashtag yet; ingest a manifest that names some (see: tagdb ingest --help)"
        )
    versions = {name: version(name) for name in ("tagdb", "implicit", "numpy")}
    run_id = store.begin_factor_run(
        connection, plan.parameters, plan.neighbours, plan.similarity_exponent, versions
    )
    try:
        with track("computing factors", plan.parameters.iterations, "iterations", quiet) as report:
            fit = als.fit(image_ids, hashtag_ids, plan.parameters, report)
        store.save_factor_run(connection, run_id, fit, time.monotonic() - started)
    except BaseException:
        if not connection.broken:
            store.discard_factor_run(connection, run_id)
        raise
    seconds = time.monotonic() - started
    return Computed(run_id, len(fit.image_ids), len(fit.hashtag_ids), fit.interactions, seconds)
