"""``tagdb evaluate``."""

import re
from pathlib import Path

import pytest
from PIL import Image

from tagdb.postgres.database import Connection
from tests.support.commands import Run, complaint, parsed
from tests.support.evaluated import fill


@pytest.fixture
def photos(connection: Connection) -> int:
    return len(fill(connection, 60))


def test_a_table_and_three_lines(photos: int, tagdb: Run) -> None:
    assert tagdb("factors", "compute", "--factors", 8, "--quiet").exit_code == 0
    done = tagdb("evaluate", "--folds", 2, "--setting", "factors=4,neighbours=5")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    header = [
        "P@1", "P@5", "P@10", "R@5", "R@10", "nDCG@10", "hit@5", "coverage", "popularity",
        "beyond the collection", "against the ancestor",
    ]  # fmt: skip
    assert re.split(r"\s{2,}", lines[0].strip()) == header
    labels = [re.split(r"\s{2,}", line)[0] for line in lines[1 : lines.index("")]]
    assert labels == [
        "popular", "vote", "unweighted vote", "ancestor", "active run", "shipped defaults",
        "factors=4,neighbours=5",
    ]  # fmt: skip
    interval = r"\d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\]"
    number = r"\d\.\d{3}"
    share = r"\d+\.\d %"
    pattern = (
        rf"vote {{2,}}({number}  ){{5}}{interval}  +{number} +{share} +{share}  {interval} +"
        r"[+-]\d+\.\d % \[[+-]\d+\.\d, [+-]\d+\.\d\]"
    )
    assert re.fullmatch(pattern, lines[2])
    assert re.match(r"check against SQL, on \d+ of these photos with the settings of active run: ", lines[-3])
    assert lines[-2].startswith("measured on 60 photos with 3 hashtags or more, of 60 in 54 groups")
    assert "in one of 2 folds, seed 0" in lines[-2]
    means = {
        label: float(line.split("[")[0].split()[-1]) for label, line in zip(labels, lines[1:], strict=False)
    }
    best = re.match(r"best by nDCG@10: (.*?)(?:; by chance, these may be as good: (.*))?$", lines[-1])
    assert best is not None
    assert means[best[1]] == max(means.values())
    assert best[1] not in (best[2] or "").split(", ")
    assert set((best[2] or labels[0]).split(", ")) <= set(labels)
    assert done.stderr.startswith("60 photos are too few to tell settings apart; ")


def test_json_and_a_picture(photos: int, tagdb: Run, tmp_path: Path) -> None:
    done = tagdb(
        "evaluate", "--fraction", 0.4, "--photos", 10, "--json", "--quiet", "--plot", tmp_path / "found.png"
    )
    found = parsed(done)
    assert done.stderr == ""
    assert (found["queries"], found["folds"], found["fraction"]) == (10, 1, 0.4)
    rows = {row["label"]: row for row in found["rows"]}
    assert list(rows) == ["popular", "vote", "unweighted vote", "ancestor", "shipped defaults"]
    assert rows["popular"]["plan"] is None
    assert rows["shipped defaults"]["plan"] == ""
    assert rows["vote"]["metrics"]["nDCG@10"].keys() == {"mean", "low", "high"}
    assert rows["vote"]["against_ancestor"].keys() >= {"difference", "low", "high", "relative"}
    assert found["sql"]["label"] == "shipped defaults"
    with Image.open(tmp_path / "found.png") as picture:
        assert picture.format == "PNG"


def test_a_learning_curve(photos: int, tagdb: Run, tmp_path: Path) -> None:
    done = tagdb("evaluate", "--folds", 2, "--curve", "--plot", tmp_path / "curve.png")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert re.split(r"\s{2,}", lines[0].strip()) == [
        "photos", "popular", "vote", "unweighted vote", "ancestor", "shipped defaults",
    ]  # fmt: skip
    numbers = [int(line.split()[0]) for line in lines[1 : lines.index("")]]
    assert numbers == pytest.approx([3, 6, 15, 30], abs=2)
    assert lines[-2].startswith(
        "nDCG@10 on the same 60 held-out photos of 60 (2 folds, seed 0), by the number"
    )
    assert re.match(r"more photos would (hardly )?pay: from \d+ to 30 photos, nDCG@10 changed by ", lines[-1])
    with Image.open(tmp_path / "curve.png") as picture:
        assert picture.format == "PNG"


def test_a_learning_curve_of_given_sizes(photos: int, tagdb: Run) -> None:
    found = parsed(tagdb("evaluate", "--fraction", 0.4, "--curve", "5, 50%", "--json", "--quiet"))
    assert [point["photos"] for point in found["points"]] == sorted(
        point["photos"] for point in found["points"]
    )
    assert len(found["points"]) == 3
    assert found["points"][0]["photos"] in (5, 6)
    assert found["photos"]["paired"].keys() >= {"difference", "low", "high"}
    assert found["sentence"].startswith("more photos would ")
    for wrong in ("0", "x", "5,,6", "120%", "1.5"):
        refused = tagdb("evaluate", "--curve", wrong)
        assert refused.exit_code == 2
        assert "is not a list of numbers of photos and shares" in refused.stderr


def test_what_cannot_be_is_a_sentence(photos: int, tagdb: Run) -> None:
    assert "use .png" in complaint(tagdb("evaluate", "--plot", "found.xyz"))
    assert "there is no factor run 7" in complaint(tagdb("evaluate", "--run", 7))
    assert "there is no setting 'x'" in complaint(tagdb("evaluate", "--setting", "x=1"))
    assert tagdb("evaluate", "--folds", 3, "--fraction", 0.5).exit_code == 2


def test_too_few_photos_are_a_sentence(tagdb: Run, connection: Connection) -> None:
    assert "too few photos to hold some out: 0 with" in complaint(tagdb("evaluate"))


def test_computing_activates_what_is_not_worse(photos: int, tagdb: Run) -> None:
    assert tagdb("factors", "compute", "--factors", 8, "--quiet").exit_code == 0
    worse = ("--factors", 1, "--iterations", 1, "--neighbours", 1, "--ridge", 0, "--refit-penalty", 0)
    done = tagdb("factors", "compute", *worse, "--activate-if-better", "--quiet")
    assert done.exit_code == 0, done.output
    assert "factor run 2 was not activated: nDCG@10" in done.stdout
    found = parsed(tagdb("factors", "compute", "--factors", 8, "--activate-if-better", "--quiet", "--json"))
    assert found["active"]
    assert found["verdict"]["promoted"]


def test_who_could_not_learn_says_why(photos: int, tagdb: Run) -> None:
    done = tagdb("evaluate", "--folds", 2, "--setting", "min_images=1000", "--quiet")
    said = [line for line in done.stdout.splitlines() if line.startswith("min_images=1000: ")]
    assert said == [
        "min_images=1000: recommended nothing where nothing could be learned: no hashtag is on 1000 images "
        "or more; ingest more photos with hashtags, or lower --min-images"
    ]
    rows = parsed(tagdb("evaluate", "--folds", 2, "--setting", "min_images=1000", "--quiet", "--json"))[
        "rows"
    ]
    assert [row["label"] for row in rows if row["failed"]] == ["min_images=1000"]


def test_nobody_is_best_if_nothing_is_right(connection: Connection, tagdb: Run) -> None:
    fill(connection, 12)
    connection.execute(  # no hashtag is on two photos
        "DELETE FROM tagdb_store.image_hashtags ih USING tagdb_store.image_hashtags other"
        " WHERE other.hashtag_id = ih.hashtag_id AND other.image_id < ih.image_id"
    )
    done = tagdb("evaluate", "--folds", 2, "--quiet")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == "nothing that was recommended is right, by any of them"
