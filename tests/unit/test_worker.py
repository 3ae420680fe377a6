"""Processes that decode and embed: what comes back is what decoding here gives; nothing stays behind."""

import io
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tagdb.embedding import worker
from tagdb.embedding.backbone import Backbone
from tagdb.embedding.worker import Worker, Workers
from tagdb.errors import RejectedInput, TagdbError
from tagdb.photos import images
from tests.support.pictures import photo
from tests.support.programs import SOAK
from tests.support.sabotage import sabotage, that


@pytest.fixture
def one() -> Iterator[Worker]:
    """A worker that only decodes."""
    made = Worker(None, 96)
    yield made
    made.close()


@pytest.fixture
def sabotaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoders of new processes do what photos say.

    Two seconds and 400 MB are theirs. They are waited for longer: on a busy machine starting takes its time.
    """
    monkeypatch.syspath_prepend(str(sabotage(tmp_path / "site")))
    monkeypatch.setattr(worker, "SECONDS", 2)
    monkeypatch.setattr(worker, "GRACE", 60)
    monkeypatch.setattr(worker, "MEMORY", 400 << 20)


def test_what_comes_back(random_backbone: Backbone) -> None:
    """Bit for bit, also what says when a photo was taken."""
    workers = Workers(random_backbone, 96, 2)
    try:
        contents = [photo(number) for number in range(6)] + [photo(9, "PNG")]
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(workers.embed, contents))
            workers.close()
    finally:
        workers.close()
    for content, each in zip(contents, found, strict=True):
        here = images.decode(content, 96)
        for name in ("sha256", "media_type", "width", "height", "taken_at", "thumbnail"):
            assert getattr(each.photo, name) == getattr(here, name)
        assert each.embedding is not None
        np.testing.assert_array_equal(each.embedding, random_backbone.embed(here.pixels))


def test_an_unusable_photo_is_refused_with_a_reason(one: Worker) -> None:
    for content, reason, code in (
        (b"", "empty file", "damaged"),
        (b"no photo", "not an image in a supported format", "not_a_photo"),
    ):
        with pytest.raises(RejectedInput, match=reason) as caught:
            one.embed(content)
        assert caught.value.reason_code == code
    assert one.embed(photo(1)).embedding is None


def test_a_worker_is_started_when_it_is_needed() -> None:
    workers = Workers(None, 96, 4)
    try:
        for number in range(3):
            workers.embed(photo(number))
        assert [each._running is not None for each in workers._all].count(True) == 1
    finally:
        workers.close()
    assert [each._running.process.poll() for each in workers._all if each._running] == [-9]


def impatient(one: Worker) -> None:
    """Let a worker that has started have three seconds for each photo until it is killed."""
    assert one._running is not None
    with socket.socket(fileno=os.dup(one._running.connection.fileno())) as ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", worker.SECONDS + 1, 0))


@pytest.mark.usefixtures("sabotaged")
@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("abort", r"decoding crashed \(SIGABRT\)"),
        ("segv", r"decoding crashed \(SIGSEGV\)"),
        ("exit", r"decoding crashed \(exit code 7\)"),
        ("spin", "decoding took longer than 2 s"),
        ("undisturbed", "decoding took longer than 2 s"),
        ("stop", "decoding took longer than 2 s"),
        ("eat", "decoding crashed"),
    ],
)
def test_what_ends_a_worker(one: Worker, deed: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The photo is rejected, in bounded time, and the next one is decoded."""
    if "crashed" in reason:  # however long that takes on a busy machine
        monkeypatch.setattr(worker, "SECONDS", 30)
    one.embed(photo(0))
    if deed in ("undisturbed", "stop"):  # all others end by themselves, with "spin" by its own alarm
        impatient(one)
    started = time.monotonic()
    with pytest.raises(RejectedInput, match=reason) as caught:
        one.embed(that(deed, photo(1)))
    assert caught.value.reason_code == "failed"
    assert time.monotonic() - started < worker.GRACE
    assert one.embed(photo(2)).photo.width == 200


@pytest.mark.usefixtures("sabotaged")
def test_a_worker_that_somebody_else_has_killed(one: Worker, tmp_path: Path) -> None:
    """Before a photo, and while it decodes one: the photo gets another worker."""
    one.embed(photo(1))
    assert one._running is not None
    one._running.process.kill()
    one._running.process.wait()
    assert one.embed(photo(2)).photo.width == 200

    def kill() -> None:
        while not (tmp_path / "pid").exists():
            time.sleep(0.01)
        os.kill(int((tmp_path / "pid").read_text()), 9)

    killer = threading.Thread(target=kill)
    killer.start()
    assert one.embed(that(f"once {tmp_path / 'pid'}", photo(3))).photo.width == 200
    killer.join()


@pytest.mark.usefixtures("sabotaged")
def test_closing_does_not_wait(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also not for a worker that hangs; whoever waits for it is told."""
    monkeypatch.setattr(worker, "SECONDS", 60)
    workers = Workers(None, 96, 1)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(workers.embed, that("sleep", photo(1)))
        while not (tmp_path / "site/log").exists():
            assert not waiting.done()
            time.sleep(0.01)
        started = time.monotonic()
        workers.close()
        with pytest.raises(TagdbError, match="decoding was stopped"):
            waiting.result(30)
        assert time.monotonic() - started < 30  # of the minute that it has
        with pytest.raises(TagdbError, match="decoding was stopped"):
            pool.submit(workers.embed, photo(2)).result(30)


def test_it_cannot_be_started(monkeypatch: pytest.MonkeyPatch, one: Worker) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(TagdbError, match="cannot start the process that decodes photos: No such file"):
        one.embed(photo(1))
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(TagdbError, match=r"the process that decodes photos ended at once \(exit code 1\)"):
        one.embed(photo(1))


def test_what_it_knows(one: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No password, no other file of ours; and no code of a folder that it merely stands in."""
    for name in ("TAGDB_DATABASE_URL", "PGPASSWORD", "PGPASSFILE"):
        monkeypatch.setenv(name, "secret")
    planted = tmp_path / "planted"
    for module in ("json", "numpy", "PIL", "tagdb"):
        (tmp_path / f"{module}.py").write_text(f"open({str(planted)!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    with (tmp_path / "open").open("w") as ours:
        one.embed(photo(1))
        assert one._running is not None
        process = Path("/proc") / str(one._running.process.pid)
        if process.exists():
            assert b"secret" not in (process / "environ").read_bytes()
            files = [file.readlink() for file in (process / "fd").iterdir()]
            assert Path(ours.name) not in files
            assert len([file for file in files if str(file).startswith("socket:")]) == 1
    assert not planted.exists()


@pytest.mark.skipif(SOAK == 1, reason="takes 2 GB of memory; in the long form only")
@pytest.mark.parametrize(("width", "height", "kind"), [(8_191, 12_000, "WEBP"), (10_000, 10_000, "PNG")])
def test_the_largest_pictures_fit(one: Worker, width: int, height: int, kind: str) -> None:
    """With transparency, which takes most."""
    stream = io.BytesIO()
    Image.new("RGBA", (width, height), (9, 9, 9, 9)).save(stream, kind, lossless=True, method=0)
    assert one.embed(stream.getvalue()).photo.width == width
