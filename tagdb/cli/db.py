"""``tagdb db``."""

import os
import shutil
import sys

import click

from tagdb.cli.common import json_option, note, print_json, settings, shared_options
from tagdb.config import Settings
from tagdb.errors import ConfigError


@click.group("db")
@shared_options
def command() -> None:
    """The database that tagdb works with: the embedded PostgreSQL, or the one a URL names."""


def _embedded() -> Settings:
    found = settings()
    if found.database_url:
        raise ConfigError(
            "a database URL is set, so the embedded PostgreSQL is not in use; "
            "leave out --database-url and TAGDB_DATABASE_URL to manage it"
        )
    return found


@command.command("start")
@click.option("--port", type=click.IntRange(1024, 65535), help="Also listen on 127.0.0.1, with passwords.")
@shared_options
def start(port: int | None) -> None:
    """Start the embedded PostgreSQL. It goes on running until "tagdb db stop".

    \b
    Examples:
      tagdb db start
      tagdb db start --port 5433
    """
    from tagdb.server import Server

    server = Server(_embedded().home)
    started = server.start(port=port)
    click.echo(f"{'started' if started else 'running already'}: PostgreSQL in {server.home}")


@command.command("stop")
@shared_options
def stop() -> None:
    """Stop the embedded PostgreSQL.

    \b
    Example:
      tagdb db stop
    """
    from tagdb.server import Server

    click.echo("stopped" if Server(_embedded().home).stop() else "it was not running")


@command.command("status")
@json_option
@shared_options
def status(as_json: bool) -> None:
    """Say whether the database runs, where it is, and which schema it holds.

    \b
    Example:
      tagdb db status
    """
    from tagdb import database
    from tagdb.server import Server

    found = settings()
    facts: dict[str, object] = {}
    url = found.database_url
    if url is None:
        server = Server(found.home)
        state = server.status()
        facts = {
            "embedded": True, "running": state.running, "postgresql": state.version, "pid": state.pid,
            "port": state.port, "data_directory": str(state.data_directory),
        }  # fmt: skip
        url = server.url() if state.running else None
    else:
        facts = {"embedded": False, "database": database.describe(url)}
    if url is not None:
        with database.connect(url) as connection:
            facts["running"] = True
            facts["schema"] = database.revision(connection)
            facts["schema_needed"] = database.SCHEMA_REVISION
    if as_json:
        print_json(facts)
    else:
        words = {None: "none", True: "yes", False: "no"}
        for name, value in facts.items():
            shown = words[value] if value is None or isinstance(value, bool) else value
            click.echo(f"{name.replace('_', ' ')}: {shown}")


@command.command("url")
@shared_options
def url() -> None:
    """Print the database's URL and nothing else.

    \b
    Example:
      psql "$(tagdb db url)"
    """
    from tagdb import database

    click.echo(database.ensure_url(settings(), note))


@command.command("shell", context_settings={"ignore_unknown_options": True})
@click.argument("psql_arguments", nargs=-1, type=click.UNPROCESSED)
@shared_options
def shell(psql_arguments: tuple[str, ...]) -> None:
    """Open psql on the database. Arguments after "--" go to psql.

    \b
    Examples:
      tagdb db shell
      tagdb db shell -- -c "SELECT * FROM tagdb.hashtag_stats ORDER BY images DESC LIMIT 10"
    """
    from tagdb import database
    from tagdb.server import Server

    found = settings()
    with database.open_database(found, note):
        pass
    program = shutil.which("psql") or str(Server(found.home).program("psql"))
    # libpq reads a password from the environment; in the arguments everybody could see it
    url, password = database.without_password(database.ensure_url(found, note))
    environment = os.environ | ({"PGPASSWORD": password} if password else {})
    # in a pipe an error is a failure; at a prompt it is not
    careful = [] if sys.stdin.isatty() else ["-v", "ON_ERROR_STOP=1"]
    os.execve(program, [program, *careful, url, *psql_arguments], environment)
