"""``tagdb serve``: the page, HTTP, and the tokens of those who may ask."""

from dataclasses import asdict

import click

from tagdb.cli.common import (
    backbone_options,
    json_option,
    note,
    print_json,
    print_table,
    say,
    settings,
    shared_options,
)
from tagdb.errors import ConfigError, TagdbError

_MISSING = "serving needs more packages; install them: pip install 'tagdb[serve]'"


@click.group("serve", invoke_without_command=True)
@click.option(
    "--listen", metavar="HOST:PORT", default="127.0.0.1:8000", show_default=True,
    help="Where to listen. Beyond this machine it takes a token, see below.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(1, 256), metavar="N",
    help="Processes that decode and embed photos (default: one per core).",
)  # fmt: skip
@click.option(
    "--host", "names", multiple=True, metavar="NAME",
    help="A name by which clients know it, as behind a proxy; repeatable. Everybody then needs a token.",
)  # fmt: skip
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), metavar="N",
    help="Requests per second and client (default: 100, without a limit on this machine alone).",
)  # fmt: skip
@backbone_options
@shared_options
@click.pass_context
def command(
    context: click.Context,
    listen: str,
    workers: int | None,
    names: tuple[str, ...],
    rate: float | None,
    backbone: str | None,
    input_size: int | None,
) -> None:
    """A page in the browser, and HTTP for programs.

    On 127.0.0.1, everybody on this machine may read, and the page may write. Everybody else needs a token,
    and so does a program that writes.

    \b
    Examples:
      tagdb serve
      curl --data-binary @beach.jpg 'http://127.0.0.1:8000/v1/recommend?top=5'
      tagdb serve token add shop --role reader
      tagdb serve --listen 0.0.0.0:8000
    """
    if context.invoked_subcommand is not None:
        return
    from tagdb.serve.options import Options, parse_listen

    if input_size is not None:
        raise click.UsageError("the size is the database's; --input-size is for an ingest")
    try:
        host, port = parse_listen(listen)
    except ConfigError as error:
        raise click.UsageError(f"--listen: {error}") from error
    options = Options(host, port, workers, names, rate)
    try:
        from tagdb.serve import running
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("tagdb"):
            raise
        raise TagdbError(_MISSING) from error
    running.run(settings(backbone), options, note)


@command.group("token")
def token() -> None:
    """Tokens of those who may ask the service: add, list, revoke."""


@token.command("add")
@click.argument("name")
@click.option(
    "--role", type=click.Choice(["reader", "analyst", "writer"]), required=True,
    help="reader: recommend and look; analyst: thumbnails and files, too; writer: store and correct, too.",
)  # fmt: skip
@json_option
@shared_options
def add(name: str, role: str, as_json: bool) -> None:
    """Make a token. It is shown once; the database keeps a hash of it.

    \b
    Example:
      tagdb serve token add shop --role reader
    """
    from tagdb import tokens
    from tagdb.postgres import database

    with database.open_database(settings(), note) as connection:
        made = tokens.add(connection, name, role)
        where = connection.info.dbname
    if as_json:
        print_json(asdict(made))
    else:
        say(made.token)
        note(
            f"this is shown once, and for services of the database {where}; send it as: "
            "Authorization: Bearer TOKEN"
        )


@token.command("list")
@json_option
@shared_options
def list_(as_json: bool) -> None:
    """List the tokens, without what is secret.

    \b
    Example:
      tagdb serve token list
    """
    from tagdb import store
    from tagdb.postgres import database

    with database.open_database(settings(), note) as connection:
        tokens = store.tokens.list_all(connection)
    if as_json:
        print_json([asdict(each) for each in tokens])
        return
    rows = [
        [
            each.name,
            each.role,
            f"{each.created_at:%Y-%m-%d}",
            each.created_by,
            str(each.last_used_on or "never"),
        ]
        for each in tokens
    ]
    print_table(["name", "role", "made on", "by", "last used"], rows)


@token.command("revoke")
@click.argument("name")
@shared_options
def revoke(name: str) -> None:
    """Revoke a token. Running services notice within a second.

    \b
    Example:
      tagdb serve token revoke shop
    """
    from tagdb import tokens
    from tagdb.postgres import database

    with database.open_database(settings(), note) as connection:
        tokens.revoke(connection, name)
    note(f"revoked {name}")
