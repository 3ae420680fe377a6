"""Backbones for tests: one that costs nothing, and what Keras makes of real ones, which takes a minute."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tagdb.photos.images import decode
from tests.support.pictures import photo
from tests.support.shared import ROOT, SHARED

Pixels = NDArray[np.uint8]

TOOLS = ROOT / "tools"
BUNDLED = ROOT / "tagdb" / "embedding" / "bundled" / "backbone.tflite"
IN_8_BITS = ROOT / "tests" / "support" / "in-8-bits.tflite"
"""The bundled network in 8 bits, for photos of 96 px, by ``tools/export_backbone.py``. Beside it the features
that it gives of :func:`patterns`, in steps of 256."""
REAL = SHARED / "weights" / "mobilenetv2_imagenet_1.0_no_top.weights.h5"
"""MobileNetV2's ImageNet weights."""

# Everything that tests want of Keras, in one process, as TensorFlow takes 10 s to import: its own features
# of photos, what tagdb exports, and two LiteRT files that are no backbones.
KERAS = """
import sys
from pathlib import Path
import keras, numpy as np, tensorflow as tf
from tagdb.embedding import keras_export
folder, tools, weights, exported = map(Path, sys.argv[1:])
sys.path.insert(0, str(tools))
import export_backbone

def pixels(name):
    return np.load(folder / f"{name}-pixels.npy").astype(np.float32)

def features(name, network):
    scaled = keras.applications.mobilenet_v2.preprocess_input(pixels(name))
    np.save(folder / f"{name}.npy", network.predict(scaled, verbose=0, batch_size=len(scaled)))

def mobilenet(size, weights=None):
    return keras.applications.MobileNetV2(
        (size, size, 3), alpha=1.0, include_top=False, pooling="avg", weights=weights)

keras.utils.set_random_seed(1)
random = mobilenet(128)
features("random", random)
# as Keras publishes weights: in its older format, which goes with names that end in .h5 alone
random.save(folder / "published.h5")
random.save_weights(folder / "random.weights.h5")
built = keras_export.build(str(folder / "random.weights.h5"), 128)
np.save(folder / "built.npy", built.predict(pixels("random"), verbose=0, batch_size=1))
bundled = export_backbone.load(tools / "bundled_weights.npz")
np.save(folder / "bundled.npy", bundled.predict(pixels("bundled"), verbose=0, batch_size=1))
if weights.is_file():
    features("real", mobilenet(160, weights))
    exported.parent.mkdir()
    keras_export.main(str(weights), "160", exported)
for name, shape in ("few", (32, 32, 3)), ("flat", (64, 32, 1280)):
    model = keras.Sequential([keras.Input(shape, batch_size=1), keras.layers.GlobalAveragePooling2D()])
    (folder / f"{name}.tflite").write_bytes(keras_export.convert(model))
"""


def cached(cache: Path, size: int, weights: Path) -> Path:
    """Where tagdb keeps what it has exported from a weights file."""
    return cache / f"mobilenetv2-{size}-{hashlib.sha256(weights.read_bytes()).hexdigest()[:32]}.tflite"


def at_96_px() -> bytes:
    """The bundled network, for photos of 96 px: all that it holds of their size is its input's shape."""
    content = BUNDLED.read_bytes()
    shapes = (np.array([1, size, size, 3], "<i4").tobytes() for size in (160, 96))
    return content.replace(*shapes)


def drawn(size: int, count: int = 12) -> Pixels:
    """Pixels of drawn photos."""
    return np.stack([decode(photo(seed), size).pixels for seed in range(count)])


def patterns(size: int, count: int = 6) -> Pixels:
    """Pixels that no decoder has a part in: waves of colour and noise, the same ones everywhere."""
    rng = np.random.default_rng(8)
    coarse = rng.integers(0, 256, (count, size // 8, size // 8, 3))
    found = coarse.repeat(8, axis=1).repeat(8, axis=2) + rng.integers(-40, 41, (count, size, size, 3))
    return np.clip(found, 0, 255).astype(np.uint8)


def keras_weights(home: Path, size: int) -> Path:
    """Where Keras keeps the ImageNet weights that it has downloaded, in a folder that is made."""
    folder = home / "models"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_{size}_no_top.h5"


def real(size: int = 160, count: int = 20) -> Pixels:
    """Pixels of real photos."""
    files = sorted((SHARED / "data/instagram10/data").glob("*/*"))
    chosen = files[:: len(files) // count][:count]
    return np.stack([decode(file.read_bytes(), size).pixels for file in chosen])


def made_by_keras(folder: Path) -> None:
    """A folder with what ``KERAS`` makes; ``backbones`` in it is a cache of tagdb's."""
    folder.mkdir()
    for name, pixels in ("random", drawn(128)), ("bundled", drawn(160)):
        np.save(folder / f"{name}-pixels.npy", pixels)
    exported = folder / "backbones"
    if REAL.is_file():
        np.save(folder / "real-pixels.npy", real())
        exported = cached(exported, 160, REAL)
    command = [sys.executable, "-c", KERAS, folder, TOOLS, REAL, exported]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
