"""The backbone that comes with tagdb, and the script that trained it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tagdb.embedding.backbone import BUNDLED, resolve
from tagdb.errors import BackboneError
from tests.support.backbones import drawn
from tests.support.pictures import picture

ROOT = Path(__file__).parents[2]


def test_it_needs_nothing_but_the_package(tmp_path: Path) -> None:
    backbone = resolve(BUNDLED, None, None, tmp_path / "none")
    assert backbone.identity.name == BUNDLED
    assert backbone.identity.input_size == 160
    assert backbone.embed(drawn(160, 1)[0]).shape == (1280,)
    assert not (tmp_path / "none").exists()
    assert (ROOT / "tagdb" / "embedding" / "bundled" / "backbone.tflite").stat().st_size < 2_000_000


def test_another_input_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackboneError, match="bundled takes 160 px, not 128"):
        resolve(BUNDLED, 128, None, tmp_path)


def test_it_is_keras_mobilenetv2_with_the_trained_weights(keras: Path, tmp_path: Path) -> None:
    """The shipped file and Keras's own network with the weights beside the tools agree."""
    features = np.load(keras / "bundled.npy")
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    backbone = resolve(BUNDLED, None, None, tmp_path)
    given = np.load(keras / "bundled-pixels.npy")
    cosines = [float(backbone.embed(one) @ other) for one, other in zip(given, features, strict=True)]
    assert min(cosines) >= 0.9999


def test_different_photos_get_different_embeddings(tmp_path: Path) -> None:
    backbone = resolve(BUNDLED, None, None, tmp_path)
    embeddings = np.stack([backbone.embed(one) for one in drawn(160)])
    similarities = embeddings @ embeddings.T
    assert similarities[~np.eye(len(embeddings), dtype=bool)].max() < 0.999


@pytest.mark.torch
def test_the_training_script_trains_and_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    """A few steps on a handful of drawn photos, the bundled backbone itself for a teacher."""
    pytest.importorskip("torch", reason="needs PyTorch")
    photos = tmp_path / "photos"
    photos.mkdir()
    for seed in range(6):
        picture(seed).save(photos / f"{seed}.jpg")
    teacher = ROOT / "tagdb" / "embedding" / "bundled" / "backbone.tflite"
    tools = ROOT / "tools"
    command = [sys.executable, tools / "train_backbone.py", "--photos", photos, "--teacher", teacher]
    command += ["--out", tmp_path / "out.npz", "--batch", "8", "--crops-per-photo", "4"]
    command += ["--epochs-per-round", "1", "--small-size", "32", "--size", "64", "--threads", "1"]
    first = subprocess.run([*command, "--images", "24"], check=True, capture_output=True, text=True)
    assert "6 photos to learn from, 0 kept out" in first.stdout
    second = subprocess.run([*command, "--images", "48"], check=True, capture_output=True, text=True)
    assert "going on from round 1, 24 images seen" in second.stdout
    history = json.loads((tmp_path / "out.json").read_text())["history"]
    assert [line["seen"] for line in history] == [24, 48]
    with np.load(tmp_path / "out.npz") as arrays, np.load(tools / "bundled_weights.npz") as shipped:
        assert [arrays[n].shape for n in arrays.files] == [shipped[n].shape for n in shipped.files]
        assert all(np.isfinite(arrays[n]).all() for n in arrays.files)
