"""What the SQL recommends, held against a brute force of the same formula in NumPy."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tagdb import store
from tagdb.learning import ranking
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tests.support import seed
from tests.support.postgres import rows

Floats = NDArray[np.float64]

RECOMMEND = (
    "SELECT * FROM tagdb.recommend_for_embedding(%s, top => %s, neighbours => %s, known => %s, exclude => %s,"
    " known_weight => 0)"
)
"""Known hashtags are left out and lead nowhere; where they lead to is in test_steering."""
SIMILAR_OFF = 3e-6
"""How far off the cosine similarity that pgvector computes in float32 may be."""


def recommended(
    connection: Connection,
    embedding: NDArray[np.floating],
    top: int | None = 10,
    neighbours: int | None = None,
    known: list[str] | None = None,
    exclude: list[str] | None = None,
) -> list[tuple[int, str, float]]:
    values = (seed.literal(embedding), top, neighbours, known or [], exclude or [])
    return connection.execute(RECOMMEND, values).fetchall()


# --- the formula ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A small database and a question to it."""

    images: int
    hashtags: int
    factors: int
    exponent: float
    neighbours: int
    top: int
    kind: str
    """What the embeddings are like."""
    analyzed: bool
    """Whether the planner knows how large the tables are."""
    seed: int
    plain: frozenset[int] = frozenset()
    """Images without factors."""
    unused: frozenset[int] = frozenset()
    """Hashtags without factors."""
    unwanted: tuple[int, ...] = field(default=())
    """Hashtags that are known or excluded."""


def cases() -> st.SearchStrategy[Case]:
    return st.builds(
        Case,
        images=st.integers(1, 30),
        hashtags=st.integers(1, 15),
        factors=st.integers(1, 8),
        exponent=st.sampled_from([0.0, 1.0, 8.0, 50.0, 1000.0]),
        neighbours=st.integers(1, 40),
        top=st.integers(1, 20),
        kind=st.sampled_from(["features", "signed", "sparse"]),
        analyzed=st.booleans(),
        seed=st.integers(0, 2**32 - 1),
        plain=st.frozensets(st.integers(0, 29)),
        unused=st.frozensets(st.integers(0, 14), max_size=3),
        unwanted=st.lists(st.integers(0, 14), max_size=4).map(tuple),
    )


def embeddings(kind: str, count: int, number: int) -> NDArray[np.float16]:
    """Embeddings as MobileNet's, as of any network, or such that many have nothing in common."""
    rng = np.random.default_rng(number)
    if kind == "features":
        return seed.features(count, number)
    if kind == "signed":
        return seed.unit(rng.standard_normal((count, seed.DIMENSIONS)))
    vectors = np.zeros((count, seed.DIMENSIONS))
    for vector in vectors:
        vector[rng.integers(0, 6, 3)] = rng.random(3) ** 6
        vector[rng.integers(0, 6)] = 1
    return seed.unit(vectors)


@dataclass(frozen=True)
class Stored:
    """What a case has stored."""

    query: NDArray[np.float16]
    vectors: NDArray[np.float16]
    hashtags: list[str]
    image_factors: dict[int, NDArray[np.float16]]
    hashtag_factors: dict[int, NDArray[np.float16]]


def store_case(connection: Connection, case: Case) -> Stored:
    """Empty the database and fill it anew. The run and its partitions stay, for speed."""
    rng = np.random.default_rng(case.seed)
    connection.execute(
        "TRUNCATE tagdb_store.images, tagdb_store.hashtags, tagdb_store.image_factors,"
        " tagdb_store.hashtag_factors RESTART IDENTITY CASCADE"
    )
    backbone_id = store.backbones.add(connection, seed.identity())
    image_ids = seed.add_images(connection, case.images)
    drawn = embeddings(case.kind, case.images + 1, case.seed)
    seed.add_embeddings(connection, backbone_id, image_ids, drawn[:-1])
    names = [f"tag{n}" for n in range(case.hashtags)]
    hashtag_ids = seed.add_hashtags(connection, names)
    image_factors = rng.standard_normal((case.images, case.factors)).astype(np.float16)
    hashtag_factors = rng.standard_normal((case.hashtags, case.factors)).astype(np.float16)
    images = [n for n in range(case.images) if n not in case.plain]
    hashtags = [n for n in range(case.hashtags) if n not in case.unused]
    row = connection.execute("SELECT max(factor_run_id) FROM tagdb.factor_runs").fetchone()
    assert row is not None
    if row[0] is None:
        seed.add_run(
            connection,
            image_ids[images],
            image_factors[images],
            hashtag_ids[hashtags],
            hashtag_factors[hashtags],
        )
    else:
        for table, ids, chosen in (
            ("image_factors", image_ids[images], image_factors[images]),
            ("hashtag_factors", hashtag_ids[hashtags], hashtag_factors[hashtags]),
        ):
            seed.copy(connection, table, np.full(len(ids), row[0], np.int32), ids, chosen)
    connection.execute(
        "UPDATE tagdb_store.factor_runs SET factors = %s, neighbours = %s, similarity_exponent = %s",
        (case.factors, case.neighbours, case.exponent),
    )
    if case.analyzed:
        connection.execute(
            "ANALYZE tagdb_store.embeddings, tagdb_store.image_factors, tagdb_store.hashtag_factors"
        )
    return Stored(
        drawn[-1],
        drawn[:-1],
        names,
        {n: image_factors[n] for n in images},
        {n: hashtag_factors[n] for n in hashtags},
    )


def cosines(vectors: NDArray[np.float16], query: NDArray[np.float16]) -> Floats:
    wide, asked = vectors.astype(np.float64), query.astype(np.float64)
    found: Floats = wide @ asked / (np.linalg.norm(wide, axis=1) * np.linalg.norm(asked))
    return 1 - (1 - found)  # pgvector gives distances, in which what is below 1e-16 is lost


def brute_force(case: Case, stored: Stored) -> dict[str, tuple[float, float]]:
    """The score of every hashtag that may be recommended, and how far off the SQL's may be."""
    if not stored.image_factors:
        return {}
    images = np.array(sorted(stored.image_factors))
    similarity = cosines(stored.vectors[images], stored.query)
    order = np.lexsort((images, -similarity))
    if case.neighbours < len(order):
        # Of ties at the border any may be taken; near ties are decided by float32's last bits.
        border = similarity[order[case.neighbours - 1 : case.neighbours + 1]]
        weightless = border[0] == border[1] == 0 and case.exponent > 0
        assume(border[0] - border[1] > 2 * SIMILAR_OFF or weightless)
    nearest = order[: case.neighbours]
    similarity = np.where(np.abs(similarity[nearest]) < 1e-12, 0, similarity[nearest])
    similarity = np.maximum(similarity, 0)
    weights = similarity**case.exponent
    if similarity.max() > 0:  # the same shares, but never all too small for a float64
        weights = (similarity / similarity.max()) ** case.exponent
    if not weights.sum():
        return {}
    shares = weights / weights.sum()
    if case.exponent:
        with np.errstate(divide="ignore", invalid="ignore"):
            off = case.exponent * np.minimum(SIMILAR_OFF / similarity, 1)
            off = np.where(shares > 0, shares * np.expm1(np.minimum(2 * off, 50)), 0)
    else:
        off = np.zeros_like(shares)
    factors = np.array([stored.image_factors[images[n]] for n in nearest], np.float64)
    average = shares @ factors
    rounding = np.abs(average) * 2.0**-10 + 2.0**-24 + off @ np.abs(factors) * 2
    return {
        stored.hashtags[n]: (float(average @ f), float(rounding @ np.abs(f.astype(np.float64))) + 1e-6)
        for n, f in stored.hashtag_factors.items()
        if n not in case.unwanted
    }


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(Case(30, 10, 4, 8.0, 3, 20, "features", True, 1, plain=frozenset(range(27))))
@example(Case(3, 3, 2, 50.0, 3, 3, "sparse", False, 5))
@example(Case(3, 3, 2, 1000.0, 3, 3, "features", False, 5))
@given(case=cases())
def test_recommendations_follow_the_formula(connection: Connection, case: Case) -> None:
    stored = store_case(connection, case)
    expected = brute_force(case, stored)
    unwanted = [f"tag{n}" for n in case.unwanted]
    found = recommended(
        connection,
        stored.query,
        case.top,
        None,
        unwanted[: len(unwanted) // 2],
        unwanted[len(unwanted) // 2 :],
    )
    assert len(found) == min(case.top, len(expected))
    assert [rank for rank, _, _ in found] == list(range(1, len(found) + 1))
    assert [score for _, _, score in found] == sorted((score for _, _, score in found), reverse=True)
    for _, hashtag, score in found:
        wanted, off = expected.pop(hashtag)
        assert score == pytest.approx(wanted, abs=off)
    for wanted, off in expected.values():  # none of the others should have been among them
        assert wanted - off <= found[-1][2]


# --- neighbours ----------------------------------------------------------------------------------


# --- off the mean ---------------------------------------------------------------------------------


def off_the_mean(
    vectors: NDArray[np.float16], query: NDArray[np.float16], neighbours: int
) -> dict[int, float]:
    """The neighbours among the nearest by cosine, and their weights, in float64."""
    wide, asked = vectors.astype(np.float64), query.astype(np.float64)
    centring = ranking.Centring.of(vectors)
    assert centring is not None
    mean = centring.mean.astype(np.float64)
    near = np.argsort(-(wide @ asked), kind="stable")[: 4 * max(neighbours, 50)]
    apart, own = wide[near] - mean, asked - mean
    closeness = apart @ own / (np.linalg.norm(apart, axis=1) * np.linalg.norm(own))
    best = np.argsort(-closeness)[:neighbours]
    weights = np.exp(0.75 / centring.spread * (closeness[best] - closeness[best[0]]))
    return dict(zip((near[best] + 1).tolist(), (weights / weights.sum()).tolist(), strict=True))


@pytest.fixture
def contrasted(connection: Connection) -> tuple[Connection, seed.World]:
    """300 photos, more than are ranked off the mean, and an active run with contrast."""
    world = seed.world(connection, images=300)
    centring = ranking.Centring.of(world.embeddings)
    assert centring is not None
    connection.execute("UPDATE tagdb_store.factor_runs SET contrast = 0.75")
    connection.execute(
        "UPDATE tagdb_store.factor_maps SET centre = %s, spread = %s, backbone_id = %s",
        (str(centring.mean.tolist()), centring.spread, world.backbone_id),
    )
    return connection, world


NEIGHBOURS = "SELECT image_id, weight, similarity FROM tagdb_store.neighbours(%s, %s, %s, %s, NULL)"


@pytest.mark.parametrize("neighbours", [1, 10, 60])
def test_neighbours_are_weighted_off_the_mean(
    contrasted: tuple[Connection, seed.World], neighbours: int
) -> None:
    connection, world = contrasted
    query = seed.features(1, 99)[0]
    found = connection.execute(NEIGHBOURS, (world.factor_run_id, seed.literal(query), None, neighbours))
    answered = found.fetchall()
    weights = {image: weight for image, weight, _ in answered}
    assert weights == pytest.approx(off_the_mean(world.embeddings, query, neighbours), rel=1e-3)
    cosines_ = world.embeddings.astype(np.float64) @ query.astype(np.float64)
    for image, _, similarity in answered:
        assert similarity == pytest.approx(cosines_[image - 1], abs=1e-3), "what is shown is the cosine"


def test_the_arrays_weigh_as_sql_does(contrasted: tuple[Connection, seed.World]) -> None:
    _, world = contrasted
    queries = seed.features(5, 98)
    centring = ranking.Centring.of(world.embeddings)
    near, weight = ranking.neighbours(queries, world.embeddings, 10, 0.75, 8.0, centring)
    for n, query in enumerate(queries):
        expected = off_the_mean(world.embeddings, query, 10)
        assert dict(zip((near[n] + 1).tolist(), weight[n].tolist(), strict=True)) == pytest.approx(
            expected, rel=1e-3
        )


def test_the_mean_of_another_backbone_means_nothing(contrasted: tuple[Connection, seed.World]) -> None:
    """Nor that of one that was dropped: similarity counts as in runs without contrast."""
    connection, world = contrasted
    query = seed.literal(seed.features(1, 99)[0])

    def weights() -> list[tuple[object, ...]]:
        return rows(connection, NEIGHBOURS, world.factor_run_id, query, None, 10)

    off = weights()
    connection.execute("UPDATE tagdb_store.factor_maps SET backbone_id = NULL")
    plain = weights()
    assert plain != off
    connection.execute("UPDATE tagdb_store.factor_runs SET contrast = 0")
    assert weights() == plain


def test_an_image_itself_is_left_out_off_the_mean(contrasted: tuple[Connection, seed.World]) -> None:
    connection, world = contrasted
    query = seed.literal(world.embeddings[4])
    assert rows(connection, NEIGHBOURS, world.factor_run_id, query, None, 3)[0][0] == 5
    found = rows(connection, NEIGHBOURS, world.factor_run_id, query, 5, 3)
    assert 5 not in [row[0] for row in found]
    assert sum(row[1] for row in found) == pytest.approx(1)


def test_the_mean_itself_and_nothing_are_answered(contrasted: tuple[Connection, seed.World]) -> None:
    """Neither has a direction off the mean."""
    connection, _ = contrasted
    centre = rows(connection, "SELECT centre::text FROM tagdb_store.factor_maps")[0][0]
    assert len(rows(connection, "SELECT * FROM tagdb.recommend_for_embedding(%s)", centre)) == 8
    nothing = seed.literal(np.zeros(seed.DIMENSIONS))
    assert rows(connection, "SELECT * FROM tagdb.recommend_for_embedding(%s)", nothing) == []


def test_an_image_is_never_its_own_neighbour(connection: Connection) -> None:
    world = seed.world(connection)
    for image_id, embedding in zip(world.image_ids.tolist(), world.embeddings, strict=True):
        found = connection.execute(
            "SELECT * FROM tagdb.recommend_for_image(%s, 8, 1)", (image_id,)
        ).fetchall()
        others = world.image_ids != image_id
        nearest = np.argmax(cosines(world.embeddings[others], embedding))
        scores = world.hashtag_factors.astype(float) @ world.image_factors[others][nearest].astype(float)
        assert [row[1] for row in found] == [world.hashtags[n] for n in np.argsort(-scores)]
        assert recommended(connection, embedding, 8, 1) != found


def test_without_its_embedding_an_image_has_no_recommendations(connection: Connection) -> None:
    seed.world(connection)
    assert connection.execute("SELECT * FROM tagdb.recommend_for_image(12345)").fetchall() == []


def test_images_without_factors_take_no_place(connection: Connection) -> None:
    """However many images without factors are nearer, those with factors are found."""
    world = seed.world(connection, images=30)
    query = seed.features(1, 77)[0]
    order = np.argsort(-cosines(world.embeddings, query))
    before = recommended(connection, query, 8, 2)
    factorless = [int(world.image_ids[n]) for n in order[:20]]
    connection.execute("DELETE FROM tagdb_store.image_factors WHERE image_id = ANY (%s)", (factorless,))
    found = recommended(connection, query, 8, 2)
    similarity = cosines(world.embeddings, query)[order[20:22]] ** 8
    average = similarity / similarity.sum() @ world.image_factors[order[20:22]].astype(float)
    scores = world.hashtag_factors.astype(float) @ average
    assert found != before
    assert [row[1] for row in found] == [world.hashtags[n] for n in np.argsort(-scores)]


def test_neighbours_are_the_runs_unless_said(connection: Connection) -> None:
    world = seed.world(connection)
    query = seed.features(1, 5)[0]
    connection.execute("UPDATE tagdb_store.factor_runs SET neighbours = 3")
    assert recommended(connection, query, 8, None) == recommended(connection, query, 8, 3)
    assert recommended(connection, query, 8, None) != recommended(connection, query, 8, 20)
    assert recommended(connection, query, 8, 20) == recommended(connection, query, 8, 1000)
    assert len(recommended(connection, query)) == len(world.hashtags)


def test_copies_of_one_photo(connection: Connection) -> None:
    """Among images of one distance any may be a neighbour, and those that are shown are in order."""
    world = seed.world(connection)
    connection.execute(
        "UPDATE tagdb_store.embeddings SET embedding = %s", (seed.literal(world.embeddings[0]),)
    )
    query = seed.features(1, 5)[0]
    found = recommended(connection, query, 8, 20)
    scores = world.hashtag_factors.astype(float) @ world.image_factors.astype(float).mean(axis=0)
    assert [row[1] for row in found] == [world.hashtags[n] for n in np.argsort(-scores)]
    shown = [row[1] for row in seen(connection, query, 5)]
    assert len(shown) == 5
    assert shown == sorted(shown)
    assert [row[1] for row in seen(connection, query, 20)] == world.image_ids.tolist()


# --- known and excluded hashtags -----------------------------------------------------------------


@pytest.mark.parametrize("argument", ["known", "exclude"])
def test_hashtags_are_left_out_however_they_are_written(connection: Connection, argument: str) -> None:
    world = seed.world(connection)
    query = seed.features(1, 5)[0]
    connection.execute("UPDATE tagdb_store.hashtags SET hashtag = 'strasse' WHERE hashtag = 'tag3'")
    everything = recommended(connection, query, 100)
    assert len(everything) == len(world.hashtags)
    given = ["#tag1", "TAG2", "＃ＳＴＲＡẞＥ", "  #Tag4 ", "nobody uses this", "", "#", "not a hashtag!"]
    if argument == "known":
        found = recommended(connection, query, 100, known=given)
    else:
        found = recommended(connection, query, 100, exclude=given)
    assert [row[1:] for row in found] == [
        row[1:] for row in everything if row[1] not in ("tag1", "tag2", "strasse", "tag4")
    ]


def test_leaving_out_comes_before_the_cut(connection: Connection) -> None:
    seed.world(connection)
    query = seed.features(1, 5)[0]
    best = [row[1] for row in recommended(connection, query, 100)]
    found = recommended(connection, query, 3, known=best[:2], exclude=best[2:4])
    assert [row[:2] for row in found] == [(1, best[4]), (2, best[5]), (3, best[6])]
    assert recommended(connection, query, 3, known=best) == []


def test_null_among_what_is_left_out(connection: Connection) -> None:
    world = seed.world(connection)
    query = seed.literal(seed.features(1, 5)[0])
    for known in ("ARRAY[NULL, 'tag1']", "NULL"):
        row = connection.execute(
            "SELECT count(*) FROM tagdb.recommend_for_embedding(%s, 100, known => " + known + ")", (query,)
        ).fetchone()
        assert row == (len(world.hashtags) - ("tag1" in known),)


# --- corners -------------------------------------------------------------------------------------


def test_nothing_to_recommend_from(connection: Connection) -> None:
    query = seed.features(1, 5)[0]
    assert recommended(connection, query) == []
    backbone_id = store.backbones.add(connection, seed.identity())
    assert recommended(connection, query) == []
    image_ids = seed.add_images(connection, 2)
    seed.add_embeddings(connection, backbone_id, image_ids, seed.features(2))
    assert recommended(connection, query) == []
    assert (
        connection.execute("SELECT FROM tagdb.recommend_for_image(%s)", (int(image_ids[0]),)).fetchall() == []
    )
    seed.begin_run(connection, 3)
    assert recommended(connection, query) == []


def test_a_run_that_is_not_active_recommends_nothing(connection: Connection) -> None:
    world = seed.world(connection)
    assert recommended(connection, world.embeddings[0])
    for status in ("building", "ready", "retired", "failed"):
        connection.execute("UPDATE tagdb_store.factor_runs SET status = %s", (status,))
        assert recommended(connection, world.embeddings[0]) == []


def test_only_the_active_runs_factors_count(connection: Connection) -> None:
    world = seed.world(connection, factors=4)
    before = recommended(connection, world.embeddings[0], 8)
    image_factors = np.ones((20, 2), np.float16)
    hashtag_factors = np.array([[n, 0] for n in range(7)], np.float16)
    seed.add_run(connection, world.image_ids, image_factors, world.hashtag_ids[:7], hashtag_factors)
    after = recommended(connection, world.embeddings[0], 8)
    assert [row[1] for row in after] == [f"tag{n}" for n in range(6, -1, -1)]
    connection.execute("SELECT tagdb_store.activate_factor_run(%s)", (world.factor_run_id,))
    assert recommended(connection, world.embeddings[0], 8) == before


def test_null_is_the_default(connection: Connection) -> None:
    world = seed.world(connection, hashtags=12)
    query = seed.literal(world.embeddings[0])
    plain = recommended(connection, world.embeddings[0])
    assert len(plain) == 10
    nulls = f"SELECT * FROM tagdb.recommend_for_embedding(%s{', NULL' * 9})"
    assert connection.execute(nulls, (query,)).fetchall() == plain
    for question in ("similar_images(%s, %s)", "similar_images_to(%s, %s)"):
        asked = f"SELECT FROM tagdb.{question}".encode()
        assert len(connection.execute(asked, (1 if "_to" in question else query, None)).fetchall()) == 10


@pytest.mark.parametrize(
    ("question", "complaint"),
    [
        ("recommend_for_embedding(%(query)s, top => 0)", "top must be 1 or more, not 0"),
        ("recommend_for_embedding(%(query)s, neighbours => 0)", "neighbours must be 1 or more, not 0"),
        ("recommend_for_embedding('[1,2,3]')", "embedding must have 1280 dimensions, not 3"),
        ("recommend_for_image(1, top => -1)", "top must be 1 or more, not -1"),
        ("recommend_for_image(1, neighbours => -7)", "neighbours must be 1 or more, not -7"),
        ("similar_images(%(query)s, 0)", "top must be 1 or more, not 0"),
        ("similar_images('[1]')", "embedding must have 1280 dimensions, not 1"),
        ("similar_images_to(1, 0)", "top must be 1 or more, not 0"),
        ("related_hashtags('tag1', 0)", "top must be 1 or more, not 0"),
        ("explain_recommendation(%(query)s, 'tag1', 0)", "neighbours must be 1 or more, not 0"),
        ("explain_recommendation('[1,2]', 'tag1')", "embedding must have 1280 dimensions, not 2"),
        ("complete_hashtags('t', top => 0)", "top must be 1 or more, not 0"),
    ],
)
def test_what_is_out_of_range_is_named(connection: Connection, question: str, complaint: str) -> None:
    world = seed.world(connection)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=f"^{complaint}"):
        connection.execute(
            f"SELECT * FROM tagdb.{question}".encode(), {"query": seed.literal(world.embeddings[0])}
        )


def test_an_embedding_of_nothing(connection: Connection) -> None:
    """A vector of zeros has no direction, and NULL is not even one: no rows, no error."""
    seed.world(connection)
    assert recommended(connection, np.zeros(seed.DIMENSIONS, np.float16)) == []
    assert connection.execute("SELECT FROM tagdb.recommend_for_embedding(NULL)").fetchall() == []


def test_neighbours_with_nothing_in_common(connection: Connection) -> None:
    """No weight at all is no recommendation; with exponent 0 all neighbours weigh the same."""
    world = seed.world(connection)
    vectors = np.zeros((20, seed.DIMENSIONS), np.float16)
    vectors[:, 1] = 1
    connection.execute("UPDATE tagdb_store.embeddings SET embedding = %s", (seed.literal(vectors[0]),))
    query = np.zeros(seed.DIMENSIONS, np.float16)
    query[0] = 1
    assert recommended(connection, query) == []
    connection.execute("UPDATE tagdb_store.factor_runs SET similarity_exponent = 0")
    assert len(recommended(connection, query)) == len(world.hashtags)


def test_ties_of_scores_are_in_order(connection: Connection) -> None:
    world = seed.world(connection)
    connection.execute("UPDATE tagdb_store.hashtag_factors SET factors = '[1,2,3,4]' WHERE hashtag_id <> 3")
    found = recommended(connection, seed.features(1, 5)[0], 100)
    tied = [row[1] for row in found if row[1] != world.hashtags[2]]
    assert tied == [name for name in world.hashtags if name != world.hashtags[2]]
    assert [row[1] for row in recommended(connection, seed.features(1, 5)[0], 3)] == [
        row[1] for row in found[:3]
    ]


def test_only_the_active_backbone_is_searched(connection: Connection) -> None:
    world = seed.world(connection)
    other = store.backbones.add(connection, seed.identity(2))
    query = seed.features(1, 5)[0]
    before = recommended(connection, query), seen(connection, query)
    others = np.repeat(query[None, :], 20, axis=0)
    seed.add_embeddings(connection, other, world.image_ids, others)
    assert (recommended(connection, query), seen(connection, query)) == before
    connection.execute("UPDATE tagdb_store.backbones SET active = false")
    connection.execute("UPDATE tagdb_store.backbones SET active = true WHERE backbone_id = %s", (other,))
    assert recommended(connection, query) != before[0]
    assert [row[3] for row in seen(connection, query)] == pytest.approx([1] * 10)


# --- similar images ------------------------------------------------------------------------------


def seen(
    connection: Connection, query: NDArray[np.floating], top: int = 10
) -> list[tuple[int, int, str, float]]:
    values = (seed.literal(query), top)
    return connection.execute("SELECT * FROM tagdb.similar_images(%s, %s)", values).fetchall()


def test_similar_images_are_the_nearest(connection: Connection) -> None:
    world = seed.world(connection)
    query = seed.features(1, 5)[0]
    similarity = cosines(world.embeddings, query)
    order = np.argsort(-similarity)
    found = seen(connection, query)
    assert [row[0] for row in found] == list(range(1, 11))
    assert [row[1] for row in found] == world.image_ids[order[:10]].tolist()
    assert [row[2] for row in found] == [f"file:///{n + 1}.jpg" for n in order[:10]]
    assert [row[3] for row in found] == pytest.approx(similarity[order[:10]], abs=SIMILAR_OFF)
    assert len(seen(connection, query, 100)) == 20


def test_similar_images_to(connection: Connection) -> None:
    world = seed.world(connection)
    for n, image_id in enumerate(world.image_ids.tolist()):
        found = connection.execute("SELECT * FROM tagdb.similar_images_to(%s, 4)", (image_id,)).fetchall()
        order = [m for m in np.argsort(-cosines(world.embeddings, world.embeddings[n])) if m != n]
        assert [row[1] for row in found] == world.image_ids[order[:4]].tolist()
        assert [row[0] for row in found] == [1, 2, 3, 4]
    assert connection.execute("SELECT FROM tagdb.similar_images_to(12345)").fetchall() == []


def test_the_store_asks_the_same_functions(connection: Connection) -> None:
    world = seed.world(connection)
    query = world.embeddings[3]
    asked = query.astype(np.float32)
    found = store.answers.recommend(
        connection, asked, store.answers.Query(5, 4, ["#TAG1"], ["tag2"], known_weight=0)
    )
    assert [(r.rank, r.hashtag, r.score) for r in found] == recommended(
        connection, query, 5, 4, ["tag1"], ["tag2"]
    )
    similar = store.answers.similar(connection, asked, 5)
    assert [(s.rank, s.image_id, s.uri, s.similarity) for s in similar] == seen(connection, query, 5)


def test_a_new_connection_can_recommend_at_once(connection: Connection, database_url: str) -> None:
    """The functions set parameters of pgvector, whose library a fresh connection has not loaded yet."""
    world = seed.world(connection)
    with database.connect(database_url) as fresh:
        assert recommended(fresh, world.embeddings[0])
        with fresh.transaction():
            fresh.execute("SET TRANSACTION READ ONLY")
            assert recommended(fresh, world.embeddings[0])
