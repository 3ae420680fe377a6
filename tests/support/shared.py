"""What a machine may have and may lack: real photos and weights, TensorFlow."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
"""Real photos and weights, which development may read and which are not part of the project."""


def has_tensorflow() -> bool:
    """Whether Keras weights can be exported here; there is no TensorFlow for Python 3.14."""
    return importlib.util.find_spec("tensorflow") is not None
