"""Export Keras's MobileNetV2 to a LiteRT file.

:mod:`tagdb.embedding.backbone` runs ``python -m tagdb.embedding.keras_export WEIGHTS SIZE TARGET`` as a
separate process. Only this module imports TensorFlow.
"""

import os
import sys
from pathlib import Path
from typing import Any


def build(weights: str, size: int) -> Any:
    """Return Keras's network from pixels in 0…255, float32 (n, s, s, 3), to features (n, 1280).

    Parameters
    ----------
    weights
        ``imagenet`` (downloaded and cached by Keras) or the path of a weights file.
    size
        Input size in pixels.
    """
    import keras

    network = keras.applications.MobileNetV2(
        input_shape=(size, size, 3), alpha=1.0, include_top=False, pooling="avg", weights=weights
    )
    pixels = keras.Input((size, size, 3), batch_size=1)
    # The preprocessing that MobileNetV2 was trained with: [0, 255] to [-1, 1].
    return keras.Model(pixels, network(keras.layers.Rescaling(1 / 127.5, offset=-1.0)(pixels)))


def convert(model: Any) -> bytes:
    """Return a Keras model as a LiteRT file, float32, with batch norms folded."""
    import tensorflow as tf

    content: bytes = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    return content


def main(weights: str, size: str, target: str) -> None:
    """Write the network with the given weights and input size to a file."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    Path(target).write_bytes(convert(build(weights, int(size))))


if __name__ == "__main__":
    main(*sys.argv[1:])
