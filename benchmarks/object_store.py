"""Ingesting from an object store, compared with the same photos on disk.

    python benchmarks/object_store.py [PHOTOS] [--photos 2000] [--turns 3] [--latency 0] [--backbone WEIGHTS]

PHOTOS is a folder; without it, pictures are drawn. In turns, each into a fresh database: from disk, from
moto's Amazon S3, and from a server that only sends files in the way of Amazon S3, ``--latency`` seconds after
each request. Both servers are processes of their own on loopback, and share the processor with the ingest:
their seconds of it are reported.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import numpy as np
import results
from ingest import fresh
from PIL import Image

from tagdb import config, ingest
from tagdb.embedding.backbone import BUNDLED, Backbone, resolve
from tagdb.photos import object_stores
from tagdb.photos.sources import open_source
from tagdb.postgres import database

BUCKET = "photos"
PAGE = 1000


def draw(folder: Path, count: int) -> None:
    """Draw so many pictures, of 50 KB or so."""
    rng = np.random.default_rng(0)
    for n in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (24, 32, 3), np.uint8))
        coarse.resize((640, 480), Image.Resampling.BICUBIC).save(folder / f"{n:05}.jpg", quality=92)


def static(folder: Path, latency: float) -> None:
    """Serve a folder as a bucket, for reading only. Runs in a process of its own."""
    names = sorted(each.name for each in folder.iterdir())
    sizes = {name: (folder / name).stat().st_size for name in names}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            time.sleep(latency)
            parts = urlsplit(self.path)
            name = unquote(parts.path).removeprefix(f"/{BUCKET}").strip("/")
            if not name:
                self.answer(
                    200, page(parse_qs(parts.query).get("continuation-token", ["0"])[0]).encode(), "list"
                )
            elif name in sizes:
                self.answer(200, (folder / name).read_bytes(), name)
            else:
                self.answer(404, b"", name)

        def answer(self, status: int, body: bytes, etag: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", f'"{etag}"')
            self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    def page(token: str) -> str:
        start = int(token)
        rows = "".join(
            f"<Contents><Key>{escape(name)}</Key><LastModified>2026-01-01T00:00:00Z</LastModified>"
            f"<ETag>&quot;{escape(name)}&quot;</ETag><Size>{sizes[name]}</Size></Contents>"
            for name in names[start : start + PAGE]
        )
        more = start + PAGE < len(names)
        token = f"<NextContinuationToken>{start + PAGE}</NextContinuationToken>" if more else ""
        return (
            f"<ListBucketResult><Name>{BUCKET}</Name><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{token}{rows}</ListBucketResult>"
        )

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


def moto(folder: Path) -> None:
    """Serve a folder from moto. Runs in a process of its own."""
    import logging

    import boto3  # type: ignore[import-untyped]
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").disabled = True
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    client = boto3.client(
        "s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", aws_access_key_id="key",
        aws_secret_access_key="secret",
    )  # fmt: skip
    client.create_bucket(Bucket=BUCKET)
    for path in folder.iterdir():
        client.put_object(Bucket=BUCKET, Key=path.name, Body=path.read_bytes())
    print(port, flush=True)
    while True:
        time.sleep(60)


@contextmanager
def served(way: str, folder: Path, latency: float) -> Iterator[int]:
    """Serve a folder in a process, and point tagdb to it; its number."""
    command = [sys.executable, __file__, str(folder), "--serve", way, "--latency", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        os.environ |= {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.stdout.readline().strip()}",
            "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1",
        }  # fmt: skip
        object_stores.bucket.cache_clear()
        try:
            yield server.pid
        finally:
            server.terminate()


def processor(pid: int) -> float:
    """Return the seconds of the processor that a process has used; needs Linux."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rate(url: str, backbone: Backbone, source: str, expected: int) -> tuple[float, float]:
    """Return photos per second of an ingest into a fresh database, and of the same ingest again."""
    with fresh(url) as connection:
        first = ingest.run(connection, backbone, [open_source(source)], ingest.Options(quiet=True))
        assert first.counts.new == expected, first.counts
        again = ingest.run(connection, backbone, [open_source(source)], ingest.Options(quiet=True))
        assert again.counts.known == expected, again.counts
    return expected / first.seconds, expected / again.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", metavar="PHOTOS")
    parser.add_argument("--photos", type=int, default=2000, help="how many are drawn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--backbone", default=BUNDLED, help="bundled, imagenet, or a weights or LiteRT file")
    parser.add_argument("--database-url")
    parser.add_argument("--serve", choices=["moto", "static"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve == "moto":
        moto(Path(given.folder))
    if given.serve == "static":
        static(Path(given.folder), given.latency)
    settings = config.load(database_url=given.database_url)
    url = database.ensure_url(settings, lambda note: None)
    backbone = resolve(given.backbone, None, None, settings.backbone_cache)
    figures: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        figures.setdefault(name, []).append(value)
        print(f"{name}: {value:.1f}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as made:
        folder = Path(given.folder or made)
        if not given.folder:
            draw(folder, given.photos)
        photos = sum(1 for _ in open_source(str(folder)))
        for _ in range(given.turns):
            first, again = rate(url, backbone, str(folder), photos)
            note("disk", first)
            note("disk_again", again)
            for way in ("moto", "static"):
                with served(way, folder, given.latency) as pid:
                    before = processor(pid)
                    first, again = rate(url, backbone, f"s3://{BUCKET}", photos)
                    note(way, first)
                    note(f"{way}_again", again)
                    note(f"{way}_processor_seconds", processor(pid) - before)
    found = {name: statistics.median(values) for name, values in figures.items()}
    share = {way: found[way] / found["disk"] for way in ("moto", "static")}
    results.record(
        "object-store",
        f"{found['moto']:.0f} photos/s from moto's Amazon S3, {share['moto']:.0%} of the "
        f"{found['disk']:.0f} from disk (moto took {found['moto_processor_seconds']:.0f} s of the processor "
        f"for {photos:,} photos); "
        f"{found['static']:.0f} ({share['static']:.0%}) from a plain server, "
        f"{given.latency * 1000:.0f} ms after each request; {found['moto_again']:.0f} unchanged objects/s",
        {"photos": photos, "latency_seconds": given.latency, "turns": given.turns,
         "backbone": backbone.identity.name, "measured": found, "every_turn": figures,
         "share_of_disk": share},
        aim=f"0.8 of the rate from disk: {'reached' if share['moto'] >= 0.8 else 'missed'}",
        packages=("obstore", "ai-edge-litert", "pillow", "psycopg"),
    )  # fmt: skip


if __name__ == "__main__":
    main()
