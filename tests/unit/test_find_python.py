"""Which Python `make` takes: programs of these names that only say a version stand for real ones."""

import subprocess
from pathlib import Path

import pytest

from tests.support.shared import ROOT


@pytest.mark.parametrize(
    ("pythons", "named", "chosen", "message"),
    [
        ({"python3": "3.12"}, "", "python3", ""),
        ({"python3": "3.14", "python3.13": "3.13"}, "", "python3", ""),
        ({"python3": "3.9", "python3.12": "3.12"}, "", "python3.12", "because python3 is Python 3.9"),
        ({"python3": "3.15", "python3.14": "3.14"}, "", "python3.14", "because python3 is Python 3.15"),
        (
            {"python3": "3.15", "python3.14": "3.14", "python3.11": "3.11"},
            "",
            "python3.11",
            "using python3.11,",
        ),
        ({"python3.14": "3.14"}, "", "python3.14", "because there is no python3"),
        ({"python3": "3.9", "python3.13": ""}, "", "", "and python3 is Python 3.9; install one, or name one"),
        ({"python3": "3.15"}, "", "", "and python3 is Python 3.15; install one, or name one"),
        ({}, "", "", "and there is none on the PATH; install one, or name one"),
        ({"python3": "3.13", "other": "3.12"}, "other", "other", ""),
        ({"python3": "3.13", "other": "3.10"}, "other", "", "and other is Python 3.10"),
        ({"python3": "3.13"}, "other", "", "and other is no Python that runs here"),
    ],
)
def test_the_first_python_that_fits_is_taken(
    pythons: dict[str, str], named: str, chosen: str, message: str, tmp_path: Path
) -> None:
    """A version of "" is a program that fails, as the shims of version managers do."""
    for name, version in pythons.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{f'echo {version}' if version else 'exit 127'}\n")
        program.chmod(0o755)
    command = ["/bin/sh", ROOT / "tools/find_python.sh", named]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (int(not chosen), chosen)
    assert message in done.stderr
    assert done.stderr.count("\n") == int(bool(message))
    if not chosen:
        assert done.stderr.startswith("tagdb needs Python 3.11 to 3.14, ")
