"""Export Keras's MobileNetV2 to a LiteRT file.

:mod:`tagdb.embedding.backbone` runs ``python -m tagdb.embedding.keras_export WEIGHTS SIZE TARGET BITS`` as a
separate process. Only this module imports TensorFlow.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from tagdb import scenes

CALIBRATING = 150
"""Pictures from which the range of numbers in each layer of a network in 8 bits is taken."""


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


def convert(model: Any, calibration: Iterable[NDArray[np.uint8]] | None = None) -> bytes:
    """Return a Keras model as a LiteRT file, with batch norms folded.

    Parameters
    ----------
    calibration
        Pictures, (s, s, 3) each, to compute in 8 bits: between layers, each number is one of 256 steps of the
        range that these show; weights have a range for each channel. Input and output stay float32. None:
        compute in float32.
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if calibration is not None:
        shown = [[pixels[np.newaxis].astype(np.float32)] for pixels in calibration]
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: iter(shown)
    content: bytes = converter.convert()
    return content


def pictures(size: int, count: int = CALIBRATING) -> Iterator[NDArray[np.uint8]]:
    """Yield drawn photos, uint8 (size, size, 3), always the same ones, so that all calibrate alike.

    Real photos vary more than drawn ones. So colours and contrast are changed, of every third one a part is
    enlarged, and of every third one noise is added: as near to 32 bits as calibrating with real photos.
    """
    rng = np.random.default_rng(0)
    for number in range(count):
        collection = scenes.COLLECTIONS[number % len(scenes.COLLECTIONS)]
        picture = scenes.scene(collection, number // len(scenes.COLLECTIONS)).picture
        if number % 3 == 1:
            width, height = (np.array(picture.size) * rng.uniform(0.3, 0.8)).astype(int).tolist()
            x, y = rng.integers(0, [picture.width - width, picture.height - height]).tolist()
            picture = picture.crop((x, y, x + width, y + height))
        picture = ImageEnhance.Contrast(picture).enhance(rng.uniform(0.6, 1.6))
        picture = ImageEnhance.Brightness(picture).enhance(rng.uniform(0.5, 1.5))
        picture = ImageEnhance.Color(picture).enhance(rng.uniform(0, 1.8))
        pixels = np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR))
        if number % 3 == 2:
            noise = rng.normal(0, rng.uniform(5, 40), pixels.shape)
            pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
        yield pixels


def main(weights: str, size: str, target: str, bits: str = "32") -> None:
    """Write the network with the given weights, input size and bits to a file."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    side = int(size)
    content = convert(build(weights, side), pictures(side) if bits == "8" else None)
    Path(target).write_bytes(content)


if __name__ == "__main__":
    main(*sys.argv[1:])
