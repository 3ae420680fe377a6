"""Alembic migrations of the tagdb schema; their SQL is in `sql/`, one object per file."""
