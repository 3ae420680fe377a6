"""``tagdb init``."""

import click

from tagdb.cli.common import note, say, settings, shared_options


@click.command("init")
@click.option("--repair", is_flag=True, help="Recreate what is missing or was changed; see: tagdb doctor.")
@click.option("--distribute", is_flag=True, help="Spread the large tables over the workers of Citus.")
@click.option("--shards", type=click.IntRange(min=1), help="For --distribute; see: tagdb db distribute.")
@shared_options
def command(repair: bool, distribute: bool, shards: int | None) -> None:
    """Create the schema, or upgrade it to this version of tagdb.

    The embedded database does this by itself on first use; a database named by a URL waits for this command.
    --repair also restores views, functions, triggers and the rights of the roles to what this version of
    tagdb creates. Stored data is left alone.

    \b
    Examples:
      tagdb init
      tagdb init --database-url postgresql://me@db.example/photos
      tagdb init --repair
      tagdb init --distribute --database-url postgresql://me@coordinator.example/photos
    """
    from tagdb.postgres import database, urls
    from tagdb.store import distribution, schema

    if shards and not distribute:
        raise click.UsageError("--shards is for --distribute")
    url = database.ensure_url(settings(), note)
    before, after = database.migrate(url)
    where = urls.describe(url)
    if before is None:
        say(f"created the schema, revision {after}, in {where}")
    elif before == after:
        say(f"the schema in {where} is up to date, revision {after}")
    else:
        say(f"upgraded the schema in {where} from revision {before} to {after}")
    if distribute:
        with database.connect(url) as connection:
            shards = distribution.distribute(connection, shards)
        say(f"distributed: embeddings, search vectors and image factors are in {shards} shards each")
    if repair:
        with database.connect(url) as connection:
            made = schema.repair(connection)
        click.echo(f"recreated: {', '.join(map(str, made)) or 'nothing'}")
