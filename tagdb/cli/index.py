"""``tagdb index``."""

from dataclasses import asdict
from typing import TYPE_CHECKING

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
    size,
)

if TYPE_CHECKING:
    from tagdb import store
    from tagdb.indexing import Examined, Memory
    from tagdb.postgres.machine import Machine

MB = 1 << 20


@click.group("index")
@shared_options
def command() -> None:
    """The vector index: how images are searched.

    Up to 2,000 images, every search scans all embeddings. From then on, an ingest builds the index by
    itself, and anew as the collection grows. The index holds search vectors, which are shortened
    embeddings; the candidates it finds are ranked by their full embeddings.
    """


@command.command("build")
@click.option(
    "--memory",
    metavar="SIZE",
    callback=size,
    help="Memory that building may use (default: as much as it needs).",
)
@json_option
@quiet_option
@shared_options
def build(memory: int | None, as_json: bool, quiet: bool) -> None:
    """Rebuild the vector index. Searches and ingests continue; check it afterwards.

    \b
    Examples:
      tagdb index build
      tagdb index build --memory 4GB
    """
    from tagdb import indexing, store
    from tagdb.postgres import database

    say = silent if quiet else note
    config = settings()
    with database.open_database(config, note) as connection:
        before = indexing.status(connection)
        room = indexing.memory_for(connection, before.embeddings, _machine(config.database_url), memory)
        say(_memory_sentence(room))
        after = indexing.build(connection, room, quiet)
    if as_json:
        print_json(_facts(after))
        return
    rate = after.search_vectors / max(after.build_seconds or 0, 1e-3)
    click.echo(
        f"vector index of {after.search_vectors:,} images built in {after.build_seconds:.1f} s "
        f"({rate:,.0f} images/s), {_per_image(after.index_bytes, after.search_vectors)} bytes per image"
    )
    if after.search_vectors < store.index.INDEX_FROM:
        say("with so few images, searching is as fast without it; to drop it: tagdb index drop")
    else:
        say("to measure its recall: tagdb index check --apply")


@command.command("status")
@json_option
@shared_options
def status(as_json: bool) -> None:
    """Show whether there is an index, its size, its settings and the last check.

    \b
    Examples:
      tagdb index status
    """
    from tagdb import indexing, store
    from tagdb.postgres import database

    with database.open_database(settings(), note) as connection:
        status = indexing.status(connection)
    if as_json:
        print_json(_facts(status))
        return
    mb = status.embeddings_bytes / MB
    click.echo(f"embeddings      {status.embeddings:,} ({mb:,.0f} MB)")
    if status.projection_id is None:
        click.echo("vector index    none: every search scans all embeddings")
        if status.embeddings >= store.index.INDEX_FROM:
            note("to build it: tagdb index build")
        return
    seconds = f" in {status.build_seconds:.0f} s" if status.build_seconds is not None else ""
    click.echo(f"vector index    built {status.created_at:%Y-%m-%d %H:%M}{seconds}")
    click.echo(f"search vectors  {status.search_vectors:,} ({status.search_vectors_bytes / MB:,.0f} MB)")
    click.echo(
        f"index size      {status.index_bytes / MB:,.0f} MB, "
        f"{_per_image(status.index_bytes, status.search_vectors)} bytes per image"
    )
    click.echo(f"settings        candidates {status.candidates}, ef_search {status.ef_search}")
    if status.recall is None:
        click.echo("recall          not measured with these settings")
    else:
        click.echo(
            f"recall          {status.recall:.3f} of {status.checked_images:,} images, "
            f"{status.milliseconds:.1f} ms, measured {status.checked_at:%Y-%m-%d %H:%M}"
        )
    if status.recall is None or status.check_due:
        note("to measure it: tagdb index check")


@command.command("drop")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shared_options
def drop(yes: bool) -> None:
    """Drop the vector index. Searches scan all embeddings until it is built again.

    With 2,000 images or more, the next ingest that stores new images builds it again.

    \b
    Examples:
      tagdb index drop --yes
    """
    from tagdb import indexing, store
    from tagdb.postgres import database

    with database.open_database(settings(), note) as connection:
        status = indexing.status(connection)
        if status.projection_id is None:
            click.echo("there is no vector index")
            return
        if not yes:
            click.confirm(
                f"scan all {status.embeddings:,} embeddings in every search from now on?", abort=True
            )
        store.index.drop(connection, status.backbone_id)
    click.echo("vector index dropped")


@command.command("check")
@click.option(
    "--queries", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Number of searches."
)
@click.option(
    "--neighbours",
    type=click.IntRange(1, 1000),
    default=50,
    show_default=True,
    help="Images to find per search.",
)
@click.option(
    "--recall",
    type=Finite(0, 1),
    default=0.96,
    show_default=True,
    help="Share of the true nearest images to find.",
)
@click.option("--apply", is_flag=True, help="Use the suggested settings from now on.")
@json_option
@quiet_option
@shared_options
def check(queries: int, neighbours: int, recall: float, apply: bool, as_json: bool, quiet: bool) -> None:
    """Measure recall and speed of the vector index with several settings.

    Recall is the share of the true nearest images that a search finds, compared with a scan of all
    embeddings. Measurements are recorded in the view tagdb.index_checks. Settings are stored in the
    database and apply to all its users.

    \b
    Examples:
      tagdb index check
      tagdb index check --apply
      tagdb index check --recall 0.99 --queries 500 --apply
    """
    from tagdb import indexing
    from tagdb.postgres import database

    with database.open_database(settings(), note) as connection:
        result = indexing.check(connection, queries, neighbours, recall, quiet)
        if result is not None and apply:
            indexing.apply(connection, result.suggested)
    if as_json:
        facts = asdict(result) if result else {"recall": 1.0}
        print_json(facts | {"applied": bool(result) and apply})
        return
    if result is None:
        click.echo("there is no vector index: searches scan all embeddings, and recall is 1")
        return
    _show(result)
    suggested = result.suggested
    if not result.enough:
        note(f"no settings reached a recall of {recall:g}; rebuilding the index may help: tagdb index build")
    if apply:
        click.echo(f"from now on: candidates {suggested.candidates}, ef_search {suggested.ef_search}")
    elif suggested != result.now:
        note("to use the suggested settings: tagdb index check --apply")


def _show(result: "Examined") -> None:
    """Print the settings worth a look: no others find as much in less time."""
    click.echo(
        f"{result.queries} searches for {result.neighbours} of {result.images:,} images, "
        "compared with a scan of all:"
    )
    rows = []
    best = -1.0
    for measurement in sorted(result.tried, key=lambda measurement: measurement.milliseconds):
        mark = ", ".join(
            word
            for word, which in (("now", result.now), ("suggested", result.suggested))
            if measurement == which
        )
        if measurement.recall > best or mark:
            values = [
                str(measurement.candidates),
                str(measurement.ef_search),
                f"{measurement.recall:.3f}",
                f"{measurement.milliseconds:.1f}",
            ]
            rows.append([*values, mark])
        best = max(best, measurement.recall)
    print_table(["candidates", "ef_search", "recall", "ms", ""], rows, right={0, 1, 2, 3})


def _facts(status: "store.index.SearchStatus") -> dict[str, object]:
    facts = asdict(status)
    facts["bytes_per_image"] = _per_image(status.index_bytes, status.search_vectors)
    return facts


def _per_image(total: int, count: int) -> int:
    return round(total / count) if count else 0


def _machine(database_url: str | None) -> "Machine | None":
    """Return this machine if the database is the embedded one; other servers' machines are unknown."""
    from tagdb.postgres.machine import this_machine

    return this_machine() if database_url is None else None


def _memory_sentence(memory: "Memory") -> str:
    used, needed = memory.used / MB, memory.needed / MB
    if memory.enough:
        return f"building with {used:,.0f} MB of memory; the index needs {needed:,.0f} MB"
    return (
        f"building with {used:,.0f} MB of memory takes several times as long as with the "
        f"{needed:,.0f} MB that the index needs; to allow more: --memory SIZE"
    )
