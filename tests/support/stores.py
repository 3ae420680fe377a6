"""An object store on loopback: moto's Amazon S3, behind a small layer that fails as real ones do."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

BUCKET = "pictures"
KEY, SECRET = "AKIATESTTESTTESTTEST", "verysecretverysecretverysecret/verysecret"

Environ = dict[str, Any]
Respond = Callable[..., Any]


@dataclass
class Faults:
    """What goes wrong, and what was asked for."""

    answer: Callable[[str, int], str | None] = lambda path, nth: None
    """Given a path and how often it was asked for before: a status, ``drop``, ``cut``, or None."""
    delay: float = 0.0
    reads: Counter[str] = field(default_factory=Counter)
    """How often each object was asked for."""
    sent: Counter[str] = field(default_factory=Counter)
    """How often each object was sent as a whole."""
    most: int = 0
    """Most requests at a time."""
    authorizations: set[str] = field(default_factory=set)
    """How requests were signed."""
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reset(self) -> None:
        """Forget faults and requests."""
        self.answer, self.delay, self.most = lambda path, nth: None, 0.0, 0
        self.reads.clear()
        self.sent.clear()
        self.authorizations.clear()

    def around(self, application: Callable[[Environ, Respond], Iterable[bytes]]) -> Any:
        """The application with these faults."""

        def faulty(environ: Environ, respond: Respond) -> Iterable[bytes]:
            path = environ["PATH_INFO"].encode("latin-1").decode()
            if environ["REQUEST_METHOD"] != "GET":
                return application(environ, respond)
            with self._lock:
                self.authorizations.add(environ.get("HTTP_AUTHORIZATION", ""))
                nth = self.reads[path]
                self.reads[path] += 1
                self._now += 1
                self.most = max(self.most, self._now)
            try:
                time.sleep(self.delay)
                fault = self.answer(path, nth)
                if fault == "drop":
                    hang_up(environ)
                if fault not in (None, "cut"):
                    respond(str(fault), [("Content-Type", "application/xml"), ("Content-Length", "0")])
                    return [b""]
                body = b"".join(application(environ, respond))
                if fault == "cut":
                    return _cut(body, environ)
                with self._lock:
                    self.sent[path] += 1
                return [body]
            finally:
                with self._lock:
                    self._now -= 1

        return faulty


def _cut(body: bytes, environ: Environ) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    hang_up(environ)


def hang_up(environ: Environ) -> NoReturn:
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError


@dataclass
class Store:
    """A bucket to fill, and the environment in which tagdb finds it."""

    faults: Faults
    endpoint: str
    client: Any

    @property
    def environment(self) -> dict[str, str]:
        """Variables that lead there."""
        return {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": "us-east-1",
        }

    def put(self, key: str, content: bytes | str) -> None:
        """Put an object into the bucket, for all the world to read."""
        self.client.put_object(Bucket=BUCKET, Key=key, Body=content, ACL="public-read")

    def empty(self) -> None:
        """Delete all objects."""
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
            for one in page.get("Contents", []):
                self.client.delete_object(Bucket=BUCKET, Key=one["Key"])


@contextmanager
def serving(application: Any) -> Iterator[int]:
    """The port of loopback on which an application answers."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, *arguments: object) -> None:
            pass

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    server.log = lambda *arguments: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def store() -> Iterator[Store]:
    """A store with an empty bucket."""
    import boto3
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    faults = Faults()
    application = DomainDispatcherApplication(create_backend_app)
    with serving(faults.around(application)) as port:
        endpoint = f"http://127.0.0.1:{port}"
        client = boto3.client(
            "s3", endpoint_url=endpoint, aws_access_key_id=KEY, aws_secret_access_key=SECRET,
            region_name="us-east-1",
        )  # fmt: skip
        client.create_bucket(Bucket=BUCKET)
        yield Store(faults, endpoint, client)
        client.close()
