"""Photos as they come: names on standard input, and files that appear in a folder."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlsplit, urlunsplit

import pytest

from tagdb import recommend
from tagdb.embedding.backbone import resolve
from tagdb.errors import BackboneMismatch, TagdbError
from tagdb.photos import watching
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tests.support.commands import Run
from tests.support.pictures import photo

NEVER = {"tensorflow", "keras", "scipy", "implicit", "pandas", "sqlalchemy", "alembic", "matplotlib"}
"""What only other commands need."""


def named(content: bytes) -> bytes | list[str]:
    found = watching.read_stream(io.BytesIO(content))
    return found if isinstance(found, bytes) else list(found)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_a_picture_is_told_from_names(kind: str) -> None:
    content = photo(1, kind)
    assert named(content) == content
    newline = {"BMP": 2, "WEBP": 4}.get(kind)  # the size in the header may have any bytes
    if newline:
        content = content[:newline] + b"\n\n" + content[newline + 2 :]
        assert named(content) == content


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (b"a.jpg\nb.jpg\n", ["a.jpg", "b.jpg"]),
        (b"BM.jpg\nRIFF.jpg", ["BM.jpg", "RIFF.jpg"]),
        (b"\n\r\n a b.jpg\r\n\n", [" a b.jpg"]),
        (b"a\n\nb\nc", ["a", "b", "c"]),
        ("grüße und ein langer Name.jpg\nx".encode(), ["grüße und ein langer Name.jpg", "x"]),
        (b"caf\xe9.jpg\n", [os.fsdecode(b"caf\xe9.jpg")]),
        (b"\xef\xbb\xbfa.jpg\r\nb.jpg\r\n", ["a.jpg", "b.jpg"]),
        (b"\xef\xbb\xbfa long name of a photo.jpg", ["a long name of a photo.jpg"]),
        (b"\xef\xbb\xbf", []),
        (b"\xef\xbb\xbf\na.jpg", ["a.jpg"]),
    ],
)
def test_names_from_standard_input_by_line_or_by_nul(text: bytes, names: list[str]) -> None:
    assert named(text) == names
    assert named(b"") == b""


def test_a_picture_of_another_kind_is_no_list_of_names() -> None:
    for content in (
        b"\0\0\0\x24ftypheic\0\0\0\0mif1heic\n", b"\xff\x0a\xf0\n", b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14",
        b"FUJIFILMCCD-RAW \n", b"\0\0\0\x14ftypqt  \n",
    ):  # fmt: skip
        assert named(content) == content


def test_lines_on_standard_input(filled: Path, tagdb: Run) -> None:
    names = [str(filled / "04.jpg"), str(filled / "gone.jpg"), str(filled / "00.jpg")]
    done = tagdb("recommend", "-", "--json", stdin="\n".join([*names[:2], "", names[2]]))
    assert done.exit_code == 3
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["photo"] for one in found] == names
    assert found[1]["error"] == "cannot be read: No such file or directory"
    both = json.loads(tagdb("recommend", names[0], names[2], "--json").stdout)
    assert [found[0], found[2]] == both
    assert tagdb("recommend", "-", stdin="gone.jpg\n").exit_code == 1


@contextmanager
def running(url: str, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """The real program, going on until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tagdb", "recommend", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TAGDB_DATABASE_URL": url},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            assert stream is not None
            stream.close()


def test_an_answer_comes_before_the_next_name(filled: Path, tagdb: Run, database_url: str) -> None:
    with running(database_url, "-", "--format", "hashtags") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for name in ("04.jpg", "00.jpg"):
            process.stdin.write(f"{filled / name}\n")
            process.stdin.flush()
            expected = tagdb("recommend", filled / name, "--format", "hashtags").stdout
            assert process.stdout.readline() == expected
        process.stdin.close()
        assert process.wait(20) == 0


def test_watching_a_folder(filled: Path, tagdb: Run, database_url: str, tmp_path: Path) -> None:
    """Also beyond a connection that breaks; Ctrl-C is the way to end it."""
    folder = tmp_path / "incoming"
    folder.mkdir()
    (folder / "old.jpg").write_bytes((filled / "00.jpg").read_bytes())
    with running(database_url, "--watch", folder, "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stderr.readline() == f"watching {folder}; stop with Ctrl-C\n"
        for name in ("04.jpg", "07.jpg"):
            (folder / name).write_bytes((filled / name).read_bytes())
            found = json.loads(process.stdout.readline())
            assert found["photo"] == str(folder / name)
            expected = json.loads(tagdb("recommend", filled / name, "--json").stdout)[0]["hashtags"]
            assert found["hashtags"] == expected
            with database.connect(database_url) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND application_name = 'tagdb'"
                    " AND pid <> pg_backend_pid()"
                )
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        said = process.stderr.read()
        assert said == "the connection to the database broke; reconnecting\n"


def test_a_folder_that_goes_while_it_is_watched(filled: Path, tagdb: Run, tmp_path: Path) -> None:
    """A program that watches ends then, so that it is noticed; what is broken before is only rejected."""
    folder = tmp_path / "incoming"
    folder.mkdir()

    def fill() -> None:
        (folder / "broken.jpg").write_text("milk, bread")
        (folder / "fine.jpg").write_bytes((filled / "04.jpg").read_bytes())

    looks = Looks(fill, None, lambda: shutil.rmtree(folder))
    with patch.object(watching, "new_photos", partial(watching.new_photos, pause=looks)):
        done = tagdb("recommend", "--watch", folder, "--format", "hashtags")
    assert done.exit_code == 1
    assert done.stdout == tagdb("recommend", filled / "04.jpg", "--format", "hashtags").stdout
    _, rejected, gone = done.stderr.splitlines()
    assert rejected.startswith(f"rejected {folder / 'broken.jpg'}: not an image in a supported format")
    assert gone == f"Error: cannot watch {folder}: No such file or directory"


def test_a_database_that_does_not_come_back(
    filled: Path, tagdb: Run, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def names(folder: Path) -> Iterator[str]:
        yield str(filled / "04.jpg")
        server = urlunsplit(urlsplit(database_url)._replace(path="/postgres"))
        database.drop_database(server, urlsplit(database_url).path[1:])
        yield str(filled / "05.jpg")

    monkeypatch.setattr(watching, "new_photos", names)
    monkeypatch.setattr("tagdb.postgres.database.PATIENCE", 0.1)
    done = tagdb("recommend", "--watch", filled, "--format", "hashtags")
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == 1
    _, broke, sentence = done.stderr.splitlines()
    assert broke == "the connection to the database broke; reconnecting"
    assert sentence.startswith("Error: the database did not come back: cannot connect to database ")


def test_a_folder_that_is_none(filled: Path, tagdb: Run) -> None:
    assert tagdb("recommend", "--watch", filled / "gone").exit_code == 2
    assert tagdb("recommend").exit_code == 2
    assert tagdb("recommend", filled / "04.jpg", "--watch", filled).exit_code == 2


def test_a_switch_of_backbones_ends_the_watch(filled: Path, home: Path, connection: Connection) -> None:
    """Ends what goes on: its embeddings are of another kind."""

    def names() -> Iterator[str]:
        yield str(filled / "04.jpg")
        connection.execute("UPDATE tagdb_store.backbones SET weights_sha256 = sha256('another')")
        yield str(filled / "05.jpg")

    network = resolve(None, None, recommend.backbone_of(connection), home / "backbones")
    answers = recommend.recommend(connection, network, names(), at_once=True)
    assert len(next(answers)[1]) == 6  # type: ignore[arg-type]
    with pytest.raises(BackboneMismatch, match="the backbone of this database was changed"):
        next(answers)


class Looks:
    """Does something between two looks at a folder, and ends after the last."""

    def __init__(self, *steps: object) -> None:
        self.steps = list(steps)

    def __call__(self, seconds: float) -> None:
        if not self.steps:
            raise EOFError
        step = self.steps.pop(0)
        if callable(step):
            step()


def seen(folder: Path, *steps: object) -> list[str]:
    """Names of the photos that are found while these things happen."""
    found: list[str] = []
    with pytest.raises(EOFError):
        found.extend(Path(name).name for name in watching.new_photos(folder, Looks(*steps)))
    return found


def test_only_what_is_new_and_whole(tmp_path: Path) -> None:
    def write(name: str, text: bytes) -> object:
        def step() -> None:
            with (tmp_path / name).open("ab") as file:
                file.write(text)

        return step

    write("old.jpg", b"old")()  # type: ignore[operator]
    steps = [
        write("new.JPG", b"half"), write("new.JPG", b", whole"), write("notes.txt", b"no"), None, None,
        write("old.jpg", b", changed"), None, (tmp_path / "new.JPG").unlink, write("new.JPG", b"again"), None,
    ]  # fmt: skip
    assert seen(tmp_path, *steps) == ["new.JPG", "old.jpg", "new.JPG"]


def test_photos_by_any_name_and_what_cannot_be_read(tmp_path: Path) -> None:
    """As in a folder that is ingested; pictures of other kinds come, to be refused with a reason."""

    def fill() -> None:
        for name in ("a", "b.jfif", "c.jpg.part", ".d.jpg", "e.JPG~"):
            (tmp_path / name).write_bytes(photo(1))
        for name in ("f.heic", "g.dng", "h.mp4", "i.csv", "j.psd"):
            (tmp_path / name).write_bytes(b"II*\0" if name == "g.dng" else b"")

    assert seen(tmp_path, fill, None, None) == ["a", "b.jfif", "e.JPG~", "f.heic", "g.dng", "j.psd"]


def test_a_folder_that_goes(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(TagdbError, match=f"cannot watch {folder}: No such file or directory"):
        next(watching.new_photos(folder, Looks(folder.rmdir)))


MEASURED = """
import resource, sys
from pathlib import Path
from tagdb.cli import cli

cli(sys.argv[1:], standalone_mode=False)
status = Path("/proc/self/status")
if status.exists():  # on Linux getrusage() knows the memory of who started the process, too, which is pytest
    highest = int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024
else:
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(highest, *{name.split(".")[0] for name in sys.modules}, file=sys.stderr)
"""


def test_what_a_fresh_process_loads(filled: Path, database_url: str, tagdb: Run) -> None:
    """Starting is most of what one recommendation takes; 300 MB of memory are the most."""
    command = [sys.executable, "-c", MEASURED, "recommend", str(filled / "04.jpg"), "--json"]
    settings = os.environ | {"TAGDB_DATABASE_URL": database_url}
    done = subprocess.run(command, capture_output=True, text=True, env=settings, check=True)
    highest, *modules = done.stderr.splitlines()[-1].split()
    assert {"numpy", "psycopg", "PIL"} <= set(modules)
    assert not NEVER & set(modules)
    assert 10e6 < int(highest) < 300e6
