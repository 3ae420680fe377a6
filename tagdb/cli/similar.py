"""``tagdb similar``."""

from dataclasses import asdict

import click

from tagdb.cli.common import (
    backbone_options,
    exit_after_rejections,
    json_option,
    note,
    print_json,
    settings,
    shared_options,
)


@click.command("similar")
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...")
@click.option(
    "--top", "-n", type=click.IntRange(min=1), default=10, show_default=True, help="Images a photo."
)
@json_option
@backbone_options
@shared_options
def command(
    photos: tuple[str, ...], top: int, as_json: bool, backbone: str | None, input_size: int | None
) -> None:
    """Show the stored images most like a photo, by cosine similarity.

    \b
    Examples:
      tagdb similar beach.jpg
      tagdb similar beach.jpg --top 3 --json
    """
    from tagdb import database, recommend
    from tagdb.backbone import resolve
    from tagdb.errors import RejectedInput
    from tagdb.hashtags import printable

    results: list[dict[str, object]] = []
    rejected = 0
    config = settings(backbone)
    with database.open_database(config, note) as connection:
        recommend.require_images(connection)
        network = resolve(
            config.backbone, input_size, recommend.backbone_of(connection), config.backbone_cache, note
        )
        for photo, answer in recommend.similar(connection, network, photos, top):
            if isinstance(answer, RejectedInput):
                rejected += 1
                note(f"rejected {printable(photo)}: {answer}")
                results.append({"photo": photo, "error": str(answer), "images": []})
                continue
            results.append({"photo": photo, "images": [asdict(one) for one in answer]})
            if not as_json:
                if len(photos) > 1:
                    click.echo(printable(photo))
                for one in answer:
                    click.echo(
                        f"{one.rank:>3}  {one.similarity:.3f}  {one.image_id:>8}  {printable(one.uri)}"
                    )
    if as_json:
        print_json(results)
    if rejected == len(photos):
        raise click.exceptions.Exit(1)
    exit_after_rejections(rejected)
