"""The code in the pages that are written for clients."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, language: str) -> list[str]:
    """Every code block of a page in a language."""
    return re.findall(
        rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.DOTALL | re.MULTILINE
    )


def program(page: str, language: str, name: str, folder: Path) -> Path:
    """The program of that name, whose first line tells it, as a file."""
    pattern = re.compile(rf"(?:#|//) {re.escape(name)}: ")
    (found,) = (block for block in blocks(page, language) if pattern.match(block))
    (folder / name).write_text(found, "utf-8")
    return folder / name
