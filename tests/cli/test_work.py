"""``tagdb work`` and photos by SQL: tagdb.submit_photo, tagdb.answer, CALL tagdb.recommend_photo."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors

from tagdb import config, store
from tagdb.embedder import Embedder
from tagdb.errors import DatabaseError
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.requests import RequestWorker
from tests.support.commands import Run, parsed
from tests.support.pictures import photo
from tests.support.postgres import rows
from tests.support.programs import finished, started

CALL = "CALL tagdb.recommend_photo(%b, top => %s)"
ASKER, READER, WRITER = "tagdb_asker", "tagdb_reader", "tagdb_writer"


def until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """What a condition says once it is true."""
    deadline = time.monotonic() + seconds
    while not (said := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return said


def submit(connection: Connection, content: bytes, **arguments: object) -> int:
    """Submit a photo; the number of the request."""
    named = "".join(f", {name} => %({name})s" for name in arguments)
    query = f"SELECT tagdb.submit_photo(%(photo)b{named})"
    ((request,),) = connection.execute(query, {"photo": content} | arguments).fetchall()  # type: ignore[call-overload]
    return int(request)


def state(connection: Connection, request: int) -> str:
    return str(rows(connection, "SELECT state FROM tagdb.request_state(%s)", request)[0][0])


def answer(connection: Connection, request: int) -> list[tuple[Any, ...]]:
    """The answer to a request, once it is there."""
    until(lambda: state(connection, request) != "waiting")
    return rows(connection, "SELECT rank, hashtag, score FROM tagdb.answer(%s)", request)


def recommended(tagdb: Run, path: Path, *flags: object) -> list[tuple[Any, ...]]:
    """What the command line recommends."""
    printed = parsed(tagdb("recommend", path, *flags, "--json"))[0]["hashtags"]
    return [tuple(each.values()) for each in printed]


@pytest.fixture
def work(database_url: str, home: Path, connection: Connection) -> Iterator[Callable[..., RequestWorker]]:
    """A function that starts a worker in a thread."""
    running: list[tuple[RequestWorker, threading.Thread, Embedder]] = []

    def start(url: str = database_url, **settings: str) -> RequestWorker:
        own = config.load({"TAGDB_HOME": str(home), "TAGDB_DATABASE_URL": url} | settings)
        embedder = Embedder(own, lambda said: None, threads=1)
        connect = partial(database.reconnect, own, lambda said: None, patience=0)
        worker = RequestWorker(embedder, connect, lambda said: None, 2)
        thread = threading.Thread(target=worker.run)
        thread.start()
        running.append((worker, thread, embedder))
        until(lambda: rows(connection, "SELECT tagdb.workers()") == [(len(running),)])
        return worker

    yield start
    for worker, thread, embedder in running:
        worker.stop()
        thread.join()
        embedder.close()
    until(lambda: rows(connection, "SELECT tagdb.workers()") == [(0,)])


@pytest.fixture
def ask(login: Callable[..., str], database_url: str) -> Iterator[Callable[..., Connection]]:
    """A function that opens a session of a new login with roles."""
    opened: list[Connection] = []

    def connect(*roles: str) -> Connection:
        opened.append(psycopg.connect(login(database_url, *roles), autocommit=True))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


# --- answers --------------------------------------------------------------------------------------------


def test_the_answer_is_the_command_lines_to_the_last_digit(
    filled: Path, tagdb: Run, work: Callable[..., RequestWorker], ask: Callable[..., Connection]
) -> None:
    asker, path = ask(ASKER), filled / "04.jpg"
    asker.execute("SET extra_float_digits = -3")
    work()
    expected = recommended(tagdb, path, "-n", 3)
    assert len(expected) == 3
    (said,) = asker.execute(CALL, (path.read_bytes(), 3)).fetchone() or ()
    assert [tuple(each[name] for name in ("rank", "hashtag", "score")) for each in said] == expected
    asker.execute("RESET extra_float_digits")
    assert answer(asker, submit(asker, path.read_bytes(), top=3)) == expected
    steered = {
        "known": ["#Sea"],
        "exclude": ["sand"],
        "diversity": 0.3,
        "popularity_discount": 0.1,
        "known_weight": 0.7,
    }
    flags = [
        "--known",
        "sea",
        "--exclude",
        "sand",
        "--diversity",
        0.3,
        "--popularity-discount",
        0.1,
        "--known-weight",
        0.7,
    ]
    assert answer(asker, submit(asker, path.read_bytes(), **steered)) == recommended(tagdb, path, *flags)
    stored = "SELECT count(*) FROM tagdb.images"
    with pytest.raises(errors.InsufficientPrivilege):
        asker.execute(stored)


def test_a_stored_photo(
    filled: Path,
    tagdb: Run,
    work: Callable[..., RequestWorker],
    connection: Connection,
    ask: Callable[..., Connection],
) -> None:
    writer, content = ask(WRITER), photo(77)
    work()
    (filled / "new.jpg").write_bytes(content)
    expected = recommended(tagdb, filled / "new.jpg")
    said = {"hashtags": ["#Sea", "brandnew"], "name": "new.jpg", "store_collection": "sent"}
    request = submit(writer, content, store=True, **said)
    assert answer(writer, request) == expected
    ((image,),) = rows(writer, "SELECT image_id FROM tagdb.request_state(%s)", request)
    found = rows(
        connection, "SELECT collection, split_part(uri, '/', 2) FROM tagdb.images WHERE image_id = %s", image
    )
    assert found == [("sent", "new.jpg")]
    carried = rows(
        connection, "SELECT hashtag FROM tagdb.image_hashtags WHERE image_id = %s ORDER BY 1", image
    )
    assert carried == [("brandnew",), ("sea",)]
    until(
        lambda: (
            rows(connection, "SELECT images FROM tagdb.hashtag_stats WHERE hashtag = 'brandnew'") == [(1,)]
        )
    )


def test_the_first_photo_of_a_database(
    work: Callable[..., RequestWorker],
    connection: Connection,
    chosen: tuple[object, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work(TAGDB_BACKBONE="bundled")
    request = submit(connection, photo(1), store=True, hashtags=["first"])
    assert answer(connection, request) == []
    assert rows(connection, "SELECT images FROM tagdb.coverage") == [(1,)]


@pytest.mark.parametrize(
    ("content", "said", "reason"),
    [
        (b"no picture", {}, "."),
        (photo(1)[:300], {}, "."),
        (photo(1), {"store": True, "hashtags": ["no-pe"]}, "cannot be part of a hashtag"),
        (photo(1), {"store": True, "store_collection": "x" * 501}, "more than 500 characters"),
    ],
)
def test_a_photo_that_is_refused(
    filled: Path,
    work: Callable[..., RequestWorker],
    connection: Connection,
    content: bytes,
    said: dict[str, object],
    reason: str,
) -> None:
    worker = work()
    request = submit(connection, content, **said)
    with pytest.raises(errors.InvalidParameterValue, match=reason):
        answer(connection, request)
    assert state(connection, request) == "refused"
    if not said:
        with pytest.raises(errors.InvalidParameterValue, match=reason):
            connection.execute(CALL, (content, 3))
    assert rows(connection, "SELECT DISTINCT photo FROM tagdb_store.requests") == [(None,)]
    assert rows(connection, "SELECT images FROM tagdb.coverage") == [(12,)]
    until(lambda: worker.refused == 1 + (not said))  # counted once it is stored
    assert answer(connection, submit(connection, photo(2)))  # it goes on


# --- the procedure --------------------------------------------------------------------------------------


def test_without_a_worker_it_says_so_at_once(connection: Connection) -> None:
    begun = time.monotonic()
    with pytest.raises(
        errors.ObjectNotInPrerequisiteState, match=r"(?m)^no worker answers; start one: tagdb work$"
    ):
        connection.execute(CALL, (photo(1), 3))
    assert time.monotonic() - begun < 1
    assert rows(connection, "SELECT count(*) FROM tagdb_store.requests") == [(0,)]


def test_it_waits_no_longer_than_it_is_told(database_url: str, connection: Connection) -> None:
    with database.connect(database_url) as idle:
        assert store.requests.begin(idle, 5)  # a worker that does nothing
        begun = time.monotonic()
        with pytest.raises(
            errors.ObjectNotInPrerequisiteState, match=r"no answer within 0.3 s, as the workers"
        ):
            connection.execute("CALL tagdb.recommend_photo('photo', seconds => 0.3)")
        assert 0.3 < time.monotonic() - begun < 2
    assert rows(connection, "SELECT count(*) FROM tagdb_store.requests") == [(0,)]  # it was withdrawn


def test_while_it_waits_it_holds_nothing(database_url: str, connection: Connection) -> None:
    """No transaction, no snapshot: nobody's cleaning up waits for it."""
    with database.connect(database_url) as idle, psycopg.connect(database_url, autocommit=True) as asker:
        assert store.requests.begin(idle, 5)

        def wait() -> None:
            with suppress(errors.ObjectNotInPrerequisiteState):
                asker.execute("CALL tagdb.recommend_photo('x', seconds => 1)")

        call = threading.Thread(target=wait)
        call.start()
        until(lambda: rows(connection, "SELECT count(*) FROM tagdb_store.requests") == [(1,)])
        oldest = "SELECT min(clock_timestamp() - xact_start) < '0.2 s' FROM pg_stat_activity WHERE pid = %s"
        for _ in range(20):
            assert rows(connection, oldest, asker.info.backend_pid) in ([(True,)], [(None,)])
            time.sleep(0.02)
        call.join()


def test_within_a_transaction_it_says_so(connection: Connection) -> None:
    said = r"(?m)^call tagdb.recommend_photo outside of a transaction, as it waits for another session$"
    with pytest.raises(errors.InvalidTransactionTermination, match=said), connection.transaction():
        connection.execute(CALL, (photo(1), 3))
    with pytest.raises(errors.InvalidTransactionTermination, match=said):
        connection.execute("SELECT 1; CALL tagdb.recommend_photo('photo')")
    with pytest.raises(errors.ObjectNotInPrerequisiteState):  # another procedure may call it
        connection.execute("DO 'DECLARE said jsonb; BEGIN CALL tagdb.recommend_photo(''photo'', said); END'")


def test_the_callers_search_path_stays_and_leads_nowhere(
    filled: Path, work: Callable[..., RequestWorker], connection: Connection, ask: Callable[..., Connection]
) -> None:
    asker = ask(ASKER)
    work()
    connection.execute("CREATE SCHEMA hostile; GRANT USAGE ON SCHEMA hostile TO PUBLIC")
    for name, kinds in ("clock_timestamp", ""), ("least", "float8, float8"), ("pg_sleep", "float8"):
        body = "RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE ''led astray''; END'"
        connection.execute(f"CREATE FUNCTION hostile.{name}({kinds}) {body}")  # type: ignore[arg-type]
    asker.execute("SET search_path = hostile, pg_catalog")
    assert asker.execute(CALL, (photo(3), 3)).fetchone()
    assert rows(asker, "SHOW search_path") == [("hostile, pg_catalog",)]


# --- who may do what ------------------------------------------------------------------------------------


def test_nobody_reads_anothers_answers(
    filled: Path, work: Callable[..., RequestWorker], ask: Callable[..., Connection]
) -> None:
    one, other = ask(ASKER), ask(WRITER)
    work()
    request = submit(one, photo(1))
    assert answer(one, request)
    for query in "SELECT * FROM tagdb.answer(%s)", "SELECT * FROM tagdb.request_state(%s)":
        with pytest.raises(
            errors.InvalidParameterValue, match=rf"your login has no request {request}; answers are"
        ):
            other.execute(query, (request,))
    assert rows(other, "SELECT tagdb.withdraw_photo(%s)", request) == [(False,)]
    assert answer(one, request)
    assert rows(one, "SELECT tagdb.withdraw_photo(%s)", request) == [(True,)]


@pytest.mark.parametrize("group", [ASKER, READER])
def test_only_a_writer_stores(connection: Connection, ask: Callable[..., Connection], group: str) -> None:
    asker = ask(group)
    with pytest.raises(
        errors.InsufficientPrivilege, match=r"your login may not store photos; ask .* tagdb_writer"
    ):
        submit(asker, photo(1), store=True)
    assert rows(connection, "SELECT count(*) FROM tagdb_store.requests") == [(0,)]


def test_a_worker_is_a_writer(
    login: Callable[..., str],
    filled: Path,
    work: Callable[..., RequestWorker],
    database_url: str,
    connection: Connection,
    home: Path,
) -> None:
    work(login(database_url, WRITER))
    assert answer(connection, submit(connection, photo(1), store=True, hashtags=["sea"]))
    own = config.load({"TAGDB_HOME": str(home), "TAGDB_DATABASE_URL": login(database_url, READER)})
    embedder = Embedder(own, lambda said: None, threads=1)
    worker = RequestWorker(
        embedder, partial(database.reconnect, own, lambda said: None, patience=0), lambda said: None
    )
    with pytest.raises(DatabaseError, match="ask the database's owner for the role tagdb_writer"):
        worker.run()
    embedder.close()


# --- limits ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("photo", "said", "reason"),
    [
        (None, {}, "(?m)^photo must be the bytes of a picture's file$"),
        (b"", {}, "(?m)^photo must be the bytes of a picture's file$"),
        (bytes((64 << 20) + 1), {}, "(?m)^the photo has 65 MB; at most 64 MB are taken$"),
        (
            b"x",
            {"hashtags": ["a"]},
            "^hashtags, name and store_collection are stored with a photo: pass store => true",
        ),
        (b"x", {"name": "a"}, "pass store => true"),
        (b"x", {"top": 0}, "(?m)^top must be 1 or more, not 0$"),
        (b"x", {"diversity": 1.5}, "(?m)^diversity must be a number from 0 to 1, not 1.5$"),
        (b"x", {"min_score": float("nan")}, "^min_score must be a number"),
        (b"x", {"known": ["a"] * 10_001}, "(?m)^more than 10000 hashtags are given$"),
        (b"x", {"known": ["a" * (1 << 20)]}, "(?m)^the arguments besides the photo have more than 1 MB$"),
    ],
)
def test_what_is_refused_at_once(
    connection: Connection, photo: bytes, said: dict[str, object], reason: str
) -> None:
    with pytest.raises(errors.InvalidParameterValue, match=reason):
        submit(connection, photo, **said)


def test_arguments_may_be_null_and_infinite(
    filled: Path, work: Callable[..., RequestWorker], connection: Connection
) -> None:
    work()
    names = (
        "top",
        "neighbours",
        "known",
        "exclude",
        "known_weight",
        "diversity",
        "popularity_discount",
        "min_score",
        "collection",
        "store",
        "hashtags",
        "name",
    )
    expected = answer(connection, submit(connection, photo(1)))
    assert answer(connection, submit(connection, photo(1), **dict.fromkeys(names))) == expected
    assert answer(connection, submit(connection, photo(1), min_score=float("-inf"), known=[None])) == expected
    assert answer(connection, submit(connection, photo(1), min_score=float("inf"))) == []


def test_how_many_may_wait(connection: Connection, ask: Callable[..., Connection]) -> None:
    one, other = ask(ASKER), ask(ASKER)
    one.execute("SELECT tagdb.submit_photo('photo') FROM generate_series(1, 1000)")
    with pytest.raises(
        errors.ConfigurationLimitExceeded, match=r"^1000 requests of your login wait, with 0 MB; at most"
    ):
        submit(one, b"photo")
    submit(other, b"photo")
    connection.execute("UPDATE tagdb_store.requests SET byte_count = 1073741824 WHERE request_id = 1001")
    with pytest.raises(
        errors.ConfigurationLimitExceeded, match=r"^1 requests of your login wait, with 1024 MB"
    ):
        submit(other, b"photo")


def test_nothing_is_kept_longer_than_said(connection: Connection) -> None:
    ages = "(NULL, '23 h'), (NULL, '25 h'), ('[]', '59 min'), ('[]', '61 min')"
    connection.execute(
        "INSERT INTO tagdb_store.requests (photo, byte_count, arguments, hashtags, asked_at, answered_at)"  # type: ignore[arg-type]
        " SELECT CASE WHEN h IS NULL THEN 'photo'::bytea END, 5, '{}', h::jsonb, now() - age::interval,"
        f" CASE WHEN h IS NOT NULL THEN now() - age::interval END FROM (VALUES {ages}) v (h, age)"
    )
    store.requests.clean(connection)
    assert rows(connection, "SELECT request_id FROM tagdb_store.requests ORDER BY 1") == [(1,), (3,)]


# --- workers --------------------------------------------------------------------------------------------


def test_requests_are_heard_of_at_once(
    filled: Path, work: Callable[..., RequestWorker], connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagdb.requests.POLL", 30.0)
    work()
    content, seconds = photo(5), []
    for _ in range(5):
        time.sleep(0.1)
        begun = time.monotonic()
        connection.execute(CALL, (content, 3))
        seconds.append(time.monotonic() - begun)
    assert min(seconds) < 0.5, seconds


def test_answers_are_told(filled: Path, work: Callable[..., RequestWorker], connection: Connection) -> None:
    work()
    connection.execute("LISTEN tagdb_answers")
    request = submit(connection, photo(1))
    heard = next(connection.notifies(timeout=20, stop_after=1))
    assert (heard.channel, heard.payload) == ("tagdb_answers", str(request))
    assert state(connection, request) == "answered"


def test_two_workers_share_and_answer_each_once(
    filled: Path, work: Callable[..., RequestWorker], connection: Connection
) -> None:
    workers = [work(), work()]
    requests = [submit(connection, photo(n % 7)) for n in range(60)]
    answers = [answer(connection, request) for request in requests]
    assert all(answers)
    assert answers[:7] == answers[7:14]
    counts = [worker.answered for worker in workers]
    until(lambda: sum(worker.answered for worker in workers) == 60)
    assert min(counts) > 0
    assert rows(connection, "SELECT DISTINCT tries FROM tagdb_store.requests") == [(1,)]


def test_what_a_dead_worker_had_is_taken_over(
    filled: Path, work: Callable[..., RequestWorker], database_url: str, connection: Connection
) -> None:
    with database.connect(database_url) as dead:
        assert store.requests.begin(dead, 5)
        fine, hopeless, hanging = (submit(connection, photo(n)) for n in range(3))
        taken = store.requests.take(dead, 5, 10)
        assert [each.request_id for each in taken] == [fine, hopeless, hanging]
        assert store.requests.take(dead, 6, 10) == store.requests.take(dead, 6, 10, again=True) == []
        connection.execute("UPDATE tagdb_store.requests SET tries = 3 WHERE request_id = %s", (hopeless,))
        connection.execute(
            "UPDATE tagdb_store.requests SET taken_at = now() - interval '301 s' WHERE request_id = %s",
            (hanging,),
        )
        work()
        assert answer(connection, hanging)
        assert state(connection, fine) == "waiting"  # somebody lives who has it
        assert not store.requests.answer(dead, taken[2], [], None)  # too late
    assert answer(connection, fine)
    with pytest.raises(
        errors.InvalidParameterValue, match="three workers ended or hung while they had this photo"
    ):
        answer(connection, hopeless)


def test_a_database_that_goes_away_and_comes_back(
    filled: Path, work: Callable[..., RequestWorker], connection: Connection
) -> None:
    work()
    assert answer(connection, submit(connection, photo(1)))
    others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    others += " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    requests = []
    for _ in range(3):
        requests += [submit(connection, photo(n)) for n in range(4)]
        connection.execute(others)
        time.sleep(0.1)
    assert all(answer(connection, request) for request in requests)


def test_another_backbone_is_noticed(
    filled: Path, tagdb: Run, work: Callable[..., RequestWorker], connection: Connection
) -> None:
    work()
    assert answer(connection, submit(connection, photo(1)))
    assert tagdb("backbone", "reembed", "bundled", "--quiet").exit_code == 0
    assert tagdb("factors", "compute", "--factors", 8).exit_code == 0
    (filled / "new.jpg").write_bytes(photo(2))
    assert answer(connection, submit(connection, photo(2))) == recommended(tagdb, filled / "new.jpg")


def test_what_was_begun_is_finished(
    filled: Path, database_url: str, home: Path, connection: Connection
) -> None:
    requests = [submit(connection, photo(n)) for n in range(30)]
    process = started("work", "--workers", 1, TAGDB_DATABASE_URL=database_url, TAGDB_HOME=str(home))
    until(
        lambda: (
            rows(connection, "SELECT count(*) > 2 FROM tagdb_store.requests WHERE answered_at IS NOT NULL")
            == [(True,)]
        )
    )
    process.terminate()
    said = finished(process)
    done = sum(state(connection, request) == "answered" for request in requests)
    assert said == f"answering photos that come by SQL; stop with Ctrl-C\nanswered {done}, refused 0\n"
    assert rows(
        connection, "SELECT count(*) FROM tagdb_store.requests WHERE answered_at IS NULL AND tries > 0"
    ) == [(0,)]
