"""``tagdb backbone``."""

from collections.abc import Callable
from dataclasses import asdict

import click

from tagdb.cli.common import (
    Rejections,
    exit_after_rejections,
    harmless,
    json_option,
    note,
    print_json,
    print_table,
    quiet_option,
    remote_options,
    settings,
    shared_options,
    silent,
)

SHOWN_REJECTIONS = 20

allow_missing_option = click.option(
    "--allow-missing",
    is_flag=True,
    help="Switch even if some images have no embedding by it; they are no longer found.",
)


@click.group("backbone")
@shared_options
def command() -> None:
    """Backbones: the networks that turn photos into embeddings."""


@command.command("list")
@json_option
@shared_options
def list_backbones(as_json: bool) -> None:
    """List backbones, oldest first, with the number of images each has embedded.

    \b
    Example:
      tagdb backbone list
    """
    from tagdb import store
    from tagdb.postgres import database

    with database.open_database(settings(), note) as connection:
        backbones = store.backbones.list_all(connection)
    if as_json:
        print_json([asdict(backbone) for backbone in backbones])
    elif not backbones:
        note("no backbone yet; the first ingest adds one: tagdb ingest SOURCE")
    else:
        rows = [
            [
                str(backbone.backbone_id), "active" if backbone.active else "", backbone.name,
                f"{backbone.input_size} px", f"{backbone.bits} bits", backbone.weights_sha256[:12],
                f"{backbone.images} of {backbone.of_images}",
            ]
            for backbone in backbones
        ]  # fmt: skip
        print_table(["number", "", "name", "input", "numbers", "weights", "embedded"], rows, {0, 3, 4, 6})


@command.command("reembed")
@click.argument("backbone", metavar="NAME|PATH|N")
@click.option(
    "--input-size",
    type=int,
    metavar="PIXELS",
    help="96, 128, 160, 192 or 224 (default: 224 for imagenet, else 160).",
)
@click.option("--no-switch", is_flag=True, help="Embed all images but keep the current backbone.")
@allow_missing_option
@remote_options
@json_option
@quiet_option
@shared_options
def reembed(
    backbone: str,
    input_size: int | None,
    no_switch: bool,
    allow_missing: bool,
    allow_private: bool,
    allow_http: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Embed all stored images with another backbone and switch to it.

    The backbone is imagenet, imagenet-float32, bundled, a weights file, or the number of one that the
    database already has.

    The old backbone stays in use until the switch, and its embeddings stay until `tagdb backbone drop`.
    An interrupted run keeps what it stored; run the same command again to continue. Original photos that
    were kept where they are (tagdb ingest --originals keep) are read there again.

    \b
    Examples:
      tagdb backbone reembed imagenet
      tagdb backbone reembed mobilenetv2.weights.h5 --input-size 224
      tagdb backbone reembed bundled --no-switch
    """
    from tagdb import reembed as reembedding
    from tagdb import store
    from tagdb.photos.uris import Allowed
    from tagdb.postgres import database

    if no_switch and allow_missing:
        raise click.UsageError("--no-switch and --allow-missing exclude each other")
    config = settings()
    say = silent if quiet else note
    rejections = Rejections(say)
    with database.open_database(config, say) as connection:
        network = reembedding.network_of(connection, backbone, input_size, config.backbone_cache, say)
        try:
            done = reembedding.run(
                connection, network, not no_switch, allow_missing, quiet, rejections,
                lambda: database.reconnect(config, say), Allowed(allow_private, allow_http),
            )  # fmt: skip
        except KeyboardInterrupt:
            raise click.ClickException(
                "interrupted; what was stored stays; run the same command again to continue"
            ) from None
    with database.open_database(config, say) as connection:  # the first one may have broken in the meantime
        foreign = store.runs.of_another_backbone(connection)
    rejections.finish()
    rate = done.embedded / done.seconds if done.seconds else 0.0
    if as_json:
        print_json(
            {
                "backbone_id": done.backbone_id, "name": network.identity.name,
                "input_size": network.identity.input_size, "embedded": done.embedded,
                "rejected": len(done.rejected), "active": done.active, "switched": done.switched,
                "seconds": round(done.seconds, 3), "images_per_second": round(rate, 1),
            }
        )  # fmt: skip
    else:
        text = f"backbone {done.backbone_id}, {network.identity}, is {'' if done.active else 'not '}active: "
        text += f"{done.embedded} embedded, {len(done.rejected)} rejected"
        click.echo(harmless(f"{text}; {done.seconds:.1f} s, {rate:.0f} images/s"))
    if done.switched:
        _say_what_next(foreign, None if config.backbone == backbone else config.backbone, say)
    elif not done.active and no_switch:
        say(f"to switch to it: tagdb backbone use {done.backbone_id}")
    elif not done.active:
        note(
            f"not switched: {len(done.rejected)} images would no longer be found; "
            "fix them and run the same command again, or pass --allow-missing"
        )
    exit_after_rejections(len(done.rejected))


@command.command("use")
@click.argument("number", type=int, metavar="N")
@allow_missing_option
@shared_options
def use(number: int, allow_missing: bool) -> None:
    """Switch to a stored backbone, by its number in `tagdb backbone list`.

    \b
    Example:
      tagdb backbone use 1
    """
    from tagdb import reembed as reembedding
    from tagdb import store
    from tagdb.postgres import database

    config = settings()
    with database.open_database(config, note) as connection:
        reembedding.use(connection, number, allow_missing)
        foreign = store.runs.of_another_backbone(connection)
    click.echo(f"backbone {number} is active")
    _say_what_next(foreign, config.backbone, note)


@command.command("drop")
@click.argument("number", type=int, metavar="N")
@shared_options
def drop(number: int) -> None:
    """Drop a backbone that is not active, with its embeddings and vector index.

    \b
    Example:
      tagdb backbone drop 1
    """
    from tagdb import reembed as reembedding
    from tagdb.postgres import database

    with database.open_database(settings(), note) as connection:
        reembedding.drop(connection, number)
    click.echo(f"backbone {number} dropped")


def _say_what_next(foreign: bool, setting: str | None, say: Callable[[str], None]) -> None:
    """``foreign``: whether the factors in use were computed with another backbone's embeddings."""
    if foreign:
        say("the factors still belong to the old backbone; to recompute them: tagdb factors compute")
    if setting is not None:
        say(f"the settings still name the backbone {setting}; see TAGDB_BACKBONE and tagdb.toml")
