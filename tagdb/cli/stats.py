"""``tagdb stats``."""

from dataclasses import asdict

import click

from tagdb.cli.common import json_option, note, print_json, settings, shared_options


@click.group("stats")
@shared_options
def command() -> None:
    """Hashtag statistics, as the views hashtag_stats, hashtag_pairs and others show them."""


@command.command("refresh")
@click.option(
    "--min-images",
    type=click.IntRange(min=1),
    help="Images that two hashtags must share to count as a pair (default: as last time; 2 at first).",
)
@json_option
@shared_options
def refresh(min_images: int | None, as_json: bool) -> None:
    """Recompute the statistics. Readers are not blocked and see the old ones until it is done.

    Every ingest and every correction counts what it has changed by itself. What others change by SQL is
    counted by the next one, or by this.

    \b
    Examples:
      tagdb stats refresh
      tagdb stats refresh --min-images 5
    """
    from tagdb import store
    from tagdb.postgres import database

    with database.open_database(settings(), note) as connection:
        done = store.statistics.refresh(connection, min_images)
    if as_json:
        print_json(asdict(done))
    else:
        click.echo(
            f"statistics of {done.images} images computed in {done.seconds:.1f} s; "
            f"pairs are hashtags that share {done.min_images} images or more"
        )
