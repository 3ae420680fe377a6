"""What the commands share: options, settings, and how results and notes are printed."""

import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click

from tagdb import config
from tagdb.cli import conditions
from tagdb.config import Settings
from tagdb.errors import RejectedInput
from tagdb.hashtags import printable

F = TypeVar("F", bound=Callable[..., Any])

_BUT_JOINERS = re.compile("[^\u200c\u200d]+")  # compiled before there may be no memory for it
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}

DONE_WITH_REJECTIONS = 3
"""Exit code when some inputs were rejected and the others done."""


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    # ctx.meta is shared by a group and its commands; the innermost flag that was given wins
    if value:
        ctx.meta[f"tagdb.{param.name}"] = value


def shared_options(function: F) -> F:
    """``--database-url`` and ``--verbose``, accepted before and after a command's name."""
    for option in (
        click.option(
            "--verbose", is_flag=True, expose_value=False, is_eager=True, callback=_remember,
            help="Show a traceback when something fails.",
        ),
        click.option(
            "--database-url", metavar="URL", expose_value=False, is_eager=True, callback=_remember,
            help="A PostgreSQL with pgvector (default: TAGDB_DATABASE_URL, or the embedded one).",
        ),
    ):  # fmt: skip
        function = option(function)
    return function


def backbone_options(function: F) -> F:
    """``--backbone`` and ``--input-size``."""
    function = click.option(
        "--input-size", type=int, metavar="PIXELS",
        help="96, 128, 160, 192 or 224 (default: the database's; of a new one 224 for imagenet, else 160).",
    )(function)  # fmt: skip
    return click.option(
        "--backbone", metavar="NAME|PATH",
        help="imagenet, imagenet-float32, bundled, or a file (default: the database's, or imagenet)."
    )(function)  # fmt: skip


def remote_options(function: F) -> F:
    """``--allow-private`` and ``--allow-http``, of commands that read files of the web."""
    function = click.option(
        "--allow-http", is_flag=True, help="Fetch by plain http too, which anyone on the way can change."
    )(function)
    return click.option(
        "--allow-private", is_flag=True, help="Fetch from private, loopback and link-local addresses, too."
    )(function)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
quiet_option = click.option("--quiet", "-q", is_flag=True, help="No progress and no notes.")


def settings(backbone: str | None = None) -> Settings:
    """The settings of the running command."""
    meta = click.get_current_context().meta
    return config.load(database_url=meta.get("tagdb.database_url"), backbone=backbone)


def harmless(text: str) -> str:
    """The text on one line, without control characters. The joiners that hashtags may contain stay."""
    return _BUT_JOINERS.sub(lambda part: printable(part[0]), text)


def note(text: str) -> None:
    """Print a note on standard error, if that takes any. Its text may quote anything."""
    with suppress(OSError):
        click.echo(harmless(text), err=True)


def say(text: str) -> None:
    """Print a line of a result. Its text may quote anything."""
    click.echo(harmless(text))


def silent(text: str) -> None:
    """Print nothing, in place of :func:`note`."""


class Finite(click.FloatRange):
    """A number in a range. Click's own type lets NaN through, which is in no range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse a number."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{number} is not a finite number.", param, ctx)
        return number


def size(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Number of bytes in a text such as 16GB or 1.5 TiB; each unit is 1024 times the one before."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMGT]?)(?:I?B)?", value.strip().upper())
    if not match or not (size := int(float(match[1]) * _UNITS[match[2]])):
        raise click.BadParameter(f"{value!r} is not a size such as 16GB")
    return size


def print_json(value: object, indent: int | None = 2) -> None:
    """Print a result as JSON, on one line without an indent."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=_jsonable)
    # surrogates (of file names that are not UTF-8) cannot be written; others could steer a terminal
    safe = re.sub("[^\n -~\u200c\u200d]", _escaped, text)
    click.echo(conditions.in_encoding(safe, lambda each: json.dumps(each)[1:-1]))


def _escaped(character: re.Match[str]) -> str:
    return character[0] if character[0].isprintable() else json.dumps(character[0])[1:-1]


def _jsonable(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def print_table(header: list[str], rows: list[list[str]], right: set[int] = frozenset()) -> None:  # type: ignore[assignment]
    """Print aligned columns; ``right`` names those aligned to the right."""
    lines = [[harmless(cell) for cell in line] for line in [header, *rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    for line in lines:
        cells = [
            c.rjust(w) if i in right else c.ljust(w)
            for i, (c, w) in enumerate(zip(line, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())


def print_answers(
    answers: Iterable[tuple[str, Sequence[Any] | RejectedInput]],
    what: str,
    as_json: bool,
    show: Callable[[str, Sequence[Any]], None],
    lines: bool = False,
    every: bool = False,
    nothing: str = "",
) -> None:
    """Print the answers for each photo and exit with the right code.

    Parameters
    ----------
    what
        Name of a photo's answers in JSON.
    show
        Prints one photo's answers as text.
    lines
        Print JSON as one line per photo as soon as it is there, instead of one array at the end.
    every
        Show a photo that was rejected as one without answers.
    nothing
        What to say of a photo for which there is no answer.
    """
    results: list[dict[str, object]] = []
    answered = rejected = 0
    for photo, answer in answers:
        result: dict[str, object] = {"photo": photo}
        if isinstance(answer, RejectedInput):
            rejected += 1
            note(f"rejected {photo}: {answer}")
            result |= {"error": str(answer), "reason_code": answer.reason_code, what: []}
            if every and not as_json:
                show(photo, [])
        else:
            answered += 1
            if not answer and nothing:
                note(f"{photo}: {nothing}")
            result[what] = [asdict(row) for row in answer]
            if not as_json:
                show(photo, answer)
        if as_json and lines:
            print_json(result, indent=None)
        elif as_json:
            results.append(result)
        if lines:
            sys.stdout.flush()
    if as_json and not lines:
        print_json(results)
    if rejected and not answered:
        raise click.exceptions.Exit(1)
    exit_after_rejections(rejected)


def photo_or_id(name: str) -> str | int:
    """Return the number of an image, or else the name of a photo; ``./42`` is a file."""
    return int(name) if re.fullmatch("[0-9]{1,18}", name) else name


def photos_of(names: Sequence[str]) -> list[str]:
    """Return the names of photos, with those in a folder in place of its own."""
    from tagdb.errors import SourceError
    from tagdb.photos.folders import LeftOut, walk

    photos: list[str] = []
    for name in names:
        if not Path(name).is_dir():
            photos.append(name)
            continue
        left_out, before = LeftOut(advice="name it, too"), len(photos)
        for path, reason in walk(Path(name), False, left_out):
            if reason is None and not path.is_file():  # a FIFO, on which opening would wait for ever
                reason = "not a regular file"
            if reason is None:
                photos.append(str(path))
            else:
                note(f"left out {path}: {reason}")
        others = str(left_out)
        if len(photos) == before:
            raise SourceError(f"no photos in {printable(name)}" + (f"; left out: {others}" if others else ""))
        if others:
            note(f"left out of {name}: {others}")
    return photos


class Rejections:
    """Says what could not be used: the first ones, and how many there were."""

    SHOWN = 20

    def __init__(self, say: Callable[[str], None], where: str = "") -> None:
        """Say it by a function; ``where`` is where all of them can be seen."""
        self._say, self._where = say, where
        self.count = 0

    def __call__(self, rejected: object) -> None:
        """Say one."""
        self.count += 1
        if self.count <= self.SHOWN:
            self._say(f"rejected {rejected}")

    def finish(self) -> None:
        """Say how many more there were."""
        if self.count > self.SHOWN:
            self._say(f"… and {self.count - self.SHOWN} more rejected{self._where}")


def at_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty()


def agreed(question: str, yes: bool) -> None:
    """Ask before something is lost, unless ``yes`` says so already. Without a terminal, refuse."""
    if yes:
        return
    if not at_terminal():
        raise click.ClickException(f"{harmless(question)} nobody is there to answer; pass --yes")
    click.confirm(harmless(question), abort=True)


def exit_after_rejections(count: int) -> None:
    """Exit with the code for "done, but some inputs were rejected" if any were."""
    if count:
        sys.stdout.flush()
        click.get_current_context().exit(DONE_WITH_REJECTIONS)
