"""The backbones of a database: which there are, filling one, and making it the active one."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

import psycopg

from tagdb.embedding.backbone import Identity
from tagdb.errors import BackboneMismatch
from tagdb.postgres.database import Connection
from tagdb.store.statements import (
    execute,
    fetch_all,
    fetch_map,
    fetch_optional,
    fetch_value,
    unless_locked,
)


@dataclass(frozen=True, slots=True)
class StoredBackbone:
    """A backbone that a database remembers."""

    backbone_id: int
    name: str
    input_size: int
    weights_sha256: bytes

    @property
    def identity(self) -> Identity:
        """What it is."""
        return Identity(self.name, self.input_size, self.weights_sha256)


@dataclass(frozen=True, slots=True)
class ListedBackbone:
    """A backbone, and how many images it has embedded."""

    backbone_id: int
    name: str
    input_size: int
    weights_sha256: str
    """In hexadecimal digits."""
    active: bool
    images: int
    """Images that it has embedded."""
    of_images: int
    """All images."""

    @property
    def identity(self) -> Identity:
        """What it is."""
        return Identity(self.name, self.input_size, bytes.fromhex(self.weights_sha256))


@dataclass(frozen=True, slots=True)
class Unembedded:
    """An image that a backbone has not embedded."""

    image_id: int
    content_sha256: bytes
    uri: str
    original_bytes: int | None
    """Size of its content, where that is stored."""


def active(connection: Connection) -> StoredBackbone | None:
    """Return the backbone that recommending searches; None in a database without embeddings."""
    return fetch_optional(connection, StoredBackbone, "backbones/active")


def list_all(connection: Connection) -> list[ListedBackbone]:
    """Return all backbones, the oldest first."""
    return fetch_all(connection, ListedBackbone, "backbones/list")


def add(connection: Connection, identity: Identity) -> int:
    """Register a backbone and return its number; the first one becomes active."""
    number: int = fetch_value(
        connection,
        "backbones/add",
        name=identity.name,
        input_size=identity.input_size,
        weights_sha256=identity.weights_sha256,
    )
    return number


def add_beside(connection: Connection, identity: Identity, wait_ms: int = 100) -> int | None:
    """Register another backbone while others read; None if one of them is in the way for longer.

    Making its partition locks the table of embeddings for a moment.
    """
    return unless_locked(connection, wait_ms, partial(add, connection, identity), None)


def activate(
    connection: Connection, backbone_id: int, may_lack: Collection[int] | None, wait_ms: int = 2000
) -> int | None:
    """Make a backbone the active one, unless it has not embedded images that it should have.

    Parameters
    ----------
    may_lack
        Images that it need not have embedded; None for any.

    Returns
    -------
    How many images it should have embedded and has not: with 0 it is active. None if batches that are
    being stored were in the way for longer than ``wait_ms``.
    """

    def attempt() -> int | None:
        lacking: int = fetch_value(
            connection,
            "backbones/activate",
            backbone_id=backbone_id,
            may_lack=None if may_lack is None else list(may_lack),
        )
        return lacking

    return unless_locked(connection, wait_ms, attempt, None)


def drop(connection: Connection, backbone_id: int, wait_ms: int = 100) -> bool:
    """Drop a backbone that is not active, and all that it made; False while somebody uses it."""

    def attempt() -> bool:
        return bool(fetch_value(connection, "backbones/drop", backbone_id=backbone_id))

    return unless_locked(connection, wait_ms, attempt, False)


@contextmanager
def filling(connection: Connection, backbone_id: int, wait_ms: int = 10_000) -> Iterator[bool]:
    """Keep others from filling and dropping a backbone; yields False if another process does either.

    PostgreSQL takes a moment to notice that a process was killed, which is what ``wait_ms`` is for.
    """
    check = "client_connection_check_interval"
    with suppress(psycopg.errors.InvalidParameterValue):  # the server's system cannot do that
        execute(connection, "session/set", setting=check, value="2s", local=False)

    def lock() -> bool:
        execute(connection, "backbones/lock", backbone_id=backbone_id)
        return True

    locked = unless_locked(connection, wait_ms, lock, False)
    try:
        yield locked
    finally:
        if not connection.broken:
            execute(connection, "session/reset", names={"setting": check})
            if locked:
                execute(connection, "backbones/unlock", backbone_id=backbone_id)


def hold(connection: Connection, backbone_id: int) -> None:
    """Let no other backbone become active until the caller's transaction ends.

    Raises
    ------
    BackboneMismatch
        Another one is.
    """
    execute(connection, "index/searched_projection", backbone_id=backbone_id)
    now = active(connection)  # asked only now: it stays that
    if now is None or now.backbone_id != backbone_id:
        raise BackboneMismatch(
            f"the backbone of this database was changed to {now and now.identity} meanwhile; what was "
            "stored stays, and the same command without --backbone and --input-size goes on from there"
        )


def images_without(connection: Connection, backbone_id: int, after: int, images: int) -> list[Unembedded]:
    """Return the next images in the order of their ids that a backbone has not embedded."""
    return fetch_all(
        connection,
        Unembedded,
        "backbones/images_without",
        binary=True,
        backbone_id=backbone_id,
        after=after,
        images=images,
    )


def originals(connection: Connection, image_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the stored contents of images, by image."""
    return fetch_map(connection, "backbones/originals", binary=True, image_ids=list(image_ids))


def vector_schema(connection: Connection) -> str:
    """Return the schema that pgvector is in."""
    schema: str = fetch_value(connection, "backbones/vector_schema")
    return schema
