"""The package as it is published: built, installed elsewhere, and run."""

import os
import shutil
import site
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BUILT_FROM = ("tagdb", "migrations", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from a source distribution, which is built from a copy of the sources."""
    source = tmp_path_factory.mktemp("source")
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, source / name)
    target = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(target.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the wheel, beside this environment's packages."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps"]
    subprocess.run([*command, "--no-index", "--no-cache-dir", str(wheel)], check=True, env=clean())
    # A folder that a .pth adds has its own .pth files left alone: no editable install comes along.
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    others = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()}
    (packages / "others.pth").write_text("\n".join(sorted(others)) + "\n")
    return folder / "bin"


def clean() -> dict[str, str]:
    """The environment without what changes where Python looks for packages."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))}


def test_what_it_contains(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, inside in (("tagdb", "tagdb"), ("migrations", "tagdb/migrations")):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"{inside}/{path.relative_to(ROOT / folder).as_posix()}" in names
    assert any(name.startswith("tagdb/migrations/sql/") and name.endswith(".sql") for name in names)
    assert any(name.startswith("tagdb/store/sql/") and name.endswith(".sql") for name in names)
    assert {"tagdb/py.typed", "tagdb/migrations/env.py", "tagdb/embedding/bundled/backbone.tflite"} <= names
    assert wheel.stat().st_size < 5_000_000
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"tagdb"}


def test_it_migrates_an_empty_database(installed: Path, empty_database_url: str, tmp_path: Path) -> None:
    environment = clean() | {"TAGDB_HOME": str(tmp_path / "home")}

    def run(*command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = "import tagdb, tagdb.migrations; print(tagdb.__file__); print(tagdb.migrations.__file__)"
    for path in run(str(installed / "python"), "-c", where).splitlines():
        assert Path(path).is_relative_to(installed.parent)
    said = run(str(installed / "tagdb"), "init", "--database-url", empty_database_url)
    assert said.startswith("created the schema, revision ")
    assert (
        run(str(installed / "tagdb"), "factors", "list", "--json", "--database-url", empty_database_url)
        == "[]\n"
    )
