"""``tagdb backup``."""

from pathlib import Path

import click

from tagdb.cli.common import json_option, note, print_json, quiet_option, settings, shared_options, silent


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@json_option
@quiet_option
@shared_options
def command(file: Path, force: bool, as_json: bool, quiet: bool) -> None:
    """Write everything into one file: photos, hashtags, embeddings, factors, feedback.

    A backup is a consistent snapshot; others can read and write in the meantime. FILE appears only when it
    is complete. Only you can read it, and it is not encrypted. It contains neither logins nor the other
    files in tagdb's home.

    \b
    Examples:
      tagdb backup photos.tagdb
      tagdb backup --force /mnt/disk/photos.tagdb
    """
    from tagdb import backup
    from tagdb.hashtags import printable

    done = backup.back_up(settings(), file, silent if quiet else note, force=force, quiet=quiet)
    if as_json:
        print_json(done.facts())
    else:
        size = file.stat().st_size
        click.echo(f"{printable(str(file))}: {backup.described(done)}; {size / 1e6:,.1f} MB")
