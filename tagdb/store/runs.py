"""Factor runs: their input, their factors, and their status.

building → ready → active → retired, or building → failed; at most one run is active.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from psycopg.types.json import Jsonb

from tagdb.embedding.backbone import DIMENSIONS
from tagdb.errors import FactorsError
from tagdb.learning import projecting
from tagdb.learning.als import Interactions, Weighting
from tagdb.learning.model import EXACT, Embeddings, Maps, Model, Ridge
from tagdb.learning.ranking import Centring
from tagdb.learning.settings import SETTINGS, FactorSettings
from tagdb.postgres.database import Connection
from tagdb.store import backbones, index
from tagdb.store.statements import (
    copy_arrays,
    execute,
    fetch_all,
    fetch_arrays,
    fetch_map,
    fetch_one,
    fetch_packed,
    fetch_value,
    unless_locked,
)

IMAGES_AT_ONCE = 1 << 18
"""Images whose hashtags are read at a time: the server needs 16 bytes of memory for each hashtag on them."""


@dataclass(frozen=True, slots=True)
class FactorRun:
    """A factor run: its settings, its result, and its status."""

    factor_run_id: int
    status: Literal["building", "ready", "active", "retired", "failed"]
    settings: FactorSettings
    """As used: those that nobody chose follow the images, and ``min_hashtags`` may be lower."""
    asked: Mapping[str, Any]
    """As asked for, before any followed the images; see :meth:`FactorSettings.stored`."""
    images: int
    hashtags: int
    interactions: int
    seconds: float | None
    """None until the run is computed."""
    versions: Mapping[str, str]
    """Versions of the software that computed it."""
    metrics: Mapping[str, Any]
    """Measured quality, by name."""
    created_at: datetime
    activated_at: datetime | None
    """None if it never was active."""
    pruned_at: datetime | None
    """None while it has its factors."""

    @property
    def plan(self) -> FactorSettings:
        """The settings to compute it anew with: those that were asked for."""
        return FactorSettings.restored(self.asked) if self.asked else self.settings

    def facts(self) -> dict[str, object]:
        """Return all fields by name, including the settings, for JSON."""
        facts: dict[str, object] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            facts |= value.values() if field.name == "settings" else {field.name: value}
        return facts


def _run(**columns: Any) -> FactorRun:
    settings = FactorSettings(**{name: columns.pop(name) for name in SETTINGS})
    return FactorRun(settings=settings, **columns)


def list_all(connection: Connection) -> list[FactorRun]:
    """Return all factor runs, oldest first."""
    return fetch_all(connection, _run, "runs/list")


def get(connection: Connection, factor_run_id: int) -> FactorRun:
    """Return the run with a number.

    Raises
    ------
    FactorsError
        It does not exist.
    """
    for run in list_all(connection):
        if run.factor_run_id == factor_run_id:
            return run
    raise FactorsError(f"there is no factor run {factor_run_id}; see: tagdb factors list")


def active(connection: Connection) -> FactorRun | None:
    """Return the active run, or None."""
    return next((run for run in list_all(connection) if run.status == "active"), None)


def active_id(connection: Connection) -> int | None:
    """Return the number of the active run, or None."""
    number: int | None = fetch_value(connection, "runs/active")
    return number


# --- computing ------------------------------------------------------------------------------------------


def interactions(connection: Connection) -> Interactions:
    """Read the hashtags that count for all images.

    Many images at a time, so that the server needs little memory. Each image is read once; what is ingested
    in the meantime may be there or not.
    """
    parts: list[tuple[NDArray[Any], ...]] = [(np.empty(0, "i8"), np.empty(0, "i4"), np.empty(0, "i4"))]
    after, images = 0, IMAGES_AT_ONCE
    while (last := fetch_value(connection, "runs/last_of_next", after=after, images=images)) is not None:
        parts.append(fetch_packed(connection, "runs/interactions", "i8", "i4", "i4", after=after, last=last))
        after = last
    return Interactions(*map(np.concatenate, zip(*parts, strict=True)))


def embeddings(connection: Connection) -> Embeddings:
    """Read the embeddings by the active backbone of all images with hashtags."""
    backbone = backbones.active(connection)
    backbone_id = backbone.backbone_id if backbone else None
    ids, vectors = fetch_arrays(
        connection, "runs/embeddings", "i8", ("f2", DIMENSIONS), backbone_id=backbone_id
    )
    return Embeddings(ids, vectors, backbone_id)


def vectors(connection: Connection) -> Embeddings:
    """Read what factors are computed from: the embeddings, or of many images their search vectors.

    Without a vector index, embeddings are read and shortened part by part, so that they are never all in
    memory. Images without hashtags are among them.
    """
    backbone = backbones.active(connection)
    if backbone is None:
        return embeddings(connection)
    backbone_id = backbone.backbone_id
    with connection.transaction():  # the index is not replaced until it ends
        searched = index.read_search_vectors(connection, backbone_id)
        count = len(searched[1]) if searched else index.count(connection, backbone_id)
        if count <= EXACT:
            return embeddings(connection)
    axes, ids, short = searched or _shortened(connection, backbone_id, count)
    order = np.argsort(ids)
    return Embeddings(ids[order], short[order], backbone_id, axes)


def _shortened(
    connection: Connection, backbone_id: int, count: int
) -> tuple[NDArray[np.float16], NDArray[np.int64], NDArray[np.float16]]:
    sample = index.sample_embeddings(connection, backbone_id, count // projecting.SAMPLE, projecting.SAMPLE)
    axes, _ = projecting.learn(sample)
    ids, short = [np.empty(0, np.int64)], [np.empty((0, len(axes)), np.float16)]
    for some, wide in index.embedding_chunks(connection, "index/embeddings_after", backbone_id=backbone_id):
        ids.append(some)
        short.append(projecting.project(axes, wide))
    return axes, np.concatenate(ids), np.concatenate(short)


def begin(
    connection: Connection,
    settings: FactorSettings,
    versions: Mapping[str, str],
    asked: FactorSettings | None = None,
) -> int:
    """Record the start of a run and create its tables; return its number.

    Parameters
    ----------
    asked
        The settings that were asked for, if the others followed the number of images from these.
    """
    recorded = settings.values() | {"asked": (asked or settings).stored()}
    number: int = fetch_value(connection, "runs/begin", settings=Jsonb(recorded), versions=Jsonb(versions))
    return number


def save(
    connection: Connection, factor_run_id: int, model: Model, seconds: float, images: int | None = None
) -> None:
    """Store a run's factors, the longest of the hashtags first, so that it can be activated.

    Parameters
    ----------
    images
        Number of images whose factors are stored already, if the model is without them.
    """
    longest = np.argsort(-np.linalg.norm(model.hashtag_factors.astype(np.float32), axis=1), kind="stable")

    def copy(kind: str, *columns: NDArray[Any]) -> None:
        run = np.full(len(columns[0]), factor_run_id, np.int32)
        table = ("tagdb_store", f"{kind}_{factor_run_id}")
        copy_arrays(connection, f"runs/copy_{kind}", run, *columns, names={"table": table})

    with connection.transaction():
        copy("image_factors", model.image_ids, model.image_factors)
        hashtags = (model.hashtag_ids, model.hashtag_factors, model.hashtag_images)
        copy("hashtag_factors", *(column[longest] for column in hashtags))
        ridge = model.maps.ridge
        centring, backbone_id = _centring(connection, model)
        execute(
            connection,
            "runs/save_maps",
            factor_run_id=factor_run_id,
            image_gram=_bytes(model.maps.image_gram),
            weighting=Jsonb(asdict(model.maps.weighting)),
            ridge=ridge and b"".join(map(_bytes, (ridge.mean, ridge.offset, ridge.matrix))),
            axes=None if ridge is None or ridge.axes is None else ridge.axes.astype("<f2").tobytes(),
            centre=None if centring is None else str(centring.mean.tolist()),
            spread=None if centring is None else centring.spread,
            backbone_id=backbone_id,
        )
        execute(
            connection,
            "runs/finish",
            factor_run_id=factor_run_id,
            images=len(model.image_ids) if images is None else images,
            hashtags=len(model.hashtag_ids),
            interactions=model.interactions,
            seconds=seconds,
            min_hashtags=model.settings.min_hashtags,
        )


def _centring(connection: Connection, model: Model) -> tuple[Centring | None, int | None]:
    """Return what similarities are measured off, if need be of a sample, and of whose embeddings."""
    backbone_id = model.maps.backbone_id
    if model.centring is not None or not model.settings.contrast:
        return model.centring, backbone_id
    active = backbones.active(connection)
    if active is None or backbone_id not in (None, active.backbone_id):
        return None, backbone_id
    number = active.backbone_id
    every = max(1, index.count(connection, number) // projecting.SAMPLE)
    return Centring.of(index.sample_embeddings(connection, number, every, projecting.SAMPLE)), number


def _bytes(array: NDArray[np.float32]) -> bytes:
    return array.astype("<f4").tobytes()


@dataclass(frozen=True, slots=True)
class _StoredMaps:
    image_gram: bytes
    weighting: dict[str, Any]
    ridge: bytes | None
    axes: bytes | None
    backbone_id: int | None


def maps(connection: Connection, factor_run_id: int) -> Maps:
    """Read what folding in needs besides the factors of a run."""
    stored = fetch_one(connection, _StoredMaps, "runs/maps", factor_run_id=factor_run_id)
    gram = np.frombuffer(stored.image_gram, "<f4")
    size = int(len(gram) ** 0.5)
    ridge = None
    if stored.ridge is not None:
        numbers, axes, width = np.frombuffer(stored.ridge, "<f4"), None, DIMENSIONS
        if stored.axes is not None:
            axes = np.frombuffer(stored.axes, "<f2").reshape(-1, DIMENSIONS)
            width = len(axes)
        mean, offset, matrix = np.split(numbers, [width, width + size])
        ridge = Ridge(mean, offset, matrix.reshape(width, size), axes)
    return Maps(gram.reshape(size, size), Weighting(**stored.weighting), ridge, stored.backbone_id)


@dataclass(frozen=True, slots=True)
class Factors:
    """The factors of a run, including those folded in, by ascending id."""

    factor_run_id: int
    image_ids: NDArray[np.int64]
    """int64 (images,)."""
    image_factors: NDArray[np.float16]
    """float16 (images, k)."""
    hashtags: list[str]
    """Hashtags, in the order of their factors."""
    hashtag_factors: NDArray[np.float16]
    """float16 (hashtags, k)."""


def factors(connection: Connection, factor_run_id: int | None = None) -> Factors:
    """Read the factors of a run, or of the active one.

    Raises
    ------
    FactorsError
        The run does not exist, none is active, or its factors were pruned.
    """
    run = active(connection) if factor_run_id is None else get(connection, factor_run_id)
    if run is None:
        raise FactorsError("there are no factors yet; run: tagdb factors compute")
    if run.pruned_at is not None or run.status in ("building", "failed"):
        raise FactorsError(f"factor run {run.factor_run_id} has no factors; see: tagdb factors list")
    number, vector = run.factor_run_id, ("f2", run.settings.factors)
    with connection.transaction():  # a run that was never active may not be attached yet
        attach(connection, number)
        images, image_vectors = fetch_arrays(
            connection, "runs/image_factors", "i8", vector, factor_run_id=number
        )
        ids, vectors = fetch_arrays(connection, "runs/hashtag_factors", "i4", vector, factor_run_id=number)
        names = fetch_map(connection, "runs/hashtag_names", factor_run_id=number)
    return Factors(number, images, image_vectors, [names[n] for n in ids.tolist()], vectors)


# --- a run's life ---------------------------------------------------------------------------------------


def attach(connection: Connection, factor_run_id: int) -> None:
    """Attach a run's tables as partitions, so that functions called with its number find its factors."""
    execute(connection, "runs/attach", factor_run_id=factor_run_id)


def activate(connection: Connection, factor_run_id: int) -> None:
    """Activate a run.

    Its tables are attached as partitions in an earlier transaction: other sessions learn of new partitions
    with a delay, and could see that the run is active before they find its factors.

    Raises
    ------
    DatabaseError
        The run does not exist, has failed, or was pruned.
    """
    attach(connection, factor_run_id)
    execute(connection, "runs/activate", factor_run_id=factor_run_id)


def discard(connection: Connection, factor_run_id: int) -> None:
    """Mark a run as failed and drop its tables."""
    execute(connection, "runs/discard", factor_run_id=factor_run_id)


def discard_abandoned(connection: Connection) -> int:
    """Clean up after killed computations; return their number."""
    number: int = fetch_value(connection, "runs/discard_abandoned")
    return number


def prune(
    connection: Connection, factor_run_id: int, wait_ms: int = 100
) -> Literal["pruned", "in use", "kept"]:
    """Drop a run's factors, unless the run is active or in use for longer than ``wait_ms``."""

    def attempt() -> Literal["pruned", "in use", "kept"]:
        outcome: Literal["pruned", "in use", "kept"] = fetch_value(
            connection, "runs/prune", factor_run_id=factor_run_id
        )
        return outcome

    return unless_locked(connection, wait_ms, attempt, "in use")


def note_metrics(connection: Connection, factor_run_id: int, metrics: Mapping[str, object]) -> None:
    """Store measurements of a run."""
    execute(connection, "runs/note_metrics", factor_run_id=factor_run_id, metrics=Jsonb(metrics))


def of_another_backbone(connection: Connection) -> bool:
    """Return whether the active run was computed with embeddings by another than the active backbone."""
    return bool(fetch_value(connection, "runs/of_another_backbone"))


# --- defaults -------------------------------------------------------------------------------------------


def default_settings(connection: Connection) -> FactorSettings:
    """Return the default settings: those found by ``tagdb tune``, otherwise the shipped ones."""
    return FactorSettings.restored(fetch_value(connection, "runs/defaults") or {})


def save_defaults(connection: Connection, settings: FactorSettings, metrics: Mapping[str, object]) -> None:
    """Store settings as defaults, with their measurements in ``metrics``."""
    execute(connection, "runs/save_defaults", settings=Jsonb(settings.stored()), metrics=Jsonb(metrics))


def forget_defaults(connection: Connection) -> bool:
    """Go back to the shipped defaults; return whether there were others."""
    return execute(connection, "runs/forget_defaults").rowcount > 0
