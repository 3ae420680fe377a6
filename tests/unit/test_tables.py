"""Tables as programs write them: Excel, pandas, PostgreSQL, old Macs, exports of social networks."""

import io
import json
import time
import tracemalloc
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagdb import records
from tagdb.errors import RejectedInput, SourceError
from tagdb.photos import manifests
from tagdb.photos.fields import hashtags_of, repaired
from tagdb.photos.sources import Record, Rejection, open_source

ROWS = ["file_name{0}hashtags{0}title", "a.jpg{0}#Größe #海{0}ü", "b.jpg{0}{0}"]
READ = [("a.jpg", ("Größe", "海"), {"title": "ü"}), ("b.jpg", (), {})]


@pytest.fixture(autouse=True)
def photos(tmp_path: Path) -> Path:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).touch()
    return tmp_path


def read(path: Path, content: str | bytes) -> list[tuple[Any, ...]]:
    """What is read from a file: its photos, or the reasons why not."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    source = open_source(str(path))
    found = list(source)
    assert source.count() == len(found)
    return [
        (one.path.name, one.hashtags, one.metadata) if isinstance(one, Record) else (one.line, one.reason)
        for one in found
    ]


# --- Encodings and line ends --------------------------------------------------------------------------

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]


def encoded(text: str, encoding: str) -> bytes:
    mark = "\ufeff" if encoding.endswith("e") else ""
    return (mark + text).encode(encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("name", ["m.csv", "m.tsv", "m.txt"])
def test_tables_in_all_encodings(photos: Path, encoding: str, end: str, name: str) -> None:
    delimiter = "," if name == "m.csv" else "\t"
    text = "".join(row.format(delimiter) + end for row in ROWS)
    assert read(photos / name, encoded(text, encoding)) == READ


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_json_in_all_encodings(
    photos: Path, encoding: str, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[dict[str, Any]] = [
        {"file_name": "a.jpg", "hashtags": ["Größe", "海"], "title": "ü"},
        {"file_name": "b.jpg"},
    ]
    lines = encoded("".join(json.dumps(row, ensure_ascii=False) + end for row in rows), encoding)
    pretty = json.dumps(rows, ensure_ascii=False, indent=1).replace("\n", end)
    assert read(photos / "m.jsonl", lines) == READ
    assert read(photos / "m.json", lines) == READ
    assert read(photos / "m.json", encoded(pretty, encoding)) == READ
    monkeypatch.chdir(photos)
    piped = list(open_source("-", stdin=io.BytesIO(lines)))
    assert [(one.line, getattr(one, "hashtags", None)) for one in piped] == [(1, ("Größe", "海")), (2, ())]


@settings(max_examples=100, deadline=None)
@given(
    st.text("ab\r\n\ufeffé海😀", max_size=12),
    st.sampled_from(ENCODINGS),
    st.sampled_from(["xyz\n", "xyz\r\n", "xyz\ra"]),
    st.integers(1, 5),
)
def test_texts_are_the_same_in_pieces(text: str, encoding: str, begin: str, size: int) -> None:
    """However a pipe cuts them."""

    class Trickle(io.BytesIO):
        def read1(self, _: int | None = -1, /) -> bytes:
            return super().read1(size)

    content = encoded(begin + text, encoding)
    expected = begin + text if "\n" in begin else (begin + text).replace("\r", "\n")
    for stream in (io.BytesIO(content), Trickle(content)):
        assert manifests.recoded(stream).read().decode() == expected


def test_carriage_returns_within_other_lines_stay(photos: Path) -> None:
    text = 'file_name,hashtags,title\na.jpg,#x,"two\rlines"\nb.jpg,#x\ry,\n'
    first, second = read(photos / "m.csv", text)
    assert first == ("a.jpg", ("x",), {"title": "two\rlines"})
    assert second[0] == 3
    assert second[1].startswith("invalid CSV: ")


def test_half_a_character_costs_its_field(photos: Path) -> None:
    text = "file_name,hashtags\na.jpg,#x\nb.jpg,#"
    for end in (b"y", "\ud800".encode("utf-16-le", "surrogatepass")):
        found = read(photos / "m.csv", encoded(text, "utf-16-le") + end)
        assert found == [("a.jpg", ("x",), {}), ("b.jpg", (), {})]


def test_a_hundred_megabytes_in_one_line_of_utf_16(photos: Path) -> None:
    path = photos / "m.csv"
    with path.open("wb") as file:
        file.write(encoded("file_name,hashtags\na.jpg,#x\n", "utf-16-le"))
        for _ in range(100):
            file.write(b"x\0" * (1 << 19))
        file.write("\nb.jpg,#y\n".encode("utf-16-le"))
    tracemalloc.start()
    try:
        found = [getattr(one, "reason", "") for one in open_source(str(path))]
        highest = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == ["", "longer than 10 MB", ""]
    assert highest < 60e6


# --- Delimiters and headers ---------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["m.csv", "m.tsv", "m.txt"])
def test_delimiters_are_recognised_by_the_header(photos: Path, delimiter: str, name: str) -> None:
    assert read(photos / name, "\n".join(row.format(delimiter) for row in ROWS)) == READ
    quoted = '"a;b,c|d\te"' + delimiter + '"file_name"' + delimiter + "hashtags\n"
    found = read(photos / name, quoted + f'1{delimiter}a.jpg{delimiter}"#x{delimiter}#y"\n')
    assert found == [("a.jpg", ("x", "y"), {"a;b,c|d\te": "1"})]


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"', "sep=|", "sep=\t", "sep=^"])
def test_excels_line_about_the_delimiter(photos: Path, line: str) -> None:
    delimiter = line.strip('"')[-1]
    text = f"{line}\r\n" + "\r\n".join(row.format(delimiter) for row in ROWS)
    assert read(photos / "m.csv", text) == READ
    assert read(photos / "m.csv", encoded(text, "utf-16-le")) == READ
    assert read(photos / "m.csv", text + "\r\nx")[-1] == (5, "1 cells where the header has 3")


def test_columns_are_found_however_they_are_spelt(photos: Path) -> None:
    text = "File_Name, \"HASHTAGS\" ,Title,'collection'\na.jpg,#x,T,c\n"
    assert read(photos / "m.csv", text) == [("a.jpg", ("x",), {"Title": "T"})]
    row = {"File_Name": "a.jpg", " Hashtags ": "#x", "Title": "T"}
    assert read(photos / "m.jsonl", json.dumps(row)) == [("a.jpg", ("x",), {"Title": "T"})]
    both = {"file_name": "a.jpg", "hashtags": "#x", "Hashtags": "#y"}
    assert read(photos / "m.jsonl", json.dumps(both)) == [("a.jpg", ("x",), {"Hashtags": "#y"})]


@pytest.mark.parametrize(
    "above",
    [
        "\n\r\n",
        "#TYPE System.Management.Automation.PSCustomObject\n",
        "Table 1\n",
        "# made by x, 2023\n# y\n",
        ";;\n",
    ],
)
def test_what_programs_write_above_a_header(photos: Path, above: str) -> None:
    for delimiter in ",;":
        text = above + "\n".join(row.format(delimiter) for row in ROWS)
        assert read(photos / "m.csv", text) == READ
        assert read(photos / "m.csv", encoded(text, "utf-16-le")) == READ


def test_blank_rows_and_what_follows_the_last_one(photos: Path) -> None:
    text = "\ufeff" + "\r\n".join(row.format(",") for row in ROWS) + "\r\n,,\r\n , ,\r\n"
    for end in ("", "\x1a", "\0" * 4096):
        assert read(photos / "m.csv", b"\xef\xbb\xbf" + (text + end).encode()) == READ


def test_cells_at_the_end_that_are_left_out_or_too_many(photos: Path) -> None:
    rows = [ROWS[0].format(","), "a.jpg,#Größe #海,ü,,,", "b.jpg"]
    assert read(photos / "m.csv", "\n".join(rows)) == READ


def test_quotation_marks_as_programs_escape_them(photos: Path) -> None:
    said = ("a.jpg", ("sea",), {"title": 'say "hi" you'})
    assert read(photos / "m.csv", 'file_name,hashtags,title\na.jpg,"#sea","say \\"hi\\" you"\n') == [said]
    rows = [
        "file_name\thashtags\ttitle",
        'a.jpg\t#sea\t"Hello" she said',
        'a.jpg\t"never closed #sun\t',
        "b.jpg\t\t",
    ]
    assert read(photos / "m.tsv", "\n".join(rows) + "\n") == [
        ("a.jpg", ("sea",), {"title": '"Hello" she said'}),
        ("a.jpg", ("sun",), {}),
        ("b.jpg", (), {}),
    ]
    blanks = 'file_name,hashtags\n"a.jpg", "#sea, #sun"\n="b.jpg",\n'
    assert read(photos / "m.csv", blanks) == [("a.jpg", ("sea", "sun"), {}), ("b.jpg", (), {})]


def test_metadata_may_have_a_name_twice(photos: Path) -> None:
    text = "file_name,hashtags,comment,comment\na.jpg,#x,one,two\n"
    assert read(photos / "m.csv", text) == [("a.jpg", ("x",), {"comment": "one", "comment.1": "two"})]


def test_a_list_on_standard_input(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(photos)
    (one,) = open_source("-", stdin=io.BytesIO(b'[{"file_name": "a.jpg", "hashtags": "c#, dotnet"}]'))
    assert isinstance(one, Record)
    assert one.hashtags == ("c", "dotnet")


def test_a_comma_too_many(photos: Path) -> None:
    assert read(photos / "m.csv", ROWS[0].format(",") + "\na.jpg,#Größe #海,ü,\nb.jpg,,,\n") == READ


def test_r_names_rows_but_not_their_column(photos: Path) -> None:
    text = '"file_name" "hashtags" "title"\n"1" "a.jpg" "#Größe #海" "ü"\n"2" "b.jpg" "" "NA"\n'
    text = text.replace('" "', '","')
    assert read(photos / "m.csv", text) == READ
    assert read(photos / "m.csv", text.replace('"1"', '"7"').replace('"2"', '"Jo"')) == READ  # of a part
    # one row in which a comma is not quoted says nothing about the header
    found = read(photos / "m.csv", ROWS[0].format(",") + "\na.jpg,#x,one,two\nb.jpg,,\n")
    assert found == [(2, "4 cells where the header has 3"), READ[1]]


def test_tables_that_are_one_json_object(photos: Path) -> None:
    names, tags, titles = ["a.jpg", "b.jpg"], [["Größe", "海"], []], ["ü", "v"]
    rows = [
        dict(zip(("file_name", "hashtags", "title"), cells, strict=True))
        for cells in zip(names, tags, titles, strict=True)
    ]
    by_index = {str(number): row for number, row in enumerate(rows)}
    tables: list[object] = [
        {name: {key: row[name] for key, row in by_index.items()} for name in rows[0]},  # pandas' own default
        by_index,
        {"columns": list(rows[0]), "index": [0, 1], "data": [list(row.values()) for row in rows]},
        {"schema": {"fields": [{"name": "file_name"}]}, "data": rows},
        {"value": rows, "Count": 2},
        {"photos": rows, "next": None},
        {"columns": list(rows[0]), "rows": [list(row.values()) for row in rows]},
        {"values": [list(rows[0]), *(list(row.values()) for row in rows)]},
        {name: [row[name] for row in rows] for name in rows[0]},
        [{"type": "header"}, {"type": "table", "name": "x", "data": rows}],
    ]
    expected = [("a.jpg", ("Größe", "海"), {"title": "ü"}), ("b.jpg", (), {"title": "v"})]
    for table in tables:
        for indent in (None, 2):
            assert read(photos / "m.json", json.dumps(table, indent=indent)) == expected, table
    assert read(photos / "m.json", json.dumps(rows[0], indent=2)) == expected[:1]
    assert read(photos / "m.jsonl", json.dumps(rows)) == expected
    several = "\n".join(json.dumps(row, indent=2) for row in rows)  # as jq prints them
    assert read(photos / "m.json", several) == read(photos / "m.jsonl", several) == expected
    nameless = json.dumps({"photos": [{"file_name": None}, *rows]})
    assert read(photos / "m.json", nameless)[1:] == expected
    assert read(photos / "m.json", '{"x": 1}') == [(1, "neither file_name nor uri is given")]


def test_a_huge_header_takes_no_longer_than_reading_it(photos: Path) -> None:
    begun = time.process_time()
    (photos / "m.csv").write_bytes(b"," * 2_000_000)
    with pytest.raises(SourceError, match="it has"):
        open_source(str(photos / "m.csv"))
    (photos / "m.csv").write_bytes(b"\r" * 9_000_000)
    with pytest.raises(SourceError, match="it has nothing"):
        open_source(str(photos / "m.csv"))
    assert time.process_time() - begun < 20


# --- Values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        "NaN",
        "nan",
        "None",
        "null",
        "#N/A",
        "<NA>",
        "NaT",
        "#NAME?",
        "NULL",
        "\\N",
        "n/a",
        "  ",
        "NA",
        "#NV",
        "#WERT!",
        "#SPILL!",
    ],
)
def test_a_cell_without_a_value_is_empty(photos: Path, cell: str) -> None:
    text = f"file_name,uri,hashtags,taken_at,collection,title\na.jpg,{cell},{cell},{cell},{cell},{cell}\n"
    assert read(photos / "m.csv", text) == [("a.jpg", (), {})]


def test_json_without_a_value(photos: Path) -> None:
    row = '{"file_name": "a.jpg", "hashtags": NaN, "taken_at": NaN, "x": -Infinity, "y": [1, NaN]}\n'
    lines = row + row.replace('"hashtags": NaN', '"hashtags": ["x", NaN, null]')
    expected = [("a.jpg", tags, {"x": None, "y": [1, None]}) for tags in ((), ("x",))]
    assert read(photos / "m.jsonl", lines) == expected
    assert read(photos / "m.json", "[" + lines.strip().replace("\n", ",") + "]") == expected


@pytest.mark.parametrize(
    "cell",
    [
        "['sea', 'sun']", '["sea","sun"]', '{"sea","sun"}', "{sea,sun}", "{'sea', 'sun'}", "('sea', 'sun')",
        "[sea, sun]", "['sea' 'sun']", "['sea'\n 'sun']", ' ["sea", "sun", null] ', "{sea,NULL,sun}",
        "['sea', nan, 'sun']", "[\"sea\", 'sun',]", 'c("sea", "sun")', "frozenset({'sea', 'sun'})",
        "Index(['sea', 'sun'], dtype='object')", "array(['sea', 'sun'],\n      dtype='<U3')",
        "[np.str_('sea'), np.str_('sun')]", "deque(['sea', 'sun'])", '"[\\"sea\\", \\"sun\\"]"',
        '[{"name": "sea"}, {"name": "sun"}]', '[["sea"], ["sun"]]', "sea|sun", '"sea", "sun"', "'sea','sun'",
        '["#sea #sun"]', '["sea, sun"]', "<sea><sun>", "[sea|sun]", "{'sea': 1, 'sun': 2}",
        '{"tags": ["sea", "sun"]}',
        "array(['sea', 'sun'], dtype='<U3')", "list(['sea', 'sun'])",
    ],
)  # fmt: skip
def test_lists_in_a_cell(photos: Path, cell: str) -> None:
    assert hashtags_of(cell) == ("sea", "sun")
    quoted = '"' + cell.replace('"', '""') + '"'
    ((_, hashtags, _),) = read(photos / "m.csv", f"file_name;hashtags\na.jpg;{quoted}\n")
    assert hashtags == ("sea", "sun")


@pytest.mark.parametrize(
    ("cell", "hashtags"),
    [
        ("[]", ()), ("{}", ()), ("['None']", ("None",)), ("['#a', 'b c']", ("#a", "b c")),
        ("{#a,b}", ("#a", "b")), (json.dumps(["😀", 'a"b', "é"]), ("😀", 'a"b', "é")),
        (repr(["it's", 'x"', "می\u200cخ"]), ("it's", 'x"', "می\u200cخ")),
        (r'{"a\\b","c"}', ("a\\b", "c")), (r"['\x']", ("x",)), ("[Photo] #sea [sun]", ("sea",)),
        ("(#sea #sun)", ("sea", "sun")), ("['sea", ("['sea",)),
        ("__import__('os')", ("__import__('os')",)), ("[1+1]", ("1+1",)),
    ],
)  # fmt: skip
def test_lists_that_are_peculiar(cell: str, hashtags: tuple[str, ...]) -> None:
    assert hashtags_of(cell) == hashtags


@pytest.mark.parametrize(
    "text",
    ["[" * 9_000_000, "['" + "\\'" * 100_000 + "]", "['" + "a" * 250_000 + "']", "[" + "\",'" * 80_000 + "]",
     "[" + "\\\"," * 80_000 + "]", "É…" * 3_000_000, "#" * 9_000_000, "#a" * 1_000_000,
     "&#a" * 1_000_000, "[" + "{" * 200_000 + "]"],
)  # fmt: skip
def test_long_texts_take_no_longer_than_their_length(text: str) -> None:
    begun = time.process_time()
    with suppress(RejectedInput):
        hashtags_of(text)
    assert time.process_time() - begun < 10


def test_a_bad_hashtag_costs_itself(photos: Path) -> None:
    bad = ["a\0b", "x" * 200, "wow!"]
    row = json.dumps({"file_name": "a.jpg", "hashtags": ["sea", *bad, "a\ud800"], "title": "T"})
    table = "file_name,hashtags,title\na.jpg," + " ".join(["sea", *bad]) + ",T\n"
    for name, text in (("m.jsonl", row), ("m.json", f"[{row}]"), ("m.csv", table)):
        (photos / name).write_text(text)
        (record,) = open_source(str(photos / name))
        assert isinstance(record, Record)
        image, refused = records.image_of(records.Said(record), bytes(32))
        assert (image.hashtags, image.metadata) == (["sea"], {"title": "T"})
        assert len(refused) == len(record.hashtags) - 1
        assert all(one.line == record.line and one.reason.isprintable() for one in refused)


# --- UTF-8 that was read as something else ------------------------------------------------------------

WORDS = ["café", "Größe", "Österreich", "zdjęcie", "mąż", "sea’s", "mañana", "Москва", "日本", "😀", "à"]


@pytest.mark.parametrize("word", WORDS)
def test_misread_texts_are_repaired(photos: Path, word: str) -> None:
    as_latin = word.encode().decode("latin-1")
    as_windows = "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in word.encode())
    for damaged in (as_latin, as_windows):
        assert repaired(damaged) == word
        assert repaired(repaired(damaged)) == word
        assert hashtags_of([damaged]) == (word,)
    assert hashtags_of(f"yes #{as_windows}x") == hashtags_of(f"yes #{word}x")


@pytest.mark.parametrize(
    "text",
    ["CAFÉ…", "VÝŠKA", "Spaß’", "OLÉ™", "fatigué\xa0…", "« là »", "São Paulo", "", "sea", "É", "“é”", *WORDS],
)
def test_what_may_be_meant_so_is_left_alone(text: str) -> None:
    assert repaired(text) == text


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("abAB ,.") | st.characters(min_codepoint=0xC0, categories=["L"]), max_size=9))
def test_words_of_letters_are_left_alone(text: str) -> None:
    """But for those of Windows-1252 behind Ã, which are more likely to be a letter that was misread."""
    assert repaired(text) == text or set(text) & set("ŠšŽžŒœŸƒ")


def test_other_fields_are_never_repaired(photos: Path) -> None:
    row = {"file_name": "a.jpg", "hashtags": "#cafÃ©", "title": "cafÃ©"}
    assert read(photos / "m.jsonl", json.dumps(row)) == [("a.jpg", ("café",), {"title": "cafÃ©"})]


# --- Names of files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("stored", ["NFC", "NFD", "mixed"])
@pytest.mark.parametrize("named", ["NFC", "NFD"])
def test_files_are_found_however_their_name_is_written(photos: Path, stored: str, named: str) -> None:
    def normal(form: str, text: str) -> str:
        return unicodedata.normalize(form, text)

    folder = photos / normal("NFC" if stored == "mixed" else stored, "Café")
    folder.mkdir()
    photo = folder / (normal("NFD" if stored == "mixed" else stored, "größe") + ".jpg")
    photo.touch()
    (photos / "back\\slash.jpg").touch()
    name = normal(named, "Café/größe.jpg")
    written = [name, name.replace("/", "\\"), ".\\" + name.replace("/", "\\"), f" {name} "]
    written.append(normal("NFC", name).encode().decode("latin-1"))
    rows = [{"file_name": each} for each in (*written, "back\\slash.jpg")]
    (photos / "m.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = [one.path for one in open_source(str(photos / "m.jsonl")) if isinstance(one, Record)]
    assert found == [photo] * len(written) + [photos / "back\\slash.jpg"]


def test_a_name_as_it_is_written_comes_first(photos: Path) -> None:
    (photos / "cafÃ©.jpg").touch()
    (photos / "café.jpg").touch()
    ((name, _, _),) = read(photos / "m.jsonl", json.dumps({"file_name": "cafÃ©.jpg"}))
    assert name == "cafÃ©.jpg"


def test_other_spellings_stay_inside_and_are_said_as_written(photos: Path) -> None:
    folder = photos / "m"
    folder.mkdir()
    rows = [{"file_name": name} for name in ("..\\a.jpg", " ../a.jpg", "sub\\none.jpg", "a\\" * 5_000)]
    (folder / "m.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = [one.reason for one in open_source(str(folder / "m.jsonl")) if isinstance(one, Rejection)]
    outside = "outside the manifest's folder (use --allow-outside): ../a.jpg"
    assert found[:3] == [outside, outside, "no such file: sub\\none.jpg"]
    assert len(found) == 4
