"""Networks in 8 bits: how ``imagenet`` is found, kept and named, and that it embeds alike everywhere."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tagdb.embedding import keras_export
from tagdb.embedding.backbone import Backbone, Identity, resolve
from tagdb.errors import BackboneError, BackboneMismatch
from tests.support.backbones import IN_8_BITS, drawn, keras_weights, patterns

SAME = 0.99
"""Least cosine similarity of an embedding by LiteRT's reference kernels to that by XNNPACK's."""


@pytest.fixture
def network(tmp_path: Path) -> Backbone:
    """A network of ours in 8 bits, for photos of 96 px."""
    return resolve(str(IN_8_BITS), None, None, tmp_path / "cache")


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What Keras has downloaded, for 224 px."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    file = keras_weights(tmp_path / "keras", 224)
    file.write_bytes(b"weights")
    return file


@pytest.fixture
def exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """A function that says what was exported, by a script in TensorFlow's place: each time other bits."""
    log, program = tmp_path / "exported", tmp_path / "fake-python"
    program.write_text(
        f'#!/bin/sh\necho "$4 $6" >> {log}\ncat {IN_8_BITS} {log} > "$5"\n'  # what follows is ignored
    )
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr("tagdb.embedding.backbone._require_tensorflow", lambda name: None)
    return lambda: log.read_text().splitlines() if log.exists() else []


# --- finding it -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("weights")
def test_a_new_database_gets_224_px_in_8_bits(tmp_path: Path, exported: Callable[[], list[str]]) -> None:
    """Its identity is the network's own, and later commands find it without weights."""
    said: list[str] = []
    found = resolve(None, None, None, tmp_path / "cache", said.append)
    digest = hashlib.sha256(found.content).digest()
    assert found.identity == Identity("imagenet", 224, digest, 8)
    assert str(found.identity) == f"imagenet (224 px, 8 bits, weights {digest.hex()[:12]})"
    assert said == ["preparing the backbone; this takes about 60 s, once"]
    again = resolve("imagenet", None, None, tmp_path / "cache", said.append)
    assert (again.identity, again.content) == (found.identity, found.content)
    for wanted in (None, "imagenet"):
        own = resolve(wanted, None, found.identity, tmp_path / "cache", said.append)
        assert (own.identity, own.content) == (found.identity, found.content)
    assert exported() == ["224 8"]
    assert len(said) == 1


def test_other_weights_are_exported_anew(
    weights: Path, tmp_path: Path, exported: Callable[[], list[str]]
) -> None:
    first = resolve("imagenet", None, None, tmp_path / "cache")
    weights.write_bytes(b"others")
    second = resolve("imagenet", None, None, tmp_path / "cache")
    assert exported() == ["224 8"] * 2
    assert not first.identity.same(second.identity)
    weights.write_bytes(b"weights")
    assert resolve("imagenet", None, None, tmp_path / "cache").identity == first.identity
    assert resolve(None, None, second.identity, tmp_path / "cache").content == second.content


def test_32_bits_of_the_same_weights_are_another_backbone(
    weights: Path, tmp_path: Path, exported: Callable[[], list[str]]
) -> None:
    here = keras_weights(tmp_path / "keras", 160)
    shutil.copy(weights, here)
    in_8_bits = resolve("imagenet", 160, None, tmp_path / "cache").identity
    in_32_bits = resolve("imagenet-float32", None, None, tmp_path / "cache").identity
    assert exported() == ["160 8", "160 32"]
    assert in_32_bits == Identity("imagenet", 160, hashlib.sha256(here.read_bytes()).digest(), 32)
    assert not in_8_bits.same(in_32_bits)
    with pytest.raises(BackboneMismatch, match=r"made by imagenet \(160 px, 8 bits, .* by imagenet-float32;"):
        resolve("imagenet-float32", None, in_8_bits, tmp_path / "cache")
    # a database from when there were no 8 bits goes on, however it is asked
    for wanted in (None, "imagenet", "imagenet-float32"):
        assert resolve(wanted, None, in_32_bits, tmp_path / "cache").identity == in_32_bits
    assert len(exported()) == 2
    with pytest.raises(BackboneMismatch, match=r"made by imagenet \(160 px, 32 bits"):
        resolve("imagenet", 224, in_32_bits, tmp_path / "cache")


@pytest.mark.parametrize("wanted", [None, "imagenet"])
def test_another_export_does_not_stand_in_for_it(
    weights: Path, tmp_path: Path, exported: Callable[[], list[str]], wanted: str | None
) -> None:
    """Of the same weights, but by another TensorFlow: it may differ in bits."""
    stored = Identity("imagenet", 224, bytes(32), 8)
    with pytest.raises(BackboneError, match="which neither this machine nor the database has"):
        resolve(wanted, None, stored, tmp_path / "cache")
    assert not exported()


@pytest.mark.parametrize("bits", [8, 32])
def test_an_export_that_ends_early_leaves_nothing(
    weights: Path, tmp_path: Path, exported: Callable[[], list[str]], bits: int
) -> None:
    Path(sys.executable).write_text("#!/bin/sh\nprintf half > $5\nexit 1\n")
    shutil.copy(weights, keras_weights(tmp_path / "keras", 160))
    with pytest.raises(BackboneError, match="could not be loaded"):
        resolve("imagenet" if bits == 8 else "imagenet-float32", None, None, tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_a_file_says_what_it_computes_in(network: Backbone, tmp_path: Path) -> None:
    assert network.identity.bits == 8
    assert resolve("bundled", None, None, tmp_path).identity.bits == 32


# --- calibrating it ---------------------------------------------------------------------------------


def test_all_calibrate_with_the_same_pictures() -> None:
    """They show all there is between black and white, of each colour."""
    some = list(keras_export.pictures(96, 30))
    for one, other in zip(some, keras_export.pictures(96, 30), strict=True):
        np.testing.assert_array_equal(one, other)
    assert {(one.shape, one.dtype) for one in some} == {((96, 96, 3), np.dtype(np.uint8))}
    assert (np.stack(some).min(axis=(0, 1, 2)) == 0).all()
    assert (np.stack(some).max(axis=(0, 1, 2)) == 255).all()
    assert len({one.tobytes() for one in some}) == 30


@pytest.mark.tensorflow
def test_tensorflow_exports_it(keras: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a third of the bytes, and once; how near embeddings are shows with trained weights only."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    shutil.copy(keras / "published.h5", keras_weights(tmp_path / "keras", 96))
    cache = tmp_path / "cache"
    found = resolve("imagenet", 96, None, cache)
    exact = resolve("imagenet-float32", 96, None, cache)
    assert (found.identity.bits, exact.identity.bits) == (8, 32)
    assert len(found.content) < len(exact.content) / 3
    assert resolve(str(file(found, tmp_path)), None, None, cache).identity.same(found.identity)
    monkeypatch.setattr(subprocess, "run", None)
    assert resolve("imagenet", 96, None, cache).content == found.content


def file(backbone: Backbone, folder: Path) -> Path:
    target = folder / "copy.tflite"
    target.write_bytes(backbone.content)
    return target


# --- the same everywhere ----------------------------------------------------------------------------


def features(content: bytes, pixels: NDArray[np.uint8], kernels: str) -> NDArray[np.float32]:
    """The features of photos, by the kernels of LiteRT that are named."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=content,
        num_threads=1,
        experimental_op_resolver_type=getattr(OpResolverType, kernels),
    )
    interpreter.allocate_tensors()
    one, other = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    found = []
    for each in pixels:
        interpreter.set_tensor(one, each[np.newaxis].astype(np.float32))
        interpreter.invoke()
        found.append(interpreter.get_tensor(other)[0].copy())
    return np.stack(found)


def cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(one.astype(float), axis=1) * np.linalg.norm(other.astype(float), axis=1)
    found: NDArray[np.float64] = np.sum(one.astype(float) * other, axis=1) / lengths
    return found


@pytest.mark.parametrize("kernels", ["BUILTIN_REF", "BUILTIN_WITHOUT_DEFAULT_DELEGATES"])
def test_kernels_that_compute_otherwise_embed_nearly_alike(network: Backbone, kernels: str) -> None:
    """XNNPACK's round in another way than LiteRT's own, layer after layer; photos are much further apart."""
    pixels = np.concatenate([drawn(96), patterns(96)])
    usual = features(network.content, pixels, "AUTO")
    assert cosines(usual, features(network.content, pixels, kernels)).min() >= SAME
    unlike = cosines(usual, np.roll(usual, 1, axis=0))
    assert np.median(unlike) < SAME


def test_every_machine_embeds_as_this_file_says(network: Backbone) -> None:
    """What an x86-64 computed: others of its kind to the last bit, whatever instructions they have."""
    stored = np.load(IN_8_BITS.with_suffix(".npy")).astype(np.float32)
    ours = np.stack([network.embed(one) for one in patterns(96)])
    assert cosines(ours, stored).min() >= SAME
    if platform.machine() in ("x86_64", "AMD64"):
        lengths = np.linalg.norm(stored, axis=1, keepdims=True)
        np.testing.assert_allclose(ours, stored / lengths, atol=1e-6)
