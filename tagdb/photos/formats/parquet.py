"""Parquet files with photos in them, as Hugging Face's data sets have, or with the names of photos."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tagdb.errors import RejectedInput, SourceError
from tagdb.hashtags import printable
from tagdb.photos.fields import why
from tagdb.photos.files import Held
from tagdb.photos.formats import Fields, Lists
from tagdb.photos.formats.lists import free_fields
from tagdb.photos.formats.look import Look
from tagdb.photos.manifests import Row

BATCH = 16
"""Rows that are read at once: each may have a photo."""


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob("*.parquet"))


def _claim(look: Look) -> str:
    if not look.is_folder:
        return "its name ends with .parquet" if look.path.suffix.lower() == ".parquet" else ""
    files = [path for path in look.names if path.suffix.lower() == ".parquet"]
    return f"there is {files[0].relative_to(look.path)}" if files else ""


def _rows(path: Path) -> Iterator[Row]:
    try:
        from pyarrow import parquet
    except ImportError:
        raise SourceError(
            "Parquet is read by pyarrow; install it with: pip install 'tagdb[parquet]'"
        ) from None
    from pyarrow import ArrowException

    for each in _files(path):
        origin, number = printable(str(each)), 0
        try:
            with parquet.ParquetFile(each) as file:
                columns = _columns(file.schema_arrow)
                for batch in file.iter_batches(BATCH, columns=columns):
                    for row in batch.to_pylist():
                        number += 1
                        yield origin, number, _row(row, each, number)
        except (ArrowException, OSError) as error:
            reason = f"cannot be read as Parquet: {why(error)}"
            yield origin, number + 1, RejectedInput(reason, "invalid_record")


def _columns(schema: Any) -> list[str]:
    """Return the columns to read; not vectors, which are computed anew."""
    from pyarrow import types

    def is_vector(kind: Any) -> bool:
        is_list = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
        return bool(is_list and types.is_floating(kind.value_type))

    return [field.name for field in schema if not is_vector(field.type)]


def _row(row: dict[str, Any], path: Path, number: int) -> Fields | RejectedInput:
    for name, value in row.items():
        content = value.get("bytes") if isinstance(value, dict) else value
        if isinstance(content, bytes):
            inner = value.get("path") if isinstance(value, dict) else None
            del row[name]
            row["file"] = Held(inner or f"row {number}", content)
            row.setdefault("uri", f"{path.as_uri()}#{number}")
            break
    if left := [name for name, value in row.items() if isinstance(value, bytes)]:
        return RejectedInput(f"bytes in a second column: {printable(left[0], 40)}", "invalid_record")
    return free_fields({name: _plain(value) for name, value in row.items() if value is not None})


def _plain(value: Any) -> Any:
    """Return times, decimals and the like as text, and all else as it is."""
    if isinstance(value, Held | str | bool | int | float | list | dict) or value is None:
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


FORMAT = Lists("parquet", "Parquet with images, or with file_name or uri", _claim, _rows, eager=True)
