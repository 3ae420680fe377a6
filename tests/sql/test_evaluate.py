"""Evaluating, on a real database: what is held out stays out, and SQL answers as the arrays do."""

import math

import numpy as np
import pytest

from tagdb import factors, store
from tagdb.errors import EvaluationError, FactorsError
from tagdb.evaluation import evaluate, measuring
from tagdb.evaluation.contestants import BASELINES, TOP, Answer, Contestant, answer, without
from tagdb.evaluation.holdout import Data, Side, Split, check_no_leak, side, split
from tagdb.evaluation.reports import BEYOND, COVERAGE, MAIN, POPULARITY, per_query
from tagdb.learning.model import Model
from tagdb.learning.settings import ANCESTOR, FactorSettings
from tagdb.postgres.database import Connection
from tagdb.store.answers import recommend_held_out
from tagdb.store.evaluation import images as evaluated_images
from tests.support.evaluated import KINDS, fill

SMALL = FactorSettings(factors=8, iterations=5)
CONTESTANTS: list[Contestant] = [
    *BASELINES,
    SMALL,
    ANCESTOR,
    FactorSettings(factors=8, iterations=5, sample=0.5),
    FactorSettings(factors=8, iterations=5, weighting="bm25", min_images=1, refit_penalty=0.0),
]


@pytest.fixture(autouse=True)
def _filled(connection: Connection) -> None:
    fill(connection)


def held(connection: Connection) -> tuple[Data, np.ndarray, Side]:
    """The data, who is held out of a split by fraction, and the training side."""
    data = evaluate.load(connection)
    held_out = split(data, fraction=0.3).folds == 0
    return data, held_out, side(data.embeddings, data.interactions, held_out)


def answers(data: Data, held_out: np.ndarray, training: Side) -> dict[Contestant, Answer]:
    fits: dict[FactorSettings, Model] = {}
    queries = data.embeddings.vectors[held_out]
    return {one: answer(one, training, queries, fits) for one in CONTESTANTS}


def test_load_knows_what_it_needs_of_images(connection: Connection) -> None:
    data = evaluate.load(connection)
    ids = data.embeddings.image_ids
    assert len(ids) == 120
    assert (np.diff(ids) > 0).all()
    names = dict(connection.execute("SELECT hashtag_id, hashtag FROM tagdb_store.hashtags").fetchall())
    found = [names.get(int(one)) for one in data.collections]
    assert found == [f"kind{n % KINDS}no0" if n % 2 else None for n in range(120)]
    assert data.source_refs[8] == data.source_refs[9] == "post 8"
    stored = dict(connection.execute("SELECT image_id, content_sha256 FROM tagdb_store.images").fetchall())
    assert data.hashes == [stored[int(one)] for one in ids]


def test_images_without_embedding_or_hashtag_take_no_part(connection: Connection) -> None:
    ids = evaluate.load(connection).embeddings.image_ids
    connection.execute("DELETE FROM tagdb_store.embeddings WHERE image_id = %s", (int(ids[0]),))
    connection.execute("DELETE FROM tagdb_store.image_hashtags WHERE image_id = %s", (int(ids[1]),))
    data = evaluate.load(connection)
    assert data.embeddings.image_ids.tolist() == ids[2:].tolist()
    assert set(data.interactions.image_ids.tolist()) == set(ids[2:].tolist())


def test_a_collection_of_an_alias_is_the_hashtag_itself(connection: Connection) -> None:
    ids = evaluate.load(connection).embeddings.image_ids
    connection.execute(
        "UPDATE tagdb_store.images SET collection = CASE image_id WHEN %s THEN '!!' ELSE 'another' END"
        " WHERE image_id = ANY (%s)",
        (int(ids[0]), ids[:2].tolist()),
    )
    wanted = connection.execute(
        "INSERT INTO tagdb_store.hashtags (hashtag, alias_of)"
        " SELECT 'another', hashtag_id FROM tagdb_store.hashtags WHERE hashtag = 'kind1no1'"
        " RETURNING alias_of"
    ).fetchone()
    assert wanted is not None
    assert evaluated_images(connection, ids[:2]).collections.tolist() == [-1, wanted[0]]


def test_sql_answers_as_the_arrays_do(connection: Connection) -> None:
    data, held_out, training = held(connection)
    for plan, found in answers(data, held_out, training).items():
        if not isinstance(plan, FactorSettings):
            continue
        assert found.model is not None
        ids = data.embeddings.image_ids[held_out]
        with connection.transaction(force_rollback=True):
            run = store.runs.begin(connection, found.settings, {})
            store.runs.save(connection, run, found.model, 0.0)
            store.runs.attach(connection, run)
            by_sql = recommend_held_out(connection, run, ids, TOP)
            near = {
                int(image): dict(
                    connection.execute(
                        "SELECT r.hashtag, r.score FROM tagdb_store.embeddings e, tagdb_store.recommend(%s,"
                        " e.embedding, e.image_id, 100, NULL, '{}', '{}', NULL, NULL, NULL, NULL, NULL) r"
                        " WHERE e.image_id = %s",
                        (run, int(image)),
                    ).fetchall()
                )
                for image in ids
            }
        names = dict(connection.execute("SELECT hashtag_id, hashtag FROM tagdb_store.hashtags").fetchall())
        assert set(by_sql) == set(ids.tolist())
        for image, line in zip(ids.tolist(), found.recommended.tolist(), strict=True):
            score = near[image]
            for ours, theirs in zip(line, by_sql[image], strict=True):
                # the same hashtag, or one of practically the same score
                assert score[names[ours]] == pytest.approx(score[names[theirs]], abs=1e-4)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ([1, 2, 3, 4], True),
        ([1, 3, 2, 4], True),
        ([1, 3, 2, 9], True),
        ([2, 1, 3, 4], False),
        ([1, 2, 9, 4], False),
        ([1, 2, 3, -1], False),
        ([1, 2, 3, 3], False),
    ],
)
def test_rankings_are_the_same_but_for_equal_scores(other: list[int], same: bool) -> None:
    assert evaluate.same_ranking([1, 2, 3, 4], [0.9, 0.5, 0.5 + 1e-7, 0.2], other) == same
    assert evaluate.same_ranking([1, 2, -1], [0.9, 0.5, -math.inf], [1, 2, -1])
    assert evaluate.same_ranking([-1], [-math.inf], [-1])
    assert not evaluate.same_ranking([-1], [-math.inf], [1])


def test_a_held_out_photo_in_a_model_is_found(connection: Connection) -> None:
    data, held_out, _ = held(connection)
    ids, groups = data.embeddings.image_ids, split(data, fraction=0.3).groups
    one = np.zeros(len(ids), bool)  # the planted leak: all but one photo are held out of the fit
    everything = side(data.embeddings, data.interactions, one)
    leaking = answer(SMALL, everything, data.embeddings.vectors[held_out], {})
    with pytest.raises(EvaluationError, match="is held out but was used"):
        check_no_leak(ids, groups, held_out, leaking.used)
    neighbours = answer("vote", everything, data.embeddings.vectors[held_out], {})
    with pytest.raises(EvaluationError, match="is held out but was used"):
        check_no_leak(ids, groups, held_out, neighbours.used)


def test_a_photo_of_a_held_out_post_is_found(connection: Connection) -> None:
    data = evaluate.load(connection)
    groups = split(data).groups
    assert groups[8] == groups[9]
    held_out = np.arange(120) == 9
    with pytest.raises(EvaluationError, match=f"image {data.embeddings.image_ids[8]} belongs together"):
        check_no_leak(data.embeddings.image_ids, groups, held_out, data.embeddings.image_ids[~held_out])
    with pytest.raises(EvaluationError, match="not in the split"):
        check_no_leak(data.embeddings.image_ids, groups, held_out, np.array([10**9]))


def test_every_fold_is_checked(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A side that forgets to hold out is refused, whoever asks."""
    monkeypatch.setattr(
        measuring, "side", lambda embeddings, interactions, held_out: Side(embeddings, interactions)
    )
    with pytest.raises(EvaluationError, match="is held out but was used"):
        evaluate.evaluate(connection, quiet=True)


def test_hashtags_of_held_out_photos_change_nothing(connection: Connection) -> None:
    """Each gets one that nobody else has; any count, mean or logarithm over everything would tell."""
    data, held_out, training = held(connection)
    before = answers(data, held_out, training)
    held_ids = data.embeddings.image_ids[held_out].tolist()
    for image in held_ids:
        connection.execute(
            "WITH made AS (INSERT INTO tagdb_store.hashtags (hashtag) VALUES (%s) RETURNING hashtag_id)"
            " INSERT INTO tagdb_store.image_hashtags (image_id, hashtag_id) SELECT %s, hashtag_id FROM made",
            (f"marker{image}", image),
        )
    marked, same, training = held(connection)
    assert (same == held_out).all()
    assert len(marked.interactions.image_ids) == len(data.interactions.image_ids) + len(held_ids)
    after = answers(marked, held_out, training)
    for one in CONTESTANTS:
        assert (before[one].recommended == after[one].recommended).all(), one
        assert (before[one].known == after[one].known).all()
    # what the test would see: a fit to everything is another one with the markers
    nobody = np.zeros(len(held_out), bool)
    weighted = CONTESTANTS[-1]
    was, is_now = (
        answer(weighted, side(one.embeddings, one.interactions, nobody), one.embeddings.vectors[held_out], {})
        for one in (data, marked)
    )
    assert (was.recommended != is_now.recommended).any()


def test_the_truth_is_all_that_a_photo_carries(connection: Connection) -> None:
    data = evaluate.load(connection)
    found = split(data)
    assert len(found.queries) == 120
    own = [
        set(data.interactions.hashtag_ids[data.interactions.image_ids == data.embeddings.image_ids[place]])
        for place in found.queries
    ]
    assert [set(found.truth[found.rows == n]) for n in range(120)] == own
    # who recommends just that is perfect
    perfect = np.full((120, TOP), -1)
    for n, mine in enumerate(own):
        perfect[n, : len(mine)] = sorted(mine)
    assert per_query(found, perfect)[MAIN] == pytest.approx(np.ones(120))


def test_without_the_own_hashtag_the_next_moves_up() -> None:
    recommended = np.array([np.arange(1, 12), np.arange(1, 12), [5, 4, *[-1] * 9]])
    moved = without(recommended, np.array([3, -1, 5]))
    assert moved.tolist() == [[1, 2, 4, 5, 6, 7, 8, 9, 10, 11], list(range(1, 11)), [4] + [-1] * 9]


def test_the_own_hashtag_is_no_truth_beyond_the_collection() -> None:
    # hashtag 1 is the first one's own, the second has none, the third has nothing else
    rows, truth = np.array([0, 0, 1, 2]), np.array([1, 3, 1, 1])
    nobody = np.zeros(3, np.int64)
    found = Split(nobody, nobody, np.arange(3), rows, truth, 1, np.zeros(3))
    recommended = np.array([[1, 2, 3, *[-1] * 8]] * 3)
    figures = per_query(found, recommended, np.array([1, -1, 1]))[MAIN]
    assert figures[:2] == pytest.approx([1 / np.log2(3), 1])
    assert np.isnan(figures[2])


def test_a_report_and_nothing_left_behind(connection: Connection) -> None:
    factors.compute(connection, SMALL, quiet=True)
    count = "SELECT (SELECT count(*) FROM tagdb_store.factor_runs), (SELECT count(*) FROM pg_class)"
    before = connection.execute(count).fetchone()
    found = evaluate.evaluate(connection, folds=3, runs=[1], settings=["factors=4,neighbours=7"], quiet=True)
    assert connection.execute(count).fetchone() == before
    assert [row.label for row in found.rows] == [
        *BASELINES, "ancestor", "active run", "shipped defaults", "run 1", "factors=4,neighbours=7",
    ]  # fmt: skip
    assert (found.images, found.queries, found.folds, found.groups) == (120, 120, 3, 108)
    by_label = {row.label: row for row in found.rows}
    assert by_label["run 1"].metrics == by_label["active run"].metrics
    assert by_label["ancestor"].against_ancestor is None
    assert by_label["vote"].metrics[MAIN].mean > by_label["popular"].metrics[MAIN].mean
    for row in found.rows:
        for name, value in row.metrics.items():
            assert 0 <= value.mean <= 1, name
        assert {MAIN, BEYOND, COVERAGE, POPULARITY} < row.metrics.keys()
    assert found.sql is not None
    assert found.sql.label == "active run"
    assert 0 < found.sql.queries <= 50
    assert found.sql.agreement > 0.9
    assert found.sql.ndcg_difference < 0.01


def test_the_same_seed_gives_the_same_report(connection: Connection) -> None:
    def figures(seed: int) -> list[object]:
        found = evaluate.evaluate(connection, folds=2, seed=seed, photos=30, quiet=True)
        assert found.queries == 30
        return [row.metrics for row in found.rows]

    assert figures(1) == figures(1)
    assert figures(1) != figures(2)


def test_too_few_photos_are_a_sentence(connection: Connection) -> None:
    connection.execute("DELETE FROM tagdb_store.image_hashtags WHERE image_id > (SELECT min(image_id)"
                       " FROM tagdb_store.images)")  # fmt: skip
    with pytest.raises(EvaluationError, match="too few photos to hold some out: 1 "):
        evaluate.evaluate(connection, quiet=True)


def test_an_unknown_run_is_a_sentence(connection: Connection) -> None:
    with pytest.raises(FactorsError, match="there is no factor run 9"):
        evaluate.evaluate(connection, runs=[9], quiet=True)


def active(connection: Connection) -> int:
    run = store.runs.active(connection)
    assert run is not None
    return int(run.factor_run_id)


def test_what_was_chosen_for_a_run_is_evaluated(connection: Connection) -> None:
    """Also if it is a default, which would otherwise follow the number of images."""
    base = FactorSettings(factors=4, iterations=3)
    for plan in (base, base.changed(contrast=0.6)):
        done = factors.compute(connection, plan, quiet=True)
        assert store.runs.get(connection, done.factor_run_id).plan == plan
    assert [run.settings.contrast for run in store.runs.list_all(connection)][-2:] == [0.9, 0.6]
    contestants = evaluate.contestants_of(connection, [done.factor_run_id], [])
    assert contestants["run 2"] == base.changed(contrast=0.6) != base


def test_a_worse_run_is_not_promoted(connection: Connection) -> None:
    factors.compute(connection, SMALL, quiet=True)
    bad = FactorSettings(
        factors=1, iterations=1, neighbours=1, ridge=0.0, refit_penalty=0.0, similarity_exponent=0.0
    )
    run = factors.compute(connection, bad, activate=False, quiet=True).factor_run_id
    verdict = evaluate.promote(connection, run, quiet=True)
    assert not verdict.promoted
    assert verdict.high is not None
    assert verdict.high < 0
    assert verdict.sentence.startswith(f"factor run {run} was not activated: nDCG@10 0.")
    assert active(connection) != run
    noted = store.runs.get(connection, run)
    assert noted is not None
    assert noted.metrics[MAIN].keys() == {"mean", "low", "high"}
    # the other way round it is
    factors.activate(connection, run)
    assert evaluate.promote(connection, 1, quiet=True).promoted
    assert active(connection) == 1


def test_nothing_to_compare_with_is_no_obstacle(connection: Connection) -> None:
    run = factors.compute(connection, SMALL, activate=False, quiet=True).factor_run_id
    verdict = evaluate.promote(connection, run, quiet=True)
    assert verdict.promoted
    assert "no run was active" in verdict.sentence
    assert active(connection) == run
    again = factors.compute(connection, SMALL, activate=False, quiet=True).factor_run_id
    verdict = evaluate.promote(connection, again, quiet=True)
    assert verdict.promoted
    assert "those of the active run" in verdict.sentence
    assert active(connection) == again


def test_photos_that_something_was_rejected_for_are_not_asked_of_sql(connection: Connection) -> None:
    factors.compute(connection, SMALL, quiet=True)
    ids = evaluate.load(connection).embeddings.image_ids[:2]
    connection.execute("SELECT tagdb.give_feedback(%s, '{}', ARRAY['kind1no1'], 1)", (int(ids[0]),))
    assert set(recommend_held_out(connection, 1, ids, 10)) == {int(ids[1])}


def test_hashtags_are_asked_of_sql_however_they_are_shown(connection: Connection) -> None:
    """Most photos may write them in another case."""
    factors.compute(connection, SMALL, quiet=True)
    ids = evaluate.load(connection).embeddings.image_ids[:5]
    before = recommend_held_out(connection, 1, ids, 10)
    connection.execute("UPDATE tagdb_store.hashtags SET spelling = upper(hashtag)")
    assert recommend_held_out(connection, 1, ids, 10) == before


def test_the_settings_of_all_photos_are_measured(connection: Connection, monkeypatch) -> None:
    """Though a fold learns from fewer, of which a run would have others."""
    used: list[FactorSettings] = []

    def watched(one: Contestant, training: Side, *others: object) -> Answer:
        assert len(training.embeddings.image_ids) < 100
        if isinstance(one, FactorSettings):
            used.append(training.interactions.followed_by(one))
        return answer(one, training, *others)

    monkeypatch.setattr("tagdb.learning.settings.SMALL_IMAGES", 110)
    monkeypatch.setattr("tagdb.evaluation.measuring.answer", watched)
    evaluate.evaluate(connection, quiet=True)
    shipped = FactorSettings()
    assert {one.contrast for one in used} == {shipped.contrast, 0}, "the ancestor has none"
    assert {one.factors for one in used} == {120, 10}
