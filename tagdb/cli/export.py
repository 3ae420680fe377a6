"""``tagdb export``."""

from dataclasses import asdict

import click

from tagdb.cli.common import (
    Finite,
    Rejections,
    exit_after_rejections,
    json_option,
    note,
    print_json,
    quiet_option,
    say,
    settings,
    shared_options,
    silent,
)

# as in tagdb.export.run, which is imported when the command runs
_FORMATS = click.Choice(("imagefolder", "parquet", "csv", "jsonl", "xmp", "harrison"))
_KEYWORDS = click.Choice(("carried", "accepted", "recommended"))


@click.command("export")
@click.argument("target", required=False)
@click.option("--format", "form", type=_FORMATS, help="What to write (default: by the suffix of TARGET).")
@click.option("--collection", metavar="NAME", help="Only images of this collection.")
@click.option("--where", metavar="SQL", help="Only images for which this holds of their row in tagdb.images.")
@click.option(
    "--recommend",
    "top",
    type=click.IntRange(min=1),
    metavar="N",
    help="Also N recommended hashtags an image.",
)
@click.option(
    "--min-score", type=Finite(), metavar="X", help="Leave out recommended hashtags below this score."
)
@click.option("--vectors", is_flag=True, help="Also embeddings and image factors (Parquet only).")
@click.option("--no-photos", is_flag=True, help="Leave photos out of a Parquet file.")
@click.option(
    "--keywords",
    type=_KEYWORDS,
    default="carried",
    show_default=True,
    help="Hashtags for sidecars: an image's own, those that feedback accepted, or recommended ones.",
)
@click.option("--embed", is_flag=True, help="Write keywords into JPEGs; other photos get sidecars.")
@click.option("--force", is_flag=True, help="Replace a file, or the whole folder of an earlier export.")
@json_option
@quiet_option
@shared_options
def command(
    target: str | None,
    form: str | None,
    collection: str | None,
    where: str | None,
    top: int | None,
    min_score: float | None,
    vectors: bool,
    no_photos: bool,
    keywords: str,
    embed: bool,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write images with their hashtags, and what is recommended for them, for other programs.

    TARGET is a file for parquet, csv and jsonl ("-": standard output, for the last two), and a folder for
    imagefolder, harrison and xmp, on this machine or in an object store (s3://, gs://, az://). It appears
    when it is complete. What was exported can be ingested again.

    Photos come from the database, or from their own files if these have not changed. For images with
    neither, imagefolder and harrison have no place, and parquet has a row without a photo.

    Without TARGET, xmp adds keywords to the sidecars beside the photos, IMG.jpg.xmp or IMG.xmp; keywords
    that are there stay, and so does all else. Photos are never changed without --embed.

    \b
    Examples:
      tagdb export photos.parquet --recommend 10 --min-score 0.2 --vectors
      tagdb export beach/ --format imagefolder --collection beach
      tagdb export s3://bucket/photos.parquet
      tagdb export - --format jsonl --where "taken_at >= '2024-01-01' AND hashtags >= 3"
      tagdb export --format xmp --keywords accepted
      tagdb export --format xmp --keywords recommended --recommend 5 --min-score 0.3 --embed
    """
    from tagdb.export.run import Options, export
    from tagdb.postgres import database
    from tagdb.store.exports import Selection

    options = Options(
        form,
        Selection(collection, where),
        top,
        min_score,
        vectors,
        not no_photos,
        keywords,
        embed,
        force,
        quiet,
    )
    if min_score is not None and top is None:
        raise click.UsageError("--min-score needs --recommend")
    if as_json and target == "-":
        raise click.UsageError("--json and the target - both take standard output")
    tell = silent if quiet else note
    rejections = Rejections(tell)
    with database.open_database(settings(), tell) as connection:
        done = export(connection, target, options, rejections)
    rejections.finish()
    if done.skipped and done.format == "xmp":
        tell(f"left out {done.skipped} images: their URIs name no file on this machine")
    elif done.skipped:
        tell(f"left out {done.skipped} images: no photo of theirs is stored, nor unchanged where it was")
    elif done.without_photo:
        tell(f"{done.without_photo} images are without a photo: none is stored, nor unchanged where it was")
    rate = (done.images + done.unchanged) / done.seconds if done.seconds else 0.0
    if as_json:
        print_json(asdict(done) | {"seconds": round(done.seconds, 3), "images_per_second": round(rate, 1)})
    else:
        unchanged = f", {done.unchanged} unchanged" if done.format == "xmp" else ""
        text = f"{done.images} images with {done.hashtags} hashtags{unchanged}, {done.photos} photos"
        text += f"; {done.seconds:.1f} s, {rate:.0f} images/s"
        if target == "-":
            tell(text)
        else:
            say(text)
    exit_after_rejections(done.rejected)
