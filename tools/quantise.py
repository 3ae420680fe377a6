"""Make a quantised backbone from MobileNetV2's weights: a LiteRT file that computes in 8 bits.

    python tools/quantise.py WEIGHTS PHOTOS TARGET.tflite [--input-size 192]

WEIGHTS is Keras's file, or ``imagenet``. PHOTOS is a folder with a few hundred photos like those that will be
tagged, to find the range of numbers in each layer. Pixels go in and features come out as float32, so the file
is a backbone like any other: ``tagdb ingest … --backbone TARGET.tflite``. ``benchmarks/sizes.py PHOTOS --also
TARGET.tflite`` measures what it costs in quality and saves in time.
"""

import argparse
import os
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tagdb.embedding import keras_export
from tagdb.errors import RejectedInput
from tagdb.photos import images
from tagdb.photos.kinds import PHOTO_SUFFIXES

SHOWN = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights")
    parser.add_argument("photos", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--input-size", type=int, default=192, choices=(96, 128, 160, 192, 224))
    given = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    import tensorflow as tf

    paths = sorted(path for path in given.photos.rglob("*") if path.suffix.lower() in PHOTO_SUFFIXES)
    if not paths:
        raise SystemExit(f"there are no photos in {given.photos}")
    random.Random(0).shuffle(paths)

    def shown() -> Iterator[list[np.ndarray]]:
        for path in paths[:SHOWN]:
            try:
                yield [images.decode(path.read_bytes(), given.input_size).pixels[None].astype(np.float32)]
            except RejectedInput:
                continue

    model = keras_export.build(given.weights, given.input_size)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = shown
    given.target.write_bytes(converter.convert())
    print(f"{given.target}: {given.target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
