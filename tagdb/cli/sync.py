"""``tagdb sync``."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from tagdb.cli.common import (
    Rejections,
    agreed,
    backbone_options,
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
from tagdb.cli.reading import keyword_options, originals_option, reading, reading_options

if TYPE_CHECKING:
    from tagdb.ingest import Originals
    from tagdb.photos.keywords import Hierarchy, Where
    from tagdb.sync import Difference

SHOWN = 5
"""Images gone that are named."""


@click.command("sync")
@click.argument("source", metavar="SOURCE")
@backbone_options
@originals_option
@click.option("--dry-run", is_flag=True, help="Show the difference and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask, unless more than half is gone.")
@click.option(
    "--remove", type=click.IntRange(min=1), metavar="N", help="Remove N images without asking, however many."
)
@reading_options
@keyword_options
@json_option
@quiet_option
@shared_options
def command(
    source: str,
    backbone: str | None,
    input_size: int | None,
    originals: "Originals",
    dry_run: bool,
    yes: bool,
    remove: int | None,
    form: str | None,
    collection: str | None,
    hashtags: tuple[str, ...],
    allow_outside: bool,
    fetch: bool,
    allow_private: bool,
    allow_http: bool,
    keywords: "Where",
    hierarchy: "Hierarchy",
    as_json: bool,
    quiet: bool,
) -> None:
    """Ingest a folder or list with --update, and remove the images that are gone from it.

    An image that another source has, too, stays. Shows the difference and asks before it changes anything.
    Nothing is removed while the source is empty or something in it cannot be read, as if a disk were missing;
    if more than half of its images are gone, their number must be named with --remove.

    \b
    Examples:
      tagdb sync photos/
      tagdb sync photos.csv --dry-run
      tagdb sync photos/ --yes --quiet
    """
    from tagdb import ingest, sync
    from tagdb.embedder import backbone_for
    from tagdb.photos.sources import open_source
    from tagdb.postgres import database

    if dry_run and (yes or remove is not None):
        raise click.UsageError("--dry-run changes nothing, so there is nothing to agree to")
    config = settings(backbone)
    tell = silent if quiet else note
    opened = open_source(
        source, reading(form, collection, hashtags, allow_outside, fetch, allow_private, allow_http)
    )
    options = ingest.Options(originals, quiet=quiet, keywords=keywords, hierarchy=hierarchy)
    rejections = Rejections(tell)
    with database.open_database(config, tell) as connection:
        agree: sync.Agreement = sync.up_to_half
        if not yes and remove is None:
            difference = sync.compare(connection, opened, options, rejections)
            if difference.removable:
                sync.require_readable(opened, difference)
            if dry_run or difference.nothing:
                rejections.finish()
                _show(difference, as_json, dry_run)
                exit_after_rejections(difference.counts.rejected)
                return
            note(_words(difference))
            agreed("make the database agree with the source?", False)
            agree, rejections = sync.no_others(difference), Rejections(silent)
        network = backbone_for(connection, config, input_size, tell)
        done = sync.run(
            connection, network, opened, agree, options, rejections,
            lambda: database.reconnect(config, tell), remove=remove,
        )  # fmt: skip
    rejections.finish()
    counts = done.summary.counts
    if as_json:
        print_json(asdict(counts) | {"removed": done.removed, "kept": done.kept, "dry_run": False})
    else:
        text = f"{counts.new} new, {counts.known} already known, {counts.updated} changed"
        text += f", {done.removed} removed"
        text += f", {done.kept} gone but kept, because other sources have them" if done.kept else ""
        click.echo(f"{text}, {counts.rejected} rejected")
    exit_after_rejections(counts.rejected)


def _show(difference: "Difference", as_json: bool, dry_run: bool) -> None:
    if as_json:
        gone = [asdict(each) for each in difference.gone]
        print_json(asdict(difference.counts) | {"gone": gone, "dry_run": dry_run})
    elif difference.nothing:
        say("nothing to do: the database agrees with the source")
    else:
        say(_words(difference))


def _words(difference: "Difference") -> str:
    counts, removable = difference.counts, difference.removable
    text = f"+{counts.new} new, {counts.updated} changed, {len(removable)} gone"
    if removable:
        text += ": " + ", ".join(each.uri for each in removable[:SHOWN])
        text += f" and {len(removable) - SHOWN} more" if len(removable) > SHOWN else ""
    kept = len(difference.gone) - len(removable)
    return text + (f"; {kept} gone but kept, because other sources have them" if kept else "")
