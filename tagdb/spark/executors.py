"""What Spark's executors do with their parts of the images. Knows no Spark.

Whatever a function reads is as the snapshot of the whole computation sees it: a part that is computed again,
because an executor was lost, is the same. An executor holds a few parts at a time.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from tagdb import __version__, store
from tagdb.errors import FactorsError
from tagdb.learning import als, parts
from tagdb.learning.als import Interactions, Weighting
from tagdb.learning.model import Ridge
from tagdb.learning.parts import FitSums, HashtagCounts, Known, RidgeSums, Totals
from tagdb.learning.ranking import Centring, Nearest
from tagdb.postgres import database, snapshots
from tagdb.postgres.database import Connection
from tagdb.spark.ratings import ratings
from tagdb.store.run_parts import Part, VectorSource

Item = TypeVar("Item")
Sum = TypeVar("Sum")
Value = TypeVar("Value", covariant=True)


class Shared(Protocol, Generic[Value]):
    """A value that all executors have: a broadcast variable."""

    @property
    def value(self) -> Value:
        """The value."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The database, at the moment of the computation.

    It travels with the functions, never by a broadcast, which Spark writes to disks, nor in Spark's
    configuration, which everybody can see: the URL may have a password.
    """

    url: str = field(repr=False)
    snapshot: str
    version: str = __version__

    def reading(self) -> AbstractContextManager[Connection]:
        """Open a connection that reads what the snapshot sees."""
        self._check()
        return snapshots.imported(self.url, self.snapshot)

    def _check(self) -> None:
        if self.version != __version__:
            raise FactorsError(
                f"the executors have tagdb {__version__}, and this is {self.version}; install the same there"
            )


@dataclass(frozen=True, slots=True)
class Fitted:
    """The images of a part that ALS has fitted, by ascending id."""

    part: Part
    image_ids: NDArray[np.int64]
    """int64 (n,)."""
    factors: NDArray[np.float32]
    """float32 (n, k)."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The images of a part that may be neighbours, as they are stored."""

    part: Part
    image_ids: NDArray[np.int64]
    """int64 (n,), ascending."""
    factors: NDArray[np.float16]
    """float16 (n, k)."""
    embedded: NDArray[np.bool_]
    """bool (n,): whether they have a vector, so that they can be found."""

    def pool(self) -> NDArray[np.int64]:
        """Return the images with a vector."""
        return self.image_ids[self.embedded]


@dataclass(frozen=True, slots=True)
class Asked:
    """Images of a part that hashtags are refitted to."""

    part: Part
    image_ids: NDArray[np.int64]
    """int64 (m,), ascending."""
    vectors: NDArray[np.float16]
    """float16 (m, d)."""
    rows: NDArray[np.int64]
    """int64 (n,): place of each hashtag's image among these."""
    columns: NDArray[np.int64]
    """int64 (n,): place of the hashtag."""


def summed(function: Callable[[Item], Sum], items: Iterable[Item]) -> Iterator[Sum]:
    """Yield the sum of what a function returns for each item; nothing without items."""
    items = iter(items)
    for first in items:
        yield reduce(add, map(function, items), function(first))


# --- ALS --------------------------------------------------------------------------------------------------


def read(origin: Origin, some: Iterable[Part]) -> Iterator[Interactions]:
    """Read the interactions of each part."""
    with origin.reading() as connection:
        for part in some:
            yield store.run_parts.interactions(connection, part)


def count_hashtags(some: Iterable[Interactions]) -> Iterator[HashtagCounts]:
    """Count the images of each hashtag."""
    return summed(HashtagCounts.of, some)


def count_images(one: Interactions) -> int:
    """Count the images of a part."""
    return len(np.unique(one.image_ids))


def count_fitted(hashtags: Shared[HashtagCounts], some: Iterable[Interactions]) -> Iterator[Totals]:
    """Count what is fitted."""
    return summed(lambda one: Totals.of(one, hashtags.value), some)


def weigh(
    hashtags: Shared[HashtagCounts], basis: Weighting, accepted: float, some: Iterable[Interactions]
) -> Iterator[tuple[float, float]]:
    """Yield the sum of weights without feedback of each part, and the least weight with it."""
    for one in some:
        known = Known.of(one, hashtags.value)
        if len(known.columns):
            weight = known.weights(basis).astype(np.float64)
            least = float((weight * np.where(known.accepted, accepted, 1)).min())
            yield float(weight.sum()), least


def rated(
    hashtags: Shared[HashtagCounts], weighting: Weighting, alpha: float, some: Iterable[Interactions]
) -> Iterator[tuple[int, int, float]]:
    """Yield image, hashtag and rating of all interactions."""
    for one in some:
        known = Known.of(one, hashtags.value)
        rating = ratings(alpha * known.weights(weighting))
        named = hashtags.value.hashtag_ids[known.columns]
        yield from zip(known.image_ids.tolist(), named.tolist(), rating.tolist(), strict=True)


def packed(rows: Iterable[Any]) -> Iterator[tuple[NDArray[np.int32], NDArray[np.float32]]]:
    """Yield ids, int32 (n,), and factors, float32 (n, k), of Spark's rows."""
    all_rows = list(rows)
    if all_rows:
        ids = np.array([row["id"] for row in all_rows], np.int32)
        yield ids, np.array([row["features"] for row in all_rows], np.float32)


def by_part(some: Sequence[Part], rows: Iterable[Any]) -> Iterator[tuple[int, tuple[int, bytes]]]:
    """Yield the number of an image's part, and its id and factors, for Spark's rows."""
    lasts = [part.last for part in some]
    for row in rows:
        features = np.array(row["features"], np.float32).tobytes()
        yield bisect_left(lasts, row["id"]), (row["id"], features)


def gathered(some: Sequence[Part], rows: Iterable[tuple[int, tuple[int, bytes]]]) -> Iterator[Fitted]:
    """Yield the images of each part."""
    found: dict[int, list[tuple[int, bytes]]] = {}
    for number, image in rows:
        found.setdefault(number, []).append(image)
    for number in sorted(found):
        images = sorted(found.pop(number))
        factors = np.frombuffer(b"".join(each for _, each in images), np.float32)
        ids = np.array([image_id for image_id, _ in images], np.int64)
        yield Fitted(some[number], ids, factors.reshape(len(ids), -1))


# --- what is made of it -----------------------------------------------------------------------------------


def fit_sums(
    origin: Origin, source: Shared[VectorSource | None], some: Iterable[Fitted]
) -> Iterator[FitSums]:
    """Add up what the ridge regression and folding in need."""
    with origin.reading() as connection:

        def sums(one: Fitted) -> FitSums:
            vectors = store.run_parts.vectors(connection, source.value, one.part)
            place = parts.places_of(one.image_ids, vectors.image_ids)
            wide, there = one.factors.astype(np.float64), place >= 0
            ridge = RidgeSums.of(vectors.vectors[place[there]], one.factors[there]) if there.any() else None
            return FitSums(wide.T @ wide, ridge)

        yield from summed(sums, some)


def blend(
    origin: Origin,
    source: Shared[VectorSource | None],
    ridge: Shared[Ridge | None],
    share: float,
    min_hashtags: int,
    some: Iterable[Fitted],
) -> Iterator[Stored]:
    """Replace a share of the factors by the ridge regression's, and leave out who cannot be a neighbour."""
    with origin.reading() as connection:
        for one in some:
            vectors = store.run_parts.vectors(connection, source.value, one.part)
            carried = parts.hashtags_of(one.image_ids, store.run_parts.interactions(connection, one.part))
            place = parts.places_of(one.image_ids, vectors.image_ids)
            there = place >= 0
            factors = one.factors.copy()
            if ridge.value is not None:
                predicted = ridge.value.predict_short(vectors.vectors[place[there]])
                factors[there] = (1 - share) * factors[there] + share * predicted
            chosen = carried >= min_hashtags
            stored = als.checked(factors).astype(np.float16)
            yield Stored(one.part, one.image_ids[chosen], stored[chosen], there[chosen])


def write(origin: Origin, factor_run_id: int, some: Iterable[Stored]) -> Iterator[tuple[int, int, int]]:
    """Store factors; yield each part's number, its images, and how many of them can be found."""
    with database.connect(origin.url) as connection, database.translated(connection):
        for one in some:
            store.run_parts.save(connection, factor_run_id, one.part, one.image_ids, one.factors)
            yield one.part.number, len(one.image_ids), int(one.embedded.sum())


# --- refitting hashtags -----------------------------------------------------------------------------------


def ask(
    origin: Origin,
    source: Shared[VectorSource | None],
    hashtags: Shared[HashtagCounts],
    places: Shared[dict[int, NDArray[np.int64]]],
    some: Iterable[Stored],
) -> Iterator[Asked]:
    """Read the images that hashtags are refitted to: for each part, places in its pool."""
    with origin.reading() as connection:
        for one in some:
            chosen = places.value.get(one.part.number)
            if chosen is None:
                continue
            ids = one.pool()[chosen]
            vectors = store.run_parts.vectors(connection, source.value, one.part)
            known = Known.of(store.run_parts.interactions(connection, one.part), hashtags.value)
            rows = parts.places_of(known.image_ids, ids)
            theirs = rows >= 0
            place = parts.places_of(ids, vectors.image_ids)
            yield Asked(one.part, ids, vectors.vectors[place], rows[theirs], known.columns[theirs])


def find(
    origin: Origin,
    source: Shared[VectorSource | None],
    queries: Shared[NDArray[np.float16]],
    centring: Shared[Centring | None],
    count: int,
    some: Iterable[Stored],
) -> Iterator[Nearest]:
    """Find the nearest images of these parts; off the mean, as the queries are, if there is a centring."""
    found = Nearest.of(len(queries.value))
    with origin.reading() as connection:
        for one in some:
            ids = one.pool()
            vectors = store.run_parts.vectors(connection, source.value, one.part)
            pool = vectors.vectors[parts.places_of(ids, vectors.image_ids)]
            pool = pool if centring.value is None else centring.value.off(pool)
            found = found.merged(parts.nearest(queries.value, ids, pool, count), count)
    yield found


def average(
    neighbours: Shared[tuple[NDArray[np.int64], NDArray[np.float32]]], some: Iterable[Stored]
) -> Iterator[NDArray[np.float64]]:
    """Add up the averages over neighbours, as far as these are here."""
    return summed(lambda one: parts.average_sums(*neighbours.value, one.image_ids, one.factors), some)
