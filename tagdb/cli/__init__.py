"""The command line: parse, call one function, print.

Commands are imported when they are called, and import what is heavy when they run, so that
``tagdb --help`` is immediate.
"""

import importlib
import sys
import traceback
from typing import Any

import click

from tagdb import __version__
from tagdb.cli.common import harmless, note, shared_options
from tagdb.errors import TagdbError

COMMANDS = {
    "demo": "See it work, on photos that it draws itself.",
    "init": "Create or upgrade the schema.",
    "ingest": "Store photos and their hashtags.",
    "factors": "Compute ALS factors, and list runs.",
    "recommend": "Recommend hashtags for photos.",
    "feedback": "Say which recommendations were right.",
    "evaluate": "Measure how good recommendations are.",
    "tune": "Find the best settings for your photos.",
    "similar": "Show stored images like a photo.",
    "tags": "Hashtags: aliases, bans, merges, and undoing them.",
    "stats": "Statistics of hashtags for SQL and BI tools.",
    "backbone": "The backbone: list, reembed, use, drop.",
    "index": "The vector index: build, status, check, drop.",
    "doctor": "What is wrong, and which settings hold back.",
    "backup": "Write all of it into one file.",
    "restore": "Put a back-up into a database.",
    "db": "The database: start, stop, status, url, shell, grant.",
}
"""Command by command, with its line in ``tagdb --help``; each lies in the module of its name."""


class LazyGroup(click.Group):
    """A group that imports a command when it is called, and turns errors into one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"tagdb.cli.{cmd_name}").command
        return command

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        """Read the options before a command's name."""
        try:
            return super().make_context(*arguments, **more)
        except click.ClickException as error:
            raise _harmless(error) from error.__cause__

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command. Click guesses a mistyped one among those that are imported, which is none."""
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            from difflib import get_close_matches

            if near := get_close_matches(args[0], COMMANDS, n=1):
                ctx.fail(f"No such command '{args[0]}'. Did you mean '{near[0]}'?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. What goes wrong becomes a sentence and exit code 1."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            raise _harmless(error) from error.__cause__
        except (click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except TagdbError as error:
            raise self._failure(ctx, str(error)) from error
        except Exception as error:
            sentence = f"tagdb has a bug: {type(error).__name__}: {error}; please report it, with --verbose"
            raise self._failure(ctx, sentence) from error

    def _failure(self, ctx: click.Context, sentence: str) -> click.ClickException:
        if ctx.meta.get("tagdb.verbose"):
            for part in traceback.format_exception(sys.exc_info()[1]):
                # places in the program have several lines; what an error says is one, whatever is in it
                for line in part.splitlines() if part.startswith("  File ") else [part.strip("\n")]:
                    note(line)
        return click.ClickException(harmless(sentence))


def _harmless(error: click.ClickException) -> click.ClickException:
    """The same error, which does nothing to a terminal: Click repeats arguments as they are."""
    error.message = "\n".join(map(harmless, error.message.split("\n")))  # type: ignore[misc]
    return error


@click.command(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="tagdb")
@shared_options
def cli() -> None:
    """Hashtag recommendations for pictures, computed inside PostgreSQL.

    \b
    See it work:
      tagdb demo

    \b
    Begin with your own photos:
      tagdb ingest PHOTOS.csv
      tagdb factors compute
      tagdb recommend PHOTO

    Exit codes: 0 done, 1 failed, 2 usage, 3 done but some inputs were rejected.
    """


def main() -> None:
    """Entry point of the ``tagdb`` program."""
    cli(prog_name="tagdb")
