"""The tables of schema ``tagdb_store`` as SQLAlchemy describes them.

The migrations' SQL files create the tables. These definitions mirror them, so that ``alembic check`` can
prove that code and database agree, and for reading tagdb's tables through SQLAlchemy. The SQL file of a table
describes its columns.
"""

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(
    schema="tagdb_store",
    naming_convention={"pk": "%(table_name)s_pkey", "fk": "%(table_name)s_%(column_0_name)s_fkey"},
)

_NOW = text("now()")
_CLOCK = text("clock_timestamp()")
_EMPTY = text("'{}'")
_TIME = DateTime(timezone=True)

backbones = Table(
    "backbones",
    metadata,
    Column("backbone_id", Integer, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("input_size", Integer, CheckConstraint("input_size > 0"), nullable=False),
    Column("weights_sha256", LargeBinary, nullable=False),
    Column("bits", Integer, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", _TIME, nullable=False, server_default=_NOW),
    Column("candidates", Integer, nullable=False, server_default="200"),
    Column("ef_search", Integer, nullable=False, server_default="200"),
    UniqueConstraint("input_size", "weights_sha256", name="backbones_identity"),
    Index("backbones_one_active", "active", unique=True, postgresql_where=text("active")),
)

networks = Table(
    "networks",
    metadata,
    Column(
        "backbone_id",
        Integer,
        ForeignKey(backbones.c.backbone_id, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("network", LargeBinary, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
)

ingest_runs = Table(
    "ingest_runs",
    metadata,
    Column("ingest_run_id", BigInteger, Identity(always=True), primary_key=True),
    Column("sources", ARRAY(Text), nullable=False),
    Column("started_at", _TIME, nullable=False, server_default=_CLOCK),
    Column("finished_at", _TIME),
    Column("images_new", Integer, nullable=False, server_default="0"),
    Column("images_known", Integer, nullable=False, server_default="0"),
    Column("images_updated", Integer, nullable=False, server_default="0"),
    Column("images_differing", Integer, nullable=False, server_default="0"),
    Column("rejected", Integer, nullable=False, server_default="0"),
    Column("batches", Integer, nullable=False, server_default="0"),
)

ingest_errors = Table(
    "ingest_errors",
    metadata,
    Column("ingest_error_id", BigInteger, Identity(always=True), primary_key=True),
    Column(
        "ingest_run_id",
        BigInteger,
        ForeignKey(ingest_runs.c.ingest_run_id, ondelete="CASCADE"),
        nullable=False,
    ),
    Column("origin", Text, nullable=False),
    Column("line", Integer),
    Column("reason", Text, nullable=False),
    Column("reason_code", Text, nullable=False),
    Index("ingest_errors_ingest_run_id", "ingest_run_id"),
)

sources = Table(
    "sources",
    metadata,
    Column("source_id", Integer, Identity(always=True), primary_key=True),
    Column("location", Text, nullable=False),
    UniqueConstraint("location", name="sources_location_key"),
)

images = Table(
    "images",
    metadata,
    Column("image_id", BigInteger, Identity(always=True), primary_key=True),
    Column("content_sha256", LargeBinary, nullable=False),
    Column("uri", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("collection", Text),
    Column("source_ref", Text),
    Column("taken_at", _TIME),
    Column("ingested_at", _TIME, nullable=False, server_default=_NOW),
    Column("ingest_run_id", BigInteger, ForeignKey(ingest_runs.c.ingest_run_id, ondelete="SET NULL")),
    Column("metadata", JSONB, nullable=False, server_default=_EMPTY),
    Column("etag", Text),
    UniqueConstraint("content_sha256", name="images_content_sha256_key"),
    Index("images_etag", "etag", postgresql_where=text("etag IS NOT NULL")),
    Index("images_collection", "collection"),
    Index("images_ingest_run_id", "ingest_run_id"),
    Index("images_time", text("coalesce(taken_at, ingested_at)"), "image_id"),
)

image_files = Table(
    "image_files",
    metadata,
    Column(
        "image_id",
        BigInteger,
        ForeignKey(images.c.image_id, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("original", LargeBinary),
    Column("thumbnail", LargeBinary, nullable=False),
    Column("kept_at", Text),
    CheckConstraint("original IS NULL OR kept_at IS NULL", name="image_files_one_original"),
)

image_sources = Table(
    "image_sources",
    metadata,
    Column(
        "image_id",
        BigInteger,
        ForeignKey(images.c.image_id, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("source_id", Integer, ForeignKey(sources.c.source_id), primary_key=True, autoincrement=False),
    Column("said", BigInteger),
    Column("hashtag_ids", ARRAY(Integer), nullable=False),
    Column("fields", ARRAY(Text), nullable=False),
    Index("image_sources_source_id", "source_id"),
)

embeddings = Table(
    "embeddings",
    metadata,
    Column(
        "backbone_id", Integer, ForeignKey(backbones.c.backbone_id), primary_key=True, autoincrement=False
    ),
    Column(
        "image_id",
        BigInteger,
        ForeignKey(images.c.image_id, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("embedding", HALFVEC(1280), nullable=False),
    postgresql_partition_by="LIST (backbone_id)",
)

projections = Table(
    "projections",
    metadata,
    Column("projection_id", Integer, Identity(always=True), primary_key=True),
    Column("backbone_id", Integer, ForeignKey(backbones.c.backbone_id), nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("false")),
    Column("attached", Boolean, nullable=False, server_default=text("false")),
    Column("learned_from", Integer, nullable=False),
    Column("kept", Double, nullable=False),
    Column("build_seconds", Double),
    Column("created_at", _TIME, nullable=False, server_default=_CLOCK),
    Index("projections_one_active", "backbone_id", unique=True, postgresql_where=text("active")),
)

projection_axes = Table(
    "projection_axes",
    metadata,
    Column(
        "projection_id",
        Integer,
        ForeignKey(projections.c.projection_id, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("axis", Integer, primary_key=True, autoincrement=False),
    Column("direction", HALFVEC(1280), nullable=False),
)

search_vectors = Table(
    "search_vectors",
    metadata,
    Column("projection_id", Integer, primary_key=True, autoincrement=False),
    Column(
        "image_id",
        BigInteger,
        ForeignKey(images.c.image_id, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("vector", HALFVEC(192), nullable=False),
    postgresql_partition_by="LIST (projection_id)",
)

index_checks = Table(
    "index_checks",
    metadata,
    Column("index_check_id", BigInteger, Identity(always=True), primary_key=True),
    Column("projection_id", Integer, nullable=False),
    Column("checked_at", _TIME, nullable=False, server_default=_CLOCK),
    Column("images", BigInteger, nullable=False),
    Column("queries", Integer, nullable=False),
    Column("neighbours", Integer, nullable=False),
    Column("candidates", Integer, nullable=False),
    Column("ef_search", Integer, nullable=False),
    Column("recall", Double, nullable=False),
    Column("milliseconds", Double, nullable=False),
)

hashtag_edits = Table(
    "hashtag_edits",
    metadata,
    Column("edit_id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("hashtags", ARRAY(Text), nullable=False),
    Column("into_hashtag", Text),
    Column("before", JSONB, nullable=False),
    Column("made_at", _TIME, nullable=False, server_default=_CLOCK),
    Column("made_by", Text, nullable=False, server_default=text("SESSION_USER")),
    Column("undone_at", _TIME),
    Column("undone_by", Text),
)

hashtags = Table(
    "hashtags",
    metadata,
    Column("hashtag_id", Integer, Identity(always=True), primary_key=True),
    Column("hashtag", Text, nullable=False),
    Column("created_at", _TIME, nullable=False, server_default=_NOW),
    Column("alias_of", Integer, ForeignKey("tagdb_store.hashtags.hashtag_id")),
    Column("banned", Boolean, nullable=False, server_default=text("false")),
    Column("spelling", Text),
    Column("edit_id", BigInteger, ForeignKey(hashtag_edits.c.edit_id)),
    UniqueConstraint("hashtag", name="hashtags_hashtag_key"),
    Index("hashtags_alias_of", "alias_of", postgresql_where=text("alias_of IS NOT NULL")),
    Index(
        "hashtags_decided",
        "hashtag_id",
        postgresql_include=["alias_of", "banned"],
        postgresql_where=text("banned OR alias_of IS NOT NULL"),
    ),
    Index("hashtags_prefix", "hashtag", postgresql_ops={"hashtag": "text_pattern_ops"}),
)

image_hashtags = Table(
    "image_hashtags",
    metadata,
    Column(
        "image_id",
        BigInteger,
        ForeignKey(images.c.image_id, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("hashtag_id", Integer, ForeignKey(hashtags.c.hashtag_id), primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False, server_default="ingest"),
    Column("spelling", Text),
    Index("image_hashtags_hashtag_id", "hashtag_id", "image_id"),
    Index("image_hashtags_spelled", "hashtag_id", postgresql_where=text("spelling IS NOT NULL")),
)

factor_runs = Table(
    "factor_runs",
    metadata,
    Column("factor_run_id", Integer, Identity(always=True), primary_key=True),
    Column("status", Text, nullable=False, server_default="building"),
    Column("factors", Integer, nullable=False),
    Column("alpha", Double, nullable=False),
    Column("regularization", Double, nullable=False),
    Column("iterations", Integer, nullable=False),
    Column("min_images", Integer, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("neighbours", Integer, nullable=False),
    Column("contrast", Double, nullable=False, server_default="0"),
    Column("similarity_exponent", Double, nullable=False),
    Column("images", Integer, nullable=False, server_default="0"),
    Column("hashtags", Integer, nullable=False, server_default="0"),
    Column("interactions", BigInteger, nullable=False, server_default="0"),
    Column("seconds", Double),
    Column("versions", JSONB, nullable=False, server_default=_EMPTY),
    Column("metrics", JSONB, nullable=False, server_default=_EMPTY),
    Column("created_at", _TIME, nullable=False, server_default=_CLOCK),
    Column("activated_at", _TIME),
    Column("weighting", Text, nullable=False, server_default="none"),
    Column("accepted_weight", Double, nullable=False, server_default="1"),
    Column("min_hashtags", Integer, nullable=False, server_default="1"),
    Column("ridge", Double, nullable=False, server_default="0"),
    Column("ridge_penalty", Double, nullable=False, server_default="1"),
    Column("refit_penalty", Double, nullable=False, server_default="0"),
    Column("pruned_at", _TIME),
    Column("sample", Double, nullable=False, server_default="0"),
    Column("asked", JSONB, nullable=False, server_default=_EMPTY),
    Index("factor_runs_one_active", "status", unique=True, postgresql_where=text("status = 'active'")),
)

image_factors = Table(
    "image_factors",
    metadata,
    Column("factor_run_id", Integer, primary_key=True, autoincrement=False),
    Column("image_id", BigInteger, primary_key=True, autoincrement=False),
    Column("factors", HALFVEC, nullable=False),
    Column("folded_in", Boolean, nullable=False, server_default=text("false")),
    Index("image_factors_folded_in", "factor_run_id", postgresql_where=text("folded_in")),
    postgresql_partition_by="LIST (factor_run_id)",
)

hashtag_factors = Table(
    "hashtag_factors",
    metadata,
    Column("factor_run_id", Integer, primary_key=True, autoincrement=False),
    Column("hashtag_id", Integer, primary_key=True, autoincrement=False),
    Column("factors", HALFVEC, nullable=False),
    Column("folded_in", Boolean, nullable=False, server_default=text("false")),
    Column("images", Integer, nullable=False, server_default="0"),
    Column("norm", REAL, Computed("l2_norm(factors)", persisted=True), nullable=False),
    Index("hashtag_factors_norm", "norm"),
    postgresql_partition_by="LIST (factor_run_id)",
)

factor_maps = Table(
    "factor_maps",
    metadata,
    Column(
        "factor_run_id",
        Integer,
        ForeignKey(factor_runs.c.factor_run_id, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("image_gram", LargeBinary, nullable=False),
    Column("weighting", JSONB, nullable=False),
    Column("ridge", LargeBinary),
    Column("axes", LargeBinary),
    Column("centre", HALFVEC),
    Column("spread", Double),
    Column("backbone_id", Integer, ForeignKey(backbones.c.backbone_id, ondelete="SET NULL")),
)

factor_parts = Table(
    "factor_parts",
    metadata,
    Column(
        "factor_run_id",
        Integer,
        ForeignKey(factor_runs.c.factor_run_id, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("part", Integer, primary_key=True, autoincrement=False),
)

factor_defaults = Table(
    "factor_defaults",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("settings", JSONB, nullable=False),
    Column("metrics", JSONB, nullable=False, server_default=_EMPTY),
    Column("tuned_at", _TIME, nullable=False, server_default=_CLOCK),
)

feedback = Table(
    "feedback",
    metadata,
    Column("feedback_id", BigInteger, Identity(always=True), primary_key=True),
    Column("image_id", BigInteger, ForeignKey(images.c.image_id, ondelete="CASCADE"), nullable=False),
    Column("hashtag_id", Integer, ForeignKey(hashtags.c.hashtag_id), nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("factor_run_id", Integer, ForeignKey(factor_runs.c.factor_run_id)),
    Column("given_at", _TIME, nullable=False, server_default=_CLOCK),
    Column("given_by", Text, nullable=False, server_default=text("SESSION_USER")),
    Index("feedback_image_id", "image_id", "hashtag_id", "feedback_id"),
    Index("feedback_factor_run_id", "factor_run_id", "given_at"),
)

requests = Table(
    "requests",
    metadata,
    Column("request_id", BigInteger, Identity(always=True), primary_key=True),
    Column("asked_by", Text, nullable=False, server_default=text("SESSION_USER")),
    Column("asked_at", _TIME, nullable=False, server_default=_CLOCK),
    Column("photo", LargeBinary),
    Column("byte_count", Integer, nullable=False),
    Column("arguments", JSONB, nullable=False),
    Column("store", JSONB),
    Column("taken_by", Integer),
    Column("taken_at", _TIME),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("answered_at", _TIME),
    Column("hashtags", JSONB),
    Column("image_id", BigInteger),
    Column("refused", Text),
    CheckConstraint(
        "(answered_at IS NULL) = (hashtags IS NULL AND refused IS NULL)", name="requests_answered"
    ),
    CheckConstraint("(answered_at IS NULL) = (photo IS NOT NULL)", name="requests_kept"),
    Index("requests_waiting", "request_id", postgresql_where=text("answered_at IS NULL")),
    Index(
        "requests_asked_by",
        "asked_by",
        postgresql_include=["byte_count"],
        postgresql_where=text("answered_at IS NULL"),
    ),
    Index("requests_answered_at", "answered_at", postgresql_where=text("answered_at IS NOT NULL")),
)

statistics = Table(
    "statistics",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("refreshed_at", _TIME, nullable=False, server_default=_CLOCK),
    Column("seconds", Double, nullable=False, server_default="0"),
    Column("images", BigInteger, nullable=False, server_default="0"),
    Column("min_images", Integer, nullable=False, server_default="2"),
)

counted_images = Table(
    "counted_images",
    metadata,
    Column("image_id", BigInteger, primary_key=True, autoincrement=False),
    Column("collection", Text),
    Column("seen_at", _TIME, nullable=False),
    Column("hashtag_ids", ARRAY(Integer), nullable=False),
    Index("counted_images_hashtag_ids", "hashtag_ids", postgresql_using="gin"),
)

changed_images = Table(
    "changed_images",
    metadata,
    Column("change_id", BigInteger, Identity(always=True), primary_key=True),
    Column("image_id", BigInteger, nullable=False),
)

hashtag_counts = Table(
    "hashtag_counts",
    metadata,
    Column("hashtag_id", Integer, primary_key=True, autoincrement=False),
    Column("images", BigInteger, nullable=False),
    Column("first_seen", _TIME, nullable=False),
    Column("last_seen", _TIME, nullable=False),
    Column("beside", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Index("hashtag_counts_images", "images"),
)

hashtag_collections = Table(
    "hashtag_collections",
    metadata,
    Column("hashtag_id", Integer, primary_key=True, autoincrement=False),
    Column("collection", Text, primary_key=True),
    Column("images", BigInteger, nullable=False),
    Index("hashtag_collections_collection", "collection", text("images DESC"), "hashtag_id"),
)

hashtag_pairs = Table(
    "hashtag_pairs",
    metadata,
    Column("hashtag_id", Integer, primary_key=True, autoincrement=False),
    Column("other_id", Integer, primary_key=True, autoincrement=False),
    Column("images", BigInteger, nullable=False),
    Index("hashtag_pairs_other_id", "other_id", "hashtag_id"),
    Index("hashtag_pairs_images", "images"),
)

hashtag_trend = Table(
    "hashtag_trend",
    metadata,
    Column("hashtag_id", Integer, primary_key=True, autoincrement=False),
    Column("period", Text, primary_key=True),
    Column("starts_on", Date, primary_key=True),
    Column("images", BigInteger, nullable=False),
    Index("hashtag_trend_starts_on", "period", "starts_on", text("images DESC")),
)

tokens = Table(
    "tokens",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("token_sha256", LargeBinary, nullable=False),
    Column("created_at", _TIME, nullable=False, server_default=_NOW),
    Column("created_by", Text, nullable=False, server_default=text("session_user")),
    Column("last_used_on", Date),
    UniqueConstraint("token_sha256", name="tokens_token_sha256_key"),
)
