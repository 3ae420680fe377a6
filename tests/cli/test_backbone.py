"""``tagdb backbone``: listing, embedding everything anew, switching back, dropping."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tagdb import ingest as ingesting
from tagdb import reembed, store
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tests.support.commands import Run, complaint, draw, parsed
from tests.support.programs import embedded

NEXT = "the factors still belong to the old backbone; to recompute them: tagdb factors compute\n"


def ids(connection: Connection) -> list[tuple[int, bool]]:
    return [(one.backbone_id, one.active) for one in store.backbones.list_all(connection)]


def test_there_and_back(tagdb: Run, filled: Path, connection: Connection, tmp_path: Path) -> None:
    photo = tmp_path / "photos" / "03.jpg"
    before = parsed(tagdb("recommend", photo, "--json")), parsed(tagdb("similar", photo, "--json"))
    of_random = embedded(connection, 1)

    done = tagdb("backbone", "reembed", "bundled", "--json", "--quiet")
    assert (done.exit_code, done.stderr) == (0, "")
    said = parsed(done)
    assert said.pop("seconds") > 0
    assert said.pop("images_per_second") > 0
    assert said == {
        "backbone_id": 2, "name": "bundled", "input_size": 160, "embedded": 12, "rejected": 0,
        "active": True, "switched": True,
    }  # fmt: skip
    listed = parsed(tagdb("backbone", "list", "--json"))
    told = [(one["backbone_id"], one["images"], one["of_images"], one["active"]) for one in listed]
    assert told == [(1, 12, 12, False), (2, 12, 12, True)]
    shown = tagdb("backbone", "list").stdout.splitlines()
    assert shown[1].split()[-3:] == shown[2].split()[-3:] == ["12", "of", "12"]
    assert "active" in shown[2]
    assert len(parsed(tagdb("recommend", photo, "--json"))[0]["hashtags"]) == 6
    assert parsed(tagdb("similar", photo, "--json"))[0]["images"][0]["similarity"] == pytest.approx(
        1, abs=1e-3
    )

    again = tagdb("backbone", "reembed", "bundled")
    assert again.exit_code == 0
    assert "is active: 0 embedded, 0 rejected" in again.stdout
    assert again.stderr == ""

    done = tagdb("backbone", "use", 1)
    assert (done.stdout, done.stderr) == ("backbone 1 is active\n", "")  # the factors are its own
    assert embedded(connection, 1) == of_random
    assert (parsed(tagdb("recommend", photo, "--json")), parsed(tagdb("similar", photo, "--json"))) == before

    assert "is active; switch to another one first" in complaint(tagdb("backbone", "drop", 1))
    assert tagdb("backbone", "drop", 2).stdout == "backbone 2 dropped\n"
    assert ids(connection) == [(1, True)]
    for words in (("use", 2), ("drop", 2), ("reembed", 2)):
        assert (
            complaint(tagdb("backbone", *words)) == "Error: there is no backbone 2; see: tagdb backbone list"
        )


def test_equal_to_an_ingest_from_the_start(
    tagdb: Run,
    filled: Path,
    connection: Connection,
    make_database: Callable[[bool], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In several batches of which the fetching is divided, too."""
    monkeypatch.setattr(reembed, "BATCH", 5)
    monkeypatch.setattr(reembed, "CHUNK", 4)
    monkeypatch.setattr(reembed, "FETCHED_TOGETHER", 3)
    assert tagdb("backbone", "reembed", "bundled", "--quiet").exit_code == 0
    url = make_database(True)
    assert tagdb("ingest", filled, "--backbone", "bundled", "--database-url", url, "--quiet").exit_code == 0
    with database.connect(url) as fresh:
        expected = embedded(fresh, 1)
    assert len(expected) == 12
    assert embedded(connection, 2) == expected


def test_embedding_anew_without_switching(tagdb: Run, filled: Path, connection: Connection) -> None:
    done = tagdb("backbone", "reembed", "bundled", "--no-switch")
    assert done.exit_code == 0
    assert done.stdout.startswith("backbone 2, bundled (160 px, 32 bits, weights ")
    assert "is not active: 12 embedded, 0 rejected" in done.stdout
    assert done.stderr == "to switch to it: tagdb backbone use 2\n"
    assert ids(connection) == [(1, True), (2, False)]
    done = tagdb("backbone", "use", 2)
    assert (done.stdout, done.stderr) == ("backbone 2 is active\n", NEXT)


def test_what_came_since_keeps_one_from_going_back(
    tagdb: Run, filled: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tagdb("backbone", "reembed", "bundled", "--quiet").exit_code == 0
    draw(filled, range(12, 15))
    assert tagdb("ingest", filled, "--quiet").exit_code == 0
    assert [len(embedded(connection, number)) for number in (1, 2)] == [12, 15]
    said = complaint(tagdb("backbone", "use", 1))
    assert "has not embedded 3 of 15 images" in said
    assert "(tagdb backbone reembed 1) or pass --allow-missing" in said
    assert ids(connection) == [(1, False), (2, True)]
    assert tagdb("backbone", "use", 1, "--allow-missing").exit_code == 0
    assert ids(connection) == [(1, True), (2, False)]
    # filled up by its number; as the active one, too
    done = tagdb("backbone", "reembed", 1)
    assert "backbone 1, random (96 px" in done.stdout
    assert "is active: 3 embedded, 0 rejected" in done.stdout
    assert [len(embedded(connection, number)) for number in (1, 2)] == [15, 15]
    monkeypatch.setenv("TAGDB_BACKBONE", "nobody's.h5")
    said = tagdb("backbone", "use", 2).stderr
    assert said == NEXT + (
        "the settings still name the backbone nobody's.h5; see TAGDB_BACKBONE and tagdb.toml\n"
    )


def test_where_contents_are_not_stored(
    ingest: Run, tagdb: Run, photos: Path, connection: Connection, tmp_path: Path
) -> None:
    """Files are read if they are the same; the others are rejected, and nothing is switched then."""
    kept = tmp_path / "kept"
    shutil.copytree(photos, kept)
    assert ingest(photos / "photos.csv", "--originals", "keep", "--quiet").exit_code == 0
    (photos / "00.jpg").unlink()
    (photos / "01.jpg").write_bytes((photos / "02.jpg").read_bytes())
    connection.execute(
        "UPDATE tagdb_store.image_files SET kept_at = 'https://127.0.0.1/3' WHERE kept_at LIKE '%03.jpg'"
    )
    done = tagdb("backbone", "reembed", "bundled")
    assert done.exit_code == 3
    assert "is not active: 9 embedded, 3 rejected" in done.stdout
    lines = done.stderr.splitlines()
    text = "\n".join(lines)
    unread = "its original was kept where it was, and reading it failed"
    assert f"rejected {(photos / '00.jpg').as_uri()}: {unread}: cannot be read" in text
    assert f"rejected {(photos / '01.jpg').as_uri()}: its original has different content now" in text
    assert f"{(photos / '03.jpg').as_uri()}: {unread}: its host has a private address" in text
    assert lines[3] == (
        "not switched: 3 images would no longer be found; "
        "fix them and run the same command again, or pass --allow-missing"
    )
    assert ids(connection) == [(1, True), (2, False)]
    assert "has not embedded 3 of 12 images" in complaint(tagdb("backbone", "use", 2))

    shutil.copy(kept / "00.jpg", photos / "00.jpg")
    done = tagdb("backbone", "reembed", "bundled", "--allow-missing", "--quiet")
    assert done.exit_code == 3
    assert "is active: 1 embedded, 2 rejected" in done.stdout
    assert ids(connection) == [(1, False), (2, True)]
    # an ingest of the photos themselves embeds them
    assert parsed(tagdb("ingest", kept, "--json", "--quiet"))["new"] == 0
    assert len(embedded(connection, 2)) == 12


def test_a_damaged_content(tagdb: Run, filled: Path, connection: Connection) -> None:
    connection.execute("UPDATE tagdb_store.image_files SET original = 'x' WHERE image_id = 4")
    done = tagdb("backbone", "reembed", "bundled", "--no-switch")
    assert done.exit_code == 3
    assert ": its stored content is damaged\n" in done.stderr
    assert len(embedded(connection, 2)) == 11


def test_an_ingest_with_another_backbone_is_told_what_to_do(tagdb: Run, filled: Path) -> None:
    said = complaint(tagdb("ingest", filled, "--backbone", "bundled"))
    assert said.endswith("or change this one's: tagdb backbone reembed NAME|PATH")


def test_an_ingest_that_is_overtaken_by_a_switch(
    tagdb: Run, filled: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops at its next batch and has stored nothing for the wrong backbone; then it goes on."""
    assert tagdb("backbone", "reembed", "bundled", "--no-switch", "--quiet").exit_code == 0
    draw(filled, range(12, 20))
    save_batch = store.batches.save
    batches = 0

    def overtaken(*arguments: object) -> store.ingest_runs.Counts:
        nonlocal batches
        batches += 1
        if batches == 2:
            reembed.use(connection, 2, allow_missing=True)
        return save_batch(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ingesting, "BATCH", 3)
    monkeypatch.setattr(store.batches, "save", overtaken)
    said = complaint(tagdb("ingest", filled, "--quiet"))
    assert "the backbone of this database was changed to bundled (160 px" in said
    assert "the same command without --backbone and --input-size goes on from there" in said
    assert [len(embedded(connection, number)) for number in (1, 2)] == [15, 12]
    monkeypatch.setattr(store.batches, "save", save_batch)
    assert parsed(tagdb("ingest", filled, "--json", "--quiet"))["new"] == 5
    assert [len(embedded(connection, number)) for number in (1, 2)] == [15, 20]


def test_what_comes_meanwhile_is_embedded_before_the_switch(
    tagdb: Run, ingest: Run, filled: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ingested by the old backbone after everything was embedded, and once more in the last moment."""
    activate = store.backbones.activate
    came: list[int] = []

    def late(*arguments: object) -> int | None:
        if len(came) < 2:
            draw(filled, [20 + len(came)])
            assert ingest(filled, "--quiet").exit_code == 0
            came.append(20 + len(came))
        return activate(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(store.backbones, "activate", late)
    said = parsed(tagdb("backbone", "reembed", "bundled", "--json", "--quiet"))
    assert (said["embedded"], said["active"]) == (14, True)
    assert [len(embedded(connection, number)) for number in (1, 2)] == [14, 14]


def test_one_at_a_time(
    tagdb: Run, filled: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tagdb("backbone", "reembed", "bundled", "--no-switch", "--quiet").exit_code == 0
    monkeypatch.setattr(reembed, "PATIENCE", 0.2)
    with store.backbones.filling(connection, 2) as alone:
        assert alone
        said = complaint(tagdb("backbone", "drop", 2))
        assert "could not be dropped: a transaction or command elsewhere may still use it" in said
        filling = store.backbones.filling
        monkeypatch.setattr(store.backbones, "filling", lambda one, number: filling(one, number, 100))
        assert "another process is embedding with bundled" in complaint(
            tagdb("backbone", "reembed", "bundled")
        )
    assert tagdb("backbone", "drop", 2).exit_code == 0


def test_an_empty_database(tagdb: Run, connection: Connection) -> None:
    assert complaint(tagdb("backbone", "reembed", "bundled")) == (
        "Error: there is nothing to embed yet; run: tagdb ingest SOURCE --backbone NAME|PATH"
    )
    assert complaint(tagdb("backbone", "list"), 0).startswith("no backbone yet")
    assert tagdb("backbone", "reembed", "bundled", "--no-switch", "--allow-missing").exit_code == 2
