"""``tagdb stats``."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagdb.cli.common import json_option, note, print_json, print_table, say, settings, shared_options

if TYPE_CHECKING:
    from tagdb.bi.figures import Figures


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


@command.command("show")
@click.argument("pages", nargs=-1, metavar="[PAGE]...")
@click.option("--rows", type=click.IntRange(min=1), default=5, show_default=True, help="Rows of each table.")
@click.option(
    "--period",
    type=click.Choice(("day", "week", "month")),
    default="month",
    show_default=True,
    help="By what times are told apart.",
)
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also draw the main chart of each page: .svg, .png or .pdf.",
)
@json_option
@shared_options
def show(pages: tuple[str, ...], rows: int, period: str, plot: Path | None, as_json: bool) -> None:
    """Print what the dashboards show, as tables.

    The pages are collections, growth, hashtags, pairs, quality and operations (default: all of them); they
    are those of "tagdb bi". JSON has all rows.

    \b
    Examples:
      tagdb stats show
      tagdb stats show hashtags pairs --rows 20
      tagdb stats show --plot statistics.svg
    """
    from tagdb import store
    from tagdb.bi import charts, figures, pictures
    from tagdb.postgres import database

    named = {page.title.lower(): page for page in charts.PAGES}
    for page in pages:
        if page.lower() not in named:
            raise click.UsageError(f"there is no page {page!r}; the pages are {', '.join(named)}")
    chosen = [named[page.lower()] for page in pages] or charts.PAGES
    if plot:
        pictures.check(plot)
    with database.open_database(settings(), note) as connection:
        found = figures.read(connection, chosen, period)
        if not store.answers.readiness(connection).images:
            note("there are no photos in this database yet; ingest some, or name another by --database-url")
    if plot:
        pictures.draw(found, plot)
    if as_json:
        print_json(
            {page: {each.chart.title: each.records() for each in shown} for page, shown in found.items()}
        )
        return
    for number, (page, shown) in enumerate(found.items()):
        click.echo("\n" * bool(number) + page.upper())
        for each in shown:
            if each.chart.kind == "number":
                say(f"{each.chart.title}: {figures.written(each.rows[0][0], each.formats[0])}")
        for each in shown:
            if each.chart.kind != "number" and not each.chart.one:
                _print(each, rows)


def _print(shown: "Figures", rows: int) -> None:
    from tagdb.bi import charts, figures

    click.echo(f"\n{shown.chart.title}. {shown.chart.about}")
    if not shown.rows:
        say("(nothing yet)")
        return
    lines = [
        [figures.written(value, style) for value, style in zip(row, shown.formats, strict=True)]
        for row in figures.first(shown, rows)
    ]
    header = [charts.words(name) for name in shown.names]
    numbers = {at for at, style in enumerate(shown.formats) if style not in {"text", "time"}}
    print_table(header, lines, numbers)
    if len(shown.rows) > len(lines):
        click.echo(f"({len(lines)} of {len(shown.rows)} rows; for more: --rows)")
