"""What a machine may have and may lack: real photos and weights, TensorFlow."""

import importlib.util
import os
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
"""Real photos and weights, which development may read and which are not part of the project."""


def without_spark() -> str:
    """Why factors cannot be computed on Spark here; empty if they can."""
    if importlib.util.find_spec("pyspark") is None:
        return "needs pyspark: pip install 'tagdb[spark]'"
    home = os.environ.get("JAVA_HOME")
    if not (Path(home, "bin/java").exists() if home else shutil.which("java")):
        return "needs Java 17 or newer, for Spark"
    return ""


def has_tensorflow() -> bool:
    """Whether Keras weights can be exported here; there is no TensorFlow for Python 3.14."""
    return importlib.util.find_spec("tensorflow") is not None
