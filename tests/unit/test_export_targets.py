"""Where exports go: names of files, and that nothing is half-written or lost."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagdb.errors import ExportError
from tagdb.export import targets
from tagdb.export.names import Names, file_name


@pytest.mark.parametrize(
    ("uri", "media_type", "name"),
    [
        ("file:///a/b/IMG%201.JPG", "image/jpeg", "IMG 1.JPG"),
        ("https://example.org/p/Abc/?x=1.png#y", "image/jpeg", "Abc.jpg"),
        ("photos/a.jpeg", "image/jpeg", "a.jpeg"),
        ("file:///a/b.jpg", "image/png", "b.png"),
        ("file:///x.parquet#12", "image/webp", "x.parquet.webp"),
        ("file:///../../etc/passwd", "image/jpeg", "passwd.jpg"),
        ("file:///a/%2e%2e%2f%2e%2e%2fx.jpg", "image/jpeg", "_.._x.jpg"),
        ("C:\\photos\\x.jpg", "image/jpeg", "x.jpg"),
        ("file:///a/..", "image/jpeg", ""),
        ("file:///a/.hidden.jpg", "image/jpeg", "hidden.jpg"),
        ("file:///a/-rf.jpg", "image/jpeg", "rf.jpg"),
        ("file:///a/x%00%0a%1b.jpg", "image/jpeg", "x___.jpg"),
        ("file:///a/con.jpg", "image/jpeg", "_con.jpg"),
        ("file:///a/cafe%CC%81.jpg", "image/jpeg", "café.jpg"),
        ("data:image/png;base64,AAAA", "image/png", ""),
        ("http://[x/a.jpg", "image/jpeg", "a.jpg"),
        ("", "image/tiff", ""),
        ("a/IMG.CR2", "image/x-canon-cr2", "IMG.CR2"),
        ("a/IMG.NEF", "image/x-raw", "IMG.NEF"),
        ("a/IMG", "image/x-adobe-dng", "IMG.dng"),
        ("a/IMG.jpg", "image/avif", "IMG.avif"),
        ("a/IMG.HIF", "image/heic", "IMG.HIF"),
    ],
)
def test_a_name_is_the_last_part_of_the_uri(uri: str, media_type: str, name: str) -> None:
    assert file_name(uri, media_type) == name


@given(st.text(), st.sampled_from(["image/jpeg", "image/png", "image/x-strange", "image/jxl"]))
def test_no_uri_leads_out_of_the_folder(uri: str, media_type: str) -> None:
    for text in (uri, f"file:///{uri}", f"https://host/{uri}"):
        name = Names()(text, media_type, 7)
        assert Path(name).name == name
        assert name == name.strip()
        assert not name.startswith((".", "-"))
        assert len(name.encode()) <= 200
        assert name.isprintable()
        assert not set(name) & set('<>:"/\\|?*')


def test_no_name_is_given_twice_on_any_file_system() -> None:
    names = Names()
    uris = ["a/x.jpg", "b/x.jpg", "c/X.JPG", "c/x-2.jpg", "x.jpg", "é.jpg", "e\u0301.jpg", "..", ".."]
    assert [names(uri, "image/jpeg", n) for n, uri in enumerate(uris)] == [
        "x.jpg", "x-2.jpg", "X-3.JPG", "x-2-2.jpg", "x-4.jpg", "é.jpg", "é-2.jpg", "image-7.jpg",
        "image-8.jpg",
    ]  # fmt: skip


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with targets.file(str(path), False) as stream:
        stream.write(b"a")
        assert not path.exists()
    assert path.read_bytes() == b"a"
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    with pytest.raises(ExportError, match=r"exists; name another file, or replace it with --force"):
        targets.file(str(path), False).__enter__()
    with pytest.raises(TypeError), targets.file(str(path), True) as stream:
        stream.writelines([b"b", None])  # type: ignore[list-item]
    assert path.read_bytes() == b"a"
    with targets.file(str(path), True) as stream:
        stream.write(b"b")
    assert path.read_bytes() == b"b"
    assert [each.name for each in tmp_path.iterdir()] == ["out.csv"]


def test_a_file_that_came_in_the_meantime_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with (
        pytest.raises(ExportError, match="in the meantime"),
        targets.file(str(path), False),
    ):
        path.write_bytes(b"theirs")
    assert path.read_bytes() == b"theirs"


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with targets.folder(str(path), False, {}) as folder:
        folder.put("a", b"1")
        folder.put("in/b", b"2")
        assert not path.exists()
        with pytest.raises(ExportError, match="File exists"), targets._explained("a"):
            folder.put("a", b"3")
    assert (path / "in" / "b").read_bytes() == b"2"
    with pytest.raises(ZeroDivisionError), targets.folder(str(path), True, {}):
        raise ZeroDivisionError
    assert (path / "a").read_bytes() == b"1"
    with targets.folder(str(path), True, {}) as folder:
        folder.put("c", b"3")
    assert sorted(each.name for each in path.iterdir()) == [targets.MARK, "c"]
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_only_an_export_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with targets.folder(str(tmp_path / "mine"), False, {}) as folder:  # an empty one is taken
        folder.put("a", b"1")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter").write_text("dear")
    for target, force, reason in (
        ("mine", False, "is not empty; name another folder, or replace an export with --force"),
        ("other", False, "is not empty"),
        ("other", True, "something else than an export"),
        ("other/letter", True, "is not a folder"),
        ("none/out", False, "does not exist; create it first"),
    ):
        with pytest.raises(ExportError, match=reason):
            targets.folder(str(tmp_path / target), force, {}).__enter__()
    for target, reason in (("other", "is a folder"), ("none/x.csv", "does not exist"), ("", "is empty")):
        with pytest.raises(ExportError, match=reason):
            targets.file(target and str(tmp_path / target), True).__enter__()
    assert (tmp_path / "other" / "letter").read_text() == "dear"


def test_replacing_keeps_mode_and_follows_links(tmp_path: Path) -> None:
    real, link = tmp_path / "real.jpg", tmp_path / "link.jpg"
    real.write_bytes(b"old")
    real.chmod(0o640)
    os.utime(real, (1e9, 1e9))
    link.symlink_to(real)
    targets.replace(link, b"new", like=link)
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert real.stat().st_mtime == 1e9
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link.jpg", "real.jpg"]
