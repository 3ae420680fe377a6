"""Export images: select them, read them in batches in one state of the database, and give them to a writer.

What is held in memory is a batch of rows without photos, and photos of ``PHOTOS`` bytes or a single larger
one.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tagdb import __version__, recommend, store
from tagdb.errors import ExportError, RejectedInput
from tagdb.export import targets
from tagdb.export.harrison import Harrison
from tagdb.export.imagefolder import ImageFolder
from tagdb.export.names import Names
from tagdb.export.parquet import Parquet
from tagdb.export.rows import Row, Writer
from tagdb.export.tables import Csv, JsonLines
from tagdb.export.xmp import Beside, Sidecars, is_local, own_file
from tagdb.photos import files, remote
from tagdb.photos.images import content_hash
from tagdb.photos.uris import PUBLIC_ONLY
from tagdb.postgres.database import Connection
from tagdb.progress import track
from tagdb.store.batches import Rejected
from tagdb.store.exports import ALL, Selection, StoredImage, Vectors

FORMATS = {
    "imagefolder": "a folder with photos and metadata.jsonl, as Hugging Face has it",
    "parquet": "a table with photos in it",
    "csv": "a table without photos",
    "jsonl": "JSON Lines without photos",
    "xmp": "sidecars with keywords, beside the photos or in a folder",
    "harrison": "a folder with photos, data_list.txt and tag_list.txt",
}
"""Names of formats, and what they are."""
SUFFIXES = {".parquet": "parquet", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
KEYWORDS = ("carried", "accepted", "recommended")
"""Which hashtags go into sidecars: those that an image carries, that feedback accepted, or recommended."""
BATCH = 500
PHOTOS = 16 << 20

_TABLES = frozenset(["csv", "jsonl", "parquet"])


@dataclass(frozen=True, slots=True)
class Options:
    """What is exported, and how."""

    format: str | None = None
    """A key of ``FORMATS``; None: by the suffix of the target."""
    selection: Selection = ALL
    recommend: int | None = None
    """Number of hashtags to recommend for each image."""
    min_score: float | None = None
    vectors: bool = False
    """Embeddings and factors, too; Parquet only."""
    photos: bool = True
    """Whether photos are in a Parquet file."""
    keywords: str = "carried"
    """One of ``KEYWORDS``, for sidecars."""
    embed: bool = False
    """Write keywords into JPEGs instead of sidecars."""
    force: bool = False
    """Replace an earlier export."""
    quiet: bool = True


@dataclass(slots=True)
class Exported:
    """Result of an export."""

    format: str
    target: str | None
    images: int = 0
    """Images that were written; of sidecars, those that were changed."""
    hashtags: int = 0
    """Hashtags on these images."""
    photos: int = 0
    """Photos that were written."""
    without_photo: int = 0
    """Images for which there is neither a stored original nor an unchanged file on this machine."""
    skipped: int = 0
    """Images that were left out: there is no photo, and the format needs one."""
    unchanged: int = 0
    """Images whose sidecars had all keywords already, or that have none."""
    rejected: int = 0
    """Images that could not be written, for the reasons that were reported."""
    seconds: float = 0.0


def export(
    connection: Connection,
    target: str | None,
    options: Options,
    on_rejected: Callable[[Rejected], None] = lambda rejected: None,
) -> Exported:
    """Write images into a file or a folder, which appears when all is written.

    Parameters
    ----------
    target
        A file for tables, ``-`` for CSV and JSON Lines on standard output, otherwise a folder; None for
        sidecars beside the photos.
    on_rejected
        Called with every image that cannot be written.

    Raises
    ------
    ExportError
        The options do not fit together, the condition is none, or the target cannot be written.
    """
    form = _format(target, options)
    if options.selection.collection is not None:
        recommend.require_collection(connection, options.selection.collection)
    if options.recommend is not None:
        recommend.require_factors(connection)
    run = _Run(connection, form, options, Exported(form, target), on_rejected)
    started = time.monotonic()
    with store.exports.snapshot(connection):
        ids = store.exports.select(connection, options.selection)
        if target is None:
            with Beside(options.embed, run.original) as beside:
                run.write(ids, beside)
        else:
            with _writer(form, target, options, run.vectors, len(ids)) as writer:
                run.write(ids, writer)
    run.done.seconds = time.monotonic() - started
    return run.done


def _format(target: str | None, options: Options) -> str:
    """Return the name of the format; raise ExportError if something does not fit it."""
    form = options.format or SUFFIXES.get(Path(target or "").suffix.lower())
    if form not in FORMATS:
        raise ExportError(f"choose a format: --format {', '.join(FORMATS)}")
    if target is None and form != "xmp":
        raise ExportError(
            f"the format {form} needs a target; name {'a file' if form in _TABLES else 'a folder'}"
        )
    if options.embed and (form != "xmp" or target is not None):
        raise ExportError("--embed changes the photos' own files; it needs --format xmp without a target")
    if options.vectors and form != "parquet":
        raise ExportError("vectors are exported to Parquet only; choose --format parquet")
    if options.keywords not in KEYWORDS:
        raise ExportError(f"keywords are one of {', '.join(KEYWORDS)}, not {options.keywords!r}")
    if form == "xmp" and (options.keywords == "recommended") != (options.recommend is not None):
        raise ExportError("in sidecars, --keywords recommended and --recommend N belong together")
    if form == "harrison" and options.recommend is not None:
        raise ExportError("the format harrison has no room for recommended hashtags; choose another")
    if target == "-" and form == "parquet":
        raise ExportError("a Parquet file cannot go to standard output; name a file")
    return form


@contextmanager
def _writer(form: str, target: str, options: Options, vectors: Vectors, images: int) -> Iterator[Writer]:
    about: dict[str, object] = {
        "tagdb": __version__,
        "format": form,
        "exported_at": datetime.now(UTC).isoformat(),
        "images": images,
        "selection": asdict(options.selection),
    }
    if options.vectors:
        about |= {"factor_run_id": vectors.factor_run_id, "backbone_id": vectors.backbone_id}
    with_recommended = options.recommend is not None
    if form in _TABLES:
        with targets.file(target, options.force) as stream:
            writer: Writer
            if form == "csv":
                writer = Csv(stream, with_recommended)
            elif form == "jsonl":
                writer = JsonLines(stream)
            else:
                factors = vectors.factors if options.vectors else None
                writer = Parquet(stream, options.photos, with_recommended, options.vectors, factors, about)
            with writer as table:
                yield table
    else:
        with targets.folder(target, options.force, about) as folder:
            kinds: dict[str, Callable[[targets.Folder], Writer]]
            kinds = {"imagefolder": ImageFolder, "harrison": Harrison, "xmp": Sidecars}
            with kinds[form](folder) as filling:
                yield filling


class _Run:
    """An export on its way."""

    def __init__(
        self,
        connection: Connection,
        form: str,
        options: Options,
        done: Exported,
        on_rejected: Callable[[Rejected], None],
    ) -> None:
        self._connection, self._form, self._options = connection, form, options
        self.done, self._on_rejected, self._names = done, on_rejected, Names()
        self._in_place = form == "xmp" and done.target is None
        self._needs_photo = form in ("imagefolder", "harrison")
        self._reads_photo = self._needs_photo or (form == "parquet" and options.photos)
        self.vectors = store.exports.vectors(connection)

    def write(self, ids: NDArray[np.int64], writer: Writer) -> None:
        """Write all images."""
        with track("exporting", len(ids), "images", self._options.quiet or self.done.target == "-") as report:
            for number, row in enumerate(self._rows(ids), 1):
                self._write(row, writer)
                report(number)

    def _write(self, row: Row, writer: Writer) -> None:
        done = self.done
        if self._reads_photo and row.photo is None:
            done.without_photo += 1
            if self._needs_photo:
                done.skipped += 1
                return
        if self._in_place and not is_local(row.image.uri):
            done.skipped += 1
            return
        try:
            if not writer.write(row):
                done.unchanged += 1
                return
        except RejectedInput as error:
            done.rejected += 1
            self._on_rejected(Rejected(row.image.uri, None, str(error), error.reason_code))
            return
        done.images += 1
        done.hashtags += len(row.keywords if self._form == "xmp" else row.image.hashtags)
        done.photos += self._reads_photo and row.photo is not None

    def original(self, image_id: int) -> bytes | None:
        """Return the stored content of an image."""
        return store.exports.originals(self._connection, [image_id]).get(image_id)

    def _rows(self, ids: NDArray[np.int64]) -> Iterator[Row]:
        options, connection = self._options, self._connection
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH].tolist()
            images = store.exports.images(connection, batch)
            recommended = None
            if options.recommend is not None:
                recommended = store.exports.recommended(
                    connection, batch, options.recommend, options.min_score
                )
            keywords = {}
            if self._form == "xmp":
                keywords = self._keywords(images, recommended or {})
            embeddings, factors = {}, {}
            if options.vectors:
                embeddings = store.exports.embeddings(connection, self.vectors, batch)
                factors = store.exports.factors(connection, self.vectors, batch)
            for image, photo in self._photos(images):
                number = image.image_id
                yield Row(
                    image,
                    self._names(image.uri, image.media_type, number),
                    photo,
                    keywords.get(number, ()),
                    None if recommended is None else recommended.get(number, []),
                    embeddings.get(number),
                    factors.get(number),
                )

    def _keywords(
        self, images: Sequence[StoredImage], recommended: dict[int, list[store.answers.Recommendation]]
    ) -> dict[int, list[str]]:
        if self._options.keywords == "recommended":
            return {image_id: [each.hashtag for each in found] for image_id, found in recommended.items()}
        if self._options.keywords == "accepted":
            return store.exports.accepted(self._connection, [image.image_id for image in images])
        return {image.image_id: image.hashtags for image in images}

    def _photos(self, images: Sequence[StoredImage]) -> Iterator[tuple[StoredImage, bytes | None]]:
        """Yield images with their photos, if these are read."""
        if not self._reads_photo:
            yield from ((image, None) for image in images)
            return
        for few in portions(images):
            originals = store.exports.originals(self._connection, [image.image_id for image in few])
            for image in few:
                yield image, photo_of(image, originals.pop(image.image_id, None))


def portions(images: Sequence[StoredImage]) -> Iterator[list[StoredImage]]:
    """Yield images in portions of ``PHOTOS`` bytes."""
    few, size = list[StoredImage](), 0
    for image in images:
        if few and size + image.byte_count > PHOTOS:
            yield few
            few, size = [], 0
        few.append(image)
        size += image.byte_count
    if few:
        yield few


def photo_of(image: StoredImage, original: bytes | None) -> bytes | None:
    """Return an image's photo, if it is the one that was ingested: as it is stored, or from where it is."""
    if original is not None and content_hash(original) == image.content_sha256:
        return original
    try:
        if image.kept_at is not None:
            content = remote.read_kept(image.kept_at, PUBLIC_ONLY)
        else:
            content = files.read(own_file(image.uri))
    except RejectedInput:
        return None
    return content if content_hash(content) == image.content_sha256 else None
