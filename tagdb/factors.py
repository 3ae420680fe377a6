"""Factor runs: compute, activate, prune and compare them."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from importlib.metadata import version
from operator import attrgetter
from typing import Any

import numpy as np

from tagdb import folding_in, sampling, store
from tagdb.embedding.backbone import DIMENSIONS
from tagdb.errors import FactorsError
from tagdb.learning import als
from tagdb.learning import model as modelling
from tagdb.learning.settings import FactorSettings
from tagdb.postgres.database import Connection, is_standby, require_writable
from tagdb.postgres.pooled import require_session
from tagdb.progress import track

PRUNE_SECONDS = 10.0
"""How long pruning waits for transactions that use an old run."""
ENOUGH = 50
"""Images from which recommendations are worth having: docs/evaluation.md."""
NO_EMBEDDINGS = modelling.Embeddings(np.empty(0, np.int64), np.empty((0, DIMENSIONS), np.float16))


@dataclass(frozen=True, slots=True)
class Computed:
    """Result of a factor run."""

    factor_run_id: int
    images: int
    hashtags: int
    interactions: int
    settings: FactorSettings
    """As used: those that nobody chose follow the images, and ``min_hashtags`` may be lower."""
    active: bool
    seconds: float
    sample: int | None = None
    """Number of images that were learned from; None for all."""
    sampled_because: str | None = None
    """A sentence if nobody asked for a sample, but all images would not fit into memory."""

    def facts(self) -> dict[str, object]:
        """Return all fields by name, including the settings, for JSON."""
        shown: dict[str, object] = {field.name: getattr(self, field.name) for field in fields(self)}
        del shown["settings"]
        return self.settings.values() | shown  # of the sample, its size

    @property
    def too_little(self) -> str | None:
        """A sentence if this was too little to learn from."""
        if self.images >= ENOUGH:
            return None
        return (
            f"{self.images} image{'s are' if self.images > 1 else ' is'} too few to learn from; "
            f"recommendations become useful from about {ENOUGH} images that share hashtags"
        )


def compute(
    connection: Connection,
    settings: FactorSettings = FactorSettings(),
    activate: bool = True,
    quiet: bool = False,
) -> Computed:
    """Read the interactions and embeddings, fit, store a new run, and make it active.

    The same data and seed give the same factors. Readers do not see the run until it is complete. If anything
    fails, it is marked as failed and its tables are dropped. Left-overs of killed computations are removed
    first.

    Raises
    ------
    FactorsError
        There is nothing to compute from, or the factors are not finite.
    """
    started = time.monotonic()
    require_writable(connection)
    require_session(connection, "computing factors")
    store.runs.discard_abandoned(connection)
    importing = threading.Thread(target=als.prepare, daemon=True)
    importing.start()
    settings, because = sampling.fitting(connection, settings)
    if settings.sample not in (0, 1) and (
        done := _compute_from_sample(connection, settings, activate, quiet, started, because)
    ):
        return done
    asked = settings = replace(settings, sample=0.0)  # all of them
    interactions = store.runs.interactions(connection)
    if not len(interactions.image_ids):
        raise FactorsError(als.NOTHING)
    settings = interactions.followed_by(settings)
    with building(connection, settings, asked, "implicit") as run_id:
        # ALS alone needs no embeddings, and reading them takes the longest
        embeddings = (
            store.runs.vectors(connection) if settings.ridge or settings.refit_penalty else NO_EMBEDDINGS
        )
        importing.join()
        with track("computing factors", settings.iterations, "iterations", quiet) as report:
            model = modelling.fit(interactions, embeddings, settings, report)
        store.runs.save(connection, run_id, model, time.monotonic() - started)
        if activate:
            store.runs.activate(connection, run_id)
    if activate:
        folding_in.fold_in_missing(connection)  # images added during the computation
    return computed(run_id, model, len(model.image_ids), activate, started)


def computed(
    factor_run_id: int, model: modelling.Model, images: int, active: bool, started: float, **others: Any
) -> Computed:
    """Return what a run has become: of so many images, begun at a time of ``time.monotonic``."""
    return Computed(
        factor_run_id,
        images,
        len(model.hashtag_ids),
        model.interactions,
        model.settings,
        active,
        time.monotonic() - started,
        **others,
    )


@contextmanager
def building(
    connection: Connection, settings: FactorSettings, asked: FactorSettings, library: str
) -> Iterator[int]:
    """Begin a run that is computed in the block by a library; yield its number. If it fails, discard it."""
    versions = {name: version(name) for name in ("tagdb", library, "numpy")}
    run_id = store.runs.begin(connection, settings, versions, asked)
    try:
        yield run_id
    except BaseException:
        if not connection.broken:
            store.runs.discard(connection, run_id)
        raise


def _compute_from_sample(
    connection: Connection,
    settings: FactorSettings,
    activate: bool,
    quiet: bool,
    started: float,
    because: str | None,
) -> Computed | None:
    """Compute a run from a sample; None if that would be all images.

    It becomes active only when all images have factors, so nobody ever sees a half of it.
    """
    if (plan := sampling.plan(connection, settings, quiet)) is None:
        return None
    with building(connection, plan.settings, settings, "implicit") as run_id:
        model, images = sampling.fit(connection, run_id, plan, quiet)
        store.runs.save(connection, run_id, model, time.monotonic() - started, images)
        if activate:
            store.runs.activate(connection, run_id)
    if activate:
        folding_in.fold_in_missing(connection)  # images added during the computation
    return computed(
        run_id, model, images, activate, started, sample=len(plan.sample), sampled_because=because
    )


def activate(connection: Connection, factor_run_id: int) -> None:
    """Activate a run, and fold in images and hashtags newer than it.

    Raises
    ------
    DatabaseError
        The run does not exist, has failed, or was pruned.
    """
    store.runs.activate(connection, factor_run_id)
    folding_in.fold_in_missing(connection)


def rollback(connection: Connection) -> int:
    """Activate the run that was active before; return its number.

    Raises
    ------
    FactorsError
        There is no earlier run with factors.
    """
    before = [
        run
        for run in store.runs.list_all(connection)
        if run.status == "retired" and run.pruned_at is None and run.activated_at is not None
    ]
    if not before:
        raise FactorsError("there is no earlier run to go back to; see: tagdb factors list")
    latest = max(before, key=attrgetter("activated_at"))
    activate(connection, latest.factor_run_id)
    return latest.factor_run_id


@dataclass(frozen=True, slots=True)
class Pruned:
    """Runs whose factors were dropped, and runs that are still in use."""

    pruned: list[int]
    in_use: list[int]


def prune(
    connection: Connection,
    keep: int,
    quiet: bool = False,
    seconds: float = PRUNE_SECONDS,
    pause: Callable[[float], None] = time.sleep,
) -> Pruned:
    """Drop the factors of all runs but the active one and the latest ``keep - 1``.

    Their settings stay on record. Waits for transactions that still use a run in short attempts, because
    waiting for a lock blocks readers.
    """
    store.runs.discard_abandoned(connection)
    runs = [
        run
        for run in store.runs.list_all(connection)
        if run.pruned_at is None and run.status in ("ready", "active", "retired")
    ]
    newest_first = sorted(runs, key=lambda run: (run.status != "active", -run.factor_run_id))
    waiting = [run.factor_run_id for run in newest_first[max(keep, 1) :] if run.status != "active"]
    pruned: list[int] = []
    until = time.monotonic() + seconds
    with track("pruning", len(waiting), "runs", quiet) as report:
        while waiting:
            for run_id in list(waiting):
                outcome = store.runs.prune(connection, run_id)
                if outcome != "in use":
                    waiting.remove(run_id)
                if outcome == "pruned":
                    pruned.append(run_id)
                    report(len(pruned))
            if waiting and time.monotonic() > until:
                break
            if waiting:
                pause(0.3)
    return Pruned(sorted(pruned), sorted(waiting))


@dataclass(frozen=True, slots=True)
class Moved:
    """A hashtag that one run recommends for more of the images than the other."""

    hashtag: str
    before: int
    """Images of the sample for which the first run recommends it."""
    after: int
    """Images for which the second run does."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Difference between two runs on a sample of the stored images."""

    images: int
    top: int
    overlap: float
    """Mean share of recommended hashtags that both have in common."""
    same_first: float
    """Share of images with the same first hashtag."""
    moved: list[Moved]
    """Hashtags whose number of images differs, largest difference first."""


def difference(
    connection: Connection, before: int, after: int, images: int = 200, top: int = 10
) -> Difference:
    """Recommend for a sample of the stored images with two runs, and compare.

    The sample is always the same: the images with the smallest SHA-256.

    Raises
    ------
    FactorsError, DatabaseError
        One of the runs no longer has factors, or there is no image to compare them on.
    """
    answers = []
    # an earlier run may not be a partition yet; it is one until the transaction ends
    with connection.transaction(force_rollback=True):
        for run_id in (before, after):
            if not (standby := is_standby(connection)):
                store.runs.attach(connection, run_id)
            answers.append(store.answers.recommend_sample(connection, run_id, images, top))
            if standby and not answers[-1]:
                raise FactorsError(
                    f"a standby has no factors of run {run_id}, which has not been active; ask the primary"
                )
    first, second = answers
    both = sorted(first.keys() & second.keys())
    if not both:
        raise FactorsError("there is no image for which both runs recommend something")
    counts: dict[str, list[int]] = {}
    for side, answer in enumerate(answers):
        for image_id in both:
            for hashtag in answer[image_id]:
                counts.setdefault(hashtag, [0, 0])[side] += 1
    overlap = [len(set(first[i]) & set(second[i])) / max(len(first[i]), len(second[i])) for i in both]
    moved = [Moved(hashtag, was, now) for hashtag, (was, now) in counts.items() if was != now]
    moved.sort(key=lambda one: (-abs(one.after - one.before), one.hashtag))
    same = sum(first[i][0] == second[i][0] for i in both)
    return Difference(len(both), top, sum(overlap) / len(both), same / len(both), moved)
