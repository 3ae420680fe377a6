"""``tagdb recommend``."""

import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagdb.cli.common import (
    Finite,
    backbone_options,
    json_option,
    note,
    photos_of,
    print_answers,
    say,
    settings,
    shared_options,
)

if TYPE_CHECKING:
    from tagdb.store.answers import Recommendation


_NOTHING = "no image like it has factors any more; to compute them: tagdb factors compute"


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
    help="hashtags: one line a photo such as #a #b #c, to paste; empty for one that is rejected.",
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
    """Recommend hashtags for photos, or for all photos in a folder.

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
    from tagdb.embedder import backbone_for
    from tagdb.postgres import database
    from tagdb.store.answers import ANYTHING, Query

    query = Query(
        top,
        neighbours,
        _folded(known),
        _folded(exclude),
        known_weight,
        diversity,
        popularity_discount,
        min_score,
        collection,
    )
    config = settings(backbone)
    named = _photos(photos, watch)
    with database.open_database(config, note) as connection:
        recommend.require_factors(connection)
        if collection is not None:
            recommend.require_collection(connection, collection)
        for hashtag in store.tags.unknown(connection, query.known):
            note(f"no photo has #{hashtag}, so it does nothing as --known")
        network = backbone_for(connection, config, input_size, note)
        if watch:
            note(f"watching {watch}; stop with Ctrl-C")
        answers = recommend.recommend(
            connection,
            network,
            named.names,
            query,
            named.content,
            apart=named.many,
            at_once=named.at_once,
            reconnect=(lambda: database.reconnect(config, note, writable=False)) if named.at_once else None,
        )
        with suppress(KeyboardInterrupt) if named.at_once else nullcontext():
            print_answers(
                answers,
                "hashtags",
                as_json or form == "json",
                _as_hashtags if form == "hashtags" else _as_table(with_names=named.many),
                lines=named.at_once,
                nothing=_NOTHING if query == replace(ANYTHING, top=query.top) else "",
                every=form == "hashtags" and not watch,  # whose names nobody gave, so nothing to line up with
            )


@dataclass(frozen=True)
class _Photos:
    """Which photos are asked about, and how they come."""

    names: Iterable[str]
    content: Callable[[str], bytes]
    many: bool = True
    at_once: bool = False
    """Whether the next name comes only when the photo before it was answered."""


def _photos(photos: tuple[str, ...], watch: Path | None) -> _Photos:
    from tagdb.photos.files import read_named

    if watch is None and photos != ("-",):
        names = photos_of(photos)
        return _Photos(names, read_named, many=len(names) > 1)
    from tagdb.photos import watching  # which takes a while to import, and most calls do without

    if watch is not None:
        return _Photos(watching.new_photos(watch), read_named, at_once=True)
    given = watching.read_stream(sys.stdin.buffer)
    if isinstance(given, bytes):
        return _Photos(photos, lambda photo: given, many=False)
    return _Photos(given, read_named, at_once=True)


def _folded(tags: tuple[str, ...]) -> list[str]:
    from tagdb.errors import RejectedInput
    from tagdb.hashtags import given

    try:
        return given(tags)
    except RejectedInput as error:
        raise click.UsageError(f"--known/--exclude: {error}") from error


def _as_hashtags(photo: str, answer: "Sequence[Recommendation]") -> None:
    say(" ".join(f"#{each.hashtag}" for each in answer))


def _as_table(with_names: bool) -> "Callable[[str, Sequence[Recommendation]], None]":
    def show(photo: str, answer: "Sequence[Recommendation]") -> None:
        if with_names:
            say(photo)
        width = max((len(each.hashtag) for each in answer), default=0)
        for each in answer:
            say(f"{each.rank:>3}  #{each.hashtag:<{width}}  {each.score:.3f}")

    return show
