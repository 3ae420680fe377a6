"""Tokens for ``tagdb serve``: shown once, stored as a hash, each with a role of the database."""

import hashlib
import secrets
from dataclasses import dataclass

from tagdb import store
from tagdb.errors import DatabaseError
from tagdb.hashtags import printable
from tagdb.postgres.database import Connection
from tagdb.store.tokens import Holder

ROLES = ("reader", "analyst", "writer")
"""Roles that a token can have, each with the rights of those before it, as in ``tagdb db grant``."""
PREFIX = "tagdb_"
"""Begins every token, so that tools that look for leaked secrets can know one."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made."""

    name: str
    role: str
    token: str
    """The secret, which is shown once."""


def add(connection: Connection, name: str, role: str) -> NewToken:
    """Make a token.

    Raises
    ------
    DatabaseError
        The name is taken or not valid.
    """
    if not (name.strip() and name.isprintable() and len(name) <= 100):
        raise DatabaseError("a token's name must be 1 to 100 printable characters")
    token = PREFIX + secrets.token_urlsafe(32)
    if not store.tokens.add(connection, name, role, digest(token)):
        raise DatabaseError(
            f"there is a token {name!r} already; revoke it, or choose another name: tagdb serve token list"
        )
    return NewToken(name, role, token)


def revoke(connection: Connection, name: str) -> None:
    """Revoke a token. A service notices within a second.

    Raises
    ------
    DatabaseError
        There is no such token.
    """
    if not store.tokens.revoke(connection, name):
        raise DatabaseError(f"there is no token {printable(name)!r}; see: tagdb serve token list")


def holder(connection: Connection, token: str) -> Holder | None:
    """Return whose token it is; None if nobody's."""
    return store.tokens.find(connection, digest(token))


def digest(token: str) -> bytes:
    """Return the hash under which a token is stored. It is random, so it needs no salt and no slow hash."""
    return hashlib.sha256(token.encode(errors="replace")).digest()
