"""The Python API: ``tagdb.connect()`` returns a :class:`Database` with the verbs of the command line.

A method calls the same function as the command, and so the same SQL, and returns the same answers.
"""

import io
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from tagdb import collect, config, corrections, factors, feedback, ingest, recommend, store, sync
from tagdb.collect import Collected
from tagdb.config import Settings
from tagdb.corrections import Removed, Tagged, Untagged
from tagdb.embedder import Embedder
from tagdb.embedding.backbone import Backbone
from tagdb.embedding.worker import Embedded
from tagdb.errors import RejectedInput, TagdbError
from tagdb.factors import Computed
from tagdb.feedback import Withdrawn
from tagdb.hashtags import fold, given, unfolded
from tagdb.ingest import Originals, Summary
from tagdb.learning.model import Embeddings
from tagdb.learning.settings import FactorSettings
from tagdb.photos import files
from tagdb.photos.images import content_hash
from tagdb.photos.keywords import Hierarchy, Where, check
from tagdb.photos.shards import Shard
from tagdb.photos.sources import Reading, open_source
from tagdb.photos.uris import Allowed
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tagdb.postgres.pool import Pool
from tagdb.store.answers import Contribution, Query, Recommendation, SimilarImage
from tagdb.store.batches import Rejected
from tagdb.store.corrections import Stored
from tagdb.store.exports import Selection
from tagdb.store.feedback import Feedback
from tagdb.store.runs import FactorRun, Factors
from tagdb.store.statistics import Statistics
from tagdb.store.tags import Edit
from tagdb.sync import Difference, Synchronised

if TYPE_CHECKING:
    from tagdb.evaluation.curve import Curve
    from tagdb.evaluation.reports import Report
    from tagdb.export.originals import GivenBack
    from tagdb.export.run import Exported

Result = TypeVar("Result")
NewPhoto = str | Path | bytes | Image
"""A photo: its path, its bytes, or a Pillow image."""
Photo = NewPhoto | int
"""The same, or the number of a stored image."""


def _ignore(_: object) -> None:
    """Do nothing."""


def connect(
    url: str | None = None,
    *,
    home: str | Path | None = None,
    backbone: str | None = None,
    notify: Callable[[str], None] = _ignore,
) -> "Database":
    """Open a tagdb database.

    Parameters
    ----------
    url
        A PostgreSQL with pgvector. None for ``TAGDB_DATABASE_URL``, the setting ``database_url``, or the
        embedded PostgreSQL, which is started and initialised if necessary.
    home
        Folder of the embedded database and of exported backbones; None for ``TAGDB_HOME`` or the platform's.
    backbone
        ``imagenet``, ``imagenet-float32``, ``bundled``, or a weights file. None for the database's own, and
        ``imagenet`` for a new database.
    notify
        Called with notes that the command line would print, such as that the embedded server was started.

    Raises
    ------
    ConfigError
        A setting is not valid.
    DatabaseError
        The database cannot be reached, or has no schema yet (``SchemaError``; run ``tagdb init``).
    """
    environment = os.environ if home is None else os.environ | {"TAGDB_HOME": str(home)}
    return Database(config.load(environment, database_url=url, backbone=backbone), notify)


class Database:
    """A tagdb database. A context manager that closes it; threads may share it.

    A photo is a path (``str`` or ``Path``), its bytes, a Pillow image, or the number of a stored image.
    Methods that take a photo raise ``RejectedInput`` if it cannot be used. Hashtags are a text or several:
    ``"sea sun"`` and ``["sea", "sun"]`` are the same. All errors are ``TagdbError``.
    """

    def __init__(self, settings: Settings, notify: Callable[[str], None] = _ignore) -> None:
        """Open the database named by the settings; use :func:`connect` instead."""
        self._settings, self._notify = settings, notify
        self.url: str = database.ensure_url(settings, notify)
        """URL for other clients: psycopg, SQLAlchemy, pandas."""
        with database.open_database(settings, notify):
            pass  # checks the schema
        self._pool = Pool(lambda: database.connect(self.url))
        self._embedder = Embedder(settings, notify)

    def close(self) -> None:
        """Close the connections and end the processes that decode photos."""
        self._pool.close()
        self._embedder.close()

    def __enter__(self) -> "Database":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- storing ------------------------------------------------------------------------------------

    def ingest(
        self,
        *sources: str | Path,
        input_size: int | None = None,
        originals: Originals = "copy",
        limit: int | None = None,
        shard: str | None = None,
        update: bool = False,
        dry_run: bool = False,
        format: str | None = None,
        collection: str | None = None,
        hashtags: str | Iterable[str] = (),
        allow_outside: bool = False,
        keywords: Where = "all",
        hierarchy: Hierarchy = "leaf",
        fetch: bool = False,
        allow_private: bool = False,
        allow_http: bool = False,
        on_rejected: Callable[[Rejected], None] = _ignore,
        quiet: bool = True,
    ) -> Summary:
        """Store photos and their hashtags; see ``tagdb ingest --help``.

        Parameters
        ----------
        sources
            Folders, lists, or photos, of any format of ``docs/sources.md``, or their URIs.
        format
            Name of their format, if it is not recognised.
        collection
            Collection of the photos for which a source names none.
        hashtags
            Hashtags of all photos, besides those that a source says.
        keywords
            Where keywords are read: in photos and sidecars (``all``), in sidecars (``sidecar``) or nowhere
            (``none``).
        hierarchy
            What of a keyword such as ``Places|Italy|Rome`` becomes a hashtag: the last part (``leaf``), or
            each (``path``).
        update
            Let what a source says now replace what it said before.
        shard
            Which photos to ingest while other machines ingest the rest, such as ``2/10``; None for all.
        originals
            Where the original photos are to be: ``copy`` in the database, ``keep`` where they are now, or
            ``none``.
        fetch
            Read the photos that rows name by the URI of an object or of a file on the web.
        allow_private
            Fetch from private, loopback and link-local addresses of the web, too.
        allow_http
            Fetch by plain http, too.
        on_rejected
            Called with every rejected input.
        quiet
            If false, show progress on standard error.

        Raises
        ------
        ConfigError
            ``keywords`` or ``hierarchy`` has another value.
        SourceError
            A source cannot be read at all, or there is no such shard.
        """
        check(keywords, hierarchy)
        reading = _reading(format, collection, hashtags, allow_outside, fetch, allow_private, allow_http)
        reading = replace(reading, shard=Shard.parse(shard) if shard is not None else None)
        opened = [open_source(str(each), reading) for each in sources]
        options = ingest.Options(originals, limit, dry_run, quiet, keywords, hierarchy, update)
        with self._session() as connection:
            backbone = None if dry_run else self._embedder.backbone(connection, input_size)
            return ingest.run(connection, backbone, opened, options, on_rejected, self._reconnect)

    def difference(
        self,
        source: str | Path,
        *,
        format: str | None = None,
        collection: str | None = None,
        hashtags: str | Iterable[str] = (),
        allow_outside: bool = False,
        fetch: bool = False,
        allow_private: bool = False,
        allow_http: bool = False,
        keywords: Where = "all",
        hierarchy: Hierarchy = "leaf",
        on_rejected: Callable[[Rejected], None] = _ignore,
        quiet: bool = True,
    ) -> Difference:
        """Return how a source differs from what is stored of it; see ``tagdb sync --dry-run``.

        The arguments are those of :meth:`ingest`.
        """
        check(keywords, hierarchy)
        reading = _reading(format, collection, hashtags, allow_outside, fetch, allow_private, allow_http)
        opened = open_source(str(source), reading)
        options = ingest.Options(quiet=quiet, keywords=keywords, hierarchy=hierarchy)
        with self._session() as connection:
            return sync.compare(connection, opened, options, on_rejected)

    def sync(
        self,
        source: str | Path,
        *,
        remove: int | None = None,
        input_size: int | None = None,
        originals: Originals = "copy",
        format: str | None = None,
        collection: str | None = None,
        hashtags: str | Iterable[str] = (),
        allow_outside: bool = False,
        fetch: bool = False,
        allow_private: bool = False,
        allow_http: bool = False,
        keywords: Where = "all",
        hierarchy: Hierarchy = "leaf",
        on_rejected: Callable[[Rejected], None] = _ignore,
        quiet: bool = True,
    ) -> Synchronised:
        """Ingest a source with ``update``, and remove what is gone from it; see ``tagdb sync --help``.

        The other arguments are those of :meth:`ingest`.

        Parameters
        ----------
        remove
            Number of images to remove; None for however many are gone, but no more than half.

        Raises
        ------
        SourceError
            The source cannot be read, is empty, or something in it cannot be read.
        TagdbError
            Another number of images is gone; nothing was changed.
        """
        reading = _reading(format, collection, hashtags, allow_outside, fetch, allow_private, allow_http)
        opened = open_source(str(source), reading)
        check(keywords, hierarchy)
        options = ingest.Options(originals, quiet=quiet, keywords=keywords, hierarchy=hierarchy)
        with self._session() as connection:
            backbone = self._embedder.backbone(connection, input_size)
            return sync.run(
                connection, backbone, opened, sync.up_to_half, options, on_rejected, self._reconnect,
                remove=remove,
            )  # fmt: skip

    def tag(self, photo: Photo, hashtags: str | Iterable[str]) -> Tagged:
        """Give hashtags to a stored photo; see ``tagdb tag --help``."""
        with self._session() as connection:
            return corrections.tag(connection, _stored(connection, photo)[0], _texts(hashtags))

    def untag(self, photo: Photo, hashtags: str | Iterable[str]) -> Untagged:
        """Take hashtags from a stored photo; see ``tagdb untag --help``."""
        with self._session() as connection:
            return corrections.untag(connection, _stored(connection, photo)[0], _texts(hashtags))

    def remove(self, *photos: Photo, collection: str | None = None, uri: str | None = None) -> Removed:
        """Remove stored photos, without asking; see ``tagdb remove --help``.

        Parameters
        ----------
        photos
            Photos or numbers of images.
        collection
            Remove all images of a collection instead.
        uri
            Remove all images whose URI begins with this instead.

        Raises
        ------
        TagdbError
            One of them is not stored; nothing was removed.
        """
        if (bool(photos), collection is not None, uri is not None).count(True) != 1:
            raise TagdbError("name photos, a collection or a URI to remove: one of these")
        with self._session() as connection:
            if collection is not None:
                found = corrections.of_collection(connection, collection)
            elif uri is not None:
                found = corrections.below(connection, uri)
            else:
                found = [each for photo in photos for each in _stored(connection, photo, several=True)]
            return corrections.remove(connection, list({each.image_id for each in found}))

    def collect(
        self,
        *urls: str,
        into: str | Path = "collected",
        limit: int | None = None,
        on_problem: Callable[[str], None] = _ignore,
        on_rejected: Callable[[Rejected], None] = _ignore,
        quiet: bool = True,
    ) -> list[Collected]:
        """Collect photos of public pages by gallery-dl and ingest them; see ``tagdb collect --help``.

        Parameters
        ----------
        on_problem
            Called with each problem of collecting, which begins with the page's URL.
        on_rejected
            Called with every rejected input of ingesting.

        Raises
        ------
        SourceError
            gallery-dl is not installed.
        """
        collected = collect.collect(urls, collect.Options(Path(into), limit, quiet), self._notify, on_problem)
        if sources := collect.sources(collected):
            with self._session() as connection:
                backbone = self._embedder.backbone(connection)
                options = ingest.Options(quiet=quiet)
                ingest.run(connection, backbone, sources, options, on_rejected, self._reconnect)
        return collected

    def compute_factors(
        self,
        preset: str | None = None,
        *,
        master: str | None = None,
        activate: bool = True,
        quiet: bool = True,
        **settings: Any,
    ) -> Computed:
        """Compute factors and activate the run; see ``tagdb factors compute --help``.

        Parameters
        ----------
        preset
            ``shipped`` or ``ancestor``; None for the settings found by ``tagdb tune``, otherwise ``shipped``.
        master
            URL of a Spark cluster that computes them, instead of this process.
        settings
            Fields of :class:`FactorSettings` to change: ``factors=64``.

        Raises
        ------
        FactorsError
            There is nothing to learn from, or a setting or preset does not exist.
        """
        with self._session() as connection:
            if preset is None:
                base = store.runs.default_settings(connection)
            else:
                base = FactorSettings().parsed(preset)
            wanted = base.changed(**settings)
            if master is None:
                return factors.compute(connection, wanted, activate, quiet)
            from tagdb.spark import computing

            return computing.compute(connection, master, wanted, activate, quiet)

    def feedback(
        self,
        photo: Photo,
        accepted: str | Iterable[str] = (),
        rejected: str | Iterable[str] = (),
        factor_run_id: int | None = None,
    ) -> Feedback:
        """Record which recommended hashtags were right for a stored photo.

        Raises
        ------
        TagdbError
            The photo is not stored, or a hashtag is not valid, or both accepted and rejected.
        """
        if isinstance(photo, int):
            content_sha256 = self._ask(lambda c: store.answers.content_sha256(c, photo))
        else:
            content_sha256 = content_hash(_content(photo))
        return self._ask(
            lambda c: feedback.give_by_content(
                c, content_sha256, _named(photo), given(accepted), given(rejected), factor_run_id
            ),
            again=False,
        )

    def withdraw_feedback(self, photo: Photo, hashtags: str | Iterable[str]) -> Withdrawn:
        """Take back the last feedback on hashtags of a stored photo: what was said before counts again."""
        return self._ask(
            lambda c: feedback.withdraw(c, _stored(c, photo)[0].image_id, given(hashtags)), again=False
        )

    def refresh_statistics(self, min_images: int | None = None) -> Statistics:
        """Refresh the hashtag statistics; see ``tagdb stats refresh --help``."""
        with self._session() as connection:
            return store.statistics.refresh(connection, min_images)

    # --- asking -------------------------------------------------------------------------------------

    def recommend(
        self,
        photo: Photo,
        top: int = 10,
        *,
        neighbours: int | None = None,
        known: str | Iterable[str] = (),
        exclude: str | Iterable[str] = (),
        known_weight: float | None = None,
        diversity: float | None = None,
        popularity_discount: float | None = None,
        min_score: float | None = None,
        collection: str | None = None,
    ) -> list[Recommendation]:
        """Recommend hashtags for a photo, best first; see ``tagdb recommend --help``.

        Raises
        ------
        FactorsError
            There are no factors yet.
        """
        query = Query(
            top,
            neighbours,
            given(known),
            given(exclude),
            known_weight,
            diversity,
            popularity_discount,
            min_score,
            collection,
        )

        def ready(connection: Connection) -> None:
            recommend.require_factors(connection)
            if collection is not None:
                recommend.require_collection(connection, collection)

        self._ask(ready)
        if isinstance(photo, int):
            return self._ask(lambda c: store.answers.recommend_for_image(c, photo, query))
        return self._embedded(photo, lambda c, backbone, done: recommend.recommend_one(
            c, backbone, done.photo.sha256, done.required(), query
        ))  # fmt: skip

    def similar(self, photo: Photo, top: int = 10) -> list[SimilarImage]:
        """Return the stored images most like a photo, by cosine similarity, nearest first."""
        self._ask(recommend.require_images)
        if isinstance(photo, int):
            return self._ask(lambda c: store.answers.similar_to_image(c, photo, top))
        return self._embedded(photo, lambda c, backbone, done: recommend.similar_to_one(
            c, backbone, done.required(), top
        ))  # fmt: skip

    def explain(self, photo: Photo, hashtag: str, neighbours: int | None = None) -> list[Contribution]:
        """Return the images that contribute to a hashtag's score for a photo, with their contributions."""
        hashtag = fold(hashtag)
        if isinstance(photo, int):
            return self._ask(lambda c: store.answers.explain_for_image(c, photo, hashtag, neighbours))
        embedding = self.embed(photo)
        return self._ask(lambda c: store.answers.explain(c, embedding, hashtag, neighbours))

    def related(self, hashtag: str, top: int = 10) -> list[Recommendation]:
        """Return the hashtags most similar to a given one, by the cosine of their factors."""
        return self._ask(lambda c: store.answers.related(c, hashtag, top))

    def complete(self, prefix: str, known: str | Iterable[str] = (), top: int = 10) -> list[Recommendation]:
        """Return hashtags that begin with a prefix, first those that go with the known ones."""
        hashtags = given(known)
        return self._ask(lambda c: store.answers.complete(c, prefix, hashtags, top))

    def embed(self, photo: Photo) -> NDArray[np.float32]:
        """Return a photo's embedding by the database's backbone, float32 (1280,) of length 1."""
        if isinstance(photo, int):
            return self._ask(lambda c: store.answers.embedding(c, photo))
        return self._embedded(photo, lambda c, backbone, done: done.required())

    # --- looking ------------------------------------------------------------------------------------

    def rows(self, view: str) -> list[dict[str, Any]]:
        """Return all rows of a view of schema ``tagdb``, columns by name: ``rows("hashtag_stats")``.

        Raises
        ------
        TagdbError
            The view does not exist.
        """
        return self._ask(lambda c: store.answers.view(c, view))

    def embeddings(self) -> Embeddings:
        """Return the embeddings of all images by the active backbone: int64 (n,) and float16 (n, 1280)."""
        return self._ask(store.answers.embeddings)

    def factors(self, factor_run_id: int | None = None) -> Factors:
        """Return the factors of a run, or of the active one.

        Raises
        ------
        FactorsError
            The run does not exist, or its factors were pruned.
        """
        return self._ask(lambda c: store.runs.factors(c, factor_run_id))

    def factor_runs(self) -> list[FactorRun]:
        """Return all factor runs, oldest first."""
        return self._ask(store.runs.list_all)

    def export(
        self,
        target: str | Path | None,
        format: str | None = None,
        *,
        collection: str | None = None,
        where: str | None = None,
        recommend: int | None = None,
        min_score: float | None = None,
        vectors: bool = False,
        photos: bool = True,
        keywords: str = "carried",
        embed: bool = False,
        force: bool = False,
        on_rejected: Callable[[Rejected], None] = _ignore,
        quiet: bool = True,
    ) -> "Exported":
        """Write images with their hashtags for other programs; see ``tagdb export --help``.

        Parameters
        ----------
        target
            A file or a folder, as the format has it; None for sidecars beside the photos.
        format
            ``imagefolder``, ``parquet``, ``csv``, ``jsonl``, ``xmp`` or ``harrison``; None: by the suffix.
        where
            A condition in SQL on the columns of ``tagdb.images``.
        recommend
            Number of hashtags to recommend for each image.
        photos
            Whether photos are in a Parquet file.
        on_rejected
            Called with every image that cannot be written.

        Raises
        ------
        ExportError
            The target exists or cannot be written, or something does not fit the format.
        """
        from tagdb.export.run import Options, export

        options = Options(
            format,
            Selection(collection, where),
            recommend,
            min_score,
            vectors,
            photos,
            keywords,
            embed,
            force,
            quiet,
        )
        with self._session() as connection:
            return export(connection, None if target is None else str(target), options, on_rejected)

    def originals(
        self,
        target: str | Path,
        *,
        collection: str | None = None,
        where: str | None = None,
        force: bool = False,
        on_rejected: Callable[[Rejected], None] = _ignore,
        quiet: bool = True,
    ) -> "GivenBack":
        """Write the stored photos into a folder; see ``tagdb originals --help``.

        Raises
        ------
        ExportError
            The folder has something in it, or cannot be written.
        """
        from tagdb.export.originals import give_back

        with self._session() as connection:
            return give_back(
                connection, str(target), Selection(collection, where), force=force, quiet=quiet,
                on_rejected=on_rejected,
            )  # fmt: skip

    # --- deciding -----------------------------------------------------------------------------------

    def activate(self, factor_run_id: int) -> None:
        """Recommend from another factor run."""
        with self._session() as connection:
            factors.activate(connection, factor_run_id)

    def alias(self, hashtags: str | Iterable[str], into: str) -> Edit:
        """Make hashtags count as another one; see ``tagdb tags alias --help``."""
        return self._ask(lambda c: store.tags.edit(c, "alias", given(hashtags), into), again=False)

    def ban(self, hashtags: str | Iterable[str]) -> Edit:
        """Never recommend or count hashtags again; see ``tagdb tags ban --help``."""
        return self._ask(lambda c: store.tags.edit(c, "ban", given(hashtags)), again=False)

    def undo(self, edit_id: int | None = None) -> Edit:
        """Undo an alias, merge or ban, by default the last one."""
        return self._ask(lambda c: store.tags.undo(c, edit_id), again=False)

    def evaluate(self, *settings: str, quiet: bool = True, **options: Any) -> "Report":
        """Measure recommendations on held-out photos; see ``tagdb evaluate --help``.

        Parameters
        ----------
        settings
            Settings to compare, such as ``factors=64,neighbours=20``.
        options
            ``folds``, ``fraction``, ``seed``, ``runs`` and ``photos``.
        """
        from tagdb.evaluation.evaluate import evaluate

        with self._session() as connection:
            return evaluate(connection, settings=settings, quiet=quiet, **options)

    def learning_curve(self, *settings: str, quiet: bool = True, **options: Any) -> "Curve":
        """Measure recommendations after learning from fewer photos; see ``tagdb evaluate --help``.

        Parameters
        ----------
        settings
            Settings to compare, such as ``factors=64,neighbours=20``.
        options
            ``sizes`` (numbers of photos, and shares of them as floats), and those of :meth:`evaluate`.
        """
        from tagdb.evaluation.curve import curve

        with self._session() as connection:
            return curve(connection, settings=settings, quiet=quiet, **options)

    # --- inside -------------------------------------------------------------------------------------

    def _ask(self, action: Callable[[Connection], Result], again: bool = True) -> Result:
        """Run an action on a pooled connection; repeat it once if the connection was broken."""
        return self._pool.ask(action, again)

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        """Yield a connection for long work; errors become one sentence."""
        with self._pool.connection() as connection, database.translated(connection):
            yield connection

    def _reconnect(self) -> Connection:
        return database.reconnect(self._settings, self._notify)

    def _embedded(
        self, photo: NewPhoto, action: Callable[[Connection, Backbone, Embedded], Result]
    ) -> Result:
        """Embed a photo and run a query with it."""
        return self._embedder.answer(self._ask, _content(photo), action)


def _content(photo: NewPhoto) -> bytes:
    if isinstance(photo, bytes):
        return photo
    if isinstance(photo, str | Path):
        try:
            return files.read_named(str(photo))
        except RejectedInput as error:
            raise RejectedInput(f"{photo}: {error}", error.reason_code) from error
    if not hasattr(photo, "getexif"):
        raise RejectedInput(
            "a photo is a path, its bytes, a Pillow image, or the number of a stored image, not a value of "
            f"type {type(photo).__name__}",
            "not_a_photo",
        )
    stream = io.BytesIO()
    photo.save(stream, "PNG", exif=photo.getexif())
    return stream.getvalue()


def _reading(
    form: str | None,
    collection: str | None,
    hashtags: str | Iterable[str],
    allow_outside: bool,
    fetch: bool,
    allow_private: bool,
    allow_http: bool,
) -> Reading:
    allowed = Allowed(allow_private, allow_http)
    return Reading(form, collection, tuple(unfolded(hashtags)), allow_outside, fetch, allowed)


def _stored(connection: Connection, photo: Photo, several: bool = False) -> list[Stored]:
    """Return the stored images of a photo; without ``several``, just one."""
    if isinstance(photo, int | str | Path):
        return corrections.find(connection, photo) if several else [corrections.find_one(connection, photo)]
    found = store.corrections.by_content(connection, content_hash(_content(photo)))
    if not found:
        raise TagdbError("the photo is not stored")
    return found


def _texts(hashtags: str | Iterable[str]) -> list[str]:
    return [hashtags] if isinstance(hashtags, str) else list(hashtags)


def _named(photo: object) -> str:
    return str(photo) if isinstance(photo, str | Path | int) else "the photo"
