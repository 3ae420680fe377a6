"""Keywords in and beside photos become hashtags on ingest."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import tagdb as api
from tagdb.postgres.database import Connection
from tests.support.commands import Run, parsed, write_csv
from tests.support.described import (
    LIGHTROOM,
    bag,
    datasets,
    exif,
    keywords,
    packet,
    saved,
    with_iptc,
    with_xmp,
)

Ask = Callable[[str], Any]


@pytest.fixture
def hashtags(connection: Connection) -> Ask:
    """The hashtags of a photo as they are written there, by its name."""

    def ask(name: str) -> list[str]:
        row = connection.execute(
            "SELECT array_agg(coalesce(ih.spelling, h.hashtag) ORDER BY 1)"
            " FROM tagdb_store.images i JOIN tagdb_store.image_hashtags ih USING (image_id)"
            " JOIN tagdb_store.hashtags h USING (hashtag_id) WHERE i.uri LIKE %s",
            [f"%/{name}"],
        ).fetchone()
        assert row is not None
        return sorted(row[0] or [])

    return ask


@pytest.fixture
def said(connection: Connection) -> Ask:
    """The time and metadata of a photo, by its name."""

    def ask(name: str) -> Any:
        query = "SELECT taken_at, metadata FROM tagdb_store.images WHERE uri LIKE %s"
        return connection.execute(query, [f"%/{name}"]).fetchone()

    return ask


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One photo with keywords in it, and one with a sidecar."""
    made = tmp_path / "described"
    made.mkdir()
    (made / "in.jpg").write_bytes(with_xmp(keywords(*LIGHTROOM[0], paths=LIGHTROOM[1]), seed=1))
    (made / "beside.jpg").write_bytes(saved(seed=2))
    (made / "beside.xmp").write_bytes(keywords("New York", "#Sea"))
    return made


def test_keywords_in_and_beside_photos_are_hashtags(ingest: Run, folder: Path, hashtags: Ask) -> None:
    done = ingest(folder, "--json")
    assert done.exit_code == 0
    assert (parsed(done)["new"], parsed(done)["left_out"]) == (2, {})
    assert hashtags("in.jpg") == ["LakeComo", "food"]
    assert hashtags("beside.jpg") == ["NewYork", "Sea"]


@pytest.mark.parametrize(
    ("options", "inside", "beside"),
    [
        (["--hierarchy", "path"], ["Italy", "LakeComo", "Places", "food"], ["NewYork", "Sea"]),
        (["--keywords", "sidecar"], [], ["NewYork", "Sea"]),
        (["--keywords", "none"], [], []),
    ],
)
def test_what_is_asked_for(
    ingest: Run, folder: Path, hashtags: Ask, options: list[str], inside: list[str], beside: list[str]
) -> None:
    assert ingest(folder, *options).exit_code == 0
    assert (hashtags("in.jpg"), hashtags("beside.jpg")) == (inside, beside)


def test_the_python_api_takes_the_same_options(
    ingest: Run, database_url: str, home: Path, folder: Path, hashtags: Ask
) -> None:
    assert ingest(folder, "--limit", 1, "--keywords", "none").exit_code == 0  # makes the backbone known
    with api.connect(database_url, home=home) as db:
        db.ingest(folder, keywords="sidecar", hierarchy="path")
        assert (hashtags("in.jpg"), hashtags("beside.jpg")) == ([], ["NewYork", "Sea"])
        with pytest.raises(api.TagdbError, match="keywords must be one of"):
            db.ingest(folder, keywords="some")  # type: ignore[arg-type]


def test_an_update_takes_back_what_a_sidecar_said_and_nothing_that_is_in_the_photo(
    ingest: Run, folder: Path, hashtags: Ask, said: Ask, connection: Connection
) -> None:
    (folder / "in.xmp").write_bytes(packet(bag("dc:subject", ["sun", "food"]), 'xmp:Rating="3"'))
    ingest(folder)
    assert "nothing changed" in ingest(folder).stdout
    assert "nothing changed" in ingest(folder, "--update").stdout
    (folder / "in.xmp").unlink()
    (folder / "beside.xmp").write_bytes(keywords("New York"))
    assert "; 2 differ, kept (use --update); " in ingest(folder).stdout
    assert hashtags("in.jpg") == ["LakeComo", "food", "sun"]
    assert parsed(ingest(folder, "--update", "--json"))["updated"] == 2
    assert (hashtags("in.jpg"), hashtags("beside.jpg")) == (["LakeComo", "food"], ["NewYork"])
    assert said("in.jpg") == (None, {})
    sources = (
        "SELECT DISTINCT source FROM tagdb.image_hashtags JOIN tagdb.images USING (image_id)"
        " WHERE uri LIKE %s"
    )
    assert connection.execute(sources, ["%/in.jpg"]).fetchall() == [("photo",)]


def test_a_sidecar_that_cannot_be_used_takes_nothing_back(ingest: Run, folder: Path, hashtags: Ask) -> None:
    ingest(folder)
    (folder / "beside.xmp").write_bytes(b"<broken")
    assert ingest(folder, "--update").exit_code == 3
    assert hashtags("beside.jpg") == ["NewYork", "Sea"]


def test_a_sidecar_that_changed_adds_its_keywords(
    ingest: Run, folder: Path, hashtags: Ask, said: Ask
) -> None:
    ingest(folder)
    (folder / "beside.xmp").write_bytes(packet(bag("dc:subject", ["sun"]), 'xmp:Rating="3"'))
    done = ingest(folder, "--json")
    assert (parsed(done)["new"], parsed(done)["updated"]) == (0, 1)
    assert hashtags("beside.jpg") == ["NewYork", "Sea", "sun"]
    assert said("beside.jpg") == (None, {"rating": 3})


def test_keywords_of_known_photos_are_not_read_again(ingest: Run, folder: Path, hashtags: Ask) -> None:
    ingest(folder, "--keywords", "none")
    assert parsed(ingest(folder, "--json"))["updated"] == 1
    assert (hashtags("in.jpg"), hashtags("beside.jpg")) == ([], ["NewYork", "Sea"])


def test_a_list_counts_before_a_sidecar_and_a_sidecar_before_the_photo(
    ingest: Run, tmp_path: Path, hashtags: Ask, said: Ask
) -> None:
    for seed, name in enumerate(("a.jpg", "b.jpg", "c.jpg")):
        written = exif(keywords="in", title="in", rating=1)
        written.get_ifd(0x8769)[0x9003] = "2001:01:01 00:00:00"
        (tmp_path / name).write_bytes(saved(seed=seed, exif=written))
    beside = packet(
        bag("dc:subject", ["beside", "IN"]), 'dc:title="beside" xmp:CreateDate="2002-01-01T00:00:00"'
    )
    for name in ("a.xmp", "b.jpg.xmp"):
        (tmp_path / name).write_bytes(beside)
    write_csv(
        tmp_path / "list.csv",
        ["file_name", "hashtags", "title", "taken_at"],
        [["a.jpg", "#list #Beside", "list", "2003-01-01"], ["b.jpg", "", "", ""], ["c.jpg", "", "", ""]],
    )
    assert ingest(tmp_path / "list.csv").exit_code == 0
    assert hashtags("a.jpg") == ["Beside", "IN", "list"]
    assert hashtags("b.jpg") == ["IN", "beside"]
    assert hashtags("c.jpg") == ["in"]
    times = [datetime(year, 1, 1, tzinfo=UTC) for year in (2003, 2002, 2001)]
    assert said("a.jpg") == (times[0], {"title": "list", "rating": 1})
    assert said("b.jpg") == (times[1], {"title": "beside", "rating": 1})
    assert said("c.jpg") == (times[2], {"title": "in", "rating": 1})


def test_what_cannot_be_used_costs_itself_and_is_reported(
    ingest: Run, folder: Path, connection: Connection, hashtags: Ask
) -> None:
    (folder / "beside.xmp").write_bytes(b"milk, bread")
    (folder / "beside.jpg.xmp").write_bytes(keywords("sea", "?!"))
    (folder / "broken.jpg").write_bytes(with_xmp(b"<x", seed=3))
    done = ingest(folder)
    assert done.exit_code == 3
    assert "3 new, 0 already known, 0 updated, 3 rejected" in done.stdout
    assert hashtags("beside.jpg") == ["sea"]
    reasons = connection.execute("SELECT origin, reason FROM tagdb.ingest_errors ORDER BY reason").fetchall()
    assert reasons == [
        (str(folder / "beside.jpg"), "beside.xmp: no valid XML: syntax error: line 1, column 0"),
        (str(folder / "beside.jpg"), "keyword '?!': nothing in it can be part of a hashtag"),
        (str(folder / "broken.jpg"),
         "keywords in its XMP cannot be read: no valid XML: unclosed token: line 1, column 0"),
    ]  # fmt: skip


def test_what_a_title_says_can_always_be_stored(ingest: Run, folder: Path, said: Ask) -> None:
    (folder / "beside.jpg").write_bytes(with_iptc(datasets((2, 5, b"a\x1b\x07b"), (2, 25, b"s\x1bea"))))
    assert ingest(folder).exit_code == 0
    assert said("beside.jpg") == (None, {"title": "a b"})


def test_keywords_are_explained(tagdb: Run, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p/a.jpg").write_bytes(with_xmp(keywords("Low Tide", paths=["Places|Wales"])))
    (tmp_path / "p/a.xmp").write_bytes(keywords("dunes"))
    found = {}
    for chosen in ("all", "sidecar", "none"):
        (said,) = parsed(tagdb("ingest", tmp_path / "p", "--explain", "--json", "--keywords", chosen))
        found[chosen] = set(said["records"][0].get("hashtags", []))
    assert found == {"all": {"LowTide", "Wales", "dunes"}, "sidecar": {"dunes"}, "none": set()}
