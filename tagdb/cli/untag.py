"""``tagdb untag``."""

from dataclasses import asdict

import click

from tagdb.cli.common import json_option, note, photo_or_id, print_json, say, settings, shared_options


@click.command("untag")
@click.argument("photo", metavar="PHOTO|ID")
@click.argument("hashtags", nargs=-1, required=True, metavar="TAG...")
@json_option
@shared_options
def command(photo: str, hashtags: tuple[str, ...], as_json: bool) -> None:
    """Take hashtags from a stored photo, with the aliases that count as the same.

    A later ingest of a source that still says them adds them again: correct them there, too, or reject them
    with tagdb feedback.

    \b
    Examples:
      tagdb untag beach.jpg snow
      tagdb untag 42 snow winter
    """
    from tagdb import corrections
    from tagdb.postgres import database

    with database.open_database(settings(), note) as connection:
        image = corrections.find_one(connection, photo_or_id(photo))
        done = corrections.untag(connection, image, hashtags)
    if as_json:
        print_json(asdict(done))
        return
    parts = [f"{' '.join(f'#{each}' for each in done.removed)} removed"] if done.removed else []
    parts += [f"{' '.join(f'#{each}' for each in done.absent)} not there"] if done.absent else []
    say(f"image {done.image_id}: {', '.join(parts)}")
