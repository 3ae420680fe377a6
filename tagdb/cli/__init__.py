"""The command line: parse, call one function, print.

A command is imported when it is called, and imports heavy modules when it runs, so that
``tagdb --help`` is immediate.
"""

import importlib
import sys
import traceback
from contextlib import suppress
from typing import Any, NoReturn

import click

from tagdb import __version__
from tagdb.cli import conditions
from tagdb.cli.common import harmless, note, shared_options
from tagdb.errors import TagdbError

COMMANDS = {
    "demo": "See it work on photos that it draws itself.",
    "init": "Create or upgrade the schema.",
    "ingest": "Store photos and their hashtags.",
    "collect": "Collect photos of hashtags' public pages.",
    "sync": "Ingest a source, and remove what is gone from it.",
    "factors": "Compute ALS factors and manage factor runs.",
    "recommend": "Recommend hashtags for photos.",
    "feedback": "Record which recommendations were right.",
    "evaluate": "Measure how good the recommendations are.",
    "tune": "Find the best settings for your photos.",
    "work": "Answer photos that come by SQL.",
    "similar": "Show the stored images most like a photo.",
    "tags": "Alias, merge and ban hashtags, and undo it.",
    "tag": "Give hashtags to a stored photo.",
    "untag": "Take hashtags from a stored photo.",
    "remove": "Remove photos from the database.",
    "stats": "Hashtag statistics for SQL and BI tools.",
    "bi": "Dashboards for Superset and Grafana.",
    "backbone": "Backbones: list, reembed, use, drop.",
    "index": "The vector index: build, status, check, drop.",
    "doctor": "Find what is wrong and which settings cost speed.",
    "serve": "A page in the browser, and HTTP for programs.",
    "export": "Write images and hashtags for other programs.",
    "originals": "Write the stored photos into a folder.",
    "backup": "Write everything into one file.",
    "restore": "Restore a backup into a database.",
    "db": "The database: start, stop, status, url, shell, grant.",
}
"""Each command's line in ``tagdb --help``; a command lives in the module of its name."""


class LazyGroup(click.Group):
    """A group that imports a command when it is called and turns errors into one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"tagdb.cli.{cmd_name}").command
        return command

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        """Parse the options before a command's name."""
        try:
            return super().make_context(*arguments, **more)
        except click.ClickException as error:
            raise _harmless(error) from error.__cause__

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command. For a typo, Click suggests imported commands only, and none is imported.

        ``tagdb help ingest`` is ``tagdb ingest --help``.
        """
        if args[0] == "help" and not ctx.resilient_parsing:
            if not args[1:]:
                click.echo(ctx.get_help())
                ctx.exit()
            args = [*args[1:], "--help"]
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
        """Run a command. An error becomes one sentence and exit code 1."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            raise _harmless(error) from error.__cause__
        except (click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except TagdbError as error:
            raise self._failure(ctx, str(error)) from error
        except KeyboardInterrupt as error:
            raise self._failure(ctx, "interrupted; nothing is half-written") from error
        except Exception as error:
            if condition := conditions.sentence(error):
                raise self._failure(ctx, condition) from error
            name = type(error).__name__
            sentence = f"tagdb has a bug: {name}: {error}; please report it with the output of --verbose"
            raise self._failure(ctx, sentence) from error

    def _failure(self, ctx: click.Context, sentence: str) -> click.ClickException:
        if ctx.meta.get("tagdb.verbose"):
            for part in traceback.format_exception(sys.exc_info()[1]):
                # a place in the program takes several lines, a message one, whatever it contains
                for line in part.splitlines() if part.startswith("  File ") else [part.strip("\n")]:
                    note(line)
        return click.ClickException(harmless(sentence))


def _harmless(error: click.ClickException) -> click.ClickException:
    """The same error without control characters: Click repeats arguments as they are."""
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
    Start with your own photos:
      tagdb ingest PHOTOS.csv
      tagdb factors compute
      tagdb recommend PHOTO

    Exit codes: 0 done, 1 failed, 2 usage, 3 done but some inputs were rejected.
    """


def main() -> NoReturn:
    """Run the command that the program's arguments name, and exit with its code."""
    conditions.degrade()
    try:
        code = cli.main(prog_name="tagdb", standalone_mode=False) or 0
    except click.ClickException as error:
        with suppress(OSError):
            error.show()
        code = error.exit_code
    except click.Abort:
        note("Aborted!")
        code = 1
    except Exception as error:
        if not (condition := conditions.sentence(error)):
            raise
        note(f"Error: {condition}")
        code = 1
    conditions.let_go()
    sys.exit(code)
