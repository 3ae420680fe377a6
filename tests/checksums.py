"""What was released does not change: revisions, and views and functions without a new revision.

``released.txt`` says what each release contained: a line for each revision, with the checksum of its files in
``migrations/versions``, and one for ``migrations/sql`` as the newest of them has it. Nothing was released so
far, so that the list is empty and everything may change. ``python -m tests.checksums``, run for a release,
adds what is new; what it has noted it never changes.

Comments above a statement are not counted: they may always be improved.
"""

import hashlib
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from tagdb.postgres.database import MIGRATIONS

LIST = Path(__file__).with_name("released.txt")


def digest(files: Iterable[Path]) -> str:
    """The SHA-256 of files and their names, without the comments that begin a line."""
    whole = hashlib.sha256()
    for file in sorted(files):
        text = re.sub(r"^--.*\n", "", file.read_text("utf-8"), flags=re.MULTILINE)
        whole.update(f"{file.name}\0{text}\0".encode())
    return whole.hexdigest()


def present(migrations: Path = MIGRATIONS) -> dict[str, str]:
    """The checksum of each revision, and, as ``sql of NNNN``, of what is made anew."""
    revisions = sorted((migrations / "versions").glob("[0-9]*.py"))
    found = {file.name[:4]: digest([file, *file.with_suffix("").glob("*.sql")]) for file in revisions}
    return found | {f"sql of {max(found)}": digest((migrations / "sql").rglob("*.sql"))}


def released(listed: Path = LIST) -> dict[str, str]:
    """What was released, as it was then."""
    if not listed.exists():
        return {}
    lines = listed.read_text("utf-8").splitlines()
    return {name: checksum for checksum, _, name in (line.partition("  ") for line in lines)}


def changed(found: dict[str, str], listed: dict[str, str]) -> list[str]:
    """What is not as it was released. Views and functions may differ where a new revision makes them anew."""
    newest = max(name for name in found if name.startswith("sql of "))
    noted = {name: checksum for name, checksum in listed.items() if name == newest or name.isdigit()}
    return [name for name, checksum in noted.items() if found.get(name) != checksum]


if __name__ == "__main__":
    if wrong := changed(present(), released()):
        sys.exit(f"changed since it was released: {', '.join(wrong)}; make a new revision")
    lines = (f"{checksum}  {name}\n" for name, checksum in sorted((present() | released()).items()))
    LIST.write_text("".join(lines), "utf-8")
