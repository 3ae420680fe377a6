"""``tagdb tune``."""

from dataclasses import asdict

import click

from tagdb.cli.common import (
    Finite,
    json_option,
    note,
    print_json,
    print_table,
    quiet_option,
    settings,
    shared_options,
    silent,
)
from tagdb.learning.settings import FactorSettings

SHOWN = 10


@click.command("tune")
@click.option(
    "--minutes", type=Finite(min=0, min_open=True), default=10, show_default=True,
    help="How long to search.",
)  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed holds out other photos.")
@click.option("--photos", type=click.IntRange(min=50), metavar="N", help="Use at most N images.")
@click.option("--dry-run", is_flag=True, help="Search, but do not store the winner.")
@click.option("--forget", is_flag=True, help="Go back to tagdb's own defaults.")
@json_option
@quiet_option
@shared_options
def command(
    minutes: float, seed: int, photos: int | None, dry_run: bool, forget: bool, as_json: bool, quiet: bool
) -> None:
    """Find the settings that recommend best for your photos.

    A fifth of the photos is held out; on the others, settings are compared by cross-validation until the
    time is up. The winner becomes the default for `tagdb factors compute` and is then measured on the
    held-out photos. With fewer than 250 photos with three hashtags or more, it is shown, but not stored.

    \b
    Examples:
      tagdb tune --minutes 10
      tagdb tune --minutes 2 --dry-run
      tagdb tune --forget
    """
    from tagdb import store
    from tagdb.evaluation import tune
    from tagdb.postgres import database

    say = silent if quiet else note

    def on_better(best: FactorSettings, ndcg: float, tried: int) -> None:
        say(f"{tried:>4} tried: nDCG@10 {ndcg:.4f}  {best.difference() or 'as shipped'}")

    if forget and dry_run:
        raise click.UsageError("--forget and --dry-run exclude each other")
    with database.open_database(settings(), say) as connection:
        if forget:
            there = store.runs.forget_defaults(connection)
            click.echo("back to tagdb's own defaults" if there else "tagdb's own defaults are in use already")
            return
        done = tune.tune(connection, minutes, seed, photos, not dry_run, quiet, on_better)
    if as_json:
        print_json(asdict(done) | {"plan": done.plan.stored(), "used": done.used.values()})
        return
    # the others were dropped after some of the photos, so their figures cannot be compared with these
    ranked = sorted((trial for trial in done.trials if trial.finished), key=lambda trial: -trial.ndcg)
    click.echo(
        f"{len(done.trials)} settings tried in {done.seconds:.0f} s, {len(ranked)} of them on all photos; "
        "the best of these:"
    )
    rows = [[f"{trial.ndcg:.4f}", trial.plan or "as shipped"] for trial in ranked[:SHOWN]]
    print_table(["nDCG@10", "settings that differ from tagdb's defaults"], rows, {0})
    click.echo(f"on {done.queries} held-out photos: nDCG@10 {done.held_out:.3f}")
    for paired, what in (
        (done.against_before, "the defaults until now"),
        (done.against_ancestor, "the ancestor's settings"),
    ):
        click.echo(f"  {paired.difference:+.3f} [{paired.low:+.3f}, {paired.high:+.3f}] against {what}")
    if done.not_stored:
        click.echo(done.not_stored)
    elif done.stored:
        click.echo("stored as defaults for: tagdb factors compute    (to go back: tagdb tune --forget)")
