"""Files that hold what a test has found, so that a change of it is seen as a difference and agreed to."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "sql" / "golden"


def compare(name: str, found: str) -> None:
    """Fail unless a text is what its golden file holds; with ``TAGDB_TEST_ACCEPT`` set, write the file."""
    file = FOLDER / name
    if os.environ.get("TAGDB_TEST_ACCEPT"):
        file.write_text(found, "utf-8", newline="\n")
    golden = file.read_text("utf-8") if file.exists() else ""
    if found != golden:
        lines = difflib.unified_diff(golden.splitlines(), found.splitlines(), name, "found", lineterm="")
        difference = "\n".join(lines)
        pytest.fail(
            f"{file} no longer holds what is there:\n\n{difference}\n\nAs found:\n\n{found}\n"
            "If this is meant, say so: TAGDB_TEST_ACCEPT=1 python -m pytest tests/db/test_roles.py"
            " tests/sql/test_contract.py",
            pytrace=False,
        )
