"""`tagdb serve` under load, beside `tagdb recommend -` and a bare route that only decodes and embeds.

    python benchmarks/serve.py [--backbone WEIGHTS] [--photos FOLDER] [--stored 500] [--requests 100000]
        [--database-url URL]

Scenes are drawn and stored in a separate database, and factors computed; what is asked about are other
scenes, or the photos of a folder. In one run, each turn after turn:

* latency of one client, by HTTP and through the pipe of `tagdb recommend -`,
* throughput of 16 clients, by HTTP and with a bare Starlette route on the same server, whose only work is to
  decode and embed in as many worker processes,
* 1,000 requests of hostile bytes while a good client goes on,
* memory of the service with its workers while it answers as many requests as said.

Clients are threads of a process of their own. The database is dropped at the end.
"""

import argparse
import contextlib
import http.client
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import results
import startup

from tagdb import config
from tagdb.embedding.backbone import BUNDLED
from tagdb.postgres import database

CLIENTS = 16
HOSTILE = 1000
BARE = """
import asyncio, sys
import uvicorn
from pathlib import Path
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from tagdb.embedding.backbone import Backbone, Identity
from tagdb.embedding.pipeline import Pipeline

size = int(sys.argv[2])
pipeline = Pipeline(Backbone(Identity("", size, b""), Path(sys.argv[1]).read_bytes()), size)

async def embed(request):
    done = await asyncio.wrap_future(pipeline.submit(pipeline.embed, await request.body()))
    return JSONResponse(done.photo.sha256.hex())

uvicorn.run(Starlette(routes=[Route("/embed", embed, methods=["POST"])]), port=int(sys.argv[3]),
            log_level="warning", access_log=False)
"""


def free_port() -> int:
    """A port where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def started(port: int, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server that answers on a port, for the block."""
    process = subprocess.Popen([sys.executable, *command])
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None, "the server ended"
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(60)


def ask(port: int, path: str, photos: list[bytes], seconds: float) -> tuple[list[float], Counter[int]]:
    """Post photos one after another for a while: seconds of each answer, and how many had which status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    took: list[float] = []
    statuses = Counter[int]()
    until = time.perf_counter() + seconds
    order = list(photos)
    random.shuffle(order)
    while (begun := time.perf_counter()) < until:
        connection.request("POST", path, order[len(took) % len(order)])
        answer = connection.getresponse()
        answer.read()
        took.append(time.perf_counter() - begun)
        statuses[answer.status] += 1
    connection.close()
    return took, statuses


def many(
    port: int, path: str, photos: list[bytes], seconds: float, clients: int
) -> tuple[float, Counter[int]]:
    """Answers per second for several clients at once, and their statuses. Runs in a process of its own."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        done = list(pool.map(lambda _: ask(port, path, photos, seconds), range(clients)))
    statuses = sum((each[1] for each in done), Counter[int]())
    return sum(len(each[0]) for each in done) / (time.perf_counter() - begun), statuses


def until(port: int, path: str, photos: list[bytes], count: int, clients: int) -> Counter[int]:
    """Post so many requests by several clients; return their statuses."""

    def some(client: int) -> Counter[int]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        statuses = Counter[int]()
        for number in range(count // clients):
            connection.request("POST", path, photos[(client + number) % len(photos)])
            answer = connection.getresponse()
            answer.read()
            statuses[answer.status] += 1
        return statuses

    with ThreadPoolExecutor(clients) as pool:
        return sum(pool.map(some, range(clients)), Counter[int]())


def hostile(count: int, photos: list[bytes]) -> list[bytes]:
    """Bytes that are no photos, or no longer."""
    rng = random.Random(1)
    made = []
    for number in range(count):
        content = bytearray(rng.choice(photos))
        if number % 3 == 0:
            content = content[: rng.randrange(len(content))]
        elif number % 3 == 1:
            for _ in range(30):
                content[rng.randrange(len(content))] = rng.randrange(256)
        else:
            content = bytearray(rng.randbytes(rng.randrange(1, 50_000)))
        made.append(bytes(content))
    return made


def resident(root: int) -> float:
    """MiB of memory that a process and those below it have, what they share counted in part."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    family = {root}
    while more := {each for each, parent in parents.items() if parent in family} - family:
        family |= more
    total = 0
    for each in family:
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--backbone", default=BUNDLED, help="bundled, imagenet, or a weights or LiteRT file")
    parser.add_argument("--photos", type=Path, help="a folder of JPEGs to ask about; drawn ones otherwise")
    parser.add_argument("--stored", type=int, default=500, help="drawn scenes in the database")
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--requests", type=int, default=100_000, help="requests while memory is watched")
    parser.add_argument("--database-url")
    given = parser.parse_args()
    settings = config.load(database_url=given.database_url)
    server = database.ensure_url(settings, lambda note: None)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stored, asked = folder / "stored", folder / "asked"
        stored.mkdir()
        asked.mkdir()
        startup.drawn(stored, 0, given.stored)
        names = startup.drawn(asked, given.stored, 100)
        if given.photos:
            names = [str(each) for each in sorted(given.photos.rglob("*.jpg"))[:200]]
        photos = [Path(name).read_bytes() for name in names]
        url, identity = stack.enter_context(
            startup.filled(server, stored / "photos.jsonl", given.backbone, settings.backbone_cache)
        )
        os.environ["TAGDB_DATABASE_URL"] = url
        from tagdb.embedding.backbone import resolve

        network = folder / "network"
        network.write_bytes(resolve(given.backbone, None, identity, settings.backbone_cache).content)
        ours, bare = free_port(), free_port()
        service = stack.enter_context(started(ours, "-m", "tagdb", "serve", "--listen", str(ours)))
        stack.enter_context(started(bare, "-c", BARE, str(network), str(identity.input_size), str(bare)))
        clients = stack.enter_context(ProcessPoolExecutor(1))
        clients.submit(many, bare, "/embed", photos, 2, CLIENTS).result()  # both begin their workers
        clients.submit(many, ours, "/v1/recommend", photos, 2, CLIENTS).result()

        one, piped, rates, bare_rates = [], [], [], []
        statuses = Counter[int]()
        for _ in range(given.turns):
            one += clients.submit(ask, ours, "/v1/recommend", photos, given.seconds).result()[0]
            piped += startup.warm(names)
            rate, seen = clients.submit(many, ours, "/v1/recommend", photos, given.seconds, CLIENTS).result()
            rates.append(rate)
            statuses += seen
            bare_rates.append(
                clients.submit(many, bare, "/embed", photos, given.seconds, CLIENTS).result()[0]
            )
        bad = clients.submit(until, ours, "/v1/recommend", hostile(HOSTILE, photos), HOSTILE, 4)
        with ThreadPoolExecutor(1) as pool:
            good = pool.submit(until, ours, "/v1/recommend", photos, 300, 1).result()
        hostile_statuses = bad.result()
        memory = [resident(service.pid)]
        begun = time.perf_counter()
        for _ in range(10):
            answered = clients.submit(
                until, ours, "/v1/recommend", photos, given.requests // 10, CLIENTS
            ).result()
            statuses += answered
            memory.append(resident(service.pid))
        seconds = time.perf_counter() - begun
    latency, pipe = 1e3 * statistics.median(one), 1e3 * statistics.median(piped)
    throughput, alone = statistics.median(rates), statistics.median(bare_rates)
    reached = {
        "one client ≤ 1.3 times `recommend -`": latency <= 1.3 * pipe,
        "16 clients ≥ 0.85 of decoding and embedding alone": throughput >= 0.85 * alone,
        "no good one dropped": set(statuses) == {200} and set(good) == {200},
        "memory flat": max(memory[2:]) <= 1.05 * memory[1],
    }
    results.record(
        "serve" if not given.photos else "serve-photos",
        f"`tagdb serve`: one client p50 {latency:.1f} ms (p95 {1e3 * np.percentile(one, 95):.1f}), "
        f"{latency / pipe:.2f} times `tagdb recommend -` ({pipe:.1f} ms); {CLIENTS} clients "
        f"{throughput:.0f} photos/s, {throughput / alone:.2f} of a bare route that decodes and embeds "
        f"({alone:.0f}); beside {HOSTILE} hostile requests ({dict(hostile_statuses)}) "
        f"{sum(good.values())} good ones: {dict(good)}; "
        f"memory {memory[0]:.0f} MiB, after {given.requests:,} requests {memory[-1]:.0f} MiB "
        f"({given.requests / seconds:.0f}/s)",
        {"stored": given.stored, "backbone": identity.name, "input_size": identity.input_size,
         "photos": str(len(photos)), "one_ms": latency, "pipe_ms": pipe, "rates": rates, "bare": bare_rates,
         "statuses": {str(code): number for code, number in statuses.items()},
         "hostile": {str(code): number for code, number in hostile_statuses.items()},
         "good": {str(code): number for code, number in good.items()}, "memory_mib": memory},
        aim="; ".join(f"{aim}: {'reached' if yes else 'missed'}" for aim, yes in reached.items()),
        packages=("ai-edge-litert", "fastapi", "uvicorn", "pillow", "psycopg"),
    )  # fmt: skip


if __name__ == "__main__":
    main()
