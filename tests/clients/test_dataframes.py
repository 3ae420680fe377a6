"""pandas and polars: every view, with the types that one expects."""

from __future__ import annotations

from collections.abc import Iterator

import pandas
import polars
import psycopg
import pytest
import sqlalchemy as sa

from tests.support.clients import Place, columns

PANDAS = {
    "integer": "int64",
    "bigint": "int64",
    "double precision": "float64",
    "text": "str",
    "boolean": "bool",
    "timestamp with time zone": "datetime64[us, UTC]",
    "date": "object",  # datetime.date, unless parse_dates names the column
    "text[]": "object",
    "jsonb": "object",
    "bytea": "object",
}
NULLABLE = {
    "integer": "Int64",
    "bigint": "Int64",
    "double precision": "Float64",
    "text": "string",
    "boolean": "boolean",
    "timestamp with time zone": "datetime64[us, UTC]",
}
"""With ``dtype_backend="numpy_nullable"``."""
POLARS = {
    "integer": polars.Int64,
    "bigint": polars.Int64,
    "double precision": polars.Float64,
    "text": polars.String,
    "boolean": polars.Boolean,
    "timestamp with time zone": polars.Datetime("us", "UTC"),
    "date": polars.Date,
    "text[]": polars.List(polars.String),
    "jsonb": polars.Struct,
    "bytea": polars.Binary,
}


@pytest.fixture
def connection(place: Place) -> Iterator[sa.Connection]:
    """A reader's, whose session's time zone is UTC wherever the server is."""
    url = place.reader.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = sa.create_engine(url, connect_args={"options": "-c timezone=UTC"})
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def test_pandas_reads_every_view_with_its_types(place: Place, connection: sa.Connection) -> None:
    for view, types in columns(place).items():
        frame = pandas.read_sql(f"SELECT * FROM tagdb.{view}", connection)
        assert len(frame) > 0
        for column, kind in types.items():
            expected = PANDAS[kind]
            if frame[column].isna().all():
                continue  # nothing there has a type, such as the network of the bundled backbone
            if expected == "int64" and frame[column].hasnans:
                expected = "float64"
            assert str(frame.dtypes[column]) == expected, f"{view}.{column}"


def test_pandas_with_nullable_types(place: Place, connection: sa.Connection) -> None:
    for view, types in columns(place).items():
        wanted = {column: NULLABLE[kind] for column, kind in types.items() if kind in NULLABLE}
        query = f"SELECT {', '.join(wanted)} FROM tagdb.{view}"
        frame = pandas.read_sql(query, connection, dtype_backend="numpy_nullable")
        assert {column: str(kind) for column, kind in frame.dtypes.items()} == wanted, view


def test_pandas_reads_a_view_by_its_name(connection: sa.Connection) -> None:
    frame = pandas.read_sql_table("hashtag_trend_weekly", connection, schema="tagdb")
    assert str(frame.dtypes["starts_on"]).startswith("datetime64")
    weekly = frame.pivot_table(index="starts_on", columns="hashtag", values="images")
    assert len(weekly) > 8


def test_polars_reads_every_view_with_its_types(place: Place, connection: sa.Connection) -> None:
    with psycopg.connect(place.reader, options="-c timezone=UTC") as direct:
        for view, types in columns(place).items():
            query = f"SELECT * FROM tagdb.{view}"
            frame = polars.read_database(query, connection, infer_schema_length=None)
            assert frame.height > 0
            for column, kind in types.items():
                found = frame.schema[column]
                assert found == POLARS[kind] or found == polars.Null, f"{view}.{column} is {found}"
                assert found != polars.Null or frame[column].null_count() == frame.height
            assert polars.read_database(query, direct, infer_schema_length=None).schema == frame.schema
