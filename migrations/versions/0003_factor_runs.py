"""Factor runs that live: further settings, folding in, pruning; steering and feedback."""

from alembic import op
from tagdb.migrations import sqlfiles

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

REPLACED = (
    "FUNCTION tagdb.recommend_for_image, tagdb.recommend_for_embedding",
    "FUNCTION tagdb.explain_recommendation, tagdb.related_hashtags",
    "FUNCTION tagdb_store.recommend",
    "FUNCTION tagdb_store.best_hashtags, tagdb_store.neighbours",
    "FUNCTION tagdb_store.activate_factor_run, tagdb_store.new_factor_run, tagdb_store.discard_factor_run",
)
"""Functions that there were before and that are made anew, each before what it calls."""
FILES = (
    "factor_runs_life.r01",
    "factor_maps.r01",
    "factor_defaults.r01",
    "feedback_table.r01",
    "verdicts.r01",
    "interactions.r01",
    "within.r01",
    "new_factor_run.r02",
    "finish_factor_run.r01",
    "note_factor_run_metrics.r01",
    "attach_factor_run.r01",
    "activate_factor_run.r02",
    "discard_factor_run.r02",
    "discard_abandoned_factor_runs.r01",
    "prune_factor_run.r01",
    "neighbours.r02",
    "best_hashtags.r02",
    "hashtag_likeness.r01",
    "diverse_hashtags.r01",
    "known_blend.r01",
    "recommend.r03",
    "recommend_for_embedding.r03",
    "recommend_for_image.r03",
    "related_hashtags.r02",
    "explain_recommendation.r02",
    "give_feedback.r01",
    "rejected_hashtags.r01",
    "factor_runs_view.r03",
    "coverage.r02",
    "acceptance.r01",
    "surface_grants.r01",
    "feedback_grants.r01",
)
BEFORE = (
    "new_factor_run.r01",
    "activate_factor_run.r01",
    "discard_factor_run.r01",
    "neighbours.r01",
    "best_hashtags.r01",
    "recommend.r02",
    "recommend_for_embedding.r02",
    "recommend_for_image.r02",
    "related_hashtags.r01",
    "explain_recommendation.r01",
    "factor_runs_view.r02",
    "coverage.r01",
    "surface_grants.r01",
)


def upgrade() -> None:
    """Make what is new. Of the factor runs that there are, hashtags get their images as of now."""
    sqlfiles.drop(*REPLACED)
    sqlfiles.run(*FILES)
    op.get_bind().exec_driver_sql(
        "UPDATE tagdb_store.hashtag_factors f SET images = c.images"
        " FROM tagdb_store.hashtag_counts c WHERE c.hashtag_id = f.hashtag_id"
    )


def downgrade() -> None:
    """Drop feedback, settings and marks; accepted hashtags stay on their images."""
    sqlfiles.drop(
        "VIEW tagdb.acceptance, tagdb.coverage, tagdb.factor_runs",
        *REPLACED,
        "FUNCTION tagdb.rejected_hashtags",
        "FUNCTION tagdb_store.give_feedback, tagdb_store.known_blend, tagdb_store.diverse_hashtags",
        "FUNCTION tagdb_store.hashtag_likeness, tagdb_store.prune_factor_run",
        "FUNCTION tagdb_store.discard_abandoned_factor_runs, tagdb_store.attach_factor_run",
        "FUNCTION tagdb_store.note_factor_run_metrics, tagdb_store.finish_factor_run, tagdb_store.within",
        "VIEW tagdb_store.interactions, tagdb_store.verdicts",
        "TABLE tagdb_store.feedback, tagdb_store.factor_defaults, tagdb_store.factor_maps",
        "INDEX tagdb_store.image_factors_folded_in",
    )
    for change in (
        # without the mark they would pass for factors of the run
        "DELETE FROM tagdb_store.image_factors WHERE folded_in",
        "DELETE FROM tagdb_store.hashtag_factors WHERE folded_in",
        "ALTER TABLE tagdb_store.image_factors DROP COLUMN folded_in",
        "ALTER TABLE tagdb_store.hashtag_factors DROP COLUMN folded_in, DROP COLUMN images",
        "ALTER TABLE tagdb_store.factor_runs DROP COLUMN weighting, DROP COLUMN accepted_weight,"
        " DROP COLUMN min_hashtags, DROP COLUMN ridge, DROP COLUMN ridge_penalty, DROP COLUMN refit_penalty,"
        " DROP COLUMN pruned_at",
        "GRANT INSERT, UPDATE, DELETE ON tagdb_store.factor_runs TO tagdb_writer",
    ):
        op.get_bind().exec_driver_sql(change)
    sqlfiles.run(*BEFORE)
