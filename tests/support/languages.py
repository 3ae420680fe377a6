"""The languages that programs of the pages are in, and how each is run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.clients import NODE, execute

DRIVER = Path("/usr/share/java/postgresql.jar")
"""Where Debian's libpostgresql-jdbc-java puts it."""
GOPATH = os.environ.get("GOPATH", "/usr/share/gocode")
"""Where Debian's golang-github-jackc-pgx-v5-dev puts pgx."""
MODULES = {"GO111MODULE": "off", "GOPATH": GOPATH, "GOFLAGS": ""}


def needed(name: str) -> str:
    """Where a program is; the test skips where it is missing."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}")
    return found


def in_python(file: Path) -> list[object]:
    """How to run a program in Python."""
    return [sys.executable, file]


def in_node(file: Path) -> list[object]:
    """How to run a program in Node, which finds ``pg`` beside it if there is one."""
    modules = file.parent / "node_modules"
    if 'from "pg"' in file.read_text("utf-8") and not modules.exists():
        if not (NODE / "node_modules" / "pg").is_dir():
            pytest.skip("needs pg from npm: run make test, or npm ci in tests/clients/node")
        modules.symlink_to(NODE / "node_modules")
    return [needed("node"), file]


def in_go(file: Path) -> list[object]:
    """How to run a program in Go: built first, as ``go run`` says itself how a program ended."""
    go = needed("go")
    if "jackc/pgx" in file.read_text("utf-8"):
        folders = (Path(path) / "src/github.com/jackc/pgx/v5" for path in GOPATH.split(os.pathsep))
        if not any(folder.is_dir() for folder in folders):
            pytest.skip("needs pgx in GOPATH: apt-get install golang-github-jackc-pgx-v5-dev")
    program = file.with_suffix("")
    for command in (["vet", file], ["build", "-o", program, file]):
        done = subprocess.run(
            [go, *map(str, command)],
            capture_output=True, encoding="utf-8", env=os.environ | MODULES, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    return [program]


def in_java(file: Path) -> list[object]:
    """How to run a program in Java, which finds the JDBC driver if it takes one."""
    java = needed("java")
    if "org.postgresql" not in file.read_text("utf-8"):
        return [java, file]
    if not DRIVER.exists():
        pytest.skip("needs the JDBC driver: apt-get install libpostgresql-jdbc-java")
    return [java, "-cp", DRIVER, file]


LANGUAGES = {"python": in_python, "js": in_node, "go": in_go, "java": in_java}
"""By what the pages' blocks of code are called."""


def run(
    language: str, file: Path, *arguments: object, stdin: str = "", **environment: str
) -> tuple[int, str, str]:
    """Run a program: its exit code, and what it printed."""
    command = LANGUAGES[language](file)
    done = execute([*command, *arguments], stdin, **environment)
    return done.returncode, done.stdout, done.stderr
