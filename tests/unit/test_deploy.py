"""What runs tagdb for others: the image, Compose and the units for systemd, as far as files can tell."""

from __future__ import annotations

import configparser
import fnmatch
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from tagdb.cli import cli
from tagdb.serve.running import GRACE
from tests.support.documents import DOCS
from tests.support.shared import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
UNITS = sorted((ROOT / "deploy").glob("*.service"))
SERVING = (DOCS / "serving.md").read_text("utf-8")


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, each on one line."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines if line.strip()]


def last_stage() -> list[tuple[str, str]]:
    """What is in the image; what is before only builds."""
    all_of_it = instructions()
    begins = max(index for index, (name, _) in enumerate(all_of_it) if name == "FROM")
    return all_of_it[begins:]


def value(name: str) -> str:
    """What the image's last instruction of that name says."""
    return [text for each, text in last_stage() if each == name][-1]


def exists(words: list[str]) -> None:
    """A command of tagdb with its options."""
    command: click.Command = cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        below = command.get_command(click.Context(command), words.pop(0))
        assert below is not None
        command = below
    known = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_the_image_is_built_on_a_named_release() -> None:
    bases = [text.split()[0] for name, text in instructions() if name == "FROM"]
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:\$\{PYTHON\}-slim-[a-z]+", bases[0])
    (default,) = (text for name, text in instructions() if name == "ARG")
    assert re.fullmatch(r"PYTHON=3\.1[1-4]", default)


def test_what_is_in_the_image_is_locked() -> None:
    installs = [part for name, text in instructions() if name == "RUN" for part in text.split("&&")]
    installs = [part for part in installs if re.search(r"\bpip (install|download)\b", part)]
    assert len(installs) == 3
    assert all("--require-hashes" in each or "--no-index" in each for each in installs)
    assert all("--no-cache-dir" in each for each in installs)
    whole = (ROOT / "Dockerfile").read_text("utf-8")
    assert not re.search(r"curl|wget|https?://(?!127\.0\.0\.1)", whole)
    assert not any(name == "ADD" for name, _ in instructions())


def test_debian_leaves_no_lists_and_brings_no_more_than_asked() -> None:
    (run,) = (text for name, text in instructions() if name == "RUN" and "apt" in text)
    assert run.endswith("&& rm -rf /var/lib/apt/lists/*")
    assert "--no-install-recommends" in run


def test_it_does_not_run_as_root() -> None:
    user = value("USER")
    assert user.isdecimal()  # so that Kubernetes knows it, too
    assert int(user) >= 1000
    assert any(name == "RUN" and f"useradd --uid {user} " in text for name, text in last_stage())
    names = [name for name, _ in last_stage()]
    assert names.index("USER") > max(index for index, name in enumerate(names) if name in ("RUN", "COPY"))


def test_it_starts_tagdb_itself_so_that_it_gets_the_signal() -> None:
    assert json.loads(value("ENTRYPOINT")) == ["tagdb"]
    command = json.loads(value("CMD"))
    exists(command)
    assert command[command.index("--listen") + 1] == f"0.0.0.0:{value('EXPOSE')}"


def test_its_health_is_asked_without_a_token() -> None:
    options, _, command = value("HEALTHCHECK").partition(" CMD ")
    assert re.search(r"--start-period=\d+s", options)
    program, flag, code = json.loads(command)
    assert (program, flag) == ("python", "-c")
    compile(code, "HEALTHCHECK", "exec")
    assert "/v1/healthz" in code
    assert value("EXPOSE") in code


def test_only_its_volume_is_written_to() -> None:
    home = value("VOLUME")
    environment = dict(word.split("=", 1) for word in shlex.split(value("ENV")))
    assert environment["TAGDB_HOME"] == home
    assert Path(environment["KERAS_HOME"]).is_relative_to(home)
    assert f"`{home}`" in SERVING


@pytest.mark.parametrize(
    "path", ["Dockerfile", "docker-compose.yml", *(f"deploy/{unit.name}" for unit in UNITS)]
)
def test_there_are_no_secrets(path: str) -> None:
    text = (ROOT / path).read_text("utf-8")
    text = text.replace("${TAGDB_PASSWORD:-tagdb}", "")  # on this machine only
    assert not re.search(r"tagdb_[\w-]{43}|(?i:password|secret|token) *[=:] *[\"']?\w", text)


def test_what_is_copied_is_all_that_gets_near() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    lines = [line for line in lines if line and not line.startswith("#")]
    assert lines[0] == "*"
    let_in = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = {
        word
        for name, text in instructions()
        if name == "COPY" and "--from" not in text
        for word in text.split()[:-1]
    }
    assert copied == let_in
    assert all((ROOT / name).exists() for name in let_in)
    assert any(fnmatch.fnmatch("tagdb/__pycache__", line) for line in lines)


def test_without_profiles_compose_starts_a_database_with_the_schema() -> None:
    usual = {name for name, service in SERVICES.items() if "profiles" not in service}
    assert usual == {"postgres", "migrate", "ready"}
    # "up --wait" waits for a program that ends only where another one waits for its end
    assert SERVICES["ready"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert "tagdb init" in SERVICES["migrate"]["command"][-1]
    assert "restart" not in SERVICES["migrate"]
    assert "build" not in SERVICES["migrate"]


@pytest.mark.parametrize("name", ["serve", "work"])
def test_compose_confines_what_reads_photos(name: str) -> None:
    service = SERVICES[name]
    assert service["profiles"] == [name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"][0].startswith("/tmp:")
    assert [volume.split(":")[1] for volume in service["volumes"]] == [value("VOLUME")]
    assert service["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert int(service["stop_grace_period"].removesuffix("s")) > GRACE
    words = [*service["entrypoint"], *service.get("command", [])]
    assert words[:2] == ["tagdb", name]
    exists(words[1:])


def test_compose_publishes_on_this_machine_only() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == 2
    assert all(port.startswith("127.0.0.1:${") for port in published)
    assert SERVICES["serve"]["ports"][0].endswith(f":{value('EXPOSE')}")


def test_compose_waits_for_the_page_and_not_for_the_worker() -> None:
    assert "healthcheck" not in SERVICES["serve"]  # the image's
    assert SERVICES["work"]["healthcheck"] == {"disable": True}


def test_compose_agrees() -> None:
    if not shutil.which("docker"):
        pytest.skip("needs Docker")
    command = ["docker", "compose", "--profile", "serve", "--profile", "work", "config", "--quiet"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if "unknown" in done.stderr:
        pytest.skip("needs Docker Compose")
    assert (done.returncode, done.stderr) == (0, "")


def unit(path: Path) -> configparser.SectionProxy:
    """Its section about the service; of what is given twice, the last."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=["="])
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path, "utf-8")
    return parser["Service"]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_starts_a_command_with_its_settings(path: Path) -> None:
    service = unit(path)
    program, *words = service["ExecStart"].split()
    assert program == "/opt/tagdb/bin/tagdb"
    assert words == [path.stem.removeprefix("tagdb-"), f"${path.stem.replace('-', '_').upper()}"]
    exists(words[:1])
    lines = (ROOT / "deploy/tagdb.env").read_text("utf-8").splitlines()
    settings = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert settings[words[1].removeprefix("$")] == ""
    assert settings["TAGDB_HOME"] == f"/var/lib/{service['StateDirectory']}"
    assert service["EnvironmentFile"] in SERVING
    assert service["User"] != "root"
    assert int(service["TimeoutStopSec"]) > GRACE


def test_the_units_differ_in_their_command_only() -> None:
    first, second = (dict(unit(path)) for path in UNITS)
    assert {name for name in first if first[name] != second[name]} == {"ExecStart"}


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_systemd_agrees(path: Path, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd")
    there = tmp_path / path.name
    there.write_text(path.read_text("utf-8").replace("/opt/tagdb/bin/tagdb", "/bin/true"), "utf-8")
    for command in (["verify", "--man=no"], ["security", "--offline=true", "--threshold=15"]):
        done = subprocess.run(["systemd-analyze", *command, str(there)], capture_output=True, text=True)
        if "unrecognized option" in done.stderr:
            pytest.skip("needs a newer systemd")
        assert done.returncode == 0, done.stdout + done.stderr
