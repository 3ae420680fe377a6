"""``tagdb bi``."""

import sys

import click

from tagdb.cli.common import note, settings, shared_options


@click.group("bi")
@shared_options
def command() -> None:
    """Dashboards for BI tools, to import: collections, growth, hashtags, pairs, quality and operations."""


@command.command("superset")
@click.option("--login", metavar="NAME", help="Which reader's URI, if several logins have this role.")
@shared_options
def superset_(login: str | None) -> None:
    """Write an import file for Apache Superset.

    It holds the database as a reader reaches it, all views with their descriptions, and the dashboard
    "tagdb". It holds no password: Superset asks for it on import. docs/bi.md says what a later import
    replaces.

    \b
    Example:
      tagdb bi superset > tagdb.zip
    """
    if sys.stdout.isatty():
        raise click.UsageError(
            "the import file is a ZIP; write it into a file: tagdb bi superset > tagdb.zip"
        )
    from tagdb import access, store
    from tagdb.bi import superset
    from tagdb.postgres import database

    config = settings()
    with database.open_database(config, note) as connection:
        where = access.address(connection, config)
        login = access.login_with(connection, where, "reader", note, login)
        columns = store.views.columns(connection)
    written = superset.archive(columns, superset.uri(where.url(login, superset.MASKED)))
    sys.stdout.buffer.write(written)
    note(f"on import, Superset asks for the password of {login}")


@command.command("grafana")
@shared_options
def grafana_() -> None:
    """Write a dashboard for Grafana.

    Grafana asks on import which PostgreSQL data source it is for: make one for a reader first.

    \b
    Example:
      tagdb bi grafana > tagdb.json
    """
    from tagdb.bi import grafana

    click.echo(grafana.dashboard(), nl=False)
