"""Why inputs are rejected, in the words that ``tagdb.ingest_errors`` can be grouped by."""

import json
import pickle
import re
from pathlib import Path
from typing import get_args

import pytest

from tagdb.errors import ReasonCode, RejectedInput, UnreadableInput
from tagdb.photos import images
from tagdb.postgres.database import Connection
from tests.support import corpus
from tests.support.commands import Run, parsed
from tests.support.described import keywords, with_xmp
from tests.support.pictures import photo

SOURCES = Path(__file__).parents[2] / "docs" / "sources.md"


def test_documents_database_and_program_have_the_same_codes(connection: Connection) -> None:
    codes = [*get_args(ReasonCode)]
    table = SOURCES.read_text().partition("## Reasons\n")[2]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == codes
    ((rule, comment),) = connection.execute(
        "SELECT pg_get_constraintdef(oid), col_description('tagdb.ingest_errors'::regclass, 7)"
        " FROM pg_constraint WHERE conname = 'ingest_errors_reason_code'"
    ).fetchall()
    assert re.findall(r"'(\w+)'", rule) == codes
    assert re.split(", | or ", comment.partition(": ")[2].rstrip(".")) == codes


BAD_ROWS: list[tuple[str, str]] = [
    ('{"file_name": "gone.jpg"}', "missing"),
    ('{"file_name": "00.jpg/gone.jpg"}', "missing"),
    ('{"file_name": "loop.jpg"}', "unreadable"),
    (json.dumps({"file_name": "x" * 300}), "unreadable"),
    ('{"file_name": "../outside.jpg"}', "not_allowed"),
    ('{"uri": "file://elsewhere/1.jpg"}', "not_allowed"),
    ('{"uri": "http://127.0.0.1/1.jpg"}', "not_allowed"),
    ('{"uri": "https://127.0.0.1/1.jpg"}', "not_allowed"),
    ('{"uri": "data:image/png;base64,"}', "not_allowed"),
    ('{"uri": "https://[x/1.jpg"}', "invalid_record"),
    ("no JSON", "invalid_record"),
    ("[1]", "invalid_record"),
    ("{}", "invalid_record"),
    ('{"file_name": ["00.jpg"]}', "invalid_record"),
    ('{"file_name": "00.jpg", "taken_at": "soon"}', "invalid_field"),
    ('{"file_name": "00.jpg", "collection": {}}', "invalid_field"),
    ('{"file_name": "00.jpg", "source_ref": "\\u0000"}', "invalid_field"),
    (json.dumps({"file_name": "00.jpg", "hashtags": ["x"] * 1001}), "invalid_field"),
    ('{"file_name": "sidecar.jpg"}', "invalid_field"),
    ('{"file_name": "xmp.jpg"}', "invalid_field"),
    ('{"file_name": "00.jpg", "hashtags": ["a-b"]}', "invalid_hashtag"),
    ('{"file_name": "keyword.jpg"}', "invalid_hashtag"),
    ('{"file_name": "text.jpg"}', "not_a_photo"),
    ('{"file_name": "folder.jpg"}', "not_a_photo"),
    ('{"file_name": "half.jpg"}', "damaged"),
    ('{"file_name": "empty.jpg"}', "damaged"),
    ('{"file_name": "heavy.jpg"}', "too_large"),
    ('{"file_name": "wide.png"}', "too_large"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Photos of which each has something else that is wrong; only 00.jpg is whole."""
    folder = tmp_path / "photos"
    (folder / "folder.jpg").mkdir(parents=True)
    (folder / "loop.jpg").symlink_to("loop.jpg")
    for name, content in {
        "../outside.jpg": photo(1),
        "00.jpg": photo(2),
        "sidecar.jpg": photo(3),
        "sidecar.xmp": b"milk, bread",
        "xmp.jpg": with_xmp(b"<x", seed=4),
        "keyword.jpg": with_xmp(keywords("?!"), seed=5),
        "text.jpg": b"milk, bread",
        "half.jpg": photo(6)[:700],
        "empty.jpg": b"",
        "wide.png": corpus.png(20_000, 20_000, 8, 2, b""),
    }.items():
        (folder / name).write_bytes(content)
    with (folder / "heavy.jpg").open("wb") as heavy:
        heavy.truncate(images.MAX_BYTES + 1)
    return folder


def test_every_rejection_has_a_code(ingest: Run, folder: Path, connection: Connection) -> None:
    (folder / "list.jsonl").write_text("\n".join(row for row, _ in BAD_ROWS))
    done = ingest(folder / "list.jsonl", "--fetch")
    assert done.exit_code == 3, done.output
    stored = connection.execute("SELECT line, reason_code FROM tagdb.ingest_errors ORDER BY line").fetchall()
    assert stored == [(line, code) for line, (_, code) in enumerate(BAD_ROWS, 1)]


def test_a_rejection_is_explained_with_its_code(tagdb: Run, folder: Path) -> None:
    (folder / "list.csv").write_text("file_name,hashtags\ngone.jpg,\ntext.jpg,\n")
    gone, text = parsed(tagdb("ingest", "--explain", "--json", folder / "list.csv"))[0]["records"]
    assert (gone["reason_code"], text["reason_code"]) == ("missing", "not_a_photo")


def test_a_rejection_can_be_sent_to_another_process() -> None:
    for error in (RejectedInput("empty file", "damaged"), UnreadableInput("took too long")):
        again = pickle.loads(pickle.dumps(error))
        assert (str(again), again.reason_code) == (str(error), error.reason_code)
