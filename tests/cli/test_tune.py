"""``tagdb tune``."""

from tagdb.postgres.database import Connection
from tests.support.commands import Run, parsed
from tests.support.evaluated import fill


def test_what_was_found_is_printed_and_used(connection: Connection, tagdb: Run) -> None:
    fill(connection, 60)
    done = tagdb("tune", "--minutes", 0.05, "--quiet")
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert "settings tried in" in lines[0]
    assert lines[1].split()[:2] == ["nDCG@10", "settings,"]
    assert "photos that were put aside: nDCG@10 0." in done.stdout
    assert "against the ancestor's settings" in done.stdout
    assert lines[-1].startswith("kept for the next: tagdb factors compute")
    computed = parsed(tagdb("factors", "compute", "--json", "--quiet"))
    kept = connection.execute("SELECT settings FROM tagdb_store.factor_defaults").fetchone()
    run = connection.execute(
        "SELECT r.neighbours FROM tagdb.factor_runs r WHERE r.factor_run_id = %s",
        (computed["factor_run_id"],),
    ).fetchone()
    assert kept is not None
    assert run is not None
    assert run[0] == kept[0]["neighbours"]
    assert tagdb("tune", "--forget").stdout == "the defaults are those that tagdb ships again\n"
    assert tagdb("tune", "--forget").stdout == "the defaults are those that tagdb ships already\n"


def test_too_few_photos_are_told_in_a_sentence(connection: Connection, tagdb: Run) -> None:
    fill(connection, 1)
    done = tagdb("tune", "--minutes", 0.05, "--quiet")
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: there are too few photos to hold some out: ")
