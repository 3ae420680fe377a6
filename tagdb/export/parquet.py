"""Parquet with photos in it, as Hugging Face's data sets have them, and with vectors."""

import json
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tagdb.embedding.backbone import DIMENSIONS
from tagdb.errors import ExportError
from tagdb.export.rows import Row
from tagdb.photos.fields import DIGEST, METADATA

ROWS, BYTES = 1_000, 32 << 20
"""Most rows of a group, and about how many bytes of photos end it: so much is held in memory."""


class Parquet:
    """A file of row groups, each written when it is full."""

    def __init__(
        self,
        stream: BinaryIO,
        photos: bool,
        recommended: bool,
        vectors: bool,
        factors: int | None,
        about: dict[str, object],
    ) -> None:
        """Begin a file.

        Parameters
        ----------
        factors
            Number of factors of an image, if vectors are written and there are any.
        about
            Noted in the file's metadata under ``tagdb``.

        Raises
        ------
        ExportError
            pyarrow is missing.
        """
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError:
            raise ExportError(
                "Parquet is written by pyarrow; install it with: pip install 'tagdb[parquet]'"
            ) from None
        self._arrow = pyarrow
        fields = _fields(pyarrow, photos, recommended, vectors, factors)
        notes = {"tagdb": json.dumps(about)}
        if photos:  # so that datasets shows pictures, not bytes
            notes["huggingface"] = json.dumps({"info": {"features": _features(pyarrow, fields)}})
        self.schema = pyarrow.schema(fields, notes)
        # photos are compressed already
        packed = {
            name: "NONE" if name.endswith("bytes") and name != "bytes" else "ZSTD" for name in _leaves(fields)
        }
        self._writer = parquet.ParquetWriter(stream, self.schema, compression=packed)
        self._rows: list[Row] = []
        self._bytes = 0

    def __enter__(self) -> "Parquet":
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self._flush()
        self._writer.close()

    def write(self, row: Row) -> int:
        """Write a row, once its group is full."""
        self._rows.append(row)
        self._bytes += len(row.photo or b"")
        if len(self._rows) == ROWS or self._bytes >= BYTES:
            self._flush()
        return 1

    def _flush(self) -> None:
        if not self._rows:
            return
        fields = [row.fields() for row in self._rows]
        columns = [self._column(field, fields) for field in self.schema]
        self._writer.write_table(self._arrow.Table.from_arrays(columns, schema=self.schema))
        self._rows.clear()
        self._bytes = 0

    def _column(self, field: Any, fields: list[dict[str, Any]]) -> Any:
        arrow, rows = self._arrow, self._rows
        if field.name == "image":
            photos = [row.photo and {"bytes": row.photo, "path": row.name} for row in rows]
            return arrow.array(photos, field.type)
        if field.name == "embedding":
            return self._vectors(field.type, [row.embedding for row in rows])
        if field.name == "factors":
            return self._vectors(field.type, [row.factors for row in rows])
        if field.name == "taken_at":
            return arrow.array([row.image.taken_at for row in rows], field.type)
        return arrow.array([each[field.name] for each in fields], field.type)

    def _vectors(self, kind: Any, vectors: list[NDArray[np.float16] | None]) -> Any:
        missing = np.array([each is None for each in vectors])
        matrix = np.zeros((len(vectors), kind.list_size), np.float32)
        for place, vector in enumerate(vectors):
            if vector is not None:
                matrix[place] = vector
        values = self._arrow.array(matrix.reshape(-1))
        return self._arrow.FixedSizeListArray.from_arrays(values, type=kind, mask=self._arrow.array(missing))


def _fields(arrow: Any, photos: bool, recommended: bool, vectors: bool, factors: int | None) -> list[Any]:
    """Return the columns. Vectors are float32, which all readers know; they were half as wide."""
    text, number = arrow.string(), arrow.int32()
    image = [("image", arrow.struct([("bytes", arrow.binary()), ("path", text)]))] if photos else []
    columns = [
        *image, ("image_id", arrow.int64()), (DIGEST, text), ("uri", text), ("hashtags", arrow.list_(text)),
        ("collection", text), ("source_ref", text), ("taken_at", arrow.timestamp("us", "UTC")),
        ("media_type", text), ("width", number), ("height", number), ("bytes", arrow.int64()),
    ]  # fmt: skip
    if recommended:
        one = arrow.struct([("hashtag", text), ("score", arrow.float64())])
        columns.append(("recommended", arrow.list_(one)))
    if vectors:
        columns.append(("embedding", arrow.list_(arrow.float32(), DIMENSIONS)))
        if factors:
            columns.append(("factors", arrow.list_(arrow.float32(), factors)))
    columns.append((METADATA, text))
    return [arrow.field(name, kind) for name, kind in columns]


def _leaves(fields: list[Any]) -> list[str]:
    """Return the paths of all columns as Parquet names them."""

    def below(name: str, kind: Any) -> list[str]:
        if hasattr(kind, "value_type"):
            return below(f"{name}.list.element", kind.value_type)
        if kind.num_fields:
            return [path for each in kind for path in below(f"{name}.{each.name}", each.type)]
        return [name]

    return [path for field in fields for path in below(field.name, field.type)]


def _features(arrow: Any, fields: list[Any]) -> dict[str, object]:
    """Return the columns as Hugging Face's datasets describes them."""

    def feature(kind: Any) -> object:
        if arrow.types.is_fixed_size_list(kind):
            return {"_type": "List", "feature": feature(kind.value_type), "length": kind.list_size}
        if arrow.types.is_list(kind):
            return {"_type": "List", "feature": feature(kind.value_type)}
        if arrow.types.is_struct(kind):
            return {each.name: feature(each.type) for each in kind}
        names = {"float": "float32", "double": "float64", "timestamp[us, tz=UTC]": "timestamp[us, tz=UTC]"}
        return {"_type": "Value", "dtype": names.get(str(kind), str(kind))}

    return {each.name: {"_type": "Image"} if each.name == "image" else feature(each.type) for each in fields}
