"""The program ``tagdb``, also as ``python -m tagdb``."""

import signal


def _interrupted(number: int, frame: object) -> None:
    """Ctrl-C: the first one is an exception, and another one, while it is dealt with, ends the program."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    raise KeyboardInterrupt


def main() -> None:
    """Entry point. Before a command begins and after it has ended, Ctrl-C just ends the program."""
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not by what nohup started
    if heeded:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from tagdb import cli

    if heeded:
        signal.signal(signal.SIGINT, _interrupted)
    try:
        cli.main()
    finally:
        if heeded:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    main()
