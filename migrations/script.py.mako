"""${message}

Revision: ${up_revision}, after ${down_revision | comma,n}
"""

from tagdb.migrations import objects, sqlfiles

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables. All views and functions are made after this; drop by name what cannot be replaced."""
    sqlfiles.run(__file__)


def downgrade() -> None:
    """Drop all views and functions, and take the changes of the tables back."""
    sqlfiles.execute(*objects.drops())
