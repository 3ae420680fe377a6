"""Queries of factor runs: interactions out, factors in."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tagdb import pgcopy
from tagdb.als import Fit, Parameters
from tagdb.database import Connection
from tagdb.store.statements import copy_arrays, statement


def interactions(connection: Connection) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Every hashtag on every image: image ids int64 (n,) and hashtag ids int32 (n,)."""
    with connection.cursor() as cursor, cursor.copy(statement("interactions")) as copy:
        data = b"".join(copy)
    image_ids, hashtag_ids = pgcopy.decode(data, "i8", "i4")
    return cast(NDArray[np.int64], image_ids), cast(NDArray[np.int32], hashtag_ids)


def begin_factor_run(
    connection: Connection,
    parameters: Parameters,
    neighbours: int,
    similarity_exponent: float,
    versions: Mapping[str, str],
) -> int:
    """Note that factors are being computed, and make the run's tables."""
    values = asdict(parameters) | {
        "neighbours": neighbours,
        "similarity_exponent": similarity_exponent,
        "versions": Jsonb(versions),
    }
    row = connection.execute(statement("begin_factor_run"), values).fetchone()
    assert row is not None
    return cast(int, row[0])


def save_factor_run(connection: Connection, factor_run_id: int, fit: Fit, seconds: float) -> None:
    """Store a run's factors and make it the active one, in one transaction."""
    with connection.transaction():
        for kind, ids, factors in (
            ("image_factors", fit.image_ids, fit.image_factors),
            ("hashtag_factors", fit.hashtag_ids, fit.hashtag_factors),
        ):
            table = sql.Identifier("tagdb_store", f"{kind}_{factor_run_id}")
            columns = (np.full(len(ids), factor_run_id, np.int32), ids, factors)
            copy_arrays(connection, sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(table), columns)
        connection.execute(
            statement("finish_factor_run"),
            {
                "factor_run_id": factor_run_id,
                "images": len(fit.image_ids),
                "hashtags": len(fit.hashtag_ids),
                "interactions": fit.interactions,
                "seconds": seconds,
            },
        )
        connection.execute("SELECT tagdb_store.activate_factor_run(%s)", (factor_run_id,))


def discard_factor_run(connection: Connection, factor_run_id: int) -> None:
    """Mark a run as failed and drop its tables."""
    connection.execute("SELECT tagdb_store.discard_factor_run(%s)", (factor_run_id,))


def factor_runs(connection: Connection) -> list[dict[str, Any]]:
    """Every factor run with its parameters and counts, oldest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("list_factor_runs")).fetchall()
