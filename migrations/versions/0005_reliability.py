"""Statistics of a million images in minutes."""

from tagdb.migrations import sqlfiles

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

REPLACED = ("FUNCTION tagdb_store.refresh_edited_statistics, tagdb_store.refresh_statistics",)
CALLERS = ("refresh_edited_statistics.r01", "surface_grants.r01")
"""What calls what is replaced, unchanged, and the rights in both."""


def upgrade() -> None:
    """Count pairs by sorting them."""
    sqlfiles.drop(*REPLACED)
    sqlfiles.run("refresh_statistics.r02", *CALLERS)


def downgrade() -> None:
    """Count pairs by hashing them again."""
    sqlfiles.drop(*REPLACED)
    sqlfiles.run("refresh_statistics.r01", *CALLERS)
