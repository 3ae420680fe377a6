"""Convert trained weights to the bundled backbone's LiteRT file, or to the one in 8 bits that tests use.

    python tools/export_backbone.py tools/bundled_weights.npz tagdb/embedding/bundled/backbone.tflite
    python tools/export_backbone.py tools/bundled_weights.npz tests/support/in-8-bits.tflite 96 8

The weights are the arrays of ``keras.Model.get_weights()`` in order, as ``train_backbone.py``
writes them. The network is Keras's own MobileNetV2 with ``alpha=0.35``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from tagdb.embedding.keras_export import convert, pictures

ALPHA = 0.35
SIZE = 160
"""Trained at 96 and 128 px; at 160 px it recommends even better and is fast enough (see the model card)."""


def load(weights: Path, size: int = SIZE) -> Any:
    """Return Keras's network with the trained weights: float32 (n, size, size, 3) in 0…255 to (n, 1280)."""
    import keras

    network = keras.applications.MobileNetV2(
        input_shape=(size, size, 3), alpha=ALPHA, include_top=False, pooling="avg", weights=None
    )
    with np.load(weights) as arrays:
        network.set_weights([arrays[name] for name in sorted(arrays.files)])
    pixels = keras.Input((size, size, 3), batch_size=1)
    return keras.Model(pixels, network(keras.layers.Rescaling(1 / 127.5, offset=-1.0)(pixels)))


if __name__ == "__main__":
    size, bits = (int(sys.argv[3]), int(sys.argv[4])) if sys.argv[3:] else (SIZE, 32)
    content = convert(load(Path(sys.argv[1]), size), pictures(size) if bits == 8 else None)
    target = Path(sys.argv[2])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    print(f"{target}: {len(content) / 1e6:.2f} MB")
