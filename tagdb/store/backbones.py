"""Queries about the backbones of a database: which there are, filling one, and making it the active one."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import LiteralString, cast

import psycopg
from psycopg.rows import class_row

from tagdb.embedding.backbone import Identity
from tagdb.errors import BackboneMismatch
from tagdb.postgres.database import Connection
from tagdb.store.statements import statement


@dataclass(frozen=True, slots=True)
class StoredBackbone:
    """The backbone that a database remembers."""

    backbone_id: int
    identity: Identity


@dataclass(frozen=True, slots=True)
class ListedBackbone:
    """A backbone, and how far it has come."""

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


def active_backbone(connection: Connection) -> StoredBackbone | None:
    """The backbone that recommending searches; None in a database without embeddings."""
    row = connection.execute(statement("active_backbone")).fetchone()
    if row is None:
        return None
    backbone_id, name, input_size, weights = cast(tuple[int, str, int, bytes], row)
    return StoredBackbone(backbone_id, Identity(name, input_size, weights))


def backbones(connection: Connection) -> list[ListedBackbone]:
    """All backbones, the oldest first."""
    with connection.cursor(row_factory=class_row(ListedBackbone)) as cursor:
        return cursor.execute(statement("list_backbones")).fetchall()


def add_backbone(connection: Connection, identity: Identity) -> StoredBackbone:
    """Register a backbone; the first one becomes active."""
    row = connection.execute(
        "SELECT tagdb_store.add_backbone(%s, %s, %s)",
        (identity.name, identity.input_size, identity.weights_sha256),
    ).fetchone()
    assert row is not None
    return StoredBackbone(cast(int, row[0]), identity)


def add_backbone_beside(
    connection: Connection, identity: Identity, wait_ms: int = 100
) -> StoredBackbone | None:
    """Register another backbone while readers go on; None if one of them is in the way for longer.

    Making its partition needs the embeddings alone for a moment. While it waits for that, readers wait,
    too, so that it must be short; who wants to be sure tries again.
    """
    found = _at_once(
        connection,
        wait_ms,
        "SELECT tagdb_store.add_backbone(%s, %s, %s)",
        (identity.name, identity.input_size, identity.weights_sha256),
    )
    return None if found is None else StoredBackbone(cast(int, found), identity)


def activate_backbone(
    connection: Connection, backbone_id: int, may_lack: Collection[int] | None, wait_ms: int = 2000
) -> int | None:
    """Make a backbone the active one, unless it has not embedded images that it should have.

    Parameters
    ----------
    may_lack : images that it need not have embedded; None for any.

    Returns
    -------
    How many it has not embedded that it should have: with 0 it is active. None if batches that are being
    stored were in the way for longer than ``wait_ms``.
    """
    lacking = None if may_lack is None else list(may_lack)
    query: LiteralString = "SELECT tagdb_store.activate_backbone(%s, %s::bigint[])"
    return cast(int | None, _at_once(connection, wait_ms, query, (backbone_id, lacking)))


def drop_backbone(connection: Connection, backbone_id: int, wait_ms: int = 100) -> bool:
    """Drop a backbone that is not active and all it has made; False while somebody uses it.

    While it waits, readers wait, too, so that it must be short; who wants to be sure tries again.
    """
    return bool(_at_once(connection, wait_ms, "SELECT tagdb_store.drop_backbone(%s)", (backbone_id,)))


def _at_once(
    connection: Connection, wait_ms: int, query: LiteralString, values: Sequence[object]
) -> object | None:
    """What a function returns, in a transaction of its own; None if it has to wait for longer than that."""
    try:
        with connection.transaction():
            connection.execute("SELECT set_config('lock_timeout', %s, true)", (f"{wait_ms}ms",))
            row = connection.execute(query, values).fetchone()
    except psycopg.errors.LockNotAvailable:
        return None
    assert row is not None
    return cast(object, row[0])


@contextmanager
def filling(connection: Connection, backbone_id: int, wait_ms: int = 10_000) -> Iterator[bool]:
    """Keep others from filling and dropping a backbone; gives whether nobody does so any more.

    A process that was killed is waited for: PostgreSQL takes a moment to see that it has gone.
    """
    with suppress(psycopg.errors.InvalidParameterValue):  # the server's system cannot do that
        connection.execute("SET client_connection_check_interval = '2s'")
    lock = "SELECT pg_advisory_lock(hashtext('tagdb backbone'), %s)"
    got = _at_once(connection, wait_ms, lock, (backbone_id,)) is not None
    try:
        yield got
    finally:
        if not connection.broken:
            connection.execute("RESET client_connection_check_interval")
            if got:
                unlock = "SELECT pg_advisory_unlock(hashtext('tagdb backbone'), %s)"
                connection.execute(unlock, (backbone_id,))


def hold_backbone(connection: Connection, backbone_id: int) -> None:
    """Let no other backbone become active until the caller's transaction ends.

    Raises
    ------
    BackboneMismatch
        Another one is.
    """
    connection.execute("SELECT tagdb_store.searched_projection(%s)", (backbone_id,))
    active = active_backbone(connection)  # asked only now: it stays that
    if active is None or active.backbone_id != backbone_id:
        raise BackboneMismatch(
            f"the backbone of this database was changed to {active and active.identity} meanwhile; what was "
            "stored stays, and the same command without --backbone and --input-size goes on from there"
        )


def images_without(connection: Connection, backbone_id: int, after: int, images: int) -> list[Unembedded]:
    """The next images in the order of their ids that a backbone has not embedded."""
    asked = {"backbone_id": backbone_id, "after": after, "images": images}
    with connection.cursor(row_factory=class_row(Unembedded), binary=True) as cursor:
        return cursor.execute(statement("images_without"), asked).fetchall()


def originals(connection: Connection, image_ids: Sequence[int]) -> dict[int, bytes]:
    """Stored contents of images."""
    query = (
        "SELECT f.image_id, f.original FROM tagdb_store.image_files f"
        " WHERE f.image_id = ANY (%s) AND f.original IS NOT NULL"
    )
    return dict(connection.execute(query, (list(image_ids),), binary=True).fetchall())


def vector_schema(connection: Connection) -> str:
    """The schema that the pgvector extension is in."""
    row = connection.execute(
        "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
        " WHERE e.extname = 'vector'"
    ).fetchone()
    assert row is not None
    return cast(str, row[0])
