"""The backbones of a database: list, fill, activate and drop them."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

import psycopg

from tagdb.embedding.backbone import Backbone, Carried, Identity
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
    """A backbone of the database."""

    backbone_id: int
    name: str
    input_size: int
    weights_sha256: bytes
    bits: int
    network_sha256: bytes | None
    """Of its network, if the database carries that."""

    @property
    def identity(self) -> Identity:
        """Identity of the backbone."""
        return Identity(self.name, self.input_size, self.weights_sha256, self.bits)

    def made_by(self, backbone: Backbone) -> bool:
        """Whether it is this one, also its network, if the database carries that."""
        return self.identity.same(backbone.identity) and self.network_sha256 in (
            None,
            backbone.network_sha256,
        )


@dataclass(frozen=True, slots=True)
class ListedBackbone:
    """A backbone with the number of images it has embedded."""

    backbone_id: int
    name: str
    input_size: int
    weights_sha256: str
    """Hexadecimal digits."""
    bits: int
    network_sha256: str | None
    """Of its network, if the database carries that; hexadecimal digits."""
    active: bool
    images: int
    """Number of images it has embedded."""
    of_images: int
    """Number of all images."""

    @property
    def identity(self) -> Identity:
        """Identity of the backbone."""
        return Identity(self.name, self.input_size, bytes.fromhex(self.weights_sha256), self.bits)


@dataclass(frozen=True, slots=True)
class Unembedded:
    """An image that may lack an embedding by a backbone."""

    image_id: int
    content_sha256: bytes
    uri: str
    bytes: int
    """Size of its content."""
    stored: bool
    """Whether its content is in the database."""
    kept_at: str | None
    """URI of its original, if it was kept there."""
    embedded: bool
    """Whether it has one."""


def active(connection: Connection) -> StoredBackbone | None:
    """Return the active backbone, or None without embeddings."""
    return fetch_optional(connection, StoredBackbone, "backbones/active")


def list_all(connection: Connection) -> list[ListedBackbone]:
    """Return all backbones, oldest first."""
    return fetch_all(connection, ListedBackbone, "backbones/list")


def add(connection: Connection, identity: Identity, network: bytes | None = None) -> int:
    """Register a backbone and return its number. The first one becomes active.

    Parameters
    ----------
    network
        Its LiteRT file, for the database to carry, which keeps the first one; None for none.
    """
    number: int = fetch_value(
        connection,
        "backbones/add",
        name=identity.name,
        input_size=identity.input_size,
        weights_sha256=identity.weights_sha256,
        bits=identity.bits,
        network=network,
    )
    return number


def add_beside(
    connection: Connection, identity: Identity, wait_ms: int = 100, network: bytes | None = None
) -> int | None:
    """Register another backbone during reads; return None if another session blocks it for too long.

    Creating its partition briefly locks the table of embeddings.
    """
    return unless_locked(connection, wait_ms, partial(add, connection, identity, network), None)


def carried(connection: Connection, backbone: StoredBackbone | ListedBackbone | None) -> Carried | None:
    """Return the network that the database carries of a backbone, to be read when it is needed."""
    if backbone is None or backbone.network_sha256 is None:
        return None
    digest = backbone.network_sha256
    return Carried(
        bytes.fromhex(digest) if isinstance(digest, str) else digest,
        partial(network, connection, backbone.backbone_id),
    )


def network(connection: Connection, backbone_id: int) -> bytes | None:
    """Return the LiteRT file of a backbone, if the database carries it."""
    found: bytes | None = fetch_value(connection, "backbones/network", binary=True, backbone_id=backbone_id)
    return found


def activate(
    connection: Connection, backbone_id: int, may_lack: Collection[int] | None, wait_ms: int = 2000
) -> int | None:
    """Activate a backbone, unless it lacks embeddings of images that it must have.

    Parameters
    ----------
    may_lack
        Images that it may lack; None for any.

    Returns
    -------
    int or None
        Number of images that it lacks but must not; if 0, it is active now. None if batches that are being
        stored blocked this for longer than ``wait_ms``.
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
    """Drop a backbone that is not active, with its embeddings; return False while it is in use."""

    def attempt() -> bool:
        return bool(fetch_value(connection, "backbones/drop", backbone_id=backbone_id))

    return unless_locked(connection, wait_ms, attempt, False)


@contextmanager
def filling(connection: Connection, backbone_id: int, wait_ms: int = 10_000) -> Iterator[bool]:
    """Reserve a backbone for filling or dropping; yield False if another process has reserved it.

    ``wait_ms`` gives PostgreSQL time to notice that a process was killed.
    """
    check = "client_connection_check_interval"
    with suppress(psycopg.errors.InvalidParameterValue):  # not supported by the server's operating system
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
    """Prevent another backbone from being activated until the caller's transaction ends.

    Raises
    ------
    BackboneMismatch
        Another backbone is active.
    """
    execute(connection, "index/attached_projections", backbone_id=backbone_id)
    now = active(connection)  # queried after taking the lock, so it cannot change
    if now is None or now.backbone_id != backbone_id:
        raise BackboneMismatch(
            f"the backbone of this database was changed to {now and now.identity} meanwhile; what was "
            "stored stays, and the same command without --backbone and --input-size goes on from there"
        )


def images_after(connection: Connection, backbone_id: int, after: int, images: int) -> list[Unembedded]:
    """Return the next images, by ascending id, and whether a backbone has embedded them."""
    return fetch_all(
        connection,
        Unembedded,
        "backbones/images_after",
        binary=True,
        backbone_id=backbone_id,
        after=after,
        images=images,
    )


def originals(connection: Connection, image_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the stored contents of images, by image."""
    return fetch_map(connection, "backbones/originals", binary=True, image_ids=list(image_ids))


def vector_schema(connection: Connection) -> str:
    """Return the schema of pgvector."""
    schema: str = fetch_value(connection, "backbones/vector_schema")
    return schema
