"""``tagdb demo``."""

import shlex
import shutil
import sys
from pathlib import Path

import click

from tagdb.cli.common import json_option, note, print_json, quiet_option, settings, shared_options, silent


def _activation() -> str:
    """What to type first if the program is not on the path, as after ``make demo``."""
    script = Path(sys.executable).with_name("activate")
    if shutil.which("tagdb") or not script.is_file():
        return ""
    return f", after typing . {shlex.quote(str(script))}"


@click.command("demo")
@click.option("--remove", is_flag=True, help="Delete the demo's database and photos.")
@click.option(
    "--photos", type=click.IntRange(50, 10_000), default=500, show_default=True, help="Photos to draw."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed draws other photos.")
@json_option
@quiet_option
@shared_options
def command(remove: bool, photos: int, seed: int, as_json: bool, quiet: bool) -> None:
    """See tagdb work on photos that it draws itself.

    Draws photos with hashtags in ten collections, ingests most of them, computes factors, and recommends
    hashtags for the others. Needs no network, no weights and no photos of yours. Uses its own database in
    the embedded PostgreSQL and leaves all others alone.

    \b
    Examples:
      tagdb demo
      tagdb demo --remove
    """
    from tagdb import demo

    config = settings()
    if remove:
        demo.remove(config)
        click.echo("the demo's database and photos are deleted")
        return
    result = demo.run(config, photos, seed, quiet or as_json, silent if quiet else note)
    hits = sum(trial.hit for trial in result.tried)
    if as_json:
        print_json(
            {
                "database_url": result.url,
                "contact_sheet": str(result.sheet),
                "images": result.ingested.counts.new,
                "hashtags": result.computed.hashtags,
                "tried": len(result.tried),
                "hits": hits,
                "seconds": round(result.seconds, 1),
            }
        )
        return
    counts, computed = result.ingested.counts, result.computed
    click.echo(
        f"{counts.new} photos drawn and ingested at {result.ingested.records / result.ingested.seconds:.0f} "
        f"images/s; {computed.hashtags} hashtags, {computed.interactions} interactions, factors in "
        f"{computed.seconds:.1f} s\n"
    )
    click.echo("Recommended for photos that are new to the database (* marks hashtags the photo has):\n")
    seen: set[str] = set()
    for trial in result.tried:
        if trial.collection not in seen:
            seen.add(trial.collection)
            tags = " ".join(
                f"{'*' if recommendation.hashtag in trial.hashtags else ''}#{recommendation.hashtag}"
                for recommendation in trial.recommended[:6]
            )
            click.echo(f"  {trial.photo.name:<22} {tags}")
    click.echo(
        f"\n{hits} of {len(result.tried)} photos have their collection's hashtag among the first three "
        f"({result.seconds:.0f} s in total).\n"
        f"Look at them: {result.sheet}\n\n"
        f"Now your own photos{_activation()}:\n"
        "  tagdb ingest PHOTOS.csv --backbone bundled    (file_name,hashtags; see tagdb ingest --help)\n"
        "  tagdb factors compute\n"
        "  tagdb recommend PHOTO\n\n"
        "Or explore the demo's database:\n"
        f"  tagdb db shell --database-url '{result.url}'\n"
        "  tagdb demo --remove\n\n"
        "Its figures as tables, or as a dashboard for BI tools (docs/bi.md):\n"
        f"  tagdb stats show --database-url '{result.url}'\n\n"
        "And in the browser, where you can drop photos and see why they get their hashtags:\n"
        f"  tagdb serve --database-url '{result.url}'"
    )
