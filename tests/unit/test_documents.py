"""What the documents say exists."""

import importlib.util
import re
import shlex
from pathlib import Path

import click
import pytest

from tagdb.cli import cli

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def typed_commands() -> list[str]:
    """Every line of a document's code blocks that begins with ``tagdb``."""
    found = []
    for document in DOCUMENTS:
        for block in re.findall(r"```(?:sh|console)\n(.*?)```", document.read_text(), re.DOTALL):
            lines = (
                line.removeprefix("$ ").partition("  #")[0].strip().removesuffix(" &")
                for line in block.splitlines()
            )
            found += [line for line in lines if line.startswith("tagdb ")]
    return found


@pytest.mark.parametrize("line", typed_commands())
def test_a_documented_command_exists_with_its_options(line: str) -> None:
    words = shlex.split(line)[1:]
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group) and words != ["--help"]:
        if command.invoke_without_command and (not words or words[0].startswith("-")):
            break
        below = command.get_command(context, words.pop(0))
        assert below is not None, line
        command = below
    known = {
        name
        for parameter in command.get_params(click.Context(command, help_option_names=["-h", "--help"]))
        for name in parameter.opts
    }
    for word in words:
        if word in ("--", "<"):
            break
        assert word == "-" or not word.startswith("-") or word in known, f"{line}: no {word}"


def test_make_targets_in_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        for target in re.findall(r"^make ([a-z-]+)", document.read_text(), re.MULTILINE):
            assert target in targets, f"{document.name}: make {target}"


def test_files_that_maintainers_are_sent_to_exist() -> None:
    """Names in capitals stand for what is to be added."""
    paths = re.findall(
        r"`((?:\.github|tagdb|migrations|tests|docs|tools)/[^`\s]+)`", (ROOT / "CONTRIBUTING.md").read_text()
    )
    assert len(paths) > 20
    for path in paths:
        assert re.search("NAME|MODULE|FORMAT|NNNN", path) or (ROOT / path).exists(), path


def test_links_between_documents_lead_somewhere() -> None:
    for document in DOCUMENTS:
        for link in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            if "://" not in link:
                assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_the_command_reference_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("make_cli_docs", ROOT / "tools" / "make_cli_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "cli.md").read_text() == module.document(), (
        "run: python tools/make_cli_docs.py > docs/cli.md"
    )
