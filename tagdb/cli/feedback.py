"""``tagdb feedback``."""

from dataclasses import asdict

import click

from tagdb.cli.common import json_option, note, print_json, print_table, say, settings, shared_options


@click.command("feedback")
@click.argument("photo", required=False)
@click.option("--accepted", multiple=True, metavar="TAGS", help="Hashtags that were right: a,b; repeatable.")
@click.option("--rejected", multiple=True, metavar="TAGS", help="Hashtags that were wrong: a,b; repeatable.")
@click.option(
    "--withdraw", multiple=True, metavar="TAGS", help="Take back the last feedback on these: a,b; repeatable."
)
@click.option(
    "--run",
    type=int,
    metavar="N",
    help="The factor run that made the recommendations (default: the active one).",
)
@json_option
@shared_options
def command(
    photo: str | None,
    accepted: tuple[str, ...],
    rejected: tuple[str, ...],
    withdraw: tuple[str, ...],
    run: int | None,
    as_json: bool,
) -> None:
    """Record which recommended hashtags were right for a stored photo.

    Accepted hashtags are added to the photo and weigh more in the next factor run. Rejected ones are not
    recommended for it again. Without a photo, shows the share of accepted recommendations by factor run
    and week.

    \b
    Examples:
      tagdb feedback beach.jpg --accepted sea,summer --rejected snow
      tagdb feedback beach.jpg --withdraw snow
      tagdb feedback
    """
    from tagdb import feedback, store
    from tagdb.errors import RejectedInput, TagdbError
    from tagdb.hashtags import given
    from tagdb.postgres import database

    try:
        yes, no, back = given(accepted), given(rejected), given(withdraw)
    except RejectedInput as error:
        raise click.UsageError(f"--accepted/--rejected/--withdraw: {error}") from error
    if photo is None and (yes or no or back):
        raise click.UsageError("name the photo that the hashtags belong to")
    if photo is not None and not (yes or no or back):
        raise click.UsageError("give the hashtags that were right or wrong with --accepted or --rejected")
    if back and (yes or no):
        raise click.UsageError("--withdraw goes without --accepted and --rejected")
    with database.open_database(settings(), note) as connection:
        if photo is not None and back:
            withdrawn = feedback.withdraw(connection, photo, back)
            if as_json:
                print_json(asdict(withdrawn))
            else:
                said = " ".join(f"#{each}" for each in withdrawn.hashtags) or "nothing, there was none"
                say(f"{photo}: withdrew {said}")
            return
        if photo is not None:
            try:
                done = feedback.give(connection, photo, yes, no, run)
            except RejectedInput as error:
                raise TagdbError(f"{photo}: {error}") from error
            if as_json:
                print_json(asdict(done))
            else:
                say(f"{photo}: {done.accepted} accepted, {done.rejected} rejected")
            return
        weeks = store.feedback.acceptance(connection)
    if as_json:
        print_json([asdict(week) for week in weeks])
    elif not weeks:
        note("no feedback yet; to give some: tagdb feedback PHOTO --accepted a,b --rejected c")
    else:
        rows = [
            [
                "-" if week.factor_run_id is None else str(week.factor_run_id),
                *map(str, (week.week, week.images, week.accepted, week.rejected)),
                f"{week.acceptance:.0%}",
            ]
            for week in weeks
        ]
        print_table(["run", "week", "images", "accepted", "rejected", "acceptance"], rows, {0, 2, 3, 4, 5})
