"""MobileNetV2 as a feature extractor: built once by Keras, then run by LiteRT.

Keras builds ``keras.applications.MobileNetV2(alpha=1.0, include_top=False, pooling="avg")`` and loads the
weights. The network is exported to a LiteRT file, which is cached and which the database carries, so that
this happens once for each database. LiteRT starts in a fraction of a second and runs many times as fast as
Keras, most of all in 8 bits. The export runs in a separate process, so that TensorFlow's memory and messages
end with it.
"""

import errno
import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagdb.errors import BackboneError, BackboneMismatch, RejectedInput
from tagdb.hashtags import printable

DIMENSIONS = 1280
SIZES = (96, 128, 160, 192, 224)
DEFAULT_SIZE = 160
IMAGENET = "imagenet"
"""MobileNetV2 with Keras's ImageNet weights, in 8 bits."""
IMAGENET_32 = "imagenet-float32"
"""The same weights in 32 bits."""
IMAGENET_SIZE = 224
"""Default size of the former, in pixels. In 8 bits it is nearly as fast as 160 px in 32 bits, and better."""
BUNDLED = "bundled"
"""A small network included in tagdb, trained by ``tools/train_backbone.py``; see its model card."""
WEIGHTS_URL = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
"""Folder from which Keras downloads the ImageNet weights."""
_SECONDS = {8: 60, 32: 15}
"""How long an export takes, by bits."""
_REPAIR = "restore a backup, or embed the images again: tagdb backbone reembed NAME|PATH"


@dataclass(frozen=True, slots=True)
class Identity:
    """Identity of a backbone. Embeddings of different backbones are never compared."""

    name: str
    input_size: int
    """Side of the square to which photos are scaled, in pixels."""
    weights_sha256: bytes
    """Of the weights; of the network itself if that computes in 8 bits, whose export depends on TensorFlow's
    release, or if it was given as a LiteRT file."""
    bits: int = 32
    """Of the numbers that it computes with: 8 or 32."""

    @property
    def kind(self) -> str:
        """The name by which this kind of backbone is asked for."""
        return IMAGENET_32 if (self.name, self.bits) == (IMAGENET, 32) else self.name

    def same(self, other: "Identity") -> bool:
        """Whether both give the same embeddings, whatever their names."""
        return (self.input_size, self.weights_sha256) == (other.input_size, other.weights_sha256)

    def __str__(self) -> str:
        weights = self.weights_sha256.hex()[:12]
        return f"{self.name} ({self.input_size} px, {self.bits} bits, weights {weights})"


@dataclass(frozen=True, slots=True)
class Carried:
    """The network that a database carries for everybody who uses it."""

    sha256: bytes
    """Of the LiteRT file."""
    read: Callable[[], bytes | None]
    """Returns the file, unless it is gone meanwhile."""


_SILENCE = threading.Lock()


@contextmanager
def _no_stderr() -> Iterator[None]:
    """Discard output of native code: LiteRT announces its delegate there, which cannot be switched off."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class Backbone:
    """A LiteRT network that turns pixels into an embedding. Can be used by several threads at once.

    Each calling thread has its own interpreter with one thread: photos are independent, and this was measured
    to be as fast as batches, with less waiting and bit-for-bit the same result. ``content`` is the content of
    the LiteRT file.
    """

    def __init__(self, identity: Identity, content: bytes) -> None:
        self.identity = identity
        self.content = content
        self._local = threading.local()

    @cached_property
    def network_sha256(self) -> bytes:
        """Hash of the LiteRT file; different exports of the same weights differ in it."""
        return hashlib.sha256(self.content).digest()

    @property
    def to_carry(self) -> bytes | None:
        """The network for a database to carry; None for the bundled one, which every installation has."""
        return None if self.identity.name == BUNDLED else self.content

    def _interpreter(self) -> Any:
        from ai_edge_litert.interpreter import Interpreter

        interpreter = getattr(self._local, "interpreter", None)
        if interpreter is None:
            with _SILENCE, _no_stderr():
                interpreter = Interpreter(model_content=self.content, num_threads=1)
                interpreter.allocate_tensors()
            self._local.input = interpreter.get_input_details()[0]["index"]
            self._local.output = interpreter.get_output_details()[0]["index"]
            self._local.interpreter = interpreter
        return interpreter

    def embed(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the embedding of a photo.

        Parameters
        ----------
        pixels : uint8 (s, s, 3)
            RGB; s is the backbone's input size.

        Returns
        -------
        float32 (1280,)
            Of length 1.

        Raises
        ------
        RejectedInput
            The network returns only zeros, or numbers that are not finite.
        """
        interpreter = self._interpreter()
        interpreter.set_tensor(self._local.input, pixels[np.newaxis].astype(np.float32))
        interpreter.invoke()
        features: NDArray[np.float32] = interpreter.get_tensor(self._local.output)[0]
        norm = float(np.linalg.norm(features))
        if not 0 < norm < float("inf"):
            raise RejectedInput("the backbone finds no features in it", "failed")
        return features / np.float32(norm)


def resolve(
    wanted: str | None,
    input_size: int | None,
    stored: Identity | None,
    cache: Path,
    notify: Callable[[str], None] = lambda text: None,
    carried: Carried | None = None,
) -> Backbone:
    """Return the backbone to use, after exporting it if this machine has not done so yet.

    Where the database carries its network, that one is used, so that everybody who shares it embeds with the
    same.

    Parameters
    ----------
    wanted
        ``imagenet``, ``imagenet-float32``, ``bundled``, the path of a Keras weights file (``.h5``) or of a
        LiteRT file, or None for the database's own (``imagenet`` for a new database).
    input_size
        Pixels, one of ``SIZES``; None for the database's own (for a new one 224 for ``imagenet``, else 160).
    stored
        The identity that the database remembers, None while it has no embeddings.
    cache
        Folder for exported files.
    carried
        The network of ``stored`` that the database carries.

    Raises
    ------
    BackboneError
        The weights cannot be loaded or do not fit.
    BackboneMismatch
        The wanted backbone is not that of the database's embeddings.
    """
    name, size = _choose(wanted, input_size, stored)
    own = _Own(stored, carried, cache) if stored is not None else None
    meant = stored is not None and (wanted is None or name == stored.kind in (IMAGENET, IMAGENET_32))
    backbone = _load(name, size, own, meant, cache, notify)
    _verify(backbone.identity, name, input_size, stored)
    return backbone


class _Own:
    """A database's own backbone, which this machine or the database may have."""

    def __init__(self, identity: Identity, carried: Carried | None, cache: Path) -> None:
        self.identity, self._carried, self._cache = identity, carried, cache

    def load(self) -> Backbone | None:
        """Return it from this machine or the database, without its weights. None if neither has it.

        Raises
        ------
        BackboneError
            What the database carries is damaged or no backbone.
        """
        size, carried = self.identity.input_size, self._carried
        made_here = _exported(self._cache, size, self.identity.weights_sha256)
        content = made_here.read_bytes() if made_here.is_file() else None
        if carried is None:
            return None if content is None else Backbone(self.identity, content)
        # It is kept by its own hash: that it is made of these weights is only what the database says.
        kept = _exported(self._cache, size, carried.sha256)
        if kept.is_file():
            return Backbone(self.identity, kept.read_bytes())
        if content is None or hashlib.sha256(content).digest() != carried.sha256:
            content = carried.read()
        if content is None:
            return None
        if hashlib.sha256(content).digest() != carried.sha256:
            raise BackboneError(f"the network of {self.identity} in the database is damaged: {_REPAIR}")
        if _looked_into(content, f"the network of {self.identity} in the database")[0] != size:
            raise BackboneError(f"the network in the database does not fit {self.identity}: {_REPAIR}")
        _keep(content, kept)
        return Backbone(self.identity, content)


def _choose(wanted: str | None, input_size: int | None, stored: Identity | None) -> tuple[str, int]:
    """The name and input size of the backbone. What is known not to fit is refused before any download."""
    name, size = wanted or (stored.kind if stored else IMAGENET), input_size
    if size is None:
        size = stored.input_size if stored else IMAGENET_SIZE if name == IMAGENET else DEFAULT_SIZE
    if stored is None:
        return name, size
    if (name, stored.kind) == (IMAGENET, IMAGENET_32):  # a database from when there was no other
        name = IMAGENET_32
    if size != stored.input_size and not _has_own_size(name):
        raise _mismatch(stored, f"{name} ({size} px)")
    if name != stored.kind and {name, stored.kind} <= {IMAGENET, IMAGENET_32, BUNDLED}:
        raise _mismatch(stored, name)
    return name, size


def _load(
    name: str, size: int, own: _Own | None, meant: bool, cache: Path, notify: Callable[[str], None]
) -> Backbone:
    """Load a backbone by name.

    ``own`` is the database's, which it must be, whatever its name; ``meant``: whether that was asked for.
    """
    if own is not None and meant and size == own.identity.input_size:
        if (backbone := own.load()) is not None:
            return backbone
        if own.identity.kind not in (IMAGENET_32, BUNDLED):
            raise BackboneError(
                f"this database's embeddings were made by {own.identity}, which neither this machine nor the "
                "database has; run tagdb ingest where it is, or give it once with --backbone PATH"
            )
    if name == BUNDLED:
        return _bundled()
    if _has_own_size(name):
        return _from_litert(Path(name), cache)
    return _from_weights(name, size, own, cache, notify)


def _verify(identity: Identity, name: str, input_size: int | None, stored: Identity | None) -> None:
    """Raise if the backbone takes photos of another size than was asked for, or is not the database's."""
    if input_size not in (None, identity.input_size):
        raise BackboneError(
            f"the backbone {name} takes {identity.input_size} px, not {input_size}; leave out --input-size"
        )
    if stored is not None and not identity.same(stored):
        raise _mismatch(stored, str(identity))


def _has_own_size(name: str) -> bool:
    """Whether it is a LiteRT file, which has an input size, and no weights for any of several."""
    return name == BUNDLED or name.endswith(".tflite")


def _mismatch(stored: Identity, wanted: str) -> BackboneMismatch:
    return BackboneMismatch(
        f"this database's embeddings were made by {stored}, not by {wanted}; "
        "leave out --backbone and --input-size to use the database's own, use another database, "
        "or change this one's: tagdb backbone reembed NAME|PATH"
    )


def _exported(cache: Path, size: int, weights_sha256: bytes) -> Path:
    """Where the network of an identity is kept."""
    return cache / f"mobilenetv2-{size}-{weights_sha256.hex()[:32]}.tflite"


def _bundled() -> Backbone:
    content = resources.files("tagdb.embedding").joinpath("bundled", "backbone.tflite").read_bytes()
    size, bits = _looked_into(content, BUNDLED)
    return Backbone(Identity(BUNDLED, size, hashlib.sha256(content).digest(), bits), content)


def _looked_into(content: bytes, name: str) -> tuple[int, int]:
    """Return the input size of a LiteRT file, which must be a backbone, and the bits it computes with."""
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_content=content, num_threads=1)
        shape = interpreter.get_input_details()[0]["shape"].tolist()
        outputs = interpreter.get_output_details()[0]["shape"].tolist()
        tensors = interpreter.get_tensor_details()
    except (ValueError, RuntimeError) as error:
        raise BackboneError(f"{name} is not a LiteRT file") from error
    if outputs != [1, DIMENSIONS] or len(shape) != 4 or shape != [1, shape[1], shape[1], 3]:
        raise BackboneError(
            f"{name} maps {shape} to {outputs}; tagdb needs [1, s, s, 3] to [1, {DIMENSIONS}]"
        )
    # Weights may be in 8 bits alone, and are symmetric then. What flows between layers is not.
    zeros = [each["quantization"][1] for each in tensors if each["dtype"] is np.int8]
    return int(shape[1]), 8 if any(zeros) else 32


def _from_litert(path: Path, cache: Path) -> Backbone:
    """Return the backbone in a LiteRT file, which is copied to the cache for later commands."""
    try:
        if path.is_fifo():  # which would be waited for
            raise OSError(errno.EINVAL, "it is a FIFO")
        content = path.read_bytes()
    except OSError as error:
        raise BackboneError(
            f"cannot read the backbone {printable(str(path), 200)}: {error.strerror}"
        ) from error
    size, bits = _looked_into(content, str(path))
    identity = Identity(path.name.removesuffix(".tflite"), size, hashlib.sha256(content).digest(), bits)
    target = _exported(cache, identity.input_size, identity.weights_sha256)
    if not target.is_file():
        _keep(content, target)
    return Backbone(identity, content)


def _keep(content: bytes, target: Path) -> None:
    """Write a file of the cache, if possible: else it is read from elsewhere again the next time."""
    with suppress(OSError):
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            file.write(content)
        Path(file.name).replace(target)


@contextmanager
def _writable(cache: Path) -> Iterator[None]:
    """Make the folder of exported backbones; an error in it is one sentence."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise BackboneError(
            f"cannot write the exported backbone into {cache}: {error.strerror}; set TAGDB_HOME to a folder "
            "that can be written"
        ) from error


def _keras_cache(size: int) -> Path:
    home = os.environ.get("KERAS_HOME") or "~/.keras"
    name = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_{size}_no_top.h5"
    return Path(home).expanduser() / "models" / name


def _from_weights(
    name: str, size: int, own: _Own | None, cache: Path, notify: Callable[[str], None]
) -> Backbone:
    if size not in SIZES:
        raise BackboneError(f"the input size must be one of {', '.join(map(str, SIZES))}, not {size}")
    keras, bits = name in (IMAGENET, IMAGENET_32), 8 if name == IMAGENET else 32
    weights = _keras_cache(size) if keras else Path(name)
    try:
        there = weights.is_file()
        content = weights.read_bytes() if there else b""
    except OSError as error:  # it belongs to another user, or its name is too long
        raise BackboneError(f"cannot read the backbone {printable(name, 200)}: {error.strerror}") from error
    if not keras and not there:
        raise BackboneError(
            f"there is no backbone {name}; give {IMAGENET}, {BUNDLED} or the path of a weights file"
        )
    short = IMAGENET if keras else weights.name.removesuffix(".h5").removesuffix(".weights")
    digest = hashlib.sha256(content).digest()
    if there and own is not None:
        identity = Identity(short, size, digest)
        if not identity.same(own.identity):  # before a quarter of a minute of work
            raise _mismatch(own.identity, str(identity))
        if (backbone := own.load()) is not None:
            return backbone
    if not there or not _export_of(cache, size, bits, digest).is_file():
        _require_tensorflow(name)
        with _writable(cache), tempfile.TemporaryDirectory(dir=cache, prefix=".export-") as folder:
            notify(f"preparing the backbone; this takes about {_SECONDS[bits]} s, once")
            made = Path(folder) / "backbone.tflite"
            _export(name, weights, size, made, bits)
            digest = hashlib.sha256(weights.read_bytes()).digest()
            _keep_export(made, cache, size, bits, digest)
    network = _export_of(cache, size, bits, digest).read_bytes()
    if bits == 8:
        digest = hashlib.sha256(network).digest()
    return Backbone(Identity(short, size, digest, bits), network)


def _export_of(cache: Path, size: int, bits: int, weights_sha256: bytes) -> Path:
    """Where the export of weights is found. In 8 bits its identity is another: that is a link to it."""
    if bits == 32:
        return _exported(cache, size, weights_sha256)
    return cache / f"mobilenetv2-{size}-int8-{weights_sha256.hex()[:32]}.tflite"


def _keep_export(made: Path, cache: Path, size: int, bits: int, weights_sha256: bytes) -> None:
    """Move a new export to where it is found, at once or not at all."""
    export = _export_of(cache, size, bits, weights_sha256)
    if bits == 8:
        kept = _exported(cache, size, hashlib.sha256(made.read_bytes()).digest())
        made.replace(kept)
        made.symlink_to(kept.name)
    made.replace(export)


def _require_tensorflow(name: str) -> None:
    """Raise an error if TensorFlow is not installed, which exporting Keras weights needs."""
    if importlib.util.find_spec("tensorflow") is None:
        raise BackboneError(
            f"the backbone {name} must be exported once by TensorFlow, which is not installed here and has "
            "no release for Python 3.14: run this once with Python 3.13 or older, give a .tflite file with "
            f"--backbone PATH, or use --backbone {BUNDLED}"
        )


def _export(name: str, weights: Path, size: int, target: Path, bits: int) -> None:
    source = str(weights) if weights.is_file() else IMAGENET
    command = [
        sys.executable,
        "-m",
        "tagdb.embedding.keras_export",
        source,
        str(size),
        str(target),
        str(bits),
    ]
    # import no modules from the current folder, which may belong to anybody
    safe = os.environ | {"PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, env=safe
    )
    if done.returncode == 0 and target.is_file():
        if not weights.is_file():
            raise BackboneError(
                f"Keras could not write the weights to {weights}; set KERAS_HOME to a writable folder"
            )
        return
    cause = RuntimeError(done.stderr.strip() or f"the export ended with {done.returncode}")
    if name in (IMAGENET, IMAGENET_32) and not weights.is_file():
        raise BackboneError(
            f"the ImageNet weights could not be downloaded from {WEIGHTS_URL}{weights.name}; "
            f"put that file at {weights}, give weights of your own with --backbone PATH, "
            f"or use --backbone {BUNDLED}"
        ) from cause
    raise BackboneError(
        f"{weights} could not be loaded as weights of MobileNetV2 (alpha 1.0, no top); --verbose shows why"
    ) from cause
