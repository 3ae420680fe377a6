"""``tagdb recommend`` and ``tagdb similar``: what SQL answers, printed."""

import json
import os
import random
import re
import shutil
from pathlib import Path

import pytest

from tagdb.postgres.database import Connection
from tests.support.commands import Run, complaint, parsed
from tests.support.pictures import photo

COMMANDS = ("recommend", "similar")
ALL = {"beach", "sun", "sea", "city", "night", "street"}


def answer(connection: Connection, name: str, **options: object) -> list[dict[str, object]]:
    """What SQL recommends for a stored photo's embedding."""
    arguments = "".join(f", {option} => %({option})s" for option in options)
    rows = connection.execute(
        f"SELECT r.rank, r.hashtag, r.score FROM tagdb.images i"
        f" JOIN tagdb_store.embeddings e USING (image_id)"
        f" CROSS JOIN tagdb.recommend_for_embedding(e.embedding{arguments}) r"
        f" WHERE i.uri LIKE %(uri)s ORDER BY r.rank",
        {"uri": f"%/{name}", **options},
    )
    return [{"rank": rank, "hashtag": hashtag, "score": score} for rank, hashtag, score in rows]


# --- The answer ---------------------------------------------------------------------------------------


def test_the_answer_is_sqls(filled: Path, tagdb: Run, connection: Connection) -> None:
    """For the same photo exactly, because its embedding is the same bit by bit."""
    done = tagdb("recommend", filled / "04.jpg", "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    expected = answer(connection, "04.jpg")
    assert len(expected) == 6
    assert parsed(done) == [{"photo": str(filled / "04.jpg"), "hashtags": expected}]


@pytest.mark.parametrize(
    ("flags", "options"),
    [
        (("--top", 2), {"top": 2}),
        (("-n", 1), {"top": 1}),
        (("--neighbours", 1), {"neighbours": 1}),
        (("--known", "#SEA", "--known", "sun"), {"known": ["sea", "sun"]}),
        (("--known", "#SEA,sun"), {"known": ["sea", "sun"]}),
        (("--known", "sea sun"), {"known": ["sea", "sun"]}),
        (("--exclude", "#Night"), {"exclude": ["night"]}),
        (("--exclude", "never_seen"), {}),
        (
            ("--top", 3, "--known", "sea", "--exclude", "night", "--neighbours", 4),
            {"top": 3, "known": ["sea"], "exclude": ["night"], "neighbours": 4},
        ),
        (("--known", "sea", "--known-weight", 1), {"known": ["sea"], "known_weight": 1}),
        (("--diversity", 0.7, "-n", 3), {"diversity": 0.7, "top": 3}),
        (("--popularity-discount", 0.5), {"popularity_discount": 0.5}),
        (("--min-score", 0.2), {"min_score": 0.2}),
    ],
)
def test_options_reach_sql(
    filled: Path,
    tagdb: Run,
    connection: Connection,
    flags: tuple[object, ...],
    options: dict[str, object],
) -> None:
    found = parsed(tagdb("recommend", filled / "04.jpg", "--json", *flags))[0]["hashtags"]
    assert found == answer(connection, "04.jpg", **options)
    unwanted = {word.strip("#").casefold() for flag in flags for word in str(flag).replace(",", " ").split()}
    assert not unwanted & {one["hashtag"] for one in found}


def test_the_nearest_photo_decides(filled: Path, tagdb: Run) -> None:
    """With one neighbour, which is the photo itself, its own hashtags come first."""
    found = parsed(tagdb("recommend", filled / "04.jpg", "--neighbours", 1, "--json"))[0]["hashtags"]
    assert {one["hashtag"] for one in found[:3]} == {"beach", "sun", "sea"}
    assert found[0]["score"] > 0.5 > abs(found[-1]["score"])


def test_a_photo_that_is_not_stored(filled: Path, tagdb: Run, tmp_path: Path, connection: Connection) -> None:
    (tmp_path / "new.png").write_bytes(photo(99, "PNG"))
    found = parsed(tagdb("recommend", tmp_path / "new.png", "--format", "json"))
    assert {one["hashtag"] for one in found[0]["hashtags"]} == ALL
    row = connection.execute("SELECT count(*) FROM tagdb.images").fetchone()
    assert row == (12,)


def test_a_photo_from_standard_input(filled: Path, tagdb: Run, connection: Connection) -> None:
    done = tagdb("recommend", "-", "--json", stdin=(filled / "04.jpg").read_bytes())
    assert parsed(done) == [{"photo": "-", "hashtags": answer(connection, "04.jpg")}]


def test_a_named_backbone(filled: Path, tagdb: Run, random_weights: Path) -> None:
    plain = tagdb("recommend", filled / "04.jpg").stdout
    copy = shutil.copy(random_weights, filled / "another_name.weights.h5")
    assert tagdb("recommend", filled / "04.jpg", "--backbone", copy).stdout == plain


def test_of_one_collection(filled: Path, tagdb: Run, connection: Connection) -> None:
    connection.execute("UPDATE tagdb_store.images SET collection = 'first' WHERE image_id <= 6")
    found = parsed(tagdb("recommend", filled / "04.jpg", "--collection", "first", "--json"))
    assert found[0]["hashtags"] == answer(connection, "04.jpg", collection="first")
    assert found[0]["hashtags"] != answer(connection, "04.jpg")
    message = complaint(tagdb("recommend", filled / "04.jpg", "--collection", "second"))
    assert message == "Error: there is no collection 'second'; there are: first"


def test_what_was_rejected_is_not_recommended_again(filled: Path, tagdb: Run, connection: Connection) -> None:
    """Also where it is asked about as a file, from wherever that is; but for other photos it is."""
    photo, other = filled / "04.jpg", filled / "05.jpg"
    moved = shutil.copy(photo, filled / "moved.jpg")
    before = parsed(tagdb("recommend", photo, other, "--json"))
    assert "night" in {one["hashtag"] for one in before[0]["hashtags"]}
    assert tagdb("feedback", photo, "--rejected", "#Night").exit_code == 0
    after = parsed(tagdb("recommend", moved, other, "--json"))
    assert after[0]["hashtags"] == answer(connection, "04.jpg", exclude=["night"])
    assert after[1] == before[1]


# --- Its form -----------------------------------------------------------------------------------------


def test_a_table_with_ranks_and_scores(filled: Path, tagdb: Run, connection: Connection) -> None:
    done = tagdb("recommend", filled / "04.jpg", "--top", 3)
    expected = answer(connection, "04.jpg", top=3)
    lines = done.stdout.splitlines()
    assert [line.split() for line in lines] == [
        [str(one["rank"]), f"#{one['hashtag']}", f"{one['score']:.3f}"] for one in expected
    ]
    assert len({line.rindex(" ") for line in lines}) == 1  # aligned


def test_table_of_several_photos(filled: Path, tagdb: Run) -> None:
    names = [str(filled / f"{number:02}.jpg") for number in (4, 0)]
    one, other = (tagdb("recommend", name, "--top", 3).stdout for name in names)
    assert tagdb("recommend", *names, "--top", 3).stdout == f"{names[0]}\n{one}{names[1]}\n{other}"


def test_hashtags_to_paste(filled: Path, tagdb: Run, connection: Connection) -> None:
    done = tagdb("recommend", filled / "04.jpg", filled / "00.jpg", "--format", "hashtags")
    lines = [
        " ".join(f"#{one['hashtag']}" for one in answer(connection, name)) for name in ("04.jpg", "00.jpg")
    ]
    assert done.stdout.splitlines() == lines


def test_several_photos_with_a_bad_one_in_the_middle(
    filled: Path, tagdb: Run, connection: Connection
) -> None:
    notes, gone = filled / "notes.jpg", filled / "gone.jpg"
    notes.write_text("milk, bread")
    names = [str(name) for name in (filled / "04.jpg", notes, filled / "00.jpg", gone, filled / "07.jpg")]
    done = tagdb("recommend", *names, "--json")
    assert done.exit_code == 3
    found = parsed(done)
    assert [one["photo"] for one in found] == names
    assert [one["hashtags"] for one in found] == [
        answer(connection, "04.jpg"), [], answer(connection, "00.jpg"), [], answer(connection, "07.jpg"),
    ]  # fmt: skip
    errors = [one.get("error") for one in found]
    assert errors[0] is errors[2] is errors[4] is None
    assert errors[1].startswith("not an image in a supported format")
    assert errors[3] == "cannot be read: No such file or directory"
    assert done.stderr.splitlines() == [f"rejected {notes}: {errors[1]}", f"rejected {gone}: {errors[3]}"]

    lines = tagdb("recommend", *names, "--format", "hashtags").stdout.splitlines()
    assert [bool(line) for line in lines] == [True, False, True, False, True]  # one a photo
    listed = "\n".join(["\ufeff" + names[0], *names[1:]])
    assert tagdb("recommend", "-", "--format", "hashtags", stdin=listed).stdout.splitlines() == lines

    table = tagdb("recommend", *names)
    assert table.exit_code == 3
    assert len(table.stdout.splitlines()) == 3 * 7
    assert table.stderr == done.stderr


def test_many_photos_in_the_order_given(filled: Path, tagdb: Run) -> None:
    """More than are embedded ahead, in several threads; large ones take longer than small ones."""
    (filled / "large.jpg").write_bytes(photo(50, size=(3000, 2000)))
    (filled / "notes.jpg").write_text("milk, bread")
    rng = random.Random(0)
    names = [str(filled / rng.choice(["large.jpg", "notes.jpg", "00.jpg", "04.jpg"])) for _ in range(40)]
    for command, what in (("recommend", "hashtags"), ("similar", "images")):
        alone = {name: parsed(tagdb(command, name, "--json"))[0] for name in set(names)}
        done = tagdb(command, *names, "--json")
        assert done.exit_code == 3
        assert parsed(done) == [alone[name] for name in names]
        assert sum(not one[what] for one in parsed(done)) == len(done.stderr.splitlines())


# --- Similar images -----------------------------------------------------------------------------------


def test_a_photo_is_most_similar_to_itself(filled: Path, tagdb: Run, connection: Connection) -> None:
    found = parsed(tagdb("similar", filled / "04.jpg", "--json"))
    assert [one["photo"] for one in found] == [str(filled / "04.jpg")]
    images = found[0]["images"]
    assert len(images) == 10
    assert [one["rank"] for one in images] == list(range(1, 11))
    assert images[0]["uri"] == (filled / "04.jpg").as_uri()
    assert images[0]["similarity"] == pytest.approx(1, abs=1e-3)
    similarities = [one["similarity"] for one in images]
    assert similarities == sorted(similarities, reverse=True)
    expected = connection.execute(
        "SELECT s.rank, s.image_id, s.uri, s.similarity FROM tagdb.images i JOIN tagdb_store.embeddings e"
        " USING (image_id) CROSS JOIN tagdb.similar_images(e.embedding) s WHERE i.uri LIKE '%/04.jpg'"
        " ORDER BY s.rank"
    ).fetchall()
    assert [tuple(one.values()) for one in images] == expected


def test_similar_as_a_table(filled: Path, tagdb: Run) -> None:
    done = tagdb("similar", filled / "04.jpg", filled / "05.jpg", "--top", 2)
    lines = done.stdout.splitlines()
    assert [lines[0], lines[3]] == [str(filled / "04.jpg"), str(filled / "05.jpg")]
    assert re.fullmatch(rf"  1  (1\.000|0\.999) +\d+  {(filled / '04.jpg').as_uri()}", lines[1])
    assert len(lines) == 6


def test_similar_with_a_bad_photo(filled: Path, tagdb: Run) -> None:
    done = tagdb("similar", filled / "gone.jpg", filled / "05.jpg", "--top", 1, "--json")
    assert done.exit_code == 3
    found = parsed(done)
    assert found[0] == {
        "photo": str(filled / "gone.jpg"),
        "error": "cannot be read: No such file or directory",
        "reason_code": "missing",
        "images": [],
    }
    assert len(found[1]["images"]) == 1


# --- Not yet, or not at all ---------------------------------------------------------------------------


def test_an_empty_database(tagdb: Run, photos: Path) -> None:
    for command in COMMANDS:
        message = complaint(tagdb(command, photos / "00.jpg"))
        assert message == "Error: the database holds no images yet; run: tagdb ingest SOURCE"


def test_a_database_without_schema_is_told_to_init(tagdb: Run, photos: Path, empty_database_url: str) -> None:
    for command in (*COMMANDS, "ingest"):
        done = tagdb(command, photos / "00.jpg", "--database-url", empty_database_url)
        assert complaint(done) == "Error: the database has no tagdb schema yet; run: tagdb init"


def test_without_factors_similar_photos_are_found(tagdb: Run, ingest: Run, photos: Path) -> None:
    assert ingest(photos).exit_code == 0
    message = complaint(tagdb("recommend", photos / "00.jpg"))
    assert "none of the stored images has a hashtag" in message
    assert ingest(photos / "photos.csv").exit_code == 0
    message = complaint(tagdb("recommend", photos / "00.jpg"))
    assert message == "Error: there are no factors yet; run: tagdb factors compute"
    assert tagdb("similar", photos / "00.jpg").exit_code == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_a_photo_that_is_none(filled: Path, tagdb: Run, command: str) -> None:
    notes = filled / "notes.jpg"
    notes.write_text("milk, bread")
    message = complaint(tagdb(command, notes))
    assert message.startswith(f"rejected {notes}: not an image in a supported format (JPEG, PNG,")
    message = complaint(tagdb(command, filled / "gone.jpg"))
    assert message == f"rejected {filled / 'gone.jpg'}: cannot be read: No such file or directory"
    done = tagdb(command, notes, filled / "gone.jpg", "--json")
    assert done.exit_code == 1
    assert [set(one) for one in parsed(done)] == [
        {"photo", "error", "reason_code", "hashtags" if command == "recommend" else "images"}
    ] * 2


def test_a_backbone_that_this_machine_has_not_got(
    filled: Path, tagdb: Run, home: Path, connection: Connection
) -> None:
    """It is in the database."""
    before = parsed(tagdb("recommend", filled / "00.jpg", "--json"))
    shutil.rmtree(home / "backbones")
    assert parsed(tagdb("recommend", filled / "00.jpg", "--json")) == before
    shutil.rmtree(home / "backbones")
    connection.execute("DELETE FROM tagdb_store.networks")
    message = complaint(tagdb("recommend", filled / "00.jpg"))
    assert re.search(r"random \(96 px, 32 bits, weights [0-9a-f]{12}\).* --backbone PATH", message)


@pytest.mark.parametrize("command", COMMANDS)
def test_another_input_size_is_refused(filled: Path, tagdb: Run, command: str) -> None:
    message = complaint(tagdb(command, filled / "00.jpg", "--input-size", 128))
    assert "made by random (96 px" in message
    assert "128 px" in message


@pytest.mark.parametrize("command", ["recommend", "similar"])
def test_a_folder_is_its_photos(filled: Path, tagdb: Run, command: str, tmp_path: Path) -> None:
    folder = tmp_path / "some" / "deeper"
    folder.mkdir(parents=True)
    for name in ("04.jpg", "05.jpg"):
        shutil.copy(filled / name, folder)
    both = parsed(tagdb(command, tmp_path / "some", "--json"))
    assert [each["photo"] for each in both] == [str(folder / name) for name in ("04.jpg", "05.jpg")]
    each = parsed(tagdb(command, folder / "04.jpg", folder / "05.jpg", "--json"))
    assert both == each
    os.mkfifo(folder / "06.jpg")
    done = tagdb(command, tmp_path / "some", "--json")
    assert parsed(done) == both
    assert done.stderr.startswith(f"left out {folder / '06.jpg'}: ")
    (folder / "clip.mov").touch()
    (folder / "all").symlink_to("/")
    done = tagdb(command, tmp_path / "some", "--json")
    assert parsed(done) == both
    assert f"left out of {tmp_path / 'some'}: 1 video (.mov); {folder / 'all'} leads out of" in done.stderr
    named_in_latin_1 = os.fsdecode(b"caf\xe9.jpg")
    (folder / "05.jpg").rename(folder / named_in_latin_1)
    renamed = parsed(tagdb(command, tmp_path / "some", "--json"))
    assert [each["photo"] for each in renamed] == [
        str(folder / name) for name in ("04.jpg", named_in_latin_1)
    ]
    (tmp_path / "empty").mkdir()
    assert "no photos in" in complaint(tagdb(command, tmp_path / "empty"))


def test_known_hashtags_that_do_nothing_are_named(filled: Path, tagdb: Run) -> None:
    done = tagdb("recommend", filled / "04.jpg", "--known", "sea,never_seen")
    assert done.exit_code == 0
    assert done.stderr == "no photo has #never_seen, so it does nothing as --known\n"


@pytest.mark.parametrize(
    "flags",
    [
        ("--known", "no!"),
        ("--exclude", ""),
        ("--top", 0),
        ("--known-weight", 1.1),
        ("--diversity", -0.1),
        ("--popularity-discount", 2),
        ("--min-score", "much"),
        ("--format", "xml"),
        ("--nonsense",),
    ],
)
def test_usage_errors_of_recommend(tagdb: Run, photos: Path, flags: tuple[object, ...]) -> None:
    done = tagdb("recommend", photos / "00.jpg", *flags)
    assert done.exit_code == 2
    assert "Usage: tagdb recommend" in done.stderr
    assert str(flags[0]) in done.stderr


def test_tracebacks_are_for_those_who_ask(tagdb: Run, photos: Path) -> None:
    for command in (("recommend", photos / "00.jpg"), ("factors", "compute"), ("ingest", "nowhere")):
        assert "Traceback" not in tagdb(*command).output
        done = tagdb(*command, "--verbose")
        assert done.exit_code == 1
        assert "Traceback (most recent call last)" in done.stderr
        assert done.stderr.splitlines()[-1].startswith("Error: ")
        assert "Traceback" in tagdb("--verbose", *command).stderr


def test_a_bug_is_one_sentence_too(filled: Path, tagdb: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **named: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("tagdb.recommend.recommend", fail)
    message = complaint(tagdb("recommend", filled / "00.jpg"))
    assert "tagdb has a bug: ZeroDivisionError: oh" in message
    assert "Traceback" in tagdb("recommend", filled / "00.jpg", "--verbose").stderr


@pytest.mark.parametrize(
    "url", ["postgresql://me:s3cret@127.0.0.1:9/db", "postgresql+psycopg://me:s3cret@/x y"]
)
def test_a_database_that_is_not_there(tagdb: Run, photos: Path, url: str) -> None:
    for flags in ((), ("--verbose",)):
        done = tagdb("recommend", photos / "00.jpg", "--database-url", url, *flags)
        assert done.exit_code == 1
        assert "s3cret" not in done.output
    assert "check --database-url or TAGDB_DATABASE_URL" in done.stderr


def test_names_that_are_no_text(filled: Path, tagdb: Run) -> None:
    """A file name is bytes to the system; JSON and the terminal take text only."""
    name = os.fsdecode(bytes(filled) + b"/\xff.jpg")
    shutil.copy(filled / "04.jpg", name)
    done = tagdb("recommend", name, "--json")
    assert done.exit_code == 0
    done.stdout_bytes.decode("utf-8")
    found = json.loads(done.stdout)[0]
    assert found["photo"] == name
    assert found["hashtags"]
    assert tagdb("recommend", name, filled / "gone.jpg").exit_code == 3
    assert "\\udcff.jpg" in tagdb("recommend", name, name).stdout
