"""Write docs/cli.md from the commands' own help: ``python tools/make_cli_docs.py > docs/cli.md``."""

from collections.abc import Iterator

import click

from tagdb.cli import cli


def pages(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    """Yield (name, help text) of a command and of all its subcommands."""
    context = click.Context(command, info_name=name, max_content_width=100, terminal_width=100)
    context.help_option_names = ["-h", "--help"]
    yield name, command.get_help(context)
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            assert found is not None
            yield from pages(found, f"{name} {below}")


def document() -> str:
    """Return the whole file."""
    text = "# Commands\n\nWritten by `python tools/make_cli_docs.py > docs/cli.md`; a test compares.\n"
    for name, page in pages(cli, "tagdb"):
        text += f"\n## {name}\n\n```text\n{page.rstrip()}\n```\n"
    return text


if __name__ == "__main__":
    print(document(), end="")
