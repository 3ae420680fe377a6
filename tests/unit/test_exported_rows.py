"""What is exported is read again as it was: any hashtags, texts, times and metadata, format by format."""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagdb.errors import RejectedInput
from tagdb.export.harrison import Harrison
from tagdb.export.imagefolder import ImageFolder
from tagdb.export.parquet import Parquet
from tagdb.export.rows import Row, Writer
from tagdb.export.tables import Csv, JsonLines
from tagdb.export.targets import Folder
from tagdb.hashtags import fold, spelled
from tagdb.photos.cells import is_empty
from tagdb.photos.fields import own_metadata, repaired
from tagdb.photos.sources import Reading, Record, open_source
from tagdb.store.answers import Recommendation
from tagdb.store.exports import StoredImage

CHARACTERS = st.characters(exclude_categories=("Cs",), exclude_characters="\0")
# nobody's metadata, but everything that may be in one
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(CHARACTERS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(CHARACTERS), inner, max_size=3),
    max_leaves=6,
)
METADATA = st.dictionaries(
    st.text(CHARACTERS, max_size=8)
    | st.sampled_from(["uri", "metadata", "content_sha256", "hashtags", "URI"]),
    VALUES,
    max_size=4,
)
TIMES = st.none() | st.datetimes(datetime(1826, 1, 2), datetime(2026, 1, 1), timezones=st.just(UTC))
TEXTS = st.none() | st.text(CHARACTERS, min_size=1, max_size=40)


@st.composite
def hashtags(draw: st.DrawFn) -> list[str]:
    """Hashtags as ingesting stores them."""
    words = st.text(CHARACTERS, min_size=1, max_size=12) | st.from_regex(r"\w+", fullmatch=True)
    found = {}
    for text in draw(st.lists(words)):
        with suppress(RejectedInput):
            if repaired(spelled(text)) == spelled(text):
                found.setdefault(fold(text), spelled(text))
    return list(found.values())


def table(kind: Callable[[BinaryIO], Writer]) -> Callable[[Path, Sequence[Row]], Path]:
    def write(folder: Path, rows: Sequence[Row]) -> Path:
        suffix = {Csv: ".csv", JsonLines: ".jsonl"}.get(kind, ".parquet")
        with (folder / f"out{suffix}").open("wb") as stream, kind(stream) as writer:
            for row in rows:
                writer.write(row)
        return folder / f"out{suffix}"

    return write


def folder(kind: Callable[[Folder], Writer]) -> Callable[[Path, Sequence[Row]], Path]:
    def write(place: Path, rows: Sequence[Row]) -> Path:
        (place / "out").mkdir()
        with kind(Folder(place / "out")) as writer:
            for row in rows:
                writer.write(row)
        return place / "out"

    return write


def parquet(stream: BinaryIO) -> Parquet:
    return Parquet(stream, True, True, True, 2, {})


FORMATS = {
    "csv": table(Csv), "jsonl": table(JsonLines), "parquet": table(parquet),
    "imagefolder": folder(ImageFolder), "harrison": folder(Harrison),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=60, deadline=None)
@given(said=st.lists(st.tuples(hashtags(), TEXTS, TEXTS, TIMES, METADATA), min_size=1, max_size=4))
def test_what_is_exported_is_read_again(form: str, said: list[tuple[Any, ...]]) -> None:
    with TemporaryDirectory() as name:
        place, rows = Path(name), []
        for number, (tags, collection, source_ref, taken_at, metadata) in enumerate(said):
            (place / f"{number}.jpg").write_bytes(b"%d" % number)
            digest = hashlib.sha256(b"%d" % number).digest()
            uri = (place / f"{number}.jpg").as_uri()
            image = StoredImage(
                number, digest, uri, "image/jpeg", 40, 30, 1, collection, source_ref, taken_at,
                json.dumps(metadata, ensure_ascii=False), tags,
            )  # fmt: skip
            recommended = [] if form == "parquet" else None
            rows.append(Row(image, f"{number}.jpg", b"%d" % number, recommended=recommended))
        source = open_source(str(FORMATS[form](place, rows)), Reading(allow_outside=True))
        records = list(source)
        assert len(records) == len(rows)
        for row, record in zip(rows, records, strict=True):
            assert isinstance(record, Record), record
            assert record.file.read() == row.photo
            assert list(record.hashtags) == row.image.hashtags
            assert not record.refused
            if form == "harrison":
                continue
            assert record.uri == row.image.uri
            assert record.taken_at == row.image.taken_at
            assert record.metadata == json.loads(row.image.metadata)
            for name in ("collection", "source_ref"):
                text = getattr(row.image, name)
                lost = form == "csv" and text is not None and is_empty(text)  # means no value there
                assert getattr(record, name) == (None if lost else text)


def test_what_is_recommended_is_no_metadata() -> None:
    image = StoredImage(1, bytes(32), "u", "image/jpeg", 1, 1, 1, None, None, None, '{"a": 1}', ["x"])
    row = Row(image, "a.jpg", recommended=[Recommendation(1, "y", 0.5)])
    fields = row.fields()
    assert fields["recommended"] == [{"hashtag": "y", "score": 0.5}]
    assert own_metadata(fields) == {"a": 1}


@pytest.mark.parametrize(
    "row",
    [
        {"metadata": {"a": 1}},
        {"content_sha256": "00", "metadata": "a text"},
        {"content_sha256": "00", "metadata": "[1]"},
        {"content_sha256": "00", "metadata": None},
        {"content_sha256": "00", "metadata": "[" * 100_000},
    ],
)
def test_rows_of_others_are_read_as_before(row: dict[str, Any]) -> None:
    assert own_metadata(row) is None
