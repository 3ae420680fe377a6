"""Shards of a source: every photo, and every row that is none, belongs to exactly one of them."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unicodedata import normalize

import pytest

from tagdb.errors import SourceError
from tagdb.photos import folders
from tagdb.photos.files import Local
from tagdb.photos.shards import Shard
from tagdb.photos.sources import Reading, Record, Rejection, Source, open_source
from tests.support.documents import blocks

OF = 3
JPEG = b"\xff\xd8\xff\xe0 a photo's beginning"
NAMES = [f"{folder}{n}.jpg" for folder in ("", "a/", "a/b/") for n in range(12)]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(JPEG)
    return folder


def lists(folder: Path) -> Iterator[Path]:
    """Lists of the photos of a folder, each with a name that does not exist and with lines that are none."""
    rows = [{"file_name": name, "hashtags": ["sea"]} for name in [*NAMES, "gone.jpg"]]
    lines = [*map(json.dumps, rows), '{"file_name": ', "[1]", "{}"]
    jsonl, table, listed = (folder / f"list.{suffix}" for suffix in ("jsonl", "csv", "json"))
    jsonl.write_text("\n".join(lines))
    table.write_text("\n".join(["Uri,hashtags", *(f"{row['file_name']},#sea" for row in rows), "a,b,c,d"]))
    listed.write_text(json.dumps([{"File_Name": row["file_name"]} for row in rows] + [7]))
    yield from (jsonl, table, listed)


def said(source: Source) -> Counter[str]:
    return Counter(each.uri if isinstance(each, Record) else f"{each.line} {each.reason}" for each in source)


def shards(name: object, of: int = OF) -> list[Source]:
    return [open_source(str(name), Reading(shard=Shard(n, of))) for n in range(1, of + 1)]


def test_shards_of_a_folder_and_of_lists_are_the_whole(photos: Path) -> None:
    for name in (photos, *lists(photos)):
        parts = shards(name)
        each = [said(part) for part in parts]
        assert sum(each, Counter()) == said(open_source(str(name))), name
        assert all(len(part) >= 4 for part in each)
        assert [part.count() for part in parts] == [part.total() for part in each]
        assert not any(part.complete for part in parts)


def test_shards_of_standard_input_are_the_whole(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(photos)
    (jsonl, *_) = lists(photos)
    each = [
        said(open_source("-", Reading(shard=Shard(n, OF)), stdin=io.BytesIO(jsonl.read_bytes())))
        for n in range(1, OF + 1)
    ]
    assert sum(each, Counter()) == said(open_source("-", stdin=io.BytesIO(jsonl.read_bytes())))


def test_a_folder_elsewhere_with_other_photos_is_shared_out_alike(photos: Path, tmp_path: Path) -> None:
    other = tmp_path / "mounted" / "here"
    shutil.copytree(photos, other)
    (other / "0.jpg").unlink()
    (other / "more.jpg").write_bytes(JPEG)

    def names(source: Source, folder: Path) -> set[str]:
        return {each.path.relative_to(folder).as_posix() for each in source if isinstance(each, Record)}

    for one, another in zip(shards(photos), shards(other), strict=True):
        assert names(one, photos) - {"0.jpg"} == names(another, other) - {"more.jpg"}


def test_photos_one_by_one_and_photos_within_parquet(photos: Path, tmp_path: Path) -> None:
    for name in NAMES[:6]:
        assert sum(part.count() or 0 for part in shards(photos / name)) == 1
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = [{"image": {"bytes": JPEG, "path": "image.jpg"}} for _ in range(30)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "some.parquet")
    each = [said(part) for part in shards(tmp_path / "some.parquet")]
    assert sum(each, Counter()) == said(open_source(str(tmp_path / "some.parquet")))
    assert all(len(part) >= 4 for part in each)


def test_what_is_left_out_is_counted_by_one_shard_and_others_are_not_opened(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(20):
        (photos / f"{n}").write_bytes(JPEG)  # whether it is a photo, only opening it tells
        (photos / f"{n}.mp4").touch()
    opened = Counter[str]()
    head = folders._head
    monkeypatch.setattr(folders, "_head", lambda path: opened.update([path]) or head(path))  # type: ignore[func-returns-value]
    parts = [open_source(str(photos), Reading(shard=Shard(n, OF))) for n in range(1, OF + 1)]
    opened.clear()
    assert sum(len(list(part)) for part in parts) == len(NAMES) + 20
    assert set(opened.values()) == {1}
    assert sum(part.count() or 0 for part in parts) == len(NAMES) + 20
    assert sum(part.left_out.counts["video"] for part in parts) == 20


def test_photos_of_other_shards_are_not_looked_for(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tagdb.photos import places

    (jsonl, *_) = lists(photos)
    found: list[str] = []
    located = places.Root._located

    def noted(root: places.Root, name: str | Path) -> Path:
        found.append(str(name))
        return located(root, name)

    monkeypatch.setattr(places.Root, "_located", noted)
    (part, *_) = shards(jsonl)
    mine = [each for each in part if isinstance(each, Record) and isinstance(each.file, Local)]
    assert {*found} - {"gone.jpg"} == {each.path.relative_to(photos).as_posix() for each in mine}


def test_a_name_is_in_the_same_shard_for_ever_and_however_its_accents_are_written() -> None:
    assert [n for n in range(1, 11) if Shard(n, 10).has("holiday/IMG_1.jpg")] == [9]
    (one,) = (n for n in range(1, 11) if Shard(n, 10).has(normalize("NFC", "été.jpg")))
    assert Shard(one, 10).has(normalize("NFD", "été.jpg"))
    assert Shard(1, 1).has("\udcff\ud83d")
    assert str(Shard.parse("2/10")) == "2/10"


@pytest.mark.parametrize("text", ["0/4", "5/4", "x", "", "1/0", "-1/4", "1", "1/2/3", " 1/2", "1/1e9", "²/4"])
def test_what_is_no_shard(text: str) -> None:
    with pytest.raises(SourceError, match=r"a shard is I/N with I from 1 to N, such as 2/10, not "):
        Shard.parse(text)


def test_a_shard_may_be_empty(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.jpg").write_bytes(JPEG)
    assert sorted(len(list(part)) for part in shards(tmp_path / "one")) == [0, 0, 1]
    (tmp_path / "none").mkdir()
    for n in range(1, OF + 1):
        with pytest.raises(SourceError, match="no photos in"):
            open_source(str(tmp_path / "none"), Reading(shard=Shard(n, OF)))


def test_a_folder_that_cannot_be_read_is_said_by_one_shard(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = folders._entries

    def closed(folder: str | Path) -> object:
        if str(folder).endswith("/b"):
            raise PermissionError(13, "Permission denied")
        return entries(folder)

    parts = shards(photos)
    monkeypatch.setattr(folders, "_entries", closed)
    found = [each for part in parts for each in part if isinstance(each, Rejection)]
    assert [each.unreadable for each in found] == [True]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is run in place of tagdb and ssh: each call leaves a line in the file that this is."""
    folder, noted = tmp_path / "bin", tmp_path / "noted"
    folder.mkdir()
    for name, text in {
        "tagdb": f'echo "$@" "$TAGDB_DATABASE_URL" $(cat) >> {noted}; exit 3',
        "ssh": 'exec sh -c "$2" < /dev/null',
    }.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "4")
    monkeypatch.delenv("TAGDB_DATABASE_URL", raising=False)
    return noted


def test_the_pages_ways_to_run_shards(programs: Path) -> None:
    (shell,) = (block for block in blocks("scale.md", "sh") if "--shard " in block)
    subprocess.run(["sh", "-euc", shell.partition("# by GNU parallel")[0]], check=True)
    url = "postgresql://tagger@db/tagdb"
    assert sorted(programs.read_text().splitlines()) == [
        f"ingest /mnt/photos --shard {n}/3 --quiet {url}" for n in (1, 2, 3)
    ]
    programs.unlink()
    (job,) = re.findall(r"command: \[sh, -c\]\n +args:\n +- (.*)", *blocks("scale.md", "yaml"))
    subprocess.run(["sh", "-c", job], check=True, stdin=subprocess.DEVNULL)
    assert programs.read_text().strip() == "ingest s3://bucket/photos --shard 5/10 --quiet"
    programs.unlink()
    (spark,) = (block for block in blocks("scale.md", "python") if "foreachPartition" in block)
    names: dict[str, Any] = {}
    exec(spark.partition("photos.select")[0], names)
    names["ingest"]([SimpleNamespace(asDict=lambda name=name: {"uri": name}) for name in "ab"])
    assert programs.read_text().strip().endswith('--quiet  {"uri": "a"} {"uri": "b"}')
