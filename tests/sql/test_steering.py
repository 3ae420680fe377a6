"""Steering: known hashtags, diversity, a popularity discount, a least score, a collection."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from tagdb import store
from tagdb.postgres.database import Connection
from tagdb.store import index
from tests.support import seed

Floats = NDArray[np.float64]
Rows = list[tuple[int, str, float]]

QUERY = seed.features(1, 5)[0]
HASHTAGS = 12


@dataclass(frozen=True)
class Known:
    """A world with hashtags on various numbers of images, and what NumPy makes of it."""

    world: seed.World
    images: NDArray[np.int32]
    """Images of each hashtag."""
    run: int

    @property
    def factors(self) -> Floats:
        return self.world.hashtag_factors.astype(np.float64)

    def average(self, chosen: Sequence[int] | None = None, neighbours: int = 50) -> Floats:
        """The average of the neighbours' factors, of all images or of some."""
        wide = self.world.embeddings.astype(np.float64)
        among = np.arange(len(wide)) if chosen is None else np.array(chosen, int)
        similarity = wide[among] @ QUERY.astype(np.float64)
        similarity /= np.linalg.norm(wide[among], axis=1) * np.linalg.norm(QUERY.astype(np.float64))
        order = np.argsort(-similarity)[:neighbours]
        weight = similarity[order] ** 8
        near = self.world.image_factors[among[order]].astype(np.float64)
        return np.asarray(weight @ near / weight.sum())

    def scores(self, average: Floats | None = None) -> dict[str, float]:
        """The dot product of every hashtag's factors with an average."""
        found = self.factors @ (self.average() if average is None else average)
        return dict(zip(self.world.hashtags, found.tolist(), strict=True))

    def blended(self, hashtags: Sequence[str], weight: float, average: Floats | None = None) -> Floats:
        """The average led towards hashtags."""
        average = self.average() if average is None else average
        own = np.array([self.factors[self.world.hashtags.index(name)] for name in hashtags])
        direction = (own / np.linalg.norm(own, axis=1, keepdims=True)).mean(axis=0)
        direction /= np.linalg.norm(direction)
        return (1 - weight) * average + weight * np.linalg.norm(average) * direction

    def relevance(self, discount: float) -> dict[str, float]:
        """Scores, the positive ones divided by how much a hashtag is used."""
        share = (np.maximum(self.images, 1) / max(self.images.max(), 1)) ** discount
        return {
            name: score / share[n] if score > 0 else score
            for n, (name, score) in enumerate(self.scores().items())
        }


@pytest.fixture
def known(connection: Connection) -> Known:
    """Twenty images, twelve hashtags of five factors, on 1 to 500 images."""
    world = seed.world(connection, hashtags=HASHTAGS, factors=5)
    images = np.random.default_rng(8).integers(1, 500, HASHTAGS).astype(np.int32)
    run = seed.add_run(
        connection,
        world.image_ids,
        world.image_factors,
        world.hashtag_ids,
        world.hashtag_factors,
        hashtag_images=images,
    )
    return Known(world, images, run)


def asked(connection: Connection, top: int = 100, **arguments: object) -> Rows:
    """Call ``tagdb.recommend_for_embedding`` with arguments by name."""
    return _call(connection, "recommend_for_embedding", seed.literal(QUERY), top=top, **arguments)


def _call(connection: Connection, function: str, first: object, **arguments: object) -> Rows:
    named = "".join(f", {name} => %({name})s" for name in arguments)
    command = f"SELECT * FROM tagdb.{function}(%(first)s{named})".encode()
    return connection.execute(command, {"first": first} | arguments).fetchall()


def names(rows: Rows) -> list[str]:
    return [row[1] for row in rows]


def agrees(rows: Rows, expected: dict[str, float], off: float = 0.01) -> None:
    """The rows are these hashtags with these scores, in the order of the scores but for near ties."""
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    assert {row[1]: row[2] for row in rows} == pytest.approx(expected, abs=off)
    found = [row[2] for row in rows]
    assert found == sorted(found, reverse=True)


def without(scores: dict[str, float], *left_out: str) -> dict[str, float]:
    return {name: score for name, score in scores.items() if name not in left_out}


# --- nothing asked for -----------------------------------------------------------------------------


def test_what_is_not_given_changes_nothing(connection: Connection, known: Known) -> None:
    plain = asked(connection)
    agrees(plain, known.scores())
    for arguments in (
        {"known_weight": 0.9},
        {"diversity": 0},
        {"popularity_discount": 0},
        {"min_score": None, "collection": None, "diversity": None, "popularity_discount": None},
        {"known": [], "known_weight": None},
        {"min_score": -1e9},
        {"min_score": -math.inf},
    ):
        assert asked(connection, **arguments) == plain, arguments
    assert asked(connection, top=3) == plain[:3]


# --- known hashtags --------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [("tag3",), ("tag1", "tag8", "tag5")], ids=len)
def test_known_hashtags_lead(connection: Connection, known: Known, given: tuple[str, ...]) -> None:
    for weight in (None, 0.1, 0.5, 0.9, 1.0):
        found = asked(connection, known=list(given), known_weight=weight)
        average = known.blended(given, 0.5 if weight is None else weight)
        agrees(found, without(known.scores(average), *given))


def test_known_hashtags_without_weight_are_only_left_out(connection: Connection, known: Known) -> None:
    found = asked(connection, known=["tag3", "tag5"], known_weight=0)
    plain = [row for row in asked(connection) if row[1] not in ("tag3", "tag5")]
    assert [row[1:] for row in found] == [row[1:] for row in plain]
    assert found == asked(connection, exclude=["tag3", "tag5"])


def test_what_nobody_knows_does_not_lead(connection: Connection, known: Known) -> None:
    seed.add_hashtags(connection, ["stored"])  # but without factors
    plain = asked(connection)
    unknown = ["nobody uses this", "stored", "", "#", "not a hashtag!"]
    assert asked(connection, known=unknown, known_weight=1) == plain
    assert asked(connection, known=[*unknown, "#TAG3"]) == asked(connection, known=["tag3"])


def test_excluded_hashtags_do_not_lead(connection: Connection, known: Known) -> None:
    found = asked(connection, exclude=["tag3"], known=["tag1"])
    agrees(found, without(known.scores(known.blended(["tag1"], 0.5)), "tag1", "tag3"))


def test_a_hashtag_leads_once(connection: Connection, known: Known) -> None:
    assert asked(connection, known=["tag3", "#Tag3", "TAG3", "tag1"]) == asked(
        connection, known=["tag1", "tag3"]
    )


def test_aliases_lead_with_what_they_count_as(connection: Connection, known: Known) -> None:
    store.tags.edit(connection, "alias", ["tag4"], "tag3")
    for given in ("tag3", "#TAG4"):
        found = asked(connection, known=[given])
        scores = known.scores(known.blended(["tag3", "tag4"], 0.5))
        agrees(found, without(scores, "tag3", "tag4"))


def test_banned_hashtags_lead_nowhere(connection: Connection, known: Known) -> None:
    store.tags.edit(connection, "ban", ["tag3"])
    assert asked(connection, known=["tag3"]) == asked(connection)


def test_opposite_hashtags_cancel_out(connection: Connection, known: Known) -> None:
    connection.execute(
        "UPDATE tagdb_store.hashtag_factors SET factors = CASE hashtag_id"
        " WHEN %s THEN '[1,0,0,0,0]'::halfvec ELSE '[-2,0,0,0,0]'::halfvec END WHERE hashtag_id IN (%s, %s)",
        (int(known.world.hashtag_ids[3]), int(known.world.hashtag_ids[3]), int(known.world.hashtag_ids[4])),
    )
    assert asked(connection, known=["tag3", "tag4"]) == asked(connection, exclude=["tag3", "tag4"])


def test_a_known_hashtag_without_direction(connection: Connection, known: Known) -> None:
    connection.execute(
        "UPDATE tagdb_store.hashtag_factors SET factors = '[0,0,0,0,0]' WHERE hashtag_id = %s",
        (int(known.world.hashtag_ids[3]),),
    )
    assert asked(connection, known=["tag3"], known_weight=1) == asked(connection, exclude=["tag3"])


def test_known_hashtags_alone_where_no_image_is_like_it(connection: Connection, known: Known) -> None:
    """Orthogonal to all images: nothing is recommended, unless something is known."""
    vector = np.zeros(seed.DIMENSIONS, np.float16)
    vector[0] = 1
    connection.execute("UPDATE tagdb_store.embeddings SET embedding = %s", (seed.literal(vector),))
    vector[:2] = 0, 1
    call = "SELECT * FROM tagdb.recommend_for_embedding(%s, 100, known => %s)"
    assert connection.execute(call, (seed.literal(vector), [])).fetchall() == []
    found = connection.execute(call, (seed.literal(vector), ["tag3"])).fetchall()
    own = known.factors[3]
    agrees(found, without(known.scores(own / np.linalg.norm(own)), "tag3"))


# --- diversity -------------------------------------------------------------------------------------


def mmr(relevance: dict[str, float], factors: dict[str, Floats], diversity: float, top: int) -> list[str]:
    """Maximal marginal relevance, by brute force."""
    unit = {name: factors[name] / np.linalg.norm(factors[name]) for name in relevance}
    most = max(map(abs, relevance.values()))
    taken: list[str] = []
    left = sorted(relevance, key=lambda name: -relevance[name])
    while left and len(taken) < top:

        def gain(name: str) -> float:
            likeness = max((float(unit[name] @ unit[other]) for other in taken), default=0)
            return (1 - diversity) * relevance[name] / most - diversity * likeness

        best = max(left, key=gain)
        taken.append(best)
        left.remove(best)
    return taken


def test_diversity_trades_score_for_difference(connection: Connection, known: Known) -> None:
    plain = asked(connection)
    scores = {row[1]: row[2] for row in plain}
    factors = dict(zip(known.world.hashtags, known.factors, strict=True))
    for diversity in (0.05, 0.2, 0.5, 0.8, 1.0):
        for top in (1, 4, 12, 50):
            found = asked(connection, top=top, diversity=diversity)
            assert names(found) == mmr(scores, factors, diversity, top)
            assert {row[1]: row[2] for row in found} == {name: scores[name] for name in names(found)}
            assert [row[0] for row in found] == list(range(1, min(top, HASHTAGS) + 1))


def test_diversity_chooses_among_more_than_are_asked_for(connection: Connection) -> None:
    """The best are all alike; the first that is not stands below them."""
    world = seed.world(connection, hashtags=60, factors=3)
    factors = np.zeros((60, 3), np.float16)
    factors[:, 0] = np.linspace(1, 0.5, 60)
    factors[50, 1] = 3
    seed.add_run(
        connection, world.image_ids, np.tile(np.float16([1, 0, 0]), (20, 1)), world.hashtag_ids, factors
    )
    assert names(asked(connection, top=3)) == ["tag0", "tag1", "tag2"]
    assert names(asked(connection, top=3, diversity=0.5)) == ["tag0", "tag50", "tag1"]


def test_no_more_than_a_thousand_are_chosen_among(connection: Connection) -> None:
    """What is asked for is filled all the same."""
    world = seed.world(connection, hashtags=1500, factors=2)
    found = asked(connection, top=150, diversity=0.3)
    assert [row[0] for row in found] == list(range(1, 151))
    assert len(set(names(found))) == 150
    assert set(names(found)) <= set(names(asked(connection, top=1000)))
    assert len(world.hashtags) == 1500


def test_diversity_where_all_scores_are_nothing(connection: Connection, known: Known) -> None:
    connection.execute("UPDATE tagdb_store.image_factors SET factors = '[0,0,0,0,0]'")
    found = asked(connection, top=4, diversity=0.5)
    assert len(found) == 4
    assert {row[2] for row in found} == {0.0}


def test_diversity_of_negative_scores(connection: Connection, known: Known) -> None:
    """Where all are negative, the least negative comes first."""
    connection.execute("UPDATE tagdb_store.hashtag_factors SET factors = '[-1,-1,-1,-1,-1]'")
    connection.execute("UPDATE tagdb_store.image_factors SET factors = '[1,1,1,1,1]'")
    connection.execute(
        "UPDATE tagdb_store.hashtag_factors SET factors = '[-0.5,-0.5,-0.5,-0.5,-0.5]' WHERE hashtag_id = 7"
    )
    found = asked(connection, top=3, diversity=0.5)
    assert found[0][1:] == ("tag6", -2.5)
    assert len(found) == 3


def test_diversity_with_aliases_and_bans(connection: Connection, known: Known) -> None:
    best = names(asked(connection))
    store.tags.edit(connection, "ban", [best[0]])
    store.tags.edit(connection, "alias", [best[1]], best[5])
    plain = asked(connection)
    assert best[0] not in names(plain)
    assert names(plain)[0] == best[5]
    factors = dict(zip(known.world.hashtags, known.factors, strict=True))
    for diversity in (0.2, 0.6):
        found = asked(connection, top=6, diversity=diversity)
        assert names(found) == mmr({row[1]: row[2] for row in plain}, factors, diversity, 6)


# --- popularity discount ---------------------------------------------------------------------------


def test_a_popularity_discount_raises_what_is_rare(connection: Connection, known: Known) -> None:
    orders = set()
    for discount in (0.1, 0.5, 1.0):
        relevance = known.relevance(discount)
        found = asked(connection, popularity_discount=discount)
        assert names(found) == sorted(relevance, key=lambda name: -relevance[name])
        assert {row[1]: row[2] for row in found} == pytest.approx(relevance, abs=0.01, rel=1e-2)
        assert [row[2] for row in found] == sorted((row[2] for row in found), reverse=True)
        assert asked(connection, 3, popularity_discount=discount) == found[:3]
        orders.add(tuple(names(found)))
    assert len(orders) > 1


def test_a_discount_where_hashtags_are_on_no_image(connection: Connection, known: Known) -> None:
    """All count alike then."""
    plain = asked(connection)
    connection.execute("UPDATE tagdb_store.hashtag_factors SET images = 0")
    assert names(asked(connection, popularity_discount=1)) == names(plain)


def test_a_discount_with_aliases_and_bans(connection: Connection, known: Known) -> None:
    relevance = known.relevance(0.5)
    best = sorted(relevance, key=lambda name: -relevance[name])
    store.tags.edit(connection, "ban", [best[0]])
    store.tags.edit(connection, "alias", [best[2]], best[6])
    found = asked(connection, popularity_discount=0.5)
    assert names(found) == [best[1], best[6], *best[3:6], *best[7:]]
    assert found[1][2] == pytest.approx(relevance[best[2]], abs=0.01, rel=1e-2)


# --- a least score ---------------------------------------------------------------------------------


def test_a_least_score(connection: Connection, known: Known) -> None:
    plain = asked(connection)
    for n in (0, 3, 11):
        assert asked(connection, min_score=plain[n][2]) == plain[: n + 1]
    assert asked(connection, min_score=plain[0][2] + 0.001) == []
    assert asked(connection, min_score=math.inf) == []


def test_a_least_score_comes_before_the_cut(connection: Connection, known: Known) -> None:
    """With a discount that brings the least score that is positive to the front."""
    scores = known.scores()
    best = sorted(scores, key=lambda name: -scores[name])
    last = max(n for n in range(HASHTAGS) if scores[best[n]] > 0)
    rare = known.world.hashtag_ids[known.world.hashtags.index(best[last])]
    connection.execute(
        "UPDATE tagdb_store.hashtag_factors SET images = CASE hashtag_id WHEN %s THEN 1 ELSE 1000000 END",
        (int(rare),),
    )
    assert names(asked(connection, 2, popularity_discount=1)) == [best[last], best[0]]
    least = (scores[best[last]] + scores[best[last - 1]]) / 2
    assert names(asked(connection, 2, popularity_discount=1, min_score=least)) == best[:2]
    assert names(asked(connection, popularity_discount=1, min_score=least)) == best[:last]


def test_a_least_score_and_diversity(connection: Connection, known: Known) -> None:
    plain = asked(connection)
    found = asked(connection, diversity=1, min_score=plain[4][2])
    assert sorted(names(found)) == sorted(names(plain[:5]))


def test_a_least_score_of_aliases(connection: Connection, known: Known) -> None:
    """The best spelling decides."""
    best = asked(connection)
    store.tags.edit(connection, "alias", [best[1][1]], best[8][1])
    found = asked(connection, min_score=best[2][2])
    assert names(found) == [best[0][1], best[8][1], best[2][1]]


# --- a collection ----------------------------------------------------------------------------------


def collect(connection: Connection, known: Known, name: str, chosen: Sequence[int]) -> None:
    connection.execute(
        "UPDATE tagdb_store.images SET collection = %s WHERE image_id = ANY (%s)",
        (name, known.world.image_ids[list(chosen)].tolist()),
    )


def test_only_images_of_the_collection_are_averaged(connection: Connection, known: Known) -> None:
    chosen = [2, 3, 5, 7, 11, 13, 17]
    collect(connection, known, "prime", chosen)
    collect(connection, known, "square", [0, 1, 4, 9, 16])
    for neighbours in (1, 3, 50):
        found = asked(connection, collection="prime", neighbours=neighbours)
        agrees(found, known.scores(known.average(chosen, neighbours)))
        everywhere = asked(connection, neighbours=neighbours)
        assert found != everywhere
        assert asked(connection, collection=None, neighbours=neighbours) == everywhere


def test_an_unknown_collection(connection: Connection, known: Known) -> None:
    collect(connection, known, "prime", [2, 3, 5])
    for name in ("nobody's", "", "PRIME"):
        assert asked(connection, collection=name) == []


def test_a_collection_that_nothing_is_known_of(connection: Connection, known: Known) -> None:
    """Its images have no factors."""
    collect(connection, known, "new", [2, 3])
    connection.execute(
        "DELETE FROM tagdb_store.image_factors WHERE image_id = ANY (%s)",
        (known.world.image_ids[[2, 3]].tolist(),),
    )
    assert asked(connection, collection="new") == []


def test_a_collection_with_other_steering(connection: Connection, known: Known) -> None:
    chosen = [2, 3, 5, 7, 11, 13, 17]
    collect(connection, known, "prime", chosen)
    average = known.blended(["tag3"], 0.4, known.average(chosen))
    found = asked(connection, collection="prime", known=["tag3"], known_weight=0.4)
    agrees(found, without(known.scores(average), "tag3"))


def test_an_image_is_not_its_own_neighbour_in_its_collection(connection: Connection, known: Known) -> None:
    collect(connection, known, "two", [4, 6])
    image_id = int(known.world.image_ids[4])
    found = _call(connection, "recommend_for_image", image_id, top=100, collection="two")
    agrees(found, known.scores(known.world.image_factors[6].astype(np.float64)))
    collect(connection, known, "one", [4])
    assert _call(connection, "recommend_for_image", image_id, top=100, collection="one") == []


LIMIT = 4
"""How many images make no large collection yet, in place of thousands."""


@pytest.fixture
def limit(connection: Connection) -> None:
    """The function with another limit."""
    row = connection.execute(
        "SELECT pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname = 'tagdb_store' AND p.proname = 'neighbours'"
    ).fetchone()
    assert row is not None
    found = re.search(r"LIMIT (\d{4,})", row[0])
    assert found is not None
    one_more, changed = int(found[1]), row[0]
    for number, instead in ((one_more, LIMIT + 1), (one_more - 1, LIMIT)):
        changed, times = re.subn(rf"\b{number}\b(?! *ROWS)", str(instead), changed)
        assert times == 1
    connection.execute(changed.encode())


@pytest.mark.usefixtures("limit")
@pytest.mark.parametrize("indexed", [False, True], ids=["scan", "index"])
def test_collections_on_both_sides_of_the_limit(
    connection: Connection, known: Known, indexed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at as a whole or searched for in order: the same."""
    if indexed:
        monkeypatch.setattr(index, "INDEX_FROM", 1)
        assert store.index.ensure(connection, known.world.backbone_id)
    for size in (3, LIMIT, LIMIT + 1, 12):
        chosen = np.random.default_rng(size).permutation(20)[:size].tolist()
        collect(connection, known, f"of {size}", chosen)
        for neighbours in (1, 2, size, 50):
            found = asked(connection, collection=f"of {size}", neighbours=neighbours)
            agrees(found, known.scores(known.average(chosen, neighbours)))
        connection.execute("UPDATE tagdb_store.images SET collection = NULL")
    assert asked(connection, collection="nobody's") == []


def test_a_large_collection_with_few_factors(connection: Connection, known: Known) -> None:
    """More images than are looked at as a whole, of which next to none can be a neighbour."""
    chosen = [1, 8, 9]
    collect(connection, known, "large", chosen)
    connection.execute(
        "INSERT INTO tagdb_store.images (content_sha256, uri, media_type, width, height, bytes, collection)"
        " SELECT sha256(('large' || n)::bytea), 'file:///large' || n, 'image/jpeg', 1, 1, 1, 'large'"
        " FROM generate_series(1, 10000) n"
    )
    for neighbours in (2, 50):
        found = asked(connection, collection="large", neighbours=neighbours)
        agrees(found, known.scores(known.average(chosen, neighbours)))
    image_id = int(known.world.image_ids[8])
    assert len(_call(connection, "recommend_for_image", image_id, top=100, collection="large")) == HASHTAGS


# --- what cannot be --------------------------------------------------------------------------------


OUT_OF_RANGE = {
    -0.001: "-0.001",
    1.5: "1.5",
    math.nan: "NaN",
    math.inf: "Infinity",
    -math.inf: "-Infinity",
}


@pytest.mark.parametrize("argument", ["known_weight", "diversity", "popularity_discount"])
def test_what_is_out_of_range_is_named(connection: Connection, known: Known, argument: str) -> None:
    for function, about in (("recommend_for_embedding", seed.literal(QUERY)), ("recommend_for_image", 1)):
        for value, said in OUT_OF_RANGE.items():
            with pytest.raises(psycopg.errors.InvalidParameterValue) as caught:
                _call(connection, function, about, **{argument: value})
            complaint = f"{argument} must be a number from 0 to 1, not {said}"
            assert caught.value.diag.message_primary == complaint


def test_the_ends_of_the_ranges(connection: Connection, known: Known) -> None:
    for value in (0, 1):
        steered = {"known_weight": value, "diversity": value, "popularity_discount": value}
        assert len(asked(connection, known=["tag1"], **steered)) == HASHTAGS - 1


def test_what_cannot_be_is_refused_also_where_nothing_is_found(connection: Connection) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="diversity must be a number"):
        asked(connection, diversity=2)


def test_a_least_score_that_is_no_number(connection: Connection, known: Known) -> None:
    try:
        found = asked(connection, min_score=math.nan)
    except psycopg.errors.InvalidParameterValue as error:
        assert str(error).startswith("min_score must be")  # noqa: PT017
    else:
        assert found == []


# --- all at once -----------------------------------------------------------------------------------


def test_everything_at_once(connection: Connection, known: Known) -> None:
    """Against NumPy: a collection, known hashtags, a discount, a least score and diversity."""
    chosen = [1, 2, 3, 5, 8, 13]
    collect(connection, known, "fibonacci", chosen)
    store.tags.edit(connection, "ban", ["tag0"])
    average = known.blended(["tag3"], 0.3, known.average(chosen, 4))
    scores = without(known.scores(average), "tag0", "tag3", "tag7")
    least = sorted(scores.values())[2] - 0.02
    share = dict(zip(known.world.hashtags, (known.images / known.images.max()) ** 0.4, strict=True))
    relevance = {
        name: score / share[name] if score > 0 else score for name, score in scores.items() if score >= least
    }
    factors = dict(zip(known.world.hashtags, known.factors, strict=True))
    found = asked(
        connection, 5, neighbours=4, collection="fibonacci", known=["#Tag3"], known_weight=0.3,
        exclude=["tag7"], popularity_discount=0.4, min_score=least, diversity=0.3,
    )  # fmt: skip
    assert names(found) == mmr(relevance, factors, 0.3, 5)
    assert {row[1]: row[2] for row in found} == pytest.approx(
        {name: relevance[name] for name in names(found)}, abs=0.01, rel=1e-2
    )


STEERED: list[dict[str, object]] = [
    {"known": ["tag1"]},
    {"known": ["tag1"], "known_weight": 1},
    {"diversity": 0.4},
    {"popularity_discount": 0.7},
    {"min_score": -50},
    {"collection": "all"},
    {"known": ["tag1"], "diversity": 0.3, "popularity_discount": 0.3, "min_score": -50, "collection": "all"},
]


def test_bans_aliases_and_exclusions_hold(connection: Connection, known: Known) -> None:
    collect(connection, known, "all", range(20))
    store.tags.edit(connection, "ban", ["tag2", "tag9"])
    store.tags.edit(connection, "alias", ["tag5"], "tag6")
    everything = set(known.world.hashtags) - {"tag2", "tag9", "tag5", "tag4"}
    for steered in STEERED:
        expected = everything - {"tag1"} if "known" in steered else everything
        for top in (100, len(expected)):
            found = asked(connection, top, exclude=["tag4"], **steered)
            assert set(names(found)) == expected, steered
            assert len(found) == len(expected)
        found = asked(connection, exclude=["tag5"], **steered)  # which is tag6
        assert "tag6" not in names(found)
        image = _call(connection, "recommend_for_image", 1, top=100, exclude=["tag4"], **steered)
        assert set(names(image)) == expected


def test_an_image_and_its_embedding_are_steered_alike(connection: Connection, known: Known) -> None:
    """Of an image that is no neighbour of its own, because it has no factors."""
    connection.execute("DELETE FROM tagdb_store.image_factors WHERE image_id = 4")
    collect(connection, known, "all", range(20))
    for steered in STEERED:
        by_image = _call(connection, "recommend_for_image", 4, top=6, **steered)
        by_embedding = _call(
            connection,
            "recommend_for_embedding",
            seed.literal(known.world.embeddings[3]),
            top=6,
            **steered,
        )
        assert by_image == by_embedding
        assert by_image


def test_the_store_passes_everything_on(connection: Connection, known: Known) -> None:
    collect(connection, known, "prime", [2, 3, 5, 7, 11])
    query = store.answers.Query(5, 3, ["#Tag1"], ["tag2"], 0.3, 0.2, 0.4, -5.0, "prime")
    found = store.answers.recommend(connection, QUERY.astype(np.float32), query)
    expected = asked(
        connection, 5, neighbours=3, known=["tag1"], exclude=["tag2"], known_weight=0.3, diversity=0.2,
        popularity_discount=0.4, min_score=-5, collection="prime",
    )  # fmt: skip
    assert [(one.rank, one.hashtag, one.score) for one in found] == expected
    assert len(expected) == 5
