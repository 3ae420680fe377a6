"""Searching for settings, within a time, on photos that are not those it is judged by."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
import pytest

from tagdb import factors, store
from tagdb.errors import EvaluationError
from tagdb.evaluation import evaluate, tune
from tagdb.evaluation.holdout import split
from tagdb.learning.settings import ANCESTOR, FactorSettings
from tagdb.postgres.database import Connection
from tests.support.evaluated import fill


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few settings to try, which are fitted fast, and a clock that makes the search as long each time."""
    monkeypatch.setattr(
        tune,
        "SPACE",
        {"factors": (2, 4), "neighbours": (5, 10, 20), "similarity_exponent": (0, 8), "iterations": (2, 5)},
    )
    monkeypatch.setattr(tune, "ENOUGH", 50)
    ticks = count()
    monkeypatch.setattr(tune.time, "monotonic", lambda: float(next(ticks)))


def test_the_winner_becomes_the_default(connection: Connection, small: None) -> None:
    fill(connection, 80)
    better: list[float] = []
    found = tune.tune(connection, 0.5, quiet=True, on_better=lambda plan, ndcg, tried: better.append(ndcg))
    assert store.runs.default_settings(connection) == found.plan
    (stored,) = connection.execute("SELECT metrics FROM tagdb_store.factor_defaults").fetchone() or ({},)
    assert stored["nDCG@10"] == pytest.approx(found.held_out)
    finished = [trial.ndcg for trial in found.trials if trial.finished]
    assert found.ndcg == max(finished) == better[-1]
    assert better == sorted(better)
    assert {FactorSettings().difference(), ANCESTOR.difference()} <= {trial.plan for trial in found.trials}
    assert len({trial.plan for trial in found.trials}) == len(found.trials) > 5
    assert 0 < found.held_out <= 1
    assert found.queries > 0
    done = factors.compute(connection, store.runs.default_settings(connection), quiet=True)
    run = store.runs.get(connection, done.factor_run_id)
    assert run is not None
    assert run.settings.neighbours == found.plan.neighbours

    again = tune.tune(connection, 0.1, quiet=True, keep=False)
    assert again.trials[0].plan == found.plan.difference(), "it goes on from what was found before"
    assert store.runs.forget_defaults(connection)
    assert store.runs.default_settings(connection) == FactorSettings()
    assert not store.runs.forget_defaults(connection)


def test_a_dry_run_keeps_nothing(connection: Connection, small: None) -> None:
    fill(connection, 60)
    assert not tune.tune(connection, 0.5, keep=False, quiet=True).stored
    assert not connection.execute("SELECT FROM tagdb_store.factor_defaults").fetchall()


def test_photos_that_were_put_aside_have_no_say(connection: Connection, small: None) -> None:
    """Other hashtags on them change what is measured at the end, and nothing of the search."""
    ids = fill(connection, 80)
    first = tune.tune(connection, 0.3, keep=False, quiet=True)
    data = evaluate.load(connection)
    aside = data.embeddings.image_ids[split(data, fraction=tune.PUT_ASIDE).folds >= 0]
    assert 0 < len(aside) < len(ids) / 2
    carried = connection.execute(
        "DELETE FROM tagdb_store.image_hashtags ih WHERE ih.image_id = ANY (%s)"
        " RETURNING ih.image_id, 1 + mod(ih.hashtag_id + 19, 40)",
        (aside.tolist(),),
    ).fetchall()
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO tagdb_store.image_hashtags (image_id, hashtag_id) VALUES (%s, %s)", carried
        )
    second = tune.tune(connection, 0.3, keep=False, quiet=True)
    same = min(len(first.trials), len(second.trials))
    assert first.trials[:same] == second.trials[:same]
    assert first.held_out != second.held_out


def test_a_limit_of_photos(connection: Connection, small: None) -> None:
    fill(connection)
    every, some = (tune.tune(connection, 0.3, photos=n, keep=False, quiet=True) for n in (None, 80))
    assert some.queries < every.queries
    assert max(trial.queries for trial in some.trials) < max(trial.queries for trial in every.trials)


def test_settings_that_cannot_be_fitted_are_passed_over(
    connection: Connection, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tune.SPACE, "min_images", (2, 10_000))
    fill(connection, 60)
    found = tune.tune(connection, 0.5, keep=False, quiet=True)
    failed = [trial for trial in found.trials if "min_images=10000" in trial.plan]
    assert failed
    assert not any(trial.finished for trial in failed)
    assert found.plan.min_images != 10_000
    assert np.isfinite(found.ndcg)


def test_too_few_photos(connection: Connection) -> None:
    fill(connection, 1)
    with pytest.raises(EvaluationError, match="too few photos"):
        tune.tune(connection, 0.1, quiet=True)


def test_settings_are_tried_as_a_run_of_all_photos_would_use_them(
    connection: Connection, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search learns from half of the photos, where the defaults would be others."""
    fill(connection, 252)
    tried: list[FactorSettings] = []

    def spy(settings: FactorSettings, *others: Any) -> Any:
        tried.append(settings)
        return answer(settings, *others)

    answer = tune.answer
    monkeypatch.setattr(tune, "answer", spy)
    tune.tune(connection, 0.1, keep=False, quiet=True, photos=100)
    data = evaluate.load(connection)
    assert data.settled(FactorSettings()).contrast == FactorSettings().contrast
    assert data.settled(FactorSettings()) in tried
    assert all(settings.settled() == settings for settings in tried)
