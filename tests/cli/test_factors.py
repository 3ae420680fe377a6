"""``tagdb factors``."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from tagdb.learning import als
from tagdb.learning.settings import FOLLOWING, SMALL_TIDY, FactorSettings
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.postgres.machine import Machine
from tests.support.commands import Run, complaint, parsed


def stored(connection: Connection, run: int) -> list[object]:
    """A run's factors, with all their bits."""
    return [
        connection.execute(f"SELECT * FROM tagdb_store.{kind}_{run} ORDER BY 2").fetchall()
        for kind in ("image_factors", "hashtag_factors")
    ]


def rows(connection: Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        "SELECT factor_run_id, status FROM tagdb.factor_runs ORDER BY factor_run_id"
    ).fetchall()


def without_run(factors: list[object]) -> list[object]:
    """Factors without the number of their run."""
    return [[row[1:] for row in table] for table in factors]  # type: ignore[attr-defined]


TOO_LITTLE = (
    "12 images are too few to learn from; recommendations become useful from about 50 images that share "
    "hashtags\n"
)


FOLLOWED = "defaults for images and hashtags like these: {}\n"


def test_compute_says_what_it_did(filled: Path, tagdb: Run, connection: Connection) -> None:
    done = tagdb("factors", "compute")
    assert done.exit_code == 0
    pattern = (
        r"factor run 2 is active: 12 images \(1\+ hashtags each\) × 6 hashtags \(on 1\+ images\), "
        r"26 interactions, 12 factors; \d+\.\d s\n"
    )
    assert re.fullmatch(pattern, done.stdout)
    assert done.stderr == TOO_LITTLE + FOLLOWED.format(
        "factors=12, regularization=0.3, min_images=1, min_hashtags=1, contrast=0.9"
    )
    assert rows(connection) == [(1, "retired"), (2, "active")]


def test_what_nobody_chose_follows_the_images_and_their_hashtags(filled: Path, tagdb: Run) -> None:
    def used(*options: object) -> list[object]:
        found = parsed(tagdb("factors", "compute", *options, "--json"))
        stored = parsed(tagdb("factors", "list", "--json"))[-1]
        assert FOLLOWING[:4] == ("factors", "neighbours", "regularization", "min_images")
        assert FOLLOWING[4:] == ("min_hashtags", "refit_penalty", "contrast", "similarity_exponent")
        assert {name: stored[name] for name in FOLLOWING} == {name: found[name] for name in FOLLOWING}
        return [found[name] for name in FOLLOWING]

    assert used() == used("--sample", 6) == used("--preset", "shipped") == [12, 50, 0.3, 1, 1, 8, 0.9, 8]
    assert used("--factors", 128, "--min-images", 2) == [128, 50, 0.3, 2, 1, 8, 0.9, 8]
    assert used("--preset", "ancestor") == [10, 5, 0.1, 1, 1, 0, 0, 0]
    for n in range(12):  # which nobody else has
        own = [f"own{n}no{number}" for number in range(6)]
        assert tagdb("tag", filled / f"{n:02}.jpg", *own).exit_code == 0
    assert used() == used("--alpha", 5) == used("--sample", 6) == [12, 50, 0.1, 1, 1, 0, 0, 2]
    assert used("--min-images", 2, "--regularization", 2) == [12, 50, 2, 2, 1, 0, 0, 2]
    assert used("--min-hashtags", 3, "--contrast", 0.6, "--factors", 128) == [128, 50, 0.1, 1, 3, 0, 0.6, 2]
    assert used("--similarity-exponent", 8, "--refit-penalty", 8) == [12, 50, 0.1, 1, 1, 8, 0, 8]
    said = tagdb("factors", "compute").stderr
    values = (
        "factors=12, regularization=0.1, min_images=1, min_hashtags=1, refit_penalty=0, contrast=0, "
        "similarity_exponent=2"
    )
    assert said.endswith(FOLLOWED.format(values))
    assert tagdb("factors", "compute", "-q").stderr == ""


def test_what_follows_the_number_of_images_is_no_other_plan(filled: Path, tagdb: Run) -> None:
    """There is nothing to evaluate, for which these photos would be too few."""
    assert tagdb("remove", filled / "00.jpg", "--yes").exit_code == 0
    assert tagdb("factors", "compute").exit_code == 0
    assert tagdb("remove", filled / "01.jpg", "--yes").exit_code == 0
    verdict = parsed(tagdb("factors", "compute", "--activate-if-better", "--json"))["verdict"]
    assert verdict["promoted"]
    assert verdict["sentence"].endswith("its settings are those of the active run")


def test_a_run_of_enough_images_says_nothing_of_it(filled: Path, tagdb: Run, monkeypatch) -> None:
    monkeypatch.setattr("tagdb.factors.ENOUGH", 12)
    assert tagdb("factors", "compute", "--factors", 4, "--preset", "ancestor").stderr == ""


def test_compute_as_json(filled: Path, tagdb: Run) -> None:
    found = parsed(tagdb("factors", "compute", "--factors", 4, "--json"))
    assert found.pop("seconds") > 0
    assert found == {
        "factor_run_id": 2, "images": 12, "hashtags": 6, "interactions": 26, "active": True,
        "sampled_because": None,
    } | FactorSettings(factors=4, **SMALL_TIDY, min_hashtags=1).values() | {"sample": None}  # fmt: skip


def test_learning_from_a_sample(filled: Path, tagdb: Run, connection: Connection) -> None:
    whole = parsed(tagdb("factors", "compute", "--factors", 4, "--json"))
    for given, sample in (("6", 6), ("0.5", 6), ("2", 2)):
        found = parsed(tagdb("factors", "compute", "--factors", 4, "--sample", given, "--json"))
        assert (found["sample"], found["active"], found["sampled_because"]) == (sample, True, None)
        assert {name: found[name] for name in ("images", "hashtags", "interactions", "min_hashtags")} == {
            name: whole[name] for name in ("images", "hashtags", "interactions", "min_hashtags")
        }
        assert parsed(tagdb("factors", "list", "--json"))[-1]["sample"] == float(given)
        assert tagdb("recommend", filled / "00.jpg").exit_code == 0
    for given in ("all", "1.0", "12", "1000"):
        found = parsed(tagdb("factors", "compute", "--factors", 4, "--sample", given, "--json"))
        assert found["sample"] is None
        assert parsed(tagdb("factors", "list", "--json"))[-1]["sample"] == 0
    done = tagdb("factors", "compute", "--factors", 4, "--sample", "6")
    assert "4 factors, ALS on 6 of the images; " in done.stdout


@pytest.mark.parametrize("given", ["0", "1.5", "2.5", "-1", "x", "nan", "inf", "1e13", ""])
def test_what_is_no_sample(tagdb: Run, given: str) -> None:
    done = tagdb("factors", "compute", "--sample", given)
    assert done.exit_code == 2
    assert f"a sample is 2 images or more, a share of them below 1, or all, not {given}" in done.stderr


def test_what_does_not_fit_into_memory_is_learned_from_a_sample(
    filled: Path, tagdb: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    little = Machine(memory=200 << 20, cores=1)
    monkeypatch.setattr("tagdb.postgres.machine.this_machine", lambda: little)
    assert parsed(tagdb("factors", "compute", "--json"))["sample"] is None  # few images take no less
    monkeypatch.setattr("tagdb.learning.memory.LEAST", 4)
    done = tagdb("factors", "compute", "--json")
    found = parsed(done)
    assert (found["sample"], found["images"]) == (4, 12)
    assert done.stderr.startswith(found["sampled_because"])
    assert re.fullmatch(
        r"learned from 4 of about \d+ images, and from sums over the others: all would take 0\.2 GB, more "
        r"than half of this machine's 0\.2 GB; to learn from all nevertheless: --sample all",
        found["sampled_because"],
    )
    assert parsed(tagdb("factors", "list", "--json"))[-1]["sample"] == 4
    assert parsed(tagdb("factors", "compute", "--sample", "all", "--json"))["sample"] is None
    big = Machine(memory=16 << 30, cores=1)
    monkeypatch.setattr("tagdb.postgres.machine.this_machine", lambda: big)
    assert parsed(tagdb("factors", "compute", "--json"))["sample"] is None


def test_the_same_data_and_seed_give_the_same_factors(
    filled: Path, tagdb: Run, connection: Connection
) -> None:
    for seed in (1, 1, 2):
        assert tagdb("factors", "compute", "--factors", 8, "--seed", seed).exit_code == 0
    first, same, other = (without_run(stored(connection, run)) for run in (2, 3, 4))
    assert first == same
    assert first != other


@pytest.mark.usefixtures("filled")
def test_the_ancestors_settings(tagdb: Run) -> None:
    assert tagdb("factors", "compute", "--preset", "ancestor").exit_code == 0
    assert tagdb("factors", "compute", "--preset", "ancestor", "--alpha", 2, "--neighbours", 3).exit_code == 0
    ancestor, changed = parsed(tagdb("factors", "list", "--json"))[1:]
    settings = {
        "factors": 10, "alpha": 40.0, "regularization": 0.1, "iterations": 10, "min_images": 1, "seed": 42,
        "neighbours": 5, "contrast": 0.0, "similarity_exponent": 0.0, "min_hashtags": 1, "weighting": "none",
        "accepted_weight": 1.0, "ridge": 0.0, "refit_penalty": 0.0,
    }  # fmt: skip
    assert {name: ancestor[name] for name in settings} == settings
    assert {name: changed[name] for name in settings} == settings | {"alpha": 2.0, "neighbours": 3}


@pytest.mark.usefixtures("filled")
def test_every_setting_can_be_chosen(tagdb: Run) -> None:
    settings = {
        "factors": 3, "alpha": 1.5, "regularization": 0.25, "iterations": 2, "min_images": 3, "seed": 7,
        "neighbours": 11, "contrast": 0.5, "similarity_exponent": 0.5, "min_hashtags": 2, "weighting": "bm25",
        "accepted_weight": 3.5, "ridge": 0.25, "ridge_penalty": 2.5, "refit_penalty": 0.5, "sample": 0.5,
    }  # fmt: skip
    assert settings.keys() == FactorSettings().values().keys()
    flags = [part for name, value in settings.items() for part in (f"--{name.replace('_', '-')}", value)]
    assert tagdb("factors", "compute", *flags).exit_code == 0
    found = parsed(tagdb("factors", "list", "--json"))[-1]
    assert {name: found[name] for name in settings} == settings
    assert found["status"] == "active"
    assert set(found["versions"]) == {"tagdb", "implicit", "numpy"}
    assert found["created_at"] <= found["activated_at"]


@pytest.mark.usefixtures("filled")
def test_runs_are_listed_with_their_status(tagdb: Run) -> None:
    assert tagdb("factors", "compute").exit_code == 0
    done = tagdb("factors", "list")
    assert (done.exit_code, done.stderr) == (0, "")
    header, *lines = (re.split(" {2,}", line.strip()) for line in done.stdout.splitlines())
    assert header[:3] == ["run", "status", "factors"]
    assert [line[:3] for line in lines] == [["1", "retired", "8"], ["2", "active", "12"]]
    assert all(len(line) == len(header) for line in lines)


def test_an_empty_list(tagdb: Run) -> None:
    done = tagdb("factors", "list")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "no factor run yet; compute one: tagdb factors compute\n"
    assert parsed(tagdb("factors", "list", "--json")) == []


def test_no_factors_without_hashtags(tagdb: Run, ingest: Run, photos: Path, connection: Connection) -> None:
    assert "ingest a manifest" in complaint(tagdb("factors", "compute"))
    assert ingest(photos).exit_code == 0
    assert "tagdb ingest" in complaint(tagdb("factors", "compute"))
    assert rows(connection) == []


def test_nothing_but_rare_hashtags(filled: Path, tagdb: Run, connection: Connection) -> None:
    """The run before goes on being used."""
    assert "lower --min-images" in complaint(tagdb("factors", "compute", "--min-images", 100))
    assert rows(connection) == [(1, "active"), (2, "failed")]
    assert tagdb("recommend", filled / "00.jpg").exit_code == 0
    statuses = [run["status"] for run in parsed(tagdb("factors", "list", "--json"))]
    assert statuses == ["active", "failed"]
    assert tagdb("factors", "list").exit_code == 0


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_a_run_that_breaks_off_leaves_nothing(
    filled: Path,
    tagdb: Run,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
) -> None:
    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(als, "fit", fail)
    assert tagdb("factors", "compute").exit_code == 1
    assert rows(connection) == [(1, "active"), (2, "failed")]
    left = connection.execute("SELECT relname FROM pg_class WHERE relname LIKE '%\\_factors\\_2'").fetchall()
    assert left == []


@pytest.mark.usefixtures("filled")
def test_factors_that_are_not_finite(
    tagdb: Run, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = als.checked
    monkeypatch.setattr(als, "checked", lambda factors: checked(factors * np.float32(1e9)))
    assert "lower --alpha" in complaint(tagdb("factors", "compute"))
    assert rows(connection) == [(1, "active"), (2, "failed")]


@pytest.mark.parametrize(
    "flags",
    [
        ("--factors", 0),
        ("--factors", 4001),
        ("--alpha", 0),
        ("--regularization", -1),
        ("--seed", -1),
        ("--min-images", 0),
        ("--preset", "mine"),
        ("--min-hashtags", 0),
        ("--ridge", 1.5),
        ("--weighting", "mine"),
        ("--no-activate", "--activate-if-better"),
    ],
)
def test_settings_out_of_range_are_usage_errors(tagdb: Run, flags: tuple[object, ...]) -> None:
    done = tagdb("factors", "compute", *flags)
    assert done.exit_code == 2
    assert str(flags[0]) in done.stderr


@pytest.mark.parametrize("flags", [("--engine", "spark"), ("--master", "local[2]")])
def test_an_engine_and_its_cluster_belong_together(tagdb: Run, flags: tuple[str, ...]) -> None:
    done = tagdb("factors", "compute", *flags)
    assert done.exit_code == 2
    assert done.stderr.endswith(
        "Error: --engine spark needs --master URL, and --master needs --engine spark\n"
    )


def test_without_the_extra_spark(tagdb: Run, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    said = complaint(tagdb("factors", "compute", "--engine", "spark", "--master", "local[2]"))
    assert said == "Error: Spark is reached by pyspark; install it with: pip install 'tagdb[spark]'"
    wrong = complaint(tagdb("factors", "compute", "--engine", "spark", "--master", "local", "--alpha", 0.5))
    assert wrong.startswith("Error: Spark knows no confidence below 1, and the least would be 0.5;")
    assert rows(connection) == []


# --- the life of runs ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("filled")
def test_a_run_that_is_to_wait(tagdb: Run, connection: Connection) -> None:
    done = tagdb("factors", "compute", "--factors", 4, "--no-activate")
    assert done.exit_code == 0
    assert done.stdout.startswith("factor run 2 is ready: 12 images ")
    assert done.stderr.endswith("to recommend from it: tagdb factors activate 2\n")
    assert rows(connection) == [(1, "active"), (2, "ready")]
    assert parsed(tagdb("factors", "compute", "--no-activate", "--json"))["active"] is False
    assert tagdb("factors", "activate", 2).stdout == "factor run 2 is active\n"
    assert rows(connection) == [(1, "retired"), (2, "active"), (3, "ready")]
    assert tagdb("factors", "rollback").stdout == "factor run 1 is active again\n"
    assert rows(connection) == [(1, "active"), (2, "retired"), (3, "ready")]


@pytest.mark.usefixtures("filled")
def test_runs_that_cannot_be_activated(tagdb: Run, connection: Connection) -> None:
    assert complaint(tagdb("factors", "rollback")).startswith(
        "Error: there is no earlier run to go back to; see:"
    )
    assert complaint(tagdb("factors", "activate", 7)).endswith("there is no factor run 7")
    complaint(tagdb("factors", "compute", "--min-images", 100))
    assert complaint(tagdb("factors", "activate", 2)).endswith("factor run 2 failed")
    for _ in range(2):
        assert tagdb("factors", "compute", "--factors", 4).exit_code == 0
    assert tagdb("factors", "prune", "--keep", 1).exit_code == 0
    assert complaint(tagdb("factors", "activate", 1)).endswith("the factors of run 1 were pruned")
    assert complaint(tagdb("factors", "rollback")).startswith(
        "Error: there is no earlier run to go back to; see:"
    )
    assert rows(connection) == [(1, "retired"), (2, "failed"), (3, "retired"), (4, "active")]


@pytest.mark.usefixtures("filled")
def test_prune_keeps_the_newest_runs(tagdb: Run, connection: Connection) -> None:
    assert tagdb("factors", "prune").stdout == "nothing to prune\n"
    for _ in range(4):
        assert tagdb("factors", "compute", "--factors", 4).exit_code == 0
    assert tagdb("factors", "prune").stdout == "pruned factor runs 1, 2\n"
    listed = tagdb("factors", "list").stdout.splitlines()[1:]
    assert [line.split()[1] for line in listed] == ["pruned", "pruned", "retired", "retired", "active"]
    assert parsed(tagdb("factors", "prune", "--keep", 2, "--json")) == {"pruned": [3], "in_use": []}
    assert tagdb("factors", "prune", "--keep", 2).stdout == "nothing to prune\n"
    assert tagdb("factors", "prune", "--keep", 0).exit_code == 2


@pytest.mark.usefixtures("filled")
def test_prune_what_is_in_use(
    tagdb: Run, connection: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence and exit code 1; nothing else was waited for longer than it must."""
    monkeypatch.setattr("tagdb.factors.prune.__defaults__", (False, 0.0, lambda seconds: None))
    assert tagdb("factors", "compute", "--factors", 4).exit_code == 0
    with database.connect(database_url) as other, other.transaction():
        other.execute("SELECT FROM tagdb_store.image_factors")
        done = tagdb("factors", "prune", "--keep", 1)
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr.startswith("factor run 1 could not be dropped: a transaction elsewhere")
        assert tagdb("factors", "prune", "--keep", 1, "--json").exit_code == 1
    assert tagdb("factors", "prune", "--keep", 1).stdout == "pruned factor run 1\n"


def test_diff_says_how_much_the_recommendations_differ(filled: Path, tagdb: Run) -> None:
    assert tagdb("factors", "compute", "--factors", 2, "--seed", 3, "--neighbours", 2).exit_code == 0
    done = tagdb("factors", "diff", 1, 2, "--top", 2)
    assert done.exit_code == 0
    first, *moved = done.stdout.splitlines()
    pattern = (
        r"12 images: (\d+)% of the first 2 hashtags are the same, and (\d+)% have the same first hashtag"
    )
    assert re.fullmatch(pattern, first)
    assert all(re.fullmatch(r"  #\w+  \d+ → \d+", line) for line in moved)
    found = parsed(tagdb("factors", "diff", 1, 2, "--top", 2, "--images", 5, "--json"))
    assert (found["images"], found["top"]) == (5, 2)
    same = tagdb("factors", "diff", 2, 2).stdout
    assert (
        same
        == "12 images: 100% of the first 10 hashtags are the same, and 100% have the same first hashtag\n"
    )
    assert complaint(tagdb("factors", "diff", 1, 7)).endswith("there is no factor run 7")
