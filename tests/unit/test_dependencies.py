"""What tagdb is installed with: the versions that are locked, with hashes, and nothing from anywhere else.

All of it can be checked offline.
"""

import json
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def entries(lock: str = "requirements.lock") -> list[tuple[Requirement, list[str]]]:
    """Each requirement of a lock, with its hashes."""
    text = (ROOT / lock).read_text("utf-8")
    lines = re.sub(r"\\\n", " ", text).splitlines()
    found = []
    for line in lines:
        if line.strip() and not line.startswith("#"):
            requirement, *options = re.split(r"\s+--", line.strip())
            found.append((Requirement(requirement), options))
    return found


LOCK = entries()
SPARK = entries("requirements-spark.lock")


def locked() -> dict[str, str]:
    """What the lock has for this machine: the version of each package."""
    mine = [each for each, _ in LOCK if each.marker is None or each.marker.evaluate()]
    versions = {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in mine}
    assert len(versions) == len(mine), "a package has two versions here"
    return versions


def test_every_package_is_locked_to_a_version_with_hashes() -> None:
    assert len(LOCK) > 50
    for requirement, options in LOCK + SPARK:
        assert requirement.url is None, requirement
        assert re.fullmatch(r"==[\w.+!]+", str(requirement.specifier)), requirement
        assert options, requirement
        assert all(re.fullmatch(r"hash=sha256:[0-9a-f]{64}", option) for option in options), requirement


def test_the_lock_has_whatever_is_asked_for() -> None:
    versions = locked()
    asked = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    asked += PROJECT["build-system"]["requires"]
    for requirement in map(Requirement, asked):
        assert requirement.url is None, requirement
        if requirement.marker is None or requirement.marker.evaluate():
            version = versions.get(canonicalize_name(requirement.name))
            assert version, f"{requirement} is not locked: make lock"
            assert requirement.specifier.contains(version), f"{requirement}, locked is {version}: make lock"


def test_the_lock_of_spark_has_what_the_extra_asks_for() -> None:
    versions = {each.name: str(each.specifier).removeprefix("==") for each, _ in SPARK}
    extra = PROJECT["project"]["optional-dependencies"]["spark"]
    assert extra == PROJECT["dependency-groups"]["spark"]
    assert set(versions) == {"pyspark", "py4j"}
    assert Requirement(extra[0]).specifier.contains(versions["pyspark"]), "make lock"


def test_the_lock_has_whatever_those_need() -> None:
    """Or else pip would look for it, and take what it finds."""
    versions = locked()
    for name, version in versions.items():
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        if found.version != version:
            continue
        for requirement in map(Requirement, found.requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                needed = versions.get(canonicalize_name(requirement.name))
                assert needed, f"{name} needs {requirement}, which is not locked"
                assert requirement.specifier.contains(needed, prereleases=True), f"{name} needs {requirement}"


def test_what_is_installed_is_what_is_locked() -> None:
    if not (Path(sys.prefix) / ".installed").exists():
        pytest.skip("this environment was not made by make")
    differing = {}
    for name, version in locked().items():
        found = metadata.version(name)
        if found != version:
            differing[name] = (found, version)
    assert not differing, "make install"


def test_nothing_is_installed_from_an_address() -> None:
    for found in metadata.distributions():
        origin = json.loads(found.read_text("direct_url.json") or "{}")
        assert not origin or origin["url"].startswith("file:"), (found.name, origin)


def test_the_installation_insists_on_hashes() -> None:
    composed = (ROOT / "docker-compose.yml").read_text("utf-8")
    installs = re.findall(r"pip install .*", composed)
    assert len(installs) == 2
    assert all("--require-hashes" in each or "--no-deps --no-build-isolation" in each for each in installs)
    recipe = (ROOT / "Makefile").read_text("utf-8")
    assert "pip install --quiet --require-hashes -r requirements.lock" in recipe
    assert "--no-deps --no-build-isolation -e ." in recipe
    assert not re.search(r"git\+|https?://\S+\.(whl|zip|tar)", recipe)


def test_the_clients_of_node_are_locked_too() -> None:
    """They are for tests only."""
    packages = json.loads((ROOT / "tests/clients/node/package-lock.json").read_text("utf-8"))["packages"]
    assert len(packages) > 1
    for name, package in packages.items():
        if name:
            assert package["integrity"].startswith("sha512-"), name
            assert package.get("resolved", "https://registry.npmjs.org/").startswith(
                "https://registry.npmjs.org/"
            ), name
