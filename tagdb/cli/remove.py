"""``tagdb remove``."""

import click

from tagdb.cli.common import (
    agreed,
    json_option,
    note,
    photo_or_id,
    print_json,
    settings,
    shared_options,
)

SHOWN = 10
"""Images that are named before they are removed."""


@click.command("remove")
@click.argument("photos", nargs=-1, metavar="[PHOTO|ID]...")
@click.option("--collection", metavar="NAME", help="Remove all images of a collection.")
@click.option("--uri", metavar="PREFIX", help="Remove all images whose URI begins with PREFIX.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@shared_options
def command(
    photos: tuple[str, ...], collection: str | None, uri: str | None, yes: bool, as_json: bool
) -> None:
    """Remove photos from the database, with their hashtags, embeddings, factors and feedback.

    Files are left alone. A PHOTO is found by its content, or else by its place. Everything named is
    removed, or nothing. Factors of the other photos stay as they are until you compute them again.

    \b
    Examples:
      tagdb remove beach/001.jpg
      tagdb remove 42 43 --yes
      tagdb remove --collection travel
      tagdb remove --uri file:///home/me/old/
    """
    from tagdb import corrections
    from tagdb.postgres import database

    if (bool(photos), collection is not None, uri is not None).count(True) != 1:
        raise click.UsageError("name photos, --collection or --uri: one of these")
    with database.open_database(settings(), note) as connection:
        if collection is not None:
            found = corrections.of_collection(connection, collection)
        elif uri is not None:
            found = corrections.below(connection, uri)
        else:
            found = [each for photo in photos for each in corrections.find(connection, photo_or_id(photo))]
        images = {each.image_id: each.uri for each in found}
        if not yes:
            for number, place in list(images.items())[:SHOWN]:
                note(f"image {number}: {place}")
            if len(images) > SHOWN:
                note(f"… and {len(images) - SHOWN:,} more")
        agreed(f"remove {len(images):,} image{'s' if len(images) > 1 else ''} from the database?", yes)
        done = corrections.remove(connection, list(images))
    if as_json:
        print_json({"removed": done.images})
    else:
        click.echo(f"{done.images:,} removed")
