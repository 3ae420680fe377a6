"""What a service is started with."""

import ipaddress
import re
from dataclasses import dataclass

from tagdb.errors import ConfigError

PHOTO_BYTES = 64 << 20
"""Largest photo, in bytes."""
REQUEST_BYTES = 256 << 20
"""Largest body, in bytes: a form with several photos."""
BODY_SECONDS = 60.0
"""How long a client may take to send a body."""
IN_PROGRESS = 256
"""Requests that are answered at once; more are told to come back."""
WAITING = 64
"""Photos that wait for a worker; more are told to come back."""
RATE = 100.0
"""Requests per second and client, where others than this machine can ask."""


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a service."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8000
    workers: int | None = None
    """Processes that decode and embed; None: one per core."""
    names: tuple[str, ...] = ()
    """Host names by which clients know the service, if it is not asked by its address."""
    rate: float | None = None
    """Requests per second and client; None: ``RATE``, and no limit on this machine alone."""

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect."""
        return self.host == "localhost" or (is_address(self.host) and _address(self.host).is_loopback)

    @property
    def trusting(self) -> bool:
        """Whether no token is needed to read: nobody but this machine asks."""
        return self.loopback and not self.names

    @property
    def limit(self) -> float | None:
        """Requests per second and client; None for no limit."""
        return self.rate if self.rate is not None or self.trusting else RATE

    @property
    def url(self) -> str:
        """Where the page is."""
        if self.names and self.names[0] != "localhost" and not is_address(self.names[0]):
            return f"https://{self.names[0]}/"
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - compared, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"


def parse_listen(text: str) -> tuple[str, int]:
    """Return host and port of ``127.0.0.1:8000``, ``[::1]:8000``, ``:8000`` or ``8000``.

    Raises
    ------
    ConfigError
        It is none of these.
    """
    match = re.fullmatch(r"(?:(?P<host>\[[^\]]+\]|[^:\s]*):)?(?P<port>\d{1,5})", text.strip())
    port = int(match["port"]) if match else 0
    if not match or port > 65535:
        raise ConfigError(f"{text!r} is not an address such as 127.0.0.1:8000")
    return (match["host"] or "127.0.0.1").strip("[]"), port


def is_address(host: str) -> bool:
    """Whether a host is an IP address, and so cannot be made to mean another machine."""
    try:
        _address(host)
    except ValueError:
        return False
    return True


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(host.strip("[]"))
