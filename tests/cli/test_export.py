"""Exporting: what comes out, that it goes in again, and what is left alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars
import psycopg
import pytest

import tagdb as api
from tagdb import store
from tagdb.errors import ExportError
from tagdb.export import jpegs
from tagdb.export.run import Options, export
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.store.exports import Selection
from tests.support.commands import Run, complaint, invoke, parsed
from tests.support.pictures import photo

STATE = """
    SELECT i.content_sha256, i.uri, i.media_type, i.width, i.height, i.bytes, i.collection, i.source_ref,
           i.taken_at, i.metadata, e.embedding::text, f.original,
           ARRAY(SELECT coalesce(ih.spelling, h.hashtag) FROM tagdb_store.image_hashtags ih
                 JOIN tagdb_store.hashtags h USING (hashtag_id) WHERE ih.image_id = i.image_id
                 ORDER BY h.hashtag COLLATE "C")
    FROM tagdb_store.images i JOIN tagdb_store.embeddings e USING (image_id)
    JOIN tagdb_store.image_files f USING (image_id)
    ORDER BY i.content_sha256
"""
"""Everything that an export has to bring along."""
ROWS: list[dict[str, Any]] = [
    {"hashtags": ["Beach", "sun", "caf\u00e9"], "collection": "summer 2023", "source_ref": "https://x.example/?a=b"},
    {"hashtags": ["\u0e17\u0e30\u0e40\u0e25", "\u6d77", "\U0001f3d6\ufe0f"],
     "taken_at": "2023-05-06T07:08:09.123456+05:30"},
    {"hashtags": [], "title": "no, \"hashtag\"\n", "deep": {"a": [1, 2.5, None, True, {"b": "\u00fc"}]}},
    {"hashtags": ["STRASSE", "Stra\u00dfe"], "metadata": {"inner": 1}, "note": "as it is", "big": 10**20},
    {"hashtags": ["nan", "null", "None"], "collection": "  padded ", "n": 1e-7, "empty": "", "nothing": None},
    {"hashtags": [f"tag{n}" for n in range(300)], "text": "x" * 200_000, "url": "https://a.example/#frag"},
]  # fmt: skip
"""Rows that are hard to write down again."""


@pytest.fixture
def hard(tmp_path: Path, ingest: Run) -> Path:
    """A folder of photos in all formats, stored with hard rows; two files of the same name among them."""
    folder = tmp_path / "hard"
    kinds = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
    lines = []
    for number, (kind, row) in enumerate(zip(kinds, ROWS, strict=True)):
        name = f"{number % 5}/IMG 1.{kind.lower()}" if number else "5/IMG 1.png"  # named otherwise than it is
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(photo(number, kind))
        lines.append(json.dumps({"file_name": name} | row))
    (folder / "photos.jsonl").write_text("\n".join(lines))
    done = ingest(folder / "photos.jsonl", "--quiet")
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def elsewhere(make_database: Callable[[bool], str]) -> str:
    """The URL of another database with the schema."""
    return make_database(True)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


# --- there and back ------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["imagefolder", "parquet", "csv", "jsonl"])
def test_what_was_exported_is_the_same_when_it_is_ingested(
    hard: Path,
    tagdb: Run,
    database_url: str,
    elsewhere: str,
    chosen: tuple[object, ...],
    tmp_path: Path,
    form: str,
) -> None:
    target = tmp_path / ("out" if form == "imagefolder" else f"out.{form}")
    done = parsed(tagdb("export", target, "--format", form, "--json"))
    assert (done["images"], done["hashtags"]) == (6, 3 + 3 + 1 + 3 + 300)
    assert done["photos"] == (6 if form in ("imagefolder", "parquet") else 0)
    again = invoke("ingest", target, "--allow-outside", "--json", *chosen, TAGDB_DATABASE_URL=elsewhere)
    assert again.exit_code == 0, again.output
    assert parsed(again)["new"] == 6
    assert rows(elsewhere, STATE) == rows(database_url, STATE)
    # and into the same database, where nothing is new
    assert parsed(tagdb("ingest", target, "--allow-outside", "--json", *chosen))["known"] == 6


def test_harrison_carries_photos_and_hashtags(
    hard: Path, tagdb: Run, database_url: str, elsewhere: str, chosen: tuple[object, ...], tmp_path: Path
) -> None:
    assert parsed(tagdb("export", tmp_path / "out", "--format", "harrison", "--json"))["photos"] == 6
    again = invoke("ingest", tmp_path / "out", "--json", *chosen, TAGDB_DATABASE_URL=elsewhere)
    assert parsed(again)["new"] == 6
    carried = STATE.replace("i.uri, ", "").replace(
        "i.collection, i.source_ref,\n           i.taken_at, i.metadata, ", ""
    )
    assert rows(elsewhere, carried) == rows(database_url, carried)


@pytest.mark.parametrize("embed", [False, True])
def test_keywords_are_read_as_the_hashtags_that_they_were(
    filled: Path, tagdb: Run, database_url: str, elsewhere: str, chosen: tuple[object, ...], embed: bool
) -> None:
    done = parsed(tagdb("export", "--format", "xmp", "--json", *(["--embed"] if embed else [])))
    assert done["images"] == 12
    (filled / "photos.csv").unlink()
    again = invoke("ingest", filled, "--json", *chosen, TAGDB_DATABASE_URL=elsewhere)
    assert parsed(again)["new"] == 12
    carried = """
        SELECT i.uri, array_agg(coalesce(ih.spelling, h.hashtag) ORDER BY h.hashtag COLLATE "C")
        FROM tagdb_store.images i JOIN tagdb_store.image_hashtags ih USING (image_id)
        JOIN tagdb_store.hashtags h USING (hashtag_id) GROUP BY i.uri ORDER BY i.uri COLLATE "C"
    """
    assert rows(elsewhere, carried) == rows(database_url, carried)


def test_aliases_bans_and_accepted_hashtags_come_along_as_images_carry_them(
    filled: Path, tagdb: Run, tmp_path: Path
) -> None:
    tagdb("tags", "alias", "sea", "ocean")
    tagdb("tags", "ban", "night")
    tagdb("feedback", filled / "00.jpg", "--accepted", "new")
    assert tagdb("export", tmp_path / "out.jsonl", "--quiet").exit_code == 0
    found = {
        Path(row["uri"]).name: row["hashtags"] for row in map(json.loads, (tmp_path / "out.jsonl").open())
    }
    assert {*found["00.jpg"]} == {"Beach", "sun", "new"}
    assert {*found["01.jpg"]} == {"beach", "SEA"}
    assert {*found["02.jpg"]} == {"city", "night"}


# --- what comes out ------------------------------------------------------------------------------


def test_recommended_hashtags_are_those_of_the_function(
    filled: Path, tagdb: Run, connection: Connection, tmp_path: Path
) -> None:
    expected = [
        [{"hashtag": hashtag, "score": score} for _, hashtag, score in connection.execute(
            "SELECT * FROM tagdb.recommend_for_image(%s, top => 3, min_score => 0.2)", (image_id,)
        )]
        for (image_id,) in connection.execute("SELECT image_id FROM tagdb.images ORDER BY 1").fetchall()
    ]  # fmt: skip
    assert any(expected)
    for name in ("out.jsonl", "out.parquet", "out.csv"):
        done = tagdb("export", tmp_path / name, "--recommend", 3, "--min-score", 0.2, "--quiet")
        assert done.exit_code == 0, done.output
    lines = [json.loads(line)["recommended"] for line in (tmp_path / "out.jsonl").open()]
    assert lines == expected
    assert polars.read_parquet(tmp_path / "out.parquet")["recommended"].to_list() == expected
    cells = polars.read_csv(tmp_path / "out.csv")["recommended"].to_list()
    assert [json.loads(cell) for cell in cells] == expected


def test_vectors_are_those_of_the_database(
    filled: Path, tagdb: Run, connection: Connection, tmp_path: Path
) -> None:
    connection.execute("DELETE FROM tagdb_store.image_factors WHERE image_id = 2")
    assert tagdb("export", tmp_path / "out.parquet", "--vectors", "--no-photos", "--quiet").exit_code == 0
    found = polars.read_parquet(tmp_path / "out.parquet")
    assert "image" not in found.columns
    assert found.schema["embedding"] == polars.Array(polars.Float32, 1280)
    assert found.schema["factors"] == polars.Array(polars.Float32, 8)
    for image_id, embedding, factors in found.select("image_id", "embedding", "factors").iter_rows():
        assert np.array_equal(embedding, store.answers.embedding(connection, image_id))
        (own,) = connection.execute("SELECT tagdb.image_factors(%s)", (image_id,)).fetchone() or ()
        assert (factors is None) == (own is None) == (image_id == 2)
        assert factors is None or np.array_equal(np.float32(factors), np.float32(own))


def test_photos_that_are_not_stored_come_from_their_files(
    photos: Path, ingest: Run, tagdb: Run, tmp_path: Path
) -> None:
    assert ingest(photos / "photos.csv", "--originals", "none", "--quiet").exit_code == 0
    (photos / "01.jpg").write_bytes(b"another")
    (photos / "02.jpg").unlink()
    done = parsed(tagdb("export", tmp_path / "folder", "--format", "imagefolder", "--json"))
    assert (done["photos"], done["skipped"], done["without_photo"]) == (10, 2, 2)
    assert (tmp_path / "folder" / "03.jpg").read_bytes() == (photos / "03.jpg").read_bytes()
    assert not (tmp_path / "folder" / "01.jpg").exists()
    result = tagdb("export", tmp_path / "out.parquet")
    assert "2 images are without a photo" in result.stderr
    image = polars.read_parquet(tmp_path / "out.parquet").sort("uri")["image"]
    assert [each is None for each in image] == [n in (1, 2) for n in range(12)]
    given = parsed(tagdb("originals", tmp_path / "originals", "--json"))
    assert (given["photos"], given["not_stored"]) == (0, 12)


def test_standard_output_has_rows_and_nothing_else(filled: Path, tagdb: Run) -> None:
    done = tagdb("export", "-", "--format", "jsonl", "--where", "uri LIKE '%/04.jpg'")
    assert done.exit_code == 0
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["hashtags"] == ["beach", "sea", "sun"]
    assert tagdb("export", "-", "--format", "csv").stdout.count("\n") == 13
    for form in ("parquet", "imagefolder"):
        assert "standard output" in complaint(tagdb("export", "-", "--format", form))


def test_an_empty_selection_is_an_empty_export(filled: Path, tagdb: Run, tmp_path: Path) -> None:
    for name in ("out.csv", "out.jsonl", "out.parquet"):
        assert parsed(tagdb("export", tmp_path / name, "--where", "false", "--json"))["images"] == 0
    assert polars.read_parquet(tmp_path / "out.parquet").height == 0
    assert (tmp_path / "out.csv").read_text().startswith("image_id,")


def test_python_exports_the_same(
    filled: Path, tagdb: Run, database_url: str, home: Path, tmp_path: Path
) -> None:
    with api.connect(database_url, home=home) as db:
        done = db.export(tmp_path / "python.jsonl", where="has_factors")
        assert (done.format, done.images) == ("jsonl", 12)
        assert db.originals(tmp_path / "python").photos == 12
        with pytest.raises(ExportError, match="exists"):
            db.export(tmp_path / "python.jsonl")
    assert tagdb("export", tmp_path / "cli.jsonl", "--quiet").exit_code == 0
    assert (tmp_path / "cli.jsonl").read_bytes() == (tmp_path / "python.jsonl").read_bytes()


def test_hugging_face_reads_what_was_written(
    filled: Path, tagdb: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    datasets = pytest.importorskip("datasets")
    for target in (("folder", "--format", "imagefolder"), ("out.parquet", "--vectors")):
        assert tagdb("export", tmp_path / target[0], *target[1:], "--quiet").exit_code == 0
    sources = {"imagefolder": {"data_dir": "folder"}, "parquet": {"data_files": "out.parquet"}}
    for form, named in sources.items():
        where = {name: str(tmp_path / value) for name, value in named.items()}
        found = datasets.load_dataset(form, **where)["train"]
        assert (len(found), found[0]["image"].size) == (12, (200, 160))
        assert found[0]["hashtags"] == ["Beach", "sun"]


# --- which images --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "images"),
    [
        ("image_id <= 3", 3),
        ("image_id <= 3 -- and no more", 3),
        ("image_id <= 3 /* ) */ AND true", 3),
        ("image_id = 1 OR image_id = 2", 2),
        ("source_ref IN ('page/3', ')')", 1),
        ("image_id IN (SELECT image_id FROM image_hashtags WHERE hashtag = 'sea')", 4),
        ("uri LIKE '%/0_.jpg' AND metadata = '{}' AND '100%' = '100%'", 10),
        ("(SELECT count(*) FROM tagdb.hashtags) > 3", 12),
        ("NULL", 0),
    ],
)
def test_a_condition_chooses_images(
    filled: Path, connection: Connection, tmp_path: Path, condition: str, images: int
) -> None:
    options = Options("csv", Selection(where=condition))
    assert export(connection, str(tmp_path / "out.csv"), options).images == images


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "nonsense",
        "image_id",
        "1); DROP TABLE tagdb_store.images; --",
        "true); DROP TABLE tagdb_store.images; SELECT (true",
        "true; DROP TABLE tagdb_store.images",
        "true) UNION SELECT image_id FROM tagdb.images WHERE (true",
        "true) OR (true",
        "true THEN 1 END FROM tagdb.images WHERE (true",
        "true THEN 1 END, CASE WHEN true",
        "true) /*",
        "/*",
        "'",
        "$$",
        "true ORDER BY 1",
        "$1",
        "image_id = %s",
        "\0",
        "\ud800",
        "1/0 = 1",
        "(SELECT true FROM tagdb.give_feedback(1, '{planted}'))",
        "nextval('tagdb_store.images_image_id_seq') > 0",
        "set_config('transaction_read_only', 'off', false) = 'off'",
        "EXISTS (WITH x AS (DELETE FROM tagdb_store.images RETURNING 1) SELECT FROM x)",
    ],
)
def test_nothing_breaks_out_of_a_condition(
    filled: Path, connection: Connection, tmp_path: Path, condition: str
) -> None:
    options = Options("csv", Selection(where=condition))
    with pytest.raises(ExportError, match=r"this is no condition on the columns of tagdb\.images"):
        export(connection, str(tmp_path / "out.csv"), options)
    assert not list(tmp_path.glob("*.csv"))
    assert connection.execute("SELECT count(*) FROM tagdb.images").fetchone() == (12,)
    assert connection.execute("SELECT count(*) FROM tagdb.hashtags WHERE hashtag = 'planted'").fetchone() == (
        0,
    )


def test_what_a_condition_sets_is_undone(filled: Path, connection: Connection, tmp_path: Path) -> None:
    before = connection.execute("SHOW search_path").fetchone()
    sets = "set_config('search_path', 'public', false) = 'public'"
    export(connection, str(tmp_path / "out.csv"), Options("csv", Selection(where=sets)))
    assert connection.execute("SHOW search_path").fetchone() == before
    assert connection.execute("SHOW transaction_read_only").fetchone() == ("off",)


def test_a_condition_has_the_rights_of_its_login(
    login: Callable[..., str], filled: Path, database_url: str, tmp_path: Path
) -> None:
    secret = "CREATE TABLE public.secret AS SELECT 1 AS n"
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(secret)
    with database.connect(login(database_url, "tagdb_writer")) as writer:
        options = Options("csv", Selection(where="EXISTS (SELECT FROM public.secret)"))
        with pytest.raises(ExportError, match="permission denied for table secret"):
            export(writer, str(tmp_path / "out.csv"), options)
        assert export(writer, str(tmp_path / "out.csv"), Options("csv")).images == 12


def test_a_collection_and_a_condition_go_together(hard: Path, tagdb: Run, tmp_path: Path) -> None:
    for where, images in (("true", 1), ("taken_at IS NOT NULL", 0)):
        done = tagdb(
            "export", tmp_path / f"{images}.csv", "--collection", "summer 2023", "--where", where, "--json"
        )
        assert parsed(done)["images"] == images
    assert "there is no collection 'winter'" in complaint(
        tagdb("export", tmp_path / "x.csv", "--collection", "winter")
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("out",), "choose a format"),
        (("--format", "csv"), "needs a target; name a file"),
        (("--format", "imagefolder"), "needs a target; name a folder"),
        (("out.csv", "--embed"), "--embed changes the photos' own files"),
        (("out", "--format", "xmp", "--embed"), "--embed changes the photos' own files"),
        (("out.csv", "--vectors"), "vectors are exported to Parquet only"),
        (("--format", "xmp", "--keywords", "recommended"), "belong together"),
        (("--format", "xmp", "--recommend", "3"), "belong together"),
        (("out", "--format", "harrison", "--recommend", "3"), "no room for recommended hashtags"),
    ],
)
def test_what_does_not_fit_together_is_said(filled: Path, tagdb: Run, arguments: Any, says: str) -> None:
    assert says in complaint(tagdb("export", *arguments))


def test_usage_errors(tagdb: Run) -> None:
    assert "--min-score needs --recommend" in tagdb("export", "a.csv", "--min-score", 1).stderr
    assert "both take standard output" in tagdb("export", "-", "--json").stderr


# --- sidecars ------------------------------------------------------------------------------------


def test_sidecars_beside_photos(filled: Path, tagdb: Run) -> None:
    before = {path: path.read_bytes() for path in filled.glob("*.jpg")}
    (filled / "01.xmp").write_bytes(SIDECAR)  # as Lightroom names it
    (filled / "02.xmp").write_bytes(SIDECAR)  # of which photo?
    (filled / "02.CR2").write_bytes(b"raw")
    (filled / "03.jpg.xmp").write_bytes(b"no XMP")
    (filled / "04.jpg").write_bytes(b"another photo")
    (filled / "05.jpg").unlink()
    done = tagdb("export", "--format", "xmp", "--json")
    assert done.exit_code == 3
    found = json.loads(done.stdout)
    assert (found["images"], found["rejected"]) == (9, 3)
    assert "03.jpg.xmp: no valid XML" in done.stderr
    assert "04.jpg: the photo has changed since it was ingested" in done.stderr
    assert "05.jpg: cannot be read: No such file" in done.stderr
    assert b"<rdf:li>SEA</rdf:li>" in (filled / "01.xmp").read_bytes()
    assert b'crs:Exposure2012="+0.35"' in (filled / "01.xmp").read_bytes()
    assert not (filled / "01.jpg.xmp").exists()
    assert (filled / "02.xmp").read_bytes() == SIDECAR
    assert b"<rdf:li>night</rdf:li>" in (filled / "02.jpg.xmp").read_bytes()
    assert (filled / "03.jpg.xmp").read_bytes() == b"no XMP"
    assert all(path.read_bytes() == before[path] for path in filled.glob("*.jpg") if path.name != "04.jpg")
    written = {path: path.stat().st_mtime_ns for path in filled.glob("*.xmp")}
    assert json.loads(tagdb("export", "--format", "xmp", "--json").stdout)["unchanged"] == 9
    assert {path: path.stat().st_mtime_ns for path in filled.glob("*.xmp")} == written


SIDECAR = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
 <rdf:Description rdf:about="" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
  crs:Exposure2012="+0.35"/>
</rdf:RDF></x:xmpmeta>"""


def test_keywords_are_carried_accepted_or_recommended(
    filled: Path, tagdb: Run, connection: Connection, tmp_path: Path
) -> None:
    tagdb("feedback", filled / "00.jpg", "--accepted", "ferry", "--rejected", "sun")
    for keywords, more in (("carried", ()), ("accepted", ()), ("recommended", ("--recommend", 1))):
        done = tagdb(
            "export", tmp_path / keywords, "--format", "xmp", "--keywords", keywords, *more, "--json"
        )
        assert done.exit_code == 0, done.output
    assert b"<rdf:li>ferry</rdf:li>" in (tmp_path / "accepted" / "00.jpg.xmp").read_bytes()
    assert b"Beach" not in (tmp_path / "accepted" / "00.jpg.xmp").read_bytes()
    assert [path.name for path in (tmp_path / "accepted").glob("*.xmp")] == ["00.jpg.xmp"]
    assert b"<rdf:li>Beach</rdf:li>" in (tmp_path / "carried" / "00.jpg.xmp").read_bytes()
    ((best,),) = connection.execute(
        "SELECT r.hashtag FROM tagdb.images i, tagdb.recommend_for_image(i.image_id, 1) r"
        " WHERE i.uri LIKE '%/00.jpg'"
    ).fetchall()
    content = (tmp_path / "recommended" / "00.jpg.xmp").read_text()
    assert content.count("<rdf:li>") == 3 == content.count(f"<rdf:li>{best}</rdf:li>")


def test_photos_change_only_if_told(filled: Path, tagdb: Run, connection: Connection) -> None:
    before = {path: path.read_bytes() for path in filled.glob("*.jpg")}
    times = {path: path.stat().st_mtime for path in before}
    (filled / "00.jpg").chmod(0o640)
    connection.execute("UPDATE tagdb_store.images SET uri = 'https://x.example/' WHERE uri LIKE '%/11.jpg'")
    done = parsed(tagdb("export", "--format", "xmp", "--embed", "--json"))
    assert (done["images"], done["skipped"]) == (11, 1)
    for path, content in before.items():
        changed = path.read_bytes() != content
        assert changed == (path.name != "11.jpg")
        assert jpegs.without_packet(path.read_bytes()) == jpegs.without_packet(content)
        assert path.stat().st_mtime == times[path]
    assert (filled / "00.jpg").stat().st_mode & 0o777 == 0o640
    assert not list(filled.glob("*.xmp"))
    # photos are known again by what else is in them, if their originals are stored
    assert parsed(tagdb("export", "--format", "xmp", "--embed", "--json"))["unchanged"] == 11
    assert parsed(tagdb("export", "--format", "xmp", "--json"))["images"] == 11


def test_photos_that_are_no_jpeg_get_sidecars_instead(hard: Path, tagdb: Run) -> None:
    before = {path: path.read_bytes() for path in hard.rglob("IMG*")}
    done = parsed(tagdb("export", "--format", "xmp", "--embed", "--json"))
    assert (done["images"], done["unchanged"]) == (5, 1)
    changed = [path for path, content in before.items() if path.read_bytes() != content]
    assert [path.name for path in changed] == ["IMG 1.png"]  # which is a JPEG
    assert len([*hard.rglob("*.xmp")]) == 4


# --- originals -----------------------------------------------------------------------------------


def test_originals_are_given_back(hard: Path, tagdb: Run, connection: Connection, tmp_path: Path) -> None:
    connection.execute(
        "UPDATE tagdb_store.images SET uri = 'file:///../../../%2e%2e/x%2f..%2fevil' WHERE image_id = 1"
    )
    damaged = "UPDATE tagdb_store.image_files SET original = 'other' WHERE image_id = 2"
    connection.execute(damaged)
    done = tagdb("originals", tmp_path / "back", "--json")
    assert done.exit_code == 3
    assert json.loads(done.stdout)["photos"] == 5
    assert "the stored bytes of image 2 are not those ingested" in done.stderr
    given = [path for path in (tmp_path / "back").iterdir() if path.name[0] != "."]
    assert len(given) == 5
    stored = {path.read_bytes() for path in hard.rglob("IMG*")}
    assert {path.read_bytes() for path in given} < stored
    assert "is not empty" in complaint(tagdb("originals", tmp_path / "back"))
    connection.execute("DELETE FROM tagdb_store.images WHERE image_id = 2")
    assert tagdb("originals", tmp_path / "back", "--force", "--where", "image_id > 3").exit_code == 0
    assert len([path for path in (tmp_path / "back").iterdir() if path.name[0] != "."]) == 3
