"""URIs of photos that are elsewhere: which are read, and how they are shown without their secrets."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from tagdb.errors import RejectedInput
from tagdb.hashtags import printable

STORES = {"s3": "Amazon S3", "gs": "Google Cloud Storage", "az": "Azure Blob Storage"}
"""Object stores by the schemes of their URIs."""
WEB = ("https", "http")

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_LOGIN = re.compile(r"^([a-z][a-z0-9+.-]*://)[^/?#]*@", re.IGNORECASE)
# What makes a link one that opens a door: parts of the signatures of S3, CloudFront, Google Cloud Storage and
# Azure, and names that people give their keys.
_SECRET = re.compile(
    r"x-(amz|goog|ms|oss|cos)-.*|(aws|google|oss)?access(key)?id|key-pair-id|policy|.*sig(nature)?|sv"
    r"|.*token.*|.*key|auth.*|.*passw(or)?d|pwd|.*secret.*|.*credential.*|jwt|code|session.*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be fetched besides public addresses by https."""

    private: bool = False
    """Private, loopback, link-local and metadata addresses."""
    http: bool = False
    """Plain http."""


PUBLIC_ONLY = Allowed()


def scheme_of(uri: str) -> str:
    """Return a URI's scheme in lower case; empty if it has none."""
    found = _SCHEME.match(uri)
    return found[1].lower() if found else ""


def is_remote(uri: str) -> bool:
    """Whether it is a URI of something that may be read from elsewhere."""
    return "://" in uri and scheme_of(uri) in (*STORES, *WEB)


def public(uri: str) -> str:
    """Return a URI without what only its holder may know: a login, and the query if it has a signature."""
    uri = _LOGIN.sub(r"\1", uri)
    if scheme_of(uri) not in WEB:
        return uri
    address, mark, rest = uri.partition("?")
    query, _, _ = rest.partition("#")
    secret = any(_SECRET.fullmatch(name) for name, _ in parse_qsl(query, keep_blank_values=True))
    return address.partition("#")[0] + ("" if secret or not mark else f"?{query}")


def shown(uri: str) -> str:
    """Return it in printable characters, for messages."""
    return printable(public(uri), 300)


def split_object(uri: str) -> tuple[str, str, str]:
    """Return the scheme, the bucket and the key that a URI of an object store names.

    Keys are written as they are, not percent-encoded.

    Raises
    ------
    RejectedInput
        There is no bucket in it.
    """
    bucket, _, key = uri.partition("://")[2].partition("/")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,221}", bucket):
        raise RejectedInput(f"not the name of a bucket: {printable(public(bucket), 100)!r}", "invalid_record")
    return scheme_of(uri), bucket, key


def file_name(uri: str) -> str:
    """Return the last part of a URI's path.

    Raises
    ------
    RejectedInput
        It is no URI.
    """
    try:
        path = urlsplit(uri).path if scheme_of(uri) in WEB else uri
    except ValueError:
        raise RejectedInput("not a valid uri", "invalid_record") from None
    return path.rstrip("/").rpartition("/")[2]
