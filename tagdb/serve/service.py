"""The work behind the routes: photos go to the embedder, queries to PostgreSQL as the caller's role."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

from tagdb import doctor, recommend, store
from tagdb.access import GROUPS
from tagdb.config import Settings
from tagdb.embedder import Embedder
from tagdb.embedding.backbone import Backbone
from tagdb.embedding.worker import Embedded
from tagdb.errors import BackboneMismatch, ConfigError, DatabaseError, RejectedInput, TagdbError
from tagdb.postgres import database
from tagdb.postgres.database import Connection, Notify
from tagdb.postgres.pool import Pool
from tagdb.postgres.server import Server
from tagdb.requests import RequestWorker
from tagdb.serve.metrics import Metrics
from tagdb.serve.options import WAITING, Options
from tagdb.serve.problems import Busy
from tagdb.storing import Settler
from tagdb.tokens import ROLES

QUERIES = 8
"""Queries at once; others wait for a thread."""

Result = TypeVar("Result")


class Service:
    """A database and an embedder for many requests at once. Its methods run in one event loop."""

    def __init__(self, settings: Settings, options: Options, notify: Notify) -> None:
        """Open the database and load its backbone, if it has one.

        Raises
        ------
        DatabaseError
            It cannot be reached, or has no schema yet.
        BackboneError
            Its backbone cannot be loaded.
        """
        self.settings, self.options, self._notify = settings, options, notify
        self.metrics = Metrics()
        self.url = database.ensure_url(settings, notify)
        with database.open_database(settings, notify) as connection:
            self.roles = tuple(role for role in ROLES if store.logins.may_act_as(connection, GROUPS[role]))
            if not self.roles:  # as for an owner who is no superuser
                raise ConfigError(
                    "queries run as tagdb's roles, and this login may act as none of them; serve with one "
                    "that may: tagdb db grant NAME --role writer"
                )
            embedder = Embedder(settings, notify, options.workers, chooses=False)
            chosen = settings.backbone is not None or recommend.backbone_of(connection) is not None
            self._backbone = embedder.backbone(connection) if chosen else None
        self._embedder = embedder
        self.settler = Settler(lambda action: self._ask(None, action, again=True))
        self._requests: RequestWorker | None = None
        self._attending: threading.Thread | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._threads = ThreadPoolExecutor(QUERIES, thread_name_prefix="tagdb-query")
        self._pools = {None: Pool(lambda: database.connect(self.url), self._revive)} | {
            role: Pool(partial(self._connected_as, GROUPS[role]), self._revive) for role in ROLES
        }
        self.ready = False
        """Whether something could be recommended before."""
        self.photos = 0
        """Photos being embedded or waiting for it."""

    def _connected_as(self, group: str) -> Connection:
        connection = database.connect(self.url)
        try:
            with database.translated():
                store.logins.act_as(connection, group)
        except DatabaseError:
            connection.close()
            raise
        return connection

    async def prepare(self) -> None:
        """Begin what goes on beside the requests: attending to photos by SQL, and to what is due."""
        if "writer" in self.roles:
            connect = partial(database.reconnect, self.settings, lambda note: None, patience=0)
            self._requests = RequestWorker(self._embedder, connect, self._notify, self.workers + 1)
            self._attending = threading.Thread(
                target=self._attend, args=[self._requests], name="tagdb-requests"
            )
            self._attending.start()
            self._ticking = asyncio.create_task(self._tick())

    def _attend(self, requests: RequestWorker) -> None:
        try:
            requests.run()
        except TagdbError as error:
            self._notify(f"photos by SQL are not answered any more: {error}")

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.settler.look()

    async def _load(self) -> Backbone:
        self._backbone = await self.ask(None, self._embedder.backbone)
        return self._backbone

    async def ask(
        self, role: str | None, action: Callable[[Connection], Result], again: bool = True
    ) -> Result:
        """Run a query as a role of tagdb's, once more if the connection was broken.

        Parameters
        ----------
        role
            ``reader``, ``analyst`` or ``writer``; None: as the service's own login.
        again
            Whether it may be repeated. An embedded server that has crashed is started again, too.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._ask, role, action, again)

    def _ask(self, role: str | None, action: Callable[[Connection], Result], again: bool) -> Result:
        with self.metrics.step("query"):
            return self._pools[role].ask(action, again)

    def _revive(self) -> None:
        """Start the embedded server again if it crashed, but not if somebody stopped it."""
        if self.settings.database_url is None:
            with suppress(DatabaseError):
                server = Server(self.settings.home)
                if server.crashed():
                    server.start(port=self.settings.port)

    async def embedded(
        self,
        request: Request,
        role: str,
        content: bytes,
        action: Callable[[Connection, Backbone, Embedded], Result],
        again: bool = True,
    ) -> Result:
        """Embed a photo and run a query with it, again if the backbone was changed in the meantime.

        Raises
        ------
        RejectedInput
            The photo cannot be used.
        Busy
            Too many others wait.
        ClientDisconnect
            The client went away; the photo's place is free.
        """
        for last in (False, True):
            backbone = self._backbone or await self._load()
            done = await self._embed(request, backbone, content)
            try:
                return await self.ask(role, lambda c, b=backbone, d=done: action(c, b, d), again)  # type: ignore[misc]
            except BackboneMismatch:
                await self._load()
                if last:
                    raise
        raise AssertionError

    async def _embed(self, request: Request, backbone: Backbone, content: bytes) -> Embedded:
        if self.photos >= WAITING:
            self.metrics.turned_away.labels("queue").inc()
            raise Busy("too many photos are waiting to be embedded; try again in a second")
        self.photos += 1
        with self.metrics.waiting.track_inprogress(), self.metrics.step("embed"):
            try:
                future = asyncio.wrap_future(self._embedder.submit(backbone, content))
                gone = asyncio.ensure_future(_gone(request))
                try:
                    both: set[asyncio.Future[Any]] = {future, gone}
                    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                    if not future.done():
                        raise ClientDisconnect
                    return future.result()
                finally:
                    gone.cancel()
                    future.cancel()  # a photo that still waits gives up its place
            except RejectedInput:
                self.metrics.refused.inc()
                raise
            finally:
                self.photos -= 1

    @property
    def workers(self) -> int:
        """Number of processes that decode and embed."""
        return self.options.workers or os.cpu_count() or 1

    async def examine(self) -> list[doctor.Finding]:
        """Return what ``tagdb doctor`` finds."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._examine)

    def _examine(self) -> list[doctor.Finding]:
        embedded = self.settings.database_url is None
        with database.connect(self.url) as connection, database.translated(connection):
            return doctor.examine(connection, None, self.settings.home, embedded)[1]

    def connections(self) -> dict[tuple[str, str], int]:
        """Return the number of connections by role and state."""
        return {
            (role or "service", state): number
            for role, pool in self._pools.items()
            for state, number in (("idle", pool.idle), ("busy", pool.lent))
        }

    def close(self) -> None:
        """Finish what was begun, and end processes, threads and connections."""
        if self._ticking is not None:
            self._ticking.cancel()
        if self._requests is not None and self._attending is not None:
            self._requests.stop()
            self._attending.join()
        self.settler.close()
        self._threads.shutdown(cancel_futures=True)
        self._embedder.close()
        for pool in self._pools.values():
            pool.close()


async def _gone(request: Request) -> None:
    """Wait until the client goes away; its body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
