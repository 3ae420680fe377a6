"""What was released does not change."""

from pathlib import Path
from shutil import copytree

from tests.checksums import MIGRATIONS, changed, present, released


def test_nothing_has_changed_that_was_released() -> None:
    assert not changed(present(), released()), (
        "what was released has changed: make a new revision (see tests/checksums.py)"
    )


def test_what_counts_as_a_change(tmp_path: Path) -> None:
    copy = tmp_path / "migrations"
    copytree(MIGRATIONS, copy)
    noted = present(copy)
    head = max(filter(str.isdigit, noted))
    function = copy / "sql" / "tagdb_store" / "refuse.sql"
    table = next(copy.glob("versions/0001*/images.sql"))
    texts = {file: file.read_text() for file in (function, table)}
    for file in texts:
        file.write_text("-- said better\n" + texts[file])
    assert changed(present(copy), noted) == []
    function.write_text(texts[function].replace("MESSAGE = message", "MESSAGE = 'x'"))
    assert changed(present(copy), noted) == [f"sql of {head}"]
    table.write_text(texts[table].replace("height integer NOT NULL", "height integer"))
    assert changed(present(copy), noted) == ["0001", f"sql of {head}"]
    table.write_text(texts[table])
    (copy / "versions" / "9000_made_up.py").write_text("")
    assert changed(present(copy), noted) == []  # a new revision makes functions anew
    next(copy.glob("versions/0001*.py")).unlink()
    assert changed(present(copy), noted) == ["0001"]


def test_before_the_first_release(tmp_path: Path) -> None:
    assert released(tmp_path / "none") == {}
    assert changed(present(), {}) == []
