"""Database URLs: in libpq's form, and without their passwords."""

import re

import psycopg
from psycopg import conninfo

SECRETS = ("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")
"""Secrets that a URL may contain."""


def libpq_url(url: str) -> str:
    """Return a URL in libpq's form, also from one in SQLAlchemy's form (``postgresql+psycopg://``)."""
    return re.sub(r"^(postgres(?:ql)?)\+\w+://", r"\1://", url)


def without_password(url: str) -> tuple[str, str | None]:
    """Return a connection string without secrets, and the password."""
    parts = conninfo.conninfo_to_dict(libpq_url(url))
    password = parts.pop("password", None)
    for name in SECRETS:
        parts.pop(name, None)
    return conninfo.make_conninfo("", **parts), str(password) if password is not None else None


def describe(url: str) -> str:
    """Describe where a URL points to, without its password, for messages."""
    try:
        parts = conninfo.conninfo_to_dict(libpq_url(url))
    except psycopg.Error:
        return "the given database URL"
    host = parts.get("host") or "the local socket"
    return f"database {parts.get('dbname') or parts.get('user') or 'postgres'} at {host}"


def misread(url: str) -> bool:
    """Whether libpq takes a part of the password for a host, a port or a database, and would name it."""
    parts = re.match(r"\w+(?:\+\w+)?://(?P<authority>[^/?#]*)(?P<path>[^?]*)", url)
    if parts is None:
        return False
    *credentials, hosts = parts["authority"].split("@")
    ports = re.findall(r":([^:,\]]*)(?=,|$)", hosts)
    return len(credentials) > 1 or "@" in parts["path"] or any(port.strip("0123456789") for port in ports)
