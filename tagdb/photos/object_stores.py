"""Buckets of Amazon S3, Google Cloud Storage, Azure Blob Storage, and what is compatible with them.

Credentials come from where each platform keeps them. They are never stored, and no message repeats the text
of an error of the client, which may have signed links in it.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from threading import Lock
from typing import IO, Any

from tagdb.errors import RejectedInput, SourceError, UnreadableInput
from tagdb.photos import aws_profiles
from tagdb.photos.images import MAX_BYTES
from tagdb.photos.uris import STORES

IN_A_ROW = 40
"""Objects that could not be transferred, one after the other, after which nothing more is tried."""
_ATTEMPTS = 3
"""Transfers of an object; each begins with requests that are repeated by the client."""
_PAGE = 1000
_DONE = {"read": "read", "write": "written"}
_CHUNK = 1 << 20
_RETRIES: Any = {
    "max_retries": 8,
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
    "retry_timeout": timedelta(seconds=60),
}
_PATIENCE = {"connect_timeout": "10s", "read_timeout": "30s", "timeout": "300s"}
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_STATUS = re.compile(r"status code: (\d{3})")


@dataclass(frozen=True, slots=True)
class Object:
    """What a listing says about an object."""

    key: str
    size: int
    etag: str | None
    """What changes with the content; None if the store does not promise that."""


class Missing(RejectedInput):
    """There is no such object."""


class Bucket:
    """A bucket. Threads may share it."""

    def __init__(self, scheme: str, name: str) -> None:
        """Open a bucket, without asking for it yet.

        Raises
        ------
        SourceError
            obstore is not installed, or the settings of the platform cannot be used.
        """
        self.uri = f"{scheme}://{name}"
        self._failed, self._lock = 0, Lock()
        try:
            import obstore
        except ImportError:
            raise SourceError(
                f"{STORES[scheme]} is read by obstore; install it with: pip install 'tagdb[cloud]'"
            ) from None
        self._obstore: Any = obstore
        try:
            self._store = _opened(scheme, name)
        except obstore.exceptions.BaseError as error:
            raise SourceError(f"{self.uri} cannot be used: {_said(error)}") from None

    def uri_of(self, key: str) -> str:
        """Return the URI of an object."""
        return f"{self.uri}/{key}"

    def objects(self, folder: str) -> Iterator[Object]:
        """Yield the objects below a folder (a key without its last slash), page by page.

        Raises
        ------
        RejectedInput
            The bucket does not exist or may not be listed.
        """
        try:
            for page in self._obstore.list(self._store, prefix=folder or None, chunk_size=_PAGE):
                yield from map(_object, page)
        except (self._obstore.exceptions.BaseError, OSError) as error:
            raise self._explained(error, folder) from None

    def head(self, key: str) -> Object | None:
        """Return what there is to say of an object; None if there is none."""
        try:
            return _object(self._obstore.head(self._store, key))
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise self._explained(error, key) from None
            return None
        except (self._obstore.exceptions.BaseError, OSError, ValueError) as error:
            raise self._explained(error, key) from None

    def copy(self, key: str, into: IO[bytes], listed: Object | None = None, limit: int = MAX_BYTES) -> None:
        """Transfer an object into a file.

        Raises
        ------
        RejectedInput
            It cannot be read, is too large, or is not the one that was listed.
        SourceError
            Neither could many before it.
        """
        for attempt in range(_ATTEMPTS):
            into.seek(0)
            into.truncate()
            try:
                self._transferred(key, into, listed, limit)
            except (self._obstore.exceptions.BaseError, OSError, ValueError) as error:
                explained = self._explained(error, key)
                if isinstance(explained, Missing) or attempt == _ATTEMPTS - 1 or _refused(error):
                    self._note(failed=not isinstance(explained, Missing))
                    raise explained from None
            else:
                self._note(failed=False)
                return

    def put(self, key: str, content: bytes | IO[bytes]) -> None:
        """Write an object, which appears when all of it is there.

        Raises
        ------
        RejectedInput
            It cannot be written.
        """
        try:
            self._obstore.put(self._store, key, content)
        except (self._obstore.exceptions.BaseError, OSError, ValueError) as error:
            raise self._explained(error, key, "write") from None

    def _transferred(self, key: str, into: IO[bytes], listed: Object | None, limit: int) -> None:
        result = self._obstore.get(self._store, key)
        now = _object(result.meta)
        if listed is not None and (now.size, now.etag) != (listed.size, listed.etag):
            raise UnreadableInput("it changed after it was listed; run the same command again")
        if now.size > limit:
            raise RejectedInput(f"larger than {limit >> 20} MB", "too_large")
        size = 0
        for chunk in result.stream(min_chunk_size=_CHUNK):
            size += into.write(chunk)
        if size != now.size:
            raise OSError("the transfer ended early")

    def _note(self, failed: bool) -> None:
        with self._lock:
            self._failed = self._failed + 1 if failed else 0
            if self._failed >= IN_A_ROW:
                raise SourceError(
                    f"{self._failed} objects of {self.uri} in a row could not be read; "
                    "what was stored stays; run the same command again when it answers"
                )

    def _explained(self, error: Exception, key: str, what: str = "read") -> RejectedInput:
        """Return what an error of the client means, without its text."""
        text, kind = _text(error), type(error).__name__
        if "NoSuchBucket" in text or "ContainerNotFound" in text:
            return UnreadableInput(f"there is no bucket {self.uri}", "missing")
        if isinstance(error, FileNotFoundError):
            return Missing("no such object", "missing")
        if kind in ("PermissionDeniedError", "UnauthenticatedError") or _status(error) in ("401", "403"):
            place = self.uri + _coded(text)
            return UnreadableInput(f"no permission to {what} {place}; check your credentials")
        if "PermanentRedirect" in text or "AuthorizationHeaderMalformed" in text:
            return UnreadableInput(f"{self.uri} is in another region; name it by AWS_REGION")
        if kind == "InvalidPathError":
            return UnreadableInput(
                f"a key that cannot be {_DONE[what]}, with an empty part or a part of dots", "invalid_record"
            )
        return UnreadableInput(f"{self.uri} cannot be {_DONE[what]}: {_said(error)}")


@lru_cache(maxsize=256)
def bucket(scheme: str, name: str) -> Bucket:
    """Return a bucket; always the same one, which keeps its connections."""
    return Bucket(scheme, name)


def _opened(scheme: str, name: str) -> Any:
    from obstore import store

    patience: Any = dict(_PATIENCE)
    if scheme == "s3":
        settings = aws_profiles.settings(os.environ)
        options: Any = settings.options
        if str(options.get("endpoint", "")).startswith("http:"):
            patience["allow_http"] = True  # who names such an endpoint wants it
        return store.S3Store(
            name, client_options=patience, retry_config=_RETRIES,
            credential_provider=settings.provider, **options,
        )  # fmt: skip
    if scheme == "gs":
        return store.GCSStore(name, client_options=patience, retry_config=_RETRIES)
    if os.environ.get("AZURE_STORAGE_USE_EMULATOR", "").lower() in ("true", "1"):
        patience["allow_http"] = True
    return store.AzureStore(name, client_options=patience, retry_config=_RETRIES)


def _object(meta: Any) -> Object:
    etag = meta["e_tag"]
    return Object(meta["path"], meta["size"], etag if etag and not etag.startswith("W/") else None)


def _status(error: Exception) -> str:
    found = _STATUS.search(_text(error))
    return found[1] if found else ""


def _refused(error: Exception) -> bool:
    """Whether the store has answered, and will answer the same again."""
    return _status(error).startswith("4") and _status(error) not in ("408", "429")


def _coded(text: str) -> str:
    found = _CODE.search(text)
    return f" ({found[1]})" if found else ""


def _text(error: Exception) -> str:
    """Return an error's text, without the description of the whole client that follows."""
    return str(error).partition("Debug source")[0]


def _said(error: Exception) -> str:
    text = _text(error).lower()
    if status := _status(error):
        return f"it answered with status {status}{_coded(_text(error))}"
    if any(place in text for place in ("credential", "api/token", "169.254.", "metadata.google")):
        return "there are no credentials"
    if "timed out" in text:
        return "it did not answer in time"
    return "it cannot be reached, or the connection broke"
