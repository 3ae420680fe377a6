"""Searching by search vectors under a small index; hashtags ranked with a bound."""

from alembic import op
from tagdb.migrations import sqlfiles

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

REPLACED = (
    "FUNCTION tagdb.recommend_for_image, tagdb.recommend_for_embedding",
    "FUNCTION tagdb.explain_recommendation, tagdb.related_hashtags",
    "FUNCTION tagdb.similar_images, tagdb.similar_images_to",
    "FUNCTION tagdb_store.recommend",
    "FUNCTION tagdb_store.best_hashtags, tagdb_store.neighbours, tagdb_store.similar",
    "FUNCTION tagdb_store.new_factor_run",
)
"""Functions that there were before and that are made anew, each before what it calls."""
CALLERS = (
    "recommend.r03",
    "recommend_for_embedding.r03",
    "recommend_for_image.r03",
    "related_hashtags.r02",
    "explain_recommendation.r02",
    "similar_images.r02",
    "similar_images_to.r02",
)
"""What calls them, unchanged."""
FILES = (
    "projections.r01",
    "search_vectors.r01",
    "backbones_search.r01",
    "index_checks_table.r01",
    "projected.r01",
    "search_vector.r01",
    "new_projection.r01",
    "index_projection.r01",
    "attach_projection.r01",
    "activate_projection.r01",
    "searched_projection.r01",
    "retire_projection.r01",
    "drop_projections.r01",
    "candidates.r01",
    "follow_ef_search.r01",
    "neighbours.r03",
    "similar.r03",
    "hashtag_norms.r01",
    "new_factor_run.r03",
    "hashtag_place.r01",
    "best_hashtags.r03",
    *CALLERS,
    "index_checks_view.r01",
    "surface_grants.r01",
    "search_grants.r01",
)
BEFORE = (
    "new_factor_run.r02",
    "neighbours.r02",
    "similar.r02",
    "best_hashtags.r02",
    *CALLERS,
    "surface_grants.r01",
)


def upgrade() -> None:
    """Make what is new. An index over embeddings that is there is used until the new one is built."""
    sqlfiles.drop(*REPLACED)
    sqlfiles.run(*FILES)


def downgrade() -> None:
    """Drop search vectors: the next ingest builds the index over embeddings again."""
    sqlfiles.drop(
        "TRIGGER ef_search_followed ON tagdb_store.backbones",
        "FUNCTION tagdb_store.follow_ef_search",
        "VIEW tagdb.index_checks",
        *REPLACED,
        "FUNCTION tagdb_store.hashtag_place, tagdb_store.candidates, tagdb_store.drop_projections",
        "FUNCTION tagdb_store.retire_projection, tagdb_store.searched_projection",
        "FUNCTION tagdb_store.activate_projection, tagdb_store.attach_projection",
        "FUNCTION tagdb_store.index_projection, tagdb_store.new_projection",
        "FUNCTION tagdb_store.search_vector, tagdb_store.projected",
        "TABLE tagdb_store.index_checks, tagdb_store.search_vectors, tagdb_store.projection_axes",
        "TABLE tagdb_store.projections",
    )
    for change in (
        "ALTER TABLE tagdb_store.backbones DROP COLUMN candidates, DROP COLUMN ef_search",
        "ALTER TABLE tagdb_store.hashtag_factors DROP COLUMN norm",
    ):
        op.get_bind().exec_driver_sql(change)
    sqlfiles.run("hashtag_norms_undone.r01")
    sqlfiles.run(*BEFORE)
