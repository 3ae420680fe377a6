"""Start a service and run it until it is told to end."""

import signal
import socket
from collections.abc import Callable
from dataclasses import replace

import uvicorn

from tagdb import store
from tagdb.config import Settings
from tagdb.errors import ConfigError, ServerError
from tagdb.postgres.database import Notify, open_database
from tagdb.serve.access import Access
from tagdb.serve.app import build
from tagdb.serve.options import IN_PROGRESS, Options
from tagdb.serve.service import Service

GRACE = 30
"""Seconds that requests which have begun get to be answered after SIGTERM."""


def run(settings: Settings, options: Options, notify: Notify) -> None:
    """Serve until SIGTERM or Ctrl-C; what has begun is finished.

    Raises
    ------
    ConfigError
        Others than this machine could ask, and there is no token yet.
    ServerError
        The address is taken or cannot be listened on.
    DatabaseError
        The database cannot be reached.
    """
    if not options.trusting:
        _require_token(settings, options, notify)
    with listen(options) as listening:  # before the backbone is loaded, which takes a while
        options = replace(options, port=listening.getsockname()[1])
        server = Server(Service(settings, options, notify))
        server.noted = lambda: notify(f"tagdb is at {options.url}; stop it with Ctrl-C")
        # uvicorn repeats the signal that ended it, for whoever handled it before: for nobody, so that this
        # returns
        for ending in (signal.SIGTERM, signal.SIGINT):
            signal.signal(ending, lambda number, frame: None)
        server.run([listening])


class Server(uvicorn.Server):
    """A service's server; says when it is ready."""

    noted: Callable[[], None]

    def __init__(self, service: Service) -> None:
        self.access = Access(service)
        config = uvicorn.Config(
            build(service, self.access),
            access_log=False,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE,
            timeout_keep_alive=20,
            h11_max_incomplete_event_size=64 << 10,
            limit_concurrency=4 * IN_PROGRESS,
        )
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer."""
        await super().startup(sockets)
        if self.started:
            self.noted()


def _require_token(settings: Settings, options: Options, notify: Notify) -> None:
    with open_database(settings, notify) as connection:
        if not store.tokens.exist(connection):
            raise ConfigError(
                "others than this machine could ask, and there is no token yet; make one first: "
                f"{settings.here}tagdb serve token add NAME --role reader"
            )


def listen(options: Options) -> socket.socket:
    """Return a socket that is bound, so that a taken port is one sentence.

    Raises
    ------
    ServerError
        The address is taken or not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ServerError(
            f"cannot listen on {options.host}:{options.port}: {why}; choose another with --listen HOST:PORT"
        ) from error
    return listening
