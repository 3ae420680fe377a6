"""``tagdb feedback``."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tagdb.postgres.database import Connection
from tests.support.commands import Run, complaint, parsed


def offered(tagdb: Run, photo: Path, chosen: tuple[object, ...], *arguments: object) -> list[str]:
    """What is recommended for a photo."""
    found = tagdb("recommend", photo, "--top", 50, *arguments, "--json", *chosen)
    assert found.exit_code == 0, found.output
    return [one["hashtag"] for one in parsed(found)[0]["hashtags"]]


def sources(connection: Connection, name: str) -> dict[str, str]:
    """The hashtags of a photo, and where each is known from."""
    query = (
        "SELECT hashtag, source FROM tagdb.image_hashtags JOIN tagdb.images USING (image_id)"
        " WHERE uri LIKE '%%' || %s"
    )
    return dict(connection.execute(query, (f"/{name}",)).fetchall())


def test_accepting_and_rejecting(
    filled: Path, tagdb: Run, chosen: tuple[object, ...], connection: Connection
) -> None:
    """02.jpg is #city #night."""
    photo = filled / "02.jpg"
    plain = offered(tagdb, photo, chosen)
    assert {"sea", "beach"} <= {*plain}
    done = tagdb("feedback", photo, "--accepted", "#Sea, summer", "--accepted", "sun", "--rejected", "Beach")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"{photo}: 3 accepted, 1 rejected\n"
    assert sources(connection, "02.jpg") == {
        "city": "ingest",
        "night": "ingest",
        "sea": "feedback",
        "summer": "feedback",
        "sun": "feedback",
    }
    assert offered(tagdb, photo, chosen) == [name for name in plain if name != "beach"]
    assert "beach" in offered(tagdb, filled / "03.jpg", chosen)
    assert "street" not in offered(tagdb, photo, chosen, "--exclude", "street")


def test_a_copy_of_the_photo_is_the_photo(
    filled: Path, tagdb: Run, chosen: tuple[object, ...], tmp_path: Path
) -> None:
    """Also one that is read from standard input: the content counts."""
    copy = tmp_path / "copy.jpg"
    copy.write_bytes((filled / "02.jpg").read_bytes())
    assert tagdb("feedback", copy, "--rejected", "beach").exit_code == 0
    assert "beach" not in offered(tagdb, filled / "02.jpg", chosen)
    done = tagdb("feedback", "-", "--accepted", "beach", stdin=copy.read_bytes())
    assert (done.exit_code, done.stdout) == (0, "-: 1 accepted, 0 rejected\n")
    assert "beach" in offered(tagdb, filled / "02.jpg", chosen)


def test_feedback_as_json(filled: Path, tagdb: Run) -> None:
    found = parsed(
        tagdb("feedback", filled / "02.jpg", "--accepted", "sea", "--rejected", "sun,beach", "--json")
    )
    assert isinstance(found.pop("image_id"), int)
    assert found.pop("uri").endswith("/02.jpg")
    assert found == {"accepted": 1, "rejected": 2}


def test_how_it_was_received(filled: Path, tagdb: Run) -> None:
    empty = tagdb("feedback")
    assert (empty.exit_code, empty.stdout) == (0, "")
    assert empty.stderr == "no feedback yet; to give some: tagdb feedback PHOTO --accepted a,b --rejected c\n"
    assert parsed(tagdb("feedback", "--json")) == []
    assert tagdb("factors", "compute", "--factors", 4, "--quiet").exit_code == 0
    tagdb("feedback", filled / "02.jpg", "--accepted", "sea,sun,summer", "--rejected", "beach")
    tagdb("feedback", filled / "03.jpg", "--rejected", "sea", "--run", 1)
    today = datetime.now(UTC).date()
    monday = str(today - timedelta(days=today.weekday()))
    assert parsed(tagdb("feedback", "--json")) == [
        {"factor_run_id": 1, "week": monday, "images": 1, "accepted": 0, "rejected": 1, "acceptance": 0.0},
        {"factor_run_id": 2, "week": monday, "images": 1, "accepted": 3, "rejected": 1, "acceptance": 0.75},
    ]
    done = tagdb("feedback")
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["run", "week", "images", "accepted", "rejected", "acceptance"],
        ["1", monday, "1", "0", "1", "0%"],
        ["2", monday, "1", "3", "1", "75%"],
    ]


def test_feedback_before_there_is_a_run(ingest: Run, tagdb: Run, photos: Path) -> None:
    assert ingest(photos / "photos.csv", "--quiet").exit_code == 0
    assert tagdb("feedback", photos / "00.jpg", "--accepted", "sea").exit_code == 0
    done = tagdb("feedback")
    assert done.stdout.splitlines()[1].split()[0] == "-"
    assert parsed(tagdb("feedback", "--json"))[0]["factor_run_id"] is None


def test_what_cannot_be(filled: Path, tagdb: Run, tmp_path: Path, connection: Connection) -> None:
    photo = filled / "02.jpg"
    stranger = tmp_path / "stranger.jpg"
    stranger.write_bytes(b"not even a photo")
    for arguments, said in (
        ((stranger, "--accepted", "sea"), f"{stranger} is not stored; run: tagdb ingest {stranger}"),
        ((tmp_path / "none.jpg", "--accepted", "sea"), "none.jpg: cannot be read: No such file"),
        ((photo, "--accepted", "sea", "--rejected", "#SEA"), "#sea cannot be both accepted and rejected"),
        ((photo, "--accepted", "sea", "--run", 9), "there is no factor run 9"),
    ):
        assert said in complaint(tagdb("feedback", *arguments))
    assert connection.execute("SELECT count(*) FROM tagdb_store.feedback").fetchone() == (0,)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("00.jpg",), "give the hashtags that were right or wrong"),
        (("--accepted", "sea"), "name the photo that the hashtags belong to"),
        (("00.jpg", "--accepted", "sea!sun"), "--accepted/--rejected/--withdraw: "),
        (("00.jpg", "--rejected", "#"), "--accepted/--rejected/--withdraw: "),
        (("00.jpg", "--accepted", "sea", "--run", "x"), "--run"),
        (("00.jpg", "--accepted", " , "), "--accepted/--rejected/--withdraw: no hashtag in ' , '"),
    ],
)
def test_usage_errors_of_feedback(tagdb: Run, arguments: tuple[object, ...], said: str) -> None:
    done = tagdb("feedback", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
