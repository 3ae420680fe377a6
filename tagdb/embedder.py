"""A backbone that stays loaded, for whoever answers photo after photo: Python, HTTP, the queue."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

from tagdb import store
from tagdb.config import Settings
from tagdb.embedding.backbone import Backbone, resolve
from tagdb.embedding.pipeline import Pipeline
from tagdb.embedding.worker import Embedded
from tagdb.errors import BackboneMismatch, DatabaseError
from tagdb.postgres.database import Connection, Notify

Result = TypeVar("Result")
Action = Callable[[Connection, Backbone, Embedded], Result]
"""A query with a photo that was embedded by a backbone."""


class Ask(Protocol):
    """Runs a query on a connection."""

    def __call__(self, action: Callable[[Connection], Result], /) -> Result:
        """Return what the query returns."""


def backbone_for(
    connection: Connection, settings: Settings, input_size: int | None, notify: Notify
) -> Backbone:
    """Return the backbone to use with a database: its own, or for a new one that which the settings name.

    Raises
    ------
    BackboneError
        It cannot be loaded.
    BackboneMismatch
        The settings name another one than the database's.
    """
    stored = store.backbones.active(connection)
    return resolve(
        settings.backbone,
        input_size,
        stored.identity if stored else None,
        settings.backbone_cache,
        notify,
        store.backbones.carried(connection, stored),
    )


class Embedder:
    """The database's backbone, loaded once, and the processes that decode and embed. For several threads.

    The processes start with the first photo. When the database's backbone is another one, it is loaded
    instead.
    """

    def __init__(
        self, settings: Settings, notify: Notify, threads: int | None = None, *, chooses: bool = True
    ) -> None:
        """Make one that loads nothing yet.

        Parameters
        ----------
        settings
            Name the backbone for a database that has none yet, and where backbones are kept.
        threads
            Number of processes that decode and embed; None: one per core.
        chooses
            Whether a database that has no backbone gets the default one, which may be downloaded for it, if
            the settings name none.
        """
        self._settings, self._notify, self._threads, self._chooses = settings, notify, threads, chooses
        self._backbone: Backbone | None = None
        self._pipeline: Pipeline | None = None
        self._lock = threading.Lock()

    def backbone(self, connection: Connection, input_size: int | None = None) -> Backbone:
        """Return the database's backbone.

        Raises
        ------
        BackboneError
            It cannot be loaded.
        DatabaseError
            There is none yet, and nobody has chosen one.
        """
        with self._lock:
            stored = store.backbones.active(connection)
            if stored is None and self._settings.backbone is None and not self._chooses:
                raise DatabaseError(
                    "the database has no photos and no backbone yet; ingest some photos, or choose one with "
                    "TAGDB_BACKBONE=bundled"
                )
            known = self._backbone
            if known is None or input_size is not None or (stored and not stored.made_by(known)):
                self._forget()
                self._backbone = known = backbone_for(connection, self._settings, input_size, self._notify)
            return known

    def submit(self, backbone: Backbone, content: bytes) -> "Future[Embedded]":
        """Start to decode and embed a photo; cancelling the future takes one that waits out of the queue."""
        with self._lock:
            if self._pipeline is None or self._backbone is not backbone:
                self._forget()
                self._backbone = backbone
                self._pipeline = Pipeline(backbone, backbone.identity.input_size, threads=self._threads)
            return self._pipeline.submit(self._pipeline.embed, content)

    def answer(self, ask: Ask, content: bytes, action: Action[Result]) -> Result:
        """Embed a photo and run a query with it, again if the backbone was changed in the meantime.

        Raises
        ------
        RejectedInput
            The photo cannot be used.
        """
        try:
            return self._answer(ask, content, action)
        except BackboneMismatch:
            return self._answer(ask, content, action)

    def _answer(self, ask: Ask, content: bytes, action: Action[Result]) -> Result:
        backbone = ask(self.backbone)
        embedded = self.submit(backbone, content).result()
        return ask(lambda connection: action(connection, backbone, embedded))

    def close(self) -> None:
        """End the processes, also in the middle of a photo."""
        with self._lock:
            if self._pipeline is not None:
                self._pipeline.__exit__(None, None, None)
            self._pipeline = self._backbone = None

    def _forget(self) -> None:
        """Let the backbone go; photos that were submitted are still embedded by it."""
        if self._pipeline is not None:
            self._pipeline.retire()
        self._pipeline = self._backbone = None
