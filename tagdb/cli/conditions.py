"""Conditions of the machine and the terminal, which are no bug: what to say, and output that degrades."""

import codecs
import errno
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_PLAIN = {"…": "...", "→": "->", "×": "x", "–": "-", "’": "'", "“": '"', "”": '"', "§": "section "}
_REMEDIES = {
    errno.ENOSPC: "make room, and run the same command again",
    errno.EDQUOT: "make room, and run the same command again",
    errno.EROFS: "name another folder",
    errno.EACCES: "check its owner and its rights, or name another",
    errno.EPERM: "check its owner and its rights, or name another",
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
    errno.ENFILE: "end other programs, or raise the machine's limit on open files",
    errno.EAGAIN: "end other programs, or raise the limit on processes (ulimit -u)",
    errno.ENOMEM: "end other programs, or use a machine with more memory",
}
_NO_MEMORY = re.compile("failed to map segment|cannot allocate memory|bad_alloc", re.IGNORECASE)
"""How libraries, and the system, say that there is not enough memory."""


def sentence(error: Exception) -> str | None:
    """Return what to say of an error of the machine; None if it is something else."""
    if isinstance(error, MemoryError) or _NO_MEMORY.search(str(error)):
        return f"there is not enough memory; {_REMEDIES[errno.ENOMEM]}"
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return f"no more threads can be started; {_REMEDIES[errno.EAGAIN]}"
    if isinstance(error, RuntimeError) and "home directory" in str(error):
        return "this user has no home folder; set HOME"
    if isinstance(error, ImportError) and re.search(r"\.so(\.\d+)*:", str(error)):
        library = "libgomp1" if "libgomp" in str(error) else "the package that has it"
        return f"a library of the system is missing: {error}; install {library} (on Debian: apt install ...)"
    if not isinstance(error, OSError):
        return None
    if error.errno == errno.EBADF and error.filename is None:
        return "standard output is closed; send it to a file, or to /dev/null"
    if isinstance(error, FileNotFoundError) and homeless():
        return "the current folder was removed; go to another one (cd ~), and run the same command again"
    why = error.strerror or str(error) or type(error).__name__
    remedy = _REMEDIES.get(error.errno or 0, "check it, and run the same command again")
    if error.filename is None:
        return f"the output, or a file, cannot be written: {why}; {remedy}"
    name = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else error.filename
    return f"cannot use {name}: {why}; {remedy}"


def homeless() -> bool:
    """Whether the current folder was removed."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def degrade() -> None:
    """Let standard output and error write what their encoding lacks in another way, instead of failing."""
    codecs.register_error("tagdb", _plainly)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # it was closed; no other file may get its number
            flags = os.O_RDONLY if name == "stdout" else os.O_WRONLY  # no result can be written, nothing read
            setattr(sys, name, open(os.open(os.devnull, flags), mode))  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # there is none, or it is somebody's own
            stream.reconfigure(errors="tagdb")  # type: ignore[union-attr]


def let_go() -> None:
    """Drop what standard output and error could not take: at its end, Python would try it again."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _plainly(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN.get(each) or ascii(each)[1:-1] for each in lacking), error.end


def in_encoding(text: str, escape: Callable[[str], str]) -> str:
    """Return a text with what standard output's encoding lacks escaped by a function."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(each if each.isascii() else escape(each) for each in text)
    return text
