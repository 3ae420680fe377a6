"""``tagdb evaluate``."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagdb.cli.common import (
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

if TYPE_CHECKING:
    from tagdb.evaluation.curve import Curve
    from tagdb.evaluation.holdout import Size
    from tagdb.evaluation.metrics import Estimate
    from tagdb.evaluation.reports import Report, Row

FEW = 500
"""With fewer photos, the interval of nDCG@10 is wider than 7 % of it to either side."""
PLAIN = ("P@1", "P@5", "P@10", "R@5", "R@10")


def _sizes(context: click.Context, parameter: click.Parameter, value: str | None) -> "list[Size] | None":
    """Read numbers and shares of photos."""
    if value is None:
        return None
    try:
        sizes: list[Size] = [
            float(part.removesuffix("%")) / 100 if part.endswith("%") else int(part)
            for part in value.replace(" ", "").split(",")
        ]
    except ValueError:
        sizes = [0]
    if not all(0 < size <= 1 if isinstance(size, float) else size >= 1 for size in sizes):
        raise click.BadParameter(
            f"{value!r} is not a list of numbers of photos and shares, such as 50,200,50%"
        )
    return sizes


@click.command("evaluate")
@click.option(
    "--folds",
    type=click.IntRange(2, 100),
    help="Hold out every photo once, in one of this many folds (default: 5).",
)
@click.option(
    "--fraction",
    type=Finite(0, 1, min_open=True, max_open=True),
    metavar="F",
    help="Hold out this share of the photos once, instead of using folds.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Another seed gives another split.",
)
@click.option(
    "--run",
    "runs",
    type=int,
    multiple=True,
    metavar="N",
    help="Also measure the settings of this factor run.",
)
@click.option(
    "--setting",
    "given",
    multiple=True,
    metavar="NAME=VALUE,…",
    help="Also measure the shipped settings with these changes; may start with shipped or ancestor.",
)
@click.option(
    "--photos", type=click.IntRange(min=1), metavar="N", help="Measure on at most N held-out photos."
)
@click.option(
    "--curve",
    "sizes",
    is_flag=False,
    flag_value="10%,20%,50%",
    metavar="[N,N%,…]",
    callback=_sizes,
    help="Measure after learning from fewer photos, too: these numbers or shares of them (if none are given: "
    "10%,20%,50%), and say whether more photos or other settings would pay.",
)
@json_option
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also draw a chart: .png, .webp or .jpg.",
)
@quiet_option
@shared_options
def command(
    folds: int | None,
    fraction: float | None,
    seed: int,
    runs: tuple[int, ...],
    given: tuple[str, ...],
    photos: int | None,
    sizes: "list[Size] | None",
    as_json: bool,
    plot: Path | None,
    quiet: bool,
) -> None:
    """Measure how good the recommendations are on held-out photos.

    Photos of one post and near-duplicates stay together. It compares the most used hashtags, votes of the
    nearest photos, the settings of the project that tagdb grew from, those of the active run, those of the
    next `tagdb factors compute`, and those given by --run and --setting. Nothing is changed.

    \b
    Examples:
      tagdb evaluate
      tagdb evaluate --setting neighbours=20 --setting factors=64,ridge=0
      tagdb evaluate --run 3 --photos 2000 --plot evaluation.png
      tagdb evaluate --curve --plot curve.png
      tagdb evaluate --fraction 0.2 --json
    """
    from tagdb.evaluation import drawing, evaluate, holdout
    from tagdb.evaluation.curve import Curve, curve
    from tagdb.evaluation.reports import Report
    from tagdb.postgres import database

    if folds is not None and fraction is not None:
        raise click.UsageError("--folds and --fraction exclude each other")
    if plot is not None:
        drawing.check(plot)  # before minutes of work, not after
    folds = folds or holdout.FOLDS
    result: Report | Curve
    with database.open_database(settings(), silent if quiet else note) as connection:
        if sizes is None:
            result = evaluate.evaluate(connection, folds, fraction, seed, runs, given, photos, quiet)
        else:
            result = curve(connection, sizes, folds, fraction, seed, runs, given, photos, quiet)
    if plot is not None:
        _draw(result, plot)
    if as_json:
        print_json(asdict(result))
    elif isinstance(result, Report):
        _show(result)
    else:
        _show_curve(result)
    if result.queries < FEW and not quiet:
        note(
            f"{result.queries} photos are too few to tell settings apart; differences of a few percent show "
            f"from about {FEW} photos with hashtags on"
        )


def _draw(result: "Report | Curve", plot: Path) -> None:
    from tagdb.evaluation import charts, curve_chart
    from tagdb.evaluation.reports import Report

    if isinstance(result, Report):
        charts.draw(result, plot)
    else:
        curve_chart.draw(result, plot)


def _show_curve(curve: "Curve") -> None:
    from tagdb.evaluation.reports import MAIN

    labels = [row.label for row in curve.points[-1].rows]
    figures = [{row.label: row.metrics[MAIN] for row in point.rows} for point in curve.points]
    lines = [
        [f"{point.photos:,}", *(_interval(figures[n][label]) for label in labels)]
        for n, point in enumerate(curve.points)
    ]
    print_table(["photos", *labels], lines, right={0})
    click.echo()
    held = f"{curve.fraction:.0%} of the groups" if curve.fraction is not None else f"{curve.folds} folds"
    click.echo(
        f"{MAIN} on the same {curve.queries:,} held-out photos of {curve.images:,} ({held}, seed "
        f"{curve.seed}), by the number of photos learned from; 95 % intervals in brackets"
    )
    say(curve.sentence)


def _show(report: "Report") -> None:
    from tagdb.evaluation.reports import BEYOND, COVERAGE, MAIN, POPULARITY

    header = [
        "", *PLAIN, MAIN, "hit@5", "coverage", "popularity", "beyond the collection", "against the ancestor",
    ]  # fmt: skip
    lines = [
        [
            row.label,
            *(_number(row.metrics[name]) for name in PLAIN),
            _interval(row.metrics[MAIN]),
            _number(row.metrics["hit@5"]),
            _share(row.metrics[COVERAGE]),
            _share(row.metrics[POPULARITY]),
            _interval(row.metrics[BEYOND]),
            _against(row),
        ]
        for row in report.rows
    ]
    print_table(header, lines, right={1, 2, 3, 4, 5, 7, 8, 9})
    click.echo()
    if report.sql is not None:
        click.echo(
            f"check against SQL, on {report.sql.queries} of these photos with the settings of "
            f"{report.sql.label}: the same 10 hashtags in the same order, "
            f"equal scores aside, for {report.sql.agreement:.0%}; "
            f"{MAIN} differs by {report.sql.ndcg_difference:.4f} on average"
        )
    held = (
        f"{report.fraction:.0%} of the groups were held out"
        if report.fraction is not None
        else f"each group was held out in one of {report.folds} folds"
    )
    click.echo(
        f"measured on {report.queries} photos with {report.min_truth} hashtags or more, of {report.images} "
        f"in {report.groups} groups (one post, or near-duplicates); {held}, seed {report.seed}; "
        "95 % intervals in brackets"
    )
    _conclude(report)


def _conclude(report: "Report") -> None:
    """Say which row is best, and which may be as good: those whose difference may be 0."""
    from tagdb.evaluation.reports import MAIN

    for row in report.rows:
        if row.failed:
            say(f"{row.label}: recommended nothing where nothing could be learned: {row.failed}")
    best = max(report.rows, key=lambda row: row.metrics[MAIN].mean)
    if not best.metrics[MAIN].mean:
        say("nothing that was recommended is right, by any of them")
        return
    rivals = [row.label for row in report.rows if row.against_best is not None and row.against_best.high >= 0]
    text = f"best by {MAIN}: {best.label}"
    say(f"{text}; by chance, these may be as good: {', '.join(rivals)}" if rivals else text)


def _number(value: "Estimate") -> str:
    return f"{value.mean:.3f}"


def _share(value: "Estimate") -> str:
    return f"{100 * value.mean:.1f} %"


def _interval(value: "Estimate") -> str:
    return f"{value.mean:.3f} [{value.low:.3f}, {value.high:.3f}]"


def _against(row: "Row") -> str:
    paired = row.against_ancestor
    if paired is None:
        return ""
    if paired.relative is None or paired.relative_low is None or paired.relative_high is None:
        return f"{paired.difference:+.3f} [{paired.low:+.3f}, {paired.high:+.3f}]"
    return (
        f"{100 * paired.relative:+.1f} % "
        f"[{100 * paired.relative_low:+.1f}, {100 * paired.relative_high:+.1f}]"
    )
