"""``tagdb init``."""

import click

from tagdb.cli.common import note, say, settings, shared_options


@click.command("init")
@shared_options
def command() -> None:
    """Create the schema, or upgrade it to this tagdb's.

    The embedded database does this by itself on first use; one that is named by a URL waits for you.

    \b
    Examples:
      tagdb init
      tagdb init --database-url postgresql://me@db.example/photos
    """
    from tagdb import database

    url = database.ensure_url(settings(), note)
    before, after = database.migrate(url)
    where = database.describe(url)
    if before is None:
        say(f"created the schema, revision {after}, in {where}")
    elif before == after:
        say(f"the schema in {where} is up to date, revision {after}")
    else:
        say(f"upgraded the schema in {where} from revision {before} to {after}")
