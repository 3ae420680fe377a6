"""``tagdb ingest``: what it stores, what it says, and what it does about what is wrong."""

import hashlib
import io
import json
import re
import shutil
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

import tagdb.embedding.pipeline
import tagdb.ingest
from tagdb import store
from tagdb.embedding.backbone import resolve
from tagdb.photos.images import decode
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tests.support import corpus
from tests.support.commands import TAGS, Run, complaint, draw, parsed, write_csv
from tests.support.described import datasets, keywords, with_iptc, with_xmp
from tests.support.pictures import photo, picture

SUMMARY = r"{}; \d+\.\d s, \d+ images/s\n"


def said(counts: str, before: str = "", after: str = "") -> "re.Pattern[str]":
    """The pattern of the line that sums an ingest up."""
    return re.compile(
        re.escape(before) + SUMMARY.format(re.escape(counts)).removesuffix(r"\n") + after + r"\n"
    )


def hashtags(connection: Connection) -> dict[str, set[str]]:
    """Hashtags by the file name in the image's URI."""
    rows = connection.execute(
        "SELECT i.uri, array_remove(array_agg(h.hashtag), NULL) FROM tagdb.images i"
        " LEFT JOIN tagdb.image_hashtags h USING (image_id) GROUP BY i.image_id, i.uri"
    )
    return {uri.rsplit("/", 1)[1]: set(tags) for uri, tags in rows}


def everything(connection: Connection) -> list[Any]:
    """All that is stored, but for numbers and times that another run would give otherwise."""
    return [
        connection.execute(query).fetchall()
        for query in (
            "SELECT content_sha256, uri, media_type, width, height, bytes, collection, source_ref, taken_at,"
            " metadata FROM tagdb.images ORDER BY content_sha256",
            "SELECT content_sha256, hashtag, source FROM tagdb.image_hashtags JOIN tagdb.images"
            " USING (image_id) ORDER BY 1, 2",
            "SELECT hashtag FROM tagdb.hashtags ORDER BY 1",
            "SELECT content_sha256, embedding::text FROM tagdb_store.embeddings JOIN tagdb.images"
            " USING (image_id) ORDER BY 1",
            "SELECT content_sha256, sha256(original), sha256(thumbnail) FROM tagdb_store.image_files"
            " JOIN tagdb.images USING (image_id) ORDER BY 1",
        )
    ]


def errors(connection: Connection) -> list[tuple[Any, ...]]:
    """What is on record as rejected."""
    return connection.execute(
        "SELECT origin, line, reason FROM tagdb.ingest_errors ORDER BY ingest_error_id"
    ).fetchall()


def count(connection: Connection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])


# --- Sources ------------------------------------------------------------------------------------------


def test_what_a_source_is_taken_for_is_explained(tagdb: Run, photos: Path, tmp_path: Path) -> None:
    draw(photos, range(5))
    beside = {"category": "x", "subcategory": "y", "tags": ["sea"]}
    (photos / "00.jpg.json").write_text(json.dumps(beside))
    lines = tagdb("ingest", photos, "--explain", "--hashtags", "#sun,Tide").stdout.splitlines()
    assert lines[0] == (
        f"{photos}: gallery-dl, photos with gallery-dl's metadata beside them"
        " (00.jpg.json was written by gallery-dl)"
    )
    assert '  hashtags: ["sea", "sun", "Tide"]' in lines
    assert sum(line.startswith("  file: ") for line in lines) == 3
    (said,) = parsed(
        tagdb("ingest", photos, "--explain", "--json", "--format", "photos", "--collection", "c")
    )
    assert (said["format"], said["how"]) == ("photos", "as told")
    assert [one["collection"] for one in said["records"]] == ["c"] * 3
    done = tagdb("ingest", photos, "--format", "x")
    assert (done.exit_code, "no format is called x; there are" in done.stderr) == (2, True)
    done = tagdb("ingest", photos, "--hashtags", "a-b")
    assert (done.exit_code, "cannot be part of a hashtag" in done.stderr) == (2, True)


def test_a_source_is_ingested_in_shards(ingest: Run, photos: Path, connection: Connection) -> None:
    shutil.copy(photos / "03.jpg", photos / "copy.jpg")  # in another shard, perhaps
    names = sorted(each.name for each in photos.glob("*.jpg"))
    manifest = photos / "list.csv"
    rows = [(name, f"#all #of{name[:2]}") for name in [*names, "missing.jpg"]]
    write_csv(manifest, ["file_name", "hashtags"], rows)

    def shards(*arguments: str) -> list[Result]:
        return [ingest(manifest, *arguments, "--shard", f"{n}/3") for n in (1, 2, 3)]

    parts = [parsed(one) for one in shards("--dry-run", "--json")]
    assert [part["shard"] for part in parts] == ["1/3", "2/3", "3/3"]
    assert sum(part["new"] + part["known"] for part in parts) == len(names)
    done = shards()
    assert sorted(one.exit_code for one in done) == [0, 0, 3]
    assert all(one.stdout.startswith(f"shard {n}/3: ") for n, one in enumerate(done, 1))
    assert sum(int(one.stdout.split()[2]) for one in done) == count(connection, "tagdb.images") == 12
    assert [line for _, line, _ in errors(connection)] == [len(names) + 2]
    assert all(" 0 new, " in one.stdout for one in shards())
    sources = connection.execute("SELECT DISTINCT sources FROM tagdb.ingest_runs ORDER BY 1").fetchall()
    assert sources == [([f"{manifest}, shard {n}/3"],) for n in (1, 2, 3)]
    # what is said now by the whole is what the shards have said
    assert parsed(ingest(manifest, "--update", "--json"))["updated"] == 0
    assert {"all", "of03", "ofco"} in hashtags(connection).values()


@pytest.mark.parametrize("shard", ["0/4", "5/4", "x"])
def test_what_is_no_shard_is_said_in_a_sentence(tagdb: Run, photos: Path, shard: str) -> None:
    done = tagdb("ingest", photos, "--shard", shard)
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"--shard: a shard is I/N with I from 1 to N, such as 2/10, not '{shard}'" in done.stderr
    done = tagdb("ingest", photos, "--shard", "1/4", "--update")
    assert (done.exit_code, "leave out one" in done.stderr) == (2, True)


def test_a_folder_is_ingested(ingest: Run, photos: Path, connection: Connection) -> None:
    draw(photos / "deeper", range(12, 14))
    done = ingest(photos)
    assert done.exit_code == 0
    assert said("14 new, 0 already known, 0 updated, 0 rejected").fullmatch(done.stdout)
    uris = [row[0] for row in connection.execute("SELECT uri FROM tagdb.images ORDER BY uri")]
    assert uris == sorted(path.as_uri() for path in photos.rglob("*.jpg"))
    assert count(connection, "tagdb.hashtags") == 0


def test_one_photo_is_ingested(ingest: Run, photos: Path, connection: Connection) -> None:
    done = ingest(photos / "03.jpg")
    assert said("1 new, 0 already known, 0 updated, 0 rejected").fullmatch(done.stdout)
    content = (photos / "03.jpg").read_bytes()
    row = connection.execute(
        "SELECT i.content_sha256, i.uri, i.media_type, i.width, i.height, i.bytes, i.collection, i.metadata,"
        " f.original, f.thumbnail FROM tagdb.images i JOIN tagdb_store.image_files f USING (image_id)"
    ).fetchone()
    assert row is not None
    assert row[:8] == (
        hashlib.sha256(content).hexdigest(), (photos / "03.jpg").as_uri(), "image/jpeg", 200, 160,
        len(content), None, {},
    )  # fmt: skip
    assert row[8] == content
    assert row[9] == decode(content, 96).thumbnail


def test_a_relative_name(ingest: Run, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(photos.parent)
    assert ingest("photos/03.jpg").exit_code == 0


def test_the_ancestors_layout(ingest: Run, tmp_path: Path, connection: Connection) -> None:
    root = tmp_path / "scraped"
    (root / "metadata").mkdir(parents=True)
    for i, collection in enumerate(("beach", "city")):
        draw(root / "data" / collection, range(10 * i, 10 * i + 3))
        rows = [
            {
                "post_link": f"https://pictures.example/p/{number}",
                "image": None,
                "search_hashtag": collection,
                "hashtags": [f"#{collection}", "#Sun", f"#only{number}"],
                "image_local_name": f"{number:02}.jpg",
                "likes": number,
            }
            for number in range(10 * i, 10 * i + 3)
        ]
        (root / "metadata" / f"{collection}.json").write_text(json.dumps(rows))
    assert ingest(root).exit_code == 0
    rows_ = connection.execute(
        "SELECT collection, source_ref, metadata FROM tagdb.images ORDER BY source_ref"
    ).fetchall()
    assert rows_ == [
        ("beach" if n < 10 else "city", f"https://pictures.example/p/{n}", {"likes": n})
        for n in (0, 1, 10, 11, 12, 2)
    ]
    assert hashtags(connection)["11.jpg"] == {"city", "sun", "only11"}


def test_csv_and_json_lines_say_the_same(
    ingest: Run, photos: Path, tmp_path: Path, connection: Connection
) -> None:
    assert ingest(photos / "photos.csv").exit_code == 0
    expected = {f"{i:02}.jpg": set(TAGS[i % 6].casefold().replace("#", "").split()) for i in range(12)}
    assert hashtags(connection) == expected
    before = everything(connection)
    lines = [
        {"file_name": f"{i:02}.jpg", "hashtags": TAGS[i % 6].split(), "source_ref": f"page/{i}"}
        for i in range(12)
    ]
    (photos / "photos.jsonl").write_text("\n".join(map(json.dumps, lines)))
    done = ingest(photos / "photos.jsonl")
    assert said("0 new, 12 already known, 0 updated, 0 rejected", "nothing changed: ").fullmatch(done.stdout)
    assert everything(connection) == before


def test_a_manifest_from_standard_input(
    ingest: Run, photos: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos)
    lines = "".join(json.dumps({"file_name": f"{i:02}.jpg", "hashtags": [f"#tag{i}"]}) + "\n" for i in (1, 2))
    done = ingest("-", stdin=lines + "no JSON\n")
    assert done.exit_code == 3
    assert hashtags(connection) == {"01.jpg": {"tag1"}, "02.jpg": {"tag2"}}
    assert [row[:2] for row in errors(connection)] == [("standard input", 3)]


def test_a_list_without_rows_is_mentioned(ingest: Run, photos: Path) -> None:
    (photos / "none.csv").write_text("file_name,hashtags\n")
    done = ingest(photos / "none.csv")
    assert (done.exit_code, done.stderr) == (0, f"{photos / 'none.csv'} has no rows\n")
    assert ingest(photos / "none.csv", "--quiet").stderr == ""


def test_several_sources(ingest: Run, photos: Path, connection: Connection) -> None:
    draw(photos.parent / "more", range(20, 22))
    done = ingest(photos / "photos.csv", photos.parent / "more", photos / "00.jpg")
    assert said("14 new, 1 already known, 0 updated, 0 rejected").fullmatch(done.stdout)
    rows = connection.execute(
        "SELECT sources, images_new, images_known, images_updated, rejected, finished_at >= started_at"
        " FROM tagdb.ingest_runs"
    ).fetchall()
    names = [str(photos / "photos.csv"), str(photos.parent / "more"), str(photos / "00.jpg")]
    assert rows == [(names, 14, 1, 0, 0, True)]


# --- Again --------------------------------------------------------------------------------------------


def test_the_same_again_changes_nothing(ingest: Run, photos: Path, connection: Connection) -> None:
    assert ingest(photos / "photos.csv").exit_code == 0
    before = everything(connection)
    done = ingest(photos / "photos.csv")
    assert done.exit_code == 0
    assert said("0 new, 12 already known, 0 updated, 0 rejected", "nothing changed: ").fullmatch(done.stdout)
    assert everything(connection) == before
    assert count(connection, "tagdb.ingest_runs") == 2


def test_later_ingests_need_no_flags(ingest: Run, tagdb: Run, photos: Path, connection: Connection) -> None:
    assert ingest(photos / "00.jpg").exit_code == 0
    done = tagdb("ingest", photos)
    assert said("11 new, 1 already known, 0 updated, 0 rejected").fullmatch(done.stdout)
    assert count(connection, "tagdb.backbones") == 1


def test_the_same_content_under_another_name(
    ingest: Run, photos: Path, tmp_path: Path, connection: Connection
) -> None:
    assert ingest(photos / "photos.csv").exit_code == 0
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(photos / "00.jpg", other / "renamed.png")
    write_csv(
        other / "list.csv",
        ["file_name", "hashtags", "source_ref", "likes"],
        [["renamed.png", "#Beach #new", "elsewhere", "7"]],
    )
    done = ingest(other / "list.csv")
    counts = "0 new, 0 already known, 1 updated, 0 rejected; 1 differs, kept (use --update)"
    assert said(counts).fullmatch(done.stdout)
    assert hashtags(connection)["00.jpg"] == {"beach", "sun", "new"}
    row = connection.execute(
        "SELECT source_ref, metadata FROM tagdb.images WHERE uri LIKE '%/00.jpg'"
    ).fetchone()
    assert row == ("page/0", {"likes": "7"})  # what was there stays, what is new is added
    assert count(connection, "tagdb.images") == 12


def test_one_content_many_times_in_one_run(ingest: Run, photos: Path, connection: Connection) -> None:
    for name in ("copy1.jpg", "copy2.jpg"):
        shutil.copy(photos / "00.jpg", photos / name)
    rows = [
        ["00.jpg", "#a #b"],
        ["copy1.jpg", "#B #c"],
        ["copy2.jpg", "#d"],
        ["00.jpg", ""],
        ["01.jpg", "#a"],
    ]
    write_csv(photos / "double.csv", ["file_name", "hashtags"], rows)
    done = ingest(photos / "double.csv")
    assert said("2 new, 3 already known, 0 updated, 0 rejected").fullmatch(done.stdout)
    assert hashtags(connection) == {"00.jpg": {"a", "b", "c", "d"}, "01.jpg": {"a"}}
    assert count(connection, "tagdb_store.embeddings") == 2
    assert count(connection, "tagdb_store.image_files") == 2


@pytest.mark.parametrize("batch", [1, 2])
def test_one_content_in_several_batches(
    ingest: Run, photos: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """The copies are in one chunk, so that none is known when their hashes are looked up."""
    monkeypatch.setattr(tagdb.ingest, "BATCH", batch)
    for name in ("copy1.jpg", "copy2.jpg"):
        shutil.copy(photos / "00.jpg", photos / name)
    rows = [["00.jpg", "#a"], ["01.jpg", "#x"], ["copy1.jpg", "#b"], ["02.jpg", "#x"], ["copy2.jpg", "#a"]]
    write_csv(photos / "double.csv", ["file_name", "hashtags"], rows)
    dry = parsed(ingest(photos / "double.csv", "--dry-run", "--json"))
    assert (dry["new"], dry["known"]) == (3, 2)
    done = ingest(photos / "double.csv")
    assert said("3 new, 1 already known, 1 updated, 0 rejected").fullmatch(done.stdout)
    assert hashtags(connection) == {"00.jpg": {"a", "b"}, "01.jpg": {"x"}, "02.jpg": {"x"}}


def test_large_files_wait_on_disk(
    ingest: Run, photos: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of files that come to much, at most one more is held than there are threads."""
    monkeypatch.setattr(tagdb.embedding.pipeline, "WINDOW_BYTES", 1)
    monkeypatch.setattr(tagdb.embedding.pipeline.os, "cpu_count", lambda: 2)
    inner = tagdb.ingest._Ingest
    decoded, take = inner._decoded, inner._take
    begun, most, lock = 0, 0, threading.Lock()

    def beginning(*arguments: Any) -> Any:
        nonlocal begun, most
        with lock:
            begun += 1
            most = max(most, begun)
        return decoded(*arguments)

    def taking(*arguments: Any) -> Any:
        nonlocal begun
        taken = take(*arguments)
        with lock:
            begun -= 1
        return taken

    monkeypatch.setattr(inner, "_decoded", beginning)
    monkeypatch.setattr(inner, "_take", taking)
    assert said("12 new, 0 already known, 0 updated, 0 rejected").fullmatch(ingest(photos).stdout)
    assert begun == 0
    assert most <= 3
    assert count(connection, "tagdb_store.embeddings") == 12


# --- What is wrong ------------------------------------------------------------------------------------


def test_rejected_photos_are_named_and_the_others_stay(
    ingest: Run, photos: Path, connection: Connection
) -> None:
    (photos / "notes.jpg").write_text("milk, bread")
    (photos / "half.jpg").write_bytes((photos / "00.jpg").read_bytes()[:700])
    rows = [["00.jpg", "#a"], ["notes.jpg", "#b"], ["gone.jpg", "#c"], ["half.jpg", "#d"], ["01.jpg", "#e"]]
    manifest = photos / "bad.csv"
    write_csv(manifest, ["file_name", "hashtags"], rows)
    done = ingest(manifest)
    assert done.exit_code == 3
    assert said("2 new, 0 already known, 0 updated, 3 rejected").fullmatch(done.stdout)
    assert hashtags(connection) == {"00.jpg": {"a"}, "01.jpg": {"e"}}
    recorded = errors(connection)
    assert [row[:2] for row in recorded] == [(str(manifest), line) for line in (3, 4, 5)]
    reasons = [row[2] for row in recorded]
    assert reasons[0].startswith("notes.jpg: not an image in a supported format")
    assert reasons[1] == "no such file: gone.jpg"
    assert reasons[2].startswith("half.jpg: truncated or damaged")
    expected = [f"rejected {manifest}:{line}: {reason}" for _, line, reason in recorded]
    assert done.stderr.splitlines() == expected
    row = connection.execute("SELECT images_new, rejected FROM tagdb.ingest_runs").fetchone()
    assert row == (2, 3)


def test_a_rejected_photo_of_a_folder(ingest: Run, photos: Path, connection: Connection) -> None:
    (photos / "notes.jpg").write_text("milk, bread")
    done = ingest(photos)
    assert done.exit_code == 3
    assert errors(connection) == [
        (
            str(photos / "notes.jpg"),
            None,
            "not an image in a supported format (JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC, AVIF, JPEG XL,"
            " camera RAW)",
        )
    ]
    assert done.stderr.startswith(f"rejected {photos / 'notes.jpg'}: not an image")


def test_nothing_but_rejections(ingest: Run, tmp_path: Path, connection: Connection) -> None:
    (tmp_path / "notes.jpg").write_text("milk, bread")
    done = ingest(tmp_path / "notes.jpg")
    assert done.exit_code == 3
    assert said("0 new, 0 already known, 0 updated, 1 rejected").fullmatch(done.stdout)


def test_a_bad_hashtag_is_rejected_and_the_photo_stays(
    ingest: Run, photos: Path, connection: Connection
) -> None:
    lines = [
        {"file_name": "00.jpg", "hashtags": ["#good", "#bad-one", "", "#fine"]},
        {"file_name": "01.jpg", "hashtags": ["x" * 200]},
    ]
    (photos / "list.jsonl").write_text("\n".join(map(json.dumps, lines)))
    done = ingest(photos / "list.jsonl")
    assert done.exit_code == 3
    assert said("2 new, 0 already known, 0 updated, 3 rejected").fullmatch(done.stdout)
    assert hashtags(connection) == {"00.jpg": {"good", "fine"}, "01.jpg": set()}
    recorded = errors(connection)
    assert [row[1] for row in recorded] == [1, 1, 2]
    assert "HYPHEN-MINUS" in recorded[0][2]
    assert recorded[1][2] == "empty hashtag"
    assert "200 characters" in recorded[2][2]
    again = ingest(photos / "list.jsonl")
    assert again.exit_code == 3
    assert said("0 new, 2 already known, 0 updated, 3 rejected").fullmatch(again.stdout)


def test_many_rejections_are_not_all_shown(ingest: Run, tmp_path: Path, connection: Connection) -> None:
    (tmp_path / "list.jsonl").write_text("no JSON\n" * 30)
    done = ingest(tmp_path / "list.jsonl")
    lines = done.stderr.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "… and 10 more rejected; see the view tagdb.ingest_errors"
    assert len(errors(connection)) == 30


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("nowhere", None, "no such file or folder: nowhere"),
        ("nowhere.csv", None, "no such file or folder: nowhere.csv"),
        ("empty", "", "no photos in empty"),
        ("list.csv", "photo,tags\na.jpg,b\n", "list.csv lacks file_name (or uri) and hashtags"),
    ],
)
def test_sources_that_are_none(ingest: Run, connection: Connection, name: str, text: str, says: str) -> None:
    if text:
        Path(name).write_text(text)
    elif text is not None:
        Path(name).mkdir()
    done = ingest(name)
    assert says in complaint(done)
    assert done.stdout == ""
    assert count(connection, "tagdb.ingest_runs") == count(connection, "tagdb.backbones") == 0


def test_another_backbone_is_refused(
    ingest: Run, tagdb: Run, photos: Path, backbone_file: Path, connection: Connection
) -> None:
    assert ingest(photos / "00.jpg").exit_code == 0
    other = photos / "other.tflite"
    shutil.copy(backbone_file, other)  # the same network, but who could know
    message = complaint(tagdb("ingest", photos, "--backbone", other))
    digest = hashlib.sha256(backbone_file.read_bytes()).hexdigest()[:12]
    assert f"not by other (96 px, 32 bits, weights {digest})" in message
    assert re.search(r"made by random \(96 px, 32 bits, weights [0-9a-f]{12}\)", message)
    message = complaint(tagdb("ingest", photos, "--input-size", 128))
    assert "128 px" in message
    assert count(connection, "tagdb.images") == 1
    assert count(connection, "tagdb.backbones") == 1


# --- Options ------------------------------------------------------------------------------------------


def test_the_counts_as_json(ingest: Run, photos: Path) -> None:
    (photos / "notes.jpg").write_text("milk, bread")
    done = ingest(photos, "--json")
    assert done.exit_code == 3
    found = parsed(done)
    assert found.pop("seconds") > 0
    assert found.pop("images_per_second") > 0
    assert found == {
        "new": 12,
        "known": 0,
        "updated": 0,
        "differing": 0,
        "rejected": 1,
        "dry_run": False,
        "left_out": {"list": 1},
        "shard": None,
    }


def test_what_is_left_out_of_a_folder_is_said(ingest: Run, tmp_path: Path) -> None:
    for name in ("f/a.jpg", "f/b.JP2", "f/c.jpx", "f/@eaDir/a.jpg/x.jpg", "g/a.jpg", "g/b.mov"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(photo(1))
    for name in ("f/b.JP2", "f/c.jpx", "g/b.mov"):
        (tmp_path / name).write_bytes(b"")
    done = ingest(tmp_path / "f", tmp_path / "g", "--limit", 1, "--json")
    assert done.exit_code == 0
    assert parsed(done)["left_out"] == {"JPEG 2000": 2, "thumbnail in @eaDir": 1, "video": 1}
    assert done.stderr.splitlines()[-2:] == [
        f"left out of {tmp_path / 'f'}: 2 JPEG 2000, which cannot be read yet; 1 thumbnail in @eaDir",
        f"left out of {tmp_path / 'g'}: 1 video (.mov)",
    ]
    assert ingest(tmp_path / "f", "--quiet").stderr == ""


def test_photos_of_phones_and_cameras(
    tagdb: Run, ingest: Run, tmp_path: Path, connection: Connection
) -> None:
    """From the folder as the phone left it to similar photos, and to another backbone from what is stored."""
    folder = tmp_path / "phone"
    folder.mkdir()
    for name, content in corpus.samples().items():
        if name.partition(".")[0] in ("rgb", "box", "preview") and not name.endswith(("png", "bmp")):
            (folder / name).write_bytes(content)
    (folder / "rgb.mov").write_bytes(b"\0\0\0\x14ftypqt  \0\0\0\0")
    done = ingest(folder, "--json")
    assert done.exit_code == 0
    assert done.stderr.splitlines()[-1] == f"left out of {folder}: 1 video (.mov)"
    assert parsed(done)["new"] == 4
    rows = connection.execute(
        "SELECT media_type, width, height, taken_at FROM tagdb.images ORDER BY 1"
    ).fetchall()
    noon = datetime(2019, 6, 16, 12, tzinfo=UTC)
    assert rows == [
        ("image/avif", 36, 44, noon), ("image/heic", 36, 44, noon), ("image/jxl", 44, 36, noon),
        ("image/x-adobe-dng", 48, 64, datetime(2019, 6, 16, 12, 30, 5, tzinfo=UTC)),
    ]  # fmt: skip
    alike = parsed(tagdb("similar", folder / "rgb.heic", "--json"))[0]["images"]
    (itself,) = (each for each in alike if each["uri"].endswith("rgb.heic"))
    assert itself["similarity"] == pytest.approx(1, abs=1e-3)
    assert parsed(tagdb("backbone", "reembed", "bundled", "--json"))["embedded"] == 4


def test_one_folder_of_all_kinds(ingest: Run, tmp_path: Path, connection: Connection) -> None:
    """Every file of it is accounted for."""
    folder = tmp_path / "all"
    folder.mkdir()
    samples = corpus.samples()
    files = {
        "phone.heic": samples["rgb.heic"],
        "phone.mov": b"\0\0\0\x14ftypqt  \0\0\0\0",
        "web.avif": samples["rgb.avif"],
        "camera.dng": samples["preview.dng"],
        "words.jpg": with_xmp(keywords("Low Tide", paths=["Places|Wales"])),
        "old.jpg": with_iptc(datasets((2, 25, b"harbour")), seed=2),
        "beside.jpg": photo(5),
        "beside.jpg.xmp": keywords("dunes"),
        "notes.txt": b"milk, bread",
        "broken.jpg": b"no picture",
    }
    two = io.BytesIO()  # what some cameras write for two views of one scene
    picture(6).save(two, "MPO", save_all=True, append_images=[picture(7)])
    files["views.mpo"] = two.getvalue()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    done = ingest(folder, "--json")
    assert done.exit_code == 3
    counts = parsed(done)
    assert (counts["new"], counts["rejected"]) == (7, 1)
    assert counts["left_out"] == {"video": 1, "document": 1}
    assert f"left out of {folder}: 1 document (.txt), 1 video (.mov)" in done.stderr
    assert hashtags(connection) == {
        "phone.heic": set(), "web.avif": set(), "camera.dng": set(), "views.mpo": set(),
        "words.jpg": {"lowtide", "wales"}, "old.jpg": {"harbour"}, "beside.jpg": {"dunes"},
    }  # fmt: skip
    assert [origin for origin, _, _ in errors(connection)] == [str(folder / "broken.jpg")]


def test_a_time_that_no_photo_can_have(ingest: Run, tmp_path: Path, connection: Connection) -> None:
    """It is rejected, and the photo stays."""
    (tmp_path / "a.jpg").write_bytes(photo(1))
    (tmp_path / "m.csv").write_text("file_name,hashtags,taken_at\na.jpg,#sea,8380-01-01\n")
    assert ingest(tmp_path / "m.csv").exit_code == 3
    assert connection.execute("SELECT taken_at FROM tagdb.images").fetchall() == [(None,)]
    reason = 'taken_at can be no photo\'s time: "8380-01-01" is 8380-01-01'
    assert errors(connection) == [(str(tmp_path / "m.csv"), 2, reason)]


def test_quiet_prints_the_counts_alone(ingest: Run, photos: Path) -> None:
    (photos / "notes.jpg").write_text("milk, bread")
    done = ingest(photos, "--quiet")
    assert done.stderr == ""
    assert done.exit_code == 3
    assert done.stdout.startswith("12 new")


def test_quiet_prepares_a_backbone_silently(
    tagdb: Run, photos: Path, backbone_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    done = tagdb("ingest", photos, "--backbone", backbone_file, "-q")
    assert (done.exit_code, done.stderr) == (0, "")
    assert capfd.readouterr() == ("", "")


def test_originals_can_be_left_out(ingest: Run, photos: Path, connection: Connection) -> None:
    assert ingest(photos, "--originals", "none").exit_code == 0
    rows = connection.execute("SELECT original, length(thumbnail) FROM tagdb_store.image_files").fetchall()
    assert len(rows) == 12
    assert all(original is None and size > 500 for original, size in rows)


def test_a_limit_counts_over_all_sources(ingest: Run, photos: Path, connection: Connection) -> None:
    done = ingest(photos / "photos.csv", photos, "--limit", 5)
    assert said("5 new, 0 already known, 0 updated, 0 rejected").fullmatch(done.stdout)
    assert sorted(hashtags(connection)) == [f"{i:02}.jpg" for i in range(5)]


TABLES = ("images", "hashtags", "image_hashtags", "backbones", "ingest_runs", "ingest_errors", "factor_runs")


def test_a_dry_run_writes_nothing(ingest: Run, photos: Path, connection: Connection) -> None:
    (photos / "notes.jpg").write_text("milk, bread")
    done = ingest(photos, photos / "photos.csv", "--dry-run")
    assert done.exit_code == 3
    pattern = said("12 new, 12 already known, 0 updated, 1 rejected", "would be: ", "; nothing was stored")
    assert pattern.fullmatch(done.stdout)
    assert "notes.jpg: not an image" in done.stderr
    assert [count(connection, f"tagdb.{table}") for table in TABLES] == [0] * len(TABLES)
    row = connection.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'embeddings\\_%'").fetchone()
    assert row == (1,)  # the primary key; no partition


def test_a_dry_run_knows_what_is_stored(ingest: Run, photos: Path, connection: Connection) -> None:
    assert ingest(photos / "00.jpg").exit_code == 0
    before = everything(connection)
    found = parsed(ingest(photos, "--dry-run", "--json"))
    assert (found["new"], found["known"], found["dry_run"]) == (11, 1, True)
    assert everything(connection) == before
    assert count(connection, "tagdb.ingest_runs") == 1


def test_a_dry_run_of_a_new_source_with_known_photos(
    ingest: Run, photos: Path, connection: Connection
) -> None:
    assert ingest(photos / "00.jpg").exit_code == 0
    copied = photos.parent / "copied"
    draw(copied, [0])
    before = everything(connection)
    found = parsed(ingest(copied, "--dry-run", "--json"))
    assert (found["new"], found["known"]) == (0, 1)
    assert everything(connection) == before


def test_a_dry_run_needs_no_backbone(tagdb: Run, photos: Path) -> None:
    done = tagdb("ingest", photos, "--dry-run")
    assert done.exit_code == 0
    assert done.stdout.startswith("would be: 12 new")


# --- Content ------------------------------------------------------------------------------------------


def test_the_time_in_exif(ingest: Run, tmp_path: Path, connection: Connection) -> None:
    def dated(number: int) -> bytes:
        exif = Image.Exif()
        exif.get_ifd(0x8769).update({0x9003: "2021:07:04 12:30:00", 0x9011: "+02:00"})
        buffer = io.BytesIO()
        picture(number).save(buffer, "JPEG", exif=exif)
        return buffer.getvalue()

    for number in (1, 2):
        (tmp_path / f"{number}.jpg").write_bytes(dated(number))
    (tmp_path / "3.jpg").write_bytes(photo(3))
    rows = [["1.jpg", "", ""], ["2.jpg", "", "2020-01-01T00:00:00Z"], ["3.jpg", "", ""]]
    write_csv(tmp_path / "list.csv", ["file_name", "hashtags", "taken_at"], rows)
    assert ingest(tmp_path / "list.csv").exit_code == 0
    times = [row[0] for row in connection.execute("SELECT taken_at FROM tagdb.images ORDER BY uri")]
    assert times == [datetime(2021, 7, 4, 10, 30, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC), None]


def test_embeddings_are_those_of_the_backbone_bit_by_bit(
    ingest: Run, photos: Path, random_weights: Path, home: Path, connection: Connection
) -> None:
    assert ingest(photos).exit_code == 0
    backbone = resolve(str(random_weights), 96, None, home / "backbones")
    rows = connection.execute(
        "SELECT i.uri, e.embedding::real[] FROM tagdb_store.embeddings e JOIN tagdb.images i USING (image_id)"
    ).fetchall()
    assert len(rows) == 12
    for uri, stored in rows:
        content = (photos / uri.rsplit("/", 1)[1]).read_bytes()
        expected = backbone.embed(decode(content, 96).pixels).astype(np.float16)
        np.testing.assert_array_equal(np.array(stored, np.float16), expected)


# --- Interruptions ------------------------------------------------------------------------------------


def test_an_interrupted_ingest_goes_on_where_it_was(
    ingest: Run,
    photos: Path,
    connection: Connection,
    make_database: Callable[[bool], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copy(photos / "00.jpg", photos / "twelve.jpg")  # comes again in a later batch
    with (photos / "photos.csv").open("a") as stream:
        stream.write("twelve.jpg,#again,page/12\n")
    monkeypatch.setattr(tagdb.ingest, "BATCH", 5)
    save = store.batches.save
    saved: list[store.ingest_runs.Counts] = []

    def interrupted(*arguments: Any) -> store.ingest_runs.Counts:
        if saved:
            raise KeyboardInterrupt
        saved.append(save(*arguments))
        return saved[-1]

    with monkeypatch.context() as patched:
        patched.setattr(store.batches, "save", interrupted)
        stopped = ingest(photos / "photos.csv")
    assert stopped.exit_code == 1
    assert "Traceback" not in stopped.output
    assert "run the same command again to continue" in stopped.stderr
    assert sorted(hashtags(connection)) == [f"{i:02}.jpg" for i in range(5)]
    runs = "SELECT images_new, finished_at IS NULL FROM tagdb.ingest_runs ORDER BY ingest_run_id"
    assert connection.execute(runs).fetchall() == [(5, True)]

    done = ingest(photos / "photos.csv")
    assert done.exit_code == 0
    assert said("7 new, 5 already known, 1 updated, 0 rejected").fullmatch(done.stdout)
    assert connection.execute(runs).fetchall() == [(5, True), (7, False)]
    resumed = everything(connection)

    fresh = make_database(True)
    monkeypatch.setenv("TAGDB_DATABASE_URL", fresh)
    assert ingest(photos / "photos.csv").exit_code == 0
    with database.connect(fresh) as undisturbed:
        assert everything(undisturbed) == resumed


def test_photos_without_hashtags_among_others(ingest: Run, tmp_path: Path) -> None:
    draw(tmp_path / "photos", range(3))
    write_csv(
        tmp_path / "photos/photos.csv", ["file_name", "hashtags"],
        [["00.jpg", "#sea"], ["01.jpg", ""], ["02.jpg", "#sun"]],
    )  # fmt: skip
    said = "1 of 3 new photos came without hashtags; nothing is learned from those"
    assert ingest(tmp_path / "photos/photos.csv").stderr.splitlines() == [said]
    assert "without hashtags;" not in ingest(tmp_path / "photos/00.jpg").stderr
    assert "without hashtags;" not in ingest(tmp_path / "photos/photos.csv").stderr  # they are known now
    assert ingest(tmp_path / "photos/photos.csv", "--quiet").stderr == ""


def test_more_photos_than_were_learned_from(ingest: Run, tagdb: Run, tmp_path: Path) -> None:
    draw(tmp_path / "photos", range(11))
    columns = ["file_name", "hashtags"]
    tables = {name: tmp_path / f"photos/{name}.csv" for name in ("some", "one", "bare", "rest")}
    write_csv(tables["some"], columns, [[f"0{n}.jpg", "#sea #sun"] for n in range(5)])
    write_csv(tables["one"], columns, [["05.jpg", "#sea"]])
    write_csv(tables["bare"], columns, [["06.jpg", ""], ["07.jpg", ""]])
    assert "the factors know little" not in ingest(tables["some"]).stderr
    assert tagdb("factors", "compute", "--quiet").exit_code == 0
    assert "the factors know little" not in ingest(tables["one"]).stderr
    assert "the factors know little" not in ingest(tables["bare"]).stderr
    write_csv(tables["rest"], columns, [["08.jpg", "#sea"], ["09.jpg", "#sea"], ["10.jpg", "#sun"]])
    said = "the factors know little of so many new photos; to learn from them, too: tagdb factors compute"
    assert ingest(tables["rest"]).stderr.splitlines() == [said]
    assert ingest(tables["rest"]).stderr == ""


def test_a_manifest_in_a_folder_of_photos_is_not_passed_over_in_silence(ingest: Run, tmp_path: Path) -> None:
    tmp_path = tmp_path / "photos"
    tmp_path.mkdir()
    (tmp_path / "a.jpg").write_bytes(photo(1))
    (tmp_path / "photos.csv").write_text("file_name,hashtags\na.jpg,#sea\n")
    done = ingest(str(tmp_path))
    assert done.exit_code == 0
    assert f"{tmp_path / 'photos.csv'} was not read: name it" in done.stderr
    assert "no image has a hashtag" in done.stderr
    assert "updated" in ingest(str(tmp_path / "photos.csv")).stdout
    assert "no image has a hashtag" not in ingest(str(tmp_path)).stderr


def test_a_first_ingest_that_stores_nothing_chooses_no_backbone(
    tagdb: Run, tmp_path: Path, chosen: tuple[object, ...], connection: Connection
) -> None:
    (tmp_path / "notes.jpg").write_text("no photo")
    (tmp_path / "one.jpg").write_bytes(photo(1))
    assert tagdb("ingest", tmp_path / "notes.jpg", "--backbone", "bundled").exit_code == 3
    assert connection.execute("SELECT count(*) FROM tagdb.backbones").fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM tagdb.ingest_errors").fetchone() == (1,)

    assert tagdb("ingest", tmp_path / "one.jpg", *chosen).exit_code == 0
    assert connection.execute("SELECT name FROM tagdb.backbones").fetchall() == [("random",)]
