"""SQLAlchemy: reflection, functions as expressions, and a pool."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import func, literal, select, text

from tests.support.clients import QUERY, Place

COLUMNS = ("rank", "hashtag", "score")


@pytest.fixture
def engine(place: Place) -> Iterator[sa.Engine]:
    """An engine of a reader's, with a pool of two connections."""
    url = place.reader.replace("postgresql://", "postgresql+psycopg://", 1)
    made = sa.create_engine(url, pool_size=2, max_overflow=0)
    yield made
    made.dispose()


@pytest.fixture
def best(place: Place) -> list[tuple[object, ...]]:
    """What the database recommends for the embedding."""
    return place.rows("SELECT rank, hashtag, score FROM tagdb.recommend_for_embedding(%s, 3)", QUERY)


def test_every_view_is_reflected_with_its_comments(engine: sa.Engine, place: Place) -> None:
    inspector = sa.inspect(engine)
    assert "tagdb" in inspector.get_schema_names()
    assert sorted(inspector.get_view_names("tagdb")) == place.views()
    assert inspector.get_table_names("tagdb") == []
    for name in place.views():
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of a type that SQLAlchemy does not know
            view = sa.Table(name, sa.MetaData(), schema="tagdb", autoload_with=engine)
        assert view.comment
        for column in view.columns:
            assert column.comment, f"{name}.{column.name}"
            assert not isinstance(column.type, sa.types.NullType), f"{name}.{column.name}"
        with engine.connect() as connection:
            rows = connection.execute(select(view)).all()
        assert len(rows) == place.rows(f"SELECT count(*) FROM tagdb.{name}")[0][0] > 0


def test_functions_are_called_as_expressions(
    engine: sa.Engine, place: Place, best: list[tuple[object, ...]]
) -> None:
    query = "SELECT hashtag FROM tagdb.recommend_for_embedding(%s, 2, known => ARRAY[%s])"
    expected = [hashtag for (hashtag,) in place.rows(query, QUERY, best[0][1])]
    embedding = literal(json.loads(QUERY), HALFVEC(1280))
    found = func.tagdb.recommend_for_embedding(embedding, 3).table_valued(*COLUMNS)
    others = func.tagdb.recommend_for_embedding(embedding, 2, None, [best[0][1]]).table_valued(*COLUMNS)
    with engine.connect() as connection:
        assert connection.execute(select(found)).all() == best
        assert [row.hashtag for row in connection.execute(select(others))] == expected
        assert connection.scalar(select(func.tagdb.fold_hashtag("#Sea"))) == "sea"


def test_a_lateral_join_with_a_view(engine: sa.Engine) -> None:
    images = sa.Table("images", sa.MetaData(), schema="tagdb", autoload_with=engine)
    some = select(images).where(images.c.has_embedding).order_by(images.c.image_id).limit(4).subquery()
    found = func.tagdb.recommend_for_image(some.c.image_id, 2).table_valued(*COLUMNS).lateral()
    query = select(some.c.image_id, found.c.rank).select_from(some).join(found, sa.true())
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(some.c.image_id, found.c.rank)).all()
    assert [row.rank for row in rows] == [1, 2] * 4


def test_text_with_named_arguments(engine: sa.Engine, best: list[tuple[object, ...]]) -> None:
    query = text("SELECT rank, hashtag, score FROM tagdb.recommend_for_embedding(:embedding, top => :top)")
    with engine.connect() as connection:
        assert connection.execute(query, {"embedding": QUERY, "top": 3}).all() == best


def test_more_threads_than_connections(engine: sa.Engine, best: list[tuple[object, ...]]) -> None:
    query = text("SELECT rank, hashtag, score FROM tagdb.recommend_for_embedding(:embedding, 3)")

    def ask(number: int) -> object:
        with engine.connect() as connection:
            return connection.execute(query, {"embedding": QUERY}).all()

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(32))) == [best] * 32
    assert engine.pool.checkedin() <= 2  # type: ignore[attr-defined]


def test_an_error_has_its_code_and_leaves_the_pool_usable(engine: sa.Engine) -> None:
    query = text("SELECT * FROM tagdb.recommend_for_image(1, top => :top)")
    with engine.connect() as connection, pytest.raises(sa.exc.DataError) as caught:
        connection.execute(query, {"top": 0})
    assert caught.value.orig.sqlstate == "22023"  # type: ignore[union-attr]
    assert caught.value.orig.diag.message_primary == "top must be 1 or more, not 0"  # type: ignore[union-attr]
    with engine.connect() as connection:
        connection.execute(query, {"top": 1})
