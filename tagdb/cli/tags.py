"""``tagdb tags``."""

from dataclasses import asdict

import click

from tagdb.cli.common import json_option, note, print_json, print_table, say, settings, shared_options
from tagdb.errors import DatabaseError


@click.group("tags")
@shared_options
def command() -> None:
    """Aliases, merges and bans: what hashtags count as.

    A decision takes effect at once in recommendations and statistics. The images keep the hashtags they
    have, so every decision can be undone.
    """


def _decide(kind: str, hashtags: tuple[str, ...], into: str | None, as_json: bool) -> None:
    from psycopg.errors import InvalidParameterValue

    from tagdb import store
    from tagdb.errors import RejectedInput
    from tagdb.hashtags import fold, given
    from tagdb.postgres import database

    try:
        folded = [fold(hashtags[0])] if kind == "alias" else given(hashtags)
        target = fold(into) if into is not None else None
    except RejectedInput as error:
        raise click.UsageError(str(error)) from error
    with database.open_database(settings(), note) as connection:
        try:
            edit = store.tags.edit(connection, kind, folded, target)
        except InvalidParameterValue as error:
            if len(folded) == 1:
                raise
            raise DatabaseError(f"{database.reason(error)} (nothing was changed)") from error
        if kind == "alias" and store.tags.all_by_edit(connection, edit.edit_id):
            note(
                f"no image has #{edit.into_hashtag}, but some have #{folded[0]}: are the two swapped? "
                f"(to undo it: tagdb tags undo {edit.edit_id})"
            )
    if as_json:
        print_json(asdict(edit))
        return
    names = " ".join(f"#{hashtag}" for hashtag in edit.hashtags)
    verb = "count" if len(edit.hashtags) > 1 else "counts"
    if edit.into_hashtag is None:
        what = f"{names} {'are' if len(edit.hashtags) > 1 else 'is'} banned"
    else:
        what = f"{names} {verb} as #{edit.into_hashtag}"
    say(f"{what} (to undo it: tagdb tags undo {edit.edit_id})")


@command.command("alias")
@click.argument("hashtag")
@click.argument("canonical")
@json_option
@shared_options
def alias(hashtag: str, canonical: str, as_json: bool) -> None:
    """Make HASHTAG count as CANONICAL, on stored images and on future ones.

    \b
    Example:
      tagdb tags alias nyc newyork
    """
    _decide("alias", (hashtag,), canonical, as_json)


@command.command("merge")
@click.argument("hashtags", nargs=-1, required=True, metavar="HASHTAG...")
@click.option("--into", required=True, metavar="HASHTAG", help="The hashtag they will count as.")
@json_option
@shared_options
def merge(hashtags: tuple[str, ...], into: str, as_json: bool) -> None:
    """Make several hashtags count as one: an alias for each, undone together.

    \b
    Example:
      tagdb tags merge nyc newyorkcity ny --into newyork
    """
    _decide("merge", hashtags, into, as_json)


@command.command("ban")
@click.argument("hashtags", nargs=-1, required=True, metavar="HASHTAG...")
@json_option
@shared_options
def ban(hashtags: tuple[str, ...], as_json: bool) -> None:
    """Never recommend these hashtags, and ignore them in statistics and factors.

    \b
    Example:
      tagdb tags ban followme like4like
    """
    _decide("ban", hashtags, None, as_json)


@command.command("list")
@json_option
@shared_options
def list_decisions(as_json: bool) -> None:
    """List aliases and bans, each with the number of its edit.

    \b
    Example:
      tagdb tags list
    """
    from tagdb import store
    from tagdb.postgres import database

    with database.open_database(settings(), note) as connection:
        decisions = store.tags.decisions(connection)
    if as_json:
        print_json([asdict(decision) for decision in decisions])
        return
    if not decisions:
        note("there are no aliases and no banned hashtags")
        return
    rows = [
        [
            "" if d.edit_id is None else str(d.edit_id),
            f"#{d.hashtag}",
            "banned" if d.banned else f"counts as #{d.alias_of}",
            f"{d.made_at:%Y-%m-%d %H:%M}" if d.made_at else "",
            d.made_by or "",
        ]
        for d in decisions
    ]
    print_table(["edit", "hashtag", "is", "since", "by"], rows, right={0})


@command.command("undo")
@click.argument("edit", type=click.IntRange(min=1), required=False)
@json_option
@shared_options
def undo(edit: int | None, as_json: bool) -> None:
    """Undo the last edit, or the one with the given number.

    \b
    Examples:
      tagdb tags undo
      tagdb tags undo 12
    """
    from tagdb import store
    from tagdb.postgres import database

    with database.open_database(settings(), note) as connection:
        undone = store.tags.undo(connection, edit)
    if as_json:
        print_json(asdict(undone))
        return
    names = " ".join(f"#{hashtag}" for hashtag in undone.hashtags)
    say(f"undone: edit {undone.edit_id}, {undone.kind} of {names}")
