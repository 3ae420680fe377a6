"""Ingesting from an object store: moto's Amazon S3 on loopback, which fails as real ones do."""

from __future__ import annotations

import io
import json
import random
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tagdb.errors import RejectedInput, SourceError
from tagdb.photos import object_stores
from tagdb.photos.remote import Remote, RemoteRoot
from tagdb.photos.sources import Reading, Record, Rejection, open_source
from tagdb.photos.uris import PUBLIC_ONLY, Allowed
from tagdb.postgres.database import Connection
from tests.support import stores
from tests.support.commands import TAGS, Run, complaint, draw, parsed, write_csv
from tests.support.pictures import photo
from tests.support.programs import contents
from tests.support.stores import BUCKET, KEY, SECRET, Store

S3 = f"s3://{BUCKET}"


@pytest.fixture(scope="module")
def served() -> Iterator[Store]:
    """One store for all tests of this module."""
    with stores.store() as one:
        yield one


@pytest.fixture
def store(served: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Store]:
    """An empty bucket without faults, which the environment leads to."""
    for name, value in (served.environment | {"HOME": str(tmp_path)}).items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    object_stores.bucket.cache_clear()
    yield served
    served.faults.reset()
    served.empty()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client gives up soon."""
    pause = timedelta(milliseconds=10)
    soon = {"max_retries": 1, "backoff": {"init_backoff": pause, "max_backoff": pause, "base": 2}}
    monkeypatch.setattr(object_stores, "_RETRIES", soon | {"retry_timeout": timedelta(seconds=5)})


def fill(store: Store, folder: str, count: int) -> None:
    for n in range(count):
        store.put(f"{folder}/{n:02}.jpg", photo(n))


def uris(connection: Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT uri FROM tagdb.images ORDER BY uri")]


def records(source: str, **reading: Any) -> list[Record]:
    found = list(open_source(source, Reading(**reading)))
    assert all(isinstance(each, Record) for each in found), found
    return found  # type: ignore[return-value]


def reasons(source: str, **reading: Any) -> list[str]:
    return [each.reason for each in open_source(source, Reading(**reading)) if isinstance(each, Rejection)]


# --- what is read ---------------------------------------------------------------------------------------


def test_a_folder(ingest: Run, store: Store, connection: Connection) -> None:
    """With keys that no path and no URI would have, and with what is left out."""
    fill(store, "holiday/ä b+%25", 3)
    store.put("holiday/clip.mp4", "x")
    store.put("holiday/.thumbs/1.jpg", "x")
    store.put("holiday/empty/", "")
    store.put("holidays/other.jpg", photo(9))
    done = ingest(f"{S3}/holiday", "--json")
    assert done.exit_code == 0, done.output
    assert parsed(done)["left_out"] == {"video": 1, "hidden file": 1}
    assert uris(connection) == [f"{S3}/holiday/ä b+%25/{n:02}.jpg" for n in range(3)]
    assert {*store.faults.sent.values()} <= {1, 2}  # the listings
    assert all(store.faults.reads[f"/{BUCKET}/holiday/ä b+%25/{n:02}.jpg"] == 1 for n in range(3))


def test_what_is_there_is_explained(tagdb: Run, store: Store) -> None:
    fill(store, "some", 2)
    (said,) = parsed(tagdb("ingest", f"{S3}/some", "--explain", "--json"))
    assert [one["uri"] for one in said["records"]] == [f"{S3}/some/00.jpg", f"{S3}/some/01.jpg"]


def test_a_whole_bucket_and_one_photo(store: Store) -> None:
    fill(store, "a", 2)
    store.put("top.jpg", photo(5))
    assert [each.uri for each in records(S3)] == [f"{S3}/a/00.jpg", f"{S3}/a/01.jpg", f"{S3}/top.jpg"]
    (one,) = records(f"{S3}/top.jpg", collection="c", hashtags=("x",))
    assert (one.uri, one.hashtags, one.collection, one.file.read()) == (
        f"{S3}/top.jpg", ("x",), "c", photo(5),
    )  # fmt: skip


def test_folders_as_hashtags(store: Store) -> None:
    store.put("photos/new york/1.jpg", photo(1))
    store.put("photos/2.jpg", photo(2))
    said = [(each.hashtags, each.collection) for each in records(f"{S3}/photos", format="folders")]
    assert said == [(("photos",), "photos"), (("newyork",), "new york")]


def test_a_listing_of_several_pages(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
    for n in range(10):
        store.put(f"many/{n}.jpg", "x")
    assert len(records(f"{S3}/many")) == 10
    assert store.faults.reads[f"/{BUCKET}"] >= 5  # one of them to see whether there is any


@pytest.mark.parametrize("name", ["metadata.jsonl", "photos.json", "photos.csv", "photos.parquet"])
def test_a_list(ingest: Run, store: Store, connection: Connection, tmp_path: Path, name: str) -> None:
    fill(store, "set", 2)
    rows = [{"file_name": f"{n:02}.jpg", "hashtags": TAGS[n], "likes": n} for n in range(2)]
    path = tmp_path / name
    if name.endswith(".parquet"):
        import pandas as pd

        pd.DataFrame(rows).to_parquet(path)
    elif name.endswith(".csv"):
        path.write_text("file_name,hashtags\n" + "".join(f"{n:02}.jpg,{TAGS[n]}\n" for n in range(2)))
    else:
        path.write_text(json.dumps(rows) if name.endswith(".json") else "\n".join(map(json.dumps, rows)))
    store.put(f"set/{name}", path.read_bytes())
    assert ingest(f"{S3}/set/{name}").exit_code == 0
    assert uris(connection) == [f"{S3}/set/00.jpg", f"{S3}/set/01.jpg"]
    assert connection.execute("SELECT count(*) FROM tagdb.image_hashtags").fetchone() == (4,)


def test_photos_within_a_list(store: Store, tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame([{"image": {"bytes": photo(1), "path": "1.jpg"}, "tags": ["sea"]}])
    frame.to_parquet(tmp_path / "x.parquet")
    store.put("x.parquet", (tmp_path / "x.parquet").read_bytes())
    (one,) = records(f"{S3}/x.parquet")
    assert (one.uri, one.origin, one.file.read()) == (f"{S3}/x.parquet#1", f"{S3}/x.parquet", photo(1))


@pytest.mark.parametrize("split", ["", "train/"])
def test_an_image_folder(store: Store, split: str) -> None:
    fill(store, f"hf/{split}".rstrip("/"), 1)
    store.put(f"hf/{split}metadata.jsonl", '{"file_name": "00.jpg", "tags": ["sea"]}')
    source = open_source(f"{S3}/hf/")
    assert source.format == "imagefolder"
    (one,) = source
    assert isinstance(one, Record)
    assert (one.uri, one.hashtags) == (f"{S3}/hf/{split}00.jpg", ("sea",))
    assert one.origin == f"{S3}/hf/{split}metadata.jsonl"
    assert one.file.read() == photo(0)


def test_a_list_with_a_wrong_header_is_named_as_what_it_is(store: Store) -> None:
    store.put("set/photos.csv", "a,b\n1,2\n")
    with pytest.raises(SourceError, match=f"the header of {S3}/set/photos.csv lacks"):
        open_source(f"{S3}/set/photos.csv")


def test_names_lead_nowhere_else(store: Store) -> None:
    rows = [{"file_name": name} for name in ("../1.jpg", "/etc/passwd", "a/../../1.jpg", "../setx/1.jpg")]
    rows += [{"uri": uri} for uri in ("file:///etc/passwd", "data:,x", "https://x.test/1.jpg")]
    rows += [{"uri": f"{S3}/other/1.jpg"}, {"uri": f"{S3}/set/1.jpg"}, {"uri": f"{S3}/set/../1.jpg"}]
    store.put("set/photos.jsonl", "\n".join(map(json.dumps, rows)))
    said = reasons(f"{S3}/set/photos.jsonl")
    outside, unfetched = "outside the list's folder", "uris are fetched only with --fetch"
    starts = [*[outside] * 4, "a file: uri", "a data: uri", unfetched, unfetched, outside]
    assert [reason[: len(start)] for reason, start in zip(said, starts, strict=True)] == starts
    (inside,) = [each for each in open_source(f"{S3}/set/photos.jsonl") if isinstance(each, Record)]
    assert inside.uri == f"{S3}/set/1.jpg"


def test_rows_are_fetched_if_that_is_said(ingest: Run, store: Store, tmp_path: Path) -> None:
    fill(store, "set", 2)
    page = f"{store.endpoint}/{BUCKET}/set/01.jpg"
    rows = [{"uri": f"{S3}/set/00.jpg"}, {"uri": page}, {"uri": "data:,x"}]
    (tmp_path / "photos.jsonl").write_text("\n".join(map(json.dumps, rows)))
    done = ingest(tmp_path / "photos.jsonl", "--json")
    assert (parsed(done)["new"], parsed(done)["rejected"]) == (0, 3)
    done = ingest(tmp_path / "photos.jsonl", "--fetch", "--json")
    assert (parsed(done)["new"], parsed(done)["rejected"]) == (1, 2)
    assert "http: is not fetched, as anyone on the way can change it (--allow-http)" in done.stderr
    done = ingest(tmp_path / "photos.jsonl", "--fetch", "--allow-http", "--json")
    assert "its host has a private address" in done.stderr
    done = ingest(tmp_path / "photos.jsonl", "--fetch", "--allow-http", "--allow-private", "--json")
    assert (parsed(done)["new"], parsed(done)["known"], parsed(done)["rejected"]) == (1, 1, 1)


def test_a_list_on_the_web(ingest: Run, store: Store, connection: Connection) -> None:
    """Names are relative to it; its query opens nothing else and is not stored."""
    fill(store, "set", 1)
    store.put("set/photos.csv", "file_name,hashtags\n00.jpg,sea\n../1.jpg,x\n")
    uri = f"{store.endpoint}/{BUCKET}/set/photos.csv"
    done = ingest(f"{uri}?sig=verysecret", "--allow-http", "--allow-private")
    assert done.exit_code == 3, done.output
    assert "verysecret" not in done.output
    assert f"{uri}:3: outside the list's folder" in done.stderr
    assert uris(connection) == [f"{store.endpoint}/{BUCKET}/set/00.jpg"]
    assert connection.execute("SELECT sources FROM tagdb.ingest_runs").fetchone() == ([uri],)


def test_what_is_not_read_from_elsewhere(store: Store) -> None:
    fill(store, "set", 1)
    with pytest.raises(
        SourceError, match="takeout is not read from elsewhere; copy it to this machine first"
    ):
        open_source(f"{S3}/set", Reading(format="takeout"))


# --- what goes wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("s3://nosuchbucket/x", "cannot read s3://nosuchbucket/x: there is no bucket s3://nosuchbucket"),
        (f"{S3}/nothing", f"no photos in {S3}/nothing"),
        (f"{S3}/nothing.csv", f"no photos in {S3}/nothing.csv"),
        ("s3:///x", "cannot read s3:///x: not the name of a bucket: ''"),
        ("s3://a%2fb@c/x", "cannot read s3://c/x: not the name of a bucket: 'a%2fb@c'"),
    ],
)
def test_sources_that_are_none(store: Store, source: str, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(source)
    assert str(caught.value) == said


def test_no_permission(ingest: Run, store: Store) -> None:
    store.faults.answer = lambda path, nth: "403 Forbidden"
    said = complaint(ingest(S3))
    assert said == f"Error: cannot read {S3}: no permission to read {S3}; check your credentials"


def test_a_store_that_is_not_there(
    ingest: Run, store: Store, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nobody is there
    assert complaint(ingest(S3)) == (
        f"Error: cannot read {S3}: {S3} cannot be read: it cannot be reached, or the connection broke"
    )


def test_one_object_costs_itself(ingest: Run, store: Store, connection: Connection, impatient: None) -> None:
    fill(store, "set", 4)
    store.put("set/04.jpg", "no photo")
    store.put("set/05.jpg", photo(5))
    store.faults.answer = lambda path, nth: "503 Slow Down" if path.endswith("/02.jpg") else None
    done = ingest(f"{S3}/set")
    assert done.stdout.startswith("4 new, 0 already known, 0 updated, 2 rejected")
    rows = connection.execute(
        "SELECT origin, reason, reason_code FROM tagdb.ingest_errors ORDER BY origin"
    ).fetchall()
    assert rows[0] == (f"{S3}/set/02.jpg", f"{S3} cannot be read: it answered with status 503", "unreadable")
    assert rows[1][0] == f"{S3}/set/04.jpg"
    store.faults.reset()
    assert ingest(f"{S3}/set").stdout.startswith("1 new, 4 already known, 0 updated, 1 rejected")


def test_an_object_that_changes_or_goes_after_it_was_listed(store: Store) -> None:
    fill(store, "set", 3)
    listed = records(f"{S3}/set")
    store.put("set/01.jpg", photo(7))
    store.client.delete_object(Bucket=BUCKET, Key="set/02.jpg")
    assert listed[0].file.read() == photo(0)
    with pytest.raises(RejectedInput, match="it changed after it was listed; run the same command again"):
        listed[1].file.read()
    with pytest.raises(RejectedInput, match="no such object"):
        listed[2].file.read()


def test_an_object_that_is_too_large(store: Store) -> None:
    store.put("set/00.jpg", b"x" * (2 << 20))
    (one,) = records(f"{S3}/set")
    assert 1 << 20 <= one.size < 2 << 20  # more is not kept in memory
    assert isinstance(one.file, Remote)
    with pytest.raises(RejectedInput, match="larger than 1 MB"):
        one.file.copy(io.BytesIO(), 1 << 20)


FAULTS = ("503 Slow Down", "429 Too Many Requests", "drop", "cut", "500 Internal Server Error")


def test_a_fifth_of_all_requests_fails(
    ingest: Run, store: Store, connection: Connection, tmp_path: Path
) -> None:
    """Nothing is lost and nothing is doubled."""
    fill(store, "set", 40)

    def fault(path: str, nth: int) -> str | None:
        chance = random.Random(f"{path} {nth}")
        return chance.choice(FAULTS) if chance.random() < 0.2 else None

    store.faults.answer = fault
    done = ingest(f"{S3}/set")
    assert done.stdout.startswith("40 new, 0 already known, 0 updated, 0 rejected"), done.output
    assert uris(connection) == [f"{S3}/set/{n:02}.jpg" for n in range(40)]
    assert all(store.faults.sent[f"/{BUCKET}/set/{n:02}.jpg"] == 1 for n in range(40))
    assert sum(store.faults.reads.values()) > 45


def test_a_store_that_goes_away_ends_the_ingest(
    ingest: Run, store: Store, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_stores, "IN_A_ROW", 5)
    fill(store, "set", 12)
    store.faults.answer = lambda path, nth: "503 Slow Down" if path.endswith(".jpg") else None
    said = complaint(ingest(f"{S3}/set", "--quiet"))
    assert re.match(r"Error: \d+ objects of s3://pictures in a row could not be read; what was", said)


# --- how much is transferred ----------------------------------------------------------------------------


def test_many_are_read_at_a_time_and_each_once(ingest: Run, store: Store) -> None:
    fill(store, "wide", 40)
    store.faults.delay = 0.1
    assert ingest(f"{S3}/wide").exit_code == 0
    assert store.faults.most >= 16
    assert all(store.faults.reads[f"/{BUCKET}/wide/{n:02}.jpg"] == 1 for n in range(40))


def test_what_is_unchanged_is_not_read_again(ingest: Run, store: Store, connection: Connection) -> None:
    fill(store, "set", 6)
    assert ingest(f"{S3}/set").exit_code == 0
    before = contents(connection)
    store.faults.reset()
    assert "nothing changed" in ingest(f"{S3}/set").stdout
    assert not [path for path in store.faults.reads if path.endswith(".jpg")]
    # what is said of it is stored all the same
    assert ingest(f"{S3}/set", "--hashtags", "sea").stdout.startswith("0 new, 0 already known, 6 updated")
    assert not [path for path in store.faults.reads if path.endswith(".jpg")]
    connection.execute("DELETE FROM tagdb_store.image_hashtags")
    assert contents(connection)[0] == before[0]
    store.put("set/03.jpg", photo(33))
    assert ingest(f"{S3}/set").stdout.startswith("1 new, 5 already known")
    assert [path for path in store.faults.reads if path.endswith(".jpg")] == [f"/{BUCKET}/set/03.jpg"]


def test_what_another_backbone_has_not_embedded_is_read(
    ingest: Run, store: Store, connection: Connection
) -> None:
    fill(store, "set", 2)
    assert ingest(f"{S3}/set").exit_code == 0
    connection.execute("DELETE FROM tagdb_store.embeddings")
    store.faults.reset()
    assert ingest(f"{S3}/set").exit_code == 0
    assert len([path for path in store.faults.reads if path.endswith(".jpg")]) == 2


# --- where originals are --------------------------------------------------------------------------------


def test_originals_stay_in_the_store(
    ingest: Run, tagdb: Run, store: Store, connection: Connection, tmp_path: Path
) -> None:
    fill(store, "set", 5)
    assert ingest(f"{S3}/set", "--originals", "keep").exit_code == 0
    rows = connection.execute(
        "SELECT original, kept_at FROM tagdb_store.image_files ORDER BY kept_at"
    ).fetchall()
    assert rows == [(None, f"{S3}/set/{n:02}.jpg") for n in range(5)]
    store.put("set/01.jpg", photo(11))
    store.client.delete_object(Bucket=BUCKET, Key="set/02.jpg")
    done = tagdb("backbone", "reembed", "bundled")
    assert "is not active: 3 embedded, 2 rejected" in done.stdout
    assert f"{S3}/set/01.jpg: its original has different content now" in done.stderr
    assert (
        f"{S3}/set/02.jpg: its original was kept where it was, and reading it failed: no such" in done.stderr
    )
    exported = parsed(tagdb("export", tmp_path / "folder", "--format", "imagefolder", "--json"))
    assert (exported["photos"], exported["without_photo"]) == (3, 2)
    store.put("set/01.jpg", photo(1))
    store.put("set/02.jpg", photo(2))
    assert "is active: 2 embedded, 0 rejected" in tagdb("backbone", "reembed", "bundled").stdout


def test_originals_that_were_left_out(ingest: Run, tagdb: Run, photos: Path, connection: Connection) -> None:
    assert ingest(photos / "00.jpg", "--originals", "none").exit_code == 0
    assert connection.execute("SELECT original, kept_at FROM tagdb_store.image_files").fetchall() == [
        (None, None)
    ]
    done = tagdb("backbone", "reembed", "bundled")
    assert "its original was left out (--originals none); ingest it again" in done.stderr


def test_what_cannot_be_kept_is_refused(ingest: Run, store: Store, connection: Connection) -> None:
    """As only the holder of a secret could read it again."""
    fill(store, "set", 1)
    page = f"{store.endpoint}/{BUCKET}/set/00.jpg?X-Amz-Signature=verysecret"
    allowed = ("--allow-http", "--allow-private")
    done = ingest(page, *allowed, "--originals", "keep")
    assert done.exit_code == 3
    assert "it has no uri at which it could be kept; use --originals copy" in done.stderr
    assert ingest(page, *allowed).stdout.startswith("1 new")
    assert uris(connection) == [page.partition("?")[0]]


# --- credentials ----------------------------------------------------------------------------------------


def test_credentials_of_a_profile(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in store.environment:
        monkeypatch.delenv(name)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text(
        f"[work]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"
    )
    (tmp_path / ".aws/config").write_text(
        f"[profile work]\nregion = us-east-1\nendpoint_url = {store.endpoint}\n"
    )
    fill(store, "set", 1)
    monkeypatch.setenv("AWS_PROFILE", "play")
    with pytest.raises(SourceError, match="there is no profile play of AWS; see AWS_PROFILE"):
        open_source(S3)
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert len(records(S3)) == 1
    assert any(KEY in value for value in store.faults.authorizations)


def test_no_secret_is_stored_or_said(ingest: Run, store: Store, connection: Connection) -> None:
    fill(store, "set", 2)
    store.faults.answer = lambda path, nth: "403 Forbidden" if path.endswith("/01.jpg") else None
    done = ingest(f"{S3}/set", "--verbose")
    assert done.exit_code == 3
    everything = done.output + "".join(
        str(connection.execute(f"SELECT * FROM tagdb.{table}").fetchall())
        for table in ("images", "ingest_runs", "ingest_errors")
    )
    assert SECRET not in everything
    assert KEY not in everything


def test_without_obstore(ingest: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    object_stores.bucket.cache_clear()
    assert complaint(ingest("gs://bucket/x")) == (
        "Error: Google Cloud Storage is read by obstore; install it with: pip install 'tagdb[cloud]'"
    )


@pytest.mark.parametrize(("scheme", "kind"), [("gs", "GCSStore"), ("az", "AzureStore")])
def test_other_platforms(scheme: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0")
    monkeypatch.setenv("GOOGLE_SKIP_SIGNATURE", "true")
    opened = object_stores.Bucket(scheme, "pictures")
    assert type(opened._store).__name__ == kind
    assert opened.uri_of("a/b.jpg") == f"{scheme}://pictures/a/b.jpg"


def test_roots_elsewhere() -> None:
    on_web = RemoteRoot("https://me:secret@x.test/a%20b/", Allowed())
    assert on_web.file("ü/1 2.jpg").uri is None  # as the login is needed to read it
    assert RemoteRoot("https://x.test/a%20b/", PUBLIC_ONLY).file("ü/1 2.jpg").uri == (
        "https://x.test/a%20b/%C3%BC/1%202.jpg"
    )
    assert RemoteRoot("s3://bucket/", PUBLIC_ONLY).file("a\\b.jpg").uri == "s3://bucket/a/b.jpg"


def test_without_credentials(store: Store, impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(SourceError, match="there are no credentials"):
        open_source(S3)


def test_large_objects_take_little_memory_until_they_are_decoded(store: Store) -> None:
    store.put("large.jpg", b"x" * (3 << 20))
    (one,) = records(f"{S3}/large.jpg")
    assert isinstance(one.file, Remote)
    assert one.file.read() == b"x" * (3 << 20) == one.file.read()
    assert one.file._content._rolled  # type: ignore[union-attr]
    assert store.faults.reads[f"/{BUCKET}/large.jpg"] == 1


# --- what is gone ---------------------------------------------------------------------------------------


def test_a_folder_is_synchronised_with(tagdb: Run, ingest: Run, store: Store, connection: Connection) -> None:
    fill(store, "set", 4)
    assert ingest(f"{S3}/set").exit_code == 0
    store.client.delete_object(Bucket=BUCKET, Key="set/01.jpg")
    store.faults.reset()
    done = tagdb("sync", f"{S3}/set/", "--yes")
    assert done.exit_code == 0, done.output
    assert uris(connection) == [f"{S3}/set/{n:02}.jpg" for n in (0, 2, 3)]
    assert not [path for path in store.faults.reads if path.endswith(".jpg")]


def test_what_cannot_be_read_is_not_taken_for_gone(
    tagdb: Run, ingest: Run, store: Store, connection: Connection, impatient: None
) -> None:
    """An object that the store does not give now, and a row whose uri is not fetched this time."""
    fill(store, "set", 4)
    rows = [{"uri": f"{S3}/set/{n:02}.jpg"} for n in range(4)]
    store.put("lists/list.jsonl", "\n".join(map(json.dumps, rows)))
    assert ingest(f"{S3}/lists/list.jsonl", "--fetch").exit_code == 0
    said = tagdb("sync", f"{S3}/lists/list.jsonl", "--yes").stderr
    assert "nothing was removed" in said
    store.put("lists/list.jsonl", "\n".join(map(json.dumps, rows[1:])))
    store.faults.answer = lambda path, nth: "503 Slow Down" if path.endswith("/02.jpg") else None
    assert "cannot be read" in tagdb("sync", f"{S3}/lists/list.jsonl", "--fetch", "--yes").stderr
    assert len(uris(connection)) == 4
    store.faults.reset()
    assert tagdb("sync", f"{S3}/lists/list.jsonl", "--fetch", "--yes").exit_code == 0
    assert len(uris(connection)) == 3


def test_exports_go_there_and_come_back(
    tagdb: Run, ingest: Run, store: Store, photos: Path, connection: Connection
) -> None:
    draw(photos, range(3))
    rows = [[f"{n:02}.jpg", f"#tag{n} #Sea"] for n in range(3)]
    write_csv(photos / "photos.csv", ["file_name", "hashtags"], rows)
    assert ingest(photos / "photos.csv").exit_code == 0
    query = "SELECT image_id, hashtag FROM tagdb.image_hashtags ORDER BY 1, 2"
    carried = connection.execute(query).fetchall()
    assert carried
    targets = {f"{S3}/out/list.jsonl": "jsonl", f"{S3}/out/t.parquet": "parquet", f"{S3}/set": "imagefolder"}
    for target, form in targets.items():
        done = tagdb("export", target, "--format", form, "--json")
        assert parsed(done)["images"] == 3
        again = complaint(tagdb("export", target, "--format", form))
        assert "--force" in again
        assert tagdb("export", target, "--format", form, "--force").exit_code == 0
    for source in (f"{S3}/set", f"{S3}/out/t.parquet"):
        counts = parsed(ingest(source, "--json"))
        assert (counts["new"], counts["rejected"]) == (0, 0)
    assert connection.execute(query).fetchall() == carried
    store.put("mine/1.jpg", photo(1))
    assert "something else" in complaint(tagdb("export", f"{S3}/mine", "--format", "imagefolder", "--force"))
    assert "there is no bucket" in complaint(tagdb("export", "s3://nowhere-at-all/x.jsonl"))
    assert "name a folder in it" in complaint(tagdb("export", S3, "--format", "imagefolder"))
