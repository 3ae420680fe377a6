"""``tagdb similar``."""

from collections.abc import Sequence

import click

from tagdb.cli.common import (
    backbone_options,
    json_option,
    note,
    photos_of,
    print_answers,
    say,
    settings,
    shared_options,
)


@click.command("similar")
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...")
@click.option(
    "--top", "-n", type=click.IntRange(min=1), default=10, show_default=True, help="Images per photo."
)
@json_option
@backbone_options
@shared_options
def command(
    photos: Sequence[str], top: int, as_json: bool, backbone: str | None, input_size: int | None
) -> None:
    """Show the stored images most like a photo, or like each in a folder, by cosine similarity.

    \b
    Examples:
      tagdb similar beach.jpg
      tagdb similar beach.jpg --top 3 --json
    """
    from tagdb import recommend, store
    from tagdb.embedder import backbone_for
    from tagdb.postgres import database

    def show(photo: str, answer: Sequence[store.answers.SimilarImage]) -> None:
        if len(photos) > 1:
            say(photo)
        for image in answer:
            say(f"{image.rank:>3}  {image.similarity:.3f}  {image.image_id:>8}  {image.uri}")

    config = settings(backbone)
    photos = photos_of(photos)
    with database.open_database(config, note) as connection:
        recommend.require_images(connection)
        network = backbone_for(connection, config, input_size, note)
        answers = recommend.similar(connection, network, photos, top, apart=len(photos) > 1)
        print_answers(answers, "images", as_json, show)
