"""``tagdb recommend``."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagdb.cli.common import (
    Finite,
    backbone_options,
    json_option,
    note,
    print_answers,
    say,
    settings,
    shared_options,
)

if TYPE_CHECKING:
    from tagdb.config import Settings
    from tagdb.postgres.database import Connection


@click.command("recommend")
@click.argument("photos", nargs=-1, metavar="PHOTO...")
@click.option(
    "--watch",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Run until interrupted: answer each photo that appears or changes in a folder.",
)
@click.option(
    "--top", "-n", type=click.IntRange(min=1), default=10, show_default=True, help="Hashtags per photo."
)
@click.option(
    "--neighbours",
    type=click.IntRange(min=1),
    help="Nearest images to average (default: as in the factor run).",
)
@click.option(
    "--known",
    multiple=True,
    metavar="TAG",
    help="A hashtag that the photo already has; steers towards what goes with it; repeatable.",
)
@click.option("--exclude", multiple=True, metavar="TAG", help="A hashtag not to recommend; repeatable.")
@click.option(
    "--known-weight",
    type=Finite(0, 1),
    metavar="W",
    help="How strongly --known steers: 0 not at all, 1 entirely (default: 0.5).",
)
@click.option(
    "--diversity",
    type=Finite(0, 1),
    metavar="D",
    help="0: the best scores (default); 1: hashtags as different from each other as possible.",
)
@click.option(
    "--popularity-discount",
    type=Finite(0, 1),
    metavar="D",
    help="Prefer rarer hashtags: 0 not at all (default), 1 most strongly.",
)
@click.option("--min-score", type=float, metavar="S", help="Leave out hashtags with a lower score.")
@click.option("--collection", metavar="NAME", help="Average only images of this collection.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "hashtags", "json"]),
    default="table",
    help="hashtags: one line such as #a #b #c, to paste.",
)
@json_option
@backbone_options
@shared_options
def command(
    photos: tuple[str, ...],
    watch: Path | None,
    top: int,
    neighbours: int | None,
    known: tuple[str, ...],
    exclude: tuple[str, ...],
    known_weight: float | None,
    diversity: float | None,
    popularity_discount: float | None,
    min_score: float | None,
    collection: str | None,
    form: str,
    as_json: bool,
    backbone: str | None,
    input_size: int | None,
) -> None:
    """Recommend hashtags for photos.

    The photos are not stored. "-" reads standard input: either one photo, or the names of photos, one per
    line. Each name is answered before the next is read; with --json, each answer is one line.

    \b
    Examples:
      tagdb recommend beach.jpg
      tagdb recommend beach.jpg --known summer --format hashtags
      tagdb recommend beach.jpg --popularity-discount 0.3 --diversity 0.2
      tagdb recommend *.jpg --top 5 --json
      cat names.txt | tagdb recommend - --json
      tagdb recommend --watch incoming/ --format hashtags
    """
    if bool(photos) == bool(watch):
        raise click.UsageError("name photos, or a folder to --watch")
    from tagdb import recommend, store
    from tagdb.embedding.backbone import resolve
    from tagdb.errors import RejectedInput
    from tagdb.hashtags import fold
    from tagdb.postgres import database

    try:
        query = store.Query(
            top,
            neighbours,
            [fold(tag) for tag in known],
            [fold(tag) for tag in exclude],
            known_weight,
            diversity,
            popularity_discount,
            min_score,
            collection,
        )
    except RejectedInput as error:
        raise click.UsageError(f"--known/--exclude: {error}") from error

    def show(photo: str, answer: Sequence[store.Recommendation]) -> None:
        if form == "hashtags":
            say(" ".join(f"#{one.hashtag}" for one in answer))
            return
        if many:
            say(photo)
        width = max((len(one.hashtag) for one in answer), default=0)
        for one in answer:
            say(f"{one.rank:>3}  #{one.hashtag:<{width}}  {one.score:.3f}")

    coming: Iterator[str] | None = None
    content = recommend.read
    if watch or photos == ("-",):
        from tagdb.photos import watching  # which takes a while, and most calls do without
    if watch:
        coming = watching.new_photos(watch)
    elif photos == ("-",):
        found = watching.named(sys.stdin.buffer)
        if isinstance(found, bytes):
            picture = found
            content = lambda photo: picture  # noqa: E731
        else:
            coming = found
    many = coming is not None or len(photos) > 1
    config = settings(backbone)
    with database.open_database(config, note) as connection:
        recommend.require_factors(connection)
        if collection is not None:
            recommend.require_collection(connection, collection)
        stored = recommend.backbone_of(connection)
        network = resolve(config.backbone, input_size, stored, config.backbone_cache, note)
        as_json = as_json or form == "json"
        if coming is None:
            answers = recommend.recommend(connection, network, photos, query, content)
            print_answers(answers, "hashtags", as_json, show)
            return
        if watch:
            note(f"watching {watch}; stop with Ctrl-C")
        with suppress(KeyboardInterrupt):
            answers = recommend.keep_recommending(_connecting(config, connection), network, coming, query)
            print_answers(answers, "hashtags", as_json, show, lines=True)


def _connecting(config: "Settings", first: "Connection") -> "Callable[[], Connection]":
    """Gives the first connection, and later on others, waiting for a database that has gone."""
    from tagdb.postgres import database

    return lambda: database.reconnect(config, note) if first.closed else first
