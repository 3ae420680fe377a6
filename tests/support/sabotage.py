"""Decoders that crash, hang, or eat memory at a word: photos say what happens to what decodes them.

The words stand behind the picture, where no decoder looks. What acts on them is Python's own hook for
customising a site, on the path of the processes under test; tagdb knows nothing of it.
"""

from pathlib import Path

SITE = """
import os, signal, sys, time

if any("tagdb" in argument for argument in sys.orig_argv):
    import numpy
    import tagdb.photos.images
    import tagdb.embedding.worker as worker

    worker.SECONDS, worker.GRACE, worker.MEMORY = {seconds}, 1, {memory}
    decode, eaten = tagdb.photos.images.decode, []

    def sleep_for_ever():
        while True:
            time.sleep(1)

    def sleep_undisturbed():  # also by the alarm
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        sleep_for_ever()

    def spin():
        while True:
            pass

    def eat():
        while True:
            eaten.append(numpy.empty(32 << 20, numpy.uint8))  # the limit counts what is asked for

    def once(path):
        # the first time only; it tells who it is, and waits to be killed
        if not os.path.exists(path):
            with open(path + ".new", "w") as file:
                file.write(str(os.getpid()))
            os.rename(path + ".new", path)
            sleep_for_ever()

    def sabotaged(content, size):
        word = content.rpartition(b"!do:")[2].decode(errors="replace") if b"!do:" in content else ""
        name, _, argument = word.partition(" ")
        deeds = dict(
            abort=os.abort, segv=lambda: os.kill(os.getpid(), signal.SIGSEGV), exit=lambda: os._exit(7),
            stop=lambda: os.kill(os.getpid(), signal.SIGSTOP), sleep=sleep_for_ever,
            undisturbed=sleep_undisturbed, spin=spin, eat=eat, once=lambda: once(argument),
        )
        if name in deeds:
            with open({log!r}, "a") as file:
                file.write(f"{{os.getpid()}} {{name}}\\n")
            deeds[name]()
        return decode(content, size)

    tagdb.photos.images.decode = sabotaged
"""


def sabotage(folder: Path, seconds: int = 2, memory: int = 400 << 20) -> Path:
    """Make a folder that sabotages decoders when it is on Python's path; its ``log`` tells of every deed."""
    folder.mkdir(parents=True, exist_ok=True)
    site = SITE.format(seconds=seconds, memory=memory, log=str(folder / "log"))
    (folder / "sitecustomize.py").write_text(site)
    return folder


def that(deed: str, photo: bytes) -> bytes:
    """A photo that makes a decoder abort, segv, exit, stop, sleep, spin, eat and so on."""
    return photo + b"!do:" + deed.encode()
