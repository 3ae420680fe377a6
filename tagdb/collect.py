"""Collect photos of public pages, such as those of hashtags, by gallery-dl.

gallery-dl is under the GPL, so it only runs as a process of its own. It reads its own configuration, which is
where credentials are, and after that the one that is made here (:func:`_configuration`), which says where
photos go and what they are called. Photos of a page lie in a folder of their own, each with gallery-dl's
metadata beside it, which is what :mod:`tagdb.photos.formats.gallery_dl` reads.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from tagdb.errors import RejectedInput, SourceError
from tagdb.hashtags import fold
from tagdb.photos.folders import walk
from tagdb.photos.images import MAX_BYTES
from tagdb.photos.kinds import PHOTO_SUFFIXES
from tagdb.photos.sources import Reading, Source, open_source
from tagdb.progress import track

PACE = 1.0
"""Seconds between requests to a site for which neither gallery-dl nor its configuration has a pace."""
ARCHIVE = ".archive.sqlite3"
"""gallery-dl's list of what was taken already, for all pages: a photo is in the folder of the first."""
GRACE = 5
"""Seconds after which a gallery-dl that does not end when told to is killed."""

# Its parts come from the net: all but ASCII letters, digits and dots becomes "_" (path-restrict below).
_FILE_NAME = "{category}{id|tweet_id|media_id|post_id|index:?_//}{num:?_//}{filename[:80]:?_//}.{extension}"
_TAGGED = {"tag", "tags", "hashtag", "hashtags"}
_QUERIES = ("tags", "tag", "q", "query")
_LOG = re.compile(r"\[(?P<name>[^\]]+)\]\[(?P<level>[a-z]+)\] (?P<text>.*)")
_UNKNOWN = 64
"""Bit of gallery-dl's exit code: it does not know such pages."""


def _ignore(_: object) -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Options:
    """How photos are collected."""

    into: Path = Path("collected")
    """Folder in which each page has one."""
    limit: int | None = None
    """How many photos of a page are looked at, from its first on."""
    quiet: bool = False
    verbose: bool = False
    """Pass on what gallery-dl prints."""


@dataclass(slots=True)
class Collected:
    """What came from a page."""

    url: str
    name: str = ""
    """Of its folder and collection: the hashtag, or the last part of the URL."""
    folder: Path | None = None
    """None for a page from which there never were photos."""
    hashtags: tuple[str, ...] = ()
    """The page's own hashtag, if it is one's page."""
    new: int = 0
    """Number of photos that were not there before."""
    known: int = 0
    """Number of photos that had been taken already."""
    problems: list[str] = field(default_factory=list)
    """What could not be taken, and why."""


def collect(
    urls: Sequence[str],
    options: Options = Options(),
    notify: Callable[[str], None] = _ignore,
    on_problem: Callable[[str], None] = _ignore,
) -> list[Collected]:
    """Collect the photos of pages that are not there yet.

    A stop (KeyboardInterrupt) also ends gallery-dl. Complete photos stay; a later run takes the others.

    Parameters
    ----------
    urls
        Of public pages that gallery-dl knows.
    options
        How they are collected.
    notify
        Called with notes.
    on_problem
        Called with each problem, which begins with the page's URL.

    Raises
    ------
    SourceError
        gallery-dl is not installed, or the folder cannot be written.
    """
    if find_spec("gallery_dl") is None:
        raise SourceError("photos are collected by gallery-dl; install it with: pip install 'tagdb[collect]'")
    collected: list[Collected] = []
    hosts = set[str]()
    with track("collecting", None, "photos", options.quiet) as report:
        for url in urls:
            one = Collected(_without_login(url))
            before = sum(each.new + each.known for each in collected)
            collected.append(one)
            run = _Run(url, one, options, notify, on_problem, lambda seen, b=before: report(b + seen))  # type: ignore[misc]
            try:
                host, one.name, one.hashtags = _page(url)
                pace = run.pace()
                if host not in hosts:
                    notify(f"photos come from {host}; its terms and its authors' rights apply")
                    hosts.add(host)
                run.take(pace)
            except RejectedInput as error:
                run.problem(str(error))
    return collected


def sources(collected: Sequence[Collected]) -> list[Source]:
    """Return the folders of pages to ingest, each photo with the page's collection and hashtag."""
    return [
        open_source(str(one.folder), Reading("gallery-dl", one.name, one.hashtags))
        for one in {one.folder: one for one in collected}.values()
        if one.folder is not None
    ]


def _page(url: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the host of a URL, the name of its collection, and its hashtag, if it is the page of one.

    Raises
    ------
    RejectedInput
        It is no address of a public page.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or not url.isprintable():
        raise RejectedInput("this is not an address that begins with https:// or http://", "invalid_record")
    if parts.username is not None:
        raise RejectedInput(
            "names and passwords belong into gallery-dl's own configuration, not into a URL", "not_allowed"
        )
    said = parse_qs(parts.query)
    steps = [unquote(step) for step in parts.path.split("/") if step]
    key = next((key for key in _QUERIES if key in said), None)
    last = said[key][0] if key else (steps or [host])[-1]
    tagged = key in _TAGGED or last.startswith("#") or (len(steps) > 1 and steps[-2].lower() in _TAGGED)
    name = re.sub(r"[^\w.]+", "_", last.lower()).strip("._").encode()[:150].decode(errors="ignore")
    hashtags: tuple[str, ...] = ()
    with suppress(RejectedInput):
        hashtags = (fold(last),) if tagged else ()
    return host, name or host, hashtags


@dataclass(slots=True)
class _Run:
    """The work of gallery-dl on one page."""

    url: str
    one: Collected
    options: Options
    notify: Callable[[str], None]
    on_problem: Callable[[str], None]
    report: Callable[[int], None]
    warning: str = ""
    """In the line before, if it was one: the reason for what comes next."""
    last: str = ""
    """The last line."""

    def problem(self, reason: str) -> None:
        """Keep a problem and report it."""
        self.one.problems.append(reason)
        self.on_problem(f"{self.one.url}: {reason}")

    def pace(self) -> float | None:
        """Return the seconds between requests, or None where gallery-dl has its own for the site.

        Raises
        ------
        RejectedInput
            gallery-dl knows no such page.
        """
        own = _configuration(None, None)
        with _running(self.url, own, Path(tempfile.gettempdir()), "--extractor-info") as process:
            said = [*_lines(process)]
        if process.returncode > 0 and process.returncode & _UNKNOWN:
            raise RejectedInput(
                "gallery-dl knows no such page; servers that it does not know are named in its configuration",
                "unreadable",
            )
        return None if any(line.startswith("Request interval") for line in said) else PACE

    def take(self, pace: float | None) -> None:
        """Take the photos that are not there yet."""
        into, folder = self.options.into, self.options.into / self.one.name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SourceError(f"cannot write into {into}: {error.strerror}") from error
        with _running(self.url, _configuration(self.options.limit, pace), folder) as process:
            for line in _lines(process):
                self._read(line)
        if process.returncode and not self.one.problems:
            self.problem(f"gallery-dl ended with exit code {process.returncode}: {self.last}")
        if next(walk(folder, False), None) is not None:
            self.one.folder = folder
        else:
            with suppress(OSError):  # it has other files
                folder.rmdir()

    def _read(self, line: str) -> None:
        """Take notice of a line that gallery-dl prints."""
        if self.options.verbose:
            self.notify(f"gallery-dl: {line}")
        self.last = line or self.last
        warning, self.warning = self.warning, ""
        if line.startswith("./"):
            self.one.new += 1
        elif line.startswith("# ./") and "larger than allowed" in warning:
            self.problem(f"{line[4:]}: {warning}")
        elif line.startswith("# ./"):
            self.one.known += 1
        elif said := _LOG.fullmatch(line):
            text = _plain(said["text"])
            if said["level"] == "error":
                self.problem(": ".join(filter(None, ("" if text == "None" else text, warning))) or "failed")
            elif said["level"] == "warning":
                self.warning = re.sub(r" \(\d+/\d+\)$", "", text)  # how often it was tried
        self.report(self.one.new + self.one.known)


def _plain(message: str) -> str:
    """Return a message, which is JSON once gallery-dl has read its configuration, on one line."""
    with suppress(ValueError):
        message = str(json.loads(message))
    return " ".join(message.split())


def _configuration(limit: int | None, pace: float | None) -> dict[str, object]:
    """Return gallery-dl's configuration for a page; what stands at its root wins over any other.

    The user's postprocessors and actions are off. They can run commands, and rename, convert or delete the
    photos that are to be read here. gallery-dl adds up postprocessors from all places of its configuration,
    so all of them are made into the one that writes metadata.
    """
    photos = ("", *(suffix[1:] for suffix in sorted(PHOTO_SUFFIXES)))  # "": not known before it is there
    nothing = (
        "archive",
        "filter",
        "whitelist",
        "blacklist",
        "include",
        "exclude",
        "newline",
        "metadata-path",
    )
    metadata = dict.fromkeys(nothing) | {
        "name": "metadata", "mode": "json", "event": "file", "extension": "json", "filename": "",
        "extension-format": "", "directory": "", "base-directory": "", "open": "w", "encoding": "utf-8",
        "private": False, "skip": False, "mtime": False,
    }  # fmt: skip
    stream = {"encoding": "utf-8", "errors": "replace"}
    own: dict[str, object] = {
        "base-directory": ".",  # the current folder: gallery-dl would expand "$" and "~" in a path
        "directory": [], "filename": _FILE_NAME, "path-restrict": "ascii", "path-replace": "_",
        "path-convert": None, "extension-map": None, "part": True, "part-directory": None, "download": True,
        "skip": True, "archive": f"../{ARCHIVE}", "archive-mode": "file",
        "archive-format": None, "archive-prefix": None, "archive-table": None, "archive-event": None,
        "file-filter": f"extension.lower() in {photos!r}", "filesize-max": str(MAX_BYTES),
        "postprocess": True, "postprocessors": ["metadata"], "postprocessor-options": metadata,
        "actions": None, "signals-actions": None, "signals-ignore": None, "input-files": [],
        "server": {"enabled": False},
        "downloader": {"ytdl": {"enabled": False}, "text": {"enabled": False}},
        "output": {
            "mode": "pipe", "skip": True, "progress": False, "colors": {}, "stdout": stream, "stderr": stream,
            "log": {"format": "[{name}][{levelname}] {message!j}", "level": "info"},
        },
    }  # fmt: skip
    if limit is not None:
        own["file-range"] = f"1-{limit}"
    if pace is not None:
        own["sleep-request"] = pace
    return own


@contextmanager
def _running(
    url: str, own: dict[str, object], folder: Path, *arguments: str
) -> Iterator["subprocess.Popen[str]"]:
    """Run gallery-dl in a folder during the block; end it if the block is left early."""
    with tempfile.TemporaryDirectory(prefix="tagdb-") as place:
        config = Path(place, "config.json")
        config.write_text(json.dumps(own), encoding="utf-8")
        process = subprocess.Popen(
            # Modules are not imported from the current folder, into which files from the net are put.
            [sys.executable, "-P", "-m", "gallery_dl", "--no-input", *arguments,
             "--config", str(config), "--", _spelled(url)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder,
            env=_environment(), encoding="utf-8", errors="replace",
        )  # fmt: skip
        with process:
            try:
                yield process
                process.wait()
            except BaseException:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(GRACE)
                process.kill()
                raise


def _environment() -> dict[str, str]:
    """Environment of gallery-dl, without the database's settings, which may contain its password."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TAGDB_", "PG"))}
    return kept | {"NO_COLOR": "1"}


def _lines(process: "subprocess.Popen[str]") -> Iterator[str]:
    """Yield what gallery-dl prints, a message on one line, and no queries of URLs: they may hold tokens."""
    assert process.stdout is not None
    for line in process.stdout:
        yield re.sub(r"\?[^\s'\"]+", "?…", _without_login(line.rstrip()))


def _spelled(url: str) -> str:
    """Return a URL with letters unescaped: gallery-dl takes ``tags/caf%C3%A9`` for ``tags/caf``."""

    def letters(escapes: re.Match[str]) -> str:
        text = unquote(escapes[0], errors="replace")
        return text if text.isalnum() else escapes[0]

    return re.sub(r"(?:%[89A-Fa-f][0-9A-Fa-f])+", letters, url)


def _without_login(text: str) -> str:
    return re.sub(r"//[^/\s@]*@", "//", text)
