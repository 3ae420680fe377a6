"""``tagdb remove``, ``tag`` and ``untag``."""

import json
import shutil
from pathlib import Path

import pytest

from tagdb.postgres.database import Connection
from tests.support.commands import Run, complaint, draw, parsed


def uris(connection: Connection) -> set[str]:
    """The file names of all images."""
    return {row[0].rsplit("/", 1)[1] for row in connection.execute("SELECT uri FROM tagdb.images")}


def number_of(connection: Connection, name: str) -> int:
    """The number of an image, by the name of its file."""
    row = connection.execute(
        "SELECT image_id FROM tagdb.images WHERE uri LIKE '%%' || %s", (f"/{name}",)
    ).fetchone()
    assert row is not None
    return int(row[0])


def hashtags(connection: Connection, name: str) -> dict[str, str]:
    """The hashtags of an image and where they come from, by the name of its file."""
    asked = "SELECT hashtag, source FROM tagdb.image_hashtags WHERE image_id = %s"
    return dict(connection.execute(asked, (number_of(connection, name),)).fetchall())


def folded_in(connection: Connection, name: str) -> str | None:
    """The factors of an image that was folded in."""
    row = connection.execute(
        "SELECT factors::text FROM tagdb_store.image_factors WHERE image_id = %s AND folded_in",
        (number_of(connection, name),),
    ).fetchone()
    return None if row is None else row[0]


# --- remove -------------------------------------------------------------------------------------------


def test_photos_are_removed(filled: Path, tagdb: Run, connection: Connection) -> None:
    kept = connection.execute(
        "SELECT image_id, factors::text FROM tagdb_store.image_factors JOIN tagdb.images USING (image_id)"
        " WHERE uri !~ '/0[0-2].jpg' ORDER BY 1"
    ).fetchall()
    number = number_of(connection, "02.jpg")
    done = tagdb("remove", filled / "00.jpg", filled / "01.jpg", number, filled / "00.jpg", "--yes")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "3 removed\n", "")
    assert uris(connection) == {f"{n:02}.jpg" for n in range(3, 12)}
    assert connection.execute("SELECT images FROM tagdb.statistics").fetchone() == (9,)
    left = "SELECT image_id, factors::text FROM tagdb_store.image_factors ORDER BY 1"
    assert connection.execute(left).fetchall() == kept
    assert all("wrong" not in each["severity"] for each in parsed(tagdb("doctor", "--json"))["findings"])


def test_a_photo_is_found_by_its_content_or_its_place(
    filled: Path, tagdb: Run, connection: Connection, tmp_path: Path
) -> None:
    shutil.copy(filled / "00.jpg", tmp_path / "copy.png")
    assert parsed(tagdb("remove", tmp_path / "copy.png", "--yes", "--json")) == {"removed": 1}
    (filled / "01.jpg").unlink()
    assert parsed(tagdb("remove", filled / "01.jpg", "--yes", "--json")) == {"removed": 1}
    (filled / "02.jpg").write_bytes(b"another")
    assert parsed(tagdb("remove", filled / "02.jpg", "--yes", "--json")) == {"removed": 1}
    assert parsed(tagdb("remove", (filled / "03.jpg").as_uri(), "--yes", "--json")) == {"removed": 1}
    assert uris(connection) == {f"{n:02}.jpg" for n in range(4, 12)}


def test_a_collection_and_a_prefix(ingest: Run, tagdb: Run, photos: Path, connection: Connection) -> None:
    rows = [{"file_name": f"{n:02}.jpg", "collection": "a" if n < 4 else "b%"} for n in range(8)]
    (photos / "list.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert ingest(photos / "list.jsonl").exit_code == 0
    assert "there is no collection 'c'; there are: 'a', 'b%'" in complaint(
        tagdb("remove", "--collection", "c", "--yes")
    )
    assert tagdb("remove", "--collection", "a", "--yes").stdout == "4 removed\n"
    assert uris(connection) == {f"{n:02}.jpg" for n in range(4, 8)}
    for wrong in ("file:///%", ""):
        assert "no image has a URI that begins with" in complaint(tagdb("remove", "--uri", wrong, "--yes"))
    assert tagdb("remove", "--uri", photos.as_uri() + "/05", "--yes").stdout == "1 removed\n"
    assert uris(connection) == {"04.jpg", "06.jpg", "07.jpg"}


def test_all_or_nothing(filled: Path, tagdb: Run, connection: Connection) -> None:
    for wrong, said in (
        (filled / "none.jpg", "none.jpg is not stored"),
        (999, "there is no image 999"),
        ("a\0b", "is not stored"),
    ):
        assert said in complaint(tagdb("remove", filled / "00.jpg", wrong, "--yes"))
    assert len(uris(connection)) == 12


def test_it_asks(filled: Path, tagdb: Run, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = tagdb("remove", filled / "00.jpg", filled / "01.jpg")
    assert refused.exit_code == 1
    assert "Error: remove 2 images from the database? nobody is there to answer; pass --yes" in refused.stderr
    assert "/00.jpg\n" in refused.stderr
    assert len(uris(connection)) == 12
    monkeypatch.setattr("tagdb.cli.common.at_terminal", lambda: True)
    assert tagdb("remove", filled / "00.jpg", stdin="n\n").exit_code == 1
    assert len(uris(connection)) == 12
    assert tagdb("remove", filled / "00.jpg", stdin="y\n").exit_code == 0
    assert len(uris(connection)) == 11


@pytest.mark.parametrize("arguments", [(), ("1", "--collection", "a"), ("--collection", "a", "--uri", "b")])
def test_one_way_of_naming(tagdb: Run, arguments: tuple[str, ...]) -> None:
    assert "name photos, --collection or --uri: one of these" in tagdb("remove", *arguments).stderr


def test_removing_everything(filled: Path, tagdb: Run, ingest: Run, connection: Connection) -> None:
    """And storing it again."""
    assert tagdb("remove", "--uri", "file:", "--yes").stdout == "12 removed\n"
    assert connection.execute("SELECT coalesce(sum(images), 0) FROM tagdb.hashtag_stats").fetchone() == (0,)
    assert tagdb("doctor").exit_code == 0
    assert ingest(filled / "photos.csv").stdout.startswith("12 new")


# --- tag and untag ------------------------------------------------------------------------------------


def test_hashtags_are_given(filled: Path, tagdb: Run, connection: Connection) -> None:
    """02.jpg is #city #night."""
    done = tagdb("tag", filled / "02.jpg", "#Sea,SEA", "City", "Straße")
    assert done.exit_code == 0, done.output
    number = number_of(connection, "02.jpg")
    assert done.stdout == f"image {number}: #sea #strasse added, #city there already\n"
    assert hashtags(connection, "02.jpg") == {
        "city": "tag", "night": "ingest", "sea": "tag", "strasse": "tag",
    }  # fmt: skip
    spelt = "SELECT spelling FROM tagdb_store.hashtags WHERE hashtag = 'strasse'"
    assert connection.execute(spelt).fetchone() == ("Straße",)
    counted = "SELECT images FROM tagdb.hashtag_stats WHERE hashtag = 'strasse'"
    assert connection.execute(counted).fetchone() == (1,)
    again = parsed(tagdb("tag", number, "sea", "--json"))
    assert {name: again[name] for name in ("image_id", "added", "already")} == {
        "image_id": number, "added": [], "already": ["sea"],
    }  # fmt: skip


def test_hashtags_are_taken(filled: Path, tagdb: Run, connection: Connection) -> None:
    number = number_of(connection, "02.jpg")
    done = tagdb("untag", filled / "02.jpg", "#CITY", "nothing")
    assert (done.exit_code, done.stdout) == (0, f"image {number}: #city removed, #nothing not there\n")
    assert hashtags(connection, "02.jpg") == {"night": "ingest"}
    found = parsed(tagdb("untag", number, "city,night", "--json"))
    assert (found["removed"], found["absent"]) == (["night"], ["city"])


def test_an_alias_is_taken_with_its_hashtag(filled: Path, tagdb: Run, connection: Connection) -> None:
    assert tagdb("tags", "alias", "city", "town").exit_code == 0
    found = parsed(tagdb("untag", filled / "02.jpg", "town", "city", "--json"))
    assert (found["removed"], found["absent"]) == (["city"], [])


def test_folded_in_factors_follow(
    filled: Path, ingest: Run, tagdb: Run, tmp_path: Path, connection: Connection
) -> None:
    draw(tmp_path / "new", [40])
    photo = tmp_path / "new" / "40.jpg"
    assert ingest(photo).exit_code == 0
    assert folded_in(connection, "40.jpg") is None
    assert tagdb("tag", photo, "beach", "sun", "sea").exit_code == 0
    both = folded_in(connection, "40.jpg")
    assert both is not None
    assert tagdb("untag", photo, "sun").exit_code == 0
    assert folded_in(connection, "40.jpg") not in (None, both)
    assert tagdb("untag", photo, "beach", "sea").exit_code == 0
    assert folded_in(connection, "40.jpg") is None


def test_what_cannot_be_tagged(filled: Path, tagdb: Run, connection: Connection) -> None:
    for command in ("tag", "untag"):
        for arguments, said in (
            ((filled / "none.jpg", "a"), "none.jpg is not stored, neither by its content nor by its place"),
            ((999, "a"), "there is no image 999"),
            ((filled / "02.jpg", "b", "a$b"), "U+0024 (DOLLAR SIGN) cannot be part of a hashtag"),
            ((filled / "02.jpg", ","), "no hashtag in ','"),
        ):
            assert said in complaint(tagdb(command, *arguments))
    assert hashtags(connection, "02.jpg") == {"city": "ingest", "night": "ingest"}


def test_several_images_of_one_place(ingest: Run, tagdb: Run, photos: Path, connection: Connection) -> None:
    photo = photos / "00.jpg"
    assert ingest(photo).exit_code == 0
    shutil.copy(photos / "01.jpg", photo)
    assert ingest(photo).exit_code == 0
    photo.unlink()
    assert "name one: " in complaint(tagdb("tag", photo, "a"))
    assert tagdb("remove", photo, "--yes").stdout == "2 removed\n"


def test_a_file_that_is_named_like_a_number(
    ingest: Run, tagdb: Run, photos: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos)
    shutil.copy("00.jpg", "77")
    assert ingest("77").exit_code == 0
    assert "there is no image 77" in complaint(tagdb("tag", "77", "a"))
    assert tagdb("tag", "./77", "a").exit_code == 0
