"""``tagdb work``."""

import signal
from functools import partial
from types import FrameType

import click

from tagdb.cli.common import note, quiet_option, settings, shared_options, silent


@click.command("work")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Photos embedded at once (default: one per core).",
)
@quiet_option
@shared_options
def command(workers: int | None, quiet: bool) -> None:
    """Answer photos that come by SQL, until interrupted.

    Services that have only SQL call tagdb.recommend_photo or tagdb.submit_photo with the bytes of a photo.
    This program embeds it, stores it if that was asked for, and answers. Run several, also on several
    machines. At Ctrl-C or SIGTERM it finishes what it has begun; what a killed one has begun, another takes
    over.

    \b
    Examples:
      tagdb work
      tagdb work --workers 4 --quiet
    """
    from tagdb.embedder import Embedder
    from tagdb.postgres import database
    from tagdb.postgres.pooled import require_session
    from tagdb.requests import RequestWorker

    config, tell = settings(), silent if quiet else note
    with database.open_database(config, tell) as connection:
        database.require_writable(connection)
        require_session(connection, "waiting for photos")
    embedder = Embedder(config, tell, workers, chooses=False)
    connect = partial(database.reconnect, config, silent, patience=0)
    worker = RequestWorker(embedder, connect, tell, workers and workers + 1)

    def stop(number: int, frame: FrameType | None) -> None:
        worker.stop()
        signal.signal(number, signal.SIG_DFL)  # the second time, at once

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        tell("answering photos that come by SQL; stop with Ctrl-C")
        worker.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        embedder.close()
    tell(f"answered {worker.answered}, refused {worker.refused}")
