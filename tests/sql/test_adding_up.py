"""What a BI tool adds up means something: the sums of the views are held against the tables.

A column that must not be added up says so in its first words, so that nobody has to try.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tests.support import history
from tests.support.documents import DOCS
from tests.support.postgres import Postgres, rows

pytestmark = pytest.mark.read_only

USES = """
    SELECT DISTINCT ON (i.image_id, c.hashtag_id)
           i.image_id, c.hashtag_id, c.hashtag, i.collection, i.taken_at, i.ingested_at,
           coalesce(i.taken_at, i.ingested_at) AS seen_at, ih.source, h.hashtag AS carried_as
    FROM tagdb_store.image_hashtags ih
    JOIN tagdb_store.hashtags h ON h.hashtag_id = ih.hashtag_id AND NOT h.banned
    JOIN tagdb_store.hashtags c ON c.hashtag_id = coalesce(h.alias_of, h.hashtag_id)
    JOIN tagdb_store.images i ON i.image_id = ih.image_id
    ORDER BY i.image_id, c.hashtag_id, h.alias_of NULLS FIRST, h.hashtag_id
"""
"""Every use of a hashtag that counts: once per image, whatever its spellings."""
TRENDS = {
    f"hashtag_trend_{name}": f"SELECT u.hashtag_id, u.hashtag, 1 AS images,"
    f" date_trunc('{period}', u.seen_at AT TIME ZONE 'UTC')::date AS starts_on FROM uses u"
    for name, period in (("daily", "day"), ("weekly", "week"), ("monthly", "month"))
}
TRUTH = TRENDS | {
    "images": """
        SELECT i.image_id, encode(i.content_sha256, 'hex') AS content_sha256, i.uri, i.media_type, i.bytes,
               i.collection, i.source_ref, i.taken_at, i.ingested_at, i.ingest_run_id,
               (SELECT count(*) FROM uses u WHERE u.image_id = i.image_id) AS hashtags,
               EXISTS (SELECT FROM tagdb_store.embeddings e JOIN tagdb_store.backbones b
                       ON b.backbone_id = e.backbone_id AND b.active
                       WHERE e.image_id = i.image_id) AS has_embedding,
               EXISTS (SELECT FROM tagdb_store.image_factors f JOIN tagdb_store.factor_runs r
                       ON r.factor_run_id = f.factor_run_id AND r.status = 'active'
                       WHERE f.image_id = i.image_id) AS has_factors
        FROM tagdb_store.images i""",
    "image_hashtags": "SELECT * FROM uses",
    "hashtag_stats": """
        SELECT u.hashtag_id, u.hashtag, 1 AS images, false AS banned, NULL::text AS alias_of,
               min(u.seen_at) OVER one AS first_seen, max(u.seen_at) OVER one AS last_seen,
               EXISTS (SELECT FROM tagdb_store.hashtag_factors f JOIN tagdb_store.factor_runs r
                       ON r.factor_run_id = f.factor_run_id AND r.status = 'active'
                       WHERE f.hashtag_id = u.hashtag_id) AS in_active_run
        FROM uses u WINDOW one AS (PARTITION BY u.hashtag_id)""",
    "hashtag_growth": """
        SELECT u.hashtag_id, u.hashtag, u.recent::integer AS images, (NOT u.recent)::integer AS images_before
        FROM (SELECT x.*, count(*) FILTER (WHERE x.recent) OVER (PARTITION BY x.hashtag_id) AS lately
              FROM (SELECT w.*, w.seen_at >= date_trunc('month', max(w.seen_at) OVER () AT TIME ZONE 'UTC')
                                             AT TIME ZONE 'UTC' - interval '2 months' AS recent
                    FROM uses w) x) u
        WHERE u.lately > 1""",
    "collection_hashtags": """
        SELECT u.collection, u.hashtag_id, u.hashtag, 1 AS images FROM uses u
        WHERE u.collection IS NOT NULL""",
    "collection_stats": """
        SELECT i.collection, 1 AS images, i.bytes, 1.0 / count(*) OVER () AS image_share,
               100.0 / count(*) OVER () AS image_percent,
               min(coalesce(i.taken_at, i.ingested_at)) OVER one AS first_seen,
               max(coalesce(i.taken_at, i.ingested_at)) OVER one AS last_seen
        FROM tagdb_store.images i WINDOW one AS (PARTITION BY i.collection)""",
    "coverage": """
        SELECT 1 AS images, 0 AS hashtags, (e.image_id IS NULL)::integer AS images_without_embedding,
               (f.image_id IS NULL)::integer AS images_without_factors,
               (i.image_id NOT IN (SELECT u.image_id FROM uses u))::integer AS images_without_hashtags,
               0 AS hashtags_without_factors, 0 AS images_folded_in, 0 AS hashtags_folded_in
        FROM tagdb_store.images i
        LEFT JOIN tagdb_store.embeddings e ON e.image_id = i.image_id AND e.backbone_id =
                  (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active)
        LEFT JOIN tagdb_store.image_factors f ON f.image_id = i.image_id AND f.factor_run_id =
                  (SELECT r.factor_run_id FROM tagdb_store.factor_runs r WHERE r.status = 'active')
        UNION ALL
        SELECT 0, 1, 0, 0, 0, (f.hashtag_id IS NULL)::integer, 0, 0
        FROM tagdb_store.hashtags h
        LEFT JOIN tagdb_store.hashtag_factors f ON f.hashtag_id = h.hashtag_id AND f.factor_run_id =
                  (SELECT r.factor_run_id FROM tagdb_store.factor_runs r WHERE r.status = 'active')
        WHERE NOT h.banned AND h.alias_of IS NULL""",
    "acceptance": """
        SELECT f.factor_run_id, date_trunc('week', f.given_at AT TIME ZONE 'UTC')::date AS week,
               f.accepted::integer AS accepted, (NOT f.accepted)::integer AS rejected
        FROM tagdb_store.feedback f""",
    "ingest_runs": """
        SELECT r.*, round(extract(epoch FROM r.finished_at - r.started_at), 1) AS seconds,
               array_to_string(r.sources, ', ') AS sources_text FROM tagdb_store.ingest_runs r""",
    "ingest_errors": """
        SELECT e.*, r.started_at
        FROM tagdb_store.ingest_errors e JOIN tagdb_store.ingest_runs r USING (ingest_run_id)""",
    "factor_runs": "SELECT r.* FROM tagdb_store.factor_runs r",
    "index_checks": "SELECT c.* FROM tagdb_store.index_checks c",
    "backbones": """
        SELECT b.backbone_id FROM tagdb_store.backbones b""",
    "statistics": "SELECT s.refreshed_at, s.seconds, s.images FROM tagdb_store.statistics s",
    "hashtags": "SELECT h.* FROM tagdb_store.hashtags h",
    "hashtag_edits": "SELECT e.* FROM tagdb_store.hashtag_edits e",
    "hashtag_pairs": "SELECT NULL",
}  # fmt: skip
"""What each view is about, counted anew: a row for each image, use, verdict or run."""
LIKE = re.compile(r"Key: |Setting: |Do not add up( or average| over all rows)?: ")
"""How the description of a column begins that must not be added up."""
TOLD_APART_BY = {"text", "date", "timestamp with time zone", "boolean"}
BESIDE = {
    "hashtag_stats": {"collection_names_text", "aliases_text"},
    "collection_stats": {"top_hashtags_text"},
    "coverage": {"backbone", "factors_since"},
    "hashtags": {"alias_of", "spelling"},
    "hashtag_edits": {"hashtags_text"},
    "hashtag_pairs": {"hashtag", "with_hashtag", "pair"},
}
"""Columns that tell rows apart, but that nobody would group by."""

KEYS = {
    "acceptance": ("factor_run_id", "week"),
    "backbones": ("backbone_id",),
    "collection_hashtags": ("collection", "hashtag_id"),
    "collection_stats": ("collection",),
    "coverage": ("images",),
    "factor_runs": ("factor_run_id",),
    "hashtag_edits": ("edit_id",),
    "hashtag_growth": ("hashtag_id",),
    "hashtag_pairs": ("hashtag", "with_hashtag"),
    "hashtag_stats": ("hashtag_id",),
    "hashtag_trend_daily": ("hashtag_id", "starts_on"),
    "hashtag_trend_monthly": ("hashtag_id", "starts_on"),
    "hashtag_trend_weekly": ("hashtag_id", "starts_on"),
    "hashtags": ("hashtag_id",),
    "image_hashtags": ("image_id", "hashtag_id"),
    "images": ("image_id",),
    "index_checks": ("index_check_id",),
    "ingest_errors": ("ingest_error_id",),
    "ingest_runs": ("ingest_run_id",),
    "statistics": ("refreshed_at",),
}
"""What docs/bi.md names as the key of each view."""


@pytest.fixture(scope="module")
def filled(postgres: Postgres) -> Iterator[Connection]:
    with (
        postgres.database(postgres.built("history", history.fill)) as url,
        database.connect(url) as connection,
    ):
        yield connection


def columns(connection: Connection) -> dict[str, dict[str, tuple[str, str]]]:
    """Type and description of each column of each view."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for view, column, kind, comment in rows(
        connection,
        "SELECT c.relname, a.attname, format_type(a.atttypid, NULL), col_description(c.oid, a.attnum)"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
        " WHERE c.relnamespace = 'tagdb'::regnamespace AND c.relkind = 'v' ORDER BY 1, a.attnum",
    ):
        found.setdefault(view, {})[column] = (kind, comment)
    return found


def amounts(its: dict[str, tuple[str, str]]) -> list[str]:
    """The columns of a view that may be added up."""
    numbers = {"integer", "bigint", "double precision", "numeric", "real", "smallint"}
    return [name for name, (kind, comment) in its.items() if kind in numbers and not LIKE.match(comment)]


def test_every_view_is_counted_anew(filled: Connection) -> None:
    assert set(columns(filled)) == set(TRUTH)


def test_the_keys_are_documented() -> None:
    table = (DOCS / "bi.md").read_text("utf-8").partition("| view | key |")[2].partition("## ")[0]
    for view, keys in KEYS.items():
        (said,) = re.findall(rf"^\| `{view}` \| (.+) \|$", table, re.MULTILINE)
        one = view in {"coverage", "statistics"}
        assert said == "one row" if one else said.startswith(", ".join(f"`{key}`" for key in keys)), view


@pytest.mark.parametrize("view", TRUTH)
def test_sums(filled: Connection, view: str) -> None:
    """By every column that tells rows apart, and without: the view gives what the tables give."""
    its = columns(filled)[view]
    truth = f"WITH uses AS ({USES}) SELECT * FROM ({TRUTH[view]}) t"
    apart = [name for name, (kind, _) in its.items() if kind in TOLD_APART_BY and name != "refreshed_at"]
    apart = [name for name in apart if name not in BESIDE.get(view, ())]
    keys = [name for name, (_, comment) in its.items() if comment.startswith("Key: ")]
    apart += [name for name in keys if view != "coverage"]
    for column in amounts(its):
        for by in ("true", *apart):
            summed = f"SELECT {by}, sum({column}) FROM {{}} GROUP BY 1 HAVING sum({column}) <> 0 ORDER BY 1"
            shown = rows(filled, summed.format(f"tagdb.{view}"))
            counted = rows(filled, summed.format(f"({truth}) x"))
            assert [row[0] for row in shown] == [row[0] for row in counted], (column, by)
            # shares are rounded, a few hundredths of a percent in all
            assert [float(row[1]) for row in shown] == pytest.approx(
                [float(row[1]) for row in counted], rel=2e-4
            ), (column, by)


@pytest.mark.parametrize("view", TRUTH)
def test_what_tells_rows_apart(filled: Connection, view: str) -> None:
    """Rows are counted once: a tool that counts them by a column gets as many as there are."""
    keys = KEYS[view]
    total, different, empty = rows(
        filled,
        f"SELECT count(*), count(DISTINCT ROW({', '.join(keys)})),"
        f" count(*) FILTER (WHERE {' OR '.join(f'{key} IS NULL' for key in keys)}) FROM tagdb.{view}",
    )[0]
    assert total == different > 0
    assert view in {"collection_stats", "acceptance"} or not empty
