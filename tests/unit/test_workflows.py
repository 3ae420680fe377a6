"""What hosted CI is told to run: all of it exists, and nothing of it needs a secret."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.shared import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def steps(workflow: Path) -> list[dict[str, Any]]:
    """The steps of all its jobs."""
    jobs = yaml.safe_load(workflow.read_text())["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_what_a_workflow_runs_exists(workflow: Path) -> None:
    commands = [step["run"] for step in steps(workflow) if "run" in step]
    assert commands
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for command in commands:
        assert set(re.findall(r"\bmake ([a-z-]+)", command)) <= targets
        for script in re.findall(r"\bbash (\S+)", command):
            assert (ROOT / script).is_file()


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_read_only_and_knows_no_secret(workflow: Path) -> None:
    settings = yaml.safe_load(workflow.read_text())
    assert settings["permissions"] == {"contents": "read"}
    for name, job in settings["jobs"].items():
        assert job.get("permissions", {}) == ({"id-token": "write"} if name == "publish" else {})
        assert job["timeout-minutes"] <= 60
    assert "secrets." not in workflow.read_text()
    assert all(re.fullmatch(r"[\w./-]+@[\w./-]+", step["uses"]) for step in steps(workflow) if "uses" in step)


def test_the_pythons_and_postgresqls_are_those_that_are_supported() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    assert jobs["everything"]["strategy"]["matrix"] == {"python": ["3.11", "3.14"]}
    assert 'requires-python = ">=3.11,<3.15"' in (ROOT / "pyproject.toml").read_text()
    assert jobs["sql"]["strategy"]["matrix"] == {"postgres": ["15", "16", "17", "18"]}


def test_before_a_commit_lint_is_made() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    (hook,) = repository["hooks"]
    assert (repository["repo"], hook["entry"], hook["pass_filenames"]) == ("local", "make lint", False)
