"""Running tagdb as the program that it is, killing it, and looking at what is in the database then."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tagdb.postgres.database import Connection

SOAK = int(os.environ.get("TAGDB_SOAK", "1"))
"""How many times as many trials as in the quick form."""
LIMIT = 120
"""Seconds after which a program hangs."""

Program = Callable[..., "subprocess.Popen[str]"]


def started(*arguments: object, **environment: str) -> "subprocess.Popen[str]":
    """The program, running, with these variables besides."""
    return subprocess.Popen(
        [sys.executable, "-m", "tagdb", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


def finished(process: "subprocess.Popen[str]", code: int = 0) -> str:
    """What a program says on both ways, once it has ended as it should, without a traceback."""
    try:
        out, err = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert "Traceback" not in err, err
    assert process.returncode == code, f"{process.returncode}: {out}{err}"
    return out + err


def killed(seed: int, within: float, *arguments: object, **environment: str) -> bool:
    """Start the program and kill it after up to so many seconds; whether it was still running then."""
    delay = random.Random(seed).uniform(0.1, within)
    process = started(*arguments, **environment)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    hit = process.returncode == -signal.SIGKILL
    print(f"seed {seed}: {' '.join(map(str, arguments[:2]))} killed after {delay:.2f} s: {hit}")
    return hit


def undisturbed(*arguments: object, **environment: str) -> float:
    """Run the program to its end; how many seconds that takes."""
    begun = time.monotonic()
    finished(started(*arguments, **environment))
    return time.monotonic() - begun


def contents(connection: Connection) -> list[Any]:
    """All that is stored of images, but for numbers and times that another run would give otherwise."""
    return [
        connection.execute(query).fetchall()
        for query in (
            "SELECT content_sha256, media_type, width, height, bytes, taken_at"
            " FROM tagdb.images ORDER BY content_sha256",
            "SELECT content_sha256, hashtag, source FROM tagdb.image_hashtags"
            " JOIN tagdb.images USING (image_id) ORDER BY 1, 2",
            "SELECT hashtag FROM tagdb.hashtags ORDER BY 1",
            "SELECT content_sha256, embedding::text FROM tagdb_store.embeddings JOIN tagdb.images"
            " USING (image_id) ORDER BY 1",
            "SELECT content_sha256, sha256(original), sha256(thumbnail) FROM tagdb_store.image_files"
            " JOIN tagdb.images USING (image_id) ORDER BY 1",
        )
    ]


def embedded(connection: Connection, backbone_id: int) -> dict[bytes, str]:
    """A backbone's embeddings to the last bit, by content."""
    query = (
        "SELECT i.content_sha256, e.embedding::text FROM tagdb_store.embeddings e"
        " JOIN tagdb_store.images i USING (image_id) WHERE e.backbone_id = %s"
    )
    return dict(connection.execute(query, (backbone_id,)).fetchall())


def stray(connection: Connection) -> list[Any]:
    """Tables that belong to no factor run or projection, and rows whose image is not there."""
    return connection.execute(
        "SELECT c.relname FROM pg_class c"
        " WHERE c.relnamespace = 'tagdb_store'::regnamespace AND c.relkind = 'r'"
        "   AND (c.relname ~ '^(image|hashtag)_factors_[0-9]+$'"
        "        AND NOT EXISTS (SELECT FROM tagdb_store.factor_runs r"
        "                        WHERE c.relname ~ ('_' || r.factor_run_id || '$')"
        "                          AND r.status IN ('building', 'ready', 'active', 'retired'))"
        "     OR c.relname ~ '^search_vectors_[0-9]+$'"
        "        AND NOT EXISTS (SELECT FROM tagdb_store.projections p"
        "                        WHERE c.relname = 'search_vectors_' || p.projection_id))"
        " UNION ALL"
        " SELECT 'image without embedding' FROM tagdb_store.images i WHERE NOT EXISTS ("
        "   SELECT FROM tagdb_store.embeddings e WHERE e.image_id = i.image_id)"
        " UNION ALL"
        " SELECT 'image without file' FROM tagdb_store.images i WHERE NOT EXISTS ("
        "   SELECT FROM tagdb_store.image_files f WHERE f.image_id = i.image_id)"
    ).fetchall()


def drawn(folder: Path, count: int, seed: int = 0) -> Path:
    """A manifest of so many small photos that differ, with hashtags; drawn into a folder."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["file_name,hashtags,collection"]
    for n in range(count):
        pixels = rng.integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(pixels).resize((64, 48)).save(folder / f"{n}.jpg")
        tags = " ".join(f"#tag{t}" for t in rng.integers(0, 40, 5))
        lines.append(f"{n}.jpg,{tags},collection{n % 3}")
    manifest = folder / "photos.csv"
    manifest.write_text("\n".join(lines) + "\n")
    return manifest
