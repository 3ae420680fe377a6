"""Files that are elsewhere: in an object store, or on the web."""

import posixpath
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from tagdb.errors import RejectedInput
from tagdb.hashtags import printable
from tagdb.photos import files, object_stores
from tagdb.photos.fields import path_of
from tagdb.photos.images import MAX_BYTES
from tagdb.photos.object_stores import Bucket, Object
from tagdb.photos.uris import WEB, Allowed, file_name, is_remote, public, scheme_of, split_object

IN_MEMORY = 1 << 20
"""Larger files are kept in a temporary one, in bytes, between hashing and decoding: many are read ahead."""


class Remote(ABC):
    """A file that is elsewhere. Its content is transferred once, and kept as long as this object."""

    name: str
    size: int = IN_MEMORY
    """How much memory its content takes at most, in bytes."""
    uri: str | None
    """Where it can be read again; None if only the holder of a secret can."""
    etag: str | None = None
    """What changes with its content, if that is known without reading it."""
    byte_count: int | None = None
    """Its size, if that is known without reading it."""
    _content: IO[Any] | None = None

    def read(self) -> bytes:
        """Return its content.

        Raises
        ------
        RejectedInput
            It cannot be read, or is too large.
        """
        if self._content is None:
            content = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  (closed with this object)
            self.copy(content)
            self._content = content
        self._content.seek(0)
        return self._content.read()

    @abstractmethod
    def copy(self, into: IO[bytes], limit: int = MAX_BYTES) -> None:
        """Transfer it into a local file."""


class InStore(Remote):
    """An object of an object store."""

    def __init__(self, bucket: Bucket, key: str, listed: Object | None = None) -> None:
        self.name, self.uri = file_name(key), bucket.uri_of(key)
        if listed:
            self.etag, self.byte_count, self.size = listed.etag, listed.size, min(listed.size, IN_MEMORY)
        self._bucket, self._key, self._listed = bucket, key, listed

    def copy(self, into: IO[bytes], limit: int = MAX_BYTES) -> None:
        """Transfer it into a local file."""
        self._bucket.copy(self._key, into, self._listed, limit)


class OnWeb(Remote):
    """A file on the web."""

    def __init__(self, address: str, allowed: Allowed) -> None:
        name = unquote(file_name(public(address))).replace("\\", "/")
        self.name = name.rpartition("/")[2].lstrip(".")  # it may name a copy
        self.uri = address if address == public(address) else None
        self._address, self._allowed = address, allowed

    def copy(self, into: IO[bytes], limit: int = MAX_BYTES, seconds: float | None = None) -> None:
        """Transfer it into a local file."""
        from tagdb.photos import web  # imports all of HTTP and TLS

        web.copy(self._address, into, self._allowed, limit, seconds)


def file_of(uri: str, allowed: Allowed) -> Remote:
    """Return the file at a URI, without asking for it.

    Raises
    ------
    RejectedInput
        It is not a URI of what is read from elsewhere.
    """
    if not is_remote(uri):
        raise RejectedInput(f"a {printable(scheme_of(uri), 20)}: uri is never read", "not_allowed")
    if scheme_of(uri) in WEB:
        return OnWeb(uri, allowed)
    scheme, bucket, key = split_object(uri)
    if not key or key.endswith("/"):
        raise RejectedInput("the uri names no object", "invalid_record")
    return InStore(object_stores.bucket(scheme, bucket), key)


def read_kept(uri: str, allowed: Allowed) -> bytes:
    """Return the content of an original that was kept at its URI.

    Raises
    ------
    RejectedInput
        It cannot be read.
    """
    if scheme_of(uri) == "file":
        return files.read(Path(path_of(uri)))
    return file_of(uri, allowed).read()


@dataclass(frozen=True, slots=True)
class RemoteRoot:
    """Folder elsewhere to which file names are relative."""

    uri: str
    """With a slash at the end, and with whatever login it takes."""
    allowed: Allowed
    allow_outside: bool = False
    """Allow names that lead to other places of the same bucket or server."""

    @property
    def folder(self) -> PurePosixPath:
        """Its path, for labels."""
        return PurePosixPath(urlsplit(self.uri).path if scheme_of(self.uri) in WEB else self._split()[1])

    def file(self, name: str) -> Remote:
        """Return the file with a name, without asking for it.

        Raises
        ------
        RejectedInput
            The name leads out of the folder.
        """
        top, folder = self._split()
        path = posixpath.normpath(posixpath.join("/", folder, name.replace("\\", "/")))
        if not self.allow_outside and not path.startswith(posixpath.join("/", folder)):
            raise RejectedInput(
                f"outside the list's folder (use --allow-outside): {printable(name, 200)}", "not_allowed"
            )
        on_web = scheme_of(self.uri) in WEB
        return file_of(top + (quote(path) if on_web else path), self.allowed)

    def inside(self, uri: str) -> str | None:
        """Return the name of a file of this folder, given its URI; None for other URIs."""
        if scheme_of(uri) in WEB or not uri.startswith(self.uri):
            return None
        return uri.removeprefix(self.uri)

    def _split(self) -> tuple[str, str]:
        """Return the bucket or server, and the path of the folder in it, without slashes at the start."""
        if scheme_of(self.uri) in WEB:
            parts = urlsplit(self.uri)
            return urlunsplit((parts.scheme, parts.netloc, "", "", "")), unquote(parts.path).lstrip("/")
        scheme, bucket, key = split_object(self.uri)
        return f"{scheme}://{bucket}", key
