"""Help, usage errors, and what is not imported."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tagdb.cli import COMMANDS, cli
from tests.support.commands import Process, Run, invoke

HEAVY = {"tensorflow", "keras", "implicit", "scipy"}
DATABASE = {"numpy", "sqlalchemy", "alembic", "psycopg", "PIL", "rich"}

MODULES = """
import sys
from tagdb.cli import cli
code = cli(sys.argv[1:], prog_name="tagdb", standalone_mode=False)
print("modules:", *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process, without a database and without a home."""
    monkeypatch.setenv("TAGDB_DATABASE_URL", "postgresql://127.0.0.1:9/none")
    monkeypatch.setenv("TAGDB_HOME", str(tmp_path / "none"))
    return invoke


def tree(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with the words that call it."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from tree(found, (*path, name))


EVERY = dict(tree(cli))
LEAVES = {path: command for path, command in EVERY.items() if not isinstance(command, click.Group)}


def modules(stderr: str) -> set[str]:
    """The modules that a process imported."""
    return set(stderr.splitlines()[-1].removeprefix("modules: ").split())


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_command_says_what_it_does(path: tuple[str, ...], nowhere: Run) -> None:
    done = nowhere(*path, "--help")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: {' '.join(('tagdb', *path))} ")
    assert nowhere(*path, "-h").stdout == done.stdout
    described = (EVERY[path].help or "").strip()
    assert len(described.splitlines()[0]) > 15
    assert described.splitlines()[0].endswith((".", ",")) or "\n" in described
    assert max(map(len, done.stdout.splitlines())) <= 100


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_option_has_help(path: tuple[str, ...]) -> None:
    for parameter in EVERY[path].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert not parameter.hidden


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_has_examples(path: tuple[str, ...], nowhere: Run) -> None:
    text = nowhere(*path, "--help").stdout
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.strip() in ("Example:", "Examples:"))
    examples = []
    for line in lines[start + 1 :]:
        if not line.strip():
            break
        examples.append(line.strip())
    assert examples
    assert all(f"tagdb {' '.join(path)}" in example for example in examples)


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_example_can_be_parsed(path: tuple[str, ...]) -> None:
    """Options in examples exist."""
    names = {name for parameter in LEAVES[path].params for name in parameter.opts}
    after = (LEAVES[path].help or "").partition("\b\n")[2].split(" -- ")[0]
    for option in re.findall(r"(?<=\s)(--?[a-z][a-z-]*)", after):
        assert option in names, option


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_takes_the_shared_options(path: tuple[str, ...]) -> None:
    names = {name for parameter in LEAVES[path].params for name in parameter.opts}
    assert {"--verbose", "--database-url"} <= names


def test_the_list_of_commands(nowhere: Run) -> None:
    text = nowhere("--help").stdout
    for name, line in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(line)}$", text, re.MULTILINE)
    assert "Exit codes: 0 done, 1 failed, 2 usage, 3 done but some inputs were rejected" in text


@pytest.mark.parametrize("path", [(), ("ingest",), ("tags", "alias")], ids=" ".join)
def test_help_as_a_word(path: tuple[str, ...], nowhere: Run) -> None:
    done = nowhere("help", *path)
    assert (done.exit_code, done.stdout) == (0, nowhere(*path, "--help").stdout)


def test_the_version_is_printed(nowhere: Run) -> None:
    assert re.fullmatch(r"tagdb, version \d+\.\d+\.\d+\n", nowhere("--version").stdout)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("recomend", "x.jpg"), "No such command 'recomend'"),
        (("help", "ingst"), "No such command 'ingst'. Did you mean 'ingest'?"),
        (("factors", "comput"), "No such command 'comput'"),
        (("db", "up"), "No such command 'up'"),
        (("recommend",), "name photos, or a folder to --watch"),
        (("similar",), "Missing argument 'PHOTO...'"),
        (("ingest", "--limit", "many", "x"), "'many' is not a valid integer range"),
        (("similar", "x", "--near"), "No such option '--near'"),
        (("--quiet",), "No such option '--quiet'"),
    ],
)
def test_usage_errors(nowhere: Run, arguments: tuple[str, ...], says: str) -> None:
    done = nowhere(*arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert says in done.stderr
    assert re.search(r"Try 'tagdb.* (-h|--help)' for help\.", done.stderr)


def test_a_mistyped_command_is_guessed(nowhere: Run) -> None:
    assert "Did you mean 'recommend'?" in nowhere("recomend", "x.jpg").stderr


def test_without_arguments_there_is_help(nowhere: Run) -> None:
    assert "Usage: tagdb [OPTIONS] COMMAND" in nowhere().output


def test_help_imports_next_to_nothing(tagdb_process: Process) -> None:
    for arguments in (("--help",), ("--version",)):
        done = tagdb_process(*arguments, program=("-c", MODULES))
        assert done.returncode == 0
        assert not modules(done.stderr) & (HEAVY | DATABASE)
    imported = tagdb_process(
        program=("-c", "import tagdb, sys; print('modules:', *sys.modules, file=sys.stderr)")
    )
    assert not modules(imported.stderr) & (HEAVY | DATABASE)


@pytest.mark.parametrize("command", sorted({path[0] for path in LEAVES}))
def test_the_help_of_a_command_imports_little(tagdb_process: Process, command: str) -> None:
    done = tagdb_process(command, "--help", program=("-c", MODULES))
    assert done.returncode == 0
    assert not modules(done.stderr) & (HEAVY | DATABASE)


def test_recommending_imports_what_it_needs(
    filled: Path, database_url: str, home: Path, tagdb_process: Process, tagdb: Run
) -> None:
    done = tagdb_process(
        "recommend", filled / "04.jpg",
        program=("-c", MODULES), TAGDB_DATABASE_URL=database_url, TAGDB_HOME=str(home),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == tagdb("recommend", filled / "04.jpg").stdout
    assert not modules(done.stderr) & (HEAVY | {"sqlalchemy", "alembic", "rich"})
    assert len(done.stderr.splitlines()) == 1


def test_the_program_itself(
    filled: Path, database_url: str, home: Path, tagdb_process: Process, tagdb: Run
) -> None:
    """As a person runs it, also into a pipe that closes early."""
    settings = {"TAGDB_DATABASE_URL": database_url, "TAGDB_HOME": str(home)}
    photos = [filled / f"{number:02}.jpg" for number in (0, 1)]
    done = tagdb_process("recommend", *photos, "--json", **settings)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == tagdb("recommend", *photos, "--json").stdout
    done = tagdb_process("recommend", filled / "gone.jpg", photos[0], **settings)
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
