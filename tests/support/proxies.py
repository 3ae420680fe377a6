"""Proxies with TLS in front of a service, set up as ``docs/serving.md`` says."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.documents import blocks
from tests.support.postgres import free_ports

NAME = "tags.example.org"
UPSTREAM = "127.0.0.1:8000"

NGINX = """
daemon off;
{user}
worker_processes 1;
pid {folder}/pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {server}
}}
"""
CADDY = """
{{
    admin off
    auto_https off
    storage file_system {folder}/storage
}}
{site}
"""


@dataclass(frozen=True, slots=True)
class Proxied:
    """A service behind a proxy."""

    port: int
    certificate: Path

    @property
    def origin(self) -> str:
        """Where its page is."""
        return f"https://{NAME}:{self.port}"

    def client(self, token: str | None = None, host: str | None = None, **headers: str) -> httpx.Client:
        """Somebody from elsewhere who asks it, by its name or another one."""
        headers["Host"] = host or f"{NAME}:{self.port}"
        if token:
            headers["Authorization"] = f"Bearer {token}"
        trusted = ssl.create_default_context(cafile=self.certificate)
        trusted.check_hostname = False  # it is asked by its address
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}/v1", headers=headers, verify=trusted, timeout=60,
            trust_env=False,
        )  # fmt: skip


def _certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-nodes"]
    command += ["-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@contextmanager
def _running(command: list[str], folder: Path, port: int, certificate: Path) -> Iterator[Proxied]:
    environment = os.environ | {"HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
        ) as program,
    ):
        try:
            deadline = time.monotonic() + 20
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    gone = program.poll() is not None or time.monotonic() > deadline
                    assert not gone, (folder / "log").read_text()
                    time.sleep(0.05)
            yield Proxied(port, certificate)
        finally:
            program.terminate()


def _changed(text: str, pattern: str, new: str) -> str:
    changed, times = re.subn(pattern, lambda match: new, text)
    assert times == 1, f"docs/serving.md has {pattern} {times} times"
    return changed


@contextmanager
def nginx(upstream: str, folder: Path) -> Iterator[Proxied]:
    """Nginx, as in the documentation but for port, certificate and address of the service."""
    if not shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin"):
        pytest.skip("needs nginx")
    certificate, key = _certificate(folder)
    (port,) = free_ports(1)
    (server,) = blocks("serving.md", "nginx")
    server = _changed(server, "listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    server = _changed(server, r"/etc/ssl/\S+\.pem", str(certificate))
    server = _changed(server, r"/etc/ssl/\S+\.key", str(key))
    server = _changed(server, re.escape(UPSTREAM), upstream)
    user = "user root;" if os.geteuid() == 0 else ""
    file = folder / "nginx.conf"
    file.write_text(NGINX.format(folder=folder, server=server, user=user))
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or ""
    with _running([program, "-p", str(folder), "-c", str(file)], folder, port, certificate) as proxied:
        yield proxied


@contextmanager
def caddy(upstream: str, folder: Path) -> Iterator[Proxied]:
    """Caddy, likewise; it answers whatever name it is asked by, so that the service has to refuse."""
    if not shutil.which("caddy"):
        pytest.skip("needs Caddy")
    certificate, key = _certificate(folder)
    (port,) = free_ports(1)
    (site,) = blocks("serving.md", "caddy")
    tls = f"https://:{port} {{\n    bind 127.0.0.1\n    tls {certificate} {key}"
    site = _changed(site, re.escape(f"{NAME} {{"), tls)
    site = _changed(site, re.escape(UPSTREAM), upstream)
    file = folder / "Caddyfile"
    file.write_text(CADDY.format(folder=folder, site=site))
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(file)]
    with _running(command, folder, port, certificate) as proxied:
        yield proxied
