"""``docs/troubleshooting.md`` quotes messages as the code has them, with ``…`` for what differs each time."""

import ast
import re

import pytest

from tests.support.shared import ROOT

DOCUMENT = (ROOT / "docs/troubleshooting.md").read_text("utf-8")
MESSAGES = re.findall(r"^\| `([^`]+)` \|", DOCUMENT, re.MULTILINE)


def texts() -> list[str]:
    """Every text in the code: Python's with … for each value; shell and SQL as they are, values to match."""
    found = []
    for folder in ("tagdb", "migrations"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(node.value)
                elif isinstance(node, ast.JoinedStr):
                    parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
                    found.append("".join(map(str, parts)))
    return found


TEXTS = texts()
OTHERS = [path.read_text("utf-8") for path in sorted((ROOT / "migrations/sql").rglob("*.sql"))]
OTHERS.append((ROOT / "tools/find_python.sh").read_text("utf-8"))


@pytest.mark.parametrize("message", MESSAGES)
def test_a_quoted_message_is_one_of_the_programs(message: str) -> None:
    fragments = [part.strip() for part in message.split("…") if part.strip(" ,;:.()")]
    assert any(message.strip("… ") in text for text in TEXTS) or any(
        all(fragment in text for fragment in fragments) for text in OTHERS
    ), f"no message of tagdb reads: {message}"


def test_there_are_messages() -> None:
    assert len(MESSAGES) > 60
    assert len(set(MESSAGES)) == len(MESSAGES)
