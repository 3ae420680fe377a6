"""``tagdb ingest --update`` and ``tagdb sync``: the database follows its sources."""

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tagdb import sync
from tagdb.errors import UnreadableInput
from tagdb.photos import files, folders
from tagdb.postgres.database import Connection
from tests.support.commands import Run, complaint, draw, parsed
from tests.support.pictures import photo

Write = Callable[..., Path]


@pytest.fixture
def write(photos: Path) -> Write:
    """A function that writes a list of photos, each with a collection and hashtags."""

    def list_photos(said: dict[int, tuple[str, str]], name: str = "list.jsonl") -> Path:
        rows = [
            {"file_name": f"{n:02}.jpg", "collection": collection or None, "hashtags": tags}
            for n, (collection, tags) in said.items()
        ]
        (photos / name).write_text("\n".join(map(json.dumps, rows)))
        return photos / name

    return list_photos


@pytest.fixture
def synced(tagdb: Run, chosen: tuple[object, ...]) -> Run:
    """Runs ``tagdb sync`` with the random weights."""
    return lambda *arguments, **more: tagdb("sync", *arguments, *chosen, **more)


def stored(connection: Connection) -> dict[str, tuple[str | None, set[str]]]:
    """Collection and hashtags of each image, by the name of its file."""
    rows = connection.execute(
        "SELECT i.uri, i.collection, array_remove(array_agg(h.hashtag), NULL) FROM tagdb.images i"
        " LEFT JOIN tagdb.image_hashtags h USING (image_id) GROUP BY i.image_id, i.uri, i.collection"
    )
    return {uri.rsplit("/", 1)[1]: (collection, {*tags}) for uri, collection, tags in rows}


def counts(done: object, *names: str) -> list[int]:
    """Some of the counts of a command with ``--json``."""
    found = parsed(done)  # type: ignore[arg-type]
    return [found[name] for name in names]


# --- ingest --update ----------------------------------------------------------------------------------


def test_an_update_replaces_what_its_source_said(
    ingest: Run, tagdb: Run, write: Write, connection: Connection
) -> None:
    ingest(write({0: ("a", "#x #y"), 1: ("a", "#x"), 2: ("", "#z")}))
    assert tagdb("tag", write({}).parent / "00.jpg", "mine").exit_code == 0
    changed = write({0: ("b", "#y"), 1: ("a", "#x"), 2: ("", "")})
    for dry in (("--dry-run",), ()):
        done = ingest(changed, *dry, "--json")
        assert counts(done, "new", "known", "updated", "differing") == [0, 3, 0, 2]
    assert "; 2 differ, kept (use --update); " in ingest(changed).stdout
    assert "nothing changed" not in ingest(changed).stdout
    assert stored(connection)["00.jpg"] == ("a", {"x", "y", "mine"})
    for dry in (("--dry-run",), ()):
        done = ingest(changed, *dry, "--update", "--json")
        assert counts(done, "new", "known", "updated", "differing") == [0, 1, 2, 0]
    assert stored(connection) == {
        "00.jpg": ("b", {"y", "mine"}), "01.jpg": ("a", {"x"}), "02.jpg": (None, set()),
    }  # fmt: skip
    assert ingest(changed, "--update").stdout.startswith("nothing changed: ")
    runs = (
        "SELECT images_known, images_updated, images_differing FROM tagdb.ingest_runs ORDER BY ingest_run_id"
    )
    assert connection.execute(runs).fetchall() == [
        (0, 0, 0), (3, 0, 2), (3, 0, 2), (3, 0, 2), (1, 2, 0), (3, 0, 0),
    ]  # fmt: skip


def test_a_moved_file(ingest: Run, photos: Path, connection: Connection) -> None:
    assert ingest(photos).exit_code == 0
    moved = photos.rename(photos.parent / "moved")
    assert "nothing changed" in ingest(moved).stdout
    assert counts(ingest(moved, "--update", "--json"), "known", "updated") == [0, 12]
    uris = [row[0] for row in connection.execute("SELECT uri FROM tagdb.images ORDER BY uri")]
    assert uris == sorted(path.as_uri() for path in moved.glob("*.jpg"))


def test_a_source_is_the_same_by_any_name(
    ingest: Run, write: Write, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = write({0: ("a", "#x #y")})
    assert ingest(made).exit_code == 0
    write({0: ("a", "#y")})
    link = made.parent.parent / "link"
    link.symlink_to(made.parent)
    monkeypatch.chdir(made.parent)
    for name in ("list.jsonl", f"../{made.parent.name}/list.jsonl", link / "list.jsonl"):
        assert counts(ingest(name, "--json"), "differing") == [1]
    assert ingest("./list.jsonl", "--update").exit_code == 0
    assert stored(connection)["00.jpg"] == ("a", {"y"})
    assert connection.execute("SELECT count(*) FROM tagdb_store.sources").fetchone() == (1,)


def test_one_list_does_not_take_what_another_says(ingest: Run, write: Write, connection: Connection) -> None:
    assert ingest(write({0: ("a", "#x #y")})).exit_code == 0
    assert ingest(write({0: ("a", "#y #z")}, "other.jsonl")).exit_code == 0
    assert ingest(write({0: ("a", "")}), "--update").exit_code == 0
    assert stored(connection)["00.jpg"] == ("a", {"y", "z"})


def test_an_update_folds_in_again(filled: Path, ingest: Run, write: Write, connection: Connection) -> None:
    draw(filled, [40])
    factors = (
        "SELECT factors::text FROM tagdb_store.image_factors f JOIN tagdb.images i USING (image_id)"
        " WHERE i.uri LIKE '%/40.jpg' AND folded_in"
    )
    assert ingest(write({40: ("", "#beach #sun #sea")})).exit_code == 0
    before = connection.execute(factors).fetchone()
    assert ingest(write({40: ("", "#beach #sea")}), "--update").exit_code == 0
    assert connection.execute(factors).fetchone() not in (before, None)
    assert ingest(write({40: ("", "")}), "--update").exit_code == 0
    assert connection.execute(factors).fetchone() is None


# --- sync ---------------------------------------------------------------------------------------------


def test_the_database_follows_a_folder(synced: Run, photos: Path, connection: Connection) -> None:
    assert synced(photos, "--yes").stdout.startswith("12 new, 0 already known, 0 changed, 0 removed")
    (photos / "00.jpg").unlink()
    (photos / "01.jpg").rename(photos / "renamed.jpg")
    draw(photos, [20, 21])
    shown = synced(photos, "--dry-run")
    gone = (photos / "00.jpg").as_uri()
    assert (shown.exit_code, shown.stdout) == (0, f"+2 new, 1 changed, 1 gone: {gone}\n")
    found = parsed(synced(photos, "--dry-run", "--json"))
    assert [each["uri"] for each in found["gone"]] == [gone]
    assert (found["new"], found["updated"], found["dry_run"]) == (2, 1, True)
    assert len(stored(connection)) == 12
    done = synced(photos, "--yes", "--json")
    assert counts(done, "new", "known", "updated", "removed", "kept") == [2, 10, 1, 1, 0]
    names = {"renamed.jpg", "20.jpg", "21.jpg"} | {f"{n:02}.jpg" for n in range(2, 12)}
    assert set(stored(connection)) == names
    assert synced(photos, "--dry-run").stdout == "nothing to do: the database agrees with the source\n"
    assert connection.execute("SELECT images FROM tagdb.statistics").fetchone() == (13,)


def test_the_database_follows_a_list(synced: Run, ingest: Run, write: Write, connection: Connection) -> None:
    assert ingest(write({0: ("a", "#x"), 1: ("a", "#x"), 2: ("a", "#x")})).exit_code == 0
    assert synced(write({0: ("b", "#y"), 1: ("a", "#x")}), "--yes").exit_code == 0
    assert stored(connection) == {"00.jpg": ("b", {"y"}), "01.jpg": ("a", {"x"})}


def test_what_another_source_has_stays(
    synced: Run, ingest: Run, write: Write, connection: Connection
) -> None:
    assert ingest(write({0: ("a", "#x"), 1: ("a", "#x"), 2: ("", "")})).exit_code == 0
    assert ingest(write({0: ("", "#z")}, "other.jsonl")).exit_code == 0
    left = write({1: ("a", "#x"), 2: ("", "")})
    assert "+0 new, 0 changed, 0 gone; 1 gone but kept, because other sources have them" in (
        synced(left, "--dry-run").stdout
    )
    assert counts(synced(left, "--yes", "--json"), "removed", "kept") == [0, 1]
    assert stored(connection)["00.jpg"] == ("a", {"z"})
    assert synced(left, "--dry-run").stdout.startswith("nothing to do")


def test_sources_within_a_folder_are_part_of_it(
    synced: Run, ingest: Run, photos: Path, connection: Connection
) -> None:
    """A folder in it, and photos that were named alone."""
    draw(photos / "deeper", [30, 31])
    assert ingest(photos / "deeper").exit_code == 0
    assert ingest(photos / "00.jpg").exit_code == 0
    assert synced(photos, "--yes").exit_code == 0
    (photos / "00.jpg").unlink()
    (photos / "deeper" / "30.jpg").unlink()
    assert counts(synced(photos, "--yes", "--json"), "removed", "kept") == [2, 0]
    assert {"00.jpg", "30.jpg"}.isdisjoint(stored(connection))


def test_it_asks(synced: Run, photos: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    assert synced(photos, "--yes").exit_code == 0
    (photos / "00.jpg").unlink()
    refused = synced(photos)
    assert refused.exit_code == 1
    assert "+0 new, 0 changed, 1 gone: " in refused.stderr
    assert "nobody is there to answer; pass --yes" in refused.stderr
    monkeypatch.setattr("tagdb.cli.common.at_terminal", lambda: True)
    assert synced(photos, stdin="n\n").exit_code == 1
    assert len(stored(connection)) == 12
    assert synced(photos, stdin="y\n").exit_code == 0
    assert len(stored(connection)) == 11


def test_more_gone_than_was_shown_is_not_removed(
    synced: Run, photos: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert synced(photos, "--yes").exit_code == 0
    (photos / "00.jpg").unlink()

    def confirmed() -> bool:
        (photos / "01.jpg").unlink()
        return True

    monkeypatch.setattr("tagdb.cli.common.at_terminal", confirmed)
    done = synced(photos, stdin="y\n")
    assert "1 more images are gone from the source since you were asked; nothing was removed" in done.stderr
    assert len(stored(connection)) == 12


@pytest.mark.parametrize("flag", [("--yes",), ("--remove", "12"), ("--dry-run",)])
def test_an_empty_source_removes_nothing(
    synced: Run, photos: Path, connection: Connection, flag: tuple[str, ...]
) -> None:
    """As if its disk were missing."""
    assert synced(photos, "--yes").exit_code == 0
    for path in photos.iterdir():
        path.unlink()
    assert "no photos in" in complaint(synced(photos, *flag))
    photos.rmdir()
    assert "no such file or folder" in complaint(synced(photos, *flag))
    assert len(stored(connection)) == 12


@pytest.mark.parametrize("flag", [("--yes",), ("--remove", "3"), ("--dry-run",)])
def test_a_list_none_of_whose_photos_is_there(
    synced: Run, ingest: Run, write: Write, connection: Connection, flag: tuple[str, ...]
) -> None:
    made = write({0: ("a", "#x"), 1: ("a", "#x"), 2: ("", "")})
    assert ingest(made).exit_code == 0
    for path in made.parent.glob("*.jpg"):
        path.unlink()
    done = synced(made, *flag)
    assert done.exit_code == 1
    assert "none of the photos of" in done.stderr
    assert "as if a disk were missing; nothing was removed" in done.stderr
    assert len(stored(connection)) == 3


def test_nothing_is_removed_while_a_folder_cannot_be_read(
    synced: Run, photos: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(photos / "deeper", [30, 31])
    assert synced(photos, "--yes").exit_code == 0
    (photos / "00.jpg").unlink()
    entries = folders._entries

    def closed(folder: str | Path) -> list[os.DirEntry[str]]:
        if Path(folder).name == "deeper":
            raise PermissionError(errno.EACCES, "Permission denied")
        return entries(folder)

    with monkeypatch.context() as patched:
        patched.setattr(folders, "_entries", closed)
        for flag in (("--yes",), ("--remove", 3), ("--dry-run",)):
            done = synced(photos, *flag)
            assert done.exit_code == 1
            assert "1 files, folders or rows of" in done.stderr
            assert "cannot be read, so nobody knows what is gone; nothing was removed" in done.stderr
    assert len(stored(connection)) == 14
    assert counts(synced(photos, "--yes", "--json"), "removed") == [1]


def test_nothing_is_removed_while_a_row_cannot_be_read(
    synced: Run, ingest: Run, write: Write, connection: Connection
) -> None:
    """Nobody knows which photo it names; a row whose photo was deleted does say."""
    made = write(dict.fromkeys(range(6), ("a", "#x")))
    assert ingest(made).exit_code == 0
    rows = made.read_text().splitlines()
    made.write_text("\n".join([*rows[:4], "{broken"]))
    done = synced(made, "--yes")
    assert done.exit_code == 1
    assert "1 files, folders or rows of" in done.stderr
    assert len(stored(connection)) == 6
    (made.parent / "00.jpg").unlink()
    made.write_text("\n".join(rows[:5]))
    assert counts(synced(made, "--yes", "--json"), "removed", "rejected") == [2, 1]


def test_nothing_is_removed_while_a_photo_changes(
    synced: Run, photos: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows its content: it may be any of the images that seem to be gone."""
    assert synced(photos, "--yes").exit_code == 0
    (photos / "00.jpg").unlink()
    read = files.read

    def changing(path: Path, within: Path | None = None) -> bytes:
        if path.name == "01.jpg":
            raise UnreadableInput("it changed while it was being read")
        return read(path, within)

    monkeypatch.setattr(files, "read", changing)
    assert "1 files, folders or rows of" in synced(photos, "--yes").stderr
    assert len(stored(connection)) == 12


def test_most_is_removed_only_by_number(synced: Run, photos: Path, connection: Connection) -> None:
    assert synced(photos, "--yes").exit_code == 0
    for n in range(7):
        (photos / f"{n:02}.jpg").unlink()
    said = complaint(synced(photos, "--yes"))
    assert "7 of the 12 images of the source are gone from it, more than half; nothing was removed" in said
    assert "--remove 7" in said
    assert "7 images are gone from the source, not 6; nothing was removed" in complaint(
        synced(photos, "--remove", 6)
    )
    assert len(stored(connection)) == 12
    (photos / "new.jpg").write_bytes(photo(99))
    assert synced(photos, "--remove", 6, "--yes").exit_code == 1
    assert len(stored(connection)) == 12  # a wrong number changes nothing at all
    (photos / "new.jpg").unlink()
    assert counts(synced(photos, "--remove", 7, "--yes", "--json"), "removed") == [7]
    assert len(stored(connection)) == 5


def test_half_may_be_removed(synced: Run, photos: Path, connection: Connection) -> None:
    assert synced(photos, "--yes").exit_code == 0
    for n in range(6):
        (photos / f"{n:02}.jpg").unlink()
    assert counts(synced(photos, "--yes", "--json"), "removed") == [6]


def test_what_is_no_source_to_follow(synced: Run, photos: Path) -> None:
    for source in (photos / "00.jpg", "-"):
        assert "does not say what is gone; name a folder or a list" in complaint(synced(source, "--yes"))
    assert "nothing to agree to" in synced(photos, "--yes", "--dry-run").stderr


def test_a_photo_that_can_no_longer_be_decoded_is_not_gone(
    synced: Run, tagdb: Run, photos: Path, connection: Connection
) -> None:
    """Its embedding was lost, and its file is what it was."""
    assert synced(photos, "--yes").exit_code == 0
    connection.execute("DELETE FROM tagdb_store.embeddings")
    connection.execute(
        "UPDATE tagdb_store.images SET content_sha256 = sha256('notes') WHERE uri LIKE '%/00.jpg'"
    )
    (photos / "00.jpg").write_bytes(b"notes")
    assert synced(photos, "--yes").exit_code == 3
    assert len(stored(connection)) == 12


def test_another_source_comes_in_before_the_removal(
    synced: Run, ingest: Run, photos: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert synced(photos, "--yes").exit_code == 0
    shutil.move(photos / "00.jpg", photos.parent / "00.jpg")

    def meanwhile(difference: sync.Difference) -> None:
        assert ingest(photos.parent / "00.jpg").exit_code == 0

    monkeypatch.setattr(sync, "up_to_half", meanwhile)
    assert counts(synced(photos, "--yes", "--json"), "removed", "kept") == [0, 1]
    assert len(stored(connection)) == 12


def test_restored_sources_are_followed(
    synced: Run, tagdb: Run, photos: Path, connection: Connection, tmp_path: Path, empty_database_url: str
) -> None:
    """A backup holds what each source has said."""
    assert synced(photos, "--yes").exit_code == 0
    assert tagdb("backup", tmp_path / "photos.tagdb").exit_code == 0
    restored = tagdb("restore", tmp_path / "photos.tagdb", "--database-url", empty_database_url)
    assert restored.exit_code == 0, restored.output
    (photos / "00.jpg").unlink()
    done = synced(photos, "--yes", "--json", "--database-url", empty_database_url)
    assert counts(done, "new", "known", "removed") == [0, 11, 1]
