"""``tagdb factors``."""

import math
from dataclasses import asdict
from typing import Any

import click

from tagdb.cli.common import (
    F,
    Finite,
    json_option,
    note,
    print_json,
    print_table,
    quiet_option,
    say,
    settings,
    shared_options,
    silent,
)
from tagdb.learning.settings import FOLLOWING, PRESETS, SETTINGS, FactorSettings


class Sample(click.ParamType[float]):
    """How much to learn from: a number of images, a share of them, or all."""

    name = "sample"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse a number, a share, or ``all``."""
        try:
            number = 1.0 if value == "all" else float(value)
        except ValueError:
            number = math.nan
        if not (0 < number <= 1 or (2 <= number <= SETTINGS["sample"].high and number == int(number))):
            self.fail(
                f"a sample is 2 images or more, a share of them below 1, or all, not {value}", param, ctx
            )
        return number


def setting_options(function: F) -> F:
    """An option for every factor setting; a command gets those that were given."""
    for name, setting in reversed([*SETTINGS.items()]):
        default = getattr(FactorSettings(), name)
        kind: Any
        if name == "sample":
            kind, metavar = Sample(), "N|SHARE|all"
        elif setting.choices:
            kind, metavar = click.Choice(setting.choices), None
        elif isinstance(default, int):
            kind, metavar = click.IntRange(int(setting.low), int(setting.high)), "N"
        else:
            kind, metavar = Finite(setting.low, setting.high), "X"
        shown = setting.shown or str(default).removesuffix(".0")
        function = click.option(
            f"--{name.replace('_', '-')}", type=kind, metavar=metavar, help=f"{setting.help} ({shown})."
        )(function)
    return function


@click.group("factors")
@shared_options
def command() -> None:
    """ALS factors: the vectors that recommendations are computed from."""


@command.command("compute")
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    help="shipped: tagdb's own defaults; ancestor: those of the project tagdb grew from.",
)
@setting_options
@click.option(
    "--engine",
    type=click.Choice(["implicit", "spark"]),
    default="implicit",
    show_default=True,
    help="What computes them: this process, or a Spark cluster (pip install 'tagdb[spark]').",
)
@click.option(
    "--master", metavar="URL", help="The cluster, with --engine spark: spark://HOST:7077, local[4] …"
)
@click.option("--no-activate", is_flag=True, help="Keep recommending from the active run.")
@click.option(
    "--activate-if-better",
    is_flag=True,
    help="Activate it unless `tagdb evaluate` finds its settings worse than the active run's.",
)
@json_option
@quiet_option
@shared_options
def compute(
    preset: str | None,
    engine: str,
    master: str | None,
    no_activate: bool,
    activate_if_better: bool,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Compute factors from all stored hashtags and activate the run.

    Defaults are in brackets; those stored by `tagdb tune` take their place.

    \b
    Examples:
      tagdb factors compute
      tagdb factors compute --factors 64 --min-images 3
      tagdb factors compute --activate-if-better
      tagdb factors compute --sample 0.1
      tagdb factors compute --preset ancestor --no-activate
      tagdb factors compute --engine spark --master spark://host:7077
    """
    from tagdb import factors, store
    from tagdb.doctor.findings import count_noun
    from tagdb.postgres import database

    if no_activate and activate_if_better:
        raise click.UsageError("--no-activate and --activate-if-better exclude each other")
    if (engine == "spark") != (master is not None):
        raise click.UsageError("--engine spark needs --master URL, and --master needs --engine spark")
    chosen = {name: value for name, value in given.items() if value is not None}
    verdict = None
    with database.open_database(settings(), silent if quiet else note) as connection:
        base = PRESETS[preset] if preset else store.runs.default_settings(connection)
        wanted = base.changed(**chosen)
        at_once = not (no_activate or activate_if_better)
        if master is None:
            done = factors.compute(connection, wanted, at_once, quiet)
        else:
            from tagdb.spark import computing

            done = computing.compute(connection, master, wanted, at_once, quiet)
        if activate_if_better:
            from tagdb.errors import EvaluationError
            from tagdb.evaluation import evaluate

            try:
                verdict = evaluate.promote(connection, done.factor_run_id, quiet=quiet)
            except EvaluationError as error:
                raise EvaluationError(
                    f"factor run {done.factor_run_id} is ready but was not activated: {error}"
                ) from error
    used, tell = done.settings, silent if quiet else note
    if done.sampled_because:
        tell(done.sampled_because)
    if done.too_little:
        tell(done.too_little)
    if used.min_hashtags < wanted.min_hashtags and wanted.is_chosen("min_hashtags"):
        tell(
            f"{wanted.min_hashtags} as min_hashtags would leave out more than half of the images; "
            f"{used.min_hashtags} was used"
        )
    followed = {
        name: getattr(used, name)
        for name in FOLLOWING
        if getattr(used, name) != getattr(wanted, name) and not wanted.is_chosen(name)
    }
    if followed:
        values = ", ".join(f"{name}={value:g}" for name, value in followed.items())
        tell(f"defaults for images and hashtags like these: {values}")
    active = done.active or (verdict is not None and verdict.promoted)
    if as_json:
        answer = done.facts() | {"active": active}
        print_json(answer | ({"verdict": asdict(verdict)} if verdict else {}))
        return
    counts = (
        f"{count_noun(done.images, 'image', 'images')} ({used.min_hashtags}+ hashtags each) × "
        f"{count_noun(done.hashtags, 'hashtag', 'hashtags')} (on {used.min_images}+ images), "
        f"{count_noun(done.interactions, 'interaction', 'interactions')}, "
        f"{count_noun(used.factors, 'factor', 'factors')}"
    )
    click.echo(
        f"factor run {done.factor_run_id} is {'active' if active else 'ready'}: {counts}"
        + (f", ALS on {done.sample} of the images" if done.sample else "")
        + f"; {done.seconds:.1f} s"
    )
    if verdict is not None:
        click.echo(verdict.sentence)
    elif not active:
        tell(f"to recommend from it: tagdb factors activate {done.factor_run_id}")


@command.command("list")
@json_option
@shared_options
def list_runs(as_json: bool) -> None:
    """List factor runs, oldest first.

    \b
    Example:
      tagdb factors list
    """
    from tagdb import store
    from tagdb.postgres import database

    with database.open_database(settings(), note) as connection:
        runs = store.runs.list_all(connection)
    if as_json:
        print_json([run.facts() for run in runs])
        return
    if not runs:
        note("no factor run yet; compute one: tagdb factors compute")
        return
    columns = {
        "run": "factor_run_id", "status": "status", "factors": "factors", "alpha": "alpha",
        "regul.": "regularization", "iter.": "iterations", "min": "min_images", "min #": "min_hashtags",
        "ridge": "ridge", "refit": "refit_penalty", "neighb.": "neighbours", "contr.": "contrast",
        "exp.": "similarity_exponent",
        "sample": "sample", "images": "images", "hashtags": "hashtags", "interactions": "interactions",
        "seconds": "seconds",
    }  # fmt: skip
    rows = [[_cell(run.facts(), name) for name in columns.values()] for run in runs]
    print_table(list(columns), rows, right=set(range(len(columns))) - {1})


def _cell(facts: dict[str, object], name: str) -> str:
    value = facts[name]
    if name == "status" and facts["pruned_at"] is not None:
        return "pruned"
    if name == "seconds":
        return "" if value is None else f"{value:.1f}"
    if name == "sample" and not value:
        return "all"
    return f"{value:g}" if isinstance(value, float) else str(value)


@command.command("activate")
@click.argument("run", type=int)
@shared_options
def activate(run: int) -> None:
    """Recommend from another run, by its number in `tagdb factors list`.

    \b
    Example:
      tagdb factors activate 3
    """
    from tagdb import factors
    from tagdb.postgres import database

    with database.open_database(settings(), note) as connection:
        factors.activate(connection, run)
    click.echo(f"factor run {run} is active")


@command.command("rollback")
@shared_options
def rollback() -> None:
    """Go back to the run that was active before.

    \b
    Example:
      tagdb factors rollback
    """
    from tagdb import factors
    from tagdb.postgres import database

    with database.open_database(settings(), note) as connection:
        run = factors.rollback(connection)
    click.echo(f"factor run {run} is active again")


@command.command("prune")
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="Runs to keep, including the active one.",
)
@json_option
@quiet_option
@shared_options
def prune(keep: int, as_json: bool, quiet: bool) -> None:
    """Drop the factors of old runs. Their settings stay on record.

    The active run and the latest ones are kept. Concurrent recommendations are not affected.

    \b
    Example:
      tagdb factors prune --keep 3
    """
    from tagdb import factors
    from tagdb.postgres import database

    with database.open_database(settings(), note) as connection:
        done = factors.prune(connection, keep, quiet)
    if as_json:
        print_json(asdict(done))
    elif done.pruned or not done.in_use:
        click.echo(f"pruned {_runs(done.pruned)}" if done.pruned else "nothing to prune")
    if done.in_use:
        note(
            f"{_runs(done.in_use)} could not be dropped: a transaction elsewhere may still use the "
            "factors; prune again when it has ended"
        )
        raise click.exceptions.Exit(1)


def _runs(numbers: list[int]) -> str:
    return f"factor run{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"


@command.command("diff")
@click.argument("before", type=int)
@click.argument("after", type=int)
@click.option(
    "--images", type=click.IntRange(min=1), default=200, show_default=True, help="Size of the sample."
)
@click.option(
    "--top", "-n", type=click.IntRange(min=1), default=10, show_default=True, help="Hashtags per image."
)
@json_option
@shared_options
def diff(before: int, after: int, images: int, top: int, as_json: bool) -> None:
    """Compare what two runs recommend for a sample of the stored images.

    \b
    Example:
      tagdb factors diff 3 4
    """
    from tagdb import factors
    from tagdb.postgres import database

    with database.open_database(settings(), note) as connection:
        difference = factors.difference(connection, before, after, images, top)
    if as_json:
        print_json(asdict(difference))
        return
    click.echo(
        f"{difference.images} images: {difference.overlap:.0%} of the first {difference.top} hashtags are "
        f"the same, and {difference.same_first:.0%} have the same first hashtag"
    )
    for moved in difference.moved[:20]:
        say(f"  #{moved.hashtag}  {moved.before} → {moved.after}")
    if len(difference.moved) > 20:
        click.echo(f"  … and {len(difference.moved) - 20} more that moved")
