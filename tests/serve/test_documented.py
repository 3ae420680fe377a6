"""``docs/serving.md``: its calls by curl are made, its metrics exist, its numbers are the program's."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tagdb.serve import access, bodies, options, running, service
from tests.support.documents import DOCS, blocks
from tests.support.served import Served

PAGE = (DOCS / "serving.md").read_text("utf-8")
ADDRESS = "http://127.0.0.1:8000"
Curl = Callable[[str], bytes]


def calls(writing: bool) -> list[str]:
    """Every line of the page that begins with curl."""
    lines = [line for block in blocks("serving.md", "sh") for line in block.splitlines()]
    found = [line for line in lines if line.startswith("curl ")]
    return [line for line in found if ("$AUTH" in line) is writing]


@pytest.fixture
def curl(drawn: Path, tmp_path: Path) -> Callable[[Served, str], Curl]:
    """A function that makes a function that runs a line, which fails where HTTP says that it did."""
    for program in ("curl", "jq", "bash"):
        if not shutil.which(program):
            pytest.skip(f"needs {program}")
    (tmp_path / ".curlrc").write_text("fail-with-body\nsilent\nshow-error\n")
    shutil.copy(drawn / "travel-01.jpg", tmp_path / "other.jpg")
    # stored, but not with these bytes
    (tmp_path / "new.jpg").write_bytes((drawn / "travel-02.jpg").read_bytes() + b"\0")

    def of(served: Served, token: str) -> Curl:
        environment = os.environ | {"HOME": str(tmp_path), "AUTH": f"Authorization: Bearer {token}"}

        def run(line: str) -> bytes:
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", line.replace(ADDRESS, served.url)],
                cwd=tmp_path, env=environment, capture_output=True, timeout=60,
            )  # fmt: skip
            assert done.returncode == 0, (line, done.stdout, done.stderr)
            return done.stdout

        return run

    return of


@pytest.mark.parametrize("line", calls(writing=False))
def test_a_program_on_this_machine_reads(
    shared: Served, curl: Callable[[Served, str], Curl], line: str, tmp_path: Path
) -> None:
    said = curl(shared, "")(line)
    if "--output" in line:
        assert (tmp_path / "42.jpg").read_bytes().startswith(b"\xff\xd8")
    else:
        answer = json.loads(said)
        assert any(answer.values()), answer
        assert not any("error" in each for each in answer.get("photos", [])), answer


def test_a_program_with_a_token_writes(served: Served, curl: Callable[[Served, str], Curl]) -> None:
    run, without = curl(served, served.token("writer")), curl(served, "tagdb_wrong")
    lines = calls(writing=True)
    assert len(lines) > 5
    for line in lines:
        with pytest.raises(AssertionError, match="401"):
            without(line)
        run(line)
    assert served.rows("SELECT count(*) FROM tagdb.images") == [(48,)]  # one came, one went
    assert served.rows("SELECT count(*) FROM tagdb.image_hashtags WHERE hashtag = 'sun'") != [(0,)]


def test_every_metric_of_the_page_exists(shared: Served) -> None:
    with shared.client() as client:
        client.get("/status")
        text = client.get("/metrics").text
    named = set(re.findall(r"`(tagdb_[a-z_]+)`", PAGE))
    assert len(named) > 8
    there = {word for line in text.splitlines() if line.startswith("# TYPE") for word in line.split()[2:3]}
    there |= {f"{name}_total" for name in there}
    for name in named:
        assert name in there, name


def test_the_scrape_is_one_of_prometheus(shared: Served) -> None:
    (block,) = blocks("serving.md", "yaml")
    (job,) = yaml.safe_load(block)["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["127.0.0.1:8000"]}]
    assert set(job) == {"job_name", "metrics_path", "authorization", "static_configs"}
    with shared.client() as client:
        answer = client.get(job["metrics_path"].removeprefix("/v1"))
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize(
    "row",
    [
        f"| a photo | {options.PHOTO_BYTES >> 20} MiB |",
        f"| a form | {options.REQUEST_BYTES >> 20} MiB, {bodies.FILES} photos |",
        f"| time to send a body | {options.BODY_SECONDS:g} s |",
        f"| photos being embedded or waiting for it | {options.WAITING}, then 503 |",
        f"| requests being answered | {options.IN_PROGRESS}, then 503 |",
        f" client, where others than this machine can ask | {options.RATE:g} (`--rate`), then 429 |",
        f"| wrong tokens per minute and address | {access.GUESSES}, then 429 |",
        f"| queries at once | {service.QUERIES}; others wait |",
        f"get {running.GRACE} seconds.",
    ],
)
def test_its_limits_are_the_programs(row: str) -> None:
    assert row in PAGE


def test_its_problem_is_one(shared: Served) -> None:
    shown = json.loads(next(block for block in blocks("serving.md", "json") if '"type"' in block))
    with shared.client() as client:
        assert client.get("/images/420").json() == shown
