"""Related, explained and completed hashtags, held against a brute force of the same in NumPy and Python."""

from __future__ import annotations

import time
import unicodedata
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tagdb import hashtags, store
from tagdb.errors import RejectedInput
from tagdb.postgres.database import Connection
from tests.support import seed
from tests.support.postgres import rows

Floats = NDArray[np.float64]

NAMES = tuple("abcdefgh")
SIMILAR_OFF = 3e-6
"""How far off a cosine similarity that pgvector computes in float32 may be."""
SLOW = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


# --- decisions -----------------------------------------------------------------------------------

Step = tuple[str, list[str], str | None]


def steps() -> st.SearchStrategy[list[Step]]:
    one, some = st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), min_size=1, max_size=3)
    return st.lists(
        st.one_of(
            st.tuples(st.just("merge"), some, one),
            st.tuples(st.just("ban"), some, st.none()),
        ),
        max_size=4,
    )


def decide(connection: Connection, decided: list[Step]) -> None:
    """Make edits; those that are refused change nothing."""
    for kind, names, into in decided:
        with suppress(psycopg.errors.InvalidParameterValue), connection.transaction():
            store.tags.edit(connection, kind, names, into)


@dataclass(frozen=True)
class Decided:
    """Every hashtag with its number, what it counts as, and which are banned."""

    numbers: dict[str, int]
    counts_as: dict[str, str]
    banned: set[str]

    def spellings(self, hashtag: str) -> list[str]:
        """What counts as the same, the hashtag that they count as first, then by number."""
        meant = self.counts_as[hashtag]
        same = [name for name, other in self.counts_as.items() if other == meant]
        return sorted(same, key=lambda name: (name != meant, self.numbers[name]))


def decisions(connection: Connection) -> Decided:
    found = rows(
        connection, "SELECT hashtag, hashtag_id, coalesce(alias_of, hashtag), banned FROM tagdb.hashtags"
    )
    return Decided(
        {row[0]: row[1] for row in found},
        {row[0]: row[2] for row in found},
        {row[0] for row in found if row[3]},
    )


# --- worlds with factors -------------------------------------------------------------------------


@pytest.fixture
def modelled(connection: Connection) -> Connection:
    """A database with hashtags ``NAMES``, a backbone and an active run that knows nothing yet."""
    store.backbones.add(connection, seed.identity())
    seed.add_hashtags(connection, NAMES)
    nothing = np.zeros(0, np.int64), np.zeros((0, 2), np.float16)
    seed.add_run(connection, *nothing, nothing[0].astype(np.int32), nothing[1])
    return connection


def add_factors(connection: Connection, table: str, ids: list[int], factors: NDArray[np.float16]) -> None:
    numbers = np.array(ids, np.int32 if table == "hashtag_factors" else np.int64)
    seed.copy(connection, table, np.full(len(ids), 1, np.int32), numbers, factors)


def check_best(found: list[tuple[int, str, float]], expected: dict[str, float], top: int, off: float) -> None:
    """What was found is in order, scores what it should, and nothing better was left out."""
    assert len(found) == min(top, len(expected))
    assert [rank for rank, _, _ in found] == list(range(1, len(found) + 1))
    assert [score for _, _, score in found] == sorted((score for _, _, score in found), reverse=True)
    left = dict(expected)
    for _, hashtag, score in found:
        assert score == pytest.approx(left.pop(hashtag), abs=off), hashtag
    for hashtag, score in left.items():
        assert score - off <= found[-1][2], hashtag


# --- related -------------------------------------------------------------------------------------


@settings(SLOW, max_examples=80)
@given(
    decided=steps(),
    known=st.frozensets(st.sampled_from(NAMES), min_size=1),
    zero=st.frozensets(st.sampled_from(NAMES), max_size=2),
    factors=st.integers(1, 9),
    top=st.integers(1, 9),
    scale=st.sampled_from([1.0, 1e-3, 100.0]),
    number=st.integers(0, 2**32 - 1),
)
def test_related_hashtags_are_the_nearest_by_cosine(
    modelled: Connection,
    decided: list[Step],
    known: frozenset[str],
    zero: frozenset[str],
    factors: int,
    top: int,
    scale: float,
    number: int,
) -> None:
    """The cosine of factors; of several spellings that of the nearest, and nothing of its own."""
    connection = modelled
    with connection.transaction(force_rollback=True):
        drawn = (np.random.default_rng(number).standard_normal((len(NAMES), factors)) * scale).astype(
            np.float16
        )
        drawn[[n for n, name in enumerate(NAMES) if name in zero]] = 0
        ids = dict(rows(connection, "SELECT hashtag, hashtag_id FROM tagdb.hashtags"))
        chosen = [n for n, name in enumerate(NAMES) if name in known]
        add_factors(connection, "hashtag_factors", [ids[NAMES[n]] for n in chosen], drawn[chosen])
        decide(connection, decided)
        policy = decisions(connection)
        vectors = {NAMES[n]: drawn[n].astype(np.float64) for n in chosen}
        for name in NAMES:
            own = next((vectors[one] for one in policy.spellings(name) if one in vectors), np.zeros(factors))
            expected: dict[str, float] = {}
            for other, vector in vectors.items():
                meant = policy.counts_as[other]
                lengths = np.linalg.norm(own) * np.linalg.norm(vector)
                if lengths and other not in policy.banned and meant != policy.counts_as[name]:
                    cosine = float(own @ vector / lengths)
                    expected[meant] = max(cosine, expected.get(meant, -2.0))
            question = "SELECT * FROM tagdb.related_hashtags(%s, %s)"
            found = rows(connection, question, f"#{name.upper()}", top)
            check_best(found, expected, top, SIMILAR_OFF)


def test_no_hashtag_is_related_to_what_the_run_does_not_know(connection: Connection) -> None:
    seed.world(connection)
    seed.add_hashtags(connection, ["later"])
    for unknown in ("later", "nobody uses this", "", "#", None):
        assert rows(connection, "SELECT * FROM tagdb.related_hashtags(%s)", unknown) == []
    assert len(rows(connection, "SELECT * FROM tagdb.related_hashtags('tag1', NULL)")) == 7
    connection.execute("UPDATE tagdb_store.factor_runs SET status = 'retired'")
    assert rows(connection, "SELECT * FROM tagdb.related_hashtags('tag1')") == []


def test_a_banned_hashtag_still_has_related_ones(connection: Connection) -> None:
    """Being banned keeps a hashtag from being shown, not from being asked about."""
    seed.world(connection)
    before = rows(connection, "SELECT * FROM tagdb.related_hashtags('tag1')")
    store.tags.edit(connection, "ban", ["tag1"])
    assert rows(connection, "SELECT * FROM tagdb.related_hashtags('tag1')") == before
    shown = rows(connection, "SELECT hashtag FROM tagdb.related_hashtags('tag2')")
    assert ("tag1",) not in shown


# --- explained -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Explained:
    """A small world to explain recommendations in, by brute force."""

    query: NDArray[np.float16]
    image_ids: NDArray[np.int64]
    similarity: Floats
    weights: Floats
    image_factors: Floats
    hashtag_factors: dict[str, Floats]
    carried: dict[int, set[str]]


def explainable(
    connection: Connection,
    images: int,
    factors: int,
    exponent: float,
    neighbours: int,
    number: int,
    sparse: bool,
) -> Explained:
    rng = np.random.default_rng(number)
    image_ids = seed.add_images(connection, images)
    vectors = seed.features(images + 1, number)
    if sparse:  # many have nothing in common with the query
        wide = np.zeros((images + 1, seed.DIMENSIONS))
        for vector in wide:
            vector[rng.integers(0, 5, 2)] = rng.random(2) + 0.1
        vectors = seed.unit(wide)
    seed.add_embeddings(connection, 1, image_ids, vectors[:-1])
    image_factors = rng.standard_normal((images, factors)).astype(np.float16)
    hashtag_factors = rng.standard_normal((len(NAMES), factors)).astype(np.float16)
    ids = dict(rows(connection, "SELECT hashtag, hashtag_id FROM tagdb.hashtags"))
    with_factors = rng.random(images) < 0.8
    add_factors(connection, "image_factors", image_ids[with_factors].tolist(), image_factors[with_factors])
    add_factors(connection, "hashtag_factors", [ids[name] for name in NAMES[:-1]], hashtag_factors[:-1])
    carried = {int(i): {name for name in NAMES if rng.random() < 0.3} for i in image_ids}
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO tagdb_store.image_hashtags (image_id, hashtag_id) VALUES (%s, %s)",
            [(i, ids[name]) for i, names in carried.items() for name in sorted(names)],
        )
    connection.execute(
        "UPDATE tagdb_store.factor_runs SET factors = %s, similarity_exponent = %s", (factors, exponent)
    )
    wide, asked = vectors[:-1][with_factors].astype(np.float64), vectors[-1].astype(np.float64)
    similarity: Floats = wide @ asked / (np.linalg.norm(wide, axis=1) * np.linalg.norm(asked))
    similarity[np.abs(similarity) < 1e-12] = 0
    known = image_ids[with_factors]
    order = np.lexsort((known, -similarity))
    if neighbours < len(order):  # of ties at the border any may be taken
        border = similarity[order[neighbours - 1 : neighbours + 1]]
        assume(border[0] - border[1] > 2 * SIMILAR_OFF)
    order = order[:neighbours]
    best = max(similarity[order], default=0)
    weights = np.zeros(len(order))
    if best > 0 or not exponent:
        weights = (similarity[order] / best) ** exponent if exponent else np.ones(len(order))
        weights = weights / weights.sum()
    return Explained(
        vectors[-1],
        known[order],
        similarity[order],
        weights,
        image_factors[with_factors][order].astype(np.float64),
        {name: hashtag_factors[n].astype(np.float64) for n, name in enumerate(NAMES[:-1])},
        carried,
    )


EXPLAIN = (
    "SELECT rank, image_id, uri, similarity, weight, carries, contribution"
    " FROM tagdb.explain_recommendation(%s, %s, %s)"
)


@settings(SLOW, max_examples=60)
@given(
    decided=steps(),
    images=st.integers(1, 15),
    factors=st.integers(1, 8),
    exponent=st.sampled_from([0.0, 1.0, 8.0]),
    neighbours=st.integers(1, 18),
    number=st.integers(0, 2**32 - 1),
    sparse=st.booleans(),
)
def test_an_explanation_adds_up_to_the_score(
    modelled: Connection,
    decided: list[Step],
    images: int,
    factors: int,
    exponent: float,
    neighbours: int,
    number: int,
    sparse: bool,
) -> None:
    """The neighbours that recommending averages, and a share of its score for each."""
    connection = modelled
    with connection.transaction(force_rollback=True):
        world = explainable(connection, images, factors, exponent, neighbours, number, sparse)
        decide(connection, decided)
        policy = decisions(connection)
        query = seed.literal(world.query)
        ask = "SELECT hashtag, score FROM tagdb.recommend_for_embedding(%s, 99, %s)"
        scores = dict(rows(connection, ask, query, neighbours))
        assert len(scores) == (
            len({policy.counts_as[name] for name in world.hashtag_factors if name not in policy.banned})
            if world.weights.any()
            else 0
        )
        for name in NAMES:
            found = rows(connection, EXPLAIN, query, f"#{name.upper()}", neighbours)
            spellings = [one for one in policy.spellings(name) if one in world.hashtag_factors]
            if not spellings or not world.weights.any():
                assert found == []
                continue
            assert [row[0] for row in found] == list(range(1, len(found) + 1))
            assert sorted(row[1] for row in found) == sorted(world.image_ids.tolist())
            assert [row[3] for row in found] == sorted((row[3] for row in found), reverse=True)
            assert sum(row[4] for row in found) == pytest.approx(1, abs=1e-9)
            total = sum(row[6] for row in found)
            if name not in policy.banned:
                assert abs(total - scores[policy.counts_as[name]]) < 1e-6
            average = world.weights @ world.image_factors
            meant = max(spellings, key=lambda one: float(world.hashtag_factors[one] @ average))
            rounded = 2**-10 * float(np.abs(world.hashtag_factors[meant]) @ np.abs(average)) + 1e-4
            dots = [float(world.hashtag_factors[one] @ average) for one in spellings]
            assert total == pytest.approx(max(dots), abs=rounded)
            certain = len(dots) == 1 or np.diff(np.sort(dots))[-1] > 2 * rounded
            place = {int(i): n for n, i in enumerate(world.image_ids)}
            for _, image_id, uri, similarity, weight, carries, contribution in found:
                n = place[image_id]
                assert uri.startswith("file:///")
                assert similarity == pytest.approx(world.similarity[n], abs=SIMILAR_OFF)
                assert weight == pytest.approx(world.weights[n], abs=1e-4)
                assert carries == bool(world.carried[image_id] & set(policy.spellings(name)))
                if certain:
                    own = world.weights[n] * float(world.hashtag_factors[meant] @ world.image_factors[n])
                    assert contribution == pytest.approx(own, abs=rounded + 1e-3)


def test_nothing_to_explain(connection: Connection) -> None:
    world = seed.world(connection)
    query = seed.literal(world.embeddings[0])
    zeros = seed.literal(np.zeros(seed.DIMENSIONS, np.float16))
    seed.add_hashtags(connection, ["later"])
    asked = [(None, "tag1"), (zeros, "tag1")]
    asked += [(query, hashtag) for hashtag in (None, "later", "nobody uses this", "#", "")]
    for embedding, hashtag in asked:
        assert rows(connection, EXPLAIN, embedding, hashtag, None) == [], hashtag
    assert len(rows(connection, EXPLAIN, query, "tag1", None)) == 20
    connection.execute("UPDATE tagdb_store.factor_runs SET neighbours = 3")
    assert len(rows(connection, EXPLAIN, query, "tag1", None)) == 3
    connection.execute("UPDATE tagdb_store.factor_runs SET status = 'retired'")
    assert rows(connection, EXPLAIN, query, "tag1", None) == []


def test_what_is_not_recommended_is_explained_all_the_same(connection: Connection) -> None:
    """A banned hashtag, or one that is known: what it would score, and why."""
    world = seed.world(connection)
    query = seed.literal(seed.features(1, 5)[0])
    scores = dict(rows(connection, "SELECT hashtag, score FROM tagdb.recommend_for_embedding(%s)", query))
    before = rows(connection, EXPLAIN, query, "tag1", None)
    assert sum(row[5] for row in before) == 3
    store.tags.edit(connection, "alias", ["tag2"], "tag1")
    store.tags.edit(connection, "ban", ["tag1"])
    found = rows(connection, EXPLAIN, query, "tag2", None)
    assert found == rows(connection, EXPLAIN, query, "tag1", None)
    assert sum(row[6] for row in found) == pytest.approx(max(scores["tag1"], scores["tag2"]), abs=1e-6)
    assert sum(row[5] for row in found) == 6
    assert len(found) == len(world.image_ids)


# --- what is no hashtag --------------------------------------------------------------------------


def test_texts_that_take_long_to_normalise_are_passed_over(connection: Connection) -> None:
    """They are far too long for a hashtag; as tagdb.fold_hashtag knows, which refuses them at once."""
    query = seed.literal(seed.world(connection).embeddings[0])
    text = "\u0301\u0323" * 30_000  # half a minute, if it were normalised
    calls: list[tuple[str, list[object]]] = [
        ("recommend_for_embedding(%s, known => %s)", [query, [text]]),
        ("recommend_for_image(1, exclude => %s)", [[text]]),
        ("related_hashtags(%s)", [text]),
        ("explain_recommendation(%s, %s)", [query, text]),
        ("complete_hashtags('t', %s)", [[text]]),
        ("complete_hashtags(%s)", [text]),
    ]
    for call, values in calls:
        started = time.monotonic()
        rows(connection, f"SELECT * FROM tagdb.{call}", *values)
        assert time.monotonic() - started < 5, call
    started = time.monotonic()
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        store.tags.edit(connection, "ban", [text])
    assert time.monotonic() - started < 5


# --- completed -----------------------------------------------------------------------------------

COMPLETE = "SELECT rank, hashtag, score FROM tagdb.complete_hashtags(%s, %s, %s)"


def folded(prefix: str) -> str:
    """A prefix as hashtags are folded; it need not be one."""
    stripped = prefix.translate(dict.fromkeys((0xFE0E, 0xFE0F))).strip()
    text = unicodedata.normalize("NFKC", stripped).lstrip("# ").casefold()
    return unicodedata.normalize("NFKC", text)


def is_hashtag(text: str) -> bool:
    try:
        return hashtags.fold(text) == text
    except RejectedInput:
        return False


def texts(longest: int) -> st.SearchStrategy[str]:
    """Texts that often have beginnings in common, of many scripts."""
    alphabet = st.one_of(
        st.sampled_from("tra_es·ßéeе\u0301ñσςשלוםمرحبا👍🏽🇩🇪❤\ufe0f日本กำi\u0307ıＴ%\\#1"),
        st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]),
    )
    return st.text(alphabet, max_size=longest)


@settings(SLOW, max_examples=120)
@given(
    names=st.lists(texts(5).map(folded).filter(is_hashtag), min_size=1, max_size=12, unique=True),
    number=st.integers(0, 11),
    length=st.integers(0, 5),
    spell=st.sampled_from([str, str.upper, str.title, "#{}".format, " ＃{}".format]),
    other=st.none() | texts(3),
)
@example(["tra", "tram", "tr", "train", "ｔ".casefold()], 1, 3, str.upper, None)
@example(["a_b", "ab", "a", "a·b"], 0, 2, str, None)
@example(["straße".casefold(), "stras", "strass"], 0, 5, str, "Straß")
@example(["\u05e9\u05dc\u05d5\u05dd", "\u05e9\u05dc"], 0, 2, str, None)
@example(["👍", "👍🏽", "👍🏽a"], 1, 1, str, "👍🏽")
def test_completion_finds_what_begins_so(
    connection: Connection,
    names: list[str],
    number: int,
    length: int,
    spell: Callable[[str], str],
    other: str | None,
) -> None:
    """The hashtags that begin with what was typed, as it would be stored."""
    names = [name for name in names if is_hashtag(name)]
    assume(names)
    typed = spell(names[number % len(names)][:length]) if other is None else other
    with connection.transaction(force_rollback=True):
        seed.add_hashtags(connection, names)
        found = rows(connection, COMPLETE, typed, [], 100)
        expected = [name for name in names if name.startswith(folded(typed))]
        assert found == [(rank, name, 0.0) for rank, name in enumerate(expected, 1)]


def test_prefixes_that_are_patterns_elsewhere(connection: Connection) -> None:
    names = ["tra", "tram", "trbm", "t_r", "_t", "to", "50", "🌊", "🌊sea", "שלום", "日本"]
    seed.add_hashtags(connection, names)
    for typed, expected in {
        "#Tra": {"tra", "tram"},
        "TRA": {"tra", "tram"},
        "＃ｔｒａ": {"tra", "tram"},
        "  tra ": {"tra", "tram"},
        "": set(names),
        "#": set(names),
        "_": {"_t"},
        "t_": {"t_r"},
        "tr_m": set(),
        "%": set(),
        "t%": set(),
        "tr.m": set(),
        "t*": set(),
        "t\\": set(),
        "\\": set(),
        "[t]": set(),
        "^t": set(),
        "'": set(),
        "tra ": {"tra", "tram"},
        "tra m": set(),
        "🌊": {"🌊", "🌊sea"},
        "🌊\ufe0f": {"🌊", "🌊sea"},
        "ש": {"שלום"},
        "שלו": {"שלום"},
        "ם": set(),
        "日": {"日本"},
        "x" * 5000: set(),
        "\U0010ffff": set(),
    }.items():
        assert {row[1] for row in rows(connection, COMPLETE, typed, [], 100)} == expected, typed
    for everything in ("NULL", "''", "NULL, NULL, NULL"):
        found = rows(connection, f"SELECT hashtag FROM tagdb.complete_hashtags({everything})")
        assert [row[0] for row in found] == names[:10]  # as many as there are unless told
    for left_out in ([None], ["nobody uses this"], None):
        assert len(rows(connection, COMPLETE, "", left_out, 100)) == len(names)


@settings(SLOW, max_examples=80)
@given(
    images=st.lists(st.text("abcdefgh", max_size=5), max_size=10),
    decided=steps(),
    known=st.lists(st.sampled_from([*NAMES, "nobody uses this"]), max_size=4),
    typed=st.sampled_from(["", "a", "#B", "c", "D", "_"]),
    top=st.integers(1, 9),
    min_images=st.integers(1, 2),
    refreshed=st.booleans(),
)
def test_scores_of_completed_hashtags(
    connection: Connection,
    images: list[str],
    decided: list[Step],
    known: list[str],
    typed: str,
    top: int,
    min_images: int,
    refreshed: bool,
) -> None:
    """The mean of the share of all images and of the shares of each known hashtag's images."""
    with connection.transaction(force_rollback=True):
        ids = dict(zip(NAMES, map(int, seed.add_hashtags(connection, NAMES)), strict=True))
        image_ids = seed.add_images(connection, len(images)).tolist()
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO tagdb_store.image_hashtags (image_id, hashtag_id) VALUES (%s, %s)",
                [
                    (i, ids[name])
                    for i, names in zip(image_ids, images, strict=True)
                    for name in sorted(set(names))
                ],
            )
        connection.execute("SELECT tagdb_store.refresh_statistics(%s)", (min_images,))
        decide(connection, decided)
        if refreshed:
            connection.execute("SELECT tagdb_store.refresh_statistics()")
        policy = decisions(connection)
        counted = [sorted({policy.counts_as[name] for name in names} - policy.banned) for names in images]
        on = Counter(name for names in counted for name in names)
        together = Counter(pair for names in counted for pair in combinations(names, 2))
        beside = {pair: n for pair, n in together.items() if n >= min_images}
        given = {policy.counts_as[name] for name in known if name in policy.counts_as}
        expected = {
            meant: (
                (on[meant] / len(images) if images else 0)
                + sum(beside.get(tuple(sorted((meant, one))), 0) / on[one] for one in given if on[one])  # type: ignore[call-overload]
            )
            / (1 + len(given))
            for name, meant in policy.counts_as.items()
            if name not in policy.banned and name.startswith(folded(typed)) and meant not in given
        }
        found = rows(connection, COMPLETE, typed, [f"#{name.upper()}" for name in known], top)
        check_best(found, expected, top, 1e-12)
        assert found == sorted(found, key=lambda row: (-row[2], ids[row[1]]))
        assert all(0 <= score <= 1 for _, _, score in found)


def test_an_alias_is_completed_as_what_it_counts_as(connection: Connection) -> None:
    seed.add_hashtags(connection, ["nyc", "newyork", "newark", "boston"])
    store.tags.edit(connection, "merge", ["nyc", "boston"], "newyork")

    def completed(typed: str, *known: str) -> list[str]:
        return [row[1] for row in rows(connection, COMPLETE, typed, list(known), 10)]

    assert completed("ny") == completed("bos") == ["newyork"]
    assert completed("n") == ["newyork", "newark"]  # once, not for each spelling
    assert completed("n", "boston") == ["newark"]
    assert completed("ny", "newyork") == []
    store.tags.edit(connection, "ban", ["newyork"])
    assert completed("ny") == completed("newy") == []
    assert completed("") == ["newark"]


def test_known_hashtags_lead_to_those_beside_them(connection: Connection) -> None:
    world: dict[str, int] = {"sea beach": 3, "sea sun": 1, "city": 6, "city sun": 2}
    names = sorted({name for carried in world for name in carried.split()})
    ids = dict(zip(names, seed.add_hashtags(connection, names).tolist(), strict=True))
    image_ids = iter(seed.add_images(connection, 12).tolist())
    for carried, times in world.items():
        for _ in range(times):
            image_id = next(image_ids)
            for name in carried.split():
                connection.execute(
                    "INSERT INTO tagdb_store.image_hashtags (image_id, hashtag_id) VALUES (%s, %s)",
                    (image_id, ids[name]),
                )
    connection.execute("SELECT tagdb_store.refresh_statistics(1)")
    assert [row[1] for row in rows(connection, COMPLETE, "", [], 10)] == ["city", "sea", "beach", "sun"]
    found = rows(connection, COMPLETE, "", ["#Sea"], 10)
    assert [row[1] for row in found] == ["beach", "city", "sun"]
    assert [row[2] for row in found] == pytest.approx(
        [(3 / 12 + 3 / 4) / 2, 8 / 12 / 2, (3 / 12 + 1 / 4) / 2]
    )
