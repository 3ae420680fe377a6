"""How sources are read: options of the commands that ingest."""

from typing import Any

import click

from tagdb.cli.common import F, remote_options

_OPTIONS = (
    click.option("--format", "form", metavar="NAME", help="What SOURCE is, if it is not recognised."),
    click.option("--collection", metavar="NAME", help="Collection of photos for which SOURCE names none."),
    click.option(
        "--hashtags", multiple=True, metavar="A,B", help="Hashtags of all photos, besides those in SOURCE."
    ),
    click.option(
        "--allow-outside",
        is_flag=True,
        help="Allow manifests to name files, and links to lead, outside the folder.",
    ),
    click.option("--fetch", is_flag=True, help="Fetch photos that rows name by a uri elsewhere."),
    remote_options,
)
_KEYWORDS = (
    click.option(
        "--keywords",
        type=click.Choice(["all", "sidecar", "none"]),
        default="all",
        show_default=True,
        help="Where keywords are read: in photos and sidecars, in sidecars only, or not at all.",
    ),
    click.option(
        "--hierarchy",
        type=click.Choice(["leaf", "path"]),
        default="leaf",
        show_default=True,
        help="What of a keyword such as Places|Italy|Rome becomes a hashtag: Rome, or all three.",
    ),
)


originals_option = click.option(
    "--originals",
    type=click.Choice(["copy", "keep", "none"]),
    default="copy",
    show_default=True,
    help="Copy the original photos into the database, keep them where they are, or store none.",
)


def reading_options(function: F) -> F:
    """What a source is, and what is said of all its photos."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def keyword_options(function: F) -> F:
    """Where keywords are read."""
    for option in reversed(_KEYWORDS):
        function = option(function)
    return function


def reading(
    form: str | None,
    collection: str | None,
    hashtags: tuple[str, ...],
    allow_outside: bool,
    fetch: bool,
    allow_private: bool,
    allow_http: bool,
    shard: str | None = None,
) -> Any:
    """Return how sources are read, a ``tagdb.photos.sources.Reading``."""
    from tagdb.errors import RejectedInput, SourceError
    from tagdb.hashtags import unfolded
    from tagdb.photos.formats import formats
    from tagdb.photos.shards import Shard
    from tagdb.photos.sources import Reading
    from tagdb.photos.uris import Allowed

    if form is not None and form not in formats():
        raise click.UsageError(f"--format: no format is called {form}; there are {', '.join(formats())}")
    try:
        part = Shard.parse(shard) if shard is not None else None
    except SourceError as error:
        raise click.UsageError(f"--shard: {error}") from error
    try:
        allowed = Allowed(allow_private, allow_http)
        return Reading(form, collection, tuple(unfolded(hashtags)), allow_outside, fetch, allowed, part)
    except RejectedInput as error:
        raise click.UsageError(f"--hashtags: {error}") from error
