"""Queries of factor runs: interactions and embeddings out, factors in, and a run's life."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Literal, LiteralString, cast

import numpy as np
import psycopg.errors
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tagdb.embedding.backbone import DIMENSIONS
from tagdb.errors import FactorsError
from tagdb.learning.als import Interactions, Weighting
from tagdb.learning.model import Embeddings, Maps, Model, Ridge
from tagdb.learning.settings import FactorSettings
from tagdb.postgres import pgcopy
from tagdb.postgres.database import Connection
from tagdb.store.backbones import active_backbone
from tagdb.store.statements import copy_arrays, statement


def interactions(connection: Connection) -> Interactions:
    """Every hashtag that counts on every image."""
    columns = fetch_arrays(connection, statement("interactions"), {}, "i8", "i4", "i4")
    return Interactions(*columns)  # type: ignore[arg-type]


def embeddings(connection: Connection) -> Embeddings:
    """The active backbone's embeddings of all images that carry hashtags."""
    active = active_backbone(connection)
    backbone_id = active.backbone_id if active else None
    values = {"backbone_id": backbone_id}
    ids, vectors = fetch_arrays(connection, statement("embeddings"), values, "i8", ("f2", DIMENSIONS))
    return Embeddings(cast(NDArray[np.int64], ids), cast(NDArray[np.float16], vectors), backbone_id)


def fetch_arrays(
    connection: Connection,
    command: LiteralString,
    values: Mapping[str, object],
    *types: str | tuple[str, int],
) -> tuple[NDArray[np.generic], ...]:
    """The output of a binary ``COPY … TO STDOUT`` as one array a column; see :func:`pgcopy.decode`."""
    with connection.cursor() as cursor, cursor.copy(command, values or None) as copy:
        return pgcopy.decode_stream(copy, *types)


def begin_factor_run(connection: Connection, settings: FactorSettings, versions: Mapping[str, str]) -> int:
    """Note that factors are being computed, and make the run's tables."""
    values = {"settings": Jsonb(asdict(settings)), "versions": Jsonb(versions)}
    row = connection.execute(statement("begin_factor_run"), values).fetchone()
    assert row is not None
    return cast(int, row[0])


def save_factor_run(connection: Connection, factor_run_id: int, model: Model, seconds: float) -> None:
    """Store a run's factors, the longest of the hashtags first. It can be activated then."""
    longest = np.argsort(-np.linalg.norm(model.hashtag_factors.astype(np.float32), axis=1), kind="stable")
    with connection.transaction():
        for table, names, columns in (
            ("image_factors", ["image_id", "factors"], (model.image_ids, model.image_factors)),
            (
                "hashtag_factors",
                ["hashtag_id", "factors", "images"],
                tuple(c[longest] for c in (model.hashtag_ids, model.hashtag_factors, model.hashtag_images)),
            ),
        ):
            command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
                sql.Identifier("tagdb_store", f"{table}_{factor_run_id}"),
                sql.SQL(", ").join(map(sql.Identifier, ["factor_run_id", *names])),
            )
            run = np.full(len(columns[0]), factor_run_id, np.int32)
            copy_arrays(connection, command, (run, *columns))
        ridge = model.maps.ridge
        connection.execute(
            statement("save_factor_maps"),
            {
                "factor_run_id": factor_run_id,
                "image_gram": _bytes(model.maps.image_gram),
                "weighting": Jsonb(asdict(model.maps.weighting)),
                "ridge": ridge and b"".join(map(_bytes, (ridge.mean, ridge.offset, ridge.matrix))),
                "backbone_id": model.maps.backbone_id,
            },
        )
        connection.execute(
            statement("finish_factor_run"),
            {
                "factor_run_id": factor_run_id,
                "images": len(model.image_ids),
                "hashtags": len(model.hashtag_ids),
                "interactions": model.interactions,
                "seconds": seconds,
                "min_hashtags": model.settings.min_hashtags,
            },
        )


def factor_maps(connection: Connection, factor_run_id: int) -> Maps | None:
    """What folding into a run needs; None for one whose factors were pruned."""
    row = connection.execute(
        "SELECT m.image_gram, m.weighting, m.ridge, m.backbone_id FROM tagdb_store.factor_maps m"
        " WHERE m.factor_run_id = %s",
        (factor_run_id,),
        binary=True,
    ).fetchone()
    if row is None:
        return None
    gram = np.frombuffer(row[0], "<f4")
    size = int(len(gram) ** 0.5)
    ridge = None
    if row[2] is not None:
        numbers = np.frombuffer(row[2], "<f4")
        mean, offset, matrix = np.split(numbers, [DIMENSIONS, DIMENSIONS + size])
        ridge = Ridge(mean, offset, matrix.reshape(DIMENSIONS, size))
    return Maps(gram.reshape(size, size), Weighting(**row[1]), ridge, row[3])


def factors_foreign(connection: Connection) -> bool:
    """Whether the active run was computed with the embeddings of another backbone than the active one."""
    row = connection.execute(statement("foreign_factors")).fetchone()
    assert row is not None
    return bool(row[0])


def _bytes(array: NDArray[np.float32]) -> bytes:
    return array.astype("<f4").tobytes()


def attach_factor_run(connection: Connection, factor_run_id: int) -> None:
    """Make a run's tables partitions, so that functions that are given its number find its factors."""
    connection.execute("SELECT tagdb_store.attach_factor_run(%s)", (factor_run_id,))


def activate_factor_run(connection: Connection, factor_run_id: int) -> None:
    """Make a run the one that recommending uses.

    Its tables become partitions in a transaction of their own before that: other sessions hear of new
    partitions a moment after they could see that the run is active, and would find nothing of it.

    Raises
    ------
    DatabaseError
        There is no such run, it has failed, or its factors were pruned.
    """
    attach_factor_run(connection, factor_run_id)
    connection.execute("SELECT tagdb_store.activate_factor_run(%s)", (factor_run_id,))


def discard_factor_run(connection: Connection, factor_run_id: int) -> None:
    """Mark a run as failed and drop its tables."""
    connection.execute("SELECT tagdb_store.discard_factor_run(%s)", (factor_run_id,))


def discard_abandoned_factor_runs(connection: Connection) -> int:
    """Clean up after computations that were killed; how many there were."""
    row = connection.execute("SELECT tagdb_store.discard_abandoned_factor_runs()").fetchone()
    return cast(int, row[0]) if row else 0


def prune_factor_run(
    connection: Connection, factor_run_id: int, wait_ms: int = 100
) -> Literal["pruned", "in use", "kept"]:
    """Drop a run's factors, unless somebody uses them for longer than ``wait_ms``, or it is the active one.

    While it waits, readers wait, too, so that it must be short; who wants to be sure tries again.
    """
    try:
        with connection.transaction():
            connection.execute("SELECT set_config('lock_timeout', %s, true)", (f"{wait_ms}ms",))
            row = connection.execute("SELECT tagdb_store.prune_factor_run(%s)", (factor_run_id,)).fetchone()
    except psycopg.errors.LockNotAvailable:
        return "in use"
    assert row is not None
    return cast(Literal["pruned", "in use", "kept"], row[0])


def note_factor_run_metrics(
    connection: Connection, factor_run_id: int, metrics: Mapping[str, object]
) -> None:
    """Keep what was measured of a run."""
    connection.execute("SELECT tagdb_store.note_factor_run_metrics(%s, %s)", (factor_run_id, Jsonb(metrics)))


def factor_runs(connection: Connection) -> list[dict[str, Any]]:
    """Every factor run with its parameters and counts, oldest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("list_factor_runs")).fetchall()


def factor_run(connection: Connection, factor_run_id: int | None = None) -> dict[str, Any] | None:
    """One run as in :func:`factor_runs`, or the active one; None where there is none active.

    Raises
    ------
    FactorsError
        There is no run of that number.
    """
    runs = factor_runs(connection)
    if factor_run_id is None:
        return next((run for run in runs if run["status"] == "active"), None)
    found = next((run for run in runs if run["factor_run_id"] == factor_run_id), None)
    if found is None:
        raise FactorsError(f"there is no factor run {factor_run_id}; see: tagdb factors list")
    return found


def plan_of(run: Mapping[str, Any]) -> FactorSettings:
    """The settings of a run of :func:`factor_runs`."""
    return FactorSettings(**{field.name: run[field.name] for field in fields(FactorSettings)})


def factor_defaults(connection: Connection) -> dict[str, Any] | None:
    """What ``tagdb tune`` has stored: ``settings``, ``metrics`` and ``tuned_at``; None if nothing."""
    with connection.cursor(row_factory=dict_row) as cursor:
        query = "SELECT d.settings, d.metrics, d.tuned_at FROM tagdb_store.factor_defaults d"
        return cursor.execute(query).fetchone()


def save_factor_defaults(
    connection: Connection, settings: Mapping[str, object], metrics: Mapping[str, object]
) -> None:
    """Make settings the defaults of the next computation."""
    connection.execute(
        statement("save_factor_defaults"), {"settings": Jsonb(settings), "metrics": Jsonb(metrics)}
    )


def forget_factor_defaults(connection: Connection) -> bool:
    """Go back to the defaults that tagdb ships; whether there were others."""
    return connection.execute("DELETE FROM tagdb_store.factor_defaults").rowcount > 0
