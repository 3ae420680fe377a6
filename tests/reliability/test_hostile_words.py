"""Hashtags, manifests, embeddings and arguments that are none, or made to harm.

Always an answer, or one sentence that says what is wrong and where; nothing is stored of what was rejected.
``TAGDB_SOAK`` times as many examples in the long form.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import re
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import tagdb.ingest
from tagdb.cli import COMMANDS, cli
from tagdb.embedding.backbone import Backbone, Identity
from tagdb.errors import RejectedInput, SourceError
from tagdb.hashtags import MAX_LENGTH, fold
from tagdb.photos import manifests
from tagdb.photos.sources import Record, Rejection, open_source
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tests.support import seed
from tests.support.commands import invoke
from tests.support.pictures import photo
from tests.support.processes import PROC, peak
from tests.support.programs import SOAK, finished, started
from tests.support.surface import WRITING

Here = Callable[[str], dict[str, str]]

SEED = 20_07

# Another seed each time; what fails is printed as an example, and with print_blob so that it can be repeated.
fuzz = settings(
    max_examples=75 * SOAK, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck)
)

# --- Hashtags -----------------------------------------------------------------------------------------

WORDS = [
    "", " ", "#", "\0", "a\0b", "a\x1b[31mb", "a\u202eb", "\u2066a\u2069", "a\u200fb", "\ufeffa",
    "a" + "\u0301" * 5_000, "x" * 10_000, "\u0301" * 10_000, "#" * 10_000 + "a", "ﷺ" * 5_000, "é" * 10_000,
    "a\ud800", "\udcff", "\ud83d\ude00", "'; DROP TABLE tagdb_store.images; --", '"', "\\", "$1", "%s",
    "{}", "NULL", "{a,b}", "[1]", "قهوة", "हिन्दी", "ไทย", "日本", "한국어",
    "👩\u200d👩\u200d👧", "🏳\ufe0f\u200d🌈",
    "🇩🇪", "👍🏽", "❤\ufe0f", "1\ufe0f\u20e3", "🏴\U000e0067\U000e0062\U000e007f", "\U0010ffff", "\ue000", "ﬃ",
    "ẞ", "İ", "ǰ", "Ⅷ", "½", "²", "<script>", "../../etc/passwd", "a\r\nb", "a\u2028b", "\u3164", "\u00ad",
    "\u034f",
]  # fmt: skip

SAME = unicodedata.unidata_version == "14.0.0"
"""Whether this Python's Unicode is that of the SQL. What tests/sql says about the others is enough."""
ANY = st.characters()  # surrogates and NUL as well
NASTY = st.sampled_from(
    "\0\x1b\x7f\x85\xad\u034f\u0301\u0345\u200b\u200d\u202e\u2066\ufe0f\ufeff\ud800\udfff#＃_·ßİ'\"\\%"
)
HARMFUL = st.integers(0, len(WORDS) - 1).map(
    WORDS.__getitem__
)  # not sampled_from(), which would print all of them
HOSTILE = (
    HARMFUL
    | st.text(ANY, max_size=20)
    | st.text(NASTY | st.sampled_from("abAB12"), max_size=20)
    | st.builds(str.__mul__, st.text(ANY | NASTY, max_size=3), st.integers(1, 3_000))
    | st.builds(str.__add__, HARMFUL, HARMFUL)
)


def python_folds(text: str) -> str | None:
    try:
        return fold(text)
    except RejectedInput as error:
        said = str(error)
    assert said.isprintable()
    assert len(said) < 700
    return None


def sql_folds(connection: Connection, text: str) -> str | None:
    try:
        row = connection.execute("SELECT tagdb.fold_hashtag(%s::text)", (text,)).fetchone()
    except (psycopg.errors.InvalidParameterValue, psycopg.DataError, UnicodeEncodeError):
        return None  # NUL and surrogates do not even reach PostgreSQL
    return str(row[0]) if row else None


def test_words_that_are_known_to_harm(connection: Connection) -> None:
    connection.execute("SET statement_timeout = '30s'")
    started_at = time.process_time()
    assert [(word[:20], python_folds(word)) for word in WORDS] == [
        (word[:20], sql_folds(connection, word)) for word in WORDS
    ]
    assert time.process_time() - started_at < 10


@fuzz
@given(HOSTILE)
def test_python_and_sql_fold_alike(connection: Connection, text: str) -> None:
    """Or both refuse; what is folded can be stored, and is folded already."""
    assume(all(SAME or unicodedata.ucd_3_2_0.category(character) != "Cn" for character in text))
    here, there = python_folds(text), sql_folds(connection, text)
    assert here == there
    if here is not None:
        assert 1 <= len(here) <= MAX_LENGTH
        assert fold(here) == here
        here.encode()


# --- Manifests ----------------------------------------------------------------------------------------

GOOD = 8
"""Good rows, on photos 0.jpg to 7.jpg."""


def good_rows() -> list[dict[str, Any]]:
    rows = [
        {"file_name": f"{n}.jpg", "hashtags": "#a, #b\u00e9" if n % 2 else "c", "title": f'"quoted", {n}'}
        for n in range(GOOD)
    ]
    rows[3] |= {
        "collection": "x" * 500,
        "taken_at": "2020-02-02T02:02:02Z",
        "source_ref": "https://x/?a=1&b='",
    }
    return rows


BAD_JSON = [
    b'{"file_name": 5, "hashtags": []}', b"null", b"true",
    b"[]", b'"text"', b"1e999", b"NaN", b"-Infinity", b"9" * 5_000,
    b'{"file_name": "0.jpg", "file_name": "1.jpg", "hashtags": ["dup"]}', b'{"a": 1, "a": 2}', b"{",
    b'{"a"', b"}", b'{"file_name": "\xff\xfe.jpg"}', b" \xff\xfe{\x00}\x00",
    b"\x00" * 50, b'{"x": ' + b"[" * 20_000, b"[" * 100_000,
    b'{"file_name": "0.jpg", "hashtags": ["half"]', b'{"file_name": "../0.jpg", "hashtags": ["outside"]}',
    b'{"file_name": "/etc/passwd", "hashtags": ["outside"]}',
    b'{"file_name": "gone.jpg", "hashtags": ["gone"]}',
    b'{"file_name": "0.jpg\\u0000", "hashtags": ["nul"]}',
    b'{"uri": "https://example.org/0.jpg", "hashtags": ["remote"]}', b'{"uri": "file://other/0.jpg"}',
    b'{"file_name": "", "hashtags": []}',
    b"\xef\xbb\xbf{}", b"\r",
    b"/* no */",
    b"x" * (manifests.MAX_LINE + 10),
    b'{"file_name": "0.jpg", "hashtags": "half", "x": "' + b"y" * manifests.MAX_LINE,
]  # fmt: skip
BAD_CSV = [
    b"x", b"0.jpg,half,x,,,,,y", b'"0.jpg,half,x,,,', b'0.jpg,"half,x,,,',
    b'0.jpg,"ha"lf,x,,,', b"\xff\xfe,half,x,,,",
    b"gone.jpg,half,x,,,", b"../0.jpg,half,x,,,", b"/etc/passwd,half,x,,,",
    b'"', b'"""',
    b"\x00" * 50, b"," * 200_000, b"x" * (manifests.MAX_LINE + 10), b"\r0.jpg,half,x,,,", b",half,x,,,",
]  # fmt: skip
HEADER = ["file_name", "hashtags", "title", "collection", "taken_at", "source_ref"]


def csv_line(row: dict[str, Any], delimiter: str = ",") -> bytes:
    stream = io.StringIO()
    csv.DictWriter(stream, HEADER, delimiter=delimiter).writerow(row)
    return stream.getvalue().encode()


def written(path: Path, bad: Sequence[bytes], rng: random.Random) -> Path:
    """A manifest of the good rows in their order, with bad ones anywhere among them."""
    if path.suffix == ".jsonl":
        lines = [json.dumps(row).encode() + b"\n" for row in good_rows()]
        head = b""
    else:
        delimiter = "\t" if path.suffix == ".tsv" else ","
        lines = [csv_line(row, delimiter) for row in good_rows()]
        head = delimiter.join(HEADER).encode() + b"\n"
        bad = [line.replace(b",", delimiter.encode()) for line in bad]
    places = sorted((rng.randrange(GOOD + 1) for _ in bad), reverse=True)
    for place, line in zip(places, bad, strict=True):
        lines.insert(place, line + b"\n")
    path.write_bytes(head + b"".join(lines))
    return path


def stored(connection: Connection) -> list[Any]:
    """All that is stored of images and hashtags, and no number that another order would give otherwise."""
    return [
        connection.execute(query).fetchall()
        for query in (
            "SELECT content_sha256, uri, collection, source_ref, taken_at, metadata FROM tagdb.images"
            " ORDER BY 1",
            "SELECT content_sha256, hashtag, source FROM tagdb.image_hashtags"
            " JOIN tagdb.images USING (image_id) ORDER BY 1, 2",
            "SELECT hashtag FROM tagdb.hashtags ORDER BY 1",
        )
    ]


@pytest.mark.parametrize(("name", "bad"), [("m.jsonl", BAD_JSON), ("m.csv", BAD_CSV), ("m.tsv", BAD_CSV)])
def test_bad_rows_leave_nothing_behind(
    make_database: Callable[[bool], str], backbone_file: Path, tmp_path: Path, name: str, bad: list[bytes]
) -> None:
    """Good rows among bad ones are stored as if they were alone; each bad row is on record with its line."""
    backbone = Backbone(Identity("random", 96, bytes(32)), backbone_file.read_bytes())
    for number in range(GOOD):
        (tmp_path / f"{number}.jpg").write_bytes(photo(number, size=(40, 30)))
    found = []
    for number, lines in enumerate(([], bad)):
        rng = random.Random(number)
        path = written(tmp_path / name, lines, rng)
        with database.connect(make_database(True)) as connection:
            source = open_source(str(path))
            options = tagdb.ingest.Options(quiet=True)
            counts = tagdb.ingest.run(connection, backbone, [source], options).counts
            found.append(stored(connection))
            errors = connection.execute("SELECT origin, line, reason FROM tagdb.ingest_errors").fetchall()
        assert counts.new == GOOD
        assert counts.rejected == len(errors)
        assert all(
            origin == str(path) and line >= 1 and reason.isprintable() for origin, line, reason in errors
        )
    assert found[0] == found[1]
    lines_said = {line for _, line, _ in errors}
    blank = sum(not line.strip(b"\0, \t\r") for line in bad)
    assert len(lines_said) == len(bad) - blank


def among(tmp_path: Path, path: Path) -> tuple[list[Record], list[Rejection]]:
    found = list(open_source(str(path)))
    return [one for one in found if isinstance(one, Record)], [
        one for one in found if isinstance(one, Rejection)
    ]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(GOOD):
        (tmp_path / f"{number}.jpg").touch()
    return tmp_path


@fuzz
@given(
    st.sampled_from(["m.jsonl", "m.csv", "m.tsv"]),
    st.lists(
        # a byte order mark at the beginning would say that all of it is UTF-16
        st.binary(max_size=40).filter(
            lambda line: b"\n" not in line and line[:2] not in (b"\xff\xfe", b"\xfe\xff")
        ),
        max_size=10,
    ),
    st.randoms(use_true_random=False),
)
def test_good_rows_among_noise(photos: Path, name: str, noise: list[bytes], rng: random.Random) -> None:
    """Noise in CSV has no quotation marks: one that is never closed may make one row of what follows."""
    if name != "m.jsonl":
        noise = [line.replace(b'"', b"") for line in noise]
    path = written(photos / name, noise, rng)
    records, rejected = among(photos, path)
    alone, none = among(photos, written(photos / f"good-{name}", [], rng))
    assert none == []
    good = [one for one in records if "title" in one.metadata and '"quoted"' in str(one.metadata["title"])]
    assert [(one.path, one.hashtags, one.metadata, one.taken_at) for one in good] == [
        (one.path, one.hashtags, one.metadata, one.taken_at) for one in alone
    ]
    assert len({one.line for one in rejected}) == len(rejected)


@fuzz
@given(st.lists(st.sampled_from(BAD_CSV[:10]), max_size=5), st.randoms(use_true_random=False))
def test_quotation_marks_that_are_never_closed(photos: Path, bad: list[bytes], rng: random.Random) -> None:
    """Cost their own row."""
    records, _ = among(photos, written(photos / "m.csv", bad, rng))
    assert [one.path.name for one in records] == [f"{n}.jpg" for n in range(GOOD)]


PIECES = st.sampled_from(
    [
        b'{"file_name": "0.jpg", "hashtags": ["a"]}', b"file_name,hashtags\n", b"0.jpg,#a\n", b"[", b"]",
        b"{", b"}", b",", b'"', b"\\", b"\n", b"\r\n", b"\r", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe",
        b"1e999", b"NaN", b"null", b"9" * 30, b'"file_name"', b":", b"\t", b" ", b"\\u0000", b"\\ud800",
        b"'", b"0.jpg", b"-", b"/*", b"\x1a",
    ]
)  # fmt: skip


@fuzz
@given(
    st.sampled_from([".jsonl", ".json", ".csv", ".tsv", ".ndjson"]),
    st.binary(max_size=300) | st.lists(PIECES | st.binary(max_size=4), max_size=40).map(b"".join),
    st.booleans(),
)
def test_any_bytes_are_a_manifest(photos: Path, suffix: str, content: bytes, headed: bool) -> None:
    """Rows, rejections with file and line, or one sentence."""
    path = photos / f"fuzz{suffix}"
    if headed:
        content = {".csv": b"file_name,hashtags,x\n", ".tsv": b"file_name\thashtags\tx\n"}.get(
            suffix, b"["
        ) + content
    path.write_bytes(content)
    try:
        records, rejected = among(photos, path)
        assert open_source(str(path)).count() == len(records) + len(rejected)
    except SourceError as error:
        said = str(error)
        assert said.isprintable() and str(path) in said  # noqa: PT018
        return
    lines = [one.line for one in (*records, *rejected)]
    assert all(line is not None and line >= 1 for line in lines)
    assert all(one.origin == str(path) and one.reason.isprintable() for one in rejected)
    for one in records:
        json.dumps(one.metadata).encode()
        assert "\0" not in json.dumps(
            [one.uri, one.hashtags, one.collection, one.source_ref], ensure_ascii=False
        )


@fuzz
@given(st.sampled_from(["m.jsonl", "m.csv", "m.json"]), st.randoms(use_true_random=False))
def test_mutated_manifests_leave_nothing_of_a_bad_row(photos: Path, name: str, rng: random.Random) -> None:
    path = photos / name
    if name == "m.json":
        path.write_text(json.dumps(good_rows(), indent=rng.choice((None, 1))))
    else:
        written(path, [], rng)
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice((1, 3, 20))):
        at = rng.randrange(len(content))
        match rng.randrange(4):
            case 0:
                content[at] = rng.randrange(256)
            case 1:
                del content[at : at + rng.choice((1, 2, 50))]
            case 2:
                content[at:at] = rng.choice((b'"', b"\n", b"\0", b"\xff", b"{", b"]", b",", b"\\", b"\r"))
            case 3:
                content[at:at] = content[at : at + rng.choice((5, 100))]
        if not content:
            break
    path.write_bytes(content)
    try:
        records, rejected = among(photos, path)
    except SourceError as error:
        assert str(error).isprintable()  # noqa: PT017
        return
    assert all(one.reason.isprintable() for one in rejected)
    assert records or rejected or not content.strip()


def test_rows_that_many_lines_begin(photos: Path) -> None:
    """Each line opens a quotation that the next one closes and opens again: time stays linear."""
    path = photos / "m.csv"
    path.write_bytes(b"file_name,hashtags\n" + b'x","\n' * 400_000 + b"0.jpg,#a\n")
    begun = time.process_time()
    _, rejected = among(photos, path)
    assert rejected
    assert time.process_time() - begun < 20


def heavy(suffix: str) -> tuple[bytes, bytes]:
    """What comes before and behind a gigabyte of nothing."""
    row = b'{"file_name": "0.jpg", "hashtags": ["a"]}'
    if suffix == ".csv":
        return b"file_name,hashtags\n0.jpg,#a\n", b"\n1.jpg,#b\n"
    if suffix == ".json":
        return b"[" + row + b', "', b'", ' + row.replace(b"0.jpg", b"1.jpg") + b"]"
    return row + b"\n", b"\n" + row.replace(b"0.jpg", b"1.jpg") + b"\n"


@pytest.mark.skipif(not PROC.is_dir(), reason="needs /proc")
@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".json"])
def test_a_line_of_a_gigabyte(
    database_url: str,
    connection: Connection,
    tmp_path: Path,
    chosen: tuple[object, ...],
    here: Here,
    suffix: str,
) -> None:
    """It is rejected, what is before and behind it is stored, and little memory is needed."""
    for number in range(2):
        (tmp_path / f"{number}.jpg").write_bytes(photo(number))
    before, behind = heavy(suffix)
    size = 1 << (30 if suffix == ".jsonl" or SOAK > 1 else 27)
    path = tmp_path / f"m{suffix}"
    with path.open("wb") as file:  # sparse: it takes no room on disk
        file.write(before)
        file.seek(size, os.SEEK_CUR)
        file.write(behind)
    begun = time.monotonic()
    process = started("ingest", path, *chosen, "--quiet", "--json", **here(database_url))
    with peak(process.pid) as memory:
        counts = json.loads(finished(process, 3))
    print(f"{suffix}: {time.monotonic() - begun:.1f} s, {memory}")
    assert memory.program < 300e6
    # behind an item of a list that is not JSON there is no going on
    assert (counts["new"], counts["rejected"]) == (1 if suffix == ".json" else 2, 1)
    ((reason, line),) = connection.execute("SELECT reason, line FROM tagdb.ingest_errors").fetchall()
    assert "longer than" in reason
    assert line == {".jsonl": 2, ".csv": 3, ".json": 2}[suffix]


def test_many_large_rows(
    connection: Connection, backbone_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much is said of photos, only so much of it is held at once."""
    import tracemalloc

    backbone = Backbone(Identity("random", 96, bytes(32)), backbone_file.read_bytes())
    (tmp_path / "0.jpg").write_bytes(photo(0))
    row = {"file_name": "0.jpg", "hashtags": ["a"], "x": ["y" * 1_000] * 250}
    (tmp_path / "m.jsonl").write_text((json.dumps(row) + "\n") * 90)
    for module, name in (
        ("ingest", "CHUNK_BYTES"),
        ("ingest", "BATCH_BYTES"),
        ("embedding.pipeline", "WINDOW_BYTES"),
    ):
        monkeypatch.setattr(f"tagdb.{module}.{name}", 2 << 20)
    tracemalloc.start()
    try:
        source = open_source(str(tmp_path / "m.jsonl"))
        counts = tagdb.ingest.run(connection, backbone, [source], tagdb.ingest.Options(quiet=True)).counts
        highest = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    print(f"90 rows of a quarter of a megabyte each: {highest / 1e6:.0f} MB at most")
    assert (counts.new, counts.new + counts.known + counts.updated) == (1, 90)
    assert highest < 16e6


# --- Through SQL --------------------------------------------------------------------------------------


def vectors() -> list[str | None]:
    fine = seed.literal(np.random.default_rng(0).standard_normal(seed.DIMENSIONS))
    numbers = [
        "0",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e-7",
        "6e-8",
        "65504",
        "-65504",
        "65505",
        "1e5",
        "1e-40",
    ]
    numbers += ["-0", "nan", "1_0", "0x10", "1", "٣"]
    return [
        *(fine, fine, fine, None, "", "[]", "[1]", "x", "[1,2", "{1,2}", "[1e999]", "[NaN]"),
        *("[" + ",".join([number] * seed.DIMENSIONS) + "]" for number in numbers),
        *("[" + ",".join(["1"] * size) + "]" for size in (1279, 1281, 16_000, 16_001)),
        *("[" + ",".join(["0"] * 1279 + [last]) + "]" for last in ("6e-8", "65504")),
    ]


LEGAL = [word for word in WORDS if "\0" not in word and not any("\ud800" <= c <= "\udfff" for c in word)]
ARRAYS: list[Any] = [
    "{}", "{}", None, "{NULL}", "{sun,NULL}", "{{a,b},{c,d}}", "[5:6]={a,b}", "{{{}}}", "x", "{", '{"',
    "{a,,b}", ["tag1"], ["#TAG1", "tag2"] * 500, ["x"] * 100_000, ["tag1"] * 20_000, ["x" * 1_000_000],
    LEGAL, [""] * 10, [["tag1"], ["tag2"]],
]  # fmt: skip
VALUES: dict[str, list[Any]] = {
    "bigint[]": [
        None,
        "{}",
        "{NULL}",
        "{-1,0,9223372036854775807}",
        "{9223372036854775808}",
        "{x}",
        "1",
        [7] * 100_000,
    ],
    "integer": [None, 0, 1, 2, 10, 10_000, 2**31 - 1, -1, -(2**31), 2**31, "1.5", "x", "", "1e3"],
    "bigint": [None, 0, 1, 2, 5, 2**63 - 1, -1, -(2**63), 2**63, "x"],
    "double precision": [
        None,
        0,
        0.5,
        1,
        -1,
        1.0000001,
        "NaN",
        "Infinity",
        "-Infinity",
        1e308,
        5e-324,
        "1e999",
        "x",
    ],
    "text": [None, "tag1", "tag2", *LEGAL, "x" * 1_000_000, "%", "_", "t%", "a|b", "(" * 1_000],
    "text[]": ARRAYS,
    "bytea": [None, b"", bytes(32), bytes(31), bytes(1 << 20), "\\x", "\\xzz"],
    "halfvec": vectors(),
    "date": [
        *(None, "2026-01-01", "0001-01-01", "9999-12-31", "4713-01-01 BC", "5874897-12-31"),
        *("infinity", "-infinity", "31.12.2026", "x"),
    ],
    "boolean": [None, True, False, "x"],
}


def public(connection: Connection) -> list[tuple[str, list[str], list[str]]]:
    """The functions of schema tagdb: name, names and types of arguments."""
    return connection.execute(
        "SELECT p.proname, coalesce(p.proargnames[:p.pronargs], '{}'),"
        " ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY a (t, n) ORDER BY n)"
        " FROM pg_proc p WHERE p.pronamespace = 'tagdb'::regnamespace AND p.prokind = 'f' ORDER BY 1"
    ).fetchall()


def plain(type_: str) -> str:
    return type_.rpartition(".")[2].strip('"')


@pytest.mark.parametrize("indexed", [False, True])
def test_public_functions_answer_absurd_arguments(connection: Connection, indexed: bool) -> None:
    """Each one, each argument in turn with everything and now and then several: an answer or a sentence."""
    world = seed.world(connection, images=40)
    if indexed:
        seed.add_index(connection, world.backbone_id)
    functions = public(connection)
    assert len(functions) >= 10
    assert {plain(type_) for _, _, types in functions for type_ in types} <= VALUES.keys()
    fine: dict[str, Any] = {
        "embedding": seed.literal(world.embeddings[0]), "image_id": int(world.image_ids[0]), "top": 5,
        "hashtag": world.hashtags[0], "prefix": "t", "content_sha256": bytes(32), "known": [], "exclude": [],
        "image_ids": [], "hashtags": ["tag1"], "photo": b"photo", "request": 1, "backbone_id": 1,
    }  # fmt: skip
    rng = random.Random(SEED)
    calls = []
    for name, arguments, types in functions:
        kinds = dict(zip(arguments, map(plain, types), strict=True))
        base = {argument: fine[argument] for argument in kinds if argument in fine}
        for argument, kind in kinds.items():
            calls += [(name, types, arguments, base | {argument: value}) for value in VALUES[kind]]
        for _ in range(15 * SOAK):
            several = {each: rng.choice(VALUES[kinds[each]]) for each in kinds if rng.random() < 0.5}
            calls.append((name, types, arguments, base | several))
    connection.execute("SET statement_timeout = '5s'")
    answers = refusals = 0
    for name, types, arguments, values in calls:
        kinds = dict(zip(arguments, types, strict=True))
        given_ = ", ".join(f"{argument} => %({argument})s::{kinds[argument]}" for argument in values)
        shown = f"{name}({', '.join(f'{key}: {str(value)[:60]!r}' for key, value in values.items())})"
        connection.execute(f"SET ROLE tagdb_{'writer' if name in WRITING else 'analyst'}")
        try:
            connection.execute(f"SELECT * FROM tagdb.{name}({given_})", values).fetchall()
        except psycopg.Error as error:
            state, said = error.sqlstate or "", error.diag.message_primary or ""
        else:
            answers += 1
            continue
        # or the type itself cannot hold so much, or it writes and is for others
        assert state.startswith("22") or state in ("54000", "42501", "53400"), (shown, state, said[:200])
        assert said.strip(), shown
        refusals += 1
    print(f"seed {SEED}: {len(calls)} calls, {answers} answered, {refusals} refused")
    left = connection.execute("SELECT count(*) FROM tagdb.images").fetchone()
    assert left is not None
    assert 0 < left[0] < 40  # only what was named was removed


# --- Arguments ----------------------------------------------------------------------------------------

ARGUMENTS = [
    "", " ", "-", "--", "-1", "0", "99999999999999999999", "1e999", "nan", "inf", "-inf", "x" * 10_000,
    "\x1b[31mred", "caf\udce9", "\u202egpj.exe", "'; DROP TABLE images", "{}", "../..", "/dev/null",
    "%s", "~", "\n", "#", "##", "🏳\ufe0f\u200d🌈", "0x10", "1_0", "１",
]  # fmt: skip
LEFT_OUT = {"demo", "shell", "start", "stop", "tune"}
"""Which draw for minutes, run another program, or are about a server of its own."""


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if name in LEFT_OUT:
            continue
        if isinstance(command, click.Group):
            yield from leaves(command, (*path, name))
            if not command.invoke_without_command:
                continue
        yield (*path, name), command


def test_arguments_of_every_command(
    connection: Connection, database_url: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is written there: exit code 0 to 3, at most a sentence on standard error, no traceback."""
    seed.world(connection, images=12)
    monkeypatch.setenv("TAGDB_DATABASE_URL", database_url)
    monkeypatch.setenv("TAGDB_HOME", str(home))
    monkeypatch.setattr(database, "PATIENCE", 0.1)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    rng = random.Random(SEED)
    commands = list(leaves(cli))  # type: ignore[arg-type]
    assert {path[0] for path, _ in commands} >= set(COMMANDS) - LEFT_OUT
    calls: list[list[str]] = []
    for path, command in commands:
        options = [one for one in command.params if isinstance(one, click.Option) and not one.is_flag]
        options = [one for one in options if one.name not in ("watch", "database_url")]
        needed = sum(one.required for one in command.params if isinstance(one, click.Argument))
        usual = ["x"] * needed
        for one in options:
            calls += [
                [*path, *usual, one.opts[0], value]
                for value in rng.sample(ARGUMENTS, min(2 * SOAK, len(ARGUMENTS)))
            ]
        calls += [
            [*path, *[value] * max(1, needed)]
            for value in rng.sample(ARGUMENTS, min(4 * SOAK, len(ARGUMENTS)))
        ]
    print(f"seed {SEED}: {len(calls)} calls of {len(commands)} commands")
    assert [said for arguments in calls if (said := objection(arguments))] == []


def objection(arguments: list[str]) -> tuple[list[str], str] | None:
    """What is wrong about how a command ends, if anything is."""
    done = invoke(*arguments, stdin=b"")
    starts = {line.partition(" ")[0] for line in done.stderr.splitlines()}
    fine = (
        done.exit_code in (0, 1, 2, 3)
        and not re.search("has a bug|Traceback", done.output)
        and re.sub("[\n\t\u200c\u200d]", "", done.stderr).isprintable()
        and (done.exit_code in (0, 3) or {"Error:", "rejected", "Aborted!"} & starts)
    )
    return None if fine else ([one[:40] for one in arguments], done.stderr[:300])


NAMES = ["\udcff\x1b[31m.jpg", "x" * 5_000, "", "-nothing", "~", "$(reboot)", "a b"]


@pytest.mark.parametrize("name", NAMES[: 2 * SOAK])
def test_the_real_program(database_url: str, here: Here, name: str) -> None:
    """Names that a shell can pass, also those that are not UTF-8."""
    for command in (["ingest"], ["recommend"], ["similar"], ["feedback", "--accepted", "a"]):
        process = started(*command, name, **here(database_url))
        out, err = process.communicate(timeout=60)
        assert process.returncode in (1, 2), (command, name, out, err)
        assert "Traceback" not in err
        assert err.replace("\n", "").isprintable()
        assert out == ""
