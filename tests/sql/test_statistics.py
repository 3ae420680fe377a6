"""What the statistics say, held against counting in Python, after a refresh and after edits without one."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import combinations
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row
from scipy.stats import gamma

from tagdb import store
from tagdb.postgres.database import Connection
from tests.support import seed
from tests.support.postgres import rows
from tests.support.waiting import blocked

NAMES = ("a", "b", "c", "d", "e", "ñ", "🌊")
TABLES = ("hashtag_counts", "hashtag_collections", "hashtag_pairs", "hashtag_trend", "counted_images")
ZONES = ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/New_York", "Asia/Kolkata")
EARLY = datetime(2024, 1, 1, tzinfo=UTC)
SLOW = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

Row = dict[str, Any]


def dicts(connection: Connection, query: str) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()


def near(value: float | None) -> Any:
    """Equal to a number that another way of computing gives."""
    return None if value is None else pytest.approx(value, rel=1e-12)


def rounded(value: float | None, digits: int) -> Any:
    """Equal to the number that it is when it is rounded to some digits."""
    return None if value is None else pytest.approx(value, abs=0.5 * 10**-digits + 1e-9)


def at_least(images: int, expected: float) -> Any:
    """The lower bound of a ratio. Wilson and Hilferty's approximation errs by three hundredths."""
    return pytest.approx(gamma.ppf(0.05, images + 1) / (expected + 1), rel=0.06, abs=0.01)


def places(amounts: Mapping[Any, float]) -> dict[Any, int]:
    """The place of each by its amount, 1 for the largest; equal ones share theirs."""
    return {key: 1 + sum(other > amount for other in amounts.values()) for key, amount in amounts.items()}


# --- small worlds --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Photo:
    """An image and what is known of it."""

    hashtags: frozenset[str]
    collection: str | None = None
    taken_at: datetime | None = None
    ingested_at: datetime = EARLY
    embedded: bool = False
    factors: bool = False


@dataclass(frozen=True)
class Edit:
    """A decision, or the undoing of the last one."""

    kind: str
    hashtags: tuple[str, ...] = ()
    into: str | None = None


def photos() -> st.SearchStrategy[Photo]:
    moments = st.one_of(
        # midnights of UTC and of other time zones, ends of weeks, months and years
        st.sampled_from([datetime(2024, 12, 30), datetime(2024, 3, 1), datetime(2023, 1, 1)]).flatmap(
            lambda day: st.sampled_from([-14, -10, -1, 0, 1, 5.5, 14]).map(
                lambda hours: (day + timedelta(hours=hours)).replace(tzinfo=UTC)
            )
        ),
        st.datetimes(
            datetime(1900, 1, 1),
            datetime(2100, 1, 1),
            timezones=st.sampled_from([UTC, timezone(timedelta(hours=-11)), timezone(timedelta(hours=14))]),
        ),
    )
    return st.builds(
        Photo,
        hashtags=st.frozensets(st.sampled_from(NAMES), max_size=5),
        collection=st.sampled_from([None, "beach", "city", "sea"]),
        taken_at=st.none() | moments,
        ingested_at=moments,
        embedded=st.booleans(),
        factors=st.booleans(),
    )


def edits() -> st.SearchStrategy[Edit]:
    one, some = st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Edit, st.just("alias"), one.map(lambda name: (name,)), one),
        st.builds(Edit, st.just("merge"), some, one),
        st.builds(Edit, st.just("ban"), some),
        st.just(Edit("undo")),
    )


def add_photos(connection: Connection, photos: list[Photo]) -> list[int]:
    """Store images with their hashtags; returns their ids."""
    names = sorted({name for photo in photos for name in photo.hashtags})
    connection.execute(
        "INSERT INTO tagdb_store.hashtags (hashtag) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING",
        (names,),
    )
    first = rows(connection, "SELECT coalesce(max(image_id), 0) FROM tagdb_store.images")[0][0]
    ids = []
    for number, photo in enumerate(photos, first):
        found = rows(
            connection,
            "INSERT INTO tagdb_store.images (content_sha256, uri, media_type, width, height, bytes,"
            " collection, taken_at, ingested_at) VALUES (%s, '', 'image/jpeg', 1, 1, %s, %s, %s, %s)"
            " RETURNING image_id",
            *(hashlib.sha256(b"%d" % number).digest(), 1000 + number),
            *(photo.collection, photo.taken_at, photo.ingested_at),
        )
        ids.append(found[0][0])
    links = [(i, name) for i, photo in zip(ids, photos, strict=True) for name in sorted(photo.hashtags)]
    connection.execute(
        "INSERT INTO tagdb_store.image_hashtags (image_id, hashtag_id)"
        " SELECT n.image_id, h.hashtag_id FROM unnest(%s::bigint[], %s::text[]) n (image_id, hashtag)"
        " JOIN tagdb_store.hashtags h USING (hashtag)",
        ([i for i, _ in links], [name for _, name in links]),
    )
    return ids


def add_models(connection: Connection, ids: list[int], photos: list[Photo], known: frozenset[str]) -> None:
    """Give images embeddings by the active backbone and factors of the active run, and hashtags factors."""
    embedded = [i for i, photo in zip(ids, photos, strict=True) if photo.embedded]
    factors = [i for i, photo in zip(ids, photos, strict=True) if photo.factors]
    connection.execute(
        "INSERT INTO tagdb_store.embeddings SELECT b.backbone_id, i.image_id,"
        " array_fill(0.02::real, ARRAY[1280])::halfvec"
        " FROM tagdb_store.backbones b, unnest(%s::bigint[]) i (image_id) WHERE b.active",
        (embedded,),
    )
    connection.execute(
        "INSERT INTO tagdb_store.image_factors SELECT r.factor_run_id, i.image_id, '[1,2]'"
        " FROM tagdb_store.factor_runs r, unnest(%s::bigint[]) i (image_id) WHERE r.status = 'active'",
        (factors,),
    )
    connection.execute(
        "INSERT INTO tagdb_store.hashtag_factors SELECT r.factor_run_id, h.hashtag_id, '[1,2]'"
        " FROM tagdb_store.factor_runs r, tagdb_store.hashtags h"
        " WHERE r.status = 'active' AND h.hashtag = ANY (%s)",
        (list(known),),
    )


def make(connection: Connection, edit: Edit) -> bool:
    """Make an edit unless it is refused."""
    with suppress(psycopg.errors.InvalidParameterValue), connection.transaction():
        if edit.kind == "undo":
            store.tags.undo(connection)
        else:
            store.tags.edit(connection, edit.kind, edit.hashtags, edit.into)
        return True
    return False


def refresh(connection: Connection, min_images: int | None = None) -> None:
    connection.execute("SELECT tagdb_store.refresh_statistics(%s)", (min_images,))


@pytest.fixture
def modelled(connection: Connection) -> Connection:
    """A database with an active backbone and an active factor run, and others beside them."""
    nothing = np.zeros(0, np.int64), np.zeros((0, 2), np.float16)
    for number in range(2):
        store.backbones.add(connection, seed.identity(number))
        seed.add_run(connection, *nothing, nothing[0].astype(np.int32), nothing[1])
    return connection


# --- brute force ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Raw:
    """What is stored, and what every image counts for: by hashtag, the hashtag that it carries."""

    images: dict[int, Row]
    hashtags: dict[int, Row]
    names: dict[int, str]
    counted: dict[int, dict[int, int]]
    statistics: Row
    embedded: set[int]
    image_factors: set[int]
    hashtag_factors: set[int]


def read(connection: Connection) -> Raw:
    images = {row["image_id"]: row for row in dicts(connection, "SELECT * FROM tagdb_store.images")}
    hashtags = {row["hashtag_id"]: row for row in dicts(connection, "SELECT * FROM tagdb_store.hashtags")}
    counted: dict[int, dict[int, int]] = {image_id: {} for image_id in images}
    for image_id, carried in sorted(
        rows(connection, "SELECT image_id, hashtag_id FROM tagdb_store.image_hashtags")
    ):
        if hashtags[carried]["banned"]:
            continue
        meant = hashtags[carried]["alias_of"] or carried
        if carried == meant or meant not in counted[image_id]:
            counted[image_id][meant] = carried

    def active(table: str, column: str, of: str, condition: str) -> set[int]:
        query = f"SELECT {column}_id FROM tagdb_store.{table} JOIN tagdb_store.{of}s USING ({of}_id)"
        return {row[0] for row in rows(connection, f"{query} WHERE {condition}")}

    return Raw(
        images,
        hashtags,
        {number: row["hashtag"] for number, row in hashtags.items()},
        counted,
        dicts(connection, "SELECT * FROM tagdb_store.statistics")[0],
        active("embeddings", "image", "backbone", "active"),
        active("image_factors", "image", "factor_run", "status = 'active'"),
        active("hashtag_factors", "hashtag", "factor_run", "status = 'active'"),
    )


def seen_at(image: Row) -> datetime:
    found: datetime = image["taken_at"] or image["ingested_at"]
    return found


def images_of(raw: Raw) -> dict[int, list[int]]:
    """The images that count for each hashtag."""
    found: dict[int, list[int]] = defaultdict(list)
    for image_id, counted in raw.counted.items():
        for hashtag_id in counted:
            found[hashtag_id].append(image_id)
    return found


def hashtag_stats(raw: Raw) -> list[Row]:
    on = images_of(raw)
    rank = places({hashtag_id: len(images) for hashtag_id, images in on.items()})
    found = []
    for hashtag_id, hashtag in raw.hashtags.items():
        images = on.get(hashtag_id, [])
        seen = [seen_at(raw.images[i]) for i in images]
        collections = Counter(c for i in images if (c := raw.images[i]["collection"]) is not None)
        aliases = sorted(h["hashtag"] for h in raw.hashtags.values() if h["alias_of"] == hashtag_id)
        found.append(
            {
                "hashtag_id": hashtag_id,
                "hashtag": hashtag["hashtag"],
                "images": len(images),
                "image_share": near(len(images) / len(raw.images)) if raw.images else None,
                "image_percent": rounded(100 * len(images) / len(raw.images), 2) if raw.images else None,
                "rank": rank.get(hashtag_id),
                "first_seen": min(seen, default=None),
                "last_seen": max(seen, default=None),
                "collections": len(collections),
                "collection_names": (names := sorted(collections, key=lambda c: (-collections[c], c)))
                or None,
                "collection_names_text": ", ".join(names) or None,
                "hashtags_beside": rounded(sum(len(raw.counted[i]) - 1 for i in images) / len(images), 2)
                if images
                else None,
                "in_active_run": hashtag_id in raw.hashtag_factors,
                "banned": hashtag["banned"],
                "alias_of": raw.names.get(hashtag["alias_of"]),
                "aliases": aliases or None,
                "aliases_text": " ".join(aliases) or None,
                "refreshed_at": raw.statistics["refreshed_at"],
            }
        )
    return found


def hashtag_pairs(raw: Raw) -> list[Row]:
    on = images_of(raw)
    rank = places({hashtag_id: len(images) for hashtag_id, images in on.items()})
    together = Counter(pair for counted in raw.counted.values() for pair in combinations(sorted(counted), 2))
    found = []
    for pair, images in together.items():
        if images < raw.statistics["min_images"]:
            continue
        for one, other in (pair, pair[::-1]):
            share = [len(on[one]) / len(raw.images), len(on[other]) / len(raw.images)]
            lift = images / len(raw.images) / (share[0] * share[1])
            found.append(
                {
                    "hashtag": raw.names[one],
                    "with_hashtag": raw.names[other],
                    "images": images,
                    "hashtag_images": len(on[one]),
                    "with_images": len(on[other]),
                    "support": near(images / len(raw.images)),
                    "support_percent": rounded(100 * images / len(raw.images), 2),
                    "confidence": near(images / len(on[one])),
                    "confidence_percent": rounded(100 * images / len(on[one]), 1),
                    "lift": rounded(lift, 2),
                    "lift_low": at_least(images, images / lift),
                    "pmi": rounded(math.log2(lift), 2),
                    "hashtag_rank": rank[one],
                    "with_rank": rank[other],
                    "pair": f"{raw.names[one]} + {raw.names[other]}",
                    "refreshed_at": raw.statistics["refreshed_at"],
                }
            )
    return found


def trend(raw: Raw, period: str) -> list[Row]:
    counts: dict[date, Counter[int]] = defaultdict(Counter)
    for image_id, counted in raw.counted.items():
        day = seen_at(raw.images[image_id]).astimezone(UTC).date()
        first = {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}
        counts[first[period]].update(counted.keys())
    return [
        {
            "hashtag_id": hashtag_id,
            "hashtag": raw.names[hashtag_id],
            "starts_on": starts_on,
            "images": images,
            "rank": rank[hashtag_id],
            "refreshed_at": raw.statistics["refreshed_at"],
        }
        for starts_on, used in counts.items()
        for rank in [places(used)]
        for hashtag_id, images in used.items()
    ]


def hashtag_trend_daily(raw: Raw) -> list[Row]:
    return trend(raw, "day")


def hashtag_trend_weekly(raw: Raw) -> list[Row]:
    return trend(raw, "week")


def hashtag_trend_monthly(raw: Raw) -> list[Row]:
    return trend(raw, "month")


def hashtag_growth(raw: Raw) -> list[Row]:
    months = trend(raw, "month")
    if not months:
        return []
    last = max(row["starts_on"] for row in months)
    first = [date(last.year - (last.month < 3), (last.month - 3) % 12 + 1, 1)]
    recent: Counter[int] = Counter()
    before: Counter[int] = Counter()
    for row in months:
        (recent if row["starts_on"] >= first[0] else before)[row["hashtag_id"]] += row["images"]
    growth = {
        h: (recent[h] + 1) / (recent.total() + 1) / ((before[h] + 1) / (before.total() + 1))
        for h in recent
        if recent[h] > 1
    }
    known = before.total() > 0
    expected = {h: before[h] * recent.total() / before.total() if known else 0 for h in growth}
    # as the view computes and rounds it; the rank is by that
    low = {h: round(approximated(recent[h], expected[h]) + 1e-9, 2) for h in growth}
    return [
        {
            "hashtag_id": h,
            "hashtag": raw.names[h],
            "images": recent[h],
            "images_before": before[h],
            "growth": rounded(growth[h], 2) if known else None,
            "growth_low": at_least(recent[h], expected[h]) if known else None,
            "rank": places(low)[h] if known else None,
            "refreshed_at": raw.statistics["refreshed_at"],
        }
        for h in growth
    ]


def approximated(images: int, expected: float) -> float:
    a = images + 1
    return a * (1 - 1 / (9 * a) - 1.645 / (3 * math.sqrt(a))) ** 3 / (expected + 1)


def collection_hashtags(raw: Raw) -> list[Row]:
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    for image_id, counted in raw.counted.items():
        if (collection := raw.images[image_id]["collection"]) is not None:
            counts[collection].update(counted.keys())
    return [
        {
            "collection": collection,
            "hashtag_id": hashtag_id,
            "hashtag": raw.names[hashtag_id],
            "images": images,
            "rank": rank[hashtag_id],
            "refreshed_at": raw.statistics["refreshed_at"],
        }
        for collection, used in counts.items()
        for rank in [places(used)]
        for hashtag_id, images in used.items()
    ]


def collection_stats(raw: Raw) -> list[Row]:
    found = []
    for collection in {image["collection"] for image in raw.images.values()}:
        images = {i: image for i, image in raw.images.items() if image["collection"] == collection}
        counts = Counter(h for i in images for h in raw.counted[i]) if collection is not None else Counter()
        best = sorted(counts, key=lambda h: (-counts[h], h))[:5]
        found.append(
            {
                "collection": collection,
                "images": len(images),
                "image_share": near(len(images) / len(raw.images)),
                "image_percent": rounded(100 * len(images) / len(raw.images), 2),
                "first_seen": min(map(seen_at, images.values())),
                "last_seen": max(map(seen_at, images.values())),
                "bytes": sum(image["bytes"] for image in images.values()),
                "hashtags": len(counts) if collection is not None else None,
                "hashtags_per_image": (
                    rounded(counts.total() / len(images), 2) if collection is not None else None
                ),
                "top_hashtags": [raw.names[h] for h in best] or None,
                "top_hashtags_text": " ".join(raw.names[h] for h in best) or None,
                "refreshed_at": raw.statistics["refreshed_at"],
            }
        )
    return found


def coverage(raw: Raw) -> list[Row]:
    themselves = {number for number, h in raw.hashtags.items() if not h["banned"] and h["alias_of"] is None}
    embedding = len(raw.images.keys() - raw.embedded)
    hashtags = sum(not counted for counted in raw.counted.values())
    factors = len(raw.images.keys() - raw.image_factors)
    unknown = len(themselves - raw.hashtag_factors)

    def others(without: int, of: int) -> Any:
        return rounded(100 - 100 * without / of, 1) if of else None

    return [
        {
            "images": len(raw.images),
            "images_without_embedding": embedding,
            "images_without_hashtags": hashtags,
            "images_without_factors": factors,
            "hashtags": len(themselves),
            "hashtags_without_factors": unknown,
            "images_folded_in": 0,
            "hashtags_folded_in": 0,
            "embedded_percent": others(embedding, len(raw.images)),
            "with_hashtags_percent": others(hashtags, len(raw.images)),
            "with_factors_percent": others(factors, len(raw.images)),
            "hashtags_known_percent": others(unknown, len(themselves)),
        }
    ]


def image_hashtags(raw: Raw) -> list[Row]:
    return [
        {
            "image_id": image_id,
            "hashtag_id": hashtag_id,
            "hashtag": raw.names[hashtag_id],
            "collection": raw.images[image_id]["collection"],
            "source": "ingest",
            "taken_at": raw.images[image_id]["taken_at"],
            "ingested_at": raw.images[image_id]["ingested_at"],
            "carried_as": raw.names[carried],
        }
        for image_id, counted in raw.counted.items()
        for hashtag_id, carried in counted.items()
    ]


def images(raw: Raw) -> list[Row]:
    return [
        {
            "image_id": image_id,
            "hashtags": len(raw.counted[image_id]),
            "has_embedding": image_id in raw.embedded,
            "has_factors": image_id in raw.image_factors,
        }
        for image_id in raw.images
    ]


VIEWS: dict[Callable[[Raw], list[Row]], tuple[str, ...]] = {
    hashtag_stats: ("hashtag_id",),
    hashtag_pairs: ("hashtag", "with_hashtag"),
    hashtag_trend_daily: ("hashtag_id", "starts_on"),
    hashtag_trend_weekly: ("hashtag_id", "starts_on"),
    hashtag_trend_monthly: ("hashtag_id", "starts_on"),
    hashtag_growth: ("hashtag_id",),
    collection_stats: ("collection",),
    collection_hashtags: ("collection", "hashtag_id"),
    coverage: ("images",),
    image_hashtags: ("image_id", "hashtag_id"),
    images: ("image_id",),
}
"""What each view should show, and its key."""
ELSEWHERE = {
    coverage: {"backbone", "factor_run_id", "factors_since"},
    images: {
        *("content_sha256", "uri", "media_type", "width", "height", "bytes", "collection", "source_ref"),
        *("taken_at", "ingested_at", "ingest_run_id", "metadata"),
    },
}
"""Columns that are tested elsewhere."""


def check(connection: Connection) -> None:
    """Every view shows what counting anew in Python gives, column by column."""
    raw = read(connection)
    for view, key in VIEWS.items():
        found = dicts(connection, f"SELECT * FROM tagdb.{view.__name__}")
        for row in found:
            for column in ELSEWHERE.get(view, ()):
                del row[column]
        expected = {tuple(row[name] for name in key): row for row in view(raw)}
        assert {tuple(row[name] for name in key): row for row in found} == expected, view.__name__
        assert len(found) == len(expected), view.__name__


def stored(connection: Connection) -> dict[str, Any]:
    """All statistics as they are stored."""
    found: dict[str, Any] = {
        table: sorted(rows(connection, f"SELECT * FROM tagdb_store.{table}"))
        for table in ("hashtag_collections", "hashtag_pairs", "hashtag_trend")
    }
    found["hashtag_counts"] = rows(
        connection,
        "SELECT hashtag_id, images, first_seen, last_seen, beside FROM tagdb_store.hashtag_counts ORDER BY 1",
    )
    found["counted_images"] = rows(connection, "SELECT * FROM tagdb_store.counted_images ORDER BY 1")
    found["images"] = rows(connection, "SELECT images FROM tagdb_store.statistics")
    return found


# --- a full refresh ------------------------------------------------------------------------------


@settings(SLOW, max_examples=60)
@given(
    before=st.lists(photos(), max_size=5),
    after=st.lists(photos(), max_size=6),
    decided=st.lists(edits(), max_size=4),
    known=st.frozensets(st.sampled_from(NAMES)),
    min_images=st.integers(1, 3),
    zones=st.tuples(st.sampled_from(ZONES), st.sampled_from(ZONES)),
)
def test_what_the_views_show(
    modelled: Connection,
    before: list[Photo],
    after: list[Photo],
    decided: list[Edit],
    known: frozenset[str],
    min_images: int,
    zones: tuple[str, str],
) -> None:
    """Counted over statistics that were there before, in one time zone and read in another."""
    connection = modelled
    with connection.transaction(force_rollback=True):
        ids = add_photos(connection, before)
        refresh(connection, 2)
        for edit in decided[:2]:
            make(connection, edit)
        ids += add_photos(connection, after)
        for edit in decided[2:]:
            make(connection, edit)
        add_models(connection, ids, before + after, known)
        connection.execute("SELECT set_config('timezone', %s, true)", (zones[0],))
        refresh(connection, min_images)
        connection.execute("SELECT set_config('timezone', %s, true)", (zones[1],))
        check(connection)


def test_nothing_at_all(connection: Connection) -> None:
    check(connection)
    refresh(connection)
    check(connection)
    seed.add_hashtags(connection, ["unused"])
    seed.add_images(connection, 1)
    refresh(connection)
    check(connection)
    assert store.statistics.current(connection).images == 1


def test_as_many_as_in_a_real_collection(connection: Connection) -> None:
    """With more images than fit one page, and hashtags as unequal as they are: other plans."""
    rng = np.random.default_rng(1)
    carries = rng.random((3000, 60)) < 0.5 / np.arange(1, 61) ** 0.7
    image_ids = seed.add_images(connection, 3000)
    hashtag_ids = seed.add_hashtags(connection, [f"tag{n}" for n in range(60)])
    on, what = np.nonzero(carries)
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY tagdb_store.image_hashtags (image_id, hashtag_id) FROM STDIN") as copy,
    ):
        for link in zip(image_ids[on].tolist(), hashtag_ids[what].tolist(), strict=True):
            copy.write_row(link)
    store.statistics.refresh(connection, 20)
    together = carries.T.astype(int) @ carries.astype(int)
    expected = {
        (int(hashtag_ids[i]), int(hashtag_ids[j])): int(together[i, j])
        for i in range(60)
        for j in range(i + 1, 60)
        if together[i, j] >= 20
    }
    assert 100 < len(expected) < 1700
    pairs = rows(connection, "SELECT * FROM tagdb_store.hashtag_pairs")
    assert {row[:2]: row[2] for row in pairs} == expected
    counts = rows(connection, "SELECT images, hashtags_beside FROM tagdb.hashtag_stats ORDER BY hashtag_id")
    assert [row[0] for row in counts] == carries.sum(axis=0).tolist()
    sizes = carries.sum(axis=1)
    beside = [(sizes[carries[:, n]] - 1).mean() for n in range(60)]
    np.testing.assert_allclose([row[1] for row in counts], beside, rtol=0, atol=0.0051)
    store.tags.edit(connection, "merge", ["tag1", "tag5"], "tag3")
    store.tags.edit(connection, "ban", ["tag0"])
    left = stored(connection)
    refresh(connection)
    again = stored(connection)
    assert left == again


def test_periods_begin_by_utc(connection: Connection) -> None:
    """Sunday night in UTC is Monday already in Tokyo, and still is in the year before."""
    photo = Photo(frozenset("a"), taken_at=datetime(2023, 1, 1, 23, 30, tzinfo=UTC))
    add_photos(connection, [photo])
    for zone in ("UTC", "Asia/Tokyo", "America/Los_Angeles"):
        connection.execute("SELECT set_config('timezone', %s, false)", (zone,))
        refresh(connection)
        for period, first in (
            ("daily", date(2023, 1, 1)), ("monthly", date(2023, 1, 1)), ("weekly", date(2022, 12, 26)),
        ):  # fmt: skip
            assert rows(connection, f"SELECT starts_on FROM tagdb.hashtag_trend_{period}") == [(first,)]


def test_a_trend_with_the_periods_between(connection: Connection) -> None:
    """Every week from the first photo to the last, or as asked, by whatever spelling; 0 if there was none."""
    taken = [datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 1, 18, tzinfo=UTC)]
    add_photos(
        connection,
        [Photo(frozenset(["a", "b"]), taken_at=taken[0]), Photo(frozenset("b"), taken_at=taken[1])],
    )
    store.tags.edit(connection, "alias", ["c"], "b")
    refresh(connection)

    def trend(arguments: str) -> list[tuple[object, ...]]:
        return rows(connection, f"SELECT * FROM tagdb.hashtag_trend({arguments})")

    weeks = [date(2022, 12, 26) + n * timedelta(days=7) for n in range(4)]
    assert trend("'{#C}'") == [("b", week, images) for week, images in zip(weeks, (1, 0, 0, 1), strict=True)]
    assert trend("") == [(h, week, n) for week, used in zip(weeks, ("11", "00", "00", "01"), strict=True)
                         for h, n in zip("ab", map(int, used), strict=True)]  # fmt: skip
    assert trend("'{b}', since => '2023-01-17', until => '2023-01-24'") == [
        ("b", date(2023, 1, 16), 1), ("b", date(2023, 1, 23), 0),
    ]  # fmt: skip
    assert len(trend("'{b}', 'day'")) == 18
    assert trend("'{b}', 'month'") == [("b", date(2023, 1, 1), 2)]
    assert trend("'{unknown}'") == trend("'{}'") == []


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ("NULL, 'year'", "period must be day, week or month"),
        ("NULL, NULL", "period must be day, week or month"),
        ("since => '-infinity'", "since and until must be at most 100000 days apart"),
        ("until => 'infinity'", "since and until must be at most 100000 days apart"),
        ("since => '1600-01-01'", "since and until must be at most 100000 days apart"),
    ],
)
def test_a_trend_that_is_refused(connection: Connection, arguments: str, refusal: str) -> None:
    add_photos(connection, [Photo(frozenset("a"), taken_at=datetime(2023, 1, 1, tzinfo=UTC))])
    refresh(connection)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=f"^{refusal}"):
        connection.execute(f"SELECT * FROM tagdb.hashtag_trend({arguments})".encode())


def test_an_image_counts_once_for_several_spellings(connection: Connection) -> None:
    carried = ["ab", "abc", "bc", "c", "ac"]
    add_photos(connection, [Photo(frozenset(names)) for names in carried])
    store.tags.edit(connection, "merge", ["#A", "b"], "c")
    found = rows(connection, "SELECT hashtag, carried_as FROM tagdb.image_hashtags ORDER BY image_id")
    assert found == [("c", "a"), ("c", "c"), ("c", "c"), ("c", "c"), ("c", "c")]
    assert rows(connection, "SELECT hashtags FROM tagdb.images") == [(1,)] * 5
    store.tags.edit(connection, "ban", ["c"])
    assert rows(connection, "SELECT * FROM tagdb.image_hashtags") == []
    assert rows(connection, "SELECT hashtags FROM tagdb.images") == [(0,)] * 5
    assert rows(connection, "SELECT images_without_hashtags FROM tagdb.coverage") == [(5,)]


def test_only_the_active_backbone_and_run_count(modelled: Connection) -> None:
    photo = Photo(frozenset("ab"), embedded=True, factors=True)
    add_models(modelled, add_photos(modelled, [photo]), [photo], frozenset("a"))
    has = "SELECT has_embedding, has_factors FROM tagdb.images"
    knows = "SELECT in_active_run FROM tagdb.hashtag_stats ORDER BY hashtag"
    assert rows(modelled, has) == [(True, True)]
    assert rows(modelled, knows) == [(True,), (False,)]
    name, run, since = rows(
        modelled, "SELECT backbone, factor_run_id, factors_since < clock_timestamp() FROM tagdb.coverage"
    )[0]
    assert (name, run, since) == (
        rows(modelled, "SELECT name FROM tagdb.backbones WHERE active")[0][0],
        2,
        True,
    )
    modelled.execute("SELECT tagdb_store.activate_factor_run(1)")
    modelled.execute("UPDATE tagdb_store.backbones SET active = false")
    modelled.execute("UPDATE tagdb_store.backbones SET active = true WHERE name = 'test 1'")
    assert rows(modelled, has) == [(False, False)]
    assert rows(modelled, knows) == [(False,), (False,)]
    refresh(modelled)
    check(modelled)
    modelled.execute("UPDATE tagdb_store.backbones SET active = false")
    modelled.execute("UPDATE tagdb_store.factor_runs SET status = 'retired'")
    assert rows(
        modelled,
        "SELECT images_without_embedding, images_without_factors, hashtags_without_factors, backbone,"
        " factor_run_id, factors_since FROM tagdb.coverage",
    ) == [(1, 1, 2, None, None, None)]


# --- from how many images on ---------------------------------------------------------------------


def test_min_images_is_kept(connection: Connection) -> None:
    add_photos(connection, [Photo(frozenset(names)) for names in ("ab", "abc", "abc", "bcd")])
    assert store.statistics.current(connection).min_images == 2
    for asked, kept in ((None, 2), (3, 3), (None, 3), (1, 1), (None, 1), (4, 4), (100, 100), (2, 2)):
        assert store.statistics.refresh(connection, asked).min_images == kept
        check(connection)
        fewest = min((row[2] for row in stored(connection)["hashtag_pairs"]), default=None)
        assert (fewest is None) == (kept > 3)
        assert fewest is None or fewest >= kept


@pytest.mark.parametrize("wrong", [0, -1])
def test_min_images_of_nothing_is_refused(connection: Connection, wrong: int) -> None:
    add_photos(connection, [Photo(frozenset("ab"))] * 2)
    refresh(connection)
    before = stored(connection), rows(connection, "SELECT * FROM tagdb.statistics")
    with pytest.raises(
        psycopg.errors.InvalidParameterValue, match=f"^min_images must be 1 or more, not {wrong}\n"
    ):
        connection.execute("SELECT tagdb_store.refresh_statistics(%s)", (wrong,))
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        store.statistics.refresh(connection, wrong)
    assert (stored(connection), rows(connection, "SELECT * FROM tagdb.statistics")) == before


# --- without a refresh ---------------------------------------------------------------------------


def counted_anew(connection: Connection) -> dict[str, Any]:
    """All statistics as they are stored once everything is counted, which is taken back."""
    with connection.transaction(force_rollback=True):
        refresh(connection)
        return stored(connection)


@settings(SLOW, max_examples=45)
@given(
    world=st.lists(photos(), min_size=1, max_size=8),
    decided=st.lists(edits(), min_size=1, max_size=5),
    min_images=st.integers(1, 3),
)
@example(
    world=[Photo(frozenset("abc")), Photo(frozenset("bc")), Photo(frozenset("ad"))],
    decided=[Edit("alias", ("a",), "b"), Edit("alias", ("b",), "c"), Edit("undo"), Edit("ban", ("c",))],
    min_images=1,
)
def test_edits_leave_what_a_refresh_would(
    connection: Connection, world: list[Photo], decided: list[Edit], min_images: int
) -> None:
    """Nothing lags after an edit."""
    with connection.transaction(force_rollback=True):
        add_photos(connection, world)
        refresh(connection, min_images)
        for edit in decided:
            before = stored(connection)
            if not make(connection, edit):
                assert stored(connection) == before
                continue
            assert stored(connection) == counted_anew(connection)
        check(connection)


@settings(SLOW, max_examples=30)
@given(
    world=st.lists(photos(), max_size=4),
    later=st.lists(photos(), min_size=1, max_size=6),
    decided=st.lists(edits(), min_size=1, max_size=3),
)
def test_edits_after_what_no_refresh_has_seen(
    connection: Connection, world: list[Photo], later: list[Photo], decided: list[Edit]
) -> None:
    """Images that came after the refresh count, too."""
    with connection.transaction(force_rollback=True):
        add_photos(connection, world)
        refresh(connection, 1)
        add_photos(connection, later)
        for edit in decided:
            if make(connection, edit):
                assert stored(connection) == counted_anew(connection)
        refresh(connection)
        check(connection)


# --- what has changed ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """Something that happens to an image, by its place among all, or to hashtags."""

    kind: str
    place: int = 0
    hashtags: tuple[str, ...] = ()
    photo: Photo = Photo(frozenset())


def changes() -> st.SearchStrategy[Change | Edit | Photo]:
    kinds = ("remove", "tag", "untag", "accept", "reject", "withdraw", "describe", "count")
    some = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(tuple)
    change = st.builds(Change, st.sampled_from(kinds), st.integers(0, 9), some, photos())
    return st.one_of(change, change, edits(), photos())


def happens(connection: Connection, change: Change) -> None:
    """Let something happen, if there is such an image."""
    there = rows(connection, "SELECT image_id FROM tagdb_store.images ORDER BY image_id")
    if not there:
        return
    image, names = there[change.place % len(there)][0], list(change.hashtags)
    match change.kind:
        case "remove":
            connection.execute("SELECT tagdb.remove_image(%s)", (image,))
        case "tag":
            connection.execute("SELECT tagdb.tag_image(%s, %s)", (image, [n.upper() for n in names]))
        case "untag":
            connection.execute("SELECT tagdb.untag_image(%s, %s)", (image, names))
        case "accept":
            connection.execute("SELECT tagdb.give_feedback(%s, %s)", (image, names))
        case "reject":
            connection.execute("SELECT tagdb.give_feedback(%s, '{}', %s)", (image, names))
        case "withdraw":
            connection.execute("SELECT tagdb.withdraw_feedback(%s, %s)", (image, names))
        case "describe":
            connection.execute(
                "UPDATE tagdb_store.images SET collection = %s, taken_at = %s WHERE image_id = %s",
                (change.photo.collection, change.photo.taken_at, image),
            )


def spellings(connection: Connection) -> list[Any]:
    return rows(
        connection,
        "SELECT h.hashtag, h.spelling FROM tagdb_store.hashtags h"
        " JOIN tagdb_store.hashtag_counts n USING (hashtag_id) ORDER BY 1",
    )


@settings(SLOW, max_examples=100)
@given(
    world=st.lists(photos(), max_size=9),
    happening=st.lists(changes(), min_size=1, max_size=12),
    min_images=st.integers(1, 3),
)
@example(  # the only image with a pair goes, and its hashtags' first and last day with it
    world=[Photo(frozenset("ab"), "sea", EARLY), Photo(frozenset("abc")), Photo(frozenset("a"))],
    happening=[Change("remove", 0), Change("count"), Change("untag", 1, ("b",))],
    min_images=2,
)
@example(  # a pair reaches the minimum by an image that only gets another hashtag
    world=[Photo(frozenset("ab")), Photo(frozenset("a")), Photo(frozenset("b"))],
    happening=[Change("tag", 1, ("b",)), Change("count"), Edit("merge", ("a",), "b"), Edit("undo")],
    min_images=2,
)
def test_counting_what_has_changed(
    connection: Connection, world: list[Photo], happening: list[Change | Edit | Photo], min_images: int
) -> None:
    """Whatever happens, counting what has changed gives what counting everything does."""
    with connection.transaction(force_rollback=True):
        add_photos(connection, world)
        refresh(connection, min_images)
        for change in (*happening, Change("count")):
            if isinstance(change, Edit):
                make(connection, change)
            elif isinstance(change, Photo):
                add_photos(connection, [change])
            elif change.kind != "count":
                happens(connection, change)
            else:
                connection.execute("SELECT tagdb_store.count_changed_images()")
                found, spelt = stored(connection), spellings(connection)
                with connection.transaction(force_rollback=True):
                    refresh(connection)
                    assert found == stored(connection)
                    assert spelt == spellings(connection)


def test_what_is_not_known_yet_is_counted_the_next_time(connection: Connection, other: Connection) -> None:
    """An ingest that is not over does not block counting, and is counted when it is."""
    many(connection)
    refresh(connection)
    with other.transaction():
        add_photos(other, [Photo(frozenset("ab"), "beach")] * 2)
        other.execute("UPDATE tagdb_store.images SET collection = 'sea' WHERE image_id = 1")
        connection.execute("SET lock_timeout = '1s'")
        connection.execute("SELECT tagdb_store.count_changed_images()")
        assert rows(connection, "SELECT images FROM tagdb.statistics") == [(40,)]
    connection.execute("SELECT tagdb_store.count_changed_images()")
    assert rows(connection, "SELECT images FROM tagdb.statistics") == [(42,)]
    found = stored(connection)
    refresh(connection)
    assert stored(connection) == found
    check(connection)


def test_counting_while_others_store(connection: Connection, other: Connection) -> None:
    """Whatever is stored between two statements of counting is counted once."""
    names = ("a", "b", "c")

    def store_some() -> None:
        for n in range(15):
            with other.transaction():
                add_photos(other, [Photo(frozenset(names[: 1 + n % 3]), "beach")])
            if n % 3:
                other.execute("DELETE FROM tagdb_store.images WHERE image_id %% 7 = %s", (n,))
            other.execute(
                "DELETE FROM tagdb_store.image_hashtags WHERE image_id %% 5 = %s AND hashtag_id %% 3 = %s",
                (n % 5, n % 3),
            )

    with ThreadPoolExecutor(1) as pool:
        storing = pool.submit(store_some)
        while not storing.done():
            connection.execute("SELECT tagdb_store.count_changed_images()")
        storing.result()
    connection.execute("SELECT tagdb_store.count_changed_images()")
    found = stored(connection)
    refresh(connection)
    assert stored(connection) == found
    check(connection)


def test_shares_stay_shares_while_the_statistics_lag(connection: Connection) -> None:
    """An edit counts its hashtags on images that the last refresh did not know."""
    add_photos(connection, [Photo(frozenset("ab"))])
    refresh(connection, 1)
    add_photos(connection, [Photo(frozenset("ab"))] * 4)
    store.tags.edit(connection, "alias", ["c"], "a")
    beyond = "SELECT * FROM tagdb.{} WHERE greatest({}) > 1"
    found = {
        "hashtag_stats": rows(connection, beyond.format("hashtag_stats", "image_share")),
        "hashtag_pairs": rows(connection, beyond.format("hashtag_pairs", "support, confidence")),
        "complete_hashtags": rows(connection, beyond.format("complete_hashtags('', '{b}')", "score")),
    }
    assert not any(found.values()), found


# --- what is written, and when -------------------------------------------------------------------


def versions(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Which version of each row is stored where."""
    return {
        table: rows(connection, f"SELECT ctid::text, xmin::text, t.* FROM tagdb_store.{table} t ORDER BY 1")
        for table in TABLES
    }


def many(connection: Connection) -> list[int]:
    rng = np.random.default_rng(1)
    return add_photos(
        connection,
        [
            Photo(
                frozenset(name for name in NAMES if rng.random() < 0.5),
                [None, "beach", "city"][n % 3],
                EARLY + timedelta(days=int(rng.integers(0, 90))) if n % 4 else None,
            )
            for n in range(40)
        ],
    )


def test_refreshing_again_writes_nothing(connection: Connection) -> None:
    many(connection)
    store.tags.edit(connection, "alias", ["a"], "b")
    for min_images in (1, 3, 2):
        refresh(connection, min_images)
        before = versions(connection)
        assert all(before.values())
        refresh(connection)
        refresh(connection, min_images)
        assert versions(connection) == before


def test_only_what_differs_is_written(connection: Connection) -> None:
    many(connection)
    refresh(connection, 1)
    before = versions(connection)
    add_photos(connection, [Photo(frozenset(["new", "🌊"]), "sea", EARLY)])
    refresh(connection)
    check(connection)
    number = {row["hashtag"]: row["hashtag_id"] for row in dicts(connection, "SELECT * FROM tagdb.hashtags")}
    touched = {number["new"], number["🌊"]}
    for table, after in versions(connection).items():
        fresh = [row for row in after if row not in before[table]]
        assert fresh
        if table == "counted_images":
            assert len(fresh) == 1
        else:
            assert all(touched & set(row[2:4]) for row in fresh), table
    assert len(versions(connection)["hashtag_pairs"]) == len(before["hashtag_pairs"]) + 1


def test_what_is_gone_is_removed(connection: Connection) -> None:
    ids = many(connection)
    refresh(connection, 1)
    connection.execute("DELETE FROM tagdb_store.images WHERE image_id = ANY (%s)", (ids[:10],))
    connection.execute(
        "DELETE FROM tagdb_store.image_hashtags WHERE hashtag_id ="
        " (SELECT hashtag_id FROM tagdb_store.hashtags WHERE hashtag = 'c')"
    )
    connection.execute("UPDATE tagdb_store.images SET collection = 'sea' WHERE collection = 'city'")
    refresh(connection)
    check(connection)
    gone = (
        "SELECT images, first_seen, collections, hashtags_beside FROM tagdb.hashtag_stats WHERE hashtag = 'c'"
    )
    assert rows(connection, gone) == [(0, None, 0, None)]
    connection.execute("DELETE FROM tagdb_store.images")
    refresh(connection)
    check(connection)
    assert all(found == [] for found in versions(connection).values())
    assert store.statistics.current(connection).images == 0


def test_when_they_were_computed(connection: Connection) -> None:
    add_photos(connection, [Photo(frozenset("ab"))] * 3)
    before = store.statistics.current(connection)
    assert (before.images, before.min_images) == (0, 2)
    started = rows(connection, "SELECT clock_timestamp()")[0][0]
    found = store.statistics.refresh(connection)
    ended = rows(connection, "SELECT clock_timestamp()")[0][0]
    assert started <= found.refreshed_at <= ended
    assert 0 < found.seconds <= (ended - found.refreshed_at).total_seconds()
    assert (found.images, found.min_images) == (3, 2)
    for view in ("hashtag_stats", "hashtag_pairs", "hashtag_trend_daily", "collection_stats"):
        when = rows(connection, f"SELECT DISTINCT refreshed_at FROM tagdb.{view}")
        assert when == [(found.refreshed_at,)], view
    store.tags.edit(connection, "ban", ["a"])
    edited = store.statistics.current(connection)
    assert edited.refreshed_at > ended
    assert (edited.images, edited.min_images) == (3, 2)


def test_there_is_one_row(connection: Connection) -> None:
    for wrong in ("DEFAULT VALUES", "(one) VALUES (false)"):
        with pytest.raises((psycopg.errors.UniqueViolation, psycopg.errors.CheckViolation)):
            connection.execute(f"INSERT INTO tagdb_store.statistics {wrong}".encode())


# --- several at once -----------------------------------------------------------------------------


def test_readers_go_on_during_a_refresh(connection: Connection, other: Connection) -> None:
    many(connection)
    refresh(connection)

    def seen() -> list[Any]:
        return [rows(other, f"SELECT * FROM tagdb.{v.__name__} ORDER BY 1, 2, 3") for v in list(VIEWS)[:4]]

    other.execute("SET lock_timeout = '1ms'")
    before = seen()
    connection.execute("UPDATE tagdb_store.images SET taken_at = taken_at + interval '1 year'")
    ids = rows(connection, "SELECT image_id FROM tagdb_store.images LIMIT 20")
    connection.execute(
        "DELETE FROM tagdb_store.image_hashtags WHERE image_id = ANY (%s)", ([i for (i,) in ids],)
    )
    with connection.transaction():
        refresh(connection, 1)
        during = seen()
        # as much of it as is counted as of now has changed already
        assert during[:3] == before[:3]
        assert rows(other, "SELECT rank FROM tagdb.complete_hashtags('')") != []
        other.execute("INSERT INTO tagdb_store.hashtags (hashtag) VALUES ('new')")
        other.execute(
            "INSERT INTO tagdb_store.image_hashtags SELECT i.image_id, h.hashtag_id"
            " FROM tagdb_store.images i, tagdb_store.hashtags h WHERE h.hashtag = 'new'"
        )
    after = seen()
    assert all(one != another for one, another in zip(before, after, strict=True))
    refresh(connection)
    check(connection)


def test_two_refreshes_at_once(connection: Connection, other: Connection) -> None:
    many(connection)
    with connection.transaction():
        refresh(connection, 1)
        with blocked(connection, other, lambda: store.statistics.refresh(other)) as waiting:
            add_photos(connection, [Photo(frozenset("ab"), "beach")])
            connection.execute("COMMIT")
            found = waiting.result(30)
    assert isinstance(found, store.statistics.Statistics)
    assert (found.images, found.min_images) == (41, 1)
    check(connection)


def test_a_refresh_is_of_one_moment(connection: Connection, other: Connection) -> None:
    """An ingest that ends in the middle of it is in all of the statistics, or in none."""
    add_photos(connection, [Photo(frozenset("ab"))] * 2)
    with connection.transaction():
        connection.execute("LOCK TABLE tagdb_store.hashtag_trend IN SHARE MODE")
        with blocked(connection, other, lambda: refresh(other)) as waiting:
            add_photos(connection, [Photo(frozenset("ab"))] * 8)
            connection.execute("COMMIT")
            waiting.result(30)
    seen = rows(connection, "SELECT images, hashtag_images, with_images, confidence FROM tagdb.hashtag_pairs")
    assert seen in ([(2, 2, 2, 1.0)] * 2, [(10, 10, 10, 1.0)] * 2)


def test_many_refreshes_at_once(connection: Connection, other: Connection) -> None:
    many(connection)
    with ThreadPoolExecutor(2) as pool:
        for turn in range(10):
            pending = [
                pool.submit(store.statistics.refresh, one, turn % 3 + 1) for one in (connection, other)
            ]
            for future in pending:
                future.result(30)
            connection.execute(
                "DELETE FROM tagdb_store.image_hashtags WHERE image_id IN"
                " (SELECT image_id FROM tagdb_store.images ORDER BY image_id OFFSET %s LIMIT 4)",
                (4 * turn,),
            )
    refresh(connection)
    check(connection)


@pytest.mark.parametrize("first", ["edit", "refresh"])
def test_an_edit_and_a_refresh_at_once(connection: Connection, other: Connection, first: str) -> None:
    many(connection)
    refresh(connection)

    def edit(by: Connection) -> None:
        store.tags.edit(by, "merge", ["a", "b"], "c")

    steps = [edit, refresh] if first == "edit" else [refresh, edit]
    with connection.transaction():
        steps[0](connection)
        with blocked(connection, other, lambda: steps[1](other)) as waiting:
            connection.execute("COMMIT")
            waiting.result(30)
    found = stored(connection)
    refresh(connection)
    assert stored(connection) == found
    check(connection)


# --- when they are due ---------------------------------------------------------------------------


def test_nothing_is_due_while_nothing_changes(connection: Connection) -> None:
    many(connection)
    store.statistics.refresh_if_due(connection)
    fresh = store.statistics.current(connection)
    assert fresh.images == 40
    store.statistics.refresh_if_due(connection)
    connection.execute("UPDATE tagdb_store.images SET uri = uri || '/moved', collection = collection")
    store.statistics.refresh_if_due(connection)
    assert store.statistics.current(connection) == fresh


@pytest.mark.parametrize(("more", "anew"), [(1, False), (2, False), (3, True)])
def test_everything_is_counted_when_much_has_changed(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, more: int, anew: bool
) -> None:
    many(connection)
    store.statistics.refresh_if_due(connection)
    refreshed: list[bool] = []
    refresh_all = store.statistics.refresh
    monkeypatch.setattr(
        store.statistics, "refresh", lambda connection: refreshed.append(True) or refresh_all(connection)
    )
    add_photos(connection, [Photo(frozenset("ab"), "beach")] * more)
    store.statistics.refresh_if_due(connection)
    assert bool(refreshed) == anew
    assert store.statistics.current(connection).images == 40 + more
    assert store.statistics.lag(connection).changed == 0
    check(connection)


def test_much_that_has_changed_is_counted_in_sql_too(connection: Connection) -> None:
    """As by an edit before anybody has counted: all at once, not image by image."""
    add_photos(connection, [Photo(frozenset("ab"), "beach"), Photo(frozenset("bc"), None)] * 150)
    before = store.statistics.current(connection)
    connection.execute("SELECT tagdb_store.count_changed_images()")
    after = store.statistics.current(connection)
    assert after.images == 300
    assert after != before
    assert store.statistics.lag(connection).changed == 0
    check(connection)
