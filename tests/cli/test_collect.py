"""``tagdb collect``: the real gallery-dl, and a server like Mastodon's on loopback."""

import json
import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tagdb as api
from tagdb import collect
from tagdb.postgres.database import Connection
from tests.support import fediverse
from tests.support.commands import Process, Run, complaint, parsed
from tests.support.fediverse import Instance, configure
from tests.support.pictures import photo
from tests.support.processes import alive, children, until
from tests.support.programs import finished, started

TERMS = "photos come from 127.0.0.1; its terms and its authors' rights apply"


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Instance]:
    """The server, and a gallery-dl that knows it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with fediverse.running() as running:
        configure(tmp_path / "config", running)
        yield running


@pytest.fixture
def take(tagdb: Run, chosen: tuple[object, ...]) -> Run:
    """Runs ``tagdb collect`` with the random weights."""
    return lambda *arguments: tagdb("collect", *arguments, *chosen)


@pytest.fixture
def only(tagdb: Run) -> Run:
    """Runs ``tagdb collect --no-ingest --json``."""
    return lambda *arguments: tagdb("collect", "--no-ingest", "--json", *arguments)


def fill(instance: Instance) -> None:
    """Three hashtags, two pages of posts each, among them a video and a repost."""
    for number in range(1, 5):
        instance.post(number, "Sea", "Sun", media=(f"{number}.jpg",))
        instance.post(10 + number, "city", media=(f"{10 + number}.jpg",))
        instance.post(20 + number, "Straße", "city", media=(f"{20 + number}.jpg",))
    instance.post(25, "Straße", media=("25.jpg",))
    instance.post(5, "sea", media=("5.jpg", "6.jpg", "7.mp4"))
    repost = instance.status(30, ("sea",), ())
    repost["reblog"] = instance.status(31, ("sea",), ("31.jpg",))
    instance.posts["sea"].insert(0, repost)


def tags(instance: Instance, *names: str) -> list[str]:
    return [f"{instance.root}/tags/{name}" for name in names]


def requested(instance: Instance, what: str) -> int:
    return sum(count for path, count in instance.asked.items() if what in path)


def images(connection: Connection) -> dict[str, tuple[str, str, set[str]]]:
    """Collection, post and hashtags by the number of the picture, which ends the file's name."""
    rows = connection.execute(
        "SELECT i.uri, i.collection, i.source_ref, array_agg(h.hashtag) FROM tagdb.images i"
        " LEFT JOIN tagdb.image_hashtags h USING (image_id) GROUP BY i.image_id, i.uri, 2, 3"
    )
    return {
        uri.rpartition("_")[2].removesuffix(".jpg"): (collection, post, set(hashtags))
        for uri, collection, post, hashtags in rows
    }


def test_three_hashtags(take: Run, instance: Instance, connection: Connection) -> None:
    """And only what is new the next time."""
    fill(instance)
    pages = tags(instance, "sea", "city", "Stra%C3%9Fe")
    done = take(*pages)
    assert done.exit_code == 0, done.output
    assert done.stderr.splitlines()[0] == TERMS
    assert done.stderr.count(TERMS) == 1
    lines = done.stdout.splitlines()
    assert lines[:3] == [
        f"{pages[0]}: 7 new, 0 already there, in collected/sea",
        f"{pages[1]}: 8 new, 0 already there, in collected/city",
        f"{pages[2]}: 1 new, 4 already there, in collected/straße",
    ]
    assert lines[3].startswith("16 new, 0 already known, 0 updated, 0 rejected; ")
    found = images(connection)
    post = f"{instance.root}/users/someone/statuses"
    assert found["1"] == ("sea", f"{post}/1", {"sea", "sun"})
    assert found["5"] == found["6"] == ("sea", f"{post}/5", {"sea"})  # of one post
    assert found["31"] == ("sea", f"{post}/31", {"sea"})  # the repost's original
    assert found["14"] == ("city", f"{post}/14", {"city"})
    assert found["24"] == ("city", f"{post}/24", {"city", "strasse"})  # which had it first
    assert found["25"] == ("straße", f"{post}/25", {"strasse"})
    assert requested(instance, "/media/24.jpg") == 1
    assert requested(instance, ".mp4") == 0
    assert instance.authorizations == {None}

    before = requested(instance, "/media/")
    instance.post(40, "sea", media=("40.jpg",))
    done = take(*pages)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0] == f"{pages[0]}: 1 new, 7 already there, in collected/sea"
    assert done.stdout.splitlines()[1] == f"{pages[1]}: 0 new, 8 already there, in collected/city"
    assert done.stdout.splitlines()[3].startswith("1 new, 16 already known, 0 updated, 0 rejected; ")
    assert requested(instance, "/media/") == before + 1
    assert images(connection)["40"][0] == "sea"


def test_from_an_empty_machine_to_a_recommendation(
    instance: Instance, fresh: Path, tmp_path: Path, tagdb_process: Process
) -> None:
    fill(instance)
    new = tmp_path / "new.jpg"
    new.write_bytes(photo(99))

    def run(*arguments: object) -> Any:
        done = tagdb_process(*arguments, "--json", TAGDB_HOME=str(fresh))
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    collected = run("collect", *tags(instance, "sea", "city", "sun"), "--backbone", "bundled")
    assert [page["new"] for page in collected["pages"]] == [7, 8, 0]
    assert [page["known"] for page in collected["pages"]] == [0, 0, 4]
    assert collected["ingested"]["new"] == 15
    run("factors", "compute", "--factors", 8)
    answer = run("recommend", new)
    assert {each["hashtag"] for each in answer[0]["hashtags"]} == {"Sea", "Sun", "city", "Straße"}


def test_from_python(instance: Instance, database_url: str, home: Path, tmp_path: Path, chosen: Any) -> None:
    fill(instance)
    notes: list[str] = []
    problems: list[str] = []
    with api.connect(database_url, home=home, backbone="bundled", notify=notes.append) as db:
        pages = [*tags(instance, "sea"), "ftp://there/sea"]
        found = db.collect(*pages, into=tmp_path / "here", limit=2, on_problem=problems.append)
        assert [(one.name, one.new, one.folder) for one in found] == [
            ("sea", 2, tmp_path / "here" / "sea"),
            ("", 0, None),
        ]
        assert len(db.rows("images")) == 2
    assert TERMS in notes
    assert problems == [f"{pages[1]}: {found[1].problems[0]}"]


# --- What goes wrong ------------------------------------------------------------------------------------


def test_a_photo_that_cannot_be_had(take: Run, instance: Instance, connection: Connection) -> None:
    fill(instance)
    instance.broken |= {"/2.jpg": 404, "/3.jpg": 500, "/4.jpg": 429}
    done = take(*tags(instance, "sun"))
    assert done.exit_code == 3
    assert "1 new, 0 already there" in done.stdout
    rejected = [line for line in done.stderr.splitlines() if line.startswith("rejected ")]
    assert rejected == [
        f"rejected {instance.root}/tags/sun: Failed to download local_{n}_1_{n}.jpg: '{status}' for"
        f" '{instance.root}/media/{n}.jpg'"
        for n, status in (
            (4, "429 Too Many Requests"), (3, "500 Internal Server Error"), (2, "404 Not Found"),
        )
    ]  # fmt: skip
    assert list(images(connection)) == ["1"]
    instance.broken.clear()
    assert "3 new, 1 already there" in take(*tags(instance, "sun")).stdout


def test_a_page_that_breaks_off(take: Run, instance: Instance, connection: Connection) -> None:
    fill(instance)
    instance.broken["tag/sun?max_id=3"] = 500
    done = take(*tags(instance, "sun", "city"))
    assert done.exit_code == 3
    assert "'500 Internal Server Error' for '" in done.stderr
    assert {found[0] for found in images(connection).values()} == {"sun", "city"}
    assert len(images(connection)) == 3 + 8


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "Invalid or missing access token. Run 'gallery-dl oauth:mastodon:127.0.0.1:{}' to obtain one."),
        (404, "NotFoundError: Requested resource (gallery/image) could not be found"),
        (422, "This method requires a login"),
        (500, "'500 Internal Server Error' for 'http://127.0.0.1:{}/api/v1/timelines/tag/sea'"),
    ],
)
def test_a_page_that_cannot_be_had(only: Run, instance: Instance, status: int, reason: str) -> None:
    instance.broken["/tag/sea"] = status
    done = only(*tags(instance, "sea"))
    assert done.exit_code == 1
    page = parsed(done)["pages"][0]
    assert page["problems"] == [reason.format(instance.root.rpartition(":")[2])]
    assert page["folder"] is None
    assert not Path("collected/sea").exists()


def test_a_login_is_gallery_dls_own(only: Run, instance: Instance, tmp_path: Path) -> None:
    """And is not shown."""
    local = {"root": instance.root, "access-token": "secret-token"}
    configure(tmp_path / "config", instance, extractor={"mastodon": {"local": local, "retries": 0}})
    fill(instance)
    instance.broken["/media/1.jpg?key=secret-key"] = 500
    for post in instance.posts["sun"]:
        post["media_attachments"][0]["url"] += "?key=secret-key"
    done = only(*tags(instance, "sun"), "--verbose")
    assert done.exit_code == 3
    assert instance.authorizations >= {"Bearer secret-token"}
    assert f"for '{instance.root}/media/1.jpg?…'" in done.stderr
    assert "secret" not in done.output


def test_a_server_that_is_not_there(only: Run, instance: Instance, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        local = {"nobody": {"root": nobody}, "local": {"root": instance.root}, "retries": 0}
        configure(tmp_path / "config", instance, extractor={"mastodon": local})
        fill(instance)
        done = only(f"{nobody}/tags/sea", *tags(instance, "sun"))
    assert done.exit_code == 3
    pages = parsed(done)["pages"]
    assert "Connection refused" in pages[0]["problems"][0]
    assert pages[1]["new"] == 4


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://nowhere.example/tags/sea", "gallery-dl knows no such page"),
        ("file:///etc/passwd", "this is not an address that begins with https:// or http://"),
        ("ytdl:https://nowhere.example/sea", "this is not an address"),
        ("oauth:mastodon:127.0.0.1", "this is not an address"),
        ("r:https://nowhere.example/", "this is not an address"),
        ("--exec=touch done", "this is not an address"),
        ("https://[", "this is not an address"),
        ("https://", "this is not an address"),
        ("https://there.example/\n-", "this is not an address"),
        ("https://me:secret@there.example/tags/sea", "names and passwords belong into gallery-dl's own"),
    ],
)
def test_what_is_no_page(only: Run, instance: Instance, url: str, reason: str) -> None:
    done = only("--", url)
    assert done.exit_code == 1
    assert parsed(done)["pages"][0]["problems"][0].startswith(reason)
    assert "secret" not in done.output
    assert not any(Path.cwd().iterdir())


def test_without_gallery_dl(only: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "find_spec", lambda name: None)
    said = complaint(only("https://mastodon.social/tags/sea"))
    assert said == "Error: photos are collected by gallery-dl; install it with: pip install 'tagdb[collect]'"


def test_a_folder_that_cannot_be_written(only: Run, instance: Instance, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = only(*tags(instance, "sea"), "--into", tmp_path / "file" / "in")
    assert done.exit_code == 1
    assert f"cannot write into {tmp_path}/file/in: Not a directory" in done.stderr


def test_a_database_that_is_not_there_is_noticed_before(
    take: Run, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAGDB_DATABASE_URL", "postgresql://127.0.0.1:9/none")
    assert "cannot connect" in complaint(take(*tags(instance, "sea")))
    assert not instance.asked


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stop(only: Run, instance: Instance, database_url: str, how: signal.Signals) -> None:
    """What is complete stays, no process does, and the same command takes the rest."""
    fill(instance)
    instance.slow.add("2.jpg")  # the third of four
    page = tags(instance, "sun")
    process = started("collect", *page, TAGDB_DATABASE_URL=database_url)
    until(lambda: [*Path("collected/sun").glob("*_2.jpg.part")])
    running = children(process.pid)
    process.send_signal(how)
    said = finished(process, 1)
    assert "interrupted; complete photos are in collected; run the same command again to continue" in said
    assert running
    assert not any(map(alive, running))
    assert len([*Path("collected/sun").glob("*.jpg")]) == 2
    instance.held.set()
    found = parsed(only(*page))["pages"][0]
    assert (found["new"], found["known"]) == (2, 2)
    taken = next(Path("collected/sun").glob("*_2.jpg"))
    assert taken.read_bytes() == photo(2)
    assert not [*Path("collected/sun").glob("*.part")]


# --- What gallery-dl is told ----------------------------------------------------------------------------


def test_only_the_first(only: Run, instance: Instance) -> None:
    fill(instance)
    found = [parsed(only(*tags(instance, "sun", "city"), "--limit", 3))["pages"] for _ in range(2)]
    assert [[(page["new"], page["known"]) for page in pages] for pages in found] == [
        [(3, 0), (3, 0)],
        [(0, 3), (0, 3)],
    ]


def test_quiet_and_verbose(tagdb: Run, instance: Instance) -> None:
    fill(instance)
    done = tagdb("collect", "--no-ingest", *tags(instance, "sun"), "--verbose")
    assert "gallery-dl: ./local_4_1_4.jpg" in done.stderr
    assert "gallery-dl:" not in tagdb("collect", "--no-ingest", *tags(instance, "sea")).output
    assert tagdb("collect", "--no-ingest", *tags(instance, "sun"), "-q").stderr == ""


def test_commands_in_gallery_dls_configuration_are_not_run(
    only: Run, instance: Instance, tmp_path: Path
) -> None:
    """Nor is anything else there that would put photos elsewhere."""
    command = {"name": "exec", "command": ["touch", str(tmp_path / "ran")]}
    away = {"name": "metadata", "mode": "tags", "directory": str(tmp_path / "away")}
    local = {
        "postprocessors": [command, away, command | {"event": "init"}],
        "filename": "{id}.txt",
        "directory": ["..", "..", "away"],
        "hashtag": {"base-directory": str(tmp_path / "away"), "archive": str(tmp_path / "away.db")},
        "actions": {"*": f"exec touch {tmp_path / 'ran'}"},
    }
    mastodon = {"local": {"root": instance.root}, "postprocessors": ["exec"], "retries": 0}
    configure(
        tmp_path / "config", instance,
        extractor={"mastodon": mastodon, "local": local, "postprocessors": [command]},
        postprocessor={"exec": command}, output={"mode": "null", "log": "nothing"},
    )  # fmt: skip
    fill(instance)
    instance.broken["/2.jpg"] = 404
    page = parsed(only(*tags(instance, "sun")))["pages"][0]
    assert (page["new"], len(page["problems"])) == (3, 1)
    names = sorted(path.name for path in Path("collected/sun").iterdir())
    assert names == [f"local_{n}_1_{n}.jpg{end}" for n in (1, 3, 4) for end in ("", ".json")]
    assert not (tmp_path / "ran").exists()
    assert not [*tmp_path.glob("away*")]


def test_names_from_the_net_stay_in_the_folder(only: Run, instance: Instance, tmp_path: Path) -> None:
    fill(instance)
    hostile = instance.posts["sun"]
    for post, name in zip(
        hostile, ("..%2F..%2F1.jpg", "-rf%0A%1B%5B2J.jpg", "%2Fetc%2F3.jpg", "e" * 300 + ".jpg"), strict=True
    ):
        post["media_attachments"][0]["url"] = f"{instance.root}/named/{name}"
        post["id"] = f"../../{post['id']}"
        post["account"]["username"] = post["account"]["acct"] = ".."
    done = only(*tags(instance, "sun"))
    assert parsed(done)["pages"][0]["new"] == 4, done.output
    names = [path.name for path in Path("collected/sun").glob("*.jpg")]
    assert len(names) == 4
    assert all(re.fullmatch(r"local_[0-9A-Za-z_.]{1,130}\.jpg", name) for name in names), names
    assert {path.name for path in Path.cwd().iterdir()} == {"collected"}
    assert {path.name for path in Path("collected").iterdir()} == {"sun", ".archive.sqlite3"}


STAND_IN = """
import json, os, sys
config = json.load(open(sys.argv[sys.argv.index("--config") + 1]))
seen = {"arguments": sys.argv[1:], "config": config, "cwd": os.getcwd(), "environment": dict(os.environ)}
if "--extractor-info" in sys.argv:
    print(os.environ["INTERVAL"])
else:
    json.dump(seen, open(os.environ["SEEN"], "w"))
    print("no more memory", file=sys.stderr)
    sys.exit(7)
"""


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, only: Run) -> Callable[[str], Any]:
    """A function that collects with a program in gallery-dl's place, and returns what that one saw."""
    (tmp_path / "path/gallery_dl").mkdir(parents=True)
    (tmp_path / "path/gallery_dl/__init__.py").touch()
    (tmp_path / "path/gallery_dl/__main__.py").write_text(STAND_IN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    monkeypatch.setenv("PGPASSWORD", "secret")

    def run(interval: str) -> Any:
        monkeypatch.setenv("INTERVAL", interval)
        done = only("https://there.example/tags/sea")
        assert done.exit_code == 1
        reason = "gallery-dl ended with exit code 7: no more memory"
        assert parsed(done)["pages"][0]["problems"] == [reason]
        return json.loads((tmp_path / "seen").read_text())

    return run


def test_the_pace_is_gallery_dls_own_where_there_is_one(seen: Callable[[str], Any]) -> None:
    assert seen("")["config"]["sleep-request"] == collect.PACE
    assert "sleep-request" not in seen('Request interval (default):\n  "6.0-12.0"')["config"]


def test_gallery_dl_knows_nothing_of_the_database(seen: Callable[[str], Any]) -> None:
    found = seen("")
    assert not [name for name in found["environment"] if name.startswith(("TAGDB_", "PG"))]
    assert found["environment"]["HOME"] == os.environ["HOME"]
    assert found["arguments"][-2:] == ["--", "https://there.example/tags/sea"]
    assert found["cwd"] == str(Path("collected/sea").absolute())


@pytest.mark.parametrize(
    ("url", "name", "hashtags"),
    [
        ("https://mastodon.social/tags/Sea", "sea", ("sea",)),
        ("https://www.instagram.com/explore/tags/caf%C3%A9/", "café", ("café",)),
        ("https://danbooru.donmai.us/posts?tags=blue_sky&z=1", "blue_sky", ("blue_sky",)),
        ("https://twitter.com/search?q=%23sea", "sea", ("sea",)),
        ("https://twitter.com/search?q=low+tide", "low_tide", ()),
        ("https://mastodon.social/@someone", "someone", ()),
        ("https://mastodon.social/", "mastodon.social", ()),
        ("https://x.example/tags/..%2F..%2Fetc", "etc", ()),
        ("https://x.example/tags/%2E%2E", "x.example", ()),
        (f"https://x.example/a/{'é' * 200}", "é" * 75, ()),
    ],
)
def test_names_of_pages(url: str, name: str, hashtags: tuple[str, ...]) -> None:
    assert collect._page(url)[1:] == (name, hashtags)
