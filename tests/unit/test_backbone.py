"""The backbone, against Keras itself. TensorFlow runs in processes of its own only, as it does in tagdb."""

import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tagdb.embedding.backbone import DIMENSIONS, WEIGHTS_URL, Backbone, Carried, Identity, resolve
from tagdb.errors import BackboneError, BackboneMismatch, RejectedInput
from tests.support.backbones import drawn, real

Pixels = NDArray[np.uint8]


@pytest.fixture
def no_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a test fail that runs a process."""

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError(f"a process was run: {arguments}")

    monkeypatch.setattr(subprocess, "run", refuse)


@pytest.fixture
def fake_export(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """A function that puts a shell script in the place of the process that exports; $5 is its target."""

    def fake(script: str) -> None:
        program = tmp_path / "fake-python"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))
        monkeypatch.setattr("tagdb.embedding.backbone._require_tensorflow", lambda name: None)

    return fake


@pytest.fixture
def cache(backbone_file: Path) -> Path:
    """The cache that holds the random weights at 96 px."""
    return backbone_file.parent


@pytest.fixture
def backbone(random_weights: Path, cache: Path) -> Backbone:
    """The random weights at 96 px."""
    return resolve(str(random_weights), 96, None, cache)


def sentence(error: pytest.ExceptionInfo[Exception]) -> str:
    """An error's message, which is one line."""
    message = str(error.value)
    assert "\n" not in message
    assert "Traceback" not in message
    return message


def left(cache: Path) -> list[str]:
    """What lies in a cache."""
    return sorted(str(path.relative_to(cache)) for path in cache.rglob("*")) if cache.exists() else []


# --- Embedding ----------------------------------------------------------------------------------------


def agreement(backbone: Backbone, folder: Path, name: str) -> float:
    """The least cosine similarity between the embeddings and Keras's features of the same photos."""
    features = np.load(folder / f"{name}.npy").astype(float)
    ours = np.stack([backbone.embed(one) for one in np.load(folder / f"{name}-pixels.npy")]).astype(float)
    assert features.shape == ours.shape == (len(ours), DIMENSIONS)
    return float(np.min(np.sum(features * ours, axis=1) / np.linalg.norm(features, axis=1)))


def test_weights_of_either_format_give_keras_own_features(keras: Path) -> None:
    """What is exported is Keras's own network, its preprocessing included."""
    np.testing.assert_allclose(np.load(keras / "built.npy"), np.load(keras / "random.npy"), atol=1e-4)


def test_the_same_as_keras_with_real_weights_on_real_photos(
    keras: Path, real_weights: Path, real_cache: Path
) -> None:
    assert agreement(resolve(str(real_weights), 160, None, real_cache), keras, "real") >= 0.9999


def test_photos_are_told_apart(real_weights: Path, real_cache: Path) -> None:
    """Agreement would mean little if all embeddings were alike."""
    found = resolve(str(real_weights), 160, None, real_cache)
    embeddings = np.stack([found.embed(pixels) for pixels in real()])
    similarities = embeddings @ embeddings.T
    assert similarities[~np.eye(len(embeddings), dtype=bool)].max() < 0.95


def test_embeddings_have_unit_length(backbone: Backbone) -> None:
    for pixels in drawn(96):
        embedding = backbone.embed(pixels)
        assert embedding.shape == (DIMENSIONS,)
        assert embedding.dtype == np.float32
        assert np.linalg.norm(embedding.astype(float)) == pytest.approx(1, abs=1e-6)


def test_many_threads_give_the_same_bits(backbone: Backbone) -> None:
    pixels = list(drawn(96))
    alone = [backbone.embed(one) for one in pixels]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(backbone.embed, pixels * 4))
    for i, embedding in enumerate(together):
        np.testing.assert_array_equal(embedding, alone[i % len(pixels)])


def test_an_embedding_is_kept_when_the_next_is_made(backbone: Backbone) -> None:
    """It is no view of the network's memory."""
    one, two = drawn(96, count=2)
    first = backbone.embed(one)
    copy = first.copy()
    backbone.embed(two)
    np.testing.assert_array_equal(first, copy)


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_features_of_no_use_reject_the_photo(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    class Network:
        def set_tensor(self, index: int, pixels: Pixels) -> None: ...
        def invoke(self) -> None: ...
        def get_tensor(self, index: int) -> NDArray[np.float32]:
            return np.full((1, DIMENSIONS), value, np.float32)

    backbone.embed(drawn(96, count=1)[0])
    monkeypatch.setattr(backbone, "_interpreter", Network)
    with pytest.raises(RejectedInput, match="no features"):
        backbone.embed(drawn(96, count=1)[0])


@pytest.mark.parametrize("exported", [False, True], ids=["weights", "tflite"])
def test_a_fresh_process_prints_nothing_and_imports_no_tensorflow(
    random_weights: Path, backbone_file: Path, tmp_path: Path, exported: bool
) -> None:
    """In a fresh process, because LiteRT speaks when its first interpreter is made."""
    code = (
        "import sys, numpy as np; from pathlib import Path; from tagdb.embedding.backbone import resolve\n"
        "resolve(sys.argv[1], 96, None, Path(sys.argv[2])).embed(np.ones((96, 96, 3), np.uint8))\n"
        "loaded = {'tensorflow', 'keras', 'h5py'} & set(sys.modules)\n"
        "sys.exit(f'loaded {loaded}' if loaded else 0)"
    )
    name, cache = (backbone_file, tmp_path) if exported else (random_weights, backbone_file.parent)
    done = subprocess.run([sys.executable, "-c", code, name, cache], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_threads_print_nothing(backbone: Backbone, capfd: pytest.CaptureFixture[str]) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(backbone.embed, drawn(96)))
    assert capfd.readouterr() == ("", "")


# --- Finding the backbone -----------------------------------------------------------------------------


@pytest.mark.usefixtures("no_export")
def test_the_export_is_cached(random_weights: Path, cache: Path) -> None:
    said: list[str] = []
    started = time.process_time()
    found = resolve(str(random_weights), 96, None, cache, said.append)
    assert time.process_time() - started < 2
    assert said == []
    expected = Identity("random", 96, hashlib.sha256(random_weights.read_bytes()).digest())
    assert found.identity == expected


@pytest.mark.usefixtures("no_export")
def test_a_copy_under_another_name_is_the_same_backbone(
    random_weights: Path, cache: Path, tmp_path: Path, backbone: Backbone
) -> None:
    copy = shutil.copy(random_weights, tmp_path / "copied.h5")
    found = resolve(str(copy), 96, None, cache).identity
    assert found.name == "copied"
    assert found != backbone.identity
    assert found.same(backbone.identity)
    resolve(str(copy), 96, backbone.identity, cache)  # the database's, whatever it is called


@pytest.mark.usefixtures("no_export")
def test_the_databases_own_needs_no_weights(backbone: Backbone, cache: Path) -> None:
    found = resolve(None, None, backbone.identity, cache)
    assert found.identity == backbone.identity
    pixels = drawn(96, count=1)[0]
    np.testing.assert_array_equal(found.embed(pixels), backbone.embed(pixels))


@pytest.mark.usefixtures("no_export")
def test_the_databases_own_on_a_machine_that_has_not_got_it(backbone: Backbone, tmp_path: Path) -> None:
    with pytest.raises(BackboneError) as caught:
        resolve(None, None, backbone.identity, tmp_path)
    said = sentence(caught)
    assert str(backbone.identity) in said
    assert "--backbone PATH" in said


@pytest.mark.usefixtures("no_export")
@pytest.mark.parametrize("named", [False, True], ids=["not named", "weights named"])
def test_what_the_database_carries_is_read_once_and_wins(
    random_weights: Path, backbone: Backbone, cache: Path, tmp_path: Path, named: bool
) -> None:
    """Over an export of this machine's own, and where it has none: everybody embeds with the same bits."""
    content = backbone.content + b"\0"
    reads: list[bytes] = []

    def read() -> bytes:
        reads.append(content)
        return content

    carried = Carried(hashlib.sha256(content).digest(), read)
    wanted = str(random_weights) if named else None
    here = Path(shutil.copytree(cache, tmp_path / "here"))
    for folder, expected in ((here, 1), (here, 1), (tmp_path / "empty", 2), (tmp_path / "empty", 2)):
        found = resolve(wanted, None, backbone.identity, folder, carried=carried)
        assert (found.identity.same(backbone.identity), found.content) == (True, content)
        assert len(reads) == expected
    # what the database says of it counts for the database alone
    assert resolve(str(random_weights), 96, None, here).content == backbone.content


@pytest.mark.usefixtures("no_export")
def test_the_same_network_is_not_read_again(backbone: Backbone, cache: Path, tmp_path: Path) -> None:
    here = Path(shutil.copytree(cache, tmp_path / "here"))
    carried = Carried(backbone.network_sha256, lambda: pytest.fail("it was read"))
    assert resolve(None, None, backbone.identity, here, carried=carried).content == backbone.content


@pytest.mark.usefixtures("no_export")
def test_the_databases_imagenet_may_be_named(backbone: Backbone, tmp_path: Path) -> None:
    """As in a setting that everybody has; no weights are downloaded."""
    stored = replace(backbone.identity, name="imagenet")
    carried = Carried(backbone.network_sha256, lambda: backbone.content)
    assert resolve("imagenet", None, stored, tmp_path, carried=carried).identity == stored


def test_imagenet_weights_that_keras_has_downloaded_embed_as_keras_does(
    keras: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No network is needed. Random weights, which Keras compares with nothing, stand for the real ones."""
    unreachable(monkeypatch)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    models = tmp_path / "keras/models"
    models.mkdir(parents=True)
    name = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_128_no_top.h5"
    shutil.copy(keras / "published.h5", models / name)
    said: list[str] = []
    found = resolve("imagenet-float32", 128, None, tmp_path / "cache", said.append)
    digest = hashlib.sha256((models / name).read_bytes()).digest()
    assert found.identity == Identity("imagenet", 128, digest)
    assert len(said) == 1
    assert "once" in said[0]
    assert agreement(found, keras, "random") >= 0.9999
    assert len(left(tmp_path / "cache")) == 1

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(subprocess, "run", None)
        assert resolve("imagenet-float32", 128, None, tmp_path / "cache").identity == found.identity
        assert resolve(None, None, found.identity, tmp_path / "cache").identity == found.identity
        smaller = Identity("mine", 96, digest)  # of the same weights, and yet another backbone
        assert not smaller.same(found.identity)
        with pytest.raises(BackboneError, match="neither this machine nor the database has"):
            resolve(None, None, smaller, tmp_path / "cache")


def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no process of this test reach the network."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.tensorflow
def test_imagenet_weights_that_cannot_be_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unreachable(monkeypatch)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    (tmp_path / "keras").mkdir()
    with pytest.raises(BackboneError) as caught:
        resolve(None, None, None, tmp_path / "cache")
    said = sentence(caught)
    name = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
    assert WEIGHTS_URL + name in said
    assert str(tmp_path / "keras/models" / name) in said
    assert "--backbone PATH" in said
    assert "URL fetch failure" in str(caught.value.__cause__)
    assert left(tmp_path / "cache") == []


@pytest.mark.usefixtures("no_export")
def test_without_tensorflow_keras_weights_are_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backbone_file: Path
) -> None:
    """As on Python 3.14: Keras weights are refused in one sentence, LiteRT files work."""
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    (tmp_path / "mine.h5").write_bytes(b"weights")
    said: list[str] = []
    for name in ("imagenet", str(tmp_path / "mine.h5")):
        with pytest.raises(BackboneError) as caught:
            resolve(name, 96, None, tmp_path / "cache", said.append)
        assert sentence(caught) == (
            f"the backbone {name} must be exported once by TensorFlow, which is not installed here and has "
            "no release for Python 3.14: run this once with Python 3.13 or older, give a .tflite file with "
            "--backbone PATH, or use --backbone bundled"
        )
    assert said == left(tmp_path / "cache") == []
    for name in ("bundled", str(backbone_file)):
        resolve(name, None, None, tmp_path / "cache")


# --- What is no backbone ------------------------------------------------------------------------------


@pytest.mark.tensorflow
def test_a_file_that_is_no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the current folder's modules are not run."""
    (tmp_path / "here").mkdir()
    for module in ("keras", "tensorflow", "json", "tagdb"):
        (tmp_path / "here" / f"{module}.py").write_text(f"open({str(tmp_path / 'planted')!r}, 'w')")
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "notes.weights.h5").write_text("milk, bread")
    with pytest.raises(BackboneError) as caught:
        resolve(str(tmp_path / "notes.weights.h5"), 96, None, tmp_path / "cache")
    said = sentence(caught)
    assert "notes.weights.h5 could not be loaded as weights of MobileNetV2" in said
    assert "file signature not found" in str(caught.value.__cause__)
    assert left(tmp_path / "cache") == []
    assert not (tmp_path / "planted").exists()


@pytest.mark.parametrize("name", ["x" * 5_000, "x" * 5_000 + ".tflite"])
def test_a_name_that_is_too_long(tmp_path: Path, name: str) -> None:
    with pytest.raises(BackboneError, match=r"^cannot read the backbone x+…: File name too long$"):
        resolve(name, 96, None, tmp_path)


@pytest.mark.usefixtures("no_export")
def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for name in ("there.weights.h5", "there.tflite"):
        with pytest.raises(BackboneError) as caught:
            resolve(str(tmp_path / name), 96, None, tmp_path / "cache")
        assert name in sentence(caught)


@pytest.mark.usefixtures("no_export")
@pytest.mark.parametrize("size", [0, 100, -96, 225])
def test_a_size_that_mobilenet_has_not(random_weights: Path, tmp_path: Path, size: int) -> None:
    with pytest.raises(BackboneError) as caught:
        resolve(str(random_weights), size, None, tmp_path)
    assert sentence(caught) == f"the input size must be one of 96, 128, 160, 192, 224, not {size}"


@pytest.mark.usefixtures("no_export")
def test_another_backbone_than_the_databases(random_weights: Path, backbone: Backbone, cache: Path) -> None:
    stored = Identity("other", 96, bytes(32))
    with pytest.raises(BackboneMismatch) as caught:
        resolve(str(random_weights), None, stored, cache)
    said = sentence(caught)
    assert "other (96 px, 32 bits, weights 000000000000)" in said
    assert str(backbone.identity) in said


@pytest.mark.usefixtures("no_export")
@pytest.mark.parametrize("named", [False, True])
def test_another_size_than_the_databases(
    random_weights: Path, backbone: Backbone, cache: Path, named: bool
) -> None:
    """Refused at once: nothing is exported for it first."""
    with pytest.raises(BackboneMismatch) as caught:
        resolve(str(random_weights) if named else None, 128, backbone.identity, cache)
    said = sentence(caught)
    assert str(backbone.identity) in said
    assert "random" in said
    assert "128 px" in said


@pytest.mark.usefixtures("no_export")
def test_a_litert_file(backbone_file: Path, backbone: Backbone, tmp_path: Path) -> None:
    file = shutil.copy(backbone_file, tmp_path / "mine.tflite")
    found = resolve(str(file), None, None, tmp_path / "cache")
    assert found.identity == Identity("mine", 96, hashlib.sha256(backbone_file.read_bytes()).digest())
    pixels = drawn(96, count=1)[0]
    np.testing.assert_array_equal(found.embed(pixels), backbone.embed(pixels))
    Path(file).unlink()  # later commands find the copy
    assert resolve(None, None, found.identity, tmp_path / "cache").identity == found.identity


@pytest.mark.usefixtures("no_export")
@pytest.mark.parametrize("name", ["few", "flat", "text"])
def test_a_litert_file_that_is_no_backbone(
    keras: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    file = keras / f"{name}.tflite"
    if name == "text":
        file = tmp_path / "text.tflite"
        file.write_text("milk, bread")
    with pytest.raises(BackboneError) as caught:
        resolve(str(file), None, None, tmp_path / "cache")
    assert f"{name}.tflite" in sentence(caught)
    assert left(tmp_path / "cache") == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("no_export")
def test_the_bundled_backbone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = resolve("bundled", None, None, tmp_path)
    assert found.identity.name == "bundled"
    embeddings = [found.embed(pixels) for pixels in drawn(found.identity.input_size, 3)]
    assert [np.linalg.norm(one) for one in embeddings] == pytest.approx([1, 1, 1])
    assert resolve(None, None, found.identity, tmp_path).identity == found.identity
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("no_export")
def test_the_size_of_a_litert_file_cannot_be_chosen(backbone_file: Path, tmp_path: Path) -> None:
    for name in (str(backbone_file), "bundled"):
        with pytest.raises(BackboneError) as caught:
            resolve(name, 224, None, tmp_path)
        assert "not 224" in sentence(caught)


# --- Interruptions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["exit 1", "kill -9 $$", "exit 0"])
def test_an_export_that_dies_leaves_nothing(
    random_weights: Path, tmp_path: Path, fake_export: Callable[[str], None], how: str
) -> None:
    write = "printf half > $5" if how != "exit 0" else ":"
    fake_export(f"{write}; echo because >&2; {how}")
    with pytest.raises(BackboneError) as caught:
        resolve(str(random_weights), 96, None, tmp_path / "cache")
    assert "could not be loaded" in sentence(caught)
    assert "because" in str(caught.value.__cause__)
    assert left(tmp_path / "cache") == []


@pytest.mark.tensorflow
def test_an_interrupted_export_leaves_nothing(
    random_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(command: list[str], **options: object) -> None:
        Path(command[5]).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        resolve(str(random_weights), 96, None, tmp_path / "cache")
    assert left(tmp_path / "cache") == []


def test_what_a_killed_tagdb_left_is_not_taken_for_a_backbone(
    random_weights: Path, tmp_path: Path, backbone_file: Path, fake_export: Callable[[str], None]
) -> None:
    unfinished = tmp_path / "cache/.export-abc"
    unfinished.mkdir(parents=True)
    (unfinished / "backbone.tflite").write_bytes(b"half")
    fake_export(f"cp '{backbone_file}' $5")
    found = resolve(str(random_weights), 96, None, tmp_path / "cache")
    assert found.embed(drawn(96, count=1)[0]).shape == (DIMENSIONS,)


def test_other_weights_are_refused_before_they_are_exported(
    random_weights: Path, tmp_path: Path, fake_export: Callable[[str], None]
) -> None:
    fake_export(f"touch '{tmp_path}/exported'")
    said: list[str] = []
    with pytest.raises(BackboneMismatch, match=r"made by mine .*, not by random \(96 px"):
        resolve(str(random_weights), 96, Identity("mine", 96, bytes(32)), tmp_path / "cache", said.append)
    assert not said
    assert not (tmp_path / "exported").exists()


@pytest.mark.parametrize(("wanted", "made_by"), [("imagenet", "bundled"), ("bundled", "imagenet")])
def test_imagenet_for_bundled_is_refused_before_any_download(
    wanted: str, made_by: str, tmp_path: Path
) -> None:
    stored = Identity(made_by, 128, bytes(32))
    said: list[str] = []
    with pytest.raises(BackboneMismatch, match=f"made by {made_by}.*not by {wanted}"):
        resolve(wanted, None, stored, tmp_path, said.append)
    assert not said
