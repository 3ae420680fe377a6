"""The list that proves that released SQL never changes: ``migrations/sql/CHECKSUMS``.

``python -m tests.checksums`` writes it anew, which is right after adding files, and never a way to get
a changed file past the test once it was released. ``sha256sum -c CHECKSUMS`` reads it, too.
"""

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "migrations" / "sql"
LIST = FOLDER / "CHECKSUMS"


def computed() -> dict[str, str]:
    """The SHA-256 of every SQL file by its name, sorted."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(FOLDER.glob("*.sql"))}


def listed() -> dict[str, str]:
    """What the list says, in its order."""
    pairs = (line.split("  ", 1) for line in LIST.read_text("utf-8").splitlines())
    return {name: digest for digest, name in pairs}


if __name__ == "__main__":
    LIST.write_text("".join(f"{digest}  {name}\n" for name, digest in computed().items()), "utf-8")
