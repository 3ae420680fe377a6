"""Stored data: no row has lost its image, nothing is missing, and vectors are usable."""

import math
import shlex
from collections.abc import Iterator
from typing import Any

import psycopg

from tagdb import store
from tagdb.doctor.findings import DAMAGE, UNDEFINED, WAITED, Examination, Finding, count_noun
from tagdb.postgres.database import reason
from tagdb.store import doctor as queries

SAMPLE = 20
"""Number of recommendations that are timed."""
SOME = 500
"""Number of search vectors that are compared with their embeddings."""
LARGEST_SCORE = 50
"""Longest image factors times longest hashtag factors: 2 to 8 in sound runs of any settings and size."""
BARE = "-"
"""Standard input, a source that cannot be read again."""


def readable(examination: Examination) -> Iterator[Finding]:
    """The login may read the stored data."""
    if examination.readable and not examination.facts.may_store:
        yield Finding(
            check="contents",
            severity="skipped",
            sentence="the stored data, which your login may not read (the owner and writers may)",
        )


def recommending(examination: Examination) -> Iterator[Finding]:
    """Recommending works for some stored images. Other checks use the times measured here."""
    if not examination.readable:
        return
    try:
        if store.answers.readiness(examination.connection).factors:
            images = queries.sample_images(examination.connection, SAMPLE)
            examination.timings = queries.recommend_timed(examination.connection, images)
            examination.images = images[: len(examination.timings)]
    except (*DAMAGE, *UNDEFINED, *WAITED):
        raise
    except psycopg.Error as error:
        if examination.connection.broken:
            raise
        yield Finding(check="recommending", severity="wrong", sentence=f"recommending fails: {reason(error)}")
        return
    if examination.timings:
        yield Finding(check="recommending", severity="ok", sentence="recommending")


def orphans(examination: Examination) -> Iterator[Finding]:
    """No row has lost what it refers to."""
    if not examination.complete:
        return
    rows = queries.orphans(examination.connection)
    for row in rows:
        yield Finding(
            check=f"orphans in {row.table} ({row.missing})",
            severity="wrong",
            sentence=str(row),
            remedy=row.remedy,
            figures={"rows": row.number},
        )
    if not rows:
        yield Finding(check="orphans", severity="ok", sentence="no orphans")


def gaps(examination: Examination) -> Iterator[Finding]:
    """Every image has an embedding, and the vector index contains exactly these images."""
    if not examination.complete or (backbone := store.backbones.active(examination.connection)) is None:
        return
    (row,) = queries.rows(examination.connection, "gaps")
    if row.images:
        sources = [source for source in row.sources if source != BARE]
        number = row.images
        yield Finding(
            check="embeddings",
            severity="advice",
            sentence=f"{count_noun(number, 'image has', 'images have')} no embedding by the backbone "
            f"{backbone.identity}, so searches do not find {'it' if number == 1 else 'them'} and nothing is "
            f"recommended for {'it' if number == 1 else 'them'}; ingest the photos again",
            remedy=f"tagdb ingest {shlex.join(sources)}" if sources else "",
            figures={"images": number},
        )
    status = store.index.status(examination.connection)
    if status is None or status.projection_id is None:
        return
    parameters = {"backbone_id": status.backbone_id, "projection_id": status.projection_id}
    (row,) = queries.rows(examination.connection, "search_gaps", **parameters)
    if row.unfindable:
        yield Finding(
            check="search vectors",
            severity="wrong",
            sentence=f"{count_noun(row.unfindable, 'image is', 'images are')} not in the vector index, so "
            "searches do not find them",
            remedy="tagdb index build",
            figures={"images": row.unfindable},
        )
    if row.superfluous:
        yield Finding(
            check="superfluous search vectors",
            severity="wrong",
            sentence=f"the vector index holds {count_noun(row.superfluous, 'image', 'images')} without "
            "an embedding, which take the place of others",
            remedy="tagdb index build",
            figures={"images": row.superfluous},
        )
    if not (row.unfindable or row.superfluous):
        yield Finding(check="search vectors", severity="ok", sentence="search vectors")


def embeddings(examination: Examination) -> Iterator[Finding]:
    """Embeddings are finite and have length 1; checked on a sample if there are many."""
    if not examination.complete or (backbone := store.backbones.active(examination.connection)) is None:
        return
    number = backbone.backbone_id
    percent = queries.share(examination.connection, f"embeddings_{number}")
    parameters = {"backbone_id": number, "percent": percent}
    (row,) = queries.rows(examination.connection, "embeddings", **parameters)
    of, figures = _of(row, percent, "embeddings")
    vector = store.backbones.vector_schema(examination.connection)
    if row.useless:
        yield Finding(
            check="useless embeddings",
            severity="wrong",
            sentence=f"{row.useless:,} of {of} are zero or not finite and never found; delete them "
            "and ingest their photos again",
            remedy=f"DELETE FROM tagdb_store.embeddings WHERE backbone_id = {number} "  # noqa: S608
            f'AND NOT "{vector}".l2_norm(embedding) BETWEEN 1e-6 AND 1e6',
            figures=figures | {"useless": row.useless},
        )
    if row.other:
        yield Finding(
            check="lengths of embeddings",
            severity="wrong",
            sentence=f"{row.other:,} of {of} do not have length 1 and are compared wrongly",
            remedy=f'UPDATE tagdb_store.embeddings SET embedding = "{vector}".l2_normalize(embedding) '  # noqa: S608
            f'WHERE backbone_id = {number} AND NOT "{vector}".l2_norm(embedding) BETWEEN 0.99 AND 1.01 '
            f'AND "{vector}".l2_norm(embedding) BETWEEN 1e-6 AND 1e6',
            figures=figures | {"other": row.other},
        )
    if row.looked_at and not (row.useless or row.other):
        yield Finding(check="lengths of embeddings", severity="ok", sentence=of, figures=figures)


def search_vectors(examination: Examination) -> Iterator[Finding]:
    """Search vectors match their embeddings, checked on a sample."""
    if not examination.complete or (status := store.index.status(examination.connection)) is None:
        return
    if status.projection_id is None:
        return
    # twice as many as are compared, spread over the whole table; a page holds about twenty
    percent = min(100.0, 100.0 * 2 * SOME / max(1, status.search_vectors))
    parameters = {
        "backbone_id": status.backbone_id,
        "projection_id": status.projection_id,
        "percent": percent,
        "most": SOME,
    }
    (row,) = queries.rows(examination.connection, "search_vectors", **parameters)
    if row.other:
        yield Finding(
            check="search vectors' embeddings",
            severity="wrong",
            sentence=f"{row.other:,} of {row.looked_at:,} search vectors at random do not match their "
            "embeddings, so searches miss these images",
            remedy="tagdb index build",
            figures={"looked_at": row.looked_at, "other": row.other},
        )


def factors(examination: Examination) -> Iterator[Finding]:
    """The active run's factors are usable; those of images are checked on a sample if there are many."""
    if not examination.complete or (run := store.runs.active(examination.connection)) is None:
        return
    number = run.factor_run_id
    percent = queries.share(examination.connection, f"image_factors_{number}")
    parameters = {"factor_run_id": number, "factors": run.settings.factors, "percent": percent}
    rows = queries.rows(examination.connection, "factors", **parameters)
    ready = store.answers.readiness(examination.connection)  # all images may have been removed
    for row in rows:
        kind = f"{row.kind} factors"
        of, figures = _of(row, percent if row.kind == "image" else 100, kind)
        if row.useless:
            yield Finding(
                check=kind,
                severity="wrong",
                sentence=f"{row.useless:,} of {of} of run {number} are not finite or not "
                f"{run.settings.factors} numbers",
                remedy="tagdb factors compute",
                figures=figures | {"useless": row.useless},
            )
        elif not row.looked_at and (run.hashtags if row.kind == "hashtag" else run.images and ready.images):
            yield Finding(
                check=kind,
                severity="wrong",
                sentence=f"the active factor run {number} has lost its {kind}: nothing is recommended",
                remedy="tagdb factors compute",
            )
        else:
            yield Finding(check=kind, severity="ok", sentence=of, figures=figures)
    largest = math.prod(row.longest or 0 for row in rows)
    if largest > LARGEST_SCORE:
        yield Finding(
            check="lengths of factors",
            severity="wrong",
            sentence=f"factors of run {number} are so long that scores can reach {largest:,.0f}, where a "
            "sound run's are around 1, so recommendations are arbitrary",
            remedy="tagdb factors compute",
            figures={"largest_score": largest},
        )


def _of(row: Any, percent: float, what: str) -> tuple[str, dict[str, float]]:
    """Return the number of vectors checked, as text and as figures."""
    number = row.looked_at
    text = f"{number:,} {what}" if percent >= 100 else f"{number:,} {what} at random ({percent:.2g} %)"
    return text, {"looked_at": number, "percent": percent}
