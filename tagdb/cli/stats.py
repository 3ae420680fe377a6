"""``tagdb stats``."""

from dataclasses import asdict

import click

from tagdb.cli.common import json_option, note, print_json, settings, shared_options


@click.group("stats")
@shared_options
def command() -> None:
    """Statistics of hashtags: what the views hashtag_stats, hashtag_pairs and hashtag_trend show."""


@command.command("refresh")
@click.option(
    "--min-images",
    type=click.IntRange(min=1),
    help="On how many images two hashtags must be together to be a pair (as the last time; 2).",
)
@json_option
@shared_options
def refresh(min_images: int | None, as_json: bool) -> None:
    """Compute the statistics anew. Who reads them goes on, and sees the old ones until it is done.

    An ingest does it by itself while the collection is small, and when a tenth of it has come in.

    \b
    Examples:
      tagdb stats refresh
      tagdb stats refresh --min-images 5
    """
    from tagdb import store
    from tagdb.postgres import database

    with database.open_database(settings(), note) as connection:
        done = store.refresh_statistics(connection, min_images)
    if as_json:
        print_json(asdict(done))
    else:
        click.echo(
            f"statistics of {done.images} images computed in {done.seconds:.1f} s; "
            f"pairs are hashtags that are on {done.min_images} images or more together"
        )
