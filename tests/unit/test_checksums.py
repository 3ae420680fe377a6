"""Released SQL never changes."""

import re
from pathlib import Path

from tests.checksums import FOLDER, computed, listed


def test_sql_files_are_as_listed() -> None:
    wanted, found = listed(), computed()
    changed = sorted(name for name in wanted.keys() & found.keys() if wanted[name] != found[name])
    gone, unlisted = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    assert not changed + gone, (
        f"{', '.join(changed + gone)}: released SQL never changes: make a new revision "
        "(if it was never released: python -m tests.checksums)"
    )
    assert not unlisted, f"{', '.join(unlisted)}: not listed in CHECKSUMS; run: python -m tests.checksums"
    assert list(wanted) == sorted(wanted)


def test_sql_files_are_named_and_used() -> None:
    """A file holds a revision of an object, and some migration runs it."""
    migrations = "".join(path.read_text("utf-8") for path in Path(FOLDER.parent, "versions").glob("*.py"))
    for name in computed():
        assert re.fullmatch(r"[a-z_]+\.r\d\d\.sql", name), name
        assert f'"{name.removesuffix(".sql")}"' in migrations, f"no migration runs {name}"
