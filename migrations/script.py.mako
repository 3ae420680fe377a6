"""${message}

Revision: ${up_revision}, after ${down_revision | comma,n}
"""

from tagdb.migrations import sqlfiles

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the new files."""


def downgrade() -> None:
    """Run the files before them."""
