"""``tagdb tag``."""

from dataclasses import asdict

import click

from tagdb.cli.common import json_option, note, photo_or_id, print_json, say, settings, shared_options


@click.command("tag")
@click.argument("photo", metavar="PHOTO|ID")
@click.argument("hashtags", nargs=-1, required=True, metavar="TAG...")
@json_option
@shared_options
def command(photo: str, hashtags: tuple[str, ...], as_json: bool) -> None:
    """Give hashtags to a stored photo.

    They are shown as you spell them, and stay whatever the photo's sources say later. A PHOTO is found by its
    content, or else by its place.

    \b
    Examples:
      tagdb tag beach.jpg sea "#Summer"
      tagdb tag 42 sea,summer
    """
    from tagdb import corrections
    from tagdb.postgres import database

    with database.open_database(settings(), note) as connection:
        image = corrections.find_one(connection, photo_or_id(photo))
        done = corrections.tag(connection, image, hashtags)
    if as_json:
        print_json(asdict(done))
        return
    parts = [f"{' '.join(f'#{each}' for each in done.added)} added"] if done.added else []
    parts += [f"{' '.join(f'#{each}' for each in done.already)} there already"] if done.already else []
    say(f"image {done.image_id}: {', '.join(parts)}")
