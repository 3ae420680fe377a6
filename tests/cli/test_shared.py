"""The whole way with real photos and the real weights."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tagdb.postgres.database import Connection
from tests.support.commands import Run, parsed


@pytest.fixture
def home(tmp_path: Path, real_cache: Path) -> Path:
    """A TAGDB_HOME that has the real weights' backbone already."""
    made = tmp_path / "home"
    made.mkdir()
    (made / "backbones").symlink_to(real_cache)
    return made


def test_real_photos_end_to_end(
    tagdb: Run, shared: Path, real_weights: Path, connection: Connection, step: Callable[[str], None]
) -> None:
    step("ingest")
    done = tagdb("ingest", shared / "data/instagram10", "--limit", 60, "--backbone", real_weights, "--json")
    found = parsed(done)
    stored = found["new"] + found["known"] + found["updated"]
    assert stored >= 50
    assert done.exit_code == (3 if found["rejected"] else 0)
    row = connection.execute("SELECT count(*), count(DISTINCT collection) FROM tagdb.images").fetchone()
    assert row is not None
    assert row[0] == found["new"]
    assert row[1] >= 1
    row = connection.execute("SELECT name, input_size FROM tagdb.backbones WHERE active").fetchone()
    assert row == ("mobilenetv2_imagenet_1.0_no_top", 160)

    step("factors")
    assert tagdb("factors", "compute", "--factors", 32, "--quiet").exit_code == 0
    step("recommend")
    photo = next((shared / "data/instagram10/data").glob("*/*.jpg"))
    answer = parsed(tagdb("recommend", photo, "--json"))
    hashtags = answer[0]["hashtags"]
    assert [one["rank"] for one in hashtags] == list(range(1, 11))
    scores = [one["score"] for one in hashtags]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0

    step("similar")
    ingested = connection.execute("SELECT uri FROM tagdb.images ORDER BY image_id LIMIT 1").fetchone()
    assert ingested is not None
    nearest = parsed(tagdb("similar", ingested[0].removeprefix("file://"), "--top", 1, "--json"))
    assert nearest[0]["images"][0]["uri"] == ingested[0]
