"""Aliases, merges and bans: what they change at once, what is refused, and that all can be undone."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tagdb import store
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tests.support import seed
from tests.support.postgres import rows
from tests.support.waiting import blocked

NAMES = tuple("abcdefg")
SLOW = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
REFUSED = psycopg.errors.InvalidParameterValue

Policy = dict[str, tuple[str | None, bool, int | None]]


def alias(connection: Connection, hashtag: str, into: str) -> store.tags.Edit:
    return store.tags.edit(connection, "alias", [hashtag], into)


def ban(connection: Connection, *hashtags: str) -> store.tags.Edit:
    return store.tags.edit(connection, "ban", hashtags)


def policy(connection: Connection) -> Policy:
    """What each hashtag counts as, whether it is banned, and which edit made it so."""
    found = rows(connection, "SELECT hashtag, alias_of, banned, edit_id FROM tagdb.hashtags")
    return {hashtag: (alias_of, banned, edit) for hashtag, alias_of, banned, edit in found}


def sentence(error: psycopg.Error) -> str:
    assert isinstance(error, REFUSED), error
    assert error.diag.message_primary is not None
    return error.diag.message_primary


def attempt(
    connection: Connection, edit: Callable[[], store.tags.Edit]
) -> tuple[store.tags.Edit | None, str | None]:
    """Make an edit, or return the sentence that refuses it."""
    try:
        with connection.transaction():
            return edit(), None
    except psycopg.Error as error:
        return None, sentence(error)


def carry(connection: Connection, *images: str) -> list[int]:
    """Store images that carry hashtags of one letter each."""
    seed.add_hashtags(connection, sorted(set("".join(images))))
    ids = [int(i) for i in seed.add_images(connection, len(images))]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO tagdb_store.image_hashtags (image_id, hashtag_id)"
            " SELECT %s, hashtag_id FROM tagdb_store.hashtags WHERE hashtag = ANY (%s)",
            [(i, list(names)) for i, names in zip(ids, images, strict=True)],
        )
    connection.execute("SELECT tagdb_store.refresh_statistics(1)")
    return ids


# --- the rules -----------------------------------------------------------------------------------


@dataclass
class Made:
    """An edit as the model has made it."""

    number: int
    kind: str
    hashtags: list[str]
    into: str | None
    before: Policy
    undone: bool = False


@dataclass
class Model:
    """The rules of editing, anew in Python."""

    now: Policy = field(default_factory=dict)
    made: list[Made] = field(default_factory=list)

    def counts_as(self, name: str) -> str:
        return self.now.get(name, (None, False, None))[0] or name

    def banned(self, name: str) -> bool:
        return self.now.get(name, (None, False, None))[1]

    def refusal(self, names: list[str], into: str | None) -> str | None:
        """Why an edit is refused, if it is."""
        target = None if into is None else self.counts_as(into)
        if target is not None and self.banned(target):
            return f"#{target} is banned; undo that first"
        for name in sorted(set(names)):
            counts_as = self.counts_as(name)
            if self.banned(name):
                return f"#{name} is already banned" if into is None else f"#{name} is banned; undo that first"
            if target is None and counts_as != name:
                return f"#{name} counts as #{counts_as}; ban that, or undo this first"
            if target is not None and name != target and counts_as == target:
                return f"#{name} already counts as #{target}"
            if name == target and into in self.now and into != target:
                return f"#{into} counts as #{name} by edit {self.now[into][2]}; undo that first"
            if name == target:
                return f"#{name} cannot count as itself"
        return None

    def edit(self, number: int, kind: str, names: list[str], into: str | None) -> None:
        target = None if into is None else self.counts_as(into)
        for name in [*names, *([into] if into else [])]:
            self.now.setdefault(name, (None, False, None))
        given = set(names) | {name for name, (of, _, _) in self.now.items() if of in names}
        before = {name: self.now[name] for name in given}
        for name in given:
            self.now[name] = (self.now[name][0] if target is None else target, target is None, number)
        self.made.append(Made(number, kind, sorted(set(names)), target, before))

    def last(self) -> Made | None:
        return next((edit for edit in reversed(self.made) if not edit.undone), None)

    def later(self, edit: Made) -> int | None:
        """The last edit of the same hashtags that was made after this one."""
        return max(
            (
                other.number
                for other in self.made
                if other.number > edit.number
                and not other.undone
                and other.before.keys() & edit.before.keys()
            ),
            default=None,
        )

    def lost(self, edit: Made) -> set[str]:
        """Why what the hashtags counted as before cannot be counted as again; any of these may be said."""
        others = {of for of, _, _ in edit.before.values() if of is not None} - edit.before.keys()
        made = {of: self.now[of][2] for of in others if self.banned(of) or self.counts_as(of) != of}
        last = max((number or 0 for number in made.values()), default=None)
        return {
            f"edit {last} was made later on #{of}, which they counted as before; undo that first"
            for of, number in made.items()
            if number == last
        }

    def undo(self, edit: Made) -> None:
        self.now |= edit.before
        edit.undone = True


Step = tuple[str, Any, Any]


def steps() -> st.SearchStrategy[Step]:
    one, some = st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), min_size=1, max_size=3)
    return st.one_of(
        st.tuples(st.just("alias"), one.map(lambda name: [name]), one),
        st.tuples(st.just("merge"), some, one),
        st.tuples(st.just("ban"), some, st.none()),
        st.tuples(st.just("undo"), st.none(), st.none() | st.integers(0, 5)),
    )


def check_invariants(found: Policy) -> None:
    for name, (counts_as, banned, _) in found.items():
        if counts_as is not None:
            assert found[counts_as][0] is None, f"#{name} counts as #{counts_as}, which counts as another"
            assert found[counts_as][1] == banned, f"#{name} counts as #{counts_as}; one of them is banned"


@settings(SLOW, max_examples=120)
@given(decided=st.lists(steps(), min_size=1, max_size=9))
@example(decided=[("alias", ["a"], "b"), ("alias", ["b"], "c"), ("alias", ["c"], "a"), ("undo", None, 0)])
@example(decided=[("alias", ["a"], "b"), ("ban", ["b"], None), ("undo", None, 0), ("undo", None, None)])
@example(decided=[("alias", ["a"], "b"), ("alias", ["c"], "a"), ("undo", None, 0), ("undo", None, 0)])
@example(
    decided=[
        *(("alias", ["a"], "b"), ("alias", ["a"], "c"), ("ban", ["b"], None), ("undo", None, 1)),
        *(("undo", None, 2), ("alias", ["b"], "d"), ("undo", None, 1), ("undo", None, 3), ("undo", None, 1)),
    ]
)
def test_edits_in_any_order_follow_the_rules(connection: Connection, decided: list[Step]) -> None:
    """Whatever is asked for in whatever order: the same is refused with the same words, or done."""
    model = Model()
    numbers = []
    with connection.transaction(force_rollback=True):
        for kind, names, into in decided:
            edits = rows(connection, "SELECT * FROM tagdb.hashtag_edits ORDER BY 1")
            undone: Made | None = None
            refusals: set[str | None]
            if kind == "undo":
                undone = model.last() if into is None else next(iter(model.made[into:]), None)
                number = None if into is None else (undone.number if undone else 10**12 + into)
                if undone is None:
                    refusals = {"there is no edit to undo" if into is None else f"there is no edit {number}"}
                elif undone.undone:
                    refusals = {f"edit {number} was already undone"}
                elif later := model.later(undone):
                    refusals = {f"edit {later} was made later on the same hashtags; undo that first"}
                else:
                    refusals = {*model.lost(undone)} or {None}
            else:
                refusals = {model.refusal(names, into)}
            if kind == "undo":
                found, complaint = attempt(connection, partial(store.tags.undo, connection, number))
            else:
                found, complaint = attempt(
                    connection, partial(store.tags.edit, connection, kind, names, into)
                )
            assert complaint in refusals
            if found is None:
                assert rows(connection, "SELECT * FROM tagdb.hashtag_edits ORDER BY 1") == edits
                assert policy(connection) == model.now
                continue
            if undone is not None:
                model.undo(undone)
                assert found.edit_id == undone.number
            else:
                model.edit(found.edit_id, kind, names, into)
                numbers.append(found.edit_id)
                assert numbers == sorted(numbers)
                assert found == store.tags.Edit(
                    found.edit_id, kind, model.made[-1].hashtags, model.made[-1].into
                )
            assert policy(connection) == model.now
            check_invariants(model.now)
        kept = rows(
            connection,
            "SELECT edit_id, kind, hashtags, into_hashtag, undone_at IS NOT NULL, undone_by IS NOT NULL"
            " FROM tagdb.hashtag_edits ORDER BY 1",
        )
        assert kept == [(m.number, m.kind, m.hashtags, m.into, m.undone, m.undone) for m in model.made]
        listed = {d.hashtag: (d.alias_of, d.banned, d.edit_id) for d in store.tags.decisions(connection)}
        assert listed == {name: is_ for name, is_ in model.now.items() if is_[0] is not None or is_[1]}


@pytest.mark.parametrize("then", ["alias", "ban"])
def test_undoing_what_would_count_as_a_hashtag_that_counts_no_more(connection: Connection, then: str) -> None:
    """Undo that a counts as c instead of b, after b was made an alias or banned."""
    seed.world(connection)
    alias(connection, "tag0", "tag1")
    moved = alias(connection, "tag0", "tag2")
    if then == "alias":
        alias(connection, "tag1", "tag3")
    else:
        ban(connection, "tag1")
    _, complaint = attempt(connection, lambda: store.tags.undo(connection, moved.edit_id))
    assert complaint is None or "undo that first" in complaint
    check_invariants(policy(connection))
    query = seed.literal(seed.features(1, 9)[0])
    recommended = {
        row[0] for row in rows(connection, "SELECT hashtag FROM tagdb.recommend_for_embedding(%s, 99)", query)
    }
    assert "tag1" not in recommended


def everything(connection: Connection) -> dict[str, Any]:
    """Statistics as they are stored."""
    found: dict[str, Any] = {
        table: sorted(rows(connection, f"SELECT * FROM tagdb_store.{table}"))
        for table in ("hashtag_collections", "hashtag_pairs", "hashtag_trend", "counted_images")
    }
    counts = "SELECT hashtag_id, images, first_seen, last_seen, beside FROM tagdb_store.hashtag_counts"
    found["statistics"] = rows(connection, "SELECT images, min_images FROM tagdb_store.statistics")
    return found | {"hashtag_counts": sorted(rows(connection, counts))}


@settings(SLOW, max_examples=40)
@given(
    images=st.lists(st.text("abcdefg", max_size=4), min_size=1, max_size=8),
    decided=st.lists(steps().filter(lambda step: step[0] != "undo"), min_size=1, max_size=7),
    min_images=st.integers(1, 2),
)
def test_undoing_all_restores_all(
    connection: Connection, images: list[str], decided: list[Step], min_images: int
) -> None:
    with connection.transaction(force_rollback=True):
        carry(connection, "abcdefg", *images)
        connection.execute("SELECT tagdb_store.refresh_statistics(%s)", (min_images,))
        beside = rows(connection, "SELECT hashtag, hashtags_beside FROM tagdb.hashtag_stats ORDER BY 1")
        before = []
        for kind, names, into in decided:
            was = policy(connection), everything(connection)
            made, _ = attempt(connection, partial(store.tags.edit, connection, kind, names, into))
            if made is not None:
                before.append((made.edit_id, was))
        for edit, was in reversed(before):
            assert store.tags.undo(connection).edit_id == edit
            assert (policy(connection), everything(connection)) == was
        connection.execute("SELECT tagdb_store.refresh_statistics()")
        assert (
            rows(connection, "SELECT hashtag, hashtags_beside FROM tagdb.hashtag_stats ORDER BY 1") == beside
        )


# --- what they change at once --------------------------------------------------------------------


@settings(SLOW, max_examples=60)
@given(
    decided=st.lists(steps(), max_size=5),
    top=st.integers(1, 9),
    known=st.lists(st.sampled_from(NAMES), max_size=3),
    exclude=st.lists(st.sampled_from(NAMES), max_size=2),
    without=st.sets(st.sampled_from(NAMES), max_size=2),
    number=st.integers(0, 5),
)
def test_what_is_recommended(
    world: tuple[Connection, seed.World],
    decided: list[Step],
    top: int,
    known: list[str],
    exclude: list[str],
    without: set[str],
    number: int,
) -> None:
    """The best score of all spellings, banned and unwanted ones out, and only then the best of them."""
    connection, seeded = world
    query = seed.literal(seed.features(1, number)[0])
    image_id = int(seeded.image_ids[number])
    with connection.transaction(force_rollback=True):
        connection.execute(
            "DELETE FROM tagdb_store.hashtag_factors f USING tagdb_store.hashtags h"
            " WHERE h.hashtag_id = f.hashtag_id AND h.hashtag = ANY (%s)",
            (sorted(without),),
        )
        questions = {
            "recommend_for_embedding(%s, %s, known => %s, exclude => %s, known_weight => 0)": query,
            "recommend_for_image(%s, %s, known => %s, exclude => %s, known_weight => 0)": image_id,
        }
        scores = {
            question: {
                row[0]: row[1]
                for row in rows(
                    connection, f"SELECT hashtag, score FROM tagdb.{question}", argument, 99, [], []
                )
            }
            for question, argument in questions.items()
        }
        for kind, names, into in decided:
            if kind == "undo":
                attempt(connection, partial(store.tags.undo, connection))
            else:
                attempt(connection, partial(store.tags.edit, connection, kind, names, into))
        decisions = policy(connection)
        ids = dict(rows(connection, "SELECT hashtag, hashtag_id FROM tagdb.hashtags"))
        unwanted = {decisions[name][0] or name for name in [*known, *exclude]}
        for question, argument in questions.items():
            best: dict[str, float] = {}
            for name, score in scores[question].items():
                counts_as = decisions[name][0] or name
                if not decisions[name][1] and counts_as not in unwanted:
                    best[counts_as] = max(score, best.get(counts_as, -np.inf))
            expected = sorted(best.items(), key=lambda one: (-one[1], ids[one[0]]))[:top]
            found = rows(
                connection,
                f"SELECT * FROM tagdb.{question}",
                *(argument, top, [f"#{name.upper()}" for name in known], exclude),
            )
            assert found == [(rank, *one) for rank, one in enumerate(expected, 1)]


@pytest.fixture
def world(connection: Connection) -> tuple[Connection, seed.World]:
    """A world whose hashtags are ``NAMES`` and some that come later."""
    made = seed.world(connection, hashtags=len(NAMES))
    connection.execute("UPDATE tagdb_store.hashtags SET hashtag = chr(97 + right(hashtag, 1)::int)")
    connection.execute("SELECT tagdb_store.refresh_statistics(1)")
    return connection, made


def best(connection: Connection, top: int = 99, **left_out: list[str]) -> list[str]:
    query = (
        "SELECT hashtag"
        " FROM tagdb.recommend_for_embedding(%s, %s, known => %s, exclude => %s, known_weight => 0)"
    )
    given = (left_out.get("known", []), left_out.get("exclude", []))
    return [row[0] for row in rows(connection, query, seed.literal(seed.features(1, 5)[0]), top, *given)]


def test_filters_come_before_the_cut(world: tuple[Connection, seed.World]) -> None:
    connection, _ = world
    order = best(connection)
    assert len(order) == 7
    ban(connection, order[0])
    alias(connection, order[1], order[2])
    assert best(connection, 3, known=[order[1]], exclude=[order[3]]) == order[4:7]
    assert best(connection, 3) == order[2:5]
    assert best(connection, 2, exclude=[order[2]]) == order[3:5]


@pytest.mark.parametrize("argument", ["known", "exclude"])
def test_leaving_out_one_spelling_leaves_out_all(world: tuple[Connection, seed.World], argument: str) -> None:
    connection, _ = world
    store.tags.edit(connection, "merge", ["a", "b"], "c")
    for spelling in ("a", "#B", " C", "ａ"):
        assert set(best(connection, **{argument: [spelling]})) == {"d", "e", "f", "g"}
    ban(connection, "c")
    assert set(best(connection, **{argument: ["a"]})) == {"d", "e", "f", "g"}


def test_an_alias_without_factors_recommends_nothing(world: tuple[Connection, seed.World]) -> None:
    """One that the run knows is recommended as a hashtag that it does not know."""
    connection, _ = world
    order = best(connection)
    alias(connection, "unknown", order[0])
    assert best(connection) == order
    store.tags.undo(connection)
    alias(connection, order[0], "unknown")
    assert best(connection) == ["unknown", *order[1:]]
    alias(connection, order[3], "unknown")
    assert best(connection) == ["unknown", *order[1:3], *order[4:]]


def test_related_completed_and_explained_at_once(world: tuple[Connection, seed.World]) -> None:
    connection, _ = world
    query = seed.literal(seed.features(1, 5)[0])

    def related(hashtag: str) -> list[tuple[str, float]]:
        return rows(connection, "SELECT hashtag, score FROM tagdb.related_hashtags(%s, 99)", hashtag)

    def completed(prefix: str) -> set[str]:
        return {row[0] for row in rows(connection, "SELECT hashtag FROM tagdb.complete_hashtags(%s)", prefix)}

    def explained(hashtag: str) -> list[tuple[Any, ...]]:
        return rows(
            connection,
            "SELECT image_id, carries, contribution FROM tagdb.explain_recommendation(%s, %s)",
            *(query, hashtag),
        )

    before = [related("d"), related("a"), completed(""), explained("a"), explained("d"), best(connection)]
    alias(connection, "a", "b")
    scores = dict(related("d"))
    assert scores.keys() == set("bcefg")
    assert scores["b"] == max(score for name, score in before[0] if name in "ab")
    assert related("a") == related("b")
    assert {name for name, _ in related("a")} == set("cdefg")
    assert completed("") == set("bcdefg")
    assert completed("a") == {"b"}
    assert explained("a") == explained("b")
    assert sum(row[1] for row in explained("a")) == 6  # of 20 images in turn, 3 each
    ban(connection, "#B")
    assert {name for name, _ in related("d")} == set("cefg")
    assert completed("") == set("cdefg")
    assert completed("a") == completed("b") == set()
    assert set(best(connection)) == set("cdefg")
    store.tags.undo(connection)
    store.tags.undo(connection)
    assert [
        *(related("d"), related("a"), completed(""), explained("a"), explained("d"), best(connection))
    ] == before


def test_factors_are_computed_of_what_hashtags_count_as(connection: Connection) -> None:
    ids = carry(connection, "a", "b", "ab", "c", "cd", "abcd", "e")
    numbers = dict(rows(connection, "SELECT hashtag, hashtag_id FROM tagdb.hashtags"))

    def interactions() -> list[tuple[int, int]]:
        found = store.runs.interactions(connection)
        return sorted(zip(found.image_ids.tolist(), found.hashtag_ids.tolist(), strict=True))

    before = interactions()
    assert len(before) == 12
    alias(connection, "a", "b")
    ban(connection, "c")
    alias(connection, "d", "new")
    numbers |= dict(rows(connection, "SELECT hashtag, hashtag_id FROM tagdb.hashtags"))
    expected = [(ids[n], numbers["b"]) for n in (0, 1, 2, 5)]
    expected += [(ids[n], numbers["new"]) for n in (4, 5)] + [(ids[6], numbers["e"])]
    assert interactions() == sorted(expected)
    for _ in range(3):
        store.tags.undo(connection)
    assert interactions() == before


def test_an_ingest_keeps_what_images_carry(connection: Connection) -> None:
    """What comes in under an alias or a banned hashtag is stored as it is, and counts when it may."""
    backbone_id = store.backbones.add(connection, seed.identity())
    run = store.ingest_runs.begin(connection, ["here"])
    alias(connection, "a", "b")
    ban(connection, "c")
    store.batches.save(connection, run, backbone_id, [seed.image(1, "a", "c"), seed.image(2, "b", "c")], [])
    store.statistics.refresh(connection, 1)
    stats = "SELECT hashtag, images FROM tagdb.hashtag_stats ORDER BY 1"
    assert rows(connection, stats) == [("a", 0), ("b", 2), ("c", 0)]
    store.tags.undo(connection, 1)
    assert rows(connection, stats) == [("a", 1), ("b", 1), ("c", 0)]
    store.tags.undo(connection, 2)
    assert rows(connection, stats) == [("a", 1), ("b", 1), ("c", 2)]


# --- one by one ----------------------------------------------------------------------------------


def test_chains_of_aliases_collapse(connection: Connection) -> None:
    carry(connection, "a", "ab", "b", "c")
    first, second = alias(connection, "a", "b"), alias(connection, "b", "c")
    assert policy(connection) == {"a": ("c", False, 2), "b": ("c", False, 2), "c": (None, False, None)}
    counts = "SELECT images FROM tagdb.hashtag_stats ORDER BY hashtag"
    assert rows(connection, counts) == [(0,), (0,), (4,)]
    with pytest.raises(REFUSED, match=r"^edit 2 was made later on the same hashtags; undo that first"):
        store.tags.undo(connection, first.edit_id)
    assert store.tags.undo(connection, second.edit_id) == second
    assert policy(connection) == {"a": ("b", False, 1), "b": (None, False, None), "c": (None, False, None)}
    assert rows(connection, counts) == [(0,), (3,), (1,)]
    assert store.tags.undo(connection, first.edit_id) == first
    assert rows(connection, counts) == [(2,), (2,), (1,)]
    assert policy(connection) == dict.fromkeys("abc", (None, False, None))


def test_an_alias_stands_for_what_it_counts_as(connection: Connection) -> None:
    alias(connection, "b", "c")
    assert alias(connection, "a", "b").into_hashtag == "c"
    assert policy(connection)["a"] == ("c", False, 2)
    assert alias(connection, "a", "d").into_hashtag == "d"  # and may count as something else later
    assert policy(connection) == {
        **{"a": ("d", False, 3), "b": ("c", False, 1)},
        **dict.fromkeys("cd", (None, False, None)),
    }


def test_edits_of_other_hashtags_do_not_hinder_an_undo(connection: Connection) -> None:
    first = alias(connection, "a", "c")
    alias(connection, "b", "c")
    ban(connection, "d")
    assert store.tags.undo(connection, first.edit_id) == first
    assert policy(connection) == {
        **{"a": (None, False, None), "b": ("c", False, 2)},
        **{"c": (None, False, None), "d": (None, True, 3)},
    }
    assert [store.tags.undo(connection).edit_id for _ in range(2)] == [3, 2]


NO_EDIT = "give hashtags and a kind: ban, or alias or merge with the hashtag they will count as"
REFUSALS: list[tuple[str, list[str], str | None, str]] = [
    ("alias", ["a"], "a", "#a cannot count as itself"),
    ("alias", ["#A"], "a", "#a cannot count as itself"),
    ("alias", ["y"], "x", "#x counts as #y by edit 1; undo that first"),  # a circle
    ("merge", ["a", "y"], "y", "#y cannot count as itself"),
    ("alias", ["x"], "y", "#x already counts as #y"),
    ("alias", ["a"], "z", "#z is banned; undo that first"),
    ("alias", ["z"], "a", "#z is banned; undo that first"),
    ("merge", ["a", "z"], "b", "#z is banned; undo that first"),
    ("alias", ["new"], "under z", "not a hashtag: U+0020 cannot be part of a hashtag"),
    ("ban", ["z"], None, "#z is already banned"),
    ("ban", ["a", "z"], None, "#z is already banned"),
    ("ban", ["x"], None, "#x counts as #y; ban that, or undo this first"),
    ("ban", ["new", "a!b"], None, "not a hashtag: U+0021 cannot be part of a hashtag"),
    ("ban", ["new", "#"], None, "not a hashtag: empty hashtag"),
    ("ban", ["new", "_"], None, "not a hashtag: no letter, number or symbol in the hashtag"),
    (
        "ban",
        ["new", "x" * 151],
        None,
        "not a hashtag: hashtag of 151 characters; at most 150 are allowed",
    ),
    ("alias", ["new"], "", "not a hashtag: empty hashtag"),
    ("alias", [""], "new", "not a hashtag: empty hashtag"),
    ("ban", [], None, NO_EDIT),
    ("merge", [], "new", NO_EDIT),
    ("alias", ["new"], None, NO_EDIT),
    ("ban", ["new"], "newer", NO_EDIT),
]


def test_what_is_refused(connection: Connection) -> None:
    """With one sentence, and without anything half-done."""
    carry(connection, "abxyz", "ax", "by")
    alias(connection, "x", "y")
    ban(connection, "z")

    def state() -> list[object]:
        edits = rows(connection, "SELECT * FROM tagdb.hashtag_edits")
        return [policy(connection), everything(connection), edits]

    before = state()
    for kind, hashtags, into, complaint in REFUSALS:
        _, said = attempt(connection, partial(store.tags.edit, connection, kind, hashtags, into))
        assert said == complaint, (kind, hashtags, into)
        assert state() == before, (kind, hashtags, into)


@pytest.mark.parametrize(
    ("kind", "hashtags", "into"),
    [("ban", [None], None), ("swap", ["a"], "b"), (None, ["a"], "b"), (None, ["a"], None)],
)
def test_what_is_no_edit_is_refused(
    connection: Connection, kind: str | None, hashtags: list[str | None], into: str | None
) -> None:
    with pytest.raises(psycopg.Error) as caught:
        connection.execute("SELECT tagdb_store.edit_hashtags(%s, %s, %s)", (kind, hashtags, into))
    assert sentence(caught.value) == NO_EDIT


def test_null_among_the_hashtags(connection: Connection) -> None:
    connection.execute("SELECT tagdb_store.edit_hashtags('ban', %s)", (["a", None],))
    assert rows(connection, "SELECT hashtags FROM tagdb.hashtag_edits") == [(["a"],)]


def test_nothing_to_undo(connection: Connection) -> None:
    def complaint(edit: int | None) -> str:
        with pytest.raises(psycopg.Error) as caught:
            store.tags.undo(connection, edit)
        return sentence(caught.value)

    assert complaint(None) == "there is no edit to undo"
    assert complaint(1) == "there is no edit 1"
    made = ban(connection, "a")
    assert complaint(made.edit_id + 1) == f"there is no edit {made.edit_id + 1}"
    store.tags.undo(connection)
    assert complaint(made.edit_id) == f"edit {made.edit_id} was already undone"
    assert complaint(None) == "there is no edit to undo"


def test_hashtags_in_any_spelling(connection: Connection) -> None:
    spellings = ("strasse", "#STRASSE", "Straße", "＃ｓｔｒａẞｅ")
    targets = ("Café", "#CAFÉ", "  cafe\u0301 ", "ＣＡＦＥ\u0301", "＃café\ufe0f")
    for hashtag, into in itertools.product(spellings, targets):
        made = store.tags.edit(connection, "merge", [hashtag, "strasse"], into)
        assert (made.hashtags, made.into_hashtag) == (["strasse"], "café")
        expected = {"strasse": ("café", False, made.edit_id), "café": (None, False, None)}
        assert policy(connection) == expected
        store.tags.undo(connection)
    for hashtag in spellings:
        assert ban(connection, hashtag, "strasse").hashtags == ["strasse"]
        store.tags.undo(connection)


def test_hashtags_that_nobody_has_used_yet(connection: Connection) -> None:
    """They are made, and stay when the edit is undone."""
    alias(connection, "new", "newer")
    ban(connection, "spam", "more spam".replace(" ", "_"))
    expected = {"new": ("newer", False, 1), "newer": (None, False, None)}
    expected |= {"spam": (None, True, 2), "more_spam": (None, True, 2)}
    assert policy(connection) == expected
    for _ in range(2):
        store.tags.undo(connection)
    assert policy(connection) == dict.fromkeys(expected, (None, False, None))


def test_who_has_decided(connection: Connection) -> None:
    """The login, whatever role it goes on as, and when."""
    started = rows(connection, "SELECT clock_timestamp(), session_user")[0]
    connection.execute("SET ROLE tagdb_writer")
    ban(connection, "a")
    edits = "SELECT made_by, made_at, undone_by, undone_at FROM tagdb.hashtag_edits"
    made_by, made_at, undone_by, undone_at = rows(connection, edits)[0]
    assert (made_by, undone_by, undone_at) == (started[1], None, None)
    assert started[0] <= made_at
    decision = store.tags.decisions(connection)
    assert decision == [store.tags.Decision("a", None, True, 1, made_at, started[1])]
    store.tags.undo(connection)
    connection.execute("RESET ROLE")
    assert rows(connection, edits)[0][:3] == (made_by, made_at, started[1])
    assert rows(connection, edits)[0][3] > made_at
    assert store.tags.decisions(connection) == []


@pytest.mark.parametrize("call", ["edit_hashtags('ban', '{a}')", "undo_hashtag_edit()"])
def test_readers_do_not_decide(connection: Connection, call: str) -> None:
    ban(connection, "b")
    connection.execute("SET ROLE tagdb_reader")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"SELECT tagdb_store.{call}".encode())


def test_decisions_are_in_order(connection: Connection) -> None:
    ban(connection, "b", "a")
    store.tags.edit(connection, "merge", ["z", "y"], "m")
    alias(connection, "x", "l")
    ban(connection, "l")
    found = [(d.hashtag, d.alias_of, d.banned) for d in store.tags.decisions(connection)]
    assert found == [
        *(("y", "m", False), ("z", "m", False)),
        *(("x", "l", True), ("a", None, True), ("b", None, True), ("l", None, True)),
    ]


# --- several at once -----------------------------------------------------------------------------


def test_edits_wait_for_each_other(connection: Connection, other: Connection) -> None:
    carry(connection, "a", "ab", "bc", "c")
    with connection.transaction():
        alias(connection, "a", "b")
        with blocked(connection, other, lambda: alias(other, "b", "c")) as waiting:
            connection.execute("COMMIT")
            assert waiting.result(30) == store.tags.Edit(2, "alias", ["b"], "c")
    assert policy(connection) == {"a": ("c", False, 2), "b": ("c", False, 2), "c": (None, False, None)}
    assert rows(connection, "SELECT images FROM tagdb.hashtag_stats ORDER BY 1") == [(0,), (0,), (4,)]
    with connection.transaction():
        store.tags.undo(connection)
        with blocked(connection, other, lambda: store.tags.undo(other)) as waiting:
            connection.execute("COMMIT")
            assert waiting.result(30) == store.tags.Edit(1, "alias", ["a"], "b")
    assert policy(connection) == dict.fromkeys("abc", (None, False, None))


def test_of_two_that_contradict_each_other_one_is_refused(connection: Connection, other: Connection) -> None:
    with connection.transaction():
        alias(connection, "a", "b")
        with blocked(connection, other, lambda: alias(other, "b", "a")) as waiting:
            connection.execute("COMMIT")
            with pytest.raises(REFUSED, match=r"^#a counts as #b by edit 1; undo that first"):
                waiting.result(30)
    with connection.transaction():
        ban(connection, "c")
        with blocked(connection, other, lambda: ban(other, "c")) as waiting:
            connection.execute("ROLLBACK")
            assert waiting.result(30)
    assert policy(connection)["c"][1]


def test_readers_do_not_wait_for_an_edit(world: tuple[Connection, seed.World], other: Connection) -> None:
    connection, _ = world
    other.execute("SET lock_timeout = '1ms'")
    before = best(other)
    with connection.transaction():
        ban(connection, before[0])
        alias(connection, before[1], before[2])
        assert best(other) == before
        assert store.tags.decisions(other) == []
    assert best(other) == before[2:]


@pytest.fixture
def target(connection: Connection, other: Connection) -> tuple[int, int]:
    """A backbone and an ingest run that both connections may store into."""
    backbone_id = store.backbones.add(connection, seed.identity())
    store.ingest_runs.begin(other, ["there"])
    return store.ingest_runs.begin(connection, ["here"]), backbone_id


def test_an_edit_of_what_is_just_coming_in(
    connection: Connection, other: Connection, target: tuple[int, int]
) -> None:
    batch = [seed.image(n, "a", "b", "z") for n in range(3)]
    with connection.transaction():
        store.batches.save(connection, *target, batch, [])
        merge = lambda: store.tags.edit(other, "merge", ["z", "0", "a"], "b")  # noqa: E731
        with blocked(connection, other, merge) as waiting:
            connection.execute("COMMIT")
            assert waiting.result(30)
    stats = "SELECT hashtag, images FROM tagdb.hashtag_stats ORDER BY 1"
    assert rows(connection, stats) == [("0", 0), ("a", 0), ("b", 3), ("z", 0)]


def test_what_is_coming_in_during_an_edit(
    connection: Connection, other: Connection, target: tuple[int, int]
) -> None:
    seed.add_hashtags(connection, ["m"])
    batch = [seed.image(n, "0", "a", "m", "z") for n in range(3)]
    with connection.transaction():
        store.tags.edit(connection, "merge", ["a", "m"], "z")
        with blocked(connection, other, lambda: store.batches.save(other, *target, batch, [])) as waiting:
            connection.execute("COMMIT")
            assert waiting.result(30) == store.ingest_runs.Counts(new=3)
    store.statistics.refresh(connection)
    stats = "SELECT hashtag, images FROM tagdb.hashtag_stats ORDER BY 1"
    assert rows(connection, stats) == [("0", 3), ("a", 0), ("m", 0), ("z", 3)]


def test_an_ingest_goes_on_with_hashtags_that_are_being_edited(
    connection: Connection, other: Connection, target: tuple[int, int]
) -> None:
    """Where all hashtags are known already, neither waits for the other."""
    seed.add_hashtags(connection, ["a", "b", "c"])
    other.execute("SET lock_timeout = '1ms'")
    with connection.transaction():
        alias(connection, "a", "b")
        ban(connection, "c")
        store.batches.save(other, *target, [seed.image(1, "a", "b", "c")], [])
    with connection.transaction():
        store.batches.save(connection, *target, [seed.image(2, "a", "b", "c")], [])
        store.tags.undo(other)
        alias(other, "b", "c")
    store.statistics.refresh(connection)
    assert rows(connection, "SELECT images FROM tagdb.hashtag_stats ORDER BY hashtag") == [(0,), (0,), (2,)]


@pytest.mark.parametrize("first", ["edit", "ingest"])
def test_the_same_new_hashtags_at_once(
    connection: Connection, other: Connection, target: tuple[int, int], database_url: str, first: str
) -> None:
    """An edit and an ingest that both make them do so in one order, and so never wait in a circle."""
    names = ["a", "m", "z"]
    batch = [seed.image(1, *names)]
    steps: list[tuple[Connection, Callable[[], object]]] = [
        (connection, lambda: store.tags.edit(connection, "merge", names, "zz")),
        (other, lambda: store.batches.save(other, *target, batch, [])),
    ]
    if first == "ingest":
        steps.reverse()
    with database.connect(database_url) as third, third.transaction(force_rollback=True):
        seed.add_hashtags(third, ["m"])  # both have to wait in the middle
        with blocked(third, *steps[0]) as one, blocked(third, *steps[1]) as another:
            third.execute("ROLLBACK")
            one.result(30)
            another.result(30)
    store.statistics.refresh(connection)
    stats = "SELECT hashtag, images FROM tagdb.hashtag_stats ORDER BY 1"
    assert rows(connection, stats) == [("a", 0), ("m", 0), ("z", 0), ("zz", 1)]


def test_ingests_and_edits_at_once(
    connection: Connection, other: Connection, target: tuple[int, int]
) -> None:
    """Batches and edits with the same new and known hashtags, in whatever order: nobody waits in a circle."""
    rng = np.random.default_rng(1)
    turns = range(12)

    def names(turn: int) -> list[str]:
        return [f"{n}_{turn}" for n in rng.permutation(12)[:6]] + ["a", "b", "old"]

    batches = [[seed.image(50 * turn + n, *names(turn), embedded=n < 1) for n in range(4)] for turn in turns]
    embedding = batches[0][0].embedding
    for one in itertools.chain(*batches):
        one.media_type, one.width, one.height, one.byte_count = "image/jpeg", 1, 1, 1
        one.embedding, one.thumbnail = embedding, b""
    merges = [[name for name in names(turn) if name[0].isdigit()] for turn in turns]

    def ingest() -> None:
        for batch in batches:
            store.batches.save(connection, *target, batch, [])
            store.statistics.refresh_if_due(connection)

    def edit() -> None:
        for turn, hashtags in enumerate(merges):
            store.tags.edit(other, "merge", hashtags, f"into_{turn % 3}")
            if turn % 4 == 0:
                store.tags.undo(other)

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(ingest), pool.submit(edit)]:
            future.result(60)
    found = everything(connection)
    assert len(store.tags.decisions(connection)) == sum(
        len(set(names)) for turn, names in enumerate(merges) if turn % 4
    )
    store.statistics.refresh(connection)
    del found["statistics"]
    again = everything(connection)
    del again["statistics"]
    assert found == again
