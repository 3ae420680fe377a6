"""``tagdb ingest``."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from tagdb.cli.common import (
    Rejections,
    backbone_options,
    exit_after_rejections,
    harmless,
    json_option,
    note,
    print_json,
    quiet_option,
    settings,
    shared_options,
    silent,
)
from tagdb.cli.reading import keyword_options, originals_option, reading, reading_options
from tagdb.config import Settings

if TYPE_CHECKING:
    from tagdb.ingest import Options, Originals, Summary
    from tagdb.photos.keywords import Hierarchy, Where
    from tagdb.photos.sources import Source

EXPLAINED = 3
"""Records of a source that are shown by ``--explain``."""


@click.command("ingest")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@backbone_options
@originals_option
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Ingest at most N records.")
@click.option("--shard", metavar="I/N", help="Ingest shard I of N only, while other machines ingest theirs.")
@click.option("--update", is_flag=True, help="Let what a source says now replace what it said before.")
@click.option("--dry-run", is_flag=True, help="Read and decode everything but store nothing.")
@reading_options
@click.option("--explain", is_flag=True, help="Say what SOURCE is, show its first records, store nothing.")
@keyword_options
@json_option
@quiet_option
@shared_options
def command(
    sources: tuple[str, ...],
    backbone: str | None,
    input_size: int | None,
    originals: "Originals",
    limit: int | None,
    shard: str | None,
    update: bool,
    dry_run: bool,
    form: str | None,
    collection: str | None,
    hashtags: tuple[str, ...],
    explain: bool,
    allow_outside: bool,
    fetch: bool,
    allow_private: bool,
    allow_http: bool,
    keywords: "Where",
    hierarchy: "Hierarchy",
    as_json: bool,
    quiet: bool,
) -> None:
    """Store photos and their hashtags, and embed the photos.

    A SOURCE is a folder of photos; a list (CSV, TSV, JSON or JSON Lines with file_name or uri, hashtags,
    and optionally collection, source_ref, taken_at; everything else is kept as metadata); a download by
    gallery-dl or instaloader; an export of Instagram, Facebook or Google; a data set; "-" for JSON Lines
    on standard input; or a photo. It is recognised by what it looks like: docs/sources.md has all of them.
    Photos in a folder are known by their content, and what is left out is counted.

    Keywords in a photo (XMP, IPTC, EXIF) and in a sidecar beside it (IMG.jpg.xmp or IMG.xmp) become
    hashtags too: "New York" is #NewYork. Of photos that are stored already, only sidecars are read.

    Photos with the same bytes are one image, with the hashtags of all of them. An interrupted ingest keeps
    what it stored; run the same command again to continue.

    Of a known photo, hashtags are added and empty fields filled. With --update, what the source says now also
    replaces what it said before. To remove photos that are gone from it: tagdb sync.

    Any number of ingests may run at once. With --shard I/N, each takes its part of the same source: the names
    of photos say which, alike on every machine. All N together are the whole source.

    \b
    Examples:
      tagdb ingest holiday/ --backbone bundled
      tagdb ingest photos.csv more.jsonl --limit 1000
      tagdb ingest lightroom/ --hierarchy path
      tagdb ingest scraped/ --backbone mobilenetv2.weights.h5
      tagdb ingest downloads/ --explain
      tagdb ingest photos.csv --update
      cat photos.jsonl | tagdb ingest -
      tagdb ingest /mnt/photos --shard 2/10
      tagdb ingest s3://bucket/photos --originals keep
      tagdb ingest photos.csv --fetch
    """
    from tagdb.photos.sources import open_source

    if shard is not None and update:
        raise click.UsageError(
            "--update replaces what the whole source said, and --shard reads a part of it; leave out one"
        )
    how = reading(form, collection, hashtags, allow_outside, fetch, allow_private, allow_http, shard)
    opened = [open_source(source, how) for source in sources]
    if explain:
        _explain(opened, keywords, hierarchy, as_json)
        return
    from tagdb import ingest

    say = silent if quiet else note
    rejections = Rejections(say, "; see the view tagdb.ingest_errors")
    options = ingest.Options(originals, limit, dry_run, quiet, keywords, hierarchy, update)
    summary = stored(opened, settings(backbone), input_size, options, rejections, say)
    for source in opened:
        if lists := source.left_out.named_lists():
            say(f"{source.name} was read as photos without hashtags; {lists} was not read: name it as SOURCE")
        if others := str(source.left_out):
            say(f"left out of {source.name}: {others}")
    rejections.finish()
    if as_json:
        print_json(as_dict(summary) | {"dry_run": dry_run, "left_out": summary.left_out, "shard": shard})
    else:
        click.echo((f"shard {shard}: " if shard else "") + line(summary, dry_run))
    exit_after_rejections(summary.counts.rejected)


def stored(
    sources: "Sequence[Source]",
    config: Settings,
    input_size: int | None,
    options: "Options",
    rejections: Rejections,
    say: Callable[[str], None],
) -> "Summary":
    """Ingest sources into the database, and say what to do next."""
    from tagdb import ingest
    from tagdb.embedder import backbone_for
    from tagdb.postgres import database

    with database.open_database(config, say) as connection:
        network = None
        if not options.dry_run:
            network = backbone_for(connection, config, input_size, say)
        try:
            summary = ingest.run(
                connection, network, sources, options, rejections, lambda: database.reconnect(config, say)
            )
        except KeyboardInterrupt:
            raise click.ClickException(
                "interrupted; what was stored stays; run the same command again to continue"
            ) from None
    for source in sources:
        if source.empty:
            say(f"{source.name} has no rows")
    if summary.check_due:
        say(
            "the recall of the vector index was never measured with this many images; "
            "to measure it: tagdb index check --apply"
        )
    if summary.untagged:
        say("no image has a hashtag, and recommending needs some; to add them, ingest a manifest")
    if summary.outgrown:
        say("the factors know little of so many new photos; to learn from them, too: tagdb factors compute")
    new = summary.counts.new
    if 0 < summary.bare < new:  # all of them: a folder, of which nobody expects any
        say(f"{summary.bare} of {new} new photos came without hashtags; nothing is learned from those")
    return summary


def _rate(summary: "Summary") -> float:
    return summary.records / summary.seconds if summary.seconds else 0.0


def as_dict(summary: "Summary") -> dict[str, Any]:
    """The result of an ingest for JSON."""
    rate = round(_rate(summary), 1)
    return asdict(summary.counts) | {"seconds": round(summary.seconds, 3), "images_per_second": rate}


def line(summary: "Summary", dry_run: bool = False) -> str:
    """The result of an ingest for people."""
    c = summary.counts
    text = f"{c.new} new, {c.known} already known, {c.updated} updated, {c.rejected} rejected"
    if c.differing:
        text += f"; {c.differing} differ{'s' if c.differing == 1 else ''}, kept (use --update)"
    text += f"; {summary.seconds:.1f} s, {_rate(summary):.0f} images/s"
    if dry_run:
        return f"would be: {text}; nothing was stored"
    changed = c.new or c.updated or c.rejected or c.differing
    return text if changed else f"nothing changed: {text}"


def _explain(sources: "Sequence[Source]", keywords: "Where", hierarchy: "Hierarchy", as_json: bool) -> None:
    """Say what sources were taken for, and what their first records come to."""
    explained = [_explained(source, keywords, hierarchy) for source in sources]
    if as_json:
        print_json(explained)
        return
    for source, said in zip(sources, explained, strict=True):
        click.echo(harmless(f"{source.name}: {source.format}, {source.what} ({source.how})"))
        for each in said["records"]:
            for name, value in each.items():
                click.echo(harmless(f"  {name}: {value if isinstance(value, str) else _short(value)}"))
            click.echo()


def _explained(source: "Source", keywords: "Where", hierarchy: "Hierarchy") -> dict[str, Any]:
    from tagdb.embedding.backbone import DEFAULT_SIZE
    from tagdb.embedding.pipeline import Pipeline
    from tagdb.errors import RejectedInput
    from tagdb.photos import sidecars
    from tagdb.photos.keywords import NOTHING
    from tagdb.photos.sources import Record

    records: list[dict[str, object]] = []
    with Pipeline(None, DEFAULT_SIZE) as pipeline:
        for one in islice(source, EXPLAINED):
            if not isinstance(one, Record):
                why = {"rejected": one.reason, "reason_code": one.reason_code}
                records.append({"origin": one.origin, "line": one.line, **why})
                continue
            said: dict[str, object] = {"file": one.file.name, "uri": one.uri}
            hashtags, metadata, taken_at = list(one.hashtags), dict(one.metadata), one.taken_at
            refused = list(one.refused)
            try:
                beside = NOTHING if keywords == "none" else sidecars.read(one.file)
                photo = pipeline.embed(one.file.read()).photo
                everything = beside | photo.description if keywords == "all" else beside
                found, unusable = everything.hashtags(hierarchy)
                hashtags, metadata = [*hashtags, *found], everything.metadata | metadata
                taken_at = taken_at or everything.taken_at or photo.taken_at
                refused += map(str, unusable)
            except RejectedInput as error:
                said |= {"rejected": str(error), "reason_code": error.reason_code}
            said |= {"hashtags": [*dict.fromkeys(hashtags)], "collection": one.collection}
            said |= {"source_ref": one.source_ref, "taken_at": taken_at, "metadata": metadata}
            said |= {"refused": refused, "origin": one.origin, "line": one.line}
            records.append({name: value for name, value in said.items() if value not in (None, [], {})})
    return {"source": source.name, "format": source.format, "how": source.how, "records": records}


def _short(value: object) -> str:
    text = str(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else text[:200] + "…"
