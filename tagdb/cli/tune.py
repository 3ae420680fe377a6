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
@click.option("--seed", type=int, default=0, show_default=True, help="Other photos are put aside.")
@click.option("--photos", type=click.IntRange(min=50), metavar="N", help="Look at so many images at most.")
@click.option("--dry-run", is_flag=True, help="Search, but do not keep what was found.")
@click.option("--forget", is_flag=True, help="Go back to the defaults that tagdb ships.")
@json_option
@quiet_option
@shared_options
def command(
    minutes: float, seed: int, photos: int | None, dry_run: bool, forget: bool, as_json: bool, quiet: bool
) -> None:
    """Find the settings that recommend best for your photos.

    A fifth of the photos is put aside; on the others settings are compared by cross-validation until the
    time is over. The winner becomes the default of the next `tagdb factors compute`, and is measured on the
    photos that were put aside.

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

    with database.open_database(settings(), say) as connection:
        if forget:
            there = store.forget_factor_defaults(connection)
            click.echo("the defaults are those that tagdb ships" + (" again" if there else " already"))
            return
        done = tune.tune(connection, minutes, seed, photos, not dry_run, quiet, on_better)
    if as_json:
        print_json(asdict(done))
        return
    ranked = sorted(done.trials, key=lambda trial: (not trial.finished, -trial.ndcg))
    click.echo(f"{len(done.trials)} settings tried in {done.seconds:.0f} s; the best of them:")
    rows = [[f"{one.ndcg:.4f}", one.plan or "as shipped"] for one in ranked[:SHOWN]]
    print_table(["nDCG@10", "settings, where they differ from tagdb's own"], rows, {0})
    click.echo(f"on {done.queries} photos that were put aside: nDCG@10 {done.held_out:.3f}")
    for paired, what in (
        (done.against_before, "the defaults before"),
        (done.against_ancestor, "the ancestor's settings"),
    ):
        click.echo(f"  {paired.difference:+.3f} [{paired.low:+.3f}, {paired.high:+.3f}] against {what}")
    if done.stored:
        click.echo("kept for the next: tagdb factors compute    (to forget it: tagdb tune --forget)")
