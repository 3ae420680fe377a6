"""Formats of sources: by what each is known, and what is taken from it.

The files are made here as the programs make them, as far as tagdb reads them.
"""

import json
import lzma
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tagdb.errors import SourceError
from tagdb.photos.formats import formats
from tagdb.photos.sources import Reading, Record, Rejection, Source, open_source
from tests.support.pictures import photo
from tests.support.shared import ROOT


def put(path: Path, content: object = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(content, str | bytes):
        content = json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(folder: Path, **reading: Any) -> tuple[Source, dict[str, Record]]:
    """The source, and its records by the name of their file; nothing is rejected."""
    source = open_source(str(folder), Reading(**reading))
    found = list(source)
    assert source.count() == len(found)
    assert not [one for one in found if isinstance(one, Rejection)], found
    return source, {one.file.name: one for one in found if isinstance(one, Record)}


TIME = datetime(2023, 5, 6, 7, 8, 9, tzinfo=UTC)
SECONDS = int(TIME.timestamp())


# --- gallery-dl ---------------------------------------------------------------------------------------


def test_gallery_dl_with_a_file_beside_each_photo(tmp_path: Path) -> None:
    instagram = {
        "category": "instagram",
        "subcategory": "post",
        "extension": "jpg",
        "filename": "1",
        "num": 1,
        "description": "Low tide #Sea #sun!",
        "tags": ["#Sea", "#sun"],
        "post_shortcode": "Cabc",
        "likes": 7,
        "date": "2023-05-06 07:08:09",
        "username": "someone",
        "tagged_users": [{"id": 1}],
        "_private": 1,
    }
    for number in (1, 2):  # a carousel
        put(tmp_path / f"i/{number}.jpg")
        put(tmp_path / f"i/{number}.jpg.json", instagram | {"num": number})
    put(tmp_path / "i/3.mp4")
    put(tmp_path / "i/3.mp4.json", instagram)
    put(tmp_path / "i/4.jpg")
    source, found = read(tmp_path)
    assert (source.format, source.how) == ("gallery-dl", "1.jpg.json was written by gallery-dl")
    first = found["1.jpg"]
    assert (first.hashtags, first.taken_at) == (("Sea", "sun"), TIME)
    assert first.source_ref == found["2.jpg"].source_ref == "https://www.instagram.com/p/Cabc/"
    assert first.metadata["likes"] == 7
    assert first.metadata["description"] == "Low tide #Sea #sun!"
    assert not {"tagged_users", "_private"} & set(first.metadata)
    assert first.origin == str(tmp_path / "i/1.jpg.json")
    assert found["4.jpg"].hashtags == ()
    assert str(source.left_out) == "1 video (.mp4)"


@pytest.mark.parametrize(
    ("row", "hashtags", "post"),
    [
        (
            {
                "category": "mastodon",
                "subcategory": "hashtag",
                "tags": ["sea"],
                "uri": "https://x/s/1",
                "id": "1",
                "content": "<p>Hi</p>",
            },
            ("sea",),
            "https://x/s/1",
        ),
        (
            {
                "category": "mastodon",
                "subcategory": "user",
                "tags": [],
                "uri": "https://x/s/2",
                "reblog": {"uri": "https://y/s/9"},
                "content": '<p>Low<br>#<span>tide</span> <a href="https://x/tags/sun">#<span>sun</span></a>&amp;</p>',
            },
            ("tide", "sun"),
            "https://y/s/9",
        ),
        (
            {
                "category": "twitter",
                "subcategory": "user",
                "hashtags": ["Sea"],
                "tweet_id": 5,
                "retweet_id": 4,
            },
            ("Sea",),
            "twitter:4",
        ),
        (
            {
                "category": "danbooru",
                "subcategory": "tag",
                "tag_string": "blue_sky sea",
                "id": 9,
                "search_tags": "sea",
            },
            ("blue_sky", "sea"),
            "danbooru:9",
        ),
        (
            {
                "category": "flickr",
                "subcategory": "image",
                "tags": [{"raw": "New York"}, {"name": "x"}],
                "id": 3,
            },
            ("NewYork", "x"),
            "flickr:3",
        ),
        ({"category": "a", "subcategory": "b", "tags": "new york, sea"}, ("newyork", "sea"), None),
        (
            {"category": "a", "subcategory": "b", "tags": {"en": ["sea"], "general": "sun"}},
            ("sea", "sun"),
            None,
        ),
        ({"category": "a", "subcategory": "b", "text": "no tags at all", "tags": [5, None]}, (), None),
    ],
)
def test_gallery_dls_sites(
    tmp_path: Path, row: dict[str, Any], hashtags: tuple[str, ...], post: str | None
) -> None:
    put(tmp_path / "a.png")
    put(tmp_path / "a.json", row)
    source, found = read(tmp_path)
    assert source.format == "gallery-dl"
    assert (found["a.png"].hashtags, found["a.png"].source_ref) == (hashtags, post)
    assert found["a.png"].collection == row.get("search_tags")
    assert found["a.png"].uri == (tmp_path / "a.png").as_uri()  # and not the post's


def test_gallery_dls_other_files(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    put(tmp_path / "b.jpg")
    rows = [
        {"category": "x", "filename": name, "extension": "jpg", "tags": [name], "id": name}
        for name in ("a", "b")
    ]
    put(tmp_path / "data.jsonl", "\n".join(map(json.dumps, rows)))
    source, found = read(tmp_path)
    assert source.how == "data.jsonl was written by gallery-dl"
    assert {name: one.hashtags for name, one in found.items()} == {"a.jpg": ("a",), "b.jpg": ("b",)}
    assert str(source.left_out) == ""
    (tmp_path / "data.jsonl").unlink()
    put(tmp_path / "a.jpg.txt", "New York\n#sea\n\n")
    put(tmp_path / "b.txt", "sun")
    source, found = read(tmp_path, format="gallery-dl")
    assert (found["a.jpg"].hashtags, found["b.jpg"].hashtags) == (("NewYork", "sea"), ("sun",))


# --- instaloader --------------------------------------------------------------------------------------

NODE = {
    "shortcode": "Cxyz",
    "taken_at_timestamp": SECONDS,
    "owner": {"id": "1", "username": "someone"},
    "edge_media_to_caption": {"edges": [{"node": {"text": "Low tide #Sea,#sun #นํ้า"}}]},
    "edge_media_preview_like": {"count": 4},
}


@pytest.mark.parametrize("compressed", [False, True])
def test_instaloader(tmp_path: Path, compressed: bool) -> None:
    base = tmp_path / "#seaside" / "2023-05-06_07-08-09_UTC"
    for end in ("_1.jpg", "_2.jpg", "_2.mp4"):
        put(base.with_name(base.name + end))
    post = json.dumps({"node": NODE, "instaloader": {"version": "4.14", "node_type": "Post"}}).encode()
    if compressed:
        put(base.with_name(base.name + ".json.xz"), lzma.compress(post))
    else:
        put(base.with_name(base.name + ".json"), post)
    put(base.with_name(base.name + ".txt"), "Low tide #Sea")
    put(base.with_name(base.name + "_comments.json"), "[]")
    put(tmp_path / "#seaside" / "2023-05-07_07-08-09_UTC.jpg")
    put(tmp_path / "#seaside" / "2023-05-07_07-08-09_UTC.txt", "alone #Tide")
    source, found = read(tmp_path)
    assert source.format == "instaloader"
    first, second = found[base.name + "_1.jpg"], found[base.name + "_2.jpg"]
    assert first.hashtags == second.hashtags == ("Sea", "sun", "นํ้า")
    assert first.source_ref == second.source_ref == "https://www.instagram.com/p/Cxyz/"
    assert (first.taken_at, first.collection) == (TIME, "seaside")
    assert first.metadata == {"caption": "Low tide #Sea,#sun #นํ้า", "username": "someone", "likes": 4}
    alone = found["2023-05-07_07-08-09_UTC.jpg"]
    assert (alone.hashtags, alone.metadata) == (("Tide",), {"caption": "alone #Tide"})
    assert alone.taken_at == TIME.replace(day=7)  # its name says it
    assert str(source.left_out) == "1 video (.mp4)"


def test_instaloader_by_its_names_alone(tmp_path: Path) -> None:
    put(tmp_path / "2023-05-06_07-08-09_UTC.jpg")
    assert read(tmp_path)[0].how == "2023-05-06_07-08-09_UTC.jpg is named as instaloader does"


# --- Instagram's and Facebook's exports ---------------------------------------------------------------


def mangled(text: str) -> str:
    return text.encode().decode("latin-1")


def test_instagrams_export(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        put(tmp_path / f"media/posts/{name}.jpg")
    put(tmp_path / "media/posts/d.mp4")
    posts = [
        {
            "media": [
                {
                    "uri": "media/posts/a.jpg",
                    "creation_timestamp": SECONDS,
                    "title": mangled("Größe #Strand 🏖"),
                }
            ]
        },
        {
            "title": mangled("Zwei #Hunde"),
            "creation_timestamp": SECONDS,
            "media": [
                {"uri": f"media/posts/{name}", "creation_timestamp": SECONDS, "title": ""}
                for name in ("b.jpg", "c.jpg", "d.mp4")
            ],
        },
    ]
    put(tmp_path / "your_instagram_activity/media/posts_1.json", posts)
    source, found = read(tmp_path)
    assert source.format == "meta"
    assert source.how.startswith("your_instagram_activity/media/posts_1.json is one of")
    assert (found["a.jpg"].hashtags, found["a.jpg"].taken_at) == (("Strand",), TIME)
    assert found["a.jpg"].metadata == {"caption": "Größe #Strand 🏖"}
    assert found["b.jpg"].hashtags == found["c.jpg"].hashtags == ("Hunde",)
    assert found["b.jpg"].source_ref == found["c.jpg"].source_ref != found["a.jpg"].source_ref
    assert str(source.left_out) == "1 video (.mp4)"


def test_instagrams_old_export(tmp_path: Path) -> None:
    put(tmp_path / "photos/201805/a.jpg")
    old = {
        "photos": [{"caption": "#Old", "taken_at": "2018-05-06T07:08:09", "path": "photos/201805/a.jpg"}],
        "videos": [{"caption": "", "path": "videos/x.mp4"}],
    }
    put(tmp_path / "media.json", old)
    _, found = read(tmp_path)
    assert (found["a.jpg"].hashtags, found["a.jpg"].taken_at) == (("Old",), TIME.replace(year=2018))


def test_facebooks_export(tmp_path: Path) -> None:
    put(tmp_path / "your_facebook_activity/posts/media/a.jpg")
    put(tmp_path / "your_facebook_activity/posts/media/b.jpg")
    medium = {
        "uri": "your_facebook_activity/posts/media/a.jpg",
        "creation_timestamp": SECONDS,
        "description": "#one",
    }
    post = {
        "timestamp": SECONDS,
        "data": [{"post": mangled("Käse #zwei")}],
        "attachments": [{"data": [{"media": medium}]}],
    }
    put(tmp_path / "your_facebook_activity/posts/your_posts__check_ins__photos_and_videos_1.json", [post])
    album = {
        "name": mangled("Süden"),
        "photos": [
            {
                "uri": "your_facebook_activity/posts/media/b.jpg",
                "creation_timestamp": SECONDS,
                "description": "#drei",
            }
        ],
    }
    put(tmp_path / "your_facebook_activity/posts/album/0.json", album)
    _, found = read(tmp_path)
    assert set(found["a.jpg"].hashtags) == {"one", "zwei"}
    assert (found["b.jpg"].hashtags, found["b.jpg"].collection) == (("drei",), "Süden")


# --- Google Takeout -----------------------------------------------------------------------------------


def test_takeout(tmp_path: Path) -> None:
    said = {"title": "IMG.jpg", "description": "Low tide #sea", "photoTakenTime": {"timestamp": str(SECONDS)}}
    album = tmp_path / "Google Photos" / "Holiday"
    year = tmp_path / "Google Photos" / "Photos from 2023"
    put(album / "IMG.jpg")
    put(album / "IMG.jpg.supplemental-metadata.json", said)
    put(album / "IMG-edited.jpg")
    put(year / "IMG(1).jpg")
    put(year / "IMG.jpg(1).json", said | {"description": "#one"})
    put(year / "IMG.jpg")
    put(year / "IMG.jpg.suppl.json", said | {"description": "#none"})
    long = "a-name-of-more-than-forty-six-characters-in-all.jpg"
    put(year / long)
    put(year / f"{long[:46]}.json", said | {"description": "#long"})
    put(year / "metadata.json", {"title": "Photos from 2023"})
    put(year / "clip.mp4")
    source = open_source(str(tmp_path))
    assert source.format == "takeout"
    found = {
        str(one.path.relative_to(tmp_path / "Google Photos")): one
        for one in source
        if isinstance(one, Record)
    }
    assert {name: one.hashtags for name, one in found.items()} == {
        "Holiday/IMG.jpg": ("sea",),
        "Holiday/IMG-edited.jpg": ("sea",),
        f"Photos from 2023/{long}": ("long",),
        "Photos from 2023/IMG(1).jpg": ("one",),
        "Photos from 2023/IMG.jpg": ("none",),
    }
    assert (found["Holiday/IMG.jpg"].collection, found["Holiday/IMG.jpg"].taken_at) == ("Holiday", TIME)
    assert found["Photos from 2023/IMG.jpg"].collection is None
    source.count()
    assert str(source.left_out) == "1 video (.mp4)"


# --- Data sets ----------------------------------------------------------------------------------------


def test_harrison(tmp_path: Path) -> None:
    put(tmp_path / "set/a/1.jpg")
    put(tmp_path / "set/a/2.jpg")
    put(tmp_path / "data_list.txt", "set/a/1.jpg\nset/a/2.jpg\nset/a/3.jpg\n")
    put(tmp_path / "tag_list.txt", "sea sun\n#Beach\n")
    for name in (tmp_path, tmp_path / "data_list.txt"):
        source = open_source(str(name))
        assert source.format == "harrison"
        first, second, third = source
        assert isinstance(first, Record)
        assert isinstance(second, Record)
        assert (first.hashtags, first.line, second.hashtags) == (("sea", "sun"), 1, ("#Beach",))
        assert isinstance(third, Rejection)
        assert (third.line, third.reason) == (3, "tag_list.txt has no line 3")


def test_image_folders_with_splits(tmp_path: Path) -> None:
    put(tmp_path / "train/a.jpg")
    put(tmp_path / "train/metadata.csv", "file_name,tags\na.jpg,\"['sea', 'sun']\"\n")
    put(tmp_path / "test/in/b.jpg")
    put(tmp_path / "test/metadata.jsonl", {"file_name": "in/b.jpg", "text": "Low tide #Beach"})
    source, found = read(tmp_path)
    assert source.how == "there is test/metadata.jsonl and train/metadata.csv"
    assert (found["a.jpg"].hashtags, found["a.jpg"].metadata["split"]) == (("sea", "sun"), "train")
    assert (found["b.jpg"].hashtags, found["b.jpg"].metadata["split"]) == (("Beach",), "test")
    assert str(source.left_out) == ""


@pytest.mark.parametrize("column", ["hashtags", "tags", "label", "caption"])
def test_columns_of_image_folders(tmp_path: Path, column: str) -> None:
    put(tmp_path / "a.jpg")
    put(tmp_path / "metadata.jsonl", {"file_name": "a.jpg", column: "#Sea #sun"})
    assert read(tmp_path)[1]["a.jpg"].hashtags == ("Sea", "sun")


def test_parquet_with_photos(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    contents = [photo(number) for number in range(40)]
    table = pyarrow.table(
        {
            "image": [{"bytes": content, "path": f"{number}.jpg"} for number, content in enumerate(contents)],
            "hashtags": [[f"tag{number}"] for number in range(40)],
            "taken_at": [TIME] * 40,
            "embedding": [[0.5] * 8] * 40,
            "label": [None] * 40,
            "title": ["x"] * 40,
        }
    )
    path = tmp_path / "data" / "train-00000-of-00001.parquet"
    path.parent.mkdir()
    parquet.write_table(table, path)
    for name in (tmp_path, path):
        source, found = read(name)
        assert source.format == "parquet"
        assert len(found) == 40
        one = found["7.jpg"]
        assert (one.hashtags, one.taken_at, one.metadata) == (("tag7",), TIME, {"title": "x"})
        assert (one.file.read(), one.uri, one.line) == (contents[7], f"{path.as_uri()}#8", 8)
        assert one.size > len(contents[7])


def test_parquet_that_names_photos(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    put(tmp_path / "a.jpg")
    parquet.write_table(pyarrow.table({"file_name": ["a.jpg"], "tags": ["#sea"]}), tmp_path / "m.parquet")
    assert read(tmp_path / "m.parquet")[1]["a.jpg"].hashtags == ("sea",)
    put(tmp_path / "bad.parquet", b"PAR1 and nothing else")
    (rejection,) = open_source(str(tmp_path / "bad.parquet"))
    assert isinstance(rejection, Rejection)
    assert rejection.reason.startswith("cannot be read as Parquet: ")


def test_folders_that_say_what_their_photos_show(tmp_path: Path) -> None:
    put(tmp_path / "train/New York/a.jpg")
    put(tmp_path / "b.jpg")
    assert read(tmp_path)[0].format == "photos"
    _, found = read(tmp_path, format="folders")
    assert (found["a.jpg"].hashtags, found["a.jpg"].collection) == (("NewYork",), "New York")
    assert found["b.jpg"].hashtags == (tmp_path.name,)


# --- All of them --------------------------------------------------------------------------------------


def test_what_a_person_says_about_all_photos(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    put(tmp_path / "m.jsonl", [])
    put(tmp_path / "m.jsonl", {"file_name": "a.jpg", "hashtags": ["sea"], "collection": "c"})
    _, found = read(tmp_path / "m.jsonl", collection="d", hashtags=("Sun",))
    assert (found["a.jpg"].hashtags, found["a.jpg"].collection) == (("sea", "Sun"), "c")
    (tmp_path / "m.jsonl").unlink()
    _, found = read(tmp_path, collection="d", hashtags=("Sun",))
    assert (found["a.jpg"].hashtags, found["a.jpg"].collection) == (("Sun",), "d")


def test_the_table_of_formats_has_them_all() -> None:
    table = (ROOT / "docs/sources.md").read_text("utf-8")
    names = re.findall(r"^\| `(\w[\w-]*)` \| .* \| .* \| .*\|$", table, re.MULTILINE)
    assert names[: len(formats())] == list(formats())


def test_a_format_that_does_not_exist(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    with pytest.raises(
        SourceError, match="no format is called lightroom; there are scraped, harrison, parquet"
    ):
        open_source(str(tmp_path), Reading(format="lightroom"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[",
        b"[]",
        b"5",
        b'{"category": 1, "subcategory": 2}',
        b'{"node": 5, "instaloader": {}}',
        b"\xff\xfe{",
        b'{"photoTakenTime": 5, "description": 5, "title": []}',
        b'{"node": {"edge_media_to_caption": 5, "caption": []}}',
        b'{"category": "x", "subcategory": "y", "tags": {"a": {"b": []}}, "date": [], "id": {}}',
        b"[" * 100_000,
        b'{"category": "x", "extension": "y", "tags": ["\\ud800", "a\\u0000"], "description": "\\ud800"}',
    ],
)
@pytest.mark.parametrize("form", ["gallery-dl", "instaloader", "takeout", None])
def test_files_beside_photos_that_are_broken(tmp_path: Path, content: bytes, form: str | None) -> None:
    """Cost what they say at most, or the photo, with a reason."""
    for name in ("2023-05-06_07-08-09_UTC.jpg.json", "2023-05-06_07-08-09_UTC.json"):
        put(tmp_path / "2023-05-06_07-08-09_UTC.jpg", photo(1))
        put(tmp_path / name, content)
        (one,) = open_source(str(tmp_path), Reading(format=form))
        assert isinstance(one, Record) or one.reason.isprintable()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"5",
        b"{}",
        b'[5, {"media": 5}, {"media": [{"uri": 5}]}]',
        b'{"photos": [{"path": "x.jpg"}]}',
    ],
)
def test_exports_that_are_broken(tmp_path: Path, content: bytes) -> None:
    put(tmp_path / "media.json", content)
    for one in open_source(str(tmp_path)):
        assert isinstance(one, Rejection)


@pytest.mark.parametrize("form", ["scraped", "harrison", "parquet", "manifest", "meta", "imagefolder"])
def test_a_folder_that_is_not_what_it_is_said_to_be(tmp_path: Path, form: str) -> None:
    put(tmp_path / "a.jpg")
    with pytest.raises(SourceError, match=f"is not what the format {form} is: "):
        open_source(str(tmp_path), Reading(format=form))
