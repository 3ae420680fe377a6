"""Binary COPY, against PostgreSQL's own reading and writing of it."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tagdb.postgres import pgcopy
from tagdb.postgres.database import Connection

pytestmark = pytest.mark.read_only

Arrays = tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float16]]


def arrays(rows: int, dimensions: int = 7) -> Arrays:
    rng = np.random.default_rng(rows)
    small = rng.integers(-(2**31), 2**31, rows, np.int32)
    large = rng.integers(-(2**63), 2**63 - 1, rows, np.int64)
    return small, large, rng.standard_normal((rows, dimensions)).astype(np.float16)


def write(connection: Connection, *columns: pgcopy.Column) -> int:
    """Write into a new temporary table; the number of rows that PostgreSQL took."""
    width = columns[2].shape[1]
    connection.execute(f"CREATE TEMPORARY TABLE t (a integer, b bigint, c halfvec({width}))")
    with connection.cursor() as cursor:
        with cursor.copy("COPY t FROM STDIN (FORMAT binary)") as copy:
            for chunk in pgcopy.encode(*columns):
                copy.write(chunk)
        return cursor.rowcount


def read(connection: Connection, columns: str = "a, b, c") -> bytes:
    command = f"COPY (SELECT {columns} FROM t ORDER BY ctid) TO STDOUT (FORMAT binary)"
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        return b"".join(copy)


@pytest.mark.parametrize("rows", [0, 1, 4, 5, 9, 10, 11])
def test_round_trip_through_postgresql(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """Whatever the number of rows is, also at the boundaries of chunks."""
    monkeypatch.setattr(pgcopy, "ROWS_PER_CHUNK", 5)
    columns = arrays(rows)
    assert write(connection, *columns) == rows
    decoded = pgcopy.decode(read(connection), "i4", "i8", ("f2", 7))
    for column, back in zip(columns, decoded, strict=True):
        assert isinstance(column, np.ndarray)
        np.testing.assert_array_equal(column, back)
        assert column.dtype == back.dtype
        assert back.dtype.isnative


def test_a_table_of_more_than_one_real_chunk(connection: Connection) -> None:
    columns = arrays(pgcopy.ROWS_PER_CHUNK + 1, 2)
    assert len(list(pgcopy.encode(*columns))) == 4  # header, two chunks, trailer
    assert write(connection, *columns) == pgcopy.ROWS_PER_CHUNK + 1
    decoded = pgcopy.decode(read(connection), "i4", "i8", ("f2", 2))
    for column, back in zip(columns, decoded, strict=True):
        np.testing.assert_array_equal(column, back)


def test_postgresql_reads_the_numbers_that_were_meant(connection: Connection) -> None:
    write(
        connection,
        np.array([-(2**31), 2**31 - 1], np.int32),
        np.array([2**63 - 1, -(2**63)], np.int64),
        np.array([[0.5, -65504], [6e-8, -0.0]], np.float16),
    )
    rows = connection.execute("SELECT a, b, c::text FROM t ORDER BY a").fetchall()
    assert rows == [
        (-(2**31), 2**63 - 1, "[0.5,-65504]"),
        (2**31 - 1, -(2**63), "[5.9604645e-08,-0]"),
    ]


TYPES = ("i4", "i8", ("f2", 7))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.integers(0, 20), together=st.integers(1, 400), data=st.data())
def test_pieces_of_any_size(
    monkeypatch: pytest.MonkeyPatch, rows: int, together: int, data: st.DataObject
) -> None:
    """Cut anywhere, also in the middle of a number, and taken in at once or bit by bit."""
    columns = arrays(rows)
    whole = b"".join(pgcopy.encode(*columns))
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=30).map(sorted), "cuts")
    pieces = [whole[start:end] for start, end in pairwise([0, *cuts, len(whole)])]
    kinds = data.draw(st.lists(st.sampled_from([bytes, bytearray, memoryview]), min_size=1), "kinds")
    given_as = [kinds[n % len(kinds)](piece) for n, piece in enumerate(pieces)]
    with monkeypatch.context() as patch:
        patch.setattr(pgcopy, "CHUNK_BYTES", together)
        decoded = pgcopy.decode_stream(iter(given_as), *TYPES)
        with pytest.raises(ValueError, match="not a binary COPY of these columns"):
            pgcopy.decode_stream([*given_as, b"!"], *TYPES)
        lost = data.draw(st.integers(0, len(whole) - 1), "lost")
        with pytest.raises(ValueError, match="not a binary COPY of these columns"):
            pgcopy.decode_stream([whole[:lost], whole[lost + 1 :]], *TYPES)
    for column, back in zip(columns, decoded, strict=True):
        np.testing.assert_array_equal(column, back)
        assert column.dtype == back.dtype
        assert back.dtype.isnative
        assert back.flags.writeable


def test_what_does_not_belong_is_noticed_within_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before all of it has come."""
    monkeypatch.setattr(pgcopy, "CHUNK_BYTES", 100)
    whole = bytearray(b"".join(pgcopy.encode(*arrays(20))))
    whole[len(pgcopy.HEADER) + 1] ^= 1  # the first row's number of fields
    came = []

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(whole), 50):
            came.append(start)
            yield bytes(whole[start : start + 50])

    with pytest.raises(ValueError, match="not a binary COPY of these columns"):
        pgcopy.decode_stream(pieces(), *TYPES)
    assert len(came) < len(whole) / 50 / 2


def test_a_table_of_more_bytes_than_are_decoded_at_once() -> None:
    columns = arrays(120_000, 30)
    chunks = list(pgcopy.encode(*columns))
    assert sum(map(len, chunks)) > 2 * pgcopy.CHUNK_BYTES
    for column, back in zip(columns, pgcopy.decode_stream(chunks, "i4", "i8", ("f2", 30)), strict=True):
        np.testing.assert_array_equal(column, back)


def test_integers_alone_are_written(connection: Connection) -> None:
    columns = arrays(3)
    write(connection, *columns)
    large, small = pgcopy.decode(read(connection, "b, a"), "i8", "i4")
    np.testing.assert_array_equal(large, columns[1])
    np.testing.assert_array_equal(small, columns[0])


@pytest.mark.parametrize("rows", [1, 8, 100])
@pytest.mark.parametrize(
    "types",
    [
        ("i4",),
        ("i4", "i8"),
        ("i8", "i4", ("f2", 7)),
        ("i4", "i8", ("f2", 6)),
        ("i4", "i8", ("f2", 8)),
        ("i4", "i4", ("f2", 9)),
        ("i4", "i8", ("f2", 7), "i4"),
        (("f2", 7), "i8", "i4"),
    ],
    ids=str,
)
def test_wrong_types_are_refused(
    connection: Connection, types: tuple[str | tuple[str, int], ...], rows: int
) -> None:
    write(connection, *arrays(rows))
    with pytest.raises(ValueError, match="not a binary COPY of these columns"):
        pgcopy.decode(read(connection), *types)


def test_nulls_are_refused(connection: Connection) -> None:
    write(connection, *arrays(4))
    connection.execute("UPDATE t SET b = NULL")
    with pytest.raises(ValueError, match="not a binary COPY of these columns"):
        pgcopy.decode(read(connection), "i4", "i8", ("f2", 7))


@pytest.mark.parametrize("data", [b"", b"PGCOPY", b"1\t2\n3\t4\n", b"x" * 100, pgcopy.HEADER])
def test_what_is_no_binary_copy_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a binary COPY of these columns"):
        pgcopy.decode(data, "i4")


def test_a_copy_that_was_cut_off_is_refused(connection: Connection) -> None:
    write(connection, *arrays(4))
    data = read(connection)
    for length in range(len(data)):
        with pytest.raises(ValueError, match="not a binary COPY of these columns"):
            pgcopy.decode(data[:length], "i4", "i8", ("f2", 7))


PACKED = """COPY (
    SELECT string_agg(int8send(b) || int4send(a), ''::bytea) FROM t GROUP BY a % 7
) TO STDOUT (FORMAT binary)"""


@pytest.mark.parametrize("rows", [0, 1, 500])
def test_packed_rows_are_those_of_the_table(connection: Connection, rows: int) -> None:
    small, large, vectors = arrays(rows)
    write(connection, small, large, vectors)
    with connection.cursor() as cursor, cursor.copy(PACKED) as copy:
        whole = b"".join(map(bytes, copy))
    for size in (1, 5, 1 << 20):
        pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
        b, a = pgcopy.decode_packed(pieces, "i8", "i4")
        assert (b.dtype, a.dtype) == (np.int64, np.int32)
        assert sorted(zip(a.tolist(), b.tolist(), strict=True)) == sorted(
            zip(small.tolist(), large.tolist(), strict=True)
        )
        for wrong in ([*pieces, b"!"], pieces[:-1], [b"x", *pieces], []):
            with pytest.raises(ValueError, match="not a binary COPY of packed rows"):
                pgcopy.decode_packed(wrong, "i8", "i4")
    if rows:
        with pytest.raises(ValueError, match="not a binary COPY of packed rows"):
            pgcopy.decode_packed([whole], "i8", "i8")
