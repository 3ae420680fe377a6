"""``tagdb recommend``."""

from dataclasses import asdict

import click

from tagdb.cli.common import (
    backbone_options,
    exit_after_rejections,
    json_option,
    note,
    print_json,
    settings,
    shared_options,
)


@click.command("recommend")
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...")
@click.option(
    "--top", "-n", type=click.IntRange(min=1), default=10, show_default=True, help="Hashtags a photo."
)
@click.option(
    "--neighbours", type=click.IntRange(min=1), help="Nearest images to average (default: the factor run's)."
)
@click.option(
    "--known", multiple=True, metavar="TAG", help="A hashtag that the photo has already; repeatable."
)
@click.option("--exclude", multiple=True, metavar="TAG", help="A hashtag not to recommend; repeatable.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "hashtags", "json"]),
    default="table",
    help="hashtags: one line of #a #b #c to paste.",
)
@json_option
@backbone_options
@shared_options
def command(
    photos: tuple[str, ...],
    top: int,
    neighbours: int | None,
    known: tuple[str, ...],
    exclude: tuple[str, ...],
    form: str,
    as_json: bool,
    backbone: str | None,
    input_size: int | None,
) -> None:
    """Recommend hashtags for photos.

    The photos are not stored. "-" reads one photo from standard input.

    \b
    Examples:
      tagdb recommend beach.jpg
      tagdb recommend beach.jpg --known summer --format hashtags
      tagdb recommend *.jpg --top 5 --json
    """
    from tagdb import database, recommend
    from tagdb.backbone import resolve
    from tagdb.errors import RejectedInput
    from tagdb.hashtags import fold, printable

    try:
        query = recommend.Query(top, neighbours, [fold(tag) for tag in known], [fold(tag) for tag in exclude])
    except RejectedInput as error:
        raise click.UsageError(f"--known/--exclude: {error}") from error
    form = "json" if as_json else form
    results: list[dict[str, object]] = []
    rejected = 0
    config = settings(backbone)
    with database.open_database(config, note) as connection:
        recommend.require_factors(connection)
        network = resolve(
            config.backbone, input_size, recommend.backbone_of(connection), config.backbone_cache, note
        )
        for photo, answer in recommend.recommend(connection, network, photos, query):
            if isinstance(answer, RejectedInput):
                rejected += 1
                note(f"rejected {printable(photo)}: {answer}")
                results.append({"photo": photo, "error": str(answer), "hashtags": []})
                continue
            results.append({"photo": photo, "hashtags": [asdict(one) for one in answer]})
            if form == "hashtags":
                click.echo(" ".join(f"#{one.hashtag}" for one in answer))
            elif form == "table":
                if len(photos) > 1:
                    click.echo(printable(photo))
                width = max((len(one.hashtag) for one in answer), default=0)
                for one in answer:
                    click.echo(f"{one.rank:>3}  #{one.hashtag:<{width}}  {one.score:.3f}")
    if form == "json":
        print_json(results)
    if rejected == len(photos):
        raise click.exceptions.Exit(1)
    exit_after_rejections(rejected)
