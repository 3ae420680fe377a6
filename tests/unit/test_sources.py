"""What is found in sources; the photos here are files that nobody opens."""

import gzip
import io
import json
import os
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagdb.errors import RejectedInput, SourceError
from tagdb.photos import files, json_rows, manifests
from tagdb.photos.files import Local
from tagdb.photos.sources import Reading, Record, Rejection, Source, open_source

INSTAGRAM = Path(__file__).parents[2] / "../shared/data/instagram10"


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def write(path: Path, *rows: object, text: str | bytes | None = None) -> str:
    """Write a manifest: JSON Lines of the rows (texts as they are), or a text."""
    if text is None:
        text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def records(source: Source) -> list[Record]:
    """All that a source has, if nothing is rejected."""
    found = list(source)
    assert [item for item in found if isinstance(item, Rejection)] == []
    return [item for item in found if isinstance(item, Record)]


def reasons(source: Source) -> dict[int | None, str]:
    found = list(source)
    assert all(item.origin.isprintable() for item in found)
    return {item.line: item.reason for item in found if isinstance(item, Rejection)}


def row_of(tmp_path: Path, **row: object) -> Record | Rejection:
    """What becomes of a row that is all right otherwise."""
    touch(tmp_path / "a.jpg")
    (item,) = open_source(write(tmp_path / "one.jsonl", {"file_name": "a.jpg"} | row))
    return item


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return touch(tmp_path / "a.jpg")


# --- The ancestor's layout ----------------------------------------------------------------------------


def ancestor(folder: Path, **lists: list[dict[str, Any]]) -> str:
    for name, rows in lists.items():
        (folder / "metadata").mkdir(parents=True, exist_ok=True)
        write(folder / "metadata" / f"{name}.json", text=json.dumps(rows, indent=0))
        for row in rows:
            if "image_local_name" in row and row["image_local_name"] != "missing.jpg":
                touch(folder / "data" / row["search_hashtag"] / row["image_local_name"])
    return str(folder)


def test_the_ancestors_lists_are_read(tmp_path: Path) -> None:
    cat: dict[str, Any] = {"post_link": "https://x/1", "image": "https://x/1.jpg", "search_hashtag": "cats"}
    cat |= {"hashtags": ["#Cat", "pet"], "image_local_name": "1.jpg", "likes": 3}
    dog: dict[str, Any] = {
        "post_link": None,
        "image": None,
        "search_hashtag": "dogs",
        "image_local_name": "2.jpg",
    }
    source = open_source(
        ancestor(tmp_path, dogs=[dog], cats=[cat, cat | {"image_local_name": "missing.jpg"}])
    )
    assert (source.name, source.count()) == (str(tmp_path), 3)
    first, missing, last = source
    path = tmp_path / "data/cats/1.jpg"
    assert first == Record(
        file=Local(path),
        uri=path.as_uri(),
        hashtags=("#Cat", "pet"),
        collection="cats",
        source_ref="https://x/1",
        taken_at=None,
        metadata={"image": "https://x/1.jpg", "likes": 3},
        origin=str(tmp_path / "metadata/cats.json"),
        line=1,
    )
    assert missing == Rejection(
        str(tmp_path / "metadata/cats.json"), 2, "no such file: cats/missing.jpg", "missing"
    )
    assert isinstance(last, Record)
    assert (last.hashtags, last.source_ref, last.metadata, last.line) == ((), None, {}, 1)


def test_ancestor_rows_that_are_wrong(tmp_path: Path) -> None:
    good: dict[str, Any] = {"search_hashtag": "a", "image_local_name": "1.jpg", "hashtags": []}
    folder = ancestor(tmp_path, a=[good], z=[good])
    outside = {"search_hashtag": "..", "image_local_name": "metadata/a.json"}
    broken = json.dumps([good, {"search_hashtag": "a"}, outside, good | {"search_hashtag": 5}])
    write(tmp_path / "metadata/b.json", text=broken[:-1] + ", {")
    found = list(open_source(folder))
    assert [type(item) for item in found] == [Record, Record, *[Rejection] * 4, Record]
    rejected = [item.reason for item in found if isinstance(item, Rejection)]
    assert rejected[0].startswith("search_hashtag and image_local_name")
    assert rejected[1] == "outside the data folder (use --allow-outside): ../metadata/a.json"
    assert rejected[2] == "no such file: 5/1.jpg"
    assert rejected[3].startswith("invalid JSON: ")


def test_photos_in_a_folder_that_no_row_names_are_left_out(tmp_path: Path) -> None:
    folder = ancestor(tmp_path / "a", a=[{"search_hashtag": "a", "image_local_name": "1.jpg"}])
    touch(tmp_path / "a/data/b/2.jpg")
    write(tmp_path / "m.jsonl", {"file_name": "link.jpg"}, {"file_name": "sub/../2.jpg"}, {"file_name": 3})
    for name in ("1.jpg", "2.jpg", "3.jpg", "sub/4.jpg", "5.psd"):
        touch(tmp_path / "b" / name)
    (tmp_path / "b/link.jpg").symlink_to("1.jpg")
    touch(tmp_path / "b/metadata.csv")
    (tmp_path / "m.jsonl").rename(tmp_path / "b/metadata.jsonl")
    unread = "1 Photoshop, which cannot be read yet; "
    for source, said in {
        folder: "1 photo that no usable row names",
        str(tmp_path / "b"): unread + "2 photos that no usable row names, 1 list that is not read",
        str(tmp_path / "b/metadata.jsonl"): "",
    }.items():
        opened = open_source(source)
        assert len(list(opened)) == opened.count()
        assert (str(opened.left_out), opened.left_out.named_lists()) == (said, "")


@pytest.mark.skipif(not INSTAGRAM.is_dir(), reason="the data set is not here")
def test_a_real_list_is_read() -> None:
    source = open_source(str(INSTAGRAM))
    found = records(source)
    assert len(found) == source.count() > 1000
    assert {record.collection for record in found} >= {"cars", "food"}


# --- Manifests ----------------------------------------------------------------------------------------

FULL = {"file_name": "a.jpg", "uri": "https://x/a", "hashtags": ["#A", "b c"], "collection": "c"}
FULL |= {
    "source_ref": "https://x/p",
    "taken_at": "2019-06-16T12:00:00+02:00",
    "likes": 3,
    "deep": {"x": [None]},
}


@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson", ".json", ".JSONL"])
def test_json_lines_are_read(tmp_path: Path, photo: Path, suffix: str) -> None:
    source = open_source(
        write(tmp_path / f"m{suffix}", FULL, "", {"file_name": "a.jpg", "hashtags": "#x#y, #z"})
    )
    full, short = records(source)
    assert source.count() == 2
    assert full == Record(
        file=Local(photo),
        uri="https://x/a",
        hashtags=("#A", "b c"),
        collection="c",
        source_ref="https://x/p",
        taken_at=datetime(2019, 6, 16, 10, tzinfo=UTC),
        metadata={"likes": 3, "deep": {"x": [None]}},
        origin=str(tmp_path / f"m{suffix}"),
        line=1,
    )
    assert (short.uri, short.hashtags, short.line) == (photo.as_uri(), ("x", "y", "z"), 3)


@pytest.mark.parametrize("indent", [None, 2])
def test_a_json_list_is_read(tmp_path: Path, photo: Path, indent: int | None) -> None:
    rows = [FULL | {"likes": number, "text": "ü]," * number} for number in range(1000)]
    for text in (json.dumps(rows, indent=indent, ensure_ascii=False), "[ ]"):
        source = open_source(write(tmp_path / "m.json", text="\ufeff\n" + text))
        found = records(source)
        assert len(found) == source.count() == len(json.loads(text))
        assert [record.metadata["likes"] for record in found] == list(range(len(found)))
        assert [record.line for record in found] == list(range(1, len(found) + 1))


def test_json_list_across_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the text is cut into pieces, the items are the same."""

    class Trickle(io.StringIO):
        def read(self, size: int | None = -1, /) -> str:
            return super().read(1)

    text = ' [12, {"a": "]"} , [1, 2] ,"x",-3.5e1, {}\n] '
    items = [item for _, _, item in json_rows.json_list(Trickle(text), "m")]
    assert items == json.loads(text)


@pytest.mark.parametrize(
    "text", ["[{}", "[{},", "[{},]", "[{} {}]", "[{}] []", "[{}, nul]", "[{}, " + "[" * 100_000]
)
def test_json_list_that_breaks(tmp_path: Path, text: str) -> None:
    found = list(open_source(write(tmp_path / "m.json", text=text)))
    assert isinstance(found[-1], Rejection)
    assert "JSON" in found[-1].reason or "nested" in found[-1].reason
    assert len(found) <= 2


def test_csv_and_tsv(tmp_path: Path, photo: Path) -> None:
    lines = [
        "\ufeff,file_name,hashtags,taken_at,collection,title",
        '0,a.jpg,"#a, #b",1560679200,,"two\nlines"',
        "",
        "1,a.jpg,,,,",
    ]
    for suffix, delimiter in ((".csv", ","), (".tsv", "\t")):
        text = "\r\n".join(lines)
        if delimiter == "\t":
            text = text.replace("#a, #b", "#a; #b").replace(",", "\t")
        source = open_source(write(tmp_path / f"m{suffix}", text=text))
        first, second = records(source)
        assert source.count() == 2
        assert (first.hashtags, first.collection, first.line) == (("a", "b"), None, 2)
        assert first.taken_at == datetime(2019, 6, 16, 10, tzinfo=UTC)
        assert first.metadata == {"title": "two\nlines"}
        assert (second.hashtags, second.taken_at, second.metadata, second.line) == ((), None, {}, 5)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("name,tags", "lacks file_name (or uri) and hashtags; it has name, tags; rename the columns"),
        ("file;tags;album", "it has file, tags, album; rename the columns"),
        ("a.jpg,#sea", "it has a.jpg, #sea; is the header missing?"),
        ("B.JPG\t#sea", "it has B.JPG, #sea; is the header missing?"),
        ("file_name,tags", "lacks hashtags; it has file_name, tags"),
        ("uri,hashtags,hashtags", "has the column hashtags 2 times"),
        ("", "it has nothing"),
        ('"file_name', "no readable header"),
        (b"file_name,hashtags,gr\xf6\xdfe", "m.csv is not valid UTF-8; save the file as UTF-8"),
        ("file_name,hashtags".encode("utf-16-le"), "is not valid UTF-8"),
    ],
)
def test_csv_headers_that_are_wrong(tmp_path: Path, header: str | bytes, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(write(tmp_path / "m.csv", text=header))
    assert message in str(caught.value)


def test_csv_rows_that_are_wrong(tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests, "MAX_LINE", 200)
    rows = [
        b"a.jpg,x",
        b"x",
        b'"a"b.jpg,x',
        b"a.jpg,\xff",
        b"a.jpg,\0",
        b"a.jpg," + b"x" * 500,
        b"a.jpg,x",
        b'a.jpg,"x',
    ]
    source = open_source(write(tmp_path / "m.csv", text=b"file_name,hashtags\n" + b"\n".join(rows)))
    found = reasons(source)
    assert source.count() == 8
    assert list(found) == [3, 4, 7, 9]
    assert found[3] == "1 cells where the header has 2"
    assert found[4].startswith("invalid CSV: ")
    assert found[7].startswith("longer than")
    assert found[9].startswith("invalid CSV: ")


def test_csv_quotation_marks_that_are_never_closed(tmp_path: Path, photo: Path) -> None:
    """Cost their own row, and not those behind it."""
    rows = ['a.jpg,"x', "a.jpg,y", 'a.jpg,"y, z"', 'a.jpg,"x', 'a.jpg,"y', 'z"', '"', "a.jpg,y"]
    source = open_source(write(tmp_path / "m.csv", text="file_name,hashtags\n" + "\n".join(rows)))
    found = list(source)
    assert [one.line for one in found if isinstance(one, Record)] == [3, 4, 6, 9]
    assert [one.line for one in found if isinstance(one, Rejection)] == [2, 5, 8]
    assert source.count() == 7


def test_a_fifo_among_lists(tmp_path: Path) -> None:
    """Nobody waits for it."""
    row = {"search_hashtag": "a", "image_local_name": "1.jpg"}
    folder = ancestor(tmp_path, a=[row])
    os.mkfifo(tmp_path / "metadata/b.json")
    assert len(records(open_source(folder))) == 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"file_name": None}, "neither file_name nor uri is given"),
        ({"file_name": ""}, "neither file_name nor uri is given"),
        ({}, "neither file_name nor uri is given"),
        ({"file_name": ["a.jpg"]}, 'file_name must be a string: ["a.jpg"]'),
        (
            {"uri": "https://x/a.jpg"},
            "uris are fetched only with --fetch; or add file_name with a local copy",
        ),
        ({"uri": "data:image/png;base64,"}, "a data: uri is never read"),
        ({"uri": "file://server/a.jpg"}, "file on another machine: file://server/a.jpg"),
        ({"uri": "file://[/a.jpg"}, "not a valid uri: file://[/a.jpg"),
        ({"file_name": "b.jpg"}, "no such file: b.jpg"),
        ({"file_name": "a.jpg/b"}, "no such file: a.jpg/b"),
        ({"file_name": "b\x1b[1m\u202e"}, "no such file: b\\x1b[1m\\u202e"),
        ({"file_name": "."}, "not a regular file: ."),
        ({"file_name": "b" * 5000}, "cannot read " + "b" * 200 + "…: File name too long"),
        ({"uri": "file:%00"}, "cannot read \\x00: "),
        ('{"file_name": "a.jpg", "file_name": "b.jpg"}', "key given twice in one object: file_name"),
        ('{"file_name": "a.jpg"', "invalid JSON: Expecting ',' delimiter"),
        ('{"x": ' + "9" * 5000 + "}", "invalid JSON: Exceeds the limit"),
        ('{"x": ' + "[" * 100_000, "nested too deeply"),
        ("5", "not an object but 5"),
        ("[]", "not an object but []"),
    ],
)
def test_rows_that_are_wrong(tmp_path: Path, photo: Path, row: object, reason: str) -> None:
    """The message, and that the next row is read."""
    found = list(open_source(write(tmp_path / "m.jsonl", row, {"file_name": "a.jpg"})))
    assert isinstance(found[0], Rejection)
    assert found[0].line == 1
    assert found[0].reason.startswith(reason)
    assert found[0].reason.isprintable()
    assert isinstance(found[1], Record)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"hashtags": True}, "hashtags must be a list of strings, or one string: true"),
        ({"hashtags": ["a", [True]]}, 'hashtags must be a list of strings, or one string: ["a", [true]]'),
        ({"hashtags": ["a"] * 1001}, "1001 hashtags; at most 1000 are allowed"),
        ({"hashtags": "#a" * 1001}, "1001 hashtags; at most 1000 are allowed"),
        ({"collection": ["c"]}, 'collection must be a string: ["c"]'),
        ({"collection": "x" * 501}, "collection name of more than 500 characters"),
        ({"source_ref": {}}, "source_ref must be a string: {}"),
        ({"x": "\0"}, "a NUL character in x"),
        ({"x": [{"y": "\0"}]}, "a NUL character in y"),
        ({"x\0": 1}, "a NUL character in the name of a field"),
        ({"x": "cut \ud83d"}, "half a character in x"),
        ('"x": 1e999', "not a finite number: x"),
        ('"x": [{"y": 1, "y": 1}]', "key given twice in one object: y"),
        ('"x": ' + "[" * 100 + "]" * 100, "nested too deeply: x"),
    ],
)
def test_a_field_that_is_wrong_costs_itself(tmp_path: Path, photo: Path, row: object, reason: str) -> None:
    inner = row if isinstance(row, str) else json.dumps(row)[1:-1]
    text = '{"file_name": "a.jpg", "title": "T", ' + inner + "}\n"
    (record,) = open_source(write(tmp_path / "m.jsonl", text=text))
    assert isinstance(record, Record)
    assert record.metadata == {"title": "T"}
    (said,) = record.refused
    assert said.startswith(reason)
    assert said.isprintable()


def test_numbers_where_texts_are_meant(tmp_path: Path, photo: Path) -> None:
    """As posts and years are written."""
    row = {"file_name": "a.jpg", "hashtags": ["sea", 2019, None], "collection": 2023, "source_ref": 12345}
    (record,) = records(open_source(write(tmp_path / "m.jsonl", row)))
    assert (record.hashtags, record.collection, record.source_ref) == (("sea", "2019"), "2023", "12345")


def test_lines_that_are_wrong(tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests, "MAX_LINE", 100)
    good = b'{"file_name": "a.jpg"}'
    exact = b'{"file_name": "a.jpg", "x": "' + b"x" * 68 + b'"}\n'
    assert len(exact) == 100
    lines = (
        b"\xef\xbb\xbf"
        + good
        + b"\n"
        + b'{"file_name": "\xff.jpg"}\n'
        + b"x" * 200_000
        + b"\n"
        + exact
        + good
    )
    source = open_source(write(tmp_path / "m.jsonl", text=lines))
    assert source.count() == 5
    found = reasons(source)
    assert list(found) == [2, 3]
    assert found[2] == "not valid UTF-8: file_name; save the file as UTF-8"
    assert found[3].startswith("longer than")


def test_an_object_of_a_list_that_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests, "MAX_LINE", 100_000)
    (item,) = open_source(write(tmp_path / "m.json", text='[{"x": "' + "x" * 1_000_000 + '"}]'))
    assert isinstance(item, Rejection)
    assert item.reason.startswith("longer than 100000 characters")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2019-06-16", datetime(2019, 6, 16, tzinfo=UTC)),
        ("20190616", datetime(2019, 6, 16, tzinfo=UTC)),
        ("2019-06-16 12:00:00", datetime(2019, 6, 16, 12, tzinfo=UTC)),
        ("2019-06-16T12:00:00Z", datetime(2019, 6, 16, 12, tzinfo=UTC)),
        ("20190616 12:30", datetime(2019, 6, 16, 12, 30, tzinfo=UTC)),
        ("20190616T123005", datetime(2019, 6, 16, 12, 30, 5, tzinfo=UTC)),
        ("201906161230", datetime(2019, 6, 16, 12, 30, tzinfo=UTC)),
        ("20190616123005", datetime(2019, 6, 16, 12, 30, 5, tzinfo=UTC)),
        (201906161230, datetime(2019, 6, 16, 12, 30, tzinfo=UTC)),
        ("1826-01-01", datetime(1826, 1, 1, tzinfo=UTC)),
        ("1560686400", datetime(2019, 6, 16, 12, tzinfo=UTC)),
        ("1560686400.5", datetime(2019, 6, 16, 12, 0, 0, 500_000, tzinfo=UTC)),
        (1560686400, datetime(2019, 6, 16, 12, tzinfo=UTC)),
        (978307200000, datetime(2001, 1, 1, tzinfo=UTC)),
        ("978307200000000000", datetime(2001, 1, 1, tzinfo=UTC)),
        (1.5606864e9, datetime(2019, 6, 16, 12, tzinfo=UTC)),
        ("1.5606864e+09", datetime(2019, 6, 16, 12, tzinfo=UTC)),
        (20190616, datetime(2019, 6, 16, tzinfo=UTC)),
        ("2019-6-16 9:05", datetime(2019, 6, 16, 9, 5, tzinfo=UTC)),
        ("2019-06-16 12:00:00 UTC", datetime(2019, 6, 16, 12, tzinfo=UTC)),
        ("2019-06-16 12:00:00 +02:00", datetime(2019, 6, 16, 10, tzinfo=UTC)),
        ("2019-06-16T12:00:00+02:00[Europe/Paris]", datetime(2019, 6, 16, 10, tzinfo=UTC)),
        ("/Date(1560686400000)/", datetime(2019, 6, 16, 12, tzinfo=UTC)),
        ({"$date": "2019-06-16T12:00:00Z"}, datetime(2019, 6, 16, 12, tzinfo=UTC)),
        ("2019:06:16 12:00:00", datetime(2019, 6, 16, 12, tzinfo=UTC)),
        ("2019/06/16", datetime(2019, 6, 16, tzinfo=UTC)),
        (" 2019.06.16 12:00 ", datetime(2019, 6, 16, 12, tzinfo=UTC)),
        (1560686400000, datetime(2019, 6, 16, 12, tzinfo=UTC)),
        ("1560686400000", datetime(2019, 6, 16, 12, tzinfo=UTC)),
        ("1560686400000000", datetime(2019, 6, 16, 12, tzinfo=UTC)),
        (None, None),
        ("", None),
        ("  ", None),
        ("\\N", None),
        ("n/a", None),
        ("-", None),
    ],
)
def test_times_are_read_with_their_zone(tmp_path: Path, value: object, expected: datetime | None) -> None:
    record = row_of(tmp_path, taken_at=value)
    assert isinstance(record, Record)
    assert record.taken_at == expected
    assert record.taken_at is None or record.taken_at.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        True,
        "2019",
        2019,
        -1,
        0,
        44927.5,
        202313011230,
        "202313011230",
        1e300,
        "9" * 400,
        "0001-01-01T00:00:00+14:00",
        [],
        "soon",
        "01/02/2023",
        "02.01.2023",
    ],
)
def test_a_time_that_cannot_be_read_costs_itself(tmp_path: Path, value: object) -> None:
    record = row_of(tmp_path, taken_at=value)
    assert isinstance(record, Record)
    assert record.taken_at is None
    (reason,) = record.refused
    assert reason.startswith("taken_at must be")


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("8380-01-01", "8380-01-01"),
        ("2919-06-16T12:00:00Z", "2919-06-16"),
        ("1825-12-31", "1825-12-31"),
        ("0101-01-01", "0101-01-01"),
    ],
)
def test_a_time_that_no_photo_can_have_is_refused_alone(tmp_path: Path, value: object, day: str) -> None:
    record = row_of(tmp_path, taken_at=value)
    assert isinstance(record, Record)
    assert record.taken_at is None
    (reason,) = record.refused
    assert reason.startswith(f"taken_at can be no photo's time: {json.dumps(value)} is {day}")


def test_tomorrow_may_be_today_elsewhere(tmp_path: Path) -> None:
    for hours, fine in ((23, True), (25, False)):
        record = row_of(tmp_path, taken_at=(datetime.now(UTC) + timedelta(hours=hours)).isoformat())
        assert isinstance(record, Record)
        assert (record.taken_at is not None, not record.refused) == (fine, fine)


def test_uris_name_files_beside_the_manifest(tmp_path: Path) -> None:
    photo = touch(tmp_path / "m" / "sub" / "ü 1#.jpg")
    rows: list[dict[str, Any]] = [{"uri": "sub/ü 1#.jpg"}, {"uri": photo.as_uri()}, {"file_name": str(photo)}]
    rows += [{"file_name": "sub/../sub/ü 1#.jpg"}, {"uri": "tag:x", "file_name": "sub/ü 1#.jpg"}]
    found = records(open_source(write(tmp_path / "m" / "m.jsonl", *rows)))
    assert {record.path for record in found} == {photo}
    assert [record.uri for record in found] == [photo.as_uri()] * 4 + ["tag:x"]


def test_files_outside_the_folder_are_refused(tmp_path: Path) -> None:
    photo = touch(tmp_path / "a.jpg")
    inside = touch(tmp_path / "m" / "b.jpg")
    (tmp_path / "m" / "out.jpg").symlink_to(photo)
    (tmp_path / "m" / "in.jpg").symlink_to(inside)
    (tmp_path / "m" / "loop.jpg").symlink_to("loop.jpg")
    names = ["../a.jpg", str(photo), "out.jpg", "../none.jpg", "in.jpg", "loop.jpg"]
    rows: list[dict[str, str]] = [{"file_name": name} for name in names]
    manifest = write(tmp_path / "m" / "m.jsonl", *rows, {"uri": photo.as_uri()})
    found = reasons(open_source(manifest))
    outside = "outside the manifest's folder (use --allow-outside)"
    assert {line for line, reason in found.items() if reason.startswith(outside)} == {1, 2, 3, 4, 7}
    assert found[6].startswith("cannot read loop.jpg: ")
    found = reasons(open_source(manifest, allow_outside=True))
    assert list(found) == [4, 6]
    assert found[4] == "no such file: ../none.jpg"


# --- Standard input -----------------------------------------------------------------------------------


def test_a_manifest_is_read_from_standard_input(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    stdin = io.BytesIO(b'{"file_name": "a.jpg"}\n{"file_name": "../b.jpg"}\n')
    source = open_source("-", stdin=stdin)
    assert (source.name, source.count()) == ("standard input", None)
    record, rejection = source
    assert isinstance(record, Record)
    assert (record.path, record.origin, record.line) == (photo, "standard input", 1)
    assert rejection.line == 2
    assert "outside the current directory" in getattr(rejection, "reason", "")


def test_standard_input_is_read_lazily(tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    read = 0

    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            nonlocal read
            read += 1
            line = b'{"file_name": "a.jpg"}\n'
            buffer[: len(line)] = line
            return len(line)

    source = open_source("-", stdin=io.BufferedReader(Endless()))  # type: ignore[type-var]
    assert read == 1  # to see whether it is a table
    for number, item in zip(count(1), islice(source, 100), strict=False):
        assert item.line == number
        assert read <= number + 1


@pytest.mark.parametrize(
    "text", [b"file_name,hashtags\na.jpg,#x\n", b'\n[\n{"file_name": "a.jpg"}\n]', b"null"]
)
def test_standard_input_that_is_something_else(text: bytes) -> None:
    with pytest.raises(SourceError, match=r"^standard input is not JSON Lines, .*; save a table"):
        open_source("-", stdin=io.BytesIO(text))


def test_a_broken_first_line_of_standard_input_costs_itself(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for text in (
        b'{"file_name": \n{"file_name": "a.jpg"}\n',
        '\ufeff{"x"\n{"file_name": "a.jpg"}'.encode("utf-16"),
    ):
        rejection, record = open_source("-", stdin=io.BytesIO(text))
        assert (rejection.line, isinstance(record, Record)) == (1, True)


# --- What is no list, or is one under another name ----------------------------------------------------


def zipped(name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr(name, "x")
    return stream.getvalue()


PAGE, WORKBOOK = b"<!DOCTYPE html><html>", zipped("[Content_Types].xml")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("m.xlsx", WORKBOOK, "an Excel workbook; save it as CSV"),
        ("m.csv", WORKBOOK, "an Office document; save it as CSV"),
        ("m", WORKBOOK, "an Office document; save it as CSV"),
        ("m.ods", zipped("mimetype").replace(b"mimetypex", b"mimetypeapplication/vnd.oasis"),
         "an OpenDocument spreadsheet; save it as CSV"),
        ("m.numbers", zipped("Index/Document.iwa"), "a Numbers spreadsheet; save it as CSV"),
        ("m.sqlite", b"SQLite format 3\0", "an SQLite database; save it as CSV"),
        ("m.csv.gz", gzip.compress(b"file_name", mtime=0), "a gzip file; unpack it"),
        ("m.zip", zipped("a.csv"), "a ZIP archive; unpack it"),
        ("m.json", zipped("a.csv"), "a ZIP archive; unpack it"),
        ("m.csv", PAGE, "an HTML page; save it as CSV"),
        ("m.jsonl", PAGE, "an HTML page; save it as CSV"),
        ("m.csv", b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer; run: git lfs pull"),
    ],
)  # fmt: skip
def test_what_is_no_list_is_named(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(write(tmp_path / name, text=content))
    assert str(caught.value) == f"{tmp_path / name} is {reason}"


def test_what_is_no_list_beside_photos(tmp_path: Path, photo: Path) -> None:
    write(tmp_path / "metadata.csv", text=PAGE)
    with pytest.raises(SourceError, match="is an HTML page"):
        open_source(str(tmp_path))


@pytest.mark.parametrize("form", [None, "manifest"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.tab", "file_name\thashtags\na.jpg\t#x"),
        ("m.psv", "file_name|hashtags\na.jpg|#x"),
        ("m", "file_name,hashtags\na.jpg,#x"),
        ("m.2024", "file_name;hashtags\na.jpg;#x"),
        ("m", '{"file_name": "a.jpg", "hashtags": "#x"}'),
        ("m", '[\n {"file_name": "a.jpg", "hashtags": ["x"]}\n]'),
        ("m.xls", "file_name\thashtags\na.jpg\t#x"),  # as many programs call a table for Excel
    ],
)
def test_lists_under_other_names(tmp_path: Path, photo: Path, name: str, text: str, form: str | None) -> None:
    source = open_source(write(tmp_path / name, text=text), Reading(form))
    (record,) = records(source)
    assert (source.format, record.path, record.hashtags) == ("manifest", photo, ("x",))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jpg", PAGE),
        ("a", b"\xff\xd8\xff\xe0milk"),
        ("a.svg", b"<svg>"),
        ("a.md", b"milk"),
        ("a.pdf", b"%PDF-1.4"),
    ],
)
def test_files_that_are_no_lists_are_left_to_the_decoder(tmp_path: Path, name: str, content: bytes) -> None:
    assert open_source(write(tmp_path / name, text=content)).format == "photos"


@pytest.mark.parametrize(
    ("name", "text", "empty"),
    [
        ("m.csv", "file_name,hashtags\n", True),
        ("m.csv", "file_name,hashtags\n,\n\n", True),
        ("m.json", "", True),
        ("m.json", " []", True),
        ("m.jsonl", "\n\n", True),
        ("m.jsonl", "\0\0\0\0", True),
        ("m.jsonl", "{}", False),
        ("m.csv", "file_name,hashtags\na.jpg", False),
    ],
)
def test_lists_without_rows_are_known(tmp_path: Path, name: str, text: str, empty: bool) -> None:
    assert open_source(write(tmp_path / name, text=text)).empty == empty


# --- Folders and photos -------------------------------------------------------------------------------


def test_folder_of_photos(tmp_path: Path) -> None:
    names = [
        "b.jpg",
        "a/z.PNG",
        "a/b/c.tiff",
        "c.webp",
        "a.gif",
        "d.jpe",
        "e.dib",
        ".hidden.jpg",
        ".h/x.jpg",
        "n.txt",
        "jpg",
    ]
    for name in names:
        touch(tmp_path / name)
    source = open_source(str(tmp_path))
    found = records(source)
    assert source.count() == 7
    expected = ["a/b/c.tiff", "a/z.PNG", "a.gif", "b.jpg", "c.webp", "d.jpe", "e.dib"]
    assert [str(record.path.relative_to(tmp_path)) for record in found] == expected
    path = tmp_path / "b.jpg"
    assert found[3] == Record(Local(path), path.as_uri(), (), None, None, None, {}, str(path), None)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_folder_of_peculiar_files(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    touch(folder / "sub" / "a.jpg")
    touch(tmp_path / "elsewhere" / "b.jpg")
    (folder / "sub" / "loop").symlink_to(folder)
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "dangling.jpg").symlink_to("nothing")
    (folder / "directory.jpg").symlink_to("sub")
    (folder / "out.jpg").symlink_to(tmp_path / "elsewhere" / "b.jpg")
    os.mkfifo(folder / "fifo.jpg")
    touch(folder / "new\nline.jpg")
    (folder / os.fsdecode(b"\xff.jpg")).write_bytes(b"")
    found = list(open_source(str(folder)))
    assert [item.path.name for item in found if isinstance(item, Record)] == ["new\nline.jpg", "a.jpg"]
    rejected = {item.reason.split(":")[0]: item.origin for item in found if isinstance(item, Rejection)}
    assert rejected == {
        "no such file": str(folder / "dangling.jpg"),
        "not a regular file": str(folder / "fifo.jpg"),
        "outside the folder (use --allow-outside)": str(folder / "out.jpg"),
        "the file's name is not valid UTF-8": str(folder) + "/\\udcff.jpg",
    }
    assert all(item.origin.isprintable() for item in found)
    with pytest.raises(
        SourceError, match=r"neither a folder nor a regular file; save .*, or pipe JSON Lines"
    ):
        open_source(str(folder / "fifo.jpg"))


DEEP = sys.getrecursionlimit() + 100


def test_folders_deeper_than_recursion_are_walked(tmp_path: Path) -> None:
    """Deeper than Python's recursion goes."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    for _ in range(DEEP):
        os.mkdir("d", dir_fd=descriptor)
        inner = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(os.open("a.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
    os.close(descriptor)
    try:
        assert len(records(open_source(str(tmp_path)))) == 1
    finally:  # pytest would not get down there when it tidies up
        photo = tmp_path.joinpath(*["d"] * DEEP, "a.jpg")
        photo.unlink()
        for folder in islice(photo.parents, DEEP):
            folder.rmdir()


def test_hugging_faces_image_folders_are_read(tmp_path: Path, photo: Path) -> None:
    """As Hugging Face has them."""
    write(tmp_path / "metadata.csv", text="file_name,hashtags\na.jpg,#csv\n")
    (record,) = records(open_source(str(tmp_path)))
    assert record.hashtags == ("csv",)
    write(tmp_path / "metadata.jsonl", {"file_name": "a.jpg", "hashtags": ["json"], "text": "caption"})
    (record,) = records(open_source(str(tmp_path)))
    assert (record.hashtags, record.metadata) == (("json",), {"text": "caption"})


def test_a_single_photo_is_a_source(tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.jpg", "../" + tmp_path.name + "/a.jpg"):
        source = open_source(name)
        assert (source.name, source.count()) == (name, 1)
        assert records(source) == [
            Record(Local(photo), photo.as_uri(), (), None, None, None, {}, str(photo), None)
        ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none\x1b", "no such file or folder: none\\x1b"),
        ("none.jsonl", "no such file or folder: none.jsonl"),
        ("", "the name of the source is empty"),
        ("a\0b", "cannot read a\\x00b"),
        (".", "no photos in ."),
    ],
)
def test_sources_that_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError) as caught:
        open_source(name)
    assert str(caught.value).startswith(message)


def test_a_manifest_that_disappears(tmp_path: Path, photo: Path) -> None:
    source = open_source(write(tmp_path / "m.jsonl", {"file_name": "a.jpg"}))
    (tmp_path / "m.jsonl").unlink()
    with pytest.raises(SourceError, match="cannot read"):
        list(source)


@settings(max_examples=150, deadline=None)
@given(
    content=st.binary(max_size=60)
    | st.text('[]{},:"\\ue\n\ud800 file_namuri1.a\0', max_size=40).map(
        lambda text: text.encode("utf-8", "surrogatepass")
    )
)
@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv"])
def test_any_content_gives_rows_or_a_source_error(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    header = b"file_name,hashtags,x\n" if suffix == ".csv" else b""
    path.write_bytes(header + content)

    def items() -> Iterator[Record | Rejection]:
        yield from open_source(str(path))

    try:
        for item in items():
            assert isinstance(item, Record) or item.reason.isprintable()
    except SourceError as error:  # a PDF, say
        assert str(error).isprintable()  # noqa: PT017


@pytest.mark.parametrize("swapped", ["file", "folder", "folder above"])
def test_what_is_put_in_the_way_later_is_not_read_either(tmp_path: Path, swapped: str) -> None:
    """A link may take a file's or a folder's place after it was found, and before it is opened."""
    outside, folder = tmp_path / "outside" / "inner", tmp_path / "photos" / "a" / "inner"
    for each in (outside, folder):
        each.mkdir(parents=True)
        (each / "x.jpg").write_bytes(each.parent.name.encode())
    (tmp_path / "photos" / "list.csv").write_text(
        "file_name,hashtags\na/inner/x.jpg,#a\na/inner/../inner/x.jpg,#a\n"
    )
    found = list(open_source(str(tmp_path / "photos" / "list.csv")))
    assert all(isinstance(one, Record) and one.file.read() == b"a" for one in found)
    path = {"file": folder / "x.jpg", "folder": folder, "folder above": folder.parent}[swapped]
    target = {"file": outside / "x.jpg", "folder": outside, "folder above": outside.parent}[swapped]
    path.rename(tmp_path / "photos" / "moved")
    path.symlink_to(target)
    for one in found:
        assert isinstance(one, Record)
        assert files.read(one.path) == b"outside"
        with pytest.raises(RejectedInput, match="now outside the folder"):
            one.file.read()
    later = open_source(str(tmp_path / "photos" / "list.csv"))
    again = {getattr(one, "reason", "").split(":")[0] for one in later}
    assert again == {"outside the manifest's folder (use --allow-outside)"}
    allowed = list(open_source(str(tmp_path / "photos" / "list.csv"), allow_outside=True))
    assert all(isinstance(one, Record) and one.file.read() == b"outside" for one in allowed)
