"""``tagdb tune``."""

import pytest

from tagdb.learning.settings import SETTINGS, FactorSettings
from tagdb.postgres.database import Connection
from tests.support.commands import Run, parsed
from tests.support.evaluated import fill


def test_what_was_found_is_printed_and_used(
    connection: Connection, tagdb: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagdb.evaluation.tune.ENOUGH", 60)
    fill(connection, 60)
    done = tagdb("tune", "--minutes", 0.05, "--quiet")
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert "settings tried in" in lines[0]
    assert lines[1].split()[:2] == ["nDCG@10", "settings"]
    assert "held-out photos: nDCG@10 0." in done.stdout
    assert "against the ancestor's settings" in done.stdout
    assert lines[-1].startswith("stored as defaults for: tagdb factors compute")
    computed = parsed(tagdb("factors", "compute", "--json", "--quiet"))
    kept = connection.execute("SELECT settings FROM tagdb_store.factor_defaults").fetchone()
    run = connection.execute(
        "SELECT r.neighbours FROM tagdb.factor_runs r WHERE r.factor_run_id = %s",
        (computed["factor_run_id"],),
    ).fetchone()
    assert kept is not None
    assert run is not None
    assert run[0] == kept[0]["neighbours"]
    assert tagdb("tune", "--forget").stdout == "back to tagdb's own defaults\n"
    assert tagdb("tune", "--forget").stdout == "tagdb's own defaults are in use already\n"


def test_what_was_found_with_few_photos_is_not_stored(connection: Connection, tagdb: Run) -> None:
    fill(connection, 60)
    said = "not stored: with 60 photos of 3 hashtags or more, the best is best by chance; choosing settings "
    for options in ((), ("--dry-run",)):
        done = tagdb("tune", "--minutes", 0.05, "--quiet", *options)
        assert (done.exit_code, done.stderr) == (0, "")
        assert done.stdout.splitlines()[-1] == said + "takes 250"
    found = parsed(tagdb("tune", "--minutes", 0.01, "--quiet", "--json"))
    assert found["stored"] is False
    assert found["plan"].keys() == {*SETTINGS, "chosen"}
    assert found["used"].keys() == SETTINGS.keys()
    assert found["used"]["alpha"] == found["plan"]["alpha"]
    assert connection.execute("SELECT FROM tagdb_store.factor_defaults").fetchall() == []


def test_nothing_better(connection: Connection, tagdb: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    only = {"neighbours": (50,), "alpha": (1,), "iterations": (15,)}
    monkeypatch.setattr("tagdb.evaluation.tune.SPACE", only)
    monkeypatch.setattr("tagdb.evaluation.tune.ANCESTOR", FactorSettings())
    monkeypatch.setattr("tagdb.evaluation.tune.ENOUGH", 60)
    fill(connection, 60)
    done = tagdb("tune", "--minutes", 0.05, "--quiet")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[-1] == "nothing better was found; the defaults stay as they are"
    assert connection.execute("SELECT FROM tagdb_store.factor_defaults").fetchall() == []


def test_a_dry_run_forgets_nothing(tagdb: Run) -> None:
    done = tagdb("tune", "--dry-run", "--forget")
    assert done.exit_code == 2
    assert "exclude each other" in done.stderr


def test_too_few_photos_are_told_in_a_sentence(connection: Connection, tagdb: Run) -> None:
    fill(connection, 1)
    done = tagdb("tune", "--minutes", 0.05, "--quiet")
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: there are too few photos to hold some out: ")
