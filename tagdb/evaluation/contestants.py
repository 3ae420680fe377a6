"""The methods that an evaluation compares: each recommends for held-out photos. Pure.

Everything is fitted to a :class:`Side`, which contains only the training photos: no count, mean or vector of
a held-out photo gets into it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tagdb.evaluation.holdout import Side
from tagdb.learning import ranking, sampling
from tagdb.learning.model import Model
from tagdb.learning.settings import FactorSettings

TOP = 11
"""One more than is measured, because the photo's own search hashtag may be removed."""
POPULAR, VOTE, UNWEIGHTED = "popular", "vote", "unweighted vote"
BASELINES = (POPULAR, VOTE, UNWEIGHTED)
VOTERS, VOTE_EXPONENT = 50, 8.0
QUERIES_AT_ONCE = 256

Contestant = FactorSettings | str
"""Settings, or the name of a baseline."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Recommendations of a contestant for the queries of a fold."""

    recommended: NDArray[np.int64]
    """int64 (q, TOP): hashtag ids, best first, -1 where there is none."""
    known: NDArray[np.int64]
    """int64 (h,): every hashtag that could have been recommended."""
    used: NDArray[np.int64]
    """int64 (u,): images that contributed, in the model or as neighbours."""
    model: Model | None
    settings: FactorSettings | None = None
    """As used with the model."""
    scores: NDArray[np.float32] | None = None
    """float32 (q, TOP): the scores by the model, -inf where there is no recommendation."""


def answer(
    contestant: Contestant,
    training: Side,
    queries: NDArray[np.float16],
    fits: dict[FactorSettings, Model],
) -> Answer:
    """Return what a contestant recommends after seeing the training photos.

    Parameters
    ----------
    contestant
        Settings, or the name of a baseline.
    training
        The training photos.
    queries : float16 (q, d)
        Embeddings of the held-out photos.
    fits
        Models fitted in this fold, for reuse; a new model is added.
    """
    if isinstance(contestant, FactorSettings):
        settings = training.interactions.followed_by(contestant)
        return _by_model(settings, _fitted(settings, training, fits), training, queries)
    if contestant == POPULAR:
        return _popular(training, len(queries))
    return _voted(training, queries, VOTE_EXPONENT if contestant == VOTE else 0.0)


def without(recommended: NDArray[np.int64], own: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the recommendations without one given hashtag per query, int64 (q, TOP - 1).

    Parameters
    ----------
    recommended : int64 (q, TOP)
        Hashtag ids, best first.
    own : int64 (q,)
        Hashtag to remove, -1 for none.
    """
    dropped = recommended == own[:, None]
    order = np.argsort(dropped, axis=1, kind="stable")[:, : TOP - 1]
    return np.take_along_axis(recommended, order, 1)


def _fitted(settings: FactorSettings, training: Side, fits: dict[FactorSettings, Model]) -> Model:
    # the settings of averaging do not change the fit, unless hashtags are refitted to averages
    same = settings if settings.refit_penalty else replace(settings, neighbours=1, similarity_exponent=0.0)
    if same not in fits:
        fits[same] = sampling.fit_arrays(training.interactions, training.embeddings, same)
    return fits[same]


def _by_model(settings: FactorSettings, model: Model, training: Side, queries: NDArray[np.float16]) -> Answer:
    place = np.searchsorted(training.embeddings.image_ids, model.image_ids)
    pool = training.embeddings.vectors[place]
    centring = ranking.Centring.of(pool) if settings.contrast else None
    used = [model.image_ids]
    scores = np.full((len(queries), TOP), -np.inf, np.float32)
    done = 0

    def some(part: NDArray[np.float16]) -> NDArray[np.int64]:
        nonlocal done
        near, weight = ranking.neighbours(
            part, pool, settings.neighbours, settings.contrast, settings.similarity_exponent, centring
        )
        used.append(model.image_ids[near[weight > 0]])
        score = ranking.scores(ranking.averages(near, weight, model.image_factors), model.hashtag_factors)
        places = ranking.best(score, TOP)
        scores[done : done + len(part), : places.shape[1]] = np.take_along_axis(score, places, 1)
        done += len(part)
        best = model.hashtag_ids[places].astype(np.int64)
        best[~weight.any(axis=1)] = -1  # without a neighbour, SQL has no answer either
        return best

    recommended = _in_parts(some, queries)
    known = model.hashtag_ids.astype(np.int64)
    return Answer(recommended, known, np.concatenate(used), model, settings, scores)


def _popular(training: Side, queries: int) -> Answer:
    ids, share = training.popularity()
    best = np.full((1, TOP), -1, np.int64)
    top = ids[ranking.best(share[None], TOP)[0]]
    best[0, : len(top)] = top
    return Answer(np.repeat(best, queries, axis=0), ids, training.interactions.image_ids, None)


def _voted(training: Side, queries: NDArray[np.float16], exponent: float) -> Answer:
    from scipy.sparse import csr_matrix

    ids, column = np.unique(training.interactions.hashtag_ids, return_inverse=True)
    row = np.searchsorted(training.embeddings.image_ids, training.interactions.image_ids)
    shape = (len(training.embeddings.image_ids), len(ids))
    carried = csr_matrix((np.ones(len(row), np.float32), (row, column)), shape=shape)
    used = [training.interactions.image_ids]

    def some(part: NDArray[np.float16]) -> NDArray[np.int64]:
        near, similarity = ranking.nearest(part, training.embeddings.vectors, VOTERS)
        weight = ranking.weights(similarity, exponent)
        used.append(training.embeddings.image_ids[near[weight > 0]])
        voters = np.repeat(np.arange(len(part)), near.shape[1])
        ballots = csr_matrix((weight.ravel(), (voters, near.ravel())), shape=(len(part), shape[0]))
        votes = np.asarray((ballots @ carried).toarray())
        best = ranking.best(votes, TOP)
        return np.where(np.take_along_axis(votes, best, 1) > 0, ids[best].astype(np.int64), -1)

    recommended = _in_parts(some, queries)
    return Answer(recommended, ids.astype(np.int64), np.concatenate(used), None)


def _in_parts(
    some: Callable[[NDArray[np.float16]], NDArray[np.int64]], queries: NDArray[np.float16]
) -> NDArray[np.int64]:
    """Call a function with a few queries at a time; return its answers, int64 (q, TOP)."""
    recommended = np.full((len(queries), TOP), -1, np.int64)
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        part = some(queries[start : start + QUERIES_AT_ONCE])
        recommended[start : start + len(part), : part.shape[1]] = part
    return recommended
