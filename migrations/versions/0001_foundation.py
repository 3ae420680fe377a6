"""The foundation: images, hashtags, embeddings, factor runs, and recommending from them."""

from alembic import op
from tagdb.migrations import sqlfiles

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FILES = (
    "roles.r01",
    "schemas.r01",
    "fold_hashtag.r01",
    "backbones.r01",
    "ingest_runs_table.r01",
    "ingest_errors_table.r01",
    "images_table.r01",
    "image_files.r01",
    "embeddings.r01",
    "hashtags_table.r01",
    "image_hashtags_table.r01",
    "factor_runs_table.r01",
    "image_factors.r01",
    "hashtag_factors.r01",
    "add_backbone.r01",
    "new_factor_run.r01",
    "activate_factor_run.r01",
    "discard_factor_run.r01",
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
    "grants.r01",
)


def upgrade() -> None:
    """Make everything."""
    sqlfiles.run(*FILES)


def downgrade() -> None:
    """Drop everything but the roles, which belong to the whole cluster and only lose their rights."""
    sqlfiles.run("revokes.r01")
    # The tables of runs that are being computed, or whose computation broke off, are no partitions yet.
    op.get_bind().exec_driver_sql(
        "SELECT tagdb_store.discard_factor_run(r.factor_run_id) FROM tagdb_store.factor_runs r"
    )
    sqlfiles.drop(
        "VIEW tagdb.factor_runs, tagdb.ingest_errors, tagdb.ingest_runs, tagdb.hashtag_stats",
        "VIEW tagdb.image_hashtags, tagdb.hashtags, tagdb.images, tagdb.backbones",
        "FUNCTION tagdb.similar_images_to, tagdb.similar_images, tagdb_store.similar",
        "FUNCTION tagdb.recommend_for_image, tagdb.recommend_for_embedding, tagdb_store.recommend",
        "FUNCTION tagdb_store.discard_factor_run, tagdb_store.activate_factor_run",
        "FUNCTION tagdb_store.new_factor_run, tagdb_store.add_backbone",
        "TABLE tagdb_store.hashtag_factors, tagdb_store.image_factors, tagdb_store.factor_runs",
        "TABLE tagdb_store.image_hashtags, tagdb_store.hashtags",
        "TABLE tagdb_store.embeddings, tagdb_store.image_files, tagdb_store.images",
        "TABLE tagdb_store.ingest_errors, tagdb_store.ingest_runs, tagdb_store.backbones",
        "FUNCTION tagdb_store.fold_hashtag",
        "SCHEMA tagdb",
    )
