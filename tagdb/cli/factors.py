"""``tagdb factors``."""

from dataclasses import asdict, replace

import click

from tagdb.cli.common import (
    json_option,
    note,
    print_json,
    print_table,
    quiet_option,
    settings,
    shared_options,
    silent,
)


@click.group("factors")
@shared_options
def command() -> None:
    """ALS factors: what recommending multiplies."""


@command.command("compute")
@click.option("--preset", type=click.Choice(["ancestor"]), help="Settings of the project tagdb grew from.")
@click.option("--factors", type=click.IntRange(1, 4000), metavar="K", help="Numbers a vector (128).")
@click.option(
    "--alpha", type=click.FloatRange(min=0, min_open=True), help="Confidence of a hashtag on a photo (1)."
)
@click.option("--regularization", type=click.FloatRange(min=0), help="Against overfitting (0.01).")
@click.option("--iterations", type=click.IntRange(min=1), help="Rounds of ALS (15).")
@click.option("--min-images", type=click.IntRange(min=1), help="Leave out hashtags on fewer images (2).")
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), help="The same data and seed give the same factors (42)."
)
@click.option(
    "--neighbours", type=click.IntRange(min=1), help="Nearest images that recommending averages (50)."
)
@click.option(
    "--similarity-exponent",
    type=click.FloatRange(0, 1000),
    help="A neighbour's weight is similarity^this; 0 is the plain mean (8).",
)
@json_option
@quiet_option
@shared_options
def compute(preset: str | None, as_json: bool, quiet: bool, **given: float | None) -> None:
    """Compute factors from all stored hashtags and make them the active run.

    \b
    Examples:
      tagdb factors compute
      tagdb factors compute --factors 64 --min-images 3
      tagdb factors compute --preset ancestor
    """
    from tagdb import database, factors

    plan = factors.ANCESTOR if preset == "ancestor" else factors.Plan()
    chosen = {name: value for name, value in given.items() if value is not None}
    own = {name: chosen.pop(name) for name in ("neighbours", "similarity_exponent") if name in chosen}
    plan = replace(plan, parameters=replace(plan.parameters, **chosen), **own)  # type: ignore[arg-type]
    with database.open_database(settings(), silent if quiet else note) as connection:
        done = factors.compute(connection, plan, quiet)
    if as_json:
        print_json(asdict(done))
    else:
        click.echo(
            f"factor run {done.factor_run_id} is active: {done.images} images × {done.hashtags} hashtags "
            f"that are on {plan.parameters.min_images} images or more, "
            f"{done.interactions} interactions, {plan.parameters.factors} factors; {done.seconds:.1f} s"
        )


@command.command("list")
@json_option
@shared_options
def list_runs(as_json: bool) -> None:
    """List factor runs, oldest first.

    \b
    Example:
      tagdb factors list
    """
    from tagdb import database, store

    with database.open_database(settings(), note) as connection:
        runs = store.factor_runs(connection)
    if as_json:
        print_json(runs)
        return
    if not runs:
        note("no factor runs yet; run: tagdb factors compute")
        return
    columns = (
        "factor_run_id", "status", "factors", "alpha", "regularization", "iterations", "min_images", "seed",
        "neighbours", "similarity_exponent", "images", "hashtags", "interactions",
    )  # fmt: skip
    header = [
        "run",
        "status",
        "factors",
        "alpha",
        "regul.",
        "iter.",
        "min",
        "seed",
        "neighb.",
        "exp.",
        "images",
        "hashtags",
        "interactions",
        "seconds",
    ]
    rows = [[f"{run[c]:g}" if isinstance(run[c], float) else str(run[c]) for c in columns] for run in runs]
    for row, run in zip(rows, runs, strict=True):
        row.append("" if run["seconds"] is None else f"{run['seconds']:.1f}")
    print_table(header, rows, right=set(range(14)) - {1})
