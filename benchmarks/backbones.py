"""Embedding speed of the bundled backbone compared with the ImageNet one.

    python benchmarks/backbones.py [WEIGHTS]

Photos are drawn and decoded beforehand, so only the networks are timed. Both run as in an ingest: one thread
per core, one photo per call. They take turns, so that other load on the machine affects both, and the best of
several rounds counts.
"""

import argparse
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from tagdb import config, scenes
from tagdb.embedding.backbone import Backbone, resolve

TURNS = 5
PHOTOS = 64


def photos(size: int) -> list[np.ndarray]:
    """Drawn photos, uint8 (size, size, 3) each."""
    drawn = [scenes.scene(scenes.COLLECTIONS[i % 10], i).picture for i in range(PHOTOS)]
    return [np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR)) for picture in drawn]


def rate(backbone: Backbone, pixels: list[np.ndarray], pool: ThreadPoolExecutor) -> float:
    """Images per second in one round."""
    started = time.perf_counter()
    list(pool.map(backbone.embed, pixels * 4))
    return 4 * len(pixels) / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("weights", nargs="?", default="imagenet", help="imagenet, or a weights file")
    args = parser.parse_args()
    cache = config.load().backbone_cache
    contestants = {
        "imagenet": resolve(args.weights, 160, None, cache),
        "bundled": resolve("bundled", None, None, cache),
    }
    pixels = {name: photos(backbone.identity.input_size) for name, backbone in contestants.items()}
    best = dict.fromkeys(contestants, 0.0)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, backbone in contestants.items():
            rate(backbone, pixels[name], pool)  # warms up
        for _ in range(TURNS):
            for name, backbone in contestants.items():
                best[name] = max(best[name], rate(backbone, pixels[name], pool))
    sizes = {name: backbone.identity.input_size for name, backbone in contestants.items()}
    print(json.dumps({"cores": os.cpu_count(), "input_size": sizes, "images_per_second": best,
                      "ratio": best["bundled"] / best["imagenet"]}, indent=1))  # fmt: skip


if __name__ == "__main__":
    main()
