"""``tagdb collect``."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tagdb.cli.common import (
    Rejections,
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

if TYPE_CHECKING:
    from tagdb.collect import Collected


@click.command("collect")
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Look at the first N photos of each page only."
)
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("collected"),
    show_default=True,
    metavar="FOLDER",
    help="Folder to keep the photos in.",
)
@click.option("--no-ingest", is_flag=True, help="Only collect; do not store them in the database.")
@backbone_options
@json_option
@quiet_option
@shared_options
def command(
    urls: tuple[str, ...],
    limit: int | None,
    into: Path,
    no_ingest: bool,
    backbone: str | None,
    input_size: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Collect photos of public pages, such as those of hashtags, and ingest them.

    A URL is a page that gallery-dl knows (pip install 'tagdb[collect]'). Its photos are kept in
    FOLDER/HASHTAG with their metadata, and ingested with the hashtags of their posts and the page's own,
    which also is their collection. Only photos that are not there yet are taken. After a stop (Ctrl-C),
    run the same command again to continue. Logins are set up in gallery-dl's own configuration.

    \b
    Examples:
      tagdb collect https://mastodon.social/tags/sea --limit 200
      tagdb collect https://mastodon.social/tags/sea https://mastodon.art/tags/clouds --into photos/
      tagdb collect https://mastodon.social/tags/sea --no-ingest
    """
    from tagdb import collect

    config = settings(backbone)
    tell = silent if quiet else note
    if not no_ingest:
        from tagdb.postgres import database

        with database.open_database(config, tell) as connection:
            database.require_writable(connection)  # or else it would fail after all the collecting
    verbose = bool(click.get_current_context().meta.get("tagdb.verbose"))
    problems = Rejections(tell)
    with _stoppable(into):
        collected = collect.collect(urls, collect.Options(into, limit, quiet, verbose), tell, problems)
    problems.finish()
    if not as_json:
        for one in collected:
            say(_line(one))
    summary = rejected = None
    if not no_ingest and (sources := collect.sources(collected)):
        from tagdb import ingest
        from tagdb.cli.ingest import as_dict, line, stored

        rejections = Rejections(tell, "; see the view tagdb.ingest_errors")
        summary = stored(sources, config, input_size, ingest.Options(quiet=quiet), rejections, tell)
        rejections.finish()
        rejected = summary.counts.rejected
        if not as_json:
            click.echo(line(summary))
    if as_json:
        pages = [_jsonable(one) for one in collected]
        print_json({"pages": pages, "ingested": as_dict(summary) if summary else None})
    if problems.count and not any(one.new or one.known for one in collected):
        raise click.exceptions.Exit(1)
    exit_after_rejections(problems.count + (rejected or 0))


@contextmanager
def _stoppable(into: Path) -> Iterator[None]:
    """Let SIGTERM stop the block as Ctrl-C does, so that gallery-dl ends, too."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        raise click.ClickException(
            f"interrupted; complete photos are in {into}; run the same command again to continue"
        ) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _line(one: "Collected") -> str:
    """The result of a page for people."""
    text = f"{one.url}: {one.new} new, {one.known} already there"
    return text + (f", in {one.folder}" if one.folder else "")


def _jsonable(one: "Collected") -> dict[str, Any]:
    said = asdict(one)
    return (
        {"url": said.pop("url"), "collection": said.pop("name") or None}
        | said
        | {"folder": None if one.folder is None else str(one.folder)}
    )
