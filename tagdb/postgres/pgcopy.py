"""Convert rows of fixed width between PostgreSQL's binary COPY format and NumPy arrays.

All rows of a table of integers and vectors of one size have the same number of bytes. So a whole table is one
structured array, without a Python object per row or number. PostgreSQL's manual describes the format under
COPY, "Binary Format". A ``halfvec`` is its dimension and a zero as two int16, followed by its numbers, all
big-endian.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
ROWS_PER_CHUNK = 16_384
CHUNK_BYTES = 4 << 20

Column = NDArray[np.int32] | NDArray[np.int64] | NDArray[np.float16]


def _row_type(columns: Iterable[Column]) -> np.dtype[np.void]:
    fields: list[tuple[str, str] | tuple[str, str, tuple[int]]] = [("fields", ">i2")]
    for i, column in enumerate(columns):
        fields.append((f"size{i}", ">i4"))
        if column.ndim == 2:
            fields += [(f"dim{i}", ">i2"), (f"zero{i}", ">i2"), (f"value{i}", ">f2", (column.shape[1],))]
        else:
            fields.append((f"value{i}", f">i{column.dtype.itemsize}"))
    return np.dtype(fields)


def _sizes(i: int, column: Column) -> dict[str, int]:
    """Size fields of a column, which are the same in every row."""
    if column.ndim == 2:
        return {f"size{i}": 4 + 2 * column.shape[1], f"dim{i}": column.shape[1], f"zero{i}": 0}
    return {f"size{i}": column.dtype.itemsize}


def encode(*columns: Column) -> Iterator[bytes]:
    """Encode columns of equal length in chunks for a binary ``COPY … FROM STDIN``.

    Parameters
    ----------
    columns : int32 (n,), int64 (n,) or float16 (n, d)
        For columns of type integer, bigint or halfvec.
    """
    dtype = _row_type(columns)
    total = len(columns[0])
    yield HEADER
    for start in range(0, total, ROWS_PER_CHUNK):
        rows = np.zeros(min(ROWS_PER_CHUNK, total - start), dtype)
        rows["fields"] = len(columns)
        for i, column in enumerate(columns):
            part = column[start : start + ROWS_PER_CHUNK]
            for name, number in _sizes(i, column).items():
                rows[name] = number
            rows[f"value{i}"] = part
        yield rows.tobytes()
    yield TRAILER


def decode(data: bytes, *types: str | tuple[str, int]) -> tuple[NDArray[np.generic], ...]:
    """Decode the complete output of a binary ``COPY … TO STDOUT``; see :func:`decode_stream`."""
    return decode_stream([data], *types)


def decode_stream(
    stream: Iterable[bytes | bytearray | memoryview], *types: str | tuple[str, int]
) -> tuple[NDArray[np.generic], ...]:
    """Decode the output of a binary ``COPY … TO STDOUT`` as it arrives. No column may contain NULL.

    Parameters
    ----------
    stream
        The output, in pieces of any size.
    types
        Type of each column: ``"i4"``, ``"i8"``, or ``("f2", d)`` for a halfvec of d numbers.

    Returns
    -------
    tuple of arrays, (n,) or (n, d)
        One per column, in the machine's byte order; (n, d) for a halfvec.

    Raises
    ------
    ValueError
        The data does not have these columns.
    """
    samples: list[Column] = [
        np.empty((0, t[1]), np.float16) if isinstance(t, tuple) else np.empty(0, np.dtype(t)) for t in types
    ]
    dtype = _row_type(samples)
    expected = {"fields": len(types)}
    for i, sample in enumerate(samples):
        expected |= _sizes(i, sample)
    wrong = ValueError("not a binary COPY of these columns")
    parts: list[list[NDArray[np.generic]]] = [[sample] for sample in samples]

    def take(rows: NDArray[np.void]) -> None:
        if not all((rows[name] == number).all() for name, number in expected.items()):
            raise wrong
        for i, sample in enumerate(samples):
            parts[i].append(rows[f"value{i}"].astype(sample.dtype))

    waiting, started = bytearray(), False
    for piece in stream:
        waiting += piece
        if not started and len(waiting) >= len(HEADER):
            if not waiting.startswith(HEADER[:11]):
                raise wrong
            del waiting[: len(HEADER)]
            started = True
        if started and len(waiting) >= CHUNK_BYTES:
            count = (len(waiting) - len(TRAILER)) // dtype.itemsize
            take(np.frombuffer(bytes(waiting[: count * dtype.itemsize]), dtype))
            del waiting[: count * dtype.itemsize]
    body = len(waiting) - len(TRAILER)
    if not started or body < 0 or body % dtype.itemsize or not waiting.endswith(TRAILER):
        raise wrong
    take(np.frombuffer(bytes(waiting[:body]), dtype))
    return tuple(np.concatenate(part) for part in parts)


def decode_packed(
    stream: Iterable[bytes | bytearray | memoryview], *types: str
) -> tuple[NDArray[np.generic], ...]:
    """Decode the output of a binary ``COPY … TO STDOUT`` of one bytea column, each of many packed rows.

    Numbers that come in large pieces are read several times as fast as row by row.

    Parameters
    ----------
    stream
        The output, in pieces of any size.
    types
        Type of each number of a packed row: ``"i4"`` as by ``int4send``, or ``"i8"`` as by ``int8send``.

    Returns
    -------
    tuple of arrays, (n,)
        One per number, in the machine's byte order.

    Raises
    ------
    ValueError
        The data is not such a column.
    """
    dtype = np.dtype([(f"value{i}", f">{kind}") for i, kind in enumerate(types)])
    parts: list[list[NDArray[np.generic]]] = [[np.empty(0, kind)] for kind in types]
    for value in _values(stream):
        if len(value) % dtype.itemsize:
            raise _NOT_PACKED
        rows = np.frombuffer(value, dtype)
        for i, kind in enumerate(types):
            parts[i].append(rows[f"value{i}"].astype(kind))
    return tuple(np.concatenate(part) for part in parts)


_NOT_PACKED = ValueError("not a binary COPY of packed rows")


def _values(stream: Iterable[bytes | bytearray | memoryview]) -> Iterator[bytes]:
    """Yield the values of the only column of a binary COPY as they arrive; none may be NULL."""
    waiting, started = bytearray(), False
    for piece in stream:
        waiting += piece
        if not started and len(waiting) >= len(HEADER):
            if not waiting.startswith(HEADER[:11]):
                raise _NOT_PACKED
            del waiting[: len(HEADER)]
            started = True
        while started and len(waiting) >= 6:
            size = int.from_bytes(waiting[2:6], "big", signed=True)
            if waiting[:2] != b"\0\1" or size < 0:
                raise _NOT_PACKED
            if len(waiting) < 6 + size:
                break
            yield bytes(waiting[6 : 6 + size])
            del waiting[: 6 + size]
    if not started or waiting != TRAILER:
        raise _NOT_PACKED
