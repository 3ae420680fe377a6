"""Photos that are damaged, or made to harm: rejected with a reason or stored right, in bounded memory.

``TAGDB_SOAK`` times as many damaged ones in the long form.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import shutil
import signal
import socket
import stat
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tagdb.ingest
import tagdb.photos.files
import tagdb.records
from tagdb.embedding.backbone import Backbone
from tagdb.errors import SourceError
from tagdb.photos import images
from tagdb.photos.sources import Rejection, open_source
from tagdb.postgres.database import Connection
from tests.support import corpus
from tests.support.pictures import photo
from tests.support.processes import PROC, alive, children, peak, until
from tests.support.programs import SOAK, finished, started
from tests.support.sabotage import sabotage, that

Here = Callable[[str], dict[str, str]]

MUTANTS = 600 * SOAK
SEED = 20_07
MEMORY = 1_200 << 20
"""Bytes for the program and two workers; the largest picture here has 64 million pixels."""

linux = pytest.mark.skipif(not PROC.is_dir(), reason="needs /proc")
# pytest undoes the filter that tagdb.photos.images sets
pytestmark = pytest.mark.filterwarnings(r"ignore::UserWarning:PIL\.")


def rejections(connection: Connection) -> dict[str, str]:
    """Reasons by file name, or by origin and line."""
    rows = connection.execute("SELECT origin, line, reason FROM tagdb.ingest_errors").fetchall()
    return {
        Path(origin).name if line is None else f"{origin}:{line}": reason for origin, line, reason in rows
    }


def stored(connection: Connection) -> set[str]:
    """Names of the files that are stored."""
    return {row[0].rpartition("/")[2] for row in connection.execute("SELECT uri FROM tagdb.images")}


# --- Damaged and harmful contents ---------------------------------------------------------------------


@linux
def test_a_corpus_of_damaged_photos(
    database_url: str,
    connection: Connection,
    tmp_path: Path,
    chosen: tuple[object, ...],
    here: Here,
    random_backbone: Backbone,
) -> None:
    """Through one real ingest: what is stored is what decoding alone gives, the rest is on record."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    files = dict(corpus.harmful()) | corpus.samples() | dict(corpus.mutants(SEED, MUTANTS))
    for name, content in files.items():
        (folder / name).write_bytes(content)
    begun = time.monotonic()
    process = started("ingest", folder, *chosen, "--json", "--quiet", **here(database_url))
    with peak(process.pid) as memory:
        out = finished(process, 3)
    seconds = time.monotonic() - begun
    counts = json.loads(out)
    print(f"seed {SEED}: {len(files)} files, {counts}, {seconds:.0f} s, {memory}")
    assert counts["new"] + counts["known"] + counts["updated"] + counts["rejected"] == len(files)
    assert memory.everything < MEMORY
    assert seconds < 60 + 0.2 * len(files)

    refused = rejections(connection)
    assert len(refused) == counts["rejected"]
    assert all(reason.isprintable() and len(reason) < 300 for reason in refused.values())
    assert not [reason for reason in refused.values() if "crashed" in reason]
    rows = {
        bytes.fromhex(content): rest
        for content, *rest in connection.execute(
            "SELECT i.content_sha256, e.embedding::real[], f.thumbnail, f.original, i.width, i.height"
            " FROM tagdb.images i JOIN tagdb_store.embeddings e USING (image_id)"
            " JOIN tagdb_store.image_files f USING (image_id)"
        )
    }
    assert len(rows) == counts["new"]
    contents = {hashlib.sha256(content).digest(): content for content in files.values()}
    for name, content in files.items():
        assert (name in refused) != (hashlib.sha256(content).digest() in rows), name
    for digest, (embedding, thumbnail, original, width, height) in rows.items():
        alone = images.decode(contents[digest], 96)
        expected = random_backbone.embed(alone.pixels).astype(np.float16)
        np.testing.assert_array_equal(np.array(embedding, np.float16), expected)
        assert (original, thumbnail) == (contents[digest], alone.thumbnail)
        assert (width, height) == (alone.width, alone.height)
        with Image.open(io.BytesIO(thumbnail)) as small:
            small.load()
            assert max(small.size) <= images.THUMBNAIL_SIZE
    whole = set(corpus.samples()) - set(refused)
    assert whole == set(corpus.samples())
    damaged = [name for name in files if re.match(r"\d{6}-", name)]
    assert len(damaged) >= 500
    assert 0.2 < sum(name in refused for name in damaged) / len(damaged) < 0.9


# --- Decoders that crash, hang, eat memory ------------------------------------------------------------

DEEDS = {
    "abort": "decoding crashed (SIGABRT)",
    "segv": "decoding crashed (SIGSEGV)",
    "exit": "decoding crashed (exit code 7)",
    "eat": "decoding crashed (exit code 1)",
    "sleep": "decoding took longer than 2 s",
    "undisturbed": "decoding took longer than 2 s",
}


@pytest.fixture
def sabotaged(tmp_path: Path, here: Here, database_url: str) -> dict[str, str]:
    """The environment of a program whose decoders do what photos say."""
    path = [str(sabotage(tmp_path / "site")), *filter(None, [os.environ.get("PYTHONPATH")])]
    return here(database_url) | {"PYTHONPATH": os.pathsep.join(path)}


def deeds(folder: Path, *names: str) -> Path:
    """Photos at which decoders do something, among eight good ones."""
    folder.mkdir()
    for number in range(8):
        (folder / f"good-{number}.jpg").write_bytes(photo(number, size=(60, 40)))
    for number, name in enumerate(names):
        # sorted among the good ones
        (folder / f"good-{number}-{name.split()[0]}.jpg").write_bytes(that(name, photo(100 + number)))
    return folder


def good(names: set[str]) -> int:
    return len([name for name in names if re.fullmatch(r"good-\d\.jpg", name)])


def test_decoders_that_crash_or_hang(
    sabotaged: dict[str, str], connection: Connection, tmp_path: Path, chosen: tuple[object, ...]
) -> None:
    """They take their worker along, and nothing else."""
    folder = deeds(tmp_path / "photos", *DEEDS)
    out = finished(started("ingest", folder, *chosen, "--json", "--quiet", **sabotaged), 3)
    counts = json.loads(out)
    assert (counts["new"], counts["rejected"]) == (8, len(DEEDS))
    assert good(stored(connection)) == 8
    assert {name.split("-")[2][:-4]: reason for name, reason in rejections(connection).items()} == DEEDS


@linux
def test_a_worker_is_killed(
    sabotaged: dict[str, str], connection: Connection, tmp_path: Path, chosen: tuple[object, ...]
) -> None:
    """By somebody else, in mid-ingest: nothing is lost, the next worker takes its photo."""
    folder = deeds(tmp_path / "photos", f"once {tmp_path / 'pid'}")
    environment = sabotaged | {"TAGDB_HOME": sabotaged["TAGDB_HOME"]}
    process = started("ingest", folder, *chosen, "--quiet", **environment)
    until((tmp_path / "pid").exists)
    worker = int((tmp_path / "pid").read_text())
    assert worker in children(process.pid)
    os.kill(worker, signal.SIGKILL)
    assert "9 new, 0 already known, 0 updated, 0 rejected" in finished(process)
    assert len(stored(connection)) == 9


@linux
@pytest.mark.parametrize("deed", ["undisturbed", "sleep"][:SOAK])
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_the_program(
    sabotaged: dict[str, str], tmp_path: Path, chosen: tuple[object, ...], deed: str, end: signal.Signals
) -> None:
    """At once, whatever they are at."""
    site = tmp_path / "site"
    sabotage(site, seconds=100)
    folder = deeds(tmp_path / "photos", deed)
    process = started("ingest", folder, *chosen, "--quiet", **sabotaged)
    until((site / "log").exists)
    workers = children(process.pid)
    assert workers
    process.send_signal(end)
    begun = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    if end == signal.SIGINT:
        assert process.returncode == 1
        assert "run the same command again to continue" in err
    until(lambda: not any(map(alive, workers)), 30)
    assert time.monotonic() - begun < 60  # of the 100 seconds that they have


@linux
def test_recommending_for_hostile_photos(
    sabotaged: dict[str, str], connection: Connection, tmp_path: Path, chosen: tuple[object, ...]
) -> None:
    """Several photos, names on standard input and a folder that is watched: the answers go on."""
    folder = deeds(tmp_path / "photos")
    rows = [{"file_name": f"good-{n}.jpg", "hashtags": ["a", "b" if n % 2 else "c"]} for n in range(8)]
    (folder / "photos.jsonl").write_text("\n".join(map(json.dumps, rows)))
    finished(started("ingest", folder / "photos.jsonl", *chosen, "--quiet", **sabotaged))
    finished(started("factors", "compute", "--factors", "4", "--quiet", **sabotaged))

    harmful = tmp_path / "harmful"
    harmful.mkdir()
    names = [str(harmful / f"{deed}.jpg") for deed in ("abort", "sleep")]
    for name in names:
        Path(name).write_bytes(that(Path(name).stem, photo(50)))
    os.mkfifo(harmful / "fifo.jpg")
    fine = str(folder / "good-3.jpg")
    process = started("recommend", *names, fine, "/dev/zero", "--json", **sabotaged)
    with peak(process.pid) as memory:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    reasons = [DEEDS["abort"], DEEDS["sleep"], None, "larger than 256 MB"]
    assert [one.get("error") for one in json.loads(out)] == reasons
    print(f"recommend … /dev/zero: {memory}")
    assert memory.everything < MEMORY
    process = started("similar", names[0], fine, "--json", **sabotaged)
    out, err = process.communicate(timeout=60)
    assert [one.get("error") for one in json.loads(out)] == [DEEDS["abort"], None], err
    alone = finished(started("recommend", fine, "--json", **sabotaged))
    several = finished(started("recommend", fine, fine, "--json", **sabotaged))
    assert json.loads(several) == json.loads(alone) * 2

    process = started("recommend", "--watch", harmful, "--format", "hashtags", **sabotaged)
    try:
        assert process.stderr is not None
        assert process.stdout is not None
        assert process.stderr.readline().startswith("watching")
        os.mkfifo(harmful / "new.jpg")
        for deed in ("segv", "undisturbed"):
            (harmful / f"new-{deed}.jpg").write_bytes(that(deed, photo(51)))
            assert process.stderr.readline().rstrip() == f"rejected {harmful}/new-{deed}.jpg: {DEEDS[deed]}"
        shutil.copy(fine, harmful / "fine.jpg")
        assert process.stdout.readline().startswith("#a")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()


# --- What else lies in a folder -----------------------------------------------------------------------


def test_what_else_lies_in_a_folder(
    database_url: str, connection: Connection, tmp_path: Path, chosen: tuple[object, ...], here: Here
) -> None:
    folder, outside = tmp_path / "photos", tmp_path / "outside.jpg"
    (folder / "deeper").mkdir(parents=True)
    outside.write_bytes(photo(1))
    (folder / "fine.jpg").write_bytes(photo(2))
    (folder / "deeper/fine.png").write_bytes(photo(3, "PNG"))
    (folder / "link.jpg").symlink_to("fine.jpg")
    (folder / "out.jpg").symlink_to(outside)
    (folder / "passwords.jpg").symlink_to("/etc/passwd")
    (folder / "nowhere.jpg").symlink_to("gone.jpg")
    (folder / "loop.jpg").symlink_to("loop.jpg")
    (folder / "a.jpg").symlink_to("b.jpg")
    (folder / "b.jpg").symlink_to("a.jpg")
    (folder / "deeper/up").symlink_to("..", target_is_directory=True)
    (folder / "up.jpg").symlink_to("..", target_is_directory=True)
    (folder / "folder.jpg").mkdir()
    os.mkfifo(folder / "fifo.jpg")
    here_before = Path.cwd()
    os.chdir(folder)  # as a socket's name must be short
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("socket.jpg")
    finally:
        os.chdir(here_before)
    expected = {
        "out.jpg": "outside the folder", "passwords.jpg": "outside the folder", "nowhere.jpg": "no such file",
        "loop.jpg": "cannot read", "a.jpg": "cannot read", "b.jpg": "cannot read",
        "up.jpg": "outside the folder", "fifo.jpg": "not a regular file", "socket.jpg": "not a regular file",
    }  # fmt: skip
    try:
        os.mknod(folder / "zero.jpg", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
        expected["zero.jpg"] = "not a regular file"
    except PermissionError:
        print("no device files without root")
    for name in (b"caf\xe9.jpg", b"\xff\xfe.jpg"):
        try:
            (Path(os.fsdecode(os.fsencode(folder) + b"/" + name))).write_bytes(photo(4))
            expected[os.fsdecode(name).encode("utf-8", "backslashreplace").decode()] = "not valid UTF-8"
        except OSError:
            print("names must be UTF-8 here")
    fine = {"new\nline.jpg", "esc\x1b[31m.jpg", "x" * 250 + ".jpg", "\u202egpj.exe.jpg", "a b%20c?#.jpg"}
    for number, name in enumerate(sorted(fine)):
        (folder / name).write_bytes(photo(10 + number))
    deep = folder
    for _ in range(40):
        deep = deep / ("d" * 60)
    deep.mkdir(parents=True)
    (deep / "deep.jpg").write_bytes(photo(20))

    process = started("ingest", folder, *chosen, "--json", **here(database_url))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert all(line.isprintable() for line in err.splitlines())
    counts, refused = json.loads(out), rejections(connection)
    assert counts["rejected"] == len(expected)
    assert refused.keys() == expected.keys()
    for name, reason in expected.items():
        assert refused[name].startswith(reason) or reason in refused[name], (name, refused[name])
    assert (counts["new"], counts["known"]) == (3 + len(fine), 1)
    uris = [row[0] for row in connection.execute("SELECT uri FROM tagdb.images")]
    assert all(uri.isascii() and uri.isprintable() for uri in uris)


def test_what_may_not_be_read() -> None:
    """A folder and a file without rights; root, who may read all, does it as somebody else."""
    folder = Path(tempfile.mkdtemp(prefix="tagdb-test-"))
    try:
        folder.chmod(0o755)
        (folder / "closed").mkdir()
        for name in ("closed/a.jpg", "b.jpg", "c.jpg"):
            (folder / name).write_bytes(photo(1))
        (folder / "b.jpg").chmod(0)
        (folder / "closed").chmod(0)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            found = list(open_source(str(folder)))
            read = tagdb.records.hashes(found)
            (folder / "closed").exists()
            with pytest.raises(SourceError, match=r"cannot read .*closed: Permission denied"):
                open_source(str(folder / "closed"))
        finally:
            if root:
                os.seteuid(0)
        assert [getattr(one, "reason", None) for one in read] == [
            "cannot be read: Permission denied", None, "cannot read the folder: Permission denied",
        ]  # fmt: skip
    finally:
        (folder / "closed").chmod(0o700)
        shutil.rmtree(folder)


@pytest.mark.parametrize("when", ["at first", "in between", "at last"])
def test_a_folder_is_removed_while_it_is_walked(tmp_path: Path, when: str) -> None:
    """Reasons, and an end."""
    folder = tmp_path / "photos"
    for name in ("a", "b", "c"):
        (folder / name).mkdir(parents=True)
        (folder / name / "one.jpg").write_bytes(photo(1))
    source = open_source(str(folder))
    walk = iter(source)
    if when != "at first":
        next(walk)
    if when == "at last":
        next(walk)
    shutil.rmtree(folder)
    left = list(walk)
    assert left
    assert all(isinstance(one, Rejection) and "no such file" in one.reason.lower() for one in left)


def test_a_folder_cannot_be_read_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.jpg").write_bytes(photo(1))
    source = open_source(str(tmp_path))

    def gone(folder: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("tagdb.photos.folders._entries", gone)
    with pytest.raises(SourceError, match=f"^cannot read {tmp_path}: Input/output error$"):
        list(source)


# --- Files that change while they are read ------------------------------------------------------------


def replaced_by_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def replaced_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def shrunk(path: Path) -> None:
    os.truncate(path, 500)


def rewritten(path: Path) -> None:
    """With as many bytes."""
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, (1, 1))


CHANGED = "it changed while it was being read; ingest it again when it is complete"


@pytest.mark.parametrize("at", ["before it is hashed", "while it is hashed", "before it is decoded"])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (Path.unlink, "cannot be read: No such file or directory"),
        (replaced_by_fifo, "no longer a regular file"),
        (replaced_by_folder, "cannot be read: Is a directory"),
        (grown, None),
        (shrunk, "truncated or damaged"),
        (rewritten, "not an image"),
    ],
)
def test_a_file_changes(
    connection: Connection,
    random_backbone: Backbone,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    at: str,
    change: Callable[[Path], None],
    reason: str | None,
) -> None:
    """At the worst moments: it is as it was read in one go, or rejected; the others are stored."""
    monkeypatch.setattr(tagdb.ingest, "KEPT_TOGETHER", 0)  # as a large file, which is read twice
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.jpg").write_bytes(photo(number))
    victim = folder / "1.jpg"
    opened, looked = tagdb.photos.files._without_waiting, os.fstat
    opens: list[str] = []

    def opening(path: str, flags: int) -> int:
        if path == str(victim):
            opens.append(path)
            if (at, len(opens)) in (("before it is hashed", 1), ("before it is decoded", 2)):
                change(victim)
        return opened(path, flags)

    def looking(descriptor: int) -> os.stat_result:
        found = looked(descriptor)
        if at == "while it is hashed" and len(opens) == 1 and found.st_ino == inode:
            opens.append("")  # once only
            change(victim)
        return found

    inode = victim.stat().st_ino
    monkeypatch.setattr(tagdb.photos.files, "_without_waiting", opening)
    monkeypatch.setattr(tagdb.photos.files.os, "fstat", looking)
    tagdb.ingest.run(
        connection, random_backbone, [open_source(str(folder))], tagdb.ingest.Options(quiet=True)
    )
    refused = rejections(connection)
    assert {"0.jpg", "2.jpg"} <= stored(connection)
    assert (victim.name in stored(connection)) != (victim.name in refused)
    if at == "while it is hashed" and change in (grown, shrunk, rewritten):
        assert refused == {"1.jpg": CHANGED}
    elif reason is None:
        row = connection.execute("SELECT bytes FROM tagdb.images WHERE uri LIKE '%/1.jpg'").fetchone()
        assert row == (len(photo(1)) + 4,)
    else:
        assert refused["1.jpg"].startswith(reason)
