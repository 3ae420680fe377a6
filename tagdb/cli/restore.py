"""``tagdb restore``."""

from pathlib import Path

import click

from tagdb.cli.common import json_option, note, print_json, quiet_option, settings, shared_options, silent


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--replace", is_flag=True, help="Drop everything that tagdb has in the database, images included."
)
@click.option(
    "--check",
    "only_check",
    is_flag=True,
    help="Only check that FILE is intact and that the database can take it, and show what is in it.",
)
@json_option
@quiet_option
@shared_options
def command(file: Path, replace: bool, only_check: bool, as_json: bool, quiet: bool) -> None:
    """Restore a backup into a database that has no images yet, all or nothing.

    FILE is read and checked before anything is changed. A backup by an older tagdb is upgraded. If the
    restore fails or is interrupted, the database stays as it was. A vector index is rebuilt, which takes
    time; it may find slightly different neighbours than the old one. Without an index, recommendations are
    the same to the last digit. Restoring runs the SQL in FILE: restore only backups you made yourself.

    \b
    Examples:
      tagdb restore photos.tagdb
      tagdb restore --check photos.tagdb
      tagdb restore --replace photos.tagdb
      tagdb restore photos.tagdb --database-url postgresql://me@db.example/photos
    """
    if only_check and replace:
        raise click.UsageError("--check changes nothing, so it cannot be combined with --replace")
    from tagdb import backup
    from tagdb.hashtags import printable

    say = silent if quiet else note
    if only_check:
        done = backup.check(file, settings(), say, quiet=quiet)
    else:
        done = backup.restore(settings(), file, say, replace=replace, quiet=quiet)
    if as_json:
        print_json(done.facts())
        return
    text = (
        f"{printable(str(file))} of {done.created_at.astimezone():%Y-%m-%d %H:%M}: {backup.described(done)}"
    )
    by = printable(f"schema {done.schema}, tagdb {done.tagdb}, PostgreSQL {done.postgresql}")
    click.echo(f"{text}; {by}" if only_check else f"restored {text}")
