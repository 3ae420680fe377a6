"""Which files in a folder are photos, and what is said about the others."""

import os
from pathlib import Path

import pytest

from tagdb.errors import SourceError
from tagdb.photos import kinds
from tagdb.photos.folders import LeftOut, kind_of, walk
from tagdb.photos.kinds import PHOTO
from tagdb.photos.sources import Rejection, open_source
from tests.support.pictures import photo

HEIC, AVIF = b"\0\0\0\x24ftypheic\0\0\0\0mif1heic", b"\0\0\0\x20ftypavif\0\0\0\0avifmif1"
CR3 = b"\0\0\0\x18ftypcrx \0\0\0\1"


def put(path: Path, content: bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without extras."""
    monkeypatch.setattr(kinds, "_installed", lambda module: False)


def walked(folder: Path, allow_outside: bool = False) -> tuple[list[str], str]:
    """Photos relative to the folder, and what is left out."""
    left_out = LeftOut()
    found = [str(path.relative_to(folder)) for path, _ in walk(folder, allow_outside, left_out)]
    assert found == [str(path.relative_to(folder)) for path, _ in walk(folder, allow_outside)]
    return found, str(left_out)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize(
    "name", ["a.jfif", "a.pjpeg", "a.jpg_large", "a.JPG~", "a", "a.heic", "a.mp4", "a.txt", "a.b.c"]
)
def test_a_picture_is_known_by_its_content(tmp_path: Path, name: str, kind: str) -> None:
    assert kind_of(str(put(tmp_path / name, photo(1, kind)))) == PHOTO


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.jpg", b"milk, bread", PHOTO),  # which decoding refuses with a reason
        ("a.HEIC", HEIC, PHOTO),
        ("a.hif", b"", PHOTO),
        ("a", HEIC, PHOTO),
        ("a.mov", HEIC, PHOTO),
        ("a", AVIF, PHOTO),
        ("a.avif", b"", PHOTO),
        ("a.jxl", b"", PHOTO),
        ("a", b"\xff\x0a\xfa", PHOTO),
        ("a.dng", b"II*\0", PHOTO),
        ("a.NEF", b"MM\0*", PHOTO),
        ("a", CR3, PHOTO),
        ("a.jp2", b"", "JPEG 2000"),
        ("a", b"\0\0\0\x0cjP  \r\n", "JPEG 2000"),
        ("a.psd", b"8BPS", "Photoshop"),
        ("a.MOV", b"", "video"),
        ("a", b"\0\0\0\x14ftypqt  ", "video"),
        ("a", b"\0\0\0\x20ftypisom", "video"),
        ("a", b"RIFF....AVI LIST", "video"),
        ("a.m4a", b"\0\0\0\x20ftypM4A ", "other file"),
        ("a.txt", b"", "document"),
        ("a.xmp", b"", "XMP sidecar without a photo"),
        ("a.csv", b"", "list"),
        ("a.csv", photo(1), PHOTO),
        ("a.json", photo(1), PHOTO),
        ("a.json", b"", "list"),
        ("a.jpg.json", b"", "sidecar"),
        ("a.HEIC.json", b"", "sidecar"),
        ("a.dng.json", b"", "sidecar"),
        ("a.mov.json", b"", "sidecar"),
        ("a.jpg.supplemental-metadata.json", b"", "sidecar"),
        ("a.jpg.part", photo(1), "unfinished download"),
        ("a.THM", photo(1), "thumbnail"),
        ("._a.jpg", photo(1), "hidden file"),
        (".a.jpg", photo(1), "hidden file"),
        ("Thumbs.db", photo(1), "hidden file"),
    ],
)
def test_what_a_file_is(tmp_path: Path, name: str, content: bytes, kind: str) -> None:
    assert kind_of(str(put(tmp_path / name, content))) == kind


@pytest.mark.parametrize("sidecar", ["IMG.xmp", "IMG.XMP", "IMG.JPG.xmp"])
def test_a_sidecar_belongs_to_its_photo(tmp_path: Path, sidecar: str) -> None:
    put(tmp_path / "IMG.JPG", photo(1))
    put(tmp_path / sidecar)
    assert walked(tmp_path) == (["IMG.JPG"], "")
    (tmp_path / "IMG.JPG").rename(tmp_path / "IMG2.JPG")
    assert walked(tmp_path) == (["IMG2.JPG"], "1 XMP sidecar without a photo")


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.HEIC", HEIC, PHOTO),
        ("a.jxl", b"", "JPEG XL"),
        ("a", b"\xff\x0a\xfa", "JPEG XL"),
        ("a.dng", b"II*\0", "camera RAW"),
        ("a.NEF", b"MM\0*", "camera RAW"),
        ("a", CR3, "camera RAW"),
        ("a", b"II*\0\x10\0\0\0CR\2\0", "camera RAW"),
        ("a.dng", photo(1), PHOTO),
        ("a.tif", b"II*\0", PHOTO),
        ("a.jxl.json", b"", "sidecar"),
    ],
)
def test_what_a_file_is_without_extras(tmp_path: Path, name: str, content: bytes, kind: str) -> None:
    assert kind_of(str(put(tmp_path / name, content))) == kind


@pytest.mark.usefixtures("bare")
def test_what_is_left_out_is_said_with_its_number(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    names = "b.heic c/d.HEIF e.cr2 f.dng g.jxl h.mov i.mp4 j.pdf k .l .m/n/o p.jp2 q.j2k r.psd"
    for name in names.split():
        put(tmp_path / name)
    assert walked(tmp_path) == (
        ["a.jpg", "b.heic", "c/d.HEIF"],
        "2 JPEG 2000, 1 Photoshop, which cannot be read yet; "
        "2 camera RAW (.cr2, .dng), which need pip install 'tagdb[raw]'; "
        "1 JPEG XL, which needs pip install 'tagdb[jxl]'; "
        "2 hidden files, 2 videos (.mov, .mp4), 1 document (.pdf), 1 other file",
    )
    for number in range(7):
        put(tmp_path / f"x.{number}")
    assert walked(tmp_path)[1].endswith("8 other files (.0, .1, .2, .3, .4, …), 2 hidden files, "
                                        "2 videos (.mov, .mp4), 1 document (.pdf)")  # fmt: skip


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("@eaDir/a.jpg", "1 thumbnail in @eaDir"),
        (".thumbnails", "1 thumbnail in .thumbnails"),
        ("Catalog Previews.lrdata/0", "1 thumbnail in *.lrdata"),
        ("P.photoslibrary/resources/derivatives", "1 file in *.photoslibrary/resources"),
        ("#recycle", "1 file in #recycle"),
        ("@Recycle", "1 file in @Recycle"),
        ("$Recycle.Bin/S-1", "1 file in $RECYCLE.BIN"),
        (".Trash-1000/files", "1 file in .Trash*"),
        ("lost+found", "1 file in lost+found"),
        (".picasaoriginals", "1 file in .picasaoriginals"),
        ("#snapshot", "1 folder of snapshots"),
        (".git/objects", "1 hidden file"),
    ],
)
def test_what_programs_keep_beside_photos_is_left_out(tmp_path: Path, folder: str, said: str) -> None:
    put(tmp_path / "sub" / folder / "x.jpg", photo(1))
    put(tmp_path / "resources/a.jpg")
    put(tmp_path / "P.photoslibrary/originals/b.jpg")
    assert walked(tmp_path) == (["P.photoslibrary/originals/b.jpg", "resources/a.jpg"], said)


def test_several_files_that_programs_keep(tmp_path: Path) -> None:
    for name in ("a", "b"):
        put(tmp_path / "@eaDir" / name)
        put(tmp_path / "#recycle/deep" / name)
        (tmp_path / f"{name}/.snapshots").mkdir(parents=True)
    assert walked(tmp_path)[1] == "2 files in #recycle, 2 folders of snapshots, 2 thumbnails in @eaDir"


def test_linked_folders_within_are_walked_once(tmp_path: Path) -> None:
    put(tmp_path / "z/a.jpg")
    put(tmp_path / ".store/b.jpg")
    put(tmp_path / "#recycle/c.jpg")
    for name, target in {
        "a": "z", "b": ".", "c": "z", "z/up": "..", "store": ".store", "other": ".store", "loop": "loop",
        "bin": "#recycle", "gone": "nothing",
    }.items():  # fmt: skip
        (tmp_path / name).symlink_to(target)
    found, said = walked(tmp_path)
    assert found == ["z/a.jpg", "other/b.jpg"]
    assert said == "2 other files, 1 file in #recycle, 1 hidden file"


def test_linked_folders_elsewhere_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    put(folder / "a.jpg")
    put(tmp_path / "s/b.jpg")
    (tmp_path / "s/back").symlink_to("../t")
    (folder / "link").symlink_to("../s")
    leads = f"{folder}/link leads out of the folder (use --allow-outside)"
    assert walked(folder) == (["a.jpg"], leads)
    assert walked(folder, allow_outside=True) == (["a.jpg", "link/b.jpg"], "")
    for number in range(4):
        (folder / f"l{number}").symlink_to(tmp_path)
    assert walked(folder)[1].endswith("/l2 and 2 more lead out of the folder (use --allow-outside)")


def test_the_photos_of_a_linked_folder_are_sources(tmp_path: Path) -> None:
    put(tmp_path / "s/b.jpg")
    (tmp_path / "t").mkdir()
    (tmp_path / "t/link").symlink_to("../s")
    (record,) = open_source(str(tmp_path / "t"), allow_outside=True)
    assert record.origin == str(tmp_path / "t/link/b.jpg")
    with pytest.raises(SourceError, match=r"^no photos in .*; left out: .*/link leads out of the folder"):
        open_source(str(tmp_path / "t"))


def test_with_extras_they_are_photos(tmp_path: Path) -> None:
    """A Live Photo is a photo, and a video beside it."""
    for name in ("a.heic", "a.mov", "b.jxl", "c.nef", "c.xmp"):
        put(tmp_path / name)
    assert walked(tmp_path) == (["a.heic", "b.jxl", "c.nef"], "1 video (.mov)")


def test_a_folder_with_nothing_but_lists_and_other_pictures(tmp_path: Path) -> None:
    put(tmp_path / "deep/er/photos.csv")
    put(tmp_path / "a.psd")
    with pytest.raises(SourceError) as caught:
        open_source(str(tmp_path))
    assert str(caught.value) == (
        f"no photos in {tmp_path}; there is {tmp_path}/deep/er/photos.csv: name it as SOURCE; "
        "left out: 1 Photoshop, which cannot be read yet"
    )


def test_lists_that_lie_deeper_are_named(tmp_path: Path) -> None:
    for name in ("a.jpg", "1.csv", "b/2.json", "c/3.jsonl", "c/4.tsv"):
        put(tmp_path / name)
    source = open_source(str(tmp_path))
    assert source.count() == 1
    assert (
        source.left_out.named_lists()
        == f"{tmp_path}/1.csv, {tmp_path}/b/2.json, {tmp_path}/c/3.jsonl and 1 more"
    )
    assert str(source.left_out) == ""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_nobody_waits_for_a_fifo(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    put(tmp_path / "a.jpg")
    assert walked(tmp_path) == (["a.jpg"], "1 other file")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may open all")
def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    for name in "bc":
        put(tmp_path / name, photo(1)).chmod(0)
    assert walked(tmp_path)[1] == "2 files that cannot be opened"


def test_a_folder_that_goes_meanwhile_is_a_rejection(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    put(tmp_path / "b/c.jpg")
    found = iter(open_source(str(tmp_path)))
    next(found)
    (tmp_path / "b/c.jpg").unlink()
    (tmp_path / "b").rmdir()
    (rejection,) = found
    assert isinstance(rejection, Rejection)
    assert rejection.reason == "cannot read the folder: No such file or directory"
