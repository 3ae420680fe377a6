"""Measure how good recommendations are, on groups of photos that are held out.

All settings are fitted to the same training photos and recommend for the same held-out ones, whose own
hashtags are the truth. Figures are computed on arrays (:mod:`tagdb.learning.ranking`). For a sample, the SQL
functions that users call are called too, with factors that exist only in a transaction that is rolled back.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from tagdb import factors, store
from tagdb.evaluation import holdout, metrics
from tagdb.evaluation.contestants import BASELINES, TOP, Answer, Contestant
from tagdb.evaluation.holdout import FOLDS, MIN_TRUTH, Data, Split
from tagdb.evaluation.measuring import measure
from tagdb.evaluation.metrics import Estimate, Paired
from tagdb.evaluation.reports import MAIN, Report, SqlSample, per_query, rows
from tagdb.learning.als import Interactions
from tagdb.learning.model import Embeddings
from tagdb.learning.settings import ANCESTOR, FactorSettings
from tagdb.postgres.database import Connection, is_standby
from tagdb.postgres.pooled import is_pooled

SQL_QUERIES = 50
ACTIVE, SHIPPED = "active run", "shipped defaults"


@dataclass(frozen=True, slots=True)
class Comparison:
    """nDCG@10 of two settings on the same queries, and the difference."""

    queries: int
    one: Estimate
    other: Estimate
    paired: Paired


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a run was activated, and why."""

    promoted: bool
    difference: float | None
    low: float | None
    high: float | None
    sentence: str


def load(connection: Connection) -> Data:
    """Read the images that take part."""
    interactions, embeddings = store.runs.interactions(connection), store.runs.embeddings(connection)
    images = store.evaluation.images(connection, embeddings.image_ids)
    # an ingest or a deletion may have happened between the queries
    ids = np.intersect1d(images.image_ids, interactions.image_ids)
    kept = np.flatnonzero(np.isin(images.image_ids, ids))
    pairs = np.isin(interactions.image_ids, ids)
    return Data(
        Embeddings(ids, embeddings.vectors[np.isin(embeddings.image_ids, ids)], embeddings.backbone_id),
        Interactions(
            interactions.image_ids[pairs], interactions.hashtag_ids[pairs], interactions.accepted[pairs]
        ),
        [images.hashes[n] for n in kept],
        [images.source_refs[n] for n in kept],
        images.collections[kept],
    )


def evaluate(
    connection: Connection,
    folds: int = FOLDS,
    fraction: float | None = None,
    seed: int = 0,
    runs: Sequence[int] = (),
    settings: Sequence[str] = (),
    photos: int | None = None,
    quiet: bool = False,
) -> Report:
    """Compare baselines, the ancestor's settings, the active run's, and any others given.

    Parameters
    ----------
    connection
        The database.
    folds
        Number of folds; each photo is held out in one of them.
    fraction
        Hold out this share of the photos once, instead of using folds.
    seed
        Another seed gives another split.
    runs
        Factor runs whose settings are compared too.
    settings
        Other settings, in the form that :meth:`FactorSettings.parsed` reads.
    photos
        Use at most this many queries, always the same ones.
    quiet
        Show no progress.

    Raises
    ------
    EvaluationError, FactorsError
        There are too few photos, or a run or setting does not exist.
    """
    contestants = contestants_of(connection, runs, settings)
    label = ACTIVE if ACTIVE in contestants else SHIPPED
    data = load(connection)
    split = holdout.split(data, folds, fraction, seed, photos)
    sample: list[SqlSample] = []

    def check(one: Contestant, asked: NDArray[np.int64], given: Answer) -> None:
        if not sample and one == contestants[label]:
            sample.extend(_ask_sql(connection, label, data, split, asked, given))

    results = measure(data, split, list(dict.fromkeys(contestants.values())), quiet, check)
    told = rows(data, split, contestants, results)
    groups = int(split.groups.max()) + 1
    return Report(
        len(data.hashes),
        groups,
        len(split.queries),
        split.count,
        fraction,
        seed,
        MIN_TRUTH,
        told,
        sample[0] if sample else None,
    )


def compare(
    connection: Connection, one: FactorSettings, other: FactorSettings, quiet: bool = False
) -> Comparison:
    """Measure two settings on the same split."""
    data = load(connection)
    split = holdout.split(data)
    results = measure(data, split, [one, other], quiet)
    values = [per_query(split, results[settings].recommended)[MAIN] for settings in (one, other)]
    means = metrics.bootstrap(np.column_stack(values), split.groups[split.queries])
    return Comparison(len(split.queries), means.estimate(0), means.estimate(1), means.paired(0, 1))


def promote(connection: Connection, factor_run_id: int, quiet: bool = False) -> Verdict:
    """Activate a run unless its settings are worse than the active run's, and record its quality.

    Worse means that the whole 95 % interval of the difference in nDCG@10 lies below 0.

    Raises
    ------
    EvaluationError, DatabaseError, FactorsError
        There are too few photos to tell, or the run does not exist.
    """
    run, active = store.runs.get(connection, factor_run_id), store.runs.active(connection)
    name = f"factor run {factor_run_id}"
    settings = run.plan
    if active is None or active.plan == settings:
        factors.activate(connection, factor_run_id)
        why = "no run was active" if active is None else "its settings are those of the active run"
        return Verdict(True, None, None, None, f"{name} was activated without an evaluation: {why}")
    comparison = compare(connection, settings, active.plan, quiet)
    store.runs.note_metrics(connection, factor_run_id, {MAIN: asdict(comparison.one)})
    paired = comparison.paired
    promoted = paired.high >= 0
    if promoted:
        factors.activate(connection, factor_run_id)
    sentence = (
        f"{name} was {'activated' if promoted else 'not activated'}: {MAIN} {comparison.one.mean:.3f}, "
        f"{comparison.other.mean:.3f} with the settings of run {active.factor_run_id}; difference "
        f"{paired.difference:+.3f} [{paired.low:+.3f}, {paired.high:+.3f}]"
    )
    return Verdict(promoted, paired.difference, paired.low, paired.high, sentence)


def contestants_of(
    connection: Connection, runs: Sequence[int], settings: Sequence[str]
) -> dict[str, Contestant]:
    """Return what is compared, by label; the same settings under two labels are fitted once.

    Raises
    ------
    FactorsError
        A run or a setting does not exist.
    """
    contestants: dict[str, Contestant] = {name: name for name in BASELINES}
    contestants["ancestor"] = ANCESTOR
    active = store.runs.active(connection)
    if active is not None:
        contestants[ACTIVE] = active.plan
    if contestants.get(ACTIVE) != FactorSettings():
        contestants[SHIPPED] = FactorSettings()
    following = store.runs.default_settings(connection)
    if following not in (contestants.get(ACTIVE), contestants.get(SHIPPED)):
        contestants["next compute"] = following
    for number in runs:
        run = store.runs.get(connection, number)
        contestants[f"run {number}"] = run.plan
    for text in settings:
        contestants[text.strip() or SHIPPED] = FactorSettings().parsed(text)
    return contestants


def _ask_sql(
    connection: Connection,
    label: str,
    data: Data,
    split: Split,
    asked: NDArray[np.int64],
    given: Answer,
) -> list[SqlSample]:
    """Call the SQL functions for some queries of a fold, with factors that no other session ever sees.

    Returns
    -------
    A comparison with the given answer; nothing if SQL could not be called.
    """
    active = store.backbones.active(connection)
    if given.model is None or given.settings is None or given.scores is None:
        return []
    if active is None or active.backbone_id != data.embeddings.backbone_id:
        return []  # it was changed in the meantime, so SQL would search other embeddings
    if is_standby(connection) or is_pooled(connection):
        return []  # neither can store the factors
    sample = sorted(asked, key=data.hashes.__getitem__)[:SQL_QUERIES]
    ids = data.embeddings.image_ids
    with connection.transaction(force_rollback=True):
        run_id = store.runs.begin(connection, given.settings, {})
        store.runs.save(connection, run_id, given.model, 0.0)
        store.runs.attach(connection, run_id)
        answers = store.answers.recommend_held_out(connection, run_id, ids[sample], TOP)
    rows = [n for n, place in enumerate(asked) if int(ids[place]) in answers]
    if not rows:
        return []
    told = [answers[int(ids[place])] for place in asked[rows]]
    by_sql = np.array([hashtags + [-1] * (TOP - len(hashtags)) for hashtags in told])
    numbers = np.searchsorted(split.queries, asked[rows])
    both = []
    for recommended in (given.recommended[rows], by_sql):
        full = np.full((len(split.queries), TOP), -1, np.int64)
        full[numbers] = recommended
        both.append(per_query(split, full)[MAIN][numbers])
    ours = zip(given.recommended[rows].tolist(), given.scores[rows].tolist(), by_sql.tolist(), strict=True)
    same = [same_ranking(hashtags[:-1], scores[:-1], other[:-1]) for hashtags, scores, other in ours]
    difference = float(np.abs(both[0] - both[1]).mean())
    return [SqlSample(label, len(rows), float(np.mean(same)), difference)]


def same_ranking(hashtags: list[int], scores: list[float], other: list[int]) -> bool:
    """Whether others rank the same hashtags in the same order, but for those with equal scores.

    After learning from few photos, all hashtags of a photo have the same score, but for the last digit.

    Parameters
    ----------
    hashtags, scores
        Best first; -1 and -inf where there is none.
    other
        Hashtags in another ranking, of which those with the least score may be others.
    """
    of = dict(zip(hashtags, scores, strict=True))
    least = min(score for score in scores if score > -math.inf) if of.keys() - {-1} else -math.inf
    return all(
        math.isclose(of.get(found, -math.inf if found < 0 else least), score, rel_tol=1e-4)
        for found, score in zip(other, scores, strict=True)
    ) and len(set(other) - {-1}) == len(of.keys() - {-1})
