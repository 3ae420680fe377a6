"""``tagdb tags``: deciding what hashtags count as, and taking it back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from psycopg import conninfo

from tagdb.postgres.database import Connection
from tests.support import seed
from tests.support.commands import Process, Run, complaint, parsed

REFUSED = (
    "Error: your login may not do this: permission denied for schema tagdb_store; "
    "ask the database's owner for the role tagdb_writer"
)


def policy(connection: Connection) -> dict[str, str | bool]:
    """What counts as another hashtag, and what is banned."""
    query = "SELECT hashtag, alias_of, banned FROM tagdb.hashtags WHERE banned OR alias_of IS NOT NULL"
    return {hashtag: banned or alias_of for hashtag, alias_of, banned in connection.execute(query)}


def said(tagdb: Run, *arguments: object) -> str:
    """What a command that went well printed, all of it on standard output."""
    done = tagdb("tags", *arguments)
    assert (done.exit_code, done.stderr) == (0, ""), done.output
    return done.stdout


# --- deciding


def test_an_alias_counts_as_the_other(tagdb: Run, connection: Connection) -> None:
    assert said(tagdb, "alias", "nyc", "newyork") == (
        "#nyc counts as #newyork (to undo it: tagdb tags undo 1)\n"
    )
    assert policy(connection) == {"nyc": "newyork"}


def test_merging_makes_several_one(tagdb: Run, connection: Connection) -> None:
    assert said(tagdb, "merge", "nyc", "ny", "nyc", "newyorkcity", "--into", "newyork") == (
        "#newyorkcity #ny #nyc count as #newyork (to undo it: tagdb tags undo 1)\n"
    )
    assert said(tagdb, "merge", "la", "--into", "losangeles") == (
        "#la counts as #losangeles (to undo it: tagdb tags undo 2)\n"
    )
    assert policy(connection) == {
        **dict.fromkeys(("nyc", "ny", "newyorkcity"), "newyork"),
        "la": "losangeles",
    }


def test_banning_one_or_several(tagdb: Run, connection: Connection) -> None:
    assert said(tagdb, "ban", "like4like") == "#like4like is banned (to undo it: tagdb tags undo 1)\n"
    assert said(tagdb, "ban", "spam", "followme") == (
        "#followme #spam are banned (to undo it: tagdb tags undo 2)\n"
    )
    assert policy(connection) == dict.fromkeys(("like4like", "spam", "followme"), True)


def test_an_edit_is_undone(tagdb: Run, connection: Connection) -> None:
    for arguments in (("alias", "a", "b"), ("merge", "c", "d", "--into", "e"), ("ban", "f")):
        said(tagdb, *arguments)
    assert said(tagdb, "undo", 2) == "undone: edit 2, merge of #c #d\n"
    assert policy(connection) == {"a": "b", "f": True}
    assert said(tagdb, "undo") == "undone: edit 3, ban of #f\n"
    assert said(tagdb, "undo") == "undone: edit 1, alias of #a\n"
    assert policy(connection) == {}


def test_hashtags_as_people_write_them(tagdb: Run, connection: Connection) -> None:
    assert said(tagdb, "alias", "#NYC", "＃ＮｅｗＹｏｒｋ").startswith("#nyc counts as #newyork (")
    assert said(tagdb, "ban", "#Straße", "שלום", "🌊\ufe0f").startswith("#strasse #שלום #🌊 are banned (")
    assert policy(connection) == {"nyc": "newyork", "strasse": True, "שלום": True, "🌊": True}


def test_hashtags_with_commas(tagdb: Run, connection: Connection) -> None:
    said(tagdb, "ban", "#sea,FÜSSE", "sun; moon")
    said(tagdb, "merge", "nyc,ny", "--into", "newyork")
    assert policy(connection) == dict.fromkeys(("sea", "füsse", "sun", "moon"), True) | {
        "nyc": "newyork",
        "ny": "newyork",
    }


def test_an_alias_of_an_alias_says_what_it_counts_as(tagdb: Run) -> None:
    said(tagdb, "alias", "b", "c")
    assert said(tagdb, "alias", "a", "b") == "#a counts as #c (to undo it: tagdb tags undo 2)\n"


def test_an_alias_that_looks_swapped(tagdb: Run, connection: Connection) -> None:
    seed.world(connection)
    for json in ((), ("--json",)):
        done = tagdb("tags", "alias", "#Tag1", "new", *json)
        assert (done.exit_code, done.stderr) == (
            0,
            "no image has #new, but some have #tag1: are the two swapped? "
            f"(to undo it: tagdb tags undo {1 + len(json)})\n",
        )
        said(tagdb, "undo")


def test_aliases_that_do_not_look_swapped(tagdb: Run, connection: Connection) -> None:
    seed.world(connection)
    for arguments in (
        ("alias", "tag1", "tag2"),
        ("alias", "new", "tag2"),
        ("alias", "new1", "new2"),
        ("merge", "tag3", "tag4", "--into", "new3"),
        ("alias", "tag5", "new3"),  # what counts as it are photos already
        ("alias", "tag6", "tag3"),
    ):
        said(tagdb, *arguments)


def test_edits_as_json(tagdb: Run) -> None:
    for arguments, expected in (
        (("alias", "#A", "b"), [1, "alias", ["a"], "b"]),
        (("merge", "d", "c", "--into", "b"), [2, "merge", ["c", "d"], "b"]),
        (("ban", "e", "x"), [3, "ban", ["e", "x"], None]),
        (("undo",), [3, "ban", ["e", "x"], None]),
        (("undo", 1), [1, "alias", ["a"], "b"]),
    ):
        done = tagdb("tags", *arguments, "--json")
        assert (done.exit_code, done.stderr) == (0, "")
        keys = ["edit_id", "kind", "hashtags", "into_hashtag"]
        assert list(parsed(done).items()) == list(zip(keys, expected, strict=True))


def test_at_once_in_what_is_recommended_and_counted(tagdb: Run, connection: Connection) -> None:
    seed.world(connection)
    connection.execute("SELECT tagdb_store.refresh_statistics(1)")
    said(tagdb, "merge", "tag1", "tag2", "--into", "tag0")
    said(tagdb, "ban", "tag3")
    found = connection.execute("SELECT hashtag FROM tagdb.recommend_for_image(1)").fetchall()
    assert {hashtag for (hashtag,) in found} == {"tag0", "tag4", "tag5", "tag6", "tag7"}
    stats = "SELECT hashtag, images FROM tagdb.hashtag_stats ORDER BY hashtag LIMIT 4"
    assert connection.execute(stats).fetchall() == [("tag0", 9), ("tag1", 0), ("tag2", 0), ("tag3", 0)]


# --- listing


def test_an_empty_list(tagdb: Run) -> None:
    done = tagdb("tags", "list")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "there are no aliases and no banned hashtags\n"
    done = tagdb("tags", "list", "--json")
    assert (parsed(done), done.stderr) == ([], "")
    said(tagdb, "ban", "a")
    said(tagdb, "undo")
    assert tagdb("tags", "list").stderr == "there are no aliases and no banned hashtags\n"


def test_the_list_of_edits(tagdb: Run, connection: Connection) -> None:
    for arguments in (
        *(("ban", "spam"), ("merge", "nyc", "ny", "--into", "newyork"), ("alias", "la", "losangeles")),
        *(("ban", "losangeles"),),
    ):
        said(tagdb, *arguments)
    row = connection.execute("SELECT session_user, made_at FROM tagdb.hashtag_edits LIMIT 1").fetchone()
    assert row is not None
    header, *lines = said(tagdb, "list").splitlines()
    assert header.split() == ["edit", "hashtag", "is", "since", "by"]
    when = f"{row[1]:%Y-%m-%d %H:%M}"
    assert [line.replace(f"{row[1]:%Y-%m-%d}", "DAY").split() for line in lines] == [
        [edit, hashtag, *what, "DAY", line.split()[-2], row[0]]
        for line, (edit, hashtag, *what) in zip(
            lines,
            [
                ("2", "#ny", "counts", "as", "#newyork"),
                ("2", "#nyc", "counts", "as", "#newyork"),
                ("4", "#la", "banned"),
                ("4", "#losangeles", "banned"),
                ("1", "#spam", "banned"),
            ],
            strict=True,
        )
    ]
    assert when in lines[-1]
    starts = [header.index(name) for name in ("hashtag", "is ", "since", "by")]
    assert all(line[start - 1] == " " != line[start] for line in lines for start in starts)


def test_the_list_as_json(tagdb: Run, connection: Connection) -> None:
    said(tagdb, "ban", "spam")
    said(tagdb, "alias", "nyc", "newyork")
    found: list[dict[str, Any]] = parsed(tagdb("tags", "list", "--json"))
    login = connection.execute("SELECT session_user::text").fetchone()
    assert login is not None
    for one in found:
        made = datetime.fromisoformat(one.pop("made_at"))
        assert timedelta() <= datetime.now(UTC) - made < timedelta(minutes=5)
    assert found == [
        {"hashtag": "nyc", "alias_of": "newyork", "banned": False, "edit_id": 2, "made_by": login[0]},
        {"hashtag": "spam", "alias_of": None, "banned": True, "edit_id": 1, "made_by": login[0]},
    ]


# --- what is wrong


def test_what_is_refused_is_said_in_one_sentence(tagdb: Run, connection: Connection) -> None:
    said(tagdb, "alias", "x", "y")
    said(tagdb, "alias", "y", "z")
    said(tagdb, "ban", "spam")
    before = policy(connection)
    for arguments, sentence in (
        (("alias", "a", "#A"), "#a cannot count as itself"),
        (("alias", "z", "x"), "#x counts as #z by edit 2; undo that first"),
        (("alias", "x", "z"), "#x already counts as #z"),
        (("alias", "a", "spam"), "#spam is banned; undo that first"),
        (("merge", "a", "spam", "--into", "b"), "#spam is banned; undo that first (nothing was changed)"),
        (("ban", "Spam"), "#spam is already banned"),
        (("ban", "a", "Spam"), "#spam is already banned (nothing was changed)"),
        (("ban", "x"), "#x counts as #z; ban that, or undo this first"),
        (("undo", 1), "edit 2 was made later on the same hashtags; undo that first"),
        (("undo", 7), "there is no edit 7"),
    ):
        assert complaint(tagdb("tags", *arguments)) == f"Error: {sentence}"
        assert complaint(tagdb("tags", *arguments, "--json")) == f"Error: {sentence}"
    assert policy(connection) == before
    row = connection.execute("SELECT count(*) FROM tagdb.hashtags").fetchone()
    assert row == (4,)


def test_what_is_no_hashtag_is_an_error_of_usage(tagdb: Run, connection: Connection) -> None:
    for arguments, sentence in (
        (("alias", "a!b", "c"), "U+0021 (EXCLAMATION MARK) cannot be part of a hashtag: 'a!b'"),
        (("alias", "a,b", "c"), "U+002C (COMMA) cannot be part of a hashtag: 'a,b'"),
        (("merge", "c", "--into", "new york"), "U+0020 (SPACE) cannot be part of a hashtag: 'new york'"),
        (("ban", "a", "#"), "no hashtag in '#'"),
        (("ban", "_"), "no letter, number or symbol in the hashtag: U+005F"),
        (("ban", "\x1b[0m"), "U+001B cannot be part of a hashtag: '\\x1b[0m'"),
    ):
        done = tagdb("tags", *arguments)
        assert (done.exit_code, done.stderr.splitlines()[-1]) == (2, f"Error: {sentence}")
    assert policy(connection) == {}


def test_nothing_to_undo(tagdb: Run) -> None:
    assert complaint(tagdb("tags", "undo")) == "Error: there is no edit to undo"
    assert complaint(tagdb("tags", "undo", 1)) == "Error: there is no edit 1"
    said(tagdb, "ban", "a")
    said(tagdb, "undo")
    assert complaint(tagdb("tags", "undo")) == "Error: there is no edit to undo"
    assert complaint(tagdb("tags", "undo", 1)) == "Error: edit 1 was already undone"


def test_usage_errors_change_no_hashtag(tagdb: Run, connection: Connection) -> None:
    for arguments in (
        *(("alias", "a"), ("alias", "a", "b", "c"), ("merge", "a"), ("merge", "--into", "a"), ("ban",)),
        *(("undo", 0), ("undo", "a"), ("undo", 1, 2), ("list", "a"), ("unban", "a")),
    ):
        assert tagdb("tags", *arguments).exit_code == 2, arguments
    assert policy(connection) == {}


def test_a_reader_may_look_only(
    login: Callable[..., str], tagdb: Run, connection: Connection, database_url: str
) -> None:
    said(tagdb, "alias", "a", "b")
    reader = ("--database-url", login(database_url, "tagdb_reader"))
    for arguments in (
        ("alias", "c", "d"),
        ("merge", "c", "--into", "d"),
        ("ban", "c"),
        ("undo",),
        ("undo", 1),
    ):
        assert complaint(tagdb("tags", *arguments, *reader)) == REFUSED
    assert policy(connection) == {"a": "b"}
    assert said(tagdb, "list", *reader) == said(tagdb, "list")


def test_a_writer_decides_under_its_own_name(
    login: Callable[..., str], tagdb: Run, connection: Connection, database_url: str
) -> None:
    url = login(database_url, "tagdb_writer")
    said(tagdb, "ban", "a", "--database-url", url)
    said(tagdb, "alias", "b", "c", "--database-url", url)
    said(tagdb, "undo", 1)
    said(tagdb, "undo", 2, "--database-url", url)
    owner, writer = (conninfo.conninfo_to_dict(one)["user"] for one in (database_url, url))
    edits = "SELECT made_by, undone_by FROM tagdb.hashtag_edits ORDER BY edit_id"
    assert connection.execute(edits).fetchall() == [(writer, owner), (writer, writer)]


def test_tags_in_a_process_of_its_own(tagdb_process: Process, database_url: str, home: Path) -> None:
    """As a process of its own: streams and exit codes are the program's."""
    settings = {"TAGDB_DATABASE_URL": database_url, "TAGDB_HOME": str(home)}
    done = tagdb_process("tags", "ban", "#Spam", **settings)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "#spam is banned (to undo it: tagdb tags undo 1)\n"
    done = tagdb_process("tags", "ban", "spam", **settings)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "Error: #spam is already banned\n")
