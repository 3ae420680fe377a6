"""``tagdb stats``, and that an ingest keeps the statistics up to date by itself."""

import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from tagdb import store
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tests.support import history, seed
from tests.support.commands import Run, complaint, draw, parsed, write_csv

COUNTS = {"beach": 6, "city": 4, "night": 4, "sea": 4, "street": 4, "sun": 4}
"""On how many of the drawn photos each hashtag is."""
REFRESHED = (
    r"statistics of {} images computed in \d+\.\d s; "
    r"pairs are hashtags that share {} images or more\n"
)


@pytest.fixture
def ingest(tagdb: Run) -> Run:
    """Runs ``tagdb ingest`` with the bundled backbone."""

    def run(*arguments: object, stdin: str | bytes | None = None) -> Result:
        return tagdb("ingest", *arguments, "--backbone", "bundled", stdin=stdin)

    return run


def counts(connection: Connection) -> dict[str, int]:
    return dict(connection.execute("SELECT hashtag, images FROM tagdb.hashtag_stats WHERE images > 0"))


def pairs(connection: Connection) -> set[tuple[str, str, int]]:
    query = "SELECT hashtag, with_hashtag, images FROM tagdb.hashtag_pairs WHERE hashtag < with_hashtag"
    return set(connection.execute(query))


def more(photos: Path, first: int, last: int, *hashtags: str) -> Path:
    """A manifest of further photos, drawn for it."""
    draw(photos, range(first, last))
    manifest = photos / f"{first}.csv"
    rows = [[f"{i:02}.jpg", " ".join(hashtags)] for i in range(first, last)]
    write_csv(manifest, ["file_name", "hashtags"], rows)
    return manifest


# --- refreshing


def test_refreshing_counts_what_is_stored(tagdb: Run, connection: Connection) -> None:
    seed.world(connection)
    assert counts(connection) == {}
    done = tagdb("stats", "refresh")
    assert (done.exit_code, done.stderr) == (0, "")
    assert re.fullmatch(REFRESHED.format(20, 2), done.stdout)
    assert counts(connection) == {f"tag{n}": 3 if n < 4 else 2 for n in range(8)}


def test_an_empty_database_is_refreshed(tagdb: Run) -> None:
    assert re.fullmatch(REFRESHED.format(0, 2), tagdb("stats", "refresh").stdout)


def test_refresh_as_json(tagdb: Run, connection: Connection) -> None:
    seed.world(connection)
    done = tagdb("stats", "refresh", "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    found = parsed(done)
    when = datetime.fromisoformat(found.pop("refreshed_at"))
    assert timedelta() <= datetime.now(UTC) - when < timedelta(minutes=5)
    assert 0 < found.pop("seconds") < 60
    assert found == {"images": 20, "min_images": 2}
    row = connection.execute("SELECT refreshed_at FROM tagdb.statistics").fetchone()
    assert row == (when,)


def test_min_images_is_remembered(tagdb: Run, connection: Connection) -> None:
    names = seed.add_hashtags(connection, ["a", "b", "c"]).tolist()
    for n, image_id in enumerate(seed.add_images(connection, 3).tolist()):
        for name in names[: 3 if n == 0 else 2]:
            connection.execute(
                "INSERT INTO tagdb_store.image_hashtags (image_id, hashtag_id) VALUES (%s, %s)",
                (image_id, name),
            )
    two = {("a", "b", 3)}
    one = two | {("a", "c", 1), ("b", "c", 1)}
    for arguments, kept, expected in (
        *(((), 2, two), (("--min-images", 1), 1, one), ((), 1, one), (("--min-images", 4), 4, set())),
        *(((), 4, set()), (("--min-images", 3), 3, two)),
    ):
        done = tagdb("stats", "refresh", *arguments)
        assert re.fullmatch(REFRESHED.format(3, kept), done.stdout)
        assert pairs(connection) == expected


def test_usage_errors_change_no_statistics(tagdb: Run, connection: Connection) -> None:
    before = store.statistics.current(connection)
    zero, words, two = ("--min-images", 0), ("--min-images", "a"), ("--min-images", 1, 2)
    for arguments in (
        ("refresh", *zero),
        ("refresh", *words),
        ("refresh", *two),
        ("refresh", "a"),
        ("fresh",),
    ):
        assert tagdb("stats", *arguments).exit_code == 2, arguments
    assert store.statistics.current(connection) == before


def test_a_reader_is_told_about_roles(
    login: Callable[..., str], tagdb: Run, connection: Connection, database_url: str
) -> None:
    before = store.statistics.current(connection)
    reader = ("--database-url", login(database_url, "tagdb_reader"))
    sentence = (
        r"Error: your login may not do this: permission denied for [^;]+; "
        r"ask the database's owner for the role tagdb_writer"
    )
    assert re.fullmatch(sentence, complaint(tagdb("stats", "refresh", *reader)))
    assert store.statistics.current(connection) == before


def test_a_writer_refreshes(
    login: Callable[..., str], tagdb: Run, connection: Connection, database_url: str
) -> None:
    """Although it does not own the tables."""
    seed.world(connection)
    done = tagdb("stats", "refresh", "--database-url", login(database_url, "tagdb_writer"))
    assert (done.exit_code, done.stderr) == (0, "")
    assert len(counts(connection)) == 8


# --- by an ingest


def test_an_ingest_counts_what_it_stored(ingest: Run, photos: Path, connection: Connection) -> None:
    done = ingest(photos / "photos.csv")
    assert done.exit_code == 0
    assert counts(connection) == COUNTS
    assert store.statistics.current(connection).images == 12
    share = "SELECT image_share FROM tagdb.hashtag_stats WHERE hashtag = 'beach'"
    assert connection.execute(share).fetchone() == (0.5,)
    trend = "SELECT sum(images) FROM tagdb.hashtag_trend_monthly"
    assert connection.execute(trend).fetchone() == (sum(COUNTS.values()),)
    assert pairs(connection) == {
        *(("beach", "sun", 4), ("beach", "sea", 4), ("sea", "sun", 2)),
        *(("city", "night", 2), ("city", "street", 2), ("night", "street", 2)),
    }

    assert ingest(more(photos, 12, 15, "#Beach", "#new")).exit_code == 0
    assert counts(connection) == COUNTS | {"beach": 9, "new": 3}
    assert store.statistics.current(connection).images == 15


def test_an_ingest_that_only_adds_hashtags_counts_them(
    ingest: Run, photos: Path, connection: Connection
) -> None:
    assert ingest(photos / "photos.csv").exit_code == 0
    write_csv(photos / "again.csv", ["file_name", "hashtags"], [["00.jpg", "#new"], ["01.jpg", "#new"]])
    assert ingest(photos / "again.csv").exit_code == 0
    assert counts(connection) == COUNTS | {"new": 2}
    before = store.statistics.current(connection)
    assert ingest(photos / "again.csv").exit_code == 0  # of which all is known
    assert store.statistics.current(connection) == before


def test_a_dry_run_counts_nothing(ingest: Run, photos: Path, connection: Connection) -> None:
    before = store.statistics.current(connection)
    assert ingest(photos / "photos.csv", "--dry-run").exit_code == 0
    assert store.statistics.current(connection) == before
    assert counts(connection) == {}


def test_an_ingest_respects_decisions(ingest: Run, tagdb: Run, photos: Path, connection: Connection) -> None:
    assert tagdb("tags", "merge", "sun", "sea", "--into", "beach").exit_code == 0
    assert tagdb("tags", "ban", "street").exit_code == 0
    assert ingest(photos / "photos.csv").exit_code == 0
    assert counts(connection) == {"beach": 6, "city": 4, "night": 4}
    assert tagdb("tags", "undo").exit_code == 0
    assert counts(connection) == {"beach": 6, "city": 4, "night": 4, "street": 4}


def test_an_ingest_counts_few_photos_at_once(ingest: Run, photos: Path, connection: Connection) -> None:
    assert ingest(photos / "photos.csv").exit_code == 0
    done = ingest(more(photos, 20, 21, "#beach", "#one"))
    assert (done.exit_code, done.stderr) == (0, "")
    assert counts(connection) == COUNTS | {"beach": 7, "one": 1}
    done = ingest(more(photos, 21, 22, "#two"), "--json", "--quiet")
    assert parsed(done)["new"] == 1
    assert counts(connection) == COUNTS | {"beach": 7, "one": 1, "two": 1}


def test_a_writer_ingests(
    login: Callable[..., str], ingest: Run, photos: Path, connection: Connection, database_url: str
) -> None:
    done = ingest(photos / "photos.csv", "--database-url", login(database_url, "tagdb_writer"))
    assert done.exit_code == 0, done.output
    assert counts(connection) == COUNTS


def test_an_ingest_that_is_interrupted_at_the_end(
    ingest: Run, photos: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is stored, but not counted yet: the same command goes on from there, as it says."""

    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store.statistics, "refresh_if_due", interrupt)
        assert "run the same command again to continue" in complaint(ingest(photos / "photos.csv", "--quiet"))
    done = ingest(photos / "photos.csv")
    assert done.exit_code == 0
    assert counts(connection) == COUNTS


# --- showing


def test_what_the_dashboards_show(tagdb: Run, database_url: str) -> None:
    with database.connect(database_url) as connection:
        history.fill(connection)
    shown = tagdb("stats", "show", "hashtags", "OPERATIONS", "--rows", "1")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert shown.stdout.startswith("HASHTAGS\n\nMost used hashtags. ")
    assert (
        "\nTop hashtags. Of all images.\nhashtag  images\ncoffee       41\n(1 of 20 rows; for more: --rows)\n"
        in shown.stdout
    )
    assert "\n\nOPERATIONS\nEmbedded: 98.4%\n" in shown.stdout
    assert "\nreason code  rejections\nmissing               2\n(1 of 2 rows; " in shown.stdout
    assert "\x1b" not in shown.stdout
    found = parsed(tagdb("stats", "show", "--json"))
    assert list(found) == ["Collections", "Growth", "Hashtags", "Pairs", "Quality", "Operations"]
    assert found["Collections"]["Images"] == [{"images": 122}]
    assert found["Hashtags"]["Top hashtags"][0] == {"hashtag": "coffee", "images": 41}
    assert len(found["Hashtags"]["Top hashtags"]) == 20
    weeks, months = (
        parsed(tagdb("stats", "show", "growth", "--json", "--period", period))["Growth"]["Photos taken"]
        for period in ("week", "month")
    )
    assert len(weeks) > len(months)
    assert sum(row["images"] for row in weeks) == sum(row["images"] for row in months) > 90


def test_a_database_with_nothing_in_it(tagdb: Run, database_url: str, tmp_path: Path) -> None:
    shown = tagdb("stats", "show", "--plot", tmp_path / "empty.svg")
    assert shown.exit_code == 0
    assert shown.stderr.startswith("there are no photos in this database yet; ")
    assert "Images: 0\n" in shown.stdout
    assert shown.stdout.count("(nothing yet)") > 10
    assert (tmp_path / "empty.svg").read_text("utf-8").count("nothing yet") == 6


def test_a_picture_of_all_pages(tagdb: Run, database_url: str, tmp_path: Path) -> None:
    with database.connect(database_url) as connection:
        history.fill(connection)
        store.tags.edit(connection, "merge", ["brandnew"], "\N{WATER WAVE}")
        connection.execute("UPDATE tagdb_store.images SET collection = '$x_1$' WHERE collection = 'city'")
    picture = tmp_path / "statistics.svg"
    drawn = tagdb("stats", "show", "--plot", picture, "--json")
    assert (drawn.exit_code, drawn.stderr) == (0, "")
    texts = re.findall(r"<text[^>]*>([^<]+)</text>", picture.read_text("utf-8"))
    assert {"Collections: Images by collection", "Pairs: Surest pairs by lift"} <= set(texts)
    assert {"$x_1$", "food", "\N{WATER WAVE}", "missing"} <= set(texts)
    for suffix in (".png", ".pdf"):
        assert tagdb("stats", "show", "growth", "--plot", picture.with_suffix(suffix)).exit_code == 0
        assert picture.with_suffix(suffix).stat().st_size > 5000


def test_a_picture_that_cannot_be(tagdb: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = tagdb("stats", "show", "--plot", tmp_path / "a.txt")
    assert complaint(refused) == "Error: a picture cannot be saved as 'a.txt'; use .svg, .png, .pdf"
    missing = tmp_path / "no" / "a.svg"
    refused = tagdb("stats", "show", "--plot", missing)
    assert f"Error: the picture {missing} cannot be saved: No such file or directory" in refused.stderr
    refused = tagdb("stats", "show", "pears")
    assert refused.exit_code == 2
    assert "there is no page 'pears'; the pages are collections, growth, hashtags, " in refused.stderr
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    refused = tagdb("stats", "show", "--plot", tmp_path / "a.svg")
    assert (
        complaint(refused)
        == "Error: pictures are drawn by Matplotlib; install it with: pip install 'tagdb[plot]'"
    )
