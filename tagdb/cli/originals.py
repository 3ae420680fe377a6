"""``tagdb originals``."""

from dataclasses import asdict

import click

from tagdb.cli.common import (
    Rejections,
    exit_after_rejections,
    json_option,
    note,
    print_json,
    quiet_option,
    say,
    settings,
    shared_options,
    silent,
)


@click.command("originals")
@click.argument("target")
@click.option("--collection", metavar="NAME", help="Only images of this collection.")
@click.option("--where", metavar="SQL", help="Only images for which this holds of their row in tagdb.images.")
@click.option("--force", is_flag=True, help="Replace the whole folder of an earlier export.")
@json_option
@quiet_option
@shared_options
def command(
    target: str, collection: str | None, where: str | None, force: bool, as_json: bool, quiet: bool
) -> None:
    """Write the stored photos into a folder, byte for byte as they were ingested.

    Each is compared with its SHA-256. They have the names that they had; where two had the same, the second
    is IMG-2.jpg. TARGET appears when it is complete.

    \b
    Examples:
      tagdb originals photos/
      tagdb originals beach/ --collection beach
    """
    from tagdb.export.originals import give_back
    from tagdb.postgres import database
    from tagdb.store.exports import Selection

    tell = silent if quiet else note
    rejections = Rejections(tell)
    with database.open_database(settings(), tell) as connection:
        done = give_back(
            connection, target, Selection(collection, where), force=force, quiet=quiet, on_rejected=rejections
        )
    rejections.finish()
    if done.not_stored:
        tell(f"left out {done.not_stored} images whose photos are not stored")
    if as_json:
        print_json(asdict(done))
    else:
        say(f"{done.photos} photos, {done.bytes / 1e6:,.1f} MB")
    exit_after_rejections(done.damaged)
