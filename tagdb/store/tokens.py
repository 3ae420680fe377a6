"""Tokens: who may ask ``tagdb serve``, and as which role."""

from dataclasses import dataclass
from datetime import date, datetime

from tagdb.postgres.database import Connection, is_standby
from tagdb.store.statements import execute, fetch_all, fetch_optional, fetch_value


@dataclass(frozen=True, slots=True)
class Token:
    """A token, without the secret, which is stored nowhere."""

    name: str
    role: str
    """``reader``, ``analyst`` or ``writer``."""
    created_at: datetime
    created_by: str
    last_used_on: date | None


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose token it is."""

    name: str
    role: str
    noted: bool | None
    """Whether it is noted that the token is used today."""


def add(connection: Connection, name: str, role: str, token_sha256: bytes) -> bool:
    """Store the hash of a token; return whether the name was free."""
    row = execute(connection, "tokens/add", name=name, role=role, token_sha256=token_sha256).fetchone()
    return row is not None


def list_all(connection: Connection) -> list[Token]:
    """Return all tokens, by name."""
    return fetch_all(connection, Token, "tokens/list")


def revoke(connection: Connection, name: str) -> bool:
    """Remove a token; return whether it was there."""
    return execute(connection, "tokens/revoke", name=name).fetchone() is not None


def find(connection: Connection, token_sha256: bytes) -> Holder | None:
    """Return whose token has a hash, and note that it is used today, unless the server is a standby."""
    holder = fetch_optional(connection, Holder, "tokens/find", token_sha256=token_sha256)
    if holder and not holder.noted and not is_standby(connection):
        execute(connection, "tokens/used", token_sha256=token_sha256)
    return holder


def exist(connection: Connection) -> bool:
    """Return whether there is a token."""
    return bool(fetch_value(connection, "tokens/any"))
