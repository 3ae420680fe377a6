"""``tagdb db``."""

import os
import shlex
import shutil
import sys
from pathlib import Path

import click

from tagdb.cli import conditions
from tagdb.cli.common import json_option, note, print_json, say, settings, shared_options
from tagdb.config import Settings
from tagdb.errors import ConfigError

ROLES = click.Choice(("asker", "reader", "analyst", "writer"))


@click.group("db")
@shared_options
def command() -> None:
    """The database that tagdb uses: the embedded PostgreSQL, or the one a URL names."""


def _embedded() -> Settings:
    config = settings()
    if config.database_url:
        raise ConfigError(
            "a database URL is set, so the embedded PostgreSQL is not in use; "
            "to manage it, leave out --database-url and TAGDB_DATABASE_URL"
        )
    return config


@command.command("start")
@click.option("--port", type=click.IntRange(1024, 65535), help="Also listen on 127.0.0.1, with passwords.")
@click.option("--no-port", is_flag=True, help="Listen on the owner's socket only, as at first.")
@shared_options
def start(port: int | None, no_port: bool) -> None:
    """Start the embedded PostgreSQL. It runs until "tagdb db stop".

    --port is remembered for every later start. If the server runs without the port that is asked for, by
    --port or in the settings, it is restarted: what others are doing on it is broken off.

    \b
    Examples:
      tagdb db start
      tagdb db start --port 5433
    """
    from tagdb.config import remember_port
    from tagdb.errors import ServerError
    from tagdb.postgres.server import Server

    if port and no_port:
        raise click.UsageError("--port and --no-port exclude each other")
    config = _embedded()
    server = Server(config.home)
    before = server.status()
    wanted = None if no_port else port or config.port
    if before.running and (wanted or no_port) and before.port != wanted:
        server.stop()
        try:
            server.start(port=wanted)
        except ServerError:
            server.start(port=before.port)
            raise
        done = "restarted"
    else:
        done = "started" if server.start(port=wanted) else "already running"
    if (port or no_port) and port != config.port:
        remember_port(config, port)
    listens = server.status().port
    say(f"{done}: PostgreSQL in {server.home}" + (f", on port {listens}" if listens else ""))
    if done == "restarted" and before.port:
        now = "; tagdb db url --role prints the new ones" if listens else ""
        note(f"URLs with port {before.port} that were given to others no longer hold{now}")


@command.command("stop")
@shared_options
def stop() -> None:
    """Stop the embedded PostgreSQL.

    \b
    Example:
      tagdb db stop
    """
    from tagdb.postgres.server import Server

    click.echo("stopped" if Server(_embedded().home).stop() else "it was not running")


@command.command("status")
@json_option
@shared_options
def status(as_json: bool) -> None:
    """Show whether the database is running, where it is, and its schema revision.

    \b
    Example:
      tagdb db status
    """
    from tagdb.postgres import database, standby, urls
    from tagdb.postgres.server import Server

    config = settings()
    facts: dict[str, object] = {}
    url = config.database_url
    if url is None:
        server = Server(config.home)
        now = server.status()
        facts = {
            "embedded": True, "running": now.running, "postgresql": now.version, "pid": now.pid,
            "port": now.port, "data_directory": str(now.data_directory),
        }  # fmt: skip
        url = server.url() if now.running else None
    else:
        facts = {"embedded": False, "database": urls.describe(url)}
    if url is not None:
        with database.connect(url) as connection:
            facts["running"] = True
            if state := standby.following(connection):
                facts |= {
                    "standby": True,
                    "connected": state.connected,
                    "behind_seconds": state.behind_seconds,
                }
            facts["schema"] = database.revision(connection)
            facts["schema_needed"] = database.SCHEMA_REVISION
    if as_json:
        print_json(facts)
    else:
        words = {None: "none", True: "yes", False: "no"}
        for name, value in facts.items():
            shown = words[value] if value is None or isinstance(value, bool) else value
            say(f"{name.replace('_', ' ')}: {shown}")


@command.command("standby")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--of", "source", metavar="URL", help="Follow this server instead of the embedded one.")
@shared_options
def standby_(folder: Path, source: str | None) -> None:
    """Make FOLDER the home of a standby, which follows the embedded PostgreSQL and answers what only reads.

    The standby copies the server and then receives every change. It is used like any embedded server, with
    TAGDB_HOME=FOLDER, and may be stopped and started again. For a standby on another machine, name the server
    to follow by --of, with a login that may replicate.

    \b
    Examples:
      tagdb db standby /srv/tagdb-standby
      tagdb db standby ~/standby --of postgresql://standby:PASSWORD@127.0.0.1:5433/tagdb
    """
    from tagdb.postgres import database, standby, urls

    standby.require_place(folder)
    url = source or database.ensure_url(_embedded(), note)
    server = standby.make(url, folder)
    say(f"standby: PostgreSQL in {server.home} follows {urls.describe(url)}")
    note(f"to read from it: TAGDB_HOME={shlex.quote(str(server.home))}")


@command.command("promote")
@shared_options
def promote() -> None:
    """Make a standby a server of its own, that can be written to, because its primary is gone.

    What the standby had not received yet is lost with the primary: run the ingest that was broken off again.
    Stop a primary that is still there first, and never start it again: two servers could be written to.

    \b
    Example:
      TAGDB_HOME=/srv/tagdb-standby tagdb db promote
    """
    from tagdb.errors import ServerError
    from tagdb.postgres import database, standby
    from tagdb.postgres.server import Server

    config = _embedded()
    server = Server(config.home)
    if not server.exists():
        raise ServerError(f"there is no PostgreSQL in {server.home}; set TAGDB_HOME to the standby's folder")
    if not server.status().standby:
        raise ServerError(f"the embedded PostgreSQL in {server.home} is not a standby")
    server.start(port=config.port)
    with database.connect(server.url()) as connection:
        if (state := standby.following(connection)) and state.connected:
            raise ServerError(
                "the primary is there, and this standby is connected to it; stop it first, or two servers "
                "could be written to"
            )
    server.promote()
    say(f"promoted: PostgreSQL in {server.home} follows no longer and can be written to")


@command.command("distribute")
@click.option(
    "--shards", type=click.IntRange(min=1), help="Parts of each table (default: one for each worker)."
)
@shared_options
def distribute_(shards: int | None) -> None:
    """Spread embeddings, search vectors and image factors over the workers of Citus.

    Everything else stays on the coordinator, which the URL names; all commands and functions work on as
    before. For collections that are too large for the memory of one machine: docs/scale.md.

    \b
    Examples:
      tagdb db distribute
      tagdb db distribute --shards 12
    """
    from tagdb import indexing
    from tagdb.postgres import database
    from tagdb.store import distribution

    with database.open_database(settings(), note) as connection:
        shards = distribution.distribute(connection, shards)
        indexing.ensure(connection)
    say(f"distributed: embeddings, search vectors and image factors are in {shards} shards each")


@command.command("url")
@click.option("--role", type=ROLES, help="For a login with this role instead of your own.")
@click.option("--login", metavar="NAME", help="Which login, if several have this role.")
@shared_options
def url(role: str | None, login: str | None) -> None:
    """Print the database's URL and nothing else.

    With --role, it is the URL to paste into a BI tool or a service, for a login made by "tagdb db grant".

    \b
    Examples:
      psql "$(tagdb db url)"
      tagdb db url --role reader
      tagdb db url --role writer --login ingester
    """
    if login and not role:
        raise click.UsageError("--login needs --role")
    from tagdb.postgres import database

    if not role:
        click.echo(database.ensure_url(settings(), note))
        return
    from tagdb import access

    config = settings()
    with database.open_database(config, note) as connection:
        where = access.address(connection, config)
        login = access.login_with(connection, where, role, note, login)
    password = where.password(login)
    click.echo(where.url(login, password))
    if password is None:
        note(_unknown(login, role))


@command.command("grant")
@click.argument("login")
@click.option(
    "--role",
    type=ROLES,
    required=True,
    help="Only send photos; also read; also vectors and thumbnails; or also ingest and compute.",
)
@click.option("--prompt", is_flag=True, help="Ask for the password and do not store it.")
@click.option("--new-password", is_flag=True, help="Generate a new password for an existing login.")
@json_option
@shared_options
def grant(login: str, role: str, prompt: bool, new_password: bool, as_json: bool) -> None:
    """Grant a login a role and print the URL to paste into a BI tool or a service.

    A login that does not exist yet is created with a generated password, which is kept in tagdb's home. An
    existing login keeps its password, unless you pass --prompt or --new-password.

    \b
    Examples:
      tagdb db grant upload --role asker
      tagdb db grant bi --role reader
      tagdb db grant notebook --role analyst
      tagdb db grant ingester --role writer --prompt
      tagdb db grant bi --role reader --new-password
    """
    if prompt and new_password:
        raise click.UsageError("--prompt and --new-password exclude each other")
    from tagdb import access
    from tagdb.postgres import database

    config = settings()
    typed = (
        click.prompt(f"Password for {login}", hide_input=True, confirmation_prompt=True, err=True)
        if prompt
        else None
    )
    with database.open_database(config, note) as connection:
        where = access.address(connection, config)
        done = access.grant(connection, where, login, role, password=typed, renew=new_password)
    password = where.password(login)
    if as_json:
        facts = {"login": login, "role": done.role, "created": done.created, "url": where.url(login)}
        print_json(facts)  # without the password, which is not to be passed on
    else:
        click.echo(where.url(login, password))
    if done.created:
        note(f"created the login {login} with the role {role}")
    elif done.role == role:
        note(f"granted {login} the role {role}" + (" and set a new password" if done.renewed else ""))
    else:
        renewed = "; its password is new" if done.renewed else ""
        article = "an" if done.role[0] == "a" else "a"
        note(f"{login} is already {article} {done.role}, which includes {role}{renewed}")
    if password is not None:
        note(f"its password is in {where.passfile.path}")
    elif typed is None:
        note(_unknown(login, role))
    else:
        note("its password is not stored; put it into the URL yourself")


def _unknown(login: str, role: str) -> str:
    return (
        f"the password of {login} is not known here; put it into the URL yourself, "
        f"or set a new one: tagdb db grant {shlex.quote(login)} --role {role} --new-password"
    )


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
    from tagdb.postgres import database, urls
    from tagdb.postgres.server import Server, environment

    config = settings()
    with database.open_database(config, note):
        pass
    program = shutil.which("psql") or str(Server(config.home).program("psql"))
    # libpq reads a password from the environment; as an argument everybody could see it
    url, password = urls.without_password(database.ensure_url(config, note))
    own = {"PGPASSWORD": password} if password else {}
    # in a pipe an error is a failure; at a prompt it is not
    careful = [] if sys.stdin.isatty() else ["-v", "ON_ERROR_STOP=1"]
    if conditions.homeless():  # psql does not start in a folder that was removed
        os.chdir("/")
    os.execve(program, [program, *careful, url, *psql_arguments], environment(url) | own)
