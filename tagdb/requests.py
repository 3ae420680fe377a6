"""Answer the photos that come by SQL, ``tagdb.submit_photo``: the worker of the queue.

A request belongs to the worker whose number it bears, as long as that holds the lock on the number: a worker
that is killed gives up all its requests at once, and another one takes them. Several may run, on several
machines.
"""

import io
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from functools import partial
from secrets import randbelow
from typing import TypeVar

import psycopg
from PIL import Image

from tagdb import recommend, store, storing
from tagdb.embedder import Embedder
from tagdb.embedding.backbone import Backbone
from tagdb.embedding.worker import Embedded
from tagdb.errors import BackboneMismatch, DatabaseError, RejectedInput, SchemaError, TagdbError
from tagdb.postgres.database import PATIENCE, PAUSE, Connection, Notify, gone, translated
from tagdb.postgres.pool import Pool
from tagdb.store.answers import Query, Recommendation
from tagdb.store.requests import Request

POLL = 1.0
"""Seconds after which a worker looks for requests even if it hears of none, and for those of dead workers."""
CLEANING = 60.0
"""Seconds between two deletions of what is too old."""

Result = TypeVar("Result")
Answer = tuple[list[Recommendation], int | None]
"""The hashtags for a photo, and the number of its image if it was stored."""


class _Lost(TagdbError):
    """The database did not come back in time for an answer."""


class RequestWorker:
    """Takes requests, embeds, stores and answers, several at once, until it is stopped."""

    def __init__(
        self,
        embedder: Embedder,
        connect: Callable[[], Connection],
        notify: Notify,
        at_once: int | None = None,
    ) -> None:
        """Make a worker that does nothing yet.

        Parameters
        ----------
        embedder
            Decodes and embeds; it stays its owner's.
        connect
            Opens a connection, whose login is a writer or the owner, or raises DatabaseError at once.
        at_once
            Number of requests that are attended to at the same time; None: one per core, and one more.
        """
        self._embedder, self._connect, self._notify = embedder, connect, notify
        self._at_once = at_once or (os.cpu_count() or 1) + 1
        self.number = _any_number()
        """By which requests are this worker's; another one if that is taken."""
        self._pool = Pool(connect)
        self._threads = ThreadPoolExecutor(self._at_once, thread_name_prefix="tagdb-request")
        self._settler = storing.Settler(self._ask)
        self._stopping = False
        self._busy: set[Future[None]] = set()
        self._again: Future[None] | None = None
        self._failure: BaseException | None = None
        self._lock = threading.Lock()
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self.answered = self.refused = 0
        """Numbers of requests that were."""

    def run(self) -> None:
        """Answer requests until :meth:`stop` is called, then finish those that were begun. Only once.

        Raises
        ------
        BackboneError
            The backbone cannot be loaded; what was not answered is left to others.
        DatabaseError
            The login may not do this, or the schema is another one.
        """
        try:
            with translated():
                while not self._stopping:
                    try:
                        self._serve()
                    except psycopg.Error as error:
                        if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
                            raise
                        self._notify("the connection to the database broke; reconnecting")
                        time.sleep(PAUSE)
        finally:
            self._stopping = True
            self._threads.shutdown()
            self._settler.close()
            self._pool.close()
            self._woken.close()
            self._waker.close()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Let :meth:`run` end; from any thread, and from a signal handler."""
        self._stopping = True
        self._wake()

    # --- the session that takes requests ----------------------------------------------------------------

    def _serve(self) -> None:
        """Take requests until it is time to stop, and wait for those that were begun."""
        if (connection := self._begun()) is None:
            return
        with closing(connection):
            looked = cleaned = -CLEANING
            while not self._stopping:
                now = time.monotonic()
                if now > looked + POLL:
                    looked = now
                    self._look_after(connection)
                if now > cleaned + CLEANING:
                    cleaned = now
                    store.requests.clean(connection)
                room = self._at_once - len(self._busy)
                taken = store.requests.take(connection, self.number, room) if room else []
                for request in taken:
                    self._begin(request)
                if len(taken) < room or not room:
                    self._wait(connection)
            while self._busy:  # its lock says that these requests are being answered
                self._wait(connection)

    def _begun(self) -> Connection | None:
        """Return a session that is this worker's, which can answer now; None if it is to stop."""
        while not self._stopping:
            try:
                connection = self._connect()
            except SchemaError:
                raise
            except DatabaseError:
                time.sleep(PAUSE)
                continue
            connection.add_notify_handler(lambda heard: None)  # or else they would be kept
            try:
                self._warm(connection)
                if store.requests.begin(connection, self.number):
                    return connection
            except BaseException:
                connection.close()
                raise
            connection.close()
            self.number = _any_number()  # a connection of ours that broke has not ended there yet
        return None

    def _warm(self, connection: Connection) -> None:
        """Load the backbone and start the processes, so that the first photos need not wait for that."""
        if recommend.backbone_of(connection) is not None:
            backbone = self._embedder.backbone(connection)
            picture = io.BytesIO()
            Image.new("RGB", (32, 32)).save(picture, "PNG")
            for each in [self._embedder.submit(backbone, picture.getvalue()) for _ in range(self._at_once)]:
                each.result()

    def _look_after(self, connection: Connection) -> None:
        """See to requests whose worker is gone, one at a time, and to what stored photos have made due."""
        self.refused += store.requests.refuse_hopeless(connection)
        if self._again is None or self._again.done():
            for request in store.requests.take(connection, self.number, 1, again=True):
                self._again = self._begin(request)
        self._settler.look()

    def _wait(self, connection: Connection) -> None:
        """Wait until there is something to do: a request, an answer, the end, or time has passed."""
        waited_for: list[Connection | socket.socket] = [self._woken]
        if len(self._busy) < self._at_once and not self._stopping:
            waited_for.append(connection)
        ready, _, _ = select.select(waited_for, [], [], POLL)
        if self._woken in ready:
            self._woken.recv(1 << 12)
        if connection in ready and not connection.pgconn.is_busy():
            connection.pgconn.consume_input()  # the end of the connection, too
            while connection.pgconn.notifies():
                pass

    def _wake(self) -> None:
        with suppress(OSError):  # it is full, or closed
            self._waker.send(b"\0")

    # --- the threads that answer ------------------------------------------------------------------------

    def _begin(self, request: Request) -> "Future[None]":
        future = self._threads.submit(self._attend, request)
        self._busy.add(future)
        future.add_done_callback(self._ended)
        return future

    def _ended(self, future: "Future[None]") -> None:
        if (error := future.exception()) is not None:
            self._failure = self._failure or error
            self._stopping = True
        self._busy.discard(future)
        self._wake()

    def _attend(self, request: Request) -> None:
        """Answer a request, or refuse it; what cannot be answered here is given back."""
        with suppress(_Lost):  # then others take it
            try:
                hashtags, image_id = self._embedder.answer(
                    self._ask, request.photo, partial(self._answer, request)
                )
            except (RejectedInput, DatabaseError) as error:
                reason = str(error)
                self._ask(lambda connection: store.requests.refuse(connection, request, reason))
                self._count(refused=1)
            except BackboneMismatch:  # it was changed twice in the meantime
                self._ask(lambda connection: store.requests.release(connection, request))
            except _Lost:
                raise
            except BaseException:
                self._ask(lambda connection: store.requests.release(connection, request))
                raise
            else:
                self._ask(lambda connection: store.requests.answer(connection, request, hashtags, image_id))
                self._count(answered=1)

    def _answer(
        self, request: Request, connection: Connection, backbone: Backbone, embedded: Embedded
    ) -> Answer:
        """Recommend, then store the photo: it would be its own neighbour otherwise."""
        hashtags: list[Recommendation] = []
        if recommend.backbone_of(connection) is not None:
            hashtags = recommend.recommend_one(
                connection, backbone, embedded.photo.sha256, embedded.required(), Query(**request.arguments)
            )
        if request.store is None:
            return hashtags, None
        self._settler.stored()
        stored = storing.store_photo(connection, backbone, request.photo, embedded, **request.store)
        return hashtags, stored.image_id

    def _count(self, answered: int = 0, refused: int = 0) -> None:
        with self._lock:
            self.answered += answered
            self.refused += refused

    def _ask(self, action: Callable[[Connection], Result]) -> Result:
        """Run what may be run twice on a connection; again where that broke, once the database is back."""
        until = time.monotonic() + PATIENCE
        while True:
            with ExitStack() as lent:
                try:
                    connection = lent.enter_context(self._pool.connection())
                except DatabaseError as error:
                    broken: Exception = error
                else:
                    try:
                        return action(connection)
                    except psycopg.Error as error:
                        if not gone(connection, error):
                            with translated(connection):
                                raise
                        broken = error
                        self._pool.forget()
            if time.monotonic() > until:
                raise _Lost("the database did not come back") from broken
            time.sleep(PAUSE)


def _any_number() -> int:
    return 1 + randbelow((1 << 31) - 1)
