"""The SQL surface: statistics, aliases and bans, related, explained and completed hashtags."""

from alembic import op
from tagdb.migrations import sqlfiles

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

VIEWS = (
    "backbones",
    "images",
    "hashtags",
    "image_hashtags",
    "hashtag_stats",
    "ingest_runs",
    "ingest_errors",
    "factor_runs",
)
"""Public views that there were before."""
FUNCTIONS = (
    "tagdb.similar_images_to",
    "tagdb.similar_images",
    "tagdb_store.similar",
    "tagdb.recommend_for_image",
    "tagdb.recommend_for_embedding",
    "tagdb_store.recommend",
)
"""Functions that there were before and that are made anew, each before what it calls."""
FILES = (
    "refuse.r01",
    "at_least_one.r01",
    "checked_embedding.r01",
    "fold_given.r01",
    "hashtag_problem.r01",
    "fold_hashtag_public.r01",
    "hashtag_edits_table.r01",
    "hashtag_policy.r01",
    "counted_hashtags.r01",
    "statistics_table.r01",
    "hashtag_counts.r01",
    "hashtag_collections.r01",
    "hashtag_pairs_table.r01",
    "hashtag_trend_table.r01",
    "refresh_statistics.r01",
    "refresh_edited_statistics.r01",
    "edit_hashtags.r01",
    "undo_hashtag_edit.r01",
    "counting_as.r01",
    "active_run.r01",
    "neighbours.r01",
    "best_hashtags.r01",
    "recommend.r02",
    "recommend_for_embedding.r02",
    "recommend_for_image.r02",
    "similar.r02",
    "similar_images.r02",
    "similar_images_to.r02",
    "related_hashtags.r01",
    "explain_recommendation.r01",
    "complete_hashtags.r01",
    "backbones_view.r02",
    "images_view.r02",
    "hashtags_view.r02",
    "image_hashtags_view.r02",
    "hashtag_stats.r02",
    "hashtag_pairs_view.r01",
    "hashtag_trend_view.r01",
    "collection_stats.r01",
    "coverage.r01",
    "hashtag_edits_view.r01",
    "statistics_view.r01",
    "ingest_runs_view.r02",
    "ingest_errors_view.r02",
    "factor_runs_view.r02",
    "surface_grants.r01",
    "statistics_grants.r01",
)
BEFORE = (
    "recommend.r01",
    "recommend_for_embedding.r01",
    "recommend_for_image.r01",
    "similar.r01",
    "similar_images.r01",
    "similar_images_to.r01",
    "backbones_view.r01",
    "images_view.r01",
    "hashtags_view.r01",
    "image_hashtags_view.r01",
    "hashtag_stats.r01",
    "ingest_runs_view.r01",
    "ingest_errors_view.r01",
    "factor_runs_view.r01",
    "surface_grants.r01",
)


def drop_what_is_replaced() -> None:
    """Views and functions are dropped and made anew: in place, a view could only gain columns."""
    sqlfiles.drop(*(f"VIEW tagdb.{name}" for name in VIEWS), *(f"FUNCTION {name}" for name in FUNCTIONS))


def upgrade() -> None:
    """Make what is new, and the statistics of what is stored."""
    drop_what_is_replaced()
    sqlfiles.run(*FILES)
    op.get_bind().exec_driver_sql("SELECT tagdb_store.refresh_statistics()")


def downgrade() -> None:
    """Drop statistics, aliases, bans and edits; what the images carry is as it was."""
    drop_what_is_replaced()
    sqlfiles.drop(
        "VIEW tagdb.statistics, tagdb.hashtag_edits, tagdb.coverage, tagdb.collection_stats",
        "VIEW tagdb.hashtag_trend, tagdb.hashtag_pairs",
        "FUNCTION tagdb.complete_hashtags, tagdb.explain_recommendation, tagdb.related_hashtags",
        "FUNCTION tagdb_store.best_hashtags, tagdb_store.neighbours, tagdb_store.active_run",
        "FUNCTION tagdb_store.counting_as",
        "FUNCTION tagdb_store.undo_hashtag_edit, tagdb_store.edit_hashtags",
        "FUNCTION tagdb_store.refresh_edited_statistics, tagdb_store.refresh_statistics",
        "VIEW tagdb_store.counted_hashtags",
        "TABLE tagdb_store.hashtag_trend, tagdb_store.hashtag_pairs, tagdb_store.hashtag_collections",
        "TABLE tagdb_store.hashtag_counts, tagdb_store.statistics",
        "INDEX tagdb_store.hashtags_prefix, tagdb_store.hashtags_decided, tagdb_store.hashtags_alias_of",
        "FUNCTION tagdb.fold_hashtag, tagdb_store.hashtag_problem, tagdb_store.fold_given",
        "FUNCTION tagdb_store.checked_embedding, tagdb_store.at_least_one, tagdb_store.refuse",
    )
    op.get_bind().exec_driver_sql(
        "ALTER TABLE tagdb_store.hashtags DROP COLUMN alias_of, DROP COLUMN banned, DROP COLUMN edit_id"
    )
    sqlfiles.drop("TABLE tagdb_store.hashtag_edits")
    op.get_bind().exec_driver_sql("REVOKE INSERT (hashtag) ON tagdb_store.hashtags FROM tagdb_writer")
    op.get_bind().exec_driver_sql("GRANT INSERT, UPDATE, DELETE ON tagdb_store.hashtags TO tagdb_writer")
    sqlfiles.run(*BEFORE)
